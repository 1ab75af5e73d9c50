//! Polynomials of two variables.

use crate::entry::{Dims, Entry};
use crate::shape::{Fixed, Formula, Point};
use swarmgrad_core::Real;

/// A plain with sharp corners.
pub(crate) struct Beale;

impl Formula for Beale {
    const ENTRY: Entry = Entry {
        name: "beale",
        title: "Beale",
        formula: "(1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2",
        source: "Beale (1958), On an iterative method for finding a local minimum of a function of more than one variable",
        about: "flat inside, steep in the corners",
        dims: Dims::Exactly(2),
        domain: &[(-4.5, 4.5)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![3.0, 0.5]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let (square, cube) = (y * y, y * y * y);
        let (p, q, r) = (c(1.5) - x + x * y, c(2.25) - x + x * square, c(2.625) - x + x * cube);
        let one = F::one();
        out[0] = c(2.0) * (p * (y - one) + q * (square - one) + r * (cube - one));
        out[1] = c(2.0) * x * (p + c(2.0) * y * q + c(3.0) * square * r);
    }
}

impl Point<2> for Beale {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (p, q, r) = (c(1.5) - x + x * y, c(2.25) - x + x * (y * y), c(2.625) - x + x * (y * y * y));
        p * p + q * q + r * r
    }
}

/// A tilted bowl.
pub(crate) struct Booth;

impl Formula for Booth {
    const ENTRY: Entry = Entry {
        name: "booth",
        title: "Booth",
        formula: "(x + 2 y - 7)^2 + (2 x + y - 5)^2",
        source: "Jamil, Yang (2013), A literature survey of benchmark functions for global optimization problems",
        about: "a quadratic bowl with its minimum off the centre",
        dims: Dims::Exactly(2),
        domain: &[(-10.0, 10.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![1.0, 3.0]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let (p, q) = (x + c(2.0) * y - c(7.0), c(2.0) * x + y - c(5.0));
        out[0] = c(2.0) * p + c(4.0) * q;
        out[1] = c(4.0) * p + c(2.0) * q;
    }
}

impl Point<2> for Booth {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (p, q) = (x + c(2.0) * y - c(7.0), c(2.0) * x + y - c(5.0));
        p * p + q * q
    }
}

/// A narrow bowl along the diagonal.
pub(crate) struct Matyas;

impl Formula for Matyas {
    const ENTRY: Entry = Entry {
        name: "matyas",
        title: "Matyas",
        formula: "0.26 (x^2 + y^2) - 0.48 x y",
        source: "Hedar (2005), Test functions for unconstrained global optimization",
        about: "a quadratic valley along the diagonal",
        dims: Dims::Exactly(2),
        domain: &[(-10.0, 10.0)],
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
        out[0] = c(0.52) * x - c(0.48) * y;
        out[1] = c(0.52) * y - c(0.48) * x;
    }
}

impl Point<2> for Matyas {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        c(0.26) * (x * x + y * y) - c(0.48) * (x * y)
    }
}

/// Four equal minima.
pub(crate) struct Himmelblau;

impl Formula for Himmelblau {
    const ENTRY: Entry = Entry {
        name: "himmelblau",
        title: "Himmelblau",
        formula: "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        source: "Himmelblau (1972), Applied nonlinear programming",
        about: "four minima of the same value",
        dims: Dims::Exactly(2),
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![
            vec![3.0, 2.0],
            vec![-2.805_118_086_952_745, 3.131_312_518_250_573],
            vec![-3.779_310_253_377_747, -3.283_185_991_286_169_4],
            vec![3.584_428_340_330_491_7, -1.848_126_526_964_403_6],
        ]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let (p, q) = (x * x + y - c(11.0), x + y * y - c(7.0));
        out[0] = c(4.0) * x * p + c(2.0) * q;
        out[1] = c(2.0) * p + c(4.0) * y * q;
    }
}

impl Point<2> for Himmelblau {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (p, q) = (x * x + y - c(11.0), x + y * y - c(7.0));
        p * p + q * q
    }
}

/// Values over six decades.
pub(crate) struct GoldsteinPrice;

impl Formula for GoldsteinPrice {
    const ENTRY: Entry = Entry {
        name: "goldstein_price",
        title: "Goldstein-Price",
        formula: "(1 + (x + y + 1)^2 (19 - 14 x + 3 x^2 - 14 y + 6 x y + 3 y^2)) (30 + (2 x - 3 y)^2 (18 - 32 x + 12 x^2 + 48 y - 36 x y + 27 y^2))",
        source: "Goldstein, Price (1971), On descent from local minima",
        about: "values from 3 to a million, three further local minima",
        dims: Dims::Exactly(2),
        domain: &[(-2.0, 2.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        3.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0, -1.0]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let (s, t) = (x + y + F::one(), c(2.0) * x - c(3.0) * y);
        let p = c(19.0) - c(14.0) * x + c(3.0) * x * x - c(14.0) * y + c(6.0) * x * y + c(3.0) * y * y;
        let q = c(18.0) - c(32.0) * x + c(12.0) * x * x + c(48.0) * y - c(36.0) * x * y + c(27.0) * y * y;
        let (a, b) = (F::one() + s * s * p, c(30.0) + t * t * q);
        let a_slope = c(2.0) * s * p + s * s * (c(6.0) * (x + y) - c(14.0));
        let b_slope_x = c(4.0) * t * q + t * t * (c(24.0) * x - c(36.0) * y - c(32.0));
        let b_slope_y = c(-6.0) * t * q + t * t * (c(54.0) * y - c(36.0) * x + c(48.0));
        out[0] = a_slope * b + a * b_slope_x;
        out[1] = a_slope * b + a * b_slope_y;
    }
}

impl Point<2> for GoldsteinPrice {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (s, t) = (x + y + F::one(), c(2.0) * x - c(3.0) * y);
        let p = c(19.0) - c(14.0) * (x + y) + c(3.0) * (x * x) + c(6.0) * (x * y) + c(3.0) * (y * y);
        let q = c(18.0) - c(32.0) * x + c(12.0) * (x * x) + c(48.0) * y - c(36.0) * (x * y) + c(27.0) * (y * y);
        (F::one() + (s * s) * p) * (c(30.0) + (t * t) * q)
    }
}

/// Three minima, the middle one deepest.
pub(crate) struct ThreeHumpCamel;

impl Formula for ThreeHumpCamel {
    const ENTRY: Entry = Entry {
        name: "three_hump_camel",
        title: "Three-hump camel",
        formula: "2 x^2 - 1.05 x^4 + x^6 / 6 + x y + y^2",
        source: "Jamil, Yang (2013), A literature survey of benchmark functions for global optimization problems",
        about: "three minima, the deepest in the middle",
        dims: Dims::Exactly(2),
        domain: &[(-5.0, 5.0)],
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
        let square = x * x;
        out[0] = ((square - c(4.2)) * square + c(4.0)) * x + y;
        out[1] = x + c(2.0) * y;
    }
}

impl Point<2> for ThreeHumpCamel {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let square = x * x;
        ((square / c(6.0) - c(1.05)) * square + c(2.0)) * square + x * y + y * y
    }
}

/// Six minima, two of them global.
pub(crate) struct SixHumpCamel;

impl Formula for SixHumpCamel {
    const ENTRY: Entry = Entry {
        name: "six_hump_camel",
        title: "Six-hump camel",
        formula: "(4 - 2.1 x^2 + x^4 / 3) x^2 + x y + (4 y^2 - 4) y^2",
        source: "Dixon, Szegő (1978), The global optimization problem: an introduction",
        about: "six minima, two of them global",
        dims: Dims::Exactly(2),
        domain: &[(-3.0, 3.0), (-2.0, 2.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<2>;

    fn minimum(_dim: usize) -> f64 {
        -1.031_628_453_489_877_4
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![
            vec![0.089_842_013_100_318_06, -0.712_656_403_020_739_6],
            vec![-0.089_842_013_100_318_06, 0.712_656_403_020_739_6],
        ]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let (x, y) = (x[0], x[1]);
        let square = x * x;
        out[0] = ((c(2.0) * square - c(8.4)) * square + c(8.0)) * x + y;
        out[1] = x + (c(16.0) * y * y - c(8.0)) * y;
    }
}

impl Point<2> for SixHumpCamel {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let c = F::of;
        let (p, q) = (x * x, y * y);
        ((p / c(3.0) - c(2.1)) * p + c(4.0)) * p + x * y + c(4.0) * (q - F::one()) * q
    }
}
