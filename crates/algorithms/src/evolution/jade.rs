//! JADE: differential evolution that learns its two numbers, with an archive.
//!
//! Paper: Zhang and Sanderson, "JADE: adaptive differential evolution with optional external archive" (IEEE TEC 2009). Beside
//! what [`super::adaptive`] says:
//!
//! ```text
//! mu_CR <- (1 - c) mu_CR + c mean_A(S_CR)
//! mu_F  <- (1 - c) mu_F  + c mean_L(S_F),   mean_L(S_F) = sum F^2 / sum F
//! ```
//!
//! both 0.5 at first; the pbest is one of the best 100 p %; the archive has as many members as the population.
//!
//! Differs from the paper: its populations, 30 up to 10 variables, 100 for 30 and 400 for 100, are joined by
//! max(30, 10 d / 3); among the best are at least two; a trial that is as good as its parent replaces it, but is no success.

use super::adaptive::{Adaptive, Control, Dice, Law, Stage, Successes, best};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::Result;

parameters! {
    /// Parameters of [`Jade`].
    pub struct Params {
        /// Size of the population; null for max(30, 10 d / 3).
        particles "NP": Option<usize> = None, AtLeast(4.0);
        /// Rate at which the means learn.
        learning "c": f64 = 0.1, Within(0.0, 1.0);
        /// Share of the population that counts as the best.
        best "p": f64 = 0.05, Within(0.0, 1.0);
    }
}

/// JADE with archive.
pub type Jade<F> = Adaptive<F, Means>;

/// mu_F and mu_CR.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Means {
    params: Params,
    population: usize,
    weight: f64,
    rate: f64,
}

impl Law for Means {
    const NAME: &'static str = "jade";
    const UNIFORMS: usize = 0;
    type Params = Params;

    fn new(params: Params, dim: usize, _budget: Option<u64>) -> Result<Self> {
        let population = params.particles.unwrap_or_else(|| (10 * dim).div_ceil(3).max(30));
        Ok(Means { params, population, weight: 0.5, rate: 0.5 })
    }

    fn verify(&self) -> Result<()> {
        saved::parameters(&self.params)
    }

    fn population(&self, _evaluations: u64) -> usize {
        self.population
    }

    fn archive(&self, population: usize) -> usize {
        population
    }

    fn control(&self, stage: Stage, _uniforms: &[f64], dice: &Dice<'_>) -> Control {
        let (weight, rate) = (dice.weight(self.weight), dice.rate(Some(self.rate)));
        Control { weight, pull: weight, rate, best: best(self.params.best, stage), another: false }
    }

    fn learn(&mut self, successes: &Successes) {
        let c = self.params.learning;
        let (f, cr) = (&successes.weights, &successes.rates);
        let lehmer = f.iter().map(|f| f * f).sum::<f64>() / f.iter().sum::<f64>();
        let mean = cr.iter().sum::<f64>() / cr.len() as f64;
        self.rate = (1.0 - c) * self.rate + c * mean;
        self.weight = (1.0 - c) * self.weight + c * lehmer;
    }

    fn means(&self) -> (f64, f64) {
        (self.weight, self.rate)
    }
}
