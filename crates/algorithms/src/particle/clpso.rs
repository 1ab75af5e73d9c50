//! Comprehensive learning PSO: each coordinate follows its own exemplar.
//!
//! Paper: Liang, Qin, Suganthan, Baskar, "Comprehensive learning particle swarm optimizer for global optimization of
//! multimodal functions" (IEEE TEC 2006):
//!
//! ```text
//! v_d <- w v_d + c r_d (y^{f_i(d)}_d - x_d),   x <- x + v
//! Pc_i = 0.05 + 0.45 (exp(10 i / (n - 1)) - 1) / (exp(10) - 1),   i = 0 .. n - 1
//! ```
//!
//! f_i(d) is the better of two random particles with probability Pc_i, else i itself; if every coordinate chose itself,
//! one random coordinate follows a random other particle. A particle chooses again after `gap` iterations without
//! improvement. w falls linearly over the planned iterations.
//!
//! Differs from the paper: points outside the bounds are brought back and evaluated (the paper leaves them unevaluated).

use super::sweep::sweep;
use super::{Motion, Remembered, Swarm};
use crate::parameters::parameters;
use crate::saved;
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};
use swarmgrad_core::simd::level;
use swarmgrad_core::{Draws, Matrix, Real, Result, Rng, Space, better, math};

parameters! {
    /// Parameters of [`Clpso`]; the defaults are the paper's.
    pub struct Params {
        /// Number of particles.
        particles "ps": usize = 40, AtLeast(1.0);
        /// Inertia weight at the beginning.
        inertia_start "w0": f64 = 0.9, Within(0.0, 1.0);
        /// Inertia weight at the end of the planned iterations and after.
        inertia_end "w1": f64 = 0.4, Within(0.0, 1.0);
        /// Pull towards the exemplars.
        c "c": f64 = 1.494_45, AtLeast(0.0);
        /// Iterations without improvement after which a particle chooses new exemplars.
        gap "m": usize = 7, AtLeast(1.0);
        /// Iterations planned; null takes them from the budget of evaluations, or 1000 without one.
        iterations "max_gen": Option<usize> = None, AtLeast(1.0);
        /// Longest step in a coordinate as a share of the width of the space, where that is finite; null for none.
        velocity_limit "Vmax": Option<f64> = Some(0.2), Above(0.0);
    }
}

/// Comprehensive learning PSO.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Clpso<F: Real> {
    params: Params,
    planned: usize,
    iterations: usize,
    /// f_i(d), n by d.
    exemplars: Vec<usize>,
    /// Iterations without improvement of each particle.
    stale: Vec<usize>,
    /// Values of the memories before the last iteration.
    before: Vec<F>,
    /// Longest step of each coordinate; infinite for none.
    limit: Vec<F>,
}

impl<F: Real> Motion<F> for Clpso<F> {
    const NAME: &'static str = "clpso";
    type Params = Params;

    fn new(params: Params, space: &Space<F>, budget: Option<u64>) -> Result<Self> {
        let from_budget = budget.map(|b| (b as usize / params.particles).saturating_sub(1).max(1));
        let planned = params.iterations.or(from_budget).unwrap_or(1000);
        let share = F::of(params.velocity_limit.unwrap_or(f64::INFINITY));
        let limit =
            (0..space.dim()).map(|j| if space.width(j) > F::zero() { share * space.width(j) } else { F::infinity() });
        let limit = limit.collect();
        Ok(Clpso {
            params,
            planned,
            iterations: 0,
            exemplars: Vec::new(),
            stale: Vec::new(),
            before: Vec::new(),
            limit,
        })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None)?;
        saved::count("iterations", self.iterations as u64)?;
        saved::length("limit", &self.limit, space.dim())
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        let (n, dim) = (swarm.len(), swarm.dim());
        swarm.verify_travels()?;
        swarm.verify_remembers()?;
        saved::length("exemplars", &self.exemplars, n * dim)?;
        saved::below("exemplars", &self.exemplars, n)?;
        saved::length("stale", &self.stale, n)?;
        let stale = self.stale.iter().max().map_or(0, |&stale| stale as u64);
        saved::count("stale", stale)?;
        saved::length("before", &self.before, n)
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        self.before = swarm.fy.clone();
        // Everybody chooses before the first move.
        self.stale = vec![self.params.gap; swarm.len()];
        self.exemplars = vec![0; swarm.len() * swarm.dim()];
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let choices = rng.fork("exemplar");
        for i in 0..swarm.len() {
            if self.stale[i] >= self.params.gap {
                self.stale[i] = 0;
                self.choose(i, swarm, &mut choices.row(i));
            }
        }
        let progress = (self.iterations as f64 / self.planned as f64).min(1.0);
        let w = self.params.inertia_start + (self.params.inertia_end - self.params.inertia_start) * progress;
        let law = [F::of(w), F::of(self.params.c)];
        let (y, exemplars, limit, draws): (&Matrix<F>, _, _, _) =
            (&swarm.y, &self.exemplars, &self.limit, rng.fork("r"));
        let dim = swarm.x.dim();
        sweep([&mut swarm.x, &mut swarm.v], space, rng, |tile, scratch| {
            draws.fill_uniform(tile.rows.clone(), tile.cols.clone(), &mut scratch.a[..tile.len()]);
            let (rows, cols) = (tile.rows.clone(), tile.cols.clone());
            for (row, b) in rows.zip(scratch.b.chunks_mut(cols.len())) {
                for (b, d) in b.iter_mut().zip(cols.clone()) {
                    *b = y.data()[exemplars[row * dim + d] * dim + d];
                }
            }
            tile.gather(scratch, true, |_| limit);
            tile.segments(|s| {
                let limit = s.attractor(scratch, |_| limit);
                let ([x, v], at) = (s.parts, s.at);
                let (r, g) = (&scratch.a[at.clone()], &scratch.b[at]);
                dispatch!(level(), simd => step(simd, law, x, v, g, r, limit));
            });
        });
        self.iterations += 1;
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        swarm.keep_better();
        for ((stale, before), &now) in self.stale.iter_mut().zip(&mut self.before).zip(&swarm.fy) {
            *stale = if now < *before { 0 } else { *stale + 1 };
            *before = now;
        }
        Remembered::Done
    }
}

impl<F: Real> Clpso<F> {
    /// Chooses the exemplars of particle `i`.
    fn choose(&mut self, i: usize, swarm: &Swarm<F>, draws: &mut Draws<'_>) {
        let (n, dim) = (swarm.len(), swarm.dim());
        let exemplars = &mut self.exemplars[i * dim..(i + 1) * dim];
        let learning = 0.05 + 0.45 * learning_curve(i, n);
        for f in exemplars.iter_mut() {
            *f = i;
            if draws.uniform() < learning {
                let (a, b) = (draws.below(n), draws.below(n));
                *f = if better(swarm.fy[b], swarm.fy[a]) { b } else { a };
            }
        }
        if n > 1 && exemplars.iter().all(|&f| f == i) {
            let d = draws.below(dim);
            let other = draws.below(n - 1);
            exemplars[d] = other + usize::from(other >= i);
        }
    }
}

/// (exp(10 i / (n - 1)) - 1) / (exp(10) - 1), from 0 for the first particle to 1 for the last.
fn learning_curve(i: usize, n: usize) -> f64 {
    let position = if n > 1 { i as f64 / (n - 1) as f64 } else { 0.0 };
    math::exp_m1(10.0 * position) / math::exp_m1(10.0)
}

#[simd]
fn step<S: Simd, F: Real>(_simd: S, [w, c]: [F; 2], x: &mut [F], v: &mut [F], g: &[F], r: &[F], limit: &[F]) {
    let n = x.len();
    let (v, g, r, limit) = (&mut v[..n], &g[..n], &r[..n], &limit[..n]);
    for j in 0..n {
        let free = w * v[j] + c * r[j] * (g[j] - x[j]);
        v[j] = if free > limit[j] { limit[j] } else { free };
        v[j] = if v[j] < -limit[j] { -limit[j] } else { v[j] };
        x[j] += v[j];
    }
}
