//! Eigen-decomposition of a symmetric matrix, and its square root.
//!
//! ```text
//! C = B diag(lambda) B',   C^(1/2) = B diag(lambda)^(1/2) B'
//! ```
//!
//! Up to [`SMALL`] variables the matrix is brought to tridiagonal form by Householder reflections and then to diagonal form by
//! the implicit QL method (Bowdler, Martin, Reinsch & Wilkinson 1968), here with the eigenvectors as rows, so that each
//! rotation works on two contiguous rows; above, the decomposition is faer's, on one thread.

use super::rows::{add_rows, dot, each_chunk};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{MatMut, MatRef, Par, diag::DiagMut};
use serde::{Deserialize, Serialize};
use swarmgrad_core::math;

/// Up to this dimension the own method is the faster one.
const SMALL: usize = 32;

/// Rotations an eigenvalue may take; the method converges in about two.
const PATIENCE: usize = 60;

/// Eigenvalues and eigenvectors of a symmetric matrix.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Eigen {
    /// Eigenvalues, in no particular order.
    pub(super) values: Vec<f64>,
    /// Row k is the eigenvector of value k.
    pub(super) vectors: Vec<f64>,
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
    off: Vec<f64>,
    reflector: Vec<f64>,
    matrix: Vec<f64>,
    faer: Option<MemBuffer>,
}

impl Eigen {
    /// The decomposition of the unit matrix.
    pub(super) fn identity(n: usize) -> Self {
        let mut vectors = vec![0.0; n * n];
        (0..n).for_each(|j| vectors[j * n + j] = 1.0);
        Eigen { values: vec![1.0; n], vectors, work: Work::default() }
    }

    /// Decomposes the matrix whose lower triangle (row-major) is in `matrix`. Whether it succeeded; it fails on numbers
    /// that are not finite.
    pub(super) fn decompose(&mut self, matrix: &[f64]) -> bool {
        let n = self.values.len();
        if n > SMALL {
            return self.decompose_large(matrix);
        }
        // The largest entry becomes about 1, by a power of two: squares stay in range, and no digit changes.
        let largest = (0..n).flat_map(|j| &matrix[j * n..=j * n + j]).fold(0.0, |m: f64, t| m.max(t.abs()));
        let sum: f64 = (0..n).map(|j| matrix[j * n..=j * n + j].iter().sum::<f64>()).sum();
        if !sum.is_finite() {
            return false;
        }
        let unit = if largest > 0.0 { math::exp2(math::log2(largest).floor().clamp(-1000.0, 1000.0)) } else { 1.0 };
        self.work.matrix.resize(n * n, 0.0);
        for j in 0..n {
            for k in 0..=j {
                let t = matrix[j * n + k] / unit;
                self.work.matrix[j * n + k] = t;
                self.work.matrix[k * n + j] = t;
            }
        }
        self.tridiagonalise();
        let converged = self.diagonalise();
        self.values.iter_mut().for_each(|t| *t *= unit);
        converged
    }

    /// Householder: A <- H A H for H = I - 2 u u' / u'u, column by column, until A is tridiagonal; the vectors become the
    /// product of the reflections, transposed.
    fn tridiagonalise(&mut self) {
        let n = self.values.len();
        let Work { off, reflector, matrix: a, .. } = &mut self.work;
        off.clear();
        off.resize(n, 0.0);
        reflector.resize(n, 0.0);
        // Reflection k clears row k beyond its first off-diagonal entry; u is kept in that row, its factor in the diagonal.
        for k in 0..n.saturating_sub(2) {
            let (head, tail) = a.split_at_mut((k + 1) * n);
            let u = &mut head[k * n + k + 1..];
            self.values[k] = head_diagonal(u, &mut off[k]);
            let factor = self.values[k];
            if factor == 0.0 {
                continue;
            }
            let m = n - k - 1;
            let p = &mut reflector[..m];
            let row = |j: usize| j * n + k + 1..(j + 1) * n;
            for (j, p) in p.iter_mut().enumerate() {
                *p = factor * dot(&tail[row(j)], u);
            }
            let half = 0.5 * factor * dot(p, u);
            p.iter_mut().zip(u.iter()).for_each(|(p, u)| *p -= half * u);
            for j in 0..m {
                let (uj, pj) = (u[j], p[j]);
                let entries = tail[row(j)].iter_mut();
                entries.zip(u.iter().zip(p.iter())).for_each(|(a, (u, p))| *a -= uj * p + pj * u);
            }
        }
        if n > 1 {
            off[n - 2] = a[(n - 2) * n + n - 1];
        }
        // The product of the reflections from the last to the first; row j of `vectors` is column j of it.
        self.vectors.fill(0.0);
        (0..n).for_each(|j| self.vectors[j * n + j] = 1.0);
        for k in (0..n.saturating_sub(2)).rev() {
            let factor = self.values[k];
            self.values[k] = a[k * n + k];
            if factor == 0.0 {
                continue;
            }
            let u = &a[k * n + k + 1..(k + 1) * n];
            for j in k + 1..n {
                let v = &mut self.vectors[j * n + k + 1..(j + 1) * n];
                let s = factor * dot(v, u);
                v.iter_mut().zip(u).for_each(|(v, u)| *v -= s * u);
            }
        }
        for k in n.saturating_sub(2)..n {
            self.values[k] = a[k * n + k];
        }
    }

    /// Implicit QL with Wilkinson's shift on the tridiagonal matrix (values, off); each rotation turns two rows of vectors.
    fn diagonalise(&mut self) -> bool {
        let n = self.values.len();
        let (d, e, vectors) = (&mut self.values, &mut self.work.off, &mut self.vectors);
        for l in 0..n {
            for patience in 0.. {
                let negligible = |k: usize| e[k].abs() <= f64::EPSILON * (d[k].abs() + d[k + 1].abs());
                let Some(m) = (l..n).find(|&k| k + 1 == n || negligible(k)) else { break };
                if m == l {
                    break;
                }
                if patience > PATIENCE {
                    return false;
                }
                let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
                let length = (g * g + 1.0).sqrt();
                let mut chase = d[m] - d[l] + e[l] / (g + length.copysign(g));
                let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
                let mut split = false;
                for k in (l..m).rev() {
                    let (f, b) = (sine * e[k], cosine * e[k]);
                    let length = (f * f + chase * chase).sqrt();
                    e[k + 1] = length;
                    if length == 0.0 {
                        // The matrix falls into two before the bulge has reached row l.
                        d[k + 1] -= shift;
                        e[m] = 0.0;
                        split = true;
                        break;
                    }
                    let inverse = 1.0 / length;
                    (sine, cosine) = (f * inverse, chase * inverse);
                    let g = d[k + 1] - shift;
                    let r = (d[k] - g) * sine + 2.0 * cosine * b;
                    shift = sine * r;
                    d[k + 1] = g + shift;
                    chase = cosine * r - b;
                    let (upper, lower) = vectors[k * n..(k + 2) * n].split_at_mut(n);
                    for (u, v) in upper.iter_mut().zip(lower) {
                        let (a, b) = (*u, *v);
                        *v = sine * a + cosine * b;
                        *u = cosine * a - sine * b;
                    }
                }
                if !split {
                    d[l] -= shift;
                    e[l] = chase;
                    e[m] = 0.0;
                }
            }
        }
        d.iter().all(|t| t.is_finite())
    }

    fn decompose_large(&mut self, matrix: &[f64]) -> bool {
        let n = self.values.len();
        let buffer = self.work.faer.get_or_insert_with(|| {
            let request =
                self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, faer::prelude::default());
            MemBuffer::new(request)
        });
        // A row of ours is a column of faer's: its vectors become our rows. It reads the lower triangle.
        let lower = MatRef::from_row_major_slice(matrix, n, n);
        let values = DiagMut::from_slice_mut(&mut self.values);
        let vectors = MatMut::from_column_major_slice_mut(&mut self.vectors, n, n);
        let stack = MemStack::new(buffer);
        let done = self_adjoint_evd(lower, values, Some(vectors), Par::Seq, stack, faer::prelude::default());
        done.is_ok() && self.values.iter().all(|t| t.is_finite())
    }

    /// Writes B diag(f(lambda)) B': the full matrix, row-major. Unlike the eigenvectors it is unique.
    pub(super) fn function(&self, f: impl Fn(f64) -> f64 + Sync, out: &mut [f64]) {
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
    pub(super) fn whiten(&self, x: &[f64], out: &mut [f64]) {
        let n = x.len();
        out.fill(0.0);
        for (v, value) in self.vectors.chunks_exact(n).zip(&self.values) {
            let a = dot(v, x) / value.sqrt();
            out.iter_mut().zip(v).for_each(|(o, v)| *o += a * v);
        }
    }

    /// Smallest and largest eigenvalue.
    pub(super) fn range(&self) -> (f64, f64) {
        self.values.iter().fold((f64::INFINITY, 0.0), |(low, high), &t| (low.min(t), high.max(t)))
    }
}

/// Turns `x` into u with (I - factor u u') x = off e_1, and returns the factor: 0 where x is along e_1 already.
fn head_diagonal(x: &mut [f64], off: &mut f64) -> f64 {
    let rest: f64 = x[1..].iter().map(|t| t * t).sum();
    *off = x[0];
    if rest == 0.0 {
        return 0.0;
    }
    let length = (x[0] * x[0] + rest).sqrt();
    // The sign that adds and does not cancel.
    *off = -length.copysign(x[0]);
    x[0] -= *off;
    2.0 / (x[0] * x[0] + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    /// A symmetric matrix with entries N(0, 1) times `scale`, or one of rank one, or diagonal.
    fn symmetric(n: usize, kind: usize, scale: f64) -> Vec<f64> {
        let mut z = vec![0.0; n * n];
        Rng::new(n as u64).row(kind).fill_normal(&mut z);
        let mut a = vec![0.0; n * n];
        for j in 0..n {
            for k in 0..n {
                let (low, high) = (j.min(k), j.max(k));
                a[j * n + k] = scale
                    * match kind {
                        0 => z[high * n + low],
                        1 => z[j] * z[k],
                        2 if j != k => 0.0,
                        _ => 10f64.powf(-14.0 * j as f64 / n as f64) * f64::from(u8::from(j == k)),
                    };
            }
        }
        a
    }

    #[test]
    fn the_decomposition_gives_the_matrix_back() {
        for n in [1, 2, 3, 4, 7, 10, 31, 32, 33, 60] {
            for kind in 0..3 {
                for scale in [1.0, 1e-180, 1e180] {
                    let a = symmetric(n, kind, scale);
                    let mut eigen = Eigen::identity(n);
                    assert!(eigen.decompose(&a), "n = {n}, kind {kind}");
                    let v = |k: usize| &eigen.vectors[k * n..(k + 1) * n];
                    for j in 0..n {
                        for k in 0..n {
                            let there: f64 = (0..n).map(|m| eigen.values[m] / scale * v(m)[j] * v(m)[k]).sum();
                            let gap = (there - a[j * n + k] / scale).abs();
                            assert!(gap <= 2e-14 * n as f64, "n = {n}, kind {kind}: {gap}");
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
