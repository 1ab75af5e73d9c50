//! Networks on images: supplement tables 10 (the paper's convolutional net) and 11 (ResNet-18), on MNIST.

use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings, Part, Preset, Printed, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::record;
use crate::stats::{mean, median};
use crate::table::{Table, fixed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::ControlFlow;
use std::time::Instant;
use swarmgrad::Matrix;
use swarmgrad_nn::data::{self, Dataset};
use swarmgrad_nn::model::{Architecture, Image, Output};
use swarmgrad_nn::train::{Trainer, Training};

/// The line of supplement table 10.
pub const CNN: Experiment = Experiment {
    name: "adaswarm/cnn-mnist",
    summary: "supplement table 10: the paper's convolutional net on MNIST, Adam against AdaSwarm",
    preset: Preset::Sound,
    run: |session| run(session, "cnn"),
};

/// The line of supplement table 11.
pub const RESNET: Experiment = Experiment {
    name: "adaswarm/resnet18",
    summary: "supplement table 11: ResNet-18 on MNIST, Adam against AdaSwarm",
    preset: Preset::Sound,
    run: |session| run(session, "resnet18"),
};

/// Epochs of the published programs for ResNet-18, which keep the best of them. How many the paper's own net had is not said.
const RESNET_EPOCHS: u64 = 200;

const IMAGE: Image = Image { channels: 1, height: 28, width: 28 };

/// Optimiser, loss, what follows the last layer, and its title.
type Way = (&'static str, &'static str, Output, &'static str);

const WAYS: [Way; 3] = [
    ("adam", "cross_entropy", Output::Identity, "Adam, cross-entropy"),
    ("adaswarm", "mse", Output::Softmax, "AdaSwarm, squared error of softmax"),
    ("adam", "mse", Output::Softmax, "Adam, squared error of softmax"),
];

#[derive(Serialize, Deserialize)]
struct Unit {
    model: String,
    optimizer: String,
    loss: String,
    rows: usize,
    tests: usize,
    epochs: u64,
    seed: u64,
}

#[derive(Serialize, Deserialize)]
struct Trained {
    /// Argmax accuracy on the test rows after each epoch, in per cent.
    test: Vec<f64>,
    /// Element-wise accuracy on them after the last epoch: the paper's.
    element: f64,
    #[serde(with = "record::number")]
    loss: f64,
    /// Seconds of training an epoch.
    seconds: f64,
}

/// The first rows of a set.
fn first(rows: &Dataset, n: usize) -> Dataset {
    rows.select(&(0..n.min(rows.len())).collect::<Vec<_>>())
}

/// A network of a way, untrained.
fn trainer(model: &str, way: &Way, seed: u64, rows: &Dataset) -> Result<Trainer> {
    let architecture = match model {
        "cnn" => Architecture::Cnn { image: IMAGE, output: way.2 },
        _ => Architecture::Resnet18 { image: IMAGE, output: way.2 },
    };
    let training = Training {
        architecture,
        loss: way.1.into(),
        optimizer: way.0.into(),
        rate: Some(1e-3),
        batch: 125,
        seed,
        ..Training::default()
    };
    Ok(Trainer::new(&training, rows)?)
}

/// An epoch that an interruption ends after its batch; `told` hears after each which share is done.
fn epoch(
    trainer: &mut Trainer,
    rows: &Dataset,
    y: &Matrix<f32>,
    session: &Session<'_>,
    told: &dyn Fn(f64),
) -> Result<f64> {
    let halted = || session.halt().requested();
    let see = &mut |seen: usize| {
        told(seen as f64 / rows.len() as f64);
        if halted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let seconds = trainer.watched_epoch(&rows.features, y, see)?.seconds;
    if halted() { Err(Error::Interrupted) } else { Ok(seconds) }
}

fn train(unit: &Unit, session: &Session<'_>, part: &Part<'_>) -> Result<Trained> {
    let parts = data::mnist()?;
    let (rows, test) = (first(&parts.train, unit.rows), first(&parts.test, unit.tests));
    let way = WAYS.iter().find(|w| w.0 == unit.optimizer && w.1 == unit.loss).unwrap_or(&WAYS[0]);
    let mut trainer = trainer(&unit.model, way, unit.seed, &rows)?;
    let (y, wanted) = (rows.target_rows(), test.target_rows());
    let (mut curve, mut last, mut seconds) = (Vec::new(), None, 0.0);
    for k in 0..unit.epochs {
        let told = |share: f64| part.reached((k as f64 + share) / unit.epochs as f64);
        seconds = epoch(&mut trainer, &rows, &y, session, &told)?;
        let score = trainer.score(&test.features, &wanted);
        curve.push(100.0 * score.argmax);
        last = Some(score);
    }
    let last = last.ok_or_else(|| Error::value("epochs", 0, "at least 1"))?;
    Ok(Trained { test: curve, element: 100.0 * last.element, loss: last.loss, seconds: seconds / unit.epochs as f64 })
}

/// Steps of Adam and of AdaSwarm on the same batch, one after the other: what else the machine does meets both alike.
#[derive(Serialize, Deserialize)]
struct Pace {
    model: String,
    rows: usize,
    rounds: usize,
}

/// Seconds of a step of Adam and of AdaSwarm, round by round; a first one of each is not counted.
fn pace(unit: &Pace, session: &Session<'_>) -> Result<Vec<[f64; 2]>> {
    let rows = first(&data::mnist()?.train, unit.rows);
    let y = rows.target_rows();
    let (mut adam, mut swarm) = (trainer(&unit.model, &WAYS[0], 0, &rows)?, trainer(&unit.model, &WAYS[1], 0, &rows)?);
    let step = |trainer: &mut Trainer| -> Result<f64> {
        let before = Instant::now();
        epoch(trainer, &rows, &y, session, &|_| ())?;
        Ok(before.elapsed().as_secs_f64())
    };
    let rounds = (0..=unit.rounds).map(|_| Ok([step(&mut adam)?, step(&mut swarm)?]));
    Ok(rounds.collect::<Result<Vec<_>>>()?.split_off(1))
}

fn run(session: &Session<'_>, model: &str) -> Result<Findings> {
    let cnn = model == "cnn";
    let mut findings = Findings::new(match cnn {
        true => "Supplement table 10: the paper's convolutional net on MNIST",
        false => "Supplement table 11: ResNet-18 on MNIST",
    });
    if data::mnist().is_err() {
        findings.left_out(&["mnist"]);
        return Ok(findings);
    }
    let (rows, tests, epochs) = match (session.full(), session.quick(), cnn) {
        (_, true, true) => (500, 500, 1),
        (_, true, false) => (125, 125, 1),
        (true, _, _) => (60_000, 10_000, 3),
        (_, _, true) => (5_000, 10_000, 4),
        _ => (5_000, 2_000, 2),
    };
    let seeds = session.seeds(1, 1);
    let ways = if cnn { &WAYS[..] } else { &WAYS[..2] };
    let units: Vec<Unit> = ways
        .iter()
        .flat_map(|way| (0..seeds).map(move |seed| (way, seed)))
        .map(|(way, seed)| Unit {
            model: model.into(),
            optimizer: way.0.into(),
            loss: way.1.into(),
            rows,
            tests,
            epochs,
            seed,
        })
        .collect();
    let trained = session.long_units("networks", &units, |unit, part| train(unit, session, part))?;
    let rounds = if session.quick() { 1 } else { 7 };
    let paces = [Pace { model: model.into(), rows: if session.quick() { 25 } else { 125 }, rounds }];
    let paces = session.units("paces", &paces, |unit| pace(unit, session))?.concat();
    findings.protocol(format!(
        "The first {rows} images of MNIST's training set, {tests} of the test set in their order, Adam's learning rate .001, batches \
         of 125, {epochs} epochs, {seeds} seed(s). AdaSwarm has one swarm for each output of a softmax.{}",
        if session.full() || session.quick() { "" } else { " The whole set, on request: --full." }
    ));
    let printed = Printed::new(match cnn {
        true => include_str!("supplement-table-10.csv"),
        false => include_str!("supplement-table-11.csv"),
    });
    let mut table = Table::new([
        "optimiser",
        "test accuracy, last epoch",
        "best epoch",
        "element-wise",
        "loss",
        "seconds an epoch",
    ]);
    let mut chart =
        Chart::new("Test accuracy by epoch", Axis::linear("epoch"), Axis::linear("argmax accuracy, per cent"));
    let mut curves = Vec::new();
    for (way, runs) in ways.iter().zip(trained.chunks(seeds as usize)) {
        let curve: Vec<f64> =
            (0..epochs as usize).map(|e| mean(&runs.iter().map(|r| r.test[e]).collect::<Vec<_>>())).collect();
        let of = |f: fn(&Trained) -> f64| mean(&runs.iter().map(f).collect::<Vec<_>>());
        let best = curve.iter().copied().fold(f64::MIN, f64::max);
        table.row([
            way.3.to_owned(),
            fixed(curve[curve.len() - 1], 2),
            fixed(best, 2),
            fixed(of(|r| r.element), 2),
            fixed(of(|r| r.loss), 4),
            fixed(of(|r| r.seconds), 1),
        ]);
        chart.line(Line::new(way.3, curve.iter().enumerate().map(|(e, a)| (e as f64 + 1.0, *a)).collect()).dots());
        findings.data(way.3, json!({"test": curve, "seconds_an_epoch": of(|r| r.seconds)}));
        curves.push(curve);
    }
    findings.table(table, "Accuracies in per cent.");
    findings.picture(format!("{model}-mnist"), chart.svg(), "Test accuracy by epoch.");
    let (adam, swarm) = (&curves[0], &curves[1]);
    let best = adam.iter().copied().fold(f64::MIN, f64::max);
    let needed = adam.iter().position(|a| *a >= best - 0.2).unwrap_or(0);
    let reached = swarm[..=needed].iter().copied().fold(f64::MIN, f64::max);
    let figure = |header: &str, row: usize| printed.number(row, header).map_or("?".to_owned(), |f| fixed(f, 2));
    let others = if cnn {
        (1..printed.len()).map(|row| printed.text(row, "dataset")).collect()
    } else {
        vec!["FMNIST", "CIFAR10", "CIFAR100"]
    };
    let paper = match cnn {
        true => format!("{} against {} % (element-wise)", figure("adaswarm_test_acc", 0), figure("adam_test_acc", 0)),
        false => format!("{} against {} %", figure("MNIST", 5), figure("MNIST", 3)),
    };
    findings.claim(
        "AdaSwarm is at least as accurate as Adam",
        paper,
        format!(
            "{} against Adam's {} % within the {} epoch(s) that Adam needs for its best minus 0.2",
            fixed(reached, 2),
            fixed(adam[needed], 2),
            needed + 1
        ),
        // A part of what is printed decides nothing, whichever way it falls.
        Verdict::Open,
        format!(
            "{rows} of MNIST's 60000 images, {epochs} epochs{} and {seeds} seed(s), at the learning rate that suits Adam: less than is \
             printed, and none of the other sets ({}).",
            if cnn { String::new() } else { format!(" of {RESNET_EPOCHS}") },
            others.join(", ")
        ),
    );
    let faster = paces.iter().filter(|[adam, swarm]| swarm < adam).count();
    findings.claim(
        "AdaSwarm's epochs take less time than Adam's",
        if cnn {
            format!("{} against {} s", figure("adaswarm_seconds", 0), figure("adam_seconds", 0))
        } else {
            "stated without a figure".into()
        },
        format!(
            "a step takes {} of Adam's (median of {rounds} alternating ones), less in {faster}",
            fixed(median(&paces.iter().map(|[adam, swarm]| swarm / adam).collect::<Vec<_>>()), 2)
        ),
        if session.quick() { Verdict::Open } else { Verdict::share(faster, rounds) },
        "The swarm's work is small beside a convolution, and it comes on top. Seconds an epoch depend on what else the machine did.",
    );
    Ok(findings)
}
