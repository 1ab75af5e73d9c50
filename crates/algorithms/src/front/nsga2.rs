//! NSGA-II.
//!
//! Paper: Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II" (IEEE TEC 2002):
//!
//! ```text
//! fitness    the front of an individual (less violation first, then Pareto's order), then the crowding distance    section III
//! parents    the winners of two binary tournaments, for each pair of offspring
//! offspring  SBX and polynomial mutation, cut at the bounds
//! survival   of parents and offspring the first fronts; of the front that fits in no more the ones with most distance
//! ```
//!
//! Differs from the paper: eta_c is 15 as in later programs of its authors' school, where the paper takes 20; an archive of the best points of all that were evaluated is the answer; the population does not see it.

use super::dominance::crowding;
use super::evolving::{Fitness, Survival, by_front};
use crate::evolution::breed::Law;
use crate::parameters::parameters;
use serde::{Deserialize, Serialize};
use swarmgrad_core::Rows;

parameters! {
    /// Parameters of [`Nsga2`].
    pub struct Params {
        /// Size of the population, N.
        particles "N": usize = 100, AtLeast(2.0);
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

/// Fronts and crowding distances.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Nsga2 {
    params: Params,
}

impl Survival for Nsga2 {
    const NAME: &'static str = "nsga2";
    type Params = Params;

    fn new(params: Params) -> Self {
        Nsga2 { params }
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn offspring(&self) -> usize {
        self.params.particles
    }

    fn archive(&self) -> usize {
        self.params.archive
    }

    fn law(&self) -> Law {
        let Params { crossover, eta_c, mutation, eta_m, .. } = self.params;
        Law { crossover, eta_c, mutation, eta_m }
    }

    fn survivors(&self, f: Rows<'_, f64>, violation: &[f64], keep: usize) -> (Vec<usize>, Vec<Fitness>) {
        let (mut order, mut fitness) = by_front(f, violation);
        let ranks: Vec<f64> = fitness.iter().map(|[rank, _]| *rank).collect();
        for front in order.chunk_by(|&a, &b| ranks[a] == ranks[b]) {
            front.iter().zip(crowding(f, front)).for_each(|(&i, distance)| fitness[i][1] = -distance);
        }
        // The crowded comparison, of equals the first.
        order.sort_by(|&a, &b| fitness[a][0].total_cmp(&fitness[b][0]).then(fitness[a][1].total_cmp(&fitness[b][1])));
        order.truncate(keep);
        (order, fitness)
    }
}
