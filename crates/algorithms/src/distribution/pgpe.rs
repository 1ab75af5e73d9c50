//! PGPE: policy gradients with parameter-based exploration, a mean and a deviation for each of very many variables.
//!
//! Paper: Sehnke, Osendorfer, Rueckstiess, Graves, Peters and Schmidhuber, "Parameter-exploring policy gradients" (Neural
//! Networks 2010), with mirrored sampling (algorithm 2):
//!
//! ```text
//! x_k = mu + e_k,  e_k ~ N(0, diag(sigma^2)) in mirrored pairs
//! mu    <- mu + alpha_mu 2 / lambda sum u_k e_k
//! sigma <- sigma + alpha_sigma 2 / lambda sum u_k (e_k^2 - sigma^2) / sigma
//! ```
//!
//! The rewards u_k are centred ranks, 1/2 for the best, .., -1/2 for the worst, whose baseline is 0; a mirrored pair
//! adds (u+ - u-) e to the first sum and (u+ + u-) (e^2 - sigma^2) / sigma to the second, as in the paper.
//!
//! Differs from the paper: ranks instead of rewards less a moving baseline over the best reward; a deviation changes by
//! at most a fifth an iteration; the first population holds the initial mean itself, and an odd one has a last point
//! without a mirror.

use super::{Distribution, Samples, Told, centred_ranks, draw_mirrored, seen};
use crate::linear::rows::add_rows;
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, Rng, View};

parameters! {
    /// Parameters of [`Pgpe`].
    pub struct Params {
        /// Population, mirrored pairs.
        particles "lambda": usize = 40, AtLeast(2.0);
        /// Initial standard deviation as a share of the width of the box; without bounds 0.3 is the deviation of the start's law.
        sigma "sigma": f64 = 0.3, Above(0.0);
        /// Learning rate of the mean.
        mean_rate "alpha_mu": f64 = 1.0, Above(0.0);
        /// Learning rate of the deviations.
        sigma_rate "alpha_sigma": f64 = 0.2, AtLeast(0.0);
    }
}

/// The state of PGPE.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pgpe {
    params: Params,
    ranks: Vec<f64>,
    mean: Vec<f64>,
    sigma: Vec<f64>,
    #[serde(skip)]
    draws: Matrix<f64>,
    #[serde(skip)]
    gradient: Vec<f64>,
}

/// PGPE as an algorithm.
pub type PgpeSamples<F> = Samples<F, Pgpe>;

impl Distribution for Pgpe {
    const NAME: &'static str = "pgpe";
    type Params = Params;

    fn numbers(params: &Params, dim: usize) -> f64 {
        super::points(params.particles, dim)
    }

    fn new(params: Params, _dim: usize) -> Result<Self> {
        let ranks = centred_ranks(params.particles);
        let (draws, gradient) = (Matrix::default(), Vec::new());
        Ok(Pgpe { params, ranks, mean: Vec::new(), sigma: Vec::new(), draws, gradient })
    }

    fn verify(&self, dim: usize, begun: bool) -> Result<()> {
        saved::parameters(&self.params)?;
        saved::length("ranks", &self.ranks, self.params.particles)?;
        if begun { saved::length("sigma", &self.sigma, dim) } else { Ok(()) }
    }

    fn population(&self) -> usize {
        self.params.particles
    }

    fn spread(&self) -> f64 {
        self.params.sigma
    }

    fn begin(&mut self, mean: Vec<f64>, deviation: f64) {
        self.sigma = vec![deviation; mean.len()];
        self.mean = mean;
    }

    fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn mean_mut(&mut self) -> &mut [f64] {
        &mut self.mean
    }

    fn covariance(&self, j: usize, k: usize) -> f64 {
        if j == k { self.sigma[j] * self.sigma[j] } else { 0.0 }
    }

    fn sample(&mut self, rng: &Rng, steps: &mut Matrix<f64>) {
        draw_mirrored(&rng.fork("z"), &mut self.draws, steps);
        for e in steps.iter_mut() {
            e.iter_mut().zip(&self.sigma).for_each(|(e, sigma)| *e *= sigma);
        }
    }

    fn update(&mut self, told: Told<'_>) {
        let scale = 2.0 / self.params.particles as f64;
        let sorted = |k: usize| told.steps.row(told.order[k]);
        let rate = scale * self.params.mean_rate;
        add_rows(&mut self.mean, self.ranks.len(), |k| (rate * self.ranks[k], sorted(k)));
        self.gradient.clear();
        self.gradient.resize(self.mean.len(), 0.0);
        for (k, u) in self.ranks.iter().enumerate() {
            for ((g, e), sigma) in self.gradient.iter_mut().zip(sorted(k)).zip(&self.sigma) {
                let s = e / sigma;
                *g += u * (s * s - 1.0);
            }
        }
        let rate = scale * self.params.sigma_rate;
        self.sigma.iter_mut().zip(&self.gradient).for_each(|(sigma, g)| *sigma *= 1.0 + (rate * g).clamp(-0.2, 0.2));
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.vectors.extend(seen("mean", &self.mean));
        view.vectors.extend(seen("sigma", &self.sigma));
    }
}
