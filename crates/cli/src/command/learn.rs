//! `learn`: the numbers of a method over the course of a run, learned on test functions.

use crate::command::posed::{Means, Posed};
use crate::output::{self, number};
use crate::{DONE, NOT_KEPT, argument, interrupt, kept};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use swarmgrad::study::units::Work;
use swarmgrad::study::{Study, Verdict};
use swarmgrad::{Halt, settings};
use swarmgrad_lab::Error;
use swarmgrad_lab::learn::{self, LearningPlan};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad learn diff_pso --problems sphere,rastrigin -d 10 -n 2000 -o learned.json
  swarmgrad learn diff_de --problems ackley,levy,griewank -d 5,10 --set particles=50 --knots 3 -o de.json
  swarmgrad learn diff_pso --exec 'python3 loss.py' --bounds -5:5,0:1 --minimum 0 -n 100 --steps 20 --workers 8 -o own.json
  swarmgrad minimize rastrigin -d 10 -n 2000 --schedule learned.json
  swarmgrad compare --methods diff_pso,pso --problems levy -d 10 -n 2000 --set diff_pso.schedule=learned.json

Every step runs the method on all problems, shifted anew each time, in pairs of mirrored perturbations of its numbers at the \
knots, and takes a step of Adam towards the better ones (evolution strategies; with --windows above 1 persistent ones). The \
loss is the logarithm of what is missing to the minimum, in deviations between runs, so that every problem counts the same.

A program of your own is learned on as it is. That takes many runs of it: steps times pairs times two, and 48 for \
deviation and gain.

What is learned belongs to the budget and the problems it was learned on; the gain on other shifts of the same functions is \
printed, not that on other functions. Ctrl-C ends the learning early, and what has been learned so far is written. After it, \
or after a kill, the same command goes on where it was, to the end it would have had.

The numbers do not depend on --threads.";

/// What to learn, and on what.
#[derive(Args, Debug)]
pub struct Learn {
    /// The method, with parameters if you like: diff_pso, diff_de, diff_ga, diff_empso, diff_cbo, diff_lshade, diff_es or
    /// diff_cma_es; it learns without gradients
    method: String,

    /// Functions, a comma list: those of `reproduce evograd/functions`
    #[arg(short, long, value_name = "P,Q,..", value_delimiter = ',', conflicts_with_all = ["exec", "study"], help_heading = "Problem")]
    problems: Vec<String>,

    /// Numbers of variables, a comma list [default: 10, or as many as --bounds lists]
    #[arg(short, long, value_name = "D,..", value_delimiter = ',', value_parser = argument::dim, help_heading = "Problem")]
    dim: Vec<usize>,

    #[command(flatten)]
    posed: Posed,

    #[command(flatten)]
    means: Means,

    /// The value that the program of --exec cannot fall below, such as 0 for a loss
    #[arg(long, value_name = "V", value_parser = argument::number, allow_hyphen_values = true, help_heading = "Problem")]
    minimum: Option<f64>,

    /// Evaluations of every run [default: 200 a variable]
    #[arg(short = 'n', long, value_name = "N", value_parser = argument::positive)]
    evaluations: Option<u64>,

    /// Rotate the functions too
    #[arg(long)]
    rotated: bool,

    /// A parameter of the method, as often as needed
    #[arg(short, long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Numbers of the method to learn, a comma list [default: all that have bounds]
    #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
    numbers: Vec<String>,

    /// Knots of the schedule, evenly spread; 1 for constant numbers
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = argument::size)]
    knots: usize,

    /// Steps of the learning
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = argument::size)]
    steps: usize,

    /// Mirrored pairs of runs on every problem in a step
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = argument::size)]
    pairs: usize,

    /// Windows of a run: perturbations are drawn anew at the beginning of each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = argument::positive)]
    windows: u64,

    /// Seed of all random numbers
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: u64,

    /// Threads, 0 for one a core [default: 0, or --workers]
    #[arg(short, long, value_name = "N", value_parser = argument::threads, help_heading = "Evaluation")]
    threads: Option<usize>,

    /// The file to write
    #[arg(short, long, value_name = "FILE", required_unless_present = "json")]
    output: Option<PathBuf>,

    /// Print what was learned as JSON
    #[arg(long)]
    json: bool,

    /// Show no progress bar
    #[arg(short, long)]
    quiet: bool,
}

impl Learn {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let study = self.study()?;
        let plan = LearningPlan {
            method: self.method.clone(),
            problems: self.problems.iter().map(|name| name.trim().to_owned()).collect(),
            dims: if self.dim.is_empty() { vec![10] } else { self.dim.clone() },
            minimum: self.minimum,
            evaluations: self.evaluations,
            rotated: self.rotated,
            set: settings::pairs(&self.set)?,
            numbers: self.numbers.clone(),
            knots: self.knots,
            steps: self.steps,
            pairs: self.pairs,
            windows: self.windows,
            seed: self.seed,
            study,
        };
        // A file that cannot be written is found before anything runs.
        if let Some(path) = &self.output {
            swarmgrad::state::check_writable(path)?;
        }
        let records = kept::open(None, "learn", &plan.plan(), self.quiet || self.json)?;
        let bar = if self.quiet || self.json { ProgressBar::hidden() } else { ProgressBar::new(self.steps as u64) };
        bar.set_style(ProgressStyle::with_template("{wide_bar} {pos} of {len} steps, {eta} left")?);
        bar.tick();
        let threads = if plan.study.is_some() { self.means.workers(None) } else { self.threads.unwrap_or(0) };
        let work = Work { records: &records, threads, halt: Halt::new(interrupt::flag()) };
        let lesson = plan.run(&work, self.means.hosts(), &|step| bar.set_position(step as u64));
        bar.finish_and_clear();
        let lesson = match lesson {
            Err(Error::Program(why)) => {
                note!("swarmgrad: {why}");
                kept::close(records, false);
                return Ok(ExitCode::from(Verdict::Failed as u8));
            }
            other => other?,
        };
        let saved = self.output.as_ref().map_or(Ok(()), |path| lesson.schedule.save(path));
        match self.json {
            true => output::print_json(&json!({
                "schedule": lesson.schedule,
                "gain": number(lesson.gain),
            }))?,
            false if saved.is_err() => output::print(&learn::text(&lesson))?,
            false => output::print(&(learn::text(&lesson) + &self.use_of_it()))?,
        }
        let whole = lesson.schedule.learned.is_some_and(|learned| learned.steps >= self.steps);
        if !whole {
            kept::interrupted(&records, "this is what was learned so far");
        }
        // What has been learned is shown although it could not be written; the same command takes it from what is kept.
        if let Err(why) = &saved {
            note!("swarmgrad: not kept: {why}");
        }
        let all_kept = kept::close(records, whole && saved.is_ok()) && saved.is_ok();
        Ok(ExitCode::from(match whole {
            true if all_kept => DONE,
            true => NOT_KEPT,
            false => interrupt::EXIT,
        }))
    }

    /// The program of one's own, if there is one.
    fn study(&self) -> swarmgrad::Result<Option<Study>> {
        if self.problems.is_empty() {
            self.posed.check_given("--problems", "learn diff_pso -p sphere", "learn diff_pso --minimum 0")?;
        }
        let mut study = self.posed.study(None, None)?;
        if study.program.is_some() {
            study.dim = self.dim.first().copied().or(study.dim);
        }
        let threads = self.threads.filter(|_| study.program.is_some());
        self.means.apply(&mut study, threads)?;
        if study.program.is_none() && study != Study::default() && !self.problems.is_empty() {
            let rule = "is for a program of your own; functions to learn on have bounds of their own";
            return Err(swarmgrad::Error::parameter("--bounds", "a problem of --problems", rule));
        }
        if let Some(dims) = Some(&self.dim).filter(|dims| study.program.is_some() && dims.len() > 1) {
            let rule = "a program has one number of variables";
            return Err(swarmgrad::Error::parameter("--dim", format!("{dims:?}"), rule));
        }
        Ok(Some(study).filter(|study| study.program.is_some() || self.problems.is_empty()))
    }

    /// Where what was learned is, and how it is used.
    fn use_of_it(&self) -> String {
        self.output.as_ref().map_or(String::new(), |path| {
            let path = path.display();
            let of = self.problems.first().map_or("--exec ..", |name| name.trim());
            format!("Written to {path}; use it: swarmgrad minimize {of} --schedule {path}\n")
        })
    }
}
