//! jSO: L-SHADE with bounds on its numbers that loosen as the budget is spent.
//!
//! Paper: Brest, Maucec and Boskovic, "Single objective real-parameter optimization: algorithm jSO" (CEC 2017). Beside what
//! [`super::adaptive`] and [`super::lshade`] say, s being the share of the budget that is spent:
//!
//! ```text
//! v_i = y_i + Fw (y_pbest - y_i) + F (y_r1 - y~_r2),   Fw = 0.7 F if s < 0.2, 0.8 F if s < 0.4, else 1.2 F
//! entry H of the memory is (0.9, 0.9) for ever; the others begin at (0.3, 0.8) and go half way to the new means
//! CR >= 0.7 if s < 0.25, CR >= 0.6 if s < 0.5;   F <= 0.7 if s < 0.6
//! p falls in a line from p_max to p_max / 2;   N_init = 25 ln(d) sqrt(d);   the archive has N members
//! ```
//!
//! Differs from the paper: as in the authors' program p falls, and the pbest is not the parent itself while s < 0.5; N_init is
//! at least ten (the formula gives 0 for d = 1) and falls with the budget as in L-SHADE.

use super::adaptive::{Adaptive, Control, Dice, History, Law, Plan, Stage, Successes, best};
use super::select::one_of;
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Result, math};

parameters! {
    /// Parameters of [`Jso`].
    pub struct Params {
        /// Size of the first population; null for 25 ln(d) sqrt(d) sqrt(budget / (10^4 d)), at most 25 ln(d) sqrt(d).
        particles "N_init": Option<usize> = None, AtLeast(4.0);
        /// Entries of the memory; the last is fixed.
        memory "H": usize = 5, Within(1.0, 1e6);
        /// Share of the population that counts as the best, at first.
        best "p_max": f64 = 0.25, Within(0.0, 1.0);
    }
}

/// jSO.
pub type Jso<F> = Adaptive<F, Loosening>;

/// The success history and the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Loosening {
    params: Params,
    plan: Plan,
    history: History,
}

impl Law for Loosening {
    const NAME: &'static str = "jso";
    const UNIFORMS: usize = 1;
    type Params = Params;

    fn new(params: Params, dim: usize, budget: Option<u64>) -> Result<Self> {
        let d = dim as f64;
        let history = History::new(params.memory, 0.3, 0.8);
        Ok(Loosening { plan: Plan::new(params.particles, 25.0 * math::ln(d) * d.sqrt(), dim, budget), params, history })
    }

    fn verify(&self) -> Result<()> {
        saved::parameters(&self.params)?;
        self.history.verify()
    }

    fn population(&self, evaluations: u64) -> usize {
        self.plan.population(evaluations)
    }

    fn archive(&self, population: usize) -> usize {
        population
    }

    fn control(&self, stage: Stage, uniforms: &[f64], dice: &Dice<'_>) -> Control {
        let spent = self.plan.spent(stage.evaluations);
        let r = one_of(self.history.len(), uniforms[0]);
        let fixed = r + 1 == self.history.len();
        let (weight, rate) = if fixed { (0.9, Some(0.9)) } else { self.history.entry(r) };
        let rate = dice.rate(rate).max(if spent < 0.25 {
            0.7
        } else if spent < 0.5 {
            0.6
        } else {
            0.0
        });
        let weight = dice.weight(weight).min(if spent < 0.6 { 0.7 } else { 1.0 });
        let pull = if spent < 0.2 {
            0.7
        } else if spent < 0.4 {
            0.8
        } else {
            1.2
        };
        let p = self.params.best * (1.0 - spent / 2.0);
        Control { weight, pull: pull * weight, rate, best: best(p, stage), another: spent < 0.5 }
    }

    fn learn(&mut self, successes: &Successes) {
        self.history.write(|weight, rate| {
            let new = rate.zip(successes.lehmer_rate());
            ((weight + successes.lehmer_weight()) / 2.0, new.map(|(old, new)| (old + new) / 2.0))
        });
    }

    fn means(&self) -> (f64, f64) {
        self.history.means()
    }
}
