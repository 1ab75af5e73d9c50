//! A formula of several objectives on a space.

use crate::entry::{Entry, TestProblem};
use swarmgrad_core::{Aim, Constraint, Differentiable, Evaluation, Problem, Real, Space};

/// Objectives and constraints at a point in double precision.
pub(crate) trait Formula: Send + Sync + 'static {
    /// The names of the objectives.
    fn objectives(&self) -> Vec<String>;

    /// The constraints.
    fn constraints(&self) -> Vec<Constraint> {
        Vec::new()
    }

    /// Writes the objectives and the values of the constraints.
    fn evaluate(&self, x: &[f64], f: &mut [f64], c: &mut [f64]);
}

/// The problem of a formula on a space.
pub(crate) fn pose_formula<F: Real>(entry: Entry, formula: impl Formula, space: Space<F>) -> Box<dyn TestProblem<F>> {
    let (aim, constraints) = (Aim::Objectives(formula.objectives()), formula.constraints());
    Box::new(Posed { entry, formula, space, aim, constraints })
}

struct Posed<F: Real, G> {
    entry: Entry,
    formula: G,
    space: Space<F>,
    aim: Aim,
    constraints: Vec<Constraint>,
}

impl<F: Real, G: Formula> Problem<F> for Posed<F, G> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn aim(&self) -> &Aim {
        &self.aim
    }

    fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    fn value(&self, x: &[F]) -> F {
        self.evaluate(x).value
    }

    fn evaluate(&self, x: &[F]) -> Evaluation<F> {
        assert_eq!(x.len(), self.space.dim(), "a point must have dim entries");
        let point: Vec<f64> = x.iter().map(|t| t.f64()).collect();
        let (mut f, mut c) = (vec![0.0; self.aim.parts().unwrap_or(0)], vec![0.0; self.constraints.len()]);
        self.formula.evaluate(&point, &mut f, &mut c);
        let narrow = |values: Vec<f64>| values.into_iter().map(F::of).collect();
        Evaluation { constraints: narrow(c), ..self.aim.evaluation(narrow(f)) }
    }
}

impl<F: Real, G: Formula> TestProblem<F> for Posed<F, G> {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn minimum(&self) -> Option<F> {
        None
    }

    fn minimizers(&self) -> &[Vec<F>] {
        &[]
    }

    fn differentiable(&self) -> Option<&dyn Differentiable<F>> {
        None
    }
}
