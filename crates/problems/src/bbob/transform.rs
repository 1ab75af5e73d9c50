//! Transformations that moves and cores share.

use super::instance::Square;
use crate::math::{exp, ln, sin};

/// A square matrix, column-major: the product with a vector adds columns, so that every sum runs in the order of its
/// index and the loop is one over independent sums.
pub(super) struct Columns {
    dim: usize,
    data: Vec<f64>,
}

impl Columns {
    pub(super) fn of(square: &Square) -> Self {
        let dim = square.dim;
        Columns { dim, data: (0..dim * dim).map(|at| square.data[at % dim * dim + at / dim]).collect() }
    }

    /// `out = M x + offset`.
    #[inline(always)]
    pub(super) fn times(&self, x: &[f64], offset: f64, out: &mut [f64]) {
        out.fill(offset);
        for (column, &t) in self.data.chunks_exact(self.dim).zip(x) {
            for (o, &m) in out.iter_mut().zip(column) {
                *o += m * t;
            }
        }
    }
}

/// T_osz of a number: `sign(x) exp(t + 0.049 (sin(10 c1 t) + sin(10 c2 t)))` with `t = ln|x|`, which is x times the exponential of the
/// waves. Without branches.
#[inline(always)]
pub(super) fn oscillate(x: f64) -> f64 {
    let (c1, c2) = if x > 0.0 { (1.0, 0.79) } else { (0.55, 0.31) };
    let size = x.abs();
    // Zero stays zero, whatever its waves are.
    let t = ln(if size < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { size }) / 0.1;
    x * exp(0.049 * (sin(c1 * t) + sin(c2 * t)))
}

/// `t^(1 + stretch sqrt(t))` for positive t, t else: T_asy of a number. Without branches.
#[inline(always)]
pub(super) fn stretched(t: f64, stretch: f64) -> f64 {
    let size = if t > f64::MIN_POSITIVE { t } else { f64::MIN_POSITIVE };
    let grown = size * exp(stretch * size.sqrt() * ln(size));
    if t > 0.0 { grown } else { t }
}
