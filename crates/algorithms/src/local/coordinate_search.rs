//! Coordinate search for separable functions: a global line search along every variable at once.
//!
//! Papers: Langerman, Seront and Bersini, "S.T.E.P.: the easiest way to optimize a function" (IEEE WCCI 1994); Baudis and
//! Posik, "Global line search algorithm hybridized with quadratic interpolation and its extension to separable functions"
//! (GECCO 2015). Along one variable, between neighbouring points a < b with values f_a and f_b, below the best value F:
//!
//! ```text
//! (1)  D(a, b) = (sqrt(f_a - F + delta) + sqrt(f_b - F + delta))^2 / (b - a)^2     STEP: the curvature a parabola through both
//!                                                                                 needs to reach F - delta between them
//! (2)  next point: the middle of the interval with the smallest D
//! (3)  or the vertex of the parabola through the best point and its neighbours     quadratic interpolation
//! (4)  f(x) - f(x with x_j = t) depends on j and t alone                           separable
//! ```
//!
//! Every variable does (2) and (3) in turn; the points of all variables are asked in one round, each differing from the base
//! point in one variable. By (4) the best coordinates together are the next base, and its value is known in advance: where
//! it comes out otherwise the function is not separable. Then one variable after the other is searched from the best point,
//! until a whole cycle improves nothing. More than 2,896 variables have their turn in several rounds. A variable is done when
//! (3) has converged and every D exceeds `sharpness` times the curvature of the best point's parabola: what is left to find
//! would be sharper than what was found.
//!
//! Differs from the papers: the rule for "done"; delta is a hundredth of the mean height above F, where STEP has a constant.

use super::{LocalSearch, Terrain, round};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Reason, Result, View};

parameters! {
    /// Parameters of [`CoordinateSearch`].
    pub struct Params {
        /// A basin sharper than the best one by this factor may be missed.
        sharpness "": f64 = 50.0, AtLeast(0.0);
        /// Most points along a variable.
        points "": usize = 500, AtLeast(8.0);
        /// Relative error of the values, where it is larger than that of the arithmetic; null for exact values.
        noise "e / |f|": Option<f64> = None, Within(0.0, 0.1);
    }
}

/// What is known along one variable: points in order, with their heights over the base's.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Profile {
    t: Vec<f64>,
    f: Vec<f64>,
    /// The best point.
    best: usize,
    /// Interpolation's turn, else STEP's.
    interpolate: bool,
    /// Interpolation has nothing to gain; STEP has nothing to look for.
    settled: bool,
    explored: bool,
    /// Width of the best point's bracket two interpolations ago, and one.
    bracket: [f64; 2],
}

/// Coordinate search.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CoordinateSearch {
    params: Params,
    terrain: Terrain,
    /// Relative error of a value.
    error: f64,
    /// The base point and its value.
    x: Vec<f64>,
    f: f64,
    /// The base to be evaluated in the next round, with the value expected; the same as x when nothing changed.
    next: Vec<f64>,
    expected: f64,
    /// The largest finite value seen: roundings may be as large as its.
    largest: f64,
    profiles: Vec<Profile>,
    /// The variables of the rows asked, after the base's own row if that was asked.
    asked: Vec<usize>,
    asked_base: bool,
    /// The variable that the next round begins with.
    turn: usize,
    /// The variable searched alone, once the function has turned out not to be separable, and f at the cycle's start.
    alone: Option<usize>,
    cycle: f64,
    rounds: u64,
    why: Option<Reason>,
}

impl LocalSearch for CoordinateSearch {
    const NAME: &'static str = "coordinate_search";
    type Params = Params;

    fn numbers(params: &Params, dim: usize) -> f64 {
        let d = dim as f64;
        // Profiles have room for so many points; of many variables few are ever full.
        let profiles = 2.0 * round(params.points + 1, dim) as f64;
        (profiles + 2.0 * (round(dim, dim) + 1) as f64 + 30.0) * d
    }

    fn new(params: Params, terrain: Terrain) -> Result<Self> {
        let dim = terrain.dim();
        let room = || Vec::with_capacity(round(params.points + 1, dim));
        let profile = || Profile {
            t: room(),
            f: room(),
            best: 0,
            interpolate: false,
            settled: false,
            explored: false,
            bracket: [f64::INFINITY; 2],
        };
        Ok(CoordinateSearch {
            profiles: (0..dim).map(|_| profile()).collect(),
            error: terrain.epsilon.max(params.noise.unwrap_or(0.0)),
            params,
            terrain,
            x: vec![0.0; dim],
            f: f64::INFINITY,
            next: vec![0.0; dim],
            expected: 0.0,
            largest: 0.0,
            asked: Vec::with_capacity(round(dim, dim)),
            asked_base: false,
            turn: 0,
            alone: None,
            cycle: f64::INFINITY,
            rounds: 0,
            why: None,
        })
    }

    fn launch(&mut self, x: &[f64], value: f64, _gradient: Option<&[f64]>) {
        self.x.copy_from_slice(x);
        self.next.copy_from_slice(x);
        (self.f, self.expected, self.cycle) = (value, value, value);
        (self.alone, self.turn, self.rounds, self.why) = (None, 0, 0, None);
        self.largest = value.abs();
        (0..x.len()).for_each(|j| self.profiles[j].begin(x[j]));
    }

    fn ask(&mut self, xs: &mut Matrix<f64>) {
        xs.clear();
        self.asked.clear();
        if self.why.is_some() {
            return;
        }
        self.asked_base = self.next != self.x;
        if self.asked_base {
            xs.push(&self.next);
        }
        let (dim, most) = (self.x.len(), round(self.x.len(), self.x.len()));
        while xs.is_empty() || self.asked.is_empty() {
            let noise = 4.0 * self.error * self.f.abs();
            let searched = self.alone.map_or(self.turn..self.turn + dim, |j| j..j + 1);
            for j in searched.map(|j| j % dim) {
                if self.asked.len() == most {
                    self.turn = j;
                    break;
                }
                if let Some(t) = self.profiles[j].choose(&self.params, &self.terrain, j, noise) {
                    xs.push(&self.next);
                    let last = xs.len() - 1;
                    xs.row_mut(last)[j] = t;
                    self.asked.push(j);
                }
            }
            if self.asked_base || !self.asked.is_empty() {
                return;
            }
            // Nothing more along these variables.
            let Some(j) = self.alone else {
                self.why = Some(Reason::Method("the best point along every variable is found".into()));
                return;
            };
            let following = (j + 1) % self.x.len();
            if following == 0 {
                if self.cycle - self.f <= noise {
                    self.why = Some(Reason::Method("a cycle over all variables has improved nothing".into()));
                    return;
                }
                self.cycle = self.f;
            }
            self.profiles[following].begin(self.x[following]);
            self.alone = Some(following);
        }
    }

    fn tell(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        self.largest = values.iter().filter(|v| v.is_finite()).fold(self.largest, |m, v| m.max(v.abs()));
        let mut row = 0;
        if self.asked_base {
            row = 1;
            let value = values[0];
            let moved = (self.f - self.expected).abs();
            let tolerance = 1e-6 * moved + (1e2 * self.terrain.epsilon).max(10.0 * self.error) * self.largest;
            if (value - self.expected).abs() <= tolerance {
                self.x.copy_from_slice(&self.next);
                self.f = value;
            } else {
                return self.separate(xs, values);
            }
        }
        for (k, &j) in self.asked.iter().enumerate() {
            let profile = &mut self.profiles[j];
            let base = profile.height_at(self.x[j]);
            profile.insert(xs.row(row + k)[j], base + (values[row + k] - self.f));
        }
        self.expected = self.f;
        for j in 0..self.x.len() {
            let profile = &self.profiles[j];
            self.next[j] = profile.t[profile.best];
            self.expected += profile.f[profile.best] - profile.height_at(self.x[j]);
        }
        self.rounds += 1;
    }

    fn place(&self) -> (&[f64], f64) {
        (&self.x, self.f)
    }

    fn steps(&self) -> u64 {
        self.rounds
    }

    fn stop_reason(&self) -> Option<&Reason> {
        self.why.as_ref()
    }

    fn verify(&self, terrain: &Terrain, launched: bool) -> Result<()> {
        let dim = terrain.dim();
        saved::parameters(&self.params)?;
        saved::holds("terrain", self.terrain == *terrain, "must be that of the space")?;
        let error = terrain.epsilon.max(self.params.noise.unwrap_or(0.0));
        saved::holds("error", self.error == error, "must be that of the parameters")?;
        saved::lengths([("x", &self.x), ("next", &self.next)], dim)?;
        saved::length("profiles", &self.profiles, dim)?;
        saved::below("alone", self.alone.iter().chain([&self.turn]), dim)?;
        saved::count("rounds", self.rounds)?;
        saved::holds("f", self.f.is_finite() || !launched, "must be finite")?;
        self.profiles.iter().try_for_each(|profile| profile.verify(launched))
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.numbers.extend([("f", self.f), ("separable", f64::from(u8::from(self.is_separable())))]);
    }
}

impl CoordinateSearch {
    /// Whether every value has come out as the sum of the parts, so far.
    pub fn is_separable(&self) -> bool {
        self.alone.is_none()
    }

    /// Not separable: from the best point of the round, one variable after the other.
    fn separate(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        for (x, &value) in xs.iter().zip(values) {
            if value < self.f {
                self.f = value;
                self.x.copy_from_slice(x);
            }
        }
        self.next.copy_from_slice(&self.x);
        (self.expected, self.cycle) = (self.f, self.f);
        (0..self.x.len()).for_each(|j| self.profiles[j].begin(self.x[j]));
        self.alone = Some(0);
        self.rounds += 1;
    }
}

impl Profile {
    /// Whether a profile that was read back fits together.
    fn verify(&self, begun: bool) -> Result<()> {
        saved::length("heights", &self.f, self.t.len())?;
        saved::below("best", [&self.best], self.t.len().max(1))?;
        saved::holds("profile", !(begun && self.t.is_empty()), "must have a point")
    }

    /// Only the base's coordinate is known.
    fn begin(&mut self, t: f64) {
        self.t.clear();
        self.f.clear();
        self.t.push(t);
        self.f.push(0.0);
        self.best = 0;
        (self.interpolate, self.settled, self.explored) = (false, false, false);
        self.bracket = [f64::INFINITY; 2];
    }

    fn height_at(&self, t: f64) -> f64 {
        let k = self.t.partition_point(|&s| s < t).min(self.t.len() - 1);
        self.f[k]
    }

    fn insert(&mut self, t: f64, f: f64) {
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

    /// The next point along the variable; none when it is done.
    fn choose(&mut self, params: &Params, terrain: &Terrain, j: usize, noise: f64) -> Option<f64> {
        let (lower, upper) = (terrain.lower[j], terrain.upper[j]);
        if lower >= upper || self.t.len() >= params.points {
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
            let t = if interpolate { self.interpolation(noise, length) } else { self.step(params, length) };
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

    /// Eqs (1) and (2).
    fn step(&mut self, params: &Params, length: f64) -> Option<f64> {
        let (n, best) = (self.t.len(), self.f[self.best]);
        let finite = |f: f64| if f.is_finite() { f } else { 1e300 };
        let mean = self.f.iter().map(|&f| (finite(f) - best) / n as f64).sum::<f64>();
        let delta = 1e-2 * mean;
        let mut easiest = (f64::INFINITY, None);
        for k in 0..n - 1 {
            let width = self.t[k + 1] - self.t[k];
            if width <= 1e-9 * length {
                continue;
            }
            let root = |f: f64| (finite(f) - best + delta).sqrt();
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
        self.explored = self.settled && easiest.0 > params.sharpness * curvature;
        if self.explored { None } else { easiest.1 }
    }
}
