//! Knowledge: what a method has learned of the problem on its way.

use serde::{Deserialize, Serialize};

/// What a method has learned of the problem, as far as it looked; each from the values alone, none of it proven.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Knowledge {
    /// Whether values are smooth where its first search has ended.
    pub smooth: Option<bool>,
    /// Whether each variable can be minimised for itself.
    pub separable: Option<bool>,
    /// Whether, though they cannot, directions were found along which each can: combinations of the variables.
    #[serde(default)]
    pub turned: bool,
    /// The relative error of the values, where they were found to have one beyond that of the arithmetic.
    pub error: Option<f64>,
    /// Whether all lines that it looked along are those of a convex function.
    pub convex: Option<bool>,
    /// Searches from new points that have ended.
    pub searches: u64,
    /// Different values that they have ended at: basins, as far as these have different ones.
    pub basins: u64,
    /// Whether more than one of them came to the best value.
    pub confirmed: bool,
    /// The share of the box that is expected to lead to basins which no search has come to, from 0 to 1.
    pub unexplored: Option<f64>,
}
