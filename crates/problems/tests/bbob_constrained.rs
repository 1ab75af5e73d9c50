//! The constrained suite against values of COCO's own program (`tests/reference/bbob_constrained.json.gz`: coco-experiment 2.8.2, 54
//! functions; 2 and 5 variables, instances 1 and 2, and every third function in 10 variables, 3 points each).

use flate2::read::GzDecoder;
use serde::Deserialize;
use std::fs::File;
use swarmgrad_core::{Rng, Space, violation};
use swarmgrad_problems::{TestProblem, bbob_constrained, entry};

#[derive(Deserialize)]
struct Case {
    function: usize,
    dimension: usize,
    instance: u64,
    n_constraints: usize,
    best_value: f64,
    best_point: Vec<f64>,
    g_at_best: Vec<f64>,
    initial_feasible: Vec<f64>,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    x: Vec<f64>,
    f: f64,
    g: Vec<f64>,
}

fn reference() -> Vec<Case> {
    let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/bbob_constrained.json.gz")).unwrap();
    serde_json::from_reader(GzDecoder::new(file)).unwrap()
}

fn build(function: usize, instance: u64, dim: usize) -> Box<dyn TestProblem> {
    bbob_constrained(function, instance).unwrap().build(dim, None).unwrap()
}

/// The largest difference, over the size of the numbers.
fn off(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let size = wanted.iter().fold(1e-300, |size: f64, w| size.max(w.abs()));
    found.iter().zip(wanted).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
}

#[test]
fn values_and_constraints_are_those_of_coco() {
    let cases = reference();
    assert_eq!(cases.len(), 4 * 54 + 18);
    for case in &cases {
        let problem = build(case.function, case.instance, case.dimension);
        let at = format!("f{} d={} i={}", case.function, case.dimension, case.instance);
        assert_eq!(problem.constraints().len(), case.n_constraints, "{at}");
        assert!(problem.constraints().iter().all(|g| g.tolerance() == 0.0 && g.to_string().ends_with(" <= 0")), "{at}");
        for Point { x, f, g } in &case.points {
            let found = problem.evaluate(x);
            let scale = f.abs().max(case.best_value.abs());
            assert!((found.value - f).abs() <= 1e-11 * scale, "{at}: {} and {f}", found.value);
            assert_eq!(found.value.to_bits(), problem.value(x).to_bits(), "{at}");
            assert!(off(&found.constraints, g) <= 1e-11, "{at}: {:?} and {g:?}", found.constraints);
        }
        let (best, minimum) = (&problem.minimizers()[0], problem.minimum().unwrap());
        assert!(off(best, &case.best_point) <= 1e-15, "{at}: {best:?} and {:?}", case.best_point);
        assert!((minimum - case.best_value).abs() <= 1e-12 * case.best_value.abs(), "{at}: {minimum}");
        let found = problem.evaluate(best);
        assert_eq!((found.value, violation(problem.constraints(), &found.constraints)), (minimum, 0.0), "{at}");
        // The reference's best point is rounded.
        let near = found.constraints.iter().zip(&case.g_at_best).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0));
        assert!(near, "{at}: {:?}", found.constraints);
        let start = problem.start().unwrap();
        assert!(off(start, &case.initial_feasible) <= 1e-9, "{at}: {start:?} and {:?}", case.initial_feasible);
        assert_eq!(violation(problem.constraints(), &problem.evaluate(start).constraints), 0.0, "{at}");
    }
}

/// In dimensions and instances that the reference has not: a feasible start, and no feasible point below the minimum.
#[test]
fn the_minimum_is_not_beaten_by_feasible_points() {
    for function in 1..=54 {
        for (dim, instance) in [(2, 3), (3, 77), (7, 4), (40, 100_000)] {
            let problem = build(function, instance, dim);
            let at = format!("f{function} d={dim} i={instance}");
            let (best, minimum) = (&problem.minimizers()[0], problem.minimum().unwrap());
            let feasible = |x: &[f64]| {
                let found = problem.evaluate(x);
                (violation(problem.constraints(), &found.constraints) == 0.0).then_some(found.value)
            };
            assert_eq!(feasible(best), Some(minimum), "{at}");
            let start = problem.start().unwrap();
            let above = feasible(start).unwrap() - minimum;
            assert!((1.0..1e6).contains(&above), "{at}: the start is {above} above the minimum");
            let mut x = vec![0.0; dim];
            for k in 0..400 {
                Rng::new(9).row(k).fill_uniform(&mut x);
                // From the best point and from the way to the start, closer and closer.
                let (scale, share) = (0.25f64.powi(k as i32 % 12), if k % 2 == 0 { 0.0 } else { 0.7 });
                for (j, t) in x.iter_mut().enumerate() {
                    *t = best[j] + scale * (share * (start[j] - best[j]) + 2.0 * *t - 1.0);
                }
                if let Some(value) = feasible(&x) {
                    assert!(value >= minimum - 1e-9 * minimum.abs().max(1.0), "{at}: {value} below {minimum}");
                }
            }
        }
    }
}

#[test]
fn names_lead_to_constrained_problems() {
    let problem = entry("bbob_constrained/f54/i3").unwrap().build::<f64>(10, None).unwrap();
    assert_eq!(problem.entry().to_string(), "bbob_constrained/f54/i3");
    // 6 + 3d active and half as many others.
    assert_eq!(problem.constraints().len(), 36 + 18);
    let nothing = problem.evaluate(&[f64::NAN; 10]);
    assert!(nothing.value.is_nan() && violation(problem.constraints(), &nothing.constraints) == f64::INFINITY);
    // A box without the start and the best point has none of them.
    let away = entry("bbob_constrained/f1").unwrap().build(2, Some(Space::cube(2, 8.0, 9.0).unwrap())).unwrap();
    assert!(away.start().is_none() && away.minimum().is_none());
    assert!(entry("sphere").unwrap().build::<f64>(2, None).unwrap().start().is_none());
    let error = entry("bbob_constrained/f1").unwrap().build::<f64>(1, None).err().unwrap().to_string();
    assert!(error.contains("bbob_constrained/f1 needs at least 2"), "{error}");
    assert!(bbob_constrained(55, 1).is_err() && bbob_constrained(0, 1).is_err());
    assert!(bbob_constrained(1, 0).is_err() && bbob_constrained(1, 100_001).is_err());
}
