//! Constraint: what a point must keep to beside its bounds, and how points are ordered where some do not.

use crate::{Error, Real, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the value c(x) of a constraint must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// c(x) <= 0.
    AtMost,
    /// c(x) = 0.
    Equal,
}

/// A constraint c(x) <= 0 or c(x) = 0: its name, and how far c may be on the wrong side of 0.
///
/// ```
/// use swarmgrad_core::Constraint;
/// let mass = Constraint::at_most("mass");
/// assert_eq!((mass.violation(-1.0), mass.violation(2.0)), (0.0, 2.0));
/// let balance = Constraint::equal("balance").with_tolerance(1e-3)?;
/// assert_eq!((balance.violation(-5e-4), balance.violation(-2.0)), (0.0, 2.0));
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    name: String,
    relation: Relation,
    tolerance: f64,
}

/// What c(x) <= 0 may be missed by, where nobody says otherwise.
const AT_MOST: f64 = 1e-6;
/// The same of c(x) = 0: that of CEC 2006.
const EQUAL: f64 = 1e-4;

impl Constraint {
    /// c(x) <= 0, with a tolerance of 1e-6.
    pub fn at_most(name: impl Into<String>) -> Self {
        Constraint { name: name.into(), relation: Relation::AtMost, tolerance: AT_MOST }
    }

    /// c(x) = 0, with a tolerance of 1e-4.
    pub fn equal(name: impl Into<String>) -> Self {
        Constraint { name: name.into(), relation: Relation::Equal, tolerance: EQUAL }
    }

    /// The same constraint with another tolerance.
    ///
    /// # Errors
    /// A tolerance that is negative or not finite.
    pub fn with_tolerance(self, tolerance: f64) -> Result<Self> {
        if !(tolerance >= 0.0 && tolerance.is_finite()) {
            let what = format!("tolerance of the constraint {}", self.name);
            return Err(Error::parameter(what, tolerance, "must be a finite number of at least 0"));
        }
        Ok(Constraint { tolerance, ..self })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its value must be.
    pub fn relation(&self) -> Relation {
        self.relation
    }

    /// How far its value may be on the wrong side of 0.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// How far a value is on the wrong side of 0, whatever the tolerance; infinite for NaN.
    pub fn excess<F: Real>(&self, c: F) -> F {
        let excess = match self.relation {
            Relation::AtMost if c <= F::zero() => F::zero(),
            Relation::AtMost => c,
            Relation::Equal => c.abs(),
        };
        if excess.is_nan() { F::infinity() } else { excess }
    }

    /// [`Constraint::excess`] where that is more than the tolerance, else 0.
    pub fn violation<F: Real>(&self, c: F) -> F {
        let excess = self.excess(c);
        if excess.f64() <= self.tolerance { F::zero() } else { excess }
    }

    /// Whether a value lies at the border or beyond: an equality's always does.
    pub fn is_active<F: Real>(&self, c: F) -> bool {
        self.relation == Relation::Equal || c.f64() >= -self.tolerance
    }
}

/// The name and what its value must be.
impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = if self.relation == Relation::Equal { "=" } else { "<=" };
        write!(f, "{} {relation} 0", self.name)
    }
}

/// The sum of the violations of a point's constraint values; infinite where there are not as many as constraints.
pub fn violation<F: Real>(constraints: &[Constraint], values: &[F]) -> F {
    if constraints.len() != values.len() {
        return F::infinity();
    }
    constraints.iter().zip(values).fold(F::zero(), |sum, (constraint, &c)| sum + constraint.violation(c))
}

/// Whether a point of violation `a.0` and value `a.1` is better than another: less violation, and of the same the smaller value.
/// NaN is worst.
pub fn better_constrained<F: Real>(a: (F, F), b: (F, F)) -> bool {
    crate::better(a.0, b.0) || a.0 == b.0 && crate::better(a.1, b.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_infeasible_point_is_better_than_a_feasible_one() {
        assert!(better_constrained((0.0, 1e300), (1e-300, -1e300)));
        assert!(better_constrained((1.0, 5.0), (2.0, -5.0)) && better_constrained((1.0, 4.0), (1.0, 5.0)));
        assert!(!better_constrained((1.0, 5.0), (1.0, 5.0)));
        assert!(better_constrained((1.0, 5.0), (f64::NAN, 0.0)) && better_constrained((1.0, 5.0), (1.0, f64::NAN)));
    }

    #[test]
    fn values_within_the_tolerance_are_no_violation_and_nan_is_the_largest() {
        let list = [Constraint::at_most("a"), Constraint::equal("b")];
        assert_eq!(violation(&list, &[1e-7, -1e-5]), 0.0);
        assert_eq!(violation(&list, &[0.5, -0.25]), 0.75);
        assert_eq!(violation(&list, &[f64::NEG_INFINITY, 0.0]), 0.0);
        assert_eq!(violation(&list, &[f64::NAN, 0.0]), f64::INFINITY);
        assert_eq!(violation(&list, &[0.0]), f64::INFINITY);
        assert!(list[1].clone().with_tolerance(-1.0).unwrap_err().to_string().contains("constraint b"));
        assert!(list[0].is_active(-1e-7) && !list[0].is_active(-1.0) && list[1].is_active(9.0));
        assert_eq!(list[1].to_string(), "b = 0");
    }
}
