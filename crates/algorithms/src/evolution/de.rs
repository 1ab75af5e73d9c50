//! Differential evolution: mutation rand/1 or current-to-pbest/1, crossover binomial or exponential.
//!
//! Papers: Storn and Price, "Differential evolution: a simple and efficient heuristic for global optimization over
//! continuous spaces" (J. Global Optimization 1997); Zhang and Sanderson (IEEE TEC 2009) for current-to-pbest/1:
//!
//! ```text
//! mutant   u = y_r1 + F (y_r2 - y_r3)                        rand/1: r1, r2, r3 distinct and not i
//!          u = y_i + F (y_pbest - y_i) + F (y_r1 - y_r2)     current-to-pbest/1: pbest one of the best 100 p %
//! trial    x_j = u_j where rand_j < CR or j = jrand, else y_ij                          binomial
//!          x_j = u_j for j = jrand, jrand + 1, ... while rand < CR, else y_ij           exponential
//! survival y_i <- x if E(x) <= E(y_i)
//! ```
//!
//! Differs from the papers: none. All trials of an iteration come from the same population.

use super::cross::exponential;
use super::mutate::{current_to_pbest_1, rand_1};
use super::select::{best_share, others, rank};
use crate::parameters::{choice, parameters};
use crate::particle::{Motion, Remembered, Swarm};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result, Rng, Space};

choice! {
    /// How the mutant is made.
    pub enum Mutation {
        /// From three random individuals.
        Rand = "rand",
        /// From the parent, one of the best and two random individuals.
        CurrentToPbest = "current_to_pbest",
    }
}

choice! {
    /// Which coordinates of the trial come from the mutant.
    pub enum Recombination {
        /// Each by itself with probability CR.
        Binomial = "binomial",
        /// A run of neighbours that goes on with probability CR.
        Exponential = "exponential",
    }
}

parameters! {
    /// Parameters of [`De`].
    pub struct Params {
        /// Size of the population.
        particles "NP": usize = 50, AtLeast(4.0);
        /// Weight of the difference.
        weight "F": f64 = 0.5, Within(0.0, 2.0);
        /// Probability that a coordinate comes from the mutant.
        crossover "CR": f64 = 0.9, Within(0.0, 1.0);
        /// How the mutant is made.
        mutation "": Mutation = Mutation::Rand, Choice(Mutation::WORDS);
        /// Which coordinates come from the mutant.
        recombination "": Recombination = Recombination::Binomial, Choice(Recombination::WORDS);
        /// Share of the population that counts as the best, for current_to_pbest.
        best "p": f64 = 0.1, Within(0.0, 1.0);
    }
}

/// Differential evolution: y is the population, x the trials.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct De {
    params: Params,
    #[serde(skip)]
    order: Vec<usize>,
}

impl<F: Real> Motion<F> for De {
    const NAME: &'static str = "de";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        Ok(De { params, order: Vec::new() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::holds("population", swarm.len() >= 4, "must be at least 4")?;
        swarm.verify_remembers()
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, _swarm: &mut Swarm<F>) {}

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.len(), swarm.dim());
        let (picks, crosses, outside) = (rng.fork("pick"), rng.fork("cross"), rng.fork("outside"));
        let (weight, rate) = (F::of(self.params.weight), F::of(self.params.crossover));
        let best = best_share(self.params.best, n);
        if self.params.mutation == Mutation::CurrentToPbest {
            rank(&swarm.fy, best, &mut self.order);
        }
        for i in 0..n {
            let mut draws = picks.row(i);
            let (x, y) = (swarm.x.row_mut(i), swarm.y.row(i));
            crosses.row(i).fill_uniform(x); // the draws stand where the trial will
            match self.params.mutation {
                Mutation::Rand => {
                    let [r1, r2, r3] = others(i, n, |len| draws.below(len)).map(|r| swarm.y.row(r));
                    let mutant = |j: usize| rand_1(weight, [r1[j], r2[j], r3[j]]);
                    recombine(self.params.recombination, rate, draws.below(dim), x, y, mutant);
                }
                Mutation::CurrentToPbest => {
                    let pbest = swarm.y.row(self.order[draws.below(best)]);
                    let [r1, r2] = others(i, n, |len| draws.below(len)).map(|r| swarm.y.row(r));
                    let mutant = |j: usize| current_to_pbest_1(y[j], [weight, weight], [pbest[j], r1[j], r2[j]]);
                    recombine(self.params.recombination, rate, draws.below(dim), x, y, mutant);
                }
            }
            space.repair(x, 0, &mut outside.row(i));
        }
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_no_worse();
        Remembered::Done
    }
}

impl De {
    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Sets F and CR; they hold from the next move on.
    pub fn set_law(&mut self, weight: f64, crossover: f64) {
        (self.params.weight, self.params.crossover) = (weight, crossover);
    }

    /// The individuals that counted as the best in the last move, where the mutation has a pbest.
    pub fn best(&self) -> &[usize] {
        &self.order
    }
}

/// Writes a trial over its draws: coordinates of the mutant, `start` for sure, and of the parent.
#[inline(always)]
fn recombine<F: Real>(kind: Recombination, rate: F, start: usize, x: &mut [F], y: &[F], mutant: impl Fn(usize) -> F) {
    let dim = x.len();
    match kind {
        Recombination::Binomial => {
            for j in 0..dim {
                x[j] = if x[j] < rate || j == start { mutant(j) } else { y[j] };
            }
        }
        Recombination::Exponential => {
            let run = exponential(x, rate);
            for k in 0..dim {
                let j = if start + k < dim { start + k } else { start + k - dim };
                x[j] = if k < run { mutant(j) } else { y[j] };
            }
        }
    }
}
