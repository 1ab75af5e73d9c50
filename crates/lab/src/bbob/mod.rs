//! The BBOB harness: methods over functions, dimensions and instances of COCO's suite, with exact counts of evaluations.
//!
//! Hansen, Auger, Ros, Mersmann, Tušar, Brockhoff (2021), "COCO: a platform for comparing continuous optimizers in a
//! black-box setting", Optimization Methods and Software 36. A run is judged by the 51 precisions 10^2, 10^1.8, ..
//! 10^-8 that its best value reaches, each at the number of evaluations that it took.
//!
//! ```
//! use swarmgrad::study::units::Records;
//! use swarmgrad_lab::bbob::{Bench, Method, Scores};
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
mod trial;

pub use archive::write_archive;
pub use report::{Findings, Picture};
pub use score::{BUDGETS, Score, Scores, targets};
pub use trial::{Method, Trial};

use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;
use swarmgrad::Halt;
use swarmgrad::study::units::{self, Progress, Records, Work};

/// The five groups of functions: name, first and last number.
pub const GROUPS: [(&str, usize, usize); 5] = [
    ("separable", 1, 5),
    ("moderate", 6, 9),
    ("ill-conditioned", 10, 14),
    ("multi-modal", 15, 19),
    ("weakly structured", 20, 24),
];

/// What to run and how.
#[derive(Debug, Clone)]
pub struct Bench {
    /// Numbers of functions, 1 to 24.
    pub functions: Vec<usize>,
    /// Numbers of variables, at least 2.
    pub dims: Vec<usize>,
    /// Numbers of instances.
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
    /// The whole suite in 5, 10 and 20 variables, instances 1 to 5, 1000 evaluations a variable, one thread.
    fn default() -> Self {
        Bench {
            functions: (1..=24).collect(),
            dims: vec![5, 10, 20],
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
    function: usize,
    dim: usize,
    instance: u64,
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
        let run = |unit: &Unit<'_>| {
            let Unit { method, function, dim, instance } = *unit;
            method.run(function, dim, instance, self.budget, self.seed, &self.halt).map(Some)
        };
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
            "method": unit.method.label, "params": unit.method.params(), "problem": trial::name(unit.function, unit.instance),
            "dim": unit.dim, "budget": self.budget, "seed": self.seed, "version": env!("CARGO_PKG_VERSION"),
        })
    }

    /// All runs, checked before the first begins.
    fn units<'a>(&self, methods: &'a [Method]) -> Result<Vec<Unit<'a>>> {
        let lists =
            [("functions", self.functions.len()), ("dims", self.dims.len()), ("instances", self.instances.len())];
        if let Some((name, _)) = lists.into_iter().find(|(_, length)| *length == 0) {
            return Err(Error::value(name, "nothing", "at least one"));
        }
        if self.budget == 0 {
            return Err(Error::value("budget", 0, "at least 1"));
        }
        if let Some(twice) = (1..methods.len()).find(|&k| methods[..k].iter().any(|m| m.label == methods[k].label)) {
            return Err(Error::value("method", &methods[twice].label, "named once"));
        }
        let mut units = Vec::new();
        for method in methods {
            for &dim in &self.dims {
                method.check(dim, self.budget)?;
                for &function in &self.functions {
                    for &instance in &self.instances {
                        swarmgrad::problems::bbob(function, instance)?;
                        units.push(Unit { method, function, dim, instance });
                    }
                }
            }
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
