//! A network of the tensor library in training.

use super::step::tensor_step;
use super::weights::{self, Part};
use super::{Device, Model};
use crate::model::Architecture;
use crate::optim::{Backend, Stepped, Supervision};
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use swarmgrad_core::{Error, Matrix, Result, Rng, Rows, Workers};

/// A [`Model`] on the processor, with gradients.
struct TensorNetwork {
    /// Absent while it is in a step.
    model: Option<Model>,
    device: Device,
    inputs: usize,
    outputs: Vec<f32>,
}

/// The network to be trained, with weights drawn from `rng`.
pub(crate) fn network(architecture: &Architecture, shape: [usize; 2], rng: &Rng) -> Result<Box<dyn Backend>> {
    let ([inputs, outputs], device) = (shape, Device::flex().autodiff());
    let model = Some(architecture.build(inputs, outputs, rng, &device)?);
    Ok(Box::new(TensorNetwork { model, device, inputs, outputs: Vec::new() }))
}

impl TensorNetwork {
    fn model(&self) -> &Model {
        self.model.as_ref().expect("there between steps")
    }
}

impl Backend for TensorNetwork {
    fn step(&mut self, supervision: &mut Supervision, x: &[f32], targets: &[f32]) -> Result<Stepped> {
        if x.is_empty() || !x.len().is_multiple_of(self.inputs) {
            return Err(Error::shape("numbers of a batch", x.len(), self.inputs));
        }
        let batch = TensorData::new(x.to_vec(), [x.len() / self.inputs, self.inputs]);
        let batch = Tensor::<2>::from_data(batch, &self.device);
        let model = self.model.take().expect("there between steps");
        let (model, stepped) = tensor_step(model, batch, targets, supervision, &mut self.outputs);
        self.model = Some(model);
        stepped
    }

    fn last_outputs(&self) -> &[f32] {
        &self.outputs
    }

    fn outputs(&self, x: Rows<'_, f32>, _workers: &Workers) -> Result<Matrix<f32>> {
        if x.dim() != self.inputs {
            return Err(Error::shape("features of a row", x.dim(), self.inputs));
        }
        let rows = Matrix::from_vec(x.dim(), x.data().to_vec())?;
        Ok(super::outputs(&self.model().valid(), &rows, &Device::flex()))
    }

    fn trainable(&self) -> usize {
        weights::count(self.model(), Part::Trainable)
    }

    fn state(&self) -> Vec<f32> {
        weights::read(self.model(), Part::All)
    }

    fn set_state(&mut self, state: &[f32]) -> Result<()> {
        self.model = Some(weights::write(self.model().clone(), state, Part::All)?);
        Ok(())
    }
}
