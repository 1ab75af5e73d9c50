//! `reproduce`: the tables and figures of the papers, computed again.

use crate::output;
use crate::{DONE, NO_VALUE, NOT_KEPT, argument, interrupt, kept};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swarmgrad::Halt;
use swarmgrad_lab::Table;
use swarmgrad_lab::paper::{self, EXPERIMENTS, Experiment, Findings, PAPERS, Preset, Session, Settings, Step};
use swarmgrad_lab::plot::png;
use swarmgrad_lab::table::Rules;
use swarmgrad_nn::NEEDS_BURN;

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad reproduce --list
  swarmgrad reproduce adaswarm/table-1
  swarmgrad reproduce adaswarm --quick --html adaswarm.html
  swarmgrad reproduce adaswarm --record runs.jsonl --html adaswarm.html --plots figures
  swarmgrad reproduce adaswarm/table-1 adaswarm/table-2 --preset sound --seeds 50
  swarmgrad reproduce mean-field-pso/figure-2 --grid 1e-4:0.1:4/2:12:6 --seeds 20 --record phase.jsonl

Every claim is printed with the paper's figure, ours, and whether it holds. --preset paper-text uses the numbers that the \
paper prints, paper-code those of the authors' published program, sound our own; each experiment has its usual one.

With --record FILE every finished unit of work is kept at once, one JSON object a line; the same command again continues \
from there, so a kill loses only what was being computed. Without it they are kept in your cache folder until the command \
has ended, for the same purpose. The numbers do not depend on --threads.";

/// Width of printed text; tables may be wider.
const COLUMNS: usize = 100;

/// What to compute again.
#[derive(Args, Debug)]
pub struct Reproduce {
    /// Experiments, such as adaswarm/table-1, or a paper for all of its experiments; --list shows them
    #[arg(value_name = "EXPERIMENT", required_unless_present = "list")]
    experiments: Vec<String>,

    /// List the experiments
    #[arg(long)]
    list: bool,

    /// Whose numbers to use: paper-text, paper-code or sound [default: the experiment's own]
    #[arg(long, value_name = "WHOSE")]
    preset: Option<String>,

    /// Fewer seeds and smaller sets, for a first look
    #[arg(long)]
    quick: bool,

    /// Whole data sets where an experiment would take a named part of one
    #[arg(long, conflicts_with = "quick")]
    full: bool,

    /// Number of seeds [default: the experiment's own]
    #[arg(long, value_name = "N", value_parser = argument::positive)]
    seeds: Option<u64>,

    /// Inertias and diffusions of a phase diagram, as two lists of numbers or LOW:HIGH:COUNT, separated by a slash: the
    /// first list is spread by its logarithm, for example 1e-4:0.3:22/1:12:23 or 0.001,0.01/5,8 [default: the paper's]
    #[arg(long, value_name = "M,..|LO:HI:N/SIGMA,..|LO:HI:N")]
    grid: Option<String>,

    /// Threads, one unit of work on each; 0 for one a core
    #[arg(short, long, value_name = "N", default_value_t = 0, value_parser = argument::threads)]
    threads: usize,

    /// Folder of the data sets that are not built in [default: the variable SWARMGRAD_DATA]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Keep finished units of work in this file, and continue from it
    #[arg(short, long, alias = "records", value_name = "FILE")]
    record: Option<PathBuf>,

    /// Write a self-contained page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Write the pictures into this folder, as SVG and PNG
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,

    /// Print the findings as JSON
    #[arg(long)]
    json: bool,

    /// Show no progress bar
    #[arg(short, long)]
    quiet: bool,
}

/// Steps of the bar in a unit of work: parts of long ones are shown too.
const UNIT: u64 = 1_000_000;

/// The line of progress, in units.
fn units_left() -> anyhow::Result<ProgressStyle> {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {done} of {all} units, {eta} left")?;
    let in_units = |steps: u64, line: &mut dyn Write| {
        let text = format!("{:.1}", steps as f64 / UNIT as f64);
        // A line that cannot be shown is no reason to stop.
        let _ = line.write_str(text.trim_end_matches(".0"));
    };
    let done = move |state: &ProgressState, line: &mut dyn Write| in_units(state.pos(), line);
    let all = move |state: &ProgressState, line: &mut dyn Write| in_units(state.len().unwrap_or_default(), line);
    Ok(style.with_key("done", done).with_key("all", all))
}

impl Reproduce {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        if self.list {
            return self.list();
        }
        let mut chosen: Vec<&'static Experiment> = Vec::new();
        for name in &self.experiments {
            // One named twice, or by its paper too, is computed once.
            for experiment in paper::select(name.trim())? {
                if chosen.iter().all(|earlier| earlier.name != experiment.name) {
                    chosen.push(experiment);
                }
            }
        }
        let papers = |name: &&str| self.experiments.iter().any(|asked| name.starts_with(&format!("{}/", asked.trim())));
        let missing: Vec<&str> = paper::missing().filter(papers).collect();
        if !missing.is_empty() && !self.quiet {
            note!("swarmgrad: left out: {} {NEEDS_BURN}", missing.join(", "));
        }
        let preset: Option<Preset> = self.preset.as_deref().map(str::parse).transpose()?;
        // Files that cannot be written are found before anything runs.
        for path in [&self.html, &self.markdown].into_iter().flatten() {
            swarmgrad::state::check_writable(path)?;
        }

        let bar = self.bar()?;
        let units = units_left()?;
        let progress = |step: Step<'_>| match step {
            Step::Begin { experiment } => bar.set_message(experiment.to_owned()),
            Step::Units { all, found, .. } => {
                bar.inc_length((all - found) as u64 * UNIT);
                bar.set_style(units.clone());
            }
            Step::Part { share } | Step::Done { rest: share, .. } => bar.inc((share * UNIT as f64).round() as u64),
            _ => {}
        };
        let halt = Halt::new(interrupt::flag());
        let settings = Settings {
            preset,
            quick: self.quick,
            full: self.full,
            seeds: self.seeds,
            threads: self.threads,
            records: None,
            data: self.data.clone().or_else(|| std::env::var_os("SWARMGRAD_DATA").map(PathBuf::from)),
            grid: self.grid.as_deref().map(argument::grid).transpose()?,
        };
        let plan = json!([
            chosen.iter().map(|e| e.name).collect::<Vec<_>>(),
            preset,
            self.quick,
            self.full,
            self.seeds,
            self.grid
        ]);
        let mut session = Session::new(settings)?.progress(&progress).interrupt(halt);
        let quiet = self.quiet || self.json;
        session = session.records(kept::open(self.record.as_deref(), "reproduce", &plan, quiet)?);
        let (mut findings, mut failed, mut interrupted) = (Vec::new(), Vec::new(), false);
        for experiment in chosen {
            match session.run(experiment) {
                Ok(found) => {
                    if !self.json {
                        bar.suspend(|| output::print(&found.text(COLUMNS)))?;
                    }
                    findings.push(found);
                }
                Err(swarmgrad_lab::Error::Interrupted) => {
                    interrupted = true;
                    break;
                }
                Err(why) => {
                    bar.suspend(|| note!("swarmgrad: {}: {why}", experiment.name));
                    failed.push(experiment.name);
                }
            }
        }
        bar.finish_and_clear();
        self.write(&findings)?;
        if self.json {
            output::print_json(&findings.iter().map(Findings::json).collect::<Value>())?;
        }
        let records = session.into_records();
        if interrupted {
            kept::interrupted(&records, "the experiments printed are whole");
        }
        let all_kept = kept::close(records, !interrupted && failed.is_empty());
        Ok(ExitCode::from(match (interrupted, failed.is_empty()) {
            (true, _) => interrupt::EXIT,
            (false, false) => NO_VALUE,
            (false, true) if all_kept => DONE,
            (false, true) => NOT_KEPT,
        }))
    }

    fn list(&self) -> anyhow::Result<ExitCode> {
        if self.json {
            let all = EXPERIMENTS
                .iter()
                .map(|e| json!({"name": e.name, "summary": e.summary, "paper": e.paper().title, "preset": e.preset}));
            output::print_json(&all.collect())?;
        } else {
            for paper in PAPERS {
                let mut table = Table::new(["experiment", "what it is"]);
                for experiment in EXPERIMENTS.iter().filter(|e| e.paper().name == paper.name) {
                    table.row([experiment.name, experiment.summary]);
                }
                output::print(&format!("{}\n{}\n\n{}\n", paper.title, paper.source, table.text(Rules::Unicode)))?;
            }
            output::print("swarmgrad reproduce PAPER computes all of a paper's.\n")?;
            let missing: Vec<&str> = paper::missing().collect();
            if !missing.is_empty() {
                output::print(&format!("\nLeft out: {} {NEEDS_BURN}.\n", missing.join(", ")))?;
            }
        }
        Ok(ExitCode::from(DONE))
    }

    fn bar(&self) -> anyhow::Result<ProgressBar> {
        let bar = match self.quiet || self.json {
            true => ProgressBar::hidden(),
            false => ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
        };
        // Until it is known how much there is to do.
        bar.set_style(ProgressStyle::with_template("{msg}")?);
        Ok(bar)
    }

    /// The page, the Markdown and the pictures.
    fn write(&self, findings: &[Findings]) -> anyhow::Result<()> {
        if findings.is_empty() {
            return Ok(());
        }
        if let Some(path) = &self.html {
            swarmgrad::write_whole(path, paper::page(findings).html().as_bytes())?;
        }
        if let Some(path) = &self.markdown {
            let pictures = self.plots.as_deref().map(|plots| seen_from(plots, path));
            let text: String = findings.iter().map(|f| f.markdown(pictures.as_deref())).collect();
            swarmgrad::write_whole(path, text.as_bytes())?;
        }
        if let Some(folder) = &self.plots {
            std::fs::create_dir_all(folder).map_err(|why| output::file_error(folder, &why))?;
            for picture in findings.iter().flat_map(|f| &f.pictures) {
                swarmgrad::write_whole(&folder.join(format!("{}.svg", picture.name)), picture.svg.as_bytes())?;
                swarmgrad::write_whole(&folder.join(format!("{}.png", picture.name)), &png(&picture.svg, 2.0)?)?;
            }
        }
        Ok(())
    }
}

/// A folder as a file that is written to `file` names it: from the file's own folder if it lies there, else in full.
fn seen_from(folder: &Path, file: &Path) -> String {
    let full = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (folder, file) = (full(folder), full(file));
    let below = file.parent().and_then(|home| folder.strip_prefix(home).ok());
    below.unwrap_or(&folder).display().to_string()
}
