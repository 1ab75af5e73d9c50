//! What all consensus methods share: the consensus, and the schedules of its sharpness and of the diffusion.

use super::attractor::{alpha_for_sample_size, consensus};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, View};

/// The sharpness stays within these bounds when it follows the effective sample size.
const SHARPNESS: [f64; 2] = [1e-12, 1e15];

/// Alpha by the effective sample size: this share of the swarm.
pub(crate) fn sharpness<F: Real>(values: &[F], share: f64) -> f64 {
    alpha_for_sample_size(values, share, SHARPNESS[0], SHARPNESS[1])
}

/// How alpha and sigma change from iteration to iteration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Schedule {
    /// Factor of alpha in an iteration, up to `alpha_most`.
    pub(crate) alpha_factor: f64,
    pub(crate) alpha_most: f64,
    /// Alpha follows the effective sample size instead: this share of the swarm.
    pub(crate) sample_size: Option<f64>,
    /// Factor of sigma in an iteration.
    pub(crate) sigma_factor: f64,
}

/// The consensus and the numbers that hold now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Agreement<F: Real> {
    pub(crate) alpha: f64,
    pub(crate) sigma: f64,
    pub(crate) consensus: Vec<F>,
    schedule: Schedule,
}

impl<F: Real> Agreement<F> {
    /// Whether a state that was read back has a consensus in so many dimensions.
    pub(crate) fn verify(&self, dim: usize) -> Result<()> {
        saved::length("consensus", &self.consensus, dim)
    }

    pub(crate) fn new(alpha: f64, sigma: f64, schedule: Schedule) -> Self {
        Agreement { alpha, sigma, consensus: Vec::new(), schedule }
    }

    /// The first consensus. Before any value is finite the first point stands in.
    pub(crate) fn begin(&mut self, points: &Matrix<F>, values: &[F]) {
        self.consensus = points.row(0).to_vec();
        self.sharpen(values);
        self.agree(points, values);
    }

    /// The end of an iteration: the schedules, then the consensus of the new values.
    pub(crate) fn next(&mut self, points: &Matrix<F>, values: &[F]) {
        self.advance(values);
        self.agree(points, values);
    }

    /// The schedules alone.
    pub(crate) fn advance(&mut self, values: &[F]) {
        self.alpha = (self.alpha * self.schedule.alpha_factor).min(self.schedule.alpha_most.max(self.alpha));
        self.sigma *= self.schedule.sigma_factor;
        self.sharpen(values);
    }

    fn sharpen(&mut self, values: &[F]) {
        if let Some(share) = self.schedule.sample_size {
            self.alpha = sharpness(values, share);
        }
    }

    pub(crate) fn agree(&mut self, points: &Matrix<F>, values: &[F]) {
        consensus(points, values, self.alpha, 0..points.len(), &mut self.consensus);
    }

    pub(crate) fn show<'a>(&'a self, view: &mut View<'a, F>) {
        if !self.consensus.is_empty() {
            view.vectors.push(("g", &self.consensus));
        }
        view.numbers.extend([("alpha", self.alpha), ("sigma", self.sigma)]);
    }
}

/// Declares the parameters of a consensus method: its own, and those of the schedules, which all of them have.
macro_rules! consensus_parameters {
    (
        $(#[$outer:meta])*
        pub struct $Name:ident {
            sigma = $sigma:expr, alpha = $alpha:expr;
            $($rest:tt)*
        }
    ) => {
        $crate::parameters::parameters! {
            $(#[$outer])*
            pub struct $Name {
                /// Number of particles.
                particles "N": usize = 100, AtLeast(1.0);
                /// Diffusion.
                sigma "sigma": f64 = $sigma, AtLeast(0.0);
                /// Factor of sigma in each iteration.
                sigma_factor "": f64 = 1.0, Above(0.0);
                /// Sharpness of the consensus: 0 is the mean, infinity the best point.
                alpha "alpha": f64 = $alpha, AtLeastOrInfinite(0.0), with "crate::parameters::number";
                /// Factor of alpha in each iteration.
                alpha_factor "": f64 = 1.0, Above(0.0);
                /// Where the factor ends: alpha grows no further.
                alpha_most "": f64 = 1e15, AtLeastOrInfinite(0.0), with "crate::parameters::number";
                /// Alpha is chosen in each iteration so that the weights have this share of the swarm as effective sample size; null: it is not.
                sample_size "eta": Option<f64> = None, Within(1e-6, 1.0);
                $($rest)*
            }
        }

        impl $Name {
            fn agreement<F: swarmgrad_core::Real>(&self) -> $crate::particle::agreement::Agreement<F> {
                let schedule = $crate::particle::agreement::Schedule {
                    alpha_factor: self.alpha_factor,
                    alpha_most: self.alpha_most,
                    sample_size: self.sample_size,
                    sigma_factor: self.sigma_factor,
                };
                $crate::particle::agreement::Agreement::new(self.alpha, self.sigma, schedule)
            }
        }
    };
}
pub(crate) use consensus_parameters;
