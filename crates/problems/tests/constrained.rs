//! Constrained problems against values that a second program computed with 40 decimal digits (reference/constrained.json).

use serde::Deserialize;
use swarmgrad_core::{Relation, Space, violation};
use swarmgrad_problems::{CONSTRAINED, entry};

#[derive(Deserialize)]
struct Case {
    name: String,
    lower: Vec<f64>,
    upper: Vec<f64>,
    best_value: f64,
    best_point: Vec<f64>,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    x: Vec<f64>,
    f: f64,
    g: Vec<f64>,
    h: Vec<f64>,
}

fn name(short: &str) -> String {
    let suite = if short.starts_with('g') && short.len() == 3 { "cec2006" } else { "designs" };
    format!("{suite}/{short}")
}

#[test]
fn values_and_constraints_are_those_of_the_reference() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("reference/constrained.json")).unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let entry = entry(&name(&case.name)).unwrap();
        let problem = entry.build::<f64>(case.lower.len(), None).unwrap();
        let space = problem.space();
        assert_eq!((space.lower(), space.upper()), (&case.lower[..], &case.upper[..]), "{}", case.name);
        for point in &case.points {
            let found = problem.evaluate(&point.x);
            let wanted: Vec<f64> = point.g.iter().chain(&point.h).copied().collect();
            assert_eq!(found.constraints.len(), wanted.len(), "{}", case.name);
            assert_eq!(found.value, problem.value(&point.x));
            let all = std::iter::once((found.value, point.f)).chain(found.constraints.iter().copied().zip(wanted));
            for (i, (a, b)) in all.enumerate() {
                assert!((a - b).abs() <= 2e-12 * b.abs().max(1.0), "{} {i}: {a} {b}", case.name);
            }
        }
        // The reference meets its constraints to 1e-8 of the value.
        let best = problem.evaluate(&case.best_point);
        assert!((best.value - case.best_value).abs() <= 1e-9 * case.best_value.abs().max(1.0), "{}", case.name);
    }
}

#[test]
fn best_points_are_feasible_and_worth_what_is_said() {
    assert_eq!(CONSTRAINED.len(), 33 + 54);
    for entry in CONSTRAINED {
        let problem = entry.build::<f64>(entry.dims.least(), None).unwrap();
        let best = &problem.minimizers()[0];
        let found = problem.evaluate(best);
        let (minimum, size) = (problem.minimum().unwrap(), problem.minimum().unwrap().abs().max(1.0));
        // g17 has a jump at its best point; the least digits of the point decide on which side it is.
        assert!((found.value - minimum).abs() <= 2e-6 * size, "{entry}: {} {minimum}", found.value);
        for (constraint, c) in problem.constraints().iter().zip(&found.constraints) {
            let most = if constraint.relation() == Relation::Equal { 1.01e-4 } else { 2e-6 * size };
            assert!(constraint.excess(*c) <= most, "{entry} {constraint}: {c:e}");
        }
    }
}

#[test]
fn a_box_without_the_best_point_has_no_known_minimum() {
    let sphere = entry("cec2006/g01").unwrap();
    let problem = sphere.build(13, Some(Space::cube(13, 0.0, 0.5).unwrap())).unwrap();
    assert_eq!(problem.minimum(), None);
    assert!(violation(problem.constraints(), &problem.evaluate(&[0.0; 13]).constraints) == 0.0);
    assert!(entry("cec2006/g20").is_err());
}
