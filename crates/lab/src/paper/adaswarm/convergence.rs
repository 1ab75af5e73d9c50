//! Supplement tables 6 to 8: epochs until Adam's accuracy.

use super::network;
use crate::paper::{Experiment, Preset};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/convergence",
    summary: "supplement tables 6 to 8: epochs until Adam's accuracy is reached",
    preset: Preset::PaperCode,
    run: network::convergence,
};
