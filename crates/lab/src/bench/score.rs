//! What runs are worth: the share of targets reached, its mean over the logarithm of evaluations, and intervals.

use super::suite::{Place, Suite};
use super::trial::Trial;
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
    /// The suite.
    pub suite: Suite,
    /// Number of the function.
    pub function: usize,
    /// Number of variables.
    pub dim: usize,
    /// Number of the instance; of a function without instances the seed.
    pub instance: u64,
    /// Evaluations a variable until the first point that keeps all constraints; infinity where there was none.
    pub feasible: f64,
    /// Evaluations a variable until each of the suite's precisions was reached: for BBOB [`targets`], for BBOB under constraints those
    /// from 1e-6 on, for other problems with constraints 1e-4 of the best value; infinity where it was not.
    pub reached: Vec<f64>,
}

impl Score {
    fn of(trial: &Trial, place: Place, optimum: f64) -> Self {
        let Place { suite, function, instance } = place;
        let (record, dim) = (&trial.record, trial.record.dim);
        let targets = suite.targets(optimum);
        let mut reached = vec![f64::INFINITY; targets.len()];
        let (mut at, mut feasible) = (0, f64::INFINITY);
        for &(evaluations, best) in record.curve.iter().chain([&(record.nfev, record.fun)]) {
            let evaluations = evaluations as f64 / dim as f64;
            if best < f64::INFINITY {
                feasible = feasible.min(evaluations);
            }
            while at < targets.len() && best - optimum <= targets[at] {
                reached[at] = evaluations;
                at += 1;
            }
        }
        Score { suite, function, dim, instance, feasible, reached }
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
            let place = trial.place()?;
            let optimum = match optima.entry((place, trial.record.dim)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(vacant) => *vacant.insert(place.optimum(trial.record.dim)?),
            };
            Ok(Score::of(trial, place, optimum))
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
        let all = || self.0.iter().flat_map(|score| &score.reached);
        all().copied().map(worth).sum::<f64>() / all().count() as f64
    }

    /// The share of runs that had a point within all constraints after `multiple` evaluations a variable; NaN where there is none.
    pub fn feasible(&self, multiple: f64) -> f64 {
        self.0.iter().filter(|score| score.feasible <= multiple).count() as f64 / self.0.len() as f64
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
        let mut best: BTreeMap<(Suite, usize, usize, u64), Score> = BTreeMap::new();
        for score in methods.into_iter().flat_map(|scores| &scores.0) {
            match best.entry((score.suite, score.function, score.dim, score.instance)) {
                Entry::Vacant(place) => {
                    place.insert(score.clone());
                }
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    known.feasible = known.feasible.min(score.feasible);
                    known.reached.iter_mut().zip(&score.reached).for_each(|(known, n)| *known = known.min(*n));
                }
            }
        }
        Scores(best.into_values().collect())
    }
}
