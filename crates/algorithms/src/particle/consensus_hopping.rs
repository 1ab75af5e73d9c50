//! Consensus hopping: samples about the consensus, and the consensus of the samples.
//!
//! Paper: Riedl, Klock, Geldhauser, Fornasier, "Gradient is all you need?" (2023), the scheme that consensus-based optimisation
//! approaches at lambda dt = 1 with constant noise:
//!
//! ```text
//! X_i = c + sigma xi_i,   c = sum_i X_i w_i / sum_i w_i,   w_i = exp(-alpha E(X_i))
//! ```
//!
//! Differs from the paper: none; sigma may shrink by its schedule.

use super::agreement::{Agreement, consensus_parameters};
use super::{Motion, Remembered, Swarm};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Result, Rng, Space, View};

consensus_parameters! {
    /// Parameters of [`ConsensusHopping`].
    pub struct Params {
        sigma = 1.0, alpha = 100.0;
    }
}

/// Consensus hopping.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ConsensusHopping<F: Real> {
    params: Params,
    agreement: Agreement<F>,
}

impl<F: Real> Motion<F> for ConsensusHopping<F> {
    const NAME: &'static str = "consensus_hopping";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let agreement = params.agreement();
        Ok(ConsensusHopping { params, agreement })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        self.agreement.verify(swarm.dim())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.agreement.begin(&swarm.x, &swarm.fx);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (sigma, outside) = (F::of(self.agreement.sigma), rng.fork("outside"));
        let (n, dim) = (swarm.len(), swarm.dim());
        rng.fork("xi").fill_normal(0..n, 0..dim, swarm.x.data_mut());
        for (i, x) in swarm.x.iter_mut().enumerate() {
            x.iter_mut().zip(&self.agreement.consensus).for_each(|(x, &c)| *x = c + sigma * *x);
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
    }
}
