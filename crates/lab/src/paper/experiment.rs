//! What an experiment is, and the paper it belongs to.

use super::findings::Findings;
use super::session::{Preset, Session};
use crate::error::Result;

/// A table or a figure of a paper.
#[derive(Debug)]
pub struct Experiment {
    /// `paper/table or figure`, as users write it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The preset it has when the user chooses none.
    pub preset: Preset,
    /// What does it.
    pub run: fn(&Session<'_>) -> Result<Findings>,
}

/// A paper whose tables and figures are here.
#[derive(Debug)]
pub struct Paper {
    /// The first half of its experiments' names.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Authors, year and where it was published.
    pub source: &'static str,
    /// Whether its tables and figures can be had; else its abstract alone.
    pub tables: bool,
}
