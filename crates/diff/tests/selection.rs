//! Selection in the methods: hard and straight through are the plain method, soft becomes it, and what is learned moves.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use swarmgrad_algorithms::gradient::yardstick::Exact;
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::registry;
use swarmgrad_core::{Differentiable, Iterations, Matrix, Problem, Progress, Rng, Run, Space};
use swarmgrad_diff::registry::ENTRIES;

/// A shifted bowl under a map of its values, which counts.
struct Bowl {
    space: Space,
    map: fn(f64, &[f64]) -> f64,
    values: AtomicU64,
}

fn bowl(map: fn(f64, &[f64]) -> f64) -> Bowl {
    Bowl { space: Space::cube(5, -10.0, 10.0).unwrap(), map, values: AtomicU64::new(0) }
}

fn plain(f: f64, _x: &[f64]) -> f64 {
    f
}

impl Problem for Bowl {
    fn space(&self) -> &Space {
        &self.space
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.values.fetch_add(1, Relaxed);
        (self.map)(x.iter().enumerate().map(|(j, t)| (1 + j) as f64 * (t - 1.5).powi(2)).sum(), x)
    }
}

impl Differentiable for Bowl {
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(x).enumerate().for_each(|(j, (o, t))| *o = 2.0 * (1 + j) as f64 * (t - 1.5));
    }
}

/// The methods that select, and settings of each that change how.
fn selecting() -> Vec<(&'static Entry, &'static str, serde_json::Value)> {
    let entry = |name: &str| ENTRIES.iter().find(|entry| entry.name == name).unwrap();
    vec![
        (entry("diff_ga"), "ga", serde_json::json!({})),
        (entry("diff_ga"), "ga", serde_json::json!({ "parents": "ranks", "pressure": 2.5 })),
        (entry("diff_de"), "de", serde_json::json!({})),
        (entry("diff_es"), "snes", serde_json::json!({})),
    ]
}

fn chosen(more: &serde_json::Value, own: serde_json::Value) -> Settings {
    let mut all = serde_json::json!({ "particles": 16 }).as_object().unwrap().clone();
    for part in [more, &own] {
        all.append(&mut part.as_object().unwrap().clone());
    }
    all
}

/// The points and values of every iteration, the points alone where the values are mapped.
fn trace(entry: &Entry, settings: &Settings, problem: &Bowl, iterations: u64, values: bool) -> Vec<Vec<u64>> {
    let mut method = entry.build(problem.space(), Some(20_000), settings).unwrap();
    let gradients = method.expect_gradients();
    let mut source = Exact::<f64, Bowl>::new(problem);
    let (mut seen, mut last) = (Vec::new(), 0);
    let mut see = |p: &Progress<'_>| {
        if p.iteration > last {
            last = p.iteration;
            let view = p.algorithm.view();
            let points = view.matrices.iter().flat_map(|(_, m)| m.data().to_vec());
            let told =
                ["fy", "fx"].iter().filter(|_| values).flat_map(|name| view.vector(name).unwrap_or(&[]).to_vec());
            seen.push(points.chain(told).map(|t| (t + 0.0).to_bits()).collect()); // 0 for -0
        }
        ControlFlow::Continue(())
    };
    let mut limit = Iterations(iterations);
    let run = Run::new(problem, &mut *method, 3);
    let run = if gradients { run.gradients(&mut source, 3.0) } else { run };
    run.watch(&mut see).watch(&mut limit).minimize();
    seen
}

/// Values in steps, some of them failures.
fn rough(f: f64, x: &[f64]) -> f64 {
    match (10.0 * x[0].abs()) as u64 % 7 {
        3 => f64::NAN,
        5 => f64::INFINITY,
        _ => (f / 20.0).floor(),
    }
}

#[test]
fn straight_through_makes_the_decisions_of_the_plain_method() {
    for (entry, name, more) in selecting() {
        let problem = bowl(rough);
        let straight = |mode: &str| {
            let own =
                serde_json::json!({ "selection": "straight_through", "mode": mode, "learning_rate": 0.0, "step": 0.0 });
            trace(entry, &chosen(&more, own), &problem, 60, true)
        };
        let hard = serde_json::json!({ "selection": "hard", "mode": "classical" });
        let hard = trace(entry, &chosen(&more, hard), &problem, 60, true);
        for mode in ["classical", "adaptive", "diff", "full"] {
            assert!(hard.len() == 60 && straight(mode) == hard, "{} {more} {mode}", entry.name);
        }
        if more.as_object().unwrap().is_empty() {
            let plain = registry::entry(name).unwrap();
            assert!(trace(plain, &chosen(&more, serde_json::json!({})), &problem, 60, true) == hard, "{name}");
        }
    }
}

#[test]
fn soft_becomes_hard_as_the_temperature_falls_and_is_warm_before() {
    for (entry, _, more) in selecting() {
        // Ties and failures are decided as the plain method decides them; nothing is evaluated that it does not evaluate.
        let run = |own: serde_json::Value| {
            let problem = bowl(rough);
            let seen = trace(entry, &chosen(&more, own), &problem, 60, true);
            (seen, problem.values.load(Relaxed))
        };
        let hard = run(serde_json::json!({ "mode": "classical" }));
        let soft = |tau: f64| {
            run(serde_json::json!({ "selection": "soft", "selection_temperature": tau, "mode": "classical" }))
        };
        if entry.name == "diff_es" {
            // Sums of weights have other roundings.
            let (cold, _) = soft(1e-9);
            let number = |bits: &u64| f64::from_bits(*bits);
            let near = |a: f64, b: f64| a == b || (a - b).abs() < 1e-9 * (1.0 + b.abs());
            let (cold, hard) = (&cold[..20], &hard.0[..20]);
            assert!(cold.iter().zip(hard).all(|(a, b)| a.iter().zip(b).all(|(a, b)| near(number(a), number(b)))));
        } else {
            assert!(soft(1e-9) == hard, "{} {more}", entry.name);
        }
        let (warm, evaluated) = soft(0.3);
        assert!(warm[1] != hard.0[1] && warm.len() == 60, "{} {more}", entry.name);
        // Mixtures are evaluated and counted.
        assert_eq!(evaluated > hard.1, entry.name != "diff_es", "{} {more}: {evaluated}", entry.name);
    }
}

#[test]
fn soft_selection_sees_ranks_or_deviations_only() {
    for (entry, _, more) in selecting() {
        for mode in ["classical", "diff"] {
            let own = serde_json::json!({ "selection": "soft", "mode": mode });
            let seen = |map| trace(entry, &chosen(&more, own.clone()), &bowl(map), 30, false);
            let usual = seen(plain);
            assert!(seen(|f, _| 1024.0 * f) == usual, "{} {mode}", entry.name);
            // The loss of diff is one of the values.
            if entry.name != "diff_de" && mode == "classical" {
                assert!(seen(|f, _| f * f) == usual, "{} {mode}", entry.name);
            }
        }
    }
}

#[test]
fn stored_values_are_those_of_the_mixtures() {
    for (entry, _, more) in selecting() {
        for mode in ["classical", "adaptive", "diff", "full", "hybrid"] {
            let problem = bowl(plain);
            let settings = chosen(&more, serde_json::json!({ "selection": "soft", "mode": mode }));
            let mut method = entry.build(problem.space(), Some(20_000), &settings).unwrap();
            let mut source = Exact::<f64, Bowl>::new(&problem);
            let (mut last, mut held) = (0, 0);
            let mut see = |p: &Progress<'_>| {
                if p.iteration > last {
                    last = p.iteration;
                    let view = p.algorithm.view();
                    if let (Some(y), Some(fy)) = (view.matrix("y"), view.vector("fy")) {
                        for (x, f) in y.iter().zip(fy).filter(|(_, f)| f.is_finite()) {
                            assert_eq!(problem.value(x).to_bits(), f.to_bits(), "{} {mode}", entry.name);
                            held += 1;
                        }
                    }
                }
                ControlFlow::Continue(())
            };
            let run = Run::new(&problem, &mut *method, 5).gradients(&mut source, 3.0);
            let outcome = run.watch(&mut see).watch(&mut Iterations(40)).minimize();
            assert!(entry.name == "diff_es" || held >= 40 * 16, "{} {mode}: {held}", entry.name);
            assert!(outcome.fun < 10.0, "{} {mode}: {}", entry.name, outcome.fun);
            assert_eq!(outcome.ngev > 0, mode != "classical");
        }
    }
}

/// Rounds of a run with gradients; the state saved and read back whenever `exchange` says so.
fn play(entry: &Entry, settings: &Settings, exchange: impl Fn(u64) -> bool) -> Vec<u8> {
    let problem = bowl(plain);
    let mut method = entry.build(problem.space(), Some(20_000), settings).unwrap();
    method.expect_gradients();
    let (mut xs, mut gradients) = (Matrix::default(), Matrix::default());
    for round in 0..40 {
        if exchange(round) {
            let mut saved = Vec::new();
            method.save(&mut saved).unwrap();
            method = entry.load(&saved).unwrap();
        }
        method.ask(&Rng::new(9).at(round), &mut xs);
        let values: Vec<f64> = xs.iter().map(|x| problem.value(x)).collect();
        let rows = method.gradient_rows();
        gradients.resize(rows.len(), 5);
        rows.iter().enumerate().for_each(|(k, &i)| problem.gradient(xs.row(i), gradients.row_mut(k)));
        if !rows.is_empty() {
            method.tell_gradients(&gradients);
        }
        method.tell(&mut xs, &values);
    }
    let mut state = Vec::new();
    method.save(&mut state).unwrap();
    state
}

#[test]
fn a_state_that_is_read_back_goes_on_as_before() {
    for (entry, _, more) in selecting() {
        for form in ["straight_through", "soft"] {
            for mode in ["classical", "adaptive", "full", "hybrid"] {
                let settings = chosen(&more, serde_json::json!({ "selection": form, "mode": mode }));
                assert!(
                    play(entry, &settings, |_| true) == play(entry, &settings, |_| false),
                    "{} {form} {mode}",
                    entry.name
                );
            }
        }
    }
}

#[test]
fn learning_and_schedules_reach_temperature_and_pressure() {
    for (entry, _, more) in selecting() {
        let ranks = more.get("parents").is_some();
        for form in ["straight_through", "soft"] {
            // What the first temperature is matters to what is learned, in every form.
            let learned = |tau: f64, rate: f64| {
                let own = serde_json::json!({
                    "selection": form, "mode": "adaptive", "selection_temperature": tau, "learning_rate": rate
                });
                trace(entry, &chosen(&more, own), &bowl(plain), 25, true)
            };
            assert!(learned(0.2, 0.05) != learned(0.4, 0.05), "{} {form}", entry.name);
            if form == "straight_through" {
                assert!(learned(0.2, 0.0) == learned(0.4, 0.0), "{}", entry.name);
            }
            for name in ["selection_temperature", "pressure"] {
                if name == "pressure" && !ranks {
                    continue;
                }
                let scheduled = |values: [f64; 2]| {
                    let numbers = serde_json::json!({ name: values });
                    let schedule = serde_json::json!({ "method": entry.name, "knots": [0.0, 0.5], "numbers": numbers });
                    let own = serde_json::json!({ "selection": "soft", "mode": "classical", "schedule": schedule });
                    trace(entry, &chosen(&more, own), &bowl(plain), 25, true)
                };
                let [constant, falling] = [scheduled([2.0, 2.0]), scheduled([2.0, 1.0])];
                assert!(constant != falling, "{} {name}", entry.name);
            }
        }
        // A number that says nothing is refused.
        let schedule =
            serde_json::json!({ "method": entry.name, "knots": [0.0], "numbers": { "selection_temperature": [0.2] } });
        let own = chosen(&serde_json::json!({}), serde_json::json!({ "schedule": schedule }));
        let why = entry.build(bowl(plain).space(), Some(100), &own).err().unwrap().to_string();
        assert!(why.contains("selection_temperature"), "{why}");
    }
}

#[test]
fn the_best_of_so_many_entrants_has_its_law() {
    use swarmgrad_diff::method::{Candidates, Parents, Ranking, Selecting};
    use swarmgrad_diff::relax::{Form, largest};
    let (n, samples) = (10, 100_000);
    let values: Vec<f64> = (0..n).map(|i| ((7 * i) % n) as f64).collect();
    let ranking = Ranking::of(&values);
    for pressure in [1.0, 2.0, 3.5] {
        let selecting = Selecting { form: Form::Hard, parents: Parents::Ranks, pressure, ..Selecting::HARD };
        let (rng, mut counts) = (Rng::new(8).fork(&pressure.to_string()), vec![0.0; n]);
        for row in 0..samples {
            let candidates = Candidates::draw(&selecting, &ranking, &mut rng.row(row));
            counts[values[candidates.who[largest(&candidates.logits)]] as usize] += 1.0;
        }
        // The best of k draws with replacement has at least rank r with probability (1 - r / n)^k.
        let above = |r: usize| (1.0 - r as f64 / n as f64).powf(pressure);
        let chi2: f64 = (0..n)
            .map(|r| samples as f64 * (above(r) - above(r + 1)))
            .zip(&counts)
            .map(|(expected, count)| (count - expected).powi(2) / expected.max(1e-9))
            .sum();
        assert!(chi2 < 27.9, "k = {pressure}: chi2 {chi2} with 9 degrees of freedom: p < 1e-3");
    }
}
