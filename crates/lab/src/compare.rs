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
//! let compared = comparison.prepare()?.run(&work, &|_| {})?;
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
use std::ops::{ControlFlow, Range};
use swarmgrad::problems::{self, Dims};
use swarmgrad::registry::{self, Entry, Settings};
use swarmgrad::study::number::number;
use swarmgrad::study::units::{Progress as Done, Work};
use swarmgrad::{Aim, Evaluations, Halt, Progress, Reason, Run, settings};

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
    /// Names of problems.
    pub problems: Vec<String>,
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

/// A method on a problem: the runs of one row of the table.
#[derive(Debug, Clone)]
struct Cell {
    method: Competitor,
    params: Settings,
    problem: problems::Entry,
    dim: usize,
    budget: u64,
    minimum: Option<f64>,
    target: Option<f64>,
}

/// One finished run as a line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    /// The evaluations the run was given.
    budget: u64,
    #[serde(flatten)]
    record: Record,
}

/// A comparison that has been checked: everything that is to be run.
#[derive(Debug)]
pub struct PreparedComparison {
    /// Problem by problem.
    cells: Vec<Cell>,
    seeds: u64,
}

/// What a comparison came to.
#[derive(Debug)]
pub struct Compared {
    cells: Vec<Cell>,
    /// Of each cell, those that are finished.
    runs: Vec<Vec<Record>>,
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
        let methods = self.competitors()?;
        let mut cells: Vec<Cell> = Vec::new();
        for name in &self.problems {
            let problem = problems::entry(name.trim())?;
            if matches!(problems::aim(problem.name), Aim::Objectives(_)) {
                return Err(Error::value(
                    "--problems",
                    problem,
                    "must be a problem of one value, and it has several objectives",
                ));
            }
            let mut dims: Vec<usize> = match (problem.dims, &self.dims[..]) {
                (Dims::Exactly(only), _) => vec![only],
                (Dims::Any { min }, []) => vec![min.max(2)],
                (Dims::Among(_), []) => vec![problem.dims.least()],
                (Dims::Any { .. } | Dims::Among(_), dims) => dims.to_vec(),
            };
            // A problem or a dimension named twice is computed once.
            dims.retain(|dim| !cells.iter().any(|cell| (cell.problem, cell.dim) == (problem, *dim)));
            dims.sort_unstable();
            dims.dedup();
            for dim in dims {
                let built = problem.build::<f64>(dim, None)?;
                let minimum = built.minimum();
                let target = self.target.or(minimum.map(|least| least + self.precision));
                let budget = self.evaluations.unwrap_or(EVALUATIONS_A_VARIABLE.saturating_mul(dim as u64));
                for method in &methods {
                    let trial = method.entry.build(built.space(), Some(budget), &method.given);
                    trial.map_err(|why| Error::Method { method: method.label.clone(), why })?;
                    let params = method.entry.complete(&method.given);
                    cells.push(Cell { method: method.clone(), params, problem, dim, budget, minimum, target });
                }
            }
        }
        Ok(PreparedComparison { cells, seeds: self.seeds })
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
        let cells: Vec<Value> = self.cells.iter().map(|cell| cell.key(0)).collect();
        json!({"cells": cells, "seeds": self.seeds})
    }

    /// Makes every run that is not recorded yet, each on one thread.
    ///
    /// # Errors
    /// A method that cannot be built; a run that cannot be recorded.
    pub fn run(self, work: &Work<'_>, progress: &(dyn Fn(Done<'_>) + Sync)) -> Result<Compared> {
        let PreparedComparison { cells, seeds } = self;
        let units: Vec<(usize, u64)> =
            (0..cells.len()).flat_map(|cell| (0..seeds).map(move |seed| (cell, seed))).collect();
        let found = std::sync::atomic::AtomicUsize::new(0);
        let told = |step: Done<'_>| {
            if let Done::Begun { missing } = step {
                found.store(units.len() - missing.len(), std::sync::atomic::Ordering::Relaxed);
            }
            progress(step);
        };
        let key = |&(cell, seed): &(usize, u64)| cells[cell].key(seed);
        let lines = work.run(&units, key, |&(cell, seed), _| cells[cell].run(seed, &work.halt), &told)?;
        let mut runs: Vec<Vec<Record>> = cells.iter().map(|_| Vec::new()).collect();
        for ((cell, _), line) in units.iter().zip(lines) {
            runs[*cell].extend(line.map(|line: Line| line.record));
        }
        let missing = units.len() - runs.iter().map(Vec::len).sum::<usize>();
        Ok(Compared { cells, runs, found: found.into_inner(), missing })
    }
}

impl Cell {
    /// What a run is found by: everything that its result depends on.
    fn key(&self, seed: u64) -> Value {
        let mut key = json!({
            "method": self.method.entry.name, "params": self.params, "problem": self.problem.to_string(), "dim": self.dim,
            "budget": self.budget, "seed": seed, "version": env!("CARGO_PKG_VERSION"),
        });
        if let (Some(target), Some(key)) = (self.target, key.as_object_mut()) {
            key.insert("target".into(), number(target));
        }
        key
    }

    /// One run to the end of its budget; `None` if it was interrupted.
    fn run(&self, seed: u64, halt: &Halt) -> Result<Option<Line>> {
        let problem = self.problem.build::<f64>(self.dim, None)?;
        let mut algorithm = self.method.entry.build(problem.space(), Some(self.budget), &self.method.given)?;
        let (mut history, mut reached) = (History::new(CURVE), None);
        let mut see = |p: &Progress<'_>| {
            history.push(p.evaluations, p.best.value);
            if let Some(target) = self.target.filter(|_| reached.is_none()) {
                let before = p.evaluations - p.values.len() as u64;
                reached = p.values.iter().position(|value| *value <= target).map(|i| before + i as u64 + 1);
            }
            ControlFlow::Continue(())
        };
        let mut end = Evaluations(self.budget);
        let run = Run::new(&*problem, &mut *algorithm, seed).watch(&mut see).watch(&mut end).halt(halt.clone());
        let outcome = run.minimize();
        if outcome.reason == Reason::Interrupted {
            return Ok(None);
        }
        // The last round may have been cut before any watcher saw it.
        history.push(outcome.nfev, outcome.fun);
        let reached = reached.or(self.target.filter(|target| outcome.fun <= *target).map(|_| outcome.nfev));
        let record = Record {
            method: self.method.entry.name.into(),
            problem: self.problem.to_string(),
            dim: self.dim,
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
            target: self.target,
            nfev_to_target: reached,
            curve: history.finish(outcome.nfev),
        };
        Ok(Some(Line { budget: self.budget, record }))
    }

    fn statistics(&self, runs: &[Record]) -> Statistics {
        let lowest = self.minimum.unwrap_or(0.0);
        let values: Vec<_> = runs.iter().map(|run| run.fun).collect();
        let reached: Vec<_> = runs.iter().map(|run| run.nfev_to_target.map_or(f64::INFINITY, |n| n as f64)).collect();
        let solved = runs.iter().filter(|run| run.solved() == Some(true)).count() as u64;
        let seconds: Vec<_> = runs.iter().map(|run| run.seconds).collect();
        Statistics {
            fun: quartiles(&values),
            gap: quartiles(&values.iter().map(|value| value - lowest).collect::<Vec<_>>()),
            reached: quartiles(&reached),
            solved,
            rate: wilson(solved, runs.len() as u64, CONFIDENCE).unwrap_or(Interval {
                low: 0.0,
                high: 1.0,
                confidence: 0.0,
            }),
            seconds: quartiles(&seconds)[1],
        }
    }

    fn summary(&self, runs: &[Record]) -> Value {
        let s = self.statistics(runs);
        let spread = |[q1, median, q3]: [f64; 3]| json!({"median": number(median), "q1": number(q1), "q3": number(q3)});
        let mut summary = json!({
            "problem": self.problem.to_string(), "dim": self.dim, "method": self.method.label, "params": self.params,
            "evaluations": self.budget, "runs": runs.len(), "minimum": self.minimum.map(number), "fun": spread(s.fun),
            "target": self.target.map(number), "seconds": number(s.seconds),
            "failures": runs.iter().map(|run| run.failures).sum::<u64>(),
        });
        if let Some(fields) = summary.as_object_mut() {
            if self.minimum.is_some() {
                fields.insert("gap".into(), spread(s.gap));
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

/// What the runs of a cell say together; quartiles as first, median, third.
struct Statistics {
    fun: [f64; 3],
    gap: [f64; 3],
    reached: [f64; 3],
    solved: u64,
    rate: Interval,
    seconds: f64,
}

impl Compared {
    /// A plain object a row of the tables, problem by problem.
    pub fn summary(&self) -> Value {
        self.cells.iter().zip(&self.runs).map(|(cell, runs)| cell.summary(runs)).collect()
    }

    /// The rows of one problem in one dimension each.
    fn groups(&self) -> impl Iterator<Item = Range<usize>> {
        let (cells, mut begin) = (&self.cells, 0);
        std::iter::from_fn(move || {
            let first = cells.get(begin)?;
            let same = |cell: &&Cell| (cell.problem, cell.dim) == (first.problem, first.dim);
            let range = begin..begin + cells[begin..].iter().take_while(same).count();
            begin = range.end;
            Some(range)
        })
    }

    /// A table for every problem and dimension.
    pub fn text(&self) -> String {
        let shown = |value: f64| if value.is_finite() { significant(value, 3) } else { "–".into() };
        let whole = |value: f64| if value.is_finite() { (value.round() as u64).to_string() } else { "–".into() };
        let mut text = String::new();
        for group in self.groups() {
            let (cells, runs) = (&self.cells[group.clone()], &self.runs[group]);
            let first = &cells[0];
            let counts: Vec<_> = runs.iter().map(Vec::len).collect();
            let even = counts.iter().all(|count| *count == counts[0]);
            let mut headers = vec!["method", "median", "quartiles"];
            if first.target.is_some() {
                headers.extend(["success", "95 % interval", "evaluations", "quartiles"]);
            }
            headers.push("time");
            if !even {
                headers.push("runs");
            }
            let mut table = Table::new(headers);
            for (cell, runs) in cells.iter().zip(runs) {
                let s = cell.statistics(runs);
                let [q1, median, q3] = if cell.minimum.is_some() { s.gap } else { s.fun };
                let mut row = vec![cell.method.label.clone(), shown(median), format!("{} .. {}", shown(q1), shown(q3))];
                if cell.target.is_some() {
                    let [low, middle, high] = s.reached;
                    row.push(format!("{:.0}%", 100.0 * s.solved as f64 / runs.len().max(1) as f64));
                    row.push(format!("{:.0}% .. {:.0}%", 100.0 * s.rate.low, 100.0 * s.rate.high));
                    row.push(whole(middle));
                    row.push(format!("{} .. {}", whole(low), whole(high)));
                }
                row.push(span(s.seconds));
                if !even {
                    row.push(runs.len().to_string());
                }
                table.row(row);
            }
            let variables = if first.dim == 1 { "variable" } else { "variables" };
            let many = if even { format!("{} runs", counts[0]) } else { "runs".into() };
            let (name, dim, budget) = (first.problem, first.dim, grouped(first.budget));
            text += &format!("{name}, {dim} {variables}, {many} of {budget} evaluations\n");
            text += &match (first.minimum, first.target) {
                (Some(least), Some(target)) => {
                    let (least, goal) = (significant(least, 6), significant(target - least, 3));
                    format!("values above the known minimum {least}; success: at most {goal} above it\n")
                }
                (None, Some(target)) => {
                    format!("the minimum is not known; success: a value of at most {}\n", significant(target, 6))
                }
                (_, None) => "the minimum is not known; no --target, hence no successes\n".into(),
            };
            text += &format!("\n{}\n", table.text(Rules::Unicode));
        }
        text
    }

    /// A plot for every problem and dimension that has runs: its file's name without ending, and the picture as SVG.
    ///
    /// # Errors
    /// A chart that cannot be drawn.
    pub fn plots(&self) -> Result<Vec<(String, String)>> {
        let mut plots = Vec::new();
        for group in self.groups() {
            let (cells, runs) = (&self.cells[group.clone()], &self.runs[group]);
            let first = &cells[0];
            if runs.iter().all(Vec::is_empty) {
                continue;
            }
            let title = format!("{}, {} variables", first.problem.title, first.dim);
            let count = runs.iter().map(Vec::len).max().unwrap_or(0);
            let mut chart = Convergence::new(title).subtitle(format!("median and quartiles of {count} runs"));
            if let Some(minimum) = first.minimum {
                chart = chart.minimum(minimum);
            }
            if let Some(target) = first.target {
                chart = chart.target(target);
            }
            for (cell, runs) in cells.iter().zip(runs) {
                let labelled: Vec<Record> =
                    runs.iter().map(|run| Record { method: cell.method.label.clone(), ..run.clone() }).collect();
                chart.records(&labelled);
            }
            let name = first.problem.to_string().replace('/', "_");
            plots.push((format!("{name}_{}", first.dim), chart.chart()?.svg()));
        }
        Ok(plots)
    }
}
