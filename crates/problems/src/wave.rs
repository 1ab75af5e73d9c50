//! Smooth functions of two variables with sines, cosines and exponentials.

use crate::entry::{Dims, Entry};
use crate::math::{cos, exp, sin, sin_squared};
use crate::shape::{Fixed, Formula, Point};
use std::f64::consts::{FRAC_PI_3, PI};
use swarmgrad_core::Real;

/// A hole in a plain.
pub(crate) struct Easom;

impl Formula for Easom {
    const ENTRY: Entry = Entry {
        name: "easom",
        title: "Easom",
        formula: "-cos(x) cos(y) exp(-(x - pi)^2 - (y - pi)^2)",
        source: "Easom (1990), A survey of global optimization techniques",
        about: "a small hole in a plain that is flat to round-off",
        dims: Dims::Exactly(2),
        domain: &[(-100.0, 100.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        -1.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![PI, PI]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let (p, q) = (x - c(PI), y - c(PI));
        let bell = exp(-(p * p + q * q));
        out[0] = bell * cos(y) * (sin(x) + c(2.0) * p * cos(x));
        out[1] = bell * cos(x) * (sin(y) + c(2.0) * q * cos(y));
    }
}

impl Point<2> for Easom {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (p, q) = (x - c(PI), y - c(PI));
        -(cos(x) * cos(y) * exp(-(p * p + q * q)))
    }
}

/// Three equal minima.
pub(crate) struct Branin;

impl Formula for Branin {
    const ENTRY: Entry = Entry {
        name: "branin",
        title: "Branin",
        formula: "(y - 5.1 x^2 / (4 pi^2) + 5 x / pi - 6)^2 + 10 (1 - 1 / (8 pi)) cos(x) + 10",
        source: "Branin (1972), Widely convergent method for finding multiple solutions of simultaneous nonlinear equations",
        about: "three minima of the same value",
        dims: Dims::Exactly(2),
        domain: &[(-5.0, 10.0), (0.0, 15.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        1.25 / PI
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![-PI, 12.275], vec![PI, 2.275], vec![3.0 * PI, 2.475]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let valley = y - c(5.1 / (4.0 * PI * PI)) * x * x + c(5.0 / PI) * x - c(6.0);
        out[0] = c(2.0) * valley * (c(5.0 / PI) - c(5.1 / (2.0 * PI * PI)) * x) - c(10.0 - 1.25 / PI) * sin(x);
        out[1] = c(2.0) * valley;
    }
}

impl Point<2> for Branin {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let valley = y - c(5.1 / (4.0 * PI * PI)) * (x * x) + c(5.0 / PI) * x - c(6.0);
        valley * valley + c(10.0 - 1.25 / PI) * cos(x) + c(10.0)
    }
}

/// A plate with a wave.
pub(crate) struct McCormick;

impl Formula for McCormick {
    const ENTRY: Entry = Entry {
        name: "mccormick",
        title: "McCormick",
        formula: "sin(x + y) + (x - y)^2 - 1.5 x + 2.5 y + 1",
        source: "McCormick (1976), Computability of global solutions to factorable nonconvex programs",
        about: "a wavy valley that falls without end outside the domain",
        dims: Dims::Exactly(2),
        domain: &[(-1.5, 4.0), (-3.0, 4.0)],
        everywhere: false,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        -0.75f64.sqrt() - FRAC_PI_3
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.5 - FRAC_PI_3, -0.5 - FRAC_PI_3]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let (wave, gap) = (cos(x + y), c(2.0) * (x - y));
        out[0] = wave + gap - c(1.5);
        out[1] = wave - gap + c(2.5);
    }
}

impl Point<2> for McCormick {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let gap = x - y;
        sin(x + y) + gap * gap - c(1.5) * x + c(2.5) * y + F::one()
    }
}

/// Rings of waves that flatten outwards.
pub(crate) struct Schaffer2;

impl Formula for Schaffer2 {
    const ENTRY: Entry = Entry {
        name: "schaffer2",
        title: "Schaffer 2",
        formula: "0.5 + (sin(x^2 - y^2)^2 - 0.5) / (1 + 0.001 (x^2 + y^2))^2",
        source: "Mishra (2006), Some new test functions for global optimization and performance of repulsive particle swarm method",
        about: "waves ever closer, the deepest at the centre",
        dims: Dims::Exactly(2),
        domain: &[(-100.0, 100.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0, 0.0]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let (u, damp) = (x * x - y * y, F::one() + c(0.001) * (x * x + y * y));
        let ring = c(0.004) * (sin_squared(u) - c(0.5)) / (damp * damp * damp);
        let wave = c(2.0) * sin(c(2.0) * u) / (damp * damp);
        out[0] = x * (wave - ring);
        out[1] = -y * (wave + ring);
    }
}

impl Point<2> for Schaffer2 {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (p, q) = (x * x, y * y);
        let damp = F::one() + c(0.001) * (p + q);
        c(0.5) + (sin_squared(p - q) - c(0.5)) / (damp * damp)
    }
}

/// Like Schaffer 2 with four minima off the centre.
pub(crate) struct Schaffer4;

impl Formula for Schaffer4 {
    const ENTRY: Entry = Entry {
        name: "schaffer4",
        title: "Schaffer 4",
        formula: "0.5 + (cos(sin(|x^2 - y^2|))^2 - 0.5) / (1 + 0.001 (x^2 + y^2))^2",
        source: "Mishra (2006), Some new test functions for global optimization and performance of repulsive particle swarm method",
        about: "waves ever closer, four minima of the same value next to the centre",
        dims: Dims::Exactly(2),
        domain: &[(-100.0, 100.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        0.292_578_632_035_980_5
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![
            vec![0.0, 1.253_131_831_463_733_2],
            vec![0.0, -1.253_131_831_463_733_2],
            vec![1.253_131_831_463_733_2, 0.0],
            vec![-1.253_131_831_463_733_2, 0.0],
        ]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        // The cosine of the sine is even: the absolute value has no effect.
        let (u, damp) = (x * x - y * y, F::one() + c(0.001) * (x * x + y * y));
        let outer = cos(sin(u));
        let ring = c(0.004) * (outer * outer - c(0.5)) / (damp * damp * damp);
        let wave = c(2.0) * sin(c(2.0) * sin(u)) * cos(u) / (damp * damp);
        out[0] = -x * (wave + ring);
        out[1] = y * (wave - ring);
    }
}

impl Point<2> for Schaffer4 {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (p, q) = (x * x, y * y);
        let damp = F::one() + c(0.001) * (p + q);
        let outer = cos(sin(p - q));
        c(0.5) + (outer * outer - c(0.5)) / (damp * damp)
    }
}

/// Rings in water.
pub(crate) struct DropWave;

impl Formula for DropWave {
    const ENTRY: Entry = Entry {
        name: "drop_wave",
        title: "Drop-wave",
        formula: "-(1 + cos(12 r)) / (r^2 / 2 + 2), r^2 = x^2 + y^2",
        source: "Molga, Smutnicki (2005), Test functions for optimization needs",
        about: "rings around the minimum, each deeper than the one outside",
        dims: Dims::Exactly(2),
        domain: &[(-5.12, 5.12)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        -1.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0, 0.0]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let square = x * x + y * y;
        let r = square.sqrt();
        let (crest, damp) = (F::one() + cos(c(12.0) * r), c(0.5) * square + c(2.0));
        // sin(12 r) / r is 12 at the centre.
        let wave = if r > F::zero() { sin(c(12.0) * r) / r } else { c(12.0) };
        let slope = c(12.0) * wave / damp + crest / (damp * damp);
        out[0] = x * slope;
        out[1] = y * slope;
    }
}

impl Point<2> for DropWave {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let square = x * x + y * y;
        -((F::one() + cos(c(12.0) * square.sqrt())) / (c(0.5) * square + c(2.0)))
    }
}
