//! One swarm for a whole batch: few particles, long rows.
//!
//! Draws: particle i starts from row 2 i, and in iteration t (from 1) takes r1 from row 2 (t n + i) and r2 from the row
//! after it: a number for every coordinate, or the first one for all.

use super::lanes::curvature;
use super::setting::{BlockLoss, Found, Kappa, Law, Start};
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use rayon::prelude::*;
use std::ops::Range;
use swarmgrad_core::simd::level;
use swarmgrad_core::{Real, Rng};

/// Columns whose draws are made at a time.
const STRETCH: usize = 256;

/// The memory of a swarm; every matrix has a row for each particle.
#[derive(Debug, Default)]
pub(super) struct Scratch<F> {
    x: Vec<F>,
    v: Vec<F>,
    m: Vec<F>,
    p: Vec<F>,
    particles: Vec<Particle<F>>,
    /// All positions and losses so far, where kappa is calibrated.
    past_x: Vec<F>,
    past_f: Vec<F>,
}

/// What is known of a particle beside its rows.
#[derive(Debug, Clone, Copy)]
struct Particle<F> {
    loss: F,
    /// The loss and the proximity.
    total: F,
    /// The best of these so far.
    best: F,
    /// Sums of its draws in the last iteration.
    r1: F,
    r2: F,
}

/// What belongs to a particle: its rows of x, v, M and p, and the rest.
type Own<'a, F> = ((((&'a mut [F], &'a mut [F]), &'a mut [F]), &'a mut [F]), &'a mut Particle<F>);

#[allow(clippy::too_many_arguments)]
pub(super) fn search<F: Real, L: BlockLoss<F> + ?Sized>(
    law: &Law<F>,
    loss: &L,
    outputs: &[F],
    targets: &[F],
    parallel: bool,
    rng: &Rng,
    scratch: &mut Scratch<F>,
    found: &mut Found<F>,
) {
    let (n, dim) = (law.particles, outputs.len());
    for matrix in [&mut scratch.x, &mut scratch.v, &mut scratch.m, &mut scratch.p] {
        matrix.resize(n * dim, F::zero());
    }
    scratch.v.fill(F::zero());
    scratch.m.fill(F::zero());
    scratch.past_x.clear();
    scratch.past_f.clear();
    let (worst, zero) = (F::infinity(), F::zero());
    scratch.particles.clear();
    scratch.particles.resize(n, Particle { loss: worst, total: worst, best: worst, r1: zero, r2: zero });
    let (mut best, mut best_loss) = (worst, worst);
    let g = &mut found.best;
    for t in 0..=law.iterations {
        let step = |(i, ((((x, v), m), p), particle)): (usize, Own<'_, F>)| {
            if t == 0 {
                begin(law, i, outputs, targets, rng, x);
                p.copy_from_slice(x);
            } else {
                travel(law, 2 * (t * n + i), rng, particle, x, v, m, p, g);
            }
            particle.loss = loss.value(x, targets);
            particle.total = particle.loss;
            if let Some(half_rate) = law.proximity {
                let square = |square: F, (&x, &w): (&F, &F)| square + (x - w) * (x - w);
                particle.total += x.iter().zip(outputs).fold(F::zero(), square) * half_rate;
            }
            if particle.total < particle.best {
                particle.best = particle.total;
                p.copy_from_slice(x);
            }
        };
        let Scratch { x, v, m, p, particles, .. } = &mut *scratch;
        if parallel {
            let rows = x.par_chunks_mut(dim).zip(v.par_chunks_mut(dim)).zip(m.par_chunks_mut(dim));
            rows.zip(p.par_chunks_mut(dim)).zip(particles).enumerate().for_each(step);
        } else {
            let rows = x.chunks_mut(dim).zip(v.chunks_mut(dim)).zip(m.chunks_mut(dim));
            rows.zip(p.chunks_mut(dim)).zip(particles).enumerate().for_each(step);
        }
        if t == 0 {
            g.copy_from_slice(&scratch.x[..dim]);
        }
        for (particle, x) in scratch.particles.iter().zip(scratch.x.chunks_exact(dim)) {
            if particle.total < best {
                (best, best_loss) = (particle.total, particle.loss);
                g.copy_from_slice(x);
            }
        }
        if let Kappa::Calibrated { .. } = law.kappa {
            scratch.past_x.extend_from_slice(&scratch.x);
            scratch.past_f.extend(scratch.particles.iter().map(|particle| particle.loss));
        }
    }
    found.value[0] = best_loss;
    found.kappa[0] = match law.kappa {
        Kappa::Expected | Kappa::Fixed(_) => law.constant,
        Kappa::Paper => {
            let sum = |a: F, b: F| a + b;
            let (r1, r2) = (scratch.particles.iter().map(|p| p.r1), scratch.particles.iter().map(|p| p.r2));
            let count = if law.per_particle { n } else { n * dim };
            law.paper_kappa(r1.fold(zero, sum), r2.fold(zero, sum), count)
        }
        Kappa::Calibrated { radius } => {
            let radius = F::of(radius);
            let (mut above, mut below) = (zero, zero);
            for (x, &f) in scratch.past_x.chunks_exact(dim).zip(&scratch.past_f) {
                let square = |sum: F, (&x, &g): (&F, &F)| sum + (x - g) / radius * ((x - g) / radius);
                let square = x.iter().zip(&*g).fold(zero, square);
                if square <= F::one() && f < worst {
                    above += square * (f - best_loss);
                    below += square * square;
                }
            }
            curvature(law, radius, above, below)
        }
    };
}

/// The columns of a row, a stretch at a time.
fn stretches(dim: usize) -> impl Iterator<Item = Range<usize>> {
    (0..dim).step_by(STRETCH).map(move |from| from..(from + STRETCH).min(dim))
}

/// The first position of particle `i`.
fn begin<F: Real>(law: &Law<F>, i: usize, outputs: &[F], targets: &[F], rng: &Rng, x: &mut [F]) {
    let leak = matches!(law.start, Start::Target { .. });
    if i == 0 && law.start.holds_output() {
        return x.copy_from_slice(outputs);
    }
    let centre = if leak { targets } else { outputs };
    for cols in stretches(x.len()) {
        let x = &mut x[cols.clone()];
        rng.fill_uniform(2 * i..2 * i + 1, cols.clone(), x);
        super::lanes::begin(law, &centre[cols], x);
        if let Some([low, high]) = law.confine {
            x.iter_mut().for_each(|x| *x = clamp(*x, low, high));
        }
    }
}

#[inline(always)]
fn clamp<F: Real>(x: F, low: F, high: F) -> F {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// Moves one particle.
#[allow(clippy::too_many_arguments)]
fn travel<F: Real>(
    law: &Law<F>,
    row: usize,
    rng: &Rng,
    particle: &mut Particle<F>,
    x: &mut [F],
    v: &mut [F],
    m: &mut [F],
    p: &[F],
    g: &[F],
) {
    let (mut r1, mut r2) = ([F::zero(); STRETCH], [F::zero(); STRETCH]);
    if law.per_particle {
        rng.fill_uniform(row..row + 1, 0..1, &mut r1[..1]);
        rng.fill_uniform(row + 1..row + 2, 0..1, &mut r2[..1]);
        (particle.r1, particle.r2) = (r1[0], r2[0]);
        (r1, r2) = ([r1[0]; STRETCH], [r2[0]; STRETCH]);
    } else {
        (particle.r1, particle.r2) = (F::zero(), F::zero());
    }
    for cols in stretches(x.len()) {
        let (r1, r2) = (&mut r1[..cols.len()], &mut r2[..cols.len()]);
        if !law.per_particle {
            rng.fill_uniform(row..row + 1, cols.clone(), r1);
            rng.fill_uniform(row + 1..row + 2, cols.clone(), r2);
            if let Kappa::Paper = law.kappa {
                particle.r1 += r1.iter().copied().sum::<F>();
                particle.r2 += r2.iter().copied().sum::<F>();
            }
        }
        let (x, v, m) = (&mut x[cols.clone()], &mut v[cols.clone()], &mut m[cols.clone()]);
        dispatch!(level(), simd => advance(simd, law, x, v, m, &p[cols.clone()], &g[cols], r1, r2));
        if let Some([low, high]) = law.confine {
            x.iter_mut().for_each(|x| *x = clamp(*x, low, high));
        }
    }
}

#[simd]
#[allow(clippy::too_many_arguments)]
fn advance<S: Simd, F: Real>(
    _simd: S,
    law: &Law<F>,
    x: &mut [F],
    v: &mut [F],
    m: &mut [F],
    p: &[F],
    g: &[F],
    r1: &[F],
    r2: &[F],
) {
    let n = x.len();
    let (v, m, p, g, r1, r2) = (&mut v[..n], &mut m[..n], &p[..n], &g[..n], &r1[..n], &r2[..n]);
    for j in 0..n {
        m[j] = m[j] * law.beta + v[j] * law.gamma; // eq. (5)
        v[j] = m[j] + r1[j] * law.c1 * (p[j] - x[j]) + r2[j] * law.c2 * (g[j] - x[j]); // eq. (4)
        x[j] += v[j]; // eq. (2)
    }
}
