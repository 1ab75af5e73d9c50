//! Transformations that moves and cores share.

use super::instance::Square;
use swarmgrad_core::math;

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

/// T_osz of a number.
#[inline]
pub(super) fn oscillate(x: f64) -> f64 {
    let (sign, c1, c2) = if x > 0.0 { (1.0, 1.0, 0.79) } else { (-1.0, 0.55, 0.31) };
    if x == 0.0 {
        return 0.0;
    }
    let t = math::ln(x.abs()) / 0.1;
    sign * math::powf(math::exp(t + 0.49 * (math::sin(c1 * t) + math::sin(c2 * t))), 0.1)
}
