//! Two objectives under constraints c <= 0: BNH, SRN, TNK and OSY.

use super::{Row, evenly, undominated};
use crate::entry::{Dims, entry};
use std::f64::consts::{FRAC_PI_2, PI};
use swarmgrad_core::math::{cos, sin};

pub(super) const ROWS: &[Row] = &[
    Row {
        entry: entry!(
            "bnh",
            "BNH",
            "4 x1^2 + 4 x2^2, (x1 - 5)^2 + (x2 - 5)^2; (x1 - 5)^2 + x2^2 <= 25, (x1 - 8)^2 + (x2 + 3)^2 >= 7.7",
            "Binh, Korn (1997), MOBES: a multiobjective evolution strategy for constrained optimization problems",
            "constraints that hardly bind",
            Dims::Exactly(2),
            &[(0.0, 5.0), (0.0, 3.0)]
        ),
        usual: 2,
        objectives: 2,
        constraints: 2,
        evaluate: |x, f, c| {
            let square = |t: f64| t * t;
            f[0] = 4.0 * square(x[0]) + 4.0 * square(x[1]);
            f[1] = square(x[0] - 5.0) + square(x[1] - 5.0);
            c[0] = square(x[0] - 5.0) + square(x[1]) - 25.0;
            c[1] = 7.7 - square(x[0] - 8.0) - square(x[1] + 3.0);
        },
        // The front reaches from (0, 50) to (136, 4).
        reference: &[149.6, 54.6],
        front: Some(|n| {
            let point = |t: f64| {
                let (a, b) = (t, t.min(3.0));
                vec![4.0 * a * a + 4.0 * b * b, (a - 5.0) * (a - 5.0) + (b - 5.0) * (b - 5.0)]
            };
            evenly(0.0, 5.0, n).map(point).collect()
        }),
    },
    Row {
        entry: entry!(
            "srn",
            "SRN",
            "2 + (x1 - 2)^2 + (x2 - 1)^2, 9 x1 - (x2 - 1)^2; x1^2 + x2^2 <= 225, x1 - 3 x2 + 10 <= 0",
            "Srinivas, Deb (1994), Multiobjective optimization using nondominated sorting in genetic algorithms",
            "a front along two constraints and between them",
            Dims::Exactly(2),
            &[(-20.0, 20.0)]
        ),
        usual: 2,
        objectives: 2,
        constraints: 2,
        evaluate: |x, f, c| {
            f.copy_from_slice(&srn(x[0], x[1]));
            c[0] = x[0] * x[0] + x[1] * x[1] - 225.0;
            c[1] = x[0] - 3.0 * x[1] + 10.0;
        },
        // The front reaches from (10.1, 2.61) to (222.9, -217.7).
        reference: &[244.2, 24.7],
        front: Some(|n| {
            // Along the line from where f1 is least, up at x1 = -5/2, then along the circle to where f2 is least.
            let line = evenly(3.7, 2.5, n / 3 + 1).map(|y| srn(3.0 * y - 10.0, y));
            let up = evenly(2.5, (225.0f64 - 6.25).sqrt(), n / 3 + 1).map(|y| srn(-2.5, y));
            let circle = evenly(-2.5, -5.0, n / 3 + 1).map(|x| srn(x, (225.0 - x * x).sqrt()));
            undominated(line.chain(up).chain(circle).map(|f| f.to_vec()).collect())
        }),
    },
    Row {
        entry: entry!(
            "tnk",
            "TNK",
            "x1, x2; x1^2 + x2^2 >= 1 + cos(16 atan(x1 / x2)) / 10, (x1 - 1/2)^2 + (x2 - 1/2)^2 <= 1/2",
            "Tanaka, Watanabe, Furukawa, Tanino (1995), GA-based decision support system for multicriteria optimization",
            "a front that is the wavy border of a constraint",
            Dims::Exactly(2),
            &[(0.0, PI)]
        ),
        usual: 2,
        objectives: 2,
        constraints: 2,
        evaluate: |x, f, c| {
            f.copy_from_slice(x);
            c[0] = 1.0 + 0.1 * wave(x[0], x[1]) - x[0] * x[0] - x[1] * x[1];
            c[1] = (x[0] - 0.5) * (x[0] - 0.5) + (x[1] - 0.5) * (x[1] - 0.5) - 0.5;
        },
        // The front reaches from (0.0417, 1.0384) to (1.0384, 0.0417).
        reference: &[1.138, 1.138],
        front: Some(|n| {
            let border = evenly(0.0, FRAC_PI_2, 2 * n).map(|a| {
                let radius = (1.0 + 0.1 * cos(16.0 * a)).sqrt();
                [radius * sin(a), radius * cos(a)]
            });
            let near = border.filter(|[a, b]| (a - 0.5) * (a - 0.5) + (b - 0.5) * (b - 0.5) <= 0.5);
            undominated(near.map(|f| f.to_vec()).collect())
        }),
    },
    Row {
        entry: entry!(
            "osy",
            "OSY",
            "-25 (x1 - 2)^2 - (x2 - 2)^2 - (x3 - 1)^2 - (x4 - 4)^2 - (x5 - 1)^2, sum x_j^2; 2 <= x1 + x2 <= 6, x2 - x1 <= 2, x1 - 3 x2 <= 2, (x3 - 3)^2 + x4 <= 4, (x5 - 3)^2 + x6 >= 4",
            "Osyczka, Kundu (1995), A new method to solve generalized multicriteria optimization problems using the simple genetic algorithm",
            "a front of five pieces, each along other constraints",
            Dims::Exactly(6),
            &[(0.0, 10.0), (0.0, 10.0), (1.0, 5.0), (0.0, 6.0), (1.0, 5.0), (0.0, 10.0)]
        ),
        usual: 6,
        objectives: 2,
        constraints: 6,
        evaluate: |x, f, c| {
            let square = |t: f64| t * t;
            f[0] = -25.0 * square(x[0] - 2.0)
                - square(x[1] - 2.0)
                - square(x[2] - 1.0)
                - square(x[3] - 4.0)
                - square(x[4] - 1.0);
            f[1] = x.iter().map(|t| t * t).sum();
            c[0] = 2.0 - x[0] - x[1];
            c[1] = x[0] + x[1] - 6.0;
            c[2] = x[1] - x[0] - 2.0;
            c[3] = x[0] - 3.0 * x[1] - 2.0;
            c[4] = square(x[2] - 3.0) + x[3] - 4.0;
            c[5] = 4.0 - square(x[4] - 3.0) - x[5];
        },
        // The front reaches from (-274, 76) to (-42, 4).
        reference: &[-18.8, 83.2],
        front: None,
    },
];

/// cos(16 a) of the angle a with tan a = x / y: four times doubled.
fn wave(x: f64, y: f64) -> f64 {
    let squared = x * x + y * y;
    if squared == 0.0 {
        return 1.0;
    }
    let doubled = |cosine: f64| 2.0 * cosine * cosine - 1.0;
    doubled(doubled(doubled(2.0 * (y * y / squared) - 1.0)))
}

fn srn(x: f64, y: f64) -> [f64; 2] {
    [2.0 + (x - 2.0) * (x - 2.0) + (y - 1.0) * (y - 1.0), 9.0 * x - (y - 1.0) * (y - 1.0)]
}
