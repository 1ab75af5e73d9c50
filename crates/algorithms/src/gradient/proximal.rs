//! The gradient of the Moreau envelope, from a swarm that minimises f plus proximity.
//!
//! ```text
//! g = prox(w) = argmin_z f(z) + |z - w|^2 / (2 tau)
//! gradient    = (w - g) / tau                             exactly the gradient of min_z f(z) + |z - w|^2 / (2 tau)
//! ```
//!
//! (Moreau 1965; for convex f, and wherever the minimiser is unique.) The formula is exact, what a swarm makes of it is not: it finds
//! g to 1e-5 in one dimension, and in several as well as its moves allow (`reproduce adaswarm/gradient-range`). |x| becomes Huber's function. tau -> 0 gives
//! the gradient of f where it has one; tau -> infinity gives the AdaSwarm paper's g = argmin f with kappa = 1 / tau.

use super::points::length;
use super::search::{self, Flight, Search};
use super::towards;
use crate::parameters::{Parameters, parameters};
use crate::particle::Pulls;
use swarmgrad_core::{GradientSource, Problem, Real, Reliability, Result, Rng, Sampled};

parameters! {
    /// Parameters of [`Proximal`].
    pub struct Params {
        /// Width of the proximity: squared length over value.
        tau "tau": f64 = 1.0, Above(0.0);
        /// Number of particles, the point itself included.
        particles "n": usize = 20, AtLeast(1.0);
        /// Moves of the swarm; null for 60, and 6 more for each variable after the first. A gradient costs n (T + 1) evaluations.
        iterations "T": Option<usize> = None, AtLeast(0.0);
        /// Share of the old momentum in the new one.
        beta "beta": f64 = 0.2, Below(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the swarm's best position.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// The other particles start within this distance of the point in each coordinate; null for 2 tau, which holds the minimiser where slopes are at most 2.
        span "span": Option<f64> = None, Above(0.0);
    }
}

/// Moves that a swarm takes to find the proximal point in so many variables: a few more for each.
fn moves(dim: usize) -> usize {
    60 + 6 * dim.saturating_sub(1)
}

/// The gradient of the Moreau envelope of a problem.
///
/// ```
/// use swarmgrad_algorithms::gradient::proximal::{Params, Proximal};
/// use swarmgrad_core::{Function, GradientSource, Rng, Space};
///
/// let kink = Function::new(Space::cube(1, -5.0, 5.0)?, |x: &[f64]| x[0].abs());
/// let mut source = Proximal::new(&kink, Params { tau: 0.5, ..Params::default() })?;
/// let mut gradient = [0.0];
/// source.gradient(&[0.2], &mut gradient, &Rng::new(1));
/// assert!((gradient[0] - 0.2 / 0.5).abs() < 1e-4);            // Huber's slope: clip(w / tau, -1, 1)
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Proximal<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    tau: f64,
    search: Search<F>,
}

impl<'a, F: Real> Proximal<'a, F> {
    /// The source for a problem. Errors name the parameter, its value and the rule.
    pub fn new(problem: &'a dyn Problem<F>, params: Params) -> Result<Self> {
        params.check()?;
        let search = search::Params {
            particles: params.particles,
            iterations: params.iterations.unwrap_or_else(|| moves(problem.space().dim())),
            flight: Flight::Empso,
            beta: params.beta,
            c1: params.c1,
            c2: params.c2,
            draws: Pulls::PerCoordinate,
            span: Some(params.span.unwrap_or(2.0 * params.tau)),
            ..search::Params::default()
        };
        let search = Search::new(search, problem.space())?.with_proximity(0.5 / params.tau);
        Ok(Proximal { problem, tau: params.tau, search })
    }

    /// The proximal point of the last gradient and the envelope's value there.
    pub fn attractor(&self) -> (&[F], F) {
        self.search.attractor()
    }
}

impl<F: Real> GradientSource<F> for Proximal<'_, F> {
    fn gradient(&mut self, w: &[F], out: &mut [F], rng: &Rng) -> Sampled<F> {
        let value = self.search.fly(self.problem, w, rng);
        towards(1.0 / self.tau, w, self.search.attractor().0, out);
        let (near, spread) = self.search.agreement(w);
        let reliability = Reliability::of(near, 2.0, spread / self.tau, length(out));
        Sampled { value, evaluations: self.search.evaluations(), gradients: 0, reliability: Some(reliability) }
    }
}
