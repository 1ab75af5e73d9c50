//! The curvature of a function around a point, read off the points that a swarm has evaluated.
//!
//! Near a minimum g, f(z) = f(g) + kappa |z - g|^2 / 2. Least squares over the samples within a radius R of g gives
//!
//! ```text
//! kappa = 2 sum_i d_i^2 (f_i - f_g) / sum_i d_i^4,     d_i = |z_i - g|
//! ```
//!
//! In several dimensions it is a mean of the Hessian's eigenvalues, weighted by where the samples lie.

use super::search::squared_distance;
use swarmgrad_core::{Real, Rows};

/// kappa (w - g): the gradient whose descent leads from w towards g.
pub fn towards<F: Real>(kappa: f64, w: &[F], g: &[F], out: &mut [F]) {
    let kappa = F::of(kappa);
    out.iter_mut().zip(w).zip(g).for_each(|((o, &w), &g)| *o = kappa * (w - g));
}

/// The curvature at `g` (value `at_g`) from the samples within `radius` of it; none where no finite sample other than g
/// lies so near, or where they show no upward curvature.
///
/// ```
/// use swarmgrad_algorithms::gradient::curvature;
/// use swarmgrad_core::Rows;
/// let points = [-0.5, 0.25, 3.0];
/// let values = points.map(|z: f64| 1.0 + 0.5 * 6.0 * z * z);       // f'' = 6
/// let kappa = curvature(Rows::new(1, &points), &values, &[0.0], 1.0, 1.0);
/// assert!((kappa.unwrap() - 6.0).abs() < 1e-12);
/// ```
pub fn curvature<F: Real>(points: Rows<'_, F>, values: &[F], g: &[F], at_g: F, radius: f64) -> Option<f64> {
    let (mut top, mut bottom) = (0.0, 0.0);
    for (z, &value) in points.iter().zip(values).filter(|(_, value)| value.is_finite()) {
        let square = squared_distance(z, g).f64();
        if square <= radius * radius {
            top += square * (value - at_g).f64();
            bottom += square * square;
        }
    }
    let kappa = 2.0 * top / bottom;
    (kappa.is_finite() && kappa > 0.0).then_some(kappa)
}
