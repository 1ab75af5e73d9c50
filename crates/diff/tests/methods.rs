//! What every differentiable method must do with gradients, in every mode. (Without gradients the facade's suites see them.)

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use swarmgrad_algorithms::gradient::yardstick::{Differences, DifferencesParams, Exact};
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::registry;
use swarmgrad_core::{
    Differentiable, Evaluations, Iterations, Matrix, Outcome, Outside, Problem, Progress, Reason, Rng, Run, Space,
};
use swarmgrad_diff::registry::ENTRIES;

/// A shifted, stretched bowl with a gradient, which counts.
struct Bowl {
    space: Space,
    values: AtomicU64,
    gradients: AtomicU64,
}

fn bowl(dim: usize) -> Bowl {
    Bowl { space: Space::cube(dim, -10.0, 10.0).unwrap(), values: AtomicU64::new(0), gradients: AtomicU64::new(0) }
}

fn curvature(j: usize) -> f64 {
    1.0 + 3.0 * j as f64
}

impl Problem for Bowl {
    fn space(&self) -> &Space {
        &self.space
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.values.fetch_add(1, Relaxed);
        x.iter().enumerate().map(|(j, t)| curvature(j) * (t - 1.5).powi(2)).sum()
    }
}

impl Differentiable for Bowl {
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        self.gradients.fetch_add(1, Relaxed);
        out.iter_mut().zip(x).enumerate().for_each(|(j, (o, t))| *o = 2.0 * curvature(j) * (t - 1.5));
    }
}

/// Something with a value and a gradient that may be anything.
struct Wild<V, G> {
    space: Space,
    value: V,
    gradient: G,
}

impl<V: Fn(&[f64]) -> f64 + Sync, G: Fn(&[f64], &mut [f64]) + Sync> Problem for Wild<V, G> {
    fn space(&self) -> &Space {
        &self.space
    }
    fn value(&self, x: &[f64]) -> f64 {
        (self.value)(x)
    }
}

impl<V: Fn(&[f64]) -> f64 + Sync, G: Fn(&[f64], &mut [f64]) + Sync> Differentiable for Wild<V, G> {
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        (self.gradient)(x, out);
    }
}

const MODES: [&str; 5] = ["classical", "adaptive", "diff", "full", "hybrid"];

/// The modes that a method has.
fn modes(entry: &Entry) -> &'static [&'static str] {
    if ["diff_jde", "diff_shade"].contains(&entry.name) { &["classical", "hybrid"] } else { &MODES }
}

/// The methods that sample from a distribution: they may see their own end.
const DISTRIBUTIONS: [&str; 2] = ["diff_es", "diff_cma_es"];

/// The plain method.
fn plain(entry: &Entry) -> &'static Entry {
    let name = if entry.name == "diff_es" { "snes" } else { entry.name.strip_prefix("diff_").unwrap() };
    registry::entry(name).unwrap()
}

fn settings(json: serde_json::Value) -> Settings {
    json.as_object().unwrap().clone()
}

fn chosen(entry: &Entry, mode: &str) -> Settings {
    let mut chosen = settings(serde_json::json!({ "mode": mode, "particles": 20 }));
    if entry.name == "diff_lshade" {
        chosen.insert("archive".into(), 1.4.into());
    }
    if entry.name == "diff_cbo" {
        chosen.append(&mut settings(serde_json::json!({ "dt": 0.1, "sigma": 2.5, "alpha": "inf" })));
    }
    chosen
}

fn each(mut check: impl FnMut(&Entry, &str)) {
    assert!(ENTRIES.len() >= 10);
    for entry in ENTRIES {
        for mode in modes(entry) {
            check(entry, mode);
        }
    }
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter().map(|t| t.to_bits()).collect()
}

fn solve<P: Differentiable>(entry: &Entry, problem: &P, settings: &Settings, budget: u64, cost: f64) -> Outcome {
    let mut algorithm = entry.build(problem.space(), Some(budget), settings).unwrap();
    let mut source = Exact::<f64, P>::new(problem);
    Run::new(problem, &mut *algorithm, 3).gradients(&mut source, cost).watch(&mut Evaluations(budget)).minimize()
}

/// The points of an iteration, as bits.
fn trace(entry: &Entry, settings: &Settings, problem: &Bowl, iterations: u64, gradients: bool) -> Vec<Vec<u64>> {
    // The differentiable CMA-ES mirrors at bounds, which the plain one does where it is told so.
    let mirrored = problem.space().clone().with_outside(Outside::Reflect);
    let space = if entry.name == "cma_es" { &mirrored } else { problem.space() };
    let mut algorithm = entry.build(space, Some(10_000), settings).unwrap();
    let mut source = Exact::<f64, Bowl>::new(problem);
    let mut seen = Vec::new();
    let mut see = |p: &Progress<'_>| {
        let view = p.algorithm.view();
        seen.push(
            view.matrices.iter().flat_map(|(_, m)| bits(m.data())).chain(bits(view.vector("fx").unwrap())).collect(),
        );
        ControlFlow::Continue(())
    };
    let mut limit = Iterations(iterations);
    let run = Run::new(problem, &mut *algorithm, 3);
    // The population of L-SHADE shrinks with what is spent: there gradients are free, so that the iterations are the same.
    let price = if entry.name == "diff_lshade" { 1.0 } else { 3.0 };
    let run = if gradients { run.gradients(&mut source, price) } else { run };
    run.watch(&mut see).watch(&mut limit).minimize();
    seen
}

#[test]
fn classical_is_the_plain_method_and_so_is_a_learning_rate_of_zero() {
    each(|entry, mode| {
        if mode == "hybrid" {
            return;
        }
        let problem = bowl(6);
        let plain = plain(entry);
        let mut still = chosen(entry, mode);
        let mut own = chosen(entry, mode);
        own.remove("mode");
        let expected = trace(plain, &own, &problem, 100, false);
        still.append(&mut settings(serde_json::json!({ "learning_rate": 0.0, "step": 0.0 })));
        assert!(trace(entry, &still, &problem, 100, true) == expected, "{} {mode} at rate 0", entry.name);
        if mode != "classical" {
            assert!(trace(entry, &chosen(entry, mode), &problem, 100, true) != expected, "{} {mode}", entry.name);
        }
    });
}

#[test]
fn without_an_elite_hybrid_is_the_plain_method() {
    for entry in ENTRIES {
        let problem = bowl(6);
        let plain = plain(entry);
        let (mut own, mut none) = (chosen(entry, "hybrid"), chosen(entry, "hybrid"));
        own.remove("mode");
        none.insert("elite".into(), 0.0.into());
        assert!(trace(entry, &none, &problem, 100, true) == trace(plain, &own, &problem, 100, false), "{}", entry.name);
    }
}

#[test]
fn stored_values_are_values_after_every_iteration() {
    each(|entry, mode| {
        let problem = bowl(5);
        let mut algorithm = entry.build(problem.space(), Some(10_000), &chosen(entry, mode)).unwrap();
        let mut source = Exact::<f64, Bowl>::new(&problem);
        let mut last = 0;
        let mut moved = 0;
        let mut see = |p: &Progress<'_>| {
            assert_eq!(problem.value(&p.best.x).to_bits(), p.best.value.to_bits());
            if p.iteration == last {
                return ControlFlow::Continue(());
            }
            last = p.iteration;
            let view = p.algorithm.view();
            for (points, values) in [("y", "fy"), ("x", "fx")] {
                let (Some(points), Some(values)) = (view.matrix(points), view.vector(values)) else { continue };
                // Trials whose slot a gradient step took are worth nothing.
                for (x, f) in points.iter().zip(values).filter(|(_, f)| f.is_finite()) {
                    assert_eq!(problem.value(x).to_bits(), f.to_bits(), "{} {mode}", entry.name);
                    moved += 1;
                }
            }
            ControlFlow::Continue(())
        };
        let run = Run::new(&problem, &mut *algorithm, 5).gradients(&mut source, 3.0);
        run.watch(&mut see).watch(&mut Iterations(40)).minimize();
        assert!(moved >= 40 * 20, "{} {mode}: {moved}", entry.name);
    });
}

#[test]
fn the_ledger_is_what_was_evaluated_and_no_budget_is_exceeded() {
    each(|entry, mode| {
        for (budget, cost) in [(1u64, 3.0), (2, 3.0), (20, 3.0), (523, 3.0), (1_000, 1.0), (1_000, 2.5), (700, 7.0)] {
            let problem = bowl(5);
            let outcome = solve(entry, &problem, &chosen(entry, mode), budget, cost);
            let at = format!("{} {mode}, {budget} at {cost}", entry.name);
            assert_eq!(outcome.nfev, problem.values.load(Relaxed), "{at}");
            assert_eq!(outcome.ngev, problem.gradients.load(Relaxed), "{at}");
            assert_eq!(outcome.cost, outcome.nfev + ((cost - 1.0) * outcome.ngev as f64).ceil() as u64, "{at}");
            assert!(outcome.cost <= budget && outcome.reason == Reason::Evaluations, "{at}: {}", outcome.cost);
            assert!(budget - outcome.cost <= cost as u64, "{at}: {} left", budget - outcome.cost);
            assert_eq!(outcome.ngev > 0, mode != "classical" && budget > 20, "{at}");
        }
    });
}

#[test]
fn gradients_help_on_a_bowl() {
    each(|entry, mode| {
        let plain = chosen(entry, "classical");
        let [classical, other] = [&plain, &chosen(entry, mode)].map(|s| solve(entry, &bowl(10), s, 4_000, 3.0).fun);
        match mode {
            "hybrid" => assert!(other < 1e-12 && other < 1e-3 * classical, "{}: {classical} {other}", entry.name),
            // Every step is greedy: points move, and never to something worse.
            "diff" | "full" => assert!(other.is_finite(), "{}", entry.name),
            _ => {}
        }
    });
}

#[test]
fn a_mode_without_gradients_says_so_and_the_default_is_classical() {
    each(|entry, mode| {
        let problem = bowl(4);
        let run = |settings: &Settings| {
            let mut algorithm = entry.build(problem.space(), None, settings).unwrap();
            Run::new(&problem, &mut *algorithm, 3).watch(&mut Evaluations(400)).minimize()
        };
        let outcome = run(&chosen(entry, mode));
        if mode == "classical" {
            let mut free = chosen(entry, mode);
            free.remove("mode");
            assert_eq!(bits(&run(&free).x), bits(&outcome.x));
        } else {
            assert!(
                matches!(&outcome.reason, Reason::Method(why) if why.contains("gradients")),
                "{:?}",
                outcome.reason
            );
            assert_eq!(outcome.nfev, 0);
        }
    });
    for (name, mode) in [("diff_jde", "full"), ("diff_shade", "adaptive")] {
        let entry = ENTRIES.iter().find(|e| e.name == name).unwrap();
        let error = entry.build(bowl(3).space(), None, &chosen(entry, mode)).err().unwrap().to_string();
        assert!(error.contains("classical | hybrid"), "{error}");
    }
    let pso = ENTRIES.iter().find(|e| e.name == "diff_pso").unwrap();
    let limited = settings(serde_json::json!({ "mode": "adaptive", "velocity_limit": 0.1 }));
    assert!(pso.build(bowl(3).space(), None, &limited).is_err());
    assert!(pso.build(bowl(3).space(), None, &settings(serde_json::json!({ "mode": "soft" }))).is_err());
}

#[test]
fn failing_values_and_gradients_are_survived() {
    std::panic::set_hook(Box::new(|_| {})); // the panics below are the test
    let key =
        |x: &[f64]| x.iter().fold(0u64, |h, t| h.rotate_left(7) ^ t.to_bits()).wrapping_mul(0x9e3779b97f4a7c15) >> 60;
    each(|entry, mode| {
        let space = Space::cube(4, -10.0, 10.0).unwrap();
        let value = |x: &[f64]| match key(x) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => panic!("the user's program fell over"),
            _ => x.iter().map(|t| t * t).sum(),
        };
        let gradient = |x: &[f64], out: &mut [f64]| match key(x) {
            3 => out.fill(f64::NAN),
            4 => out.fill(1e300),
            5 => panic!("the gradient fell over"),
            6 => out.fill(0.0),
            _ => out.iter_mut().zip(x).for_each(|(o, t)| *o = 2.0 * t),
        };
        let outcome = solve(entry, &Wild { space, value, gradient }, &chosen(entry, mode), 4_000, 3.0);
        assert!(outcome.fun.is_finite() && outcome.failures > 100, "{} {mode}", entry.name);
        assert!(outcome.fun < 1.0, "{} {mode}: {}", entry.name, outcome.fun);
        assert!(outcome.answer.iter().all(|t| t.is_finite()));
    });
    let _ = std::panic::take_hook();
}

#[test]
fn extremes_are_survived_inside_the_bounds() {
    type Shape = (&'static str, fn(&[f64]) -> f64, fn(&[f64], &mut [f64]));
    let shapes: [Shape; 5] = [
        ("constant", |_| 7.0, |_, g| g.fill(0.0)),
        (
            "huge",
            |x| 1e300 * x.iter().map(|t| t * t).sum::<f64>(),
            |x, g| g.iter_mut().zip(x).for_each(|(g, x)| *g = 2e300 * x),
        ),
        (
            "downward",
            |x| -1e300 * x[0],
            |_, g| {
                g.fill(0.0);
                g[0] = -1e300;
            },
        ),
        (
            "tiny",
            |x| 1e-300 * x.iter().map(|t| t * t).sum::<f64>(),
            |x, g| g.iter_mut().zip(x).for_each(|(g, x)| *g = 2e-300 * x),
        ),
        ("misleading", |x| x[0], |_, g| g.fill(-1.0)),
    ];
    each(|entry, mode| {
        let mut boxes = vec![
            Space::new(vec![1.0, -3.0], vec![1.0, -3.0]).unwrap(),
            Space::cube(2, -1e300, 1e300).unwrap(),
            Space::cube(3, -1e-300, 1e-300).unwrap(),
            Space::unbounded(1).unwrap(),
            Space::new(vec![0.0, f64::NEG_INFINITY], vec![f64::INFINITY, 5.0]).unwrap(),
        ];
        for (_, outside) in Outside::ALL {
            boxes.push(Space::cube(2, -1.0, 1.0).unwrap().with_outside(outside));
        }
        for space in boxes {
            for (name, value, gradient) in shapes {
                let strayed = AtomicU64::new(0);
                let watched = |x: &[f64]| {
                    strayed.fetch_add(u64::from(!space.contains(x)), Relaxed);
                    value(x)
                };
                let problem = Wild { space: space.clone(), value: watched, gradient };
                let outcome = solve(entry, &problem, &chosen(entry, mode), 600, 3.0);
                let at = format!("{} {mode} on {name}", entry.name);
                assert_eq!(strayed.load(Relaxed), 0, "{at}");
                let ended = DISTRIBUTIONS.contains(&entry.name) && matches!(outcome.reason, Reason::Method(_));
                assert!(outcome.cost <= 600 && (ended || outcome.cost > 596), "{at}: {}", outcome.cost);
                assert!(outcome.answer.iter().all(|t| t.is_finite()), "{at}");
            }
        }
    });
}

#[test]
fn save_load_continue_equals_continue() {
    each(|entry, mode| {
        let problem = bowl(6);
        // Round after round by hand, so that the state can be exchanged in between.
        let play = |exchange: bool| {
            let mut algorithm = entry.build(problem.space(), Some(10_000), &chosen(entry, mode)).unwrap();
            algorithm.expect_gradients();
            let (mut xs, mut values, mut gradients) = (Matrix::default(), Vec::new(), Matrix::default());
            for round in 0..30 {
                if exchange && round % 7 == 3 {
                    let mut saved = Vec::new();
                    algorithm.save(&mut saved).unwrap();
                    algorithm = entry.load(&saved).unwrap();
                }
                algorithm.ask(&Rng::new(9).at(round), &mut xs);
                values.clear();
                values.extend(xs.iter().map(|x| problem.value(x)));
                let rows = algorithm.gradient_rows();
                gradients.resize(rows.len(), 6);
                rows.iter().enumerate().for_each(|(k, &i)| problem.gradient(xs.row(i), gradients.row_mut(k)));
                if !rows.is_empty() {
                    algorithm.tell_gradients(&gradients);
                }
                algorithm.tell(&mut xs, &values);
            }
            let mut state = Vec::new();
            algorithm.save(&mut state).unwrap();
            state
        };
        assert!(play(true) == play(false), "{} {mode}", entry.name);
    });
}

#[test]
fn a_step_is_kept_and_every_individual_moves_on_a_sphere() {
    // The published program overwrites its gradient steps: here they must change the population.
    for entry in ENTRIES.iter().filter(|e| modes(e).contains(&"diff")) {
        let problem = bowl(6);
        let moved = |step: f64| {
            let mut own = chosen(entry, "diff");
            own.insert("step".into(), step.into());
            trace(entry, &own, &problem, 2, true) // a distribution shows its mean in the next points
        };
        assert!(moved(0.5).last() != moved(0.0).last(), "{}", entry.name);
    }
}

#[test]
fn other_sources_and_single_precision_work() {
    for entry in ENTRIES {
        let problem = bowl(4);
        let mut algorithm = entry.build(problem.space(), None, &chosen(entry, "hybrid")).unwrap();
        let mut source = Differences::new(&problem, DifferencesParams::default()).unwrap();
        let run = Run::new(&problem, &mut *algorithm, 3).gradients(&mut source, 3.0);
        let outcome = run.watch(&mut Evaluations(4_000)).minimize();
        assert_eq!((outcome.ngev, outcome.nfev, outcome.cost), (0, problem.values.load(Relaxed), outcome.nfev));
        assert!(outcome.nfev <= 4_000 && outcome.fun < 1e-8, "{}: {} {}", entry.name, outcome.nfev, outcome.fun);

        let rosenbrock = swarmgrad_problems::entry("rosenbrock").unwrap().build::<f32>(4, None).unwrap();
        let smooth = rosenbrock.differentiable().unwrap();
        for mode in modes(entry) {
            let mut algorithm = entry.build(rosenbrock.space(), None, &chosen(entry, mode)).unwrap();
            let mut source = Exact::<f32, _>::new(smooth);
            let run = Run::new(&*rosenbrock, &mut *algorithm, 3).gradients(&mut source, 3.0);
            let outcome = run.watch(&mut Evaluations(3_000)).minimize();
            assert!(
                outcome.fun < 30.0 && rosenbrock.space().contains(&outcome.x),
                "{} {mode}: {}",
                entry.name,
                outcome.fun
            );
        }
    }
}

#[test]
fn parameters_are_the_plain_methods_and_ours_without_a_clash() {
    for entry in ENTRIES {
        let names: Vec<&str> = entry.parameters().iter().map(|p| p.name).collect();
        let unique: std::collections::BTreeSet<&&str> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{}: {names:?}", entry.name);
        let plain = plain(entry);
        for p in plain.parameters() {
            assert!(entry.parameters().contains(&p), "{} {}", entry.name, p.name);
        }
    }
}

#[test]
fn cma_es_learns_all_of_its_numbers() {
    let entry = ENTRIES.iter().find(|e| e.name == "diff_cma_es").unwrap();
    let all = |mode: &str, more: serde_json::Value| {
        let mut all = chosen(entry, mode);
        all.insert("numbers".into(), "all".into());
        all.append(&mut settings(more));
        all
    };
    let problem = bowl(6);
    let mut own = chosen(entry, "classical");
    own.remove("mode");
    let expected = trace(plain(entry), &own, &problem, 60, false);
    for mode in ["classical", "adaptive", "diff", "full"] {
        let still = all(mode, serde_json::json!({ "learning_rate": 0.0, "step": 0.0 }));
        assert!(trace(entry, &still, &problem, 60, true) == expected, "{mode} at rate 0");
    }
    let [few, many] = [chosen(entry, "adaptive"), all("adaptive", serde_json::json!({}))];
    let [few, many] = [few, many].map(|settings| trace(entry, &settings, &problem, 60, true));
    assert!(many != few && many != expected);
    for mode in ["adaptive", "full"] {
        let outcome = solve(entry, &problem, &all(mode, serde_json::json!({})), 6_000, 1.0);
        assert!(outcome.fun < 1e-6, "{mode}: {}", outcome.fun);
    }
    // Each of them follows a schedule; without `numbers` it says nothing and is refused.
    for (name, value) in [("c_sigma", 0.6), ("d_sigma", 4.0), ("c_c", 0.9), ("c_1", 0.3), ("c_mu", 0.4)] {
        let schedule = serde_json::json!({ "method": "diff_cma_es", "knots": [0.0], "numbers": { name: [value] } });
        let followed = all("classical", serde_json::json!({ "schedule": schedule }));
        assert!(trace(entry, &followed, &problem, 60, false) != expected, "{name}");
        let refused = settings(serde_json::json!({ "schedule": schedule }));
        let why = entry.build(problem.space(), Some(100), &refused).err().unwrap().to_string();
        assert!(why.contains(name), "{why}");
    }
}
