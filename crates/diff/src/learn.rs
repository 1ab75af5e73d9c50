//! Learning the numbers of a method: links, normalised hyper-gradients, Adam.
//!
//! ```text
//! loss    Phi(f'), omega = dPhi / df'        mean: 1 / N; min: 1 for the best; softmin: softmax(-(f' - mean) / std / tau_L)
//! raw     F, eta, sigma, lambda = exp(raw)   rates = s(raw)   w = 1.2 s(raw)   c1, c2 = 4 s(raw)
//! step    raw <- raw - Adam(d raw / |d raw|, rate)
//! ```
//!
//! omega is treated as a constant. The mean tells every step size to shrink (d E f / d sigma > 0 on a sphere for all sigma), so
//! softmin is the default. The values have any scale: hyper-gradients are normalised before Adam sees them.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::choice;
use swarmgrad_core::{Real, math};

choice! {
    /// The number that is differentiated, of the values of an iteration.
    pub enum Loss {
        /// A mixture of the best, by a softmax of standardised values.
        Softmin = "softmin",
        /// The mean.
        Mean = "mean",
        /// The best.
        Min = "min",
    }
}

impl Loss {
    /// Writes dPhi / df' for every value; a value that is not finite has none.
    pub fn weights<F: Real>(self, values: &[F], temperature: f64, out: &mut [f64]) {
        out.fill(0.0);
        let finite = || values.iter().map(|f| f.f64()).filter(|f| f.is_finite());
        let best = finite().fold(f64::INFINITY, f64::min);
        let worst = finite().fold(f64::NEG_INFINITY, f64::max);
        let count = finite().count() as f64;
        if count == 0.0 {
            return;
        }
        // In units of the range, so that no square overflows.
        let range = (worst / 2.0 - best / 2.0).max(f64::MIN_POSITIVE);
        let place = |f: F| (f.f64() / 2.0 - best / 2.0) / range;
        let mean = finite().map(|f| (f / 2.0 - best / 2.0) / range).sum::<f64>() / count;
        let square = finite().map(|f| ((f / 2.0 - best / 2.0) / range - mean).powi(2)).sum::<f64>() / count;
        let deviation = square.sqrt();
        let mut first = true;
        for (o, &f) in out.iter_mut().zip(values).filter(|(_, f)| f.is_finite()) {
            *o = match self {
                Loss::Mean => 1.0,
                Loss::Min => f64::from(u8::from(f.f64() == best && std::mem::take(&mut first))),
                Loss::Softmin if deviation > 0.0 => math::exp(-place(f) / (deviation * temperature)),
                Loss::Softmin => 1.0,
            };
        }
        let total: f64 = out.iter().sum();
        out.iter_mut().for_each(|o| *o /= total);
    }
}

/// From a raw number to a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Link {
    /// exp(raw).
    Exp,
    /// The scale times 1 / (1 + exp(-raw)).
    Sigmoid(f64),
}

/// A number that can be learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learnable {
    /// Its name among the method's parameters.
    pub name: &'static str,
    /// Its link.
    pub link: Link,
    /// It stays within these.
    pub bounds: [f64; 2],
}

impl Learnable {
    /// The raw number of a parameter.
    pub(crate) fn raw(&self, value: f64) -> f64 {
        match self.link {
            Link::Exp => math::ln(value),
            Link::Sigmoid(scale) => math::ln(value / (scale - value)),
        }
    }

    /// The parameter of a raw number.
    pub(crate) fn value(&self, raw: f64) -> f64 {
        let [low, high] = self.bounds;
        let value = match self.link {
            Link::Exp => math::exp(raw),
            Link::Sigmoid(scale) => scale / (1.0 + math::exp(-raw)),
        };
        value.clamp(low, high)
    }

    /// d parameter / d raw.
    fn slope(&self, value: f64) -> f64 {
        match self.link {
            Link::Exp => value,
            Link::Sigmoid(scale) => value * (1.0 - value / scale),
        }
    }

    /// The parameter after a step of its raw number.
    fn moved(&self, value: f64, step: f64) -> f64 {
        let [low, high] = self.bounds;
        let value = value.clamp(low, high);
        let moved = match self.link {
            Link::Exp => value * math::exp(step),
            Link::Sigmoid(scale) => {
                let odds = value / (scale - value) * math::exp(step);
                scale * odds / (1.0 + odds)
            }
        };
        moved.clamp(low, high)
    }
}

/// Adam on raw numbers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Learner {
    rate: f64,
    steps: i32,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Learner {
    /// Adam with this learning rate, beta1 = 0.9, beta2 = 0.999; 0 never changes anything.
    pub fn new(rate: f64) -> Self {
        Learner { rate, ..Learner::default() }
    }

    /// Moves the parameters `theta` against their derivatives, which are normalised here. Derivatives that are not finite,
    /// or all zero, change nothing. Numbers behind the learnable ones are raw.
    pub fn step(&mut self, learnables: &[Learnable], theta: &mut [f64], derivatives: &[f64]) {
        let raw = |k: usize, value: f64| derivatives[k] * learnables.get(k).map_or(1.0, |l| l.slope(value));
        let largest = (0..theta.len()).map(|k| raw(k, theta[k]).abs()).fold(0.0, f64::max);
        let norm = (0..theta.len()).map(|k| (raw(k, theta[k]) / largest).powi(2)).sum::<f64>().sqrt();
        if self.rate == 0.0 || largest == 0.0 || !norm.is_finite() || !largest.is_finite() {
            return;
        }
        self.first.resize(theta.len(), 0.0);
        self.second.resize(theta.len(), 0.0);
        self.steps = self.steps.saturating_add(1);
        let (b1, b2) = (0.9, 0.999);
        for (k, value) in theta.iter_mut().enumerate() {
            let g = raw(k, *value) / largest / norm;
            self.first[k] = b1 * self.first[k] + (1.0 - b1) * g;
            self.second[k] = b2 * self.second[k] + (1.0 - b2) * g * g;
            let first = self.first[k] / (1.0 - f64::powi(b1, self.steps));
            let second = self.second[k] / (1.0 - f64::powi(b2, self.steps));
            let step = -self.rate * first / (second.sqrt() + 1e-8);
            *value = learnables.get(k).map_or(*value + step, |l| l.moved(*value, step));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    #[test]
    fn weights_sum_to_one_whatever_the_scale() {
        for scale in [1e-300, 1.0, 1e300] {
            let values = [3.0 * scale, f64::NAN, 1.0 * scale, f64::INFINITY, 1.7 * scale];
            for loss in [Loss::Softmin, Loss::Mean, Loss::Min] {
                let mut w = [9.0; 5];
                loss.weights(&values, 0.2, &mut w);
                assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{loss:?} {w:?}");
                assert!(w[1] == 0.0 && w[3] == 0.0 && w[2] >= w[4] && w[4] >= w[0]);
                // Standardised: the weights do not depend on the scale.
                let mut unit = [0.0; 5];
                loss.weights(&values.map(|v| v / scale), 0.2, &mut unit);
                assert!(w.iter().zip(unit).all(|(a, b)| (a - b).abs() < 1e-9));
            }
        }
        let mut w = [0.0; 3];
        Loss::Softmin.weights(&[2.0, 2.0, 2.0], 0.2, &mut w);
        assert!(w.iter().all(|w| (w - 1.0 / 3.0).abs() < 1e-15));
    }

    #[test]
    fn a_rate_of_zero_changes_nothing_and_others_go_downhill_within_bounds() {
        let learnables = [
            Learnable { name: "F", link: Link::Exp, bounds: [0.01, 2.0] },
            Learnable { name: "CR", link: Link::Sigmoid(1.0), bounds: [0.01, 0.99] },
        ];
        let mut theta = [0.5, 0.9];
        Learner::new(0.0).step(&learnables, &mut theta, &[1.0, -1.0]);
        assert_eq!(theta, [0.5, 0.9]);
        let mut learner = Learner::new(0.05);
        for _ in 0..1000 {
            let slopes = [1e200 * (theta[0] - 0.2), 1e200 * (theta[1] - 0.4)];
            learner.step(&learnables, &mut theta, &slopes);
        }
        assert!((theta[0] - 0.2).abs() < 0.02 && (theta[1] - 0.4).abs() < 0.04, "{theta:?}");
        for _ in 0..1000 {
            learner.step(&learnables, &mut theta, &[1.0, -1.0]);
        }
        assert_eq!(theta, [0.01, 0.99]);
    }

    /// Section 4.1 of the measurements: on |m + s e|^2, |m| = 1, d = 10, N = 50 the mean tells s to shrink for every s, softmin
    /// changes its mind between s = 0.08 and s = 0.4.
    #[test]
    fn the_mean_shrinks_every_step_size_and_softmin_does_not() {
        let (dim, n, trials) = (10, 50, 400);
        let derivative = |loss: Loss, s: f64| {
            let mut sum = 0.0;
            for trial in 0..trials {
                let mut e = vec![0.0; n * dim];
                Rng::new(trial).row(0).fill_normal(&mut e);
                let x = |i: usize, j: usize| f64::from(u8::from(j == 0)) + s * e[i * dim + j];
                let values: Vec<f64> = (0..n).map(|i| (0..dim).map(|j| x(i, j).powi(2)).sum()).collect();
                let mut w = vec![0.0; n];
                loss.weights(&values, 0.2, &mut w);
                for i in 0..n {
                    sum += w[i] * (0..dim).map(|j| 2.0 * x(i, j) * e[i * dim + j]).sum::<f64>();
                }
            }
            sum / trials as f64
        };
        for s in [0.01, 0.08, 0.4, 1.0] {
            assert!(derivative(Loss::Mean, s) > 0.0, "mean at {s}: {}", derivative(Loss::Mean, s));
        }
        assert!(derivative(Loss::Softmin, 0.08) < 0.0 && derivative(Loss::Softmin, 0.4) > 0.0);
        assert!(derivative(Loss::Min, 0.15) < 0.0 && derivative(Loss::Min, 0.35) > 0.0);
    }
}
