//! Random search: independent points from the law of the start. Whatever does not beat it does nothing.

use crate::parameters::parameters;
use crate::particle::{Motion, Swarm};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result, Rng, Space, Start};

parameters! {
    /// Parameters of [`RandomSearch`].
    pub struct Params {
        /// Points in an iteration.
        particles "n": usize = 50, AtLeast(1.0);
    }
}

/// Random search; y holds the best point found in each row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RandomSearch {
    particles: usize,
}

impl<F: Real> Motion<F> for RandomSearch {
    const NAME: &'static str = "random_search";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        Ok(RandomSearch { particles: params.particles })
    }

    fn verify_settings(&self, _space: &Space<F>) -> Result<()> {
        Ok(())
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        swarm.verify_remembers()
    }

    fn particles(&self) -> usize {
        self.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, _swarm: &mut Swarm<F>) {}

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let n = swarm.len();
        Start::Uniform.fill(space, rng, n, &mut swarm.x);
    }
}
