//! Algorithm 1 of the mean-field PSO paper over batches of data: golden trajectories of an independent program
//! (`golden/make_mean_field.py`), and its laws.

use serde_json::Value;
use swarmgrad::algorithms::particle::batched::{Batched, LocalBest, Params};
use swarmgrad::{BatchProblem, Matrix, Problem, Rng, Rows, Space, Start, Tape, Workers};

/// E_j(x) = sum_k (x_k - a_jk)^2 + 1/2 (1 - cos 3 (x_k - a_jk)); `spoil` may change a value.
struct Mean<S> {
    space: Space,
    data: Matrix,
    spoil: S,
}

impl<S: Fn(&[f64], f64) -> f64 + Sync> Mean<S> {
    fn at(&self, batch: impl ExactSizeIterator<Item = usize>, x: &[f64]) -> f64 {
        let count = batch.len() as f64;
        let one = |(x, a): (&f64, &f64)| (x - a).powi(2) + 0.5 * (1.0 - (3.0 * (x - a)).cos());
        let sum: f64 = batch.map(|j| x.iter().zip(self.data.row(j)).map(one).sum::<f64>()).sum();
        (self.spoil)(x, sum / count)
    }
}

impl<S: Fn(&[f64], f64) -> f64 + Sync> Problem for Mean<S> {
    fn space(&self) -> &Space {
        &self.space
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.at(0..self.data.len(), x)
    }
}

impl<S: Fn(&[f64], f64) -> f64 + Sync> BatchProblem for Mean<S> {
    fn len(&self) -> usize {
        self.data.len()
    }
    fn values_on(&self, batch: &[usize], xs: Rows<'_>, out: &mut [f64]) {
        xs.iter().zip(out).for_each(|(x, o)| *o = self.at(batch.iter().copied(), x));
    }
}

type Plain = fn(&[f64], f64) -> f64;

fn clean(_: &[f64], value: f64) -> f64 {
    value
}

fn mean(dim: usize, data: Vec<f64>) -> Mean<Plain> {
    Mean { space: Space::unbounded(dim).unwrap(), data: Matrix::from_vec(dim, data).unwrap(), spoil: clean }
}

fn random(dim: usize, data: usize) -> Mean<Plain> {
    let mut numbers = vec![0.0; dim * data];
    Rng::new(40).row(0).fill_uniform(&mut numbers);
    mean(dim, numbers)
}

const START: Start = Start::Normal { mean: 0.0, deviation: 2.0 };

fn matrix(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap().iter().map(|t| t.as_f64().unwrap()))
        .collect()
}

fn check(what: &str, ours: &[f64], golden: &[f64]) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    for (a, b) in ours.iter().zip(golden) {
        let gap = (a - b).abs() / b.abs().max(1.0);
        assert!(gap <= 1e-12, "{what}: {a} against {b}");
    }
}

fn replay(name: &str) {
    let path = format!("{}/tests/golden/batched_{name}.json", env!("CARGO_MANIFEST_DIR"));
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let start = Start::Points(
        golden["start"].as_array().unwrap().iter().map(|p| matrix(&Value::Array(vec![p.clone()]))).collect(),
    );
    let params: Params = serde_json::from_value(golden["params"].clone()).unwrap();
    let mut tape = Tape::default();
    for draw in golden["draws"].as_array().unwrap() {
        let [label, iteration, row] = [0, 1, 2].map(|k| &draw[k]);
        let values = draw[3].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
        tape.set(label.as_str().unwrap(), iteration.as_u64().unwrap(), row.as_u64().unwrap() as usize, values);
    }
    let (problem, rng) = (mean(2, matrix(&golden["data"])), Rng::scripted(tape));
    let mut swarm = Batched::new(problem.space(), start, params).unwrap();
    for (k, state) in golden["steps"].as_array().unwrap().iter().enumerate() {
        swarm.step(&problem, &rng).unwrap();
        let view = swarm.view();
        for key in ["x", "v", "y"] {
            if let Some(golden) = state.get(key) {
                check(&format!("{name} step {k}: {key}"), view.matrix(key).unwrap().data(), &matrix(golden));
            }
        }
        let answer = swarm.answer();
        for (key, ours) in [("fy", view.vector("fy")), ("g", Some(&answer[..]))] {
            if let Some(golden) = state.get(key) {
                let golden = matrix(&Value::Array(vec![golden.clone()]));
                check(&format!("{name} step {k}: {key}"), ours.unwrap(), &golden);
            }
        }
        for key in ["alpha", "sigma2", "kicks"] {
            check(&format!("{name} step {k}: {key}"), &[view.number(key).unwrap()], &[state[key].as_f64().unwrap()]);
        }
    }
}

#[test]
fn golden_trajectories() {
    for name in ["exact", "stale", "partial", "full", "memoryless", "cbo", "kick", "reduction"] {
        replay(name);
    }
}

#[test]
fn evaluations_and_passes_are_counted() {
    let problem = random(3, 10); // batches of 4, 4 and 2
    let run = |params: Params| {
        let mut swarm =
            Batched::new(problem.space(), START, Params { particles: 6, data_batch: 4, kick: 0.0, ..params }).unwrap();
        (0..2).for_each(|_| swarm.epoch(&problem, &Rng::new(1)).unwrap());
        assert_eq!((swarm.epochs(), swarm.steps()), (2, 6));
        (swarm.evaluations(), swarm.passes())
    };
    let plain = Params::default();
    assert_eq!(run(plain.clone()), (2 * 6 * 6, 2 * 2 * 6 * 10));
    // The first batch has no values yet.
    assert_eq!(run(Params { local_best: LocalBest::Stale, ..plain.clone() }), (6 + 6 * 6, 6 * 4 + 2 * 6 * 10));
    let forgetful = serde_json::json!({ "memory": "none" });
    assert_eq!(run(serde_json::from_value(forgetful).unwrap()), (6 * 6, 2 * 6 * 10));
    // Every one of the three subsets moves the whole swarm.
    let full = serde_json::json!({ "batch": 2 });
    assert_eq!(run(serde_json::from_value(full).unwrap()).0, 6 * (6 + 3 * 6));
    let partial = serde_json::json!({ "batch": 2, "update": "partial" });
    assert_eq!(run(serde_json::from_value(partial).unwrap()).0, 6 * (6 + 6));
}

#[test]
fn threads_change_nothing_and_a_saved_swarm_continues() {
    let problem = random(300, 9);
    let params = Params { particles: 60, data_batch: 4, batch: Some(20), reduction: 0.5, ..Params::default() };
    let state = |swarm: &Batched| {
        let mut bytes = Vec::new();
        swarm.save(&mut bytes).unwrap();
        bytes
    };
    let mut whole = Batched::new(problem.space(), START, params.clone()).unwrap();
    (0..12).for_each(|_| whole.step(&problem, &Rng::new(3)).unwrap());
    let threaded = Workers::new(2).unwrap().install(|| {
        let mut swarm = Batched::new(problem.space(), START, params.clone()).unwrap();
        (0..12).for_each(|_| swarm.step(&problem, &Rng::new(3)).unwrap());
        state(&swarm)
    });
    assert!(threaded == state(&whole));
    let mut first = Batched::new(problem.space(), START, params).unwrap();
    (0..7).for_each(|_| first.step(&problem, &Rng::new(3)).unwrap());
    let mut second = Batched::load(&state(&first)).unwrap();
    (0..5).for_each(|_| second.step(&problem, &Rng::new(3)).unwrap());
    assert!(state(&second) == state(&whole));
    assert!(Batched::<f64>::load(&state(&first)[..50]).is_err());
}

/// The swarm's width in the middle: the mean over coordinates of the deviation.
fn width(swarm: &Batched) -> f64 {
    let view = swarm.view();
    let x = view.matrix("x").unwrap();
    let n = x.len() as f64;
    let deviation = |j: usize| {
        let mean = x.iter().map(|p| p[j]).sum::<f64>() / n;
        (x.iter().map(|p| (p[j] - mean).powi(2)).sum::<f64>() / n).sqrt()
    };
    (0..x.dim()).map(deviation).sum::<f64>() / x.dim() as f64
}

/// The negative control of the kick: with one particle that holds all the weight and a local minimum to leave, the swarm
/// without it collapses for good.
#[test]
fn without_the_kick_the_swarm_freezes() {
    let problem = random(20, 120);
    let train = |kick: f64| {
        let params = Params { particles: 30, inertia: 0.4, kick, cooling: false, alpha: 1e6, ..Params::default() };
        let mut swarm = Batched::new(problem.space(), START, params).unwrap();
        (0..400).for_each(|_| swarm.epoch(&problem, &Rng::new(5)).unwrap());
        (width(&swarm), problem.value(&swarm.answer()), swarm.view().number("kicks").unwrap())
    };
    let (with, without) = (train(1e-5), train(0.0));
    println!("width, value, kicks with the kick {with:?}, without {without:?}");
    assert!(with.2 > 10.0 && without.2 == 0.0);
    assert!(without.0 < 5e-3 && with.0 > 10.0 * without.0);
    assert!(with.1 < without.1);
}

#[test]
fn failures_are_survived() {
    std::panic::set_hook(Box::new(|_| {}));
    let spoil = |x: &[f64], value: f64| match (x[0] * 40.0).floor() as i64 % 7 {
        0 => f64::NAN,
        1 => f64::NEG_INFINITY,
        2 => panic!("the user's program fell over"),
        _ => value,
    };
    let clean = random(2, 8);
    let problem = Mean { space: clean.space, data: clean.data, spoil };
    let mut swarm = Batched::new(problem.space(), START, Params { particles: 40, ..Params::default() }).unwrap();
    (0..30).for_each(|_| swarm.epoch(&problem, &Rng::new(2)).unwrap());
    let _ = std::panic::take_hook();
    assert!(swarm.failures() > 100 && swarm.answer().iter().all(|t| t.is_finite()));
    assert!(swarm.answer().iter().all(|t| (t - 0.5).abs() < 0.5), "{:?}", swarm.answer());
}

#[test]
fn bad_input_is_named() {
    let space = Space::<f64>::unbounded(2).unwrap();
    let refused = |json: Value| {
        let params: Params = serde_json::from_value(json).unwrap();
        Batched::new(&space, START, params).map(drop).expect_err("must be refused").to_string()
    };
    assert_eq!(refused(serde_json::json!({ "data_batch": 0 })), "data_batch = 0: must be a whole number >= 1");
    assert!(refused(serde_json::json!({ "batch": 30 })).contains("batch = 30: must divide the 100 particles"));
    assert!(refused(serde_json::json!({ "memory": "none", "lambda1": 1.0 })).contains("must be 0 without memory"));
    let mut swarm = Batched::new(&space, START, Params::default()).unwrap();
    assert!(swarm.step(&random(3, 5), &Rng::new(1)).unwrap_err().to_string().contains("has 3 entries, expected 2"));
    assert!(swarm.step(&mean(2, vec![]), &Rng::new(1)).unwrap_err().to_string().contains("data = 0"));
    swarm.step(&random(2, 5), &Rng::new(1)).unwrap();
    assert!(
        swarm.step(&random(2, 6), &Rng::new(1)).unwrap_err().to_string().contains("the data has 6 entries, expected 5")
    );
}
