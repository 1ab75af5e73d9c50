//! Table V: fifteen data sets, absolute error.

use super::network::{Shape, run};
use crate::paper::{Experiment, Preset};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/table-5",
    summary: "table V: networks on fifteen data sets, absolute error",
    preset: Preset::PaperCode,
    run: |session| run(session, &SHAPE),
};

const SHAPE: Shape = Shape {
    title: "Table V: fifteen data sets, absolute error",
    loss: "mae",
    printed: include_str!("table-5.csv"),
    epochs: 100,
};
