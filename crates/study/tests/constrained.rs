//! Constraints of studies: test problems, texts, programs, journals, reports.
#![cfg(unix)]

use std::path::PathBuf;
use swarmgrad_study::{Execution, Program, Report, Study, Verdict};

/// A path that nobody else uses.
fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("swarmgrad-constrained-{}-{name}", std::process::id()))
}

/// Answers {"value": a + b, "c": {"product": 1 - a b, "unused": 7}}.
const PROGRAM: &str = r#"while read line; do echo "$line" | awk -F'[:,}]' '{a=$3; b=$5; printf "{\"value\": %.17g, \"c\": {\"product\": %.17g, \"unused\": 7}}\n", a + b, 1 - a * b}'; done"#;

fn study() -> Study {
    Study {
        program: Some(Program { command: PROGRAM.into(), ..Program::default() }),
        bounds: Some("a=0:4,b=0:4".into()),
        constraints: vec!["product <= 0".into(), "order: a >= b + 1".into()],
        evaluations: Some(60),
        ..Study::default()
    }
}

fn run(study: &Study, record: Option<PathBuf>, workers: usize) -> Report {
    study.run(Execution { record, workers, ..Execution::default() }).unwrap()
}

#[test]
fn a_program_answers_by_name_and_texts_are_checked_here() {
    // a b >= 1, a >= b + 1: the least sum is sqrt(5), at a = (1 + sqrt(5)) / 2.
    let report = run(&study(), None, 2);
    assert!(report.outcome.is_feasible() && (report.outcome.fun - 5f64.sqrt()).abs() < 1e-4, "{}", report.outcome.fun);
    assert_eq!(report.active(), ["product <= 0", "order"]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((json["feasible"].as_bool(), json["violation"].as_f64()), (Some(true), Some(0.0)));
    assert_eq!(json["active"][1], "order");
    assert!(json["constraints"]["order"].as_f64().unwrap().abs() < 1e-3);
    assert!(json["success"].as_bool().unwrap());
}

#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    for method in ["auto", "cma_es"] {
        let study = Study { method: method.into(), ..study() };
        let (whole, half) = (path(&format!("{method}-whole.jsonl")), path(&format!("{method}-half.jsonl")));
        let first = run(&study, Some(whole.clone()), 1);
        let text = std::fs::read_to_string(&whole).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[5].contains(r#","constraints":["#), "{}", lines[5]);
        // The header and 24 evaluations, and a torn line.
        std::fs::write(&half, format!("{}\n{}", lines[..25].join("\n"), &lines[25][..20])).unwrap();
        let second = run(&study, Some(half.clone()), 2);
        assert_eq!(second.repeated, 24);
        let (a, b) = (&first.outcome, &second.outcome);
        assert_eq!((&a.x, a.fun, &a.constraints, a.violation), (&b.x, b.fun, &b.constraints, b.violation), "{method}");
        std::fs::remove_file(whole).unwrap();
        std::fs::remove_file(half).unwrap();
    }
}

#[test]
fn constraints_over_the_variables_cost_no_evaluation() {
    let evaluations = |path: &PathBuf| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["kind"] == "evaluation").collect()
    };
    for method in ["de", "lshade", "pso", "ga", "nelder_mead", "multistart(method=nelder_mead)"] {
        let study = Study {
            problem: Some("sphere".into()),
            dim: Some(3),
            constraints: vec!["x0 + x1 >= 1".into(), "x2 >= x0".into()],
            method: method.into(),
            evaluations: Some(1500),
            seed: 3,
            ..Study::default()
        };
        let (whole, half) = (path(&format!("cheap-{method}.jsonl")), path(&format!("cheap-{method}-half.jsonl")));
        let first = run(&study, Some(whole.clone()), 1);
        let lines = evaluations(&whole);
        assert_eq!(lines.len() as u64, first.outcome.nfev, "{method}");
        for line in &lines {
            assert!(
                line["constraints"].as_array().unwrap().iter().all(|c| c.as_f64().unwrap() <= 1e-6),
                "{method}: {line}"
            );
        }
        // The least x0^2 + x1^2 + x2^2 is 2/3, at (1/3, 2/3, 1/3).
        let fun = first.outcome.fun;
        assert!(fun >= 2.0 / 3.0 - 1e-5 && fun < if method == "nelder_mead" { 2.0 } else { 0.8 }, "{method}: {fun}");
        let account = first.outcome.explanation.as_ref().unwrap();
        assert!(account.contains("points broke constraints over the variables and were not evaluated"), "{account}");
        let text = std::fs::read_to_string(&whole).unwrap();
        let kept: Vec<&str> = text.lines().take(100).collect();
        std::fs::write(&half, kept.join("\n") + "\n").unwrap();
        let second = run(&study, Some(half.clone()), 1);
        assert_eq!((&second.outcome.x, second.outcome.fun), (&first.outcome.x, fun), "{method}");
        assert_eq!(&second.outcome.explanation, &first.outcome.explanation);
        std::fs::remove_file(whole).unwrap();
        std::fs::remove_file(half).unwrap();
    }
    // Where no point keeps to them, a run still ends; what is answered violates them least.
    let study = Study {
        problem: Some("sphere".into()),
        dim: Some(2),
        constraints: vec!["x0 >= 100".into()],
        method: "de".into(),
        evaluations: Some(60),
        ..Study::default()
    };
    let report = run(&study, None, 1);
    assert!(!report.outcome.is_feasible() && report.outcome.nfev == 60 && report.outcome.x[0] > 4.9, "{report:?}");
    // The least sum on a line is found although no random point lies on it.
    let study = Study { constraints: vec!["x0 + x1 = 1".into()], evaluations: Some(400), ..study };
    let report = run(&study, None, 1);
    assert!(report.outcome.is_feasible() && (report.outcome.fun - 0.5).abs() < 0.05, "{}", report.outcome.fun);
}

#[test]
fn answers_without_a_value_that_is_needed_are_failures_that_say_so() {
    let study = Study { constraints: vec!["prodct <= 0".into()], evaluations: Some(8), method: "de".into(), ..study() };
    let report = run(&study, None, 1);
    assert_eq!(report.verdict(), Verdict::NoValue);
    let detail = report.last_failure.map_or(String::new(), |last| last.detail);
    assert!(report.outcome.failures == 8, "{detail}");
}

#[test]
fn test_problems_have_theirs_and_texts_come_on_top() {
    let study = Study {
        problem: Some("cec2006/g24".into()),
        constraints: vec!["x0 <= 2".into()],
        evaluations: Some(200),
        ..Study::default()
    };
    let report = run(&study, None, 1);
    assert_eq!(report.constraints().len(), 3);
    assert!(report.outcome.is_feasible() && report.outcome.x[0] <= 2.0 + 1e-6, "{:?}", report.outcome.x);
    assert_eq!(report.minimum, None);
    let alone = Study { constraints: Vec::new(), ..study.clone() };
    assert!((run(&alone, None, 1).minimum.unwrap() + 5.508_013_271_595_36).abs() < 1e-12);
    let infeasible = Study { constraints: vec!["x0 + x1 <= -1".into()], ..study.clone() };
    let report = run(&infeasible, None, 1);
    assert!(!report.outcome.is_feasible() && !report.success() && report.largest_violation() > 0.9);
    let error = |study: Study| study.plan().unwrap_err().to_string();
    assert!(
        error(Study { constraints: vec!["x7 <= 1".into()], ..study.clone() }).contains("name in a constraint 'x7'")
    );
    assert!(
        error(Study { runs: Some(2), ..study.clone() })
            .contains("--runs = set: cannot be used on a problem with constraints")
    );
    let tight = Study { constraint_tolerance: Some(1e-9), ..study.clone() };
    assert_eq!(tight.plan().unwrap().constraints.list()[2].tolerance(), 1e-9);
    let text = tight.to_toml().unwrap();
    assert_eq!(Study::from_toml(&text).unwrap(), tight);
}

#[test]
fn maximising_under_constraints_keeps_their_sign() {
    let study = Study {
        problem: Some("sphere".into()),
        dim: Some(2),
        maximize: true,
        constraints: vec!["x0 + x1 <= 1".into(), "x0 = x1".into()],
        evaluations: Some(400),
        bounds: Some("0:5".into()),
        ..Study::default()
    };
    let report = run(&study, None, 1);
    assert!(report.outcome.is_feasible() && (report.outcome.fun - 0.5).abs() < 1e-3, "{}", report.outcome.fun);
}

#[test]
fn typed_variables_and_constraints_go_together() {
    let study = Study {
        problem: Some("sphere".into()),
        variables: vec!["a=int:-9:9".into(), "b=log:0.01:10".into()],
        constraints: vec!["a + b >= 2.5".into()],
        evaluations: Some(4_000),
        method: "de".into(),
        ..Study::default()
    };
    let report = run(&study, None, 1);
    // a = 1 and b = 1.5.
    assert!(report.outcome.is_feasible() && (report.outcome.fun - 3.25).abs() < 1e-2, "{}", report.outcome.fun);
}
