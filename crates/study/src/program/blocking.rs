//! A pool as a problem, for those who wait for their values.

use super::Pool;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use swarmgrad_core::{Batch, Evaluation, Evaluator, Failure, Halt, Id, Matrix, Problem, Rows, Space};

/// How often a waiting caller looks whether it shall go on.
const SLICE: Duration = Duration::from_millis(25);

/// A [`Pool`] whose callers wait: sources of gradients evaluate points of their own. The points of one call use all workers; calls
/// from several threads follow one another. What is given up because the run is halted, or because nothing can come of the program
/// any more, has no value.
pub struct Blocking {
    space: Space,
    halt: Halt,
    inner: Mutex<Numbered>,
}

struct Numbered {
    pool: Pool,
    /// Number of the next point.
    next: u64,
}

impl Blocking {
    /// The problem of a pool.
    pub fn new(pool: Pool, halt: Halt) -> Self {
        Blocking { space: pool.space().clone(), halt, inner: Mutex::new(Numbered { pool, next: 0 }) }
    }

    /// The pool again.
    pub fn into_pool(self) -> Pool {
        self.inner.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).pool
    }

    /// Why nothing can come of the program any more, if so.
    pub fn broken(&self) -> Option<String> {
        self.inner().pool.broken()
    }

    /// What the user should know and has not been told yet.
    pub fn notes(&self) -> Vec<String> {
        self.inner().pool.notes()
    }

    fn inner(&self) -> MutexGuard<'_, Numbered> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn evaluations(&self, xs: Rows<'_>) -> Vec<Evaluation> {
        let mut inner = self.inner();
        let Numbered { pool, next } = &mut *inner;
        let mut points = Matrix::empty(xs.dim());
        xs.iter().for_each(|x| points.push(x));
        let (first, mut missing) = (*next, xs.len());
        *next += missing as u64;
        let mut found: Vec<Option<Evaluation>> = vec![None; missing];
        pool.submit(&Batch::new(Id(first), 0, points));
        while missing > 0 && pool.broken().is_none() && !self.halt.requested() && !self.halt.late() {
            for (id, evaluation) in pool.poll(SLICE) {
                let place = id.0.checked_sub(first).and_then(|row| found.get_mut(row as usize));
                missing -= usize::from(place.is_some_and(|place| place.replace(evaluation).is_none()));
            }
        }
        if missing > 0 {
            pool.abandon();
        }
        let none = || Evaluation::failed(Failure::Crashed("it was given up".into()));
        found.into_iter().map(|evaluation| evaluation.unwrap_or_else(none)).collect()
    }
}

impl Problem for Blocking {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.evaluate(x).value
    }

    fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
        out.iter_mut().zip(self.evaluations(xs)).for_each(|(out, evaluation)| *out = evaluation.value);
    }

    fn whole(&self) -> bool {
        true
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        self.evaluations(Rows::new(x.len(), x)).remove(0)
    }
}
