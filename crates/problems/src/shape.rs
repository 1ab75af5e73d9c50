//! How a formula is evaluated: the two shapes, each with the loops that become vector instructions.
//!
//! A formula is written once, for one scalar. [`Summed`] formulas are sums (or products) over the coordinates with
//! something done to them in the end; their terms are computed 32 coordinates at a time whatever point they belong to.
//! [`Fixed`] formulas have a given, small number of coordinates; they are computed 32 points at a time. The order of
//! every sum is part of the definition, so a point's value has the same bits alone, in any batch, and on any machine.

use crate::entry::Entry;
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use swarmgrad_core::{Real, Rows, simd::level};

/// What there is to say about a test function; the shape evaluates it.
pub(crate) trait Formula: Sized + Send + Sync + 'static {
    /// Its row in the table of problems.
    const ENTRY: Entry;
    /// How it is evaluated.
    type Shape: Shape<Self>;

    /// The smallest value on the default domain (everywhere, if the entry says so).
    fn minimum(dim: usize) -> f64;

    /// The points that attain it.
    fn minimizers(dim: usize) -> Vec<Vec<f64>>;

    /// Writes the gradient; called only if the entry says that there is one.
    fn gradient<F: Real>(_x: &[F], out: &mut [F]) {
        out.fill(F::nan());
    }
}

/// A way to evaluate the formula `T`.
pub(crate) trait Shape<T> {
    /// What depends on the dimension only: a weight for each coordinate, repeated for as many points as are computed
    /// together.
    fn weights<F: Real>(dim: usize) -> Vec<F>;
    /// The value of one point.
    fn value<F: Real>(weights: &[F], x: &[F]) -> F;
    /// The values of many points.
    fn values<F: Real>(weights: &[F], xs: Rows<'_, F>, out: &mut [F]);
}

/// Numbers computed together: a few vectors of any instruction set, so that no loop has a remainder.
const CHUNK: usize = 32;
/// Coordinates of one block of points, a multiple of [`CHUNK`] that stays in the first-level cache.
const BLOCK: usize = 512;
/// Points of a block at most, a multiple of [`CHUNK`].
const ROWS: usize = 64;
/// Partial sums of one row.
const LANES: usize = 8;

/// 32 numbers of `data` from `at` on; where there are not as many left, those there are and zeros, kept in `spare`.
#[inline(always)]
fn window<'a, F: Real>(data: &'a [F], at: usize, spare: &'a mut Option<[F; CHUNK]>) -> &'a [F; CHUNK] {
    let rest = &data[at.min(data.len())..];
    if let Some(chunk) = rest.first_chunk() {
        return chunk;
    }
    let mut padded = [F::zero(); CHUNK];
    padded[..rest.len()].copy_from_slice(rest);
    spare.insert(padded)
}

/// How the terms of a formula are joined over the coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Sum,
    Product,
}

impl Fold {
    #[inline(always)]
    fn neutral<F: Real>(self) -> F {
        match self {
            Fold::Sum => F::zero(),
            Fold::Product => F::one(),
        }
    }

    #[inline(always)]
    fn join<F: Real>(self, a: F, b: F) -> F {
        match self {
            Fold::Sum => a + b,
            Fold::Product => a * b,
        }
    }

    /// Joins whole groups of [`LANES`] terms into the partial results: term `j` goes to partial result `j mod 8`.
    #[inline(always)]
    fn gather<F: Real>(self, partial: &mut [F; LANES], groups: &[[F; LANES]]) {
        for group in groups {
            for (p, &t) in partial.iter_mut().zip(group) {
                *p = self.join(*p, t);
            }
        }
    }

    /// The partial results as a tree, then the terms after the last whole group in their order.
    #[inline(always)]
    fn close<F: Real>(self, p: [F; LANES], rest: &[F]) -> F {
        let [a, b, c, d] = [self.join(p[0], p[4]), self.join(p[1], p[5]), self.join(p[2], p[6]), self.join(p[3], p[7])];
        rest.iter().fold(self.join(self.join(a, c), self.join(b, d)), |sum, &t| self.join(sum, t))
    }
}

/// A function that is made of `K` sums or products over the coordinates.
pub(crate) trait Terms<const K: usize>: Formula {
    /// Sum or product, of each of the `K`.
    const FOLDS: [Fold; K] = [Fold::Sum; K];
    /// Whether the terms belong to pairs of neighbours; then the last coordinate has none of its own.
    const NEIGHBOURS: bool = false;
    /// Whether a term depends on its place.
    const WEIGHTED: bool = false;

    /// What a term knows of its place `j`, counted from zero.
    fn weight(_j: usize, _dim: usize) -> f64 {
        1.0
    }

    /// The terms of coordinate `x`; no branches.
    fn term<F: Real>(x: F, next: F, weight: F) -> [F; K];

    /// The value from the sums, the dimension and the first and last coordinates.
    #[inline(always)]
    fn finish<F: Real>(sums: [F; K], _dim: F, _first: F, _last: F) -> F {
        sums[0]
    }
}

/// The shape of [`Terms`].
pub(crate) struct Summed<const K: usize>;

/// The terms of 32 coordinates from `at` on.
#[inline(always)]
fn terms<T: Terms<K>, F: Real, const K: usize>(weights: &[F], x: &[F], at: usize, out: [&mut [F; CHUNK]; K]) {
    let mut spare = [None; 3];
    let [spare_x, spare_next, spare_weight] = &mut spare;
    let coordinates = window(x, at, spare_x);
    let next = if T::NEIGHBOURS { window(x, at + 1, spare_next) } else { coordinates };
    let weight = if T::WEIGHTED { window(weights, at, spare_weight) } else { coordinates };
    for i in 0..CHUNK {
        let term = T::term(coordinates[i], next[i], weight[i]);
        for k in 0..K {
            out[k][i] = term[k];
        }
    }
}

/// The value of one point, for any dimension.
#[inline(always)]
fn row<T: Terms<K>, F: Real, const K: usize>(weights: &[F], x: &[F]) -> F {
    let count = x.len() - usize::from(T::NEIGHBOURS);
    let mut partial = T::FOLDS.map(|fold| [fold.neutral(); LANES]);
    let mut sums = [F::zero(); K];
    let mut at = 0;
    loop {
        let mut buffer = [[F::zero(); CHUNK]; K];
        terms::<T, F, K>(weights, x, at, buffer.each_mut());
        let here = (count - at).min(CHUNK);
        for k in 0..K {
            let (groups, rest) = buffer[k][..here].as_chunks();
            T::FOLDS[k].gather(&mut partial[k], groups);
            sums[k] = T::FOLDS[k].close(partial[k], rest);
        }
        at += here;
        if at == count {
            return T::finish(sums, F::of(x.len() as f64), x[0], x[x.len() - 1]);
        }
    }
}

#[simd]
fn summed_value<S: Simd, T: Terms<K>, F: Real, const K: usize>(_simd: S, weights: &[F], x: &[F]) -> F {
    row::<T, F, K>(weights, x)
}

#[simd]
fn summed_values<S: Simd, T: Terms<K>, F: Real, const K: usize>(
    _simd: S,
    weights: &[F],
    xs: Rows<'_, F>,
    out: &mut [F],
) {
    let dim = xs.dim();
    if dim > BLOCK {
        for (x, o) in xs.iter().zip(out) {
            *o = row::<T, F, K>(weights, x);
        }
        return;
    }
    let count = dim - usize::from(T::NEIGHBOURS);
    let rows = (BLOCK / dim).min(ROWS);
    let mut buffer = [[F::zero(); BLOCK]; K];
    let mut sums = [[F::zero(); ROWS]; K];
    let mut ends = [[F::zero(); ROWS]; 2];
    for (block, out) in xs.data().chunks(rows * dim).zip(out.chunks_mut(rows)) {
        for at in (0..block.len()).step_by(CHUNK) {
            let mut targets = buffer.each_mut().into_iter();
            let targets = std::array::from_fn(|_| {
                targets.next().and_then(|b| b[at..].first_chunk_mut()).expect("the block is a multiple of the chunk")
            });
            terms::<T, F, K>(weights, block, at, targets);
        }
        for (i, x) in block.chunks_exact(dim).enumerate() {
            for k in 0..K {
                let (groups, rest) = buffer[k][i * dim..i * dim + count].as_chunks();
                let mut partial = [T::FOLDS[k].neutral(); LANES];
                T::FOLDS[k].gather(&mut partial, groups);
                sums[k][i] = T::FOLDS[k].close(partial, rest);
            }
            ends[0][i] = x[0];
            ends[1][i] = x[dim - 1];
        }
        for (c, out) in out.chunks_mut(CHUNK).enumerate() {
            let mut results = [F::zero(); CHUNK];
            for (i, r) in results.iter_mut().enumerate() {
                let i = c * CHUNK + i;
                *r = T::finish(std::array::from_fn(|k| sums[k][i]), F::of(dim as f64), ends[0][i], ends[1][i]);
            }
            out.copy_from_slice(&results[..out.len()]);
        }
    }
}

impl<T: Terms<K>, const K: usize> Shape<T> for Summed<K> {
    fn weights<F: Real>(dim: usize) -> Vec<F> {
        if !T::WEIGHTED {
            return Vec::new();
        }
        (0..dim.max(BLOCK)).map(|i| F::of(T::weight(i % dim, dim))).collect()
    }

    fn value<F: Real>(weights: &[F], x: &[F]) -> F {
        dispatch!(level(), simd => summed_value::<_, T, F, K>(simd, weights, x))
    }

    fn values<F: Real>(weights: &[F], xs: Rows<'_, F>, out: &mut [F]) {
        dispatch!(level(), simd => summed_values::<_, T, F, K>(simd, weights, xs, out))
    }
}

/// A function of `D` coordinates, written down as it is.
pub(crate) trait Point<const D: usize>: Formula {
    /// The value; no branches.
    fn at<F: Real>(x: [F; D]) -> F;
}

/// The shape of [`Point`].
pub(crate) struct Fixed<const D: usize>;

#[simd]
fn fixed_values<S: Simd, T: Point<D>, F: Real, const D: usize>(_simd: S, xs: Rows<'_, F>, out: &mut [F]) {
    for (block, out) in xs.data().chunks(CHUNK * D).zip(out.chunks_mut(CHUNK)) {
        let mut columns = [[F::zero(); CHUNK]; D];
        for (i, x) in block.chunks_exact(D).enumerate() {
            for j in 0..D {
                columns[j][i] = x[j];
            }
        }
        let mut results = [F::zero(); CHUNK];
        for (i, r) in results.iter_mut().enumerate() {
            *r = T::at(std::array::from_fn(|j| columns[j][i]));
        }
        out.copy_from_slice(&results[..out.len()]);
    }
}

impl<T: Point<D>, const D: usize> Shape<T> for Fixed<D> {
    fn weights<F: Real>(_dim: usize) -> Vec<F> {
        Vec::new()
    }

    fn value<F: Real>(_weights: &[F], x: &[F]) -> F {
        T::at(std::array::from_fn(|j| x[j]))
    }

    fn values<F: Real>(_weights: &[F], xs: Rows<'_, F>, out: &mut [F]) {
        dispatch!(level(), simd => fixed_values::<_, T, F, D>(simd, xs, out))
    }
}
