//! Consensus-based sampling: particles of a Gaussian that follows the weighted mean and covariance.
//!
//! Paper: Carrillo, Hoffmann, Stuart, Vaes, "Consensus-based sampling" (Studies in Applied Mathematics 2022):
//!
//! ```text
//! c = sum_i X_i w_i / sum w_i,   C = sum_i w_i (X_i - c)(X_i - c)^T / sum w_i,   w_i = exp(-alpha E(X_i))
//! X <- c + e^-dt (X - c) + sqrt((1 - e^-2dt) / lambda) sigma C^1/2 xi
//! lambda = 1/(1 + alpha)  samples exp(-E);   lambda = 1  optimises
//! ```
//!
//! The noise C^1/2 xi is drawn as sum_j sqrt(w_j / sum w) (X_j - c) zeta_j with a normal number zeta_j for each particle, which has
//! the same law, needs no factorisation and works where C has no full rank.
//!
//! The samples ([`Motion::solutions`]) are the particles with finite values: at the others exp(-E) is 0, or nothing is known.
//!
//! Differs from the paper: the factor sigma (1 there) lets a schedule shrink the noise.

use super::agreement::{Agreement, consensus_parameters};
use super::{Motion, Remembered, Swarm};
use crate::parameters::choice;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Found, Kind, Matrix, Real, Result, Rng, Solutions, Space, View, math};

choice! {
    /// What the particles are for.
    pub enum Aim {
        /// Samples of exp(-E): lambda = 1/(1 + alpha).
        Sample = "sample",
        /// The minimum: lambda = 1.
        Optimise = "optimise",
    }
}

consensus_parameters! {
    /// Parameters of [`Cbs`].
    pub struct Params {
        sigma = 1.0, alpha = 1.0;
        /// Time step; infinity forgets the old positions.
        dt "dt": f64 = 0.5, AtLeastOrInfinite(0.0), with "crate::parameters::number";
        /// What the particles are for.
        aim "lambda": Aim = Aim::Sample, Choice(Aim::WORDS);
    }
}

/// Consensus-based sampling.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Cbs<F: Real> {
    params: Params,
    agreement: Agreement<F>,
    /// The positions whose values are known.
    old: Matrix<F>,
    #[serde(skip)]
    zeta: Vec<F>,
    #[serde(skip)]
    roots: Vec<F>,
}

impl<F: Real> Motion<F> for Cbs<F> {
    const NAME: &'static str = "cbs";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let agreement = params.agreement();
        Ok(Cbs { params, agreement, old: Matrix::default(), zeta: Vec::new(), roots: Vec::new() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::shape("old", &self.old, swarm.len(), swarm.dim())?;
        self.agreement.verify(swarm.dim())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.agreement.begin(&swarm.x, &swarm.fx);
        self.old.copy_from(swarm.x.rows());
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (alpha, n) = (self.agreement.alpha, swarm.len());
        super::attractor::root_weights(&swarm.fx, alpha, &mut self.roots);
        let keep = math::exp(-self.params.dt);
        let lambda = if self.params.aim == Aim::Sample { 1.0 / (1.0 + alpha) } else { 1.0 };
        let strength = ((1.0 - keep * keep) / lambda).sqrt() * self.agreement.sigma;
        // No spread has a finite multiple.
        let strength = F::of(if strength.is_finite() { strength } else { 0.0 });
        let keep = F::of(keep);
        self.zeta.resize(n, F::zero());
        let (xi, outside) = (rng.fork("xi"), rng.fork("outside"));
        let c = &self.agreement.consensus;
        for (i, x) in swarm.x.iter_mut().enumerate() {
            xi.row(i).fill_normal(&mut self.zeta);
            x.iter_mut().zip(c).for_each(|(x, &c)| *x = c + keep * (*x - c));
            for (j, other) in self.old.iter().enumerate() {
                let factor = strength * self.roots[j] * self.zeta[j];
                if factor != F::zero() {
                    x.iter_mut().zip(other).zip(c).for_each(|((x, &o), &c)| *x += factor * (o - c));
                }
            }
            space.repair(x, 0, &mut outside.row(i));
        }
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        self.agreement.next(&swarm.x, &swarm.fx);
        self.old.copy_from(swarm.x.rows());
        Remembered::Done
    }

    fn answer(&self, _swarm: &Swarm<F>) -> Vec<F> {
        self.agreement.consensus.clone()
    }

    fn solutions(&self, swarm: &Swarm<F>) -> Option<Solutions<F>> {
        let found = |(x, &value): (&[F], &F)| Found { x: x.to_vec(), value, parts: Vec::new(), particles: 1 };
        let samples = || self.old.iter().zip(&swarm.fx).filter(|(_, value)| value.is_finite()).map(found).collect();
        (self.params.aim == Aim::Sample).then(|| Solutions { kind: Kind::Samples, points: samples() })
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        self.agreement.show(view);
    }
}
