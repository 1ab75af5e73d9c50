//! `learn`, and `minimize` with what was learned.

use crate::harness::{Folder, good, run, wrong};

const SHORT: [&str; 14] = [
    "learn",
    "diff_pso",
    "--problems",
    "sphere",
    "-d",
    "4",
    "-n",
    "400",
    "--steps",
    "4",
    "--pairs",
    "2",
    "--knots",
    "2",
];

#[test]
fn what_is_learned_is_used() {
    let folder = Folder::new("learn");
    let file = folder.path("pso.json");
    let done = good(&[&SHORT[..], &["-o", &file, "-t", "1"]].concat());
    assert!(done.out.contains("inertia") && done.out.contains("Gain over the default numbers"), "{}", done.out);
    let one = good(&[&SHORT[..], &["--json", "-t", "1"]].concat()).json();
    let two = good(&[&SHORT[..], &["--json", "-t", "2"]].concat()).json();
    assert_eq!(one, two);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&folder.read("pso.json")).unwrap(), one["schedule"]);

    // The file's method, without gradients; the plain method's name stands for it; both are not the plain method.
    let common = ["-d", "4", "-n", "400", "--json"];
    let minimize = |more: &[&str]| good(&[&["minimize", "sphere"], &common[..], more].concat()).json();
    let learned = minimize(&["--schedule", &file]);
    assert_eq!((&learned["method"], &learned["ngev"]), (&"diff_pso".into(), &0.into()));
    assert_eq!(learned["params"]["schedule"], one["schedule"]);
    assert_eq!(minimize(&["--schedule", &file, "-m", "pso"])["x"], learned["x"]);
    assert_ne!(minimize(&["-m", "pso"])["x"], learned["x"]);
    // Gradients where they are asked for.
    assert!(minimize(&["--schedule", &file, "-m", "diff_pso"])["ngev"].as_u64().unwrap() > 0);
    assert!(minimize(&["--schedule", &file, "--gradient", "formula"])["ngev"].as_u64().unwrap() > 0);
    // And as a setting, by the file's name.
    let own = format!("diff_pso.schedule={file}");
    let args = [
        "compare",
        "--methods",
        "diff_pso,pso",
        "--problems",
        "sphere",
        "-d",
        "4",
        "-n",
        "400",
        "--seeds",
        "1",
        "--json",
    ];
    let compared = good(&[&args[..], &["--set", &own]].concat()).json();
    assert_eq!(compared[0]["fun"]["median"], learned["fun"]);
}

/// The numbers are in the checkpoint: the file is not needed any more.
#[test]
fn a_schedule_is_resumed_without_its_file() {
    let folder = Folder::new("learn-resume");
    let text = r#"{"method": "diff_de", "knots": [0, 1], "numbers": {"weight": [0.9, 0.2]}}"#;
    let (file, state) = (folder.write("de.json", text), folder.path("state"));
    let start = ["minimize", "rastrigin", "-d", "3", "--schedule", &file, "-n", "2000", "--json"];
    let whole = good(&start).json();
    good(&[&start[..], &["--iterations", "7", "--checkpoint", &state]].concat());
    std::fs::remove_file(&file).unwrap();
    let rest = good(&["resume", &state, "--iterations", "100000", "--json"]).json();
    assert_eq!((&rest["x"], &rest["nfev"]), (&whole["x"], &whole["nfev"]));
}

#[test]
fn what_is_wrong_is_said() {
    let folder = Folder::new("learn-wrong");
    let file = folder.write("s.json", r#"{"method": "diff_de", "knots": [0, 1], "numbers": {"weight": [0.9, 0.2]}}"#);
    let minimize = |more: &[&str]| wrong(&[&["minimize", "sphere", "-d", "3"], more].concat());
    assert!(minimize(&["--schedule", "nowhere.json"]).contains("nowhere.json: No such file"));
    assert!(
        minimize(&["--schedule", &file, "-m", "diff_pso"])
            .contains("this is diff_pso, the schedule is of another method")
    );
    assert!(minimize(&["--schedule", &file, "-m", "pso"]).contains("unknown parameter of pso 'schedule'"));
    assert!(minimize(&["--schedule", &file, "--iterations", "9"]).contains("needs a budget of evaluations"));
    assert!(minimize(&["--schedule", &file, "--set", "mode=full"]).contains("must be null where the numbers learn"));
    assert!(minimize(&["--schedule", &file, "--set", "schedule=x"]).contains("schedule is set twice"));
    let far = folder.write("far.json", r#"{"method": "diff_de", "knots": [0], "numbers": {"weight": [9]}}"#);
    assert!(minimize(&["--schedule", &far]).contains("weight = 9: must be from 0.01 to 2"));
    let back =
        folder.write("back.json", r#"{"method": "diff_de", "knots": [1, 0], "numbers": {"weight": [0.5, 0.5]}}"#);
    assert!(minimize(&["--schedule", &back]).contains("ascending order"));

    let learn = |more: &[&str]| wrong(&[&["learn"], more].concat());
    assert!(learn(&["diff_shade", "--problems", "sphere", "--json"]).contains("unknown method with learnable numbers"));
    assert!(learn(&["diff_pso", "--problems", "spere", "--json"]).contains("did you mean 'sphere'?"));
    assert!(
        learn(&["diff_pso", "--problems", "sphere", "--numbers", "intertia", "--json"])
            .contains("did you mean 'inertia'?")
    );
    assert!(
        learn(&["diff_pso", "--problems", "sphere", "--set", "mode=full", "--json"]).contains("`learn` chooses it")
    );
    // What fails leaves no file behind.
    let none = folder.path("none.json");
    let error = learn(&["diff_pso", "--problems", "sphere", "--numbers", "intertia", "-o", &none]);
    assert!(error.contains("did you mean 'inertia'?") && !std::path::Path::new(&none).exists());
    assert_eq!(run(&["learn", "diff_pso", "--problems", "sphere"]).code, Some(2)); // neither a file nor --json
}
