//! The step of swarms with inertia, eq. (4.15) of the mean-field PSO paper, as one fused pass; its header is that of
//! [`super::pso_sde`].

use super::Swarm;
use super::force::{diffuse, drift};
use super::sweep::sweep;
use fearless_simd::{Simd, dispatch, prelude::*};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::{Counter, Key, level};
use swarmgrad_core::{Real, Rng, Space};

/// The numbers of one step: V <- keep V + drifts + diffusions, X <- X + dt V.
#[derive(Clone, Copy)]
pub(super) struct Law<F> {
    pub(super) keep: F,
    pub(super) lambda: [F; 2],
    pub(super) sigma: [F; 2],
    pub(super) dt: F,
    /// X takes the new V (semi-implicit) or the old one (explicit).
    pub(super) semi: bool,
    /// Whether the memory Y attracts: lambda1 or sigma1 is not 0.
    pub(super) memory: bool,
    /// D(z) = |z| Id instead of diag(|z|).
    pub(super) isotropic: bool,
}

impl<F: Real> Law<F> {
    /// One step for all particles, particle i towards `target(i)`, which is the same for all if `common`. `distances` is
    /// room for |Y - X| and |c - X| of each particle.
    pub(super) fn travel<'c>(
        self,
        swarm: &mut Swarm<F>,
        space: &Space<F>,
        rng: &Rng,
        distances: &mut Vec<[F; 2]>,
        common: bool,
        target: impl Fn(usize) -> &'c [F] + Sync,
    ) {
        let (law, with_memory, isotropic) = (self, self.memory, self.isotropic);
        let (xi1, xi2) = (rng.fork("xi1"), rng.fork("xi2"));
        let y = &swarm.y;
        if isotropic {
            distances.clear();
            distances.extend(swarm.x.iter().enumerate().map(|(i, x)| {
                let own = if with_memory { distance(y.row(i), x) } else { F::zero() };
                [own, distance(target(i), x)]
            }));
        }
        let distances = &*distances;
        sweep([&mut swarm.x, &mut swarm.v], space, rng, |tile, scratch| {
            let (len, row, cols) = (tile.len(), tile.rows.start, tile.cols.clone());
            if !isotropic
                && let Some(rows) = tile.pair()
                && let Some(keys) = xi2.keys(row)
            {
                let c = [row, row + 1].map(|i| &target(i)[cols.clone()]);
                if with_memory && let Some(own) = xi1.keys(row) {
                    let y = [row, row + 1].map(|i| &y.row(i)[cols.clone()]);
                    let keys = [own, keys];
                    dispatch!(level(), simd => step_wide::<_, F, true>(simd, law, keys, cols.start, rows, y, c));
                } else {
                    dispatch!(level(), simd => step_wide::<_, F, false>(simd, law, [keys; 2], cols.start, rows, c, c));
                }
                return;
            }
            tile.gather(scratch, common, &target);
            xi2.fill_normal(tile.rows.clone(), tile.cols.clone(), &mut scratch.b[..len]);
            if with_memory {
                xi1.fill_normal(tile.rows.clone(), tile.cols.clone(), &mut scratch.a[..len]);
            }
            if isotropic {
                tile.row_segments(|s| {
                    let (c, spread) = (s.attractor(scratch, |i| target(i)), distances[s.row]);
                    let ([x, v], at) = (s.parts, s.at);
                    let y = if with_memory { &y.data()[s.flat] } else { c };
                    let (z1, z2) = (&scratch.a[at.clone()], &scratch.b[at]);
                    dispatch!(level(), simd => step_isotropic(simd, law, spread, x, v, y, c, z1, z2));
                });
            } else {
                tile.segments(|s| {
                    let c = s.attractor(scratch, |i| target(i));
                    let ([x, v], at) = (s.parts, s.at);
                    let (z1, z2) = (&scratch.a[at.clone()], &scratch.b[at]);
                    if with_memory {
                        let y = &y.data()[s.flat];
                        dispatch!(level(), simd => step(simd, law, x, v, y, c, z1, z2));
                    } else {
                        dispatch!(level(), simd => step_one_normal(simd, law, x, v, c, z2));
                    }
                });
            }
        });
    }
}

/// One number of a particle with both drifts and diffusions, anisotropic.
#[inline(always)]
fn move_number<F: Real>(law: Law<F>, x: &mut F, v: &mut F, [y, c]: [F; 2], [z1, z2]: [F; 2]) {
    let Law { keep, lambda: [l1, l2], sigma: [s1, s2], dt, semi, .. } = law;
    let old = *v;
    *v = keep * old + drift(l1, y, *x) + drift(l2, c, *x) + diffuse(s1, y, *x, z1) + diffuse(s2, c, *x, z2); // eq. (4.15)
    *x += dt * if semi { *v } else { old };
}

/// lambda1 = sigma1 = 0: one normal a number.
#[inline(always)]
fn move_number_memoryless<F: Real>(law: Law<F>, x: &mut F, v: &mut F, c: F, z2: F) {
    let Law { keep, lambda: [_, l2], sigma: [_, s2], dt, semi, .. } = law;
    let old = *v;
    *v = keep * old + drift(l2, c, *x) + diffuse(s2, c, *x, z2); // eq. (4.15)
    *x += dt * if semi { *v } else { old };
}

#[simd]
#[allow(clippy::too_many_arguments)]
fn step<S: Simd, F: Real>(_simd: S, law: Law<F>, x: &mut [F], v: &mut [F], y: &[F], c: &[F], z1: &[F], z2: &[F]) {
    let n = x.len();
    let (v, y, c, z1, z2) = (&mut v[..n], &y[..n], &c[..n], &z1[..n], &z2[..n]);
    for j in 0..n {
        move_number(law, &mut x[j], &mut v[j], [y[j], c[j]], [z1[j], z2[j]]);
    }
}

#[simd]
fn step_one_normal<S: Simd, F: Real>(_simd: S, law: Law<F>, x: &mut [F], v: &mut [F], c: &[F], z2: &[F]) {
    let n = x.len();
    let (v, c, z2) = (&mut v[..n], &c[..n], &z2[..n]);
    for j in 0..n {
        move_number_memoryless(law, &mut x[j], &mut v[j], c[j], z2[j]);
    }
}

/// The same for a stretch of two long rows, drawing as it goes: `keys` select the normals of the memory and of the
/// consensus, of both rows. The bits are those of [`step`] and [`step_one_normal`].
#[simd]
fn step_wide<S: Simd, F: Real, const MEMORY: bool>(
    simd: S,
    law: Law<F>,
    keys: [[Key; 2]; 2],
    col: usize,
    rows: [[&mut [F]; 2]; 2],
    y: [&[F]; 2],
    c: [&[F]; 2],
) {
    let word = col / F::PER_WORD;
    let [mut own, mut common] = [Counter::pair(simd, keys[0], word), Counter::pair(simd, keys[1], word)];
    let [[xa, va], [xb, vb]] = rows;
    let (n, width) = (xa.len(), F::Lanes::<S>::LEN);
    let whole = n / width * width;
    for j in (0..whole).step_by(width) {
        let here = j..j + width;
        let z1 = if MEMORY { F::next_normal(simd, &mut own) } else { [F::Lanes::<S>::splat(simd, F::zero()); 2] };
        let z2 = F::next_normal(simd, &mut common);
        let (a, b) = ((&mut xa[here.clone()], &mut va[here.clone()]), (&mut xb[here.clone()], &mut vb[here.clone()]));
        move_lanes::<S, F, MEMORY>(simd, law, a, [&y[0][here.clone()], &c[0][here.clone()]], [z1[0], z2[0]]);
        move_lanes::<S, F, MEMORY>(simd, law, b, [&y[1][here.clone()], &c[1][here]], [z1[1], z2[1]]);
    }
    if whole < n {
        let z1 = if MEMORY { F::next_normal(simd, &mut own) } else { [F::Lanes::<S>::splat(simd, F::zero()); 2] };
        let z2 = F::next_normal(simd, &mut common);
        for (r, (x, v)) in [(xa, va), (xb, vb)].into_iter().enumerate() {
            for (k, j) in (whole..n).enumerate() {
                if MEMORY {
                    move_number(law, &mut x[j], &mut v[j], [y[r][j], c[r][j]], [z1[r][k], z2[r][k]]);
                } else {
                    move_number_memoryless(law, &mut x[j], &mut v[j], c[r][j], z2[r][k]);
                }
            }
        }
    }
}

/// [`move_number`] (or without memory) for one vector.
#[inline(always)]
fn move_lanes<S: Simd, F: Real, const MEMORY: bool>(
    simd: S,
    law: Law<F>,
    (x, v): (&mut [F], &mut [F]),
    [y, c]: [&[F]; 2],
    [z1, z2]: [F::Lanes<S>; 2],
) {
    let Law { keep, lambda: [l1, l2], sigma: [s1, s2], dt, semi, .. } = law;
    let load = |numbers: &[F]| F::Lanes::<S>::from_slice(simd, numbers);
    let (here, old) = (load(x), load(v));
    let to_consensus = load(c) - here;
    let next = if MEMORY {
        let to_memory = load(y) - here;
        old * keep + to_memory * l1 + to_consensus * l2 + to_memory.abs() * s1 * z1 + to_consensus.abs() * s2 * z2
    } else {
        old * keep + to_consensus * l2 + to_consensus.abs() * s2 * z2
    };
    next.store_slice(v);
    (here + if semi { next } else { old } * dt).store_slice(x);
}

/// Isotropic diffusion: the distances of the whole particle instead of the coordinate's.
#[simd]
#[allow(clippy::too_many_arguments)]
fn step_isotropic<S: Simd, F: Real>(
    _simd: S,
    law: Law<F>,
    [to_memory, to_consensus]: [F; 2],
    x: &mut [F],
    v: &mut [F],
    y: &[F],
    c: &[F],
    z1: &[F],
    z2: &[F],
) {
    let n = x.len();
    let (v, y, c, z1, z2) = (&mut v[..n], &y[..n], &c[..n], &z1[..n], &z2[..n]);
    let Law { keep, lambda: [l1, l2], sigma: [s1, s2], dt, semi, .. } = law;
    let (s1, s2) = (s1 * to_memory, s2 * to_consensus);
    for j in 0..n {
        let old = v[j];
        v[j] = keep * old + drift(l1, y[j], x[j]) + drift(l2, c[j], x[j]) + s1 * z1[j] + s2 * z2[j]; // eq. (4.15)
        x[j] += dt * if semi { v[j] } else { old };
    }
}

/// Euclidean distance; eight partial sums, so that every instruction set adds in the same order.
pub(crate) fn distance<F: Real>(a: &[F], b: &[F]) -> F {
    let mut sums = [F::zero(); 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(&s, &t)| (s - t) * (s - t))
        .fold(F::zero(), |u, t| u + t);
    for (p, q) in a_chunks.zip(b_chunks) {
        for k in 0..8 {
            sums[k] += (p[k] - q[k]) * (p[k] - q[k]);
        }
    }
    (sums.iter().fold(F::zero(), |u, &t| u + t) + rest).sqrt()
}
