//! Problem: a function on a box.

use crate::{Real, Rows, Space};

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

/// A closure as a [`Problem`].
///
/// ```
/// use swarmgrad_core::{Function, Problem, Space};
/// let plane = Function::new(Space::cube(2, -1.0, 1.0)?, |x: &[f64]| x[0] + x[1]);
/// assert_eq!(plane.value(&[0.25, 0.5]), 0.75);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Function<F: Real, C> {
    space: Space<F>,
    closure: C,
}

impl<F: Real, C: Fn(&[F]) -> F + Sync> Function<F, C> {
    /// The closure on the space.
    pub fn new(space: Space<F>, closure: C) -> Self {
        Function { space, closure }
    }
}

impl<F: Real, C: Fn(&[F]) -> F + Sync> Problem<F> for Function<F, C> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn value(&self, x: &[F]) -> F {
        (self.closure)(x)
    }
}
