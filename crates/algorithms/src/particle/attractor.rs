//! Points that attract: the consensus, sharp or smooth.

use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::level;
use swarmgrad_core::{Matrix, Real, math};

/// Weights below exp(-46) = 1e-20 of the largest one are left out: N of them together change nothing in double precision.
const FARTHEST: f64 = 46.0;

/// The consensus point (mean-field PSO paper, eq. 1.4) of the rows `members` of `points`:
/// sum_i p_i w_i / sum_i w_i with w_i = exp(-alpha (E_i - min E)), stable for any alpha from 0 to infinity.
///
/// At alpha = infinity it is the mean of the best points. A value that is not finite has no weight. Returns false and
/// leaves `out` when no value is finite. O(N + k d) for k points of noticeable weight.
///
/// ```
/// use swarmgrad_algorithms::particle::consensus;
/// use swarmgrad_core::Matrix;
/// let points = Matrix::from_vec(1, vec![0.0, 1.0])?;
/// let mut c = [9.0];
/// assert!(consensus(&points, &[0.0, 3.0f64.ln()], 1.0, 0..2, &mut c));
/// assert!((c[0] - 0.25).abs() < 1e-15);           // weights 1 and 1/3
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn consensus<F: Real>(
    points: &Matrix<F>,
    values: &[F],
    alpha: f64,
    members: impl Iterator<Item = usize> + Clone,
    out: &mut [F],
) -> bool {
    let lowest = members.clone().map(|i| values[i].f64()).filter(|e| e.is_finite()).fold(f64::INFINITY, f64::min);
    if lowest == f64::INFINITY {
        return false;
    }
    let weight = |i: usize| {
        let above = values[i].f64() - lowest;
        if !values[i].is_finite() {
            0.0
        } else if above == 0.0 || alpha == 0.0 {
            1.0 // also where infinity times zero would be NaN
        } else if alpha * above > FARTHEST {
            0.0 // without asking for the exponential: almost all particles of a late swarm end here
        } else {
            math::exp(-alpha * above)
        }
    };
    let total: f64 = members.clone().map(weight).sum();
    out.fill(F::zero());
    for i in members {
        let share = weight(i);
        if share > 0.0 {
            dispatch!(level(), simd => add(simd, F::of(share / total), points.row(i), out));
        }
    }
    true
}

/// out <- out + share point.
#[simd]
fn add<S: Simd, F: Real>(_simd: S, share: F, point: &[F], out: &mut [F]) {
    out.iter_mut().zip(point).for_each(|(c, &p)| *c += share * p);
}

/// The Gibbs weights exp(-alpha (E_i - minimum)) of a swarm in two numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gibbs {
    /// Their mean, W of the mean-field paper when `minimum` is the infimum.
    pub mean: f64,
    /// The effective sample size (sum w)^2 / sum w^2, from 1 to N; 0 when no value is finite.
    pub effective: f64,
}

/// Mean and effective sample size of the Gibbs weights of `values`; a value that is not finite has no weight.
pub fn gibbs<F: Real>(values: &[F], alpha: f64, minimum: f64) -> Gibbs {
    let finite = || values.iter().map(|e| e.f64()).filter(|e| e.is_finite());
    let lowest = finite().fold(f64::INFINITY, f64::min);
    let weight = |above: f64| if above == 0.0 || alpha == 0.0 { 1.0 } else { math::exp(-alpha * above) };
    // Relative to the lowest value, so that they cannot all vanish.
    let (sum, squares) = finite().map(|e| weight(e - lowest)).fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
    let effective = if squares > 0.0 { sum * sum / squares } else { 0.0 };
    Gibbs { mean: finite().map(|e| weight(e - minimum)).sum::<f64>() / values.len().max(1) as f64, effective }
}

/// The sharpness at which the Gibbs weights of `values` have the effective sample size `share` N: by bisection on the
/// logarithm, within `low` to `high`, where the size falls with alpha. The nearer end where there is none in between.
pub fn alpha_for_sample_size<F: Real>(values: &[F], share: f64, low: f64, high: f64) -> f64 {
    let wanted = share * values.iter().filter(|e| e.is_finite()).count() as f64;
    let effective = |alpha: f64| gibbs(values, alpha, 0.0).effective;
    if effective(high) >= wanted {
        return high;
    }
    if effective(low) <= wanted {
        return low;
    }
    let (mut below, mut above) = (math::ln(low), math::ln(high));
    for _ in 0..60 {
        let middle = 0.5 * (below + above);
        if effective(math::exp(middle)) > wanted { below = middle } else { above = middle }
    }
    math::exp(0.5 * (below + above))
}

/// The roots of the normalised Gibbs weights, sqrt(w_i / sum w); all 0 where no value is finite.
pub(crate) fn root_weights<F: Real>(values: &[F], alpha: f64, out: &mut Vec<F>) {
    let lowest = values.iter().map(|e| e.f64()).filter(|e| e.is_finite()).fold(f64::INFINITY, f64::min);
    let weight = |e: f64| match e - lowest {
        above if !above.is_finite() => 0.0,
        above if above == 0.0 || alpha == 0.0 => 1.0,
        above => math::exp(-alpha * above),
    };
    let total: f64 = values.iter().map(|e| weight(e.f64())).sum();
    out.clear();
    out.extend(values.iter().map(|e| F::of(if total > 0.0 { (weight(e.f64()) / total).sqrt() } else { 0.0 })));
}
