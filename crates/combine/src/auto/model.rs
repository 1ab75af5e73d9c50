//! Few evaluations that count: a Gaussian process through all values says where the next one gains most, before descents begin.
//!
//! ```text
//! two real variables, budget <= PLANE d      SHARE d evaluations       descents have too few to find a good basin
//! whole variables, choices or flags          SHARE d evaluations       differences say nothing there
//! `dear`                                     all of them, to DEAR d    each of them is worth milliseconds
//! ```
//!
//! Up to MOST variables; in more than TYPED with whole ones the budget has to be below LONG d, for a point costs milliseconds.

use crate::distinct::Distinct;
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::model::gp::{Gp, Params};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Algorithm, Real, Result, Space, Start};

const PLANE: u64 = 50;
const SHARE: u64 = 15;
const DEAR: u64 = 30;
const MOST: usize = 20;
const TYPED: usize = 10;
const LONG: u64 = 300;

/// A Gaussian process, and up to which evaluation it is at work.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Model<F: Real> {
    pub(super) gp: Gp<F>,
    until: u64,
}

impl<F: Real> Model<F> {
    /// The process for a space and a known budget, where there is one.
    pub(super) fn over(
        space: &Space<F>,
        start: &Start,
        budget: Option<u64>,
        workers: usize,
        dear: bool,
    ) -> Result<Option<Self>> {
        let Some(until) = until(space, budget, dear) else { return Ok(None) };
        let params = Params { batch: workers.min(100), ..Params::default() };
        Ok(Some(Model { gp: Gp::new(space, start.clone(), Some(until), params)?, until }))
    }

    /// Whether what was read back can be gone on with.
    pub(super) fn verify(&self, dim: usize) -> Result<()> {
        saved::fits("model", &self.gp, dim)?;
        Method::verify(&self.gp)
    }

    /// Whether it says what comes next after so many evaluations.
    pub(super) fn is_due(&self, evaluations: u64) -> bool {
        evaluations < self.until
    }

    /// Bytes that it takes.
    pub(super) fn memory(&self) -> f64 {
        self.gp.memory()
    }
}

/// The table above.
fn until<F: Real>(space: &Space<F>, budget: Option<u64>, dear: bool) -> Option<u64> {
    let (dim, budget) = (space.dim() as u64, budget?);
    if space.dim() > MOST || space.lower() == space.upper() {
        return None;
    }
    let is_for = match (dear, Distinct::is_for(space)) {
        (true, _) => true,
        (_, true) => space.dim() <= TYPED || budget <= LONG * dim,
        (_, false) => dim == 2 && space.is_bounded() && budget > super::FEW + dim && budget <= PLANE * dim,
    };
    is_for.then_some(budget.min(if dear { DEAR } else { SHARE } * dim))
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Variable;

    #[test]
    fn the_table_is_followed() {
        let cube = |dim| Space::<f64>::cube(dim, -1.0, 1.0).unwrap();
        let plane = [(Some(4), None), (Some(5), Some(5)), (Some(100), Some(30)), (Some(101), None), (None, None)];
        for (budget, expected) in plane {
            assert_eq!(until(&cube(2), budget, false), expected, "{budget:?}");
        }
        assert_eq!(until(&cube(3), Some(20), false), None);
        assert_eq!(until(&cube(3), Some(20), true), Some(20));
        assert_eq!(until(&cube(3), Some(2000), true), Some(90));
        assert_eq!(until(&cube(21), Some(20), true), None);
        let typed = |dim: usize| {
            let whole = (0..dim).map(|j| Variable::parse(&format!("n{j}=int:0:9")).unwrap()).collect();
            Space::<f64>::of(whole).unwrap()
        };
        assert_eq!(until(&typed(10), Some(1_000_000), false), Some(150));
        assert_eq!(until(&typed(11), Some(3_300), false), Some(165));
        assert_eq!(until(&typed(11), Some(3_301), false), None);
    }
}
