//! SMS-EMOA: selection by what a point contributes to the hypervolume.
//!
//! Paper: Beume, Naujoks and Emmerich, "SMS-EMOA: multiobjective selection based on dominated hypervolume" (EJOR 2007):
//!
//! ```text
//! parents    two individuals at random, or the winners of two tournaments by front and crowding distance
//! offspring  SBX and polynomial mutation, cut at the bounds
//! survival   of parents and offspring the first fronts; from the front that fits in no more the one that contributes least to the
//!            hypervolume is left out, again and again
//! ```
//!
//! Differs from the paper: parents win NSGA-II's tournaments unless one asks for the paper's; a round has several offspring, so that
//! they can be evaluated at a time; contributions are in units of the
//! front's extent, with the reference point a tenth of it beyond the worst values, where the paper takes the worst values and 1 and
//! keeps the ends of a front of two objectives; violation of constraints comes first; an archive of the best points of all that were
//! evaluated is the answer.

use super::dominance::crowding;
use super::evolving::{Fitness, Survival, better_of_two, by_front};
use super::hypervolume::most_volume;
use crate::evolution::breed::Law;
use crate::parameters::{choice, parameters};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Rows};

choice! {
    /// Who becomes a parent.
    pub enum Parents {
        /// The better of two by front, then by crowding distance.
        Tournament = "tournament",
        /// Anyone, as in the paper.
        Uniform = "uniform",
    }
}

parameters! {
    /// Parameters of [`SmsEmoa`].
    pub struct Params {
        /// Size of the population, mu.
        particles "mu": usize = 100, AtLeast(2.0);
        /// Offspring in a round, lambda; more are evaluated at a time, fewer come nearer with the same evaluations.
        offspring "lambda": usize = 10, AtLeast(1.0);
        /// Who becomes a parent.
        parents "": Parents = Parents::Tournament, Choice(Parents::WORDS);
        /// Probability that a pair of parents is crossed.
        crossover "p_c": f64 = 0.9, Within(0.0, 1.0);
        /// Index of crossover; the larger, the closer the children stay to their parents.
        eta_c "eta_c": f64 = 15.0, AtLeast(0.0);
        /// Probability that a variable is mutated; null for 1 / d.
        mutation "p_m": Option<f64> = None, Within(0.0, 1.0);
        /// Index of mutation; the larger, the smaller the steps.
        eta_m "eta_m": f64 = 20.0, AtLeast(0.0);
        /// Points of the front that are kept at most.
        archive "A": usize = 100, AtLeast(1.0);
    }
}

/// Fronts and contributions to the hypervolume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SmsEmoa {
    params: Params,
}

impl Survival for SmsEmoa {
    const NAME: &'static str = "sms_emoa";
    type Params = Params;

    fn new(params: Params) -> Self {
        SmsEmoa { params }
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn offspring(&self) -> usize {
        self.params.offspring.min(self.params.particles)
    }

    fn archive(&self) -> usize {
        self.params.archive
    }

    fn law(&self) -> Law {
        let Params { crossover, eta_c, mutation, eta_m, .. } = self.params;
        Law { crossover, eta_c, mutation, eta_m }
    }

    fn survivors(&self, f: Rows<'_, f64>, violation: &[f64], keep: usize) -> (Vec<usize>, Vec<Fitness>) {
        let (order, mut fitness) = by_front(f, violation);
        let ranks: Vec<f64> = fitness.iter().map(|[rank, _]| *rank).collect();
        let mut kept = Vec::with_capacity(keep);
        for front in order.chunk_by(|&a, &b| ranks[a] == ranks[b]) {
            if kept.len() == keep {
                break;
            }
            kept.extend(most_volume(f, front, keep - kept.len()));
            front.iter().zip(crowding(f, front)).for_each(|(&i, distance)| fitness[i][1] = -distance);
        }
        (kept, fitness)
    }

    fn parent(&self, fitness: &[Fitness], draws: &mut Draws<'_>) -> usize {
        match self.params.parents {
            Parents::Tournament => better_of_two(fitness, draws),
            Parents::Uniform => draws.below(fitness.len()),
        }
    }
}
