//! Separable natural evolution strategy: a mean and a deviation for each coordinate, moved along the natural gradient.
//!
//! Paper: Schaul, Glasmachers and Schmidhuber, "High dimensions and heavy tails for natural evolution strategies" (GECCO
//! 2011); Wierstra et al., "Natural evolution strategies" (JMLR 2014), algorithm 6 and table 1:
//!
//! ```text
//! x_k = mu + sigma s_k,  s_k ~ N(0, I)
//! mu    <- mu + sigma sum u_k s_k                       (eta_mu = 1)
//! sigma <- sigma exp(eta / 2 sum u_k (s_k^2 - 1)),      eta = (3 + ln d) / (5 sqrt d)
//! u_k   = max(0, ln(lambda / 2 + 1) - ln k) / sum - 1 / lambda   for the k-th best
//! ```
//!
//! Points that do not come from the distribution (given, brought back inside, or improved by the caller) have their steps
//! shortened to |s| <= sqrt(d) + 2 d / (d + 2), as in [`super::cma_es`]: sigma learns from squares of steps.
//!
//! Differs from the paper: the first population holds the initial mean itself, and the steps shortened.

use super::{Distribution, Samples, Steered, Told, draw_normals, natural_weights, seen, shortening, usual_population};
use crate::linear::rows::add_rows;
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, Rng, View, math};

parameters! {
    /// Parameters of [`Snes`].
    pub struct Params {
        /// Population; null for 4 + floor(3 ln d).
        particles "lambda": Option<usize> = None, AtLeast(2.0);
        /// Initial standard deviation as a share of the width of the box; without bounds 0.3 is the deviation of the start's law.
        sigma "sigma": f64 = 0.3, Above(0.0);
        /// Learning rate of the deviations; null for (3 + ln d) / (5 sqrt d).
        eta "eta_sigma": Option<f64> = None, Above(0.0);
    }
}

/// The state of SNES.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snes {
    params: Params,
    weights: Vec<f64>,
    eta: f64,
    mean: Vec<f64>,
    sigma: Vec<f64>,
    #[serde(skip)]
    gradient: Vec<f64>,
}

impl Snes {
    /// The deviations of the coordinates.
    pub fn sigma(&self) -> &[f64] {
        &self.sigma
    }

    /// Weights of the samples that the mean moves by, from the best on.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The weights of the paper.
    pub fn usual_weights(&self) -> Vec<f64> {
        natural_weights(self.weights.len())
    }

    /// Sets the weights for the next update, as many as there are.
    pub fn set_weights(&mut self, weights: &[f64]) {
        self.weights.copy_from_slice(weights);
    }

    /// Learning rate of the deviations.
    pub fn eta(&self) -> f64 {
        self.eta
    }
}

/// SNES as an algorithm.
pub type SnesSamples<F> = Samples<F, Snes>;

impl Distribution for Snes {
    const NAME: &'static str = "snes";
    type Params = Params;

    fn numbers(params: &Params, dim: usize) -> f64 {
        super::points(params.particles.unwrap_or(usual_population(dim)), dim)
    }

    fn new(params: Params, dim: usize) -> Result<Self> {
        let lambda = params.particles.unwrap_or(usual_population(dim));
        let n = dim as f64;
        let eta = params.eta.unwrap_or((3.0 + math::ln(n)) / (5.0 * n.sqrt()));
        let weights = natural_weights(lambda);
        Ok(Snes { params, weights, eta, mean: Vec::new(), sigma: Vec::new(), gradient: Vec::new() })
    }

    fn verify(&self, dim: usize, begun: bool) -> Result<()> {
        saved::parameters(&self.params)?;
        if begun { saved::length("sigma", &self.sigma, dim) } else { Ok(()) }
    }

    fn population(&self) -> usize {
        self.weights.len()
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
        draw_normals(&rng.fork("z"), steps);
        for y in steps.iter_mut() {
            y.iter_mut().zip(&self.sigma).for_each(|(y, sigma)| *y *= sigma);
        }
    }

    fn update(&mut self, told: Told<'_>) {
        let lambda = self.weights.len();
        for &i in told.changed {
            let step = told.steps.row_mut(i);
            let squares = step.iter().zip(&self.sigma).map(|(y, sigma)| (y / sigma).powi(2));
            let factor = shortening(squares.sum::<f64>().sqrt(), step.len());
            step.iter_mut().for_each(|y| *y *= factor);
        }
        let sorted = |k: usize| told.steps.row(told.order[k]);
        add_rows(&mut self.mean, lambda, |k| (self.weights[k], sorted(k)));
        self.gradient.clear();
        self.gradient.resize(self.sigma.len(), 0.0);
        for (k, u) in self.weights.iter().enumerate() {
            for ((g, y), sigma) in self.gradient.iter_mut().zip(sorted(k)).zip(&self.sigma) {
                let s = y / sigma;
                *g += u * (s * s - 1.0);
            }
        }
        self.sigma.iter_mut().zip(&self.gradient).for_each(|(sigma, g)| *sigma *= math::exp(0.5 * self.eta * g));
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.vectors.extend(seen("mean", &self.mean));
        view.vectors.extend(seen("sigma", &self.sigma));
    }
}

impl Steered for Snes {
    fn steer(&mut self, mean: &[f64], growth: f64) {
        self.mean.copy_from_slice(mean);
        self.sigma.iter_mut().for_each(|sigma| *sigma *= growth);
    }

    fn multiply(&self, g: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(g).zip(&self.sigma).for_each(|((o, g), sigma)| *o = sigma * sigma * g);
    }

    fn variances(&self, out: &mut [f64]) {
        out.iter_mut().zip(&self.sigma).for_each(|(o, sigma)| *o = sigma * sigma);
    }
}
