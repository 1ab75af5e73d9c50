//! Several objectives: fronts of points of which none is better than another in all.
//!
//! A method of this kind takes objectives and constraints itself: it is told what values are made of
//! ([`tell_parts`](swarmgrad_core::Algorithm::tell_parts)) and how constraints stand. Points are ordered by Deb's rule: less violation
//! first, then Pareto's order of the objectives. Where a problem has one value, that is the one objective. The best points of all that
//! were evaluated are kept in an [`Archive`] of bounded size; they are the solutions of the method.

mod archive;
mod dominance;
mod evolving;
mod hypervolume;
mod indicator;
pub mod mo_cbo;
pub mod nsga2;
pub mod sms_emoa;
mod told;

pub use archive::Archive;
pub use dominance::{covers, crowding, dominates, ranks};
pub use evolving::{Evolving, Survival};
pub use hypervolume::{contributions, hypervolume, most_volume};
pub use indicator::{additive_epsilon, inverted_generational_distance};
pub use told::Told;
