//! What is recorded of a finished run, as one JSON object.
//!
//! JSON has no infinity and no NaN, yet a failed run has both, so every number of a record goes through [`number`], which
//! writes them as the strings `"inf"`, `"-inf"` and `"nan"`. Files of records are [`swarmgrad::study::units`]'.

use serde::{Deserialize, Serialize};
pub use swarmgrad::number;

/// Best value so far against evaluations: `(evaluations, best)`, both counted from the start of the run.
pub type Curve = Vec<(u64, f64)>;

/// One finished run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Record {
    /// Name of the method, as in the registry.
    pub method: String,
    /// Name of the problem.
    pub problem: String,
    /// Number of coordinates.
    pub dim: usize,
    /// The seed of every random number of the run.
    pub seed: u64,
    /// Parameters of the method that differ from its defaults, or all of them. Plain JSON: finite numbers only.
    #[serde(default)]
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Version of the library that made the run.
    #[serde(default)]
    pub version: String,
    /// Best value found.
    #[serde(with = "number")]
    pub fun: f64,
    /// Where it was found, if kept.
    #[serde(default, with = "number::list", skip_serializing_if = "Option::is_none")]
    pub x: Option<Vec<f64>>,
    /// Evaluations spent.
    pub nfev: u64,
    /// Iterations done.
    pub nit: u64,
    /// Evaluations that failed: NaN, a panic, a time-out.
    #[serde(default)]
    pub failures: u64,
    /// Seconds of wall time.
    #[serde(default, with = "number")]
    pub seconds: f64,
    /// Why the run ended.
    #[serde(default)]
    pub reason: String,
    /// The value that counts as success, if there is one.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Evaluations until the target was first reached; absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nfev_to_target: Option<u64>,
    /// Best value so far against evaluations, a staircase.
    #[serde(default, with = "number::curve", skip_serializing_if = "Vec::is_empty")]
    pub curve: Curve,
}

impl Record {
    /// Whether the run reached its target; `None` without a target.
    pub fn solved(&self) -> Option<bool> {
        self.target.map(|target| self.nfev_to_target.is_some() || self.fun <= target)
    }
}

/// Collects the staircase of improvements of one run in bounded memory.
///
/// ```
/// use swarmgrad_lab::History;
/// let mut history = History::new(200).target(1e-8);
/// for evaluations in 1..=1_000_000u64 {
///     history.push(evaluations, 1.0 / evaluations as f64);
/// }
/// let curve = history.finish(1_000_000);
/// assert!(curve.len() <= 200);
/// ```
#[derive(Debug, Clone)]
pub struct History {
    points: Curve,
    limit: usize,
    target: Option<f64>,
    reached: Option<u64>,
}

impl History {
    /// At most `limit` points in the end (at least two).
    pub fn new(limit: usize) -> Self {
        History { points: Vec::new(), limit: limit.max(2), target: None, reached: None }
    }

    /// Also notes when the best value first was at most `target`, exactly, whatever is thinned later.
    #[must_use]
    pub fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    /// Takes the best value after so many evaluations; only improvements (and the first value) are kept. NaN counts as infinity.
    pub fn push(&mut self, evaluations: u64, best: f64) {
        let best = if best.is_nan() { f64::INFINITY } else { best };
        if self.reached.is_none() && self.target.is_some_and(|t| best <= t) {
            self.reached = Some(evaluations);
        }
        if self.points.last().is_some_and(|&(_, last)| best >= last) {
            return;
        }
        self.points.push((evaluations, best));
        if self.points.len() > 4 * self.limit {
            self.points = thin(&self.points, 2 * self.limit);
        }
    }

    /// Evaluations until the target was first reached.
    pub fn nfev_to_target(&self) -> Option<u64> {
        self.reached
    }

    /// The curve, thinned, with a last point at the end of the run so that it is known how far the run went.
    pub fn finish(mut self, nfev: u64) -> Curve {
        if let Some(&(evaluations, best)) = self.points.last()
            && evaluations < nfev
        {
            self.points.push((nfev, best));
        }
        thin(&self.points, self.limit)
    }
}

/// Thins a staircase to at most `limit` points (at least two), evenly on a logarithmic scale of evaluations. The first and the
/// last point stay, and of every stretch its last point, so the thinned staircase never claims a value before it was reached.
pub fn thin(curve: &[(u64, f64)], limit: usize) -> Curve {
    let limit = limit.max(2);
    let (Some(&first), Some(&last)) = (curve.first(), curve.last()) else { return Vec::new() };
    if curve.len() <= limit {
        return curve.to_vec();
    }
    let position = |n: u64| (n.max(1) as f64).ln();
    let (low, high) = (position(first.0), position(last.0));
    let cut = |stretches: f64| -> Curve {
        let stretch = |n: u64| ((position(n) - low) / (high - low).max(f64::MIN_POSITIVE) * stretches) as u64;
        let mut kept = vec![first];
        let mut open = None;
        for &point in &curve[1..] {
            let here = stretch(point.0);
            if open == Some(here) && kept.len() > 1 {
                *kept.last_mut().expect("the first point") = point;
            } else {
                kept.push(point);
                open = Some(here);
            }
        }
        kept
    };
    // Stretches without a point leave room: as many stretches as keep within the limit. No stretch: the two ends.
    let (mut fits, mut kept, mut too_many) = (0_u64, vec![first, last], 1_000_000_000_u64);
    while fits + 1 < too_many {
        let middle = fits.midpoint(too_many);
        let found = cut(middle as f64);
        if found.len() <= limit { (fits, kept) = (middle, found) } else { too_many = middle }
    }
    kept
}

/// The value of a staircase after so many evaluations: infinity before its first point.
pub fn value_at(curve: &[(u64, f64)], evaluations: u64) -> f64 {
    match curve.partition_point(|&(n, _)| n <= evaluations) {
        0 => f64::INFINITY,
        i => curve[i - 1].1,
    }
}
