//! One run of a method on one function: restarted until its evaluations are spent, and every evaluation seen.

use super::suite::{self, Place};
use crate::error::{Error, Result};
use crate::record::{Curve, Record};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard};
use swarmgrad::combine::distinct::Distinct;
use swarmgrad::registry;
use swarmgrad::{
    Algorithm, Constraint, Evaluation, Evaluations, Halt, Problem, Progress, Reason, Rng, Rows, Run, Space, violation,
};

/// A method with its settings, as it stands in tables and records.
#[derive(Debug)]
pub struct Method {
    /// What it is called: the text that it was read from.
    pub label: String,
    entry: &'static registry::Entry,
    settings: registry::Settings,
}

impl Method {
    /// A method of the registry with settings of one's own.
    pub fn new(label: impl Into<String>, name: &str, settings: registry::Settings) -> Result<Self> {
        Ok(Method { label: label.into(), entry: registry::entry(name)?, settings })
    }

    /// Reads a method with its settings, as [`swarmgrad::settings::parse`] does.
    ///
    /// # Errors
    /// A text of another form, an unknown name.
    pub fn parse(text: &str) -> Result<Self> {
        let (entry, settings) = registry::parse(text)?;
        Ok(Method { label: text.trim().into(), entry, settings })
    }

    /// The settings that differ from the defaults.
    pub(super) fn params(&self) -> &registry::Settings {
        &self.settings
    }

    /// Whether it can be built: wrong settings are found before anything runs.
    pub(super) fn check(&self, problem: &dyn Problem, budget: u64) -> Result<()> {
        self.build(problem, budget * problem.space().dim() as u64).map(drop)
    }

    /// The method on a problem, with so many evaluations.
    fn build(&self, problem: &dyn Problem, budget: u64) -> Result<Box<dyn Algorithm>> {
        let (space, constraints) = (problem.space(), problem.constraints());
        let method = registry::build(self.entry, space, Some(budget), &self.settings, constraints, problem.aim())?;
        Ok(Distinct::over(method, space))
    }

    /// One run of `budget * dim` evaluations. A method that ends by itself begins anew, with draws of its own, until they
    /// are spent or the last target is reached.
    pub(super) fn run(&self, place: Place, dim: usize, budget: u64, seed: u64, halt: &Halt) -> Result<Trial> {
        let Place { suite: of, function, instance } = place;
        let problem = of.entry(function, instance)?.build::<f64>(dim, None)?;
        let name = of.problem(function, instance)?;
        let optimum = suite::minimum(&*problem)?;
        let last = of.last(optimum);
        let seen = Seen { problem: &*problem, log: Mutex::new(Log::new(optimum)) };
        let granted = budget * dim as u64;
        let seed = place.seed(seed);
        let stream = Rng::new(seed).fork(&format!("{name}/d{dim}"));
        let (mut nfev, mut nit, mut failures, mut starts, mut seconds) = (0, 0, 0, 0, 0.0);
        let reason = loop {
            let left = granted - nfev;
            let mut algorithm = self.build(&*problem, left)?;
            let mut reached = |p: &Progress<'_>| match p.best.violation <= 0.0 && p.best.value - optimum <= last {
                true => ControlFlow::Break(Reason::Target),
                false => ControlFlow::Continue(()),
            };
            let mut end = Evaluations(left);
            let rng = stream.fork(&format!("start {starts}"));
            let run = Run::new(&seen, &mut *algorithm, seed).rng(rng).watch(&mut reached).watch(&mut end);
            let outcome = run.halt(halt.clone()).minimize();
            starts += 1;
            nfev += outcome.nfev;
            nit += outcome.nit;
            failures += outcome.failures;
            seconds += outcome.seconds;
            match outcome.reason {
                Reason::Interrupted => return Err(Error::Interrupted),
                Reason::Method(_) if nfev < granted && outcome.nfev > 0 => {}
                reason => break reason,
            }
        };
        let (best, curve) = seen.log().finish(nfev);
        let record = Record {
            method: self.label.clone(),
            problem: name,
            dim,
            seed,
            params: self.settings.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            fun: best,
            nfev,
            nit,
            failures,
            seconds,
            reason: reason.to_string(),
            curve,
            ..Record::default()
        };
        Ok(Trial { budget, starts, record })
    }
}

/// A finished run as a line of a file of records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The evaluations it was granted, as a multiple of the number of variables; 0 where nobody says.
    #[serde(default)]
    pub budget: u64,
    /// How often the method began.
    #[serde(default)]
    pub starts: u64,
    /// What came out. The problem is `bbob/f<function>/i<instance>` or one of another suite; the curve has the value of every
    /// evaluation at which the best precision first reached another 10^(k/20), of feasible points alone.
    #[serde(flatten)]
    pub record: Record,
}

impl Trial {
    /// Suite, function and instance.
    ///
    /// # Errors
    /// A problem of no suite.
    pub fn place(&self) -> Result<Place> {
        Place::of(&self.record.problem, self.record.seed)
    }
}

/// A problem whose every evaluation is seen, in order: the run has one thread.
struct Seen<'a> {
    problem: &'a dyn Problem,
    log: Mutex<Log>,
}

impl Seen<'_> {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Problem for Seen<'_> {
    fn space(&self) -> &Space {
        self.problem.space()
    }

    fn value(&self, x: &[f64]) -> f64 {
        let value = self.problem.value(x);
        self.log().push(value);
        value
    }

    fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
        self.problem.values(xs, out);
        let mut log = self.log();
        out.iter().for_each(|value| log.push(*value));
    }

    fn constraints(&self) -> &[Constraint] {
        self.problem.constraints()
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        let evaluation = self.problem.evaluate(x);
        let violates = violation(self.problem.constraints(), &evaluation.constraints) > 0.0;
        self.log().push(if violates { f64::INFINITY } else { evaluation.value });
        evaluation
    }
}

/// Steps of a decade at which the best value is kept: of precisions, so that the 51 targets are among them, and of
/// evaluations.
const STEPS: i32 = 20;

struct Log {
    optimum: f64,
    evaluations: u64,
    best: f64,
    /// The exponent, in steps, of the next precision to be reached, and the precision.
    next: (i32, f64),
    /// The same of the next number of evaluations to be noted.
    note: (i32, u64),
    curve: Curve,
}

/// `10^(k / 20)`.
fn step(k: i32) -> f64 {
    10f64.powf(f64::from(k) / f64::from(STEPS))
}

impl Log {
    fn new(optimum: f64) -> Self {
        Log { optimum, evaluations: 0, best: f64::INFINITY, next: (0, f64::INFINITY), note: (0, 1), curve: Vec::new() }
    }

    fn push(&mut self, value: f64) {
        self.evaluations += 1;
        if value < self.best {
            self.best = value;
            let precision = value - self.optimum;
            if precision <= self.next.1 {
                self.curve.push((self.evaluations, value));
                // The highest precision below this one; round-off at the optimum itself may give nothing or less.
                let exact = f64::from(STEPS) * precision.max(1e-30).log10();
                let mut k = exact.ceil() as i32;
                while step(k) >= precision && step(k) > 1e-30 {
                    k -= 1;
                }
                self.next = (k, step(k));
            }
        }
        if self.evaluations == self.note.1 {
            while self.note.1 <= self.evaluations {
                self.note = (self.note.0 + 1, step(self.note.0 + 1) as u64);
            }
            if self.curve.last().is_none_or(|last| self.best < last.1) && self.best.is_finite() {
                self.curve.push((self.evaluations, self.best));
            }
        }
    }

    /// The best value, and the staircase up to the last evaluation.
    fn finish(&mut self, nfev: u64) -> (f64, Curve) {
        debug_assert_eq!(nfev, self.evaluations);
        if self.curve.last().is_some_and(|last| last.0 < nfev) {
            self.curve.push((nfev, self.best));
        }
        (self.best, std::mem::take(&mut self.curve))
    }
}
