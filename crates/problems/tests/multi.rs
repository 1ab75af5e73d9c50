//! Problems of several objectives against values that a second program computed with 40 decimal digits (reference/multi.py).

use serde::Deserialize;
use swarmgrad_core::{Aim, Rng, violation};
use swarmgrad_problems::{Entry, MULTI, bbob, entry, known_front, reference_point, usual_dim};

#[derive(Deserialize)]
struct Case {
    name: String,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    x: Vec<f64>,
    f: Vec<f64>,
    c: Vec<f64>,
}

/// The problems with a row of their own, without the pairs of BBOB.
fn rows() -> impl Iterator<Item = &'static Entry> {
    MULTI.iter().filter(|entry| !entry.name.starts_with("bbob"))
}

#[test]
fn objectives_and_constraints_are_those_of_the_reference() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("reference/multi.json")).unwrap();
    assert_eq!(cases.len(), rows().count());
    for case in cases {
        let entry = entry(&case.name).unwrap();
        for point in &case.points {
            let problem = entry.build::<f64>(point.x.len(), None).unwrap();
            let found = problem.evaluate(&point.x);
            assert_eq!((found.parts.len(), found.constraints.len()), (point.f.len(), point.c.len()), "{entry}");
            assert_eq!(found.value, found.parts[0]);
            assert!(problem.space().contains(&point.x), "{entry}");
            let pairs = found.parts.iter().zip(&point.f).chain(found.constraints.iter().zip(&point.c));
            for (i, (a, b)) in pairs.enumerate() {
                assert!((a - b).abs() <= 1e-11 * b.abs().max(1.0), "{entry} {i} at {:?}: {a} {b}", point.x);
            }
        }
    }
}

#[test]
fn known_fronts_are_fronts_and_end_a_tenth_before_the_reference_point() {
    for entry in rows().filter(|entry| entry.name != "osy") {
        let front = known_front(entry, 400).unwrap();
        assert!(front.len() > 100, "{entry}: {}", front.len());
        let reference = reference_point(entry, 30).unwrap();
        for a in &front {
            let better = |b: &&Vec<f64>| b != &a && b.iter().zip(a).all(|(s, t)| s < t);
            assert_eq!(front.iter().find(better), None, "{entry}: {a:?}");
        }
        for (k, reference) in reference.iter().enumerate() {
            let values = || front.iter().map(|f| f[k]);
            let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
            let beyond = (reference - high) / (high - low);
            assert!((0.085..0.115).contains(&beyond), "{entry}, objective {}: {low} {high} {reference}", k + 1);
        }
    }
}

/// No feasible point that is drawn at random lies before the front.
#[test]
fn nothing_lies_before_a_known_front() {
    let rng = Rng::new(4);
    for entry in rows().filter(|entry| entry.name != "osy") {
        let front = known_front(entry, 2_000).unwrap();
        let problem = entry.build::<f64>(usual_dim(entry).unwrap(), None).unwrap();
        let (lower, upper) = (problem.space().lower(), problem.space().upper());
        let mut feasible = 0;
        for i in 0..3_000 {
            let mut draws = rng.row(i);
            // Near the bounds of all variables but the first, where most fronts are.
            let pull = draws.below(5) as i32;
            let x: Vec<f64> = (0..lower.len())
                .map(|j| {
                    let u = draws.uniform();
                    let u = if j > 1 && pull > 0 { u.powi(4 * pull) } else { u };
                    lower[j] + u * (upper[j] - lower[j])
                })
                .collect();
            let found = problem.evaluate(&x);
            if violation(problem.constraints(), &found.constraints) > 0.0 {
                continue;
            }
            feasible += 1;
            // Sampled fronts leave gaps.
            let clearly =
                |wanted: &Vec<f64>| found.parts.iter().zip(wanted).all(|(a, b)| *a < b - 0.06 * b.abs().max(0.5));
            assert!(!front.iter().any(clearly), "{entry}: {:?} at {x:?}", found.parts);
        }
        assert!(feasible > 50, "{entry}: {feasible}");
    }
}

#[test]
fn pairs_are_pairs_of_the_functions_of_bbob() {
    assert_eq!(MULTI.len(), 16 + 55);
    // Pair 4 is f1 with f8, pair 55 f21 with itself.
    for (name, [first, second], instance) in [("bbob_biobj/f4", [1, 8], 1), ("bbob_biobj/f55/i3", [21, 21], 3)] {
        let row = entry(name).unwrap();
        let problem = row.build::<f64>(5, None).unwrap();
        let single = |function, k| bbob(function, k).unwrap().build::<f64>(5, None).unwrap();
        let (a, b) = (single(first, 2 * instance + 1), single(second, 2 * instance + 2));
        let x = [0.5, -1.0, 2.0, 0.0, 4.5];
        assert_eq!(problem.evaluate(&x).parts, [a.value(&x), b.value(&x)]);
        assert_eq!(problem.aim(), &Aim::Objectives(vec!["f1".into(), "f2".into()]));
        let reference = reference_point(&row, 5).unwrap();
        let worst = a.value(&b.minimizers()[0]);
        assert_eq!(reference[0], worst + 0.1 * (worst - a.minimum().unwrap()));
    }
    assert!(entry("bbob_biobj/f56").is_err());
    assert!(entry("bbob_biobj/f1/i18446744073709551615").is_err());
}
