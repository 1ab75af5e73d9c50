//! Least squares: Levenberg and Marquardt's method in a box, for values that are sums of squares of residuals.
//!
//! Papers: More, "The Levenberg-Marquardt algorithm: implementation and theory" (Lecture Notes in Mathematics 630, 1978), for the scales,
//! the radius and its rules; Broyden, "A class of methods for solving nonlinear simultaneous equations" (1965), for the update of the
//! Jacobian. With the residuals r, their Jacobian J, the scales D and the radius of trust delta:
//!
//! ```text
//! (1)  J_ij = (r_i(x + h_j e_j) - r_i(x)) / h_j,      h_j = sqrt(e) |x_j|
//! (2)  p = argmin |r + J p|^2 + l |D p|^2   in the box,   l = 0 or such that |D p| = delta
//! (3)  D_j = max(D_j, |J_j|)
//! (4)  rho = (|r|^2 - |r(x + p)|^2) / (|r|^2 - |r + J p|^2)
//! (5)  J <- J + (r(x + p) - r - J p) (D^2 p)^T / |D p|^2
//! (6)  covariance = |r|^2 / (m - n) (J^T J)^-1
//! ```
//!
//! A step that leaves the box is taken up to the bound in the variables that leave it, and (2) is solved again for the others. Where
//! (4) is not near 1 or there is much to gain, J is found anew by (1), elsewhere by (5). Where nothing more is to be gained by forward differences, central ones
//! of length cbrt(e) |x_j| take their place, until nothing is to be gained by these either; (6) is made of them.
//!
//! Values with an error larger than that of the arithmetic: `noise` says so, or steps show it that fail at every length; then the error
//! is measured on a short line (`noise.rs`), and the intervals follow it.
//!
//! Where a problem has no residuals, the method is `quasi_newton`.
//!
//! Differs from MINPACK's lmdif: the box, the updates (5), central differences at the end, the errors.

use super::noise;
use super::quasi_newton::{self, QuasiNewton};
use super::{LocalSearch, Terrain};
use crate::linear::{Triangle, dot};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Reason, Result, View, math};

parameters! {
    /// Parameters of [`LeastSquares`].
    pub struct Params {
        /// Ends when a step is predicted to lessen the sum by less than this share, or to move less than this share of the point.
        tolerance "": f64 = 1e-10, AtLeast(0.0);
        /// The first radius of trust, in units of the scaled length of the start.
        radius "delta(0)": f64 = 100.0, Above(0.0);
        /// Error of the residuals in units of the largest, where it is larger than that of the arithmetic; null to see for itself.
        noise "e": Option<f64> = None, Within(0.0, 0.1);
    }
}

/// A step counts where (4) is above this, and shrinks or widens the radius below and above these.
const ACCEPTED: f64 = 1e-4;
const BAD: f64 = 0.25;
const GOOD: f64 = 0.75;
/// How well |D p| = delta is met.
const RADIUS: f64 = 0.1;
/// The Jacobian is updated after a step that gained what was promised, within this share, where that was this share of the sum;
/// where it was next to nothing, a Jacobian by central differences is kept as it is.
const FAITHFUL: f64 = 0.25;
const LOCAL: f64 = 1e-3;
const CHORD: f64 = 1e-14;
/// Failures in a row with a fresh Jacobian after which the error of values is measured.
const FAILURES: u32 = 3;
/// The spacing of the points of its line in units of the intervals.
const SPACING: f64 = 1e-2;
/// A share of the sum that its rounding may hide.
const HIDDEN: f64 = 1e-13;
/// What the tolerance is multiplied by in the end.
const CLOSER: f64 = 1e-6;
/// Steps after which it ends.
const STEPS: u64 = 10_000;

/// What the next round evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// The start, whose residuals are not known.
    Begin,
    /// Points for the differences at x.
    Jacobian,
    /// The end of a step.
    Step,
    /// Points on a short line, for the error of the values.
    Noise,
    /// Nothing: it has ended.
    Ended,
}

/// Where the Jacobian comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Origin {
    Forward,
    Central,
    Update,
}

/// Levenberg and Marquardt's method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeastSquares {
    params: Params,
    terrain: Terrain,
    /// What runs where there are no residuals.
    plain: Option<Box<QuasiNewton>>,
    told: Matrix<f64>,
    stage: Stage,
    x: Vec<f64>,
    r: Vec<f64>,
    /// The sum of their squares.
    f: f64,
    /// J transposed: a row a variable.
    jacobian: Matrix<f64>,
    origin: Origin,
    central: bool,
    updates: usize,
    /// D, delta, and the first sizes of the variables.
    scales: Vec<f64>,
    delta: f64,
    sizes: Vec<f64>,
    /// The error of residuals.
    error: f64,
    measured: bool,
    failures: u32,
    p: Vec<f64>,
    predicted: f64,
    /// Variables and offsets of the rows asked for differences, in the order of the rows; and whether it is the second try.
    asked: Vec<(usize, f64)>,
    again: bool,
    steps: u64,
    why: Option<Reason>,
}

impl LocalSearch for LeastSquares {
    const NAME: &'static str = "least_squares";
    type Params = Params;

    fn numbers(_params: &Params, dim: usize) -> f64 {
        // The triangle and its augmented forms; the Jacobian grows with the residuals.
        8.0 * (dim as f64).powi(2)
    }

    fn new(params: Params, terrain: Terrain) -> Result<Self> {
        let dim = terrain.dim();
        let plain = quasi_newton::Params { noise: params.noise, ..quasi_newton::Params::default() };
        Ok(LeastSquares {
            params,
            plain: Some(Box::new(QuasiNewton::new(plain, terrain.clone())?)),
            terrain,
            told: Matrix::default(),
            stage: Stage::Ended,
            x: vec![0.0; dim],
            r: Vec::new(),
            f: f64::INFINITY,
            jacobian: Matrix::default(),
            origin: Origin::Forward,
            central: false,
            updates: 0,
            scales: vec![0.0; dim],
            delta: 0.0,
            sizes: vec![0.0; dim],
            error: 0.0,
            measured: false,
            failures: 0,
            p: vec![0.0; dim],
            predicted: f64::INFINITY,
            asked: Vec::new(),
            again: false,
            steps: 0,
            why: None,
        })
    }

    fn expect_residuals(&mut self) -> bool {
        self.plain = None;
        true
    }

    fn tell_residuals(&mut self, residuals: &Matrix<f64>) {
        self.told.clone_from(residuals);
    }

    fn launch(&mut self, x: &[f64], value: f64, gradient: Option<&[f64]>) {
        if let Some(plain) = &mut self.plain {
            return plain.launch(x, value, gradient);
        }
        self.x.copy_from_slice(x);
        self.scales.fill(0.0);
        (self.f, self.delta, self.predicted) = (value, 0.0, f64::INFINITY);
        (self.central, self.failures, self.again) = (false, 0, false);
        (self.steps, self.why) = (0, None);
        for (j, size) in self.sizes.iter_mut().enumerate() {
            let width = self.terrain.upper[j] - self.terrain.lower[j];
            *size = if x[j] != 0.0 { x[j].abs() } else { width.min(1.0) };
        }
        // What was told last may be of other points.
        let known = self.told.iter().find(|r| !r.is_empty() && dot(r, r) == value);
        self.r = known.map(<[f64]>::to_vec).unwrap_or_default();
        self.stage = if self.r.is_empty() { Stage::Begin } else { Stage::Jacobian };
        self.begin_errors();
    }

    fn ask(&mut self, xs: &mut Matrix<f64>) {
        if let Some(plain) = &mut self.plain {
            return plain.ask(xs);
        }
        xs.clear();
        match self.stage {
            Stage::Begin => xs.push(&self.x),
            Stage::Jacobian => self.ask_differences(xs),
            Stage::Step => xs.push(&self.end_of_step()),
            Stage::Noise => self.ask_line(xs),
            Stage::Ended => {}
        }
        if xs.is_empty() && self.stage == Stage::Jacobian {
            self.end("no variable can move");
        }
    }

    fn tell(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        if let Some(plain) = &mut self.plain {
            return plain.tell(xs, values);
        }
        match self.stage {
            Stage::Begin => match self.residuals(0, values) {
                Some(r) => {
                    self.r = r;
                    self.f = dot(&self.r, &self.r);
                    self.begin_errors();
                    self.stage = Stage::Jacobian;
                }
                None => self.end("the start has no residuals"),
            },
            Stage::Jacobian => self.take_differences(xs, values),
            Stage::Step => self.take_step(xs, values),
            Stage::Noise => self.take_line(xs, values),
            Stage::Ended => {}
        }
    }

    fn place(&self) -> (&[f64], f64) {
        self.plain.as_ref().map_or((&self.x, self.f), |plain| plain.place())
    }

    fn steps(&self) -> u64 {
        self.plain.as_ref().map_or(self.steps, |plain| plain.steps())
    }

    fn stop_reason(&self) -> Option<&Reason> {
        self.plain.as_ref().map_or(self.why.as_ref(), |plain| plain.stop_reason())
    }

    /// Equation (6); of a variable at a bound whose value the fit would leave, 0.
    fn covariance(&self) -> Option<Matrix<f64>> {
        let (n, m) = (self.x.len(), self.r.len());
        if self.stage != Stage::Ended || self.jacobian.is_empty() || m <= n {
            return None;
        }
        let free: Vec<usize> = (0..n).filter(|&j| self.is_free(j)).collect();
        let columns: Vec<&[f64]> = free.iter().map(|&j| self.jacobian.row(j)).collect();
        let triangle = Triangle::of(&columns, &self.r);
        let inverse = triangle.inverse()?;
        let variance = self.f / (m - n) as f64;
        let mut all = Matrix::zeros(n, n);
        for (a, &i) in free.iter().enumerate() {
            for (b, &j) in free.iter().enumerate() {
                // (R^T R)^-1 = R^-1 R^-T.
                all.row_mut(i)[j] =
                    variance * (a.max(b)..free.len()).map(|k| inverse[k][a] * inverse[k][b]).sum::<f64>();
            }
        }
        Some(all)
    }

    fn verify(&self, terrain: &Terrain, launched: bool) -> Result<()> {
        let (n, m) = (terrain.dim(), self.r.len());
        saved::parameters(&self.params)?;
        saved::holds("terrain", self.terrain == *terrain, "must be that of the space")?;
        self.plain.as_ref().map_or(Ok(()), |plain| plain.verify(terrain, launched))?;
        saved::length("x", &self.x, n)?;
        saved::lengths([("scales", &self.scales), ("sizes", &self.sizes), ("p", &self.p)], n)?;
        saved::below("asked", self.asked.iter().map(|(j, _)| j), n)?;
        saved::count("steps", self.steps)?;
        saved::holds("failures", self.failures < 1 << 20, "must be a count")?;
        let starts = matches!(self.stage, Stage::Begin | Stage::Ended);
        saved::holds("residuals", m > 0 || starts, "must be there")?;
        // Before the first differences the Jacobian is that of an earlier start.
        let known = !self.jacobian.is_empty() && m > 0;
        if known {
            saved::shape("jacobian", &self.jacobian, n, m)?;
        }
        let needed = self.stage == Stage::Step || self.stage == Stage::Jacobian && self.again;
        saved::holds("jacobian", known || !needed, "must be there")
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.numbers.extend([("delta", self.delta), ("predicted", self.predicted), ("f", self.place().1)]);
    }
}

impl LeastSquares {
    fn end(&mut self, why: &str) {
        (self.stage, self.why) = (Stage::Ended, Some(Reason::Method(why.into())));
    }

    fn begin_errors(&mut self) {
        let largest = self.r.iter().fold(0.0f64, |largest, r| largest.max(r.abs()));
        (self.error, self.measured) = (self.params.noise.unwrap_or(0.0) * largest, self.params.noise.is_some());
    }

    /// The residuals of row i of what was told, where all are known.
    fn residuals(&self, i: usize, values: &[f64]) -> Option<Vec<f64>> {
        let fits = |r: &&[f64]| !r.is_empty() && (self.r.is_empty() || r.len() == self.r.len());
        let row = (values[i].is_finite() && i < self.told.len()).then(|| self.told.row(i)).filter(fits)?;
        row.iter().all(|r| r.is_finite()).then(|| row.to_vec())
    }

    /// Whether a variable may move downhill.
    fn is_free(&self, j: usize) -> bool {
        let slope = dot(self.jacobian.row(j), &self.r);
        !(self.x[j] <= self.terrain.lower[j] && slope > 0.0 || self.x[j] >= self.terrain.upper[j] && slope < 0.0)
    }

    // Differences.

    fn ask_differences(&mut self, xs: &mut Matrix<f64>) {
        if !self.again {
            self.asked.clear();
            for j in 0..self.x.len() {
                let h = self.interval(j);
                if self.central {
                    self.asked.extend([(j, h), (j, -h)]);
                } else {
                    self.asked.push((j, h));
                }
            }
        }
        let (x, terrain) = (&self.x, &self.terrain);
        self.asked.retain_mut(|(j, h)| {
            let place = |h: f64| terrain.clamp(*j, x[*j] + h);
            // At a bound the other side serves.
            if (place(*h) - x[*j]).abs() < 0.5 * h.abs() && (place(-*h) - x[*j]).abs() >= 0.5 * h.abs() {
                *h *= -0.5;
            }
            *h = place(*h) - x[*j];
            *h != 0.0
        });
        for &(j, h) in &self.asked {
            xs.push(&self.x);
            let row = xs.len() - 1;
            xs.row_mut(row)[j] += h;
        }
    }

    /// h of eq. (1).
    fn interval(&self, j: usize) -> f64 {
        let size = self.x[j].abs().max(1e-3 * self.sizes[j]);
        let relative = if self.central { math::cbrt(self.terrain.epsilon) } else { self.terrain.epsilon.sqrt() };
        let mut h = relative * size;
        if self.error > 0.0 {
            // The error over h is to be as large as the change of the slope along h, which is taken for J_j / size.
            let known = !self.jacobian.is_empty() && j < self.jacobian.len();
            let slope = if known { self.jacobian.row(j) } else { &[] };
            let slope = (dot(slope, slope) / self.r.len() as f64).sqrt();
            let slope = if slope > 0.0 { slope } else { (self.f / self.r.len() as f64).sqrt() / size };
            let share = (self.error / (slope * size)).min(1.0);
            h = h.max(size * if self.central { math::cbrt(share) } else { 2.0 * share.sqrt() }.min(0.1));
        }
        if self.x[j] < 0.0 { -h } else { h }
    }

    fn take_differences(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        let (n, m) = (self.x.len(), self.r.len());
        if !self.again {
            if self.jacobian.dim() != m || self.jacobian.len() != n {
                self.jacobian = Matrix::zeros(n, m);
            }
            self.jacobian.data_mut().fill(0.0);
        }
        let mut failed = Vec::new();
        let mut best: Option<(f64, Vec<f64>, Vec<f64>)> = None;
        let mut k = 0;
        while k < self.asked.len() {
            let (j, h) = self.asked[k];
            let pair = self.asked.get(k + 1).filter(|(other, _)| *other == j).map(|(_, h)| *h);
            let found = self.residuals(k, values).map(|r| (r, xs.row(k)[j] - self.x[j]));
            let other = pair.and_then(|_| self.residuals(k + 1, values).map(|r| (r, xs.row(k + 1)[j] - self.x[j])));
            for (row, (r, _)) in
                [(k, &found), (k + 1, &other)].into_iter().filter_map(|(row, f)| Some((row, f.as_ref()?)))
            {
                let f = dot(r, r);
                if f < best.as_ref().map_or(self.f, |best| best.0) {
                    best = Some((f, xs.row(row).to_vec(), r.clone()));
                }
            }
            let column = self.jacobian.row_mut(j);
            match (&found, &other) {
                (Some((a, ha)), Some((b, hb))) if ha != hb && *ha != 0.0 && *hb != 0.0 => {
                    // The parabola through three points, whatever their distances.
                    let (wa, wb) = (-hb / (ha * (ha - hb)), ha / (hb * (ha - hb)));
                    let each = a.iter().zip(b).zip(&self.r);
                    column.iter_mut().zip(each).for_each(|(c, ((a, b), r))| *c = wa * (a - r) + wb * (b - r));
                }
                (Some((a, h)), _) | (_, Some((a, h))) if *h != 0.0 => {
                    column.iter_mut().zip(a.iter().zip(&self.r)).for_each(|(c, (a, r))| *c = (a - r) / h); // eq. (1)
                }
                _ => failed.push((j, -0.5 * h)),
            }
            k += 1 + usize::from(pair.is_some());
        }
        if !failed.is_empty() && !self.again {
            (self.asked, self.again) = (failed, true);
            return;
        }
        self.again = false;
        if failed.len() == n {
            return self.end("no difference could be taken");
        }
        self.origin = if self.central { Origin::Central } else { Origin::Forward };
        self.updates = 0;
        for j in 0..n {
            let length = dot(self.jacobian.row(j), self.jacobian.row(j)).sqrt();
            self.scales[j] = self.scales[j].max(length); // eq. (3)
        }
        if self.delta == 0.0 {
            let length: f64 = self.x.iter().zip(&self.scales).map(|(x, d)| (d * x).powi(2)).sum::<f64>().sqrt();
            self.delta = self.params.radius * if length > 0.0 { length } else { 1.0 };
        }
        self.plan();
    }

    // Steps.

    /// Finds p of eq. (2), or ends.
    fn plan(&mut self) {
        if self.f == 0.0 {
            return self.end("all residuals are 0");
        }
        self.p.fill(0.0);
        let n = self.x.len();
        let mut free: Vec<usize> = (0..n).filter(|&j| self.scales[j] > 0.0 && self.is_free(j)).collect();
        let mut rest = self.r.clone();
        let mut room = self.delta;
        // Variables that would leave the box go to their bounds, one after another.
        while !free.is_empty() && room > 0.0 {
            let columns: Vec<&[f64]> = free.iter().map(|&j| self.jacobian.row(j)).collect();
            let scales: Vec<f64> = free.iter().map(|&j| self.scales[j]).collect();
            let step = step(&Triangle::of(&columns, &rest), &scales, room);
            let beyond = |k: usize| {
                let j = free[k];
                let (lo, hi) = (self.terrain.lower[j] - self.x[j], self.terrain.upper[j] - self.x[j]);
                if step[k] < lo {
                    Some(lo)
                } else if step[k] > hi {
                    Some(hi)
                } else {
                    None
                }
            };
            // The one that leaves it first.
            let share = |k: usize| beyond(k).map(|bound| bound / step[k]);
            let first = (0..free.len()).filter_map(|k| Some((share(k)?, k))).min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((_, k)) = first else {
                free.iter().zip(&step).for_each(|(&j, &p)| self.p[j] = p);
                break;
            };
            let bound = beyond(k).unwrap_or(0.0);
            let j = free.remove(k);
            self.p[j] = bound;
            rest.iter_mut().zip(self.jacobian.row(j)).for_each(|(r, c)| *r += c * bound);
            room = (room.powi(2) - (self.scales[j] * bound).powi(2)).max(0.0).sqrt();
        }
        self.predicted = self.model();
        let moves = self.x.iter().zip(&self.p).any(|(x, p)| x + p != *x);
        // Differences that are exact to more digits lead to more.
        let tolerance = self.params.tolerance * if self.origin == Origin::Central { CLOSER } else { 1.0 };
        let little = self.predicted <= tolerance * self.f;
        let near = self.length(&self.p) <= tolerance.sqrt() * self.params.tolerance.sqrt() * self.length(&self.x);
        let noisy = self.error > 0.0 && self.predicted <= self.error.powi(2) * self.r.len() as f64;
        if !moves || little || near || noisy {
            return self.improve_or_end(if noisy {
                "what is left to gain is below the error of the values"
            } else {
                "converged"
            });
        }
        if self.steps >= STEPS {
            return self.end("too many steps");
        }
        self.stage = Stage::Step;
    }

    /// Nothing is to be gained by this Jacobian.
    fn improve_or_end(&mut self, why: &str) {
        if self.origin == Origin::Central {
            return self.end(why);
        }
        (self.central, self.stage) = (true, Stage::Jacobian);
    }

    /// |D t|.
    fn length(&self, t: &[f64]) -> f64 {
        t.iter().zip(&self.scales).map(|(t, d)| (d * t).powi(2)).sum::<f64>().sqrt()
    }

    /// |r|^2 - |r + J p|^2, without the difference of two large numbers.
    fn model(&self) -> f64 {
        let mut change = vec![0.0; self.r.len()];
        for (j, p) in self.p.iter().enumerate().filter(|(_, p)| **p != 0.0) {
            change.iter_mut().zip(self.jacobian.row(j)).for_each(|(r, c)| *r += c * p);
        }
        (-2.0 * dot(&change, &self.r) - dot(&change, &change)).max(0.0)
    }

    fn end_of_step(&self) -> Vec<f64> {
        (0..self.x.len()).map(|j| self.terrain.clamp(j, self.x[j] + self.p[j])).collect()
    }

    fn take_step(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        let found = self.residuals(0, values);
        let f = found.as_ref().map_or(f64::INFINITY, |r| dot(r, r));
        let length = self.length(&self.p);
        let gain = self.f - f;
        // A gain that rounding hides is believed.
        let hidden = self.predicted <= HIDDEN * self.f && gain >= -HIDDEN * self.f;
        let rho = if hidden { 1.0 } else { gain / self.predicted }; // eq. (4)
        if self.steps == 0 {
            self.delta = self.delta.min(length);
        }
        if rho < BAD {
            // The minimum of the parabola through the value, the slope and the new value, within limits.
            let slope = -2.0 * self.predicted;
            let share = if f.is_finite() { 0.5 * slope / (slope + gain) } else { 0.1 };
            self.delta = share.clamp(0.1, 0.5) * self.delta.min(10.0 * length);
        } else if rho > GOOD {
            self.delta = self.delta.max(2.0 * length);
        }
        let accepted = rho > ACCEPTED && (gain > 0.0 || hidden);
        let Some(new) = found.filter(|_| accepted) else { return self.after_failure() };
        let old = std::mem::replace(&mut self.r, new);
        let share = self.predicted / self.f;
        (self.x, self.f) = (xs.row(0).to_vec(), f);
        (self.steps, self.failures) = (self.steps + 1, 0);
        if self.central && share <= CHORD {
            return self.plan();
        }
        let faithful = (rho - 1.0).abs() <= FAITHFUL && share <= LOCAL && self.updates < self.x.len();
        if self.central || !faithful {
            self.stage = Stage::Jacobian;
            return;
        }
        self.update(&old, length);
        self.plan();
    }

    /// Equation (5).
    fn update(&mut self, old: &[f64], length: f64) {
        let mut error: Vec<f64> = self.r.iter().zip(old).map(|(new, old)| new - old).collect();
        for (j, p) in self.p.iter().enumerate().filter(|(_, p)| **p != 0.0) {
            error.iter_mut().zip(self.jacobian.row(j)).for_each(|(e, c)| *e -= c * p);
        }
        for (j, p) in self.p.iter().enumerate() {
            let share = self.scales[j].powi(2) * p / length.powi(2);
            self.jacobian.row_mut(j).iter_mut().zip(&error).for_each(|(c, e)| *c += share * e);
        }
        (self.origin, self.updates) = (Origin::Update, self.updates + 1);
    }

    /// A step has gained nothing.
    fn after_failure(&mut self) {
        self.failures += 1;
        if self.failures >= FAILURES && !self.measured {
            self.stage = Stage::Noise;
        } else if self.origin == Origin::Update {
            self.stage = Stage::Jacobian;
        } else {
            self.plan();
        }
    }

    // The error of values.

    fn ask_line(&self, xs: &mut Matrix<f64>) {
        for k in 1..noise::POINTS {
            xs.push(&self.x);
            for j in 0..self.x.len() {
                let h = SPACING * self.terrain.epsilon.sqrt() * self.sizes[j].max(self.x[j].abs());
                let h = if self.x[j] + noise::POINTS as f64 * h > self.terrain.upper[j] { -h } else { h };
                let row = xs.len() - 1;
                xs.row_mut(row)[j] = self.terrain.clamp(j, self.x[j] + k as f64 * h);
            }
        }
    }

    fn take_line(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        self.measured = true;
        let lines: Option<Vec<Vec<f64>>> = (0..xs.len()).map(|k| self.residuals(k, values)).collect();
        let Some(lines) = lines else {
            self.stage = Stage::Jacobian;
            return;
        };
        let table = |i: usize| -> [f64; noise::POINTS] {
            std::array::from_fn(|k| if k == 0 { self.r[i] } else { lines[k - 1][i] })
        };
        let mut errors: Vec<f64> = (0..self.r.len()).filter_map(|i| noise::error(table(i))).collect();
        errors.sort_by(f64::total_cmp);
        self.error = errors.get(errors.len() / 2).copied().unwrap_or(0.0);
        let usual = self.terrain.epsilon * (self.f / self.r.len() as f64).sqrt();
        if self.error <= usual {
            self.error = 0.0;
        }
        self.failures = 0;
        self.delta = 0.0;
        self.stage = Stage::Jacobian;
    }
}

/// p of eq. (2) within the radius `delta`.
fn step(triangle: &Triangle, scales: &[f64], delta: f64) -> Vec<f64> {
    let length = |p: &[f64]| p.iter().zip(scales).map(|(p, d)| (p * d).powi(2)).sum::<f64>().sqrt();
    if let Some(p) = triangle.solve().filter(|p| length(p) <= (1.0 + RADIUS) * delta) {
        return p;
    }
    // l lies between 0 and |D^-1 J^T r| / delta.
    let gradient = (0..triangle.b.len()).map(|k| dot(&triangle.r[k][..=k], &triangle.b[..=k]) / scales[k]);
    let mut high = gradient.map(|g| g * g).sum::<f64>().sqrt() / delta;
    let (mut low, mut damping) = (0.0, 1e-3 * high);
    let mut best = vec![0.0; triangle.b.len()];
    for _ in 0..30 {
        let damped = triangle.damped(scales, damping);
        let Some(p) = damped.solve() else {
            low = damping;
            damping = (low * 10.0).max(high * 1e-12);
            continue;
        };
        let size = length(&p);
        if size <= (1.0 + RADIUS) * delta {
            best.clone_from(&p);
        }
        if (size - delta).abs() <= RADIUS * delta {
            return p;
        }
        if size > delta {
            low = damping
        } else {
            high = damping
        }
        // Newton's step for 1 / |D p| = 1 / delta: l += (|D p| / |w|)^2 (|D p| - delta) / delta with R^T w = D^2 p.
        let mut w = vec![0.0; triangle.b.len()];
        for k in 0..triangle.b.len() {
            let sum: f64 = (0..k).map(|i| damped.r[k][i] * w[i]).sum();
            w[k] = (scales[k].powi(2) * p[k] - sum) / damped.r[k][k];
        }
        let next = damping + size.powi(2) / dot(&w, &w) * (size - delta) / delta;
        damping = if next > low && next < high { next } else { (low * high).sqrt().max(1e-3 * high) };
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_solves_and_keeps_to_the_radius() {
        let (a, b, c) = ([1.0, 2.0, -1.0, 0.5], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, -1.0]);
        let r = [1.0, -2.0, 0.5, 4.0];
        let triangle = Triangle::of(&[&a, &b, &c], &r);
        let p = triangle.solve().unwrap();
        let left: Vec<f64> = (0..4).map(|i| r[i] + p[0] * a[i] + p[1] * b[i] + p[2] * c[i]).collect();
        for column in [&a, &b, &c] {
            assert!(dot(&left, column).abs() < 1e-12);
        }
        let scales = [1.0, 2.0, 0.5];
        let length = |p: &[f64]| p.iter().zip(scales).map(|(p, d)| (p * d).powi(2)).sum::<f64>().sqrt();
        for delta in [0.5 * length(&p), 1e-3, 1e-9] {
            let short = step(&triangle, &scales, delta);
            assert!((length(&short) - delta).abs() <= RADIUS * delta, "{delta}: {}", length(&short));
        }
        let inverse = triangle.inverse().unwrap();
        for (j, column) in inverse.iter().enumerate() {
            for i in 0..3 {
                let product: f64 = (0..3).map(|k| triangle.r[k][i] * column[k]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
    }
}
