//! A penalty whose weight grows while the best point violates a constraint.
//!
//! Papers: Borghi, Herty and Pareschi, "Constrained consensus-based optimization" (SIAM J. Optim. 2023); Carrillo, Totzeck and Vaes,
//! "Consensus-based optimization and ensemble Kalman inversion for global optimization problems with constraints" (2023):
//!
//! ```text
//! (1)  f + w v,   v the sum of violations over their scales
//! (2)  w <- G w   while the best point by (1) violates a constraint,  else w / g
//! ```
//!
//! w begins with the distance between the quartiles of f over that of v.

use super::{ToldRound, is_feasible, quartiles};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Real, Result, best_index};

/// Growth of the weight, eq. (2), and the largest one over the first.
const GROWTH: f64 = 1.5;
const SHRINKAGE: f64 = 1.05;
const LARGEST: f64 = 1e12;

/// The weight.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GrowingPenalty {
    scales: Vec<f64>,
    weight: f64,
    first: f64,
}

impl GrowingPenalty {
    /// Whether what was read back can be gone on with.
    pub(super) fn verify(&self) -> Result<()> {
        saved::holds("weight", self.scales.is_empty() || self.first > 0.0, "must have begun above 0")
    }

    pub(super) fn scalars<F: Real>(&mut self, told: ToldRound<'_, F>, out: &mut Vec<F>) {
        let count = told.values.len();
        if self.scales.is_empty() {
            self.scales = told.scales();
            let f = quartiles(told.values.iter().map(|f| f.f64()));
            let v = quartiles((0..count).map(|i| told.violation(i, &self.scales)));
            let ratio = f / v;
            self.first = if ratio > 0.0 && ratio.is_finite() { ratio } else { f.max(1.0) };
            self.weight = self.first;
        }
        let penalised = |i: usize| {
            let v = told.violation(i, &self.scales);
            let sum = if v > 0.0 { told.values[i].f64() + self.weight * v } else { told.values[i].f64() }; // eq. (1)
            F::of(if sum.is_finite() { sum } else { f64::INFINITY })
        };
        out.extend((0..count).map(penalised));
        if let Some(best) = best_index(out).filter(|&i| out[i].is_finite()) {
            let factor = if is_feasible(&told, best) { 1.0 / SHRINKAGE } else { GROWTH }; // eq. (2)
            self.weight = (self.weight * factor).max(self.first).min(LARGEST * self.first);
        }
    }
}
