//! CMA-ES: the covariance matrix adaptation evolution strategy, with active update.
//!
//! Paper: Hansen, "The CMA evolution strategy: a tutorial" (arXiv 1604.00772, 2016, version 2 of 2023), figure 6 and table 1:
//!
//! ```text
//! x_k = m + sigma y_k,  y_k = C^(1/2) z_k,  z_k ~ N(0, I)                                         (38)-(40)
//! m   <- m + sigma y_w,  y_w = sum over i <= mu of w_i y_(i:lambda)                               (41), (42)
//! ps  <- (1 - cs) ps + sqrt(cs (2 - cs) mueff) C^(-1/2) y_w                                       (43)
//! sigma <- sigma exp(cs / ds (|ps| / E|N(0, I)| - 1))                                             (44)
//! pc  <- (1 - cc) pc + hs sqrt(cc (2 - cc) mueff) y_w                                             (45)
//! w_i° = w_i  where w_i >= 0, else w_i n / |C^(-1/2) y_(i:lambda)|^2                              (46)
//! C   <- (1 + c1 delta(hs) - c1 - cmu sum w) C + c1 pc pc' + cmu sum w_i° y_(i:lambda) y_(i:lambda)'  (47)
//! hs  = 1 where |ps| / sqrt(1 - (1 - cs)^(2 (g + 1))) < (1.4 + 2 / (n + 1)) E|N(0, I)|, else 0
//! delta(hs) = (1 - hs) cc (2 - cc)
//! ```
//!
//! Weights and rates are (49)-(58); the run ends by the criteria of appendix B.3. C is decomposed every
//! max(1, floor(1 / (2 n (c1 + cmu)))) iterations only, within which it changes by a small share. The symmetric root is used
//! for the sampling, which unlike B D is unique: runs do not depend on how eigenvectors are found.
//!
//! Points that do not come from the distribution (given, or improved by the caller) are treated as in Hansen, "Injecting
//! external solutions into CMA-ES" (arXiv 1110.4181, 2011): their steps are shortened to |C^(-1/2) y| <= sqrt(n) + 2 n / (n + 2).
//!
//! Differs from the paper: the initial deviation is 0.2 of the box's width as in Hansen's runs on BBOB (2009), not 0.3, which
//! reaches less (docs/bbob.md); the first population holds the initial mean itself; the decomposition above is five times as lazy as
//! the tutorial's example (as in pycma); stagnation is looked for every 25 iterations, in pycma's
//! longer window (in the tutorial's runs end in the first phase on ill-conditioned functions).

use super::stop::{History, Now, axis_lost, badly_conditioned};
use super::{Distribution, Samples, Steered, Told, draw_normals, expected_norm, seen, shortening, usual_population};
use crate::linear::eigen::Eigen;
use crate::linear::rows::{add_rows, dot, each_chunk, each_row};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Matrix, Real, Reason, Result, Rng, View, math};

parameters! {
    /// Parameters of CMA-ES and of its versions with restarts.
    pub struct Params {
        /// Population, with restarts the first one; null for 4 + floor(3 ln d).
        particles "lambda": Option<usize> = None, AtLeast(2.0);
        /// Initial standard deviation as a share of the width of the box; without bounds 0.2 is the deviation of the start's law.
        sigma "sigma(0)": f64 = 0.2, Above(0.0);
        /// Whether bad points shrink the distribution in their directions (active update).
        active "": bool = true, Flag;
        /// Ends when values and the best of the last 10 + 30 d / lambda iterations differ by less; times the widest range yet, if below 1.
        tol_fun "TolFun": f64 = 1e-12, AtLeast(0.0);
        /// Ends when the distribution's deviations are below this share of the initial ones.
        tol_x "TolX": f64 = 1e-12, AtLeast(0.0);
        /// Ends when the largest deviation has grown by more than this factor: the initial one was far too small.
        tol_up_sigma "TolXUp": f64 = 1e4, Above(1.0);
        /// Ends when the condition of the covariance matrix is more than this.
        condition "ConditionCov": f64 = 1e14, Above(1.0);
    }
}

/// CMA-ES as an algorithm.
pub type Cma<F> = Samples<F, CmaEs>;

/// The state of CMA-ES.
#[derive(Debug, Serialize, Deserialize)]
pub struct CmaEs {
    params: Params,
    dim: usize,
    rates: Rates,
    mean: Vec<f64>,
    sigma: f64,
    sigma0: f64,
    p_sigma: Vec<f64>,
    p_c: Vec<f64>,
    /// Lower triangle of C, row-major.
    c: Vec<f64>,
    /// C^(1/2) as of the last decomposition.
    root: Vec<f64>,
    eigen: Eigen,
    /// |C^(-1/2) y|^2 of the steps.
    norms: Vec<f64>,
    g: u64,
    decomposed: u64,
    history: History,
    why: Option<Reason>,
    /// z, later the steps from best to worst.
    #[serde(skip)]
    z: Matrix<f64>,
    #[serde(skip)]
    y_w: Vec<f64>,
    #[serde(skip)]
    white: Vec<f64>,
}

/// Weights and learning rates, table 1 of the tutorial.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rates {
    pub(super) lambda: usize,
    pub(super) mu: usize,
    /// lambda weights, from best to worst: positive ones sum to 1.
    pub(super) weights: Vec<f64>,
    pub(super) mu_eff: f64,
    pub(super) c_sigma: f64,
    pub(super) d_sigma: f64,
    pub(super) c_c: f64,
    pub(super) c_1: f64,
    pub(super) c_mu: f64,
    pub(super) chi: f64,
}

impl Rates {
    /// `faster` multiplies c1 and cmu: 1 but for matrices with fewer entries.
    pub(super) fn new(lambda: usize, dim: usize, active: bool, faster: f64) -> Self {
        let n = dim as f64;
        let mu = lambda / 2;
        let mut weights: Vec<f64> =
            (1..=lambda).map(|i| math::ln((lambda as f64 + 1.0) / 2.0) - math::ln(i as f64)).collect(); // (49)
        let effective =
            |w: &[f64]| w.iter().sum::<f64>().powi(2) / w.iter().map(|w| w * w).sum::<f64>().max(f64::MIN_POSITIVE);
        let (mu_eff, mu_eff_minus) = (effective(&weights[..mu]), effective(&weights[mu..]));
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0); // (55)
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).max(0.0).sqrt() - 1.0).max(0.0) + c_sigma;
        let c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n); // (56)
        let c_1 = faster * 2.0 / ((n + 1.3).powi(2) + mu_eff); // (57)
        let spread = 0.25 + mu_eff + 1.0 / mu_eff - 2.0;
        let c_mu = (faster * 2.0 * spread / ((n + 2.0).powi(2) + mu_eff)).min(1.0 - c_1); // (58)
        let above: f64 = weights[..mu].iter().sum();
        weights[..mu].iter_mut().for_each(|w| *w /= above); // (53)
        let below: f64 = weights[mu..].iter().map(|w| w.abs()).sum();
        let least = (1.0 + c_1 / c_mu) // (50)
            .min(1.0 + 2.0 * mu_eff_minus / (mu_eff + 2.0)) // (51)
            .min((1.0 - c_1 - c_mu) / (n * c_mu)); // (52)
        let factor = if active && below > 0.0 && least.is_finite() { least / below } else { 0.0 };
        weights[mu..].iter_mut().for_each(|w| *w *= factor);
        Rates { lambda, mu, weights, mu_eff, c_sigma, d_sigma, c_c, c_1, c_mu, chi: expected_norm(dim) }
    }

    /// Whether what both versions of CMA-ES keep fits together when it was read back: the rates, the history, the method's own
    /// number of variables and that of the space, the iterations.
    pub(super) fn verify(&self, history: &History, [own, dim]: [usize; 2], g: u64) -> Result<()> {
        history.verify()?;
        saved::holds("dim", own == dim, "must be that of the space")?;
        saved::count("g", g)?;
        saved::holds("mu", 1 <= self.mu && self.mu < self.lambda, "must be at least 1 and below lambda")?;
        saved::length("weights", &self.weights, self.lambda)
    }

    /// (43): the path of the step-size; returns its length.
    pub(super) fn follow(&self, p_sigma: &mut [f64], white: &[f64]) -> f64 {
        let rate = (self.c_sigma * (2.0 - self.c_sigma) * self.mu_eff).sqrt();
        p_sigma.iter_mut().zip(white).for_each(|(p, t)| *p = (1.0 - self.c_sigma) * *p + rate * t);
        dot(p_sigma, p_sigma).sqrt()
    }

    /// Whether the path is short enough for pc to go on (hs of (45)), in iteration `g`, the first being 1.
    pub(super) fn heeds(&self, length: f64, g: u64, dim: usize) -> bool {
        let start = (1.0 - math::powf(1.0 - self.c_sigma, 2.0 * g as f64)).sqrt();
        length / start < (1.4 + 2.0 / (dim as f64 + 1.0)) * self.chi
    }

    /// (45): the path of the covariance.
    pub(super) fn walk(&self, p_c: &mut [f64], y_w: &[f64], heeds: bool) {
        let rate = if heeds { (self.c_c * (2.0 - self.c_c) * self.mu_eff).sqrt() } else { 0.0 };
        p_c.iter_mut().zip(y_w).for_each(|(p, y)| *p = (1.0 - self.c_c) * *p + rate * y);
    }

    /// The factor of the old C in (47).
    pub(super) fn fade(&self, heeds: bool) -> f64 {
        let delta = if heeds { 0.0 } else { self.c_c * (2.0 - self.c_c) };
        1.0 + self.c_1 * delta - self.c_1 - self.c_mu * self.weights.iter().sum::<f64>()
    }

    /// (44): the factor of the step-size.
    pub(super) fn growth(&self, length: f64) -> f64 {
        math::exp(self.c_sigma / self.d_sigma * (length / self.chi - 1.0))
    }
}

impl CmaEs {
    /// C^(1/2) as of the last decomposition, row by row.
    pub fn root(&self) -> &[f64] {
        &self.root
    }

    /// Weights of the samples that the mean is made of, from the best on.
    pub fn weights(&self) -> &[f64] {
        &self.rates.weights[..self.rates.mu]
    }

    /// The rates of the paths and of C, and the damping: c_sigma, d_sigma, c_c, c_1, c_mu.
    pub fn law(&self) -> [f64; 5] {
        let Rates { c_sigma, d_sigma, c_c, c_1, c_mu, .. } = self.rates;
        [c_sigma, d_sigma, c_c, c_1, c_mu]
    }

    /// Sets them for the next update; the weights stay. C keeps a share of itself: c_mu is at most 1 - c_1.
    pub fn set_law(&mut self, [c_sigma, d_sigma, c_c, c_1, c_mu]: [f64; 5]) {
        let rates = &mut self.rates;
        (rates.c_sigma, rates.d_sigma, rates.c_c, rates.c_1) = (c_sigma, d_sigma, c_c, c_1);
        rates.c_mu = c_mu.min(1.0 - c_1);
    }

    /// The sum of all weights, mu_eff, and E|N(0, I)|.
    pub fn constants(&self) -> [f64; 3] {
        [self.rates.weights.iter().sum(), self.rates.mu_eff, self.rates.chi]
    }

    /// p_sigma and p_c.
    pub fn paths(&self) -> [&[f64]; 2] {
        [&self.p_sigma, &self.p_c]
    }

    /// C, row by row; its lower triangle holds.
    pub fn covariance(&self) -> &[f64] {
        &self.c
    }

    /// Eigenvalues and eigenvectors, one a row, of C as of the last decomposition.
    pub fn axes(&self) -> [&[f64]; 2] {
        [&self.eigen.values, &self.eigen.vectors]
    }

    /// Whether the root is that of C.
    pub fn is_decomposed(&self) -> bool {
        self.decomposed == self.g
    }

    /// Sets C to the square of a symmetric matrix.
    pub fn set_root(&mut self, root: &[f64]) {
        let n = self.dim;
        for j in 0..n {
            for k in 0..=j {
                self.c[j * n + k] = dot(&root[j * n..(j + 1) * n], &root[k * n..(k + 1) * n]);
            }
        }
        self.decomposed = self.g.saturating_sub(self.patience().max(1));
        self.decompose();
    }

    /// Iterations between two decompositions.
    fn patience(&self) -> u64 {
        (1.0 / (2.0 * self.dim as f64 * (self.rates.c_1 + self.rates.c_mu))) as u64
    }

    /// Decomposes C if it is time, as the next sample would.
    pub fn decompose(&mut self) {
        if self.g == 0 || self.g < self.decomposed.saturating_add(self.patience().max(1)) {
            return;
        }
        self.decomposed = self.g;
        let decomposed = self.eigen.decompose(&self.c);
        let (low, high) = self.eigen.range();
        if decomposed && low > 0.0 && high <= self.params.condition * low {
            self.eigen.function(f64::sqrt, &mut self.root);
        } else {
            self.why = Some(badly_conditioned());
        }
    }

    /// Steps from outside the distribution: their norm is not known, and must not be too large.
    fn shorten(&mut self, steps: &mut Matrix<f64>, changed: &[usize]) {
        for &i in changed {
            self.eigen.whiten(steps.row(i), &mut self.white);
            let length = dot(&self.white, &self.white).sqrt();
            let factor = shortening(length, self.dim);
            self.norms[i] = (factor * length).powi(2);
            steps.row_mut(i).iter_mut().for_each(|y| *y *= factor);
        }
    }

    /// (47), row by row of the lower triangle; `sorted` are the steps from best to worst, their norms in the same order.
    fn adapt(&mut self, order: &[usize], fade: f64) {
        let (n, rates) = (self.dim, &self.rates);
        // Weights of 0 (no active update) have no work.
        let used = if rates.weights[rates.lambda - 1] == 0.0 { rates.mu } else { rates.lambda };
        let weight = |k: usize| {
            let (w, norm) = (rates.weights[k], self.norms[order[k]]);
            let w = if w >= 0.0 {
                w
            } else if norm > 0.0 {
                w * n as f64 / norm
            } else {
                0.0
            }; // (46)
            rates.c_mu * w
        };
        self.white.resize(n.max(used), 0.0);
        (0..used).for_each(|k| self.white[k] = weight(k));
        let (p_c, sorted, weights) = (&self.p_c[..], &self.z, &self.white[..used]);
        each_chunk(&mut self.c, n, used * n / 2, |j, c| {
            let c = &mut c[..=j];
            let rank_one = rates.c_1 * p_c[j];
            c.iter_mut().zip(p_c).for_each(|(c, p)| *c = fade * *c + rank_one * p);
            add_rows(c, used, |k| {
                let y = &sorted.data()[k * n..k * n + j + 1];
                (weights[k] * y[j], y)
            });
        });
        self.white.truncate(n);
    }

    /// Appendix B.3.
    fn look_for_an_end(&mut self, told: &Told<'_>) {
        let (n, c) = (self.dim, &self.c);
        let now = Now {
            g: self.g,
            lambda: self.rates.lambda,
            told,
            mean: &self.mean,
            sigma: [self.sigma, self.sigma0],
            p_c: &self.p_c,
            tol_x: self.params.tol_x,
            tol_fun: self.params.tol_fun,
            tol_up_sigma: self.params.tol_up_sigma,
        };
        self.why = self.history.end(now, |j| c[j * n + j].sqrt());
        if self.why.is_none() && self.axis_is_lost() {
            self.why = Some(axis_lost());
        }
    }

    /// Whether a tenth of a deviation along one of the axes, another one each iteration, leaves the mean as it is.
    fn axis_is_lost(&self) -> bool {
        let axis = (self.g % self.dim as u64) as usize;
        let length = 0.1 * self.sigma * self.eigen.values[axis].sqrt();
        let direction = &self.eigen.vectors[axis * self.dim..(axis + 1) * self.dim];
        self.mean.iter().zip(direction).all(|(m, b)| *m == m + length * b)
    }
}

impl Distribution for CmaEs {
    const NAME: &'static str = "cma_es";
    type Params = Params;
    const USUAL: f64 = 0.2;
    const REDRAWS: usize = 3;
    const BENT: bool = true;

    fn numbers(params: &Params, dim: usize) -> f64 {
        super::points(params.particles.unwrap_or(usual_population(dim)), dim) + 7.0 * super::square(dim)
    }

    fn new(params: Params, dim: usize) -> Result<Self> {
        let lambda = params.particles.unwrap_or(usual_population(dim));
        Ok(CmaEs {
            dim,
            rates: Rates::new(lambda, dim, params.active, 1.0),
            params,
            mean: Vec::new(),
            sigma: 0.0,
            sigma0: 0.0,
            p_sigma: Vec::new(),
            p_c: Vec::new(),
            c: Vec::new(),
            root: Vec::new(),
            eigen: Eigen::default(),
            norms: Vec::new(),
            g: 0,
            decomposed: 0,
            history: History::default(),
            why: None,
            z: Matrix::default(),
            y_w: Vec::new(),
            white: Vec::new(),
        })
    }

    fn verify(&self, dim: usize, begun: bool) -> Result<()> {
        saved::parameters(&self.params)?;
        self.rates.verify(&self.history, [self.dim, dim], self.g)?;
        if !begun {
            return Ok(());
        }
        saved::lengths([("p_sigma", &self.p_sigma), ("p_c", &self.p_c), ("eigenvalues", &self.eigen.values)], dim)?;
        let squares = [("c", &self.c), ("root", &self.root), ("eigenvectors", &self.eigen.vectors)];
        saved::lengths(squares, dim.saturating_mul(dim))?;
        saved::length("norms", &self.norms, self.rates.lambda)
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
        self.eigen = Eigen::identity(n);
        self.c = self.eigen.vectors.clone();
        self.root = self.c.clone();
    }

    fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn mean_mut(&mut self) -> &mut [f64] {
        &mut self.mean
    }

    fn covariance(&self, j: usize, k: usize) -> f64 {
        self.sigma * self.sigma * self.c[j.max(k) * self.dim + j.min(k)]
    }

    fn unit(&self) -> f64 {
        self.sigma
    }

    fn sample(&mut self, rng: &Rng, steps: &mut Matrix<f64>) {
        self.decompose();
        let (n, lambda) = (self.dim, self.rates.lambda);
        self.z.resize(lambda, n);
        self.norms.resize(lambda, 0.0);
        draw_normals(&rng.fork("z"), &mut self.z);
        // (39): y = C^(1/2) z, as a combination of the root's rows; it is symmetric.
        let (root, z) = (&self.root, &self.z);
        each_row(steps, n * n, |i, y| {
            y.fill(0.0);
            add_rows(y, n, |k| (z.row(i)[k], &root[k * n..(k + 1) * n]));
        });
        self.norms.iter_mut().zip(z.iter()).for_each(|(norm, z)| *norm = dot(z, z));
    }

    fn redraw(&mut self, draws: &mut Draws<'_>, row: usize, y: &mut [f64]) {
        let (n, root, z) = (self.dim, &self.root, self.z.row_mut(row));
        draws.fill_normal(z);
        y.fill(0.0);
        add_rows(y, n, |k| (z[k], &root[k * n..(k + 1) * n]));
        self.norms[row] = dot(z, z);
    }

    fn update(&mut self, told: Told<'_>) {
        let n = self.dim;
        self.g += 1;
        self.white.resize(n, 0.0);
        self.shorten(told.steps, told.changed);
        self.z.resize(told.steps.len(), n);
        for (row, &i) in self.z.iter_mut().zip(told.order) {
            row.copy_from_slice(told.steps.row(i));
        }
        self.y_w.clear();
        self.y_w.resize(n, 0.0);
        let (rates, sorted) = (&self.rates, &self.z);
        add_rows(&mut self.y_w, rates.mu, |k| (rates.weights[k], sorted.row(k))); // (41)
        self.mean.iter_mut().zip(&self.y_w).for_each(|(m, y)| *m += self.sigma * y); // (42)
        self.eigen.whiten(&self.y_w, &mut self.white);
        let length = rates.follow(&mut self.p_sigma, &self.white); // (43)
        let heeds = rates.heeds(length, self.g, n);
        rates.walk(&mut self.p_c, &self.y_w, heeds); // (45)
        let (fade, growth) = (rates.fade(heeds), rates.growth(length));
        self.adapt(told.order, fade); // (46), (47)
        self.sigma *= growth; // (44)
        self.look_for_an_end(&told);
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

impl Steered for CmaEs {
    fn steer(&mut self, mean: &[f64], growth: f64) {
        self.mean.copy_from_slice(mean);
        self.sigma *= growth;
    }

    /// By the lower triangle.
    fn multiply(&self, g: &[f64], out: &mut [f64]) {
        let n = self.dim;
        out.fill(0.0);
        for j in 0..n {
            let row = &self.c[j * n..j * n + j];
            let below = dot(row, &g[..j]);
            out[j] += below + self.c[j * n + j] * g[j];
            out[..j].iter_mut().zip(row).for_each(|(o, c)| *o += c * g[j]);
        }
        let square = self.sigma * self.sigma;
        out.iter_mut().for_each(|o| *o *= square);
    }

    fn variances(&self, out: &mut [f64]) {
        let square = self.sigma * self.sigma;
        out.iter_mut().enumerate().for_each(|(j, o)| *o = square * self.c[j * self.dim + j]);
    }
}
