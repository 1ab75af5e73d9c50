//! A power cut: what stands in a file's place, or is used, must be on the disk. A library that is loaded before the system's notes every
//! write, sync and rename of the program.

use crate::door::{program, run_within};
use crate::scratch::Folder;
use crate::tally::Tally;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// No case may take longer, in seconds.
const PATIENCE: u64 = 60;

/// Commands that replace files, and those that add to one.
const COMMANDS: [(&str, &str); 9] = [
    ("a checkpoint", "minimize rastrigin -d 5 -m lshade -n 20000 --checkpoint run.state"),
    (
        "a checkpoint that counts on improvements",
        "minimize rastrigin -d 5 -m lshade -n 20000 --checkpoint run.state --record-best best.jsonl",
    ),
    ("improvements", "minimize rastrigin -d 5 -m lshade -n 5000 --record-best best.jsonl"),
    ("a record of fast points", "minimize rastrigin -d 5 -m lshade -n 5000 --record run.jsonl"),
    ("a record of slow points", "minimize -e SLOW -b -5:5 -d 1 -m de(particles=4) -n 8 --record slow.jsonl"),
    (
        "records of a bench",
        "bench de --functions 1 --dims 2 --instances 1-3 --budget 100 --record bench.jsonl --html bench.html",
    ),
    ("a comparison", "compare -m de,pso -p sphere -d 2 -n 200 --seeds 3 -o compared"),
    ("a model", "train iris --epochs 1 --seeds 1 --save iris.model"),
    ("a schedule", "learn diff_pso -p sphere -d 2 -n 40 --steps 2 --pairs 2 -o learned.json"),
];

/// A program whose points take so long that each is put on the disk at once.
const SLOW: &str = "while read -r l; do sleep 0.06; echo 3; done";

/// The library, built where there is a compiler.
fn library(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("power.c"), folder.join("power.so"));
    fs::write(&source, include_str!("power.c")).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).status();
    built.is_ok_and(|status| status.success()).then_some(library)
}

/// A line of what was noted: what, of which file, and its new name.
type Event<'a> = (&'a str, &'a str, &'a str);

/// What holds of the events of a run: a file that takes a place is on the disk with its last byte, and then its name is; a file that is
/// added to is on the disk in the end; slow evaluations one by one.
fn holds(name: &str, events: &[Event<'_>]) -> Result<(), String> {
    // Writes of each file since it was last put on the disk.
    let mut dirty: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut nameless, mut renames, mut syncs) = (0, 0, 0);
    for (what, path, other) in events {
        match *what {
            "write" => {
                let writes = dirty.entry(path).or_default();
                *writes += 1;
                if name == "a record of slow points" && *writes > 1 && path.ends_with("slow.jsonl") {
                    return Err(format!("{path} was written to twice without a sync between"));
                }
            }
            "sync" => {
                dirty.remove(path);
                syncs += 1;
                if Path::new(path).is_dir() {
                    nameless = 0;
                }
            }
            "rename" if dirty.contains_key(path) => {
                return Err(format!("{path} became {other} before it was on the disk"));
            }
            "rename" if other.ends_with(".state") && dirty.keys().any(|path| path.ends_with("best.jsonl")) => {
                return Err(format!("{other} counts on lines of best.jsonl that are not on the disk"));
            }
            "rename" => {
                nameless += 1;
                renames += 1;
            }
            what => return Err(format!("an event '{what}'")),
        }
    }
    // What was there for a moment only is nobody's.
    if let Some((path, writes)) = dirty.iter().find(|(path, _)| Path::new(path).exists()) {
        return Err(format!("{writes} writes of {path} were never put on the disk"));
    }
    match (nameless, renames + syncs) {
        (0, 1..) => Ok(()),
        (0, _) => Err("nothing was noted".into()),
        (n, _) => Err(format!("{n} names were never put on the disk")),
    }
}

/// Runs of all commands, `scale` times.
pub fn power(scale: u64, _seed: u64) -> Tally {
    let mut tally = Tally::new("files: a power cut");
    let tools = Folder::new("power-tools");
    let Some(library) = library(tools.as_ref()) else {
        tally.skip("there is no C compiler");
        return tally;
    };
    for (name, text) in (0..scale).flat_map(|_| COMMANDS) {
        let folder = Folder::new("power");
        let place = fs::canonicalize(folder.as_ref()).unwrap();
        let log = tools.path("log");
        let _ = fs::remove_file(&log);
        let words: Vec<&str> = text.split(' ').map(|word| if word == "SLOW" { SLOW } else { word }).collect();
        let mut command = program(&place, &words);
        command.env("LD_PRELOAD", &library).env("POWER_LOG", &log).env("POWER_FOLDER", &place);
        let outcome = run_within(PATIENCE, command).and_then(|done| {
            if done.code != Some(0) {
                return Err(format!("exit code {:?}: {:.400}", done.code, done.said()));
            }
            let text = fs::read_to_string(&log).map_err(|why| format!("the log: {why}"))?;
            let event = |line| {
                let (what, files) = str::split_once(line, '\t')?;
                let (path, other) = files.split_once('\t')?;
                Some((what, path, other))
            };
            let events: Option<Vec<Event<'_>>> = text.lines().map(event).collect();
            holds(name, &events.ok_or("a line that is none")?)
        });
        tally.case(outcome.map_err(|why| format!("{name}: {why}")));
    }
    tally
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_used_is_on_the_disk() {
    power(1, 1).hold();
}
