//! Methods made of methods.

pub mod auto;
pub mod ensemble;
pub mod islands;
mod member;
pub mod multistart;
pub mod polish;
pub mod restart;

pub use member::Member;
