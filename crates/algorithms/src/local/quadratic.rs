//! Convex quadratic programmes with linear constraints, by the dual active-set method.
//!
//! Paper: Goldfarb and Idnani, "A numerically stable dual method for solving strictly convex quadratic programs" (Mathematical
//! Programming 1983). With B = L L^T, rows a_i of A and the active set N:
//!
//! ```text
//! (1)  min g p + p B p / 2   with   a_i p >= b_i,   for the first of them a_i p = b_i
//! (2)  p = -B^-1 g                                       where all is violated that is
//! (3)  z = L^-T (I - Q Q^T) L^-1 a,   r = R^-1 Q^T L^-1 a,   Q R = L^-1 N
//! (4)  t = min(t1, t2),   t1 = min u_j / r_j over r_j > 0,   t2 = (b - a p) / (z a)
//! (5)  p <- p + t z,   u <- u + t (-r, 1)
//! ```
//!
//! The most violated constraint a enters (3) until none is. Q R is made anew for each step in a fixed order of operations.

use crate::linear::{backward_solve, cholesky, cholesky_solve, dot, forward_solve};

/// A quadratic programme (1): rows of `a` are as long as `g`.
pub(super) struct Programme<'a> {
    /// The Hessian B, row-major, positive definite.
    pub(super) hessian: &'a [f64],
    pub(super) g: &'a [f64],
    pub(super) a: &'a [f64],
    pub(super) b: &'a [f64],
    /// How many of the constraints, the first ones, are equalities.
    pub(super) equalities: usize,
}

/// The minimum of a programme and the multiplier of each constraint, at least 0 but for equalities.
pub(super) struct Minimum {
    pub(super) p: Vec<f64>,
    pub(super) multipliers: Vec<f64>,
}

/// A violation below this share of its terms is rounding.
const ROUNDING: f64 = 1e-12;
/// Steps a constraint.
const STEPS: usize = 20;

impl Programme<'_> {
    /// The minimum; none where no point keeps to all constraints, or B is not positive definite.
    pub(super) fn minimum(&self) -> Option<Minimum> {
        let (n, m) = (self.g.len(), self.b.len());
        let mut l = self.hessian.to_vec();
        if !cholesky(&mut l, n) {
            return None;
        }
        let row = |i: usize| &self.a[i * n..(i + 1) * n];
        let mut p: Vec<f64> = self.g.iter().map(|g| -g).collect();
        cholesky_solve(&l, n, &mut p); // eq. (2)
        let mut active: Vec<usize> = Vec::with_capacity(n);
        // The sign with which a constraint entered, and its multiplier.
        let mut signs: Vec<f64> = Vec::with_capacity(n);
        let mut u: Vec<f64> = Vec::with_capacity(n + 1);
        // L^-1 a of the active ones made orthonormal, and the triangle R.
        let mut q: Vec<f64> = Vec::new();
        let mut r: Vec<Vec<f64>> = Vec::new();
        let (mut z, mut w) = (vec![0.0; n], vec![0.0; n]);
        let slack = |i: usize, p: &[f64]| dot(row(i), p) - self.b[i];
        let noise = |i: usize, p: &[f64]| {
            let terms: f64 = row(i).iter().zip(p).map(|(a, p)| (a * p).abs()).sum();
            ROUNDING * (terms + self.b[i].abs() + f64::MIN_POSITIVE)
        };
        let mut steps = 0;
        loop {
            // Equalities first, in their order, then what is violated most.
            let equality = (0..self.equalities).find(|i| !active.contains(i) && slack(*i, &p).abs() > noise(*i, &p));
            let entering = equality.or_else(|| {
                let size = |i: usize| dot(row(i), row(i)).sqrt().max(f64::MIN_POSITIVE);
                let violated = (self.equalities..m).filter(|i| !active.contains(i) && slack(*i, &p) < -noise(*i, &p));
                violated
                    .map(|i| (i, slack(i, &p) / size(i)))
                    .reduce(|a, b| if b.1 < a.1 { b } else { a })
                    .map(|(i, _)| i)
            });
            let Some(entering) = entering else { break };
            let sign = if entering < self.equalities && slack(entering, &p) > 0.0 { -1.0 } else { 1.0 };
            u.push(0.0);
            loop {
                steps += 1;
                if steps > STEPS * (m + n) {
                    return None;
                }
                w.iter_mut().zip(row(entering)).for_each(|(w, a)| *w = sign * a);
                forward_solve(&l, n, &mut w);
                let size = dot(&w, &w);
                let mut d: Vec<f64> = Vec::with_capacity(active.len());
                for k in 0..active.len() {
                    let column = &q[k * n..(k + 1) * n];
                    let share = dot(column, &w);
                    w.iter_mut().zip(column).for_each(|(w, q)| *w -= share * q);
                    d.push(share);
                }
                let mut turn = d.clone();
                for k in (0..active.len()).rev() {
                    let sum: f64 = (k + 1..active.len()).map(|c| r[c][k] * turn[c]).sum();
                    turn[k] = (turn[k] - sum) / r[k][k];
                }
                let along = dot(&w, &w); // z a
                z.copy_from_slice(&w);
                backward_solve(&l, n, &mut z); // eq. (3)
                let dependent = along <= 1e-18 * size || size == 0.0 || active.len() == n;
                let mut first: Option<(usize, f64)> = None;
                for k in (0..active.len()).filter(|&k| active[k] >= self.equalities) {
                    let t = u[k] / turn[k];
                    if turn[k] > 0.0 && first.is_none_or(|(_, least)| t < least) {
                        first = Some((k, t));
                    }
                }
                let full = if dependent { f64::INFINITY } else { -sign * slack(entering, &p) / along }; // eq. (4)
                let t = first.map_or(full, |(_, t)| t.min(full));
                if !t.is_finite() {
                    return None;
                }
                if !dependent {
                    p.iter_mut().zip(&z).for_each(|(p, z)| *p += t * z); // eq. (5)
                }
                let last = u.len() - 1;
                u[..last].iter_mut().zip(&turn).for_each(|(u, turn)| *u -= t * turn);
                u[last] += t;
                if t == full {
                    let length = along.sqrt();
                    q.extend(w.iter().map(|w| w / length));
                    d.push(length);
                    r.push(d);
                    active.push(entering);
                    signs.push(sign);
                    break;
                }
                let (k, _) = first?;
                active.remove(k);
                signs.remove(k);
                u.remove(k);
                (q, r) = orthonormal(&l, n, &active, &signs, row);
            }
        }
        let mut multipliers = vec![0.0; m];
        for ((&i, sign), u) in active.iter().zip(&signs).zip(&u) {
            multipliers[i] = sign * u;
        }
        p.iter().all(|p| p.is_finite()).then_some(Minimum { p, multipliers })
    }
}

/// Q and the columns of R for L^-1 N.
fn orthonormal<'a>(
    l: &[f64],
    n: usize,
    active: &[usize],
    signs: &[f64],
    row: impl Fn(usize) -> &'a [f64],
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (mut q, mut r): (Vec<f64>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for (k, (&i, sign)) in active.iter().zip(signs).enumerate() {
        let mut w: Vec<f64> = row(i).iter().map(|a| sign * a).collect();
        forward_solve(l, n, &mut w);
        let mut d = Vec::with_capacity(k + 1);
        for c in 0..k {
            let column = &q[c * n..(c + 1) * n];
            let share = dot(column, &w);
            w.iter_mut().zip(column).for_each(|(w, q)| *w -= share * q);
            d.push(share);
        }
        let length = dot(&w, &w).sqrt().max(f64::MIN_POSITIVE);
        q.extend(w.iter().map(|w| w / length));
        d.push(length);
        r.push(d);
    }
    (q, r)
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    fn random(rng: &Rng, row: usize, len: usize) -> Vec<f64> {
        let mut numbers = vec![0.0; len];
        rng.row(row).fill_normal(&mut numbers);
        numbers
    }

    /// The conditions of Karush, Kuhn and Tucker hold, and they suffice.
    #[test]
    fn random_programmes_are_solved() {
        let rng = Rng::new(7);
        let mut solved = 0;
        for case in 0..300 {
            let (n, m, equalities) = (1 + case % 6, case % 11, (case % 3).min(case % 6).min(case % 11));
            let root = random(&rng, 4 * case, n * n);
            let mut hessian: Vec<f64> =
                (0..n * n).map(|k| dot(&root[k / n * n..(k / n + 1) * n], &root[k % n * n..(k % n + 1) * n])).collect();
            (0..n).for_each(|i| hessian[i * n + i] += 0.1);
            let (g, a) = (random(&rng, 4 * case + 1, n), random(&rng, 4 * case + 2, m * n));
            // Some point keeps to all of them.
            let inside = random(&rng, 4 * case + 3, n);
            let room = |i: usize| if i < equalities || i.is_multiple_of(2) { 0.0 } else { 0.5 };
            let b: Vec<f64> = (0..m).map(|i| dot(&a[i * n..(i + 1) * n], &inside) - room(i)).collect();
            let programme = Programme { hessian: &hessian, g: &g, a: &a, b: &b, equalities };
            let Minimum { p, multipliers } = programme.minimum().unwrap_or_else(|| panic!("case {case}"));
            for j in 0..n {
                let pull: f64 = (0..m).map(|i| multipliers[i] * a[i * n + j]).sum();
                let slope = g[j] + dot(&hessian[j * n..(j + 1) * n], &p) - pull;
                assert!(slope.abs() < 1e-7, "case {case}: slope {slope:e}");
            }
            for i in 0..m {
                let slack = dot(&a[i * n..(i + 1) * n], &p) - b[i];
                match i < equalities {
                    true => assert!(slack.abs() < 1e-8, "case {case}: {slack:e}"),
                    false => {
                        assert!(slack > -1e-8 && multipliers[i] >= -1e-12, "case {case}: {slack:e}");
                        assert!((slack * multipliers[i]).abs() < 1e-6, "case {case}");
                    }
                }
            }
            solved += 1;
        }
        assert_eq!(solved, 300);
    }

    #[test]
    fn what_contradicts_itself_has_no_minimum() {
        let programme = |a: &[f64], b: &[f64], equalities| {
            Programme { hessian: &[1.0, 0.0, 0.0, 1.0], g: &[0.0, 0.0], a, b, equalities }.minimum().map(|m| m.p)
        };
        assert!(programme(&[1.0, 0.0, -1.0, 0.0], &[1.0, 0.0], 0).is_none());
        assert!(programme(&[1.0, 1.0, 1.0, 1.0], &[1.0, 2.0], 2).is_none());
        assert_eq!(programme(&[1.0, 1.0, 1.0, 1.0], &[2.0, 2.0], 2), Some(vec![1.0, 1.0]));
        assert!(programme(&[0.0, 0.0], &[1.0], 0).is_none());
        let indefinite = Programme { hessian: &[-1.0], g: &[0.0], a: &[], b: &[], equalities: 0 };
        assert!(indefinite.minimum().is_none());
    }
}
