//! The mixed-integer suite against values of COCO's own program (`tests/reference/bbob_mixint.json.gz`: coco-experiment 2.8.2, 24
//! functions, 3 dimensions, instances 1 to 3, 20 points each).

use flate2::read::GzDecoder;
use serde::Deserialize;
use std::fs::File;
use swarmgrad_core::Typed;
use swarmgrad_problems::{TestProblem, bbob_mixint, entry};

#[derive(Deserialize)]
struct Case {
    function: usize,
    dimension: usize,
    instance: u64,
    n_integer: usize,
    upper_integer: Vec<i64>,
    best_value: f64,
    best_point: Vec<f64>,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    x: Vec<f64>,
    f: f64,
}

fn reference() -> Vec<Case> {
    let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/bbob_mixint.json.gz")).unwrap();
    serde_json::from_reader(GzDecoder::new(file)).unwrap()
}

#[test]
fn values_are_those_of_coco() {
    let cases = reference();
    assert_eq!(cases.len(), 24 * 7);
    for case in &cases {
        let problem: Box<dyn TestProblem> =
            bbob_mixint(case.function, case.instance).unwrap().build(case.dimension, None).unwrap();
        let at = format!("f{} d={} i={}", case.function, case.dimension, case.instance);
        let space = problem.space();
        for (j, upper) in case.upper_integer.iter().enumerate() {
            assert_eq!(space.variables()[j].to_string(), format!("x{j}=int:0:{upper}"), "{at}");
        }
        assert!((case.n_integer..case.dimension).all(|j| space.is_continuous(j)), "{at}");
        for Point { x, f } in &case.points {
            let value = problem.value(x);
            let scale = f.abs().max(case.best_value.abs());
            assert!((value - f).abs() <= 1e-11 * scale, "{at}: {value} and {f}");
        }
        let (best, minimum) = (&problem.minimizers()[0], problem.minimum().unwrap());
        assert!((minimum - case.best_value).abs() <= 1e-12 * case.best_value.abs(), "{at}: {minimum}");
        assert!((problem.value(best) - minimum).abs() <= 1e-8, "{at}: {}", problem.value(best));
        assert!(best.iter().zip(&case.best_point).all(|(a, b)| (a - b).abs() < 1e-9), "{at}: {best:?}");
    }
}

#[test]
fn names_lead_to_typed_problems() {
    let problem = entry("bbob_mixint/f8/i3").unwrap().build::<f64>(10, None).unwrap();
    assert_eq!(problem.entry().to_string(), "bbob_mixint/f8/i3");
    // Whatever lies in the cell of a number is that number.
    let x = problem.space().encode(&problem.space().decode(problem.space().lower())).unwrap();
    assert_eq!(problem.value(&x), problem.value(problem.space().lower()));
    assert_eq!(problem.space().decode(&x)[9], Typed::Number(-5.0));
    assert!(problem.value(&[f64::NAN; 10]).is_nan());
    let error = entry("bbob_mixint/f8").unwrap().build::<f64>(7, None).err().unwrap().to_string();
    assert!(error.contains("bbob_mixint/f8 needs one of [5, 10, 20, 40, 80, 160]"), "{error}");
    assert!(bbob_mixint(25, 1).is_err() && bbob_mixint(0, 1).is_err() && bbob_mixint(1, 0).is_err());
}
