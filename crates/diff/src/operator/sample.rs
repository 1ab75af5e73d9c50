//! Sampling and recombination of evolution strategies and CMA-ES.
//!
//! ```text
//! sample         x_i = m + sigma A z_i              A = C^(1/2), or the identity with a sigma a coordinate
//! recombination  y_w = sum_r w_r y_(r)              y_(r) the step of rank r, hard or by SoftSort
//! step           m'  = m + c_m sigma y_w
//! ```

use super::survive::Best;
use super::{Operator, Sizes, one_or_each, place};
use crate::relax::Relaxation;
use swarmgrad_core::Scalar;

/// Points of a normal distribution. Theta: sigma, one or one a coordinate; inputs: m, and where `shaped` A row by row; outputs:
/// the points.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Standard normals, a row a point.
    pub noise: &'a [f64],
    /// Coordinates.
    pub dim: usize,
    /// Whether there is a matrix A.
    pub shaped: bool,
    /// Whether every coordinate has its own sigma.
    pub each: bool,
}

impl Operator for Sample<'_> {
    fn sizes(&self) -> Sizes {
        let matrix = if self.shaped { self.dim * self.dim } else { 0 };
        let theta = if self.each { self.dim } else { 1 };
        Sizes { theta, inputs: self.dim + matrix, outputs: self.noise.len() }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (mean, a) = inputs.split_at(self.dim);
        for (x, z) in outputs.chunks_exact_mut(self.dim).zip(self.noise.chunks_exact(self.dim)) {
            for (j, o) in x.iter_mut().enumerate() {
                let step = if self.shaped {
                    let row = &a[j * self.dim..(j + 1) * self.dim];
                    row.iter().zip(z).fold(S::zero(), |sum, (&a, &z)| sum + a * S::of(z))
                } else {
                    S::of(z[j])
                };
                *o = mean[j] + one_or_each(theta, j) * step;
            }
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.dim;
        for (c, z) in cotangent.chunks_exact(dim).zip(self.noise.chunks_exact(dim)) {
            for j in 0..dim {
                let sigma = place(theta, j);
                d_inputs[j] += c[j];
                if !self.shaped {
                    d_theta[sigma] += c[j] * z[j];
                    continue;
                }
                for (l, z) in z.iter().enumerate() {
                    let entry = dim + j * dim + l;
                    d_theta[sigma] += c[j] * inputs[entry] * z;
                    d_inputs[entry] += c[j] * theta[sigma] * z;
                }
            }
        }
    }
}

/// The weighted sum of the best points. Inputs: n scores (smaller is better), then n points, then where `based` the point that
/// the sum starts from; output: a point.
#[derive(Debug, Clone, Copy)]
pub struct Mean<'a> {
    /// How ranks are decided; the temperature is in units of the scores.
    pub relax: Relaxation,
    /// Weights of the best, in order; at most n of them.
    pub weights: &'a [f64],
    /// Points.
    pub n: usize,
    /// Coordinates.
    pub dim: usize,
    /// Whether the sum starts from a point, else from 0.
    pub based: bool,
}

impl Mean<'_> {
    fn ranked(&self) -> Best {
        Best { relax: self.relax, k: self.weights.len(), n: self.n, dim: self.dim }
    }
}

impl Operator for Mean<'_> {
    fn sizes(&self) -> Sizes {
        let base = usize::from(self.based);
        Sizes { theta: 0, inputs: self.n * (1 + self.dim) + base * self.dim, outputs: self.dim }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (ranked, base) = inputs.split_at(self.n * (1 + self.dim));
        let mut best = vec![S::zero(); self.weights.len() * self.dim];
        self.ranked().forward(theta, ranked, &mut best);
        if self.based {
            outputs.copy_from_slice(base)
        } else {
            outputs.fill(S::zero())
        }
        for (row, &w) in best.chunks_exact(self.dim).zip(self.weights) {
            outputs.iter_mut().zip(row).for_each(|(o, &x)| *o = *o + S::of(w) * x);
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (ranked, _) = inputs.split_at(self.n * (1 + self.dim));
        let (d_ranked, d_base) = d_inputs.split_at_mut(self.n * (1 + self.dim));
        let spread: Vec<f64> = self.weights.iter().flat_map(|w| cotangent.iter().map(move |c| w * c)).collect();
        self.ranked().vjp(theta, ranked, &spread, d_theta, d_ranked);
        d_base.iter_mut().zip(cotangent).for_each(|(d, c)| *d += c);
    }
}

/// The step of the mean. Theta: c_m, sigma; inputs: m, y_w; output: m + c_m sigma y_w.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Coordinates.
    pub dim: usize,
}

impl Operator for Step {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 2, inputs: 2 * self.dim, outputs: self.dim }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (mean, step) = inputs.split_at(self.dim);
        for (o, (&m, &y)) in outputs.iter_mut().zip(mean.iter().zip(step)) {
            *o = m + theta[0] * (theta[1] * y);
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (_, step) = inputs.split_at(self.dim);
        for (j, c) in cotangent.iter().enumerate() {
            d_theta[0] += c * theta[1] * step[j];
            d_theta[1] += c * theta[0] * step[j];
            d_inputs[j] += c;
            d_inputs[self.dim + j] += c * theta[0] * theta[1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_algorithms::distribution::{Distribution, Told, cma_es::CmaEs, snes::Snes};
    use swarmgrad_core::{Matrix, Rng, sort_indices};

    const DIM: usize = 5;

    fn run<O: Operator>(operator: &O, theta: &[f64], inputs: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; operator.sizes().outputs];
        assert_eq!((theta.len(), inputs.len()), (operator.sizes().theta, operator.sizes().inputs));
        operator.forward(theta, inputs, &mut out);
        out
    }

    fn value(x: &[f64]) -> f64 {
        x.iter().enumerate().map(|(j, t)| (1 + 5 * j) as f64 * (t - 0.3).powi(2)).sum()
    }

    /// Plays the plain distribution; every iteration its points and its next mean are held, bit by bit, against `sampled`
    /// (distribution, mean, normals) and `recombined` (distribution, relaxation, mean, scores, steps).
    fn replay<D: Distribution>(
        sampled: impl Fn(&D, &[f64], &[f64]) -> Vec<f64>,
        recombined: impl Fn(&D, Relaxation, f64, &[f64], &[f64], &[f64]) -> Vec<f64>,
    ) {
        let mut plain = D::new(D::Params::default(), DIM).unwrap();
        let lambda = plain.population();
        plain.begin(vec![1.0, -2.0, 0.5, 3.0, 0.1], 0.7);
        let (mut steps, mut order) = (Matrix::zeros(lambda, DIM), Vec::new());
        for g in 0..80 {
            let rng = Rng::new(11).at(g);
            plain.sample(&rng, &mut steps);
            let (mean, unit) = (plain.mean().to_vec(), plain.unit());
            let point = |y: &[f64]| y.iter().zip(&mean).map(|(y, m)| m + unit * y).collect::<Vec<f64>>();
            let points: Vec<Vec<f64>> = steps.iter().map(point).collect();
            let mut noise = vec![0.0; lambda * DIM];
            rng.fork("z").fill_normal(0..lambda, 0..DIM, &mut noise);
            assert_eq!(sampled(&plain, &mean, &noise), points.concat(), "{} points of {g}", D::NAME);
            let values: Vec<f64> = points.iter().map(|x| value(x)).collect();
            sort_indices(&values, &mut order);
            let relaxations = [Relaxation::HARD, Relaxation::straight_through(0.3)];
            let next = relaxations.map(|relax| recombined(&plain, relax, unit, &mean, &values, steps.data()));
            plain.update(Told { steps: &mut steps, values: &values, order: &order, changed: &[] });
            next.iter().for_each(|next| assert_eq!(next, plain.mean(), "{} mean of {g}", D::NAME));
        }
        assert!(value(plain.mean()) < 1e-3, "{}", value(plain.mean()));
    }

    #[test]
    fn sampling_and_recombination_are_those_of_the_plain_kernels() {
        replay::<CmaEs>(
            |plain, mean, noise| {
                let inputs = [mean, plain.root()].concat();
                run(&Sample { noise, dim: DIM, shaped: true, each: false }, &[plain.unit()], &inputs)
            },
            |plain, relax, unit, mean, values, steps| {
                let (n, weights) = (values.len(), plain.weights());
                let y_w = run(&Mean { relax, weights, n, dim: DIM, based: false }, &[], &[values, steps].concat());
                run(&Step { dim: DIM }, &[1.0, unit], &[mean, &y_w].concat())
            },
        );
        replay::<Snes>(
            |plain, mean, noise| run(&Sample { noise, dim: DIM, shaped: false, each: true }, plain.sigma(), mean),
            |plain, relax, _, mean, values, steps| {
                let (n, weights) = (values.len(), plain.weights());
                run(&Mean { relax, weights, n, dim: DIM, based: true }, &[], &[values, steps, mean].concat())
            },
        );
    }
}
