//! What a network is taught by: a loss, the gradient that is sent back at its outputs, and the rule that moves its weights.

use crate::loss::{Batch, Lane, Loss};
use crate::optim::Rule;
use crate::signal::{Sender, Signal};
use swarmgrad_core::{Error, Matrix, Result, Rng, Rows, Workers};

/// What a step saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stepped {
    /// The mean loss of the batch before the step.
    pub loss: f64,
    /// Losses of blocks that were evaluated for the gradient: 0 for an exact one.
    pub evaluations: u64,
}

/// A network in training, whatever computes it.
pub trait Backend: Send {
    /// One step on a batch: rows of inputs, and of as many targets as it has outputs. A batch whose gradient is not finite leaves the
    /// weights as they are.
    ///
    /// # Errors
    /// Rows that do not fit, and those of [`Supervision::respond`].
    fn step(&mut self, supervision: &mut Supervision, x: &[f32], targets: &[f32]) -> Result<Stepped>;

    /// The outputs of the last step's batch, before the step.
    fn last_outputs(&self) -> &[f32];

    /// Outputs for some rows, in evaluation; the numbers do not depend on the threads.
    ///
    /// # Errors
    /// Rows of another width.
    fn outputs(&self, x: Rows<'_, f32>, workers: &Workers) -> Result<Matrix<f32>>;

    /// How many numbers an optimiser moves.
    fn trainable(&self) -> usize;

    /// Weights and running statistics, as a saved model has them.
    fn state(&self) -> Vec<f32>;

    /// Takes what [`Backend::state`] gives.
    ///
    /// # Errors
    /// Numbers that are not of this network.
    fn set_state(&mut self, state: &[f32]) -> Result<()>;
}

/// The part of a training step that does not ask how a network computes: outputs and targets in, dE/d(output) out, and a rule.
pub struct Supervision {
    loss: Box<dyn Loss>,
    sender: Sender,
    rule: Box<dyn Rule<f32>>,
    rng: Rng,
    workers: Workers,
    step: u64,
    columns: usize,
    gradient: Vec<f32>,
    likeness: Option<Likeness>,
    exact: Vec<f32>,
    class_weights: Option<Vec<f32>>,
}

impl Supervision {
    /// For networks of `columns` outputs.
    ///
    /// # Errors
    /// Parameters of the signal or the rule outside their ranges, or a signal that does not fit the loss.
    pub fn new(
        loss: Box<dyn Loss>,
        signal: Signal,
        rule: Box<dyn Rule<f32>>,
        columns: usize,
        seed: u64,
    ) -> Result<Self> {
        rule.check()?;
        let likeness = signal.lends_gradient().then(Likeness::default);
        Ok(Supervision {
            likeness,
            exact: Vec::new(),
            sender: Sender::new(signal, &*loss, columns)?,
            loss,
            rule,
            rng: Rng::new(seed),
            workers: Workers::default(),
            step: 0,
            columns,
            gradient: Vec::new(),
            class_weights: None,
        })
    }

    /// Multiplies the gradient of each sample by its class's weight (one-hot targets pick it; one weight an output column).
    ///
    /// # Panics
    /// If there are not as many weights as outputs.
    #[must_use]
    pub fn class_weights(self, weights: Vec<f32>) -> Self {
        assert_eq!(weights.len(), self.columns, "one weight a class");
        Supervision { class_weights: Some(weights), ..self }
    }

    /// Threads of the swarms, and of a [`DenseNetwork`](crate::network::DenseNetwork); one unless said.
    #[must_use]
    pub fn with_workers(self, workers: Workers) -> Self {
        Supervision { workers, ..self }
    }

    /// The threads.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The loss.
    pub fn loss(&self) -> &dyn Loss {
        &*self.loss
    }

    /// The rule, for learning-rate schedules and to move weights.
    pub fn rule(&mut self) -> &mut dyn Rule<f32> {
        &mut *self.rule
    }

    /// Outputs of a network it is for.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Says how much of the training is done, from 0 to 1: lengths of [`Signal::Scaled`] follow it.
    pub fn progress(&mut self, share: f64) {
        self.sender.progress(share);
    }

    /// Whether the gradient sent since this was last asked was output - label up to a factor, that of the squared error, although the
    /// loss's own derivative was not: the loss has become the squared error. Only of signals in a derivative's place.
    pub fn became_squared_error(&mut self) -> bool {
        self.likeness.as_mut().map(std::mem::take).is_some_and(|likeness| likeness.tells())
    }

    /// Begins the next step; gives its draws, for what a network draws in training.
    pub fn begin(&mut self) -> Rng {
        self.step += 1;
        self.rng.at(self.step)
    }

    /// dE/d(output) for the outputs of a batch, rows of [`Supervision::columns`] numbers, and its targets, as many; `rng` is what
    /// [`Supervision::begin`] gave. None where it is not finite: such a batch should leave the weights as they are.
    ///
    /// # Errors
    /// Targets of another size than the outputs; a loss without the derivative that was asked for; a loss that has failed.
    pub fn respond(&mut self, rng: &Rng, outputs: &[f32], targets: &[f32]) -> Result<(Stepped, Option<&[f32]>)> {
        let columns = self.columns;
        if targets.len() != outputs.len() || !outputs.len().is_multiple_of(columns) {
            return Err(Error::shape("targets of a batch", targets.len(), outputs.len()));
        }
        let loss = self.loss.value(outputs, targets, columns);
        self.gradient.resize(targets.len(), 0.0);
        let rng = rng.fork("swarm");
        let lane = Lane { workers: &self.workers, rng: &rng };
        let batch = Batch { columns, outputs, targets };
        let evaluations = self.sender.send(&*self.loss, batch, lane, &mut self.gradient)?;
        let stepped = Stepped { loss, evaluations };
        self.loss.check()?;
        if self.gradient.iter().any(|g| !g.is_finite()) {
            return Ok((stepped, None));
        }
        if let Some(likeness) = &mut self.likeness {
            self.exact.resize(targets.len(), 0.0);
            let known = self.loss.derivative(outputs, targets, columns, &mut self.exact);
            likeness.see(outputs, targets, &self.gradient, known.then_some(&self.exact));
        }
        if let Some(weights) = &self.class_weights {
            for (gradient, target) in self.gradient.chunks_mut(columns).zip(targets.chunks(columns)) {
                let weight: f32 = target.iter().zip(weights).map(|(t, w)| t * w).sum();
                gradient.iter_mut().for_each(|g| *g *= weight);
            }
        }
        Ok((stepped, Some(&self.gradient)))
    }
}

impl Supervision {
    /// What [`Supervision::respond`] has computed last, and the threads.
    pub(crate) fn sent(&self) -> (&[f32], &Workers) {
        (&self.gradient, &self.workers)
    }
}

/// How near gradients are to output - label: cosines of batches, each weighed by its squared residuals. A batch by itself, for the
/// gradient of a mean is longer in a shorter batch.
#[derive(Debug, Clone, Copy, Default)]
struct Likeness {
    residuals: f64,
    sent: f64,
    exact: f64,
}

impl Likeness {
    /// A cosine above this is taken for 1.
    const SAME: f64 = 0.999;

    fn see(&mut self, outputs: &[f32], targets: &[f32], sent: &[f32], exact: Option<&Vec<f32>>) {
        let residual = |i: usize| f64::from(outputs[i]) - f64::from(targets[i]);
        let square: f64 = (0..outputs.len()).map(|i| residual(i) * residual(i)).sum();
        let weighed = |gradient: &[f32]| {
            let along: f64 = gradient.iter().enumerate().map(|(i, &g)| residual(i) * f64::from(g)).sum();
            let length: f64 = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
            if length > 0.0 { along * (square / length).sqrt() } else { 0.0 }
        };
        self.residuals += square;
        self.sent += weighed(sent);
        self.exact += exact.map_or(0.0, |exact| weighed(exact));
    }

    fn tells(&self) -> bool {
        self.sent > Self::SAME * self.residuals && self.exact <= Self::SAME * self.residuals
    }
}
