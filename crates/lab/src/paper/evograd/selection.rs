//! Selection that is differentiated: learned against set by hand on held-out functions, and the paper's modes with it.

use super::functions::yes_or_no;
use super::grid::Grid;
use super::meta::{BUDGET, Learnt, Pupil, Reached, TRAINING, TRAINING_DIMS, Unit, settings, teach, usual, walk};
use super::terrain::{FUNCTIONS, Terrain, priced};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Stated, Verdict};
use crate::stats::signed_rank;
use crate::table::{Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarmgrad::registry::Settings;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "evograd/selection",
    summary: "selection learned on some functions against selection by hand, on others; the paper's modes with differentiated selection",
    preset: Preset::Sound,
    run,
};

/// How a method may select, and the number of it that is learned, with a course of it by hand.
struct Choice {
    name: &'static str,
    method: &'static str,
    own: Value,
    number: &'static str,
    by_hand: [f64; 2],
}

fn choices() -> [Choice; 4] {
    let soft = || json!({ "selection": "soft" });
    let temperature = "selection_temperature";
    [
        Choice { name: "ga", method: "diff_ga", own: soft(), number: temperature, by_hand: [0.3, 0.01] },
        Choice {
            name: "ga ranks",
            method: "diff_ga",
            own: json!({ "parents": "ranks" }),
            number: "pressure",
            by_hand: [1.5, 4.0],
        },
        Choice { name: "de", method: "diff_de", own: soft(), number: temperature, by_hand: [0.3, 0.01] },
        Choice { name: "es", method: "diff_es", own: soft(), number: temperature, by_hand: [0.3, 0.01] },
    ]
}

/// The paper's modes with everything differentiated: a method, its settings, and the classical method that it is held against.
const DIFFERENTIATED: [(&str, &str, &str); 5] = [
    ("ga straight through", "diff_ga", "selection"),
    ("de straight through", "diff_de", "selection"),
    ("es straight through", "diff_es", "selection"),
    ("lshade", "diff_lshade", ""),
    ("cma_es all numbers", "diff_cma_es", "numbers"),
];
const MODES: [&str; 3] = ["adaptive", "diff", "full"];
const PRICES: [u64; 2] = [1, 3];

/// One run with gradients.
#[derive(Debug, Clone, Serialize)]
struct Priced {
    function: &'static str,
    method: String,
    settings: Settings,
    price: u64,
    budget: u64,
    seed: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Best {
    value: f64,
}

const DIM: usize = 10;

fn descend(unit: &Priced) -> Result<Best> {
    let terrain = Terrain::new(unit.function, DIM, false, unit.seed)?;
    let outcome = priced(&terrain, &unit.method, &unit.settings, Some(unit.price as f64), unit.budget, unit.seed)?;
    Ok(Best { value: outcome.fun })
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let mut findings = Findings::new("Selection learned, and the paper's modes with it");
    learned(session, &mut findings)?;
    modes(session, &mut findings)?;
    Ok(findings)
}

/// Learned on some functions, tested on others.
fn learned(session: &Session<'_>, findings: &mut Findings) -> Result<()> {
    let quick = session.quick();
    let dims: &[usize] = if quick { &[10] } else { &[10, 30] };
    let held_out: Vec<&'static str> = FUNCTIONS.iter().map(|f| f.0).filter(|f| !TRAINING.contains(f)).collect();
    let held_out: Vec<&'static str> = if quick { held_out[..4].to_vec() } else { held_out };
    let seeds = session.seeds(15, 7);
    let modes = if quick { "200 d" } else { "1000 d" };
    findings.protocol(format!(
        "Temperature or pressure learned on {} (shifted anew for every run, d = 5 and 10, {BUDGET} d evaluations, mode classical): one \
         constant, and three knots over the run. Tested on {}, shifted and rotated, d = {dims:?}, {seeds} seeds, {BUDGET} d evaluations; \
         nothing is tested on what was trained. The dullest baseline is the plain method's selection. Mixtures are evaluated and \
         counted. The paper's modes: shifted functions, d = {DIM}, {modes} evaluations, price of a value with its gradient {PRICES:?}. \
         Populations of 50 (evolution strategies: their own). Best values below 1e-12 count as 1e-12; two-sided Wilcoxon signed-rank \
         tests a function on logarithms, Holm over the functions of a table at 5 %.",
        TRAINING.join(", "),
        held_out.join(", "),
    ));
    let choices = choices();
    let pupils: Vec<Pupil> = choices
        .iter()
        .flat_map(|choice| {
            [1, 3].map(|knots| Pupil {
                method: choice.method.into(),
                own: settings(choice.own.clone()),
                numbers: vec![choice.number.into()],
                knots,
                budget: BUDGET,
                steps: if quick { 6 } else { 50 },
                pairs: if quick { 1 } else { 4 },
                functions: TRAINING[..if quick { 2 } else { 5 }].to_vec(),
                dims: TRAINING_DIMS[..if quick { 1 } else { 2 }].to_vec(),
            })
        })
        .collect();
    let learnt: Vec<Learnt> = session.long_units("learn", &pupils, teach)?;
    let mut taught = Table::new(["selection", "number", "knots", "gain", "at the knots"]);
    for ((pupil, learnt), choice) in pupils.iter().zip(&learnt).zip(choices.iter().flat_map(|c| [c, c])) {
        let values = learnt.schedule.numbers.values().flatten().map(|v| significant(*v, 2)).collect::<Vec<_>>();
        let cells = [pupil.knots.to_string(), fixed(learnt.gain, 2), values.join(" ")];
        taught.row([choice.name.to_owned(), choice.number.to_owned()].into_iter().chain(cells));
    }
    findings.table(taught, "What was learned; the gain is over the default number, in deviations between runs");

    // Rows of a choice: the plain method, the default number, a course by hand, what was learned.
    let mut rows: Vec<(String, &str, Settings)> = Vec::new();
    for (choice, pair) in choices.iter().zip(learnt.chunks_exact(2)) {
        let with = |schedule: Option<Value>| {
            let own = settings(choice.own.clone());
            let schedule = schedule.map(|schedule| ("schedule".to_owned(), schedule));
            usual(choice.method).into_iter().chain(own).chain(schedule).collect::<Settings>()
        };
        let by_hand =
            json!({ "method": choice.method, "knots": [0.0, 1.0], "numbers": { choice.number: choice.by_hand } });
        let name = |kind: &str| format!("{} {kind}", choice.name);
        rows.push((name("plain"), choice.method, usual(choice.method)));
        rows.push((name("default"), choice.method, with(None)));
        rows.push((name("by hand"), choice.method, with(Some(by_hand))));
        rows.push((name("constant"), choice.method, with(Some(json!(pair[0].schedule)))));
        rows.push((name("learned"), choice.method, with(Some(json!(pair[1].schedule)))));
    }
    let names: Vec<String> = rows.iter().map(|row| row.0.clone()).collect();
    let mut medians: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    let mut table = Table::new(["selection", "against", "d", "wins", "ties", "losses", "lost on", "p across"]);
    let mut totals = vec![[0; 2]; choices.len()];
    for &dim in dims {
        let mut units = Vec::new();
        for (_, method, own) in &rows {
            for &function in &held_out {
                units.extend((0..seeds).map(|seed| Unit {
                    function,
                    dim,
                    method: (*method).into(),
                    settings: own.clone(),
                    budget: BUDGET * dim as u64,
                    seed,
                }));
            }
        }
        let reached: Vec<Reached> = session.units("test", &units, walk)?;
        let grid = Grid::new(&names, &held_out, reached.iter().map(|r| r.value));
        for (name, medians) in names.iter().zip(&mut medians) {
            medians.extend(held_out.iter().map(|function| grid.median(name, function).log10()));
        }
        for (choice, total) in choices.iter().zip(&mut totals) {
            for other in ["plain", "default", "by hand", "constant"] {
                let learned = format!("{} learned", choice.name);
                let Some(score) = grid.score(&learned, &format!("{} {other}", choice.name))? else { continue };
                if other == "plain" {
                    total[0] += score.won.len();
                    total[1] += score.lost.len();
                }
                let about = [choice.name.to_owned(), other.to_owned(), dim.to_string()];
                table.row(about.into_iter().chain(score.cells()));
            }
        }
        findings.table(grid.table(), format!("Medians of the best value, d = {dim}, {BUDGET} d evaluations"));
    }
    findings.table(table, "Learned selection on held-out functions");
    let mut better = 0;
    let mut across =
        Table::new(["selection", "won", "lost", "p plain", "p default", "p by hand", "p constant", "better"]);
    for (choice, [won, lost]) in choices.iter().zip(&totals) {
        let row =
            |kind: &str| names.iter().position(|name| *name == format!("{} {kind}", choice.name)).map(|r| &medians[r]);
        let p = |other: &str| -> Result<f64> {
            let (Some(mine), Some(theirs)) = (row("learned"), row(other)) else { return Ok(1.0) };
            let test = signed_rank(mine, theirs)?;
            Ok(if test.balance < 0.0 { 0.5 * test.p } else { 1.0 - 0.5 * test.p })
        };
        let [plain, default, by_hand, constant] = [p("plain")?, p("default")?, p("by hand")?, p("constant")?];
        let good = plain <= 0.05 && won > lost;
        better += usize::from(good);
        let shown = [plain, default, by_hand, constant].map(|p| significant(p, 2));
        let cells = [choice.name.to_owned(), won.to_string(), lost.to_string()];
        across.row(cells.into_iter().chain(shown).chain([yes_or_no(Some(good))]));
    }
    findings.table(
        across,
        "All dimensions: functions won and lost against the plain method's selection, one-sided Wilcoxon over the medians of all \
         functions and dimensions that learned selection is better",
    );
    findings.claim(
        "learned selection is better than the plain method's on functions and dimensions that it was not learned on",
        Stated::Silent("not measured".into()),
        format!("{better} of {}", choices.len()),
        if quick { Verdict::Open } else { Verdict::share(better, choices.len()) },
        "p across <= 5 % and more functions won than lost",
    );
    findings.data("better", better);
    Ok(())
}

/// The paper's modes against classical.
fn modes(session: &Session<'_>, findings: &mut Findings) -> Result<()> {
    let quick = session.quick();
    let functions: Vec<&'static str> = FUNCTIONS.iter().filter(|f| f.2).map(|f| f.0).collect();
    let functions = if quick { functions[..4].to_vec() } else { functions };
    let (seeds, budget) = (session.seeds(15, 7), if quick { 200 } else { 1000 } * DIM as u64);
    let mut table = Table::new(["method", "mode", "price", "wins", "ties", "losses", "lost on", "p across"]);
    for price in PRICES {
        let mut rows: Vec<(String, String, Settings)> = Vec::new();
        for (name, method, parameter) in DIFFERENTIATED {
            for mode in ["classical"].into_iter().chain(MODES) {
                let mut own = match method {
                    "diff_ga" | "diff_de" => settings(json!({ "particles": 50 })),
                    _ => Settings::new(),
                };
                own.insert("mode".into(), mode.into());
                match parameter {
                    "selection" => own.insert("selection".into(), "straight_through".into()),
                    "numbers" => own.insert("numbers".into(), "all".into()),
                    _ => None,
                };
                rows.push((format!("{name} {mode}"), method.into(), own));
            }
        }
        let mut units = Vec::new();
        for (_, method, own) in &rows {
            for &function in &functions {
                units.extend((0..seeds).map(|seed| Priced {
                    function,
                    method: method.clone(),
                    settings: own.clone(),
                    price,
                    budget,
                    seed,
                }));
            }
        }
        let reached = session.units("modes", &units, descend)?;
        let names: Vec<String> = rows.iter().map(|row| row.0.clone()).collect();
        let grid = Grid::new(&names, &functions, reached.iter().map(|r| r.value));
        let (mut won, mut lost, mut cases) = (0, 0, 0);
        for (name, _, _) in DIFFERENTIATED {
            for mode in MODES {
                let Some(score) = grid.score(&format!("{name} {mode}"), &format!("{name} classical"))? else {
                    continue;
                };
                won += score.won.len();
                lost += score.lost.len();
                cases += functions.len();
                let about = [name.to_owned(), mode.to_owned(), price.to_string()];
                table.row(about.into_iter().chain(score.cells()));
            }
        }
        findings.table(grid.table(), format!("Medians of the best value with differentiated selection, price {price}"));
        let counted = match price {
            1 => "where gradients cost nothing".to_owned(),
            _ => format!("where a value with its gradient costs {price} evaluations"),
        };
        findings.claim(
            format!("with differentiated selection and all numbers, differentiable versions consistently outperform gradient-agnostic \
                     ones, {counted}"),
            Stated::printed("abstract", "in most scenarios"),
            format!("{won} won, {lost} lost, of {cases}"),
            match won {
                _ if quick => Verdict::Open,
                won if 2 * won > cases => Verdict::Holds,
                won if won > lost => Verdict::Partly,
                _ => Verdict::Fails,
            },
            "modes adaptive, diff and full of GA, DE, ES (straight through), L-SHADE and CMA-ES; holds: significantly better on more than half",
        );
        findings.data(format!("modes/{price}"), vec![won, lost, cases]);
    }
    findings.table(table, "The paper's modes with differentiated selection against classical");
    Ok(())
}
