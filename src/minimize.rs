//! The builder for people: what to minimise, by which method, until when.

use crate::combine::distinct::Distinct;
use crate::registry::{self, Settings};
use crate::{
    Constrained, Constraint, DEFAULT_BUDGET, Error, FunctionMut, Halt, Limits, Outcome, Problem, Real, Result, Run,
    Session, Space, Time, Value, Watch, Workers,
};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Minimises a closure on a space: it returns the value of a point, or a `Result` whose error says why there is none; it may change
/// its own state, so one point is evaluated at a time. Where points may be evaluated side by side, see [`minimize_problem`].
///
/// ```
/// use swarmgrad::{Space, minimize};
///
/// let space = Space::cube(3, -5.0, 5.0)?;
/// let mut calls = 0;
/// let outcome = minimize(|x: &[f64]| { calls += 1; x.iter().map(|t| (t - 1.0).powi(2)).sum::<f64>() }, space)
///     .method("auto")
///     .evaluations(2_000)
///     .seed(42)
///     .run()?;
/// assert!(outcome.fun < 1e-8);
/// assert_eq!(outcome.nfev, calls);
/// # Ok::<(), swarmgrad::Error>(())
/// ```
///
/// Typed variables; the closure gets their values as numbers:
///
/// ```
/// use swarmgrad::{Space, Typed, Variable, minimize};
///
/// let texts = ["lr=log:1e-5:1", "layers=int:1:8", "bias=flag"];
/// let space = Space::of(texts.iter().map(|text| Variable::parse(text)).collect::<Result<_, _>>()?)?;
/// let loss = |x: &[f64]| (x[0].log10() + 2.0).powi(2) + (x[1] - 3.0).powi(2) + (1.0 - x[2]);
/// let outcome = minimize(loss, space.clone()).evaluations(300).run()?;
/// assert_eq!(space.decode(&outcome.x)[1..], [Typed::Whole(3), Typed::Flag(true)]);
/// # Ok::<(), swarmgrad::Error>(())
/// ```
/// Constraints, each with a closure of its own; or the objective returns their values beside its own:
///
/// ```
/// use swarmgrad::{Constraint, Space, minimize};
///
/// let space = Space::cube(2, -2.0, 2.0)?;
/// let outcome = minimize(|x: &[f64]| x[0] + x[1], space.clone())
///     .constraint(Constraint::at_most("circle"), |x| x[0] * x[0] + x[1] * x[1] - 2.0)
///     .evaluations(300)
///     .run()?;
/// assert!(outcome.is_feasible() && (outcome.fun + 2.0).abs() < 1e-5);
///
/// let both = |x: &[f64]| (x[0] + x[1], vec![x[0] * x[0] + x[1] * x[1] - 2.0]);
/// let again = minimize(both, space).answering(vec![Constraint::at_most("circle")]).evaluations(300).run()?;
/// assert_eq!((again.x, again.constraints), (outcome.x, outcome.constraints));
/// # Ok::<(), swarmgrad::Error>(())
/// ```
pub fn minimize<'a, C, V>(objective: C, space: Space) -> Minimize<'a>
where
    C: FnMut(&[f64]) -> V + Send + 'a,
    V: Value<f64> + 'a,
{
    Minimize { in_turn: true, ..Minimize::of(Box::new(FunctionMut::new(space, objective))) }
}

/// Minimises a problem, a [`Function`](crate::Function) for example, on as many threads as [`Minimize::threads`] says.
///
/// ```
/// use swarmgrad::{Function, Space, minimize_problem};
///
/// let sphere = Function::new(Space::cube(2, -5.0, 5.0)?, |x: &[f64]| x.iter().map(|t| t * t).sum::<f64>());
/// let outcome = minimize_problem(sphere).method("de(particles=20)").target(1e-6).threads(2).run()?;
/// assert!(outcome.fun <= 1e-6);
/// # Ok::<(), swarmgrad::Error>(())
/// ```
///
/// With several objectives the result has a front, points of which none is better than another in all of them:
///
/// ```
/// use swarmgrad::{Space, VectorFunction, minimize_problem};
///
/// let both = VectorFunction::objectives(Space::cube(2, -4.0, 4.0)?, &["near", "far"], |x: &[f64], f: &mut [f64]| {
///     f[0] = x[0] * x[0] + x[1] * x[1];
///     f[1] = (x[0] - 2.0) * (x[0] - 2.0) + x[1] * x[1];
/// });
/// let outcome = minimize_problem(both).method("nsga2").evaluations(3_000).run()?;
/// let front = outcome.solutions.map_or(Vec::new(), |solutions| solutions.points);
/// assert!(front.len() > 20 && front.windows(2).all(|pair| pair[0].parts[1] > pair[1].parts[1]));
/// # Ok::<(), swarmgrad::Error>(())
/// ```
pub fn minimize_problem<'a>(problem: impl Problem + 'a) -> Minimize<'a> {
    Minimize::of(Box::new(problem))
}

/// The value of a constraint at a point.
type ConstraintFunction<'a> = Box<dyn Fn(&[f64]) -> f64 + Sync + 'a>;

/// A minimisation to be run. Without a limit it ends after [`DEFAULT_BUDGET`] evaluations a variable.
pub struct Minimize<'a> {
    problem: Box<dyn Problem + 'a>,
    answering: Option<Vec<Constraint>>,
    constraints: Vec<(Constraint, ConstraintFunction<'a>)>,
    method: String,
    settings: Settings,
    limits: Limits,
    seconds: Option<Duration>,
    seed: u64,
    threads: usize,
    /// Whether points can only be evaluated one after another.
    in_turn: bool,
    halt: Halt,
    watchers: Vec<Box<dyn Watch + 'a>>,
}

impl<'a> Minimize<'a> {
    fn of(problem: Box<dyn Problem + 'a>) -> Self {
        Minimize {
            problem,
            answering: None,
            constraints: Vec::new(),
            method: registry::DEFAULT.into(),
            settings: Settings::new(),
            limits: Limits::default(),
            seconds: None,
            seed: 0,
            threads: 1,
            in_turn: false,
            halt: Halt::default(),
            watchers: Vec::new(),
        }
    }

    /// The method by its name, with settings if you like: `pso(particles=20, topology=ring)`. `auto` where none is named.
    pub fn method(mut self, text: &str) -> Self {
        self.method = text.into();
        self
    }

    /// A parameter of the method; see `swarmgrad list METHOD`.
    pub fn set(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// A constraint with a closure for its value, which gets what the objective gets.
    pub fn constraint(mut self, constraint: Constraint, value: impl Fn(&[f64]) -> f64 + Sync + 'a) -> Self {
        self.constraints.push((constraint, Box::new(value)));
        self
    }

    /// The constraints whose values the objective returns beside its own, as `(value, vec![c1, c2])`.
    pub fn answering(mut self, constraints: Vec<Constraint>) -> Self {
        self.answering = Some(constraints);
        self
    }

    /// Points to begin with.
    pub fn x0(self, points: Vec<Vec<f64>>) -> Self {
        self.set("start", json!({ "points": points }))
    }

    /// Ends after this many evaluations; the method plans by it.
    pub fn evaluations(mut self, budget: u64) -> Self {
        self.limits.evaluations = Some(budget);
        self
    }

    /// Ends after this many iterations, the first points not counted.
    pub fn iterations(mut self, iterations: u64) -> Self {
        self.limits.iterations = Some(iterations);
        self
    }

    /// Ends when a value this good is found.
    pub fn target(mut self, target: f64) -> Self {
        self.limits.target = Some(target);
        self
    }

    /// Ends when this many evaluations brought no improvement, none by more than [`Minimize::tolerance`].
    pub fn patience(mut self, evaluations: u64) -> Self {
        self.limits.patience = Some(evaluations);
        self
    }

    /// Ends when the best value has not improved by more than this share of itself, for as long as [`Minimize::patience`] says, else
    /// for 100 (d + 5) evaluations.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.limits.tolerance = Some(tolerance);
        self
    }

    /// Ends after this time.
    pub fn time(mut self, time: Duration) -> Self {
        self.seconds = Some(time);
        self
    }

    /// The seed of all random numbers; 0 where none is given.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads, 0 for one a core. The result does not depend on their number. More than one need [`minimize_problem`].
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Ends soon after `halt` asks for it, with the result so far.
    pub fn halt(mut self, halt: Halt) -> Self {
        self.halt = halt;
        self
    }

    /// Adds a watcher.
    pub fn watch(mut self, watcher: impl Watch + 'a) -> Self {
        self.watchers.push(Box::new(watcher));
        self
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Names the method, parameter, value and rule where one does not fit.
    pub fn run(mut self) -> Result<Outcome> {
        self.limits.check()?;
        if self.in_turn && self.threads != 1 {
            let rule = "must be 1 for a closure that may change its own state: minimize_problem(Function::new(space, closure)) \
                        evaluates side by side";
            return Err(Error::parameter("threads", self.threads, rule));
        }
        let mut problem = Constrained::new(self.problem);
        if let Some(constraints) = self.answering {
            problem = problem.answering(constraints);
        }
        for (constraint, value) in self.constraints {
            problem = problem.with(constraint, value);
        }
        let space = problem.space().clone();
        self.limits.time = self.seconds.map(Time::from_now);
        if self.limits.is_endless() {
            self.limits.evaluations = Some(DEFAULT_BUDGET.saturating_mul(space.dim() as u64));
        }
        let (entry, all) = registry::parse_with(&self.method, &self.settings)?;
        let method =
            registry::build(entry, &space, self.limits.evaluations, &all, problem.constraints(), problem.aim())?;
        let method = if problem.noisy() { method } else { Distinct::over(method, &space) };
        let mut session = Session::new(method, self.seed).limits(self.limits);
        for watcher in self.watchers {
            session = session.watch_boxed(watcher);
        }
        let workers = Workers::new(self.threads)?;
        Ok(Run::of(session, &problem).workers(&workers).halt(self.halt).minimize())
    }
}

/// A session of a method by its name, to be driven with [`Session::ask`] and [`Session::tell`]. The method plans by the limits'
/// budget, which is said once. Where the space has whole variables, choices or flags, points that mean the same are asked for once.
///
/// ```
/// use swarmgrad::{Evaluation, Limits, Space, registry::Settings, session};
///
/// let space = Space::cube(2, -5.0, 5.0)?;
/// let mut session = session("cma_es", &Settings::new(), &space, Limits::evaluations(500), 7)?;
/// while session.ended().is_none() {
///     for (id, x) in session.ask(usize::MAX).points() {
///         session.tell(id, Evaluation::of(x.iter().map(|t| t * t).sum()))?;
///     }
/// }
/// assert!(session.outcome().fun < 1e-6);
/// # Ok::<(), swarmgrad::Error>(())
/// ```
///
/// # Errors
/// Names the method, parameter, value and rule where one does not fit.
pub fn session<'a, F: Real>(
    method: &str,
    settings: &Settings,
    space: &Space<F>,
    limits: Limits<F>,
    seed: u64,
) -> Result<Session<'a, F>> {
    let (entry, all) = registry::parse_with(method, settings)?;
    let method = Distinct::over(entry.build(space, limits.evaluations, &all)?, space);
    Ok(Session::new(method, seed).limits(limits))
}
