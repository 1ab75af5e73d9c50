//! Differential evolution, rand/1/bin.
//!
//! Paper: Storn and Price, "Differential evolution: a simple and efficient heuristic for global optimization over
//! continuous spaces" (J. Global Optimization 1997):
//!
//! ```text
//! mutant   u = y_r1 + F (y_r2 - y_r3),   r1, r2, r3 distinct and not i
//! trial    x_j = u_j where rand_j < CR or j = jrand, else y_ij
//! survival y_i <- x if E(x) <= E(y_i)
//! ```
//!
//! Differs from the paper: none. All trials of an iteration come from the same population.

use crate::parameters::parameters;
use crate::particle::{Motion, Remembered, Swarm};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Real, Result, Rng, Space};

parameters! {
    /// Parameters of [`De`].
    pub struct Params {
        /// Size of the population.
        particles "NP": usize = 50, AtLeast(4.0);
        /// Weight of the difference.
        weight "F": f64 = 0.5, Within(0.0, 2.0);
        /// Probability that a coordinate comes from the mutant.
        crossover "CR": f64 = 0.9, Within(0.0, 1.0);
    }
}

/// Differential evolution: y is the population, x the trials.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct De {
    params: Params,
}

impl<F: Real> Motion<F> for De {
    const NAME: &'static str = "de";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        if params.particles < 4 {
            return Err(Error::parameter("particles", params.particles, "must be at least 4 for rand/1"));
        }
        Ok(De { params })
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
        for i in 0..n {
            let mut draws = picks.row(i);
            let [r1, r2, r3] = others(i, n, |len| draws.below(len)).map(|r| swarm.y.row(r));
            let jrand = draws.below(dim);
            let (x, y) = (swarm.x.row_mut(i), swarm.y.row(i));
            crosses.row(i).fill_uniform(x); // the draws stand where the trial will
            for j in 0..dim {
                x[j] = if x[j] < rate || j == jrand { r1[j] + weight * (r2[j] - r3[j]) } else { y[j] };
            }
            space.repair(x, 0, &mut outside.row(i));
        }
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_no_worse();
        Remembered::Done
    }
}

/// `K` different numbers from `0..n` without `i`, in random order: each pick is swapped out of the list of candidates,
/// which is never written down.
pub(crate) fn others<const K: usize>(i: usize, n: usize, mut below: impl FnMut(usize) -> usize) -> [usize; K] {
    let mut moved: [(usize, usize); K] = [(usize::MAX, 0); K];
    std::array::from_fn(|k| {
        let last = n - 2 - k;
        let place = below(last + 1);
        // What stands at a place of the shrinking list: what was moved there last, else the candidate itself.
        let at = |place: usize, moved: &[(usize, usize)]| {
            moved.iter().rev().find(|(p, _)| *p == place).map_or(place + usize::from(place >= i), |(_, c)| *c)
        };
        let pick = at(place, &moved[..k]);
        moved[k] = (place, at(last, &moved[..k]));
        pick
    })
}

#[cfg(test)]
mod tests {
    use super::others;

    #[test]
    fn others_are_picked_like_swap_remove() {
        for seed in 0..500u64 {
            let (n, i) = (4 + (seed % 7) as usize, (seed % 4) as usize);
            let mut state = seed;
            let mut below = move |len: usize| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 33) as usize % len
            };
            let mut same = below;
            let picked: [usize; 3] = others(i, n, &mut below);
            let mut list: Vec<usize> = (0..n).filter(|&k| k != i).collect();
            let expected: Vec<usize> = (0..3).map(|_| list.swap_remove(same(list.len()))).collect();
            assert_eq!(picked.to_vec(), expected);
        }
    }
}
