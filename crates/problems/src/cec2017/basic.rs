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

/// Sum over neighbours z_i, z_(i+1); the last and the first are neighbours too where `ring` says so.
fn neighbours(z: &[f64], ring: bool, term: impl Fn(f64, f64) -> f64) -> f64 {
    let pairs: f64 = z.windows(2).map(|pair| term(pair[0], pair[1])).sum();
    if ring { pairs + term(z[z.len() - 1], z[0]) } else { pairs }
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

fn katsuura(z: &[f64]) -> f64 {
    let n = z.len() as f64;
    let exponent = 10.0 / powf(n, 1.2);
    let factor = |(i, z): (usize, &f64)| {
        let fold = |j: i32| {
            let scale = f64::from(2u32).powi(j);
            (scale * z - (scale * z + 0.5).floor()).abs() / scale
        };
        powf(1.0 + (i as f64 + 1.0) * (1..=32).map(fold).sum::<f64>(), exponent)
    };
    let product: f64 = z.iter().enumerate().map(factor).product();
    10.0 / (n * n) * (product - 1.0)
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
}

#[cfg(test)]
mod tests {
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
