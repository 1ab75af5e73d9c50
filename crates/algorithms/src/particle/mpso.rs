//! Momentum PSO.
//!
//! Paper: equation (3) of the AdaSwarm paper (after Xiang, Liu and Zhang 2007):
//!
//! ```text
//! (3)  v(t+1) = (1 - lambda) [v(t) + c1 r1 (y - x) + c2 r2 (g - x)] + lambda v(t-1)
//!      x(t+1) = x(t) + v(t+1)
//! ```
//!
//! Differs from the paper: none; v(0) = v(-1) = 0.

use super::attraction::{Attraction, draws};
use super::force::pull;
use super::pso::needs_widths;
use super::sweep::sweep;
use super::{Motion, Pulls, Remembered, Swarm, Topology};
use crate::parameters::parameters;
use crate::saved;
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};
use swarmgrad_core::simd::level;
use swarmgrad_core::{Matrix, Real, Result, Rng, Space, View};

parameters! {
    /// Parameters of [`Mpso`].
    pub struct Params {
        /// Number of particles.
        particles "n": usize = 40, AtLeast(1.0);
        /// Momentum: the share of the velocity before the last one.
        lambda "lambda": f64 = 0.4, Below(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.0, AtLeast(0.0);
        /// Pull towards the neighbourhood's best position.
        c2 "c2": f64 = 1.0, AtLeast(0.0);
        /// Who informs whom.
        topology "": Topology = Topology::Global, Choice(Topology::WORDS);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// Longest step in a coordinate as a share of the width of the space; null for none.
        velocity_limit "vmax": Option<f64> = None, Above(0.0);
    }
}

/// Momentum PSO.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Mpso<F: Real> {
    particles: usize,
    law: [f64; 3],
    attraction: Attraction,
    /// v(t-1)
    previous: Matrix<F>,
}

impl<F: Real> Motion<F> for Mpso<F> {
    const NAME: &'static str = "mpso";
    type Params = Params;

    fn new(p: Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        needs_widths(p.velocity_limit, space)?;
        let attraction = Attraction::new(p.topology, p.draws, p.velocity_limit);
        Ok(Mpso { particles: p.particles, law: [p.lambda, p.c1, p.c2], attraction, previous: Matrix::default() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        self.attraction.verify_settings(space)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        self.attraction.verify(swarm)?;
        saved::shape("v_prev", &self.previous, swarm.len(), swarm.dim())
    }

    fn particles(&self) -> usize {
        self.particles
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        self.previous = swarm.v.clone();
        self.attraction.lead(swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let draws = draws(rng);
        let law = self.law.map(F::of);
        let (y, attraction) = (&swarm.y, &self.attraction);
        let limited = attraction.velocity_limit.is_some();
        sweep([&mut swarm.x, &mut swarm.v, &mut self.previous], space, rng, |tile, scratch| {
            attraction.prepare(tile, scratch, &draws, y);
            tile.segments(|s| {
                let g = s.attractor(scratch, |row| attraction.leader(y, row));
                let ([x, v, previous], at, y) = (s.parts, s.at, &y.data()[s.flat]);
                let (r1, r2) = (&scratch.a[at.clone()], &scratch.b[at]);
                dispatch!(level(), simd => step(simd, law, x, v, previous, y, g, r1, r2, limited));
            });
        });
        self.attraction.travel_within_limit(swarm, space, rng);
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_better();
        self.attraction.lead(swarm);
        Remembered::Done
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        view.matrices.push(("v_prev", self.previous.rows()));
    }
}

#[simd]
#[allow(clippy::too_many_arguments)]
fn step<S: Simd, F: Real>(
    _simd: S,
    [lambda, c1, c2]: [F; 3],
    x: &mut [F],
    v: &mut [F],
    previous: &mut [F],
    y: &[F],
    g: &[F],
    r1: &[F],
    r2: &[F],
    limited: bool,
) {
    let n = x.len();
    let (v, previous, y, g, r1, r2) = (&mut v[..n], &mut previous[..n], &y[..n], &g[..n], &r1[..n], &r2[..n]);
    for j in 0..n {
        let pulled = v[j] + pull(c1, r1[j], y[j], x[j]) + pull(c2, r2[j], g[j], x[j]);
        let next = (F::one() - lambda) * pulled + lambda * previous[j]; // eq. (3)
        previous[j] = v[j];
        v[j] = next;
    }
    if !limited {
        for j in 0..n {
            x[j] += v[j];
        }
    }
}
