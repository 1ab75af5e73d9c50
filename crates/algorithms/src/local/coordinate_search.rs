//! Coordinate search for separable functions: a global line search along every variable at once.
//!
//! Paper: Baudis and Posik, "Global line search algorithm hybridized with quadratic interpolation and its extension to separable
//! functions" (GECCO 2015).
//!
//! ```text
//! (4)  f(x) - f(x with x_j = t) depends on j and t alone                           separable
//! ```
//!
//! Every variable is searched by the global line search of `profile`, eqs (1) to (3) there; the points of all variables are asked in
//! one round, each differing from the base point in one variable. By (4) the best coordinates together are the next base, and its
//! value is known in advance: where it comes out otherwise the function is not separable. Then one variable after the other is searched
//! from the best point, until a whole cycle improves nothing. More than 2,896 variables have their turn in several rounds.

use super::profile::Profile;
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
        let room = round(params.points + 1, dim);
        Ok(CoordinateSearch {
            profiles: (0..dim).map(|_| Profile::with_room(room)).collect(),
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
        let rule = (self.params.points, self.params.sharpness);
        while xs.is_empty() || self.asked.is_empty() {
            let noise = 4.0 * self.error * self.f.abs();
            let searched = self.alone.map_or(self.turn..self.turn + dim, |j| j..j + 1);
            for j in searched.map(|j| j % dim) {
                if self.asked.len() == most {
                    self.turn = j;
                    break;
                }
                if let Some(t) = self.profiles[j].choose(rule, &self.terrain, j, noise) {
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
            let (t, height) = profile.best();
            self.next[j] = t;
            self.expected += height - profile.height_at(self.x[j]);
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
