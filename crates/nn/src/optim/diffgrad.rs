//! diffGrad (Dubey, Chakraborty, Roy, Mukherjee, Singh, Chaudhuri 2020): Adam whose step shrinks where the gradient stands still.
//!
//! ```text
//! m <- b1 m + (1 - b1) g        v <- b2 v + (1 - b2) g^2        xi = 1 / (1 + exp(-|g_before - g|))
//! w <- w - rate xi (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! ```

use super::{Rule, grow, learning_rate};
use swarmgrad_core::Real;

/// diffGrad.
#[derive(Debug, Clone)]
pub struct DiffGrad<F: Real = f32> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// b1 in \[0, 1), 0.9.
    pub beta1: f64,
    /// b2 in \[0, 1), 0.999.
    pub beta2: f64,
    /// eps, 1e-8.
    pub epsilon: f64,
    time: i32,
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
            time: 0,
            mean: Vec::new(),
            square: Vec::new(),
            before: Vec::new(),
        }
    }
}

impl<F: Real> Rule<F> for DiffGrad<F> {
    fn begin(&mut self, total: usize) {
        grow(&mut self.mean, total);
        grow(&mut self.square, total);
        grow(&mut self.before, total);
        self.time += 1;
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let scale = F::of(self.rate / (1.0 - self.beta1.powi(self.time)));
        let root = F::of(1.0 / (1.0 - self.beta2.powi(self.time)).sqrt());
        let (b1, a1) = (F::of(self.beta1), F::of(1.0 - self.beta1));
        let (b2, a2) = (F::of(self.beta2), F::of(1.0 - self.beta2));
        let epsilon = F::of(self.epsilon);
        let here = from..from + weights.len();
        let moments = self.mean[here.clone()].iter_mut().zip(&mut self.square[here.clone()]);
        let state = moments.zip(&mut self.before[here]);
        for ((w, &g), ((m, v), before)) in weights.iter_mut().zip(gradient).zip(state) {
            *m = b1 * *m + a1 * g;
            *v = b2 * *v + a2 * g * g;
            let friction = F::one() / (F::one() + (-(*before - g).abs()).exp());
            *before = g;
            *w -= scale * friction * *m / (v.sqrt() * root + epsilon);
        }
    }

    learning_rate!();
}
