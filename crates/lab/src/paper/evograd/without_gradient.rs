//! Objectives without a gradient: plain methods against the same methods with gradients read off a swarm, at equal evaluations.

use super::functions::classical;
use super::grid::Grid;
use super::terrain::Terrain;
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Stated, Verdict};
use crate::table::Table;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::f64::consts::PI;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use swarmgrad::algorithms::gradient;
use swarmgrad::{Evaluations, GradientSource, Problem, Rng, Run, Space, registry};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "evograd/without-gradient",
    summary: "steps, counts of errors and noisy simulators: hybrid with a swarm's gradient against classical, at equal evaluations",
    preset: Preset::Sound,
    run,
};

/// The methods that are compared with themselves.
const PAIRS: [&str; 3] = ["de", "ga", "pso"];
/// Where gradients come from.
const SOURCES: [&str; 5] = ["consensus", "proximal", "least_squares", "equivalence", "evolution_strategies"];
/// A source at a fraction of the evaluations: evolution strategies with two mirrored pairs.
const CHEAP: &str = "two_pairs";
/// No source: slopes are read off the population, for nothing, by this share of it.
const POPULATION: &str = "population";
const SHARE: f64 = 0.3;
/// How far a source looks, as shares of the width of the box.
const REACHES: [f64; 2] = [0.01, 0.05];
/// Steps of a function across its box.
const STEPS: f64 = 100.0;
/// Rows of the sets that are classified.
const ROWS: usize = 200;
/// Neurons of the classifier that is a network.
const NEURONS: usize = 5;
/// Days that the shop is simulated.
const DAYS: usize = 10;

/// The objectives, and their numbers of variables.
const TASKS: [(&str, usize); 9] = [
    ("step_sphere", 10),
    ("step_rosenbrock", 10),
    ("step_rastrigin", 10),
    ("step_ackley", 10),
    ("errors_plane", 10),
    ("errors_network", 4 * NEURONS + 1),
    ("shop", 10),
    ("noisy_sphere", 10),
    ("noisy_rosenbrock", 10),
];

/// An objective without a gradient.
struct Task {
    kind: Kind,
    space: Space,
    noise: Rng,
    /// Evaluations so far: which noise is next.
    seen: AtomicU64,
}

enum Kind {
    /// The function at the nearest point of a lattice through its minimum, shifted and rotated.
    Steps(Terrain),
    /// Rows that a plane (its normal and offset are the point) puts on the wrong side of the last number's sign.
    Plane(Vec<Vec<f64>>),
    /// Rows that a network of `NEURONS` tanh neurons puts on the wrong side.
    Network(Vec<Vec<f64>>),
    /// Whole stocks of goods; a day's demand is uniform in 0..=2 m. What is left over costs 1, what was missing `short`, and a
    /// piece beyond the room 2.
    Shop { means: Vec<usize>, short: Vec<f64>, room: f64 },
    /// f + xi, xi standard normal, shifted and rotated.
    Additive(Terrain),
    /// f e^{xi / 10}, shifted and rotated.
    Multiplicative(Terrain),
}

impl Task {
    fn new(name: &str, dim: usize, seed: u64) -> Result<Task> {
        let rng = Rng::new(seed).fork("task").fork(name);
        let terrain = |function: &str| Terrain::new(function, dim, true, seed);
        let uniforms = |label: &str, n: usize| {
            let mut out = vec![0.0; n];
            rng.fork(label).row(0).fill_uniform(&mut out);
            out
        };
        let kind = match name.split_once('_') {
            Some(("step", function)) => Kind::Steps(terrain(function)?),
            Some(("noisy", "sphere")) => Kind::Additive(terrain("sphere")?),
            Some(("noisy", function)) => Kind::Multiplicative(terrain(function)?),
            Some((_, "plane")) => Kind::Plane(labelled(&rng, dim - 1, 0.1, {
                let normal = uniforms("normal", dim);
                move |x| normal[dim - 1] - 0.5 + x.iter().zip(&normal).map(|(x, n)| x * (n - 0.5)).sum::<f64>()
            })),
            Some(_) => Kind::Network(labelled(&rng, 2, 0.05, |x| (PI * x[0]).sin() * (PI * x[1]).sin())),
            None => {
                let means: Vec<usize> = uniforms("mean", dim).iter().map(|u| 10 + (40.0 * u) as usize).collect();
                let short = uniforms("short", dim).iter().map(|u| 1.0 + 8.0 * u).collect();
                let room = 0.9 * means.iter().sum::<usize>() as f64;
                Kind::Shop { means, short, room }
            }
        };
        let space = match &kind {
            Kind::Steps(terrain) | Kind::Additive(terrain) | Kind::Multiplicative(terrain) => terrain.space().clone(),
            Kind::Plane(_) => Space::cube(dim, -1.0, 1.0)?,
            Kind::Network(_) => Space::cube(dim, -5.0, 5.0)?,
            Kind::Shop { .. } => Space::cube(dim, 0.0, 100.0)?,
        };
        Ok(Task { kind, space, noise: rng.fork("noise"), seen: AtomicU64::new(0) })
    }

    /// The expected value.
    fn truth(&self, x: &[f64]) -> f64 {
        match &self.kind {
            Kind::Steps(terrain) => terrain.value(&snapped(x, terrain)),
            Kind::Plane(rows) => wrong(rows, |row| x[x.len() - 1] + row.iter().zip(x).map(|(a, b)| a * b).sum::<f64>()),
            Kind::Network(rows) => wrong(rows, |row| score(x, row)),
            Kind::Shop { means, short, room } => {
                let cost = |((s, &mean), short): ((f64, &usize), &f64)| {
                    let demands = (0..=2 * mean).map(|d| left_or_missing(s, d as f64, *short));
                    demands.sum::<f64>() / (2 * mean + 1) as f64
                };
                stocks(x).zip(means).zip(short).map(cost).sum::<f64>() + crowded(x, *room)
            }
            Kind::Additive(terrain) | Kind::Multiplicative(terrain) => terrain.value(x),
        }
    }
}

impl Problem for Task {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        let mut draws = self.noise.row(0);
        if self.noisy() {
            draws = self.noise.row(self.seen.fetch_add(1, Relaxed) as usize);
        }
        match &self.kind {
            Kind::Additive(terrain) => terrain.value(x) + draws.normal(),
            Kind::Multiplicative(terrain) => terrain.value(x) * (0.1 * draws.normal()).exp(),
            Kind::Shop { means, short, room } => {
                let mut sum = 0.0;
                for _ in 0..DAYS {
                    for ((s, mean), short) in stocks(x).zip(means).zip(short) {
                        sum += left_or_missing(s, draws.below(2 * mean + 1) as f64, *short);
                    }
                }
                sum / DAYS as f64 + crowded(x, *room)
            }
            _ => self.truth(x),
        }
    }

    fn noisy(&self) -> bool {
        matches!(self.kind, Kind::Shop { .. } | Kind::Additive(_) | Kind::Multiplicative(_))
    }
}

/// The nearest point of the lattice through the minimum.
fn snapped(x: &[f64], terrain: &Terrain) -> Vec<f64> {
    let cell = terrain.space().width(0) / STEPS;
    x.iter().zip(terrain.optimum()).map(|(x, o)| o + cell * ((x - o) / cell).round()).collect()
}

/// Rows uniform in (-1, 1) with the sign of `rule` behind them, wrong for a share of them.
fn labelled(rng: &Rng, inputs: usize, flipped: f64, rule: impl Fn(&[f64]) -> f64) -> Vec<Vec<f64>> {
    let rng = rng.fork("rows");
    let row = |i: usize| {
        let mut draws = rng.row(i);
        let mut x: Vec<f64> = (0..inputs).map(|_| 2.0 * draws.uniform() - 1.0).collect();
        let sign = if (rule(&x) > 0.0) == (draws.uniform() >= flipped) { 1.0 } else { -1.0 };
        x.push(sign);
        x
    };
    (0..ROWS).map(row).collect()
}

/// How many rows have another sign than they should.
fn wrong(rows: &[Vec<f64>], score: impl Fn(&[f64]) -> f64) -> f64 {
    let missed = |row: &&Vec<f64>| {
        let (x, sign) = row.split_at(row.len() - 1);
        (score(x) > 0.0) != (sign[0] > 0.0)
    };
    rows.iter().filter(missed).count() as f64
}

/// c + sum_h v_h tanh(b_h + <w_h, x>); the weights are `b, w_1, w_2, v` of each neuron, then c.
fn score(weights: &[f64], x: &[f64]) -> f64 {
    let neuron = |own: &[f64]| own[3] * (own[0] + own[1] * x[0] + own[2] * x[1]).tanh();
    weights[4 * NEURONS] + weights[..4 * NEURONS].chunks_exact(4).map(neuron).sum::<f64>()
}

fn stocks(x: &[f64]) -> impl Iterator<Item = f64> + '_ {
    x.iter().map(|t| t.floor())
}

fn left_or_missing(stock: f64, demand: f64, short: f64) -> f64 {
    if stock > demand { stock - demand } else { short * (demand - stock) }
}

fn crowded(x: &[f64], room: f64) -> f64 {
    2.0 * (stocks(x).sum::<f64>() - room).max(0.0)
}

/// The source with a reach, at about 2 d + 1 evaluations a gradient.
fn source<'a>(task: &'a Task, name: &str, share: f64) -> Result<Box<dyn GradientSource + 'a>> {
    let dim = task.space.dim();
    let reach = share * task.space.width(0);
    // Swarms of seven, as many moves as come nearest.
    let moves = ((2 * dim + 1) as f64 / 7.0).round() as usize - 1;
    let settings: Value = match name {
        "consensus" => json!({ "sigma": reach, "particles": 2 * dim }),
        "proximal" => json!({ "tau": 10.0 * reach * reach, "span": reach, "particles": 7, "iterations": moves }),
        "least_squares" => json!({ "sigma": reach }),
        "equivalence" => json!({ "span": reach, "particles": 7, "iterations": moves }),
        CHEAP => json!({ "step": reach, "pairs": 2 }),
        _ => json!({ "step": reach, "pairs": dim }),
    };
    let settings = settings.as_object().cloned().unwrap_or_default();
    let name = if name == CHEAP { "evolution_strategies" } else { name };
    Ok(gradient::source(name)?.build(task, &settings)?)
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Unit {
    task: &'static str,
    dim: usize,
    /// A method and `classical`, a method and `population`, or a method, a source and its reach.
    method: String,
    budget: u64,
    seed: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reached {
    /// Expected value of the point that the run gives.
    value: f64,
    evaluations: u64,
}

fn walk(unit: &Unit) -> Result<Reached> {
    let task = Task::new(unit.task, unit.dim, unit.seed)?;
    let words: Vec<&str> = unit.method.split(' ').collect();
    let name = words[0];
    let settings = match words[..] {
        ["ipop_cma_es"] => json!({}),
        [_, POPULATION] => json!({ "particles": 50, "mode": "hybrid", "slopes": POPULATION, "elite": SHARE }),
        [_, _, _] => json!({ "particles": 50, "mode": "hybrid" }),
        _ => json!({ "particles": 50, "mode": "classical" }),
    };
    let settings = settings.as_object().cloned().unwrap_or_default();
    let name = if name == "ipop_cma_es" { name.to_owned() } else { format!("diff_{name}") };
    let mut method = registry::entry(&name)?.build(&task.space, Some(unit.budget), &settings)?;
    let mut limit = Evaluations(unit.budget);
    let mut source = match words[..] {
        [_, source_name, share] => Some(source(&task, source_name, share.parse().unwrap_or(0.01))?),
        _ => None,
    };
    let mut run = Run::new(&task, &mut *method, unit.seed);
    if let Some(source) = &mut source {
        run = run.gradients(&mut **source, 1.0);
    }
    let outcome = run.watch(&mut limit).minimize();
    Ok(Reached { value: task.truth(&outcome.x), evaluations: outcome.nfev })
}

fn methods() -> Vec<String> {
    let mut all = Vec::new();
    for name in PAIRS {
        all.push(classical(name));
        all.extend(ways().map(|way| format!("{name} {way}")));
    }
    all.push("ipop_cma_es".into());
    all
}

/// Where hybrids have their slopes from.
fn ways() -> impl Iterator<Item = String> {
    let sources = SOURCES.into_iter().chain([CHEAP]);
    let dear = sources.flat_map(|source| REACHES.map(|share| format!("{source} {share}")));
    std::iter::once(POPULATION.to_owned()).chain(dear)
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let mut findings = Findings::new("Metaheuristics with a swarm's gradient where there is no gradient");
    let quick = session.quick();
    let tasks: Vec<(&'static str, usize)> = if quick {
        TASKS.into_iter().filter(|t| ["step_sphere", "errors_plane", "shop"].contains(&t.0)).collect()
    } else {
        TASKS.to_vec()
    };
    let budgets: &[u64] = if quick { &[100] } else { &[1000, 200] };
    let seeds = session.seeds(10, 3);
    findings.protocol(format!(
        "Objectives of 10 variables (the network: {}): functions at the nearest point of a lattice of {STEPS} steps across the box; rows of \
         {ROWS} classified wrongly by a plane (10 % of the labels are wrong) and by a network of {NEURONS} neurons (chequered squares, 5 %); \
         stocks of ten goods in whole pieces, {DAYS} days simulated; the sphere with additive noise of deviation 1, Rosenbrock's function \
         with a lognormal factor of deviation 0.1. Functions are shifted and rotated, everything anew for every seed. Populations of 50; \
         budgets of {} evaluations a variable, in which every evaluation that a source makes counts. Sources take about 2 d + 1 \
         evaluations a gradient ({CHEAP}: evolution strategies with two pairs, 4) and look 0.01 or 0.05 of the box's width around the \
         point; with {POPULATION} slopes are read off the points that the method keeps, for no evaluation, by the best {} %. Judged by the expected value of the run's \
         answer; where values are random the run keeps evaluations back to choose it (110 or half a small budget). {seeds} seeds; two-sided \
         Wilcoxon signed-rank tests an objective on logarithms, Holm's correction over the objectives at 5 %.",
        TASKS[5].1,
        budgets.iter().map(u64::to_string).collect::<Vec<_>>().join(" and "),
        100.0 * SHARE
    ));
    let methods = methods();
    let mut best: Option<(usize, String, u64)> = None;
    for &budget in budgets {
        let mut units = Vec::new();
        for method in &methods {
            for &(task, dim) in &tasks {
                let unit = |seed| Unit { task, dim, method: method.clone(), budget: budget * dim as u64, seed };
                units.extend((0..seeds).map(unit));
            }
        }
        let reached = session.units("run", &units, walk)?;
        let grid = Grid::new(&methods, &tasks.iter().map(|t| t.0).collect::<Vec<_>>(), reached.iter().map(|r| r.value));
        let cells = PAIRS.len() * tasks.len();
        let mut table = Table::new([
            "source",
            "reach",
            "method",
            "wins",
            "ties",
            "losses",
            "median lower",
            "won on",
            "lost on",
            "p across",
        ]);
        for way in ways() {
            let (source, reach) = way.split_once(' ').unwrap_or((&way, ""));
            let (mut won, mut lost, mut lower) = (0, 0, 0);
            for name in PAIRS {
                let (hybrid, classical) = (format!("{name} {way}"), classical(name));
                let Some(score) = grid.score(&hybrid, &classical)? else { continue };
                let under = |task: &&&str| grid.median(&hybrid, task) < grid.median(&classical, task);
                let under = grid.tasks.iter().filter(under).count();
                won += score.won.len();
                lost += score.lost.len();
                lower += under;
                let [wins, ties, losses, lost_on, across] = score.cells();
                let won_on = score.won.join(", ");
                let about = [source.to_owned(), reach.to_owned(), name.to_owned()];
                let counts = [wins, ties, losses, under.to_string(), won_on, lost_on, across];
                table.row(about.into_iter().chain(counts));
            }
            let name = if reach.is_empty() { way.clone() } else { format!("{source}, reach {reach}") };
            if best.as_ref().is_none_or(|(most, ..)| won > *most) {
                best = Some((won, name.clone(), budget));
            }
            let counts = json!({ "won": won, "lost": lost, "lower": lower, "of": cells });
            findings.data(format!("{}/{budget}", way.replace(' ', "/")), counts);
            let verdict = match (2 * won > cells, 2 * lower > cells) {
                (true, _) => Verdict::Holds,
                (false, true) => Verdict::Partly,
                _ => Verdict::Fails,
            };
            findings.claim(
                format!("with the slopes of {name} better than classical on a majority, {budget} d evaluations"),
                Stated::Silent("not measured".into()),
                format!("significantly in {won}, worse in {lost}, better in the median in {lower} of {cells}"),
                verdict,
                "DE, GA and PSO on each objective; holds: significant in more than half; in part: the median is",
            );
        }
        findings.table(table, format!("Hybrid against classical, {budget} d evaluations"));
        findings.table(grid.table(), format!("Medians of the expected value, {budget} d evaluations"));
    }
    if let Some((won, name, budget)) = best {
        findings.note(format!(
            "Most significant wins: {name}, {won} of {} at {budget} d. It is the best of {} that were tried, and so flattered.",
            PAIRS.len() * tasks.len(),
            ways().count()
        ));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_what_they_say() {
        for (name, dim) in TASKS {
            let task = Task::new(name, dim, 4).unwrap();
            assert_eq!(task.space().dim(), dim);
            let mut x = vec![0.0; dim];
            Rng::new(1).fork("x").row(0).fill_uniform(&mut x);
            x.iter_mut().enumerate().for_each(|(j, t)| *t = task.space.lower()[j] + *t * task.space.width(j));
            let (truth, n) = (task.truth(&x), 4_000);
            let values: Vec<f64> = (0..n).map(|_| task.value(&x)).collect();
            if !task.noisy() {
                assert!(values.iter().all(|v| *v == truth), "{name}");
                // Flat around the point: no difference quotient sees anything.
                let beside: Vec<f64> = x.iter().map(|t| t + 1e-9).collect();
                assert_eq!(task.value(&beside), truth, "{name}");
                continue;
            }
            let mean = values.iter().sum::<f64>() / f64::from(n);
            let deviation = crate::stats::standard_deviation(&values);
            // A lognormal factor has the mean e^{0.005}.
            let bias = if name == "noisy_rosenbrock" { 0.005_f64.exp() } else { 1.0 };
            assert!(
                deviation > 0.0 && (mean - bias * truth).abs() < 4.0 * deviation / f64::from(n).sqrt(),
                "{name}: {mean} {truth}"
            );
        }
        let steps = Task::new("step_rosenbrock", 10, 2).unwrap();
        let Kind::Steps(terrain) = &steps.kind else { panic!() };
        let near: Vec<f64> = terrain.optimum().iter().map(|o| o + 0.2).collect();
        assert!(steps.truth(&near) < 1e-20);
        assert!(terrain.value(&near) > 1.0);
        // The plane that made the labels misses those that were turned.
        let plane = Task::new("errors_plane", 10, 2).unwrap();
        let mut normal = vec![0.0; 10];
        Rng::new(2).fork("task").fork("errors_plane").fork("normal").row(0).fill_uniform(&mut normal);
        normal.iter_mut().for_each(|t| *t -= 0.5);
        let misses = plane.truth(&normal);
        assert!((8.0..=34.0).contains(&misses), "{misses}");
        normal.iter_mut().for_each(|t| *t = -*t);
        assert_eq!(plane.truth(&normal), ROWS as f64 - misses);
    }

    #[test]
    fn sources_cost_what_they_should() {
        for (name, dim) in TASKS {
            let task = Task::new(name, dim, 0).unwrap();
            for source_name in SOURCES {
                let mut out = vec![0.0; dim];
                let sampled =
                    source(&task, source_name, 0.05).unwrap().gradient(&vec![0.5; dim], &mut out, &Rng::new(1));
                let cost = sampled.evaluations as usize;
                assert!(cost.abs_diff(2 * dim + 1) <= 1 && sampled.gradients == 0, "{name} {source_name}: {cost}");
            }
        }
    }

    #[test]
    fn every_method_spends_its_budget_and_no_more() {
        for method in methods() {
            for (task, dim) in [TASKS[0], TASKS[6]] {
                let unit = Unit { task, dim, method: method.clone(), budget: 1_000, seed: 2 };
                let reached = walk(&unit).unwrap();
                assert!((950..=1_000).contains(&reached.evaluations), "{method} {task}: {}", reached.evaluations);
                assert_eq!(walk(&unit).unwrap().value.to_bits(), reached.value.to_bits(), "{method} {task}");
            }
        }
    }
}
