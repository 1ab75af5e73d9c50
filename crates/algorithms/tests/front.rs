//! Methods of several objectives: what their fronts are worth, and that nothing that is worse, infeasible or failed stands in them.

use swarmgrad_algorithms::front::{covers, hypervolume};
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::registry::entry;
use swarmgrad_core::{
    Algorithm, Evaluations, Found, Kind, Matrix, Problem, Real, Run, Space, VectorFunction, violation,
};
use swarmgrad_problems::{known_front, reference_point};

const METHODS: [&str; 3] = ["nsga2", "sms_emoa", "mo_cbo"];

fn front<F: Real>(problem: &dyn Problem<F>, name: &str, evaluations: u64, seed: u64) -> Vec<Found<F>> {
    let mut method = entry(name).unwrap().build::<F>(problem.space(), Some(evaluations), &Settings::new()).unwrap();
    let outcome = Run::new(problem, &mut *method, seed).watch(&mut Evaluations(evaluations)).minimize();
    let solutions = outcome.solutions.unwrap();
    assert_eq!((solutions.kind, outcome.nfev), (Kind::Front, evaluations), "{name}");
    solutions.points
}

fn volume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let mut rows = Matrix::empty(reference.len());
    points.iter().for_each(|f| rows.push(f));
    hypervolume(rows.rows(), reference)
}

/// The share of the known front's volume.
fn share(name: &str, dim: usize, method: &str, evaluations: u64) -> f64 {
    let row = swarmgrad_problems::entry(name).unwrap();
    let problem = row.build::<f64>(dim, None).unwrap();
    let found = front(&*problem, method, evaluations, 3);
    let parts: Vec<Vec<f64>> = found.iter().map(|point| point.parts.clone()).collect();
    assert!((2..=100).contains(&parts.len()), "{method} on {name}: {} points", parts.len());
    for (i, point) in found.iter().enumerate() {
        let again = problem.evaluate(&point.x);
        assert_eq!((&again.parts, point.value), (&point.parts, point.parts[0]), "{method} on {name}");
        assert_eq!(violation(problem.constraints(), &again.constraints), 0.0, "{method} on {name}");
        let better = |(j, other): (usize, &Vec<f64>)| j != i && covers(other, &point.parts);
        assert!(!parts.iter().enumerate().any(better), "{method} on {name}");
    }
    let reference = reference_point(&row, dim).unwrap();
    let share = volume(&parts, &reference) / volume(&known_front(&row, 2_000).unwrap(), &reference);
    assert!(share <= 1.0 + 1e-9, "{method} on {name}: {share}");
    share
}

#[test]
fn fronts_are_found() {
    // A line and a sphere of objectives, and two constraints that make the front.
    for (problem, dim, least) in
        [("zdt1", 8, [0.98, 0.98, 0.0]), ("dtlz2", 6, [0.90, 0.93, 0.5]), ("tnk", 2, [0.95, 0.95, 0.8])]
    {
        for (method, least) in METHODS.iter().zip(least) {
            let found = share(problem, dim, method, 6_000);
            assert!(found >= least, "{method} on {problem}: {found}");
        }
    }
}

#[test]
fn what_fails_is_in_no_front_and_single_precision_works() {
    let space = Space::<f32>::cube(2, 0.0, 1.0).unwrap();
    let problem = VectorFunction::objectives(space, &["a", "b"], |x: &[f32], f: &mut [f32]| {
        f[0] = x[0] + x[1];
        // Where both would be best nothing is known.
        f[1] = if x[0] < 0.25 { f32::NAN } else { 1.0 - x[0] + x[1] };
    });
    for name in METHODS {
        let found = front(&problem, name, 1_500, 1);
        assert!(found.len() > 3 && found.iter().all(|point| point.x[0] >= 0.25), "{name}");
        assert!(found.iter().any(|point| point.parts[0] < 0.35), "{name}");
    }
}

#[test]
fn a_saved_method_goes_on_with_its_front() {
    let row = swarmgrad_problems::entry("osy").unwrap();
    let problem = row.build::<f64>(6, None).unwrap();
    for name in METHODS {
        let row = entry(name).unwrap();
        let build = || row.build::<f64>(problem.space(), None, &Settings::new()).unwrap();
        let go = |method: &mut dyn Algorithm, rounds: std::ops::Range<u64>| {
            method.expect_aim(problem.aim());
            method.expect_constraints(problem.constraints());
            let mut xs = Matrix::default();
            for round in rounds {
                method.ask(&swarmgrad_core::Rng::new(5).at(round), &mut xs);
                let found: Vec<_> = xs.iter().map(|x| problem.evaluate(x)).collect();
                let rows = |dim, of: fn(&swarmgrad_core::Evaluation) -> &Vec<f64>| {
                    Matrix::from_vec(dim, found.iter().flat_map(|e| of(e).clone()).collect()).unwrap()
                };
                method.tell_parts(&rows(2, |e| &e.parts));
                method.tell_constraints(&rows(6, |e| &e.constraints));
                method.tell(&mut xs, &found.iter().map(|e| e.cost()).collect::<Vec<_>>());
            }
        };
        let mut whole = build();
        go(&mut *whole, 0..40);
        let mut first = build();
        go(&mut *first, 0..17);
        let mut bytes = Vec::new();
        first.save(&mut bytes).unwrap();
        let mut second = row.load::<f64>(&bytes).unwrap();
        go(&mut *second, 17..40);
        assert_eq!(whole.solutions(), second.solutions(), "{name}");
        let [mut a, mut b] = [Vec::new(), Vec::new()];
        whole.save(&mut a).and_then(|()| second.save(&mut b)).unwrap();
        assert!(a == b, "{name}");
    }
}
