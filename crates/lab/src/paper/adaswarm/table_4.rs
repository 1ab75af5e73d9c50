//! Table IV: fifteen data sets, squared error.

use super::network::{Shape, run};
use crate::paper::{Experiment, Preset};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/table-4",
    summary: "table IV: networks on fifteen data sets, squared error",
    preset: Preset::PaperCode,
    run: |session| run(session, &SHAPE),
};

const SHAPE: Shape = Shape {
    title: "Table IV: fifteen data sets, squared error",
    loss: "mse",
    printed: include_str!("table-4.csv"),
    epochs: 50,
};
