//! Table I: differentiable functions, GD against emulated GD.

use super::descent::{Shape, Way, table};
use crate::paper::{Experiment, Preset};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/table-1",
    summary: "table I: four smooth functions, GD against PSO-emulated GD",
    preset: Preset::PaperText,
    run: |session| table(session, &SHAPE),
};

const SHAPE: Shape = Shape {
    title: "Table I: differentiable functions, GD against emulated GD",
    functions: ["adaswarm1", "adaswarm2", "adaswarm3", "adaswarm4"],
    printed: include_str!("table-1.csv"),
    rival: (Way::Plain, "GD", "gd"),
    swarm: "pso",
};
