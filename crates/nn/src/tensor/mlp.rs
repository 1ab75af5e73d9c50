//! Dense layers.

use super::{EMPTY, Network, Pass};
use crate::model::{Activation, Output};
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};

/// Applies what follows the last layer to rows of numbers.
pub fn apply_output(output: Output, x: Tensor<2>) -> Tensor<2> {
    match output {
        Output::Identity => x,
        Output::Sigmoid => activation::sigmoid(x),
        Output::Softmax => activation::softmax(x, 1),
    }
}

/// A net of dense layers.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    output: Output,
}

impl Mlp {
    pub(super) fn new(
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        activation: Activation,
        output: Output,
        device: &Device,
    ) -> Self {
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        let mut from = inputs;
        for &to in hidden.iter().chain([&outputs]) {
            layers.push(LinearConfig::new(from, to).with_initializer(EMPTY).init(device));
            from = to;
        }
        Mlp { layers, activation, output }
    }
}

impl Network for Mlp {
    fn forward(&self, x: Tensor<2>, _pass: Pass<'_>) -> Tensor<2> {
        let (last, hidden) = self.layers.split_last().expect("a net has an output layer");
        let x = hidden.iter().fold(x, |x, layer| {
            let x = layer.forward(x);
            match self.activation {
                Activation::Relu => activation::relu(x),
                Activation::Tanh => x.tanh(),
                Activation::Sigmoid => activation::sigmoid(x),
            }
        });
        apply_output(self.output, last.forward(x))
    }
}
