//! Problems of several objectives, all to be minimised: ZDT, DTLZ with three objectives, four with constraints, and pairs of the
//! functions of BBOB. Their value is the first objective.

mod dtlz;
mod limited;
mod zdt;

use crate::bbob::biobj;
use crate::entry::{Entry, TestProblem};
use crate::posed::{self, names, value_of};
use swarmgrad_core::{Aim, Constraint, Real, Space};

type Evaluate = fn(&[f64], &mut [f64], &mut [f64]);
type Sample = fn(usize) -> Vec<Vec<f64>>;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) entry: Entry,
    /// Number of variables that the literature takes.
    usual: usize,
    objectives: usize,
    /// How many constraints c <= 0 there are.
    constraints: usize,
    /// Writes the objectives and the values of the constraints.
    evaluate: Evaluate,
    /// The worst values on the front of Pareto, and a tenth of its extent.
    reference: &'static [f64],
    /// Points of that front, about as many as asked for, where a formula gives it.
    front: Option<Sample>,
}

/// All problems of several objectives: ZDT, DTLZ, those with constraints, then the pairs of BBOB with their first instance.
pub static MULTI: &[Entry] = &{
    const PARTS: [&[Row]; 3] = [zdt::ROWS, dtlz::ROWS, limited::ROWS];
    const SINGLE: usize = PARTS[0].len() + PARTS[1].len() + PARTS[2].len();
    let mut all = [PARTS[0][0].entry; SINGLE + biobj::ROWS.len()];
    let (mut part, mut i, mut at) = (0, 0, 0);
    while part < PARTS.len() {
        while i < PARTS[part].len() {
            all[at] = PARTS[part][i].entry;
            (i, at) = (i + 1, at + 1);
        }
        (part, i) = (part + 1, 0);
    }
    while at < all.len() {
        all[at] = biobj::ROWS[at - SINGLE];
        at += 1;
    }
    all
};

/// The row of that entry.
pub(crate) fn row_of(entry: &Entry) -> Option<&'static Row> {
    zdt::ROWS.iter().chain(dtlz::ROWS).chain(limited::ROWS).find(|row| row.entry.name == entry.name)
}

/// The names of the objectives of an entry, where it has several.
pub(crate) fn objectives(entry: &Entry) -> Option<Vec<String>> {
    let number = row_of(entry).map(|row| row.objectives).or(biobj::number(entry).map(|_| 2))?;
    Some(names(number))
}

/// The number of variables with which the literature takes a problem of several objectives.
pub fn usual_dim(entry: &Entry) -> Option<usize> {
    row_of(entry).map(|row| row.usual)
}

/// Where hypervolumes of a problem of several objectives are measured from: the worst values on its front and a tenth of the front's
/// extent. Of a pair of BBOB's functions the worst values are what each is at the minimum of the other.
///
/// ```
/// let zdt1 = swarmgrad_problems::entry("zdt1")?;
/// assert_eq!(swarmgrad_problems::reference_point(&zdt1, 30).unwrap(), [1.1, 1.1]);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn reference_point(entry: &Entry, dim: usize) -> Option<Vec<f64>> {
    match biobj::number(entry) {
        Some(number) => Some(biobj::Pair::new(number, entry.instance.unwrap_or(1), dim).reference()),
        None => row_of(entry).map(|row| row.reference.to_vec()),
    }
}

/// Points of the front of Pareto of a problem, about so many, where a formula gives it.
///
/// ```
/// let zdt2 = swarmgrad_problems::entry("zdt2")?;
/// assert_eq!(swarmgrad_problems::known_front(&zdt2, 3).unwrap(), [[0.0, 1.0], [0.5, 0.75], [1.0, 0.0]]);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn known_front(entry: &Entry, points: usize) -> Option<Vec<Vec<f64>>> {
    row_of(entry).and_then(|row| row.front).map(|front| front(points.max(2)))
}

/// Those that nothing dominates.
fn undominated(points: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let better = |a: &[f64], b: &[f64]| a != b && a.iter().zip(b).all(|(s, t)| s <= t);
    points.iter().filter(|&b| !points.iter().any(|a| better(a, b))).cloned().collect()
}

/// `n` numbers from `low` to `high`, evenly.
fn evenly(low: f64, high: f64, n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| low + (high - low) * i as f64 / (n.max(2) - 1) as f64)
}

impl posed::Function for &'static Row {
    type Scratch = ();

    fn with_scratch(then: impl FnOnce(&mut ())) {
        then(&mut ());
    }

    fn value(&self, x: &[f64], scratch: &mut ()) -> f64 {
        let (mut f, mut c) = (Vec::new(), Vec::new());
        self.explain(x, &mut f, &mut c, scratch);
        value_of(&f)
    }

    fn aim(&self) -> Aim {
        Aim::Objectives(names(self.objectives))
    }

    fn constraints(&self) -> Vec<Constraint> {
        (1..=self.constraints).map(|k| Constraint::at_most(format!("g{k}"))).collect()
    }

    fn explain(&self, x: &[f64], parts: &mut Vec<f64>, constraints: &mut Vec<f64>, (): &mut ()) {
        parts.resize(self.objectives, 0.0);
        constraints.resize(self.constraints, 0.0);
        (self.evaluate)(x, parts, constraints);
    }
}

/// The row's problem on a space.
pub(crate) fn pose<F: Real>(row: &'static Row, space: Space<F>) -> Box<dyn TestProblem<F>> {
    posed::pose(row.entry, row, space, None, f64::NAN)
}
