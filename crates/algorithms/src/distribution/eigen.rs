//! Eigen-decomposition of a symmetric matrix, and its square root.
//!
//! ```text
//! C = B diag(lambda) B',   C^(1/2) = B diag(lambda)^(1/2) B'
//! ```
//!
//! Up to 128 variables the matrix is brought to tridiagonal form by Householder reflections and then to diagonal form by
//! the implicit QL method (Bowdler, Martin, Reinsch & Wilkinson 1968), here with the eigenvectors as rows, so that each
//! rotation works on two contiguous rows, while the next one is being computed. Rows are padded with zeros to whole vectors, and
//! products are sums of rows, which need no sums across a vector. Above, the decomposition is faer's, on one thread, of a matrix
//! whose entries are about 1: its divide and conquer is wrong where they are 1e100 or 1e-100.

use super::rows::{add_rows, dot, each_chunk};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{MatMut, MatRef, Par, diag::DiagMut};
use fearless_simd::{Simd, dispatch, f64x8, prelude::*};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};
use swarmgrad_core::math;
use swarmgrad_core::simd::level;

/// Up to this dimension the own method is the faster one.
const SMALL: usize = 128;

/// Numbers in a vector.
const LANES: usize = 8;

/// Rotations an eigenvalue may take; the method converges in about two.
const PATIENCE: usize = 60;

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
    off: Vec<f64>,
    factors: Vec<f64>,
    /// The matrix and its vectors in padded rows, and two such rows.
    matrix: Vec<f64>,
    turning: Vec<f64>,
    rows: [Vec<f64>; 2],
    faer: Option<MemBuffer>,
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
        if n > SMALL {
            let (scaled, values) = (&mut self.work.matrix, 0..n * n);
            scaled.clear();
            scaled.extend(values.map(|at| if at % n <= at / n { matrix[at] / unit } else { 0.0 }));
            let done = self.decompose_large();
            self.values.iter_mut().for_each(|t| *t *= unit);
            return done;
        }
        let (wide, work) = (n.next_multiple_of(LANES), &mut self.work);
        for room in [&mut work.matrix, &mut work.turning] {
            room.clear();
            room.resize(n * wide, 0.0);
        }
        work.rows.iter_mut().for_each(|row| row.resize(wide, 0.0));
        work.off.resize(n, 0.0);
        work.factors.resize(n, 0.0);
        for j in 0..n {
            for k in 0..=j {
                let t = matrix[j * n + k] / unit;
                work.matrix[j * wide + k] = t;
                work.matrix[k * wide + j] = t;
            }
        }
        let values = &mut self.values;
        let converged = dispatch!(level(), simd => {
            tridiagonalise(simd, work, values);
            turn_back(simd, work, n);
            diagonalise(simd, values, &mut work.off, &mut work.turning)
        });
        self.vectors
            .chunks_exact_mut(n)
            .zip(work.turning.chunks_exact(wide))
            .for_each(|(v, row)| v.copy_from_slice(&row[..n]));
        self.values.iter_mut().for_each(|t| *t *= unit);
        converged
    }

    fn decompose_large(&mut self) -> bool {
        let n = self.values.len();
        let Work { faer: buffer, matrix, .. } = &mut self.work;
        let buffer = buffer.get_or_insert_with(|| {
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

/// out[from..] = sum over j of weights_j row_j[from..], `from` a multiple of the lanes; rows as wide as `out`.
#[inline(always)]
fn combine<S: Simd>(simd: S, rows: &[f64], weights: &[f64], from: usize, out: &mut [f64]) {
    let wide = out.len();
    let mut at = from;
    while at + 4 * LANES <= wide {
        combine_strip::<S, 4>(simd, rows, weights, at, out);
        at += 4 * LANES;
    }
    if at + 2 * LANES <= wide {
        combine_strip::<S, 2>(simd, rows, weights, at, out);
        at += 2 * LANES;
    }
    if at + LANES <= wide {
        combine_strip::<S, 1>(simd, rows, weights, at, out);
    }
}

/// The same for some vectors of columns.
#[inline(always)]
fn combine_strip<S: Simd, const W: usize>(simd: S, rows: &[f64], weights: &[f64], at: usize, out: &mut [f64]) {
    let zero = f64x8::splat(simd, 0.0);
    let mut sums = [[zero; W]; 2];
    for (pair, weights) in rows.chunks(2 * out.len()).zip(weights.chunks(2)) {
        for ((row, &weight), sums) in pair.chunks_exact(out.len()).zip(weights).zip(&mut sums) {
            let (row, weight) = (&row[at..at + W * LANES], f64x8::splat(simd, weight));
            for w in 0..W {
                sums[w] += weight * f64x8::from_slice(simd, &row[w * LANES..(w + 1) * LANES]);
            }
        }
    }
    let out = &mut out[at..at + W * LANES];
    for w in 0..W {
        (sums[0][w] + sums[1][w]).store_slice(&mut out[w * LANES..(w + 1) * LANES]);
    }
}

/// Householder: A <- H A H for H = I - 2 u u' / u'u, column by column, until A is tridiagonal. The reflections stay in the rows, their
/// factors in `factors`.
#[simd]
fn tridiagonalise<S: Simd>(simd: S, work: &mut Work, diagonal: &mut [f64]) {
    let n = diagonal.len();
    let Work { off, factors, matrix: a, rows: [p, _], .. } = work;
    let wide = p.len();
    // Reflection k clears row k beyond its first off-diagonal entry; u is kept in that row, zeros before it.
    for k in 0..n.saturating_sub(2) {
        let (head, tail) = a.split_at_mut((k + 1) * wide);
        let row = &mut head[k * wide..];
        diagonal[k] = row[k];
        row[..=k].fill(0.0);
        let factor = head_diagonal(&mut row[k + 1..n], &mut off[k]);
        factors[k] = factor;
        if factor == 0.0 {
            continue;
        }
        let (u, from) = (&*row, (k + 1) / LANES * LANES);
        // A is symmetric: A u is the sum of its rows.
        combine(simd, tail, &u[k + 1..n], from, p);
        p[from..=k].fill(0.0);
        let mut along = 0.0;
        for (p, u) in p[k + 1..n].iter_mut().zip(&u[k + 1..n]) {
            *p *= factor;
            along += *p * u;
        }
        let half = 0.5 * factor * along;
        p[from..].iter_mut().zip(&u[from..]).for_each(|(p, u)| *p -= half * u);
        for (j, row) in (k + 1..n).zip(tail.chunks_exact_mut(wide)) {
            let (uj, pj) = (f64x8::splat(simd, u[j]), f64x8::splat(simd, p[j]));
            let row = row[from..].chunks_exact_mut(LANES);
            for ((a, u), p) in row.zip(u[from..].chunks_exact(LANES)).zip(p[from..].chunks_exact(LANES)) {
                let (u, p) = (f64x8::from_slice(simd, u), f64x8::from_slice(simd, p));
                (f64x8::from_slice(simd, a) - (uj * p + pj * u)).store_slice(a);
            }
        }
    }
    for k in n.saturating_sub(2)..n {
        diagonal[k] = a[k * wide + k];
    }
    if n > 1 {
        off[n - 2] = a[(n - 2) * wide + n - 1];
    }
    off[n - 1] = 0.0;
}

/// The product of the reflections, from the last to the first, transposed: into `turning`.
#[simd]
fn turn_back<S: Simd>(simd: S, work: &mut Work, n: usize) {
    let Work { factors, matrix: a, turning: q, rows: [sum, weights], .. } = work;
    let wide = sum.len();
    (0..n).for_each(|j| q[j * wide + j] = 1.0);
    for k in (0..n.saturating_sub(2)).rev().filter(|&k| factors[k] != 0.0) {
        let from = (k + 1) / LANES * LANES;
        weights[..n - k - 1].copy_from_slice(&a[k * wide + k + 1..k * wide + n]);
        let rows = &mut q[(k + 1) * wide..];
        combine(simd, rows, &weights[..n - k - 1], from, sum);
        for (row, u) in rows.chunks_exact_mut(wide).zip(&*weights) {
            let share = f64x8::splat(simd, factors[k] * u);
            for (q, s) in row[from..].chunks_exact_mut(LANES).zip(sum[from..].chunks_exact(LANES)) {
                (f64x8::from_slice(simd, q) - share * f64x8::from_slice(simd, s)).store_slice(q);
            }
        }
    }
    for j in 0..n {
        for k in 0..j {
            q.swap(j * wide + k, k * wide + j);
        }
    }
}

/// Implicit QL with Wilkinson's shift on the tridiagonal matrix (d, e); each rotation turns two rows of vectors.
#[simd]
fn diagonalise<S: Simd>(simd: S, d: &mut [f64], e: &mut [f64], vectors: &mut [f64]) -> bool {
    let n = d.len();
    let wide = vectors.len() / n.max(1);
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
                let square = f * f + chase * chase;
                let length = square.sqrt();
                e[k + 1] = length;
                if length == 0.0 {
                    // The matrix falls into two before the bulge has reached row l.
                    d[k + 1] -= shift;
                    e[m] = 0.0;
                    split = true;
                    break;
                }
                // Root and quotient at the same time.
                let inverse = if square > TINY { length * (1.0 / square) } else { 1.0 / length };
                (sine, cosine) = (f * inverse, chase * inverse);
                let g = d[k + 1] - shift;
                let r = (d[k] - g) * sine + 2.0 * cosine * b;
                shift = sine * r;
                d[k + 1] = g + shift;
                chase = cosine * r - b;
                let (upper, lower) = vectors[k * wide..(k + 2) * wide].split_at_mut(wide);
                let (s, c) = (f64x8::splat(simd, sine), f64x8::splat(simd, cosine));
                for (u, v) in upper.chunks_exact_mut(LANES).zip(lower.chunks_exact_mut(LANES)) {
                    let (a, b) = (f64x8::from_slice(simd, u), f64x8::from_slice(simd, v));
                    (s * a + c * b).store_slice(v);
                    (c * a - s * b).store_slice(u);
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

/// A square below has a reciprocal that may be infinite.
const TINY: f64 = 1e-280;

/// Turns `x` into u with (I - factor u u') x = off e_1, and returns the factor: 0 where x is along e_1 already.
#[inline(always)]
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
        for n in [1, 2, 3, 4, 7, 8, 9, 10, 31, 32, 33, 60, 128, 129] {
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
