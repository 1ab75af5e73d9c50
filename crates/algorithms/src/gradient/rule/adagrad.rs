//! AdaGrad (Duchi, Hazan, Singer 2011).
//!
//! ```text
//! s <- s + g^2        w <- w - rate g / (sqrt(s) + eps)
//! ```

use super::{Rule, above_zero, grow, learning_rate, pass, squared};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result};

/// AdaGrad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct AdaGrad<F: Real = f64> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// eps, 1e-10 as in PyTorch.
    pub epsilon: f64,
    squares: Vec<F>,
}

impl<F: Real> AdaGrad<F> {
    /// With eps = 1e-10.
    pub fn new(rate: f64) -> Self {
        AdaGrad { rate, epsilon: 1e-10, squares: Vec::new() }
    }
}

impl<F: Real> Rule<F> for AdaGrad<F> {
    fn check(&self) -> Result<()> {
        above_zero("learning rate", self.rate).and(above_zero("epsilon", self.epsilon))
    }

    fn begin(&mut self, total: usize) {
        grow(&mut self.squares, total);
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let (rate, epsilon) = (F::of(self.rate), F::of(self.epsilon));
        let squares = &mut self.squares[from..from + weights.len()];
        pass(weights, gradient, [squares], |w, g, [s]| {
            let s = s + squared(g);
            (w - rate * g / (s.sqrt() + epsilon), [s])
        });
    }

    learning_rate!();
}
