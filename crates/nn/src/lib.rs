//! Neural networks that learn from losses without a gradient.
//!
//! A swarm looks for better *outputs* of the network; what it finds stands in for dE/d(output), and the tensor library
//! carries it back to the weights.

#![forbid(unsafe_code)]

pub mod data;
pub mod loss;
pub mod metric;
pub mod model;
pub mod optim;
pub mod population;
pub mod signal;
pub mod train;
pub mod weights;
