//! diffGrad (Dubey, Chakraborty, Roy, Mukherjee, Singh, Chaudhuri 2020): Adam whose step shrinks where the gradient stands still.
//!
//! ```text
//! m <- b1 m + (1 - b1) g        v <- b2 v + (1 - b2) g^2        xi = 1 / (1 + exp(-|g_before - g|))
//! w <- w - rate xi (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! ```

use super::{Rule, above_zero, flushed, grow, learning_rate, pass, share, squared};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result, math};

/// diffGrad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct DiffGrad<F: Real = f64> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// b1 in \[0, 1), 0.9.
    pub beta1: f64,
    /// b2 in \[0, 1), 0.999.
    pub beta2: f64,
    /// eps, 1e-8.
    pub epsilon: f64,
    steps: u64,
    mean: Vec<F>,
    square: Vec<F>,
    before: Vec<F>,
}

impl<F: Real> DiffGrad<F> {
    /// With Adam's constants.
    pub fn new(rate: f64) -> Self {
        DiffGrad {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            steps: 0,
            mean: Vec::new(),
            square: Vec::new(),
            before: Vec::new(),
        }
    }
}

impl<F: Real> Rule<F> for DiffGrad<F> {
    fn check(&self) -> Result<()> {
        above_zero("learning rate", self.rate).and(above_zero("epsilon", self.epsilon))?;
        share("beta1", self.beta1).and(share("beta2", self.beta2))
    }

    fn begin(&mut self, total: usize) {
        if grow(&mut self.mean, total) {
            self.steps = 0;
        }
        grow(&mut self.square, total);
        grow(&mut self.before, total);
        self.steps += 1;
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let bias = |beta: f64| 1.0 - math::powf(beta, self.steps as f64);
        let scale = F::of(self.rate / bias(self.beta1));
        let root = F::of(1.0 / bias(self.beta2).sqrt());
        let (b1, a1) = (F::of(self.beta1), F::of(1.0 - self.beta1));
        let (b2, a2) = (F::of(self.beta2), F::of(1.0 - self.beta2));
        let epsilon = F::of(self.epsilon);
        let here = from..from + weights.len();
        let (mean, square) = (&mut self.mean[here.clone()], &mut self.square[here.clone()]);
        pass(weights, gradient, [mean, square, &mut self.before[here]], |w, g, [m, v, before]| {
            let (m, v) = (flushed(b1 * m + a1 * g), flushed(b2 * v + a2 * squared(g)));
            let friction = F::one() / (F::one() + (-(before - g).abs()).exp());
            (w - scale * friction * m / (v.sqrt() * root + epsilon), [m, v, g])
        });
    }

    learning_rate!();
}
