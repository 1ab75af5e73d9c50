//! Dense linear algebra in a fixed order of operations.

pub mod eigen;
mod householder;
pub(crate) mod rows;
mod triangle;
mod tridiagonal;

pub use triangle::{Singular, Triangle};

use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::level;

/// The sum of products, in the order of the indices.
#[inline]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The sum of products in eight lanes, so that it becomes vectors; the order is fixed.
#[inline(always)]
pub fn lanes_dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks, others) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = chunks.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in chunks.zip(others) {
        for l in 0..8 {
            lanes[l] += a[l] * b[l];
        }
    }
    in_pairs(&lanes) + rest
}

/// The sum of eight numbers.
#[inline(always)]
pub(crate) fn in_pairs(&[a, b, c, d, e, f, g, h]: &[f64; 8]) -> f64 {
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// Adds z z' of each row z, `n` numbers long, to the lower triangle of a row-major n by n matrix, in the order of the rows.
pub fn add_squares(sum: &mut [f64], rows: &[f64], n: usize) {
    dispatch!(level(), simd => add_squares_wide(simd, sum, rows, n));
}

#[simd]
fn add_squares_wide<S: Simd>(simd: S, sum: &mut [f64], rows: &[f64], n: usize) {
    let _ = simd;
    let (fours, rest) = rows.split_at(rows.len() / (4 * n) * 4 * n);
    for four in fours.chunks_exact(4 * n) {
        let (p, others) = four.split_at(n);
        let (q, others) = others.split_at(n);
        let (r, s) = others.split_at(n);
        for (j, out) in sum.chunks_exact_mut(n).enumerate() {
            // Whole vectors: what is beyond the diagonal is nobody's.
            let end = n.min(j / 8 * 8 + 8);
            let (out, p, q, r, s) = (&mut out[..end], &p[..end], &q[..end], &r[..end], &s[..end]);
            let (a, b, c, d) = (p[j], q[j], r[j], s[j]);
            for k in 0..end {
                out[k] = (((out[k] + a * p[k]) + b * q[k]) + c * r[k]) + d * s[k];
            }
        }
    }
    for z in rest.chunks_exact(n) {
        for (out, &a) in sum.chunks_exact_mut(n).zip(z) {
            out.iter_mut().zip(z).for_each(|(o, z)| *o += a * z);
        }
    }
}

/// sum += sum over rows z of their weights w z z', as [`add_squares`].
pub fn add_weighted_squares(sum: &mut [f64], weights: &[f64], rows: &[f64], n: usize) {
    dispatch!(level(), simd => add_weighted_squares_wide(simd, sum, weights, rows, n));
}

#[simd]
fn add_weighted_squares_wide<S: Simd>(_simd: S, sum: &mut [f64], weights: &[f64], rows: &[f64], n: usize) {
    let (weights, last_weights) = weights.split_at(weights.len() / 4 * 4);
    let (fours, rest) = rows.split_at(weights.len() * n);
    for (four, w) in fours.chunks_exact(4 * n).zip(weights.chunks_exact(4)) {
        let (p, others) = four.split_at(n);
        let (q, others) = others.split_at(n);
        let (r, s) = others.split_at(n);
        for (j, out) in sum.chunks_exact_mut(n).enumerate() {
            let end = n.min(j / 8 * 8 + 8);
            let (out, p, q, r, s) = (&mut out[..end], &p[..end], &q[..end], &r[..end], &s[..end]);
            let (a, b, c, d) = (w[0] * p[j], w[1] * q[j], w[2] * r[j], w[3] * s[j]);
            for k in 0..end {
                out[k] = (((out[k] + a * p[k]) + b * q[k]) + c * r[k]) + d * s[k];
            }
        }
    }
    for (z, w) in rest.chunks_exact(n).zip(last_weights) {
        for (j, out) in sum.chunks_exact_mut(n).enumerate() {
            let a = w * z[j];
            out[..=j].iter_mut().zip(z).for_each(|(o, z)| *o += a * z);
        }
    }
}

/// out_i = row_i x for the rows of a row-major matrix.
pub fn multiply(rows: &[f64], x: &[f64], out: &mut [f64]) {
    dispatch!(level(), simd => multiply_wide(simd, rows, x, out));
}

#[simd]
fn multiply_wide<S: Simd>(_simd: S, rows: &[f64], x: &[f64], out: &mut [f64]) {
    let n = x.len();
    let mut fours = out.chunks_exact_mut(4);
    let mut blocks = rows.chunks_exact(4 * n.max(1));
    for (out, block) in (&mut fours).zip(&mut blocks) {
        let (a, b, c, d) = (&block[..n], &block[n..2 * n], &block[2 * n..3 * n], &block[3 * n..4 * n]);
        let mut lanes = [[0.0; 8]; 4];
        let whole = n / 8 * 8;
        for from in (0..whole).step_by(8) {
            let x: &[f64] = &x[from..from + 8];
            for (lanes, row) in lanes.iter_mut().zip([a, b, c, d]) {
                let row: &[f64] = &row[from..from + 8];
                (0..8).for_each(|l| lanes[l] += row[l] * x[l]);
            }
        }
        for ((o, lanes), row) in out.iter_mut().zip(&lanes).zip([a, b, c, d]) {
            let rest: f64 = row[whole..].iter().zip(&x[whole..]).map(|(a, b)| a * b).sum();
            *o = in_pairs(lanes) + rest;
        }
    }
    let rest = fours.into_remainder();
    rest.iter_mut().zip(blocks.remainder().chunks_exact(n.max(1))).for_each(|(o, row)| *o = lanes_dot(row, x));
}

/// out += sum over rows of their weights times them.
pub fn add_rows(out: &mut [f64], weights: &[f64], rows: &[f64]) {
    dispatch!(level(), simd => add_rows_wide(simd, out, weights, rows));
}

#[simd]
fn add_rows_wide<S: Simd>(_simd: S, out: &mut [f64], weights: &[f64], rows: &[f64]) {
    let n = out.len();
    let fours = rows.chunks_exact(4 * n.max(1));
    let (rest, done) = (fours.remainder(), weights.len() / 4 * 4);
    for (block, w) in fours.zip(weights.chunks_exact(4)) {
        let (a, b, c, d) = (&block[..n], &block[n..2 * n], &block[2 * n..3 * n], &block[3 * n..4 * n]);
        for k in 0..n {
            out[k] = (((out[k] + w[0] * a[k]) + w[1] * b[k]) + w[2] * c[k]) + w[3] * d[k];
        }
    }
    for (row, weight) in rest.chunks_exact(n.max(1)).zip(&weights[done..]) {
        out.iter_mut().zip(row).for_each(|(o, t)| *o += weight * t);
    }
}

/// out = S x for the symmetric n by n matrix whose lower triangle, row-major, is in `lower`.
pub fn multiply_symmetric(lower: &[f64], x: &[f64], out: &mut [f64]) {
    dispatch!(level(), simd => multiply_symmetric_wide(simd, lower, x, out));
}

#[simd]
fn multiply_symmetric_wide<S: Simd>(_simd: S, lower: &[f64], x: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for (i, (row, &t)) in lower.chunks_exact(x.len()).zip(x).enumerate() {
        let row = &row[..=i];
        let (above, own) = out.split_at_mut(i);
        own[0] = row[i] * t + lanes_dot(&row[..i], &x[..i]);
        above.iter_mut().zip(row).for_each(|(o, s)| *o += t * s);
    }
}

/// S += a u' + b v' in the lower triangle of S, row-major.
pub fn add_two_products(lower: &mut [f64], [a, u, b, v]: [&[f64]; 4]) {
    dispatch!(level(), simd => add_two_products_wide(simd, lower, [a, u, b, v]));
}

#[simd]
fn add_two_products_wide<S: Simd>(_simd: S, lower: &mut [f64], [a, u, b, v]: [&[f64]; 4]) {
    for (i, row) in lower.chunks_exact_mut(u.len()).enumerate() {
        let (a, b) = (a[i], b[i]);
        row[..=i].iter_mut().zip(u.iter().zip(v)).for_each(|(s, (u, v))| *s += a * u + b * v);
    }
}

/// The largest absolute difference of two lists.
#[inline(always)]
pub fn largest_gap(a: &[f64], b: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let mut lanes = [0.0; 8];
    let (chunks, others) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = chunks.remainder().iter().zip(others.remainder()).fold(0.0, |m, (a, b)| larger(m, (a - b).abs()));
    for (a, b) in chunks.zip(others) {
        for l in 0..8 {
            lanes[l] = larger(lanes[l], (a[l] - b[l]).abs());
        }
    }
    lanes.into_iter().fold(rest, larger)
}

/// Pivots whose rows are subtracted in one pass over the matrix.
const PIVOTS: usize = 8;

/// Memory of [`invert`].
#[derive(Debug, Clone, Default)]
pub struct InverseRoom {
    swaps: Vec<usize>,
    factors: Vec<f64>,
    rows: Vec<f64>,
}

/// Gauss and Jordan with row pivots: the inverse in place of `a`, n by n; false if it is singular, and then nothing of use is left.
pub fn invert(a: &mut [f64], n: usize, room: &mut InverseRoom) -> bool {
    let InverseRoom { swaps, factors, rows } = room;
    swaps.resize(n, 0);
    factors.resize(n * PIVOTS, 0.0);
    rows.resize(n * PIVOTS, 0.0);
    dispatch!(level(), simd => invert_wide(simd, a, n, swaps, factors, rows))
}

#[simd]
fn invert_wide<S: Simd>(
    _simd: S,
    a: &mut [f64],
    n: usize,
    swaps: &mut [usize],
    factors: &mut [f64],
    pivots: &mut [f64],
) -> bool {
    for first in (0..n).step_by(PIVOTS) {
        let width = PIVOTS.min(n - first);
        // The columns of the block, one pivot after another.
        for k in 0..width {
            let c = first + k;
            let pivot = (c..n).fold(c, |p, r| if a[r * n + c].abs() > a[p * n + c].abs() { r } else { p });
            let size = a[pivot * n + c].abs();
            if !(size > 1e-13 && size.is_finite()) {
                return false;
            }
            swaps[c] = pivot;
            if pivot != c {
                (0..n).for_each(|j| a.swap(pivot * n + j, c * n + j));
                (0..k).for_each(|j| factors.swap(pivot * PIVOTS + j, c * PIVOTS + j));
            }
            let inverse = 1.0 / a[c * n + c];
            factors[c * PIVOTS + k] = inverse;
            a[c * n + c] = 1.0;
            let mut own = [0.0; PIVOTS];
            for (own, t) in own.iter_mut().zip(&mut a[c * n + first..c * n + first + width]) {
                *t *= inverse;
                *own = *t;
            }
            for r in (0..n).filter(|&r| r != c) {
                let row = &mut a[r * n + first..r * n + first + width];
                let factor = row[k];
                factors[r * PIVOTS + k] = factor;
                row[k] = 0.0;
                row.iter_mut().zip(&own).for_each(|(t, own)| *t -= factor * own);
            }
        }
        // All other columns: first the rows of the pivots as each was when its turn came.
        for columns in [0..first, first + width..n] {
            let len = columns.len();
            let block = &mut pivots[..width * len];
            for k in 0..width {
                let (before, row) = block.split_at_mut(k * len);
                let row = &mut row[..len];
                let own = &factors[(first + k) * PIVOTS..][..PIVOTS];
                row.copy_from_slice(&a[(first + k) * n..][columns.clone()]);
                for (other, factor) in before.chunks_exact(len.max(1)).zip(own) {
                    row.iter_mut().zip(other).for_each(|(t, s)| *t -= factor * s);
                }
                row.iter_mut().for_each(|t| *t *= own[k]);
            }
            for r in 0..n {
                let own = &factors[r * PIVOTS..][..PIVOTS];
                let row = &mut a[r * n..][columns.clone()];
                let from = if (first..first + width).contains(&r) {
                    let k = r - first;
                    row.copy_from_slice(&block[k * len..(k + 1) * len]);
                    k + 1
                } else {
                    0
                };
                if from == 0 && width == PIVOTS {
                    let [f0, f1, f2, f3, f4, f5, f6, f7] = [0, 1, 2, 3, 4, 5, 6, 7].map(|k| own[k]);
                    let [p0, p1, p2, p3, p4, p5, p6, p7] =
                        [0, 1, 2, 3, 4, 5, 6, 7].map(|k| &block[k * len..(k + 1) * len]);
                    for (j, t) in row.iter_mut().enumerate() {
                        let half = (((*t - f0 * p0[j]) - f1 * p1[j]) - f2 * p2[j]) - f3 * p3[j];
                        *t = (((half - f4 * p4[j]) - f5 * p5[j]) - f6 * p6[j]) - f7 * p7[j];
                    }
                    continue;
                }
                for (other, factor) in block.chunks_exact(len.max(1)).zip(own).skip(from) {
                    row.iter_mut().zip(other).for_each(|(t, s)| *t -= factor * s);
                }
            }
        }
    }
    // Rows were exchanged; in the inverse that is columns, from the last to the first.
    for c in (0..n).rev().filter(|&c| swaps[c] != c) {
        a.chunks_exact_mut(n).for_each(|row| row.swap(c, swaps[c]));
    }
    true
}

/// The lower Cholesky factor in place, row-major n by n; false if the matrix is not positive definite.
pub fn cholesky(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        for j in 0..=i {
            let (above, row) = a.split_at_mut(i * n);
            let other = if j < i { &above[j * n..j * n + j] } else { &row[..j] };
            let rest = row[j] - dot(other, &row[..j]);
            if j < i {
                row[j] = rest / above[j * n + j];
            } else if rest > 0.0 && rest.is_finite() {
                row[j] = rest.sqrt();
            } else {
                return false;
            }
        }
    }
    true
}

/// Solves L L^T x = b in place.
pub fn cholesky_solve(l: &[f64], n: usize, b: &mut [f64]) {
    forward_solve(l, n, b);
    backward_solve(l, n, b);
}

/// Solves L x = b in place.
pub fn forward_solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        b[i] = (b[i] - dot(&l[i * n..i * n + i], &b[..i])) / l[i * n + i];
    }
}

/// Solves L^T x = b in place.
pub fn backward_solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        b[i] /= l[i * n + i];
        let b_i = b[i];
        b[..i].iter_mut().zip(&l[i * n..i * n + i]).for_each(|(b, l)| *b -= l * b_i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in [-1, 1).
    fn numbers(row: usize, len: usize) -> Vec<f64> {
        let mut numbers = vec![0.0; len];
        swarmgrad_core::Rng::new(11).row(row).fill_uniform(&mut numbers);
        numbers.iter_mut().for_each(|t| *t = 2.0 * *t - 1.0);
        numbers
    }

    fn near(found: &[f64], wanted: impl Iterator<Item = f64>) {
        for (k, (a, b)) in found.iter().zip(wanted).enumerate() {
            assert!((a - b).abs() < 1e-12, "{k}: {a} is not {b}");
        }
    }

    #[test]
    fn products_are_those_of_the_definitions() {
        for n in [1, 2, 3, 7, 8, 9, 17, 30] {
            for m in [1, 3, 4, 5, 70] {
                let (rows, x, weights) = (numbers(n, m * n), numbers(n + 100, n), numbers(m + 200, m));
                let row = |k: usize| &rows[k * n..(k + 1) * n];
                let mut out = vec![0.0; m];
                multiply(&rows, &x, &mut out);
                near(&out, (0..m).map(|k| dot(row(k), &x)));
                let mut sum = x.clone();
                add_rows(&mut sum, &weights, &rows);
                near(&sum, (0..n).map(|j| x[j] + (0..m).map(|k| weights[k] * row(k)[j]).sum::<f64>()));
                let (mut squares, mut weighted) = (numbers(n + 300, n * n), numbers(n + 300, n * n));
                let before = squares.clone();
                add_squares(&mut squares, &rows, n);
                add_weighted_squares(&mut weighted, &weights, &rows, n);
                for j in 0..n {
                    let of = |w: &dyn Fn(usize) -> f64, i: usize| {
                        before[j * n + i] + (0..m).map(|k| w(k) * row(k)[j] * row(k)[i]).sum::<f64>()
                    };
                    near(&squares[j * n..j * n + j + 1], (0..=j).map(|i| of(&|_| 1.0, i)));
                    near(&weighted[j * n..j * n + j + 1], (0..=j).map(|i| of(&|k| weights[k], i)));
                }
                assert_eq!(
                    largest_gap(row(0), &x),
                    row(0).iter().zip(&x).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()))
                );
            }
            let (mut lower, x) = (numbers(n + 400, n * n), numbers(n + 500, n));
            let full = |lower: &[f64], j: usize, k: usize| lower[j.max(k) * n + j.min(k)];
            let mut out = vec![f64::NAN; n];
            multiply_symmetric(&lower, &x, &mut out);
            near(&out, (0..n).map(|j| (0..n).map(|k| full(&lower, j, k) * x[k]).sum()));
            let (before, [a, u, b, v]) = (lower.clone(), [600, 700, 800, 900].map(|row| numbers(n + row, n)));
            add_two_products(&mut lower, [&a, &u, &b, &v]);
            for j in 0..n {
                near(&lower[j * n..j * n + j + 1], (0..=j).map(|k| before[j * n + k] + a[j] * u[k] + b[j] * v[k]));
            }
        }
    }

    #[test]
    fn an_inverse_gives_the_unit_matrix() {
        let mut room = InverseRoom::default();
        // Fewer rows than a block of pivots, whole blocks, and what is left behind them; zeros on the diagonal need exchanges.
        for n in [1, 2, 5, 8, 9, 16, 23, 41] {
            let mut a = numbers(n, n * n);
            (0..n).filter(|_| n > 1).for_each(|i| a[i * n + i] = 0.0);
            let mut inverse = a.clone();
            assert!(invert(&mut inverse, n, &mut room), "n = {n}");
            for i in 0..n {
                for j in 0..n {
                    let product: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-9, "n = {n}: {i}, {j}: {product}");
                }
            }
        }
        assert!(!invert(&mut [1.0, 2.0, 2.0, 4.0], 2, &mut room));
        assert!(!invert(&mut [f64::NAN], 1, &mut room));
    }
}
