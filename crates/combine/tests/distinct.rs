//! Points that mean the same are evaluated once, by every method and after a reload, and the method ends where nothing is new.

use std::collections::BTreeSet;
use std::sync::Mutex;
use swarmgrad_combine::distinct::Distinct;
use swarmgrad_combine::registry::{self, Settings};
use swarmgrad_core::{Algorithm, Evaluations, Function, Matrix, Reason, Rng, Run, Space, Variable, View};

fn space(texts: &[&str]) -> Space {
    Space::of(texts.iter().map(|text| Variable::parse(text).unwrap()).collect()).unwrap()
}

fn method(name: &str, space: &Space) -> Distinct {
    Distinct::new(registry::entry(name).unwrap().build(space, Some(400), &Settings::default()).unwrap(), space.clone())
}

/// The least value of (n - 5)^2 + (4 k)^2 + [act is not b] is 0.
fn value(n: &[f64]) -> f64 {
    (n[0] - 5.0).powi(2) + 16.0 * n[1] * n[1] + f64::from(u8::from(n[2] != 1.0))
}

#[test]
fn no_meaning_is_paid_twice_by_any_method() {
    let space = space(&["n=int:0:30", "k=int:-9:9", "act=choice:a,b,c"]);
    for name in ["de", "pso", "cma_es", "ga", "auto", "quasi_newton", "nelder_mead", "random_search", "lshade"] {
        let seen = Mutex::new(BTreeSet::new());
        let problem = Function::new(space.clone(), |n: &[f64]| {
            let fresh = seen.lock().unwrap().insert(format!("{n:?}"));
            assert!(fresh, "{name} pays for {n:?} twice");
            value(n)
        });
        let mut distinct = method(name, &space);
        let outcome = Run::new(&problem, &mut distinct, 3).watch(&mut Evaluations(400)).minimize();
        let paid = seen.lock().unwrap().len() as u64;
        assert_eq!(outcome.nfev, paid, "{name}");
        println!("{name}: {} after {paid}, {}", outcome.fun, outcome.reason);
        assert_eq!(outcome.fun, value(&space.numbers(&outcome.x)), "{name}");
    }
}

#[test]
fn a_grid_smaller_than_the_budget_is_evaluated_whole_and_the_run_ends() {
    let space = space(&["n=int:0:6", "b=flag", "c=choice:x,y,z"]);
    let problem = Function::new(space.clone(), |n: &[f64]| (n[0] - 4.0).abs() + n[1] + (n[2] - 2.0).abs());
    let mut distinct = method("random_search", &space);
    let outcome = Run::new(&problem, &mut distinct, 1).watch(&mut Evaluations(100_000)).minimize();
    assert_eq!((outcome.fun, outcome.nfev), (0.0, 42));
    assert_eq!(outcome.reason, Reason::Method("all 42 points have been evaluated".into()));
    assert!(outcome.explanation.unwrap().ends_with("points asked for were known and cost nothing"));
}

/// Asks and tells by hand; returns the values that were told.
fn drive(distinct: &mut Distinct, rng: &Rng, space: &Space, rounds: std::ops::Range<u64>) -> Vec<f64> {
    let (mut xs, mut told) = (Matrix::default(), Vec::new());
    for round in rounds {
        distinct.ask(&rng.at(round), &mut xs);
        let values: Vec<f64> = xs.iter().map(|x| value(&space.numbers(x))).collect();
        told.extend(&values);
        distinct.tell(&mut xs, &values);
    }
    told
}

#[test]
fn a_loaded_memory_goes_on_to_the_same_bits() {
    let (space, rng) = (space(&["n=int:0:3000", "k=int:-90:90", "act=choice:a,b,c"]), Rng::new(9));
    for name in ["de", "cma_es"] {
        let mut whole = method(name, &space);
        drive(&mut whole, &rng, &space, 0..5);
        let mut bytes = Vec::new();
        whole.save(&mut bytes).unwrap();
        let entry = registry::entry(name).unwrap();
        let mut loaded = Distinct::load(space.clone(), &bytes, |state| entry.load(state)).unwrap();
        assert_eq!(drive(&mut loaded, &rng, &space, 5..12), drive(&mut whole, &rng, &space, 5..12), "{name}");
        let other = self::space(&["n=int:0:3"]);
        assert!(Distinct::load(other, &bytes, |state| entry.load(state)).is_err());
        assert!(Distinct::load(space.clone(), &bytes[..20], |state| entry.load(state)).is_err());
    }
}

#[test]
fn a_method_that_asks_for_nothing_new_ends() {
    /// Asks for the same point for ever.
    struct Stuck(u64);
    impl Algorithm for Stuck {
        fn ask(&mut self, _: &Rng, xs: &mut Matrix) {
            xs.resize(0, 1);
            xs.push(&[1.2]);
        }
        fn tell(&mut self, _: &mut Matrix, values: &[f64]) {
            assert_eq!(values, [7.0]);
            self.0 += 1;
        }
        fn answer(&self) -> Vec<f64> {
            vec![1.0]
        }
        fn iterations(&self) -> u64 {
            self.0
        }
        fn view(&self) -> View<'_> {
            View::default()
        }
        fn save(&self, _: &mut Vec<u8>) -> swarmgrad_core::Result<()> {
            Ok(())
        }
    }
    let space = space(&["n=int:0:9"]);
    let problem = Function::new(space.clone(), |_: &[f64]| 7.0);
    let mut distinct = Distinct::new(Box::new(Stuck(0)), space);
    let outcome = Run::new(&problem, &mut distinct, 1).watch(&mut Evaluations(50)).minimize();
    assert_eq!(outcome.nfev, 1);
    assert!(outcome.reason.to_string().contains("rounds in a row asked for points that are known"));
}
