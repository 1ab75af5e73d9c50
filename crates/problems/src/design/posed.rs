//! A design as a test problem: its penalised cost on the box.

use super::formulation::Design;
use super::table::DESIGNS;
use crate::entry::{Entry, TestProblem};
use swarmgrad_core::{Differentiable, Problem, Real, Space};

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
    let best: Vec<F> = design.best_point.iter().map(|&t| F::of(t)).collect();
    let minimizers: Vec<_> = std::iter::once(best).filter(|x| certain && space.contains(x)).collect();
    let minimum = (!minimizers.is_empty()).then(|| F::of(design.best_cost));
    Box::new(Posed { design, space, minimum, minimizers })
}

struct Posed<F: Real> {
    design: &'static Design,
    space: Space<F>,
    minimum: Option<F>,
    minimizers: Vec<Vec<F>>,
}

impl<F: Real> Problem<F> for Posed<F> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn value(&self, x: &[F]) -> F {
        assert_eq!(x.len(), self.space.dim(), "a point must have dim entries");
        let x: Vec<f64> = x.iter().map(|t| t.f64()).collect();
        F::of(self.design.penalised(&x, self.design.penalty))
    }
}

impl<F: Real> TestProblem<F> for Posed<F> {
    fn entry(&self) -> &Entry {
        &self.design.entry
    }

    fn minimum(&self) -> Option<F> {
        self.minimum
    }

    fn minimizers(&self) -> &[Vec<F>] {
        &self.minimizers
    }

    fn differentiable(&self) -> Option<&dyn Differentiable<F>> {
        None
    }
}
