//! RMSProp (Tieleman and Hinton 2012).
//!
//! ```text
//! s <- alpha s + (1 - alpha) g^2        w <- w - rate g / (sqrt(s) + eps)
//! ```

use super::{Rule, above_zero, flushed, grow, learning_rate, pass, share, squared};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result};

/// RMSProp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct RmsProp<F: Real = f64> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// alpha in \[0, 1), 0.99.
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
    fn check(&self) -> Result<()> {
        above_zero("learning rate", self.rate)?;
        share("alpha", self.alpha).and(above_zero("epsilon", self.epsilon))
    }

    fn begin(&mut self, total: usize) {
        grow(&mut self.squares, total);
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let (rate, alpha, rest) = (F::of(self.rate), F::of(self.alpha), F::of(1.0 - self.alpha));
        let epsilon = F::of(self.epsilon);
        let squares = &mut self.squares[from..from + weights.len()];
        pass(weights, gradient, [squares], |w, g, [s]| {
            let s = flushed(alpha * s + rest * squared(g));
            (w - rate * g / (s.sqrt() + epsilon), [s])
        });
    }

    learning_rate!();
}
