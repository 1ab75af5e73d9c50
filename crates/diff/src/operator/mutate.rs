//! Mutation: new numbers from old ones.
//!
//! ```text
//! rand/1, best/1        r1 + F (r2 - r3), b + F (r2 - r3)
//! current-to-best/1     x + P (b - x) + F (r1 - r2); current-to-pbest/1 with one of the best for b
//! Gaussian              x + m sigma xi,  m = 1 where u < p_m
//! polynomial            x + m q(v; eta_m) width, see `evolution::mutate::polynomial`
//! ```

use super::{Operator, Sizes, one_or_each, place};
use crate::relax::{Relaxation, mask_logit, mask_logit_slope};
use swarmgrad_algorithms::evolution::mutate::{current_to_pbest_1, polynomial, rand_1};
use swarmgrad_core::{Scalar, math};

/// The mutants of differential evolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// rand/1 and best/1. Theta: F, one or one a variable; inputs: the base (a random point or the best), r2, r3.
    Base,
    /// current-to-best/1 and current-to-pbest/1. Theta: P, F; inputs: x, the best (or one of them), r1, r2.
    Current,
}

/// Mutation by differences; output: a mutant.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// Which mutant.
    pub kind: Kind,
    /// Coordinates.
    pub dim: usize,
    /// Whether every variable has its own F, for [`Kind::Base`].
    pub each: bool,
}

impl Operator for Difference {
    fn sizes(&self) -> Sizes {
        let (theta, points) = match self.kind {
            Kind::Base => (if self.each { self.dim } else { 1 }, 3),
            Kind::Current => (2, 4),
        };
        Sizes { theta, inputs: points * self.dim, outputs: self.dim }
    }

    #[inline]
    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let at = |k: usize, j: usize| inputs[k * self.dim + j];
        for (j, o) in outputs.iter_mut().enumerate() {
            *o = match self.kind {
                Kind::Base => rand_1(one_or_each(theta, j), [at(0, j), at(1, j), at(2, j)]),
                Kind::Current => current_to_pbest_1(at(0, j), [theta[0], theta[1]], [at(1, j), at(2, j), at(3, j)]),
            };
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.dim;
        for (j, &c) in cotangent.iter().enumerate() {
            let at = |k: usize| inputs[k * dim + j];
            match self.kind {
                Kind::Base => {
                    let k = place(theta, j);
                    d_theta[k] += c * (at(1) - at(2));
                    d_inputs[j] += c;
                    d_inputs[dim + j] += c * theta[k];
                    d_inputs[2 * dim + j] -= c * theta[k];
                }
                Kind::Current => {
                    d_theta[0] += c * (at(1) - at(0));
                    d_theta[1] += c * (at(2) - at(3));
                    d_inputs[j] += c * (1.0 - theta[0]);
                    d_inputs[dim + j] += c * theta[0];
                    d_inputs[2 * dim + j] += c * theta[1];
                    d_inputs[3 * dim + j] -= c * theta[1];
                }
            }
        }
    }
}

/// Gaussian mutation. Theta: sigma, p_m; input and output: a point.
#[derive(Debug, Clone, Copy)]
pub struct Gaussian<'a> {
    /// How a variable is decided to be mutated.
    pub relax: Relaxation,
    /// A uniform number a variable; it is mutated where that is below p_m.
    pub draws: &'a [f64],
    /// Standard normals, times the variable's unit.
    pub noise: &'a [f64],
}

impl Operator for Gaussian<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 2, inputs: self.noise.len(), outputs: self.noise.len() }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (sigma, rate) = (theta[0], theta[1]);
        for (j, (o, &x)) in outputs.iter_mut().zip(inputs).enumerate() {
            let (step, hit) = (sigma * S::of(self.noise[j]), S::of(self.draws[j]) < rate);
            let mixed = || x + self.relax.gate(hit, || mask_logit(rate, self.draws[j])) * step;
            *o = self.relax.decide(|| if hit { x + step } else { x }, mixed);
        }
    }

    fn vjp(&self, theta: &[f64], _inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (sigma, rate) = (theta[0], theta[1]);
        for (j, c) in cotangent.iter().enumerate() {
            let z = mask_logit(rate, self.draws[j]);
            let open = self.relax.gate(self.draws[j] < rate, || z);
            d_inputs[j] += c;
            d_theta[0] += c * open * self.noise[j];
            d_theta[1] += c * sigma * self.noise[j] * self.relax.gate_slope(z) * mask_logit_slope(rate);
        }
    }
}

/// Polynomial mutation. Theta: eta_m, p_m; input and output: a point.
///
/// The plain method takes v = u / p_m, which below the rate is uniform again; here the size of a mutation is noise that does
/// not depend on the rate.
#[derive(Debug, Clone, Copy)]
pub struct Polynomial<'a> {
    /// How a variable is decided to be mutated.
    pub relax: Relaxation,
    /// A uniform number a variable; it is mutated where that is below p_m.
    pub draws: &'a [f64],
    /// v, the uniform number of the mutation itself.
    pub sizes: &'a [f64],
    /// Lower bounds.
    pub lower: &'a [f64],
    /// Upper bounds.
    pub upper: &'a [f64],
}

impl Polynomial<'_> {
    /// Derivatives of the mutated number by y and by eta.
    fn slopes(&self, j: usize, y: f64, u: f64, eta: f64) -> [f64; 2] {
        let (lower, upper, power) = (self.lower[j], self.upper[j], eta + 1.0);
        let width = upper - lower;
        if width == 0.0 {
            return [1.0, 0.0];
        }
        // The room towards the bound in units of the width; a unit without bounds grows with |y| beyond 1.
        let down = u < 0.5;
        let (unit, unit_slope, room, room_slope) = if width.is_finite() {
            let room = if down { (y - lower) / width } else { (upper - y) / width };
            let inside = (0.0..=1.0).contains(&room);
            (
                width,
                0.0,
                room.clamp(0.0, 1.0),
                if !inside {
                    0.0
                } else if down {
                    1.0 / width
                } else {
                    -1.0 / width
                },
            )
        } else {
            (y.abs().max(1.0), if y.abs() < 1.0 { 0.0 } else { y.signum() }, 1.0, 0.0)
        };
        let sign = if down { 1.0 } else { -1.0 };
        let sure = if down { 2.0 * u } else { 2.0 * (1.0 - u) };
        let (share, left) = (1.0 - sure, 1.0 - room);
        let base = sure + share * math::powf(left, power);
        let root = math::powf(base, power.recip());
        let q = sign * (root - 1.0);
        if base <= 0.0 {
            return [1.0 + q * unit_slope, 0.0];
        }
        let by_base = sign * root / (power * base);
        let (by_room, by_power) = if left > 0.0 {
            (-share * power * math::powf(left, power - 1.0), share * math::powf(left, power) * math::ln(left))
        } else {
            (0.0, 0.0)
        };
        let by_eta = by_base * by_power - sign * root * math::ln(base) / (power * power);
        [1.0 + q * unit_slope + unit * by_base * by_room * room_slope, unit * by_eta]
    }
}

impl Operator for Polynomial<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 2, inputs: self.draws.len(), outputs: self.draws.len() }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (eta, rate) = (theta[0], theta[1]);
        for (j, (o, &y)) in outputs.iter_mut().zip(inputs).enumerate() {
            let hit = S::of(self.draws[j]) < rate;
            let mutated = |_: ()| polynomial(y, S::of(self.sizes[j]), eta, S::of(self.lower[j]), S::of(self.upper[j]));
            let mixed = || y + self.relax.gate(hit, || mask_logit(rate, self.draws[j])) * (mutated(()) - y);
            *o = self.relax.decide(|| if hit { mutated(()) } else { y }, mixed);
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (eta, rate) = (theta[0], theta[1]);
        for (j, (&c, &y)) in cotangent.iter().zip(inputs).enumerate() {
            let z = mask_logit(rate, self.draws[j]);
            let open = self.relax.gate(self.draws[j] < rate, || z);
            let [by_y, by_eta] = self.slopes(j, y, self.sizes[j], eta);
            let slope = self.relax.gate_slope(z);
            d_inputs[j] += c * (1.0 + open * (by_y - 1.0));
            d_theta[0] += c * open * by_eta;
            if slope != 0.0 {
                let mutated = polynomial(y, self.sizes[j], eta, self.lower[j], self.upper[j]);
                d_theta[1] += c * (mutated - y) * slope * mask_logit_slope(rate);
            }
        }
    }
}
