//! Evaluating points: threads, batches, panics, NaN, and stopping in between.

use crate::{Error, Problem, Real, Result, Rows};
use rayon::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

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
pub(crate) struct Evaluated {
    /// Points evaluated; fewer than asked only after a [`Halt`].
    pub(crate) evaluations: u64,
    /// Points that gave NaN, an infinity or a panic.
    pub(crate) failures: u64,
}

/// Evaluates batches of points and remembers how long a point takes, so that cheap points are not spread over threads
/// and a halt is noticed between dear ones.
#[derive(Debug, Default)]
pub struct Evaluator {
    seconds_a_point: Option<f64>,
    done: Vec<bool>,
}

/// Work for one thread between two looks at the halt, in seconds.
const GRAIN: f64 = 2e-4;

impl Evaluator {
    /// Writes the values of `xs` into `values`, failures as +inf; which points were reached is in [`Evaluator::done`].
    pub(crate) fn evaluate<F: Real>(
        &mut self,
        problem: &dyn Problem<F>,
        xs: Rows<'_, F>,
        values: &mut [F],
        halt: &Halt,
    ) -> Evaluated {
        let begin = Instant::now();
        self.done.clear();
        self.done.resize(xs.len(), false);
        let grain = self.seconds_a_point.map_or(1, |s| (GRAIN / s.max(1e-12)) as usize).clamp(1, xs.len().max(1));
        let (dim, data) = (xs.dim(), xs.data());
        let chunk = |(i, (out, done)): (usize, (&mut [F], &mut [bool]))| {
            if !halt.now() {
                let from = i * grain * dim;
                values_of(problem, Rows::new(dim, &data[from..from + out.len() * dim]), out);
                done.fill(true);
            }
        };
        // Only the run's own pool may be used: outside it `current_thread_index` is None and the loop stays here.
        if rayon::current_thread_index().is_some() && grain < xs.len() {
            values.par_chunks_mut(grain).zip(self.done.par_chunks_mut(grain)).enumerate().for_each(chunk);
        } else {
            values.chunks_mut(grain).zip(self.done.chunks_mut(grain)).enumerate().for_each(chunk);
        }
        let mut evaluated = Evaluated::default();
        for (value, _) in values.iter_mut().zip(&self.done).filter(|(_, done)| **done) {
            evaluated.evaluations += 1;
            if !value.is_finite() {
                evaluated.failures += 1;
                *value = F::infinity();
            }
        }
        if evaluated.evaluations > 0 {
            let threads = if grain < xs.len() { rayon_threads().min(xs.len().div_ceil(grain)) } else { 1 };
            let now = begin.elapsed().as_secs_f64() * threads as f64 / evaluated.evaluations as f64;
            self.seconds_a_point = Some(self.seconds_a_point.map_or(now, |old| 0.5 * (old + now)));
        }
        evaluated
    }

    /// Which points of the last batch were evaluated.
    pub(crate) fn done(&self) -> &[bool] {
        &self.done
    }
}

fn rayon_threads() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}

/// Values of a chunk; after a panic once more point by point, so that only the guilty points fail.
fn values_of<F: Real>(problem: &dyn Problem<F>, xs: Rows<'_, F>, out: &mut [F]) {
    if catch_unwind(AssertUnwindSafe(|| problem.values(xs, out))).is_err() {
        for (x, o) in xs.iter().zip(out) {
            *o = catch_unwind(AssertUnwindSafe(|| problem.value(x))).unwrap_or(F::nan());
        }
    }
}
