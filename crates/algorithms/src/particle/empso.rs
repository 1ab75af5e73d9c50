//! Exponentially averaged momentum PSO, in both forms the AdaSwarm paper gives.
//!
//! ```text
//! Form A, equations (2), (4) and (5), `empso`:
//!   (5)  M <- beta M + (1 - beta) v
//!   (4)  v <- M + c1 r1 (y - x) + c2 r2 (g - x)                     (6) is the two together
//!   (2)  x <- x + v
//! Form B, Algorithm 1 as printed, `empso_printed`:
//!        v <- beta M + (1 - beta) v + c1 r1 (y - x) + c2 r2 (g - x)
//!        x <- x + v
//!        M <- beta M + (1 - beta) v            with the new v
//! ```
//!
//! Form B counts the newest velocity twice, so it is another recursion. v and M start at 0.
//!
//! Differs from the paper: the list under Algorithm 1 calls y and g best *velocities*; they are positions. The paper's
//! c1 = 0.8, c2 = 0.9, beta = 0.9 (preset `paper`) stagnate from ten dimensions on; the defaults here do not.
//!
//! Stability of form A with a fixed phi = c1 r1 + c2 r2: the characteristic polynomial is z^2 + (phi - 2) z + 1 - phi beta
//! (times z), so it is stable exactly for beta > 0 and 0 < phi < 4 / (1 + beta). The supplement's bound, phi <= 2, is the
//! limit beta -> 1 of this: sufficient, not necessary.

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
use swarmgrad_core::{Matrix, Real, Result, Rng, Scalar, Space, View, math};

parameters! {
    /// Parameters of [`Empso`].
    pub struct Params {
        /// Number of particles.
        particles "n": usize = 40, AtLeast(1.0);
        /// Share of the old momentum in the new one.
        beta "beta": f64 = 0.2, Below(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the neighbourhood's best position.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// Who informs whom.
        topology "": Topology = Topology::Global, Choice(Topology::WORDS);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// Longest step in a coordinate as a share of the width of the space; null for none.
        velocity_limit "vmax": Option<f64> = None, Above(0.0);
    }
}

parameters! {
    /// Parameters of [`EmpsoPrinted`]; the newest velocity counts twice, so it takes less of it.
    pub struct PrintedParams {
        /// Number of particles.
        particles "n": usize = 40, AtLeast(1.0);
        /// Share of the old momentum in the new one.
        beta "beta": f64 = 0.5, Below(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the neighbourhood's best position.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// Who informs whom.
        topology "": Topology = Topology::Global, Choice(Topology::WORDS);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// Longest step in a coordinate as a share of the width of the space; null for none.
        velocity_limit "vmax": Option<f64> = None, Above(0.0);
    }
}

/// EMPSO by equations (2), (4) and (5).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Empso<F: Real>(Momentum<F>);

/// EMPSO by Algorithm 1 as printed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct EmpsoPrinted<F: Real>(Momentum<F>);

/// State of both forms.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
struct Momentum<F: Real> {
    particles: usize,
    law: [f64; 3],
    attraction: Attraction,
    m: Matrix<F>,
}

impl<F: Real> Empso<F> {
    /// beta, c1 and c2.
    pub fn law(&self) -> [f64; 3] {
        self.0.law
    }

    /// Sets beta, c1 and c2; they hold from the next move on.
    pub fn set_law(&mut self, law: [f64; 3]) {
        self.0.law = law;
    }

    /// The momenta.
    pub fn momentum(&mut self) -> &mut Matrix<F> {
        &mut self.0.m
    }

    /// Which memory leads particle `i`.
    pub fn leader(&self, i: usize) -> usize {
        self.0.attraction.leaders[i]
    }

    /// Finds the leaders anew after a memory has been changed from outside.
    pub fn lead(&mut self, swarm: &Swarm<F>) {
        self.0.attraction.lead(swarm);
    }

    /// Whether the derivative of a move is known: a draw for each coordinate and no speed limit.
    pub fn is_smooth(&self) -> bool {
        self.0.attraction.pulls == Pulls::PerCoordinate && self.0.attraction.velocity_limit.is_none()
    }
}

macro_rules! motion {
    ($Form:ident, $Params:ident, $name:literal, $step:ident) => {
        impl<F: Real> Motion<F> for $Form<F> {
            const NAME: &'static str = $name;
            type Params = $Params;

            fn new(p: $Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
                needs_widths(p.velocity_limit, space)?;
                let attraction = Attraction::new(p.topology, p.draws, p.velocity_limit);
                Ok($Form(Momentum { particles: p.particles, law: [p.beta, p.c1, p.c2], attraction, m: Matrix::default() }))
            }

            fn verify_settings(&self, space: &Space<F>) -> Result<()> {
                self.0.attraction.verify_settings(space)
            }

            fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
                self.0.attraction.verify(swarm)?;
                saved::shape("m", &self.0.m, swarm.len(), swarm.dim())
            }

            fn particles(&self) -> usize {
                self.0.particles
            }

            fn begin(&mut self, swarm: &mut Swarm<F>) {
                self.0.m = swarm.v.clone();
                self.0.attraction.lead(swarm);
            }

            fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
                let draws = draws(rng);
                let law = self.0.law.map(F::of);
                let (y, attraction) = (&swarm.y, &self.0.attraction);
                let limited = attraction.velocity_limit.is_some();
                sweep([&mut swarm.x, &mut swarm.v, &mut self.0.m], space, rng, |tile, scratch| {
                    attraction.prepare(tile, scratch, &draws, y);
                    tile.segments(|s| {
                        let g = s.attractor(scratch, |row| attraction.leader(y, row));
                        let ([x, v, m], at, y) = (s.parts, s.at, &y.data()[s.flat]);
                        let (r1, r2) = (&scratch.a[at.clone()], &scratch.b[at]);
                        dispatch!(level(), simd => $step(simd, law, x, v, m, y, g, r1, r2, limited));
                    });
                });
                self.0.attraction.travel_within_limit(swarm, space, rng);
            }

            fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
                swarm.keep_better();
                self.0.attraction.lead(swarm);
                Remembered::Done
            }

            fn show<'a>(&'a self, view: &mut View<'a, F>) {
                view.matrices.push(("m", self.0.m.rows()));
            }
        }
    };
}

motion!(Empso, Params, "empso", step);
motion!(EmpsoPrinted, PrintedParams, "empso_printed", step_printed);

/// The next velocity and momentum of one number, form A.
#[inline(always)]
pub fn steer<S: Scalar>([beta, c1, c2]: [S; 3], [x, v, m]: [S; 3], [y, g]: [S; 2], [r1, r2]: [S; 2]) -> (S, S) {
    let m = beta * m + (S::one() - beta) * v; // eq. (5)
    (m + pull(c1, r1, y, x) + pull(c2, r2, g, x), m) // eq. (4), with the line above (6)
}

#[simd]
#[allow(clippy::too_many_arguments)]
fn step<S: Simd, F: Real>(
    _simd: S,
    [beta, c1, c2]: [F; 3],
    x: &mut [F],
    v: &mut [F],
    m: &mut [F],
    y: &[F],
    g: &[F],
    r1: &[F],
    r2: &[F],
    limited: bool,
) {
    let n = x.len();
    let (v, m, y, g, r1, r2) = (&mut v[..n], &mut m[..n], &y[..n], &g[..n], &r1[..n], &r2[..n]);
    for j in 0..n {
        (v[j], m[j]) = steer([beta, c1, c2], [x[j], v[j], m[j]], [y[j], g[j]], [r1[j], r2[j]]);
    }
    if !limited {
        for j in 0..n {
            x[j] += v[j]; // eq. (2)
        }
    }
}

#[simd]
#[allow(clippy::too_many_arguments)]
fn step_printed<S: Simd, F: Real>(
    _simd: S,
    [beta, c1, c2]: [F; 3],
    x: &mut [F],
    v: &mut [F],
    m: &mut [F],
    y: &[F],
    g: &[F],
    r1: &[F],
    r2: &[F],
    limited: bool,
) {
    let n = x.len();
    let (v, m, y, g, r1, r2) = (&mut v[..n], &mut m[..n], &y[..n], &g[..n], &r1[..n], &r2[..n]);
    for j in 0..n {
        let averaged = beta * m[j] + (F::one() - beta) * v[j];
        v[j] = averaged + pull(c1, r1[j], y[j], x[j]) + pull(c2, r2[j], g[j], x[j]);
        m[j] = beta * m[j] + (F::one() - beta) * v[j];
    }
    if !limited {
        for j in 0..n {
            x[j] += v[j];
        }
    }
}

/// Whether form A is stable for a fixed phi = c1 r1 + c2 r2: 0 < beta < 1 and 0 < phi < 4 / (1 + beta).
pub fn is_stable(beta: f64, phi: f64) -> bool {
    0.0 < beta && beta < 1.0 && 0.0 < phi && phi < 4.0 / (1.0 + beta)
}

/// The factor by which second moments of form A grow each iteration when both attractors stand at 0 and r1, r2 are
/// uniform: the spectral radius of E[A (x) A] for (x, v, M) -> A (x, v, M). Below 1 is mean-square stable.
///
/// ```
/// use swarmgrad_algorithms::particle::empso::mean_square_radius;
/// assert!((mean_square_radius(0.8, 0.9, 0.9) - 0.782).abs() < 1e-3);   // the paper's parameters
/// assert!(mean_square_radius(2.0, 2.0, 0.9) > 1.4);                    // torchswarm's: unstable
/// ```
pub fn mean_square_radius(c1: f64, c2: f64, beta: f64) -> f64 {
    // Second moments of phi = c1 r1 + c2 r2, r uniform on [0, 1).
    let mean = 0.5 * (c1 + c2);
    let square = mean * mean + (c1 * c1 + c2 * c2) / 12.0;
    // v' = beta M + (1 - beta) v - phi x;  x' = x + v';  M' = beta M + (1 - beta) v.
    let row = |phi: f64| {
        let v = [-phi, 1.0 - beta, beta];
        [[1.0 - phi, 1.0 - beta, beta], v, [0.0, 1.0 - beta, beta]]
    };
    // A = A0 + phi A1, so E[A C A'] = A0 C A0' + E phi (A0 C A1' + A1 C A0') + E phi^2 A1 C A1'.
    let a0 = row(0.0);
    let a1: [[f64; 3]; 3] = std::array::from_fn(|i| std::array::from_fn(|j| row(1.0)[i][j] - a0[i][j]));
    let product = |a: &[[f64; 3]; 3], c: &[[f64; 3]; 3], b: &[[f64; 3]; 3]| -> [[f64; 3]; 3] {
        std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                (0..3).flat_map(|k| (0..3).map(move |l| (k, l))).map(|(k, l)| a[i][k] * c[k][l] * b[j][l]).sum()
            })
        })
    };
    // Power iteration on covariances stays among positive semi-definite matrices, where the largest eigenvalue lives.
    let mut c = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let mut growth = Vec::new();
    for _ in 0..4000 {
        let (p, q, r, s) = (product(&a0, &c, &a0), product(&a0, &c, &a1), product(&a1, &c, &a0), product(&a1, &c, &a1));
        let next: [[f64; 3]; 3] =
            std::array::from_fn(|i| std::array::from_fn(|j| p[i][j] + mean * (q[i][j] + r[i][j]) + square * s[i][j]));
        let size: f64 = (0..3).map(|i| next[i][i]).sum();
        growth.push(math::ln(size / (0..3).map(|i| c[i][i]).sum::<f64>()));
        c = next.map(|row| row.map(|t| t / size));
    }
    // The mean of the last half also settles where complex eigenvalues make the growth oscillate.
    let last = &growth[growth.len() / 2..];
    math::exp(last.iter().sum::<f64>() / last.len() as f64)
}
