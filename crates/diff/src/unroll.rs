//! Through many iterations: the derivative of a run's result by the method's numbers.
//!
//! ```text
//! pathwise   d f_best / d theta by dual numbers through all moves, comparisons decided by the values        short horizons
//! PES        persistent evolution strategies: theta + s xi a window, xi afresh and accumulated over the run's windows,
//!            gradient = sum over windows of E[ (sum of xi so far) (loss gained in the window) ] / s^2        long horizons
//! ```
//!
//! Papers: forward mode, Wengert 1964; Vicol, Metz and Sohl-Dickstein, "Unbiased gradient estimation in unrolled computation
//! graphs with persistent evolution strategies" (ICML 2021), with mirrored pairs.
//!
//! What to expect, measured on PSO (20 particles on a sphere of ten variables, d ln f_best / d w, 200,000 seeds). The pathwise
//! derivative misses the jumps of personal and global bests: against the difference quotient of the mean it is 1.00 over two
//! iterations, 0.98 +- 0.03 over five, 0.90 +- 0.03 over ten and 0.79 +- 0.02 over twenty, and its deviation over seeds grows a
//! hundredfold from 10 to 100 iterations. The quotient itself has a deviation of 13 % over a thousand seeds at five iterations:
//! fewer do not show a bias there. PES is unbiased at any horizon for the result smoothed by its perturbations, whereas the
//! same estimate without accumulation (truncation) is not.
//!
//! Differs from the papers: the loss of a window is what it adds to the final loss, so that the sum over windows is the
//! final loss less the first.

use crate::Dual;
use crate::operator::Operator;
use crate::operator::travel::Pso;
use swarmgrad_core::{Differentiable, Matrix, Rng, Scalar};

/// The value of a problem at a point that carries derivatives, by its gradient and the chain rule.
pub fn lift<const K: usize>(problem: &dyn Differentiable, x: &[Dual<K>]) -> Dual<K> {
    let point: Vec<f64> = x.iter().map(|t| t.value).collect();
    let mut gradient = vec![0.0; point.len()];
    problem.gradient(&point, &mut gradient);
    let slope = |k: usize| x.iter().zip(&gradient).fold(0.0, |sum, (t, g)| sum + g * t.slopes[k]);
    Dual { value: problem.value(&point), slopes: std::array::from_fn(slope) }
}

/// A swarm that is unrolled: global topology, a draw for each coordinate, no bounds after the start.
#[derive(Debug, Clone)]
pub struct Unrolled<S> {
    dim: usize,
    x: Vec<S>,
    v: Vec<S>,
    y: Vec<S>,
    fy: Vec<S>,
    iteration: u64,
    rng: Rng,
}

impl<S: Scalar> Unrolled<S> {
    /// Uniform positions in the problem's box, at rest.
    pub fn new(problem: &dyn Differentiable, particles: usize, rng: &Rng, value: impl Fn(&[S]) -> S) -> Self {
        let (space, dim) = (problem.space(), problem.space().dim());
        let mut start = Matrix::<f64>::zeros(particles, dim);
        rng.fork("start").fill_uniform(0..particles, 0..dim, start.data_mut());
        let place = |(k, u): (usize, &f64)| S::of(space.lower()[k % dim] + u * space.width(k % dim));
        let x: Vec<S> = start.data().iter().enumerate().map(place).collect();
        let fy = x.chunks_exact(dim).map(value).collect();
        Unrolled { dim, v: vec![S::zero(); x.len()], y: x.clone(), x, fy, iteration: 0, rng: rng.clone() }
    }

    /// The best value so far.
    pub fn best(&self) -> S {
        self.fy[self.leader()]
    }

    fn leader(&self) -> usize {
        (1..self.fy.len()).fold(0, |best, i| if self.fy[i] < self.fy[best] { i } else { best })
    }

    /// One iteration with w, c1 and c2.
    pub fn advance(&mut self, law: [S; 3], value: impl Fn(&[S]) -> S) {
        self.iteration += 1;
        let (n, dim, rng) = (self.fy.len(), self.dim, self.rng.at(self.iteration));
        let draws = ["r1", "r2"].map(|label| {
            let mut draws = vec![0.0; n * dim];
            rng.fork(label).fill_uniform(0..n, 0..dim, &mut draws);
            draws
        });
        let leader = self.leader();
        let g = self.y[leader * dim..(leader + 1) * dim].to_vec();
        let (mut inputs, mut outputs) = (Vec::with_capacity(4 * dim), vec![S::zero(); 2 * dim]);
        for i in 0..n {
            let row = i * dim..(i + 1) * dim;
            inputs.clear();
            [&self.x, &self.v, &self.y].iter().for_each(|part| inputs.extend_from_slice(&part[row.clone()]));
            inputs.extend_from_slice(&g);
            let operator = Pso { r1: &draws[0][row.clone()], r2: &draws[1][row.clone()] };
            operator.forward(&law, &inputs, &mut outputs);
            self.x[row.clone()].copy_from_slice(&outputs[..dim]);
            self.v[row].copy_from_slice(&outputs[dim..]);
        }
        for i in 0..n {
            let row = i * dim..(i + 1) * dim;
            let f = value(&self.x[row.clone()]);
            if f < self.fy[i] {
                self.fy[i] = f;
                self.y[row.clone()].copy_from_slice(&self.x[row]);
            }
        }
    }
}

/// ln f_best of PSO after so many iterations with its derivatives by w, c1 and c2; the problem's minimum must be 0.
pub fn pathwise(problem: &dyn Differentiable, law: [f64; 3], particles: usize, iterations: u64, rng: &Rng) -> Dual<3> {
    let law: [Dual<3>; 3] = std::array::from_fn(|k| Dual::variable(law[k], k));
    let value = |x: &[Dual<3>]| lift(problem, x);
    let mut swarm = Unrolled::new(problem, particles, rng, value);
    (0..iterations).for_each(|_| swarm.advance(law, value));
    swarm.best().ln()
}

/// Shortens derivatives to a length; those that are not finite become 0.
pub fn clip(slopes: &mut [f64], longest: f64) {
    let largest = slopes.iter().fold(0.0f64, |m, s| m.max(s.abs()));
    let norm = slopes.iter().map(|s| (s / largest).powi(2)).sum::<f64>().sqrt() * largest;
    if slopes.iter().any(|s| !s.is_finite()) {
        slopes.fill(0.0);
    } else if norm > longest {
        slopes.iter_mut().for_each(|s| *s *= longest / norm);
    }
}

/// A computation that goes on under numbers that may change.
pub trait Inner {
    /// Where it stands.
    type State;
    /// The beginning; everything random is decided by `rng`, so that two beginnings with the same one are the same.
    fn begin(&self, rng: &Rng) -> Self::State;
    /// One iteration with the numbers `theta`.
    fn advance(&self, state: &mut Self::State, theta: &[f64]);
    /// What is to become small.
    fn loss(&self, state: &Self::State) -> f64;
}

/// How persistent evolution strategies look.
#[derive(Debug, Clone, Copy)]
pub struct Persistent {
    /// Deviation of the perturbations.
    pub sigma: f64,
    /// Mirrored pairs of runs.
    pub pairs: usize,
    /// Iterations of a window.
    pub window: u64,
    /// Iterations of a run.
    pub horizon: u64,
    /// Whether perturbations accumulate; without it is truncation, which is biased.
    pub persistent: bool,
}

/// An estimate of the derivative of the final loss by `theta`. Both runs of a pair see the same draws. A loss that is not
/// finite ends its pair.
pub fn persistent<I: Inner>(inner: &I, theta: &[f64], how: Persistent, rng: &Rng) -> Vec<f64> {
    let mut gradient = vec![0.0; theta.len()];
    for pair in 0..how.pairs {
        let draws = rng.fork("run").fork(&pair.to_string());
        let mut runs = [(); 2].map(|()| {
            let start = inner.begin(&draws);
            let loss = inner.loss(&start);
            (start, loss)
        });
        let (mut fresh, mut gathered) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
        let (mut done, mut windows) = (0, 0);
        while done < how.horizon {
            let steps = how.window.clamp(1, how.horizon - done);
            rng.fork("perturbation").at(windows).row(pair).fill_normal(&mut fresh);
            if !how.persistent {
                gathered.fill(0.0);
            }
            gathered.iter_mut().zip(&fresh).for_each(|(g, e)| *g += how.sigma * e);
            let mut gains = [0.0; 2];
            for ((run, sign), gain) in runs.iter_mut().zip([1.0, -1.0]).zip(&mut gains) {
                let moved: Vec<f64> = theta.iter().zip(&fresh).map(|(t, e)| t + sign * how.sigma * e).collect();
                (0..steps).for_each(|_| inner.advance(&mut run.0, &moved));
                let loss = inner.loss(&run.0);
                *gain = loss - run.1;
                run.1 = loss;
            }
            let difference = gains[0] - gains[1];
            if !difference.is_finite() {
                break;
            }
            let share = difference / (2.0 * how.pairs as f64 * how.sigma * how.sigma);
            gradient.iter_mut().zip(&gathered).for_each(|(g, e)| *g += share * e);
            done += steps;
            windows += 1;
        }
    }
    gradient
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: [f64; 3] = [0.729_843_788_128_357, 1.496_179_765_663_133, 1.496_179_765_663_133];

    struct Sphere(swarmgrad_core::Space);

    impl swarmgrad_core::Problem for Sphere {
        fn space(&self) -> &swarmgrad_core::Space {
            &self.0
        }
        fn value(&self, x: &[f64]) -> f64 {
            x.iter().map(|t| t * t).sum()
        }
    }

    impl Differentiable for Sphere {
        fn gradient(&self, x: &[f64], out: &mut [f64]) {
            out.iter_mut().zip(x).for_each(|(o, t)| *o = 2.0 * t);
        }
    }

    fn sphere() -> Sphere {
        Sphere(swarmgrad_core::Space::cube(10, -5.12, 5.12).unwrap())
    }

    /// Mean and deviation over seeds of the pathwise derivative by w, and the difference quotient of the mean.
    fn by_inertia(iterations: u64, seeds: u64) -> [f64; 3] {
        let problem = sphere();
        let result = |w: f64, seed: u64| pathwise(&problem, [w, LAW[1], LAW[2]], 20, iterations, &Rng::new(seed));
        let slopes: Vec<f64> = (0..seeds).map(|seed| result(LAW[0], seed).slopes[0]).collect();
        let mean = slopes.iter().sum::<f64>() / seeds as f64;
        let deviation = (slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / seeds as f64).sqrt();
        let h = 0.01;
        let rise = (0..seeds).map(|seed| result(LAW[0] + h, seed).value - result(LAW[0] - h, seed).value);
        [mean, deviation, rise.sum::<f64>() / (2.0 * h * seeds as f64)]
    }

    #[test]
    fn a_pathwise_derivative_is_that_of_its_path() {
        let (problem, rng, h) = (sphere(), Rng::new(5), 1e-7);
        let at = |law| pathwise(&problem, law, 20, 5, &rng);
        let exact = at(LAW);
        for k in 0..3 {
            let moved = |h: f64| {
                let mut law = LAW;
                law[k] += h;
                at(law).value
            };
            let quotient = (moved(h) - moved(-h)) / (2.0 * h);
            assert!((quotient - exact.slopes[k]).abs() < 1e-5 * (1.0 + quotient.abs()), "{k}: {quotient} {exact:?}");
        }
    }

    #[test]
    fn pathwise_derivatives_become_biased_and_explode() {
        let [mean, _, truth] = by_inertia(2, 1_000);
        assert!((mean / truth - 1.0).abs() < 0.05, "K = 2: {mean} {truth}");
        // The jumps of the bests are missing. This bias is documented, not repaired.
        let [mean, _, truth] = by_inertia(20, 4_000);
        assert!((0.65..0.93).contains(&(mean / truth)), "K = 20: {mean} {truth}");
        let [[_, short, _], [_, long, _]] = [10, 100].map(|k| by_inertia(k, 300));
        assert!(long > 50.0 * short, "{short} {long}");
    }

    /// Descent on a x^2 / 2 from 1 with rate theta: x_T = (1 - theta a)^T.
    struct Descent;

    impl Inner for Descent {
        type State = f64;
        fn begin(&self, _rng: &Rng) -> f64 {
            1.0
        }
        fn advance(&self, x: &mut f64, theta: &[f64]) {
            *x -= theta[0] * 0.5 * *x;
        }
        fn loss(&self, x: &f64) -> f64 {
            0.25 * x * x
        }
    }

    #[test]
    fn persistent_strategies_are_unbiased_and_truncated_ones_are_not() {
        let theta: f64 = 0.2;
        let truth = 0.25 * 40.0 * (1.0 - 0.5 * theta).powi(39) * -0.5;
        let estimate = |persistent| {
            let how = Persistent { sigma: 0.01, pairs: 40_000, window: 4, horizon: 20, persistent };
            super::persistent(&Descent, &[theta], how, &Rng::new(3))[0]
        };
        let (whole, cut) = (estimate(true), estimate(false));
        assert!((whole / truth - 1.0).abs() < 0.1, "{whole} {truth}");
        assert!((cut / truth - 1.0).abs() > 0.3, "{cut} {truth}");
    }

    #[test]
    fn clipping_keeps_directions() {
        let mut slopes = [3e200, 4e200];
        clip(&mut slopes, 1.0);
        assert!((slopes[0] - 0.6).abs() < 1e-12 && (slopes[1] - 0.8).abs() < 1e-12);
        let mut small = [0.3, 0.4];
        clip(&mut small, 1.0);
        assert_eq!(small, [0.3, 0.4]);
        let mut broken = [f64::NAN, 1.0];
        clip(&mut broken, 1.0);
        assert_eq!(broken, [0.0, 0.0]);
    }
}
