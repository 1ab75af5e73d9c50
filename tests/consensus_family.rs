//! Laws of the consensus family: sets and surfaces are kept, several minima are found, samples have the law they should, runs
//! of an ensemble walk as they would alone.

use swarmgrad::algorithms::gradient::yardstick::{Differences, DifferencesParams};
use swarmgrad::algorithms::particle::{alpha_for_sample_size, gibbs};
use swarmgrad::combine::ensemble::Ensemble;
use swarmgrad::registry::{self, Settings};
use swarmgrad::{Algorithm, Function, Iterations, Kind, Matrix, Outcome, Problem, Rng, Run, Space};

fn settings(json: serde_json::Value) -> Settings {
    json.as_object().unwrap().clone()
}

fn build(method: &str, space: &Space, json: serde_json::Value) -> Box<dyn Algorithm> {
    registry::entry(method).unwrap().build(space, None, &settings(json)).unwrap()
}

fn run(algorithm: &mut dyn Algorithm, problem: &dyn Problem, seed: u64, iterations: u64) -> Outcome {
    Run::new(problem, algorithm, seed).watch(&mut Iterations(iterations)).minimize()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The largest eigenvalue's eigenvector of diag(1, .., d) on the sphere, and the two largest on the Stiefel manifold.
#[test]
fn surfaces_are_kept_and_minima_found_on_them() {
    let d = 6;
    let space = Space::cube(d, -1.0, 1.0).unwrap();
    let rayleigh = Function::new(space.clone(), |x: &[f64]| {
        -x.iter().enumerate().map(|(j, t)| (j + 1) as f64 * t * t).sum::<f64>()
    });
    for (method, json) in [
        (
            "cbo",
            serde_json::json!({ "surface": "sphere", "noise": "isotropic", "sigma": 0.6, "dt": 0.1, "alpha": "inf" }),
        ),
        (
            "mirror_cbo",
            serde_json::json!({ "map": "sphere", "noise": "isotropic", "sigma": 0.6, "dt": 0.1, "alpha": "inf" }),
        ),
    ] {
        let mut swarm = build(method, &space, json);
        let outcome = run(&mut *swarm, &rayleigh, 1, 300);
        for x in swarm.view().matrix("x").unwrap().iter() {
            assert!((dot(x, x) - 1.0).abs() < 1e-12, "{method} left the sphere");
        }
        assert!((outcome.fun + 6.0).abs() < 1e-3, "{method}: {}", outcome.fun);
    }
    let space = Space::cube(2 * d, -1.0, 1.0).unwrap();
    let trace = |x: &[f64]| -x.chunks(2).enumerate().map(|(j, row)| (j + 1) as f64 * dot(row, row)).sum::<f64>();
    let subspace = Function::new(space.clone(), trace);
    for (method, json) in [
        (
            "cbo",
            serde_json::json!({ "surface": "stiefel", "columns": 2, "noise": "isotropic", "sigma": 0.35, "dt": 0.1, "alpha": "inf" }),
        ),
        (
            "mirror_cbo",
            serde_json::json!({ "map": "stiefel", "columns": 2, "noise": "isotropic", "sigma": 0.35, "dt": 0.1, "alpha": "inf" }),
        ),
    ] {
        let mut swarm = build(method, &space, json);
        let outcome = run(&mut *swarm, &subspace, 1, 500);
        for x in swarm.view().matrix("x").unwrap().iter() {
            let column = |k: usize| x.iter().skip(k).step_by(2).copied().collect::<Vec<_>>();
            let (a, b) = (column(0), column(1));
            assert!((dot(&a, &a) - 1.0).abs() + (dot(&b, &b) - 1.0).abs() + dot(&a, &b).abs() < 1e-12);
        }
        assert!((outcome.fun + 11.0).abs() < 0.02, "{method}: {}", outcome.fun);
    }
    let refused =
        registry::entry("cbo").unwrap().build(&space, None, &settings(serde_json::json!({ "surface": "sphere" })));
    assert!(refused.map(drop).unwrap_err().to_string().contains("must be isotropic on a surface"));
    let wide = serde_json::json!({ "surface": "stiefel", "columns": 5, "noise": "isotropic" });
    let refused = registry::entry("cbo").unwrap().build(&space, None, &settings(wide));
    assert!(refused.map(drop).unwrap_err().to_string().starts_with("columns = 5"));
}

#[test]
fn mirror_maps_keep_their_sets() {
    let space = Space::cube(4, 0.0, 1.0).unwrap();
    let target = [0.7, 0.2, 0.1, 0.0];
    let problem =
        Function::new(space.clone(), move |x: &[f64]| x.iter().zip(target).map(|(x, t)| (x - t) * (x - t)).sum());
    let mut swarm =
        build("mirror_cbo", &space, serde_json::json!({ "map": "simplex", "sigma": 3.0, "dt": 0.1, "alpha": 1e4 }));
    let outcome = run(&mut *swarm, &problem, 3, 600);
    for x in swarm.view().matrix("x").unwrap().iter() {
        assert!(x.iter().all(|t| *t >= 0.0) && (x.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    assert!(outcome.fun < 5e-3, "simplex: {} at {:?}", outcome.fun, outcome.x);
    // Outside the ball the nearest point of it is found: (3, 4)/5 scaled to the radius.
    let space = Space::unbounded(2).unwrap();
    let far = Function::new(space.clone(), |x: &[f64]| (x[0] - 3.0).powi(2) + (x[1] - 4.0).powi(2));
    let mut swarm = build(
        "mirror_cbo",
        &space,
        serde_json::json!({ "map": "ball", "radius": 2.0, "sigma": 2.0, "dt": 0.1, "alpha": 1e4 }),
    );
    let outcome = run(&mut *swarm, &far, 3, 600);
    assert!((outcome.x[0] - 1.2).abs() < 0.02 && (outcome.x[1] - 1.6).abs() < 0.02, "{:?}", outcome.x);
    // A sparse answer: most coordinates exactly 0.
    let space = Space::cube(20, -5.0, 5.0).unwrap();
    let one = Function::new(space.clone(), |x: &[f64]| {
        x.iter().enumerate().map(|(j, t)| (t - if j == 3 { 2.0 } else { 0.0 }).powi(2)).sum()
    });
    let mut swarm = build(
        "mirror_cbo",
        &space,
        serde_json::json!({ "map": "sparse", "threshold": 2.0, "sigma": 5.0, "alpha": 1e4 }),
    );
    let outcome = run(&mut *swarm, &one, 4, 2_000);
    assert!(outcome.x.iter().filter(|t| **t == 0.0).count() >= 17, "{:?}", outcome.x);
    assert!((outcome.x[3] - 2.0).abs() < 0.2, "{:?}", outcome.x);
}

/// Himmelblau's function has four equal minima.
#[test]
fn several_minima_at_once() {
    let minima = [[3.0, 2.0], [-2.805118, 3.131312], [-3.779310, -3.283186], [3.584428, -1.848126]];
    let space = Space::cube(2, -6.0, 6.0).unwrap();
    let himmelblau = |x: &[f64]| (x[0] * x[0] + x[1] - 11.0).powi(2) + (x[0] + x[1] * x[1] - 7.0).powi(2);
    let problem = Function::new(space.clone(), himmelblau);
    for (method, json, fewest) in [
        (
            "cluster_cbo",
            serde_json::json!({ "clusters": 8, "sigma": 1.0, "dt": 0.1, "alpha": 1e3, "particles": 200 }),
            25,
        ),
        (
            "polar_cbo",
            serde_json::json!({ "width": 0.8, "sigma": 1.0, "dt": 0.1, "alpha": 1.0, "alpha_factor": 1.02, "particles": 200 }),
            32,
        ),
        ("cbo", serde_json::json!({ "sigma": 1.0, "dt": 0.1, "alpha": 1e3, "particles": 200 }), 10),
    ] {
        let mut hits = Vec::new();
        for seed in 0..10 {
            let mut swarm = registry::entry(method).unwrap().build(&space, None, &settings(json.clone())).unwrap();
            run(&mut *swarm, &problem, seed, 200);
            let view = swarm.view();
            let centres = view.matrix("c").unwrap_or_else(|| view.matrix("x").unwrap());
            let hit = |m: &&[f64; 2]| centres.iter().any(|c| (c[0] - m[0]).hypot(c[1] - m[1]) < 0.1);
            hits.push(minima.iter().filter(hit).count());
        }
        let all: usize = hits.iter().sum();
        println!("{method}: {hits:?}");
        assert!(all >= fewest && (method != "cbo" || all == 10), "{method}: {hits:?}");
    }
}

/// Consensus-based sampling of a Gaussian with correlated coordinates: mean and covariance.
#[test]
fn samples_have_the_right_law() {
    let space = Space::unbounded(2).unwrap();
    // E = 1/2 (x - m)^T A (x - m), A = [[2, 1], [1, 2]], A^-1 = [[2, -1], [-1, 2]]/3.
    let energy = |x: &[f64]| {
        let (a, b) = (x[0] - 1.0, x[1] + 2.0);
        a * a + a * b + b * b
    };
    let problem = Function::new(space.clone(), energy);
    let (mut mean, mut second, mut n) = ([0.0; 2], [0.0; 3], 0.0);
    for seed in 0..20 {
        let mut swarm = build(
            "cbs",
            &space,
            serde_json::json!({ "particles": 1_000, "alpha": 1.0, "dt": 0.5, "start": { "normal": { "mean": 3.0, "deviation": 2.0 } } }),
        );
        run(&mut *swarm, &problem, seed, 60);
        for x in swarm.view().matrix("x").unwrap().iter() {
            let (a, b) = (x[0] - 1.0, x[1] + 2.0);
            mean = [mean[0] + a, mean[1] + b];
            second = [second[0] + a * a, second[1] + a * b, second[2] + b * b];
            n += 1.0;
        }
    }
    let ([a, b], [aa, ab, bb]) = (mean.map(|t| t / n), second.map(|t| t / n));
    println!("mean {a:.3} {b:.3}, second moments {aa:.3} {ab:.3} {bb:.3}");
    assert!(a.abs() < 0.1 && b.abs() < 0.1, "{a} {b}");
    assert!((aa - 0.667).abs() < 0.1 && (ab + 0.333).abs() < 0.1 && (bb - 0.667).abs() < 0.1, "{aa} {ab} {bb}");
}

/// Drift correction: a particle that is better than the consensus is not drawn to it; the correction costs one evaluation.
#[test]
fn the_drift_correction_spares_the_best() {
    let space = Space::unbounded(1).unwrap();
    let problem = Function::new(space.clone(), |x: &[f64]| x[0] * x[0]);
    let json = |correction: &str| {
        serde_json::json!({ "particles": 3, "alpha": 0.0, "sigma": 0.0, "correction": correction, "dt": 0.5,
        "epsilon": 1e-3, "start": { "points": [[0.0], [3.0], [6.0]] } })
    };
    let step = |correction: &str| {
        let mut swarm = build("cbo", &space, json(correction));
        let outcome = run(&mut *swarm, &problem, 1, 1);
        (swarm.view().matrix("x").unwrap().data().to_vec(), outcome.nfev)
    };
    // The consensus is the mean, 3, of value 9.
    assert_eq!(step("none"), (vec![1.5, 3.0, 4.5], 6));
    assert_eq!(step("heaviside"), (vec![0.0, 3.0, 4.5], 7));
    let (smooth, nfev) = step("smooth");
    assert!(nfev == 7 && smooth[0].abs() < 1e-12 && (smooth[2] - 4.5).abs() < 1e-12);
}

/// The gradient drift descends: without noise and drift a particle follows its gradient, in a box too.
#[test]
fn the_gradient_drift_descends() {
    let space = Space::cube(2, -1.0, 2.0).unwrap();
    let problem = Function::new(space.clone(), |x: &[f64]| x[0] * x[0] + 10.0 * x[1] * x[1]);
    let json = serde_json::json!({ "particles": 4, "lambda": 0.0, "sigma": 0.0, "gradient": 1.0, "dt": 0.05, "start": { "points": [[2.0, 2.0], [-1.0, 1.0], [1.0, -1.0], [0.5, 0.5]] } });
    let mut swarm = build("cbo", &space, json);
    let outcome = run(&mut *swarm, &problem, 1, 200);
    assert_eq!(outcome.nfev, 4 + 200 * (4 * 2 + 4));
    assert!(swarm.view().matrix("x").unwrap().iter().all(|x| problem.value(x) < 1e-6));
}

/// Jumps are what they say: compound Poisson, so that the variance of a step is rate dt times the square of the distance.
#[test]
fn jumps_have_their_variance() {
    let space = Space::unbounded(1).unwrap();
    let flat = Function::new(space.clone(), |x: &[f64]| if x[0] == 0.0 { 0.0 } else { 1.0 });
    let n = 40_000;
    let mut points = vec![[1.0]; n];
    points[0] = [0.0];
    let json = serde_json::json!({ "particles": n, "alpha": "inf", "lambda": 0.0, "sigma": 0.0, "jump_rate": 3.0, "jump": 0.5, "dt": 0.1,
        "jump_decay": 2.0, "start": { "points": points } });
    let mut swarm = build("cbo", &space, json);
    run(&mut *swarm, &flat, 5, 1);
    let view = swarm.view();
    let gaps: Vec<f64> = view.matrix("x").unwrap().iter().skip(1).map(|x| x[0] - 1.0).collect();
    let second = gaps.iter().map(|g| g * g).sum::<f64>() / gaps.len() as f64;
    let still = gaps.iter().filter(|g| **g == 0.0).count() as f64 / gaps.len() as f64;
    assert!((second / (0.3 * 0.25) - 1.0).abs() < 0.05, "{second}");
    assert!((still - (-0.3f64).exp()).abs() < 0.01, "{still}");
}

#[test]
fn schedules_do_what_they_say() {
    let space = Space::cube(3, -4.0, 4.0).unwrap();
    let problem = Function::new(space.clone(), |x: &[f64]| dot(x, x));
    let json =
        serde_json::json!({ "sigma": 2.0, "sigma_factor": 0.9, "alpha": 3.0, "alpha_factor": 1.5, "alpha_most": 40.0 });
    let mut swarm = build("cbo", &space, json);
    run(&mut *swarm, &problem, 1, 5);
    assert!((swarm.view().number("sigma").unwrap() - 2.0 * 0.9f64.powi(5)).abs() < 1e-12);
    assert!((swarm.view().number("alpha").unwrap() - 3.0 * 1.5f64.powi(5)).abs() < 1e-12);
    run(&mut *swarm, &problem, 1, 20);
    assert_eq!(swarm.view().number("alpha").unwrap(), 40.0);
    let methods = ["cbo", "cbs", "consensus_hopping", "adam_cbo", "mirror_cbo", "polar_cbo", "cluster_cbo", "pso_sde"];
    for method in methods {
        let mut swarm = build(method, &space, serde_json::json!({ "sample_size": 0.3, "particles": 50 }));
        run(&mut *swarm, &problem, 2, 3);
        let view = swarm.view();
        let (alpha, values) = (
            view.number("alpha").unwrap(),
            ["fy", "fx"].into_iter().find_map(|of| view.vector(of).filter(|v| !v.is_empty())),
        );
        let values = values.unwrap();
        assert!((gibbs(values, alpha, 0.0).effective / 15.0 - 1.0).abs() < 1e-6, "{method}");
        assert_eq!(alpha, alpha_for_sample_size(values, 0.3, 1e-12, 1e15), "{method}");
    }
}

/// Himmelblau's four minima, all of value 0, each with its own particles; also where the budget ends within a round.
#[test]
fn several_minima_are_reported() {
    let space = Space::cube(2, -5.0, 5.0).unwrap();
    let himmelblau = |x: &[f64]| (x[0] * x[0] + x[1] - 11.0).powi(2) + (x[0] + x[1] * x[1] - 7.0).powi(2);
    let problem = Function::new(space.clone(), himmelblau);
    let minima = [[3.0, 2.0], [-2.805_118, 3.131_312], [-3.779_310, -3.283_186], [3.584_428, -1.848_126]];
    let settings = serde_json::json!({ "particles": 200, "sigma": 1.0, "dt": 0.1, "alpha": 1.0, "width": 0.8,
        "alpha_factor": 1.02 });
    for (method, json, fewest) in [
        ("polar_cbo", settings, 4),
        ("cluster_cbo", serde_json::json!({ "particles": 200, "sigma": 1.0, "dt": 0.1, "clusters": 8 }), 2),
    ] {
        let mut swarm = build(method, &space, json);
        let mut budget = swarmgrad::Evaluations(200 * 300 + 77); // the last round is cut off
        let outcome = Run::new(&problem, &mut *swarm, 3).watch(&mut budget).minimize();
        let several = outcome.solutions.unwrap();
        assert_eq!(several.kind, Kind::Minima);
        assert_eq!(several.points.iter().map(|found| found.particles).sum::<usize>(), 200, "{method}");
        assert!(several.points.is_sorted_by(|a, b| a.value <= b.value));
        for found in &several.points {
            assert_eq!(found.value, himmelblau(&found.x), "{method}: value and point belong together");
        }
        let near = |m: &[f64; 2]| {
            several.points.iter().any(|f| (f.x[0] - m[0]).abs() + (f.x[1] - m[1]).abs() < 0.2 && f.particles > 5)
        };
        let found = minima.iter().filter(|m| near(m)).count();
        assert!(found >= fewest, "{method}: {several:?}");
        assert!(method != "polar_cbo" || several.points.len() == 4, "{several:?}");
    }
}

/// What the help of `minimize` promises, with the defaults.
#[test]
fn polarised_swarms_find_four_minima_as_they_are() {
    let problem = swarmgrad::problems::entry("himmelblau").unwrap().build::<f64>(2, None).unwrap();
    for seed in 0..5 {
        let mut swarm = build("polar_cbo", problem.space(), serde_json::json!({}));
        let several = run(&mut *swarm, &*problem, seed, 400).solutions.unwrap();
        let low = several.points.iter().filter(|found| found.value < 1.0).count();
        assert!(low == 4 && several.points.len() == 4, "seed {seed}: {several:?}");
    }
}

/// exp(-x^2/2 - (y - 1)^2/2): mean (0, 1) and variances 1, from the particles that are handed out.
#[test]
fn samples_are_reported() {
    let space = Space::unbounded(2).unwrap();
    let problem = Function::new(space.clone(), |x: &[f64]| 0.5 * (x[0] * x[0] + (x[1] - 1.0).powi(2)));
    let json = serde_json::json!({ "particles": 4000, "start": { "normal": { "mean": 3.0, "deviation": 2.0 } } });
    let several = run(&mut *build("cbs", &space, json), &problem, 5, 40).solutions.unwrap();
    assert_eq!((several.kind, several.points.len()), (Kind::Samples, 4000));
    for (j, mean) in [0.0, 1.0].into_iter().enumerate() {
        let at = |f: &dyn Fn(f64) -> f64| several.points.iter().map(|found| f(found.x[j])).sum::<f64>() / 4000.0;
        let found = at(&|t| t);
        let variance = at(&|t| (t - found).powi(2));
        assert!((found - mean).abs() < 0.1 && (variance - 1.0).abs() < 0.15, "{found} +- {variance}");
    }
    assert!(several.points.iter().all(|found| found.value == problem.value(&found.x)));
    let optimising = serde_json::json!({ "aim": "optimise" });
    assert!(run(&mut *build("cbs", &space, optimising), &problem, 5, 3).solutions.is_none());
}

/// The factors and the paper's cooling multiply.
#[test]
fn schedules_of_the_mean_field_swarm() {
    let space = Space::cube(2, -4.0, 4.0).unwrap();
    let problem = Function::new(space.clone(), |x: &[f64]| dot(x, x));
    let factors = serde_json::json!({ "sigma1": 0.5, "lambda1": 0.2, "sigma2": 2.0, "sigma_factor": 0.9, "alpha": 3.0,
        "alpha_factor": 1.5, "alpha_most": 40.0, "epoch": 4, "cooling": true });
    let mut swarm = build("pso_sde", &space, factors);
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} instead of {b}");
    for (iterations, epochs) in [(5, 1.0f64), (9, 2.0)] {
        run(&mut *swarm, &problem, 1, iterations as u64);
        let cool = 0.9f64.powi(iterations) / (epochs + 2.0).log2();
        near(swarm.view().number("sigma2").unwrap(), 2.0 * cool);
        near(swarm.view().number("sigma1").unwrap(), 0.5 * cool);
        near(swarm.view().number("alpha").unwrap(), (3.0 * 1.5f64.powi(iterations)).min(40.0) * epochs.exp2());
    }
    // An infinite alpha, one of 0 and one beyond the end of the factor stay as they are, however long it takes.
    for (alpha, factor, before) in [
        (serde_json::json!("inf"), 0.5, f64::INFINITY),
        (serde_json::json!(0.0), 2.0, 0.0),
        (serde_json::json!(60.0), 2.0, 60.0),
    ] {
        let json = serde_json::json!({ "particles": 3, "sigma2": 0.5, "alpha": alpha, "alpha_factor": factor, "alpha_most": 40.0 });
        let mut swarm = build("pso_sde", &space, json);
        run(&mut *swarm, &problem, 1, 1_200);
        assert_eq!(swarm.view().number("alpha").unwrap(), before);
        assert!(swarm.view().matrix("x").unwrap().data().iter().all(|t| t.is_finite()));
    }
    let forgotten = settings(serde_json::json!({ "cooling": true }));
    let why = registry::entry("pso_sde").unwrap().build(&space, None, &forgotten).err().unwrap().to_string();
    assert!(why.contains("epoch = null: must be given: cooling acts when an epoch is over"), "{why}");
}

/// Methods with gradients keep them in an ensemble: each run is the one it would be alone, for as many iterations as it came to
/// (a move with a step along its gradient takes more rounds).
#[test]
fn an_ensemble_passes_gradients_on() {
    let problem = swarmgrad::problems::entry("rosenbrock").unwrap().build::<f64>(3, None).unwrap();
    let (problem, space): (&dyn Problem, _) = (&*problem, problem.space().clone());
    let entry = registry::entry("diff_pso").unwrap();
    let settings = settings(serde_json::json!({ "particles": 10 }));
    let mut ensemble = Ensemble::new(entry, 3, &space, None, &settings).unwrap();
    let mut source = Differences::new(problem, DifferencesParams::default()).unwrap();
    let outcome = Run::new(problem, &mut ensemble, 4).gradients(&mut source, 3.0).watch(&mut Iterations(20)).minimize();
    let mut evaluations = 0;
    for k in 0..3 {
        let mut alone = entry.build(&space, None, &settings).unwrap();
        let mut source = Differences::new(problem, DifferencesParams::default()).unwrap();
        let one = Run::new(problem, &mut *alone, 0)
            .gradients(&mut source, 3.0)
            .rng(Rng::new(4).fork(&format!("run{k}")))
            .watch(&mut Iterations(ensemble.runs()[k].iterations()))
            .minimize();
        assert_eq!(outcome.solutions.as_ref().unwrap().points[k].x, one.x, "run {k}");
        evaluations += one.nfev;
    }
    // More than its points: gradients were asked for, each by its own run.
    assert!(evaluations > 3 * 10 * 21 && outcome.nfev == evaluations, "{evaluations}");
}

#[test]
fn an_ensemble_is_its_runs_in_one_batch() {
    let space = Space::cube(4, -5.0, 5.0).unwrap();
    let problem = Function::new(space.clone(), |x: &[f64]| dot(x, x));
    let json = settings(serde_json::json!({ "particles": 12, "sigma": 2.0, "dt": 0.1, "alpha": 1e3 }));
    let cbo = registry::entry("cbo").unwrap();
    let mut ensemble = Ensemble::new(cbo, 5, &space, None, &json).unwrap();
    let outcome = run(&mut ensemble, &problem, 7, 30);
    assert_eq!((outcome.nfev, outcome.nit), (5 * 12 * 31, 30));
    let mut best = f64::INFINITY;
    for k in 0..5 {
        let mut alone = build("cbo", &space, json.clone().into());
        let one = Run::new(&problem, &mut *alone, 0)
            .rng(Rng::new(7).fork(&format!("run{k}")))
            .watch(&mut Iterations(30))
            .minimize();
        assert_eq!(one.answer, ensemble.answers()[k], "run {k}");
        assert_eq!(one.fun, ensemble.best()[k]);
        let found = &outcome.solutions.as_ref().unwrap().points[k];
        assert_eq!((&found.x, found.value), (&one.x, one.fun));
        best = best.min(one.fun);
    }
    assert_eq!(outcome.fun, best);
    // Saved and loaded it goes on to the same bits.
    let mut bytes = Vec::new();
    ensemble.save(&mut bytes).unwrap();
    let mut second = Ensemble::load(cbo, &bytes).unwrap();
    let mut xs = [Matrix::default(), Matrix::default()];
    ensemble.ask(&Rng::new(7).at(31), &mut xs[0]);
    second.ask(&Rng::new(7).at(31), &mut xs[1]);
    assert_eq!(xs[0], xs[1]);
    assert!(Ensemble::new(cbo, 0, &space, None, &json).is_err() && Ensemble::load(cbo, &bytes[..20]).is_err());
}
