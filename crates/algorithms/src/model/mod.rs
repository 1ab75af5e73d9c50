//! Models of the objective that say how sure they are.

pub mod gp;
pub mod likeliest;
pub mod process;
