//! Gradients read off a swarm.

pub mod elements;
