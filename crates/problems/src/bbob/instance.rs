//! How the suite makes an instance: its own generator of random numbers, rotations, optima and offsets.
//!
//! Everything is a function of a seed: `f + 10000 i` for instance `i` of function `f`, with 3 in place of 4 and 17 in
//! place of 18, so that the two Rastrigin functions and the two Schaffer functions share their optima.

use std::f64::consts::PI;
use swarmgrad_core::math;

/// The seed of an instance.
pub(super) fn seed(function: usize, instance: u64) -> u64 {
    let family = match function {
        4 => 3,
        18 => 17,
        other => other as u64,
    };
    family + 10_000 * instance
}

/// The generator of Park and Miller, 16807 x mod 2^31 - 1.
struct MinimalStandard(u64);

impl MinimalStandard {
    fn next(&mut self) -> u64 {
        self.0 = 16_807 * self.0 % 2_147_483_647;
        self.0
    }
}

/// `n` uniform draws in (0, 1): the minimal standard generator behind a table of 32 that shuffles it.
pub(super) fn uniform(n: usize, seed: u64) -> Vec<f64> {
    let mut generator = MinimalStandard(seed.max(1));
    let mut table = [0; 32];
    for _ in 0..8 {
        generator.next();
    }
    for slot in table.iter_mut().rev() {
        *slot = generator.next();
    }
    let mut current = table[0];
    let mut draw = || {
        let fresh = generator.next();
        let slot = &mut table[(current / 67_108_865) as usize];
        current = std::mem::replace(slot, fresh);
        current as f64 / 2.147_483_647e9
    };
    let never_zero = |u: f64| if u == 0.0 { 1e-99 } else { u };
    (0..n).map(|_| never_zero(draw())).collect()
}

/// `n` normal draws, by Box and Muller.
pub(super) fn normal(n: usize, seed: u64) -> Vec<f64> {
    let u = uniform(2 * n, seed);
    let never_zero = |g: f64| if g == 0.0 { 1e-99 } else { g };
    (0..n).map(|k| never_zero((-2.0 * math::ln(u[k])).sqrt() * math::cos(2.0 * PI * u[n + k]))).collect()
}

/// The seed of the second rotation.
pub(super) const SECOND: u64 = 1_000_000;

/// A square matrix, row-major.
pub(super) struct Square {
    pub(super) dim: usize,
    pub(super) data: Vec<f64>,
}

impl Square {
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.dim..][..self.dim]
    }

    /// Row `i` times `weights[i]`.
    pub(super) fn scaled(mut self, weights: &[f64]) -> Square {
        for (row, &weight) in self.data.chunks_exact_mut(self.dim).zip(weights) {
            row.iter_mut().for_each(|t| *t *= weight);
        }
        self
    }

    /// The product of `self`, the diagonal matrix `weights` and `right`, each sum in the order of its index.
    pub(super) fn through(&self, weights: &[f64], right: &Square) -> Square {
        let dim = self.dim;
        let mut data = vec![0.0; dim * dim];
        for (i, out) in data.chunks_exact_mut(dim).enumerate() {
            for (k, (entry, weight)) in self.row(i).iter().zip(weights).enumerate() {
                let factor = entry * weight;
                out.iter_mut().zip(right.row(k)).for_each(|(o, r)| *o += factor * r);
            }
        }
        Square { dim, data }
    }
}

/// A random rotation: normal draws, its columns made orthonormal one after another (modified Gram-Schmidt).
pub(super) fn rotation(dim: usize, seed: u64) -> Square {
    // The draws fill the columns one after another, so that a row of `columns` is a column of the matrix.
    let mut columns = normal(dim * dim, seed);
    for i in 0..dim {
        let (before, from) = columns.split_at_mut(i * dim);
        let column = &mut from[..dim];
        for other in before.chunks_exact(dim) {
            let along: f64 = column.iter().zip(other).fold(0.0, |sum, (a, b)| sum + a * b);
            column.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
        let length = column.iter().fold(0.0, |sum, a| sum + a * a).sqrt();
        column.iter_mut().for_each(|a| *a /= length);
    }
    let data = (0..dim * dim).map(|at| columns[at % dim * dim + at / dim]).collect();
    Square { dim, data }
}

/// The optimum of most functions, in [-4, 4].
pub(super) fn optimum(dim: usize, seed: u64) -> Vec<f64> {
    let off_zero = |x: f64| if x == 0.0 { -1e-5 } else { x };
    uniform(dim, seed).into_iter().map(|u| off_zero(8.0 * (1e4 * u).floor() / 1e4 - 4.0)).collect()
}

/// The value at the optimum: a ratio of normal draws, to two digits after the point and within 1000.
pub(super) fn offset(seed: u64) -> f64 {
    let ratio = 100.0 * 100.0 * normal(1, seed)[0] / normal(1, seed + 1)[0];
    ((ratio + 0.5).floor() / 100.0).clamp(-1000.0, 1000.0)
}

/// `base^(i / (d - 1))` for each coordinate.
pub(super) fn powers(base: f64, dim: usize) -> Vec<f64> {
    (0..dim).map(|i| math::powf(base, place(i, dim))).collect()
}

/// `i / (d - 1)`, from 0 for the first coordinate to 1 for the last.
pub(super) fn place(i: usize, dim: usize) -> f64 {
    i as f64 / (dim as f64 - 1.0)
}

/// The indices that sort `keys`.
pub(super) fn order(keys: &[f64]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..keys.len()).collect();
    indices.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    indices
}
