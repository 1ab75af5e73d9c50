//! What a run has recorded, for the eye: read from its journal, or seen while it goes on; drawn as [`picture`]s and as a [`page`].
//!
//! ```
//! use swarmgrad::study::{Execution, Study};
//! use swarmgrad_lab::recorded::{Recorded, page};
//! let path = std::env::temp_dir().join(format!("swarmgrad-recorded-{}.jsonl", std::process::id()));
//! let study = Study::from_toml("problem = \"rosenbrock\"\nmethod = \"pso\"\nevaluations = 300")?;
//! study.run(Execution { record: Some(path.clone()), ..Execution::default() })?;
//! let run = Recorded::read(&path)?;
//! assert_eq!(run.evaluations, 300);
//! assert!(page::page(&[run]).html().contains("rosenbrock"));
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), swarmgrad_lab::Error>(())
//! ```

pub mod bins;
pub mod importance;
pub mod meaning;
pub mod page;
pub mod picture;
pub mod timeline;

use bins::Bins;
use meaning::Meaning;
use serde_json::Value;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use swarmgrad::algorithms::front::covers;
use swarmgrad::study::Study;
use swarmgrad::study::journal::{self, Header, Line};
use swarmgrad::study::space::is_record;
use swarmgrad::{Aim, Evaluation, Told, Watch, better_constrained, problems};
pub use timeline::Timeline;

/// Points that are kept to be drawn, and numbers in them.
const MOST_POINTS: usize = 1 << 16;
const MOST_NUMBERS: usize = 1 << 22;
/// Points in the tables of the best and of the last.
const LISTED: usize = 20;
/// Points of a front that are kept.
const MOST_FRONT: usize = 2000;
/// A file that is longer and does not begin as a journal is not read in search of one.
const LONG: u64 = 1 << 20;

/// An evaluation as pictures and tables show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Evaluations up to it, it included.
    pub number: u64,
    /// The places of its values on the axes of the variables.
    pub x: Vec<f64>,
    /// Its value with the sign of the problem; NaN where it failed.
    pub value: f64,
    /// The same to be minimised; infinite where it failed.
    pub cost: f64,
    /// How much it violates the constraints.
    pub violation: f64,
    /// The kind of its failure.
    pub failure: Option<&'static str>,
    /// Seconds from the first evaluation's begin until it was known, as far as the seconds of the evaluations tell.
    pub at: f64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Who evaluated it.
    pub worker: u32,
}

impl Point {
    /// Whether it has a value and keeps to the constraints.
    pub fn is_feasible(&self) -> bool {
        self.failure.is_none() && self.violation == 0.0
    }

    fn is_better(&self, other: &Point) -> bool {
        better_constrained((self.violation, self.cost), (other.violation, other.cost))
    }
}

/// Failures of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Failures {
    /// The kind.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
    /// The number of the first and of the last.
    pub between: (u64, u64),
    /// What the last one said.
    pub text: String,
}

/// What a run has recorded. Of very many evaluations every second, fourth, .. is kept; the best values, the counts and the workers' times are
/// of all of them.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its name: the file's.
    pub name: String,
    /// What the user said of it.
    pub header: Header,
    /// The same, where this version understands it.
    pub study: Option<Study>,
    /// The variables.
    pub meaning: Meaning,
    /// Evaluations, those for gradients included.
    pub evaluations: u64,
    /// Points, evenly spread over the evaluations.
    pub points: Vec<Point>,
    /// The points that were better than all before them.
    pub improvements: Vec<Point>,
    /// The best points, the best first.
    pub best: Vec<Point>,
    /// The last points, the last first.
    pub last: VecDeque<Point>,
    /// Failures by kind.
    pub failures: Vec<Failures>,
    /// The names of several objectives.
    pub objectives: Vec<String>,
    /// The points of the front, their objectives with the sign of the problem; none where there is one value.
    pub front: Vec<Vec<f64>>,
    /// Who was busy when.
    pub timeline: Timeline,
    /// Failures of each kind over the evaluations.
    failed: Bins,
    /// The results; more than one where the run was continued.
    pub results: Vec<Value>,
    /// The notes.
    pub notes: Vec<Value>,
    /// Bytes of a last line that is not whole.
    pub torn: u64,
    /// Values of constraints that an evaluation has.
    constraints: usize,
    count: u64,
    stride: u64,
}

impl Recorded {
    /// Nothing yet, of a run that this header describes.
    pub fn new(name: impl Into<String>, header: &Header) -> Self {
        let study: Option<Study> = serde_json::from_value(header.study.clone()).ok();
        let named = study.as_ref().map(|study| match &study.problem {
            Some(problem) if study.objectives.is_empty() => match problems::aim(problem) {
                Aim::Objectives(names) => names,
                _ => Vec::new(),
            },
            _ => study.objectives.clone(),
        });
        Recorded {
            name: name.into(),
            header: header.clone(),
            study,
            meaning: Meaning::default(),
            evaluations: 0,
            points: Vec::new(),
            improvements: Vec::new(),
            best: Vec::new(),
            last: VecDeque::new(),
            failures: Vec::new(),
            objectives: named.unwrap_or_default(),
            front: Vec::new(),
            timeline: Timeline::default(),
            failed: Bins::new(1.0, 40),
            results: Vec::new(),
            notes: Vec::new(),
            torn: 0,
            constraints: 0,
            count: 0,
            stride: 1,
        }
    }

    /// Reads a journal, also one that is being written.
    ///
    /// # Errors
    /// A file that cannot be read, is no journal, is damaged before its end, or holds no evaluation.
    pub fn read(path: &Path) -> crate::Result<Self> {
        let name = path.display().to_string();
        let failed = |why: &str| swarmgrad::Error::File { path: name.clone(), why: why.into() }.into();
        let long = std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() > LONG);
        if long && !is_record(path) {
            return Err(failed("no journal of swarmgrad, or its first line is damaged"));
        }
        let mut run: Option<Recorded> = None;
        let contents = journal::visit(path, |header, line| {
            let Line { round, late, x, evaluation, .. } = line;
            run.get_or_insert_with(|| Recorded::new(&name, header)).take(round, late, &x, &evaluation)
        })?;
        let Some(run) = run else {
            return Err(failed("it holds no evaluation yet"));
        };
        Ok(Recorded { results: contents.results, notes: contents.notes, torn: contents.torn, ..run })
    }

    /// Takes an evaluation, in the order in which they become known.
    ///
    /// # Errors
    /// A point of another number of coordinates than the first.
    pub fn take(&mut self, round: u64, late: bool, x: &[f64], evaluation: &Evaluation) -> Result<(), String> {
        // As long as all have failed, nothing is known of the constraints.
        let constraints = evaluation.constraints.len();
        if self.count == 0 || self.constraints == 0 && constraints > 0 {
            self.constraints = constraints;
            self.meaning = Meaning::of(self.study.as_ref(), &self.header.names, x.len(), constraints);
        }
        let places = self.meaning.places(x)?;
        self.evaluations = self.evaluations.saturating_add(evaluation.evaluations);
        // As a journal writes it, so that both show the same.
        let seconds = (evaluation.seconds * 1e9).round() / 1e9;
        let at = self.timeline.take(round, late, evaluation.worker, seconds);
        let failure = evaluation.failure.as_ref().map(swarmgrad::Failure::kind);
        let failure = failure.or_else(|| (!evaluation.value.is_finite()).then_some("not_finite"));
        let cost = if failure.is_some() { f64::INFINITY } else { evaluation.value };
        let point = Point {
            number: self.evaluations,
            x: places,
            value: if failure.is_some() { f64::NAN } else { self.signed(evaluation.value) },
            cost,
            violation: self.meaning.violation(&evaluation.constraints),
            failure,
            at,
            seconds,
            worker: evaluation.worker,
        };
        if let Some(kind) = failure {
            self.fail(kind, &point, evaluation.failure.as_ref().map_or("", |failure| failure.text()));
        }
        // A row that nothing is added to is there all the same, so that the bins reach to the end.
        self.failed.add(self.failures.len().max(6), self.count as f64, self.count as f64 + 1.0);
        if point.is_feasible() && !evaluation.parts.is_empty() && !self.objectives.is_empty() {
            self.join(&evaluation.parts);
        }
        self.keep(point);
        self.count += 1;
        Ok(())
    }

    /// A value with the sign of the problem.
    fn signed(&self, value: f64) -> f64 {
        if self.header.maximize { 0.0 - value } else { value }
    }

    fn fail(&mut self, kind: &'static str, point: &Point, text: &str) {
        let known = self.failures.iter().position(|failures| failures.kind == kind);
        let k = known.unwrap_or_else(|| {
            let between = (point.number, point.number);
            self.failures.push(Failures { kind, count: 0, between, text: String::new() });
            self.failures.len() - 1
        });
        let failures = &mut self.failures[k];
        (failures.count, failures.between.1) = (failures.count + 1, point.number);
        failures.text = text.to_owned();
        self.failed.add(k, self.count as f64, self.count as f64 + 1.0);
    }

    /// Joins a point of several objectives, to be minimised, to the front.
    fn join(&mut self, parts: &[f64]) {
        let sign = if self.header.maximize { -1.0 } else { 1.0 };
        let point: Vec<f64> = parts.iter().map(|part| sign * part).collect();
        let over = |a: &[f64], b: &[f64]| {
            let all = |t: &[f64]| t.iter().map(|t| sign * t).collect::<Vec<_>>();
            a.len() == b.len() && covers(&all(a), &all(b))
        };
        if point.len() != self.objectives.len() || self.front.iter().any(|known| over(known, &point)) {
            return;
        }
        self.front.retain(|known| !over(&point, known));
        if self.front.len() < MOST_FRONT {
            self.front.push(point);
        }
    }

    fn keep(&mut self, point: Point) {
        let first = self.improvements.last().is_none_or(|best| point.is_better(best));
        if first && point.failure.is_none() {
            self.improvements.push(point.clone());
        }
        let worst = self.best.last().filter(|_| self.best.len() >= LISTED);
        if point.failure.is_none() && worst.is_none_or(|worst| point.is_better(worst)) {
            let place = self.best.partition_point(|other| !point.is_better(other));
            self.best.insert(place, point.clone());
            self.best.truncate(LISTED);
        }
        self.last.push_front(point.clone());
        self.last.truncate(LISTED);
        if !self.count.is_multiple_of(self.stride) {
            return;
        }
        let room = (MOST_NUMBERS / point.x.len().max(1)).clamp(64, MOST_POINTS);
        self.points.push(point);
        if self.points.len() >= room {
            let mut k = 0;
            self.points.retain(|_| {
                k += 1;
                k % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// How many points were evaluated.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many of them failed.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|failures| failures.count).sum()
    }

    /// What was minimised: the test problem, the command, or the function's name.
    pub fn problem(&self) -> String {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let study = &self.header.study;
        let program = &study["program"];
        let named = text(&study["problem"]).or_else(|| text(&program["function"]));
        named.or_else(|| text(&program["command"]).map(|command| format!("'{command}'"))).unwrap_or("a function".into())
    }

    /// The method as the study says it.
    pub fn method(&self) -> String {
        self.header.study["method"].as_str().unwrap_or("a method").to_owned()
    }
}

/// A watcher that lets a run be drawn at its end without a journal.
#[derive(Debug, Clone)]
pub struct Recorder(pub Arc<Mutex<Recorded>>);

impl Recorder {
    /// One for a run that this header describes.
    pub fn new(name: impl Into<String>, header: &Header) -> Self {
        Recorder(Arc::new(Mutex::new(Recorded::new(name, header))))
    }

    /// What was seen so far.
    pub fn seen(&self) -> Recorded {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

impl Watch for Recorder {
    fn see(&mut self, _progress: &swarmgrad::Progress<'_>) -> std::ops::ControlFlow<swarmgrad::Reason> {
        std::ops::ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        true
    }

    fn evaluated(&mut self, told: &Told<'_>) {
        let mut seen = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // All points of a run have as many coordinates.
        let taken = seen.take(told.round, told.late, told.x, told.evaluation);
        debug_assert!(taken.is_ok());
    }
}
