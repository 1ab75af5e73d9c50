//! A Gaussian process of unknown mean and variance through values that are known: what the objective may be elsewhere.
//!
//! Papers: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), eqs (2.25), (2.26), (4.9), (4.17), (5.9); Jones,
//! Schonlau and Welch, "Efficient global optimization of expensive black-box functions" (Journal of Global Optimization 13, 1998), eqs
//! (4)-(9), (15). With values z at n points, K_ij = k(x_i, x_j) + e for i = j, and k the correlations of a point with them:
//!
//! ```text
//! k(x, y) = (1 + a + a^2 / 3) exp(-a),  a = sqrt(5 S)  (Matern);  exp(-S / 2)  (Gauss);  S = sum_j (x_j - y_j)^2 / l_j^2    (1)
//! b  = 1'K^-1 z / 1'K^-1 1,   s^2 = (z - b 1)'K^-1 (z - b 1) / n                                                 (2)
//! log L = -n/2 log s^2 - 1/2 log det K                                                                           (3)
//! m(x) = b + k'K^-1 (z - b 1),   v(x) = s^2 (1 - k'K^-1 k + (1 - 1'K^-1 k)^2 / 1'K^-1 1)                         (4)
//! E max(f - Z, 0) = sqrt(v) (q P(q) + p(q)),  q = (f - m) / sqrt(v),  for Z ~ N(m, v)                            (5)
//! d log L / dt = 1/2 sum_ij (a_i a_j / s^2 - K^-1_ij) dK_ij / dt,  a = K^-1 (z - b 1)                            (6)
//! ```

use crate::linear::dot;
use serde::{Deserialize, Serialize};
use swarmgrad_core::math;

/// How values are correlated over a distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kernel {
    /// Differentiable twice.
    Matern,
    /// As smooth as can be.
    Gauss,
}

impl Kernel {
    /// Both of them.
    pub const ALL: [Kernel; 2] = [Kernel::Matern, Kernel::Gauss];

    /// k for S of eq. (1), and c with dk / d ln l_j = c (x_j - y_j)^2 / l_j^2 and dk / dy_j = c (x_j - y_j) / l_j^2.
    fn at(self, square: f64) -> (f64, f64) {
        match self {
            Kernel::Matern => {
                let a = (5.0 * square).sqrt();
                let e = math::exp(-a);
                ((1.0 + a + a * a / 3.0) * e, 5.0 / 3.0 * (1.0 + a) * e)
            }
            Kernel::Gauss => {
                let k = math::exp(-0.5 * square);
                (k, k)
            }
        }
    }
}

/// A Gaussian process that has been told values.
#[derive(Debug, Clone)]
pub struct Process {
    kernel: Kernel,
    /// Points, one a row, and the lengths l.
    x: Vec<f64>,
    lengths: Vec<f64>,
    nugget: f64,
    /// U with U'U = K, row by row.
    factor: Vec<f64>,
    /// K^-1 1, 1'K^-1 1, and K^-1 (z - b 1).
    ones: Vec<f64>,
    total: f64,
    weights: Vec<f64>,
    mean: f64,
    variance: f64,
    likelihood: f64,
}

/// What a process says of a point, with the slopes of both.
#[derive(Debug, Default)]
pub struct Prediction {
    /// m of eq. (4).
    pub mean: f64,
    /// v of eq. (4).
    pub variance: f64,
    mean_slope: Vec<f64>,
    variance_slope: Vec<f64>,
    correlations: Vec<(f64, f64)>,
    room: Vec<f64>,
}

/// Least variance, as a share of s^2: what rounding leaves of it.
const LEAST: f64 = 1e-12;

impl Process {
    /// The process through the values `z` at the rows of `x`, with these lengths and e; none where K has lost its meaning.
    pub fn new(kernel: Kernel, x: &[f64], z: &[f64], lengths: &[f64], nugget: f64) -> Option<Self> {
        let (n, dim) = (z.len(), lengths.len());
        let mut factor = vec![0.0; n * n];
        for i in 0..n {
            factor[i * n + i] = 1.0 + nugget;
            for j in i + 1..n {
                let square = distance(&x[i * dim..(i + 1) * dim], &x[j * dim..(j + 1) * dim], lengths);
                factor[i * n + j] = kernel.at(square).0;
            }
        }
        if n == 0 || !factorize(&mut factor, n) {
            return None;
        }
        let (mut ones, mut rest) = (vec![1.0; n], z.to_vec());
        forward(&factor, n, &mut ones);
        forward(&factor, n, &mut rest);
        let total = dot(&ones, &ones);
        let mean = dot(&ones, &rest) / total;
        rest.iter_mut().zip(&ones).for_each(|(r, o)| *r -= mean * o);
        let variance = dot(&rest, &rest) / n as f64; // (2)
        let roots: f64 = (0..n).map(|i| math::ln(factor[i * n + i])).sum();
        let likelihood = -0.5 * n as f64 * math::ln(variance.max(f64::MIN_POSITIVE)) - roots; // (3)
        backward(&factor, n, &mut rest);
        backward(&factor, n, &mut ones);
        Some(Process {
            kernel,
            x: x.to_vec(),
            lengths: lengths.to_vec(),
            nugget,
            factor,
            ones,
            total,
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

    /// Eq. (6): the slopes of log L in the logarithms of the lengths, added up by `groups` of variables, and of e, which comes last.
    pub fn likelihood_slopes(&self, groups: &[usize], slopes: &mut Vec<f64>) {
        let (n, dim) = (self.weights.len(), self.lengths.len());
        let inverse = self.inverse();
        let count = groups.iter().max().map_or(0, |&g| g + 1);
        slopes.clear();
        slopes.resize(count + 1, 0.0);
        let scale = 1.0 / self.variance.max(f64::MIN_POSITIVE);
        let mut parts = vec![0.0; count];
        for i in 0..n {
            for j in i + 1..n {
                parts.fill(0.0);
                let mut square = 0.0;
                let pair = self.x[i * dim..(i + 1) * dim].iter().zip(&self.x[j * dim..(j + 1) * dim]);
                for (((x, y), l), &group) in pair.zip(&self.lengths).zip(groups) {
                    let part = ((x - y) / l) * ((x - y) / l);
                    parts[group] += part;
                    square += part;
                }
                let weight = self.weights[i] * self.weights[j] * scale - inverse[i * n + j];
                let weight = weight * self.kernel.at(square).1; // twice 1/2
                slopes.iter_mut().zip(&parts).for_each(|(slope, part)| *slope += weight * part);
            }
            slopes[count] += 0.5 * self.nugget * (self.weights[i] * self.weights[i] * scale - inverse[i * n + i]);
        }
    }

    /// The upper half of K^-1.
    fn inverse(&self) -> Vec<f64> {
        let n = self.weights.len();
        // V = U^-1 row by row from below: V_ij = -sum over k of U_ik V_kj / U_ii.
        let mut v = vec![0.0; n * n];
        for i in (0..n).rev() {
            let diagonal = 1.0 / self.factor[i * n + i];
            let (row, below) = v[i * n..].split_at_mut(n);
            for k in i + 1..n {
                let u = self.factor[i * n + k];
                let other = &below[(k - i - 1) * n + k..(k - i) * n];
                row[k..].iter_mut().zip(other).for_each(|(r, o)| *r -= u * o);
            }
            row[i + 1..].iter_mut().for_each(|r| *r *= diagonal);
            row[i] = diagonal;
        }
        let mut inverse = vec![0.0; n * n];
        for i in 0..n {
            for j in i..n {
                inverse[i * n + j] = dot_fast(&v[i * n + j..(i + 1) * n], &v[j * n + j..(j + 1) * n]);
            }
        }
        inverse
    }

    /// Mean and variance at a point.
    pub fn predict(&self, at: &[f64], out: &mut Prediction) {
        let n = self.weights.len();
        let rows = self.x.chunks_exact(at.len());
        out.correlations.clear();
        out.correlations.extend(rows.map(|x| self.kernel.at(distance(x, at, &self.lengths))));
        out.room.clear();
        out.room.extend(out.correlations.iter().map(|(k, _)| k));
        out.mean = self.mean + dot_fast(&out.room, &self.weights);
        let short = 1.0 - dot_fast(&out.room, &self.ones);
        forward(&self.factor, n, &mut out.room);
        let share = 1.0 - dot_fast(&out.room, &out.room) + short * short / self.total;
        out.variance = self.variance * share.max(LEAST); // (4)
    }

    /// The slopes of mean and variance at the point of the last prediction.
    fn slopes(&self, at: &[f64], out: &mut Prediction) {
        let n = self.weights.len();
        backward(&self.factor, n, &mut out.room); // K^-1 k
        let short = 1.0 - out.correlations.iter().zip(&self.ones).map(|((k, _), o)| k * o).sum::<f64>();
        out.mean_slope.clear();
        out.mean_slope.resize(at.len(), 0.0);
        out.variance_slope.clear();
        out.variance_slope.resize(at.len(), 0.0);
        for (i, x) in self.x.chunks_exact(at.len()).enumerate() {
            let c = out.correlations[i].1;
            let share = -2.0 * (out.room[i] + short * self.ones[i] / self.total);
            let (mean, variance) = (c * self.weights[i], c * share * self.variance);
            for (j, (&x, &y)) in x.iter().zip(at).enumerate() {
                let part = (x - y) / (self.lengths[j] * self.lengths[j]);
                out.mean_slope[j] += mean * part;
                out.variance_slope[j] += variance * part;
            }
        }
    }

    /// The logarithm of the expected improvement over `best` at a point; also where the improvement itself is too small to be a number.
    pub fn log_improvement(&self, at: &[f64], best: f64, out: &mut Prediction) -> f64 {
        self.predict(at, out);
        let deviation = out.variance.sqrt();
        if deviation == 0.0 {
            return math::ln((best - out.mean).max(0.0));
        }
        math::ln(deviation) + log_gain((best - out.mean) / deviation) // (5)
    }

    /// The slope of it, after it.
    pub fn log_improvement_slope(&self, at: &[f64], best: f64, out: &mut Prediction, slope: &mut Vec<f64>) {
        self.slopes(at, out);
        slope.clear();
        slope.resize(at.len(), 0.0);
        let deviation = out.variance.sqrt();
        if deviation == 0.0 {
            return;
        }
        // d EI = p(q) d sigma - P(q) d m
        let q = (best - out.mean) / deviation;
        let gain = log_gain(q);
        let density = math::exp(log_density(q) - gain);
        let share = if q > -TAIL { math::normal_cdf(q) * math::exp(-gain) } else { -q };
        for (j, s) in slope.iter_mut().enumerate() {
            let spread = 0.5 * out.variance_slope[j] / deviation;
            *s = (density * spread - share * out.mean_slope[j]) / deviation;
        }
    }
}

/// From here on to the left the first terms of the expansion stand for q P(q) + p(q).
const TAIL: f64 = 20.0;

fn log_density(q: f64) -> f64 {
    -0.5 * q * q - 0.5 * math::ln(2.0 * std::f64::consts::PI)
}

/// ln (q P(q) + p(q)); far to the left p(q) (1 / q^2 - 3 / q^4).
fn log_gain(q: f64) -> f64 {
    if q > -TAIL {
        let gain = q * math::normal_cdf(q) + math::exp(log_density(q));
        if gain > 0.0 {
            return math::ln(gain);
        }
    }
    log_density(q) + math::ln(1.0 / (q * q) - 3.0 / (q * q * q * q))
}

/// S of eq. (1).
fn distance(x: &[f64], y: &[f64], lengths: &[f64]) -> f64 {
    x.iter().zip(y).zip(lengths).map(|((x, y), l)| ((x - y) / l) * ((x - y) / l)).sum()
}

/// The sum of products in eight parts, which processors add up side by side.
fn dot_fast(a: &[f64], b: &[f64]) -> f64 {
    let mut parts = [0.0; 8];
    let (xs, ys) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = dot(xs.remainder(), ys.remainder());
    for (x, y) in xs.zip(ys) {
        parts.iter_mut().zip(x.iter().zip(y)).for_each(|(p, (x, y))| *p += x * y);
    }
    parts.iter().sum::<f64>() + rest
}

/// Turns the upper half of K into U, row by row; false if K is not positive definite.
fn factorize(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        let (above, below) = a.split_at_mut((i + 1) * n);
        let row = &mut above[i * n..];
        if !(row[i] > 0.0 && row[i].is_finite()) {
            return false;
        }
        let root = row[i].sqrt();
        row[i..].iter_mut().for_each(|t| *t /= root);
        for j in i + 1..n {
            let u = row[j];
            let other = &mut below[(j - i - 1) * n + j..(j - i) * n];
            other.iter_mut().zip(&row[j..]).for_each(|(t, r)| *t -= u * r);
        }
    }
    true
}

/// Solves U'x = b in place.
fn forward(u: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let (done, rest) = b.split_at_mut(i + 1);
        done[i] /= u[i * n + i];
        rest.iter_mut().zip(&u[i * n + i + 1..(i + 1) * n]).for_each(|(b, u)| *b -= done[i] * u);
    }
}

/// Solves U x = b in place.
fn backward(u: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        let row = &u[i * n..(i + 1) * n];
        b[i] = (b[i] - dot_fast(&row[i + 1..], &b[i + 1..])) / row[i];
    }
}

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
        let process = Process::new(Kernel::Matern, &x, &z, &[0.5, 0.8], 1e-6).unwrap();
        assert!((process.likelihood() - (-0.03880167717443328)).abs() < 1e-12, "{}", process.likelihood());
        let mut out = Prediction::default();
        for (at, (mean, variance, improvement)) in [[0.1, 0.7], [0.5, 0.5], [0.95, 0.05]].iter().zip(TWIN) {
            let e = math::exp(process.log_improvement(at, -1.0, &mut out));
            assert!((out.mean - mean).abs() < 1e-11 && (out.variance - variance).abs() < 1e-11, "{out:?}");
            assert!((e - improvement).abs() < 1e-11, "{e}");
        }
        assert!(
            Process::new(Kernel::Matern, &[0.5, 0.5], &[0.0, 1.0], &[0.3], 0.0).is_none(),
            "two values at one point"
        );
    }

    #[test]
    fn slopes_are_those_of_differences() {
        let x = [0.1, 0.7, 0.4, 0.2, 0.9, 0.5, 0.6, 0.9, 0.3, 0.45];
        let z = [0.3, -1.2, 0.8, 0.1, -0.4];
        let (mut out, mut slope) = (Prediction::default(), Vec::new());
        for kernel in Kernel::ALL {
            for groups in [[0, 1], [0, 0]] {
                let at = |logs: &[f64]| {
                    let lengths = groups.map(|g| math::exp(logs[g]));
                    Process::new(kernel, &x, &z, &lengths, math::exp(logs[logs.len() - 1])).unwrap()
                };
                let logs: &[f64] = if groups[1] == 1 { &[-0.7, -0.2, -4.0] } else { &[-0.5, -4.0] };
                at(logs).likelihood_slopes(&groups, &mut slope);
                assert_eq!(slope.len(), logs.len());
                for (k, s) in slope.iter().enumerate() {
                    let moved = |h: f64| {
                        let mut logs = logs.to_vec();
                        logs[k] += h;
                        at(&logs).likelihood()
                    };
                    let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    assert!((difference - s).abs() < 1e-7 * (1.0 + s.abs()), "{kernel:?} {k}: {s} {difference}");
                }
            }
            let process = Process::new(kernel, &x, &z, &[0.5, 0.8], 1e-6).unwrap();
            // Near, far, and where the improvement is below the smallest number.
            for (point, best) in [([0.5, 0.3], -1.0), ([0.8, 0.1], -3.0), ([0.11, 0.69], -30.0), ([0.5, 0.5], -400.0)] {
                process.log_improvement(&point, best, &mut out);
                process.log_improvement_slope(&point, best, &mut out, &mut slope);
                for j in 0..2 {
                    let mut moved = |h: f64| {
                        let mut point = point;
                        point[j] += h;
                        process.log_improvement(&point, best, &mut out)
                    };
                    let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                    assert!(
                        difference.is_finite() && (difference - slope[j]).abs() < 1e-3 * (1.0 + slope[j].abs()),
                        "{kernel:?} {point:?} {best}: {} {difference}",
                        slope[j]
                    );
                }
            }
        }
    }
}
