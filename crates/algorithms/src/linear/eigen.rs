//! Eigen-decomposition of a symmetric matrix, and its square root.
//!
//! ```text
//! C = B diag(lambda) B',   C^(1/2) = B diag(lambda)^(1/2) B'
//! ```
//!
//! The matrix is brought to tridiagonal form by reflections, and that one to diagonal form: up to 100 variables by rotations of
//! what the reflections come to, above by dividing, and the reflections after it. Eigenvectors are rows, padded with zeros to
//! whole vectors.

use super::householder::{Reflected, reflect_rows, tridiagonalise, tridiagonalise_large, turn_back};
use super::rows::{add_rows, dot, each_chunk};
use super::tridiagonal::{LANES, Room, divide, rotate};
use fearless_simd::dispatch;
use serde::{Deserialize, Serialize};
use swarmgrad_core::math;
use swarmgrad_core::simd::level;

/// Up to this dimension rotations are the faster ones.
const SMALL: usize = 100;

/// Eigenvalues and eigenvectors of a symmetric matrix.
#[derive(Default, Serialize, Deserialize)]
pub struct Eigen {
    /// Eigenvalues, in no particular order.
    pub values: Vec<f64>,
    /// Row k is the eigenvector of value k.
    pub vectors: Vec<f64>,
    #[serde(skip)]
    work: Work,
}

impl std::fmt::Debug for Eigen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eigen").field("values", &self.values).finish_non_exhaustive()
    }
}

/// Room that the decomposition needs.
#[derive(Default)]
struct Work {
    reflected: Reflected,
    /// The eigenvectors in padded rows.
    turning: Vec<f64>,
    room: Room,
}

impl Eigen {
    /// The decomposition of the unit matrix.
    pub fn identity(n: usize) -> Self {
        let mut vectors = vec![0.0; n * n];
        (0..n).for_each(|j| vectors[j * n + j] = 1.0);
        Eigen { values: vec![1.0; n], vectors, work: Work::default() }
    }

    /// Decomposes the matrix whose lower triangle (row-major) is in `matrix`. Whether it succeeded; it fails on numbers
    /// that are not finite.
    pub fn decompose(&mut self, matrix: &[f64]) -> bool {
        let n = self.values.len();
        // The largest entry becomes about 1, by a power of two: squares stay in range, and no digit changes.
        let largest = (0..n).flat_map(|j| &matrix[j * n..=j * n + j]).fold(0.0, |m: f64, t| m.max(t.abs()));
        let sum: f64 = (0..n).map(|j| matrix[j * n..=j * n + j].iter().sum::<f64>()).sum();
        if !sum.is_finite() {
            return false;
        }
        let unit = if largest > 0.0 { math::exp2(math::log2(largest).floor().clamp(-1000.0, 1000.0)) } else { 1.0 };
        let (wide, values) = (n.next_multiple_of(LANES), &mut self.values);
        let Work { reflected, turning, room } = &mut self.work;
        for room in [&mut reflected.matrix, &mut *turning] {
            room.clear();
            room.resize(n * wide, 0.0);
        }
        reflected.rows.iter_mut().for_each(|row| row.resize(wide, 0.0));
        reflected.off.resize(n, 0.0);
        reflected.factors.resize(n, 0.0);
        for j in 0..n {
            for k in 0..=j {
                let t = matrix[j * n + k] / unit;
                reflected.matrix[j * wide + k] = t;
                reflected.matrix[k * wide + j] = t;
            }
        }
        let converged = dispatch!(level(), simd => {
            if n > SMALL {
                tridiagonalise_large(simd, reflected, values);
                let converged = divide(simd, values, &mut reflected.off, turning, room);
                reflect_rows(simd, reflected, turning, n);
                converged
            } else {
                tridiagonalise(simd, reflected, values);
                turn_back(simd, reflected, turning, n);
                rotate(simd, values, &mut reflected.off, turning)
            }
        });
        self.vectors
            .chunks_exact_mut(n)
            .zip(turning.chunks_exact(wide))
            .for_each(|(v, row)| v.copy_from_slice(&row[..n]));
        self.values.iter_mut().for_each(|t| *t *= unit);
        converged
    }

    /// Writes B diag(f(lambda)) B': the full matrix, row-major. Unlike the eigenvectors it is unique.
    pub(crate) fn function(&self, f: impl Fn(f64) -> f64 + Sync, out: &mut [f64]) {
        let n = self.values.len();
        let (values, vectors) = (&self.values, &self.vectors);
        each_chunk(out, n, n * n / 2, |j, row| {
            row[..=j].fill(0.0);
            add_rows(&mut row[..=j], n, |k| {
                let v = &vectors[k * n..(k + 1) * n];
                (f(values[k]) * v[j], &v[..=j])
            });
        });
        for j in 0..n {
            for k in 0..j {
                out[k * n + j] = out[j * n + k];
            }
        }
    }

    /// out = C^(-1/2) x.
    pub(crate) fn whiten(&self, x: &[f64], out: &mut [f64]) {
        let n = x.len();
        out.fill(0.0);
        for (v, value) in self.vectors.chunks_exact(n).zip(&self.values) {
            let a = dot(v, x) / value.sqrt();
            out.iter_mut().zip(v).for_each(|(o, v)| *o += a * v);
        }
    }

    /// Smallest and largest eigenvalue.
    pub(crate) fn range(&self) -> (f64, f64) {
        self.values.iter().fold((f64::INFINITY, 0.0), |(low, high), &t| (low.min(t), high.max(t)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    /// A symmetric matrix with entries N(0, 1) times `scale`, or one of rank one, that with 1 on the diagonal (all eigenvalues but one are
    /// the same), a diagonal one, or blocks of Wilkinson's with pairs of eigenvalues that differ by rounding.
    fn symmetric(n: usize, kind: usize, scale: f64) -> Vec<f64> {
        let mut z = vec![0.0; n * n];
        Rng::new(n as u64).row(kind).fill_normal(&mut z);
        let mut a = vec![0.0; n * n];
        for j in 0..n {
            for k in 0..n {
                let (low, high) = (j.min(k), j.max(k));
                let unit = f64::from(u8::from(j == k));
                a[j * n + k] = scale
                    * match kind {
                        0 => z[high * n + low],
                        1 => z[j] * z[k],
                        2 => z[j] * z[k] / n as f64 + unit,
                        3 => 10f64.powf(-14.0 * j as f64 / n as f64) * unit,
                        _ if high - low == 1 => {
                            if high % 21 == 0 {
                                1e-8
                            } else {
                                1.0
                            }
                        }
                        _ => (j as f64 % 21.0 - 10.0).abs() * unit,
                    };
            }
        }
        a
    }

    #[test]
    fn the_decomposition_gives_the_matrix_back() {
        for n in [1, 2, 3, 4, 7, 8, 9, 10, 31, 32, 33, 60, 128, 129, 200, 257] {
            for kind in 0..5 {
                for scale in [1.0, 1e-180, 1e180] {
                    let a = symmetric(n, kind, scale);
                    let mut eigen = Eigen::identity(n);
                    assert!(eigen.decompose(&a), "n = {n}, kind {kind}");
                    let v = |k: usize| &eigen.vectors[k * n..(k + 1) * n];
                    for j in 0..n {
                        for k in 0..n {
                            let there: f64 = (0..n).map(|m| eigen.values[m] / scale * v(m)[j] * v(m)[k]).sum();
                            let gap = (there - a[j * n + k] / scale).abs();
                            assert!(gap <= 2e-14 * n as f64, "n = {n}, kind {kind}, scale {scale:e}: {gap}");
                            let product: f64 = v(j).iter().zip(v(k)).map(|(a, b)| a * b).sum();
                            let unit = f64::from(u8::from(j == k));
                            assert!((product - unit).abs() <= 1e-13, "n = {n}, kind {kind}: rows {j} and {k}");
                        }
                    }
                }
            }
        }
        assert!(!Eigen::identity(2).decompose(&[1.0, f64::NAN, f64::NAN, 1.0]));
        assert!(!Eigen::identity(40).decompose(&[f64::NAN; 1600]));
    }

    #[test]
    fn the_root_squares_to_the_matrix_and_whitening_inverts_it() {
        for n in [1, 5, 40] {
            let factor = symmetric(n, 0, 1.0);
            let mut c = vec![0.0; n * n];
            for j in 0..n {
                for k in 0..n {
                    c[j * n + k] = (0..n).map(|m| factor[j * n + m] * factor[k * n + m]).sum::<f64>()
                        + f64::from(u8::from(j == k));
                }
            }
            let (mut eigen, mut root) = (Eigen::identity(n), vec![0.0; n * n]);
            assert!(eigen.decompose(&c));
            eigen.function(f64::sqrt, &mut root);
            for j in 0..n {
                for k in 0..n {
                    let square = dot(&root[j * n..(j + 1) * n], &root[k * n..(k + 1) * n]);
                    assert!((square - c[j * n + k]).abs() < 1e-11, "n = {n}");
                }
            }
            let x: Vec<f64> = (0..n).map(|j| 1.0 / (j + 1) as f64).collect();
            let y: Vec<f64> = root.chunks(n).map(|row| dot(row, &x)).collect();
            let mut back = vec![0.0; n];
            eigen.whiten(&y, &mut back);
            assert!(back.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-12), "n = {n}");
        }
    }
}
