//! `bench`: methods on a suite of test problems, COCO's BBOB unless another one is named.

use crate::output::{self, grouped};
use crate::{DONE, NOT_KEPT, argument, interrupt, kept};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;
use swarmgrad::{Error, Halt, settings};
use swarmgrad_lab::bench::{self, Bench as Harness, Findings, Method, Step, Suite};
use swarmgrad_lab::plot::png;

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad bench de clpso
  swarmgrad bench 'de(particles=20)' de:particles=80 --dim 5,10 --instances 1-3 --budget 300
  swarmgrad bench de --functions 15-19,24 --record de.jsonl --html de.html --coco exdata
  swarmgrad bench auto cma_es --suite cec2006 --instances 1-10
  swarmgrad bench auto 'multistart(method=sqp)' --suite bbob_constrained --dim 2,5 --instances 1-3
  swarmgrad bench --beside de.jsonl --beside others.jsonl --markdown both.md

A method is NAME, NAME(KEY=VALUE, KEY=VALUE) or, for short, NAME:KEY=VALUE,KEY=VALUE; that text is its label. Every run is granted BUDGET times d evaluations; a method \
that ends earlier begins anew, with draws of its own, until they are spent or the precision 1e-8 is reached. The tables show the \
share of the 51 precisions 10^2, 10^1.8, .. 10^-8 that are reached within so many evaluations, and the area: its mean over \
log10(evaluations / d) from 0 to 3.

Suites are bbob, bbob_mixint (with whole variables), bbob_constrained, cec2017, cec2006 and designs. Where there are constraints only \
feasible points count, and an evaluation gives the value and all constraints of a point. On bbob_constrained the share is that of the 41 \
precisions from 10^2 to 10^-6; on cec2006 and designs it is that of the runs with a point within 1e-4 of the best value known, every problem \
has its own number of variables, and --instances are seeds.

With --record FILE every finished run is kept at once, one JSON object a line; the same command again continues from there, so a \
kill loses only what was being computed. Without it they are kept in your cache folder until the command has ended. --beside FILE lays runs of other programs beside ours: lines with method, problem \
(bbob/f8/i3), dim, nfev, fun and curve, a list of [evaluations, best value]. --coco DIR writes a folder for each method that \
`python -m cocopp` reads. The numbers do not depend on --threads.

The problems are those of suites: which method is best for a program of your own says `swarmgrad compare --exec`.";

/// What to run.
#[derive(Args, Debug)]
pub struct Bench {
    /// Methods, with parameters if you like: 'de(particles=20)' or de:particles=20; see `swarmgrad list methods`
    #[arg(value_name = "METHOD", required_unless_present_any = ["beside", "exec"])]
    methods: Vec<String>,

    /// Not here: the error says how `compare` is asked.
    #[arg(short, long, value_name = "COMMAND", hide = true)]
    exec: Option<String>,

    /// The suite: bbob, bbob_mixint, bbob_constrained, cec2017, cec2006 or designs
    #[arg(long, value_name = "SUITE", default_value = "bbob", value_parser = suite)]
    suite: Suite,

    /// Functions: numbers and ranges; all unless said
    #[arg(short, long, value_name = "F,F-F,..")]
    functions: Option<String>,

    /// Numbers of variables: numbers and ranges; 5,10,20 unless said, 5,10 for bbob_mixint, 2,5,10 for bbob_constrained, 10 for cec2017
    #[arg(short, long, alias = "dims", value_name = "D,..")]
    dim: Option<String>,

    /// Instances: numbers and ranges; seeds where problems have none
    #[arg(short, long, value_name = "I,I-I,..", default_value = "1-5")]
    instances: String,

    /// Evaluations of a run as a multiple of the number of variables
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = argument::positive)]
    budget: u64,

    /// Seed of all random numbers
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = argument::count)]
    seed: u64,

    /// Threads, one run on each; 0 for one a core
    #[arg(short, long, value_name = "N", default_value_t = 0, value_parser = argument::threads)]
    threads: usize,

    /// Keep finished runs in this file, and continue from it
    #[arg(short, long, alias = "records", value_name = "FILE")]
    record: Option<PathBuf>,

    /// Lay the runs of this file beside; may be given several times
    #[arg(long, value_name = "FILE")]
    beside: Vec<PathBuf>,

    /// Write COCO's archive format into this folder, a folder for each method
    #[arg(long, value_name = "DIR")]
    coco: Option<PathBuf>,

    /// Write a self-contained page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Write the curves into this folder, as SVG and PNG
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    /// Show no progress bar
    #[arg(short, long)]
    quiet: bool,
}

/// A suite by its name.
fn suite(text: &str) -> Result<Suite, String> {
    Suite::parse(text).map_err(|why| why.to_string())
}

impl Bench {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        if let Some(command) = &self.exec {
            let rule = "bench is about suites of test problems; for a program of your own: swarmgrad compare --methods A,B --exec \
                        COMMAND --bounds ..  with --evaluations and --target";
            return Err(Error::parameter("--exec", format!("'{command}'"), rule).into());
        }
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let list = |name: &str, text: &Option<String>, usual: Vec<usize>| match text {
            Some(text) => anyhow::Ok(argument::numbers(name, text)?.into_iter().map(number).collect()),
            None => Ok(usual),
        };
        let harness = Harness {
            suite: self.suite,
            functions: list("--functions", &self.functions, self.suite.functions())?,
            dims: list("--dim", &self.dim, self.suite.dims())?,
            instances: argument::numbers("--instances", &self.instances)?,
            budget: self.budget,
            seed: self.seed,
            threads: self.threads,
            halt: Halt::new(interrupt::flag()),
        };
        let lists: Vec<_> = self.methods.iter().map(|text| settings::list(text)).collect::<Result<_, _>>()?;
        let methods: Vec<_> = lists.iter().flatten().map(|text| Method::parse(text)).collect::<Result<_, _>>()?;
        let mut beside = Vec::new();
        for path in &self.beside {
            beside.extend(bench::read(path)?);
        }
        // Files that cannot be written are found before anything runs.
        for path in [&self.html, &self.markdown].into_iter().flatten() {
            swarmgrad::state::check_writable(path)?;
        }

        let records = kept::open(self.record.as_deref(), "bench", &harness.plan(&methods)?, self.quiet || self.json)?;
        let bar = self.bar()?;
        let progress = |step: Step| match step {
            Step::Begin { evaluations, found } => {
                bar.set_length(evaluations);
                bar.set_message(if found > 0 {
                    format!("{} runs found, ", grouped(found as u64))
                } else {
                    String::new()
                });
            }
            Step::Done { evaluations } => bar.inc(evaluations),
        };
        let trials = match harness.run(&methods, &records, &progress) {
            Ok(trials) => trials,
            Err(swarmgrad_lab::Error::Interrupted) => {
                bar.finish_and_clear();
                kept::interrupted(&records, "there are no figures of a part");
                kept::close(records, false);
                return Ok(ExitCode::from(interrupt::EXIT));
            }
            Err(why) => return Err(why.into()),
        };
        bar.finish_and_clear();
        if let Some(folder) = &self.coco {
            bench::write_archive(folder, &trials)?;
        }
        let findings = Findings::of(&trials.into_iter().chain(beside).collect::<Vec<_>>())?;
        self.write(&findings)?;
        if self.json {
            output::print_json(&findings.json()?)?
        } else {
            output::print(&findings.text()?)?
        }
        Ok(ExitCode::from(if kept::close(records, true) { DONE } else { NOT_KEPT }))
    }

    fn bar(&self) -> anyhow::Result<ProgressBar> {
        let bar = match self.quiet || self.json {
            true => ProgressBar::hidden(),
            false => ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
        };
        bar.set_style(ProgressStyle::with_template(
            "{wide_bar} {msg}{percent} % of {human_len} evaluations, {eta} left",
        )?);
        Ok(bar)
    }

    /// The page, the Markdown and the curves.
    fn write(&self, findings: &Findings) -> anyhow::Result<()> {
        if let Some(path) = &self.html {
            swarmgrad::write_whole(path, findings.page()?.html().as_bytes())?;
        }
        if let Some(path) = &self.markdown {
            swarmgrad::write_whole(path, findings.markdown()?.as_bytes())?;
        }
        if let Some(folder) = &self.plots {
            std::fs::create_dir_all(folder).map_err(|why| output::file_error(folder, &why))?;
            for picture in findings.pictures() {
                swarmgrad::write_whole(&folder.join(format!("{}.svg", picture.name)), picture.svg.as_bytes())?;
                swarmgrad::write_whole(&folder.join(format!("{}.png", picture.name)), &png(&picture.svg, 2.0)?)?;
            }
        }
        Ok(())
    }
}
