//! Laws and figures of the classical particle methods: stability, reference results, symmetries.

use std::ops::ControlFlow;
use swarmgrad::algorithms::particle::{Motion, Swarm, empso};
use swarmgrad::registry::{self, Settings};
use swarmgrad::{
    Evaluations, Function, Iterations, Matrix, Outcome, Problem, Progress, Reason, Rng, Run, Space, Tape, problems,
};

fn settings(json: serde_json::Value) -> Settings {
    json.as_object().unwrap().clone()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Largest |x| over 20,000 steps of form A with both attractors at 0 and phi = c1 r1 + c2 r2 fixed; cut off when it explodes.
fn excursion(beta: f64, phi: f64) -> f64 {
    let space = Space::unbounded(1).unwrap();
    let params = empso::Params { particles: 1, c1: phi, c2: phi, beta, ..Default::default() };
    let mut motion = <empso::Empso<f64> as Motion<f64>>::new(params, &space, None).unwrap();
    let point = |t: f64| Matrix::from_vec(1, vec![t]).unwrap();
    let mut swarm = Swarm { x: point(1.0), v: point(0.0), y: point(0.0), fx: vec![1.0], fy: vec![0.0] };
    motion.begin(&mut swarm);
    let mut tape = Tape::default();
    ["r1", "r2"].iter().for_each(|label| tape.set(label, 0, 0, vec![0.5])); // phi = c (1/2 + 1/2)
    let rng = Rng::scripted(tape);
    let mut largest = 0.0f64;
    for _ in 0..20_000 {
        motion.advance(&mut swarm, &space, &rng);
        largest = largest.max(swarm.x.data()[0].abs());
        if largest.is_nan() || largest > 1e6 {
            return f64::INFINITY;
        }
    }
    largest
}

#[test]
fn empso_is_bounded_exactly_where_the_theory_says() {
    for beta in [0.1, 0.5, 0.9] {
        let edge = 4.0 / (1.0 + beta);
        for k in -20..=(100.0 * (edge + 0.2)) as i32 {
            let phi = f64::from(k) * 0.01;
            if phi.abs() < 0.02 || (phi - edge).abs() < 0.02 {
                continue;
            }
            let bounded = if phi < 0.0 { negative_phi_is_bounded(beta, phi) } else { excursion(beta, phi).is_finite() };
            assert_eq!(bounded, empso::is_stable(beta, phi), "beta {beta}, phi {phi}");
        }
    }
}

/// Pulls are never negative in the method, so that part of the axis is walked by the recursion itself.
fn negative_phi_is_bounded(beta: f64, phi: f64) -> bool {
    let (mut x, mut v, mut m) = (1.0f64, 0.0, 0.0);
    for _ in 0..20_000 {
        m = beta * m + (1.0 - beta) * v;
        v = m - phi * x;
        x += v;
    }
    x.abs() < 1e6
}

#[test]
fn mean_square_stability_has_the_published_radii() {
    let radius = empso::mean_square_radius;
    for (c1, c2, beta, expected, digits) in [
        (0.8, 0.9, 0.9, 0.782, 1e-3),
        (1.0, 1.0, 0.9, 0.787, 1e-3),
        (1.5, 1.5, 0.9, 0.796, 1e-3),
        (0.9, 0.8, 0.1, 1.003, 1e-3),
        (2.0, 2.0, 0.9, 1.47, 1e-2),
        (2.0, 2.0, 0.1, 1.20, 1e-2),
    ] {
        let found = radius(c1, c2, beta);
        assert!((found - expected).abs() <= digits, "({c1}, {c2}, {beta}): {found} against {expected}");
    }
    for (beta, limit) in [(0.9, 1.787), (0.5, 2.09), (0.1, 0.78)] {
        assert!(
            radius(limit - 0.02, limit - 0.02, beta) < 1.0 && radius(limit + 0.02, limit + 0.02, beta) > 1.0,
            "beta {beta}"
        );
    }
}

/// The eight functions of Tables I to III with the paper's parameters: ten particles, 300 iterations, 200 seeds.
#[test]
fn tables_one_to_three() {
    let table = [
        ("adaswarm1", 8.0),
        ("adaswarm2", 3.0),
        ("adaswarm3", 3.0),
        ("adaswarm4", 3.0),
        ("adaswarm5", 4.0),
        ("adaswarm6", 29.0),
        ("adaswarm7", 0.0),
        ("adaswarm8", 4.0),
    ];
    for (name, iterations) in table {
        let problem = problems::entry(name).unwrap().build::<f64>(1, None).unwrap();
        let target = problem.minimum().unwrap() + 1e-3;
        let mut taken = Vec::new();
        for seed in 0..200 {
            let paper = settings(serde_json::json!({ "preset": "paper", "particles": 10 }));
            let mut swarm = registry::entry("empso").unwrap().build(problem.space(), None, &paper).unwrap();
            let run = Run::new(&*problem, &mut *swarm, seed)
                .watch(&mut swarmgrad::Target(target))
                .watch(&mut Iterations(300))
                .minimize();
            if run.reason == Reason::Target {
                taken.push(run.nit as f64);
            }
        }
        let successes = taken.len();
        let typical = median(taken);
        println!("{name}: {successes} of 200, {typical} iterations");
        assert!(successes >= if name == "adaswarm2" { 188 } else { 198 }, "{name}: {successes}");
        assert!(
            typical >= (iterations / 2.0f64).floor() && typical <= (2.0 * iterations).max(1.0),
            "{name}: {typical} against {iterations}"
        );
    }
}

#[test]
fn torchswarms_own_test() {
    let problem = Function::new(Space::unbounded(1).unwrap(), |x: &[f64]| x[0] * x[0] + x[0].exp());
    // U(0, 1) without bounds, as torchswarm starts.
    for (method, parameters) in
        [("pso", serde_json::json!({ "preset": "torchswarm" })), ("empso", serde_json::json!({}))]
    {
        for seed in 0..50 {
            let points: Vec<[f64; 1]> = (0..100).map(|i| [Rng::new(seed).fork("u").row(i).uniform()]).collect();
            let mut chosen = settings(parameters.clone());
            chosen.insert("particles".into(), 100.into());
            chosen.insert("start".into(), serde_json::json!({ "points": points }));
            let mut swarm = registry::entry(method).unwrap().build(problem.space(), None, &chosen).unwrap();
            let outcome = Run::new(&problem, &mut *swarm, seed).watch(&mut Iterations(10)).minimize();
            assert!((outcome.fun - 0.827184).abs() < 5e-4, "{method}, seed {seed}: {}", outcome.fun);
        }
    }
}

fn sphere20(preset: Option<&str>, seed: u64) -> Outcome {
    let problem = problems::entry("sphere").unwrap().build::<f64>(20, None).unwrap();
    let mut chosen = settings(serde_json::json!({ "particles": 30 }));
    if let Some(preset) = preset {
        chosen.insert("preset".into(), preset.into());
    }
    let mut swarm = registry::entry("empso").unwrap().build(problem.space(), None, &chosen).unwrap();
    Run::new(&*problem, &mut *swarm, seed).watch(&mut Iterations(1000)).minimize()
}

#[test]
fn the_default_solves_what_the_papers_parameters_do_not() {
    let default = median((0..21).map(|seed| sphere20(None, seed).fun).collect());
    let paper = median((0..21).map(|seed| sphere20(Some("paper"), seed).fun).collect());
    println!(
        "sphere, d = 20, 30 particles, 1000 iterations, medians of 21 seeds: default {default:e}, paper {paper:e}"
    );
    assert!(default < 1e-10, "default: {default:e}");
    assert!(paper > 1.0, "paper: {paper:e}");
}

/// 2-D Ackley function, 50 particles: iterations until every particle is within 1e-2 of the best one in each coordinate.
#[test]
fn empso_collapses_on_ackley_as_measured() {
    let domain = Space::cube(2, -5.0, 5.0).unwrap(); // where the 2-D literature draws it
    let problem = problems::entry("ackley").unwrap().build::<f64>(2, Some(domain)).unwrap();
    let iterations = |seed| {
        let chosen =
            settings(serde_json::json!({ "particles": 50, "c1": 1.0, "c2": 1.0, "beta": 0.9, "velocity_limit": 0.1 }));
        let mut swarm = registry::entry("empso").unwrap().build(problem.space(), None, &chosen).unwrap();
        let mut collapsed = |p: &Progress<'_>| {
            let (g, view) = (p.algorithm.answer(), p.algorithm.view());
            let near = view.matrix("x").unwrap().iter().all(|x| x.iter().zip(&g).all(|(x, g)| (x - g).abs() <= 1e-2));
            if near { ControlFlow::Break(Reason::Stagnation) } else { ControlFlow::Continue(()) }
        };
        Run::new(&*problem, &mut *swarm, seed).watch(&mut collapsed).watch(&mut Iterations(10_000)).minimize().nit
            as f64
    };
    let typical = median((0..101).map(iterations).collect());
    println!("Ackley 2-D collapse: median of 101 seeds {typical} iterations");
    assert!((typical - 47.0).abs() <= 5.0, "{typical} iterations");
}

/// Householder reflection I - 2 u u' / |u|^2.
fn reflect(u: &[f64], x: &[f64]) -> Vec<f64> {
    let scale = 2.0 * u.iter().zip(x).map(|(u, x)| u * x).sum::<f64>() / u.iter().map(|u| u * u).sum::<f64>();
    x.iter().zip(u).map(|(x, u)| x - scale * u).collect()
}

/// The largest gap between the swarm of f from x0 and that of f(Q x) from Q x0, turned back, over 15 iterations.
fn turning_gap(method: &str, json: serde_json::Value) -> f64 {
    const DIM: usize = 4;
    let u: Vec<f64> = (0..DIM).map(|j| 0.3 + j as f64).collect();
    let bowl = |x: &[f64]| x.iter().enumerate().map(|(j, t)| (j + 1) as f64 * (t - 0.5).powi(2)).sum::<f64>();
    let space = Space::unbounded(DIM).unwrap();
    let straight = Function::new(space.clone(), bowl);
    let turned = Function::new(space.clone(), |x: &[f64]| bowl(&reflect(&u, x)));
    let points: Vec<Vec<f64>> = (0..9)
        .map(|i| {
            let mut x = vec![0.0; DIM];
            Rng::new(3).row(i).fill_normal(&mut x);
            x
        })
        .collect();
    let images: Vec<Vec<f64>> = points.iter().map(|x| reflect(&u, x)).collect();
    let walk = |problem: &dyn Problem, points: &Vec<Vec<f64>>| {
        let mut chosen = settings(json.clone());
        chosen.insert("particles".into(), 9.into());
        chosen.insert("start".into(), serde_json::json!({ "points": points }));
        let mut swarm = registry::entry(method).unwrap().build(&space, None, &chosen).unwrap();
        Run::new(problem, &mut *swarm, 5).watch(&mut Iterations(15)).minimize();
        swarm.view().matrix("x").unwrap().iter().map(<[f64]>::to_vec).collect::<Vec<_>>()
    };
    let (a, b) = (walk(&straight, &points), walk(&turned, &images));
    a.iter()
        .zip(&b)
        .flat_map(|(a, b)| {
            let b = reflect(&u, b);
            a.iter().zip(b).map(|(s, t)| (s - t).abs()).collect::<Vec<_>>()
        })
        .fold(0.0, f64::max)
}

#[test]
fn rotations_commute_with_the_methods_that_claim_it() {
    for (method, json) in [
        ("empso", serde_json::json!({ "draws": "per_particle" })),
        ("pso", serde_json::json!({ "draws": "per_particle" })),
        ("rempso", serde_json::json!({ "rotation": "covariance", "c1": 0.8, "c2": 0.9, "beta": 0.9 })),
    ] {
        let gap = turning_gap(method, json);
        assert!(gap < 1e-10, "{method}: {gap:e}");
    }
    // One number a coordinate prefers the axes: the law must not hold.
    assert!(turning_gap("empso", serde_json::json!({})) > 1e-3);
    assert!(turning_gap("rempso", serde_json::json!({ "rotation": "givens" })) > 1e-3);
}

#[test]
fn translations_commute_with_particle_methods() {
    let shift = [256.0, -512.0, 1024.0]; // powers of two, so that adding them rounds little
    let bowl = |x: &[f64]| x.iter().map(|t| t * t).sum::<f64>();
    let space = Space::unbounded(3).unwrap();
    let here = Function::new(space.clone(), bowl);
    let there =
        Function::new(space.clone(), |x: &[f64]| bowl(&x.iter().zip(shift).map(|(x, s)| x - s).collect::<Vec<_>>()));
    for method in [
        "pso",
        "pso_constriction",
        "mpso",
        "empso",
        "empso_printed",
        "rempso",
        "spso2011",
        "clpso",
        "cbo",
        "pso_sde",
        "de",
    ] {
        let points: Vec<Vec<f64>> = (0..12)
            .map(|i| {
                let mut x = vec![0.0; 3];
                Rng::new(7).row(i).fill_normal(&mut x);
                x
            })
            .collect();
        let moved: Vec<Vec<f64>> = points.iter().map(|x| x.iter().zip(shift).map(|(x, s)| x + s).collect()).collect();
        let walk = |problem: &dyn Problem, points: &Vec<Vec<f64>>| {
            let chosen = settings(serde_json::json!({ "particles": 12, "start": { "points": points } }));
            let mut swarm = registry::entry(method).unwrap().build(&space, None, &chosen).unwrap();
            Run::new(problem, &mut *swarm, 1).watch(&mut Evaluations(12 * 9)).minimize().answer
        };
        let (a, b) = (walk(&here, &points), walk(&there, &moved));
        let gap = a.iter().zip(b.iter().zip(shift)).map(|(a, (b, s))| (a + s - b).abs()).fold(0.0, f64::max);
        assert!(gap < 1e-8, "{method}: {gap:e}");
    }
}
