//! Tables IV, V and supplement tables 5 to 8: small networks on the fifteen data sets, one optimiser a column.
//!
//! Two protocols. The published one trains on all rows with raw features, a batch of 50 and a learning rate of .1, and reports the
//! last epoch's running means on the training rows. The sound one trains on nine tenths of the rows, standardised, and judges
//! on the tenth that is left, a fold a seed.

use super::logistic::{Logistic, RIDGE};
use crate::error::Result;
use crate::paper::{Findings, Preset, Printed, Session, Verdict};
use crate::record;
use crate::stats::{Equivalence, equivalence, holm, mean, mean_interval, median, paired_t};
use crate::stopwatch::Stopwatch;
use crate::table::{Table, fixed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarmgrad::Rng;
use swarmgrad::algorithms::gradient::elements::{Kappa, Search, Start};
use swarmgrad::algorithms::particle::Pulls;
use swarmgrad_nn::data::{self, Categories, Dataset, Options};
use swarmgrad_nn::loss::{self, Block};
use swarmgrad_nn::model::Output;
use swarmgrad_nn::signal::{Signal, SwarmSignal};
use swarmgrad_nn::train::{Trainer, Training, constant_outputs, repeated, score};

/// The fifteen data sets: the paper's name and ours.
pub const DATA: [(&str, &str); 15] = [
    ("Iris", "iris"),
    ("Ionosphere", "ionosphere"),
    ("Wisconsin Breast Cancer", "wbc"),
    ("Sonar", "sonar"),
    ("Wheat Seeds", "seeds"),
    ("Bank Note Authentication", "banknote"),
    ("Heart Disease", "heart"),
    ("Haberman's Survival", "haberman"),
    ("Wine", "wine"),
    ("Car Evaluation", "car"),
    ("Indian Liver Patient", "ilpd"),
    ("Abalone", "abalone"),
    ("Titanic", "titanic"),
    ("Pima India Diabetes", "pima"),
    ("Agaricus Lepiota", "mushroom"),
];

/// A column: an optimiser as the paper has it, a control, or a formulation of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its key in records.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The paper's column, if it has one.
    pub printed: &'static str,
}

const fn column(key: &'static str, title: &'static str, printed: &'static str) -> Column {
    Column { key, title, printed }
}

/// Every column.
pub const COLUMNS: [Column; 11] = [
    column("sgd", "SGD", "SGD"),
    column("sgd_swarm", "SGD, swarm", "SGD_emulated_PSO"),
    column("adagrad", "AdaGrad", "AdaGrad"),
    column("adadelta", "AdaDelta", "AdaDelta"),
    column("rmsprop", "RMSProp", "RMSProp"),
    column("amsgrad", "AMSGrad", "AMSGrad"),
    column("adam", "Adam", "Adam"),
    column("adam_on_mse", "Adam on MSE", ""),
    column("adaswarm", "AdaSwarm", "AdaSwarm"),
    column("adaswarm_element", "AdaSwarm, element", ""),
    column("adaswarm_prox", "AdaSwarm, prox", ""),
];

/// The columns that the sound protocol compares.
pub const SOUND: [&str; 5] = ["adam", "adam_on_mse", "adaswarm_element", "adaswarm_prox", "sgd"];

/// Points of accuracy by which a mean may miss the printed figure, beyond half of its 95 % interval, and still be called reproduced.
pub const MARGIN: f64 = 2.0;

/// Points of accuracy within which a network is as good as logistic regression.
const AS_GOOD: f64 = 2.0;

/// Accuracies of a program that shares nothing with this crate but the data, on three of the sets: `tests/reference/tables_4_5.py`
/// prints them.
pub const INDEPENDENT: &str = include_str!("independent-tables-4-5.csv");

/// A table of this kind.
#[derive(Debug)]
pub struct Shape {
    /// Heading.
    pub title: &'static str,
    /// Name of the loss.
    pub loss: &'static str,
    /// The paper's figures.
    pub printed: &'static str,
    /// Epochs of the published protocol.
    pub epochs: u64,
}

/// What one network is trained on, with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Data set.
    pub data: String,
    /// Key of the column.
    pub column: String,
    /// Loss.
    pub loss: String,
    /// Whose protocol.
    pub preset: Preset,
    /// Epochs.
    pub epochs: u64,
    /// Seed, and in the sound protocol the fold.
    pub seed: u64,
}

/// What became of it: accuracies in per cent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Mean loss of the last epoch's batches.
    #[serde(with = "record::number")]
    pub loss: f64,
    /// Element-wise accuracy, the paper's.
    pub element: f64,
    /// Argmax accuracy.
    pub argmax: f64,
    /// Argmax accuracy on rows that were not trained on; NaN where there are none.
    #[serde(with = "record::number")]
    pub test: f64,
    /// Element-wise accuracy of each epoch.
    pub curve: Vec<f32>,
    /// Loss elements that swarms evaluated.
    pub evaluations: u64,
    /// CPU seconds of training.
    pub seconds: f64,
}

/// The swarm of a column and a preset.
fn signal(column: &str, preset: Preset) -> Option<Signal> {
    // Whole-batch particles, ten of them, forty moves: the published numbers of both texts.
    let batch = |c1: f64, c2: f64, beta: f64, start: Start, momentum: bool, eta: f64| {
        Signal::Swarm(SwarmSignal {
            search: Search {
                c1,
                c2,
                beta,
                eta: Some(eta),
                start,
                momentum,
                // One number a pull and particle, as every published program draws them.
                draws: Pulls::PerParticle,
                confine: Some([0.0, 1.0]),
                kappa: Kappa::Paper,
                ..Search::default()
            },
            block: Some(Block::Batch),
            sum: true,
            ..SwarmSignal::default()
        })
    };
    let uniform = Start::Blind { low: 0.0, high: 1.0 };
    // The program adds sqrt(.1) U(0, 1) to the one-hot labels, and its particles' momentum is never updated.
    let labels = Start::Target { spread: 0.1f64.sqrt() };
    let eta = if column == "sgd_swarm" { 0.5 } else { 0.1 };
    match (column, preset) {
        ("adaswarm" | "sgd_swarm", Preset::PaperText) => Some(batch(0.8, 0.9, 0.9, uniform, true, eta)),
        ("adaswarm" | "sgd_swarm", Preset::PaperCode) => Some(batch(0.9, 0.8, 0.1, labels, false, eta)),
        _ => None,
    }
}

/// The optimiser of a column.
fn optimizer(column: &str) -> &str {
    if column == "adaswarm_element" { "adaswarm" } else { column }
}

/// The learning rate: .1 for everything in the published protocol; else a tenth for rules without a scale of their own.
fn rate(column: &str, preset: Preset) -> f64 {
    match (preset, column) {
        (Preset::Sound, "sgd" | "sgd_swarm" | "adagrad") => 0.1,
        (Preset::Sound, "adadelta") => 1.0,
        (Preset::Sound, _) => 0.01,
        _ => 0.1,
    }
}

/// The rows to train on, and in the sound protocol those that are left for the test.
fn rows(data: &str, preset: Preset, seed: u64) -> Result<(Dataset, Option<Dataset>)> {
    let table = data::load(data, data::Preset::Paper)?;
    Ok(match preset {
        Preset::Sound => {
            let options = Options { standardise: true, categories: Categories::OneHot, ..Options::default() };
            let folds = table.folds(10, &Rng::new(seed / 10).fork("folds"))?;
            let parts = table.parts(&folds[(seed % 10) as usize], &options)?;
            (parts.train, Some(parts.test))
        }
        _ => (table.dataset(&data::Preset::Paper.options())?, None),
    })
}

/// Trains one network.
pub fn train(unit: &Unit) -> Result<Trained> {
    let (rows, rest) = rows(&unit.data, unit.preset, unit.seed)?;
    let training = Training {
        loss: unit.loss.clone(),
        optimizer: optimizer(&unit.column).into(),
        rate: Some(rate(&unit.column, unit.preset)),
        signal: signal(&unit.column, unit.preset),
        epochs: unit.epochs,
        batch: 50,
        seed: unit.seed,
        ..Training::default()
    };
    let (x, y) = (&rows.features, rows.target_rows());
    let watch = Stopwatch::start();
    let mut trainer = Trainer::new(&training, &rows)?;
    let mut curve = Vec::with_capacity(unit.epochs as usize);
    let mut last = None;
    for _ in 0..unit.epochs {
        let epoch = trainer.epoch(x, &y)?;
        curve.push((100.0 * epoch.running.element) as f32);
        last = Some(epoch);
    }
    let seconds = watch.seconds();
    let last = last.ok_or_else(|| crate::error::Error::value("epochs", 0, "at least 1"))?;
    let test = rest.map_or(f64::NAN, |rest| 100.0 * trainer.score(&rest.features, &rest.target_rows()).argmax);
    Ok(Trained {
        loss: last.running.loss,
        element: 100.0 * last.running.element,
        argmax: 100.0 * last.running.argmax,
        test,
        curve,
        evaluations: last.evaluations,
        seconds,
    })
}

/// The rows that the yardstick is fitted to and judged on: those of a fold of the sound protocol.
#[derive(Serialize)]
struct Yardstick {
    data: String,
    ridge: f64,
    seed: u64,
}

/// Argmax accuracy of logistic regression in per cent.
fn yardstick(unit: &Yardstick) -> Result<f64> {
    let (rows, rest) = rows(&unit.data, Preset::Sound, unit.seed)?;
    Ok(100.0 * Logistic::fit(&rows).accuracy(rest.as_ref().unwrap_or(&rows)))
}

/// What the dullest answer comes to, the same for every row: accuracies in per cent, and the loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dullest {
    /// Of the paper's accuracy: each output rounded to what most of its targets are.
    pub element: f64,
    /// Of the largest class, on all rows or in the sound protocol on those that were not trained on.
    pub argmax: f64,
    /// Of the constant outputs with the smallest mean loss.
    pub loss: f64,
}

/// The dullest answer for a data set and a loss; `seed` chooses the fold of the sound protocol.
pub fn dullest(data: &str, preset: Preset, loss: &str, seed: u64) -> Result<Dullest> {
    let (rows, rest) = rows(data, preset, seed)?;
    let judged = rest.as_ref().unwrap_or(&rows);
    let (counts, all) = (rows.counts(), rows.len() as f64);
    let largest = counts.iter().enumerate().max_by_key(|(_, n)| **n).map_or(0, |(class, _)| class);
    let argmax = judged.counts().get(largest).map_or(f64::NAN, |&n| n as f64 / judged.len() as f64);
    let each: Vec<f64> = counts.iter().map(|&n| (n as f64 / all).max(1.0 - n as f64 / all)).collect();
    let built = loss::entry(loss)?.build(rows.outputs());
    let answers = repeated(&constant_outputs(&*built, &rows, Output::Sigmoid), rows.len());
    let loss = score(&*built, &answers, &rows.target_rows()).loss;
    Ok(Dullest { element: 100.0 * mean(&each), argmax: 100.0 * argmax, loss })
}

/// The data sets that are here, and the names of those that are not.
fn present(session: &Session<'_>) -> (Vec<usize>, Vec<&'static str>) {
    let wanted = if session.quick() { vec![0, 8] } else { (0..DATA.len()).collect() };
    let (here, missing): (Vec<usize>, Vec<usize>) =
        wanted.into_iter().partition(|&d| data::load(DATA[d].1, data::Preset::Paper).is_ok());
    (here, missing.into_iter().map(|d| DATA[d].1).collect())
}

/// All runs of some columns: by data set (an index into [`DATA`]), by column, by seed.
type Grid = Vec<(usize, Vec<Vec<Trained>>)>;

fn grid(session: &Session<'_>, columns: &[&str], loss: &str, epochs: u64) -> Result<(Grid, Vec<&'static str>)> {
    let (here, missing) = present(session);
    let seeds = session.seeds(10, 2);
    let mut units = Vec::new();
    for &d in &here {
        for &column in columns {
            units.extend((0..seeds).map(|seed| Unit {
                data: DATA[d].1.into(),
                column: column.into(),
                loss: loss.into(),
                preset: session.preset(),
                epochs,
                seed,
            }));
        }
    }
    let mut trained = session.units("networks", &units, train)?.into_iter();
    let grid = here
        .into_iter()
        .map(|d| (d, columns.iter().map(|_| trained.by_ref().take(seeds as usize).collect()).collect()))
        .collect();
    Ok((grid, missing))
}

fn all(runs: &[Trained], of: impl Fn(&Trained) -> f64) -> Vec<f64> {
    runs.iter().map(of).collect()
}

/// Mean and half the width of its 95 % interval.
fn spread(sample: &[f64], decimals: usize) -> Result<String> {
    let m = mean(sample);
    if sample.len() < 2 {
        return Ok(fixed(m, decimals));
    }
    let interval = mean_interval(sample, 0.95)?;
    Ok(format!("{} ± {}", fixed(m, decimals), fixed(0.5 * (interval.high - interval.low), decimals)))
}

/// One of the tables.
pub fn run(session: &Session<'_>, shape: &Shape) -> Result<Findings> {
    match session.preset() {
        Preset::Sound => sound(session, shape),
        _ => published(session, shape),
    }
}

/// Figures of the paper by data set and column.
fn printed_cell(printed: &Printed, data: usize, metric: &str, column: &str) -> Option<f64> {
    let name = DATA[data].0;
    let same = |row: &usize| {
        let theirs = printed.text(*row, "dataset");
        (theirs == name || theirs.replace("Indian D", "India D") == name)
            && printed.text(*row, "metric").starts_with(metric)
    };
    (0..printed.len()).find(same).and_then(|row| printed.number(row, column))
}

/// Mean element-wise accuracy of the independent program after so many epochs, where it has that column.
fn independent_cell(independent: &Printed, data: &str, loss: &str, column: &str, epochs: u64) -> Option<f64> {
    let same = |&row: &usize| {
        let text = |header| independent.text(row, header);
        (text("data"), text("loss"), text("column")) == (data, loss, column)
            && independent.number(row, "epochs") == Some(epochs as f64)
    };
    (0..independent.len()).find(same).and_then(|row| independent.number(row, "mean"))
}

/// Whether each printed column is reproduced, set by set; open where fewer epochs or seeds were run than that takes.
fn judge_columns(
    findings: &mut Findings,
    grid: &Grid,
    printed: &Printed,
    shape: &Shape,
    epochs: u64,
    seeds: u64,
) -> Result<()> {
    let independent = Printed::new(INDEPENDENT);
    let columns: Vec<(usize, &Column)> = COLUMNS.iter().enumerate().filter(|(_, c)| !c.printed.is_empty()).collect();
    let titles = || columns.iter().map(|(_, c)| c.title);
    let mut cells: Vec<Vec<String>> = grid.iter().map(|(d, _)| vec![DATA[*d].0.to_owned()]).collect();
    let mut second = Table::new(["data set"].into_iter().chain(titles()));
    let mut second_cells: Vec<Vec<String>> = cells.clone();
    let whole = epochs == shape.epochs && seeds >= 2;
    for &(at, column) in &columns {
        let (mut reproduced, mut range) = (0, [f64::INFINITY, f64::NEG_INFINITY]);
        let mut missed: Vec<(f64, String)> = Vec::new();
        for (place, (d, runs)) in grid.iter().enumerate() {
            let sample = all(&runs[at], |t| t.element);
            let (ours, shown) = (mean(&sample), spread(&sample, 1)?);
            let theirs = independent_cell(&independent, DATA[*d].1, shape.loss, column.key, epochs);
            let theirs = theirs.map_or(String::new(), |t| fixed(t, 1));
            second_cells[place].push(if theirs.is_empty() { theirs.clone() } else { format!("{theirs}, {shown}") });
            let Some(figure) = printed_cell(printed, *d, "accuracy", column.printed) else {
                cells[place].push(String::new());
                continue;
            };
            range = [range[0].min(figure), range[1].max(figure)];
            let half = if seeds >= 2 { mean_interval(&sample, 0.95)?.high - ours } else { 0.0 };
            let near = (ours - figure).abs() <= half + MARGIN;
            reproduced += usize::from(near);
            if near {
                cells[place].push("reproduced".into());
            } else {
                cells[place].push(format!("{shown} for {}", fixed(figure, 1)));
                let theirs = if theirs.is_empty() { theirs } else { format!(", {theirs} by the second program,") };
                missed
                    .push(((ours - figure).abs(), format!("{} {shown}{theirs} for {}", DATA[*d].0, fixed(figure, 1))));
            }
        }
        missed.sort_by(|a, b| b.0.total_cmp(&a.0));
        let worst: Vec<&str> = missed.iter().take(3).map(|(_, words)| &**words).collect();
        let worst = if worst.is_empty() { String::new() } else { format!("; farthest: {}", worst.join("; ")) };
        findings.claim(
            format!("The accuracies printed for {} can be reproduced", column.title),
            format!("from {} to {}", fixed(range[0], 1), fixed(range[1], 1)),
            format!("reproduced on {reproduced} of {}{worst}", grid.len()),
            match (whole, reproduced, grid.len()) {
                (false, ..) => Verdict::Open,
                (true, n, of) if n == of => Verdict::Holds,
                (true, n, of) if 2 * n > of => Verdict::Partly,
                _ => Verdict::Fails,
            },
            if whole {
                format!("Reproduced: within {MARGIN} points and half of our 95 % interval of the printed figure.")
            } else {
                format!("It takes {} epochs and two seeds; these are {epochs} and {seeds}.", shape.epochs)
            },
        );
        findings.data(format!("reproduced/{}", column.key), json!({"sets": reproduced, "of": grid.len()}));
    }
    let mut table = Table::new(["data set"].into_iter().chain(titles()));
    cells.into_iter().for_each(|row| {
        table.row(row);
    });
    findings.table(
        table,
        format!(
            "Which printed accuracies are reproduced, within {MARGIN} points and half of our 95 % interval; else ours for the printed one."
        ),
    );
    second_cells.retain(|row| row[1..].iter().any(|cell| !cell.is_empty()));
    if !second_cells.is_empty() {
        second_cells.into_iter().for_each(|row| {
            second.row(row);
        });
        findings.table(
            second,
            "The same columns by a second, independent program (NumPy, 20 seeds; tests/reference/tables_4_5.py of the crate), then ours.",
        );
    }
    Ok(())
}

fn published(session: &Session<'_>, shape: &Shape) -> Result<Findings> {
    let printed = Printed::new(shape.printed);
    let epochs = if session.quick() { 10 } else { shape.epochs };
    let keys: Vec<&str> = COLUMNS.iter().map(|c| c.key).collect();
    let at = |key: &str| keys.iter().position(|k| *k == key).unwrap_or(0);
    let (grid, missing) = grid(session, &keys, shape.loss, epochs)?;
    let seeds = session.seeds(10, 2);

    let mut findings = Findings::new(shape.title);
    findings.protocol(format!(
        "The published protocol: one hidden layer of ten neurons, sigmoid outputs, all rows, raw features, batches of 50, learning \
         rate .1 for every optimiser, {epochs} epochs, {seeds} seeds; accuracy is the share of single outputs that round to their \
         one-hot target, a running mean over the last epoch's training batches. AdaSwarm and SGD with a swarm use {}. Beside them \
         the control Adam on the squared error, and AdaSwarm with one swarm for each output that never sees the target. Constant is the \
         best answer that is the same for every row: each output rounded to what most of its targets are, the largest class, the outputs \
         with the smallest loss.",
        match session.preset() {
            Preset::PaperText => "whole-batch particles that start anywhere in [0, 1], as the text has it",
            _ => "whole-batch particles that start at the labels, as the published program has it",
        }
    ));
    for (metric, title, decimals) in [
        (
            "accuracy",
            "Element-wise accuracy in per cent, mean ± half of the 95 % interval; the paper's figure in brackets.",
            1,
        ),
        ("argmax", "Argmax accuracy in per cent on the same rows, which the paper does not report.", 1),
        ("loss", "Loss; the paper's figure in brackets.", 3),
    ] {
        let mut table = Table::new(["data set", "constant"].into_iter().chain(COLUMNS.iter().map(|c| c.title)));
        for (d, columns) in &grid {
            let dullest = dullest(DATA[*d].1, session.preset(), shape.loss, 0)?;
            let constant = match metric {
                "accuracy" => dullest.element,
                "argmax" => dullest.argmax,
                _ => dullest.loss,
            };
            let mut cells = vec![DATA[*d].0.to_owned(), fixed(constant, decimals)];
            for (column, runs) in COLUMNS.iter().zip(columns) {
                let sample = match metric {
                    "accuracy" => all(runs, |t| t.element),
                    "argmax" => all(runs, |t| t.argmax),
                    _ => all(runs, |t| t.loss),
                };
                let paper = printed_cell(&printed, *d, metric, column.printed);
                let paper = paper.map_or(String::new(), |p| format!(" ({})", fixed(p, decimals)));
                cells.push(format!("{}{paper}", spread(&sample, decimals)?));
            }
            table.row(cells);
        }
        findings.table(table, title);
    }

    // The paper's claims, set against runs that share their start and their batches.
    let compare = |a: &str, b: &str| -> Result<(usize, usize)> {
        let pairs: Vec<(Vec<f64>, Vec<f64>)> = grid
            .iter()
            .map(|(_, columns)| (all(&columns[at(a)], |t| t.element), all(&columns[at(b)], |t| t.element)))
            .collect();
        let p: Vec<f64> = pairs.iter().map(|(a, b)| paired_t(a, b)).collect::<Result<_>>()?;
        let rejected = holm(&p, 0.05)?;
        let count = |better: bool| {
            pairs.iter().zip(&rejected).filter(|((a, b), r)| r.rejected && (mean(a) > mean(b)) == better).count()
        };
        Ok((count(true), count(false)))
    };
    let of = grid.len();
    let paper_wins = |worse: bool| {
        let accuracy = |d: usize, c: &str| printed_cell(&printed, d, "accuracy", c).unwrap_or(f64::NAN);
        (0..DATA.len())
            .filter(|&d| {
                let (a, b) = (accuracy(d, "AdaSwarm"), accuracy(d, "Adam"));
                if worse { a < b } else { a > b }
            })
            .count()
    };
    if seeds >= 2 {
        let (wins, losses) = compare("adaswarm", "adam")?;
        findings.claim(
            "AdaSwarm is more accurate than Adam on the loss",
            format!("higher on {} of 15, lower on {}", paper_wins(false), paper_wins(true)),
            format!("significantly higher on {wins}, lower on {losses} of {of}"),
            match (wins, losses) {
                (w, 0) if 2 * w > of => Verdict::Holds,
                (w, l) if w > l => Verdict::Partly,
                _ => Verdict::Fails,
            },
            if shape.loss == "mse" {
                "With this loss both follow the same gradient up to a factor, which Adam ignores."
            } else {
                "What it gains comes from the gradient of another loss; see the control."
            },
        );
        let (wins, losses) = compare("adaswarm", "adam_on_mse")?;
        findings.claim(
            "The gain is the swarm's",
            "implied; the paper has no control",
            format!("against Adam on the squared error: significantly higher on {wins}, lower on {losses} of {of}"),
            match (wins, losses) {
                (w, l) if 2 * w > of && l == 0 => Verdict::Holds,
                (w, l) if w > l && 4 * w > of => Verdict::Partly,
                _ => Verdict::Fails,
            },
            "A swarm that starts at the labels hands back output minus label: the gradient of the squared error.",
        );
        let (wins, losses) = compare("adaswarm_element", "adam_on_mse")?;
        findings.data("element_against_control", json!({"higher": wins, "lower": losses, "of": of}));
    }
    let slower: Vec<f64> = grid
        .iter()
        .map(|(_, c)| mean(&all(&c[at("adaswarm")], |t| t.seconds)) / mean(&all(&c[at("adam")], |t| t.seconds)))
        .collect();
    findings.claim(
        "AdaSwarm takes less time than Adam",
        "stated without a figure for these sets",
        format!("{} times Adam's time, median over the sets", fixed(median(&slower), 1)),
        Verdict::of(median(&slower) < 1.0),
        "The swarm's evaluations come on top of the same forward and backward pass.",
    );
    findings.data("time_ratio", json!(slower));
    judge_columns(&mut findings, &grid, &printed, shape, epochs, seeds)?;
    for (d, columns) in &grid {
        let figures: Vec<_> = COLUMNS
            .iter()
            .zip(columns)
            .map(|(c, runs)| {
                json!({"column": c.key, "element": all(runs, |t| t.element), "argmax": all(runs, |t| t.argmax),
                       "loss": all(runs, |t| t.loss), "evaluations": runs[0].evaluations})
            })
            .collect();
        findings.data(DATA[*d].1, json!(figures));
    }
    findings.left_out(&missing);
    Ok(findings)
}

/// Epochs of the sound protocol.
const EPOCHS: u64 = 60;

fn sound(session: &Session<'_>, shape: &Shape) -> Result<Findings> {
    let epochs = if session.quick() { 20 } else { EPOCHS };
    let (grid, missing) = grid(session, &SOUND, shape.loss, epochs)?;
    let seeds = session.seeds(10, 2);
    let mut findings = Findings::new(format!("{}, on rows that were not trained on", shape.title));
    findings.protocol(format!(
        "The same network and loss, features standardised, categories one-hot, batches of 50, learning rate .01 (SGD .1), {epochs} \
         epochs; {seeds} seeds, each with another tenth of the rows (stratified) for the test. Constant is the largest class of the \
         training rows. Logistic is logistic regression (softmax, ridge {RIDGE} / 2 on the summed squares of its slopes, Newton's method to the \
         end), fitted to the same rows and judged on the same. A network is as good where two one-sided paired t tests at 5 % put the \
         difference of the means within {AS_GOOD} points; else better or worse where a paired t test at 5 % says so; else it is open."
    ));
    let titles = SOUND.iter().map(|key| COLUMNS.iter().find(|c| c.key == *key).map_or(*key, |c| c.title));
    let against = ["AdaSwarm, element, against logistic"];
    let mut table = Table::new(["data set", "constant", "logistic"].into_iter().chain(titles).chain(against));
    let (mut better, mut worse) = (0, 0);
    let mut p = Vec::new();
    let units: Vec<Yardstick> = grid
        .iter()
        .flat_map(|(d, _)| (0..seeds).map(|seed| Yardstick { data: DATA[*d].1.into(), ridge: RIDGE, seed }))
        .collect();
    let yardsticks = session.units("logistic regression", &units, yardstick)?;
    let mut judged = Vec::new();
    for ((d, columns), logistic) in grid.iter().zip(yardsticks.chunks(seeds as usize)) {
        let constants: Vec<f64> = (0..seeds)
            .map(|seed| Ok(dullest(DATA[*d].1, session.preset(), shape.loss, seed)?.argmax))
            .collect::<Result<_>>()?;
        let mut cells = vec![DATA[*d].0.to_owned(), fixed(mean(&constants), 1), spread(logistic, 1)?];
        for runs in columns {
            cells.push(spread(&all(runs, |t| t.test), 1)?);
        }
        let element = all(&columns[2], |t| t.test);
        let verdict = equivalence(&element, logistic, AS_GOOD)?;
        cells.push(format!("{:+.1}, {}", mean(&element) - mean(logistic), verdict.word()));
        judged.push(verdict);
        table.row(cells);
        p.push((all(&columns[2], |t| t.test), all(&columns[0], |t| t.test)));
        let figures: Vec<_> = SOUND
            .iter()
            .zip(columns)
            .map(|(key, runs)| json!({"column": key, "test": all(runs, |t| t.test), "seconds": all(runs, |t| t.seconds)}))
            .collect();
        findings.data(DATA[*d].1, json!(figures));
        findings.data(format!("logistic/{}", DATA[*d].1), json!(logistic));
    }
    findings.table(table, "Argmax accuracy in per cent on the rows left out, mean ± half of the 95 % interval.");
    if seeds > 1 {
        let tests: Vec<f64> = p.iter().map(|(a, b)| paired_t(a, b)).collect::<Result<_>>()?;
        for ((a, b), r) in p.iter().zip(holm(&tests, 0.05)?) {
            better += usize::from(r.rejected && mean(a) > mean(b));
            worse += usize::from(r.rejected && mean(a) < mean(b));
        }
    }
    findings.claim(
        "AdaSwarm generalises better than Adam on the loss",
        "not reported: the paper has no test rows",
        format!("significantly better on {better}, worse on {worse} of {}", grid.len()),
        match (better, worse) {
            (0, _) => Verdict::Fails,
            (b, 0) if 2 * b > grid.len() => Verdict::Holds,
            _ => Verdict::Partly,
        },
        "With standardised features and a fair split the differences are within noise almost everywhere.",
    );
    findings.claim(
        "AdaSwarm, element by element, trains networks as good as logistic regression",
        "not reported",
        format!("within {AS_GOOD} points, of {}: {}", grid.len(), Equivalence::counts(&judged)),
        Verdict::as_good(&judged),
        "Two one-sided paired t tests at 5 % over the folds; with few test rows in a fold two points cannot always be told.",
    );
    findings.left_out(&missing);
    Ok(findings)
}

/// Supplement tables 6 to 8: epochs until Adam's accuracy is reached.
pub fn convergence(session: &Session<'_>) -> Result<Findings> {
    let printed = Printed::new(include_str!("supplement-tables-6-7-8.csv"));
    let seeds = session.seeds(10, 2);
    let keys = ["adam", "adam_on_mse", "adaswarm", "adaswarm_element"];
    let mut findings = Findings::new("Supplement tables 6 to 8: epochs until Adam's accuracy");
    findings.protocol(format!(
        "The published protocol of the tables, {seeds} seeds. The threshold is the mean element-wise accuracy that Adam ends with; \
         an optimiser's epochs are those until its own mean curve first reaches it."
    ));
    let mut missing_sets = Vec::new();
    for (loss, usual) in [("bce", 40), ("mse", 50), ("mae", 100)] {
        let epochs = if session.quick() { 10 } else { usual };
        let (grid, missing) = grid(session, &keys, loss, epochs)?;
        missing_sets = missing;
        let mut table = Table::new([
            "data set",
            "Adam's accuracy",
            "Adam",
            "Adam on MSE",
            "AdaSwarm",
            "AdaSwarm, element",
            "Adam, paper",
            "AdaSwarm, paper",
        ]);
        let (mut sooner, mut control) = (0, 0);
        for (d, columns) in &grid {
            let curve = |runs: &[Trained]| -> Vec<f64> {
                (0..epochs as usize).map(|e| mean(&all(runs, |t| f64::from(t.curve[e])))).collect()
            };
            let curves: Vec<Vec<f64>> = columns.iter().map(|runs| curve(runs)).collect();
            let threshold = curves[0].last().copied().unwrap_or(f64::NAN);
            let reached = |c: &[f64]| c.iter().position(|a| *a >= threshold).map(|e| e + 1);
            let when: Vec<Option<usize>> = curves.iter().map(|c| reached(c)).collect();
            let paper = |header: &str| {
                let row = (0..printed.len()).find(|&r| {
                    printed.text(r, "loss").eq_ignore_ascii_case(loss)
                        && printed.text(r, "dataset").replace("Indian D", "India D") == DATA[*d].0
                });
                row.map_or(String::new(), |r| printed.text(r, header).to_owned())
            };
            let words = |e: &Option<usize>| e.map_or("never".to_owned(), |e| e.to_string());
            let before = |a: Option<usize>, b: Option<usize>| a.unwrap_or(usize::MAX) < b.unwrap_or(usize::MAX);
            sooner += usize::from(before(when[2], when[0]));
            control += usize::from(before(when[2], when[1]));
            table.row(
                [DATA[*d].0.to_owned(), fixed(threshold, 1)]
                    .into_iter()
                    .chain(when.iter().map(words))
                    .chain([paper("adam_epochs_till_saturation"), paper("adaswarm_epochs_to_threshold")]),
            );
            findings.data(format!("{loss} {}", DATA[*d].1), json!({"epochs": when, "threshold": threshold}));
        }
        findings.table(table, format!("Epochs with {}.", loss.to_uppercase()));
        findings.claim(
            format!("With {} AdaSwarm reaches Adam's accuracy in fewer epochs", loss.to_uppercase()),
            "on 15 of 15",
            format!("sooner than Adam on {sooner}, sooner than Adam on the squared error on {control} of {}", grid.len()),
            match (sooner, control) {
                (s, c) if s == grid.len() && 2 * c > grid.len() => Verdict::Holds,
                (s, _) if 2 * s > grid.len() => Verdict::Partly,
                _ => Verdict::Fails,
            },
            "The supplement sets Adam's epochs until it has settled against AdaSwarm's until it first touches the threshold.",
        );
    }
    findings.left_out(&missing_sets);
    Ok(findings)
}
