//! A descent of the portfolio: by differences, and by models where values are not exact.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::local::quasi_newton::{self, QuasiNewton};
use swarmgrad_algorithms::local::trust_region::{self, TrustRegion};
use swarmgrad_algorithms::local::{LocalMethod, LocalSearch};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Space, Start};

/// Most variables of models, which take about 14 d^2 numbers; above it differences go on with intervals that suit the values.
const MODELS: usize = 100;

/// A descent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) enum Walk<F: Real> {
    /// Quasi-Newton with differences.
    Differences(Box<LocalMethod<F, QuasiNewton>>),
    /// A trust region with models that interpolate values.
    Models(Box<LocalMethod<F, TrustRegion>>),
}

/// The same for either kind.
macro_rules! either {
    ($walk:expr, $search:ident => $what:expr) => {
        match $walk {
            Walk::Differences($search) => $what,
            Walk::Models($search) => $what,
        }
    };
}

impl<F: Real> Walk<F> {
    /// Bytes of one.
    pub(super) fn bytes(dim: usize) -> f64 {
        let differences = QuasiNewton::numbers(&quasi_newton::Params::default(), dim);
        let models = TrustRegion::numbers(&trust_region::Params::default(), dim);
        8.0 * if dim <= MODELS { models.max(differences) } else { differences }
    }

    /// A descent by differences, or for values with a relative error of `noise`.
    pub(super) fn new(space: &Space<F>, inexact: bool, noise: Option<f64>) -> Result<Self> {
        if inexact && space.dim() <= MODELS {
            let params = trust_region::Params::default();
            return Ok(Walk::Models(Box::new(LocalMethod::new(space, Start::Uniform, None, params)?)));
        }
        let params = quasi_newton::Params { noise, ..quasi_newton::Params::default() };
        Ok(Walk::Differences(Box::new(LocalMethod::new(space, Start::Uniform, None, params)?)))
    }

    /// Whether what was read back can be gone on with.
    pub(super) fn verify(&self, dim: usize) -> Result<()> {
        either!(self, walk => {
            saved::fits("descent", &**walk, dim)?;
            walk.verify()
        })
    }

    /// Whether its values have an error of at least `least` of their size, and models are to be had.
    pub(super) fn is_misled(&self, dim: usize, least: f64) -> bool {
        match self {
            Walk::Differences(walk) if dim <= MODELS => walk.search().inexactness().is_some_and(|error| error >= least),
            _ => false,
        }
    }

    /// The relative error of its values, where they were found to have one.
    pub(super) fn error(&self) -> Option<f64> {
        if let Walk::Differences(walk) = self { walk.search().inexactness() } else { None }
    }

    pub(super) fn launch(&mut self, x: &[F], value: F) {
        either!(self, walk => walk.launch(x, value));
    }

    pub(super) fn begin(&mut self, start: Start) {
        either!(self, walk => walk.begin(start));
    }

    pub(super) fn is_over(&self) -> bool {
        either!(self, walk => walk.is_over())
    }

    pub(super) fn steps(&self) -> u64 {
        either!(self, walk => walk.iterations())
    }

    /// Whether it takes steps along whole variables, choices or flags between descents.
    pub(super) fn is_mixed(&self) -> bool {
        either!(self, walk => walk.is_mixed())
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Vec<F> {
        either!(self, walk => walk.answer())
    }

    /// The value where it stands.
    pub(super) fn value(&self) -> f64 {
        either!(self, walk => walk.value())
    }

    /// The value that its model expects next; models of inexact values promise anything, and so do steps along whole variables.
    pub(super) fn expected(&self) -> f64 {
        match self {
            Walk::Differences(walk) if !walk.is_mixed() => walk.search().expected(),
            Walk::Differences(_) | Walk::Models(_) => f64::NEG_INFINITY,
        }
    }

    /// The decrease that it still expects; infinite where it cannot tell.
    pub(super) fn remaining(&self) -> f64 {
        match self {
            Walk::Differences(walk) if !walk.is_mixed() => walk.search().remaining(),
            _ => f64::INFINITY,
        }
    }

    /// Whether it has ended where values are smooth and say that nothing is to be gained nearby.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self, Walk::Differences(walk) if walk.search().is_settled())
    }

    pub(super) fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        either!(self, walk => walk.ask(rng, xs));
    }

    pub(super) fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        either!(self, walk => walk.tell(xs, values));
    }

    pub(super) fn stop_reason(&self) -> Option<Reason> {
        either!(self, walk => walk.stop_reason())
    }

    pub(super) fn gradient_rows(&self) -> &[usize] {
        either!(self, walk => walk.gradient_rows())
    }

    pub(super) fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        either!(self, walk => walk.tell_gradients(gradients));
    }
}
