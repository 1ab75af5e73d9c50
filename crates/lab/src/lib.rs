//! Experiments: records of finished runs, statistics over them, tables, plots, animations, a self-contained page, the
//! tables and figures of the papers ([`paper`]), comparisons ([`compare`]), and the bench of methods on suites ([`mod@bench`]); what a
//! run has recorded, for the eye ([`recorded`]).
//!
//! Experiments write JSON lines ([`record`]); tables ([`table`]) and pictures ([`plot`]) read only those or plain numbers.
//! Nothing here asks the network or the system for anything: the font is embedded, the page carries its own style.

#![forbid(unsafe_code)]

pub mod bench;
pub mod compare;
pub mod error;
pub mod learn;
pub mod paper;
pub mod plot;
pub mod record;
pub mod recorded;
pub mod report;
pub mod stats;
mod stopwatch;
pub mod table;
#[cfg(feature = "networks")]
pub mod training;

pub use error::{Error, Result};
pub use record::{History, Record};
pub use recorded::Recorded;
pub use report::Report;
pub use table::Table;
