//! What supplement tables 12 and 14 have in common: twelve functions of two variables, EMPSO against MPSO and inertia PSO.

use super::Numbers;
use crate::error::Result;
use crate::paper::{Preset, Printed, Session};
use crate::stats::median;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::ops::ControlFlow;
use swarmgrad::registry;
use swarmgrad::{Iterations, Progress, Reason, Run, Space, problems};

/// Particles of every swarm.
pub const PARTICLES: usize = 50;
/// Every coordinate of every particle lies within this distance of the best point: the swarm has collapsed.
pub const NEAR: f64 = 1e-2;

/// The functions in the order of the tables.
pub const FUNCTIONS: [&str; 12] = [
    "ackley",
    "rosenbrock",
    "beale",
    "goldstein_price",
    "booth",
    "bukin6",
    "matyas",
    "levy13",
    "himmelblau",
    "three_hump_camel",
    "easom",
    "cross_in_tray",
];

/// A swarm with its parameters.
#[derive(Debug, Clone, Serialize)]
pub struct Swarm {
    /// How tables call it.
    #[serde(skip)]
    pub title: &'static str,
    /// Its name in the registry.
    pub method: &'static str,
    /// Its parameters.
    pub settings: Map<String, Value>,
}

/// EMPSO as the preset has it, and MPSO and inertia PSO with two pairs of pulls each.
///
/// The supplement states no parameters. The published EMPSO for these functions has c1 = c2 = 1, beta = 0.9 and steps of at
/// most a tenth of the box, and the PSO beside it w = 0.7, c = 1.7; that is preset `paper-code`.
pub fn swarms(preset: Preset) -> [Swarm; 5] {
    let empso = match preset {
        Preset::PaperCode => Numbers { c1: 1.0, c2: 1.0, beta: 0.9, one_draw: false },
        other => Numbers::of(other),
    };
    let swarm = |title, method, settings: Value| {
        let mut settings = settings.as_object().cloned().unwrap_or_default();
        settings.insert("particles".into(), PARTICLES.into());
        settings.insert("velocity_limit".into(), json!(0.1));
        Swarm { title, method, settings }
    };
    [
        swarm("EMPSO", "empso", json!({"c1": empso.c1, "c2": empso.c2, "beta": empso.beta})),
        swarm("MPSO, c = 1", "mpso", json!({"c1": 1.0, "c2": 1.0, "lambda": 0.4})),
        // (1 - lambda) c = 1
        swarm("MPSO, c = 5/3", "mpso", json!({"c1": 5.0 / 3.0, "c2": 5.0 / 3.0, "lambda": 0.4})),
        swarm("PSO, c = 1", "pso", json!({"c1": 1.0, "c2": 1.0, "inertia": 0.7})),
        swarm("PSO, c = 1.7", "pso", json!({"c1": 1.7, "c2": 1.7, "inertia": 0.7})),
    ]
}

/// The swarms in words.
pub fn words(preset: Preset) -> String {
    let empso = &swarms(preset)[0].settings;
    format!(
        "EMPSO has c1 = {}, c2 = {}, beta = {}; MPSO lambda = 0.4, once with c1 = c2 = 1 and once with 5/3, whose pulls are those of \
         c = 1 after the factor 1 - lambda; inertia PSO w = 0.7",
        empso["c1"], empso["c2"], empso["beta"]
    )
}

/// The problem on the domain that the paper's functions usually have.
fn build(function: &str) -> Result<Box<dyn problems::TestProblem<f64>>> {
    // Ackley's function comes with a far larger box here than in the lists that the supplement's functions are from.
    let bounds = if function == "ackley" { Some(Space::cube(2, -5.0, 5.0)?) } else { None };
    Ok(problems::entry(function)?.build::<f64>(2, bounds)?)
}

/// A swarm on a function, as often as there are seeds.
#[derive(Serialize)]
pub struct Unit {
    /// The function.
    pub function: &'static str,
    /// The swarm.
    pub swarm: Swarm,
    /// The most iterations.
    pub iterations: u64,
    /// Whether a collapse ends a run.
    pub collapse: bool,
    /// Number of runs.
    pub seeds: u64,
}

/// What all runs of a unit came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Runs {
    /// Distance of the best value from the minimum.
    pub gaps: Vec<f64>,
    /// Iterations.
    pub iterations: Vec<f64>,
    /// Runs that ended in a collapse.
    pub collapsed: usize,
}

impl Runs {
    /// Median distance of the best value from the minimum.
    pub fn gap(&self) -> f64 {
        median(&self.gaps)
    }

    /// Median number of iterations.
    pub fn typical_iterations(&self) -> f64 {
        median(&self.iterations)
    }
}

/// Computes a unit.
pub fn runs(unit: &Unit) -> Result<Runs> {
    let problem = build(unit.function)?;
    let minimum = problem.minimum().expect("known on the default domain");
    let mut runs = Runs { gaps: Vec::new(), iterations: Vec::new(), collapsed: 0 };
    for seed in 0..unit.seeds {
        let mut swarm = registry::entry(unit.swarm.method)?.build(problem.space(), None, &unit.swarm.settings)?;
        let mut collapsed = |p: &Progress<'_>| {
            let view = p.algorithm.view();
            let Some(x) = view.matrix("x").filter(|_| unit.collapse) else { return ControlFlow::Continue(()) };
            let together = x.iter().all(|x| x.iter().zip(&p.best.x).all(|(x, g)| (x - g).abs() <= NEAR));
            if together { ControlFlow::Break(Reason::Stagnation) } else { ControlFlow::Continue(()) }
        };
        let run = Run::new(&*problem, &mut *swarm, seed)
            .watch(&mut collapsed)
            .watch(&mut Iterations(unit.iterations))
            .minimize();
        runs.collapsed += usize::from(run.reason == Reason::Stagnation);
        runs.gaps.push((run.fun - minimum).max(0.0));
        runs.iterations.push(run.nit as f64);
    }
    Ok(runs)
}

/// All swarms on all functions: a row a function, in the order of [`FUNCTIONS`] and [`swarms`].
pub fn all(
    session: &Session<'_>,
    printed: &Printed,
    seeds: u64,
    collapse: bool,
    iterations: impl Fn(usize) -> u64,
) -> Result<Vec<Vec<Runs>>> {
    assert_eq!(printed.len(), FUNCTIONS.len());
    let swarms = swarms(session.preset());
    let mut units = Vec::new();
    for (row, function) in FUNCTIONS.iter().enumerate() {
        for swarm in &swarms {
            units.push(Unit { function, swarm: swarm.clone(), iterations: iterations(row), collapse, seeds });
        }
    }
    let mut found = session.units("swarm", &units, runs)?.into_iter();
    Ok(FUNCTIONS.iter().map(|_| found.by_ref().take(swarms.len()).collect()).collect())
}
