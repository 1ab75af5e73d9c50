//! Records of finished runs, one JSON object a line.
//!
//! JSON has no infinity and no NaN, yet a failed run has both, so every number of a record goes through [`number`], which
//! writes them as the strings `"inf"`, `"-inf"` and `"nan"`. A record is appended in one write and flushed, so a killed
//! process leaves at most one torn last line; [`read`] skips and reports it.

use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
pub use swarmgrad::number;
use swarmgrad::write_whole;

/// Best value so far against evaluations: `(evaluations, best)`, both counted from the start of the run.
pub type Curve = Vec<(u64, f64)>;

/// One finished run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Record {
    /// Name of the method, as in the registry.
    pub method: String,
    /// Name of the problem.
    pub problem: String,
    /// Number of coordinates.
    pub dim: usize,
    /// The seed of every random number of the run.
    pub seed: u64,
    /// Parameters of the method that differ from its defaults, or all of them. Plain JSON: finite numbers only.
    #[serde(default)]
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Version of the library that made the run.
    #[serde(default)]
    pub version: String,
    /// Best value found.
    #[serde(with = "number")]
    pub fun: f64,
    /// Where it was found, if kept.
    #[serde(default, with = "number::list", skip_serializing_if = "Option::is_none")]
    pub x: Option<Vec<f64>>,
    /// Evaluations spent.
    pub nfev: u64,
    /// Iterations done.
    pub nit: u64,
    /// Evaluations that failed: NaN, a panic, a time-out.
    #[serde(default)]
    pub failures: u64,
    /// Seconds of wall time.
    #[serde(default, with = "number")]
    pub seconds: f64,
    /// Why the run ended.
    #[serde(default)]
    pub reason: String,
    /// The value that counts as success, if there is one.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Evaluations until the target was first reached; absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nfev_to_target: Option<u64>,
    /// Best value so far against evaluations, a staircase.
    #[serde(default, with = "number::curve", skip_serializing_if = "Vec::is_empty")]
    pub curve: Curve,
}

impl Record {
    /// Whether the run reached its target; `None` without a target.
    pub fn solved(&self) -> Option<bool> {
        self.target.map(|target| self.nfev_to_target.is_some() || self.fun <= target)
    }
}

/// Appends records to a file, each in one write of a whole line, so that several processes may append to one file.
#[derive(Debug)]
pub struct RecordWriter {
    file: File,
    path: PathBuf,
    dropped: Option<String>,
}

impl RecordWriter {
    /// Opens the file for appending, creating it (and its folder) if needed. A torn last line left by a killed process is
    /// cut off, so that it does not spoil the next one; [`RecordWriter::dropped`] tells what it was.
    pub fn append(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
        }
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|e| Error::file(path, e))?;
        let mut writer = RecordWriter { file, path: path.to_owned(), dropped: None };
        writer.repair().map_err(|e| Error::file(path, e))?;
        Ok(writer)
    }

    fn repair(&mut self) -> std::io::Result<()> {
        // The last line starts after the last newline; look for it backwards, a block at a time.
        let length = self.file.seek(SeekFrom::End(0))?;
        let (mut start, mut tail) = (length, Vec::new());
        while start > 0 {
            let from = start.saturating_sub(65536);
            let mut block = vec![0; (start - from) as usize];
            self.file.seek(SeekFrom::Start(from))?;
            self.file.read_exact(&mut block)?;
            let newline = block.iter().rposition(|&b| b == b'\n');
            let keep = newline.map_or(0, |i| i + 1);
            block.drain(..keep);
            block.append(&mut tail);
            tail = block;
            start = from + keep as u64;
            if newline.is_some() {
                break;
            }
        }
        if tail.is_empty() {
            Ok(())
        } else if serde_json::from_slice::<serde_json::Value>(&tail).is_ok_and(|v| v.is_object()) {
            self.file.write_all(b"\n")
        } else {
            self.dropped = Some(String::from_utf8_lossy(&tail).into_owned());
            self.file.set_len(start)
        }
    }

    /// The torn last line that was cut off when the file was opened, if there was one.
    pub fn dropped(&self) -> Option<&str> {
        self.dropped.as_deref()
    }

    /// Appends one record (a [`Record`] or anything else that serialises to a JSON object) and flushes.
    pub fn write<T: Serialize>(&mut self, record: &T) -> Result<()> {
        let mut line = serde_json::to_vec(record).map_err(|e| Error::file(&self.path, e))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.flush()).map_err(|e| Error::file(&self.path, e))
    }
}

/// What [`read`] found in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Records<T = Record> {
    /// The whole records, in the order of the file.
    pub records: Vec<T>,
    /// The torn last line, if the file ends in one.
    pub torn: Option<Torn>,
}

/// A last line without an end that is no record: what a killed process leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Its number, counted from one.
    pub line: usize,
    /// What there is of it.
    pub text: String,
}

/// Reads a file of JSON lines. Empty lines are skipped and so is a torn last line, which is reported; any other line that is
/// no `T` is an error that names the file and the line.
pub fn read<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<Records<T>> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, e))?;
    let (mut records, mut torn) = (Vec::new(), None);
    for (i, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(record) => records.push(record),
            // Without a newline and not even JSON: torn. JSON of the wrong shape is an error wherever it stands.
            Err(e) if !line.ends_with(b"\n") && !e.is_data() => {
                torn = Some(Torn { line: i + 1, text: String::from_utf8_lossy(line).into_owned() });
            }
            Err(e) => {
                return Err(Error::Line { path: path.display().to_string(), line: i + 1, why: e.to_string() });
            }
        }
    }
    Ok(Records { records, torn })
}

/// Collects the staircase of improvements of one run in bounded memory.
///
/// ```
/// use swarmgrad_lab::History;
/// let mut history = History::new(200).target(1e-8);
/// for evaluations in 1..=1_000_000u64 {
///     history.push(evaluations, 1.0 / evaluations as f64);
/// }
/// let curve = history.finish(1_000_000);
/// assert!(curve.len() <= 200);
/// ```
#[derive(Debug, Clone)]
pub struct History {
    points: Curve,
    limit: usize,
    target: Option<f64>,
    reached: Option<u64>,
}

impl History {
    /// At most `limit` points in the end (at least two).
    pub fn new(limit: usize) -> Self {
        History { points: Vec::new(), limit: limit.max(2), target: None, reached: None }
    }

    /// Also notes when the best value first was at most `target`, exactly, whatever is thinned later.
    #[must_use]
    pub fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    /// Takes the best value after so many evaluations; only improvements (and the first value) are kept. NaN counts as infinity.
    pub fn push(&mut self, evaluations: u64, best: f64) {
        let best = if best.is_nan() { f64::INFINITY } else { best };
        if self.reached.is_none() && self.target.is_some_and(|t| best <= t) {
            self.reached = Some(evaluations);
        }
        if self.points.last().is_some_and(|&(_, last)| best >= last) {
            return;
        }
        self.points.push((evaluations, best));
        if self.points.len() > 4 * self.limit {
            self.points = thin(&self.points, 2 * self.limit);
        }
    }

    /// Evaluations until the target was first reached.
    pub fn nfev_to_target(&self) -> Option<u64> {
        self.reached
    }

    /// The curve, thinned, with a last point at the end of the run so that it is known how far the run went.
    pub fn finish(mut self, nfev: u64) -> Curve {
        if let Some(&(evaluations, best)) = self.points.last()
            && evaluations < nfev
        {
            self.points.push((nfev, best));
        }
        thin(&self.points, self.limit)
    }
}

/// Thins a staircase to at most `limit` points (at least two), evenly on a logarithmic scale of evaluations. The first and the
/// last point stay, and of every stretch its last point, so the thinned staircase never claims a value before it was reached.
pub fn thin(curve: &[(u64, f64)], limit: usize) -> Curve {
    let limit = limit.max(2);
    let (Some(&first), Some(&last)) = (curve.first(), curve.last()) else { return Vec::new() };
    if curve.len() <= limit {
        return curve.to_vec();
    }
    let position = |n: u64| (n.max(1) as f64).ln();
    let (low, high) = (position(first.0), position(last.0));
    let cut = |stretches: f64| -> Curve {
        let stretch = |n: u64| ((position(n) - low) / (high - low).max(f64::MIN_POSITIVE) * stretches) as u64;
        let mut kept = vec![first];
        let mut open = None;
        for &point in &curve[1..] {
            let here = stretch(point.0);
            if open == Some(here) && kept.len() > 1 {
                *kept.last_mut().expect("the first point") = point;
            } else {
                kept.push(point);
                open = Some(here);
            }
        }
        kept
    };
    // Stretches without a point leave room: as many stretches as keep within the limit. No stretch: the two ends.
    let (mut fits, mut kept, mut too_many) = (0_u64, vec![first, last], 1_000_000_000_u64);
    while fits + 1 < too_many {
        let middle = fits.midpoint(too_many);
        let found = cut(middle as f64);
        if found.len() <= limit { (fits, kept) = (middle, found) } else { too_many = middle }
    }
    kept
}

/// The value of a staircase after so many evaluations: infinity before its first point.
pub fn value_at(curve: &[(u64, f64)], evaluations: u64) -> f64 {
    match curve.partition_point(|&(n, _)| n <= evaluations) {
        0 => f64::INFINITY,
        i => curve[i - 1].1,
    }
}
/// The state of an unfinished piece of work in a file beside the records of finished ones: a line of JSON, then the bytes that
/// continue it.
pub struct Checkpoint {
    path: PathBuf,
    written: Instant,
}

impl Checkpoint {
    /// The place for the work that `about` describes, beside the file `records`. Nothing is read or written yet.
    pub fn new(records: &Path, about: &impl Serialize) -> Self {
        // FNV-1a of the description: it only has to tell pieces of work apart, and what is read is checked by who reads it.
        let text = serde_json::to_vec(about).unwrap_or_default();
        let hash =
            text.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let mut name = records.as_os_str().to_owned();
        name.push(format!(".{hash:016x}.part"));
        Checkpoint { path: name.into(), written: Instant::now() }
    }

    /// What was kept last, if there is any that can be read.
    pub fn read<T: DeserializeOwned>(&self) -> Option<(T, Vec<u8>)> {
        let mut bytes = std::fs::read(&self.path).ok()?;
        let line = bytes.iter().position(|&byte| byte == b'\n')?;
        let state = bytes.split_off(line + 1);
        Some((serde_json::from_slice(&bytes).ok()?, state))
    }

    /// Keeps a state instead of the last one, whole or not at all, if that is a second old.
    ///
    /// # Errors
    /// A state that cannot be saved, a file that cannot be written.
    pub fn keep(&mut self, head: &impl Serialize, state: impl FnOnce() -> swarmgrad::Result<Vec<u8>>) -> Result<()> {
        if self.written.elapsed() < KEEP {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec(head).map_err(|why| Error::value("a checkpoint", "", why.to_string()))?;
        bytes.push(b'\n');
        bytes.extend(state()?);
        self.written = Instant::now();
        Ok(write_whole(&self.path, &bytes)?)
    }

    /// Removes it: the work is finished and recorded.
    pub fn remove(&self) {
        // It may never have been written, or be gone already.
        drop(std::fs::remove_file(&self.path));
    }
}

/// The time between two states that are kept.
const KEEP: Duration = Duration::from_secs(1);
