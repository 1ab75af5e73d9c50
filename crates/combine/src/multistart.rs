//! Multi-start: a method from one new point after another, each until it ends by itself or gains nothing any more.
//!
//! The oldest cure for local minima; Rinnooy Kan and Timmer, "Stochastic global optimization methods, part I" (Mathematical
//! Programming 1987). The first run starts where the start says, each further one from the start's law, or uniformly where
//! points were given. The answer is the best point of all runs.

use crate::named::{Lookup, NamedMethod};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::restart::{LastRun, NextRun, RestartPolicy, Restarts};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Aim, Algorithm, Real, Result, Rng, Space, Start};

parameters! {
    /// Parameters of [`MultiStart`].
    pub struct Params {
        /// What is run again and again.
        method "": String = "quasi_newton".to_owned(), Method;
        /// Evaluations a variable without a gain after which a run ends; null for methods that end by themselves.
        patience "": Option<f64> = None, Above(0.0);
    }
}

/// Multi-start as an algorithm.
pub type MultiStart<F, L> = Restarts<F, SamePolicy<L>>;

/// Every run is like the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct SamePolicy<L> {
    params: Params,
    /// Whether a run takes the values of constraints itself.
    constrained: bool,
    /// Whether it takes residuals.
    residuals: bool,
    /// Bytes that a run takes; 0 where the policy has been read back and has taken them.
    #[serde(skip)]
    memory: f64,
    #[serde(skip)]
    lookup: PhantomData<fn() -> L>,
}

impl<F: Real, L: Lookup> RestartPolicy<F> for SamePolicy<L> {
    const NAME: &'static str = "multistart";
    type Params = Params;
    type Inner = NamedMethod<F, L>;

    fn new(params: Params, space: &Space<F>, budget: Option<u64>) -> Result<Self> {
        let mut run = NamedMethod::<F, L>::new("method", &params.method, space, &Start::Uniform, budget)?;
        let (constrained, residuals) = (run.expect_constraints(&[]), run.expect_aim(&Aim::Residuals));
        Ok(SamePolicy { params, constrained, residuals, memory: run.memory(), lookup: PhantomData })
    }

    fn takes_constraints(&self) -> bool {
        self.constrained
    }

    fn takes_residuals(&self) -> bool {
        self.residuals
    }

    fn memory(&self) -> f64 {
        self.memory
    }

    fn verify(&self, _run: Option<&NamedMethod<F, L>>, _dim: usize) -> Result<()> {
        saved::parameters(&self.params)
    }

    fn next(
        &mut self,
        _past: Option<&LastRun>,
        space: &Space<F>,
        start: Start,
        _rng: &Rng,
    ) -> Result<Option<NextRun<NamedMethod<F, L>>>> {
        let patience =
            self.params.patience.map_or(u64::MAX, |per_variable| (per_variable * space.dim() as f64).ceil() as u64);
        let method = NamedMethod::new("method", &self.params.method, space, &start, None)?;
        Ok(Some(NextRun { method, limit: u64::MAX, patience }))
    }
}
