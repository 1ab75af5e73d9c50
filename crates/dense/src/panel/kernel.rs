//! The arithmetic of a forward pass with samples side by side: a panel holds [`LANES`] samples, number after number, so that
//! every weight meets whole vectors of samples and nothing is ever shuffled. A number of a panel is a row of LANES / LEN vectors,
//! LEN being the processor's.
//!
//! Products are fused with sums and rounded once, on every processor; results depend neither on it nor on threads.

// Loops over constant numbers of registers are written with indices: that is how the compiler unrolls them.
#![allow(clippy::needless_range_loop)]

use crate::elementary::exp;
use crate::layer::Image;
use fearless_simd::{Simd, prelude::*};
use fearless_simd_macros::simd;
use std::ops::Range;
use swarmgrad_core::simd::ln;

/// Samples in a panel.
pub const LANES: usize = 64;

/// Vectors in a row of samples.
pub const fn vectors<S: Simd>() -> usize {
    LANES / S::f32s::LEN
}

/// Outputs or maps that are computed at a time: with four vectors of samples they fill the registers.
const MOST_OUTPUTS: usize = 5;
const MOST_MAPS: usize = 4;
/// Inputs of a dense layer that are taken in at a time: 24 kB of samples stay in the first cache while all outputs take them in.
const STRETCH: usize = 96;

/// Inputs of a dense layer that are `live`, as runs in ascending order; none of them crosses a stretch.
pub fn runs(inputs: usize, live: impl Fn(usize) -> bool, out: &mut Vec<Range<usize>>) {
    out.clear();
    for k in (0..inputs).filter(|&k| live(k)) {
        match out.last_mut() {
            Some(run) if run.end == k && k % STRETCH != 0 => run.end = k + 1,
            _ => out.push(k..k + 1),
        }
    }
}

/// `out[r] = bias[r] + sum_k weights[k][r] x[k]` for every sample of a panel, k in `live`, which are [`runs`]: what is not among
/// them is 0 for all samples. `relu` cuts it off below 0. A weight that is not finite makes every output of it so.
#[simd]
pub fn dense<S: Simd>(
    simd: S,
    x: &[S::f32s],
    live: &[Range<usize>],
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    out: &mut [S::f32s],
) {
    debug_assert_eq!(x.len() * bias.len(), weights.len() * vectors::<S>());
    // C vectors times the outputs at a time are the sums that fit into the registers.
    match S::f32s::LEN {
        16 => dense_outputs::<S, 4, 4>(simd, x, live, weights, bias, out),
        8 => dense_outputs::<S, 8, 2>(simd, x, live, weights, bias, out),
        _ => dense_outputs::<S, 16, 2>(simd, x, live, weights, bias, out),
    }
    if relu {
        out.iter_mut().for_each(|x| *x = cut(simd, *x));
    }
}

#[inline(always)]
fn dense_outputs<S: Simd, const V: usize, const C: usize>(
    simd: S,
    x: &[S::f32s],
    live: &[Range<usize>],
    weights: &[f32],
    bias: &[f32],
    out: &mut [S::f32s],
) {
    let (x, out, outputs) = (x.as_chunks::<V>().0, out.as_chunks_mut::<V>().0, bias.len());
    // The product that is left out is 0, or NaN.
    let left_out = if skipped_are_finite(live, weights, outputs) { 0.0 } else { f32::NAN };
    for (sums, &bias) in out.iter_mut().zip(bias) {
        *sums = [S::f32s::splat(simd, bias + left_out); V];
    }
    let tiles = outputs.div_ceil(MOST_OUTPUTS);
    for live in live.chunk_by(|a, b| a.start / STRETCH == b.start / STRETCH) {
        let mut from = 0;
        for t in 0..tiles {
            let rows = outputs / tiles + usize::from(t < outputs % tiles);
            let (weights, sums) = (&weights[from..], &mut out[from..from + rows]);
            match rows {
                1 => dense_tile::<S, V, C, 1>(simd, x, live, weights, outputs, sums),
                2 => dense_tile::<S, V, C, 2>(simd, x, live, weights, outputs, sums),
                3 => dense_tile::<S, V, C, 3>(simd, x, live, weights, outputs, sums),
                4 => dense_tile::<S, V, C, 4>(simd, x, live, weights, outputs, sums),
                _ => dense_tile::<S, V, C, MOST_OUTPUTS>(simd, x, live, weights, outputs, sums),
            }
            from += rows;
        }
    }
}

/// Whether the weights of all inputs between the runs are finite numbers.
#[inline(always)]
fn skipped_are_finite(live: &[Range<usize>], weights: &[f32], outputs: usize) -> bool {
    // The largest exponent of all is that of infinities and NaN.
    const EXPONENT: u32 = 0x7f80_0000;
    let largest = |weights: &[f32]| weights.iter().fold(0, |most, w| most.max(w.to_bits() & EXPONENT));
    let mut from = 0;
    let mut most = 0;
    for run in live {
        most = most.max(largest(&weights[from..run.start * outputs]));
        from = run.end * outputs;
    }
    most.max(largest(&weights[from..])) < EXPONENT
}

/// R outputs; `weights` holds a row of `outputs` for each input, the first R of them theirs.
#[inline(always)]
fn dense_tile<S: Simd, const V: usize, const C: usize, const R: usize>(
    simd: S,
    x: &[[S::f32s; V]],
    live: &[Range<usize>],
    weights: &[f32],
    outputs: usize,
    out: &mut [[S::f32s; V]],
) {
    for first in (0..V).step_by(C) {
        let mut sums = [[S::f32s::splat(simd, 0.0); C]; R];
        for r in 0..R {
            for c in 0..C {
                sums[r][c] = out[r][first + c];
            }
        }
        for run in live {
            for (x, weights) in x[run.clone()].iter().zip(weights[run.start * outputs..].chunks(outputs)) {
                let (x, weights) = (&x[first..first + C], &weights[..R]);
                for r in 0..R {
                    let weight = S::f32s::splat(simd, weights[r]);
                    for c in 0..C {
                        sums[r][c] = weight.mul_add_precise(x[c], sums[r][c]);
                    }
                }
            }
        }
        for r in 0..R {
            for c in 0..C {
                out[r][first + c] = sums[r][c];
            }
        }
    }
}

/// max(x, 0), and NaN of NaN.
#[inline(always)]
fn cut<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = S::f32s::splat(simd, 0.0);
    x.simd_lt(zero).select(zero, x)
}

/// max(x, 0) of every number, and NaN of NaN.
#[simd]
pub fn positive<S: Simd>(simd: S, x: &mut [S::f32s]) {
    x.iter_mut().for_each(|x| *x = cut(simd, *x));
}

/// Some kernels of a convolution without padding.
#[derive(Clone, Copy)]
pub struct Kernels<'a> {
    /// What they are laid on.
    pub input: Image,
    /// By map, input map, row and column of the kernel.
    pub weights: &'a [f32],
    /// One a map.
    pub bias: &'a [f32],
    /// Rows and columns.
    pub size: usize,
    /// Whether the results are cut off below 0.
    pub relu: bool,
}

/// A convolution of one panel. `taps` is a buffer.
pub fn conv<S: Simd>(simd: S, x: &[S::f32s], kernels: Kernels<'_>, taps: &mut Vec<f32>, out: &mut [S::f32s]) {
    let Kernels { input, weights, bias, size, .. } = kernels;
    debug_assert_eq!(weights.len(), bias.len() * input.channels * size * size);
    let (each, pixels) = (weights.len() / bias.len(), out.len() / bias.len());
    for ((weights, bias), out) in
        weights.chunks(MOST_MAPS * each).zip(bias.chunks(MOST_MAPS)).zip(out.chunks_mut(MOST_MAPS * pixels))
    {
        // The weights of some maps side by side, as one pixel meets them.
        taps.clear();
        (0..each).for_each(|tap| taps.extend(weights[tap..].iter().step_by(each)));
        conv_some(simd, x, Kernels { weights: taps, bias, ..kernels }, out);
    }
}

/// Up to [`MOST_MAPS`] maps; `weights` by input map, row, column and map.
#[simd]
fn conv_some<S: Simd>(simd: S, x: &[S::f32s], kernels: Kernels<'_>, out: &mut [S::f32s]) {
    match S::f32s::LEN {
        16 => conv_maps::<S, 4, 4>(simd, x, kernels, out),
        8 => conv_maps::<S, 8, 2>(simd, x, kernels, out),
        _ => conv_maps::<S, 16, 2>(simd, x, kernels, out),
    }
}

#[inline(always)]
fn conv_maps<S: Simd, const V: usize, const P: usize>(
    simd: S,
    x: &[S::f32s],
    kernels: Kernels<'_>,
    out: &mut [S::f32s],
) {
    let (x, out) = (x.as_chunks::<V>().0, out.as_chunks_mut::<V>().0);
    match kernels.bias.len() {
        1 => conv_rows::<S, V, P, 1>(simd, x, kernels, out),
        2 => conv_rows::<S, V, P, 2>(simd, x, kernels, out),
        3 => conv_rows::<S, V, P, 3>(simd, x, kernels, out),
        _ => conv_rows::<S, V, P, MOST_MAPS>(simd, x, kernels, out),
    }
}

/// M maps, P pixels of a row at a time.
#[inline(always)]
fn conv_rows<S: Simd, const V: usize, const P: usize, const M: usize>(
    simd: S,
    x: &[[S::f32s; V]],
    kernels: Kernels<'_>,
    out: &mut [[S::f32s; V]],
) {
    let [height, width] = [kernels.input.height, kernels.input.width].map(|side| side + 1 - kernels.size);
    for row in 0..height {
        let mut column = 0;
        while column + P <= width {
            conv_pixels::<S, V, P, M>(simd, x, kernels, [row, column], out);
            column += P;
        }
        while column < width {
            conv_pixels::<S, V, 1, M>(simd, x, kernels, [row, column], out);
            column += 1;
        }
    }
}

#[inline(always)]
fn conv_pixels<S: Simd, const V: usize, const P: usize, const M: usize>(
    simd: S,
    x: &[[S::f32s; V]],
    kernels: Kernels<'_>,
    [row, column]: [usize; 2],
    out: &mut [[S::f32s; V]],
) {
    let Kernels { input, weights, bias, size, relu } = kernels;
    let (out_width, out_pixels) = (input.width + 1 - size, (input.height + 1 - size) * (input.width + 1 - size));
    for v in 0..V {
        let mut sums = [[S::f32s::splat(simd, 0.0); P]; M];
        for m in 0..M {
            sums[m] = [S::f32s::splat(simd, bias[m]); P];
        }
        for (k, weights) in weights.as_chunks::<M>().0.chunks_exact(size).enumerate() {
            let (map, i) = (k / size, k % size);
            let pixels = &x[(map * input.height + row + i) * input.width + column..][..size + P - 1];
            for (pixels, weights) in pixels.windows(P).zip(weights) {
                let mut lanes = [S::f32s::splat(simd, 0.0); P];
                for p in 0..P {
                    lanes[p] = pixels[p][v];
                }
                for m in 0..M {
                    let weight = S::f32s::splat(simd, weights[m]);
                    for p in 0..P {
                        sums[m][p] = weight.mul_add_precise(lanes[p], sums[m][p]);
                    }
                }
            }
        }
        for m in 0..M {
            for p in 0..P {
                let sum = if relu { cut(simd, sums[m][p]) } else { sums[m][p] };
                out[m * out_pixels + row * out_width + column + p][v] = sum;
            }
        }
    }
}

/// Mean and unbiased variance of each map over pixels and samples; `x` holds panels for `samples` samples, the last one may be
/// filled in part. Of one number the variance is 0.
#[simd]
pub fn moments<S: Simd>(simd: S, x: &[S::f32s], shape: Image, samples: usize, out: &mut Vec<[f32; 2]>) {
    match S::f32s::LEN {
        16 => moments_of::<S, 4>(simd, x, shape, samples, out),
        8 => moments_of::<S, 8>(simd, x, shape, samples, out),
        _ => moments_of::<S, 16>(simd, x, shape, samples, out),
    }
}

#[inline(always)]
fn moments_of<S: Simd, const V: usize>(simd: S, x: &[S::f32s], shape: Image, samples: usize, out: &mut Vec<[f32; 2]>) {
    let (x, count) = (x.as_chunks::<V>().0, (shape.height * shape.width * samples) as f64);
    out.clear();
    for map in 0..shape.channels {
        let mean = (sum::<S, V, false>(simd, x, shape, map, samples, 0.0) / count) as f32;
        let squares = sum::<S, V, true>(simd, x, shape, map, samples, mean);
        out.push([mean, (squares / (count - 1.0).max(1.0)) as f32]);
    }
}

/// The sum of a map's numbers, or of the squares of their distances to `middle`: in f32 within a sample's pixels, in f64 over samples.
#[inline(always)]
fn sum<S: Simd, const V: usize, const SQUARES: bool>(
    simd: S,
    x: &[[S::f32s; V]],
    shape: Image,
    map: usize,
    samples: usize,
    middle: f32,
) -> f64 {
    let pixels = shape.height * shape.width;
    let middle = S::f32s::splat(simd, middle);
    let mut all = 0.0;
    for (k, panel) in x.chunks_exact(shape.len()).enumerate() {
        let mut sums = [S::f32s::splat(simd, 0.0); V];
        for row in &panel[map * pixels..(map + 1) * pixels] {
            for v in 0..V {
                let x = row[v] - middle;
                sums[v] += if SQUARES { x * x } else { x };
            }
        }
        let mut lanes = [0.0; LANES];
        lanes.chunks_exact_mut(S::f32s::LEN).zip(&sums).for_each(|(lanes, sum)| sum.store_slice(lanes));
        lanes[(samples - k * LANES).min(LANES)..].fill(0.0);
        // Eight sums side by side: an addition need not wait for the one before it.
        let mut eight = [0.0; 8];
        for lanes in lanes.as_chunks::<8>().0 {
            eight.iter_mut().zip(lanes).for_each(|(sum, lane)| *sum += f64::from(*lane));
        }
        all += eight.iter().sum::<f64>();
    }
    all
}

/// (x - mean) / sqrt(variance + epsilon) for each map.
#[simd]
pub fn normalize<S: Simd>(simd: S, x: &mut [S::f32s], shape: Image, moments: &[[f32; 2]], epsilon: f32) {
    let pixels = shape.height * shape.width * vectors::<S>();
    for panel in x.chunks_exact_mut(shape.channels * pixels) {
        for (map, &[mean, variance]) in panel.chunks_exact_mut(pixels).zip(moments) {
            let (mean, scale) = (S::f32s::splat(simd, mean), S::f32s::splat(simd, 1.0 / (variance + epsilon).sqrt()));
            map.iter_mut().for_each(|x| *x = (*x - mean) * scale);
        }
    }
}

/// The largest of size x size pixels of a panel.
#[simd]
pub fn max_pool<S: Simd>(simd: S, x: &[S::f32s], input: Image, size: usize, out: &mut [S::f32s]) {
    let _ = simd;
    let (v, [height, width]) = (vectors::<S>(), [input.height / size, input.width / size]);
    let (x, mut rows) = (|pixel: usize| &x[pixel * v..][..v], out.chunks_exact_mut(v));
    for map in 0..input.channels {
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let first = (map * input.height + row * size) * input.width + column * size;
            let Some(out) = rows.next() else { return };
            out.copy_from_slice(x(first));
            for (i, j) in (0..size).flat_map(|i| (0..size).map(move |j| (i, j))) {
                let pixel = x(first + i * input.width + j);
                out.iter_mut().zip(pixel).for_each(|(most, x)| *most = most.simd_lt(*x).select(*x, *most));
            }
        }
    }
}

/// The sum over the first `samples` samples of a panel of -ln softmax at the sample's class, from logits.
#[simd]
pub fn cross_entropy<S: Simd>(simd: S, logits: &[S::f32s], classes: &[u32], samples: usize) -> f64 {
    let _ = simd;
    let v = vectors::<S>();
    let row = |k: usize| {
        let mut row = [0.0; LANES];
        let parts = row.chunks_exact_mut(S::f32s::LEN).zip(&logits[k * v..(k + 1) * v]);
        parts.for_each(|(part, vector)| vector.store_slice(part));
        row
    };
    let outputs = logits.len() / v;
    let mut most = [f32::NEG_INFINITY; LANES];
    for k in 0..outputs {
        most.iter_mut().zip(row(k)).for_each(|(most, x)| *most = if x > *most { x } else { *most });
    }
    let mut sum = [0.0; LANES];
    for k in 0..outputs {
        let row = row(k);
        for l in 0..LANES {
            sum[l] += exp(row[l] - most[l]);
        }
    }
    let mut losses = [0.0; LANES];
    for l in 0..LANES {
        losses[l] = most[l] + ln(sum[l]);
    }
    let at = |sample: usize| {
        let class = classes[sample] as usize;
        logits[class * v + sample / S::f32s::LEN].as_slice()[sample % S::f32s::LEN]
    };
    (0..samples).map(|sample| f64::from(losses[sample] - at(sample))).sum()
}
