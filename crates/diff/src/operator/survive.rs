//! Survival: who stays.
//!
//! ```text
//! greedy         y <- x where f(x) <= f(y), else y                soft: y + s((f(y) - f(x)) / tau) (x - y)
//! (mu + lambda)  row i <- the point of the i-th smallest score    soft: SoftSort's row i times the points
//! ```
//!
//! A soft survivor is a point whose value nobody has computed: the methods store hard ones only.

use super::{Operator, Sizes};
use crate::relax::{Form, Relaxation, soft_sort_row, softmax_vjp};
use swarmgrad_core::Scalar;

/// The better of a new and an old point. Inputs: f(x), f(y), x, y; output: a point.
#[derive(Debug, Clone, Copy)]
pub struct Greedy {
    /// How it is decided; the temperature is in units of f.
    pub relax: Relaxation,
    /// Coordinates.
    pub dim: usize,
    /// Whether an equally good new point wins.
    pub ties: bool,
}

impl Greedy {
    fn wins<S: Scalar>(&self, new: S, old: S) -> bool {
        if self.ties { new <= old } else { new < old }
    }
}

impl Operator for Greedy {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 0, inputs: 2 + 2 * self.dim, outputs: self.dim }
    }

    fn forward<S: Scalar>(&self, _theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (&[new, old], points) = inputs.split_first_chunk().expect("two values");
        let (x, y) = points.split_at(self.dim);
        let wins = self.wins(new, old);
        for (j, o) in outputs.iter_mut().enumerate() {
            let mixed = || y[j] + self.relax.gate(wins, || old - new) * (x[j] - y[j]);
            *o = self.relax.decide(|| if wins { x[j] } else { y[j] }, mixed);
        }
    }

    fn vjp(&self, _theta: &[f64], inputs: &[f64], cotangent: &[f64], _d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (&[new, old], points) = inputs.split_first_chunk().expect("two values");
        let (x, y) = points.split_at(self.dim);
        // Straight through is differentiated at the decided gate: its derivative by x is 1 or 0.
        let open = self.relax.gate(self.wins(new, old), || old - new);
        let slope = self.relax.gate_slope(old - new);
        let mut d_gate = 0.0;
        let d_points = &mut d_inputs[2..];
        for (j, c) in cotangent.iter().enumerate() {
            d_points[j] += open * c;
            d_points[self.dim + j] += (1.0 - open) * c;
            d_gate += c * (x[j] - y[j]);
        }
        d_inputs[0] -= slope * d_gate;
        d_inputs[1] += slope * d_gate;
    }
}

/// The best `k` of `n` points, best first. Inputs: n scores (smaller is better), then n points; outputs: k points.
#[derive(Debug, Clone, Copy)]
pub struct Best {
    /// How it is decided; the temperature is in units of the scores.
    pub relax: Relaxation,
    /// How many stay.
    pub k: usize,
    /// How many there are.
    pub n: usize,
    /// Coordinates.
    pub dim: usize,
}

impl Best {
    /// Indices from best to worst, equals by their index.
    fn order<S: Scalar>(scores: &[S]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].f64().total_cmp(&scores[b].f64()).then(a.cmp(&b)));
        order
    }
}

impl Operator for Best {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 0, inputs: self.n * (1 + self.dim), outputs: self.k * self.dim }
    }

    fn forward<S: Scalar>(&self, _theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (scores, points) = inputs.split_at(self.n);
        let order = Self::order(scores);
        let mut weights = vec![S::zero(); self.n];
        for (i, row) in outputs.chunks_exact_mut(self.dim).enumerate() {
            soft_sort_row(scores[order[i]], scores, self.relax.temperature, &mut weights);
            for (j, o) in row.iter_mut().enumerate() {
                let mixed = || (0..self.n).fold(S::zero(), |sum, l| sum + weights[l] * points[l * self.dim + j]);
                *o = self.relax.decide(|| points[order[i] * self.dim + j], mixed);
            }
        }
    }

    fn vjp(&self, _theta: &[f64], inputs: &[f64], cotangent: &[f64], _d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (scores, points) = inputs.split_at(self.n);
        let (d_scores, d_points) = d_inputs.split_at_mut(self.n);
        let order = Self::order(scores);
        let (mut weights, mut d_weights) = (vec![0.0; self.n], vec![0.0; self.n]);
        for (i, c) in cotangent.chunks_exact(self.dim).enumerate() {
            let kept = order[i];
            if self.relax.form == Form::Hard {
                d_points[kept * self.dim..][..self.dim].iter_mut().zip(c).for_each(|(d, c)| *d += c);
                continue;
            }
            soft_sort_row(scores[kept], scores, self.relax.temperature, &mut weights);
            for l in 0..self.n {
                let row = l * self.dim..(l + 1) * self.dim;
                d_weights[l] = points[row.clone()].iter().zip(c).map(|(x, c)| x * c).sum();
                d_points[row].iter_mut().zip(c).for_each(|(d, c)| *d += weights[l] * c);
            }
            let mut d_logits = vec![0.0; self.n];
            softmax_vjp(&weights, &d_weights, self.relax.temperature, &mut d_logits);
            for l in (0..self.n).filter(|&l| l != kept) {
                let sign = if scores[kept] - scores[l] < 0.0 { -1.0 } else { 1.0 };
                d_scores[kept] -= sign * d_logits[l];
                d_scores[l] += sign * d_logits[l];
            }
        }
    }
}
