//! AdaDelta (Zeiler 2012), with PyTorch's learning rate in front (1 is the paper's).
//!
//! ```text
//! s <- rho s + (1 - rho) g^2
//! d  = sqrt(u + eps) / sqrt(s + eps) g
//! u <- rho u + (1 - rho) d^2        w <- w - rate d
//! ```

use super::{Rule, grow, learning_rate};
use swarmgrad_core::Real;

/// AdaDelta.
#[derive(Debug, Clone)]
pub struct AdaDelta<F: Real = f32> {
    /// Learning rate, 1 in the paper.
    pub rate: f64,
    /// rho in (0, 1), 0.9.
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
    fn begin(&mut self, total: usize) {
        grow(&mut self.squares, total);
        grow(&mut self.moves, total);
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let (rate, rho, rest) = (F::of(self.rate), F::of(self.rho), F::of(1.0 - self.rho));
        let epsilon = F::of(self.epsilon);
        let here = from..from + weights.len();
        let state = self.squares[here.clone()].iter_mut().zip(&mut self.moves[here]);
        for ((w, &g), (s, u)) in weights.iter_mut().zip(gradient).zip(state) {
            *s = rho * *s + rest * g * g;
            let d = (*u + epsilon).sqrt() / (*s + epsilon).sqrt() * g;
            *u = rho * *u + rest * d * d;
            *w -= rate * d;
        }
    }

    learning_rate!();
}
