//! CR-FM-NES: a natural evolution strategy for thousands of variables, in linear time and memory.
//!
//! Paper: Nomura and Ono, "Fast moving natural evolution strategy for high-dimensional problems" (CEC 2022); the covariance
//! is that of VD-CMA (Akimoto, Auger and Hansen, GECCO 2014), from where the natural gradient is:
//!
//! ```text
//! x_k = m + sigma D y_k,  y_k = z_k + (sqrt(1 + |v|^2) - 1) vb (vb' z_k),  vb = v / |v|,  z mirrored pairs of N(0, I)
//! C   = sigma^2 D (I + v v') D
//! ps  <- (1 - cs) ps + sqrt(cs (2 - cs) mueff) sum w_k z_k                     w_k: of the ranks
//! w   :  weights by distance, where |ps| >= E|N(0, I)| (the distribution moves), else w
//! pc  <- (1 - cc) pc + sqrt(cc (2 - cc) mueff) sum w_k (x_k - m) / sigma
//! m   <- m + sum w_k (x_k - m)
//! v   <- v + (eta_B sum w_k t(y_k) + c1 t(pc / D)) / |v|
//! D   <- D + D (eta_B sum w_k s(y_k) + c1 s(pc / D)),  then v and D to det(D (I + v v') D) = 1 by a factor of D
//! sigma <- sigma exp(eta_sigma / 2 sum w_k (|z_k|^2 / d - 1))
//! ```
//!
//! s and t are the parts of the natural gradient for D and v; both are linear in
//! (y y, (vb'y) y vb, (vb'y) y, (vb'y)^2), so only their weighted sums are formed. eta_sigma depends on the phase:
//! 1 where |ps| >= E|N|, tanh((0.024 lambda + 0.7 d + 20) / (d + 12)) where |ps| >= E|N| / 10, else
//! 2 tanh((0.025 lambda + 0.75 d + 10) / (d + 4)). eta_B = tanh((min(0.02 lambda, 3 ln d) + 5) / (0.23 d + 25)), and
//! c1 = (d - 5) / 6 of CMA-ES's. Values that are infinite make lambda smaller in these rates.
//!
//! Differs from the paper: c1 is at least 0 (d < 5); pairs stand next to each other; the first population holds the
//! initial mean itself, and an odd one has a last point without a mirror, as has a step that was drawn anew at a bound.

use super::{
    Distribution, Samples, Told, draw_mirrored, expected_norm, natural_weights, raw_natural_weights, seen,
    usual_population,
};
use crate::linear::rows::dot;
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Matrix, Real, Result, Rng, View, math};

parameters! {
    /// Parameters of [`CrFmNes`].
    pub struct Params {
        /// Population; null for 4 + floor(3 ln d), made even.
        particles "lambda": Option<usize> = None, AtLeast(2.0);
        /// Initial standard deviation as a share of the width of the box; without bounds 0.3 is the deviation of the start's law.
        sigma "sigma": f64 = 0.3, Above(0.0);
    }
}

/// The state of CR-FM-NES.
#[derive(Debug, Serialize, Deserialize)]
pub struct CrFmNes {
    params: Params,
    dim: usize,
    lambda: usize,
    /// Of the ranks: raw, and with sum 0.
    raw: Vec<f64>,
    weights: Vec<f64>,
    mu_eff: f64,
    /// h^-1(d) of the weights by distance.
    distance: f64,
    mean: Vec<f64>,
    sigma: f64,
    v: Vec<f64>,
    d: Vec<f64>,
    p_sigma: Vec<f64>,
    p_c: Vec<f64>,
    begun: bool,
    /// Steps from best to worst: z, and y after them in `y`.
    z: Matrix<f64>,
    #[serde(skip)]
    draws: Matrix<f64>,
    #[serde(skip)]
    y: Vec<f64>,
    #[serde(skip)]
    work: Work,
}

/// Room for an update.
#[derive(Debug, Default)]
struct Work {
    weights: Vec<f64>,
    move_z: Vec<f64>,
    s: Vec<f64>,
    t: Vec<f64>,
    shift: Vec<f64>,
}

/// CR-FM-NES as an algorithm.
pub type CrFmNesSamples<F> = Samples<F, CrFmNes>;

/// The a > 0 with (1 + a^2) exp(a^2 / 2) / 0.24 = 10 + d, by Newton's method on the logarithm.
fn distance_scale(dim: usize) -> f64 {
    let target = math::ln(0.24 * (10.0 + dim as f64));
    let mut a: f64 = 1.0;
    for _ in 0..60 {
        a -= (math::ln(1.0 + a * a) + 0.5 * a * a - target) / (2.0 * a / (1.0 + a * a) + a);
    }
    a
}

impl CrFmNes {
    /// y = z + (sqrt(1 + |v|^2) - 1) vb (vb' z), or its inverse.
    fn stretch(v: &[f64], z: &[f64], y: &mut [f64], inverse: bool) {
        let square = dot(v, v);
        let root = (1.0 + square).sqrt();
        let factor = if square == 0.0 { 0.0 } else { (if inverse { 1.0 / root } else { root } - 1.0) / square };
        let along = factor * dot(v, z);
        y.iter_mut().zip(z).zip(v).for_each(|((y, z), v)| *y = z + along * v);
    }

    /// The sums of w s(y) and w t(y) before the maps that are linear in them.
    fn gather(v: &[f64], length: f64, w: f64, y: &[f64], s: &mut [f64], t: &mut [f64]) {
        let square = length * length;
        let along = dot(v, y) / length;
        let ratio = square / (1.0 + square) * along / length;
        let half = 0.5 * (along * along + 1.0 + square) / length;
        for (((s, t), y), v) in s.iter_mut().zip(t).zip(y).zip(v) {
            *s += w * (y * y - ratio * y * v - 1.0);
            *t += w * (y * along - v * half);
        }
    }

    /// Turns the gathered sums into the natural gradient for D (in `s`) and v (in `t`).
    fn natural(v: &[f64], s: &mut [f64], t: &mut [f64]) {
        let square = dot(v, v);
        let length = square.sqrt();
        let fourth = square * square;
        let gamma = 1.0 + square;
        let largest = v.iter().fold(0.0, |m: f64, v| m.max(v * v)) / square;
        let alpha = ((fourth + (2.0 * gamma - gamma.sqrt()) / largest).sqrt() / (2.0 + square)).min(1.0);
        let b = -(1.0 - alpha * alpha) * fourth / gamma + 2.0 * alpha * alpha;
        let dot_t = dot(v, t) / length;
        let h = |vb2: f64| 2.0 - (b + 2.0 * alpha * alpha) * vb2;
        let (mut top, mut bottom) = (0.0, 0.0);
        for ((s, t), v) in s.iter_mut().zip(t.iter()).zip(v) {
            let vb = v / length;
            let vb2 = vb * vb;
            *s -= alpha / gamma * ((2.0 + square) * t * vb - square * vb2 * dot_t);
            top += vb2 / h(vb2) * *s;
            bottom += vb2 * vb2 / h(vb2);
        }
        let correction = b / (1.0 + b * bottom) * top;
        let mut dot_s = 0.0;
        for (s, v) in s.iter_mut().zip(v) {
            let vb2 = v * v / square;
            *s = *s / h(vb2) - correction * vb2 / h(vb2);
            dot_s += vb2 * *s;
        }
        for ((t, s), v) in t.iter_mut().zip(s.iter()).zip(v) {
            let vb = v / length;
            *t -= alpha * ((2.0 + square) * s * vb - vb * dot_s);
        }
    }
}

impl Distribution for CrFmNes {
    const NAME: &'static str = "cr_fm_nes";
    type Params = Params;
    const REDRAWS: usize = 3;
    const BENT: bool = true;

    fn numbers(params: &Params, dim: usize) -> f64 {
        super::points(params.particles.unwrap_or(usual_population(dim) + 1), dim)
    }

    fn new(params: Params, dim: usize) -> Result<Self> {
        let usual = usual_population(dim);
        let lambda = params.particles.unwrap_or(usual + usual % 2);
        let (raw, weights) = (raw_natural_weights(lambda), natural_weights(lambda));
        let mu_eff = 1.0 / weights.iter().map(|w| (w + 1.0 / lambda as f64).powi(2)).sum::<f64>();
        Ok(CrFmNes {
            params,
            dim,
            lambda,
            raw,
            weights,
            mu_eff,
            distance: distance_scale(dim),
            mean: Vec::new(),
            sigma: 0.0,
            v: Vec::new(),
            d: Vec::new(),
            p_sigma: Vec::new(),
            p_c: Vec::new(),
            begun: false,
            z: Matrix::default(),
            draws: Matrix::default(),
            y: Vec::new(),
            work: Work::default(),
        })
    }

    fn verify(&self, dim: usize, begun: bool) -> Result<()> {
        saved::parameters(&self.params)?;
        saved::holds("dim", self.dim == dim, "must be that of the space")?;
        saved::lengths([("raw", &self.raw), ("weights", &self.weights)], self.lambda)?;
        let vectors = [("v", &self.v), ("d", &self.d), ("p_sigma", &self.p_sigma), ("p_c", &self.p_c)];
        if begun { saved::lengths(vectors, dim) } else { Ok(()) }
    }

    fn population(&self) -> usize {
        self.lambda
    }

    fn spread(&self) -> f64 {
        self.params.sigma
    }

    fn begin(&mut self, mean: Vec<f64>, deviation: f64) {
        let n = self.dim;
        self.mean = mean;
        self.sigma = deviation;
        (self.v, self.d) = (vec![0.0; n], vec![1.0; n]);
        (self.p_sigma, self.p_c) = (vec![0.0; n], vec![0.0; n]);
    }

    fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn mean_mut(&mut self) -> &mut [f64] {
        &mut self.mean
    }

    fn covariance(&self, j: usize, k: usize) -> f64 {
        let one = if j == k { 1.0 } else { 0.0 };
        self.sigma * self.sigma * self.d[j] * self.d[k] * (one + self.v[j] * self.v[k])
    }

    fn unit(&self) -> f64 {
        self.sigma
    }

    fn sample(&mut self, rng: &Rng, steps: &mut Matrix<f64>) {
        if !self.begun {
            // The first direction: N(0, I / d).
            rng.fork("v").row(0).fill_normal(&mut self.v);
            let root = (self.dim as f64).sqrt();
            self.v.iter_mut().for_each(|v| *v /= root);
            self.begun = true;
        }
        self.z.resize(self.lambda, self.dim);
        draw_mirrored(&rng.fork("z"), &mut self.draws, &mut self.z);
        for (step, z) in steps.iter_mut().zip(self.z.iter()) {
            Self::stretch(&self.v, z, step, false);
            step.iter_mut().zip(&self.d).for_each(|(y, d)| *y *= d);
        }
    }

    fn redraw(&mut self, draws: &mut Draws<'_>, row: usize, y: &mut [f64]) {
        draws.fill_normal(self.z.row_mut(row));
        Self::stretch(&self.v, self.z.row(row), y, false);
        y.iter_mut().zip(&self.d).for_each(|(y, d)| *y *= d);
    }

    fn update(&mut self, told: Told<'_>) {
        let (n, lambda) = (self.dim as f64, self.lambda as f64);
        let Work { weights, move_z, s, t, shift } = &mut self.work;
        for room in [&mut *move_z, s, t, shift, &mut self.y] {
            room.clear();
            room.resize(self.dim, 0.0);
        }
        for &i in told.changed {
            self.y.iter_mut().zip(told.steps.row(i)).zip(&self.d).for_each(|((y, step), d)| *y = step / d);
            Self::stretch(&self.v, &self.y, self.z.row_mut(i), true);
        }
        let z = |k: usize| self.z.row(told.order[k]);
        crate::linear::rows::add_rows(move_z, self.lambda, |k| (self.weights[k], z(k)));
        let c_sigma = (self.mu_eff + 2.0) / (n + self.mu_eff + 5.0);
        let rate = (c_sigma * (2.0 - c_sigma) * self.mu_eff).sqrt();
        self.p_sigma.iter_mut().zip(&*move_z).for_each(|(p, z)| *p = (1.0 - c_sigma) * *p + rate * z);
        let (length, chi) = (dot(&self.p_sigma, &self.p_sigma).sqrt(), expected_norm(self.dim));

        let finite = told.values.iter().filter(|f| f.is_finite()).count() as f64;
        let eta_sigma = if length >= chi {
            1.0
        } else if length >= 0.1 * chi {
            math::tanh((0.024 * finite + 0.7 * n + 20.0) / (n + 12.0))
        } else {
            2.0 * math::tanh((0.025 * finite + 0.75 * n + 10.0) / (n + 4.0))
        };
        let eta_b = math::tanh(((0.02 * finite).min(3.0 * math::ln(n)) + 5.0) / (0.23 * n + 25.0));
        let c_1 = 2.0 / ((n + 1.3).powi(2) + self.mu_eff) * ((n - 5.0) / 6.0).max(0.0) * finite / lambda;
        weights.clear();
        if length >= chi {
            let alpha = self.distance * (lambda / n).sqrt().min(1.0) * (finite / lambda).sqrt();
            weights.extend((0..self.lambda).map(|k| self.raw[k] * math::exp(alpha * dot(z(k), z(k)).sqrt())));
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w = *w / sum - 1.0 / lambda);
        } else {
            weights.extend(&self.weights);
        }

        // The mean and its path; shift = sum w (x - m) / sigma.
        crate::linear::rows::add_rows(shift, self.lambda, |k| (weights[k], told.steps.row(told.order[k])));
        let c_c = (4.0 + self.mu_eff / n) / (n + 4.0 + 2.0 * self.mu_eff / n);
        let rate = (c_c * (2.0 - c_c) * self.mu_eff).sqrt();
        self.p_c.iter_mut().zip(&*shift).for_each(|(p, y)| *p = (1.0 - c_c) * *p + rate * y);
        self.mean.iter_mut().zip(&*shift).for_each(|(m, y)| *m += self.sigma * y);

        // The shape.
        let norm_v = dot(&self.v, &self.v).sqrt();
        let mut growth = 0.0;
        for (k, &w) in weights.iter().enumerate() {
            growth += w * (dot(z(k), z(k)) / n - 1.0);
            Self::stretch(&self.v, z(k), &mut self.y, false);
            Self::gather(&self.v, norm_v, eta_b * w, &self.y, s, t);
        }
        self.y.iter_mut().zip(&self.p_c).zip(&self.d).for_each(|((y, p), d)| *y = p / d);
        Self::gather(&self.v, norm_v, c_1, &self.y, s, t);
        Self::natural(&self.v, s, t);
        self.v.iter_mut().zip(&*t).for_each(|(v, t)| *v += t / norm_v);
        self.d.iter_mut().zip(&*s).for_each(|(d, s)| *d += s * *d);
        let logarithm =
            self.d.iter().map(|&d| math::ln(d)).sum::<f64>() / n + math::ln(1.0 + dot(&self.v, &self.v)) / (2.0 * n);
        let factor = math::exp(-logarithm);
        self.d.iter_mut().for_each(|d| *d *= factor);
        self.sigma *= math::exp(0.5 * eta_sigma * growth);
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.vectors.extend(seen("mean", &self.mean));
        view.vectors.extend(seen("v", &self.v));
        view.vectors.extend(seen("d", &self.d));
        view.vectors.extend(seen("p_sigma", &self.p_sigma));
        view.vectors.extend(seen("p_c", &self.p_c));
        view.numbers.push(("sigma", self.sigma));
    }
}
