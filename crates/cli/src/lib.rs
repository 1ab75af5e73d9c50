//! The program `swarmgrad`: optimises what has no gradient, from the command line.

#![forbid(unsafe_code)]

/// Says something on standard error. Where that cannot be written (a full disk, a reader who has gone away) the work goes on.
macro_rules! note {
    ($($text:tt)*) => {
        // A failure has nobody to be told.
        _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{}\n", format_args!($($text)*)))
    };
}

mod argument;
mod command;
mod interrupt;
mod kept;
mod live;
mod output;
mod serve;

use clap::Parser;
use std::process::ExitCode;

/// Exit code of a command that did its work.
const DONE: u8 = 0;
/// Exit code of a run that found no finite value, and of any failure that is not the user's wording.
const NO_VALUE: u8 = 1;
/// Exit code of wrong usage, which is clap's too.
const USAGE: u8 = 2;
/// Exit code of a command that did its work but could not keep all of it.
const NOT_KEPT: u8 = 3;
/// Nothing speaks against it, but it rests on estimates.
const NOT_PROVEN: u8 = 3;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let program = command::Program::parse();
    program.run().unwrap_or_else(|why| {
        note!("swarmgrad: {why:#}");
        ExitCode::from(code(&why))
    })
}

/// The exit code for what stopped a command.
fn code(why: &anyhow::Error) -> u8 {
    use swarmgrad_lab::Error::{Library, Method, Value};
    let usage =
        why.is::<swarmgrad::Error>() || matches!(why.downcast_ref(), Some(Library(_) | Method { .. } | Value { .. }));
    if usage { USAGE } else { NO_VALUE }
}
