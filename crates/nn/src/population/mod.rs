//! Many networks at once: the weights of a network as a point, its mean loss on a batch of data as the point's value.
//!
//! A swarm that trains networks without a gradient asks for the values of all its points on one batch. [`Population`] gives them
//! in one pass: the batch is laid out once, samples side by side, and every network's weights go over it where they lie, in
//! `f32`, networks spread over threads. Dense layers, convolutions, pooling, activations and batch normalisation without an affine
//! part, as in the nets of Huang, Qiu, Riedl, "On the global convergence of particle swarm optimization methods" (AMOP 2023), section 5.
//!
//! ```
//! use std::sync::Arc;
//! use swarmgrad_algorithms::particle::batched::{Batched, Params};
//! use swarmgrad_core::{Problem, Rng, Start};
//! use swarmgrad_nn::data::{self, Preset};
//! use swarmgrad_nn::model::{Architecture, Output};
//! use swarmgrad_nn::population::Population;
//!
//! let iris = Arc::new(data::load("iris", Preset::Full)?.dataset(&Preset::Full.options())?);
//! let net = Architecture::shallow(4, 3, Output::Identity);
//! let population = Population::new(&net, iris.clone(), "cross_entropy")?;
//! assert_eq!(population.space().dim(), 4 * 3 + 3);
//!
//! let rng = Rng::new(1);
//! let start = Start::Normal { mean: 0.0, deviation: 1.0 };
//! let mut swarm = Batched::<f32>::new(population.space(), start, Params { inertia: 0.4, ..Params::default() })?;
//! while swarm.epochs() < 20 {
//!     swarm.epoch(&population, &rng)?;
//! }
//! let trained = population.freeze(&swarm.answer(), 10_000)?;
//! let right = trained.outputs(&iris.features)?.iter().zip(iris.labels().unwrap()).filter(|(row, class)| {
//!     (0..3).all(|k| row[k] <= row[**class])
//! }).count();
//! assert!(right > 120, "{right} of 150");
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

use crate::data::{Dataset, Targets};
use crate::loss::{self, Loss};
use crate::model::Architecture;
use fearless_simd::{Simd, dispatch};
use rayon::prelude::*;
use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use swarmgrad_core::simd::level;
use swarmgrad_core::{BatchProblem, Error, Matrix, Problem, Result, Rows, Space, Workers};
use swarmgrad_dense::panel::kernel::{self, LANES, vectors};
use swarmgrad_dense::panel::net::{Net, Panels, Scratch, Statistics};

/// Data that are evaluated as one batch where all of them are asked for.
const PIECE: usize = 1024;

/// Networks of one architecture on a data set, as a problem: a point holds the weights, layer after layer, of each the rows of its
/// matrix or its kernels, then its biases; its value is the mean loss. Batch normalisation takes its statistics from the batch; [`Population::freeze`] makes a network with fixed
/// ones.
///
/// The value over all data ([`Problem::value`]) is the mean over consecutive batches of 1,024 rows, each with its own
/// statistics.
pub struct Population {
    architecture: Architecture,
    net: Net,
    space: Space<f32>,
    data: Arc<Dataset>,
    classes: Vec<u32>,
    loss: Head,
    scale: f64,
    workers: Workers,
    /// The last batch that was laid out, a [`Batch`] of this processor's vectors.
    laid: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
    /// Buffers of threads that are not at work, each a [`Scratch`] of this processor's vectors.
    idle: Mutex<Vec<Box<dyn Any + Send>>>,
}

/// How outputs become a value.
enum Head {
    /// From logits and classes, in the layout of the pass.
    CrossEntropy,
    /// Any other loss, from rows.
    Rows(Box<dyn Loss>),
}

/// A batch laid out.
struct Batch<S: Simd> {
    rows: Vec<usize>,
    samples: Panels<S>,
    classes: Vec<u32>,
    /// Rows of targets, where a loss needs them.
    targets: Vec<f32>,
}

/// The kernels of an architecture.
fn net(architecture: &Architecture, inputs: usize, outputs: usize) -> Result<Net> {
    let Some((image, layers)) = architecture.layers(inputs, outputs) else {
        let rule = "a population is evaluated on lists of layers: mlp, shallow or lenet1";
        return Err(Error::parameter("network", architecture.name(), rule));
    };
    if image.len() != inputs {
        return Err(Error::shape("numbers of a row", inputs, image.len()));
    }
    let net = Net::new(image, &layers, architecture.output())?;
    if net.outputs() != outputs {
        return Err(Error::shape("what comes out of the last layer", net.outputs(), outputs));
    }
    Ok(net)
}

impl Population {
    /// Networks of this architecture on these rows, by a loss from [`loss::LOSSES`].
    ///
    /// # Errors
    /// An architecture that is not a list of layers ([`Architecture::Cnn`], [`Architecture::Resnet18`]), sizes that do not fit the
    /// rows, no rows, a loss that does not fit them.
    pub fn new(architecture: &Architecture, data: Arc<Dataset>, loss: &str) -> Result<Self> {
        let columns = data.outputs();
        let entry = loss::entry(loss)?;
        let head = match (entry.name, data.labels()) {
            ("cross_entropy", Some(_)) => Head::CrossEntropy,
            _ => Head::Rows(entry.build(columns)),
        };
        Population::with_head(architecture, data, head)
    }

    /// The same with a loss of the caller's, with or without a derivative.
    ///
    /// # Errors
    /// Those of [`Population::new`].
    pub fn with_loss(architecture: &Architecture, data: Arc<Dataset>, loss: Box<dyn Loss>) -> Result<Self> {
        Population::with_head(architecture, data, Head::Rows(loss))
    }

    fn with_head(architecture: &Architecture, data: Arc<Dataset>, loss: Head) -> Result<Self> {
        if data.is_empty() {
            return Err(Error::parameter("rows", 0, "training needs at least one row"));
        }
        let net = net(architecture, data.dim(), data.outputs())?;
        let classes = match &data.targets {
            Targets::Classes { labels, .. } => labels.iter().map(|&label| label as u32).collect(),
            Targets::Numbers(_) => Vec::new(),
        };
        Ok(Population {
            architecture: architecture.clone(),
            space: Space::unbounded(net.weights())?,
            net,
            data,
            classes,
            loss,
            scale: 1.0,
            workers: Workers::default(),
            laid: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    /// Whether its values can be trusted so far, see [`Loss::check`].
    ///
    /// # Errors
    /// A loss that is computed elsewhere and has failed there.
    pub fn check(&self) -> Result<()> {
        match &self.loss {
            Head::CrossEntropy => Ok(()),
            Head::Rows(loss) => loss.check(),
        }
    }

    /// Threads over which networks are spread; one unless said. The values do not depend on it.
    #[must_use]
    pub fn workers(self, workers: Workers) -> Self {
        Population { workers, ..self }
    }

    /// The values multiplied by `scale`: the mean-field PSO paper divides the cross-entropy by the number of classes, and a
    /// consensus depends on it (alpha times the value is what counts).
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Population { scale, ..self }
    }

    /// The network of a point with the statistics of its batch normalisations fixed: those of up to `sample` rows, spread evenly
    /// over the data, as one batch.
    ///
    /// # Errors
    /// A point of another length.
    pub fn freeze(&self, point: &[f32], sample: usize) -> Result<Frozen> {
        if point.len() != self.net.weights() {
            return Err(Error::shape("weights", point.len(), self.net.weights()));
        }
        let rows = self.data.spread(sample.max(1));
        let mut moments = Vec::new();
        dispatch!(level(), simd => {
            let mut samples = Panels::default();
            samples.lay(simd, &self.data.features, &rows);
            self.net.forward(simd, point, &samples, Statistics::Keep(&mut moments), &mut Scratch::default());
        });
        let Population { architecture, net, data, .. } = self;
        Ok(Frozen {
            architecture: architecture.clone(),
            net: net.clone(),
            inputs: data.dim(),
            point: point.to_vec(),
            moments,
        })
    }

    /// Values of points on some rows as one batch.
    fn evaluate(&self, rows: &[usize], xs: Rows<'_, f32>, out: &mut [f64]) {
        dispatch!(level(), simd => self.evaluate_by(simd, rows, xs, out));
    }

    fn evaluate_by<S: Simd>(&self, simd: S, rows: &[usize], xs: Rows<'_, f32>, out: &mut [f64]) {
        let batch = self.laid(simd, rows);
        let with_scratch = |work: &mut dyn FnMut(&mut Scratch<S>)| {
            let idle = lock(&self.idle).pop().and_then(|idle| idle.downcast().ok());
            let mut scratch: Box<Scratch<S>> = idle.unwrap_or_default();
            work(&mut scratch);
            lock(&self.idle).push(scratch);
        };
        let one = |scratch: &mut Scratch<S>, x: &[f32]| self.scale * self.loss_of(simd, &batch, x, scratch);
        if self.workers.threads() == 1 {
            return with_scratch(&mut |scratch| xs.iter().zip(&mut *out).for_each(|(x, o)| *o = one(scratch, x)));
        }
        self.workers.install(|| {
            let points = out.par_iter_mut().enumerate();
            points.for_each(|(i, o)| with_scratch(&mut |scratch| *o = one(scratch, xs.row(i))));
        });
    }

    /// The mean loss of one point.
    fn loss_of<S: Simd>(&self, simd: S, batch: &Batch<S>, point: &[f32], scratch: &mut Scratch<S>) -> f64 {
        let (samples, columns) = (batch.rows.len(), self.net.outputs());
        let outputs = self.net.forward(simd, point, &batch.samples, Statistics::OfBatch, scratch);
        match &self.loss {
            Head::CrossEntropy => {
                let panels = outputs.chunks(columns * vectors::<S>()).zip(batch.classes.chunks(LANES));
                let sums = panels.map(|(panel, classes)| kernel::cross_entropy(simd, panel, classes, classes.len()));
                sums.sum::<f64>() / samples as f64
            }
            Head::Rows(loss) => loss.value(self.net.rows(samples, scratch), &batch.targets, columns),
        }
    }

    /// The batch in panels, unless it is the one of the last time.
    fn laid<S: Simd>(&self, simd: S, rows: &[usize]) -> Arc<Batch<S>> {
        let mut laid = lock(&self.laid);
        let batch = match laid.take().and_then(|batch| batch.downcast::<Batch<S>>().ok()) {
            Some(batch) if batch.rows == rows => batch,
            batch => {
                let mut batch = batch.unwrap_or_else(Batch::empty);
                // Its buffers are used again unless another thread still works on it.
                match Arc::get_mut(&mut batch) {
                    Some(free) => self.lay_out(simd, rows, free),
                    None => {
                        batch = Batch::empty();
                        Arc::get_mut(&mut batch).into_iter().for_each(|free| self.lay_out(simd, rows, free));
                    }
                }
                batch
            }
        };
        *laid = Some(batch.clone());
        batch
    }

    fn lay_out<S: Simd>(&self, simd: S, rows: &[usize], batch: &mut Batch<S>) {
        batch.rows.clear();
        batch.rows.extend_from_slice(rows);
        batch.samples.lay(simd, &self.data.features, rows);
        batch.classes.clear();
        batch.targets.clear();
        match (&self.loss, &self.data.targets) {
            (Head::CrossEntropy, _) => batch.classes.extend(rows.iter().map(|&row| self.classes[row])),
            (Head::Rows(_), Targets::Numbers(numbers)) => batch.targets.extend(rows.iter().map(|&row| numbers[row])),
            (Head::Rows(_), Targets::Classes { labels, .. }) => {
                let columns = self.net.outputs();
                batch.targets.resize(rows.len() * columns, 0.0);
                rows.iter().enumerate().for_each(|(k, &row)| batch.targets[k * columns + labels[row]] = 1.0);
            }
        }
    }
}

impl<S: Simd> Batch<S> {
    fn empty() -> Arc<Self> {
        Arc::new(Batch { rows: Vec::new(), samples: Panels::default(), classes: Vec::new(), targets: Vec::new() })
    }
}

/// A lock whose holder may have panicked: what it guards is only buffers.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Problem<f32> for Population {
    fn space(&self) -> &Space<f32> {
        &self.space
    }

    fn value(&self, x: &[f32]) -> f32 {
        let mut out = [0.0];
        self.values(Rows::new(x.len(), x), &mut out);
        out[0]
    }

    fn values(&self, xs: Rows<'_, f32>, out: &mut [f32]) {
        let all: Vec<usize> = (0..self.data.len()).collect();
        let (mut sums, mut values) = (vec![0.0; xs.len()], vec![0.0; xs.len()]);
        for rows in all.chunks(PIECE) {
            self.evaluate(rows, xs, &mut values);
            sums.iter_mut().zip(&values).for_each(|(sum, value)| *sum += value * rows.len() as f64);
        }
        out.iter_mut().zip(&sums).for_each(|(o, sum)| *o = (sum / all.len() as f64) as f32);
    }
}

impl BatchProblem<f32> for Population {
    fn len(&self) -> usize {
        self.data.len()
    }

    fn values_on(&self, batch: &[usize], xs: Rows<'_, f32>, out: &mut [f32]) {
        let mut values = vec![0.0; xs.len()];
        self.evaluate(batch, xs, &mut values);
        out.iter_mut().zip(&values).for_each(|(o, value)| *o = *value as f32);
    }
}

/// A network of a population with the statistics of its batch normalisations fixed: it answers for single rows.
#[derive(Debug, Clone)]
pub struct Frozen {
    architecture: Architecture,
    net: Net,
    inputs: usize,
    point: Vec<f32>,
    moments: Vec<Vec<[f32; 2]>>,
}

impl Frozen {
    /// The network of weights and statistics that [`Frozen::weights`] has given, or that another trainer of the architecture has.
    ///
    /// # Errors
    /// An architecture that is not a list of layers; numbers that are not of it.
    pub fn of(architecture: &Architecture, [inputs, outputs]: [usize; 2], state: &[f32]) -> Result<Self> {
        let net = net(architecture, inputs, outputs)?;
        let (point, moments) = net.without_statistics(state)?;
        Ok(Frozen { architecture: architecture.clone(), net, inputs, point, moments })
    }

    /// What it is built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Numbers of an input row and of an output row.
    pub fn shape(&self) -> [usize; 2] {
        [self.inputs, self.net.outputs()]
    }

    /// Outputs for some rows.
    ///
    /// # Errors
    /// Rows of another width.
    pub fn outputs(&self, x: &Matrix<f32>) -> Result<Matrix<f32>> {
        if x.dim() != self.inputs {
            return Err(Error::shape("features of a row", x.dim(), self.inputs));
        }
        let (rows, mut out): (Vec<usize>, _) = ((0..x.len()).collect(), Vec::new());
        dispatch!(level(), simd => {
            let (mut samples, mut scratch) = (Panels::default(), Scratch::default());
            for rows in rows.chunks(4 * LANES) {
                samples.lay(simd, x, rows);
                self.net.forward(simd, &self.point, &samples, Statistics::Given(&self.moments), &mut scratch);
                out.extend_from_slice(self.net.rows(rows.len(), &mut scratch));
            }
        });
        Matrix::from_vec(self.net.outputs(), out)
    }

    /// The weights with the statistics: what a saved model holds.
    pub fn weights(&self) -> Vec<f32> {
        self.net.with_statistics(&self.point, &self.moments)
    }
}
