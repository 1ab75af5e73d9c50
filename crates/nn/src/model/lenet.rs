//! LeNet-1 (LeCun et al. 1990) as the mean-field PSO paper uses it, 2,112 parameters for 28 x 28 grey images and ten classes:
//! four 5x5 convolutions, ReLU, 2x2 max pooling, three 5x5 convolutions that every one of the four maps goes through, ReLU,
//! pooling, a dense layer. Without that paper's batch normalisation.

use super::{EMPTY, Image, Network, Output, Pass};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use swarmgrad_core::{Error, Result};

/// LeNet-1.
#[derive(Module, Debug)]
pub struct Lenet1 {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    dense: Linear,
    #[module(skip)]
    image: Image,
    #[module(skip)]
    output: Output,
}

const MAPS: usize = 4;
const KERNELS: usize = 3;

impl Lenet1 {
    pub(super) fn new(image: Image, outputs: usize, output: Output, device: &Device) -> Result<Self> {
        if image.height < 16 || image.width < 16 {
            return Err(Error::parameter(
                "image",
                format!("{} x {}", image.height, image.width),
                "at least 16 x 16 pixels",
            ));
        }
        let conv = |from, to| Conv2dConfig::new([from, to], [5, 5]).with_initializer(EMPTY).init(device);
        let side = |n: usize| ((n - 4) / 2 - 4) / 2;
        let flat = MAPS * KERNELS * side(image.height) * side(image.width);
        Ok(Lenet1 {
            conv1: conv(image.channels, MAPS),
            conv2: conv(1, KERNELS),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            dense: LinearConfig::new(flat, outputs).with_initializer(EMPTY).init(device),
            image,
            output,
        })
    }
}

impl Network for Lenet1 {
    fn forward(&self, x: Tensor<2>, _pass: Pass<'_>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.conv1.forward(self.image.tensor(x))));
        let [batch, maps, height, width] = x.dims();
        let x = self.pool.forward(relu(self.conv2.forward(x.reshape([batch * maps, 1, height, width]))));
        let [_, kernels, height, width] = x.dims();
        self.output.apply(self.dense.forward(x.reshape([batch, maps * kernels * height * width])))
    }
}
