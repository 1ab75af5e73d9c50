//! Schedules: what a method does with one, files, and that they can be learned.

use serde_json::{Value, json};
use std::ops::ControlFlow;
use swarmgrad_algorithms::gradient::yardstick::Exact;
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_core::{Evaluations, Problem, Progress, Result, Rng, Run, Space};
use swarmgrad_diff::meta::{Drawn, Family, Learning, learn};
use swarmgrad_diff::registry::ENTRIES;
use swarmgrad_diff::schedule::Schedule;
use swarmgrad_problems::TestProblem;

fn entry(name: &str) -> &'static Entry {
    ENTRIES.iter().find(|entry| entry.name == name).unwrap()
}

fn settings(json: Value) -> Settings {
    json.as_object().unwrap().clone()
}

/// Methods, a number of each, and another value of it than the default.
const NUMBERS: [(&str, &str, f64); 9] = [
    ("diff_pso", "inertia", 0.4),
    ("diff_de", "weight", 0.2),
    ("diff_ga", "eta_m", 90.0),
    ("diff_empso", "c1", 0.7),
    ("diff_cbo", "sigma", 0.9),
    ("diff_lshade", "weight_spread", 0.3),
    ("diff_lshade", "archive", 0.5),
    ("diff_es", "c_m", 0.6),
    ("diff_cma_es", "c_m", 0.6),
];

fn rosenbrock() -> Box<dyn TestProblem> {
    swarmgrad_problems::entry("rosenbrock").unwrap().build(6, None).unwrap()
}

/// Of every round the cost and the evaluations after it, and its points as bits.
fn rounds(name: &str, own: &Settings, budget: u64, gradients: bool) -> Vec<(u64, u64, Vec<u64>)> {
    let problem = rosenbrock();
    let mut method = entry(name).build(problem.space(), Some(budget), own).unwrap();
    let smooth = problem.differentiable().unwrap();
    let mut source = Exact::<f64, _>::new(smooth);
    let mut seen = Vec::new();
    let mut see = |p: &Progress<'_>| {
        seen.push((p.cost, p.evaluations, p.values.iter().map(|value| value.to_bits()).collect()));
        ControlFlow::Continue(())
    };
    let mut limit = Evaluations(budget);
    let run = Run::new(&*problem, &mut *method, 3);
    let run = if gradients { run.gradients(&mut source, 3.0) } else { run };
    run.watch(&mut see).watch(&mut limit).minimize();
    seen
}

/// What the method has where nothing is said: `c_m` is no parameter, and 1.
fn default(name: &str, number: &str) -> f64 {
    let table = entry(name).parameters();
    table.iter().find(|p| p.name == number).map_or(1.0, |p| p.default.as_f64().unwrap())
}

#[test]
fn constant_numbers_change_no_bit() {
    for (name, number, _) in NUMBERS {
        for mode in ["classical", "hybrid"] {
            let usual = settings(json!({ "mode": mode, "particles": 20 }));
            let mut same = usual.clone();
            let value = default(name, number);
            let schedule =
                json!({ "method": name, "knots": [0.0, 0.3, 1.0], "numbers": { number: [value, value, value] } });
            same.insert("schedule".into(), schedule);
            let [usual, same] = [usual, same].map(|own| rounds(name, &own, 3_000, mode == "hybrid"));
            assert!(usual.len() > 20 && usual == same, "{name} {mode}");
        }
    }
}

/// A number that jumps when half of the budget is spent: the first round that differs is the first one after that.
#[test]
fn knots_are_shares_of_what_the_ledger_counts() {
    let budget = 3_000;
    for (name, number, other) in NUMBERS {
        for mode in ["classical", "hybrid", "diff"] {
            let usual = settings(json!({ "mode": mode, "particles": 20 }));
            let mut jumping = usual.clone();
            let value = default(name, number);
            let [knots, values] = [[0.0, 0.5, 0.5 + 1e-9, 1.0], [value, value, other, other]];
            jumping.insert("schedule".into(), json!({ "method": name, "knots": knots, "numbers": { number: values } }));
            let [usual, jumping] = [usual, jumping].map(|own| rounds(name, &own, budget, mode != "classical"));
            let first = (0..usual.len()).find(|&r| usual[r] != jumping[r]);
            let first = first.unwrap_or_else(|| panic!("{name} {mode}: nothing changed"));
            let (cost, evaluations, _) = usual[first - 1];
            assert!(2 * cost > budget, "{name} {mode}: changed at {cost}");
            if mode == "classical" {
                // c_m of an evolution strategy is felt by the mean, one iteration later.
                let late = 1 + usize::from(["diff_es", "diff_cma_es"].contains(&name));
                assert!(2 * usual[first - 1 - late].0 <= budget, "{name}: changed late, at {cost}");
            } else {
                assert!(evaluations < cost && 2 * evaluations < budget + 600, "{name} {mode}: {evaluations} {cost}");
            }
        }
    }
}

#[test]
fn learning_during_the_run_and_a_schedule_exclude_each_other() {
    let space = Space::cube(3, -1.0, 1.0).unwrap();
    let schedule = json!({ "method": "diff_pso", "knots": [0.0], "numbers": { "inertia": [0.5] } });
    let refused =
        |name: &str, own: Value| entry(name).build(&space, Some(100), &settings(own)).err().unwrap().to_string();
    for mode in ["adaptive", "full"] {
        assert!(
            refused("diff_pso", json!({ "mode": mode, "schedule": schedule }))
                .contains("the numbers learn during the run")
        );
    }
    assert!(refused("diff_jde", json!({ "schedule": schedule })).contains("diff_jde has no learnable numbers"));
    assert!(refused("diff_pso", json!({ "schedule": "nowhere.json" })).contains("nowhere.json: No such file"));
    assert!(refused("diff_pso", json!({ "schedule": { "method": "diff_pso" } })).contains("missing field `knots`"));
}

#[test]
fn files_keep_every_bit() {
    let path = std::env::temp_dir().join(format!("swarmgrad-schedule-{}.json", std::process::id()));
    let json = json!({ "method": "diff_pso", "knots": [0.0, 1.0 / 3.0], "numbers": { "inertia": [0.1 + 0.2, 0.7], "c1": [1.0, 2.0] } });
    let schedule: Schedule = serde_json::from_value(json).unwrap();
    schedule.save(&path).unwrap();
    assert_eq!(Schedule::load(&path).unwrap(), schedule);
    // The parameter takes the file's name too.
    let space = Space::cube(3, -1.0, 1.0).unwrap();
    assert!(entry("diff_pso").build(&space, Some(100), &settings(json!({ "schedule": path }))).is_ok());
    let broken = Schedule { knots: vec![1.0, 0.0], ..schedule };
    assert!(broken.save(&path).unwrap_err().to_string().contains("ascending order"));
    for (text, part) in [
        ("{", "is not a schedule"),
        ("{\"method\": \"diff_pso\", \"knots\": [0], \"numbers\": {\"c1\": [null]}}", "is not a schedule"),
        ("{\"method\": \"diff_pso\", \"knots\": [0], \"numbers\": {}, \"seed\": 3}", "unknown field `seed`"),
        ("{\"method\": \"diff_pso\", \"knots\": [0], \"numbers\": {}}", "must name a number"),
    ] {
        std::fs::write(&path, text).unwrap();
        let message = Schedule::load(&path).unwrap_err().to_string();
        assert!(message.contains(part) && message.contains("swarmgrad-schedule"), "{message}");
    }
    std::fs::remove_file(&path).unwrap();
}

/// Spheres with their minimum anywhere in the middle of the box.
struct Spheres;

struct Sphere {
    space: Space,
    shift: Vec<f64>,
}

impl Problem for Sphere {
    fn space(&self) -> &Space {
        &self.space
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.iter().zip(&self.shift).map(|(x, s)| (x - s).powi(2)).sum()
    }
}

impl Family for Spheres {
    fn names(&self) -> Vec<String> {
        vec!["sphere".into()]
    }
    fn draw(&self, _member: usize, rng: &Rng) -> Result<Drawn> {
        let mut shift = vec![0.0; 5];
        rng.row(0).fill_uniform(&mut shift);
        Ok(Drawn { problem: Box::new(Sphere { space: Space::cube(5, -5.0, 5.0)?, shift }), minimum: 0.0, budget: 600 })
    }
}

#[test]
fn what_is_learned_is_better_and_the_same_on_any_number_of_threads() {
    for windows in [1, 4] {
        let how = |threads| Learning {
            settings: settings(json!({ "particles": 20 })),
            knots: 2,
            steps: 25,
            pairs: 6,
            windows,
            threads,
            ..Learning::default()
        };
        let mut steps = 0;
        let lesson = learn("diff_pso", &Spheres, &how(1), |look| {
            steps += 1;
            assert_eq!((look.step, look.numbers.len()), (steps, 6));
            ControlFlow::Continue(())
        });
        let lesson = lesson.unwrap();
        // Deviations between runs; a plain swarm that knows it has 30 iterations gains two at least.
        assert!(lesson.gain > 2.0, "{windows} windows: {}", lesson.gain);
        let again = learn("diff_pso", &Spheres, &how(3), |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(again.schedule, lesson.schedule);
        let learned = lesson.schedule.learned.unwrap();
        assert_eq!((learned.steps, learned.runs, learned.problems), (25, 300, vec!["sphere".to_owned()]));
    }
    let broken_off = learn("diff_de", &Spheres, &Learning::default(), |look| match look.step {
        3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(broken_off.unwrap().schedule.learned.unwrap().steps, 3);
    // From any step it goes on to the same end, by way of text.
    let short = Learning { steps: 6, pairs: 2, knots: 2, ..Learning::default() };
    let mut states = Vec::new();
    let whole = learn("diff_de", &Spheres, &short, |look| {
        states.push(serde_json::to_string(look.state).unwrap());
        ControlFlow::Continue(())
    });
    for (step, state) in states.iter().enumerate() {
        let from = Some(serde_json::from_str(state).unwrap());
        let mut steps = step + 1;
        let rest = learn("diff_de", &Spheres, &Learning { from, ..short.clone() }, |look| {
            steps += 1;
            assert_eq!(look.step, steps);
            ControlFlow::Continue(())
        });
        let (whole, rest) = (whole.as_ref().unwrap(), rest.unwrap());
        assert_eq!((&rest.schedule, rest.gain, steps), (&whole.schedule, whole.gain, 6));
    }
    let from = serde_json::from_str(&states[0]).unwrap();
    let other = learn("diff_pso", &Spheres, &Learning { from, ..short }, |_| ControlFlow::Continue(()));
    assert!(other.unwrap_err().to_string().contains("other numbers or problems"));
    let refused =
        |name: &str, how: Learning| learn(name, &Spheres, &how, |_| ControlFlow::Continue(())).unwrap_err().to_string();
    assert!(refused("diff_shade", Learning::default()).contains("unknown method with learnable numbers"));
    assert!(
        refused("diff_pso", Learning { numbers: vec!["inertai".into()], ..Learning::default() })
            .contains("did you mean 'inertia'?")
    );
    assert!(refused("diff_pso", Learning { knots: 0, ..Learning::default() }).contains("knots = 0"));
}
