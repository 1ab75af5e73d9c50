//! `minimize`, `compare`, `animate`, `list` and the ways to drive a method from outside.

use crate::harness::{Folder, finish, good, program, python, run, script, wrong};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn lines(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    // A last line without its newline is what a kill may leave.
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn without<'a>(value: &'a Value, fields: &[&str]) -> BTreeMap<&'a String, &'a Value> {
    value.as_object().unwrap().iter().filter(|(key, _)| !fields.contains(&key.as_str())).collect()
}

#[cfg(unix)]
fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !there() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

// More than one point.

#[test]
fn an_answer_that_no_constraint_allows_is_no_success() {
    let args = ["minimize", "sphere", "-d", "2", "-n", "60", "--json", "--constraint", "x0 + x1 >= 900"];
    let done = run(&args);
    assert_eq!((done.code, &done.json()["success"], &done.json()["feasible"]), (Some(1), &false.into(), &false.into()));
    let done = good(&[&args[..8], &["x0 + x1 >= 1"]].concat());
    assert_eq!(done.json()["feasible"], true);
}

#[test]
fn several_minima_samples_and_runs_are_shown() {
    let polar = ["minimize", "himmelblau", "-m", "polar_cbo", "-n", "40000", "--seed", "1"];
    let set: Vec<&str> =
        "--set width=0.8 --set sigma=1 --set dt=0.1 --set alpha=1 --set alpha_factor=1.02".split(' ').collect();
    let args = [&polar[..], &set].concat();
    let json = good(&[&args[..], &["--json"]].concat()).json();
    assert_eq!(json["several"]["kind"], "minima");
    let points = json["several"]["points"].as_array().unwrap();
    assert_eq!(points.iter().map(|p| p["particles"].as_u64().unwrap()).sum::<u64>(), 100);
    let text = good(&args).out;
    let row = text.lines().position(|line| line.contains("minima   ")).unwrap();
    assert!(text.lines().nth(row + 1).unwrap().trim_start().ends_with("particles"), "{text}");
    // Upside down the signs are the user's.
    let top = good(&[&args[..], &["--json", "--maximize"]].concat()).json();
    assert!(top["several"]["points"][0]["fun"].as_f64().unwrap() > 0.0, "{top}");
    assert_eq!(top["several"]["kind"], "maxima");

    let samples = good(&["minimize", "sphere", "-m", "cbs", "--iterations", "20"]).out;
    assert!(samples.contains("samples       100   (--json shows all)"), "{samples}");

    // Four runs: their points in one batch, the best of each, and a continued run is the unbroken one.
    let folder = Folder::new("runs");
    let (saved, runs) = (folder.path("four.swarm"), ["minimize", "rastrigin", "-m", "pso", "--runs", "4", "--json"]);
    let whole = good(&[&runs[..], &["--iterations", "30"]].concat()).json();
    assert_eq!((&whole["several"]["kind"], whole["several"]["points"].as_array().unwrap().len()), (&"runs".into(), 4));
    let best = |p: &Value| p["fun"].as_f64().unwrap();
    let least = whole["several"]["points"].as_array().unwrap().iter().map(best).fold(f64::INFINITY, f64::min);
    assert_eq!(whole["fun"], least);
    good(&[&runs[..], &["--iterations", "12", "--checkpoint", &saved]].concat());
    let resumed = good(&["resume", &saved, "--iterations", "30", "--json"]).json();
    for field in ["x", "fun", "nfev", "several"] {
        assert_eq!(resumed[field], whole[field], "{field}");
    }
    assert!(wrong(&["minimize", "sphere", "--runs", "0"]).contains("--runs"));
    assert!(wrong(&["minimize", "sphere", "--runs", "1e12"]).contains("from 1 to 10000"));
    // Any method, those with gradients too.
    let runs = good(&["minimize", "rosenbrock", "-m", "diff_de", "--runs", "2", "-n", "2000", "--json"]).json();
    assert!(runs["ngev"].as_u64().unwrap() > 0 && runs["runs"] == 2, "{runs}");
}

// A program of the user's.

#[cfg(unix)]
#[test]
fn a_faulty_program_costs_only_its_faults() {
    if !python() {
        return;
    }
    let folder = Folder::new("faults");
    let faults = "crash,hang,nan,rubbish,inf,two,noise,closes";
    let command = format!("exec python3 '{}' '{}' {faults}", script("objective.py"), folder.path("log"));
    let args = ["minimize", "--exec", &command, "--bounds", "-5:5,-4:6", "--workers", "4", "--eval-timeout", "4"];
    let settings = ["--method", "pso", "--set", "particles=20", "--evaluations", "500", "--seed", "3", "--json"];
    let result = good(&[&args[..], &settings].concat()).json();
    let log = std::fs::read_to_string(folder.path("log")).unwrap();
    let count = |kinds: &[&str]| log.lines().filter(|line| kinds.contains(line)).count();
    assert_eq!(log.lines().count(), 500);
    assert_eq!(result["nfev"], 500);
    for kind in faults.split(',') {
        assert!(count(&[kind]) > 0, "the points met no {kind}");
    }
    let kinds = &result["failure_kinds"];
    assert_eq!(kinds["crashed"], count(&["crash", "closes"]));
    assert_eq!(kinds["timed_out"], count(&["hang"]));
    assert_eq!(kinds["rubbish"], count(&["rubbish", "two"]));
    assert_eq!(kinds["not_finite"], count(&["nan", "inf"]));
    assert_eq!(result["failures"], 500 - count(&["fine", "noise"]));
    // Seed 3 reaches 1e-3 without faults too; the answer is the value of x, not of another point.
    let fun = result["fun"].as_f64().unwrap();
    let x: Vec<f64> = result["x"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
    assert!(fun < 1e-2, "{fun}");
    assert!((x.iter().map(|t| t * t).sum::<f64>() - fun).abs() < 1e-15);
    assert_eq!(result["success"], true);
}

#[cfg(unix)]
#[test]
fn the_number_of_copies_does_not_matter() {
    if !python() {
        return;
    }
    let folder = Folder::new("copies");
    let command = format!("exec python3 '{}' '{}' crash,nan,rubbish", script("objective.py"), folder.path("log"));
    let result = |workers: &str| {
        let args = [
            "minimize",
            "--exec",
            &command,
            "--bounds",
            "-5:5,-4:6",
            "--workers",
            workers,
            "--batch",
            "3",
            "-n",
            "150",
            "--json",
        ];
        good(&args).json()
    };
    let (one, three) = (result("1"), result("3"));
    let aside = ["seconds", "last_failure", "restarts"];
    assert_eq!(without(&one, &aside), without(&three, &aside));
}

#[cfg(unix)]
#[test]
fn a_shell_script_will_do() {
    let command = "while read -r line; do echo '{\"value\": 1.5}'; done";
    let result = good(&["minimize", "--exec", command, "--dim", "3", "--bounds", "0:1", "-n", "90", "--json"]).json();
    assert_eq!((result["fun"].as_f64(), &result["nfev"], &result["failures"]), (Some(1.5), &90.into(), &0.into()));
}

#[cfg(unix)]
#[test]
fn a_hopeless_program_ends_the_run() {
    let args = ["minimize", "--dim", "2", "--bounds", "0:1", "--eval-timeout", "5", "--exec"];
    let missing = run(&[&args[..], &["swarmgrad-no-such-program"]].concat());
    assert_eq!(missing.code, Some(4));
    assert!(
        missing.err.contains("not found") && missing.err.contains("the first evaluation failed"),
        "{}",
        missing.err
    );
    let broken = run(&[&args[..], &["echo the file is gone >&2; exit 4"]].concat());
    assert_eq!(broken.code, Some(4));
    assert!(broken.err.contains("the first 10 evaluations all failed"), "{}", broken.err);
    assert!(broken.err.contains("the file is gone") && broken.err.contains("exit status: 4"), "{}", broken.err);
    // Only failures, but spoken properly: a run without a value.
    let infinite = run(&[&args[..], &["while read l; do echo inf; done", "-n", "50", "--json"]].concat());
    assert_eq!(infinite.code, Some(1));
    let result = infinite.json();
    assert_eq!((&result["success"], &result["fun"], &result["failures"]), (&false.into(), &"inf".into(), &50.into()));
}

// Ends.

#[cfg(unix)]
#[test]
fn control_c_gives_the_result_so_far() {
    let child = program(&["minimize", "rastrigin", "--dim", "10", "-n", "1e15", "--json", "--set", "explored=1"])
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, rustix::process::Signal::INT);
    let done = finish(child);
    assert_eq!(done.code, Some(130));
    let result = done.json();
    assert_eq!((&result["status"], &result["success"]), (&6.into(), &false.into()));
    assert!(result["fun"].as_f64().unwrap() < 200.0 && result["nfev"].as_u64().unwrap() > 0);
}

#[cfg(unix)]
#[test]
fn control_c_is_noticed_while_a_program_is_silent() {
    let folder = Folder::new("silent");
    let command = format!("read l; echo 1; read l; touch '{}'; sleep 1000", folder.path("waiting"));
    let child = program(&["minimize", "--exec", &command, "--dim", "1", "--bounds", "0:1", "--json"]).spawn().unwrap();
    wait_for("the second request", || Path::new(&folder.path("waiting")).exists());
    signal(&child, rustix::process::Signal::INT);
    let begin = Instant::now();
    let done = finish(child);
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(done.code, Some(130));
    // The evaluation that was broken off is none.
    let result = done.json();
    assert_eq!((&result["nfev"], &result["failures"], result["fun"].as_f64()), (&1.into(), &0.into(), Some(1.0)));
}

#[test]
fn limits_end_runs_and_say_so() {
    let status = |limit: &[&str]| {
        let result = good(&[&["minimize", "sphere", "--dim", "3", "--json"], limit].concat()).json();
        (result["status"].as_i64().unwrap(), result)
    };
    let (code, result) = status(&["-n", "777", "--set", "explored=1"]);
    assert_eq!((code, &result["nfev"]), (1, &777.into()));
    let (code, result) = status(&["--iterations", "7"]);
    assert_eq!((code, &result["nit"]), (2, &7.into()));
    let (code, result) = status(&["--target", "0.5"]);
    assert!(code == 3 && result["fun"].as_f64().unwrap() <= 0.5);
    let (code, result) = status(&["--patience", "30", "--method", "random_search", "-n", "100000"]);
    assert!(code == 4 && result["nfev"].as_u64().unwrap() < 100_000);
    // Differential evolution halves the value of a sphere for ever; a large tolerance does not call that progress.
    let (_, whole) = status(&["--method", "de", "-n", "20000"]);
    let (code, result) = status(&["--method", "de", "--tolerance", "0.9", "--patience", "100", "-n", "20000"]);
    assert!(code == 4 && result["nfev"].as_u64() < whole["nfev"].as_u64() && result["fun"].as_f64() < Some(1.0));
    // A quadratic is told by its lines.
    let (code, result) = status(&[]);
    assert!(
        code == 0 && result["nfev"].as_u64() < Some(100) && result["message"].as_str().unwrap().contains("quadratic")
    );
    assert_eq!(status(&["--time", "0.05", "--set", "explored=1"]).0, 5);
}

#[test]
fn equal_seeds_give_equal_runs_on_any_number_of_threads() {
    let result =
        |more: &[&str]| good(&[&["minimize", "ackley", "--dim", "6", "-n", "400", "--json"], more].concat()).json();
    let one = result(&["--seed", "5"]);
    let two = result(&["--seed", "5", "--threads", "2"]);
    assert_eq!(without(&one, &["seconds"]), without(&two, &["seconds"]));
    assert_ne!(one["x"], result(&["--seed", "6"])["x"]);
}

#[test]
fn maximising_keeps_the_users_sign() {
    let folder = Folder::new("maximize");
    let record = folder.path("run.jsonl");
    let args =
        ["minimize", "sphere", "--dim", "2", "--bounds", "-1:2", "--maximize", "--json", "--record-best", &record];
    let result = good(&args).json();
    assert_eq!((result["fun"].as_f64(), &result["x"]), (Some(8.0), &serde_json::json!([2.0, 2.0])));
    let best: Vec<f64> =
        lines(&record).iter().filter(|l| l["kind"] == "best").map(|l| l["fun"].as_f64().unwrap()).collect();
    assert!(best.windows(2).all(|w| w[0] < w[1]) && best[0] > 0.0 && best.last() == Some(&8.0), "{best:?}");
    let result = good(&[&args[..], &["--target", "7.5"]].concat()).json();
    assert!(result["status"] == 3 && result["fun"].as_f64().unwrap() >= 7.5);
    assert!(good(&args[..7]).out.contains("auto maximises sphere, 2 variables"));
}

#[test]
fn first_points_come_from_a_file_or_standard_input() {
    let folder = Folder::new("x0");
    std::fs::write(folder.path("x0.json"), "[[0.5, -0.25], [3, 3]]").unwrap();
    let args = ["minimize", "sphere", "-n", "2", "--json", "--x0"];
    let result = good(&[&args[..], &[&folder.path("x0.json")]].concat()).json();
    assert_eq!(result["x"], serde_json::json!([0.5, -0.25]));
    let mut child = program(&[&args[..], &["-"]].concat()).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"# two points\n3 3\n0.5,-0.25\n").unwrap();
    assert_eq!(finish(child).json()["x"], serde_json::json!([0.5, -0.25]));
    let outside = run(&[&args[..], &[&folder.path("x0.json"), "--bounds", "-1:1"]].concat());
    assert_eq!(outside.code, Some(2));
    assert!(outside.err.contains("--x0 point 1, variable 0 = 3: must be a finite number within its bounds -1:1"));
}

// Files.

#[test]
fn a_trace_can_be_recomputed() {
    if !python() {
        return;
    }
    let folder = Folder::new("trace");
    for method in ["pso", "empso"] {
        let record = folder.path(&format!("{method}.jsonl"));
        let run = ["minimize", "rosenbrock", "--dim", "5", "--method", method, "--iterations", "60"];
        good(&[&run[..], &["--set", "particles=13", "--record-best", &record, "--trace", "--quiet"]].concat());
        let output = Command::new("python3").args([&script("replay.py"), &record]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (steps, gap) =
            text.trim().split_once(' ').unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(steps, "61");
        assert!(gap.parse::<f64>().unwrap() <= 1e-12, "{method}: {gap}");
    }
}

#[cfg(unix)]
#[test]
fn a_record_can_be_read_after_a_kill() {
    let folder = Folder::new("kill");
    let record = folder.path("run.jsonl");
    let mut child = program(&["minimize", "ackley", "-d", "20", "-n", "1e15", "--record-best", &record, "--trace"])
        .spawn()
        .unwrap();
    wait_for("a record", || std::fs::metadata(&record).is_ok_and(|file| file.len() > 200_000));
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = lines(&record);
    assert_eq!(lines[0]["kind"], "header");
    let iterations: Vec<_> = lines.iter().filter(|line| line["kind"] == "iteration").collect();
    assert!(iterations.iter().enumerate().all(|(k, line)| line["iteration"] == k) && iterations.len() > 10);
}

#[test]
fn a_resumed_run_is_the_unbroken_run() {
    let folder = Folder::new("resume");
    let (checkpoint, whole, broken) =
        (folder.path("run.swarm"), folder.path("whole.jsonl"), folder.path("broken.jsonl"));
    // 40 points a round do not divide the budget: the last round is cut.
    let settings = [
        "minimize",
        "rosenbrock",
        "-d",
        "30",
        "-n",
        "2000017",
        "--seed",
        "9",
        "--json",
        "--set=explored=1",
        "--record-best",
    ];
    let unbroken = good(&[&settings[..], &[&whole]].concat()).json();
    let mut child = program(&[&settings[..], &[&broken, "--checkpoint", &checkpoint]].concat()).spawn().unwrap();
    wait_for("a checkpoint", || Path::new(&checkpoint).exists());
    std::thread::sleep(Duration::from_millis(150));
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = good(&["resume", &checkpoint, "--json"]).json();
    assert_eq!(without(&resumed, &["seconds"]), without(&unbroken, &["seconds"]));
    let until_result = |path: &str| lines(path).into_iter().filter(|line| line["kind"] != "result").collect::<Vec<_>>();
    assert_eq!(until_result(&whole), until_result(&broken));
    // A finished run stays what it is, and goes on with a larger budget.
    let again = good(&["resume", &checkpoint, "--json"]).json();
    assert_eq!(without(&again, &["seconds"]), without(&unbroken, &["seconds"]));
    let longer = good(&["resume", &checkpoint, "--json", "-n", "2100000"]).json();
    assert_eq!(longer["nfev"], 2_100_000);
    assert!(longer["fun"].as_f64() <= again["fun"].as_f64());
}

#[cfg(unix)]
#[test]
fn a_resumed_run_whose_program_is_gone_is_an_error_and_keeps_its_checkpoint() {
    let folder = Folder::new("gone");
    let checkpoint = folder.path("run.swarm");
    let write = |text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let objective = folder.write("f.sh", &format!("#!/bin/sh\n{text}"));
        std::fs::set_permissions(&objective, std::fs::Permissions::from_mode(0o755)).unwrap();
        objective
    };
    let exec = write("while read l; do echo 3; done");
    let args = ["minimize", "--dim", "2", "--bounds", "0:1", "-m", "pso", "--checkpoint", &checkpoint, "--exec", &exec];
    good(&[&args[..], &["-n", "100"]].concat());
    let saved = std::fs::read(&checkpoint).unwrap();
    let refused = |count: &str| {
        let done = run(&["resume", &checkpoint, "--trust", "-n", "300"]);
        assert_eq!(done.code, Some(4), "{}", done.err);
        assert!(done.out.contains(&format!("the first {count} of the resumed run")), "{}", done.out);
        assert!(std::fs::read(&checkpoint).unwrap() == saved, "the checkpoint has changed");
    };
    std::fs::remove_file(&exec).unwrap();
    refused("evaluation");
    // It starts and fails, ten times.
    write("read l; exit 4");
    refused("10 evaluations");
    // The command of a file is run only if the user says so.
    assert!(wrong(&["resume", &checkpoint, "-n", "300"]).contains("--trust"));
    assert!(wrong(&["resume", &checkpoint, "--exec", "rm", "-n", "300"]).contains("holds another command"));
    assert!(std::fs::read(&checkpoint).unwrap() == saved);
    // Once it is back the run goes on, and past failures do not count against it.
    write("while read l; do echo 2; done");
    let json = good(&["resume", &checkpoint, "--exec", &exec, "-n", "300", "--json"]).json();
    assert_eq!(
        (json["nfev"].as_u64(), json["fun"].as_f64(), json["failures"].as_u64()),
        // The eleven that failed were paid for and are in the record.
        (Some(300), Some(2.0), Some(11))
    );
    assert!(std::fs::read(&checkpoint).unwrap() != saved);
}

#[test]
fn a_finished_resumed_run_makes_no_further_step() {
    let folder = Folder::new("finished");
    let limits = [["--iterations", "20"], ["--target", "3"], ["--patience", "60"], ["--time", "60"]];
    for limit in limits {
        // The last one ends by itself.
        let problem = if limit[0] == "--time" { "sphere" } else { "rastrigin" };
        let checkpoint = folder.path(limit[0]);
        let run = ["minimize", problem, "--dim", "2", "--json", "--checkpoint", &checkpoint];
        let first = good(&[&run[..], &limit].concat()).json();
        let second = good(&["resume", &checkpoint, "--json"]).json();
        assert_eq!(without(&first, &["seconds"]), without(&second, &["seconds"]), "{limit:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_comparison_continues_after_a_kill() {
    let folder = Folder::new("compare");
    let (whole, broken) = (folder.path("whole"), folder.path("broken"));
    let settings =
        ["compare", "--methods", "pso,de", "--problems", "sphere,himmelblau", "--dim", "10", "-n", "100_000"];
    let seeds = ["--seeds", "12", "--json", "-o"];
    let unbroken = good(&[&settings[..], &seeds, &[&whole]].concat()).json();
    let broken_args = [&settings[..], &seeds, &[&broken]].concat();
    let mut child = program(&broken_args).spawn().unwrap();
    let records = folder.path("broken/records.jsonl");
    wait_for("a finished run", || std::fs::metadata(&records).is_ok_and(|file| file.len() > 0));
    child.kill().unwrap();
    child.wait().unwrap();
    let before = lines(&records).len();
    let continued = good(&broken_args).json();
    assert!((1..=48).contains(&before));
    let mut keys: Vec<_> =
        lines(&records).iter().map(|l| format!("{} {} {}", l["method"], l["problem"], l["seed"])).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), lines(&records).len()), (48, 48));
    let cells = |value: &Value| {
        value.as_array().unwrap().iter().map(|cell| format!("{:?}", without(cell, &["seconds"]))).collect::<Vec<_>>()
    };
    assert_eq!(cells(&continued), cells(&unbroken));
    assert_eq!(unbroken[0]["success"]["count"], 12);
    assert_eq!((&unbroken[2]["problem"], &unbroken[2]["dim"]), (&"himmelblau".into(), &2.into()));
    for picture in ["sphere_10.svg", "sphere_10.png", "himmelblau_2.svg", "summary.json"] {
        assert!(folder.0.join("broken").join(picture).exists(), "{picture}");
    }
    // Other settings are other runs.
    let other = good(&[&broken_args[..], &["--set", "pso.particles=20"]].concat());
    assert_eq!(other.json()[0]["params"]["particles"], 20);
    assert_eq!(lines(&records).len(), 72);
}

#[test]
fn animations_are_pictures() {
    let folder = Folder::new("animate");
    let (gif, svg) = (folder.path("swarm.gif"), folder.path("swarm.svg"));
    good(&["animate", "himmelblau", "--iterations", "5", "-o", &gif]);
    assert!(std::fs::read(&gif).unwrap().starts_with(b"GIF89a"));
    good(&["animate", "rastrigin", "--method", "pso_sde", "--iterations", "5", "-o", &svg]);
    assert!(std::fs::read_to_string(&svg).unwrap().contains("<svg"));
}

// Words.

#[test]
fn wrong_usage_is_explained() {
    let cases: &[(&[&str], &str)] = &[
        (&["minimize", "rastrgin"], "unknown problem 'rastrgin', did you mean 'rastrigin'?"),
        (&["minimize", "sphere", "--method", "psoo"], "unknown method 'psoo', did you mean 'pso'?"),
        (&["minimize", "sphere", "-m", "pso", "--set", "particle=3"], "did you mean 'particles'?"),
        (&["minimize", "sphere", "--set", "particles"], "--set = 'particles': must be KEY=VALUE"),
        (&["minimize", "sphere", "--set", "particles=0"], "particles"),
        (&["minimize", "sphere", "--bounds", "5"], "--bounds = '5': must be LOWER:UPPER"),
        (&["minimize", "sphere", "--bounds", "2:1"], "the lower bound must be"),
        (&["minimize", "sphere", "--dim", "3", "--bounds", "0:1,0:1"], "--dim says 3 variables"),
        (&["minimize", "himmelblau", "--dim", "3"], "needs exactly 2"),
        (&["minimize", "sphere", "--dim", "0"], "at least 1"),
        (&["minimize", "sphere", "--outside", "reflekt"], "did you mean 'reflect'?"),
        (&["minimize", "sphere", "--start", "sobl"], "did you mean 'sobol'?"),
        (&["minimize", "sphere", "--start", "sobol", "--bounds", "0:inf"], "needs finite bounds"),
        (&["minimize", "sphere", "--evaluations", "0"], "at least 1"),
        (&["minimize", "sphere", "--evaluations", "many"], "whole number"),
        (&["minimize", "sphere", "--time", "-1"], "seconds"),
        (&["minimize", "sphere", "--target", "nan"], "must be a number"),
        (&["minimize", "sphere", "--x0", "/no/such/file"], "/no/such/file"),
        (&["minimize", "sphere", "--record", "/no/such/folder/file"], "/no/such/folder/file"),
        (&["minimize", "sphere", "--trace"], "--record"),
        (&["minimize", "sphere", "--workers", "2"], "--exec"),
        (&["minimize", "--exec", "cat"], "--bounds is missing"),
        (&["minimize", "--exec", "cat", "--bounds", "0:1"], "--dim is missing"),
        (&["minimize", "--exec", " ", "--bounds", "0:1", "--dim", "1"], "must be a command"),
        (&["minimize", "sphere", "--exec", "cat"], "cannot be used with"),
        (&["minimize"], "--exec 'python3 f.py'"),
        (&["resume", "/no/such/file"], "/no/such/file"),
        (&["resume", "/dev/null"], "/dev/null"),
        (&["compare", "--methods", "pso,dee", "--problems", "sphere"], "unknown method 'dee', did you mean 'de'?"),
        (
            &["compare", "--methods", "pso", "--problems", "sphere", "--set", "pso.particle=3"],
            "did you mean 'particles'?",
        ),
        (&["compare", "--methods", "pso", "--problems", "sphere", "--set", "ps.particles=3"], "did you mean 'pso'?"),
        (&["compare", "--methods", "pso,pso", "--problems", "sphere"], "--methods = pso: is named twice"),
        (&["compare", "--methods", "pso", "--problems", "sphere", "--seeds", "1e12"], "at most 1000000"),
        (&["minimize", "sphere", "--threads", "1e9"], "at most 4096"),
        (&["list", "emso"], "did you mean"),
        (&["animate", "sphere", "-o", "swarm.mp4"], "must end in .gif or .svg"),
        (&["animate", "adaswarm_1", "-o", "swarm.gif"], "adaswarm"),
        (&["agent", "--method", "clpsoo"], "did you mean 'clpso'?"),
    ];
    for (args, message) in cases {
        let done = run(args);
        assert_eq!(done.code, Some(2), "{args:?}: {}{}", done.out, done.err);
        assert!(done.err.contains(message), "{args:?}: {}", done.err);
        assert!(done.out.is_empty(), "{args:?}: {}", done.out);
    }
}

#[test]
fn lists_tell_everything() {
    let methods = good(&["list", "methods", "--json"]).json();
    assert!(methods.as_array().unwrap().iter().any(|method| method["name"] == "clpso"));
    for method in methods.as_array().unwrap() {
        let name = method["name"].as_str().unwrap();
        let text = good(&["list", name]).out;
        for parameter in method["parameters"].as_array().unwrap() {
            assert!(text.contains(parameter["name"].as_str().unwrap()), "{name}");
        }
        // Every method can be run from what the list says.
        good(&["minimize", "sphere", "--method", name, "-n", "500", "--json"]);
    }
    for problem in good(&["list", "problems", "--json"]).json().as_array().unwrap() {
        let name = problem["name"].as_str().unwrap();
        assert!(good(&["list", name]).out.contains(problem["formula"].as_str().unwrap()));
        // Where a hundred evaluations find no feasible point, the code says so.
        let done = run(&["minimize", name, "-n", "100", "--json"]);
        let infeasible = done.code == Some(1) && done.json()["feasible"] == false;
        assert!(done.code == Some(0) || infeasible, "{name}: {:?} {}", done.code, done.err);
    }
    assert!(good(&["completions", "bash"]).out.contains("--eval-timeout"));
    assert!(good(&["--help"]).out.contains("First steps:"));
    assert!(good(&["help", "agent"]).out.contains("ask <n>"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = program(&["list", "problems"]).spawn().unwrap();
    drop(child.stdout.take());
    let done = finish(child);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
}

// Ask and tell.

/// A conversation with `agent`.
struct Agent {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Agent {
    fn new(args: &[&str]) -> Self {
        let mut child = program(&[&["agent"], args].concat()).stdin(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Agent { child, lines }
    }

    fn say(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{line}").and_then(|()| input.flush()).unwrap();
    }

    fn hear(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    /// The points of an `ask`, or nothing after `stop`.
    fn points(&mut self) -> Vec<Vec<f64>> {
        let head = self.hear();
        if head == "stop" {
            return Vec::new();
        }
        let n: usize = head.strip_prefix("ask ").unwrap_or_else(|| panic!("{head}")).parse().unwrap();
        (0..n).map(|_| self.hear().split(' ').map(|word| word.parse().unwrap()).collect()).collect()
    }

    fn tell(&mut self, values: &[f64]) {
        self.say(&format!("tell {}", values.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")));
    }

    fn end(mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        self.child.wait().unwrap().code()
    }
}

#[test]
fn an_agent_asks_what_a_run_evaluates() {
    let folder = Folder::new("agent");
    let record = folder.path("run.jsonl");
    let method = ["--method", "pso", "--set", "particles=7"];
    let run = ["minimize", "sphere", "--dim", "3", "--bounds", "-1:2,-1:2,-1:2", "-n", "30", "--seed", "4"];
    let result = good(&[&run[..], &method, &["--record-best", &record, "--trace", "--json"]].concat()).json();
    let rounds: Vec<Value> = lines(&record).into_iter().filter(|line| line["kind"] == "iteration").collect();

    let mut agent = Agent::new(&method);
    agent.say("init 3 -1 2,2,2 30 4");
    let sphere = |xs: &[Vec<f64>]| xs.iter().map(|x| x.iter().map(|t| t * t).sum()).collect::<Vec<f64>>();
    let (mut best, mut sizes) = (f64::INFINITY, Vec::new());
    for k in 0.. {
        let xs = agent.points();
        if xs.is_empty() {
            break;
        }
        if let Some(round) = rounds.get(k) {
            assert_eq!(serde_json::to_value(&xs).unwrap(), round["x"], "round {k}");
        }
        sizes.push(xs.len());
        let values = sphere(&xs);
        best = values.iter().copied().fold(best, f64::min);
        agent.tell(&values);
    }
    assert_eq!(sizes, [7, 7, 7, 7, 2]);
    assert_eq!(result["fun"].as_f64(), Some(best));
    agent.say("done");
    assert_eq!(agent.end(), Some(0));
}

#[test]
fn an_agent_survives_nonsense() {
    let mut agent = Agent::new(&["--method", "pso", "--set", "particles=2"]);
    let refuse = |agent: &mut Agent, line: &str, why: &str| {
        agent.say(line);
        let answer = agent.hear();
        assert!(answer.starts_with("error ") && answer.contains(why), "{line}: {answer}");
    };
    refuse(&mut agent, "tell 1 2", "nothing was asked");
    refuse(&mut agent, "init 2 -5 5", "must be init <dim>");
    refuse(&mut agent, "init 0 -5 5 - 1", "dim = 0");
    refuse(&mut agent, "init 99999999999999999999 -5 5 - 1", "dim");
    refuse(&mut agent, "init 2 5 -5 - 1", "lower bound");
    refuse(&mut agent, "init 2 -5,-5,-5 5 - 1", "lower has 3 entries, expected 2");
    refuse(&mut agent, "init 2 nan 5 - 1", "lower = 'nan'");
    refuse(&mut agent, "hello", "unknown message 'hello'");
    agent.say("");
    agent.say("init 1 -5 5 0 1");
    let first = agent.points();
    assert_eq!(first.len(), 2);
    for (line, why) in [
        ("tell 1", "tell has 1 entries, expected 2"),
        ("tell 1 2 3", "3 entries"),
        ("tell 1 x", "'x'"),
        ("ask", "unknown message"),
    ] {
        refuse(&mut agent, line, why);
    }
    refuse(&mut agent, "init 1 -5 x 0 1", "upper = 'x'");
    // What was asked still stands; nan and inf are values.
    agent.say("tell nan -inf");
    assert_eq!(agent.points().len(), 2);
    agent.say("  tell   1e-3   inf ");
    assert_eq!(agent.points().len(), 2);
    // A second init begins anew, and a third with the same seed the same.
    agent.say("init 1 -5 5 - 1");
    assert_eq!(agent.points(), first);
    agent.say("init 3 -inf inf 2 8");
    assert_eq!(agent.points()[0].len(), 3);
    agent.say("tell 1 2");
    assert_eq!(agent.hear(), "stop");
    refuse(&mut agent, "tell 1 2", "nothing was asked");
    refuse(&mut agent, "done now", "done stands alone");
    assert_eq!(agent.end(), Some(0));
}

#[test]
fn a_noisy_run_that_had_ended_by_itself_says_so_again() {
    let folder = Folder::new("noisy-end");
    let args =
        ["minimize", "rosenbrock", "-d", "10", "-n", "100", "--noisy", "-m", "nelder_mead(tolerance=1)", "--json"];
    let kept = ["--record", &folder.path("run.jsonl"), "--checkpoint", &folder.path("run.state")];
    let message = || {
        let json = good(&[&args[..], &kept].concat()).json();
        (json["message"].clone(), json["nfev"].clone())
    };
    // The evaluations of the end are more than what was kept back of the budget.
    let first = message();
    assert_eq!(first, ("the simplex has drawn in to a point".into(), 61.into()));
    assert_eq!(message(), first);
}

#[test]
fn a_noisy_problem_answers_with_a_mean_and_its_interval() {
    let args = ["minimize", "sphere", "--dim", "3", "-n", "1000", "--noisy", "--set", "explored=1"];
    let json = good(&[&args[..], &["--json"]].concat()).json();
    assert_eq!((json["nfev"].as_u64(), json["status"].as_i64()), (Some(1000), Some(1)));
    let noise = &json["noise"];
    assert_eq!((noise["points"].as_u64(), noise["evaluations"].as_u64()), (Some(10), Some(10)));
    // Without noise the mean is the value, but for a rounding.
    let value = json["fun"].as_f64().unwrap();
    for figure in ["mean", "low", "high"] {
        assert!((noise[figure].as_f64().unwrap() - value).abs() < 1e-12, "{figure} in {noise}");
    }
    assert!(good(&args).out.contains("95 % interval") && json["fun"].as_f64().unwrap() < 1.0);
    // Upside down the interval turns too.
    let turned = good(&[&args[..], &["--maximize", "--json"]].concat()).json();
    let (low, value) = (turned["noise"]["low"].as_f64().unwrap(), turned["fun"].as_f64().unwrap());
    assert!((low - value).abs() < 1e-9 && value > 50.0, "{low} {value}");
    assert!(good(&["minimize", "sphere", "-n", "1000", "--json"]).json().get("noise").is_none());
}

#[test]
fn a_function_of_bbob_has_instances() {
    let json = good(&["minimize", "bbob/f1/i3", "--dim", "2", "-n", "2000", "--json"]).json();
    assert_eq!((json["problem"].as_str(), json["minimum"].as_f64()), (Some("bbob/f1/i3"), Some(-247.11)));
    assert!((json["fun"].as_f64().unwrap() + 247.11).abs() < 1e-3);
    let listed = good(&["list", "bbob/f8"]).out;
    assert!(listed.contains("instances") && listed.contains("bbob/f8/i3"), "{listed}");
}
