//! `minimize` and `resume`: one run, from its settings to its result.

mod report;

use crate::argument;
use crate::live::{self, Budget, Note, Shared};
use crate::output::Form;
use crate::{interrupt, output};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swarmgrad::registry;
use swarmgrad::study::journal::Header;
use swarmgrad::study::{self, Execution, Front, Plan, Program, Report, Saved, Study, Verdict};
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

    /// Minimise your own program: this command is run by the shell, one JSON line in, one number out per point; or, with
    /// placeholders such as {0} or {x}, once a point
    #[arg(short, long, value_name = "COMMAND")]
    exec: Option<String>,

    /// Everything that is not given here from a file, TOML or JSON, as --print-study writes it
    #[arg(long, value_name = "FILE")]
    study: Option<PathBuf>,

    /// Number of variables [default: 2, the only one a problem allows, or as many as --bounds lists]
    #[arg(short, long, value_name = "D", value_parser = argument::dim, help_heading = "Problem")]
    dim: Option<usize>,

    /// LOWER:UPPER for all variables, or a comma list of one pair a variable; -inf and inf are allowed. With names, as in
    /// lr=1e-5:1,momentum=0:1, a program gets {"x": {"lr": .., "momentum": ..}}, and records and results have them. Or a file
    /// that says so: .csv (name,lower,upper), .toml or .json (name = [lower, upper])
    /// [default: the problem's domain]
    #[arg(short, long, value_name = "LO:HI[,LO:HI..]", allow_hyphen_values = true, help_heading = "Problem")]
    bounds: Option<String>,

    /// A typed variable, as often as needed: lr=log:1e-5:1, layers=int:1:8, width=int:16:256:16, act=choice:relu,tanh,
    /// size=ordered:s,m,l, bias=flag, x=-5:5, seed=3 (fixed). Programs, records and results have its values by name, and no
    /// values are evaluated twice
    #[arg(long = "var", value_name = "NAME=KIND", conflicts_with = "bounds", help_heading = "Problem")]
    variables: Vec<String>,

    /// A constraint, as often as needed: 'x0 + x1 <= 1', 'lr * layers >= 0.1', 'balance = 0', '0 <= a - b <= 2', over the names of the
    /// variables or x0, x1, ..; a name in front, 'mass: a * b <= 3', is shown. In those of a program other names are values that it
    /// answers with: {"value": 1.5, "c": {"balance": 0.1}}
    #[arg(long = "constraint", value_name = "TEXT", allow_hyphen_values = true, help_heading = "Problem")]
    constraints: Vec<String>,

    /// How far constraints may be missed [default: 1e-6, and 1e-4 for equations]
    #[arg(long, value_name = "T", help_heading = "Problem")]
    constraint_tolerance: Option<f64>,

    /// The program answers with residuals, {"r": [0.1, -0.2]}: a fit, whose value is the sum of their squares. The result has the
    /// errors of the variables
    #[arg(long, help_heading = "Problem")]
    residuals: bool,

    /// A loss of residuals that outliers spoil less than squares: soft_l1, huber, cauchy or arctan, with the size from which a residual
    /// is an outlier behind it, huber:0.5
    #[arg(long, value_name = "LOSS", help_heading = "Problem")]
    loss: Option<String>,

    /// The program answers with several objectives of these names, {"f": {"cost": 1, "mass": 2}} or {"f": [1, 2]}
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Problem")]
    objectives: Vec<String>,

    /// What becomes of a coordinate that leaves its bounds: clamp, reflect, wrap or resample
    /// [default: what the method prefers: drawn anew, then mirrored by CMA-ES, else clamped]
    #[arg(long, value_name = "RULE", help_heading = "Problem")]
    outside: Option<String>,

    /// Maximise; values, target and records keep the sign of your problem
    #[arg(long, help_heading = "Problem")]
    maximize: bool,

    /// Two evaluations of a point differ: in the end the ten best points are evaluated ten times each, the one of the lowest
    /// mean ten times more, and the answer is that mean with its interval; these evaluations belong to the budget
    #[arg(long, help_heading = "Problem")]
    noisy: bool,

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

    /// Law of the first points: uniform, normal:MEAN:DEVIATION, latin_hypercube or sobol [default: the method's, uniform]
    #[arg(long, value_name = "LAW", allow_hyphen_values = true, conflicts_with = "x0", help_heading = "Method")]
    start: Option<String>,

    /// First points: one as 0.1,-0.2, or a file, - for standard input: a JSON array of numbers, an array of such arrays, text with one
    /// point a line, or the file of a --record, whose values are believed and not paid for again; what is missing to the
    /// method's number of points is drawn
    #[arg(long, value_name = "POINT|FILE", allow_hyphen_values = true, help_heading = "Method")]
    x0: Option<PathBuf>,

    /// So many independent runs of the method, whose points are evaluated in one batch; the limits are those of all together
    /// (iterations: of each)
    #[arg(long, value_name = "M", value_parser = argument::size, help_heading = "Method")]
    runs: Option<usize>,

    /// Seed of all random numbers; equal seeds give equal runs [default: 0]
    #[arg(long, value_name = "K", help_heading = "Method")]
    seed: Option<u64>,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    means: Means,

    /// How the program of --exec is told a point: json, an object a line, or plain, its numbers [default: json]
    #[arg(long, value_name = "FORM", requires = "exec", help_heading = "Evaluation")]
    input: Option<String>,

    /// Where the answer of a command with placeholders is read: out, the file of its {out}, or another file
    /// [default: its standard output]
    #[arg(long, value_name = "FILE", requires = "exec", help_heading = "Evaluation")]
    read: Option<String>,

    /// Points that methods like auto ask for at a time; the result depends on it, and it stays what it was when a run is
    /// continued [default: --workers]
    #[arg(long, value_name = "N", value_parser = argument::size, help_heading = "Evaluation")]
    batch: Option<usize>,

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

/// What evaluates: nothing of it changes the result.
#[derive(Args, Debug)]
struct Means {
    /// Threads for a test problem, 0 for one a core; the result does not depend on it [default: 1]
    #[arg(short, long, value_name = "N", value_parser = argument::threads, help_heading = "Evaluation")]
    threads: Option<usize>,

    /// Copies of the program of --exec that work at the same time [default: 1]
    #[arg(short, long, value_name = "N", value_parser = argument::copies, help_heading = "Evaluation")]
    workers: Option<usize>,

    /// Run the copies on other hosts: a file with a command a line that a command is given to, such as `ssh node7`
    #[arg(long, value_name = "FILE", help_heading = "Evaluation")]
    exec_on: Option<PathBuf>,

    /// Seconds the program of --exec may take for a point, its start included where it has to start; then it is killed
    /// and the point fails [default: a day, and once ten points are there 100 times the median of what they took, at least an hour]
    #[arg(long, value_name = "S", value_parser = argument::seconds, help_heading = "Evaluation")]
    eval_timeout: Option<f64>,

    /// End the run after so many failures of the program of --exec in a row [default: 10 before its first answer, later no limit]
    #[arg(long, value_name = "N", value_parser = argument::positive, help_heading = "Evaluation")]
    max_failures: Option<u64>,
}

impl Means {
    /// What belongs to the program goes to the study; an error where there is none.
    fn apply(&self, study: &mut Study) -> swarmgrad::Result<()> {
        let program = study.program.as_mut();
        let given = [
            ("--workers", self.workers.map(|n| n.to_string()), program.is_none()),
            ("--exec-on", self.exec_on.as_ref().map(|path| path.display().to_string()), program.is_none()),
            ("--eval-timeout", self.eval_timeout.map(|s| s.to_string()), program.is_none()),
            ("--max-failures", self.max_failures.map(|n| n.to_string()), program.is_none()),
            ("--threads", self.threads.map(|n| n.to_string()), program.is_some()),
        ];
        let wrong =
            given.into_iter().find_map(|(name, value, wrong)| value.filter(|_| wrong).map(|value| (name, value)));
        if let Some((name, value)) = wrong {
            let rule = match name {
                "--threads" => "is for a test problem; a program of --exec has --workers",
                _ => "is for the program of --exec; a test problem has --threads",
            };
            return Err(Error::parameter(name, value, rule));
        }
        if let Some(program) = program {
            program.timeout = self.eval_timeout.or(program.timeout);
            program.max_failures = self.max_failures.or(program.max_failures);
        }
        Ok(())
    }

    fn workers(&self) -> usize {
        self.workers.or(self.threads).unwrap_or(1)
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

    #[command(flatten)]
    means: Means,

    /// The program to be run: the command that the file holds
    #[arg(short, long, value_name = "COMMAND", help_heading = "Evaluation")]
    exec: Option<String>,

    /// Run the command that the file holds, whatever it is
    #[arg(long, help_heading = "Evaluation")]
    trust: bool,

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
        if let Some(path) = &self.plot {
            Form::of("--plot", path, &Form::ALL)?;
            swarmgrad::state::check_writable(path)?;
        }
        let execution = Execution {
            workers: self.means.workers(),
            hosts: self.means.exec_on.clone(),
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
        let mut study = self.study.as_deref().map(Study::read).transpose()?.unwrap_or_default();
        if let Some(problem) = &self.problem {
            (study.problem, study.program) = (Some(problem.clone()), None);
        }
        if let Some(command) = &self.exec {
            study.problem = None;
            study.program = Some(Program { command: command.clone(), ..study.program.unwrap_or_default() });
        }
        if let Some(program) = &mut study.program {
            program.input = self.input.clone().or(program.input.take());
            program.read = self.read.clone().or(program.read.take());
        }
        study.dim = self.dim.or(study.dim);
        let bounds = self.bounds.as_deref().map(study::space::bounds_text).transpose()?;
        study.bounds = bounds.or(study.bounds);
        if !self.constraints.is_empty() {
            study.constraints.clone_from(&self.constraints);
        }
        study.constraint_tolerance = self.constraint_tolerance.or(study.constraint_tolerance);
        study.residuals |= self.residuals;
        study.loss = self.loss.clone().or(study.loss);
        if !self.objectives.is_empty() {
            study.objectives.clone_from(&self.objectives);
        }
        if !self.variables.is_empty() {
            study.variables.clone_from(&self.variables);
            study.bounds = None;
        } else if self.bounds.is_some() {
            study.variables.clear();
        }
        study.outside = self.outside.clone().or(study.outside);
        study.maximize |= self.maximize;
        study.noisy |= self.noisy;
        study.method = self.method.clone().unwrap_or(study.method);
        for (key, value) in settings::pairs(&self.set)? {
            study.set.insert(key, value);
        }
        study.gradient = self.gradient.clone().or(study.gradient);
        study.gradient_cost = self.gradient_cost.unwrap_or(study.gradient_cost);
        study.start = self.start.clone().or(study.start);
        study.runs = self.runs.or(study.runs);
        study.seed = self.seed.unwrap_or(study.seed);
        study.evaluations = self.limits.evaluations.or(study.evaluations);
        self.limits.apply(&mut study);
        self.means.apply(&mut study)?;
        study.batch = self.batch.or(study.batch).or(self.means.workers.filter(|workers| *workers > 1));
        study.quorum = self.quorum.or(study.quorum);
        if let Some(path) = &self.x0 {
            (study.x0, study.y0) = match study.variables.is_empty() || study::space::is_record(path) {
                true => study::space::known_points(path, study.maximize)?,
                false => (study::space::typed_points(path, &study.space()?)?, Vec::new()),
            };
        }
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
        self.means.apply(study)?;
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
        let execution = Execution {
            workers: self.means.workers(),
            hosts: self.means.exec_on.clone(),
            record: saved.record,
            improvements: saved.improvements,
            trace: saved.trace,
            checkpoint: saved.checkpoint,
            ..Execution::default()
        };
        run(saved.study.plan()?, execution, self.format, None)
    }
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
