//! Separable CMA-ES: only the variances of the coordinates are learned, in linear time and memory.
//!
//! Paper: Ros and Hansen, "A simple modification in CMA-ES achieving linear time and space complexity" (PPSN 2008): CMA-ES
//! with a diagonal C, whose learning rates are (n + 2) / 3 times as large:
//!
//! ```text
//! c_jj <- (1 + c1 delta(hs) - c1 - cmu sum w) c_jj + c1 pc_j^2 + cmu sum w_i° y_(i:lambda),j^2,   c1, cmu times (n + 2) / 3
//! ```
//!
//! and the rest as in [`super::cma_es`], from where rates, paths and criteria of termination are.
//!
//! Differs from the paper: weights and rates are those of today's CMA-ES, the active update included (`active = false` is
//! the paper's); its bound (52) keeps C positive at the faster rates too. The first population holds the initial mean itself.

use super::cma_es::{Params, Rates};
use super::stop::{History, Now};
use super::{Distribution, Samples, Told, draw_normals, seen, shortening, usual_population};
use crate::linear::rows::{add_rows, dot};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Matrix, Real, Reason, Result, Rng, View};

/// Separable CMA-ES as an algorithm.
pub type SepCma<F> = Samples<F, SepCmaEs>;

/// The state of separable CMA-ES.
#[derive(Debug, Serialize, Deserialize)]
pub struct SepCmaEs {
    params: Params,
    dim: usize,
    rates: Rates,
    mean: Vec<f64>,
    sigma: f64,
    sigma0: f64,
    p_sigma: Vec<f64>,
    p_c: Vec<f64>,
    /// The variances c_jj and their roots.
    c: Vec<f64>,
    deviations: Vec<f64>,
    g: u64,
    history: History,
    why: Option<Reason>,
    #[serde(skip)]
    y_w: Vec<f64>,
    #[serde(skip)]
    white: Vec<f64>,
}

impl SepCmaEs {
    /// C^(-1/2) y.
    fn whiten(deviations: &[f64], y: &[f64], white: &mut Vec<f64>) {
        white.clear();
        white.extend(y.iter().zip(deviations).map(|(y, d)| y / d));
    }
}

impl Distribution for SepCmaEs {
    const NAME: &'static str = "sep_cma_es";
    type Params = Params;
    const USUAL: f64 = 0.2;
    const REDRAWS: usize = 3;
    const BENT: bool = true;

    fn numbers(params: &Params, dim: usize) -> f64 {
        super::points(params.particles.unwrap_or(usual_population(dim)), dim)
    }

    fn new(params: Params, dim: usize) -> Result<Self> {
        let lambda = params.particles.unwrap_or(usual_population(dim));
        Ok(SepCmaEs {
            dim,
            rates: Rates::new(lambda, dim, params.active, (dim as f64 + 2.0) / 3.0),
            params,
            mean: Vec::new(),
            sigma: 0.0,
            sigma0: 0.0,
            p_sigma: Vec::new(),
            p_c: Vec::new(),
            c: Vec::new(),
            deviations: Vec::new(),
            g: 0,
            history: History::default(),
            why: None,
            y_w: Vec::new(),
            white: Vec::new(),
        })
    }

    fn verify(&self, dim: usize, begun: bool) -> Result<()> {
        saved::parameters(&self.params)?;
        self.rates.verify(&self.history, [self.dim, dim], self.g)?;
        let vectors =
            [("p_sigma", &self.p_sigma), ("p_c", &self.p_c), ("c", &self.c), ("deviations", &self.deviations)];
        if begun { saved::lengths(vectors, dim) } else { Ok(()) }
    }

    fn population(&self) -> usize {
        self.rates.lambda
    }

    fn spread(&self) -> f64 {
        self.params.sigma
    }

    fn begin(&mut self, mean: Vec<f64>, deviation: f64) {
        let n = self.dim;
        self.mean = mean;
        (self.sigma, self.sigma0) = (deviation, deviation);
        (self.p_sigma, self.p_c) = (vec![0.0; n], vec![0.0; n]);
        (self.c, self.deviations) = (vec![1.0; n], vec![1.0; n]);
    }

    fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn mean_mut(&mut self) -> &mut [f64] {
        &mut self.mean
    }

    fn covariance(&self, j: usize, k: usize) -> f64 {
        if j == k { self.sigma * self.sigma * self.c[j] } else { 0.0 }
    }

    fn unit(&self) -> f64 {
        self.sigma
    }

    fn sample(&mut self, rng: &Rng, steps: &mut Matrix<f64>) {
        draw_normals(&rng.fork("z"), steps);
        for y in steps.iter_mut() {
            y.iter_mut().zip(&self.deviations).for_each(|(y, d)| *y *= d);
        }
    }

    fn redraw(&mut self, draws: &mut Draws<'_>, _row: usize, y: &mut [f64]) {
        draws.fill_normal(y);
        y.iter_mut().zip(&self.deviations).for_each(|(y, d)| *y *= d);
    }

    fn update(&mut self, told: Told<'_>) {
        let (n, rates) = (self.dim, &self.rates);
        self.g += 1;
        // Steps from outside the distribution must not be too large, as in CMA-ES.
        for &i in told.changed {
            Self::whiten(&self.deviations, told.steps.row(i), &mut self.white);
            let length = dot(&self.white, &self.white).sqrt();
            let factor = shortening(length, n);
            told.steps.row_mut(i).iter_mut().for_each(|y| *y *= factor);
        }
        self.y_w.clear();
        self.y_w.resize(n, 0.0);
        let sorted = |k: usize| told.steps.row(told.order[k]);
        add_rows(&mut self.y_w, rates.mu, |k| (rates.weights[k], sorted(k))); // (41)
        self.mean.iter_mut().zip(&self.y_w).for_each(|(m, y)| *m += self.sigma * y); // (42)
        Self::whiten(&self.deviations, &self.y_w, &mut self.white);
        let length = rates.follow(&mut self.p_sigma, &self.white); // (43)
        let heeds = rates.heeds(length, self.g, n);
        rates.walk(&mut self.p_c, &self.y_w, heeds); // (45)
        let fade = rates.fade(heeds);
        self.c.iter_mut().zip(&self.p_c).for_each(|(c, p)| *c = fade * *c + rates.c_1 * p * p);
        for (k, &w) in rates.weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            let w = if w >= 0.0 {
                w
            } else {
                Self::whiten(&self.deviations, sorted(k), &mut self.white);
                let norm = dot(&self.white, &self.white);
                if norm > 0.0 { w * n as f64 / norm } else { 0.0 } // (46)
            };
            self.c.iter_mut().zip(sorted(k)).for_each(|(c, y)| *c += rates.c_mu * w * y * y); // (47)
        }
        self.deviations.iter_mut().zip(&self.c).for_each(|(d, c)| *d = c.sqrt());
        self.sigma *= rates.growth(length); // (44)
        let (low, high) = self.c.iter().fold((f64::INFINITY, 0.0f64), |(low, high), &c| (low.min(c), high.max(c)));
        let now = Now {
            g: self.g,
            lambda: rates.lambda,
            told: &told,
            mean: &self.mean,
            sigma: [self.sigma, self.sigma0],
            p_c: &self.p_c,
            tol_x: self.params.tol_x,
            tol_fun: self.params.tol_fun,
            tol_up_sigma: self.params.tol_up_sigma,
        };
        self.why = self.history.end(now, |j| self.deviations[j]);
        if !(low > 0.0 && high <= self.params.condition * low) && self.why.is_none() {
            self.why = Some(super::stop::badly_conditioned());
        }
    }

    fn stop_reason(&self) -> Option<Reason> {
        self.why.clone()
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.vectors.extend(seen("mean", &self.mean));
        view.vectors.extend(seen("p_sigma", &self.p_sigma));
        view.vectors.extend(seen("p_c", &self.p_c));
        view.numbers.push(("sigma", self.sigma));
    }
}
