//! Designs of machine parts with their constraints c <= 0, not penalised: those of `design`, and six more.

use super::Row;
use super::row;
use crate::design::DESIGNS;
use std::f64::consts::{PI, SQRT_2};
use swarmgrad_core::math::powf;

/// The designs.
pub(super) const ROWS: &[Row] = &[
    row!(
        "designs/welded_beam",
        "Welded beam",
        4,
        "1.10471 h^2 l + 0.04811 t b (14 + l)",
        "Ragsdell, Phillips (1976), Optimal design of a class of welded structures using geometric programming; Coello Coello (2000)",
        "cost of a beam welded to a wall; four of seven constraints bind",
        &[(0.1, 2.0), (0.1, 10.0), (0.1, 10.0), (0.1, 2.0)],
        7,
        0,
        |x, c| of(0, x, c),
        DESIGNS[0].best_point,
        DESIGNS[0].best_cost
    ),
    row!(
        "designs/pressure_vessel",
        "Pressure vessel",
        4,
        "0.6224 s r l + 1.7781 h r^2 + 3.1661 s^2 l + 19.84 s^2 r",
        "Sandgren (1990), Nonlinear integer and discrete programming in mechanical design optimization; plates of any thickness",
        "cost of a tank with round heads",
        &[(0.0625, 6.1875), (0.0625, 6.1875), (10.0, 200.0), (10.0, 200.0)],
        4,
        0,
        |x, c| of(1, x, c),
        DESIGNS[1].best_point,
        DESIGNS[1].best_cost
    ),
    row!(
        "designs/speed_reducer",
        "Speed reducer",
        7,
        "0.7854 b m^2 (3.3333 z^2 + 14.9334 z - 43.0934) - 1.508 b (d1^2 + d2^2) + 7.4777 (d1^3 + d2^3) + 0.7854 (l1 d1^2 + l2 d2^2)",
        "Golinski (1970), Optimal synthesis problems solved by means of nonlinear programming and random methods",
        "weight of a gear box",
        &[(2.6, 3.6), (0.7, 0.8), (17.0, 28.0), (7.3, 8.3), (7.3, 8.3), (2.9, 3.9), (5.0, 5.5)],
        11,
        0,
        |x, c| of(2, x, c),
        DESIGNS[2].best_point,
        DESIGNS[2].best_cost
    ),
    row!(
        "designs/spring",
        "Tension/compression spring",
        3,
        "(n + 2) D d^2",
        "Arora (1989), Introduction to optimum design; Belegundu (1982)",
        "weight of a coil spring",
        &[(0.05, 2.0), (0.25, 1.3), (2.0, 15.0)],
        4,
        0,
        |x, c| of(3, x, c),
        DESIGNS[3].best_point,
        DESIGNS[3].best_cost
    ),
    row!(
        "designs/himmelblau_nonlinear",
        "Himmelblau's nonlinear problem",
        5,
        "5.3578547 x_3^2 + 0.8356891 x_1 x_5 + 37.293239 x_1 - 40792.141",
        "Himmelblau (1972), Applied nonlinear programming",
        "a quadratic cost between quadratic bounds",
        &[(78.0, 102.0), (33.0, 45.0), (27.0, 45.0), (27.0, 45.0), (27.0, 45.0)],
        6,
        0,
        |x, c| of(4, x, c),
        DESIGNS[4].best_point,
        DESIGNS[4].best_cost
    ),
    row!(
        "designs/three_bar_truss",
        "Three-bar truss",
        2,
        "(2*sqrt(2)*x_0+x_1)*100",
        "Nowacki (1974), Optimization in pre-contract ship design",
        "volume of a truss of three bars under a load",
        &[(1e-06, 1.0)],
        3,
        0,
        three_bar_truss,
        &[0.7886751403162566, 0.4082482742810757],
        263.89584337645834
    ),
    row!(
        "designs/cantilever",
        "Cantilever beam",
        5,
        "0.0624*(x_0+x_1+x_2+x_3+x_4)",
        "Fleury, Braibant (1986), Structural optimization: a new dual method using mixed variables",
        "weight of a beam of five hollow blocks",
        &[(0.01, 100.0)],
        1,
        0,
        cantilever,
        &[6.015962757542579, 5.309205591225911, 4.494276706108955, 3.5014909616804344, 2.152723583237971],
        1.3399563590272612
    ),
    row!(
        "designs/reinforced_beam",
        "Reinforced concrete beam",
        3,
        "29.4*x_0+0.6*x_1*x_2",
        "Amir, Hasegawa (1989), Nonlinear mixed-discrete structural optimization; a continuous relaxation",
        "cost of a beam of concrete and steel",
        &[(0.2, 15.0), (28.0, 40.0), (5.0, 10.0)],
        2,
        0,
        reinforced_beam,
        &[6.469417514043756, 33.51723599841655, 8.379308999604174],
        358.7116412589197
    ),
    row!(
        "designs/tubular_column",
        "Tubular column",
        2,
        "9.8 d t + 2 d",
        "Rao (2009), Engineering optimization: theory and practice",
        "cost of a column under a load of 2500 kgf",
        &[(2.0, 14.0), (0.2, 0.8)],
        6,
        0,
        tubular_column,
        &[5.451156234254859, 0.29196547714367777],
        26.499496891515463
    ),
    row!(
        "designs/corrugated_bulkhead",
        "Corrugated bulkhead",
        4,
        "5.885 t (b + l) / (b + sqrt(l^2 - h^2))",
        "Kvalie, Moe, Vanderplaats (1975); Ravindran, Ragsdell, Reklaitis (2006), Engineering optimization: methods and applications",
        "weight of the bulkhead of a tanker; no value where the depth exceeds the length",
        &[(0.0, 100.0), (0.0, 100.0), (0.0, 100.0), (0.0, 5.0)],
        6,
        0,
        corrugated_bulkhead,
        &[57.692307692307686, 34.1476203486744, 57.692307692307686, 1.05],
        6.842958010080774
    ),
    row!(
        "designs/gas_compressor",
        "Gas transmission compressor",
        4,
        "8.61e5 sqrt(l) r d^(-2/3) / sqrt(y) + 3.69e4 d + 7.72e8 r^0.219 / l - 7.6543e8 / l",
        "Beightler, Phillips (1976), Applied geometric programming",
        "cost of moving gas through a pipe",
        &[(20.0, 50.0), (1.0, 10.0), (20.0, 50.0), (0.1, 60.0)],
        1,
        0,
        gas_compressor,
        &[50.0, 1.178_283_959_744_019_3, 24.592589859419395, 0.3883530897900458],
        2_964_895.417_339_168
    ),
];

/// That one of the designs with a penalised form.
fn of(k: usize, x: &[f64], c: &mut [f64]) -> f64 {
    (DESIGNS[k].limits)(x, c);
    DESIGNS[k].objective(x)
}

fn three_bar_truss(x: &[f64], c: &mut [f64]) -> f64 {
    c[0] = (SQRT_2 * x[0] + x[1]) / (SQRT_2 * x[0].powi(2) + 2.0 * x[0] * x[1]) * 2.0 - 2.0;
    c[1] = x[1] / (SQRT_2 * x[0].powi(2) + 2.0 * x[0] * x[1]) * 2.0 - 2.0;
    c[2] = 1.0 / (SQRT_2 * x[1] + x[0]) * 2.0 - 2.0;
    (2.0 * SQRT_2 * x[0] + x[1]) * 100.0
}

fn cantilever(x: &[f64], c: &mut [f64]) -> f64 {
    c[0] =
        61.0 / x[0].powi(3) + 37.0 / x[1].powi(3) + 19.0 / x[2].powi(3) + 7.0 / x[3].powi(3) + 1.0 / x[4].powi(3) - 1.0;
    0.0624 * (x[0] + x[1] + x[2] + x[3] + x[4])
}

fn reinforced_beam(x: &[f64], c: &mut [f64]) -> f64 {
    c[0] = x[1] / x[2] - 4.0;
    c[1] = 180.0 + 7.375 * x[0].powi(2) / x[2] - x[0] * x[1];
    29.4 * x[0] + 0.6 * x[1] * x[2]
}

fn tubular_column(x: &[f64], c: &mut [f64]) -> f64 {
    let (d, t, load) = (x[0], x[1], 2_500.0);
    c[0] = load / (PI * d * t * 500.0) - 1.0;
    c[1] = 8.0 * load * 62_500.0 / (PI.powi(3) * 0.85e6 * d * t * (d * d + t * t)) - 1.0;
    c[2] = 2.0 / d - 1.0;
    c[3] = d / 14.0 - 1.0;
    c[4] = 0.2 / t - 1.0;
    c[5] = t / 0.8 - 1.0;
    9.8 * d * t + 2.0 * d
}

fn corrugated_bulkhead(x: &[f64], c: &mut [f64]) -> f64 {
    let (b, h, l, t) = (x[0], x[1], x[2], x[3]);
    let span = b + (l * l - h * h).sqrt();
    c[0] = -t * h * (0.4 * b + l / 6.0) + 8.94 * span;
    c[1] = -t * h * h * (0.2 * b + l / 12.0) + 2.2 * powf(8.94 * span, 4.0 / 3.0);
    c[2] = -t + 0.0156 * b + 0.15;
    c[3] = -t + 0.0156 * l + 0.15;
    c[4] = -t + 1.05;
    c[5] = -l + h;
    5.885 * t * (b + l) / span
}

fn gas_compressor(x: &[f64], c: &mut [f64]) -> f64 {
    let (l, r, d, y) = (x[0], x[1], x[2], x[3]);
    c[0] = (y + 1.0) / (r * r) - 1.0;
    8.61e5 * l.sqrt() * r * powf(d, -2.0 / 3.0) / y.sqrt() + 3.69e4 * d + 7.72e8 * powf(r, 0.219) / l - 765.43e6 / l
}
