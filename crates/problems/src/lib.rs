//! Test problems: functions with formula, source, domain, optimum and gradient, evaluated with vector instructions.
//!
//! [`PROBLEMS`] is the table of all; [`entry`] finds one by its name, [`Entry::build`] makes it a
//! [`TestProblem`] of a given dimension, for `f32` or `f64`.
//!
//! ```
//! use swarmgrad_core::{Problem, Rows};
//! let problem = swarmgrad_problems::entry("rastrigin")?.build::<f64>(2, None)?;
//!
//! let points = [0.0, 0.0, 1.0, 0.0, 0.5, 0.5];
//! let mut values = [0.0; 3];
//! problem.values(Rows::new(2, &points), &mut values);
//! assert_eq!(values, [0.0, 1.0, 40.5]);
//!
//! let gradient_of = problem.differentiable().expect("Rastrigin's function is smooth");
//! let mut gradient = [0.0; 2];
//! gradient_of.gradient(&[1.0, 0.0], &mut gradient);
//! assert_eq!(gradient, [2.0, 0.0]);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```
//!
//! A point's value has the same bits alone and in a batch, on any number of threads and on any processor: the
//! elementary functions are the crate's own polynomials, sums have a fixed order, and no fused multiply-add is used. (The
//! suites BBOB and CEC 2017 take the more exact ones of `swarmgrad_core::math`, to agree with their programs to the last digits.)

#![forbid(unsafe_code)]
// Transcendental functions come from `swarmgrad_core::math`: clippy.toml.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod ackley;
mod adaswarm;
mod bbob;
mod cec2017;
mod constrained;
mod crease;
mod design;
mod entry;
mod griewank;
mod levy;
mod math;
mod michalewicz;
mod multi;
mod network;
mod nist;
mod polynomial;
mod posed;
mod rastrigin;
mod rosenbrock;
mod schwefel;
mod shape;
mod sphere;
mod styblinski_tang;
mod suite;
mod wave;
mod zakharov;

pub use bbob::{bbob, bbob_constrained, bbob_mixint};
pub use cec2017::{cec2017, cec2017_in};
pub use constrained::CONSTRAINED;
pub use design::{DESIGNS, Design, DesignLimit, Quantity, design};
pub use entry::{Dims, Entry, TestProblem};
pub use multi::{MULTI, known_front, reference_point, usual_dim};
pub use network::Network;
pub use nist::{Certified, FITS, certified};
pub use suite::{PROBLEMS, aim, all, entry};
