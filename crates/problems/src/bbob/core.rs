//! The formulas at the end of the chains.

use super::transform::{Columns, oscillate};
use crate::math::{cos, exp, sin, sin_pi_squared};
use std::f64::consts::PI;
use swarmgrad_core::math;

/// A formula in the moved point `z`, with what it needs beside it.
pub(super) enum Core {
    /// `sum w_i z_i^2`.
    Quadratic(Vec<f64>),
    /// `10 (d - sum cos(2 pi z_i)) + sum z_i^2`.
    Rastrigin,
    /// f5, in `x` itself: a plane of slopes `s`, level beyond its corner.
    Slope { corner: Vec<f64>, slopes: Vec<f64> },
    /// f6: `sum (s_i z_i)^2`, `s_i = 100` where `z_i` has the sign of the optimum.
    Sector(Vec<f64>),
    /// f7: rounds `z`, rotates it; `0.1 max(|z_1| / 10^4, sum w_i z_i^2)` with `z_1` before rounding.
    Steps { rotation: Columns, weights: Vec<f64> },
    /// `100 sum (z_i^2 - z_(i+1))^2 + sum (z_i - 1)^2`.
    Rosenbrock,
    /// f13: `z_1^2 + 100 sqrt(sum_(i > 1) z_i^2)`.
    Ridge,
    /// f14: `sqrt(sum |z_i|^(p_i))`.
    Powers(Vec<f64>),
    /// f16: `10 (1/d sum_i sum_k cos(2 pi (z_i + 1/2) b_k) a_k - f0)^3`.
    Weierstrass { a: [f64; 12], b: [f64; 12], f0: f64 },
    /// f17, f18: `(1/(d-1) sum s_i^(1/4) (1 + sin(50 s_i^(1/10))^2))^2`, `s_i = z_i^2 + z_(i+1)^2`.
    Schaffers,
    /// f19: Griewank's function of Rosenbrock's terms.
    GriewankRosenbrock,
    /// f20: `(P + 418.98 - 1/d sum z_i sin(sqrt|z_i|)) / 100`, `P = sum max(0, |z_i| - 500)^2`.
    Schwefel,
    /// f21, f22: `T_osz(10 - max_i w_i exp(-(z - y_i)^T C_i (z - y_i) / (2 d)))^2`.
    Gallagher(Peaks),
    /// f23: `10/d^2 prod (1 + i sum_j |2^j z_i - round(2^j z_i)| / 2^j)^(10 / d^1.2) - 10/d^2`.
    Katsuura,
    /// f24, in `x` as well: the lower of two bowls, and Rastrigin's waves in `z`.
    Lunacek { signs: Vec<f64> },
}

/// Peaks, coordinate by coordinate: entry `j n + i` belongs to coordinate `j` of peak `i`.
pub(super) struct Peaks {
    pub(super) heights: Vec<f64>,
    pub(super) centres: Vec<f64>,
    pub(super) scales: Vec<f64>,
}

/// The nearest integer, halves up.
#[inline(always)]
fn round(x: f64) -> f64 {
    (x + 0.5).floor()
}

impl Core {
    /// How many numbers of memory [`Core::value`] uses in `rest`.
    pub(super) fn needs(&self, dim: usize) -> usize {
        match self {
            Core::Gallagher(peaks) => peaks.heights.len(),
            Core::Katsuura => dim,
            _ => 0,
        }
    }

    /// The value at the point `x`, moved to `z`; `spare` has the size of `z`.
    #[inline(always)]
    pub(super) fn value(&self, x: &[f64], z: &mut [f64], spare: &mut [f64], rest: &mut [f64]) -> f64 {
        let dim = z.len() as f64;
        let pairs = || z.iter().zip(&z[1..]);
        match self {
            Core::Quadratic(weights) => weighted_squares(weights, z),
            Core::Rastrigin => {
                // 1 - cos(2 pi z) = 2 sin(pi z)^2. Loops are plain ones: a closure may be compiled apart, without the
                // instructions of this function.
                for (o, &t) in spare.iter_mut().zip(&*z) {
                    *o = 20.0 * sin_pi_squared(t);
                }
                let (waves, squares) = spare.iter().zip(&*z).fold((0.0, 0.0), |(w, s), (o, t)| (w + o, s + t * t));
                waves + squares
            }
            Core::Slope { corner, slopes } => {
                x.iter().zip(corner).zip(slopes).fold(0.0, |sum, ((&t, &corner), &slope)| {
                    let reached = if t * corner < 25.0 { t } else { corner };
                    sum + (5.0 * slope.abs() - slope * reached)
                })
            }
            Core::Sector(optimum) => z
                .iter()
                .zip(optimum)
                .fold(0.0, |sum, (t, o)| sum + if t * o > 0.0 { 100.0 * 100.0 * t * t } else { t * t }),
            Core::Steps { rotation, weights } => {
                let first = z[0];
                for t in z.iter_mut() {
                    *t = if t.abs() > 0.5 { round(*t) } else { round(10.0 * *t) / 10.0 };
                }
                rotation.times(z, 0.0, spare);
                0.1 * (first.abs() * 1e-4).max(weighted_squares(weights, spare))
            }
            Core::Rosenbrock => {
                let (valley, along) = pairs().fold((0.0, 0.0), |(valley, along), (a, b)| {
                    let (off, left) = (a * a - b, a - 1.0);
                    (valley + off * off, along + left * left)
                });
                100.0 * valley + along
            }
            Core::Ridge => 100.0 * z[1..].iter().fold(0.0, |sum, t| sum + t * t).sqrt() + z[0] * z[0],
            Core::Powers(exponents) => {
                z.iter().zip(exponents).fold(0.0, |sum, (t, &p)| sum + math::powf(t.abs(), p)).sqrt()
            }
            Core::Weierstrass { a, b, f0 } => {
                // The sums over k are made for all coordinates at a time, each in its order.
                spare.fill(0.0);
                for (a, b) in a.iter().zip(b) {
                    for (o, t) in spare.iter_mut().zip(&*z) {
                        *o += cos(2.0 * PI * (t + 0.5) * b) * a;
                    }
                }
                let excess = spare.iter().fold(0.0, |sum, t| sum + t) / dim - f0;
                10.0 * (excess * excess * excess)
            }
            Core::Schaffers => {
                let sum = pairs().fold(0.0, |sum, (a, b)| {
                    let s = a * a + b * b;
                    let wave = math::sin(50.0 * math::powf(s, 0.1));
                    sum + if s.is_infinite() { s } else { math::powf(s, 0.25) * (1.0 + wave * wave) }
                });
                let mean = sum / (dim - 1.0);
                mean * mean
            }
            Core::GriewankRosenbrock => {
                let sum = pairs().fold(0.0, |sum, (a, b)| {
                    let (off, left) = (a * a - b, 1.0 - a);
                    let t = 100.0 * off * off + left * left;
                    sum + (t / 4000.0 - math::cos(t))
                });
                10.0 + 10.0 * sum / (dim - 1.0)
            }
            Core::Schwefel => {
                for (o, t) in spare.iter_mut().zip(&*z) {
                    *o = t * sin(t.abs().sqrt());
                }
                let (penalty, sum) = z.iter().zip(&*spare).fold((0.0, 0.0), |(penalty, sum), (t, o)| {
                    let far = (t.abs() - 500.0).max(0.0);
                    (penalty + far * far, sum + o)
                });
                0.01 * (penalty + 418.9828872724339 - sum / dim)
            }
            Core::Gallagher(peaks) => {
                let value = oscillate(10.0 - peaks.highest(z, rest));
                value * value
            }
            Core::Katsuura => katsuura(z, rest),
            Core::Lunacek { signs } => {
                let s = 1.0 - 0.5 / ((dim + 20.0).sqrt() - 4.1);
                let (mu0, mu1) = (LUNACEK, -((LUNACEK * LUNACEK - 1.0) / s).sqrt());
                let (near, far) = x.iter().zip(signs).fold((0.0, 0.0), |(near, far), (t, sign)| {
                    let t = 2.0 * sign * t;
                    (near + (t - mu0) * (t - mu0), far + (t - mu1) * (t - mu1))
                });
                for (o, &t) in spare.iter_mut().zip(&*z) {
                    *o = 20.0 * sin_pi_squared(t);
                }
                near.min(dim + s * far) + spare.iter().fold(0.0, |sum, t| sum + t)
            }
        }
    }
}

/// The centre of the narrow bowl of f24 in each coordinate.
pub(super) const LUNACEK: f64 = 2.5;

/// `sum w_i z_i^2`.
#[inline(always)]
fn weighted_squares(weights: &[f64], z: &[f64]) -> f64 {
    weights.iter().zip(z).fold(0.0, |sum, (w, t)| sum + w * t * t)
}

/// Factors of f23 that are multiplied before they are raised to a power.
const FACTORS: usize = 32;

/// f23's formula; the sums over `j` are made for all coordinates at a time, each in its order.
#[inline(always)]
fn katsuura(z: &[f64], sums: &mut [f64]) -> f64 {
    let dim = z.len() as f64;
    sums.fill(0.0);
    let (mut power, mut inverse) = (1.0, 1.0);
    for _ in 1..=32 {
        (power, inverse) = (2.0 * power, 0.5 * inverse);
        for (sum, t) in sums.iter_mut().zip(z) {
            let scaled = power * t;
            *sum += (scaled - round(scaled)).abs() * inverse;
        }
    }
    let exponent = 10.0 / math::powf(dim, 1.2);
    // The power of a product: one for some factors, which are below their number and stay in range.
    let product = sums.chunks(FACTORS).enumerate().fold(1.0, |product, (k, sums)| {
        let factors = sums.iter().enumerate().map(|(i, sum)| 1.0 + ((FACTORS * k + i) as f64 + 1.0) * sum);
        product * math::powf(factors.fold(1.0, |p, f| p * f), exponent)
    });
    10.0 / dim / dim * (-1.0 + product)
}

impl Peaks {
    /// The height above `z` of the highest hill.
    #[inline(always)]
    fn highest(&self, z: &[f64], sums: &mut [f64]) -> f64 {
        let peaks = self.heights.len();
        sums.fill(0.0);
        let columns = self.centres.chunks_exact(peaks).zip(self.scales.chunks_exact(peaks));
        for (&t, (centres, scales)) in z.iter().zip(columns) {
            for ((sum, centre), scale) in sums.iter_mut().zip(centres).zip(scales) {
                let off = t - centre;
                *sum += scale * off * off;
            }
        }
        let slope = -0.5 / z.len() as f64;
        for (sum, height) in sums.iter_mut().zip(&self.heights) {
            *sum = height * exp(slope * *sum);
        }
        sums.iter().fold(0.0, |highest: f64, &height| if height > highest { height } else { highest })
    }
}
