//! fit: what `auto` is where values are sums of squares of residuals.
//!
//! `least_squares` from the start, then from points of the start's law, until nothing more is to be expected by the ends of the
//! descents, as `auto` counts them (Boender and Rinnooy Kan 1987). A descent that comes to a residual of 0, or nearly so, ends it at once.

use crate::auto::Basins;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use swarmgrad_algorithms::local::LocalMethod;
use swarmgrad_algorithms::local::least_squares::{self, LeastSquares};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_algorithms::restart::BestPoint;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Aim, Algorithm, Matrix, Real, Reason, Result, Rng, Space, Start, View, save_state};

parameters! {
    /// Parameters of [`Fit`].
    pub struct Params {
        /// Share of the box whose basins must be known before the method ends by itself; 1 to never end.
        explored "1 - e": f64 = 0.97, Within(0.5, 1.0);
        /// Error of the residuals in units of the largest, where it is larger than that of the arithmetic; null to see for itself.
        noise "e": Option<f64> = None, Within(0.0, 0.1);
    }
}

/// A sum of squares that is 0 in units of the first.
const EXACT: f64 = 1e-20;

/// Descents from one point after another.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Fit<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    search: LocalMethod<F, LeastSquares>,
    label: String,
    descents: u64,
    rounds: u64,
    best: BestPoint<F>,
    /// The descent that found it, and its covariance once it has ended.
    finder: u64,
    covariance: Option<Matrix<f64>>,
    first: f64,
    basins: Basins,
    residuals: bool,
    known: Option<String>,
}

impl<F: Real> Method<F> for Fit<F> {
    const NAME: &'static str = "fit";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, _budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let search = least_squares::Params { noise: params.noise, ..least_squares::Params::default() };
        Ok(Fit {
            params,
            space: space.clone(),
            search: LocalMethod::new(space, start.clone(), None, search)?,
            start,
            label: "descent1".into(),
            descents: 1,
            rounds: 0,
            best: BestPoint::default(),
            finder: 1,
            covariance: None,
            first: f64::NAN,
            basins: Basins::default(),
            residuals: false,
            known: None,
        })
    }

    fn verify(&self) -> Result<()> {
        let dim = self.space.dim();
        saved::parameters(&self.params)?;
        self.start.check(&self.space)?;
        saved::fits("search", &self.search, dim)?;
        saved::count("descents", self.descents)?;
        saved::count("rounds", self.rounds)?;
        if let Some(covariance) = &self.covariance {
            saved::shape("covariance", covariance, dim, dim)?;
        }
        self.best.verify(dim)?;
        self.basins.verify()?;
        self.search.verify()
    }
}

impl<F: Real> Fit<F> {
    /// Takes the end of the descent into account and begins the next, or says why none is needed.
    fn next(&mut self) {
        let end = self.search.value();
        let fall = (self.first - self.best.value.f64()).abs();
        self.basins.count(end, if fall.is_finite() { fall } else { 0.0 });
        if self.finder == self.descents {
            self.covariance = self.search.covariance();
        }
        let best = self.best.value.f64();
        if self.residuals && best <= EXACT * self.first {
            self.known = Some("the residuals are 0".into());
        } else if self.params.explored < 1.0
            && self.basins.is_best_confirmed()
            && self.basins.unknown() <= 1.0 - self.params.explored
        {
            let (searches, ends) = (self.basins.searches(), self.basins.ends());
            let unknown = 100.0 * self.basins.unknown();
            let text = format!(
                "{searches} descents have come to {ends} different ends: others are expected from {unknown:.2} % of the box"
            );
            self.known = Some(text);
        } else {
            let start = self.start.after(self.descents as usize);
            self.descents += 1;
            self.label = format!("descent{}", self.descents);
            self.search.begin(start);
        }
    }
}

impl<F: Real> Algorithm<F> for Fit<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.clear();
        if self.known.is_none() {
            self.search.ask(&rng.fork(&self.label), xs);
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        if self.first.is_nan()
            && let Some(value) = values.iter().find(|value| value.is_finite())
        {
            self.first = value.f64();
        }
        if self.best.keep(xs.rows(), values).is_some() {
            self.finder = self.descents;
        }
        self.rounds += 1;
        self.search.tell(xs, values);
        if self.search.is_over() {
            self.next();
        }
    }

    fn expect_aim(&mut self, aim: &Aim) -> bool {
        self.residuals = self.search.expect_aim(aim);
        self.residuals
    }

    fn tell_parts(&mut self, parts: &Matrix<F>) {
        self.search.tell_parts(parts);
    }

    fn covariance(&self) -> Option<Matrix<f64>> {
        self.covariance.clone()
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        let why = self.known.as_ref().map(|why| Reason::Method(format!("nothing more is expected: {why}")));
        why.or_else(|| self.search.stop_reason().filter(|_| self.descents == 1 && self.best.value == F::infinity()))
    }

    fn explanation(&self) -> Option<String> {
        let mut text = format!("found by descent {} of {}", self.finder, self.descents);
        if let Some(why) = &self.known {
            let _ = write!(text, "; ended: {why}");
        }
        Some(text)
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn memory(&self) -> f64 {
        self.search.memory()
    }

    fn view(&self) -> View<'_, F> {
        self.search.view()
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(Self::NAME, self, out)
    }
}
