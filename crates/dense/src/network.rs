//! Networks of dense layers with their gradients: weights in one flat vector, a pass forward, a pass backward from a gradient at the
//! outputs, and nothing allocated from the second batch of a size on.
//!
//! ```
//! use swarmgrad_core::Rng;
//! use swarmgrad_dense::layer::{Image, Layer, Output};
//! use swarmgrad_dense::network::DenseNetwork;
//! use swarmgrad_dense::supervision::{Backend, Supervision};
//! use swarmgrad_dense::{loss, optim};
//!
//! // y = 2 x, learned through |round(output) - round(target)|, whose gradient is zero wherever it exists.
//! let mut line = DenseNetwork::new(Image::row(1), &[Layer::Dense { outputs: 1 }], Output::Identity)?;
//! line.initialize(&Rng::new(1));
//! let adaswarm = optim::entry("adaswarm")?;
//! let mut teacher = Supervision::new(loss::entry("step")?.build(1), adaswarm.signal(), adaswarm.rule(0.1), 1, 7)?;
//! let (x, y): (Vec<f32>, Vec<f32>) = (0..32).map(|i| (i as f32 / 4.0, i as f32 / 2.0)).unzip();
//! let mut last = f64::NAN;
//! for _ in 0..300 {
//!     last = line.step(&mut teacher, &x, &y)?.loss;
//! }
//! assert!(last < 0.3, "{last}");
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

use crate::elementary;
use crate::layer::{self, Activation, EPSILON, Image, Layer, Output};
use crate::product::{Left, Out, Right, padded, product};
use crate::supervision::{Backend, Stepped, Supervision};
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::level;
use swarmgrad_core::{Error, Matrix, Real, Result, Rng, Rows, Workers};

/// Share of a batch's statistics in the running ones of a batch normalisation.
const MOMENTUM: f64 = 0.1;

/// Rows that are evaluated at a time.
const PIECE: usize = 256;

/// A network of dense layers, activations and batch normalisations without an affine part.
///
/// The weights are flat, layer after layer, of a dense layer its weights by input and output, then its biases: the order in which a
/// tensor library's modules have them.
#[derive(Debug, Clone)]
pub struct DenseNetwork<F: Real = f32> {
    inputs: usize,
    stages: Vec<Stage<F>>,
    output: Output,
    weights: Vec<F>,
    gradient: Vec<F>,
    outputs: Vec<F>,
    /// d loss / d what came out of a stage and went into it, in turn.
    slopes: [Vec<F>; 2],
    /// The slopes as the right factor of a product.
    right: Right<F>,
    /// Sums over a batch for each map of a normalisation.
    sums: [Vec<f64>; 2],
}

/// A layer, and the activation behind a dense one.
#[derive(Debug, Clone)]
struct Stage<F> {
    does: Operation<F>,
    /// Numbers that come out for a sample.
    width: usize,
    /// What came out for the last batch, rows of [`padded`] width.
    values: Vec<F>,
}

#[derive(Debug, Clone)]
enum Operation<F> {
    Dense(Box<Dense<F>>),
    Activation(Activation),
    Norm(Box<Norm<F>>),
}

/// A dense layer.
#[derive(Debug, Clone)]
struct Dense<F> {
    inputs: usize,
    outputs: usize,
    /// Where its weights begin.
    from: usize,
    activation: Option<Activation>,
    /// The weights and their transpose as right factors, and the biases, padded.
    ahead: Right<F>,
    back: Right<F>,
    bias: Vec<F>,
}

/// A batch normalisation without an affine part.
#[derive(Debug, Clone)]
struct Norm<F> {
    /// Running statistics of each map.
    mean: Vec<F>,
    variance: Vec<F>,
    /// 1 / sqrt(variance + epsilon) of the last batch, padded with 0, and its mean.
    scale: Vec<F>,
    centre: Vec<F>,
}

/// What a pass takes the statistics of a normalisation from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statistics {
    OfBatch,
    Running,
}

/// Whether a list of layers is one of [`DenseNetwork`]: dense layers, activations, and normalisations of numbers, not of images.
pub fn is_dense(input: Image, layers: &[Layer]) -> bool {
    let Ok(shapes) = layer::shapes(input, layers) else { return false };
    let dense = |(layer, shape): (&Layer, &Image)| match layer {
        Layer::Dense { .. } | Layer::Activation(_) => true,
        Layer::BatchNorm => shape.height * shape.width == 1,
        Layer::Conv { .. } | Layer::ConvEach { .. } | Layer::MaxPool { .. } => false,
    };
    !input.is_empty() && layers.iter().zip(&shapes).all(dense)
}

impl<F: Real> DenseNetwork<F> {
    /// A network whose weights are 0.
    ///
    /// # Errors
    /// No inputs, a layer of no outputs, and layers that are not [`is_dense`].
    pub fn new(input: Image, layers: &[Layer], output: Output) -> Result<Self> {
        layer::shapes(input, layers)?;
        if !is_dense(input, layers) {
            let rule =
                "a dense network has inputs, dense layers, activations and batch normalisations of single numbers";
            return Err(Error::parameter("layers", format!("{layers:?}"), rule));
        }
        let (mut stages, mut from, mut width): (Vec<Stage<F>>, _, _) = (Vec::new(), 0, input.len());
        for layer in layers {
            let does = match *layer {
                Layer::Dense { outputs } => {
                    let dense = Dense {
                        inputs: width,
                        outputs,
                        from,
                        activation: None,
                        ahead: Right::default(),
                        back: Right::default(),
                        bias: vec![F::zero(); padded(outputs)],
                    };
                    from += (width + 1) * outputs;
                    width = outputs;
                    Operation::Dense(Box::new(dense))
                }
                Layer::Activation(activation) => match stages.last_mut().map(|stage| &mut stage.does) {
                    Some(Operation::Dense(dense)) if dense.activation.is_none() => {
                        dense.activation = Some(activation);
                        continue;
                    }
                    _ => Operation::Activation(activation),
                },
                _ => Operation::Norm(Box::new(Norm {
                    mean: vec![F::zero(); width],
                    variance: vec![F::one(); width],
                    scale: vec![F::zero(); padded(width)],
                    centre: vec![F::zero(); padded(width)],
                })),
            };
            stages.push(Stage { does, width, values: Vec::new() });
        }
        Ok(DenseNetwork {
            inputs: input.len(),
            stages,
            output,
            weights: vec![F::zero(); from],
            gradient: vec![F::zero(); from],
            outputs: Vec::new(),
            slopes: Default::default(),
            right: Right::default(),
            sums: Default::default(),
        })
    }

    /// Weights and biases uniform in +-1 / sqrt(fan in), PyTorch's default, a row of `rng` a layer's weights and the next one its
    /// biases.
    pub fn initialize(&mut self, rng: &Rng) {
        let mut row = 0;
        for stage in &self.stages {
            let Operation::Dense(dense) = &stage.does else { continue };
            let (weights, end) = (dense.from + dense.inputs * dense.outputs, dense.end());
            let bound = F::one() / F::of(dense.inputs as f64).sqrt();
            for part in [dense.from..weights, weights..end] {
                let numbers = &mut self.weights[part];
                rng.row(row).fill_uniform(numbers);
                row += 1;
                numbers.iter_mut().for_each(|v| *v = bound * (*v + *v - F::one()));
            }
        }
    }

    /// Numbers of an input row and of an output row.
    pub fn shape(&self) -> [usize; 2] {
        [self.inputs, self.columns()]
    }

    fn columns(&self) -> usize {
        self.stages.last().map_or(self.inputs, |stage| stage.width)
    }

    /// What an optimiser moves.
    pub fn weights(&self) -> &[F] {
        &self.weights
    }

    /// The same, to be changed.
    pub fn weights_mut(&mut self) -> &mut [F] {
        &mut self.weights
    }

    /// The weights, and of every batch normalisation in its place ones, zeros, running means and running variances: what a saved
    /// model holds.
    pub fn state(&self) -> Vec<F> {
        let mut state = Vec::with_capacity(self.weights.len());
        for stage in &self.stages {
            match &stage.does {
                Operation::Dense(dense) => state.extend_from_slice(&self.weights[dense.from..dense.end()]),
                Operation::Activation(_) => {}
                Operation::Norm(norm) => {
                    state.resize(state.len() + stage.width, F::one());
                    state.resize(state.len() + stage.width, F::zero());
                    state.extend_from_slice(&norm.mean);
                    state.extend_from_slice(&norm.variance);
                }
            }
        }
        state
    }

    /// Takes what [`DenseNetwork::state`] gives.
    ///
    /// # Errors
    /// Another number of numbers; a normalisation with an affine part.
    pub fn set_state(&mut self, state: &[F]) -> Result<()> {
        let numbers = |stage: &Stage<F>| match &stage.does {
            Operation::Dense(dense) => dense.end() - dense.from,
            Operation::Activation(_) => 0,
            Operation::Norm(_) => 4 * stage.width,
        };
        let expected: usize = self.stages.iter().map(numbers).sum();
        if state.len() != expected {
            return Err(Error::shape("weights", state.len(), expected));
        }
        let mut rest = state;
        let plain = self.stages.iter().all(|stage| {
            let (here, after) = rest.split_at(numbers(stage));
            rest = after;
            let (ones, zeros) = (here.iter().take(stage.width), here.iter().skip(stage.width).take(stage.width));
            !matches!(stage.does, Operation::Norm(_))
                || ones.into_iter().all(|g| *g == F::one()) && zeros.into_iter().all(|b| *b == F::zero())
        });
        if !plain {
            return Err(Error::Saved("a model: its batch normalisation has an affine part".into()));
        }
        let mut rest = state;
        for stage in &mut self.stages {
            let (here, after) = rest.split_at(numbers(stage));
            rest = after;
            match &mut stage.does {
                Operation::Dense(dense) => self.weights[dense.from..dense.end()].copy_from_slice(here),
                Operation::Activation(_) => {}
                Operation::Norm(norm) => {
                    norm.mean.copy_from_slice(&here[2 * stage.width..3 * stage.width]);
                    norm.variance.copy_from_slice(&here[3 * stage.width..]);
                }
            }
        }
        Ok(())
    }

    /// Outputs of a batch in training, rows of as many numbers as it has outputs: batch normalisations take the batch's statistics, and
    /// their running ones move towards them.
    ///
    /// # Errors
    /// No rows, or numbers that are not whole rows of inputs.
    pub fn forward(&mut self, x: &[F], workers: &Workers) -> Result<&[F]> {
        self.check(x)?;
        self.pass(x, Statistics::OfBatch, workers);
        Ok(&self.outputs)
    }

    fn check(&self, x: &[F]) -> Result<()> {
        if x.is_empty() {
            return Err(Error::parameter("rows of a batch", 0, "at least one"));
        }
        if !x.len().is_multiple_of(self.inputs) {
            return Err(Error::shape("numbers of a batch", x.len(), x.len().next_multiple_of(self.inputs)));
        }
        Ok(())
    }

    fn pass(&mut self, x: &[F], statistics: Statistics, workers: &Workers) {
        let rows = x.len() / self.inputs;
        for i in 0..self.stages.len() {
            let (before, here) = self.stages.split_at_mut(i);
            let (input, stride) = match before.last() {
                Some(stage) => (&stage.values[..], padded(stage.width)),
                None => (x, self.inputs),
            };
            let Stage { does, width, values } = &mut here[0];
            let into = padded(*width);
            values.resize(rows * into, F::zero());
            match does {
                Operation::Dense(dense) => {
                    let (weights, biases) =
                        self.weights[dense.from..dense.end()].split_at(dense.inputs * dense.outputs);
                    dense.ahead.fill(weights, dense.inputs, dense.outputs, dense.outputs);
                    dense.bias[..dense.outputs].copy_from_slice(biases);
                    let out = Out { numbers: values, stride: into };
                    product(Left::rows(input, stride), &dense.ahead, Some(&dense.bias), out, workers);
                    dense.activation.into_iter().for_each(|activation| activate(activation, values));
                }
                Operation::Activation(activation) => {
                    for (to, from) in values.chunks_exact_mut(into).zip(input.chunks_exact(stride)) {
                        to[..*width].copy_from_slice(&from[..*width]);
                    }
                    activate(*activation, values);
                }
                Operation::Norm(norm) => {
                    if statistics == Statistics::OfBatch {
                        norm.take(input, stride, rows, &mut self.sums);
                    } else {
                        norm.use_running();
                    }
                    let (centre, scale) = (&norm.centre[..*width], &norm.scale[..*width]);
                    dispatch!(level(), simd => normalize(simd, input, stride, centre, scale, values));
                }
            }
        }
        let columns = self.columns();
        let (last, stride) = match self.stages.last() {
            Some(stage) => (&stage.values[..], padded(stage.width)),
            None => (x, self.inputs),
        };
        self.outputs.resize(rows * columns, F::zero());
        for (to, from) in self.outputs.chunks_exact_mut(columns).zip(last.chunks_exact(stride)) {
            to.copy_from_slice(&from[..columns]);
        }
        match self.output {
            Output::Identity => {}
            Output::Sigmoid => elementary::sigmoid(&mut self.outputs),
            Output::Softmax => elementary::softmax(&mut self.outputs, columns),
        }
    }

    /// d sum(outputs sent) / d weights with `sent` held fixed, for the batch that [`DenseNetwork::forward`] has seen last: the gradient
    /// of a loss whose derivative at the outputs is `sent`.
    ///
    /// # Errors
    /// Another batch, or another number of numbers than the outputs.
    pub fn backward(&mut self, x: &[F], sent: &[F], workers: &Workers) -> Result<&[F]> {
        let (columns, rows) = (self.columns(), x.len() / self.inputs);
        if sent.len() != self.outputs.len() || rows * columns != sent.len() {
            return Err(Error::shape("a gradient at the outputs", sent.len(), self.outputs.len()));
        }
        let stride = padded(columns);
        let [slopes, other] = &mut self.slopes;
        slopes.resize(rows * stride, F::zero());
        let outputs = self.outputs.chunks_exact(columns).zip(sent.chunks_exact(columns));
        for (slopes, (y, g)) in slopes.chunks_exact_mut(stride).zip(outputs) {
            let (slopes, unused) = slopes.split_at_mut(columns);
            unused.fill(F::zero());
            let numbers = slopes.iter_mut().zip(y.iter().zip(g));
            match self.output {
                Output::Identity => numbers.for_each(|(s, (_, &g))| *s = g),
                Output::Sigmoid => numbers.for_each(|(s, (&y, &g))| *s = g * y * (F::one() - y)),
                Output::Softmax => {
                    let mean = y.iter().zip(g).fold(F::zero(), |sum, (&y, &g)| sum + y * g);
                    numbers.for_each(|(s, (&y, &g))| *s = y * (g - mean));
                }
            }
        }
        for i in (0..self.stages.len()).rev() {
            let (before, here) = self.stages.split_at_mut(i);
            let (input, stride) = match before.last() {
                Some(stage) => (&stage.values[..], padded(stage.width)),
                None => (x, self.inputs),
            };
            let Stage { does, width, values } = &mut here[0];
            match does {
                Operation::Dense(dense) => {
                    dense.activation.into_iter().for_each(|activation| deactivate(activation, values, slopes));
                    let Dense { inputs, outputs, from, .. } = **dense;
                    let (weights, biases) = self.gradient[from..dense.end()].split_at_mut(inputs * outputs);
                    self.right.fill(slopes, rows, outputs, padded(outputs));
                    let out = Out { numbers: weights, stride: outputs };
                    product(Left::columns(input, stride), &self.right, None, out, workers);
                    dispatch!(level(), simd => add_rows(simd, slopes, padded(outputs), biases));
                    if i > 0 {
                        dense.back.fill_turned(&self.weights[from..][..inputs * outputs], outputs, inputs);
                        other.resize(rows * stride, F::zero());
                        let out = Out { numbers: other, stride };
                        product(Left::rows(slopes, padded(outputs)), &dense.back, None, out, workers);
                        std::mem::swap(slopes, other);
                    }
                }
                Operation::Activation(activation) => deactivate(*activation, values, slopes),
                Operation::Norm(norm) => norm.carry_back(*width, values, slopes, &mut self.sums),
            }
        }
        Ok(&self.gradient)
    }

    /// Outputs for some rows, with the running statistics of batch normalisations.
    ///
    /// # Errors
    /// Rows of another width.
    pub fn evaluate(&self, x: Rows<'_, F>, workers: &Workers) -> Result<Matrix<F>> {
        if x.dim() != self.inputs {
            return Err(Error::shape("features of a row", x.dim(), self.inputs));
        }
        let mut copy = self.without_buffers();
        let mut out = Vec::with_capacity(x.len() * self.columns());
        for piece in x.data().chunks(PIECE * self.inputs) {
            copy.pass(piece, Statistics::Running, workers);
            out.extend_from_slice(&copy.outputs);
        }
        Matrix::from_vec(self.columns(), out)
    }

    /// The same network with the memory of a pass left out.
    fn without_buffers(&self) -> Self {
        let stage = |stage: &Stage<F>| {
            let does = match &stage.does {
                Operation::Dense(dense) => Operation::Dense(Box::new(Dense {
                    ahead: Right::default(),
                    back: Right::default(),
                    bias: vec![F::zero(); padded(dense.outputs)],
                    ..**dense
                })),
                other => other.clone(),
            };
            Stage { does, width: stage.width, values: Vec::new() }
        };
        DenseNetwork {
            inputs: self.inputs,
            stages: self.stages.iter().map(stage).collect(),
            output: self.output,
            weights: self.weights.clone(),
            gradient: Vec::new(),
            outputs: Vec::new(),
            slopes: Default::default(),
            right: Right::default(),
            sums: Default::default(),
        }
    }
}

impl Backend for DenseNetwork {
    fn step(&mut self, supervision: &mut Supervision, x: &[f32], targets: &[f32]) -> Result<Stepped> {
        let rng = supervision.begin();
        self.check(x)?;
        self.pass(x, Statistics::OfBatch, supervision.workers());
        let (stepped, sent) = supervision.respond(&rng, &self.outputs, targets)?;
        if sent.is_some() {
            let (sent, workers) = supervision.sent();
            self.backward(x, sent, workers)?;
            supervision.rule().step(&mut self.weights, &self.gradient);
        }
        Ok(stepped)
    }

    fn last_outputs(&self) -> &[f32] {
        &self.outputs
    }

    fn outputs(&self, x: Rows<'_, f32>, workers: &Workers) -> Result<Matrix<f32>> {
        self.evaluate(x, workers)
    }

    fn trainable(&self) -> usize {
        self.weights.len()
    }

    fn state(&self) -> Vec<f32> {
        DenseNetwork::state(self)
    }

    fn set_state(&mut self, state: &[f32]) -> Result<()> {
        DenseNetwork::set_state(self, state)
    }
}

impl<F> Dense<F> {
    /// Where its biases end.
    fn end(&self) -> usize {
        self.from + (self.inputs + 1) * self.outputs
    }
}

impl<F: Real> Norm<F> {
    /// Takes the statistics of a batch, the biased variance as the tensor library does, and moves the running ones.
    fn take(&mut self, x: &[F], stride: usize, rows: usize, [sums, squares]: &mut [Vec<f64>; 2]) {
        let width = self.mean.len();
        for sums in [&mut *sums, squares] {
            sums.clear();
            sums.resize(width, 0.0);
        }
        let count = rows as f64;
        dispatch!(level(), simd => sum_columns(simd, x, stride, sums));
        self.centre.iter_mut().zip(&*sums).for_each(|(centre, sum)| *centre = F::of(sum / count));
        dispatch!(level(), simd => sum_squares(simd, x, stride, &self.centre[..width], squares));
        let (old, new) = (F::of(1.0 - MOMENTUM), F::of(MOMENTUM));
        for (k, square) in squares.iter().enumerate() {
            let variance = square / count;
            self.scale[k] = F::of(1.0 / (variance + EPSILON).sqrt());
            self.mean[k] = self.mean[k] * old + self.centre[k] * new;
            self.variance[k] = self.variance[k] * old + F::of(variance) * new;
        }
    }

    /// Puts the running statistics in a batch's place.
    fn use_running(&mut self) {
        for (k, (mean, variance)) in self.mean.iter().zip(&self.variance).enumerate() {
            self.centre[k] = *mean;
            self.scale[k] = F::of(1.0 / (variance.f64() + EPSILON).sqrt());
        }
    }

    /// dx = scale (dy - mean dy - y mean (dy y)), y what came out.
    fn carry_back(&self, width: usize, values: &[F], slopes: &mut [F], [sums, products]: &mut [Vec<f64>; 2]) {
        let stride = padded(width);
        for sums in [&mut *sums, products] {
            sums.clear();
            sums.resize(width, 0.0);
        }
        dispatch!(level(), simd => sum_columns(simd, slopes, stride, sums));
        dispatch!(level(), simd => sum_products(simd, slopes, values, stride, products));
        let count = (slopes.len() / stride) as f64;
        for sums in [&mut *sums, products] {
            sums.iter_mut().for_each(|sum| *sum /= count);
        }
        for (slopes, values) in slopes.chunks_exact_mut(stride).zip(values.chunks_exact(stride)) {
            let numbers = slopes.iter_mut().zip(values).zip(sums.iter().zip(&*products)).zip(&self.scale);
            for (((slope, &y), (&mean, &product)), &scale) in numbers {
                *slope = scale * (*slope - F::of(mean) - y * F::of(product));
            }
        }
    }
}

/// Applies an activation.
fn activate<F: Real>(activation: Activation, values: &mut [F]) {
    match activation {
        Activation::Relu => dispatch!(level(), simd => cut(simd, values)),
        Activation::Tanh => elementary::tanh(values),
        Activation::Sigmoid => elementary::sigmoid(values),
    }
}

/// Multiplies slopes by the derivative of an activation whose values are given.
fn deactivate<F: Real>(activation: Activation, values: &[F], slopes: &mut [F]) {
    dispatch!(level(), simd => derivative(simd, activation, values, slopes));
}

/// max(0, x), and NaN of NaN.
#[simd]
fn cut<S: Simd, F: Real>(_simd: S, values: &mut [F]) {
    values.iter_mut().for_each(|x| *x = if *x < F::zero() { F::zero() } else { *x });
}

#[simd]
fn derivative<S: Simd, F: Real>(_simd: S, activation: Activation, values: &[F], slopes: &mut [F]) {
    let pairs = slopes.iter_mut().zip(values);
    match activation {
        Activation::Relu => pairs.for_each(|(s, y)| *s = if *y > F::zero() { *s } else { F::zero() }),
        Activation::Tanh => pairs.for_each(|(s, y)| *s *= F::one() - *y * *y),
        Activation::Sigmoid => pairs.for_each(|(s, y)| *s *= *y * (F::one() - *y)),
    }
}

/// The sum of all rows, in their order.
#[simd]
fn add_rows<S: Simd, F: Real>(_simd: S, rows: &[F], stride: usize, out: &mut [F]) {
    out.fill(F::zero());
    for row in rows.chunks_exact(stride) {
        out.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
    }
}

/// The sums of columns in double precision.
#[simd]
fn sum_columns<S: Simd, F: Real>(_simd: S, rows: &[F], stride: usize, sums: &mut [f64]) {
    for row in rows.chunks_exact(stride) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.f64());
    }
}

/// The sums of squared distances to a centre.
#[simd]
fn sum_squares<S: Simd, F: Real>(_simd: S, rows: &[F], stride: usize, centre: &[F], sums: &mut [f64]) {
    for row in rows.chunks_exact(stride) {
        for ((sum, x), centre) in sums.iter_mut().zip(row).zip(centre) {
            let away = (*x - *centre).f64();
            *sum += away * away;
        }
    }
}

/// The sums of products.
#[simd]
fn sum_products<S: Simd, F: Real>(_simd: S, a: &[F], b: &[F], stride: usize, sums: &mut [f64]) {
    for (a, b) in a.chunks_exact(stride).zip(b.chunks_exact(stride)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a.f64() * b.f64());
    }
}

/// (x - centre) scale of each row.
#[simd]
fn normalize<S: Simd, F: Real>(_simd: S, x: &[F], stride: usize, centre: &[F], scale: &[F], out: &mut [F]) {
    let into = padded(scale.len());
    for (out, x) in out.chunks_exact_mut(into).zip(x.chunks_exact(stride)) {
        for ((out, x), (centre, scale)) in out.iter_mut().zip(x).zip(centre.iter().zip(scale)) {
            *out = (*x - *centre) * *scale;
        }
    }
}
