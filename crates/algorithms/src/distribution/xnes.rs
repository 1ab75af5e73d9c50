//! Exponential natural evolution strategy: mean, size and shape of a normal distribution along the natural gradient.
//!
//! Paper: Glasmachers, Schaul, Sun, Wierstra and Schmidhuber, "Exponential natural evolution strategies" (GECCO 2010);
//! Wierstra et al., "Natural evolution strategies" (JMLR 2014), algorithm 5 and table 1:
//!
//! ```text
//! x_k = mu + sigma B s_k,  s_k ~ N(0, I)
//! G_d = sum u_k s_k,  G_M = sum u_k (s_k s_k' - I),  G_s = tr(G_M) / d,  G_B = G_M - G_s I
//! mu    <- mu + sigma B G_d                      (eta_mu = 1)
//! sigma <- sigma exp(eta / 2 G_s)
//! B     <- B exp(eta / 2 G_B),                   eta = (9 + 3 ln d) / (5 d sqrt d)
//! u_k   = max(0, ln(lambda / 2 + 1) - ln k) / sum - 1 / lambda   for the k-th best
//! ```
//!
//! The u_k sum to 0, so G_M acts on the span of the s_k only: with an orthonormal basis Q of it, exp(eta / 2 G_M) =
//! I + Q (exp(eta / 2 Q' G_M Q) - I) Q', which costs d^2 lambda operations instead of d^3.
//!
//! Differs from the paper: eta is at most 1 (d = 1); the first population holds the initial mean itself.

use super::{Distribution, Samples, Told, draw_normals, natural_weights, seen, usual_population};
use crate::linear::eigen::Eigen;
use crate::linear::rows::{add_rows, dot};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Matrix, Real, Result, Rng, View, math};

parameters! {
    /// Parameters of [`Xnes`].
    pub struct Params {
        /// Population; null for 4 + floor(3 ln d).
        particles "lambda": Option<usize> = None, AtLeast(2.0);
        /// Initial standard deviation as a share of the width of the box; without bounds 0.3 is the deviation of the start's law.
        sigma "sigma": f64 = 0.3, Above(0.0);
        /// Learning rate of size and shape; null for (9 + 3 ln d) / (5 d sqrt d), at most 1.
        eta "eta_sigma, eta_B": Option<f64> = None, Above(0.0);
    }
}

/// The state of xNES.
#[derive(Debug, Serialize, Deserialize)]
pub struct Xnes {
    params: Params,
    weights: Vec<f64>,
    eta: f64,
    mean: Vec<f64>,
    sigma: f64,
    /// Row k is column k of B.
    columns: Matrix<f64>,
    /// B^(-1), for steps that did not come from the distribution.
    inverse: Matrix<f64>,
    /// s.
    s: Matrix<f64>,
    #[serde(skip)]
    work: Work,
}

/// Room for an update: rank r = min(lambda, d).
#[derive(Debug, Default)]
struct Work {
    /// Orthonormal basis Q' of the span of the s_k, r by d; empty where that is all of R^d.
    basis: Matrix<f64>,
    /// The s_k in that basis, lambda by r.
    inner: Matrix<f64>,
    /// Q' M Q, later exp of it less I.
    growth: Vec<f64>,
    eigen: Eigen,
    /// Q' times the matrix, r by d.
    shadow: Matrix<f64>,
    row: Vec<f64>,
}

/// xNES as an algorithm.
pub type XnesSamples<F> = Samples<F, Xnes>;

impl Xnes {
    /// B <- B exp(M), B^(-1) <- exp(-M) B^(-1) for M = eta / 2 G_M of the population from best to worst.
    fn reshape(&mut self, order: &[usize]) {
        let (n, lambda) = (self.mean.len(), order.len());
        let Work { basis, inner, growth, eigen, shadow, row } = &mut self.work;
        let r = n.min(lambda);
        if r < n {
            orthonormalise(&self.s, basis, inner);
        } else {
            basis.clear();
            inner.copy_from(self.s.rows());
        }
        growth.clear();
        growth.resize(r * r, 0.0);
        for j in 0..r {
            add_rows(&mut growth[j * r..(j + 1) * r], lambda, |k| {
                let s = inner.row(order[k]);
                (0.5 * self.eta * self.weights[k] * s[j], s)
            });
        }
        if eigen.values.len() != r {
            *eigen = Eigen::identity(r);
        }
        if !eigen.decompose(growth) {
            self.sigma = f64::NAN; // the numbers have been left: the run ends
            return;
        }
        for (matrix, sign) in [(&mut self.columns, 1.0), (&mut self.inverse, -1.0)] {
            eigen.function(|t| math::exp_m1(sign * t), growth);
            // Rows of the matrix <- (I + Q (exp(M) - I) Q') rows.
            shadow.resize(r, n);
            row.resize(r, 0.0);
            if basis.is_empty() {
                shadow.copy_from(matrix.rows());
            }
            for (m, q) in basis.iter().enumerate() {
                shadow.row_mut(m).fill(0.0);
                add_rows(shadow.row_mut(m), n, |j| (q[j], matrix.row(j)));
            }
            for j in 0..n {
                if basis.is_empty() {
                    row.copy_from_slice(&growth[j * r..(j + 1) * r]);
                } else {
                    row.fill(0.0);
                    add_rows(row, r, |m| (basis.row(m)[j], &growth[m * r..(m + 1) * r]));
                }
                add_rows(matrix.row_mut(j), r, |m| (row[m], shadow.row(m)));
            }
        }
    }
}

/// Gram and Schmidt, modified and done twice: `basis` becomes orthonormal rows (zero where a row depends on those before), and
/// `inner` the rows in that basis.
fn orthonormalise(rows: &Matrix<f64>, basis: &mut Matrix<f64>, inner: &mut Matrix<f64>) {
    let r = rows.len();
    basis.copy_from(rows.rows());
    inner.resize(r, r);
    inner.data_mut().fill(0.0);
    for k in 0..r {
        let (head, tail) = basis.data_mut().split_at_mut(k * rows.dim());
        let here = &mut tail[..rows.dim()];
        let before = dot(here, here).sqrt();
        for _ in 0..2 {
            for (j, q) in head.chunks_exact(rows.dim()).enumerate() {
                let a = dot(q, here);
                inner.row_mut(k)[j] += a;
                here.iter_mut().zip(q).for_each(|(t, q)| *t -= a * q);
            }
        }
        let length = dot(here, here).sqrt();
        let independent = length > 1e-12 * before;
        inner.row_mut(k)[k] = if independent { length } else { 0.0 };
        here.iter_mut().for_each(|t| *t = if independent { *t / length } else { 0.0 });
    }
}

impl Distribution for Xnes {
    const NAME: &'static str = "xnes";
    type Params = Params;
    const REDRAWS: usize = 3;
    const BENT: bool = true;

    fn numbers(params: &Params, dim: usize) -> f64 {
        super::points(params.particles.unwrap_or(usual_population(dim)), dim) + 2.5 * super::square(dim)
    }

    fn new(params: Params, dim: usize) -> Result<Self> {
        let lambda = params.particles.unwrap_or(usual_population(dim));
        let n = dim as f64;
        let eta = params.eta.unwrap_or(((9.0 + 3.0 * math::ln(n)) / (5.0 * n * n.sqrt())).min(1.0));
        let (weights, empty) = (natural_weights(lambda), Matrix::default);
        let work = Work::default();
        Ok(Xnes {
            params,
            weights,
            eta,
            mean: Vec::new(),
            sigma: 0.0,
            columns: empty(),
            inverse: empty(),
            s: empty(),
            work,
        })
    }

    fn verify(&self, dim: usize, begun: bool) -> Result<()> {
        saved::parameters(&self.params)?;
        if !begun {
            return Ok(());
        }
        saved::shape("columns", &self.columns, dim, dim)?;
        saved::shape("inverse", &self.inverse, dim, dim)?;
        saved::shape("s", &self.s, self.weights.len(), dim)
    }

    fn population(&self) -> usize {
        self.weights.len()
    }

    fn spread(&self) -> f64 {
        self.params.sigma
    }

    fn begin(&mut self, mean: Vec<f64>, deviation: f64) {
        self.columns = Matrix::zeros(mean.len(), mean.len());
        (0..mean.len()).for_each(|j| self.columns.row_mut(j)[j] = 1.0);
        self.inverse = self.columns.clone();
        self.sigma = deviation;
        self.mean = mean;
    }

    fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn mean_mut(&mut self) -> &mut [f64] {
        &mut self.mean
    }

    fn covariance(&self, j: usize, k: usize) -> f64 {
        self.columns.iter().map(|column| column[j] * column[k]).sum::<f64>() * self.sigma * self.sigma
    }

    fn unit(&self) -> f64 {
        self.sigma
    }

    fn sample(&mut self, rng: &Rng, steps: &mut Matrix<f64>) {
        self.s.resize(steps.len(), steps.dim());
        draw_normals(&rng.fork("z"), &mut self.s);
        let (s, columns) = (&self.s, &self.columns);
        crate::linear::rows::each_row(steps, columns.data().len(), |i, y| {
            y.fill(0.0);
            add_rows(y, columns.len(), |k| (s.row(i)[k], columns.row(k)));
        });
    }

    fn redraw(&mut self, draws: &mut Draws<'_>, row: usize, y: &mut [f64]) {
        draws.fill_normal(self.s.row_mut(row));
        let (s, columns) = (self.s.row(row), &self.columns);
        y.fill(0.0);
        add_rows(y, columns.len(), |k| (s[k], columns.row(k)));
    }

    fn update(&mut self, told: Told<'_>) {
        let (n, lambda) = (self.mean.len(), self.weights.len());
        for &i in told.changed {
            let y = told.steps.row(i);
            self.s.row_mut(i).iter_mut().zip(self.inverse.iter()).for_each(|(s, row)| *s = dot(row, y));
        }
        add_rows(&mut self.mean, lambda, |k| (self.sigma * self.weights[k], told.steps.row(told.order[k])));
        let trace: f64 =
            told.order.iter().zip(&self.weights).map(|(&i, u)| u * dot(self.s.row(i), self.s.row(i))).sum();
        let mean_growth = trace / n as f64;
        self.reshape(told.order);
        // The trace part of exp(eta / 2 G_M) belongs to sigma.
        let shape = math::exp(-0.5 * self.eta * mean_growth);
        self.columns.data_mut().iter_mut().for_each(|b| *b *= shape);
        self.inverse.data_mut().iter_mut().for_each(|b| *b /= shape);
        self.sigma *= math::exp(0.5 * self.eta * mean_growth);
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.vectors.extend(seen("mean", &self.mean));
        view.numbers.push(("sigma", self.sigma));
    }
}
