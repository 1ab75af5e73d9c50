//! One fused pass over a swarm, tile by tile: what keeps the methods short and fast.
//!
//! A tile is a few whole rows of a low-dimensional swarm, or a stretch of two rows of a high-dimensional one, so that
//! its draws and attractors fit into the first-level cache. Tiles begin at even rows and even columns, as the draws
//! want, and are independent: threads may take them in any order and the bits are the same.

use std::ops::Range;
use swarmgrad_core::{Matrix, Real, Rng, Space};

/// Numbers in one buffer of [`Scratch`].
pub(crate) const AREA: usize = 512;

/// Swarms with more numbers than this are worth a second thread.
const PARALLEL: usize = 1 << 14;

/// Buffers of a thread, one number for each of a tile: draws and attractors.
pub(crate) struct Scratch<F> {
    pub(crate) a: [F; AREA],
    pub(crate) b: [F; AREA],
    /// The attractor of each number, where a tile has whole rows; see [`Tile::gather`].
    g: [F; AREA],
    /// Rows of `g` that hold one attractor common to all particles, so that the next tile need not copy it again.
    common: usize,
}

/// Some rows and columns of the `K` matrices of a swarm, of which the first holds the positions.
pub(crate) struct Tile<'a, F, const K: usize> {
    pub(crate) rows: Range<usize>,
    pub(crate) cols: Range<usize>,
    dim: usize,
    /// Whole rows `rows` of each matrix; empty for a matrix the method does not keep.
    parts: [&'a mut [F]; K],
}

/// A contiguous stretch of a tile.
pub(crate) struct Segment<'a, F, const K: usize> {
    /// The numbers of each matrix.
    pub(crate) parts: [&'a mut [F]; K],
    /// Where they are in a whole matrix, for reading other matrices.
    pub(crate) flat: Range<usize>,
    /// Where they are in the tile's scratch buffers.
    pub(crate) at: Range<usize>,
    /// The first row, and the columns.
    pub(crate) row: usize,
    cols: Range<usize>,
    whole: bool,
}

impl<F: Real, const K: usize> Segment<'_, F, K> {
    /// The numbers that attract those of the segment: gathered ones, or those of the point itself in a part of a row.
    pub(crate) fn attractor<'g>(&self, scratch: &'g Scratch<F>, attractor: impl Fn(usize) -> &'g [F]) -> &'g [F] {
        if self.whole { &scratch.g[self.at.clone()] } else { &attractor(self.row)[self.cols.clone()] }
    }
}

impl<F: Real, const K: usize> Tile<'_, F, K> {
    /// Numbers in the tile.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() * self.cols.len()
    }

    /// Calls `work` for the stretches of the tile that are contiguous: all of it if the rows are whole.
    pub(crate) fn segments(&mut self, mut work: impl FnMut(Segment<'_, F, K>)) {
        if self.cols.len() == self.dim {
            let flat = self.rows.start * self.dim..self.rows.end * self.dim;
            let (at, cols) = (0..flat.len(), self.cols.clone());
            let parts = self.parts.each_mut().map(|part| &mut **part);
            work(Segment { parts, flat, at, row: self.rows.start, cols, whole: true });
        } else {
            self.row_segments(work);
        }
    }

    /// The two rows of a tile that holds parts of rows, each with its part of every matrix: for kernels that draw as they
    /// go, so that the memory works while the numbers are made.
    pub(crate) fn pair(&mut self) -> Option<[[&mut [F]; K]; 2]> {
        if self.cols.len() == self.dim || self.rows.len() != 2 {
            return None;
        }
        let (cols, dim) = (self.cols.clone(), self.dim);
        let (mut first, mut second) = ([const { None }; K], [const { None }; K]);
        for (k, part) in self.parts.iter_mut().enumerate() {
            let (a, b) = part.split_at_mut(dim);
            (first[k], second[k]) = (a.get_mut(cols.clone()), b.get_mut(cols.clone()));
        }
        Some([first, second].map(|row| row.map(|part| part.unwrap_or_default())))
    }

    /// Calls `work` row by row.
    pub(crate) fn row_segments(&mut self, mut work: impl FnMut(Segment<'_, F, K>)) {
        let width = self.cols.len();
        for k in 0..self.rows.len() {
            let here = k * self.dim + self.cols.start..k * self.dim + self.cols.end;
            let parts =
                self.parts.each_mut().map(|part| if part.is_empty() { &mut [][..] } else { &mut part[here.clone()] });
            let start = self.rows.start * self.dim + here.start;
            let (flat, at) = (start..start + width, k * width..(k + 1) * width);
            work(Segment { parts, flat, at, row: self.rows.start + k, cols: self.cols.clone(), whole: false });
        }
    }

    /// Where the rows are whole, copies for each of them the point that attracts it, for [`Segment::attractor`]. With
    /// `common` the point is the same for all particles and is copied once for many tiles.
    pub(crate) fn gather<'g>(&self, scratch: &mut Scratch<F>, common: bool, attractor: impl Fn(usize) -> &'g [F])
    where
        F: 'g,
    {
        if self.cols.len() < self.dim || (common && scratch.common >= self.rows.len()) {
            return;
        }
        for (row, out) in self.rows.clone().zip(scratch.g.chunks_mut(self.dim)) {
            out.copy_from_slice(attractor(row));
        }
        scratch.common = if common { self.rows.len() } else { 0 };
    }
}

/// Moves a swarm: calls `work` for every tile of the matrices (the first holds the positions, the others are as large or
/// empty), then brings the positions back inside the space.
pub(crate) fn sweep<F: Real, const K: usize>(
    matrices: [&mut Matrix<F>; K],
    space: &Space<F>,
    rng: &Rng,
    work: impl Fn(&mut Tile<'_, F, K>, &mut Scratch<F>) + Sync,
) {
    let (n, dim) = (matrices[0].len(), matrices[0].dim());
    let threads =
        if n * dim >= PARALLEL && rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 };
    let rows_of_tile = (AREA / dim / 2 * 2).max(2);
    let columns = if dim <= AREA / 2 { dim } else { AREA / 2 };
    let outside = (!space.is_unbounded()).then(|| rng.fork("outside"));
    // A piece of the swarm for one thread at a time: tiles of it in order, with one set of buffers.
    let piece = |rows: Range<usize>, mut parts: [&mut [F]; K]| {
        let mut scratch = Scratch { a: [F::zero(); AREA], b: [F::zero(); AREA], g: [F::zero(); AREA], common: 0 };
        let first = rows.start;
        for start in rows.clone().step_by(rows_of_tile) {
            let tile_rows = start..(start + rows_of_tile).min(rows.end);
            let here = (tile_rows.start - first) * dim..(tile_rows.end - first) * dim;
            for col in (0..dim).step_by(columns) {
                let cols = col..(col + columns).min(dim);
                let parts = parts.each_mut().map(|p| if p.is_empty() { &mut [][..] } else { &mut p[here.clone()] });
                let mut tile = Tile { rows: tile_rows.clone(), cols, dim, parts };
                work(&mut tile, &mut scratch);
                if let Some(outside) = &outside {
                    let (rows, cols) = (tile.rows.clone(), tile.cols.clone());
                    for (row, x) in rows.zip(tile.parts[0].chunks_exact_mut(dim)) {
                        space.repair(
                            &mut x[cols.clone()],
                            cols.start,
                            &mut outside.row(row * (1 + dim / columns) + cols.start / columns),
                        );
                    }
                }
            }
        }
    };
    let grain = n.div_ceil(4 * threads).next_multiple_of(rows_of_tile);
    split(0..n, dim, if threads == 1 { n.max(1) } else { grain }, matrices.map(|m| m.data_mut()), &piece);
}

/// Halves the rows until a piece has at most `grain` of them; `grain` and with it every cut is a multiple of a tile.
fn split<F: Real, const K: usize>(
    rows: Range<usize>,
    dim: usize,
    grain: usize,
    parts: [&mut [F]; K],
    piece: &(impl Fn(Range<usize>, [&mut [F]; K]) + Sync),
) {
    if rows.len() <= grain {
        return piece(rows, parts);
    }
    let middle = (rows.len() / grain).div_ceil(2) * grain;
    let (mut left, mut right) = ([const { None }; K], [const { None }; K]);
    for (k, part) in parts.into_iter().enumerate() {
        let (l, r) = part.split_at_mut((middle * dim).min(part.len()));
        (left[k], right[k]) = (Some(l), Some(r));
    }
    let (left, right) = (left.map(|p| p.unwrap_or_default()), right.map(|p| p.unwrap_or_default()));
    let cut = rows.start + middle;
    rayon::join(|| split(rows.start..cut, dim, grain, left, piece), || split(cut..rows.end, dim, grain, right, piece));
}
