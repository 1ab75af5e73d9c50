//! What learns: one network by gradients, or a swarm of networks without any.

use super::{Epoch, SwarmTrainer, Trainer};
use crate::loss::Loss;
use crate::population::Frozen;
use std::ops::ControlFlow;
use swarmgrad_core::{Error, Matrix, Result};

/// One network in training by gradients, or a swarm of them.
pub enum Learner {
    /// One network.
    Optimizer(Box<Trainer>),
    /// A swarm; its answer is the network of its consensus.
    Swarm(Box<SwarmTrainer>),
}

/// What a [`Learner`] answers with at some time.
pub enum Snapshot {
    /// Of one network.
    Weights(Vec<f32>),
    /// Of a swarm.
    Consensus(Box<Frozen>),
}

impl Learner {
    /// Numbers that are learnt.
    pub fn count(&self) -> usize {
        match self {
            Learner::Optimizer(trainer) => trainer.trainable(),
            Learner::Swarm(swarm) => swarm.dim(),
        }
    }

    /// One pass over the training rows, seen by `see` after every batch with the number of rows done; it may break the epoch off.
    /// A swarm takes the rows that it was made for.
    ///
    /// # Errors
    /// Those of [`Trainer::watched_epoch`] and [`SwarmTrainer::watched_epoch`].
    pub fn epoch(
        &mut self,
        x: &Matrix<f32>,
        y: &Matrix<f32>,
        see: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Epoch> {
        match self {
            Learner::Optimizer(trainer) => trainer.watched_epoch(x, y, see),
            Learner::Swarm(swarm) => swarm.watched_epoch(see),
        }
    }

    /// Outputs for some rows.
    ///
    /// # Errors
    /// Rows of another width.
    pub fn outputs(&self, x: &Matrix<f32>) -> Result<Matrix<f32>> {
        match self {
            Learner::Optimizer(trainer) => Ok(trainer.outputs(x)),
            Learner::Swarm(swarm) => swarm.outputs(x),
        }
    }

    /// The network as it is, to return to.
    pub fn snapshot(&self) -> Snapshot {
        match self {
            Learner::Optimizer(trainer) => Snapshot::Weights(trainer.weights()),
            Learner::Swarm(swarm) => Snapshot::Consensus(Box::new(swarm.frozen().clone())),
        }
    }

    /// Answers as it did at a snapshot of its own. To train on from there is not what this is for: the memory of an optimiser and
    /// the places of a swarm are as they were left.
    ///
    /// # Errors
    /// The snapshot of another learner.
    pub fn return_to(&mut self, snapshot: Snapshot) -> Result<()> {
        match (self, snapshot) {
            (Learner::Optimizer(trainer), Snapshot::Weights(weights)) => trainer.set_weights(&weights),
            (Learner::Swarm(swarm), Snapshot::Consensus(frozen)) => {
                swarm.answer_as(*frozen);
                Ok(())
            }
            _ => Err(Error::Saved("the snapshot of another kind of learner".into())),
        }
    }

    /// The loss that is made small.
    pub fn loss(&self) -> &dyn Loss {
        match self {
            Learner::Optimizer(trainer) => trainer.loss(),
            Learner::Swarm(swarm) => swarm.loss(),
        }
    }

    /// Weights and running statistics, as a saved model has them.
    pub fn weights(&self) -> Vec<f32> {
        match self {
            Learner::Optimizer(trainer) => trainer.weights(),
            Learner::Swarm(swarm) => swarm.weights(),
        }
    }
}
