//! A session: the settings of an experiment, the threads that do its units of work, and the records they are kept in.

use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings};
use crate::stopwatch::Stopwatch;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::cell::Cell;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;
use swarmgrad::Halt;
use swarmgrad::study::units::{Progress, Records, UnitState, Work};

/// Whose numbers an experiment uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// What the paper says.
    PaperText,
    /// What the authors' published program does, where that is something else.
    PaperCode,
    /// What we would do.
    Sound,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Preset; 3] = [Preset::PaperText, Preset::PaperCode, Preset::Sound];

    /// Its name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Preset::PaperText => "paper-text",
            Preset::PaperCode => "paper-code",
            Preset::Sound => "sound",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = swarmgrad::Error;

    fn from_str(text: &str) -> swarmgrad::Result<Self> {
        let known = Preset::ALL.into_iter().find(|preset| preset.name() == text);
        known.ok_or_else(|| swarmgrad::Error::unknown("preset", text, Preset::ALL.map(Preset::name)))
    }
}

/// What a user may say about an experiment.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whose numbers to use; the experiment's own choice where nothing is said.
    pub preset: Option<Preset>,
    /// Fewer seeds and smaller sets: for a first look and for tests.
    pub quick: bool,
    /// Whole data sets where an experiment would take a named part of one.
    pub full: bool,
    /// Number of seeds; the experiment's own choice where nothing is said.
    pub seeds: Option<u64>,
    /// Number of threads, one unit of work on each; 0 for one a core. The numbers do not depend on it.
    pub threads: usize,
    /// JSON lines of finished units, continued from if the file is there already.
    pub records: Option<PathBuf>,
    /// The folder of the data sets that are not built in.
    pub data: Option<PathBuf>,
    /// The two lists of numbers of a phase diagram; the experiment's own where nothing is said.
    pub grid: Option<[Vec<f64>; 2]>,
}

/// What a session tells whoever shows its progress.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Step<'a> {
    /// An experiment begins.
    Begin {
        /// Its name.
        experiment: &'a str,
    },
    /// A batch of units begins.
    Units {
        /// What they do.
        what: &'a str,
        /// How many there are.
        all: usize,
        /// How many of them the records have already.
        found: usize,
    },
    /// A part of a long unit is done.
    Part {
        /// Its share of the unit.
        share: f64,
    },
    /// A unit of the batch is done.
    Done {
        /// The time it took.
        seconds: f64,
        /// The share of it that was not told in parts: 1 for a short unit.
        rest: f64,
    },
}

/// How a long unit tells what it has done.
pub struct Part<'s> {
    session: &'s Session<'s>,
    /// Where the unit keeps its state, to continue after a kill.
    pub state: &'s UnitState,
    done: Cell<f64>,
}

impl Part<'_> {
    /// This share of the unit, from 0 to 1, is done by now.
    pub fn reached(&self, share: f64) {
        let more = share - self.done.get();
        if more > 0.0 && share <= 1.0 {
            self.done.set(share);
            self.session.tell(Step::Part { share: more });
        }
    }
}

/// One finished unit as a line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    experiment: String,
    what: String,
    version: String,
    unit: Value,
    result: Box<RawValue>,
    seconds: f64,
}

/// Where experiments run.
pub struct Session<'a> {
    settings: Settings,
    experiment: Option<&'static Experiment>,
    progress: Option<&'a (dyn Fn(Step<'_>) + Sync)>,
    halt: Halt,
    records: Records,
}

impl<'a> Session<'a> {
    /// A session that nobody watches. Reads the records, if there are any, and repairs a line that a kill has torn.
    ///
    /// # Errors
    /// Settings or records that do not fit.
    pub fn new(settings: Settings) -> Result<Self> {
        if settings.seeds == Some(0) {
            return Err(Error::value("seeds", 0, "at least 1"));
        }
        let records = settings.records.as_deref().map_or(Ok(Records::none()), Records::open)?;
        Ok(Session { settings, experiment: None, progress: None, halt: Halt::default(), records })
    }

    /// Keeps finished units there instead.
    #[must_use]
    pub fn records(mut self, records: Records) -> Self {
        self.records = records;
        self
    }

    /// The records, after the last experiment.
    pub fn into_records(self) -> Records {
        self.records
    }

    /// Tells `progress` what happens, from any thread.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(Step<'_>) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Breaks off with [`Error::Interrupted`] soon after `halt` asks for it; finished units stay recorded.
    #[must_use]
    pub fn interrupt(mut self, halt: Halt) -> Self {
        self.halt = halt;
        self
    }

    /// Runs an experiment.
    pub fn run(&mut self, experiment: &'static Experiment) -> Result<Findings> {
        self.experiment = Some(experiment);
        self.tell(Step::Begin { experiment: experiment.name });
        let begin = Instant::now();
        let mut findings = (experiment.run)(self)?;
        findings.check(experiment.paper())?;
        findings.experiment = experiment.name.into();
        findings.preset = Some(self.preset());
        findings.quick = self.settings.quick;
        findings.seconds = begin.elapsed().as_secs_f64();
        Ok(findings)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether fewer seeds and smaller sets will do.
    pub fn quick(&self) -> bool {
        self.settings.quick
    }

    /// Whether to take whole data sets where a part would be usual.
    pub fn full(&self) -> bool {
        self.settings.full
    }

    /// Whose numbers to use.
    pub fn preset(&self) -> Preset {
        let usual = self.experiment.map_or(Preset::PaperText, |experiment| experiment.preset);
        self.settings.preset.unwrap_or(usual)
    }

    /// The number of seeds: what the user says, or else one of these two.
    pub fn seeds(&self, usual: u64, quick: u64) -> u64 {
        self.settings.seeds.unwrap_or(if self.settings.quick { quick } else { usual })
    }

    /// Asks long units to end; a unit that sees it set returns [`Error::Interrupted`].
    pub fn halt(&self) -> &Halt {
        &self.halt
    }

    /// Computes every unit that is not recorded yet, several at a time, records each as it is finished, and returns all
    /// results in the order of the units.
    ///
    /// A unit must say everything its result depends on (data set, method, parameters that were chosen, seed), because that
    /// is what a record is found by. Results go through JSON, so floating-point fields that may be infinite or NaN need
    /// `#[serde(with = "swarmgrad_lab::record::number")]`. `what` names the batch; batches of one experiment whose units
    /// could look alike need different names.
    pub fn units<U, R>(&self, what: &str, units: &[U], compute: impl Fn(&U) -> Result<R> + Sync) -> Result<Vec<R>>
    where
        U: Serialize + Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        let timed = self.timed_units(what, units, compute)?;
        Ok(timed.into_iter().map(|(result, _)| result).collect())
    }

    /// [`Session::units`] of units that take long and tell how far they are.
    pub fn long_units<U, R>(
        &self,
        what: &str,
        units: &[U],
        compute: impl Fn(&U, &Part<'_>) -> Result<R> + Sync,
    ) -> Result<Vec<R>>
    where
        U: Serialize + Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        let timed = self.recorded_units(what, units, compute)?;
        Ok(timed.into_iter().map(|(result, _)| result).collect())
    }

    /// [`Session::units`], and the seconds of CPU time that each took when it was computed.
    pub fn timed_units<U, R>(
        &self,
        what: &str,
        units: &[U],
        compute: impl Fn(&U) -> Result<R> + Sync,
    ) -> Result<Vec<(R, f64)>>
    where
        U: Serialize + Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        self.recorded_units(what, units, |unit, _| compute(unit))
    }

    fn recorded_units<U, R>(
        &self,
        what: &str,
        units: &[U],
        compute: impl Fn(&U, &Part<'_>) -> Result<R> + Sync,
    ) -> Result<Vec<(R, f64)>>
    where
        U: Serialize + Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        let wrong = |why: serde_json::Error| Error::value("a unit", what, why.to_string());
        // By its text, in which numbers of single precision are short.
        let said = |unit: &U| serde_json::to_vec(unit).and_then(|text| serde_json::from_slice(&text));
        let said: Vec<Value> = units.iter().map(said).collect::<serde_json::Result<_>>().map_err(wrong)?;
        let lines = self.lines(what, &said, &|i, part| to_raw_value(&compute(&units[i], part)?).map_err(wrong))?;
        let result = |line: Line| Ok((serde_json::from_str(line.result.get()).map_err(wrong)?, line.seconds));
        lines.into_iter().map(result).collect()
    }

    /// The lines of units that are said so; the same for results of any form, which is what keeps the program small.
    fn lines(
        &self,
        what: &str,
        said: &[Value],
        compute: &(dyn Fn(usize, &Part<'_>) -> Result<Box<RawValue>> + Sync),
    ) -> Result<Vec<Line>> {
        let experiment = self.experiment.map_or("", |experiment| experiment.name);
        let version = env!("CARGO_PKG_VERSION");
        let work = Work { records: &self.records, threads: self.settings.threads, halt: self.halt.clone() };
        let key = |&i: &usize| json!({"experiment": experiment, "what": what, "version": version, "unit": said[i]});
        let line = |&i: &usize, state: &UnitState| {
            let (begin, watch) = (Instant::now(), Stopwatch::start());
            let part = Part { session: self, state, done: Cell::new(0.0) };
            let result = compute(i, &part)?;
            let seconds = watch.seconds();
            self.tell(Step::Done { seconds: begin.elapsed().as_secs_f64(), rest: 1.0 - part.done.get() });
            let (experiment, what, version) = (experiment.into(), what.into(), version.into());
            Ok::<_, Error>(Some(Line { experiment, what, version, unit: said[i].clone(), result, seconds }))
        };
        let lines = work.run(&(0..said.len()).collect::<Vec<_>>(), key, line, &|step| {
            if let Progress::Begun { missing } = step {
                self.tell(Step::Units { what, all: said.len(), found: said.len() - missing.len() });
            }
        })?;
        lines.into_iter().map(|line| line.ok_or(Error::Interrupted)).collect()
    }

    fn tell(&self, step: Step<'_>) {
        if let Some(progress) = self.progress {
            progress(step);
        }
    }
}
