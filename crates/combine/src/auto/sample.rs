//! A run of a search distribution: CMA-ES, with a quadratic model where that pays, and CR-FM-NES for many variables, whose covariance
//! has one direction beside the axes.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::distribution::cma_es::{self, Cma, CmaEs};
use swarmgrad_algorithms::distribution::cr_fm_nes::{self, CrFmNes};
use swarmgrad_algorithms::distribution::lq_cma_es::{self, LqCma};
use swarmgrad_algorithms::distribution::{Distribution, Samples};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::restart::BestPoint;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Space, Start};

/// Most variables of a covariance matrix: above it a budget that could teach it is out of reach.
const MATRIX: usize = 1000;

/// The first population over the usual one, after a smooth and after a rugged end of the first descent.
const POPULATION: [f64; 2] = [3.0, 1.5];

/// Most variables of a quadratic model: with more of them it takes longer than 10 ms an evaluation.
const MODEL: usize = 20;

/// Whether values that are exact, of so many variables, may be ranked by a model.
pub(super) fn suits_model(dim: usize) -> bool {
    (2..=MODEL).contains(&dim)
}

/// The first population over the usual one; populations of many variables are large as they are.
pub(super) fn factor(dim: usize, smooth: Option<bool>) -> f64 {
    if dim <= MATRIX { POPULATION[usize::from(smooth != Some(true))] } else { 1.0 }
}

/// A distribution and its rounds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
enum Search<F: Real> {
    /// The whole matrix.
    Matrix(Box<Cma<F>>),
    /// The whole matrix, ranked by a model.
    Model(Box<LqCma<F>>),
    /// The axes and a direction.
    Direction(Box<Samples<F, CrFmNes>>),
}

/// The same for either kind.
macro_rules! either {
    ($run:expr, $search:ident => $what:expr) => {
        match $run {
            Search::Matrix($search) => $what,
            Search::Model($search) => $what,
            Search::Direction($search) => $what,
        }
    };
}

/// A run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Sample<F: Real> {
    search: Search<F>,
    label: String,
    /// The best point of the run.
    pub(super) best: BestPoint<F>,
    /// Whether it has found something better since the last dive.
    pub(super) fresh: bool,
    /// Its step-size at the last dive, else at its beginning.
    pub(super) unit: f64,
    /// Whether the last dive began here.
    pub(super) dived: bool,
}

impl<F: Real> Sample<F> {
    /// Numbers that the first run takes.
    pub(super) fn numbers(dim: usize) -> f64 {
        if suits_model(dim) {
            return LqCma::<F>::bytes(&lq_cma_es::Params::default(), dim) / 8.0;
        }
        if dim <= MATRIX {
            return CmaEs::numbers(&cma_es::Params::default(), dim);
        }
        CrFmNes::numbers(&cr_fm_nes::Params::default(), dim)
    }

    /// The run with this number and population; with a model that asks for so many points a round, at least.
    pub(super) fn new(
        space: &Space<F>,
        start: Start,
        number: u64,
        population: usize,
        sigma: f64,
        batch: Option<usize>,
    ) -> Result<Self> {
        let particles = Some(population);
        let search = if let Some(batch) = batch {
            let params = lq_cma_es::Params { population: particles, sigma, batch, ..lq_cma_es::Params::default() };
            Search::Model(Box::new(LqCma::new(space, start, None, params)?))
        } else if space.dim() <= MATRIX {
            let params = cma_es::Params { particles, sigma, ..cma_es::Params::default() };
            Search::Matrix(Box::new(Cma::new(space, start, None, params)?))
        } else {
            let params = cr_fm_nes::Params { particles, sigma };
            Search::Direction(Box::new(Samples::new(space, start, None, params)?))
        };
        let label = format!("sample{number}");
        Ok(Sample { search, label, best: BestPoint::default(), fresh: false, unit: f64::NAN, dived: false })
    }

    /// Whether what was read back is a run of so many points a round.
    pub(super) fn verify(&self, population: usize, dim: usize) -> Result<()> {
        saved::holds("population", self.population() == population, "must be that of the run")?;
        self.best.verify(dim)?;
        either!(&self.search, search => {
            saved::fits("sample", &**search, dim)?;
            search.verify()
        })
    }

    /// Points a round.
    fn population(&self) -> usize {
        either!(&self.search, search => search.distribution().population())
    }

    /// Whether it is ranked by a model.
    pub(super) fn has_model(&self) -> bool {
        matches!(self.search, Search::Model(_))
    }

    /// Its step-size.
    pub(super) fn deviation(&self) -> f64 {
        either!(&self.search, search => search.distribution().unit())
    }

    pub(super) fn stop_reason(&self) -> Option<Reason> {
        either!(&self.search, search => search.stop_reason())
    }

    pub(super) fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        either!(&mut self.search, search => search.ask(&rng.fork(&self.label), xs));
        if self.unit.is_nan() {
            self.unit = self.deviation();
        }
    }

    pub(super) fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.fresh |= self.best.keep(xs.rows(), values).is_some();
        either!(&mut self.search, search => search.tell(xs, values));
    }
}
