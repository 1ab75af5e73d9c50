//! Schwefel's function 2.26.

use crate::entry::{Dims, Entry};
use crate::math::{cos, sin};
use crate::shape::{Formula, Summed, Terms};
use swarmgrad_core::Real;

/// Deep wells far from one another, the deepest near a corner.
pub(crate) struct Schwefel;

/// The largest x sin(sqrt(x)) on [0, 500], and where it is.
const DEPTH: f64 = 418.982_887_272_433_7;
const PLACE: f64 = 420.968_746_359_982_03;

impl Formula for Schwefel {
    const ENTRY: Entry = Entry {
        name: "schwefel",
        title: "Schwefel 2.26",
        formula: "418.98288727243371 d - sum x_i sin(sqrt|x_i|)",
        source: "Schwefel (1981), Numerical optimization of computer models, problem 2.26",
        about: "the best well is near a corner, far from the second best; unbounded below outside the domain",
        dims: Dims::Any { min: 1 },
        domain: &[(-500.0, 500.0)],
        everywhere: false,
        differentiable: true,
        instance: None,
    };
    type Shape = Summed<1>;

    fn minimum(_dim: usize) -> f64 {
        0.0
    }

    fn minimizers(dim: usize) -> Vec<Vec<f64>> {
        vec![vec![PLACE; dim]]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        for (o, &t) in out.iter_mut().zip(x) {
            let root = t.abs().sqrt();
            *o = -sin(root) - F::of(0.5) * root * cos(root);
        }
    }
}

impl Terms<1> for Schwefel {
    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, _weight: F) -> [F; 1] {
        [F::of(DEPTH) - x * sin(x.abs().sqrt())]
    }
}
