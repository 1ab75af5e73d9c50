//! Training by a swarm: Algorithm 1 of the mean-field PSO paper on a population of networks, without a gradient.

use super::{Epoch, Score, Training, score};
use crate::data::Dataset;
use crate::loss::{self, Loss};
use crate::population::{Frozen, Population};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use swarmgrad_algorithms::particle::batched::{Batched, Params};
use swarmgrad_core::{Error, Matrix, Problem, Result, Rng, Start, Workers};

/// The swarms that train networks: name and one line.
pub const SWARMS: [(&str, &str); 2] = [
    (
        "pso_sde",
        "mean-field particle swarm: inertia, memory of the local bests (Algorithm 1 of the mean-field PSO paper)",
    ),
    ("cbo", "consensus-based optimisation: no inertia, no memory, ten particles a subset"),
];

/// Rows on which statistics of batch normalisations and running scores are taken.
const SAMPLE: usize = 10_000;

/// A swarm of networks: plain data that a saved model and a record carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swarm {
    /// Parameters of the swarm. Its batches of data are those of [`Training::batch`].
    pub params: Params,
    /// Standard deviation of the first weights.
    pub deviation: f64,
}

impl Swarm {
    /// The swarm of a name from [`SWARMS`] as the paper's experiments have it.
    ///
    /// # Errors
    /// An unknown name.
    pub fn named(name: &str) -> Result<Self> {
        let params = match name {
            "pso_sde" => Params::default(),
            "cbo" => Params::cbo(),
            _ => return Err(Error::unknown("method", name, SWARMS.map(|(name, _)| name))),
        };
        Ok(Swarm { params, deviation: 1.0 })
    }
}

/// Networks in training by a swarm. The loss is scaled by 1 / classes where it is a cross-entropy, as in the paper; seeds,
/// epochs, the batch of data, the loss and the architecture are those of the [`Training`], its rate and signal are not used.
pub struct SwarmTrainer {
    population: Population,
    swarm: Batched<f32>,
    rng: Rng,
    loss: Box<dyn Loss>,
    data: Arc<Dataset>,
    frozen: Frozen,
    last: Epoch,
}

/// What continues a trainer.
#[derive(Serialize, Deserialize)]
struct State {
    training: Training,
    last: Epoch,
    swarm: Vec<u8>,
}

impl SwarmTrainer {
    /// A swarm of networks for these rows.
    ///
    /// # Errors
    /// No swarm in `training`, parameters outside their ranges, an architecture that is not a list of layers, a loss that does not
    /// fit, class weights.
    pub fn new(training: &Training, data: Arc<Dataset>) -> Result<Self> {
        let Some(Swarm { params, deviation }) = training.swarm.clone() else {
            return Err(Error::parameter("swarm", "none", "a swarm's training needs its parameters"));
        };
        if training.balance {
            return Err(Error::parameter("balance", true, "class weights are for optimisers with gradients"));
        }
        let columns = data.outputs();
        let scale = if training.loss == "cross_entropy" { 1.0 / columns as f64 } else { 1.0 };
        let population = Population::new(&training.architecture, data.clone(), &training.loss)?.scaled(scale);
        let start = Start::Normal { mean: 0.0, deviation };
        let params = Params { data_batch: training.batch, ..params };
        let swarm = Batched::new(population.space(), start, params)?;
        let frozen = population.freeze(&vec![0.0; population.space().dim()], 1)?;
        Ok(SwarmTrainer {
            population,
            swarm,
            rng: Rng::new(training.seed),
            loss: loss::entry(&training.loss)?.build(columns),
            data,
            frozen,
            last: Epoch::NONE,
        })
    }

    /// Threads over which networks are spread; one unless said. The numbers do not depend on it.
    #[must_use]
    pub fn workers(self, workers: Workers) -> Self {
        SwarmTrainer { population: self.population.workers(workers), ..self }
    }

    /// One pass over the rows, seen by `see` after every batch with the number of rows done; it may break the epoch off. The running
    /// score is that of the answer, on up to 10,000 rows spread evenly.
    ///
    /// # Errors
    /// None that [`SwarmTrainer::new`] has not found.
    pub fn watched_epoch(&mut self, see: &mut dyn FnMut(usize) -> ControlFlow<()>) -> Result<Epoch> {
        let (begin, finished, mut done) = (Instant::now(), self.swarm.epochs(), 0);
        while self.swarm.epochs() == finished {
            self.swarm.step(&self.population, &self.rng)?;
            done = (done + self.swarm.params().data_batch).min(self.data.len());
            if see(done).is_break() {
                break;
            }
        }
        self.last.epoch += 1;
        self.last.steps = self.swarm.steps();
        self.last.evaluations = self.swarm.passes();
        self.last.seconds += begin.elapsed().as_secs_f64();
        self.frozen = self.population.freeze(self.swarm.answer(), SAMPLE)?;
        let sample = self.data.select(&self.data.spread(SAMPLE));
        self.last.running = self.score(&sample.features, &sample.target_rows())?;
        Ok(self.last)
    }

    /// Outputs of the answer, the consensus of the swarm, for some rows.
    ///
    /// # Errors
    /// Rows of another width.
    pub fn outputs(&self, x: &Matrix<f32>) -> Result<Matrix<f32>> {
        self.frozen.outputs(x)
    }

    /// The answer's score on some rows.
    ///
    /// # Errors
    /// Those of [`SwarmTrainer::outputs`].
    pub fn score(&self, x: &Matrix<f32>, y: &Matrix<f32>) -> Result<Score> {
        Ok(score(&*self.loss, &self.outputs(x)?, y))
    }

    /// The loss, without its scale.
    pub fn loss(&self) -> &dyn Loss {
        &*self.loss
    }

    /// The answer's weights and statistics, as a saved model has them.
    pub fn weights(&self) -> Vec<f32> {
        self.frozen.weights()
    }

    /// The swarm.
    pub fn swarm(&self) -> &Batched<f32> {
        &self.swarm
    }

    /// The state after an epoch; [`SwarmTrainer::restore`] continues from it to the same
    /// bits.
    pub fn save(&self, training: &Training) -> Vec<u8> {
        let mut swarm = Vec::new();
        self.swarm.save(&mut swarm);
        // Nothing in the state can fail to serialise: plain numbers, strings and vectors.
        postcard::to_allocvec(&State { training: training.clone(), last: self.last, swarm }).unwrap_or_default()
    }

    /// Continues from a saved state of the same training; nothing is changed by an error.
    ///
    /// # Errors
    /// Bytes that are no state, or that of another training.
    pub fn restore(&mut self, bytes: &[u8], training: &Training) -> Result<()> {
        let state: State =
            postcard::from_bytes(bytes).map_err(|why| Error::Saved(format!("a swarm's training: {why}")))?;
        if state.training != *training {
            return Err(Error::Saved("a swarm's training: the state of another one".into()));
        }
        let swarm = Batched::<f32>::load(&state.swarm)?;
        self.frozen = self.population.freeze(swarm.answer(), SAMPLE)?;
        (self.swarm, self.last) = (swarm, state.last);
        Ok(())
    }

    /// Numbers of a point: weights of a network.
    pub fn dim(&self) -> usize {
        self.population.space().dim()
    }

    /// What the last epoch came to.
    pub fn last(&self) -> Epoch {
        self.last
    }
}
