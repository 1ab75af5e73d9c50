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

#![forbid(unsafe_code)]
// Transcendental functions come from `math`: clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod aim;
mod algorithm;
mod checkpoint;
mod clock;
mod constraint;
mod encode;
mod error;
mod evaluate;
mod gradient;
mod knowledge;
pub mod math;
mod matrix;
pub mod memory;
mod noise;
pub mod number;
mod order;
mod outcome;
mod problem;
mod real;
mod reason;
mod rng;
mod run;
mod scalar;
mod session;
pub mod simd;
mod space;
mod start;
pub mod state;
mod tally;
mod threads;
mod variable;
mod watch;

pub use aim::{Aim, RobustLoss};
pub use algorithm::{Algorithm, Found, Kind, Screen, Solutions, View, save_state};
pub use checkpoint::Checkpoint;
pub use clock::Instant;
pub use constraint::{Constraint, Relation, better_constrained, violation};
pub use encode::Part;
pub use error::{Error, Result, nearest};
pub use evaluate::{Batch, Capacity, Evaluation, Evaluator, Failure, FailureCounts, Id};
pub use gradient::{Collapse, GradientSource, Reliability, Sampled};
pub use knowledge::Knowledge;
pub use matrix::{Matrix, Rows};
pub use noise::Repeated;
pub use order::{best_index, better, sort_indices};
pub use outcome::Outcome;
pub use problem::{BatchProblem, Constrained, Differentiable, Function, FunctionMut, Problem, Value, VectorFunction};
pub use real::{ByScalar, Real};
pub use reason::Reason;
pub use rng::{Draws, Rng, Tape};
pub use run::{DEFAULT_BUDGET, Run};
pub use scalar::Scalar;
pub use session::Session;
pub use space::{Outside, Space};
pub use start::Start;
pub use state::write_whole;
pub use tally::Best;
pub use threads::{Halt, Workers};
pub use variable::{Typed, Variable, VariableKind};
pub use watch::{
    Asked, Evaluations, Every, Iterations, Limits, Patience, Progress, Target, Time, Together, Told, Watch,
};
