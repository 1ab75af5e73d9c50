//! One writer: a lock on a file beside the one that is written, which says who holds it.
//!
//! The lock's file is removed when the other is closed; what a kill leaves is taken over. Where the file system knows no locks, the
//! text in the file stands for the lock, and who finds another's text there stops writing. Where no file can be made beside the
//! other, that one itself is locked.

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use swarmgrad_core::{Error, Result, write_whole};

/// The right to write a file.
#[derive(Debug)]
pub(crate) struct Lock {
    /// What is locked, where that works.
    file: Option<File>,
    /// The file that says who; none where the written file itself is locked.
    beside: Option<PathBuf>,
    who: Who,
}

/// Who writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Who {
    host: String,
    pid: u32,
    /// Seconds since 1970.
    since: u64,
    /// Another one every time.
    epoch: String,
}

/// Hundredths of a second that a lock of a process that is gone is waited for.
const WAIT: u32 = 300;

type TryLock = fn(&File) -> Result<(), TryLockError>;

impl Lock {
    /// Takes the lock of the file at `place`, which the user calls `shown`.
    pub(crate) fn take(place: &Path, shown: &Path) -> Result<Self> {
        Lock::take_by(place, shown, File::try_lock)
    }

    fn take_by(place: &Path, shown: &Path, try_lock: TryLock) -> Result<Self> {
        let mut beside = place.as_os_str().to_owned();
        beside.push(".lock");
        let beside = PathBuf::from(beside);
        let unlocked = |why: io::Error| match why.kind() {
            // The folder is missing.
            io::ErrorKind::NotFound => failed(shown, why.to_string()),
            _ => failed(shown, format!("{}: {why}", beside.display())),
        };
        let who = Who::this();
        let mut waited = 0;
        loop {
            if fs::symlink_metadata(&beside).is_ok_and(|found| !found.is_file()) {
                return Err(failed(shown, format!("{} is no file", beside.display())));
            }
            let created = OpenOptions::new().read(true).write(true).create_new(true).open(&beside);
            let (mut file, new) = match created {
                Ok(file) => (file, true),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
                    match OpenOptions::new().read(true).write(true).open(&beside) {
                        Ok(file) => (file, false),
                        // Removed in between by who held it.
                        Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
                        Err(why) => return Err(unlocked(why)),
                    }
                }
                Err(why) if is_read_only(&why) && place.is_file() => {
                    return Lock::of_itself(place, shown, who, try_lock);
                }
                Err(why) => return Err(unlocked(why)),
            };
            match try_lock(&file) {
                Ok(()) if !is_at(&file, &beside) => continue,
                Ok(()) => {
                    file.set_len(0).and_then(|()| file.write_all(who.text().as_bytes())).map_err(unlocked)?;
                    return Ok(Lock { file: Some(file), beside: Some(beside), who });
                }
                Err(TryLockError::WouldBlock) => {
                    // Who has just locked it is about to write his name.
                    let named = (0..50).find_map(|_| {
                        Who::read(&beside).or_else(|| {
                            thread::sleep(Duration::from_millis(10));
                            None
                        })
                    });
                    // A program that a killed process was about to start holds its lock until it runs.
                    if waited < WAIT && named.as_ref().is_some_and(|who| !who.may_live()) {
                        waited += 1;
                        thread::sleep(Duration::from_millis(10));
                        continue;
                    }
                    return Err(refused(shown, named.as_ref(), None));
                }
                // This file system knows no locks.
                Err(TryLockError::Error(_)) => {}
            }
            match Who::read(&beside) {
                Some(other) if !new && other.may_live() => return Err(refused(shown, Some(&other), Some(&beside))),
                _ => write_whole(&beside, who.text().as_bytes())?,
            }
            return Ok(Lock { file: None, beside: Some(beside), who });
        }
    }

    fn of_itself(place: &Path, shown: &Path, who: Who, try_lock: TryLock) -> Result<Self> {
        let file = OpenOptions::new().append(true).open(place).map_err(|why| failed(shown, why.to_string()))?;
        match try_lock(&file) {
            Ok(()) => Ok(Lock { file: Some(file), beside: None, who }),
            Err(TryLockError::WouldBlock) => Err(refused(shown, None, None)),
            Err(TryLockError::Error(why)) => {
                let why =
                    format!("its folder cannot be written, and it cannot be locked against a second writer: {why}");
                Err(failed(shown, why))
            }
        }
    }

    /// Whether the system itself keeps others away.
    pub(crate) fn holds(&self) -> bool {
        self.file.is_some()
    }

    /// Who has taken the lock over, if anyone has.
    pub(crate) fn superseded(&self) -> Option<String> {
        let other = Who::read(self.beside.as_ref()?).filter(|other| other.epoch != self.who.epoch)?;
        Some(other.to_string())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(beside) = self.beside.as_ref().filter(|_| self.superseded().is_none()) {
            // Still locked, so nobody else's. Where it cannot be removed the next one takes it over.
            drop(fs::remove_file(beside));
        }
    }
}

/// What is wrong with a file.
pub(crate) fn failed(path: &Path, why: String) -> Error {
    Error::File { path: path.display().to_string(), why }
}

fn is_read_only(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether the path still leads to the file: its last holder may have removed it before it was locked here.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |found: io::Result<fs::Metadata>| found.ok().map(|found| (found.dev(), found.ino()));
    place(file.metadata()) == place(fs::metadata(path))
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

fn refused(shown: &Path, who: Option<&Who>, unsure: Option<&Path>) -> Error {
    let who = who.map_or("another process".to_owned(), Who::to_string);
    let gone = unsure.map_or(String::new(), |beside| format!("; if that one is gone, remove {}", beside.display()));
    failed(shown, format!("being written by {who}; wait for it, or choose another file{gone}"))
}

impl Who {
    fn this() -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
        let host = host.or_else(|_| std::env::var("COMPUTERNAME")).or_else(|_| std::env::var("HOSTNAME"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u128(now.as_nanos());
        Who {
            host: host.unwrap_or_default().trim().to_owned(),
            pid: std::process::id(),
            since: now.as_secs(),
            epoch: format!("{:016x}", hasher.finish()),
        }
    }

    fn read(path: &Path) -> Option<Who> {
        let mut text = String::new();
        File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Whether the process may still be there; of another machine nobody knows.
    fn may_live(&self) -> bool {
        let here = self.host == Who::this().host && Path::new("/proc/self").exists();
        !here || Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Who { host, pid, since, .. } = self;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        write!(f, "process {pid} on host {host} ")?;
        match now.saturating_sub(*since) / 86_400 {
            0 => write!(f, "since {:02}:{:02} UTC", since / 3600 % 24, since / 60 % 60),
            1 => write!(f, "for a day"),
            days => write!(f, "for {days} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_file: &File) -> Result<(), TryLockError> {
        Err(TryLockError::Error(io::ErrorKind::Unsupported.into()))
    }

    #[test]
    fn one_writer_with_locks_and_without() {
        let folder = std::env::temp_dir().join(format!("swarmgrad-lock-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (path, beside) = (folder.join("a"), folder.join("a.lock"));
        for try_lock in [File::try_lock as TryLock, none] {
            let take = || Lock::take_by(&path, Path::new("run.jsonl"), try_lock);
            let first = take().unwrap();
            let said = take().map(drop).unwrap_err().to_string();
            let who = format!("run.jsonl: being written by process {} on host ", std::process::id());
            assert!(said.starts_with(&who) && said.contains("or choose another file"), "{said}");
            assert_eq!(first.superseded(), None);
            drop(first);
            assert!(!beside.exists());
            // Left by a kill: by a process of this machine that is gone.
            let gone = Who { pid: u32::MAX, ..Who::this() };
            fs::write(&beside, gone.text()).unwrap();
            drop(take().unwrap());
        }
        // A killed process was about to start a program, which holds its lock for a moment.
        let gone = Who { pid: u32::MAX, ..Who::this() };
        fs::write(&beside, gone.text()).unwrap();
        let held = File::open(&beside).unwrap();
        held.lock().unwrap();
        let starting = thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            drop(held);
        });
        drop(Lock::take_by(&path, Path::new("run.jsonl"), File::try_lock).unwrap());
        starting.join().unwrap();
        // Of another machine nobody knows whether it is gone, where there are no locks.
        let elsewhere = Who { host: "elsewhere".into(), ..Who::this() };
        fs::write(&beside, elsewhere.text()).unwrap();
        let said = Lock::take_by(&path, Path::new("run.jsonl"), none).map(drop).unwrap_err().to_string();
        assert!(said.contains("on host elsewhere") && said.contains("a.lock"), "{said}");
        drop(Lock::take_by(&path, Path::new("run.jsonl"), File::try_lock).unwrap());
        fs::remove_dir_all(folder).unwrap();
    }
}
