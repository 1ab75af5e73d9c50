//! Where a swarm's gradient truly helps: losses without a useful derivative, against the best alternatives at equal evaluations.

use super::figure_2::line;
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::record;
use crate::stats::{holm, mean, mean_interval, paired_t};
use crate::stopwatch::Stopwatch;
use crate::table::{Table, significant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarmgrad::Rng;
use swarmgrad::algorithms::gradient::elements::{Search, Start};
use swarmgrad_nn::data::{self, Dataset, Options, Targets};
use swarmgrad_nn::loss;
use swarmgrad_nn::model::{Activation, Architecture, Output};
use swarmgrad_nn::signal::{Signal, SwarmSignal};
use swarmgrad_nn::train::{Trainer, Training, constant_outputs, repeated, score};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/where-it-helps",
    summary: "losses without a useful derivative: swarms against smooth stand-ins, SPSA and evolution strategies",
    preset: Preset::Sound,
    run,
};

/// A loss on some data, and what else one would do about it.
struct Task {
    name: &'static str,
    title: &'static str,
    data: &'static str,
    loss: &'static str,
    /// The smooth loss one would take instead; for a step it is the straight-through estimator's.
    stand_in: &'static str,
    /// Share of the training targets that are replaced by outliers.
    outliers: f64,
    /// tau of the Moreau envelope, in units of the outputs.
    tau: f64,
    /// Differences of SPSA, and the width of evolution strategies.
    width: f64,
}

const TASKS: [Task; 12] = [
    task("step", "step loss, y = 2 x + 7", "line", "step", "mae", 5.0, 1.0),
    task("multi-well", "multi-well loss, y = 2 x + 7", "line", "multi_well", "mse", 5.0, 1.0),
    task("01-haberman", "0-1 loss, haberman", "haberman", "zero_one", "bce", 1.0, 0.3),
    task("01-ilpd", "0-1 loss, ilpd", "ilpd", "zero_one", "bce", 1.0, 0.3),
    task("01-abalone", "0-1 loss, abalone", "abalone", "zero_one", "bce", 1.0, 0.3),
    task("f1-haberman", "F1, haberman", "haberman", "f1", "soft_f1", 1.0, 0.3),
    task("f1-ilpd", "F1, ilpd", "ilpd", "f1", "soft_f1", 1.0, 0.3),
    task("f1-abalone", "F1, abalone", "abalone", "f1", "soft_f1", 1.0, 0.3),
    Task {
        outliers: 0.1,
        ..task("mae-diabetes", "MAE with 10 % outliers, diabetes", "diabetes", "mae", "huber", 0.5, 0.3)
    },
    Task {
        outliers: 0.1,
        ..task("mae-concrete", "MAE with 10 % outliers, concrete", "concrete", "mae", "huber", 0.5, 0.3)
    },
    task("quantile-diabetes", "0.9 quantile, diabetes", "diabetes", "quantile90", "huber", 0.5, 0.3),
    task("quantile-concrete", "0.9 quantile, concrete", "concrete", "quantile90", "huber", 0.5, 0.3),
];

const fn task(
    name: &'static str,
    title: &'static str,
    data: &'static str,
    loss: &'static str,
    stand_in: &'static str,
    tau: f64,
    width: f64,
) -> Task {
    Task { name, title, data, loss, stand_in, outliers: 0.0, tau, width }
}

/// How the gradient at the outputs is made; all with Adam.
const WAYS: [(&str, &str); 7] = [
    ("exact", "the loss's derivative"),
    ("stand_in", "smooth stand-in"),
    ("spsa", "SPSA"),
    ("es", "evolution strategies"),
    ("swarm", "AdaSwarm"),
    ("prox", "AdaSwarm, prox"),
    ("consensus", "AdaSwarm, consensus"),
];

/// alpha of the consensus; the losses are of the size of 1.
const ALPHA: f64 = 5.0;

#[derive(Serialize, Deserialize)]
struct Unit {
    task: String,
    way: String,
    epochs: u64,
    seed: u64,
}

/// What a run found.
#[derive(Serialize, Deserialize)]
pub(super) struct Trained {
    /// The figure on the test rows; less is better.
    #[serde(with = "record::number")]
    pub(super) test: f64,
    /// Evaluations for gradients.
    pub(super) evaluations: u64,
    /// CPU seconds of training.
    pub(super) seconds: f64,
}

/// Training and test rows, targets of numbers standardised, outliers among the training rows alone.
fn rows(task: &Task, seed: u64) -> Result<(Dataset, Dataset)> {
    let rng = Rng::new(seed);
    let (mut train, test) = match task.data {
        "line" => (line(&rng, 0.1), line(&rng.fork("test"), 0.1)),
        name => {
            let table = data::load(name, data::Preset::Full)?;
            let options = Options { standardise_target: true, ..Options::default() };
            let parts = table.parts(&table.split(0.25, &rng.fork("split"))?, &options)?;
            (parts.train, parts.test)
        }
    };
    if let (Targets::Numbers(numbers), true) = (&mut train.targets, task.outliers > 0.0) {
        let rng = rng.fork("outliers");
        let mut draws = rng.row(0);
        numbers.iter_mut().filter(|_| draws.uniform() < task.outliers).for_each(|y| *y = 20.0);
    }
    Ok((train, test))
}

fn signal(task: &Task, way: &str, regression: bool, train: &Dataset) -> Signal {
    let search = Search::default();
    // As many losses of a block as a swarm evaluates, in pairs.
    let pairs = search.particles * (search.iterations + 1) / 2;
    let swarm = |search: Search| Signal::Swarm(SwarmSignal { search, ..SwarmSignal::default() });
    // Where numbers may lie: what the training targets span, with a quarter more at each end.
    let start = match (&train.targets, regression) {
        (Targets::Numbers(y), true) => {
            let (low, high) = y.iter().fold((f64::MAX, f64::MIN), |(l, h), &y| (l.min(y.into()), h.max(y.into())));
            Start::Range { low: low - 0.25 * (high - low), high: high + 0.25 * (high - low) }
        }
        _ => search.start,
    };
    match way {
        "exact" => Signal::Exact,
        "stand_in" => Signal::Surrogate(task.stand_in.into()),
        "spsa" => Signal::Spsa { width: task.width, pairs },
        "es" => Signal::EvolutionStrategy { sigma: task.width, pairs },
        "swarm" => swarm(Search { start, ..search }),
        "consensus" => Signal::Consensus { alpha: ALPHA, sigma: task.width, pairs },
        _ => Signal::proximal(task.tau),
    }
    .scaled_for(task.loss, regression)
}

fn train(unit: &Unit) -> Result<Trained> {
    let task = TASKS.iter().find(|task| task.name == unit.task);
    let task = task.ok_or_else(|| crate::error::Error::value("task", &unit.task, "must be one of the experiment's"))?;
    let (rows, test) = rows(task, unit.seed)?;
    let regression = matches!(rows.targets, Targets::Numbers(_));
    let output = if regression { Output::Identity } else { Output::Sigmoid };
    let signal = signal(task, &unit.way, regression, &rows).fit(output);
    let architecture = match task.data {
        "line" => Architecture::Mlp { hidden: vec![32], activation: Activation::Tanh, output },
        _ => Architecture::Mlp { hidden: vec![10], activation: Activation::Relu, output },
    };
    let training = Training {
        architecture,
        loss: task.loss.into(),
        optimizer: "adam".into(),
        rate: Some(if task.data == "line" { 0.05 } else { 0.01 }),
        signal: Some(signal),
        seed: unit.seed,
        ..Training::default()
    };
    let watch = Stopwatch::start();
    let mut trainer = Trainer::new(&training, &rows)?;
    let (x, y) = (&rows.features, rows.target_rows());
    let mut last = None;
    for _ in 0..unit.epochs {
        last = Some(trainer.epoch(x, &y)?);
    }
    let seconds = watch.seconds();
    let last = last.ok_or_else(|| crate::error::Error::value("epochs", 0, "at least 1"))?;
    let test = trainer.score(&test.features, &test.target_rows()).loss;
    Ok(Trained { test, evaluations: last.evaluations, seconds })
}

/// The loss of the best constant of the training rows on the test rows, and whether the task's loss has a derivative that is not zero.
fn dullest(task: &Task, seed: u64) -> Result<(f64, bool)> {
    let (rows, test) = rows(task, seed)?;
    let output = if rows.labels().is_none() { Output::Identity } else { Output::Sigmoid };
    let loss = loss::entry(task.loss)?;
    let built = loss.build(rows.outputs());
    let answers = repeated(&constant_outputs(&*built, &rows, output), test.len());
    Ok((score(&*built, &answers, &test.target_rows()).loss, loss.differentiable))
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let (seeds, quick) = (session.seeds(10, 2), session.quick());
    let tasks: Vec<&Task> = TASKS.iter().filter(|t| !quick || t.data == "line" || t.data == "haberman").collect();
    let mut units = Vec::new();
    for task in &tasks {
        for (way, _) in WAYS {
            let epochs = if quick { 60 } else { 150 };
            units.extend((0..seeds).map(|seed| Unit { task: task.name.into(), way: way.into(), epochs, seed }));
        }
    }
    let trained = session.units("networks", &units, train)?;
    let mut findings = Findings::new("Where a swarm's gradient helps");
    findings.protocol(format!(
        "One hidden layer, Adam for all, batches of 50, {} epochs, {seeds} seeds, a quarter of the rows for the test. Every way of \
         making the gradient at the outputs spends the same number of loss evaluations within 1 %, except the two derivatives, which \
         spend none. Figures are the loss itself on the test rows; constant is the best answer of the training rows that is the same for \
         every row. Where the derivative is zero, \"the loss's derivative\" is an untrained network. Of absolute errors and quantiles the \
         lengths of the swarms' signals follow the residuals.",
        if quick { 60 } else { 150 }
    ));
    let titles: Vec<&str> = tasks.iter().map(|task| task.title).collect();
    let note = "It helps where the loss is flat or full of wells; where a good smooth stand-in exists, the stand-in does as well.";
    let (mut constants, mut untrained) = (Vec::new(), Vec::new());
    for task in &tasks {
        let all = (0..seeds).map(|seed| dullest(task, seed)).collect::<Result<Vec<_>>>()?;
        untrained.push(all.iter().any(|(_, differentiable)| !differentiable));
        constants.push(all.into_iter().map(|(loss, _)| loss).collect::<Vec<f64>>());
    }
    let comparison = Comparison {
        tasks: &titles,
        ways: &WAYS.map(|way| way.1),
        ours: &[4, 5, 6],
        constants: &constants,
        untrained: &untrained,
        figure: "Loss on the test rows",
        note,
    };
    comparison.report(&mut findings, &trained)?;
    Ok(findings)
}

/// Tasks by ways of making a gradient.
pub(super) struct Comparison<'a> {
    pub(super) tasks: &'a [&'a str],
    pub(super) ways: &'a [&'a str],
    /// Which of the ways are ours.
    pub(super) ours: &'a [usize],
    /// What the best constant comes to, by task and seed; none where it is not known.
    pub(super) constants: &'a [Vec<f64>],
    /// Tasks in which the first way's derivative is zero.
    pub(super) untrained: &'a [bool],
    pub(super) figure: &'a str,
    pub(super) note: &'a str,
}

impl Comparison<'_> {
    /// Tables of tasks by ways, `trained` in that order with the seeds innermost, and the claim: the best of `ours` against the best of
    /// the other ways, paired over seeds, with Holm's correction over the tasks.
    pub(super) fn report(&self, findings: &mut Findings, trained: &[Trained]) -> Result<()> {
        let Comparison { tasks, ways, ours, constants, untrained, figure, note } = *self;
        let seeds = trained.len() / (tasks.len() * ways.len());
        let theirs: Vec<usize> = (0..ways.len()).filter(|way| !ours.contains(way)).collect();
        let header =
            |more: Option<&'static str>| Table::new(["task"].into_iter().chain(more).chain(ways.iter().copied()));
        let (mut table, mut times) = (header((!constants.is_empty()).then_some("constant")), header(None));
        let spread = |losses: &[f64]| -> Result<String> {
            let half = if losses.len() > 1 { mean_interval(losses, 0.95)?.high - mean(losses) } else { 0.0 };
            Ok(format!("{} ± {}", significant(mean(losses), 3), significant(half, 2)))
        };
        let mut below = 0;
        let (mut tests, mut sides) = (Vec::new(), Vec::new());
        for (k, (task, runs)) in tasks.iter().zip(trained.chunks(ways.len() * seeds)).enumerate() {
            let of: Vec<&[Trained]> = runs.chunks(seeds).collect();
            let losses: Vec<Vec<f64>> = of.iter().map(|runs| runs.iter().map(|run| run.test).collect()).collect();
            let (mut cells, mut seconds, mut data) = (vec![(*task).to_owned()], vec![(*task).to_owned()], Vec::new());
            if let Some(constants) = constants.get(k) {
                cells.push(spread(constants)?);
                data.push(json!({"way": "constant", "test": constants}));
            }
            for (place, ((way, runs), losses)) in ways.iter().zip(&of).zip(&losses).enumerate() {
                let flat = place == 0 && untrained.get(k) == Some(&true);
                cells.push(format!("{}{}", spread(losses)?, if flat { " (untrained)" } else { "" }));
                seconds.push(significant(mean(&runs.iter().map(|run| run.seconds).collect::<Vec<_>>()), 2));
                data.push(json!({"way": way, "test": losses, "evaluations": runs[0].evaluations}));
            }
            table.row(cells);
            times.row(seconds);
            findings.data(*task, json!(data));
            let best = |ways: &[usize]| {
                ways.iter().copied().min_by(|a, b| mean(&losses[*a]).total_cmp(&mean(&losses[*b]))).unwrap_or(ways[0])
            };
            let (ours, theirs) = (&losses[best(ours)], &losses[best(&theirs)]);
            below += usize::from(constants.get(k).is_some_and(|constants| mean(ours) < mean(constants)));
            sides.push(mean(ours) < mean(theirs));
            tests.push(if seeds > 1 { paired_t(ours, theirs)? } else { 1.0 });
        }
        findings.table(table, format!("{figure}, mean ± half of the 95 % interval; less is better."));
        findings.table(times, "Seconds of CPU time of a training, mean.");
        let rejected = holm(&tests, 0.05)?;
        let list = |better: bool| {
            let chosen =
                tasks.iter().zip(&sides).zip(&rejected).filter(|((_, ours), r)| r.rejected && **ours == better);
            chosen.map(|((task, _), _)| *task).collect::<Vec<_>>()
        };
        let (better, worse) = (list(true), list(false));
        findings.claim(
            "A swarm's gradient trains where there is none",
            "stated; no experiment",
            format!(
                "the best of the swarm signals against the best alternative: significantly better on {} of {}, worse on {}",
                better.len(),
                tasks.len(),
                worse.len()
            ),
            match (better.len(), worse.len()) {
                (0, _) => Verdict::Fails,
                (b, 0) if 2 * b > tasks.len() => Verdict::Holds,
                _ => Verdict::Partly,
            },
            note,
        );
        if !constants.is_empty() {
            findings.claim(
                "What a swarm's gradient trains is worth more than a constant",
                "not reported",
                format!("smaller mean loss than the best constant on {below} of {}", tasks.len()),
                Verdict::share(below, tasks.len()),
                "",
            );
        }
        if !better.is_empty() {
            findings.note(format!("Better: {}.", better.join("; ")));
        }
        if !worse.is_empty() {
            findings.note(format!("Worse: {}.", worse.join("; ")));
        }
        Ok(())
    }
}
