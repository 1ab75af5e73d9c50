//! Algorithm: ask for points, be told their values, answer.

use crate::{Matrix, Real, Reason, Rng, Rows};

/// A derivative-free method, seen from outside.
///
/// The points are lent, not copied: `ask` may move the method's own matrix into `xs` and `tell` may take it back, so a
/// large swarm is never copied. Between the two the points belong to the caller, who may improve them.
pub trait Algorithm<F: Real = f64>: Send {
    /// Writes the points to evaluate next, one a row, inside the space; the first time the initial points. Leaves `xs`
    /// empty when the method has ended.
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>);

    /// Takes back the points of the last `ask`, improved in between if the caller likes, and their values (one a row;
    /// NaN counts as +inf). What `xs` holds afterwards means nothing.
    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]);

    /// The point the method would answer now: best point, mean or consensus. After the first `tell`.
    fn answer(&self) -> Vec<F>;

    /// What the method has found, where its aim is more than one point; of the last `tell`.
    fn several(&self) -> Option<Several<F>> {
        None
    }

    /// Completed iterations: 0 after the initial points were told. An iteration may take several rounds of ask and tell.
    fn iterations(&self) -> u64;

    /// Why the method ended by itself, if it has.
    fn why(&self) -> Option<Reason> {
        None
    }

    /// How it came to its answer, in words: which of its parts found it, what it has learned of the problem.
    fn account(&self) -> Option<String> {
        None
    }

    /// Says that the run has a source of gradients and will answer [`Algorithm::gradient_rows`]; returns whether the method
    /// makes use of it. Called before the first `ask`.
    fn expect_gradients(&mut self) -> bool {
        false
    }

    /// Rows of the last `ask` whose gradient the method wants beside the value, in ascending order.
    fn gradient_rows(&self) -> &[usize] {
        &[]
    }

    /// Takes the gradients, one a row of [`Algorithm::gradient_rows`], before `tell` takes the values. A gradient that is
    /// not finite says nothing.
    fn tell_gradients(&mut self, _gradients: &Matrix<F>) {}

    /// Says before every `ask` what the run has spent so far: evaluations, and gradients at their price. A method that plans
    /// over a budget and is driven without a run counts the values it is told.
    fn spent(&mut self, _cost: u64) {}

    /// The state between `tell` and `ask`, by name, for watchers and traces.
    fn view(&self) -> View<'_, F>;

    /// Appends the whole state in a binary form that keeps NaN and infinity. The registry's `load` reads it back, and the
    /// loaded method continues to the same bits.
    fn save(&self, out: &mut Vec<u8>);
}

/// Forwards everything to the algorithm behind a pointer.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<F: Real> Algorithm<F> for $pointer {
            fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
                (**self).ask(rng, xs);
            }

            fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
                (**self).tell(xs, values);
            }

            fn answer(&self) -> Vec<F> {
                (**self).answer()
            }

            fn several(&self) -> Option<Several<F>> {
                (**self).several()
            }

            fn iterations(&self) -> u64 {
                (**self).iterations()
            }

            fn why(&self) -> Option<Reason> {
                (**self).why()
            }

            fn account(&self) -> Option<String> {
                (**self).account()
            }

            fn expect_gradients(&mut self) -> bool {
                (**self).expect_gradients()
            }

            fn gradient_rows(&self) -> &[usize] {
                (**self).gradient_rows()
            }

            fn tell_gradients(&mut self, gradients: &Matrix<F>) {
                (**self).tell_gradients(gradients);
            }

            fn spent(&mut self, cost: u64) {
                (**self).spent(cost);
            }

            fn view(&self) -> View<'_, F> {
                (**self).view()
            }

            fn save(&self, out: &mut Vec<u8>) {
                (**self).save(out);
            }
        }
    )*};
}

forward!(&mut (dyn Algorithm<F> + '_), Box<dyn Algorithm<F> + '_>);

/// What a list of points is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Local minima, as far as the method can tell.
    Minima,
    /// Samples of a distribution.
    Samples,
    /// The best points of independent runs.
    Runs,
}

/// A point of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<F: Real = f64> {
    /// The point, which was evaluated.
    pub x: Vec<F>,
    /// Its value.
    pub value: F,
    /// Particles that have gathered there.
    pub particles: usize,
}

/// The points that a method has found whose aim is more than one.
#[derive(Debug, Clone, PartialEq)]
pub struct Several<F: Real = f64> {
    /// What they are.
    pub kind: Kind,
    /// Minima the best first; samples and runs in their order.
    pub points: Vec<Found<F>>,
}

impl<F: Real> Several<F> {
    /// Minima in the order of their values.
    pub fn minima(mut points: Vec<Found<F>>) -> Self {
        points.sort_by(|a, b| a.value.f64().total_cmp(&b.value.f64()));
        Several { kind: Kind::Minima, points }
    }
}

/// What a method shows of its state: matrices (a row a particle), vectors and numbers under the symbols of its paper.
#[derive(Debug, Default)]
pub struct View<'a, F: Real = f64> {
    /// `x` positions, `v` velocities, `y` best positions, `m` momenta: what exists.
    pub matrices: Vec<(&'static str, Rows<'a, F>)>,
    /// `fx`, `fy` values a particle; `g` the best point or the consensus.
    pub vectors: Vec<(&'static str, &'a [F])>,
    /// `alpha`, `sigma` and other numbers that change during a run.
    pub numbers: Vec<(&'static str, f64)>,
}

impl<'a, F: Real> View<'a, F> {
    /// The matrix called `name`, if the method has one.
    pub fn matrix(&self, name: &str) -> Option<Rows<'a, F>> {
        self.matrices.iter().find(|(n, _)| *n == name).map(|(_, rows)| *rows)
    }

    /// The vector called `name`, if the method has one.
    pub fn vector(&self, name: &str) -> Option<&'a [F]> {
        self.vectors.iter().find(|(n, _)| *n == name).map(|(_, values)| *values)
    }

    /// The number called `name`, if the method has one.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }
}
