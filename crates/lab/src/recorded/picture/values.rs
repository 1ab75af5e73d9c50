//! How the values of runs are shown: on which axis, and what is beyond it.

use super::super::{Point, Recorded};
use crate::plot::{Axis, Scale};
use crate::stats::quantile;

/// Values are told apart by their logarithm where the largest is so many times the smallest.
const WIDE: f64 = 50.0;
/// Samples of a curve, from which it is known how much of the axis it needs.
const SAMPLES: u32 = 64;
/// A distance to the minimum is shown as no less.
const FLOOR: f64 = 1e-16;

/// So many of a list, evenly spread over it.
pub(super) fn thinned<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let step = all.len().div_ceil(most.max(1)).max(1);
    all.iter().step_by(step)
}

/// The best feasible value of a run after numbers of evaluations that are spread by their logarithm.
fn early(run: &Recorded) -> Vec<f64> {
    let feasible: Vec<&Point> = run.improvements.iter().filter(|point| point.is_feasible()).collect();
    let share = |i: u32| (run.evaluations.max(1) as f64).powf(f64::from(i) / f64::from(SAMPLES - 1));
    let known = |n: f64| feasible.partition_point(|point| point.number as f64 <= n).checked_sub(1);
    (0..SAMPLES).filter_map(|i| known(share(i))).map(|k| feasible[k].value).collect()
}

/// How the values of runs are shown: the axis, and what is subtracted from them.
pub(super) struct Values {
    pub axis: Axis,
    minimum: Option<f64>,
}

impl Values {
    /// For these runs; a curve of best values needs to be seen whole, single points far from it do not.
    pub fn of(runs: &[Recorded]) -> Self {
        let minimum = |run: &Recorded| {
            let known = run.results.last()?["minimum"]
                .as_f64()
                .filter(|_| !run.header.maximize && run.objectives.is_empty())?;
            run.points
                .iter()
                .filter(|point| point.failure.is_none())
                .all(|p| p.value >= known - 1e-9 * known.abs().max(1.0))
                .then_some(known)
        };
        let first = runs.first().and_then(minimum);
        let same = first.is_some() && runs.iter().all(|run| minimum(run) == first);
        let mut values = Values { axis: Axis::default(), minimum: first.filter(|_| same) };
        let curves = runs.iter().flat_map(|run| run.improvements.iter().filter(|point| point.is_feasible()));
        let curves: Vec<f64> = curves.map(|point| values.shown(point.value)).collect();
        let points = runs.iter().flat_map(|run| run.points.iter().filter(|point| point.failure.is_none()));
        let points: Vec<f64> = points.map(|point| values.shown(point.value)).collect();
        let ends =
            |values: &[f64]| values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        let (low, high) = ends(&[&curves[..], &points[..]].concat());
        let (scale, range) = match low > 0.0 && high / low > WIDE {
            true => (Scale::Log, Some((low / (high / low).powf(0.03), high * (high / low).powf(0.03)))),
            // Of a long tail of bad values the nearer part.
            false => {
                let maximize = runs.iter().all(|run| run.header.maximize);
                let from = |share: f64| if points.is_empty() { f64::NAN } else { quantile(&points, share) };
                let (near, whole) = match maximize {
                    true => (high - from(0.1), high - low),
                    false => (from(0.9) - low, high - low),
                };
                let tail = if near > 0.0 && whole > 5.0 * near { 1.5 * near } else { whole };
                let early: Vec<f64> = runs.iter().flat_map(early).map(|value| values.shown(value)).collect();
                let early =
                    if early.is_empty() { f64::NAN } else { quantile(&early, if maximize { 0.1 } else { 0.9 }) };
                let curve = 1.1 * if maximize { high - early } else { early - low };
                let shown = tail.max(curve).min(whole);
                let (low, high) = if maximize { (high - shown, high) } else { (low, low + shown) };
                (Scale::Linear, (shown > 0.0).then_some((low - 0.04 * shown, high + 0.04 * shown)))
            }
        };
        let first = runs.first().and_then(|run| run.objectives.first());
        let label = match first.filter(|first| runs.iter().all(|run| run.objectives.first() == Some(*first))) {
            Some(objective) => objective,
            None if values.minimum.is_some() => "value − minimum",
            None => "value",
        };
        values.axis = Axis { label: label.into(), scale, range, ..Axis::default() };
        values
    }

    /// A value as it is shown; never beyond the floor of a distance.
    pub fn shown(&self, value: f64) -> f64 {
        self.minimum.map_or(value, |minimum| (value - minimum).max(FLOOR))
    }

    /// A value in a slice: what is beyond the axis lies on its end.
    pub fn pinned(&self, value: f64) -> f64 {
        let value = self.shown(value);
        self.axis.range.map_or(value, |(low, high)| value.clamp(low, high))
    }

    /// A place by the end of the axis where bad values are; none where the axis has no ends.
    pub fn bad_end(&self, run: &Recorded) -> f64 {
        let share = if run.header.maximize { 0.025 } else { 0.975 };
        self.axis.range.map_or(f64::NAN, |(low, high)| match self.axis.scale {
            Scale::Linear => low + (high - low) * share,
            Scale::Log => low * (high / low).powf(share),
        })
    }
}
