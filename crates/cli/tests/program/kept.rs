//! What commands of many runs keep: killed at any moment and begun again, they come to the same end.

use crate::harness::{Done, Folder, finish, good, program, run};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The same program with a cache folder of the test's own.
fn command(folder: &Folder, args: &[&str]) -> Command {
    let mut command = program(args);
    command.env("XDG_CACHE_HOME", folder.path("cache"));
    command
}

fn go(folder: &Folder, args: &[&str]) -> Done {
    finish(command(folder, args).spawn().unwrap())
}

/// What is in the cache folder.
fn cached(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path("cache/swarmgrad")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Without what a clock says.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            members.retain(|name, _| name != "seconds");
            members.values_mut().for_each(|member| *member = timeless(member.take()));
        }
        Value::Array(members) => members.iter_mut().for_each(|member| *member = timeless(member.take())),
        _ => {}
    }
    value
}

/// Kills the command at moments spread over the time it takes, then lets it end; says what it printed and how often it was killed
/// with something kept.
fn killed(folder: &Folder, args: &[&str], takes: Duration, is_kept: impl Fn() -> bool) -> (Value, usize) {
    let mut kept = 0;
    for share in [0.03, 0.31, 0.17, 0.44, 0.08, 0.26] {
        let mut child = command(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(takes.mul_f64(share));
        child.kill().unwrap();
        child.wait().unwrap();
        kept += usize::from(is_kept());
    }
    // On a machine with other work to do all of these may have come too early: the last one comes when something is kept.
    let mut child = command(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !is_kept() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    kept += usize::from(is_kept());
    let done = go(folder, args);
    assert_eq!(done.code, Some(0), "{args:?}: {}", done.err);
    (timeless(done.json()), kept)
}

/// The unbroken command, and the time it takes.
fn unbroken(args: &[&str]) -> (Value, Duration) {
    let begin = Instant::now();
    (timeless(good(args).json()), begin.elapsed())
}

const COMPARE: [&str; 13] = [
    "compare",
    "-m",
    "pso(particles=20),de,pso",
    "-p",
    "rastrigin,sphere",
    "-d",
    "10",
    "-n",
    "60000",
    "--seeds",
    "8",
    "--json",
    "--threads=2",
];
const BENCH: [&str; 9] = [
    "bench",
    "de(particles=20),pso",
    "--functions=1,8,15",
    "--dims=3,5",
    "--instances=1-4",
    "--budget=8000",
    "--json",
    "-t",
    "2",
];
const LEARN: [&str; 14] = [
    "learn",
    "diff_pso(particles=20)",
    "-p",
    "sphere,rastrigin",
    "-d",
    "4",
    "-n",
    "2000",
    "--steps",
    "300",
    "--pairs",
    "4",
    "--json",
    "--threads=2",
];

#[test]
fn a_comparison_killed_at_any_moment_comes_to_the_same_end() {
    let (whole, takes) = unbroken(&COMPARE);
    assert_eq!(whole[0]["method"], "pso(particles=20)");
    assert_eq!((&whole[0]["params"]["particles"], &whole[2]["method"]), (&20.into(), &"pso".into()));
    let folder = Folder::new("kept-compare");
    let (broken, kept) =
        killed(&folder, &COMPARE, takes, || cached(&folder).iter().any(|name| name.ends_with(".jsonl")));
    assert_eq!((broken, kept > 0), (whole.clone(), true));
    assert!(cached(&folder).is_empty(), "{:?}", cached(&folder));
    let results = folder.path("results");
    let args = [&COMPARE[..], &["-o", &results]].concat();
    let (broken, _) = killed(&folder, &args, takes, || true);
    assert_eq!(broken, whole);
    assert_eq!(folder.read("results/records.jsonl").lines().count(), 48);
    assert!(cached(&folder).is_empty());
}

#[test]
fn a_bench_killed_at_any_moment_comes_to_the_same_end() {
    let (whole, takes) = unbroken(&BENCH);
    let folder = Folder::new("kept-bench");
    let (broken, kept) = killed(&folder, &BENCH, takes, || cached(&folder).iter().any(|name| name.ends_with(".jsonl")));
    assert_eq!((broken, kept > 0), (whole.clone(), true));
    assert!(cached(&folder).is_empty(), "{:?}", cached(&folder));
    let records = folder.path("bench.jsonl");
    let (broken, _) = killed(&folder, &[&BENCH[..], &["--records", &records]].concat(), takes, || true);
    assert_eq!(broken, whole);
    assert_eq!(folder.read("bench.jsonl").lines().count(), 48);
}

#[test]
fn a_learning_killed_at_any_moment_comes_to_the_same_end() {
    let (whole, takes) = unbroken(&LEARN);
    let folder = Folder::new("kept-learn");
    let (broken, kept) = killed(&folder, &LEARN, takes, || cached(&folder).iter().any(|name| name.ends_with(".state")));
    assert_eq!((broken, kept > 0), (whole, true));
    assert!(cached(&folder).is_empty(), "{:?}", cached(&folder));
}

#[test]
fn a_training_killed_at_any_moment_comes_to_the_same_end() {
    let args = ["train", "wine", "--epochs", "40", "--seeds", "4", "--threads", "2", "--json"];
    let (whole, takes) = unbroken(&args);
    let folder = Folder::new("kept-train");
    let (broken, kept) = killed(&folder, &args, takes, || cached(&folder).iter().any(|name| name.ends_with(".jsonl")));
    assert_eq!((broken["optimizers"].clone(), kept > 0), (whole["optimizers"].clone(), true));
    assert!(cached(&folder).is_empty(), "{:?}", cached(&folder));
}

#[test]
fn a_reproduction_killed_at_any_moment_comes_to_the_same_end() {
    let args = ["reproduce", "adaswarm/table-1", "--seeds", "20", "--json", "--threads=2"];
    let (whole, takes) = unbroken(&args);
    let folder = Folder::new("kept-reproduce");
    let (broken, kept) = killed(&folder, &args, takes, || cached(&folder).iter().any(|name| name.ends_with(".jsonl")));
    assert_eq!((broken, kept > 0), (whole, true));
    assert!(cached(&folder).is_empty(), "{:?}", cached(&folder));
}

/// Ctrl-C keeps what is finished too, and says where; the next one says what it takes from there.
#[cfg(unix)]
#[test]
fn an_interrupted_command_says_where_it_continues_from() {
    use rustix::process::{Pid, Signal, kill_process};
    let folder = Folder::new("kept-interrupt");
    let reproduce = ["reproduce", "adaswarm/table-1", "--seeds", "40", "--json", "--threads=1"];
    for args in [&COMPARE[..], &LEARN, &reproduce] {
        let child = command(&folder, args).spawn().unwrap();
        let begin = Instant::now();
        let has_some = || {
            let file = |name: &String| {
                std::fs::metadata(folder.path("cache/swarmgrad") + "/" + name).map_or(0, |file| file.len())
            };
            cached(&folder).iter().any(|name| !name.ends_with(".lock") && file(name) > 0)
        };
        while !has_some() {
            assert!(begin.elapsed() < Duration::from_secs(60), "{args:?} kept nothing");
            std::thread::sleep(Duration::from_millis(2));
        }
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let done = finish(child);
        if done.code == Some(0) {
            panic!("{args:?} had ended before the signal: it must take longer");
        }
        assert_eq!(done.code, Some(130), "{args:?}: {}", done.err);
        let place = folder.path("cache/swarmgrad");
        let said = format!("what was finished is in {place}/{}-", args[0]);
        assert!(done.err.contains(&said) && done.err.contains("the same command continues"), "{}", done.err);
        let rest = go(&folder, args);
        assert_eq!(rest.code, Some(0), "{}", rest.err);
        assert_eq!(
            rest.err.contains("finished runs of a command that was broken off"),
            args[0] != "learn",
            "{}",
            rest.err
        );
        assert!(cached(&folder).is_empty(), "{:?}", cached(&folder));
    }
}

#[test]
fn of_two_writers_the_second_is_told_who_the_first_is() {
    let folder = Folder::new("kept-two");
    let results = folder.path("results");
    let args = [&COMPARE[..], &["-o", &results]].concat();
    let children = [(); 2].map(|()| command(&folder, &args).spawn().unwrap());
    let pids = [children[0].id(), children[1].id()];
    let mut done = children.map(finish);
    let mut pids = pids;
    if done[0].code != Some(0) {
        (done, pids) = (
            {
                let [a, b] = done;
                [b, a]
            },
            [pids[1], pids[0]],
        );
    }
    assert_eq!([done[0].code, done[1].code], [Some(0), Some(2)], "{} {}", done[0].err, done[1].err);
    let said = format!("records.jsonl: being written by process {} on host ", pids[0]);
    assert!(done[1].err.contains(&said) && done[1].out.is_empty(), "{}", done[1].err);
    assert_eq!(folder.read("results/records.jsonl").lines().count(), 48);
    // Who keeps nothing of his own is not refused.
    let children = [(); 2].map(|()| command(&folder, &COMPARE).spawn().unwrap());
    let done = children.map(finish);
    assert_eq!(timeless(done[0].json()), timeless(done[1].json()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_hides_no_result() {
    let folder = Folder::new("kept-full");
    let small = ["bench", "de", "--functions=1", "--dims=2", "--instances=1-3", "--budget=50", "--json"];
    let full = run(&[&small[..], &["--records", "/dev/full"]].concat());
    assert_eq!(full.code, Some(3), "{}", full.err);
    assert!(full.err.contains("/dev/full: 3 finished runs could not be kept: "), "{}", full.err);
    assert_eq!(timeless(full.json()), timeless(good(&small).json()));
    let compare = ["compare", "-m", "de", "-p", "sphere", "-n", "200", "--seeds", "3", "--json"];
    std::fs::create_dir_all(folder.path("results")).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path("results/records.jsonl")).unwrap();
    let full = run(&[&compare[..], &["-o", &folder.path("results")]].concat());
    assert_eq!(full.code, Some(3), "{}", full.err);
    assert_eq!(timeless(full.json()), timeless(good(&compare).json()));
}

/// One grammar in all commands.
#[test]
fn methods_with_settings_are_written_alike_everywhere() {
    let params = |args: &[&str]| good(args).json()["params"].clone();
    let long =
        params(&["minimize", "sphere", "-d", "2", "-n", "100", "--json", "-m", "pso(particles=20, topology=ring)"]);
    let short =
        params(&["minimize", "sphere", "-d", "2", "-n", "100", "--json", "-m", "pso:particles=20,topology=ring"]);
    assert_eq!((&long, &long["particles"]), (&short, &20.into()));
    let islands = [
        "minimize",
        "sphere",
        "-d",
        "2",
        "-n",
        "2000",
        "--json",
        "-m",
        "islands",
        "--set",
        "method=lshade(particles=50)",
    ];
    assert_eq!(params(&islands)["method"], "lshade(particles=50)");
    let folder = Folder::new("kept-grammar");
    let gif = folder.path("a.gif");
    good(&["animate", "himmelblau", "-m", "pso(particles=5)", "--iterations", "2", "-o", &gif]);
    let compare = |more: &[&str]| {
        run(&[&["compare", "-p", "sphere", "-d", "2", "-n", "200", "--seeds", "2", "--json"], more].concat())
    };
    let both = compare(&[
        "-m",
        "de(particles=20, weight=.5),de:particles=30,crossover=0.9 islands(method=pso(particles=9))",
        "--set",
        "weight=0.6",
    ])
    .json();
    assert_eq!(both[0]["method"], "de(particles=20, weight=0.5)");
    assert_eq!((&both[0]["params"]["weight"], &both[1]["params"]["weight"]), (&0.5.into(), &0.6.into()));
    assert_eq!(both[2]["params"]["method"], "pso(particles=9)");
    for (args, wanted) in [
        (&["-m", "de(particles=20),de:particles=20"][..], "de(particles=20): is named twice"),
        (
            &["-m", "de(particles=20)", "--set", "de.particles=30"],
            "--set = particles: is set in 'de(particles=20)' already",
        ),
        (&["-m", "de(particles=20"], "lacks a ')' in '(particles=20'"),
        (&["-m", "de(particle=20)"], "did you mean 'particles'?"),
    ] {
        let done = compare(args);
        assert!(done.code == Some(2) && done.err.contains(wanted), "{args:?}: {}", done.err);
    }
}

/// A power cut loses what a record had not put on the disk yet, and the checkpoint that was written after it may be there.
#[test]
fn a_record_that_ends_before_its_checkpoint_is_what_counts() {
    let folder = Folder::new("power-cut");
    let (record, state) = (folder.path("run.jsonl"), folder.path("run.state"));
    let args = ["minimize", "rastrigin", "-d", "5", "-m", "lshade", "-n", "5000", "--json"];
    let kept = ["--record", &record, "--checkpoint", &state];
    let without_time = |mut json: serde_json::Value| {
        for name in ["seconds", "repeated"] {
            json.as_object_mut().unwrap().remove(name);
        }
        json
    };
    let whole = without_time(good(&[&args[..], &kept].concat()).json());
    let lines = folder.read("run.jsonl");
    let some: String = lines.lines().take(2_000).map(|line| format!("{line}\n")).collect();
    folder.write("run.jsonl", &some);
    let again = good(&[&args[..], &kept].concat());
    assert!(again.err.contains("as after a power cut"), "{}", again.err);
    assert_eq!(without_time(again.json()), whole);
    let evaluations = |text: &str| text.lines().filter(|line| line.contains(r#""kind":"evaluation""#)).count();
    assert_eq!(evaluations(&folder.read("run.jsonl")), 5_000);
    // A record that began with a checkpoint that was there does not begin with the run, and the checkpoint counts.
    std::fs::remove_file(&record).unwrap();
    let later = good(&[&args[..], &kept].concat());
    assert!(!later.err.contains("power cut"), "{}", later.err);
    assert_eq!(without_time(later.json()), whole);
}
