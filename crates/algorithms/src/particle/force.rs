//! The words of which the moves are made, one number each; every method's step is a sentence of them.

use swarmgrad_core::{Real, Scalar};

/// A pull with strength `c r` from `x` towards `to`.
#[inline(always)]
pub fn pull<S: Scalar>(c: S, r: S, to: S, x: S) -> S {
    c * r * (to - x)
}

/// A drift from `x` towards `to` with rate `lambda`.
#[inline(always)]
pub fn drift<S: Scalar>(lambda: S, to: S, x: S) -> S {
    lambda * (to - x)
}

/// Diffusion in proportion to the distance from `to` in this coordinate: D(z) = diag(|z|) (eq. 1.6, anisotropic).
#[inline(always)]
pub fn diffuse<S: Scalar>(sigma: S, to: S, x: S, xi: S) -> S {
    sigma * (to - x).abs() * xi
}

/// Shortens the velocity to `limit` times the width of the space in every coordinate, keeping its direction.
pub(crate) fn limit_speed<F: Real>(v: &mut [F], limit: F, space: &swarmgrad_core::Space<F>) {
    let mut factor = F::one();
    for (j, t) in v.iter().enumerate() {
        let longest = limit * space.width(j);
        if t.abs() > longest {
            factor = factor.min(longest / t.abs());
        }
    }
    if factor < F::one() {
        v.iter_mut().for_each(|t| *t *= factor);
    }
}
