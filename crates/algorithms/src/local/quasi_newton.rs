//! Quasi-Newton descent in a box, with derivatives by differences: BFGS, and L-BFGS for many variables.
//!
//! Papers: Nocedal and Wright, "Numerical Optimization" (2nd edition, 2006), chapters 3, 6, 7, 8, 16 and 18; Powell, "A fast
//! algorithm for nonlinearly constrained optimization calculations" (1978) for the damped update; Gill, Murray, Saunders and
//! Wright, "Computing forward-difference intervals for numerical optimization" (SIAM J. Sci. Stat. Comput. 1983) for the
//! intervals. B approximates the Hessian, c_j = B_jj, s = x' - x, y = g' - g, e = 2 epsilon |f| is the error of a value:
//!
//! ```text
//! (1)  g_j = (f(x + h_j e_j) - f(x)) / h_j,                     h_j = 2 sqrt(e / c_j)            forward differences
//! (2)  g_j = (f(x + k_j e_j) - f(x - k_j e_j)) / (2 k_j),       k_j = cbrt(3 e l_j / c_j)        central differences
//! (3)  p   = argmin g p + p B p / 2   with   lower <= x + p <= upper                             the step
//! (4)  x'  = x + t p,   f(x') <= f(x) + c1 t g p,   t near the minimum of f along p              the line search
//! (5)  B  <- B - B s s B / (s B s) + r r / (s r),   r = theta y + (1 - theta) B s                damped BFGS
//! ```
//!
//! The line search (4) begins with t = 1. While no point is better than x, t becomes the vertex of the parabola through f, its
//! slope and the last value, kept between 0.05 t and 0.5 t. From then on the vertex is that of the parabola through the best
//! point s and x with its slope, or through x, s and the nearest point b beyond s, kept between 0.1 s and s + 0.9 (b - s), or 8 s.
//! The search ends with a vertex v nearer to s than 0.1 v, or with a point that is not better than s.
//! The first step is steepest descent in the units of the box, cut at the bounds; after it B = 1e-5 (s y / s s) I before (5).
//!
//! theta = 1 where s y >= 0.2 s B s, else 0.8 s B s / (s B s - s y); l_j is a hundredth of the natural length of variable j.
//! Differences cost as many evaluations as there are variables, so the line search is exact to a few per cent, on values alone; all
//! differences of a gradient are asked in one round, up to 2,048 variables. Forward differences give way to central ones where
//! their error would decide the step: predicted decrease -g p - p B p / 2 below ten times 2 e sum_j B_jj (B^-1)_jj. The walk ends
//! where central differences cannot tell the value from the predicted minimum. Above `dense` variables the step is -H g of L-BFGS
//! (Nocedal and Wright, algorithm 7.4), cut at the bounds.
//!
//! Where the caller tells gradients, no differences are asked. Where a point fails, the line search halves t, and a difference
//! is tried again on alternating sides, each time with half the interval, six times; after that the variable rests for a step.
//!
//! Values that are not exact make differences of 1e-8 of the box worthless. Values of few digits are seen for what they are. Else,
//! where a line search gains less than a tenth of what its parabola promised, one more point tells noise from bad luck:
//!
//! ```text
//! (6)  D = f(x + sum_j h_j e_j) - f(x) - sum_j h_j g_j,         of the order of h^2 where f is exact and smooth
//! ```
//!
//! Where |D| is not small beside the differences, and more than rounding and the model's curvature explain, the error e of a
//! value is estimated from the table of differences of seven values on one line (`noise.rs`), the intervals follow it, and the
//! walk goes on from its best point with a model begun anew.
//!
//! Differs from the books: where all differences vanish (a plateau) their intervals grow before the walk gives up.

use super::noise;
use super::{LocalSearch, Terrain, round};
use crate::linear::{cholesky, cholesky_solve, dot};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use swarmgrad_core::{Matrix, Real, Reason, Result, View, math};

parameters! {
    /// Parameters of [`QuasiNewton`].
    pub struct Params {
        /// Length of the first step, as a share of the width of the box.
        first_step "": f64 = 0.2, Above(0.0);
        /// First forward interval, as a share of the width of the box.
        interval "h": f64 = 1e-8, Above(0.0);
        /// Ends when the predicted decrease is below this share of the value; 0 for the limits of arithmetic.
        tolerance "": f64 = 0.0, AtLeast(0.0);
        /// Relative error of the values, where it is larger than that of the arithmetic; null to estimate it where need be.
        noise "e / |f|": Option<f64> = None, Within(0.0, 0.1);
        /// Number of variables up to which the whole matrix B is kept.
        dense "": usize = 128, AtLeast(0.0);
        /// Pairs (s, y) kept above that number.
        memory "m": usize = 10, Within(1.0, 1e4);
    }
}

/// Armijo's constant in eq. (4).
const C1: f64 = 1e-4;
/// Values along one line before the best of them is taken.
const LINE: u32 = 24;
/// An expansion along a line is at most this long.
const EXPAND: f64 = 8.0;
/// The line search is content with a step this near to the parabola's minimum, relative to that minimum.
const NEAR: f64 = 0.1;
/// The first B, as a share of the curvature along the first step: small, so that no direction is thought steep before it was seen.
const FLAT: f64 = 1e-5;
/// Sweeps over the variables, and solutions for the free ones, before a step is taken as it is.
const SWEEPS: usize = 3;
const SOLVES: usize = 12;
/// Growth of the intervals on a plateau, and how often.
const WIDEN: f64 = 100.0;
const WIDENINGS: u32 = 3;
/// A line search that gains less than this share of what its parabola promised contradicts the slope.
const PROMISE: f64 = 0.1;
/// D of eq. (6) up to this share of the differences leaves them their meaning; so often that is found out.
const DOUBT: f64 = 0.1;
const VERDICTS: u32 = 2;
/// Neither do roundings and curvatures up to so many times what they should be: near a minimum the differences are as small.
const ROUNDINGS: f64 = 100.0;
const BENDS: f64 = 4.0;
/// Differences of fewer grains than this say nothing of a slope.
const GRAINS: f64 = 50.0;
/// The largest error of a value that differences are taken with.
const COARSEST: f64 = 0.1;
/// How often a difference that fails is tried again, on the other side with half the interval.
const RETRIES: i32 = 6;

/// What the next round evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// Points for the differences at x.
    Gradient,
    /// A point along the line.
    Line,
    /// The point of eq. (6).
    Doubt,
    /// The points of the difference table.
    Table,
    /// Nothing: the walk has ended.
    Ended,
}

/// A search along x + t p for small values.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Line {
    /// The next t to try.
    t: f64,
    /// The best t so far with its value; t = 0 is x itself.
    best: (f64, f64),
    /// The shortest t tried beyond the best one.
    beyond: Option<(f64, f64)>,
    /// What the parabola promises at `t`; 0 where there is none through x with its slope.
    promised: f64,
    tried: u32,
}

impl Line {
    /// Whether a line that was read back is one.
    fn verify(&self) -> Result<()> {
        let is_length = |t: f64| t >= 0.0 && t.is_finite();
        saved::holds("line", is_length(self.t) && is_length(self.best.0), "must have lengths")?;
        let beyond = self.beyond.is_none_or(|(t, _)| is_length(t) && t >= self.best.0);
        saved::holds("line", beyond && self.tried <= LINE, "must go on beyond the best point")
    }
}

/// Quasi-Newton descent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QuasiNewton {
    params: Params,
    terrain: Terrain,
    /// Relative error of a value, and whether it was found to be more than that of the arithmetic.
    error: f64,
    inexact: bool,
    /// How often the values were found exact; like `inexact` it holds for all walks on one function.
    verdicts: u32,
    /// D of eq. (6) in units of the value, when it was too large.
    doubt: f64,
    /// The point of the line that contradicted the slope, and its value.
    held: (Vec<f64>, f64),
    /// Offsets of the last forward differences.
    offsets: Vec<f64>,
    stage: Stage,
    x: Vec<f64>,
    f: f64,
    g: Vec<f64>,
    /// x and g one step before, while they are of use for the update.
    x_old: Vec<f64>,
    g_old: Vec<f64>,
    /// The step, its slope g p, and the decrease that the model predicts.
    p: Vec<f64>,
    slope: f64,
    predicted: f64,
    model: Model,
    line: Line,
    central: bool,
    /// Whether the pair (x_old, g_old) can update the model: both gradients exist and are of one kind.
    paired: bool,
    /// The user's gradients of the point asked and of the best point of the line, where there are any.
    g_asked: Vec<f64>,
    g_best: Vec<f64>,
    told: bool,
    /// Whether a search has failed since the model was last begun anew.
    begun_anew: bool,
    widened: u32,
    /// Rounds in which failed differences were tried again; until they succeed g is NaN there.
    retries: i32,
    settled: bool,
    /// Variables of the rows asked for differences; negative rows of a pair follow positive ones.
    asked: Vec<usize>,
    /// The variables whose differences are under way, from the first to before the second: all where a round has room for them.
    block: (usize, usize),
    /// Whether a value of the gradient under way differs from that at x.
    moved: bool,
    steps: u64,
    why: Option<Reason>,
}

impl LocalSearch for QuasiNewton {
    const NAME: &'static str = "quasi_newton";
    const GRADIENTS: bool = true;
    type Params = Params;

    fn numbers(params: &Params, dim: usize) -> f64 {
        let d = dim as f64;
        let model = if dim <= params.dense { 2.0 * d * d } else { 2.0 * (params.memory as f64 + 1.0) * d };
        // The points of a round, as they are asked and in double precision.
        2.0 * round(2 * dim, dim) as f64 * d + model + 20.0 * d
    }

    fn new(params: Params, terrain: Terrain) -> Result<Self> {
        let dim = terrain.dim();
        let zeros = || vec![0.0; dim];
        Ok(QuasiNewton {
            error: terrain.epsilon.max(params.noise.unwrap_or(0.0)),
            inexact: false,
            verdicts: 0,
            doubt: 0.0,
            held: (zeros(), f64::INFINITY),
            offsets: zeros(),
            model: Model::new(dim, &params),
            params,
            terrain,
            stage: Stage::Ended,
            x: zeros(),
            f: f64::INFINITY,
            g: zeros(),
            x_old: zeros(),
            g_old: zeros(),
            p: zeros(),
            slope: 0.0,
            predicted: 0.0,
            line: Line::default(),
            central: false,
            paired: false,
            g_asked: zeros(),
            g_best: zeros(),
            told: false,
            begun_anew: false,
            widened: 0,
            retries: 0,
            settled: false,
            asked: Vec::with_capacity(round(2 * dim, dim)),
            block: (0, 0),
            moved: false,
            steps: 0,
            why: None,
        })
    }

    fn launch(&mut self, x: &[f64], value: f64, gradient: Option<&[f64]>) {
        self.x.copy_from_slice(x);
        self.f = value;
        self.g.fill(0.0);
        self.model.clear();
        (self.central, self.paired, self.begun_anew, self.widened) = (false, false, false, 0);
        (self.settled, self.retries, self.block) = (false, 0, (0, 0));
        (self.stage, self.steps, self.why) = (Stage::Gradient, 0, None);
        self.told = gradient.is_some();
        if let Some(gradient) = gradient {
            self.g.copy_from_slice(gradient);
            self.learn();
        }
    }

    fn ask(&mut self, xs: &mut Matrix<f64>) {
        xs.clear();
        match self.stage {
            Stage::Gradient => self.ask_differences(xs),
            Stage::Line => {
                xs.push(&self.x);
                let row = xs.row_mut(0);
                for (j, t) in row.iter_mut().enumerate() {
                    *t = self.terrain.clamp(j, *t + self.line.t * self.p[j]); // eq. (4)
                }
            }
            Stage::Doubt => {
                xs.push(&self.x);
                let (row, terrain) = (xs.row_mut(0), &self.terrain);
                row.iter_mut().zip(&self.offsets).enumerate().for_each(|(j, (t, a))| *t = terrain.clamp(j, *t + a));
            }
            Stage::Table => self.ask_table(xs),
            Stage::Ended => {}
        }
        if xs.is_empty() && self.stage == Stage::Gradient {
            if self.block.0 == 0 {
                return self.end("no variable can move");
            }
            // None of the last variables can.
            self.take_differences(xs, &[]);
            self.ask(xs);
        }
    }

    fn tell(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        match self.stage {
            Stage::Gradient => self.take_differences(xs, values),
            Stage::Line if self.contradicts(values[0]) => {
                self.held.0.copy_from_slice(xs.row(0));
                self.held.1 = values[0];
                self.stage = Stage::Doubt;
            }
            Stage::Line => self.take_value(xs.row(0), values[0]),
            Stage::Doubt => self.take_doubt(values[0]),
            Stage::Table => self.take_table(values),
            Stage::Ended => {}
        }
    }

    fn wants_gradient(&self) -> bool {
        self.stage == Stage::Line
    }

    fn tell_gradient(&mut self, gradient: &[f64]) {
        self.g_asked.copy_from_slice(gradient);
        self.told = true;
    }

    fn place(&self) -> (&[f64], f64) {
        (&self.x, self.f)
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn stop_reason(&self) -> Option<&Reason> {
        self.why.as_ref()
    }

    fn verify(&self, terrain: &Terrain, _launched: bool) -> Result<()> {
        let dim = terrain.dim();
        saved::parameters(&self.params)?;
        saved::holds("terrain", self.terrain == *terrain, "must be that of the space")?;
        let vectors = [
            ("held", &self.held.0),
            ("offsets", &self.offsets),
            ("x", &self.x),
            ("g", &self.g),
            ("x_old", &self.x_old),
            ("g_old", &self.g_old),
            ("p", &self.p),
            ("g_asked", &self.g_asked),
            ("g_best", &self.g_best),
        ];
        saved::lengths(vectors, dim)?;
        saved::count("steps", self.steps)?;
        let block = self.block.0 <= self.block.1 && self.block.1 <= dim;
        saved::holds("block", block, "must be some of the variables")?;
        let counts = self.verdicts <= VERDICTS && self.widened <= WIDENINGS && (0..=RETRIES).contains(&self.retries);
        saved::holds("counts", counts, "must not be beyond their ends")?;
        self.line.verify()?;
        self.model.verify(dim, &self.params)
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.numbers.extend([("t", self.line.t), ("predicted", self.predicted), ("f", self.f)]);
    }
}

impl QuasiNewton {
    /// Whether it has ended where the values are smooth and their differences say that nothing is to be gained nearby.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// The relative error of the values as far as is known, where it was found to be more than the arithmetic explains. Before the
    /// difference table has measured it, a hundredth of what made it be doubted.
    pub fn inexactness(&self) -> Option<f64> {
        let error = if self.stage == Stage::Table { 0.01 * self.doubt } else { self.error };
        self.inexact.then_some(error)
    }

    /// The value that the model expects at the end of the next step.
    pub fn expected(&self) -> f64 {
        self.f - self.predicted
    }

    /// The decrease that the model predicts for the step it is about to take; infinite while it has no such step.
    pub fn remaining(&self) -> f64 {
        let knows = self.stage == Stage::Line && self.line.tried == 0 && self.steps > 0;
        if knows { self.predicted } else { f64::INFINITY }
    }

    fn end(&mut self, why: &str) {
        (self.stage, self.why) = (Stage::Ended, Some(Reason::Method(why.into())));
    }

    /// The rounding error of a value near x.
    fn noise(&self) -> f64 {
        2.0 * self.error * self.f.abs().max(f64::MIN_POSITIVE / self.error)
    }

    /// The interval of variable j, eqs (1) and (2).
    fn interval(&self, j: usize) -> f64 {
        let length = self.terrain.length(j, self.x[j]);
        let least = 8.0 * self.terrain.epsilon * self.x[j].abs().max(1e-3 * length);
        let wanted = match self.model.curvature(j) {
            Some(c) if self.central => math::cbrt(3.0 * self.noise() * 0.01 * length / c), // eq. (2)
            Some(c) => 2.0 * (self.noise() / c).sqrt(),                                    // eq. (1)
            None if self.central => math::cbrt(self.error) * 0.1 * length,
            None if self.inexact => self.error.sqrt() * self.x[j].abs().max(0.1 * length),
            None => (self.params.interval * length).max(self.error.sqrt() * self.x[j].abs()),
        };
        let most = if self.inexact { 0.1 } else { 1e-3 };
        wanted.min(most * length).max(least) * WIDEN.powi(self.widened as i32)
    }

    /// One point a variable, or two; a variable without room is left out. The rest has to wait when the round is full.
    fn ask_differences(&mut self, xs: &mut Matrix<f64>) {
        self.asked.clear();
        let dim = self.x.len();
        let (from, room) = (self.block.1 % dim, round(2 * dim, dim));
        self.block = (from, dim);
        for j in (from..dim).filter(|&j| self.retries == 0 || self.g[j].is_nan()) {
            if xs.len() + 2 > room {
                self.block.1 = j;
                break;
            }
            let (up, down) = (self.terrain.upper[j] - self.x[j], self.x[j] - self.terrain.lower[j]);
            let h = (self.interval(j) * 0.5f64.powi(self.retries)).min(up.max(down));
            if h <= 0.0 {
                continue;
            }
            let mut point = |offset: f64| {
                xs.push(&self.x);
                let last = xs.len() - 1;
                xs.row_mut(last)[j] = self.terrain.clamp(j, self.x[j] + offset);
                self.asked.push(j);
            };
            // Towards smaller values, as far as is known, so that the points of the differences may be of use.
            let sign = if (self.g[j] > 0.0) == (self.retries % 2 == 0) { -1.0 } else { 1.0 };
            let room = if sign > 0.0 { up } else { down };
            let first = if room >= h { sign * h } else { -sign * h };
            point(first);
            if self.central {
                // At a bound both points lie on the same side, eq. (2) becomes the parabola through three points.
                let room = if first > 0.0 { down } else { up };
                point(if room >= h { -first } else { 0.5 * first });
            }
        }
    }

    /// Values of the differences: the gradient, the model's update, the step.
    fn take_differences(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        let (from, to) = self.block;
        if self.retries == 0 {
            self.g[from..to].fill(0.0);
            self.offsets[from..to].fill(0.0);
        }
        self.moved = self.retries > 0 || from > 0 && self.moved;
        let mut r = 0;
        while r < self.asked.len() {
            let j = self.asked[r];
            let quotient = |r: usize| {
                let a = xs.row(r)[j] - self.x[j];
                (a, (values[r] - self.f) / a)
            };
            let (a, qa) = quotient(r);
            self.moved |= values[r] != self.f;
            r += 1;
            self.g[j] = if qa.is_finite() { qa } else { f64::NAN };
            self.offsets[j] = a;
            if self.asked.get(r) == Some(&j) {
                let (b, qb) = quotient(r);
                self.moved |= values[r] != self.f;
                r += 1;
                // f = f(x) + g t + c t^2 through both points.
                let (g, c) = ((qa * b - qb * a) / (b - a), (qa - qb) / (a - b));
                if g.is_finite() {
                    self.g[j] = g;
                    self.model.suggest(j, 2.0 * c);
                } else if qb.is_finite() {
                    self.g[j] = qb;
                }
            }
        }
        if to < self.x.len() {
            return;
        }
        if self.retries < RETRIES && self.g.iter().any(|g| g.is_nan()) {
            self.retries += 1;
            return;
        }
        self.retries = 0;
        self.g.iter_mut().filter(|g| g.is_nan()).for_each(|g| *g = 0.0);
        if self.steps == 0 && self.is_gullible() && !values.is_empty() && self.is_grainy(values) {
            return;
        }
        if !self.moved {
            if self.widened < WIDENINGS {
                self.widened += 1;
            } else {
                self.end("the value does not change around this point");
            }
            return;
        }
        self.learn();
    }

    /// A gradient is known at x: the model's update, the step.
    fn learn(&mut self) {
        if self.paired {
            for j in 0..self.x.len() {
                self.x_old[j] = self.x[j] - self.x_old[j]; // s
                self.g_old[j] = self.g[j] - self.g_old[j]; // y
            }
            self.model.update(&self.x_old, &self.g_old);
        }
        self.paired = false;
        self.step();
    }

    /// Solves for the step, eq. (3), and begins the search along it, changes to central differences, or ends.
    fn step(&mut self) {
        let first = self.model.solve(&self.terrain, &self.x, &self.g, &mut self.p);
        if first {
            // No curvature is known: steepest descent, in the box's own units, of the length that the parameter says.
            let longest =
                (0..self.p.len()).fold(0.0f64, |m, j| m.max(self.p[j].abs() / self.terrain.length(j, self.x[j])));
            let scale = self.params.first_step / longest;
            for j in 0..self.p.len() {
                let to = self.terrain.clamp(j, self.x[j] + scale * self.p[j]);
                self.p[j] = if scale.is_finite() { to - self.x[j] } else { 0.0 };
            }
        }
        self.slope = dot(&self.g, &self.p);
        self.predicted = if first { -self.slope } else { self.model.predicted(self.slope, &self.p) };
        let moves =
            (0..self.x.len()).any(|j| self.p[j].abs() > self.terrain.epsilon * self.x[j].abs().max(f64::MIN_POSITIVE));
        let noise = self.noise();
        let leads_down = self.slope < 0.0;
        if !moves || !leads_down {
            return self.turn("no direction leads down");
        }
        let enough = self.params.tolerance * self.f.abs();
        if !first && self.predicted <= enough {
            return self.end("predicted decrease below the tolerance");
        }
        if !first && !self.central && !self.told && self.predicted <= 10.0 * noise * self.model.amplification() {
            return self.turn("");
        }
        if !first && (self.central || self.told) && self.predicted <= noise {
            self.settled = true;
            return self.end("converged to the precision of the values");
        }
        self.line = Line { t: 1.0, best: (0.0, self.f), beyond: None, promised: 0.0, tried: 0 };
        self.stage = Stage::Line;
    }

    /// The search cannot go on like this: central differences, a model begun anew, or the end.
    fn turn(&mut self, why: &str) {
        (self.stage, self.paired) = (Stage::Gradient, false);
        if !self.central {
            self.central = true;
        } else if !self.begun_anew {
            self.begun_anew = true;
            self.model.forget();
        } else {
            self.end(why);
        }
    }

    /// The value of a point along the line: go on along it, or move there.
    fn take_value(&mut self, x: &[f64], value: f64) {
        let (line, f, slope) = (&mut self.line, self.f, self.slope);
        let t = line.t;
        line.tried += 1;
        if value < line.best.1 {
            if line.best.0 > t {
                line.beyond = Some(line.best);
            }
            line.best = (t, value);
            self.g_best.copy_from_slice(&self.g_asked);
            self.x_old.copy_from_slice(x); // where the best point is kept until the search ends
        } else if t > line.best.0 && line.beyond.is_none_or(|(b, _)| t < b) {
            line.beyond = Some((t, value));
        }
        let (best, at) = (line.best.0, line.best.1);
        let next = if best == 0.0 {
            // Nothing better yet: the parabola through f, slope and the value, between a twentieth and a half.
            let parabola = -slope * t * t / (2.0 * (value - f - slope * t));
            let next = if !value.is_finite() {
                0.5 * t // a point that fails says nothing of the slope
            } else if parabola.is_finite() {
                parabola.max(0.05 * t).min(0.5 * t)
            } else {
                0.1 * t
            };
            line.promised = promise(f, slope, (t, value), next);
            (line.tried < LINE).then_some(next)
        } else {
            let parabola = match line.beyond {
                // Through x with its slope and the best point, unless a point beyond tells more.
                Some((b, fb)) => vertex([0.0, best, b], [f, at, fb]),
                None => {
                    let bend = at - f - slope * best;
                    if bend > 0.0 { -slope * best * best / (2.0 * bend) } else { f64::INFINITY }
                }
            };
            let limit = line.beyond.map_or(EXPAND * best, |(b, _)| best + 0.9 * (b - best));
            let next = if parabola.is_nan() { best } else { parabola.max(0.1 * best).min(limit) };
            line.promised = if line.beyond.is_some() { 0.0 } else { promise(f, slope, line.best, next) };
            let content = (next - best).abs() <= NEAR * next || line.tried >= LINE || t != best;
            // A point that was better but not as good as Armijo asks is improved once more.
            (!content || (line.tried < 3 && at > f + C1 * best * slope)).then_some(next)
        };
        match next {
            Some(next) if next != line.t => line.t = next,
            _ if best > 0.0 => self.accept(),
            _ => self.turn("no point along the line is better"),
        }
    }

    /// Whether differences are still taken as if values were exact, and nobody has said that they are not.
    fn is_gullible(&self) -> bool {
        !self.inexact && !self.told && !self.central && self.params.noise.is_none()
    }

    /// Whether the values have so few digits that their differences say nothing; then the intervals are set by them.
    fn is_grainy(&mut self, values: &[f64]) -> bool {
        let Some(grain) = noise::grain(values.iter().copied().chain([self.f]), self.terrain.epsilon) else {
            return false;
        };
        let largest = values.iter().filter(|v| v.is_finite()).fold(0.0f64, |m, v| m.max((v - self.f).abs()));
        let grainy = largest < GRAINS * grain;
        if grainy {
            self.set_error(grain);
        }
        grainy
    }

    /// Whether a value along the line is so far from what the parabola promised that the slope is in doubt.
    fn contradicts(&self, value: f64) -> bool {
        let gain = self.f - value;
        self.is_gullible() && self.verdicts < VERDICTS && value.is_finite() && gain < PROMISE * self.line.promised
    }

    /// D of eq. (6): back to the line where the differences are sound, else to the table.
    fn take_doubt(&mut self, value: f64) {
        let moves = || self.g.iter().zip(&self.offsets).map(|(g, a)| g * a);
        let d = value - self.f - moves().sum::<f64>();
        let size = moves().map(|m| m * m).sum::<f64>().sqrt();
        let point = std::mem::take(&mut self.held.0);
        // What rounding and curvature make of exact values.
        let exact = ROUNDINGS * self.terrain.epsilon * self.f.abs() + BENDS * self.model.bend(&self.offsets);
        if d.abs() > DOUBT * size + exact && d.is_finite() {
            // From the best point of the line, that in doubt included.
            if self.line.best.0 > 0.0 {
                self.x.copy_from_slice(&self.x_old);
                self.f = self.line.best.1;
            }
            if self.held.1 < self.f {
                self.x.copy_from_slice(&point);
                self.f = self.held.1;
            }
            (self.stage, self.inexact, self.doubt) = (Stage::Table, true, d.abs() / self.f.abs());
        } else {
            self.verdicts += 1;
            self.stage = Stage::Line;
            self.take_value(&point, self.held.1);
        }
        self.held.0 = point;
    }

    /// Points on a line from x into the box, at first intervals of exact values.
    fn ask_table(&mut self, xs: &mut Matrix<f64>) {
        let Self { x, terrain, params, .. } = self;
        for k in 1..noise::POINTS {
            xs.push(x);
            for (j, t) in xs.row_mut(k - 1).iter_mut().enumerate() {
                let h = params.interval * terrain.length(j, *t);
                let inward = terrain.upper[j] - *t >= *t - terrain.lower[j];
                *t = terrain.clamp(j, *t + if inward { k as f64 * h } else { -(k as f64) * h });
            }
        }
    }

    fn take_table(&mut self, values: &[f64]) {
        let mut table = [0.0; noise::POINTS];
        table[0] = self.f;
        table[1..].copy_from_slice(values);
        match noise::error(table).filter(|&error| error > self.terrain.epsilon * self.f.abs()) {
            Some(error) => self.set_error(error),
            // After all nothing that can be told from rounding.
            None => (self.stage, self.inexact, self.verdicts) = (Stage::Gradient, false, VERDICTS),
        }
    }

    /// The error of a value near x is `error`: a gradient and a model that suit it.
    fn set_error(&mut self, error: f64) {
        self.error = (error / self.f.abs()).min(COARSEST).max(self.terrain.epsilon);
        (self.stage, self.inexact, self.paired, self.widened) = (Stage::Gradient, true, false, 0);
        self.model.clear();
    }

    /// Moves to the best point of the line.
    fn accept(&mut self) {
        std::mem::swap(&mut self.x, &mut self.x_old);
        std::mem::swap(&mut self.g, &mut self.g_old);
        // The signs of the old gradient choose the side of the next forward differences.
        self.g.copy_from_slice(&self.g_old);
        self.f = self.line.best.1;
        (self.paired, self.widened) = (true, 0);
        self.steps += 1;
        self.stage = Stage::Gradient;
        if self.told {
            self.g.copy_from_slice(&self.g_best);
            self.learn();
        }
    }
}

/// What the parabola through f, its slope and the point (t, value) gains at `next`; 0 where it gains nothing.
fn promise(f: f64, slope: f64, (t, value): (f64, f64), next: f64) -> f64 {
    let bend = (value - f - slope * t) / (t * t);
    let gain = -(slope + bend * next) * next;
    if gain.is_finite() { gain.max(0.0) } else { 0.0 }
}

/// The vertex of the parabola through three points if it opens upwards; the far end otherwise.
fn vertex(t: [f64; 3], f: [f64; 3]) -> f64 {
    let (d1, d2) = ((f[1] - f[0]) / (t[1] - t[0]), (f[2] - f[1]) / (t[2] - t[1]));
    let bend = (d2 - d1) / (t[2] - t[0]);
    if bend > 0.0 { 0.5 * (t[0] + t[1]) - 0.5 * d1 / bend } else { t[2] }
}

/// What is known of the Hessian.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Model {
    dim: usize,
    /// Pairs or numbers seen; 0 means that no curvature is known.
    pairs: u64,
    /// The whole matrix, row-major, and a Cholesky factor of its free part; empty above `dense` variables.
    b: Vec<f64>,
    factor: Vec<f64>,
    /// Pairs (s, y, 1 / s y) of L-BFGS, newest last, those to fill next, and the scale y y / s y.
    limited: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    memory: usize,
    scale: f64,
    /// Second differences seen on the way; NaN where there is none.
    second: Vec<f64>,
    steep: Vec<f64>,
    free: Vec<usize>,
    work: Vec<f64>,
    alphas: Vec<f64>,
}

impl Model {
    fn new(dim: usize, params: &Params) -> Self {
        let whole = if dim <= params.dense { dim * dim } else { 0 };
        Model {
            dim,
            pairs: 0,
            b: vec![0.0; whole],
            factor: vec![0.0; whole],
            limited: VecDeque::new(),
            memory: params.memory,
            scale: 1.0,
            second: vec![f64::NAN; dim],
            steep: vec![0.0; dim],
            free: Vec::with_capacity(dim),
            work: vec![0.0; 2 * dim],
            alphas: Vec::new(),
        }
    }

    /// Whether a model that was read back has the sizes that it is made with.
    fn verify(&self, dim: usize, params: &Params) -> Result<()> {
        let whole = if dim <= params.dense { dim * dim } else { 0 };
        let alike = self.dim == dim && self.memory == params.memory && self.limited.len() <= self.memory;
        saved::holds("model", alike, "must be that of the space and the parameters")?;
        saved::lengths([("b", &self.b), ("factor", &self.factor)], whole)?;
        saved::lengths([("second", &self.second), ("steep", &self.steep)], dim)?;
        saved::length("work", &self.work, 2 * dim)?;
        self.limited.iter().try_for_each(|(s, y, _)| saved::lengths([("s", s), ("y", y)], dim))
    }

    fn is_dense(&self) -> bool {
        !self.b.is_empty()
    }

    fn clear(&mut self) {
        self.second.fill(f64::NAN);
        self.pairs = 0;
    }

    /// Begins anew: from the second differences where they are known.
    fn forget(&mut self) {
        self.pairs = 0;
        let known = || self.second.iter().filter(|c| c.is_finite() && **c > 0.0);
        let count = known().count();
        if self.is_dense() && count > 0 {
            let mean = known().map(|&c| math::ln(c)).sum::<f64>() / count as f64;
            self.b.fill(0.0);
            for j in 0..self.dim {
                let c = self.second[j];
                let c = if c.is_finite() && c > 0.0 { c } else { math::exp(mean) };
                self.b[j * self.dim + j] = c;
            }
            self.pairs = 1;
        }
    }

    /// A second difference of variable j.
    fn suggest(&mut self, j: usize, c: f64) {
        self.second[j] = c;
    }

    /// c_j, if anything is known.
    fn curvature(&self, j: usize) -> Option<f64> {
        let c = match self.pairs {
            0 => return None,
            _ if self.is_dense() => self.b[j * self.dim + j].max(self.steep[j]),
            _ => self.scale,
        };
        (c.is_finite() && c > 0.0).then_some(c)
    }

    /// What the curvature adds on a move by `a`; 0 where it is not known.
    fn bend(&self, a: &[f64]) -> f64 {
        if self.pairs == 0 || !self.is_dense() {
            return 0.0;
        }
        let rows = self.b.chunks_exact(self.dim).zip(a);
        0.5 * rows.map(|(row, &t)| t * dot(row, a)).sum::<f64>().max(0.0)
    }

    /// Damped BFGS, eq. (5).
    fn update(&mut self, s: &[f64], y: &[f64]) {
        let (dim, sy, ss, yy) = (self.dim, dot(s, y), dot(s, s), dot(y, y));
        if !(ss > 0.0 && yy > 0.0 && sy.is_finite() && yy.is_finite()) {
            return;
        }
        (0..dim).for_each(|j| self.steep[j] = y[j].abs() / ss.sqrt());
        let convex = sy > 1e-10 * (ss * yy).sqrt();
        if !self.is_dense() {
            if convex {
                self.remember(s, y, sy, yy);
            }
            return;
        }
        if self.pairs == 0 {
            if !convex {
                return;
            }
            self.b.fill(0.0);
            (0..dim).for_each(|j| self.b[j * dim + j] = FLAT * sy / ss);
        }
        let (bs, r) = self.work.split_at_mut(dim);
        for (j, row) in self.b.chunks_exact(dim).enumerate() {
            bs[j] = dot(row, s);
        }
        let sbs = dot(s, bs);
        let theta = if sy >= 0.2 * sbs { 1.0 } else { 0.8 * sbs / (sbs - sy) };
        for j in 0..dim {
            r[j] = theta * y[j] + (1.0 - theta) * bs[j];
        }
        let sr = dot(s, r);
        if !(sbs > 0.0 && sr > 0.0 && sbs.is_finite() && sr.is_finite()) {
            return;
        }
        for (i, row) in self.b.chunks_exact_mut(dim).enumerate() {
            let (b, r_i) = (bs[i] / sbs, r[i] / sr);
            for j in 0..dim {
                row[j] += r_i * r[j] - b * bs[j];
            }
        }
        self.pairs += 1;
    }

    fn remember(&mut self, s: &[f64], y: &[f64], sy: f64, yy: f64) {
        if self.pairs == 0 {
            self.limited.clear();
        }
        let full = self.limited.len() == self.memory;
        let mut pair = if full { self.limited.pop_front() } else { None }
            .unwrap_or_else(|| (vec![0.0; self.dim], vec![0.0; self.dim], 0.0));
        pair.0.copy_from_slice(s);
        pair.1.copy_from_slice(y);
        pair.2 = 1.0 / sy;
        self.limited.push_back(pair);
        self.scale = yy / sy;
        self.pairs += 1;
    }

    /// Writes the step of eq. (3) into `p`; true if no curvature is known and p is only a direction.
    fn solve(&mut self, terrain: &Terrain, x: &[f64], g: &[f64], p: &mut [f64]) -> bool {
        let dim = self.dim;
        let blocked = |j: usize, g: f64| {
            (x[j] <= terrain.lower[j] && g > 0.0) || (x[j] >= terrain.upper[j] && g < 0.0) || g == 0.0
        };
        self.free.clear();
        self.free.extend((0..dim).filter(|&j| !blocked(j, g[j])));
        p.fill(0.0);
        if self.pairs == 0 {
            // In units of the box, so that the direction does not depend on how a variable is scaled.
            for &j in &self.free {
                let length = terrain.length(j, x[j]);
                p[j] = -g[j] * length * length;
            }
            return true;
        }
        if !self.is_dense() {
            self.two_loops(g, p);
            for j in 0..dim {
                p[j] = terrain.clamp(j, x[j] + p[j]) - x[j];
            }
            return false;
        }
        self.quadratic_program(terrain, x, g, p);
        false
    }

    /// Eq. (3), a primal active-set method: sweeps of one variable at a time find the bounds in force, then the free variables
    /// are solved for together, as far as the next bound. The model's value only ever falls, so p leads down wherever it stops.
    fn quadratic_program(&mut self, terrain: &Terrain, x: &[f64], g: &[f64], p: &mut [f64]) {
        let dim = self.dim;
        let room = |j: usize| (terrain.lower[j] - x[j], terrain.upper[j] - x[j]);
        for _ in 0..SWEEPS {
            for j in 0..dim {
                let row = &self.b[j * dim..(j + 1) * dim];
                let (slope, (lo, hi)) = (g[j] + dot(row, p), room(j));
                let step = p[j] - slope / row[j];
                p[j] = if step.is_nan() { p[j] } else { step.max(lo).min(hi) };
            }
        }
        let inside = |j: usize, t: f64| {
            let (lo, hi) = room(j);
            lo < t && t < hi
        };
        self.free.clear();
        self.free.extend((0..dim).filter(|&j| inside(j, p[j])));
        for _ in 0..SOLVES {
            let n = self.free.len();
            if n > 0 && !self.factorise() {
                return self.forget_all_but_diagonal();
            }
            // From the present p to the minimum over the free variables: B_FF d = -(g + B p)_F.
            let (rhs, _) = self.work.split_at_mut(dim);
            for (k, &i) in self.free.iter().enumerate() {
                rhs[k] = -g[i] - dot(&self.b[i * dim..(i + 1) * dim], p);
            }
            cholesky_solve(&self.factor, n, &mut rhs[..n]);
            let mut reach: (f64, Option<usize>) = (1.0, None);
            for (k, &j) in self.free.iter().enumerate() {
                let ((lo, hi), d) = (room(j), rhs[k]);
                let share = if d > 0.0 { (hi - p[j]) / d } else { (lo - p[j]) / d };
                if share < reach.0 {
                    reach = (share.max(0.0), Some(k));
                }
            }
            for (k, &j) in self.free.iter().enumerate() {
                let (lo, hi) = room(j);
                p[j] = (p[j] + reach.0 * rhs[k]).max(lo).min(hi);
            }
            if let Some(k) = reach.1 {
                let j = self.free.remove(k);
                p[j] = if rhs[k] > 0.0 { room(j).1 } else { room(j).0 };
                continue;
            }
            // At the minimum of the face: free the variable that pulls inward most, in units of its own curvature.
            let mut pull: (f64, Option<usize>) = (0.0, None);
            for j in (0..dim).filter(|j| self.free.binary_search(j).is_err()) {
                let row = &self.b[j * dim..(j + 1) * dim];
                let (slope, (lo, hi)) = (g[j] + dot(row, p), room(j));
                let inward = if hi <= lo {
                    false
                } else if p[j] <= lo {
                    slope < 0.0
                } else {
                    p[j] >= hi && slope > 0.0
                };
                let gain = slope * slope / row[j];
                if inward && gain > pull.0 {
                    pull = (gain, Some(j));
                }
            }
            match pull.1 {
                Some(j) => self.free.insert(self.free.partition_point(|&i| i < j), j),
                None => break,
            }
        }
    }

    /// B has lost its definiteness to rounding: only its diagonal is kept.
    fn forget_all_but_diagonal(&mut self) {
        let dim = self.dim;
        for i in 0..dim {
            let c = self.b[i * dim + i];
            self.b[i * dim..(i + 1) * dim].fill(0.0);
            self.b[i * dim + i] = if c.is_finite() && c > 0.0 { c } else { 1.0 };
        }
    }

    /// The Cholesky factor of B's free rows and columns; false if it has none.
    fn factorise(&mut self) -> bool {
        let (dim, n) = (self.dim, self.free.len());
        for (a, &i) in self.free.iter().enumerate() {
            for (b, &j) in self.free[..=a].iter().enumerate() {
                self.factor[a * n + b] = self.b[i * dim + j];
            }
        }
        cholesky(&mut self.factor, n)
    }

    /// L-BFGS, algorithm 7.4 of Nocedal and Wright, over the free variables.
    fn two_loops(&mut self, g: &[f64], p: &mut [f64]) {
        self.free.iter().for_each(|&j| p[j] = -g[j]);
        self.alphas.clear();
        for (s, y, rho) in self.limited.iter().rev() {
            let alpha = rho * dot(s, p);
            p.iter_mut().zip(y).for_each(|(p, y)| *p -= alpha * y);
            self.alphas.push(alpha);
        }
        p.iter_mut().for_each(|p| *p /= self.scale);
        for ((s, y, rho), alpha) in self.limited.iter().zip(self.alphas.iter().rev()) {
            let beta = rho * dot(y, p);
            p.iter_mut().zip(s).for_each(|(p, s)| *p += (alpha - beta) * s);
        }
        for j in (0..self.dim).filter(|j| self.free.binary_search(j).is_err()) {
            p[j] = 0.0;
        }
    }

    /// The decrease that the model predicts for p.
    fn predicted(&self, slope: f64, p: &[f64]) -> f64 {
        if !self.is_dense() {
            return -0.5 * slope;
        }
        let bend: f64 = self.b.chunks_exact(self.dim).zip(p).map(|(row, p_i)| p_i * dot(row, p)).sum();
        -slope - 0.5 * bend
    }

    /// sum_j B_jj (B^-1)_jj over the free variables of the last step: how much an error of the differences weighs.
    fn amplification(&mut self) -> f64 {
        let n = self.free.len();
        if !self.is_dense() || n == 0 {
            return 4.0 * self.dim as f64;
        }
        let mut sum = 0.0;
        for k in 0..n {
            // (B^-1)_kk is the squared length of L^-1 e_k.
            let column = &mut self.work[..n];
            column.fill(0.0);
            column[k] = 1.0;
            let mut square = 0.0;
            for i in k..n {
                let row = &self.factor[i * n..i * n + i];
                column[i] = (column[i] - dot(&row[k..], &column[k..i])) / self.factor[i * n + i];
                square += column[i] * column[i];
            }
            let j = self.free[k];
            sum += self.b[j * self.dim + j] * square;
        }
        sum
    }
}
