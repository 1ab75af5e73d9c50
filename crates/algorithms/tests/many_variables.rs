//! Local searches of many variables: a round has as many points as memory bears, and what they find is the same.

use swarmgrad_algorithms::registry::entry;
use swarmgrad_core::{Matrix, Rng, Space};

/// Minimises with a method for so many evaluations; the best value and the points of the largest round.
fn minimize(method: &str, space: &Space<f64>, f: impl Fn(&[f64]) -> f64, budget: usize) -> (f64, usize) {
    let mut method = entry(method).unwrap().build(space, None, &Default::default()).unwrap();
    let (mut xs, mut best, mut spent, mut most) = (Matrix::default(), f64::INFINITY, 0, 0);
    for round in 0.. {
        method.ask(&Rng::new(3).at(round), &mut xs);
        if xs.is_empty() || spent + xs.len() > budget {
            break;
        }
        let values: Vec<f64> = xs.iter().map(&f).collect();
        best = values.iter().copied().filter(|v| v.is_finite()).fold(best, f64::min);
        (spent, most) = (spent + xs.len(), most.max(xs.len()));
        method.tell(&mut xs, &values);
    }
    (best, most)
}

/// The distance from a point that is not in the middle, its axes of lengths 1 to 3.
fn bowl(x: &[f64]) -> f64 {
    x.iter().enumerate().map(|(j, t)| (1.0 + (j % 3) as f64) * (t - (j % 7) as f64 / 4.0).powi(2)).sum()
}

#[test]
fn a_gradient_takes_several_rounds() {
    let dim = 5_000;
    let space = Space::cube(dim, -5.0, 5.0).unwrap();
    let (best, most) = minimize("quasi_newton", &space, bowl, 10 * dim);
    assert!(best < 1e-12, "{best:e}");
    assert!((2..=(1 << 23) / dim).contains(&most), "{most} points at once");
}

#[test]
fn fixed_variables_and_failures_fall_into_any_of_them() {
    let dim = 4_100;
    // The last round of a gradient has nothing but fixed variables; some differences fail on one side.
    let bounds = (0..dim).map(|j| if j >= 4_000 { (1.0, 1.0) } else { (-5.0, 5.0) });
    let (lower, upper): (Vec<f64>, Vec<f64>) = bounds.unzip();
    let space = Space::new(lower, upper).unwrap();
    let open = |x: &[f64]| bowl(&x[..4_000]);
    let (best, _) = minimize("quasi_newton", &space, open, 10 * dim);
    assert!(best < 1e-12, "{best:e}");
    let wall = |x: &[f64]| if x[3_999] > 4.9 || x[17] < -4.9 { f64::NAN } else { open(x) };
    let (best, _) = minimize("quasi_newton", &space, wall, 10 * dim);
    assert!(best < 1e-12, "{best:e}");
}

#[test]
fn separable_functions_are_searched_a_part_at_a_time() {
    let dim = 5_000;
    let space = Space::cube(dim, -5.0, 5.0).unwrap();
    let (best, most) = minimize("coordinate_search", &space, bowl, 20 * dim);
    assert!(best < 1e-8, "{best:e}");
    assert!((2..=(1 << 23) / dim + 1).contains(&most), "{most} points at once");
}
