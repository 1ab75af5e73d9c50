//! A Gaussian process of unknown mean and variance through values that are known: what the objective may be elsewhere.
//!
//! Papers: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), eqs (2.25), (2.26), (4.17); Jones, Schonlau and
//! Welch, "Efficient global optimization of expensive black-box functions" (Journal of Global Optimization 13, 1998), eqs (4)-(9), (15).
//! With values z at n points, K_ij = k(x_i, x_j) + e for i = j, and k the correlations of a point with them:
//!
//! ```text
//! k(x, y) = (1 + a + a^2 / 3) exp(-a),  a = sqrt(5 sum over j of (x_j - y_j)^2 / l_j^2)                          (1)
//! b  = 1'K^-1 z / 1'K^-1 1,   s^2 = (z - b 1)'K^-1 (z - b 1) / n                                                 (2)
//! log L = -n/2 log s^2 - 1/2 log det K                                                                           (3)
//! m(x) = b + k'K^-1 (z - b 1),   v(x) = s^2 (1 - k'K^-1 k + (1 - 1'K^-1 k)^2 / 1'K^-1 1)                         (4)
//! E max(f - Z, 0) = sqrt(v) (q P(q) + p(q)),  q = (f - m) / sqrt(v),  for Z ~ N(m, v)                            (5)
//! ```

use crate::linear::{backward_solve, cholesky, dot, forward_solve};
use swarmgrad_core::math;

/// A Gaussian process that has been told values.
#[derive(Debug, Clone)]
pub struct Process {
    /// Points, one a row, and the lengths l.
    x: Vec<f64>,
    lengths: Vec<f64>,
    /// The lower factor of K.
    factor: Vec<f64>,
    /// L^-1 1, and K^-1 (z - b 1).
    ones: Vec<f64>,
    weights: Vec<f64>,
    mean: f64,
    variance: f64,
    likelihood: f64,
}

/// Least variance, as a share of s^2: what rounding leaves of it.
const LEAST: f64 = 1e-12;

impl Process {
    /// The process through the values `z` at the rows of `x`, with these lengths and e; none where K has lost its meaning.
    pub fn new(x: &[f64], z: &[f64], lengths: &[f64], nugget: f64) -> Option<Self> {
        let (n, dim) = (z.len(), lengths.len());
        let mut factor = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..i {
                factor[i * n + j] = correlation(&x[i * dim..(i + 1) * dim], &x[j * dim..(j + 1) * dim], lengths);
            }
            factor[i * n + i] = 1.0 + nugget;
        }
        if n == 0 || !cholesky(&mut factor, n) {
            return None;
        }
        let (mut ones, mut rest) = (vec![1.0; n], z.to_vec());
        forward_solve(&factor, n, &mut ones);
        forward_solve(&factor, n, &mut rest);
        let mean = dot(&ones, &rest) / dot(&ones, &ones);
        rest.iter_mut().zip(&ones).for_each(|(r, o)| *r -= mean * o);
        let variance = dot(&rest, &rest) / n as f64; // (2)
        let roots: f64 = (0..n).map(|i| math::ln(factor[i * n + i])).sum();
        let likelihood = -0.5 * n as f64 * math::ln(variance.max(f64::MIN_POSITIVE)) - roots; // (3)
        backward_solve(&factor, n, &mut rest);
        Some(Process {
            x: x.to_vec(),
            lengths: lengths.to_vec(),
            factor,
            ones,
            weights: rest,
            mean,
            variance,
            likelihood,
        })
    }

    /// log L.
    pub fn likelihood(&self) -> f64 {
        self.likelihood
    }

    /// Mean and variance at a point; `room` is a buffer.
    pub fn predict(&self, at: &[f64], room: &mut Vec<f64>) -> (f64, f64) {
        let n = self.weights.len();
        room.clear();
        room.extend(self.x.chunks_exact(at.len()).map(|x| correlation(x, at, &self.lengths)));
        let mean = self.mean + dot(room, &self.weights);
        forward_solve(&self.factor, n, room);
        let short = 1.0 - dot(&self.ones, room);
        let share = 1.0 - dot(room, room) + short * short / dot(&self.ones, &self.ones);
        (mean, self.variance * share.max(LEAST)) // (4)
    }

    /// The expected improvement over `best` at a point.
    pub fn improvement(&self, at: &[f64], best: f64, room: &mut Vec<f64>) -> f64 {
        let (mean, variance) = self.predict(at, room);
        let deviation = variance.sqrt();
        if deviation == 0.0 {
            return (best - mean).max(0.0);
        }
        let q = (best - mean) / deviation;
        let density = math::exp(-0.5 * q * q) / (2.0 * std::f64::consts::PI).sqrt();
        (deviation * (q * math::normal_cdf(q) + density)).max(0.0) // (5)
    }
}

/// Eq. (1).
fn correlation(x: &[f64], y: &[f64], lengths: &[f64]) -> f64 {
    let square: f64 = x.iter().zip(y).zip(lengths).map(|((x, y), l)| ((x - y) / l) * ((x - y) / l)).sum();
    let a = (5.0 * square).sqrt();
    (1.0 + a + a * a / 3.0) * math::exp(-a)
}

/// Values made fit for a process: those far above the median are drawn in, so that a wall does not hide the valley; then their mean is
/// 0 and their variance 1. Infinite ones count as the largest.
pub fn level(values: &[f64], z: &mut Vec<f64>) {
    z.clear();
    z.extend(values.iter().copied().filter(|f| f.is_finite()));
    z.sort_unstable_by(f64::total_cmp);
    let (Some(&best), Some(&worst)) = (z.first(), z.last()) else {
        z.resize(values.len(), 0.0);
        return;
    };
    let wall = CLIP * (z[z.len() / 2] - best);
    let drawn = |f: f64| {
        let over = (f - best) / wall - 1.0;
        if wall > 0.0 && over > 0.0 { best + wall * (1.0 + SOFT * math::ln(1.0 + over)) } else { f }
    };
    z.clear();
    z.extend(values.iter().map(|&f| drawn(if f.is_finite() { f } else { worst }) - best));
    let n = z.len() as f64;
    let mean = z.iter().sum::<f64>() / n;
    let deviation = (z.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / n).sqrt();
    let scale = if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 };
    z.iter_mut().for_each(|t| *t = (*t - mean) / scale);
}

/// Values above so many times the median's distance from the best are drawn in, and what is left of the logarithm of the excess.
const CLIP: f64 = 3.0;
const SOFT: f64 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean, variance and improvement by NumPy, with K inverted in full.
    const TWIN: [(f64, f64, f64); 3] = [
        (0.2999981777743902, 1.5050003922587177e-06, 0.0),
        (-0.6099142223624758, 0.13734376489327815, 0.02790679112472122),
        (0.49732781674106297, 0.5337404966992108, 0.005426862820962616),
    ];

    #[test]
    fn mean_variance_and_improvement_are_those_of_full_matrices() {
        let x = [0.1, 0.7, 0.4, 0.2, 0.9, 0.5, 0.6, 0.9];
        let z = [0.3, -1.2, 0.8, 0.1];
        let process = Process::new(&x, &z, &[0.5, 0.8], 1e-6).unwrap();
        assert!((process.likelihood() - (-0.03880167717443328)).abs() < 1e-12, "{}", process.likelihood());
        let mut room = Vec::new();
        for (at, (mean, variance, improvement)) in [[0.1, 0.7], [0.5, 0.5], [0.95, 0.05]].iter().zip(TWIN) {
            let (m, v) = process.predict(at, &mut room);
            let e = process.improvement(at, -1.0, &mut room);
            assert!((m - mean).abs() < 1e-11 && (v - variance).abs() < 1e-11, "{m} {v}");
            assert!((e - improvement).abs() < 1e-11, "{e}");
        }
        assert!(Process::new(&[0.5, 0.5], &[0.0, 1.0], &[0.3], 0.0).is_none(), "two values at one point");
    }

    #[test]
    fn a_wall_is_drawn_in_and_order_is_kept() {
        let mut z = Vec::new();
        level(&[1e9, 3.0, 1.0, 2.0, f64::INFINITY, 2.5], &mut z);
        assert!(z[2] < z[3] && z[3] < z[5] && z[5] < z[1] && z[1] < z[0] && z[0] == z[4]);
        assert!(z[0] - z[2] < 50.0 * (z[3] - z[2]), "{z:?}");
        assert!(z.iter().sum::<f64>().abs() < 1e-12);
        level(&[f64::INFINITY; 2], &mut z);
        assert_eq!(z, [0.0; 2]);
    }
}
