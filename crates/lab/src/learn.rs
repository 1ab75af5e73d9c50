//! Learning the numbers of a method on test functions: what to learn and on what as plain data, continued after a kill.

use crate::error::Result;
use crate::paper::evograd::family::Shifted;
use crate::record::number;
use crate::table::{Rules, Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use swarmgrad::diff::meta::{Drawn, Family, Learning, LearningState, Lesson, learn};
use swarmgrad::diff::schedule::Schedule;
use swarmgrad::registry::Settings;
use swarmgrad::study::units::{UnitState, Work};
use swarmgrad::study::{Objective, Study};
use swarmgrad::{Aim, Error, Halt, Rng, settings};

/// Evaluations a variable where nothing is said.
pub const EVALUATIONS_A_VARIABLE: u64 = 200;

/// What to learn, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningPlan {
    /// The method, as [`settings::parse`] reads it.
    pub method: String,
    /// Functions: those of `evograd/functions`; none for the program of `study`.
    pub problems: Vec<String>,
    /// A program of the user's own in place of functions, with its variables and bounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study: Option<Study>,
    /// The value that the program cannot fall below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Numbers of variables.
    pub dims: Vec<usize>,
    /// Evaluations of every run; none for 200 a variable.
    pub evaluations: Option<u64>,
    /// Whether the functions are rotated too.
    pub rotated: bool,
    /// Further parameters of the method.
    pub set: Settings,
    /// Which of its numbers; none for all that have bounds.
    pub numbers: Vec<String>,
    /// Knots of the schedule, spread evenly; 1 for constant numbers.
    pub knots: usize,
    /// Steps of the learning.
    pub steps: usize,
    /// Mirrored pairs of runs on every problem in a step.
    pub pairs: usize,
    /// Windows of a run.
    pub windows: u64,
    /// The seed.
    pub seed: u64,
}

impl Default for LearningPlan {
    fn default() -> Self {
        LearningPlan {
            method: String::new(),
            problems: Vec::new(),
            study: None,
            minimum: None,
            dims: vec![10],
            evaluations: None,
            rotated: false,
            set: Settings::new(),
            numbers: Vec::new(),
            knots: 5,
            steps: 100,
            pairs: 8,
            windows: 1,
            seed: 0,
        }
    }
}

/// What was learned, as a line of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    version: String,
    learn: Value,
    schedule: Schedule,
    #[serde(with = "number")]
    gain: f64,
}

impl LearningPlan {
    /// What tells it from others.
    pub fn plan(&self) -> Value {
        json!({"learn": self, "version": env!("CARGO_PKG_VERSION")})
    }

    /// Learns. `progress` is told the number of steps after each. After a halt the answer is as far as it came, and where the
    /// learning was is kept beside the records, so that the same plan goes on from there to the same end.
    ///
    /// # Errors
    /// Names what does not fit, its value and the rule.
    pub fn run(&self, work: &Work<'_>, hosts: Option<PathBuf>, progress: &(dyn Fn(usize) + Sync)) -> Result<Lesson> {
        let names: Vec<&str> = self.problems.iter().map(|name| name.trim()).collect();
        let budget = |dim: usize| self.evaluations.unwrap_or(EVALUATIONS_A_VARIABLE * dim as u64);
        match &self.study {
            Some(study) => {
                let own = OwnProgram::new(study, self, hosts, work)?;
                self.run_on(&own, &|| own.objective.broken(), work, progress)
            }
            None => {
                let family = Shifted::new(&names, &self.dims, self.rotated, budget)?;
                self.run_on(&family, &|| None, work, progress)
            }
        }
    }

    /// Learns on problems of the caller's. `broken` says why there will be no more values, once that is so.
    ///
    /// # Errors
    /// As [`LearningPlan::run`], and [`Error::Program`](crate::Error::Program) with what `broken` said.
    pub fn run_on(
        &self,
        family: &dyn Family,
        broken: &(dyn Fn() -> Option<String> + Sync),
        work: &Work<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Lesson> {
        let (method, settings) = settings::parse_with(&self.method, &self.set)?;
        if let Some(name) = ["mode", "schedule"].into_iter().find(|name| settings.contains_key(*name)) {
            return Err(Error::parameter("--set", name, "is for runs; `learn` chooses it").into());
        }
        let broken_off = Mutex::new(None);
        let compute = |_: &(), place: &UnitState| -> Result<Option<Line>> {
            let how = Learning {
                settings: settings.clone(),
                numbers: self.numbers.clone(),
                knots: self.knots,
                steps: self.steps,
                pairs: self.pairs,
                windows: self.windows,
                seed: self.seed,
                threads: work.threads,
                from: place.read::<LearningState>().map(|(state, _)| state),
                ..Learning::default()
            };
            let mut kept = Ok(());
            let lesson = learn(&method, family, &how, |look| {
                // Of a program that has failed for good the step has learned nothing.
                if broken().is_some() {
                    return ControlFlow::Break(());
                }
                progress(look.step);
                let halted = work.halt.requested();
                kept = match halted {
                    true => place.store_now(look.state, || Ok(Vec::new())),
                    false => place.store(look.state, || Ok(Vec::new())),
                };
                if halted || kept.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if let Some(why) = broken() {
                return Err(crate::Error::Program(why));
            }
            kept?;
            if lesson.schedule.learned.as_ref().is_some_and(|learned| learned.steps < self.steps) {
                *broken_off.lock().unwrap_or_else(PoisonError::into_inner) = Some(lesson);
                return Ok(None);
            }
            let (schedule, gain, version) = (lesson.schedule, lesson.gain, env!("CARGO_PKG_VERSION").into());
            Ok(Some(Line { version, learn: json!(self), schedule, gain }))
        };
        let done = work.run(&[()], |()| self.plan(), compute, &|_| {})?.pop().flatten();
        let lesson = done.map(|Line { schedule, gain, .. }| Lesson { schedule, gain });
        let broken_off = broken_off.into_inner().unwrap_or_else(PoisonError::into_inner);
        lesson.or(broken_off).ok_or(crate::Error::Interrupted)
    }
}

/// A program of the user's own as a family of one, which is not moved.
struct OwnProgram {
    objective: Arc<Objective>,
    minimum: f64,
    budget: u64,
}

impl OwnProgram {
    fn new(study: &Study, plan: &LearningPlan, hosts: Option<PathBuf>, work: &Work<'_>) -> Result<Self> {
        let checked = study.plan()?;
        let refuse = |what: &str, rule: &str| Err(Error::parameter(what, "set", rule).into());
        if !checked.constraints.list().is_empty() || checked.aim != Aim::Value {
            return refuse("--constraint", "schedules are learned on problems of one value without constraints");
        }
        if !checked.space.variables().is_empty() {
            return refuse("--var", "schedules are learned on real variables, --bounds");
        }
        if plan.rotated {
            return refuse("--rotated", "a program is learned on as it is");
        }
        let rule =
            "the value that the program cannot fall below, such as 0 for a loss: what is missing to it is learned by";
        let minimum = plan.minimum.ok_or_else(|| Error::missing("--minimum", rule))?;
        let budget = plan.evaluations.unwrap_or(EVALUATIONS_A_VARIABLE * checked.space.dim() as u64);
        // A step that is begun is finished also after a halt: values that are missing would be learned from.
        let objective = Arc::new(checked.objective(work.threads, hosts, Halt::default())?);
        Ok(OwnProgram { objective, minimum, budget })
    }
}

impl Family for OwnProgram {
    fn names(&self) -> Vec<String> {
        let plan = self.objective.plan();
        let command = plan.study.program.as_ref().map_or("", |program| &program.command);
        vec![format!("{command}, d = {}, {} evaluations", plan.space.dim(), self.budget)]
    }

    fn draw(&self, _member: usize, _rng: &Rng) -> swarmgrad::Result<Drawn> {
        let problem = Box::new(self.objective.clone());
        Ok(Drawn { problem, minimum: self.minimum, budget: self.budget })
    }
}

/// What was learned, for people: the numbers at the knots, and the gain.
pub fn text(Lesson { schedule, gain }: &Lesson) -> String {
    let mut table = Table::new(["budget spent".to_owned()].into_iter().chain(schedule.numbers.keys().cloned()));
    for (k, knot) in schedule.knots.iter().enumerate() {
        let numbers = schedule.numbers.values().map(|values| significant(values[k], 3));
        table.row([format!("{} %", fixed(100.0 * knot, 0))].into_iter().chain(numbers));
    }
    format!(
        "{}Gain over the default numbers, in runs that were not learned from: {} (in deviations between runs).\n",
        table.text(Rules::Unicode),
        fixed(*gain, 2),
    )
}
