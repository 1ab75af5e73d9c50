//! The runs of a plan: every optimiser from every seed, one or all of them, on threads.

use super::record::{self, RunRecord, RunState, RunStore, TrainedRun};
use super::{CurvePoint, Figures, Learner, PreparedPlan, Saved, Score, Snapshot, score};
use crate::data::Dataset;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use swarmgrad_core::{Halt, Matrix, Result, Workers};

/// Points of a curve.
const CURVE: u64 = 200;
/// Test rows that a point of a curve is measured on; the last is measured on all.
const SAMPLE: usize = 1000;

/// A run of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunIndex {
    /// Which of [`PreparedPlan::trainings`].
    pub training: usize,
    /// Which of [`PreparedPlan::seeds`].
    pub seed: usize,
}

impl RunIndex {
    /// The run whose model a plan saves: the first optimiser from the first seed.
    pub const FIRST: RunIndex = RunIndex { training: 0, seed: 0 };
}

/// How far the runs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingProgress {
    /// So many runs begin, which pass over so many rows, epoch after epoch.
    Begun {
        /// Runs.
        runs: usize,
        /// Rows.
        rows: u64,
    },
    /// So many rows more are done.
    Rows(u64),
    /// So many runs of those that began have ended.
    Ended {
        /// Ended runs.
        runs: usize,
        /// All that began.
        of: usize,
    },
}

/// How runs are driven. The default: a thread a core, nothing is stored.
#[derive(Clone, Copy)]
pub struct Driving<'a> {
    /// Threads, one run on each, those left over for the swarms; 0 for one a core. The figures do not depend on it.
    pub threads: usize,
    /// Whether the model is wanted: of one run its own, of all that of [`RunIndex::FIRST`], which is trained again where only its
    /// figures are stored.
    pub model: bool,
    /// Ends the runs after the batch they are in.
    pub halt: Option<&'a Halt>,
    /// Where finished runs are looked for and stored, and the states of unfinished ones.
    pub store: Option<&'a dyn RunStore>,
    /// Is told how far the runs are, from any thread.
    pub progress: &'a (dyn Fn(TrainingProgress) + Sync),
}

impl Default for Driving<'_> {
    fn default() -> Self {
        Driving { threads: 0, model: false, halt: None, store: None, progress: &|_| {} }
    }
}

impl Driving<'_> {
    fn halted(&self) -> bool {
        self.halt.is_some_and(Halt::requested)
    }
}

/// A run that has ended.
pub struct EndedRun {
    /// Which.
    pub index: RunIndex,
    /// What it came to.
    pub run: TrainedRun,
    /// Whether it did all its epochs.
    pub finished: bool,
    /// Its model, where [`Driving::model`] asks for it.
    pub model: Option<Saved>,
    state: Option<Box<dyn RunState>>,
}

/// What the runs of a plan came to.
pub struct TrainingOutcome {
    /// By training and seed; those that never began are absent.
    pub runs: Vec<Vec<Option<TrainedRun>>>,
    /// How many were stored already.
    pub found: usize,
    /// How many were not finished.
    pub unfinished: usize,
    /// The model of [`RunIndex::FIRST`], where it was asked for and has begun.
    pub model: Option<Saved>,
}

/// Rows spread evenly over a test part that is too long to be judged on every time.
fn sample(test: &Dataset) -> Option<Dataset> {
    (test.len() > SAMPLE).then(|| test.select(&test.spread(SAMPLE)))
}

impl PreparedPlan {
    /// Trains one network, or one swarm of them, and judges it; none if it was halted before its first step.
    ///
    /// # Errors
    /// Those of [`PreparedPlan::rows`] and [`PreparedPlan::learner`], and a state that cannot be stored.
    pub fn run_one(&self, index: RunIndex, workers: Workers, driving: &Driving<'_>) -> Result<Option<EndedRun>> {
        let training = self.training(index);
        let rows = self.rows(training.seed)?;
        let mut learner = self.learner(&training, &rows, workers)?;
        let (mut curve, mut last, mut begun, mut state) = (Vec::new(), None, 0, None);
        // The best network so far is no part of a stored state: with a validation part a run that was broken off begins anew.
        let stored = driving.store.filter(|_| rows.validation.is_empty());
        if let (Learner::Swarm(swarm), Some(store)) = (&mut learner, stored) {
            let place = store.state(&record::unfinished(&self.origin, &training));
            // A state that does not fit is as good as none.
            if let Some((stored, bytes)) = place.read()
                && swarm.restore(&bytes, &training).is_ok()
            {
                (curve, begun, last) = (stored, swarm.last().epoch, Some((swarm.last(), true)));
                (driving.progress)(TrainingProgress::Rows(begun * rows.train.len() as u64));
            }
            state = Some(place);
        }
        let output = training.architecture.output();
        let (x, y) = (&rows.train.features, rows.train.target_rows());
        let judged = |learner: &Learner, x: &Matrix<f32>, y: &Matrix<f32>| -> Result<(Score, Figures)> {
            let outputs = learner.outputs(x)?;
            let score = score(learner.loss(), &outputs, y);
            learner.loss().check()?;
            Ok((score, Figures::of_outputs(score, output, &outputs, y, &rows.preprocessing)))
        };
        let sample = sample(&rows.test);
        let seen = sample.as_ref().unwrap_or(&*rows.test);
        let seen = (&seen.features, seen.target_rows());
        let every = training.epochs.div_ceil(CURVE);
        let validation = (&rows.validation.features, rows.validation.target_rows());
        let (mut best, mut stopped): (Option<(f64, u64, Snapshot)>, bool) = (None, false);
        for k in begun + 1..=training.epochs {
            if driving.halted() {
                break;
            }
            let mut before = 0;
            let epoch = learner.epoch(x, &y, &mut |done| {
                (driving.progress)(TrainingProgress::Rows((done - before) as u64));
                before = done;
                if driving.halted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            let whole = before == x.len();
            last = Some((epoch, whole));
            if k % every == 0 && k < training.epochs {
                let test = (!rows.test.is_empty()).then(|| judged(&learner, seen.0, &seen.1)).transpose()?;
                let train = Figures::of_score(epoch.running, output);
                curve.push(CurvePoint { epoch: k, train, test: test.map(|(_, figures)| figures) });
            }
            if let (Learner::Swarm(swarm), Some(state), true) = (&learner, &mut state, whole) {
                state.store(&curve, &|| swarm.save(&training))?;
            }
            if !rows.validation.is_empty() {
                let (score, _) = judged(&learner, validation.0, &validation.1)?;
                if best.as_ref().is_none_or(|(least, ..)| score.loss < *least) {
                    best = Some((score.loss, k, learner.snapshot()));
                }
                let since = best.as_ref().map_or(0, |(_, epoch, _)| k - epoch);
                stopped = whole && training.patience.is_some_and(|patience| since >= patience);
                if stopped {
                    let left = (training.epochs - k) * x.len() as u64;
                    (driving.progress)(TrainingProgress::Rows(left));
                    break;
                }
            }
        }
        let Some((epoch, whole)) = last else { return Ok(None) };
        let best_epoch = best.as_ref().map(|(_, epoch, _)| *epoch);
        if let Some((.., snapshot)) = best {
            learner.return_to(snapshot)?;
        }
        let (train_score, train) = judged(&learner, x, &y)?;
        let test = (!rows.test.is_empty()).then(|| judged(&learner, &rows.test.features, &rows.test.target_rows()));
        let (test_score, test) = test.transpose()?.unzip();
        let validation = best_epoch.map(|_| judged(&learner, validation.0, &validation.1)).transpose()?;
        curve.retain(|point: &CurvePoint| point.epoch != epoch.epoch);
        // What is judged is the network of the best epoch; the curve ends with that of the last.
        let test_at_end = if best_epoch.is_none() || best_epoch == Some(epoch.epoch) { test } else { None };
        curve.push(CurvePoint {
            epoch: epoch.epoch,
            train: Figures::of_score(epoch.running, output),
            test: test_at_end,
        });
        let model = driving.model.then(|| {
            let mut saved = Saved::new(learner.weights(), &training, &rows.preprocessing, &self.origin.data);
            saved.scores.push(("train".into(), train_score));
            saved.scores.extend(validation.map(|(score, _)| ("validation".into(), score)));
            saved.scores.extend(test_score.map(|score| ("test".into(), score)));
            saved
        });
        let run = TrainedRun {
            epochs: epoch.epoch,
            steps: epoch.steps,
            evaluations: epoch.evaluations,
            seconds: epoch.seconds,
            squared_error: epoch.squared_error,
            rows: [rows.train.len(), rows.test.len()],
            best_epoch,
            validation: validation.map(|(_, figures)| figures),
            train,
            test,
            curve,
        };
        Ok(Some(EndedRun { index, run, finished: whole && (stopped || epoch.epoch == training.epochs), model, state }))
    }

    /// Runs everything that is not stored yet.
    ///
    /// # Errors
    /// Those of [`PreparedPlan::run_one`], and a store that cannot be read or written.
    ///
    /// ```
    /// use swarmgrad_nn::train::{Driving, TrainingPlan};
    ///
    /// let plan = TrainingPlan { seeds: Some(vec![0, 1]), optimizers: vec!["adam".into()], ..TrainingPlan::of("iris") };
    /// let outcome = plan.prepare()?.run(&Driving { model: true, ..Driving::default() })?;
    /// let test = outcome.runs[0][1].as_ref().and_then(|run| run.test).expect("adam from seed 1, on its test rows");
    /// assert!(test.accuracy > Some(0.85));
    /// assert!(outcome.model.is_some()); // of adam from seed 0; `Saved::answer` predicts with it
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn run(&self, driving: &Driving<'_>) -> Result<TrainingOutcome> {
        let mut runs: Vec<Vec<Option<TrainedRun>>> =
            self.trainings.iter().map(|_| vec![None; self.seeds.len()]).collect();
        for record in driving.store.map_or(Ok(Vec::new()), RunStore::finished)? {
            if let Some(index) = self.indices().find(|&index| record.is_of(&self.origin, &self.training(index))) {
                runs[index.training][index.seed] = Some(record.run);
            }
        }
        let found = runs.iter().flatten().flatten().count();
        // A record holds no weights: the run whose model is wanted is run again.
        let again = driving.model && runs[0][0].is_some();
        let is_missing = |index: &RunIndex| runs[index.training][index.seed].is_none();
        let missing: Vec<RunIndex> =
            self.indices().filter(|index| is_missing(index) || again && *index == RunIndex::FIRST).collect();
        let ended = self.run_missing(&missing, driving, |ended| match driving.store {
            Some(store) if ended.finished && !(again && ended.index == RunIndex::FIRST) => {
                store.store(&RunRecord::new(&self.origin, self.training(ended.index), ended.run.clone()))?;
                ended.state.iter().for_each(|state| state.remove());
                Ok(())
            }
            _ => Ok(()),
        })?;
        let unfinished = missing.len() - ended.iter().filter(|ended| ended.finished).count();
        let mut model = None;
        for ended in ended {
            runs[ended.index.training][ended.index.seed] = Some(ended.run);
            model = model.or(ended.model);
        }
        Ok(TrainingOutcome { runs, found, unfinished, model })
    }

    /// All runs, seed by seed.
    fn indices(&self) -> impl Iterator<Item = RunIndex> {
        let trainings = self.trainings.len();
        (0..self.seeds.len()).flat_map(move |seed| (0..trainings).map(move |training| RunIndex { training, seed }))
    }

    /// Trains the missing networks, each on one thread.
    fn run_missing(
        &self,
        missing: &[RunIndex],
        driving: &Driving<'_>,
        keep: impl Fn(&EndedRun) -> Result<()> + Sync,
    ) -> Result<Vec<EndedRun>> {
        let threads = match driving.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let (at_once, each) = (threads.min(missing.len()), (threads / missing.len().max(1)).max(1));
        if let Some(first) = missing.first() {
            let rows = self.rows(self.seeds[first.seed])?.train.len() as u64;
            let rows = missing.iter().map(|index| rows * self.trainings[index.training].epochs).sum();
            (driving.progress)(TrainingProgress::Begun { runs: missing.len(), rows });
        }
        let (next, done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        let work = || -> Result<Vec<EndedRun>> {
            let mut all = Vec::new();
            while let Some(&index) = missing.get(next.fetch_add(1, Relaxed)) {
                if driving.halted() || failed.load(Relaxed) {
                    break;
                }
                let mine = Driving { model: driving.model && index == RunIndex::FIRST, ..*driving };
                let ended = Workers::new(each).and_then(|workers| self.run_one(index, workers, &mine));
                let Some(ended) = ended.inspect_err(|_| failed.store(true, Relaxed))? else { break };
                keep(&ended).inspect_err(|_| failed.store(true, Relaxed))?;
                all.push(ended);
                let runs = 1 + done.fetch_add(1, Relaxed);
                (driving.progress)(TrainingProgress::Ended { runs, of: missing.len() });
            }
            Ok(all)
        };
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
            let mut all = Vec::new();
            for handle in handles {
                match handle.join() {
                    Ok(part) => all.extend(part?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(all)
        })
    }
}
