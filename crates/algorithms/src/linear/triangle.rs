//! Least squares by an upper triangle.

use super::dot;
use super::eigen::Eigen;

/// An upper triangle R and Q^T b of the columns of a matrix A = Q R and a right side b.
#[derive(Debug, Clone)]
pub struct Triangle {
    n: usize,
    /// R column by column, each of n entries.
    pub(crate) r: Vec<Vec<f64>>,
    pub(crate) b: Vec<f64>,
}

impl Triangle {
    /// Householder's reflections of the columns.
    pub fn of(columns: &[&[f64]], b: &[f64]) -> Self {
        let n = columns.len();
        let mut a: Vec<Vec<f64>> = columns.iter().map(|column| column.to_vec()).collect();
        let mut b = b.to_vec();
        // At least n rows.
        let rows = b.len().max(n);
        a.iter_mut().for_each(|column| column.resize(rows, 0.0));
        b.resize(rows, 0.0);
        for k in 0..n {
            let norm = dot(&a[k][k..], &a[k][k..]).sqrt();
            if norm == 0.0 {
                continue;
            }
            let norm = if a[k][k] > 0.0 { -norm } else { norm };
            let mut v = a[k][k..].to_vec();
            v[0] -= norm;
            let scale = 2.0 / dot(&v, &v);
            let reflect = |t: &mut [f64]| {
                let share = scale * dot(&v, t);
                t.iter_mut().zip(&v).for_each(|(t, v)| *t -= share * v);
            };
            a[k + 1..].iter_mut().for_each(|column| reflect(&mut column[k..]));
            reflect(&mut b[k..]);
            a[k][k] = norm;
            a[k][k + 1..].fill(0.0);
        }
        a.iter_mut().for_each(|column| column.truncate(n));
        b.truncate(n);
        Triangle { n, r: a, b }
    }

    /// The triangle of the rows [R; sqrt(l) D] and [b; 0].
    pub fn damped(&self, scales: &[f64], damping: f64) -> Self {
        let mut columns = self.r.clone();
        for (k, column) in columns.iter_mut().enumerate() {
            column.resize(2 * self.n, 0.0);
            column[self.n + k] = damping.sqrt() * scales[k];
        }
        let mut b = self.b.clone();
        b.resize(2 * self.n, 0.0);
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        Triangle::of(&columns, &b)
    }

    /// The entries on the diagonal of R.
    pub fn diagonal(&self) -> impl Iterator<Item = f64> {
        self.r.iter().enumerate().map(|(k, column)| column[k])
    }

    /// Q^T b.
    pub fn right_side(&self) -> &[f64] {
        &self.b
    }

    /// -R^-1 b, the least squares of A x + b; none where R has no inverse.
    pub fn solve(&self) -> Option<Vec<f64>> {
        let mut p = vec![0.0; self.n];
        for k in (0..self.n).rev() {
            let sum: f64 = (k + 1..self.n).map(|i| self.r[i][k] * p[i]).sum();
            p[k] = (-self.b[k] - sum) / self.r[k][k];
        }
        p.iter().all(|t| t.is_finite()).then_some(p)
    }

    /// R^-1 column by column.
    pub fn inverse(&self) -> Option<Vec<Vec<f64>>> {
        let column = |j: usize| {
            let mut t = vec![0.0; self.n];
            t[j] = 1.0 / self.r[j][j];
            for i in (0..j).rev() {
                let sum: f64 = (i + 1..=j).map(|k| self.r[k][i] * t[k]).sum();
                t[i] = -sum / self.r[i][i];
            }
            t
        };
        let columns: Vec<Vec<f64>> = (0..self.n).map(column).collect();
        columns.iter().flatten().all(|t| t.is_finite()).then_some(columns)
    }

    /// R = sum over k of s_k u_k v_k', of whatever is not 0, in no particular order: s is accurate to rounding of the largest one. They are
    /// the eigenvalues above 0 of the symmetric matrix of R and R^T off the diagonal, and its eigenvectors (u; v).
    pub fn singular(&self) -> Vec<Singular> {
        let (n, side) = (self.n, 2 * self.n);
        let mut matrix = vec![0.0; side * side];
        for (j, column) in self.r.iter().enumerate() {
            matrix[(n + j) * side..][..n].copy_from_slice(column);
        }
        let mut eigen = Eigen::identity(side);
        if !eigen.decompose(&matrix) {
            return Vec::new();
        }
        let unit = |v: &[f64]| {
            let length = dot(v, v).sqrt();
            v.iter().map(|t| t / length).collect()
        };
        let pairs = eigen.values.iter().zip(eigen.vectors.chunks_exact(side)).filter(|(value, _)| **value > 0.0);
        pairs.map(|(&s, vector)| Singular { s, u: unit(&vector[..n]), v: unit(&vector[n..]) }).collect()
    }
}

/// A singular value, not 0, and its vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Singular {
    /// The value.
    pub s: f64,
    /// The vector on the left side.
    pub u: Vec<f64>,
    /// The vector on the right side.
    pub v: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singular_values_and_vectors_give_the_matrix_back() {
        for (rows, columns, rank) in [(1, 1, 1), (5, 3, 3), (40, 40, 40), (60, 33, 20), (130, 70, 70)] {
            let mut z = vec![0.0; (rows + columns) * rank];
            swarmgrad_core::Rng::new(3).row(rows).fill_normal(&mut z);
            let entry =
                |i: usize, j: usize| -> f64 { (0..rank).map(|k| z[i * rank + k] * z[(rows + j) * rank + k]).sum() };
            let flat: Vec<f64> = (0..rows * columns).map(|at| entry(at % rows, at / rows)).collect();
            let triangle = Triangle::of(&flat.chunks_exact(rows).collect::<Vec<_>>(), &vec![0.0; rows]);
            let all = triangle.singular();
            let largest = all.iter().fold(0.0f64, |most, one| most.max(one.s));
            assert_eq!(all.iter().filter(|one| one.s > 1e-12 * largest).count(), rank);
            for j in 0..columns {
                for i in 0..columns {
                    let there: f64 = all.iter().map(|one| one.s * one.u[i] * one.v[j]).sum();
                    let gap = (there - triangle.r[j][i]).abs();
                    assert!(gap <= 1e-13 * largest, "{rows} by {columns}, rank {rank}: {gap}");
                }
            }
            // Together they hold all of the matrix.
            let squares: f64 = flat.iter().map(|t| t * t).sum();
            assert!((all.iter().map(|one| one.s * one.s).sum::<f64>() / squares - 1.0).abs() < 1e-12);
        }
    }
}
