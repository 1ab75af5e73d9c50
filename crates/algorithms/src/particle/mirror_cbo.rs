//! Mirror consensus-based optimisation: the particles move in a dual space and are mapped onto a set.
//!
//! Paper: Bungert, Hoffmann, Kim, Roith, "MirrorCBO: a consensus-based optimization method in the spirit of mirror descent"
//! (2025):
//!
//! ```text
//! X = grad phi*(Y),   Y <- Y + lambda dt (c - X) + sigma sqrt(dt) D(c - X) xi
//! box      clip to the bounds          ball     y / max(1, |y|/r)            simplex  exp y_j / sum exp y
//! sparse   sign(y) max(|y| - kappa, 0) sphere   y / |y|                      stiefel  polar factor of y
//! ```
//!
//! On a simplex Y begins at ln X; elsewhere at the drawn point.
//!
//! Differs from the paper: none.

use super::agreement::{Agreement, consensus_parameters};
use super::kinetic::distance;
use super::pso_sde::Noise;
use super::surface::nearest;
use super::{Motion, Remembered, Swarm};
use crate::parameters::choice;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Matrix, Real, Result, Rng, Space, View};

choice! {
    /// The mirror map, by the set on which the points lie.
    pub enum Map {
        /// The bounds of the space.
        Box = "box",
        /// The ball of this radius about 0.
        Ball = "ball",
        /// Positive numbers whose sum is 1 (negative entropy).
        Simplex = "simplex",
        /// Points with few coordinates that are not 0 (elastic net).
        Sparse = "sparse",
        /// The sphere of this radius about 0.
        Sphere = "sphere",
        /// Matrices with orthonormal columns, row by row.
        Stiefel = "stiefel",
    }
}

consensus_parameters! {
    /// Parameters of [`MirrorCbo`].
    pub struct Params {
        sigma = 8.0, alpha = 100.0;
        /// Drift towards the consensus.
        lambda "lambda": f64 = 1.0, AtLeast(0.0);
        /// Time step.
        dt "dt": f64 = 0.01, Above(0.0);
        /// The form of the diffusion.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
        /// The mirror map.
        map "phi": Map = Map::Box, Choice(Map::WORDS);
        /// Radius of the ball or the sphere.
        radius "r": f64 = 1.0, Above(0.0);
        /// Threshold of the sparse map.
        threshold "kappa": f64 = 1.0, AtLeast(0.0);
        /// Columns of a point of the Stiefel manifold.
        columns "k": usize = 1, AtLeast(1.0);
    }
}

/// MirrorCBO.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct MirrorCbo<F: Real> {
    params: Params,
    agreement: Agreement<F>,
    /// The dual points Y.
    dual: Matrix<F>,
    #[serde(skip)]
    xi: Matrix<F>,
    #[serde(skip)]
    point: Vec<f64>,
}

impl<F: Real> MirrorCbo<F> {
    /// X = grad phi*(Y), then the bounds of the space, which the set should respect by itself.
    fn map(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (p, outside) = (&self.params, rng.fork("outside"));
        let radius = F::of(p.radius);
        let norm = |y: &[F]| y.iter().map(|t| t.f64() * t.f64()).sum::<f64>().sqrt();
        for (i, (x, y)) in swarm.x.iter_mut().zip(self.dual.iter()).enumerate() {
            x.copy_from_slice(y);
            match p.map {
                Map::Box => {}
                Map::Ball => {
                    let shrink = F::of((norm(y) / p.radius).max(1.0));
                    x.iter_mut().for_each(|t| *t /= shrink);
                }
                Map::Simplex => {
                    let most = y.iter().copied().fold(F::neg_infinity(), F::max);
                    x.iter_mut().for_each(|t| *t = (*t - most).exp());
                    let sum = x.iter().copied().sum::<F>();
                    x.iter_mut().for_each(|t| *t /= sum);
                }
                Map::Sparse => {
                    let kappa = F::of(p.threshold);
                    x.iter_mut().for_each(|t| *t = t.signum() * (t.abs() - kappa).max(F::zero()));
                }
                Map::Sphere | Map::Stiefel => {
                    self.point.clear();
                    self.point.extend(y.iter().map(|t| t.f64()));
                    let (columns, radius) = if p.map == Map::Stiefel { (p.columns, F::one()) } else { (1, radius) };
                    nearest(&mut self.point, columns);
                    x.iter_mut().zip(&self.point).for_each(|(x, p)| *x = radius * F::of(*p));
                }
            }
            space.repair(x, 0, &mut outside.row(i));
        }
    }
}

impl<F: Real> Motion<F> for MirrorCbo<F> {
    const NAME: &'static str = "mirror_cbo";
    type Params = Params;

    fn new(params: Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let (k, dim) = (params.columns, space.dim());
        if params.map == Map::Stiefel && !(dim.is_multiple_of(k) && k * k <= dim) {
            let rule = format!("must divide the {dim} variables into at least as many rows");
            return Err(Error::parameter("columns", k, rule));
        }
        let agreement = params.agreement();
        Ok(MirrorCbo { params, agreement, dual: Matrix::default(), xi: Matrix::default(), point: Vec::new() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::shape("dual", &self.dual, swarm.len(), swarm.dim())?;
        self.agreement.verify(swarm.dim())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        self.dual = swarm.x.clone();
        if self.params.map == Map::Simplex {
            // Only ratios matter; what is not positive stands for almost nothing.
            self.dual.data_mut().iter_mut().for_each(|y| *y = y.max(F::of(1e-12)).ln());
        }
        self.map(swarm, space, rng);
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.agreement.begin(&swarm.x, &swarm.fx);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim, p) = (swarm.len(), swarm.dim(), &self.params);
        let (drift, sigma) = (F::of(p.lambda * p.dt), F::of(self.agreement.sigma * p.dt.sqrt()));
        self.xi.resize(n, dim);
        rng.fork("xi").fill_normal(0..n, 0..dim, self.xi.data_mut());
        let c = &self.agreement.consensus;
        for ((x, y), xi) in swarm.x.iter().zip(self.dual.iter_mut()).zip(self.xi.iter()) {
            let far = if p.noise == Noise::Isotropic { Some(distance(c, x)) } else { None };
            for j in 0..dim {
                let z = c[j] - x[j];
                y[j] += drift * z + sigma * far.unwrap_or(z.abs()) * xi[j];
            }
        }
        self.map(swarm, space, rng);
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        self.agreement.next(&swarm.x, &swarm.fx);
        Remembered::Done
    }

    fn answer(&self, _swarm: &Swarm<F>) -> Vec<F> {
        self.agreement.consensus.clone()
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        self.agreement.show(view);
        if !self.dual.is_empty() {
            view.matrices.push(("dual", self.dual.rows()));
        }
    }
}
