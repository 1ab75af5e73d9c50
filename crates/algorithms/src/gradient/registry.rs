//! The sources of gradients by name.

use super::cloud::{Consensus, ConsensusParams, LeastSquares, LeastSquaresParams};
use super::equivalence::{self, Equivalence};
use super::proximal::{self, Proximal};
use super::source::{Source, read};
use super::yardstick::{Differences, DifferencesParams, DirectionsParams, RandomDirections};
use crate::parameters::{Parameter, Parameters, Settings};
use swarmgrad_core::{Error, GradientSource, Problem, Result};

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

/// All sources that need no more than the problem's values ([`Exact`](super::yardstick::Exact) needs its gradient).
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
