//! Surfaces: the unit sphere and the Stiefel manifold of matrices with orthonormal columns; projections and tangents.
//!
//! Papers: Fornasier, Huang, Pareschi, Sunnen, "Consensus-based optimization on hypersurfaces" (M3AS 2020); Kim, Kang, Kim, Ha,
//! Yang, "A stochastic consensus method for nonconvex optimization on the Stiefel manifold" (CDC 2020). A point of the
//! Stiefel manifold is an n x k matrix X, X^T X = I, row by row in one vector; the sphere is k = 1.
//!
//! ```text
//! tangent     P_X(Z) = Z - X (X^T Z + Z^T X)/2
//! correction  of Ito for P_X dB: -(2n - k - 1)/4 X dt
//! nearest     X = U V^T for A = U S V^T
//! ```

/// Projects a step at the point `x` (n x `columns`) onto the tangent space there.
pub fn tangent(x: &[f64], step: &mut [f64], columns: usize) {
    let k = columns;
    let mut gram = vec![0.0; k * k]; // X^T Z
    for (x, z) in x.chunks(k).zip(step.chunks(k)) {
        for a in 0..k {
            for b in 0..k {
                gram[a * k + b] += x[a] * z[b];
            }
        }
    }
    for (x, z) in x.chunks(k).zip(step.chunks_mut(k)) {
        for b in 0..k {
            z[b] -= (0..k).map(|a| x[a] * 0.5 * (gram[a * k + b] + gram[b * k + a])).sum::<f64>();
        }
    }
}

/// The factor (2n - k - 1)/4 of Ito's correction, for `dim` = n k numbers.
pub fn correction(dim: usize, columns: usize) -> f64 {
    (2.0 * (dim / columns) as f64 - columns as f64 - 1.0) / 4.0
}

/// Moves a point to the nearest one with orthonormal columns, the polar factor, by one-sided Jacobi rotations. A column of zeros
/// (or linearly dependent columns) is replaced by a unit vector orthogonal to the others. Wants columns <= rows; numbers
/// that are not finite count as 0.
pub fn nearest(a: &mut [f64], columns: usize) {
    let (k, n) = (columns, a.len() / columns);
    let largest = a.iter().filter(|t| t.is_finite()).fold(0.0f64, |m, t| m.max(t.abs()));
    a.iter_mut().for_each(|t| *t = if t.is_finite() && largest > 0.0 { *t / largest } else { 0.0 });
    let mut v = vec![0.0; k * k];
    (0..k).for_each(|i| v[i * k + i] = 1.0);
    for _ in 0..60 {
        let mut off = 0.0f64;
        for p in 0..k {
            for q in p + 1..k {
                let (mut pp, mut qq, mut pq) = (0.0, 0.0, 0.0);
                for row in a.chunks(k) {
                    pp += row[p] * row[p];
                    qq += row[q] * row[q];
                    pq += row[p] * row[q];
                }
                if pq.abs() <= 1e-16 * (pp * qq).sqrt() || pq == 0.0 {
                    continue;
                }
                off = off.max(pq.abs() / (pp * qq).sqrt());
                let zeta = (qq - pp) / (2.0 * pq);
                let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let c = 1.0 / (1.0 + t * t).sqrt();
                for row in a.chunks_mut(k).chain(v.chunks_mut(k)) {
                    (row[p], row[q]) = (c * row[p] - c * t * row[q], c * t * row[p] + c * row[q]);
                }
            }
        }
        if off < 1e-15 {
            break;
        }
    }
    // The columns are now U S; normalised they are U.
    for p in 0..k {
        let norm = a.chunks(k).map(|row| row[p] * row[p]).sum::<f64>().sqrt();
        if norm > 1e-150 {
            a.chunks_mut(k).for_each(|row| row[p] /= norm);
        } else {
            complete(a, k, p);
        }
    }
    let mut u = vec![0.0; k];
    for i in 0..n {
        u.copy_from_slice(&a[i * k..(i + 1) * k]);
        for b in 0..k {
            a[i * k + b] = (0..k).map(|c| u[c] * v[b * k + c]).sum(); // U V^T
        }
    }
}

/// Makes column `p` a unit vector orthogonal to the columns before it and to later ones that are not zero.
fn complete(a: &mut [f64], k: usize, p: usize) {
    let n = a.len() / k;
    for e in 0..n {
        (0..n).for_each(|i| a[i * k + p] = if i == e { 1.0 } else { 0.0 });
        for q in (0..k).filter(|q| *q != p) {
            let (mut along, mut square) = (0.0, 0.0);
            for row in a.chunks(k) {
                along += row[p] * row[q];
                square += row[q] * row[q];
            }
            if square > 1e-300 {
                a.chunks_mut(k).for_each(|row| row[p] -= along / square * row[q]);
            }
        }
        let norm = a.chunks(k).map(|row| row[p] * row[p]).sum::<f64>().sqrt();
        if norm > 0.5 / (n as f64).sqrt() {
            a.chunks_mut(k).for_each(|row| row[p] /= norm);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    fn gram(x: &[f64], k: usize) -> Vec<f64> {
        (0..k * k).map(|at| x.chunks(k).map(|row| row[at / k] * row[at % k]).sum()).collect()
    }

    #[test]
    fn the_nearest_point_has_orthonormal_columns_and_is_nearest() {
        for (seed, n, k) in [(1, 5, 1), (2, 6, 3), (3, 4, 4), (4, 7, 2)] {
            let rng = Rng::new(seed);
            let mut a = vec![0.0; n * k];
            rng.row(0).fill_normal(&mut a);
            let mut x = a.clone();
            nearest(&mut x, k);
            let identity = |t: &[f64]| {
                gram(t, k).iter().enumerate().all(|(at, g)| (g - f64::from(u8::from(at / k == at % k))).abs() < 1e-12)
            };
            assert!(identity(&x));
            let distance = |y: &[f64]| a.iter().zip(y).map(|(a, y)| (a - y) * (a - y)).sum::<f64>();
            for row in 1..50 {
                let mut other = vec![0.0; n * k];
                rng.row(row).fill_normal(&mut other);
                other.iter_mut().zip(&x).for_each(|(o, x)| *o = x + 0.3 * *o);
                nearest(&mut other, k);
                assert!(identity(&other) && distance(&other) >= distance(&x) - 1e-12);
            }
            // A projection: points of the manifold stay.
            let mut again = x.clone();
            nearest(&mut again, k);
            assert!(again.iter().zip(&x).all(|(a, x)| (a - x).abs() < 1e-12));
        }
        for mut degenerate in
            [vec![0.0; 6], vec![1.0, 1.0, 2.0, 2.0, 3.0, 3.0], vec![f64::NAN, 0.0, 1e300, 1.0, 0.0, 0.0]]
        {
            nearest(&mut degenerate, 2);
            assert!(
                gram(&degenerate, 2).iter().zip([1.0, 0.0, 0.0, 1.0]).all(|(g, e)| (g - e).abs() < 1e-9),
                "{degenerate:?}"
            );
        }
    }

    #[test]
    fn tangents_leave_the_columns_orthonormal_to_first_order() {
        let (n, k) = (6, 3);
        let (mut x, mut z) = (vec![0.0; n * k], vec![0.0; n * k]);
        Rng::new(9).row(0).fill_normal(&mut x);
        Rng::new(9).row(1).fill_normal(&mut z);
        nearest(&mut x, k);
        tangent(&x, &mut z, k);
        let moved: Vec<f64> = x.iter().zip(&z).map(|(x, z)| x + 1e-5 * z).collect();
        assert!(
            gram(&moved, k).iter().enumerate().all(|(at, g)| (g - f64::from(u8::from(at / k == at % k))).abs() < 1e-8)
        );
        let before = z.clone();
        tangent(&x, &mut z, k);
        assert!(z.iter().zip(&before).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!((correction(5, 1), correction(9, 3)), (2.0, 0.5));
    }
}
