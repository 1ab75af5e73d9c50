//! Products of matrices, row-major, a batch's rows at a time.
//!
//! Every number of a result is one sum over the depth, from its start to its end, each product fused with the sum and rounded once; the
//! numbers of a row stand side by side in vectors. So a result has the same bits whatever the tiles, the threads and the processor.

// Loops over constant numbers of registers are written with indices: that is how the compiler unrolls them.
#![allow(clippy::needless_range_loop)]

use fearless_simd::{Simd, dispatch, prelude::*};
use fearless_simd_macros::simd;
use rayon::prelude::*;
use swarmgrad_core::simd::level;
use swarmgrad_core::{Real, Workers};

/// Rows of intermediate results are multiples of this: whole vectors of 64 bytes, in `f32` one, in `f64` two.
const LANES: usize = 16;

/// Products below this number are not worth a second thread.
const PARALLEL: usize = 1 << 20;

/// Numbers that a row of `columns` takes, the last ones unused.
pub(crate) fn padded(columns: usize) -> usize {
    columns.next_multiple_of(LANES)
}

/// Numbers of a vector of 64 bytes.
const fn lanes<F>() -> usize {
    64 / size_of::<F>()
}

/// The factor on the left: `rows` by depth, number (i, k) at `i * row + k * column` where `column` or `row` is 1.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a, F> {
    numbers: &'a [F],
    stride: usize,
    /// Whether the rows of the factor are the columns of `numbers`.
    turned: bool,
}

impl<'a, F> Left<'a, F> {
    /// Rows of `stride` numbers, of which the first ones count.
    pub(crate) fn rows(numbers: &'a [F], stride: usize) -> Self {
        Left { numbers, stride, turned: false }
    }

    /// The transpose of such rows.
    pub(crate) fn columns(numbers: &'a [F], stride: usize) -> Self {
        Left { numbers, stride, turned: true }
    }
}

/// The factor on the right, depth by `columns`: panels of up to two vectors of columns, each with its rows one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Right<F> {
    numbers: Vec<F>,
    depth: usize,
    columns: usize,
    /// Numbers from one row of a panel to the next.
    row: usize,
}

impl<F: Real> Right<F> {
    fn shape(&mut self, depth: usize, columns: usize) {
        let (one, two) = (lanes::<F>(), 2 * lanes::<F>());
        let row = if columns <= one { one } else { two };
        (self.depth, self.columns, self.row) = (depth, columns, row);
        let total = columns.div_ceil(row) * depth * row;
        if self.numbers.len() < total {
            self.numbers.resize(total, F::zero());
        }
    }

    /// Takes rows of `stride` numbers, of which the first `columns` count.
    pub(crate) fn fill(&mut self, numbers: &[F], depth: usize, columns: usize, stride: usize) {
        self.shape(depth, columns);
        let row = self.row;
        for (p, panel) in self.numbers.chunks_exact_mut((depth * row).max(1)).enumerate().take(columns.div_ceil(row)) {
            let (from, width) = (p * row, row.min(columns - p * row));
            for (to, numbers) in panel.chunks_exact_mut(row).zip(numbers.chunks(stride)) {
                to[..width].copy_from_slice(&numbers[from..from + width]);
                to[width..].fill(F::zero());
            }
        }
    }

    /// Takes the transpose of `columns` rows of `depth` numbers.
    pub(crate) fn fill_turned(&mut self, numbers: &[F], depth: usize, columns: usize) {
        self.shape(depth, columns);
        let row = self.row;
        for (p, panel) in self.numbers.chunks_exact_mut((depth * row).max(1)).enumerate().take(columns.div_ceil(row)) {
            let (from, width) = (p * row, row.min(columns - p * row));
            for lane in 0..width {
                let numbers = &numbers[(from + lane) * depth..][..depth];
                panel.chunks_exact_mut(row).zip(numbers).for_each(|(to, x)| to[lane] = *x);
            }
            if width < row {
                panel.chunks_exact_mut(row).for_each(|to| to[width..].fill(F::zero()));
            }
        }
    }
}

/// Where a product goes: rows of `stride` numbers.
pub(crate) struct Out<'a, F> {
    /// The rows.
    pub(crate) numbers: &'a mut [F],
    /// Numbers from one row to the next. Where it is a multiple of [`LANES`] the numbers between the columns and the next row are
    /// written too.
    pub(crate) stride: usize,
}

/// start + left right, with the same `start`, [`padded`], for every row, or 0. Rows are spread over threads.
pub(crate) fn product<F: Real>(
    left: Left<'_, F>,
    right: &Right<F>,
    start: Option<&[F]>,
    out: Out<'_, F>,
    workers: &Workers,
) {
    let Out { numbers, stride } = out;
    let rows = numbers.len() / stride;
    if workers.threads() == 1 || rows * right.depth * right.columns < PARALLEL {
        return some_rows(left, right, start, 0, Out { numbers, stride });
    }
    // Whole tiles, and a few pieces a thread: a thread may be late.
    let piece = rows.div_ceil(2 * workers.threads()).next_multiple_of(MOST_ROWS);
    let pieces = numbers.par_chunks_mut(piece * stride).enumerate();
    workers.install(|| {
        pieces.for_each(|(k, numbers)| some_rows(left, right, start, k * piece, Out { numbers, stride }));
    });
}

/// The rows from `first` on, as many as `out` holds.
fn some_rows<F: Real>(left: Left<'_, F>, right: &Right<F>, start: Option<&[F]>, first: usize, out: Out<'_, F>) {
    let from = if left.turned { first } else { first * left.stride };
    let left = Left { numbers: left.numbers.get(from..).unwrap_or_default(), ..left };
    dispatch!(level(), simd => panels(simd, left, right, start, out));
}

/// Rows of a result that are computed at a time at most.
const MOST_ROWS: usize = 8;

#[simd]
fn panels<S: Simd, F: Real>(simd: S, left: Left<'_, F>, right: &Right<F>, start: Option<&[F]>, out: Out<'_, F>) {
    // Rows times vectors are the sums that fit into the registers, of which a vector of 64 bytes takes one, two or four.
    match S::f32s::LEN {
        16 => all_tiles::<S, F, 8, 2>(simd, left, right, start, out),
        8 => all_tiles::<S, F, 4, 1>(simd, left, right, start, out),
        _ => all_tiles::<S, F, 2, 1>(simd, left, right, start, out),
    }
}

#[inline(always)]
fn all_tiles<S: Simd, F: Real, const R: usize, const C: usize>(
    simd: S,
    left: Left<'_, F>,
    right: &Right<F>,
    start: Option<&[F]>,
    out: Out<'_, F>,
) {
    let Out { numbers, stride } = out;
    let rows = numbers.len() / stride;
    let len = lanes::<F>();
    let mut column = 0;
    while column < right.columns {
        let (panel, lane) = (column / right.row, column % right.row);
        // Two vectors where they are there.
        let both = C == 2 && lane + 2 * len <= right.row && column + len < right.columns;
        let width = if both { 2 * len } else { len };
        let tile = Tile {
            left,
            right: &right.numbers[panel * right.depth * right.row + lane..],
            depth: right.depth,
            row: right.row,
            start: start.map(|start| &start[column..]),
            column,
            columns: right.columns,
            stride,
        };
        let mut first = 0;
        while first < rows {
            first += match (rows - first, both) {
                (left, true) if left >= R => tile.compute::<S, R, C>(simd, first, numbers),
                (left, false) if left >= R => tile.compute::<S, R, 1>(simd, first, numbers),
                (left, true) if R > 4 && left >= 4 => tile.compute::<S, 4, C>(simd, first, numbers),
                (left, false) if R > 4 && left >= 4 => tile.compute::<S, 4, 1>(simd, first, numbers),
                (left, true) if R > 2 && left >= 2 => tile.compute::<S, 2, C>(simd, first, numbers),
                (left, false) if R > 2 && left >= 2 => tile.compute::<S, 2, 1>(simd, first, numbers),
                (_, true) => tile.compute::<S, 1, C>(simd, first, numbers),
                (_, false) => tile.compute::<S, 1, 1>(simd, first, numbers),
            };
        }
        column += width;
    }
}

/// One column of tiles.
struct Tile<'a, F> {
    left: Left<'a, F>,
    /// From the first vector of the first row on.
    right: &'a [F],
    depth: usize,
    row: usize,
    start: Option<&'a [F]>,
    column: usize,
    columns: usize,
    stride: usize,
}

impl<F: Real> Tile<'_, F> {
    /// R rows from `first` on, C vectors wide; gives R.
    #[inline(always)]
    fn compute<S: Simd, const R: usize, const C: usize>(&self, simd: S, first: usize, out: &mut [F]) -> usize {
        let len = lanes::<F>();
        let mut sums = [[<F::Lanes<S>>::splat(simd, F::zero()); C]; R];
        if let Some(start) = self.start {
            for c in 0..C {
                let start = <F::Lanes<S>>::from_slice(simd, &start[c * len..(c + 1) * len]);
                for r in 0..R {
                    sums[r][c] = start;
                }
            }
        }
        let Left { numbers, stride, turned } = self.left;
        let (depth, width) = (self.depth, C * len);
        if turned {
            let pairs = numbers[first.min(numbers.len())..].chunks(stride).zip(self.right.chunks(self.row));
            for (x, right) in pairs.take(depth) {
                let (x, right) = (&x[..R], &right[..width]);
                let mut vectors = [<F::Lanes<S>>::splat(simd, F::zero()); C];
                for c in 0..C {
                    vectors[c] = <F::Lanes<S>>::from_slice(simd, &right[c * len..(c + 1) * len]);
                }
                for r in 0..R {
                    let x = <F::Lanes<S>>::splat(simd, x[r]);
                    for c in 0..C {
                        sums[r][c] = x.mul_add_precise(vectors[c], sums[r][c]);
                    }
                }
            }
        } else {
            let mut rows = [&numbers[..0]; R];
            for r in 0..R {
                rows[r] = &numbers[(first + r) * stride..][..depth];
            }
            for (k, right) in (0..depth).zip(self.right.chunks(self.row)) {
                let right = &right[..width];
                let mut vectors = [<F::Lanes<S>>::splat(simd, F::zero()); C];
                for c in 0..C {
                    vectors[c] = <F::Lanes<S>>::from_slice(simd, &right[c * len..(c + 1) * len]);
                }
                for r in 0..R {
                    let x = <F::Lanes<S>>::splat(simd, rows[r][k]);
                    for c in 0..C {
                        sums[r][c] = x.mul_add_precise(vectors[c], sums[r][c]);
                    }
                }
            }
        }
        let whole = self.stride.is_multiple_of(LANES) || self.column + width <= self.columns;
        for r in 0..R {
            let out = &mut out[(first + r) * self.stride + self.column..];
            for c in 0..C {
                if whole {
                    sums[r][c].store_slice(&mut out[c * len..(c + 1) * len]);
                } else {
                    let mut few = [F::zero(); LANES];
                    sums[r][c].store_slice(&mut few[..len]);
                    let wanted = (self.columns - self.column).saturating_sub(c * len).min(len);
                    out[c * len..][..wanted].copy_from_slice(&few[..wanted]);
                }
            }
        }
        R
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::Level;
    use swarmgrad_core::Rng;

    fn numbers<F: Real>(row: usize, count: usize) -> Vec<F> {
        let mut numbers = vec![F::zero(); count];
        Rng::new(3).row(row).fill_normal(&mut numbers);
        numbers
    }

    /// Every instruction set that is there gives the sums of the definition, whatever the shape.
    fn same_bits_on_every_processor<F: Real>(fused: fn(F, F, F) -> F) {
        for (rows, depth, columns) in [(1, 1, 1), (3, 5, 7), (8, 4, 10), (13, 9, 16), (29, 33, 32), (18, 20, 50)] {
            let (a, b) = (numbers::<F>(0, rows * depth), numbers::<F>(1, depth * columns));
            let start = numbers::<F>(2, padded(columns));
            let turned: Vec<F> = (0..depth * rows).map(|i| a[i % rows * depth + i / rows]).collect();
            let mut exact = vec![F::zero(); rows * columns];
            for (i, exact) in exact.iter_mut().enumerate() {
                let (r, c) = (i / columns, i % columns);
                *exact = (0..depth).fold(start[c], |sum, k| fused(a[r * depth + k], b[k * columns + c], sum));
            }
            let (mut straight, mut back) = (Right::default(), Right::default());
            straight.fill(&b, depth, columns, columns);
            let b_turned: Vec<F> = (0..depth * columns).map(|i| b[i % depth * columns + i / depth]).collect();
            back.fill_turned(&b_turned, depth, columns);
            let level = Level::new();
            for (left, right) in
                [Left::rows(&a, depth), Left::columns(&turned, rows)].into_iter().zip([&straight, &back])
            {
                for stride in [columns, padded(columns)] {
                    let mut outs = Vec::new();
                    let mut by = |compute: &dyn Fn(Out<'_, F>)| {
                        let mut out = vec![F::zero(); rows * stride];
                        compute(Out { numbers: &mut out, stride });
                        outs.push(out);
                    };
                    by(&|out| dispatch!(level, simd => panels(simd, left, right, Some(&start), out)));
                    #[cfg(target_arch = "x86_64")]
                    {
                        level
                            .as_avx2()
                            .into_iter()
                            .for_each(|simd| by(&|out| panels(simd, left, right, Some(&start), out)));
                        level
                            .as_sse4_2()
                            .into_iter()
                            .for_each(|simd| by(&|out| panels(simd, left, right, Some(&start), out)));
                    }
                    for out in outs {
                        for (out, exact) in out.chunks(stride).zip(exact.chunks(columns)) {
                            assert_eq!(&out[..columns], exact, "{rows} x {depth} x {columns}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn same_bits_on_every_processor_in_both_precisions() {
        same_bits_on_every_processor::<f32>(|a, b, c| a.mul_add(b, c));
        same_bits_on_every_processor::<f64>(|a, b, c| a.mul_add(b, c));
    }
}
