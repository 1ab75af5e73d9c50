//! Figure 2: the error on simulated data, backpropagation with the true gradient against the swarm's (equation 24).

use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::stats::{mean, quartiles};
use crate::table::{Table, significant};
use serde::{Deserialize, Serialize};
use swarmgrad::Rng;
use swarmgrad::algorithms::gradient::elements::{Search, Start};
use swarmgrad_nn::data::{Dataset, Targets};
use swarmgrad_nn::model::{Activation, Architecture, Output};
use swarmgrad_nn::signal::{Signal, SwarmSignal};
use swarmgrad_nn::train::{Trainer, Training};

/// The line of the figure.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/figure-2",
    summary: "figure 2: the error on simulated data, true gradient against the swarm's",
    preset: Preset::PaperText,
    run,
};

#[derive(Serialize, Deserialize)]
struct Unit {
    way: usize,
    preset: Preset,
    epochs: u64,
    seed: u64,
}

#[derive(Serialize, Deserialize)]
struct Errors {
    errors: Vec<f64>,
}

/// Learning rate of the two that the figure compares.
const RATE: f64 = 0.01;
const WAYS: [&str; 3] = ["true gradient", "swarm's gradient", "true gradient, rate times kappa / 2"];

/// A line with noise: 200 rows of y = 2 x + 7 + N(0, .1), x uniform in \[-1, 1\].
pub(super) fn line(rng: &Rng, noise: f64) -> Dataset {
    let rng = rng.fork("line");
    let mut draws = rng.row(0);
    let (mut x, mut y) = (swarmgrad::Matrix::empty(1), Vec::new());
    for _ in 0..200 {
        let t = 2.0 * draws.uniform() - 1.0;
        x.push(&[t as f32]);
        y.push((2.0 * t + 7.0 + noise * draws.normal()) as f32);
    }
    Dataset { name: "line".into(), features: x, feature_names: vec!["x".into()], targets: Targets::Numbers(y) }
}

fn train(unit: &Unit) -> Result<Errors> {
    let rows = line(&Rng::new(unit.seed), 0.1);
    let search = match unit.preset {
        Preset::Sound => Search::default(),
        _ => Search { c1: 0.8, c2: 0.9, beta: 0.9, ..Search::default() },
    };
    let search = Search { start: Start::Range { low: 0.0, high: 14.0 }, ..search };
    let kappa = search.expected_kappa();
    let signal = match unit.way {
        1 => Signal::Swarm(SwarmSignal { search, ..SwarmSignal::default() }),
        _ => Signal::Exact,
    };
    let training = Training {
        architecture: Architecture::Mlp { hidden: vec![10], activation: Activation::Tanh, output: Output::Identity },
        optimizer: "sgd".into(),
        rate: Some(if unit.way == 2 { RATE * kappa / 2.0 } else { RATE }),
        signal: Some(signal),
        epochs: unit.epochs,
        seed: unit.seed,
        ..Training::default()
    };
    let mut trainer = Trainer::new(&training, &rows)?;
    let (x, y) = (&rows.features, rows.target_rows());
    let errors: std::result::Result<Vec<f64>, _> =
        (0..unit.epochs).map(|_| trainer.epoch(x, &y).map(|epoch| epoch.running.loss.min(f64::MAX))).collect();
    Ok(Errors { errors: errors? })
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let (seeds, epochs) = (session.seeds(20, 3), 40u64);
    let units: Vec<Unit> = (0..WAYS.len())
        .flat_map(|way| (0..seeds).map(move |seed| (way, seed)))
        .map(|(way, seed)| Unit { way, preset: session.preset(), epochs, seed })
        .collect();
    let trained = session.units("networks", &units, train)?;
    let mut findings = Findings::new("Figure 2: the error on simulated data");
    findings.protocol(format!(
        "200 rows of y = 2 x + 7 with noise (the paper's data are not published), ten tanh neurons, squared error, SGD with learning \
         rate {RATE}, {seeds} seeds. The control takes the true gradient with the rate multiplied by kappa / 2, the factor \
         between the two gradients of a squared error."
    ));
    let mut chart = Chart::new("Squared error by epoch", Axis::linear("epoch"), Axis::log("mean squared error"));
    let mut table = Table::new(["gradient", "error after 5 epochs", "after 10", "after 40"]);
    let mut after = Vec::new();
    for (way, name) in WAYS.iter().enumerate() {
        let runs = &trained[way * seeds as usize..][..seeds as usize];
        let at = |e: usize| -> Vec<f64> { runs.iter().map(|r| r.errors[e]).collect() };
        let middle: Vec<(f64, f64)> = (0..epochs as usize).map(|e| (e as f64 + 1.0, quartiles(&at(e))[1])).collect();
        let band = (0..epochs as usize).map(|e| (e as f64 + 1.0, quartiles(&at(e))[0], quartiles(&at(e))[2])).collect();
        chart.line(Line::new(*name, middle).band(band));
        let figure = |e: usize| significant(mean(&at(e)), 3);
        table.row([(*name).to_owned(), figure(4), figure(9), figure(39)]);
        after.push([4, 9, 39].map(|e| mean(&at(e))));
    }
    findings.picture("figure-2", chart.svg(), "Medians and quartiles over the seeds.");
    findings.table(table, "Mean error over the seeds.");
    findings.data("errors", serde_json::json!(after));
    findings.claim(
        "The descent is steeper with the swarm's gradient",
        "clearly steeper in the figure",
        format!("error after five epochs: {} against {}", significant(after[1][0], 3), significant(after[0][0], 3)),
        Verdict::of(after[1][0] < after[0][0]),
        "kappa is larger than the curvature 2 of the squared error: the same direction, a longer step.",
    );
    let same = (after[1][0] / after[2][0]).ln().abs() < 0.1;
    findings.claim(
        "The steeper descent is the swarm's merit",
        "implied; the paper has no control",
        format!("error after five epochs: {} with the true gradient and the longer step", significant(after[2][0], 3)),
        Verdict::of(!same),
        "A learning rate multiplied by kappa / 2 does the same without a swarm.",
    );
    Ok(findings)
}
