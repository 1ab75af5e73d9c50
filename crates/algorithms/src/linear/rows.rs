//! Sums of rows: the inner loop of every method with a matrix.

use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use rayon::prelude::*;
use swarmgrad_core::Matrix;
use swarmgrad_core::simd::level;

pub(crate) use crate::linear::lanes_dot as dot;

/// Operations in a pass from which on threads are worth their start.
pub(crate) const MANY: usize = 1 << 15;

/// Calls `work(i, row i)` for each row, on the threads of the run where `cost` operations a row are worth it.
pub(crate) fn each_row(rows: &mut Matrix<f64>, cost: usize, work: impl Fn(usize, &mut [f64]) + Sync) {
    let dim = rows.dim();
    each_chunk(rows.data_mut(), dim, cost, work);
}

/// The same for flat rows of `dim` numbers.
pub(crate) fn each_chunk(data: &mut [f64], dim: usize, cost: usize, work: impl Fn(usize, &mut [f64]) + Sync) {
    if data.len() / dim.max(1) * cost >= MANY && rayon::current_thread_index().is_some() {
        data.par_chunks_exact_mut(dim).enumerate().for_each(|(i, row)| work(i, row));
    } else {
        data.chunks_exact_mut(dim).enumerate().for_each(|(i, row)| work(i, row));
    }
}

/// Calls `work(i, rows i and i + 1)` for each even i: normals are drawn in pairs of rows.
pub(crate) fn each_chunk_of_two(data: &mut [f64], dim: usize, work: impl Fn(usize, &mut [f64]) + Sync) {
    if data.len() >= MANY && rayon::current_thread_index().is_some() {
        data.par_chunks_mut(2 * dim).enumerate().for_each(|(k, rows)| work(2 * k, rows));
    } else {
        data.chunks_mut(2 * dim).enumerate().for_each(|(k, rows)| work(2 * k, rows));
    }
}

/// out += sum over k of a_k row_k, with (a_k, row_k) = `term(k)`: four rows a pass, summed from the first to the last.
pub(crate) fn add_rows<'a>(out: &mut [f64], count: usize, term: impl Fn(usize) -> (f64, &'a [f64])) {
    dispatch!(level(), simd => add_rows_wide(simd, out, count, term));
}

#[simd]
fn add_rows_wide<'a, S: Simd>(simd: S, out: &mut [f64], count: usize, term: impl Fn(usize) -> (f64, &'a [f64])) {
    let _ = simd;
    let n = out.len();
    let mut k = 0;
    while k + 4 <= count {
        let [(a, p), (b, q), (c, r), (d, s)] = [term(k), term(k + 1), term(k + 2), term(k + 3)];
        let (p, q, r, s) = (&p[..n], &q[..n], &r[..n], &s[..n]);
        for j in 0..n {
            out[j] = (((out[j] + a * p[j]) + b * q[j]) + c * r[j]) + d * s[j];
        }
        k += 4;
    }
    while k < count {
        let (a, p) = term(k);
        out.iter_mut().zip(p).for_each(|(o, p)| *o += a * p);
        k += 1;
    }
}
