//! The algorithms of swarmgrad: derivative-free methods under one trait, found by name in the [`registry`].
//!
//! ```
//! use swarmgrad_algorithms::parameters::Settings;
//! use swarmgrad_algorithms::registry;
//! use swarmgrad_core::{Evaluations, Function, Run, Space};
//!
//! let space = Space::cube(3, -5.0, 5.0)?;
//! let mut method = registry::entry("cma_es")?.build(&space, None, &Settings::new())?;
//! let sphere = Function::new(space, |x: &[f64]| x.iter().map(|t| t * t).sum());
//! let outcome = Run::new(&sphere, &mut *method, 1).watch(&mut Evaluations(5_000)).minimize();
//! assert!(outcome.fun < 1e-8);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

#![forbid(unsafe_code)]
// Transcendental functions come from `swarmgrad_core::math`: clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod distribution;
pub mod evolution;
pub mod front;
pub mod gradient;
pub mod linear;
pub mod local;
pub mod method;
pub mod model;
pub mod parameters;
pub mod particle;
pub mod partition;
pub mod registry;
pub mod restart;
pub mod saved;
pub mod settings;
