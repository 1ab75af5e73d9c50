use crate::registry::parse;
use swarmgrad_core::{Evaluations, Function, Outcome, Rng, Run, Space};

fn sphere(x: &[f64]) -> f64 {
    x.iter().map(|t| (t - 1.3) * (t - 1.3)).sum()
}

fn rosenbrock(x: &[f64]) -> f64 {
    x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum()
}

/// A relative error of about `size`, a function of the bits of x.
fn spoiled(value: f64, size: f64, x: &[f64]) -> f64 {
    let mix = |hash: u64, t: &f64| (hash ^ t.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    value * (1.0 + size * Rng::new(x.iter().fold(7, mix)).row(0).normal())
}

/// `method` on a function, told its budget.
fn minimize(method: &str, dim: usize, f: impl Fn(&[f64]) -> f64 + Sync, budget: u64, seed: u64) -> Outcome {
    let space = Space::cube(dim, -5.0, 5.0).unwrap();
    let (entry, settings) = parse(method).unwrap();
    let mut algorithm = entry.build(&space, Some(budget), &settings).unwrap();
    let problem = Function::new(space, f);
    Run::new(&problem, &mut *algorithm, seed).watch(&mut Evaluations(budget)).minimize()
}

/// The median over seeds of the true value of the answer.
fn median(method: &str, f: fn(&[f64]) -> f64, spoil: impl Fn(f64, &[f64]) -> f64 + Sync, budget: u64) -> f64 {
    let mut ends: Vec<f64> =
        (0..9).map(|seed| f(&minimize(method, 5, |x: &[f64]| spoil(f(x), x), budget, seed).x)).collect();
    ends.sort_unstable_by(f64::total_cmp);
    ends[4]
}

#[test]
fn errors_of_values_do_not_stop_it() {
    for size in [1e-8, 1e-6, 1e-4] {
        let noise = |value: f64, x: &[f64]| spoiled(value, size, x);
        let (found, blind) = (median("auto", sphere, noise, 120), median("auto:noise=0", sphere, noise, 120));
        assert!(found < 1e-3 && found < 0.1 * blind, "{size:e}: {found:e}, without its eyes {blind:e}");
    }
    let digits = |value: f64, _: &[f64]| format!("{value:.5e}").parse().unwrap();
    let single = |value: f64, _: &[f64]| f64::from(value as f32);
    assert!(median("auto", sphere, digits, 120) < 1e-3);
    assert!(median("auto", sphere, single, 120) < 1e-3);
    assert!(median("auto:noise=1e-6", sphere, |value, x| spoiled(value, 1e-6, x), 120) < 1e-3);
}

/// Flat to the fourth order in some variables, high above 0: near its minimum differences are no larger than roundings.
fn powers(x: &[f64]) -> f64 {
    52.35 + x.iter().enumerate().map(|(i, t)| (t - 0.7).abs().powi(2 + (i / 2) as i32)).sum::<f64>()
}

/// Axes of 1 to 10^6, sheared, high above 0.
fn needle(x: &[f64]) -> f64 {
    let sheared = |i: usize| x[i] - 0.4 + 0.5 * (x[(i + 1) % x.len()] - 0.4);
    -610.4 + (0..x.len()).map(|i| 10f64.powf(1.5 * i as f64) * sheared(i).powi(2)).sum::<f64>()
}

#[test]
fn exact_values_are_not_suspected() {
    for seed in 0..5 {
        let pair = |f: fn(&[f64]) -> f64| {
            ["auto(explored=1)", "auto(explored=1, noise=0)"].map(|method| minimize(method, 5, f, 600, seed))
        };
        let [seeing, blind] = pair(rosenbrock);
        assert_eq!((seeing.fun, seeing.x), (blind.fun, blind.x), "seed {seed}");
        // A point that settles a doubt is one fewer for the rest.
        for f in [powers, needle] {
            let [seeing, blind] = pair(f);
            assert!(seeing.fun <= blind.fun + 1e-12 * blind.fun.abs(), "seed {seed}: {} {}", seeing.fun, blind.fun);
        }
    }
}

#[test]
fn every_one_of_few_evaluations_counts() {
    let after = |budget| (0..5).map(|seed| minimize("auto", 10, rosenbrock, budget, seed).fun).sum::<f64>();
    let [one, half, all, more] = [1, 5, 11, 20].map(after);
    assert!(half < 0.95 * one && all < 0.8 * half && more < 0.8 * all, "{one} {half} {all} {more}");
}

/// Ten waves over a valley (Gramacy and Lee 2012), the line stretched to [-5, 5]; the least value is -0.869011.
fn waves(x: &[f64]) -> f64 {
    let t = 0.5 + (x[0] + 5.0) / 5.0;
    (10.0 * std::f64::consts::PI * t).sin() / (2.0 * t) + (t - 1.0).powi(4)
}

#[test]
fn one_variable_is_searched_as_a_whole() {
    let found = (0..9).filter(|&seed| minimize("auto", 1, waves, 50, seed).fun < -0.869).count();
    assert!(found >= 6, "{found} of 9");
    // Errors of values do not hold it at a place.
    for size in [1e-6, 1e-3] {
        let ends = (0..9).map(|seed| waves(&minimize("auto", 1, |x: &[f64]| spoiled(waves(x), size, x), 100, seed).x));
        let found = ends.filter(|&value| value < -0.86).count();
        assert!(found >= 6, "{size:e}: {found} of 9");
    }
    let several = minimize("auto:workers=4", 1, waves, 60, 1);
    assert!(several.fun < -0.869, "{}", several.fun);
}

#[test]
fn a_model_ranks_where_the_ground_is_rugged_and_exact_alone() {
    // The sharp ridge of BBOB, where descents by differences end.
    let ridge = swarmgrad_problems::entry("bbob/f13/i1").unwrap().build::<f64>(5, None).unwrap();
    let after = |method: &str| {
        let mut ends: Vec<f64> =
            (0..9).map(|seed| minimize(method, 5, |x: &[f64]| ridge.value(x), 1500, seed).fun).collect();
        ends.sort_unstable_by(f64::total_cmp);
        ends[4] - ridge.minimum().unwrap()
    };
    let (with, without) = (after("auto"), after("auto:surrogate=false"));
    assert!(with < 0.5 * without, "{with:e}, without a model {without:e}");
    // Smooth ground, and errors that it knows of.
    for seed in 0..3 {
        for (f, error) in [(rosenbrock as fn(&[f64]) -> f64, 0.0), (sphere, 1e-4), (rosenbrock, 1e-4)] {
            let [with, without] = [true, false].map(|surrogate| {
                let method = format!("auto(explored=1, noise={error}, surrogate={surrogate})");
                minimize(&method, 5, |x: &[f64]| spoiled(f(x), error, x), 800, seed)
            });
            assert_eq!((with.fun, with.x), (without.fun, without.x), "seed {seed}, errors {error}");
        }
    }
}

/// Many basins along directions that are no axes: Schwefel's and Rastrigin's functions, sheared and turned.
fn sheared(x: &[f64]) -> Vec<f64> {
    (0..x.len()).map(|i| x[i] - 0.3 * x[(i + 1) % x.len()] + if i > 1 { 0.2 * x[i - 2] } else { 0.0 }).collect()
}

fn rastrigin(x: &[f64]) -> f64 {
    sheared(x).iter().map(|z| z - 0.37).map(|z| z * z + 10.0 - 10.0 * (std::f64::consts::TAU * z).cos()).sum()
}

fn schwefel(x: &[f64]) -> f64 {
    let walled = |z: f64| -z * z.abs().sqrt().sin() + 10.0 * (z.abs() - 500.0).max(0.0).powi(2);
    418.982_887_272_433_7 * x.len() as f64 + sheared(x).iter().map(|z| walled(200.0 * z)).sum::<f64>()
}

#[test]
fn sums_along_other_directions_than_the_axes_are_seen_and_solved() {
    for (name, f) in [("rastrigin", rastrigin as fn(&[f64]) -> f64), ("schwefel", schwefel)] {
        let solved = (0..8).filter(|&seed| {
            let outcome = minimize("auto", 5, f, 3000, seed);
            outcome.fun < 1e-3 && outcome.knowledge.is_some_and(|known| known.turned)
        });
        let solved = solved.count();
        assert!(solved >= 7, "{name}: {solved} of 8");
    }
}
