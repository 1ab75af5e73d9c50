//! Problems with constraints: every method on them, what counts as the best point, states that are read back.

use std::sync::Mutex;
use swarmgrad_combine::distinct::Distinct;
use swarmgrad_combine::registry::{Handling, Settings, build, entries, entry, load};
use swarmgrad_core::{
    Aim, Algorithm, Constrained, Constraint, Evaluation, Evaluations, Failure, Function, Limits, Matrix, Outcome,
    Problem, Reason, Rng, Run, Session, Space, Target, Variable, Workers, better_constrained, violation,
};
use swarmgrad_problems as problems;

fn settings(text: &str) -> Settings {
    serde_json::from_str(text).unwrap()
}

/// Typed variables, an inequality that holds in few places and an equation over the whole number.
fn mixed() -> (Space, Vec<Constraint>) {
    let texts = ["a=-2:2", "b=log:1e-3:10", "n=int:0:9", "f=flag"];
    let space = Space::of(texts.iter().map(|text| Variable::parse(text).unwrap()).collect()).unwrap();
    (space, vec![Constraint::at_most("disc"), Constraint::equal("whole")])
}

fn mixed_values(x: &[f64]) -> (f64, Vec<f64>) {
    (
        (x[0] - 1.0).powi(2) + x[1] + x[2] + x[3],
        vec![x[0] * x[0] + x[1] * x[1] - 0.5, (x[2] - 3.0) * (x[2] - 5.0) / 8.0],
    )
}

#[test]
fn no_method_hides_a_feasible_point_behind_an_infeasible_one() {
    let (space, constraints) = mixed();
    for entry in entries() {
        let log = Mutex::new(Vec::new());
        let objective = |x: &[f64]| {
            let (value, c) = mixed_values(x);
            log.lock().unwrap().push((violation(&constraints, &c), value, c.clone()));
            (value, c)
        };
        let problem = swarmgrad_core::FunctionMut::new(space.clone(), objective);
        let problem = Constrained::new(problem).answering(constraints.clone());
        let method = build(entry, &space, Some(400), &Settings::new(), &constraints, &Aim::Value).unwrap();
        let mut method = Distinct::over(method, &space);
        let outcome = Run::new(&problem, &mut *method, 3).watch(&mut Evaluations(400)).minimize();
        let log = log.lock().unwrap();
        let best = log
            .iter()
            .fold(&log[0], |best, new| if better_constrained((new.0, new.1), (best.0, best.1)) { new } else { best });
        assert_eq!((outcome.violation, outcome.fun, &outcome.constraints), (best.0, best.1, &best.2), "{}", entry.name);
        assert_eq!(
            mixed_values(&space.numbers(&outcome.x)),
            (outcome.fun, outcome.constraints.clone()),
            "{}",
            entry.name
        );
    }
}

fn constrained(name: &str, problem: &dyn Problem, budget: u64, seed: u64, more: &str) -> Outcome {
    let method =
        build(entry(name).unwrap(), problem.space(), Some(budget), &settings(more), problem.constraints(), &Aim::Value);
    Run::new(problem, &mut *method.unwrap(), seed).watch(&mut Evaluations(budget)).minimize()
}

#[test]
fn each_way_of_telling_leads_to_the_border() {
    // The least x + y with x y >= 1 is 2; without the constraint it is 0.
    let space = Space::cube(2, 0.0, 4.0).unwrap();
    let sum = Function::new(space, |x: &[f64]| x[0] + x[1]);
    let problem = Constrained::new(sum).with(Constraint::at_most("product"), |x| 1.0 - x[0] * x[1]);
    for (name, way, within) in [
        ("de", "feasibility", 1e-3),
        ("lshade", "feasibility", 1e-3),
        ("pso", "feasibility", 1e-2),
        ("cma_es", "feasibility", 1e-3),
        ("cma_es", "epsilon", 1e-3),
        ("cma_es", "lagrangian", 1e-2),
        ("cbo", "penalty", 5e-2),
        ("nelder_mead", "feasibility", 1e-1),
        ("auto", "lagrangian", 1e-1),
    ] {
        let more = format!(r#"{{"constraint_handling": "{way}"}}"#);
        let outcome = constrained(name, &problem, 4000, 5, &more);
        assert!(outcome.is_feasible(), "{name} {way}: {}", outcome.violation);
        assert!((outcome.fun - 2.0).abs() < within, "{name} {way}: {}", outcome.fun);
    }
    let wrong = build::<f64>(
        entry("de").unwrap(),
        problem.space(),
        None,
        &settings(r#"{"constraint_handling": "epsilom"}"#),
        problem.constraints(),
        &Aim::Value,
    );
    assert!(wrong.err().unwrap().to_string().ends_with("did you mean 'epsilon'?"));
    let none = build::<f64>(
        entry("de").unwrap(),
        problem.space(),
        None,
        &settings(r#"{"constraint_handling": "epsilon"}"#),
        &[],
        &Aim::Value,
    );
    assert!(none.err().unwrap().to_string().contains("the problem has no constraints"));
    assert_eq!(Handling::ALL.len(), 4);
}

#[test]
fn multipliers_are_what_a_unit_of_a_constraint_is_worth() {
    // The least 3 (x^2 + y^2) with x + y >= 1 and x - y = 0.2 lies at (0.6, 0.4): 6 (x, y) = l (1, 1) - m (1, -1), so l = 3 and m = -0.6;
    // z <= 5 is idle.
    let space = Space::cube(3, -4.0, 4.0).unwrap();
    let bowl = Function::new(space, |x: &[f64]| 3.0 * (x[0] * x[0] + x[1] * x[1]) + (x[2] - 1.0).powi(2));
    let problem = Constrained::new(bowl)
        .with(Constraint::at_most("sum"), |x| 1.0 - x[0] - x[1])
        .with(Constraint::equal("apart"), |x| x[0] - x[1] - 0.2)
        .with(Constraint::at_most("idle"), |x| x[2] - 5.0);
    for (name, more, within) in
        [("auto", "{}", 1e-3), ("sqp", "{}", 1e-3), ("cma_es", r#"{"constraint_handling": "lagrangian"}"#, 0.5)]
    {
        let outcome = constrained(name, &problem, 600, 2, more);
        let found = outcome.multipliers.unwrap();
        let gap = found.iter().zip([3.0, -0.6, 0.0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(outcome.violation == 0.0 && gap < within, "{name}: {found:?}");
    }
    assert!(constrained("de", &problem, 200, 2, "{}").multipliers.is_none());
}

#[test]
fn descents_reach_published_minima_under_equations_and_with_rounded_values() {
    for (name, budget) in [("cec2006/g06", 60), ("cec2006/g05", 120), ("cec2006/g15", 90), ("designs/welded_beam", 120)]
    {
        let problem = problems::entry(name).unwrap();
        let problem = problem.build::<f64>(problem.dims.least(), None).unwrap();
        let best = problem.minimum().unwrap();
        let outcome = constrained("auto", &*problem, budget, 1, "{}");
        assert!(outcome.is_feasible() && outcome.fun - best <= 1e-4 * best.abs(), "{name}: {} {best}", outcome.fun);
    }
    let exact = problems::entry("designs/pressure_vessel").unwrap().build::<f64>(4, None).unwrap();
    let rounded = |value: f64| format!("{value:.5e}").parse::<f64>().unwrap();
    let objective = |x: &[f64]| {
        let found = exact.evaluate(x);
        (rounded(found.value), found.constraints.into_iter().map(rounded).collect::<Vec<_>>())
    };
    let problem = swarmgrad_core::FunctionMut::new(exact.space().clone(), objective);
    let problem = Constrained::new(problem).answering(exact.constraints().to_vec());
    let outcome = constrained("sqp", &problem, 120, 1, "{}");
    assert!(outcome.is_feasible() && outcome.fun < 1.0001 * exact.minimum().unwrap(), "{}", outcome.fun);
}

/// Asks and tells by hand, with the values of the constraints; what was asked for.
fn drive(method: &mut dyn Algorithm, problem: &dyn Problem, rounds: std::ops::Range<u64>) -> Vec<f64> {
    let (rng, mut xs, mut asked) = (Rng::new(8), Matrix::default(), Vec::new());
    for round in rounds {
        method.ask(&rng.at(round), &mut xs);
        if xs.is_empty() {
            break;
        }
        asked.extend_from_slice(xs.data());
        let found: Vec<Evaluation> = xs.iter().map(|x| problem.evaluate(x)).collect();
        let rows = found.iter().flat_map(|found| found.constraints.iter().copied()).collect();
        method.tell_constraints(&Matrix::from_vec(problem.constraints().len(), rows).unwrap());
        let values: Vec<f64> = found.iter().map(|found| found.value).collect();
        method.tell(&mut xs, &values);
    }
    asked
}

#[test]
fn a_state_that_is_read_back_goes_on_to_the_same_bits() {
    let problem = problems::entry("cec2006/g09").unwrap().build::<f64>(7, None).unwrap();
    let constraints = problem.constraints();
    for (name, more) in [
        ("auto", "{}"),
        ("sqp", "{}"),
        ("cma_es", "{}"),
        ("de", "{}"),
        ("cbo", "{}"),
        ("multistart", r#"{"method": "sqp"}"#),
        ("cma_es", r#"{"constraint_handling": "epsilon"}"#),
    ] {
        let (row, more) = (entry(name).unwrap(), settings(more));
        let fresh = || {
            let mut method = build::<f64>(row, problem.space(), Some(3000), &more, constraints, &Aim::Value).unwrap();
            assert!(method.expect_constraints(constraints), "{name}");
            method
        };
        let (mut whole, mut first) = (fresh(), fresh());
        let asked = drive(&mut *whole, &*problem, 0..60);
        let mut again = drive(&mut *first, &*problem, 0..30);
        let mut state = Vec::new();
        first.save(&mut state).unwrap();
        let mut second = load(row, &state, &more, constraints, &Aim::Value).unwrap();
        assert!(second.expect_constraints(constraints));
        again.extend(drive(&mut *second, &*problem, 30..60));
        assert_eq!(again, asked, "{name}");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let problem = problems::entry("cec2006/g24").unwrap().build::<f64>(2, None).unwrap();
    let run = |threads: usize| {
        let mut method = build(
            entry("cma_es").unwrap(),
            problem.space(),
            Some(900),
            &Settings::new(),
            problem.constraints(),
            &Aim::Value,
        )
        .unwrap();
        let workers = Workers::new(threads).unwrap();
        Run::new(&*problem, &mut *method, 4).watch(&mut Evaluations(900)).workers(&workers).minimize()
    };
    let (one, three) = (run(1), run(3));
    assert_eq!((one.x, one.constraints, one.nfev), (three.x, three.constraints, three.nfev));
}

#[test]
fn a_target_is_reached_by_feasible_points_only_and_failures_are_no_answers() {
    let space = Space::cube(1, 0.0, 1.0).unwrap();
    let constraints = [Constraint::at_most("c")];
    let row = entry("random_search").unwrap();
    let session = || {
        let method = build::<f64>(row, &space, None, &Settings::new(), &constraints, &Aim::Value).unwrap();
        Session::new(method, 1).constraints(&constraints)
    };
    let with = |value: f64, c: f64| Evaluation { constraints: vec![c], ..Evaluation::of(value) };
    let failed = |c: f64| Evaluation { constraints: vec![c], ..Evaluation::failed(Failure::Rejected("no".into())) };
    let mut limited = session().watch(Target(0.0));
    let batch = limited.ask(2);
    for (id, _) in batch.points() {
        limited.tell(id, with(-1.0, 0.5)).unwrap();
    }
    assert_eq!(limited.best().unwrap().violation, 0.5);
    assert!(limited.ended() != Some(&Reason::Target));

    // A failure at a feasible point, then what is less and less violated, then a feasible one.
    let mut session = session().limits(Limits::evaluations(100));
    let ids: Vec<_> = session.ask(6).ids().collect();
    let told = [failed(-1.0), with(3.0, 2.0), failed(1.0), with(4.0, 0.5), with(9.0, -1.0), with(-9.0, 0.1)];
    let wanted = [f64::INFINITY, 2.0, 1.0, 0.5, 0.0, 0.0];
    for ((id, told), wanted) in ids.iter().zip(told).zip(wanted) {
        session.tell(*id, told).unwrap();
        assert_eq!(session.best().unwrap().violation, wanted);
    }
    let id = session.ask(1).ids().next();
    if let Some(id) = id {
        let why = session.tell(id, Evaluation::of(1.0)).unwrap_err().to_string();
        assert!(why.contains("it has 0 constraint values, and the problem 1 constraints"), "{why}");
    }
    let outcome = session.outcome();
    assert_eq!((outcome.fun, outcome.constraints.as_slice(), outcome.is_feasible()), (9.0, &[-1.0][..], true));
}

/// A closure that forgets its constraints fails with a sentence, and a method that knows nothing of them is told +inf.
#[test]
fn missing_values_are_failures_and_plain_methods_are_told_of_infeasible_points() {
    let space = Space::cube(1, -1.0, 1.0).unwrap();
    let forgetful = Function::new(space.clone(), |x: &[f64]| x[0]);
    let forgetful = Constrained::new(forgetful).answering(vec![Constraint::at_most("c")]);
    let outcome = constrained("de", &forgetful, 60, 1, "{}");
    assert_eq!((outcome.failures, outcome.is_feasible()), (60, false));
    let problem =
        Constrained::new(Function::new(space.clone(), |x: &[f64]| x[0])).with(Constraint::at_most("c"), |x| -x[0]);
    let mut plain = entry("de").unwrap().build::<f64>(&space, None, &Settings::new()).unwrap();
    let outcome = Run::new(&problem, &mut *plain, 1).watch(&mut Evaluations(2000)).minimize();
    assert!(outcome.is_feasible() && outcome.fun < 1e-3, "{}", outcome.fun);
}

#[test]
fn a_descent_comes_near_a_jump() {
    // Cheapest just below x = 0.7, where 5 are added.
    let space = Space::cube(2, 0.0, 1.0).unwrap();
    let cost = Function::new(space, |x: &[f64]| -3.0 * x[0] - x[1] + if x[0] < 0.7 { 0.0 } else { 5.0 });
    let problem = Constrained::new(cost).with(Constraint::at_most("disc"), |x| x[0] * x[0] + x[1] * x[1] - 1.0);
    for seed in 0..5 {
        let outcome = constrained("auto", &problem, 30, seed, "{}");
        assert!(outcome.violation == 0.0 && (0.6999..0.7).contains(&outcome.x[0]), "{seed}: {outcome:?}");
    }
}

#[test]
fn the_best_descent_goes_on_where_values_are_large() {
    // A long valley, its minimum 1000 on a border: to 1e-10 of the value.
    let space = Space::cube(3, -5.0, 5.0).unwrap();
    let valley =
        |x: &[f64]| 1000.0 + (x[0] - 2.0).powi(2) + 1e2 * (x[1] - x[0]).powi(2) + 1e4 * (x[2] - x[1] + 1.0).powi(2);
    let problem = Constrained::new(Function::new(space, valley)).with(Constraint::at_most("wall"), |x| x[2] - 1.0);
    for seed in 0..5 {
        let outcome = constrained("auto", &problem, 100, seed, "{}");
        assert!(outcome.violation == 0.0 && outcome.fun < 1000.0 + 1e-7, "{seed}: {outcome:?}");
    }
}
