//! A training plan as its users outside the program meet it: built in Rust or read from JSON, run, stored, and its model asked.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use swarmgrad_core::{Halt, Result};
use swarmgrad_nn::data::csv;
use swarmgrad_nn::model::Output;
use swarmgrad_nn::train::{
    CurvePoint, Driving, Measure, RunRecord, RunState, RunStore, TrainedRun, TrainingOutcome, TrainingPlan,
    TrainingProgress,
};

fn timeless(outcome: &TrainingOutcome) -> Vec<Vec<Option<TrainedRun>>> {
    let without = |run: &Option<TrainedRun>| run.clone().map(|run| TrainedRun { seconds: 0.0, ..run });
    outcome.runs.iter().map(|runs| runs.iter().map(without).collect()).collect()
}

fn run(plan: &TrainingPlan, driving: &Driving<'_>) -> TrainingOutcome {
    plan.prepare().unwrap().run(driving).unwrap()
}

fn test_of(outcome: &TrainingOutcome, training: usize, seed: usize, measure: Measure) -> f64 {
    outcome.runs[training][seed].as_ref().and_then(|run| measure.of(run.test.as_ref()?)).unwrap()
}

/// By the description of an unfinished run.
type States = BTreeMap<String, (Vec<CurvePoint>, Vec<u8>)>;

/// Runs and states in memory.
#[derive(Default)]
struct Memory {
    runs: Mutex<Vec<RunRecord>>,
    states: Arc<Mutex<States>>,
}

struct Place {
    about: String,
    states: Arc<Mutex<States>>,
}

impl RunStore for Memory {
    fn finished(&self) -> Result<Vec<RunRecord>> {
        Ok(self.runs.lock().unwrap().clone())
    }

    fn store(&self, record: &RunRecord) -> Result<()> {
        self.runs.lock().unwrap().push(record.clone());
        Ok(())
    }

    fn state(&self, about: &Value) -> Box<dyn RunState> {
        Box::new(Place { about: about.to_string(), states: self.states.clone() })
    }
}

impl RunState for Place {
    fn read(&self) -> Option<(Vec<CurvePoint>, Vec<u8>)> {
        self.states.lock().unwrap().get(&self.about).cloned()
    }

    fn store(&mut self, curve: &[CurvePoint], state: &dyn Fn() -> Result<Vec<u8>>) -> Result<()> {
        self.states.lock().unwrap().insert(self.about.clone(), (curve.to_vec(), state()?));
        Ok(())
    }

    fn remove(&self) {
        self.states.lock().unwrap().remove(&self.about);
    }
}

#[test]
fn a_plan_in_rust_and_its_json_text_give_the_figures_of_the_program() {
    let plan = TrainingPlan { seeds: Some(vec![0, 1]), ..TrainingPlan::of("iris") };
    let outcome = run(&plan, &Driving { model: true, ..Driving::default() });
    // `swarmgrad train iris --seeds 2 --json`
    for (training, accuracies, losses) in [
        (0, [0.9210526315789473, 0.9473684210526315], [0.12743307, 0.09709946]),
        (1, [0.9473684210526315, 0.9473684210526315], [0.11720645, 0.07831584]),
        (2, [0.9210526315789473, 0.9473684210526315], [0.12743301, 0.09709943]),
    ] {
        for seed in 0..2 {
            assert_eq!(test_of(&outcome, training, seed, Measure::Accuracy), accuracies[seed], "{training} {seed}");
            let loss = test_of(&outcome, training, seed, Measure::Loss);
            assert!((loss - losses[seed]).abs() < 1e-5, "{training} {seed}: {loss}");
        }
    }
    let short: TrainingPlan = serde_json::from_str(r#"{"data": "iris", "seeds": [0, 1]}"#).unwrap();
    assert_eq!(short, plan);
    let whole: TrainingPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(whole, plan);
    assert_eq!(timeless(&run(&short, &Driving { threads: 1, ..Driving::default() })), timeless(&outcome));
    assert!(serde_json::from_str::<TrainingPlan>(r#"{"data": "iris", "seed": 1}"#).is_err());

    // Its model, saved and read again, answers all rows; the rest of the 150 rows is what it learnt from.
    let path = std::env::temp_dir().join(format!("swarmgrad-plan-{}.model", std::process::id()));
    outcome.model.unwrap().write(&path).unwrap();
    let model = swarmgrad_nn::train::Saved::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let table = swarmgrad_nn::data::catalog::entry("iris").unwrap().table().unwrap();
    let answers = model.answer(&table, false).unwrap();
    let run = outcome.runs[0][0].as_ref().unwrap();
    let [train, test] = [run.train.accuracy.unwrap(), run.test.unwrap().accuracy.unwrap()];
    let right = (112.0 * train + 38.0 * test).round();
    assert_eq!(answers.scores(), (vec![(Measure::Accuracy, right / 150.0)], 150));
    let sums = answers.probabilities.as_ref().unwrap().rows().iter().map(|row| row.iter().sum::<f32>());
    assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-6));
    let lacking = csv::parse("petal_width\n0.2\n", "new.csv", &model.format()).unwrap();
    let why = model.answer(&lacking, false).unwrap_err().to_string();
    assert!(why.starts_with("new.csv: missing columns = sepal_length, sepal_width, petal_length"), "{why}");
}

#[test]
fn a_method_without_gradients_gives_the_figures_of_the_program() {
    let plan = TrainingPlan { seeds: Some(vec![0, 1]), methods: vec!["snes".into()], ..TrainingPlan::of("iris") };
    let outcome = run(&plan, &Driving::default());
    assert_eq!(outcome.runs.len(), 1);
    for (seed, loss) in [0.11167466, 0.11992433].into_iter().enumerate() {
        assert!((test_of(&outcome, 0, seed, Measure::Loss) - loss).abs() < 1e-5, "{seed}");
        assert_eq!(test_of(&outcome, 0, seed, Measure::Accuracy), 0.9473684210526315);
    }
}

#[test]
fn numbers_are_answered_in_their_units() {
    let plan = TrainingPlan {
        seeds: Some(vec![0]),
        optimizers: vec!["adam".into()],
        epochs: Some(40),
        ..TrainingPlan::of("diabetes")
    };
    let outcome = run(&plan, &Driving { model: true, ..Driving::default() });
    let table = swarmgrad_nn::data::catalog::entry("diabetes").unwrap().table().unwrap();
    let (scores, rows) = outcome.model.unwrap().answer(&table, false).unwrap().scores();
    let [(Measure::Rmse, rmse), (Measure::Mae, mae), (Measure::R2, r2)] = scores[..] else { panic!("{scores:?}") };
    assert!(rows == 442 && (40.0..60.0).contains(&rmse) && mae < rmse && r2 > 0.4, "{rmse} {mae} {r2} {rows}");
}

#[test]
fn a_stored_run_is_not_trained_again_and_a_halted_one_goes_on() {
    let plan = TrainingPlan {
        seeds: Some(vec![3, 4]),
        methods: vec!["pso_sde".into()],
        settings: serde_json::from_str(r#"{"particles": 20}"#).unwrap(),
        epochs: Some(6),
        ..TrainingPlan::of("iris")
    };
    let unbroken = run(&plan, &Driving::default());
    let (store, flag, rows) = (Memory::default(), Arc::new(AtomicBool::new(false)), AtomicU64::new(0));
    let halt = Halt::new(flag.clone());
    // 112 rows an epoch: the first run ends in its fifth epoch, the second does not begin.
    let progress = |progress| {
        if let TrainingProgress::Rows(more) = progress
            && rows.fetch_add(more, SeqCst) + more > 4 * 112
        {
            flag.store(true, SeqCst);
        }
    };
    let driving = Driving { threads: 1, store: Some(&store), ..Driving::default() };
    let broken = run(&plan, &Driving { halt: Some(&halt), progress: &progress, ..driving });
    assert_eq!((broken.found, broken.unfinished), (0, 2));
    assert_eq!(broken.runs[0][0].as_ref().unwrap().epochs, 5);
    assert!(broken.runs[0][1].is_none() && store.runs.lock().unwrap().is_empty());
    assert_eq!(store.states.lock().unwrap().len(), 1);

    let rows = AtomicU64::new(0);
    let progress = |progress| match progress {
        TrainingProgress::Rows(more) => {
            rows.fetch_add(more, SeqCst);
        }
        TrainingProgress::Begun { runs, rows } => assert_eq!((runs, rows), (2, 2 * 6 * 112)),
        TrainingProgress::Ended { runs, of } => assert!(runs <= 2 && of == 2),
    };
    let whole = run(&plan, &Driving { progress: &progress, ..driving });
    assert_eq!(timeless(&whole), timeless(&unbroken));
    assert_eq!((whole.found, whole.unfinished, rows.load(SeqCst)), (0, 0, 2 * 6 * 112));
    assert!(store.states.lock().unwrap().is_empty());

    // Now both are there; the model of the first is trained for again and its record not written twice.
    let again = run(&plan, &Driving { model: true, ..driving });
    assert_eq!((again.found, again.unfinished, store.runs.lock().unwrap().len()), (2, 0, 2));
    assert!(again.model.is_some() && timeless(&again) == timeless(&unbroken));
    let other = run(&TrainingPlan { batch: Some(20), seeds: Some(vec![3]), ..plan }, &driving);
    assert_eq!((other.found, store.runs.lock().unwrap().len()), (0, 3));
}

/// With a validation part the network of the epoch with the least loss on it is kept, as if training had ended there, and it ends
/// `patience` epochs later.
#[test]
fn the_best_epochs_network_is_kept_and_patience_ends_the_training() {
    let plan = TrainingPlan {
        seeds: Some(vec![0, 1]),
        optimizers: vec!["adam".into()],
        validation: Some(0.2),
        patience: Some(5),
        rate: Some(0.05),
        epochs: Some(200),
        ..TrainingPlan::of("diabetes")
    };
    let rows = plan.prepare().unwrap().rows(0).unwrap();
    assert_eq!([rows.train.len(), rows.validation.len(), rows.test.len()], [265, 66, 111]);
    let outcome = run(&plan, &Driving::default());
    for (seed, run_of_seed) in outcome.runs[0].iter().enumerate() {
        let kept = run_of_seed.as_ref().unwrap();
        let best = kept.best_epoch.unwrap();
        assert_eq!(kept.epochs, best + 5);
        let ended = TrainingPlan { epochs: Some(best), seeds: Some(vec![seed as u64]), ..plan.clone() };
        let ended = run(&ended, &Driving::default());
        let ended = ended.runs[0][0].as_ref().unwrap();
        assert_eq!((ended.best_epoch, ended.epochs), (Some(best), best));
        assert_eq!((ended.validation, ended.test), (kept.validation, kept.test));
    }
}

#[test]
fn what_a_plan_cannot_mean_is_refused_in_its_own_words() {
    let iris = || TrainingPlan::of("iris");
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (plan, message) in [
        (TrainingPlan::of("iri"), "unknown data set 'iri', did you mean 'iris'?"),
        (TrainingPlan { epochs: Some(0), ..iris() }, "epochs = 0: must be at least 1"),
        (TrainingPlan { batch: Some(0), ..iris() }, "batch = 0: must be at least 1"),
        (TrainingPlan { test_limit: Some(0), ..iris() }, "test_limit = 0: must be at least 1"),
        (TrainingPlan { rate: Some(f64::NAN), ..iris() }, "rate = NaN: must be a number above 0"),
        (TrainingPlan { tau: Some(-1.0), ..iris() }, "tau = -1: must be a number above 0"),
        (TrainingPlan { seeds: Some(vec![]), ..iris() }, "seeds = 0 seeds: must be from 1 to 100000"),
        (TrainingPlan { seeds: Some(vec![1, 2, 1]), ..iris() }, "seeds = 1: is named twice"),
        (TrainingPlan { test_share: Some(1.0), ..iris() }, "test share = 1: must be from 0 to below 1"),
        (TrainingPlan { target: Some("x".into()), ..iris() }, "target = given: is for CSV files"),
        (TrainingPlan { loss: Some("maee".into()), ..iris() }, "unknown loss 'maee', did you mean 'mae'?"),
        (TrainingPlan { model: Some("lenet".into()), ..iris() }, "unknown model 'lenet', did you mean 'lenet1'?"),
        (
            TrainingPlan { model: Some("shallow".into()), hidden: Some(vec![3]), ..iris() },
            "hidden = given: is for an mlp",
        ),
        (TrainingPlan { model: Some("cnn".into()), ..TrainingPlan::of("wine") }, "model = cnn: needs square images"),
        (TrainingPlan { output: Some(Output::Sigmoid), ..TrainingPlan::of("diabetes") }, "output = sigmoid"),
        (TrainingPlan { optimizers: names(&["adam", "adam"]), ..iris() }, "optimizers = adam: is named twice"),
        (TrainingPlan { optimizers: names(&["adam"]), particles: Some(5), ..iris() }, "particles = given: needs"),
        (TrainingPlan { methods: names(&["snes"]), rate: Some(0.1), ..iris() }, "rate = given: is for training by"),
        (TrainingPlan { load: Some("m".into()), raw: true, ..iris() }, "raw = given: is that of the loaded model"),
        (TrainingPlan { settings: serde_json::from_str(r#"{"a": 1}"#).unwrap(), ..iris() }, "settings = given"),
        (
            TrainingPlan {
                methods: names(&["pso_sde"]),
                settings: serde_json::from_str(r#"{"data_batch": 3}"#).unwrap(),
                ..iris()
            },
            "settings.data_batch = 3: is said by batch",
        ),
    ] {
        let why = plan.prepare().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(why.starts_with(message), "{message}: {why}");
    }
}
