//! Sampling and recombination of evolution strategies and CMA-ES.
//!
//! ```text
//! sample         x_i = m + sigma A z_i              A = C^(1/2), or the identity
//! recombination  m'  = sum_r w_r x_(r)              x_(r) the point of rank r, hard or by SoftSort
//! ```

use super::survive::Best;
use super::{Operator, Sizes};
use crate::relax::Relaxation;
use swarmgrad_core::Scalar;

/// Points of a normal distribution. Theta: sigma; inputs: m, and where `shaped` A row by row; outputs: the points.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Standard normals, a row a point.
    pub noise: &'a [f64],
    /// Coordinates.
    pub dim: usize,
    /// Whether there is a matrix A.
    pub shaped: bool,
}

impl Operator for Sample<'_> {
    fn sizes(&self) -> Sizes {
        let matrix = if self.shaped { self.dim * self.dim } else { 0 };
        Sizes { theta: 1, inputs: self.dim + matrix, outputs: self.noise.len() }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (mean, a) = inputs.split_at(self.dim);
        for (x, z) in outputs.chunks_exact_mut(self.dim).zip(self.noise.chunks_exact(self.dim)) {
            for (j, o) in x.iter_mut().enumerate() {
                let step = if self.shaped {
                    let row = &a[j * self.dim..(j + 1) * self.dim];
                    row.iter().zip(z).fold(S::zero(), |sum, (&a, &z)| sum + a * S::of(z))
                } else {
                    S::of(z[j])
                };
                *o = mean[j] + theta[0] * step;
            }
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.dim;
        for (c, z) in cotangent.chunks_exact(dim).zip(self.noise.chunks_exact(dim)) {
            for j in 0..dim {
                d_inputs[j] += c[j];
                if !self.shaped {
                    d_theta[0] += c[j] * z[j];
                    continue;
                }
                for (l, z) in z.iter().enumerate() {
                    let place = dim + j * dim + l;
                    d_theta[0] += c[j] * inputs[place] * z;
                    d_inputs[place] += c[j] * theta[0] * z;
                }
            }
        }
    }
}

/// The weighted mean of the best points. Inputs: n scores (smaller is better), then n points; output: a point.
#[derive(Debug, Clone, Copy)]
pub struct Mean<'a> {
    /// How ranks are decided; the temperature is in units of the scores.
    pub relax: Relaxation,
    /// Weights of the best, in order; at most n of them.
    pub weights: &'a [f64],
    /// Points.
    pub n: usize,
    /// Coordinates.
    pub dim: usize,
}

impl Mean<'_> {
    fn ranked(&self) -> Best {
        Best { relax: self.relax, k: self.weights.len(), n: self.n, dim: self.dim }
    }
}

impl Operator for Mean<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 0, inputs: self.n * (1 + self.dim), outputs: self.dim }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let mut best = vec![S::zero(); self.weights.len() * self.dim];
        self.ranked().forward(theta, inputs, &mut best);
        outputs.fill(S::zero());
        for (row, &w) in best.chunks_exact(self.dim).zip(self.weights) {
            outputs.iter_mut().zip(row).for_each(|(o, &x)| *o = *o + S::of(w) * x);
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let spread: Vec<f64> = self.weights.iter().flat_map(|w| cotangent.iter().map(move |c| w * c)).collect();
        self.ranked().vjp(theta, inputs, &spread, d_theta, d_inputs);
    }
}
