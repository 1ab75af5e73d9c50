//! Levy's functions: the one for any dimension and number 13 for two.

use crate::entry::{Dims, Entry};
use crate::math::{sin, sin_2pi, sin_pi_squared, sin_squared};
use crate::shape::{Fixed, Formula, Point, Summed, Terms};
use std::f64::consts::PI;
use swarmgrad_core::Real;

/// With w_i = 1 + (x_i - 1) / 4.
pub(crate) struct Levy;

/// w of the formula.
#[inline(always)]
fn quarter<F: Real>(x: F) -> F {
    F::one() + (x - F::one()) * F::of(0.25)
}

impl Formula for Levy {
    const ENTRY: Entry = Entry {
        name: "levy",
        title: "Levy",
        formula: "sin(pi w_1)^2 + sum over i < d of (w_i - 1)^2 (1 + 10 sin(pi w_i + 1)^2) + (w_d - 1)^2 (1 + sin(2 pi w_d)^2), w_i = 1 + (x_i - 1) / 4",
        source: "Levy, Montalvo (1985), The tunneling algorithm for the global minimization of functions; Laguna, Martí (2005)",
        about: "a bowl with a ripple across each coordinate",
        dims: Dims::Any { min: 1 },
        domain: &[(-10.0, 10.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Summed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(dim: usize) -> Vec<Vec<f64>> {
        vec![vec![1.0; dim]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let (one, two) = (F::one(), F::of(2.0));
        let last = x.len() - 1;
        // By w; dw/dx = 1/4 comes in the end.
        for (o, &t) in out[..last].iter_mut().zip(x) {
            let w = quarter(t);
            let (gap, angle) = (w - one, F::of(PI) * w + one);
            *o = two * gap * (one + F::of(10.0) * sin_squared(angle))
                + gap * gap * (F::of(10.0 * PI) * sin(two * angle));
        }
        let w = quarter(x[last]);
        let gap = w - one;
        out[last] = two * gap * (one + sin_pi_squared(two * w)) + gap * gap * F::of(2.0 * PI) * sin_2pi(two * w);
        out[0] += F::of(PI) * sin_2pi(quarter(x[0]));
        out.iter_mut().for_each(|o| *o *= F::of(0.25));
    }
}

impl Terms<1> for Levy {
    const NEIGHBOURS: bool = true;

    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, _weight: F) -> [F; 1] {
        let w = quarter(x);
        let gap = w - F::one();
        [(gap * gap) * (F::one() + F::of(10.0) * sin_squared(F::of(PI) * w + F::one()))]
    }

    #[inline(always)]
    fn finish<F: Real>(sums: [F; 1], _dim: F, first: F, last: F) -> F {
        let w = quarter(last);
        let gap = w - F::one();
        sin_pi_squared(quarter(first)) + sums[0] + (gap * gap) * (F::one() + sin_pi_squared(w + w))
    }
}

/// Levy's function number 13.
pub(crate) struct Levy13;

impl Formula for Levy13 {
    const ENTRY: Entry = Entry {
        name: "levy13",
        title: "Levy 13",
        formula: "sin(3 pi x)^2 + (x - 1)^2 (1 + sin(3 pi y)^2) + (y - 1)^2 (1 + sin(2 pi y)^2)",
        source: "Levy, Montalvo (1985), The tunneling algorithm for the global minimization of functions",
        about: "some 900 local minima in a bowl",
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
        vec![vec![1.0, 1.0]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        let (one, two, three) = (F::one(), F::of(2.0), F::of(3.0));
        let (x, y) = (x[0], x[1]);
        let (p, q) = (x - one, y - one);
        let pi = F::of(PI);
        out[0] = three * pi * sin_2pi(three * x) + two * p * (one + sin_pi_squared(three * y));
        out[1] = p * p * three * pi * sin_2pi(three * y)
            + two * q * (one + sin_pi_squared(two * y))
            + q * q * two * pi * sin_2pi(two * y);
    }
}

impl Point<2> for Levy13 {
    #[inline(always)]
    fn at<F: Real>([x, y]: [F; 2]) -> F {
        let (p, q) = (x - F::one(), y - F::one());
        sin_pi_squared(F::of(3.0) * x)
            + (p * p) * (F::one() + sin_pi_squared(F::of(3.0) * y))
            + (q * q) * (F::one() + sin_pi_squared(F::of(2.0) * y))
    }
}
