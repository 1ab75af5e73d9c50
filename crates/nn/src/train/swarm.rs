//! Training without a gradient: a population of networks, moved by their losses on batches of data alone. Either by Algorithm 1 of
//! the mean-field PSO paper, or by an evolution strategy, which samples a population around its mean for every batch.

use super::{Epoch, Score, Training, score};
use crate::data::Dataset;
use crate::loss::{self, Loss};
use crate::population::{Frozen, Population};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use swarmgrad_algorithms::parameters::{Settings, with_settings};
use swarmgrad_algorithms::particle::batched::{Batched, Params};
use swarmgrad_combine::registry;
use swarmgrad_core::{Algorithm, BatchProblem, Error, Matrix, Problem, Result, Rng, Start, Workers, save_state};

/// What trains networks without a gradient: name and one line. Other methods compare values of different batches.
pub const SWARMS: [(&str, &str); 6] = [
    (
        "pso_sde",
        "mean-field particle swarm: inertia, memory of the local bests (Algorithm 1 of the mean-field PSO paper)",
    ),
    ("cbo", "consensus-based optimisation: no inertia, no memory, ten particles a subset"),
    ("open_es", "OpenAI's evolution strategy: mirrored samples, ranks, Adam"),
    ("pgpe", "parameter-exploring policy gradients: mirrored samples, a deviation a weight"),
    ("snes", "separable natural evolution strategy"),
    ("cr_fm_nes", "natural evolution strategy with one correlated direction"),
];

/// Rows on which statistics of batch normalisations and running scores are taken.
const SAMPLE: usize = 10_000;

/// A population of networks: plain data that a saved model and a record carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swarm {
    /// How it moves.
    pub moves: Moves,
    /// Standard deviation of the first weights; an evolution strategy takes it for the law of its mean and of its samples.
    pub deviation: f64,
}

/// How a population of networks moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moves {
    /// By Algorithm 1. Its batches of data are those of [`Training::batch`].
    MeanField(Params),
    /// By a method of the registry, written `name:key=value,..`; a round of it on every batch.
    Method(String),
}

impl Swarm {
    /// The swarm of a name from [`SWARMS`]: `pso_sde` and `cbo` as the paper's experiments have them, an evolution strategy with
    /// its usual parameters and first weights of deviation 0.1; `settings` change its parameters, and `deviation`.
    ///
    /// # Errors
    /// An unknown name, of a swarm or a parameter; a value outside its range.
    pub fn named(name: &str, mut settings: Settings) -> Result<Self> {
        let deviation = match settings.remove("deviation") {
            None => None,
            Some(given) => Some(
                given
                    .as_f64()
                    .filter(|t| t.is_finite() && *t >= 0.0)
                    .ok_or_else(|| Error::parameter("deviation", &given, "must be a finite number >= 0"))?,
            ),
        };
        let (params, usual) = match name {
            "pso_sde" => (Params::default(), 1.0),
            "cbo" => (Params::cbo(), 1.0),
            _ if SWARMS.iter().any(|(known, _)| *known == name) => {
                let pairs: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
                let moves = Moves::Method(format!("{name}:{}", pairs.join(",")));
                return Ok(Swarm { moves, deviation: deviation.unwrap_or(0.1) });
            }
            _ => return Err(Error::unknown("method", name, SWARMS.map(|(name, _)| name))),
        };
        let params = with_settings(name, &params, settings)?;
        Ok(Swarm { moves: Moves::MeanField(params), deviation: deviation.unwrap_or(usual) })
    }

    fn of(training: &Training) -> Result<&Self> {
        let none = || Error::parameter("swarm", "none", "a swarm's training needs its parameters");
        training.swarm.as_ref().ok_or_else(none)
    }
}

/// A population that moves, batch by batch.
enum Mover {
    MeanField(Box<Batched<f32>>),
    Method(Box<Rounds>),
}

/// A method of the registry, a round on every batch.
struct Rounds {
    method: Box<dyn Algorithm<f32>>,
    place: Place,
    /// The rows in the order of the present epoch.
    order: Vec<usize>,
    batch: usize,
    points: Matrix<f32>,
    values: Vec<f32>,
}

/// How far a method has come.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Place {
    epochs: usize,
    /// The first row of the next batch, in the epoch's order.
    next: usize,
    steps: u64,
    passes: u64,
}

impl Rounds {
    fn step(&mut self, population: &Population, rng: &Rng) -> Result<()> {
        let rows = population.len();
        if self.order.is_empty() {
            self.order.extend(0..rows);
            rng.fork("data").at(self.place.epochs as u64).row(0).shuffle(&mut self.order);
        }
        let end = (self.place.next + self.batch).min(rows);
        let batch = &self.order[self.place.next..end];
        self.method.ask(&rng.at(self.place.steps), &mut self.points);
        if self.points.is_empty() {
            let why =
                self.method.stop_reason().map_or_else(|| "it has no more points".to_owned(), |why| why.to_string());
            return Err(Error::parameter("method", "ended", format!("the search is over: {why}")));
        }
        self.values.resize(self.points.len(), 0.0);
        population.values_on(batch, self.points.rows(), &mut self.values);
        self.place.passes += (batch.len() * self.points.len()) as u64;
        self.method.tell(&mut self.points, &self.values);
        self.place.steps += 1;
        self.place.next = end;
        if end == rows {
            (self.place.next, self.place.epochs) = (0, self.place.epochs + 1);
            self.order.clear();
        }
        Ok(())
    }
}

impl Mover {
    fn new(swarm: &Swarm, population: &Population, batch: usize) -> Result<Self> {
        let (space, start) = (population.space(), Start::Normal { mean: 0.0, deviation: swarm.deviation });
        Ok(match &swarm.moves {
            Moves::MeanField(params) => {
                let params = Params { data_batch: batch, ..params.clone() };
                Mover::MeanField(Box::new(Batched::new(space, start, params)?))
            }
            Moves::Method(text) => {
                let (entry, mut settings) = registry::parse(text)?;
                settings.insert("start".into(), serde_json::to_value(&start).unwrap_or_default());
                let method = entry.build(space, None, &settings)?;
                let (order, place) = (Vec::new(), Place::default());
                let (points, values) = (Matrix::default(), Vec::new());
                Mover::Method(Box::new(Rounds { method, place, order, batch: batch.max(1), points, values }))
            }
        })
    }

    fn step(&mut self, population: &Population, rng: &Rng) -> Result<()> {
        match self {
            Mover::MeanField(swarm) => swarm.step(population, rng),
            Mover::Method(rounds) => rounds.step(population, rng),
        }
    }

    fn place(&self) -> Place {
        match self {
            Mover::MeanField(swarm) => {
                Place { epochs: swarm.epochs(), next: 0, steps: swarm.steps(), passes: swarm.passes() }
            }
            Mover::Method(rounds) => rounds.place,
        }
    }

    fn answer(&self) -> Vec<f32> {
        match self {
            Mover::MeanField(swarm) => swarm.answer(),
            Mover::Method(rounds) => rounds.method.answer(),
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Mover::MeanField(swarm) => swarm.save(out),
            Mover::Method(rounds) => rounds.method.save(out),
        }
    }

    /// Continues after whole epochs.
    fn restore(&mut self, bytes: &[u8], place: Place, moves: &Moves) -> Result<()> {
        match (self, moves) {
            (Mover::Method(rounds), Moves::Method(text)) => {
                rounds.method = registry::parse(text)?.0.load(bytes)?;
                rounds.place = place;
                rounds.order.clear();
            }
            (Mover::MeanField(swarm), _) => **swarm = Batched::load(bytes)?,
            _ => return Err(Error::Saved("a swarm's training: the state of another one".into())),
        }
        Ok(())
    }
}

/// Networks in training by a swarm. The loss is scaled by 1 / classes where it is a cross-entropy, as in the paper; seeds,
/// epochs, the batch of data, the loss and the architecture are those of the [`Training`], its rate and signal are not used.
pub struct SwarmTrainer {
    population: Population,
    swarm: Mover,
    rng: Rng,
    loss: Box<dyn Loss>,
    data: Arc<Dataset>,
    batch: usize,
    frozen: Frozen,
    last: Epoch,
}

/// What continues a trainer.
#[derive(Serialize, Deserialize)]
struct State {
    training: Training,
    last: Epoch,
    place: Place,
    swarm: Vec<u8>,
}

impl SwarmTrainer {
    /// A swarm of networks for these rows.
    ///
    /// # Errors
    /// No swarm in `training`, parameters outside their ranges, an architecture that is not a list of layers, a loss that does not
    /// fit, class weights.
    pub fn new(training: &Training, data: Arc<Dataset>) -> Result<Self> {
        let swarm = Swarm::of(training)?;
        if training.balance {
            return Err(Error::parameter("balance", true, "class weights are for optimisers with gradients"));
        }
        let columns = data.outputs();
        let scale = if training.loss == "cross_entropy" { 1.0 / columns as f64 } else { 1.0 };
        let population = Population::new(&training.architecture, data.clone(), &training.loss)?.scaled(scale);
        let swarm = Mover::new(swarm, &population, training.batch)?;
        let frozen = population.freeze(&vec![0.0; population.space().dim()], 1)?;
        Ok(SwarmTrainer {
            population,
            swarm,
            rng: Rng::new(training.seed),
            loss: loss::entry(&training.loss)?.build(columns),
            data,
            batch: training.batch,
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
    /// A method that has ended by itself.
    pub fn watched_epoch(&mut self, see: &mut dyn FnMut(usize) -> ControlFlow<()>) -> Result<Epoch> {
        let (begin, finished, mut done) = (Instant::now(), self.swarm.place().epochs, 0);
        while self.swarm.place().epochs == finished {
            self.swarm.step(&self.population, &self.rng)?;
            self.population.check()?;
            done = (done + self.batch).min(self.data.len());
            if see(done).is_break() {
                break;
            }
        }
        self.last.epoch += 1;
        let place = self.swarm.place();
        (self.last.steps, self.last.evaluations) = (place.steps, place.passes);
        self.last.seconds += begin.elapsed().as_secs_f64();
        self.frozen = self.population.freeze(&self.swarm.answer(), SAMPLE)?;
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

    /// The network of the answer.
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// Answers with this network until the next epoch.
    pub fn answer_as(&mut self, frozen: Frozen) {
        self.frozen = frozen;
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

    /// The state after an epoch; [`SwarmTrainer::restore`] continues from it to the same
    /// bits.
    ///
    /// # Errors
    /// A swarm whose state cannot be saved.
    pub fn save(&self, training: &Training) -> Result<Vec<u8>> {
        let (mut swarm, mut out) = (Vec::new(), Vec::new());
        self.swarm.save(&mut swarm)?;
        let state = State { training: training.clone(), last: self.last, place: self.swarm.place(), swarm };
        save_state("a swarm's training", &state, &mut out)?;
        Ok(out)
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
        let swarm = Swarm::of(training)?;
        let mut mover = Mover::new(swarm, &self.population, training.batch)?;
        mover.restore(&state.swarm, state.place, &swarm.moves)?;
        self.frozen = self.population.freeze(&mover.answer(), SAMPLE)?;
        (self.swarm, self.last) = (mover, state.last);
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
