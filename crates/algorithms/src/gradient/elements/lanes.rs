//! Small blocks: sixteen neighbouring ones at a time, a lane each, all their particles in the first-level cache.
//!
//! A group of blocks draws from a row of its own, so that threads may take groups in any order. The order of the draws,
//! sixteen numbers each: the start, particle by particle and coordinate by coordinate; then for each iteration and
//! particle r1 and r2, for every coordinate or once.

use super::setting::{BlockLoss, ElementLoss, Kappa, Law, Start};
use fearless_simd::{Select, Simd, dispatch, prelude::*};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::level;
use swarmgrad_core::{Real, Rng};

/// Blocks of a group.
pub(super) const LANES: usize = 16;

/// The losses of all particles of a group.
pub(super) trait Losses<F: Real>: Sync {
    /// Copies of a group's targets that are kept for each particle.
    const COPIES: bool;
    /// The losses of the particles `x` (particle by coordinate by lane) in the first `lanes` lanes; `row` has room for one
    /// point.
    fn judge(&self, lanes: usize, x: &[F], targets: &[F], row: &mut [F], f: &mut [F]);
}

/// A loss of elements; the targets are copied for each particle, lane by lane.
pub(super) struct Each<'a, L: ?Sized>(pub(super) &'a L);

impl<F: Real, L: ElementLoss<F> + ?Sized> Losses<F> for Each<'_, L> {
    const COPIES: bool = true;

    #[inline(always)]
    fn judge(&self, lanes: usize, x: &[F], targets: &[F], _row: &mut [F], f: &mut [F]) {
        // The loss is never asked about a lane without a block. One call in the text, so that the loss is inlined.
        let (stride, width) = if lanes == LANES { (x.len(), x.len()) } else { (LANES, lanes) };
        for ((x, t), f) in x.chunks_exact(stride).zip(targets.chunks_exact(stride)).zip(f.chunks_exact_mut(stride)) {
            self.0.values(&x[..width], &t[..width], &mut f[..width]);
        }
    }
}

/// A loss of samples; the targets are their rows.
pub(super) struct Rowwise<'a, L: ?Sized>(pub(super) &'a L);

impl<F: Real, L: BlockLoss<F> + ?Sized> Losses<F> for Rowwise<'_, L> {
    const COPIES: bool = false;

    #[inline(always)]
    fn judge(&self, lanes: usize, x: &[F], targets: &[F], row: &mut [F], f: &mut [F]) {
        let wide = targets.len() / lanes;
        for (x, f) in x.chunks_exact(row.len() * LANES).zip(f.chunks_exact_mut(LANES)) {
            for (lane, f) in f[..lanes].iter_mut().enumerate() {
                for (r, x) in row.iter_mut().zip(x.chunks_exact(LANES)) {
                    *r = x[lane];
                }
                *f = self.0.value(row, &targets[lane * wide..(lane + 1) * wide]);
            }
        }
    }
}

/// Consecutive groups of blocks for one thread.
pub(super) struct Piece<'a, F> {
    /// Number of the first group.
    pub(super) group: usize,
    pub(super) columns: usize,
    /// Targets of a block.
    pub(super) wide: usize,
    pub(super) outputs: &'a [F],
    pub(super) targets: &'a [F],
    pub(super) best: &'a mut [F],
    pub(super) value: &'a mut [F],
    pub(super) kappa: &'a mut [F],
}

/// The memory of one thread.
#[derive(Debug, Default)]
pub(super) struct Scratch<F> {
    numbers: Vec<F>,
}

/// Bytes of a line of the cache; a vector across two lines is twice the work.
const LINE: usize = 64;

impl<F: Real> Scratch<F> {
    /// `lengths` numbers each, every array at the start of a line where the lengths are multiples of [`LANES`].
    fn split<const N: usize>(&mut self, lengths: [usize; N]) -> [&mut [F]; N] {
        let total: usize = lengths.iter().sum();
        self.numbers.resize(self.numbers.len().max(total + LINE), F::zero());
        let offset = self.numbers.as_ptr().align_offset(LINE).min(LINE);
        let mut rest = &mut self.numbers[offset..];
        lengths.map(|length| {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(length);
            rest = after;
            part
        })
    }
}

impl<F: Real> Piece<'_, F> {
    /// Searches in every group.
    pub(super) fn run<L: Losses<F>>(self, law: &Law<F>, loss: &L, rng: &Rng, scratch: &mut Scratch<F>) {
        dispatch!(level(), simd => search(simd, self, law, loss, rng, scratch));
    }
}

/// One lane vector of an array.
#[inline(always)]
fn load<S: Simd, F: Real>(simd: S, from: &[F], at: usize) -> F::Lanes<S> {
    <F::Lanes<S>>::from_slice(simd, &from[at..at + <F::Lanes<S>>::LEN])
}

#[inline(always)]
fn store<S: Simd, F: Real>(lanes: F::Lanes<S>, to: &mut [F], at: usize) {
    lanes.store_slice(&mut to[at..at + <F::Lanes<S>>::LEN]);
}

/// Rows of blocks to coordinate by lane; lanes without a block are 0.
#[inline(always)]
fn transpose<F: Real>(rows: &[F], columns: usize, out: &mut [F]) {
    out.fill(F::zero());
    for (lane, row) in rows.chunks_exact(columns).enumerate() {
        for (d, &t) in row.iter().enumerate() {
            out[d * LANES + lane] = t;
        }
    }
}

#[simd]
fn search<S: Simd, F: Real, L: Losses<F>>(
    simd: S,
    piece: Piece<'_, F>,
    law: &Law<F>,
    loss: &L,
    rng: &Rng,
    scratch: &mut Scratch<F>,
) {
    let Piece { group, columns, wide, outputs, targets, best, value, kappa } = piece;
    let n = law.particles;
    let point = columns * LANES;
    let history = if matches!(law.kappa, Kappa::Calibrated { .. }) { law.iterations + 1 } else { 0 };
    let copies = if L::COPIES { n * LANES } else { 0 };
    let pulls = if law.per_particle { LANES } else { point };
    let [x, v, m, p, r, f, pf, w, g, gf, gl, copied, past_x, past_f, row] = scratch.split([
        n * point,
        n * point,
        n * point,
        n * point,
        2 * n * point,
        n * LANES,
        n * LANES,
        point,
        point,
        LANES,
        LANES,
        copies,
        history * n * point,
        history * n * LANES,
        columns,
    ]);
    let blocks = best.chunks_mut(point).zip(outputs.chunks(point)).zip(targets.chunks(LANES * wide));
    let results = value.chunks_mut(LANES).zip(kappa.chunks_mut(LANES));
    for (k, (((best, outputs), targets), (value, kappa))) in blocks.zip(results).enumerate() {
        let lanes = value.len();
        let mut draws = rng.row(group + k);
        transpose(outputs, columns, w);
        let targets = if L::COPIES {
            copied.chunks_exact_mut(LANES).for_each(|copy| copy[..lanes].copy_from_slice(targets));
            &*copied
        } else {
            targets
        };
        // The start: v = M = 0, p = x, and the first particle is the output itself.
        let own = if law.start.holds_output() { point } else { 0 };
        let (first, others) = x.split_at_mut(own);
        draws.fill_uniform(others);
        first.copy_from_slice(&w[..own]);
        if let (Start::Target { .. }, true) = (law.start, L::COPIES) {
            w.copy_from_slice(&targets[..LANES]);
        } else if let Start::Target { .. } = law.start {
            transpose(targets, columns, w);
        }
        begin(law, w, others);
        transpose(outputs, columns, w);
        if let Some(range) = law.confine {
            confine(simd, range, others);
        }
        v.fill(F::zero());
        m.fill(F::zero());
        p.copy_from_slice(x);
        g.copy_from_slice(&x[..point]);
        [&mut *pf, &mut *gf, &mut *gl].into_iter().for_each(|values| values.fill(F::infinity()));
        for t in 0..=law.iterations {
            if t > 0 {
                let r = &mut r[..2 * n * pulls];
                draws.fill_uniform(r);
                travel(simd, law, point / pulls, x, v, m, p, g, r);
                if let Some(range) = law.confine {
                    confine(simd, range, x);
                }
            }
            loss.judge(lanes, x, targets, row, f);
            if history > 0 {
                past_x[t * n * point..(t + 1) * n * point].copy_from_slice(x);
                past_f[t * n * LANES..(t + 1) * n * LANES].copy_from_slice(f);
            }
            let memories = Memories { p, pf, g, gf, gl };
            if columns == 1 {
                remember(simd, law.proximity, [x, f, w], memories);
            } else {
                remember_wide(simd, law.proximity, [x, f, w], memories);
            }
        }
        value.copy_from_slice(&gl[..lanes]);
        for (lane, best) in best.chunks_exact_mut(columns).enumerate() {
            best.iter_mut().enumerate().for_each(|(d, b)| *b = g[d * LANES + lane]);
        }
        match law.kappa {
            Kappa::Expected | Kappa::Fixed(_) => kappa.fill(law.constant),
            Kappa::Paper => paper(law, &r[..2 * n * pulls], kappa),
            Kappa::Calibrated { radius } => calibrate(law, F::of(radius), past_x, past_f, g, gl, kappa),
        }
    }
}

/// The first positions of the particles `x`, which hold uniforms, around the centre.
#[inline(always)]
pub(super) fn begin<F: Real>(law: &Law<F>, centre: &[F], x: &mut [F]) {
    let one = F::one();
    for x in x.chunks_exact_mut(centre.len()) {
        for (x, &w) in x.iter_mut().zip(centre) {
            let u = *x;
            *x = match law.start {
                Start::Around { span } => w + F::of(span) * (u + u - one),
                Start::Range { low, high } | Start::Blind { low, high } => F::of(low) + F::of(high - low) * u,
                Start::Target { spread } => w + F::of(spread) * u,
            };
        }
    }
}

/// Brings positions into a range.
#[inline(always)]
fn confine<S: Simd, F: Real>(simd: S, [low, high]: [F; 2], x: &mut [F]) {
    let (low, high) = (<F::Lanes<S>>::splat(simd, low), <F::Lanes<S>>::splat(simd, high));
    for at in (0..x.len()).step_by(<F::Lanes<S>>::LEN) {
        let t = load(simd, x, at);
        let t = t.simd_lt(low).select(low, t);
        store(high.simd_lt(t).select(high, t), x, at);
    }
}

/// Moves the particles. One draw of r1 and r2 serves `share` coordinates.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn travel<S: Simd, F: Real>(
    simd: S,
    law: &Law<F>,
    share: usize,
    x: &mut [F],
    v: &mut [F],
    m: &mut [F],
    p: &[F],
    g: &[F],
    r: &[F],
) {
    let parts = x.chunks_exact_mut(LANES).zip(v.chunks_exact_mut(LANES)).zip(m.chunks_exact_mut(LANES));
    let parts = parts.zip(p.chunks_exact(LANES));
    let columns = g.len() / LANES;
    let (mut d, mut served, mut pulls) = (0, 0, r.chunks_exact(2 * LANES));
    let mut pull = r;
    for (((x, v), m), p) in parts {
        if served == 0 {
            pull = pulls.next().unwrap_or(r);
        }
        let (g, r) = (&g[d * LANES..(d + 1) * LANES], &pull[..2 * LANES]);
        for half in (0..LANES).step_by(<F::Lanes<S>>::LEN) {
            let (r1, r2) = (load(simd, r, half), load(simd, r, LANES + half));
            let here = load(simd, x, half);
            let momentum = load(simd, m, half) * law.beta + load(simd, v, half) * law.gamma; // eq. (5)
            let own = r1 * law.c1 * (load(simd, p, half) - here);
            let velocity = momentum + own + r2 * law.c2 * (load(simd, g, half) - here); // eq. (4)
            store(momentum, m, half);
            store(velocity, v, half);
            store(here + velocity, x, half); // eq. (2)
        }
        d = if d + 1 == columns { 0 } else { d + 1 };
        served = if served + 1 == share { 0 } else { served + 1 };
    }
}

/// What the swarms of a group remember.
struct Memories<'a, F> {
    /// Best positions of the particles, and their values.
    p: &'a mut [F],
    pf: &'a mut [F],
    /// Best position of each swarm, its value and its loss without the proximity.
    g: &'a mut [F],
    gf: &'a mut [F],
    gl: &'a mut [F],
}

/// Takes strictly better positions `x` with losses `f` of blocks of one element into the memories; a NaN never is. `w` are the
/// outputs, for the proximity.
#[inline(always)]
fn remember<S: Simd, F: Real>(
    simd: S,
    proximity: Option<F>,
    [x, f, w]: [&[F]; 3],
    Memories { p, pf, g, gf, gl }: Memories<'_, F>,
) {
    for half in (0..LANES).step_by(<F::Lanes<S>>::LEN) {
        let (mut best, mut best_f, mut best_loss) = (load(simd, g, half), load(simd, gf, half), load(simd, gl, half));
        let w = load(simd, w, half);
        let particles = x.chunks_exact(LANES).zip(f.chunks_exact(LANES));
        let memories = p.chunks_exact_mut(LANES).zip(pf.chunks_exact_mut(LANES));
        for ((x, f), (p, pf)) in particles.zip(memories) {
            let (here, loss) = (load(simd, x, half), load(simd, f, half));
            let mut total = loss;
            if let Some(half_rate) = proximity {
                let away = here - w;
                total += away * away * half_rate;
            }
            let own = load(simd, pf, half);
            let better = total.simd_lt(own);
            store(better.select(total, own), pf, half);
            store(better.select(here, load(simd, p, half)), p, half);
            // What beats g beats its own memory too: g's value is the least of them.
            let leads = total.simd_lt(best_f);
            best = leads.select(here, best);
            best_f = leads.select(total, best_f);
            best_loss = leads.select(loss, best_loss);
        }
        store(best, g, half);
        store(best_f, gf, half);
        store(best_loss, gl, half);
    }
}

/// The same for blocks of several elements.
#[inline(always)]
fn remember_wide<S: Simd, F: Real>(
    simd: S,
    proximity: Option<F>,
    [x, f, w]: [&[F]; 3],
    Memories { p, pf, g, gf, gl }: Memories<'_, F>,
) {
    let point = w.len();
    for (i, x) in x.chunks_exact(point).enumerate() {
        let p = &mut p[i * point..(i + 1) * point];
        for half in (0..LANES).step_by(<F::Lanes<S>>::LEN) {
            let (at, coordinates) = (i * LANES + half, (half..point).step_by(LANES));
            let loss = load(simd, f, at);
            let mut total = loss;
            if let Some(half_rate) = proximity {
                let mut square = <F::Lanes<S>>::splat(simd, F::zero());
                for d in coordinates.clone() {
                    let away = load(simd, x, d) - load(simd, w, d);
                    square += away * away;
                }
                total += square * half_rate;
            }
            let own = load(simd, pf, at);
            let better = total.simd_lt(own);
            if better.any_true() {
                store(better.select(total, own), pf, at);
                for d in coordinates.clone() {
                    store(better.select(load(simd, x, d), load(simd, p, d)), p, d);
                }
            }
            let best = load(simd, gf, half);
            let leads = total.simd_lt(best);
            if leads.any_true() {
                store(leads.select(total, best), gf, half);
                store(leads.select(loss, load(simd, gl, half)), gl, half);
                for d in coordinates {
                    store(leads.select(load(simd, x, d), load(simd, g, d)), g, d);
                }
            }
        }
    }
}

/// The paper's kappa of each lane from the draws of the last iteration.
#[inline(always)]
fn paper<F: Real>(law: &Law<F>, r: &[F], kappa: &mut [F]) {
    for (lane, kappa) in kappa.iter_mut().enumerate() {
        let (mut r1, mut r2) = (F::zero(), F::zero());
        for pair in r.chunks_exact(2 * LANES) {
            r1 += pair[lane];
            r2 += pair[LANES + lane];
        }
        *kappa = law.paper_kappa(r1, r2, r.len() / (2 * LANES));
    }
}

/// The curvature of each lane from all points evaluated near g.
#[inline(always)]
fn calibrate<F: Real>(law: &Law<F>, radius: F, past_x: &[F], past_f: &[F], g: &[F], gf: &[F], kappa: &mut [F]) {
    let (mut above, mut below) = ([F::zero(); LANES], [F::zero(); LANES]);
    for (x, f) in past_x.chunks_exact(g.len()).zip(past_f.chunks_exact(LANES)) {
        // Distances in radii: their fourth powers stay representable.
        let mut square = [F::zero(); LANES];
        for (x, g) in x.chunks_exact(LANES).zip(g.chunks_exact(LANES)) {
            for lane in 0..LANES {
                let away = (x[lane] - g[lane]) / radius;
                square[lane] += away * away;
            }
        }
        for lane in 0..LANES {
            let counts = square[lane] <= F::one() && f[lane] < F::infinity();
            above[lane] += if counts { square[lane] * (f[lane] - gf[lane]) } else { F::zero() };
            below[lane] += if counts { square[lane] * square[lane] } else { F::zero() };
        }
    }
    for (lane, kappa) in kappa.iter_mut().enumerate() {
        *kappa = curvature(law, radius, above[lane], below[lane]);
    }
}

/// 2 sum d^2 (f - f_g) / sum d^4 from the sums with d in radii; the expected kappa where that is no number.
#[inline(always)]
pub(super) fn curvature<F: Real>(law: &Law<F>, radius: F, above: F, below: F) -> F {
    let measured = (above + above) / (below * radius * radius);
    if measured.is_finite() { measured } else { law.constant }
}
