//! Table III: non-differentiable functions, SGD with momentum against emulated GD.

use super::descent::{Shape, Way, table};
use crate::paper::{Experiment, Preset};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/table-3",
    summary: "table III: four functions with kinks, SGD with momentum against EMPSO-emulated GD",
    preset: Preset::PaperText,
    run: |session| table(session, &SHAPE),
};

const SHAPE: Shape = Shape {
    title: "Table III: non-differentiable functions, SGD with momentum against emulated GD",
    functions: ["adaswarm5", "adaswarm6", "adaswarm7", "adaswarm8"],
    printed: include_str!("table-3.csv"),
    rival: (Way::Momentum, "SGD with momentum", "sgd"),
    swarm: "empso",
};
