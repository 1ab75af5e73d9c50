//! Mean-field swarms for an objective that is a mean over data: Algorithm 1 of the mean-field PSO paper.
//!
//! Paper: Huang, Qiu, Riedl, "On the global convergence of particle swarm optimization methods" (AMOP 2023), section 5,
//! with the authors' published program where the text is silent:
//!
//! ```text
//! (5.1)  E(x) = (1/M) sum_j E_j(x),   E_B(x) = (1/|B|) sum_{j in B} E_j(x)
//!
//! for each epoch, the data in a new random order:
//!   for each batch B of n_E data:
//!     line 9   E_B(Y_i) for all i                          exact: evaluated; stale: the values stored with Y_i
//!     line 11  the swarm in a random order, in subsets S of n_N particles; for each of them:
//!     line 12    c = sum_{i in S} Y_i w_i / sum w_i, w_i = exp(-alpha E_B(Y_i))           (5.2)
//!                the kick: where no coordinate of c moved by more than 1e-5 since the last subset,
//!                V_i += max(sigma1, sigma2) sqrt(dt) xi_i for the whole swarm
//!     line 13    X, V by (4.15) towards c: the particles of S (partial) or all (full); then Y by (1.3) with E_B(X)
//!   line 20  alpha <- 2 alpha, sigma <- sigma_0 / log2(e + 2); N <- ceil(N ((1 - mu) + mu Sigma_end / Sigma_start))
//! line 22  the answer: the consensus of the whole swarm
//! ```
//!
//! The moves are those of [`super::pso_sde`]. [`Batched`] is driven batch by batch:
//!
//! ```
//! use swarmgrad_algorithms::particle::batched::{Batched, Params};
//! use swarmgrad_core::{BatchProblem, Problem, Rng, Rows, Space, Start};
//!
//! /// The mean of (x - a_j)^2 over data a_j.
//! struct Mean { space: Space, data: Vec<f64> }
//! impl Problem for Mean {
//!     fn space(&self) -> &Space { &self.space }
//!     fn value(&self, x: &[f64]) -> f64 { self.data.iter().map(|a| (x[0] - a).powi(2)).sum::<f64>() / self.data.len() as f64 }
//! }
//! impl BatchProblem for Mean {
//!     fn len(&self) -> usize { self.data.len() }
//!     fn values_on(&self, batch: &[usize], xs: Rows<'_>, out: &mut [f64]) {
//!         for (x, o) in xs.iter().zip(out) {
//!             *o = batch.iter().map(|&j| (x[0] - self.data[j]).powi(2)).sum::<f64>() / batch.len() as f64;
//!         }
//!     }
//! }
//!
//! let problem = Mean { space: Space::unbounded(1)?, data: (0..600).map(|j| f64::from(j) / 100.0).collect() };
//! let start = Start::Normal { mean: 0.0, deviation: 3.0 };
//! let mut swarm = Batched::new(problem.space(), start, Params { inertia: 0.4, ..Params::default() })?;
//! let rng = Rng::new(7);
//! while swarm.epochs() < 20 {
//!     swarm.step(&problem, &rng)?; // one batch of data; or swarm.epoch(&problem, &rng)?
//! }
//! assert!((swarm.answer()[0] - 2.995).abs() < 0.3);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```
//!
//! Consensus-based optimisation is the case m = 0 without memory, [`Params::cbo`]; there the kick moves the positions,
//! since velocities are forgotten.
//!
//! Differs from the paper: the kick is in the published program only, and it decides: without it (`kick = 0`) training
//! freezes as soon as one particle holds all the weight. Defects of that program are not copied: a particle that leaves
//! takes its own X, Y and V with it, data are put into a new order every epoch, and without memory several subsets work.
//! The last batch of an epoch may be smaller.

use super::attractor::consensus;
use super::pso_sde::{self, Memory, Noise, PsoSde, Scheme, Update};
use super::{Motion, Swarm};
use crate::parameters::{Parameters, choice, parameters};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use swarmgrad_core::{BatchProblem, Error, Matrix, Real, Result, Rng, Rows, Space, Start, View, save_state};

choice! {
    /// With which values the local bests of earlier batches enter a new batch.
    pub enum LocalBest {
        /// Evaluated on the new batch (line 9): 2 N evaluations a batch.
        Exact = "exact",
        /// The values they had when they were stored, on other batches: N evaluations a batch.
        Stale = "stale",
    }
}

parameters! {
    /// Parameters of [`Batched`]; the defaults are those of the paper's experiments with networks.
    pub struct Params {
        /// Number of particles.
        particles "N": usize = 100, AtLeast(1.0);
        /// Inertia; 0 is consensus-based optimisation.
        inertia "m": f64 = 0.2, AtLeast(0.0);
        /// Friction; null means 1 - m.
        friction "gamma": Option<f64> = None, Above(0.0);
        /// Time step.
        dt "dt": f64 = 0.1, Above(0.0);
        /// Drift towards the particle's memory.
        lambda1 "lambda_1": f64 = 0.0, AtLeast(0.0);
        /// Drift towards the consensus.
        lambda2 "lambda_2": f64 = 1.0, AtLeast(0.0);
        /// Diffusion by the distance to the particle's memory; null means lambda_1 sigma_2.
        sigma1 "sigma_1": Option<f64> = None, AtLeast(0.0);
        /// Diffusion by the distance to the consensus.
        sigma2 "sigma_2": f64 = 0.632_455_532_033_675_9, AtLeast(0.0);
        /// Sharpness of the consensus: 0 is the mean, infinity the best point.
        alpha "alpha": f64 = 50.0, AtLeastOrInfinite(0.0), with "crate::parameters::number";
        /// The form of the diffusion.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
        /// What a particle remembers.
        memory "Y": Memory = Memory::Sharp, Choice(Memory::WORDS);
        /// With which values the local bests enter a new batch of data.
        local_best "": LocalBest = LocalBest::Exact, Choice(LocalBest::WORDS);
        /// Sharpness of the smooth memory.
        beta "beta": f64 = 30.0, Above(0.0);
        /// Share of X that the smooth memory always takes in.
        theta "theta": f64 = 0.0, Within(0.0, 1.0);
        /// Rate of the smooth memory; null means 1/dt.
        kappa "kappa": Option<f64> = None, Above(0.0);
        /// Data in a batch.
        data_batch "n_E": usize = 60, AtLeast(1.0);
        /// Particles in a random subset; null means all.
        batch "n_N": Option<usize> = None, AtLeast(1.0);
        /// Who moves with the consensus of a subset.
        update "": Update = Update::Full, Choice(Update::WORDS);
        /// Whether an epoch doubles alpha and divides both sigma by log2(e + 2), e = finished epochs.
        cooling "": bool = true, Flag;
        /// Agent reduction: strength mu with which the swarm shrinks as it contracts; 0 is off (the published program: 0.2).
        reduction "mu": f64 = 0.0, Within(0.0, 1.0);
        /// The whole swarm is kicked when no coordinate of the consensus moved by this much; 0 is off.
        kick "": f64 = 1e-5, AtLeast(0.0);
        /// Standard deviation of the initial velocities.
        velocity "s_V": f64 = 0.0, AtLeast(0.0);
    }
}

impl Params {
    /// The published program for consensus-based optimisation: no inertia, no memory, ten particles a subset.
    pub fn cbo() -> Self {
        Params { inertia: 0.0, memory: Memory::None, batch: Some(10), ..Params::default() }
    }

    /// The parameters of the moves.
    fn motion(&self) -> pso_sde::Params {
        pso_sde::Params {
            particles: self.particles,
            inertia: self.inertia,
            friction: self.friction,
            dt: self.dt,
            lambda1: self.lambda1,
            lambda2: self.lambda2,
            sigma1: self.sigma1.unwrap_or(self.lambda1 * self.sigma2),
            sigma2: self.sigma2,
            alpha: self.alpha,
            noise: self.noise,
            scheme: Scheme::SemiImplicit,
            memory: self.memory,
            beta: self.beta,
            theta: self.theta,
            kappa: self.kappa,
            batch: self.batch,
            update: self.update,
            epoch: Some(usize::MAX), // an epoch ends with the data, not after so many iterations
            cooling: self.cooling,
            reduction: self.reduction,
            kick: self.kick,
            velocity: self.velocity,
            ..pso_sde::Params::default()
        }
    }
}

/// A mean-field swarm over data, batch by batch.
///
/// The rest of a run is the caller's: what to watch ([`Batched::view`], [`Batched::answer`] on a monitoring sample) and when to
/// stop. There is no best-so-far: values on different batches do not compare. Its state depends on the problem, the
/// parameters and the generator only, not on threads; saved and loaded it continues to the same bits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Batched<F: Real = f64> {
    params: Params,
    space: Space<F>,
    start: Start,
    motion: PsoSde<F>,
    swarm: Swarm<F>,
    /// The data in this epoch's order, and where the next batch begins.
    data: Vec<usize>,
    place: usize,
    epochs: usize,
    steps: u64,
    /// Moves of the swarm or of a subset: the iteration of their draws.
    moves: u64,
    evaluations: u64,
    passes: u64,
    failures: u64,
    /// The swarm's order in this step.
    #[serde(skip)]
    order: Vec<usize>,
    /// The consensus of a subset.
    #[serde(skip)]
    centre: Vec<F>,
    /// The particles of a subset, while they move alone.
    #[serde(skip)]
    subset: Swarm<F>,
}

impl<F: Real> Batched<F> {
    /// The swarm before its first step. `start` is the law of the first positions (the paper: standard normal). Errors name
    /// the parameter, its value and the rule.
    pub fn new(space: &Space<F>, start: Start, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let motion = PsoSde::new(params.motion(), space, None)?;
        Ok(Batched {
            params,
            space: space.clone(),
            start,
            motion,
            swarm: Swarm::default(),
            data: Vec::new(),
            place: 0,
            epochs: 0,
            steps: 0,
            moves: 0,
            evaluations: 0,
            passes: 0,
            failures: 0,
            order: Vec::new(),
            centre: Vec::new(),
            subset: Swarm::default(),
        })
    }

    /// One batch of data: lines 9 to 19, and line 20 when it was the epoch's last. `rng` is the same in every step.
    ///
    /// Errors where the problem's dimension or its number of data is not the one of the first step, or there are no data.
    pub fn step(&mut self, problem: &dyn BatchProblem<F>, rng: &Rng) -> Result<()> {
        let data = self.next_batch(problem, rng)?;
        let order = std::mem::take(&mut self.data);
        self.learn(problem, &order[data.clone()], rng);
        self.data = order;
        self.place = data.end;
        self.steps += 1;
        if self.place == self.data.len() {
            self.place = 0;
            self.epochs += 1;
            if self.params.cooling {
                self.motion.cool(self.epochs);
            }
            self.motion.shrink(&mut self.swarm, &rng.at(self.moves));
        }
        Ok(())
    }

    /// Steps up to the end of the epoch.
    pub fn epoch(&mut self, problem: &dyn BatchProblem<F>, rng: &Rng) -> Result<()> {
        let epochs = self.epochs;
        while self.epochs == epochs {
            self.step(problem, rng)?;
        }
        Ok(())
    }

    /// The next batch as a part of `data`, which is put into a new order at the beginning of an epoch.
    fn next_batch(&mut self, problem: &dyn BatchProblem<F>, rng: &Rng) -> Result<std::ops::Range<usize>> {
        let (dim, all) = (problem.space().dim(), problem.len());
        if dim != self.space.dim() {
            return Err(Error::shape("a point of the problem", dim, self.space.dim()));
        }
        if all == 0 {
            return Err(Error::parameter("data", 0, "there must be at least one"));
        }
        if self.steps > 0 && self.data.len() != all {
            return Err(Error::shape("the data", all, self.data.len()));
        }
        if self.place == 0 {
            self.data.clear();
            self.data.extend(0..all);
            rng.fork("data").at(self.epochs as u64).row(0).shuffle(&mut self.data);
        }
        Ok(self.place..(self.place + self.params.data_batch).min(all))
    }

    /// Lines 9 to 19 on one batch.
    fn learn(&mut self, problem: &dyn BatchProblem<F>, data: &[usize], rng: &Rng) {
        self.know(problem, data, rng);
        self.motion.agree(&self.swarm);
        let n = self.swarm.len();
        let size = self.params.batch.unwrap_or(n).min(n);
        let subsets = n / size;
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..n);
        if subsets > 1 {
            rng.at(self.moves).fork("batch").row(0).shuffle(&mut order); // line 11
        }
        for (b, members) in order.chunks(size).enumerate() {
            let mut c = std::mem::take(&mut self.centre);
            let (alpha, whole) = self.motion.now();
            c.clear();
            c.extend_from_slice(whole); // of all particles; stands in while no value of the subset is finite
            let (points, values) = (self.motion.memories(&self.swarm), self.motion.memory_values(&self.swarm));
            if size < n {
                consensus(points, values, alpha, members.iter().copied(), &mut c); // line 12, eq. (5.2)
            }
            let rng = rng.at(self.moves);
            let kicked = self.motion.kick_if_still(&c, &mut self.swarm, &rng.fork("kick"));
            if kicked && self.params.inertia == 0.0 && self.params.memory == Memory::None && b + 1 < subsets {
                // The positions were kicked, and later subsets need their values.
                let mut swarm = std::mem::take(&mut self.swarm);
                self.evaluate(problem, data, swarm.x.rows(), &mut swarm.fx);
                self.swarm = swarm;
            }
            if self.params.update == Update::Partial && subsets > 1 {
                let mut subset = std::mem::take(&mut self.subset);
                gather(&self.swarm, members, &mut subset);
                self.motion.travel_to(&c, &mut subset, &self.space, &rng); // line 13
                self.remember(problem, data, &mut subset, true);
                scatter(&subset, members, &mut self.swarm);
                self.subset = subset;
            } else {
                let mut swarm = std::mem::take(&mut self.swarm);
                self.motion.travel_to(&c, &mut swarm, &self.space, &rng);
                self.remember(problem, data, &mut swarm, b + 1 == subsets);
                self.swarm = swarm;
            }
            self.centre = c;
            self.moves += 1;
        }
        self.order = order;
    }

    /// Line 9: the values of the memories (or positions) on the batch. In the first step the swarm is set up as well.
    fn know(&mut self, problem: &dyn BatchProblem<F>, data: &[usize], rng: &Rng) {
        let mut swarm = std::mem::take(&mut self.swarm);
        if self.steps == 0 {
            let rng = rng.at(0);
            self.start.fill(&self.space, &rng, self.params.particles, &mut swarm.x);
            self.motion.launch(&mut swarm, &self.space, &rng);
            self.evaluate(problem, data, swarm.x.rows(), &mut swarm.fx);
            (swarm.y, swarm.fy) = (swarm.x.clone(), swarm.fx.clone());
            self.motion.begin(&mut swarm);
        } else if self.params.memory == Memory::None {
            self.evaluate(problem, data, swarm.x.rows(), &mut swarm.fx);
        } else if self.params.local_best == LocalBest::Exact {
            self.evaluate(problem, data, swarm.y.rows(), &mut swarm.fy);
        }
        self.swarm = swarm;
    }

    /// What the particles that have just moved remember. Without memory new values are needed only if others move after them
    /// on the same batch.
    fn remember(&mut self, problem: &dyn BatchProblem<F>, data: &[usize], moved: &mut Swarm<F>, last: bool) {
        if self.params.memory != Memory::None || !last {
            self.evaluate(problem, data, moved.x.rows(), &mut moved.fx);
        }
        match self.params.memory {
            Memory::Sharp => moved.keep_better(), // eq. (1.3)
            Memory::Smooth => {
                self.motion.follow(moved);
                self.evaluate(problem, data, moved.y.rows(), &mut moved.fy);
            }
            Memory::None => {}
        }
    }

    /// Values on the batch; what is not finite becomes +inf, and after a panic the points are tried one by one.
    fn evaluate(&mut self, problem: &dyn BatchProblem<F>, data: &[usize], xs: Rows<'_, F>, out: &mut Vec<F>) {
        out.clear();
        out.resize(xs.len(), F::infinity());
        if catch_unwind(AssertUnwindSafe(|| problem.values_on(data, xs, out))).is_err() {
            for (i, o) in out.iter_mut().enumerate() {
                let (one, mut value) = (xs.slice(i, i + 1), [F::infinity()]);
                let tried = catch_unwind(AssertUnwindSafe(|| problem.values_on(data, one, &mut value)));
                *o = if tried.is_ok() { value[0] } else { F::infinity() };
            }
        }
        for value in out.iter_mut().filter(|value| !value.is_finite()) {
            *value = F::infinity();
            self.failures += 1;
        }
        self.evaluations += xs.len() as u64;
        self.passes += xs.len() as u64 * data.len() as u64;
    }

    /// The consensus of the whole swarm (line 22), on the last batch; empty before the first step. It is computed when it is
    /// asked for.
    pub fn answer(&self) -> Vec<F> {
        let (alpha, moved_to) = self.motion.now();
        let mut answer = moved_to.to_vec();
        // Without memory the values are those before the move, and the consensus is theirs.
        if self.params.memory != Memory::None && self.steps > 0 {
            let (points, values) = (self.motion.memories(&self.swarm), self.motion.memory_values(&self.swarm));
            consensus(points, values, alpha, 0..points.len(), &mut answer);
        }
        answer
    }

    /// The state by name: `x`, `v`, `y`, `fx`, `fy`, `g` (the consensus of the whole swarm before its last move), `alpha`,
    /// `sigma1`, `sigma2`, `kicks`.
    pub fn view(&self) -> View<'_, F> {
        let mut view = self.swarm.view();
        self.motion.show(&mut view);
        view
    }

    /// Finished epochs.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// Finished steps: batches of data.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Particles left after reductions.
    pub fn particles(&self) -> usize {
        Motion::<F>::particles(&self.motion)
    }

    /// Evaluations of a point on a batch.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Evaluations of a point on a datum: forward passes of a network.
    pub fn passes(&self) -> u64 {
        self.passes
    }

    /// Evaluations that gave NaN, an infinity or a panic.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Appends the whole state in a binary form.
    ///
    /// # Errors
    /// State that the form cannot hold.
    pub fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state("batched swarm", self, out)
    }

    /// Reads back what [`Batched::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        postcard::from_bytes(bytes).map_err(|why| Error::Saved(format!("batched swarm: {why}")))
    }
}

/// Copies the particles `members` of a swarm.
fn gather<F: Real>(swarm: &Swarm<F>, members: &[usize], subset: &mut Swarm<F>) {
    let matrices = [(&swarm.x, &mut subset.x), (&swarm.v, &mut subset.v), (&swarm.y, &mut subset.y)];
    for (from, to) in matrices.into_iter().filter(|(from, _)| !from.is_empty()) {
        to.resize(members.len(), from.dim());
        members.iter().zip(to.iter_mut()).for_each(|(&i, row)| row.copy_from_slice(from.row(i)));
    }
    for (from, to) in [(&swarm.fx, &mut subset.fx), (&swarm.fy, &mut subset.fy)] {
        to.clear();
        to.extend(members.iter().filter_map(|&i| from.get(i)));
    }
}

/// Puts them back in their places.
fn scatter<F: Real>(subset: &Swarm<F>, members: &[usize], swarm: &mut Swarm<F>) {
    let put = |from: &Matrix<F>, to: &mut Matrix<F>| {
        members.iter().zip(from.iter()).for_each(|(&i, row)| to.row_mut(i).copy_from_slice(row));
    };
    put(&subset.x, &mut swarm.x);
    put(&subset.v, &mut swarm.v);
    put(&subset.y, &mut swarm.y);
    for (from, to) in [(&subset.fx, &mut swarm.fx), (&subset.fy, &mut swarm.fy)] {
        members.iter().zip(from).for_each(|(&i, &value)| to[i] = value);
    }
}
