//! Many networks of one architecture on the same samples, which are laid side by side in panels: the forward pass of a population.

pub mod kernel;
pub mod net;
