//! Which points are better than which, where there are several objectives and constraints.
//!
//! Papers: Deb, "An efficient constraint handling method for genetic algorithms" (CMAME 2000); Deb, Pratap, Agarwal and Meyarivan,
//! "A fast and elitist multiobjective genetic algorithm: NSGA-II" (IEEE TEC 2002); Zhang, Tian, Cheng and Jin, "An efficient approach
//! to nondominated sorting for evolutionary multiobjective optimization" (IEEE TEC 2015).

use std::cmp::Ordering;
use swarmgrad_core::Rows;

/// Whether objectives `a` are nowhere worse than `b` and somewhere better.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(s, t)| s <= t) && a.iter().zip(b).any(|(s, t)| s < t)
}

/// Whether objectives `a` are nowhere worse than `b`.
pub fn covers(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(s, t)| s <= t)
}

/// The order of words, for objectives without NaN.
pub(crate) fn lexicographic(a: &[f64], b: &[f64]) -> Ordering {
    let different = a.iter().zip(b).find(|(s, t)| s != t);
    different.and_then(|(s, t)| s.partial_cmp(t)).unwrap_or(Ordering::Equal)
}

/// The front of each point: 0 for those that no other dominates, 1 for those that only these dominate, and so on. Points that
/// violate less are before all that violate more; `violation` is empty where there are no constraints. Objectives must not be NaN.
///
/// O(n log n) for two objectives, else at most O(m n^2).
pub fn ranks(points: Rows<'_, f64>, violation: &[f64]) -> Vec<usize> {
    let n = points.len();
    let mut order: Vec<usize> = (0..n).collect();
    let of = |i: usize| violation.get(i).copied().unwrap_or(0.0);
    order.sort_by(|&a, &b| {
        let by_violation = of(a).partial_cmp(&of(b)).unwrap_or(Ordering::Equal);
        by_violation.then_with(|| lexicographic(points.row(a), points.row(b)))
    });
    let (mut ranks, mut before) = (vec![0; n], 0);
    for group in order.chunk_by(|&a, &b| of(a) == of(b)) {
        before += sort(points, group, before, &mut ranks);
    }
    ranks
}

/// Ranks points in the order of words, where none dominates one before it; returns the number of fronts.
fn sort(points: Rows<'_, f64>, sorted: &[usize], before: usize, ranks: &mut [usize]) -> usize {
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    for (k, &i) in sorted.iter().enumerate() {
        let point = points.row(i);
        let place = match k.checked_sub(1).map(|k| sorted[k]) {
            Some(twin) if points.row(twin) == point => ranks[twin] - before,
            // Of two objectives the last point of a front has its least second one.
            _ if points.dim() <= 2 => {
                fronts.partition_point(|front| front.last().is_some_and(|&j| covers(points.row(j), point)))
            }
            _ => {
                let dominated = |front: &Vec<usize>| front.iter().rev().any(|&j| covers(points.row(j), point));
                fronts.iter().position(|front| !dominated(front)).unwrap_or(fronts.len())
            }
        };
        if place == fronts.len() {
            fronts.push(Vec::new());
        }
        fronts[place].push(i);
        ranks[i] = before + place;
    }
    fronts.len()
}

/// The crowding distance of each of the points `front` among them: for every objective the distance of its two neighbours in units
/// of the front's extent, infinite at the ends (section III-B of the paper on NSGA-II).
pub fn crowding(points: Rows<'_, f64>, front: &[usize]) -> Vec<f64> {
    let mut distance = vec![0.0; front.len()];
    let mut order: Vec<usize> = (0..front.len()).collect();
    for k in 0..points.dim() {
        let value = |i: usize| points.row(front[i])[k];
        order.sort_by(|&a, &b| value(a).partial_cmp(&value(b)).unwrap_or(Ordering::Equal).then(a.cmp(&b)));
        let (Some(&first), Some(&last)) = (order.first(), order.last()) else { break };
        (distance[first], distance[last]) = (f64::INFINITY, f64::INFINITY);
        // Halves, whose difference does not overflow.
        let extent = 0.5 * value(last) - 0.5 * value(first);
        if extent > 0.0 && extent.is_finite() {
            for at in order.windows(3) {
                distance[at[1]] += (0.5 * value(at[2]) - 0.5 * value(at[0])) / extent;
            }
        }
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: peel off what nothing else dominates.
    fn peeled(points: Rows<'_, f64>, violation: &[f64]) -> Vec<usize> {
        let n = points.len();
        let better = |a: usize, b: usize| {
            violation[a] < violation[b] || violation[a] == violation[b] && dominates(points.row(a), points.row(b))
        };
        let (mut ranks, mut front) = (vec![usize::MAX; n], 0);
        while ranks.contains(&usize::MAX) {
            let left: Vec<usize> = (0..n).filter(|&i| ranks[i] == usize::MAX).collect();
            let least = left.iter().map(|&i| violation[i]).fold(f64::INFINITY, f64::min);
            let here: Vec<usize> = left.iter().copied().filter(|&i| !left.iter().any(|&j| better(j, i))).collect();
            here.iter().filter(|&&i| violation[i] == least).for_each(|&i| ranks[i] = front);
            front += 1;
        }
        ranks
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_the_definition(
            dim in 1usize..5, cells in prop::collection::vec(0u8..6, 0..120), off in prop::collection::vec(0u8..3, 120),
        ) {
            let n = cells.len() / dim;
            let data: Vec<f64> = cells[..n * dim].iter().map(|&c| f64::from(c)).collect();
            let violation: Vec<f64> = off[..n].iter().map(|&v| f64::from(v)).collect();
            let rows = Rows::new(dim, &data);
            prop_assert_eq!(ranks(rows, &violation), peeled(rows, &violation));
            prop_assert_eq!(ranks(rows, &[]), peeled(rows, &vec![0.0; n]));
        }
    }

    #[test]
    fn crowding_adds_the_gaps_of_all_objectives() {
        let points = [0.0, 10.0, 1.0, 6.0, 2.0, 5.0, 4.0, 0.0];
        let found = crowding(Rows::new(2, &points), &[0, 1, 2, 3]);
        assert_eq!(found, [f64::INFINITY, 0.5 + 0.5, 0.75 + 0.6, f64::INFINITY]);
        // A front without extent, and one that no number measures.
        assert_eq!(crowding(Rows::new(1, &[1.0, 1.0, 1.0]), &[0, 1, 2]), [f64::INFINITY, 0.0, f64::INFINITY]);
        let wide = crowding(Rows::new(1, &[-1.7e308, 0.0, 1.7e308]), &[0, 1, 2]);
        assert_eq!(wide[1], 1.0);
    }
}
