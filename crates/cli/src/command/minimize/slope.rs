//! Gradients for methods that use them: the formula of a test problem, differences, or a swarm.

use super::{Declared, Minimize, Objective};
use swarmgrad::algorithms::gradient;
use swarmgrad::registry::Settings;
use swarmgrad::{Differentiable, Error, GradientSource, Problem, Result, Rng, Sampled};

/// The gradient of a test problem by its formula; `--maximize` turns it over.
struct Formula<'a> {
    problem: &'a dyn Problem,
    differentiable: &'a dyn Differentiable,
    negated: bool,
}

impl GradientSource for Formula<'_> {
    fn gradient(&mut self, x: &[f64], out: &mut [f64], _rng: &Rng) -> Sampled {
        self.differentiable.gradient(x, out);
        if self.negated {
            out.iter_mut().for_each(|g| *g = 0.0 - *g);
        }
        Sampled { value: self.problem.value(x), evaluations: 1, gradients: 1 }
    }
}

/// The source that the settings name, if any. Without a name the differentiable methods take the formula, where the problem
/// has one; the others are compared without gradients unless these are asked for.
pub(super) fn source<'a>(
    settings: &Minimize,
    objective: &'a Objective,
    problem: &'a dyn Problem,
    declared: &Declared<'_>,
    method: &str,
) -> Result<Option<Box<dyn GradientSource + 'a>>> {
    let differentiable = match objective {
        Objective::Known(known) => known.differentiable(),
        Objective::Program(_) => None,
    };
    let formula = |differentiable| -> Box<dyn GradientSource + 'a> {
        Box::new(Formula { problem, differentiable, negated: declared.negated })
    };
    match settings.gradient.as_deref() {
        Some("none") => Ok(None),
        None => {
            let takes = swarmgrad::diff::registry::ENTRIES.iter().any(|entry| entry.name == method);
            // A formula says nothing of the noise of a value.
            Ok(differentiable.filter(|_| takes && !declared.noisy).map(formula))
        }
        Some("formula") => match differentiable {
            Some(differentiable) => Ok(Some(formula(differentiable))),
            None => {
                Err(Error::parameter("--gradient", "formula", "the problem has none; differences work for any problem"))
            }
        },
        Some(name) => match gradient::SOURCES.iter().find(|source| source.name == name) {
            Some(source) => source.build(problem, &Settings::new()).map(Some),
            None => {
                let known = gradient::SOURCES.iter().map(|source| source.name);
                Err(Error::unknown("gradient", name, ["formula", "none"].into_iter().chain(known)))
            }
        },
    }
}
