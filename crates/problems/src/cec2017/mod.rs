//! The 29 functions of the competition CEC 2017, f1 to f30 without f2, in 10, 30, 50 and 100 variables.
//!
//! Awad, Ali, Liang, Qu, Suganthan (2016), "Problem definitions and evaluation criteria for the CEC 2017 special session and competition on
//! single objective bound constrained real-parameter numerical optimization". (f2 was withdrawn by its authors.)
//!
//! ```text
//! f1  .. f10   basic(M (rate (x - o))) + 100 N
//! f11 .. f20   sum over parts of basic(rate z_part) + 100 N,   z = shuffled M (x - o)
//! f21 .. f30   sum_k w_k (scale_k f_k(x) + 100 (k - 1)) + 100 N,   w_k ~ e^{-r_k^2 / (2 d sigma_k^2)} / r_k,   r_k = |x - o_k|
//! ```
//!
//! Shifts o, rotations M and shuffles are drawn by the recipe in `data.rs` from the number of the instance, from 1 on: they are not the
//! competition's, so values do not compare with published ones. Instance 0 has the competition's, from its files in the
//! folder that the environment variable `SWARMGRAD_CEC2017` names, or that [`cec2017_in`] is given.
//!
//! Differs from the report where the competition's program does, whose values are the published ones: f6 and the Schaffer F7 in
//! hybrids are not rotated respectively look at the first of the shuffled coordinates, f8 has no steps, f9 is not scaled, f20 has HGBat
//! for HappyCat. Levy's function has its minimum at o, as in the program's later version.

mod basic;
mod data;
mod function;
mod table;

use crate::entry::{Entry, TestProblem};
use crate::posed;
use function::{Function, Recipe, Scratch};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use swarmgrad_core::{Error, Real, Result, Space};
use table::FUNCTIONS;
pub(crate) use table::ROWS;

/// The environment variable that names the folder of the competition's files.
const FOLDER: &str = "SWARMGRAD_CEC2017";

/// Function `function` (1, 3 to 30) of CEC 2017, instance `instance`: the entry that is called `cec2017/f<function>/i<instance>`. Instance 0
/// has the competition's own shifts and rotations.
///
/// ```
/// use swarmgrad_core::Problem;
/// let hybrid = swarmgrad_problems::cec2017(17, 1)?.build::<f64>(10, None)?;
/// assert_eq!((hybrid.entry().name, hybrid.minimum()), ("cec2017/f17", Some(1700.0)));
/// assert!((hybrid.value(&hybrid.minimizers()[0]) - 1700.0).abs() < 1e-6);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn cec2017(function: usize, instance: u64) -> Result<Entry> {
    let row = FUNCTIONS.iter().find(|(number, ..)| *number == function);
    let (_, row, _) = row.ok_or_else(|| Error::parameter("function", function, "must be 1 or within 3 to 30"))?;
    Ok(Entry { instance: Some(instance), ..*row })
}

/// The number of a function of the suite.
pub(crate) fn number(entry: &Entry) -> Option<usize> {
    FUNCTIONS.iter().find(|(_, row, _)| row.name == entry.name).map(|(number, ..)| *number)
}

/// Function `function` in `dim` variables with the shifts, rotations and shuffles of the competition's files in `folder`
/// (`shift_data_1.txt`, `M_1_D10.txt`, `shuffle_data_11_D10.txt`, ..).
///
/// # Errors
/// Another number of a function or of variables; a file that is missing or does not hold what it should.
pub fn cec2017_in<F: Real>(folder: &Path, function: usize, dim: usize) -> Result<Box<dyn TestProblem<F>>> {
    let entry = cec2017(function, 0)?;
    let space = entry.space(dim)?;
    posed(entry, function, space, Some(folder))
}

/// Function `number` on a space.
///
/// # Errors
/// Instance 0 without the competition's files.
pub(crate) fn pose<F: Real>(entry: Entry, number: usize, space: Space<F>) -> Result<Box<dyn TestProblem<F>>> {
    if entry.instance != Some(0) {
        return posed(entry, number, space, None);
    }
    let rule =
        "has the competition's data: the environment variable SWARMGRAD_CEC2017 must name the folder of its files";
    let folder = std::env::var_os(FOLDER).map(PathBuf::from).ok_or_else(|| Error::parameter("instance", 0, rule))?;
    posed(entry, number, space, Some(&folder))
}

fn posed<F: Real>(
    entry: Entry,
    number: usize,
    space: Space<F>,
    folder: Option<&Path>,
) -> Result<Box<dyn TestProblem<F>>> {
    let function = function(number, space.dim(), entry.instance.unwrap_or(1), folder)?;
    let (optimum, minimum) = (function.numbers[0].shift.clone(), function.bias);
    Ok(posed::pose(entry, function, space, Some(&optimum), minimum))
}

fn function(number: usize, dim: usize, instance: u64, folder: Option<&Path>) -> Result<Function> {
    let parts = FUNCTIONS.iter().find(|(n, ..)| *n == number).map_or(&[][..], |(_, _, parts)| parts);
    let shuffled = parts.iter().any(|part| matches!(part.recipe, Recipe::Hybrid(_)));
    let numbers = match folder {
        Some(folder) => data::read(folder, number, parts.len(), shuffled, dim)?,
        None => data::draw(number, parts.len(), dim, instance),
    };
    Ok(Function { parts, numbers, bias: 100.0 * number as f64 })
}

thread_local! {
    /// The memory of [`Function::value`].
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl posed::Function for Function {
    type Scratch = Scratch;

    fn with_scratch(then: impl FnOnce(&mut Scratch)) {
        SCRATCH.with_borrow_mut(then);
    }

    fn value(&self, x: &[f64], scratch: &mut Scratch) -> f64 {
        Function::value(self, x, scratch)
    }

    fn gradient(&self, x: &[f64], out: &mut [f64], scratch: &mut Scratch) {
        Function::gradient(self, x, out, scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::basic::Basic;
    use super::basic::tests::gap;
    use super::*;
    use swarmgrad_core::Rng;

    const DIMS: [usize; 4] = [10, 30, 50, 100];

    #[test]
    fn partitions_of_hybrids_cover_all_variables() {
        let mut hybrids = 0;
        for (number, _, parts) in FUNCTIONS {
            for part in parts {
                let Recipe::Hybrid(parts) = part.recipe else { continue };
                hybrids += 1;
                let share: f64 = parts.iter().map(|(share, _)| share).sum();
                assert!((share - 1.0).abs() < 1e-15, "f{number}: shares sum to {share}");
                for dim in DIMS {
                    let sizes: Vec<usize> = function::sizes(parts, dim).collect();
                    assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (parts.len(), dim), "f{number}: {sizes:?}");
                    for (size, (share, _)) in sizes.iter().zip(parts) {
                        assert_eq!(*size as f64, (share * dim as f64).round(), "f{number} d={dim}: {sizes:?}");
                    }
                }
            }
        }
        assert_eq!(hybrids, 10 + 6);
    }

    /// But for functions with Katsuura's kinks and the short waves of Weierstrass' sum, which stand on the same chain.
    #[test]
    fn gradients_are_derivatives() {
        let (dim, mut scratch, mut tested) = (10, Scratch::default(), 0);
        for (number, _, parts) in FUNCTIONS {
            let smooth = |basic: &Basic| ![Basic::Katsuura, Basic::Weierstrass].contains(basic);
            let all = parts.iter().all(|part| match part.recipe {
                Recipe::Whole(basic) => smooth(&basic),
                Recipe::Hybrid(parts) => parts.iter().all(|(_, basic)| smooth(basic)),
            });
            if !all {
                continue;
            }
            tested += 1;
            let function = function(number, dim, 1, None).unwrap();
            for i in 0..20 {
                // In the whole box, and near the minimum.
                let (mut x, mut g) = (vec![0.0; dim], vec![0.0; dim]);
                Rng::new(number as u64).row(i).fill_uniform(&mut x);
                let scale = [1.0, 0.01][i % 2];
                let o = &function.numbers[0].shift;
                x.iter_mut().zip(o).for_each(|(t, o)| *t = (1.0 - scale) * o + scale * (200.0 * *t - 100.0));
                function.gradient(&x, &mut g, &mut scratch);
                let size = g.iter().fold(0.0f64, |m, g| m.max(g.abs()));
                for j in 0..dim {
                    let at = |h: f64| {
                        let mut moved = x.clone();
                        moved[j] += h;
                        function.value(&moved, &mut Scratch::default())
                    };
                    let gap = gap(g[j], size, at);
                    assert!(gap < 1e-4, "f{number}, point {i}, variable {j}: {} {gap}", g[j]);
                }
            }
        }
        assert_eq!(tested, 24);
    }

    /// A weighted mean lies between its parts; at the shift of a part it is that part's value, and near it tends there.
    #[test]
    fn weights_of_compositions_sum_to_one_and_end_in_the_nearest_part() {
        let mut scratch = Scratch::default();
        for (number, _, parts) in FUNCTIONS.iter().filter(|(number, ..)| *number >= 21) {
            let whole = function(*number, 10, 1, None).unwrap();
            let alone = |k: usize, x: &[f64]| {
                let part = Function { parts: &parts[k..=k], numbers: vec![whole.numbers[k].clone()], bias: whole.bias };
                part.value(x, &mut Scratch::default()) + 100.0 * k as f64
            };
            let rng = Rng::new(5).fork("points");
            for i in 0..50 {
                let mut x = vec![0.0; 10];
                rng.row(i).fill_uniform(&mut x);
                x.iter_mut().for_each(|t| *t = 200.0 * *t - 100.0);
                let each: Vec<f64> = (0..parts.len()).map(|k| alone(k, &x)).collect();
                let value = whole.value(&x, &mut scratch);
                let (low, high) = each.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
                assert!(
                    value >= low * (1.0 - 1e-12) && value <= high * (1.0 + 1e-12),
                    "f{number}: {value} of {each:?}"
                );
            }
            for k in 0..parts.len() {
                let near = |step: f64| {
                    let mut x = whole.numbers[k].shift.clone();
                    x[0] += step;
                    (whole.value(&x, &mut Scratch::default()) - alone(k, &x)).abs()
                };
                assert!(near(0.0) < 1e-9, "f{number}, part {k}");
                // In proportion to the distance.
                assert!(near(1e-6) <= 1e-3 * near(1e-2) + 1e-6, "f{number}, part {k}: {} {}", near(1e-6), near(1e-2));
            }
        }
    }

    /// A function that is rotated by M Q about o has at o + Q' (x - o) the value it had at x with M: f(M Q; o + Q'(x - o)) = f(M; x).
    #[test]
    fn turning_the_rotation_turns_the_function() {
        let dim = 10;
        let turn = &data::draw(99, 1, dim, 7)[0].rotation;
        for (number, ..) in FUNCTIONS.iter().filter(|(number, ..)| *number < 21) {
            let plain = function(*number, dim, 1, None).unwrap();
            let mut turned = function(*number, dim, 1, None).unwrap();
            let m = &plain.numbers[0].rotation;
            for (i, t) in turned.numbers[0].rotation.iter_mut().enumerate() {
                *t = (0..dim).map(|k| m[i / dim * dim + k] * turn[k * dim + i % dim]).sum();
            }
            let o = &plain.numbers[0].shift;
            let mut x = vec![0.0; dim];
            Rng::new(3).row(*number).fill_uniform(&mut x);
            x.iter_mut().for_each(|t| *t = 100.0 * *t - 50.0);
            let back: Vec<f64> =
                (0..dim).map(|j| o[j] + (0..dim).map(|k| turn[k * dim + j] * (x[k] - o[k])).sum::<f64>()).collect();
            let (a, b) = (plain.value(&x, &mut Scratch::default()), turned.value(&back, &mut Scratch::default()));
            let same = (a - b).abs() <= 1e-9 * a.abs().max(1.0);
            // The two that look along the axes of the shifted point.
            assert_eq!(same, ![6, 7].contains(number), "f{number}: {a} {b}");
        }
    }
}
