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
//! Extensions, each a parameter, all off by default:
//!
//! ```text
//! correction   lambda dt H(E(X) - E(c)) (c - X), H = Heaviside or (1 + tanh(z/epsilon))/2                  [Pinnau et al.]
//! truncation   sigma min(|c - X|, M)                                     [Fornasier, Richtarik, Riedl, Sun, EJAM 2025]
//! jumps        + J exp(-decay t) D(c - X) dN, N compound Poisson         [Kalise, Sharma, Tretyakov, M3AS 2023]
//! gradient     - gradient dt grad E(X), forward differences              [Riedl, EJAM 2024]
//! surface      X <- R(X + P_X(step) - sigma^2 dt |c - X|^2 (2n - k - 1)/4 X), see `surface`
//! schedules    alpha <- factor alpha, or alpha from the effective sample size; sigma <- factor sigma
//! ```
//!
//! With memory it is `pso_sde` at m = 0 (preset `cbo_memory`).
//!
//!
//! It draws the same normals as [`super::pso_sde`] without memory, so that method at m = 0, gamma = 1 gives the same
//! points to rounding under the same seed.
//!
//! Differs from the papers: the drift correction is off by default; jumps are those of a whole time step; the gradient is
//! made of differences, which cost `dim` evaluations a particle.

use super::agreement::{Agreement, consensus_parameters};
use super::force::{diffuse, drift};
use super::kinetic::distance;
use super::pso_sde::Noise;
use super::surface::nearest;
use super::sweep::sweep;
use super::{Motion, Remembered, Swarm};
use crate::parameters::choice;
use crate::saved;
use fearless_simd::{Simd, dispatch, prelude::*};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};
use swarmgrad_core::simd::{Counter, Key, level};
use swarmgrad_core::{Error, Matrix, Real, Result, Rng, Space, View};

choice! {
    /// Whether the drift acts on particles that are better than the consensus.
    pub enum Correction {
        /// It always acts.
        None = "none",
        /// Only where E(X) > E(c); costs an evaluation an iteration.
        Heaviside = "heaviside",
        /// In proportion to (1 + tanh((E(X) - E(c)) / epsilon)) / 2; costs an evaluation an iteration.
        Smooth = "smooth",
    }
}

choice! {
    /// The surface on which the particles live.
    pub enum Surface {
        /// None: the whole space.
        None = "none",
        /// The unit sphere.
        Sphere = "sphere",
        /// Matrices with orthonormal columns (Stiefel manifold), row by row.
        Stiefel = "stiefel",
    }
}

consensus_parameters! {
    /// Parameters of [`Cbo`].
    pub struct Params {
        sigma = 8.0, alpha = 100.0;
        /// Drift towards the consensus.
        lambda "lambda": f64 = 1.0, AtLeast(0.0);
        /// Time step.
        dt "dt": f64 = 0.01, Above(0.0);
        /// The form of the diffusion. Isotropic noise needs a sigma below sqrt(2 lambda / dim) to contract.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
        /// Whether the drift acts on particles that are better than the consensus.
        correction "H": Correction = Correction::None, Choice(Correction::WORDS);
        /// Width of the smooth correction, in values of the objective.
        epsilon "epsilon": f64 = 1e-2, Above(0.0);
        /// The diffusion grows with the distance up to here only; null: without end.
        truncation "M": Option<f64> = None, AtLeast(0.0);
        /// Jumps of a particle in a unit of time; 0 for none.
        jump_rate "": f64 = 0.0, AtLeast(0.0);
        /// Size of a jump as a multiple of the distance to the consensus.
        jump "gamma(0)": f64 = 1.0, AtLeast(0.0);
        /// Rate at which the size of jumps decays in time.
        jump_decay "": f64 = 0.05, AtLeast(0.0);
        /// Drift down the gradient, by differences: dim evaluations more for each particle; 0 for none.
        gradient "": f64 = 0.0, AtLeast(0.0);
        /// Step of the differences, relative where coordinates exceed 1.
        difference "h": f64 = 1e-6, Above(0.0);
        /// The surface on which the particles live; its points must lie in the space, and the noise must be isotropic.
        surface "": Surface = Surface::None, Choice(Surface::WORDS);
        /// Columns of a point of the Stiefel manifold.
        columns "k": usize = 1, AtLeast(1.0);
    }
}

/// Consensus-based optimisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Cbo<F: Real> {
    pub(super) params: Params,
    pub(super) agreement: Agreement<F>,
    pub(super) iterations: u64,
    /// Values of the probes, and the steps of the differences among them.
    pub(super) probed: Vec<F>,
    pub(super) steps: Vec<F>,
    #[serde(skip)]
    distances: Vec<F>,
    #[serde(skip)]
    pub(super) noise: Matrix<F>,
    #[serde(skip)]
    pub(super) step: Vec<f64>,
    #[serde(skip)]
    pub(super) jump: Vec<f64>,
    #[serde(skip)]
    pub(super) point: Vec<f64>,
}

impl<F: Real> Cbo<F> {
    /// lambda and sigma as they are now, and the time step.
    pub fn law(&self) -> [f64; 3] {
        [self.params.lambda, self.agreement.sigma, self.params.dt]
    }

    /// Sets lambda and sigma; they hold from the next move on.
    pub fn set_law(&mut self, lambda: f64, sigma: f64) {
        self.params.lambda = lambda;
        self.agreement.sigma = sigma;
    }

    /// Finds the consensus anew after points have been changed from outside.
    pub fn lead(&mut self, swarm: &Swarm<F>) {
        self.agreement.agree(&swarm.x, &swarm.fx);
    }

    /// The consensus.
    pub fn consensus(&self) -> &[F] {
        &self.agreement.consensus
    }

    /// Whether the derivative of a move is known: anisotropic noise and no extension.
    pub fn is_smooth(&self) -> bool {
        self.params.noise == Noise::Anisotropic && !self.is_extended()
    }
}

impl<F: Real> Motion<F> for Cbo<F> {
    const NAME: &'static str = "cbo";
    type Params = Params;

    fn new(params: Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        if params.surface != Surface::None && params.noise != Noise::Isotropic {
            return Err(Error::parameter("noise", "anisotropic", "must be isotropic on a surface"));
        }
        let (k, dim) = (params.columns, space.dim());
        if params.surface == Surface::Stiefel && !(dim.is_multiple_of(k) && k * k <= dim) {
            let rule = format!("must divide the {dim} variables into at least as many rows");
            return Err(Error::parameter("columns", k, rule));
        }
        Ok(Cbo {
            agreement: params.agreement(),
            params,
            iterations: 0,
            probed: Vec::new(),
            steps: Vec::new(),
            distances: Vec::new(),
            noise: Matrix::default(),
            step: Vec::new(),
            jump: Vec::new(),
            point: Vec::new(),
        })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, probed: bool) -> Result<()> {
        let (p, numbers) = (&self.params, swarm.len() * swarm.dim());
        let differences = if p.gradient > 0.0 { numbers } else { 0 };
        if probed {
            let consensus = usize::from(p.correction != Correction::None);
            saved::length("probed", &self.probed, consensus + differences)?;
            saved::length("steps", &self.steps, differences)?;
        }
        saved::count("iterations", self.iterations)?;
        self.agreement.verify(swarm.dim())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        if self.params.surface == Surface::None {
            return;
        }
        let columns = if self.params.surface == Surface::Stiefel { self.params.columns } else { 1 };
        let outside = rng.fork("outside");
        for (i, x) in swarm.x.iter_mut().enumerate() {
            let mut point: Vec<f64> = x.iter().map(|t| t.f64()).collect();
            nearest(&mut point, columns);
            x.iter_mut().zip(&point).for_each(|(x, p)| *x = F::of(*p));
            space.repair(x, 0, &mut outside.row(i));
        }
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.agreement.begin(&swarm.x, &swarm.fx);
    }

    fn probe(&mut self, swarm: &Swarm<F>, space: &Space<F>, points: &mut Matrix<F>) {
        self.probes(swarm, space, points);
    }

    fn probed(&mut self, values: &[F]) {
        self.probed.clear();
        self.probed.extend_from_slice(values);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        if self.is_extended() {
            return self.advance_extended(swarm, space, rng);
        }
        let law = [self.params.lambda * self.params.dt, self.agreement.sigma * self.params.dt.sqrt()].map(F::of);
        let (c, xi) = (&self.agreement.consensus, rng.fork("xi2"));
        let isotropic = self.params.noise == Noise::Isotropic;
        if isotropic {
            self.distances.clear();
            self.distances.extend(swarm.x.iter().map(|x| distance(c, x)));
        }
        let distances = &self.distances;
        sweep([&mut swarm.x], space, rng, |tile, scratch| {
            let (len, row, cols) = (tile.len(), tile.rows.start, tile.cols.clone());
            if !isotropic
                && let Some([[a], [b]]) = tile.pair()
                && let Some(keys) = xi.keys(row)
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
        self.iterations += 1;
        self.agreement.next(&swarm.x, &swarm.fx);
        Remembered::Done
    }

    fn answer(&self, _swarm: &Swarm<F>) -> Vec<F> {
        self.agreement.consensus.clone()
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        self.agreement.show(view);
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
    let mut counters = Counter::pair(simd, keys, col / F::PER_WORD);
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
