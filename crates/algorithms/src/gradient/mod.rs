//! Gradients read off a swarm, for functions that have none, and what they are measured against.
//!
//! All swarm gradients are one formula, `kappa (w - g)`: a factor kappa times the way from the attractor g to the point w.
//! They differ in how g is found and what kappa is:
//!
//! | source | g | kappa | exact for |
//! |---|---|---|---|
//! | [`equivalence`] | best of a swarm around w | by the AdaSwarm paper's theorems, or the measured curvature | nothing (`calibrated`: quadratics in 1-D); sign right on convex f |
//! | [`proximal`] | minimiser of f(z) + \|z - w\|^2 / (2 tau) | 1 / tau | the Moreau envelope, where the swarm finds the minimiser |
//! | [`cloud::Consensus`] | consensus of a Gaussian cloud | 1 / (alpha sigma^2) | the smoothed envelope, for many points |
//!
//! Exact is the formula; what samples make of it has an error, which every source tells with the gradient: an effective sample size, a
//! standard error, and a warning where it collapses ([`Reliability`](swarmgrad_core::Reliability)). In one variable the attractors are found to 1e-5
//! (proximal) and to a tenth (consensus, 200 points); in several the swarm moves more often and the cloud is tilted along its own slope,
//! which keeps mean errors below a tenth up to 20 variables on convex functions. Where a function has a gradient of its own, differences and
//! [`cloud::LeastSquares`] find it for 2 d + 1 evaluations. `swarmgrad reproduce adaswarm/gradient-range` prints all of it.
//!
//! Beside them [`cloud::LeastSquares`] and the [`yardstick`]s. All are [`GradientSource`](swarmgrad_core::GradientSource)s: what they write is a gradient to
//! descend, and they say what it cost. [`descend`] follows one, [`quality`] holds one against the true gradient, and
//! [`SOURCES`] has them by name. [`adaswarm`] is the paper's method as an algorithm; [`elements`] the flat kernel of many
//! one-dimensional swarms for losses in networks.
//!
//! ```
//! use swarmgrad_algorithms::gradient::{descend::descend, rule::Adam};
//! use swarmgrad_algorithms::gradient::proximal::{Params, Proximal};
//! use swarmgrad_core::{Function, Rng, Space};
//!
//! let f = Function::new(Space::cube(2, -5.0, 5.0)?, |x: &[f64]| (x[0] - 1.0).abs() + (x[1] + 2.0).abs());
//! let mut source = Proximal::new(&f, Params { tau: 0.5, ..Params::default() })?;
//! let mut adam = Adam::new(0.1);
//! let walk = descend(&f, &mut source, &mut adam, &[4.0, 4.0], 150, &Rng::new(1))?;
//! assert!(walk.best().1 < 1e-2);
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

pub mod adaswarm;
pub mod cloud;
mod curvature;
pub mod descend;
pub mod elements;
pub mod equivalence;
mod points;
pub mod proximal;
pub mod quality;
mod registry;
pub mod rule;
pub mod search;
mod source;
pub mod yardstick;

pub use curvature::{curvature, towards};
pub use registry::{SOURCES, source};
pub use source::Source;
