//! What every test function owes, and what the literature says of single ones.

use proptest::prelude::*;
use std::f64::consts::{E, FRAC_PI_2};
use swarmgrad_core::{Matrix, Real, Rng, Rows, Space};
use swarmgrad_problems::{Dims, Entry, PROBLEMS, TestProblem, entry};

fn build<F: Real>(name: &str, dim: usize) -> Box<dyn TestProblem<F>> {
    entry(name).unwrap().build(dim, None).unwrap()
}

/// The dimensions to test a function in.
fn dims(entry: &Entry) -> Vec<usize> {
    match entry.dims {
        Dims::Exactly(only) => vec![only],
        Dims::Among(all) => all[..2].to_vec(),
        Dims::Any { .. } => [1, 2, 5, 8, 20, 33].into_iter().filter(|&dim| entry.dims.allows(dim)).collect(),
    }
}

/// `rows` points, uniform on the default domain.
fn points(problem: &dyn TestProblem, rows: usize, seed: u64) -> Matrix {
    let (dim, rng) = (problem.space().dim(), Rng::new(seed));
    let mut xs = Matrix::zeros(rows, dim);
    for (i, x) in xs.iter_mut().enumerate() {
        rng.row(i).fill_uniform(x);
        for (j, t) in x.iter_mut().enumerate() {
            *t = problem.space().lower()[j] + *t * problem.space().width(j);
        }
    }
    xs
}

fn for_each(mut check: impl FnMut(&dyn TestProblem)) {
    for entry in PROBLEMS {
        for dim in dims(entry) {
            check(&*entry.build(dim, None).unwrap());
        }
    }
}

#[test]
fn entries_are_complete_and_unique() {
    assert_eq!(PROBLEMS.len(), 39 + 5 + 24 + 29 + 24);
    for (i, e) in PROBLEMS.iter().enumerate() {
        for text in [e.title, e.formula, e.source, e.about] {
            assert!(!text.is_empty(), "{}", e.name);
        }
        assert!(e.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_/".contains(c)), "{}", e.name);
        assert!(PROBLEMS[..i].iter().all(|other| other.name != e.name && other.formula != e.formula), "{}", e.name);
        assert_eq!(entry(e.name).unwrap(), *e);
        let problem = e.build::<f64>(e.dims.least(), None).unwrap();
        assert_eq!(problem.entry(), e);
        assert_eq!(problem.differentiable().is_some(), e.differentiable);
    }
}

#[test]
fn minimizers_attain_the_minimum() {
    for_each(|problem| {
        let (name, dim) = (problem.entry().name, problem.space().dim());
        let minimum = problem.minimum().unwrap_or_else(|| panic!("{name} has a known minimum on its domain"));
        assert!(!problem.minimizers().is_empty(), "{name}");
        for x in problem.minimizers() {
            assert!(problem.space().contains(x), "{name}: {x:?} is outside");
            // A minimiser rounded to double precision is off by 1e-16 of itself: smooth functions then miss by far
            // less, values of hundreds (Eggholder) by their own round-off of 1e-13, Schwefel by that a coordinate.
            let gap = (problem.value(x) - minimum).abs();
            assert!(gap <= 1e-9 * minimum.abs().max(1.0), "{name} d={dim}: {x:?} misses {minimum} by {gap:e}");
        }
    });
}

#[test]
fn the_minimum_is_not_beaten() {
    for_each(|problem| {
        let (name, dim) = (problem.entry().name, problem.space().dim());
        let minimum = problem.minimum().unwrap();
        let rows = if problem.entry().instance.is_some() { 2_000 } else { 20_000 };
        let mut xs = points(problem, rows, 7);
        // The second half closes in on the minimisers, by a factor of up to 10^8.
        let minimizers = problem.minimizers();
        for (i, x) in xs.iter_mut().enumerate().skip(rows / 2) {
            let (centre, scale) = (&minimizers[i % minimizers.len()], 10f64.powi(-(i as i32 % 9)));
            for (t, &c) in x.iter_mut().zip(centre) {
                *t = c + scale * (*t - c);
            }
            assert!(scale < 1.0 || problem.space().contains(x));
        }
        let mut values = vec![0.0; xs.len()];
        problem.values(xs.rows(), &mut values);
        for (x, value) in xs.iter().zip(values) {
            assert!(
                value >= minimum - 1e-9 * minimum.abs().max(1.0),
                "{name} d={dim}: {value} at {x:?} is below {minimum}"
            );
        }
    });
}

#[test]
fn minima_said_to_hold_everywhere_are_not_beaten_far_outside() {
    for entry in PROBLEMS.iter().filter(|entry| entry.everywhere) {
        for dim in dims(entry) {
            let default = entry.build::<f64>(dim, None).unwrap();
            let (lower, upper) = (default.space().lower(), default.space().upper());
            let wide = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - 9.0 * (b - a)).collect();
            let space = Space::new(wide(lower, upper), wide(upper, lower)).unwrap();
            let problem = entry.build(dim, Some(space)).unwrap();
            let rows = if entry.instance.is_some() { 2_000 } else { 20_000 };
            let xs = points(&*problem, rows, 9);
            for x in xs.iter() {
                let value = problem.value(x);
                let undefined = entry.name == "adaswarm5" && x[0] < 0.0 && value.is_nan();
                assert!(undefined || value >= problem.minimum().unwrap() - 1e-9, "{} at {x:?}", entry.name);
            }
        }
    }
}

#[test]
fn values_of_the_literature() {
    let check = |name: &str, x: &[f64], wanted: f64, tolerance: f64| {
        let value = build::<f64>(name, x.len()).value(x);
        assert!((value - wanted).abs() <= tolerance, "{name} at {x:?} is {value}, not {wanted}");
    };
    check("sphere", &[1.0, 2.0, 3.0], 14.0, 0.0);
    check("ellipsoid", &[1.0, 1.0, 1.0], 1_001_001.0, 1e-9);
    check("ellipsoid", &[3.0], 9.0, 0.0);
    check("rosenbrock", &[-1.2, 1.0], 24.2, 1e-13);
    check("rosenbrock", &[0.0, 0.0, 0.0], 2.0, 0.0);
    check("dixon_price", &[0.0, 0.0, 1.0], 1.0 + 3.0 * 4.0, 0.0);
    check("rastrigin", &[0.5, 0.5], 40.5, 1e-14);
    check("rastrigin", &[4.52299366, 4.52299366], 80.70658038767792, 1e-7);
    check("rastrigin25", &[0.5], 5.25, 1e-15);
    check("rastrigin25", &[1.0, 0.25], 1.0 + 0.0625 + 2.5, 1e-15);
    check("ackley", &[1.0, 1.0], 20.0 - 20.0 * (-0.2f64).exp(), 1e-14);
    check("ackley", &[0.5], 20.0 + 1f64.exp() - 20.0 * (-0.1f64).exp() - (-1f64).exp(), 1e-14);
    let pi = std::f64::consts::PI;
    check("griewank", &[pi, 0.0], 1.0 + pi * pi / 4000.0 + 1.0, 1e-14);
    check("griewank", &[0.0, pi * 2f64.sqrt()], 1.0 + pi * pi / 2000.0 + 1.0, 1e-14);
    check("schwefel", &[0.0, 0.0], 837.9657745448674, 1e-12);
    check("levy", &[-3.0], 2.0 * 0.0 + 1.0, 1e-14);
    check("levy", &[5.0, 1.0], 1.0 + 10.0 * 1f64.sin().powi(2), 1e-13);
    check("styblinski_tang", &[0.0, 1.0], -5.0, 0.0);
    check("zakharov", &[1.0, 1.0], 2.0 + 2.25 + 5.0625, 0.0);
    check("michalewicz", &[2.20290552, FRAC_PI_2], -1.8013034, 2e-8);
    check("beale", &[0.0, 0.0], 14.203125, 0.0);
    check("booth", &[0.0, 0.0], 74.0, 0.0);
    check("matyas", &[1.0, 1.0], 0.04, 1e-16);
    check("himmelblau", &[-0.270845, -0.923039], 181.617, 1e-3);
    check("goldstein_price", &[0.0, -1.0], 3.0, 0.0);
    check("goldstein_price", &[0.0, 0.0], 600.0, 0.0);
    check("goldstein_price", &[1.2, 0.8], 840.0, 1e-9);
    check("goldstein_price", &[-0.6, -0.4], 30.0, 1e-9);
    check("goldstein_price", &[1.8, 0.2], 84.0, 1e-9);
    check("three_hump_camel", &[1.0, 1.0], 2.0 - 1.05 + 1.0 / 6.0 + 2.0, 1e-15);
    check("six_hump_camel", &[0.0898, -0.7126], -1.0316, 1e-4);
    check("levy13", &[0.5, 1.0], 1.0 + 0.25, 1e-15);
    check("easom", &[pi, 0.0], (-pi * pi).exp(), 1e-18);
    check("branin", &[0.0, 0.0], 36.0 + 20.0 - 1.25 / pi, 1e-13);
    check("mccormick", &[0.0, 0.0], 1.0, 0.0);
    check("mccormick", &[-0.54719, -1.54719], -1.9133, 1e-4);
    check("schaffer2", &[1.0, 1.0], 0.5 - 0.5 / 1.002f64.powi(2), 1e-15);
    check("schaffer4", &[1.0, 1.0], 0.5 + 0.5 / 1.002f64.powi(2), 1e-15);
    check("drop_wave", &[pi / 12.0, 0.0], 0.0, 1e-15);
    check("bukin6", &[-10.0, 2.0], 100.0, 1e-12);
    check("bukin6", &[-5.0, 0.25], 0.05, 1e-12);
    check("cross_in_tray", &[0.0, 3.0], -0.0001, 1e-17);
    check("cross_in_tray", &[1.34941, 1.34941], -2.06261, 1e-5);
    check("eggholder", &[0.0, 0.0], -47.0 * 47f64.sqrt().sin(), 1e-13);
    check("holder_table", &[8.05502, 9.66459], -19.2085, 1e-4);
    check("holder_table", &[0.0, 4.0], 0.0, 0.0);
    check("adaswarm1", &[1.0], -2.0, 0.0);
    check("adaswarm2", &[-0.99], 3.089401, 1e-14);
    check("adaswarm3", &[2.0], 4.0 - 4f64.cos().exp(), 1e-15);
    check("adaswarm4", &[1.0], 1.0 - 1f64.sin() + 1f64.exp(), 1e-14);
    check("adaswarm4", &[-2.0], -32768.0 + 2f64.sin() + 64f64.exp(), 64f64.exp() * 1e-15);
    check("adaswarm5", &[4.0], 2.0, 0.0);
    check("adaswarm6", &[-4.0], 4.0, 0.0);
    check("adaswarm7", &[1.0], 1.0 + 1f64.sin(), 1e-15);
    check("adaswarm7", &[-1.0], 0.0, 0.0);
    check("adaswarm8", &[3.0], 3.0, 0.0);
    check("adaswarm8", &[-3.0], 9.0, 0.0);
}

#[test]
fn minima_of_the_literature() {
    let minimum = |name: &str, dim: usize| build::<f64>(name, dim).minimum().unwrap();
    let check = |name: &str, dim: usize, wanted: f64, tolerance: f64| {
        let found = minimum(name, dim);
        assert!((found - wanted).abs() <= tolerance, "{name} d={dim}: {found}, not {wanted}");
    };
    check("michalewicz", 1, -0.801303410098554, 1e-12);
    check("michalewicz", 2, -1.801303410098554, 1e-12);
    check("michalewicz", 5, -4.687658, 1e-6);
    check("michalewicz", 10, -9.66015, 1e-5);
    check("styblinski_tang", 3, -117.4984971113, 1e-9);
    check("branin", 2, 0.397887, 1e-6);
    check("mccormick", 2, -1.9132229549810367, 1e-15);
    check("schaffer4", 2, 0.292579, 1e-6);
    check("eggholder", 2, -959.6407, 1e-4);
    check("six_hump_camel", 2, -1.0316285, 1e-7);
    // Tables I to III of the AdaSwarm paper.
    let tables = [-2.25, 3.0, -E, 0.474706, 0.0, 0.0, 0.0, 0.0];
    for (i, wanted) in tables.into_iter().enumerate() {
        check(&format!("adaswarm{}", i + 1), 1, wanted, 5e-7);
    }
    for (name, place) in [("adaswarm1", 1.084472), ("adaswarm2", 2.0), ("adaswarm3", 0.0), ("adaswarm4", 0.651208)] {
        assert!((build::<f64>(name, 1).minimizers()[0][0] - place).abs() <= 5e-7);
    }
}

/// A dense scan of the one-dimensional functions: the paper's minima are global on the domains given here.
#[test]
fn adaswarm_minima_are_global_on_the_domain() {
    for n in 1..=8 {
        let problem = build::<f64>(&format!("adaswarm{n}"), 1);
        let (lo, width, minimum) = (problem.space().lower()[0], problem.space().width(0), problem.minimum().unwrap());
        let xs: Vec<f64> = (0..=1_000_000).map(|i| lo + width * f64::from(i) / 1e6).collect();
        let mut values = vec![0.0; xs.len()];
        problem.values(Rows::new(1, &xs), &mut values);
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(lowest >= minimum - 1e-12 && lowest - minimum < 1e-3, "adaswarm{n}: {lowest}");
    }
    // Function 4 has a second well on the left, much higher; function 7 is positive on the right.
    let fourth = build::<f64>("adaswarm4", 1);
    assert!((fourth.value(&[-1.095611]) - 2.5933371909771497).abs() < 1e-12);
    let seventh = build::<f64>("adaswarm7", 1);
    assert!((1..=50_000).all(|i| seventh.value(&[f64::from(i) * 1e-4]) > 0.0));
}

#[test]
fn a_batch_gives_the_bits_of_its_points() {
    fn check<F: Real>(problem: &dyn TestProblem<F>, data: &Matrix) {
        let (name, dim) = (problem.entry().name, problem.space().dim());
        let cast: Vec<F> = data.data().iter().map(|&t| F::of(t)).collect();
        let xs = Rows::new(dim, &cast);
        let singles: Vec<u64> = xs.iter().map(|x| problem.value(x).f64().to_bits()).collect();
        for rows in [1, 2, 7, 31, 32, 33, 100, 200] {
            let mut values = vec![F::nan(); rows];
            problem.values(xs.slice(0, rows), &mut values);
            let bits: Vec<u64> = values.iter().map(|value| value.f64().to_bits()).collect();
            assert_eq!(bits, singles[..rows], "{name} d={dim} N={rows}");
        }
    }
    for entry in PROBLEMS {
        let mut sizes = dims(entry);
        // Rotations of hundreds of variables take long to make; tests/bbob.rs has batches of its own.
        if entry.dims.allows(513) && entry.instance.is_none() {
            sizes.extend([3, 7, 64, 256, 511, 512, 513, 1100]);
        }
        for dim in sizes {
            let problem = entry.build::<f64>(dim, None).unwrap();
            let data = points(&*problem, 200, 3);
            check::<f64>(&*problem, &data);
            check::<f32>(&*entry.build(dim, None).unwrap(), &data);
        }
    }
}

/// A point that is not a number, or far outside, says so in its own value and in no other.
#[test]
fn nan_and_huge_points_do_not_spread() {
    fn check<F: Real>(problem: &dyn TestProblem<F>) {
        let (name, dim) = (problem.entry().name, problem.space().dim());
        let clean = vec![F::of(0.25); 70 * dim];
        let mut wanted = vec![F::zero(); 70];
        problem.values(Rows::new(dim, &clean), &mut wanted);
        for poison in [F::nan(), F::infinity(), F::neg_infinity(), F::max_value(), F::min_value(), F::of(1e20)] {
            for j in [0, dim - 1] {
                let mut xs = clean.clone();
                xs[33 * dim + j] = poison;
                let mut values = vec![F::zero(); 70];
                problem.values(Rows::new(dim, &xs), &mut values);
                assert!(!poison.is_nan() || values[33].is_nan(), "{name} hides a NaN");
                if let Some(gradient) = problem.differentiable() {
                    gradient.gradient(&xs[33 * dim..34 * dim], &mut vec![F::zero(); dim]);
                }
                values[33] = wanted[33];
                assert_eq!(values, wanted, "{name} d={dim}: a neighbour of {poison}");
            }
        }
    }
    for entry in PROBLEMS {
        for dim in dims(entry) {
            check::<f64>(&*entry.build(dim, None).unwrap());
            check::<f32>(&*entry.build(dim, None).unwrap());
        }
    }
}

#[test]
fn single_precision_agrees_with_double() {
    for_each(|problem| {
        let (name, dim) = (problem.entry().name, problem.space().dim());
        let single = problem.entry().build::<f32>(dim, None).unwrap();
        let xs = points(problem, 300, 5);
        for x in xs.iter() {
            let rounded: Vec<f32> = x.iter().map(|&t| t as f32).collect();
            let exact: Vec<f64> = rounded.iter().map(|&t| f64::from(t)).collect();
            let (found, wanted) = (f64::from(single.value(&rounded)), problem.value(&exact));
            // Single precision moves a point by 6e-8 of itself and of the domain, and each operation adds as much of
            // the largest intermediate result. The slope over such a step is measured, not assumed.
            let mut slack = 0.0;
            let mut moved = exact.clone();
            for j in 0..dim {
                let step = 4.0 * f64::from(f32::EPSILON) * (x[j].abs() + 0.02 * problem.space().width(j));
                for sign in [-1.0, 1.0] {
                    moved[j] = exact[j] + sign * step;
                    let change = (problem.value(&moved) - wanted).abs();
                    slack += if change.is_nan() { 0.0 } else { change };
                }
                moved[j] = exact[j];
            }
            let largest = wanted.abs()
                + match name {
                    "schwefel" => 900.0 * dim as f64,
                    // Sums of hundreds whose differences are multiplied by hundreds.
                    "goldstein_price" => 10_000.0,
                    _ => 30.0,
                };
            let tolerance = slack + 4.0 * f64::from(f32::EPSILON) * largest;
            assert!(
                (found - wanted).abs() <= tolerance,
                "{name} d={dim} at {x:?}: {found} and {wanted}, {tolerance:e}"
            );
        }
        let minimum = f64::from(single.minimum().unwrap());
        assert!((minimum - problem.minimum().unwrap()).abs() <= 1e-7 * minimum.abs());
        assert_eq!(single.minimizers().len(), problem.minimizers().len(), "{name}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn gradients_agree_with_differences(unit in proptest::collection::vec(0.001..0.999f64, 8), dim in 1..9usize) {
        // CEC 2017's functions, whose waves and kinks need steps of their own, are tested beside their gradients.
        for entry in PROBLEMS.iter().filter(|entry| entry.differentiable && !entry.name.starts_with("cec2017/")) {
            let dim = if entry.dims.allows(dim) { dim } else { entry.dims.least() };
            let problem = entry.build::<f64>(dim, None).unwrap();
            let space = problem.space();
            let x: Vec<f64> = (0..dim).map(|j| space.lower()[j] + unit[j] * space.width(j)).collect();
            let mut gradient = vec![f64::NAN; dim];
            problem.differentiable().unwrap().gradient(&x, &mut gradient);
            for j in 0..dim {
                let slope = |step: f64| {
                    let at = |offset: f64| {
                        let mut moved = x.clone();
                        moved[j] += offset;
                        problem.value(&moved)
                    };
                    // Error of order step^4.
                    (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step)
                };
                // Waves as short as 0.02 (Schaffer at the corners) need a small step; round-off then is some 1e-16 of
                // the value over it.
                let step = 1e-4;
                let (coarse, fine) = (slope(step), slope(0.5 * step));
                let noise = 1e-15 * (problem.value(&x).abs() + 1.0) / step;
                let tolerance = 20.0 * noise + 2.0 * (coarse - fine).abs() + 1e-6 * (1.0 + fine.abs());
                // Eggholder's creases: no difference quotient is right across one.
                let crease = entry.name == "eggholder" && {
                    let shifted = x[1] + 47.0;
                    (0.5 * x[0] + shifted).abs().min((x[0] - shifted).abs()) < 1.0
                };
                prop_assert!(
                    crease || (gradient[j] - fine).abs() <= tolerance,
                    "{} at {:?}: {} by formula, {} by differences (tolerance {})",
                    entry.name, x, gradient[j], fine, tolerance
                );
                // A tolerance as large as the gradient itself would test nothing.
                prop_assert!(
                    crease || tolerance <= 0.05 * (1.0 + fine.abs()),
                    "{} at {:?}: differences of tolerance {} for {}", entry.name, x, tolerance, fine
                );
            }
        }
    }
}

#[test]
fn gradients_vanish_at_smooth_minimizers() {
    for_each(|problem| {
        let name = problem.entry().name;
        // Eggholder's minimum lies on the boundary, where the gradient points out of the domain; some of CEC 2017's are kinks.
        let smooth = name != "eggholder" && !name.starts_with("cec2017/");
        if let Some(gradient_of) = problem.differentiable().filter(|_| smooth) {
            for x in problem.minimizers() {
                let mut gradient = vec![f64::NAN; x.len()];
                gradient_of.gradient(x, &mut gradient);
                let largest = gradient.iter().fold(0.0, |a: f64, g| if g.is_nan() { f64::NAN } else { a.max(g.abs()) });
                // Curvature (up to 4000 for Michalewicz in 33 dimensions) times the minimiser's round-off.
                assert!(largest <= 1e-10, "{name}: {gradient:?} at {x:?}");
            }
        }
    });
}

#[test]
fn bounds_of_the_user_decide_what_is_known() {
    let himmelblau = entry("himmelblau").unwrap();
    let quadrant = himmelblau.build(2, Some(Space::cube(2, 0.0, 5.0).unwrap())).unwrap();
    assert_eq!((quadrant.minimum(), quadrant.minimizers()), (Some(0.0), &[vec![3.0, 2.0]][..]));
    let away = himmelblau.build(2, Some(Space::cube(2, 4.0, 5.0).unwrap())).unwrap();
    assert_eq!((away.minimum(), away.minimizers().len()), (None, 0));
    // Schwefel's function has lower values outside its domain, Rastrigin's has not.
    let wide = || Some(Space::cube(2, -1000.0, 1000.0).unwrap());
    assert_eq!(entry("schwefel").unwrap().build(2, wide()).unwrap().minimum(), None);
    assert_eq!(entry("rastrigin").unwrap().build(2, wide()).unwrap().minimum(), Some(0.0));
    let unbounded = entry("sphere").unwrap().build::<f32>(3, Some(Space::unbounded(3).unwrap())).unwrap();
    assert_eq!(unbounded.minimum(), Some(0.0));
    assert!(unbounded.space().is_unbounded());
    let part = entry("schwefel").unwrap().build(2, Some(Space::cube(2, 400.0, 450.0).unwrap())).unwrap();
    assert_eq!(part.minimum(), Some(0.0));
}

#[test]
fn mistakes_are_named() {
    let message = |result: swarmgrad_core::Result<Box<dyn TestProblem>>| result.err().unwrap().to_string();
    let dim = |name: &str, dim| message(entry(name).unwrap().build(dim, None));
    assert_eq!(dim("rosenbrock", 1), "dim = 1: rosenbrock needs at least 2");
    assert_eq!(dim("sphere", 0), "dim = 0: sphere needs at least 1");
    assert_eq!(dim("branin", 3), "dim = 3: branin needs exactly 2");
    assert_eq!(dim("adaswarm4", 2), "dim = 2: adaswarm4 needs exactly 1");
    let bounds = Space::cube(3, 0.0, 1.0).unwrap();
    assert_eq!(message(entry("sphere").unwrap().build(2, Some(bounds))), "bounds has 3 entries, expected 2");
    assert_eq!(entry("ackly").unwrap_err().to_string(), "unknown problem 'ackly', did you mean 'ackley'?");
    assert_eq!(entry("").unwrap_err().to_string(), "unknown problem ''");
    assert!(entry("branin").unwrap().space::<f64>(1).is_err());
}
