//! Outcome: what came out of a run.

use crate::{FailureCounts, Knowledge, Matrix, Real, Reason, Repeated, Solutions};

/// What came out of a run, under SciPy's names.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome<F: Real = f64> {
    /// Best point evaluated.
    pub x: Vec<F>,
    /// Its value.
    pub fun: F,
    /// How far `x` violates the constraints of the problem beyond their tolerances, all together: 0 where it is feasible.
    pub violation: F,
    /// The values of the constraints at `x`, in their order; none where the problem has none.
    pub constraints: Vec<F>,
    /// What the value is made of at `x`, residuals or objectives; empty where it is a number, or where `noise` says more of it.
    pub parts: Vec<F>,
    /// An estimate of the covariance of the variables at the answer, where the method has one
    /// ([`Algorithm::covariance`](crate::Algorithm::covariance)).
    pub covariance: Option<Matrix<f64>>,
    /// Estimates of the multipliers of the constraints at the answer, where the method has them
    /// ([`Algorithm::multipliers`](crate::Algorithm::multipliers)).
    pub multipliers: Option<Vec<f64>>,
    /// The method's own answer: best point, mean or consensus.
    pub answer: Vec<F>,
    /// What the method found, where its aim is more than one point ([`Algorithm::solutions`](crate::Algorithm::solutions)).
    pub solutions: Option<Solutions<F>>,
    /// Points evaluated.
    pub nfev: u64,
    /// Gradients taken.
    pub ngev: u64,
    /// Both, gradients at their price: what a budget counts, in evaluations.
    pub cost: u64,
    /// Iterations completed, the initial points not counted.
    pub nit: u64,
    /// Evaluations that gave no value: NaN, an infinity, a panic, a time-out.
    pub failures: u64,
    /// The same by kind.
    pub failure_counts: FailureCounts,
    /// Why it ended.
    pub reason: Reason,
    /// How the method came to its answer, in its own words ([`Algorithm::explanation`](crate::Algorithm::explanation)).
    pub explanation: Option<String>,
    /// What the method has learned of the problem ([`Algorithm::knowledge`](crate::Algorithm::knowledge)).
    pub knowledge: Option<Knowledge>,
    /// Time spent, in seconds.
    pub seconds: f64,
    /// Of a noisy problem: what new evaluations say of `x`, which is the best of ten points by their means; `fun` is the
    /// mean. The evaluations, 110 or at most half of a small budget, are among `nfev`. None for a run that was
    /// interrupted, whose time was over, or whose budget is below 40.
    pub noise: Option<Repeated>,
}

impl<F: Real> Outcome<F> {
    /// Whether `x` keeps to all constraints.
    pub fn is_feasible(&self) -> bool {
        self.violation == F::zero()
    }

    /// Whether a finite value was found at a feasible point and nobody cut the run short.
    pub fn success(&self) -> bool {
        self.fun.is_finite() && self.is_feasible() && self.reason.is_success()
    }
}
