//! Study: everything a person says of a run, as plain data. The command line, Python and files fill it in.
//!
//! ```
//! use swarmgrad_study::{Execution, Study};
//!
//! let study = Study::from_toml(r#"
//!     problem = "rastrigin"
//!     dim = 4
//!     method = "de(particles=20)"
//!     evaluations = 4000
//!     seed = 7
//! "#)?;
//! let report = study.run(Execution::default())?;
//! assert!(report.outcome.fun < 10.0);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

use crate::constraint::Constraints;
use crate::space::{self, Bounds};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use swarmgrad_combine::distinct::Distinct;
use swarmgrad_combine::ensemble::Ensemble;
use swarmgrad_combine::registry::{self, Entry, Settings};
use swarmgrad_core::{
    Aim, Algorithm, Error, Evaluation, Limits, Result, RobustLoss, Screen, Session, Space, Start, Variable,
    VariableKind,
};
use swarmgrad_diff::schedule::Schedule;
use swarmgrad_problems as problems;

/// Evaluations a variable where nothing limits a run of a user's program, which is slower than a test problem.
pub const PROGRAM_BUDGET: u64 = 1000;

/// What is to be minimised, by which method, until when. Every member has a default; [`Study::plan`] says what is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Study {
    /// Name of a test problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// A program of the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// Number of variables; what the problem or the bounds say where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dim: Option<usize>,
    /// `LOWER:UPPER` for all variables, or a comma list of one pair a variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<String>,
    /// Typed variables, each as [`Variable::read`] reads it: `lr=log:1e-5:1`; in place of bounds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// Constraints as text, `x0 + x1 <= 1`, over the names of the variables; in those of a program other names are values that it answers
    /// with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// How far constraints may be missed; 1e-6, and 1e-4 for equations, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint_tolerance: Option<f64>,
    /// The values are sums of squares of residuals, which the program answers with.
    #[serde(skip_serializing_if = "is_no")]
    pub residuals: bool,
    /// A loss of the residuals in place of their squares, as [`RobustLoss::parse`] reads it: `huber:0.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<String>,
    /// Names of several objectives, which the program answers with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    /// What becomes of a coordinate that leaves its bounds: clamp, reflect, wrap or resample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// Maximise; values, target and records keep the sign of the problem.
    #[serde(skip_serializing_if = "is_no")]
    pub maximize: bool,
    /// Two evaluations of a point differ.
    #[serde(skip_serializing_if = "is_no")]
    pub noisy: bool,
    /// The method, with settings if you like: `pso(particles=60)`.
    pub method: String,
    /// Parameters of the method.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub set: Settings,
    /// Where a method that uses gradients has them from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<String>,
    /// What a value with its gradient by formula costs, in evaluations.
    pub gradient_cost: f64,
    /// Law of the first points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// First points, one a row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub x0: Vec<Vec<f64>>,
    /// Values of the points of `x0` that are known already, one a point: they are not evaluated again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub y0: Vec<f64>,
    /// So many independent runs, whose points are evaluated in one batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<usize>,
    /// Seed of all random numbers.
    pub seed: u64,
    /// End after this many evaluations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluations: Option<u64>,
    /// Evaluations that the method plans by, where that is not `evaluations`: a run that is given more than it was begun with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<u64>,
    /// End after this many iterations, the first points not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// End when a value this good is found.
    #[serde(with = "swarmgrad_core::number::option", skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// End after this many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// End when this many evaluations brought no improvement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// Share of the best value by which it must improve for that to count; alone it means a patience of 100 (d + 5) evaluations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Points that can be evaluated at the same time: methods that can choose the size of their rounds ask for about as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// A round is told when this share of its points is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<f64>,
}

/// A program of the user's own, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Program {
    /// The command, run by the shell.
    pub command: String,
    /// The name of a function of the caller's language that stands in place of a command: only that language runs it. A command
    /// that computes the same may continue its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// How a point is written on its standard input: `json` (the default) or `plain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Where the answer of a command with placeholders is read: `out`, the file that stands for `{out}`, or another path;
    /// its standard output where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// Seconds it may take for a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// The run ends after so many failures in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<u64>,
}

impl Default for Study {
    fn default() -> Self {
        Study {
            problem: None,
            program: None,
            dim: None,
            bounds: None,
            variables: Vec::new(),
            constraints: Vec::new(),
            constraint_tolerance: None,
            residuals: false,
            loss: None,
            objectives: Vec::new(),
            outside: None,
            maximize: false,
            noisy: false,
            method: registry::DEFAULT.into(),
            set: Settings::new(),
            gradient: None,
            // A gradient by the reverse mode costs about two evaluations beside the value's own.
            gradient_cost: 3.0,
            start: None,
            x0: Vec::new(),
            y0: Vec::new(),
            runs: None,
            seed: 0,
            evaluations: None,
            planned: None,
            iterations: None,
            target: None,
            time: None,
            patience: None,
            tolerance: None,
            batch: None,
            quorum: None,
        }
    }
}

fn is_no(flag: &bool) -> bool {
    !flag
}

/// A study that has been read, checked and completed; nothing has been started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The study as it was given.
    pub study: Study,
    /// The space of the problem.
    pub space: Space,
    /// The names of its variables; none, or one each.
    pub names: Vec<String>,
    /// The method.
    pub entry: &'static Entry,
    /// What the method is built with.
    pub settings: Settings,
    /// The evaluations that the run may spend, which the method plans by.
    pub budget: Option<u64>,
    /// The constraints of the problem.
    pub constraints: Constraints,
    /// What values are made of.
    pub aim: Aim,
    /// What stands in place of the squares of residuals.
    pub loss: Option<RobustLoss>,
}

impl Study {
    /// Reads the text of a file: TOML.
    ///
    /// # Errors
    /// What cannot be read, with its place.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|why| Error::parameter("study", "its text", why.to_string().trim_end()))
    }

    /// Reads a file: JSON where its name ends so, else TOML.
    ///
    /// # Errors
    /// A file that cannot be read, and what in it cannot be, with its place.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |why: String| Error::File { path: path.display().to_string(), why };
        let text = std::fs::read_to_string(path).map_err(|why| failed(why.to_string()))?;
        match path.extension().is_some_and(|end| end == "json") {
            true => serde_json::from_str(&text).map_err(|why| failed(why.to_string())),
            false => toml::from_str(&text).map_err(|why| failed(why.to_string().trim_end().into())),
        }
    }

    /// The study as the text of a file, TOML: what has its default is left out.
    ///
    /// # Errors
    /// A parameter that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|why| Error::parameter("study", "its members", why.to_string()))
    }

    fn read_bounds(&self) -> Result<Option<Bounds>> {
        self.bounds.as_deref().map(Bounds::parse).transpose()
    }

    /// The space of the typed variables.
    fn typed_space(&self) -> Result<Space> {
        let rule = |rule: &str| Error::parameter("--var", self.variables[0].clone(), rule);
        if self.bounds.is_some() {
            return Err(rule("--bounds is given too: every variable has its bounds in --var"));
        }
        let read: Vec<Vec<Variable>> = self.variables.iter().map(|text| Variable::read(text)).collect::<Result<_>>()?;
        let variables = read.concat();
        if let Some(dim) = self.dim.filter(|&dim| dim != variables.len()) {
            let found = format!("{} variables", variables.len());
            return Err(Error::parameter("--var", found, format!("--dim says {dim} variables")));
        }
        if let Some(name) = &self.problem {
            let entry = problems::entry(name)?;
            entry.space::<f64>(variables.len())?;
            if let Some(words) = variables.iter().find(|v| matches!(v.kind(), VariableKind::Choice { .. })) {
                return Err(Error::parameter("--var", words, format!("{name} takes numbers, no words")));
            }
        }
        Space::of(variables)
    }

    /// The space that the study describes; without bounds the test problem's own domain.
    ///
    /// # Errors
    /// Bounds, variables, a dimension or a rule that do not fit.
    pub fn space(&self) -> Result<Space> {
        if !self.variables.is_empty() {
            let space = self.typed_space()?;
            return Ok(match &self.outside {
                None => space,
                Some(rule) => space.with_outside(space::outside(rule)?),
            });
        }
        let bounds = self.read_bounds()?;
        let listed = bounds.as_ref().and_then(Bounds::dim);
        if let (Some(dim), Some(listed)) = (self.dim, listed)
            && dim != listed
        {
            return Err(Error::parameter("--bounds", format!("{listed} pairs"), format!("--dim says {dim} variables")));
        }
        let given = self.dim.or(listed);
        let space = match (&self.problem, bounds) {
            (Some(name), bounds) => {
                let entry = problems::entry(name)?;
                let least = || if entry.dims.allows(2) { 2 } else { entry.dims.least() };
                let dim = given.or_else(|| problems::usual_dim(&entry)).unwrap_or_else(least);
                // The problem's own space also when there are bounds: it checks the dimension first.
                let space = entry.space(dim)?;
                bounds.map_or(Ok(space), |bounds| bounds.space(dim))?
            }
            (None, Some(bounds)) => {
                let rule = "the number of variables is needed where --bounds has one pair for all of them";
                bounds.space(given.ok_or_else(|| Error::missing("--dim", rule))?)?
            }
            (None, None) => {
                let rule = "a program needs them, for example -5:5,0:1, or -inf:inf for none; or typed variables, --var n=int:1:8";
                return Err(Error::missing("--bounds", rule));
            }
        };
        match &self.outside {
            None => Ok(space),
            Some(rule) => Ok(space.with_outside(space::outside(rule)?)),
        }
    }

    /// Takes over the method and the numbers of a schedule's file, so that the file is not needed any more.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn schedule(&mut self, path: &Path) -> Result<()> {
        let schedule = Schedule::load(path)?;
        let plain = schedule.method.strip_prefix("diff_") == Some(&self.method);
        if plain || self.method == registry::DEFAULT {
            if !self.set.contains_key("mode") && (plain || self.gradient.is_none()) {
                self.set.insert("mode".into(), "classical".into());
            }
            self.method.clone_from(&schedule.method);
        }
        let value = serde_json::to_value(&schedule)
            .map_err(|why| Error::parameter("--schedule", path.display(), why.to_string()))?;
        match self.set.insert("schedule".into(), value) {
            Some(old) => Err(Error::parameter("--set", format!("schedule={old}"), "schedule is set twice")),
            None => Ok(()),
        }
    }

    /// Checks everything that is said and adds what is not. Nothing is started and no file is touched.
    ///
    /// # Errors
    /// Names what does not fit, its value and the rule.
    pub fn plan(&self) -> Result<Plan> {
        match (&self.problem, &self.program) {
            (Some(name), Some(_)) => {
                return Err(Error::parameter("problem", name, "a program is given too; a run has one of them"));
            }
            (None, None) => {
                let rule = "name a test problem, swarmgrad minimize rastrigin, or give a program of your own with its \
                            bounds, --exec 'python3 f.py' --bounds -5:5,0:1";
                return Err(Error::missing("problem", rule));
            }
            (None, Some(program)) if program.command.trim().is_empty() && program.function.is_none() => {
                return Err(Error::parameter("--exec", "''", "must be a command, for example 'python3 objective.py'"));
            }
            _ => {}
        }
        let space = self.space()?;
        let dim = space.dim() as u64;
        let unlimited = self.evaluations.or(self.iterations).is_none() && self.time.is_none();
        let a_variable = if self.program.is_some() { PROGRAM_BUDGET } else { swarmgrad_core::DEFAULT_BUDGET };
        let budget = self.evaluations.or_else(|| unlimited.then(|| a_variable.saturating_mul(dim)));
        let (entry, mut settings) = registry::parse_with(&self.method, &self.set)?;
        let start = match &self.start {
            Some(law) => Some(space::start(law)?),
            None if self.x0.is_empty() => None,
            None => Some(Start::Points(self.points(&space)?)),
        };
        if let Some(start) = start {
            start.check(&space)?;
            let value = serde_json::to_value(&start).map_err(|why| Error::parameter("--start", why, "must be JSON"))?;
            if settings.insert("start".into(), value).is_some() {
                return Err(Error::parameter("--set", "start", "--start and --x0 set it already"));
            }
        }
        Limits { target: self.target, patience: self.patience, tolerance: self.tolerance, ..Limits::default() }
            .check()?;
        let takes_batch = entry.parameters().iter().any(|parameter| parameter.name == "workers");
        if let Some(batch) = self.batch.filter(|_| takes_batch) {
            settings.entry("workers").or_insert(json!(batch));
        }
        if let Some(quorum) = self.quorum
            && !(quorum > 0.0 && quorum <= 1.0)
        {
            return Err(Error::parameter("--quorum", quorum, "must be a share of a round, above 0 and at most 1"));
        }
        if let Some(target) = self.target.filter(|target| target.is_nan()) {
            return Err(Error::parameter("--target", target, "must be a number"));
        }
        let names = match space.variables() {
            [] => self.read_bounds()?.map_or(Vec::new(), |bounds| bounds.names().to_vec()),
            variables => variables.iter().map(|variable| variable.name().to_owned()).collect(),
        };
        let constraints = self.read_constraints(&space, &names)?;
        let aim = self.aim()?;
        let loss = self.loss.as_deref().map(RobustLoss::parse).transpose()?;
        if let Some(text) = self.loss.as_ref().filter(|_| aim != Aim::Residuals) {
            return Err(Error::parameter("--loss", text, "is a loss of residuals, and the problem has none"));
        }
        let plan = Plan { study: self.clone(), space, names, entry, settings, budget, constraints, aim, loss };
        plan.algorithm()?;
        Ok(plan)
    }

    /// The constraints of the test problem and those written as text.
    fn read_constraints(&self, space: &Space, names: &[String]) -> Result<Constraints> {
        let own = match &self.problem {
            Some(name) => problems::entry(name)?.build::<f64>(space.dim(), None)?.constraints().to_vec(),
            None => Vec::new(),
        };
        let (texts, program) = (&self.constraints, self.program.is_some());
        let constraints = Constraints::new(&own, texts, names, space, program, self.constraint_tolerance)?;
        let constrained = !constraints.list().is_empty();
        let not_with = |what: &str| Error::parameter(what, "set", "cannot be used on a problem with constraints");
        for (what, set) in
            [("--runs", self.runs.is_some()), ("y0", !self.y0.is_empty()), ("--gradient", self.gradient.is_some())]
        {
            if constrained && set {
                return Err(not_with(what));
            }
        }
        if !constrained && self.constraint_tolerance.is_some() {
            return Err(Error::parameter("--constraint-tolerance", "set", "the problem has no constraints"));
        }
        Ok(constraints)
    }

    /// What values are made of: what the test problem says, or the study of its program.
    fn aim(&self) -> Result<Aim> {
        let aim = match &self.problem {
            Some(name) => problems::aim(name),
            None if self.residuals => Aim::Residuals,
            None if !self.objectives.is_empty() => Aim::Objectives(self.objectives.clone()),
            None => Aim::Value,
        };
        let refuse = |what: &str, rule: &str| Err(Error::parameter(what, "set", rule));
        if self.residuals && aim != Aim::Residuals {
            return refuse("--residuals", "the test problem has none");
        }
        if !self.objectives.is_empty() && aim != Aim::Objectives(self.objectives.clone()) {
            return refuse("--objectives", "values are residuals, or the test problem has objectives of its own");
        }
        if let Some(name) = self.objectives.iter().enumerate().find(|(k, name)| self.objectives[..*k].contains(name)) {
            return Err(Error::parameter("--objectives", name.1, "is named twice"));
        }
        if aim == Aim::Residuals && self.maximize {
            return refuse("--maximize", "a sum of squares is minimised");
        }
        let parts = if aim == Aim::Residuals { "residuals" } else { "several objectives" };
        for (what, set) in [
            ("--runs", self.runs.is_some()),
            ("y0", !self.y0.is_empty()),
            ("--gradient", self.gradient.is_some()),
            ("--noisy", self.noisy),
        ] {
            if aim != Aim::Value && set {
                return refuse(what, &format!("cannot be used with {parts}"));
            }
        }
        Ok(aim)
    }

    /// The first points, checked against the space.
    fn points(&self, space: &Space) -> Result<Vec<Vec<f64>>> {
        if !self.y0.is_empty() && self.y0.len() != self.x0.len() {
            return Err(Error::shape("y0", self.y0.len(), self.x0.len()));
        }
        for (i, point) in self.x0.iter().enumerate() {
            if point.len() != space.dim() {
                return Err(Error::shape(format!("--x0 point {i}"), point.len(), space.dim()));
            }
            for (j, &t) in point.iter().enumerate() {
                let (lo, hi) = (space.lower()[j], space.upper()[j]);
                if !(lo <= t && t <= hi && t.is_finite()) {
                    let rule = format!("must be a finite number within its bounds {lo}:{hi}");
                    return Err(Error::parameter(format!("--x0 point {i}, variable {j}"), t, rule));
                }
            }
        }
        Ok(self.x0.clone())
    }
}

impl Plan {
    /// The method, ready for its first question.
    ///
    /// # Errors
    /// A parameter that does not fit.
    pub fn algorithm(&self) -> Result<Box<dyn Algorithm>> {
        let method: Box<dyn Algorithm> = match self.study.runs {
            None => {
                let constraints = self.constraints.list();
                registry::build(self.entry, &self.space, self.planned(), &self.settings, constraints, &self.aim)?
            }
            Some(runs) => Box::new(Ensemble::new(self.entry, runs, &self.space, self.planned(), &self.settings)?),
        };
        let mut method = if self.study.noisy { method } else { Distinct::over(method, &self.space) };
        self.screen(&mut *method);
        Ok(method)
    }

    /// Points that violate constraints over the variables alone need not be evaluated, if that is all the method needs to know.
    fn screen(&self, method: &mut dyn Algorithm) {
        if self.constraints.is_cheap() {
            let (constraints, space) = (self.constraints.clone(), self.space.clone());
            let unknown = vec![f64::NAN; constraints.list().len()];
            let screen: Screen =
                Arc::new(move |x| constraints.complete(&space, x, Vec::new()).unwrap_or_else(|_| unknown.clone()));
            method.screen(&screen);
        }
    }

    /// Whether points that mean the same are evaluated once.
    fn remembers(&self) -> bool {
        Distinct::is_for(&self.space) && !self.study.noisy
    }

    /// The method as it was saved.
    pub(crate) fn load(&self, bytes: &[u8]) -> Result<Box<dyn Algorithm>> {
        let method = |bytes: &[u8]| -> Result<Box<dyn Algorithm>> {
            Ok(match self.study.runs {
                None => registry::load(self.entry, bytes, &self.settings, self.constraints.list(), &self.aim)?,
                Some(_) => Box::new(Ensemble::load(self.entry, bytes)?),
            })
        };
        let mut method: Box<dyn Algorithm> = match self.remembers() {
            true => Box::new(Distinct::load(self.space.clone(), bytes, method)?),
            false => method(bytes)?,
        };
        self.screen(&mut *method);
        Ok(method)
    }

    /// A session of the study; `earlier` seconds of its time are over.
    ///
    /// # Errors
    /// A parameter that does not fit.
    pub fn session(&self) -> Result<Session<'static>> {
        self.with(self.algorithm()?)
    }

    /// The same of a method that has been loaded.
    ///
    /// # Errors
    /// A quorum that does not fit.
    pub fn with(&self, algorithm: Box<dyn Algorithm>) -> Result<Session<'static>> {
        let session = Session::new(algorithm, self.study.seed)
            .noisy(self.study.noisy)
            .quorum(self.study.quorum.unwrap_or(1.0))?
            .constraints(self.constraints.list())
            .aim(&self.aim);
        let known = self.study.x0.iter().cloned().zip(self.study.y0.iter().map(|&value| self.signed(value)));
        Ok(session.known(known.collect()))
    }

    /// Evaluations that the method plans by.
    fn planned(&self) -> Option<u64> {
        self.study.planned.or(self.budget)
    }

    /// The limits of the run but for its time.
    pub fn limits(&self) -> Limits {
        Limits {
            evaluations: self.budget,
            iterations: self.study.iterations,
            target: self.study.target.map(|target| self.signed(target)),
            patience: self.study.patience,
            tolerance: self.study.tolerance,
            time: None,
        }
    }

    /// A value of the problem as the run minimises it, and back.
    pub fn signed(&self, value: f64) -> f64 {
        if self.study.maximize { 0.0 - value } else { value }
    }

    /// The evaluation of a point whose value is made of these parts, as the run minimises it.
    pub fn evaluation(&self, mut parts: Vec<f64>) -> Evaluation {
        if let Some(loss) = self.loss {
            parts.iter_mut().for_each(|r| *r = loss.residual(*r));
        }
        if self.study.maximize {
            parts.iter_mut().for_each(|part| *part = 0.0 - *part);
        }
        self.aim.evaluation(parts)
    }

    /// Number of variables.
    pub fn variables(&self) -> usize {
        match self.space.variables() {
            [] => self.space.dim(),
            variables => variables.len(),
        }
    }

    /// All parameters of the method.
    pub fn parameters(&self) -> Settings {
        self.entry.complete(&self.settings)
    }

    /// What makes two runs the same run: all that a method's course depends on. Limits that only end a run are not part of it.
    ///
    /// # Errors
    /// A study that cannot be written.
    pub fn identity(&self) -> Result<Value> {
        let study =
            Study { iterations: None, target: None, time: None, patience: None, tolerance: None, ..self.study.clone() };
        let program = study.program.map(|program| Program { timeout: None, max_failures: None, ..program });
        let study = Study { evaluations: self.planned(), planned: None, program, ..study };
        serde_json::to_value(study).map_err(|why| Error::Unsaved { method: "a study".into(), why: why.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_survives_its_file() {
        let study = Study {
            problem: Some("rosenbrock".into()),
            dim: Some(3),
            bounds: Some("-5:5".into()),
            method: "islands".into(),
            set: json!({ "method": "lshade(particles=20)", "number": 3 }).as_object().unwrap().clone(),
            target: Some(f64::NEG_INFINITY),
            x0: vec![vec![1.0, 2.0, 0.1 + 0.2]],
            program: None,
            batch: Some(4),
            ..Study::default()
        };
        let text = study.to_toml().unwrap();
        assert_eq!(Study::from_toml(&text).unwrap(), study, "{text}");
        let json = serde_json::to_string(&study).unwrap();
        assert_eq!(serde_json::from_str::<Study>(&json).unwrap(), study);
        let error = Study::from_toml("problem = \"sphere\"\nsed = 3").unwrap_err().to_string();
        assert!(error.contains("unknown field `sed`") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let base = Study { problem: Some("sphere".into()), dim: Some(2), ..Study::default() };
        let error = |study: Study| study.plan().unwrap_err().to_string();
        assert!(error(Study::default()).starts_with("problem is missing"));
        assert!(error(Study { program: Some(Program::default()), ..base.clone() }).contains("one of them"));
        assert!(
            error(Study { x0: vec![vec![1.0]], ..base.clone() }).contains("--x0 point 0 has 1 entries, expected 2")
        );
        assert!(error(Study { x0: vec![vec![1.0, 1e9]], ..base.clone() }).contains("within its bounds"));
        assert!(error(Study { quorum: Some(1.5), ..base.clone() }).contains("--quorum = 1.5"));
        assert!(error(Study { method: "psoo".into(), ..base.clone() }).contains("did you mean 'pso'?"));
        let twice = Study {
            method: "pso(particles=20)".into(),
            set: json!({"particles": 3}).as_object().unwrap().clone(),
            ..base.clone()
        };
        assert!(error(twice).contains("is set in 'pso(particles=20)' already"));
        let plan = Study { batch: Some(8), ..base }.plan().unwrap();
        assert_eq!((plan.settings["workers"].as_u64(), plan.budget), (Some(8), Some(20_000)));
    }
}
