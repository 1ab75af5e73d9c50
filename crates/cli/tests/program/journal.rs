//! Records that lose nothing: kills, full disks, second commands, and programs of all kinds.

use crate::harness::{Done, Folder, finish, good, program, python, run, wrong};
use serde_json::Value;
use std::process::Child;
use std::time::{Duration, Instant};

/// A program that notes every call in a file and takes some milliseconds a point.
fn objective(folder: &Folder) -> String {
    let text = "import json, sys, time\n\
                for line in sys.stdin:\n    x = json.loads(line)['x']\n    time.sleep(0.006)\n    \
                open(sys.argv[1], 'a').write('.')\n    \
                print(sum((t - 0.3) ** 2 for t in x) + 0.1 * abs(x[0] * x[1]), flush=True)\n";
    let (script, log) = (folder.write("f.py", text), folder.path("calls"));
    format!("exec python3 {script} {log}")
}

fn calls(folder: &Folder) -> u64 {
    std::fs::metadata(folder.path("calls")).map_or(0, |file| file.len())
}

fn records(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn same(a: &Value, b: &Value, what: &str) {
    for field in ["x", "fun", "nfev", "nit", "answer", "failures", "message"] {
        assert_eq!(a[field], b[field], "{what}: {field}");
    }
}

#[cfg(unix)]
fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

#[cfg(unix)]
#[test]
fn a_killed_run_pays_nothing_twice_and_ends_as_the_unbroken_one() {
    if !python() {
        return;
    }
    for (method, workers) in [("auto", 1), ("de(particles=12)", 4), ("cma_es", 3), ("nelder_mead", 1)] {
        let folder = Folder::new(&format!("kills-{workers}-{}", &method[..2]));
        let (exec, workers) = (objective(&folder), workers.to_string());
        let args = ["minimize", "--exec", &exec, "--bounds", "-1:1,-2:2,0:1", "-m", method, "-n", "160", "--seed", "3"];
        let args = [&args[..], &["-w", &workers, "--batch", "3", "--json", "--record"]].concat();
        let unbroken = good(&[&args[..], &[&folder.path("whole.jsonl")]].concat()).json();
        let before = calls(&folder);
        assert!(before >= 160);
        let record = folder.path("broken.jsonl");
        let again = [&args[..], &[record.as_str()]].concat();
        let mut kills = 0;
        for k in 0..6 {
            let mut child = program(&again).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(150 + 61 * k));
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                kills += 1;
            }
            child.wait().unwrap();
        }
        let done = good(&again);
        same(&done.json(), &unbroken, method);
        // What was under way when a kill came is lost, and no more.
        let paid = calls(&folder) - before - 160;
        assert!(kills > 0 && paid <= kills * workers.parse::<u64>().unwrap(), "{method}: {paid} for {kills} kills");
        let lines = records(&record);
        assert_eq!(lines.iter().filter(|line| line["kind"] == "evaluation").count(), 160);
        // Once more: nothing is evaluated.
        let before = calls(&folder);
        let finished = good(&again).json();
        same(&finished, &unbroken, method);
        assert_eq!((calls(&folder), finished["repeated"].as_u64()), (before, Some(160)));
    }
}

#[test]
fn the_same_command_continues_and_another_one_is_refused() {
    let folder = Folder::new("same");
    let record = folder.path("run.jsonl");
    let args = |n: &'static str, seed: &'static str| {
        ["minimize", "rastrigin", "-d", "4", "-m", "de", "-n", n, "--seed", seed, "--json", "--record"]
    };
    let run_on = |args: &[&str]| good(&[args, &[&record]].concat()).json();
    let first = run_on(&args("3000", "1"));
    let lines = records(&record);
    assert!(lines[0]["kind"] == "header" && lines.last().unwrap()["kind"] == "result");
    assert_eq!(lines.iter().filter(|line| line["kind"] == "evaluation").count(), 3000);
    let best = lines.iter().filter_map(|line| line["value"].as_f64()).fold(f64::INFINITY, f64::min);
    assert_eq!(first["fun"].as_f64(), Some(best));
    same(&run_on(&args("3000", "1")), &first, "again");
    let refused = |args: &[&str], name: &str| {
        let text = wrong(&[args, &[record.as_str()]].concat());
        assert!(text.contains("another run") && text.contains(name) && text.contains("--overwrite"), "{text}");
    };
    refused(&args("3000", "2"), "seed");
    refused(&args("4000", "1"), "evaluations");
    // More of it, by resume; the file then holds both.
    let longer = good(&["resume", &record, "-n", "3500", "--json"]).json();
    assert_eq!((longer["nfev"].as_u64(), longer["repeated"].as_u64()), (Some(3500), Some(3000)));
    // Cut anywhere, it is the same run.
    let text = std::fs::read(&record).unwrap();
    std::fs::write(&record, &text[..text.len() / 3]).unwrap();
    same(&run_on(&args("3000", "1")), &first, "cut");
    let damaged = std::fs::read_to_string(&record).unwrap().replacen("\"value\":", "\"value\":1", 1);
    std::fs::write(&record, damaged).unwrap();
    let text = wrong(&[&args("3000", "1")[..], &[&record]].concat());
    assert!(text.contains("line 2"), "{text}");
    // A new beginning keeps the old file.
    let anew = good(&[&args("3000", "2")[..], &[&record, "--overwrite"]].concat());
    assert!(anew.err.contains("run.jsonl.1") && std::fs::metadata(folder.path("run.jsonl.1")).is_ok(), "{}", anew.err);
    // Known points begin another run and are not paid for.
    let warm = ["minimize", "rastrigin", "-d", "4", "-m", "pso", "-n", "50", "--json", "--x0", &record];
    let warm = good(&warm).json();
    assert!(warm["fun"].as_f64().unwrap() <= anew.json()["fun"].as_f64().unwrap() && warm["nfev"] == 50);
    // A method that takes all of them at once has its whole budget still.
    let all = ["minimize", "rastrigin", "-d", "4", "-n", "50", "--json", "--x0", &record];
    let all = good(&all).json();
    assert!(
        all["fun"].as_f64().unwrap() <= anew.json()["fun"].as_f64().unwrap() && all["nfev"] == 50,
        "{}",
        all["nfev"]
    );
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_costs_the_files_and_not_the_run() {
    // What cannot be written at all is said before the first evaluation.
    for option in ["--record", "--record-best"] {
        let why = wrong(&["minimize", "sphere", "-d", "3", "-n", "500", "--json", option, "/dev/full"]);
        assert!(why.contains("/dev/full"), "{why}");
    }
    let folder = Folder::new("full");
    for (option, n) in [("--record", "3000"), ("--record-best", "30000")] {
        // No file may grow beyond some kilobytes; further writes fail.
        let limited = format!("trap '' XFSZ; ulimit -f 8; exec '{}' \"$@\"", env!("CARGO_BIN_EXE_swarmgrad"));
        let file = folder.path(option);
        let output = std::process::Command::new("sh")
            .args([
                "-c",
                &limited,
                "sh",
                "minimize",
                "rosenbrock",
                "-d",
                "30",
                "-m",
                "de",
                "-n",
                n,
                "--json",
                option,
                &file,
            ])
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(3), "{option}: {err}");
        let result: Value = serde_json::from_str(&out).unwrap();
        assert!(result["nfev"].as_u64() == n.parse().ok() && result["fun"].as_f64().is_some(), "{out}");
        assert!(err.contains("not kept") && err.contains(&file), "{err}");
    }
}

#[cfg(unix)]
#[test]
fn two_writers_of_a_record_are_told_apart() {
    let folder = Folder::new("writers");
    let record = folder.path("run.jsonl");
    let args = ["minimize", "--exec", "while read l; do sleep 0.05; echo 1; done", "--bounds", "0:1,0:1", "-n", "4000"];
    let args = [&args[..], &["--record", &record]].concat();
    let mut first = program(&args).spawn().unwrap();
    let begin = Instant::now();
    while std::fs::metadata(&record).map_or(0, |file| file.len()) < 1000 && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let refused = wrong(&args);
    first.kill().unwrap();
    let id = first.id();
    first.wait().unwrap();
    assert!(refused.contains("being written by process") && refused.contains(&id.to_string()), "{refused}");
}

#[cfg(unix)]
#[test]
fn signals_that_come_together_are_one() {
    let command = "while read l; do sleep 0.01; echo 1; done";
    let args = ["minimize", "--exec", command, "--bounds", "0:1,0:1", "-n", "100000", "--json"];
    let child = program(&args).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    (0..3).for_each(|_| signal(&child, rustix::process::Signal::TERM));
    let done: Done = finish(child);
    assert_eq!((done.code, done.json()["status"].as_i64()), (Some(130), Some(6)), "{}", done.err);
}

#[cfg(unix)]
#[test]
fn programs_of_all_kinds_are_understood() {
    let value = |more: &[&str]| {
        let args = ["minimize", "--bounds", "1:2,3:4", "-m", "random_search", "-n", "12", "--json", "--exec"];
        let done = good(&[&args[..], more].concat());
        (done.json(), done.err)
    };
    // It answers once and ends.
    let (once, _) = value(&["read l; echo 7"]);
    assert_eq!(
        (once["fun"].as_f64(), once["nfev"].as_u64(), once["failures"].as_u64()),
        (Some(7.0), Some(12), Some(0))
    );
    // Arguments and a file.
    let (files, _) = value(&["awk 'BEGIN { print {0} * {1} }' > {out}", "--read", "out"]);
    let x: Vec<f64> = files["x"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
    assert!((files["fun"].as_f64().unwrap() - x[0] * x[1]).abs() < 1e-4, "{files}");
    // A banner, and a reason of its own.
    let (banner, said) = value(&["echo hello; while read l; do echo '{\"value\": 2}'; done"]);
    assert!(banner["failures"] == 0 && said.contains("hello"), "{said}");
    let (own, _) = value(&[
        "k=0; while read l; do k=$((k+1)); if [ $k = 2 ]; then echo '{\"error\": \"the mesh\"}'; else echo 1; fi; done",
    ]);
    assert_eq!(own["failure_kinds"]["rejected"], 1);
    assert!(own["last_failure"]["detail"].as_str().unwrap().contains("the mesh"), "{own}");
    // Equal answers to all points look as if the input were not read.
    let many = ["minimize", "--bounds", "0:1,0:1", "-n", "60", "--json", "--exec", "while read l; do echo 5; done"];
    assert!(good(&many).err.contains("input"));
    // Plain numbers.
    let (plain, _) = value(&["while read a b; do echo $b; done", "--input", "plain"]);
    assert_eq!(plain["fun"], plain["x"][1]);
    // A run that does not get better because its program has died for good.
    let args = ["minimize", "--bounds", "0:1,0:1", "-n", "5000", "--json", "--max-failures", "7", "--exec"];
    let folder = Folder::new("dies");
    let gone = folder.path("gone");
    let exec =
        format!("if [ -e {gone} ]; then exit 3; fi; for k in 1 2 3 4 5; do read l; echo 4; done; touch {gone}; exit 3");
    let done = run(&[&args[..], &[&exec]].concat());
    assert_eq!((done.code, done.json()["success"].as_bool()), (Some(4), Some(false)), "{}", done.err);
    assert!(done.json()["message"].as_str().unwrap().contains("the last 7 evaluations all failed"), "{}", done.out);
}

#[cfg(unix)]
#[test]
fn a_quorum_does_not_wait_for_the_last() {
    if !python() {
        return;
    }
    let folder = Folder::new("quorum");
    // One point in nine takes long.
    let text = "import json, sys, time\nk = 0\n\
                for line in sys.stdin:\n    x = json.loads(line)['x']\n    k += 1\n    \
                time.sleep(0.4 if int(x[0] * 1e6) % 9 == 0 else 0.01)\n    print(sum(t * t for t in x), flush=True)\n";
    let exec = format!("exec python3 {}", folder.write("slow.py", text));
    let args = [
        "minimize",
        "--exec",
        &exec,
        "--bounds",
        "-1:1,-1:1",
        "-m",
        "de(particles=16)",
        "-n",
        "240",
        "-w",
        "16",
        "--json",
    ];
    let record = folder.path("quorum.jsonl");
    let done = good(&[&args[..], &["--quorum", "0.7", "--record", &record]].concat()).json();
    let late = records(&record).iter().filter(|line| line["late"] == true).count();
    assert!(late > 0 && done["nfev"].as_u64().unwrap() <= 240, "{late} late");
    let best = records(&record).iter().filter_map(|line| line["value"].as_f64()).fold(f64::INFINITY, f64::min);
    assert_eq!(done["fun"].as_f64(), Some(best));
    assert!(wrong(&[&args[..], &["--quorum", "0"]].concat()).contains("--quorum = 0"));
}

#[test]
fn a_study_is_a_file() {
    let folder = Folder::new("study");
    let given = [
        "minimize",
        "rosenbrock",
        "-d",
        "3",
        "-m",
        "pso(particles=12)",
        "--set",
        "inertia=0.6",
        "-n",
        "900",
        "--seed",
        "5",
    ];
    let text = good(&[&given[..], &["--print-study"]].concat()).out;
    let file = folder.write("run.toml", &text);
    let (direct, read) = (good(&[&given[..], &["--json"]].concat()), good(&["minimize", "--study", &file, "--json"]));
    same(&direct.json(), &read.json(), &text);
    // What is given beside it replaces what is in it.
    let more = good(&["minimize", "--study", &file, "-n", "300", "--json"]).json();
    assert_eq!(more["nfev"], 300);
    let bad = folder.write("bad.toml", "problem = \"sphere\"\nmetod = \"pso\"\n");
    let text = wrong(&["minimize", "--study", &bad]);
    assert!(text.contains("metod") && text.contains("line 2"), "{text}");
}

/// Names in the bounds reach the program, its templates, the record and the results.
#[test]
fn variables_have_names_where_the_bounds_give_them() {
    if !python() {
        return;
    }
    let folder = Folder::new("names");
    let text = "import json, sys\n\
                for line in sys.stdin:\n    x = json.loads(line)['x']\n    \
                print((x['lr'] - 0.25) ** 2 + (x['the width'] - 3) ** 2, flush=True)\n";
    let exec = format!("exec python3 {}", folder.write("f.py", text));
    let record = folder.path("run.jsonl");
    let bounds = "--bounds=lr=0:1,the width=1:8";
    let args = ["minimize", "--exec", &exec, bounds, "-n", "150", "--seed", "1", "--record", &record];
    let text = good(&args).out;
    assert!(text.contains("at x          lr = 0.25") && text.contains("the width = 3"), "{text}");
    let lines = records(&record);
    assert_eq!(lines[0]["names"], serde_json::json!(["lr", "the width"]));
    assert!(lines[1]["x"]["lr"].is_f64() && lines[1]["x"]["the width"].is_f64(), "{}", lines[1]);
    let result = good(&[&args[..], &["--json"]].concat()).json();
    assert_eq!((&result["names"], result["repeated"].as_u64()), (&lines[0]["names"], result["nfev"].as_u64()));
    let awk = "awk 'BEGIN { print 10 * {a} + {b} }'";
    let args = ["minimize", "--exec", awk, "--bounds=a=1:1.5,b=2:2.5", "-m", "random_search", "-n", "2", "--json"];
    let result = good(&args).json();
    let (x, fun) = (&result["x"], result["fun"].as_f64().unwrap());
    assert!((10.0 * x[0].as_f64().unwrap() + x[1].as_f64().unwrap() - fun).abs() < 1e-3, "{result}");
    let said = wrong(&["minimize", "--exec", "true", "--bounds=a=0:1,2:3"]);
    assert!(said.contains("a name for every variable"), "{said}");
}
