//! What a person says of a run, as plain data, and what keeps it: programs of the user's own, the journal, state files, units of
//! work.

#![forbid(unsafe_code)]

pub mod constraint;
mod execution;
mod expression;
pub mod gradients;
mod improvements;
pub mod journal;
mod lock;
pub mod number;
mod objective;
pub mod program;
mod report;
pub mod space;
mod study;
mod summary;
mod uncertainty;
pub mod units;

pub use execution::{Execution, Saved};
pub use expression::Formula;
pub use objective::Objective;
pub use report::{Front, LastFailure, Report, Verdict};
pub use study::{PROGRAM_BUDGET, Plan, Program, Study};
pub use summary::Summary;
pub use uncertainty::{Collector, Meaning, Seen, Uncertainty};
