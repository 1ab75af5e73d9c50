//! Fits with certified answers: the nonlinear regressions of the Statistical Reference Datasets (StRD) of the National Institute of
//! Standards and Technology, <https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml>. The residuals are y - f(x; b), over the data.
//!
//! The sets have no bounds. The domain of parameter b is |b| <= 10 max(|s1|, |s2|) with the two starts s1, s2 of the set: the certified
//! values play no part in it.

mod sets;

use crate::entry::{Dims, Entry, TestProblem};
use crate::posed;
use std::f64::consts::PI;
use swarmgrad_core::{Aim, Real, Space, math};

/// A row of the table.
pub(crate) struct Row {
    entry: Entry,
    model: fn(&[f64], &[f64]) -> f64,
    /// Numbers of a datum: y, x and what else there is.
    width: usize,
    certified: Certified,
    data: &'static [f64],
}

/// What is certified of a fit, to ten or eleven digits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Certified {
    /// The two points from which a program is to find it, the first one far away.
    pub starts: [&'static [f64]; 2],
    /// The parameters of the best fit.
    pub parameters: &'static [f64],
    /// Their standard deviations.
    pub deviations: &'static [f64],
    /// The sum of the squares of the residuals.
    pub sum_of_squares: f64,
}

/// A row: name, title, dimension, formula, model, numbers of a datum, domain, starts, parameters, deviations, sum of squares, data.
macro_rules! row {
    ($name:literal, $title:literal, $dim:literal, $formula:literal, $model:ident, $width:literal, $domain:expr, $starts:expr,
     $parameters:expr, $deviations:expr, $sum:expr, $data:expr $(,)?) => {
        Row {
            entry: crate::entry::entry!(
                $name,
                $title,
                $formula,
                "National Institute of Standards and Technology, Statistical Reference Datasets (1997)",
                "a fit with certified parameters and standard deviations",
                crate::entry::Dims::Exactly($dim),
                $domain
            ),
            model: super::$model,
            width: $width,
            certified: super::Certified {
                starts: $starts,
                parameters: $parameters,
                deviations: $deviations,
                sum_of_squares: $sum,
            },
            data: $data,
        }
    };
}
use row;

/// All fits with certified answers.
pub static FITS: &[Entry] = &{
    let mut all = [sets::ROWS[0].entry; sets::ROWS.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = sets::ROWS[i].entry;
        i += 1;
    }
    all
};

/// What is certified of the fit of that name.
///
/// ```
/// let fit = swarmgrad_problems::certified("nist/misra1a").expect("a fit");
/// assert_eq!(fit.starts[0], [500.0, 1e-4]);
/// assert_eq!(fit.parameters[0], 2.3894212918e2);
/// ```
pub fn certified(name: &str) -> Option<Certified> {
    sets::ROWS.iter().find(|row| row.entry.name == name).map(|row| row.certified)
}

/// The row of that entry.
pub(crate) fn row_of(entry: &Entry) -> Option<&'static Row> {
    sets::ROWS.iter().find(|row| row.entry.name == entry.name)
}

/// The problem on a space.
pub(crate) fn pose<F: Real>(row: &'static Row, space: Space<F>) -> Box<dyn TestProblem<F>> {
    debug_assert!(matches!(row.entry.dims, Dims::Exactly(dim) if dim == space.dim()));
    posed::pose(row.entry, row, space, Some(row.certified.parameters), row.certified.sum_of_squares)
}

impl posed::Function for &'static Row {
    type Scratch = ();

    fn with_scratch(then: impl FnOnce(&mut ())) {
        then(&mut ());
    }

    fn value(&self, b: &[f64], (): &mut ()) -> f64 {
        self.residuals(b).fold(0.0, |sum, residual| sum + residual * residual)
    }

    fn aim(&self) -> Aim {
        Aim::Residuals
    }

    fn explain(&self, b: &[f64], parts: &mut Vec<f64>, _constraints: &mut Vec<f64>, (): &mut ()) {
        parts.extend(self.residuals(b));
    }
}

impl Row {
    fn residuals(&self, b: &[f64]) -> impl Iterator<Item = f64> {
        self.data.chunks_exact(self.width).map(move |datum| self.residual(b, datum))
    }

    fn residual(&self, b: &[f64], datum: &[f64]) -> f64 {
        // Nelson's response is the logarithm.
        let y = if self.width == 3 { math::ln(datum[0]) } else { datum[0] };
        y - (self.model)(b, &datum[1..])
    }
}

fn saturating(b: &[f64], x: &[f64]) -> f64 {
    b[0] * (1.0 - math::exp(-b[1] * x[0]))
}

fn misra1b(b: &[f64], x: &[f64]) -> f64 {
    let t = 1.0 + b[1] * x[0] / 2.0;
    b[0] * (1.0 - 1.0 / (t * t))
}

fn misra1c(b: &[f64], x: &[f64]) -> f64 {
    b[0] * (1.0 - 1.0 / (1.0 + 2.0 * b[1] * x[0]).sqrt())
}

fn misra1d(b: &[f64], x: &[f64]) -> f64 {
    b[0] * b[1] * x[0] / (1.0 + b[1] * x[0])
}

fn chwirut(b: &[f64], x: &[f64]) -> f64 {
    math::exp(-b[0] * x[0]) / (b[1] + b[2] * x[0])
}

fn lanczos(b: &[f64], x: &[f64]) -> f64 {
    b[0] * math::exp(-b[1] * x[0]) + b[2] * math::exp(-b[3] * x[0]) + b[4] * math::exp(-b[5] * x[0])
}

fn gauss(b: &[f64], x: &[f64]) -> f64 {
    let peak = |height: f64, centre: f64, width: f64| {
        let t = (x[0] - centre) / width;
        height * math::exp(-t * t)
    };
    b[0] * math::exp(-b[1] * x[0]) + peak(b[2], b[3], b[4]) + peak(b[5], b[6], b[7])
}

fn danwood(b: &[f64], x: &[f64]) -> f64 {
    b[0] * math::powf(x[0], b[1])
}

fn kirby2(b: &[f64], x: &[f64]) -> f64 {
    let x = x[0];
    (b[0] + x * (b[1] + x * b[2])) / (1.0 + x * (b[3] + x * b[4]))
}

fn cubic(b: &[f64], x: &[f64]) -> f64 {
    let x = x[0];
    (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1.0 + x * (b[4] + x * (b[5] + x * b[6])))
}

fn nelson(b: &[f64], x: &[f64]) -> f64 {
    b[0] - b[1] * x[0] * math::exp(-b[2] * x[1])
}

fn mgh17(b: &[f64], x: &[f64]) -> f64 {
    b[0] + b[1] * math::exp(-x[0] * b[3]) + b[2] * math::exp(-x[0] * b[4])
}

fn roszman1(b: &[f64], x: &[f64]) -> f64 {
    b[0] - b[1] * x[0] - math::atan(b[2] / (x[0] - b[3])) / PI
}

fn enso(b: &[f64], x: &[f64]) -> f64 {
    let wave = |cosine: f64, sine: f64, period: f64| {
        let t = 2.0 * PI * x[0] / period;
        cosine * math::cos(t) + sine * math::sin(t)
    };
    b[0] + wave(b[1], b[2], 12.0) + wave(b[4], b[5], b[3]) + wave(b[7], b[8], b[6])
}

fn mgh09(b: &[f64], x: &[f64]) -> f64 {
    let x = x[0];
    b[0] * x * (x + b[1]) / (x * (x + b[2]) + b[3])
}

fn rat42(b: &[f64], x: &[f64]) -> f64 {
    b[0] / (1.0 + math::exp(b[1] - b[2] * x[0]))
}

fn rat43(b: &[f64], x: &[f64]) -> f64 {
    b[0] / math::powf(1.0 + math::exp(b[1] - b[2] * x[0]), 1.0 / b[3])
}

fn mgh10(b: &[f64], x: &[f64]) -> f64 {
    b[0] * math::exp(b[1] / (x[0] + b[2]))
}

fn eckerle4(b: &[f64], x: &[f64]) -> f64 {
    let t = (x[0] - b[2]) / b[1];
    b[0] / b[1] * math::exp(-0.5 * t * t)
}

fn bennett5(b: &[f64], x: &[f64]) -> f64 {
    b[0] * math::powf(b[1] + x[0], -1.0 / b[2])
}
