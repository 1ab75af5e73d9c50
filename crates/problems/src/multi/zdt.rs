//! ZDT1 to 4 and 6. The front is where g is least: all variables but the first are 0 there.

use super::{Row, evenly, undominated};
use crate::entry::{Dims, entry};
use std::f64::consts::PI;
use swarmgrad_core::math::{cos, exp, powf, sin};

const SOURCE: &str =
    "Zitzler, Deb, Thiele (2000), Comparison of multiobjective evolutionary algorithms: empirical results";

const UNIT: &[(f64, f64)] = &[(0.0, 1.0)];

/// A row; the front is f2 as a function of f1.
macro_rules! row {
    ($name:literal, $title:literal, $formula:literal, $about:literal, $domain:expr, $usual:literal, $evaluate:expr, $reference:expr,
     $front:expr) => {
        Row {
            entry: entry!($name, $title, $formula, SOURCE, $about, Dims::Any { min: 2 }, $domain),
            usual: $usual,
            objectives: 2,
            constraints: 0,
            evaluate: $evaluate,
            reference: $reference,
            front: Some($front),
        }
    };
}

pub(super) const ROWS: &[Row] = &[
    row!(
        "zdt1",
        "ZDT1",
        "f1 = x1, f2 = g (1 - sqrt(f1 / g)), g = 1 + 9 sum_(j>1) x_j / (d - 1)",
        "a convex front",
        UNIT,
        30,
        |x, f, _| {
            let g = linear(x);
            (f[0], f[1]) = (x[0], g * (1.0 - (x[0] / g).sqrt()));
        },
        &[1.1, 1.1],
        |n| evenly(0.0, 1.0, n).map(|t| vec![t, 1.0 - t.sqrt()]).collect()
    ),
    row!(
        "zdt2",
        "ZDT2",
        "f1 = x1, f2 = g (1 - (f1 / g)^2), g = 1 + 9 sum_(j>1) x_j / (d - 1)",
        "a concave front",
        UNIT,
        30,
        |x, f, _| {
            let g = linear(x);
            (f[0], f[1]) = (x[0], g * (1.0 - (x[0] / g) * (x[0] / g)));
        },
        &[1.1, 1.1],
        |n| evenly(0.0, 1.0, n).map(|t| vec![t, 1.0 - t * t]).collect()
    ),
    row!(
        "zdt3",
        "ZDT3",
        "f1 = x1, f2 = g (1 - sqrt(f1 / g) - (f1 / g) sin(10 pi f1)), g = 1 + 9 sum_(j>1) x_j / (d - 1)",
        "a front of five pieces",
        UNIT,
        30,
        |x, f, _| {
            let g = linear(x);
            let share = x[0] / g;
            (f[0], f[1]) = (x[0], g * (1.0 - share.sqrt() - share * sin(10.0 * PI * x[0])));
        },
        // The front reaches from (0, 1) to (0.8518, -0.7734).
        &[0.937, 1.1774],
        |n| undominated(evenly(0.0, 1.0, 3 * n).map(|t| vec![t, 1.0 - t.sqrt() - t * sin(10.0 * PI * t)]).collect())
    ),
    row!(
        "zdt4",
        "ZDT4",
        "f1 = x1, f2 = g (1 - sqrt(f1 / g)), g = 1 + 10 (d - 1) + sum_(j>1) (x_j^2 - 10 cos(4 pi x_j))",
        "21^9 local fronts before the convex one",
        &[(0.0, 1.0), (-5.0, 5.0)],
        10,
        |x, f, _| {
            let waves: f64 = x[1..].iter().map(|t| t * t - 10.0 * cos(4.0 * PI * t)).sum();
            let g = 1.0 + 10.0 * (x.len() - 1) as f64 + waves;
            (f[0], f[1]) = (x[0], g * (1.0 - (x[0] / g).sqrt()));
        },
        &[1.1, 1.1],
        |n| evenly(0.0, 1.0, n).map(|t| vec![t, 1.0 - t.sqrt()]).collect()
    ),
    row!(
        "zdt6",
        "ZDT6",
        "f1 = 1 - exp(-4 x1) sin^6(6 pi x1), f2 = g (1 - (f1 / g)^2), g = 1 + 9 (sum_(j>1) x_j / (d - 1))^(1/4)",
        "a concave front, thinly covered by evenly spread points",
        UNIT,
        10,
        |x, f, _| {
            let mean = x[1..].iter().sum::<f64>() / (x.len() - 1) as f64;
            let g = 1.0 + 9.0 * powf(mean, 0.25);
            let wave = sin(6.0 * PI * x[0]);
            f[0] = 1.0 - exp(-4.0 * x[0]) * (wave * wave * wave) * (wave * wave * wave);
            f[1] = g * (1.0 - (f[0] / g) * (f[0] / g));
        },
        // The front reaches from (0.2808, 0.9212) to (1, 0).
        &[1.0719, 1.0133],
        |n| evenly(LEAST, 1.0, n).map(|t| vec![t, 1.0 - t * t]).collect()
    ),
];

/// The least f1 of ZDT6.
const LEAST: f64 = 0.280_775_318_815_489_5;

/// g of the first three.
fn linear(x: &[f64]) -> f64 {
    1.0 + 9.0 * (x[1..].iter().sum::<f64>() / (x.len() - 1) as f64)
}
