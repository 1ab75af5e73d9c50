//! The tables and figures of the papers, computed again: what the paper says, what we find, and whether the claim holds.
//!
//! An [`Experiment`] is a line of [`EXPERIMENTS`]. It is run in a [`Session`], which carries the [`Settings`], spreads the
//! units of work (a function, an optimiser, a data set, and a seed) over threads, records each finished unit as one JSON
//! line, and takes from the records what an earlier, broken-off run has finished. Its [`Findings`] are rendered as text,
//! Markdown, a section of an HTML page, or JSON.
//!
//! ```
//! use swarmgrad_lab::paper::{self, Session, Settings};
//!
//! let experiment = paper::entry("adaswarm/stability")?;
//! let findings = Session::new(Settings { quick: true, ..Settings::default() })?.run(experiment)?;
//! assert!(findings.text(100).contains("4 / (1 + beta)"));
//! # Ok::<(), swarmgrad_lab::Error>(())
//! ```
//!
//! An experiment is a function from a session to its findings. All slow work goes through [`Session::units`]:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use swarmgrad_lab::paper::{Findings, Session};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Unit { data: String, optimizer: String, seed: u64 }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Trained { accuracy: f64 }
//!
//! fn run(session: &Session<'_>) -> swarmgrad_lab::Result<Findings> {
//!     let unit = |seed| Unit { data: "iris".into(), optimizer: "adam".into(), seed };
//!     let units: Vec<_> = (0..session.seeds(10, 2)).map(unit).collect();
//!     let trained = session.units("train", &units, |unit| Ok(Trained { accuracy: 0.9 + 1e-3 * unit.seed as f64 }))?;
//!     let mut findings = Findings::new("Accuracy on iris");
//!     findings.note(format!("{} runs", trained.len()));
//!     Ok(findings)
//! }
//! ```

pub mod adaswarm;
pub mod evograd;
mod experiment;
mod findings;
pub mod mean_field_pso;
mod printed;
mod registry;
mod session;

pub use experiment::{Experiment, Paper};
pub use findings::{Claim, Findings, Picture, Stated, Tabled, Verdict, page};
pub use printed::Printed;
pub use registry::{EXPERIMENTS, PAPERS, entry, missing, select};
pub use session::{Part, Preset, Session, Settings, Step};
