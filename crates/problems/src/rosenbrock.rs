//! Curved valleys: Rosenbrock and Dixon-Price.

use crate::entry::{Dims, Entry};
use crate::shape::{Formula, Summed, Terms};
use swarmgrad_core::{Real, math};

/// The banana.
pub(crate) struct Rosenbrock;

impl Formula for Rosenbrock {
    const ENTRY: Entry = Entry {
        name: "rosenbrock",
        title: "Rosenbrock",
        formula: "sum over i < d of 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2",
        source: "Rosenbrock (1960), An automatic method for finding the greatest or least value of a function",
        about: "a flat curved valley; from d = 4 on a second, local minimum near (-1, 1, .., 1)",
        dims: Dims::Any { min: 2 },
        domain: &[(-5.0, 10.0)],
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
        out.fill(F::zero());
        for j in 0..x.len() - 1 {
            let rise = x[j + 1] - x[j] * x[j];
            out[j] += F::of(-400.0) * x[j] * rise - F::of(2.0) * (F::one() - x[j]);
            out[j + 1] = F::of(200.0) * rise;
        }
    }
}

impl Terms<1> for Rosenbrock {
    const NEIGHBOURS: bool = true;

    #[inline(always)]
    fn term<F: Real>(x: F, next: F, _weight: F) -> [F; 1] {
        let rise = next - x * x;
        let rest = F::one() - x;
        [F::of(100.0) * (rise * rise) + rest * rest]
    }
}

/// A valley that bends in each coordinate.
pub(crate) struct DixonPrice;

impl Formula for DixonPrice {
    const ENTRY: Entry = Entry {
        name: "dixon_price",
        title: "Dixon-Price",
        formula: "(x_1 - 1)^2 + sum over i > 1 of i (2 x_i^2 - x_(i-1))^2",
        source: "Dixon, Price (1989), Truncated Newton method for sparse unconstrained optimization",
        about: "a valley; the minimum x_i = 2^(2^(1-i) - 1) is reached with either sign of the last coordinate",
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
        let positive: Vec<f64> = (0..dim).map(|j| math::exp2(0.5f64.powi(j.min(1000) as i32) - 1.0)).collect();
        let mut mirrored = positive.clone();
        mirrored[dim - 1] = -mirrored[dim - 1];
        if dim == 1 { vec![positive] } else { vec![positive, mirrored] }
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        out[0] = F::of(2.0) * (x[0] - F::one());
        for j in 1..x.len() {
            let gap = F::of(2.0 * Self::weight(j - 1, x.len())) * (F::of(2.0) * x[j] * x[j] - x[j - 1]);
            out[j - 1] -= gap;
            out[j] = F::of(4.0) * x[j] * gap;
        }
    }
}

impl Terms<1> for DixonPrice {
    const NEIGHBOURS: bool = true;
    const WEIGHTED: bool = true;

    fn weight(j: usize, _dim: usize) -> f64 {
        (j + 2) as f64
    }

    #[inline(always)]
    fn term<F: Real>(x: F, next: F, weight: F) -> [F; 1] {
        let gap = F::of(2.0) * (next * next) - x;
        [weight * (gap * gap)]
    }

    #[inline(always)]
    fn finish<F: Real>(sums: [F; 1], _dim: F, first: F, _last: F) -> F {
        let gap = first - F::one();
        gap * gap + sums[0]
    }
}
