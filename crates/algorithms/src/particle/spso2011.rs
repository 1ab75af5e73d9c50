//! Standard PSO 2011: rotation-invariant moves within a ball, adaptive random informants.
//!
//! Papers: Clerc, "Standard particle swarm optimisation" (2012); Zambrano-Bigiarini, Clerc, Rojas, "Standard particle
//! swarm optimisation 2011 at CEC-2013" (CEC 2013):
//!
//! ```text
//! p' = x + c (y - x),  l' = x + c (l - x)
//! G = (x + p' + l') / 3, or (x + p') / 2 where the best informant is the particle itself
//! z in the ball with centre G and radius |G - x|: uniform direction, uniform radius
//! v <- w v + z - x,  x <- x + v,   w = 1 / (2 ln 2),  c = 1/2 + ln 2
//! ```
//!
//! Each particle informs itself and K random ones; the links are drawn anew after an iteration without improvement.
//! At a bound the position is set to it and the velocity turned: v <- -v / 2.
//!
//! Differs from the papers: all particles move from the same memories (synchronous).

use super::{Motion, Remembered, Swarm};
use crate::parameters::{choice, parameters};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Outside, Real, Result, Rng, Space, better};

choice! {
    /// The initial velocities.
    pub enum Velocity {
        /// Uniform between (lower - x) and (upper - x), as the standard says; 0 where a bound is infinite.
        Standard = "standard",
        /// All at rest.
        Zero = "zero",
    }
}

parameters! {
    /// Parameters of [`Spso2011`]; the defaults are the standard's.
    pub struct Params {
        /// Number of particles.
        particles "S": usize = 40, AtLeast(1.0);
        /// Inertia weight.
        inertia "w": f64 = 1.0 / (2.0 * std::f64::consts::LN_2), Within(0.0, 1.0);
        /// Both pulls.
        c "c": f64 = 0.5 + std::f64::consts::LN_2, AtLeast(0.0);
        /// Particles that each particle informs.
        informed "K": usize = 3, AtLeast(0.0);
        /// The initial velocities.
        velocity "": Velocity = Velocity::Standard, Choice(Velocity::WORDS);
    }
}

/// Standard PSO 2011.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Spso2011<F: Real> {
    params: Params,
    /// informs[i * K + k]: whom particle i informs.
    informs: Vec<usize>,
    /// The best informant of each particle.
    leaders: Vec<usize>,
    best: F,
    improved: bool,
    direction: Matrix<F>,
    radius: Vec<F>,
}

impl<F: Real> Motion<F> for Spso2011<F> {
    const NAME: &'static str = "spso2011";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let (best, direction) = (F::infinity(), Matrix::default());
        Ok(Spso2011 {
            params,
            informs: Vec::new(),
            leaders: Vec::new(),
            best,
            improved: false,
            direction,
            radius: Vec::new(),
        })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        swarm.verify_travels()?;
        swarm.verify_remembers()?;
        let informed = if self.informs.is_empty() { 0 } else { swarm.len().saturating_mul(self.params.informed) };
        saved::length("informs", &self.informs, informed)?;
        saved::below("informs", &self.informs, swarm.len())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn numbers(&self, dim: usize) -> f64 {
        self.params.particles as f64 * (5.0 * dim as f64 + self.params.informed as f64)
    }

    fn launch(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.len(), swarm.dim());
        swarm.v = Matrix::zeros(n, dim);
        if self.params.velocity == Velocity::Standard {
            rng.fork("velocity").fill_uniform(0..n, 0..dim, swarm.v.data_mut());
            for (x, v) in swarm.x.iter().zip(swarm.v.iter_mut()) {
                for (j, (&x, v)) in x.iter().zip(v).enumerate() {
                    let (lower, width) = (space.lower()[j], space.width(j));
                    *v = if width.is_finite() { lower - x + *v * width } else { F::zero() };
                }
            }
        }
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        self.best = swarm.fy.iter().fold(F::infinity(), |best, &f| if better(f, best) { f } else { best });
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.len(), swarm.dim());
        if !self.improved || self.informs.is_empty() {
            self.link(n, rng);
        }
        self.follow_best(&swarm.fy);
        self.direction.resize(n, dim);
        rng.fork("direction").fill_normal(0..n, 0..dim, self.direction.data_mut());
        self.radius.resize(n, F::zero());
        rng.fork("radius").fill_uniform(0..n, 0..1, &mut self.radius);

        let (w, c) = (F::of(self.params.inertia), F::of(self.params.c));
        let (two, three, outside) = (F::of(2.0), F::of(3.0), rng.fork("outside"));
        for i in 0..n {
            let (leader, y) = (self.leaders[i], &swarm.y);
            let (x, v, z) = (swarm.x.row_mut(i), swarm.v.row_mut(i), self.direction.row_mut(i));
            let centre = |x: F, j: usize| {
                let p = x + c * (y.row(i)[j] - x);
                if leader == i { (x + p) / two } else { (x + p + x + c * (y.row(leader)[j] - x)) / three }
            };
            let length = z.iter().fold(F::zero(), |sum, &t| sum + t * t).sqrt();
            let to_centre = (0..dim).fold(F::zero(), |sum, j| sum + (centre(x[j], j) - x[j]).powi(2)).sqrt();
            let scale = if length > F::zero() { self.radius[i] * to_centre / length } else { F::zero() };
            for j in 0..dim {
                let target = centre(x[j], j) + scale * z[j];
                v[j] = w * v[j] + target - x[j];
                x[j] += v[j];
                if space.outside() == Outside::Clamp && (x[j] < space.lower()[j] || x[j] > space.upper()[j]) {
                    v[j] = -v[j] / two;
                }
            }
            space.repair(x, 0, &mut outside.row(i));
        }
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_better();
        let before = self.best;
        self.begin(swarm);
        self.improved = self.best < before;
        Remembered::Done
    }
}

impl<F: Real> Spso2011<F> {
    /// Draws whom each particle informs: K particles, with replacement.
    fn link(&mut self, n: usize, rng: &Rng) {
        let rng = rng.fork("informants");
        self.informs.clear();
        for i in 0..n {
            let mut draws = rng.row(i);
            self.informs.extend((0..self.params.informed).map(|_| draws.below(n)));
        }
    }

    /// Finds the best informant of each particle; itself unless another is better, the lowest index of equals.
    fn follow_best(&mut self, fy: &[F]) {
        let n = fy.len();
        self.leaders.clear();
        self.leaders.extend(0..n);
        for i in 0..n {
            for k in 0..self.params.informed {
                let j = self.informs[i * self.params.informed + k];
                let led = self.leaders[j];
                if better(fy[i], fy[led]) || (!better(fy[led], fy[i]) && i < led) {
                    self.leaders[j] = i;
                }
            }
        }
    }
}
