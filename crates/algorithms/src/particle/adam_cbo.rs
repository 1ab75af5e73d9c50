//! Consensus-based optimisation with Adam's moments of the drift.
//!
//! Paper: Chen, Jin, Lyu, "A consensus-based global optimization method with adaptive momentum estimation" (CiCP 2022):
//!
//! ```text
//! M <- beta1 M + (1 - beta1)(X - c),   V <- beta2 V + (1 - beta2)(X - c)^2,   k = iteration
//! X <- X - lambda Mhat / (sqrt(Vhat) + epsilon) + sigma sqrt(dt) D(X - c) xi,  Mhat = M/(1 - beta1^k), Vhat = V/(1 - beta2^k)
//! ```
//!
//! Differs from the paper: the diffusion is that of the distance, as in CBXpy, not a decaying constant.

use super::agreement::{Agreement, consensus_parameters};
use super::kinetic::distance;
use super::pso_sde::Noise;
use super::{Motion, Remembered, Swarm};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, Rng, Space, View};

consensus_parameters! {
    /// Parameters of [`AdamCbo`].
    pub struct Params {
        sigma = 8.0, alpha = 100.0;
        /// Length of a step of the drift in each coordinate.
        lambda "lambda": f64 = 0.05, AtLeast(0.0);
        /// Time step of the diffusion.
        dt "dt": f64 = 0.01, Above(0.0);
        /// Share of the old first moment.
        beta1 "beta_1": f64 = 0.9, Below(0.0, 1.0);
        /// Share of the old second moment.
        beta2 "beta_2": f64 = 0.99, Below(0.0, 1.0);
        /// Keeps the quotient finite.
        epsilon "epsilon": f64 = 1e-8, Above(0.0);
        /// The form of the diffusion.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
    }
}

/// Adam-CBO.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct AdamCbo<F: Real> {
    params: Params,
    agreement: Agreement<F>,
    first: Matrix<F>,
    second: Matrix<F>,
    iterations: u64,
    #[serde(skip)]
    xi: Matrix<F>,
}

impl<F: Real> Motion<F> for AdamCbo<F> {
    const NAME: &'static str = "adam_cbo";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let agreement = params.agreement();
        let (first, second, xi) = (Matrix::default(), Matrix::default(), Matrix::default());
        Ok(AdamCbo { params, agreement, first, second, iterations: 0, xi })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::shape("first", &self.first, swarm.len(), swarm.dim())?;
        saved::shape("second", &self.second, swarm.len(), swarm.dim())?;
        saved::count("iterations", self.iterations)?;
        self.agreement.verify(swarm.dim())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {
        self.first = Matrix::zeros(swarm.len(), swarm.dim());
        self.second = self.first.clone();
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.agreement.begin(&swarm.x, &swarm.fx);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim, p) = (swarm.len(), swarm.dim(), &self.params);
        self.iterations += 1;
        let k = i32::try_from(self.iterations).unwrap_or(i32::MAX);
        let [b1, b2] = [p.beta1, p.beta2].map(F::of);
        let [c1, c2] = [p.beta1, p.beta2].map(|b| F::of(1.0 / (1.0 - b.powi(k))));
        let [lambda, epsilon, sigma] = [p.lambda, p.epsilon, self.agreement.sigma * p.dt.sqrt()].map(F::of);
        self.xi.resize(n, dim);
        rng.fork("xi").fill_normal(0..n, 0..dim, self.xi.data_mut());
        let (c, outside) = (&self.agreement.consensus, rng.fork("outside"));
        for (i, x) in swarm.x.iter_mut().enumerate() {
            let far = if p.noise == Noise::Isotropic { Some(distance(c, x)) } else { None };
            let (m, v, xi) = (self.first.row_mut(i), self.second.row_mut(i), self.xi.row(i));
            for j in 0..dim {
                let z = x[j] - c[j];
                m[j] = b1 * m[j] + (F::one() - b1) * z;
                v[j] = b2 * v[j] + (F::one() - b2) * z * z;
                let step = lambda * (c1 * m[j]) / ((c2 * v[j]).sqrt() + epsilon);
                x[j] += sigma * far.unwrap_or(z.abs()) * xi[j] - step;
            }
            space.repair(x, 0, &mut outside.row(i));
        }
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
        view.matrices.push(("m", self.first.rows()));
    }
}
