//! What a round has told: objectives and violations of its points.

use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Aim, Constraint, Matrix, Real, Result, better_constrained, violation};

/// Takes what a run says of a round, and holds it as objectives and violations of its points.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    constraints: Vec<Constraint>,
    objectives: usize,
    /// A row of objectives a point; +inf where it has failed.
    #[serde(skip)]
    f: Matrix<f64>,
    #[serde(skip)]
    violation: Vec<f64>,
    #[serde(skip)]
    has_parts: bool,
    #[serde(skip)]
    has_constraints: bool,
}

/// The best point so far: the least violation, of the same the smallest value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Incumbent<F: Real> {
    /// The point; empty before the first.
    pub(super) x: Vec<F>,
    violation: F,
    value: F,
}

impl<F: Real> Default for Incumbent<F> {
    fn default() -> Self {
        Incumbent { x: Vec::new(), violation: F::infinity(), value: F::infinity() }
    }
}

impl<F: Real> Incumbent<F> {
    /// Takes over the best of a round if it is better; the very first point in any case.
    pub(super) fn keep(&mut self, xs: &Matrix<F>, values: &[F], violations: &[f64]) {
        for ((x, &value), &violation) in xs.iter().zip(values).zip(violations) {
            let now = (F::of(violation), value);
            if self.x.is_empty() || better_constrained(now, (self.violation, self.value)) {
                (self.violation, self.value) = now;
                self.x.clear();
                self.x.extend_from_slice(x);
            }
        }
    }
}

impl Default for Told {
    fn default() -> Self {
        Told {
            constraints: Vec::new(),
            objectives: 1,
            f: Matrix::empty(1),
            violation: Vec::new(),
            has_parts: false,
            has_constraints: false,
        }
    }
}

impl Told {
    /// Number of objectives: 1 where the problem has one value.
    pub fn objectives(&self) -> usize {
        self.objectives
    }

    /// The objectives of the points of the last round; none is NaN.
    pub fn f(&self) -> &Matrix<f64> {
        &self.f
    }

    /// How far they violate the constraints.
    pub fn violation(&self) -> &[f64] {
        &self.violation
    }

    /// Takes what a value is made of; returns whether that is several objectives.
    pub fn expect_aim(&mut self, aim: &Aim) -> bool {
        let Aim::Objectives(names) = aim else { return false };
        self.objectives = names.len().max(1);
        true
    }

    /// Takes the constraints of the problem.
    pub fn expect_constraints(&mut self, constraints: &[Constraint]) {
        self.constraints = constraints.to_vec();
    }

    /// Takes the objectives of a round.
    pub fn take_parts<F: Real>(&mut self, parts: &Matrix<F>) {
        self.f.resize(parts.len(), self.objectives);
        self.has_parts = parts.dim() == self.objectives;
        if self.has_parts {
            self.f.data_mut().iter_mut().zip(parts.data()).for_each(|(f, part)| *f = part.f64());
        }
    }

    /// Takes the values of the constraints of a round.
    pub fn take_constraints<F: Real>(&mut self, values: &Matrix<F>) {
        self.violation.clear();
        self.violation.extend(values.iter().map(|row| violation(&self.constraints, row).f64()));
        self.has_constraints = true;
    }

    /// Takes the values of the round, after what they are made of.
    pub fn take_values<F: Real>(&mut self, values: &[F]) {
        let n = values.len();
        if !(std::mem::take(&mut self.has_parts) && self.f.len() == n) {
            // Without its parts a value is the one objective, and the others are not known.
            self.f.resize(n, self.objectives);
            self.f.iter_mut().zip(values).for_each(|(row, value)| row.fill(value.f64()));
        }
        if !(std::mem::take(&mut self.has_constraints) && self.violation.len() == n) {
            self.violation.clear();
            self.violation.resize(n, 0.0);
        }
        for ((row, value), violation) in self.f.iter_mut().zip(values).zip(&mut self.violation) {
            if value.is_nan() || *value == F::infinity() || row.iter().any(|f| f.is_nan()) {
                row.fill(f64::INFINITY);
                *violation = f64::INFINITY;
            }
        }
    }

    /// Whether a state that was read back can be.
    ///
    /// # Errors
    /// It cannot.
    pub fn verify(&self) -> Result<()> {
        saved::holds("objectives", (1..=1 << 10).contains(&self.objectives), "must be a number of objectives")
    }
}
