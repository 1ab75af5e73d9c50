//! The basic functions, on points that are shifted, scaled and rotated already: each has its least value 0 at z = 0.

use std::f64::consts::{E, PI};
use swarmgrad_core::math::{cos, exp, powf, sin};

/// A basic function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
    BentCigar,
    Zakharov,
    Rosenbrock,
    Rastrigin,
    SchafferF7,
    Lunacek,
    Levy,
    Schwefel,
    Elliptic,
    Discus,
    Ackley,
    Weierstrass,
    Griewank,
    Katsuura,
    HappyCat,
    HgBat,
    GriewankRosenbrock,
    SchafferF6,
}

/// The weight of the second well of Lunacek's function, and where the two lie.
fn wells(n: f64) -> (f64, f64, f64) {
    let s = 1.0 - 1.0 / (2.0 * (n + 20.0).sqrt() - 8.2);
    (s, 2.5, -((2.5 * 2.5 - 1.0) / s).sqrt())
}

/// Lunacek's double Rastrigin, whose wells lie along the axes of `t` and whose waves along those of `z`.
pub(super) fn lunacek(t: &[f64], z: &[f64]) -> f64 {
    let n = t.len() as f64;
    let (s, first, second) = wells(n);
    let near: f64 = t.iter().map(|t| t * t).sum();
    let far: f64 = t.iter().map(|t| (t + first - second) * (t + first - second)).sum();
    let waves: f64 = z.iter().map(|z| cos(2.0 * PI * z)).sum();
    near.min(s * far + n) + 10.0 * (n - waves)
}

/// Adds the derivatives of [`lunacek`] to `by_t` and `by_z`.
pub(super) fn lunacek_gradient(t: &[f64], z: &[f64], by_t: &mut [f64], by_z: &mut [f64]) {
    let n = t.len() as f64;
    let (s, first, second) = wells(n);
    let near: f64 = t.iter().map(|t| t * t).sum();
    let far: f64 = t.iter().map(|t| (t + first - second) * (t + first - second)).sum();
    let (scale, shift) = if near <= s * far + n { (1.0, 0.0) } else { (s, first - second) };
    by_t.iter_mut().zip(t).for_each(|(g, t)| *g += 2.0 * scale * (t + shift));
    by_z.iter_mut().zip(z).for_each(|(g, z)| *g += 20.0 * PI * sin(2.0 * PI * z));
}

/// Sum over neighbours z_i, z_(i+1); the last and the first are neighbours too where `ring` says so.
fn neighbours(z: &[f64], ring: bool, term: impl Fn(f64, f64) -> f64) -> f64 {
    let pairs: f64 = z.windows(2).map(|pair| term(pair[0], pair[1])).sum();
    if ring { pairs + term(z[z.len() - 1], z[0]) } else { pairs }
}

/// Adds the derivatives of [`neighbours`], whose term has the derivatives `slopes`, to `g`.
fn neighbours_gradient(z: &[f64], ring: bool, g: &mut [f64], slopes: impl Fn(f64, f64) -> [f64; 2]) {
    let n = z.len();
    for i in 0..if ring { n } else { n - 1 } {
        let next = (i + 1) % n;
        let [mine, its] = slopes(z[i], z[next]);
        g[i] += mine;
        g[next] += its;
    }
}

fn rosenbrock_slopes(x: f64, next: f64) -> [f64; 2] {
    let rise = x * x - next;
    [400.0 * x * rise + 2.0 * (x - 1.0), -200.0 * rise]
}

fn rosenbrock(x: f64, next: f64) -> f64 {
    let (rise, rest) = (x * x - next, x - 1.0);
    100.0 * rise * rise + rest * rest
}

/// One coordinate of the modified Schwefel function, mirrored beyond 500.
fn schwefel(z: f64, n: f64) -> f64 {
    let x = z + 420.968_746_227_503_6;
    let over = x.abs() - 500.0;
    if over > 0.0 {
        let inner = 500.0 - x.abs() % 500.0;
        -x.signum() * inner * sin(inner.sqrt()) + over * over / (10_000.0 * n)
    } else {
        -x * sin(x.abs().sqrt())
    }
}

/// The derivative of [`schwefel`].
fn schwefel_slope(z: f64, n: f64) -> f64 {
    let x = z + 420.968_746_227_503_6;
    let over = x.abs() - 500.0;
    // x sin(sqrt(x)) by x.
    let slope = |x: f64| sin(x.sqrt()) + 0.5 * x.sqrt() * cos(x.sqrt());
    if over > 0.0 { slope(500.0 - x.abs() % 500.0) + 2.0 * over * x.signum() / (10_000.0 * n) } else { -slope(x.abs()) }
}

/// sum_j |2^j z - round(2^j z)| / 2^j and its slope.
fn saw(z: f64) -> (f64, f64) {
    (1..=32).fold((0.0, 0.0), |(sum, slope), j| {
        let scale = f64::from(2u32).powi(j);
        let rest = scale * z - (scale * z + 0.5).floor();
        (sum + rest.abs() / scale, slope + if rest == 0.0 { 0.0 } else { rest.signum() })
    })
}

fn katsuura_product(z: &[f64]) -> f64 {
    let exponent = 10.0 / powf(z.len() as f64, 1.2);
    z.iter().enumerate().map(|(i, z)| powf(1.0 + (i as f64 + 1.0) * saw(*z).0, exponent)).product()
}

fn katsuura(z: &[f64]) -> f64 {
    let n = z.len() as f64;
    10.0 / (n * n) * (katsuura_product(z) - 1.0)
}

fn weierstrass(z: &[f64]) -> f64 {
    let wave = |x: f64| -> f64 {
        let (mut sum, mut height, mut pace) = (0.0, 1.0, 1.0);
        for _ in 0..=20 {
            sum += height * cos(2.0 * PI * pace * x);
            (height, pace) = (height * 0.5, pace * 3.0);
        }
        sum
    };
    z.iter().map(|z| wave(z + 0.5)).sum::<f64>() - z.len() as f64 * wave(0.5)
}

/// |.|^power + (r^2 / 2 + sum) / n + 1/2 about (-1, .., -1), where `gap` makes a number of r^2, the sum and n.
fn beyer(z: &[f64], power: f64, gap: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let n = z.len() as f64;
    let (square, sum) = z.iter().fold((0.0, 0.0), |(square, sum), z| (square + (z - 1.0) * (z - 1.0), sum + (z - 1.0)));
    powf(gap(square, sum, n).abs(), power) + (0.5 * square + sum) / n + 0.5
}

impl Basic {
    /// What a shifted point is multiplied by: its own range over the 100 of the suite.
    pub(super) fn rate(self) -> f64 {
        match self {
            Basic::Rosenbrock => 2.048 / 100.0,
            Basic::Rastrigin => 5.12 / 100.0,
            Basic::Schwefel => 1000.0 / 100.0,
            Basic::Weierstrass => 0.5 / 100.0,
            Basic::Griewank => 600.0 / 100.0,
            Basic::Katsuura | Basic::HappyCat | Basic::HgBat | Basic::GriewankRosenbrock => 5.0 / 100.0,
            Basic::Lunacek => 2.0 * 10.0 / 100.0,
            _ => 1.0,
        }
    }

    /// The value at `z`.
    pub(super) fn value(self, z: &[f64]) -> f64 {
        let n = z.len() as f64;
        let squares = || z.iter().map(|z| z * z);
        match self {
            Basic::BentCigar => z[0] * z[0] + 1e6 * squares().skip(1).sum::<f64>(),
            Basic::Discus => 1e6 * z[0] * z[0] + squares().skip(1).sum::<f64>(),
            Basic::Elliptic => {
                let place = |i: usize| if z.len() > 1 { i as f64 / (n - 1.0) } else { 0.0 };
                squares().enumerate().map(|(i, square)| powf(10.0, 6.0 * place(i)) * square).sum()
            }
            Basic::Zakharov => {
                let slope: f64 = z.iter().enumerate().map(|(i, z)| 0.5 * (i as f64 + 1.0) * z).sum();
                let square = slope * slope;
                squares().sum::<f64>() + square + square * square
            }
            Basic::Rosenbrock => neighbours(z, false, |x, next| rosenbrock(x + 1.0, next + 1.0)),
            Basic::Rastrigin => z.iter().map(|z| z * z - 10.0 * cos(2.0 * PI * z) + 10.0).sum(),
            Basic::SchafferF7 => {
                let mean = neighbours(z, false, |x, next| {
                    let radius = (x * x + next * next).sqrt();
                    let wave = sin(50.0 * powf(radius, 0.2));
                    radius.sqrt() * (1.0 + wave * wave)
                }) / (n - 1.0);
                mean * mean
            }
            Basic::Lunacek => lunacek(z, z),
            Basic::Levy => {
                let w = |z: f64| 1.0 + 0.25 * z;
                let square = |t: f64| t * t;
                let inner = |z: &f64| square(0.25 * z) * (1.0 + 10.0 * square(sin(PI * w(*z) + 1.0)));
                let last = z[z.len() - 1];
                square(sin(PI * w(z[0])))
                    + z[..z.len() - 1].iter().map(inner).sum::<f64>()
                    + square(0.25 * last) * (1.0 + square(sin(2.0 * PI * w(last))))
            }
            Basic::Schwefel => z.iter().map(|z| schwefel(*z, n)).sum::<f64>() + 418.982_887_272_433_8 * n,
            Basic::Ackley => {
                let waves: f64 = z.iter().map(|z| cos(2.0 * PI * z)).sum();
                E - 20.0 * exp(-0.2 * (squares().sum::<f64>() / n).sqrt()) - exp(waves / n) + 20.0
            }
            Basic::Weierstrass => weierstrass(z),
            Basic::Griewank => {
                let product: f64 = z.iter().enumerate().map(|(i, z)| cos(z / (1.0 + i as f64).sqrt())).product();
                1.0 + squares().sum::<f64>() / 4000.0 - product
            }
            Basic::Katsuura => katsuura(z),
            Basic::HappyCat => beyer(z, 0.25, |square, _, n| square - n),
            Basic::HgBat => beyer(z, 0.5, |square, sum, _| square * square - sum * sum),
            Basic::GriewankRosenbrock => neighbours(z, true, |x, next| {
                let t = rosenbrock(x + 1.0, next + 1.0);
                t * t / 4000.0 - cos(t) + 1.0
            }),
            Basic::SchafferF6 => neighbours(z, true, |x, next| {
                let square = x * x + next * next;
                let (wave, fall) = (sin(square.sqrt()), 1.0 + 0.001 * square);
                0.5 + (wave * wave - 0.5) / (fall * fall)
            }),
        }
    }

    /// Adds the derivatives at `z` to `g`; one-sided ones, or 0, where there are none.
    pub(super) fn gradient(self, z: &[f64], g: &mut [f64]) {
        let n = z.len() as f64;
        let square = || z.iter().map(|z| z * z).sum::<f64>();
        match self {
            Basic::BentCigar | Basic::Discus => {
                let (first, others) = if self == Basic::Discus { (2e6, 2.0) } else { (2.0, 2e6) };
                g[0] += first * z[0];
                g.iter_mut().zip(z).skip(1).for_each(|(g, z)| *g += others * z);
            }
            Basic::Elliptic => {
                let place = |i: usize| if z.len() > 1 { i as f64 / (n - 1.0) } else { 0.0 };
                for (i, (g, z)) in g.iter_mut().zip(z).enumerate() {
                    *g += 2.0 * powf(10.0, 6.0 * place(i)) * z;
                }
            }
            Basic::Zakharov => {
                let slope: f64 = z.iter().enumerate().map(|(i, z)| 0.5 * (i as f64 + 1.0) * z).sum();
                let by_slope = 2.0 * slope + 4.0 * slope * slope * slope;
                for (i, (g, z)) in g.iter_mut().zip(z).enumerate() {
                    *g += 2.0 * z + by_slope * 0.5 * (i as f64 + 1.0);
                }
            }
            Basic::Rosenbrock => {
                neighbours_gradient(z, false, g, |x, next| rosenbrock_slopes(x + 1.0, next + 1.0));
            }
            Basic::Rastrigin => {
                g.iter_mut().zip(z).for_each(|(g, z)| *g += 2.0 * z + 20.0 * PI * sin(2.0 * PI * z));
            }
            Basic::SchafferF7 => {
                let mean = self.value(z).sqrt();
                neighbours_gradient(z, false, g, |x, next| {
                    let radius = (x * x + next * next).sqrt();
                    if radius == 0.0 {
                        return [0.0; 2];
                    }
                    let fifth = powf(radius, 0.2);
                    let (wave, turn) = (sin(50.0 * fifth), cos(50.0 * fifth));
                    let root = radius.sqrt();
                    let by_radius = 0.5 / root * (1.0 + wave * wave) + 20.0 * root * wave * turn * fifth / radius;
                    let by_square = 2.0 * mean / (n - 1.0) * by_radius / radius;
                    [by_square * x, by_square * next]
                });
            }
            Basic::Lunacek => {
                let mut waves = vec![0.0; z.len()];
                lunacek_gradient(z, z, g, &mut waves);
                g.iter_mut().zip(&waves).for_each(|(g, wave)| *g += wave);
            }
            Basic::Levy => {
                let w = |z: f64| 1.0 + 0.25 * z;
                // sin^2 by its angle.
                let turn = |angle: f64| 2.0 * sin(angle) * cos(angle);
                let wave = |angle: f64| sin(angle) * sin(angle);
                let last = z.len() - 1;
                g[0] += 0.25 * PI * turn(PI * w(z[0]));
                for (g, z) in g[..last].iter_mut().zip(z) {
                    let angle = PI * w(*z) + 1.0;
                    *g += 0.125 * z * (1.0 + 10.0 * wave(angle)) + 0.0625 * z * z * 2.5 * PI * turn(angle);
                }
                let (angle, z) = (2.0 * PI * w(z[last]), z[last]);
                g[last] += 0.125 * z * (1.0 + wave(angle)) + 0.0625 * z * z * 0.5 * PI * turn(angle);
            }
            Basic::Schwefel => g.iter_mut().zip(z).for_each(|(g, z)| *g += schwefel_slope(*z, n)),
            Basic::Ackley => {
                let waves: f64 = z.iter().map(|z| cos(2.0 * PI * z)).sum();
                let radius = (square() / n).sqrt();
                let pull = if radius > 0.0 { 4.0 * exp(-0.2 * radius) / (n * radius) } else { 0.0 };
                let swing = 2.0 * PI / n * exp(waves / n);
                g.iter_mut().zip(z).for_each(|(g, z)| *g += pull * z + swing * sin(2.0 * PI * z));
            }
            Basic::Weierstrass => {
                for (g, z) in g.iter_mut().zip(z) {
                    let (mut height, mut pace) = (1.0, 1.0);
                    for _ in 0..=20 {
                        *g -= 2.0 * PI * pace * height * sin(2.0 * PI * pace * (z + 0.5));
                        (height, pace) = (height * 0.5, pace * 3.0);
                    }
                }
            }
            Basic::Griewank => {
                let root = |i: usize| (1.0 + i as f64).sqrt();
                let product: f64 = z.iter().enumerate().map(|(i, z)| cos(z / root(i))).product();
                for (i, g) in g.iter_mut().enumerate() {
                    let angle = z[i] / root(i);
                    *g += z[i] / 2000.0 + product * sin(angle) / (cos(angle) * root(i));
                }
            }
            Basic::Katsuura => {
                let product = 10.0 / (n * n) * katsuura_product(z);
                let exponent = 10.0 / powf(n, 1.2);
                for (i, (g, z)) in g.iter_mut().zip(z).enumerate() {
                    let (weight, (saw, slope)) = (i as f64 + 1.0, saw(*z));
                    *g += product * exponent * weight * slope / (1.0 + weight * saw);
                }
            }
            Basic::HappyCat => {
                let gap = z.iter().map(|z| (z - 1.0) * (z - 1.0)).sum::<f64>() - n;
                let pull = if gap == 0.0 { 0.0 } else { 0.5 * gap.signum() * powf(gap.abs(), -0.75) };
                g.iter_mut().zip(z).for_each(|(g, z)| *g += pull * (z - 1.0) + z / n);
            }
            Basic::HgBat => {
                let (square, sum) =
                    z.iter().fold((0.0, 0.0), |(square, sum), z| (square + (z - 1.0) * (z - 1.0), sum + (z - 1.0)));
                let gap: f64 = square * square - sum * sum;
                let pull = if gap == 0.0 { 0.0 } else { gap.signum() / gap.abs().sqrt() };
                g.iter_mut().zip(z).for_each(|(g, z)| *g += pull * (2.0 * square * (z - 1.0) - sum) + z / n);
            }
            Basic::GriewankRosenbrock => neighbours_gradient(z, true, g, |x, next| {
                let t = rosenbrock(x + 1.0, next + 1.0);
                rosenbrock_slopes(x + 1.0, next + 1.0).map(|slope| (t / 2000.0 + sin(t)) * slope)
            }),
            Basic::SchafferF6 => neighbours_gradient(z, true, g, |x, next| {
                let square = x * x + next * next;
                let (root, fall) = (square.sqrt(), 1.0 + 0.001 * square);
                let wave = sin(root);
                let turn = if root > 0.0 { wave * cos(root) / root } else { 1.0 };
                let by_square = (turn - 0.002 * (wave * wave - 0.5) / fall) / (fall * fall);
                [2.0 * by_square * x, 2.0 * by_square * next]
            }),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) const ALL: [Basic; 18] = [
        Basic::BentCigar,
        Basic::Zakharov,
        Basic::Rosenbrock,
        Basic::Rastrigin,
        Basic::SchafferF7,
        Basic::Lunacek,
        Basic::Levy,
        Basic::Schwefel,
        Basic::Elliptic,
        Basic::Discus,
        Basic::Ackley,
        Basic::Weierstrass,
        Basic::Griewank,
        Basic::Katsuura,
        Basic::HappyCat,
        Basic::HgBat,
        Basic::GriewankRosenbrock,
        Basic::SchafferF6,
    ];

    #[test]
    fn the_least_value_is_0_at_0() {
        let rng = swarmgrad_core::Rng::new(3);
        for basic in ALL {
            for n in [2, 3, 10, 30] {
                let at_0 = basic.value(&vec![0.0; n]);
                assert!(at_0.abs() < 1e-9, "{basic:?} n={n}: {at_0}");
                for i in 0..200 {
                    let mut z = vec![0.0; n];
                    rng.fork("z").row(i).fill_normal(&mut z);
                    let scale = 10f64.powi(i as i32 % 6 - 3);
                    z.iter_mut().for_each(|t| *t *= scale);
                    assert!(basic.value(&z) >= at_0, "{basic:?} n={n} at {z:?}");
                }
            }
        }
    }

    /// The least gap between a derivative and central differences at any of several steps: waves of 3^20 need short ones.
    pub(in super::super) fn gap(slope: f64, size: f64, at: impl Fn(f64) -> f64) -> f64 {
        let gap = |h: f64| ((at(h) - at(-h)) / (2.0 * h) - slope).abs() / (1e-3 + size);
        (3..13).map(|k| gap(10f64.powi(-k))).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn gradients_are_derivatives() {
        let rng = swarmgrad_core::Rng::new(5);
        for basic in ALL.into_iter().filter(|basic| *basic != Basic::Katsuura) {
            for n in [2, 3, 7] {
                for i in 0..60 {
                    let (mut z, mut g) = (vec![0.0; n], vec![0.0; n]);
                    rng.fork("z").row(i).fill_normal(&mut z);
                    let scale = 10f64.powi(i as i32 % 3 - 2) * if basic == Basic::Schwefel { 500.0 } else { 1.0 };
                    z.iter_mut().for_each(|t| *t *= scale);
                    basic.gradient(&z, &mut g);
                    let size = g.iter().fold(0.0f64, |m, g| m.max(g.abs()));
                    // The shortest waves of Weierstrass' sum are shorter than what rounding leaves of a difference.
                    let tolerance = if basic == Basic::Weierstrass { 0.1 } else { 1e-5 };
                    for j in 0..n {
                        let at = |h: f64| {
                            let mut moved = z.clone();
                            moved[j] += h;
                            basic.value(&moved)
                        };
                        assert!(gap(g[j], size, at) < tolerance, "{basic:?} n={n}, {j}: {}", g[j]);
                    }
                }
            }
        }
    }

    /// Between its kinks, 32 in every stretch of 1e-9.
    #[test]
    fn the_saw_and_what_stands_on_it_have_their_slopes() {
        for t in [0.3, 1.7, -2.61] {
            let next = t + 1e-12;
            let quotient = (saw(next).0 - saw(t).0) / (next - t);
            assert!((quotient - saw(t).1).abs() < 1e-2, "{t}: {quotient} {}", saw(t).1);
        }
        let (z, mut g) = ([0.37, 1.73], [0.0; 2]);
        Basic::Katsuura.gradient(&z, &mut g);
        for j in 0..2 {
            let mut moved = z;
            moved[j] += 1e-12;
            let quotient = (katsuura(&moved) - katsuura(&z)) / (moved[j] - z[j]);
            assert!(g[j] != 0.0 && (quotient / g[j] - 1.0).abs() < 0.05, "{j}: {quotient} {}", g[j]);
        }
    }

    /// Functions that look at |z| or at all coordinates alike keep their values when the coordinates change places or signs.
    #[test]
    fn symmetries() {
        let z = [0.3, -1.7, 2.2, 0.9, -0.4];
        let turned: Vec<f64> = z.iter().rev().copied().collect();
        let negated: Vec<f64> = z.iter().map(|t| -t).collect();
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-12 * (1.0 + a.abs());
        for basic in
            [Basic::Rastrigin, Basic::Ackley, Basic::Weierstrass, Basic::HappyCat, Basic::HgBat, Basic::Schwefel]
        {
            assert!(same(basic.value(&z), basic.value(&turned)), "{basic:?}");
        }
        for basic in [
            Basic::Rastrigin,
            Basic::Ackley,
            Basic::Griewank,
            Basic::SchafferF6,
            Basic::SchafferF7,
            Basic::Zakharov,
            Basic::Katsuura,
        ] {
            assert!(same(basic.value(&z), basic.value(&negated)), "{basic:?}");
        }
        assert!(!same(Basic::HappyCat.value(&z), Basic::HappyCat.value(&negated)));
    }
}
