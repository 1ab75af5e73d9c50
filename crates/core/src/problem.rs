//! Problem: a function on a box.

use crate::{Aim, Constraint, Evaluation, Failure, Real, Rows, Space};
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

/// A function to minimise over a [`Space`]: the value of a point, the values of many points.
///
/// `value` may return NaN or infinity and may panic: the run counts the point as failed and goes on.
pub trait Problem<F: Real = f64>: Sync {
    /// Where the points live.
    fn space(&self) -> &Space<F>;

    /// The value of one point (`x.len() == self.space().dim()`); smaller is better.
    fn value(&self, x: &[F]) -> F;

    /// Values of many points at once; override where a batch is cheaper than its points. A point's value must not
    /// depend on the other points of the batch.
    fn values(&self, xs: Rows<'_, F>, out: &mut [F]) {
        for (x, o) in xs.iter().zip(out) {
            *o = self.value(x);
        }
    }

    /// Whether a round of points is to come at once, unsliced: a vectorised objective, a GPU, a cluster. Such a problem does its
    /// own work on threads, and a run looks for a halt between its rounds only.
    fn whole(&self) -> bool {
        false
    }

    /// Whether [`Problem::evaluate`] knows more of a point than its value. It is called for each point then.
    fn explains(&self) -> bool {
        false
    }

    /// The constraints beside the bounds. Where there are any, a run calls [`Problem::evaluate`] for each point, which says their
    /// values in this order.
    fn constraints(&self) -> &[Constraint] {
        &[]
    }

    /// What a value is made of. Where it is more than a number, a run calls [`Problem::evaluate`] for each point, which says the
    /// parts, at every point as many.
    fn aim(&self) -> &Aim {
        &Aim::Value
    }

    /// What is known of a point: its value, or why it has none, what it is made of, and the values of its constraints.
    fn evaluate(&self, x: &[F]) -> Evaluation<F> {
        Evaluation::of(self.value(x))
    }

    /// Whether a point's value is random, so that two evaluations of it differ. A run then evaluates its best points anew
    /// at the end; see [`Outcome::noise`](crate::Outcome::noise).
    fn noisy(&self) -> bool {
        false
    }
}

/// A problem that is a mean over data: E(x) = (1/M) sum_j E_j(x). [`Problem::value`] is the mean over all of it.
pub trait BatchProblem<F: Real = f64>: Problem<F> {
    /// M: how many data there are.
    fn len(&self) -> usize;

    /// Whether there are no data.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mean over the data `batch` (indices below [`BatchProblem::len`], not empty) for every point of `xs`. The work is
    /// spread over threads here, if at all: the method asks once for all of its points.
    fn values_on(&self, batch: &[usize], xs: Rows<'_, F>, out: &mut [F]);
}

/// A problem with an analytic gradient.
pub trait Differentiable<F: Real = f64>: Problem<F> {
    /// Writes the gradient at `x` into `out` (same length).
    fn gradient(&self, x: &[F], out: &mut [F]);
}

/// What a closure may return as the value of a point: a number, or an error that says why there is none.
pub trait Value<F: Real> {
    /// Whether it may be an error.
    const FALLIBLE: bool;

    /// The evaluation.
    fn evaluation(self) -> Evaluation<F>;
}

impl<F: Real> Value<F> for F {
    const FALLIBLE: bool = false;

    fn evaluation(self) -> Evaluation<F> {
        Evaluation::of(self)
    }
}

impl<F: Real, E: Display> Value<F> for Result<F, E> {
    const FALLIBLE: bool = true;

    fn evaluation(self) -> Evaluation<F> {
        self.map_or_else(|why| Evaluation::failed(Failure::Rejected(why.to_string())), Evaluation::of)
    }
}

/// A value, and the values of the constraints in their order.
impl<F: Real> Value<F> for (F, Vec<F>) {
    const FALLIBLE: bool = true;

    fn evaluation(self) -> Evaluation<F> {
        Evaluation { constraints: self.1, ..Evaluation::of(self.0) }
    }
}

/// A closure as a [`Problem`]. On a space of typed variables it gets their values as numbers, [`Space::numbers`].
///
/// ```
/// use swarmgrad_core::{Function, Problem, Space};
/// let plane = Function::new(Space::cube(2, -1.0, 1.0)?, |x: &[f64]| x[0] + x[1]);
/// assert_eq!(plane.value(&[0.25, 0.5]), 0.75);
/// let root = Function::fallible(Space::cube(1, -1.0, 1.0)?, |x: &[f64]| match x[0] >= 0.0 {
///     true => Ok(x[0].sqrt()),
///     false => Err("negative"),
/// });
/// assert!(root.evaluate(&[-0.5]).failure.is_some());
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Function<F: Real, C, V = F> {
    space: Space<F>,
    closure: C,
    value: PhantomData<fn() -> V>,
}

impl<F: Real, C: Fn(&[F]) -> F + Sync> Function<F, C> {
    /// The closure on the space.
    pub fn new(space: Space<F>, closure: C) -> Self {
        Function { space, closure, value: PhantomData }
    }
}

impl<F: Real, V: Value<F>, C: Fn(&[F]) -> V + Sync> Function<F, C, V> {
    /// A closure that says more than a value: by an error why a point has none, or the values of constraints beside it.
    pub fn fallible(space: Space<F>, closure: C) -> Self {
        Function { space, closure, value: PhantomData }
    }
}

impl<F: Real, V: Value<F>, C: Fn(&[F]) -> V + Sync> Problem<F> for Function<F, C, V> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn value(&self, x: &[F]) -> F {
        self.evaluate(x).value
    }

    fn explains(&self) -> bool {
        V::FALLIBLE
    }

    fn evaluate(&self, x: &[F]) -> Evaluation<F> {
        match self.space.variables() {
            [] => (self.closure)(x).evaluation(),
            _ => (self.closure)(&self.space.numbers(x)).evaluation(),
        }
    }
}

/// A closure that fills a slice with what a value is made of, as a [`Problem`]: the residuals of a fit, or several objectives. On a
/// space of typed variables it gets their values as numbers.
///
/// ```
/// use swarmgrad_core::{Problem, Space, VectorFunction};
/// let (t, y) = ([0.0, 1.0, 2.0], [1.0, 3.1, 4.9]);
/// let line = VectorFunction::residuals(Space::cube(2, -10.0, 10.0)?, 3, |x: &[f64], r: &mut [f64]| {
///     (0..3).for_each(|i| r[i] = x[0] + x[1] * t[i] - y[i]);
/// });
/// assert!((line.value(&[1.0, 2.0]) - 0.02).abs() < 1e-12);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct VectorFunction<F: Real, C> {
    space: Space<F>,
    aim: Aim,
    parts: usize,
    closure: C,
}

impl<F: Real, C: Fn(&[F], &mut [F]) + Sync> VectorFunction<F, C> {
    /// The sum of the squares of so many residuals.
    pub fn residuals(space: Space<F>, number: usize, closure: C) -> Self {
        VectorFunction { space, aim: Aim::Residuals, parts: number, closure }
    }

    /// Several objectives, all to be minimised, by their names.
    pub fn objectives(space: Space<F>, names: &[&str], closure: C) -> Self {
        let aim = Aim::Objectives(names.iter().map(|&name| name.to_owned()).collect());
        VectorFunction { space, aim, parts: names.len(), closure }
    }
}

impl<F: Real, C: Fn(&[F], &mut [F]) + Sync> Problem<F> for VectorFunction<F, C> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn value(&self, x: &[F]) -> F {
        self.evaluate(x).value
    }

    fn aim(&self) -> &Aim {
        &self.aim
    }

    fn evaluate(&self, x: &[F]) -> Evaluation<F> {
        let mut parts = vec![F::zero(); self.parts];
        match self.space.variables() {
            [] => (self.closure)(x, &mut parts),
            _ => (self.closure)(&self.space.numbers(x), &mut parts),
        }
        self.aim.evaluation(parts)
    }
}

/// A closure with a state of its own as a [`Problem`], which gets what that of a [`Function`] gets; it returns a value or a `Result`. One point is evaluated at a time.
pub struct FunctionMut<F: Real, C, V = F> {
    space: Space<F>,
    closure: Mutex<C>,
    value: PhantomData<fn() -> V>,
}

impl<F: Real, V: Value<F>, C: FnMut(&[F]) -> V + Send> FunctionMut<F, C, V> {
    /// The closure on the space.
    pub fn new(space: Space<F>, closure: C) -> Self {
        FunctionMut { space, closure: Mutex::new(closure), value: PhantomData }
    }
}

impl<F: Real, V: Value<F>, C: FnMut(&[F]) -> V + Send> Problem<F> for FunctionMut<F, C, V> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn value(&self, x: &[F]) -> F {
        self.evaluate(x).value
    }

    fn explains(&self) -> bool {
        V::FALLIBLE
    }

    fn evaluate(&self, x: &[F]) -> Evaluation<F> {
        // A closure that has panicked is called again: what it left behind is its own affair.
        let mut closure = self.closure.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match self.space.variables() {
            [] => closure(x).evaluation(),
            _ => closure(&self.space.numbers(x)).evaluation(),
        }
    }
}

/// A constraint as a function of a point; on a space of typed variables it gets their values as numbers.
type ConstraintFunction<'a, F> = Box<dyn Fn(&[F]) -> F + Sync + 'a>;

/// A problem with constraints: those whose values its evaluations have already, and functions beside it.
///
/// ```
/// use swarmgrad_core::{Constrained, Constraint, Function, Problem, Space};
/// let sum = Function::new(Space::cube(2, 0.0, 1.0)?, |x: &[f64]| x[0] + x[1]);
/// let problem = Constrained::new(sum).with(Constraint::at_most("least product"), |x| 0.25 - x[0] * x[1]);
/// assert_eq!(problem.constraints()[0].name(), "least product");
/// assert_eq!(problem.evaluate(&[0.5, 1.0]).constraints, [-0.25]);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Constrained<'a, P, F: Real = f64> {
    problem: P,
    constraints: Vec<Constraint>,
    functions: Vec<ConstraintFunction<'a, F>>,
}

impl<'a, F: Real, P: Problem<F>> Constrained<'a, P, F> {
    /// The problem with its own constraints.
    pub fn new(problem: P) -> Self {
        Constrained { constraints: problem.constraints().to_vec(), problem, functions: Vec::new() }
    }

    /// Says which constraints the values are that the evaluations of the problem have; before [`Constrained::with`].
    pub fn answering(mut self, constraints: Vec<Constraint>) -> Self {
        self.constraints = constraints;
        self
    }

    /// Adds a constraint and its function.
    pub fn with(mut self, constraint: Constraint, function: impl Fn(&[F]) -> F + Sync + 'a) -> Self {
        self.constraints.push(constraint);
        self.functions.push(Box::new(function));
        self
    }
}

impl<F: Real, P: Problem<F>> Problem<F> for Constrained<'_, P, F> {
    fn space(&self) -> &Space<F> {
        self.problem.space()
    }

    fn value(&self, x: &[F]) -> F {
        self.problem.value(x)
    }

    fn values(&self, xs: Rows<'_, F>, out: &mut [F]) {
        self.problem.values(xs, out);
    }

    fn whole(&self) -> bool {
        self.problem.whole()
    }

    fn explains(&self) -> bool {
        self.problem.explains()
    }

    fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    fn aim(&self) -> &Aim {
        self.problem.aim()
    }

    fn evaluate(&self, x: &[F]) -> Evaluation<F> {
        let mut evaluation = self.problem.evaluate(x);
        match self.space().variables() {
            _ if self.functions.is_empty() => {}
            [] => evaluation.constraints.extend(self.functions.iter().map(|function| function(x))),
            _ => {
                let numbers = self.space().numbers(x);
                evaluation.constraints.extend(self.functions.iter().map(|function| function(&numbers)));
            }
        }
        evaluation
    }

    fn noisy(&self) -> bool {
        self.problem.noisy()
    }
}

/// A problem behind a pointer is that problem.
macro_rules! behind {
    ($($pointer:ty: $($bound:ident)?),*) => {$(
        impl<F: Real, P: Problem<F> + ?Sized $(+ $bound)?> Problem<F> for $pointer {
            fn space(&self) -> &Space<F> {
                (**self).space()
            }

            fn value(&self, x: &[F]) -> F {
                (**self).value(x)
            }

            fn values(&self, xs: Rows<'_, F>, out: &mut [F]) {
                (**self).values(xs, out);
            }

            fn whole(&self) -> bool {
                (**self).whole()
            }

            fn explains(&self) -> bool {
                (**self).explains()
            }

            fn constraints(&self) -> &[Constraint] {
                (**self).constraints()
            }

            fn aim(&self) -> &Aim {
                (**self).aim()
            }

            fn evaluate(&self, x: &[F]) -> Evaluation<F> {
                (**self).evaluate(x)
            }

            fn noisy(&self) -> bool {
                (**self).noisy()
            }
        }
    )*};
}

behind!(&P:, Box<P>:, Arc<P>: Send);
