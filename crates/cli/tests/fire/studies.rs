//! Random studies: problem, space, constraints, method, settings, workers, kills. Each ends in the same bits as the unbroken run on
//! one worker, or in a clear refusal.

use crate::scratch::Folder;
use crate::tally::Tally;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use swarmgrad::registry::{Entry, entries};
use swarmgrad::{Draws, Rng};

/// What says how a run went; times and files apart.
const ANSWER: [&str; 12] = [
    "x",
    "fun",
    "nfev",
    "ngev",
    "cost",
    "nit",
    "answer",
    "failures",
    "failure_kinds",
    "message",
    "violation",
    "status",
];

/// A program: the sum of squares of what is numbers, and one for each word that is not `b`.
const PROGRAM: &str = "exec python3 -S -E ./f.py";
const SOURCE: &str = r"
import sys
for line in sys.stdin:
    total = 0.0
    for word in line.split():
        try:
            total += (float(word) - 0.3) ** 2
        except ValueError:
            total += word != 'b'
    print(repr(total), flush=True)
";

fn pick<'a>(draw: &mut Draws<'_>, list: &[&'a str]) -> &'a str {
    list[draw.below(list.len())]
}

/// A random study: what is on its command line, and whether it has a program of its own.
fn study(draw: &mut Draws<'_>, all: &[&Entry], python: bool) -> (Vec<String>, bool) {
    let program = python && draw.below(3) == 0;
    let mut words: Vec<String> = Vec::new();
    let mut say = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
    if program {
        say(&["--exec", PROGRAM, "--input", "plain"]);
        match draw.below(3) {
            0 => say(&["--bounds=-5:5,0:1,-inf:inf"]),
            1 => say(&["--var", "lr=log:1e-5:1", "--var", "n=int:1:8", "--var", "act=choice:a,b,c"]),
            _ => say(&["--var", "a=int:-3:3", "--var", "b=flag", "--var", "c=2.5", "--var", "d=-1:1"]),
        }
        say(&["-n", pick(draw, &["1", "7", "60", "150", "400"])]);
    } else {
        let problem = pick(
            draw,
            &[
                "rosenbrock",
                "rastrigin",
                "sphere",
                "levy",
                "bbob/f7",
                "bbob/f16",
                "bbob/f24/i3",
                "bbob_mixint/f3",
                "g06",
                "welded_beam",
                "zdt1",
                "step",
            ],
        );
        say(&[problem]);
        if ["rosenbrock", "rastrigin", "sphere", "levy"].contains(&problem) || problem.starts_with("bbob/") {
            say(&["--dim", pick(draw, &["2", "3", "5", "10", "40"])]);
        }
        if problem == "rosenbrock" && draw.below(2) == 0 {
            say(&["--constraint", pick(draw, &["x0 + x1 <= 1", "x0 * x1 = 0.25", "0 <= x0 - x1 <= 2"])]);
        }
        say(&["-n", pick(draw, &["1", "9", "100", "3000", "20000", "60000"])]);
    }
    let entry = all[draw.below(all.len())];
    let mut method = entry.name.to_owned();
    let parameters = entry.parameters();
    if !parameters.is_empty() && draw.below(2) == 0 {
        let parameter = &parameters[draw.below(parameters.len())];
        let value = match parameter.range.split(" | ").collect::<Vec<_>>() {
            choices if choices.len() > 1 => choices[draw.below(choices.len())].to_owned(),
            _ if parameter.whole => format!("{}", 1 + draw.below(50)),
            _ => format!("{}", [0.0, 0.1, 0.5, 1.0, 2.0][draw.below(5)]),
        };
        method += &format!("({}={value})", parameter.name);
    }
    say(&["-m", &method, "--seed", pick(draw, &["0", "1", "7", "18446744073709551615"])]);
    match draw.below(8) {
        0 => say(&["--noisy"]),
        1 => say(&["--maximize"]),
        2 => say(&["--patience", "50"]),
        3 => say(&["--tolerance", "1e-3"]),
        4 => say(&["--target", "0.5"]),
        5 => say(&["--start", "sobol"]),
        6 => say(&["--outside", pick(draw, &["clamp", "reflect", "wrap", "resample"])]),
        _ => {}
    }
    if program {
        // Which points are asked for together is a part of what the run is.
        say(&["--batch", pick(draw, &["1", "3", "8"])]);
    }
    (words, program)
}

fn command(words: &[String], more: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(crate::door::file());
    command.arg("minimize").args(words).args(more).arg("--json").current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run has printed: its answer, or its refusal.
fn outcome(words: &[String], more: &[&str], folder: &Path) -> Result<Result<Value, String>, String> {
    let output = command(words, more, folder).output().map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("panicked") {
        return Err(said.lines().take(2).collect::<Vec<_>>().join(" "));
    }
    match output.status.code() {
        Some(0 | 1 | 3 | 4) if !output.stdout.is_empty() => {
            let value: Value = serde_json::from_slice(&output.stdout).map_err(|why| why.to_string())?;
            Ok(Ok(ANSWER.iter().map(|name| ((*name).to_owned(), value[*name].clone())).collect()))
        }
        Some(2) if said.contains("swarmgrad: ") || said.contains("error: ") => Ok(Err(said)),
        // What ends without an answer says why.
        Some(1 | 4) if !said.is_empty() => Ok(Err(said)),
        _ => Err(format!("{}, {}", output.status, said.lines().next().unwrap_or_default())),
    }
}

/// One study, four runs of it: as it is, on other workers, killed at times and continued, from a checkpoint.
fn holds(words: &[String], program: bool, draw: &mut Draws<'_>) -> Result<(), String> {
    let folder = Folder::new("study");
    let at = folder.as_ref();
    std::fs::write(folder.path("f.py"), SOURCE).map_err(|why| why.to_string())?;
    let first = outcome(words, if program { &["--record", "first"] } else { &[] }, at)?;
    let workers = match (program, draw.below(2)) {
        (true, _) => vec!["--workers", "3", "--record", "other"],
        (false, 0) => vec!["--threads", "3"],
        (false, _) => vec!["--threads", "2"],
    };
    let other = outcome(words, &workers, at)?;
    if other != first {
        return Err(format!("with {workers:?}: {other:?} instead of {first:?}"));
    }
    let kept: &[&str] = match (program, draw.below(3)) {
        (false, 0) => &["--checkpoint", "kept"],
        (_, 1) => &["--record", "kept", "--checkpoint", "kept.state"],
        _ => &["--record", "kept"],
    };
    let mut kills = 0;
    for _ in 0..1 + draw.below(3) {
        let mut child = command(words, kept, at)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| why.to_string())?;
        std::thread::sleep(Duration::from_micros(2000 + draw.below(60_000) as u64));
        if child.try_wait().map_err(|why| why.to_string())?.is_none() {
            child.kill().map_err(|why| why.to_string())?;
            kills += 1;
        }
        child.wait().map_err(|why| why.to_string())?;
    }
    let broken = outcome(words, kept, at)?;
    let same = match (&broken, &first) {
        (Ok(broken), Ok(first)) => broken == first,
        // Refusals may name the file.
        (broken, first) => broken.is_err() == first.is_err(),
    };
    if same { Ok(()) } else { Err(format!("after {kills} kills with {kept:?}: {broken:?} instead of {first:?}")) }
}

/// Random studies, `scale` times thirty.
pub fn studies(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("random studies: other workers, kills, checkpoints");
    let rng = Rng::new(seed).fork("studies");
    let all: Vec<&'static Entry> = entries().filter(|entry| entry.name != "gp").collect();
    let python = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !python {
        eprintln!("no studies of programs: there is no python3");
    }
    for case in 0..30 * scale {
        let rng = rng.at(case);
        let mut draw = rng.row(0);
        let (words, program) = study(&mut draw, &all, python);
        let shown = words.join(" ");
        tally.case(holds(&words, program, &mut draw).map_err(|why| format!("{shown}: {why}")));
    }
    tally
}

#[test]
#[cfg(unix)]
fn studies_end_in_the_same_bits() {
    studies(1, 1).hold();
}
