//! What runs are worth: the share of targets reached, its mean over the logarithm of evaluations, and intervals.

use super::trial::{self, Trial};
use crate::error::Result;
use crate::stats::{Interval, mean_interval};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How many precisions are asked for.
const COUNT: usize = 51;

/// The last precision; a run that reaches it is over.
pub(super) const LAST: f64 = 1e-8;

/// The multiples of the number of variables at which tables show the share.
pub const BUDGETS: [u64; 5] = [10, 30, 100, 300, 1000];

/// Decades of evaluations a variable over which the area is taken: from 1 to 1000.
const DECADES: f64 = 3.0;

/// Confidence of the intervals over instances.
const CONFIDENCE: f64 = 0.95;

/// The precisions 10^2, 10^1.8, .. 10^-8.
pub fn targets() -> [f64; COUNT] {
    std::array::from_fn(|k| if k + 1 == COUNT { LAST } else { 10f64.powf((10.0 - k as f64) / 5.0) })
}

/// One run: where, and when it reached each target.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Number of the function.
    pub function: usize,
    /// Number of variables.
    pub dim: usize,
    /// Number of the instance.
    pub instance: u64,
    /// Evaluations a variable until each of [`targets`] was reached; infinity where it was not.
    pub reached: [f64; COUNT],
}

impl Score {
    fn of(trial: &Trial, optimum: f64) -> Result<Self> {
        let (function, instance) = trial.place()?;
        let (record, dim) = (&trial.record, trial.record.dim);
        let mut reached = [f64::INFINITY; COUNT];
        let targets = targets();
        let mut at = 0;
        for &(evaluations, best) in record.curve.iter().chain([&(record.nfev, record.fun)]) {
            while at < COUNT && best - optimum <= targets[at] {
                reached[at] = evaluations as f64 / dim as f64;
                at += 1;
            }
        }
        Ok(Score { function, dim, instance, reached })
    }
}

/// Runs of one method.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scores(pub Vec<Score>);

impl Scores {
    /// The scores of runs.
    pub fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Result<Self> {
        let mut optima = BTreeMap::new();
        let score = |trial: &Trial| {
            let (function, instance) = trial.place()?;
            let optimum = match optima.entry((function, instance)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(trial::optimum(function, instance)?),
            };
            Score::of(trial, optimum)
        };
        trials.into_iter().map(score).collect::<Result<_>>().map(Scores)
    }

    /// Those of `keep`.
    pub fn only(&self, keep: impl Fn(&Score) -> bool) -> Scores {
        Scores(self.0.iter().filter(|score| keep(score)).cloned().collect())
    }

    /// The share of targets reached within `multiple` evaluations a variable, over all runs; NaN where there is none.
    pub fn share(&self, multiple: f64) -> f64 {
        self.mean(|n| if n <= multiple { 1.0 } else { 0.0 })
    }

    /// The share's mean over log10(evaluations / d) in [0, 3].
    pub fn area(&self) -> f64 {
        self.mean(|n| (1.0 - n.log10() / DECADES).clamp(0.0, 1.0))
    }

    fn mean(&self, worth: impl Fn(f64) -> f64) -> f64 {
        let sum: f64 = self.0.iter().flat_map(|score| score.reached).map(worth).sum();
        sum / (COUNT * self.0.len()) as f64
    }

    /// Student's 95 % interval of a figure over instances, each instance's figure being one draw. Infinite with a single
    /// instance.
    pub fn interval(&self, figure: impl Fn(&Scores) -> f64) -> Result<Interval> {
        let mut instances: Vec<u64> = self.0.iter().map(|score| score.instance).collect();
        instances.sort_unstable();
        instances.dedup();
        let figures: Vec<f64> =
            instances.into_iter().map(|i| figure(&self.only(|score| score.instance == i))).collect();
        mean_interval(&figures, CONFIDENCE)
    }

    /// What somebody would reach who knew for every run and every budget the best of these methods.
    pub fn best_of<'a>(methods: impl IntoIterator<Item = &'a Scores>) -> Scores {
        let mut best: BTreeMap<(usize, usize, u64), Score> = BTreeMap::new();
        for score in methods.into_iter().flat_map(|scores| &scores.0) {
            match best.entry((score.function, score.dim, score.instance)) {
                Entry::Vacant(place) => {
                    place.insert(score.clone());
                }
                Entry::Occupied(mut known) => {
                    let known = &mut known.get_mut().reached;
                    known.iter_mut().zip(score.reached).for_each(|(known, n)| *known = known.min(n));
                }
            }
        }
        Scores(best.into_values().collect())
    }
}
