//! Aim: what a value is made of.

use crate::{Error, Evaluation, Failure, Real, Result, math};
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

    /// The evaluation of a point with these parts; a failure where one of them is not finite, or where they are not as many as there
    /// are objectives, or none.
    pub fn evaluation<F: Real>(&self, parts: Vec<F>) -> Evaluation<F> {
        if let Aim::Objectives(names) = self
            && names.len() != parts.len()
        {
            let why = format!("it answered with {} objectives, expected {}", parts.len(), names.len());
            return Evaluation::failed(Failure::Unreadable(why));
        }
        let value = match self {
            _ if parts.iter().any(|part| !part.is_finite()) => F::nan(),
            Aim::Residuals if !parts.is_empty() => parts.iter().fold(F::zero(), |sum, &r| sum + r * r),
            Aim::Residuals => F::nan(),
            Aim::Value | Aim::Objectives(_) => parts.first().copied().unwrap_or_else(F::nan),
        };
        Evaluation { parts, ..Evaluation::of(value) }
    }
}

/// A loss that grows more slowly than the square, so that outliers count less: the sum of C^2 rho((r / C)^2) over the residuals r, as
/// in SciPy's `least_squares`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RobustLoss {
    shape: LossShape,
    scale: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum LossShape {
    SoftL1,
    Huber,
    Cauchy,
    Arctan,
}

const SHAPES: [(&str, LossShape); 4] = [
    ("soft_l1", LossShape::SoftL1),
    ("huber", LossShape::Huber),
    ("cauchy", LossShape::Cauchy),
    ("arctan", LossShape::Arctan),
];

impl RobustLoss {
    /// Reads `huber`, or `huber:0.5` with the scale C, the size from which a residual is an outlier; 1 where nothing is said.
    ///
    /// ```
    /// use swarmgrad_core::RobustLoss;
    /// let huber = RobustLoss::parse("huber:0.5")?;
    /// assert_eq!((huber.residual(0.25), huber.residual(4.5).powi(2)), (0.25, 4.25));
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// A name that is not known, a scale that is not above 0.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, scale) = text.split_once(':').unwrap_or((text, "1"));
        let found = SHAPES.iter().find(|(known, _)| *known == name);
        let (_, shape) = found.ok_or_else(|| Error::unknown("loss", name, SHAPES.iter().map(|(known, _)| *known)))?;
        let number = scale.parse().ok().filter(|scale: &f64| *scale > 0.0 && scale.is_finite());
        let rule = "must be a finite number above 0";
        let scale = number.ok_or_else(|| Error::parameter(format!("scale of the loss {name}"), scale, rule))?;
        Ok(RobustLoss { shape: *shape, scale })
    }

    /// The residual whose square is the loss of a residual, with its sign.
    pub fn residual(self, r: f64) -> f64 {
        let z = (r / self.scale).powi(2);
        let rho = match self.shape {
            // 2 (sqrt(1 + z) - 1), exact for small z.
            LossShape::SoftL1 => 2.0 * z / ((1.0 + z).sqrt() + 1.0),
            LossShape::Huber if z <= 1.0 => return r,
            LossShape::Huber => 2.0 * z.sqrt() - 1.0,
            LossShape::Cauchy if z < 1e-8 => z * (1.0 - 0.5 * z),
            LossShape::Cauchy => math::ln(1.0 + z),
            LossShape::Arctan => math::atan(z),
        };
        self.scale * rho.sqrt().copysign(r)
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
        let one = front.evaluation(vec![2.0]).failure.unwrap();
        assert_eq!(one.text(), "it answered with 1 objectives, expected 2");
        assert!(Aim::Residuals.evaluation::<f64>(Vec::new()).failure.is_some());
        assert!(Aim::Residuals.evaluation(vec![1.0, f64::INFINITY]).failure.is_some());
        assert_eq!((Aim::Value.parts(), Aim::Residuals.parts(), front.parts()), (Some(0), None, Some(2)));
    }

    #[test]
    fn robust_losses_are_those_of_scipy() {
        // C^2 rho((r / C)^2) with C = 0.5 at r = 2: z = 16.
        let known = [
            ("soft_l1:0.5", 0.25 * 2.0 * (17.0f64.sqrt() - 1.0)),
            ("huber:0.5", 0.25 * 7.0),
            ("cauchy:0.5", 0.25 * 17.0f64.ln()),
            ("arctan:0.5", 0.25 * 16.0f64.atan()),
        ];
        for (text, value) in known {
            let loss = RobustLoss::parse(text).unwrap();
            assert!((loss.residual(2.0).powi(2) - value).abs() < 1e-14, "{text}");
            assert_eq!(loss.residual(-2.0), -loss.residual(2.0));
            // A small residual is its own.
            for r in [0.0, 1e-9, -1e-6] {
                assert!((loss.residual(r) - r).abs() <= 1e-11 * r.abs(), "{text} {r}");
            }
        }
        for (text, why) in [("hubber", "did you mean 'huber'"), ("huber:0", "must be a finite number above 0")] {
            assert!(RobustLoss::parse(text).unwrap_err().to_string().contains(why), "{text}");
        }
    }
}
