//! A design as a test problem: its penalised cost on the box.

use super::formulation::Design;
use super::table::DESIGNS;
use crate::entry::{Entry, TestProblem};
use crate::posed;
use swarmgrad_core::{Real, Space};

/// The rows of the table of problems.
pub(crate) const ROWS: [Entry; DESIGNS.len()] = {
    let mut rows = [DESIGNS[0].entry; DESIGNS.len()];
    let mut i = 0;
    while i < rows.len() {
        rows[i] = DESIGNS[i].entry;
        i += 1;
    }
    rows
};

/// The design of that entry.
pub(crate) fn design_of(entry: &Entry) -> Option<&'static Design> {
    DESIGNS.iter().find(|design| design.entry.name == entry.name)
}

/// The design on a space.
pub(crate) fn pose<F: Real>(design: &'static Design, space: Space<F>, certain: bool) -> Box<dyn TestProblem<F>> {
    let best = certain.then_some(design.best_point);
    posed::pose(design.entry, design, space, best, design.best_cost)
}

impl posed::Function for &'static Design {
    type Scratch = ();

    fn with_scratch(then: impl FnOnce(&mut ())) {
        then(&mut ());
    }

    fn value(&self, x: &[f64], (): &mut ()) -> f64 {
        self.penalised(x, self.penalty)
    }
}
