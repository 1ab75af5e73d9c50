//! Networks below any tensor library: losses with a derivative or without, the gradient that is sent back at the outputs, layers and
//! the kernels that compute them, optimisers by name.
//!
//! A swarm looks for better *outputs* of a network; what it finds stands in for dE/d(output), and backpropagation carries it to the
//! weights.

// Transcendental functions come from `swarmgrad_core::math`: clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]
#![forbid(unsafe_code)]

mod elementary;
pub mod layer;
pub mod loss;
pub mod metric;
pub mod network;
pub mod optim;
pub mod panel;
mod product;
pub mod signal;
pub mod supervision;
