//! Files that two want to write, places that are no files, disks that fill up, signals, limits of the system, clocks that jump.

use crate::door::{Done, Draw, Running, program, run_within, side_by_side};
use crate::kills::Kept;
use crate::scratch::Folder;
use crate::tally::Tally;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// No case may take longer, in seconds.
const PATIENCE: u64 = 60;
/// A program that takes a moment for a point.
const SLOW: &str = "while read -r l; do sleep 0.02; echo 3; done";

fn words(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.is_empty()).collect()
}

/// Doors that write a file, which stands for FILE.
const WRITERS: [(&str, &str); 6] = [
    ("a record", "minimize rastrigin -d 10 -m lshade -n 200000 --json --record FILE"),
    ("a checkpoint", "minimize rastrigin -d 10 -m lshade -n 1000000 --json --checkpoint FILE"),
    ("improvements", "minimize rastrigin -d 10 -m lshade -n 1000000 --json --record-best FILE"),
    (
        "records of a bench",
        "bench de,pso --functions 1,8 --dims 10 --instances 1-4 --budget 4000 --json -t 1 --records FILE",
    ),
    ("a comparison", "compare -m de,pso -p rastrigin -d 10 -n 20000 --seeds 8 --json -t 1 -o FILE.d"),
    ("both files of a run", "minimize rastrigin -d 10 -m lshade -n 200000 --json --record FILE --checkpoint FILE.c"),
];

/// Without what a clock says, and how often it was begun.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            members.retain(|name, _| !["seconds", "repeated", "restarts", "trouble"].contains(&name.as_str()));
            members.values_mut().for_each(|member| *member = timeless(member.take()));
        }
        Value::Array(members) => members.iter_mut().for_each(|member| *member = timeless(member.take())),
        _ => {}
    }
    value
}

/// Several processes begin at the same moment with the same files: one writes, the others are told so; the answer is that of one alone.
pub fn writers(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("files: several writers");
    let mut draw = Draw(seed);
    for (name, text) in (0..scale).flat_map(|_| WRITERS) {
        let folder = Folder::new("writers");
        let alone = || -> Result<(Value, Duration), String> {
            let text = text.replace("FILE", "alone");
            let done = run_within(PATIENCE, program(folder.as_ref(), &words(&text)))?;
            Ok((timeless(done.json().map_err(|why| format!("alone: {why}"))?), done.took))
        };
        let outcome = (|| {
            let (alone, takes) = alone()?;
            let begin = |folder: &Path| Running::start(program(folder, &words(&text.replace("FILE", "run"))));
            let children: Vec<Running> = (0..3)
                .map(|_| {
                    std::thread::sleep(Duration::from_millis(draw.below(12) as u64));
                    begin(folder.as_ref())
                })
                .collect();
            let mut written = 0;
            for child in children {
                let done = child.end(PATIENCE)?;
                match done.code {
                    Some(0) if timeless(done.json()?) == alone => written += 1,
                    Some(2) if done.err.contains("being written by process") && done.out.is_empty() => {}
                    code => return Err(format!("exit code {code:?}: {:.600}", done.said())),
                }
            }
            if written > 1 && takes > Duration::from_millis(300) {
                return Err(format!("{written} have written at the same time"));
            }
            // Once more, on what was left.
            let again = begin(folder.as_ref()).end(PATIENCE)?;
            match written > 0
                && again.code == Some(0)
                && timeless(again.json()?) == alone
                && locks(folder.as_ref()).is_empty()
            {
                true => Ok(()),
                false => Err(format!(
                    "{written} have written, then {:?}, {:?}: {:.600}",
                    again.code,
                    locks(folder.as_ref()),
                    again.said()
                )),
            }
        })();
        tally.case(outcome.map_err(|why: String| format!("{name}: {why}")));
        // One that is killed leaves its place to the next.
        let folder = Folder::new("killed");
        let text = text.replace("FILE", "run");
        let mut first = Running::start(program(folder.as_ref(), &words(&text)));
        std::thread::sleep(Duration::from_millis(30 + draw.below(100) as u64));
        let _ = (first.child.kill(), first.child.wait());
        let outcome = run_within(PATIENCE, program(folder.as_ref(), &words(&text))).and_then(|done| match done.code {
            Some(0) => Ok(()),
            code => Err(format!("exit code {code:?}: {:.600}", done.said())),
        });
        tally.case(outcome.map_err(|why| format!("{name}, after a kill: {why}")));
    }
    tally
}

/// Locks that were left.
fn locks(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".lock") || name.ends_with(".new")).collect()
}

/// Doors that write a file whose name is the last word.
const DOORS: [&str; 10] = [
    "minimize sphere -d 3 -m de -n 200 --json --record",
    "minimize sphere -d 3 -m de -n 200 --json --checkpoint",
    "minimize sphere -d 3 -m de -n 200 --json --record-best",
    "minimize sphere -d 3 -m de -n 200 --json --overwrite --record",
    "minimize --exec /no/such --bounds 0:1,0:1 -n 3 --json --record",
    "bench de --functions 1 --dims 2 --instances 1 --budget 50 --json --records",
    "compare -m de -p sphere -n 200 --seeds 2 --json -o",
    "learn diff_pso(particles=5) -p sphere -d 2 -n 100 --steps 2 --pairs 1 -q --threads 1 -o",
    "animate himmelblau -m pso(particles=5) --iterations 2 -o",
    "minimize sphere -d 3 -m de -n 200 --json --plot",
];

/// What a place is.
const PLACES: [&str; 16] = [
    "plain",
    "link",
    "link to nothing",
    "circle",
    "folder",
    "no folder",
    "full",
    "null",
    "pipe unread",
    "pipe",
    "newline",
    "odd name",
    "long name",
    "too long",
    "behind a file",
    "given open",
];

/// Every door with every kind of place: it ends, with an answer or with words that name the place; links stay links and devices devices.
pub fn places(scale: u64, _seed: u64) -> Tally {
    let mut tally = Tally::new("files: places that are no files");
    if !cfg!(target_os = "linux") {
        tally.skip("for Linux");
        return tally;
    }
    let all: Vec<_> = DOORS
        .iter()
        .enumerate()
        .flat_map(|(k, door)| PLACES.iter().enumerate().map(move |(j, place)| (k + j, *door, *place)))
        .collect();
    // The short round takes a third of them. One that waits for the reader of a pipe takes ten seconds.
    let all: Vec<_> = all
        .into_iter()
        .filter(|(k, _, place)| {
            scale > 1 || k % 3 == 0 && *place != "pipe unread" || *k == 8 && *place == "pipe unread"
        })
        .collect();
    let outcomes = side_by_side(4, &all, |(_, door, place)| {
        at_place(door, place).map_err(|why| format!("{door}, {place}: {why}"))
    });
    for outcome in outcomes {
        match outcome {
            Ok(false) => tally.skip("no such place can be made here"),
            Ok(true) => tally.case(Ok::<(), String>(())),
            Err(why) => tally.case(Err(why)),
        }
    }
    tally
}

/// Whether the place could be made.
fn at_place(door: &str, place: &str) -> Result<bool, String> {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = Folder::new("places");
    let ending = if door.starts_with("animate") {
        ".gif"
    } else if door.contains("--plot") {
        ".svg"
    } else {
        ""
    };
    let is_folder = door.starts_with("compare");
    let made =
        |command: &str, args: &[&str]| Command::new(command).args(args).status().is_ok_and(|status| status.success());
    let name = |name: &str| format!("{name}{ending}");
    let path = folder.path(&name("a"));
    let text = path.to_str().unwrap().to_owned();
    let mut reader = None;
    // What the place is called, and whether it can be written.
    let (shown, can): (String, Option<bool>) = match place {
        "link" => {
            fs::write(folder.path("target"), "").unwrap();
            symlink("target", &path).unwrap();
            (text, if is_folder { Some(false) } else { Some(true) })
        }
        "link to nothing" => {
            symlink("target", &path).unwrap();
            (text, if is_folder { None } else { Some(true) })
        }
        "circle" => {
            symlink(name("b"), &path).unwrap();
            symlink(name("a"), folder.path(&name("b"))).unwrap();
            (text, Some(false))
        }
        "folder" => {
            fs::create_dir(&path).unwrap();
            (text, Some(is_folder))
        }
        "no folder" => (folder.path(&name("no/a")).to_str().unwrap().to_owned(), None),
        "full" | "null" => {
            let number = if place == "full" { "7" } else { "3" };
            // Nodes of our own: those of the machine are not put at risk.
            if !made("mknod", &[&text, "c", "1", number]) {
                return Ok(false);
            }
            (text, if is_folder { Some(false) } else { Some(place == "null") })
        }
        "pipe unread" | "pipe" => {
            if !made("mkfifo", &[&text]) {
                return Ok(false);
            }
            if place == "pipe" {
                let from = path.clone();
                reader = Some(std::thread::spawn(move || fs::read(from).map_or(0, |bytes| bytes.len())));
            }
            (text, if is_folder { Some(false) } else { Some(place == "pipe" && !door.contains("--checkpoint")) })
        }
        "newline" => (folder.path(&name("a\nb")).to_str().unwrap().to_owned(), Some(true)),
        "odd name" => {
            (folder.path(&name("-a b\"'\\$(touch x)`é`*?[;&|\u{1b}[31m")).to_str().unwrap().to_owned(), Some(true))
        }
        "long name" => (folder.path(&name(&"n".repeat(200))).to_str().unwrap().to_owned(), Some(true)),
        "too long" => (folder.path(&name(&"n".repeat(300))).to_str().unwrap().to_owned(), Some(false)),
        "behind a file" => {
            fs::write(folder.path("file"), "x").unwrap();
            (folder.path(&name("file/a")).to_str().unwrap().to_owned(), Some(false))
        }
        // Only where the name may be any.
        "given open" => ("/dev/stderr".into(), if is_folder { Some(false) } else { None }),
        _ => (text, Some(true)),
    };
    let before = fs::symlink_metadata(&path).ok().map(|found| found.file_type());
    let mut args = words(door);
    args.push(&shown);
    let done = run_within(30, program(folder.as_ref(), &args));
    if let Some(reader) = reader {
        // Where nothing was written it must not wait for ever; once it has begun it ends with its writer.
        if !reader.is_finished() {
            let _ = fs::OpenOptions::new().append(true).open(&path);
        }
        let _ = reader.join();
    }
    let done = done?;
    let named =
        done.err.contains(shown.trim_end_matches('/')) || done.err.contains("too long") || done.err.contains(place);
    // The program that cannot be started is no success whatever the place is.
    let success =
        if door.contains("/no/such") { [Some(4), Some(3)].contains(&done.code) } else { done.code == Some(0) };
    // A program that cannot be started is said first.
    let refused = [Some(2), Some(3)].contains(&done.code) || door.contains("/no/such") && done.code == Some(4);
    match can {
        Some(true) if !success => return Err(format!("exit code {:?}: {:.400}", done.code, done.said())),
        Some(false) if !refused => {
            return Err(format!("exit code {:?}, it must not succeed: {:.400}", done.code, done.said()));
        }
        Some(false) if !named && !door.contains("/no/such") => {
            return Err(format!("it does not name the place: {:.400}", done.err));
        }
        _ if ![Some(0), Some(1), Some(2), Some(3), Some(4)].contains(&done.code) => {
            return Err(format!("exit code {:?}", done.code));
        }
        _ => {}
    }
    let after = fs::symlink_metadata(&path).ok().map(|found| found.file_type());
    if let (Some(before), after) = (before, after)
        && (before.is_symlink() || before.is_fifo() || before.is_char_device())
        && after != Some(before)
    {
        return Err("it is no longer what it was".into());
    }
    let left = locks(folder.as_ref());
    if left.is_empty() { Ok(true) } else { Err(format!("left: {left:?}")) }
}

/// A small file system of its own that fills up, at any byte: the run goes on and says what was not kept; what was there before is whole, and
/// with room again the same command comes to the end of an unbroken run.
pub fn disks(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("files: disks that fill up");
    let can = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        tally.skip("no file system can be mounted here");
        return tally;
    }
    let mut draw = Draw(seed);
    let doors = [
        ("a record", "minimize rosenbrock -d 10 -m de -n 1500 --json --record run"),
        ("a checkpoint", "minimize rosenbrock -d 10 -m de -n 30000 --json --checkpoint run"),
        ("improvements", "minimize rosenbrock -d 10 -m de -n 6000 --json --record-best run"),
        ("a bench", "bench de,pso --functions 1-24 --dims 2 --instances 1-5 --budget 20 --json -t 1 --records run"),
        ("a comparison", "compare -m de,pso -p sphere,rastrigin -d 2 -n 200 --seeds 60 --json -t 1 -o run"),
        (
            "what was learned",
            "learn diff_pso(particles=5) -p sphere -d 2 -n 100 --steps 2 --pairs 1 -q --json --threads 1 -o run",
        ),
    ];
    let all: Vec<_> =
        (0..scale).flat_map(|_| doors).map(|door| (door, 1 + draw.below(40), 0.2 * draw.unit())).collect();
    let outcomes = side_by_side(2, &all, |((name, door), room, nap)| {
        let folder = Folder::new("disks");
        let whole = run_within(PATIENCE, program(folder.as_ref(), &words(&door.replace(" run", " whole"))))?;
        // Begun and killed; then with so many kilobytes, again with the same, and then with plenty. Copies tell what was kept.
        let disk = folder.path("disk");
        fs::create_dir(&disk).unwrap();
        let script = "mount -t tmpfs -o size=4m none \"$1\" && cd \"$1\" || exit 99; shift; room=$1; folder=$2; nap=$3; shift 3
            keep() { mkdir \"$folder/kept-$1\"; cp -r run* \"$folder/kept-$1\" 2> /dev/null; }
            \"$@\" > /dev/null 2>&1 & sleep \"$nap\"; kill -9 $!; wait 2> /dev/null; keep 0
            head -c $(((4096 - room) * 1024)) /dev/zero > filler 2> /dev/null
            \"$@\" > \"$folder/first\" 2> \"$folder/first.err\"; echo $? > \"$folder/first.code\"; keep 1
            \"$@\" > \"$folder/second\" 2> \"$folder/second.err\"; echo $? > \"$folder/second.code\"; keep 2
            rm filler; ls > \"$folder/left\"
            \"$@\" > \"$folder/third\" 2> \"$folder/third.err\"; echo $? > \"$folder/third.code\"; ls > \"$folder/end\"";
        let mut command = Command::new("unshare");
        command
            .args(["-m", "sh", "-c", script, "sh"])
            .arg(&disk)
            .arg(room.to_string())
            .arg(folder.path(""))
            .arg(nap.to_string())
            .arg(crate::door::file());
        command.args(words(door)).env("XDG_CACHE_HOME", folder.path("cache"));
        run_within(3 * PATIENCE, command)?;
        let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap_or_default();
        let value = |name: &str| serde_json::from_str::<Value>(&read(name)).map(timeless);
        let expected = timeless(whole.json()?);
        for step in ["first", "second", "third"] {
            let (code, err) = (read(&format!("{step}.code")), read(&format!("{step}.err")));
            let code: i32 = code.trim().parse().map_err(|_| format!("no exit code: {err}"))?;
            let same = value(step).is_ok_and(|found| found == expected || *name == "improvements");
            let good = match code {
                0 => same,
                3 => same && step != "third" && !err.is_empty(),
                // Not even the first line: nothing was begun.
                2 => step != "third" && err.contains("run"),
                _ => false,
            };
            if !good {
                return Err(format!(
                    "{name}, {room} kB, {step}: exit code {code}, same {same}: {:.500}{:.300}",
                    err,
                    read(step)
                ));
            }
        }
        let mut known = Kept::default();
        for step in 0..3 {
            let kept = Kept::of(&folder.path(&format!("kept-{step}"))).after(&known);
            known = kept.map_err(|why| format!("{name}, {room} kB, step {step}: {why}"))?;
        }
        let left = read("end");
        if left.lines().any(|line| line.ends_with(".new") || line.ends_with(".lock")) {
            return Err(format!("{name}, {room} kB: left: {left}"));
        }
        Ok(())
    });
    outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    tally
}

fn send(running: &Running, signal: &str) {
    let _ = Command::new("kill").args(["-s", signal, &running.child.id().to_string()]).status();
}

/// Signals at any moment: the run ends with its result so far and goes on to the same bits, or nothing happens at all.
pub fn signals(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("signals");
    let mut draw = Draw(seed);
    let folder = Folder::new("signals");
    let doors = [
        "minimize rastrigin -d 10 -m lshade -n 300000 --json --record FILE",
        "minimize rastrigin -d 10 -m lshade -n 1000000 --json --checkpoint FILE",
        "minimize --exec PROGRAM --bounds 0:1,0:1 -m random_search -n 60 --json --record FILE",
    ];
    let text = |door: &str, file: &str| -> Vec<String> {
        words(door).into_iter().map(|word| word.replace("FILE", file).replace("PROGRAM", SLOW)).collect()
    };
    let command = |door: &str, file: &str| {
        let args = text(door, file);
        program(folder.as_ref(), &args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let whole: Vec<Result<Value, String>> = side_by_side(2, &doors, |door| {
        run_within(PATIENCE, command(door, &format!("whole{}", door.len()))).and_then(|done| done.json().map(timeless))
    });
    let kinds = ["INT", "TERM", "HUP", "STOP", "PIPE", "three"];
    let all: Vec<_> = (0..scale)
        .flat_map(|round| (0..doors.len()).flat_map(move |k| kinds.map(|kind| (round, k, kind))))
        .enumerate()
        // The short round has two kinds for each door.
        .filter(|(j, (_, k, _))| scale > 1 || (j + k) % 3 == 0)
        .map(|(_, (round, k, kind))| (round, k, kind, 20 + draw.below(500) as u64))
        .collect();
    let outcomes = side_by_side(2, &all, |(round, k, kind, after)| {
        let whole = whole[*k].clone()?;
        let file = format!("{kind}-{k}-{round}");
        let running = Running::start(command(doors[*k], &file));
        std::thread::sleep(Duration::from_millis(*after));
        match *kind {
            "STOP" => {
                for _ in 0..3 {
                    send(&running, "STOP");
                    std::thread::sleep(Duration::from_millis(150));
                    send(&running, "CONT");
                }
            }
            "three" => ["TERM", "INT", "HUP"].iter().for_each(|signal| send(&running, signal)),
            // Nobody reads: the system sends it to who writes. Sent by hand it must do nothing.
            signal => send(&running, signal),
        }
        let done = running.end(PATIENCE)?;
        let came_early = done.code.is_none() && *after < 300;
        let interrupted = done.code == Some(130) && done.json()?["status"] == 6;
        let same = |done: &Done| done.code == Some(0) && done.json().is_ok_and(|found| timeless(found) == whole);
        if !(interrupted || same(&done) || came_early) {
            return Err(format!(
                "{kind} after {after} ms: {}: exit code {:?}: {:.500}",
                doors[*k],
                done.code,
                done.said()
            ));
        }
        let end = run_within(PATIENCE, command(doors[*k], &file))?;
        if same(&end) {
            Ok(())
        } else {
            Err(format!("{kind} after {after} ms: {}: in the end {:?}: {:.500}", doors[*k], end.code, end.said()))
        }
    });
    outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    // A pause of the program is not time that an evaluation had, and `nohup` keeps its word.
    let args = [
        "minimize",
        "--exec",
        "while read -r l; do sleep 0.2; echo 3; done",
        "--bounds",
        "0:1,0:1",
        "-n",
        "10",
        "--eval-timeout",
        "1",
        "--json",
        "-w",
        "2",
    ];
    let running = Running::start(program(folder.as_ref(), &args));
    std::thread::sleep(Duration::from_millis(500));
    send(&running, "STOP");
    std::thread::sleep(Duration::from_millis(1500));
    send(&running, "CONT");
    tally.case(running.end(PATIENCE).and_then(|done| match done.json()?["failures"].as_u64() {
        Some(0) => Ok(()),
        _ => Err(format!("a pause fails evaluations: {}", done.out)),
    }));
    let script = format!("trap '' HUP; exec '{}' \"$@\"", crate::door::file().display());
    let mut nohup = Command::new("sh");
    nohup.current_dir(folder.as_ref()).args(["-c", &script, "sh"]).args(args);
    let running = Running::start(nohup);
    std::thread::sleep(Duration::from_millis(500));
    send(&running, "HUP");
    tally.case(running.end(PATIENCE).and_then(|done| match done.code {
        Some(0) => Ok(()),
        code => Err(format!("under nohup: exit code {code:?}: {}", done.said())),
    }));
    // A reader who goes away, of the result and of the progress.
    for (text, wanted) in [
        ("minimize sphere -d 100 -n 3000 --json 2>&1 | head -c 5 > /dev/null", "0"),
        ("list methods | head -n 1", "0"),
        ("minimize sphere -n 300 >&-", "any"),
        ("minimize sphere -n 300 --json 2>&-", "0"),
        ("minimize sphere -n 300 --json --record run.jsonl 2> /dev/full", "0"),
        ("minimize sphere -n 300 --json > /dev/full", "1"),
        ("no-such-command 2> /dev/full", "2"),
        ("minimize sphere -n 300 --json <&- >&- 2>&-", "any"),
    ] {
        let (before, after) =
            text.split_once(" |").map_or((text.to_owned(), String::new()), |(a, b)| (a.to_owned(), format!("|{b}")));
        let script = format!("('{}' {before}; echo $? > code) {after}; cat code", crate::door::file().display());
        let mut command = Command::new("sh");
        command.current_dir(folder.as_ref()).args(["-c", &script]);
        tally.case(run_within(PATIENCE, command).and_then(|done| match done.out.trim().lines().last() {
            Some(code) if code == wanted || wanted == "any" && ["0", "1", "2", "3"].contains(&code) => Ok(()),
            _ => Err(format!("{text}: {}", done.said())),
        }));
    }
    tally
}

/// Limits of the system: too few files, processes or kilobytes for what is asked. It ends, with an answer or with words.
pub fn limits(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("limits of the system");
    let mut draw = Draw(seed);
    let mut all: Vec<(String, usize)> =
        vec![("ulimit -n 20".into(), 64), ("ulimit -n 20 && ulimit -Hn 20".into(), 64), ("ulimit -Hn 40".into(), 9)];
    for _ in 0..10 * scale {
        let workers = [1, 2, 5, 64, 200][draw.below(5)];
        all.push((format!("ulimit -n {}", 3 + draw.below(60)), workers));
        all.push((format!("ulimit -f {}", 1 + draw.below(40)), workers));
    }
    let outcomes = side_by_side(2, &all, |(limit, workers)| {
        let folder = Folder::new("limits");
        let script = format!("{limit}; trap '' XFSZ; exec '{}' \"$@\"", crate::door::file().display());
        let mut command = Command::new("sh");
        command.current_dir(folder.as_ref()).args([
            "-c",
            &script,
            "sh",
            "minimize",
            "--exec",
            "while read -r l; do echo 3; done",
            "--bounds",
            "0:1,0:1",
        ]);
        command.args([
            "-m",
            "random_search",
            "-n",
            "90",
            "--json",
            "-w",
            &workers.to_string(),
            "--record",
            "run.jsonl",
        ]);
        let done = run_within(PATIENCE, command)?;
        let good = match done.code {
            Some(0 | 3) => done.json()?["failures"] == 0,
            Some(1 | 2 | 4) => !done.err.is_empty(),
            // What cannot even be loaded.
            Some(127) => true,
            _ => false,
        };
        if good {
            Ok(())
        } else {
            Err(format!("{limit}, {workers} copies: exit code {:?}: {:.500}", done.code, done.said()))
        }
    });
    outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    tally
}

/// A clock that jumps, by days and in both directions, at every tenth look; the other one, which cannot go back, by seconds.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    static _Thread_local unsigned state = 12345;
    static long ahead;
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(which, now);
    state = state * 1103515245u + 12345u;
    if (which == CLOCK_REALTIME && (state >> 16) % 10 == 0) now->tv_sec += (long) ((state >> 8) % 2000000) - 1000000;
    if (which == CLOCK_MONOTONIC) {
        if ((state >> 16) % 500 == 0) __atomic_add_fetch(&ahead, 5, __ATOMIC_SEQ_CST);
        now->tv_sec += __atomic_load_n(&ahead, __ATOMIC_SEQ_CST);
    }
    return code;
}
"#;

/// Under such clocks the result is the same, and no evaluation is late.
pub fn clocks(scale: u64, _seed: u64) -> Tally {
    let mut tally = Tally::new("clocks that jump");
    let folder = Folder::new("clocks");
    fs::write(folder.path("clock.c"), CLOCK).unwrap();
    let mut cc = Command::new("cc");
    cc.current_dir(folder.as_ref()).args(["-O1", "-shared", "-fPIC", "-o", "clock.so", "clock.c", "-ldl"]);
    if !cfg!(target_os = "linux") || !cc.output().is_ok_and(|output| output.status.success()) {
        tally.skip("no clock can be made here without cc");
        return tally;
    }
    let doors = [
        "minimize rastrigin -d 5 -m lshade -n 20000 --json --record FILE",
        "minimize rastrigin -d 5 -m lshade -n 20000 --json --checkpoint FILE",
        "minimize --exec PROGRAM --bounds 0:1,0:1 -m de -n 60 --json --eval-timeout 3 -w 2 --record FILE",
        "bench de --functions 1 --dims 2 --instances 1-3 --budget 50 --json --records FILE",
    ];
    for (k, door) in (0..scale).flat_map(|_| doors).enumerate() {
        let command = |file: &str| {
            let args: Vec<String> = words(door)
                .into_iter()
                .map(|word| word.replace("FILE", &format!("{file}{k}")).replace("PROGRAM", SLOW))
                .collect();
            program(folder.as_ref(), &args.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let outcome = run_within(PATIENCE, command("quiet")).and_then(|quiet| {
            let mut jumping = command("jumping");
            jumping.env("LD_PRELOAD", folder.path("clock.so"));
            let done = run_within(PATIENCE, jumping)?;
            match done.code == Some(0) && timeless(done.json()?) == timeless(quiet.json()?) {
                true => Ok(()),
                false => Err(format!("{door}: exit code {:?}: {:.600}", done.code, done.said())),
            }
        });
        tally.case(outcome);
    }
    tally
}

#[test]
fn of_several_writers_one_writes() {
    writers(1, 1).hold();
}

#[test]
fn places_that_are_no_files_are_named_or_written() {
    places(1, 1).hold();
}

#[test]
fn a_disk_that_fills_up_costs_no_result_and_nothing_that_was_there() {
    disks(1, 1).hold();
}

#[test]
fn signals_end_a_run_with_its_result() {
    signals(1, 1).hold();
}

#[test]
fn limits_of_the_system_are_said() {
    limits(1, 1).hold();
}

#[test]
fn no_clock_changes_a_result() {
    clocks(1, 1).hold();
}
