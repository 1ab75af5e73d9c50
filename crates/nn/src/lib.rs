//! Neural networks that learn from losses without a gradient.
//!
//! A swarm looks for better *outputs* of the network; what it finds stands in for dE/d(output), and backpropagation carries it to the
//! weights. Networks of dense layers are computed on our own kernels; convolutions, ResNet-18 and modules of your own on the tensor
//! library burn, with the feature `burn` (module `tensor`).

#![forbid(unsafe_code)]

pub mod data;
pub mod model;
pub mod optim;
pub mod population;
#[cfg(feature = "burn")]
pub mod tensor;
#[cfg(not(feature = "burn"))]
#[path = "without_tensor.rs"]
mod tensor;
pub mod train;

pub use swarmgrad_dense::{loss, metric, signal};

/// What an error says of something that is only in builds with the feature `burn`.
pub const NEEDS_BURN: &str = "needs the tensor library burn, which this build lacks: in a clone of the repository, \
     `cargo run --release --features burn -- ...` runs the program with it, and \
     `cargo install --path crates/cli --features burn` installs it";
