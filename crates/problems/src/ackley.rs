//! Ackley's function.

use crate::entry::{Dims, Entry};
use crate::math::{exp, sin_2pi, sin_pi_squared};
use crate::shape::{Formula, Summed, Terms};
use std::f64::consts::{E, PI};
use swarmgrad_core::Real;

/// A nearly flat plain of small wells around one deep funnel.
///
/// With C = sum cos(2 pi x_i) = d - 2 Q, Q = sum sin(pi x_i)^2, it is 20 (1 - exp(-0.2 sqrt(S / d))) + e (1 - exp(-2 Q / d)):
/// exactly zero at the minimum.
pub(crate) struct Ackley;

impl Formula for Ackley {
    const ENTRY: Entry = Entry {
        name: "ackley",
        title: "Ackley",
        formula: "20 + e - 20 exp(-0.2 sqrt(sum x_i^2 / d)) - exp(sum cos(2 pi x_i) / d)",
        source: "Ackley (1987), A connectionist machine for genetic hillclimbing",
        about: "a plain of small wells around one funnel with a kink at its bottom",
        dims: Dims::Any { min: 1 },
        domain: &[(-32.768, 32.768)],
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
        let d = F::of(x.len() as f64);
        let r = (x.iter().map(|&t| t * t).sum::<F>() / d).sqrt();
        let wells = x.iter().map(|&t| sin_pi_squared(t)).sum::<F>();
        let funnel = if r > F::zero() { F::of(4.0) * exp(F::of(-0.2) * r) / (d * r) } else { F::zero() };
        let wells = F::of(2.0 * PI * E) * exp(F::of(-2.0) * (wells / d)) / d;
        for (o, &t) in out.iter_mut().zip(x) {
            *o = funnel * t + wells * sin_2pi(t);
        }
    }
}

impl Terms<2> for Ackley {
    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, _weight: F) -> [F; 2] {
        [x * x, sin_pi_squared(x)]
    }

    #[inline(always)]
    fn finish<F: Real>([squares, wells]: [F; 2], dim: F, _first: F, _last: F) -> F {
        let funnel = exp(F::of(-0.2) * (squares / dim).sqrt());
        let wells = exp(F::of(-2.0) * (wells / dim));
        F::of(20.0) * (F::one() - funnel) + F::of(E) * (F::one() - wells)
    }
}
