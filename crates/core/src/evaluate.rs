//! Evaluation: what is known of a point once it has been evaluated, and where evaluations come from.

use crate::{Error, Matrix, Real, Result, Rows};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The number of a point in a run: the points of a run are numbered from 0 in the order in which they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// The value was NaN or an infinity.
    NotFinite,
    /// The objective panicked, with this message.
    Panicked(String),
    /// There was no answer in time.
    TimedOut(String),
    /// The program that evaluates ended, or could not be started.
    Crashed(String),
    /// The answer could not be read as a value.
    Unreadable(String),
    /// The objective said itself that the point has no value, and why.
    Rejected(String),
}

impl Failure {
    /// The kind of failure, as reports and records name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::NotFinite => "not_finite",
            Failure::Panicked(_) => "panicked",
            Failure::TimedOut(_) => "timed_out",
            Failure::Crashed(_) => "crashed",
            Failure::Unreadable(_) => "rubbish",
            Failure::Rejected(_) => "rejected",
        }
    }

    /// What happened, in words; empty where the kind says all.
    pub fn text(&self) -> &str {
        match self {
            Failure::NotFinite => "",
            Failure::Panicked(text)
            | Failure::TimedOut(text)
            | Failure::Crashed(text)
            | Failure::Unreadable(text)
            | Failure::Rejected(text) => text,
        }
    }

    /// The failure that [`Failure::kind`] and [`Failure::text`] describe.
    pub fn of(kind: &str, text: String) -> Option<Self> {
        Some(match kind {
            "not_finite" => Failure::NotFinite,
            "panicked" => Failure::Panicked(text),
            "timed_out" => Failure::TimedOut(text),
            "crashed" => Failure::Crashed(text),
            "rubbish" => Failure::Unreadable(text),
            "rejected" => Failure::Rejected(text),
            _ => return None,
        })
    }
}

/// Failed evaluations by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FailureCounts {
    /// [`Failure::Crashed`].
    pub crashed: u64,
    /// [`Failure::TimedOut`].
    pub timed_out: u64,
    /// [`Failure::Unreadable`].
    pub rubbish: u64,
    /// [`Failure::NotFinite`].
    pub not_finite: u64,
    /// [`Failure::Panicked`].
    pub panicked: u64,
    /// [`Failure::Rejected`].
    pub rejected: u64,
}

impl FailureCounts {
    /// Kinds and counts in a fixed order.
    pub fn list(&self) -> [(&'static str, u64); 6] {
        [
            ("crashed", self.crashed),
            ("timed_out", self.timed_out),
            ("rubbish", self.rubbish),
            ("not_finite", self.not_finite),
            ("panicked", self.panicked),
            ("rejected", self.rejected),
        ]
    }

    /// All failures.
    pub fn total(&self) -> u64 {
        self.list().iter().map(|(_, count)| count).sum()
    }

    /// Adds other counts.
    pub fn join(&mut self, other: FailureCounts) {
        self.crashed += other.crashed;
        self.timed_out += other.timed_out;
        self.rubbish += other.rubbish;
        self.not_finite += other.not_finite;
        self.panicked += other.panicked;
        self.rejected += other.rejected;
    }

    /// Counts one.
    pub fn add(&mut self, failure: &Failure) {
        *match failure {
            Failure::Crashed(_) => &mut self.crashed,
            Failure::TimedOut(_) => &mut self.timed_out,
            Failure::Unreadable(_) => &mut self.rubbish,
            Failure::NotFinite => &mut self.not_finite,
            Failure::Panicked(_) => &mut self.panicked,
            Failure::Rejected(_) => &mut self.rejected,
        } += 1;
    }
}

/// What is known of a point once it has been evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation<F: Real = f64> {
    /// Its value, to be minimised; whatever is not finite counts as a failure.
    pub value: F,
    /// What the value is made of, residuals or objectives: see [`Aim`](crate::Aim). Empty where it is a number.
    pub parts: Vec<F>,
    /// Values of constraints, where the problem has any.
    pub constraints: Vec<F>,
    /// The gradient, where the method wanted one and it is known.
    pub gradient: Vec<F>,
    /// Why there is no value.
    pub failure: Option<Failure>,
    /// Seconds that it took.
    pub seconds: f64,
    /// The worker that evaluated it.
    pub worker: u32,
    /// How often it was tried before an answer came: 1 the first time.
    pub attempt: u32,
    /// Evaluations that it cost: more than 1 where a gradient was found by values.
    pub evaluations: u64,
    /// Gradients that it cost.
    pub gradients: u64,
}

impl<F: Real> Evaluation<F> {
    /// A value.
    pub fn of(value: F) -> Self {
        Evaluation {
            value,
            parts: Vec::new(),
            constraints: Vec::new(),
            gradient: Vec::new(),
            failure: (!value.is_finite()).then_some(Failure::NotFinite),
            seconds: 0.0,
            worker: 0,
            attempt: 1,
            evaluations: 1,
            gradients: 0,
        }
    }

    /// No value, and why.
    pub fn failed(failure: Failure) -> Self {
        Evaluation { failure: Some(failure), ..Evaluation::of(F::nan()) }
    }

    /// The value as a method is told it: +inf for a failure.
    pub fn cost(&self) -> F {
        if self.failure.is_none() && self.value.is_finite() { self.value } else { F::infinity() }
    }
}

/// Points of one round that were handed out together, with their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<F: Real = f64> {
    pub(crate) first: Id,
    pub(crate) round: u64,
    pub(crate) row: usize,
    pub(crate) xs: Matrix<F>,
    pub(crate) gradient_rows: Vec<usize>,
}

impl<F: Real> Batch<F> {
    /// A batch made by hand, for tests of an [`Evaluator`]: points numbered from `first`, the first rows of round `round`.
    pub fn new(first: Id, round: u64, xs: Matrix<F>) -> Self {
        Batch { first, round, row: 0, xs, gradient_rows: Vec::new() }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.xs.len()
    }

    /// Whether there is none: wait for values that are out, or the session has ended.
    pub fn is_empty(&self) -> bool {
        self.xs.is_empty()
    }

    /// The points, one a row.
    pub fn rows(&self) -> Rows<'_, F> {
        self.xs.rows()
    }

    /// The numbers of the points, in the order of the rows.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = Id> + use<F> {
        let first = self.first.0;
        (0..self.xs.len()).map(move |i| Id(first + i as u64))
    }

    /// Numbers and points.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (Id, &[F])> {
        let first = self.first.0;
        self.xs.iter().enumerate().map(move |(i, x)| (Id(first + i as u64), x))
    }

    /// The round of the run that the points belong to, from 0.
    pub fn round(&self) -> u64 {
        self.round
    }

    /// The place of the first point in its round.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Rows of this batch whose gradient the method wants beside the value.
    pub fn gradient_rows(&self) -> &[usize] {
        &self.gradient_rows
    }
}

/// How many points an [`Evaluator`] takes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// So many more points now; 0 while all workers are busy.
    Points(usize),
    /// Rounds as a whole: a vectorised objective, a cluster.
    Rounds,
}

/// Where evaluations come from: threads, a program, Python, a cluster. Points are submitted and their evaluations polled for,
/// in any order.
pub trait Evaluator<F: Real = f64>: Send {
    /// How many points it takes now.
    fn capacity(&self) -> Capacity;

    /// Takes points to be evaluated. It never waits for their values.
    fn submit(&mut self, batch: &Batch<F>);

    /// The evaluations that have become known since the last call. Waits at most `wait` for the first one, and not at all where
    /// nothing is being evaluated.
    fn poll(&mut self, wait: Duration) -> Vec<(Id, Evaluation<F>)>;

    /// Gives up what is being evaluated: the run is over, or is to be. Nobody waits for these points any more.
    fn abandon(&mut self) {}

    /// Why nothing can come of it any more, if so: the run ends.
    fn broken(&self) -> Option<String> {
        None
    }
}

/// The error of a value that does not fit what was asked.
pub(crate) fn misuse(id: Id, rule: impl Into<String>) -> Error {
    Error::parameter("evaluation", format!("number {id}"), rule)
}

/// Checks that a batch has been answered as a whole.
pub(crate) fn check_len(what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::shape(what, found, expected)) }
}
