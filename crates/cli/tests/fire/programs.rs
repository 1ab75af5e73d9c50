//! Programs that misbehave: what they print, what they do with their pipes, how they end, what they leave behind.

use crate::door::{Done, Running, program, run_within, side_by_side};
use crate::scratch::Folder;
use crate::tally::Tally;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// No way of misbehaving may hold the program longer than this, in seconds.
const PATIENCE: u64 = 40;

/// What must come out.
#[derive(Clone, Copy)]
enum Wanted {
    /// Every evaluation has this value, and the run is a success.
    Value(f64),
    /// Every evaluation fails as not finite.
    NotFinite,
    /// No evaluation has a value; the exit code is not 0, and this is said.
    Says(&'static str),
    /// Some evaluations fail, as this says; fewer than half, so that the run is a success.
    Few(&'static str),
    /// As many, but more than half.
    Many(&'static str),
    /// This exit code, and this is said.
    Code(i32, &'static str),
}

use Wanted::{Code, Few, Many, NotFinite, Says, Value};

/// What a program prints in answer to a point, by the `printf` of a shell, and what must come out.
const FORMS: &[(&str, Wanted)] = &[
    (r"14.01\n", Value(14.01)),
    (r"14.01", Value(14.01)),
    (r"\n\n  14.01\r\n\n", Value(14.01)),
    (r"\357\273\27714.01\n", Value(14.01)),
    (r#"\357\273\277{"value": 14.01}\n"#, Value(14.01)),
    (r"np.float64(14.01)\n", Value(14.01)),
    (r"np.float32(14.01)\n", Value(14.01)),
    (r"[14.01]\n", Value(14.01)),
    (r"[[ 14.01 ]]\n", Value(14.01)),
    (r"array([14.01])\n", Value(14.01)),
    (r"(14.01,)\n", Value(14.01)),
    (r"tensor(14.01, dtype=torch.float64)\n", Value(14.01)),
    (r"[1] 14.01\n", Value(14.01)),
    (r"ans = 14.01\n", Value(14.01)),
    (r"1.5D+02\n", Value(150.0)),
    (r"+1.5E+02\n", Value(150.0)),
    (r#"{"value": 1.5D+02}\n"#, Value(150.0)),
    (r#"{"value": [14.01]}\n"#, Value(14.01)),
    (r#"{"value": 14.01, "note": "a } \\" { b"}\n"#, Value(14.01)),
    (r#"{"value": NaN}\n"#, NotFinite),
    (r#"{"value": -Infinity}\n"#, NotFinite),
    (r#"{"value": null}\n"#, NotFinite),
    (r"nan\n", NotFinite),
    (r"1e999\n", NotFinite),
    (r"np.float64(nan)\n", NotFinite),
    (r"14,01\n", Says("the decimal sign is a point")),
    (r"cost 14.01\n", Says("not a number or {")),
    (r"[14.01, 2]\n", Says("not a number or {")),
    (r#"{"vaule": 14.01}\n"#, Says("not a number or {")),
    (r#"{"value": "fourteen"}\n"#, Says("not a number or {")),
    (r#"{"value": 14.01\n"#, Says("not a number or {")),
    (r#"{"error": "the mesh failed"}\n"#, Says("the mesh failed")),
    (r"True\n", Says("not a number or {")),
    (r"\377\376\061\000\n", Says("not a number or {")),
    (r"14\0.01\n", Says("not a number or {")),
    (r"\033[31m14.01\033[0m\n", Says("not a number or {")),
    (r"\n", Says("answer")),
];

/// How a program is spoken to.
const KINDS: [&str; 5] = ["persistent", "once", "command", "file", "host"];

/// The arguments of a program of this kind that prints so.
fn arguments(kind: &str, form: &str) -> Vec<String> {
    let print = format!("printf '{form}'");
    let (command, more): (String, &[&str]) = match kind {
        "once" => (format!("read -r line; {print}"), &[]),
        "command" => (format!(": {{0}}; {print}"), &[]),
        "file" => (format!(": {{0}}; {print} > {{out}}"), &["--read", "out"]),
        "host" => (format!("while read -r line; do {print}; done"), &["--exec-on", "hosts"]),
        // What has no end of its line is never an answer of a program that lives on.
        _ => (format!("while read -r line; do {print}; done"), &[]),
    };
    let more = more.iter().map(|word| (*word).to_owned());
    ["--exec".to_owned(), command].into_iter().chain(more).collect()
}

/// A run over a program, in a folder.
fn minimize(folder: &Path, n: &str, args: &[String]) -> Command {
    std::fs::write(folder.join("hosts"), "*2 sh -c\n").unwrap();
    let mut command = program(folder, &["minimize", "--bounds", "1:2,3:4", "-m", "random_search", "-n", n, "--json"]);
    command.args(args);
    command
}

fn judge(done: &Done, wanted: Wanted) -> Result<(), String> {
    let result = if done.out.is_empty() { serde_json::Value::Null } else { done.json()? };
    let (failures, nfev) = (result["failures"].as_u64(), result["nfev"].as_u64());
    let as_it_must = match wanted {
        Value(value) => done.code == Some(0) && failures == Some(0) && result["fun"].as_f64() == Some(value),
        NotFinite => done.code == Some(1) && failures == nfev && result["failure_kinds"]["not_finite"].as_u64() == nfev,
        Says(words) => matches!(done.code, Some(1 | 4)) && done.said().contains(words),
        Few(words) => done.code == Some(0) && failures > Some(0) && done.said().contains(words),
        Many(words) => done.code == Some(4) && failures > Some(0) && done.said().contains(words),
        Code(code, words) => done.code == Some(code) && done.said().contains(words),
    };
    // What a program printed may not steer the terminal.
    let steers = done.said().contains(|c: char| c.is_control() && c != '\n' && c != '\t');
    match as_it_must && !steers {
        true => Ok(()),
        false => Err(format!("exit code {:?}: {}", done.code, done.said())),
    }
}

/// Every form of an answer from every kind of program.
pub fn forms(scale: u64, _seed: u64) -> Tally {
    let mut tally = Tally::new("programs: what they print");
    // What has no end of its line is no answer of a program that lives on.
    let lives = |kind: &str| ["persistent", "host"].contains(&kind);
    let all = FORMS.iter().flat_map(|form| KINDS.map(|kind| (form, kind)));
    let all = all.filter(|(form, kind)| form.0.ends_with(r"\n") || !lives(kind));
    // The short round takes some kinds of each form, other ones for the next form.
    let all: Vec<_> =
        all.enumerate().filter(|(k, _)| scale > 1 || (k / 2).is_multiple_of(2)).map(|(_, case)| case).collect();
    let outcomes = side_by_side(2, &all, |((form, wanted), kind)| {
        let folder = Folder::new("forms");
        let args = arguments(kind, form);
        run_within(PATIENCE, minimize(folder.as_ref(), "6", &args))
            .and_then(|done| judge(&done, *wanted))
            .map_err(|why| format!("{kind}: {form}: {why}"))
    });
    outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    tally
}

/// A way to misbehave: its name, the command, further arguments in words, and what must come out.
type Way = (&'static str, &'static str, &'static str, Wanted);

const WAYS: &[Way] = &[
    ("a line before every number", "while read -r l; do echo \"point: $l\"; echo 3; done", "", Value(3.0)),
    ("a line before the first number", "echo Welcome; while read -r l; do echo 3; done", "", Value(3.0)),
    (
        "two lines before every number, of four copies",
        "while read -r l; do echo a; echo b; echo 3; done",
        "-w 4",
        Value(3.0),
    ),
    ("two numbers", "while read -r l; do printf '3\\n4\\n'; done", "", Says("more than one line: '3' and then '4'")),
    (
        "a text instead of every other number",
        "k=0; while read -r l; do k=$((k+1)); [ $((k%2)) = 0 ] && echo bad mesh || echo 3; done",
        "-n 12",
        Few("'bad mesh'"),
    ),
    ("no end of the line", "while read -r l; do printf 3; done", "--eval-timeout 0.3", Says("no answer within 0.3 s")),
    ("closes its input and lives", "exec 0<&-; sleep 1000", "--max-failures 2", Says("closed its standard input")),
    (
        "closes its input unread after other answers",
        "read -r l; echo 3; read -r l; echo 3; exec 0<&-; sleep 1000",
        "-n 12 --max-failures 2",
        Value(3.0),
    ),
    ("answers once, closes its input and lives", "read -r l; echo 3; exec 0<&-; sleep 1000", "-n 4", Value(3.0)),
    ("closes its output and lives", "exec 1>&-; sleep 1000", "--max-failures 2", Says("closed its standard output")),
    ("closes all and lives", "exec 0<&- 1>&- 2>&-; sleep 1000", "--max-failures 2", Says("closed its standard")),
    ("ends at once", "exit 0", "", Says("ended without an answer")),
    ("ends with words", "echo no licence >&2; exit 3", "", Says("no licence")),
    ("ends by a signal", "kill -9 $$", "", Says("signal")),
    ("is not there", "/no/such/program", "", Says("/no/such/program")),
    ("may not be run", "/dev/null", "", Says("denied")),
    ("is a text that the shell does not understand", "if (", "", Says("yntax")),
    ("sleeps", "sleep 1000", "--eval-timeout 0.3", Says("no answer within 0.3 s")),
    ("stops itself", "while read -r l; do kill -STOP $$; echo 3; done", "--eval-timeout 0.3", Says("no answer within")),
    (
        "ignores every signal",
        "trap '' TERM HUP INT PIPE; while :; do sleep 1; done",
        "--eval-timeout 0.3 -n 3",
        Says("no answer within"),
    ),
    (
        "ignores the end of its input",
        "trap '' TERM HUP; while read -r l; do echo 3; done; while :; do sleep 1; done",
        "",
        Value(3.0),
    ),
    ("reads all before it answers", "cat > /dev/null; echo 3", "--eval-timeout 0.3", Says("no answer within")),
    ("prints without end on one line", "yes | tr -d '\\n'", "-n 3", Says("bytes without a newline")),
    ("prints lines without end", "yes hello", "-n 3", Says("bytes and no number")),
    ("prints empty lines without end", "yes ''", "--eval-timeout 0.5 -n 2", Says("no answer within")),
    ("prints errors without end", "yes >&2 & while read -r l; do echo 3; done", "", Value(3.0)),
    (
        "prints a line of a megabyte",
        "while read -r l; do head -c 1000000 /dev/zero | tr '\\0' 1; echo; done",
        "-n 3",
        Says("bytes without a newline"),
    ),
    (
        "prints sixty thousand digits",
        "while read -r l; do printf '3.'; head -c 60000 /dev/zero | tr '\\0' 0; echo; done",
        "",
        Value(3.0),
    ),
    (
        "prints its number bit by bit",
        "while read -r l; do printf 3; sleep 0.02; printf .; sleep 0.02; echo 5; done",
        "",
        Value(3.5),
    ),
    (
        "asks us to end",
        "read -r l; echo 3; read -r l; kill -TERM $PPID; sleep 1000",
        "-n 100",
        Code(130, "\"fun\": 3.0"),
    ),
    ("removes its folder", "rm -rf \"$SWARMGRAD_SCRATCH\"; while read -r l; do echo 3; done", "-w 3", Value(3.0)),
    ("leaves the input to a child", "cat | while read -r l; do echo 3; done", "", Value(3.0)),
    ("a child keeps the pipes", "(trap '' HUP TERM; sleep 1000) & while read -r l; do echo 3; done", "", Value(3.0)),
    ("a child keeps the pipes of a command", ": {0}; sleep 1000 & echo 3", "", Value(3.0)),
    (
        "a hundred children",
        "for k in 1 2 3 4 5 6 7 8 9 10; do (for j in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; wait) & done; while read -r l; do echo 3; done",
        "",
        Value(3.0),
    ),
    (
        "fails in more than half",
        "while read -r l; do k=$((k+1)); [ $((k%3)) = 0 ] && echo 3 || echo '{\"error\": \"no mesh\"}'; done",
        "-n 30",
        Many("no mesh"),
    ),
    (
        "fails in less than half",
        "while read -r l; do k=$((k+1)); [ $((k%3)) = 0 ] && echo '{\"error\": \"no mesh\"}' || echo 3; done",
        "-n 30",
        Few("no mesh"),
    ),
    (
        "crashes now and then",
        "while read -r l; do k=$((k+1)); [ $k = 3 ] && exit 7; echo 3; done",
        "-n 12",
        Few("exit status: 7"),
    ),
    (
        "dies for good",
        "[ -e gone ] && exit 3; for k in 1 2 3; do read -r l; echo 3; done; touch gone; exit 3",
        "-n 500 --max-failures 4",
        Code(4, "the last 4 evaluations all failed"),
    ),
    ("makes a pipe of its answer", "mkfifo {out}; echo 3", "--read out -n 3", Says("no file")),
    ("makes a folder of its answer", "mkdir {out}; echo 3", "--read out -n 3", Says("no file")),
    ("links its answer to a device", "ln -s /dev/zero {out}; echo 3", "--read out -n 3", Says("no file")),
    ("does not write its answer", ": {0}; echo 3", "--read result.txt", Says("result.txt")),
    (
        "leaves an old answer",
        "[ {id} = 0 ] && echo 3 > result.txt; :",
        "--read result.txt -n 12",
        Many("was not written"),
    ),
    ("ends badly with an answer", ": {0}; echo 3; exit 1", "", Says("exit status: 1")),
    ("writes to its input", "exec 3<&0; echo 3 >&0; while read -r l; do echo 3; done", "", Value(3.0)),
    (
        "lacks a constraint",
        "while read -r l; do echo '{\"value\": 3, \"c\": {\"b\": 1}}'; done",
        "--constraint mass<=1",
        Says("mass"),
    ),
    ("gives residuals for a value", "while read -r l; do echo '{\"r\": [1, 2]}'; done", "", Says("--residuals")),
    ("no host can be reached", "while read -r l; do echo 3; done", "--exec-on unreachable", Says("cannot connect")),
    ("one host of two is dead", "while read -r l; do echo 3; done", "--exec-on half -n 30", Value(3.0)),
];

/// Ways of misbehaving, each of which must end, with the right result and words, and leave no process.
pub fn ways(scale: u64, _seed: u64) -> Tally {
    let mut tally = Tally::new("programs: what they do");
    // Again with other numbers of copies.
    let copies = ["", "-w 3", "-w 7"];
    let rounds = if scale > 1 { copies.len() } else { 1 };
    let all: Vec<_> = copies[..rounds].iter().flat_map(|more| WAYS.iter().map(move |way| (way, *more))).collect();
    let outcomes = side_by_side(2, &all, |((name, command, words, wanted), more)| {
        let folder = Folder::new("ways");
        std::fs::write(folder.path("unreachable"), "sh -c 'echo cannot connect >&2; exit 255'\n").unwrap();
        std::fs::write(folder.path("half"), "sh -c 'exit 255'\nsh -c\n").unwrap();
        let mut args = vec!["--exec".to_owned(), (*command).to_owned()];
        let more = if words.contains("-w ") || matches!(wanted, Code(130, _)) { "" } else { more };
        args.extend(words.split(' ').chain(more.split(' ')).filter(|word| !word.is_empty()).map(str::to_owned));
        let n = if words.contains("-n ") { Vec::new() } else { vec!["-n".to_owned(), "6".to_owned()] };
        let mut command =
            program(folder.as_ref(), &["minimize", "--bounds", "1:2,3:4", "-m", "random_search", "--json"]);
        command.args(args).args(n).env("FIRE_MARK", folder.as_ref());
        run_within(PATIENCE, command)
            .and_then(|done| judge(&done, *wanted))
            .and_then(|()| none_left(folder.as_ref()))
            .map_err(|why| format!("{name}: {why}"))
    });
    outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    tally
}

/// Processes alive that have this folder as their mark in the environment.
fn left(mark: &Path) -> Vec<String> {
    let marked = format!("FIRE_MARK={}", mark.display()).into_bytes();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == marked)
    });
    let name = |entry: std::fs::DirEntry| std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
    processes.map(name).map(|name| name.trim_end().to_owned()).collect()
}

/// Waits a moment for all processes of a run to be gone.
fn none_left(mark: &Path) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        let left = left(mark);
        match left.is_empty() {
            true => return Ok(()),
            false if begin.elapsed() > Duration::from_secs(5) => return Err(format!("left running: {left:?}")),
            false => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Children in sessions of their own, which no signal to a group reaches, however the run ends.
pub fn sessions(scale: u64, _seed: u64) -> Tally {
    let mut tally = Tally::new("programs: children in sessions of their own");
    let there = Command::new("setsid").arg("true").status().is_ok_and(|status| status.success());
    if !there || !Path::new("/proc/self/environ").exists() {
        tally.skip("there is no setsid, or no /proc");
        return tally;
    }
    let programs = [
        ("lives on", "setsid sleep 1000 & while read -r l; do echo 3; done"),
        ("ends", "read -r l; setsid sleep 1000 & echo 3"),
        ("a command", ": {0}; setsid sleep 1000 & echo 3"),
        ("a family", "setsid sh -c 'sleep 1000 & sleep 1000' & while read -r l; do echo 3; done"),
    ];
    let ends = ["end", "INT", "KILL", "twice", "timeout"];
    let all: Vec<_> = programs.iter().flat_map(|program| ends.map(|end| (program, end))).collect();
    for _ in 0..scale {
        let outcomes = side_by_side(2, &all, |((name, text), end)| {
            let folder = Folder::new("sessions");
            let slow = text.replace("echo 3", if *end == "timeout" { "sleep 1000" } else { "sleep 0.1; echo 3" });
            let n = if ["end", "timeout"].contains(end) { "4" } else { "100000" };
            let mut args = vec!["--exec".to_owned(), slow];
            if *end == "timeout" {
                args.extend(["--eval-timeout".to_owned(), "0.3".to_owned()]);
            }
            let mut command = minimize(folder.as_ref(), n, &args);
            command.env("FIRE_MARK", folder.as_ref());
            let running = Running::start(command);
            if !["end", "timeout"].contains(end) {
                let begin = Instant::now();
                while !left(folder.as_ref()).iter().any(|name| name == "sleep") {
                    if begin.elapsed() > Duration::from_secs(10) {
                        return Err(format!("{name}, {end}: nothing was started"));
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                std::thread::sleep(Duration::from_millis(150));
                let signal = if *end == "twice" { "INT" } else { end };
                send(&running, signal);
                if *end == "twice" {
                    std::thread::sleep(Duration::from_millis(1100));
                    send(&running, signal);
                }
            }
            let done = running.end(PATIENCE)?;
            none_left(folder.as_ref()).map_err(|why| format!("{name}, {end}: {why}; {}", done.err))
        });
        outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    }
    tally
}

fn send(running: &Running, signal: &str) {
    let _ = Command::new("kill").args(["-s", signal, &running.child.id().to_string()]).status();
}

/// Lines that come too late, or twice, are never the answer to another point.
pub fn shifts(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("programs: answers that come late or twice");
    let mut draw = crate::door::Draw(seed);
    let programs = [
        // Two numbers at once.
        "while read -r a b; do printf '%s\\n%s\\n' $a $b; done",
        // Something else a moment later, now and then, from a program that ends with it.
        "k=0; while read -r a b; do k=$((k+1)); echo $a; [ $((k%5)) = 0 ] && exit; done",
        // An answer after the time is over.
        "while read -r a b; do k=$((k+1)); [ $((k%4)) = 0 ] && sleep 0.4; echo $a; done",
        // From the children, in any order of time.
        "while read -r a b; do (sleep 0.00D; echo $a) & done",
        // Lines between.
        "while read -r a b; do echo; echo $a; echo; sleep 0.00D; done",
    ];
    let all: Vec<_> =
        (0..scale).flat_map(|_| programs).map(|text| text.replace('D', &draw.below(10).to_string())).collect();
    let outcomes = side_by_side(2, &all, |text| {
        let folder = Folder::new("shifts");
        let args = ["--exec", text, "--input", "plain", "--eval-timeout", "0.3", "-w", "2", "--record", "run.jsonl"];
        let args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
        let done =
            run_within(PATIENCE, minimize(folder.as_ref(), "40", &args)).map_err(|why| format!("{text}: {why}"))?;
        let record = std::fs::read_to_string(folder.path("run.jsonl")).unwrap_or_default();
        let mut known = 0;
        for line in record.lines().filter(|line| line.starts_with("{\"kind\":\"evaluation\"")) {
            let line: serde_json::Value = serde_json::from_str(line).map_err(|why| why.to_string())?;
            if line["failure"].is_null() {
                known += 1;
                if line["value"] != line["x"][0] {
                    return Err(format!("{text}: {line}"));
                }
            }
        }
        if known > 0 || text.contains("printf") { Ok(()) } else { Err(format!("{text}: no value: {}", done.said())) }
    });
    outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    tally
}

#[test]
fn every_form_of_an_answer_is_understood_or_explained() {
    forms(1, 1).hold();
}

#[test]
fn no_way_of_misbehaving_holds_the_run_or_leaves_anything() {
    ways(1, 1).hold();
}

#[test]
fn children_in_sessions_of_their_own_end_with_the_run() {
    sessions(1, 1).hold();
}

#[test]
fn an_answer_is_never_taken_for_another_points() {
    shifts(1, 1).hold();
}
