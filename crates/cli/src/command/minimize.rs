//! `minimize` and `resume`: one run, from its settings to its result.

mod report;
mod slope;

use crate::argument::{self, Bounds};
use crate::exec::{Exec, Kinds};
use crate::journal::Journal;
use crate::live::{self, Budget, Note, Reached, Shared};
use crate::output::{self, number, numbers};
use crate::{DONE, NO_VALUE, interrupt};
use anyhow::bail;
use clap::Args;
use report::Report;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use swarmgrad::combine::ensemble::Ensemble;
use swarmgrad::diff::schedule::Schedule;
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::registry;
use swarmgrad::{
    Algorithm, Checkpoint, Error, Evaluations, Halt, Iterations, Problem, Reason, Rng, Run, Space, Stagnation, Start,
    Tape, Target, Time, Watch, Workers,
};

/// Evaluations a variable where the user sets no limit: of a test problem, and of a user's program, which is slower.
const EVALUATIONS_A_VARIABLE: [u64; 2] = [10_000, 1000];
/// How often a checkpoint is written.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// A checkpoint is taken in memory when this many times its cost has passed since the last.
const SPARE: u32 = 20;

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad minimize rastrigin --dim 20
  swarmgrad minimize rosenbrock --dim 10 -m pso --set particles=60 -n 2e5 --target 1e-8
  swarmgrad minimize ackley --dim 5 --bounds -10:30 --outside reflect --start sobol --seed 7 --json
  swarmgrad minimize --exec 'python3 objective.py' --bounds 0:1,-5:5,0:inf --workers 4
  swarmgrad minimize rosenbrock --dim 30 -m diff_de --gradient-cost 3
  swarmgrad minimize --exec ./simulate --bounds 0:1,0:1 -m diff_ga --gradient least_squares
  swarmgrad minimize rastrigin -d 10 -n 2000 --schedule learned.json
  swarmgrad minimize sphere --dim 3 --record run.jsonl --trace --iterations 20
  swarmgrad minimize levy --dim 50 --evaluations 1e7 --checkpoint levy.swarm
  swarmgrad resume levy.swarm
  swarmgrad minimize himmelblau -m polar_cbo -n 2e5                      (several minima at once)
  swarmgrad minimize rastrigin --dim 10 -m bipop_cma_es --runs 4         (four runs, their points in one batch)

Your own program (--exec) is kept running. For each point it reads one line like {\"x\": [0.5, -1.2]} from its standard \
input, and it answers with one line that holds a number, or {\"value\": number}. In Python:

  import json, sys
  for line in sys.stdin:
      x = json.loads(line)[\"x\"]
      print(sum(t * t for t in x), flush=True)

A program that crashes, does not answer in time, prints something else, more than one line, NaN or infinity loses that one \
point, which counts as a failure; it is then killed with all it started (NaN and infinity excepted) and started again for \
the next point. What it writes to standard error is kept to explain failures. The result does not depend on --workers.

The result goes to standard output, the progress line to standard error. With --json it is one object:
  x, fun, nfev, ngev, cost, nit, success, message, seed, method, params, problem, dim, failures, failure_kinds, seconds, ...
  answer   the method's own answer, which for consensus methods is not the best point
  several  where the aim is more than one point: its kind (minima, samples, runs) and the points, each with x, fun, particles
  status   0 the method ended by itself, 1 evaluations spent, 2 iterations reached, 3 target reached,
           4 stagnation, 5 time over, 6 interrupted
Numbers that JSON lacks are the strings \"nan\", \"inf\", \"-inf\".

Exit code: 0 done; 1 no finite value was found, or the program of --exec is hopeless; 2 wrong usage; 130 interrupted, with \
the result so far printed all the same.";

pub const RESUMING: &str = "\
Examples:
  swarmgrad minimize levy --dim 50 --evaluations 1e7 --checkpoint levy.swarm      (and then ctrl-C, or a kill)
  swarmgrad resume levy.swarm
  swarmgrad resume levy.swarm --evaluations 2e7                                   (a larger budget than before)

All settings come from the file; limits given here replace those of the file. A --record is continued too. With the same \
limits the result is that of an unbroken run, to the last bit, times aside; with --exec, if the program is deterministic.";

/// The settings of a run.
#[derive(Args, Debug, Clone, Serialize, Deserialize)]
pub struct Minimize {
    /// Name of a test problem, see `swarmgrad list problems`
    #[arg(conflicts_with = "exec", required_unless_present = "exec")]
    problem: Option<String>,

    /// Minimise your own program: this command is run by the shell, one JSON line in, one number out per point
    #[arg(short, long, value_name = "COMMAND")]
    exec: Option<String>,

    /// Number of variables [default: 2, the only one a problem allows, or as many as --bounds lists]
    #[arg(short, long, value_name = "D", value_parser = argument::dim, help_heading = "Problem")]
    dim: Option<usize>,

    /// LOWER:UPPER for all variables, or a comma list of one pair a variable; -inf and inf are allowed
    /// [default: the problem's domain]
    #[arg(short, long, value_name = "LO:HI[,LO:HI..]", allow_hyphen_values = true, help_heading = "Problem")]
    bounds: Option<String>,

    /// What becomes of a coordinate that leaves its bounds: clamp, reflect, wrap or resample
    /// [default: what the method prefers: drawn anew, then mirrored by CMA-ES, else clamped]
    #[arg(long, value_name = "RULE", help_heading = "Problem")]
    #[serde(default)]
    outside: Option<String>,

    /// Maximise; values, target and records keep the sign of your problem
    #[arg(long, help_heading = "Problem")]
    maximize: bool,

    /// Two evaluations of a point differ: in the end the ten best points are evaluated ten times each, the one of the lowest
    /// mean ten times more, and the answer is that mean with its interval; these evaluations belong to the budget
    #[arg(long, help_heading = "Problem")]
    #[serde(default)]
    noisy: bool,

    #[command(flatten)]
    method: Method,

    /// Numbers of the method over the course of the run, a file of `swarmgrad learn`. Where --method is not given the method is
    /// the file's, without gradients unless --gradient or --set mode asks for them; a plain method, pso, stands for diff_pso
    #[arg(long, value_name = "FILE", help_heading = "Method")]
    #[serde(default)]
    schedule: Option<PathBuf>,

    /// Where a method that uses gradients has them from: formula, none, differences, proximal, consensus, equivalence,
    /// least_squares, evolution_strategies or spsa [default: for diff_.. the test
    /// problem's formula, if it has one; else none]
    #[arg(long, value_name = "SOURCE", help_heading = "Method")]
    #[serde(default)]
    gradient: Option<String>,

    /// What a value with its gradient by formula costs, in evaluations; --evaluations counts it
    #[arg(long, value_name = "C", value_parser = argument::price, default_value_t = 3.0, help_heading = "Method")]
    #[serde(default = "usual_price")]
    gradient_cost: f64,

    /// Law of the first points: uniform, normal:MEAN:DEVIATION, latin_hypercube or sobol [default: the method's, uniform]
    #[arg(long, value_name = "LAW", allow_hyphen_values = true, conflicts_with = "x0", help_heading = "Method")]
    start: Option<String>,

    /// First points from a file, - for standard input: a JSON array of numbers, an array of such arrays, or text with one
    /// point a line; what is missing to the method's number of points is drawn
    #[arg(long, value_name = "FILE", help_heading = "Method")]
    x0: Option<PathBuf>,

    /// So many independent runs of the method, whose points are evaluated in one batch; the limits are those of all together
    /// (iterations: of each)
    #[arg(long, value_name = "M", value_parser = argument::positive, help_heading = "Method")]
    #[serde(default)]
    runs: Option<u64>,

    /// Seed of all random numbers; equal seeds give equal runs
    #[arg(long, value_name = "K", default_value_t = 0, help_heading = "Method")]
    seed: u64,

    #[command(flatten)]
    limits: Limits,

    /// Threads for a test problem, 0 for one a core; the result does not depend on it [default: 1]
    #[arg(short, long, value_name = "N", value_parser = argument::threads, conflicts_with = "exec", help_heading = "Evaluation")]
    threads: Option<usize>,

    /// Copies of the program of --exec that work at the same time [default: 1]
    #[arg(short, long, value_name = "N", value_parser = argument::copies, help_heading = "Evaluation")]
    workers: Option<usize>,

    /// Seconds the program of --exec may take for a point, its start included where it has to start; then it is killed
    /// and the point fails [default: no limit]
    #[arg(long, value_name = "S", value_parser = argument::seconds, help_heading = "Evaluation")]
    eval_timeout: Option<f64>,

    /// Write the run to a file as JSON lines: settings, every improvement, result
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    record: Option<PathBuf>,

    /// Add to the record the draws and the state of every iteration, from which it can be recomputed
    #[arg(long, requires = "record", help_heading = "Output")]
    trace: bool,

    /// Save the run every 2 seconds and at its end; `swarmgrad resume FILE` continues it to the same result
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    checkpoint: Option<PathBuf>,

    #[command(flatten)]
    #[serde(skip)]
    format: Format,
}

/// A gradient by the reverse mode costs about two evaluations beside the value's own.
fn usual_price() -> f64 {
    3.0
}

/// Which method, and its parameters.
#[derive(Args, Debug, Clone, Serialize, Deserialize)]
pub struct Method {
    /// Name of the method, see `swarmgrad list methods`
    #[arg(short, long, value_name = "NAME", default_value = registry::DEFAULT, help_heading = "Method")]
    pub method: String,

    /// A parameter of the method, as often as needed; `swarmgrad list NAME` shows names, defaults and ranges
    #[arg(short, long, value_name = "KEY=VALUE", help_heading = "Method")]
    pub set: Vec<String>,
}

/// When a run ends: whatever comes first.
#[derive(Args, Debug, Clone, Default, Serialize, Deserialize)]
pub struct Limits {
    /// End after this many evaluations, for example 20000 or 2e4 [default: 10000 a variable, 1000 with --exec, none if
    /// --iterations or --time is given]
    #[arg(short = 'n', long, value_name = "N", value_parser = argument::positive, help_heading = "Limits (the first one reached ends the run)")]
    evaluations: Option<u64>,

    /// End after this many iterations, the first points not counted
    #[arg(long, value_name = "N", value_parser = argument::count, help_heading = "Limits (the first one reached ends the run)")]
    iterations: Option<u64>,

    /// End when a value this good is found
    #[arg(long, value_name = "T", value_parser = argument::number, allow_hyphen_values = true, help_heading = "Limits (the first one reached ends the run)")]
    #[serde(with = "swarmgrad_lab::record::number::option")]
    target: Option<f64>,

    /// End after this many seconds
    #[arg(long, value_name = "S", value_parser = argument::seconds, help_heading = "Limits (the first one reached ends the run)")]
    time: Option<f64>,

    /// End when this many iterations brought no improvement
    #[arg(long, value_name = "N", value_parser = argument::positive, help_heading = "Limits (the first one reached ends the run)")]
    stagnation: Option<u64>,
}

/// How the result is shown.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct Format {
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,

    /// Show no progress line
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// Continues a run from its checkpoint.
#[derive(Args, Debug)]
pub struct Resume {
    /// The file of `minimize --checkpoint`
    file: PathBuf,

    #[command(flatten)]
    limits: Limits,

    /// Threads for a test problem, 0 for one a core [default: as before]
    #[arg(short, long, value_name = "N", value_parser = argument::threads, help_heading = "Evaluation")]
    threads: Option<usize>,

    /// Copies of the program of --exec that work at the same time [default: as before]
    #[arg(short, long, value_name = "N", value_parser = argument::copies, help_heading = "Evaluation")]
    workers: Option<usize>,

    #[command(flatten)]
    format: Format,
}

/// What a checkpoint says about its run, beside the library's own state.
#[derive(Serialize, Deserialize)]
struct About {
    settings: Minimize,
    evaluations: Option<u64>,
    reached: Reached,
    kinds: Kinds,
    record_bytes: u64,
}

impl Minimize {
    /// A new run.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        run(&self.scheduled()?, self.limits.evaluations, None)
    }
}

impl Resume {
    /// The continued run.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let checkpoint = Checkpoint::<f64>::read(&self.file)?;
        let mut about: About = serde_json::from_str(&checkpoint.about)
            .map_err(|why| Error::Saved(format!("{}: {why}", self.file.display())))?;
        let settings = &mut about.settings;
        settings.checkpoint = Some(self.file.clone());
        settings.format = self.format;
        settings.threads = self.threads.or(settings.threads);
        settings.workers = self.workers.or(settings.workers);
        let (new, limits) = (&self.limits, &mut settings.limits);
        limits.iterations = new.iterations.or(limits.iterations);
        limits.target = new.target.or(limits.target);
        limits.time = new.time.or(limits.time);
        limits.stagnation = new.stagnation.or(limits.stagnation);
        let evaluations = new.evaluations.or(about.evaluations);
        let settings = settings.clone();
        run(&settings, evaluations, Some((checkpoint, about)))
    }
}

/// What is minimised.
enum Objective {
    Known(Box<dyn TestProblem>),
    Program(Box<Exec>),
}

impl Objective {
    fn problem(&self) -> &dyn Problem {
        match self {
            Objective::Known(problem) => &**problem,
            Objective::Program(exec) => &**exec,
        }
    }

    fn exec(&self) -> Option<&Exec> {
        match self {
            Objective::Program(exec) => Some(exec),
            Objective::Known(_) => None,
        }
    }

    fn minimum(&self) -> Option<f64> {
        match self {
            Objective::Known(problem) => problem.minimum(),
            Objective::Program(_) => None,
        }
    }
}

/// The problem as the settings declare it: upside down for `--maximize`, its values random for `--noisy`.
struct Declared<'a> {
    problem: &'a dyn Problem,
    negated: bool,
    noisy: bool,
}

impl Problem for Declared<'_> {
    fn space(&self) -> &Space {
        self.problem.space()
    }

    fn value(&self, x: &[f64]) -> f64 {
        let value = self.problem.value(x);
        if self.negated { 0.0 - value } else { value }
    }

    fn values(&self, xs: swarmgrad::Rows<'_>, out: &mut [f64]) {
        self.problem.values(xs, out);
        if self.negated {
            out.iter_mut().for_each(|value| *value = 0.0 - *value);
        }
    }

    fn noisy(&self) -> bool {
        self.noisy
    }
}

impl Minimize {
    /// The space that the settings describe; `None` bounds mean the test problem's own domain.
    fn space(&self) -> swarmgrad::Result<Space> {
        let bounds = self.bounds.as_deref().map(Bounds::parse).transpose()?;
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
                let dim = given.unwrap_or_else(|| if entry.dims.allows(2) { 2 } else { entry.dims.least() });
                // The problem's own space also when there are bounds: it checks the dimension first.
                let space = entry.space(dim)?;
                bounds.map_or(Ok(space), |bounds| bounds.space(dim))?
            }
            (None, Some(bounds)) => {
                let rule = "is needed where --bounds has one pair for all variables";
                bounds.space(given.ok_or_else(|| Error::parameter("--dim", "nothing", rule))?)?
            }
            (None, None) => {
                let rule = "are needed with --exec, for example -5:5, or -inf:inf for none";
                return Err(Error::parameter("--bounds", "nothing", rule));
            }
        };
        match &self.outside {
            None => Ok(space),
            Some(rule) => Ok(space.with_outside(argument::outside(rule)?)),
        }
    }

    /// With the numbers of the schedule's file among the parameters, so that a resumed run does not need it.
    fn scheduled(&self) -> anyhow::Result<Minimize> {
        let mut settings = self.clone();
        let Some(path) = settings.schedule.take() else { return Ok(settings) };
        let schedule = Schedule::load(&path)?;
        let Method { method, set } = &mut settings.method;
        let plain = schedule.method.strip_prefix("diff_") == Some(method);
        if plain || method == registry::DEFAULT {
            let chosen = set.iter().any(|pair| pair.split('=').next().is_some_and(|key| key.trim() == "mode"));
            if !chosen && (plain || settings.gradient.is_none()) {
                set.push("mode=classical".into());
            }
            method.clone_from(&schedule.method);
        }
        set.push(format!("schedule={}", serde_json::to_string(&schedule)?));
        Ok(settings)
    }

    /// The parameters of the method as the registry takes them.
    fn params(&self, space: &Space) -> swarmgrad::Result<Map<String, Value>> {
        let mut params = argument::settings(&self.method.set)?;
        let start = match (&self.start, &self.x0) {
            (Some(law), _) => Some(argument::start(law)?),
            (None, Some(path)) => Some(Start::Points(self.points(path, space)?)),
            (None, None) => None,
        };
        if let Some(start) = start {
            start.check(space)?;
            let value = serde_json::to_value(&start).map_err(|why| Error::parameter("--start", why, "must be JSON"))?;
            if params.insert("start".into(), value).is_some() {
                return Err(Error::parameter("--set", "start", "--start and --x0 set it already"));
            }
        }
        Ok(params)
    }

    fn points(&self, path: &Path, space: &Space) -> swarmgrad::Result<Vec<Vec<f64>>> {
        let points = argument::points(&path.to_string_lossy())?;
        for (i, point) in points.iter().enumerate() {
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
        Ok(points)
    }
}

fn run(
    settings: &Minimize,
    evaluations: Option<u64>,
    resumed: Option<(Checkpoint, About)>,
) -> anyhow::Result<ExitCode> {
    // Usage errors first: nothing is started and no file is touched before all settings are known to be right.
    let limits = &settings.limits;
    if settings.exec.is_none() {
        let given = [("--workers", settings.workers.map(|n| n as f64)), ("--eval-timeout", settings.eval_timeout)];
        if let Some((name, value)) = given.into_iter().find_map(|(name, value)| Some((name, value?))) {
            let rule = "is for the program of --exec; a test problem has --threads";
            return Err(Error::parameter(name, value, rule).into());
        }
    }
    let space = settings.space()?;
    let dim = space.dim();
    let unlimited = evaluations.or(limits.iterations).is_none() && limits.time.is_none();
    let a_variable = EVALUATIONS_A_VARIABLE[usize::from(settings.exec.is_some())];
    let evaluations = evaluations.or_else(|| unlimited.then(|| a_variable.saturating_mul(dim as u64)));
    let entry = registry::entry(&settings.method.method)?;
    // The points of a resumed run are in its state; the file, or standard input, may be gone.
    let without_points = Minimize { x0: settings.x0.clone().filter(|_| resumed.is_none()), ..settings.clone() };
    let params = without_points.params(&space)?;
    let mut algorithm: Box<dyn Algorithm> = match (&resumed, settings.runs) {
        (None, None) => entry.build(&space, evaluations, &params)?,
        (None, Some(runs)) => Box::new(Ensemble::new(entry, runs as usize, &space, evaluations, &params)?),
        (Some((checkpoint, _)), None) => entry.load(&checkpoint.algorithm)?,
        (Some((checkpoint, _)), Some(_)) => Box::new(Ensemble::load(entry, &checkpoint.algorithm)?),
    };
    let stop = interrupt::flag();
    let past = resumed.as_ref().map(|(_, about)| about.reached).unwrap_or_default();
    let time = limits.time.map(|all| Time::from_now(Duration::from_secs_f64((all - past.seconds).max(0.0))));
    let objective = match (&settings.problem, &settings.exec) {
        (Some(name), _) => Objective::Known(problems::entry(name)?.build(dim, Some(space.clone()))?),
        (None, command) => {
            let timeout = settings.eval_timeout.map(Duration::from_secs_f64);
            let exec = Exec::new(command.as_deref().unwrap_or_default(), space.clone(), timeout, stop.clone())?;
            let exec = exec.until(time.and_then(|time| Watch::<f64>::deadline(&time)));
            Objective::Program(Box::new(match &resumed {
                Some((_, about)) => exec.counted(about.kinds),
                None => exec,
            }))
        }
    };
    let workers = Workers::new(settings.workers.or(settings.threads).unwrap_or(1))?;

    let tape = settings.trace.then(|| Arc::new(Mutex::new(Tape::default())));
    let params = all_params(entry, &params);
    let header = header(settings, &space, &params, evaluations, objective.minimum());
    let mut journal = match (&settings.record, &resumed) {
        (None, _) => None,
        (Some(path), None) => Some(Journal::create(path, header, settings.maximize, tape.clone())?),
        (Some(path), Some((_, about))) => {
            let (best, round) = (past.best, past.rounds);
            Some(Journal::resume(path, about.record_bytes, best, round, settings.maximize, tape.clone())?)
        }
    };
    let record_bytes = journal.as_ref().map(Journal::bytes).unwrap_or_default();

    let declared = Declared { problem: objective.problem(), negated: settings.maximize, noisy: settings.noisy };
    let problem: &dyn Problem = if settings.maximize || settings.noisy { &declared } else { objective.problem() };
    let shared: Shared = Arc::new(Mutex::new(past));
    let mut note = Note(shared.clone());
    let mut rules: Vec<Box<dyn Watch>> = Vec::new();
    let target = limits.target.map(|target| if settings.maximize { 0.0 - target } else { target });
    evaluations.into_iter().for_each(|n| rules.push(Box::new(Evaluations(n))));
    limits.iterations.into_iter().for_each(|n| rules.push(Box::new(Iterations(n))));
    target.into_iter().for_each(|target| rules.push(Box::new(Target(target))));
    limits.stagnation.into_iter().for_each(|n| rules.push(Box::new(Stagnation(n))));
    time.into_iter().for_each(|time| rules.push(Box::new(time)));

    let mut rng = Rng::new(settings.seed);
    if let Some(tape) = tape {
        rng = rng.recording(tape);
    }
    if let Some(name) = settings.gradient.as_deref().filter(|name| *name != "none" && !algorithm.expect_gradients()) {
        let rule =
            format!("{} makes no use of gradients with these settings; `list methods` shows diff_..", entry.name);
        return Err(Error::parameter("--gradient", name, rule).into());
    }
    let mut source = slope::source(settings, &objective, problem, &declared, entry.name)?;
    let mut run = Run::new(problem, &mut *algorithm, settings.seed).watch(&mut note).halt(Halt::new(stop.clone()));
    if let Some(source) = &mut source {
        run = run.gradients(&mut **source, settings.gradient_cost);
    }
    for rule in &mut rules {
        run = run.watch(&mut **rule);
    }
    if let Some(journal) = &mut journal {
        run = run.watch(journal);
    }
    let ended = resumed.as_ref().and_then(|_| ended(past, limits, target));
    let mut keeper = Keeper::new(settings, evaluations, &shared, &objective, &record_bytes);
    if let Some((checkpoint, _)) = resumed {
        run = run.resume(checkpoint);
    }
    let mut run = run.rng(rng);

    let budget =
        Budget { evaluations, iterations: limits.iterations, seconds: limits.time, maximize: settings.maximize };
    let quiet = settings.format.quiet || settings.format.json;
    let answered = || past.evaluations + objective.exec().map_or(0, Exec::answered);
    let reason = live::line(quiet, &shared, budget, &answered, || match ended {
        Some(reason) => Ok(reason),
        None => workers.install(|| steps(&mut run, &mut keeper, &stop)),
    })?;
    // On the workers, since a noisy problem's best points are evaluated anew.
    let outcome = workers.install(|| run.outcome(reason));

    if let Some(why) = objective.exec().and_then(Exec::hopeless) {
        bail!(why);
    }
    let report = Report::new(settings, outcome, &space, entry, params, evaluations, &objective);
    if let Some(journal) = &mut journal {
        journal.finish(&serde_json::to_value(&report)?)?;
    }
    match settings.format.json {
        true => output::print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?,
        false => output::print(&report.text(settings, &objective))?,
    }
    Ok(match report.status {
        6 => ExitCode::from(interrupt::EXIT),
        _ if report.finite => ExitCode::from(DONE),
        _ => ExitCode::from(NO_VALUE),
    })
}

/// Rounds until the run ends, with a checkpoint now and then.
fn steps(run: &mut Run<'_>, keeper: &mut Keeper<'_>, stop: &AtomicBool) -> swarmgrad::Result<Reason> {
    loop {
        // Between two rounds the state is whole: the best moment to be interrupted.
        if stop.load(Relaxed) {
            keeper.finish(run, true)?;
            return Ok(Reason::Interrupted);
        }
        let before = live::read(keeper.shared).rounds;
        let verdict = run.step();
        let whole = live::read(keeper.shared).rounds > before;
        if let ControlFlow::Break(reason) = verdict {
            keeper.finish(run, whole)?;
            return Ok(reason);
        }
        keeper.keep(run)?;
    }
}

/// Which limit a resumed run had reached already when it was saved.
fn ended(past: Reached, limits: &Limits, target: Option<f64>) -> Option<Reason> {
    let rules = [
        (limits.iterations.is_some_and(|n| past.iterations >= n), Reason::Iterations),
        (target.is_some_and(|target| past.best <= target), Reason::Target),
        (limits.stagnation.is_some_and(|n| past.iterations >= past.best_iteration + n), Reason::Stagnation),
    ];
    rules.into_iter().find(|(reached, _)| past.rounds > 0 && *reached).map(|(_, reason)| reason)
}

/// Writes the checkpoint file.
struct Keeper<'a> {
    settings: &'a Minimize,
    evaluations: Option<u64>,
    shared: &'a Shared,
    objective: &'a Objective,
    record_bytes: &'a AtomicU64,
    latest: Option<Checkpoint>,
    taken: Option<Instant>,
    cost: Duration,
    written: Option<Instant>,
}

impl<'a> Keeper<'a> {
    fn new(
        settings: &'a Minimize,
        evaluations: Option<u64>,
        shared: &'a Shared,
        objective: &'a Objective,
        record_bytes: &'a AtomicU64,
    ) -> Self {
        let (latest, taken, written) = (None, None, None);
        let cost = Duration::ZERO;
        Keeper { settings, evaluations, shared, objective, record_bytes, latest, taken, cost, written }
    }

    /// After a complete round.
    fn keep(&mut self, run: &Run<'_>) -> swarmgrad::Result<()> {
        if self.settings.checkpoint.is_none() || self.taken.is_some_and(|taken| taken.elapsed() < self.cost * SPARE) {
            return Ok(());
        }
        self.take(run)?;
        if self.written.is_none_or(|written| written.elapsed() >= CHECKPOINT) {
            self.write()?;
        }
        Ok(())
    }

    /// At the end: the state itself if it is `whole`, else the last one that was.
    fn finish(&mut self, run: &Run<'_>, whole: bool) -> swarmgrad::Result<()> {
        if self.settings.checkpoint.is_none() {
            return Ok(());
        }
        if whole {
            self.take(run)?;
        }
        self.write()
    }

    fn take(&mut self, run: &Run<'_>) -> swarmgrad::Result<()> {
        let begin = Instant::now();
        let about = About {
            settings: self.settings.clone(),
            evaluations: self.evaluations,
            reached: *live::read(self.shared),
            kinds: self.objective.exec().map(Exec::kinds).unwrap_or_default(),
            record_bytes: self.record_bytes.load(Relaxed),
        };
        // Plain settings and numbers always serialise.
        let about = serde_json::to_string(&about).unwrap_or_default();
        self.latest = Some(run.checkpoint(&self.settings.method.method, &about)?);
        self.taken = Some(Instant::now());
        self.cost = begin.elapsed();
        Ok(())
    }

    fn write(&mut self) -> swarmgrad::Result<()> {
        if let (Some(path), Some(latest)) = (&self.settings.checkpoint, &self.latest) {
            latest.write(path)?;
            self.written = Some(Instant::now());
        }
        Ok(())
    }
}

fn header(
    settings: &Minimize,
    space: &Space,
    params: &Map<String, Value>,
    evaluations: Option<u64>,
    minimum: Option<f64>,
) -> Value {
    json!({
        "kind": "header", "program": "swarmgrad", "version": env!("CARGO_PKG_VERSION"),
        "method": settings.method.method, "params": params, "runs": settings.runs,
        "problem": settings.problem, "exec": settings.exec, "dim": space.dim(), "seed": settings.seed,
        "lower": numbers(space.lower()), "upper": numbers(space.upper()), "outside": settings.outside,
        "maximize": settings.maximize, "minimum": minimum.map(number), "evaluations": evaluations,
        "iterations": settings.limits.iterations, "target": settings.limits.target.map(number),
        "stagnation": settings.limits.stagnation, "seconds": settings.limits.time,
    })
}

/// All parameters of a method: the given ones, over those of a preset, over the defaults.
pub fn all_params(entry: &registry::Entry, given: &Map<String, Value>) -> Map<String, Value> {
    let mut all: Map<_, _> = entry.parameters().into_iter().map(|p| (p.name.to_owned(), p.default)).collect();
    let preset = given.get("preset").and_then(Value::as_str).unwrap_or_default();
    if let Some((.., text)) = entry.presets.iter().find(|(name, ..)| *name == preset) {
        all.extend(serde_json::from_str::<Map<_, _>>(text).unwrap_or_default());
    }
    all.extend(given.clone());
    all
}
