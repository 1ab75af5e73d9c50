//! What is minimised, and what evaluates it: the options that `minimize`, `compare`, `animate` and `learn` share.

use crate::argument;
use clap::Args;
use std::path::PathBuf;
use swarmgrad::Error;
use swarmgrad::study::{self, Program, Study};

/// The problem beside its name and its number of variables.
#[derive(Args, Debug)]
pub struct Posed {
    /// Your own program in place of a test problem: this command is run by the shell, one JSON line in, one number out per point; or, with
    /// placeholders such as {0} or {x}, once a point
    #[arg(short, long, value_name = "COMMAND", help_heading = "Problem")]
    exec: Option<String>,

    /// Everything that is not given here from a file, TOML or JSON, as --print-study writes it
    #[arg(long, value_name = "FILE", help_heading = "Problem")]
    study: Option<PathBuf>,

    /// LOWER:UPPER for all variables, or a comma list of one pair a variable; -inf and inf are allowed. With names, as in
    /// lr=1e-5:1,momentum=0:1, a program gets {"x": {"lr": .., "momentum": ..}}, and records and results have them. Or a file
    /// that says so: .csv (name,lower,upper), .toml or .json (name = [lower, upper])
    /// [default: the problem's domain]
    #[arg(short, long, value_name = "LO:HI[,LO:HI..]", allow_hyphen_values = true, help_heading = "Problem")]
    bounds: Option<String>,

    /// A typed variable, as often as needed: lr=log:1e-5:1, layers=int:1:8, width=int:16:256:16, act=choice:relu,tanh,
    /// size=ordered:s,m,l, bias=flag, mix=simplex:3 (shares mix0, mix1, mix2 with the sum 1), t=sorted:0:24:2 (t0 not above t1),
    /// x=-5:5, seed=3 (fixed). Programs, records and results have its values by name, and no
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

    /// Law of the first points: uniform, normal:MEAN:DEVIATION, latin_hypercube or sobol [default: the method's, uniform]
    #[arg(long, value_name = "LAW", allow_hyphen_values = true, conflicts_with = "x0", help_heading = "Method")]
    start: Option<String>,

    /// First points: one as 0.1,-0.2, or a file, - for standard input: a JSON array of numbers, an array of such arrays, text with one
    /// point a line, or the file of a --record, whose values are believed and not paid for again; what is missing to the
    /// method's number of points is drawn
    #[arg(long, value_name = "POINT|FILE", allow_hyphen_values = true, help_heading = "Method")]
    x0: Option<PathBuf>,

    /// How the program of --exec is told a point: json, an object a line, or plain, its numbers [default: json]
    #[arg(long, value_name = "FORM", requires = "exec", help_heading = "Evaluation")]
    input: Option<String>,

    /// Where the answer of a command with placeholders is read: out, the file of its {out}, or another file
    /// [default: its standard output]
    #[arg(long, value_name = "FILE", requires = "exec", help_heading = "Evaluation")]
    read: Option<String>,

    /// Points that methods like auto ask for at a time; the result depends on it, and it stays what it was when a run is
    /// continued [default: --workers of `minimize`, else 1]
    #[arg(long, value_name = "N", value_parser = argument::size, help_heading = "Evaluation")]
    batch: Option<usize>,
}

impl Posed {
    /// Whether something else than a name says what is minimised.
    pub fn is_given(&self) -> bool {
        self.exec.is_some() || self.study.is_some()
    }

    /// Checks that something says what is minimised, where no name does; with two commands that would.
    pub fn check_given(&self, name: &str, test: &str, own: &str) -> swarmgrad::Result<()> {
        if self.is_given() {
            return Ok(());
        }
        let rule = format!(
            "name a test problem, swarmgrad {test}, or give a program of your own with its bounds, swarmgrad {own} --exec \
             'python3 f.py' --bounds -5:5,0:1"
        );
        Err(Error::missing(name, rule))
    }

    /// The study of a test problem of this name, of the program, or of the file.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn study(&self, problem: Option<&str>, dim: Option<usize>) -> swarmgrad::Result<Study> {
        let mut study = self.study.as_deref().map(Study::read).transpose()?.unwrap_or_default();
        if let Some(problem) = problem {
            (study.problem, study.program) = (Some(problem.to_owned()), None);
        }
        if let Some(command) = &self.exec {
            study.problem = None;
            study.program = Some(Program { command: command.clone(), ..study.program.unwrap_or_default() });
        }
        if let Some(program) = &mut study.program {
            program.input = self.input.clone().or(program.input.take());
            program.read = self.read.clone().or(program.read.take());
        }
        study.dim = dim.or(study.dim);
        let bounds = self.bounds.as_deref().map(study::space::bounds_text).transpose()?;
        study.bounds = bounds.or(study.bounds);
        if !self.constraints.is_empty() {
            study.constraints.clone_from(&self.constraints);
        }
        study.constraint_tolerance = self.constraint_tolerance.or(study.constraint_tolerance);
        study.residuals |= self.residuals;
        study.loss = self.loss.clone().or(study.loss);
        if !self.variables.is_empty() {
            study.variables.clone_from(&self.variables);
            study.bounds = None;
        } else if self.bounds.is_some() {
            study.variables.clear();
        }
        study.outside = self.outside.clone().or(study.outside);
        study.maximize |= self.maximize;
        study.noisy |= self.noisy;
        study.start = self.start.clone().or(study.start);
        study.batch = self.batch.or(study.batch);
        if let Some(path) = &self.x0 {
            (study.x0, study.y0) = match study.variables.is_empty() || study::space::is_record(path) {
                true => study::space::known_points(path, study.maximize)?,
                false => (study::space::typed_points(path, &study.space()?)?, Vec::new()),
            };
        }
        Ok(study)
    }
}

/// What evaluates a program: nothing of it changes the result.
#[derive(Args, Debug)]
pub struct Means {
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
    pub fn apply(&self, study: &mut Study, threads: Option<usize>) -> swarmgrad::Result<()> {
        let program = study.program.as_mut();
        let given = [
            ("--workers", self.workers.map(|n| n.to_string()), program.is_none()),
            ("--exec-on", self.exec_on.as_ref().map(|path| path.display().to_string()), program.is_none()),
            ("--eval-timeout", self.eval_timeout.map(|s| s.to_string()), program.is_none()),
            ("--max-failures", self.max_failures.map(|n| n.to_string()), program.is_none()),
            ("--threads", threads.map(|n| n.to_string()), program.is_some()),
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

    /// What works at the same time: copies of a program, or `threads`.
    pub fn workers(&self, threads: Option<usize>) -> usize {
        self.workers.or(threads).unwrap_or(1)
    }

    /// Copies of a program, if they are said.
    pub fn copies(&self) -> Option<usize> {
        self.workers
    }

    /// The file of the hosts.
    pub fn hosts(&self) -> Option<PathBuf> {
        self.exec_on.clone()
    }
}
