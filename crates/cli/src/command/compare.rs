//! `compare`: methods on problems, many seeds each, as tables, plots and records.

use crate::command::posed::{Means, Posed};
use crate::{DONE, NO_VALUE, NOT_KEPT, argument, interrupt, kept, output};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;
use swarmgrad::study::Verdict;
use swarmgrad::study::units::{Progress, Work};
use swarmgrad::{Halt, settings};
use swarmgrad_lab::Error;
use swarmgrad_lab::compare::{Compared, Comparison};
use swarmgrad_lab::plot::png;

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad compare --methods clpso,de,pso --problems rastrigin,rosenbrock --dim 10
  swarmgrad compare --methods pso_sde,cbo --problems ackley --dim 10,30 --seeds 100 -o results
  swarmgrad compare --methods 'de(particles=20),de(particles=80),auto' --problems levy --dim 10
  swarmgrad compare --methods pso,clpso --problems sphere --set particles=50 --set pso.topology=ring --precision 1e-4
  swarmgrad compare --methods diff_pso,pso --problems rastrigin -d 10 --set diff_pso.schedule=learned.json
  swarmgrad compare -m auto,lshade --exec 'python3 model.py' --bounds -5:5,0:1 --seeds 5 -n 300 --target 0.01 -w 4
  swarmgrad compare -m auto,'pso(particles=10),pso(particles=40)' --study run.toml --seeds 5
  swarmgrad compare -m auto,de,penalty -p welded_beam --seeds 10

A run succeeds when it finds a value within --precision of the known minimum, or at most --target. Every run goes on until \
its evaluations are spent. The table shows medians and quartiles; the success rate has a 95 % Wilson interval; evaluations \
to the target count a run that missed it as infinite.

With -o DIR every finished run is kept at once in DIR/records.jsonl, one JSON object a line; the same command again \
continues from there, so a kill loses only what was being computed. Runs are made seed by seed, each over all methods, so \
that what is broken off is fair. Without it finished runs are kept in your cache folder \
until the command has ended, for the same purpose. DIR also gets summary.json, and for every problem a \
plot of the best value against evaluations, as SVG and PNG. The numbers do not depend on --threads.";

/// What to compare.
#[derive(Args, Debug)]
pub struct Compare {
    /// Methods, a comma list, with parameters if you like: 'de(particles=20),clpso'; see `swarmgrad list methods`
    #[arg(short, long, value_name = "A,B,..", required = true)]
    methods: Vec<String>,

    /// Problems, a comma list; see `swarmgrad list problems`
    #[arg(
        short,
        long,
        value_name = "P,Q,..",
        value_delimiter = ',',
        conflicts_with = "exec",
        help_heading = "Problem"
    )]
    problems: Vec<String>,

    #[command(flatten)]
    posed: Posed,

    /// Numbers of variables, a comma list; a problem that allows only one number has that one [default: as many as --bounds lists, 2, or
    /// the least]
    #[arg(short, long, value_name = "D,..", value_delimiter = ',', value_parser = argument::dim, help_heading = "Problem")]
    dim: Vec<usize>,

    /// Runs of every method on every problem, with the seeds 0, 1, 2, ...
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = argument::positive)]
    seeds: u64,

    /// Evaluations of every run [default: 1000 a variable]
    #[arg(short = 'n', long, value_name = "N", value_parser = argument::positive)]
    evaluations: Option<u64>,

    /// End after this many seconds, or 90s, 10m, 2h, with the runs finished by then; the same command continues
    #[arg(long, value_name = "S", value_parser = argument::seconds)]
    time: Option<f64>,

    /// The value that counts as success
    #[arg(long, value_name = "T", value_parser = argument::number, allow_hyphen_values = true, conflicts_with = "precision")]
    target: Option<f64>,

    /// How near to the known minimum counts as success
    #[arg(long, value_name = "E", default_value_t = 1e-8, value_parser = argument::number)]
    precision: f64,

    /// A parameter: KEY=VALUE for all methods that have it, METHOD.KEY=VALUE for one
    #[arg(short, long, value_name = "[METHOD.]KEY=VALUE")]
    set: Vec<String>,

    /// Threads for test problems, one run on each; 0 for one a core [default: 0]
    #[arg(short, long, value_name = "N", value_parser = argument::threads, help_heading = "Evaluation")]
    threads: Option<usize>,

    #[command(flatten)]
    means: Means,

    /// Keep records, summary and plots in this folder, and continue from the records there
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Print the summary as JSON
    #[arg(long)]
    json: bool,

    /// Show no progress bar
    #[arg(short, long)]
    quiet: bool,
}

impl Compare {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let comparison = self.comparison()?.prepare()?;
        let path = self.output.as_ref().map(|folder| folder.join("records.jsonl"));
        let records = kept::open(path.as_deref(), "compare", &comparison.plan(), self.quiet || self.json)?;
        let bar = if self.quiet || self.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
        bar.set_style(ProgressStyle::with_template("{wide_bar} {pos} of {len} runs, {eta} left")?);
        let progress = |step: Progress<'_>| match step {
            Progress::Begun { missing } => {
                bar.set_length(missing.len() as u64);
                bar.tick();
            }
            Progress::Ended { .. } => bar.inc(1),
        };
        let threads = if comparison.has_program() { self.means.workers(None) } else { self.threads.unwrap_or(0) };
        let flag = interrupt::flag();
        let late = self.time.map(|seconds| interrupt::set_after(&flag, seconds));
        let work = Work { records: &records, threads, halt: Halt::new(flag) };
        let compared = comparison.run(&work, self.means.hosts(), &progress);
        bar.finish_and_clear();
        let compared = match compared {
            Err(Error::Program(why)) => {
                note!("swarmgrad: {why}");
                kept::close(records, false);
                return Ok(ExitCode::from(Verdict::Failed as u8));
            }
            other => other?,
        };

        // The result comes first: a disk that is full does not hide it.
        let written = match self.json {
            true => output::print_json(&compared.summary()).map(|()| self.write(&compared)),
            false => self.write_and_print(&compared),
        }?;
        if let Err(why) = &written {
            note!("swarmgrad: {why:#}");
        }
        compared.notes.iter().for_each(|text| note!("swarmgrad: {text}"));
        let is_late = late.is_some_and(|late| late.load(SeqCst));
        if compared.missing > 0 {
            let why = if is_late { "the time is over" } else { "interrupted" };
            kept::broken_off(&records, why, "the numbers are of the runs finished so far");
        }
        let all_kept = kept::close(records, compared.missing == 0) && written.is_ok();
        Ok(ExitCode::from(match compared.missing {
            0 if compared.has_no_value() => NO_VALUE,
            0 if all_kept => DONE,
            0 => NOT_KEPT,
            _ if is_late => DONE,
            _ => interrupt::EXIT,
        }))
    }

    /// What the options say, as the library takes it.
    fn comparison(&self) -> swarmgrad::Result<Comparison> {
        let lists: Vec<_> = self.methods.iter().map(|text| settings::list(text)).collect::<Result<_, _>>()?;
        if self.problems.is_empty() {
            self.posed.check_given("--problems", "compare -m auto,pso -p ackley", "compare -m auto,pso")?;
        }
        let mut study = self.posed.study(None, None)?;
        self.means.apply(&mut study, self.threads)?;
        Ok(Comparison {
            study,
            methods: lists.into_iter().flatten().collect(),
            problems: self.problems.clone(),
            dims: self.dim.clone(),
            seeds: self.seeds,
            evaluations: self.evaluations,
            target: self.target,
            precision: self.precision,
            set: settings::pairs(&self.set)?,
        })
    }

    /// The tables, and where everything is; says what could not be written.
    fn write_and_print(&self, compared: &Compared) -> anyhow::Result<anyhow::Result<()>> {
        output::print(&compared.text())?;
        let written = self.write(compared);
        match (&self.output, compared.found) {
            (Some(_), _) if written.is_err() => {}
            (Some(folder), 0) => output::print(&format!("Records, summary and plots: {}\n", folder.display()))?,
            (Some(folder), found) => {
                let folder = folder.display();
                output::print(&format!("{found} runs were there already. Records, summary and plots: {folder}\n"))?;
            }
            (None, _) => output::print("With -o DIR the runs are kept, continued after a kill, and plotted.\n")?,
        }
        Ok(written)
    }

    /// The summary and the plots.
    fn write(&self, compared: &Compared) -> anyhow::Result<()> {
        let Some(folder) = &self.output else { return Ok(()) };
        let write = |name: &str, bytes: &[u8]| swarmgrad::write_whole(&Path::new(folder).join(name), bytes);
        write("summary.json", serde_json::to_string_pretty(&compared.summary())?.as_bytes())?;
        for (name, svg) in compared.plots()? {
            write(&format!("{name}.svg"), svg.as_bytes())?;
            write(&format!("{name}.png"), &png(&svg, 2.0)?)?;
        }
        Ok(())
    }
}
