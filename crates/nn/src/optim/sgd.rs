//! Stochastic gradient descent, with momentum or without.
//!
//! ```text
//! b <- mu b + g        w <- w - rate b        (PyTorch's form; mu = 0 leaves w - rate g)
//! ```

use super::{Rule, grow, learning_rate};
use swarmgrad_core::Real;

/// SGD.
#[derive(Debug, Clone)]
pub struct Sgd<F: Real = f32> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// mu in \[0, 1).
    pub momentum: f64,
    velocity: Vec<F>,
}

impl<F: Real> Sgd<F> {
    /// Without momentum.
    pub fn new(rate: f64) -> Self {
        Sgd::with_momentum(rate, 0.0)
    }

    /// With momentum.
    pub fn with_momentum(rate: f64, momentum: f64) -> Self {
        Sgd { rate, momentum, velocity: Vec::new() }
    }
}

impl<F: Real> Rule<F> for Sgd<F> {
    fn begin(&mut self, total: usize) {
        if self.momentum != 0.0 {
            grow(&mut self.velocity, total);
        }
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let (rate, mu) = (F::of(self.rate), F::of(self.momentum));
        if self.momentum == 0.0 {
            weights.iter_mut().zip(gradient).for_each(|(w, &g)| *w -= rate * g);
            return;
        }
        let velocity = &mut self.velocity[from..from + weights.len()];
        for ((w, &g), b) in weights.iter_mut().zip(gradient).zip(velocity) {
            *b = mu * *b + g;
            *w -= rate * *b;
        }
    }

    learning_rate!();
}
