//! What a swarm gradient is measured against: the exact gradient, finite differences, SPSA and evolution strategies.
//!
//! ```text
//! forward    (f(w + h e_j) - f(w)) / h                                        dim + 1 evaluations
//! central    (f(w + h e_j) - f(w - h e_j)) / (2 h)                            2 dim + 1
//! SPSA       mean over pairs of (f(w + h D) - f(w - h D)) / (2 h) D           2 pairs + 1;  D_j = +-1   (Spall 1992)
//! ES         mean over pairs of (f(w + s xi) - f(w - s xi)) / (2 s) xi        2 pairs + 1;  xi ~ N(0, I)  (Nesterov & Spokoiny 2017)
//! ```
//!
//! The evaluation of f(w) counts although only `forward` needs it: a source says the value at its point. All points are
//! brought back inside the bounds; the differences along the axes are divided by the distance that is left.

use super::points::{evaluate, finite, length};
use crate::parameters::{Parameters, choice, parameters};
use swarmgrad_core::{Differentiable, GradientSource, Matrix, Problem, Real, Reliability, Result, Rng, Sampled};

/// The exact gradient of a differentiable problem: one evaluation and one gradient.
pub struct Exact<'a, F: Real = f64, P: Differentiable<F> + ?Sized = dyn Differentiable<F>> {
    problem: &'a P,
    scalar: std::marker::PhantomData<F>,
}

impl<'a, F: Real, P: Differentiable<F> + ?Sized> Exact<'a, F, P> {
    /// The source for a problem.
    pub fn new(problem: &'a P) -> Self {
        Exact { problem, scalar: std::marker::PhantomData }
    }
}

impl<F: Real, P: Differentiable<F> + ?Sized> GradientSource<F> for Exact<'_, F, P> {
    fn gradient(&mut self, w: &[F], out: &mut [F], _rng: &Rng) -> Sampled<F> {
        self.problem.gradient(w, out);
        Sampled { value: self.problem.value(w), evaluations: 1, gradients: 1, reliability: None }
    }
}

choice! {
    /// On which sides of the point a difference looks.
    pub enum Sides {
        /// Both: error O(h^2).
        Central = "central",
        /// One: error O(h), half the evaluations.
        Forward = "forward",
    }
}

parameters! {
    /// Parameters of [`Differences`].
    pub struct DifferencesParams {
        /// On which sides of the point a difference looks.
        sides "": Sides = Sides::Central, Choice(Sides::WORDS);
        /// Step; null for the precision's best: its cube root (central) or square root (forward), times max(1, |w_j|).
        step "h": Option<f64> = None, Above(0.0);
    }
}

/// Finite differences along the axes.
///
/// ```
/// use swarmgrad_algorithms::gradient::yardstick::{Differences, DifferencesParams};
/// use swarmgrad_core::{Function, GradientSource, Rng, Space};
///
/// let cubic = Function::new(Space::unbounded(1)?, |x: &[f64]| x[0].powi(3));
/// let mut source = Differences::new(&cubic, DifferencesParams::default())?;
/// let mut gradient = [0.0];
/// let sampled = source.gradient(&[2.0], &mut gradient, &Rng::new(1));
/// assert!((gradient[0] - 12.0).abs() < 1e-8 && sampled.evaluations == 3);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Differences<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    params: DifferencesParams,
    points: Matrix<F>,
    values: Vec<F>,
}

impl<'a, F: Real> Differences<'a, F> {
    /// The source for a problem. Errors name the parameter, its value and the rule.
    pub fn new(problem: &'a dyn Problem<F>, params: DifferencesParams) -> Result<Self> {
        params.check()?;
        Ok(Differences { problem, params, points: Matrix::default(), values: Vec::new() })
    }
}

impl<F: Real> GradientSource<F> for Differences<'_, F> {
    fn gradient(&mut self, w: &[F], out: &mut [F], _rng: &Rng) -> Sampled<F> {
        let (dim, space) = (w.len(), self.problem.space());
        let (sides, root) = match self.params.sides {
            Sides::Central => (2, F::epsilon().cbrt()),
            Sides::Forward => (1, F::epsilon().sqrt()),
        };
        // Row 0 is w; then w + h e_j, and w - h e_j where both sides are looked at.
        self.points.resize(1 + sides * dim, dim);
        self.points.iter_mut().for_each(|row| row.copy_from_slice(w));
        for (j, &w) in w.iter().enumerate() {
            let h = self.params.step.map_or(root * w.abs().max(F::one()), F::of);
            let (low, high) = (space.lower()[j], space.upper()[j]);
            let inside = |t: F| t.max(low).min(high);
            // A forward step that the upper bound cuts short looks backward instead.
            let ahead = if sides == 1 && w + h > high && w - h >= low { w - h } else { w + h };
            self.points.row_mut(1 + j)[j] = inside(ahead);
            if sides == 2 {
                self.points.row_mut(1 + dim + j)[j] = inside(w - h);
            }
        }
        evaluate(self.problem, &self.points, &mut self.values);
        // A coordinate is a sample; its error is that of rounding, what the step leaves out no value shows.
        let (mut seen, mut variance) = (0.0, 0.0);
        for (j, out) in out.iter_mut().enumerate() {
            let (ahead, behind) = (1 + j, if sides == 2 { 1 + dim + j } else { 0 });
            let width = self.points.row(ahead)[j] - self.points.row(behind)[j];
            let slope = (self.values[ahead] - self.values[behind]) / width;
            *out = finite(slope);
            if slope.is_finite() {
                let size = self.values[ahead].abs().max(self.values[behind].abs());
                seen += 1.0;
                variance += (F::epsilon() * size / width).f64().powi(2);
            }
        }
        let reliability = Reliability::of(seen, dim as f64, variance.sqrt(), length(out));
        let evaluations = self.points.len() as u64;
        Sampled { value: self.values[0], evaluations, gradients: 0, reliability: Some(reliability) }
    }
}

choice! {
    /// Along which random directions.
    pub enum Directions {
        /// N(0, I): the gradient of evolution strategies, an unbiased gradient of the Gaussian smoothing.
        Normal = "normal",
        /// Each coordinate +1 or -1: SPSA.
        Signs = "signs",
    }
}

parameters! {
    /// Parameters of [`RandomDirections`].
    pub struct DirectionsParams {
        /// Along which random directions.
        directions "": Directions = Directions::Normal, Choice(Directions::WORDS);
        /// Step along a direction: the deviation of the smoothing (evolution strategies), h (SPSA).
        step "sigma": f64 = 1e-2, Above(0.0);
        /// Pairs of opposite points.
        pairs "": usize = 10, AtLeast(1.0);
    }
}

impl DirectionsParams {
    /// Simultaneous perturbation (SPSA): one pair, directions of signs.
    pub fn spsa() -> Self {
        DirectionsParams { directions: Directions::Signs, pairs: 1, ..DirectionsParams::default() }
    }
}

/// Central differences along random directions: evolution strategies and SPSA.
pub struct RandomDirections<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    params: DirectionsParams,
    directions: Matrix<F>,
    points: Matrix<F>,
    values: Vec<F>,
}

impl<'a, F: Real> RandomDirections<'a, F> {
    /// The source for a problem. Errors name the parameter, its value and the rule.
    pub fn new(problem: &'a dyn Problem<F>, params: DirectionsParams) -> Result<Self> {
        params.check()?;
        let (directions, points) = (Matrix::default(), Matrix::default());
        Ok(RandomDirections { problem, params, directions, points, values: Vec::new() })
    }
}

impl<F: Real> GradientSource<F> for RandomDirections<'_, F> {
    fn gradient(&mut self, w: &[F], out: &mut [F], rng: &Rng) -> Sampled<F> {
        let (pairs, step) = (self.params.pairs, F::of(self.params.step));
        let (draws, outside) = (rng.fork("direction"), rng.fork("outside"));
        let half = F::of(0.5);
        self.directions.resize(pairs, w.len());
        self.points.resize(1 + 2 * pairs, w.len());
        self.points.row_mut(0).copy_from_slice(w);
        for k in 0..pairs {
            let direction = self.directions.row_mut(k);
            match self.params.directions {
                Directions::Normal => draws.row(k).fill_normal(direction),
                Directions::Signs => {
                    draws.row(k).fill_uniform(direction);
                    direction.iter_mut().for_each(|d| *d = if *d < half { -F::one() } else { F::one() });
                }
            }
            for (i, step) in [(1 + 2 * k, step), (2 + 2 * k, -step)] {
                let row = self.points.row_mut(i);
                row.iter_mut().zip(w).zip(self.directions.row(k)).for_each(|((p, &w), &d)| *p = w + step * d);
                self.problem.space().repair(row, 0, &mut outside.row(i));
            }
        }
        evaluate(self.problem, &self.points, &mut self.values);
        out.fill(F::zero());
        let share = F::one() / (F::of(2.0) * step * F::of(pairs as f64));
        let (mut seen, mut squares) = (0.0, 0.0);
        for k in 0..pairs {
            let rise = (self.values[1 + 2 * k] - self.values[2 + 2 * k]) * share;
            seen += f64::from(u8::from(rise.is_finite()));
            let (rise, direction) = (finite(rise), self.directions.row(k));
            out.iter_mut().zip(direction).for_each(|(o, &d)| *o += rise * d);
            squares += (rise.f64() * length(direction)).powi(2);
        }
        let size = length(out);
        let (n, dim) = (pairs as f64, w.len() as f64);
        let variance = match self.params.directions {
            _ if pairs > 1 => (n / (n - 1.0) * (squares - size * size / n)).max(0.0),
            // Of one direction D: E |<g, D> D|^2 is d |g|^2 for signs and (d + 2) |g|^2 for normals.
            Directions::Signs => (dim - 1.0) / dim * squares,
            Directions::Normal => (dim + 1.0) / (dim + 2.0) * squares,
        };
        let reliability = Reliability::of(seen, 1.0, variance.sqrt(), size);
        let evaluations = self.points.len() as u64;
        Sampled { value: self.values[0], evaluations, gradients: 0, reliability: Some(reliability) }
    }
}
