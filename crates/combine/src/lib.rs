//! Methods made of methods, and the [`registry`] of all methods by name.
//!
//! ```
//! use swarmgrad_combine::registry::{self, Settings};
//! use swarmgrad_core::{Evaluations, Function, Space, Run};
//!
//! let space = Space::cube(3, -5.0, 5.0)?;
//! let settings = Settings::from_iter([("method".into(), "diff_de:particles=10".into())]);
//! let mut islands = registry::entry("islands")?.build(&space, None, &settings)?;
//! let sphere = Function::new(space, |x: &[f64]| x.iter().map(|t| t * t).sum());
//! let outcome = Run::new(&sphere, &mut *islands, 1).watch(&mut Evaluations(5_000)).minimize();
//! assert!(outcome.fun < 1e-4);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

#![forbid(unsafe_code)]
// Transcendental functions come from `swarmgrad_core::math`: clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod auto;
pub mod constrained;
pub mod distinct;
pub mod ensemble;
pub mod fit;
pub mod handling;
pub mod islands;
pub mod multistart;
mod named;
pub mod polish;
pub mod registry;

pub use named::{Lookup, NamedMethod};
