//! Networks as plain data. Every one takes rows of features `[batch, inputs]` and gives rows of outputs `[batch, outputs]`.
//!
//! Those of dense layers are computed on our own kernels, lists of layers by a [`Population`](crate::population) too; other
//! networks are trained on a tensor library, with the feature `burn`.

pub use swarmgrad_dense::layer::{Activation, EPSILON, Image, Layer, Output, numbers, shapes};

use crate::optim::Backend;
use crate::tensor;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Result, Rng};
use swarmgrad_dense::network::{DenseNetwork, is_dense};

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

    /// The sizes that every network has.
    pub(crate) fn check(&self, inputs: usize, outputs: usize) -> Result<()> {
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

    /// The network to be trained, with weights drawn from `rng`: of dense layers on our own kernels, another on the tensor library.
    ///
    /// # Errors
    /// A size of zero, an image whose numbers are not `inputs`, layers that do not give `outputs` numbers; a network that is not of
    /// dense layers, without the feature `burn`.
    pub fn network(&self, inputs: usize, outputs: usize, rng: &Rng) -> Result<Box<dyn Backend>> {
        match self.dense_network(inputs, outputs)? {
            Some(mut network) => {
                network.initialize(rng);
                Ok(Box::new(network))
            }
            None => tensor::network(self, [inputs, outputs], rng),
        }
    }

    /// The network on our own kernels with weights of 0, where it is one of dense layers.
    ///
    /// # Errors
    /// A size of zero, an image whose numbers are not `inputs`, layers that do not give `outputs` numbers.
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

    /// Its name, as plain data has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Architecture::Mlp { .. } => "mlp",
            Architecture::Cnn { .. } => "cnn",
            Architecture::Layers { .. } => "layers",
            Architecture::Resnet18 { .. } => "resnet18",
        }
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
