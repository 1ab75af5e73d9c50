//! Methods made of methods.

pub mod restart;
