//! The pictures of recorded runs, as SVG.

mod curve;
mod failure;
mod values;
mod variable;

pub use curve::{Against, convergence, curves, fronts, has_times, have_front, short_name};
pub use failure::{failures, where_failed, workers};
pub use variable::{important, parallel, shares, slices};

use super::Recorded;
use crate::plot::rows;

/// Everything on one sheet, as an SVG: of one run all pictures, of several their curves.
pub fn sheet(runs: &[Recorded]) -> String {
    let two = |pictures: Vec<String>| pictures.chunks(2).map(<[String]>::to_vec).collect::<Vec<_>>();
    let mut panels = two(curves(runs));
    if let [run] = runs {
        panels.extend(parallel(run, 1440.0).map(|picture| vec![picture]));
        panels.extend(slices(run, 360.0).chunks(4).map(<[String]>::to_vec));
        panels.extend(two([important(run), failures(run), workers(run)].into_iter().flatten().collect()));
    }
    rows(&panels)
}
