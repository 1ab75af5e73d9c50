//! What stands in the place of the module `tensor` in a build without the feature `burn`.

use crate::NEEDS_BURN;
use crate::model::Architecture;
use crate::optim::Backend;
use swarmgrad_core::{Error, Matrix, Result, Rng};

pub(crate) fn network(architecture: &Architecture, _shape: [usize; 2], _rng: &Rng) -> Result<Box<dyn Backend>> {
    Err(missing(architecture))
}

pub(crate) fn evaluate(
    architecture: &Architecture,
    _shape: [usize; 2],
    _state: &[f32],
    _x: &Matrix<f32>,
) -> Result<Matrix<f32>> {
    Err(missing(architecture))
}

fn missing(architecture: &Architecture) -> Error {
    Error::parameter("model", architecture.name(), format!("is no net of dense layers and {NEEDS_BURN}"))
}
