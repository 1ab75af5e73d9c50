//! The designs against values computed with forty digits, and at the best points that are known.

use serde::Deserialize;
use std::fs;
use swarmgrad_core::Rng;
use swarmgrad_problems::{DESIGNS, Design, design, entry};

#[derive(Deserialize)]
struct Reference {
    name: String,
    lower: Vec<f64>,
    upper: Vec<f64>,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    x: Vec<f64>,
    f: f64,
    g: Vec<f64>,
}

/// Twenty points in the box of each design; its formulas evaluated with 40 decimal digits and rounded once.
fn reference() -> Vec<Reference> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/design.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn costs_and_constraints_agree_with_forty_digits() {
    let cases = reference();
    assert_eq!(cases.len(), DESIGNS.len());
    let mut worst: f64 = 0.0;
    for case in cases {
        let design = design(&case.name).unwrap();
        let space = design.entry.space::<f64>(case.lower.len()).unwrap();
        assert_eq!((space.lower(), space.upper()), (&case.lower[..], &case.upper[..]), "{}", case.name);
        assert_eq!(case.points.len(), 20);
        for point in case.points {
            let mut agree = |what: &str, found: f64, wanted: f64| {
                let gap = (found - wanted).abs() / wanted.abs().max(1.0);
                worst = worst.max(gap);
                assert!(gap < 1e-12, "{}, {what} at {:?}: {found}, not {wanted}", case.name, point.x);
            };
            agree("cost", design.objective(&point.x), point.f);
            let limits = design.limits(&point.x);
            assert_eq!(limits.len(), point.g.len());
            for ((constraint, found), wanted) in design.constraints.iter().zip(limits).zip(&point.g) {
                agree(constraint.name, found, *wanted);
            }
        }
    }
    println!("designs: largest relative difference {worst:.1e}");
}

#[test]
fn best_points_are_feasible_and_cost_what_is_printed() {
    for design in DESIGNS {
        let name = design.entry.name;
        let (x, space) = (design.best_point, design.entry.space::<f64>(design.variables.len()).unwrap());
        assert!(space.contains(x), "{name}");
        let mut binding = 0;
        for (g, constraint) in design.limits(x).iter().zip(design.constraints) {
            assert!(*g <= 1e-10 * constraint.scale, "{name}: {} exceeded by {g}", constraint.name);
            binding += i32::from(*g > -1e-6 * constraint.scale);
        }
        assert!(binding > 0, "{name}: the best point is inside");
        let cost = design.objective(x);
        assert!((cost / design.best_cost - 1.0).abs() < 1e-14, "{name}: {cost}");
        // To the digits printed.
        let digits = design.printed.0.split_once('.').map_or(0, |(_, digits)| digits.len());
        assert_eq!(format!("{cost:.digits$}"), design.printed.0, "{name}");
        assert!(!design.printed.1.is_empty());
        assert!(design.variables.iter().all(|v| !v.name.is_empty()) && !design.cost.name.is_empty());
    }
}

/// The weight exceeds every multiplier: near the best point and in the whole box nothing costs less.
#[test]
fn the_penalty_is_exact() {
    for design in DESIGNS {
        let (name, best) = (design.entry.name, design.best_point);
        let space = design.entry.space::<f64>(best.len()).unwrap();
        let rng = Rng::new(11).fork("points");
        let (mut cheaper, mut least) = (0, f64::INFINITY);
        for i in 0..200_000 {
            let mut x = vec![0.0; best.len()];
            rng.row(i).fill_uniform(&mut x);
            let scale = 10f64.powi(-(i as i32 % 8));
            for (j, t) in x.iter_mut().enumerate() {
                let to = space.lower()[j] + *t * space.width(j);
                *t = best[j] + scale * (to - best[j]);
            }
            cheaper += i32::from(design.objective(&x) < design.best_cost);
            least = least.min(design.penalised(&x, design.penalty));
        }
        let slack = 1e-9 * design.best_cost.abs();
        assert!(least >= design.best_cost - slack, "{name}: {least} is below {}", design.best_cost);
        assert!(cheaper > 100, "{name}: only {cheaper} points were cheaper without the penalty");
    }
}

#[test]
fn designs_are_problems_by_name_and_penalise_what_they_say() {
    let beam = entry("welded_beam").unwrap().build::<f64>(4, None).unwrap();
    let design: &Design = design("welded_beam").unwrap();
    let inside = [0.25, 4.0, 9.0, 0.25];
    assert!(design.limits(&inside).iter().all(|g| *g <= 0.0));
    assert_eq!(beam.value(&inside), design.objective(&inside));
    let outside = [0.3, 4.0, 9.0, 0.25]; // a weld thicker than the beam, by 0.05 in
    let violated: Vec<_> =
        design.limits(&outside).into_iter().zip(design.constraints).filter(|(g, _)| *g > 0.0).collect();
    assert_eq!((violated.len(), violated[0].1.name), (1, "weld no thicker than the beam"));
    let gap = beam.value(&outside) - (design.objective(&outside) + 20.0 * 0.05);
    assert!(gap.abs() < 1e-12, "{gap}");
    assert!((design.penalised(&outside, 3.0) - design.objective(&outside) - 3.0 * 0.05).abs() < 1e-12);
    assert!(beam.value(&[f64::NAN, 4.0, 9.0, 0.25]).is_nan());
    assert!(design.variables.iter().all(|variable| variable.unit == "in"));
    let unknown = swarmgrad_problems::design("welded_bean").unwrap_err().to_string();
    assert_eq!(unknown, "unknown design 'welded_bean', did you mean 'welded_beam'?");
}
