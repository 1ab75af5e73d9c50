//! Neural networks that learn from losses without a gradient.
//!
//! A swarm looks for better *outputs* of the network; what it finds stands in for dE/d(output), and the tensor library
//! carries it back to the weights.

#![forbid(unsafe_code)]

pub mod data;
pub mod model;
pub mod optim;
pub mod population;
pub mod train;
pub mod weights;

pub use swarmgrad_dense::{loss, metric, signal};
