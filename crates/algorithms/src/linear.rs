//! Dense linear algebra in a fixed order of operations.

/// The sum of products, in the order of the indices.
#[inline]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower Cholesky factor in place, row-major n by n; false if the matrix is not positive definite.
pub fn cholesky(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        for j in 0..=i {
            let (above, row) = a.split_at_mut(i * n);
            let other = if j < i { &above[j * n..j * n + j] } else { &row[..j] };
            let rest = row[j] - dot(other, &row[..j]);
            if j < i {
                row[j] = rest / above[j * n + j];
            } else if rest > 0.0 && rest.is_finite() {
                row[j] = rest.sqrt();
            } else {
                return false;
            }
        }
    }
    true
}

/// Solves L L^T x = b in place.
pub fn cholesky_solve(l: &[f64], n: usize, b: &mut [f64]) {
    forward_solve(l, n, b);
    backward_solve(l, n, b);
}

/// Solves L x = b in place.
pub fn forward_solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        b[i] = (b[i] - dot(&l[i * n..i * n + i], &b[..i])) / l[i * n + i];
    }
}

/// Solves L^T x = b in place.
pub fn backward_solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        b[i] /= l[i * n + i];
        let b_i = b[i];
        b[..i].iter_mut().zip(&l[i * n..i * n + i]).for_each(|(b, l)| *b -= l * b_i);
    }
}

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
}
