//! Programs of the user's own, as an evaluator: [`Pool`] keeps so many copies alive and speaks to them over their pipes.
//!
//! What a program must know of it:
//! - It reads one line a point from its standard input until that ends, `{"x": [0.5, -1.25]}` (with names `{"x": {"lr": 0.5}}`,
//!   or plain numbers), and answers each with one line, flushed at once: a number, or `{"value": number}`, to which may be added
//!   `"constraints": [numbers]` (or `"c"`, or an object by name), and `"error": "text"` where the point has no value. The number may look as the languages
//!   of programs print it: `[1.5]`, `np.float64(1.5)`, `1.5D+02`, `[1] 1.5`, NaN and Infinity in JSON, behind a byte order mark. Empty lines mean nothing,
//!   and lines before the first answer that are neither a number nor an object are passed over; so are as many before each further one, if they are
//!   there at the second.
//! - A program that ends after each answer is started anew for every point.
//! - A command with places ([`Options::command`]) is run for every point; what counts is its exit status, 0, and the last line
//!   with an answer in its output or in the file that [`Options::read`] names. It may read the point's line as well, after which
//!   its input ends.
//! - `SWARMGRAD_WORKER` is the number of the copy, from 0, `SWARMGRAD_SCRATCH` a folder of its own that is removed in the end, and
//!   `SWARMGRAD_EVALUATION` the number of the point where a process serves one point only. `SWARMGRAD_RUN` marks what belongs to the run.
//!
//! Whatever goes wrong costs this one evaluation: the program is killed with all it started, and the next point gets a fresh one,
//! so that a late answer is never taken for the answer to a later point. More than one line in answer to a point is rubbish, for
//! nobody knows which of them was meant; what arrives after an answer was accepted makes the program be started anew.
//!
//! One thread serves all pipes, inside [`Pool::poll`](swarmgrad_core::Evaluator::poll). Programs that a killed run leaves behind
//! are killed by a guard process, with all they started. What has left the process group for a session of its own is found by
//! `SWARMGRAD_RUN` in its environment, where the system shows that (Linux), and ended with the run.

mod blocking;
mod folders;
mod health;
mod hosts;
mod pool;
#[cfg(unix)]
mod process;
#[cfg(not(unix))]
#[path = "process_elsewhere.rs"]
mod process;
mod protocol;
mod template;

use crate::study::Program;
use std::path::PathBuf;
use std::time::Duration;
use swarmgrad_core::{Aim, Error, Result};

pub use blocking::Blocking;
pub use pool::Pool;
pub use process::kill_all;
pub use protocol::Input;

/// What there is to say about a program and its copies.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The command, run by the shell. With places it is run for every point: `{0}`, `{1}`, .. or the names of the variables,
    /// `{x}` for all of them, `{in}` for a file that holds the point's line, `{out}` for a file to write, `{id}`, `{worker}`,
    /// `{scratch}`.
    pub command: String,
    /// How a point is written.
    pub input: Input,
    /// Names of the variables; none, or one each.
    pub names: Vec<String>,
    /// Names of the values of constraints that the program answers with, in their order; none where it does not.
    pub constraints: Vec<String>,
    /// What the values are made of that it answers with.
    pub aim: Aim,
    /// The file that holds the answer: `out` for that of `{out}`, or a path, which may have places. The command is run for every
    /// point then.
    pub read: Option<String>,
    /// How long a point may take, the start of its program included. Where nothing is said: a day, and once ten points have been answered
    /// 100 times the median of their times and at least an hour.
    pub timeout: Option<Duration>,
    /// After so many failures of the program in a row nothing more is expected of it. That it gives no finite value for a point is
    /// no failure of the program.
    pub max_failures: Option<u64>,
    /// Copies that run at the same time, at least 1; not fewer than the hosts have places.
    pub workers: usize,
    /// A file with a command a line that runs the program elsewhere, such as `ssh node1` or `srun -N1 sh -c`; the program's own
    /// command follows as one word. `*4 ssh node1` serves four workers.
    pub hosts: Option<PathBuf>,
    /// Whether the run is being continued, for what is said of failures.
    pub resumed: bool,
}

impl Options {
    /// What a study says of its program.
    ///
    /// # Errors
    /// A form of input that does not exist, a time that is none.
    pub fn of(program: &Program) -> Result<Self> {
        let input = match &program.input {
            None => Input::default(),
            Some(name) => {
                let names = Input::ALL.map(|(name, _)| name);
                let found = Input::ALL.iter().find(|(known, _)| known == name).map(|(_, input)| *input);
                found.ok_or_else(|| Error::unknown("input", name, names))?
            }
        };
        let timeout = program.timeout.map(|seconds| {
            let timeout = Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero());
            timeout.ok_or_else(|| Error::parameter("--eval-timeout", seconds, "must be a number of seconds above 0"))
        });
        if program.max_failures == Some(0) {
            return Err(Error::parameter("--max-failures", 0, "must be at least 1"));
        }
        Ok(Options {
            command: program.command.clone(),
            input,
            read: program.read.clone(),
            timeout: timeout.transpose()?,
            max_failures: program.max_failures,
            workers: 1,
            ..Options::default()
        })
    }
}
