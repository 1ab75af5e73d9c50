//! IPOP-CMA-ES: restarts with a population that doubles.
//!
//! Paper: Auger and Hansen, "A restart CMA evolution strategy with increasing population size" (CEC 2005):
//!
//! ```text
//! run k = 0, 1, 2, ...: CMA-ES with lambda_k = 2^k lambda_0 from a new point of the start's law
//! ```
//!
//! Differs from the paper: the CMA-ES is today's ([`cma_es`]); a population that would fill memory (2^24 numbers) is followed
//! by one of lambda_0 again.

use super::cma_es::{self, Cma, CmaEs, Params};
use super::{Distribution, Samples, usual_population};
use crate::method::Method;
use crate::restart::{LastRun, NextRun, RestartPolicy, Restarts};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result, Rng, Space, Start, memory};

/// IPOP-CMA-ES as an algorithm.
pub type IpopCmaEs<F> = Restarts<F, Ipop>;

/// The doubling populations.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ipop {
    runs: Runs,
    /// Populations doubled so far.
    k: u32,
}

impl<F: Real> RestartPolicy<F> for Ipop {
    const NAME: &'static str = "ipop_cma_es";
    type Params = Params;
    type Inner = Cma<F>;

    fn new(params: Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        Ok(Ipop { runs: Runs::new(<Self as RestartPolicy<F>>::NAME, params, space.dim())?, k: 0 })
    }

    fn memory(&self) -> f64 {
        self.runs.memory()
    }

    fn verify(&self, run: Option<&Cma<F>>, dim: usize) -> Result<()> {
        self.runs.verify(run, self.k, dim)
    }

    fn next(
        &mut self,
        past: Option<&LastRun>,
        space: &Space<F>,
        start: Start,
        _rng: &Rng,
    ) -> Result<Option<NextRun<Cma<F>>>> {
        self.k = if past.is_some() { self.runs.doubled(self.k) } else { 0 };
        let lambda = self.runs.lambda << self.k;
        self.runs.begin(space, start, lambda, self.runs.params.sigma, u64::MAX).map(Some)
    }
}

/// What the schedules of CMA-ES have in common: the parameters and the first population.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Runs {
    pub(super) params: Params,
    pub(super) lambda: usize,
    dim: usize,
}

/// Numbers in a population at which doubling ends: 128 MiB a matrix.
const MOST_NUMBERS: usize = 1 << 24;

impl Runs {
    pub(super) fn new(method: &str, params: Params, dim: usize) -> Result<Self> {
        memory::check(method, dim, 8.0 * CmaEs::numbers(&params, dim))?;
        let lambda = CmaEs::new(params.clone(), dim)?.population();
        Ok(Runs { params, lambda, dim })
    }

    /// Bytes of the first run; later ones stay below [`MOST_NUMBERS`] a matrix.
    pub(super) fn memory(&self) -> f64 {
        8.0 * CmaEs::numbers(&self.params, self.dim)
    }

    /// Whether what was read back fits together in so many dimensions, after `k` doublings.
    pub(super) fn verify<F: Real>(&self, run: Option<&Cma<F>>, k: u32, dim: usize) -> Result<()> {
        saved::parameters(&self.params)?;
        saved::holds("dim", self.dim == dim, "must be that of the space")?;
        let lambda = self.params.particles.unwrap_or(usual_population(dim));
        saved::holds("lambda", self.lambda == lambda, "must be that of the parameters")?;
        let most = MOST_NUMBERS / self.lambda.saturating_mul(dim).max(1);
        saved::holds("k", k == 0 || k < usize::BITS && 1 << k <= most, "must be doublings that there is room for")?;
        run.map_or(Ok(()), |run| Method::<F>::verify(run))
    }

    /// The next number of doublings; 0 where the population would be too large.
    pub(super) fn doubled(&self, k: u32) -> u32 {
        if (self.lambda << (k + 1)).saturating_mul(self.dim) > MOST_NUMBERS { 0 } else { k + 1 }
    }

    /// A run with this population and initial deviation.
    pub(super) fn begin<F: Real>(
        &self,
        space: &Space<F>,
        start: Start,
        lambda: usize,
        sigma: f64,
        limit: u64,
    ) -> Result<NextRun<Cma<F>>> {
        let params = cma_es::Params { particles: Some(lambda), sigma, ..self.params.clone() };
        Ok(NextRun { method: Samples::new(space, start, None, params)?, limit, patience: u64::MAX })
    }
}
