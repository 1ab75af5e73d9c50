//! Zakharov's function.

use crate::entry::{Dims, Entry};
use crate::shape::{Formula, Summed, Terms};
use swarmgrad_core::Real;

/// A plate-shaped bowl that is steep across one direction.
pub(crate) struct Zakharov;

impl Formula for Zakharov {
    const ENTRY: Entry = Entry {
        name: "zakharov",
        title: "Zakharov",
        formula: "sum x_i^2 + T^2 + T^4, T = sum i x_i / 2",
        source: "Zakharov (1975), as in Rahnamayan, Tizhoosh, Salama (2007), A novel population initialization method for accelerating evolutionary algorithms",
        about: "one minimum; steep across one direction, flat along the others",
        dims: Dims::Any { min: 1 },
        domain: &[(-5.0, 10.0)],
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
        let weight = |j| F::of(Self::weight(j, x.len()));
        let t: F = x.iter().enumerate().map(|(j, &t)| weight(j) * t).sum();
        let steep = F::of(2.0) * t + F::of(4.0) * t * t * t;
        for (j, (o, &t)) in out.iter_mut().zip(x).enumerate() {
            *o = t + t + steep * weight(j);
        }
    }
}

impl Terms<2> for Zakharov {
    const WEIGHTED: bool = true;

    fn weight(j: usize, _dim: usize) -> f64 {
        0.5 * (j + 1) as f64
    }

    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, weight: F) -> [F; 2] {
        [x * x, weight * x]
    }

    #[inline(always)]
    fn finish<F: Real>([squares, t]: [F; 2], _dim: F, _first: F, _last: F) -> F {
        let square = t * t;
        squares + square + square * square
    }
}
