//! AdaSwarm as an algorithm: Adam on the gradient of a swarm, one move of the swarm a step.
//!
//! Paper: Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha, "AdaSwarm: augmenting gradient-based optimizers in
//! deep learning with swarm intelligence" (IEEE TETCI 2021), Algorithm 2 on a function instead of a network:
//!
//! ```text
//! particle 0 is w:      gradient = kappa (w - g)                                         (15), to be descended
//!                       m <- beta1 m + (1 - beta1) gradient,  s <- beta2 s + (1 - beta2) gradient^2
//!                       w <- w - eta_Adam (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + epsilon)
//! the others, EMPSO:    M <- beta M + (1 - beta) v                                       (4)
//!                       v <- M + c1 r1 (y - x) + c2 r2 (g - x),  x <- x + v              (5), (6)
//! kappa = (c1 + c2) / (2 eta), or the mean over all particles of c1 r1 + c2 r2 in this move, / eta;  eta = 1 - beta
//! ```
//!
//! g is the best point known; w belongs to the swarm, so f(g) <= f(w). The answer is g.
//!
//! Differs from the paper: the sign (see [`super::equivalence`]); w itself is a particle; the bias corrections, which
//! Algorithm 2 does not print, are on ([`Text`] has the printed one). Adam does not feel the size of kappa.

use super::rule::{Adam, Rule, Text};
use super::search::mean_draw;
use super::towards;
use crate::parameters::{choice, parameters};
use crate::particle::{Motion, Pulls, Remembered, Swarm, Topology, empso};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result, Rng, Space, View, best_index};

choice! {
    /// Where the factor kappa comes from.
    pub enum Factor {
        /// (c1 + c2) / (2 eta), the mean of the paper's.
        Expected = "expected",
        /// (c1 r1 + c2 r2) / eta with the means over the particles in this move: random.
        Paper = "paper",
    }
}

parameters! {
    /// Parameters of [`AdaSwarm`].
    pub struct Params {
        /// Number of particles, w included.
        particles "n": usize = 40, AtLeast(1.0);
        /// Share of the old momentum in the new one.
        beta "beta": f64 = 0.2, Below(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the best position known.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// Learning rate of the equivalence theorem; null for 1 - beta.
        eta "eta": Option<f64> = None, Above(0.0);
        /// Where the factor kappa comes from.
        kappa "kappa": Factor = Factor::Expected, Choice(Factor::WORDS);
        /// Learning rate of Adam, the length of its steps.
        learning_rate "eta_Adam": f64 = 0.1, Above(0.0);
        /// Share of the old mean gradient in the new one (Adam).
        beta1 "beta1": f64 = 0.9, Below(0.0, 1.0);
        /// Share of the old mean square in the new one (Adam).
        beta2 "beta2": f64 = 0.999, Below(0.0, 1.0);
        /// Keeps Adam's step finite where gradients vanish.
        epsilon "epsilon": f64 = 1e-8, Above(0.0);
        /// Which text of Adam.
        text "": Text = Text::Corrected, Choice(Text::WORDS);
    }
}

/// AdaSwarm: particle 0 walks by Adam along the gradient that the others show it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct AdaSwarm<F: Real> {
    params: Params,
    swarm: empso::Empso<F>,
    adam: Adam<F>,
    eta: f64,
    kappa: f64,
    #[serde(skip)]
    w: Vec<F>,
    #[serde(skip)]
    gradient: Vec<F>,
}

impl<F: Real> Motion<F> for AdaSwarm<F> {
    const NAME: &'static str = "adaswarm";
    type Params = Params;

    fn new(p: Params, space: &Space<F>, budget: Option<u64>) -> Result<Self> {
        let swarm = empso::Params {
            particles: p.particles,
            beta: p.beta,
            c1: p.c1,
            c2: p.c2,
            topology: Topology::Global,
            draws: p.draws,
            velocity_limit: None,
        };
        let mut adam = Adam::new(p.learning_rate).with_text(p.text);
        (adam.beta1, adam.beta2, adam.epsilon) = (p.beta1, p.beta2, p.epsilon);
        let eta = p.eta.unwrap_or(1.0 - p.beta);
        let kappa = 0.5 * (p.c1 + p.c2) / eta;
        let swarm = empso::Empso::new(swarm, space, budget)?;
        Ok(AdaSwarm { params: p, swarm, adam, eta, kappa, w: Vec::new(), gradient: Vec::new() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        self.adam.verify(space.dim())?;
        self.swarm.verify_settings(space)
    }

    fn verify(&self, swarm: &Swarm<F>, space: &Space<F>, probed: bool) -> Result<()> {
        self.swarm.verify(swarm, space, probed)
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        self.swarm.begin(swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        if self.params.kappa == Factor::Paper {
            let p = &self.params;
            let columns = if p.draws == Pulls::PerParticle { 1 } else { swarm.dim() };
            let mean = |label| mean_draw::<F>(&rng.fork(label), swarm.len(), columns);
            self.kappa = (p.c1 * mean("r1") + p.c2 * mean("r2")) / self.eta;
        }
        self.w.clear();
        self.w.extend_from_slice(swarm.x.row(0));
        self.gradient.resize(self.w.len(), F::zero());
        let g = swarm.y.row(best_index(&swarm.fy).unwrap_or(0));
        towards(self.kappa, &self.w, g, &mut self.gradient); // eq. (15), descending
        self.adam.step(&mut self.w, &self.gradient);
        self.swarm.advance(swarm, space, rng); // eqs (2), (4), (5)
        swarm.x.row_mut(0).copy_from_slice(&self.w);
        swarm.v.row_mut(0).fill(F::zero()); // w has no velocity, hence no momentum either
        space.repair(swarm.x.row_mut(0), 0, &mut rng.fork("adam").fork("outside").row(0));
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        self.swarm.remember(swarm)
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        self.swarm.show(view);
        view.numbers.push(("kappa", self.kappa));
    }
}
