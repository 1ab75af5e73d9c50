//! Layers as plain data: what goes in, what comes out.

use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Result};

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
    /// A row of so many numbers: as many maps of one pixel.
    pub fn row(numbers: usize) -> Self {
        Image { channels: numbers, height: 1, width: 1 }
    }

    /// Numbers of one image.
    pub fn len(&self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }

    /// Whether it has no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

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

    /// The interval its numbers live in.
    pub fn range(self) -> Option<[f64; 2]> {
        match self {
            Output::Identity => None,
            Output::Sigmoid | Output::Softmax => Some([0.0, 1.0]),
        }
    }
}

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
            Layer::ConvEach { kernels, .. } => valid(channels.saturating_mul(kernels)),
            Layer::MaxPool { size } => Image { channels, height: height / size, width: width / size },
            Layer::Activation(_) | Layer::BatchNorm => input,
        })
    }
}

/// Weights and biases of layers, those of batch normalisation left out. What is more than a `usize` holds is its largest number.
///
/// # Errors
/// Those of [`Layer::shape`].
pub fn numbers(input: Image, layers: &[Layer]) -> Result<usize> {
    let shapes = shapes(input, layers)?;
    let of = |(layer, shape): (&Layer, &Image)| match *layer {
        Layer::Dense { outputs } => shape.len().saturating_add(1).saturating_mul(outputs),
        Layer::Conv { maps, size } => {
            let kernel = size.saturating_mul(size).saturating_mul(shape.channels);
            kernel.saturating_add(1).saturating_mul(maps)
        }
        Layer::ConvEach { kernels, size } => size.saturating_mul(size).saturating_add(1).saturating_mul(kernels),
        Layer::Activation(_) | Layer::MaxPool { .. } | Layer::BatchNorm => 0,
    };
    Ok(layers.iter().zip(&shapes).map(of).fold(0, usize::saturating_add))
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
