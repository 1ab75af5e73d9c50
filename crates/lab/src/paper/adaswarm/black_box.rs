//! A module without a gradient in the middle of a network: quantised hidden layers on real data, and a simulator.

use super::where_it_helps::{Comparison, Trained};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session};
use crate::stopwatch::Stopwatch;
use serde::{Deserialize, Serialize};
use swarmgrad::algorithms::gradient::elements::Search;
use swarmgrad::{Matrix, Rng};
use swarmgrad_nn::data::{self, Dataset, Options, Targets};
use swarmgrad_nn::model::{Activation, Architecture, Output};
use swarmgrad_nn::optim::Adam;
use swarmgrad_nn::signal::{Signal, SwarmSignal};
use swarmgrad_nn::tensor::{Device, Through};
use swarmgrad_nn::{loss, metric};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/black-box",
    summary: "a quantiser or a simulator in the middle of a network: swarms against straight-through, SPSA and evolution strategies",
    preset: Preset::Sound,
    run,
};

/// Numbers that pass through a quantiser.
const CODE: usize = 4;

type Module = fn(&[f32], &mut [f32]);

/// What is in the middle, and what is learned through it.
struct Task {
    name: &'static str,
    title: &'static str,
    /// A data set, or none for the throws.
    data: Option<&'static str>,
    module: Module,
    columns: [usize; 2],
    /// How far a better output of the module is looked for.
    reach: f64,
    /// Width of differences, and half the range of a swarm, in the module's inputs.
    width: f64,
}

const TASKS: [Task; 6] = [
    quantised("bits-wine", "wine through 4 bits", "wine", bits, 1.0),
    quantised("bits-ionosphere", "ionosphere through 4 bits", "ionosphere", bits, 1.0),
    quantised("levels-wbc", "wbc through 4 numbers of 5 levels", "wbc", levels, 0.5),
    quantised("stairs-heart", "heart through 4 stairs up and down", "heart", folded, 1.0),
    quantised("stairs-iris", "iris through 4 stairs up and down", "iris", folded, 1.0),
    Task {
        name: "throws",
        title: "throws over a wall",
        data: None,
        module: throw,
        columns: [1, 1],
        reach: 0.5,
        width: 0.3,
    },
];

const fn quantised(name: &'static str, title: &'static str, data: &'static str, module: Module, reach: f64) -> Task {
    Task { name, title, data: Some(data), module, columns: [CODE, CODE], reach, width: 0.5 }
}

/// The sign of each number.
fn bits(h: &[f32], q: &mut [f32]) {
    q.iter_mut().zip(h).for_each(|(q, h)| *q = if *h > 0.0 { 1.0 } else { -1.0 });
}

/// Five levels from -1 to 1.
fn levels(h: &[f32], q: &mut [f32]) {
    q.iter_mut().zip(h).for_each(|(q, h)| *q = (2.0 * h).round().clamp(-2.0, 2.0) / 2.0);
}

/// Steps that go up, and down again beyond 1: straight-through has the wrong sign half of the time.
fn folded(h: &[f32], q: &mut [f32]) {
    for (q, h) in q.iter_mut().zip(h) {
        let phase = (h + 1.0).rem_euclid(4.0); // up from 0 to 2, down from 2 to 4
        let wave = 1.0 - (phase - 2.0).abs();
        *q = (4.0 * wave).round() / 4.0;
    }
}

/// Where a stone lands, in units of 50 m, that is thrown at 30 m/s over a wall 20 m away and 15 m high; h from -1 to 1 is an elevation
/// from 0 to 90 degrees in steps of half a degree. Quadratic drag, steps of a twentieth of a second.
fn throw(h: &[f32], q: &mut [f32]) {
    let elevation = (90.0 * (h[0] + 1.0).clamp(0.0, 2.0)).round() / 2.0;
    let (sine, cosine) = elevation.to_radians().sin_cos();
    let (mut x, mut y, mut vx, mut vy) = (0.0f32, 1.0f32, 30.0 * cosine, 30.0 * sine);
    while y > 0.0 {
        let (before, drag) = (x, 0.008 * vx.hypot(vy));
        vx -= 0.05 * drag * vx;
        vy -= 0.05 * (9.81 + drag * vy);
        x += 0.05 * vx;
        y += 0.05 * vy;
        if before < 20.0 && x >= 20.0 && y < 15.0 {
            x = 20.0;
            break;
        }
    }
    q[0] = x / 50.0;
}

/// How dE/dh is made; all with Adam before and behind the module.
const WAYS: [&str; 5] = ["straight-through", "SPSA", "evolution strategies", "swarm", "swarm, prox"];

#[derive(Serialize, Deserialize)]
struct Unit {
    task: String,
    way: usize,
    steps: u64,
    seed: u64,
}

/// Training and test rows. Throws: the distance wanted, behind the wall, and the same distance as the target.
fn rows(task: &Task, seed: u64) -> Result<(Dataset, Dataset)> {
    let rng = Rng::new(seed);
    let Some(name) = task.data else {
        let throws = |rng: Rng| -> Result<Dataset> {
            let mut wanted = vec![0.0f32; 256];
            rng.row(0).fill_uniform(&mut wanted);
            wanted.iter_mut().for_each(|t| *t = 0.6 + 0.4 * *t);
            Ok(Dataset {
                name: "throws".into(),
                features: Matrix::from_vec(1, wanted.iter().map(|t| 5.0 * t - 4.0).collect())?,
                feature_names: vec!["distance".into()],
                targets: Targets::Numbers(wanted),
            })
        };
        return Ok((throws(rng.fork("train"))?, throws(rng.fork("test"))?));
    };
    let table = data::load(name, data::Preset::Full)?;
    let parts = table.parts(&table.split(0.25, &rng.fork("split"))?, &Options::default())?;
    Ok((parts.train, parts.test))
}

fn train(unit: &Unit) -> Result<Trained> {
    let task = TASKS.iter().find(|task| task.name == unit.task);
    let task = task.ok_or_else(|| crate::error::Error::value("task", &unit.task, "must be one of the experiment's"))?;
    let (rows, test) = rows(task, unit.seed)?;
    let (y, wanted) = (rows.target_rows(), test.target_rows());
    let classes = task.data.is_some();
    let [inputs, outputs] = task.columns;
    let net = |hidden: Vec<usize>| Architecture::Mlp { hidden, activation: Activation::Tanh, output: Output::Identity };
    let (rng, device) = (Rng::new(unit.seed), Device::flex().autodiff());
    let nets = (
        net(vec![16]).build(rows.features.dim(), inputs, &rng.fork("before"), &device)?,
        net(vec![]).build(outputs, y.dim(), &rng.fork("behind"), &device)?,
    );
    let search = Search { particles: 10, iterations: 20, ..Search::default() };
    let pairs = search.particles * (search.iterations + 1) / 2;
    let signal = match unit.way {
        0 => Signal::Exact,
        1 => Signal::Spsa { width: task.width, pairs },
        2 => Signal::EvolutionStrategy { sigma: task.width, pairs },
        way => {
            let proximity = (way == 4).then_some(1.0);
            Signal::Swarm(SwarmSignal { search: Search { proximity, ..search }, ..SwarmSignal::default() })
        }
    };
    let loss = loss::entry(if classes { "cross_entropy" } else { "mse" })?.build(y.dim());
    let mut through = Through::new(nets, task.module, task.columns, signal, task.reach, loss, unit.seed)?
        .rules(Box::new(Adam::new(0.01)), Box::new(Adam::new(0.01)))?;
    let started = Stopwatch::start();
    let mut evaluations = 0;
    for step in 0..unit.steps {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        rng.fork("batches").at(step).row(0).shuffle(&mut order);
        let batch = rows.select(&order[..order.len().min(32)]);
        evaluations += through.step(&batch.features, &batch.target_rows())?.evaluations;
    }
    let seconds = started.seconds();
    let found = through.outputs(&test.features);
    let figure = if classes {
        let labels: Vec<usize> = wanted.iter().map(|row| metric::argmax(row).unwrap_or(0)).collect();
        100.0 * (1.0 - metric::argmax_accuracy(found.rows(), &labels))
    } else {
        let numbers = |m: &Matrix<f32>| m.data().iter().map(|v| 50.0 * f64::from(*v)).collect::<Vec<_>>();
        metric::mean_absolute(&numbers(&found), &numbers(&wanted))
    };
    Ok(Trained { test: figure, evaluations, seconds })
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let (seeds, quick) = (session.seeds(10, 2), session.quick());
    let tasks: Vec<&Task> = TASKS.iter().filter(|t| !quick || matches!(t.name, "stairs-iris" | "throws")).collect();
    let steps = if quick { 100 } else { 600 };
    let mut units = Vec::new();
    for task in &tasks {
        for way in 0..WAYS.len() {
            units.extend((0..seeds).map(|seed| Unit { task: task.name.into(), way, steps, seed }));
        }
    }
    let trained = session.units("networks", &units, train)?;
    let mut findings = Findings::new("A module without a gradient in the middle of a network");
    findings.protocol(format!(
        "A net of 16 tanh units, the module, a linear layer; Adam at .01 on both sides, batches of 32, {steps} steps, {seeds} seeds, a \
         quarter of the rows for the test. For each sample dE/d(module's output) comes by backpropagation; dE/d(its input) is made in \
         five ways, the last four with equally many runs of the module."
    ));
    let titles: Vec<&str> = tasks.iter().map(|task| task.title).collect();
    let note =
        "Straight-through is hard to beat where the module rises with its input; where it does not, its sign is wrong.";
    let figure = "Errors on the test rows: per cent of the samples, metres for throws";
    let comparison =
        Comparison { tasks: &titles, ways: &WAYS, ours: &[3, 4], constants: &[], untrained: &[], figure, note };
    comparison.report(&mut findings, &trained)?;
    Ok(findings)
}
