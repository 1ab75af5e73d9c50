//! Supplement table 5: fifteen data sets, cross-entropy.

use super::network::{Shape, run};
use crate::paper::{Experiment, Preset};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/supp-5",
    summary: "supplement table 5: networks on fifteen data sets, binary cross-entropy",
    preset: Preset::PaperCode,
    run: |session| run(session, &SHAPE),
};

const SHAPE: Shape = Shape {
    title: "Supplement table 5: fifteen data sets, binary cross-entropy",
    loss: "bce",
    printed: include_str!("supplement-table-5.csv"),
    epochs: 40,
};
