//! AdaDelta (Zeiler 2012), with PyTorch's learning rate in front (1 is the paper's).
//!
//! ```text
//! s <- rho s + (1 - rho) g^2
//! d  = sqrt(u + eps) / sqrt(s + eps) g
//! u <- rho u + (1 - rho) d^2        w <- w - rate d
//! ```

use super::{Rule, above_zero, flushed, grow, learning_rate, pass, share, squared};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result};

/// AdaDelta.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct AdaDelta<F: Real = f64> {
    /// Learning rate, 1 in the paper.
    pub rate: f64,
    /// rho in \[0, 1), 0.9.
    pub rho: f64,
    /// eps, 1e-6.
    pub epsilon: f64,
    squares: Vec<F>,
    moves: Vec<F>,
}

impl<F: Real> AdaDelta<F> {
    /// With rho = 0.9, eps = 1e-6.
    pub fn new(rate: f64) -> Self {
        AdaDelta { rate, rho: 0.9, epsilon: 1e-6, squares: Vec::new(), moves: Vec::new() }
    }
}

impl<F: Real> Rule<F> for AdaDelta<F> {
    fn check(&self) -> Result<()> {
        above_zero("learning rate", self.rate)?;
        share("rho", self.rho).and(above_zero("epsilon", self.epsilon))
    }

    fn begin(&mut self, total: usize) {
        grow(&mut self.squares, total);
        grow(&mut self.moves, total);
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let (rate, rho, rest) = (F::of(self.rate), F::of(self.rho), F::of(1.0 - self.rho));
        let epsilon = F::of(self.epsilon);
        let here = from..from + weights.len();
        let state = [&mut self.squares[here.clone()], &mut self.moves[here]];
        pass(weights, gradient, state, |w, g, [s, u]| {
            let s = flushed(rho * s + rest * squared(g));
            let d = (u + epsilon).sqrt() / (s + epsilon).sqrt() * g;
            (w - rate * d, [s, flushed(rho * u + rest * squared(d))])
        });
    }

    learning_rate!();
}
