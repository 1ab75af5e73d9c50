//! Particle swarm optimisation with inertia and with constriction.
//!
//! Papers: Shi and Eberhart, "A modified particle swarm optimizer" (CEC 1998); Clerc and Kennedy, "The particle swarm:
//! explosion, stability, and convergence" (IEEE TEC 2002); equations (1) and (2) of the AdaSwarm paper:
//!
//! ```text
//! (1)  v <- w v + c1 r1 (y - x) + c2 r2 (g - x)
//! (2)  x <- x + v
//! ```
//!
//! x position, v velocity, y best position of the particle, g best one of its neighbourhood, r1 and r2 uniform in [0, 1).
//! Constriction multiplies the whole right-hand side: v <- chi (v + c1 r1 (y - x) + c2 r2 (g - x)),
//! chi = 2 / |2 - phi - sqrt(phi^2 - 4 phi)|, phi = c1 + c2 > 4.
//!
//! Differs from the papers: all particles move from the same memories (synchronous); v starts at 0.

use super::attraction::{Attraction, draws};
use super::force::pull;
use super::sweep::sweep;
use super::{Motion, Pulls, Remembered, Swarm, Topology};
use crate::parameters::parameters;
use fearless_simd::{Simd, dispatch, prelude::*};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};
use swarmgrad_core::simd::{Counter, Key, level};
use swarmgrad_core::{Error, Real, Result, Rng, Scalar, Space};

parameters! {
    /// Parameters of [`Pso`]. The defaults are those of Clerc and Kennedy's analysis, in inertia form.
    pub struct Params {
        /// Number of particles.
        particles "n": usize = 40, AtLeast(1.0);
        /// Inertia weight, the share of the velocity that is kept.
        inertia "w": f64 = 0.729_843_788_128_357, Within(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.496_179_765_663_133, AtLeast(0.0);
        /// Pull towards the neighbourhood's best position.
        c2 "c2": f64 = 1.496_179_765_663_133, AtLeast(0.0);
        /// Who informs whom.
        topology "": Topology = Topology::Global, Choice(Topology::WORDS);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// Longest step in a coordinate as a share of the width of the space; null for none.
        velocity_limit "vmax": Option<f64> = None, Above(0.0);
    }
}

/// PSO with inertia weight.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pso {
    particles: usize,
    law: Law,
    attraction: Attraction,
}

impl<F: Real> Motion<F> for Pso {
    const NAME: &'static str = "pso";
    type Params = Params;

    fn new(p: Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        needs_widths(p.velocity_limit, space)?;
        let law = Law { keep: p.inertia, c1: p.c1, c2: p.c2 };
        Ok(Pso { particles: p.particles, law, attraction: Attraction::new(p.topology, p.draws, p.velocity_limit) })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        self.attraction.verify_settings(space)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        self.attraction.verify(swarm)
    }

    fn particles(&self) -> usize {
        self.particles
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        self.attraction.lead(swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        self.law.advance(&self.attraction, swarm, space, rng);
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_better();
        self.attraction.lead(swarm);
        Remembered::Done
    }
}

parameters! {
    /// Parameters of [`PsoConstriction`].
    pub struct ConstrictionParams {
        /// Number of particles.
        particles "n": usize = 40, AtLeast(1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 2.05, AtLeast(0.0);
        /// Pull towards the neighbourhood's best position; c1 + c2 must exceed 4.
        c2 "c2": f64 = 2.05, AtLeast(0.0);
        /// Who informs whom.
        topology "": Topology = Topology::Global, Choice(Topology::WORDS);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// Longest step in a coordinate as a share of the width of the space; null for none.
        velocity_limit "vmax": Option<f64> = None, Above(0.0);
    }
}

/// PSO with Clerc and Kennedy's constriction factor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PsoConstriction(Pso);

impl<F: Real> Motion<F> for PsoConstriction {
    const NAME: &'static str = "pso_constriction";
    type Params = ConstrictionParams;

    fn new(p: ConstrictionParams, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        needs_widths(p.velocity_limit, space)?;
        let chi = constriction(p.c1, p.c2)?;
        let law = Law { keep: chi, c1: chi * p.c1, c2: chi * p.c2 };
        let attraction = Attraction::new(p.topology, p.draws, p.velocity_limit);
        Ok(PsoConstriction(Pso { particles: p.particles, law, attraction }))
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        self.0.verify_settings(space)
    }

    fn verify(&self, swarm: &Swarm<F>, space: &Space<F>, probed: bool) -> Result<()> {
        self.0.verify(swarm, space, probed)
    }

    fn particles(&self) -> usize {
        self.0.particles
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        Motion::<F>::begin(&mut self.0, swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        self.0.advance(swarm, space, rng);
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        self.0.remember(swarm)
    }
}

/// The constriction factor chi of c1 and c2; an error unless c1 + c2 > 4.
pub fn constriction(c1: f64, c2: f64) -> Result<f64> {
    let phi = c1 + c2;
    if phi <= 4.0 {
        return Err(Error::parameter("c1 + c2", phi, "must exceed 4 for a constriction factor"));
    }
    Ok(2.0 / (2.0 - phi - (phi * phi - 4.0 * phi).sqrt()).abs())
}

/// A speed limit is a share of the width of the space, so every width must be finite.
pub(crate) fn needs_widths<F: Real>(velocity_limit: Option<f64>, space: &Space<F>) -> Result<()> {
    match velocity_limit {
        Some(limit) if !space.is_bounded() => {
            Err(Error::parameter("velocity_limit", limit, "needs finite bounds for every variable"))
        }
        _ => Ok(()),
    }
}

impl Pso {
    /// w, c1 and c2.
    pub fn law(&self) -> [f64; 3] {
        [self.law.keep, self.law.c1, self.law.c2]
    }

    /// Sets w, c1 and c2; they hold from the next move on.
    pub fn set_law(&mut self, [keep, c1, c2]: [f64; 3]) {
        self.law = Law { keep, c1, c2 };
    }

    /// Which memory leads particle `i`.
    pub fn leader(&self, i: usize) -> usize {
        self.attraction.leaders[i]
    }

    /// Finds the leaders anew after a memory has been changed from outside.
    pub fn lead<F: Real>(&mut self, swarm: &Swarm<F>) {
        self.attraction.lead(swarm);
    }

    /// Whether the derivative of a move is known: a draw for each coordinate and no speed limit.
    pub fn is_smooth(&self) -> bool {
        self.attraction.pulls == Pulls::PerCoordinate && self.attraction.velocity_limit.is_none()
    }
}

/// The three numbers of the update: what is kept of the velocity, and both pulls.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Law {
    keep: f64,
    c1: f64,
    c2: f64,
}

impl Law {
    fn advance<F: Real>(&self, attraction: &Attraction, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let draws = draws(rng);
        let law = [self.keep, self.c1, self.c2].map(F::of);
        let (y, limited) = (&swarm.y, attraction.velocity_limit.is_some());
        sweep([&mut swarm.x, &mut swarm.v], space, rng, |tile, scratch| {
            let (row, cols) = (tile.rows.start, tile.cols.clone());
            if let (false, Pulls::PerCoordinate) = (limited, attraction.pulls)
                && let Some(rows) = tile.pair()
                && let (Some(r1), Some(r2)) = (draws[0].keys(row), draws[1].keys(row))
            {
                for ((r, [x, v]), draws) in rows.into_iter().enumerate().zip(r1.into_iter().zip(r2)) {
                    let (y, g) = (&y.row(row + r)[cols.clone()], &attraction.leader(y, row + r)[cols.clone()]);
                    dispatch!(level(), simd => step_wide(simd, law, draws, cols.start, x, v, y, g));
                }
                return;
            }
            attraction.prepare(tile, scratch, &draws, y);
            tile.segments(|s| {
                let g = s.attractor(scratch, |row| attraction.leader(y, row));
                let ([x, v], at, y) = (s.parts, s.at, &y.data()[s.flat]);
                let (r1, r2) = (&scratch.a[at.clone()], &scratch.b[at]);
                dispatch!(level(), simd => step(simd, law, x, v, y, g, r1, r2, limited));
            });
        });
        attraction.travel_within_limit(swarm, space, rng);
    }
}

/// The next velocity of one number, eq. (1).
#[inline(always)]
pub fn steer<S: Scalar>([w, c1, c2]: [S; 3], x: S, v: S, [y, g]: [S; 2], [r1, r2]: [S; 2]) -> S {
    w * v + pull(c1, r1, y, x) + pull(c2, r2, g, x)
}

#[simd]
#[allow(clippy::too_many_arguments)]
fn step<S: Simd, F: Real>(
    _simd: S,
    law: [F; 3],
    x: &mut [F],
    v: &mut [F],
    y: &[F],
    g: &[F],
    r1: &[F],
    r2: &[F],
    limited: bool,
) {
    let n = x.len();
    let (v, y, g, r1, r2) = (&mut v[..n], &y[..n], &g[..n], &r1[..n], &r2[..n]);
    for j in 0..n {
        v[j] = steer(law, x[j], v[j], [y[j], g[j]], [r1[j], r2[j]]);
    }
    if !limited {
        for j in 0..n {
            x[j] += v[j]; // eq. (2)
        }
    }
}

/// The same for a stretch of a long row, drawing as it goes; the bits are those of [`step`].
#[simd]
#[allow(clippy::too_many_arguments)]
fn step_wide<S: Simd, F: Real>(
    simd: S,
    law: [F; 3],
    keys: (Key, Key),
    col: usize,
    x: &mut [F],
    v: &mut [F],
    y: &[F],
    g: &[F],
) {
    let word = col / F::PER_WORD;
    let (mut first, mut second) = (Counter::new(simd, keys.0, word), Counter::new(simd, keys.1, word));
    let (n, width, [w, c1, c2]) = (x.len(), F::Lanes::<S>::LEN, law);
    let whole = n / width * width;
    let (v, y, g) = (&mut v[..n], &y[..n], &g[..n]);
    for j in (0..whole).step_by(width) {
        let (r1, r2) = (F::next_uniform(simd, &mut first), F::next_uniform(simd, &mut second));
        let load = |numbers: &[F]| F::Lanes::<S>::from_slice(simd, &numbers[j..j + width]);
        let here = load(x);
        let next = load(v) * w + r1 * c1 * (load(y) - here) + r2 * c2 * (load(g) - here); // eq. (1)
        next.store_slice(&mut v[j..j + width]);
        (here + next).store_slice(&mut x[j..j + width]); // eq. (2)
    }
    if whole < n {
        let (r1, r2) = (F::next_uniform(simd, &mut first), F::next_uniform(simd, &mut second));
        for (k, j) in (whole..n).enumerate() {
            v[j] = steer(law, x[j], v[j], [y[j], g[j]], [r1[k], r2[k]]);
            x[j] += v[j];
        }
    }
}
