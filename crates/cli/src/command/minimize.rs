//! `minimize` and `resume`: one run, from its settings to its result.

mod report;

use crate::argument;
use crate::command::posed::{Means, Posed};
use crate::live::{self, Budget, Note, Shared};
use crate::output::Form;
use crate::{interrupt, output};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swarmgrad::registry;
use swarmgrad::study::journal::Header;
use swarmgrad::study::{self, Execution, Front, Plan, Report, Saved, Study, Verdict};
use swarmgrad::{Error, Halt, Watch, settings};
use swarmgrad_lab::plot::front;
use swarmgrad_lab::recorded::{Recorded, Recorder};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad minimize rastrigin --dim 20
  swarmgrad minimize rosenbrock --dim 10 -m pso --set particles=60 -n 2e5 --target 1e-8
  swarmgrad minimize ackley --dim 5 --bounds -10:30 --outside reflect --start sobol --seed 7 --json
  swarmgrad minimize --exec 'python3 objective.py' --bounds 0:1,-5:5,0:inf --workers 4
  swarmgrad minimize rosenbrock --dim 30 -m diff_de --gradient-cost 3
  swarmgrad minimize --exec 'python3 train.py' --var lr=log:1e-5:1 --var layers=int:1:8 --var act=choice:relu,tanh
  swarmgrad minimize --exec ./simulate --bounds 0:1,0:1 -m diff_ga --gradient least_squares
  swarmgrad minimize --exec ./beam --bounds h=0.1:2,l=0.1:10 --constraint 'h * l <= 8' --constraint 'stress <= 13600'
  swarmgrad minimize rastrigin -d 10 -n 2000 --schedule learned.json
  swarmgrad minimize levy --dim 50 --evaluations 1e7 --record levy.jsonl     (the same command again continues after a kill)
  swarmgrad minimize --study run.toml                                        (everything from a file; --print-study writes one)
  swarmgrad minimize --exec './sim --x {0} --y {1} --out {out}' --read out --bounds 0:1,0:1 -w 8 --quorum 0.75
  swarmgrad minimize rosenbrock --x0 run.jsonl                               (begins with all points that a record knows)
  swarmgrad minimize himmelblau -m polar_cbo -n 2e5                      (several minima at once)
  swarmgrad minimize zdt1 --plot front.png                               (several objectives: a front)
  swarmgrad minimize rosenbrock -d 5 --plot run.html                     (a page of the run: curves, variables, points)
  swarmgrad minimize rastrigin --dim 10 -m bipop_cma_es --runs 4         (four runs, their points in one batch)

Your own program (--exec) is kept running. For each point it reads one line like {\"x\": [0.5, -1.2]} from its standard \
input, and it answers with one line that holds a number, or {\"value\": number}. In Python:

  import json, sys
  for line in sys.stdin:
      x = json.loads(line)[\"x\"]
      print(sum(t * t for t in x), flush=True)

A program that crashes, does not answer in time, prints something else, more than one line, NaN or infinity loses that one \
point, which counts as a failure; it is then killed with all it started (NaN and infinity excepted) and started again for \
the next point. What it writes to standard error is kept to explain failures. It may say itself why a point has no value: \
{\"error\": \"the mesh failed\"}. A program that answers once and ends is started for each point, and so is a command with \
placeholders: {0}, {1}, .. the variables, {x} all of them, {in} a file with the point as JSON, {out} a file for --read, {id} and \
{worker} numbers. Each copy finds SWARMGRAD_WORKER, SWARMGRAD_EVALUATION and SWARMGRAD_SCRATCH, a folder of its own, in its \
environment.

Every evaluation of a program is on disk before its value is used, in the file of --record or in one named after the run. The same \
command again continues where the last one ended, and evaluates only what is missing. The result does not depend on --workers, \
but by --batch, the number of points that methods like auto ask for at a time, which is --workers where it is not given.

The result goes to standard output, the progress line to standard error. With --json it is one object:
  x, fun, nfev, ngev, cost, nit, success, message, seed, method, params, problem, dim, failures, failure_kinds, seconds, ...
  answer   the method's own answer, which for consensus methods is not the best point
  several  where the aim is more than one point: its kind (minima, samples, runs) and the points, each with x, fun, particles;
           of several objectives the front: hypervolume, reference_point, and points with x and f
  status   0 the method ended by itself, 1 evaluations spent, 2 iterations reached, 3 target reached,
           4 stagnation, 5 time over, 6 interrupted, 7 the program failed
Numbers that JSON lacks are the strings \"nan\", \"inf\", \"-inf\".

Exit code: 0 done; 1 no finite value was found, or none at a feasible point; 2 wrong usage; 3 done, but not everything could be kept on \
disk; 4 the program failed for good or in more than half of its evaluations; 130 interrupted, with the result so far printed all the same.";

pub const RESUMING: &str = "\
Examples:
  swarmgrad minimize levy --dim 50 --evaluations 1e7 --record levy.jsonl          (and then ctrl-C, or a kill)
  swarmgrad resume levy.jsonl
  swarmgrad resume levy.jsonl --evaluations 2e7                                   (a larger budget than before)

The file is that of `minimize --record` or of --checkpoint. All settings come from it; limits given here replace those of the file. \
With the same limits the result is that of an unbroken run, to the last bit, times aside; with --exec, if the program is \
deterministic. The command of a program comes from the file too: it is shown, and run only if it is given here again with --exec or \
if --trust says so.";

/// The settings of a run.
#[derive(Args, Debug)]
pub struct Minimize {
    /// Name of a test problem, see `swarmgrad list problems`
    #[arg(conflicts_with = "exec")]
    problem: Option<String>,

    #[command(flatten)]
    posed: Posed,

    /// Number of variables [default: 2, the only one a problem allows, or as many as --bounds lists]
    #[arg(short, long, value_name = "D", value_parser = argument::dim, help_heading = "Problem")]
    dim: Option<usize>,

    /// The program answers with several objectives of these names, {"f": {"cost": 1, "mass": 2}} or {"f": [1, 2]}
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Problem")]
    objectives: Vec<String>,

    /// The method, see `swarmgrad list methods`, with parameters if you like: 'pso(particles=60)' [default: auto]
    #[arg(short, long, value_name = "NAME", help_heading = "Method")]
    method: Option<String>,

    /// A parameter of the method, as often as needed; `swarmgrad list NAME` shows names, defaults and ranges
    #[arg(short, long, value_name = "KEY=VALUE", help_heading = "Method")]
    set: Vec<String>,

    /// Numbers of the method over the course of the run, a file of `swarmgrad learn`. Where --method is not given the method is
    /// the file's, without gradients unless --gradient or --set mode asks for them; a plain method, pso, stands for diff_pso
    #[arg(long, value_name = "FILE", help_heading = "Method")]
    schedule: Option<PathBuf>,

    #[arg(long, value_name = "SOURCE", help = gradient_help(), help_heading = "Method")]
    gradient: Option<String>,

    /// What a value with its gradient by formula costs, in evaluations; --evaluations counts it [default: 3]
    #[arg(long, value_name = "C", value_parser = argument::price, help_heading = "Method")]
    gradient_cost: Option<f64>,

    /// So many independent runs of the method, whose points are evaluated in one batch; the limits are those of all together
    /// (iterations: of each)
    #[arg(long, value_name = "M", value_parser = argument::size, help_heading = "Method")]
    runs: Option<usize>,

    /// Seed of all random numbers; equal seeds give equal runs [default: 0]
    #[arg(long, value_name = "K", help_heading = "Method")]
    seed: Option<u64>,

    #[command(flatten)]
    limits: Limits,

    /// Threads for a test problem, 0 for one a core; the result does not depend on it [default: 1]
    #[arg(short, long, value_name = "N", value_parser = argument::threads, help_heading = "Evaluation")]
    threads: Option<usize>,

    #[command(flatten)]
    means: Means,

    /// Go on when this share of a round's points is there: above 0, at most 1. Late points count as failed for the method; when
    /// their values come they may still become the best. The next points go to the copies that are free [default: 1]
    #[arg(long, value_name = "SHARE", help_heading = "Evaluation")]
    quorum: Option<f64>,

    /// Write every evaluation to a file before its value is used, as JSON lines with checksums; the same command again continues
    /// where the file ends [default: with --exec a file named after the run, else none]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    record: Option<PathBuf>,

    /// Write settings, every improvement and the result to a file, as JSON lines
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    record_best: Option<PathBuf>,

    /// Add to --record-best the draws and the state of every iteration, from which the run can be recomputed
    #[arg(long, requires = "record_best", help_heading = "Output")]
    trace: bool,

    /// Save the method's state every 2 seconds and at its end; the same command again, or `swarmgrad resume FILE`, continues
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    checkpoint: Option<PathBuf>,

    /// Begin anew where --record or --checkpoint hold a run already; the old file is kept under another name
    #[arg(long, help_heading = "Output")]
    overwrite: bool,

    /// Draw the run at its end as `swarmgrad plot` does: a page, .html, or a picture, .svg or .png. Of several objectives a picture shows
    /// the front; more than two are lines over parallel coordinates
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    plot: Option<PathBuf>,

    /// Estimate how far the variables may be off, from a quadratic through evaluated points around the best one. What the value is says what
    /// a rise of it means: =likelihood, a -log likelihood; =squares:N, a sum of squares of N residuals
    /// [default where it is given: likelihood, and with --residuals squares]
    #[arg(long, value_name = "MEANING", num_args = 0..=1, require_equals = true, default_missing_value = "",
          help_heading = "Output")]
    uncertainty: Option<String>,

    /// Print the settings as the file of a --study, and run nothing
    #[arg(long, help_heading = "Output")]
    print_study: bool,

    #[command(flatten)]
    format: Format,
}

fn gradient_help() -> String {
    let names: Vec<_> = study::gradients::names().collect();
    format!(
        "Where a method that uses gradients has them from: {} [default: for diff_.. the test problem's formula, if it has one; \
         else none]",
        names.join(", ")
    )
}

/// Which method, and its parameters.
#[derive(Args, Debug)]
pub struct Method {
    /// Name of the method, see `swarmgrad list methods`, with parameters if you like: 'pso(particles=60)'
    #[arg(short, long, value_name = "NAME", default_value = registry::DEFAULT, help_heading = "Method")]
    pub method: String,

    /// A parameter of the method, as often as needed; `swarmgrad list NAME` shows names, defaults and ranges
    #[arg(short, long, value_name = "KEY=VALUE", help_heading = "Method")]
    pub set: Vec<String>,
}

impl Method {
    /// The method and its settings.
    pub fn read(&self) -> swarmgrad::Result<(&'static registry::Entry, registry::Settings)> {
        registry::parse_with(&self.method, &settings::pairs(&self.set)?)
    }
}

const LIMITS: &str = "Limits (the first one reached ends the run)";

/// When a run ends: whatever comes first.
#[derive(Args, Debug)]
pub struct Limits {
    /// End after this many evaluations, for example 20000 or 2e4 [default: 10000 a variable, 1000 with --exec, none if
    /// --iterations or --time is given]
    #[arg(short = 'n', long, value_name = "N", value_parser = argument::positive, help_heading = LIMITS)]
    evaluations: Option<u64>,

    /// End after this many iterations, the first points not counted
    #[arg(long, value_name = "N", value_parser = argument::count, help_heading = LIMITS)]
    iterations: Option<u64>,

    /// End when a value this good is found
    #[arg(long, value_name = "T", value_parser = argument::number, allow_hyphen_values = true, help_heading = LIMITS)]
    target: Option<f64>,

    /// End after this many seconds, or 90s, 10m, 2h
    #[arg(long, value_name = "S", value_parser = argument::seconds, help_heading = LIMITS)]
    time: Option<f64>,

    /// End when this many evaluations brought no improvement
    #[arg(long, value_name = "N", value_parser = argument::positive, help_heading = LIMITS)]
    patience: Option<u64>,

    /// An improvement counts when it is more than this share of the best value; without --patience: 100 (d + 5) evaluations
    #[arg(long, value_name = "SHARE", value_parser = argument::share, help_heading = LIMITS)]
    tolerance: Option<f64>,
}

impl Limits {
    /// Those that are given replace those of the study; the budget apart.
    fn apply(&self, study: &mut Study) {
        study.iterations = self.iterations.or(study.iterations);
        study.target = self.target.or(study.target);
        study.time = self.time.or(study.time);
        study.patience = self.patience.or(study.patience);
        study.tolerance = self.tolerance.or(study.tolerance);
    }
}

/// How the result is shown.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct Format {
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,

    /// Show no progress
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// Continues a run from its file.
#[derive(Args, Debug)]
pub struct Resume {
    /// The file of `minimize --record` or `--checkpoint`
    file: PathBuf,

    #[command(flatten)]
    limits: Limits,

    /// Threads for a test problem, 0 for one a core; the result does not depend on it [default: 1]
    #[arg(short, long, value_name = "N", value_parser = argument::threads, help_heading = "Evaluation")]
    threads: Option<usize>,

    #[command(flatten)]
    means: Means,

    /// The program to be run: the command that the file holds
    #[arg(short, long, value_name = "COMMAND", help_heading = "Evaluation")]
    exec: Option<String>,

    /// Run the command that the file holds, whatever it is
    #[arg(long, help_heading = "Evaluation")]
    trust: bool,

    /// Draw the whole run at its end as `minimize --plot` does: .html, .svg or .png
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    plot: Option<PathBuf>,

    /// Estimate how far the variables may be off, from a quadratic through evaluated points around the best one. What the value is says what
    /// a rise of it means: =likelihood, a -log likelihood; =squares:N, a sum of squares of N residuals
    /// [default where it is given: likelihood, and with --residuals squares]
    #[arg(long, value_name = "MEANING", num_args = 0..=1, require_equals = true, default_missing_value = "",
          help_heading = "Output")]
    uncertainty: Option<String>,

    #[command(flatten)]
    format: Format,
}

impl Minimize {
    /// A new run, or the same one again.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let study = self.study()?;
        if self.print_study {
            output::print_exact(&study.to_toml()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let plan = study.plan()?;
        check_plot(self.plot.as_deref())?;
        let execution = Execution {
            uncertainty: self.uncertainty.as_deref().map(|text| plan.meaning(text)).transpose()?,
            workers: self.means.workers(self.threads),
            hosts: self.means.hosts(),
            record: self.record.clone(),
            name_record: self.record.is_none(),
            improvements: self.record_best.clone(),
            trace: self.trace,
            checkpoint: self.checkpoint.clone(),
            overwrite: self.overwrite,
            ..Execution::default()
        };
        run(plan, execution, self.format, self.plot.as_deref())
    }

    /// The study that the command line describes.
    fn study(&self) -> swarmgrad::Result<Study> {
        let mut study = self.posed.study(self.problem.as_deref(), self.dim)?;
        if !self.objectives.is_empty() {
            study.objectives.clone_from(&self.objectives);
        }
        study.method = self.method.clone().unwrap_or(study.method);
        for (key, value) in settings::pairs(&self.set)? {
            study.set.insert(key, value);
        }
        study.gradient = self.gradient.clone().or(study.gradient);
        study.gradient_cost = self.gradient_cost.unwrap_or(study.gradient_cost);
        study.runs = self.runs.or(study.runs);
        study.seed = self.seed.unwrap_or(study.seed);
        study.evaluations = self.limits.evaluations.or(study.evaluations);
        self.limits.apply(&mut study);
        self.means.apply(&mut study, self.threads)?;
        study.batch = study.batch.or(self.means.copies().filter(|workers| *workers > 1));
        study.quorum = self.quorum.or(study.quorum);
        if let Some(path) = &self.schedule {
            study.schedule(path)?;
        }
        Ok(study)
    }
}

impl Resume {
    /// The continued run.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let mut saved = Saved::read(&self.file)?;
        if let Some(evaluations) = self.limits.evaluations {
            saved = saved.with_budget(evaluations)?;
        }
        let study = &mut saved.study;
        self.limits.apply(study);
        self.means.apply(study, self.threads)?;
        if let (Some(program), Some(command)) = (&mut study.program, &self.exec)
            && program.function.take().is_some()
        {
            // Begun by a function of another language.
            program.command.clone_from(command);
        }
        match (&study.program, &self.exec) {
            (None, Some(command)) => {
                return Err(Error::parameter("--exec", command, "the file holds a run of a test problem").into());
            }
            (Some(program), Some(command)) if program.command != *command => {
                let rule = format!("the file holds another command: {}", program.command);
                return Err(Error::parameter("--exec", command, rule).into());
            }
            (Some(program), None) if !self.trust => {
                let rule = format!(
                    "holds this command, which is run only if you say so:\n\n    {}\n\nGive it again with --exec, or --trust the file",
                    program.command
                );
                return Err(Error::File { path: self.file.display().to_string(), why: rule }.into());
            }
            _ => {}
        }
        check_plot(self.plot.as_deref())?;
        let plan = saved.study.plan()?;
        let execution = Execution {
            uncertainty: self.uncertainty.as_deref().map(|text| plan.meaning(text)).transpose()?,
            workers: self.means.workers(self.threads),
            hosts: self.means.hosts(),
            record: saved.record,
            improvements: saved.improvements,
            trace: saved.trace,
            checkpoint: saved.checkpoint,
            ..Execution::default()
        };
        run(plan, execution, self.format, self.plot.as_deref())
    }
}

/// Checks a picture's name before anything runs.
fn check_plot(plot: Option<&Path>) -> swarmgrad::Result<()> {
    let Some(path) = plot else { return Ok(()) };
    Form::of("--plot", path, &Form::ALL)?;
    swarmgrad::state::check_writable(path)
}

/// Carries the plan out, with a line of progress, and prints what came of it.
fn run(plan: Plan, execution: Execution<'_>, format: Format, plot: Option<&Path>) -> anyhow::Result<ExitCode> {
    let (study, shared) = (&plan.study, Shared::default());
    let budget = Budget {
        evaluations: plan.budget,
        iterations: study.iterations,
        seconds: study.time,
        maximize: study.maximize,
    };
    let quiet = format.quiet || format.json;
    let say = Box::new(live::say);
    let recorder = plot.map(|_| recorder(&plan)).transpose()?;
    let mut watchers: Vec<Box<dyn Watch>> =
        vec![Box::new(Note { shared: shared.clone(), single: study.program.is_some() })];
    watchers.extend(recorder.iter().map(|recorder| Box::new(recorder.clone()) as Box<dyn Watch>));
    let execution = Execution { halt: Halt::new(interrupt::flag()), watchers, say, ..execution };
    let report = live::line(quiet, &shared, budget, || plan.run(execution))?;
    let verdict = report.verdict();
    // Nothing came of it: why is all there is to say.
    if verdict == Verdict::Failed && !report.outcome.fun.is_finite() {
        note!("swarmgrad: {}", report.outcome.reason);
        return Ok(ExitCode::from(verdict as u8));
    }
    match format.json {
        true => output::print_exact(&format!("{}\n", serde_json::to_string_pretty(&report)?))?,
        false => output::print(&report::text(&report))?,
    }
    report.trouble.iter().for_each(|trouble| note!("swarmgrad: not kept: {trouble}"));
    if let (Some(path), Some(recorder)) = (plot, recorder) {
        // The result has been printed: a disk that is full does not hide it.
        if let Err(why) = draw(path, &report, recorder.seen()) {
            note!("swarmgrad: not drawn: {}: {why:#}", path.display());
            return Ok(ExitCode::from(Verdict::NotKept as u8));
        }
        if !format.json {
            output::print(&format!("Drawn: {}\n", path.display()))?;
        }
    }
    Ok(ExitCode::from(verdict as u8))
}

/// Sees the evaluations of a run that is to be drawn, whether or not they are recorded.
fn recorder(plan: &Plan) -> anyhow::Result<Recorder> {
    let header = Header::new(serde_json::to_value(&plan.study)?);
    let header = header.names(plan.names.clone()).maximize(plan.study.maximize);
    Ok(Recorder::new("none: without --record", &header))
}

/// Draws the run, or as a picture of several objectives the front that was found.
fn draw(path: &Path, report: &Report, mut run: Recorded) -> anyhow::Result<()> {
    let form = Form::of("--plot", path, &Form::ALL)?;
    match report.front().filter(|_| form != Form::Html) {
        Some(found) => draw_front(path, report, &found),
        None => {
            if let Some(kept) = &report.kept {
                run.name = kept.display().to_string();
            }
            run.results = vec![serde_json::to_value(report)?];
            output::write_runs(path, form, &[run])
        }
    }
}

/// Draws the front that was found.
fn draw_front(path: &Path, report: &Report, found: &Front) -> anyhow::Result<()> {
    let points = report.outcome.solutions.iter().flat_map(|solutions| &solutions.points);
    let points: Vec<Vec<f64>> = points.map(|point| point.parts.clone()).collect();
    let (study, method) = (&report.plan.study, report.plan.entry.name);
    let problem = study.problem.as_deref().unwrap_or("the front");
    let title = format!("{problem}: {} points after {} evaluations", points.len(), report.outcome.nfev);
    output::write_picture(path, front(title, &found.objectives, &[(method.to_owned(), points)]).svg())
}
