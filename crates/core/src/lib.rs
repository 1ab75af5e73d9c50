//! The ground floor of swarmgrad: what a problem, an algorithm and a run are.
//!
//! The house is told with six words. A [`Problem`] is a function on a box. An [`Algorithm`] asks for points and is told
//! their values. A [`Watch`]er sees the run after each iteration and may end it. A [`Run`] joins the three and owns
//! counting, best-so-far and stopping. (A gradient source and an operator, the other two words, live above.)
//!
//! ```
//! use swarmgrad_core::{Function, Space, Problem};
//!
//! let sphere = Function::new(Space::cube(3, -5.0, 5.0)?, |x: &[f64]| x.iter().map(|t| t * t).sum());
//! assert_eq!(sphere.value(&[1.0, 2.0, 3.0]), 14.0);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

// Transcendental functions come from `math`: clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod algorithm;
mod checkpoint;
mod error;
mod evaluate;
mod gradient;
pub mod math;
mod matrix;
mod noise;
mod order;
mod problem;
mod real;
mod rng;
mod run;
mod scalar;
pub mod simd;
mod space;
mod start;
mod watch;

pub use algorithm::{Algorithm, Found, Kind, Several, View};
pub use checkpoint::{Checkpoint, write_whole};
pub use error::{Error, Result, nearest};
pub use evaluate::{Evaluator, Halt, Workers};
pub use gradient::{GradientSource, Sampled};
pub use matrix::{Matrix, Rows};
pub use noise::Repeated;
pub use order::{best_index, better, sort_indices};
pub use problem::{BatchProblem, Differentiable, Function, Problem};
pub use real::Real;
pub use rng::{Draws, Rng, Tape};
pub use run::{Best, Outcome, Run, minimize};
pub use scalar::Scalar;
pub use space::{Outside, Space};
pub use start::Start;
pub use watch::{Evaluations, Every, Iterations, Progress, Reason, Stagnation, Target, Time, Together, Watch};
