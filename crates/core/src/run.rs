//! Run: joins a problem, an algorithm and watchers; owns counting, best-so-far and stopping.

use crate::session::{Round, take_parts};
use crate::threads::Threads;
use crate::{
    Algorithm, Capacity, Checkpoint, Evaluation, Evaluator, GradientSource, Halt, Id, Limits, Matrix, Outcome, Problem,
    Real, Reason, Result, Rng, Sampled, Session, Told, Watch, Workers,
};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

/// One minimisation, round by round or to its end: the loop over a [`Session`].
///
/// ```no_run
/// # use swarmgrad_core::*;
/// # fn example(problem: &dyn Problem, algorithm: &mut dyn Algorithm) {
/// let mut budget = Evaluations(10_000);
/// let outcome = Run::new(problem, algorithm, 42).watch(&mut budget).minimize();
/// println!("{} after {} evaluations", outcome.fun, outcome.nfev);
/// # }
/// ```
pub struct Run<'a, F: Real = f64> {
    pub(crate) session: Session<'a, F>,
    place: Place<'a, F>,
    workers: Option<&'a Workers>,
    halt: Halt,
    watched: bool,
}

/// Where the points are evaluated.
enum Place<'a, F: Real> {
    /// In this process, a round at a time.
    Here { problem: &'a dyn Problem<F>, threads: Threads, source: Option<Source<'a, F>> },
    /// Elsewhere, point by point.
    Elsewhere(&'a mut dyn Evaluator<F>),
}

/// Where gradients come from, and room for those points of a round that need values only.
struct Source<'a, F: Real> {
    source: &'a mut dyn GradientSource<F>,
    rest: Matrix<F>,
    values: Vec<F>,
    done: Vec<bool>,
}

/// Evaluations a variable of a run that nobody limits.
pub const DEFAULT_BUDGET: u64 = 10_000;
/// How long a run waits for an evaluation before it looks up.
const WAIT: Duration = Duration::from_millis(50);

impl<'a, F: Real> Run<'a, F> {
    /// A run within this process, on one thread. Where no watcher is added it ends after [`DEFAULT_BUDGET`] evaluations a variable.
    pub fn new(problem: &'a dyn Problem<F>, algorithm: &'a mut dyn Algorithm<F>, seed: u64) -> Self {
        let place = Place::Here { problem, threads: Threads::default(), source: None };
        let session = Session::new(Box::new(algorithm), seed).of_problem(problem);
        Run { session, place, workers: None, halt: Halt::default(), watched: false }
    }

    /// The run of a session over an evaluator: a program, Python, a cluster.
    pub fn over(session: Session<'a, F>, evaluator: &'a mut dyn Evaluator<F>) -> Self {
        // Points that an earlier part of the run was still waiting for.
        session.unanswered().for_each(|batch| evaluator.submit(&batch));
        Run { session, place: Place::Elsewhere(evaluator), workers: None, halt: Halt::default(), watched: true }
    }

    /// The run of a session over a problem within this process.
    pub fn of(session: Session<'a, F>, problem: &'a dyn Problem<F>) -> Self {
        let place = Place::Here { problem, threads: Threads::default(), source: None };
        let session = session.of_problem(problem);
        Run { session, place, workers: None, halt: Halt::default(), watched: true }
    }

    /// Offers gradients to the method. `cost` is that of a value with its gradient, in evaluations, at least 1: budgets
    /// count it. Gradients are computed on one thread. A source whose cost is not known before its first gradient may
    /// exceed the budget by that one.
    pub fn gradients(mut self, source: &'a mut dyn GradientSource<F>, cost: f64) -> Self {
        if let Place::Here { source: place, .. } = &mut self.place
            && self.session.expect_gradients(cost)
        {
            *place = Some(Source { source, rest: Matrix::default(), values: Vec::new(), done: Vec::new() });
        }
        self
    }

    /// Adds a watcher; any of several may end the run.
    pub fn watch(mut self, watcher: &'a mut dyn Watch<F>) -> Self {
        self.session = self.session.watch_by(watcher);
        self.watched = true;
        self
    }

    /// Uses these threads. The result does not depend on their number.
    pub fn workers(mut self, workers: &'a Workers) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Ends soon after `halt` asks for it, with the result so far.
    pub fn halt(mut self, halt: Halt) -> Self {
        self.halt = halt;
        self
    }

    /// Draws from this generator (scripted, recording, or a fork) instead of one made from the seed.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.session = self.session.rng(rng);
        self
    }

    /// The session of this run.
    pub fn session(&self) -> &Session<'a, F> {
        &self.session
    }

    /// Runs to the end.
    pub fn minimize(mut self) -> Outcome<F> {
        if let (Place::Here { problem, .. }, false) = (&self.place, self.watched) {
            let budget = DEFAULT_BUDGET.saturating_mul(problem.space().dim() as u64);
            self.session = self.session.limits(Limits::evaluations(budget));
        }
        let go = |mut run: Run<'a, F>| {
            while run.step().is_continue() {}
            run.outcome()
        };
        match self.workers {
            Some(workers) => workers.install(|| go(self)),
            None => go(self),
        }
    }

    /// One round: ask, evaluate, tell, watch; over an evaluator a part of it. On the calling thread's pool, if it is in one.
    pub fn step(&mut self) -> ControlFlow<Reason> {
        match &mut self.place {
            Place::Here { problem, threads, source } => here(&mut self.session, *problem, threads, source, &self.halt),
            Place::Elsewhere(evaluator) => elsewhere(&mut self.session, &mut **evaluator, &self.halt),
        }
        match self.session.ended() {
            Some(reason) => ControlFlow::Break(reason.clone()),
            None => ControlFlow::Continue(()),
        }
    }

    /// Ends the run for this reason.
    pub fn stop(&mut self, reason: Reason) {
        self.session.stop(reason);
    }

    /// The result so far.
    pub fn outcome(self) -> Outcome<F> {
        if let Place::Elsewhere(evaluator) = self.place {
            evaluator.abandon();
        }
        self.session.outcome()
    }
}

impl<F: Real> Run<'_, F> {
    /// [`Session::checkpoint`] of this run.
    ///
    /// # Errors
    /// A state of the method that cannot be encoded.
    pub fn checkpoint(&self, method: &str, about: &str) -> Result<Checkpoint<F>> {
        self.session.checkpoint(method, about)
    }

    /// [`Session::resume`] of this run.
    pub fn resume(mut self, checkpoint: Checkpoint<F>) -> Self {
        self.session = self.session.resume(checkpoint);
        self
    }
}

/// Why a halt ends the run now, if it does; a deadline does not cut off the evaluations at the end of a noisy run.
fn halted<F: Real>(session: &Session<'_, F>, halt: &Halt) -> Option<Reason> {
    let late = || !session.is_settling() && halt.late();
    if halt.requested() { Some(Reason::Interrupted) } else { late().then_some(Reason::Time) }
}

/// The halt of a run with the deadlines of its watchers.
fn halt_of<F: Real>(session: &Session<'_, F>, halt: &Halt) -> Halt {
    match session.deadline().filter(|_| !session.is_settling()) {
        Some(deadline) => halt.by(deadline),
        None => halt.clone(),
    }
}

/// One round within the process, without a copy of its points.
fn here<F: Real>(
    session: &mut Session<'_, F>,
    problem: &dyn Problem<F>,
    threads: &mut Threads,
    source: &mut Option<Source<'_, F>>,
    halt: &Halt,
) {
    // Between two rounds the state is whole: the best moment to be interrupted.
    if halt.requested() {
        return session.stop(Reason::Interrupted);
    }
    if !session.open() {
        return;
    }
    let halt = halt_of(session, halt);
    match source.as_mut().filter(|_| !session.gradient_rows().is_empty()) {
        Some(source) => with_gradients(session, problem, threads, source, &halt),
        None => {
            let round_number = session.rounds();
            let seen =
                (session.observed || session.is_constrained() || session.has_parts()).then(|| session.is_settling());
            let (watchers, round) = session.watchers_and_round();
            let Round { xs, values, done, first, affordable, constraints, parts, .. } = round;
            let xs = xs.rows().slice(0, *affordable);
            let values_asked = xs.len();
            let cost = match seen {
                None => threads.evaluate(problem, xs, values, done, &halt, None),
                Some(settling) => {
                    let seeing = Mutex::new((watchers, constraints, parts));
                    let see = |row: usize, evaluation: &Evaluation<F>| {
                        let (id, x) = (Id(*first + row as u64), xs.row(row));
                        let told = Told {
                            id,
                            round: round_number,
                            row,
                            late: false,
                            settling,
                            repeated: false,
                            x,
                            evaluation,
                        };
                        let mut seeing = seeing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        let (watchers, constraints, parts) = &mut *seeing;
                        watchers.iter_mut().for_each(|watcher| watcher.evaluated(&told));
                        if constraints.dim() == evaluation.constraints.len() && row < constraints.len() {
                            constraints.row_mut(row).copy_from_slice(&evaluation.constraints);
                        }
                        take_parts(parts, row, values_asked, &evaluation.parts);
                    };
                    threads.evaluate(problem, xs, values, done, &halt, Some(&see))
                }
            };
            session.told_in_place(cost.evaluations, 0, cost.failures);
        }
    }
    match halted(session, &halt) {
        Some(reason) => session.stop(reason),
        // What the problem gave up for the moment is evaluated in the next step.
        None if session.round.done.contains(&false) => {}
        None => session.close(),
    }
}

/// A round some of whose points want gradients; fewer points where gradients turn out dearer than the last one.
fn with_gradients<F: Real>(
    session: &mut Session<'_, F>,
    problem: &dyn Problem<F>,
    threads: &mut Threads,
    source: &mut Source<'_, F>,
    halt: &Halt,
) {
    let rows = session.gradient_rows().to_vec();
    let (dim, left) = (session.round.xs.dim(), session.left());
    // The points that need values only, together.
    source.rest.resize(0, dim);
    source.done.clear();
    let plain: Vec<usize> = (0..session.round.affordable).filter(|row| rows.binary_search(row).is_err()).collect();
    for &row in &plain {
        source.rest.push(session.round.xs.row(row));
        source.done.push(session.round.done[row]);
    }
    let known = source.done.iter().filter(|done| **done).count() as u64;
    source.values.clear();
    source.values.extend(plain.iter().map(|&row| session.round.values[row]));
    let counted = threads.evaluate(problem, source.rest.rows(), &mut source.values, &mut source.done, halt, None);
    let mut spent = (counted.evaluations + known) as f64;
    let mut evaluations = counted.evaluations + known;
    for (k, &row) in plain.iter().enumerate().filter(|(k, _)| source.done[*k]) {
        if !session.round.done[row] {
            session.learn(row, Evaluation::of(source.values[k]));
        }
    }
    for row in rows {
        if row >= session.round.affordable {
            break;
        }
        if session.round.done[row] {
            let cost = session.round.costs[row];
            evaluations += cost;
            spent += session.last_price.max(cost as f64);
            continue;
        }
        if (spent + session.last_price).ceil() > left as f64 {
            session.cut(row);
            break;
        }
        if halt.requested() || halt.late() {
            break;
        }
        // The count of evaluations is another one for every gradient of a run.
        let rng = session.rng.fork("gradient").at(session.round.base + evaluations);
        let mut evaluation = Evaluation::of(F::nan());
        evaluation.gradient = vec![F::nan(); dim];
        let x = session.round.xs.row(row);
        let sampled = catch_unwind(AssertUnwindSafe(|| source.source.gradient(x, &mut evaluation.gradient, &rng)));
        let sampled = sampled.unwrap_or(Sampled { value: F::nan(), evaluations: 1, gradients: 1, reliability: None });
        (evaluation.evaluations, evaluation.gradients) = (sampled.evaluations, sampled.gradients);
        if sampled.value.is_finite() {
            (evaluation.value, evaluation.failure) = (sampled.value, None);
        } else {
            evaluation.gradient.fill(F::nan());
        }
        evaluations += sampled.evaluations;
        session.learn(row, evaluation);
        spent += session.last_price;
    }
}

/// A part of a round elsewhere: hands out what the evaluator takes, and takes what it has.
fn elsewhere<F: Real>(session: &mut Session<'_, F>, evaluator: &mut dyn Evaluator<F>, halt: &Halt) {
    if let Some(why) = evaluator.broken() {
        return session.stop(Reason::Failures(why));
    }
    let halt = halt_of(session, halt);
    if let Some(reason) = halted(session, &halt) {
        return session.stop(reason);
    }
    loop {
        let most = match evaluator.capacity() {
            Capacity::Points(most) => most,
            Capacity::Rounds => usize::MAX,
        };
        let batch = session.ask(most);
        if batch.is_empty() {
            break;
        }
        evaluator.submit(&batch);
    }
    for (id, evaluation) in evaluator.poll(WAIT) {
        // What is answered twice or was never asked for is a fault of the evaluator.
        if let Err(why) = session.tell(id, evaluation) {
            return session.stop(Reason::Failures(why.to_string()));
        }
    }
}
