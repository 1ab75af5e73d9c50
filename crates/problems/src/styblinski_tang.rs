//! The Styblinski-Tang function.

use crate::entry::{Dims, Entry};
use crate::shape::{Formula, Summed, Terms};
use swarmgrad_core::Real;

/// Two wells a coordinate, of unequal depth.
pub(crate) struct StyblinskiTang;

impl Formula for StyblinskiTang {
    const ENTRY: Entry = Entry {
        name: "styblinski_tang",
        title: "Styblinski-Tang",
        formula: "sum (x_i^4 - 16 x_i^2 + 5 x_i) / 2",
        source: "Styblinski, Tang (1990), Experiments in nonconvex optimization: stochastic approximation with function smoothing and simulated annealing",
        about: "2^d wells of unequal depth",
        dims: Dims::Any { min: 1 },
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Summed<1>;

    fn minimum(dim: usize) -> f64 {
        -39.166_165_703_771_41 * dim as f64
    }

    fn minimizers(dim: usize) -> Vec<Vec<f64>> {
        vec![vec![-2.903_534_027_771_177; dim]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        for (o, &t) in out.iter_mut().zip(x) {
            *o = (F::of(2.0) * t * t - F::of(16.0)) * t + F::of(2.5);
        }
    }
}

impl Terms<1> for StyblinskiTang {
    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, _weight: F) -> [F; 1] {
        let square = x * x;
        [F::of(0.5) * ((square - F::of(16.0)) * square + F::of(5.0) * x)]
    }
}
