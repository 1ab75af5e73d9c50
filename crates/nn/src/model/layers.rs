//! Networks written as a list of layers: the nets that a population can be evaluated on, see [`crate::population`].

use super::{Activation, EMPTY, Image, Network, Output, Pass};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, Relu, Sigmoid, Tanh};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Result};

/// A layer. What goes through is an image of some maps; a row of n numbers is n maps of one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// Every number with every output, and a bias.
    Dense {
        /// Numbers that come out.
        outputs: usize,
    },
    /// A convolution without padding, stride 1, with a bias for each map.
    Conv {
        /// Maps that come out.
        maps: usize,
        /// Rows and columns of a kernel.
        size: usize,
    },
    /// The same kernels on every map by itself: `kernels` maps for each that goes in.
    ConvEach {
        /// Maps that come out of each map.
        kernels: usize,
        /// Rows and columns of a kernel.
        size: usize,
    },
    /// Number by number.
    Activation(Activation),
    /// The largest of size x size pixels; pixels left over at the right and the bottom are dropped.
    MaxPool {
        /// Rows and columns that become one.
        size: usize,
    },
    /// Batch normalisation of each map, without an affine part: (x - mean) / sqrt(variance + 1e-4).
    BatchNorm,
}

/// What is added to a variance in [`Layer::BatchNorm`].
pub const EPSILON: f64 = 1e-4;

impl Layer {
    /// What comes out where `input` goes in.
    ///
    /// # Errors
    /// A size of zero, a kernel larger than what it is laid on.
    pub fn shape(self, input: Image) -> Result<Image> {
        let Image { channels, height, width } = input;
        let sizes: &[usize] = match &self {
            Layer::Dense { outputs } => &[*outputs],
            Layer::Conv { maps: n, size } | Layer::ConvEach { kernels: n, size } => &[*n, *size],
            Layer::MaxPool { size } => &[*size],
            Layer::Activation(_) | Layer::BatchNorm => &[],
        };
        if sizes.contains(&0) {
            return Err(Error::parameter("layer", format!("{self:?}"), "every size must be at least 1"));
        }
        let kernel = match self {
            Layer::Conv { size, .. } | Layer::ConvEach { size, .. } | Layer::MaxPool { size } => size,
            _ => 1,
        };
        if height < kernel || width < kernel {
            let rule = format!(
                "too small for this network: a {kernel} x {kernel} kernel is laid on {height} x {width} pixels"
            );
            return Err(Error::parameter("image", format!("{height} x {width}"), rule));
        }
        let valid = |channels| Image { channels, height: height + 1 - kernel, width: width + 1 - kernel };
        Ok(match self {
            Layer::Dense { outputs } => Image { channels: outputs, height: 1, width: 1 },
            Layer::Conv { maps, .. } => valid(maps),
            Layer::ConvEach { kernels, .. } => valid(channels * kernels),
            Layer::MaxPool { size } => Image { channels, height: height / size, width: width / size },
            Layer::Activation(_) | Layer::BatchNorm => input,
        })
    }
}

/// The shape that goes into each layer, and what comes out of the last one.
///
/// # Errors
/// Those of [`Layer::shape`].
pub fn shapes(input: Image, layers: &[Layer]) -> Result<Vec<Image>> {
    let mut shapes = vec![input];
    for layer in layers {
        let shape = layer.shape(shapes[shapes.len() - 1]).map_err(|why| of_image(why, input))?;
        shapes.push(shape);
    }
    Ok(shapes)
}

/// The same error about the image that the user has.
fn of_image(why: Error, image: Image) -> Error {
    match why {
        Error::Parameter { name, rule, .. } if name == "image" => {
            Error::parameter(name, format!("{} x {}", image.height, image.width), rule)
        }
        why => why,
    }
}

/// A layer with its weights.
#[derive(Module, Debug)]
enum Stage {
    Dense(Linear),
    Conv(Conv2d),
    ConvEach(Conv2d),
    Relu(Relu),
    Tanh(Tanh),
    Sigmoid(Sigmoid),
    MaxPool(MaxPool2d),
    BatchNorm(BatchNorm),
}

/// Layers one after the other.
#[derive(Module, Debug)]
pub struct Sequential {
    stages: Vec<Stage>,
    #[module(skip)]
    input: Image,
    #[module(skip)]
    output: Output,
}

impl Sequential {
    pub(super) fn new(input: Image, layers: &[Layer], outputs: usize, output: Output, device: &Device) -> Result<Self> {
        let shapes = shapes(input, layers)?;
        let last = shapes[shapes.len() - 1].len();
        if last != outputs {
            return Err(Error::shape("what comes out of the last layer", last, outputs));
        }
        let conv = |from, to, size| Conv2dConfig::new([from, to], [size, size]).with_initializer(EMPTY).init(device);
        let stage = |(layer, input): (&Layer, &Image)| match *layer {
            Layer::Dense { outputs } => {
                Stage::Dense(LinearConfig::new(input.len(), outputs).with_initializer(EMPTY).init(device))
            }
            Layer::Conv { maps, size } => Stage::Conv(conv(input.channels, maps, size)),
            Layer::ConvEach { kernels, size } => Stage::ConvEach(conv(1, kernels, size)),
            Layer::Activation(Activation::Relu) => Stage::Relu(Relu::new()),
            Layer::Activation(Activation::Tanh) => Stage::Tanh(Tanh::new()),
            Layer::Activation(Activation::Sigmoid) => Stage::Sigmoid(Sigmoid::new()),
            Layer::MaxPool { size } => {
                Stage::MaxPool(MaxPool2dConfig::new([size, size]).with_strides([size, size]).init())
            }
            Layer::BatchNorm => {
                let norm: BatchNorm = BatchNormConfig::new(input.channels).with_epsilon(EPSILON).init(device);
                Stage::BatchNorm(norm.no_grad())
            }
        };
        Ok(Sequential { stages: layers.iter().zip(&shapes).map(stage).collect(), input, output })
    }
}

impl Network for Sequential {
    fn forward(&self, x: Tensor<2>, _pass: Pass<'_>) -> Tensor<2> {
        let x = self.stages.iter().fold(self.input.tensor(x), |x, stage| {
            let [batch, maps, height, width] = x.dims();
            match stage {
                Stage::Dense(dense) => {
                    let x = dense.forward(x.reshape([batch, maps * height * width]));
                    let [_, outputs] = x.dims();
                    x.reshape([batch, outputs, 1, 1])
                }
                Stage::Conv(conv) => conv.forward(x),
                Stage::ConvEach(conv) => {
                    let x = conv.forward(x.reshape([batch * maps, 1, height, width]));
                    let [_, kernels, height, width] = x.dims();
                    x.reshape([batch, maps * kernels, height, width])
                }
                Stage::Relu(relu) => relu.forward(x),
                Stage::Tanh(tanh) => tanh.forward(x),
                Stage::Sigmoid(sigmoid) => sigmoid.forward(x),
                Stage::MaxPool(pool) => pool.forward(x),
                Stage::BatchNorm(norm) => norm.forward(x),
            }
        });
        self.output.apply(x.flatten::<2>(1, 3))
    }
}
