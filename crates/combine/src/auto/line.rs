//! One variable: parabolas into the best bracket, in turn with the point where a model of the whole line expects to gain most.
//!
//! With points t_1 < .. < t_n of [0, 1], t_k the best of them:
//!
//! ```text
//! first   the ends, then the middles of the widest gaps, until there are FIRST points
//! (1)     the vertex of the parabola through t_(k-1), t_k, t_(k+1); where it is t_k itself, a point just beside it, on the wider side;
//!         a golden section of the wider side where two vertices have not halved the bracket
//! (2)     the largest expected improvement of a Gaussian process through the points; its length is the likeliest of LENGTHS
//! ```
//!
//! (1) rests after FRUITLESS of its points that gained nothing, until another one is the best. The lane is over when (1) rests and (2)
//! expects nothing that matters, or after MOST points.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::model::likeliest::Scale;
use swarmgrad_algorithms::model::process::{Kernel, Prediction, Process};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Matrix, Real, Result, Space, math};

const FIRST: usize = 7;
const MOST: usize = 60;
/// Lengths of the process: from 1/50 to 2, by equal factors; and how far a likelihood bears them away from 1/5.
const LENGTHS: usize = 16;
const TREND: f64 = 0.3;
/// Added to the diagonal of K; points nearer than this are one, the better of them.
const NUGGET: f64 = 1e-8;
const NEAR: f64 = 2e-3;
/// Places where (2) is looked for, over the whole line.
const PLACES: f64 = 256.0;
/// An expected improvement that does not matter, in deviations of the values.
const NOTHING: f64 = 1e-4;
/// Points of (1) without a gain after which it rests, and the shortest bracket.
const FRUITLESS: u32 = 5;
const SHORTEST: f64 = 1e-9;
const GOLDEN: f64 = 0.381_966;

/// What is known of the line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// Points of [0, 1] in order, and their values.
    t: Vec<f64>,
    f: Vec<f64>,
    turn: u64,
    /// The points asked; whether the first of them is one of (1).
    asked: Vec<f64>,
    is_vertex: bool,
    fruitless: u32,
    /// Widths of the last two brackets of (1).
    brackets: [f64; 2],
    over: bool,
}

impl Default for Line {
    fn default() -> Self {
        let (t, f, asked) = (Vec::new(), Vec::new(), Vec::new());
        Line { t, f, turn: 0, asked, is_vertex: false, fruitless: 0, brackets: [f64::INFINITY; 2], over: false }
    }
}

impl Line {
    /// Whether a space is a line with two ends.
    pub(super) fn suits<F: Real>(space: &Space<F>) -> bool {
        space.dim() == 1
            && space.is_bounded()
            && space.is_continuous(0)
            && space.width(0) > F::zero()
            && space.width(0).is_finite()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether what was read back can be gone on with in this space.
    pub(super) fn verify<F: Real>(&self, space: &Space<F>) -> Result<()> {
        saved::holds("line", Line::suits(space), "must be of one variable with two ends")?;
        saved::length("values of the line", &self.f, self.t.len())?;
        saved::numbers("values of the line", &self.f)?;
        let ascending = self.t.windows(2).all(|pair| pair[0] < pair[1]);
        let within = self.t.iter().all(|t| (0.0..=1.0).contains(t));
        saved::holds("line", ascending && within, "must have places from 0 to 1 in their order")?;
        saved::count("turn", self.turn)?;
        saved::holds("fruitless", self.fruitless < 1 << 20, "must be a count")
    }

    /// A value known from elsewhere.
    pub(super) fn know<F: Real>(&mut self, space: &Space<F>, x: F, value: F) {
        let (low, high) = (space.lower()[0].f64(), space.upper()[0].f64());
        self.insert(((x.f64() - low) / (high - low)).clamp(0.0, 1.0), value.f64());
    }

    /// Whether anything is known.
    pub(super) fn is_empty(&self) -> bool {
        self.t.is_empty()
    }

    fn insert(&mut self, t: f64, f: f64) {
        let at = self.t.partition_point(|&s| s < t);
        if self.t.get(at) != Some(&t) {
            self.t.insert(at, t);
            self.f.insert(at, if f.is_nan() { f64::INFINITY } else { f });
        }
    }

    /// The place of the best point.
    fn best(&self) -> usize {
        (0..self.f.len()).fold(0, |best, i| if self.f[i] < self.f[best] { i } else { best })
    }

    /// The next points: one, or as many as there are workers.
    pub(super) fn ask<F: Real>(&mut self, space: &Space<F>, workers: usize, xs: &mut Matrix<F>) {
        self.asked.clear();
        self.is_vertex = false;
        if self.t.len() < FIRST {
            self.fill();
        } else {
            self.turn += 1;
            let rests = self.fruitless >= FRUITLESS;
            let due = !rests && (self.turn.is_multiple_of(2) || workers > 1);
            if due {
                self.push_vertex();
            }
            if self.asked.len() < workers {
                let found = self.improvements();
                let room = workers - self.asked.len();
                let places = found.iter().filter(|(gain, _)| *gain > math::ln(NOTHING)).map(|(_, t)| *t).take(room);
                self.asked.extend(places);
            }
            if self.asked.is_empty() && !due && !rests {
                self.push_vertex();
            }
        }
        self.over = self.asked.is_empty() || self.t.len() >= MOST || self.turn > 2 * MOST as u64;
        xs.resize(0, 1);
        if self.over {
            return;
        }
        let (low, high) = (space.lower()[0], space.upper()[0]);
        for &t in &self.asked {
            xs.push(&[F::of(low.f64() * (1.0 - t) + high.f64() * t).max(low).min(high)]);
        }
    }

    /// The points as they were evaluated, and their values.
    pub(super) fn tell<F: Real>(&mut self, space: &Space<F>, xs: &Matrix<F>, values: &[F]) {
        let before = self.f[self.best()];
        xs.iter().zip(values).for_each(|(x, &value)| self.know(space, x[0], value));
        let vertex = self.is_vertex && values[0].f64() >= before;
        let gains = values.iter().any(|f| f.f64() < before);
        self.fruitless = if gains { 0 } else { self.fruitless + u32::from(vertex) };
        if gains && !self.is_vertex {
            self.brackets = [f64::INFINITY; 2]; // another basin
        }
    }

    fn push_vertex(&mut self) {
        let vertex = self.vertex();
        self.asked.extend(vertex);
        self.is_vertex = !self.asked.is_empty();
    }

    /// The ends, then the middle of the widest gap.
    fn fill(&mut self) {
        let (n, t) = (self.t.len(), &self.t);
        let end = [0.0, 1.0].into_iter().find(|end| !t.contains(end));
        let widest = (1..n).fold(1, |widest, i| if t[i] - t[i - 1] > t[widest] - t[widest - 1] { i } else { widest });
        self.asked.push(end.unwrap_or_else(|| 0.5 * (t[widest - 1] + t[widest])));
    }

    /// Eq. (1).
    fn vertex(&mut self) -> Option<f64> {
        let (k, t, f) = (self.best(), &self.t, &self.f);
        if k == 0 || k + 1 == t.len() {
            // At an end: a tenth of the way to its neighbour.
            let other = if k == 0 { t[1] } else { t[k - 1] };
            let inside = t[k] + 0.1 * (other - t[k]);
            return ((inside - t[k]).abs() > 1e-6).then_some(inside);
        }
        let ([a, b, c], [fa, fb, fc]) = ([t[k - 1], t[k], t[k + 1]], [f[k - 1], f[k], f[k + 1]]);
        let (d1, d2) = ((fb - fa) / (b - a), (fc - fb) / (c - b));
        let bend = (d2 - d1) / (c - a);
        let vertex = 0.5 * (a + b) - 0.5 * d1 / bend;
        let error = 4.0 * f64::EPSILON * fb.abs();
        let gain = bend * (vertex - b) * (vertex - b);
        let is_flat = gain <= 10.0 * error && fa.min(fc) - fb <= 1e3 * error;
        if !(bend > 0.0 && bend.is_finite() && vertex.is_finite()) || is_flat || c - a <= SHORTEST {
            return None;
        }
        let slow = c - a > 0.5 * self.brackets[0];
        self.brackets = [self.brackets[1], c - a];
        if slow {
            return Some(if c - b > b - a { b + GOLDEN * (c - b) } else { b - GOLDEN * (b - a) });
        }
        let least = (1e-3 * (c - a)).max(SHORTEST);
        let beside = if c - b > b - a { b + least } else { b - least };
        let vertex = if (vertex - b).abs() < least { beside } else { vertex };
        Some(vertex.max(a + 1e-3 * (b - a)).min(c - 1e-3 * (c - b)))
    }

    /// Eq. (2): the best place of every gap with its expected improvement, the largest first.
    fn improvements(&self) -> Vec<(f64, f64)> {
        let (mut t, mut f): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        for (&s, &value) in self.t.iter().zip(&self.f) {
            match (t.last_mut(), f.last_mut()) {
                (Some(last), Some(known)) if s - *last < NEAR => {
                    if value < *known {
                        (*last, *known) = (s, value);
                    }
                }
                _ => {
                    t.push(s);
                    f.push(value);
                }
            }
        }
        let mut z = Vec::new();
        Scale::Plain.write(&f, &mut z);
        let likeliest = (0..LENGTHS).filter_map(|k| {
            let away = math::ln(0.1) + math::ln(100.0) * k as f64 / (LENGTHS - 1) as f64;
            let process = Process::new(Kernel::Matern, &t, &z, &[0.2 * math::exp(away)], NUGGET)?;
            Some((process.likelihood() - 0.5 * TREND * away * away, process))
        });
        let Some((_, process)) = likeliest.reduce(|a, b| if b.0 > a.0 { b } else { a }) else { return Vec::new() };
        let best = z.iter().copied().fold(f64::INFINITY, f64::min);
        let mut room = Prediction::default();
        let mut found = Vec::new();
        for pair in self.t.windows(2).filter(|pair| pair[1] - pair[0] > NEAR) {
            let width = pair[1] - pair[0];
            let parts = (PLACES * width).ceil().max(4.0) as u32;
            let places = (1..parts).map(|i| pair[0] + width * f64::from(i) / f64::from(parts));
            let gains = places.map(|t| (process.log_improvement(&[t], best, &mut room), t));
            found.extend(gains.reduce(|a, b| if b.0 > a.0 { b } else { a }));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found
    }
}
