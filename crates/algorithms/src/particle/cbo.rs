//! Consensus-based optimisation: the zero-inertia limit of the mean-field swarm.
//!
//! Papers: Pinnau, Totzeck, Tse, Martin, "A consensus-based model for global optimization and its mean-field limit" (M3AS
//! 2017), isotropic; Carrillo, Jin, Li, Zhu, "A consensus-based global optimization method for high dimensional machine
//! learning problems" (ESAIM COCV 2021), anisotropic:
//!
//! ```text
//! X <- X + lambda dt (c - X) + sigma sqrt(dt) D(c - X) xi
//! c = sum_i X_i w_i / sum_i w_i,  w_i = exp(-alpha E(X_i)),  D(z) = |z| Id or diag(|z|)
//! ```
//!
//! It draws the same normals as [`super::pso_sde`] without memory, so that method at m = 0, gamma = 1 gives the same
//! points to rounding under the same seed.
//!
//! Differs from the papers: no drift correction by a Heaviside function of the values (the original's optional factor).

use super::attractor::consensus;
use super::force::{diffuse, drift};
use super::kinetic::distance;
use super::pso_sde::Noise;
use super::sweep::sweep;
use super::{Motion, Remembered, Swarm};
use crate::parameters::parameters;
use fearless_simd::{Simd, dispatch, prelude::*};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};
use swarmgrad_core::simd::{Counter, Key, level};
use swarmgrad_core::{Matrix, Real, Result, Rng, Space, View};

parameters! {
    /// Parameters of [`Cbo`].
    pub struct Params {
        /// Number of particles.
        particles "N": usize = 100, AtLeast(1.0);
        /// Drift towards the consensus.
        lambda "lambda": f64 = 1.0, AtLeast(0.0);
        /// Diffusion by the distance to the consensus.
        sigma "sigma": f64 = 8.0, AtLeast(0.0);
        /// Time step.
        dt "dt": f64 = 0.01, Above(0.0);
        /// Sharpness of the consensus: 0 is the mean, infinity the best point.
        alpha "alpha": f64 = 100.0, AtLeastOrInfinite(0.0), with "crate::parameters::number";
        /// The form of the diffusion. Isotropic noise needs a sigma below sqrt(2 lambda / dim) to contract.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
    }
}

/// Consensus-based optimisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Cbo<F: Real> {
    params: Params,
    consensus: Vec<F>,
    distances: Vec<F>,
}

impl<F: Real> Motion<F> for Cbo<F> {
    const NAME: &'static str = "cbo";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        Ok(Cbo { params, consensus: Vec::new(), distances: Vec::new() })
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.consensus = swarm.x.row(0).to_vec();
        self.remember(swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let law = [self.params.lambda * self.params.dt, self.params.sigma * self.params.dt.sqrt()].map(F::of);
        let (c, xi) = (&self.consensus, rng.fork("xi2"));
        let isotropic = self.params.noise == Noise::Isotropic;
        if isotropic {
            self.distances.clear();
            self.distances.extend(swarm.x.iter().map(|x| distance(c, x)));
        }
        let distances = &self.distances;
        sweep([&mut swarm.x], space, rng, |tile, scratch| {
            let (len, row, cols) = (tile.len(), tile.rows.start, tile.cols.clone());
            if let (false, Some(keys)) = (isotropic, xi.keys(row))
                && let Some([[a], [b]]) = tile.pair()
            {
                dispatch!(level(), simd => step_wide(simd, law, keys, cols.start, [a, b], &c[cols]));
                return;
            }
            xi.fill_normal(tile.rows.clone(), tile.cols.clone(), &mut scratch.a[..len]);
            tile.gather(scratch, true, |_| c);
            if isotropic {
                tile.row_segments(|s| {
                    let (g, distance) = (s.attractor(scratch, |_| c), distances[s.row]);
                    let ([x], z) = (s.parts, &scratch.a[s.at]);
                    dispatch!(level(), simd => step_isotropic(simd, law, distance, x, g, z));
                });
            } else {
                tile.segments(|s| {
                    let g = s.attractor(scratch, |_| c);
                    let ([x], z) = (s.parts, &scratch.a[s.at]);
                    dispatch!(level(), simd => step(simd, law, x, g, z));
                });
            }
        });
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        consensus(&swarm.x, &swarm.fx, self.params.alpha, 0..swarm.x.len(), &mut self.consensus);
        Remembered::Done
    }

    fn answer(&self, _swarm: &Swarm<F>) -> Vec<F> {
        self.consensus.clone()
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        view.vectors.push(("g", &self.consensus));
    }
}

/// One number of a particle.
#[inline(always)]
fn move_number<F: Real>([lambda, sigma]: [F; 2], x: &mut F, c: F, xi: F) {
    *x += drift(lambda, c, *x) + diffuse(sigma, c, *x, xi);
}

#[simd]
fn step<S: Simd, F: Real>(_simd: S, law: [F; 2], x: &mut [F], c: &[F], xi: &[F]) {
    let n = x.len();
    let (c, xi) = (&c[..n], &xi[..n]);
    for j in 0..n {
        move_number(law, &mut x[j], c[j], xi[j]);
    }
}

/// The same for a stretch of two long rows, drawing as it goes; the bits are those of [`step`].
#[simd]
fn step_wide<S: Simd, F: Real>(simd: S, law: [F; 2], keys: [Key; 2], col: usize, rows: [&mut [F]; 2], c: &[F]) {
    let mut counters = keys.map(|key| Counter::new(simd, key, col / F::PER_WORD));
    let (n, width, [lambda, sigma]) = (c.len(), F::Lanes::<S>::LEN, law);
    let whole = n / width * width;
    let [a, b] = rows;
    for j in (0..whole).step_by(width) {
        let xi = F::next_normal(simd, &mut counters);
        let c = F::Lanes::<S>::from_slice(simd, &c[j..j + width]);
        for (x, xi) in [&mut a[j..j + width], &mut b[j..j + width]].into_iter().zip(xi) {
            let here = F::Lanes::<S>::from_slice(simd, x);
            let to = c - here;
            (here + (to * lambda + to.abs() * sigma * xi)).store_slice(x);
        }
    }
    if whole < n {
        let xi = F::next_normal(simd, &mut counters);
        for (x, xi) in [a, b].into_iter().zip(xi) {
            (whole..n).enumerate().for_each(|(k, j)| move_number(law, &mut x[j], c[j], xi[k]));
        }
    }
}

#[simd]
fn step_isotropic<S: Simd, F: Real>(_simd: S, [lambda, sigma]: [F; 2], distance: F, x: &mut [F], c: &[F], xi: &[F]) {
    let n = x.len();
    let (c, xi) = (&c[..n], &xi[..n]);
    for j in 0..n {
        x[j] += drift(lambda, c[j], x[j]) + sigma * distance * xi[j];
    }
}
