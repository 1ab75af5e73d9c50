//! Particle swarm optimisation as a system of stochastic differential equations.
//!
//! Papers: Grassi and Pareschi, "From particle swarm optimization to consensus based optimization" (M3AS 2021); Huang,
//! Qiu, Riedl, "On the global convergence of particle swarm optimization methods" (AMOP 2023), whose numbers are used:
//!
//! ```text
//! (1.2)   dX = V dt
//!         dY = kappa (X - Y) S(X, Y) dt,   S(x, y) = 1/2 (1 + theta + tanh(beta (E(y) - E(x))))
//!         m dV = -gamma V dt + lambda1 (Y - X) dt + lambda2 (c - X) dt + sigma1 D(Y - X) dB1 + sigma2 D(c - X) dB2
//! (1.3)   Y <- X if E(X) < E(Y)                      the sharp memory: beta = infinity, theta = 0, kappa = 1/dt
//! (1.4)   c = sum_i Y_i w_i / sum_i w_i,  w_i = exp(-alpha E(Y_i))
//! (1.6)   D(z) = |z| Id  or  diag(|z|)
//! (4.15)  V <- (m V + lambda1 dt (Y - X) + lambda2 dt (c - X)
//!                   + sigma1 sqrt(dt) D(Y - X) xi1 + sigma2 sqrt(dt) D(c - X) xi2) / (m + gamma dt)
//!         X <- X + dt V                              with the new V
//! ```
//!
//! Without memory Y is X, lambda1 = sigma1 = 0 (eq. 2.1). At m = 0 the scheme is consensus-based optimisation
//! ([`super::cbo`]) to rounding. Batches of particles, cooling, agent reduction and the kick are those of the paper's
//! Algorithm 1 and its published program.
//!
//! Differs from the paper: Theorem 3.3 is about theta > 0 and finite kappa; the sharp memory that is run, here and in the
//! paper's experiments, lies outside it. In a full update the paper moves the whole swarm after the consensus of each subset
//! (lines 12 and 13 of Algorithm 1), so that later subsets are evaluated where earlier moves have taken them; here a round
//! asks for each point once, so the centres of all its subsets come first, from the points as they were evaluated. In a
//! partial update the two are the same. [`super::batched`] runs the lines as they are printed. The published program draws
//! separate random subsets for X, Y and V when it reduces the swarm; here a particle keeps its own. The kick is in the
//! program only, not in the paper's text.

use super::agreement::sharpness;
use super::attractor::consensus;
use super::kinetic::Law;
use super::{Motion, Remembered, Swarm};
use crate::parameters::{choice, parameters};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Matrix, Real, Result, Rng, Space, View, math};

choice! {
    /// D of equation (1.6).
    pub enum Noise {
        /// D(z) = diag(|z|): each coordinate has its own distance.
        Anisotropic = "anisotropic",
        /// D(z) = |z| Id: all coordinates have the distance of the point.
        Isotropic = "isotropic",
    }
}

choice! {
    /// The discretisation in time.
    pub enum Scheme {
        /// Equation (4.15): friction implicit, the rest explicit, X with the new V.
        SemiImplicit = "semi_implicit",
        /// Euler-Maruyama: everything from the old state. Needs gamma dt / m < 2.
        Explicit = "explicit",
    }
}

choice! {
    /// What a particle remembers.
    pub enum Memory {
        /// Its best position (eq. 1.3).
        Sharp = "sharp",
        /// A position that follows X smoothly (eq. 1.2b); costs a second evaluation an iteration.
        Smooth = "smooth",
        /// Nothing: Y = X (eq. 2.1).
        None = "none",
    }
}

choice! {
    /// Who moves with the consensus of a batch.
    pub enum Update {
        /// The particles of the batch.
        Partial = "partial",
        /// All particles, once for every batch.
        Full = "full",
    }
}

parameters! {
    /// Parameters of [`PsoSde`].
    pub struct Params {
        /// Number of particles.
        particles "N": usize = 100, AtLeast(1.0);
        /// Inertia; 0 is consensus-based optimisation.
        inertia "m": f64 = 0.01, AtLeast(0.0);
        /// Friction; null means 1 - m.
        friction "gamma": Option<f64> = None, Above(0.0);
        /// Time step.
        dt "dt": f64 = 0.01, Above(0.0);
        /// Drift towards the particle's memory.
        lambda1 "lambda_1": f64 = 0.0, AtLeast(0.0);
        /// Drift towards the consensus.
        lambda2 "lambda_2": f64 = 1.0, AtLeast(0.0);
        /// Diffusion by the distance to the particle's memory.
        sigma1 "sigma_1": f64 = 0.0, AtLeast(0.0);
        /// Diffusion by the distance to the consensus.
        sigma2 "sigma_2": f64 = 7.0, AtLeast(0.0);
        /// Sharpness of the consensus: 0 is the mean, infinity the best point.
        alpha "alpha": f64 = 100.0, AtLeastOrInfinite(0.0), with "crate::parameters::number";
        /// The form of the diffusion.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
        /// The discretisation in time.
        scheme "": Scheme = Scheme::SemiImplicit, Choice(Scheme::WORDS);
        /// What a particle remembers.
        memory "Y": Memory = Memory::Sharp, Choice(Memory::WORDS);
        /// Sharpness of the smooth memory.
        beta "beta": f64 = 30.0, Above(0.0);
        /// Share of X that the smooth memory always takes in.
        theta "theta": f64 = 0.0, Within(0.0, 1.0);
        /// Rate of the smooth memory; null means 1/dt.
        kappa "kappa": Option<f64> = None, Above(0.0);
        /// Particles in a random batch; null means all.
        batch "n_N": Option<usize> = None, AtLeast(1.0);
        /// Who moves with the consensus of a batch.
        update "": Update = Update::Partial, Choice(Update::WORDS);
        /// Iterations in an epoch, after which cooling and reduction act; null means never.
        epoch "": Option<usize> = None, AtLeast(1.0);
        /// Whether an epoch doubles alpha and divides both sigma by log2(e + 2), e = finished epochs.
        cooling "": bool = false, Flag;
        /// Factor of both sigma in each iteration, beside cooling.
        sigma_factor "": f64 = 1.0, Above(0.0);
        /// Factor of alpha in each iteration, beside cooling.
        alpha_factor "": f64 = 1.0, Above(0.0);
        /// Where that factor ends: alpha grows no further by it.
        alpha_most "": f64 = 1e15, AtLeastOrInfinite(0.0), with "crate::parameters::number";
        /// Alpha is chosen in each iteration so that the weights have this share of the swarm as effective sample size; null: it is not.
        sample_size "eta": Option<f64> = None, Within(1e-6, 1.0);
        /// Agent reduction: strength mu with which the swarm shrinks as it contracts; 0 is off.
        reduction "mu": f64 = 0.0, Within(0.0, 1.0);
        /// The whole swarm is kicked when no coordinate of the consensus moved by this much; 0 is off (the published program: 1e-5).
        kick "": f64 = 0.0, AtLeast(0.0);
        /// Standard deviation of the initial velocities.
        velocity "s_V": f64 = 0.0, AtLeast(0.0);
    }
}

/// PSO as a stochastic differential equation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct PsoSde<F: Real> {
    params: Params,
    friction: f64,
    kappa: f64,
    /// Current number of particles, alpha and sigmas: reduction and cooling change them.
    particles: usize,
    alpha: f64,
    sigmas: [f64; 2],
    /// What the schedules have made of alpha and of both sigma, cooling aside: logarithms to the base 2.
    factors: [f64; 2],
    iterations: usize,
    /// Size of the coordinate variances of Y when the epoch began.
    spread: f64,
    /// The consensus of the whole swarm.
    consensus: Vec<F>,
    /// The consensus used last, for the kick; empty before the first move.
    previous: Vec<F>,
    /// How often the swarm was kicked.
    kicked: u64,
    /// Consensus of each batch, the swarm's order, and the batch of each particle.
    batches: Matrix<F>,
    order: Vec<usize>,
    batch_of: Vec<usize>,
    /// |Y - X| and |c - X| of each particle (isotropic noise only).
    #[serde(skip)]
    distances: Vec<[F; 2]>,
    /// Draws of a kick, for two particles at a time.
    #[serde(skip)]
    kicks: Vec<F>,
    /// Names of the streams of each batch: its kick and its full move.
    #[serde(skip)]
    labels: Vec<[String; 2]>,
}

impl<F: Real> Motion<F> for PsoSde<F> {
    const NAME: &'static str = "pso_sde";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let friction = match params.friction {
            Some(friction) => friction,
            None if params.inertia < 1.0 => 1.0 - params.inertia,
            None => return Err(Error::parameter("inertia", params.inertia, "must be below 1 where friction is 1 - m")),
        };
        if params.scheme == Scheme::Explicit && !(params.inertia > 0.0 && friction * params.dt / params.inertia < 2.0) {
            let ratio = friction * params.dt / params.inertia;
            return Err(Error::parameter("friction dt / inertia", ratio, "must be below 2 for the explicit scheme"));
        }
        if params.memory == Memory::None && (params.lambda1 != 0.0 || params.sigma1 != 0.0) {
            let value = format!("{}, {}", params.lambda1, params.sigma1);
            return Err(Error::parameter("lambda1, sigma1", value, "must be 0 without memory"));
        }
        if (params.cooling || params.reduction > 0.0) && params.epoch.is_none() {
            let what = if params.cooling { "cooling" } else { "reduction" };
            return Err(Error::parameter("epoch", "null", format!("must be given: {what} acts when an epoch is over")));
        }
        if let Some(batch) = params.batch.filter(|b| !params.particles.is_multiple_of(*b)) {
            return Err(Error::parameter("batch", batch, format!("must divide the {} particles", params.particles)));
        }
        let kappa = params.kappa.unwrap_or(1.0 / params.dt);
        Ok(PsoSde {
            friction,
            kappa,
            particles: params.particles,
            alpha: params.alpha,
            sigmas: [params.sigma1, params.sigma2],
            factors: [0.0; 2],
            params,
            iterations: 0,
            spread: 0.0,
            consensus: Vec::new(),
            previous: Vec::new(),
            kicked: 0,
            batches: Matrix::default(),
            order: Vec::new(),
            batch_of: Vec::new(),
            distances: Vec::new(),
            kicks: Vec::new(),
            labels: Vec::new(),
        })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None)?;
        let whole = self.params.batch.is_none_or(|batch| self.particles.is_multiple_of(batch));
        saved::holds("particles", whole, "must be whole batches")?;
        saved::count("iterations", self.iterations as u64)?;
        saved::count("kicks", self.kicked)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        let (n, dim) = (swarm.len(), swarm.dim());
        swarm.verify_travels()?;
        if self.params.memory != Memory::None {
            swarm.verify_remembers()?;
        }
        saved::holds("particles", self.particles == n, "must be as many as there are positions")?;
        saved::length("consensus", &self.consensus, dim)?;
        saved::length("previous", &self.previous, if self.previous.is_empty() { 0 } else { dim })
    }

    fn particles(&self) -> usize {
        self.particles
    }

    fn launch(&mut self, swarm: &mut Swarm<F>, _space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.len(), swarm.dim());
        swarm.v = Matrix::zeros(n, dim);
        if self.params.velocity > 0.0 {
            rng.fork("velocity").fill_normal(0..n, 0..dim, swarm.v.data_mut());
            let deviation = F::of(self.params.velocity);
            swarm.v.data_mut().iter_mut().for_each(|v| *v *= deviation);
        }
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        if self.params.memory == Memory::None {
            (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        }
        // Before any value is finite there is no consensus; the first particle stands in for it.
        self.consensus = swarm.x.row(0).to_vec();
        self.sharpen(swarm);
        self.agree(swarm);
        self.spread = spread(self.memories(swarm));
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        self.reduce(swarm, rng);
        let batches = self.divide(swarm, rng);
        let centres = std::mem::take(&mut self.batches);
        let labels = std::mem::take(&mut self.labels);
        for (b, c) in centres.iter().enumerate() {
            self.kick_if_still(c, swarm, &rng.fork(&labels[b][0]));
        }
        self.batches = centres;
        if self.params.update == Update::Full && batches > 1 {
            for (b, [_, full]) in labels.iter().enumerate() {
                self.travel(swarm, space, &rng.fork(full), |_| b);
            }
        } else {
            let batch_of = std::mem::take(&mut self.batch_of);
            self.travel(swarm, space, rng, |i| if batches == 1 { 0 } else { batch_of[i] });
            self.batch_of = batch_of;
        }
        self.labels = labels;
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        match self.params.memory {
            Memory::Sharp => swarm.keep_better(), // eq. (1.3)
            Memory::None => {}
            Memory::Smooth => {
                self.follow(swarm);
                return Remembered::Reevaluate;
            }
        }
        self.finish(swarm);
        Remembered::Done
    }

    fn reremember(&mut self, swarm: &mut Swarm<F>) {
        self.finish(swarm);
    }

    fn answer(&self, _swarm: &Swarm<F>) -> Vec<F> {
        self.consensus.clone()
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        view.vectors.push(("g", &self.consensus));
        view.numbers.extend([("alpha", self.alpha), ("sigma1", self.sigmas[0]), ("sigma2", self.sigmas[1])]);
        view.numbers.push(("kicks", self.kicked as f64));
    }
}

impl<F: Real> PsoSde<F> {
    /// The sharpness that holds now, and the consensus of the whole swarm.
    pub(super) fn now(&self) -> (f64, &[F]) {
        (self.alpha, &self.consensus)
    }

    /// Y where there is memory, X where there is none.
    pub(super) fn memories<'s>(&self, swarm: &'s Swarm<F>) -> &'s Matrix<F> {
        if self.params.memory == Memory::None { &swarm.x } else { &swarm.y }
    }

    pub(super) fn memory_values<'s>(&self, swarm: &'s Swarm<F>) -> &'s [F] {
        if self.params.memory == Memory::None { &swarm.fx } else { &swarm.fy }
    }

    /// The consensus of the whole swarm, eq. (1.4); stays where it was while no value is finite.
    pub(super) fn agree(&mut self, swarm: &Swarm<F>) {
        let points = self.memories(swarm);
        consensus(points, self.memory_values(swarm), self.alpha, 0..points.len(), &mut self.consensus);
    }

    /// The end of an iteration: the schedules, cooling with the finished epochs, and the consensus with what holds from now on.
    fn finish(&mut self, swarm: &Swarm<F>) {
        self.iterations += 1;
        let p = &self.params;
        let [alpha, sigma] = self.factors;
        let most = alpha.max(math::log2(p.alpha_most / p.alpha));
        self.factors = [(alpha + math::log2(p.alpha_factor)).min(most), sigma + math::log2(p.sigma_factor)];
        let epochs = p.epoch.filter(|_| p.cooling).map_or(0, |epoch| self.iterations / epoch);
        self.cool(epochs);
        self.sharpen(swarm);
        self.agree(swarm);
    }

    /// Cooling: alpha doubles with each epoch, both sigma fall as 1 / log2(e + 2), e = finished epochs.
    pub(super) fn cool(&mut self, finished: usize) {
        let (finished, [alpha, sigma]) = (finished as f64, self.factors);
        // Nothing is a multiple of 0, and nothing of infinity, whatever has become of the factor.
        let times = |base: f64, log: f64| if base == 0.0 || base.is_infinite() { base } else { base * math::exp2(log) };
        self.alpha = times(self.params.alpha, finished + alpha);
        let sigmas = [self.params.sigma1, self.params.sigma2];
        self.sigmas = sigmas.map(|s| times(s / math::log2(finished + 2.0), sigma));
    }

    /// Alpha by the effective sample size, where that is asked for.
    fn sharpen(&mut self, swarm: &Swarm<F>) {
        if let Some(share) = self.params.sample_size {
            self.alpha = sharpness(self.memory_values(swarm), share);
        }
    }

    /// Agent reduction at the end of an epoch.
    fn reduce(&mut self, swarm: &mut Swarm<F>, rng: &Rng) {
        let due = self.params.epoch.is_some_and(|e| self.iterations > 0 && self.iterations.is_multiple_of(e));
        if due && self.shrink(swarm, rng) {
            self.agree(swarm);
        }
    }

    /// Agent reduction: N <- ceil(N ((1 - mu) + mu spread_end / spread_start)), rounded up to whole batches; random
    /// particles leave, each with its position, velocity and memory. Returns whether any left.
    pub(super) fn shrink(&mut self, swarm: &mut Swarm<F>, rng: &Rng) -> bool {
        let mu = self.params.reduction;
        if mu == 0.0 {
            return false;
        }
        let end = spread(self.memories(swarm));
        let ratio = if self.spread > 0.0 { end / self.spread } else { 1.0 };
        let factor = ((1.0 - mu) + mu * ratio).clamp(1.0 - mu, 1.0);
        let factor = if factor.is_nan() { 1.0 } else { factor };
        let batch = self.params.batch.unwrap_or(1);
        let keep =
            ((self.particles as f64 * factor).ceil() as usize).next_multiple_of(batch).clamp(batch, self.particles);
        self.spread = end;
        if keep == self.particles {
            return false;
        }
        let mut order: Vec<usize> = (0..self.particles).collect();
        rng.fork("reduction").row(0).shuffle(&mut order);
        order.truncate(keep);
        order.sort_unstable();
        swarm.select(&order);
        self.particles = keep;
        true
    }

    /// Divides the swarm into random batches and finds the consensus of each; returns their number.
    fn divide(&mut self, swarm: &Swarm<F>, rng: &Rng) -> usize {
        let (n, dim) = (self.particles, swarm.dim());
        let size = self.params.batch.unwrap_or(n).min(n);
        let count = n / size;
        self.batches.resize(count, dim);
        self.labels.truncate(count);
        for b in self.labels.len()..count {
            let kick = if b == 0 { "kick".to_owned() } else { format!("kick{b}") };
            self.labels.push([kick, format!("full{b}")]);
        }
        if count == 1 {
            self.batches.row_mut(0).copy_from_slice(&self.consensus);
            return 1;
        }
        self.order.clear();
        self.order.extend(0..n);
        rng.fork("batch").row(0).shuffle(&mut self.order);
        self.batch_of.resize(n, 0);
        let (points, values) = (self.memories(swarm), self.memory_values(swarm));
        for (b, members) in self.order.chunks(size).enumerate() {
            members.iter().for_each(|&i| self.batch_of[i] = b);
            let out = self.batches.row_mut(b);
            out.copy_from_slice(&self.consensus);
            consensus(points, values, self.alpha, members.iter().copied(), out);
        }
        count
    }

    /// The kick: when the consensus stands still the whole swarm gets random velocities, or it would freeze. Without
    /// inertia a velocity is forgotten at once, so the positions are kicked. Returns whether it happened.
    pub(super) fn kick_if_still(&mut self, c: &[F], swarm: &mut Swarm<F>, rng: &Rng) -> bool {
        let tolerance = F::of(self.params.kick);
        let still = !self.previous.is_empty() && c.iter().zip(&self.previous).all(|(&a, &b)| (a - b).abs() < tolerance);
        self.previous.clear();
        self.previous.extend_from_slice(c);
        if !still {
            return false;
        }
        self.kicked += 1;
        let strength = F::of(self.sigmas[0].max(self.sigmas[1]) * self.params.dt.sqrt());
        let (n, dim) = (swarm.len(), swarm.dim());
        let kicked = if self.params.inertia > 0.0 { &mut swarm.v } else { &mut swarm.x };
        for (first, pair) in (0..n).step_by(2).zip(kicked.data_mut().chunks_mut(2 * dim)) {
            self.kicks.resize(pair.len(), F::zero());
            rng.fill_normal(first..(first + 2).min(n), 0..dim, &mut self.kicks);
            pair.iter_mut().zip(&self.kicks).for_each(|(t, &xi)| *t += strength * xi);
        }
        true
    }

    /// The smooth memory, eq. (1.2b): Y <- Y + kappa dt (X - Y) S(X, Y).
    pub(super) fn follow(&self, swarm: &mut Swarm<F>) {
        let rate = self.kappa * self.params.dt;
        let values = swarm.fx.iter().zip(&swarm.fy);
        for ((x, y), (fx, fy)) in swarm.x.iter().zip(swarm.y.iter_mut()).zip(values) {
            let (ex, ey) = (fx.f64(), fy.f64());
            // Infinite values: the difference of equal infinities counts as 0.
            let gap = if ex == ey { 0.0 } else { ey - ex };
            let s = 0.5 * (1.0 + self.params.theta + math::tanh(self.params.beta * gap));
            let share = F::of(rate * s);
            y.iter_mut().zip(x).for_each(|(y, &x)| *y += share * (x - *y));
        }
    }

    /// One step of the scheme for all particles, each towards the consensus of batch `batch_of(i)`.
    fn travel(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng, batch_of: impl Fn(usize) -> usize + Sync) {
        let (law, batches) = (self.law(), &self.batches);
        law.travel(swarm, space, rng, &mut self.distances, batches.len() == 1, |i| batches.row(batch_of(i)));
    }

    /// One step of the scheme for all particles of a swarm, towards the same point.
    pub(super) fn travel_to(&mut self, c: &[F], swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        self.law().travel(swarm, space, rng, &mut self.distances, true, |_| c);
    }

    /// The scheme with the numbers that hold now.
    fn law(&self) -> Law<F> {
        let p = &self.params;
        let (m, dt) = (p.inertia, p.dt);
        let semi = p.scheme == Scheme::SemiImplicit;
        let denominator = if semi { m + self.friction * dt } else { m };
        let keep = if semi { m / denominator } else { 1.0 - self.friction * dt / m };
        Law {
            keep: F::of(keep),
            lambda: [p.lambda1, p.lambda2].map(|l| F::of(l * dt / denominator)),
            sigma: self.sigmas.map(|s| F::of(s * dt.sqrt() / denominator)),
            dt: F::of(dt),
            semi,
            memory: p.lambda1 != 0.0 || p.sigma1 != 0.0,
            isotropic: p.noise == Noise::Isotropic,
        }
    }
}

/// The Euclidean norm of the coordinate variances.
fn spread<F: Real>(points: &Matrix<F>) -> f64 {
    let n = points.len() as f64;
    let variance = |j: usize| {
        let mean = points.iter().map(|p| p[j].f64()).sum::<f64>() / n;
        points.iter().map(|p| (p[j].f64() - mean).powi(2)).sum::<f64>() / n
    };
    (0..points.dim()).map(|j| variance(j).powi(2)).sum::<f64>().sqrt()
}
