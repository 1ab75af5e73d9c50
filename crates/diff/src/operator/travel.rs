//! Travel: how particles move, and the bounds.
//!
//! ```text
//! PSO    v' = w v + c1 r1 (y - x) + c2 r2 (g - x)          x' = x + v'
//! EMPSO  m' = beta m + (1 - beta) v                        v' = m' + c1 r1 (y - x) + c2 r2 (g - x)      x' = x + v'
//! CBO    x' = x + lambda (c - x) + sigma |c - x| xi
//! ```
//!
//! The personal best y and the global best g may be hard or soft: [`super::survive::Greedy`] and [`super::select::Choose`].

use super::{Operator, Sizes};
use std::cell::RefCell;
use swarmgrad_algorithms::particle::{empso, force, pso};
use swarmgrad_core::{Outside, Rng, Scalar, Space};

/// The move of PSO. Theta: w, c1, c2; inputs: x, v, y, g; outputs: x', v'.
#[derive(Debug, Clone, Copy)]
pub struct Pso<'a> {
    /// Uniform numbers of the pull towards y.
    pub r1: &'a [f64],
    /// Uniform numbers of the pull towards g.
    pub r2: &'a [f64],
}

impl Operator for Pso<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 3, inputs: 4 * self.r1.len(), outputs: 2 * self.r1.len() }
    }

    #[inline]
    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let dim = self.r1.len();
        let law = [theta[0], theta[1], theta[2]];
        let (x, rest) = inputs.split_at(dim);
        let (v, rest) = rest.split_at(dim);
        let (y, g) = rest.split_at(dim);
        let (next_x, next_v) = outputs.split_at_mut(dim);
        let (r1, r2, g, next_v) = (&self.r1[..dim], &self.r2[..dim], &g[..dim], &mut next_v[..dim]);
        for j in 0..dim {
            next_v[j] = pso::steer(law, x[j], v[j], [y[j], g[j]], [S::of(r1[j]), S::of(r2[j])]);
            next_x[j] = x[j] + next_v[j];
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.r1.len();
        let at = |k: usize, j: usize| inputs[k * dim + j];
        for j in 0..dim {
            let d_x = cotangent[j];
            let d_v = d_x + cotangent[dim + j];
            let (to_y, to_g) = (self.r1[j] * (at(2, j) - at(0, j)), self.r2[j] * (at(3, j) - at(0, j)));
            d_theta[0] += d_v * at(1, j);
            d_theta[1] += d_v * to_y;
            d_theta[2] += d_v * to_g;
            let (pull_y, pull_g) = (theta[1] * self.r1[j], theta[2] * self.r2[j]);
            d_inputs[j] += d_x - d_v * (pull_y + pull_g);
            d_inputs[dim + j] += d_v * theta[0];
            d_inputs[2 * dim + j] += d_v * pull_y;
            d_inputs[3 * dim + j] += d_v * pull_g;
        }
    }
}

/// The move of EMPSO, form A. Theta: beta, c1, c2; inputs: x, v, m, y, g; outputs: x', v', m'.
#[derive(Debug, Clone, Copy)]
pub struct Empso<'a> {
    /// Uniform numbers of the pull towards y.
    pub r1: &'a [f64],
    /// Uniform numbers of the pull towards g.
    pub r2: &'a [f64],
}

impl Operator for Empso<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 3, inputs: 5 * self.r1.len(), outputs: 3 * self.r1.len() }
    }

    #[inline]
    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let dim = self.r1.len();
        let law = [theta[0], theta[1], theta[2]];
        let at = |k: usize, j: usize| inputs[k * dim + j];
        for j in 0..dim {
            let draws = [S::of(self.r1[j]), S::of(self.r2[j])];
            let (v, m) = empso::steer(law, [at(0, j), at(1, j), at(2, j)], [at(3, j), at(4, j)], draws);
            (outputs[j], outputs[dim + j], outputs[2 * dim + j]) = (at(0, j) + v, v, m);
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.r1.len();
        let at = |k: usize, j: usize| inputs[k * dim + j];
        for j in 0..dim {
            let d_x = cotangent[j];
            let d_v = d_x + cotangent[dim + j];
            let d_m = d_v + cotangent[2 * dim + j];
            d_theta[0] += d_m * (at(2, j) - at(1, j));
            d_theta[1] += d_v * self.r1[j] * (at(3, j) - at(0, j));
            d_theta[2] += d_v * self.r2[j] * (at(4, j) - at(0, j));
            let (pull_y, pull_g) = (theta[1] * self.r1[j], theta[2] * self.r2[j]);
            d_inputs[j] += d_x - d_v * (pull_y + pull_g);
            d_inputs[dim + j] += d_m * (1.0 - theta[0]);
            d_inputs[2 * dim + j] += d_m * theta[0];
            d_inputs[3 * dim + j] += d_v * pull_y;
            d_inputs[4 * dim + j] += d_v * pull_g;
        }
    }
}

/// The move of consensus-based optimisation, anisotropic. Theta: lambda dt, sigma sqrt(dt); inputs: x, c; output: x'.
#[derive(Debug, Clone, Copy)]
pub struct Cbo<'a> {
    /// Standard normals.
    pub noise: &'a [f64],
}

impl Operator for Cbo<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 2, inputs: 2 * self.noise.len(), outputs: self.noise.len() }
    }

    #[inline]
    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (x, c) = inputs.split_at(self.noise.len());
        for (j, o) in outputs.iter_mut().enumerate() {
            let noise = S::of(self.noise[j]);
            *o = x[j] + (force::drift(theta[0], c[j], x[j]) + force::diffuse(theta[1], c[j], x[j], noise));
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.noise.len();
        let (x, c) = inputs.split_at(dim);
        for (j, d) in cotangent.iter().enumerate() {
            let to = c[j] - x[j];
            let sign = if to < 0.0 { -1.0 } else { 1.0 };
            d_theta[0] += d * to;
            d_theta[1] += d * to.abs() * self.noise[j];
            let by_c = theta[0] + theta[1] * sign * self.noise[j];
            d_inputs[j] += d * (1.0 - by_c);
            d_inputs[dim + j] += d * by_c;
        }
    }
}

/// Bringing a point back inside a box. No theta; input and output: a point.
///
/// What was clamped or drawn anew no longer depends on where it came from; a reflection turns the sign, a torus keeps it.
#[derive(Debug)]
pub struct Inside<'a> {
    /// The box.
    pub space: &'a Space<f64>,
    /// Draws of [`Outside::Resample`].
    pub rng: &'a Rng,
    /// The row whose draws they are.
    pub row: usize,
    buffer: RefCell<Vec<f64>>,
}

impl<'a> Inside<'a> {
    /// The repair of the point `row`.
    pub fn new(space: &'a Space<f64>, rng: &'a Rng, row: usize) -> Self {
        Inside { space, rng, row, buffer: RefCell::default() }
    }

    /// Derivative of coordinate `j`, before at `t`.
    fn slope(&self, j: usize, t: f64) -> f64 {
        let (low, high) = (self.space.lower()[j], self.space.upper()[j]);
        if low <= t && t <= high {
            return 1.0;
        }
        let width = high - low;
        match self.space.outside() {
            _ if width == 0.0 || !t.is_finite() => 0.0,
            Outside::Clamp | Outside::Resample => 0.0,
            Outside::Wrap => f64::from(u8::from(width.is_finite())),
            Outside::Reflect if width.is_infinite() => -1.0,
            Outside::Reflect => 1.0 - 2.0 * ((t - low) / width).floor().rem_euclid(2.0),
        }
    }
}

impl Operator for Inside<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 0, inputs: self.space.dim(), outputs: self.space.dim() }
    }

    fn forward<S: Scalar>(&self, _theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        buffer.extend(inputs.iter().map(|x| x.f64()));
        self.space.repair(&mut buffer, 0, &mut self.rng.row(self.row));
        for (j, (o, &x)) in outputs.iter_mut().zip(inputs).enumerate() {
            *o = S::straight_through(S::of(buffer[j]), || S::of(self.slope(j, x.f64())) * x);
        }
    }

    fn vjp(&self, _theta: &[f64], inputs: &[f64], cotangent: &[f64], _d_theta: &mut [f64], d_inputs: &mut [f64]) {
        for (j, c) in cotangent.iter().enumerate() {
            d_inputs[j] += c * self.slope(j, inputs[j]);
        }
    }
}
