//! Methods made of methods.

pub mod ensemble;
pub mod restart;
