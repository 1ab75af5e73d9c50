//! Who was busy when, as far as a journal tells: it holds how long each evaluation took and who made it, and the order in which they
//! became known.
//!
//! A worker begins an evaluation when it has ended its last one, and not before the round that the point belongs to was asked for, which
//! is when all that was waited for of the rounds before was known. What the method itself takes, and the start of programs, is in no
//! evaluation's seconds: the times are the least that are possible.

use super::bins::Bins;
use std::collections::HashMap;

/// Workers beyond these are not told apart.
const MOST_WORKERS: usize = 4096;
/// Bins of busy seconds at most.
const BINS: usize = 128;
/// Longer than any evaluation takes, in seconds.
const AGES: f64 = 1e12;

/// A worker.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkerTime {
    /// Its number in the journal.
    pub number: u32,
    /// Seconds that it evaluated.
    pub busy: f64,
    /// Its evaluations.
    pub evaluations: u64,
    free: f64,
}

/// The times of all workers.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The workers in the order in which they came.
    pub workers: Vec<WorkerTime>,
    /// When the last evaluation ended, in seconds from the first one's begin.
    pub end: f64,
    /// Busy seconds, a row a worker.
    pub busy: Bins,
    rows: HashMap<u32, usize>,
    round: u64,
    begun: f64,
    known: f64,
}

impl Default for Timeline {
    fn default() -> Self {
        let (workers, rows) = (Vec::new(), HashMap::new());
        Timeline { workers, end: 0.0, busy: Bins::new(1e-6, BINS), rows, round: 0, begun: 0.0, known: 0.0 }
    }
}

impl Timeline {
    /// Takes an evaluation and says when it ended.
    pub fn take(&mut self, round: u64, late: bool, worker: u32, seconds: f64) -> f64 {
        let seconds = if seconds > 0.0 && seconds < AGES { seconds } else { 0.0 };
        if round > self.round {
            (self.round, self.begun) = (round, self.known);
        }
        let next = self.workers.len();
        let row = match self.rows.get(&worker) {
            Some(row) => *row,
            None if next < MOST_WORKERS => {
                self.rows.insert(worker, next);
                self.workers.push(WorkerTime { number: worker, ..WorkerTime::default() });
                next
            }
            None => MOST_WORKERS - 1,
        };
        let known = &mut self.workers[row];
        let begin = if round < self.round { known.free } else { known.free.max(self.begun) };
        let end = begin + seconds;
        known.free = end;
        known.busy += seconds;
        known.evaluations += 1;
        self.busy.add(row, begin, end);
        self.end = self.end.max(end);
        if !late {
            self.known = self.known.max(end);
        }
        end
    }

    /// The share of the time in which the workers were busy.
    pub fn utilisation(&self) -> f64 {
        self.workers.iter().map(|worker| worker.busy).sum::<f64>() / (self.end * self.workers.len().max(1) as f64)
    }
}
