//! The bench: methods over functions, dimensions and instances of a [`Suite`], with exact counts of evaluations.
//!
//! Hansen, Auger, Ros, Mersmann, Tušar, Brockhoff (2021), "COCO: a platform for comparing continuous optimizers in a
//! black-box setting", Optimization Methods and Software 36. A run is judged by the 51 precisions 10^2, 10^1.8, ..
//! 10^-8 that its best value reaches, each at the number of evaluations that it took. Where problems have constraints only points that
//! keep all of them count: on the constrained functions of BBOB by the 41 precisions from 10^2 to 10^-6, on other problems by one, 1e-4
//! of the best value that is known.
//!
//! An evaluation is that of a point, which gives the value and all constraints. COCO's own tables of the constrained suite add the
//! evaluations of the value and those of the constraints, twice as many for a method that asks for both at every point.
//!
//! ```
//! use swarmgrad::study::units::Records;
//! use swarmgrad_lab::bench::{Bench, Method, Scores};
//! let bench = Bench { functions: vec![1, 8], dims: vec![2], instances: vec![1, 2], budget: 100, ..Bench::default() };
//! let trials = bench.run(&[Method::parse("de")?], &Records::none(), &|_| {})?;
//! assert_eq!(trials.len(), 2 * 2);
//! let share = Scores::of(&trials)?.share(100.0);
//! assert!(share > 0.0 && share < 1.0);
//! # Ok::<(), swarmgrad_lab::Error>(())
//! ```

mod archive;
mod report;
mod score;
mod suite;
mod trial;

pub use archive::write_archive;
pub use report::{Findings, Picture};
pub use score::{BUDGETS, Score, Scores, targets};
pub use suite::{Group, Place, Suite};
pub use trial::{Method, Trial};

use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;
use swarmgrad::Halt;
use swarmgrad::study::units::{self, Progress, Records, Work};

/// What to run and how.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The suite.
    pub suite: Suite,
    /// Numbers of its functions, from 1 on.
    pub functions: Vec<usize>,
    /// Numbers of variables; none where every problem has its own.
    pub dims: Vec<usize>,
    /// Numbers of instances; of problems without instances these are seeds.
    pub instances: Vec<u64>,
    /// Evaluations of a run as a multiple of the number of variables.
    pub budget: u64,
    /// The seed of all runs; each has a stream of its own.
    pub seed: u64,
    /// Threads, one run on each; 0 for one a core. The results do not depend on it.
    pub threads: usize,
    /// Ends the work soon when it is set; finished runs stay recorded.
    pub halt: Halt,
}

impl Default for Bench {
    /// BBOB, see [`Bench::of`].
    fn default() -> Self {
        Bench::of(Suite::Bbob)
    }
}

impl Bench {
    /// The whole suite in its usual dimensions, instances 1 to 5, 1000 evaluations a variable, one thread.
    pub fn of(suite: Suite) -> Self {
        Bench {
            suite,
            functions: suite.functions(),
            dims: suite.dims(),
            instances: (1..=5).collect(),
            budget: 1000,
            seed: 0,
            threads: 1,
            halt: Halt::default(),
        }
    }
}

/// What a bench tells whoever shows its progress, from any thread, in evaluations that are granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The work begins.
    Begin {
        /// All evaluations to be granted.
        evaluations: u64,
        /// Runs that the records have already.
        found: usize,
    },
    /// A run is finished.
    Done {
        /// The evaluations it was granted.
        evaluations: u64,
    },
}

/// One run to be made.
struct Unit<'a> {
    method: &'a Method,
    place: Place,
    problem: String,
    dim: usize,
}

impl Bench {
    /// Makes every run that is not recorded yet and returns all of them, method by method.
    ///
    /// # Errors
    /// Names what does not fit, its value and the rule; [`Error::Interrupted`] after a halt.
    pub fn run(&self, methods: &[Method], records: &Records, progress: &(dyn Fn(Step) + Sync)) -> Result<Vec<Trial>> {
        let mut units: Vec<(usize, Unit<'_>)> = self.units(methods)?.into_iter().enumerate().collect();
        // Long runs first, so that no thread is left alone with one in the end.
        units.sort_by_key(|(_, unit)| std::cmp::Reverse(unit.dim));
        let granted = |unit: usize| self.budget * units[unit].1.dim as u64;
        let told = |step: Progress<'_>| match step {
            Progress::Begun { missing } => {
                let evaluations = missing.iter().map(|&unit| granted(unit)).sum();
                progress(Step::Begin { evaluations, found: units.len() - missing.len() });
            }
            Progress::Ended { unit, .. } => progress(Step::Done { evaluations: granted(unit) }),
        };
        let work = Work { records, threads: self.threads, halt: self.halt.clone() };
        let run = |unit: &Unit<'_>| unit.method.run(unit.place, unit.dim, self.budget, self.seed, &self.halt).map(Some);
        let trials = work.run(&units, |(_, unit)| self.key(unit), |(_, unit), _| run(unit), &told)?;
        let mut trials: Vec<_> = units.iter().map(|(place, _)| *place).zip(trials).collect();
        trials.sort_unstable_by_key(|(place, _)| *place);
        trials.into_iter().map(|(_, trial)| trial.ok_or(Error::Interrupted)).collect()
    }

    /// What tells it with these methods from others.
    ///
    /// # Errors
    /// Those of [`Bench::run`] that come before the first run.
    pub fn plan(&self, methods: &[Method]) -> Result<Value> {
        Ok(self.units(methods)?.iter().map(|unit| self.key(unit)).collect())
    }

    /// What a run is found by: everything that its result depends on.
    fn key(&self, unit: &Unit<'_>) -> Value {
        json!({
            "method": unit.method.label, "params": unit.method.params(), "problem": unit.problem, "dim": unit.dim,
            "budget": self.budget, "seed": unit.place.seed(self.seed), "version": env!("CARGO_PKG_VERSION"),
        })
    }

    /// All runs, checked before the first begins.
    fn units<'a>(&self, methods: &'a [Method]) -> Result<Vec<Unit<'a>>> {
        let own = self.suite.is_fixed();
        if own && !self.dims.is_empty() {
            let rule = format!("left out: every problem of {} has its own", self.suite.name());
            return Err(Error::value("dims", format!("{:?}", self.dims), rule));
        }
        let lists = [("functions", self.functions.len()), ("instances", self.instances.len())];
        let lists = lists.into_iter().chain((!own).then_some(("dims", self.dims.len())));
        if let Some((name, _)) = lists.into_iter().find(|(_, length)| *length == 0) {
            return Err(Error::value(name, "nothing", "at least one"));
        }
        if self.budget == 0 {
            return Err(Error::value("budget", 0, "at least 1"));
        }
        if let Some(twice) = (1..methods.len()).find(|&k| methods[..k].iter().any(|m| m.label == methods[k].label)) {
            return Err(Error::value("method", &methods[twice].label, "named once"));
        }
        // The same for all methods: where, its name, and how many variables.
        let mut problems = Vec::new();
        for dim in self.dims.iter().map(|&dim| Some(dim)).chain(own.then_some(None)) {
            for &function in &self.functions {
                for &instance in &self.instances {
                    let entry = self.suite.entry(function, instance)?;
                    let dim = dim.unwrap_or(entry.dims.least());
                    entry.space::<f64>(dim)?;
                    let place = Place { suite: self.suite, function, instance };
                    problems.push((place, self.suite.problem(function, instance)?, dim));
                }
            }
        }
        // Functions of as many variables have the same space, but for those that have their own.
        let is_new =
            |place: &Place| place.instance == self.instances[0] && (own || place.function == self.functions[0]);
        let mut units = Vec::new();
        for method in methods {
            for (place, _, dim) in problems.iter().filter(|(place, ..)| is_new(place)) {
                let problem = self.suite.entry(place.function, place.instance)?.build::<f64>(*dim, None)?;
                method.check(&*problem, self.budget)?;
            }
            units.extend(problems.iter().map(|(place, problem, dim)| Unit {
                method,
                place: *place,
                problem: problem.clone(),
                dim: *dim,
            }));
        }
        Ok(units)
    }
}

/// Reads the runs of a file of records, of this program or of another.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Trial>> {
    let path = path.as_ref();
    let trials = units::read::<Trial>(path)?;
    for (i, trial) in trials.iter().enumerate() {
        trial.place().map_err(|why| Error::Line {
            path: path.display().to_string(),
            line: i + 1,
            why: why.to_string(),
        })?;
    }
    Ok(trials)
}
