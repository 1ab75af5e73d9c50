//! Rastrigin's function, as in the textbooks and with a quarter of its amplitude.
//!
//! Both are computed from x^2 and sin(pi x)^2, which is the same and has no cancellation near the minimum.

use crate::entry::{Dims, Entry};
use crate::math::{sin_2pi, sin_pi_squared};
use crate::shape::{Formula, Summed, Terms};
use std::f64::consts::TAU;
use swarmgrad_core::Real;

/// The textbook's amplitude, 10.
pub(crate) struct Rastrigin;

impl Formula for Rastrigin {
    const ENTRY: Entry = Entry {
        name: "rastrigin",
        title: "Rastrigin",
        formula: "10 d + sum x_i^2 - 10 cos(2 pi x_i)",
        source: "Rastrigin (1974), Systems of extremal control; Mühlenbein, Schomisch, Born (1991) for d > 2",
        about: "a bowl full of regular wells: 11^d local minima",
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
            *o = t + t + F::of(10.0 * TAU) * sin_2pi(t);
        }
    }
}

impl Terms<1> for Rastrigin {
    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, _weight: F) -> [F; 1] {
        [x * x + F::of(20.0) * sin_pi_squared(x)]
    }
}

/// Amplitude 2.5.
pub(crate) struct Rastrigin25;

impl Formula for Rastrigin25 {
    const ENTRY: Entry = Entry {
        name: "rastrigin25",
        title: "Rastrigin, amplitude 2.5",
        formula: "sum x_i^2 + 2.5 (1 - cos(2 pi x_i))",
        source: "Huang, Qiu, Riedl (2023), On the global convergence of particle swarm optimization methods",
        about: "Rastrigin's bowl with shallower wells, as in the papers on mean-field and consensus methods",
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
        for (o, &t) in out.iter_mut().zip(x) {
            *o = t + t + F::of(2.5 * TAU) * sin_2pi(t);
        }
    }
}

impl Terms<1> for Rastrigin25 {
    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, _weight: F) -> [F; 1] {
        [x * x + F::of(5.0) * sin_pi_squared(x)]
    }
}
