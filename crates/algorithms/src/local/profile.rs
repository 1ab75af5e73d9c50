//! Global line search: what is known along one line, and where to look next.
//!
//! Papers: Langerman, Seront and Bersini, "S.T.E.P.: the easiest way to optimize a function" (IEEE WCCI 1994); Baudis and
//! Posik, "Global line search algorithm hybridized with quadratic interpolation and its extension to separable functions"
//! (GECCO 2015). Between neighbouring points a < b with values f_a and f_b, below the best value F:
//!
//! ```text
//! (1)  D(a, b) = (sqrt(f_a - F + delta) + sqrt(f_b - F + delta))^2 / (b - a)^2     STEP: the curvature a parabola through both
//!                                                                                 needs to reach F - delta between them
//! (2)  next point: the middle of the interval with the smallest D
//! (3)  or the vertex of the parabola through the best point and its neighbours     quadratic interpolation
//! (4)  s ln(1 + h / s) instead of a height h = f - F in (1), if so wished;           walls are no higher than basins
//!      a tenth of the line lies below F + s
//! ```
//!
//! (2) and (3) take turns. The line is done when (3) has converged and every D exceeds `sharpness` times the curvature of the best
//! point's parabola: what is left to find would be sharper than what was found. Differs from the papers: the rule for "done"; delta is
//! a hundredth of the mean height above F, or of s, where STEP has a constant; (4).

use super::Terrain;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Result, math};

/// The share of the line for s of eq. (4).
const LOW: f64 = 0.1;

/// What is known along one line: points in order, with their heights over the base's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    t: Vec<f64>,
    f: Vec<f64>,
    /// The best point.
    best: usize,
    /// Interpolation's turn, else STEP's.
    interpolate: bool,
    /// Interpolation has nothing to gain; STEP has nothing to look for.
    settled: bool,
    explored: bool,
    /// Whether heights count by (4).
    is_flat: bool,
    /// Width of the best point's bracket two interpolations ago, and one.
    bracket: [f64; 2],
}

impl Profile {
    /// With room for so many points.
    pub fn with_room(points: usize) -> Self {
        let room = || Vec::with_capacity(points);
        let (interpolate, settled, explored) = (false, false, false);
        let bracket = [f64::INFINITY; 2];
        Profile { t: room(), f: room(), best: 0, interpolate, settled, explored, is_flat: false, bracket }
    }

    /// Where walls far higher than the basins are to be borne: heights count by (4).
    pub fn flat(mut self) -> Self {
        self.is_flat = true;
        self
    }

    /// The best point and its height.
    pub fn best(&self) -> (f64, f64) {
        (self.t[self.best], self.f[self.best])
    }

    /// Whether a profile that was read back fits together; one that has begun has a point.
    pub fn verify(&self, begun: bool) -> Result<()> {
        saved::length("heights", &self.f, self.t.len())?;
        saved::below("best", [&self.best], self.t.len().max(1))?;
        saved::holds("profile", !(begun && self.t.is_empty()), "must have a point")
    }

    /// Begins with a point of height 0, the base's.
    pub fn begin(&mut self, t: f64) {
        self.t.clear();
        self.f.clear();
        self.t.push(t);
        self.f.push(0.0);
        self.best = 0;
        (self.interpolate, self.settled, self.explored) = (false, false, false);
        self.bracket = [f64::INFINITY; 2];
    }

    /// The height at a point that is known.
    pub fn height_at(&self, t: f64) -> f64 {
        let k = self.t.partition_point(|&s| s < t).min(self.t.len() - 1);
        self.f[k]
    }

    /// A point and its height; one that is known stays as it is.
    pub fn insert(&mut self, t: f64, f: f64) {
        let k = self.t.partition_point(|&s| s < t);
        if self.t.get(k) == Some(&t) {
            return;
        }
        self.t.insert(k, t);
        self.f.insert(k, if f.is_nan() { f64::INFINITY } else { f });
        self.best += usize::from(k <= self.best);
        if self.f[k] < self.f[self.best] {
            self.best = k;
            self.settled = false;
        }
    }

    /// The next point along variable `j` of the box; none when it has so many `points`, or nothing is left to
    /// find that is not `sharpness` times sharper than the best basin. Heights closer than `noise` are the same.
    pub fn choose(
        &mut self,
        (points, sharpness): (usize, f64),
        terrain: &Terrain,
        j: usize,
        noise: f64,
    ) -> Option<f64> {
        let (lower, upper) = (terrain.lower[j], terrain.upper[j]);
        if lower >= upper || self.t.len() >= points {
            return None;
        }
        // First the ends of the box, or points a length away.
        let base = self.t[self.best];
        let length = terrain.length(j, base);
        let end = |bound: f64, far: f64| if bound.is_finite() { bound } else { far };
        if self.t.len() < 3 {
            let ends = [end(lower, base - length), end(upper, base + length)];
            if let Some(&t) = ends.iter().find(|t| !self.t.contains(t)) {
                return Some(t);
            }
        }
        self.interpolate = !self.interpolate;
        for interpolate in [self.interpolate, !self.interpolate] {
            let t = if interpolate { self.interpolation(noise, length) } else { self.step(sharpness, length) };
            // Beyond the ends of an unbounded variable there may be more.
            let t = t.or_else(|| if interpolate { self.beyond(lower, upper) } else { None });
            if let Some(t) = t.filter(|t| !self.t.contains(t)) {
                return Some(t);
            }
        }
        None
    }

    /// Twice as far, where the best point is the last one of an open side.
    fn beyond(&self, lower: f64, upper: f64) -> Option<f64> {
        let (first, last) = (self.t[0], self.t[self.t.len() - 1]);
        let far = match self.best {
            0 => first - (last - first),
            k if k + 1 == self.t.len() => last + (last - first),
            _ => return None,
        };
        (far > lower && far < upper && far.is_finite()).then_some(far)
    }

    /// Eq. (3), with a golden section where it does not shrink the bracket.
    fn interpolation(&mut self, noise: f64, length: f64) -> Option<f64> {
        let k = self.best;
        if self.settled {
            return None;
        }
        if k == 0 || k + 1 == self.t.len() {
            // At an end: a point a tenth into the interval tells whether the value falls towards the inside.
            let other = if k == 0 { 1 } else { k - 1 };
            let t = self.t[k] + 0.1 * (self.t[other] - self.t[k]);
            self.settled = (t - self.t[k]).abs() <= 1e-12 * length;
            return (!self.settled).then_some(t);
        }
        let ([a, b, c], [fa, fb, fc]) =
            ([self.t[k - 1], self.t[k], self.t[k + 1]], [self.f[k - 1], self.f[k], self.f[k + 1]]);
        let (d1, d2) = ((fb - fa) / (b - a), (fc - fb) / (c - b));
        let bend = (d2 - d1) / (c - a);
        let vertex = 0.5 * (a + b) - 0.5 * d1 / bend;
        let slow = c - a > 0.5 * self.bracket[0];
        self.bracket = [self.bracket[1], c - a];
        let wide = if c - b > b - a { b + 0.381_966 * (c - b) } else { b - 0.381_966 * (b - a) };
        if !(bend > 0.0 && bend.is_finite() && vertex.is_finite()) {
            self.settled = c - a <= 1e-12 * length || (fa == fb && fb == fc);
            return (!self.settled).then_some(wide);
        }
        // What is left to gain, by the parabola and by the smallest of its neighbours.
        let gain = bend * (vertex - b) * (vertex - b);
        let shallow = fa.min(fc) - fb <= noise;
        if (gain <= noise && (shallow || bend * (c - a) * (c - a) <= 1e3 * noise)) || c - a <= 1e-14 * length {
            self.settled = true;
            return None;
        }
        let least = (1e-3 * (c - a)).min((noise / bend).sqrt().max(1e-15 * length) * 4.0);
        let t = if slow {
            wide
        } else if (vertex - b).abs() < least {
            // So near that the other side of the bracket is drawn in instead.
            if c - b > b - a { b + least } else { b - least }
        } else {
            vertex
        };
        Some(t.max(a + 1e-3 * (b - a)).min(c - 1e-3 * (c - b)))
    }

    /// The height over the best that `LOW` of the line lies below.
    fn low(&self) -> f64 {
        let best = self.f[self.best];
        let middle = |k: usize| 0.5 * (self.f[k - 1] + self.f[k]) - best;
        let mut parts: Vec<(f64, f64)> = (1..self.t.len()).map(|k| (middle(k), self.t[k] - self.t[k - 1])).collect();
        parts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut rest = LOW * parts.iter().map(|part| part.1).sum::<f64>();
        let last = parts.iter().find(|part| {
            rest -= part.1;
            rest <= 0.0
        });
        last.map_or(0.0, |part| part.0).min(f64::MAX)
    }

    /// Eqs (1) and (2).
    fn step(&mut self, sharpness: f64, length: f64) -> Option<f64> {
        let (n, best) = (self.t.len(), self.f[self.best]);
        let finite = |f: f64| if f.is_finite() { f } else { 1e300 };
        let level = if self.is_flat { self.low() } else { 0.0 };
        let mean = || self.f.iter().map(|&f| (finite(f) - best) / n as f64).sum::<f64>();
        let delta = 1e-2 * if level > 0.0 { level } else { mean() };
        let flat = |height: f64| if level > 0.0 { level * math::ln(1.0 + height / level) } else { height };
        let mut easiest = (f64::INFINITY, None);
        for k in 0..n - 1 {
            let width = self.t[k + 1] - self.t[k];
            if width <= 1e-9 * length {
                continue;
            }
            let root = |f: f64| (flat(finite(f) - best) + delta).sqrt();
            let d = (root(self.f[k]) + root(self.f[k + 1])) / width;
            if d * d < easiest.0 {
                easiest = (d * d, Some(0.5 * (self.t[k] + self.t[k + 1])));
            }
        }
        let k = self.best;
        let curvature = if k == 0 || k + 1 == n {
            f64::INFINITY
        } else {
            let (d1, d2) = (
                (self.f[k] - self.f[k - 1]) / (self.t[k] - self.t[k - 1]),
                (self.f[k + 1] - self.f[k]) / (self.t[k + 1] - self.t[k]),
            );
            (d2 - d1) / (self.t[k + 1] - self.t[k - 1])
        };
        self.explored = self.settled && easiest.0 > sharpness * curvature;
        if self.explored { None } else { easiest.1 }
    }
}
