//! The evolution strategies: SNES and CMA-ES, their learnable numbers, and what an update does by them.
//!
//! The loss of an iteration depends on the numbers of the update before it, which made the mean, the step-size and C that its
//! points were drawn from:
//!
//! ```text
//! SNES    m' = m + sum_k w_k y_(k),  ln sigma' = ln sigma + eta/2 sum_k w_k (s_(k)^2 - 1);   w by soft ranks, a function of tau
//! CMA-ES  ps' = (1 - cs) ps + r(cs) q,  r(c) = sqrt(c (2 - c) mueff):  d ps'/d cs = -ps + r'/r (ps' - (1 - cs) ps);  p_c alike
//!         ln sigma' = ln sigma + cs / ds (|ps'| / chi - 1)
//!         C' = fade C + c1 pc' pc'' + cmu S:  dC'/dc1 = (delta - 1) C + pc' pc'',  dC'/dcmu = S - sum w C
//!         x_i = m + sigma C^(1/2) z_i;  the derivative by the root becomes one by C in the axes of C: divided by
//!         sqrt(l_k) + sqrt(l_j)
//! local   m + sigma A t,  A^(1/2) (I + E + E^2 / 2) A^(1/2) in place of A = C^(1/2):  t and the symmetric E, 0 before every step
//! ```
//!
//! Ranks and hs change nothing as long as they stay the same. Between two decompositions the root does not see C.

use super::sampling::{C_M, Learns, Named, SIGMA};
use super::selection::{Added, Selection, TEMPERATURE, soften};
use crate::learn::{Learnable, Link};
use crate::relax::Form;
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::distribution::{Distribution, Steered, cma_es::CmaEs, snes::Snes};
use swarmgrad_algorithms::saved;
use swarmgrad_algorithms::{choice, parameters};
use swarmgrad_core::{Matrix, Result};

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// What SNES's last update did by the temperature.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ByTemperature {
    /// Derivatives of the weights.
    weights: Vec<f64>,
    /// The deviations before the update.
    sigma: Vec<f64>,
    /// Derivatives of the mean and of the logarithms of the deviations.
    mean: Vec<f64>,
    spread: Vec<f64>,
}

impl Named for Snes {
    const LABEL: &'static str = "diff_es";
    const THETA: &'static [Learnable] = &[SIGMA, C_M, TEMPERATURE];
    type Added = Selection;
    type Trace = ByTemperature;

    fn numbers(&self, how: &Learns, out: &mut Vec<f64>) {
        how.selecting.write(out);
    }

    fn set_numbers(&mut self, how: &mut Learns, numbers: &[f64]) {
        how.selecting.read(numbers);
    }

    fn verify_trace(trace: &ByTemperature, dim: usize) -> Result<()> {
        let vectors = [("sigma", &trace.sigma), ("mean", &trace.mean), ("spread", &trace.spread)];
        vectors.into_iter().try_for_each(|(name, vector)| saved::point(name, vector, dim))?;
        saved::length("spread", &trace.spread, trace.mean.len())
    }

    fn before(&mut self, how: &Learns, trace: &mut ByTemperature) {
        if how.selecting.form == Form::Hard {
            return;
        }
        let mut soft = Vec::new();
        soften(&self.usual_weights(), how.selecting.temperature, &mut soft, &mut trace.weights);
        if how.selecting.form == Form::Soft {
            self.set_weights(&soft);
        }
        trace.sigma.clear();
        trace.sigma.extend_from_slice(self.sigma());
    }

    fn after(&self, how: &Learns, (steps, order): (&Matrix<f64>, &[usize]), rate: f64, trace: &mut ByTemperature) {
        if how.selecting.form == Form::Hard {
            return;
        }
        let dim = trace.sigma.len();
        for out in [&mut trace.mean, &mut trace.spread] {
            out.clear();
            out.resize(dim, 0.0);
        }
        for (weight, &i) in trace.weights.iter().zip(order) {
            for (j, y) in steps.row(i).iter().enumerate() {
                trace.mean[j] += rate * weight * y;
                trace.spread[j] += 0.5 * self.eta() * weight * ((y / trace.sigma[j]).powi(2) - 1.0);
            }
        }
    }

    fn pull_back(
        &self,
        _how: &Learns,
        trace: &ByTemperature,
        steps: &Matrix<f64>,
        cotangent: &[f64],
        d_mean: &[f64],
        d_numbers: &mut [f64],
    ) {
        let Some(by_temperature) = d_numbers.first_mut().filter(|_| !trace.mean.is_empty()) else { return };
        *by_temperature += dot(&trace.mean, d_mean);
        let dim = steps.dim();
        for (y, c) in steps.iter().zip(cotangent.chunks_exact(dim)) {
            *by_temperature += (0..dim).map(|j| c[j] * y[j] * trace.spread[j]).sum::<f64>();
        }
    }
}

choice! {
    /// Which numbers of CMA-ES are learned.
    pub enum Numbers {
        /// sigma and c_m.
        StepSize = "step_size",
        /// Those, the mean, the factor of C, the rates of the paths and of C, and the damping.
        All = "all",
    }
}

parameters! {
    /// What is learned.
    pub struct Learned {
        /// Which numbers are learned or follow a schedule: sigma and c_m, or also m, C, c_sigma, d_sigma, c_c, c_1 and c_mu.
        numbers "": Numbers = Numbers::StepSize, Choice(Numbers::WORDS);
    }
}

impl Added for Learned {
    fn all(&self) -> bool {
        self.numbers == Numbers::All
    }
}

/// What CMA-ES's last update did by its numbers; matrices are full and symmetric.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ByRates {
    /// p_sigma, p_c and C before the update.
    paths: [Vec<f64>; 2],
    covariance: Vec<f64>,
    /// Derivatives of ln sigma by c_sigma and d_sigma.
    growth: [f64; 2],
    /// Derivatives of C by c_c, c_1 and c_mu.
    shape: [Vec<f64>; 3],
}

const fn rate(name: &'static str) -> Learnable {
    Learnable { name, link: Link::Sigmoid(1.0), bounds: [1e-9, 0.99] }
}

impl Named for CmaEs {
    const LABEL: &'static str = "diff_cma_es";
    const THETA: &'static [Learnable] = &[
        SIGMA,
        C_M,
        rate("c_sigma"),
        Learnable { name: "d_sigma", link: Link::Exp, bounds: [0.1, 100.0] },
        rate("c_c"),
        rate("c_1"),
        rate("c_mu"),
    ];
    type Added = Learned;
    type Trace = ByRates;

    fn numbers(&self, how: &Learns, out: &mut Vec<f64>) {
        if how.all {
            out.extend(self.law());
        }
    }

    fn set_numbers(&mut self, _how: &mut Learns, numbers: &[f64]) {
        if let &[c_sigma, d_sigma, c_c, c_1, c_mu] = numbers {
            self.set_law([c_sigma, d_sigma, c_c, c_1, c_mu]);
        }
    }

    fn local(&self, how: &Learns) -> usize {
        let n = self.mean().len();
        if how.all { n + n * (n + 1) / 2 } else { 0 }
    }

    fn displace(&mut self, local: &[f64]) {
        self.decompose(); // the root that the next sample would have
        let n = self.mean().len();
        let (shift, packed) = local.split_at(n);
        let (unit, root) = (self.unit(), self.root().to_vec());
        let mean: Vec<f64> = (0..n).map(|j| self.mean()[j] + unit * dot(&root[j * n..(j + 1) * n], shift)).collect();
        self.steer(&mean, 1.0);
        if packed.iter().all(|e| *e == 0.0) {
            return;
        }
        let mut e = vec![0.0; n * n];
        let mut entries = packed.iter();
        for j in 0..n {
            for k in 0..=j {
                let entry = entries.next().copied().unwrap_or(0.0);
                (e[j * n + k], e[k * n + j]) = (entry, entry);
            }
        }
        // I + E + E^2 / 2 is positive definite for every E.
        let mut factor = product(&e, &e, n);
        factor.iter_mut().zip(&e).for_each(|(f, e)| *f = 0.5 * *f + e);
        (0..n).for_each(|j| factor[j * n + j] += 1.0);
        let [values, vectors] = self.axes();
        let fourth: Vec<f64> = values.iter().map(|l| l.sqrt().sqrt()).collect();
        let quarter = from_axes(vectors, n, |k, l| if k == l { fourth[k] } else { 0.0 });
        let root = product(&quarter, &product(&factor, &quarter, n), n);
        self.set_root(&root);
    }

    fn verify_trace(trace: &ByRates, dim: usize) -> Result<()> {
        trace.paths.iter().try_for_each(|path| saved::point("path", path, dim))?;
        let square = dim.saturating_mul(dim);
        let mut squares = trace.shape.iter().chain([&trace.covariance]);
        squares.try_for_each(|square_matrix| saved::point("matrix", square_matrix, square))
    }

    fn before(&mut self, how: &Learns, trace: &mut ByRates) {
        if how.all {
            trace.paths = self.paths().map(<[f64]>::to_vec);
            trace.covariance = full(self.covariance(), self.mean().len());
        }
    }

    fn after(&self, how: &Learns, _told: (&Matrix<f64>, &[usize]), _rate: f64, trace: &mut ByRates) {
        if !how.all {
            return;
        }
        let n = self.mean().len();
        let [c_sigma, d_sigma, c_c, c_1, c_mu] = self.law();
        let ([p_sigma, p_c], [sum, _, chi]) = (self.paths(), self.constants());
        // d p'/dc = -p + r'/r (p' - (1 - c) p), r'/r = (1 - c) / (c (2 - c)).
        let slope = |new: &[f64], old: &[f64], c: f64| {
            let share = (1.0 - c) / (c * (2.0 - c));
            new.iter().zip(old).map(|(new, old)| -old + share * (new - (1.0 - c) * old)).collect::<Vec<f64>>()
        };
        let length = dot(p_sigma, p_sigma).sqrt();
        let excess = length / chi - 1.0;
        let d_length = dot(p_sigma, &slope(p_sigma, &trace.paths[0], c_sigma)) / length.max(f64::MIN_POSITIVE);
        trace.growth = [excess / d_sigma + c_sigma / d_sigma * d_length / chi, -c_sigma / d_sigma.powi(2) * excess];

        let d_path = slope(p_c, &trace.paths[1], c_c);
        let halted = p_c.iter().zip(&trace.paths[1]).all(|(new, old)| *new == (1.0 - c_c) * old);
        let stop = if halted { 1.0 } else { 0.0 };
        let delta = stop * c_c * (2.0 - c_c);
        let fade = 1.0 + c_1 * delta - c_1 - c_mu * sum;
        let (old, new) = (&trace.covariance, full(self.covariance(), n));
        let entries = |entry: &dyn Fn(usize, usize, usize) -> f64| {
            (0..n * n).map(|at| entry(at, at / n, at % n)).collect::<Vec<f64>>()
        };
        let one = |j: usize, k: usize| p_c[j] * p_c[k];
        trace.shape = [
            entries(&|at, j, k| c_1 * (d_path[j] * p_c[k] + p_c[j] * d_path[k] + stop * (2.0 - 2.0 * c_c) * old[at])),
            entries(&|at, j, k| (delta - 1.0) * old[at] + one(j, k)),
            entries(&|at, j, k| (new[at] - fade * old[at] - c_1 * one(j, k)) / c_mu - sum * old[at]),
        ];
    }

    fn pull_back(
        &self,
        how: &Learns,
        trace: &ByRates,
        steps: &Matrix<f64>,
        cotangent: &[f64],
        d_mean: &[f64],
        d_numbers: &mut [f64],
    ) {
        if !how.all {
            return;
        }
        let (n, unit) = (self.mean().len(), self.unit());
        let [values, vectors] = self.axes();
        let roots: Vec<f64> = values.iter().map(|l| l.sqrt()).collect();
        // The derivative by the root, in its axes: sigma sum_i c_i z_i', symmetric.
        let mut by_root = vec![0.0; n * n];
        let mut by_unit = 0.0;
        for (y, c) in steps.iter().zip(cotangent.chunks_exact(n)) {
            by_unit += dot(y, c);
            let along = |x: &[f64]| (0..n).map(|k| dot(&vectors[k * n..(k + 1) * n], x)).collect::<Vec<f64>>();
            let (y, c) = (along(y), along(c));
            for k in 0..n {
                for l in 0..n {
                    let (zk, zl) = (y[k] / roots[k], y[l] / roots[l]);
                    by_root[k * n + l] += 0.5 * unit * (c[k] * zl + c[l] * zk);
                }
            }
        }
        let (own, local) = d_numbers.split_at_mut(5);
        own[0] += unit * by_unit * trace.growth[0];
        own[1] += unit * by_unit * trace.growth[1];
        if self.is_decomposed() && !trace.covariance.is_empty() {
            let by_covariance = from_axes(vectors, n, |k, l| by_root[k * n + l] / (roots[k] + roots[l]));
            own[2..].iter_mut().zip(&trace.shape).for_each(|(d, shape)| *d += dot(&by_covariance, shape));
        }
        let (shift, packed) = local.split_at_mut(n);
        let root = self.root();
        shift.iter_mut().enumerate().for_each(|(j, d)| *d += unit * dot(&root[j * n..(j + 1) * n], d_mean));
        let by_factor = from_axes(vectors, n, |k, l| (roots[k] * roots[l]).sqrt() * by_root[k * n + l]);
        let mut entries = packed.iter_mut();
        for j in 0..n {
            for k in 0..=j {
                if let Some(d) = entries.next() {
                    *d += by_factor[j * n + k] * if j == k { 1.0 } else { 2.0 };
                }
            }
        }
    }
}

/// A symmetric matrix, row by row, from its lower triangle.
fn full(lower: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|at| (at / n, at % n)).map(|(j, k)| lower[j.max(k) * n + j.min(k)]).collect()
}

fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    for (row, a) in out.chunks_exact_mut(n).zip(a.chunks_exact(n)) {
        for (a, b) in a.iter().zip(b.chunks_exact(n)) {
            row.iter_mut().zip(b).for_each(|(o, b)| *o += a * b);
        }
    }
    out
}

/// The matrix that has these entries in the axes, which are the rows of `vectors`.
fn from_axes(vectors: &[f64], n: usize, entry: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let inner: Vec<f64> = (0..n * n).map(|at| entry(at / n, at % n)).collect();
    let right = product(&inner, vectors, n);
    let mut transposed = vec![0.0; n * n];
    (0..n * n).for_each(|at| transposed[at % n * n + at / n] = vectors[at]);
    product(&transposed, &right, n)
}
