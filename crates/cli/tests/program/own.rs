//! A program of the user's own in every command that asks for a problem, and what is said of it in the end.

use crate::harness::{Folder, good, program, python, run, wrong};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A bowl with its least value 1 at (1, 0.25), which logs what it is asked and by whom; it may be slow.
const MODEL: &str = r#"
import json, os, sys, time
for line in sys.stdin:
    x = json.loads(line)["x"]
    a, b = (x["a"], x["b"]) if isinstance(x, dict) else x[:2]
    with open("asked.log", "a") as log:
        log.write(os.environ["SWARMGRAD_WORKER"] + " " + str(os.getpid()) + "\n")
    time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(json.dumps({"value": 1 + (a - 1) ** 2 + (b - 0.25) ** 2, "c": {"room": a + b}}), flush=True)
"#;

/// The text without the times, which differ.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Array(rows) => rows.iter_mut().for_each(|row| *row = timeless(row.take())),
        Value::Object(members) => drop(members.remove("seconds")),
        _ => {}
    }
    value
}

/// A folder with the program, and a way to run a command there.
fn workplace(name: &str) -> Option<Folder> {
    (cfg!(unix) && python()).then(|| {
        let folder = Folder::new(name);
        folder.write("model.py", MODEL);
        folder
    })
}

fn at(folder: &Folder, args: &[&str]) -> crate::harness::Done {
    let mut command = program(args);
    command.current_dir(&folder.0).env("XDG_CACHE_HOME", folder.path("cache"));
    crate::harness::finish(command.spawn().unwrap())
}

const OWN: [&str; 4] = ["--exec", "python3 model.py", "--bounds", "-5:5,0:1"];

#[test]
fn methods_are_compared_on_an_own_program() {
    let Some(folder) = workplace("own-compare") else { return };
    let compare = |more: &[&str]| {
        let args =
            ["compare", "-m", "pso(particles=10),pso(particles=20)", "--seeds", "3", "-n", "120", "--target", "1.5"];
        at(&folder, &[&args[..], &OWN, more].concat())
    };
    let one = compare(&["--json"]);
    assert_eq!(one.code, Some(0), "{}", one.err);
    let one = one.json();
    assert_eq!((&one[0]["method"], &one[1]["method"]), (&"pso(particles=10)".into(), &"pso(particles=20)".into()));
    assert_eq!((&one[0]["runs"], &one[0]["success"]["count"]), (&3.into(), &3.into()));
    // The same as `minimize`, and copies of the program serve all runs.
    let minimize = |seed: u64| {
        let seed = seed.to_string();
        let args = ["minimize", "-m", "pso(particles=10)", "-n", "120", "--json", "--seed", &seed];
        at(&folder, &[&args[..], &OWN].concat()).json()["fun"].as_f64().unwrap()
    };
    let mut values = [minimize(0), minimize(1), minimize(2)];
    values.sort_by(f64::total_cmp);
    assert_eq!(one[0]["fun"]["median"], values[1]);
    assert_eq!(one[0]["best"]["fun"], values[0]);
    std::fs::remove_file(folder.0.join("asked.log")).unwrap();
    assert_eq!(timeless(compare(&["--json", "--workers", "3"]).json()), timeless(one));
    let asked = folder.read("asked.log");
    let workers: std::collections::BTreeSet<&str> = asked.lines().map(|line| &line[..1]).collect();
    let started: std::collections::BTreeSet<&str> = asked.lines().collect();
    assert_eq!((workers.len(), started.len(), asked.lines().count()), (3, 3, 720), "{started:?}");
    // For people: the best point of all, in 80 columns.
    let text = compare(&["--workers", "2", "-q"]).out;
    assert!(text.contains("python3 model.py, 2 variables, 3 runs of 120 evaluations"), "{text}");
    assert!(text.contains("best of all: 1.0") && text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn typed_variables_and_constraints_are_compared_too() {
    let Some(folder) = workplace("own-typed") else { return };
    let args =
        ["compare", "-m", "auto,de", "--exec", "python3 model.py", "--var", "a=-5:5", "--var", "b=0:1", "--json"];
    let limits = ["--constraint", "room >= 2", "--seeds", "2", "-n", "300", "--workers", "2"];
    let rows = at(&folder, &[&args[..], &limits].concat()).json();
    for row in rows.as_array().unwrap() {
        assert_eq!(row["feasible"], 2, "{row}");
        // The nearest point of a + b = 2 to (1, 0.25) is 0.28125 off in square.
        let best = row["best"]["fun"].as_f64().unwrap();
        assert!((1.28..1.4).contains(&best), "{row}");
    }
    let never =
        [&args[..7], &["--var", "b=0:1", "--json", "--constraint", "room >= 9", "--seeds", "2", "-n", "40"]].concat();
    let rows = at(&folder, &never).json();
    assert_eq!((&rows[0]["feasible"], &rows[0]["fun"]["median"]), (&0.into(), &"inf".into()));
    assert!(rows[0]["best"]["violation"].as_f64().unwrap() > 2.9, "{rows}");
    // A file says the same, and its constraints hold for test problems too.
    let study = folder.write("run.toml", "problem = \"sphere\"\nconstraints = [\"x0 + x1 >= 1\"]\nmethod = \"pso\"\n");
    let text = good(&["compare", "-m", "auto,pso", "--study", &study, "--seeds", "2", "-n", "500", "-q"]).out;
    assert!(text.contains("feasible") && text.contains("100%") && text.contains("best of all: 0.5"), "{text}");
    assert!(wrong(&["compare", "-m", "pso", "-p", "zdt1"]).contains("several objectives"));
    let timed = folder.write("timed.toml", "problem = \"sphere\"\ntime = 3.0\n");
    assert!(wrong(&["compare", "-m", "pso", "--study", &timed]).contains("time = 3"));
    assert!(wrong(&["compare", "-m", "pso", "-p", "sphere", "--workers", "2"]).contains("--exec"));
}

/// Seed by seed over the methods, and what was evaluated of an unfinished run is not evaluated again.
#[test]
fn a_comparison_that_is_broken_off_is_fair_and_goes_on() {
    let Some(folder) = workplace("own-kill") else { return };
    let args = [
        "compare",
        "-m",
        "pso(particles=5),de(particles=5)",
        "--exec",
        "python3 model.py 0.004",
        "--bounds",
        "-5:5,0:1",
        "--seeds",
        "4",
        "-n",
        "40",
        "--json",
        "-o",
        "results",
    ];
    let asked =
        |folder: &Folder| std::fs::read_to_string(folder.0.join("asked.log")).map_or(0, |log| log.lines().count());
    let mut command = program(&args);
    command.current_dir(&folder.0).env("XDG_CACHE_HOME", folder.path("cache"));
    let mut child = command.spawn().unwrap();
    let begin = Instant::now();
    while asked(&folder) < 140 && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let records = folder.read("results/records.jsonl");
    let finished: Vec<(String, u64)> = records
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|line| (line["method"].as_str().unwrap().to_owned(), line["seed"].as_u64().unwrap()))
        .collect();
    let order = [("pso", 0), ("de", 0), ("pso", 1), ("de", 1), ("pso", 2), ("de", 2)];
    assert!(finished.len() >= 3, "{finished:?}");
    for (found, expected) in finished.iter().zip(order) {
        assert_eq!((found.0.as_str(), found.1), expected);
    }
    let before = asked(&folder);
    let continued = at(&folder, &args);
    assert_eq!(continued.code, Some(0), "{}", continued.err);
    // What a kill may cost is the point that was being evaluated.
    let all = asked(&folder);
    assert!(before < 320 && (320..=322).contains(&all), "{before} {all}");
    let fresh = workplace("own-kill-whole").unwrap();
    assert_eq!(timeless(at(&fresh, &args).json()), timeless(continued.json()));
    let left: Vec<_> =
        std::fs::read_dir(folder.0.join("results")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".unit-")), "{left:?}");
    for name in ["program_2.svg", "program_2.png", "summary.json"] {
        assert!(left.iter().any(|found| found == name), "{name} {left:?}");
    }
}

#[test]
fn a_program_that_fails_ends_a_comparison_with_its_words() {
    let Some(folder) = workplace("own-fails") else { return };
    let fails =
        ["compare", "-m", "pso,de", "--exec", "echo 'no licence' >&2; exit 3", "--bounds", "0:1,0:1", "--seeds", "2"];
    let done = at(&folder, &fails);
    assert_eq!(done.code, Some(4), "{}{}", done.out, done.err);
    assert!(done.err.contains("no licence"), "{}", done.err);
    // A point that takes too long fails, as in `minimize`.
    let slow =
        ["compare", "-m", "pso", "--exec", "python3 model.py 9", "--bounds", "-5:5,0:1", "--seeds", "1", "-n", "2"];
    let done = at(&folder, &[&slow[..], &["--eval-timeout", "0.3", "--json"]].concat());
    // Nothing came of it: as in `minimize` too.
    assert_eq!((done.code, &done.json()[0]["failures"]), (Some(1), &2.into()), "{}", done.err);
}

#[test]
fn an_own_program_is_animated() {
    let Some(folder) = workplace("own-animate") else { return };
    let animate =
        |more: &[&str]| at(&folder, &[&["animate", "--iterations", "4", "--exec", "python3 model.py"], more].concat());
    let done = animate(&["--bounds", "-5:5,0:1", "-o", "a.gif", "--workers", "2"]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(std::fs::read(folder.path("a.gif")).unwrap().starts_with(b"GIF89a"));
    // 24 x 24 points of the landscape, then the swarm.
    assert!(folder.read("asked.log").lines().count() > 576);
    let typed =
        ["--var", "a=-5:5", "--var", "b=log:1e-3:1", "--var", "c=7", "--constraint", "room >= 2", "--grid", "12"];
    let done = animate(&[&typed[..], &["-o", "b.svg"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.err);
    let svg = folder.read("b.svg");
    assert!(svg.contains("log10 b") && svg.contains("not feasible") && svg.contains(">a<"), "{}", &svg[..2000]);
    let three = ["--bounds", "0:1,0:1,0:1", "-o", "c.gif"];
    let done = animate(&three);
    assert!(done.code == Some(2) && done.err.contains("--var NAME=VALUE fixes the others"), "{}", done.err);
    // A test problem with constraints; without them nothing is said of them.
    good(&[
        "animate",
        "sphere",
        "--constraint",
        "x0 + x1 >= 1",
        "--constraint",
        "x0 - x1 = 0.5",
        "--iterations",
        "3",
        "-o",
        &folder.path("d.svg"),
    ]);
    assert!(folder.read("d.svg").contains("not feasible; line: feasible"));
    good(&["animate", "sphere", "--iterations", "3", "-o", &folder.path("e.svg")]);
    assert!(!folder.read("e.svg").contains("feasible"));
    let done = at(&folder, &["animate", "--exec", "exit 3", "--bounds", "0:1,0:1", "-o", "f.gif"]);
    assert!(done.code == Some(4) && !folder.0.join("f.gif").exists(), "{}", done.err);
}

#[test]
fn a_schedule_is_learned_on_an_own_program() {
    let Some(folder) = workplace("own-learn") else { return };
    let args = ["learn", "diff_pso(particles=5)", "-n", "20", "--steps", "2", "--pairs", "1", "--knots", "1", "--json"];
    let learn = |more: &[&str]| at(&folder, &[&args[..], &OWN, more].concat());
    let done = learn(&["--minimum", "1", "--workers", "2"]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.json()["schedule"]["numbers"]["inertia"].is_array(), "{}", done.out);
    assert_eq!(learn(&["--minimum", "1"]).json(), done.json());
    let done = learn(&[]);
    assert!(done.code == Some(2) && done.err.contains("--minimum"), "{}", done.err);
    let done = at(&folder, &[&args[..], &["--exec", "exit 3", "--bounds", "0:1,0:1", "--minimum", "0"]].concat());
    assert_eq!(done.code, Some(4), "{}", done.err);
}

/// What was finished by then is shown, and the same command goes on from there.
#[test]
fn a_comparison_ends_in_time() {
    let Some(folder) = workplace("own-time") else { return };
    let exec = ["--exec", "python3 model.py 0.05", "--bounds", "-5:5,0:1"];
    let args = [&["compare", "-m", "auto,pso", "--seeds", "40", "-n", "5"][..], &exec].concat();
    let timed = at(&folder, &[&args[..], &["--time", "2s", "-o", "kept", "-q"]].concat());
    assert!(timed.err.contains("the time is over") && timed.err.contains("continues from there"), "{}", timed.err);
    let runs = || folder.read("kept/records.jsonl").lines().count();
    let first = runs();
    assert!((1..80).contains(&first), "{first} runs in two seconds");
    at(&folder, &[&args[..], &["--time", "2s", "-o", "kept", "-q"]].concat());
    assert!(runs() > first, "{first} runs, and no more");
}

#[test]
fn bench_sends_those_with_a_program_to_compare() {
    let why = wrong(&["bench", "de", "--exec", "python3 model.py"]);
    assert!(why.contains("swarmgrad compare --methods A,B --exec COMMAND"), "{why}");
    let help = run(&["bench", "--help"]).out;
    assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains("`swarmgrad compare --exec`"), "{help}");
}

#[test]
fn who_names_no_problem_is_told_both_ways() {
    for command in [&["compare", "-m", "pso"][..], &["learn", "diff_pso", "--json"], &["animate", "-o", "a.gif"]] {
        let why = wrong(command);
        assert!(why.contains("name a test problem") && why.contains("--exec 'python3 f.py'"), "{why}");
    }
}

/// One short letter has one meaning, and one thing one name.
#[test]
fn letters_and_names_mean_the_same_everywhere() {
    let mut meanings = std::collections::BTreeMap::<String, String>::new();
    let minimise = ["minimize", "resume", "compare", "bench", "learn", "animate", "certify", "plot", "agent"];
    for command in minimise.into_iter().chain(["reproduce", "watch", "train", "predict", "data", "list", "completions"])
    {
        for line in run(&[command, "--help"]).out.lines() {
            let Some((letter, rest)) = line.trim().strip_prefix('-').and_then(|line| line.split_once(", --")) else {
                continue;
            };
            let name = rest.split([' ', '=']).next().unwrap();
            // Lists of methods, and a command's own file.
            let name = if name == "methods" { "method" } else { name };
            let first = meanings.entry(letter.to_owned()).or_insert_with(|| name.to_owned());
            assert_eq!(first, name, "-{letter} of {command}");
        }
    }
    assert!(meanings.len() > 12, "{meanings:?}");
}

#[test]
fn the_report_says_why_it_ended_what_was_learned_and_what_to_do() {
    let Some(folder) = workplace("own-report") else { return };
    // A smooth function with one basin, whose least value lies on a bound.
    let args = ["minimize", "--exec", "python3 model.py", "--bounds", "2:9,0:1", "-n", "400", "-q"];
    let text = at(&folder, &args).out;
    for words in [
        "ended         by itself",
        "learned       smooth",
        "one basin",
        "how sure      nearly sure",
        "x0 lies on a bound",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // Many basins and few evaluations.
    let report = good(&["minimize", "rastrigin", "-d", "10", "-n", "400", "-m", "pso", "--json"]).json();
    let summary = &report["summary"];
    assert_eq!(summary["ended"], "all 400 evaluations are spent");
    assert!(summary["sure"].as_str().unwrap().contains("other seeds tell"), "{summary}");
    let next = summary["next"].to_string();
    assert!(next.contains("longer: --evaluations 4000; it was still improving"), "{next}");
    assert!(next.contains("other methods: swarmgrad compare"), "{next}");
    // Bounds over decades, and the best value at their low end.
    let scaled =
        at(&folder, &["minimize", "--exec", "python3 model.py", "--bounds", "1e-3:1e3,0:1", "-n", "400", "-q"]).out;
    assert!(scaled.contains("x0 is near the low end") && scaled.contains("--var NAME=log:"), "{scaled}");
    assert!(good(&["minimize", "sphere", "-q"]).out.contains("sure: it is the known minimum"));
    let known = good(&["minimize", "rastrigin", "-d", "2", "-n", "9000", "-q"]).out;
    assert!(known.contains("each variable can be chosen for itself"), "{known}");
}

#[test]
fn uncertainty_is_estimated_from_the_points() {
    let Some(folder) = workplace("own-uncertainty") else { return };
    let args = ["minimize", "-m", "cma_es", "-n", "600", "-q", "--exec", "python3 model.py", "--bounds", "-5:5,-5:5"];
    let minimize = |more: &[&str]| at(&folder, &[&args[..], &["--overwrite"], more].concat());
    // H = 2 I: errors of sqrt(1/2) of a likelihood; as squares of 3 residuals s^2 = 1, twice the square.
    for (flag, expected, words) in [
        ("--uncertainty", 0.5f64.sqrt(), "the value is a -log likelihood"),
        ("--uncertainty=squares:3", 1.0, "sum of squares of 3 residuals"),
    ] {
        let found = minimize(&[flag, "--json"]).json()["uncertainty"].clone();
        for error in found["standard_errors"].as_array().unwrap() {
            assert!((error.as_f64().unwrap() / expected - 1.0).abs() < 1e-3, "{flag} {found}");
        }
        assert!(found["assumes"].as_str().unwrap().contains(words), "{found}");
        let text = minimize(&[flag]).out;
        assert!(text.contains("an estimate of one standard error") && text.contains("x0 = 1 +- "), "{text}");
    }
    let few = [&args[..3], &["-n", "8"], &args[5..], &["--uncertainty", "--overwrite"]].concat();
    let few = at(&folder, &few).out;
    assert!(few.contains("uncertainty   none: 8 points are too few"), "{few}");
    assert!(wrong(&["minimize", "sphere", "--uncertainty=maybe"]).contains("must be likelihood"));
    assert!(minimize(&["--json"]).json()["uncertainty"].is_null());
}

#[test]
fn a_run_that_has_ended_says_so_when_it_is_resumed_and_is_drawn() {
    let folder = Folder::new("own-resume");
    let (record, page) = (folder.path("run.jsonl"), folder.path("run.html"));
    good(&["minimize", "sphere", "-d", "3", "--record", &record, "-q"]);
    let again = good(&["resume", &record, "-q", "--plot", &page]).out;
    let words = again.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("nothing more was evaluated") && again.contains("elsewhere:"), "{again}");
    assert!(folder.read("run.html").contains("<svg") && again.contains("Drawn: "), "{again}");
    let spent = folder.path("spent.jsonl");
    good(&["minimize", "sphere", "-m", "pso", "-n", "90", "--record", &spent, "-q"]);
    let longer = good(&["resume", &spent, "-n", "180", "-q"]).out;
    assert!(!longer.contains("had ended before"), "{longer}");
    assert!(wrong(&["resume", &spent, "--plot", "run.txt"]).contains("must end in"));
}
