//! Networks written as a list of layers.

use super::{EMPTY, Network, Pass, apply_output, image_tensor};
use crate::model::{Activation, EPSILON, Image, Layer, Output, shapes};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, Relu, Sigmoid, Tanh};
use burn::tensor::{Device, Tensor};
use swarmgrad_core::{Error, Result};

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
        let x = self.stages.iter().fold(image_tensor(self.input, x), |x, stage| {
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
        apply_output(self.output, x.flatten::<2>(1, 3))
    }
}
