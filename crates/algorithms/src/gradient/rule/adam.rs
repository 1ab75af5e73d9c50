//! Adam (Kingma and Ba 2015), AMSGrad (Reddi, Kale, Kumar 2018) and AdamW (Loshchilov and Hutter 2019).
//!
//! ```text
//! m <- b1 m + (1 - b1) g        v <- b2 v + (1 - b2) g^2
//! w <- w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! ```
//!
//! AMSGrad puts the running maximum of v in v's place; AdamW first shrinks w by `rate decay w`. AdaSwarm (the paper's Algorithm 2) is
//! Adam on a swarm's gradient.
//!
//! Differs from the paper: the bias corrections, which its section VII says it uses, are not printed in Algorithm 2, and its m lacks
//! a "+" (m <- beta1 m (1 - beta1) g, which stays 0 for ever); both are available by name ([`Text`]).

use super::{Rule, above_zero, flushed, grow, learning_rate, pass, share, squared};
use crate::parameters::choice;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Real, Result, math};

choice! {
    /// Which text of Adam.
    pub enum Text {
        /// With bias correction.
        Corrected = "corrected",
        /// Algorithm 2 as printed but for the sign it lacks: no bias correction.
        Uncorrected = "uncorrected",
        /// Algorithm 2 to the letter: m <- beta1 m (1 - beta1) g, so that nothing ever moves.
        MissingPlus = "missing_plus",
    }
}

/// Adam and its kin.
///
/// ```
/// use swarmgrad_algorithms::gradient::rule::{Adam, Rule};
/// let (mut adam, mut w) = (Adam::new(0.1), [1.0, -1.0]);
/// adam.step(&mut w, &[123.0, -0.01]);             // the first step has the length of the learning rate
/// assert!((w[0] - 0.9f64).abs() < 1e-6 && (w[1] + 0.9).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Adam<F: Real = f64> {
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
    steps: u64,
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
            steps: 0,
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

    /// Whether a state that was read back can go on with so many numbers.
    pub(crate) fn verify(&self, total: usize) -> Result<()> {
        saved::count("steps", self.steps)?;
        let moments = [("mean", &self.mean), ("square", &self.square), ("largest", &self.largest)];
        moments.into_iter().try_for_each(|(name, moments)| saved::point(name, moments, total))
    }

    /// The mean gradient m and the mean square v, before bias correction; empty before the first step.
    pub fn moments(&self) -> (&[F], &[F]) {
        (&self.mean, &self.square)
    }
}

impl<F: Real> Rule<F> for Adam<F> {
    fn check(&self) -> Result<()> {
        above_zero("learning rate", self.rate).and(above_zero("epsilon", self.epsilon))?;
        share("beta1", self.beta1).and(share("beta2", self.beta2))?;
        let holds = self.decay >= 0.0 && self.decay.is_finite();
        if holds { Ok(()) } else { Err(Error::parameter("decay", self.decay, "must be at least 0 and finite")) }
    }

    fn begin(&mut self, total: usize) {
        if grow(&mut self.mean, total) {
            self.steps = 0;
        }
        grow(&mut self.square, total);
        if self.maximum {
            grow(&mut self.largest, total);
        }
        self.steps += 1;
    }

    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]) {
        let corrected = self.text == Text::Corrected;
        let bias = |beta: f64| if corrected { 1.0 - math::powf(beta, self.steps as f64) } else { 1.0 };
        // rate m / (1 - b1^t) and sqrt(v) / sqrt(1 - b2^t): the two corrections as factors.
        let scale = F::of(self.rate / bias(self.beta1));
        let root = F::of(1.0 / bias(self.beta2).sqrt());
        let (b1, a1) = (F::of(self.beta1), F::of(1.0 - self.beta1));
        let (b2, a2) = (F::of(self.beta2), F::of(1.0 - self.beta2));
        let (epsilon, keep) = (F::of(self.epsilon), F::of(1.0 - self.rate * self.decay));
        let moved = |w: F, m: F, v: F| w * keep - scale * m / (v.sqrt() * root + epsilon);
        let square = |v: F, g: F| flushed(b2 * v + a2 * squared(g));
        let here = from..from + weights.len();
        let moments = [&mut self.mean[here.clone()], &mut self.square[here.clone()]];
        if self.text == Text::MissingPlus {
            return pass(weights, gradient, moments, |w, g, [m, v]| {
                let (m, v) = (b1 * m * (a1 * g), square(v, g));
                (moved(w, m, v), [m, v])
            });
        }
        if self.maximum {
            let [mean, squares] = moments;
            return pass(weights, gradient, [mean, squares, &mut self.largest[here]], |w, g, [m, v, top]| {
                let (m, v) = (flushed(b1 * m + a1 * g), square(v, g));
                let top = top.max(v);
                (moved(w, m, top), [m, v, top])
            });
        }
        pass(weights, gradient, moments, |w, g, [m, v]| {
            let (m, v) = (flushed(b1 * m + a1 * g), square(v, g));
            (moved(w, m, v), [m, v])
        });
    }

    learning_rate!();
}
