//! EvoGrad: metaheuristics that use gradients, at honest equal cost.

pub mod ablation;
pub mod cec_2017;
pub mod family;
pub mod functions;
mod grid;
pub mod meta;
mod peer;
pub mod regressors;
pub mod selection;
mod terrain;
pub mod without_gradient;
