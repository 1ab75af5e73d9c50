//! RMSProp (Tieleman and Hinton 2012).
//!
//! ```text
//! s <- alpha s + (1 - alpha) g^2        w <- w - rate g / (sqrt(s) + eps)
//! ```

use super::{Rule, grow, learning_rate};
use swarmgrad_core::Real;

/// RMSProp.
#[derive(Debug, Clone)]
pub struct RmsProp<F: Real = f32> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// alpha in (0, 1), 0.99.
    pub alpha: f64,
    /// eps, 1e-8.
    pub epsilon: f64,
    squares: Vec<F>,
}

impl<F: Real> RmsProp<F> {
    /// With alpha = 0.99, eps = 1e-8.
    pub fn new(rate: f64) -> Self {
        RmsProp { rate, alpha: 0.99, epsilon: 1e-8, squares: Vec::new() }
    }
}

impl<F: Real> Rule<F> for RmsProp<F> {
    fn begin(&mut self, total: usize) {
        grow(&mut self.squares, total);
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let (rate, alpha, rest) = (F::of(self.rate), F::of(self.alpha), F::of(1.0 - self.alpha));
        let epsilon = F::of(self.epsilon);
        let squares = &mut self.squares[from..from + weights.len()];
        for ((w, &g), s) in weights.iter_mut().zip(gradient).zip(squares) {
            *s = alpha * *s + rest * g * g;
            *w -= rate * g / (s.sqrt() + epsilon);
        }
    }

    learning_rate!();
}
