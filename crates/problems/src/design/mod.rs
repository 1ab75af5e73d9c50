//! Designs of machine parts: a cost, bounds, and constraints g_j(x) <= 0, as the literature on metaheuristics compares them.
//!
//! A method that knows bounds only is given the [penalised](Design::penalised) cost, f(x) + P sum_j max(0, g_j(x)) / s_j with the scale s_j of
//! each constraint. P stands in the table and exceeds every multiplier of the best known point, so that the least penalised
//! cost is the least feasible one, at the same point.
//!
//! These are the engineering problems of table 17 in the AdaSwarm supplement.

mod formulation;
mod posed;
mod table;

pub use formulation::{Design, DesignLimit, Quantity};
pub(crate) use posed::{ROWS, design_of, pose};
pub use table::{DESIGNS, design};
