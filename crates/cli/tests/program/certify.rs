//! The command `certify` as its users meet it.

use crate::harness::{self, Done, Folder};
use serde_json::Value;

fn certify(args: &[&str]) -> Done {
    harness::run(&[&["certify"], args].concat())
}

fn bad(args: &[&str]) -> String {
    harness::wrong(&[&["certify"], args].concat())
}

/// Parameters for which Theorem 2.5 can hold, without memory.
const GENTLE: [&str; 8] = ["--set", "memory=none", "--set", "inertia=0.005", "--set", "sigma2=0.1", "--set", "alpha=1"];

fn local(more: &[&str]) -> (Option<i32>, Value) {
    let few = ["--swarm", "2000", "--points", "20000", "--json"];
    let done = certify(&[&["rastrigin25", "--dim", "1"][..], &GENTLE, &few, more].concat());
    (done.code, done.json())
}

#[test]
fn verdicts_and_exit_codes() {
    let narrow = ["--start", "normal:0.02:0.002"];
    let folder = Folder::new("certify-plot");
    let plot = folder.path("decay.svg");
    let (code, given) = local(&[&narrow[..], &["--hessian", "100.7", "--plot", &plot]].concat());
    assert_eq!((code, &given["verdict"]), (Some(0), &"holds".into()));
    assert!(given["probability"].as_f64().unwrap() > 0.5 && given["discrete"]["exponent"].as_f64().unwrap() < 0.0);
    let promise = &given["promise"];
    assert!(promise["empty"] == true && promise["bound"].as_f64().unwrap() > promise["start"].as_f64().unwrap());
    assert!(given["continuity"]["eta"].as_f64().unwrap() > 0.9 && given["continuity"]["distance"].is_number());
    assert!((given["rate"].as_f64().unwrap() - 1.12).abs() < 0.01);
    assert!((given["measured"]["rate"].as_f64().unwrap() - 2.011).abs() < 0.05);
    assert_eq!(given["measured"]["violations"], 0);
    let record = given["measured"]["record"].as_array().unwrap();
    assert!(record.len() > 100 && record[0]["effective"].as_f64().unwrap() > 1990.0, "{:?}", record[0]);
    let svg = folder.read("decay.svg");
    assert!(svg.starts_with("<svg") && svg.contains("guaranteed rate") && svg.contains("fitted rate"));
    // The Hessian is estimated: nothing is proven.
    let (code, guessed) = local(&narrow);
    assert_eq!(
        (code, &guessed["verdict"], &guessed["hessian"]["estimated"]),
        (Some(3), &"not_proven".into(), &true.into())
    );
    let (code, wide) = local(&["--start", "normal:0.1:0.15", "--hessian", "100.7"]);
    assert_eq!((code, &wide["verdict"]), (Some(1), &"fails".into()));
    let suggestions = wide["suggestions"].as_array().unwrap();
    assert!(suggestions.len() == 3 && suggestions[2]["proven"] == false && wide["rate"].is_null(), "{suggestions:?}");
    assert!(suggestions[2]["promise"].as_f64().unwrap() < wide["promise"]["start"].as_f64().unwrap());
}

/// The theorem is about the limit; a time step of 3 is not. And an empty promise is called empty.
#[test]
fn what_is_run_must_contract_too() {
    let args = ["rastrigin25", "--dim", "1", "--start", "normal:0.02:0.002", "--hessian", "100.7", "--horizon", "0"];
    let done = certify(&[&args[..], &GENTLE, &["--set", "dt=3"]].concat());
    assert!(
        done.code == Some(1) && done.out.starts_with("Theorem 2.5: FAILS") && done.out.contains("a smaller dt"),
        "{}",
        done.out
    );
    let done = certify(&[&args[..], &GENTLE[..6], &["--set", "alpha=1e-9"]].concat());
    assert!(
        done.code == Some(0) && done.out.contains("EMPTY") && done.out.contains("log(2/W(0)) = 6.9"),
        "{}",
        done.out
    );
}

#[test]
fn the_text_says_what_fails_and_what_to_change() {
    let done = certify(&["rastrigin25", "--dim", "4", "--points", "5000", "--swarm", "200", "--set", "inertia=0.01"]);
    assert_eq!(done.code, Some(1));
    for part in [
        "Theorem 3.3: FAILS",
        "lies outside the theorem",
        "explodes (mean square)",
        "explodes (almost sure)",
        "suggestion",
    ] {
        assert!(done.out.contains(part), "{part} is not in\n{}", done.out);
    }
}

#[test]
fn samples_from_a_file_and_bad_input() {
    let folder = Folder::new("certify-samples");
    let lines: String = (0..400).map(|k| f64::from(k) / 2e5).map(|t| format!("{t}, {}\n", t * t)).collect();
    let file = folder.write("samples.csv", &lines);
    let common = [&["--samples", &file, "--minimum", "0"][..], &GENTLE].concat();
    let done = certify(&[&common[..], &["--hessian", "2"]].concat());
    assert!(done.out.contains("Theorem 2.5"), "{}{}", done.out, done.err);
    // Without the bound it is estimated from the samples, and nothing is proven; samples on a line say too little.
    let guessed = certify(&common);
    assert!(guessed.out.contains("bound on the Hessian 2.000000 (estimated from samples)"), "{}", guessed.out);
    assert!(guessed.out.contains("Theorem 2.5: not proven") && guessed.code == Some(3), "{}", guessed.out);
    let line: String = (0..400).map(|k| format!("{k}, {k}, {k}\n")).collect();
    let flat = folder.write("line.csv", &line);
    assert!(bad(&["--samples", &flat]).contains("the samples determine no quadratic"));
    for (args, says) in [
        (&["rastrigin25", "--set", "inertia=0"][..], "inertia = 0"),
        (&["rastrigin25", "--set", "inertja=0"], "did you mean 'inertia'?"),
        (&["rastrigin25", "--horizon", "-1"], "--horizon"),
        (&["rastrigin25", "--points", "5"], "samples = 5"),
        (&["rastriginn"], "did you mean"),
    ] {
        let message = bad(args);
        assert!(message.contains(says), "{args:?}: {message}");
    }
}

/// A link stays a link, also one that led nowhere; a run that could not be drawn is refused before it begins.
#[cfg(unix)]
#[test]
fn a_picture_behind_a_link() {
    let folder = Folder::new("certify-link");
    let (link, target) = (folder.path("link.svg"), folder.path("target.svg"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let args = ["sphere", "--horizon", "0.1", "--points", "1000", "--swarm", "50", "--plot"];
    for _ in 0..2 {
        certify(&[&args[..], &[&link]].concat());
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(folder.read("target.svg").contains("<svg"));
    }
    for (plot, horizon, says) in [
        (folder.path("p.txt"), "1", "must end in .svg or .png"),
        (folder.path("none/p.svg"), "1", "there is no folder"),
        (folder.path("p.svg"), "0", "needs a run"),
    ] {
        let message = bad(&["sphere", "--plot", &plot, "--horizon", horizon]);
        assert!(message.contains(says), "{message}");
    }
    assert!(bad(&["--samples", "x.csv", "--dim", "3"]).contains("--dim"));
    assert!(bad(&["sphere", "--start", "uniform"]).contains("needs --bounds"));
}
