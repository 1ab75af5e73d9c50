//! Adam (Kingma and Ba 2015), AMSGrad (Reddi, Kale, Kumar 2018) and AdamW (Loshchilov and Hutter 2019).
//!
//! ```text
//! m <- b1 m + (1 - b1) g        v <- b2 v + (1 - b2) g^2
//! w <- w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! ```
//!
//! AMSGrad puts the running maximum of v in v's place; AdamW first shrinks w by `rate decay w`. The AdaSwarm paper prints
//! Algorithm 2 without bias correction and without the plus sign between `b1 m` and `(1 - b1) g`: see [`Text`].

use super::{Rule, grow, learning_rate};
use swarmgrad_algorithms::gradient::descend::Text;
use swarmgrad_core::Real;

/// Adam and its kin.
#[derive(Debug, Clone)]
pub struct Adam<F: Real = f32> {
    /// Learning rate, above 0.
    pub rate: f64,
    /// b1 in \[0, 1), 0.9.
    pub beta1: f64,
    /// b2 in \[0, 1), 0.999.
    pub beta2: f64,
    /// eps, 1e-8.
    pub epsilon: f64,
    /// AdamW's decay, 0 for none.
    pub decay: f64,
    /// AMSGrad's maximum.
    pub maximum: bool,
    /// Whose text: misprints to reproduce.
    pub text: Text,
    time: i32,
    mean: Vec<F>,
    square: Vec<F>,
    largest: Vec<F>,
}

impl<F: Real> Adam<F> {
    /// With b1 = 0.9, b2 = 0.999, eps = 1e-8.
    pub fn new(rate: f64) -> Self {
        Adam {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
            maximum: false,
            text: Text::Corrected,
            time: 0,
            mean: Vec::new(),
            square: Vec::new(),
            largest: Vec::new(),
        }
    }

    /// AMSGrad.
    pub fn amsgrad(rate: f64) -> Self {
        Adam { maximum: true, ..Adam::new(rate) }
    }

    /// AdamW.
    pub fn with_decay(rate: f64, decay: f64) -> Self {
        Adam { decay, ..Adam::new(rate) }
    }

    /// Reproduces a misprint of the AdaSwarm paper.
    pub fn with_text(self, text: Text) -> Self {
        Adam { text, ..self }
    }
}

impl<F: Real> Rule<F> for Adam<F> {
    fn begin(&mut self, total: usize) {
        grow(&mut self.mean, total);
        grow(&mut self.square, total);
        if self.maximum {
            grow(&mut self.largest, total);
        }
        self.time += 1;
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let corrected = self.text == Text::Corrected;
        let bias = |beta: f64| if corrected { 1.0 - beta.powi(self.time) } else { 1.0 };
        // rate m / (1 - b1^t) and sqrt(v) / sqrt(1 - b2^t): the two corrections as factors.
        let scale = F::of(self.rate / bias(self.beta1));
        let root = F::of(1.0 / bias(self.beta2).sqrt());
        let (b1, a1) = (F::of(self.beta1), F::of(1.0 - self.beta1));
        let (b2, a2) = (F::of(self.beta2), F::of(1.0 - self.beta2));
        let (epsilon, keep) = (F::of(self.epsilon), F::of(1.0 - self.rate * self.decay));
        let here = from..from + weights.len();
        let (mean, square) = (&mut self.mean[here.clone()], &mut self.square[here.clone()]);
        if self.text == Text::MissingPlus {
            mean.iter_mut().zip(gradient).for_each(|(m, &g)| *m = b1 * *m * a1 * g);
        } else {
            mean.iter_mut().zip(gradient).for_each(|(m, &g)| *m = b1 * *m + a1 * g);
        }
        if self.maximum {
            let largest = &mut self.largest[here];
            for ((((w, &g), m), v), top) in weights.iter_mut().zip(gradient).zip(mean).zip(square).zip(largest) {
                *v = b2 * *v + a2 * g * g;
                *top = top.max(*v);
                *w = *w * keep - scale * *m / (top.sqrt() * root + epsilon);
            }
        } else {
            for (((w, &g), m), v) in weights.iter_mut().zip(gradient).zip(mean).zip(square) {
                *v = b2 * *v + a2 * g * g;
                *w = *w * keep - scale * *m / (v.sqrt() * root + epsilon);
            }
        }
    }

    learning_rate!();
}
