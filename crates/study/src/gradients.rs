//! Gradients by name, for methods that use them: the formula of a test problem, differences, or a swarm.

use crate::study::Plan;
use swarmgrad_algorithms::gradient;
use swarmgrad_combine::registry::Settings;
use swarmgrad_core::{Algorithm, Differentiable, Error, GradientSource, Problem, Result, Rng, Sampled};

/// The gradient of a test problem by its formula; of one that is maximised, turned over.
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
        Sampled { value: self.problem.value(x), evaluations: 1, gradients: 1, reliability: None }
    }
}

/// The names that `gradient` of a study takes.
pub fn names() -> impl Iterator<Item = &'static str> {
    ["formula", "none"].into_iter().chain(gradient::SOURCES.iter().map(|source| source.name))
}

/// Whether the study wants a source of gradients. Without a name the differentiable methods take the formula, where the problem has
/// one; the others are compared without gradients unless these are asked for.
///
/// # Errors
/// A name that nothing answers to; a source for a method that makes no use of it; a formula where the problem has none.
pub(crate) fn wanted(plan: &Plan, formula: bool) -> Result<Option<&str>> {
    let named = plan.study.gradient.as_deref();
    if let Some(name) = named {
        if !names().any(|known| known == name) {
            return Err(Error::unknown("gradient", name, names()));
        }
        if name != "none" && !plan.algorithm()?.expect_gradients() {
            let method = plan.entry.name;
            let rule = format!("{method} makes no use of gradients with these settings; `list methods` shows diff_..");
            return Err(Error::parameter("--gradient", name, rule));
        }
        if name == "formula" && !formula {
            return Err(Error::parameter("--gradient", name, "the problem has none; differences work for any problem"));
        }
    }
    Ok(match named {
        Some("none") => None,
        Some(name) => Some(name),
        // A formula says nothing of the noise of a value.
        None => {
            let takes = swarmgrad_diff::registry::ENTRIES.iter().any(|entry| entry.name == plan.entry.name);
            (formula && takes && !plan.study.noisy).then_some("formula")
        }
    })
}

/// The source of that name for `problem`, as the run sees it.
pub(crate) fn source<'a>(
    name: &str,
    plan: &Plan,
    problem: &'a dyn Problem,
    differentiable: Option<&'a dyn Differentiable>,
) -> Result<Box<dyn GradientSource + 'a>> {
    match differentiable.filter(|_| name == "formula") {
        Some(differentiable) => Ok(Box::new(Formula { problem, differentiable, negated: plan.study.maximize })),
        None => gradient::source(name)?.build(problem, &Settings::new()),
    }
}
