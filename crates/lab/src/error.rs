//! One error type: every message names the thing, its value and the rule it breaks.

use std::path::Path;

/// What can go wrong with records, statistics and pictures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value outside its range.
    #[error("{name} = {value}: {rule}")]
    Value {
        /// What has the wrong value.
        name: String,
        /// What was given.
        value: String,
        /// What is allowed.
        rule: String,
    },
    /// A method that cannot be built.
    #[error("{method}: {why}")]
    Method {
        /// The method with its settings.
        method: String,
        /// What is wrong with it.
        why: swarmgrad::Error,
    },
    /// A line of a file that is no record.
    #[error("{path}:{line}: {why}")]
    Line {
        /// The file.
        path: String,
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The path as the user gave it.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A stream that cannot be written.
    #[error("cannot write {what}: {source}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A picture that cannot be drawn or encoded.
    #[error("cannot draw {what}: {why}")]
    Picture {
        /// What was being drawn.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// A program of the user's own of which nothing can come any more.
    #[error("{0}")]
    Program(String),
    /// Work that was broken off from outside.
    #[error("interrupted")]
    Interrupted,
    /// Something else the library refused.
    #[error(transparent)]
    Library(#[from] swarmgrad::Error),
}

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A value outside its range: name, value and the rule it breaks.
    pub fn value(name: impl Into<String>, value: impl ToString, rule: impl Into<String>) -> Self {
        Error::Value { name: name.into(), value: value.to_string(), rule: rule.into() }
    }

    pub(crate) fn file(path: &Path, why: impl ToString) -> Self {
        Error::File { path: path.display().to_string(), why: why.to_string() }
    }

    pub(crate) fn picture(what: &'static str, why: impl ToString) -> Self {
        Error::Picture { what, why: why.to_string() }
    }
}
