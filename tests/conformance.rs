//! What every method of the registry must do. A new entry inherits all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use swarmgrad::registry::{Entry, Settings, entries};
use swarmgrad::testing::violations;
use swarmgrad::{
    Algorithm, Evaluations, Function, Iterations, Matrix, Outcome, Problem, Real, Reason, Rng, Run, Space, Workers,
};

fn settings(json: serde_json::Value) -> Settings {
    json.as_object().unwrap().clone()
}

/// Settings under which a method works on a bowl in a few thousand evaluations; the defaults are for harder cases.
fn bowl(entry: &Entry) -> Settings {
    match entry.name {
        "pso_sde" => {
            settings(serde_json::json!({ "particles": 40, "dt": 0.1, "sigma2": 2.5, "alpha": "inf", "inertia": 0.02 }))
        }
        "cbo" | "mirror_cbo" | "diff_cbo" => {
            settings(serde_json::json!({ "particles": 40, "dt": 0.1, "sigma": 2.5, "alpha": "inf" }))
        }
        "mo_cbo" => settings(serde_json::json!({ "particles": 40, "dt": 0.1, "sigma": 2.5, "alpha": "inf" })),
        "polar_cbo" => {
            settings(serde_json::json!({ "particles": 40, "dt": 0.1, "sigma": 2.5, "alpha": "inf", "width": "inf" }))
        }
        "cluster_cbo" => {
            settings(serde_json::json!({ "particles": 40, "dt": 0.1, "sigma": 2.5, "alpha": "inf", "clusters": 1 }))
        }
        "adam_cbo" => {
            settings(serde_json::json!({ "particles": 40, "dt": 0.1, "sigma": 2.5, "alpha": "inf", "lambda": 0.1 }))
        }
        // Far away all the weight would be one particle's.
        "cbs" => settings(serde_json::json!({ "sample_size": 0.5 })),
        "consensus_hopping" => {
            settings(serde_json::json!({ "particles": 40, "sigma": 8.0, "sigma_factor": 0.96, "alpha": "inf" }))
        }
        "islands" => settings(serde_json::json!({ "method": "pso:particles=15", "islands": 2 })),
        "open_es" => settings(serde_json::json!({ "particles": 10, "sigma": 0.3, "decay": 0.98 })),
        "pgpe" => settings(serde_json::json!({ "particles": 10, "sigma_rate": 0.3 })),
        _ => Settings::new(),
    }
}

fn sphere(dim: usize) -> Function<f64, impl Fn(&[f64]) -> f64 + Sync> {
    Function::new(Space::cube(dim, -100.0, 100.0).unwrap(), |x: &[f64]| x.iter().map(|t| (t - 1.0) * (t - 1.0)).sum())
}

fn run<P: Problem>(entry: &Entry, problem: &P, settings: &Settings, seed: u64, evaluations: u64) -> Outcome {
    let mut algorithm = entry.build(problem.space(), Some(evaluations), settings).unwrap();
    Run::new(problem, &mut *algorithm, seed).watch(&mut Evaluations(evaluations)).minimize()
}

/// Whether the run used its whole budget, or the method ended before by itself.
fn is_spent(outcome: &Outcome, budget: u64) -> bool {
    outcome.nfev == budget || outcome.nfev < budget && matches!(outcome.reason, Reason::Method(_))
}

/// Whether the method has a population of a size that the user chooses.
fn has_particles(entry: &Entry) -> bool {
    entry.parameters().iter().any(|p| p.name == "particles")
}

/// A population of this size, where the method has one.
fn population(entry: &Entry, particles: usize) -> Settings {
    if has_particles(entry) { settings(serde_json::json!({ "particles": particles })) } else { Settings::new() }
}

/// The smallest population that the table allows.
fn least_particles(entry: &Entry) -> usize {
    let parameters = entry.parameters();
    let range = parameters.iter().find(|p| p.name == "particles").map_or("1", |p| &p.range);
    range.rsplit(' ').next().unwrap().parse().unwrap()
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter().map(|t| t.to_bits()).collect()
}

#[test]
fn every_method_keeps_the_laws() {
    let broken: Vec<_> = entries().flat_map(|entry| violations(entry, &Settings::new())).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Checks every method and names all that fail.
fn each(mut check: impl FnMut(&Entry)) {
    assert!(entries().count() >= 12);
    let mut passes = |entry: &Entry| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(entry))).is_ok();
    let failing: Vec<&str> = entries().filter(|entry| !passes(entry)).map(|entry| entry.name).collect();
    assert!(failing.is_empty(), "{failing:?}");
}

#[test]
fn one_two_and_eight_threads_give_the_same_bits() {
    each(|entry| {
        // 20 dimensions, and so many that rows, columns and tiles are split among threads.
        for (dim, particles, iterations) in [(20, 900, 12), (2_001, 21, 6)] {
            // Where an iteration costs d^3 or the state d^2: the same code path, with matrices of the same kind.
            let dear = [
                "rempso",
                "cma_es",
                "ipop_cma_es",
                "bipop_cma_es",
                "lq_cma_es",
                "xnes",
                "nelder_mead",
                "trust_region",
                "sqp",
                "constrained",
                "direct",
                "gp",
            ]
            .contains(&entry.name);
            let dim = if dear { dim.min(300) } else { dim };
            let problem = sphere(dim);
            let mut outcomes = Vec::new();
            for threads in [1, 2, 8] {
                let workers = Workers::new(threads).unwrap();
                let particles = population(entry, particles);
                let mut algorithm = entry.build(problem.space(), Some(100_000), &particles).unwrap();
                let mut limit = Iterations(iterations);
                let outcome = Run::new(&problem, &mut *algorithm, 3).watch(&mut limit).workers(&workers).minimize();
                let mut state = Vec::new();
                algorithm.save(&mut state).unwrap();
                outcomes.push((bits(&outcome.x), bits(&outcome.answer), outcome.nfev, state));
            }
            assert!(outcomes[0] == outcomes[1] && outcomes[0] == outcomes[2], "{} in {dim} dimensions", entry.name);
        }
    });
}

/// Long rows are moved by kernels that draw as they go, unless draws are recorded: the bits must be those of the plain kernels.
#[test]
fn recording_the_draws_changes_nothing() {
    each(|entry| {
        for (dim, particles) in [(3, 5), (601, 7), (1_030, 4)] {
            // Nothing in it depends on the number of variables, but an iteration costs d^3.
            let dim = if ["trust_region", "sqp", "constrained", "direct", "gp"].contains(&entry.name) {
                dim.min(60)
            } else {
                dim
            };
            let problem = sphere(dim);
            let few = population(entry, particles);
            let variants: &[serde_json::Value] = match entry.name {
                "pso_sde" => &[
                    serde_json::json!({}),
                    serde_json::json!({ "lambda1": 0.4, "sigma1": 0.5 }),
                    serde_json::json!({ "batch": 1 }),
                ],
                "pso" => &[serde_json::json!({}), serde_json::json!({ "topology": "ring" })],
                _ => &[serde_json::json!({})],
            };
            for variant in variants {
                let mut chosen = few.clone();
                chosen.append(&mut settings(variant.clone()));
                let walk = |rng: Rng| {
                    let mut algorithm = entry.build(problem.space(), Some(1_000), &chosen).unwrap();
                    Run::new(&problem, &mut *algorithm, 0).rng(rng).watch(&mut Iterations(4)).minimize();
                    let x = bits(algorithm.view().matrix("x").unwrap().data());
                    (x, algorithm.view().matrix("v").map(|v| bits(v.data())))
                };
                let recorded = walk(Rng::new(3).recording(Arc::default()));
                assert!(recorded == walk(Rng::new(3)), "{} {variant} in {dim} dimensions", entry.name);
            }
        }
        let space = Space::<f32>::cube(700, -5.0, 5.0).unwrap();
        let problem = Function::new(space.clone(), |x: &[f32]| x.iter().map(|t| t * t).sum::<f32>());
        let walk = |rng: Rng| {
            let mut algorithm = entry.build(&space, None, &population(entry, 6)).unwrap();
            Run::new(&problem, &mut *algorithm, 0).rng(rng).watch(&mut Iterations(3)).minimize();
            let x = algorithm.view().matrix("x").unwrap().data().to_vec();
            x.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        assert!(walk(Rng::new(8).recording(Arc::default())) == walk(Rng::new(8)), "{} in f32", entry.name);
    });
}

#[test]
fn an_iteration_evaluates_every_particle_once() {
    each(|entry| {
        let calls = AtomicU64::new(0);
        let counted = Function::new(Space::cube(3, -5.0, 5.0).unwrap(), |x: &[f64]| {
            calls.fetch_add(1, Ordering::Relaxed);
            x.iter().map(|t| t * t).sum::<f64>()
        });
        // n (T + 1) for T iterations.
        if !has_particles(entry) {
            return;
        }
        calls.store(0, Ordering::Relaxed);
        let mut algorithm =
            entry.build(counted.space(), None, &settings(serde_json::json!({ "particles": 10 }))).unwrap();
        let outcome = Run::new(&counted, &mut *algorithm, 1).watch(&mut Iterations(20)).minimize();
        assert_eq!((outcome.nfev, calls.load(Ordering::Relaxed), outcome.nit), (210, 210, 20));
    });
}

#[test]
fn failures_of_the_objective_are_survived_and_counted() {
    // The objective's panics are the test; others are to be seen.
    std::panic::set_hook(Box::new(|why| {
        if !why.to_string().contains("fell over") {
            eprintln!("{why}");
        }
    }));
    each(|entry| {
        let calls = AtomicU64::new(0);
        let failing = AtomicU64::new(0);
        let problem = Function::new(Space::cube(4, -10.0, 10.0).unwrap(), |x: &[f64]| {
            // Which point fails depends on the point, so that the batch and its repetition agree.
            let key = x.iter().fold(0u64, |h, t| h.rotate_left(7) ^ t.to_bits()).wrapping_mul(0x9e3779b97f4a7c15) >> 60;
            calls.fetch_add(1, Ordering::Relaxed);
            if key < 4 {
                failing.fetch_add(1, Ordering::Relaxed);
            }
            match key {
                0 => f64::NAN,
                1 => f64::INFINITY,
                2 => f64::NEG_INFINITY,
                3 => panic!("the user's program fell over"),
                _ => x.iter().map(|t| t * t).sum::<f64>(),
            }
        });
        let outcome = run(entry, &problem, &bowl(entry), 5, 4_000);
        let (name, reason) = (entry.name, &outcome.reason);
        let fine = is_spent(&outcome, 4_000) && outcome.failures > outcome.nfev / 13 && outcome.fun >= 0.0;
        let counts = (outcome.failures, outcome.nfev, outcome.fun);
        assert!(fine && outcome.fun.is_finite(), "{name}: {reason:?}, {counts:?}");
        assert!(
            outcome.fun < if entry.name == "random_search" { 30.0 } else { 1.0 },
            "{}: {}",
            entry.name,
            outcome.fun
        );
        assert!(outcome.answer.iter().all(|t| t.is_finite()));
    });
    let _ = std::panic::take_hook();
}

#[test]
fn the_smallest_cases_work() {
    each(|entry| {
        let few = population(entry, least_particles(entry));
        let outcome = run(entry, &sphere(1), &few, 1, 50);
        assert!(is_spent(&outcome, 50) && outcome.fun.is_finite());
    });
}

#[test]
fn single_precision_works_and_follows_the_same_law() {
    each(|entry| {
        let space = Space::<f32>::cube(5, -100.0, 100.0).unwrap();
        let problem = Function::new(space.clone(), |x: &[f32]| x.iter().map(|t| (t - 1.0) * (t - 1.0)).sum::<f32>());
        let (budget, bound) = bowl_budget(entry);
        let mut algorithm = entry.build(&space, Some(budget), &bowl(entry)).unwrap();
        let outcome = Run::new(&problem, &mut *algorithm, 4).watch(&mut Evaluations(budget)).minimize();
        assert!(space.contains(&outcome.x) && outcome.fun.is_finite());
        assert!(outcome.fun.f64() < bound, "{}: {}", entry.name, outcome.fun);
        // Between two rounds: the budget may have cut the last one off.
        let mut algorithm = entry.build(&space, Some(budget), &bowl(entry)).unwrap();
        Run::new(&problem, &mut *algorithm, 4).watch(&mut Iterations(3)).minimize();
        let mut state = Vec::new();
        algorithm.save(&mut state).unwrap();
        entry.load::<f32>(&state).unwrap();
    });
}

/// Evaluations on the shifted bowl in five dimensions from a start of size 100, and the value they must reach. CLPSO learns
/// from many exemplars and the genetic algorithm mixes its parents: they are the slowest where there is one basin.
fn bowl_budget(entry: &Entry) -> (u64, f64) {
    match entry.name {
        "random_search" => (6_000, 4_000.0),
        "clpso" | "ga" | "diff_ga" | "nsga2" | "sms_emoa" => (40_000, 1e-2),
        "cbs" => (20_000, 1.0), // samples of exp(-E), whose deviation is 0.7
        _ => (6_000, 1e-2),
    }
}

#[test]
fn solves_the_sphere_from_far_away() {
    each(|entry| {
        if entry.name == "cbs" {
            // A finite cloud that travels shrinks with every iteration, most along its way: of a distance of 177 particles
            // with a deviation of 5 cover 53, 118 and 117 where there are 200, 400 and 1600 of them. Its laws are in
            // consensus_family.rs.
            return;
        }
        let problem = sphere(5);
        let mut far = bowl(entry);
        far.insert("start".into(), serde_json::json!({ "normal": { "mean": 80.0, "deviation": 5.0 } }));
        let (budget, bound) = bowl_budget(entry);
        let outcome = run(entry, &problem, &far, 6, budget);
        assert!(outcome.fun < bound, "{}: {}", entry.name, outcome.fun);
        let to_answer: f64 = outcome.answer.iter().map(|t| (t - 1.0).powi(2)).sum();
        assert!(to_answer < bound, "{}: the answer is {to_answer} off", entry.name);
    });
}

#[test]
fn points_improved_between_ask_and_tell_are_taken_over() {
    each(|entry| {
        let problem = sphere(3);
        let mut algorithm = entry.build(problem.space(), None, &population(entry, 8)).unwrap();
        let (rng, mut xs) = (Rng::new(1), Matrix::default());
        algorithm.ask(&rng, &mut xs);
        let some = 5.min(xs.len() - 1);
        xs.row_mut(some).fill(1.0); // the minimum, from elsewhere
        let values: Vec<f64> = xs.iter().map(|x| problem.value(x)).collect();
        algorithm.tell(&mut xs, &values);
        // Those answer with a consensus or a mean.
        let by_mean = [
            "cbo",
            "diff_cbo",
            "pso_sde",
            "cma_es",
            "diff_cma_es",
            "diff_es",
            "polar_cbo",
            "cluster_cbo",
            "mirror_cbo",
            "adam_cbo",
            "cbs",
            "consensus_hopping",
            "sep_cma_es",
            "cr_fm_nes",
            "xnes",
            "snes",
            "open_es",
            "pgpe",
        ];
        if !by_mean.contains(&entry.name) {
            assert_eq!(algorithm.answer(), vec![1.0; 3], "{}", entry.name);
        }
        let shown = algorithm.view();
        assert_eq!(shown.matrix("x").unwrap().row(some), [1.0; 3]);
    });
}

#[test]
fn bad_parameters_are_named_with_value_and_rule() {
    each(|entry| {
        let space = Space::<f64>::cube(2, 0.0, 1.0).unwrap();
        let refused = |json: serde_json::Value| {
            let built = entry.build(&space, None, &settings(json));
            built.map(|_| ()).expect_err("must be refused").to_string()
        };
        if has_particles(entry) {
            assert!(
                refused(serde_json::json!({ "particles": 0 })).contains("particles = 0: must be a whole number >= ")
            );
            assert!(
                refused(serde_json::json!({ "particles": 2.5 })).contains("particles = 2.5: must be a whole number")
            );
            assert!(refused(serde_json::json!({ "particles": 1e12 })).contains("GiB of memory for 2 variables"));
            assert!(entry.build(&space, None, &settings(serde_json::json!({ "particles": 1e2 }))).is_ok());
            assert!(refused(serde_json::json!({ "particles": "many" })).contains("particles = \"many\": must be"));
            assert!(refused(serde_json::json!({ "partikles": 3 })).contains("did you mean 'particles'?"));
        }
        assert!(refused(serde_json::json!({ "preset": "nonsense" })).contains("unknown preset"));
        for (preset, ..) in entry.presets {
            assert!(entry.build(&space, None, &settings(serde_json::json!({ "preset": preset }))).is_ok());
        }
        for parameter in entry.parameters() {
            assert!(!parameter.about.is_empty() && !parameter.range.is_empty());
            let bad = settings(serde_json::json!({ parameter.name: { "no": "sense" } }));
            assert!(entry.build(&space, None, &bad).is_err_and(|e| e.to_string().contains(parameter.name)));
            // Every default can be given back as it is shown.
            let same = settings(serde_json::json!({ parameter.name: parameter.default }));
            assert!(entry.build(&space, None, &same).is_ok(), "{} {}", entry.name, parameter.name);
        }
    });
}
