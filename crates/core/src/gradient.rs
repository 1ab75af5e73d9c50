//! GradientSource: where a gradient comes from.

use crate::Real;

/// What a gradient cost, and the value seen on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampled<F: Real = f64> {
    /// The problem's value at the point.
    pub value: F,
    /// Evaluations of the problem that it took, the value at the point included.
    pub evaluations: u64,
    /// Exact gradients of the problem that it took.
    pub gradients: u64,
}

/// Where a gradient comes from: a formula, differences, a tensor library, or a swarm.
///
/// A source owns or borrows its problem. What it writes is a gradient to *descend*: `x - step * gradient` leads to smaller
/// values, whatever sign a paper prints.
pub trait GradientSource<F: Real = f64>: Send {
    /// Writes the gradient at `x` into `out` (same length). Random sources draw from `rng`, whose iteration the caller moves on.
    fn gradient(&mut self, x: &[F], out: &mut [F], rng: &crate::Rng) -> Sampled<F>;
}
