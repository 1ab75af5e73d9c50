//! EvoGrad: metaheuristics that use gradients, at honest equal cost.

pub mod functions;
mod peer;
mod terrain;
