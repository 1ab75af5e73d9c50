//! Typed variables: what programs get, what results and records say, and that nothing is paid twice.

use crate::harness::{Folder, finish, good, program, python, wrong};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const VARIABLES: [&str; 10] = [
    "--var",
    "lr=log:1e-5:1",
    "--var",
    "layers=int:1:8",
    "--var",
    "act=choice:relu,tanh,gelu",
    "--var",
    "bias=flag",
    "--var",
    "seed=3",
];

/// A program that checks the types, notes every point, and is least at lr = .01, layers = 3, tanh, with bias.
fn training(folder: &Folder) -> String {
    let text = "import json, math, sys\n\
                for line in sys.stdin:\n    x = json.loads(line)['x']\n    \
                assert type(x['layers']) is int and type(x['bias']) is bool and type(x['lr']) is float and x['seed'] == 3\n    \
                open(sys.argv[1], 'a').write(line)\n    \
                loss = (math.log10(x['lr']) + 2) ** 2 + (x['layers'] - 3) ** 2 / 2\n    \
                print(loss + {'relu': .3, 'tanh': 0, 'gelu': .6}[x['act']] + (0 if x['bias'] else .2), flush=True)\n";
    format!("exec python3 {} {}", folder.write("train.py", text), folder.path("points"))
}

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn programs_records_and_results_have_typed_values_and_a_broken_run_goes_on_to_the_same_bits() {
    if !python() {
        return;
    }
    for (method, workers) in [("auto", "1"), ("de(particles=12)", "3"), ("cma_es", "2")] {
        let folder = Folder::new(&format!("typed-{}", &method[..2]));
        let (exec, record) = (training(&folder), folder.path("run.jsonl"));
        let args =
            [&["minimize", "--exec", &exec][..], &VARIABLES, &["-m", method, "-n", "150", "--json", "--seed", "5"]];
        let args = [&args.concat()[..], &["-w", workers, "--batch", "3", "--record", &record]].concat();
        let whole = good(&args).json();
        assert!(whole["fun"].as_f64().unwrap() < 1.0, "{method}: {}", whole["fun"]);
        assert_eq!(whole["names"], json!(["lr", "layers", "act", "bias", "seed"]));
        assert!(
            whole["x"][0].is_f64() && whole["x"][1].is_u64() && whole["x"][2].is_string() && whole["x"][3].is_boolean()
        );
        assert_eq!((&whole["x"][4], &whole["dim"]), (&json!(3), &json!(5)));
        // Every line that the program got is another one, and stands in the record.
        let mut points: Vec<String> = folder.read("points").lines().map(str::to_owned).collect();
        assert_eq!(points.len() as u64, whole["nfev"].as_u64().unwrap(), "{method}");
        let text = folder.read("run.jsonl");
        let lines = records(&text);
        let mut recorded: Vec<String> = lines
            .iter()
            .filter(|line| line["kind"] == "evaluation")
            .map(|line| format!("{{\"x\":{}}}", line["x"]))
            .collect();
        let sort = |lines: &mut Vec<String>| {
            let keyed = |line: &String| serde_json::from_str::<Value>(line).unwrap().to_string();
            *lines = lines.iter().map(keyed).collect();
            lines.sort();
        };
        sort(&mut points);
        sort(&mut recorded);
        assert_eq!(points, recorded, "{method}");
        points.dedup();
        assert_eq!(points.len(), recorded.len(), "{method} pays for a point twice");
        // What a kill leaves: the first half of the record.
        let half: Vec<&str> = text.lines().take(1 + lines.len() / 2).collect();
        folder.write("run.jsonl", &(half.join("\n") + "\n"));
        let again = good(&args).json();
        for field in ["x", "fun", "nfev", "answer", "message", "account"] {
            assert_eq!(again[field], whole[field], "{method}: {field}");
        }
        assert_eq!(folder.read("run.jsonl").lines().count(), text.lines().count());
    }
}

#[test]
fn a_grid_is_searched_whole_and_a_checkpoint_keeps_the_memory() {
    let grid = ["minimize", "rastrigin", "--var", "a=int:-5:5", "--var", "b=int:-6:6:3", "--json"];
    let done = good(&[&grid[..], &["-n", "5000"]].concat()).json();
    assert_eq!((&done["fun"], &done["x"], &done["nfev"]), (&json!(0.0), &json!([0, 0]), &json!(55)));
    assert_eq!(done["message"], "all 55 points have been evaluated");
    let folder = Folder::new("typed-checkpoint");
    let long = [
        "minimize",
        "rosenbrock",
        "--var",
        "a=int:-900:900",
        "--var",
        "b=-5:5",
        "--var",
        "c=int:-90:90",
        "-m",
        "de",
        "--json",
    ];
    let whole = good(&[&long[..], &["-n", "4000"]].concat()).json();
    let checkpoint = folder.path("run.checkpoint");
    good(&[&long[..], &["-n", "4000", "--iterations", "20", "--checkpoint", &checkpoint]].concat());
    let rest = good(&["resume", &checkpoint, "-n", "4000", "--iterations", "1000000", "--json"]).json();
    for field in ["x", "fun", "nfev"] {
        assert_eq!(rest[field], whole[field], "{field}");
    }
}

#[test]
fn first_points_are_typed_too() {
    if !python() {
        return;
    }
    let folder = Folder::new("typed-x0");
    let exec = training(&folder);
    let args =
        [&["minimize", "--exec", &exec][..], &VARIABLES, &["-m", "de(particles=4)", "-n", "8", "--json"]].concat();
    let best = r#"{"lr": 0.01, "layers": 3, "act": "tanh", "bias": true}"#;
    for text in [best.to_owned(), format!("[{best}, [1, 8, \"gelu\", false, 3]]")] {
        let path = folder.write("x0.json", &text);
        let done =
            good(&[&args[..], &["--x0", &path, "--overwrite", "--record", &folder.path("r.jsonl")]].concat()).json();
        assert_eq!(done["x"].as_array().unwrap()[1..], [json!(3), json!("tanh"), json!(true), json!(3)]);
        assert!(done["fun"].as_f64().unwrap() < 1e-20);
    }
    for (text, rule) in [
        (r#"{"lr": 2, "layers": 3, "act": "tanh", "bias": true}"#, "lr = 2: must be a value of lr=log:1e-5:1.0"),
        (
            r#"{"lr": 0.1, "layers": 3.5, "act": "tanh", "bias": true}"#,
            "layers = 3.5: must be a value of layers=int:1:8",
        ),
        (r#"{"lr": 0.1, "layer": 3}"#, "unknown variable 'layer', did you mean 'layers'?"),
        (r#"{"lr": 0.1, "layers": 3}"#, "act is missing"),
        (r#"[0.1, 3]"#, "point has 2 entries, expected 5"),
        ("", "x0.json"),
    ] {
        let path = folder.write("x0.json", text);
        let said = wrong(&[&args[..], &["--x0", &path]].concat());
        assert!(said.contains(rule), "{text}: {said}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let said = |args: &[&str]| wrong(&[&["minimize"], args].concat());
    assert!(said(&["rastrigin", "--var", "a=logs:1:2"]).contains("did you mean 'log'?"));
    assert!(said(&["rastrigin", "--var", "a=choice:x,y"]).contains("rastrigin takes numbers, no words"));
    assert!(said(&["rastrigin", "--var", "a=int:1:5", "--dim", "3"]).contains("--dim says 3 variables"));
    assert!(said(&["rastrigin", "--var", "a=1:5", "--var", "a=1:2"]).contains("one variable only"));
    assert!(said(&["rastrigin", "--var", "a=7"]).contains("must not be fixed"));
    assert!(said(&["rastrigin", "--var", "a=1:5", "--bounds", "1:2"]).contains("--bounds"));
    assert!(said(&["branin", "--var", "a=int:1:5"]).contains("branin needs exactly 2"));
}

/// Says these lines to an agent; what it answers.
fn talk(args: &[&str], lines: &str) -> String {
    let mut child = program(args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let done = finish(child);
    assert_eq!(done.code, Some(0), "{}", done.err);
    done.out
}

#[test]
fn an_agent_asks_for_typed_points_and_goes_on_from_its_record() {
    let folder = Folder::new("typed-agent");
    let record = folder.path("run.jsonl");
    let args = [&["agent"][..], &VARIABLES, &["--method", "de(particles=4)", "--record", &record]].concat();
    let first = talk(&args, "init 12 7\ntell 1 2 0.5 4\nbest\n");
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!(lines[0], "ask 4");
    for line in &lines[1..5] {
        let point: Value = serde_json::from_str(line).unwrap();
        assert!(
            point["layers"].is_u64() && point["act"].is_string() && point["bias"].is_boolean() && point["seed"] == 3
        );
    }
    assert!(lines.last().unwrap().starts_with(&format!("best 5.0000000000000000e-1 {}", lines[3])), "{first}");
    // The round that was told is known; the next one is asked for at once.
    let again = talk(&args, "init 12 7\n");
    assert_eq!(again.lines().next(), first.lines().nth(5));
    assert_eq!(again.lines().nth(1), first.lines().nth(6));
    let other = talk(&args, "init 2 -5 5 100 1\n");
    assert!(other.starts_with("error init = 5 words: must be init <budget> <seed>"), "{other}");
}
