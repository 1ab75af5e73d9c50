//! A plain genetic algorithm for real numbers.
//!
//! Papers: Deb and Agrawal, "Simulated binary crossover for continuous search space" (Complex Systems 1995); Deb and Goyal,
//! "A combined genetic adaptive search (GeneAS) for engineering design" (Computer Science and Informatics 1996); survival
//! (mu + lambda) of Schwefel's evolution strategies, lambda = mu:
//!
//! ```text
//! parents    the winners of two binary tournaments, for each pair of offspring
//! crossover  with probability p_c, each variable with probability 1/2: children 1/2 [(1 +- beta) p1 + (1 -+ beta) p2],
//!            beta by SBX with index eta_c, exchanged with probability 1/2
//! mutation   each variable with probability p_m = 1/d: polynomial with index eta_m
//! survival   the best mu of parents and offspring, offspring before parents that are as good
//! ```
//!
//! Differs from the papers: both laws are cut at the bounds, as in Deb's later programs; a variable without two finite
//! bounds is mutated in units of max(1, |y|).

use super::breed::{Law, breed};
use super::select::{rank, tournament};
use crate::parameters::parameters;
use crate::particle::{Motion, Remembered, Swarm};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Matrix, Real, Result, Rng, Space};

parameters! {
    /// Parameters of [`Ga`].
    pub struct Params {
        /// Size of the population, mu = lambda.
        particles "mu": usize = 100, AtLeast(2.0);
        /// Probability that a pair of parents is crossed.
        crossover "p_c": f64 = 0.9, Within(0.0, 1.0);
        /// Index of crossover; the larger, the closer the children stay to their parents.
        eta_c "eta_c": f64 = 15.0, AtLeast(0.0);
        /// Probability that a variable is mutated; null for 1 / d.
        mutation "p_m": Option<f64> = None, Within(0.0, 1.0);
        /// Index of mutation; the larger, the smaller the steps.
        eta_m "eta_m": f64 = 20.0, AtLeast(0.0);
    }
}

/// Genetic algorithm: y is the population, best first, x the offspring.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Ga<F: Real> {
    params: Params,
    #[serde(skip)]
    order: Vec<usize>,
    #[serde(skip)]
    values: Vec<F>,
    #[serde(skip)]
    survivors: Matrix<F>,
}

impl<F: Real> Ga<F> {
    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Sets p_c, eta_c, p_m and eta_m; they hold from the next move on.
    pub fn set_law(&mut self, [crossover, eta_c, mutation, eta_m]: [f64; 4]) {
        self.params = Params { crossover, eta_c, mutation: Some(mutation), eta_m, ..self.params.clone() };
    }

    /// Where the survivors came from, best first: the offspring are 0..n, the parents n..2n.
    pub fn survivors(&self) -> &[usize] {
        &self.order[..self.survivors.len()]
    }
}

impl<F: Real> Motion<F> for Ga<F> {
    const NAME: &'static str = "ga";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        Ok(Ga { params, order: Vec::new(), values: Vec::new(), survivors: Matrix::default() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::holds("population", swarm.len() >= 2, "must be at least 2")?;
        swarm.verify_remembers()
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, _swarm: &mut Swarm<F>) {}

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let Params { crossover, eta_c, mutation, eta_m, .. } = self.params;
        let law = Law { crossover, eta_c, mutation, eta_m };
        let choose = |draws: &mut Draws<'_>| tournament(&swarm.fy, |len| draws.below(len));
        breed(&law, space, rng, &swarm.y, choose, &mut swarm.x);
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        let n = swarm.len();
        self.values.clear();
        self.values.extend(swarm.fx.iter().chain(&swarm.fy));
        rank(&self.values, n, &mut self.order);
        self.survivors.resize(n, swarm.dim());
        for (rank, &i) in self.order[..n].iter().enumerate() {
            let point = if i < n { swarm.x.row(i) } else { swarm.y.row(i - n) };
            self.survivors.row_mut(rank).copy_from_slice(point);
            swarm.fy[rank] = self.values[i];
        }
        std::mem::swap(&mut swarm.y, &mut self.survivors);
        Remembered::Done
    }
}
