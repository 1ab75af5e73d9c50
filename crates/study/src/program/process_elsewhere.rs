//! Where there are no process groups and no pipes that can be polled, programs cannot be run.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

/// Kills every program that was started here: none.
pub fn kill_all() {}

pub(super) fn leave_to_guard(_folder: &Path) {}

pub(super) fn expect_processes(_count: usize) {}

/// What marks the programs of a pool: nothing.
#[derive(Debug)]
pub(super) struct Mark;

impl Mark {
    pub(super) fn new() -> Self {
        Mark
    }

    pub(super) fn put(&mut self, number: u64) -> (&'static str, String) {
        ("SWARMGRAD_RUN", number.to_string())
    }

    pub(super) fn kill_left_of(&self, _number: u64) {}

    pub(super) fn kill_left(&self, _groups: &[u32]) -> Vec<String> {
        Vec::new()
    }
}

/// One of the pipes of a process.
#[allow(dead_code)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipe {
    Input,
    Output,
    Errors,
}

/// A process that cannot exist.
pub(super) enum Process {}

impl Process {
    /// # Errors
    /// Always.
    pub(super) fn start(_command: &str, _environment: &[(&str, String)]) -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "programs are run on Unix systems only"))
    }

    pub(super) fn send(&mut self, _bytes: &[u8], _last: bool) {
        match *self {}
    }

    pub(super) fn write(&mut self) {
        match *self {}
    }

    pub(super) fn is_deaf(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_closed(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_quiet(&self) -> bool {
        match *self {}
    }

    pub(super) fn look_at_input(&mut self) {
        match *self {}
    }

    pub(super) fn is_mute(&self) -> bool {
        match *self {}
    }

    pub(super) fn read_output(&mut self, _into: &mut Vec<u8>) {
        match *self {}
    }

    pub(super) fn read_errors(&mut self) {
        match *self {}
    }

    pub(super) fn last_words(&mut self) -> String {
        match *self {}
    }

    pub(super) fn exit(&self) -> Option<ExitStatus> {
        match *self {}
    }

    pub(super) fn group(&self) -> u32 {
        match *self {}
    }

    pub(super) fn close(&mut self) {
        match *self {}
    }

    pub(super) fn kill(&mut self) {
        match *self {}
    }

    pub(super) fn is_gone(&mut self) -> bool {
        match *self {}
    }
}

pub(super) fn wait<'a>(_: impl Iterator<Item = (usize, &'a Process)>, pause: Duration) -> Vec<(usize, Pipe)> {
    std::thread::sleep(pause);
    Vec::new()
}
