//! Networks on the tensor library burn, with the feature `burn`: convolutions, ResNet-18, modules of your own, and what is not
//! differentiable between two of them ([`Through`]).
//!
//! Weights go in and out as flat vectors, see [`weights`]; optimisers, losses and signals are those of the networks of dense layers.

mod cnn;
mod layers;
mod mlp;
mod network;
mod resnet;
mod step;
mod through;
pub mod weights;

/// Where a network's tensors live; `Device::flex().autodiff()` is the processor, with gradients.
pub use burn::tensor::Device;
pub use cnn::Cnn;
pub use layers::Sequential;
pub use mlp::{Mlp, apply_output};
pub(crate) use network::network;
pub use resnet::Resnet18;
pub use step::{AdaSwarm, Optimizer};
pub use through::Through;

use crate::model::{Architecture, Image};
use crate::population::Frozen;
use crate::train::{Saved, Trainer};
use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Tensor, TensorData};
use swarmgrad_core::{Matrix, Result, Rng};
use weights::{Part, floats};

/// What a pass through a network is for.
#[derive(Debug, Clone, Copy)]
pub enum Pass<'a> {
    /// Training: dropout draws its masks from this generator (move its iteration on every step).
    Train(&'a Rng),
    /// Evaluation: dropout does nothing.
    Evaluate,
}

/// A network that a loss on its outputs can train.
pub trait Network: Module {
    /// Outputs `[batch, outputs]` of features `[batch, inputs]`.
    fn forward(&self, x: Tensor<2>, pass: Pass<'_>) -> Tensor<2>;
}

/// Rows of outputs of a network without gradients, computed in pieces that fit the memory.
pub fn outputs<M: Network>(model: &M, x: &Matrix<f32>, device: &Device) -> Matrix<f32> {
    // About 4 million numbers of the widest layer of a convolutional net on a piece of 256 rows; dense nets take more at once.
    let piece = if x.dim() > 256 { 256 } else { 4096 };
    let mut rows = Vec::new();
    let mut columns = 0;
    for part in x.data().chunks(piece * x.dim()) {
        let part = TensorData::new(part.to_vec(), [part.len() / x.dim(), x.dim()]);
        let out = model.forward(Tensor::<2>::from_data(part, device), Pass::Evaluate);
        columns = out.dims()[1];
        rows.extend(floats(out.into_data()));
    }
    Matrix::from_vec(columns.max(1), rows).expect("whole rows")
}

/// Rows of numbers as images.
fn image_tensor(image: Image, x: Tensor<2>) -> Tensor<4> {
    let [batch, _] = x.dims();
    x.reshape([batch, image.channels, image.height, image.width])
}

impl Architecture {
    /// Builds the network with weights drawn from `rng`, on a device that tracks gradients or not.
    ///
    /// # Errors
    /// A size of zero, or an image whose numbers are not `inputs`.
    pub fn build(&self, inputs: usize, outputs: usize, rng: &Rng, device: &Device) -> Result<Model> {
        self.check(inputs, outputs)?;
        let model = match self {
            Architecture::Mlp { hidden, activation, output } => {
                Model::Mlp(Mlp::new(inputs, hidden, outputs, *activation, *output, device))
            }
            Architecture::Cnn { image, output } => Model::Cnn(Cnn::new(*image, outputs, *output, device)?),
            Architecture::Layers { image, layers, output } => {
                Model::Layers(Sequential::new(*image, layers, outputs, *output, device)?)
            }
            Architecture::Resnet18 { image, output } => {
                Model::Resnet18(Resnet18::new(*image, outputs, *output, device)?)
            }
        };
        Ok(weights::initialize(model, rng))
    }
}

impl Trainer {
    /// The network as it is, as a module of the tensor library, with gradients.
    ///
    /// # Errors
    /// None for its own weights; what [`weights::write`] may find is passed on.
    pub fn model(&self) -> Result<Model> {
        let [inputs, outputs] = self.shape();
        let empty = self.architecture().build(inputs, outputs, &Rng::new(0), &Device::flex().autodiff())?;
        weights::write(empty, &self.weights(), Part::All)
    }
}

impl Saved {
    /// The network as a module of the tensor library, without gradients.
    ///
    /// # Errors
    /// Weights that do not fit the architecture.
    pub fn model(&self) -> Result<Model> {
        let [inputs, outputs] = self.shape;
        frozen(&self.training.architecture, [inputs, outputs], &self.weights)
    }
}

impl Frozen {
    /// The same network as a module of the tensor library, without gradients.
    ///
    /// # Errors
    /// None for a population's own weights; what [`weights::write`] may find is passed on.
    pub fn model(&self) -> Result<Model> {
        frozen(self.architecture(), self.shape(), &self.weights())
    }
}

/// A network of these weights and statistics, without gradients.
fn frozen(architecture: &Architecture, [inputs, outputs]: [usize; 2], state: &[f32]) -> Result<Model> {
    let empty = architecture.build(inputs, outputs, &Rng::new(0), &Device::flex())?;
    weights::write(empty, state, Part::All)
}

/// Outputs for rows of a network of these weights and statistics.
pub(crate) fn evaluate(
    architecture: &Architecture,
    shape: [usize; 2],
    state: &[f32],
    x: &Matrix<f32>,
) -> Result<Matrix<f32>> {
    Ok(outputs(&frozen(architecture, shape, state)?, x, &Device::flex()))
}

/// Any of the networks of this crate.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one a run, and the tensor library's derive knows no boxes
pub enum Model {
    /// Dense layers.
    Mlp(Mlp),
    /// The paper's convolutional net.
    Cnn(Cnn),
    /// Layers one after the other.
    Layers(Sequential),
    /// ResNet-18.
    Resnet18(Resnet18),
}

impl Network for Model {
    fn forward(&self, x: Tensor<2>, pass: Pass<'_>) -> Tensor<2> {
        match self {
            Model::Mlp(net) => net.forward(x, pass),
            Model::Cnn(net) => net.forward(x, pass),
            Model::Layers(net) => net.forward(x, pass),
            Model::Resnet18(net) => net.forward(x, pass),
        }
    }
}

/// Layers are made empty and filled by [`weights::initialize`]: the tensor library's own generator is one for the process.
const EMPTY: Initializer = Initializer::Zeros;

/// Dropout with a mask of ours: each number is kept with probability `1 - rate` and scaled up, by row `row` of `rng`.
fn dropout<const D: usize>(x: Tensor<D>, rate: f32, layer: &str, pass: Pass<'_>) -> Tensor<D> {
    let Pass::Train(rng) = pass else { return x };
    let shape = x.shape();
    let mut mask = vec![0.0f32; shape.num_elements()];
    rng.fork(layer).row(0).fill_uniform(&mut mask);
    let kept = 1.0 / (1.0 - rate);
    mask.iter_mut().for_each(|u| *u = if *u < rate { 0.0 } else { kept });
    let device = x.device();
    x * Tensor::from_data(TensorData::new(mask, shape), &device)
}
