//! Metaheuristics that can be differentiated.
//!
//! An [`operator`] is a selection, crossover, mutation, survival or move with its `forward`, written once over the scalar, and
//! its hand-written adjoint `vjp`. Noise and indices are part of the operator, drawn outside, so that a plain number, a
//! [`Dual`] number and the adjoint see the same move. [`relax`] has the smooth stand-ins of decisions.

#![forbid(unsafe_code)]
// Transcendental functions come from `swarmgrad_core::math`: clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod dual;
mod fit;
mod inject;
pub mod learn;
pub mod meta;
pub mod method;
pub mod operator;
pub mod registry;
pub mod relax;
pub mod schedule;
pub mod unroll;

pub use dual::Dual;
