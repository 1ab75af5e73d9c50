//! Networks. Every one takes rows of features `[batch, inputs]` and gives rows of outputs `[batch, outputs]`.

mod cnn;
mod lenet;
mod mlp;
mod resnet;

/// Where a network's tensors live; `Device::flex().autodiff()` is the processor, with gradients.
pub use burn::tensor::Device;
pub use cnn::Cnn;
pub use lenet::Lenet1;
pub use mlp::{Activation, Mlp, Output};
pub use resnet::Resnet18;

use crate::weights;
use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Result, Rng};

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

/// The shape of an image, flattened row by row, channel after channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// 1 (grey) or 3 (colour).
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl Image {
    /// Numbers of one image.
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether it has no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn tensor(&self, x: Tensor<2>) -> Tensor<4> {
        let [batch, _] = x.dims();
        x.reshape([batch, self.channels, self.height, self.width])
    }
}

/// What to build: plain data that a saved model carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Architecture {
    /// A net of dense layers.
    Mlp {
        /// Neurons of each hidden layer; none gives a linear model.
        hidden: Vec<usize>,
        /// Between the layers.
        activation: Activation,
        /// After the last layer.
        output: Output,
    },
    /// The convolutional net of the AdaSwarm paper (section VI-D).
    Cnn {
        /// Shape of the input.
        image: Image,
        /// After the last layer.
        output: Output,
    },
    /// LeNet-1 as in the mean-field PSO paper: two convolutions with batch normalisation and pooling.
    Lenet1 {
        /// Shape of the input.
        image: Image,
        /// After the last layer.
        output: Output,
    },
    /// ResNet-18 for small images.
    Resnet18 {
        /// Shape of the input.
        image: Image,
        /// After the last layer.
        output: Output,
    },
}

impl Architecture {
    /// The paper's net for tables: one hidden layer of ten neurons, ReLU, sigmoid outputs.
    pub fn paper() -> Self {
        Architecture::Mlp { hidden: vec![10], activation: Activation::Relu, output: Output::Sigmoid }
    }

    /// Builds the network with weights drawn from `rng`, on a device that tracks gradients or not.
    ///
    /// # Errors
    /// A size of zero, or an image whose numbers are not `inputs`.
    pub fn build(&self, inputs: usize, outputs: usize, rng: &Rng, device: &Device) -> Result<Model> {
        if inputs == 0 || outputs == 0 {
            return Err(Error::parameter(
                "network",
                format!("{inputs} inputs, {outputs} outputs"),
                "both must be at least 1",
            ));
        }
        if let Some(image) = self.image()
            && (image.is_empty() || image.len() != inputs)
        {
            return Err(Error::shape(
                format!("an image of {} x {} x {}", image.channels, image.height, image.width),
                inputs,
                image.len(),
            ));
        }
        let model = match self {
            Architecture::Mlp { hidden, activation, output } => {
                if let Some(layer) = hidden.iter().position(|&n| n == 0) {
                    return Err(Error::parameter(format!("hidden[{layer}]"), 0, "a layer needs at least one neuron"));
                }
                Model::Mlp(Mlp::new(inputs, hidden, outputs, *activation, *output, device))
            }
            Architecture::Cnn { image, output } => Model::Cnn(Cnn::new(*image, outputs, *output, device)?),
            Architecture::Lenet1 { image, output } => Model::Lenet1(Lenet1::new(*image, outputs, *output, device)?),
            Architecture::Resnet18 { image, output } => {
                Model::Resnet18(Resnet18::new(*image, outputs, *output, device)?)
            }
        };
        Ok(weights::initialize(model, rng))
    }

    /// The shape of its input, where it is an image.
    pub fn image(&self) -> Option<Image> {
        match self {
            Architecture::Mlp { .. } => None,
            Architecture::Cnn { image, .. }
            | Architecture::Lenet1 { image, .. }
            | Architecture::Resnet18 { image, .. } => Some(*image),
        }
    }

    /// What follows the last layer.
    pub fn output(&self) -> Output {
        match self {
            Architecture::Mlp { output, .. }
            | Architecture::Cnn { output, .. }
            | Architecture::Lenet1 { output, .. }
            | Architecture::Resnet18 { output, .. } => *output,
        }
    }
}

/// Any of the networks of this crate.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one a run, and the tensor library's derive knows no boxes
pub enum Model {
    /// Dense layers.
    Mlp(Mlp),
    /// The paper's convolutional net.
    Cnn(Cnn),
    /// LeNet-1.
    Lenet1(Lenet1),
    /// ResNet-18.
    Resnet18(Resnet18),
}

impl Network for Model {
    fn forward(&self, x: Tensor<2>, pass: Pass<'_>) -> Tensor<2> {
        match self {
            Model::Mlp(net) => net.forward(x, pass),
            Model::Cnn(net) => net.forward(x, pass),
            Model::Lenet1(net) => net.forward(x, pass),
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
