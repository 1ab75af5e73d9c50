//! Points around a point, and their values.

use swarmgrad_core::{Matrix, Problem, Real, Rng, Space};

/// `n` points w + sigma xi inside the space, xi standard normal; with `antithetic`, row 2k + 1 mirrors row 2k at w. From
/// the stream `cloud` of `rng`.
pub(super) fn antithetic_cloud<F: Real>(
    space: &Space<F>,
    w: &[F],
    sigma: f64,
    n: usize,
    antithetic: bool,
    rng: &Rng,
    cloud: &mut Matrix<F>,
) {
    let (draws, outside, sigma) = (rng.fork("cloud"), rng.fork("outside"), F::of(sigma));
    cloud.resize(n, w.len());
    for i in 0..n {
        let mirrored = antithetic && i % 2 == 1;
        let row = cloud.row_mut(i);
        draws.row(if antithetic { i / 2 } else { i }).fill_normal(row);
        let sigma = if mirrored { -sigma } else { sigma };
        row.iter_mut().zip(w).for_each(|(x, &w)| *x = w + sigma * *x);
        space.repair(row, 0, &mut outside.row(i));
    }
}

/// Values of many points; a failure counts as +inf.
pub(super) fn evaluate<F: Real>(problem: &dyn Problem<F>, points: &Matrix<F>, values: &mut Vec<F>) {
    values.clear();
    values.resize(points.len(), F::infinity());
    problem.values(points.rows(), values);
    values.iter_mut().filter(|f| !f.is_finite()).for_each(|f| *f = F::infinity());
}

/// A difference of which one side failed says nothing.
pub(super) fn finite<F: Real>(t: F) -> F {
    if t.is_finite() { t } else { F::zero() }
}

/// The length of a vector.
pub(super) fn length<F: Real>(v: &[F]) -> f64 {
    v.iter().map(|t| t.f64() * t.f64()).sum::<f64>().sqrt()
}
