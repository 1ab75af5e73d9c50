//! A list of layers as operations on panels of samples.

use super::kernel::{self, Kernels, LANES, vectors};
use crate::elementary;
use crate::layer::{self, Activation, EPSILON, Image, Layer, Output};
use fearless_simd::{Simd, prelude::*};
use fearless_simd_macros::simd;
use std::ops::Range;
use swarmgrad_core::{Error, Matrix, Result};

/// What is done, in order.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// `from`: where the weights begin in the point; the biases follow them. `all`: the inputs as [`kernel::runs`].
    Dense {
        inputs: usize,
        outputs: usize,
        relu: bool,
        from: usize,
        all: Vec<Range<usize>>,
    },
    /// `each`: every input map by itself.
    Conv {
        input: Image,
        maps: usize,
        size: usize,
        each: bool,
        relu: bool,
        from: usize,
    },
    MaxPool {
        input: Image,
        size: usize,
    },
    Activation(Activation),
    /// Takes the mean and the variance of each map.
    Moments {
        shape: Image,
    },
    /// Brings each map to mean 0 and variance 1 by them.
    Normalize {
        shape: Image,
    },
}

impl Step {
    /// Numbers it takes from the point, biases included.
    fn weights(&self) -> usize {
        match *self {
            Step::Dense { inputs, outputs, .. } => (inputs + 1) * outputs,
            Step::Conv { input, maps, size, each, .. } => {
                (if each { 1 } else { input.channels } * size * size + 1) * maps
            }
            Step::MaxPool { .. } | Step::Activation(_) | Step::Moments { .. } | Step::Normalize { .. } => 0,
        }
    }
}

/// Means and variances of each map of each batch normalisation.
pub type Moments = Vec<Vec<[f32; 2]>>;

/// A network whose weights are somewhere else.
#[derive(Debug, Clone)]
pub struct Net {
    steps: Vec<Step>,
    /// What comes out of each step, in numbers.
    sizes: Vec<usize>,
    weights: usize,
    output: Output,
}

/// Samples in panels: for each panel number after number, and of each number the samples side by side.
pub struct Panels<S: Simd> {
    x: Vec<S::f32s>,
    samples: usize,
    /// Which numbers are not 0 for all samples, and the same as [`kernel::runs`].
    seen: Vec<bool>,
    live: Vec<Range<usize>>,
}

impl<S: Simd> Default for Panels<S> {
    fn default() -> Self {
        Panels { x: Vec::new(), samples: 0, seen: Vec::new(), live: Vec::new() }
    }
}

impl<S: Simd> Panels<S> {
    /// Lays these rows out; lanes without a row are 0.
    pub fn lay(&mut self, simd: S, features: &Matrix<f32>, rows: &[usize]) {
        const BLOCK: usize = 64;
        let (dim, v, len) = (features.dim(), vectors::<S>(), S::f32s::LEN);
        self.samples = rows.len();
        self.x.resize(rows.len().div_ceil(LANES) * dim * v, S::f32s::splat(simd, 0.0));
        self.seen.clear();
        self.seen.resize(dim, false);
        for (panel, rows) in self.x.chunks_exact_mut(dim * v).zip(rows.chunks(LANES)) {
            // A few features of all rows at a time: they fit into the first-level cache.
            let mut block = [0.0; BLOCK * LANES];
            for (b, (part, seen)) in panel.chunks_mut(BLOCK * v).zip(self.seen.chunks_mut(BLOCK)).enumerate() {
                for (lane, &row) in rows.iter().enumerate() {
                    let these = &features.row(row)[b * BLOCK..][..seen.len()];
                    these.iter().enumerate().for_each(|(i, x)| block[i * LANES + lane] = *x);
                }
                part.iter_mut()
                    .zip(block.chunks_exact(len))
                    .for_each(|(x, lanes)| *x = S::f32s::from_slice(simd, lanes));
                let numbers = seen.iter_mut().zip(block.chunks_exact(LANES));
                numbers.for_each(|(seen, lanes)| *seen |= lanes.iter().any(|x| *x != 0.0));
            }
        }
        kernel::runs(dim, |k| self.seen[k], &mut self.live);
    }
}

/// Where batch normalisations take their means and variances from.
pub enum Statistics<'a> {
    /// The batch.
    OfBatch,
    /// The batch; they are kept, one list a normalisation.
    Keep(&'a mut Moments),
    /// An earlier batch.
    Given(&'a [Vec<[f32; 2]>]),
}

/// Buffers of one thread.
pub struct Scratch<S: Simd> {
    /// What goes into a step and what comes out.
    panels: [Vec<S::f32s>; 2],
    /// Which of them holds the outputs.
    last: usize,
    moments: Vec<[f32; 2]>,
    taps: Vec<f32>,
    rows: Vec<f32>,
}

impl<S: Simd> Default for Scratch<S> {
    fn default() -> Self {
        Scratch { panels: [Vec::new(), Vec::new()], last: 0, moments: Vec::new(), taps: Vec::new(), rows: Vec::new() }
    }
}

impl Net {
    /// Errors where sizes do not fit, see [`Layer::shape`].
    pub fn new(input: Image, layers: &[Layer], output: Output) -> Result<Self> {
        let shapes = layer::shapes(input, layers)?;
        let (mut steps, mut sizes, mut weights) = (Vec::new(), Vec::new(), 0);
        for (layer, shape) in layers.iter().zip(shapes.windows(2)) {
            let (input, size) = (shape[0], shape[1].len());
            let from = weights;
            let step = match *layer {
                Layer::Dense { outputs } => {
                    let (inputs, mut all) = (input.len(), Vec::new());
                    kernel::runs(inputs, |_| true, &mut all);
                    Step::Dense { inputs, outputs, relu: false, from, all }
                }
                Layer::Conv { maps, size } => Step::Conv { input, maps, size, each: false, relu: false, from },
                Layer::ConvEach { kernels, size } => {
                    Step::Conv { input, maps: kernels, size, each: true, relu: false, from }
                }
                Layer::MaxPool { size } => {
                    let pool = Step::MaxPool { input, size };
                    // The largest stays the largest when all are scaled: normalise after pooling, which leaves fewer.
                    if let Some(Step::Normalize { .. }) = steps.last() {
                        steps.pop();
                        sizes.pop();
                        steps.push(pool);
                        sizes.push(shape[1].len());
                        Step::Normalize { shape: shape[1] }
                    } else {
                        pool
                    }
                }
                Layer::BatchNorm => {
                    steps.push(Step::Moments { shape: input });
                    sizes.push(size);
                    Step::Normalize { shape: input }
                }
                Layer::Activation(Activation::Relu) => {
                    // Part of the step before, where that one writes its results anyway.
                    if let Some(Step::Dense { relu, .. } | Step::Conv { relu, .. }) = steps.last_mut() {
                        *relu = true;
                        continue;
                    }
                    Step::Activation(Activation::Relu)
                }
                Layer::Activation(activation) => Step::Activation(activation),
            };
            weights += step.weights();
            steps.push(step);
            sizes.push(size);
        }
        Ok(Net { steps, sizes, weights, output })
    }

    /// Numbers of a point.
    pub fn weights(&self) -> usize {
        self.weights
    }

    /// Numbers that come out for a sample.
    pub fn outputs(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// What comes out of the last layer for the samples, before the output's function: panels too.
    pub fn forward<'s, S: Simd>(
        &self,
        simd: S,
        point: &[f32],
        samples: &Panels<S>,
        mut statistics: Statistics<'_>,
        scratch: &'s mut Scratch<S>,
    ) -> &'s [S::f32s] {
        let Panels { x, samples, live, .. } = samples;
        let (v, panels) = (vectors::<S>(), samples.div_ceil(LANES));
        let Scratch { panels: buffers, last, moments, taps, .. } = scratch;
        let [mut input, mut output] = buffers.each_mut();
        let most = self.sizes.iter().max().map_or(0, |&size| size * panels * v);
        for buffer in [&mut input, &mut output] {
            buffer.resize(most.max(buffer.len()), S::f32s::splat(simd, 0.0));
        }
        let (mut which, mut len, mut norms) = (0, 0, 0);
        // Whether `input` holds the result of a step; else the first step reads the samples.
        let mut begun = false;
        for (step, &size) in self.steps.iter().zip(&self.sizes) {
            let next = size * panels * v;
            if let Step::Activation(_) | Step::Moments { .. } | Step::Normalize { .. } = step {
                if !begun {
                    input[..next].copy_from_slice(x);
                }
                let here = &mut input[..next];
                match *step {
                    Step::Activation(activation) => activate(simd, activation, here),
                    Step::Moments { shape } => {
                        if let Statistics::Given(given) = statistics {
                            moments.clone_from(&given[norms]);
                        } else {
                            kernel::moments(simd, here, shape, *samples, moments);
                        }
                        if let Statistics::Keep(kept) = &mut statistics {
                            kept.push(moments.clone());
                        }
                        norms += 1;
                    }
                    Step::Normalize { shape } => kernel::normalize(simd, here, shape, moments, EPSILON as f32),
                    _ => {}
                }
            } else {
                let (from, live) = if begun { (&input[..len], None) } else { (&x[..], Some(&live[..])) };
                let into = output[..next].chunks_exact_mut(size * v);
                for (from, into) in from.chunks_exact(from.len() / panels).zip(into) {
                    apply(simd, step, point, from, live, taps, into);
                }
                std::mem::swap(&mut input, &mut output);
                which = 1 - which;
            }
            (begun, len) = (true, next);
        }
        *last = which;
        &input[..len]
    }

    /// The outputs of the last pass as rows, with the output's function.
    pub fn rows<'s, S: Simd>(&self, samples: usize, scratch: &'s mut Scratch<S>) -> &'s [f32] {
        let (v, len, columns) = (vectors::<S>(), S::f32s::LEN, self.outputs());
        let panels = &scratch.panels[scratch.last];
        scratch.rows.clear();
        scratch.rows.resize(samples * columns, 0.0);
        for (k, row) in scratch.rows.chunks_exact_mut(columns).enumerate() {
            let panel = &panels[k / LANES * columns * v + k % LANES / len..];
            row.iter_mut().enumerate().for_each(|(r, x)| *x = panel[r * v].as_slice()[k % len]);
        }
        match self.output {
            Output::Identity => {}
            Output::Sigmoid => elementary::sigmoid(&mut scratch.rows),
            Output::Softmax => elementary::softmax(&mut scratch.rows, columns),
        }
        &scratch.rows
    }

    /// The point with each normalisation's ones, zeros, means and variances in its place: the order of the module's fields.
    pub fn with_statistics(&self, point: &[f32], moments: &[Vec<[f32; 2]>]) -> Vec<f32> {
        let (mut all, mut from, mut moments) = (Vec::with_capacity(point.len()), 0, moments.iter());
        for step in &self.steps {
            if let Step::Moments { shape } = *step {
                let moments = moments.next().map_or(&[][..], Vec::as_slice);
                all.resize(all.len() + shape.channels, 1.0);
                all.resize(all.len() + shape.channels, 0.0);
                all.extend(moments.iter().map(|m| m[0]));
                all.extend(moments.iter().map(|m| m[1]));
            }
            all.extend_from_slice(&point[from..from + step.weights()]);
            from += step.weights();
        }
        all
    }

    /// The point and the means and variances of [`Net::with_statistics`].
    ///
    /// # Errors
    /// Another number of numbers; a normalisation that scales or shifts.
    pub fn without_statistics(&self, all: &[f32]) -> Result<(Vec<f32>, Moments)> {
        let numbers = |step: &Step| match *step {
            Step::Moments { shape } => 4 * shape.channels,
            _ => step.weights(),
        };
        let expected: usize = self.steps.iter().map(numbers).sum();
        if all.len() != expected {
            return Err(Error::shape("weights", all.len(), expected));
        }
        let (mut point, mut moments, mut rest) = (Vec::with_capacity(self.weights), Vec::new(), all);
        for step in &self.steps {
            let (here, after) = rest.split_at(numbers(step));
            rest = after;
            let Step::Moments { shape } = *step else {
                point.extend_from_slice(here);
                continue;
            };
            let (affine, statistics) = here.split_at(2 * shape.channels);
            let (scales, shifts) = affine.split_at(shape.channels);
            if scales.iter().any(|scale| *scale != 1.0) || shifts.iter().any(|shift| *shift != 0.0) {
                return Err(Error::Saved("a model: its batch normalisation has an affine part".into()));
            }
            let (means, variances) = statistics.split_at(shape.channels);
            moments.push(means.iter().zip(variances).map(|(mean, variance)| [*mean, *variance]).collect());
        }
        Ok((point, moments))
    }
}

/// A step on one panel, from one buffer to the other. `live`: which numbers of the panel are not 0 throughout, if that is known.
fn apply<S: Simd>(
    simd: S,
    step: &Step,
    point: &[f32],
    x: &[S::f32s],
    live: Option<&[Range<usize>]>,
    taps: &mut Vec<f32>,
    out: &mut [S::f32s],
) {
    match *step {
        Step::Dense { inputs, outputs, relu, from, ref all } => {
            let (weights, bias) = point[from..from + step.weights()].split_at(inputs * outputs);
            kernel::dense(simd, x, live.unwrap_or(all), weights, bias, relu, out);
        }
        Step::Conv { input, maps, size, each, relu, from } => {
            let one = if each { Image { channels: 1, ..input } } else { input };
            let (weights, bias) = point[from..from + step.weights()].split_at(step.weights() - maps);
            let (from, into) = (one.len() * vectors::<S>(), out.len() / (input.channels / one.channels));
            for (x, out) in x.chunks_exact(from).zip(out.chunks_exact_mut(into)) {
                kernel::conv(simd, x, Kernels { input: one, weights, bias, size, relu }, taps, out);
            }
        }
        Step::MaxPool { input, size } => kernel::max_pool(simd, x, input, size, out),
        Step::Activation(_) | Step::Moments { .. } | Step::Normalize { .. } => {}
    }
}

#[simd]
fn activate<S: Simd>(simd: S, activation: Activation, x: &mut [S::f32s]) {
    let numbers = |x: &mut [S::f32s], f: fn(f32) -> f32| {
        x.iter_mut().flat_map(|vector| vector.as_mut_slice()).for_each(|x| *x = f(*x))
    };
    match activation {
        Activation::Relu => kernel::positive(simd, x),
        Activation::Tanh => numbers(x, elementary::tanh_of),
        Activation::Sigmoid => numbers(x, elementary::sigmoid_of),
    }
}
