//! Problems with constraints: the suite CEC 2006 and designs of machine parts. Each knows its best feasible point. COCO's constrained
//! suite stands with the functions of BBOB.

mod cec2006;
mod engineering;

use crate::bbob::constrained as bbob;
use crate::entry::{Dims, Entry, TestProblem};
use crate::posed;
use std::cell::RefCell;
use swarmgrad_core::{Constraint, Real, Space};

/// A row of the table.
pub(crate) struct Row {
    entry: Entry,
    inequalities: usize,
    equalities: usize,
    /// Writes the values of the constraints, c <= 0 first, then c = 0; returns f.
    evaluate: fn(&[f64], &mut [f64]) -> f64,
    best_point: &'static [f64],
    best_value: f64,
}

/// A row: name, title, dimension, formula, source, what it is, bounds, inequalities, equalities, function, best point and its value.
macro_rules! row {
    ($name:literal, $title:literal, $dim:literal, $formula:literal, $source:expr, $about:literal, $domain:expr, $inequalities:literal,
     $equalities:literal, $evaluate:expr, $best_point:expr, $best_value:expr) => {
        Row {
            entry: crate::entry::entry!(
                $name,
                $title,
                $formula,
                $source,
                $about,
                crate::entry::Dims::Exactly($dim),
                $domain
            ),
            inequalities: $inequalities,
            equalities: $equalities,
            evaluate: $evaluate,
            best_point: $best_point,
            best_value: $best_value,
        }
    };
}
use row;

/// All problems with constraints: CEC 2006, then the designs, then COCO's constrained suite with its first instance.
pub static CONSTRAINED: &[Entry] = &{
    const PARTS: [&[Row]; 2] = [cec2006::ROWS, engineering::ROWS];
    let mut all = [PARTS[0][0].entry; PARTS[0].len() + PARTS[1].len() + bbob::ROWS.len()];
    let (mut part, mut i, mut at) = (0, 0, 0);
    while part < PARTS.len() {
        while i < PARTS[part].len() {
            all[at] = PARTS[part][i].entry;
            (i, at) = (i + 1, at + 1);
        }
        (part, i) = (part + 1, 0);
    }
    i = 0;
    while i < bbob::ROWS.len() {
        all[at] = bbob::ROWS[i];
        (i, at) = (i + 1, at + 1);
    }
    all
};

/// The row of that entry.
pub(crate) fn row_of(entry: &Entry) -> Option<&'static Row> {
    cec2006::ROWS.iter().chain(engineering::ROWS).find(|row| row.entry.name == entry.name)
}

/// The problem on a space; its minimum is the least value of feasible points.
pub(crate) fn pose<F: Real>(row: &'static Row, space: Space<F>) -> Box<dyn TestProblem<F>> {
    debug_assert!(matches!(row.entry.dims, Dims::Exactly(dim) if dim == space.dim()));
    posed::pose(row.entry, row, space, Some(row.best_point), row.best_value)
}

thread_local! {
    /// Values of constraints.
    static CONSTRAINTS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

impl posed::Function for &'static Row {
    type Scratch = Vec<f64>;

    fn with_scratch(then: impl FnOnce(&mut Vec<f64>)) {
        CONSTRAINTS.with_borrow_mut(then);
    }

    fn value(&self, x: &[f64], scratch: &mut Vec<f64>) -> f64 {
        scratch.clear();
        scratch.resize(self.inequalities + self.equalities, 0.0);
        (self.evaluate)(x, scratch)
    }

    fn constraints(&self) -> Vec<Constraint> {
        let at_most = (1..=self.inequalities).map(|i| Constraint::at_most(format!("g{i}")));
        at_most.chain((1..=self.equalities).map(|i| Constraint::equal(format!("h{i}")))).collect()
    }

    fn explain(&self, x: &[f64], parts: &mut Vec<f64>, constraints: &mut Vec<f64>, _scratch: &mut Vec<f64>) {
        parts.push(posed::Function::value(self, x, constraints));
    }
}
