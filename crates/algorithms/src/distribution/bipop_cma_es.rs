//! BIPOP-CMA-ES: restarts with two populations, a large one that doubles and small ones that search locally.
//!
//! Paper: Hansen, "Benchmarking a bi-population CMA-ES on the BBOB-2009 function testbed" (GECCO 2009):
//!
//! ```text
//! first run: lambda_0, sigma_0; afterwards the regime that has spent fewer evaluations runs next, the large one on ties
//! large: lambda_l = 2^k lambda_0, k = 1, 2, ...; sigma_0
//! small: lambda_s = floor(lambda_0 (lambda_l / (2 lambda_0))^(u1^2)), sigma_0 10^(-2 u2);  u1, u2 uniform in [0, 1)
//!        for at most half of the evaluations of the last large run
//! ```
//!
//! Differs from the paper: the CMA-ES is today's ([`super::cma_es`]); a population that would fill memory (2^24 numbers) is
//! followed by one of lambda_0 again.

use super::cma_es::{Cma, Params};
use super::ipop_cma_es::Runs;
use crate::restart::{LastRun, NextRun, RestartPolicy, Restarts};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result, Rng, Space, Start, math};

/// BIPOP-CMA-ES as an algorithm.
pub type BipopCmaEs<F> = Restarts<F, Bipop>;

/// The two regimes and what they have spent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Bipop {
    runs: Runs,
    /// Populations doubled so far.
    k: u32,
    running: Regime,
    large: u64,
    small: u64,
    /// Evaluations of the last large run.
    last_large: u64,
}

/// Which kind of run the present one is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Regime {
    First,
    Large,
    Small,
}

impl<F: Real> RestartPolicy<F> for Bipop {
    const NAME: &'static str = "bipop_cma_es";
    type Params = Params;
    type Inner = Cma<F>;

    fn new(params: Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let runs = Runs::new(<Self as RestartPolicy<F>>::NAME, params, space.dim())?;
        Ok(Bipop { runs, k: 0, running: Regime::First, large: 0, small: 0, last_large: 0 })
    }

    fn memory(&self) -> f64 {
        self.runs.memory()
    }

    fn verify(&self, run: Option<&Cma<F>>, dim: usize) -> Result<()> {
        let counts = [("large", self.large), ("small", self.small), ("last large", self.last_large)];
        counts.into_iter().try_for_each(|(name, count)| saved::count(name, count))?;
        self.runs.verify(run, self.k, dim)
    }

    fn next(
        &mut self,
        past: Option<&LastRun>,
        space: &Space<F>,
        start: Start,
        rng: &Rng,
    ) -> Result<Option<NextRun<Cma<F>>>> {
        let (lambda, sigma) = (self.runs.lambda, self.runs.params.sigma);
        let Some(past) = past else {
            return self.runs.begin(space, start, lambda, sigma, u64::MAX).map(Some);
        };
        match self.running {
            Regime::First => {}
            Regime::Large => {
                self.large += past.evaluations;
                self.last_large = past.evaluations;
            }
            Regime::Small => self.small += past.evaluations,
        }
        if self.large <= self.small {
            self.running = Regime::Large;
            self.k = self.runs.doubled(self.k);
            return self.runs.begin(space, start, lambda << self.k, sigma, u64::MAX).map(Some);
        }
        self.running = Regime::Small;
        let draws = rng.fork("regime");
        let mut draws = draws.row(0);
        let (u1, u2) = (draws.uniform(), draws.uniform());
        let ratio = 0.5 * f64::from(1u32 << self.k);
        let small = (lambda as f64 * math::powf(ratio.max(1.0), u1 * u1)) as usize;
        self.runs
            .begin(space, start, small, sigma * math::powf(10.0, -2.0 * u2), (self.last_large / 2).max(1))
            .map(Some)
    }
}
