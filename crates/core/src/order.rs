//! Comparing values: smaller is better, NaN is worst.

use crate::Real;

/// Whether value `a` is strictly better than `b`: smaller, or a number where `b` is NaN.
#[inline]
pub fn better<F: Real>(a: F, b: F) -> bool {
    a < b || (b.is_nan() && !a.is_nan())
}

/// The index of the best value; the first of equals. `None` when there is none.
pub fn best_index<F: Real>(values: &[F]) -> Option<usize> {
    (0..values.len()).reduce(|best, i| if better(values[i], values[best]) { i } else { best })
}

/// Fills `indices` with `0..values.len()` from best to worst, equals in their old order, NaN last.
pub fn sort_indices<F: Real>(values: &[F], indices: &mut Vec<usize>) {
    indices.clear();
    indices.extend(0..values.len());
    // The index as second key makes the unstable sort stable, without the stable sort's allocation.
    indices.sort_unstable_by(|&a, &b| {
        let by_value = values[a].partial_cmp(&values[b]);
        by_value.unwrap_or_else(|| values[a].is_nan().cmp(&values[b].is_nan())).then(a.cmp(&b))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_worst_and_equals_keep_their_order() {
        let values = [f64::NAN, 2.0, f64::INFINITY, -1.0, 2.0, f64::NEG_INFINITY, f64::NAN];
        let mut order = vec![9];
        sort_indices(&values, &mut order);
        assert_eq!(order, [5, 3, 1, 4, 2, 0, 6]);
        assert_eq!(best_index(&values), Some(5));
        assert_eq!(best_index(&[f64::NAN, f64::NAN]), Some(0));
        assert_eq!(best_index::<f64>(&[]), None);
    }
}
