//! Hypervolume: the volume that a set of points dominates, up to a reference point. Exact.
//!
//! Papers: Zitzler and Thiele, "Multiobjective optimization using evolutionary algorithms: a comparative case study" (PPSN 1998);
//! Fonseca, Paquete and Lopez-Ibanez, "An improved dimension-sweep algorithm for the hypervolume indicator" (CEC 2006), of which the
//! three-dimensional sweep is; While, Bradstreet and Barone, "A fast way of calculating exact hypervolumes" (IEEE TEC 2012), WFG, for
//! more objectives.

use super::dominance::{covers, lexicographic};
use swarmgrad_core::{Matrix, Rows};

/// The volume of what at least one of the points dominates and that dominates the reference point. Points that are not better than
/// the reference in every objective count nothing.
///
/// ```
/// use swarmgrad_algorithms::front::hypervolume;
/// use swarmgrad_core::Rows;
/// assert_eq!(hypervolume(Rows::new(2, &[1.0, 3.0, 2.0, 2.0, 3.0, 1.0]), &[4.0, 4.0]), 6.0);
/// ```
pub fn hypervolume(points: Rows<'_, f64>, reference: &[f64]) -> f64 {
    let mut inside = Matrix::empty(reference.len());
    points.iter().filter(|point| point.iter().zip(reference).all(|(f, r)| f < r)).for_each(|point| inside.push(point));
    volume(&mut inside, reference)
}

/// The same of points that are all better than the reference.
fn volume(points: &mut Matrix<f64>, reference: &[f64]) -> f64 {
    match reference.len() {
        0 => 0.0,
        _ if points.is_empty() => 0.0,
        1 => reference[0] - points.iter().map(|point| point[0]).fold(f64::INFINITY, f64::min),
        2 => plane(points, reference),
        3 => space(points, reference),
        _ => wfg(points, reference),
    }
}

/// The order of the rows by one objective, then by the others.
fn order(points: &Matrix<f64>, first: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_unstable_by(|&a, &b| {
        let (a, b) = (points.row(a), points.row(b));
        a[first].total_cmp(&b[first]).then_with(|| lexicographic(a, b))
    });
    order
}

/// Two objectives: strips along the first.
fn plane(points: &Matrix<f64>, reference: &[f64]) -> f64 {
    let (mut sum, mut height) = (0.0, reference[1]);
    for i in order(points, 0) {
        let point = points.row(i);
        if point[1] < height {
            sum += (reference[0] - point[0]) * (height - point[1]);
            height = point[1];
        }
    }
    sum
}

/// Three objectives: a staircase in the first two grows while the third does.
fn space(points: &Matrix<f64>, reference: &[f64]) -> f64 {
    // Its corners, ascending in the first and descending in the second objective.
    let mut stairs: Vec<[f64; 2]> = Vec::with_capacity(points.len());
    let (mut sum, mut area, mut level) = (0.0, 0.0, 0.0);
    for i in order(points, 2) {
        let &[x, y, z] = points.row(i) else { continue };
        sum += area * (z - level);
        level = z;
        let from = stairs.partition_point(|stair| stair[0] < x);
        let above = from.checked_sub(1).map_or(reference[1], |k| stairs[k][1]);
        if above <= y || stairs.get(from).is_some_and(|stair| stair[0] == x && stair[1] <= y) {
            continue;
        }
        let behind = stairs[from..].iter().take_while(|stair| stair[1] >= y).count();
        // What is new under the corner, strip by strip.
        let (mut left, mut height) = (x, above);
        for stair in &stairs[from..from + behind] {
            area += (stair[0] - left) * (height - y);
            (left, height) = (stair[0], stair[1]);
        }
        let end = stairs.get(from + behind).map_or(reference[0], |stair| stair[0]);
        area += (end - left) * (height - y);
        stairs.splice(from..from + behind, [[x, y]]);
    }
    sum + area * (reference[2] - level)
}

/// More objectives: the volume is the sum of what each point adds to those behind it.
fn wfg(points: &mut Matrix<f64>, reference: &[f64]) -> f64 {
    let last = reference.len() - 1;
    // The worst in the last objective first, so that the sets that follow are small there.
    let mut order = order(points, last);
    order.reverse();
    points.select(&order);
    (0..points.len()).map(|i| exclusive(points.rows(), i, i + 1..points.len(), reference)).sum()
}

/// What point `i` dominates and none of the points `others` does.
fn exclusive(points: Rows<'_, f64>, i: usize, others: impl Iterator<Item = usize>, reference: &[f64]) -> f64 {
    let point = points.row(i);
    let own: f64 = point.iter().zip(reference).map(|(f, r)| r - f).product();
    let mut limited = Matrix::empty(reference.len());
    let mut cut = vec![0.0; reference.len()];
    for j in others {
        let other = points.row(j);
        cut.iter_mut().zip(point.iter().zip(other)).for_each(|(c, (a, b))| *c = a.max(*b));
        if cut.iter().zip(reference).all(|(f, r)| f < r) {
            limited.push(&cut);
        }
    }
    if reference.len() > 3 {
        keep_best(&mut limited);
    }
    own - volume(&mut limited, reference)
}

/// Leaves the points that no other covers.
fn keep_best(points: &mut Matrix<f64>) {
    let mut best: Vec<usize> = Vec::new();
    for i in order(points, 0) {
        if !best.iter().any(|&j| covers(points.row(j), points.row(i))) {
            best.push(i);
        }
    }
    points.select(&best);
}

/// What each point alone dominates of the hypervolume.
pub fn contributions(points: Rows<'_, f64>, reference: &[f64]) -> Vec<f64> {
    let inside = |i: usize| points.row(i).iter().zip(reference).all(|(f, r)| f < r);
    let all = 0..points.len();
    let of = |i| if inside(i) { exclusive(points, i, all.clone().filter(|&j| j != i), reference) } else { 0.0 };
    all.clone().map(of).collect()
}

/// Share of a front's extent by which the reference point of [`most_volume`] lies beyond its worst values.
const BEYOND: f64 = 0.1;

/// Which `keep` of the points `front` to keep: again and again the one that contributes least to the hypervolume is left out, of
/// equals the last. Objectives count in units of the front's extent, the reference point lies a tenth of it beyond the worst.
pub fn most_volume(points: Rows<'_, f64>, front: &[usize], keep: usize) -> Vec<usize> {
    let mut kept = front.to_vec();
    if keep >= front.len() {
        return kept;
    }
    let mut scaled = Matrix::zeros(front.len(), points.dim());
    for k in 0..points.dim() {
        let values = || front.iter().map(|&i| 0.5 * points.row(i)[k]);
        let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), t| (l.min(t), h.max(t)));
        let extent = high - low;
        for (row, t) in scaled.iter_mut().zip(values()) {
            row[k] = if extent > 0.0 && extent.is_finite() { (t - low) / extent } else { 0.0 };
        }
    }
    let reference = vec![1.0 + BEYOND; points.dim()];
    let mut alive: Vec<usize> = (0..front.len()).collect();
    let mut least = contributions(scaled.rows(), &reference);
    // Without one point the others contribute as much as before or more: a number that was computed before is a lower bound.
    let mut fresh = vec![true; front.len()];
    while alive.len() > keep {
        let before = |a: &&usize, b: &&usize| least[**a].total_cmp(&least[**b]).then(b.cmp(a));
        let Some(&next) = alive.iter().min_by(before) else { break };
        if fresh[next] {
            alive.retain(|&i| i != next);
            alive.iter().for_each(|&i| fresh[i] = false);
        } else {
            let others = alive.iter().copied().filter(|&j| j != next);
            // Rounding may leave it a little below what it was.
            least[next] = exclusive(scaled.rows(), next, others, &reference).max(least[next]);
            fresh[next] = true;
        }
    }
    kept.clear();
    kept.extend(alive.into_iter().map(|i| front[i]));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By counting unit cells: points and reference are whole numbers.
    fn counted(points: Rows<'_, f64>, size: usize) -> f64 {
        let dim = points.dim();
        let cells = size.pow(dim as u32);
        let covered = |cell: usize| {
            let corner: Vec<f64> = (0..dim).map(|k| (cell / size.pow(k as u32) % size) as f64).collect();
            points.iter().any(|point| covers(point, &corner))
        };
        (0..cells).filter(|&cell| covered(cell)).count() as f64
    }

    proptest! {
        #[test]
        fn volumes_are_those_that_one_counts(dim in 1usize..6, cells in prop::collection::vec(0u8..6, 0..45)) {
            let n = cells.len() / dim;
            let data: Vec<f64> = cells[..n * dim].iter().map(|&c| f64::from(c)).collect();
            let (points, reference) = (Rows::new(dim, &data), vec![5.0; dim]);
            prop_assert_eq!(hypervolume(points, &reference), counted(points, 5));
        }

        #[test]
        fn a_contribution_is_what_is_lost_without_the_point(dim in 1usize..5, cells in prop::collection::vec(0u8..9, 0..60)) {
            let n = cells.len() / dim;
            let data: Vec<f64> = cells[..n * dim].iter().map(|&c| f64::from(c)).collect();
            let (points, reference) = (Rows::new(dim, &data), vec![8.0; dim]);
            let whole = hypervolume(points, &reference);
            for (i, share) in contributions(points, &reference).into_iter().enumerate() {
                let mut rest = Matrix::from_vec(dim, data.clone()).unwrap();
                rest.select(&(0..n).filter(|&j| j != i).collect::<Vec<_>>());
                prop_assert_eq!(share, whole - hypervolume(rest.rows(), &reference));
            }
        }

        /// The lazy choice is that of computing every contribution anew after each removal.
        #[test]
        fn what_is_kept_is_what_contributes(pairs in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64), 3..24), keep in 1usize..9) {
            // On a plane, where none dominates another; in units of their extent.
            let mut points = Matrix::empty(3);
            pairs.iter().for_each(|(a, b)| points.push(&[*a, *b, 2.0 - a - b]));
            let mut scaled = points.clone();
            for k in 0..3 {
                let values = || points.iter().map(|p| p[k]);
                let (low, high) = values().fold((f64::INFINITY, 0.0), |(l, h): (f64, f64), t| (l.min(t), h.max(t)));
                scaled.iter_mut().for_each(|row| row[k] = (row[k] - low) / (high - low));
            }
            let (mut alive, mut close): (Vec<usize>, bool) = ((0..pairs.len()).collect(), false);
            while alive.len() > keep {
                let rest = |without: usize| {
                    let mut rest = scaled.clone();
                    rest.select(&alive.iter().copied().filter(|&j| j != without).collect::<Vec<_>>());
                    hypervolume(rest.rows(), &[1.1; 3])
                };
                let mut by_loss: Vec<(f64, usize)> = alive.iter().map(|&i| (rest(i), i)).collect();
                by_loss.sort_by(|a, b| b.0.total_cmp(&a.0));
                close |= by_loss[0].0 - by_loss[1].0 < 1e-12;
                alive.retain(|&i| i != by_loss[0].1);
            }
            prop_assume!(!close);
            let all: Vec<usize> = (0..pairs.len()).collect();
            prop_assert_eq!(most_volume(points.rows(), &all, keep), alive);
        }
    }

    #[test]
    fn what_is_not_better_than_the_reference_counts_nothing() {
        let points = [1.0, 5.0, 5.0, 1.0, 4.0, 0.0, f64::INFINITY, 0.0];
        assert_eq!(hypervolume(Rows::new(2, &points), &[4.0, 4.0]), 0.0);
        assert_eq!(contributions(Rows::new(2, &points), &[5.0, 5.0]), [0.0, 0.0, 5.0, 0.0]);
    }

    /// A sphere's octant, whose volume is known: 1 - pi / 6 up to the gaps of the points.
    #[test]
    fn a_dense_front_has_the_volume_beneath_it() {
        let side = 60;
        let mut points = Matrix::empty(3);
        for i in 0..=side {
            for j in 0..=side {
                let half = std::f64::consts::FRAC_PI_2 / f64::from(side);
                let (a, b) = (f64::from(i) * half, f64::from(j) * half);
                points.push(&[a.cos() * b.cos(), a.cos() * b.sin(), a.sin()]);
            }
        }
        let found = hypervolume(points.rows(), &[1.0; 3]);
        let exact = 1.0 - std::f64::consts::PI / 6.0;
        assert!(found < exact && exact - found < 0.04, "{found} {exact}");
    }
}
