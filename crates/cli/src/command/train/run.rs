//! The runs: every optimiser from every seed, on threads, with what is kept of each.

use super::{Train, show};
use crate::{DONE, interrupt, output};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use swarmgrad::{Error, Halt, Matrix, Result, Rng, Workers};
use swarmgrad_lab::record::{self, Checkpoint, RecordWriter, number};
use swarmgrad_nn::data::{Dataset, Options, Parts, Preprocessing, Preset, Split, Table, split};
use swarmgrad_nn::loss::Loss;
use swarmgrad_nn::metric;
use swarmgrad_nn::model::Output;
use swarmgrad_nn::train::{Epoch, Saved, Score, SwarmTrainer, Trainer, Training};
use swarmgrad_nn::weights::{self, Part};

/// Points of a curve.
const CURVE: u64 = 200;
/// Test rows that a point of a curve is measured on; the last is measured on all.
const SAMPLE: usize = 1000;

/// Where the rows come from.
pub enum Source {
    /// A table, split anew for each seed.
    Table(Table),
    /// Images with a test part of their own.
    Images(Prepared),
}

/// Which rows, and how they were prepared: what a kept run must share with one that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Name or file.
    pub data: String,
    /// Checksum.
    pub digest: String,
    /// Which rows.
    pub preset: Preset,
    /// Preparation.
    pub options: Options,
    /// Share of the test rows.
    pub test_share: f64,
    /// Most training and most test rows.
    pub limits: [Option<usize>; 2],
    /// Checksum of the model it starts from.
    pub from: Option<String>,
}

/// What is to be done.
pub struct Plan {
    /// Which rows.
    pub origin: Origin,
    /// The rows.
    pub source: Source,
    /// The model to continue from.
    pub loaded: Option<Saved>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// One an optimiser; the seed is set for each run.
    pub trainings: Vec<Training>,
    /// From here on the optimisers are controls.
    pub controls_from: usize,
}

/// The rows of one seed.
#[derive(Clone)]
pub struct Prepared {
    /// Rows to learn from.
    pub train: Arc<Dataset>,
    /// Rows to be judged on.
    pub test: Arc<Dataset>,
    /// How they were prepared.
    pub preprocessing: Preprocessing,
}

/// How good a network is; what does not apply is absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The mean loss.
    #[serde(with = "number")]
    pub loss: f64,
    /// Share of rows whose largest output is at the right class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Share of outputs that round to their target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_accuracy: Option<f64>,
    /// Root mean square error, in units of the target.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// Mean absolute error, in units of the target.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Share of the target's variance that is explained.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

/// A point of a curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Epochs done.
    pub epoch: u64,
    /// Means over the epoch's batches, each before its step.
    pub train: Figures,
    /// On test rows, after the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Figures>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// Epochs done.
    pub epochs: u64,
    /// Steps done.
    pub steps: u64,
    /// Losses of blocks that swarms evaluated.
    pub evaluations: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Training and test rows.
    pub rows: [usize; 2],
    /// On the training rows.
    pub train: Figures,
    /// On the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Figures>,
    /// Epoch by epoch.
    pub curve: Vec<Point>,
}

/// A finished run as a line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    version: String,
    origin: Origin,
    training: Training,
    run: Ran,
}

/// What learns: one network by gradients, or a swarm of them.
pub enum Learner {
    /// One network.
    Optimizer(Box<Trainer>),
    /// A swarm; the network is its consensus.
    Swarm(Box<SwarmTrainer>),
}

impl Learner {
    /// Numbers that are learnt.
    pub fn count(&self) -> usize {
        match self {
            Learner::Optimizer(trainer) => weights::count(trainer.model(), Part::Trainable),
            Learner::Swarm(swarm) => swarm.dim(),
        }
    }

    fn epoch(
        &mut self,
        x: &Matrix<f32>,
        y: &Matrix<f32>,
        see: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Epoch> {
        match self {
            Learner::Optimizer(trainer) => trainer.watched_epoch(x, y, see),
            Learner::Swarm(swarm) => swarm.watched_epoch(see),
        }
    }

    fn outputs(&self, x: &Matrix<f32>) -> Result<Matrix<f32>> {
        match self {
            Learner::Optimizer(trainer) => Ok(trainer.outputs(x)),
            Learner::Swarm(swarm) => swarm.outputs(x),
        }
    }

    fn loss(&self) -> &dyn Loss {
        match self {
            Learner::Optimizer(trainer) => trainer.loss(),
            Learner::Swarm(swarm) => swarm.loss(),
        }
    }

    fn weights(&self) -> Vec<f32> {
        match self {
            Learner::Optimizer(trainer) => trainer.weights(),
            Learner::Swarm(swarm) => swarm.weights(),
        }
    }
}

/// A run that has ended.
struct Ended {
    job: (usize, usize),
    ran: Ran,
    finished: bool,
    saved: Option<Saved>,
    /// Where its state was kept, of no use once it is finished and recorded.
    checkpoint: Option<Checkpoint>,
}

/// All runs, by optimiser and seed; those that never began are absent.
pub type Runs = Vec<Vec<Option<Ran>>>;

/// The rows that a limit leaves of these, each class alike.
fn limited(rows: Vec<usize>, strata: &[usize], limit: Option<usize>, rng: &Rng) -> Result<Vec<usize>> {
    match limit {
        Some(limit) if limit < rows.len() => {
            let mine: Vec<_> = rows.iter().map(|&i| strata[i]).collect();
            let share = limit as f64 / rows.len() as f64;
            Ok(split::stratified(&mine, share, rng)?.test.into_iter().map(|i| rows[i]).collect())
        }
        _ => Ok(rows),
    }
}

/// The same of images, which are not copied where nothing is left out.
fn limited_images(all: &Arc<Dataset>, limit: Option<usize>, rng: &Rng) -> Result<Arc<Dataset>> {
    let rows = limited((0..all.len()).collect(), all.labels().unwrap_or_default(), limit, rng)?;
    Ok(if rows.len() < all.len() { Arc::new(all.select(&rows)) } else { all.clone() })
}

impl From<Parts> for Prepared {
    fn from(parts: Parts) -> Self {
        let Parts { train, test, preprocessing } = parts;
        Prepared { train: Arc::new(train), test: Arc::new(test), preprocessing }
    }
}

impl Plan {
    /// The rows of a seed.
    pub fn prepare(&self, seed: u64) -> Result<Prepared> {
        let rng = Rng::new(seed);
        let ([most_train, most_test], lane, test_lane) =
            (self.origin.limits, rng.fork("limit"), rng.fork("test limit"));
        let loaded = self.loaded.as_ref().map(|saved| &saved.preprocessing);
        match &self.source {
            Source::Images(all) => {
                let (dim, outputs) = (all.preprocessing.dim(), all.preprocessing.outputs());
                if let Some(saved) = &self.loaded
                    && saved.shape != [dim, outputs]
                {
                    return Err(Error::shape("a row of the model's data", saved.shape[0], dim));
                }
                Ok(Prepared {
                    train: limited_images(&all.train, most_train, &lane)?,
                    test: limited_images(&all.test, most_test, &test_lane)?,
                    preprocessing: all.preprocessing.clone(),
                })
            }
            Source::Table(table) => {
                let (strata, whole) = (table.strata(), table.split(self.origin.test_share, &rng)?);
                let split = Split {
                    train: limited(whole.train, &strata, most_train, &lane)?,
                    test: limited(whole.test, &strata, most_test, &test_lane)?,
                };
                let fitted = || Preprocessing::fit(table, &split.train, &self.origin.options);
                let preprocessing = loaded.map_or_else(fitted, |preprocessing| Ok(preprocessing.clone()))?;
                let train = Arc::new(preprocessing.apply(&table.select(&split.train))?);
                let test = Arc::new(preprocessing.apply(&table.select(&split.test))?);
                Ok(Prepared { train, test, preprocessing })
            }
        }
    }

    /// A network, or a swarm of them, before its first step.
    pub fn learner(&self, training: &Training, rows: &Prepared, workers: Workers) -> Result<Learner> {
        if training.swarm.is_some() {
            return Ok(Learner::Swarm(Box::new(SwarmTrainer::new(training, rows.train.clone())?.workers(workers))));
        }
        let trainer = Trainer::new(training, &rows.train)?.workers(workers);
        Ok(Learner::Optimizer(Box::new(match &self.loaded {
            Some(saved) => trainer.start_from(&saved.weights)?,
            None => trainer,
        })))
    }

    /// How a run is trained.
    fn training(&self, (optimizer, seed): (usize, usize)) -> Training {
        Training { seed: self.seeds[seed], ..self.trainings[optimizer].clone() }
    }

    /// Whether a kept run is one of these, and which.
    fn owns(&self, line: &Line) -> Option<(usize, usize)> {
        if line.version != env!("CARGO_PKG_VERSION") || line.origin != self.origin {
            return None;
        }
        let jobs = (0..self.trainings.len()).flat_map(|o| (0..self.seeds.len()).map(move |s| (o, s)));
        jobs.into_iter().find(|&job| self.training(job) == line.training)
    }
}

/// The figures of outputs that a loss gave this score.
fn figures(
    score: Score,
    outputs: &Matrix<f32>,
    y: &Matrix<f32>,
    preprocessing: &Preprocessing,
    output: Output,
) -> Figures {
    let mut figures = of_score(score, output);
    if preprocessing.classes().is_empty() {
        let units =
            |rows: &Matrix<f32>| -> Vec<f64> { rows.data().iter().map(|&t| preprocessing.in_units(t)).collect() };
        let (answers, values) = (units(outputs), units(y));
        figures.rmse = Some(metric::root_mean_square(&answers, &values));
        figures.mae = Some(metric::mean_absolute(&answers, &values));
        figures.r2 = Some(metric::r_squared(&answers, &values));
    }
    figures
}

fn of_score(score: Score, output: Output) -> Figures {
    let known = |value: f64| (!value.is_nan()).then_some(value);
    Figures {
        loss: score.loss,
        accuracy: known(score.argmax),
        // An output that is no probability has nothing to round.
        element_accuracy: known(score.element).filter(|_| output != Output::Identity),
        rmse: None,
        mae: None,
        r2: None,
    }
}

/// Rows spread evenly over a test part that is too long to be judged on every time.
fn sample(test: &Dataset) -> Option<Dataset> {
    (test.len() > SAMPLE).then(|| test.select(&test.spread(SAMPLE)))
}

/// Trains one network; `None` if it was interrupted before its first step.
fn train(
    plan: &Plan,
    job: (usize, usize),
    workers: Workers,
    records: Option<&Path>,
    halt: &Halt,
    bar: &ProgressBar,
) -> anyhow::Result<Option<Ended>> {
    let training = plan.training(job);
    let rows = plan.prepare(training.seed)?;
    let mut learner = plan.learner(&training, &rows, workers)?;
    let (mut curve, mut last, mut begun) = (Vec::new(), None, 0);
    let mut checkpoint = None;
    if let (Learner::Swarm(swarm), Some(records)) = (&mut learner, records) {
        let about = json!({"version": env!("CARGO_PKG_VERSION"), "origin": plan.origin, "training": training});
        let place = Checkpoint::new(records, &about);
        // A state that does not fit is as good as none.
        if let Some((kept, state)) = place.read()
            && swarm.restore(&state, &training).is_ok()
        {
            (curve, begun, last) = (kept, swarm.last().epoch, Some((swarm.last(), true)));
            bar.inc(begun * rows.train.len() as u64);
        }
        checkpoint = Some(place);
    }
    let output = training.architecture.output();
    let (x, y) = (&rows.train.features, rows.train.target_rows());
    let judged = |learner: &Learner, x: &Matrix<f32>, y: &Matrix<f32>| -> Result<(Score, Figures)> {
        let outputs = learner.outputs(x)?;
        let score = swarmgrad_nn::train::score(learner.loss(), &outputs, y);
        Ok((score, figures(score, &outputs, y, &rows.preprocessing, output)))
    };
    let sample = sample(&rows.test);
    let seen = sample.as_ref().unwrap_or(&*rows.test);
    let seen = (&seen.features, seen.target_rows());
    let every = training.epochs.div_ceil(CURVE);
    for k in begun + 1..=training.epochs {
        if halt.requested() {
            break;
        }
        let mut before = 0;
        let epoch = learner.epoch(x, &y, &mut |done| {
            bar.inc((done - before) as u64);
            before = done;
            if halt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let whole = before == x.len();
        last = Some((epoch, whole));
        if k % every == 0 && k < training.epochs {
            let test = (!rows.test.is_empty()).then(|| judged(&learner, seen.0, &seen.1)).transpose()?;
            curve.push(Point {
                epoch: k,
                train: of_score(epoch.running, output),
                test: test.map(|(_, figures)| figures),
            });
        }
        if let (Learner::Swarm(swarm), Some(checkpoint), true) = (&learner, &mut checkpoint, whole) {
            checkpoint.keep(&curve, || swarm.save(&training))?;
        }
    }
    let Some((epoch, whole)) = last else { return Ok(None) };
    let (train_score, train) = judged(&learner, x, &y)?;
    let test = (!rows.test.is_empty()).then(|| judged(&learner, &rows.test.features, &rows.test.target_rows()));
    let test = test.transpose()?;
    curve.retain(|point: &Point| point.epoch != epoch.epoch);
    curve.push(Point {
        epoch: epoch.epoch,
        train: of_score(epoch.running, output),
        test: test.map(|(_, figures)| figures),
    });
    let finished = whole && epoch.epoch == training.epochs;
    let saved = (job == (0, 0)).then(|| {
        let mut saved = Saved::new(learner.weights(), &training, &rows.preprocessing, &plan.origin.data);
        saved.scores.push(("train".into(), train_score));
        saved.scores.extend(test.map(|(score, _)| ("test".into(), score)));
        saved
    });
    let ran = Ran {
        epochs: epoch.epoch,
        steps: epoch.steps,
        evaluations: epoch.evaluations,
        seconds: epoch.seconds,
        rows: [rows.train.len(), rows.test.len()],
        train,
        test: test.map(|(_, figures)| figures),
        curve,
    };
    Ok(Some(Ended { job, ran, finished, saved, checkpoint }))
}

/// Runs a plan and shows what it came to.
pub fn run(settings: &Train, plan: &Plan) -> anyhow::Result<ExitCode> {
    let mut runs: Runs = plan.trainings.iter().map(|_| vec![None; plan.seeds.len()]).collect();
    let mut writer = None;
    if let Some(path) = &settings.records {
        // Opening repairs a line that a kill has torn.
        writer = Some(Mutex::new(RecordWriter::append(path)?));
        for line in record::read::<Line>(path)?.records {
            if let Some((o, s)) = plan.owns(&line) {
                runs[o][s] = Some(line.run);
            }
        }
    }
    let found = runs.iter().flatten().flatten().count();
    // A record holds no weights: the run whose model is to be kept is run again.
    let again = settings.save.is_some() && runs[0][0].is_some();
    let seeds = 0..plan.seeds.len();
    let missing: Vec<(usize, usize)> = seeds
        .flat_map(|s| (0..plan.trainings.len()).map(move |o| (o, s)))
        .filter(|&(o, s)| runs[o][s].is_none() || again && (o, s) == (0, 0))
        .collect();
    let halt = Halt::new(interrupt::flag());
    let ended = compute(settings, plan, &missing, &halt, |ended| match &writer {
        Some(writer) if ended.finished && !(again && ended.job == (0, 0)) => {
            let line = Line {
                version: env!("CARGO_PKG_VERSION").into(),
                origin: plan.origin.clone(),
                training: plan.training(ended.job),
                run: ended.ran.clone(),
            };
            writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).write(&line)?;
            ended.checkpoint.iter().for_each(Checkpoint::remove);
            Ok(())
        }
        _ => Ok(()),
    })?;
    let unfinished = missing.len() - ended.iter().filter(|ended| ended.finished).count();
    let mut kept = None;
    for Ended { job: (o, s), ran, saved, .. } in ended {
        runs[o][s] = Some(ran);
        kept = kept.or(saved);
    }
    let saved = match (&settings.save, kept) {
        (Some(path), Some(model)) => {
            model.write(path)?;
            true
        }
        _ => false,
    };
    if let Some(path) = &settings.plot {
        show::plot(plan, &runs, path)?;
    }
    if settings.json {
        output::print_json(&show::json(settings, plan, &runs, unfinished)?)?;
    } else {
        let mut text = show::text(plan, &runs)?;
        if found > 0 {
            text += &format!("{found} runs were there already.\n");
        }
        match &settings.save {
            Some(path) if saved => {
                let (optimizer, seed) = (&plan.trainings[0].optimizer, plan.seeds[0]);
                text += &format!("The model of {optimizer} with seed {seed} is in {}.\n", path.display());
            }
            _ => {}
        }
        output::print(&text)?;
    }
    if unfinished > 0 {
        let kept = match &settings.records {
            Some(path) => format!("; finished runs are in {}, the same command continues from there", path.display()),
            None => String::new(),
        };
        eprintln!("swarmgrad: interrupted; {unfinished} runs had not ended, the figures are of the epochs done{kept}");
        if settings.save.is_some() && !saved {
            eprintln!("swarmgrad: nothing was saved: the run of the model had not begun");
        }
        return Ok(ExitCode::from(interrupt::EXIT));
    }
    Ok(ExitCode::from(DONE))
}

/// Trains the missing networks, each on one thread.
fn compute(
    settings: &Train,
    plan: &Plan,
    missing: &[(usize, usize)],
    halt: &Halt,
    keep: impl Fn(&Ended) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<Vec<Ended>> {
    let threads = match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let (at_once, each) = (threads.min(missing.len()), (threads / missing.len().max(1)).max(1));
    let bar = match settings.quiet || settings.json {
        true => ProgressBar::hidden(),
        false => ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
    };
    if let Some(&(_, s)) = missing.first() {
        let rows = plan.prepare(plan.seeds[s])?.train.len() as u64;
        bar.set_length(missing.iter().map(|&(o, _)| rows * plan.trainings[o].epochs).sum());
    }
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {percent} %, {eta} left")?);
    bar.set_message(format!("0 of {} runs", missing.len()));
    let (next, done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    let work = || -> anyhow::Result<Vec<Ended>> {
        let mut all = Vec::new();
        while let Some(&job) = missing.get(next.fetch_add(1, Relaxed)) {
            if halt.requested() || failed.load(Relaxed) {
                break;
            }
            let workers = Workers::new(each).map_err(anyhow::Error::from);
            let ended = workers.and_then(|workers| train(plan, job, workers, settings.records.as_deref(), halt, &bar));
            let Some(ended) = ended.inspect_err(|_| failed.store(true, Relaxed))? else { break };
            keep(&ended).inspect_err(|_| failed.store(true, Relaxed))?;
            all.push(ended);
            bar.set_message(format!("{} of {} runs", 1 + done.fetch_add(1, Relaxed), missing.len()));
        }
        Ok(all)
    };
    let mut all = Vec::new();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let handles: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            match handle.join() {
                Ok(part) => all.extend(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(all)
}
