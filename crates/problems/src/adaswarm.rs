//! The eight functions of one variable in tables I to III of the AdaSwarm paper.
//!
//! The paper calls .4747 the global minimum of function 4 without a domain. It is: although x^15 falls to -32768 at
//! x = -2, exp(x^6) is far larger wherever x^15 is large, and the only other local minimum, at x = -1.0956, has the
//! value 2.5933. Function 2 has a global minimum only on a domain that ends above -1, where it falls below 3. Function
//! 7 attains its minimum at every x <= 0, and nowhere else: on x > 0 it is positive.

use crate::entry::{Dims, Entry};
use crate::math::{cos, cube_root, exp, sin};
use crate::shape::{Fixed, Formula, Point};
use std::f64::consts::E;
use swarmgrad_core::Real;

/// Function 1 of tables I and II.
pub(crate) struct Adaswarm1;

impl Formula for Adaswarm1 {
    const ENTRY: Entry = Entry {
        name: "adaswarm1",
        title: "AdaSwarm tables I and II, function 1",
        formula: "-(3 x^5 - x^10)",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table I",
        about: "one well between a plain and a wall",
        dims: Dims::Exactly(1),
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        -2.25
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![1.084_471_771_197_698_6]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let x = x[0];
        let fourth = (x * x) * (x * x);
        out[0] = c(5.0) * fourth * (c(2.0) * fourth * x - c(3.0));
    }
}

impl Point<1> for Adaswarm1 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        let c = F::of;
        let fifth = ((x * x) * (x * x)) * x;
        (fifth - c(3.0)) * fifth
    }
}

/// Function 2 of tables I and II.
pub(crate) struct Adaswarm2;

impl Formula for Adaswarm2 {
    const ENTRY: Entry = Entry {
        name: "adaswarm2",
        title: "AdaSwarm tables I and II, function 2",
        formula: "x^3 - 3 x^2 + 7",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table I",
        about: "a cubic: it falls below its local minimum left of x = -1, where the domain has ended",
        dims: Dims::Exactly(1),
        domain: &[(-0.99, 5.0)],
        everywhere: false,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        3.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![2.0]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let x = x[0];
        out[0] = c(3.0) * x * (x - c(2.0));
    }
}

impl Point<1> for Adaswarm2 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        let c = F::of;
        (x - c(3.0)) * (x * x) + c(7.0)
    }
}

/// Function 3 of tables I and II.
pub(crate) struct Adaswarm3;

impl Formula for Adaswarm3 {
    const ENTRY: Entry = Entry {
        name: "adaswarm3",
        title: "AdaSwarm tables I and II, function 3",
        formula: "-exp(cos(x^2)) + x^2",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table I",
        about: "a bowl with ever faster waves",
        dims: Dims::Exactly(1),
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        -E
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let x = x[0];
        let square = x * x;
        out[0] = c(2.0) * x * (F::one() + sin(square) * exp(cos(square)));
    }
}

impl Point<1> for Adaswarm3 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        let square = x * x;
        square - exp(cos(square))
    }
}

/// Function 4 of tables I and II.
pub(crate) struct Adaswarm4;

impl Formula for Adaswarm4 {
    const ENTRY: Entry = Entry {
        name: "adaswarm4",
        title: "AdaSwarm tables I and II, function 4",
        formula: "x^15 - sin(x) + exp(x^6)",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table I",
        about: "two wells between walls of exp(64); the smaller value is at x = 0.6512",
        dims: Dims::Exactly(1),
        domain: &[(-2.0, 2.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.474_705_780_320_563_4
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.651_208_398_183_123_4]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let c = F::of;
        let x = x[0];
        let square = x * x;
        let fourth = square * square;
        let twelfth = fourth * fourth * fourth;
        out[0] = c(15.0) * twelfth * square - cos(x) + c(6.0) * fourth * x * exp(fourth * square);
    }
}

impl Point<1> for Adaswarm4 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        let cube = (x * x) * x;
        let sixth = cube * cube;
        (sixth * sixth) * cube - sin(x) + exp(sixth)
    }
}

/// Function 1 of table III.
pub(crate) struct Adaswarm5;

impl Formula for Adaswarm5 {
    const ENTRY: Entry = Entry {
        name: "adaswarm5",
        title: "AdaSwarm table III, function 1",
        formula: "sqrt(x)",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table III",
        about: "infinitely steep at the minimum, which is the end of the domain; NaN below it",
        dims: Dims::Exactly(1),
        domain: &[(0.0, 5.0)],
        everywhere: true,
        differentiable: false,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0]]
    }
}

impl Point<1> for Adaswarm5 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        x.sqrt()
    }
}

/// Function 2 of table III.
pub(crate) struct Adaswarm6;

impl Formula for Adaswarm6 {
    const ENTRY: Entry = Entry {
        name: "adaswarm6",
        title: "AdaSwarm table III, function 2",
        formula: "|x|",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table III",
        about: "a kink at the minimum",
        dims: Dims::Exactly(1),
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: false,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0]]
    }
}

impl Point<1> for Adaswarm6 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        x.abs()
    }
}

/// Function 3 of table III.
pub(crate) struct Adaswarm7;

impl Formula for Adaswarm7 {
    const ENTRY: Entry = Entry {
        name: "adaswarm7",
        title: "AdaSwarm table III, function 3",
        formula: "x^(1/3) + sin(x) if x > 0, else 0",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table III",
        about: "flat on the left, where every point is a minimum, and infinitely steep at zero",
        dims: Dims::Exactly(1),
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: false,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0]]
    }
}

impl Point<1> for Adaswarm7 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        let right = cube_root(x) + sin(x);
        if x <= F::zero() { F::zero() } else { right }
    }
}

/// Function 4 of table III.
pub(crate) struct Adaswarm8;

impl Formula for Adaswarm8 {
    const ENTRY: Entry = Entry {
        name: "adaswarm8",
        title: "AdaSwarm table III, function 4",
        formula: "x if x > 0, x^2 if x < 0, 0 if x = 0",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha (2021), AdaSwarm, table III",
        about: "a kink at the minimum, smooth on either side",
        dims: Dims::Exactly(1),
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: false,
        instance: None,
    };
    type Shape = Fixed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(_dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0]]
    }
}

impl Point<1> for Adaswarm8 {
    #[inline(always)]
    fn at<F: Real>([x]: [F; 1]) -> F {
        if x > F::zero() { x } else { x * x }
    }
}
