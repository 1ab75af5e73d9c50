//! COCO's archive format, so that `python -m cocopp FOLDER` reads our runs.
//!
//! For each function an index `bbobexp_f1.info` with three lines a dimension (settings, a comment, and for each run
//! `instance:evaluations|precision`), and beside it `data_f1/bbobexp_f1_DIM5.dat`, where a run's lines are the
//! evaluations at which it reached another precision, and `.tdat`, where they are certain numbers of evaluations. A line
//! is `evaluations constraint-evaluations precision value best-value`; COCO's own program appends the point, which
//! nothing reads.

use super::suite::{Place, Suite};
use super::trial::Trial;
use crate::error::{Error, Result};
use crate::record::value_at;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use swarmgrad::write_whole;

/// Writes a folder for each method and returns the folders. What they hold of these functions is written anew.
pub fn write_archive(folder: impl AsRef<Path>, trials: &[Trial]) -> Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for trial in trials {
        let Place { suite, function, instance } = trial.place()?;
        if suite != Suite::Bbob {
            return Err(Error::value("coco", &trial.record.problem, "COCO's archives are of the suite bbob"));
        }
        runs.push(Archived { method: &trial.record.method, function, dim: trial.record.dim, instance, trial });
    }
    runs.sort_by_key(|run| (run.method, run.function, run.dim, run.instance, run.trial.record.seed));
    let mut folders = Vec::new();
    for runs in runs.chunk_by(|a, b| a.method == b.method) {
        let name = runs[0].method.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "_");
        let folder = folder.as_ref().join(name);
        for runs in runs.chunk_by(|a, b| a.function == b.function) {
            let function = runs[0].function;
            let data = folder.join(format!("data_f{function}"));
            std::fs::create_dir_all(&data).map_err(|why| Error::file(&data, why))?;
            let mut index = Vec::new();
            for runs in runs.chunk_by(|a, b| a.dim == b.dim) {
                let file = format!("bbobexp_f{function}_DIM{}", runs[0].dim);
                index.push(entry(&file, runs)?);
                write(&data.join(format!("{file}.dat")), &lines(runs, at_precisions)?)?;
                write(&data.join(format!("{file}.tdat")), &lines(runs, at_evaluations)?)?;
            }
            write(&folder.join(format!("bbobexp_f{function}.info")), &index.join("\n"))?;
        }
        folders.push(folder);
    }
    Ok(folders)
}

/// A run and what it is sorted by.
struct Archived<'a> {
    method: &'a str,
    function: usize,
    dim: usize,
    instance: u64,
    trial: &'a Trial,
}

fn write(path: &Path, text: &str) -> Result<()> {
    Ok(write_whole(path, text.as_bytes())?)
}

/// The three lines of a function in a dimension.
fn entry(file: &str, runs: &[Archived<'_>]) -> Result<String> {
    let Archived { method, function, dim, .. } = runs[0];
    let mut text = format!(
        "suite = 'bbob', funcId = {function}, DIM = {dim}, Precision = 1.000e-08, algId = '{}', coco_version = '2.8.2', \
         logger = 'bbob', data_format = 'bbob-new2'\n% swarmgrad {}\ndata_f{function}/{file}.dat",
        method.replace('\'', ""),
        env!("CARGO_PKG_VERSION"),
    );
    for Archived { instance, trial, .. } in runs {
        let precision = trial.record.fun - trial.place()?.optimum(trial.record.dim)?;
        let _ = write!(text, ", {instance}:{}|{}", trial.record.nfev, scientific(precision, 1));
    }
    Ok(text)
}

/// The lines of all runs, each behind its header.
fn lines(runs: &[Archived<'_>], rows: impl Fn(&Trial) -> Vec<(u64, f64)>) -> Result<String> {
    let mut text = String::new();
    for Archived { trial, .. } in runs {
        let optimum = trial.place()?.optimum(trial.record.dim)?;
        let _ = writeln!(
            text,
            "% f evaluations | g evaluations | best noise-free fitness - Fopt ({}) + sum g_i+ | measured fitness | best \
             measured fitness or single-digit g-values | x1 | x2...",
            scientific(optimum, 12)
        );
        for (evaluations, best) in rows(trial).into_iter().filter(|(_, best)| best.is_finite()) {
            let sign = |value: f64| format!("{}{}", if value < 0.0 { "" } else { "+" }, scientific(value, 9));
            let _ = writeln!(text, "{evaluations} 0 {} {} {}", sign(best - optimum), sign(best), sign(best));
        }
    }
    Ok(text)
}

/// The staircase and the end of the run.
fn at_precisions(trial: &Trial) -> Vec<(u64, f64)> {
    let record = &trial.record;
    let mut rows = record.curve.clone();
    if rows.last().is_none_or(|last| last.0 < record.nfev) {
        rows.push((record.nfev, record.fun));
    }
    rows
}

/// The best value after 10^(k/20) evaluations, k = 0, 1, .., and at the end of the run.
fn at_evaluations(trial: &Trial) -> Vec<(u64, f64)> {
    let rows = at_precisions(trial);
    let mut counts: Vec<u64> =
        (0..).map(|k| 10f64.powf(f64::from(k) / 20.0) as u64).take_while(|n| *n < trial.record.nfev).collect();
    counts.push(trial.record.nfev);
    counts.dedup();
    counts.into_iter().map(|n| (n, value_at(&rows, n))).collect()
}

/// A number as C's `%.*e` writes it: an exponent has a sign and at least two digits.
fn scientific(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}
