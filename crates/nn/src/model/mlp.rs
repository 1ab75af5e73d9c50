//! Dense layers.

use super::{EMPTY, Network, Pass};
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};
use serde::{Deserialize, Serialize};

/// Between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(0, x)
    #[default]
    Relu,
    /// tanh(x)
    Tanh,
    /// 1 / (1 + exp(-x))
    Sigmoid,
}

impl Activation {
    /// Every activation with its name.
    pub const ALL: [(&'static str, Activation); 3] =
        [("relu", Activation::Relu), ("tanh", Activation::Tanh), ("sigmoid", Activation::Sigmoid)];
}

/// After the last layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The numbers as they are: regression, logits.
    Identity,
    /// 1 / (1 + exp(-x)), element by element.
    #[default]
    Sigmoid,
    /// exp(x) over its sum in a row.
    Softmax,
}

impl Output {
    /// Every output with its name.
    pub const ALL: [(&'static str, Output); 3] =
        [("identity", Output::Identity), ("sigmoid", Output::Sigmoid), ("softmax", Output::Softmax)];

    /// Applies it to rows of numbers.
    pub fn apply(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Output::Identity => x,
            Output::Sigmoid => activation::sigmoid(x),
            Output::Softmax => activation::softmax(x, 1),
        }
    }

    /// The interval its numbers live in.
    pub fn range(self) -> Option<[f64; 2]> {
        match self {
            Output::Identity => None,
            Output::Sigmoid | Output::Softmax => Some([0.0, 1.0]),
        }
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
        self.output.apply(last.forward(x))
    }
}
