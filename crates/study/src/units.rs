//! Units of work: those that are in the records are taken from there, the rest is computed, and each is appended as soon as it is
//! finished, so that a kill loses only what was being computed.
//!
//! A unit has a key, a JSON object that says everything its result depends on (method and settings, problem, dimensions, seed),
//! and a record of its result, a JSON object that repeats the members of the key. Records are JSON lines whose last member is the
//! CRC-32 of the line before that member, each for itself, so that the files of two finished processes can be joined by `cat`.
//! A file of which no line has one, of another program, is taken as it is and gets them when it is continued; a line without
//! one among lines that have one is damaged.
//!
//! ```
//! use serde_json::{Value, json};
//! use swarmgrad_core::{Error, Halt};
//! use swarmgrad_study::units::{Records, Work};
//!
//! let work = Work { threads: 2, halt: Halt::default(), records: &Records::none() };
//! let squares = work.run(&[3, 4], |n| json!({"n": n}), |n, _| Ok::<_, Error>(Some(json!({"n": n, "square": n * n}))), &|_| {})?;
//! assert_eq!(squares[1].as_ref().map(|record: &Value| &record["square"]), Some(&json!(16)));
//! # Ok::<(), Error>(())
//! ```

use crate::journal::{canonical, digest};
use crate::lock::{Lock, failed};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use swarmgrad_core::state::{self, Place};
use swarmgrad_core::{Error, Halt, Instant, Result};

/// The last member without its value.
const CRC: &[u8] = br#","crc":""#;
/// Its length, with the end of the object.
const CRC_LENGTH: usize = CRC.len() + r#"01234567"}"#.len();
/// Records are put on the disk so often.
const SYNC: Duration = Duration::from_secs(1);
/// States of unfinished units are stored no more often than that, and take no more than this share of the time.
const STATE: Duration = Duration::from_millis(100);
const STATE_SHARE: u32 = 20;
/// The form of a state's file.
const STATE_KIND: &str = "unit state";
const STATE_VERSION: u32 = 1;

/// A file of records that is open to be continued, by one process at a time.
#[derive(Debug)]
pub struct Records {
    /// As the user calls it; none where nothing is kept.
    path: Option<PathBuf>,
    /// What the file held when it was opened.
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    /// Lines by keys of certain members.
    indices: Mutex<HashMap<Vec<String>, Arc<Index>>>,
    writer: Mutex<Writer>,
    notes: Arc<Mutex<Vec<String>>>,
    /// Whether the file is of no use when the command has ended, and whether it has.
    temporary: bool,
    done: bool,
    /// Held until the end.
    _lock: Option<Lock>,
}

type Index = HashMap<String, usize>;

#[derive(Debug, Default)]
struct Writer {
    file: Option<File>,
    /// Length of what is whole; none for what is no file.
    end: Option<u64>,
    /// Lines that could not be written yet, and why.
    waiting: Vec<u8>,
    failure: Option<String>,
    synced: Option<Instant>,
}

impl Records {
    /// Keeps nothing.
    pub fn none() -> Self {
        Records {
            path: None,
            text: Vec::new(),
            lines: Vec::new(),
            indices: Mutex::default(),
            writer: Mutex::default(),
            notes: Arc::default(),
            temporary: false,
            done: false,
            _lock: None,
        }
    }

    /// Opens a file of records, creating it (and its folder) where it is missing. What a kill has torn at its end is cut off.
    ///
    /// # Errors
    /// A file that cannot be read and written, or that another process writes: the message says which; a line that is damaged or no
    /// JSON object: the message names it.
    pub fn open(path: &Path) -> Result<Self> {
        let wrong = |why: std::io::Error| failed(path, why.to_string());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|why| failed(folder, why.to_string()))?;
        }
        let (place, lock) = match state::place(path)? {
            Place::Device => (path.to_owned(), None),
            Place::File(place) => {
                let lock = Lock::take(&place, path)?;
                (place, Some(lock))
            }
        };
        let mut records = Records::none();
        records.path = Some(path.to_owned());
        if lock.is_some() && place.is_file() {
            let contents = Contents::of(path, fs::read(&place).map_err(wrong)?)?;
            if contents.unchecked {
                let lines = contents.lines.len();
                records.note(format!("{}: {lines} lines have no checksum and are taken as they are", path.display()));
                state::write_whole(&place, &contents.with_checksums())?;
            }
        }
        let opened = match lock {
            Some(_) => OpenOptions::new().append(true).create(true).open(&place),
            None => state::open_device(&place),
        };
        let mut file = opened.map_err(wrong)?;
        let mut end = None;
        if lock.is_some() {
            let contents = Contents::of(path, fs::read(&place).map_err(wrong)?)?;
            let mut whole = contents.whole as u64;
            if contents.whole < contents.text.len() {
                file.set_len(whole).map_err(wrong)?;
                let torn = contents.text.len() - contents.whole;
                records.note(format!("{}: {torn} bytes of a line that a kill has torn are cut off", path.display()));
            }
            if contents.text[..contents.whole].last().is_some_and(|last| *last != b'\n') {
                file.write_all(b"\n").map_err(wrong)?;
                whole += 1;
            }
            (end, records.text, records.lines) = (Some(whole), contents.text, contents.lines);
        }
        records.writer = Mutex::new(Writer { file: Some(file), end, ..Writer::default() });
        records._lock = lock;
        Ok(records)
    }

    /// Records of a command whose user wants none: they are kept in the user's cache folder under a name made of `what` and the
    /// digest of the plan, so that the same command continues after a kill, and [removed](Records::finish) when it has ended. Where
    /// that cannot be, nothing is kept and a note says why.
    pub fn temporary(what: &str, plan: &Value) -> Self {
        let opened = match cache_folder() {
            Some(folder) => Records::open(&folder.join(format!("{what}-{}.jsonl", digest(plan)))),
            None => {
                Err(Error::missing("XDG_CACHE_HOME", "the folder of what is kept between commands; HOME would do too"))
            }
        };
        match opened {
            Ok(mut records) => {
                records.temporary = true;
                records
            }
            Err(why) => {
                let records = Records::none();
                records.note(format!("finished runs are not kept for a continuation: {why}"));
                records
            }
        }
    }

    /// The file, as the user calls it.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether the file is removed at the end.
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }

    /// What the user should know and has not been told: each note is given once.
    pub fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.notes))
    }

    fn note(&self, text: String) {
        locked(&self.notes).push(text);
    }

    /// All records of this form; others are passed over.
    pub fn all<R: DeserializeOwned>(&self) -> Vec<R> {
        self.lines.iter().filter_map(|line| serde_json::from_slice(&self.text[line.clone()]).ok()).collect()
    }

    /// Appends a record. What cannot be written, because the disk is full, waits and is tried again with the next one and at the
    /// end; see [`Records::finish`].
    ///
    /// # Errors
    /// A record that is no JSON object.
    pub fn append(&self, record: &impl Serialize) -> Result<()> {
        self.append_text(text(record)?)
    }

    fn append_text(&self, text: Vec<u8>) -> Result<()> {
        let line = checked(text).ok_or_else(|| unsaved("it must be a JSON object that is not empty"))?;
        locked(&self.writer).append(&line);
        Ok(())
    }

    /// The place for the state of the unfinished unit of that key. Nothing is read or written yet.
    pub fn state(&self, key: &Value) -> UnitState {
        let path = self.path.as_deref().filter(|path| state::place(path).is_ok_and(|place| place != Place::Device));
        let place = path.map(|path| {
            let mut place = path.as_os_str().to_owned();
            place.push(state_name(key));
            PathBuf::from(place)
        });
        UnitState { place, notes: self.notes.clone(), written: Cell::new((Instant::now(), STATE)) }
    }

    /// Ends the work: `done` says that its result has been given to the user, so that a file that was only kept for a continuation
    /// can go. Returns what could not be written, if anything.
    pub fn finish(mut self, done: bool) -> Option<String> {
        self.done = done;
        let mut writer = locked(&self.writer);
        writer.append(&[]);
        writer.sync(true);
        let lines = writer.waiting.iter().filter(|byte| **byte == b'\n').count();
        let path = self.path.as_deref().filter(|_| !self.temporary || !done)?;
        let why = writer.failure.as_deref()?;
        Some(format!("{}: {lines} finished runs could not be kept: {why}", path.display()))
    }

    /// The files of states beside the records.
    fn states(&self, path: &Path) -> Vec<PathBuf> {
        let (Some(name), folder) = (path.file_name(), path.parent().unwrap_or(Path::new(""))) else {
            return Vec::new();
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut begin: OsString = name.to_owned();
        begin.push(".unit-");
        let begin = begin.into_encoded_bytes();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let ours = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
            name.starts_with(&begin) && name.ends_with(b".state")
        };
        entries.filter(ours).collect()
    }

    /// The lines by what they say of the members of `key`.
    fn index(&self, key: &Map<String, Value>) -> Arc<Index> {
        let names: Vec<String> = key.keys().cloned().collect();
        let mut indices = locked(&self.indices);
        let index = indices.entry(names).or_insert_with_key(|names| {
            let mut index = Index::new();
            for (number, line) in self.lines.iter().enumerate() {
                let Ok(mut record) = serde_json::from_slice::<Map<String, Value>>(&self.text[line.clone()]) else {
                    continue;
                };
                let members = names.iter().map(|name| Some((name.clone(), record.remove(name)?)));
                if let Some(key) = members.collect::<Option<Map<_, _>>>() {
                    // Of two the later one: the earlier was of another form.
                    index.insert(text_of(Value::Object(key)), number);
                }
            }
            Arc::new(index)
        });
        index.clone()
    }

    /// The line of that key.
    fn find(&self, key: &Value) -> Option<&[u8]> {
        let number = *self.index(key.as_object()?).get(&text_of(key.clone()))?;
        Some(&self.text[self.lines[number].clone()])
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        let Some(path) = self.path.as_deref().filter(|_| self.temporary) else { return };
        let states = self.states(path);
        let empty = locked(&self.writer).end == Some(0) && states.is_empty();
        if self.done || empty {
            // Nobody needs them; where they stay they do no harm.
            for path in states.iter().map(PathBuf::as_path).chain([path]) {
                drop(state::remove(path));
            }
        }
    }
}

impl Writer {
    fn append(&mut self, line: &[u8]) {
        let Some(file) = &mut self.file else { return };
        self.waiting.extend(line);
        if self.waiting.is_empty() {
            return;
        }
        match file.write_all(&self.waiting) {
            Ok(()) => {
                self.end = self.end.map(|end| end + self.waiting.len() as u64);
                self.waiting.clear();
                self.failure = None;
                self.sync(false);
            }
            Err(why) => {
                // A part may have been written. Where it cannot be cut off now, the next one to open the file does.
                let cut = self.end.map_or(Ok(()), |end| file.set_len(end));
                self.failure = Some(cut.err().map_or(why.to_string(), |cut| format!("{why}; {cut}")));
            }
        }
    }

    fn sync(&mut self, now: bool) {
        if now || self.synced.is_none_or(|last| last.elapsed() >= SYNC) {
            if let (Some(file), Some(_)) = (&self.file, self.end)
                && let Err(why) = state::sync(file)
            {
                self.failure = Some(why.to_string());
            }
            self.synced = Some(Instant::now());
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Everything behind these is whole between two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder for what is only kept for a continuation.
fn cache_folder() -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")));
    folder.or_else(|| from("LOCALAPPDATA")).map(|folder| folder.join("swarmgrad"))
}

/// What the file of a unit's state has behind the name of its records.
fn state_name(key: &Value) -> String {
    format!(".unit-{}.state", digest(key))
}

fn text_of(key: Value) -> String {
    let mut text = String::new();
    canonical(&key, &mut text);
    text
}

fn unsaved(why: impl ToString) -> Error {
    Error::Unsaved { method: "a record".into(), why: why.to_string() }
}

fn text(record: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(unsaved)
}

/// The text of an object that is not empty, with its checksum and the newline.
fn checked(mut text: Vec<u8>) -> Option<Vec<u8>> {
    if text.pop() != Some(b'}') || text.len() < 2 {
        return None;
    }
    let crc = crc32fast::hash(&text);
    text.extend(CRC);
    text.extend(format!("{crc:08x}\"}}\n").as_bytes());
    Some(text)
}

/// Whether a line, without its newline, is whole by its checksum; `None` if it has none.
fn check(line: &[u8]) -> Option<bool> {
    let at = line.len().checked_sub(CRC_LENGTH)?;
    let (body, member) = line.split_at(at);
    let found = member.strip_prefix(CRC)?.strip_suffix(b"\"}")?;
    Some(found == format!("{:08x}", crc32fast::hash(body)).as_bytes())
}

/// Whether a line without a checksum ends in what was one: its digits are damaged, or a place of its name.
fn had_checksum(line: &[u8]) -> bool {
    let fits = |(found, byte): &(&u8, u8)| if *byte == b'0' { found.is_ascii_hexdigit() } else { **found == *byte };
    let one = CRC.iter().chain(br#"00000000"}"#).copied();
    let last = line.windows(2).rposition(|two| two == br#",""#).map_or(&[][..], |at| &line[at..]);
    let begin = last.iter().zip(one.clone()).take_while(fits).count();
    let end = last.iter().rev().zip(one.rev()).take_while(fits).count();
    let holds = |what: &[u8]| line.windows(what.len()).any(|part| part == what);
    begin + end + 1 >= CRC_LENGTH || holds(CRC) || holds(br#","":""#)
}

/// What a file of records holds.
struct Contents {
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    /// Length of the part that is whole.
    whole: usize,
    /// Whether no line has a checksum.
    unchecked: bool,
}

impl Contents {
    fn of(path: &Path, text: Vec<u8>) -> Result<Self> {
        let (mut lines, mut without, mut with, mut at, mut whole) = (Vec::new(), None, false, 0, text.len());
        for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let from = at;
            at += line.len();
            let body = line.trim_ascii();
            let wrong = |why: &str| {
                let place = format!("{}:{}", path.display(), number + 1);
                Error::File { path: place, why: why.into() }
            };
            let is_object = || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() && body.starts_with(b"{");
            match check(body) {
                _ if body.is_empty() => continue,
                Some(true) => with = true,
                Some(false) => return Err(wrong("damaged: its checksum is not that of what it holds")),
                None if is_object() && had_checksum(body) => {
                    return Err(wrong("damaged: what was its checksum is none"));
                }
                None if is_object() => drop(without.get_or_insert(number + 1)),
                None if line.ends_with(b"\n") => return Err(wrong("damaged, or no record: it is no JSON object")),
                // Not even the newline was written.
                None => {
                    whole = from;
                    break;
                }
            }
            lines.push(from..at);
        }
        match without {
            Some(number) if with => Err(Error::File {
                path: format!("{}:{number}", path.display()),
                why: "damaged, or of another program: it has no checksum, and other lines have one".into(),
            }),
            _ => Ok(Contents { text, lines, whole, unchecked: without.is_some() }),
        }
    }

    /// The lines with a checksum each.
    fn with_checksums(&self) -> Vec<u8> {
        let lines = self.lines.iter().map(|line| self.text[line.clone()].trim_ascii().to_vec());
        lines.filter_map(checked).flatten().collect()
    }
}

/// Reads the records of a file, of this program or of another, without writing to it.
///
/// # Errors
/// A file that cannot be read; a line that is damaged or of another form: the message names it. Only a torn last line is none.
pub fn read<R: DeserializeOwned>(path: &Path) -> Result<Vec<R>> {
    let text = fs::read(path).map_err(|why| failed(path, why.to_string()))?;
    let Contents { text, lines, .. } = Contents::of(path, text)?;
    let record = |line: &Range<usize>| {
        serde_json::from_slice(&text[line.clone()]).map_err(|why| {
            let number = 1 + text[..line.start].iter().filter(|byte| **byte == b'\n').count();
            Error::File { path: format!("{}:{number}", path.display()), why: why.to_string() }
        })
    };
    lines.iter().map(record).collect()
}

/// The state of an unfinished unit in a file beside the records, from which a long unit continues after a kill.
#[derive(Debug)]
pub struct UnitState {
    place: Option<PathBuf>,
    notes: Arc<Mutex<Vec<String>>>,
    /// When it was stored last, and how long to wait from then on.
    written: Cell<(Instant, Duration)>,
}

#[derive(Serialize, Deserialize)]
struct Head<T> {
    head: T,
}

impl UnitState {
    fn note(&self, text: String) {
        locked(&self.notes).push(text);
    }

    /// Where it lies, for work that keeps a file of its own there; none where nothing is kept.
    pub fn place(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    /// What was stored last, if there is any. A file that is damaged is none; a note says so.
    pub fn read<T: DeserializeOwned>(&self) -> Option<(T, Vec<u8>)> {
        let place = self.place.as_ref().filter(|place| place.exists())?;
        let told = |why: String| self.note(format!("{why}; that run begins anew"));
        let mut bytes = state::read(place, STATE_KIND, STATE_VERSION).map_err(|why| told(why.to_string())).ok()?;
        let line = bytes.iter().position(|byte| *byte == b'\n')?;
        let state = bytes.split_off(line + 1);
        let head: Head<T> =
            serde_json::from_slice(&bytes).map_err(|why| told(format!("{}: {why}", place.display()))).ok()?;
        Some((head.head, state))
    }

    /// Stores a state instead of the last one, whole or not at all, if that is old enough. A disk that is full is no error: the
    /// unit goes on, and a note says so.
    ///
    /// # Errors
    /// A state that cannot be encoded.
    pub fn store(&self, head: &impl Serialize, state: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
        let (last, wait) = self.written.get();
        if last.elapsed() < wait {
            return Ok(());
        }
        self.store_now(head, state)
    }

    /// The same however old the last one is: the work is about to end.
    ///
    /// # Errors
    /// A state that cannot be encoded.
    pub fn store_now(&self, head: &impl Serialize, state: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
        let Some(place) = &self.place else { return Ok(()) };
        let begin = Instant::now();
        let unsaved = |why: serde_json::Error| Error::Unsaved { method: "a unit of work".into(), why: why.to_string() };
        let mut bytes = serde_json::to_vec(&Head { head }).map_err(unsaved)?;
        bytes.push(b'\n');
        bytes.extend(state()?);
        if let Err(why) = state::write(place, STATE_KIND, STATE_VERSION, &bytes) {
            self.note(format!("the state of an unfinished run could not be kept: {why}"));
        }
        self.written.set((Instant::now(), STATE.max(begin.elapsed() * STATE_SHARE)));
        Ok(())
    }

    /// Removes it: the unit is finished and recorded.
    pub fn remove(&self) {
        if let Some(place) = &self.place
            && let Err(why) = state::remove(place)
        {
            self.note(format!("of no use any more, can be removed: {why}"));
        }
    }
}

/// How units are worked on.
#[derive(Debug)]
pub struct Work<'a> {
    /// Where they are found and kept.
    pub records: &'a Records,
    /// Threads, one unit on each; 0 for one a core. No result depends on it.
    pub threads: usize,
    /// Ends the work soon when it is set.
    pub halt: Halt,
}

/// What is told of work, from any thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress<'a> {
    /// The records have been looked through.
    Begun {
        /// The places of the units that are to be computed.
        missing: &'a [usize],
    },
    /// A unit is computed and appended.
    Ended {
        /// Its place.
        unit: usize,
        /// The time it took.
        seconds: f64,
    },
}

impl Work<'_> {
    /// Finds or computes each unit and returns the records in the order of the units, whatever the number of threads; none for
    /// those that were not computed because `compute` returned none or the halt was requested. `compute` gets the place of the
    /// unit's state.
    ///
    /// # Errors
    /// Those of `compute`, of the unit that stands first; what was finished before stays recorded, and so does what other threads
    /// are at. A record that does not repeat the members of its key.
    pub fn run<U, K, R, E>(
        &self,
        units: &[U],
        key: impl Fn(&U) -> K,
        compute: impl Fn(&U, &UnitState) -> std::result::Result<Option<R>, E> + Sync,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> std::result::Result<Vec<Option<R>>, E>
    where
        U: Sync,
        K: Serialize,
        R: Serialize + DeserializeOwned + Send,
        E: From<Error> + Send,
    {
        let mut keys = Vec::with_capacity(units.len());
        for unit in units {
            // As it reads from a file: a number of single precision has other digits there.
            let key = serde_json::to_vec(&key(unit)).and_then(|text| serde_json::from_slice::<Value>(&text));
            keys.push(key.map_err(|why| Error::parameter("key", "of a unit", format!("cannot be written: {why}")))?);
        }
        let of_line = |line: &[u8]| serde_json::from_slice(line).ok();
        let mut results: Vec<Option<R>> = keys.iter().map(|key| self.records.find(key).and_then(of_line)).collect();
        let missing: Vec<usize> = (0..units.len()).filter(|&unit| results[unit].is_none()).collect();
        // What is generic ends here: records are texts below, and what they are of waits in these places.
        let places: Vec<_> = missing.iter().map(|_| Mutex::new(Ok(None))).collect();
        let broken = self.complete(&keys, &missing, progress, &|job, state| {
            let result = compute(&units[missing[job]], state);
            let outcome = match &result {
                Ok(None) => Outcome::Nothing,
                Ok(Some(_)) if self.records.path.is_none() => Outcome::Done,
                Ok(Some(record)) => text(record).map_or_else(Outcome::Broken, Outcome::Record),
                Err(_) => Outcome::Failed,
            };
            *locked(&places[job]) = result;
            outcome
        });
        let mut computed = places.into_iter().map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
        match broken {
            Some((_, Some(why))) => return Err(why.into()),
            Some((job, None)) => computed.nth(job).transpose().map(drop)?,
            None => missing
                .iter()
                .zip(computed)
                .try_for_each(|(&unit, record)| record.map(|record| results[unit] = record))?,
        }
        Ok(results)
    }

    /// Computes the missing units and keeps their records. Of those that failed the one that stands first, by its place among the
    /// missing, and why, where it is not `compute` that knows.
    fn complete(
        &self,
        keys: &[Value],
        missing: &[usize],
        progress: &(dyn Fn(Progress<'_>) + Sync),
        compute: &(dyn Fn(usize, &UnitState) -> Outcome + Sync),
    ) -> Option<(usize, Option<Error>)> {
        if let Some(path) = self.records.path().filter(|_| missing.len() < keys.len()) {
            // A kill came after the record and before its state was removed.
            let left = !self.records.states(path).is_empty();
            let found = (0..keys.len()).filter(|unit| left && missing.binary_search(unit).is_err());
            found.for_each(|unit| self.records.state(&keys[unit]).remove());
        }
        let found = keys.len() - missing.len();
        if let Some(path) = self.records.path().filter(|_| self.records.temporary && found > 0) {
            self.records.note(format!(
                "{found} finished runs of a command that was broken off are taken from {}",
                path.display()
            ));
        }
        progress(Progress::Begun { missing });
        self.each(missing.len(), &|job| {
            let (unit, begin) = (missing[job], Instant::now());
            let state = self.records.state(&keys[unit]);
            match compute(job, &state) {
                Outcome::Nothing => return Ok(()),
                Outcome::Failed => return Err(None),
                Outcome::Broken(why) => return Err(Some(why)),
                Outcome::Done => {}
                Outcome::Record(text) => {
                    check_key(&keys[unit], &text)?;
                    self.records.append_text(text)?;
                    state.remove();
                }
            }
            progress(Progress::Ended { unit, seconds: begin.elapsed().as_secs_f64() });
            Ok(())
        })
    }

    /// Does every job; of those that failed the first, and why.
    fn each(
        &self,
        jobs: usize,
        compute: &(dyn Fn(usize) -> std::result::Result<(), Option<Error>> + Sync),
    ) -> Option<(usize, Option<Error>)> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.threads == 0 { cores() } else { self.threads };
        let next = AtomicUsize::new(0);
        let work = || {
            while !self.halt.requested() {
                let job = next.fetch_add(1, Relaxed);
                if job >= jobs {
                    break;
                }
                if let Err(why) = compute(job) {
                    // The others finish what they are at.
                    next.store(jobs, Relaxed);
                    return Some((job, why));
                }
            }
            None
        };
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads.min(jobs)).map(|_| scope.spawn(work)).collect();
            let failed = handles
                .into_iter()
                .filter_map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            failed.min_by_key(|(job, _)| *job)
        })
    }
}

/// What has come of a unit.
enum Outcome {
    /// It was broken off.
    Nothing,
    /// A result that nobody keeps.
    Done,
    /// Its record.
    Record(Vec<u8>),
    /// No record can be made of its result.
    Broken(Error),
    /// Its computation failed, and knows why.
    Failed,
}

/// A record is found by the key again.
fn check_key(key: &Value, record: &[u8]) -> Result<()> {
    let found: Value = serde_json::from_slice(record).map_err(unsaved)?;
    let key = key.as_object().ok_or_else(|| unsaved("the key of its unit is no JSON object"))?;
    let other = key.iter().find(|(name, value)| found.get(*name) != Some(*value));
    other.map_or(Ok(()), |(name, _)| Err(unsaved(format!("its {name} is not that of the unit"))))
}

#[cfg(test)]
mod tests;
