//! `kill -9` at random moments, through every door that keeps anything: nothing is lost beyond what was under way, what is left can be read,
//! and the same command again comes to the answer of an unbroken run, to the bit.

use crate::door::{Done, Draw, Running, program, run_within, side_by_side};
use crate::scratch::Folder;
use crate::tally::Tally;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use swarmgrad::Checkpoint;

/// No command takes longer, in seconds.
const PATIENCE: u64 = 120;

/// A program of some milliseconds a point, which notes every call.
const OBJECTIVE: &str = "\
import sys, time
for line in sys.stdin:
    x = [float(word) for word in line.split()]
    time.sleep(0.004)
    open(sys.argv[1], 'a').write('.')
    print(sum((t - 0.3) ** 2 * (1 + t * t) for t in x), flush=True)
";

/// Kills that found the program at work.
const KILLS: &str = "kills at work";

/// What a run is about.
const ANSWER: [&str; 7] = ["x", "fun", "nfev", "nit", "answer", "failures", "message"];

/// Without what a clock says, how often it was begun, and what its record is called.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            members.retain(|name, _| !["seconds", "repeated", "restarts", "record"].contains(&name.as_str()));
            members.values_mut().for_each(|member| *member = timeless(member.take()));
        }
        Value::Array(members) => members.iter_mut().for_each(|member| *member = timeless(member.take())),
        _ => {}
    }
    value
}

/// Starts a command and kills it after a share of the time it takes; whether it was still running.
fn killed(command: Command, takes: Duration, draw: &mut Draw) -> bool {
    let mut running = Running::start(command);
    // More often early than late: what begins is more fragile than what goes on.
    std::thread::sleep(takes.mul_f64(1.1 * draw.unit() * draw.unit()));
    let alive = running.child.try_wait().unwrap().is_none();
    let _ = (running.child.kill(), running.child.wait());
    alive
}

fn python() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Evaluations in a record, each whole line of which must be one.
fn evaluations(record: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(record).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut count = 0;
    for line in whole.lines() {
        let line: Value = serde_json::from_str(line).map_err(|why| format!("{why}: {line}"))?;
        count += u64::from(line["kind"] == "evaluation");
    }
    Ok(count)
}

/// Runs of a program: every evaluation that was paid for is in the record, but for those that were under way.
pub fn programs(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("kills: minimize --exec --record");
    if !python() {
        tally.skip("there is no python3");
        return tally;
    }
    let methods =
        ["auto", "pso", "de(particles=16)", "lshade", "cma_es", "bipop_cma_es", "pso_sde(particles=32)", "polish"];
    let mut draw = Draw(seed);
    let all: Vec<_> = (0..3 * scale)
        .map(|k| (methods[k as usize % methods.len()], [1, 4, 16][(k as usize + draw.below(3)) % 3], draw.next()))
        .collect();
    let outcomes = side_by_side(2, &all, |(method, workers, seed)| {
        let (folder, mut draw) = (Folder::new("kills"), Draw(*seed));
        fs::write(folder.path("f.py"), OBJECTIVE).unwrap();
        let calls = |name: &str| fs::metadata(folder.path(name)).map_or(0, |file| file.len());
        let command = |record: &str| {
            let (exec, workers) = (format!("exec python3 f.py calls-{record}"), workers.to_string());
            let args =
                ["minimize", "--exec", &exec, "--input", "plain", "--bounds=-1:1,-2:2,0:1", "-m", method, "-n", "160"];
            let more = ["--seed", "3", "-w", &workers, "--batch", "16", "--json", "--record", record];
            program(folder.as_ref(), &[&args[..], &more].concat())
        };
        let whole = run_within(PATIENCE, command("whole"))?;
        let (mut kills, mut known) = (0, 0);
        let mut cases = Vec::new();
        for _ in 0..4 {
            kills += u64::from(killed(command("broken"), whole.took, &mut draw));
            let now = evaluations(&folder.path("broken"))?;
            cases.push(match now >= known {
                true => Ok(()),
                false => Err(format!("{method}, {workers} copies: {known} evaluations became {now}")),
            });
            known = now;
        }
        // The copies are killed a moment later.
        std::thread::sleep(Duration::from_millis(100));
        let end = run_within(PATIENCE, command("broken"))?;
        let counted = evaluations(&folder.path("broken"))?;
        let paid = calls("calls-broken").saturating_sub(counted);
        let (found, expected) = (end.json()?, whole.json()?);
        // Their commands differ in a name.
        let same = ANSWER.iter().all(|field| found[field] == expected[field]);
        cases.push(match same && paid <= kills * workers && counted == expected["nfev"].as_u64().unwrap_or(0) {
            true => Ok(()),
            false => Err(format!(
                "{method}, {workers} copies, {kills} kills: {paid} paid again, {counted} counted, same: {same}"
            )),
        });
        Ok::<_, String>((cases, kills))
    });
    for outcome in outcomes {
        match outcome {
            Ok((cases, kills)) => {
                cases.into_iter().for_each(|case| tally.case(case));
                tally.count(KILLS, kills);
            }
            Err(why) => tally.case(Err(why)),
        }
    }
    tally
}

/// Commands that keep what they have done, in files of their own or of the user's.
const COMMANDS: [(&str, &str); 11] = [
    ("a record", "minimize rastrigin -d 10 -m lshade -n 100000 --seed 3 --json --record FILE"),
    ("a record of auto", "minimize rosenbrock -d 4 -n 8000 --seed 3 --json --record FILE"),
    ("a checkpoint", "minimize rastrigin -d 10 -m lshade -n 1000000 --seed 3 --json --checkpoint FILE"),
    (
        "a checkpoint with improvements",
        "minimize rastrigin -d 10 -m lshade -n 600000 --seed 3 --json --checkpoint FILE --record-best FILE.best",
    ),
    ("a bench", "bench de(particles=20),pso --functions 1,8,15 --dims 3,5 --instances 1-4 --budget 2000 --json -t 2"),
    (
        "records of a bench",
        "bench de(particles=20),pso --functions 1,8,15 --dims 3,5 --instances 1-4 --budget 2000 --json -t 2 --records FILE",
    ),
    ("a comparison", "compare -m pso(particles=20),de -p rastrigin,sphere -d 10 -n 15000 --seeds 6 --json --threads 2"),
    (
        "records of a comparison",
        "compare -m pso(particles=20),de -p rastrigin,sphere -d 10 -n 15000 --seeds 6 --json --threads 2 -o FILE",
    ),
    ("training", "train iris --loss zero_one --epochs 40 --seeds 4 --json --quiet --record FILE"),
    ("an experiment", "reproduce adaswarm/table-1 --quick --json --quiet --record FILE"),
    (
        "learning",
        "learn diff_pso(particles=20) -p sphere,rastrigin -d 4 -n 2000 --steps 60 --pairs 4 --json --threads 2",
    ),
];

/// Each of these commands.
pub fn commands(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("kills: minimize, bench, compare, learn");
    let mut draw = Draw(seed);
    let all: Vec<_> = (0..scale).flat_map(|_| COMMANDS).map(|door| (door, draw.next())).collect();
    let outcomes = side_by_side(2, &all, |((name, text), seed)| {
        let (folder, mut draw) = (Folder::new("kills"), Draw(*seed));
        let command = |file: &str| {
            let text = text.replace("FILE", file);
            let mut command = program(folder.as_ref(), &text.split(' ').collect::<Vec<_>>());
            command.env("XDG_CACHE_HOME", folder.path(&format!("cache-{file}")));
            command
        };
        let whole = run_within(PATIENCE, command("whole"))?;
        let expected = timeless(whole.json()?);
        let (mut kills, mut known) = (0, Kept::default());
        for _ in 0..3 {
            kills += u64::from(killed(command("broken"), whole.took, &mut draw));
            known = Kept::of(folder.as_ref()).after(&known).map_err(|why| format!("{name}: {why}"))?;
        }
        let same = |done: &Done| done.code == Some(0) && done.json().is_ok_and(|found| timeless(found) == expected);
        let end = run_within(PATIENCE, command("broken"))?;
        known.used(&end.err, Kept::of(folder.as_ref())).map_err(|why| format!("{name}: {why}: {:.300}", end.said()))?;
        let left = left(&folder.path("cache-broken/swarmgrad")) + left(folder.as_ref());
        let best = |file: &str| last_line(&folder.path(&format!("{file}.best")));
        match same(&end) && left == 0 && best("broken") == best("whole") {
            true => Ok(kills),
            false => Err(format!("{name}: exit code {:?}, {left} files left: {:.600}", end.code, end.said())),
        }
    });
    outcomes.into_iter().for_each(|outcome| count_kills(&mut tally, outcome));
    tally
}

/// Some kills and an end are one outcome, and one case.
fn count_kills(tally: &mut Tally, outcome: Result<u64, String>) {
    tally.count(KILLS, *outcome.as_ref().unwrap_or(&0));
    tally.case(outcome.map(|_| ()));
}

/// What a killed command has kept: the whole lines of its files, and how far its checkpoint is.
#[derive(Default)]
pub struct Kept {
    lines: BTreeMap<PathBuf, String>,
    points: u64,
}

impl Kept {
    /// In a folder, and in the cache inside.
    pub fn of(root: &Path) -> Kept {
        let mut kept = Kept::default();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                let name = path.to_string_lossy();
                if path.is_dir() {
                    folders.push(path);
                } else if !name.contains("whole") && ![".new", ".lock", ".state"].iter().any(|end| name.ends_with(end))
                {
                    kept.points = kept.points.max(Checkpoint::<f64>::read(&path).map_or(0, |kept| kept.points()));
                    if let Ok(mut text) = fs::read_to_string(&path) {
                        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
                        let path = path.strip_prefix(root).map_or(path.clone(), Path::to_path_buf);
                        kept.lines.insert(path, text);
                    }
                }
            }
        }
        kept
    }

    /// Nothing of what was kept `before` may be gone.
    pub fn after(self, before: &Kept) -> Result<Kept, String> {
        for (path, lines) in &before.lines {
            // Files of a command that is done go, and improvements end where the checkpoint does.
            if let Some(now) = self.lines.get(path).filter(|_| !path.to_string_lossy().ends_with(".best"))
                && !now.starts_with(lines.as_str())
            {
                return Err(format!("{} has lost lines: {} bytes became {}", path.display(), lines.len(), now.len()));
            }
        }
        match self.points >= before.points {
            true => Ok(self),
            false => Err(format!("a checkpoint of {} points became one of {}", before.points, self.points)),
        }
    }

    /// The same at the end, by what the last run said.
    fn used(&self, said: &str, end: Kept) -> Result<(), String> {
        let evaluations = self.lines.values().any(|text| text.contains("\"kind\":\"evaluation\""));
        if (evaluations || self.points > 0) && !said.contains("continues") {
            return Err("what was kept is not used".into());
        }
        // A checkpoint goes when its run has ended, as the states of units do.
        Kept { points: u64::MAX, ..end }.after(self).map(|_| ())
    }
}

/// Files beside others that only a kill leaves.
fn left(folder: &Path) -> usize {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| [".new", ".lock", ".state"].iter().any(|end| name.to_string_lossy().ends_with(end))).count()
}

/// The last improvement in a file of them.
fn last_line(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.rfind(|line| line["kind"] == "best")
}

/// A partner that evaluates: what it has told and got an answer to is never asked for again.
pub fn agent(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("kills: agent --record");
    let mut draw = Draw(seed);
    let all: Vec<_> =
        (0..2 * scale).map(|k| (["de(particles=8)", "auto", "cma_es", "pso"][k as usize % 4], draw.next())).collect();
    let outcomes = side_by_side(2, &all, |(method, seed)| {
        let (folder, mut draw) = (Folder::new("kills"), Draw(*seed));
        let value = |x: &[f64]| x.iter().map(|t| (t - 0.3) * (t - 0.3)).sum::<f64>();
        // Holds the conversation until it is over or the other side has gone.
        let converse = |record: &str, known: &mut usize, life: Option<Duration>| -> Result<Option<String>, String> {
            let mut command = program(folder.as_ref(), &["agent", "-m", method, "--record", record]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
            let child = std::sync::Arc::new(std::sync::Mutex::new(child));
            let killer = child.clone();
            let killing = life.map(|life| {
                std::thread::spawn(move || {
                    std::thread::sleep(life);
                    killer.lock().unwrap().kill()
                })
            });
            let mut told = 0;
            let outcome = (|| {
                let mut say = |text: &str| to.write_all(format!("{text}\n").as_bytes());
                let mut hear = || {
                    let mut line = String::new();
                    let heard = from.read_line(&mut line).is_ok() && line.ends_with('\n');
                    heard.then(|| line.trim_end().to_owned())
                };
                if say("init 3 -1 2 400 7").is_err() {
                    return Ok(None);
                }
                loop {
                    let Some(line) = hear() else { return Ok(None) };
                    *known += std::mem::take(&mut told);
                    if line == "stop" {
                        return Ok(say("best").ok().and_then(|()| hear()));
                    }
                    let number = line.strip_prefix("ask ").and_then(|n| n.parse::<usize>().ok());
                    let number = number.ok_or(format!("{method}: {line}"))?;
                    let mut values = Vec::new();
                    for _ in 0..number {
                        let Some(line) = hear() else { return Ok(None) };
                        let x: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
                        values.push(format!("{:?}", value(&x)));
                        told += 1;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                    if say(&format!("tell {}", values.join(" "))).is_err() {
                        return Ok(None);
                    }
                }
            })();
            if let Some(killing) = killing {
                let _ = killing.join();
            }
            let mut child = child.lock().unwrap();
            let _ = (child.kill(), child.wait());
            outcome
        };
        let whole = converse("whole", &mut 0, None)?;
        // Values that were told and had an answer: none of them is asked for again.
        let (mut known, mut kills) = (0, 0);
        for _ in 0..3 {
            let life = Duration::from_millis(5 + draw.below(60) as u64);
            // One that was not killed tells its best.
            kills += u64::from(converse("broken", &mut known, Some(life))?.is_none());
        }
        let end = converse("broken", &mut known, None)?;
        let [counted, all] = [evaluations(&folder.path("broken"))?, evaluations(&folder.path("whole"))?];
        match whole.is_some() && end == whole && known as u64 <= all && counted == all {
            true => Ok(kills),
            false => Err(format!("{method}: {known} told, {counted} of {all} recorded, {end:?} in place of {whole:?}")),
        }
    });
    outcomes.into_iter().for_each(|outcome| count_kills(&mut tally, outcome));
    tally
}

/// A Python with the package, and where that is: named by SWARMGRAD_PYTHON, or made by the tests of the package.
fn package() -> Option<(PathBuf, PathBuf)> {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = std::env::var_os("SWARMGRAD_PYTHON").map_or_else(|| made.join("venv/bin/python"), PathBuf::from);
    let imports = Command::new(&python).args(["-c", "import swarmgrad"]).env("PYTHONPATH", made.join("site")).output();
    if imports.is_ok_and(|output| output.status.success()) {
        return Some((python, made.join("site")));
    }
    None
}

const FUNCTION: &str = "\
import json, sys, time
from swarmgrad import minimize

def slow(x):
    time.sleep(0.002)
    open(sys.argv[2], 'a').write('.')
    return float(((x - 1) ** 2).sum())

if __name__ == '__main__':
    result = minimize(slow, [(-5, 5)] * 3, method=sys.argv[3], rng=3, maxfun=200, record=sys.argv[1], workers=int(sys.argv[4]))
    print(json.dumps({'fun': result.fun, 'x': list(result.x), 'nfev': result.nfev}))
";

/// Python's `minimize(record=..)`.
pub fn functions(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("kills: Python's minimize(record=..)");
    let Some((python, site)) = package() else {
        tally.skip("no Python has the package here: SWARMGRAD_PYTHON names one");
        return tally;
    };
    let mut draw = Draw(seed);
    let all: Vec<_> = (0..scale)
        .map(|k| (["de", "cma_es", "auto"][k as usize % 3], [1_u64, 2][k as usize % 2], draw.next()))
        .collect();
    let outcomes = side_by_side(2, &all, |(method, workers, seed)| {
        let (folder, mut draw) = (Folder::new("kills"), Draw(*seed));
        fs::write(folder.path("f.py"), FUNCTION).unwrap();
        let command = |record: &str| {
            let mut command = Command::new(&python);
            command.current_dir(folder.as_ref()).env("PYTHONPATH", &site).stdin(Stdio::null());
            command.args(["f.py", record, &format!("calls-{record}"), method, &workers.to_string()]);
            command
        };
        let whole = run_within(PATIENCE, command("whole"))?;
        let kills = (0..3).filter(|_| killed(command("broken"), whole.took, &mut draw)).count() as u64;
        std::thread::sleep(Duration::from_millis(100));
        let end = run_within(PATIENCE, command("broken"))?;
        let calls = fs::metadata(folder.path("calls-broken")).map_or(0, |file| file.len());
        let paid = calls.saturating_sub(evaluations(&folder.path("broken"))?);
        // A line or two may have been on their way to the system.
        match end.json()? == whole.json()? && paid <= kills * (workers + 1) {
            true => Ok(kills),
            false => Err(format!("{method}, {workers} workers, {kills} kills: {paid} paid again: {:.400}", end.said())),
        }
    });
    outcomes.into_iter().for_each(|outcome| count_kills(&mut tally, outcome));
    tally
}

#[test]
fn a_killed_run_of_a_program_pays_nothing_twice() {
    programs(1, 1).hold();
}

#[test]
fn a_killed_command_comes_to_the_same_end() {
    commands(1, 1).hold();
}

#[test]
fn a_killed_agent_never_asks_again() {
    agent(1, 1).hold();
}

#[test]
fn a_killed_function_comes_to_the_same_end() {
    functions(1, 1).hold();
}
