//! Training: epochs over batches, scores, and a model that can be saved. By gradients: [`Trainer`]; by a swarm, without any:
//! [`SwarmTrainer`]. A [`TrainingPlan`] says all of it as plain data: which rows, which network, which optimisers, which seeds.

mod answers;
mod constant;
mod figures;
mod learner;
mod plan;
mod prepared;
mod record;
mod rows;
mod run;
mod swarm;

pub use answers::Answers;
pub use constant::{constant_outputs, repeated};
pub use figures::{CurvePoint, Figures, Measure};
pub use learner::{Learner, Snapshot};
pub use plan::{CONTROLS, MODELS, MOST_SEEDS, TrainingPlan, lends_gradient};
pub use prepared::PreparedPlan;
pub use record::{RunRecord, RunState, RunStore, TrainedRun};
pub use rows::{Origin, RowSource, SeedRows};
pub use run::{Driving, EndedRun, RunIndex, TrainingOutcome, TrainingProgress};
pub use swarm::{Moves, SWARMS, Swarm, SwarmTrainer};

use crate::data::{Dataset, Preprocessing, Targets};
use crate::loss::{self, Loss};
use crate::metric;
use crate::model::{Architecture, Output};
use crate::optim::{self, Backend, Rule, Supervision};
use crate::population::Frozen;
use crate::signal::Signal;
use crate::tensor;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;
use swarmgrad_core::{Error, Matrix, Result, Rng, Rows, Workers, write_whole};

/// How a network is trained: plain data that a saved model and a record carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The network.
    pub architecture: Architecture,
    /// What [`loss::entry`] takes: a name from [`loss::LOSSES`], some with a parameter, or a program.
    pub loss: String,
    /// A name from [`optim::OPTIMIZERS`], or from [`SWARMS`] where `swarm` is there.
    pub optimizer: String,
    /// A swarm that trains without gradients, and its parameters.
    #[serde(default)]
    pub swarm: Option<Swarm>,
    /// The learning rate; the optimiser's usual one where it is not said.
    pub rate: Option<f64>,
    /// The gradient at the outputs; the optimiser's own where it is not said.
    pub signal: Option<Signal>,
    /// Passes over the training rows.
    pub epochs: u64,
    /// Rows of a batch.
    pub batch: usize,
    /// Whether the rows are shuffled anew every epoch.
    pub shuffle: bool,
    /// Weighs each class by the inverse of its share of the training rows.
    pub balance: bool,
    /// Ends the training when so many epochs have brought no smaller loss on the validation rows; only where there are any.
    #[serde(default)]
    pub patience: Option<u64>,
    /// Start, order, masks and swarms follow from it.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            architecture: Architecture::paper(),
            loss: "mse".into(),
            optimizer: "adaswarm".into(),
            swarm: None,
            rate: None,
            signal: None,
            epochs: 60,
            batch: 50,
            shuffle: true,
            balance: false,
            patience: None,
            seed: 1,
        }
    }
}

/// How good a network is on some rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The mean loss.
    pub loss: f64,
    /// Share of rows whose largest output is at the right class; NaN for regression.
    pub argmax: f64,
    /// Share of outputs that round to their one-hot target (the AdaSwarm paper's "accuracy"); NaN for regression.
    pub element: f64,
}

/// What an epoch came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u64,
    /// Means over the epoch's batches, each before its step: the paper's running averages.
    pub running: Score,
    /// Losses of blocks evaluated by swarms or differences so far; of a [`SwarmTrainer`] passes of one row through one network.
    pub evaluations: u64,
    /// Steps so far.
    pub steps: u64,
    /// Seconds of training so far, scores not counted.
    pub seconds: f64,
    /// Epochs so far in which the gradient of a swarm was output - label up to a factor, that of the squared error, although the
    /// loss's own derivative was not (cosines above 0.999, and not).
    pub squared_error: u64,
}

impl Epoch {
    /// Before the first one.
    const NONE: Epoch = Epoch {
        epoch: 0,
        running: Score { loss: f64::NAN, argmax: f64::NAN, element: f64::NAN },
        evaluations: 0,
        steps: 0,
        seconds: 0.0,
        squared_error: 0,
    };
}

/// A network in training.
pub struct Trainer {
    architecture: Architecture,
    shape: [usize; 2],
    network: Box<dyn Backend>,
    supervision: Supervision,
    rng: Rng,
    batch: usize,
    shuffle: bool,
    epochs: u64,
    columns: usize,
    last: Epoch,
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Trainer {
    /// A new network for these rows, on the CPU.
    ///
    /// # Errors
    /// Unknown names, parameters outside their ranges, a batch of no rows, a loss or output that does not fit the task.
    pub fn new(training: &Training, rows: &Dataset) -> Result<Self> {
        let columns = rows.outputs();
        let loss = loss::entry(&training.loss)?.build(columns);
        Trainer::with_loss(training, loss, rows)
    }

    /// The same for a loss of the caller's; the name in `training` is only a name then.
    ///
    /// # Errors
    /// Those of [`Trainer::new`].
    pub fn with_loss(training: &Training, loss: Box<dyn Loss>, rows: &Dataset) -> Result<Self> {
        let entry = optim::entry(&training.optimizer)?;
        let rule = entry.rule(training.rate.unwrap_or(entry.rate));
        let usual = || {
            let signal = entry.signal().fit(training.architecture.output());
            signal.scaled_for(&training.loss, rows.labels().is_none())
        };
        let signal = training.signal.clone().unwrap_or_else(usual);
        Trainer::with_rule(training, loss, signal, rule, rows)
    }

    /// The same with a rule and a signal of the caller's.
    ///
    /// # Errors
    /// Those of [`Trainer::new`].
    pub fn with_rule(
        training: &Training,
        loss: Box<dyn Loss>,
        signal: Signal,
        rule: Box<dyn Rule<f32>>,
        rows: &Dataset,
    ) -> Result<Self> {
        if training.batch == 0 {
            return Err(Error::parameter("batch", 0, "at least one row"));
        }
        if rows.is_empty() {
            return Err(Error::parameter("rows", 0, "training needs at least one row"));
        }
        let (rng, columns) = (Rng::new(training.seed), rows.outputs());
        let mut supervision = Supervision::new(loss, signal, rule, columns, training.seed)?;
        if training.balance {
            let counts = rows.counts();
            if counts.is_empty() {
                return Err(Error::parameter("balance", "true", "class weights need classes, this is regression"));
            }
            let mean = rows.len() as f32 / counts.len() as f32;
            supervision = supervision.class_weights(counts.iter().map(|&n| mean / n.max(1) as f32).collect());
        }
        Ok(Trainer {
            network: training.architecture.network(rows.dim(), columns, &rng.fork("weights"))?,
            architecture: training.architecture.clone(),
            shape: [rows.dim(), columns],
            supervision,
            rng: rng.fork("order"),
            batch: training.batch,
            shuffle: training.shuffle,
            epochs: training.epochs,
            columns,
            last: Epoch::NONE,
            x: Vec::new(),
            y: Vec::new(),
        })
    }

    /// Threads of the swarms and of networks of dense layers; one unless said. The numbers do not depend on it.
    pub fn workers(self, workers: Workers) -> Self {
        Trainer { supervision: self.supervision.with_workers(workers), ..self }
    }

    /// The same starting from the weights of a trained network, as [`Saved`] has them; the optimiser starts afresh.
    ///
    /// # Errors
    /// Weights that do not fit the architecture.
    pub fn start_from(mut self, weights: &[f32]) -> Result<Self> {
        self.set_weights(weights)?;
        Ok(self)
    }

    /// Puts weights of this architecture, as [`Trainer::weights`] gives them, in place of those it has.
    ///
    /// # Errors
    /// Weights that do not fit the architecture.
    pub fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.network.set_state(weights)
    }

    /// What is trained.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Numbers of an input row and of an output row.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Numbers that are learnt.
    pub fn trainable(&self) -> usize {
        self.network.trainable()
    }

    /// The step's parts, for schedules of the learning rate.
    pub fn supervision(&mut self) -> &mut Supervision {
        &mut self.supervision
    }

    /// One pass over the rows, `y` as [`Dataset::target_rows`] gives it.
    ///
    /// # Errors
    /// Rows of another shape than those it was made for; a loss without the derivative that was asked for.
    pub fn epoch(&mut self, x: &Matrix<f32>, y: &Matrix<f32>) -> Result<Epoch> {
        self.watched_epoch(x, y, &mut |_| ControlFlow::Continue(()))
    }

    /// The same, seen by `see` after every batch with the number of rows done; it may break the epoch off, which then counts
    /// as one that saw fewer rows.
    ///
    /// # Errors
    /// Those of [`Trainer::epoch`].
    pub fn watched_epoch(
        &mut self,
        x: &Matrix<f32>,
        y: &Matrix<f32>,
        see: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Epoch> {
        if x.len() != y.len() {
            return Err(Error::shape("targets", y.len(), x.len()));
        }
        let started = Instant::now();
        let mut order: Vec<usize> = (0..x.len()).collect();
        if self.shuffle {
            self.rng.at(self.last.epoch + 1).row(0).shuffle(&mut order);
        }
        let classes = self.columns > 1;
        self.supervision.progress(self.last.epoch as f64 / self.epochs.saturating_sub(1).max(1) as f64);
        let (mut sums, mut done) = ([0.0; 3], 0);
        for rows in order.chunks(self.batch) {
            self.x.clear();
            self.y.clear();
            for &row in rows {
                self.x.extend_from_slice(x.row(row));
                self.y.extend_from_slice(y.row(row));
            }
            let stepped = self.network.step(&mut self.supervision, &self.x, &self.y)?;
            self.last.evaluations += stepped.evaluations;
            self.last.steps += 1;
            let share = rows.len() as f64;
            sums[0] += share * stepped.loss;
            if classes {
                let seen = Rows::new(self.columns, self.network.last_outputs());
                let wanted = Rows::new(self.columns, &self.y);
                sums[1] += share * metric::argmax_accuracy(seen, &labels(wanted));
                sums[2] += share * metric::element_accuracy(seen, wanted);
            }
            done += rows.len();
            if see(done).is_break() {
                break;
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= done as f64);
        let none = |sum| if classes { sum } else { f64::NAN };
        self.last.epoch += 1;
        self.last.squared_error += u64::from(self.supervision.became_squared_error());
        self.last.running = Score { loss: sums[0], argmax: none(sums[1]), element: none(sums[2]) };
        self.last.seconds += started.elapsed().as_secs_f64();
        Ok(self.last)
    }

    /// Outputs for some rows.
    ///
    /// # Panics
    /// If the rows are not as wide as those it was made for.
    pub fn outputs(&self, x: &Matrix<f32>) -> Matrix<f32> {
        self.network.outputs(x.rows(), self.supervision.workers()).expect("rows as wide as those it was made for")
    }

    /// Its weights and running statistics: layer after layer, of each the matrix row by row or the kernels, then the biases; of a
    /// batch normalisation scales, shifts, running means, running variances.
    pub fn weights(&self) -> Vec<f32> {
        self.network.state()
    }

    /// The loss it trains.
    pub fn loss(&self) -> &dyn Loss {
        self.supervision.loss()
    }

    /// The score on some rows.
    pub fn score(&self, x: &Matrix<f32>, y: &Matrix<f32>) -> Score {
        score(self.loss(), &self.outputs(x), y)
    }
}

/// The classes of one-hot rows.
fn labels(targets: Rows<'_, f32>) -> Vec<usize> {
    targets.iter().map(|row| metric::argmax(row).unwrap_or(0)).collect()
}

/// The score of outputs against targets.
pub fn score(loss: &dyn Loss, outputs: &Matrix<f32>, y: &Matrix<f32>) -> Score {
    let columns = y.dim();
    let classes = columns > 1;
    Score {
        loss: loss.value(outputs.data(), y.data(), columns),
        argmax: if classes { metric::argmax_accuracy(outputs.rows(), &labels(y.rows())) } else { f64::NAN },
        element: if classes { metric::element_accuracy(outputs.rows(), y.rows()) } else { f64::NAN },
    }
}

/// A trained network with everything that turns a user's row into an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// Version of the library that trained it.
    pub version: String,
    /// The data's name.
    pub data: String,
    /// How it was trained.
    pub training: Training,
    /// Columns, codes, scales and class names.
    pub preprocessing: Preprocessing,
    /// Numbers of an input row and of an output row.
    pub shape: [usize; 2],
    /// Weights and running statistics, see [`Trainer::weights`].
    pub weights: Vec<f32>,
    /// Its scores when it was saved, by name (`train`, `test`).
    pub scores: Vec<(String, Score)>,
}

/// First bytes of a model's file: what it is, and the version of its form.
const HEADER: &[u8; 8] = b"swmodel\x03";

impl Saved {
    /// A network with the weights of a trainer.
    pub fn new(weights: Vec<f32>, training: &Training, preprocessing: &Preprocessing, data: &str) -> Self {
        Saved {
            version: env!("CARGO_PKG_VERSION").into(),
            data: data.into(),
            training: training.clone(),
            preprocessing: preprocessing.clone(),
            shape: [preprocessing.dim(), preprocessing.outputs()],
            weights,
            scores: Vec::new(),
        }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// A path that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let body = postcard::to_allocvec(self).map_err(|why| Error::Saved(why.to_string()))?;
        let mut bytes = HEADER.to_vec();
        bytes.extend(crate::data::catalog::sha256(&body).as_bytes());
        bytes.extend(body);
        write_whole(path, &bytes)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// A file that is missing, not a model, of another version, cut short or changed.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path)
            .map_err(|why| Error::File { path: path.display().to_string(), why: why.to_string() })?;
        let broken = |why: &str| Error::Saved(format!("{}: {why}", path.display()));
        let rest = bytes.strip_prefix(HEADER).ok_or_else(|| broken("not a model of this version"))?;
        let (sum, body) = rest.split_at_checked(64).ok_or_else(|| broken("cut short"))?;
        if crate::data::catalog::sha256(body).as_bytes() != sum {
            return Err(broken("cut short or changed: its checksum does not fit"));
        }
        let saved: Saved = postcard::from_bytes(body).map_err(|why| broken(&why.to_string()))?;
        saved.verify().map_err(|why| broken(&why.to_string()))?;
        Ok(saved)
    }

    /// Whether its parts fit together, so that what is built from it is no larger than its file.
    fn verify(&self) -> Result<()> {
        let ([inputs, outputs], expected) = (self.shape, [self.preprocessing.dim(), self.preprocessing.outputs()]);
        if self.shape != expected {
            let rule = format!("must be {expected:?}, as its columns say");
            return Err(Error::parameter("shape", format!("{:?}", self.shape), rule));
        }
        self.training.architecture.check(inputs, outputs)?;
        if let Some((image, layers)) = self.training.architecture.layers(inputs, outputs) {
            let least = crate::model::numbers(image, &layers)?;
            if self.weights.len() < least {
                return Err(Error::shape("weights", self.weights.len(), least));
            }
        }
        Ok(())
    }

    /// Outputs for prepared rows.
    ///
    /// # Errors
    /// Rows of another width, weights that do not fit; a network that is no list of layers, without the feature `burn`.
    pub fn predict(&self, x: &Matrix<f32>) -> Result<Matrix<f32>> {
        if x.dim() != self.shape[0] {
            return Err(Error::shape("features of a row", x.dim(), self.shape[0]));
        }
        let (architecture, [inputs, columns]) = (&self.training.architecture, self.shape);
        if let Some(mut network) = architecture.dense_network(inputs, columns)? {
            network.set_state(&self.weights)?;
            return network.evaluate(x.rows(), &Workers::default());
        }
        match architecture.layers(inputs, columns) {
            Some(_) => Frozen::of(architecture, self.shape, &self.weights)?.outputs(x),
            None => tensor::evaluate(architecture, self.shape, &self.weights, x),
        }
    }
}

/// Whether a loss fits what is to be learnt, before an hour of training tells.
///
/// # Errors
/// Those of [`loss::Named::check_fit`], and bounded outputs for a numeric target.
pub fn check_fit(training: &Training, targets: &Targets) -> Result<()> {
    let output = training.architecture.output();
    let regression = matches!(targets, Targets::Numbers(_));
    loss::entry(&training.loss)?.check_fit(regression, output)?;
    if regression && output != Output::Identity {
        return Err(Error::parameter(
            "output",
            format!("{output:?}").to_lowercase(),
            "a numeric target needs identity",
        ));
    }
    Ok(())
}
