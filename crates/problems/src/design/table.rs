//! The designs: bounds, costs, constraints, best known points.

use super::formulation::{Design, DesignLimit, Quantity};
use crate::entry::{Dims, Entry};
use std::f64::consts::{PI, SQRT_2};
use swarmgrad_core::{Error, Result};

/// pi/4 as the speed reducer's formula prints it.
#[expect(clippy::approx_constant, reason = "the problem is defined with these four digits")]
const FOUR_DIGITS: f64 = 0.7854;

const fn quantity(name: &'static str, unit: &'static str) -> Quantity {
    Quantity { name, unit }
}

const fn limit(name: &'static str, scale: f64) -> DesignLimit {
    DesignLimit { name, scale }
}

/// A row of the table of problems.
macro_rules! row {
    ($name:literal, $title:literal, $dim:literal, $formula:literal, $source:literal, $about:literal, $domain:expr) => {
        Entry {
            name: $name,
            title: $title,
            formula: $formula,
            source: $source,
            about: $about,
            dims: Dims::Exactly($dim),
            domain: $domain,
            everywhere: false,
            differentiable: false,
            instance: None,
        }
    };
}

/// All designs.
pub const DESIGNS: &[Design] = &[
    Design {
        entry: row!(
            "welded_beam",
            "Welded beam (penalised)",
            4,
            "1.10471 h^2 l + 0.04811 t b (14 + l), 7 constraints",
            "Ragsdell, Phillips (1976), Optimal design of a class of welded structures using geometric programming; Coello Coello (2000)",
            "cost of a beam welded to a wall; four constraints bind at the best point",
            &[(0.1, 2.0), (0.1, 10.0), (0.1, 10.0), (0.1, 2.0)]
        ),
        variables: &[
            quantity("thickness of the weld h", "in"),
            quantity("length of the weld l", "in"),
            quantity("height of the beam t", "in"),
            quantity("thickness of the beam b", "in"),
        ],
        cost: quantity("cost", "dollars"),
        constraints: &[
            limit("shear stress", 13_600.0),
            limit("bending stress", 30_000.0),
            limit("weld no thicker than the beam", 1.0),
            limit("cost of weld and bar", 5.0),
            limit("weld not too thin", 0.125),
            limit("deflection", 0.25),
            limit("buckling load", 6_000.0),
        ],
        penalty: 20.0,
        best_point: &[
            0.205_729_639_786_028_96,
            3.470_488_665_627_359_5,
            9.036_623_910_361_888,
            0.205_729_639_785_912_7,
        ],
        best_cost: 1.724_852_308_596_666_7,
        printed: (
            "1.724852",
            "Mezura-Montes, Coello Coello (2005), Useful infeasible solutions in engineering optimization",
        ),
        objective: |x| 1.104_71 * x[0] * x[0] * x[1] + 0.048_11 * x[2] * x[3] * (14.0 + x[1]),
        limits: welded_beam,
    },
    Design {
        entry: row!(
            "pressure_vessel",
            "Pressure vessel (penalised)",
            4,
            "0.6224 s r l + 1.7781 h r^2 + 3.1661 s^2 l + 19.84 s^2 r, 4 constraints",
            "Sandgren (1990), Nonlinear integer and discrete programming in mechanical design optimization; plates of any thickness",
            "cost of a tank with round heads; the thicknesses are continuous here, and its length is at most 200 inches",
            &[(0.0625, 6.1875), (0.0625, 6.1875), (10.0, 200.0), (10.0, 200.0)]
        ),
        variables: &[
            quantity("thickness of the shell s", "in"),
            quantity("thickness of the head h", "in"),
            quantity("inner radius r", "in"),
            quantity("length of the cylinder l", "in"),
        ],
        cost: quantity("cost", "dollars"),
        constraints: &[
            limit("thickness of the shell", 1.0),
            limit("thickness of the head", 1.0),
            limit("volume", 1_296_000.0),
            limit("length", 240.0),
        ],
        penalty: 60_000.0,
        best_point: &[
            0.778_168_641_374_714_1,
            0.384_649_162_627_707_03,
            40.319_618_724_077_046,
            199.999_999_999_962_37,
        ],
        best_cost: 5_885.332_773_608_697,
        printed: (
            "5885.3328",
            "Gandomi, Yang, Alavi (2013), Cuckoo search algorithm: a metaheuristic approach to solve structural optimization problems",
        ),
        objective: |x| {
            0.6224 * x[0] * x[2] * x[3]
                + 1.7781 * x[1] * x[2] * x[2]
                + 3.1661 * x[0] * x[0] * x[3]
                + 19.84 * x[0] * x[0] * x[2]
        },
        limits: |x, g| {
            g[0] = 0.0193 * x[2] - x[0];
            g[1] = 0.009_54 * x[2] - x[1];
            g[2] = 1_296_000.0 - PI * x[2] * x[2] * x[3] - 4.0 / 3.0 * PI * x[2] * x[2] * x[2];
            g[3] = x[3] - 240.0;
        },
    },
    Design {
        entry: row!(
            "speed_reducer",
            "Speed reducer (penalised)",
            7,
            "0.7854 b m^2 (3.3333 z^2 + 14.9334 z - 43.0934) - 1.508 b (d1^2 + d2^2) + 7.4777 (d1^3 + d2^3) + 0.7854 (l1 d1^2 + l2 d2^2), 11 constraints",
            "Golinski (1970), Optimal synthesis problems solved by means of nonlinear programming and random methods",
            "weight of a gear box; the number of teeth is continuous here and ends at its bound, 17",
            &[(2.6, 3.6), (0.7, 0.8), (17.0, 28.0), (7.3, 8.3), (7.3, 8.3), (2.9, 3.9), (5.0, 5.5)]
        ),
        variables: &[
            quantity("width of the face b", "cm"),
            quantity("module of the teeth m", "cm"),
            quantity("teeth of the pinion z", ""),
            quantity("length of the first shaft l1", "cm"),
            quantity("length of the second shaft l2", "cm"),
            quantity("diameter of the first shaft d1", "cm"),
            quantity("diameter of the second shaft d2", "cm"),
        ],
        cost: quantity("weight", "kg"),
        constraints: &[
            limit("bending stress of the teeth", 1.0),
            limit("contact stress of the teeth", 1.0),
            limit("deflection of the first shaft", 1.0),
            limit("deflection of the second shaft", 1.0),
            limit("stress of the first shaft", 1.0),
            limit("stress of the second shaft", 1.0),
            limit("module times teeth", 1.0),
            limit("face wide enough for the module", 1.0),
            limit("face not too wide for the module", 1.0),
            limit("first shaft long enough", 1.0),
            limit("second shaft long enough", 1.0),
        ],
        penalty: 30_000.0,
        best_point: &[3.5, 0.7, 17.0, 7.3, 7.715_319_911_478_245, 3.350_214_666_095_410_6, 5.286_654_464_980_222],
        best_cost: 2_994.471_066_146_555_6,
        printed: (
            "2994.471066",
            "Zhang, Luo, Wang (2008), Differential evolution with dynamic stochastic selection for constrained optimization",
        ),
        objective: |x| {
            FOUR_DIGITS * x[0] * x[1] * x[1] * (3.3333 * x[2] * x[2] + 14.9334 * x[2] - 43.0934)
                - 1.508 * x[0] * (x[5] * x[5] + x[6] * x[6])
                + 7.4777 * (x[5] * x[5] * x[5] + x[6] * x[6] * x[6])
                + FOUR_DIGITS * (x[3] * x[5] * x[5] + x[4] * x[6] * x[6])
        },
        limits: speed_reducer,
    },
    Design {
        entry: row!(
            "spring",
            "Tension/compression spring (penalised)",
            3,
            "(n + 2) D d^2, 4 constraints",
            "Arora (1989), Introduction to optimum design; Belegundu (1982)",
            "weight of a coil spring; deflection and shear stress bind at the best point",
            &[(0.05, 2.0), (0.25, 1.3), (2.0, 15.0)]
        ),
        variables: &[
            quantity("diameter of the wire d", "in"),
            quantity("diameter of the coil D", "in"),
            quantity("active coils n", ""),
        ],
        cost: quantity("weight", "lb (up to a factor)"),
        constraints: &[
            limit("deflection", 1.0),
            limit("shear stress", 1.0),
            limit("surge frequency", 1.0),
            limit("outer diameter", 1.0),
        ],
        penalty: 0.2,
        best_point: &[0.051_689_056_447_005_735, 0.356_717_628_275_350_25, 11.288_972_289_769_584],
        best_cost: 0.012_665_232_788_169_506,
        printed: (
            "0.012665",
            "Coello Coello, Mezura-Montes (2002), Constraint-handling in genetic algorithms through dominance-based tournament selection",
        ),
        objective: |x| (x[2] + 2.0) * x[1] * x[0] * x[0],
        limits: |x, g| {
            let (d, coil, n) = (x[0], x[1], x[2]);
            let (d2, coil2) = (d * d, coil * coil);
            g[0] = 1.0 - coil2 * coil * n / (71_785.0 * d2 * d2);
            g[1] = (4.0 * coil2 - d * coil) / (12_566.0 * (coil * d2 * d - d2 * d2)) + 1.0 / (5_108.0 * d2) - 1.0;
            g[2] = 1.0 - 140.45 * d / (coil2 * n);
            g[3] = (d + coil) / 1.5 - 1.0;
        },
    },
    Design {
        entry: row!(
            "himmelblau_nonlinear",
            "Himmelblau's nonlinear problem (penalised)",
            5,
            "5.3578547 x_3^2 + 0.8356891 x_1 x_5 + 37.293239 x_1 - 40792.141, 6 constraints",
            "Himmelblau (1972), Applied nonlinear programming; g04 of CEC 2006",
            "a quadratic cost between quadratic bounds, 0 to 92, 90 to 110 and 20 to 25",
            &[(78.0, 102.0), (33.0, 45.0), (27.0, 45.0), (27.0, 45.0), (27.0, 45.0)]
        ),
        variables: &[
            quantity("x_1", ""),
            quantity("x_2", ""),
            quantity("x_3", ""),
            quantity("x_4", ""),
            quantity("x_5", ""),
        ],
        cost: quantity("cost", ""),
        constraints: &[
            limit("u at most 92", 92.0),
            limit("u at least 0", 92.0),
            limit("v at most 110", 110.0),
            limit("v at least 90", 90.0),
            limit("w at most 25", 25.0),
            limit("w at least 20", 20.0),
        ],
        penalty: 300_000.0,
        best_point: &[78.0, 33.0, 29.995_256_025_681_6, 45.0, 36.775_812_905_788_21],
        best_cost: -30_665.538_671_783_317,
        printed: (
            "-30665.538671783",
            "Liang, Runarsson, Mezura-Montes, Clerc, Suganthan, Coello Coello, Deb (2006), Problem definitions for CEC 2006",
        ),
        objective: |x| 5.357_854_7 * x[2] * x[2] + 0.835_689_1 * x[0] * x[4] + 37.293_239 * x[0] - 40_792.141,
        limits: |x, g| {
            let u = 85.334_407 + 0.005_685_8 * x[1] * x[4] + 0.000_626_2 * x[0] * x[3] - 0.002_205_3 * x[2] * x[4];
            let v = 80.512_49 + 0.007_131_7 * x[1] * x[4] + 0.002_995_5 * x[0] * x[1] + 0.002_181_3 * x[2] * x[2];
            let w = 9.300_961 + 0.004_702_6 * x[2] * x[4] + 0.001_254_7 * x[0] * x[2] + 0.001_908_5 * x[2] * x[3];
            g.copy_from_slice(&[u - 92.0, -u, v - 110.0, 90.0 - v, w - 25.0, 20.0 - w]);
        },
    },
];

/// A load of 6000 lb at 14 in from the wall; steel of E = 30e6 and G = 12e6 psi.
fn welded_beam(x: &[f64], g: &mut [f64]) {
    let (h, l, t, b) = (x[0], x[1], x[2], x[3]);
    let (load, reach, young) = (6_000.0, 14.0, 30e6);
    let half = 0.5 * (h + t);
    let primary = load / (SQRT_2 * h * l);
    let radius = (0.25 * l * l + half * half).sqrt();
    let inertia = 2.0 * SQRT_2 * h * l * (l * l / 12.0 + half * half);
    let secondary = load * (reach + 0.5 * l) * radius / inertia;
    let shear = (primary * primary + primary * secondary * l / radius + secondary * secondary).sqrt();
    let bending = 6.0 * load * reach / (b * t * t);
    let deflection = 4.0 * load * reach * reach * reach / (young * t * t * t * b);
    // E / (4 G) under the root.
    let buckling =
        4.013 * young * (t * b * b * b / 6.0) / (reach * reach) * (1.0 - t / (2.0 * reach) * (young / 48e6).sqrt());
    g[0] = shear - 13_600.0;
    g[1] = bending - 30_000.0;
    g[2] = h - b;
    g[3] = 0.104_71 * h * h + 0.048_11 * t * b * (14.0 + l) - 5.0;
    g[4] = 0.125 - h;
    g[5] = deflection - 0.25;
    g[6] = load - buckling;
}

fn speed_reducer(x: &[f64], g: &mut [f64]) {
    let (b, m, z, l1, l2, d1, d2) = (x[0], x[1], x[2], x[3], x[4], x[5], x[6]);
    let stress = |l: f64, torque: f64| {
        let bend = 745.0 * l / (m * z);
        (bend * bend + torque).sqrt()
    };
    g[0] = 27.0 / (b * m * m * z) - 1.0;
    g[1] = 397.5 / (b * m * m * z * z) - 1.0;
    g[2] = 1.93 * l1 * l1 * l1 / (m * d1 * d1 * d1 * d1 * z) - 1.0;
    g[3] = 1.93 * l2 * l2 * l2 / (m * d2 * d2 * d2 * d2 * z) - 1.0;
    g[4] = stress(l1, 16.9e6) / (110.0 * d1 * d1 * d1) - 1.0;
    g[5] = stress(l2, 157.5e6) / (85.0 * d2 * d2 * d2) - 1.0;
    g[6] = m * z / 40.0 - 1.0;
    g[7] = 5.0 * m / b - 1.0;
    g[8] = b / (12.0 * m) - 1.0;
    g[9] = (1.5 * d1 + 1.9) / l1 - 1.0;
    g[10] = (1.1 * d2 + 1.9) / l2 - 1.0;
}

/// The design of that name. An unknown name's error suggests the nearest.
///
/// ```
/// let vessel = swarmgrad_problems::design("pressure_vessel")?;
/// assert_eq!(vessel.variables[2].unit, "in");
/// assert!((vessel.objective(vessel.best_point) - 5885.3328).abs() < 1e-4);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn design(name: &str) -> Result<&'static Design> {
    let found = DESIGNS.iter().find(|design| design.entry.name == name);
    found.ok_or_else(|| Error::unknown("design", name, DESIGNS.iter().map(|design| design.entry.name)))
}
