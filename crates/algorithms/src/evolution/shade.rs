//! SHADE: differential evolution that remembers what succeeded.
//!
//! Paper: Tanabe and Fukunaga, "Success-history based parameter adaptation for differential evolution" (CEC 2013). Beside
//! what [`super::adaptive`] says:
//!
//! ```text
//! mu_F = M_F,r   mu_CR = M_CR,r   for a random entry r of the H that are remembered
//! M_CR,k <- mean_WA(S_CR),  M_F,k <- mean_WL(S_F),  k <- k + 1 modulo H    (weights: the gains)
//! p_i = rand[2 / N, 0.2]
//! ```
//!
//! All entries are 0.5 at first; the archive has as many members as the population.
//!
//! Differs from the paper: none.

use super::adaptive::{Adaptive, Control, Dice, History, Law, Stage, Successes, best};
use super::select::one_of;
use crate::parameters::parameters;
use serde::{Deserialize, Serialize};
use swarmgrad_core::Result;

parameters! {
    /// Parameters of [`Shade`].
    pub struct Params {
        /// Size of the population.
        particles "N": usize = 100, AtLeast(4.0);
        /// Entries of the memory.
        memory "H": usize = 100, Within(1.0, 1e6);
    }
}

/// SHADE.
pub type Shade<F> = Adaptive<F, Remembering>;

/// The success history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Remembering {
    population: usize,
    history: History,
}

impl Law for Remembering {
    const NAME: &'static str = "shade";
    const UNIFORMS: usize = 2;
    type Params = Params;

    fn new(params: Params, _dim: usize, _budget: Option<u64>) -> Result<Self> {
        Ok(Remembering { population: params.particles, history: History::new(params.memory, 0.5, 0.5) })
    }

    fn verify(&self) -> Result<()> {
        self.history.verify()
    }

    fn population(&self, _evaluations: u64) -> usize {
        self.population
    }

    fn archive(&self, population: usize) -> usize {
        population
    }

    fn control(&self, stage: Stage, uniforms: &[f64], dice: &Dice<'_>) -> Control {
        let (weight, rate) = self.history.entry(one_of(self.history.len(), uniforms[0]));
        let (weight, rate) = (dice.weight(weight), dice.rate(rate));
        let least = 2.0 / stage.population as f64;
        let p = least + uniforms[1] * (0.2 - least);
        Control { weight, pull: weight, rate, best: best(p, stage), another: false }
    }

    fn learn(&mut self, successes: &Successes) {
        self.history.write(|_, _| (successes.lehmer_weight(), Some(successes.mean_rate())));
    }

    fn means(&self) -> (f64, f64) {
        self.history.means()
    }
}
