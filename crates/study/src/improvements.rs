//! The file of `--record-best`: JSON lines that tell a run from its settings over its improvements to its result.
//!
//! Every line is an object with a `kind`: one `header`, then `best` whenever the best value improved, with `--trace` an
//! `iteration` after every round, and at the end one `result`. A line is written whole and at once, so a kill leaves a
//! file whose every complete line can be read.

use crate::lock::Lock;
use crate::number::{number, numbers, point};
use crate::study::Plan;
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use swarmgrad_core::state::{self, Place};
use swarmgrad_core::{Error, Progress, Reason, Result, Rows, Space, Tape, Watch, better_constrained};
use swarmgrad_problems::TestProblem;

/// Writes the improvements of a run, as one of its watchers.
pub(crate) struct Improvements {
    file: File,
    /// Held until the end; there is none on what is no file.
    lock: Option<Lock>,
    path: PathBuf,
    maximize: bool,
    space: Space,
    tape: Option<Arc<Mutex<Tape>>>,
    best: f64,
    /// How far the best point violates the constraints.
    violation: f64,
    rounds: u64,
    bytes: Arc<AtomicU64>,
    failed: Option<Error>,
}

impl Improvements {
    /// Begins the file with a header, or continues it after its first `from` bytes, where a checkpoint was taken; what came later
    /// will come again. With a `tape` every round is traced with the draws found on it. `bytes` is kept at the file's length.
    pub(crate) fn open(
        path: &Path,
        from: Option<u64>,
        plan: &Plan,
        test: Option<&dyn TestProblem>,
        tape: Option<Arc<Mutex<Tape>>>,
        bytes: Arc<AtomicU64>,
    ) -> Result<Self> {
        let wrong = |why| failed(path, why);
        let (lock, device) = match state::place(path)? {
            Place::File(place) => (Some(Lock::take(&place, path)?), false),
            Place::Device => (None, true),
        };
        let open = |from: Option<u64>| -> std::io::Result<File> {
            if device {
                return state::open_device(path);
            }
            let Some(from) = from else { return File::create(path) };
            let mut file = OpenOptions::new().write(true).open(path)?;
            if file.metadata()?.len() < from {
                return Err(std::io::Error::other("is shorter than when the checkpoint was written"));
            }
            file.set_len(from)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open(from).map_err(wrong)?;
        bytes.store(from.unwrap_or(0), Relaxed);
        let (path, maximize, space) = (path.to_owned(), plan.study.maximize, plan.space.clone());
        let (best, violation, rounds, failed) = (f64::INFINITY, f64::INFINITY, 0, None);
        let mut new = Improvements { file, lock, path, maximize, space, tape, best, violation, rounds, bytes, failed };
        if from.is_none() || device {
            new.write(&header(plan, test));
        } else {
            (new.best, new.violation, new.rounds) = last(&new.path, maximize).map_err(wrong)?;
        }
        new.failed.take().map_or(Ok(new), Err)
    }

    /// The file, for a checkpoint to put on the disk what it counts on; none on what is no file.
    pub(crate) fn file(&self) -> Option<File> {
        self.lock.as_ref().and_then(|_| self.file.try_clone().ok())
    }

    /// Writes the last line and puts all on the disk; an error if any line could not be written.
    pub(crate) fn finish(&mut self, result: &Value) -> Result<()> {
        let mut line = json!({"kind": "result"});
        if let (Some(line), Some(result)) = (line.as_object_mut(), result.as_object()) {
            line.extend(result.clone());
        }
        self.write(&line);
        if let (Some(_), Err(why)) = (&self.lock, state::sync(&self.file)) {
            self.failed = Some(failed(&self.path, why));
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    fn write(&mut self, value: &Value) {
        let mut line = value.to_string();
        line.push('\n');
        match self.file.write_all(line.as_bytes()).and_then(|()| self.file.flush()) {
            Ok(()) => _ = self.bytes.fetch_add(line.len() as u64, Relaxed),
            Err(why) => self.failed = Some(failed(&self.path, why)),
        }
    }

    /// The values as the user means them.
    fn shown(&self, values: &[f64]) -> Value {
        values.iter().map(|&value| number(if self.maximize { 0.0 - value } else { value })).collect()
    }

    fn trace(&self, p: &Progress<'_>, tape: &Mutex<Tape>) -> Value {
        let mut line = Map::new();
        line.insert("kind".into(), "iteration".into());
        line.insert("iteration".into(), p.iteration.into());
        line.insert("round".into(), self.rounds.into());
        line.insert("evaluations".into(), p.evaluations.into());
        line.insert("draws".into(), draws(tape));
        line.insert("values".into(), self.shown(p.values));
        let view = p.algorithm.view();
        for (name, rows) in view.matrices {
            line.insert(name.into(), matrix(rows));
        }
        for (name, vector) in view.vectors {
            // Vectors under f are values of the problem, the others points or numbers of the method.
            let value = if name.starts_with('f') { self.shown(vector) } else { numbers(vector) };
            line.insert(name.into(), value);
        }
        for (name, value) in view.numbers {
            line.insert(name.into(), number(value));
        }
        Value::Object(line)
    }
}

impl Watch for Improvements {
    fn see(&mut self, p: &Progress<'_>) -> ControlFlow<Reason> {
        if let Some(tape) = self.tape.clone() {
            let line = self.trace(p, &tape);
            self.write(&line);
        }
        self.rounds += 1;
        if better_constrained((p.best.violation, p.best.value), (self.violation, self.best)) {
            (self.violation, self.best) = (p.best.violation, p.best.value);
            let fun = if self.maximize { 0.0 - self.best } else { self.best };
            let mut line = json!({
                "kind": "best", "iteration": p.best.iteration, "evaluation": p.best.evaluation,
                "fun": number(fun), "x": point(&self.space, &p.best.x),
            });
            if !p.best.constraints.is_empty() {
                line["violation"] = number(p.best.violation);
                line["constraints"] = numbers(&p.best.constraints);
            }
            self.write(&line);
        }
        ControlFlow::Continue(())
    }
}

fn failed(path: &Path, why: std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), why: why.to_string() }
}

/// The best value and the rounds that a file tells of.
fn last(path: &Path, maximize: bool) -> std::io::Result<(f64, f64, u64)> {
    let (mut best, mut violation, mut rounds) = (f64::INFINITY, f64::INFINITY, 0);
    for line in BufReader::new(File::open(path)?).lines() {
        let line: Value = serde_json::from_str(&line?).unwrap_or_default();
        match line["kind"].as_str() {
            Some("best") => {
                best = line["fun"].as_f64().map_or(best, |fun| if maximize { 0.0 - fun } else { fun });
                violation = line.get("violation").map_or(0.0, |v| v.as_f64().unwrap_or(f64::INFINITY));
            }
            Some("iteration") => rounds = line["round"].as_u64().unwrap_or(0) + 1,
            _ => {}
        }
    }
    Ok((best, violation, rounds))
}

fn header(plan: &Plan, test: Option<&dyn TestProblem>) -> Value {
    let Plan { study, space, .. } = plan;
    json!({
        "kind": "header", "program": "swarmgrad", "version": env!("CARGO_PKG_VERSION"),
        "method": plan.entry.name, "params": plan.parameters(), "runs": study.runs,
        "problem": study.problem, "exec": study.program.as_ref().map(|program| &program.command), "dim": space.dim(),
        "seed": study.seed, "lower": numbers(space.lower()), "upper": numbers(space.upper()), "outside": study.outside,
        "variables": study.variables, "maximize": study.maximize, "minimum": test.and_then(|test| test.minimum()).map(number), "evaluations": plan.budget,
        "iterations": study.iterations, "target": study.target.map(number), "patience": study.patience, "tolerance": study.tolerance.map(number), "seconds": study.time,
    })
}

fn matrix(rows: Rows<'_>) -> Value {
    rows.iter().map(numbers).collect()
}

/// The draws of a round by stream: a list of rows where they are rows 0, 1, 2, ..., otherwise an object by row number.
fn draws(tape: &Mutex<Tape>) -> Value {
    let drawn = tape.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    let mut streams: Vec<(String, Vec<(usize, Value)>)> = Vec::new();
    for (stream, _, row, values) in drawn {
        match streams.iter_mut().find(|(name, _)| *name == stream) {
            Some((_, rows)) => rows.push((row, numbers(&values))),
            None => streams.push((stream, vec![(row, numbers(&values))])),
        }
    }
    let value = |rows: Vec<(usize, Value)>| match rows.iter().enumerate().all(|(k, (row, _))| k == *row) {
        true => rows.into_iter().map(|(_, values)| values).collect(),
        false => rows.into_iter().map(|(row, values)| (row.to_string(), values)).collect::<Map<_, _>>().into(),
    };
    streams.into_iter().map(|(name, rows)| (name, value(rows))).collect::<Map<_, _>>().into()
}
