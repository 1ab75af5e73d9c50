//! The convolutional net of the AdaSwarm paper (section VI-D; its program gives the layers): 3x3 convolution to 32 channels,
//! ReLU, 3x3 convolution to 64, ReLU, 2x2 max pooling, dropout .25, dense 128, ReLU, dropout .5, dense to the classes.
//! 1,199,882 parameters for 28 x 28 grey images and ten classes.

use super::{EMPTY, Network, Pass, apply_output, dropout, image_tensor};
use crate::model::{Image, Output};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use swarmgrad_core::{Error, Result};

/// The paper's convolutional net.
#[derive(Module, Debug)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    dense1: Linear,
    dense2: Linear,
    #[module(skip)]
    image: Image,
    #[module(skip)]
    output: Output,
}

impl Cnn {
    pub(super) fn new(image: Image, outputs: usize, output: Output, device: &Device) -> Result<Self> {
        if image.height < 6 || image.width < 6 {
            return Err(Error::parameter(
                "image",
                format!("{} x {}", image.height, image.width),
                "at least 6 x 6 pixels",
            ));
        }
        let conv = |from, to| Conv2dConfig::new([from, to], [3, 3]).with_initializer(EMPTY).init(device);
        let dense = |from, to| LinearConfig::new(from, to).with_initializer(EMPTY).init(device);
        let flat = 64 * ((image.height - 4) / 2) * ((image.width - 4) / 2);
        Ok(Cnn {
            conv1: conv(image.channels, 32),
            conv2: conv(32, 64),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            dense1: dense(flat, 128),
            dense2: dense(128, outputs),
            image,
            output,
        })
    }
}

impl Network for Cnn {
    fn forward(&self, x: Tensor<2>, pass: Pass<'_>) -> Tensor<2> {
        let x = relu(self.conv1.forward(image_tensor(self.image, x)));
        // The largest of four numbers above zero: ReLU after the pooling is the same on a quarter of the numbers.
        let x = relu(self.pool.forward(self.conv2.forward(x)));
        let x = dropout(x.flatten::<2>(1, 3), 0.25, "dropout 1", pass);
        let x = dropout(relu(self.dense1.forward(x)), 0.5, "dropout 2", pass);
        apply_output(self.output, self.dense2.forward(x))
    }
}
