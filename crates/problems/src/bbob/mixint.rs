//! COCO's mixed-integer suite `bbob-mixint`: the functions of BBOB, four fifths of whose variables are whole numbers.
//!
//! Tušar, Brockhoff and Hansen, "Mixed-integer benchmark problems for single- and bi-objective optimization" (GECCO 2019), as
//! COCO's own program has it. A fifth of the variables each have 2, 4, 8 and 16 values, the last fifth are real, in [-5, 5].
//! The n values of a variable stand in [-4, 4], 8 / (n + 1) apart, all moved so that the optimum of the function is one of them:
//!
//! ```text
//! z_i = l + (u - l) k_i / (n - 1) - o_i,   l = -4 + 8 / (n + 1),  u = 4 - 8 / (n + 1),   k_i = round(x_i) in 0 .. n - 1
//! F(x) = c f(z)
//! ```
//!
//! with a factor c for each function, by which all have targets of like difficulty. o_i is the distance of the value next to the
//! optimum from it.

use super::function::Function;
use super::table::{self, ROWS as CONTINUOUS};
use crate::entry::{Dims, Entry, TestProblem};
use crate::posed;
use std::cell::RefCell;
use swarmgrad_core::{Real, Result, Space, Variable, VariableKind};

/// c of each function.
const FACTORS: [f64; 24] = [
    1e0, 1e-3, 1e-1, 1e-1, 1e0, 1e-2, 1e0, 1e-2, 1e-2, 1e-3, 1e-2, 1e-4, 1e-1, 1e0, 1e-1, 1e0, 1e1, 1e0, 1e1, 1e-1,
    1e0, 1e0, 1e1, 1e-1,
];

/// How many values the variables of each fifth have but for the last.
const VALUES: [i64; 4] = [2, 4, 8, 16];

macro_rules! rows {
    ($($number:literal)*) => {
        [$(Entry {
            name: concat!("bbob_mixint/f", $number),
            title: concat!("BBOB f", $number, " with whole numbers"),
            formula: concat!("c bbob/f", $number, "(z), z of the whole numbers k in 0 .. n - 1 evenly within (-4, 4)"),
            source: "Tušar, Brockhoff, Hansen (2019), Mixed-integer benchmark problems for single- and bi-objective optimization; COCO",
            dims: Dims::Among(&[5, 10, 20, 40, 80, 160]),
            ..CONTINUOUS[$number - 1]
        }),*]
    };
}

/// The rows of f1 to f24, instance 1.
pub(crate) const ROWS: [Entry; 24] = rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24);

/// The number of a function of the suite.
pub(crate) fn number(entry: &Entry) -> Option<usize> {
    ROWS.iter().position(|row| row.name == entry.name).map(|at| at + 1)
}

/// How many values variable `j` of `dim` has; none where it is real.
fn values(j: usize, dim: usize) -> Option<i64> {
    VALUES.get(5 * j / dim).copied()
}

/// The variables, x0, x1, ..
pub(crate) fn space<F: Real>(dim: usize) -> Result<Space<F>> {
    let kind = |j| match values(j, dim) {
        Some(n) => VariableKind::Whole { lower: 0, upper: n - 1, step: 1 },
        None => VariableKind::Real { lower: -5.0, upper: 5.0 },
    };
    Space::of((0..dim).map(|j| Variable::new(format!("x{j}"), kind(j))).collect::<Result<_>>()?)
}

/// Function `number` on a space.
pub(crate) fn pose<F: Real>(entry: Entry, number: usize, space: Space<F>) -> Box<dyn TestProblem<F>> {
    let function = MixedInteger::new(number, entry.instance.unwrap_or(1), space.dim());
    let (optimum, minimum) = (function.optimum.clone(), function.factor * function.inner.offset);
    posed::pose(entry, function, space, Some(&optimum), minimum)
}

/// Where the values of a whole variable stand.
struct Places {
    first: f64,
    width: f64,
    last: f64,
    offset: f64,
}

struct MixedInteger {
    inner: Function,
    /// Of the first variables.
    places: Vec<Places>,
    factor: f64,
    optimum: Vec<f64>,
}

fn round(x: f64) -> f64 {
    (x + 0.5).floor()
}

impl MixedInteger {
    fn new(number: usize, instance: u64, dim: usize) -> Self {
        let inner = table::function(number, instance, dim);
        let mut optimum = inner.optimum.clone();
        let place = |(j, t): (usize, &mut f64)| {
            let n = values(j, dim)? as f64;
            let gap = 8.0 / (n + 1.0);
            let (first, width, last) = (-4.0 + gap, (4.0 - gap) - (-4.0 + gap), n - 1.0);
            // The suite's program adds a little before it rounds.
            let nearest = round(last * (*t - first) / width + 1e-7).clamp(0.0, last);
            let offset = first + width * nearest / last - *t;
            *t = nearest;
            Some(Places { first, width, last, offset })
        };
        let places = optimum.iter_mut().enumerate().map_while(place).collect();
        MixedInteger { inner, places, factor: FACTORS[number - 1], optimum }
    }
}

thread_local! {
    /// The point of the continuous function, and its memory.
    static SCRATCH: RefCell<[Vec<f64>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

impl posed::Function for MixedInteger {
    type Scratch = [Vec<f64>; 2];

    fn with_scratch(then: impl FnOnce(&mut Self::Scratch)) {
        SCRATCH.with_borrow_mut(then);
    }

    fn value(&self, x: &[f64], [z, scratch]: &mut Self::Scratch) -> f64 {
        z.clear();
        z.extend_from_slice(x);
        for (z, Places { first, width, last, offset }) in z.iter_mut().zip(&self.places) {
            // NaN stays NaN.
            *z = first + width * round(*z).clamp(0.0, *last) / last - offset;
        }
        self.factor * self.inner.value(z, scratch)
    }
}
