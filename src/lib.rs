//! swarmgrad optimises what has no gradient.
//!
//! The facade of the library: the ground floor at the top level ([`Problem`], [`Algorithm`], [`Run`], ...), the test
//! [`problems`], the [`algorithms`], those that can be differentiated ([`diff`]), those made of others ([`combine`]), and the
//! [`registry`] of all methods.
//!
//! ```
//! use swarmgrad::{Evaluations, minimize, problems, registry};
//!
//! let rastrigin = problems::entry("rastrigin")?.build::<f64>(5, None)?;
//! let mut method = registry::entry(registry::DEFAULT)?.build(rastrigin.space(), Some(20_000), &registry::Settings::new())?;
//! let outcome = minimize(&*rastrigin, &mut *method, 1, &mut [&mut Evaluations(20_000)]);
//! assert!(outcome.fun < 1e-3);
//! println!("{}", outcome.explanation.unwrap_or_default()); // which part of the method found it
//! # Ok::<(), swarmgrad::Error>(())
//! ```

pub use swarmgrad_algorithms as algorithms;
pub use swarmgrad_combine as combine;
pub use swarmgrad_combine::registry;
pub use swarmgrad_core::*;
pub use swarmgrad_diff as diff;
pub use swarmgrad_problems as problems;

/// The examples of the README, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
