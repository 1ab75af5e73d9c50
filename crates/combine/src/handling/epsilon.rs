//! Order by feasibility, where a violation up to a level counts as none; the level falls to 0.
//!
//! Paper: Takahama and Sakai, "Constrained optimization by the epsilon constrained differential evolution with gradient-based
//! mutation and feasible elites" (CEC 2006):
//!
//! ```text
//! (1)  eps(0) = violation of the point at a fifth of the first population
//! (2)  eps(t) = eps(0) (1 - t / T)^5   for t < T,   else 0
//! ```
//!
//! T is a fifth of a known budget, else a hundred evaluations a variable. For methods that forget what they were told, as
//! evolution strategies do: the number of a point is that of its round.

use super::ToldRound;
use super::feasibility::FeasibilityOrder;
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Real, Result};

/// Place of eps(0) in the first population, and T over the budget.
const SHARE: f64 = 0.2;
/// T over the number of variables, where no budget is known.
const EVALUATIONS: f64 = 100.0;

/// The level and its clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EpsilonLevel {
    order: FeasibilityOrder,
    budget: Option<u64>,
    /// Nothing before the first round.
    first: Option<f64>,
    spent: u64,
}

impl EpsilonLevel {
    /// The level of a run of so many evaluations.
    pub fn new(budget: Option<u64>) -> Self {
        EpsilonLevel { budget, ..EpsilonLevel::default() }
    }

    /// Whether what was read back can be gone on with.
    pub(super) fn verify(&self) -> Result<()> {
        saved::count("spent", self.spent)
    }

    pub(super) fn scalars<F: Real>(&mut self, told: ToldRound<'_, F>, out: &mut Vec<F>) {
        self.order.scalars(told, out);
        let scales = &self.order.scales;
        let first = *self.first.get_or_insert_with(|| {
            let mut all: Vec<f64> = (0..told.values.len()).map(|i| told.violation(i, scales)).collect();
            all.sort_by(f64::total_cmp);
            let place = (SHARE * all.len() as f64) as usize;
            all.get(place).copied().filter(|v| v.is_finite()).unwrap_or(0.0) // eq. (1)
        });
        let end = self.budget.map_or(EVALUATIONS * told.dim as f64, |budget| SHARE * budget as f64).max(1.0);
        let level = first * (1.0 - self.spent as f64 / end).max(0.0).powi(5); // eq. (2)
        for (i, out) in out.iter_mut().enumerate() {
            if told.violation(i, scales) <= level {
                *out = told.values[i];
            }
        }
        self.spent += told.values.len() as u64;
    }
}
