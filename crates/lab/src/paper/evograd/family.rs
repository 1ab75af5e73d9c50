//! A family of functions to learn schedules on: in some dimensions, shifted anew for every run, and rotated if asked.

use super::terrain::{FUNCTIONS, Terrain};
use swarmgrad::diff::meta::{Drawn, Family};
use swarmgrad::{Error, Result, Rng};

/// Some of the fifteen functions.
#[derive(Debug, Clone)]
pub struct Shifted {
    /// Function, dimension, evaluations of a run.
    members: Vec<(&'static str, usize, u64)>,
    rotated: bool,
}

impl Shifted {
    /// These functions in these dimensions, with the evaluations that `budget` has for a dimension. An unknown name's error
    /// suggests the nearest.
    pub fn new(names: &[&str], dims: &[usize], rotated: bool, budget: impl Fn(usize) -> u64) -> Result<Self> {
        let mut members = Vec::new();
        for name in names {
            let known = FUNCTIONS.iter().find(|function| function.0 == *name);
            let known = known.ok_or_else(|| Error::unknown("function to learn on", name, FUNCTIONS.map(|f| f.0)))?;
            for &dim in dims {
                if dim < 2 {
                    return Err(Error::parameter("dim", dim, "must be at least 2"));
                }
                members.push((known.0, dim, budget(dim)));
            }
        }
        Ok(Shifted { members, rotated })
    }
}

impl Family for Shifted {
    fn names(&self) -> Vec<String> {
        let moved = if self.rotated { "shifted and rotated" } else { "shifted" };
        let name = |(name, dim, budget): &(_, _, _)| format!("{name}, {moved}, d = {dim}, {budget} evaluations");
        self.members.iter().map(name).collect()
    }

    fn draw(&self, member: usize, rng: &Rng) -> Result<Drawn> {
        let (name, dim, budget) = self.members[member];
        let terrain = Terrain::new(name, dim, self.rotated, rng.row(0).below(1 << 31) as u64)?;
        Ok(Drawn { problem: Box::new(terrain), minimum: 0.0, budget })
    }
}
