//! What every test of the program needs.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a finished program left.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why} in\n{}\n{}", self.out, self.err))
    }
}

/// A folder of this process's own.
fn scratch() -> PathBuf {
    let path = std::env::temp_dir().join(format!("swarmgrad-scratch-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

pub fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmgrad"));
    // Runs of programs leave their records where they are started.
    command.current_dir(scratch());
    // What commands keep to continue after a kill is not the user's here.
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn finish(child: Child) -> Done {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let done = Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!done.err.contains("panicked"), "{}", done.err);
    done
}

pub fn run(args: &[&str]) -> Done {
    finish(program(args).spawn().unwrap())
}

pub fn good(args: &[&str]) -> Done {
    let done = run(args);
    assert_eq!(done.code, Some(0), "{args:?}: {}", done.err);
    done
}

/// The message of wrong usage.
pub fn wrong(args: &[&str]) -> String {
    let done = run(args);
    assert_eq!(done.code, Some(2), "{args:?}: {}{}", done.out, done.err);
    assert!(done.out.is_empty(), "{args:?}: {}", done.out);
    done.err
}

/// A folder of the test's own, removed at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swarmgrad-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether Python is there; tests that need it say so when they are skipped.
pub fn python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: there is no python3");
    }
    there
}

/// A script that lies beside the tests.
pub fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program").join(name).to_str().unwrap().to_owned()
}
