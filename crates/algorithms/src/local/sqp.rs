//! Sequential quadratic programming: descent under constraints in a box, with derivatives by differences.
//!
//! Papers: Kraft, "A software package for sequential quadratic programming" (DFVLR-FB 88-28, 1988), for the order of the whole (SLSQP);
//! Powell, "A fast algorithm for nonlinearly constrained optimization calculations" (1978), for the damped update and the
//! weights of the merit function; Nocedal and Wright, "Numerical Optimization" (2nd edition, 2006), chapter 18. With f, the
//! constraints c <= 0 or c = 0, their gradients g and J, a model B of the Hessian of L = f + lambda c, and s, y the changes of x and of
//! the gradient of L:
//!
//! ```text
//! (1)  g_j = (f(x + h w_j e_j) - f(x)) / h,   J_ij likewise,      w_j the width of variable j
//! (2)  p = argmin g p + p B p / 2   with   c + J p <= 0 or = 0,   lower <= x + p <= upper;   lambda its multipliers
//! (3)  c_i + J_i p becomes c_i (1 - xi) + J_i p where c_i is violated, for xi^2 RELAXED / 2,  where (2) has no solution
//! (4)  phi(x) = f + sum_i nu_i excess(c_i),   nu_i = max(|lambda_i|, (nu_i + |lambda_i|) / 2)
//! (5)  phi(x + t p) <= phi(x) + C1 t D,   D = g p - (1 - xi) sum_i nu_i excess(c_i)
//! (6)  B <- B - B s s B / (s B s) + r r / (s r),   r = theta y + (1 - theta) B s
//! ```
//!
//! All of it is in the units of the box, and f and each c_i are divided by the largest entry of their first gradients, without which
//! constraints of unlike sizes cannot be weighed. Where (5) fails at t = 1 the step is corrected once: (2) with c(x + p) - J p in the
//! place of c (Nocedal and Wright, section 18.3). A walk that has converged outside the tolerance of a constraint goes on with steps
//! of least length to c + J p <= 0, which cost one evaluation each.
//!
//! The interval h of variable j follows the error e of the values, h = 2 sqrt(e / B_jj), B_jj taken for 1 where e is small: that of the arithmetic, or, where all values of
//! a function have few digits, that of their last digit. A walk that has converged on such values goes on with central differences,
//! h = cbrt(3 e l / B_jj) with l a hundredth of the width, until it has converged again. A walk whose steps gain next to nothing of what
//! they promise, at a jump or a crease, ends.
//!
//! Differs from SLSQP: the units, the correction, the intervals; the quadratic programme is solved by Goldfarb and Idnani's method.

use super::quadratic::{Minimum, Programme};
use super::{LocalSearch, Terrain};
use crate::linear::dot;
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Constraint, Matrix, Real, Reason, Relation, Result, View, math};

parameters! {
    /// Parameters of [`Sqp`].
    pub struct Params {
        /// First interval of differences, as a share of the width of the box.
        interval "h": f64 = 1e-7, Within(1e-12, 0.1);
        /// Ends when the predicted gain is below this share of the value.
        tolerance "": f64 = 1e-7, AtLeast(0.0);
        /// Relative error of the values, where it is larger than that of the arithmetic; null to see for itself.
        noise "e / |f|": Option<f64> = None, Within(0.0, 0.1);
    }
}

/// The constant of eq. (5).
const C1: f64 = 0.1;
/// The weight of eq. (3).
const RELAXED: f64 = 1e4;
/// A point along a line is at least this much nearer than the last.
const SHORTEST: f64 = 0.25;
/// Points along one line before it is given up.
const LINE: u32 = 8;
/// Corrections of a point that has converged.
const CORRECTIONS: u32 = 4;
/// The tolerance of a walk that leads.
const LEADING: f64 = 1e-12;
/// A gain below this, in units of the first gradient, is none.
const LEAST: f64 = 1e-10;
/// The longest interval of differences, and that of the first ones.
const LONGEST: f64 = 1e-2;
const FIRST: f64 = 1e-4;
/// The length over which curvatures change, l of the central differences.
const BEND: f64 = 0.01;
/// Steps in a row that may gain less than this share of what they promise.
const PROMISE: f64 = 1e-3;
const BROKEN: u32 = 4;
/// A step that gains more than this share of what its slope says is on a straight piece of phi; where the next point is no good, a jump
/// or a crease is between them. It is looked for by so many halvings, while what lies beyond stays this share as high.
const STRAIGHT: f64 = 0.9;
const HALVINGS: u32 = 12;
const AS_HIGH: f64 = 0.5;
/// How often differences that fail are tried again.
const RETRIES: i32 = 4;
/// A relative error from which central differences follow.
const COARSE: f64 = 1e-10;
/// Values of at most so many digits have been rounded by somebody.
const DIGITS: i32 = 12;
/// A constraint's scale follows its gradient where that changes by more than this factor.
const FOLLOW: f64 = 10.0;
/// A step of an unbounded variable in units of its width.
const FAR: f64 = 10.0;

/// What the next round evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// Points for the differences at x.
    Gradient,
    /// A point along the line.
    Line,
    /// A point between two of a line with a jump between them.
    Jump,
    /// The end of the corrected step.
    Corrected,
    /// A step of least length to the constraints.
    Restoration,
    /// Nothing: the walk has ended.
    Ended,
}

/// How exactly the values of a function are given: the most digits and the last decimal place seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Digits {
    most: i32,
    last: i32,
}

impl Digits {
    const NONE: Digits = Digits { most: 0, last: i32::MIN };

    /// Whether numbers can have so many.
    fn can_be(&self) -> bool {
        self.most == 0 || (1..=20).contains(&self.most) && (-400..=400).contains(&self.last)
    }

    fn see(&mut self, value: f64) {
        if self.most > DIGITS || !value.is_finite() || value == 0.0 {
            return;
        }
        // The shortest decimal that is read back as this number.
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let count = digits.bytes().filter(u8::is_ascii_digit).count() as i32;
        self.most = self.most.max(count);
        self.last = self.last.max(count - 1 - exponent.parse::<i32>().unwrap_or(0));
    }

    /// The error of a value of this size by rounding to few digits; 0 where there are many.
    fn error(self, size: f64) -> f64 {
        if self.most == 0 || self.most > DIGITS || size == 0.0 {
            return 0.0;
        }
        let exponent = math::log10(size.abs()).floor() as i32;
        0.5 * 10f64.powi(-self.last).max(10f64.powi(exponent + 1 - self.most))
    }
}

/// A jump of phi along a line: it falls as its slope says until `low`, and stands higher at `high`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Jump {
    low: f64,
    high: f64,
    /// The point at `low`.
    x: Vec<f64>,
    values: Values,
    /// phi at `high`, and how much higher than at `low` it was at first.
    above: f64,
    height: f64,
    /// Halvings that are left.
    left: u32,
}

/// Values of f and of the constraints at a point, in their own units.
type Values = Vec<f64>;

/// Sequential quadratic programming.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sqp {
    params: Params,
    terrain: Terrain,
    constraints: Vec<Constraint>,
    told: Matrix<f64>,
    digits: Vec<Digits>,
    stage: Stage,
    x: Vec<f64>,
    /// Width of each variable.
    widths: Vec<f64>,
    values: Values,
    /// What the values are divided by; none before the first gradient.
    scales: Vec<f64>,
    /// Gradients of f and the constraints over the scales, one a row, and those one step before.
    slopes: Matrix<f64>,
    slopes_old: Matrix<f64>,
    /// The last step in units of the box, where it may update B.
    moved: Option<Vec<f64>>,
    hessian: Vec<f64>,
    fresh: bool,
    multipliers: Vec<f64>,
    weights: Vec<f64>,
    /// The step of eq. (2), its corrected form, and D of eq. (5).
    p: Vec<f64>,
    corrected: Vec<f64>,
    decrease: f64,
    t: f64,
    tried: u32,
    /// The last point of the line that was no good, as t and phi.
    beyond: Option<(f64, f64)>,
    jump: Option<Jump>,
    corrections: u32,
    predicted: f64,
    /// Offsets of the rows asked for differences.
    asked: Vec<(usize, f64)>,
    central: bool,
    /// Rounds in which failed differences were tried again.
    retries: i32,
    /// Steps in a row that gained next to nothing.
    idle: u32,
    /// Whether it is at what may become the best point of a search.
    leads: bool,
    /// Steps in a row that gained next to nothing of what they promised.
    broken: u32,
    settled: bool,
    steps: u64,
    why: Option<Reason>,
}

impl LocalSearch for Sqp {
    const NAME: &'static str = "sqp";
    type Params = Params;

    fn numbers(_params: &Params, dim: usize) -> f64 {
        // B twice, the bounds as rows, the active set.
        8.0 * (dim as f64).powi(2)
    }

    fn new(params: Params, terrain: Terrain) -> Result<Self> {
        let dim = terrain.dim();
        let zeros = || vec![0.0; dim];
        Ok(Sqp {
            params,
            terrain,
            constraints: Vec::new(),
            told: Matrix::default(),
            digits: vec![Digits::NONE],
            stage: Stage::Ended,
            x: zeros(),
            widths: zeros(),
            values: vec![f64::INFINITY],
            scales: Vec::new(),
            slopes: Matrix::empty(dim),
            slopes_old: Matrix::empty(dim),
            moved: None,
            hessian: Vec::new(),
            fresh: true,
            multipliers: Vec::new(),
            weights: Vec::new(),
            p: zeros(),
            corrected: zeros(),
            decrease: 0.0,
            t: 1.0,
            tried: 0,
            beyond: None,
            jump: None,
            corrections: 0,
            predicted: 0.0,
            asked: Vec::with_capacity(2 * dim),
            central: false,
            retries: 0,
            idle: 0,
            leads: false,
            broken: 0,
            settled: false,
            steps: 0,
            why: None,
        })
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        self.constraints = constraints.to_vec();
        self.digits.resize(constraints.len() + 1, Digits::NONE);
        true
    }

    fn tell_constraints(&mut self, values: &Matrix<f64>) {
        self.told.clone_from(values);
    }

    fn launch(&mut self, x: &[f64], value: f64, _gradient: Option<&[f64]>) {
        self.x.copy_from_slice(x);
        self.widths = (0..x.len()).map(|j| self.terrain.length(j, x[j]).max(f64::MIN_POSITIVE)).collect();
        self.values = self.known(0, value);
        self.look(0, value);
        let (n, m) = (x.len(), self.constraints.len());
        self.scales.clear();
        self.slopes.resize(m + 1, n);
        self.slopes.data_mut().fill(0.0);
        self.multipliers = vec![0.0; m];
        self.weights = vec![1.0; m];
        self.reset();
        (self.moved, self.retries, self.idle, self.corrections) = (None, 0, 0, 0);
        (self.settled, self.central, self.broken, self.predicted) = (false, false, 0, f64::INFINITY);
        (self.stage, self.steps, self.why, self.jump) = (Stage::Gradient, 0, None, None);
        if self.values.iter().any(|c| !c.is_finite()) {
            self.end("a constraint has no value at the start");
        }
    }

    fn ask(&mut self, xs: &mut Matrix<f64>) {
        xs.clear();
        match self.stage {
            Stage::Gradient => self.ask_differences(xs),
            Stage::Line => xs.push(&self.along(self.t, &self.p)),
            Stage::Jump => xs.push(&self.along(self.middle(), &self.p)),
            Stage::Corrected | Stage::Restoration => xs.push(&self.along(1.0, &self.corrected)),
            Stage::Ended => {}
        }
        if xs.is_empty() && self.stage == Stage::Gradient {
            self.end("no variable can move");
        }
    }

    fn tell(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        (0..xs.len()).for_each(|i| self.look(i, values[i]));
        match self.stage {
            Stage::Gradient => self.take_differences(values),
            Stage::Line => self.take_value(xs.row(0), values[0]),
            Stage::Jump => self.take_between(xs.row(0), values[0]),
            Stage::Corrected => self.take_corrected(xs.row(0), values[0]),
            Stage::Restoration => self.take_restoration(xs.row(0), values[0]),
            Stage::Ended => {}
        }
    }

    fn multipliers(&self) -> Option<Vec<f64>> {
        let scale = |i: usize| self.scales.get(i).copied().unwrap_or(1.0);
        let each = self.multipliers.iter().enumerate().map(|(i, l)| l * scale(0) / scale(i + 1)).collect();
        // Before the first programme has been solved nothing is known of them.
        (self.predicted.is_finite() && !self.multipliers.is_empty()).then_some(each)
    }

    fn place(&self) -> (&[f64], f64) {
        (&self.x, self.values[0])
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn stop_reason(&self) -> Option<&Reason> {
        self.why.as_ref()
    }

    fn verify(&self, terrain: &Terrain, launched: bool) -> Result<()> {
        let (n, m) = (terrain.dim(), self.constraints.len());
        saved::parameters(&self.params)?;
        saved::holds("terrain", self.terrain == *terrain, "must be that of the space")?;
        saved::length("digits", &self.digits, m + 1)?;
        saved::holds("digits", self.digits.iter().all(Digits::can_be), "must be of numbers")?;
        let vectors = [("x", &self.x), ("widths", &self.widths), ("p", &self.p), ("corrected", &self.corrected)];
        saved::lengths(vectors, n)?;
        saved::count("steps", self.steps)?;
        let counts =
            self.tried <= LINE && (0..=RETRIES).contains(&self.retries) && self.idle.max(self.broken) < 1 << 20;
        saved::holds("counts", counts, "must not be beyond their ends")?;
        saved::holds("t", self.t > 0.0 && self.t <= 1.0, "must be a share of a step")?;
        let beyond = self.beyond.is_none_or(|(t, phi)| self.t < t && t <= 1.0 && phi.is_finite());
        saved::holds("beyond", beyond, "must be a point of the line, farther than t")?;
        if let Some(jump) = &self.jump {
            saved::length("jump", &jump.x, n)?;
            saved::length("jump", &jump.values, m + 1)?;
            let inside = 0.0 < jump.low && jump.low < jump.high && jump.high <= 1.0;
            saved::holds(
                "jump",
                inside && (1..=HALVINGS).contains(&jump.left),
                "must be between two points of a line",
            )?;
        }
        saved::holds("stage", self.jump.is_some() == (self.stage == Stage::Jump), "must be that of a jump")?;
        if !launched {
            return saved::holds("values", !self.values.is_empty(), "must be there");
        }
        saved::length("values", &self.values, m + 1)?;
        saved::length("scales", &self.scales, if self.scales.is_empty() { 0 } else { m + 1 })?;
        saved::shape("slopes", &self.slopes, m + 1, n)?;
        let old = if self.slopes_old.is_empty() { 0 } else { m + 1 };
        saved::shape("old slopes", &self.slopes_old, old, n)?;
        // Between two tries of differences what is there already is gone on with.
        let needed = self.retries > 0 && (!self.scales.is_empty() || self.moved.is_some());
        saved::holds("old slopes", old > 0 || !needed, "must be there")?;
        saved::length("moved", self.moved.as_deref().unwrap_or(&self.x), n)?;
        saved::length("hessian", &self.hessian, n * n)?;
        saved::lengths([("multipliers", &self.multipliers), ("weights", &self.weights)], m)?;
        let knows = matches!(self.stage, Stage::Gradient | Stage::Ended) || !self.scales.is_empty();
        saved::holds("stage", knows, "must not be a step before the first slopes")
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.numbers.extend([("t", self.t), ("predicted", self.predicted), ("f", self.values[0])]);
    }
}

impl Sqp {
    /// Whether it has ended where the conditions of a minimum hold.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Says whether the walk is at what may become the best point of a search of many walks: it then ends when the predicted gain is
    /// below 1e-12 of the value, whatever the tolerance.
    pub fn lead(&mut self, leads: bool) {
        self.leads = leads;
    }

    /// The gain that is none, in units of the first gradient, at a value of this size with this error.
    fn least(&self, size: f64, error: f64) -> f64 {
        let tolerance = if self.leads { self.params.tolerance.min(LEADING) } else { self.params.tolerance };
        (tolerance * size).max(LEAST).max(error)
    }

    /// How far the place violates the constraints beyond their tolerances.
    pub fn violation(&self) -> f64 {
        swarmgrad_core::violation(&self.constraints, &self.values[1..])
    }

    /// The gain that the model promises for the next step, in units of f.
    pub fn promised(&self) -> f64 {
        self.predicted * self.scales.first().copied().unwrap_or(1.0)
    }

    fn end(&mut self, why: &str) {
        (self.stage, self.why) = (Stage::Ended, Some(Reason::Method(why.into())));
    }

    fn reset(&mut self) {
        let n = self.x.len();
        self.hessian = (0..n * n).map(|k| f64::from(u8::from(k / n == k % n))).collect();
        self.fresh = true;
    }

    /// f and the constraints of row i of what was told.
    fn known(&self, i: usize, value: f64) -> Values {
        let mut all = Vec::with_capacity(self.constraints.len() + 1);
        all.push(value);
        if !self.constraints.is_empty() && i < self.told.len() {
            all.extend_from_slice(self.told.row(i));
        }
        all.resize(self.constraints.len() + 1, f64::NAN);
        all
    }

    /// Looks at the digits of row i.
    fn look(&mut self, i: usize, value: f64) {
        let values = self.known(i, value);
        self.digits.iter_mut().zip(&values).for_each(|(digits, value)| digits.see(*value));
    }

    fn along(&self, t: f64, p: &[f64]) -> Vec<f64> {
        let moved = self.x.iter().zip(p).zip(&self.widths).enumerate();
        moved.map(|(j, ((x, p), w))| self.terrain.clamp(j, x + t * p * w)).collect()
    }

    /// The error of value i near x, in units of its scale.
    fn error(&self, i: usize) -> f64 {
        let size = self.values[i].abs();
        let arithmetic = self.terrain.epsilon.max(self.params.noise.unwrap_or(0.0));
        let error = self.digits[i].error(size).max(arithmetic * size);
        self.scales.get(i).map_or(error, |scale| error / scale)
    }

    /// The largest of them.
    fn worst_error(&self) -> f64 {
        (0..self.values.len()).map(|i| self.error(i)).fold(self.terrain.epsilon, f64::max)
    }

    /// The interval of differences of variable j.
    fn interval(&self, j: usize) -> f64 {
        if self.scales.is_empty() {
            let noise = self.params.noise.unwrap_or(0.0).max(self.terrain.epsilon);
            let coarse = self.digits.iter().all(|digits| digits.most <= DIGITS);
            let least = if coarse { FIRST } else { 0.0 };
            return self.params.interval.max(2.0 * noise.sqrt()).max(least);
        }
        let error = self.worst_error();
        let curvature = if error < COARSE { 1.0 } else { self.hessian[j * self.x.len() + j].max(1.0) };
        match self.central {
            false => (2.0 * (error / curvature).sqrt()).clamp(1e-9, LONGEST),
            true => math::cbrt(3.0 * error * BEND / curvature).clamp(1e-9, LONGEST),
        }
    }

    /// One point a variable; a variable without room is left out.
    fn ask_differences(&mut self, xs: &mut Matrix<f64>) {
        self.asked.clear();
        for j in 0..self.x.len() {
            let interval = self.interval(j) * 0.5f64.powi(self.retries);
            if self.retries > 0 && self.slopes.iter().all(|row| row[j].is_finite()) {
                continue;
            }
            let (up, down) = (self.terrain.upper[j] - self.x[j], self.x[j] - self.terrain.lower[j]);
            let least = 8.0 * self.terrain.epsilon * self.x[j].abs();
            let h = (interval * self.widths[j]).max(least).min(up.max(down));
            if h <= 0.0 {
                continue;
            }
            // Towards the middle, where there is room.
            let inward = if (up >= down) == (self.retries % 2 == 0) { 1.0 } else { -1.0 };
            let room = if inward > 0.0 { up } else { down };
            let offset = if room >= h { inward * h } else { -inward * h };
            let mut point = |offset: f64| {
                xs.push(&self.x);
                let last = xs.len() - 1;
                let t = self.terrain.clamp(j, self.x[j] + offset);
                xs.row_mut(last)[j] = t;
                self.asked.push((j, (t - self.x[j]) / self.widths[j]));
            };
            point(offset);
            if self.central {
                // At a bound both points lie on the same side.
                let other = if offset > 0.0 { down } else { up };
                point(if other >= h { -offset } else { 0.5 * offset });
            }
        }
    }

    fn take_differences(&mut self, values: &[f64]) {
        let m = self.constraints.len();
        if self.retries == 0 {
            std::mem::swap(&mut self.slopes, &mut self.slopes_old);
            self.slopes.resize(m + 1, self.x.len());
            self.slopes.data_mut().fill(0.0);
        }
        let mut r = 0;
        while r < self.asked.len() {
            let (j, a) = self.asked[r];
            let pair = self.asked.get(r + 1).filter(|(other, _)| *other == j).map(|(_, b)| *b);
            let (first, second) = (self.known(r, values[r]), pair.map(|_| self.known(r + 1, values[r + 1])));
            for i in 0..=m {
                let scale = self.scales.get(i).copied().unwrap_or(1.0);
                let here = self.values[i];
                let qa = (first[i] - here) / a; // eq. (1)
                let slope = match (pair, &second) {
                    (Some(b), Some(second)) => {
                        // The slope of the parabola through three points.
                        let qb = (second[i] - here) / b;
                        let both = (qa * b - qb * a) / (b - a);
                        if both.is_finite() || qa.is_finite() { both } else { qb }
                    }
                    _ => qa,
                };
                self.slopes.row_mut(i)[j] = if slope.is_nan() && qa.is_finite() { qa / scale } else { slope / scale };
            }
            r += 1 + usize::from(pair.is_some());
        }
        if self.slopes.data().iter().any(|g| !g.is_finite()) {
            if self.retries < RETRIES {
                self.retries += 1;
                return;
            }
            self.slopes.data_mut().iter_mut().filter(|g| !g.is_finite()).for_each(|g| *g = 0.0);
        }
        self.retries = 0;
        if self.scales.is_empty() {
            self.choose_scales();
        } else {
            self.follow_scales();
        }
        self.learn();
        self.step();
    }

    /// The largest entries of the first gradients.
    fn choose_scales(&mut self) {
        for i in 0..self.slopes.len() {
            let largest = self.slopes.row(i).iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
            let scale = if largest > 0.0 { largest } else { self.values[i].abs().max(1.0) };
            self.scales.push(scale);
            self.slopes.row_mut(i).iter_mut().for_each(|g| *g /= scale);
        }
    }

    /// Constraints whose gradients have become quite other ones get other scales; the merit and the Lagrangian stay what they are.
    fn follow_scales(&mut self) {
        for i in 1..self.slopes.len() {
            let largest = self.slopes.row(i).iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
            if (1.0 / FOLLOW..=FOLLOW).contains(&largest) || largest == 0.0 {
                continue;
            }
            self.scales[i] *= largest;
            self.slopes.row_mut(i).iter_mut().for_each(|g| *g /= largest);
            self.slopes_old.row_mut(i).iter_mut().for_each(|g| *g /= largest);
            self.multipliers[i - 1] *= largest;
            self.weights[i - 1] *= largest;
        }
    }

    /// The gradient of the Lagrangian with the present multipliers.
    fn lagrangian(&self, slopes: &Matrix<f64>) -> Vec<f64> {
        let mut sum = slopes.row(0).to_vec();
        for (i, lambda) in self.multipliers.iter().enumerate().filter(|(_, lambda)| **lambda != 0.0) {
            sum.iter_mut().zip(slopes.row(i + 1)).for_each(|(sum, g)| *sum += lambda * g);
        }
        sum
    }

    /// Eq. (6).
    fn learn(&mut self) {
        let Some(s) = self.moved.take() else { return };
        let n = s.len();
        let (new, old) = (self.lagrangian(&self.slopes), self.lagrangian(&self.slopes_old));
        let y: Vec<f64> = new.iter().zip(&old).map(|(new, old)| new - old).collect();
        let bs: Vec<f64> = (0..n).map(|i| dot(&self.hessian[i * n..(i + 1) * n], &s)).collect();
        let (sbs, sy) = (dot(&s, &bs), dot(&s, &y));
        if !(sbs > 0.0 && sbs.is_finite() && sy.is_finite()) {
            return self.reset();
        }
        let theta = if sy >= 0.2 * sbs { 1.0 } else { 0.8 * sbs / (sbs - sy) };
        let r: Vec<f64> = y.iter().zip(&bs).map(|(y, bs)| theta * y + (1.0 - theta) * bs).collect();
        let sr = dot(&s, &r);
        for i in 0..n {
            for j in 0..n {
                self.hessian[i * n + j] += r[i] * r[j] / sr - bs[i] * bs[j] / sbs;
            }
        }
        self.fresh = false;
        if self.hessian.iter().any(|b| !b.is_finite()) {
            self.reset();
        }
    }

    /// The excess of each constraint, in units of its scale.
    fn excess(&self, values: &[f64]) -> Vec<f64> {
        let excess = |(i, c): (usize, &Constraint)| c.excess(values[i + 1]) / self.scales[i + 1];
        self.constraints.iter().enumerate().map(excess).collect()
    }

    /// phi, eq. (4).
    fn merit(&self, values: &[f64]) -> f64 {
        values[0] / self.scales[0] + dot(&self.weights, &self.excess(values))
    }

    /// By how much phi is higher there than at x.
    fn rise(&self, values: &[f64]) -> f64 {
        self.merit(values) - self.merit(&self.values)
    }

    /// Solves (2), or (3), for these values of the constraints in units of their scales; the step, its multipliers and xi.
    fn solve(&self, hessian: &[f64], g: &[f64], c: &[f64]) -> Option<(Vec<f64>, Vec<f64>, f64)> {
        let solution = |relaxed: bool| {
            let n = self.x.len() + usize::from(relaxed);
            let (mut a, mut b): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
            let kinds = [Relation::Equal, Relation::AtMost];
            let mut places = Vec::new();
            let mut equalities = 0;
            for relation in kinds {
                for (i, constraint) in self.constraints.iter().enumerate().filter(|(_, c)| c.relation() == relation) {
                    // c + J p <= 0 is -J p >= c; c + J p = 0 is J p = -c.
                    let sign = if relation == Relation::Equal { 1.0 } else { -1.0 };
                    a.extend(self.slopes.row(i + 1).iter().map(|g| sign * g));
                    if relaxed {
                        a.push(if constraint.excess(c[i]) > 0.0 { -sign * c[i] } else { 0.0 });
                    }
                    b.push(-sign * c[i]);
                    places.push(i);
                    equalities += usize::from(relation == Relation::Equal);
                }
            }
            for j in 0..n {
                let (down, up) = match self.x.get(j) {
                    Some(x) => (
                        ((self.terrain.lower[j] - x) / self.widths[j]).max(-FAR),
                        ((self.terrain.upper[j] - x) / self.widths[j]).min(FAR),
                    ),
                    None => (0.0, 1.0),
                };
                for (sign, bound) in [(1.0, down), (-1.0, -up)] {
                    a.extend((0..n).map(|k| if k == j { sign } else { 0.0 }));
                    b.push(bound);
                }
            }
            let (mut g, mut hessian) = (g.to_vec(), hessian.to_vec());
            if relaxed {
                g.push(0.0);
                hessian = (0..n * n)
                    .map(|k| match (k / n, k % n) {
                        (i, j) if i + 1 == n && j + 1 == n => RELAXED,
                        (i, j) if i + 1 == n || j + 1 == n => 0.0,
                        (i, j) => hessian[i * (n - 1) + j],
                    })
                    .collect();
            }
            let programme = Programme { hessian: &hessian, g: &g, a: &a, b: &b, equalities };
            let Minimum { mut p, multipliers } = programme.minimum()?;
            let xi = if relaxed { p.pop().unwrap_or(0.0) } else { 0.0 };
            let mut lambda = vec![0.0; self.constraints.len()];
            for (k, &i) in places.iter().enumerate() {
                // The programme's Lagrangian has -u (a p - b).
                lambda[i] = if k < equalities { -multipliers[k] } else { multipliers[k] };
            }
            Some((p, lambda, xi))
        };
        solution(false).or_else(|| solution(true))
    }

    fn scaled(&self, values: &[f64]) -> Vec<f64> {
        values[1..].iter().zip(&self.scales[1..]).map(|(c, scale)| c / scale).collect()
    }

    /// The next step, or the end.
    fn step(&mut self) {
        let c = self.scaled(&self.values);
        let g = self.slopes.row(0).to_vec();
        let mut solution = self.solve(&self.hessian, &g, &c);
        if solution.is_none() && !self.fresh {
            self.reset();
            solution = self.solve(&self.hessian, &g, &c);
        }
        let Some((p, lambda, xi)) = solution else {
            return self.end("no step leads towards the constraints");
        };
        let excess = self.excess(&self.values);
        for (weight, lambda) in self.weights.iter_mut().zip(&lambda) {
            *weight = lambda.abs().max(0.5 * (*weight + lambda.abs())); // eq. (4)
        }
        let slope = dot(&g, &p);
        self.decrease = slope - (1.0 - xi) * dot(&self.weights, &excess); // eq. (5)
        let n = p.len();
        let curved: f64 = (0..n).map(|i| p[i] * dot(&self.hessian[i * n..(i + 1) * n], &p)).sum();
        let pull: f64 = lambda.iter().zip(&c).map(|(lambda, c)| (lambda * c).abs()).sum();
        self.predicted = (slope.abs() + pull).min(curved + pull + slope.max(0.0));
        (self.p, self.multipliers) = (p, lambda);
        let size = (self.values[0] / self.scales[0]).abs();
        let least = self.least(size, 4.0 * self.error(0));
        let converged = slope.abs() + pull <= least;
        if self.idle >= 2 || converged && xi < 0.5 {
            return self.refine();
        }
        if self.decrease >= 0.0 {
            if self.fresh {
                return self.refine();
            }
            self.reset();
            return self.step();
        }
        (self.stage, self.t, self.tried, self.beyond) = (Stage::Line, 1.0, 0, None);
    }

    /// Converged: on coarse values by forward differences, central ones follow.
    fn refine(&mut self) {
        if self.central || self.worst_error() < COARSE {
            return self.finish();
        }
        (self.central, self.idle, self.broken) = (true, 0, 0);
        self.moved = None;
        self.stage = Stage::Gradient;
    }

    /// Converged: the end, unless constraints are still to be met.
    fn finish(&mut self) {
        let excess = self.excess(&self.values);
        let missed = self.violation() > 0.0;
        if missed && self.corrections < CORRECTIONS {
            // The least step to c + J p <= 0.
            let n = self.x.len();
            let unit: Vec<f64> = (0..n * n).map(|k| f64::from(u8::from(k / n == k % n))).collect();
            if let Some((p, _, xi)) = self.solve(&unit, &vec![0.0; n], &self.scaled(&self.values))
                && xi < 0.5
            {
                self.corrections += 1;
                self.corrected = p;
                self.stage = Stage::Restoration;
                return;
            }
        }
        self.settled = !missed;
        let worst = excess.iter().fold(0.0, |worst: f64, e| worst.max(*e));
        let why = match missed {
            true => format!("no step from here meets the constraints: {worst:.1e} is missing in units of their slopes"),
            false => "the conditions of a minimum hold".into(),
        };
        self.end(&why);
    }

    fn take_restoration(&mut self, x: &[f64], value: f64) {
        let values = self.known(0, value);
        let sum = |values: &[f64]| self.excess(values).iter().sum::<f64>();
        if values.iter().all(|v| v.is_finite()) && sum(&values) < 0.5 * sum(&self.values) {
            self.x.copy_from_slice(x);
            self.values = values;
            self.moved = None;
            return self.finish();
        }
        // The slopes are not those of this place.
        self.corrections = CORRECTIONS;
        if self.idle < 2 && self.steps > 0 {
            self.idle += 1;
            self.moved = None;
            self.stage = Stage::Gradient;
            return;
        }
        self.finish();
    }

    /// A point along the line.
    fn take_value(&mut self, x: &[f64], value: f64) {
        let values = self.known(0, value);
        if self.is_better(&values, self.t) {
            let straight = || self.rise(&values) <= STRAIGHT * self.t * self.decrease;
            let Some((high, above)) = self.beyond.filter(|_| straight()) else { return self.accept(x, values) };
            let height = above - self.merit(&values);
            self.jump = Some(Jump { low: self.t, high, x: x.to_vec(), values, above, height, left: HALVINGS });
            self.stage = Stage::Jump;
            return;
        }
        self.beyond = Some((self.t, self.merit(&values))).filter(|(_, phi)| phi.is_finite());
        let finite = values.iter().all(|v| v.is_finite());
        if self.t == 1.0 && finite && !self.constraints.is_empty() {
            // Correct the step for the curvature of the constraints.
            let there = self.scaled(&values);
            let bent: Vec<f64> = (0..there.len()).map(|i| there[i] - dot(self.slopes.row(i + 1), &self.p)).collect();
            let g = self.slopes.row(0).to_vec();
            let far = |p: &[f64]| dot(p, p) > 4.0 * dot(&self.p, &self.p);
            if let Some((p, ..)) = self.solve(&self.hessian, &g, &bent).filter(|(p, ..)| !far(p)) {
                self.corrected = p;
                self.stage = Stage::Corrected;
                self.shorten(Some(&values));
                return;
            }
        }
        self.shorten(finite.then_some(&values[..]));
        self.go_on_along();
    }

    /// The middle of where the jump is.
    fn middle(&self) -> f64 {
        self.jump.as_ref().map_or(self.t, |jump| 0.5 * (jump.low + jump.high))
    }

    /// A point on one of the two sides of a jump. At a crease what lies beyond comes down, and a jump has been come near enough to when
    /// all halvings are made.
    fn take_between(&mut self, x: &[f64], value: f64) {
        let (values, t) = (self.known(0, value), self.middle());
        let Some(mut jump) = self.jump.take() else { return self.go_on_along() };
        if self.is_better(&values, t) {
            (jump.low, jump.x, jump.values) = (t, x.to_vec(), values);
        } else {
            (jump.high, jump.above) = (t, self.merit(&values));
        }
        jump.left -= 1;
        if jump.left > 0 && jump.above - self.merit(&jump.values) >= AS_HIGH * jump.height {
            self.jump = Some(jump);
            return;
        }
        self.t = jump.low;
        self.accept(&jump.x, jump.values);
    }

    fn take_corrected(&mut self, x: &[f64], value: f64) {
        let values = self.known(0, value);
        if self.is_better(&values, 1.0) {
            return self.accept(x, values);
        }
        self.go_on_along();
    }

    fn go_on_along(&mut self) {
        self.stage = Stage::Line;
        if self.tried < LINE {
            return;
        }
        if self.fresh {
            return self.refine();
        }
        self.reset();
        self.step();
    }

    /// Eq. (5), within the errors of the values.
    fn is_better(&self, values: &[f64], t: f64) -> bool {
        let slack: f64 = 2.0 * self.error(0)
            + self.weights.iter().enumerate().map(|(i, weight)| 2.0 * weight * self.error(i + 1)).sum::<f64>();
        values.iter().all(|v| v.is_finite()) && self.rise(values) <= C1 * t * self.decrease + slack
    }

    /// The next t: the vertex of the parabola through phi, its slope and the last value.
    fn shorten(&mut self, values: Option<&[f64]>) {
        self.tried += 1;
        let t = self.t;
        let vertex =
            values.map_or(0.0, |values| -self.decrease * t * t / (2.0 * (self.rise(values) - self.decrease * t)));
        self.t = if vertex.is_finite() { vertex.max(SHORTEST * t).min(0.5 * t) } else { 0.25 * t };
    }

    fn accept(&mut self, x: &[f64], values: Values) {
        let gain = -self.rise(&values);
        let size = (values[0] / self.scales[0]).abs();
        let small = self.least(size, 2.0 * self.error(0));
        self.idle = if gain <= small { self.idle + 1 } else { 0 };
        self.broken = if gain < -PROMISE * self.decrease { self.broken + 1 } else { 0 };
        if self.broken >= BROKEN {
            self.idle = 2;
        }
        let step = x.iter().zip(&self.x).zip(&self.widths).map(|((new, old), w)| (new - old) / w);
        self.moved = Some(step.collect());
        self.x.copy_from_slice(x);
        self.values = values;
        self.steps += 1;
        self.stage = Stage::Gradient;
    }
}
