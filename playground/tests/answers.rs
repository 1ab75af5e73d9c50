//! The playground without a page: what it lists, what it refuses, and that its runs are the library's.

use serde_json::{Value, json};
use swarmgrad::study::{Execution, Study};
use swarmgrad::{Function, minimize_problem, problems, registry};
use swarmgrad_playground::Playground;

fn ask(playground: &mut Playground, request: &Value) -> Value {
    serde_json::from_str(&playground.answer(&request.to_string())).unwrap()
}

#[test]
fn it_lists_all_methods_and_the_problems_of_two_variables() {
    let list = ask(&mut Playground::default(), &json!({ "do": "list" }));
    let names = |what: &str| -> Vec<String> {
        list[what].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("methods"), registry::entries().map(|entry| entry.name.to_owned()).collect::<Vec<_>>());
    let found = names("problems");
    for wanted in ["sphere", "himmelblau", "eggholder", "bbob/f24", "cec2006/g06", "nist/misra1a"] {
        assert!(found.iter().any(|name| name == wanted), "{wanted} is not in {found:?}");
    }
    for unwanted in ["zdt1", "bnh", "bbob_biobj/f1", "bbob_mixint/f1"] {
        assert!(!found.iter().any(|name| name == unwanted), "{unwanted}");
    }
}

#[test]
fn a_run_that_is_shown_round_by_round_is_the_run_of_the_library() {
    for method in ["auto", "pso", "cma_es", "nelder_mead", "cbo"] {
        let setting = json!({ "on": { "problem": "ackley" }, "method": method, "seed": 3, "budget": 700 });
        let with = |what: &str| {
            let mut request = setting.clone();
            request["do"] = what.into();
            request
        };
        let mut playground = Playground::default();
        let mut frame = ask(&mut playground, &with("begin"));
        let mut improvements = 0;
        while frame["ended"].is_null() {
            frame = ask(&mut playground, &json!({ "do": "step", "rounds": 1 }));
            improvements += frame["improvements"].as_array().unwrap().len();
        }
        let at_once = ask(&mut playground, &with("run"));
        let ackley = problems::entry("ackley").unwrap().build::<f64>(2, None).unwrap();
        let value = Function::new(ackley.space().clone(), |x: &[f64]| ackley.value(x));
        let outcome = minimize_problem(value).method(method).seed(3).evaluations(700).run().unwrap();
        assert_eq!(frame["best"]["value"].as_f64(), Some(outcome.fun), "{method}");
        assert_eq!(frame["best"]["x"], json!(outcome.x), "{method}");
        assert_eq!(frame["evaluations"], outcome.nfev, "{method}");
        assert_eq!(frame["ended"], outcome.reason.to_string(), "{method}");
        assert_eq!(at_once["bits"], format!("{:016x}", outcome.fun.to_bits()), "{method}");
        assert!(improvements > 3, "{method}: {improvements}");
    }
}

#[test]
fn methods_that_are_made_for_gradients_get_those_of_a_study() {
    let setting =
        json!({ "do": "run", "on": { "problem": "rosenbrock" }, "method": "diff_de", "seed": 2, "budget": 500 });
    let here = ask(&mut Playground::default(), &setting);
    let study = Study {
        problem: Some("rosenbrock".into()),
        dim: Some(2),
        method: "diff_de".into(),
        seed: 2,
        evaluations: Some(500),
        ..Study::default()
    };
    let report = study.plan().unwrap().run(Execution::default()).unwrap();
    assert!(report.outcome.ngev > 0);
    assert_eq!(here["value"].as_f64(), Some(report.outcome.fun));
    assert_eq!(here["evaluations"], report.outcome.nfev);
}

#[test]
fn formulas_have_landscapes_and_what_is_wrong_is_said_in_the_words_of_the_library() {
    let mut playground = Playground::default();
    let formula = json!({ "formula": "x0 + 10 * x1", "bounds": [[0.0, 1.0], [0.0, 2.0]] });
    let found = ask(&mut playground, &json!({ "do": "landscape", "on": formula, "side": 3 }));
    assert_eq!(found["values"], json!([0.0, 0.5, 1.0, 10.0, 10.5, 11.0, 20.0, 20.5, 21.0]));
    let bounded = ask(&mut playground, &json!({ "do": "landscape", "on": { "problem": "cec2006/g06" }, "side": 40 }));
    let violated = bounded["violated"].as_array().unwrap();
    assert_eq!(violated.len(), 1600);
    assert!(violated.iter().all(|v| *v == 0 || *v == 1) && violated.contains(&json!(1)));

    let run = |on: Value, method: &str, set: Value| {
        let request = json!({ "do": "begin", "on": on, "method": method, "set": set, "budget": 100 });
        ask(&mut Playground::default(), &request)["error"]
            .as_str()
            .unwrap_or_else(|| panic!("no error for {request}"))
            .to_owned()
    };
    let sphere = || json!({ "problem": "sphere" });
    assert_eq!(run(sphere(), "psoo", json!([])), "unknown method 'psoo', did you mean 'pso'?");
    assert_eq!(run(sphere(), "pso", json!(["particles=0"])), "particles = 0: must be a whole number >= 1");
    assert_eq!(
        run(sphere(), "pso", json!(["partikles=9"])),
        "unknown parameter of pso 'partikles', did you mean 'particles'?"
    );
    assert!(run(json!({ "problem": "zdt1" }), "pso", json!([])).contains("several objectives"));
    assert!(
        run(json!({ "problem": "booth", "bounds": [[0.0, 0.0], [0.0, 1.0]] }), "pso", json!([]))
            .contains("room between them")
    );
    assert!(run(json!({ "formula": "x0 +" }), "pso", json!([])).contains("ends where a number"));
    let unread = ask(&mut playground, &json!({ "do": "dance" }));
    assert!(unread["error"].as_str().unwrap().contains("dance"));
    let none = ask(&mut playground, &json!({ "do": "step", "rounds": 1 }));
    assert_eq!(none["error"], "run is missing: none has been begun");
}
