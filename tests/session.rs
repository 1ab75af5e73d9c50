//! Laws of sessions: whoever drives a method, and in whatever order values come back, the run is the same.

mod simulated;

use simulated::Simulated;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use swarmgrad::registry::{self, Settings};
use swarmgrad::{
    Evaluation, Evaluations, Failure, Function, Id, Limits, Outcome, Problem, Progress, Reason, Rng, Rows, Run,
    Session, Space, Told, Watch, Workers, minimize, minimize_problem, problems, session,
};

fn rastrigin(dim: usize) -> Box<dyn problems::TestProblem> {
    problems::entry("rastrigin").unwrap().build(dim, None).unwrap()
}

fn start<'a>(method: &str, problem: &dyn Problem, limits: Limits, seed: u64) -> Session<'a> {
    session(method, &Settings::new(), problem.space(), limits, seed).unwrap()
}

fn inside(method: &str, problem: &dyn Problem, budget: u64, seed: u64) -> Outcome {
    let entry = registry::entry(method).unwrap();
    let mut algorithm = entry.build(problem.space(), Some(budget), &Settings::new()).unwrap();
    Run::new(problem, &mut *algorithm, seed).watch(&mut Evaluations(budget)).minimize()
}

fn same(a: &Outcome, b: &Outcome) {
    let bits = |x: &[f64]| x.iter().map(|t| t.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&a.x), bits(&b.x));
    assert_eq!(bits(&a.answer), bits(&b.answer));
    assert_eq!((a.fun.to_bits(), a.nfev, a.nit, a.failures), (b.fun.to_bits(), b.nfev, b.nit, b.failures));
    assert_eq!(a.reason, b.reason);
}

#[test]
fn ten_lines_from_outside_are_the_run() {
    let problem = rastrigin(4);
    for entry in registry::entries() {
        let limits = Limits::evaluations(777);
        let mut session = start(entry.name, &*problem, limits, 3);
        while session.ended().is_none() {
            let batch = session.ask(usize::MAX);
            let values: Vec<f64> = batch.rows().iter().map(|x| problem.value(x)).collect();
            session.tell_batch(&batch, &values).unwrap();
        }
        same(&session.outcome(), &inside(entry.name, &*problem, 777, 3));
    }
}

#[test]
fn values_come_back_in_any_order_and_in_parts() {
    let problem = rastrigin(5);
    for method in ["pso", "de", "cma_es", "auto", "lshade", "nelder_mead", "bipop_cma_es", "cbo"] {
        let mut session = start(method, &*problem, Limits::evaluations(900), 11);
        let rng = Rng::new(5);
        let (mut out, mut turn) = (Vec::<(Id, f64)>::new(), 0);
        while session.ended().is_none() {
            let mut draws = rng.row(turn);
            turn += 1;
            for (id, x) in session.ask(1 + draws.below(9)).points() {
                out.push((id, problem.value(x)));
            }
            draws.shuffle(&mut out);
            let answered = if session.waiting() == 0 { out.len() } else { draws.below(out.len() + 1) };
            for (id, value) in out.drain(..answered) {
                session.tell(id, Evaluation::of(value)).unwrap();
            }
        }
        assert!(out.is_empty());
        same(&session.outcome(), &inside(method, &*problem, 900, 11));
    }
}

#[test]
fn misuse_is_an_error_that_names_the_point_and_changes_nothing() {
    let problem = rastrigin(2);
    let mut session = start("de", &*problem, Limits::evaluations(500), 1);
    assert!(session.best().is_none());
    let error = session.tell(Id(0), Evaluation::of(1.0)).unwrap_err().to_string();
    assert_eq!(error, "evaluation = number 0: no such point was handed out");
    let batch = session.ask(3);
    assert_eq!(batch.ids().collect::<Vec<_>>(), [Id(0), Id(1), Id(2)]);
    session.tell(Id(1), Evaluation::of(7.0)).unwrap();
    assert_eq!(session.best().unwrap().value, 7.0);
    let error = session.tell(Id(1), Evaluation::of(1.0)).unwrap_err().to_string();
    assert_eq!(error, "evaluation = number 1: its value has been told already");
    assert!(session.tell(Id(3), Evaluation::of(1.0)).unwrap_err().to_string().contains("no such point"));
    assert!(session.tell_batch(&batch, &[1.0, 2.0]).unwrap_err().to_string().contains("2 entries, expected 3"));
    assert!(session.tell_batch(&batch, &[1.0; 3]).unwrap_err().to_string().contains("number 1"));
    assert_eq!((session.evaluations(), session.best().unwrap().value, session.outstanding()), (1, 7.0, 2));
    assert!(session.ask(0).is_empty());
    // Everything that may be asked for is out: an empty batch until the values are there.
    let rest = session.ask(usize::MAX);
    assert!(session.ask(usize::MAX).is_empty() && session.ended().is_none());
    for id in rest.ids().chain([Id(0), Id(2)]) {
        session.tell(id, Evaluation::failed(Failure::Rejected("no".into()))).unwrap();
    }
    assert_eq!((session.rounds(), session.failures().rejected), (1, session.evaluations() - 1));
    assert!(session.tell(Id(2), Evaluation::of(1.0)).unwrap_err().to_string().contains("told already"));
}

#[test]
fn a_budget_is_never_exceeded_and_every_point_is_counted() {
    let problem = rastrigin(3);
    for budget in [1, 2, 7, 39, 40, 41, 100] {
        let mut session = start("pso", &*problem, Limits::evaluations(budget), 0);
        let mut handed = 0;
        while session.ended().is_none() {
            for (id, x) in session.ask(5).points() {
                handed += 1;
                session.tell(id, Evaluation::of(problem.value(x))).unwrap();
            }
        }
        assert_eq!((handed, session.evaluations()), (budget, budget));
        assert!(session.ask(usize::MAX).is_empty());
        same(&session.outcome(), &inside("pso", &*problem, budget, 0));
    }
}

#[test]
fn workers_at_any_number_give_the_same_run() {
    let problem = rastrigin(4);
    for workers in [1, 3, 16, 100] {
        for method in ["de", "auto"] {
            let session = start(method, &*problem, Limits::evaluations(600), 2);
            let mut simulated = Simulated::new(&*problem, workers, 9);
            same(&Run::over(session, &mut simulated).minimize(), &inside(method, &*problem, 600, 2));
        }
    }
}

/// What the watchers of a run were told, in order.
#[derive(Default)]
struct Recorder(Mutex<Vec<Line>>);

/// Number, whether it was late, point, value.
type Line = (Id, bool, Vec<f64>, f64);

impl Watch for &Recorder {
    fn see(&mut self, _progress: &Progress<'_>) -> std::ops::ControlFlow<Reason> {
        std::ops::ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        true
    }

    fn evaluated(&mut self, told: &Told<'_>) {
        if !told.repeated {
            self.0.lock().unwrap().push((told.id, told.late, told.x.to_vec(), told.evaluation.value));
        }
    }
}

#[test]
fn with_a_quorum_late_values_count_and_the_order_of_telling_is_the_run() {
    let problem = rastrigin(4);
    for method in ["de", "bipop_cma_es", "lshade"] {
        let record = Recorder::default();
        let limits = Limits::evaluations(1500);
        let session = start(method, &*problem, limits, 4).quorum(0.75).unwrap().watch(&record);
        let mut simulated = Simulated::new(&*problem, 32, 3);
        let expected = Run::over(session, &mut simulated).minimize();
        let record = record.0.into_inner().unwrap();
        assert_eq!(record.len() as u64, expected.nfev);
        assert!(expected.nfev <= 1500 && record.iter().filter(|told| told.1).count() > 20);
        let best = record.iter().map(|told| told.3).fold(f64::INFINITY, f64::min);
        assert_eq!(expected.fun, best);
        // Told again in the same order, the session takes the same course, whatever part of it came before.
        for cut in [0, 1, 31, 32, 33, 500, record.len()] {
            let mut again = start(method, &*problem, limits, 4).quorum(0.75).unwrap();
            for (id, late, x, value) in &record[..cut] {
                again.repeat(*id, *late, x, &Evaluation::of(*value)).unwrap();
            }
            for (id, late, x, value) in &record[cut..] {
                again.repeat(*id, *late, x, &Evaluation::of(*value)).unwrap();
            }
            same(&again.outcome_as(expected.reason.clone()), &expected);
        }
    }
    let session = start("de", &*problem, Limits::evaluations(100), 4);
    assert!(session.quorum(0.0).is_err());
}

/// `outcome` of a session that is ended for a reason first.
trait OutcomeAs {
    fn outcome_as(self, reason: Reason) -> Outcome;
}

impl OutcomeAs for Session<'_> {
    fn outcome_as(mut self, reason: Reason) -> Outcome {
        self.stop(reason);
        self.outcome()
    }
}

#[test]
fn a_run_that_is_told_again_asks_only_for_what_is_missing() {
    let problem = rastrigin(4);
    for method in ["de", "auto", "cma_es", "trust_region", "pso_sde"] {
        let limits = Limits::evaluations(400);
        let expected = inside(method, &*problem, 400, 8);
        let record = Recorder::default();
        let entry = registry::entry(method).unwrap();
        let mut algorithm = entry.build(problem.space(), Some(400), &Settings::new()).unwrap();
        let mut watcher = &record;
        Run::new(&*problem, &mut *algorithm, 8).watch(&mut Evaluations(400)).watch(&mut watcher).minimize();
        let record = record.0.into_inner().unwrap();
        for known in [0, 1, 5, 39, 40, 123, record.len()] {
            // Not the first ones: any part of what was under way may be known.
            let mut session = start(method, &*problem, limits, 8);
            for (id, late, x, value) in record.iter().take(known) {
                session.repeat(*id, *late, x, &Evaluation::of(*value)).unwrap();
            }
            let count = AtomicU64::new(0);
            let counted = Function::new(problem.space().clone(), |x: &[f64]| {
                count.fetch_add(1, Relaxed);
                problem.value(x)
            });
            let outcome = Run::of(session, &counted).minimize();
            same(&outcome, &expected);
            assert_eq!(count.load(Relaxed), expected.nfev - known.min(record.len()) as u64);
        }
        // Another seed asks for other points.
        let mut other = start(method, &*problem, limits, 9);
        let found = record.iter().find_map(|(id, late, x, v)| other.repeat(*id, *late, x, &Evaluation::of(*v)).err());
        let error = found.map(|why| why.to_string()).unwrap_or_default();
        assert!(error.contains("another") || ["auto", "trust_region"].contains(&method), "{method}: {error}");
    }
}

#[test]
fn rows_known_out_of_order_are_not_handed_out_again() {
    let problem = rastrigin(3);
    let mut first = start("de", &*problem, Limits::evaluations(200), 1);
    let points: BTreeMap<Id, Vec<f64>> = first.ask(usize::MAX).points().map(|(id, x)| (id, x.to_vec())).collect();
    let mut session = start("de", &*problem, Limits::evaluations(200), 1);
    for k in [0, 3, 4, 9] {
        session.repeat(Id(k), false, &points[&Id(k)], &Evaluation::of(1.0)).unwrap();
    }
    let asked: Vec<u64> = std::iter::from_fn(|| Some(session.ask(4)).filter(|batch| !batch.is_empty()))
        .flat_map(|batch| batch.ids().map(|id| id.0).collect::<Vec<_>>())
        .collect();
    let expected: Vec<u64> = (0..points.len() as u64).filter(|k| ![0, 3, 4, 9].contains(k)).collect();
    assert_eq!(asked, expected);
    assert_eq!(session.outstanding(), expected.len());
}

/// Noise that depends on the number of the evaluation, whoever evaluates.
struct Noisy<'a>(&'a dyn Problem, AtomicU64);

impl Problem for Noisy<'_> {
    fn space(&self) -> &Space {
        self.0.space()
    }

    fn value(&self, x: &[f64]) -> f64 {
        let k = self.1.fetch_add(1, Relaxed);
        self.0.value(x) + Rng::new(1).row(k as usize).normal()
    }

    fn noisy(&self) -> bool {
        true
    }
}

#[test]
fn the_new_evaluations_of_a_noisy_run_are_asked_for_too() {
    let problem = rastrigin(3);
    let expected = inside("de", &Noisy(&*problem, AtomicU64::new(0)), 1000, 5);
    let noisy = Noisy(&*problem, AtomicU64::new(0));
    let mut session = start("de", &*problem, Limits::evaluations(1000), 5).noisy(true);
    while session.ended().is_none() {
        for (id, x) in session.ask(7).points() {
            session.tell(id, Evaluation::of(noisy.value(x))).unwrap();
        }
    }
    let outcome = session.outcome();
    same(&outcome, &expected);
    assert!(outcome.noise == expected.noise && outcome.noise.is_some() && outcome.nfev == 1000);
}

#[test]
fn why_an_evaluation_failed_travels_up() {
    let space = Space::cube(2, -1.0, 1.0).unwrap();
    let objective = |x: &[f64]| match x[0] {
        t if t < -0.5 => Err("too far left"),
        t if t > 0.5 => panic!("too far right"),
        t if t > 0.4 => Ok(f64::NAN),
        t => Ok(t * t),
    };
    let record = Mutex::new(Vec::new());
    struct Failures<'a>(&'a Mutex<Vec<Failure>>);
    impl Watch for Failures<'_> {
        fn see(&mut self, _progress: &Progress<'_>) -> std::ops::ControlFlow<Reason> {
            std::ops::ControlFlow::Continue(())
        }
        fn sees_evaluations(&self) -> bool {
            true
        }
        fn evaluated(&mut self, told: &Told<'_>) {
            self.0.lock().unwrap().extend(told.evaluation.failure.clone());
        }
    }
    let problem = Function::fallible(space, objective);
    let outcome =
        minimize_problem(problem).method("random_search").evaluations(300).watch(Failures(&record)).run().unwrap();
    let (counts, seen) = (outcome.failure_counts, record.into_inner().unwrap());
    assert!(counts.rejected > 20 && counts.panicked > 20 && counts.not_finite > 1);
    assert_eq!(outcome.failures, counts.total());
    assert_eq!(seen.len() as u64, counts.total());
    assert!(seen.contains(&Failure::Rejected("too far left".into())));
    assert!(seen.contains(&Failure::Panicked("too far right".into())));
}

#[test]
fn closures_with_a_state_and_without_a_limit_are_problems() {
    let mut calls = 0;
    let mut worst = f64::NEG_INFINITY;
    let outcome = minimize(
        |x: &[f64]| {
            calls += 1;
            worst = worst.max(x[0]);
            x[0] * x[0]
        },
        Space::cube(1, -4.0, 4.0).unwrap(),
    )
    .method("random_search(points=10)")
    .run();
    // A text that is wrong is an error.
    assert!(outcome.is_err());
    let outcome = minimize(
        |x: &[f64]| {
            calls += 1;
            worst = worst.max(x[0]);
            x[0] * x[0]
        },
        Space::cube(1, -4.0, 4.0).unwrap(),
    )
    .method("random_search")
    .run()
    .unwrap();
    assert_eq!((outcome.reason, outcome.nfev, calls), (Reason::Evaluations, 10_000, 10_000));
    assert!(worst > 3.9);
}

/// Notes the sizes of the batches that it gets.
struct Whole(Space, Mutex<RefCell<Vec<usize>>>, bool);

impl Problem for Whole {
    fn space(&self) -> &Space {
        &self.0
    }

    fn value(&self, x: &[f64]) -> f64 {
        std::thread::sleep(Duration::from_micros(300));
        x.iter().map(|t| t * t).sum()
    }

    fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
        self.1.lock().unwrap().borrow_mut().push(xs.len());
        xs.iter().zip(out).for_each(|(x, o)| *o = self.value(x));
    }

    fn whole(&self) -> bool {
        self.2
    }
}

#[test]
fn a_problem_may_want_its_rounds_whole() {
    let sizes = |whole: bool, workers: usize| {
        let problem = Whole(Space::cube(2, -1.0, 1.0).unwrap(), Mutex::default(), whole);
        let mut method = registry::entry("de").unwrap().build(&problem.0, None, &Settings::new()).unwrap();
        let workers = Workers::new(workers).unwrap();
        Run::new(&problem, &mut *method, 1).watch(&mut Evaluations(200)).workers(&workers).minimize();
        problem.1.into_inner().unwrap().into_inner()
    };
    for workers in [1, 2] {
        let whole = sizes(true, workers);
        assert!(whole[0] > 4 && whole.iter().sum::<usize>() == 200, "{whole:?}");
        assert!(sizes(false, workers).len() > whole.len());
    }
}
