//! DTLZ1 to 7 with three objectives. The first two variables say where on the front a point lies, the others how far from it.

use super::{Row, evenly, undominated};
use crate::entry::{Dims, entry};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, PI};
use swarmgrad_core::math::{cos, powf, sin};

const SOURCE: &str =
    "Deb, Thiele, Laumanns, Zitzler (2005), Scalable test problems for evolutionary multiobjective optimization";

/// A row: name, title, formula, what it is, usual dimension, function, reference point, front.
macro_rules! row {
    ($name:literal, $title:literal, $formula:literal, $about:literal, $usual:literal, $evaluate:expr, $reference:expr, $front:expr) => {
        Row {
            entry: entry!($name, $title, $formula, SOURCE, $about, Dims::Any { min: 3 }, &[(0.0, 1.0)]),
            usual: $usual,
            objectives: 3,
            constraints: 0,
            evaluate: $evaluate,
            reference: $reference,
            front: Some($front),
        }
    };
}

pub(super) const ROWS: &[Row] = &[
    row!(
        "dtlz1",
        "DTLZ1",
        "f = (1 + g) / 2 (x1 x2, x1 (1 - x2), 1 - x1), g = 100 (k + sum_(j>2) ((x_j - 1/2)^2 - cos(20 pi (x_j - 1/2))))",
        "a plane as front, behind 11^k - 1 local ones",
        7,
        |x, f, _| {
            let half = 0.5 * (1.0 + waves(&x[2..]));
            f.copy_from_slice(&[half * x[0] * x[1], half * x[0] * (1.0 - x[1]), half * (1.0 - x[0])]);
        },
        &[0.55, 0.55, 0.55],
        |n| {
            let side = (2.0 * n as f64).sqrt() as usize + 1;
            let triangle = (0..side).flat_map(|i| (0..side - i).map(move |j| [i, j, side - 1 - i - j]));
            triangle.map(|parts| parts.map(|part| 0.5 * part as f64 / (side - 1) as f64).to_vec()).collect()
        }
    ),
    row!(
        "dtlz2",
        "DTLZ2",
        "f = (1 + g) (cos a1 cos a2, cos a1 sin a2, sin a1), a_j = pi/2 x_j, g = sum_(j>2) (x_j - 1/2)^2",
        "an octant of a sphere as front",
        12,
        |x, f, _| sphere(FRAC_PI_2 * x[0], FRAC_PI_2 * x[1], bowl(&x[2..]), f),
        &[1.1, 1.1, 1.1],
        octant
    ),
    row!(
        "dtlz3",
        "DTLZ3",
        "as DTLZ2 with g of DTLZ1",
        "an octant of a sphere as front, behind 3^k - 1 local ones",
        12,
        |x, f, _| sphere(FRAC_PI_2 * x[0], FRAC_PI_2 * x[1], waves(&x[2..]), f),
        &[1.1, 1.1, 1.1],
        octant
    ),
    row!(
        "dtlz4",
        "DTLZ4",
        "as DTLZ2 with a_j = pi/2 x_j^100",
        "an octant of a sphere, most of whose points lie at its border",
        12,
        |x, f, _| sphere(FRAC_PI_2 * powf(x[0], 100.0), FRAC_PI_2 * powf(x[1], 100.0), bowl(&x[2..]), f),
        &[1.1, 1.1, 1.1],
        octant
    ),
    row!(
        "dtlz5",
        "DTLZ5",
        "as DTLZ2 with a2 = pi / (4 (1 + g)) (1 + 2 g x2)",
        "a curve as front",
        12,
        |x, f, _| bent(x, bowl(&x[2..]), f),
        &[0.778, 0.778, 1.1],
        arc
    ),
    row!(
        "dtlz6",
        "DTLZ6",
        "as DTLZ5 with g = sum_(j>2) x_j^(1/10)",
        "a curve as front that is hard to reach",
        12,
        |x, f, _| bent(x, x[2..].iter().map(|t| powf(*t, 0.1)).sum(), f),
        &[0.778, 0.778, 1.1],
        arc
    ),
    row!(
        "dtlz7",
        "DTLZ7",
        "f = (x1, x2, (1 + g) h), g = 1 + 9/k sum_(j>2) x_j, h = 3 - sum_(j<3) f_j / (1 + g) (1 + sin(3 pi f_j))",
        "a front of four pieces",
        22,
        |x, f, _| {
            let g = 1.0 + 9.0 * (x[2..].iter().sum::<f64>() / (x.len() - 2) as f64);
            f.copy_from_slice(&[x[0], x[1], (1.0 + g) * pieces(x[0], x[1], g)]);
        },
        // The front reaches from (0, 0, 6) to (0.8594, 0.8594, 2.6140).
        &[0.9453, 0.9453, 6.3386],
        |n| {
            let side = (4.0 * n as f64).sqrt() as usize + 1;
            let square = evenly(0.0, 1.0, side).flat_map(|a| evenly(0.0, 1.0, side).map(move |b| [a, b]));
            undominated(square.map(|[a, b]| vec![a, b, 2.0 * pieces(a, b, 1.0)]).collect())
        }
    ),
];

/// g of DTLZ1 and 3.
fn waves(x: &[f64]) -> f64 {
    let wave = |t: &f64| (t - 0.5) * (t - 0.5) - cos(20.0 * PI * (t - 0.5));
    100.0 * (x.len() as f64 + x.iter().map(wave).sum::<f64>())
}

/// g of DTLZ2, 4 and 5.
fn bowl(x: &[f64]) -> f64 {
    x.iter().map(|t| (t - 0.5) * (t - 0.5)).sum()
}

/// The point of these angles on a sphere of radius 1 + g.
fn sphere(first: f64, second: f64, g: f64, f: &mut [f64]) {
    let radius = 1.0 + g;
    f.copy_from_slice(&[radius * cos(first) * cos(second), radius * cos(first) * sin(second), radius * sin(first)]);
}

/// DTLZ5 and 6: the second angle comes to 45 degrees where g vanishes.
fn bent(x: &[f64], g: f64, f: &mut [f64]) {
    sphere(FRAC_PI_2 * x[0], PI / (4.0 * (1.0 + g)) * (1.0 + 2.0 * g * x[1]), g, f);
}

/// h of DTLZ7.
fn pieces(a: f64, b: f64, g: f64) -> f64 {
    let part = |t: f64| t / (1.0 + g) * (1.0 + sin(3.0 * PI * t));
    3.0 - (part(a) + part(b))
}

fn octant(n: usize) -> Vec<Vec<f64>> {
    let side = (n as f64).sqrt() as usize + 1;
    let angles = evenly(0.0, FRAC_PI_2, side).flat_map(|a| evenly(0.0, FRAC_PI_2, side).map(move |b| (a, b)));
    let point = |(a, b)| {
        let mut f = vec![0.0; 3];
        sphere(a, b, 0.0, &mut f);
        f
    };
    angles.map(point).collect()
}

fn arc(n: usize) -> Vec<Vec<f64>> {
    evenly(0.0, FRAC_PI_2, n).map(|a| vec![cos(a) * FRAC_1_SQRT_2, cos(a) * FRAC_1_SQRT_2, sin(a)]).collect()
}
