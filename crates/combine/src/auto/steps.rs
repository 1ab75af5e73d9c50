//! Few evaluations: steps along the variables, each of which counts, then steps down the slope that they have shown.
//!
//! A gradient by small differences costs as many evaluations as there are variables and gains nothing before the next one. Here
//! the differences are large, and a point that is better is moved to at once:
//!
//! ```text
//! (1)  x' = x + a_j e_j,  a_j = +- r (upper_j - lower_j),  g_j = (f(x') - f(x)) / a_j,  x <- x' where f(x') < f(x)
//! (2)  x' = x + t p,      p_j = -g_j (upper_j - lower_j)^2, scaled to r,  t = 1, 2, 4, .. or the vertex of a parabola
//! ```
//!
//! When (2) gains nothing more, r is halved and (1) begins anew.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::restart::BestPoint;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Matrix, Real, Result, Rng, Space};

/// The first r, as a share of the width of the box.
const FIRST: f64 = 0.1;
/// The longest step of eq. (2), in units of the first.
const LONGEST: f64 = 16.0;
/// Points along one line that gain nothing before it is left.
const FRUITLESS: u32 = 2;

/// Steps from the best point known.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Steps<F: Real> {
    /// Evaluations up to which they are worth more than differences.
    limit: u64,
    r: f64,
    /// The order of the variables, how many of them have been tried, and their slopes.
    order: Vec<usize>,
    tried: usize,
    g: Vec<f64>,
    /// Where the line begins, its value, the t asked and the best t; how often it gained nothing.
    from: Vec<F>,
    value: f64,
    t: f64,
    best: (f64, f64),
    fruitless: u32,
    /// The last step along a variable.
    a: f64,
}

impl<F: Real> Steps<F> {
    /// For a budget that is known to be short.
    pub(super) fn new(space: &Space<F>, limit: u64) -> Self {
        let dim = space.dim();
        Steps {
            limit,
            r: FIRST,
            order: (0..dim).filter(|&j| space.lower()[j] < space.upper()[j]).collect(),
            tried: 0,
            g: vec![0.0; dim],
            from: Vec::new(),
            value: 0.0,
            t: 1.0,
            best: (0.0, 0.0),
            fruitless: 0,
            a: 0.0,
        }
    }

    /// Whether what was read back can be gone on with in this space.
    pub(super) fn verify(&self, space: &Space<F>) -> Result<()> {
        let dim = space.dim();
        saved::below("order", &self.order, dim)?;
        saved::length("slopes", &self.g, dim)?;
        saved::point("from", &self.from, dim)?;
        saved::holds("fruitless", self.fruitless < 1 << 20, "must be a count")?;
        saved::holds("tried", self.tried <= self.order.len(), "must not be more than there are")
    }

    /// Whether steps are due after so many evaluations.
    pub(super) fn is_due(&self, evaluations: u64) -> bool {
        evaluations < self.limit
    }

    fn width(space: &Space<F>, j: usize, t: F) -> f64 {
        let width = (space.upper()[j] - space.lower()[j]).f64();
        if width.is_finite() { width } else { t.f64().abs().max(1.0) }
    }

    /// The next point: one.
    pub(super) fn ask(&mut self, space: &Space<F>, best: &BestPoint<F>, rng: &Rng, xs: &mut Matrix<F>) {
        let rng = rng.fork("steps");
        let mut draws = rng.row(0);
        if self.tried == 0 {
            draws.shuffle(&mut self.order);
        }
        let inside = |j: usize, t: f64| F::of(t).max(space.lower()[j]).min(space.upper()[j]);
        if let Some(&j) = self.order.get(self.tried) {
            // Eq. (1): down the slope if one is known, else on either side; to the other side where there is no room.
            xs.push(&best.x);
            let from = best.x[j].f64();
            let length = self.r * Self::width(space, j, best.x[j]);
            let up = if self.g[j] == 0.0 { draws.uniform() < 0.5 } else { self.g[j] < 0.0 };
            let room = |up: bool| if up { space.upper()[j].f64() - from } else { from - space.lower()[j].f64() };
            let up = if room(up) >= length { up } else { room(true) > room(false) };
            let to = inside(j, if up { from + length } else { from - length });
            xs.row_mut(0)[j] = to;
            self.a = to.f64() - from;
            return;
        }
        // Eq. (2).
        if self.best.0 == 0.0 && self.fruitless == 0 || self.from.is_empty() {
            self.from.clone_from(&best.x);
            (self.value, self.t) = (best.value.f64(), 1.0);
        }
        let wide = |j: usize| Self::width(space, j, self.from[j]);
        let longest = (0..self.g.len()).fold(0.0f64, |m, j| m.max((self.g[j] * wide(j)).abs()));
        let scale = if longest > 0.0 { self.t * self.r / longest } else { 0.0 };
        xs.push(&self.from);
        for (j, t) in xs.row_mut(0).iter_mut().enumerate() {
            *t = inside(j, t.f64() - scale * self.g[j] * wide(j) * wide(j));
        }
    }

    /// The value of the point; `before` was the best one.
    pub(super) fn tell(&mut self, before: f64, value: f64) {
        if let Some(&j) = self.order.get(self.tried) {
            let slope = (value - before) / self.a;
            self.g[j] = if slope.is_finite() { slope } else { 0.0 };
            self.tried += 1;
            (self.best, self.fruitless) = ((0.0, 0.0), 0);
            return;
        }
        let gain = self.value - value;
        if gain > self.best.1 {
            self.best = (self.t, gain);
            self.t *= 2.0;
            // A vertex that gained is the end of the line.
            self.fruitless = if self.fruitless > 0 { FRUITLESS } else { 0 };
        } else {
            self.fruitless += 1;
            let (t, best) = (self.t, self.best);
            // The parabola through both ends of the line and its best point, or a quarter of the way.
            let bend = (best.1 / best.0 - gain / t) / (t - best.0);
            let vertex = 0.5 * (best.1 / best.0 + bend * best.0) / bend;
            self.t = if vertex.is_finite() && vertex > 0.0 && vertex < t { vertex } else { 0.25 * t };
        }
        if self.fruitless >= FRUITLESS || self.t > LONGEST {
            (self.tried, self.r) = (0, 0.5 * self.r);
        }
    }
}
