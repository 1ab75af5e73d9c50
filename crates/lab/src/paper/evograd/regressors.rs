//! Small networks on data: hybrid methods against their plain versions and against gradient methods, at equal cost.

use super::functions::{PAIRS, classical, hybrid, pairs, yes_or_no};
use super::grid::Grid;
use super::peer::{Budget, PEERS, spend};
use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings, Preset, Session, Stated, Verdict};
use crate::stats::{mean, median, standard_deviation};
use crate::stopwatch::Stopwatch;
use crate::table::{Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::f64::consts::PI;
use std::path::Path;
use swarmgrad::algorithms::gradient::yardstick::Exact;
use swarmgrad::problems::Network;
use swarmgrad::{Differentiable, Evaluations, Problem, Rng, Run, Start, registry};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "evograd/regressors",
    summary: "small networks on sine, Friedman-1 and four real sets: hybrid against classical, Adam and L-BFGS, at equal cost",
    preset: Preset::Sound,
    run,
};

/// A value with its gradient, in evaluations.
const PRICE: f64 = 3.0;
/// First weights are within this of 0.
const START: f64 = 1.0;
const POPULATION: usize = 50;

/// Data made from the seed.
const MADE: [&str; 2] = ["sine", "friedman_1"];
/// Data from files.
const REAL: [(&str, &str); 4] = [
    ("diabetes", "diabetes.csv"),
    ("concrete", "concrete.csv"),
    ("red_wine", "winequality_red.csv"),
    ("airfoil", "airfoil.csv"),
];

const HIDDEN: usize = Network::HIDDEN;
const BOX: f64 = Network::BOX;

/// Rows of a set: inputs and, last, the target.
type Rows = Vec<Vec<f64>>;

/// A set and its rows; none where every seed makes its own.
type Set = (&'static str, Option<Rows>);

/// y = sin(2 pi x) + 0.05 xi, x uniform in (-1, 1), 200 rows; or Friedman's (1991) first function of five uniform inputs
/// with a standard normal error, 300 rows.
fn made(name: &str, seed: u64) -> Rows {
    let rng = Rng::new(seed).fork(name);
    let (rows, inputs) = if name == "sine" { (200, 1) } else { (300, 5) };
    let row = |i: usize| {
        let mut x = vec![0.0; inputs];
        rng.fork("inputs").row(i).fill_uniform(&mut x);
        let noise = rng.fork("noise").row(i).normal();
        let target = if name == "sine" {
            x[0] = 2.0 * x[0] - 1.0;
            (2.0 * PI * x[0]).sin() + 0.05 * noise
        } else {
            10.0 * (PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2) + 10.0 * x[3] + 5.0 * x[4] + noise
        };
        x.push(target);
        x
    };
    (0..rows).map(row).collect()
}

/// The numbers of a file with one line of headers.
fn parse(path: &str, text: &str) -> Result<Rows> {
    let mut rows: Rows = Vec::new();
    for (line, words) in text.lines().enumerate().skip(1).filter(|(_, words)| !words.is_empty()) {
        let fail = |why: String| Error::Line { path: path.into(), line: line + 1, why };
        let number = |word: &str| match word.trim().parse::<f64>() {
            Ok(t) if t.is_finite() => Ok(t),
            _ => Err(fail(format!("'{word}' must be a finite number"))),
        };
        let row = words.split(',').map(number).collect::<Result<Vec<f64>>>()?;
        let wanted = rows.first().map_or(row.len().max(2), Vec::len);
        if row.len() != wanted {
            return Err(fail(format!("{} columns: must be {wanted}", row.len())));
        }
        rows.push(row);
    }
    if rows.len() < 8 {
        return Err(Error::value(path, format!("{} rows", rows.len()), "at least 8"));
    }
    Ok(rows)
}

/// The file in the folder of the data, or in its folder `regression`.
fn read(folder: Option<&Path>, file: &str) -> Result<Option<Rows>> {
    let places = folder.into_iter().flat_map(|folder| [folder.join("regression").join(file), folder.join(file)]);
    let Some(path) = places.into_iter().find(|path| path.is_file()) else { return Ok(None) };
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(&path).map_err(|why| Error::File { path: name.clone(), why: why.to_string() })?;
    parse(&name, &text).map(Some)
}

/// Three quarters of the rows to train on and the rest, drawn by the seed; every column standardised by the first.
fn split(rows: &[Vec<f64>], seed: u64) -> [Rows; 2] {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    Rng::new(seed).fork("split").row(0).shuffle(&mut order);
    let train = rows.len() * 3 / 4;
    let law = |j: usize| {
        let column: Vec<f64> = order[..train].iter().map(|&i| rows[i][j]).collect();
        let deviation = standard_deviation(&column);
        (mean(&column), if deviation > 0.0 { deviation } else { 1.0 })
    };
    let laws: Vec<(f64, f64)> = (0..rows[0].len()).map(law).collect();
    let standard = |i: &usize| rows[*i].iter().zip(&laws).map(|(t, (middle, width))| (t - middle) / width).collect();
    [order[..train].iter().map(standard).collect(), order[train..].iter().map(standard).collect()]
}

fn networks((name, rows): &Set, seed: u64) -> Result<[Network; 2]> {
    let [train, test] = match rows {
        Some(rows) => split(rows, seed),
        None => split(&made(name, seed), seed),
    };
    Ok([Network::new(&train)?, Network::new(&test)?])
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Unit {
    set: &'static str,
    /// A method and its mode, or a peer.
    method: String,
    budget: u64,
    seed: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reached {
    /// Errors of the weights that are best in training.
    train: f64,
    test: f64,
    evaluations: u64,
    gradients: u64,
    /// CPU time of the search alone.
    seconds: f64,
}

fn walk(unit: &Unit, sets: &[Set]) -> Result<Reached> {
    let set = sets.iter().find(|set| set.0 == unit.set);
    let set = set.ok_or_else(|| Error::value("set", unit.set, "one that is here"))?;
    let [train, test] = networks(set, unit.seed)?;
    let (rng, begin) = (Rng::new(unit.seed), Stopwatch::start());
    let mut budget = Budget { reach: START / BOX, ..Budget::new(&train, PRICE, unit.budget as f64) };
    let (value, x, evaluations, gradients) = match unit.method.split_once(' ') {
        _ if spend(&unit.method, &mut budget, &rng) => {
            let evaluations = budget.evaluations(unit.budget as f64);
            (budget.best, budget.at, evaluations, evaluations)
        }
        words => {
            let (name, mode) = words.unwrap_or((&unit.method, "classical"));
            let dim = train.space().dim();
            let first = |row: usize| {
                let mut x = vec![0.0; dim];
                rng.fork("first").row(row).fill_uniform(&mut x);
                x.iter_mut().for_each(|t| *t = START * (2.0 * *t - 1.0));
                x
            };
            let start = Start::Points((0..POPULATION).map(first).collect());
            let settings = json!({ "particles": POPULATION, "mode": mode, "start": start });
            let settings = settings.as_object().cloned().unwrap_or_default();
            let mut method =
                registry::entry(&format!("diff_{name}"))?.build(train.space(), Some(unit.budget), &settings)?;
            let mut source = Exact::<f64, Network>::new(&train);
            let mut limit = Evaluations(unit.budget);
            let run = Run::new(&train, &mut *method, unit.seed).gradients(&mut source, PRICE);
            let outcome = run.watch(&mut limit).minimize();
            (outcome.fun, outcome.x, outcome.nfev, outcome.ngev)
        }
    };
    let seconds = begin.seconds();
    Ok(Reached { train: value, test: test.value(&x), evaluations, gradients, seconds })
}

/// CPU seconds of a value, and of a value with its gradient as the methods ask for it, one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Price {
    value: f64,
    both: f64,
}

/// The least of several rounds: others compute on the machine too.
fn price(set: &Set) -> Result<Price> {
    let [train, _] = networks(set, 0)?;
    let x: Vec<f64> = (0..train.space().dim()).map(|j| (j as f64).sin()).collect();
    let mut gradient = vec![0.0; x.len()];
    let mut least = Price { value: f64::INFINITY, both: f64::INFINITY };
    let mut sum = 0.0;
    for _ in 0..20 {
        let begin = Stopwatch::start();
        (0..50).for_each(|_| sum += train.value(std::hint::black_box(&x)));
        least.value = least.value.min(begin.seconds() / 50.0);
        let begin = Stopwatch::start();
        for _ in 0..50 {
            train.gradient(std::hint::black_box(&x), &mut gradient);
            sum += train.value(std::hint::black_box(&x)) + gradient[0];
        }
        least.both = least.both.min(begin.seconds() / 50.0);
    }
    std::hint::black_box(sum);
    Ok(least)
}

/// The paper's modes, which carry its claim.
const MODES: [&str; 3] = ["adaptive", "diff", "full"];

fn methods() -> Vec<String> {
    let modes = ["de", "ga", "pso"].iter().flat_map(|name| MODES.map(|mode| format!("{name} {mode}")));
    pairs().chain(modes).chain(PEERS.map(String::from)).collect()
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let mut findings = Findings::new("Networks trained by metaheuristics with gradients, at equal cost");
    let folder = session.settings().data.as_deref();
    let mut sets: Vec<Set> = MADE.map(|name| (name, None)).to_vec();
    let mut missing = Vec::new();
    for (name, file) in REAL {
        match read(folder, file)? {
            Some(rows) => sets.push((name, Some(rows))),
            None => missing.push(name),
        }
    }
    findings.left_out(&missing);
    let (budget, seeds) = if session.quick() { (3_000, session.seeds(3, 3)) } else { (10_000, session.seeds(10, 3)) };
    findings.protocol(format!(
        "One hidden layer of {HIDDEN} tanh neurons, mean squared error of all training rows. Weights within {BOX} of 0; first weights \
         uniform within {START}, the same for all methods with a population of a seed ({POPULATION} points). Three quarters of the rows \
         to train on, drawn by the seed; inputs and targets standardised by them. {budget} evaluations, a value with its gradient counting \
         as {PRICE}. {seeds} seeds. Test error is that of the weights with the least training error. Wilcoxon signed-rank tests a set on \
         logarithms, Holm's correction over the sets at 5 %. Adam has five starts and a rate that falls as a cosine, given as a share of {BOX}."
    ));
    let methods = methods();
    let names: Vec<&'static str> = sets.iter().map(|set| set.0).collect();
    let mut units = Vec::new();
    for method in &methods {
        for &set in &names {
            units.extend((0..seeds).map(|seed| Unit { set, method: method.clone(), budget, seed }));
        }
    }
    let reached = session.units("train", &units, |unit| walk(unit, &sets))?;
    let prices = session.units("price", &names, |name| {
        let set = sets.iter().find(|set| set.0 == *name);
        price(set.ok_or_else(|| Error::value("set", *name, "one that is here"))?)
    })?;
    let grid = |of: fn(&Reached) -> f64| Grid::new(&methods, &names, reached.iter().map(of));
    let (train, test, seconds) = (grid(|r| r.train), grid(|r| r.test), grid(|r| r.seconds));

    let (mut halved, mut better, mut tested) = ([0, 0], [0, 0], [0, 0]);
    let headers = [
        "method",
        "set",
        "train classical",
        "hybrid",
        "ratio",
        "test classical",
        "hybrid",
        "ratio",
        "seconds classical",
        "hybrid",
        "asked for",
        "holds",
    ];
    let mut pairs = Table::new(headers);
    for name in PAIRS {
        for &set in &names {
            let of = |grid: &Grid| [classical(name), hybrid(name)].map(|method| grid.median(&method, set));
            let ([plain, mixed], [plain_test, mixed_test], time) = (of(&train), of(&test), of(&seconds));
            let (made, judged) = (MADE.contains(&set), ["de", "ga", "pso"].contains(&name));
            let holds = if made { mixed <= 0.5 * plain } else { mixed < plain };
            let counter = if made { &mut halved } else { &mut better };
            if judged {
                counter[0] += usize::from(holds);
                counter[1] += 1;
            }
            let asked = judged.then_some(if made { "<= 0.5" } else { "< 1" });
            tested[0] += usize::from(mixed_test < plain_test);
            tested[1] += 1;
            pairs.row([
                name.to_owned(),
                set.to_owned(),
                significant(plain, 3),
                significant(mixed, 3),
                significant(mixed / plain, 2),
                significant(plain_test, 3),
                significant(mixed_test, 3),
                significant(mixed_test / plain_test, 2),
                significant(time[0], 2),
                significant(time[1], 2),
                asked.unwrap_or_default().to_owned(),
                yes_or_no(judged.then_some(holds)),
            ]);
        }
    }
    findings.table(pairs, "Hybrid against classical: medians of the errors, variance of the targets = 1");
    let mut wins = Table::new(["method", "error", "wins", "ties", "losses", "lost on", "p across"]);
    for name in PAIRS {
        for (what, grid) in [("train", &train), ("test", &test)] {
            if let Some(score) = grid.score(&hybrid(name), &classical(name))? {
                wins.row([name.to_owned(), what.to_owned()].into_iter().chain(score.cells()));
            }
        }
    }
    findings.table(wins, format!("Hybrid against classical on {} sets", names.len()));
    findings.table(train.table(), "Medians of the training error");
    findings.table(test.table(), "Medians of the test error");
    findings.table(seconds.table(), "Medians of the seconds of CPU time");
    let mut measured = Table::new(["set", "weights", "microseconds of a value", "value with gradient, in values"]);
    for (set, price) in sets.iter().zip(&prices) {
        let weights = networks(set, 0)?[0].space().dim();
        let cells = [
            set.0.to_owned(),
            weights.to_string(),
            significant(1e6 * price.value, 2),
            fixed(price.both / price.value, 2),
        ];
        measured.row(cells);
    }
    findings.table(measured, "What a gradient takes, measured");

    // The paper's modes carry its claim, the elite injection is ours.
    let (mut won, mut lost, mut cases) = (0, 0, 0);
    for (name, mode) in ["de", "ga", "pso"].iter().flat_map(|name| MODES.map(|mode| (name, mode))) {
        if let Some(score) = train.score(&format!("{name} {mode}"), &classical(name))? {
            won += score.won.len();
            lost += score.lost.len();
            cases += names.len();
        }
    }
    findings.claim(
        "small networks: differentiable versions consistently outperform gradient-agnostic ones",
        Stated::printed("abstract", "in most scenarios"),
        format!("training error significantly lower in {won}, higher in {lost}, of {cases}"),
        match won {
            _ if session.quick() => Verdict::Open,
            won if 2 * won > cases => Verdict::Holds,
            won if won > lost => Verdict::Partly,
            _ => Verdict::Fails,
        },
        format!(
            "the paper's modes adaptive, diff and full of DE, GA and PSO; a value with its gradient counts as {PRICE}"
        ),
    );
    findings.data("modes", vec![won, lost, cases]);
    findings.claim(
        "training error at most half of the classical method's on sine and Friedman-1 (DE, GA, PSO)",
        Stated::specified("all of them"),
        format!("{} of {}", halved[0], halved[1]),
        Verdict::share(halved[0], halved[1]),
        format!("medians of {seeds} seeds at equal cost, our hybrid mode"),
    );
    if better[1] > 0 {
        findings.claim(
            "training error below the classical method's on every real set (DE, GA, PSO)",
            Stated::specified("all of them"),
            format!("{} of {}", better[0], better[1]),
            Verdict::share(better[0], better[1]),
            format!("medians of {seeds} seeds at equal cost, our hybrid mode"),
        );
    }
    findings.claim(
        "the networks generalise better",
        Stated::Silent("not said".into()),
        format!("test error lower in {} of {}", tested[0], tested[1]),
        Verdict::share(tested[0], tested[1]),
        "test error is no part of the objective: fitting the training rows better may be worse for it",
    );
    let best = |grid: &Grid, set: &str, peer: bool| {
        let named = |m: &&String| if peer { PEERS.contains(&m.as_str()) } else { m.ends_with("hybrid") };
        grid.methods.iter().filter(named).map(|m| grid.median(m, set)).fold(f64::INFINITY, f64::min)
    };
    let ahead = names.iter().filter(|set| best(&train, set, false) < best(&train, set, true)).count();
    findings.claim(
        "hybrids train networks better than Adam and L-BFGS do",
        Stated::Silent("not said".into()),
        format!("the best of {} hybrids is ahead of the best of {} peers on {ahead} of {} sets", PAIRS.len(), PEERS.len(), names.len()),
        Verdict::share(ahead, names.len()),
        "medians of the training error at equal cost; whoever has the gradient of a smooth loss should start with these",
    );
    findings.data("halved", halved[0]).data("better", better[0]).data("ahead", ahead);
    let ratio = median(&prices.iter().map(|p| p.both / p.value).collect::<Vec<_>>());
    findings.note(format!(
        "A value with its gradient takes {} values of CPU time in the median, {PRICE} are counted.",
        fixed(ratio, 2)
    ));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_standardised_by_the_rows_trained_on() {
        let rows = made("friedman_1", 3);
        let [train, test] = split(&rows, 3);
        assert_eq!((train.len(), test.len()), (225, 75));
        for j in 0..6 {
            let column: Vec<f64> = train.iter().map(|row| row[j]).collect();
            assert!(mean(&column).abs() < 1e-12 && (standard_deviation(&column) - 1.0).abs() < 1e-12);
        }
        assert_ne!(split(&rows, 4)[0][0], train[0]);
        assert_eq!(split(&rows, 3)[1], test);
        // A constant column says nothing and harms nothing.
        let constant: Rows = (0..8).map(|i| vec![2.0, f64::from(i)]).collect();
        assert!(split(&constant, 0)[0].iter().all(|row| row[0] == 0.0 && row[1].is_finite()));
    }

    #[test]
    fn files_are_read_or_refused() {
        let body = "1,2,3\n".repeat(8);
        assert_eq!(parse("t.csv", &format!("a,b,y\n{body}")).unwrap()[7], [1.0, 2.0, 3.0]);
        let ragged = parse("t.csv", &format!("a,b,y\n{body}1,2\n")).unwrap_err().to_string();
        assert_eq!(ragged, "t.csv:10: 2 columns: must be 3");
        let word = parse("t.csv", "a,y\n1,M\n").unwrap_err().to_string();
        assert_eq!(word, "t.csv:2: 'M' must be a finite number");
        assert!(parse("t.csv", "a,y\n1,2\n").is_err());
        assert!(read(None, "diabetes.csv").unwrap().is_none());
    }

    #[test]
    fn every_method_spends_its_budget_and_learns() {
        let sets: Vec<Set> = vec![("sine", None)];
        for method in methods() {
            let reached = walk(&Unit { set: "sine", method: method.clone(), budget: 1_500, seed: 1 }, &sets).unwrap();
            let cost = reached.evaluations + 2 * reached.gradients;
            assert!((1_470..=1_500).contains(&cost), "{method}: {cost}");
            // A constant has an error of 1 - 1/150.
            assert!(reached.train < 0.99 && reached.test.is_finite(), "{method}: {}", reached.train);
            assert_eq!(reached.gradients == 0, method.ends_with("classical"));
        }
    }
}
