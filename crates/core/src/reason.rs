//! Reason: why a run ended.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The budget of evaluations is spent.
    Evaluations,
    /// The number of iterations is reached.
    Iterations,
    /// The target value is reached.
    Target,
    /// No improvement for long enough.
    Stagnation,
    /// The time is over.
    Time,
    /// Somebody asked it to stop (ctrl-C).
    Interrupted,
    /// Too many evaluations failed in a row, or nothing can evaluate any more.
    Failures(String),
    /// The method ended by itself, for the reason it gives.
    Method(String),
}

impl Reason {
    /// Whether the run did what it was asked to, rather than being cut off from outside.
    pub fn is_success(&self) -> bool {
        !matches!(self, Reason::Interrupted | Reason::Failures(_))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Evaluations => "budget of evaluations spent",
            Reason::Iterations => "number of iterations reached",
            Reason::Target => "target value reached",
            Reason::Stagnation => "no improvement worth the name for as long as patience lasts",
            Reason::Time => "time is over",
            Reason::Interrupted => "interrupted",
            Reason::Failures(why) | Reason::Method(why) => why,
        })
    }
}
