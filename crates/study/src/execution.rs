//! Execution: a study on its way to its report. What is on disk already is taken up, what is found out is kept.

use crate::gradients;
use crate::improvements::Improvements;
use crate::journal::{self, Journal};
use crate::lock::Lock;
use crate::objective::{Objective, Signed, decoded, turned};
use crate::program::{Blocking, Pool};
use crate::report::{LastFailure, Report};
use crate::study::{Plan, Study};
use crate::summary::{Gained, Gains};
use crate::uncertainty::{Collector, Meaning};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use swarmgrad_core::{
    Batch, Capacity, Checkpoint, Error, Evaluation, Evaluator, Halt, Id, Instant, Limits, Outcome, Problem, Progress,
    Reason, Result, Rng, Run, Session, Tape, Time, Watch, Workers,
    state::{self, Place, check_writable},
};

/// How a study is carried out: nothing here changes its result.
pub struct Execution<'a> {
    /// Threads for a test problem, copies of a user's program; 0 for one a core.
    pub workers: usize,
    /// Commands that run a program on other hosts, one a line.
    pub hosts: Option<PathBuf>,
    /// Where the points are evaluated, which other runs may use at the same time, in place of threads and copies of this run's own.
    pub objective: Option<&'a Objective>,
    /// Estimates the uncertainty of the variables at the end, of values of this meaning.
    pub uncertainty: Option<Meaning>,
    /// Ends the run when asked to.
    pub halt: Halt,
    /// The journal: every evaluation, on disk before it is used. What it holds already is not evaluated again.
    pub record: Option<PathBuf>,
    /// Whether a program's evaluations go to a file named after the run where `record` names none.
    pub name_record: bool,
    /// Every improvement, as JSON lines.
    pub improvements: Option<PathBuf>,
    /// Adds the draws and the state of every iteration to the improvements.
    pub trace: bool,
    /// A snapshot every two seconds and at the end.
    pub checkpoint: Option<PathBuf>,
    /// Begins anew where there are files of an earlier run; these are renamed.
    pub overwrite: bool,
    /// Watchers of the caller's.
    pub watchers: Vec<Box<dyn Watch + 'a>>,
    /// Is told what people should know while the run goes on.
    pub say: Box<dyn FnMut(&str) + Send + 'a>,
}

impl Default for Execution<'_> {
    fn default() -> Self {
        Execution {
            workers: 1,
            hosts: None,
            objective: None,
            uncertainty: None,
            halt: Halt::default(),
            record: None,
            name_record: false,
            improvements: None,
            trace: false,
            checkpoint: None,
            overwrite: false,
            watchers: Vec::new(),
            say: Box::new(|_| {}),
        }
    }
}

impl Study {
    /// Carries the study out.
    ///
    /// # Errors
    /// Names what does not fit; a file that cannot be used. Nothing is evaluated then.
    pub fn run(&self, execution: Execution<'_>) -> Result<Report> {
        self.plan()?.run(execution)
    }
}

/// What a checkpoint says of its run beside the method's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct About {
    study: Study,
    record: Option<PathBuf>,
    improvements: Option<PathBuf>,
    trace: bool,
    /// Length of the improvements' file.
    bytes: u64,
    /// What had been gained.
    #[serde(default)]
    gained: Gained,
}

/// A checkpoint as it was read.
type Taken = (Checkpoint, About);

/// A run on disk: a checkpoint or a journal, to be continued.
pub struct Saved {
    /// What was run.
    pub study: Study,
    /// Where it was recorded.
    pub record: Option<PathBuf>,
    /// Where it left its improvements.
    pub improvements: Option<PathBuf>,
    /// Whether these have draws and states.
    pub trace: bool,
    /// Its checkpoint.
    pub checkpoint: Option<PathBuf>,
}

impl Saved {
    /// Reads the file of a run: a journal or a checkpoint.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or is neither.
    pub fn read(path: &Path) -> Result<Self> {
        if is_journal(path)? {
            let contents = journal::read(path)?;
            let study = serde_json::from_value(contents.header.study.clone())
                .map_err(|why| Error::Saved(format!("{}: {why}", path.display())))?;
            let record = Some(path.to_owned());
            return Ok(Saved { study, record, improvements: None, trace: false, checkpoint: None });
        }
        let checkpoint = Checkpoint::<f64>::read(path)?;
        let About { study, record, improvements, trace, .. } = about(&checkpoint, path)?;
        Ok(Saved { study, record, improvements, trace, checkpoint: Some(path.to_owned()) })
    }

    /// The study with another budget: the method goes on planning by the first one.
    pub fn with_budget(mut self, evaluations: u64) -> Result<Self> {
        let planned = self.study.plan()?;
        self.study.planned = planned.study.planned.or(planned.budget);
        self.study.evaluations = Some(evaluations);
        Ok(self)
    }
}

fn about(checkpoint: &Checkpoint, path: &Path) -> Result<About> {
    serde_json::from_str(&checkpoint.about).map_err(|why| Error::Saved(format!("{}: {why}", path.display())))
}

fn failed(path: &Path, why: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), why: why.to_string() }
}

/// Whether a file begins as a journal does.
fn is_journal(path: &Path) -> Result<bool> {
    use std::io::Read;
    let mut first = [0];
    let read =
        std::fs::File::open(path).and_then(|mut file| file.read(&mut first)).map_err(|why| failed(path, &why))?;
    Ok(read == 1 && first[0] == b'{')
}

/// Whether there is a file with something in it; what is no file, such as a pipe, holds no run.
fn holds_something(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() > 0)
}

impl Plan {
    /// Carries the plan out.
    ///
    /// # Errors
    /// See [`Study::run`].
    pub fn run(self, mut execution: Execution<'_>) -> Result<Report> {
        // Usage errors first: nothing is started and no file is touched before all that is said is known to be right.
        let typed = !self.space.variables().is_empty();
        let test = if execution.objective.is_some() { None } else { self.test()? };
        let differentiable = match execution.objective {
            Some(objective) => objective.differentiable(),
            None => test.as_ref().filter(|_| !typed).and_then(|test| test.differentiable()),
        };
        let source = gradients::wanted(&self, differentiable.is_some())?;
        self.name_record(&mut execution)?;
        let files = [&execution.record, &execution.improvements, &execution.checkpoint];
        files.into_iter().flatten().try_for_each(|path| check_writable(path))?;
        let (_lock, mut saved) = self.checkpoint(&mut execution)?;
        let (mut journal, mut contents) = self.journal(&mut execution)?;
        if let (Some((checkpoint, _)), Some(contents)) = (&saved, &contents)
            && ends_before(contents, checkpoint)
        {
            // Both go on to the same bits, and this way the record has everything.
            (execution.say)("the record ends before the checkpoint, as after a power cut: continues from the record");
            saved = None;
        }
        let workers = Workers::new(if test.is_some() { execution.workers } else { 1 })?;

        let gains = Gains::from(saved.as_ref().map(|(_, about)| about.gained).unwrap_or_default());
        let mut keeper = Keeper::new(&self, &execution);
        keeper.gains = gains.clone();
        // What is there is good: a run that fails at once leaves it as it is.
        keeper.written = saved.as_ref().map(|_| Instant::now());
        let bytes = saved.as_ref().map(|(_, about)| about.bytes);
        let tape = execution.trace.then(|| Arc::new(Mutex::new(Tape::default())));
        let mut improvements = match &execution.improvements {
            Some(path) => {
                let test = test.as_deref().filter(|_| !typed);
                Some(Improvements::open(path, bytes, &self, test, tape.clone(), keeper.bytes.clone())?)
            }
            None => None,
        };
        keeper.improvements = improvements.as_ref().and_then(Improvements::file);
        let mut session = match saved {
            None => self.session()?,
            Some((checkpoint, _)) => {
                let method = self.load(&checkpoint.algorithm)?;
                checkpoint.verify(self.space.dim(), &*method)?;
                self.with(method)?.resume(checkpoint)
            }
        };
        if let Some(tape) = tape {
            session = session.rng(Rng::new(self.study.seed).recording(tape));
        }
        session = session.limits(self.limits());
        // Before what is known is told: the method asks for other points where there are gradients.
        if source.is_some() {
            session.expect_gradients(self.study.gradient_cost);
        }
        if let Some(contents) = &mut contents {
            contents.evaluations.retain(|line| !session.is_known(line.id));
        }
        let collector = Collector::default();
        session = session.watch_boxed(Box::new(gains.clone()));
        if execution.uncertainty.is_some() {
            session = session.watch_boxed(Box::new(collector.clone()));
        }
        for watcher in execution.watchers.drain(..) {
            session = session.watch_boxed(watcher);
        }
        if let Some(improvements) = &mut improvements {
            session = session.watch_by(improvements);
        }
        if let Some(journal) = &mut journal {
            session = session.watch_by(journal);
        }
        if execution.checkpoint.is_some() {
            session = session.watch_by(&mut keeper);
        }
        let repeated = match &contents {
            Some(contents) => {
                let known = journal::replay(&mut session, contents)?;
                let earlier = known.seconds / execution.workers.max(1) as f64;
                session = session.after(Duration::from_secs_f64(earlier));
                known.evaluations
            }
            None => 0,
        };
        // The clock begins when what is known has been told.
        if let Some(seconds) = self.study.time {
            let left = Duration::from_secs_f64(seconds).saturating_sub(session.elapsed());
            session = session.limits(Limits { time: Some(Time::from_now(left)), ..Limits::default() });
        }

        let earlier = session.evaluations();
        let mut ended = Ended::default();
        match (&test, execution.objective) {
            (_, Some(objective)) => {
                let mut source =
                    source.map(|name| gradients::source(name, &self, objective, differentiable)).transpose()?;
                let mut run = Run::of(session, objective).halt(execution.halt.clone());
                if let Some(source) = &mut source {
                    run = run.gradients(&mut **source, self.study.gradient_cost);
                }
                ended.drive(run, self.entry.name, || objective.broken())?;
                ended.last_failure = objective.last_failure();
            }
            (Some(test), None) => {
                let decoded = decoded(self.space.clone(), &**test);
                let inner: &dyn Problem = if typed { &decoded } else { &**test };
                let problem = Signed { problem: inner, plan: &self };
                let mut source =
                    source.map(|name| gradients::source(name, &self, &problem, differentiable)).transpose()?;
                let mut run = Run::of(session, &problem).workers(&workers).halt(execution.halt.clone());
                if let Some(source) = &mut source {
                    run = run.gradients(&mut **source, self.study.gradient_cost);
                }
                workers.install(|| ended.drive(run, self.entry.name, || None))?;
            }
            (None, None) => self.over_program(session, source, &mut execution, &mut ended)?,
        }
        let Ended { outcome, last, restarts, last_failure } = ended;
        let Some(mut outcome) = outcome else { return Err(Error::missing("run", "it has not begun")) };
        let mut trouble = Vec::new();
        if !matches!(outcome.reason, Reason::Failures(_)) {
            trouble.extend(keeper.finish(last).err().map(|why| why.to_string()));
        }
        self.turn(&mut outcome);
        let minimum = self.minimum()?;
        let kept = execution.record.clone().or(execution.checkpoint.clone());
        let by_fit = outcome.covariance.is_some();
        let uncertainty = execution.uncertainty.filter(|_| !by_fit);
        let uncertainty = uncertainty.map(|meaning| self.uncertainty(&collector.seen(), &outcome, meaning));
        let gained = Some(gains.gained().at);
        let mut report = Report {
            plan: self,
            outcome,
            minimum,
            last_failure,
            restarts,
            repeated,
            earlier,
            kept,
            gained,
            uncertainty,
            trouble,
        };
        let written = serde_json::to_value(&report);
        report.trouble.extend(written.as_ref().err().map(|why| format!("the result is in no file: {why}")));
        let result = written.unwrap_or_default();
        if let Some(improvements) = &mut improvements {
            report.trouble.extend(improvements.finish(&result).err().map(|why| why.to_string()));
        }
        if let Some(journal) = &mut journal {
            match report.outcome.reason {
                // What a broken program has left is not the end of the run.
                Reason::Failures(_) => journal.finish(),
                _ => journal.result(&result),
            }
            let path = |why| format!("{}: {why}", execution.record.as_deref().unwrap_or(Path::new("")).display());
            report.trouble.extend(journal.trouble().map(path));
        }
        let nothing = contents.is_none() && !report.outcome.fun.is_finite();
        if let (Reason::Failures(_), true, Some(path)) = (&report.outcome.reason, nothing, &execution.record) {
            // Not one value: the next try begins at the beginning. What is no file, such as /dev/null, is not ours to remove, and a link
            // leads to the file that is; while that is locked nobody else has begun it.
            if let Ok(Place::File(place)) = state::place(path) {
                let _ = std::fs::remove_file(place);
            }
            drop(journal);
            report.kept = None;
        }
        Ok(report)
    }

    /// The points go to a program of the user's own.
    fn over_program(
        &self,
        session: Session<'_>,
        source: Option<&str>,
        execution: &mut Execution<'_>,
        ended: &mut Ended,
    ) -> Result<()> {
        let mut pool = self.pool(execution.workers, execution.hosts.clone(), session.evaluations() > 0)?;
        let halt = execution.halt.clone();
        match source {
            Some(name) => {
                // A source of gradients evaluates points of its own; the others are asked for by as many threads as there are
                // copies, which wait.
                let workers = Workers::new(execution.workers.max(1))?;
                let deadline = session.deadline().map_or_else(|| halt.clone(), |deadline| halt.by(deadline));
                let blocking = Blocking::new(pool, deadline);
                let problem = Signed { problem: &blocking, plan: self };
                let mut source = gradients::source(name, self, &problem, None)?;
                let run = Run::of(session, &problem).halt(halt).gradients(&mut *source, self.study.gradient_cost);
                workers.install(|| ended.drive(run, self.entry.name, || blocking.broken()))?;
                drop(source);
                pool = blocking.into_pool();
            }
            None => {
                let mut signed =
                    SignedPool { pool: &mut pool, plan: self, points: BTreeMap::new(), say: &mut execution.say };
                ended.drive(Run::over(session, &mut signed).halt(halt), self.entry.name, || None)?;
            }
        }
        pool.close();
        pool.notes().iter().for_each(|note| (execution.say)(note));
        ended.restarts = pool.restarts();
        ended.last_failure = pool.last_failure().map(LastFailure::of);
        Ok(())
    }

    /// Values of the outcome with the sign of the problem.
    fn turn(&self, outcome: &mut Outcome) {
        if self.study.maximize {
            outcome.fun = 0.0 - outcome.fun;
            if let Some(noise) = &mut outcome.noise {
                (noise.mean, noise.low, noise.high) = (0.0 - noise.mean, 0.0 - noise.high, 0.0 - noise.low);
            }
            let found = outcome.solutions.iter_mut().flat_map(|solutions| &mut solutions.points);
            found.for_each(|found| {
                found.value = 0.0 - found.value;
                found.parts.iter_mut().for_each(|part| *part = 0.0 - *part);
            });
        }
    }

    /// The right to write the checkpoint, and the state that it holds, if it is of this run.
    fn checkpoint(&self, execution: &mut Execution<'_>) -> Result<(Option<Lock>, Option<Taken>)> {
        let Some(path) = execution.checkpoint.clone() else { return Ok((None, None)) };
        if execution.overwrite && holds_something(&path) {
            let old = journal::rotate(&path)?;
            (execution.say)(&format!("{} is now {}", path.display(), old.display()));
        }
        let lock = match state::place(&path)? {
            Place::File(place) => Some(Lock::take(&place, &path)?),
            Place::Device if state::is_pipe(&path) => {
                let why = "is a pipe: a checkpoint is written again and again, in a file".into();
                return Err(Error::File { path: path.display().to_string(), why });
            }
            Place::Device => None,
        };
        if !holds_something(&path) {
            return Ok((lock, None));
        }
        let checkpoint = Checkpoint::<f64>::read(&path)?;
        let about = about(&checkpoint, &path)?;
        self.same_run(&about.study, &path)?;
        (execution.say)(&format!("continues from {}", path.display()));
        Ok((lock, Some((checkpoint, about))))
    }

    /// A program's evaluations are dear: they are kept also where nobody says where. A run of that name that has ended makes room.
    fn name_record(&self, execution: &mut Execution<'_>) -> Result<()> {
        if !execution.name_record || execution.record.is_some() || self.study.program.is_none() {
            return Ok(());
        }
        let path = PathBuf::from(format!("swarmgrad-{}.jsonl", journal::digest(&self.identity()?)));
        if let Err(why) = check_writable(&path) {
            (execution.say)(&format!("the evaluations are not recorded ({why}); --record says where they can be"));
            return Ok(());
        }
        if holds_something(&path)
            && !execution.overwrite
            && journal::read(&path).is_ok_and(|contents| !contents.results.is_empty())
        {
            let old = journal::rotate(&path)?;
            (execution.say)(&format!("an earlier run of this command has ended: its record is now {}", old.display()));
        }
        (execution.say)(&format!(
            "every evaluation is recorded in {}; the same command again continues there",
            path.display()
        ));
        execution.record = Some(path);
        Ok(())
    }

    /// The journal, and what it holds already.
    fn journal(&self, execution: &mut Execution<'_>) -> Result<(Option<Journal>, Option<journal::Contents>)> {
        let Some(path) = execution.record.clone() else { return Ok((None, None)) };
        if holds_something(&path) && execution.overwrite {
            let old = journal::rotate(&path)?;
            (execution.say)(&format!("{} is now {}", path.display(), old.display()));
        }
        if !holds_something(&path) {
            let study = serde_json::to_value(&self.study).map_err(|why| Error::Saved(why.to_string()))?;
            let header = journal::Header::new(study).names(self.names.clone()).maximize(self.study.maximize);
            return Ok((Some(Journal::create(&path, &header)?.of(&self.space)), None));
        }
        let (journal, contents) = Journal::append(&path)?;
        let study = serde_json::from_value(contents.header.study.clone())
            .map_err(|why| Error::Saved(format!("{}: {why}", path.display())))?;
        self.same_run(&study, &path)?;
        let known = contents.evaluations.len();
        (execution.say)(&format!("continues {}, which holds {known} evaluations", path.display()));
        Ok((Some(journal.of(&self.space)), Some(contents)))
    }

    /// Checks that a file holds this run. A function and a command may continue each other's runs: what they compute is the
    /// user's affair.
    ///
    /// # Errors
    /// Another run, with the members of the study that differ.
    pub fn same_run(&self, other: &Study, path: &Path) -> Result<()> {
        let mut other = other.clone();
        let of_function = |study: &Study| study.program.as_ref().is_some_and(|program| program.function.is_some());
        if self.study.program.is_some() && other.program.is_some() && (of_function(&self.study) || of_function(&other))
        {
            other.program.clone_from(&self.study.program);
        }
        let (ours, theirs) = (self.identity()?, other.plan()?.identity()?);
        if ours == theirs {
            return Ok(());
        }
        let keys = |value: &serde_json::Value| {
            value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        let mut names: Vec<String> =
            keys(&ours).into_iter().chain(keys(&theirs)).filter(|key| ours.get(key) != theirs.get(key)).collect();
        names.sort();
        names.dedup();
        let rule = format!(
            "holds another run (it differs in {}): continue that one with `swarmgrad resume`, name another file, or give \
             --overwrite to begin anew (the old file is kept under another name)",
            names.join(", ")
        );
        Err(Error::File { path: path.display().to_string(), why: rule })
    }
}

/// How a run ended, and what was left when it did.
#[derive(Default)]
struct Ended {
    outcome: Option<Outcome>,
    /// The state at the end, where that was between two rounds.
    last: Option<Checkpoint>,
    restarts: u64,
    last_failure: Option<LastFailure>,
}

impl Ended {
    /// Runs to the end.
    fn drive(&mut self, mut run: Run<'_>, method: &str, broken: impl Fn() -> Option<String>) -> Result<()> {
        while run.step().is_continue() {
            if let Some(why) = broken() {
                run.stop(Reason::Failures(why));
            }
        }
        if run.session().is_whole() {
            self.last = Some(run.checkpoint(method, "")?);
        }
        self.outcome = Some(run.outcome());
        Ok(())
    }
}

/// A pool of programs whose values may be turned over, and whose notes are passed on.
struct SignedPool<'a, 'b> {
    pool: &'a mut Pool,
    plan: &'a Plan,
    /// The points that are being evaluated, where their constraints depend on them.
    points: BTreeMap<Id, Vec<f64>>,
    say: &'a mut (dyn FnMut(&str) + Send + 'b),
}

impl Evaluator for SignedPool<'_, '_> {
    fn capacity(&self) -> Capacity {
        self.pool.capacity()
    }

    fn submit(&mut self, batch: &Batch) {
        if !self.plan.constraints.list().is_empty() {
            self.points.extend(batch.points().map(|(id, x)| (id, x.to_vec())));
        }
        self.pool.submit(batch);
    }

    fn poll(&mut self, wait: Duration) -> Vec<(Id, Evaluation)> {
        let found = self.pool.poll(wait);
        self.pool.notes().iter().for_each(|note| (self.say)(note));
        let turned = |(id, evaluation)| {
            let x = self.points.remove(&id).unwrap_or_default();
            (id, turned(self.plan, &x, evaluation))
        };
        found.into_iter().map(turned).collect()
    }

    fn abandon(&mut self) {
        self.pool.abandon();
    }

    fn broken(&self) -> Option<String> {
        self.pool.broken()
    }
}

/// Whether a record that begins with the run ends before a checkpoint of it.
fn ends_before(contents: &journal::Contents, checkpoint: &Checkpoint) -> bool {
    let ids = || contents.evaluations.iter().map(|line| line.id.0);
    ids().any(|id| id == 0) && ids().max().is_some_and(|last| last + 1 < checkpoint.points())
}

/// How often a checkpoint is written.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// A checkpoint is taken in memory when this many times its cost has passed since the last.
const SPARE: u32 = 20;

/// Writes the checkpoint, as a watcher of the run.
struct Keeper {
    path: Option<PathBuf>,
    method: &'static str,
    about: About,
    /// Length of the improvements' file.
    bytes: Arc<AtomicU64>,
    /// That file.
    improvements: Option<File>,
    gains: Gains,
    latest: Option<Checkpoint>,
    taken: Option<Instant>,
    cost: Duration,
    written: Option<Instant>,
}

impl Keeper {
    fn new(plan: &Plan, execution: &Execution<'_>) -> Self {
        let about = About {
            study: plan.study.clone(),
            record: execution.record.clone(),
            improvements: execution.improvements.clone(),
            trace: execution.trace,
            bytes: 0,
            gained: Gained::default(),
        };
        Keeper {
            path: execution.checkpoint.clone(),
            method: plan.entry.name,
            about,
            bytes: Arc::default(),
            improvements: None,
            gains: Gains::default(),
            latest: None,
            taken: None,
            cost: Duration::ZERO,
            written: None,
        }
    }

    fn about(&self) -> Result<String> {
        let about = About { bytes: self.bytes.load(Relaxed), gained: self.gains.gained(), ..self.about.clone() };
        serde_json::to_string(&about).map_err(|why| Error::Saved(why.to_string()))
    }

    /// At the end: the state itself where the run stands between two rounds, else the last one that did.
    fn finish(&mut self, last: Option<Checkpoint>) -> Result<()> {
        if let Some(mut last) = last {
            last.about = self.about()?;
            self.latest = Some(last);
        }
        self.write()
    }

    fn keep(&mut self, progress: &Progress<'_>) -> Result<()> {
        if self.taken.is_some_and(|taken| taken.elapsed() < self.cost * SPARE) {
            return Ok(());
        }
        let begin = Instant::now();
        self.latest = Some(progress.checkpoint(self.method, &self.about()?)?);
        self.taken = Some(Instant::now());
        self.cost = begin.elapsed();
        if self.written.is_none_or(|written| written.elapsed() >= CHECKPOINT) {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        if let (Some(path), Some(latest)) = (&self.path, &self.latest) {
            // Also after a failure: a full disk is not tried again at every round.
            self.written = Some(Instant::now());
            // What the checkpoint counts on is on the disk before it.
            if let (Some(file), Some(path)) = (&self.improvements, &self.about.improvements) {
                state::sync(file).map_err(|why| failed(path, &why))?;
            }
            latest.write(path)?;
        }
        Ok(())
    }
}

impl Watch for Keeper {
    /// A disk that fills up does not end the run: the next time comes, and the last one, in `finish`, says what could not be kept.
    fn see(&mut self, progress: &Progress<'_>) -> ControlFlow<Reason> {
        let _ = self.keep(progress);
        ControlFlow::Continue(())
    }
}
