//! Gradients read off a swarm, for functions that have none, and what they are measured against.
//!
//! All swarm gradients are one formula, `kappa (w - g)`: a factor kappa times the way from the attractor g to the point w.
//! They differ in how g is found and what kappa is:
//!
//! | source | g | kappa | exact for |
//! |---|---|---|---|
//! | [`equivalence`] | best of a swarm around w | by the AdaSwarm paper's theorems, or the measured curvature | nothing (`calibrated`: quadratics in 1-D); sign right on convex f |
//! | [`proximal`] | minimiser of f(z) + \|z - w\|^2 / (2 tau) | 1 / tau | the Moreau envelope |
//! | [`cloud::Consensus`] | consensus of a Gaussian cloud | 1 / (alpha sigma^2) | the smoothed envelope |
//!
//! Beside them [`cloud::LeastSquares`] and the [`yardstick`]s. All are [`GradientSource`]s: what they write is a gradient to
//! descend, and they say what it cost. [`descend`] follows one, [`quality`] holds one against the true gradient, and
//! [`SOURCES`] has them by name. [`adaswarm`] is the paper's method as an algorithm; [`elements`] the flat kernel of many
//! one-dimensional swarms for losses in networks.
//!
//! ```
//! use swarmgrad_algorithms::gradient::{descend::descend, rule::Adam};
//! use swarmgrad_algorithms::gradient::proximal::{Params, Proximal};
//! use swarmgrad_core::{Function, Rng, Space};
//!
//! let f = Function::new(Space::cube(2, -5.0, 5.0)?, |x: &[f64]| (x[0] - 1.0).abs() + (x[1] + 2.0).abs());
//! let mut source = Proximal::new(&f, Params { tau: 0.5, ..Params::default() })?;
//! let mut adam = Adam::new(0.1);
//! let walk = descend(&f, &mut source, &mut adam, &[4.0, 4.0], 150, &Rng::new(1))?;
//! assert!(walk.best().1 < 1e-2);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

pub mod adaswarm;
pub mod cloud;
mod curvature;
pub mod descend;
pub mod elements;
pub mod equivalence;
pub mod proximal;
pub mod quality;
pub mod rule;
pub mod search;
pub mod yardstick;

pub use curvature::curvature;

use crate::parameters::Settings;
use crate::parameters::{Parameter, Parameters};
use serde_json::Value;
use swarmgrad_core::{Error, GradientSource, Matrix, Problem, Real, Result, Rng, Space};

/// kappa (w - g): the gradient whose descent leads from w towards g.
pub fn towards<F: Real>(kappa: f64, w: &[F], g: &[F], out: &mut [F]) {
    let kappa = F::of(kappa);
    out.iter_mut().zip(w).zip(g).for_each(|((o, &w), &g)| *o = kappa * (w - g));
}

/// `n` points w + sigma xi inside the space, xi standard normal; with `antithetic`, row 2k + 1 mirrors row 2k at w. From
/// the stream `cloud` of `rng`.
fn antithetic_cloud<F: Real>(
    space: &Space<F>,
    w: &[F],
    sigma: f64,
    n: usize,
    antithetic: bool,
    rng: &Rng,
    cloud: &mut Matrix<F>,
) {
    let (draws, outside, sigma) = (rng.fork("cloud"), rng.fork("outside"), F::of(sigma));
    cloud.resize(n, w.len());
    for i in 0..n {
        let mirrored = antithetic && i % 2 == 1;
        let row = cloud.row_mut(i);
        draws.row(if antithetic { i / 2 } else { i }).fill_normal(row);
        let sigma = if mirrored { -sigma } else { sigma };
        row.iter_mut().zip(w).for_each(|(x, &w)| *x = w + sigma * *x);
        space.repair(row, 0, &mut outside.row(i));
    }
}

/// Values of many points; a failure counts as +inf.
fn evaluate<F: Real>(problem: &dyn Problem<F>, points: &Matrix<F>, values: &mut Vec<F>) {
    values.clear();
    values.resize(points.len(), F::infinity());
    problem.values(points.rows(), values);
    values.iter_mut().filter(|f| !f.is_finite()).for_each(|f| *f = F::infinity());
}

/// A difference of which one side failed says nothing.
fn finite<F: Real>(t: F) -> F {
    if t.is_finite() { t } else { F::zero() }
}

/// A source of gradients of any problem, by name.
#[derive(Debug)]
pub struct Source {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// One line: what it is.
    pub summary: &'static str,
    table: fn() -> Vec<Parameter>,
    build: for<'a> fn(&'a dyn Problem, &Settings) -> Result<Box<dyn GradientSource + 'a>>,
}

macro_rules! source {
    ($name:literal, $summary:literal, $Source:ident, $base:expr, $Params:ty) => {{
        fn build<'a>(problem: &'a dyn Problem, settings: &Settings) -> Result<Box<dyn GradientSource + 'a>> {
            Ok(Box::new($Source::new(problem, read::<$Params>($name, $base, settings)?)?))
        }
        fn table() -> Vec<Parameter> {
            let defaults = serde_json::to_value($base).unwrap_or_default();
            let own = |p: Parameter| Parameter { default: defaults[p.name].clone(), ..p };
            <$Params as Parameters>::table().into_iter().map(own).collect()
        }
        Source { name: $name, summary: $summary, table, build }
    }};
}

use cloud::{Consensus, ConsensusParams, LeastSquares, LeastSquaresParams};
use equivalence::Equivalence;
use proximal::Proximal;
use yardstick::{Differences, DifferencesParams, DirectionsParams, RandomDirections};

/// All sources that need no more than the problem's values ([`yardstick::Exact`] needs its gradient).
pub static SOURCES: &[Source] = &[
    source!(
        "equivalence",
        "AdaSwarm's theorems: kappa times the way to the best of a swarm",
        Equivalence,
        equivalence::Params::default(),
        equivalence::Params
    ),
    source!(
        "proximal",
        "gradient of the Moreau envelope, from a swarm",
        Proximal,
        proximal::Params::default(),
        proximal::Params
    ),
    source!(
        "consensus",
        "gradient of the smoothed envelope, from the consensus of a Gaussian cloud",
        Consensus,
        ConsensusParams::default(),
        ConsensusParams
    ),
    source!(
        "least_squares",
        "slope of the plane that fits a Gaussian cloud best",
        LeastSquares,
        LeastSquaresParams::default(),
        LeastSquaresParams
    ),
    source!(
        "differences",
        "finite differences along the axes",
        Differences,
        DifferencesParams::default(),
        DifferencesParams
    ),
    source!(
        "evolution_strategies",
        "mirrored differences along normal directions",
        RandomDirections,
        DirectionsParams::default(),
        DirectionsParams
    ),
    source!(
        "spsa",
        "mirrored differences along directions of signs",
        RandomDirections,
        DirectionsParams::spsa(),
        DirectionsParams
    ),
];

/// The source called `name`; an unknown name gets the nearest right one.
pub fn source(name: &str) -> Result<&'static Source> {
    let found = SOURCES.iter().find(|s| s.name == name);
    found.ok_or_else(|| Error::unknown("gradient source", name, SOURCES.iter().map(|s| s.name)))
}

impl Source {
    /// The source's parameters with symbol, default and range.
    pub fn parameters(&self) -> Vec<Parameter> {
        (self.table)()
    }

    /// The source for a problem; what the settings do not name has its default.
    ///
    /// ```
    /// use swarmgrad_algorithms::gradient;
    /// use swarmgrad_core::{Function, Rng, Space};
    /// let bowl = Function::new(Space::cube(2, -5.0, 5.0)?, |x: &[f64]| x[0] * x[0] + x[1] * x[1]);
    /// let settings = serde_json::from_str(r#"{ "sides": "forward" }"#).unwrap();
    /// let mut source = gradient::source("differences")?.build(&bowl, &settings)?;
    /// let mut out = [0.0; 2];
    /// assert_eq!(source.gradient(&[1.0, 2.0], &mut out, &Rng::new(1)).evaluations, 3);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn build<'a>(&self, problem: &'a dyn Problem, settings: &Settings) -> Result<Box<dyn GradientSource + 'a>> {
        (self.build)(problem, settings)
    }
}

/// The parameters that `base` and the settings over it make.
fn read<P: Parameters>(name: &str, base: P, settings: &Settings) -> Result<P> {
    let table = P::table();
    let mut all = serde_json::to_value(base).unwrap_or_default();
    for (key, value) in settings {
        let Some(parameter) = table.iter().find(|p| p.name == key) else {
            return Err(Error::unknown(&format!("parameter of {name}"), key, table.iter().map(|p| p.name)));
        };
        let whole = value.as_f64().filter(|t| parameter.whole && t.fract() == 0.0 && (0.0..1e15).contains(t));
        all[key] = whole.map_or_else(|| value.clone(), |number| Value::from(number as u64));
        // One parameter at a time, so that the error names it.
        serde_json::from_value::<P>(all.clone())
            .map_err(|why| Error::parameter(key, value, format!("must be {} ({why})", parameter.range)))?;
    }
    serde_json::from_value(all).map_err(|why| Error::parameter("settings", name, why.to_string()))
}
