//! Which method is better: methods on problems, many seeds each, as tables, plots and plain data.
//!
//! ```
//! use swarmgrad::{Halt, study::units::{Records, Work}};
//! use swarmgrad_lab::compare::Comparison;
//!
//! let comparison = Comparison {
//!     methods: vec!["de(particles=20)".into(), "random_search".into()],
//!     problems: vec!["sphere".into()],
//!     dims: vec![3],
//!     seeds: 5,
//!     ..Comparison::default()
//! };
//! let work = Work { records: &Records::none(), threads: 2, halt: Halt::default() };
//! let compared = comparison.prepare()?.run(&work, None, &|_| {})?;
//! assert_eq!(compared.summary()[0]["method"], "de(particles=20)");
//! assert!(compared.text().contains("random_search"));
//! # Ok::<(), swarmgrad_lab::Error>(())
//! ```

use crate::error::{Error, Result};
use crate::plot::Convergence;
use crate::record::{History, Record};
use crate::stats::{Interval, quartiles, wilson};
use crate::table::{Rules, Table, grouped, significant, span};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use swarmgrad::diff;
use swarmgrad::problems::{self, Dims};
use swarmgrad::registry::{self, Entry, Settings};
use swarmgrad::study::number::{number, point};
use swarmgrad::study::space::Bounds;
use swarmgrad::study::units::{Progress as Done, UnitState, Work};
use swarmgrad::study::{Execution, Objective, Plan, Study};
use swarmgrad::{Aim, Constraint, Halt, Progress, Reason, Told, Watch, better_constrained, settings, violation};

/// Evaluations a variable where nothing is said.
const EVALUATIONS_A_VARIABLE: u64 = 1000;
/// More runs than this of one method on one problem are a slip of the finger.
const MOST_SEEDS: u64 = 1_000_000;
/// Points of a kept curve.
const CURVE: usize = 200;
/// Of the intervals of success rates.
const CONFIDENCE: f64 = 0.95;

/// What to compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Comparison {
    /// Methods, as [`settings::parse`] reads them.
    pub methods: Vec<String>,
    /// Names of test problems; none where `study` has a program or names one.
    pub problems: Vec<String>,
    /// What is said of the problems beside their names: a program of the user's own, bounds, variables, constraints. Its method, seed
    /// and limits are none of it.
    pub study: Study,
    /// Numbers of variables; none for 2, or the least that a problem takes. A problem that has one number only takes that.
    pub dims: Vec<usize>,
    /// Runs of every method on every problem, with the seeds 0, 1, 2, ...
    pub seeds: u64,
    /// Evaluations of every run; none for 1000 a variable.
    pub evaluations: Option<u64>,
    /// The value that counts as success; none for the known minimum plus `precision`.
    pub target: Option<f64>,
    /// How near to the known minimum counts as success.
    pub precision: f64,
    /// Parameters: KEY for all methods that have it, METHOD.KEY for one.
    pub set: Settings,
}

impl Default for Comparison {
    fn default() -> Self {
        Comparison {
            methods: Vec::new(),
            problems: Vec::new(),
            study: Study::default(),
            dims: Vec::new(),
            seeds: 30,
            evaluations: None,
            target: None,
            precision: 1e-8,
            set: Settings::new(),
        }
    }
}

/// A method that is compared.
#[derive(Debug, Clone)]
struct Competitor {
    /// As it stands in tables.
    label: String,
    entry: &'static Entry,
    /// What is said of it.
    given: Settings,
}

/// A problem with its number of variables: the runs of one table.
#[derive(Debug, Clone)]
struct Subject {
    /// As it stands above its table and in records.
    name: String,
    /// As it stands above its picture.
    title: String,
    /// Its plan by the default method.
    plan: Plan,
    /// What tells it from the test problem of that name; none where nothing does.
    identity: Option<Value>,
    budget: u64,
    minimum: Option<f64>,
    target: Option<f64>,
}

/// A method on a problem: the runs of one row of the table.
#[derive(Debug, Clone)]
struct Cell {
    method: Competitor,
    params: Settings,
    subject: usize,
    /// The run but for its seed.
    study: Study,
}

/// One finished run as a line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    /// The evaluations the run was given.
    budget: u64,
    /// [`Subject::identity`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    study: Option<Value>,
    /// How far the best point violates the constraints.
    #[serde(default, with = "swarmgrad::number")]
    violation: f64,
    /// The best point of a problem that is no plain test problem, by its own values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    point: Option<Value>,
    #[serde(flatten)]
    record: Record,
}

/// A comparison that has been checked: everything that is to be run.
#[derive(Debug)]
pub struct PreparedComparison {
    subjects: Vec<Subject>,
    /// Problem by problem.
    cells: Vec<Cell>,
    seeds: u64,
}

/// What a comparison came to.
#[derive(Debug)]
pub struct Compared {
    subjects: Vec<Subject>,
    cells: Vec<Cell>,
    /// Of each cell, those that are finished.
    runs: Vec<Vec<Line>>,
    /// What the user should know of a program, and its last failure.
    pub notes: Vec<String>,
    /// How many of them the records had already.
    pub found: usize,
    /// How many are missing because the halt was requested.
    pub missing: usize,
}

impl Comparison {
    /// Every method on every problem in every dimension, problem by problem; wrong parameters are found before anything runs.
    ///
    /// # Errors
    /// Names what does not fit, its value and the rule.
    pub fn prepare(&self) -> Result<PreparedComparison> {
        if self.precision.is_nan() || self.precision < 0.0 {
            return Err(Error::value("--precision", self.precision, "must be at least 0"));
        }
        if self.seeds == 0 || self.seeds > MOST_SEEDS {
            return Err(Error::value("--seeds", self.seeds, format!("must be at least 1 and at most {MOST_SEEDS}")));
        }
        let limits = [
            ("iterations", self.study.iterations.map(|n| n.to_string())),
            ("time", self.study.time.map(|s| s.to_string())),
            ("patience", self.study.patience.map(|n| n.to_string())),
            ("tolerance", self.study.tolerance.map(|t| t.to_string())),
            ("runs", self.study.runs.map(|n| n.to_string())),
        ];
        if let Some((name, value)) = limits.into_iter().find_map(|(name, value)| Some((name, value?))) {
            return Err(Error::value(name, value, "is for one run; runs that are compared end by their evaluations"));
        }
        let methods = self.competitors()?;
        let (mut subjects, mut cells): (Vec<Subject>, Vec<Cell>) = (Vec::new(), Vec::new());
        let named = self.problems.iter().map(|name| Some(name.trim().to_owned()));
        let names: Vec<Option<String>> = if self.problems.is_empty() { vec![None] } else { named.collect() };
        for name in names {
            let mut base = Study { problem: name.or_else(|| self.study.problem.clone()), ..self.study.clone() };
            let entry = base.problem.as_deref().map(problems::entry).transpose()?;
            base.problem = entry.map(|entry| entry.to_string());
            for dim in self.dims_of(entry, &base) {
                let base =
                    Study { dim, method: registry::DEFAULT.into(), set: Settings::new(), seed: 0, ..base.clone() };
                let subject = self.subject(base, entry)?;
                // A problem or a dimension named twice is computed once.
                if subjects.iter().any(|other| other.plan.study == subject.plan.study) {
                    continue;
                }
                for method in &methods {
                    let mut study = Study {
                        method: method.entry.name.into(),
                        set: method.given.clone(),
                        ..subject.plan.study.clone()
                    };
                    // Gradients by formula are not for methods that are compared with others which have none.
                    let takes = diff::registry::ENTRIES.iter().any(|entry| entry.name == method.entry.name);
                    if takes && study.gradient.is_none() && subject.plan.aim == Aim::Value && !subject.is_constrained()
                    {
                        study.gradient = Some("none".into());
                    }
                    let plan = study.plan().map_err(|why| Error::Method { method: method.label.clone(), why })?;
                    let params = method.entry.complete(&method.given);
                    cells.push(Cell { method: method.clone(), params, subject: subjects.len(), study: plan.study });
                }
                subjects.push(subject);
            }
        }
        Ok(PreparedComparison { subjects, cells, seeds: self.seeds })
    }

    /// Numbers of variables of a problem; none for what its study says.
    fn dims_of(&self, entry: Option<problems::Entry>, base: &Study) -> Vec<Option<usize>> {
        let listed = !base.variables.is_empty()
            || base
                .bounds
                .as_deref()
                .is_some_and(|text| Bounds::parse(text).is_ok_and(|bounds| bounds.dim().is_some()));
        let mut dims: Vec<usize> = match (entry.map(|entry| entry.dims), &self.dims[..]) {
            (Some(Dims::Exactly(only)), _) => vec![only],
            (_, []) if listed || base.dim.is_some() => return vec![base.dim],
            (Some(Dims::Any { min }), []) => vec![min.max(2)],
            (Some(dims), []) => vec![dims.least()],
            (None, []) => return vec![None],
            (_, dims) => dims.to_vec(),
        };
        dims.sort_unstable();
        dims.dedup();
        dims.into_iter().map(Some).collect()
    }

    /// The problem, checked without any of the methods.
    fn subject(&self, base: Study, entry: Option<problems::Entry>) -> Result<Subject> {
        let plan = base.plan()?;
        if let Aim::Objectives(_) = plan.aim {
            let rule = "must be a problem of one value, and it has several objectives";
            return Err(Error::value("--problems", entry.map_or(String::new(), |entry| entry.to_string()), rule));
        }
        let dim = plan.variables();
        let budget = self.evaluations.or(base.evaluations);
        let budget = budget.unwrap_or(EVALUATIONS_A_VARIABLE.saturating_mul(dim as u64));
        let plan = Study { evaluations: Some(budget), ..base }.plan()?;
        let minimum = plan.minimum()?.filter(|_| !plan.study.maximize);
        let target = self.target.or(plan.study.target).or(minimum.map(|least| least + self.precision));
        let command = plan.study.program.as_ref().map(|program| program.command.clone());
        let (name, title) = match (entry, command) {
            (Some(entry), _) => (entry.to_string(), entry.title.to_owned()),
            (None, command) => {
                let command = command.unwrap_or_default();
                (command.clone(), command)
            }
        };
        let mut plain = Study { problem: plan.study.problem.clone(), dim: plan.study.dim, ..Study::default() };
        plain.evaluations = Some(budget);
        let plan = Study { target: None, ..plan.study }.plan()?;
        let is_plain = plain == plan.study && plan.constraints.list().is_empty();
        let identity = if is_plain { None } else { Some(plan.identity()?) };
        Ok(Subject { name, title, plan, identity, budget, minimum, target })
    }

    /// The methods, with the parameters that are said of each.
    fn competitors(&self) -> Result<Vec<Competitor>> {
        let mut methods: Vec<Competitor> = Vec::new();
        for text in &self.methods {
            let (entry, given) = registry::parse(text)?;
            let label = settings::show(entry.name, &given);
            if methods.iter().any(|method| method.label == label) {
                return Err(Error::value("--methods", label, "is named twice"));
            }
            methods.push(Competitor { label, entry, given });
        }
        let mut own: Vec<Settings> = methods.iter().map(|_| Settings::new()).collect();
        let names = || methods.iter().map(|method| method.entry.name);
        for (key, value) in &self.set {
            let (only, name) = key.split_once('.').map_or((None, &**key), |(method, name)| (Some(method), name));
            if let Some(only) = only.filter(|only| names().all(|name| name != *only)) {
                return Err(swarmgrad::Error::unknown("method of --methods", only, names()).into());
            }
            let has = |method: &Competitor| {
                method.entry.parameters().iter().any(|p| p.name == name) || ["start", "preset"].contains(&name)
            };
            if !methods.iter().any(has) {
                let tables: Vec<_> = methods.iter().flat_map(|method| method.entry.parameters()).collect();
                let known = tables.iter().map(|p| p.name);
                return Err(swarmgrad::Error::unknown("parameter of these methods", name, known).into());
            }
            for (method, own) in methods.iter().zip(&mut own) {
                // What is said of one method goes before what is said of all.
                let for_all =
                    only.is_none() && has(method) && !method.given.contains_key(name) && !own.contains_key(name);
                if only == Some(method.entry.name) || for_all {
                    own.insert(name.to_owned(), value.clone());
                }
            }
        }
        for (method, own) in methods.iter_mut().zip(own) {
            method.given = settings::parse_with(&settings::show(method.entry.name, &method.given), &own)?.1;
        }
        Ok(methods)
    }
}

impl PreparedComparison {
    /// What tells it from others.
    pub fn plan(&self) -> Value {
        let cells: Vec<Value> = self.cells.iter().map(|cell| cell.key(&self.subjects[cell.subject], 0)).collect();
        json!({"cells": cells, "seeds": self.seeds})
    }

    /// Whether a program of the user's own evaluates.
    pub fn has_program(&self) -> bool {
        self.subjects.iter().any(|subject| subject.plan.study.program.is_some())
    }

    /// Makes every run that is not recorded yet, each on one thread, seed by seed, so that what is broken off has tried all methods
    /// alike. All runs of a program share `work.threads` copies of it, on these `hosts`; its evaluations in unfinished runs are kept
    /// beside the records.
    ///
    /// # Errors
    /// A method that cannot be built; a run that cannot be recorded; a program of which nothing can come any more.
    pub fn run(
        self,
        work: &Work<'_>,
        hosts: Option<PathBuf>,
        progress: &(dyn Fn(Done<'_>) + Sync),
    ) -> Result<Compared> {
        let PreparedComparison { subjects, cells, seeds } = self;
        let objective = |subject: &Subject| subject.plan.objective(work.threads, hosts.clone(), work.halt.clone());
        let objectives: Vec<Objective> = subjects.iter().map(objective).collect::<Result<_, _>>()?;
        let units: Vec<(usize, u64)> =
            (0..seeds).flat_map(|seed| (0..cells.len()).map(move |cell| (cell, seed))).collect();
        let found = std::sync::atomic::AtomicUsize::new(0);
        let told = |step: Done<'_>| {
            if let Done::Begun { missing } = step {
                found.store(units.len() - missing.len(), std::sync::atomic::Ordering::Relaxed);
            }
            progress(step);
        };
        let subject = |cell: usize| &subjects[cells[cell].subject];
        let key = |&(cell, seed): &(usize, u64)| cells[cell].key(subject(cell), seed);
        let compute = |&(cell, seed): &(usize, u64), state: &UnitState| {
            cells[cell].run(seed, subject(cell), &objectives[cells[cell].subject], state, &work.halt)
        };
        let lines = work.run(&units, key, compute, &told)?;
        let mut runs: Vec<Vec<Line>> = cells.iter().map(|_| Vec::new()).collect();
        for ((cell, _), line) in units.iter().zip(lines) {
            runs[*cell].extend(line);
        }
        let missing = units.len() - runs.iter().map(Vec::len).sum::<usize>();
        let mut notes: Vec<String> = objectives.iter().flat_map(Objective::notes).collect();
        notes.extend(
            objectives
                .iter()
                .filter_map(Objective::last_failure)
                .map(|last| format!("the last failure ({}): {}", last.kind.replace('_', " "), last.detail)),
        );
        Ok(Compared { subjects, cells, runs, notes, found: found.into_inner(), missing })
    }
}

/// Sees a run: its curve, and when it reached the target.
struct Course<'a> {
    /// What constraints there are, and the target as the run minimises it.
    constraints: &'a [Constraint],
    target: Option<f64>,
    history: History,
    evaluations: u64,
    reached: Option<u64>,
}

/// One that stays its owner's.
struct Seeing<'a, 'b>(&'a mut Course<'b>);

impl Watch for Seeing<'_, '_> {
    fn see(&mut self, p: &Progress<'_>) -> ControlFlow<Reason> {
        let course = &mut *self.0;
        if p.best.violation == 0.0 {
            course.history.push(p.evaluations, p.best.value);
        }
        if let Some(target) = course.target.filter(|_| course.reached.is_none() && course.constraints.is_empty()) {
            let before = p.evaluations - p.values.len() as u64;
            course.reached = p.values.iter().position(|value| *value <= target).map(|i| before + i as u64 + 1);
        }
        ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        !self.0.constraints.is_empty()
    }

    fn evaluated(&mut self, told: &Told<'_>) {
        let course = &mut *self.0;
        course.evaluations += told.evaluation.evaluations;
        let good = |target: f64| {
            told.evaluation.cost() <= target && violation(course.constraints, &told.evaluation.constraints) == 0.0
        };
        if course.reached.is_none() && course.target.is_some_and(good) {
            course.reached = Some(course.evaluations);
        }
    }
}

impl Cell {
    /// What a run is found by: everything that its result depends on.
    fn key(&self, subject: &Subject, seed: u64) -> Value {
        let mut key = json!({
            "method": self.method.entry.name, "params": self.params, "problem": subject.name,
            "dim": subject.plan.variables(), "budget": subject.budget, "seed": seed, "version": env!("CARGO_PKG_VERSION"),
        });
        if let Some(key) = key.as_object_mut() {
            key.extend(subject.target.map(|target| ("target".into(), number(target))));
            key.extend(subject.identity.clone().map(|study| ("study".into(), study)));
        }
        key
    }

    /// One run to the end of its budget; `None` if it was interrupted.
    fn run(
        &self,
        seed: u64,
        subject: &Subject,
        objective: &Objective,
        state: &UnitState,
        halt: &Halt,
    ) -> Result<Option<Line>> {
        let plan = Study { seed, ..self.study.clone() }.plan()?;
        let constraints = plan.constraints.list().to_vec();
        let target = subject.target.map(|target| plan.signed(target));
        let history = History::new(CURVE);
        let mut course = Course { constraints: &constraints, target, history, evaluations: 0, reached: None };
        let execution = Execution {
            objective: Some(objective),
            halt: halt.clone(),
            // Evaluations of a program are dear.
            record: state.place().filter(|_| plan.study.program.is_some()).map(Path::to_owned),
            watchers: vec![Box::new(Seeing(&mut course))],
            ..Execution::default()
        };
        let report = plan.run(execution)?;
        let (outcome, plan) = (&report.outcome, &report.plan);
        match &outcome.reason {
            Reason::Interrupted => return Ok(None),
            Reason::Failures(why) => return Err(Error::Program(why.clone())),
            _ => {}
        }
        let (best, feasible) = (plan.signed(outcome.fun), outcome.is_feasible());
        let Course { mut history, reached, .. } = course;
        // The last round may have been cut before any watcher saw it.
        if feasible {
            history.push(outcome.nfev, best);
        }
        let reached = reached.or(target.filter(|target| feasible && best <= *target).map(|_| outcome.nfev));
        let curve = history.finish(outcome.nfev).into_iter().map(|(n, value)| (n, plan.signed(value))).collect();
        let record = Record {
            method: self.method.entry.name.into(),
            problem: subject.name.clone(),
            dim: plan.variables(),
            seed,
            params: self.params.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            fun: outcome.fun,
            x: None,
            nfev: outcome.nfev,
            nit: outcome.nit,
            failures: outcome.failures,
            seconds: outcome.seconds,
            reason: outcome.reason.to_string(),
            target: subject.target,
            nfev_to_target: reached,
            curve,
        };
        let point = subject.identity.as_ref().map(|_| point(&plan.space, &outcome.x));
        let (budget, study, violation) = (subject.budget, subject.identity.clone(), outcome.violation);
        Ok(Some(Line { budget, study, violation, point, record }))
    }
}

/// What the runs of a cell say together; quartiles as first, median, third.
struct Statistics {
    fun: [f64; 3],
    gap: [f64; 3],
    reached: [f64; 3],
    solved: u64,
    rate: Interval,
    /// Runs whose best point is feasible.
    feasible: usize,
    failures: u64,
    seconds: f64,
}

impl Line {
    /// The best value as it is minimised; infinite where no feasible point was found, so that any feasible one is better.
    fn cost(&self, plan: &Plan) -> f64 {
        if self.violation == 0.0 { plan.signed(self.record.fun) } else { f64::INFINITY }
    }
}

impl Subject {
    fn statistics(&self, runs: &[Line]) -> Statistics {
        let lowest = self.minimum.unwrap_or(0.0);
        let values: Vec<_> = runs.iter().map(|run| run.cost(&self.plan)).collect();
        let mut fun = quartiles(&values);
        if self.plan.study.maximize {
            fun = [fun[2], fun[1], fun[0]].map(|value| self.plan.signed(value));
        }
        let records = || runs.iter().map(|run| &run.record);
        let reached: Vec<_> = records().map(|run| run.nfev_to_target.map_or(f64::INFINITY, |n| n as f64)).collect();
        let solved = records().filter(|run| run.nfev_to_target.is_some()).count() as u64;
        let seconds: Vec<_> = records().map(|run| run.seconds).collect();
        Statistics {
            fun,
            gap: quartiles(&values.iter().map(|value| value - lowest).collect::<Vec<_>>()),
            reached: quartiles(&reached),
            solved,
            rate: wilson(solved, runs.len() as u64, CONFIDENCE).unwrap_or(Interval {
                low: 0.0,
                high: 1.0,
                confidence: 0.0,
            }),
            feasible: runs.iter().filter(|run| run.violation == 0.0).count(),
            failures: records().map(|run| run.failures).sum(),
            seconds: quartiles(&seconds)[1],
        }
    }

    fn is_constrained(&self) -> bool {
        !self.plan.constraints.list().is_empty()
    }

    fn summary(&self, cell: &Cell, runs: &[Line]) -> Value {
        let s = self.statistics(runs);
        let spread = |[q1, median, q3]: [f64; 3]| json!({"median": number(median), "q1": number(q1), "q3": number(q3)});
        let mut summary = json!({
            "problem": self.name, "dim": self.plan.variables(), "method": cell.method.label, "params": cell.params,
            "evaluations": self.budget, "runs": runs.len(), "minimum": self.minimum.map(number), "fun": spread(s.fun),
            "target": self.target.map(number), "seconds": number(s.seconds), "failures": s.failures,
        });
        if let Some(fields) = summary.as_object_mut() {
            if self.minimum.is_some() {
                fields.insert("gap".into(), spread(s.gap));
            }
            if self.is_constrained() {
                fields.insert("feasible".into(), json!(s.feasible));
            }
            if self.identity.is_some() {
                let best = best(&self.plan, runs).map(|line| {
                    let Record { fun, seed, .. } = line.record;
                    let violation = number(line.violation);
                    json!({"x": line.point, "fun": number(fun), "violation": violation, "seed": seed})
                });
                fields.insert("best".into(), json!(best));
            }
            if self.target.is_some() {
                let rate = s.solved as f64 / runs.len() as f64;
                let interval = json!({"count": s.solved, "rate": number(rate), "low": s.rate.low, "high": s.rate.high});
                fields.insert("success".into(), interval);
                fields.insert("evaluations_to_target".into(), spread(s.reached));
            }
        }
        summary
    }
}

/// The best of these runs: the least violation, and of the same the best value.
fn best<'a>(plan: &Plan, runs: impl IntoIterator<Item = &'a Line>) -> Option<&'a Line> {
    let rank = |line: &Line| (line.violation, plan.signed(line.record.fun));
    runs.into_iter().reduce(|best, line| if better_constrained(rank(line), rank(best)) { line } else { best })
}

impl Compared {
    /// A plain object a row of the tables, problem by problem.
    pub fn summary(&self) -> Value {
        let row = |(cell, runs): (&Cell, &Vec<Line>)| self.subjects[cell.subject].summary(cell, runs);
        self.cells.iter().zip(&self.runs).map(row).collect()
    }

    /// Whether the program gave no run a finite value.
    pub fn has_no_value(&self) -> bool {
        let none = |runs: &Vec<Line>| runs.iter().all(|run| !run.record.fun.is_finite());
        self.runs.iter().all(none) && self.subjects.iter().all(|subject| subject.plan.study.program.is_some())
    }

    /// The rows of one problem in one dimension each.
    fn groups(&self) -> impl Iterator<Item = (&Subject, &[Cell], &[Vec<Line>])> {
        let methods = self.cells.len() / self.subjects.len().max(1);
        let rows = self.cells.chunks(methods.max(1)).zip(self.runs.chunks(methods.max(1)));
        self.subjects.iter().zip(rows).map(|(subject, (cells, runs))| (subject, cells, runs))
    }

    /// A table for every problem and dimension.
    pub fn text(&self) -> String {
        let shown = |value: f64| if value.is_finite() { significant(value, 3) } else { "–".into() };
        let whole = |value: f64| if value.is_finite() { (value.round() as u64).to_string() } else { "–".into() };
        let mut text = String::new();
        for (subject, cells, runs) in self.groups() {
            let counts: Vec<_> = runs.iter().map(Vec::len).collect();
            let even = counts.iter().all(|count| *count == counts[0]);
            let failed = runs.iter().flatten().any(|run| run.record.failures > 0);
            // Columns of the values, and of how the target was reached.
            let (mut values, mut target) = (vec![Vec::new(); 6], vec![Vec::new(); 4]);
            for runs in runs {
                let s = subject.statistics(runs);
                let share = |count: usize| format!("{:.0}%", 100.0 * count as f64 / runs.len().max(1) as f64);
                let [q1, median, q3] = if subject.minimum.is_some() { s.gap } else { s.fun };
                let [low, middle, high] = s.reached;
                let row = [
                    shown(median),
                    format!("{} .. {}", shown(q1), shown(q3)),
                    share(s.feasible),
                    s.failures.to_string(),
                    span(s.seconds),
                    runs.len().to_string(),
                ];
                values.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
                let row = [
                    share(s.solved as usize),
                    format!("{:.0}% .. {:.0}%", 100.0 * s.rate.low, 100.0 * s.rate.high),
                    whole(middle),
                    format!("{} .. {}", whole(low), whole(high)),
                ];
                target.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
            }
            let named = |names: &[&'static str], columns: Vec<Vec<String>>, kept: &[bool]| -> Vec<Column> {
                let all = names.iter().copied().zip(columns).zip(kept);
                all.filter(|(_, kept)| **kept).map(|(column, _)| column).collect()
            };
            let kept = [true, true, subject.is_constrained(), failed, true, !even];
            let values = named(&["median", "quartiles", "feasible", "failed", "time", "runs"], values, &kept);
            let kept = [subject.target.is_some(); 4];
            let target = named(&["success", "95 % interval", "evaluations", "quartiles"], target, &kept);
            let labels: Vec<String> = cells.iter().map(|cell| cell.method.label.clone()).collect();
            let tables = tables(labels, values, target);
            let (name, dim, budget) = (&subject.name, subject.plan.variables(), grouped(subject.budget));
            let variables = if dim == 1 { "variable" } else { "variables" };
            let many = if even { format!("{} runs", counts[0]) } else { "runs".into() };
            let maximised = if subject.plan.study.maximize { ", maximised" } else { "" };
            text += &format!("{name}, {dim} {variables}{maximised}, {many} of {budget} evaluations\n");
            text += &match (subject.minimum, subject.target) {
                (Some(least), Some(target)) => {
                    let (least, goal) = (significant(least, 6), significant(target - least, 3));
                    format!("values above the known minimum {least}; success: at most {goal} above it\n")
                }
                (None, Some(target)) => {
                    let most = if subject.plan.study.maximize { "least" } else { "most" };
                    format!("the minimum is not known; success: a value of at {most} {}\n", significant(target, 6))
                }
                (_, None) => "the minimum is not known; no --target, hence no successes\n".into(),
            };
            text += &format!("\n{tables}");
            let all = || cells.iter().zip(runs).flat_map(|(cell, runs)| runs.iter().map(move |run| (cell, run)));
            let best = best(&subject.plan, all().map(|(_, run)| run));
            let best = best.filter(|line| subject.identity.is_some() && line.record.fun.is_finite());
            if let Some((best, point)) = best.and_then(|line| Some((line, line.point.as_ref()?))) {
                let of = all().find(|(_, run)| std::ptr::eq(*run, best)).map_or("", |(cell, _)| &cell.method.label);
                let Record { fun, seed, .. } = best.record;
                let feasible = if best.violation > 0.0 { " (not feasible)" } else { "" };
                let value = significant(fun, 6);
                text += &format!(
                    "\nbest of all: {value}{feasible} by {of}, seed {seed}, at {}\n",
                    shown_point(subject, point)
                );
            }
            text += "\n";
        }
        text
    }

    /// A plot for every problem and dimension that has runs: its file's name without ending, and the picture as SVG.
    ///
    /// # Errors
    /// A chart that cannot be drawn.
    pub fn plots(&self) -> Result<Vec<(String, String)>> {
        let mut plots = Vec::new();
        for (subject, cells, runs) in self.groups() {
            if runs.iter().flatten().all(|run| run.record.curve.is_empty()) {
                continue;
            }
            let title = format!("{}, {} variables", subject.title, subject.plan.variables());
            let count = runs.iter().map(Vec::len).max().unwrap_or(0);
            let mut chart = Convergence::new(title).subtitle(format!("median and quartiles of {count} runs"));
            if let Some(minimum) = subject.minimum {
                chart = chart.minimum(minimum);
            }
            if let Some(target) = subject.target {
                chart = chart.target(target);
            }
            for (cell, runs) in cells.iter().zip(runs) {
                let label = || cell.method.label.clone();
                let labelled: Vec<Record> =
                    runs.iter().map(|run| Record { method: label(), ..run.record.clone() }).collect();
                chart.records(&labelled);
            }
            let own = subject.plan.study.program.is_some();
            let name = if own { "program".into() } else { subject.name.replace('/', "_") };
            plots.push((format!("{name}_{}", subject.plan.variables()), chart.chart()?.svg()));
        }
        Ok(plots)
    }
}

/// A column of a table: its header and its cells.
type Column = (&'static str, Vec<String>);

/// Columns that a terminal has.
const WIDTH: usize = 80;

/// The rows of methods, in one table where it fits a terminal, else the values and the target in one each; long labels go above it.
fn tables(labels: Vec<String>, values: Vec<Column>, target: Vec<Column>) -> String {
    let table = |labels: &[String], columns: &[&Column]| {
        let mut table = Table::new(["method"].into_iter().chain(columns.iter().map(|column| column.0)));
        for (k, label) in labels.iter().enumerate() {
            table.row([label].into_iter().chain(columns.iter().map(|column| &column.1[k])));
        }
        table.text(Rules::Unicode)
    };
    let fits = |text: &str| text.lines().all(|line| line.chars().count() <= WIDTH);
    // Where both stand in one table the time comes last.
    let (before, after): (Vec<&Column>, Vec<&Column>) =
        values.iter().partition(|column| ["median", "quartiles", "feasible"].contains(&column.0));
    let all: Vec<&Column> = before.into_iter().chain(&target).chain(after).collect();
    let apart = |labels: &[String]| {
        let second = if target.is_empty() {
            String::new()
        } else {
            format!("\n{}", table(labels, &target.iter().collect::<Vec<_>>()))
        };
        table(labels, &values.iter().collect::<Vec<_>>()) + &second
    };
    let [one, two] = [table(&labels, &all), apart(&labels)];
    if fits(&one) {
        return one;
    }
    if fits(&two) {
        return two;
    }
    let numbers: Vec<String> = (1..=labels.len()).map(|k| format!("({k})")).collect();
    let legend: String = numbers.iter().zip(&labels).map(|(number, label)| format!("{number} {label}\n")).collect();
    format!("{legend}\n{}", apart(&numbers))
}

/// A point for people, with the names of its variables where they have some.
fn shown_point(subject: &Subject, point: &Value) -> String {
    let value = |value: &Value| value.as_f64().map_or_else(|| value.to_string(), |t| significant(t, 6));
    let values = point.as_array().into_iter().flatten();
    let names = &subject.plan.names;
    let named = values.enumerate().map(|(j, t)| match names.get(j) {
        Some(name) => format!("{name} = {}", value(t)),
        None => value(t),
    });
    named.collect::<Vec<_>>().join(if names.is_empty() { "  " } else { ", " })
}
