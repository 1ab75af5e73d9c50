//! Journal: the record of a run, from which it can be continued. A line is written for each evaluation before its value is used.
//!
//! A journal is a file of JSON lines. The first is the header, then comes a line an evaluation, and in the end the result; notes
//! may stand between them. The last member of each line is a CRC-32 of the line before that member, begun with the CRC of the
//! line before, so that no line can be changed, lost or put elsewhere unseen. In Python:
//!
//! ```text
//! crc = 0
//! for line in open("run.jsonl", "rb"):
//!     crc = zlib.crc32(line[:line.rindex(b',"crc":')], crc)
//!     assert json.loads(line)["crc"] == f"{crc:08x}"
//! ```
//!
//! Values and gradients stand there with the sign of the user's problem; in memory they are to be minimised, as everywhere.
//! Numbers that JSON does not have are the texts `"nan"`, `"inf"` and `"-inf"`.
//!
//! ```
//! # use swarmgrad_study::journal::{Header, Journal, replay};
//! # use swarmgrad_core::{Evaluation, Limits, Session, Space};
//! # let path = std::env::temp_dir().join(format!("swarmgrad-journal-example-{}.jsonl", std::process::id()));
//! # let space = Space::cube(2, -5.0, 5.0)?;
//! # let method = || swarmgrad_algorithms::registry::entry("de")?.build(&space, None, &Default::default());
//! let mut journal = Journal::create(&path, &Header::new(serde_json::json!({"method": "de"})))?;
//! let mut session = Session::new(method()?, 42).limits(Limits::evaluations(100)).watch_by(&mut journal);
//! let batch = session.ask(30);
//! for (id, x) in batch.points() {
//!     session.tell(id, Evaluation::of(x[0] * x[0] + x[1] * x[1]))?;
//! }
//! drop(session);
//! drop(journal);
//!
//! // Later, or after a crash:
//! let (mut journal, contents) = Journal::append(&path)?;
//! let mut session = Session::new(method()?, 42).limits(Limits::evaluations(100)).watch_by(&mut journal);
//! assert_eq!(replay(&mut session, &contents)?.evaluations, batch.len() as u64);
//! # drop(session);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

mod read;
#[cfg(test)]
mod tests;

pub use read::{Contents, Line, read, visit};

use crate::lock::{Lock, failed};
use crate::number::typed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use swarmgrad_core::state::{self, Place};
use swarmgrad_core::{Asked, Evaluation, Instant, Progress, Real, Reason, Result, Session, Space, Told, Watch};

/// The version of the form.
const FORMAT: u64 = 1;
/// How every journal begins.
const BEGINNING: &[u8] = br#"{"kind":"header","program":"swarmgrad","#;
/// How the line of an evaluation begins.
const EVALUATION: &[u8] = br#"{"kind":"evaluation","#;
/// Length of the last member and what follows it, the newline not counted.
const CRC: usize = r#","crc":"01234567"}"#.len();

/// An evaluation that took so long is with the system before anything else happens; so is one that comes so long after the
/// last time that something was.
const DEAR: Duration = Duration::from_millis(1);
/// An evaluation that took so long is put on the disk at once.
const SLOW: Duration = Duration::from_millis(50);
/// All others are put on the disk so often.
const SYNC: Duration = Duration::from_secs(1);
/// Bytes that are handed to the system together at most.
const TOGETHER: usize = 1 << 16;

/// The first line of a journal: what the run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of swarmgrad that began the journal.
    pub version: String,
    /// What tells the study from others: see [`digest`].
    pub digest: String,
    /// What the user said of the run.
    pub study: Value,
    /// The names of the coordinates, where they have any; points are then objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether the user maximises: the values in the file have the other sign than those in memory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maximize: bool,
    /// Whatever else the caller wants to keep.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Header {
    /// The header of a study that is minimised, written by this version.
    pub fn new(study: Value) -> Self {
        let (version, digest) = (env!("CARGO_PKG_VERSION").to_owned(), digest(&study));
        Header { version, digest, study, names: Vec::new(), maximize: false, more: Map::new() }
    }

    /// Gives the coordinates names.
    pub fn names(self, names: Vec<String>) -> Self {
        Header { names, ..self }
    }

    /// Says that the user maximises.
    pub fn maximize(self, maximize: bool) -> Self {
        Header { maximize, ..self }
    }
}

/// What tells a study from others: the first 16 digits of the SHA-256 of its JSON with sorted names and no spaces.
pub fn digest(study: &Value) -> String {
    let mut text = String::new();
    canonical(study, &mut text);
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (k, (name, value)) in members.into_iter().enumerate() {
                text.push_str(if k > 0 { "," } else { "" });
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (k, value) in values.iter().enumerate() {
                text.push_str(if k > 0 { "," } else { "" });
                canonical(value, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// Where the lines go.
trait Medium: Send {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        state::sync(self)
    }
}

/// The journal of a run that is being written: a watcher.
///
/// An evaluation that took a millisecond or more is with the operating system before its value is used, so that killing the run
/// does not lose it; faster ones are handed over together, a millisecond's worth at most. One of 50 ms or more is put on the
/// disk at once, as far as that takes at most a third of the time, all others once a second.
///
/// Where a line cannot be written, because the disk is full or the like, the run goes on; the lines stay in memory and are tried
/// again with every further one. [`Journal::trouble`] says so.
pub struct Journal {
    path: PathBuf,
    medium: Box<dyn Medium>,
    lock: Option<Lock>,
    /// `"name":` of each coordinate.
    names: Vec<String>,
    /// Where the variables have types.
    space: Option<Space>,
    maximize: bool,
    crc: u32,
    /// Lines, or the rest of one, that the system has not taken.
    pending: Vec<u8>,
    /// How much of that it has refused already.
    refused: usize,
    round: Option<(u64, u32)>,
    hash: Vec<u8>,
    handed: Instant,
    synced: Instant,
    sync_took: Duration,
    /// Whether nobody knows what an evaluation costs: it came from outside.
    outside: bool,
    /// Whether something is with the system and not on the disk, and whether it should be there by now.
    unsynced: bool,
    urgent: bool,
    trouble: Option<String>,
    /// What no further line can mend.
    lost: Option<String>,
}

impl Journal {
    /// Begins a journal, in a new file or in one that holds nothing. What is no file (`/dev/stdout`, a pipe) is written too, but
    /// nothing can be continued from it.
    ///
    /// # Errors
    /// A path that cannot be written, that holds something already, or that another process is writing.
    pub fn create(path: &Path, header: &Header) -> Result<Self> {
        let failed = |why: io::Error| failed(path, why.to_string());
        let (file, lock) = match state::place(path)? {
            Place::Device => (state::open_device(path).map_err(failed)?, None),
            Place::File(place) => {
                let lock = Lock::take(&place, path)?;
                if !read::is_blank(&place).map_err(failed)? {
                    return Err(self::failed(
                        path,
                        "it holds something already; continue it, or write another file".into(),
                    ));
                }
                let file = OpenOptions::new().append(true).create(true).open(&place).map_err(failed)?;
                file.set_len(0).map_err(failed)?;
                state::sync_folder(&place);
                (file, Some(lock))
            }
        };
        let mut journal = Journal::over(path, Box::new(file), lock, 0, header);
        journal.header(header)?;
        Ok(journal)
    }

    /// Goes on with a journal: reads it and cuts off a torn end.
    ///
    /// # Errors
    /// A file that cannot be read or written, is no journal, is damaged, or is being written by another process.
    pub fn append(path: &Path) -> Result<(Self, Contents)> {
        let failed = |why: io::Error| failed(path, why.to_string());
        let Place::File(place) = state::place(path)? else {
            return Err(self::failed(path, "nothing can be continued from what is no file".into()));
        };
        // Before the lock, which would leave a file beside one that is missing.
        let file = OpenOptions::new().append(true).open(&place).map_err(failed)?;
        let lock = Lock::take(&place, path)?;
        let contents = read(path)?;
        if contents.torn > 0 {
            file.set_len(contents.end).and_then(|()| state::sync(&file)).map_err(failed)?;
        }
        let header = &contents.header;
        Ok((Journal::over(path, Box::new(file), Some(lock), contents.crc, header), contents))
    }

    fn over(path: &Path, medium: Box<dyn Medium>, lock: Option<Lock>, crc: u32, header: &Header) -> Self {
        let now = Instant::now();
        Journal {
            path: path.to_owned(),
            medium,
            lock,
            space: None,
            names: header.names.iter().map(|name| format!("{}:", Value::from(name.as_str()))).collect(),
            maximize: header.maximize,
            crc,
            pending: Vec::new(),
            refused: 0,
            round: None,
            hash: Vec::new(),
            handed: now,
            synced: now,
            sync_took: Duration::ZERO,
            outside: false,
            unsynced: false,
            urgent: false,
            trouble: None,
            lost: None,
        }
    }

    /// Writes the first line, which must be there before anything is evaluated.
    fn header(&mut self, header: &Header) -> Result<()> {
        #[derive(Serialize)]
        struct First<'a> {
            kind: &'a str,
            program: &'a str,
            format: u64,
            #[serde(flatten)]
            header: &'a Header,
        }
        let first = First { kind: "header", program: "swarmgrad", format: FORMAT, header };
        let mut text = serde_json::to_vec(&first).map_err(|why| failed(&self.path, why.to_string()))?;
        text.pop();
        self.pending = text;
        self.seal(0);
        self.finish();
        match self.trouble() {
            // What cannot begin is not tried again when it is dropped.
            Some(why) => {
                self.pending.clear();
                Err(failed(&self.path, why))
            }
            None => Ok(()),
        }
    }

    /// Writes the result of the run, the members of an object. Evaluations may follow it if the run is continued.
    pub fn result(&mut self, result: &Value) {
        self.remark("result", result);
    }

    /// Writes a note, the members of an object.
    pub fn note(&mut self, note: &Value) {
        self.remark("note", note);
    }

    fn remark(&mut self, kind: &str, value: &Value) {
        let from = self.pending.len();
        self.pending.extend(format!("{{\"kind\":\"{kind}\"").bytes());
        let mut member = |name: &str, value: &Value| {
            self.pending.extend(format!(",{}:{value}", Value::from(name)).bytes());
        };
        match value {
            Value::Object(members) => {
                let own = |name: &str| name == "kind" || name == "crc";
                members.iter().filter(|(name, _)| !own(name)).for_each(|(name, value)| member(name, value));
            }
            plain => member(kind, plain),
        }
        self.seal(from);
        self.finish();
    }

    /// Hands everything over and puts it on the disk.
    pub fn finish(&mut self) {
        self.hand_over();
        self.sync();
    }

    /// Says what the points mean: those of a space of typed variables are written as their values, with the point of the box
    /// beside them as `u`.
    pub fn of(mut self, space: &Space) -> Self {
        self.space = (!space.variables().is_empty()).then(|| space.clone());
        self
    }

    /// Says that the values come from outside, who knows how dear: a round is with the system before the next one is asked for, and is put
    /// on the disk as one that took long.
    pub fn of_outside(mut self) -> Self {
        self.outside = true;
        self
    }

    /// What could not be kept so far, and why; lines that were written in the end are none.
    pub fn trouble(&self) -> Option<String> {
        let waiting = self.pending.iter().filter(|&&byte| byte == b'\n').count();
        match (&self.lost, &self.trouble) {
            (Some(why), _) => Some(why.clone()),
            (None, Some(why)) => Some(format!("{why}; {waiting} lines are not in it")),
            (None, None) => None,
        }
    }

    /// Ends the line that begins at this place of what is pending.
    fn seal(&mut self, from: usize) {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.crc);
        hasher.update(&self.pending[from..]);
        self.crc = hasher.finalize();
        self.pending.extend(br#","crc":""#);
        hex(&mut self.pending, self.crc);
        self.pending.extend(b"\"}\n");
    }

    fn evaluation<F: Real>(&mut self, told: &Told<'_, F>) {
        let from = self.pending.len();
        let line = &mut self.pending;
        let sign = |value: F| if self.maximize { -value.f64() } else { value.f64() };
        let Evaluation {
            value,
            parts,
            constraints,
            gradient,
            failure,
            seconds,
            worker,
            attempt,
            evaluations,
            gradients,
        } = told.evaluation;
        line.extend(EVALUATION);
        integer(line, r#""id":"#, told.id.0);
        integer(line, r#","round":"#, told.round);
        integer(line, r#","row":"#, told.row as u64);
        line.extend(br#","x":"#);
        if let Some(space) = &self.space {
            // What the point means, and the point of the box that the method moves in.
            let x: Vec<f64> = told.x.iter().map(|x| x.f64()).collect();
            for (k, (name, value)) in self.names.iter().zip(space.decode(&x)).enumerate() {
                line.push(if k == 0 { b'{' } else { b',' });
                line.extend(name.as_bytes());
                line.extend(typed(&value).to_string().bytes());
            }
            line.extend(br#"},"u":"#);
            numbers(line, x.into_iter());
        } else if self.names.len() == told.x.len() && !self.names.is_empty() {
            for (k, (name, x)) in self.names.iter().zip(told.x).enumerate() {
                line.push(if k == 0 { b'{' } else { b',' });
                line.extend(name.as_bytes());
                number(line, x.f64());
            }
            line.push(b'}');
        } else {
            numbers(line, told.x.iter().map(|x| x.f64()));
        }
        line.extend(br#","value":"#);
        number(line, sign(*value));
        if !parts.is_empty() {
            line.extend(br#","parts":"#);
            numbers(line, parts.iter().map(|&part| sign(part)));
        }
        if !constraints.is_empty() {
            line.extend(br#","constraints":"#);
            numbers(line, constraints.iter().map(|c| c.f64()));
        }
        if !gradient.is_empty() {
            line.extend(br#","gradient":"#);
            numbers(line, gradient.iter().map(|&g| sign(g)));
        }
        if let Some(failure) = failure {
            line.extend(br#","failure":""#);
            line.extend(failure.kind().as_bytes());
            line.push(b'"');
            if !failure.text().is_empty() {
                line.extend(format!(",\"text\":{}", Value::from(failure.text())).bytes());
            }
        }
        line.extend(br#","seconds":"#);
        number(line, if seconds.is_finite() { (seconds * 1e9).round() / 1e9 } else { 0.0 });
        integer(line, r#","worker":"#, u64::from(*worker));
        integer(line, r#","attempt":"#, u64::from(*attempt));
        if told.late {
            line.extend(br#","late":true"#);
        }
        if told.settling {
            line.extend(br#","again":true"#);
        }
        if *evaluations != 1 {
            integer(line, r#","evaluations":"#, *evaluations);
        }
        if *gradients != 0 {
            integer(line, r#","gradients":"#, *gradients);
        }
        if let Some((_, hash)) = self.round.filter(|(round, _)| *round == told.round) {
            line.extend(br#","asked":""#);
            hex(line, hash);
            line.push(b'"');
        }
        self.seal(from);
    }

    /// Does what is due after an evaluation that took so long.
    fn commit(&mut self, seconds: f64) {
        if self.pending.is_empty() && !self.unsynced {
            return;
        }
        let now = Instant::now();
        let full = self.pending.len() >= self.refused + TOGETHER;
        if seconds >= DEAR.as_secs_f64() || now - self.handed >= DEAR || full {
            self.hand_over();
        }
        self.urgent |= seconds >= SLOW.as_secs_f64();
        let since = now - self.synced;
        if since >= SYNC || self.urgent && since >= 2 * self.sync_took {
            self.sync();
        }
    }

    /// Gives the system what it takes.
    fn hand_over(&mut self) {
        if self.is_superseded(false) {
            return;
        }
        while !self.pending.is_empty() {
            match self.medium.write(&self.pending) {
                Ok(0) => self.trouble = Some("the system takes nothing more".into()),
                Ok(bytes) => {
                    // What was taken of a line in part is not written twice.
                    self.pending.drain(..bytes);
                    self.unsynced = true;
                    continue;
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => self.trouble = Some(why.to_string()),
            }
            break;
        }
        if self.pending.is_empty() {
            self.trouble = None;
        }
        (self.refused, self.handed) = (self.pending.len(), Instant::now());
    }

    /// Puts on the disk what the system has.
    fn sync(&mut self) {
        if !self.unsynced || self.is_superseded(true) {
            return;
        }
        let begin = Instant::now();
        if let Err(why) = self.medium.sync() {
            // The system may have dropped what it had; asking again would not bring it back.
            self.lost.get_or_insert(format!("not all of it may be on the disk: {why}"));
        }
        self.synced = Instant::now();
        self.sync_took = self.synced - begin;
        (self.unsynced, self.urgent) = (false, false);
    }

    /// Whether another process has taken the journal over: nothing is written then.
    fn is_superseded(&mut self, now: bool) -> bool {
        let Some(lock) = &self.lock else { return false };
        if (now || !lock.holds())
            && let Some(other) = lock.superseded()
        {
            self.lost = Some(format!("{other} writes it now; the rest of this run is not in it"));
            self.lock = None;
            self.medium = Box::new(Closed);
            self.unsynced = false;
        }
        self.lock.is_none()
    }
}

/// What is left of a journal that another process has taken over.
struct Closed;

impl Medium for Closed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.finish();
    }
}

impl<F: Real> Watch<F> for Journal {
    fn see(&mut self, _progress: &Progress<'_, F>) -> ControlFlow<Reason> {
        self.commit(if self.outside { SLOW.as_secs_f64() } else { 0.0 });
        ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        true
    }

    fn asked(&mut self, asked: &Asked<'_, F>) {
        self.round = Some((asked.round, hash(asked, &mut self.hash)));
    }

    fn evaluated(&mut self, told: &Told<'_, F>) {
        if !told.repeated {
            self.evaluation(told);
            self.commit(told.evaluation.seconds);
        }
    }
}

/// CRC-32 of the number of a round and the bits of all its points.
fn hash<F: Real>(asked: &Asked<'_, F>, bytes: &mut Vec<u8>) -> u32 {
    bytes.clear();
    bytes.extend(asked.round.to_le_bytes());
    for x in asked.xs.data() {
        let x = x.f64();
        bytes.extend(if x.is_nan() { f64::NAN } else { x }.to_bits().to_le_bytes());
    }
    crc32fast::hash(bytes)
}

fn hex(line: &mut Vec<u8>, number: u32) {
    let digit = |shift: u32| b"0123456789abcdef"[(number >> shift & 15) as usize];
    line.extend([28, 24, 20, 16, 12, 8, 4, 0].map(digit));
}

fn integer(line: &mut Vec<u8>, before: &str, number: u64) {
    line.extend(before.as_bytes());
    // Writing to memory does not fail.
    drop(write!(line, "{number}"));
}

fn number(line: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = match value {
        finite if finite.is_finite() => buffer.format_finite(finite),
        nan if nan.is_nan() => r#""nan""#,
        f64::INFINITY => r#""inf""#,
        _ => r#""-inf""#,
    };
    line.extend(text.as_bytes());
}

fn numbers(line: &mut Vec<u8>, values: impl Iterator<Item = f64>) {
    line.push(b'[');
    for (k, value) in values.enumerate() {
        if k > 0 {
            line.push(b',');
        }
        number(line, value);
    }
    line.push(b']');
}

/// Moves a journal out of the way, to the first of `FILE.1`, `FILE.2`, ... that is free, and returns where it is.
///
/// # Errors
/// A file that is missing, cannot be moved, or is being written by another process.
pub fn rotate(path: &Path) -> Result<PathBuf> {
    let failed = |why: io::Error| failed(path, why.to_string());
    let Place::File(place) = state::place(path)? else {
        return Err(self::failed(path, "what is no file cannot be moved out of the way".into()));
    };
    fs::metadata(&place).map_err(failed)?;
    let _lock = Lock::take(&place, path)?;
    let free = (1_u64..).map(|n| {
        let mut name = place.clone().into_os_string();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    });
    let free = free.filter(|name| fs::symlink_metadata(name).is_err()).take(1);
    let name = free.last().unwrap_or_else(|| place.clone());
    fs::rename(&place, &name).map_err(failed)?;
    state::sync_folder(&name);
    Ok(name)
}

/// What a replay has told again.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Replayed {
    /// Evaluations.
    pub evaluations: u64,
    /// Seconds that they had taken altogether.
    pub seconds: f64,
}

/// Tells a new session everything that a journal holds: it takes the course of the recorded run, and hands out only what is
/// missing. New evaluations at the end of a noisy run are left out where this session, with a larger budget, searches on.
///
/// # Errors
/// A session that asks for other points than the recorded one did, or ends before the record does.
pub fn replay<F: Real>(session: &mut Session<'_, F>, contents: &Contents) -> Result<Replayed> {
    let mut replayed = Replayed::default();
    let (mut seen, mut bytes) = (None, Vec::new());
    let list = |values: &[f64]| values.iter().map(|&value| F::of(value)).collect::<Vec<F>>();
    for (n, line) in contents.evaluations.iter().enumerate() {
        let (x, known) = (list(&line.x), &line.evaluation);
        let evaluation = Evaluation {
            value: F::of(known.value),
            parts: list(&known.parts),
            constraints: list(&known.constraints),
            gradient: list(&known.gradient),
            failure: known.failure.clone(),
            seconds: known.seconds,
            worker: known.worker,
            attempt: known.attempt,
            evaluations: known.evaluations,
            gradients: known.gradients,
        };
        let told = match line.again {
            true => session.repeat_settling(line.id, &x, &evaluation),
            false => session.repeat(line.id, line.late, &x, &evaluation).map(|()| true),
        };
        // A round is looked at once, as long as there are points of it that no line shows.
        let asked =
            session.asked().filter(|asked| told == Ok(true) && asked.round == line.round && seen != Some(line.round));
        let other = asked.zip(line.asked).is_some_and(|(asked, known)| {
            seen = Some(line.round);
            hash(&asked, &mut bytes) != known
        });
        match told {
            Ok(true) if !other => {
                replayed.evaluations += known.evaluations;
                replayed.seconds += known.seconds;
            }
            Ok(false) => {}
            told => {
                let path = contents.path.display();
                let ended = session.ended().filter(|_| told.is_err() && !line.late);
                return Err(failed(
                    &contents.path,
                    match ended {
                        Some(reason) => format!(
                            "this run ends after {n} evaluations ({reason}), and the record holds {}: it was made with wider limits",
                            contents.evaluations.len()
                        ),
                        None => format!(
                            "this version of swarmgrad (or another machine) asks for other points than the record holds from \
                         evaluation {} on; --x0 {path} begins a new run that knows these points",
                            n + 1
                        ),
                    },
                ));
            }
        }
    }
    Ok(replayed)
}

/// The points of a journal that have a value, and their values, to be minimised.
pub fn known_points(contents: &Contents) -> Vec<(Vec<f64>, f64)> {
    let known = contents.evaluations.iter().filter(|line| line.evaluation.cost().is_finite());
    known.map(|line| (line.x.clone(), line.evaluation.value)).collect()
}
