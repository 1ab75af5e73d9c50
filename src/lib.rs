//! swarmgrad optimises what has no gradient.
//!
//! The facade of the library: the ground floor at the top level ([`Problem`], [`Algorithm`], [`Run`], ...), the test
//! [`problems`], the [`algorithms`], those that can be differentiated ([`diff`]), those made of others ([`combine`]), and the
//! [`registry`] of all methods. Those of 32 bits, as `build::<f32>`, need the feature `single`.
//!
//! [The guide](https://github.com/swarmgrad/swarmgrad/blob/main/docs/guide/README.md) has a page for each task.
//!
//! ```
//! use swarmgrad::{Space, minimize};
//!
//! let bowl = |x: &[f64]| x.iter().map(|t| t * t - 10.0 * (6.283 * t).cos() + 10.0).sum::<f64>();
//! let outcome = minimize(bowl, Space::cube(5, -5.12, 5.12)?).evaluations(20_000).seed(1).run()?;
//! assert!(outcome.fun < 1e-3);
//! println!("{}", outcome.explanation.unwrap_or_default()); // which part of the method found it
//! # Ok::<(), swarmgrad::Error>(())
//! ```

#![forbid(unsafe_code)]

mod minimize;

pub use minimize::{Minimize, minimize, minimize_problem, session};
pub use swarmgrad_algorithms as algorithms;
pub use swarmgrad_algorithms::settings;
pub use swarmgrad_combine as combine;
pub use swarmgrad_combine::registry;
pub use swarmgrad_core::*;
pub use swarmgrad_diff as diff;
pub use swarmgrad_problems as problems;
pub use swarmgrad_study as study;

pub mod testing;

/// The examples of the README, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// Those of the guide and of the pages behind it.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide/rust-function.md")]
#[doc = include_str!("../docs/constraints.md")]
#[doc = include_str!("../docs/fits.md")]
#[doc = include_str!("../docs/objectives.md")]
pub struct Guide;
