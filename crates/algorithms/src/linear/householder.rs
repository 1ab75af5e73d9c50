//! Householder reflections that bring a symmetric matrix to tridiagonal form, and eigenvectors back from there. Rows are padded with
//! zeros to whole vectors, and products are sums of rows. Small matrices stay near the processor, and are gone through as is
//! simplest; large ones are gone through once for each reflection, and only half of them.

use super::tridiagonal::{LANES, sum_of};
use fearless_simd::{Simd, f64x8, prelude::*};
use fearless_simd_macros::simd;

/// Rows that are gone through at a time.
const TOGETHER: usize = 4;

/// A matrix in padded rows, and room.
#[derive(Default)]
pub(super) struct Reflected {
    /// The matrix; then reflection k in row k, behind the diagonal.
    pub matrix: Vec<f64>,
    pub factors: Vec<f64>,
    /// What is left off the diagonal.
    pub off: Vec<f64>,
    pub rows: [Vec<f64>; 2],
}

/// Householder: A <- H A H for H = I - 2 u u' / u'u, column by column, until A is tridiagonal. The reflections stay in the rows, their
/// factors in `factors`.
#[simd]
pub(super) fn tridiagonalise<S: Simd>(simd: S, reflected: &mut Reflected, diagonal: &mut [f64]) {
    let n = diagonal.len();
    let Reflected { off, factors, matrix: a, rows: [p, _] } = reflected;
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
        finish_product(p, u, factor, k, n);
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

/// From A u the p of reflection k: H A H = A - u p' - p u' for p = f A u - f^2 (u' A u) u / 2 with its factor f.
#[inline(always)]
fn finish_product(p: &mut [f64], u: &[f64], factor: f64, k: usize, n: usize) {
    let from = (k + 1) / LANES * LANES;
    p[from..=k].fill(0.0);
    let mut along = 0.0;
    for (p, u) in p[k + 1..n].iter_mut().zip(&u[k + 1..n]) {
        *p *= factor;
        along += *p * u;
    }
    let half = 0.5 * factor * along;
    p[from..].iter_mut().zip(&u[from..]).for_each(|(p, u)| *p -= half * u);
}

/// The product of the reflections, from the last to the first, transposed: into `q`, which is 0 before.
#[simd]
pub(super) fn turn_back<S: Simd>(simd: S, reflected: &mut Reflected, q: &mut [f64], n: usize) {
    let Reflected { factors, matrix: a, rows: [sum, weights], .. } = reflected;
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

/// [`tridiagonalise`] for a matrix that is large: of a row only the vectors from its diagonal on are kept up, and one pass over them does
/// what is left of a reflection, A <- A - u p' - p u', and the product of A with the next u.
#[simd]
pub(super) fn tridiagonalise_large<S: Simd>(simd: S, reflected: &mut Reflected, diagonal: &mut [f64]) {
    let n = diagonal.len();
    let Reflected { off, factors, matrix: a, rows: [p, product] } = reflected;
    let wide = p.len();
    p.fill(0.0);
    // Reflection k clears row k beyond its first off-diagonal entry; u is kept in that row, zeros before it.
    for k in 0..n {
        let (head, tail) = a.split_at_mut(k * wide);
        let (row, tail) = tail.split_at_mut(wide);
        // The last two rows await one reflection; before the first there is none, and p is 0.
        let before = if k > 0 && n > 2 { &head[(k - 1).min(n - 3) * wide..][..wide] } else { &**p };
        let from = k / LANES * LANES;
        let (u, q) = (before[k], p[k]);
        row[from..].iter_mut().zip(&p[from..]).zip(&before[from..]).for_each(|((a, p), b)| *a -= u * p + q * b);
        diagonal[k] = row[k];
        if k + 2 >= n {
            off[k] = if k + 1 < n { row[k + 1] } else { 0.0 };
            continue;
        }
        row[..=k].fill(0.0);
        let factor = head_diagonal(&mut row[k + 1..n], &mut off[k]);
        factors[k] = factor;
        let from = (k + 1) / LANES * LANES;
        product[from..].fill(0.0);
        let vectors = [before, &*p, &*row];
        let alone = ((k + 1).next_multiple_of(TOGETHER) - k - 1).min(n - k - 1);
        let (first, rest) = tail.split_at_mut(alone * wide);
        for (j, row) in first.chunks_exact_mut(wide).enumerate() {
            sweep::<S, 1>(simd, row, k + 1 + j, vectors, product);
        }
        let start = k + 1 + alone;
        for (group, rows) in rest.chunks_mut(TOGETHER * wide).enumerate() {
            let j = start + group * TOGETHER;
            if rows.len() == TOGETHER * wide {
                sweep::<S, TOGETHER>(simd, rows, j, vectors, product);
            } else {
                rows.chunks_exact_mut(wide)
                    .enumerate()
                    .for_each(|(i, row)| sweep::<S, 1>(simd, row, j + i, vectors, product));
            }
        }
        if factor == 0.0 {
            p.fill(0.0);
            continue;
        }
        finish_product(product, row, factor, k, n);
        std::mem::swap(p, product);
    }
}

/// R rows of A from row j on, of one vector's rows: a <- a - u_j p - p_j u, and their part of A times `next`.
#[inline(always)]
fn sweep<S: Simd, const R: usize>(simd: S, rows: &mut [f64], j: usize, [u, p, next]: [&[f64]; 3], product: &mut [f64]) {
    let (wide, base) = (product.len(), j / LANES * LANES);
    let mut rows = rows.chunks_exact_mut(wide);
    let rows: [&mut [f64]; R] = std::array::from_fn(|_| &mut rows.next().expect("R rows")[base..]);
    let entries = |v: &[f64]| -> [f64x8<S>; R] { std::array::from_fn(|r| f64x8::splat(simd, v[j + r])) };
    let (of_u, of_p, of_next) = (entries(u), entries(p), entries(next));
    let mut sums = [f64x8::splat(simd, 0.0); R];
    for (at, product) in product[base..].chunks_exact_mut(LANES).enumerate() {
        let vector = |v: &[f64]| f64x8::from_slice(simd, &v[base + at * LANES..base + (at + 1) * LANES]);
        let (u, p, next) = (vector(u), vector(p), vector(next));
        let mut total = f64x8::from_slice(simd, product);
        for r in 0..R {
            let row = &mut rows[r][at * LANES..(at + 1) * LANES];
            let a = f64x8::from_slice(simd, row) - (of_u[r] * p + of_p[r] * u);
            a.store_slice(row);
            total += of_next[r] * a;
            // The rows of this vector have all its columns; of those behind it the other half is here.
            if at > 0 {
                sums[r] += a * next;
            }
        }
        total.store_slice(product);
    }
    sums.iter().enumerate().for_each(|(r, sum)| product[j + r] += sum_of(*sum));
}

/// Applies the reflections to each row, from the last to the first.
#[simd]
pub(super) fn reflect_rows<S: Simd>(simd: S, reflected: &Reflected, rows: &mut [f64], n: usize) {
    let Reflected { factors, matrix: a, .. } = reflected;
    let wide = rows.len() / n;
    for rows in rows.chunks_mut(TOGETHER * wide) {
        for k in (0..n.saturating_sub(2)).rev().filter(|&k| factors[k] != 0.0) {
            let from = (k + 1) / LANES * LANES;
            let u = &a[k * wide + from..(k + 1) * wide];
            if rows.len() == TOGETHER * wide {
                reflect::<S, TOGETHER>(simd, u, factors[k], rows, wide, from);
            } else {
                rows.chunks_exact_mut(wide).for_each(|row| reflect::<S, 1>(simd, u, factors[k], row, wide, from));
            }
        }
    }
}

/// v - factor u u'v, of R rows v from that column on.
#[inline(always)]
fn reflect<S: Simd, const R: usize>(simd: S, u: &[f64], factor: f64, rows: &mut [f64], wide: usize, from: usize) {
    let mut rows = rows.chunks_exact_mut(wide);
    let mut rows: [&mut [f64]; R] = std::array::from_fn(|_| &mut rows.next().expect("R rows")[from..]);
    let mut sums = [f64x8::splat(simd, 0.0); R];
    for (at, u) in u.chunks_exact(LANES).enumerate() {
        let u = f64x8::from_slice(simd, u);
        for (sum, row) in sums.iter_mut().zip(&rows) {
            *sum += u * f64x8::from_slice(simd, &row[at * LANES..(at + 1) * LANES]);
        }
    }
    let shares = sums.map(|sum| f64x8::splat(simd, factor * sum_of(sum)));
    for (at, u) in u.chunks_exact(LANES).enumerate() {
        let u = f64x8::from_slice(simd, u);
        for (share, row) in shares.iter().zip(&mut rows) {
            let part = &mut row[at * LANES..(at + 1) * LANES];
            (f64x8::from_slice(simd, part) - *share * u).store_slice(part);
        }
    }
}

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
