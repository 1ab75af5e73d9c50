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
