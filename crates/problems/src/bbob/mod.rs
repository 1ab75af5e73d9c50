//! The noiseless functions of the suite BBOB of COCO, f1 to f24, in any number of variables from 2 on and any instance.
//!
//! Hansen, Finck, Ros, Auger (2009), "Real-parameter black-box optimization benchmarking: noiseless functions
//! definitions", INRIA RR-6829; instances as the suite `bbob` of COCO's own program draws them.
//!
//! ```text
//! f(x) = T(core(m_n(... m_2(m_1(x))))) + penalty sum_i max(0, |x_i| - 5)^2 + f_opt
//! ```
//!
//! The moves m (shifts, rotations, scales, distortions) and the core of each function stand in `table.rs`, the random
//! numbers behind instances in `instance.rs`. Sums run in the order of their index, as in COCO's program; waves, powers and
//! exponentials of many coordinates or hills are computed a vector at a time, by the functions of `math.rs` that have no branches,
//! others by `swarmgrad_core::math`. COCO's are its system's: values agree up to round-off, which the tests bound.
//!
//! Differs from the paper where COCO's program does: the sign in f6 is that of the rotated point, f7 looks at the first
//! coordinate before rounding, f17 and f18 have no second rotation behind T_asy.

pub(crate) mod biobj;
pub(crate) mod constrained;
mod core;
mod function;
mod instance;
pub(crate) mod mixint;
mod table;
mod transform;

use crate::entry::{Entry, TestProblem};
use crate::posed;
use function::Function;
use std::cell::RefCell;
use swarmgrad_core::{Error, Real, Result, Space};
pub(crate) use table::ROWS;

/// The highest number of an instance: beyond it the suite's seeds leave the range of its generator.
const INSTANCES: u64 = 200_000;

/// Function `function` (1 to 24) of the suite BBOB, instance `instance` (from 1 on): the entry that is called
/// `bbob/f<function>/i<instance>`.
///
/// ```
/// use swarmgrad_core::Problem;
/// let rosenbrock = swarmgrad_problems::bbob(8, 3)?.build::<f64>(10, None)?;
/// assert_eq!(rosenbrock.entry().to_string(), "bbob/f8/i3");
/// let x = rosenbrock.minimizers()[0].clone();
/// assert!((rosenbrock.value(&x) - rosenbrock.minimum().unwrap()).abs() < 1e-9);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn bbob(function: usize, instance: u64) -> Result<Entry> {
    let row = function.checked_sub(1).and_then(|at| ROWS.get(at));
    let row = row.ok_or_else(|| Error::parameter("function", function, "must be within 1 to 24"))?;
    if !(1..=INSTANCES).contains(&instance) {
        return Err(Error::parameter("instance", instance, format!("must be within 1 to {INSTANCES}")));
    }
    Ok(Entry { instance: Some(instance), ..*row })
}

/// Function `function` (1 to 24) of COCO's mixed-integer suite, instance `instance` (from 1 on): the entry that is called
/// `bbob_mixint/f<function>/i<instance>`. Its space has typed variables.
///
/// ```
/// use swarmgrad_core::{Problem, Typed};
/// let sphere = swarmgrad_problems::bbob_mixint(1, 1)?.build::<f64>(5, None)?;
/// assert_eq!(sphere.minimum(), Some(79.48));
/// assert_eq!(sphere.space().decode(&sphere.minimizers()[0])[..2], [Typed::Whole(1), Typed::Whole(1)]);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// A number of a function or an instance that there is not.
pub fn bbob_mixint(function: usize, instance: u64) -> Result<Entry> {
    let Entry { instance, .. } = bbob(function, instance)?;
    Ok(Entry { instance, ..mixint::ROWS[function - 1] })
}

/// Function `function` (1 to 54) of COCO's constrained suite, instance `instance` (from 1 to 100000): the entry that is called
/// `bbob_constrained/f<function>/i<instance>`. Its constraints are g <= 0 without a tolerance.
///
/// ```
/// use swarmgrad_core::{Problem, violation};
/// let problem = swarmgrad_problems::bbob_constrained(9, 1)?.build::<f64>(5, None)?;
/// assert_eq!(problem.constraints().len(), 9);
/// let start = problem.start().expect("the suite has a feasible start");
/// assert_eq!(violation(problem.constraints(), &problem.evaluate(start).constraints), 0.0);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// A number of a function or an instance that there is not.
pub fn bbob_constrained(function: usize, instance: u64) -> Result<Entry> {
    let row = function.checked_sub(1).and_then(|at| constrained::ROWS.get(at));
    let row = row.ok_or_else(|| Error::parameter("function", function, "must be within 1 to 54"))?;
    let most = constrained::INSTANCES;
    if !(1..=most).contains(&instance) {
        return Err(Error::parameter("instance", instance, format!("must be within 1 to {most}")));
    }
    Ok(Entry { instance: Some(instance), ..*row })
}

/// The number of a function of the suite.
pub(crate) fn number(entry: &Entry) -> Option<usize> {
    ROWS.iter().position(|row| row.name == entry.name).map(|at| at + 1)
}

/// Function `number` on a space.
pub(crate) fn pose<F: Real>(entry: Entry, number: usize, space: Space<F>) -> Box<dyn TestProblem<F>> {
    let function = table::function(number, entry.instance.unwrap_or(1), space.dim());
    let (optimum, minimum) = (function.optimum.clone(), function.offset);
    posed::pose(entry, function, space, Some(&optimum), minimum)
}

thread_local! {
    /// The memory of [`Function::value`].
    static SCRATCH: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

impl posed::Function for Function {
    type Scratch = Vec<f64>;

    fn with_scratch(then: impl FnOnce(&mut Vec<f64>)) {
        SCRATCH.with_borrow_mut(then);
    }

    fn value(&self, x: &[f64], scratch: &mut Vec<f64>) -> f64 {
        Function::value(self, x, scratch)
    }
}
