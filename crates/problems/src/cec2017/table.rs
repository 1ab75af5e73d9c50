//! The 29 functions: what to say about each, and its recipe.

use super::basic::Basic;
use super::function::{Part, Recipe};
use crate::entry::{Dims, Entry};
use Basic::*;

/// The numbers of variables that the competition is held in.
const DIMS: Dims = Dims::Among(&[10, 30, 50, 100]);

/// A row of the table of problems.
macro_rules! row {
    ($name:literal, $title:literal, $formula:literal, $about:literal) => {
        Entry {
            name: $name,
            title: $title,
            formula: $formula,
            source: "Awad, Ali, Liang, Qu, Suganthan (2016), Problem definitions and evaluation criteria for the CEC 2017 special session on single objective bound constrained real-parameter numerical optimization",
            about: $about,
            dims: DIMS,
            domain: &[(-100.0, 100.0)],
            everywhere: true,
            differentiable: true,
            instance: Some(1),
        }
    };
}

const fn whole(basic: Basic) -> [Part; 1] {
    [Part { recipe: Recipe::Whole(basic), sigma: 1.0, scale: 1.0 }]
}

const fn hybrid(parts: &'static [(f64, Basic)]) -> [Part; 1] {
    [Part { recipe: Recipe::Hybrid(parts), sigma: 1.0, scale: 1.0 }]
}

const fn part(sigma: f64, scale: f64, basic: Basic) -> Part {
    Part { recipe: Recipe::Whole(basic), sigma, scale }
}

const fn hybrid_part(sigma: f64, parts: &'static [(f64, Basic)]) -> Part {
    Part { recipe: Recipe::Hybrid(parts), sigma, scale: 1.0 }
}

/// The hybrids that compositions take up again.
const HYBRID_5: &[(f64, Basic)] = &[(0.2, BentCigar), (0.2, HgBat), (0.3, Rastrigin), (0.3, Rosenbrock)];
const HYBRID_6: &[(f64, Basic)] = &[(0.2, SchafferF6), (0.2, HgBat), (0.3, Rosenbrock), (0.3, Schwefel)];
const HYBRID_7: &[(f64, Basic)] =
    &[(0.1, Katsuura), (0.2, Ackley), (0.2, GriewankRosenbrock), (0.2, Schwefel), (0.3, Rastrigin)];
const HYBRID_8: &[(f64, Basic)] = &[(0.2, Elliptic), (0.2, Ackley), (0.2, Rastrigin), (0.2, HgBat), (0.2, Discus)];
const HYBRID_9: &[(f64, Basic)] =
    &[(0.2, BentCigar), (0.2, Rastrigin), (0.2, GriewankRosenbrock), (0.2, Weierstrass), (0.2, SchafferF6)];

/// 10000 / 10^10, 10000 / (2 10^7), 10000 / 10^30: what the compositions bring steep or flat functions to scale by.
const STEEP: f64 = 1e-6;
const WAVY: f64 = 5e-4;
const STEEPEST: f64 = 1e-26;

/// The functions in their order, f2 left out: number, row, parts.
pub(super) const FUNCTIONS: [(usize, Entry, &[Part]); 29] = [
    (
        1,
        row!(
            "cec2017/f1",
            "CEC 2017 bent cigar",
            "z_1^2 + 10^6 sum over i > 1 of z_i^2 + 100, z = M (x - o)",
            "unimodal, a narrow ridge"
        ),
        &whole(BentCigar),
    ),
    (
        3,
        row!(
            "cec2017/f3",
            "CEC 2017 Zakharov",
            "|z|^2 + s^2 + s^4 + 300, s = sum i z_i / 2, z = M (x - o)",
            "unimodal, a bent plate"
        ),
        &whole(Zakharov),
    ),
    (
        4,
        row!(
            "cec2017/f4",
            "CEC 2017 Rosenbrock",
            "Rosenbrock(z + 1) + 400, z = M (2.048 (x - o) / 100)",
            "a curved valley, rotated"
        ),
        &whole(Rosenbrock),
    ),
    (
        5,
        row!(
            "cec2017/f5",
            "CEC 2017 Rastrigin",
            "Rastrigin(z) + 500, z = M (5.12 (x - o) / 100)",
            "many wells, rotated"
        ),
        &whole(Rastrigin),
    ),
    (
        6,
        row!(
            "cec2017/f6",
            "CEC 2017 Schaffer F7",
            "(mean over i < d of sqrt(r_i) (1 + sin(50 r_i^0.2)^2))^2 + 600, r_i^2 = y_i^2 + y_(i+1)^2, y = x - o",
            "rings of waves; not rotated, as in the competition's program"
        ),
        &whole(SchafferF7),
    ),
    (
        7,
        row!(
            "cec2017/f7",
            "CEC 2017 Lunacek double Rastrigin",
            "min(|t|^2, s |t + mu_0 - mu_1|^2 + d) + 10 (d - sum cos(2 pi z_i)) + 700, t = 0.2 sign(o) (x - o), z = M t",
            "two funnels, the broader one the wrong one"
        ),
        &whole(Lunacek),
    ),
    (
        8,
        row!(
            "cec2017/f8",
            "CEC 2017 Rastrigin again",
            "Rastrigin(z) + 800, z = M (5.12 (x - o) / 100), rounded to halves in the report and smooth in its program",
            "as f5, with another shift: the competition's program overwrites the steps it has made"
        ),
        &whole(Rastrigin),
    ),
    (
        9,
        row!("cec2017/f9", "CEC 2017 Levy", "Levy(1 + z / 4) + 900, z = M (x - o)", "many wells in a bowl"),
        &whole(Levy),
    ),
    (
        10,
        row!(
            "cec2017/f10",
            "CEC 2017 Schwefel",
            "modified Schwefel(z) + 1000, z = M (10 (x - o))",
            "the second-best well is far away"
        ),
        &whole(Schwefel),
    ),
    (
        11,
        row!(
            "cec2017/f11",
            "CEC 2017 hybrid 1",
            "0.2 Zakharov, 0.4 Rosenbrock, 0.4 Rastrigin; + 1100",
            "three functions on parts of the variables"
        ),
        &hybrid(&[(0.2, Zakharov), (0.4, Rosenbrock), (0.4, Rastrigin)]),
    ),
    (
        12,
        row!(
            "cec2017/f12",
            "CEC 2017 hybrid 2",
            "0.3 elliptic, 0.3 Schwefel, 0.4 bent cigar; + 1200",
            "three functions on parts of the variables"
        ),
        &hybrid(&[(0.3, Elliptic), (0.3, Schwefel), (0.4, BentCigar)]),
    ),
    (
        13,
        row!(
            "cec2017/f13",
            "CEC 2017 hybrid 3",
            "0.3 bent cigar, 0.3 Rosenbrock, 0.4 Lunacek; + 1300",
            "three functions on parts of the variables"
        ),
        &hybrid(&[(0.3, BentCigar), (0.3, Rosenbrock), (0.4, Lunacek)]),
    ),
    (
        14,
        row!(
            "cec2017/f14",
            "CEC 2017 hybrid 4",
            "0.2 elliptic, 0.2 Ackley, 0.2 Schaffer F7, 0.4 Rastrigin; + 1400",
            "four functions on parts of the variables"
        ),
        &hybrid(&[(0.2, Elliptic), (0.2, Ackley), (0.2, SchafferF7), (0.4, Rastrigin)]),
    ),
    (
        15,
        row!(
            "cec2017/f15",
            "CEC 2017 hybrid 5",
            "0.2 bent cigar, 0.2 HGBat, 0.3 Rastrigin, 0.3 Rosenbrock; + 1500",
            "four functions on parts of the variables"
        ),
        &hybrid(HYBRID_5),
    ),
    (
        16,
        row!(
            "cec2017/f16",
            "CEC 2017 hybrid 6",
            "0.2 Schaffer F6, 0.2 HGBat, 0.3 Rosenbrock, 0.3 Schwefel; + 1600",
            "four functions on parts of the variables"
        ),
        &hybrid(HYBRID_6),
    ),
    (
        17,
        row!(
            "cec2017/f17",
            "CEC 2017 hybrid 7",
            "0.1 Katsuura, 0.2 Ackley, 0.2 Griewank of Rosenbrock, 0.2 Schwefel, 0.3 Rastrigin; + 1700",
            "five functions on parts of the variables"
        ),
        &hybrid(HYBRID_7),
    ),
    (
        18,
        row!(
            "cec2017/f18",
            "CEC 2017 hybrid 8",
            "0.2 elliptic, 0.2 Ackley, 0.2 Rastrigin, 0.2 HGBat, 0.2 discus; + 1800",
            "five functions on parts of the variables"
        ),
        &hybrid(HYBRID_8),
    ),
    (
        19,
        row!(
            "cec2017/f19",
            "CEC 2017 hybrid 9",
            "0.2 bent cigar, 0.2 Rastrigin, 0.2 Griewank of Rosenbrock, 0.2 Weierstrass, 0.2 Schaffer F6; + 1900",
            "five functions on parts of the variables"
        ),
        &hybrid(HYBRID_9),
    ),
    (
        20,
        row!(
            "cec2017/f20",
            "CEC 2017 hybrid 10",
            "0.1 HGBat, 0.1 Katsuura, 0.2 Ackley, 0.2 Rastrigin, 0.2 Schwefel, 0.2 Schaffer F7; + 2000",
            "six functions on parts of the variables; HappyCat instead of HGBat in the report"
        ),
        &hybrid(&[(0.1, HgBat), (0.1, Katsuura), (0.2, Ackley), (0.2, Rastrigin), (0.2, Schwefel), (0.2, SchafferF7)]),
    ),
    (
        21,
        row!(
            "cec2017/f21",
            "CEC 2017 composition 1",
            "weighted mean of Rosenbrock, elliptic, Rastrigin; + 2100",
            "three functions, each about its own shift"
        ),
        &[part(10.0, 1.0, Rosenbrock), part(20.0, STEEP, Elliptic), part(30.0, 1.0, Rastrigin)],
    ),
    (
        22,
        row!(
            "cec2017/f22",
            "CEC 2017 composition 2",
            "weighted mean of Rastrigin, Griewank, Schwefel; + 2200",
            "three functions, each about its own shift"
        ),
        &[part(10.0, 1.0, Rastrigin), part(20.0, 10.0, Griewank), part(30.0, 1.0, Schwefel)],
    ),
    (
        23,
        row!(
            "cec2017/f23",
            "CEC 2017 composition 3",
            "weighted mean of Rosenbrock, Ackley, Schwefel, Rastrigin; + 2300",
            "four functions, each about its own shift"
        ),
        &[part(10.0, 1.0, Rosenbrock), part(20.0, 10.0, Ackley), part(30.0, 1.0, Schwefel), part(40.0, 1.0, Rastrigin)],
    ),
    (
        24,
        row!(
            "cec2017/f24",
            "CEC 2017 composition 4",
            "weighted mean of Ackley, elliptic, Griewank, Rastrigin; + 2400",
            "four functions, each about its own shift"
        ),
        &[
            part(10.0, 10.0, Ackley),
            part(20.0, STEEP, Elliptic),
            part(30.0, 10.0, Griewank),
            part(40.0, 1.0, Rastrigin),
        ],
    ),
    (
        25,
        row!(
            "cec2017/f25",
            "CEC 2017 composition 5",
            "weighted mean of Rastrigin, HappyCat, Ackley, discus, Rosenbrock; + 2500",
            "five functions, each about its own shift"
        ),
        &[
            part(10.0, 10.0, Rastrigin),
            part(20.0, 1.0, HappyCat),
            part(30.0, 10.0, Ackley),
            part(40.0, STEEP, Discus),
            part(50.0, 1.0, Rosenbrock),
        ],
    ),
    (
        26,
        row!(
            "cec2017/f26",
            "CEC 2017 composition 6",
            "weighted mean of Schaffer F6, Schwefel, Griewank, Rosenbrock, Rastrigin; + 2600",
            "five functions, each about its own shift"
        ),
        &[
            part(10.0, WAVY, SchafferF6),
            part(20.0, 1.0, Schwefel),
            part(20.0, 10.0, Griewank),
            part(30.0, 1.0, Rosenbrock),
            part(40.0, 10.0, Rastrigin),
        ],
    ),
    (
        27,
        row!(
            "cec2017/f27",
            "CEC 2017 composition 7",
            "weighted mean of HGBat, Rastrigin, Schwefel, bent cigar, elliptic, Schaffer F6; + 2700",
            "six functions, each about its own shift"
        ),
        &[
            part(10.0, 10.0, HgBat),
            part(20.0, 10.0, Rastrigin),
            part(30.0, 2.5, Schwefel),
            part(40.0, STEEPEST, BentCigar),
            part(50.0, STEEP, Elliptic),
            part(60.0, WAVY, SchafferF6),
        ],
    ),
    (
        28,
        row!(
            "cec2017/f28",
            "CEC 2017 composition 8",
            "weighted mean of Ackley, Griewank, discus, Rosenbrock, HappyCat, Schaffer F6; + 2800",
            "six functions, each about its own shift"
        ),
        &[
            part(10.0, 10.0, Ackley),
            part(20.0, 10.0, Griewank),
            part(30.0, STEEP, Discus),
            part(40.0, 1.0, Rosenbrock),
            part(50.0, 1.0, HappyCat),
            part(60.0, WAVY, SchafferF6),
        ],
    ),
    (
        29,
        row!(
            "cec2017/f29",
            "CEC 2017 composition 9",
            "weighted mean of hybrids 5, 6, 7; + 2900",
            "three hybrids, each about its own shift"
        ),
        &[hybrid_part(10.0, HYBRID_5), hybrid_part(30.0, HYBRID_6), hybrid_part(50.0, HYBRID_7)],
    ),
    (
        30,
        row!(
            "cec2017/f30",
            "CEC 2017 composition 10",
            "weighted mean of hybrids 5, 8, 9; + 3000",
            "three hybrids, each about its own shift"
        ),
        &[hybrid_part(10.0, HYBRID_5), hybrid_part(30.0, HYBRID_8), hybrid_part(50.0, HYBRID_9)],
    ),
];

/// The rows of the table of problems, instance 1.
pub(crate) const ROWS: [Entry; FUNCTIONS.len()] = {
    let mut rows = [FUNCTIONS[0].1; FUNCTIONS.len()];
    let mut i = 0;
    while i < rows.len() {
        rows[i] = FUNCTIONS[i].1;
        i += 1;
    }
    rows
};
