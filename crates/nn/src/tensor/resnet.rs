//! ResNet-18 for small images (He, Zhang, Ren, Sun 2016, with the 3x3 stem that is usual for 28 to 32 pixels): four stages of two
//! residual blocks with 64, 128, 256 and 512 channels, average pooling over all pixels, a dense layer.

use super::{EMPTY, Network, Pass, apply_output, image_tensor};
use crate::model::{Image, Output};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation::relu};
use swarmgrad_core::{Error, Result};

/// A convolution without bias and its batch normalisation.
#[derive(Module, Debug)]
struct Normalized {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Normalized {
    fn new(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        let pad = kernel / 2;
        let conv = Conv2dConfig::new(channels, [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_bias(false)
            .with_initializer(EMPTY);
        Normalized { conv: conv.init(device), norm: BatchNormConfig::new(channels[1]).init(device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

/// Two convolutions and the way around them.
#[derive(Module, Debug)]
struct Block {
    first: Normalized,
    second: Normalized,
    shortcut: Option<Normalized>,
}

impl Block {
    fn new(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        Block {
            first: Normalized::new([from, to], 3, stride, device),
            second: Normalized::new([to, to], 3, 1, device),
            shortcut: (stride != 1 || from != to).then(|| Normalized::new([from, to], 1, stride, device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let around = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x.clone()),
            None => x.clone(),
        };
        relu(self.second.forward(relu(self.first.forward(x))) + around)
    }
}

/// ResNet-18.
#[derive(Module, Debug)]
pub struct Resnet18 {
    stem: Normalized,
    blocks: Vec<Block>,
    pool: AdaptiveAvgPool2d,
    dense: Linear,
    #[module(skip)]
    image: Image,
    #[module(skip)]
    output: Output,
}

impl Resnet18 {
    pub(super) fn new(image: Image, outputs: usize, output: Output, device: &Device) -> Result<Self> {
        if image.height < 8 || image.width < 8 {
            return Err(Error::parameter(
                "image",
                format!("{} x {}", image.height, image.width),
                "at least 8 x 8 pixels",
            ));
        }
        let mut blocks = Vec::with_capacity(8);
        let mut from = 64;
        for (to, stride) in [(64, 1), (128, 2), (256, 2), (512, 2)] {
            blocks.push(Block::new(from, to, stride, device));
            blocks.push(Block::new(to, to, 1, device));
            from = to;
        }
        Ok(Resnet18 {
            stem: Normalized::new([image.channels, 64], 3, 1, device),
            blocks,
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            dense: LinearConfig::new(512, outputs).with_initializer(EMPTY).init(device),
            image,
            output,
        })
    }
}

impl Network for Resnet18 {
    fn forward(&self, x: Tensor<2>, _pass: Pass<'_>) -> Tensor<2> {
        let x = relu(self.stem.forward(image_tensor(self.image, x)));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        apply_output(self.output, self.dense.forward(self.pool.forward(x).flatten::<2>(1, 3)))
    }
}
