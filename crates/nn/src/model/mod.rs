//! Networks. Every one takes rows of features `[batch, inputs]` and gives rows of outputs `[batch, outputs]`.

mod cnn;
pub mod layers;
mod library;
mod mlp;
mod resnet;

/// Where a network's tensors live; `Device::flex().autodiff()` is the processor, with gradients.
pub use burn::tensor::Device;
pub use cnn::Cnn;
pub use layers::{Layer, Sequential};
pub use mlp::{Activation, Mlp, Output, apply_output};
pub use resnet::Resnet18;
pub use swarmgrad_dense::layer::Image;

use crate::optim::Backend;
use crate::weights::{self, floats};
use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Matrix, Result, Rng};
use swarmgrad_dense::network::{DenseNetwork, is_dense};

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
    /// Layers one after the other; [`Architecture::shallow`] and [`Architecture::lenet1`] are such lists.
    Layers {
        /// Shape of the input; a row of numbers is so many maps of one pixel.
        image: Image,
        /// From the input on. What comes out of the last one are the outputs.
        layers: Vec<Layer>,
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

    /// The shallow net of the mean-field PSO paper: a dense layer, ReLU, batch normalisation. 7,850 parameters for 784 inputs and
    /// ten classes.
    pub fn shallow(inputs: usize, outputs: usize, output: Output) -> Self {
        let image = Image { channels: inputs, height: 1, width: 1 };
        Architecture::Layers {
            image,
            layers: vec![Layer::Dense { outputs }, Layer::Activation(Activation::Relu), Layer::BatchNorm],
            output,
        }
    }

    /// LeNet-1 (LeCun et al. 1990) as the mean-field PSO paper has it, 2,112 parameters for 28 x 28 grey images and ten classes:
    /// four 5x5 convolutions, 2x2 max pooling, three 5x5 convolutions that every one of the four maps goes through, pooling, a
    /// dense layer; ReLU after convolutions and the dense layer, batch normalisation after ReLU and after pooling.
    pub fn lenet1(image: Image, outputs: usize, output: Output) -> Self {
        let (relu, pool, norm) = (Layer::Activation(Activation::Relu), Layer::MaxPool { size: 2 }, Layer::BatchNorm);
        let mut layers = Vec::new();
        for conv in [Layer::Conv { maps: 4, size: 5 }, Layer::ConvEach { kernels: 3, size: 5 }] {
            layers.extend([conv, relu, norm, pool, norm]);
        }
        layers.extend([Layer::Dense { outputs }, relu, norm]);
        Architecture::Layers { image, layers, output }
    }

    /// The network as a list of layers, if it is one, and the shape that goes into it.
    pub fn layers(&self, inputs: usize, outputs: usize) -> Option<(Image, Vec<Layer>)> {
        match self {
            Architecture::Mlp { hidden, activation, .. } => {
                let hidden = hidden.iter().flat_map(|&n| [Layer::Dense { outputs: n }, Layer::Activation(*activation)]);
                let layers = hidden.chain([Layer::Dense { outputs }]).collect();
                Some((Image { channels: inputs, height: 1, width: 1 }, layers))
            }
            Architecture::Layers { image, layers, .. } => Some((*image, layers.clone())),
            Architecture::Cnn { .. } | Architecture::Resnet18 { .. } => None,
        }
    }

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

    /// The sizes that every network has.
    fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
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
        if let Architecture::Mlp { hidden, .. } = self
            && let Some(layer) = hidden.iter().position(|&n| n == 0)
        {
            return Err(Error::parameter(format!("hidden[{layer}]"), 0, "a layer needs at least one neuron"));
        }
        Ok(())
    }

    /// The same network to be trained: of dense layers on our own kernels, of others on the tensor library.
    ///
    /// # Errors
    /// Those of [`Architecture::build`].
    pub fn network(&self, inputs: usize, outputs: usize, rng: &Rng) -> Result<Box<dyn Backend>> {
        if let Some(mut network) = self.dense_network(inputs, outputs)? {
            network.initialize(rng);
            return Ok(Box::new(network));
        }
        let device = Device::flex().autodiff();
        let model = self.build(inputs, outputs, rng, &device)?;
        Ok(Box::new(library::LibraryNetwork::new(model, inputs, device)))
    }

    /// The network on our own kernels with weights of 0, where it is one of dense layers.
    ///
    /// # Errors
    /// Those of [`Architecture::build`].
    pub fn dense_network(&self, inputs: usize, outputs: usize) -> Result<Option<DenseNetwork>> {
        self.check(inputs, outputs)?;
        let Some((image, layers)) = self.layers(inputs, outputs) else { return Ok(None) };
        if !is_dense(image, &layers) {
            return Ok(None);
        }
        let network = DenseNetwork::new(image, &layers, self.output())?;
        let last = network.shape()[1];
        if last != outputs {
            return Err(Error::shape("what comes out of the last layer", last, outputs));
        }
        Ok(Some(network))
    }

    /// The shape of its input, where it is an image.
    pub fn image(&self) -> Option<Image> {
        match self {
            Architecture::Mlp { .. } => None,
            Architecture::Cnn { image, .. }
            | Architecture::Layers { image, .. }
            | Architecture::Resnet18 { image, .. } => Some(*image),
        }
    }

    /// What follows the last layer.
    pub fn output(&self) -> Output {
        match self {
            Architecture::Mlp { output, .. }
            | Architecture::Cnn { output, .. }
            | Architecture::Layers { output, .. }
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
