//! Slopes read off a population: what its points and their values say about the way down, without another evaluation.
//!
//! ```text
//! r_k  = rank of f(x_k) in the population, ties at their middle          order is all that counts: steps and noise do not matter
//! s_j  = deviation of the population along j,  z = x / s
//! K    = the min(N, 2 d + 1) points nearest to z_i, itself included
//! g    = (A + a I)^-1 b / s,   A = cov_K(z),  b = cov_K(z, r),  a = 0.01 tr A / d
//! ```

use swarmgrad_algorithms::linear::{cholesky, dot};
use swarmgrad_core::{Matrix, Real, sort_indices};

/// Share of the mean variance that is added to every variance.
const RIDGE: f64 = 0.01;

/// Room for a fit.
#[derive(Debug, Default)]
pub(crate) struct Fit {
    order: Vec<usize>,
    ranks: Vec<f64>,
    /// The points in units of their deviations, row by row.
    units: Vec<f64>,
    deviations: Vec<f64>,
    distances: Vec<f64>,
    near: Vec<usize>,
    middle: Vec<f64>,
    square: Vec<f64>,
    slope: Vec<f64>,
}

impl Fit {
    /// Looks at the population.
    pub(crate) fn look<F: Real>(&mut self, points: &Matrix<F>, values: &[F]) {
        let (n, dim) = (points.len(), points.dim());
        sort_indices(values, &mut self.order);
        self.ranks.resize(n, 0.0);
        let mut first = 0;
        while first < n {
            let mut last = first;
            while last + 1 < n && values[self.order[last + 1]] == values[self.order[first]] {
                last += 1;
            }
            let rank = 0.5 * (first + last) as f64;
            self.order[first..=last].iter().for_each(|&k| self.ranks[k] = rank);
            first = last + 1;
        }
        self.deviations.clear();
        for j in 0..dim {
            let mean = points.iter().map(|x| x[j].f64()).sum::<f64>() / n as f64;
            let variance = points.iter().map(|x| (x[j].f64() - mean).powi(2)).sum::<f64>() / n as f64;
            self.deviations.push(if variance > 0.0 && variance.is_finite() { variance.sqrt() } else { 1.0 });
        }
        self.units.clear();
        for x in points.iter() {
            self.units.extend(x.iter().zip(&self.deviations).map(|(x, s)| x.f64() / s));
        }
    }

    /// Writes the slope at the point `i` of the population; zeros where it says nothing.
    pub(crate) fn write<F: Real>(&mut self, i: usize, out: &mut [F]) {
        let Fit { ranks, units, deviations, distances, near, middle, square, slope, .. } = self;
        let (n, dim) = (ranks.len(), deviations.len());
        let unit = |k: usize| &units[k * dim..(k + 1) * dim];
        distances.clear();
        distances.extend((0..n).map(|k| unit(k).iter().zip(unit(i)).map(|(a, b)| (a - b).powi(2)).sum::<f64>()));
        sort_indices(distances, near);
        let near = &near[..n.min(2 * dim + 1)];
        let count = near.len() as f64;
        middle.clear();
        middle.resize(dim, 0.0);
        near.iter().for_each(|&k| middle.iter_mut().zip(unit(k)).for_each(|(m, z)| *m += z / count));
        let rank = near.iter().map(|&k| ranks[k]).sum::<f64>() / count;
        square.clear();
        square.resize(dim * dim, 0.0);
        slope.clear();
        slope.resize(dim, 0.0);
        for &k in near {
            let z = unit(k);
            for a in 0..dim {
                let away = (z[a] - middle[a]) / count;
                slope[a] += away * (ranks[k] - rank);
                (0..=a).for_each(|b| square[a * dim + b] += away * (z[b] - middle[b]));
            }
        }
        let ridge = RIDGE * (0..dim).map(|a| square[a * dim + a]).sum::<f64>() / dim as f64;
        (0..dim).for_each(|a| square[a * dim + a] += ridge);
        let solved = ridge > 0.0 && solve(square, slope);
        for ((o, g), s) in out.iter_mut().zip(&*slope).zip(&*deviations) {
            *o = if solved { F::of(g / s) } else { F::zero() };
        }
    }
}

/// Solves A x = b by Cholesky's factors of A, whose lower triangle is given and overwritten; `x` holds b before.
fn solve(a: &mut [f64], x: &mut [f64]) -> bool {
    let dim = x.len();
    if !cholesky(a, dim) {
        return false;
    }
    for i in 0..dim {
        x[i] = (x[i] - dot(&a[i * dim..i * dim + i], &x[..i])) / a[i * dim + i];
    }
    for i in (0..dim).rev() {
        let along: f64 = (i + 1..dim).map(|k| a[k * dim + i] * x[k]).sum();
        x[i] = (x[i] - along) / a[i * dim + i];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    fn cloud(n: usize, dim: usize) -> Matrix<f64> {
        let mut points = Matrix::zeros(n, dim);
        Rng::new(3).fill_uniform(0..n, 0..dim, points.data_mut());
        points
    }

    #[test]
    fn a_plane_has_its_slope_whatever_is_done_to_its_values() {
        let (normal, mut points) = ([3.0, -1.0, 0.5], cloud(60, 3));
        // The second variable in other units.
        points.data_mut().chunks_exact_mut(3).for_each(|x| x[1] *= 1e3);
        let height = |x: &[f64]| normal[0] * x[0] + normal[1] * x[1] / 1e3 + normal[2] * x[2];
        let plain: Vec<f64> = points.iter().map(height).collect();
        let bent: Vec<f64> = plain.iter().map(|f| f.exp().powi(3) - 7.0).collect();
        let (mut fit, mut g, mut h) = (Fit::default(), [0.0; 3], [0.0; 3]);
        fit.look(&points, &plain);
        fit.write(7, &mut g);
        let scaled = [g[0], g[1] * 1e3, g[2]];
        let cosine = scaled.iter().zip(normal).map(|(a, b)| a * b).sum::<f64>()
            / (scaled.iter().map(|t| t * t).sum::<f64>() * normal.iter().map(|t| t * t).sum::<f64>()).sqrt();
        assert!(cosine > 0.98, "{scaled:?}");
        fit.look(&points, &bent);
        fit.write(7, &mut h);
        assert_eq!(g, h);
    }

    #[test]
    fn equal_values_and_equal_points_say_nothing() {
        let (mut fit, mut g) = (Fit::default(), [1.0; 2]);
        fit.look(&cloud(9, 2), &[4.0; 9]);
        fit.write(0, &mut g);
        assert_eq!(g, [0.0, 0.0]);
        fit.look(&Matrix::<f64>::zeros(9, 2), &(0..9).map(f64::from).collect::<Vec<_>>());
        fit.write(0, &mut g);
        assert_eq!(g, [0.0, 0.0]);
    }
}
