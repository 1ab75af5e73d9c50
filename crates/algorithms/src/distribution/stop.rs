//! When a run of CMA-ES has nothing more to give: the termination criteria of Hansen's tutorial (appendix B.3).

use super::Told;
use crate::saved;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use swarmgrad_core::{Reason, math};

/// Medians and best values of the last iterations, as far as the criteria look back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    best: VecDeque<f64>,
    median: VecDeque<f64>,
    /// The widest range of values in one population so far, infinite ones left out, at most 1.
    widest: f64,
    #[serde(skip)]
    sorted: Vec<f64>,
}

/// An iteration as the criteria see it, after the update.
pub(super) struct Now<'a> {
    pub(super) g: u64,
    pub(super) lambda: usize,
    pub(super) told: &'a Told<'a>,
    pub(super) mean: &'a [f64],
    /// The step-size and the first one.
    pub(super) sigma: [f64; 2],
    pub(super) p_c: &'a [f64],
    pub(super) tol_x: f64,
    pub(super) tol_fun: f64,
    pub(super) tol_up_sigma: f64,
}

fn because(criterion: &str, why: &str) -> Option<Reason> {
    Some(Reason::Method(format!("{criterion}: {why}")))
}

/// ConditionCov: the covariance matrix has lost its meaning.
pub(super) fn badly_conditioned() -> Reason {
    Reason::Method("ConditionCov: the covariance matrix is too badly conditioned".into())
}

/// NoEffectAxis.
pub(super) fn axis_lost() -> Reason {
    Reason::Method("NoEffectAxis: the deviation along an axis is below the precision of numbers".into())
}

/// Longest history that stagnation looks at.
const LONGEST: usize = 20_000;

/// Stagnation is looked for in every so many iterations: medians of long histories are dear.
const LOOK: u64 = 25;

impl History {
    /// Whether a history that was read back fits together.
    pub(super) fn verify(&self) -> swarmgrad_core::Result<()> {
        let alike = self.best.len() == self.median.len() && self.best.len() <= LONGEST;
        saved::holds("history", alike, "must be as many best as median values, at most 20,000")
    }

    /// Adds an iteration and says whether it is the last; sigma times `deviation(j)` is the deviation of coordinate j.
    pub(super) fn end(&mut self, now: Now<'_>, deviation: impl Fn(usize) -> f64) -> Option<Reason> {
        let n = now.mean.len();
        let value = |rank: usize| now.told.values[now.told.order[rank]];
        let (best, worst) = (value(0), value(now.lambda - 1));
        self.push(best, value(now.lambda / 2));
        let [sigma, sigma0] = now.sigma;
        let span = self.range(10 + (30 * n).div_ceil(now.lambda));
        let small = now.tol_x * sigma0;
        self.widest = if worst - best < f64::INFINITY { self.widest.max(worst - best).min(1.0) } else { self.widest };
        if span == Some(0.0) {
            because("EqualFunValues", "the best values of many iterations are equal")
        } else if span.is_some_and(|span| span.max(worst - best) < now.tol_fun * self.widest) {
            because("TolFun", "the values differ by too little")
        } else if (0..n).all(|j| sigma * deviation(j) < small && (sigma * now.p_c[j]).abs() < small) {
            because("TolX", "the distribution has become small")
        } else if (0..n).any(|j| sigma * deviation(j) > now.tol_up_sigma * sigma0) {
            because("TolXUp", "the distribution has grown by a large factor: the initial sigma was too small")
        } else if (0..n).any(|j| now.mean[j] == now.mean[j] + 0.2 * sigma * deviation(j)) {
            because("NoEffectCoord", "the deviation in a coordinate is below the precision of numbers")
        } else if self.stagnates(now.g, n, now.lambda) {
            because("Stagnation", "neither the best nor the median values improve")
        } else {
            None
        }
    }

    /// Adds an iteration.
    fn push(&mut self, best: f64, median: f64) {
        if self.best.capacity() < LONGEST + 1 {
            // Once and for all: iterations do not allocate.
            self.best.reserve(LONGEST + 1 - self.best.len());
            self.median.reserve(LONGEST + 1 - self.median.len());
            self.sorted.reserve(LONGEST / 3);
        }
        for (history, value) in [(&mut self.best, best), (&mut self.median, median)] {
            if history.len() == LONGEST {
                history.pop_front();
            }
            history.push_back(value);
        }
    }

    /// Largest less smallest of the last `length` best values; none before there are so many. Equal infinities are 0 apart.
    fn range(&self, length: usize) -> Option<f64> {
        let first = self.best.len().checked_sub(length)?;
        let (low, high) = self
            .best
            .range(first..)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &f| (low.min(f), high.max(f)));
        Some(if low == high { 0.0 } else { high - low })
    }

    /// Stagnation: over the last max(100 + 100 n^1.5 / lambda, g / 5) iterations (at most 20,000) the median of the newest
    /// 30 % is not below the median of the oldest 30 %, both of the best and of the median values.
    fn stagnates(&mut self, g: u64, dim: usize, population: usize) -> bool {
        if !g.is_multiple_of(LOOK) {
            return false;
        }
        let least = 100 + (100.0 * math::powf(dim as f64, 1.5) / population as f64) as usize;
        let length = least.max((g / 5) as usize).min(LONGEST);
        if self.best.len() < length {
            return false;
        }
        let part = (3 * length).div_ceil(10);
        let sorted = &mut self.sorted;
        let mut median = |values: std::collections::vec_deque::Iter<'_, f64>| {
            sorted.clear();
            sorted.extend(values);
            let middle = sorted.len() / 2;
            *sorted.select_nth_unstable_by(middle, f64::total_cmp).1
        };
        [&self.best, &self.median].into_iter().all(|history| {
            let from = history.len() - length;
            let old = median(history.range(from..from + part));
            let new = median(history.range(history.len() - part..));
            new >= old
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stagnation_needs_both_medians_to_stand_still() {
        let run = |best: fn(f64) -> f64, median: fn(f64) -> f64| {
            let mut history = History::default();
            (1..=400u64).find(|&g| {
                history.push(best(g as f64), median(g as f64));
                history.stagnates(g, 4, 16)
            })
        };
        assert_eq!(run(|_| 1.0, |_| 2.0), Some(150));
        assert_eq!(run(|g| -g, |_| 2.0), None);
        assert_eq!(run(|_| 1.0, |g| -g), None);
        assert_eq!(run(|g| -g.min(200.0), |g| 1.0 / g.min(150.0)), Some(350));
        assert_eq!(run(|_| f64::INFINITY, |_| f64::INFINITY), Some(150));
    }

    #[test]
    fn small_values_end_as_late_as_large_ones() {
        use crate::distribution::cma_es::{Cma, Params};
        use crate::method::Method;
        use swarmgrad_core::{Evaluations, Function, Run, Space, Start};
        let space = Space::cube(4, -5.0, 5.0).unwrap();
        let tiny =
            Function::new(space.clone(), |x: &[f64]| 1e-15 * x.iter().map(|t| (t - 1.0) * (t - 1.0)).sum::<f64>());
        let mut cma = Cma::<f64>::new(&space, Start::Uniform, None, Params::default()).unwrap();
        let outcome = Run::new(&tiny, &mut cma, 1).watch(&mut Evaluations(10_000)).minimize();
        assert!(outcome.fun < 1e-26 && outcome.nfev < 3_000, "{} after {}", outcome.fun, outcome.nfev);
    }

    #[test]
    fn the_range_is_of_the_last_values_and_knows_infinity() {
        let mut history = History::default();
        for best in [9.0, f64::INFINITY, f64::INFINITY, 2.0, 1.0] {
            history.push(best, best);
        }
        assert_eq!((history.range(6), history.range(2), history.range(3)), (None, Some(1.0), Some(f64::INFINITY)));
        history.push(1.0, 1.0);
        assert_eq!((history.range(2), history.range(1)), (Some(0.0), Some(0.0)));
    }
}
