//! Gradients read off a Gaussian cloud around the point: by its consensus, and by least squares.
//!
//! ```text
//! x_i = w + sigma xi_i,  xi_i ~ N(0, I)
//! consensus       (w - x_alpha) / (alpha sigma^2),   x_alpha = sum_i x_i e^{-alpha f_i} / sum_i e^{-alpha f_i}
//! least squares   argmin_s sum_i (f_i - f(w) - <s, x_i - w>)^2
//! ```
//!
//! The first is, for many points, exactly the gradient of the smoothed envelope -(1/alpha) log E e^{-alpha f(w + sigma xi)}.
//! alpha -> infinity with alpha sigma^2 = tau is the Moreau envelope of [`super::proximal`], and x_alpha is the attractor of
//! consensus-based optimisation (Huang, Qiu and Riedl 2023, eq. 1.4). alpha -> 0 is the gradient of the Gaussian smoothing.

use super::curvature::towards;
use super::points::{antithetic_cloud, evaluate};
use crate::parameters::{Parameters, parameters};
use crate::particle::consensus;
use swarmgrad_core::{Error, GradientSource, Matrix, Problem, Real, Result, Rng, Sampled};

parameters! {
    /// Parameters of [`Consensus`].
    pub struct ConsensusParams {
        /// Weight of the values: how much the best of the cloud counts.
        alpha "alpha": f64 = 10.0, Above(0.0);
        /// Standard deviation of the cloud.
        sigma "sigma": f64 = 0.1, Above(0.0);
        /// Points of the cloud; a gradient costs one evaluation more.
        particles "n": usize = 200, AtLeast(1.0);
        /// Whether each point comes with its mirror image, which removes the noise of alpha -> 0.
        antithetic "": bool = true, Flag;
    }
}

/// The gradient of the smoothed envelope, from the consensus of a cloud.
///
/// Points outside the bounds are brought back before they are evaluated.
///
/// ```
/// use swarmgrad_algorithms::gradient::cloud::{Consensus, ConsensusParams};
/// use swarmgrad_core::{Function, GradientSource, Rng, Space};
///
/// let plane = Function::new(Space::unbounded(2)?, |x: &[f64]| x[0] - 2.0 * x[1]);
/// let mut source = Consensus::new(&plane, ConsensusParams { particles: 20_000, ..ConsensusParams::default() })?;
/// let mut gradient = [0.0; 2];
/// source.gradient(&[1.0, 1.0], &mut gradient, &Rng::new(1));
/// assert!((gradient[0] - 1.0).abs() < 0.1 && (gradient[1] + 2.0).abs() < 0.1);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Consensus<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    params: ConsensusParams,
    cloud: Matrix<F>,
    values: Vec<F>,
    attractor: Vec<F>,
}

impl<'a, F: Real> Consensus<'a, F> {
    /// The source for a problem. Errors name the parameter, its value and the rule.
    pub fn new(problem: &'a dyn Problem<F>, params: ConsensusParams) -> Result<Self> {
        params.check()?;
        Ok(Consensus { problem, params, cloud: Matrix::default(), values: Vec::new(), attractor: Vec::new() })
    }

    /// The consensus of the last gradient.
    pub fn attractor(&self) -> &[F] {
        &self.attractor
    }
}

impl<F: Real> GradientSource<F> for Consensus<'_, F> {
    fn gradient(&mut self, w: &[F], out: &mut [F], rng: &Rng) -> Sampled<F> {
        let p = &self.params;
        antithetic_cloud(self.problem.space(), w, p.sigma, p.particles, p.antithetic, rng, &mut self.cloud);
        evaluate(self.problem, &self.cloud, &mut self.values);
        let value = self.problem.value(w);
        self.attractor.clear();
        self.attractor.extend_from_slice(w); // where no value is finite: no direction
        consensus(&self.cloud, &self.values, p.alpha, 0..self.cloud.len(), &mut self.attractor);
        towards(1.0 / (p.alpha * p.sigma * p.sigma), w, &self.attractor, out);
        Sampled { value, evaluations: self.cloud.len() as u64 + 1, gradients: 0 }
    }
}

parameters! {
    /// Parameters of [`LeastSquares`].
    pub struct LeastSquaresParams {
        /// Standard deviation of the cloud.
        sigma "sigma": f64 = 1e-3, Above(0.0);
        /// Points of the cloud, half of them mirror images; null for twice the dimension. A gradient costs one evaluation more.
        particles "n": Option<usize> = None, AtLeast(2.0);
        /// Singular values below this share of the largest one count as 0.
        cutoff "": f64 = 1e-12, Below(0.0, 1.0);
    }
}

/// The slope of the plane that fits a cloud best; the shortest one where the cloud does not determine it. Exact on
/// quadratic functions from n = 2 dim on, because the mirror images cancel the curvature.
pub struct LeastSquares<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    params: LeastSquaresParams,
    cloud: Matrix<F>,
    values: Vec<F>,
}

impl<'a, F: Real> LeastSquares<'a, F> {
    /// The source for a problem. Errors name the parameter, its value and the rule.
    pub fn new(problem: &'a dyn Problem<F>, params: LeastSquaresParams) -> Result<Self> {
        params.check()?;
        if params.particles.is_some_and(|n| n.saturating_mul(problem.space().dim()) > 1 << 32) {
            let rule = format!("times {} variables must be at most 2^32 numbers", problem.space().dim());
            return Err(Error::parameter("particles", params.particles.unwrap_or(0), rule));
        }
        Ok(LeastSquares { problem, params, cloud: Matrix::default(), values: Vec::new() })
    }
}

impl<F: Real> GradientSource<F> for LeastSquares<'_, F> {
    fn gradient(&mut self, w: &[F], out: &mut [F], rng: &Rng) -> Sampled<F> {
        let n = self.params.particles.unwrap_or(2 * w.len());
        antithetic_cloud(self.problem.space(), w, self.params.sigma, n, true, rng, &mut self.cloud);
        evaluate(self.problem, &self.cloud, &mut self.values);
        let value = self.problem.value(w);
        let usable: Vec<usize> = (0..n).filter(|&i| (self.values[i] - value).is_finite()).collect();
        out.fill(F::zero());
        let a = faer::Mat::<f64>::from_fn(usable.len(), w.len(), |i, j| (self.cloud.row(usable[i])[j] - w[j]).f64());
        if let Ok(svd) = a.thin_svd() {
            // s = V S^+ U' (f - f(w))
            let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
            let rank = s.nrows();
            let largest = if rank > 0 { s[0] } else { 0.0 };
            for k in (0..rank).filter(|&k| s[k] > self.params.cutoff * largest) {
                let seen: f64 =
                    usable.iter().enumerate().map(|(i, &row)| u[(i, k)] * (self.values[row] - value).f64()).sum();
                out.iter_mut().enumerate().for_each(|(j, o)| *o += F::of(v[(j, k)] * seen / s[k]));
            }
        }
        Sampled { value, evaluations: n as u64 + 1, gradients: 0 }
    }
}
