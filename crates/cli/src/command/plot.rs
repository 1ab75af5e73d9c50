//! `plot`: the journals of runs as pictures or as a page.

use crate::DONE;
use crate::output::{self, Form, grouped, short};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swarmgrad::Error;
use swarmgrad_lab::recorded::Recorded;

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad minimize --exec ./model --bounds -5:5,0:1 --record run.jsonl
  swarmgrad plot run.jsonl                          (writes run.html)
  swarmgrad plot run.jsonl -o run.png
  swarmgrad plot de.jsonl pso.jsonl -o both.html    (curves over each other)

The page shows the settings, the best point and why the run ended, and draws

  the best value against evaluations, and against time where evaluations
    take longer than an instant;
  the evaluated points over parallel coordinates, and the value against each
    variable;
  an estimate of how much each variable matters, alone: the correlation ratio
    of ranks;
  failures: which, when, and at which values; when each worker was busy; the
    front of several objectives.

It is one file without scripts that needs no network. A run may still be going on: what it has recorded so far is drawn. A picture, \
.svg or .png, of one journal shows the same without the tables, and of several only their curves. Of more than 65536 evaluations \
every second, fourth, .. is a point of the pictures; best values and counts are of all.";

/// What to draw.
#[derive(Args, Debug)]
pub struct Plot {
    /// The files of `minimize --record`
    #[arg(required = true, value_name = "FILE")]
    journals: Vec<PathBuf>,

    /// What to write: a page, .html, or a picture, .svg or .png [default: the journal's name with .html; runs.html beside the first of
    /// several]
    #[arg(short, long, visible_alias = "out", value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Plot {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let path = self.output.clone().unwrap_or_else(|| self.named());
        let form = Form::of("--output", &path, &Form::ALL)?;
        let same = |journal: &&PathBuf| **journal == path || is_same_file(journal, &path);
        if let Some(journal) = self.journals.iter().find(same) {
            return Err(Error::parameter("--output", journal.display(), "is a file that is to be read").into());
        }
        if self.output.is_none() && !is_own(&path) {
            let rule = "is there already and is no page of swarmgrad: say with --output where to write";
            return Err(Error::File { path: path.display().to_string(), why: rule.into() }.into());
        }
        swarmgrad::state::check_writable(&path)?;
        let runs: Vec<Recorded> = self.journals.iter().map(|path| Recorded::read(path)).collect::<Result<_, _>>()?;
        output::write_runs(&path, form, &runs)?;
        let mut text = String::new();
        for run in &runs {
            let best = run.best.first().map_or("no value".into(), |best| format!("best value {}", short(best.value)));
            let failed = if run.failed() > 0 { format!(", {} failed", grouped(run.failed())) } else { String::new() };
            text += &format!("{}: {} evaluations{failed}, {best}\n", run.name, grouped(run.evaluations));
        }
        output::print(&format!("{text}Drawn: {}\n", path.display()))?;
        Ok(ExitCode::from(DONE))
    }

    /// Where the page goes when nobody says where.
    fn named(&self) -> PathBuf {
        match &self.journals[..] {
            [one] => one.with_extension("html"),
            all => all[0].with_file_name("runs.html"),
        }
    }
}

/// Whether both are one file, whatever leads to it.
fn is_same_file(a: &Path, b: &Path) -> bool {
    a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

/// Whether there is nothing, or a page that this program has written.
fn is_own(path: &Path) -> bool {
    use std::io::Read;
    let Ok(file) = std::fs::File::open(path) else { return true };
    let mut begin = Vec::new();
    file.take(2048).read_to_end(&mut begin).is_ok()
        && String::from_utf8_lossy(&begin).contains(swarmgrad_lab::report::GENERATOR)
}
