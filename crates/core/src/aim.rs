//! Aim: what a value is made of.

use crate::{Evaluation, Real};
use serde::{Deserialize, Serialize};

/// What the value of a point is made of, where it is more than one number.
///
/// ```
/// use swarmgrad_core::{Aim, Evaluation};
/// let evaluation: Evaluation = Aim::Residuals.evaluation(vec![3.0, -4.0]);
/// assert_eq!((evaluation.value, evaluation.parts.len()), (25.0, 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// A number.
    #[default]
    Value,
    /// The sum of the squares of residuals, as many at every point.
    Residuals,
    /// Several objectives, all to be minimised, by their names. The value is the first of them.
    Objectives(Vec<String>),
}

impl Aim {
    /// How many parts an evaluation has: 0 for a number, none where the first evaluation says it.
    pub fn parts(&self) -> Option<usize> {
        match self {
            Aim::Value => Some(0),
            Aim::Residuals => None,
            Aim::Objectives(names) => Some(names.len()),
        }
    }

    /// The evaluation of a point with these parts; a failure where one of them is not finite or there is none.
    pub fn evaluation<F: Real>(&self, parts: Vec<F>) -> Evaluation<F> {
        let value = match self {
            _ if parts.iter().any(|part| !part.is_finite()) => F::nan(),
            Aim::Residuals if !parts.is_empty() => parts.iter().fold(F::zero(), |sum, &r| sum + r * r),
            Aim::Residuals => F::nan(),
            Aim::Value | Aim::Objectives(_) => parts.first().copied().unwrap_or_else(F::nan),
        };
        Evaluation { parts, ..Evaluation::of(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_value_and_what_is_not_finite_fails() {
        let front = Aim::Objectives(vec!["cost".into(), "mass".into()]);
        assert_eq!(front.evaluation(vec![2.0, 1.0]).value, 2.0);
        assert!(front.evaluation(vec![2.0, f64::NAN]).failure.is_some());
        assert!(Aim::Residuals.evaluation::<f64>(Vec::new()).failure.is_some());
        assert!(Aim::Residuals.evaluation(vec![1.0, f64::INFINITY]).failure.is_some());
        assert_eq!((Aim::Value.parts(), Aim::Residuals.parts(), front.parts()), (Some(0), None, Some(2)));
    }
}
