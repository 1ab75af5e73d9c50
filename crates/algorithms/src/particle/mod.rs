//! Particle methods: swarms of points with memory and velocity.
//!
//! [`Swarm`] is the state of all of them. [`Particles`] does ask and tell, bounds and memories once; a method is a
//! [`Motion`]: how the swarm moves, what it remembers, what it answers.

pub mod adam_cbo;
mod agreement;
mod attraction;
mod attractor;
pub mod batched;
pub mod cbo;
pub mod cbs;
pub mod certify;
pub mod clpso;
pub mod cluster_cbo;
pub mod consensus_hopping;
pub mod diagnostics;
pub mod empso;
mod extension;
pub mod force;
mod kinetic;
pub mod mirror_cbo;
pub mod mpso;
pub mod polar_cbo;
pub mod pso;
pub mod pso_sde;
pub mod rempso;
pub mod spso2011;
pub mod surface;
mod sweep;
pub mod theory;
mod topology;

pub use attractor::{Gibbs, alpha_for_sample_size, consensus, gibbs};
pub use topology::Topology;

use crate::method::Method;
use crate::parameters::{Parameters, choice};
use crate::saved;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{
    Algorithm, Error, Matrix, Real, Result, Rng, Solutions, Space, Start, View, best_index, save_state,
};

choice! {
    /// How many random numbers a pull draws.
    pub enum Pulls {
        /// One for each coordinate: the usual form.
        PerCoordinate = "per_coordinate",
        /// One for the whole particle, as torchswarm does: the step then stays in the plane of its attractors.
        PerParticle = "per_particle",
    }
}

/// The state of a swarm of n particles in d dimensions. A matrix that a method does not keep is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Swarm<F: Real> {
    /// Positions, n by d.
    pub x: Matrix<F>,
    /// Velocities, n by d.
    pub v: Matrix<F>,
    /// Best positions (memories), n by d.
    pub y: Matrix<F>,
    /// Values of the positions.
    pub fx: Vec<F>,
    /// Values of the memories.
    pub fy: Vec<F>,
}

impl<F: Real> Swarm<F> {
    /// Number of particles.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there is no particle.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Number of coordinates.
    pub fn dim(&self) -> usize {
        self.x.dim()
    }

    /// Replaces every memory that the new position beats by `wins(new, old)`; NaN never wins.
    fn keep(&mut self, wins: impl Fn(F, F) -> bool + Sync) {
        let (dim, x, fx) = (self.x.dim(), self.x.data(), &self.fx);
        let keep = |(i, (y, fy)): (usize, (&mut [F], &mut F))| {
            if wins(fx[i], *fy) {
                *fy = fx[i];
                y.copy_from_slice(&x[i * dim..(i + 1) * dim]);
            }
        };
        if x.len() >= 1 << 16 && rayon::current_thread_index().is_some() {
            self.y.data_mut().par_chunks_exact_mut(dim).zip(&mut self.fy).enumerate().for_each(keep);
        } else {
            self.y.iter_mut().zip(&mut self.fy).enumerate().for_each(keep);
        }
    }

    /// Sharp memory: a strictly better position replaces the best one (PSO; eq. 1.3 of the mean-field paper).
    pub fn keep_better(&mut self) {
        self.keep(|new, old| new < old);
    }

    /// Greedy survival of differential evolution: an equally good position replaces the old one too.
    pub fn keep_no_worse(&mut self) {
        self.keep(|new, old| new <= old);
    }

    /// The best memory.
    pub fn best_memory(&self) -> Vec<F> {
        best_index(&self.fy).map(|i| self.y.row(i).to_vec()).unwrap_or_default()
    }

    /// Whether a swarm that was read back has points of so many coordinates with a value each.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    pub fn verify(&self, dim: usize) -> Result<()> {
        let n = self.fx.len();
        saved::holds("values", n > 0, "must be there, one a particle")?;
        saved::shape("x", &self.x, n, dim)?;
        for (name, matrix, rows) in [("v", &self.v, n), ("y", &self.y, self.fy.len())] {
            saved::shape(name, matrix, if matrix.is_empty() { 0 } else { rows }, dim)?;
        }
        saved::holds("memories", self.y.len() == self.fy.len(), "must have a value each")?;
        saved::numbers("fx", &self.fx)?;
        saved::numbers("fy", &self.fy)
    }

    /// Whether a state that was read back has a velocity for every position.
    pub(crate) fn verify_travels(&self) -> Result<()> {
        saved::holds("v", self.v.len() == self.fx.len(), "must have a row for each particle")
    }

    /// Whether it has a memory for every position.
    pub(crate) fn verify_remembers(&self) -> Result<()> {
        saved::holds("y", self.y.len() == self.fx.len(), "must have a row for each particle")
    }

    /// The matrices and values that are kept, by name.
    fn view(&self) -> View<'_, F> {
        let matrices = [("x", &self.x), ("v", &self.v), ("y", &self.y)];
        View {
            matrices: matrices.into_iter().filter(|(_, m)| !m.is_empty()).map(|(name, m)| (name, m.rows())).collect(),
            vectors: vec![("fx", &self.fx[..]), ("fy", &self.fy[..])],
            numbers: Vec::new(),
        }
    }

    /// Keeps the particles `keep`, each with its own position, velocity, memory and values.
    pub fn select(&mut self, keep: &[usize]) {
        for matrix in [&mut self.x, &mut self.v, &mut self.y] {
            if !matrix.is_empty() {
                matrix.select(keep);
            }
        }
        for values in [&mut self.fx, &mut self.fy] {
            if !values.is_empty() {
                *values = keep.iter().map(|&i| values[i]).collect();
            }
        }
    }
}

/// What remains to be done after the memories were updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// Nothing: the iteration is complete.
    Done,
    /// The memories are new points: their values are needed (smooth memory of the mean-field paper).
    Reevaluate,
}

/// A particle method: how its swarm moves. Everything else is [`Particles`]' business.
pub trait Motion<F: Real>: Send + Sync + Sized + Serialize + DeserializeOwned {
    /// The method's name: file, registry entry, command line, Python.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Parameters;

    /// The method with checked parameters. `budget` is the number of evaluations planned, where a method plans ahead.
    fn new(params: Self::Params, space: &Space<F>, budget: Option<u64>) -> Result<Self>;

    /// Number of particles.
    fn particles(&self) -> usize;

    /// Numbers that the swarm in `dim` dimensions takes, with the points lent: five matrices unless the method says otherwise.
    fn numbers(&self, dim: usize) -> f64 {
        5.0 * self.particles() as f64 * dim as f64
    }

    /// Called once with the positions of the start, before their values are known: sets up velocities, at rest unless
    /// the method says otherwise.
    fn launch(&mut self, swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {
        swarm.v = Matrix::zeros(swarm.len(), swarm.dim());
    }

    /// Called once with the values of the start (y = x, fy = fx): sets up the attractors.
    fn begin(&mut self, swarm: &mut Swarm<F>);

    /// Writes points whose values the next move needs into `points`, which is empty: the consensus for a drift correction,
    /// neighbours for finite differences. None by default.
    fn probe(&mut self, _swarm: &Swarm<F>, _space: &Space<F>, _points: &mut Matrix<F>) {}

    /// Takes the values of the points of [`Motion::probe`].
    fn probed(&mut self, _values: &[F]) {}

    /// Writes the next positions (and velocities), rows in parallel, inside the space.
    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng);

    /// Takes in the values of the new positions: memories, attractors.
    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_better();
        Remembered::Done
    }

    /// Takes in the values of re-evaluated memories.
    fn reremember(&mut self, _swarm: &mut Swarm<F>) {}

    /// The point the method would answer now.
    fn answer(&self, swarm: &Swarm<F>) -> Vec<F> {
        swarm.best_memory()
    }

    /// What it has found, where its aim is more than one point. The positions may be with the caller, the values are not.
    fn solutions(&self, _swarm: &Swarm<F>) -> Option<Solutions<F>> {
        None
    }

    /// Whether the parameters of a state that was read back are such as [`Motion::new`] takes on this space.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify_settings(&self, space: &Space<F>) -> Result<()>;

    /// Whether a state that was read back, after its settings, fits to its swarm, whose matrices and values have as many rows as there are positions or
    /// none; `probed` if the next move uses the values of [`Motion::probe`].
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify(&self, swarm: &Swarm<F>, space: &Space<F>, probed: bool) -> Result<()>;

    /// Adds to the view what the swarm alone does not show.
    fn show<'a>(&'a self, _view: &mut View<'a, F>) {}
}

/// Where a round of ask and tell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Nothing evaluated yet.
    Start,
    /// The next round moves the swarm, or evaluates what the move needs first.
    Move,
    /// The next round evaluates points of [`Motion::probe`].
    Probe,
    /// They have been evaluated: the next round moves the swarm.
    Probed,
    /// The next round evaluates the memories.
    Memories,
}

/// A swarm and its motion as an [`Algorithm`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Particles<F: Real, M: Motion<F>> {
    space: Space<F>,
    start: Start,
    swarm: Swarm<F>,
    motion: M,
    phase: Phase,
    iterations: u64,
    /// Points of [`Motion::probe`].
    #[serde(skip)]
    probes: Matrix<F>,
    /// Their values.
    #[serde(skip)]
    told: Vec<F>,
    /// The points are with the caller.
    lent: bool,
}

impl<F: Real, M: Motion<F> + 'static> Method<F> for Particles<F, M> {
    const NAME: &'static str = M::NAME;
    type Params = M::Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: M::Params) -> Result<Self> {
        Particles::new(space, start, budget, params)
    }

    fn verify(&self) -> Result<()> {
        Particles::verify(self)
    }
}

impl<F: Real, M: Motion<F>> Particles<F, M> {
    /// The method on a space. Errors name the parameter, its value and the rule.
    pub fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: M::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let motion = M::new(params, space, budget)?;
        let swarm = Swarm::default();
        Ok(Particles {
            space: space.clone(),
            start,
            swarm,
            motion,
            phase: Phase::Start,
            iterations: 0,
            probes: Matrix::default(),
            told: Vec::new(),
            lent: false,
        })
    }

    /// The swarm; its positions are with the caller between `ask` and `tell`.
    pub fn swarm(&self) -> &Swarm<F> {
        &self.swarm
    }

    /// The motion.
    pub fn motion(&self) -> &M {
        &self.motion
    }

    /// Reads back what [`Algorithm::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let saved = |why: String| Error::Saved(format!("{}: {why}", M::NAME));
        let method: Self = postcard::from_bytes(bytes).map_err(|why| saved(why.to_string()))?;
        method.verify().map_err(|why| saved(why.to_string()))?;
        Ok(method)
    }

    /// Whether the state fits together between two rounds.
    pub(crate) fn verify(&self) -> Result<()> {
        let (swarm, dim) = (&self.swarm, self.space.dim());
        self.start.check(&self.space)?;
        let between = !self.lent && self.phase != Phase::Probe;
        saved::holds("phase", between, "must be that between two rounds")?;
        saved::count("iterations", self.iterations)?;
        self.motion.verify_settings(&self.space)?;
        saved::holds("particles", self.motion.particles() > 0, "must be at least 1")?;
        if self.phase == Phase::Start {
            return saved::holds("swarm", *swarm == Swarm::default(), "must be empty before the first round");
        }
        swarm.verify(dim)?;
        if self.phase == Phase::Memories {
            swarm.verify_remembers()?;
        }
        self.motion.verify(swarm, &self.space, self.phase == Phase::Probed)
    }

    fn lend(&mut self, xs: &mut Matrix<F>) {
        let points = match self.phase {
            Phase::Memories => &mut self.swarm.y,
            Phase::Probe => &mut self.probes,
            _ => &mut self.swarm.x,
        };
        std::mem::swap(points, xs);
        self.lent = true;
    }
}

impl<F: Real, M: Motion<F>> Algorithm<F> for Particles<F, M> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        match self.phase {
            Phase::Start => {
                self.start.fill(&self.space, rng, self.motion.particles(), &mut self.swarm.x);
                self.motion.launch(&mut self.swarm, &self.space, rng);
            }
            Phase::Move => {
                self.probes.resize(0, self.space.dim());
                self.motion.probe(&self.swarm, &self.space, &mut self.probes);
                if self.probes.is_empty() {
                    self.motion.advance(&mut self.swarm, &self.space, rng);
                } else {
                    self.phase = Phase::Probe;
                }
            }
            Phase::Probed => self.motion.advance(&mut self.swarm, &self.space, rng),
            Phase::Memories | Phase::Probe => {}
        }
        self.lend(xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        self.lend(xs);
        self.lent = false;
        let values = values.iter().map(|&value| if value.is_nan() { F::infinity() } else { value });
        let swarm = &mut self.swarm;
        match self.phase {
            Phase::Start => {
                swarm.fx = values.collect();
                swarm.fy = swarm.fx.clone();
                swarm.y = swarm.x.clone();
                self.motion.begin(swarm);
                self.phase = Phase::Move;
            }
            Phase::Probe => {
                self.told.clear();
                self.told.extend(values);
                self.motion.probed(&self.told);
                self.phase = Phase::Probed;
            }
            Phase::Move | Phase::Probed => {
                self.phase = Phase::Move;
                assert_eq!(values.len(), swarm.x.len(), "tell needs one value for each point asked");
                swarm.fx.clear();
                swarm.fx.extend(values);
                match self.motion.remember(swarm) {
                    Remembered::Done => self.iterations += 1,
                    Remembered::Reevaluate => self.phase = Phase::Memories,
                }
            }
            Phase::Memories => {
                swarm.fy.clear();
                swarm.fy.extend(values);
                self.motion.reremember(swarm);
                self.phase = Phase::Move;
                self.iterations += 1;
            }
        }
    }

    fn answer(&self) -> Vec<F> {
        let mut answer = self.motion.answer(&self.swarm);
        self.space.clamp(&mut answer);
        answer
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn solutions(&self) -> Option<Solutions<F>> {
        self.motion.solutions(&self.swarm)
    }

    fn memory(&self) -> f64 {
        size_of::<F>() as f64 * self.motion.numbers(self.space.dim())
    }

    fn iterations(&self) -> u64 {
        self.iterations
    }

    fn view(&self) -> View<'_, F> {
        let mut view = self.swarm.view();
        self.motion.show(&mut view);
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(M::NAME, self, out)
    }
}
