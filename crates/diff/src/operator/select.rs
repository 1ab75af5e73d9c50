//! Selection: one of many, or the best k of them.
//!
//! ```text
//! one of n   p = sum_i w_i x_i,  w = softmax((l + G) / tau) or one-hot at its largest logit
//! best k     p = 1/k sum_i m_i x_i,  m = soft top-k of (l + G), or the indicator of the k largest
//! ```
//!
//! Tournament: the logits of the entrants, no noise. Roulette: logits ln p_i with Gumbel noise, which is a sample of p. The
//! soft best of all, logits -alpha f_i at temperature 1, is the consensus point of consensus-based optimisation. Truncation:
//! the best k without noise; with Gumbel noise, k of n without replacement (Kool et al. 2019).
//!
//! The noise is not divided by the temperature apart from the logits: for tau -> 0 the choice becomes an exact sample.

use super::{Operator, Sizes};
use crate::relax::{Form, Relaxation, largest, softmax, softmax_vjp, top_k, top_k_vjp};
use swarmgrad_core::Scalar;

/// One of `n` points. Inputs: n logits, then n points of `dim`; output: a point.
#[derive(Debug, Clone, Copy)]
pub struct Choose<'a> {
    /// How it is decided.
    pub relax: Relaxation,
    /// Noise of the logits; empty for none.
    pub gumbel: &'a [f64],
    /// Candidates.
    pub n: usize,
    /// Coordinates.
    pub dim: usize,
}

/// Logits with their noise.
fn perturbed<S: Scalar>(logits: &[S], gumbel: &[f64]) -> Vec<S> {
    let noise = |i: usize| S::of(gumbel.get(i).copied().unwrap_or(0.0));
    logits.iter().enumerate().map(|(i, &l)| l + noise(i)).collect()
}

impl Operator for Choose<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 0, inputs: self.n * (1 + self.dim), outputs: self.dim }
    }

    fn forward<S: Scalar>(&self, _theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (logits, points) = inputs.split_at(self.n);
        let logits = perturbed(logits, self.gumbel);
        let chosen = &points[largest(&logits) * self.dim..][..self.dim];
        let mut weights = vec![S::zero(); self.n];
        softmax(&logits, self.relax.temperature, &mut weights);
        for (j, o) in outputs.iter_mut().enumerate() {
            let mixed =
                || weights.iter().enumerate().fold(S::zero(), |sum, (i, &w)| sum + w * points[i * self.dim + j]);
            *o = self.relax.decide(|| chosen[j], mixed);
        }
    }

    fn vjp(&self, _theta: &[f64], inputs: &[f64], cotangent: &[f64], _d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (logits, points) = inputs.split_at(self.n);
        let (d_logits, d_points) = d_inputs.split_at_mut(self.n);
        let logits = perturbed(logits, self.gumbel);
        let mut weights = vec![0.0; self.n];
        if self.relax.form == Form::Hard {
            weights[largest(&logits)] = 1.0;
        } else {
            softmax(&logits, self.relax.temperature, &mut weights);
        }
        let mut d_weights = vec![0.0; self.n];
        for i in 0..self.n {
            let row = i * self.dim..(i + 1) * self.dim;
            d_weights[i] = points[row.clone()].iter().zip(cotangent).map(|(x, c)| x * c).sum();
            d_points[row].iter_mut().zip(cotangent).for_each(|(d, c)| *d += weights[i] * c);
        }
        if self.relax.form != Form::Hard {
            softmax_vjp(&weights, &d_weights, self.relax.temperature, d_logits);
        }
    }
}

/// The mean of the best `k` of `n` points. Inputs: n logits, then n points of `dim`; output: a point.
#[derive(Debug, Clone, Copy)]
pub struct TopK<'a> {
    /// How it is decided.
    pub relax: Relaxation,
    /// Noise of the logits; empty for none.
    pub gumbel: &'a [f64],
    /// How many are the best.
    pub k: usize,
    /// Candidates.
    pub n: usize,
    /// Coordinates.
    pub dim: usize,
}

impl TopK<'_> {
    /// 1 for the k largest logits, the first of equals.
    fn indicator<S: Scalar>(&self, logits: &[S]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..self.n).collect();
        order.sort_by(|&a, &b| logits[b].f64().total_cmp(&logits[a].f64()).then(a.cmp(&b)));
        let mut members = vec![0.0; self.n];
        order[..self.k].iter().for_each(|&i| members[i] = 1.0);
        members
    }
}

impl Operator for TopK<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 0, inputs: self.n * (1 + self.dim), outputs: self.dim }
    }

    fn forward<S: Scalar>(&self, _theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (logits, points) = inputs.split_at(self.n);
        let logits = perturbed(logits, self.gumbel);
        let (hard, mut soft) = (self.indicator(&logits), vec![S::zero(); self.n]);
        top_k(&logits, self.k, self.relax.temperature, &mut soft);
        let share = S::of((self.k as f64).recip());
        for (j, o) in outputs.iter_mut().enumerate() {
            let mean = |member: &dyn Fn(usize) -> S| {
                (0..self.n).fold(S::zero(), |sum, i| sum + member(i) * points[i * self.dim + j]) * share
            };
            *o = self.relax.decide(|| mean(&|i| S::of(hard[i])), || mean(&|i| soft[i]));
        }
    }

    fn vjp(&self, _theta: &[f64], inputs: &[f64], cotangent: &[f64], _d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (logits, points) = inputs.split_at(self.n);
        let (d_logits, d_points) = d_inputs.split_at_mut(self.n);
        let logits = perturbed(logits, self.gumbel);
        let mut members = self.indicator(&logits);
        if self.relax.form != Form::Hard {
            top_k(&logits, self.k, self.relax.temperature, &mut members);
        }
        let share = (self.k as f64).recip();
        let mut d_members = vec![0.0; self.n];
        for i in 0..self.n {
            let row = i * self.dim..(i + 1) * self.dim;
            d_members[i] = share * points[row.clone()].iter().zip(cotangent).map(|(x, c)| x * c).sum::<f64>();
            d_points[row].iter_mut().zip(cotangent).for_each(|(d, c)| *d += share * members[i] * c);
        }
        if self.relax.form != Form::Hard && self.k < self.n {
            top_k_vjp(&members, &d_members, self.relax.temperature, d_logits);
        }
    }
}
