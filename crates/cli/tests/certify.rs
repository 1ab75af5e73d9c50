//! The command `certify` as its users meet it.

use serde_json::Value;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_swarmgrad")).arg("certify").args(args).output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{args:?}: {output:?}");
    output
}

const LOCAL: &[&str] = &[
    "rastrigin25",
    "--dim",
    "1",
    "--set",
    "memory=none",
    "--set",
    "inertia=0.005",
    "--set",
    "sigma2=0.1",
    "--set",
    "alpha=1",
    "--swarm",
    "2000",
    "--points",
    "20000",
];

fn json(more: &[&str]) -> (i32, Value) {
    let output = run(&[LOCAL, more, &["--json"]].concat());
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn verdicts_and_exit_codes() {
    let narrow = ["--start", "normal:0.02:0.002"];
    let (code, given) = json(&[&narrow[..], &["--hessian", "100.7"]].concat());
    assert_eq!((code, &given["verdict"]), (0, &"holds".into()));
    assert!((given["rate"].as_f64().unwrap() - 1.12).abs() < 0.01);
    assert!((given["measured"]["rate"].as_f64().unwrap() - 2.011).abs() < 0.05);
    assert_eq!(given["measured"]["violations"], 0);
    // The Hessian is estimated: nothing is proven.
    let (code, guessed) = json(&narrow);
    assert_eq!((code, &guessed["verdict"], &guessed["hessian"]["estimated"]), (0, &"not_proven".into(), &true.into()));
    let (code, wide) = json(&["--start", "normal:0.1:0.15", "--hessian", "100.7"]);
    assert_eq!((code, &wide["verdict"]), (1, &"fails".into()));
    assert_eq!(wide["suggestions"].as_array().unwrap().len(), 2);
    assert!(wide["rate"].is_null());
}

#[test]
fn the_text_says_what_fails_and_what_to_change() {
    let output = run(&["rastrigin25", "--dim", "4", "--points", "5000", "--swarm", "200", "--set", "inertia=0.01"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "Theorem 3.3: FAILS",
        "lies outside the theorem",
        "explodes (mean square)",
        "explodes (almost sure)",
        "suggestion",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn samples_from_a_file_and_bad_input() {
    let path = std::env::temp_dir().join(format!("swarmgrad-certify-{}.csv", std::process::id()));
    let lines: String = (0..400).map(|k| f64::from(k % 20) / 1e4).map(|t| format!("{t}, {}\n", t * t)).collect();
    std::fs::write(&path, lines).unwrap();
    let file = path.to_str().unwrap();
    let common = [
        "--samples",
        file,
        "--minimum",
        "0",
        "--set",
        "memory=none",
        "--set",
        "inertia=0.005",
        "--set",
        "sigma2=0.1",
        "--set",
        "alpha=1",
    ];
    let output = run(&[&common[..], &["--hessian", "2"]].concat());
    assert!(String::from_utf8_lossy(&output.stdout).contains("Theorem 2.5"), "{output:?}");
    let output = run(&common);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("must be given where there are only samples"));
    std::fs::remove_file(&path).unwrap();
    for (args, says) in [
        (&["rastrigin25", "--set", "inertia=0"][..], "inertia = 0"),
        (&["rastrigin25", "--set", "inertja=0"], "did you mean 'inertia'?"),
        (&["rastrigin25", "--horizon", "-1"], "--horizon"),
        (&["rastrigin25", "--points", "5"], "samples = 5"),
        (&["rastriginn"], "did you mean"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(says), "{args:?}: {output:?}");
    }
}
