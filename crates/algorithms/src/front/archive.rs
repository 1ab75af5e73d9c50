//! Archive: the best points of all that were evaluated, of which none is better than another.

use super::dominance::{covers, lexicographic};
use super::hypervolume::most_volume;
use super::told::Told;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Found, Kind, Matrix, Real, Result, Solutions};

/// Points that violate the constraints least, and of these the ones that no other dominates; at most so many. Which of too many stay
/// is decided by what they contribute to the hypervolume ([`most_volume`]). What it holds depends on the points and on their order
/// alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Archive<F: Real> {
    capacity: usize,
    x: Matrix<F>,
    f: Matrix<f64>,
    violation: f64,
}

impl<F: Real> Archive<F> {
    /// An empty archive for so many points.
    pub fn new(capacity: usize) -> Self {
        Archive { capacity, x: Matrix::default(), f: Matrix::default(), violation: f64::INFINITY }
    }

    /// The points, one a row.
    pub fn x(&self) -> &Matrix<F> {
        &self.x
    }

    /// Their objectives.
    pub fn f(&self) -> &Matrix<f64> {
        &self.f
    }

    /// How far all of them violate the constraints; infinite where there are none.
    pub fn violation(&self) -> f64 {
        self.violation
    }

    /// Takes the points of a round.
    pub fn join(&mut self, xs: &Matrix<F>, told: &Told) {
        if self.x.is_empty() {
            (self.x, self.f) = (Matrix::empty(xs.dim()), Matrix::empty(told.objectives()));
        }
        for ((x, f), &violation) in xs.iter().zip(told.f().iter()).zip(told.violation()) {
            let failed = violation == f64::INFINITY || f.iter().any(|f| !f.is_finite());
            if failed || violation > self.violation {
                continue;
            }
            if violation < self.violation {
                self.violation = violation;
                self.x.clear();
                self.f.clear();
            }
            if self.f.iter().any(|old| covers(old, f)) {
                continue;
            }
            let kept: Vec<usize> = (0..self.f.len()).filter(|&i| !covers(f, self.f.row(i))).collect();
            self.keep(&kept);
            self.x.push(x);
            self.f.push(f);
        }
        if self.f.len() > self.capacity {
            let all: Vec<usize> = (0..self.f.len()).collect();
            let kept = most_volume(self.f.rows(), &all, self.capacity);
            self.keep(&kept);
        }
    }

    fn keep(&mut self, kept: &[usize]) {
        if kept.len() < self.f.len() {
            self.x.select(kept);
            self.f.select(kept);
        }
    }

    /// The front in the order of its objectives; none where the problem has one value.
    pub fn solutions(&self) -> Option<Solutions<F>> {
        if self.f.dim() < 2 {
            return None;
        }
        let mut order: Vec<usize> = (0..self.f.len()).collect();
        order.sort_by(|&a, &b| lexicographic(self.f.row(a), self.f.row(b)));
        let point = |i: usize| {
            let parts: Vec<F> = self.f.row(i).iter().map(|&f| F::of(f)).collect();
            Found { x: self.x.row(i).to_vec(), value: parts[0], parts, particles: 1 }
        };
        Some(Solutions { kind: Kind::Front, points: order.into_iter().map(point).collect() })
    }

    /// Whether a state that was read back fits together.
    ///
    /// # Errors
    /// What does not fit.
    pub fn verify(&self, dim: usize, objectives: usize) -> Result<()> {
        saved::shape("archive", &self.x, self.f.len(), dim)?;
        saved::shape("objectives of the archive", &self.f, self.f.len(), objectives)?;
        let numbers = self.f.data().iter().all(|f| f.is_finite()) && !self.violation.is_nan();
        saved::holds(
            "archive",
            numbers && self.f.len() <= self.capacity && self.capacity > 0,
            "must hold no more points than it may, and numbers",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::{Aim, Constraint};

    fn join(archive: &mut Archive<f64>, f: &[[f64; 2]], c: &[f64]) {
        let mut told = Told::default();
        told.expect_aim(&Aim::Objectives(vec!["a".into(), "b".into()]));
        told.expect_constraints(&[Constraint::at_most("c")]);
        told.take_parts(&Matrix::from_vec(2, f.concat()).unwrap());
        told.take_constraints(&Matrix::from_vec(1, c.to_vec()).unwrap());
        told.take_values(&f.iter().map(|f| f[0]).collect::<Vec<_>>());
        archive.join(&Matrix::from_vec(2, f.concat()).unwrap(), &told);
    }

    #[test]
    fn less_violation_then_what_nothing_covers() {
        let mut archive = Archive::new(10);
        join(&mut archive, &[[1.0, 1.0], [0.0, 3.0]], &[2.0, 1.0]);
        assert_eq!((archive.f().data(), archive.violation()), (&[0.0, 3.0][..], 1.0));
        join(&mut archive, &[[5.0, 5.0], [f64::INFINITY, 0.0], [f64::NAN, 1.0], [4.0, 6.0]], &[0.0; 4]);
        assert_eq!((archive.f().data(), archive.violation()), (&[5.0, 5.0, 4.0, 6.0][..], 0.0));
        join(&mut archive, &[[5.0, 5.0], [4.0, 5.0], [0.0, 0.0]], &[0.0, 0.0, 0.5]);
        assert_eq!(archive.f().data(), [4.0, 5.0]);
        let solutions = archive.solutions().unwrap();
        assert_eq!((solutions.kind, &solutions.points[0].parts[..]), (Kind::Front, &[4.0, 5.0][..]));
    }

    #[test]
    fn of_too_many_those_stay_that_contribute() {
        let mut archive = Archive::new(3);
        join(&mut archive, &[[0.0, 4.0], [1.0, 2.0], [1.1, 1.9], [4.0, 0.0]], &[0.0; 4]);
        assert_eq!(archive.f().data(), [0.0, 4.0, 1.1, 1.9, 4.0, 0.0]);
    }
}
