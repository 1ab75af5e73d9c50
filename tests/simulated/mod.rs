//! Workers that take their time by a clock of their own.

use std::time::Duration;
use swarmgrad::{Batch, Capacity, Evaluation, Evaluator, Id, Problem, Rng};

/// Evaluates over a number of workers by a clock of its own: the k-th point takes `times[k]`, log-normal with sigma 1.
pub struct Simulated<'a> {
    problem: &'a dyn Problem,
    free: usize,
    /// The clock.
    pub now: f64,
    times: Vec<f64>,
    begun: usize,
    queue: Vec<(f64, Id, f64)>,
}

impl<'a> Simulated<'a> {
    pub fn new(problem: &'a dyn Problem, workers: usize, seed: u64) -> Self {
        let mut times = vec![0.0; 200_000];
        Rng::new(seed).fork("times").row(0).fill_normal(&mut times);
        times.iter_mut().for_each(|t| *t = f64::exp(*t));
        Simulated { problem, free: workers, now: 0.0, times, begun: 0, queue: Vec::new() }
    }
}

impl Evaluator for Simulated<'_> {
    fn capacity(&self) -> Capacity {
        Capacity::Points(self.free)
    }

    fn submit(&mut self, batch: &Batch) {
        for (id, x) in batch.points() {
            let end = self.now + self.times[self.begun % self.times.len()];
            self.begun += 1;
            self.free -= 1;
            self.queue.push((end, id, self.problem.value(x)));
        }
    }

    fn poll(&mut self, _wait: Duration) -> Vec<(Id, Evaluation)> {
        let next = (0..self.queue.len()).min_by(|&a, &b| self.queue[a].0.total_cmp(&self.queue[b].0));
        let Some(next) = next else { return Vec::new() };
        let (end, id, value) = self.queue.swap_remove(next);
        self.now = end;
        self.free += 1;
        vec![(id, Evaluation::of(value))]
    }
}
