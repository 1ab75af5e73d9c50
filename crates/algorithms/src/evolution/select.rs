//! Selection: who takes part and who stays. Kernels of the evolutionary methods.

use std::cmp::Ordering;
use swarmgrad_core::Real;

/// One of `n` things from a uniform number in [0, 1).
#[inline(always)]
pub fn one_of(n: usize, uniform: f64) -> usize {
    ((uniform * n as f64) as usize).min(n - 1)
}

/// `K` different numbers from `0..n` without `i`, in random order: each pick is swapped out of the list of candidates,
/// which is never written down.
pub fn others<const K: usize>(i: usize, n: usize, mut below: impl FnMut(usize) -> usize) -> [usize; K] {
    let mut moved: [(usize, usize); K] = [(usize::MAX, 0); K];
    std::array::from_fn(|k| {
        let last = n - 2 - k;
        let place = below(last + 1);
        // What stands at a place of the shrinking list: what was moved there last, else the candidate itself.
        let at = |place: usize, moved: &[(usize, usize)]| {
            moved.iter().rev().find(|(p, _)| *p == place).map_or(place + usize::from(place >= i), |(_, c)| *c)
        };
        let pick = at(place, &moved[..k]);
        moved[k] = (place, at(last, &moved[..k]));
        pick
    })
}

/// Two different numbers that are not `i`: the first from `0..n`, the second from `0..m`, m >= n (the population and what
/// stands behind it), from two uniform numbers.
#[inline(always)]
pub fn two_others(i: usize, n: usize, m: usize, [u1, u2]: [f64; 2]) -> [usize; 2] {
    let r1 = one_of(n - 1, u1);
    let r1 = r1 + usize::from(r1 >= i);
    let r2 = one_of(m - 2, u2);
    let r2 = r2 + usize::from(r2 >= i.min(r1));
    [r1, r2 + usize::from(r2 >= i.max(r1))]
}

/// Fills `order` with all indices of `values`, the best `k` of them first and in order, equals by their index. No NaN.
pub fn rank<F: Real>(values: &[F], k: usize, order: &mut Vec<usize>) {
    let before = |a: &usize, b: &usize| {
        let by_value = values[*a].partial_cmp(&values[*b]).unwrap_or(Ordering::Equal);
        by_value.then(a.cmp(b))
    };
    order.clear();
    order.extend(0..values.len());
    let k = k.min(order.len());
    if (1..order.len()).contains(&k) {
        order.select_nth_unstable_by(k - 1, before);
    }
    order[..k].sort_unstable_by(before);
}

/// How many the best share `p` of `n` are: rounded, at least two.
#[inline(always)]
pub fn best_share(p: f64, n: usize) -> usize {
    ((p * n as f64).round() as usize).max(2).min(n)
}

/// Two different individuals of `n`, in the order in which they were drawn.
pub fn entrants(n: usize, mut below: impl FnMut(usize) -> usize) -> [usize; 2] {
    let a = below(n);
    let b = below(n - 1);
    [a, b + usize::from(b >= a)]
}

/// Binary tournament: the better of two different individuals, the first of equals.
pub fn tournament<F: Real>(values: &[F], below: impl FnMut(usize) -> usize) -> usize {
    let [a, b] = entrants(values.len(), below);
    if values[b] < values[a] { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn generator(seed: u64) -> impl FnMut(usize) -> usize + Clone {
        let mut state = seed;
        move |len: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % len
        }
    }

    #[test]
    fn others_are_picked_like_swap_remove() {
        for seed in 0..500u64 {
            let (n, i) = (4 + (seed % 7) as usize, (seed % 4) as usize);
            let (mut below, mut same) = (generator(seed), generator(seed));
            let picked: [usize; 3] = others(i, n, &mut below);
            let mut list: Vec<usize> = (0..n).filter(|&k| k != i).collect();
            let expected: Vec<usize> = (0..3).map(|_| list.swap_remove(same(list.len()))).collect();
            assert_eq!(picked.to_vec(), expected);
        }
    }

    #[test]
    fn two_others_are_uniform_on_what_is_left() {
        let (i, n, m) = (2, 5, 8);
        let steps = 4 * 6 * 10;
        let mut counts = [[0; 8]; 5];
        for a in 0..steps {
            for b in 0..steps {
                let [r1, r2] = two_others(i, n, m, [a, b].map(|k| f64::from(k) / f64::from(steps)));
                counts[r1][r2] += 1;
            }
        }
        for (r1, row) in counts.iter().enumerate() {
            for (r2, &count) in row.iter().enumerate() {
                let possible = r1 != i && r2 != i && r1 != r2;
                assert_eq!(count, if possible { steps * steps / 24 } else { 0 }, "{r1} {r2}");
            }
        }
    }

    proptest! {
        #[test]
        fn rank_is_the_head_of_a_stable_sort(values in prop::collection::vec(0u8..9, 1..60), k in 0usize..70) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut order = Vec::new();
            rank(&values, k, &mut order);
            let mut sorted: Vec<usize> = (0..values.len()).collect();
            sorted.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
            let k = k.min(values.len());
            prop_assert_eq!(&order[..k], &sorted[..k]);
            order.sort_unstable();
            prop_assert!(order.into_iter().eq(0..values.len()));
        }
    }
}
