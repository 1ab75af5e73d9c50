//! Evaluating points: threads, batches, panics, NaN, and stopping in between.

use crate::{Aim, Constraint, Error, Evaluation, Failure, FailureCounts, Instant, Matrix, Problem, Real, Result, Rows};
use rayon::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The threads of a run: its own pool, never the process-wide one. One worker means no pool and no threads at all.
#[derive(Debug, Default)]
pub struct Workers {
    pool: Option<rayon::ThreadPool>,
}

impl Workers {
    /// `threads` threads; 0 means one for each core.
    pub fn new(threads: usize) -> Result<Self> {
        let threads = if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads };
        if threads == 1 {
            return Ok(Workers::default());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Ok(Workers { pool: Some(pool.map_err(|why| Error::parameter("threads", threads, why.to_string()))?) })
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs `work` where parallel iterators use these threads.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// A request to end a run soon: a flag that ctrl-C or another thread sets, and a deadline. Looked at between points.
#[derive(Debug, Clone, Default)]
pub struct Halt {
    flag: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Halt {
    /// A halt behind a flag of the caller's.
    pub fn new(flag: Arc<AtomicBool>) -> Self {
        Halt { flag, deadline: None }
    }

    /// The same flag with a deadline as well; the earlier of two deadlines holds.
    pub fn by(&self, deadline: Instant) -> Self {
        let deadline = self.deadline.map_or(deadline, |old| old.min(deadline));
        Halt { flag: self.flag.clone(), deadline: Some(deadline) }
    }

    /// Whether the flag has been set.
    pub fn requested(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Whether the deadline has passed.
    pub fn late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn now(&self) -> bool {
        self.requested() || self.late()
    }
}

/// What a batch cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cost {
    /// Points evaluated; fewer than asked only after a [`Halt`].
    pub(crate) evaluations: u64,
    /// Points that gave NaN, an infinity or a panic.
    pub(crate) failures: FailureCounts,
}

/// Evaluates batches of points and remembers how long a point takes, so that cheap points are not spread over threads
/// and a halt is noticed between dear ones.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    seconds_a_point: Option<f64>,
}

/// Work for one thread between two looks at the halt, in seconds.
const GRAIN: f64 = 2e-4;

/// What wants to see each evaluation as soon as it is there: the row and what is known of it.
pub(crate) type See<'a, F> = &'a (dyn Fn(usize, &Evaluation<F>) + Sync);

impl Threads {
    /// Writes the values of those points of `xs` that are not `done` into `values`, failures as +inf, and says in `done` which
    /// points were reached.
    pub(crate) fn evaluate<F: Real>(
        &mut self,
        problem: &dyn Problem<F>,
        xs: Rows<'_, F>,
        values: &mut [F],
        done: &mut [bool],
        halt: &Halt,
        see: Option<See<'_, F>>,
    ) -> Cost {
        if !done.contains(&true) {
            return self.evaluate_all(problem, xs, values, done, halt, see);
        }
        // A round that is partly known: what is missing, together.
        let rows: Vec<usize> = (0..xs.len()).filter(|&row| !done[row]).collect();
        let mut rest = Matrix::empty(xs.dim());
        rows.iter().for_each(|&row| rest.push(xs.row(row)));
        let (mut found, mut reached) = (vec![F::infinity(); rows.len()], vec![false; rows.len()]);
        let renumbered = see.map(|see| |k: usize, evaluation: &Evaluation<F>| see(rows[k], evaluation));
        let see = renumbered.as_ref().map(|see| see as See<'_, F>);
        let cost = self.evaluate_all(problem, rest.rows(), &mut found, &mut reached, halt, see);
        for (k, &row) in rows.iter().enumerate() {
            (values[row], done[row]) = (found[k], reached[k]);
        }
        cost
    }

    fn evaluate_all<F: Real>(
        &mut self,
        problem: &dyn Problem<F>,
        xs: Rows<'_, F>,
        values: &mut [F],
        done: &mut [bool],
        halt: &Halt,
        see: Option<See<'_, F>>,
    ) -> Cost {
        let begin = Instant::now();
        let grain = match problem.whole() {
            true => xs.len().max(1),
            false => self.seconds_a_point.map_or(1, |s| (GRAIN / s.max(1e-12)) as usize).clamp(1, xs.len().max(1)),
        };
        let (dim, data) = (xs.dim(), xs.data());
        let counts = Mutex::new(FailureCounts::default());
        let chunk = |(i, (out, done)): (usize, (&mut [F], &mut [bool]))| {
            if !halt.now() {
                let from = i * grain;
                let rows = Rows::new(dim, &data[from * dim..(from + out.len()) * dim]);
                let begin = see.map(|_| Instant::now());
                done.fill(true);
                let known = values_of(problem, rows, out, done);
                if known.iter().any(|(_, known)| known.failure.is_some()) {
                    let mut counts = counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    known
                        .iter()
                        .filter_map(|(_, known)| known.failure.as_ref())
                        .for_each(|failure| counts.add(failure));
                }
                if let (Some(see), Some(begin)) = (see, begin) {
                    let seconds = begin.elapsed().as_secs_f64() / out.len() as f64;
                    let mut known = known.into_iter().peekable();
                    for (k, &value) in out.iter().enumerate().filter(|(k, _)| done[*k]) {
                        let known = known.next_if(|(row, _)| *row == k).map(|(_, known)| known);
                        let Known { failure, parts, constraints } = known.unwrap_or_default();
                        let worker = rayon::current_thread_index().unwrap_or(0) as u32;
                        let evaluation =
                            Evaluation { failure, parts, constraints, seconds, worker, ..Evaluation::of(value) };
                        see(from + k, &evaluation);
                    }
                }
            }
        };
        // Only the run's own pool may be used: outside it `current_thread_index` is None and the loop stays here.
        if rayon::current_thread_index().is_some() && grain < xs.len() {
            values.par_chunks_mut(grain).zip(done.par_chunks_mut(grain)).enumerate().for_each(chunk);
        } else {
            values.chunks_mut(grain).zip(done.chunks_mut(grain)).enumerate().for_each(chunk);
        }
        let evaluations = done.iter().filter(|done| **done).count() as u64;
        if evaluations > 0 {
            let threads = if grain < xs.len() { rayon_threads().min(xs.len().div_ceil(grain)) } else { 1 };
            let now = begin.elapsed().as_secs_f64() * threads as f64 / evaluations as f64;
            self.seconds_a_point = Some(self.seconds_a_point.map_or(now, |old| 0.5 * (old + now)));
        }
        Cost { evaluations, failures: counts.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) }
    }
}

fn rayon_threads() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}

/// What is known of a point beside its value.
#[derive(Debug)]
struct Known<F> {
    failure: Option<Failure>,
    parts: Vec<F>,
    constraints: Vec<F>,
}

impl<F> Default for Known<F> {
    fn default() -> Self {
        Known { failure: None, parts: Vec::new(), constraints: Vec::new() }
    }
}

impl<F: Real> Known<F> {
    /// What an evaluation says; one without all parts or the values of all constraints has failed.
    fn of(evaluation: Evaluation<F>, constraints: &[Constraint], aim: &Aim) -> Self {
        let Evaluation { value, failure, parts, constraints: found, .. } = evaluation;
        let failure = failure.or((!value.is_finite()).then_some(Failure::NotFinite));
        let why = if found.len() != constraints.len() {
            format!("it has {} constraint values, and the problem {} constraints", found.len(), constraints.len())
        } else if aim.parts().is_some_and(|expected| expected != parts.len()) {
            format!("it has {} objectives, and the problem {}", parts.len(), aim.parts().unwrap_or_default())
        } else {
            return Known { failure, parts, constraints: found };
        };
        match failure {
            Some(failure) => Known { failure: Some(failure), parts, constraints: found },
            None => Known { failure: Some(Failure::Unreadable(why)), ..Known::default() },
        }
    }
}

/// Values of a chunk, failures as +inf, and what else is known of some of its points, in the order of the rows; after a panic once more point by point, so that
/// only the guilty points fail. A point that was not evaluated after all, at no cost, is not `done`.
fn values_of<F: Real>(
    problem: &dyn Problem<F>,
    xs: Rows<'_, F>,
    out: &mut [F],
    done: &mut [bool],
) -> Vec<(usize, Known<F>)> {
    let mut all = Vec::new();
    let (constraints, aim) = (problem.constraints(), problem.aim());
    let together = constraints.is_empty()
        && *aim == Aim::Value
        && !problem.explains()
        && catch_unwind(AssertUnwindSafe(|| problem.values(xs, out))).is_ok();
    if together && out.iter().all(|value| value.is_finite()) {
        return all;
    }
    for (row, (x, value)) in xs.iter().zip(out).enumerate() {
        let known = if together {
            Known { failure: (!value.is_finite()).then_some(Failure::NotFinite), ..Known::default() }
        } else {
            let evaluation = catch_unwind(AssertUnwindSafe(|| problem.evaluate(x)));
            let evaluation = evaluation.unwrap_or_else(|why| Evaluation::failed(Failure::Panicked(message(&*why))));
            if evaluation.evaluations == 0 {
                done[row] = false;
                continue;
            }
            *value = evaluation.value;
            Known::of(evaluation, constraints, aim)
        };
        if known.failure.is_some() {
            *value = F::infinity();
        }
        if known.failure.is_some() || !known.constraints.is_empty() || !known.parts.is_empty() {
            all.push((row, known));
        }
    }
    all
}

/// What a panic said.
fn message(why: &(dyn Any + Send)) -> String {
    let text = why.downcast_ref::<String>().map(String::as_str).or(why.downcast_ref::<&str>().copied());
    text.unwrap_or("the objective panicked").to_owned()
}
