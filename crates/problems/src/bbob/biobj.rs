//! Pairs of functions of BBOB as problems of two objectives.
//!
//! After Brockhoff, Auger, Hansen and Tušar, "Using well-understood single-objective functions in multiobjective black-box
//! optimization test suites" (Evolutionary Computation 2022): ten functions, two from each group, make 55 pairs, f1 of a function
//! with itself included; the numbers of the pairs are the suite's. Instance k pairs the instances 2k + 1 and 2k + 2 of the functions.
//!
//! Differs from the suite: it takes other instances where these two lie too close together, and says [-100, 100] where the bounds
//! here are those of BBOB; both minima lie in [-5, 5].

use super::function::Function;
use super::table::{self, ROWS as SINGLE};
use crate::entry::{Entry, TestProblem};
use crate::posed::{self, names, value_of};
use swarmgrad_core::{Aim, Real, Space};

/// The functions that are paired.
const PAIRED: [usize; 10] = [1, 2, 6, 8, 13, 14, 15, 17, 20, 21];

macro_rules! rows {
    ($($number:literal)*) => {
        [$(Entry {
            name: concat!("bbob_biobj/f", $number),
            title: concat!("BBOB pair ", $number),
            formula: concat!("two functions of bbob, pair ", $number, " of f1, f2, f6, f8, f13, f14, f15, f17, f20, f21"),
            source: "Brockhoff, Auger, Hansen, Tušar (2022), Using well-understood single-objective functions in multiobjective black-box optimization test suites; COCO",
            about: "two functions of BBOB, whose minima lie apart",
            everywhere: false,
            differentiable: false,
            ..SINGLE[0]
        }),*]
    };
}

/// The rows of f1 to f55, instance 1.
pub(crate) const ROWS: [Entry; 55] = rows!(
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47
    48 49 50 51 52 53 54 55
);

/// The number of a pair.
pub(crate) fn number(entry: &Entry) -> Option<usize> {
    ROWS.iter().position(|row| row.name == entry.name).map(|at| at + 1)
}

/// Pair `number` on a space.
pub(crate) fn pose<F: Real>(entry: Entry, number: usize, space: Space<F>) -> Box<dyn TestProblem<F>> {
    let pair = Pair::new(number, entry.instance.unwrap_or(1), space.dim());
    posed::pose(entry, pair, space, None, f64::NAN)
}

/// Two functions.
pub(crate) struct Pair([Function; 2]);

impl Pair {
    /// Pair `number` from 1 on: the first function with all, the second with all from itself on, and so on.
    pub(crate) fn new(number: usize, instance: u64, dim: usize) -> Self {
        let mut pairs = (0..PAIRED.len()).flat_map(|i| (i..PAIRED.len()).map(move |j| [PAIRED[i], PAIRED[j]]));
        let [first, second] = pairs.nth(number - 1).unwrap_or([1, 1]);
        Pair([table::function(first, 2 * instance + 1, dim), table::function(second, 2 * instance + 2, dim)])
    }

    fn values(&self, x: &[f64]) -> [f64; 2] {
        let mut values = [f64::NAN; 2];
        <Function as posed::Function>::with_scratch(|scratch| {
            values = [self.0[0].value(x, scratch), self.0[1].value(x, scratch)];
        });
        values
    }

    /// What each is at the minimum of the other, and a tenth of what that is above its own.
    pub(crate) fn reference(&self) -> Vec<f64> {
        let at = |k: usize| self.values(&self.0[k].optimum);
        let worst = [at(1)[0], at(0)[1]];
        (0..2).map(|k| worst[k] + 0.1 * (worst[k] - self.0[k].offset)).collect()
    }
}

impl posed::Function for Pair {
    type Scratch = ();

    fn with_scratch(then: impl FnOnce(&mut ())) {
        then(&mut ());
    }

    fn value(&self, x: &[f64], (): &mut ()) -> f64 {
        value_of(&self.values(x))
    }

    fn aim(&self) -> Aim {
        Aim::Objectives(names(2))
    }

    fn explain(&self, x: &[f64], parts: &mut Vec<f64>, _constraints: &mut Vec<f64>, (): &mut ()) {
        parts.extend(self.values(x));
    }
}
