//! Whether a swarm's gradient trains the loss that was asked for: quantiles, and absolute errors with outliers, as `train` does by
//! default, against the loss's derivative and the best constant.

use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::record;
use crate::stats::{Equivalence, equivalence, mean, mean_interval, standard_deviation};
use crate::table::{Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarmgrad::{Matrix, Rng};
use swarmgrad_nn::data::{self, Dataset, Options, Targets};
use swarmgrad_nn::model::{Activation, Architecture, Output};
use swarmgrad_nn::train::{Trainer, Training, constant_outputs, repeated, score};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/asked-loss",
    summary: "quantiles and absolute errors: does a swarm's gradient train the loss that was asked for?",
    preset: Preset::Sound,
    run,
};

/// Five sets that are drawn, with what the target is, and three that were measured.
const SETS: [(&str, &str); 8] = [
    ("line", "y = 2 x + N(0, 1)"),
    ("fan", "y = x + (0.2 + |x|) N(0, 1)"),
    ("skewed", "y = sin 3x + Exp(1)"),
    ("heavy tails", "y = x1 - x2 + t(3)"),
    ("friedman", "y = 10 sin(pi x1 x2) + 20 (x3 - .5)^2 + 10 x4 + 5 x5 + N(0, 1)"),
    ("diabetes", ""),
    ("concrete", ""),
    ("abalone_rings", ""),
];
/// Rows of a set that is drawn.
const DRAWN: usize = 800;
const QUANTILES: [f64; 3] = [0.1, 0.5, 0.9];
const WAYS: [(&str, &str); 4] = [
    ("adam", "the loss's derivative"),
    ("adaswarm", "AdaSwarm"),
    ("adaswarm_prox", "AdaSwarm, prox"),
    ("adaswarm_consensus", "AdaSwarm, consensus"),
];
/// Share of the training targets that are replaced, and by what, in deviations of the target.
const OUTLIERS: (f64, f32) = (0.1, 20.0);
const EPOCHS: u64 = 40;
/// Share of the derivative's loss within which a loss is as good.
const AS_GOOD: f64 = 0.05;

#[derive(Serialize, Deserialize)]
struct Unit {
    data: String,
    loss: String,
    outliers: bool,
    way: String,
    epochs: u64,
    seed: u64,
}

/// On the test rows.
#[derive(Serialize, Deserialize)]
struct Trained {
    #[serde(with = "record::number")]
    loss: f64,
    /// Share of targets at or below the answer.
    coverage: f64,
    /// Loss of the best constant of the training rows.
    #[serde(with = "record::number")]
    constant: f64,
    /// Epochs in which the gradient was the squared error's.
    squared_error: u64,
}

/// Rows that are drawn.
fn drawn(name: &str, rng: &Rng) -> Dataset {
    let rng = rng.fork("asked loss");
    let mut draws = rng.row(0);
    let dim = match name {
        "heavy tails" => 2,
        "friedman" => 5,
        _ => 1,
    };
    let (mut features, mut numbers) = (Matrix::empty(dim), Vec::new());
    for _ in 0..DRAWN {
        let x: Vec<f64> = (0..dim).map(|_| draws.uniform()).collect();
        let wide: Vec<f64> = x.iter().map(|t| 2.0 * t - 1.0).collect();
        let y = match name {
            "line" => 2.0 * wide[0] + draws.normal(),
            "fan" => wide[0] + (0.2 + wide[0].abs()) * draws.normal(),
            "skewed" => (3.0 * wide[0]).sin() - (1.0 - draws.uniform()).ln(),
            "heavy tails" => {
                let square: f64 = (0..3).map(|_| draws.normal().powi(2)).sum();
                wide[0] - wide[1] + draws.normal() / (square / 3.0).sqrt()
            }
            _ => {
                let bump = 10.0 * (std::f64::consts::PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2);
                bump + 10.0 * x[3] + 5.0 * x[4] + draws.normal()
            }
        };
        features.push(&wide.iter().map(|&t| t as f32).collect::<Vec<_>>());
        numbers.push(y as f32);
    }
    let feature_names = (1..=dim).map(|k| format!("x{k}")).collect();
    Dataset { name: name.into(), features, feature_names, targets: Targets::Numbers(numbers) }
}

/// Training and test rows, the target standardised by the training rows, outliers among these alone.
fn rows(unit: &Unit) -> Result<(Dataset, Dataset)> {
    let rng = Rng::new(unit.seed);
    let (mut train, mut test) = match SETS.iter().any(|(name, what)| *name == unit.data && !what.is_empty()) {
        true => {
            let (train, test) = (drawn(&unit.data, &rng), drawn(&unit.data, &rng.fork("test")));
            (train, test)
        }
        false => {
            let table = data::load(&unit.data, data::Preset::Full)?;
            let parts = table.parts(&table.split(0.25, &rng.fork("split"))?, &Options::default())?;
            (parts.train, parts.test)
        }
    };
    if let (Targets::Numbers(learnt), Targets::Numbers(judged)) = (&mut train.targets, &mut test.targets) {
        let values: Vec<f64> = learnt.iter().map(|&y| f64::from(y)).collect();
        let (shift, scale) = (mean(&values), standard_deviation(&values));
        let standardise = |y: &mut f32| *y = ((f64::from(*y) - shift) / scale) as f32;
        learnt.iter_mut().for_each(standardise);
        judged.iter_mut().for_each(standardise);
        if unit.outliers {
            let rng = rng.fork("outliers");
            let mut draws = rng.row(0);
            learnt.iter_mut().filter(|_| draws.uniform() < OUTLIERS.0).for_each(|y| *y = OUTLIERS.1);
        }
    }
    Ok((train, test))
}

fn train(unit: &Unit) -> Result<Trained> {
    let (rows, test) = rows(unit)?;
    let training = Training {
        architecture: Architecture::Mlp { hidden: vec![10], activation: Activation::Relu, output: Output::Identity },
        loss: unit.loss.clone(),
        optimizer: unit.way.clone(),
        rate: Some(0.01),
        epochs: unit.epochs,
        batch: 32,
        seed: unit.seed,
        ..Training::default()
    };
    let mut trainer = Trainer::new(&training, &rows)?;
    let (x, y) = (&rows.features, rows.target_rows());
    let mut squared_error = 0;
    for _ in 0..unit.epochs {
        squared_error = trainer.epoch(x, &y)?.squared_error;
    }
    let (outputs, wanted) = (trainer.outputs(&test.features), test.target_rows());
    let below = outputs.data().iter().zip(wanted.data()).filter(|(answer, target)| target <= answer).count();
    let constant = repeated(&constant_outputs(trainer.loss(), &rows, Output::Identity), test.len());
    Ok(Trained {
        loss: score(trainer.loss(), &outputs, &wanted).loss,
        coverage: below as f64 / test.len() as f64,
        constant: score(trainer.loss(), &constant, &wanted).loss,
        squared_error,
    })
}

/// The mean with half of its 95 % interval.
fn spread(sample: &[f64]) -> Result<String> {
    let half = if sample.len() > 1 { mean_interval(sample, 0.95)?.high - mean(sample) } else { 0.0 };
    Ok(format!("{} ± {}", significant(mean(sample), 3), significant(half, 2)))
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let (seeds, quick) = (session.seeds(10, 2), session.quick());
    let epochs = if quick { 10 } else { EPOCHS };
    let sets = if quick { &SETS[..1] } else { &SETS[..] };
    let mut tasks: Vec<(&str, String, bool)> = Vec::new();
    for (name, _) in sets {
        tasks.extend(QUANTILES.map(|q| (*name, format!("quantile:{q}"), false)));
    }
    tasks.extend(sets.iter().map(|(name, _)| (*name, "mae".to_owned(), true)));
    let mut units = Vec::new();
    for (name, loss, outliers) in &tasks {
        for (way, _) in WAYS {
            units.extend((0..seeds).map(|seed| Unit {
                data: (*name).into(),
                loss: loss.clone(),
                outliers: *outliers,
                way: way.into(),
                epochs,
                seed,
            }));
        }
    }
    let trained = session.units("networks", &units, train)?;
    let mut findings = Findings::new("Whether the loss that was asked for is trained");
    let drawn: Vec<String> =
        sets.iter().filter(|(_, what)| !what.is_empty()).map(|(n, w)| format!("{n}: {w}")).collect();
    findings.protocol(format!(
        "What `train` does by default: one hidden layer of ten ReLUs, targets standardised, batches of 32, Adam at .01, {epochs} epochs, \
         {seeds} seeds, each with its own rows. {DRAWN} rows to learn from and as many to be judged on where they are drawn ({}), \
         x uniform in [-1, 1] (friedman: in [0, 1]); else a quarter of the rows is left for the test. With outliers: {} % of the \
         training targets are {} deviations.",
        drawn.join("; "),
        100.0 * OUTLIERS.0,
        OUTLIERS.1
    ));
    let header = || Table::new(["task", "constant"].into_iter().chain(WAYS.map(|way| way.1)));
    let mut covered = Table::new(["task"].into_iter().chain(WAYS.map(|way| way.1)));
    let mut losses = header();
    let (mut near, mut better_than_constant) = ([0; WAYS.len()], [0; WAYS.len()]);
    let mut compared: [Vec<Equivalence>; WAYS.len()] = Default::default();
    let mut squared = [0; WAYS.len()];
    let mut off = Vec::new();
    for ((name, loss, outliers), runs) in tasks.iter().zip(trained.chunks(WAYS.len() * seeds as usize)) {
        let of: Vec<&[Trained]> = runs.chunks(seeds as usize).collect();
        let all = |way: usize, figure: fn(&Trained) -> f64| of[way].iter().map(figure).collect::<Vec<f64>>();
        let title = if *outliers { format!("{name}, {loss} with outliers") } else { format!("{name}, {loss}") };
        let mut cells = vec![title.clone(), spread(&all(0, |t| t.constant))?];
        let mut shares = vec![title.clone()];
        let mut figures = Vec::new();
        for (way, (key, words)) in WAYS.iter().enumerate() {
            let mine = all(way, |t| t.loss);
            cells.push(spread(&mine)?);
            // Less loss is better.
            let derivative = all(0, |t| t.loss);
            let verdict = equivalence(&derivative, &mine, AS_GOOD * mean(&derivative))?;
            compared[way].push(verdict);
            if matches!(verdict, Equivalence::Worse | Equivalence::Open) {
                let more = 100.0 * (mean(&mine) / mean(&derivative) - 1.0);
                off.push(format!("{title}, {words}: {}, loss {more:+.1} % of the derivative's", verdict.word()));
            }
            better_than_constant[way] += usize::from(mean(&mine) < mean(&all(0, |t| t.constant)));
            squared[way] += usize::from(of[way].iter().any(|t| t.squared_error > 0));
            let coverage = all(way, |t| t.coverage);
            if let (Some(q), false) = (loss.strip_prefix("quantile:").and_then(|q| q.parse::<f64>().ok()), *outliers) {
                let error = if seeds > 1 { standard_deviation(&coverage) / (seeds as f64).sqrt() } else { 0.0 };
                let gap = mean(&coverage) - q;
                near[way] += usize::from(gap.abs() <= 0.03 + 2.0 * error);
                if gap.abs() > 0.03 + 2.0 * error {
                    off.push(format!("{title}, {words}: coverage {}", fixed(mean(&coverage), 3)));
                }
                shares.push(format!("{} ± {}", fixed(mean(&coverage), 3), fixed(2.0 * error, 3)));
            }
            figures.push(json!({"way": key, "loss": mine, "coverage": coverage}));
        }
        losses.row(cells);
        if shares.len() > 1 {
            covered.row(shares);
        }
        findings.data(title, json!(figures));
    }
    findings.table(losses, "Loss asked for on the test rows, mean ± half of the 95 % interval; less is better.");
    findings
        .table(covered, "Share of the test rows at or below the answer, mean ± two standard errors over the seeds.");
    let quantiles = sets.len() * QUANTILES.len();
    let counts = |counts: &[usize; WAYS.len()]| {
        WAYS.iter().zip(counts).map(|((_, words), n)| format!("{words} {n}")).collect::<Vec<_>>().join(", ")
    };
    let least = |counts: &[usize; WAYS.len()]| counts[1..].iter().copied().min().unwrap_or(0);
    findings.claim(
        "A swarm's gradient learns the quantile that was asked for",
        "implied by \"any loss\"; no experiment",
        format!("coverage within .03 and two standard errors, of {quantiles}: {}", counts(&near)),
        Verdict::share(least(&near), quantiles),
        "The lengths of the signal follow the residuals, and kappa is the slope to the better point.",
    );
    findings.claim(
        "A swarm's gradient trains a loss with a derivative as well as the derivative",
        "stated for MAE",
        WAYS.iter()
            .zip(&compared)
            .skip(1)
            .map(|((_, words), judged)| format!("{words}: {}", Equivalence::counts(judged)))
            .collect::<Vec<_>>()
            .join("; "),
        Verdict::as_good(&compared[1..].concat()),
        format!(
            "Of {} tasks; equivalent where two one-sided paired t tests at 5 % put the mean losses within {} % of the derivative's.",
            tasks.len(),
            100.0 * AS_GOOD
        ),
    );
    findings.claim(
        "The network is worth more than a constant",
        "not reported",
        format!("smaller mean loss than the best constant, of {}: {}", tasks.len(), counts(&better_than_constant)),
        Verdict::share(least(&better_than_constant), tasks.len()),
        "",
    );
    findings.note(format!("Tasks in which the gradient was the squared error's in any epoch: {}.", counts(&squared)));
    if !off.is_empty() {
        findings.note(format!("Off: {}.", off.join("; ")));
    }
    Ok(findings)
}
