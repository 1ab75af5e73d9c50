//! Table II: differentiable functions, SGD with momentum against emulated GD.

use super::descent::{Shape, Way, table};
use crate::paper::{Experiment, Preset};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/table-2",
    summary: "table II: four smooth functions, SGD with momentum against EMPSO-emulated GD",
    preset: Preset::PaperText,
    run: |session| table(session, &SHAPE),
};

const SHAPE: Shape = Shape {
    title: "Table II: differentiable functions, SGD with momentum against emulated GD",
    functions: ["adaswarm1", "adaswarm2", "adaswarm3", "adaswarm4"],
    printed: include_str!("table-2.csv"),
    rival: (Way::Momentum, "SGD with momentum", "sgd"),
    swarm: "empso",
};
