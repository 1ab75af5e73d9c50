//! Functions of two variables with creases: absolute values and square roots.

use crate::entry::{Dims, Entry};
use crate::math::{cos, exp, sin, tenth_root};
use crate::shape::{Fixed, Formula, Point};
use std::f64::consts::FRAC_1_PI;
use swarmgrad_core::Real;

/// A crease along a parabola.
pub(crate) struct Bukin6;

impl Formula for Bukin6 {
    const ENTRY: Entry = Entry {
        name: "bukin6",
        title: "Bukin 6",
        formula: "100 sqrt|y - 0.01 x^2| + 0.01 |x + 10|",
        source: "Bukin (1997), New minimization strategy for non-smooth functions",
        about: "an infinitely sharp crease that falls gently to the minimum",
        dims: Dims::Exactly(2),
        domain: &[(-15.0, -5.0), (-3.0, 3.0)],
        everywhere: true,
        differentiable: false,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![-10.0, 1.0]]
    }
}

impl Point<2> for Bukin6 {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        c(100.0) * (y - c(0.01) * (x * x)).abs().sqrt() + c(0.01) * (x + c(10.0)).abs()
    }
}

/// A cross of creases.
pub(crate) struct CrossInTray;

impl Formula for CrossInTray {
    const ENTRY: Entry = Entry {
        name: "cross_in_tray",
        title: "Cross-in-tray",
        formula: "-0.0001 (|sin(x) sin(y) exp(|100 - r / pi|)| + 1)^0.1, r^2 = x^2 + y^2",
        source: "Mishra (2006), Some new test functions for global optimization and performance of repulsive particle swarm method",
        about: "a cross-shaped crease and four minima of the same value",
        dims: Dims::Exactly(2),
        domain: &[(-10.0, 10.0)],
        everywhere: false,
        differentiable: false,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        -2.062_611_870_822_735_7
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![
            vec![1.349_406_617_153_910_8, 1.349_406_617_153_910_8],
            vec![1.349_406_617_153_910_8, -1.349_406_617_153_910_8],
            vec![-1.349_406_617_153_910_8, 1.349_406_617_153_910_8],
            vec![-1.349_406_617_153_910_8, -1.349_406_617_153_910_8],
        ]
    }
}

impl Point<2> for CrossInTray {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        // exp(100) is beyond single precision: half of it is taken out of the root, where it is exp(5).
        let steep = (c(100.0) - (x * x + y * y).sqrt() * c(FRAC_1_PI)).abs();
        let wave = (sin(x) * sin(y)).abs() * exp(steep - c(50.0)) + c(1.928_749_847_963_918e-22);
        c(-0.014_841_315_910_257_66) * tenth_root(wave)
    }
}

/// Long ridges.
pub(crate) struct Eggholder;

impl Formula for Eggholder {
    const ENTRY: Entry = Entry {
        name: "eggholder",
        title: "Eggholder",
        formula: "-(y + 47) sin(sqrt|x / 2 + y + 47|) - x sin(sqrt|x - (y + 47)|)",
        source: "Mishra (2006), Some new test functions for global optimization and performance of repulsive particle swarm method",
        about: "long curved ridges; the minimum lies on the boundary",
        dims: Dims::Exactly(2),
        domain: &[(-512.0, 512.0)],
        everywhere: false,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        -959.640_662_720_850_8
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![512.0, 404.231_805_113_757_8]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        // The slope of sin(sqrt|t|), without bound at its crease t = 0 and taken as zero there.
        let slope = |t: F| {
            let root = t.abs().sqrt();
            if root > F::zero() { t.signum() * cos(root) / (c(2.0) * root) } else { F::zero() }
        };
        let shifted = y + c(47.0);
        let (u, v) = (c(0.5) * x + shifted, x - shifted);
        out[0] = c(-0.5) * shifted * slope(u) - sin(v.abs().sqrt()) - x * slope(v);
        out[1] = -sin(u.abs().sqrt()) - shifted * slope(u) + x * slope(v);
    }
}

impl Point<2> for Eggholder {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let shifted = y + c(47.0);
        -(shifted * sin((c(0.5) * x + shifted).abs().sqrt()) + x * sin((x - shifted).abs().sqrt()))
    }
}

/// A table on a crease.
pub(crate) struct HolderTable;

impl Formula for HolderTable {
    const ENTRY: Entry = Entry {
        name: "holder_table",
        title: "Hölder table",
        formula: "-|sin(x) cos(y) exp(|1 - r / pi|)|, r^2 = x^2 + y^2",
        source: "Mishra (2006), Some new test functions for global optimization and performance of repulsive particle swarm method",
        about: "many wells between creases, four minima of the same value near the corners",
        dims: Dims::Exactly(2),
        domain: &[(-10.0, 10.0)],
        everywhere: false,
        differentiable: false,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        -19.208_502_567_886_732
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![
            vec![8.055_023_475_736_564, 9.664_590_019_241_273],
            vec![8.055_023_475_736_564, -9.664_590_019_241_273],
            vec![-8.055_023_475_736_564, 9.664_590_019_241_273],
            vec![-8.055_023_475_736_564, -9.664_590_019_241_273],
        ]
    }
}

impl Point<2> for HolderTable {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let steep = (F::one() - (x * x + y * y).sqrt() * c(FRAC_1_PI)).abs();
        -((sin(x) * cos(y)).abs() * exp(steep))
    }
}
