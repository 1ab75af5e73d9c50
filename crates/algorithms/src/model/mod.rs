//! Models of the objective that say how sure they are.

pub mod process;
