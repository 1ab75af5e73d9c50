//! The command `bench` as its users meet it.

use crate::harness::{Folder, good, script, wrong};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What the command prints.
fn bench(args: &[&str]) -> String {
    good(&[&["bench"][..], args].concat()).out
}

const SMALL: [&str; 8] = ["--functions", "1,8,15-16", "--dims", "2,3", "--instances", "1-2", "--budget", "100"];

#[test]
fn tables_files_and_records() {
    let folder = Folder::new("files");
    let [html, markdown, plots, records] = ["b.html", "b.md", "plots", "b.jsonl"].map(|name| folder.path(name));
    let files = ["--html", &html, "--markdown", &markdown, "--plots", &plots, "--records", &records];
    let text = bench(&[&["de", "pso:particles=10"][..], &SMALL, &files].concat());
    for word in ["de", "pso:particles=10", "perfect selector", "10 d", "100 d", "area", "multi-modal", "d = 3"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    assert!(folder.read("b.html").matches("<svg").count() == 1 + 2 + 3);
    assert!(folder.read("b.md").contains("## Area by function"));
    assert!(Path::new(&plots).join("ecdf_d2.png").exists() && Path::new(&plots).join("ecdf_moderate.svg").exists());
    let lines = folder.read("b.jsonl");
    assert_eq!(lines.lines().count(), 2 * 4 * 2 * 2);

    // The same command again computes nothing and says the same; other threads too.
    assert_eq!(bench(&[&["de", "pso:particles=10", "--threads", "1"][..], &SMALL, &files].concat()), text);
    assert_eq!(folder.read("b.jsonl"), lines);
    assert_eq!(bench(&[&["de", "pso:particles=10", "--threads", "3"][..], &SMALL].concat()), text);
    // So do the records of another program, laid beside nothing.
    assert_eq!(bench(&["--beside", &records]), text);
}

#[test]
fn the_runs_of_another_program_stand_beside_ours() {
    let folder = Folder::new("beside");
    // Sphere, instance 1 in 2 variables: f_opt = 79.48; 1.5 above it after 10 evaluations, 0.05 after 40.
    let line = r#"{"method":"theirs","problem":"bbob/f1/i1","dim":2,"seed":5,"fun":79.53,"nfev":200,"nit":0,"curve":[[10,80.98],[40,79.53]]}"#;
    let other = folder.write("other.jsonl", line);
    let one = ["--functions", "1", "--dims", "2", "--instances", "1", "--budget", "100"];
    let out = bench(&[&["random_search", "--beside", &other, "--json"][..], &one].concat());
    let json: Value = serde_json::from_str(&out).unwrap();
    let theirs = json["methods"].as_array().unwrap().iter().find(|method| method["method"] == "theirs").unwrap();
    assert_eq!((theirs["runs"].as_u64(), theirs["area_interval"].is_null()), (Some(1), true));
    // After 20 evaluations (10 d) the targets 10^2 .. 10^0.2, after all those down to 10^-1.2.
    assert_eq!(theirs["share"]["10"].as_f64(), Some(10.0 / 51.0));
    assert_eq!(theirs["share"]["100"].as_f64(), Some(17.0 / 51.0));
}

#[test]
fn mistakes_are_named() {
    let folder = Folder::new("mistakes");
    let missing = folder.path("none/b.html");
    let cases: [(&[&str], &str); 9] = [
        (&["dee"], "unknown method 'dee', did you mean 'de'?"),
        (&["de:particle=3"], "did you mean 'particles'?"),
        (&["de", "--functions", "0-3"], "function = 0: must be within 1 to 24"),
        (&["de", "--functions", "3-x"], "--functions = '3-x': must be numbers and ranges, for example 1-5,8"),
        (&["de", "--dims", "1"], "needs at least 2"),
        (&["de", "--instances", "0"], "instance = 0"),
        (&["de", "--budget", "0"], "must be at least 1"),
        (&["de", "--html", &missing], "b.html"),
        (&[], "METHOD"),
    ];
    for (args, wanted) in cases {
        let error = wrong(&[&["bench"][..], args].concat());
        assert!(error.contains(wanted), "{args:?}: {error}");
    }
}

/// COCO's own post-processing reads the archive without a warning, and its figures are those of our report.
#[test]
fn cocopp_agrees() {
    // A Python that has cocopp may be named in the environment.
    let python = std::env::var("SWARMGRAD_PYTHON").unwrap_or_else(|_| "python3".into());
    let there =
        Command::new(&python).args(["-c", "import cocopp"]).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: {python} has no cocopp");
        return;
    }
    let folder = Folder::new("cocopp");
    let archive = folder.path("exdata");
    let args = ["de", "--dims", "2,3,5", "--instances", "1-15", "--budget", "200", "--json", "--coco", &archive];
    let report = folder.write("report.json", &bench(&args));
    let data = Path::new(&archive).join("de");
    let output =
        Command::new(&python).arg(script("archive.py")).arg(data).arg(&report).current_dir(&folder.0).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}
