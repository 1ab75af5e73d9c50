//! Breeding: offspring of a population by simulated binary crossover and polynomial mutation. Shared by the genetic algorithm and by
//! the methods of several objectives.
//!
//! ```text
//! parents    two of the population for each pair of offspring, as the method chooses
//! crossover  with probability p_c, each variable with probability 1/2: children 1/2 [(1 +- beta) p1 + (1 -+ beta) p2],
//!            beta by SBX with index eta_c, exchanged with probability 1/2
//! mutation   each variable with probability p_m = 1/d: polynomial with index eta_m
//! ```

use super::cross::sbx;
use super::mutate::polynomial;
use swarmgrad_core::{Draws, Matrix, Real, Rng, Space};

/// How offspring differ from their parents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// p_c: probability that a pair of parents is crossed.
    pub crossover: f64,
    /// Index of crossover.
    pub eta_c: f64,
    /// p_m: probability that a variable is mutated; 1 / d where there is none.
    pub mutation: Option<f64>,
    /// Index of mutation.
    pub eta_m: f64,
}

/// Fills the rows of `offspring`, of the right size already, with children of the rows of `population` that `choose` names.
pub fn breed<F: Real>(
    law: &Law,
    space: &Space<F>,
    rng: &Rng,
    population: &Matrix<F>,
    choose: impl Fn(&mut Draws<'_>) -> usize,
    offspring: &mut Matrix<F>,
) {
    let dim = population.dim();
    let [pair, which, spread, mutate, outside] =
        ["pair", "which", "spread", "mutate", "outside"].map(|label| rng.fork(label));
    let rate = F::of(law.mutation.unwrap_or(1.0 / dim as f64));
    let (eta_c, eta_m) = (F::of(law.eta_c), F::of(law.eta_m));
    for (k, children) in offspring.data_mut().chunks_mut(2 * dim).enumerate() {
        let mut draws = pair.row(k);
        let [p1, p2] = [(); 2].map(|()| population.row(choose(&mut draws)));
        let crossed = draws.uniform() < law.crossover;
        let (first, second) = children.split_at_mut(dim);
        let (mut which, mut spread) = (which.row(k), spread.row(k));
        for j in 0..dim {
            let (lower, upper) = (space.lower()[j], space.upper()[j]);
            let (u, v) = (which.uniform(), spread.uniform());
            let (c1, c2) = if crossed && u < 0.5 {
                let (small, large) = sbx(p1[j], p2[j], F::of(v), eta_c, lower, upper);
                // A child stays on the side of its parent, unless the children are exchanged.
                if (p1[j] <= p2[j]) == (u < 0.25) { (small, large) } else { (large, small) }
            } else {
                (p1[j], p2[j])
            };
            first[j] = c1;
            if let Some(second) = second.get_mut(j) {
                *second = c2;
            }
        }
        for (i, child) in children.chunks_exact_mut(dim).enumerate() {
            let mut draws = mutate.row(2 * k + i);
            for (j, y) in child.iter_mut().enumerate() {
                let u = F::of(draws.uniform());
                if u < rate {
                    // Below the rate, u / rate is uniform again.
                    *y = polynomial(*y, u / rate, eta_m, space.lower()[j], space.upper()[j]);
                }
            }
            space.repair(child, 0, &mut outside.row(2 * k + i));
        }
    }
}
