//! OpenAI-ES: Adam on the gradient of a smoothed objective, for very many variables.
//!
//! Paper: Salimans, Ho, Chen, Sidor and Sutskever, "Evolution strategies as a scalable alternative to reinforcement learning"
//! (arXiv 1703.03864, 2017), with mirrored sampling, rank shaping and Adam (Kingma and Ba 2015):
//!
//! ```text
//! x_k = theta + sigma e_k,  e_k ~ N(0, I) in mirrored pairs
//! g     = 1 / (lambda sigma) sum u_k e_k,   u_k: 1/2 for the best, .., -1/2 for the worst
//! theta <- theta + Adam(g, alpha)
//! ```
//!
//! alpha is given as a multiple of sigma, so that it has no unit. sigma may shrink by a constant factor an iteration.
//!
//! Differs from the paper: the first population holds the initial theta itself, and an odd one has a last point without a
//! mirror; weight decay is the objective's business; the shrinking sigma (1, the default, is the paper's constant one).

use super::{Distribution, Samples, Told, centred_ranks, draw_mirrored, seen};
use crate::gradient::rule::{Adam, Rule};
use crate::linear::rows::add_rows;
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, Rng, View};

parameters! {
    /// Parameters of [`OpenEs`].
    pub struct Params {
        /// Population, mirrored pairs.
        particles "lambda": usize = 40, AtLeast(2.0);
        /// Standard deviation as a share of the width of the box; without bounds 0.3 is the deviation of the start's law.
        sigma "sigma": f64 = 0.02, Above(0.0);
        /// Factor of sigma an iteration.
        decay "": f64 = 1.0, Within(0.0, 1.0);
        /// Learning rate of Adam, the length of its steps, as a multiple of sigma.
        learning_rate "alpha / sigma": f64 = 0.5, Above(0.0);
        /// Share of the old mean gradient in the new one (Adam).
        beta1 "beta1": f64 = 0.9, Below(0.0, 1.0);
        /// Share of the old mean square in the new one (Adam).
        beta2 "beta2": f64 = 0.999, Below(0.0, 1.0);
    }
}

/// The state of OpenAI-ES.
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenEs {
    params: Params,
    ranks: Vec<f64>,
    adam: Adam<f64>,
    mean: Vec<f64>,
    sigma: f64,
    #[serde(skip)]
    draws: Matrix<f64>,
    #[serde(skip)]
    gradient: Vec<f64>,
    #[serde(skip)]
    step: Vec<f64>,
}

/// OpenAI-ES as an algorithm.
pub type OpenEsSamples<F> = Samples<F, OpenEs>;

impl Distribution for OpenEs {
    const NAME: &'static str = "open_es";
    type Params = Params;

    fn numbers(params: &Params, dim: usize) -> f64 {
        super::points(params.particles, dim)
    }

    fn new(params: Params, _dim: usize) -> Result<Self> {
        // Adam makes steps of length 1 here; alpha comes afterwards.
        let mut adam = Adam::new(1.0);
        (adam.beta1, adam.beta2) = (params.beta1, params.beta2);
        let ranks = centred_ranks(params.particles);
        let (draws, gradient, step) = (Matrix::default(), Vec::new(), Vec::new());
        Ok(OpenEs { params, ranks, adam, mean: Vec::new(), sigma: 0.0, draws, gradient, step })
    }

    fn verify(&self, dim: usize, _begun: bool) -> Result<()> {
        saved::parameters(&self.params)?;
        self.adam.verify(dim)?;
        saved::length("ranks", &self.ranks, self.params.particles)
    }

    fn population(&self) -> usize {
        self.params.particles
    }

    fn spread(&self) -> f64 {
        self.params.sigma
    }

    fn begin(&mut self, mean: Vec<f64>, deviation: f64) {
        self.mean = mean;
        self.sigma = deviation;
    }

    fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn mean_mut(&mut self) -> &mut [f64] {
        &mut self.mean
    }

    fn covariance(&self, j: usize, k: usize) -> f64 {
        if j == k { self.sigma * self.sigma } else { 0.0 }
    }

    fn unit(&self) -> f64 {
        self.sigma
    }

    fn sample(&mut self, rng: &Rng, steps: &mut Matrix<f64>) {
        draw_mirrored(&rng.fork("z"), &mut self.draws, steps);
    }

    fn update(&mut self, told: Told<'_>) {
        let lambda = self.params.particles as f64;
        for room in [&mut self.gradient, &mut self.step] {
            room.clear();
            room.resize(self.mean.len(), 0.0);
        }
        // The gradient downwards is minus g; the factor 1 / sigma is nothing to Adam but for its epsilon.
        let scale = -1.0 / (lambda * self.sigma);
        add_rows(&mut self.gradient, told.order.len(), |k| (scale * self.ranks[k], told.steps.row(told.order[k])));
        self.adam.step(&mut self.step, &self.gradient);
        let alpha = self.params.learning_rate * self.sigma;
        self.mean.iter_mut().zip(&self.step).for_each(|(m, step)| *m += alpha * step);
        self.sigma *= self.params.decay;
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.vectors.extend(seen("mean", &self.mean));
        view.numbers.push(("sigma", self.sigma));
    }
}
