//! A short flight of a swarm around a point: it finds the attractor g of every swarm gradient.
//!
//! The swarm contains the point itself, so that f(g) <= f(w) whatever the draws: on a convex f every subgradient s at w
//! then has <s, w - g> >= f(w) - f(g) >= 0, and kappa (w - g) leads downhill.

use crate::parameters::{Parameters, choice, parameters};
use crate::particle::{Motion, Pulls, Swarm, Topology, empso, pso};
use swarmgrad_core::{Error, Matrix, Problem, Real, Result, Rng, Space, best_index};

choice! {
    /// Which swarm flies.
    pub enum Flight {
        /// EMPSO, equations (2), (4) and (5).
        Empso = "empso",
        /// PSO with inertia, equations (1) and (2).
        Pso = "pso",
    }
}

parameters! {
    /// How the swarm around a point is set up and how long it flies.
    pub struct Params {
        /// Number of particles, the point itself included.
        particles "n": usize = 10, AtLeast(1.0);
        /// Moves of the swarm; a gradient costs n (T + 1) evaluations.
        iterations "T": usize = 30, AtLeast(0.0);
        /// Which swarm flies.
        flight "": Flight = Flight::Empso, Choice(Flight::WORDS);
        /// Share of the old momentum in the new one (EMPSO).
        beta "beta": f64 = 0.2, Below(0.0, 1.0);
        /// Inertia weight (PSO).
        inertia "w": f64 = 0.729_843_788_128_357, Within(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the swarm's best position.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// The other particles start within this distance of the point in each coordinate; null for the whole box (distance 1 where a bound is infinite).
        span "span": Option<f64> = None, Above(0.0);
    }
}

/// A swarm that can be sent out from any point of a space, again and again.
#[derive(Debug, Clone)]
pub struct Search<F: Real> {
    params: Params,
    space: Space<F>,
    /// Weight of |z - w|^2 in what the swarm minimises besides f.
    proximity: f64,
    keep_samples: bool,
    swarm: Swarm<F>,
    samples: Matrix<F>,
    values: Vec<F>,
    raw: Vec<F>,
    leader: usize,
    pulls: [f64; 2],
}

impl<F: Real> Search<F> {
    /// A search on the space. Errors name the parameter, its value and the rule.
    pub fn new(params: Params, space: &Space<F>) -> Result<Self> {
        params.check()?;
        if (params.particles as u64).saturating_mul(space.dim() as u64) > 1 << 32 {
            let rule = format!("times {} variables must be at most 2^32 numbers", space.dim());
            return Err(Error::parameter("particles", params.particles, rule));
        }
        Ok(Search {
            pulls: [0.5 * params.c1, 0.5 * params.c2],
            params,
            space: space.clone(),
            proximity: 0.0,
            keep_samples: false,
            swarm: Swarm::default(),
            samples: Matrix::default(),
            values: Vec::new(),
            raw: Vec::new(),
            leader: 0,
        })
    }

    /// The swarm minimises f(z) + weight |z - w|^2 instead of f.
    pub fn with_proximity(mut self, weight: f64) -> Self {
        self.proximity = weight;
        self
    }

    /// Keeps every point that was evaluated, for [`Search::samples`].
    pub fn with_samples(mut self) -> Self {
        self.keep_samples = true;
        self
    }

    /// Sends the swarm out from `w`; returns f(w). Draws from the stream `swarm` of `rng`, whose iteration k takes the
    /// numbers k (T + 1) to k (T + 1) + T.
    pub fn fly(&mut self, problem: &dyn Problem<F>, w: &[F], rng: &Rng) -> F {
        let p = self.params.clone();
        match p.flight {
            Flight::Empso => self.fly_as::<empso::Empso<F>>(
                empso::Params {
                    particles: p.particles,
                    beta: p.beta,
                    c1: p.c1,
                    c2: p.c2,
                    topology: Topology::Global,
                    draws: p.draws,
                    velocity_limit: None,
                },
                problem,
                w,
                rng,
            ),
            Flight::Pso => self.fly_as::<pso::Pso>(
                pso::Params {
                    particles: p.particles,
                    inertia: p.inertia,
                    c1: p.c1,
                    c2: p.c2,
                    topology: Topology::Global,
                    draws: p.draws,
                    velocity_limit: None,
                },
                problem,
                w,
                rng,
            ),
        }
    }

    fn fly_as<M: Motion<F>>(&mut self, params: M::Params, problem: &dyn Problem<F>, w: &[F], rng: &Rng) -> F {
        let (n, moves) = (self.params.particles, self.params.iterations as u64);
        let first = rng.iteration().wrapping_mul(moves + 1);
        let mut rng = rng.fork("swarm").at(first);
        // The parameters were checked with the search, so the motion cannot be refused.
        let Ok(mut motion) = M::new(params, &self.space, None) else { return F::nan() };
        let mut swarm = std::mem::take(&mut self.swarm);
        self.samples.clear();
        self.values.clear();
        swarm.x.resize(n, w.len());
        self.scatter(w, &rng, &mut swarm.x);
        motion.launch(&mut swarm, &self.space, &rng);
        self.evaluate(problem, w, &mut swarm);
        let value = self.raw[0];
        swarm.y.copy_from(swarm.x.rows());
        swarm.fy.clone_from(&swarm.fx);
        motion.begin(&mut swarm);
        for t in 1..=moves {
            rng.set_iteration(first.wrapping_add(t));
            motion.advance(&mut swarm, &self.space, &rng);
            self.evaluate(problem, w, &mut swarm);
            motion.remember(&mut swarm);
        }
        self.leader = best_index(&swarm.fy).unwrap_or(0);
        self.swarm = swarm;
        self.pulls = if moves > 0 { self.pulls_at(&rng) } else { [0.5 * self.params.c1, 0.5 * self.params.c2] };
        value
    }

    /// Particle 0 is `w`; the others are uniform around it or in the box.
    fn scatter(&self, w: &[F], rng: &Rng, x: &mut Matrix<F>) {
        let (start, outside) = (rng.fork("start"), rng.fork("outside"));
        let two = F::of(2.0);
        x.row_mut(0).copy_from_slice(w);
        for i in 1..x.len() {
            let row = x.row_mut(i);
            start.row(i).fill_uniform(row);
            for (j, t) in row.iter_mut().enumerate() {
                let (lower, width) = (self.space.lower()[j], self.space.width(j));
                *t = match self.params.span {
                    None if width.is_finite() => lower + width * *t,
                    span => w[j] + F::of(span.unwrap_or(1.0)) * (two * *t - F::one()),
                };
            }
            self.space.repair(row, 0, &mut outside.row(i));
        }
    }

    /// Values of the positions; a failure counts as +inf.
    fn evaluate(&mut self, problem: &dyn Problem<F>, w: &[F], swarm: &mut Swarm<F>) {
        self.raw.clear();
        self.raw.resize(swarm.len(), F::infinity());
        problem.values(swarm.x.rows(), &mut self.raw);
        self.raw.iter_mut().filter(|f| !f.is_finite()).for_each(|f| *f = F::infinity());
        swarm.fx.clone_from(&self.raw);
        if self.proximity != 0.0 {
            let weight = F::of(self.proximity);
            for (f, z) in swarm.fx.iter_mut().zip(swarm.x.iter()) {
                *f += weight * squared_distance(z, w);
            }
        }
        if self.keep_samples {
            if self.samples.is_empty() {
                self.samples = Matrix::empty(w.len());
            }
            swarm.x.iter().for_each(|z| self.samples.push(z));
            self.values.extend_from_slice(&swarm.fx);
        }
    }

    /// Means over the particles of c1 r1 and c2 r2: the draws of the last move, drawn again.
    fn pulls_at(&self, rng: &Rng) -> [f64; 2] {
        let (n, columns) = match self.params.draws {
            Pulls::PerParticle => (self.params.particles, 1),
            Pulls::PerCoordinate => (self.params.particles, self.space.dim()),
        };
        [("r1", self.params.c1), ("r2", self.params.c2)]
            .map(|(label, c)| c * mean_draw::<F>(&rng.fork(label), n, columns))
    }

    /// The best point that the swarm remembers, and its value (proximity included).
    pub fn attractor(&self) -> (&[F], F) {
        (self.swarm.y.row(self.leader), self.swarm.fy[self.leader])
    }

    /// How many particles remember a point nearer to the attractor than `w` is, and how far from the minimiser the attractor may
    /// be: the root mean square distance of all memories from it, times the root of the number of variables. (That is not a
    /// sampling error; `reproduce adaswarm/gradient-range` sets it against the true one.)
    pub fn agreement(&self, w: &[F]) -> (f64, f64) {
        let (g, value) = self.attractor();
        if !value.is_finite() {
            return (0.0, f64::INFINITY);
        }
        let way = squared_distance(w, g).f64();
        let squares = self.swarm.y.iter().map(|y| squared_distance(y, g).f64());
        let near = squares.clone().filter(|square| *square < way || *square == 0.0).count();
        (near as f64, (squares.sum::<f64>() / self.swarm.len() as f64 * w.len() as f64).sqrt())
    }

    /// Velocity of the particle that remembers the attractor.
    pub fn velocity(&self) -> &[F] {
        self.swarm.v.row(self.leader)
    }

    /// The best point of the particle that started at w.
    pub fn own_memory(&self) -> &[F] {
        self.swarm.y.row(0)
    }

    /// Means over the particles of c1 r1 and of c2 r2 in the last move.
    pub fn pulls(&self) -> [f64; 2] {
        self.pulls
    }

    /// Every point evaluated, with its value; empty unless asked for by [`Search::with_samples`].
    pub fn samples(&self) -> (&Matrix<F>, &[F]) {
        (&self.samples, &self.values)
    }

    /// Evaluations of one flight: n (T + 1).
    pub fn evaluations(&self) -> u64 {
        self.params.particles as u64 * (self.params.iterations as u64 + 1)
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }
}

/// Mean of the draws of `n` rows of `columns` numbers.
pub(crate) fn mean_draw<F: Real>(rng: &Rng, n: usize, columns: usize) -> f64 {
    let mut draws = vec![F::zero(); n * columns];
    rng.fill_uniform(0..n, 0..columns, &mut draws);
    draws.iter().map(|r| r.f64()).sum::<f64>() / draws.len() as f64
}

pub(crate) fn squared_distance<F: Real>(a: &[F], b: &[F]) -> F {
    a.iter().zip(b).map(|(&s, &t)| (s - t) * (s - t)).sum()
}
