//! What is minimised: a test problem of two variables, or a formula.

use crate::Objective;
use serde_json::{Value, json};
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::study::Formula;
use swarmgrad::{Aim, Constraint, Differentiable, Error, Evaluation, Problem, Result, Space, violation};

/// A problem of two variables with finite bounds.
pub(crate) struct Ground {
    space: Space,
    what: What,
}

enum What {
    Test(Box<dyn TestProblem>),
    Formula(Formula),
}

impl Ground {
    /// # Errors
    /// A name that is not known, a problem that cannot have two variables, a formula that cannot be read, bounds that are none.
    pub(crate) fn new(objective: &Objective) -> Result<Self> {
        let bounds = objective.bounds.map(|[x, y]| Space::new(vec![x[0], y[0]], vec![x[1], y[1]])).transpose()?;
        let ground = if objective.problem.is_empty() {
            let formula = Formula::parse(&objective.formula, &["x0".into(), "x1".into()])?;
            let space = bounds.map_or_else(|| Space::cube(2, -5.0, 5.0), Ok)?;
            Ground { space, what: What::Formula(formula) }
        } else {
            let test = problems::entry(&objective.problem)?.build(2, bounds)?;
            Ground { space: test.space().clone(), what: What::Test(test) }
        };
        let refuse = |rule: &str| Err(Error::parameter("problem", &objective.problem, rule));
        if !ground.space.variables().is_empty() {
            return refuse("has variables that are not plain numbers");
        }
        if matches!(ground.aim(), Aim::Objectives(_)) {
            return refuse("has several objectives, and a landscape shows one value");
        }
        let room =
            |j: usize| (ground.space.upper()[j] - ground.space.lower()[j]).is_finite() && ground.space.width(j) > 0.0;
        if !(room(0) && room(1)) {
            return Err(Error::parameter(
                "bounds",
                format!("{:?}", ground.bounds()),
                "must be finite with room between them",
            ));
        }
        Ok(ground)
    }

    pub(crate) fn bounds(&self) -> [[f64; 2]; 2] {
        [0, 1].map(|j| [self.space.lower()[j], self.space.upper()[j]])
    }

    pub(crate) fn minimum(&self) -> Option<f64> {
        self.test().and_then(|test| test.minimum())
    }

    pub(crate) fn minimizers(&self) -> &[Vec<f64>] {
        self.test().map_or(&[], |test| test.minimizers())
    }

    pub(crate) fn constraints(&self) -> Vec<String> {
        Problem::constraints(self).iter().map(|constraint| constraint.name().to_owned()).collect()
    }

    /// The gradient's formula, where there is one.
    pub(crate) fn differentiable(&self) -> Option<&dyn Differentiable> {
        self.test().and_then(|test| test.differentiable())
    }

    fn test(&self) -> Option<&dyn TestProblem> {
        match &self.what {
            What::Test(test) => Some(&**test),
            What::Formula(_) => None,
        }
    }

    /// Values on a grid that reaches from bound to bound; `violated` says where a constraint is not kept to.
    pub(crate) fn landscape(&self, side: usize) -> Value {
        let at = |j: usize, k: usize| self.space.lower()[j] + self.space.width(j) * k as f64 / (side - 1) as f64;
        let (mut values, mut violated) = (Vec::with_capacity(side * side), Vec::new());
        for k in 0..side * side {
            let x = [at(0, k % side), at(1, k / side)];
            let Evaluation { value, constraints, .. } = self.evaluate(&x);
            values.push(value);
            if !constraints.is_empty() {
                violated.push(u8::from(violation(Problem::constraints(self), &constraints) > 0.0));
            }
        }
        json!({
            "side": side,
            "bounds": self.bounds(),
            "values": values,
            "violated": violated,
            "minimum": self.minimum(),
            "minimizers": self.minimizers(),
            "constraints": self.constraints(),
        })
    }
}

impl Problem for Ground {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        match &self.what {
            What::Test(test) => test.value(x),
            What::Formula(formula) => formula.value(x),
        }
    }

    fn constraints(&self) -> &[Constraint] {
        self.test().map_or(&[], |test| test.constraints())
    }

    fn aim(&self) -> &Aim {
        self.test().map_or(&Aim::Value, |test| test.aim())
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        match &self.what {
            What::Test(test) => test.evaluate(x),
            What::Formula(formula) => Evaluation::of(formula.value(x)),
        }
    }

    fn noisy(&self) -> bool {
        self.test().is_some_and(|test| test.noisy())
    }
}
