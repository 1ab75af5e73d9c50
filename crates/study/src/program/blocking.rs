//! A pool as a problem, for those who wait for their values.

use super::Pool;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, TryLockError};
use std::time::Duration;
use swarmgrad_core::{Batch, Evaluation, Evaluator, Failure, Halt, Id, Matrix, Problem, Rows, Space};

/// How often a waiting caller looks whether it shall go on, and whether others have brought points.
const SLICE: Duration = Duration::from_millis(5);

/// A [`Pool`] whose callers wait: sources of gradients evaluate points of their own. Points of one call and of calls from several
/// threads use all workers. What is given up because the run is halted, or because nothing can come of the program any more, is no
/// evaluation: it has cost none, and no value.
pub struct Blocking {
    space: Space,
    halt: Halt,
    /// Whoever holds it serves the programs for all that wait.
    pool: Mutex<Pool>,
    desk: Mutex<Desk>,
    changed: Condvar,
}

#[derive(Default)]
struct Desk {
    /// Number of the next point.
    next: u64,
    /// Points that are to be submitted.
    brought: Vec<Batch>,
    /// Evaluations that are to be fetched.
    found: BTreeMap<u64, Evaluation>,
}

impl Blocking {
    /// The problem of a pool.
    pub fn new(pool: Pool, halt: Halt) -> Self {
        let space = pool.space().clone();
        Blocking { space, halt, pool: Mutex::new(pool), desk: Mutex::default(), changed: Condvar::new() }
    }

    /// The pool again.
    pub fn into_pool(self) -> Pool {
        self.pool.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Why nothing can come of the program any more, if so.
    pub fn broken(&self) -> Option<String> {
        lock(&self.pool).broken()
    }

    /// The last failure of the program.
    pub fn last_failure(&self) -> Option<Failure> {
        lock(&self.pool).last_failure().cloned()
    }

    /// What the user should know and has not been told yet.
    pub fn notes(&self) -> Vec<String> {
        lock(&self.pool).notes()
    }

    /// The evaluations of the points, none for those that were given up.
    fn evaluations(&self, xs: Rows<'_>) -> Vec<Option<Evaluation>> {
        let mut points = Matrix::empty(xs.dim());
        xs.iter().for_each(|x| points.push(x));
        let mut desk = lock(&self.desk);
        let first = desk.next;
        desk.next += xs.len() as u64;
        desk.brought.push(Batch::new(Id(first), 0, points));
        drop(desk);
        let mut found: Vec<Option<Evaluation>> = vec![None; xs.len()];
        loop {
            let mut desk = lock(&self.desk);
            for (number, found) in (first..).zip(&mut found).filter(|(_, found)| found.is_none()) {
                *found = desk.found.remove(&number);
            }
            if found.iter().all(Option::is_some) {
                return found;
            }
            drop(desk);
            let mut pool = match self.pool.try_lock() {
                Ok(pool) => pool,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    let desk = lock(&self.desk);
                    drop(self.changed.wait_timeout(desk, SLICE));
                    continue;
                }
            };
            let brought = std::mem::take(&mut lock(&self.desk).brought);
            if pool.broken().is_some() || self.halt.requested() || self.halt.late() {
                pool.abandon();
                return found;
            }
            brought.iter().for_each(|batch| pool.submit(batch));
            let answers = pool.poll(SLICE);
            if !answers.is_empty() {
                lock(&self.desk).found.extend(answers.into_iter().map(|(id, evaluation)| (id.0, evaluation)));
                self.changed.notify_all();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Problem for Blocking {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.evaluate(x).value
    }

    fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
        let value = |evaluation: Option<Evaluation>| evaluation.map_or(f64::NAN, |evaluation| evaluation.value);
        out.iter_mut().zip(self.evaluations(xs)).for_each(|(out, evaluation)| *out = value(evaluation));
    }

    fn explains(&self) -> bool {
        true
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        let none = || Evaluation { evaluations: 0, failure: None, ..Evaluation::of(f64::NAN) };
        self.evaluations(Rows::new(x.len(), x)).pop().flatten().unwrap_or_else(none)
    }
}
