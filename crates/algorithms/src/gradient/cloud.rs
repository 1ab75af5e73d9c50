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
use super::points::{antithetic_cloud, evaluate, length};
use crate::linear::{Singular, Triangle, dot};
use crate::parameters::{Parameters, parameters};
use crate::particle::{alpha_for_sample_size, consensus};
use swarmgrad_core::{Error, GradientSource, Matrix, Problem, Real, Reliability, Result, Rng, Sampled, math};

parameters! {
    /// Parameters of [`Consensus`].
    pub struct ConsensusParams {
        /// Weight of the values: how much the best of the cloud counts; null for 10, and less where the cloud is tilted and could not bear it.
        alpha "alpha": Option<f64> = None, Above(0.0);
        /// Standard deviation of the cloud.
        sigma "sigma": f64 = 0.1, Above(0.0);
        /// Points of the cloud; null for 200 in one variable, and in several 300, or 30 a variable where that is more. A gradient costs one evaluation more.
        particles "n": Option<usize> = None, AtLeast(1.0);
        /// Whether each point comes with its mirror image, which removes the noise of alpha -> 0.
        antithetic "": bool = true, Flag;
    }
}

/// The largest alpha that is taken without being asked for.
const ALPHA: f64 = 10.0;
/// The least alpha, where values differ without measure.
const SMALLEST: f64 = 1e-12;
/// Points a variable that a cloud must have to be tilted.
const TILTED: usize = 4;
/// The share of a tilted cloud that is to count: what its slope changes within the cloud, which is the error of the consensus, is a
/// fraction of the slope then.
const COUNTING: f64 = 0.9;

/// The gradient of the smoothed envelope, from the consensus of a cloud.
///
/// Points outside the bounds are brought back before they are evaluated. In several variables a cloud of at least four points
/// a variable is tilted: its first half shows the slope s, the second lies about w - alpha sigma^2 s, where the weights
/// e^{-alpha f} put the mass of the first, and counts with e^{-alpha (f - <s, x - w>)}. The envelope is the same; what is left in the
/// weights is what f has beyond its slope, so that not one point takes all.
///
/// ```
/// use swarmgrad_algorithms::gradient::cloud::{Consensus, ConsensusParams};
/// use swarmgrad_core::{Function, GradientSource, Rng, Space};
///
/// let plane = Function::new(Space::unbounded(2)?, |x: &[f64]| x[0] - 2.0 * x[1]);
/// let mut source = Consensus::new(&plane, ConsensusParams::default())?;
/// let mut gradient = [0.0; 2];
/// let sampled = source.gradient(&[1.0, 1.0], &mut gradient, &Rng::new(1));
/// assert!((gradient[0] - 1.0).abs() < 1e-9 && (gradient[1] + 2.0).abs() < 1e-9);
/// assert!(sampled.evaluations == 301 && sampled.reliability.is_some_and(|r| r.collapse.is_none()));
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Consensus<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    params: ConsensusParams,
    cloud: Matrix<F>,
    values: Vec<F>,
    attractor: Vec<F>,
    weights: Vec<f64>,
    alpha: f64,
}

impl<'a, F: Real> Consensus<'a, F> {
    /// The source for a problem. Errors name the parameter, its value and the rule.
    pub fn new(problem: &'a dyn Problem<F>, params: ConsensusParams) -> Result<Self> {
        params.check()?;
        let alpha = params.alpha.unwrap_or(ALPHA);
        let (cloud, values, attractor, weights) = (Matrix::default(), Vec::new(), Vec::new(), Vec::new());
        Ok(Consensus { problem, params, cloud, values, attractor, weights, alpha })
    }

    /// The consensus of the last gradient.
    pub fn attractor(&self) -> &[F] {
        &self.attractor
    }

    /// The alpha of the last gradient.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Spends `half` points and one on the slope at `w`, written to `slope`, and chooses alpha; the centre of the tilted cloud.
    ///
    /// Alpha is the largest with which nine points of ten would count in weights of what the slope leaves, the centre is no farther
    /// away than the cloud is wide, and the slope at the centre differs from that at w by no more than weights bear: sigma alpha
    /// (alpha sigma^2) |s| k <= 1, where k is the curvature along s.
    fn tilt(&mut self, w: &[F], value: F, half: usize, slope: &mut [F], rng: &Rng) -> Vec<F> {
        let p = &self.params;
        let (space, outside) = (self.problem.space(), rng.fork("probe"));
        antithetic_cloud(space, w, p.sigma, half, p.antithetic, rng, &mut self.cloud);
        evaluate(self.problem, &self.cloud, &mut self.values);
        plane(&self.cloud, &self.values, w, value, CUTOFF, slope);
        untilt(&self.cloud, w, slope, &mut self.values);
        let (steepness, radius) = (length(slope), (w.len() as f64).sqrt());
        let down =
            |way: f64, slope: &[F]| -> Vec<F> { w.iter().zip(slope).map(|(&w, &s)| w - F::of(way) * s).collect() };
        let way = if steepness > 0.0 { p.sigma * radius / steepness } else { 0.0 };
        let mut probe = down(way, slope);
        space.repair(&mut probe, 0, &mut outside.row(0));
        let left = (self.problem.value(&probe) - value).f64() + way * steepness * steepness;
        let curvature = 2.0 * left.abs() / (p.sigma * radius).powi(2);
        if p.alpha.is_some() {
            // Where a given alpha reaches past the valley, the tilt stops where the weights gather: at ratio 1/(1 + alpha sigma^2 k).
            let ratio = 1.0 / (1.0 + self.alpha * p.sigma * p.sigma * curvature);
            if ratio.is_finite() {
                slope.iter_mut().for_each(|s| *s *= F::of(ratio));
            }
        } else {
            self.alpha = alpha_for_sample_size(&self.values, COUNTING, SMALLEST, ALPHA);
            let bounds = [radius / (p.sigma * steepness), 1.0 / (p.sigma.powi(3) * curvature * steepness).sqrt()];
            self.alpha = bounds.into_iter().filter(|bound| bound.is_finite()).fold(self.alpha, f64::min).max(SMALLEST);
        }
        down(self.alpha * p.sigma * p.sigma, slope)
    }

    /// Effective sample size of the weights p of the cloud, and the standard error of its consensus c: the root of the sum over
    /// draws of |sum p_i (x_i - c)|^2, where a point and its mirror image are one draw.
    fn weighed(&mut self) -> (f64, f64) {
        let finite = |f: &F| f.is_finite();
        let lowest = self.values.iter().filter(|f| finite(f)).map(|f| f.f64()).fold(f64::INFINITY, f64::min);
        let weight = |f: &F| if f.is_finite() { math::exp(-self.alpha * (f.f64() - lowest)) } else { 0.0 };
        self.weights.clear();
        self.weights.extend(self.values.iter().map(weight));
        let (sum, squares) = self.weights.iter().fold((0.0, 0.0), |(s, q), p| (s + p, q + p * p));
        let effective = if squares > 0.0 { sum * sum / squares } else { 0.0 };
        if effective <= 1.0 {
            return (effective, f64::INFINITY); // one point alone says nothing of its error
        }
        let together = if self.params.antithetic { 2 } else { 1 };
        let c = &self.attractor;
        let draw = |k: usize, weights: &[f64]| -> f64 {
            let off = |j: usize| {
                let rows = weights.iter().enumerate().filter(|(_, p)| **p > 0.0);
                rows.map(|(i, p)| p * (self.cloud.row(k * together + i)[j] - c[j]).f64()).sum::<f64>()
            };
            (0..c.len()).map(|j| off(j) * off(j)).sum()
        };
        let variance: f64 = self.weights.chunks(together).enumerate().map(|(k, weights)| draw(k, weights)).sum();
        (effective, (variance * effective / (effective - 1.0)).sqrt() / sum)
    }
}

/// Takes the plane of slope `s` through `w` off the values.
fn untilt<F: Real>(cloud: &Matrix<F>, w: &[F], s: &[F], values: &mut [F]) {
    for (value, x) in values.iter_mut().zip(cloud.iter()).filter(|(value, _)| value.is_finite()) {
        *value -= x.iter().zip(w).zip(s).map(|((&x, &w), &s)| s * (x - w)).sum::<F>();
    }
}

impl<F: Real> GradientSource<F> for Consensus<'_, F> {
    fn gradient(&mut self, w: &[F], out: &mut [F], rng: &Rng) -> Sampled<F> {
        let dim = w.len();
        let n = self.params.particles.unwrap_or(if dim == 1 { 200 } else { 300.max(dim.saturating_mul(30)) });
        let (sigma, antithetic) = (self.params.sigma, self.params.antithetic);
        let value;
        if dim > 1 && n >= TILTED * dim {
            value = self.problem.value(w);
            let rest = (n - 1) / 4 * 2; // in pairs, so that on a plane nothing is left of the draws
            let half = n - 1 - rest;
            let centre = self.tilt(w, value, half, out, rng);
            let (space, rng) = (self.problem.space(), rng.fork("tilted"));
            antithetic_cloud(space, &centre, sigma, rest, antithetic, &rng, &mut self.cloud);
            evaluate(self.problem, &self.cloud, &mut self.values);
            untilt(&self.cloud, w, out, &mut self.values);
        } else {
            antithetic_cloud(self.problem.space(), w, sigma, n, antithetic, rng, &mut self.cloud);
            evaluate(self.problem, &self.cloud, &mut self.values);
            value = self.problem.value(w);
        }
        self.attractor.clear();
        self.attractor.extend_from_slice(w); // where no value is finite: no direction
        consensus(&self.cloud, &self.values, self.alpha, 0..self.cloud.len(), &mut self.attractor);
        let kappa = 1.0 / (self.alpha * sigma * sigma);
        towards(kappa, w, &self.attractor, out);
        let (effective, spread) = self.weighed();
        let reliability = Reliability::of(effective, dim as f64 + 1.0, kappa * spread, length(out));
        Sampled { value, evaluations: n as u64 + 1, gradients: 0, reliability: Some(reliability) }
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
        cutoff "": f64 = CUTOFF, Below(0.0, 1.0);
    }
}

const CUTOFF: f64 = 1e-12;

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
        let dim = problem.space().dim() as u64;
        if params.particles.is_some_and(|n| (n as u64).saturating_mul(dim) > 1 << 32) {
            let rule = format!("times {dim} variables must be at most 2^32 numbers");
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
        let fit = plane(&self.cloud, &self.values, w, value, self.params.cutoff, out);
        let error = (2.0 * fit.inverse_squares * scatter(&self.cloud, &self.values, out, fit.rank)).sqrt();
        let effective = fit.rank as f64 / (fit.inverse_squares * self.params.sigma * self.params.sigma);
        // A direction that no point looks in has no slope.
        let needed = if fit.rank < w.len() { f64::INFINITY } else { 0.0 };
        let reliability = Reliability::of(if fit.rank > 0 { effective } else { 0.0 }, needed, error, length(out));
        Sampled { value, evaluations: n as u64 + 1, gradients: 0, reliability: Some(reliability) }
    }
}

/// What the design of a fit says: its rank, and the sum of 1 / s^2 over its singular values s.
struct Fit {
    rank: usize,
    inverse_squares: f64,
}

/// Writes the slope of the plane through (`w`, `value`) that fits the cloud best; the shortest one where the cloud does not
/// determine it.
fn plane<F: Real>(cloud: &Matrix<F>, values: &[F], w: &[F], value: F, cutoff: f64, out: &mut [F]) -> Fit {
    let usable: Vec<usize> = (0..cloud.len()).filter(|&i| (values[i] - value).is_finite()).collect();
    out.fill(F::zero());
    let mut fit = Fit { rank: 0, inverse_squares: 0.0 };
    let (n, dim) = (usable.len(), w.len());
    if n == 0 {
        return fit;
    }
    // A, n by dim, or A' where that is the narrower one: its columns.
    let narrow = n < dim;
    let entry = |i: usize, j: usize| (cloud.row(usable[i])[j] - w[j]).f64();
    let flat: Vec<f64> = match narrow {
        true => (0..n * dim).map(|at| entry(at / dim, at % dim)).collect(),
        false => (0..n * dim).map(|at| entry(at % n, at / n)).collect(),
    };
    let rises: Vec<f64> = usable.iter().map(|&i| (values[i] - value).f64()).collect();
    let (columns, side): (Vec<&[f64]>, _) = match narrow {
        true => (flat.chunks_exact(dim).collect(), vec![0.0; dim]),
        false => (flat.chunks_exact(n).collect(), rises.clone()),
    };
    let triangle = Triangle::of(&columns, &side);
    let singular = triangle.singular();
    let largest = singular.iter().fold(0.0, |most: f64, one| most.max(one.s));
    let mut found = vec![0.0; columns.len()];
    for Singular { s, u, v } in singular.iter().filter(|one| one.s > cutoff * largest) {
        // R = U S V'. With A = Q R it is V S^+ U' Q' (f - f(w)), with A' = Q R it is A' V S^+ S^+ V' (f - f(w)).
        let share = if narrow { dot(v, &rises) / (s * s) } else { dot(u, triangle.right_side()) / s };
        found.iter_mut().zip(v).for_each(|(t, v)| *t += share * v);
        fit.rank += 1;
        fit.inverse_squares += 1.0 / (s * s);
    }
    let slope = |j: usize| if narrow { columns.iter().zip(&found).map(|(row, t)| t * row[j]).sum() } else { found[j] };
    out.iter_mut().enumerate().for_each(|(j, o)| *o = F::of(slope(j)));
    fit
}

/// The variance of what a slope leaves of half the differences between mirror images, from as many of them as the fit has to spare;
/// that of rounding at least.
fn scatter<F: Real>(cloud: &Matrix<F>, values: &[F], slope: &[F], rank: usize) -> f64 {
    let pairs = values.len() / 2;
    let left = |k: usize| {
        let (ahead, behind) = (cloud.row(2 * k), cloud.row(2 * k + 1));
        let fitted: f64 = slope.iter().zip(ahead).zip(behind).map(|((s, a), b)| s.f64() * (*a - *b).f64()).sum();
        0.5 * ((values[2 * k] - values[2 * k + 1]).f64() - fitted)
    };
    let squares: f64 = (0..pairs).map(left).filter(|r| r.is_finite()).map(|r| r * r).sum();
    let size = values.iter().map(|f| f.f64().abs()).filter(|f| f.is_finite()).fold(0.0, f64::max);
    let rounding = F::epsilon().f64() * size;
    let spare = pairs.saturating_sub(rank);
    (if spare > 0 { squares / spare as f64 } else { 0.0 }).max(rounding * rounding)
}
