//! Points that attract: the consensus, sharp or smooth.

use swarmgrad_core::{Matrix, Real};

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
            (-alpha * above).exp()
        }
    };
    let total: f64 = members.clone().map(weight).sum();
    out.fill(F::zero());
    for i in members {
        let share = weight(i);
        if share > 0.0 {
            let share = F::of(share / total);
            out.iter_mut().zip(points.row(i)).for_each(|(c, &p)| *c += share * p);
        }
    }
    true
}
