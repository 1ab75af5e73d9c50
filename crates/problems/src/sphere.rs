//! Sphere and ellipsoid.

use crate::entry::{Dims, Entry};
use crate::shape::{Formula, Summed, Terms};
use swarmgrad_core::{Real, math};

/// The sum of squares.
pub(crate) struct Sphere;

impl Formula for Sphere {
    const ENTRY: Entry = Entry {
        name: "sphere",
        title: "Sphere",
        formula: "sum x_i^2",
        source: "De Jong (1975), An analysis of the behavior of a class of genetic adaptive systems, F1",
        about: "the easiest smooth bowl",
        dims: Dims::Any { min: 1 },
        domain: &[(-5.12, 5.12)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Summed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0; dim]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        for (o, &t) in out.iter_mut().zip(x) {
            *o = t + t;
        }
    }
}

impl Terms<1> for Sphere {
    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, _weight: F) -> [F; 1] {
        [x * x]
    }
}

/// A bowl whose axes differ by six decades of curvature.
pub(crate) struct Ellipsoid;

impl Formula for Ellipsoid {
    const ENTRY: Entry = Entry {
        name: "ellipsoid",
        title: "Ellipsoid",
        formula: "sum 10^(6 (i - 1) / (d - 1)) x_i^2",
        source: "Hansen, Finck, Ros, Auger (2009), Real-parameter black-box optimization benchmarking, f2",
        about: "condition number 10^6: punishes methods with one step size for all variables",
        dims: Dims::Any { min: 1 },
        domain: &[(-5.0, 5.0)],
        everywhere: true,
        differentiable: true,
        instance: None,
    };
    type Shape = Summed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(dim: usize) -> Vec<Vec<f64>> {
        vec![vec![0.0; dim]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        for (j, (o, &t)) in out.iter_mut().zip(x).enumerate() {
            *o = F::of(2.0 * Self::weight(j, x.len())) * t;
        }
    }
}

impl Terms<1> for Ellipsoid {
    const WEIGHTED: bool = true;

    fn weight(j: usize, dim: usize) -> f64 {
        math::powf(10.0, 6.0 * j as f64 / (dim.max(2) - 1) as f64)
    }

    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, weight: F) -> [F; 1] {
        [weight * (x * x)]
    }
}
