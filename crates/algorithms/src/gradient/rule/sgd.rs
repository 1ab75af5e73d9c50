//! Stochastic gradient descent, with momentum or without.
//!
//! ```text
//! b <- mu b + (1 - dampening) g        w <- w - rate b
//! ```
//!
//! mu = 0 is plain descent. Dampening 0 is the heavy ball as the tensor libraries write it; dampening mu gives the average
//! V <- beta V + (1 - beta) g of AdaSwarm's eq. (16).

use super::{Rule, above_zero, flushed, grow, learning_rate, pass, share};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result};

/// Gradient descent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Sgd<F: Real = f64> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// mu in \[0, 1).
    pub momentum: f64,
    /// What the momentum takes off a new gradient, in \[0, 1).
    pub dampening: f64,
    velocity: Vec<F>,
}

impl<F: Real> Sgd<F> {
    /// Without momentum.
    pub fn new(rate: f64) -> Self {
        Sgd::with_momentum(rate, 0.0)
    }

    /// The heavy ball.
    pub fn with_momentum(rate: f64, momentum: f64) -> Self {
        Sgd { rate, momentum, dampening: 0.0, velocity: Vec::new() }
    }

    /// An exponential average of the gradients, AdaSwarm's eq. (16).
    pub fn averaged(rate: f64, beta: f64) -> Self {
        Sgd { dampening: beta, ..Sgd::with_momentum(rate, beta) }
    }
}

impl<F: Real> Rule<F> for Sgd<F> {
    fn check(&self) -> Result<()> {
        above_zero("learning rate", self.rate)?;
        share("momentum", self.momentum).and(share("dampening", self.dampening))
    }

    fn begin(&mut self, total: usize) {
        if self.momentum != 0.0 {
            grow(&mut self.velocity, total);
        }
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let (rate, mu, new) = (F::of(self.rate), F::of(self.momentum), F::of(1.0 - self.dampening));
        if self.momentum == 0.0 {
            return pass(weights, gradient, [], |w, g, []| (w - rate * g, []));
        }
        let velocity = &mut self.velocity[from..from + weights.len()];
        pass(weights, gradient, [velocity], |w, g, [b]| {
            let b = flushed(mu * b + new * g);
            (w - rate * b, [b])
        });
    }

    learning_rate!();
}
