//! The file of `--record`: JSON lines that tell a run from its settings to its result.
//!
//! Every line is an object with a `kind`: one `header`, then `best` whenever the best value improved, with `--trace` an
//! `iteration` after every round, and at the end one `result`. A line is written whole and at once, so a kill leaves a
//! file whose every complete line can be read.

use crate::output::{number, numbers};
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use swarmgrad::{Error, Progress, Reason, Result, Rows, Tape, Watch};

/// Writes the record of a run, as one of its watchers.
pub struct Journal {
    file: File,
    path: String,
    maximize: bool,
    tape: Option<Arc<Mutex<Tape>>>,
    best: f64,
    round: u64,
    bytes: Arc<AtomicU64>,
    failed: Option<Error>,
}

impl Journal {
    /// Starts the file with `header`. With a `tape`, every round is traced with the draws found on it.
    pub fn create(path: &Path, header: Value, maximize: bool, tape: Option<Arc<Mutex<Tape>>>) -> Result<Self> {
        let file = File::create(path).map_err(|why| failed(path, why))?;
        let mut journal = Journal::on(file, path, maximize, tape);
        journal.write(header);
        journal.failed.take().map_or(Ok(journal), Err)
    }

    /// Continues the file after its first `bytes` bytes, where a checkpoint was taken with `best` as the best value
    /// after `round` rounds; what came later will come again.
    pub fn resume(
        path: &Path,
        bytes: u64,
        best: f64,
        round: u64,
        maximize: bool,
        tape: Option<Arc<Mutex<Tape>>>,
    ) -> Result<Self> {
        let open = || -> std::io::Result<File> {
            let mut file = OpenOptions::new().write(true).open(path)?;
            if file.metadata()?.len() < bytes {
                return Err(std::io::Error::other("is shorter than when the checkpoint was written"));
            }
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let mut journal = Journal::on(open().map_err(|why| failed(path, why))?, path, maximize, tape);
        (journal.best, journal.round) = (best, round);
        journal.bytes.store(bytes, Relaxed);
        Ok(journal)
    }

    fn on(file: File, path: &Path, maximize: bool, tape: Option<Arc<Mutex<Tape>>>) -> Self {
        let path = path.display().to_string();
        Journal { file, path, maximize, tape, best: f64::INFINITY, round: 0, bytes: Arc::default(), failed: None }
    }

    /// The length of the file so far, to be read while the run goes on.
    pub fn bytes(&self) -> Arc<AtomicU64> {
        self.bytes.clone()
    }

    /// Writes the last line; an error if any line could not be written.
    pub fn finish(&mut self, result: &Value) -> Result<()> {
        let mut line = json!({"kind": "result"});
        if let (Some(line), Some(result)) = (line.as_object_mut(), result.as_object()) {
            line.extend(result.clone());
        }
        self.write(line);
        self.failed.take().map_or(Ok(()), Err)
    }

    fn write(&mut self, value: Value) {
        let mut line = value.to_string();
        line.push('\n');
        match self.file.write_all(line.as_bytes()).and_then(|()| self.file.flush()) {
            Ok(()) => _ = self.bytes.fetch_add(line.len() as u64, Relaxed),
            Err(why) => self.failed = Some(failed(Path::new(&self.path), why)),
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
        line.insert("round".into(), self.round.into());
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

impl Watch for Journal {
    fn see(&mut self, p: &Progress<'_>) -> ControlFlow<Reason> {
        if let Some(tape) = self.tape.clone() {
            let line = self.trace(p, &tape);
            self.write(line);
        }
        self.round += 1;
        if p.best.value < self.best {
            self.best = p.best.value;
            let fun = if self.maximize { 0.0 - self.best } else { self.best };
            self.write(json!({
                "kind": "best", "iteration": p.best.iteration, "evaluation": p.best.evaluation,
                "fun": number(fun), "x": numbers(&p.best.x),
            }));
        }
        match self.failed {
            Some(_) => ControlFlow::Break(Reason::Method("the record cannot be written".into())),
            None => ControlFlow::Continue(()),
        }
    }
}

fn failed(path: &Path, why: std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), why: why.to_string() }
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
