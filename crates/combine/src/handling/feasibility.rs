//! Feasible points by their values, and after all of them infeasible ones by their violation.
//!
//! Paper: Deb, "An efficient constraint handling method for genetic algorithms" (Computer Methods in Applied Mechanics and
//! Engineering 2000). Of two points the feasible one is better; of two feasible ones that of the smaller value; of two infeasible ones that
//! of the smaller violation v:
//!
//! ```text
//! (1)  f               feasible
//!      W (1 + v / (1 + v))    infeasible, v the sum of violations over their scales
//! ```
//!
//! Differs from the paper: it adds the violation to the worst value of the feasible points of a generation. Methods that keep what
//! they were told for many rounds need a number that stays right, so W is one that no value of a problem reaches.

use super::{ToldRound, is_feasible};
use serde::{Deserialize, Serialize};
use swarmgrad_core::Real;

/// W in double precision, and in single.
const WORST: [f64; 2] = [1e60, 1e15];

/// Order by feasibility.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FeasibilityOrder {
    /// What the violation of each constraint is divided by, from the first round.
    pub(super) scales: Vec<f64>,
}

impl FeasibilityOrder {
    pub(super) fn scalars<F: Real>(&mut self, told: ToldRound<'_, F>, out: &mut Vec<F>) {
        if self.scales.is_empty() {
            self.scales = told.scales();
        }
        let worst = WORST[usize::from(!F::of(WORST[0]).is_finite())];
        out.extend((0..told.values.len()).map(|i| {
            if is_feasible(&told, i) {
                return if told.values[i].is_finite() { told.values[i].min(F::of(worst)) } else { told.values[i] };
            }
            let v = told.violation(i, &self.scales);
            let share = if v.is_finite() { v / (1.0 + v) } else { 1.0 };
            F::of(worst * (1.0 + share)) // eq. (1)
        }));
    }
}
