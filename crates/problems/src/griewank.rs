//! Griewank's function.

use crate::entry::{Dims, Entry};
use crate::math::{cos, sin};
use crate::shape::{Fold, Formula, Summed, Terms};
use swarmgrad_core::Real;

/// A wide bowl with a product of cosines on it.
pub(crate) struct Griewank;

impl Formula for Griewank {
    const ENTRY: Entry = Entry {
        name: "griewank",
        title: "Griewank",
        formula: "1 + sum x_i^2 / 4000 - product cos(x_i / sqrt(i))",
        source: "Griewank (1981), Generalized descent for global optimization",
        about: "thousands of wells in a wide bowl; easier in many dimensions, where the product vanishes",
        dims: Dims::Any { min: 1 },
        domain: &[(-600.0, 600.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Summed<2>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0; dim]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        // The product without factor j is the product before it times the product after it: no division by a zero.
        let weight = |j| F::of(Self::weight(j, x.len()));
        let mut product = F::one();
        for (j, &t) in x.iter().enumerate() {
            out[j] = product;
            product *= cos(t * weight(j));
        }
        let mut product = F::one();
        for (j, &t) in x.iter().enumerate().rev() {
            let others = out[j] * product;
            product *= cos(t * weight(j));
            out[j] = t / F::of(2000.0) + weight(j) * sin(t * weight(j)) * others;
        }
    }
}

impl Terms<2> for Griewank {
    const FOLDS: [Fold; 2] = [Fold::Sum, Fold::Product];
    const WEIGHTED: bool = true;

    fn weight(j: usize, _dim: usize) -> f64 {
        1.0 / ((j + 1) as f64).sqrt()
    }

    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, weight: F) -> [F; 2] {
        [x * x, cos(x * weight)]
    }

    #[inline(always)]
    fn finish<F: Real>([squares, cosines]: [F; 2], _dim: F, _first: F, _last: F) -> F {
        squares / F::of(4000.0) + (F::one() - cosines)
    }
}
