//! The program under attack, as a person meets it: its arguments, what it prints, how it ends, and that it ends.
//!
//! `SWARMGRAD_UNDER_FIRE` names another program than the one that was just built.

use serde_json::Value;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program's file.
pub fn file() -> PathBuf {
    std::env::var_os("SWARMGRAD_UNDER_FIRE").map_or_else(|| env!("CARGO_BIN_EXE_swarmgrad").into(), PathBuf::from)
}

/// The program in a folder, with these arguments and nothing on its standard input.
pub fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(file());
    command.current_dir(folder).args(args).stdin(Stdio::null());
    // What is kept for a continuation is not the user's.
    command.env("XDG_CACHE_HOME", folder.join("cache")).env("TMPDIR", folder);
    command
}

/// What a program left that has ended.
#[derive(Debug)]
pub struct Done {
    /// None after a signal.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Done {
    /// What it printed, as JSON.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.out).map_err(|why| format!("no JSON ({why}): {}{}", self.out, self.err))
    }

    /// Everything that it said.
    pub fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A program that is running, whose output goes to files: no pipe that somebody else keeps open holds anything up.
pub struct Running {
    pub child: Child,
    begin: Instant,
    out: File,
    err: File,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let file = || {
            static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
            let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("swarmgrad-fire-output-{}-{number}", std::process::id()));
            let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
            drop(std::fs::remove_file(path));
            file
        };
        let (out, err) = (file(), file());
        command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
        Running { child: command.spawn().unwrap(), begin: Instant::now(), out, err }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end within so many seconds and is killed, or it panicked.
    pub fn end(mut self, seconds: u64) -> Result<Done, String> {
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if self.begin.elapsed() > Duration::from_secs(seconds) => {
                    drop(self.child.kill());
                    drop(self.child.wait());
                    break None;
                }
                None => std::thread::sleep(Duration::from_millis(3)),
            }
        };
        let took = self.begin.elapsed();
        let text = |file: &mut File| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (out, err) = (text(&mut self.out), text(&mut self.err));
        if err.contains("panicked at") {
            return Err(format!("a panic: {err}"));
        }
        let Some(status) = status else { return Err(format!("no end within {seconds} s: {out}{err}")) };
        Ok(Done { code: status.code(), out, err, took })
    }
}

/// Runs a command to its end.
///
/// # Errors
/// See [`Running::end`].
pub fn run_within(seconds: u64, command: Command) -> Result<Done, String> {
    Running::start(command).end(seconds)
}

/// Does something with each, on as many threads, and returns the outcomes in their order.
pub fn side_by_side<T: Sync, R: Send>(threads: usize, all: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let found = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((k, one)) = Some(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                    .and_then(|k| all.get(k).map(|one| (k, one)))
                {
                    let outcome = each(one);
                    found.lock().unwrap().push((k, outcome));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(k, _)| *k);
    found.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Draws that are the same for a seed, whatever else happens: SplitMix64.
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}
