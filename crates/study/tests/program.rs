//! Real programs under a pool: whatever they do costs at most their own evaluation.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use swarmgrad_core::{Batch, Capacity, Evaluation, Evaluator, Failure, Halt, Id, Matrix, Problem, Space};
use swarmgrad_study::program::{Blocking, Input, Options, Pool};

/// Far longer than anything takes here, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(120);

fn options(command: &str) -> Options {
    Options { command: command.into(), input: Input::Plain, workers: 1, ..Options::default() }
}

fn pool_of(options: &Options, dim: usize) -> Pool {
    Pool::new(options, Space::cube(dim, -1000.0, 1000.0).unwrap()).unwrap()
}

fn pool(command: &str, timeout: Option<f64>) -> Pool {
    pool_of(&Options { timeout: timeout.map(Duration::from_secs_f64), ..options(command) }, 1)
}

/// Points of one variable, evaluated together; in their order.
fn evaluations(pool: &mut Pool, first: u64, points: &[f64]) -> Vec<Evaluation> {
    let xs = Matrix::from_vec(1, points.to_vec()).unwrap();
    pool.submit(&Batch::new(Id(first), 0, xs));
    answers(pool, first, points.len())
}

fn answers(pool: &mut Pool, first: u64, count: usize) -> Vec<Evaluation> {
    let (mut found, begin) = (vec![None; count], Instant::now());
    while found.iter().any(Option::is_none) {
        assert!(begin.elapsed() < LONG, "still waiting: {found:?}, {:?}", pool.broken());
        for (id, evaluation) in pool.poll(Duration::from_millis(200)) {
            assert!(found[(id.0 - first) as usize].replace(evaluation).is_none(), "{id} came twice");
        }
    }
    found.into_iter().flatten().collect()
}

fn one(pool: &mut Pool) -> Evaluation {
    evaluations(pool, 0, &[0.5]).remove(0)
}

fn kind(evaluation: &Evaluation) -> &'static str {
    evaluation.failure.as_ref().map_or("value", Failure::kind)
}

fn text(evaluation: &Evaluation) -> &str {
    evaluation.failure.as_ref().map_or("", Failure::text)
}

/// A path that nobody else uses.
fn path(name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Relaxed);
    std::env::temp_dir().join(format!("swarmgrad-test-{}-{number}-{name}", std::process::id()))
}

fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    // A zombie that nobody has waited for is not alive.
    status.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const SQUARE: &str = "while read -r x; do echo $(( ${x%.0} * ${x%.0} )); done";

#[test]
fn values_come_from_all_workers_in_any_order() {
    let mut pool = pool_of(&Options { workers: 4, ..options(SQUARE) }, 1);
    assert_eq!(pool.capacity(), Capacity::Points(4));
    let points: Vec<f64> = (0..100).map(f64::from).collect();
    pool.submit(&Batch::new(Id(7), 0, Matrix::from_vec(1, points[..3].to_vec()).unwrap()));
    assert_eq!(pool.capacity(), Capacity::Points(1));
    let mut found = answers(&mut pool, 7, 3);
    found.extend(evaluations(&mut pool, 10, &points[3..]));
    for (x, evaluation) in points.iter().zip(&found) {
        assert_eq!((evaluation.value, evaluation.attempt, &evaluation.failure), (x * x, 1, &None));
        assert!(evaluation.seconds > 0.0 && evaluation.worker < 4);
    }
    assert!((0..4).all(|worker| found.iter().any(|evaluation| evaluation.worker == worker)));
    assert_eq!((pool.restarts(), pool.notes(), pool.capacity()), (0, vec![], Capacity::Points(4)));
    assert!(pool.poll(LONG).is_empty());
}

#[test]
fn points_come_as_json_with_names_or_plain() {
    let echo = "while read -r l; do echo \"{\\\"error\\\": \\\"$(echo $l | tr -d '\\\"')\\\"}\"; done";
    let names = vec!["lr".to_owned(), "l2".to_owned()];
    for (input, names, expected) in [
        (Input::Json, vec![], "{x:[0.5,-2.0]}"),
        (Input::Json, names, "{x:{lr:0.5,l2:-2.0}}"),
        (Input::Plain, vec![], "0.5 -2.0"),
    ] {
        let mut pool = pool_of(&Options { input, names, ..options(echo) }, 2);
        pool.submit(&Batch::new(Id(0), 0, Matrix::from_vec(2, vec![0.5, -2.0]).unwrap()));
        let said = answers(&mut pool, 0, 1).remove(0);
        assert_eq!(said.failure, Some(Failure::Rejected(expected.into())));
    }
    let names = vec!["lr".to_owned()];
    let error = Pool::new(&Options { names, ..options(echo) }, Space::cube(2, 0.0, 1.0).unwrap()).err().unwrap();
    assert_eq!(error.to_string(), "names has 1 entries, expected 2");
}

#[test]
fn constraints_and_failures_in_its_own_words() {
    let mut pool = pool(
        r#"while read -r x; do case $x in -*) echo '{"error": "x is negative"}';; *) echo '{"value": 2.5, "constraints": [-1, 3]}';; esac; done"#,
        None,
    );
    let found = evaluations(&mut pool, 0, &[1.0, -1.0, 2.0]);
    assert_eq!((found[0].value, &found[0].constraints[..]), (2.5, &[-1.0, 3.0][..]));
    assert_eq!(found[1].failure, Some(Failure::Rejected("x is negative".into())));
    assert_eq!((found[2].value, pool.restarts()), (2.5, 0));
}

#[test]
fn nothing_hangs() {
    // Never reads, never answers.
    let mut hung = pool("sleep 100", Some(0.2));
    let late = one(&mut hung);
    assert_eq!((kind(&late), text(&late)), ("timed_out", "no answer within 0.2 s"));
    // A grandchild holds the pipes after the program has died.
    let orphan = one(&mut pool("echo oh dear >&2; sleep 100 & exit 3", None));
    assert_eq!((kind(&orphan), text(&orphan)), ("crashed", "it ended without an answer (exit status: 3)\noh dear"));
    let killed = one(&mut pool("kill -SEGV $$; sleep 100", None));
    assert!(kind(&killed) == "crashed" && text(&killed).contains("signal: 11"), "{killed:?}");
    // Floods of output and of errors, without a newline and with many.
    assert_eq!(kind(&one(&mut pool("read l; cat /dev/zero", None))), "rubbish");
    assert_eq!(kind(&one(&mut pool("yes 1", None))), "rubbish");
    assert_eq!(kind(&one(&mut pool("yes hello", None))), "rubbish");
    let mut noisy = pool("while read l; do head -c 1000000 /dev/zero >&2; echo 4; done", None);
    assert_eq!([one(&mut noisy).value, one(&mut noisy).value], [4.0, 4.0]);
    let mut mute = pool("exec 1>&-; sleep 100", None);
    assert_eq!(text(&one(&mut mute)), "it closed its standard output");
    // Does not read, and the point is far larger than a pipe.
    let large = |pool: &mut Pool| {
        pool.submit(&Batch::new(Id(0), 0, Matrix::from_vec(1_000_000, vec![0.1; 1_000_000]).unwrap()));
        answers(pool, 0, 1).remove(0)
    };
    let timeout = Some(Duration::from_millis(200));
    let mut deaf = pool_of(&Options { timeout, ..options("sleep 100") }, 1_000_000);
    assert_eq!(kind(&large(&mut deaf)), "timed_out");
    let mut closed = pool_of(&options("exec 0<&-; sleep 100"), 1_000_000);
    assert_eq!(text(&large(&mut closed)), "it closed its standard input");
    let mut reads = pool_of(&options("while read -r l; do echo ${#l}; done"), 1_000_000);
    assert_eq!(large(&mut reads).value, 3_999_999.0);
}

#[test]
fn what_comes_late_is_never_an_answer() {
    // The first program answers 1 and much later 99; the second answers 2.
    let flag = path("late");
    let script = format!(
        "if [ -e {0} ]; then while read l; do echo 2; done; fi; touch {0}; read l; echo 1; sleep 0.3; echo 99; while read l; do echo 98; done",
        flag.display()
    );
    let mut stale = pool(&script, None);
    assert_eq!(one(&mut stale).value, 1.0);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(one(&mut stale).value, 2.0);
    std::fs::remove_file(&flag).unwrap();
    assert_eq!(stale.restarts(), 1);
    // Neither is the answer to a point that took too long.
    let mut slow = pool("while read -r x; do case $x in 1.0) sleep 100; echo 99;; *) echo 3;; esac; done", Some(4.0));
    let found = evaluations(&mut slow, 0, &[0.0, 1.0, 2.0, 3.0]);
    assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), ["value", "timed_out", "value", "value"]);
    assert_eq!((found[2].value, found[3].value), (3.0, 3.0));
    let two = one(&mut pool("read l; printf '1\\n2\\n'; read l", None));
    assert!(text(&two).starts_with("it printed more than one line: '1' and then '2'; "), "{}", text(&two));
}

#[test]
fn a_command_that_does_not_exist_is_broken_at_once() {
    let mut missing = pool("swarmgrad-no-such-program", None);
    assert_eq!(kind(&one(&mut missing)), "crashed");
    let why = missing.broken().unwrap();
    assert!(why.starts_with("--exec 'swarmgrad-no-such-program': the first evaluation failed: it ended"), "{why}");
    assert!(why.contains("not found") && why.contains("lines like 0.5 -1.2 from its standard input"), "{why}");
    let empty = Pool::new(&options(" "), Space::cube(1, 0.0, 1.0).unwrap()).err().unwrap();
    assert!(empty.to_string().starts_with("--exec = '': must be a command"));
}

#[test]
fn ten_failures_and_no_answer_are_hopeless_but_infinity_is_an_answer() {
    let mut bad = pool("echo oh dear >&2; read l; echo abc", None);
    (0..9).for_each(|_| assert!(kind(&one(&mut bad)) == "rubbish" && bad.broken().is_none()));
    one(&mut bad);
    let why = bad.broken().unwrap();
    assert!(why.contains("first 10 evaluations all") && why.contains("'abc'") && why.contains("    oh dear"), "{why}");
    let mut infinite = pool("while read l; do echo inf; done", None);
    let found = evaluations(&mut infinite, 0, &[0.5; 20]);
    assert!(found.iter().all(|evaluation| kind(evaluation) == "not_finite"));
    assert!(infinite.broken().is_none());
}

#[test]
fn a_program_that_dies_for_good_is_given_up() {
    // It serves five points; every later program dies.
    let flag = path("dies");
    let script = format!(
        "[ -e {0} ] && exit 9; touch {0}; for i in 1 2 3 4 5; do read l; echo $i; done; exit 9",
        flag.display()
    );
    let mut pool = pool_of(&Options { max_failures: Some(12), ..options(&script) }, 1);
    let found = evaluations(&mut pool, 0, &[0.5; 16]);
    assert_eq!(found.iter().filter(|evaluation| evaluation.failure.is_none()).count(), 5);
    assert_eq!(pool.broken(), None);
    evaluations(&mut pool, 16, &[0.5]);
    let why = pool.broken().unwrap();
    assert!(why.contains("the last 12 evaluations all failed") && why.contains("exit status: 9"), "{why}");
    std::fs::remove_file(&flag).unwrap();
}

#[test]
fn what_is_given_up_is_gone_at_once() {
    let file = path("pids");
    let mut pool = pool(&format!("sleep 1000 & echo $$ $! > {}; sleep 1000", file.display()), None);
    pool.submit(&Batch::new(Id(0), 0, Matrix::zeros(3, 1)));
    let begin = Instant::now();
    wait_until("it begins", || {
        pool.poll(Duration::from_millis(5)).is_empty()
            && std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n'))
    });
    pool.abandon();
    assert!(pool.poll(LONG).is_empty() && pool.capacity() == Capacity::Points(1));
    let pids = std::fs::read_to_string(&file).unwrap();
    wait_until("it dies", || !pids.split_whitespace().any(is_alive));
    assert!(begin.elapsed() < Duration::from_secs(60));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_program_that_answers_once_loses_no_evaluation() {
    // It ends by itself; when it reads again; with a failure; after a while; without a newline.
    for script in [
        "read x; echo $x",
        "read x; echo $x; read y",
        "read x; echo $x; exit 1",
        "read x; echo $x; sleep 0.05",
        "read x; printf $x",
    ] {
        for workers in [1, 4] {
            let mut pool = pool_of(&Options { workers, ..options(script) }, 1);
            let points: Vec<f64> = (0..60).map(f64::from).collect();
            let mut found = Vec::new();
            for (k, round) in points.chunks(10).enumerate() {
                found.extend(evaluations(&mut pool, 10 * k as u64, round));
            }
            let values: Vec<f64> = found.iter().map(|evaluation| evaluation.value).collect();
            assert_eq!(values, points, "{script} with {workers}");
            let notes = pool.notes();
            assert_eq!(notes.len(), 1, "{script}: {notes:?}");
            assert!(notes[0].contains("started anew for every point"));
            // Tried again at most while that was being found out.
            let again = found.iter().filter(|evaluation| evaluation.attempt > 1).count();
            assert!(again <= 2 * workers, "{script}: {again} of 60 tried again");
            assert!(found[10 * workers..].iter().all(|evaluation| evaluation.attempt == 1));
        }
    }
}

#[test]
fn a_worker_runs_one_program_at_a_time() {
    let (lock, log) = (path("lock"), path("log"));
    let script = format!(
        "mkdir {0} 2> /dev/null || echo two >> {1}; read -r x; echo $x; sleep 0.1; rmdir {0}",
        lock.display(),
        log.display()
    );
    let mut pool = pool(&script, None);
    let points: Vec<f64> = (0..10).map(f64::from).collect();
    let found = evaluations(&mut pool, 0, &points);
    assert_eq!(found.iter().map(|evaluation| evaluation.value).collect::<Vec<_>>(), points);
    assert!(!log.exists());
    drop(pool);
    assert!(!lock.exists());
}

#[test]
fn a_program_that_has_enough_is_started_anew_and_a_bad_point_is_a_crash() {
    // It ends after every third answer, as it should.
    let mut tired = pool("for i in 1 2 3; do read -r x; echo $x; done; read -r x", None);
    let points: Vec<f64> = (0..12).map(f64::from).collect();
    let found = evaluations(&mut tired, 0, &points);
    assert_eq!(found.iter().map(|evaluation| evaluation.value).collect::<Vec<_>>(), points);
    assert!(tired.notes().is_empty() && found.iter().any(|evaluation| evaluation.attempt == 2));
    // One point kills it, with a failure or without: it is tried a second time at most.
    for (exit, attempt) in [("exit 3", 1), ("exit 0", 2)] {
        let counter = path("count");
        let script = format!(
            "while read -r x; do case $x in -*) echo x >> {}; {exit};; *) echo $x;; esac; done",
            counter.display()
        );
        let mut pool = pool(&script, None);
        let found = evaluations(&mut pool, 0, &[0.0, 1.0, -1.0, 2.0, 3.0]);
        assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), ["value", "value", "crashed", "value", "value"]);
        assert_eq!(found[2].attempt, attempt, "{exit}");
        assert_eq!(std::fs::read_to_string(&counter).unwrap().lines().count(), attempt as usize);
        assert!(pool.notes().is_empty());
        std::fs::remove_file(&counter).unwrap();
    }
}

#[test]
fn a_banner_is_passed_over_with_a_note() {
    let mut chatty = pool("echo Welcome to sim 3; echo; echo loading; while read -r x; do echo $x; done", None);
    let found = evaluations(&mut chatty, 0, &[1.0, 2.0]);
    assert_eq!((found[0].value, found[1].value), (1.0, 2.0));
    assert_eq!(chatty.notes(), ["lines before the program's first answer are passed over: 'Welcome to sim 3'"]);
    // After its first answer that is rubbish.
    let mut later = pool("read -r x; echo 1; while read -r x; do echo hello; done", None);
    let found = evaluations(&mut later, 0, &[1.0, 2.0]);
    assert_eq!((found[0].value, kind(&found[1])), (1.0, "rubbish"));
}

#[test]
fn a_program_that_ignores_its_input_is_noticed() {
    let points: Vec<f64> = (0..30).map(f64::from).collect();
    let mut ignorant = pool("while read -r x; do echo 4; done", None);
    evaluations(&mut ignorant, 0, &points);
    let notes = ignorant.notes();
    assert!(notes.len() == 1 && notes[0].contains("the first 20 answers are all 4"), "{notes:?}");
    let mut well = pool(SQUARE, None);
    evaluations(&mut well, 0, &points);
    assert!(well.notes().is_empty());
}

#[test]
fn silence_is_noticed() {
    let mut silent = pool("while read -r x; do sleep 1000; done", None);
    silent.submit(&Batch::new(Id(0), 0, Matrix::zeros(1, 1)));
    let begin = Instant::now();
    let mut notes = Vec::new();
    while notes.is_empty() {
        assert!(silent.poll(Duration::from_millis(100)).is_empty() && begin.elapsed() < LONG);
        notes = silent.notes();
    }
    assert!(begin.elapsed() >= Duration::from_secs(10));
    assert!(notes[0].starts_with("no answer yet after 10 s: does the program flush its output"), "{notes:?}");
    silent.poll(Duration::from_millis(300));
    assert!(silent.notes().is_empty());
}

#[test]
fn places_in_the_command_are_filled() {
    let run = |command: &str, read: Option<&str>| {
        let read = read.map(str::to_owned);
        let mut pool = pool_of(&Options { read, workers: 2, ..options(command) }, 2);
        pool.submit(&Batch::new(Id(5), 0, Matrix::from_vec(2, vec![0.5, 0.1 + 0.2, 2.0, -1e-7]).unwrap()));
        let found = answers(&mut pool, 5, 2);
        assert_eq!(pool.notes().len(), 0);
        found
    };
    let sums = |found: &[Evaluation]| found.iter().map(|evaluation| evaluation.value).collect::<Vec<_>>();
    let exact = [0.5 + (0.1 + 0.2), 2.0 - 1e-7];
    let sum = r#"echo step 1; awk -v a={0} -v b={1} 'BEGIN {printf "%.17g\n", a + b; print "done"}'"#;
    assert_eq!(sums(&run(sum, None)), exact);
    assert_eq!(sums(&run(r#"echo {x} | awk '{printf "%.17g", $1 + $2}' > {out}; echo 7"#, Some("out"))), exact);
    assert_eq!(
        sums(&run("tr -d 'x{}:\"[]' < {in} | tr , '\\n' | awk '{s += $1} END {printf \"%.17g\", s}'", None)),
        exact
    );
    // The point's line, after which the input ends.
    assert_eq!(sums(&run("cat > /dev/null; echo {id}", None)), [5.0, 6.0]);
    let mut workers = sums(&run("sleep 0.5; echo {worker}", None));
    workers.sort_by(f64::total_cmp);
    assert_eq!(workers, [0.0, 1.0]);
    // Without a place, by the file alone.
    assert_eq!(
        sums(&run(
            "cat > $SWARMGRAD_SCRATCH/r; echo $SWARMGRAD_EVALUATION > $SWARMGRAD_SCRATCH/r",
            Some("{scratch}/r")
        )),
        [5.0, 6.0]
    );
    let failed = &run("echo 3; echo no licence >&2; exit 2; {0}", None)[0];
    assert_eq!((kind(failed), text(failed)), ("crashed", "it ended with exit status: 2\nno licence"));
    let mute = &run("echo {0} {1} > {out}", None)[0];
    assert_eq!((kind(mute), text(mute)), ("rubbish", "it left no answer; --read out reads the file"));
    let missing = &run("echo {0}", Some("{scratch}/none"))[0];
    assert!(kind(missing) == "rubbish" && text(missing).contains("No such file"), "{missing:?}");
    let space = Space::cube(2, 0.0, 1.0).unwrap();
    let error = Pool::new(&Options { read: Some("out".into()), ..options("sim {0}") }, space).err().unwrap();
    assert!(error.to_string().starts_with("--read = out: stands for the file of {out}"), "{error}");
}

#[test]
fn a_file_of_an_earlier_point_is_no_answer() {
    let file = path("fixed");
    std::fs::write(&file, "17\n").unwrap();
    let command = format!("case {{0}} in -*) ;; *) echo {{0}} > {};; esac", file.display());
    let mut pool = pool_of(&Options { read: Some(file.display().to_string()), ..options(&command) }, 1);
    let found = evaluations(&mut pool, 0, &[-1.0, 3.0, -2.0, 3.0, 3.0]);
    assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), ["rubbish", "value", "rubbish", "value", "value"]);
    assert!(text(&found[0]).contains("was not written"), "{:?}", found[0]);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn the_environment_says_who_is_asked() {
    let script = r#"while read -r x; do echo $x > "$SWARMGRAD_SCRATCH/x"; sleep 0.5
        echo "{\"error\": \"$SWARMGRAD_WORKER,$SWARMGRAD_SCRATCH,$PYTHONUNBUFFERED,$SWARMGRAD_EVALUATION\"}"; done"#;
    let mut pool = pool_of(&Options { workers: 2, ..options(script) }, 1);
    let found = evaluations(&mut pool, 0, &[1.0, 2.0]);
    let mut folders = Vec::new();
    for evaluation in &found {
        let said: Vec<&str> = text(evaluation).split(',').collect();
        assert_eq!((said[0], said[3]), (&*evaluation.worker.to_string(), ""));
        assert!(said[2] == "1" || std::env::var("PYTHONUNBUFFERED").is_ok_and(|set| set == said[2]));
        folders.push(PathBuf::from(said[1]));
        assert!(folders.last().is_some_and(|folder| folder.join("x").exists()));
    }
    assert_ne!(folders[0], folders[1]);
    drop(pool);
    assert!(!folders.iter().any(|folder| folder.exists()) && !folders[0].parent().is_some_and(Path::exists));
}

#[test]
fn an_answer_that_waits_is_not_late() {
    // The pool is not looked at while the time of the point passes.
    let mut early = pool("read -r x; sleep 0.2; echo 5; read -r x", Some(1.0));
    early.submit(&Batch::new(Id(0), 0, Matrix::zeros(1, 1)));
    early.poll(Duration::ZERO);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(early.poll(Duration::ZERO)[0].1.value, 5.0);
    let mut warm = pool("while read -r x; do echo $x; done", Some(2.0));
    wait_until("it answers", || one(&mut warm).failure.is_none());
    warm.submit(&Batch::new(Id(1), 0, Matrix::zeros(1, 1)));
    warm.poll(Duration::ZERO);
    std::thread::sleep(Duration::from_secs(3));
    let found = answers(&mut warm, 1, 1).remove(0);
    assert_eq!((found.value, found.failure), (0.0, None));
    // Time in which it was not looked at is not counted.
    let mut slow = pool("read -r x; sleep 6; echo 6; read -r x", Some(4.0));
    slow.submit(&Batch::new(Id(0), 0, Matrix::zeros(1, 1)));
    slow.poll(Duration::ZERO);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(answers(&mut slow, 0, 1)[0].value, 6.0);
}

#[test]
fn hosts_that_fail_are_left_out_and_nothing_is_lost() {
    let (file, hosts) = (path("who"), path("hosts"));
    std::fs::write(&hosts, "# two that work and one that does not\n*2 env HOST=a sh -c\nfalse\n\nenv HOST=b sh -c\n")
        .unwrap();
    let script = format!("while read -r x; do echo $HOST >> {0}; sleep 0.05; echo $x; done", file.display());
    let mut pool = pool_of(&Options { hosts: Some(hosts.clone()), ..options(&script) }, 1);
    assert_eq!(pool.workers(), 4);
    let points: Vec<f64> = (0..40).map(f64::from).collect();
    let found = evaluations(&mut pool, 0, &points);
    assert_eq!(found.iter().map(|evaluation| evaluation.value).collect::<Vec<_>>(), points);
    assert!(found.iter().all(|evaluation| evaluation.worker != 2));
    let again = found.iter().filter(|evaluation| evaluation.attempt == 2).count();
    assert!((1..=4).contains(&again), "{again}");
    let notes = pool.notes();
    assert!(notes.iter().any(|note| note.starts_with("'false' is left out")), "{notes:?}");
    assert_eq!(pool.capacity(), Capacity::Points(3));
    let who = std::fs::read_to_string(&file).unwrap();
    assert!(who.contains('a') && who.contains('b'));
    // A point that kills the program everywhere is the point's fault.
    let script = "while read -r x; do case $x in -*) exit 7;; *) echo $SWARMGRAD_WORKER;; esac; done";
    let mut bad = pool_of(&Options { hosts: Some(hosts.clone()), ..options(script) }, 1);
    let points: Vec<f64> = (0..40).map(|k| if k % 4 == 3 { -1.0 } else { 1.0 }).collect();
    let found = evaluations(&mut bad, 0, &points);
    for (x, evaluation) in points.iter().zip(&found) {
        assert_eq!(kind(evaluation), if *x < 0.0 { "crashed" } else { "value" });
        assert!(*x > 0.0 || evaluation.attempt >= 2);
    }
    assert!(!bad.notes().iter().any(|note| note.contains("env")), "a host that works was left out");
    std::fs::write(&hosts, "*0 ssh a\n").unwrap();
    let error =
        Pool::new(&Options { hosts: Some(hosts.clone()), ..options(script) }, Space::cube(1, 0.0, 1.0).unwrap());
    assert!(error.err().unwrap().to_string().contains("line 1"));
    [hosts, file].iter().for_each(|file| std::fs::remove_file(file).unwrap());
}

#[test]
fn programs_may_end_by_themselves_and_are_killed_if_they_do_not() {
    let (ended, pid) = (path("ended"), path("pid"));
    let script = format!(
        "echo $$ > {1}.$SWARMGRAD_WORKER; while read -r x; do sleep 0.3; echo 1; done; [ $SWARMGRAD_WORKER = 0 ] && touch {0} || sleep 1000",
        ended.display(),
        pid.display()
    );
    let mut pool = pool_of(&Options { workers: 2, ..options(&script) }, 1);
    evaluations(&mut pool, 0, &[1.0, 2.0]);
    let begin = Instant::now();
    drop(pool);
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(ended.exists());
    let pids = [0, 1].map(|k| PathBuf::from(format!("{}.{k}", pid.display())));
    for file in &pids {
        let pid = std::fs::read_to_string(file).unwrap();
        wait_until("it dies", || !is_alive(&pid));
        std::fs::remove_file(file).unwrap();
    }
    std::fs::remove_file(&ended).unwrap();
}

#[test]
fn callers_that_wait_use_all_workers_and_can_be_stopped() {
    let pool = pool_of(&Options { workers: 8, ..options("while read -r x; do sleep 1; echo $x; done") }, 1);
    let flag = Arc::new(AtomicBool::new(false));
    let problem = Blocking::new(pool, Halt::new(flag.clone()));
    let points: Vec<f64> = (0..16).map(f64::from).collect();
    let (begin, mut values) = (Instant::now(), vec![0.0; 16]);
    problem.values(Matrix::from_vec(1, points.clone()).unwrap().rows(), &mut values);
    assert_eq!(values, points);
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?} for 16 points of 1 s", begin.elapsed());
    assert_eq!(problem.value(&[3.0]), 3.0);
    // Callers in several threads do not wait for one another.
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let calls: Vec<_> = points.iter().map(|x| (x, scope.spawn(|| problem.evaluate(&[*x]).value))).collect();
        calls.into_iter().for_each(|(x, call)| assert_eq!(call.join().unwrap(), *x));
    });
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?} for 16 callers", begin.elapsed());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        flag.store(true, Relaxed);
    });
    let begin = Instant::now();
    problem.values(Matrix::zeros(500, 1).rows(), &mut vec![0.0; 500]);
    assert!(begin.elapsed() < Duration::from_secs(30));
    let given_up = problem.evaluate(&[3.0]);
    assert!(given_up.value.is_nan() && given_up.evaluations == 0 && given_up.failure.is_none());
    assert_eq!(problem.into_pool().capacity(), Capacity::Points(8));
}

/// This test again, alone and in a process of its own, where it finds `VICTIM` set.
fn victim(test: &str, pid_file: &Path) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env("VICTIM", pid_file).spawn().unwrap()
}

#[test]
fn programs_left_behind_by_a_kill_end_by_themselves() {
    if let Some(file) = std::env::var_os("VICTIM") {
        // Programs that read nothing, with children that do not either.
        let file = PathBuf::from(file);
        let script = format!("sleep 1000 & echo $$ $! $SWARMGRAD_SCRATCH >> {}; sleep 1000", file.display());
        let mut pool = pool_of(&Options { workers: 8, ..options(&script) }, 1);
        pool.submit(&Batch::new(Id(0), 0, Matrix::zeros(8, 1)));
        loop {
            pool.poll(LONG);
        }
    }
    let file = path("left");
    let mut run = victim("programs_left_behind_by_a_kill_end_by_themselves", &file);
    let lines = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_until("they begin", || lines().matches('\n').count() == 8);
    let text = lines();
    let (folders, pids): (Vec<&str>, Vec<&str>) = text.split_whitespace().partition(|word| word.starts_with('/'));
    assert!(pids.iter().all(|pid| is_alive(pid)) && folders.iter().all(|folder| Path::new(folder).exists()));
    run.kill().unwrap();
    let begin = Instant::now();
    run.wait().unwrap();
    wait_until("they die", || !pids.iter().any(|pid| is_alive(pid)));
    eprintln!("gone after {:?}", begin.elapsed());
    wait_until("their folders go", || !folders.iter().any(|folder| Path::new(folder).exists()));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_run_that_was_stopped_goes_on() {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(file) = std::env::var_os("VICTIM") {
        // One answers while this process is stopped, the other needs more than its time from the beginning.
        let script = "read -r x; sleep $x; echo $x; read -r x";
        let mut pool = pool_of(&Options { workers: 2, timeout: Some(Duration::from_secs(4)), ..options(script) }, 1);
        pool.submit(&Batch::new(Id(0), 0, Matrix::from_vec(1, vec![2.0, 6.5]).unwrap()));
        pool.poll(Duration::from_millis(100));
        std::fs::write(&file, "begun").unwrap();
        let found = answers(&mut pool, 0, 2);
        std::fs::write(&file, format!("{} {}", found[0].value, found[1].value)).unwrap();
        return;
    }
    let file = path("stopped");
    let mut run = victim("a_run_that_was_stopped_goes_on", &file);
    wait_until("it begins", || file.exists());
    let pid = Pid::from_child(&run);
    kill_process(pid, Signal::STOP).unwrap();
    std::thread::sleep(Duration::from_secs(5));
    kill_process(pid, Signal::CONT).unwrap();
    assert!(run.wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "2 6.5");
    std::fs::remove_file(&file).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_serves_a_worker() {
    let threads = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("Threads:")).unwrap();
        line.split_whitespace().nth(1).and_then(|count| count.parse::<usize>().ok()).unwrap()
    };
    let mut pool = pool_of(&Options { workers: 100, ..options("while read -r x; do sleep 1; echo $x; done") }, 1);
    let points: Vec<f64> = (0..100).map(f64::from).collect();
    let found = evaluations(&mut pool, 0, &points);
    assert!((0..100).all(|worker| found.iter().any(|evaluation| evaluation.worker == worker)));
    // Those of the other tests, which come and go.
    assert!(threads() < 60, "{} threads", threads());
}

#[test]
fn python_answers_without_flushing_and_json_of_its_own() {
    if Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    let script = "import sys, json\nfor line in sys.stdin:\n    x, = json.loads(line)['x']\n    print(json.dumps({'value': x if x >= 0 else float('nan')}))";
    let command = format!("python3 -c \"{script}\"");
    let mut pool = pool_of(&Options { input: Input::Json, workers: 2, ..options(&command) }, 1);
    let found = evaluations(&mut pool, 0, &[0.1, -1.0, 0.3, 1e-300]);
    assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), ["value", "not_finite", "value", "value"]);
    assert_eq!((found[0].value, found[3].value), (0.1, 1e-300));
}
