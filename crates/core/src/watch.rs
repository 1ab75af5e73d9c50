//! Watch: sees a run after each round and may end it. Stop rule, logger, progress bar and recorder are the same thing.

use crate::tally::Tally;
use crate::{
    Algorithm, Best, Checkpoint, Error, Evaluation, FailureCounts, Id, Instant, Real, Reason, Result, Rng, Rows,
};
use std::ops::ControlFlow;
use std::time::Duration;

/// What a watcher sees.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Progress<'a, F: Real = f64> {
    /// Completed iterations of the method; 0 after the initial points.
    pub iteration: u64,
    /// Points evaluated so far.
    pub evaluations: u64,
    /// Gradients taken so far.
    pub gradients: u64,
    /// Evaluations, and gradients at their price: what budgets count.
    pub cost: u64,
    /// Points that failed so far (NaN, infinity, panic, time-out).
    pub failures: u64,
    /// Best point so far. Its value is +inf while no point has succeeded.
    pub best: &'a Best<F>,
    /// Evaluations up to its last improvement by more than [`Limits::tolerance`].
    pub gained: u64,
    /// Values of this round.
    pub values: &'a [F],
    /// The method, for its [`Algorithm::view`] and [`Algorithm::answer`].
    pub algorithm: &'a dyn Algorithm<F>,
    /// Time since the run began, resumed parts included.
    pub elapsed: Duration,
    pub(crate) tally: &'a Tally<F>,
    pub(crate) rng: &'a Rng,
    pub(crate) begin: Instant,
}

impl<F: Real> Progress<'_, F> {
    /// The run as it stands now, to be continued; see [`Checkpoint`].
    ///
    /// # Errors
    /// A state of the method that cannot be encoded.
    pub fn checkpoint(&self, method: &str, about: &str) -> Result<Checkpoint<F>> {
        Checkpoint::take(method, about, self.algorithm, self.rng, self.tally, self.begin)
    }

    /// Failures so far, by kind.
    pub fn failure_counts(&self) -> &FailureCounts {
        &self.tally.failures
    }
}

/// A round that has just been asked for.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a, F: Real = f64> {
    /// The round of the run, from 0.
    pub round: u64,
    /// Number of the first point.
    pub first: Id,
    /// The points, one a row.
    pub xs: Rows<'a, F>,
    /// How many of them the budget pays, in their order; the others are never evaluated and have no numbers.
    pub affordable: usize,
}

/// A single evaluation that has just become known.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Told<'a, F: Real = f64> {
    /// Number of the point.
    pub id: Id,
    /// Its round, from 0.
    pub round: u64,
    /// Its place in the round.
    pub row: usize,
    /// Whether its round had given it up.
    pub late: bool,
    /// Whether it belongs to the new evaluations at the end of a noisy run.
    pub settling: bool,
    /// Whether it was known from an earlier part of the run ([`Session::repeat`](crate::Session::repeat)).
    pub repeated: bool,
    /// The point.
    pub x: &'a [F],
    /// What became known.
    pub evaluation: &'a Evaluation<F>,
}

/// Sees a run after each round of ask and tell; a `Break` ends it. A closure `FnMut(&Progress<F>) -> ControlFlow<Reason>`
/// is a watcher.
pub trait Watch<F: Real = f64>: Send {
    /// Called after each `tell`.
    fn see(&mut self, progress: &Progress<'_, F>) -> ControlFlow<Reason>;

    /// Whether [`Watch::asked`] and [`Watch::evaluated`] want to be called; fixed when the watcher is added.
    fn sees_evaluations(&self) -> bool {
        false
    }

    /// Called when a round has been asked for, before any of its points is evaluated.
    fn asked(&mut self, _asked: &Asked<'_, F>) {}

    /// Called for each evaluation as soon as it is known and before its value is used, in the order in which they become known.
    fn evaluated(&mut self, _told: &Told<'_, F>) {}

    /// How much more a run may spend after it has spent `cost`, in evaluations: the run never exceeds it, and cuts the last
    /// batch.
    fn allowance(&self, _cost: u64) -> u64 {
        u64::MAX
    }

    /// When the run must end even within a batch.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

impl<F: Real, C: FnMut(&Progress<'_, F>) -> ControlFlow<Reason> + Send> Watch<F> for C {
    fn see(&mut self, progress: &Progress<'_, F>) -> ControlFlow<Reason> {
        self(progress)
    }
}

/// A watcher that stays its owner's.
pub(crate) struct Lent<'a, F: Real>(pub(crate) &'a mut dyn Watch<F>);

impl<F: Real> Watch<F> for Lent<'_, F> {
    fn see(&mut self, progress: &Progress<'_, F>) -> ControlFlow<Reason> {
        self.0.see(progress)
    }

    fn sees_evaluations(&self) -> bool {
        self.0.sees_evaluations()
    }

    fn asked(&mut self, asked: &Asked<'_, F>) {
        self.0.asked(asked);
    }

    fn evaluated(&mut self, told: &Told<'_, F>) {
        self.0.evaluated(told);
    }

    fn allowance(&self, cost: u64) -> u64 {
        self.0.allowance(cost)
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }
}

/// When a run ends, as plain data: whatever comes first. Without any of them it ends when the method does.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits<F: Real = f64> {
    /// See [`Evaluations`].
    pub evaluations: Option<u64>,
    /// See [`Iterations`].
    pub iterations: Option<u64>,
    /// See [`Target`].
    pub target: Option<F>,
    /// See [`Patience`]; where only the tolerance is given, [`Limits::patience`] says how long.
    pub patience: Option<u64>,
    /// Share of the best value by which it must improve for that to count; 0 where only the patience is given.
    pub tolerance: Option<F>,
    /// See [`Time`].
    pub time: Option<Time>,
}

impl<F: Real> Limits<F> {
    /// A budget of evaluations and nothing else.
    pub fn evaluations(budget: u64) -> Self {
        Limits { evaluations: Some(budget), ..Limits::default() }
    }

    /// Checks what not every number can be.
    ///
    /// # Errors
    /// A target that is no number, a tolerance that is no share of a value, a patience of 0.
    pub fn check(&self) -> Result<()> {
        if self.target.is_some_and(|target| target.is_nan()) {
            return Err(Error::parameter("target", f64::NAN, "must be a number"));
        }
        if let Some(tolerance) = self.tolerance.map(|t| t.f64()).filter(|t| !(0.0..1.0).contains(t)) {
            return Err(Error::parameter("tolerance", tolerance, "must be a number from 0 and below 1"));
        }
        match self.patience {
            Some(0) => Err(Error::parameter("patience", 0, "must be at least 1 evaluation")),
            _ => Ok(()),
        }
    }

    /// Evaluations without improvement after which a run of so many variables ends: those given, or 100 (d + 5) where a tolerance
    /// is.
    pub fn patience(&self, dim: usize) -> Option<u64> {
        self.patience.or_else(|| self.tolerance.map(|_| 100 * (dim as u64 + 5)))
    }

    /// Whether nothing here ends a run that neither reaches its target nor stagnates.
    pub fn is_endless(&self) -> bool {
        self.evaluations.is_none() && self.iterations.is_none() && self.time.is_none()
    }
}

impl<F: Real> Watch<F> for Limits<F> {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        let patience = self.patience(p.best.x.len());
        let Limits { evaluations, iterations, target, time, .. } = self;
        evaluations.map_or(ControlFlow::Continue(()), |n| Evaluations(n).see(p))?;
        iterations.map_or(ControlFlow::Continue(()), |n| Iterations(n).see(p))?;
        target.map_or(ControlFlow::Continue(()), |target| Target(target).see(p))?;
        patience.map_or(ControlFlow::Continue(()), |n| Patience(n).see(p))?;
        time.map_or(ControlFlow::Continue(()), |mut time| time.see(p))
    }

    fn allowance(&self, cost: u64) -> u64 {
        self.evaluations.map_or(u64::MAX, |n| Watch::<F>::allowance(&Evaluations(n), cost))
    }

    fn deadline(&self) -> Option<Instant> {
        self.time.and_then(|time| Watch::<F>::deadline(&time))
    }
}

fn stop_if(condition: bool, reason: Reason) -> ControlFlow<Reason> {
    if condition { ControlFlow::Break(reason) } else { ControlFlow::Continue(()) }
}

/// Ends after exactly this many evaluations, gradients counted at their price; the last batch is cut where the budget ends.
#[derive(Debug, Clone, Copy)]
pub struct Evaluations(pub u64);

impl<F: Real> Watch<F> for Evaluations {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        stop_if(p.cost >= self.0, Reason::Evaluations)
    }

    fn allowance(&self, cost: u64) -> u64 {
        self.0.saturating_sub(cost)
    }
}

/// Ends after this many iterations, the initial points not counted.
#[derive(Debug, Clone, Copy)]
pub struct Iterations(pub u64);

impl<F: Real> Watch<F> for Iterations {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        stop_if(p.iteration >= self.0, Reason::Iterations)
    }
}

/// Ends when the best value of a feasible point is at most this.
#[derive(Debug, Clone, Copy)]
pub struct Target<F: Real = f64>(pub F);

impl<F: Real> Watch<F> for Target<F> {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        stop_if(p.best.violation == F::zero() && p.best.value <= self.0, Reason::Target)
    }
}

/// Ends when the best value has not improved, by more than [`Limits::tolerance`], for this many evaluations.
#[derive(Debug, Clone, Copy)]
pub struct Patience(pub u64);

impl<F: Real> Watch<F> for Patience {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        stop_if(p.evaluations >= p.gained.saturating_add(self.0), Reason::Stagnation)
    }
}

/// Ends when the time is over, within a batch too. The clock starts with the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    deadline: Instant,
}

impl Time {
    /// Ends `duration` from now.
    pub fn from_now(duration: Duration) -> Self {
        // A duration beyond the clock's range means a century, which no run reaches.
        let deadline = Instant::now().checked_add(duration);
        Time { deadline: deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_155_760_000)) }
    }
}

impl<F: Real> Watch<F> for Time {
    fn see(&mut self, _p: &Progress<'_, F>) -> ControlFlow<Reason> {
        stop_if(Instant::now() >= self.deadline, Reason::Time)
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}

/// Ends only when every rule in it would: `Together(vec![a, b])` is "a and b"; several watchers of a run are "or".
pub struct Together<F: Real = f64>(pub Vec<Box<dyn Watch<F>>>);

impl<F: Real> Watch<F> for Together<F> {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        let mut last = ControlFlow::Continue(());
        for rule in &mut self.0 {
            last = rule.see(p);
            if last.is_continue() {
                return last;
            }
        }
        last
    }

    fn sees_evaluations(&self) -> bool {
        self.0.iter().any(|rule| rule.sees_evaluations())
    }

    fn asked(&mut self, asked: &Asked<'_, F>) {
        self.0.iter_mut().for_each(|rule| rule.asked(asked));
    }

    fn evaluated(&mut self, told: &Told<'_, F>) {
        self.0.iter_mut().for_each(|rule| rule.evaluated(told));
    }
}

/// Shows the run to the inner watcher every `n` iterations only.
#[derive(Debug, Clone, Copy)]
pub struct Every<W> {
    n: u64,
    seen: Option<u64>,
    watcher: W,
}

impl<W> Every<W> {
    /// Every `n` iterations (at least 1), starting with the first.
    pub fn new(n: u64, watcher: W) -> Self {
        Every { n: n.max(1), seen: None, watcher }
    }
}

impl<F: Real, W: Watch<F>> Watch<F> for Every<W> {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        if p.iteration.is_multiple_of(self.n) && self.seen != Some(p.iteration) {
            self.seen = Some(p.iteration);
            return self.watcher.see(p);
        }
        ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        self.watcher.sees_evaluations()
    }

    fn asked(&mut self, asked: &Asked<'_, F>) {
        self.watcher.asked(asked);
    }

    fn evaluated(&mut self, told: &Told<'_, F>) {
        self.watcher.evaluated(told);
    }
}
