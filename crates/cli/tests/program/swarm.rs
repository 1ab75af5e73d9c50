//! `train --method`: networks that learn by a swarm.

use crate::harness::{Folder, good, program, wrong};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The first run of an optimiser without what a clock says.
fn first_run(result: &Value, optimizer: usize) -> Value {
    let mut run = result["optimizers"][optimizer]["runs"][0].clone();
    assert!(run.as_object_mut().unwrap().remove("seconds").is_some(), "{result}");
    run
}

#[test]
fn a_swarm_learns_digits() {
    let args = [
        "train",
        "digits",
        "--method",
        "pso_sde,cbo",
        "--model",
        "shallow",
        "--epochs",
        "12",
        "--seeds",
        "1",
        "--json",
    ];
    let one = good(&[&args[..], &["--threads", "1", "--set", "inertia=0.4"]].concat()).json();
    let reached = one["optimizers"][0]["test"]["accuracy"]["mean"].as_f64().unwrap();
    assert!(reached > 0.5, "{reached}");
    assert_eq!((&one["weights"], &one["loss"]), (&Value::from(650), &Value::from("cross_entropy")));
    // Two evaluations of 100 networks on every row; in the first batch the start is evaluated too, instead of the memories.
    let rows = one["rows"]["train"].as_u64().unwrap();
    assert_eq!(one["optimizers"][0]["runs"][0]["evaluations"], 12 * 200 * rows);
    let two = good(&[&args[..], &["--threads", "2", "--set", "inertia=0.4"]].concat()).json();
    assert_eq!([first_run(&one, 0), first_run(&one, 1)], [first_run(&two, 0), first_run(&two, 1)]);
}

/// The saved network, with the statistics of its normalisations, answers through the tensor library as it did in the swarm.
#[test]
fn a_swarm_is_saved() {
    let folder = Folder::new("swarm-save");
    let mut text = "size,weight,kind\n".to_owned();
    for i in 0..200 {
        let (big, noise) = (i % 2, f64::from(i * 37 % 101) / 200.0);
        text += &format!(
            "{:.3},{:.3},{}\n",
            f64::from(big) + noise,
            3.0 - f64::from(big) + noise,
            ["cat", "dog"][big as usize]
        );
    }
    let (table, model) = (folder.write("pets.csv", &text), folder.path("pets.model"));
    for net in ["shallow", "mlp"] {
        let args = [
            "train",
            &table,
            "--method",
            "pso_sde",
            "--model",
            net,
            "--epochs",
            "60",
            "--test-share",
            "0",
            "--seeds",
            "1",
        ];
        let trained = good(&[&args[..], &["--json", "--save", &model]].concat()).json();
        let accuracy = trained["optimizers"][0]["train"]["accuracy"]["mean"].as_f64().unwrap();
        assert!(accuracy > 0.95, "{net}: {accuracy}");
        let predicted = good(&["predict", &model, &table, "--json"]).json();
        let again = predicted["scores"]["accuracy"].as_f64().unwrap();
        assert!((again - accuracy).abs() < 1e-9, "{net}: {again} and {accuracy}");
    }
}

#[test]
fn wrong_usage_is_named() {
    let digits = |args: &[&str]| wrong(&[&["train", "digits", "--seeds", "1"], args].concat());
    for (args, message) in [
        (&["--method", "pso"][..], "unknown method 'pso', did you mean"),
        (&["--method", "pso_sde", "--set", "kik=0"], "did you mean 'kick'?"),
        (&["--method", "pso_sde", "--set", "alpha=-1"], "alpha = -1"),
        (&["--method", "pso_sde", "--set", "deviation=x"], "deviation"),
        (&["--method", "pso_sde", "--model", "cnn"], "lists of layers"),
        (&["--method", "pso_sde", "--optimizer", "adam"], "cannot be used with"),
        (&["--set", "kick=0"], "--method"),
        (&["--method", "pso_sde", "--model", "lenet1"], "image = 8 x 8: too small for this network"),
        (&["--method", "pso_sde", "--model", "shallow", "--hidden", "5"], "is for an mlp; shallow has its own"),
    ] {
        let why = digits(args);
        assert!(why.contains(message), "{args:?} gives {why}");
    }
}

/// A killed training goes on from the last epoch that was kept, to the same numbers.
#[test]
fn a_killed_swarm_goes_on() {
    let folder = Folder::new("swarm-kill");
    let records = folder.path("runs.jsonl");
    let args =
        ["train", "iris", "--method", "pso_sde", "--model", "shallow", "--seeds", "1", "--json", "--epochs", "8000"];
    let kept = [&args[..], &["--records", &records]].concat();
    let states = || {
        let files = std::fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|end| end == "state")).count()
    };
    let begin = Instant::now();
    let mut child = program(&kept).spawn().unwrap();
    while states() == 0 {
        assert!(begin.elapsed() < Duration::from_secs(120), "nothing is kept");
        assert!(child.try_wait().unwrap().is_none(), "it ended before anything was kept");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(folder.read("runs.jsonl"), "");
    let continued = good(&kept);
    assert_eq!((states(), folder.read("runs.jsonl").lines().count()), (0, 1));
    assert_eq!(first_run(&continued.json(), 0), first_run(&good(&args).json(), 0));
}
