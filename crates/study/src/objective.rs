//! Objective: what a plan evaluates, by itself: a test problem, or copies of a program that serve all who ask.

use crate::program::{self, Blocking, Pool};
use crate::report::LastFailure;
use crate::study::Plan;
use std::path::PathBuf;
use swarmgrad_core::{
    Aim, Constraint, Differentiable, Error, Evaluation, Function, Halt, Problem, Result, Rows, Space,
};
use swarmgrad_problems::{self as problems, TestProblem};

/// The problem of a plan, to be evaluated by one run, by several at the same time, or without any.
///
/// ```
/// use swarmgrad_core::{Halt, Problem};
/// use swarmgrad_study::{Execution, Study};
///
/// let study = Study { problem: Some("sphere".into()), constraints: vec!["x0 >= 1".into()], ..Study::default() };
/// let objective = study.plan()?.objective(1, None, Halt::default())?;
/// assert_eq!(objective.evaluate(&[3.0, 0.0]).constraints, [-2.0]);
/// let execution = Execution { objective: Some(&objective), ..Execution::default() };
/// assert!((study.run(execution)?.outcome.fun - 1.0).abs() < 1e-5);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Objective {
    plan: Plan,
    place: Place,
}

enum Place {
    /// In this process.
    Test(Box<dyn TestProblem>),
    /// In this process, of typed variables.
    Typed(Box<dyn Problem + Send>),
    /// In a program's.
    Program(Box<Blocking>),
}

impl Plan {
    /// What the plan evaluates. `workers` copies of a program work at the same time, on these `hosts`; they begin with the first
    /// point. Points of a program that are asked for after the halt have no value.
    ///
    /// # Errors
    /// A program that cannot be one.
    pub fn objective(&self, workers: usize, hosts: Option<PathBuf>, halt: Halt) -> Result<Objective> {
        let place = match self.test()? {
            None => Place::Program(Box::new(Blocking::new(self.pool(workers, hosts, false)?, halt))),
            Some(test) if self.space.variables().is_empty() => Place::Test(test),
            Some(test) => Place::Typed(Box::new(decoded(self.space.clone(), test))),
        };
        Ok(Objective { plan: self.clone(), place })
    }

    /// The test problem; typed variables give it their numbers.
    pub(crate) fn test(&self) -> Result<Option<Box<dyn TestProblem>>> {
        let build = |name: &String| match self.space.variables().len() {
            0 => problems::entry(name)?.build(self.space.dim(), Some(self.space.clone())),
            dim => problems::entry(name)?.build(dim, Some(Space::unbounded(dim)?)),
        };
        self.study.problem.as_ref().map(build).transpose()
    }

    /// The least value that the problem is known to have on this space.
    ///
    /// # Errors
    /// A test problem that cannot be built.
    pub fn minimum(&self) -> Result<Option<f64>> {
        let typed = !self.space.variables().is_empty();
        match &self.study.problem {
            // Further constraints may leave it out, and so may variables that are not the problem's own.
            Some(_) if !self.study.constraints.is_empty() => Ok(None),
            Some(name) if typed && self.study.variables.is_empty() => {
                Ok(problems::entry(name)?.build::<f64>(self.space.dim(), None)?.minimum())
            }
            _ if typed => Ok(None),
            _ => Ok(self.test()?.and_then(|test| test.minimum())),
        }
    }

    /// Copies of the program.
    pub(crate) fn pool(&self, workers: usize, hosts: Option<PathBuf>, resumed: bool) -> Result<Pool> {
        let program = self.study.program.as_ref().ok_or_else(|| Error::missing("--exec", "there is no program"))?;
        if let Some(function) = &program.function {
            let rule =
                "the file holds a run of this function: a command that computes the same is needed, --exec COMMAND";
            return Err(Error::parameter("--exec", function, rule));
        }
        let options = program::Options {
            names: self.names.clone(),
            constraints: self.constraints.answered().to_vec(),
            aim: self.aim.clone(),
            workers: workers.max(1),
            hosts,
            resumed,
            ..program::Options::of(program)?
        };
        Pool::new(&options, self.space.clone())
    }
}

/// A test problem of typed variables, which gets their numbers.
pub(crate) fn decoded(space: Space, test: impl std::ops::Deref<Target = dyn TestProblem> + Sync) -> impl Problem {
    Function::fallible(space, move |x: &[f64]| {
        let Evaluation { value, constraints, .. } = test.evaluate(x);
        (value, constraints)
    })
}

impl Objective {
    /// The plan that it is of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    fn signed(&self) -> Signed<'_> {
        let problem: &dyn Problem = match &self.place {
            Place::Test(test) => &**test,
            Place::Typed(typed) => &**typed,
            Place::Program(program) => &**program,
        };
        Signed { problem, plan: &self.plan }
    }

    /// Its gradient by formula, of a test problem that has one.
    pub(crate) fn differentiable(&self) -> Option<&dyn Differentiable> {
        if let Place::Test(test) = &self.place { test.differentiable() } else { None }
    }

    /// The points inside the space that attain the least value, where the problem is one of those that know them.
    pub fn minimizers(&self) -> &[Vec<f64>] {
        match &self.place {
            // Further constraints may leave them out.
            Place::Test(test) if self.plan.study.constraints.is_empty() => test.minimizers(),
            _ => &[],
        }
    }

    fn program(&self) -> Option<&Blocking> {
        if let Place::Program(program) = &self.place { Some(program) } else { None }
    }

    /// Why nothing can come of the program any more, if so.
    pub fn broken(&self) -> Option<String> {
        self.program()?.broken()
    }

    /// The last failure of the program.
    pub fn last_failure(&self) -> Option<LastFailure> {
        self.program()?.last_failure().as_ref().map(LastFailure::of)
    }

    /// What the user should know of the program and has not been told yet.
    pub fn notes(&self) -> Vec<String> {
        self.program().map_or(Vec::new(), Blocking::notes)
    }
}

impl Problem for Objective {
    fn space(&self) -> &Space {
        &self.plan.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.signed().value(x)
    }

    fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
        self.signed().values(xs, out);
    }

    fn whole(&self) -> bool {
        self.signed().whole()
    }

    fn explains(&self) -> bool {
        self.signed().explains()
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        self.signed().evaluate(x)
    }

    fn constraints(&self) -> &[Constraint] {
        self.plan.constraints.list()
    }

    fn aim(&self) -> &Aim {
        &self.plan.aim
    }

    fn noisy(&self) -> bool {
        self.plan.study.noisy
    }
}

/// A problem as the study declares it: upside down where it is maximised, its values random where it is noisy, with its constraints.
pub(crate) struct Signed<'a> {
    pub problem: &'a dyn Problem,
    pub plan: &'a Plan,
}

impl Signed<'_> {
    fn negated(&self) -> bool {
        self.plan.study.maximize
    }
}

impl Problem for Signed<'_> {
    fn space(&self) -> &Space {
        self.problem.space()
    }

    fn value(&self, x: &[f64]) -> f64 {
        let value = self.problem.value(x);
        if self.negated() { 0.0 - value } else { value }
    }

    fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
        self.problem.values(xs, out);
        if self.negated() {
            out.iter_mut().for_each(|value| *value = 0.0 - *value);
        }
    }

    fn whole(&self) -> bool {
        self.problem.whole()
    }

    fn explains(&self) -> bool {
        self.problem.explains()
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        let mut evaluation = self.problem.evaluate(x);
        if self.plan.constraints.list().is_empty() {
            // A program may say more than it is asked.
            evaluation.constraints.clear();
        }
        turned(self.plan, x, evaluation)
    }

    fn constraints(&self) -> &[Constraint] {
        self.plan.constraints.list()
    }

    fn aim(&self) -> &Aim {
        &self.plan.aim
    }

    fn noisy(&self) -> bool {
        self.plan.study.noisy
    }
}

/// An evaluation to be minimised, with the values of all constraints at x.
pub(crate) fn turned(plan: &Plan, x: &[f64], mut evaluation: Evaluation) -> Evaluation {
    if plan.aim != Aim::Value && evaluation.failure.is_none() {
        let Evaluation { value, parts, failure, .. } = plan.evaluation(std::mem::take(&mut evaluation.parts));
        (evaluation.value, evaluation.parts, evaluation.failure) = (value, parts, failure);
    } else if plan.study.maximize {
        evaluation.value = 0.0 - evaluation.value;
    }
    if plan.constraints.list().is_empty() {
        return evaluation;
    }
    match plan.constraints.complete(&plan.space, x, std::mem::take(&mut evaluation.constraints)) {
        Ok(constraints) => Evaluation { constraints, ..evaluation },
        // What failed may have said nothing of constraints.
        Err(_) if evaluation.failure.is_some() => evaluation,
        Err(failure) => Evaluation { failure: Some(failure), value: f64::NAN, ..evaluation },
    }
}
