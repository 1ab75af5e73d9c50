//! EvoGrad: metaheuristics that use gradients, at honest equal cost.

pub mod functions;
mod grid;
mod network;
mod peer;
pub mod regressors;
mod terrain;
pub mod without_gradient;
