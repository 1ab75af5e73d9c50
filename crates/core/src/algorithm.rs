//! Algorithm: ask for points, be told their values, answer.

use crate::{Aim, Constraint, Error, Knowledge, Matrix, Real, Reason, Result, Rng, Rows};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The values of all constraints at a point, in their order, from its coordinates alone.
pub type Screen<F = f64> = Arc<dyn Fn(&[F]) -> Vec<F> + Send + Sync>;

/// A derivative-free method, seen from outside.
///
/// The points are lent, not copied: `ask` may move the method's own matrix into `xs` and `tell` may take it back, so a
/// large swarm is never copied. Between the two the points belong to the caller, who may improve them.
///
/// What only some methods can do (several solutions, an explanation, gradients, planning over what is spent) goes to
/// [`Algorithm::inner`] unless a method says otherwise: a method that wraps another one names it there and loses nothing.
pub trait Algorithm<F: Real = f64>: Send {
    /// Writes the points to evaluate next, one a row, inside the space; the first time the initial points. Leaves `xs`
    /// empty when the method has ended.
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>);

    /// Takes back the points of the last `ask`, improved in between if the caller likes, and their values (one a row;
    /// NaN counts as +inf). What `xs` holds afterwards means nothing.
    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]);

    /// The point the method would answer now: best point, mean or consensus. After the first `tell`.
    fn answer(&self) -> Vec<F>;

    /// Number of coordinates of its points, where the method knows it before it is asked.
    fn dim(&self) -> Option<usize> {
        self.inner().and_then(|inner| inner.dim())
    }

    /// Completed iterations: 0 after the initial points were told. An iteration may take several rounds of ask and tell.
    fn iterations(&self) -> u64;

    /// The state between `tell` and `ask`, by name, for watchers and traces.
    fn view(&self) -> View<'_, F>;

    /// Appends the whole state in a binary form that keeps NaN and infinity. The registry's `load` reads it back, and the
    /// loaded method continues to the same bits.
    ///
    /// # Errors
    /// State that the form cannot hold.
    fn save(&self, out: &mut Vec<u8>) -> Result<()>;

    /// Bytes that the method takes at most, about, with the points it lends: known before it takes them. A method that is built by
    /// name is refused where they do not fit; see [`memory`](crate::memory).
    fn memory(&self) -> f64 {
        self.inner().map_or(0.0, |inner| inner.memory())
    }

    /// The method that this one wraps, if it wraps one: it answers for what this one does not say itself.
    fn inner(&self) -> Option<&dyn Algorithm<F>> {
        None
    }

    /// The same, to change. Some where [`Algorithm::inner`] is.
    fn inner_mut(&mut self) -> Option<&mut dyn Algorithm<F>> {
        None
    }

    /// Why the method ended by itself, if it has.
    fn stop_reason(&self) -> Option<Reason> {
        self.inner().and_then(|inner| inner.stop_reason())
    }

    /// What the method has found, where its aim is more than one point; of the last `tell`.
    fn solutions(&self) -> Option<Solutions<F>> {
        self.inner().and_then(|inner| inner.solutions())
    }

    /// How it came to its answer, in words: which of its parts found it, what it has learned of the problem.
    fn explanation(&self) -> Option<String> {
        self.inner().and_then(|inner| inner.explanation())
    }

    /// What it has learned of the problem, where it looks.
    fn knowledge(&self) -> Option<Knowledge> {
        self.inner().and_then(|inner| inner.knowledge())
    }

    /// An estimate of the covariance of the variables at the answer, in the units of the space: of a fit, where it has ended.
    fn covariance(&self) -> Option<Matrix<f64>> {
        self.inner().and_then(|inner| inner.covariance())
    }

    /// Estimates of the Lagrange multipliers of the constraints at the answer, in their order and in units of the value over those of
    /// the constraint: by how much the best value falls where a constraint may be missed by one more. None where it has none.
    fn multipliers(&self) -> Option<Vec<f64>> {
        self.inner().and_then(|inner| inner.multipliers())
    }

    /// Gives the method the constraints' values at a point, where they can be had without an evaluation. One that needs no more of an
    /// infeasible point does not ask for it then. Before the first `ask`, and again after its state was read back.
    fn screen(&mut self, screen: &Screen<F>) {
        if let Some(inner) = self.inner_mut() {
            inner.screen(screen);
        }
    }

    /// Says that the run has a source of gradients and will answer [`Algorithm::gradient_rows`]; returns whether the method
    /// makes use of it. Called before the first `ask`.
    fn expect_gradients(&mut self) -> bool {
        self.inner_mut().is_some_and(|inner| inner.expect_gradients())
    }

    /// Rows of the last `ask` whose gradient the method wants beside the value, in ascending order.
    fn gradient_rows(&self) -> &[usize] {
        self.inner().map_or(&[], |inner| inner.gradient_rows())
    }

    /// Takes the gradients, one a row of [`Algorithm::gradient_rows`], before `tell` takes the values. A gradient that is
    /// not finite says nothing.
    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        if let Some(inner) = self.inner_mut() {
            inner.tell_gradients(gradients);
        }
    }

    /// Says which constraints the problem has; returns whether the method takes their values from
    /// [`Algorithm::tell_constraints`]. A method that does not is told +inf for a point that violates one. Called before the first
    /// `ask`, and again where a saved method goes on.
    fn expect_constraints(&mut self, _constraints: &[Constraint]) -> bool {
        false
    }

    /// Takes the values of the constraints, one row a point of the last `ask`, before `tell` takes the values. A row of NaN: nothing
    /// is known.
    fn tell_constraints(&mut self, _values: &Matrix<F>) {}

    /// Says what a value is made of; returns whether the method takes the parts from [`Algorithm::tell_parts`]. Called before the
    /// first `ask`, and again where a saved method goes on.
    fn expect_aim(&mut self, _aim: &Aim) -> bool {
        false
    }

    /// Takes what the values are made of, one row a point of the last `ask`, before `tell` takes the values. A row of NaN: nothing
    /// is known.
    fn tell_parts(&mut self, _parts: &Matrix<F>) {}

    /// Says before every `ask` what the run has spent so far: evaluations, and gradients at their price. A method that plans
    /// over a budget and is driven without a run counts the values it is told.
    fn set_spent(&mut self, cost: u64) {
        if let Some(inner) = self.inner_mut() {
            inner.set_spent(cost);
        }
    }
}

/// A method behind a pointer is that method.
macro_rules! behind_a_pointer {
    ($Pointer:ty $(, $a:lifetime)?) => {
        impl<$($a,)? F: Real> Algorithm<F> for $Pointer {
            fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
                (**self).ask(rng, xs);
            }

            fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
                (**self).tell(xs, values);
            }

            fn answer(&self) -> Vec<F> {
                (**self).answer()
            }

            fn iterations(&self) -> u64 {
                (**self).iterations()
            }

            fn view(&self) -> View<'_, F> {
                (**self).view()
            }

            fn save(&self, out: &mut Vec<u8>) -> Result<()> {
                (**self).save(out)
            }

            fn inner(&self) -> Option<&dyn Algorithm<F>> {
                Some(&**self)
            }

            fn inner_mut(&mut self) -> Option<&mut dyn Algorithm<F>> {
                Some(&mut **self)
            }

            fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
                (**self).expect_constraints(constraints)
            }

            fn tell_constraints(&mut self, values: &Matrix<F>) {
                (**self).tell_constraints(values);
            }

            fn expect_aim(&mut self, aim: &Aim) -> bool {
                (**self).expect_aim(aim)
            }

            fn tell_parts(&mut self, parts: &Matrix<F>) {
                (**self).tell_parts(parts);
            }
        }
    };
}

behind_a_pointer!(Box<dyn Algorithm<F> + 'a>, 'a);
behind_a_pointer!(&'a mut (dyn Algorithm<F> + 'a), 'a);

/// Appends a state in the binary form of [`Algorithm::save`]; nothing is appended where that fails.
///
/// # Errors
/// State that the form cannot hold.
pub fn save_state<T: Serialize + ?Sized>(method: &str, state: &T, out: &mut Vec<u8>) -> Result<()> {
    let failed = |why: postcard::Error| Error::Unsaved { method: method.into(), why: why.to_string() };
    out.extend(postcard::to_allocvec(state).map_err(failed)?);
    Ok(())
}

/// What a list of points is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Local minima, as far as the method can tell.
    Minima,
    /// Samples of a distribution.
    Samples,
    /// The best points of independent runs.
    Runs,
    /// Points of several objectives of which none is better than another in all.
    Front,
}

/// A point of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Found<F: Real = f64> {
    /// The point, which was evaluated.
    pub x: Vec<F>,
    /// Its value.
    pub value: F,
    /// Its objectives, where it has several.
    #[serde(default)]
    pub parts: Vec<F>,
    /// Particles that have gathered there.
    pub particles: usize,
}

/// The points that a method has found whose aim is more than one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Solutions<F: Real = f64> {
    /// What they are.
    pub kind: Kind,
    /// Minima the best first; samples and runs in their order.
    pub points: Vec<Found<F>>,
}

impl<F: Real> Solutions<F> {
    /// Minima in the order of their values.
    pub fn minima(mut points: Vec<Found<F>>) -> Self {
        points.sort_by(|a, b| a.value.f64().total_cmp(&b.value.f64()));
        Solutions { kind: Kind::Minima, points }
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
