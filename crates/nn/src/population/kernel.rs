//! The arithmetic of a forward pass with samples side by side: a panel holds [`LANES`] samples, number after number, so that
//! every weight meets a whole vector of samples and nothing is ever shuffled.
//!
//! Products are fused with sums where the processor has such an instruction, as in the tensor library; results then differ in the
//! last bit from those of a processor without. They do not depend on threads.

use crate::model::Image;
use fearless_simd::{Simd, dispatch, prelude::*};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::{level, ln};

/// Samples in a panel.
pub const LANES: usize = 64;

/// One number of every sample of a panel, on a border of cache lines.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct Samples(pub [f32; LANES]);

impl Samples {
    /// The same number for every sample.
    pub const fn splat(x: f32) -> Self {
        Samples([x; LANES])
    }
}

/// Outputs or maps that are computed at a time: with four vectors of samples they fill the registers.
const MOST_OUTPUTS: usize = 5;
const MOST_MAPS: usize = 4;
/// Columns of a kernel that are taken in at a time.
const COLUMNS: usize = 5;
/// Inputs of a dense layer that are taken in at a time: 24 kB of samples.
const STRETCH: usize = 96;

/// out[r] = bias[r] + sum_k weights[k][r] x[k] for every sample of a panel; `relu` cuts it off below 0.
pub fn dense(x: &[Samples], weights: &[f32], bias: &[f32], relu: bool, out: &mut [Samples]) {
    debug_assert_eq!((x.len() * bias.len(), out.len()), (weights.len(), bias.len()));
    dispatch!(level(), simd => dense_panel(simd, x, weights, bias, relu, out));
}

#[simd]
fn dense_panel<S: Simd>(simd: S, x: &[Samples], weights: &[f32], bias: &[f32], relu: bool, out: &mut [Samples]) {
    for (sums, &bias) in out.iter_mut().zip(bias) {
        *sums = Samples::splat(bias);
    }
    // V vectors make a row of samples; C of them times the outputs at a time are the sums that fit into the registers.
    match S::f32s::LEN {
        16 => dense_stretches::<S, 4, 4>(simd, x, weights, out),
        8 => dense_stretches::<S, 8, 2>(simd, x, weights, out),
        _ => dense_stretches::<S, 16, 2>(simd, x, weights, out),
    }
    if relu {
        positive_parts(simd, out);
    }
}

/// A stretch of inputs stays in the first cache, as vectors, while all outputs take it in.
#[inline(always)]
fn dense_stretches<S: Simd, const V: usize, const C: usize>(
    simd: S,
    x: &[Samples],
    weights: &[f32],
    out: &mut [Samples],
) {
    let outputs = out.len();
    let tiles = outputs.div_ceil(MOST_OUTPUTS);
    let mut stretch = [[S::f32s::splat(simd, 0.0); V]; STRETCH];
    for (x, weights) in x.chunks(STRETCH).zip(weights.chunks(STRETCH * outputs)) {
        for (vectors, x) in stretch.iter_mut().zip(x) {
            (0..V).for_each(|v| vectors[v] = load(simd, x, v * S::f32s::LEN));
        }
        let (stretch, mut from) = (&stretch[..x.len()], 0);
        for t in 0..tiles {
            let rows = outputs / tiles + usize::from(t < outputs % tiles);
            let (weights, sums) = (&weights[from..], &mut out[from..from + rows]);
            match rows {
                1 => dense_tile::<S, V, C, 1>(simd, stretch, weights, outputs, sums),
                2 => dense_tile::<S, V, C, 2>(simd, stretch, weights, outputs, sums),
                3 => dense_tile::<S, V, C, 3>(simd, stretch, weights, outputs, sums),
                4 => dense_tile::<S, V, C, 4>(simd, stretch, weights, outputs, sums),
                _ => dense_tile::<S, V, C, MOST_OUTPUTS>(simd, stretch, weights, outputs, sums),
            }
            from += rows;
        }
    }
}

/// R outputs; `weights` holds a row of `outputs` for each input, the first R of them theirs.
#[inline(always)]
fn dense_tile<S: Simd, const V: usize, const C: usize, const R: usize>(
    simd: S,
    x: &[[S::f32s; V]],
    weights: &[f32],
    outputs: usize,
    out: &mut [Samples],
) {
    let len = S::f32s::LEN;
    for first in (0..V).step_by(C) {
        let mut sums = [[S::f32s::splat(simd, 0.0); C]; R];
        for r in 0..R {
            for c in 0..C {
                sums[r][c] = load(simd, &out[r], (first + c) * len);
            }
        }
        for (x, weights) in x.iter().zip(weights.chunks(outputs)) {
            let (x, weights) = (&x[first..first + C], &weights[..R]);
            for r in 0..R {
                let weight = S::f32s::splat(simd, weights[r]);
                for c in 0..C {
                    sums[r][c] = weight.mul_add(x[c], sums[r][c]);
                }
            }
        }
        for r in 0..R {
            for c in 0..C {
                store(simd, sums[r][c], &mut out[r], (first + c) * len);
            }
        }
    }
}

#[inline(always)]
fn load<S: Simd>(simd: S, from: &Samples, lane: usize) -> S::f32s {
    S::f32s::from_slice(simd, &from.0[lane..lane + S::f32s::LEN])
}

#[inline(always)]
fn store<S: Simd>(_simd: S, lanes: S::f32s, to: &mut Samples, lane: usize) {
    lanes.store_slice(&mut to.0[lane..lane + S::f32s::LEN]);
}

/// max(x, 0) of every number, and NaN of NaN (`f32::max` would give 0).
pub fn positive(x: &mut [Samples]) {
    dispatch!(level(), simd => positive_parts(simd, x));
}

#[simd]
fn positive_parts<S: Simd>(_simd: S, x: &mut [Samples]) {
    for row in x {
        row.0.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x });
    }
}

/// A convolution of one panel without padding: `weights` by map, input map, row and column of the kernel. `taps` is a buffer.
pub fn conv(
    x: &[Samples],
    input: Image,
    [weights, bias]: [&[f32]; 2],
    size: usize,
    relu: bool,
    taps: &mut Vec<f32>,
    out: &mut [Samples],
) {
    let maps = bias.len();
    debug_assert_eq!((x.len(), weights.len()), (input.len(), maps * input.channels * size * size));
    let [height, width] = [input.height, input.width].map(|side| side + 1 - size);
    for (k, bias) in bias.chunks(MOST_MAPS).enumerate() {
        // The weights of some maps side by side, as one pixel meets them.
        let (each, from) = (weights.len() / maps, k * MOST_MAPS);
        taps.clear();
        (0..each).for_each(|tap| taps.extend((0..bias.len()).map(|m| weights[(from + m) * each + tap])));
        let kernels = Kernels { input, taps, bias, size, relu };
        let out = &mut out[from * height * width..(from + bias.len()) * height * width];
        dispatch!(level(), simd => conv_panel(simd, x, kernels, out));
    }
}

/// Up to [`MOST_MAPS`] kernels.
#[derive(Clone, Copy)]
struct Kernels<'a> {
    input: Image,
    /// By input map, row and column; a weight of each kernel.
    taps: &'a [f32],
    bias: &'a [f32],
    size: usize,
    relu: bool,
}

#[simd]
fn conv_panel<S: Simd>(simd: S, x: &[Samples], kernels: Kernels<'_>, out: &mut [Samples]) {
    match kernels.bias.len() {
        1 => conv_maps::<S, 1>(simd, x, kernels, out),
        2 => conv_maps::<S, 2>(simd, x, kernels, out),
        3 => conv_maps::<S, 3>(simd, x, kernels, out),
        _ => conv_maps::<S, MOST_MAPS>(simd, x, kernels, out),
    }
}

/// M maps, some pixels of a row at a time.
#[inline(always)]
fn conv_maps<S: Simd, const M: usize>(simd: S, x: &[Samples], kernels: Kernels<'_>, out: &mut [Samples]) {
    let [height, width] = [kernels.input.height, kernels.input.width].map(|side| side + 1 - kernels.size);
    for row in 0..height {
        let mut column = 0;
        if S::f32s::LEN * 4 == LANES {
            while column + 4 <= width {
                conv_pixels::<S, M, 4>(simd, x, kernels, [row, column], out);
                column += 4;
            }
        }
        while column + 2 <= width {
            conv_pixels::<S, M, 2>(simd, x, kernels, [row, column], out);
            column += 2;
        }
        if column < width {
            conv_pixels::<S, M, 1>(simd, x, kernels, [row, column], out);
        }
    }
}

#[inline(always)]
fn conv_pixels<S: Simd, const M: usize, const P: usize>(
    simd: S,
    x: &[Samples],
    kernels: Kernels<'_>,
    [row, column]: [usize; 2],
    out: &mut [Samples],
) {
    let Kernels { input, taps, bias, size, relu } = kernels;
    let (out_width, out_pixels) = (input.width + 1 - size, (input.height + 1 - size) * (input.width + 1 - size));
    let zero = S::f32s::splat(simd, 0.0);
    for lane in (0..LANES).step_by(S::f32s::LEN) {
        let mut sums = [[zero; P]; M];
        for m in 0..M {
            for p in 0..P {
                sums[m][p] = S::f32s::splat(simd, bias[m]);
            }
        }
        for (k, taps) in taps.as_chunks::<M>().0.chunks_exact(size).enumerate() {
            let (map, i) = (k / size, k % size);
            let pixels = &x[(map * input.height + row + i) * input.width + column..][..size + P - 1];
            // Some columns of the kernel at a time, their pixels as vectors.
            let mut vectors = [zero; COLUMNS + 3];
            for (k, taps) in taps.chunks(COLUMNS).enumerate() {
                for (vector, pixel) in vectors.iter_mut().zip(&pixels[k * COLUMNS..]) {
                    *vector = load(simd, pixel, lane);
                }
                for (x, weights) in vectors.windows(P).zip(taps) {
                    for m in 0..M {
                        let weight = S::f32s::splat(simd, weights[m]);
                        for p in 0..P {
                            sums[m][p] = weight.mul_add(x[p], sums[m][p]);
                        }
                    }
                }
            }
        }
        for m in 0..M {
            for p in 0..P {
                let sum = if relu { sums[m][p].simd_lt(zero).select(zero, sums[m][p]) } else { sums[m][p] };
                store(simd, sum, &mut out[m * out_pixels + row * out_width + column + p], lane);
            }
        }
    }
}

/// Mean and unbiased variance of each map over pixels and samples; `x` holds panels for `samples` samples, the last one may be
/// filled in part. Of one number the variance is 0.
pub fn moments(x: &[Samples], shape: Image, samples: usize, out: &mut Vec<[f32; 2]>) {
    dispatch!(level(), simd => moments_of(simd, x, shape, samples, out));
}

#[simd]
fn moments_of<S: Simd>(_simd: S, x: &[Samples], shape: Image, samples: usize, out: &mut Vec<[f32; 2]>) {
    let count = (shape.height * shape.width * samples) as f64;
    out.clear();
    for map in 0..shape.channels {
        let mean = (sum::<false>(x, shape, map, samples, 0.0) / count) as f32;
        let squares = sum::<true>(x, shape, map, samples, mean);
        out.push([mean, (squares / (count - 1.0).max(1.0)) as f32]);
    }
}

/// The sum of a map's numbers, or of the squares of their distances to `middle`: in f32 within a sample's pixels, in f64 over samples.
#[inline(always)]
fn sum<const SQUARES: bool>(x: &[Samples], shape: Image, map: usize, samples: usize, middle: f32) -> f64 {
    let pixels = shape.height * shape.width;
    let mut all = 0.0;
    for (k, panel) in x.chunks_exact(shape.len()).enumerate() {
        let mut lanes = [0.0f32; LANES];
        for row in &panel[map * pixels..(map + 1) * pixels] {
            for l in 0..LANES {
                let x = row.0[l] - middle;
                lanes[l] += if SQUARES { x * x } else { x };
            }
        }
        let filled = (samples - k * LANES).min(LANES);
        all += lanes[..filled].iter().map(|&sum| f64::from(sum)).sum::<f64>();
    }
    all
}

/// (x - mean) / sqrt(variance + epsilon) for each map.
pub fn normalize(x: &mut [Samples], shape: Image, moments: &[[f32; 2]], epsilon: f32) {
    dispatch!(level(), simd => normalize_maps(simd, x, shape, moments, epsilon));
}

#[simd]
fn normalize_maps<S: Simd>(_simd: S, x: &mut [Samples], shape: Image, moments: &[[f32; 2]], epsilon: f32) {
    for panel in x.chunks_exact_mut(shape.len()) {
        for (map, &[mean, variance]) in panel.chunks_exact_mut(shape.height * shape.width).zip(moments) {
            let scale = 1.0 / (variance + epsilon).sqrt();
            for row in map {
                row.0.iter_mut().for_each(|x| *x = (*x - mean) * scale);
            }
        }
    }
}

/// The largest of size x size pixels of a panel.
pub fn max_pool(x: &[Samples], input: Image, size: usize, out: &mut [Samples]) {
    dispatch!(level(), simd => max_pool_panel(simd, x, input, size, out));
}

#[simd]
fn max_pool_panel<S: Simd>(_simd: S, x: &[Samples], input: Image, size: usize, out: &mut [Samples]) {
    let [height, width] = [input.height / size, input.width / size];
    for map in 0..input.channels {
        for row in 0..height {
            for column in 0..width {
                let first = (map * input.height + row * size) * input.width + column * size;
                let mut most = x[first];
                for i in 0..size {
                    for pixel in &x[first + i * input.width..][..size] {
                        most.0
                            .iter_mut()
                            .zip(&pixel.0)
                            .for_each(|(most, x)| *most = if *x > *most { *x } else { *most });
                    }
                }
                out[(map * height + row) * width + column] = most;
            }
        }
    }
}

/// The sum over the first `samples` samples of a panel of -ln softmax at the sample's class, from logits.
pub fn cross_entropy(logits: &[Samples], classes: &[u32], samples: usize) -> f64 {
    let mut losses = [0.0; LANES];
    dispatch!(level(), simd => cross_entropies(simd, logits, &mut losses));
    let at = |sample: usize| logits[classes[sample] as usize].0[sample];
    (0..samples).map(|sample| f64::from(losses[sample] - at(sample))).sum()
}

/// ln sum exp of the logits of each sample.
#[simd]
fn cross_entropies<S: Simd>(_simd: S, logits: &[Samples], out: &mut [f32; LANES]) {
    let mut most = [f32::NEG_INFINITY; LANES];
    for row in logits {
        most.iter_mut().zip(&row.0).for_each(|(most, x)| *most = if *x > *most { *x } else { *most });
    }
    let mut sum = [0.0; LANES];
    for row in logits {
        for l in 0..LANES {
            sum[l] += exp(row.0[l] - most[l]);
        }
    }
    for l in 0..LANES {
        out[l] = most[l] + ln(sum[l]);
    }
}

/// exp(x) for x <= 0 without branches and calls, relative error below 2e-7; 0 below -87, NaN of NaN.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // x = n ln 2 + r with |r| <= ln(2)/2; exp r by its Taylor series to the 7th power, whose rest is below 2e-9.
    let cut = if x < -87.0 { -87.0 } else { x };
    const ROUND: f32 = 12_582_912.0; // 1.5 x 2^23: adding it leaves the nearest whole number in the low bits
    let shifted = cut * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = cut - n * 0.693_359_4 + n * 2.121_944_4e-4; // ln 2 in two parts, so that n ln 2 is exact enough
    let series = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.iter().fold(0.0, |sum, &c| sum * r + c);
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    let value = power * scale;
    if x < -87.0 { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_as_exact_as_it_says() {
        for k in 0..=870_000 {
            let x = -(k as f32) * 1e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "exp({x}) = {} instead of {exact}", exp(x));
        }
        assert_eq!((exp(0.0), exp(-88.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert!(exp(f32::NAN).is_nan());
    }
}
