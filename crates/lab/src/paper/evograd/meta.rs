//! Learned schedules: a method's numbers over the course of a run, learned on some functions, tested on others.

use super::family::Shifted;
use super::functions::yes_or_no;
use super::grid::Grid;
use super::terrain::{FUNCTIONS, Terrain, priced};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Part, Preset, Session, Stated, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::stats::signed_rank;
use crate::table::{Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use swarmgrad::diff::meta::{Learning, LearningState, learn};
use swarmgrad::diff::schedule::Schedule;
use swarmgrad::registry::Settings;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "evograd/meta",
    summary: "schedules learned on some functions against default numbers and schedules by hand, on other functions",
    preset: Preset::Sound,
    run,
};

/// What schedules are learned on, shifted, in these dimensions; all other functions are tests.
pub(super) const TRAINING: [&str; 5] = ["sphere", "rosenbrock", "rastrigin", "ackley", "schwefel_1_2"];
pub(super) const TRAINING_DIMS: [usize; 2] = [5, 10];
/// Evaluations a variable while learning.
pub(super) const BUDGET: u64 = 200;

/// A method, and its numbers that are learned. The mutation rate of the GA is not: its default is 1 / d, so that a learned
/// one would belong to its dimension. Nor is sigma of the ES, which adapts itself.
const METHODS: [(&str, &[&str]); 6] = [
    ("pso", &["inertia", "c1", "c2"]),
    ("de", &["weight", "crossover"]),
    ("ga", &["crossover", "eta_c", "eta_m"]),
    ("empso", &["beta", "c1", "c2"]),
    ("cbo", &["lambda", "sigma"]),
    ("es", &["c_m"]),
];

/// A schedule to be learned.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Pupil {
    pub(super) method: String,
    /// The method's settings beside the usual ones.
    #[serde(skip_serializing_if = "Settings::is_empty")]
    pub(super) own: Settings,
    pub(super) numbers: Vec<String>,
    pub(super) knots: usize,
    pub(super) budget: u64,
    pub(super) steps: usize,
    pub(super) pairs: usize,
    pub(super) functions: Vec<&'static str>,
    pub(super) dims: Vec<usize>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Learnt {
    pub(super) schedule: Schedule,
    pub(super) gain: f64,
}

pub(super) fn settings(json: Value) -> Settings {
    json.as_object().cloned().unwrap_or_default()
}

/// What all runs of a method have in common.
pub(super) fn usual(method: &str) -> Settings {
    settings(if method == "diff_es" {
        json!({ "mode": "classical" })
    } else {
        json!({ "mode": "classical", "particles": 50 })
    })
}

pub(super) fn teach(pupil: &Pupil, part: &Part<'_>) -> Result<Learnt> {
    let family = Shifted::new(&pupil.functions, &pupil.dims, false, |dim| pupil.budget * dim as u64)?;
    let how = Learning {
        settings: usual(&pupil.method).into_iter().chain(pupil.own.clone()).collect(),
        numbers: pupil.numbers.clone(),
        knots: pupil.knots,
        steps: pupil.steps,
        pairs: pupil.pairs,
        from: part.state.read::<LearningState>().map(|(state, _)| state),
        ..Learning::default()
    };
    let mut kept = Ok(());
    let lesson = learn(&pupil.method, &family, &how, |look| {
        part.reached(look.step as f64 / pupil.steps as f64);
        kept = part.state.store(look.state, || Ok(Vec::new()));
        if kept.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    kept?;
    Ok(Learnt { schedule: lesson.schedule, gain: lesson.gain })
}

/// A test run.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Unit {
    pub(super) function: &'static str,
    pub(super) dim: usize,
    pub(super) method: String,
    pub(super) settings: Settings,
    pub(super) budget: u64,
    pub(super) seed: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reached {
    pub(super) value: f64,
}

pub(super) fn walk(unit: &Unit) -> Result<Reached> {
    let terrain = Terrain::new(unit.function, unit.dim, true, unit.seed)?;
    let outcome = priced(&terrain, &unit.method, &unit.settings, None, unit.budget, unit.seed)?;
    Ok(Reached { value: outcome.fun })
}

/// A row of the tests: its name, the method and its settings.
type Row = (String, String, Settings);

/// The numbers of schedules that are well known: inertia from 0.9 to 0.4 (Shi and Eberhart 1999); DE whose individuals carry
/// their F and CR (Brest et al. 2006).
fn by_hand(name: &str) -> Option<Row> {
    let falling = json!({ "method": "diff_pso", "knots": [0.0, 1.0], "numbers": { "inertia": [0.9, 0.4] } });
    match name {
        "pso" => {
            let mut own = usual("diff_pso");
            own.insert("schedule".into(), falling);
            Some(("pso .9 to .4".into(), "diff_pso".into(), own))
        }
        "de" => Some(("jde".into(), "diff_jde".into(), usual("diff_jde"))),
        _ => None,
    }
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let quick = session.quick();
    let methods: Vec<_> = METHODS.into_iter().take(if quick { 2 } else { METHODS.len() }).collect();
    let (dims, budgets): (&[usize], &[u64]) = if quick { (&[10], &[BUDGET]) } else { (&[10, 20, 30], &[BUDGET, 1000]) };
    let held_out: Vec<&'static str> = FUNCTIONS.iter().map(|f| f.0).filter(|f| !TRAINING.contains(f)).collect();
    let held_out: Vec<&'static str> = if quick { held_out[..4].to_vec() } else { held_out };
    let seeds = session.seeds(15, 7);

    let mut findings = Findings::new("Schedules learned on some functions, tested on others");
    findings.protocol(format!(
        "Learned on {} (shifted anew for every run, d = 5 and 10, {BUDGET} d evaluations, populations of 50): five knots, slopes \
         by mirrored pairs of runs, Adam. Constant numbers are learned in the same way, with one knot. Tested on {}, shifted and \
         rotated, d = {dims:?}, {seeds} seeds, budgets of {budgets:?} d evaluations; nothing is tested on what was trained. Best \
         values below 1e-12 count as 1e-12; two-sided Wilcoxon signed-rank tests a function on logarithms, Holm over the \
         functions of a table at 5 %.",
        TRAINING.join(", "),
        held_out.join(", "),
    ));

    let pupils: Vec<Pupil> = methods
        .iter()
        .flat_map(|(name, numbers)| {
            [5, 1].map(|knots| Pupil {
                method: format!("diff_{name}"),
                own: Settings::new(),
                numbers: numbers.iter().map(|n| (*n).to_owned()).collect(),
                knots,
                budget: BUDGET,
                steps: if quick { 12 } else { 100 },
                pairs: if quick { 1 } else { 8 },
                functions: TRAINING[..if quick { 3 } else { 5 }].to_vec(),
                dims: TRAINING_DIMS[..if quick { 1 } else { 2 }].to_vec(),
            })
        })
        .collect();
    let learnt = session.long_units("learn", &pupils, teach)?;

    let mut taught = Table::new(["method", "knots", "gain", "numbers at the knots"]);
    for (pupil, learnt) in pupils.iter().zip(&learnt) {
        let course = |(name, values): (&String, &Vec<f64>)| {
            format!("{name} {}", values.iter().map(|v| significant(*v, 2)).collect::<Vec<_>>().join(" "))
        };
        let numbers = learnt.schedule.numbers.iter().map(course).collect::<Vec<_>>().join("; ");
        taught.row([pupil.method.clone(), pupil.knots.to_string(), fixed(learnt.gain, 2), numbers]);
    }
    findings.table(
        taught,
        "What was learned; the gain is on the training functions with new shifts, in deviations between runs",
    );
    for ((name, _), pair) in methods.iter().zip(learnt.chunks_exact(2)) {
        findings.picture(
            format!("schedule-{name}"),
            drawn(name, &pair[0].schedule),
            format!("Numbers of {name} over a run, as learned"),
        );
        findings.data(format!("schedule/{name}"), json!(pair[0].schedule));
    }

    // Rows: default, learned, constant, by hand.
    let mut rows: Vec<Row> = Vec::new();
    for ((name, _), pair) in methods.iter().zip(learnt.chunks_exact(2)) {
        let method = format!("diff_{name}");
        rows.push((format!("{name} default"), method.clone(), usual(&method)));
        for (kind, learnt) in ["learned", "constant"].into_iter().zip(pair) {
            let mut own = usual(&method);
            own.insert("schedule".into(), json!(learnt.schedule));
            rows.push((format!("{name} {kind}"), method.clone(), own));
        }
        rows.extend(by_hand(name));
    }
    let names: Vec<String> = rows.iter().map(|row| row.0.clone()).collect();
    let mut table = Table::new(["learned", "against", "d", "budget", "wins", "ties", "losses", "lost on", "p across"]);
    // Medians of logarithms on all functions and dimensions: by row, budget by budget.
    let mut all: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); rows.len()]; budgets.len()];
    let mut totals: Vec<[usize; 3]> = vec![[0; 3]; methods.len() * budgets.len()];
    for (b, &budget) in budgets.iter().enumerate() {
        for &dim in dims {
            let mut units = Vec::new();
            for (_, method, own) in &rows {
                for &function in &held_out {
                    units.extend((0..seeds).map(|seed| Unit {
                        function,
                        dim,
                        method: method.clone(),
                        settings: own.clone(),
                        budget: budget * dim as u64,
                        seed,
                    }));
                }
            }
            let reached = session.units("test", &units, walk)?;
            let grid = Grid::new(&names, &held_out, reached.iter().map(|r| r.value));
            for (row, medians) in names.iter().zip(&mut all[b]) {
                medians.extend(held_out.iter().map(|function| grid.median(row, function).log10()));
            }
            for (m, (name, _)) in methods.iter().enumerate() {
                let learned = format!("{name} learned");
                let against = [format!("{name} default"), format!("{name} constant")];
                for other in against.into_iter().chain(by_hand(name).map(|row| row.0)) {
                    let Some(score) = grid.score(&learned, &other)? else { continue };
                    if other.ends_with("default") {
                        let counts = [score.won.len(), score.ties, score.lost.len()];
                        totals[m * budgets.len() + b].iter_mut().zip(counts).for_each(|(t, c)| *t += c);
                    }
                    let about = [(*name).to_owned(), other, dim.to_string(), format!("{budget} d")];
                    table.row(about.into_iter().chain(score.cells()));
                }
            }
            findings.table(grid.table(), format!("Medians of the best value, d = {dim}, {budget} d evaluations"));
        }
    }
    findings.table(table, "Learned schedules on held-out functions");

    let mut better = vec![0; budgets.len()];
    let mut across =
        Table::new(["method", "budget", "wins", "ties", "losses", "p default", "p constant", "p by hand", "better"]);
    for (m, (name, _)) in methods.iter().enumerate() {
        for (b, &budget) in budgets.iter().enumerate() {
            let row = |name: &str| names.iter().position(|row| row == name).map(|r| &all[b][r]);
            let learned = row(&format!("{name} learned"));
            let p = |other: Option<String>| -> Result<Option<f64>> {
                let (Some(mine), Some(theirs)) = (learned, other.and_then(|other| row(&other))) else {
                    return Ok(None);
                };
                let test = signed_rank(mine, theirs)?;
                Ok(Some(if test.balance < 0.0 { 0.5 * test.p } else { 1.0 - 0.5 * test.p }))
            };
            let default = p(Some(format!("{name} default")))?;
            let rest = [p(Some(format!("{name} constant")))?, p(by_hand(name).map(|row| row.0))?];
            let [won, ties, lost] = totals[m * budgets.len() + b];
            let good = default.is_some_and(|p| p <= 0.05) && won > lost;
            better[b] += usize::from(good);
            let shown = |p: Option<f64>| p.map_or(String::new(), |p| significant(p, 2));
            let cells =
                [(*name).to_owned(), format!("{budget} d"), won.to_string(), ties.to_string(), lost.to_string()];
            across.row(cells.into_iter().chain([default, rest[0], rest[1]].map(shown)).chain([yes_or_no(Some(good))]));
        }
    }
    findings.table(
        across,
        "All dimensions: wins and losses against the default numbers, one-sided Wilcoxon over the medians of all functions and \
         dimensions that the learned schedule is better",
    );
    for (&budget, &better) in budgets.iter().zip(&better) {
        findings.claim(
            format!("learned at {BUDGET} d, schedules are better than default numbers on functions and dimensions that they were not \
                     learned on, at {budget} d"),
            Stated::Silent("not measured".into()),
            format!("{better} of {} methods", methods.len()),
            if quick { Verdict::Open } else { Verdict::of(better >= 3) },
            "holds: at least three; p across <= 5 % and more wins than losses",
        );
        findings.data(format!("better/{budget}"), better);
    }
    Ok(findings)
}

/// Every number over the run.
fn drawn(name: &str, schedule: &Schedule) -> String {
    let mut chart =
        Chart::new(format!("{name}: learned schedule"), Axis::linear("share of the budget"), Axis::linear("value"));
    for (number, values) in &schedule.numbers {
        let points = schedule.knots.iter().copied().zip(values.iter().copied()).collect();
        chart.line(Line::new(number.clone(), points).dots());
    }
    chart.svg()
}
