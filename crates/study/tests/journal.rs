//! A run that is cut off anywhere and continued from its journal is the run that was not cut off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use swarmgrad_combine::registry::{self, Settings};
use swarmgrad_core::{
    Algorithm, Evaluation, Id, Limits, Matrix, Outcome, Problem, Result, Rng, Run, Session, Space, View,
};
use swarmgrad_study::journal::{Contents, Header, Journal, Line, known_points, read, replay, rotate, visit};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swarmgrad-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn header(method: &str) -> Header {
    Header::new(serde_json::json!({ "method": method, "seed": 7 }))
}

fn build(method: &str) -> Box<dyn Algorithm> {
    let space = Space::cube(3, -4.0, 5.0).unwrap();
    registry::entry(method).unwrap().build(&space, None, &Settings::new()).unwrap()
}

fn value(x: &[f64]) -> f64 {
    let bowl: f64 = x.iter().enumerate().map(|(i, t)| (i + 1) as f64 * (t - 0.3) * (t - 0.3)).sum();
    // Some points have no value.
    if x[0] > 3.0 { f64::NAN } else { bowl + (3.0 * x[1]).sin() }
}

/// What an outcome is, its time apart.
fn essence(mut outcome: Outcome) -> String {
    outcome.seconds = 0.0;
    format!("{outcome:?}")
}

fn session<'a>(method: &str, budget: u64, journal: &'a mut Journal) -> Session<'a> {
    Session::new(build(method), 7).limits(Limits::evaluations(budget)).watch_by(journal)
}

/// Drives a session to its end; returns the evaluations that were made.
fn go_on(session: &mut Session<'_>) -> u64 {
    let mut made = 0;
    while session.ended().is_none() {
        for (id, x) in session.ask(5).points() {
            session.tell(id, Evaluation { seconds: 0.002, ..Evaluation::of(value(x)) }).unwrap();
            made += 1;
        }
    }
    made
}

#[test]
fn a_journal_that_grows_while_it_is_read_ends_where_it_ended() {
    let folder = Folder::new("journal-visit");
    let path = folder.path("run.jsonl");
    let mut journal = Journal::create(&path, &header("de")).unwrap();
    go_on(&mut session("de", 40, &mut journal));
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let middle = whole.len() / 2;
    fs::write(&path, &whole[..middle]).unwrap();
    // What comes to the torn line would be a bad one with good ones behind it.
    let mut seen = Vec::new();
    let contents = visit(&path, |_, line| {
        if seen.is_empty() {
            fs::write(&path, &whole).unwrap();
        }
        seen.push(line);
        Ok(())
    });
    let contents = contents.unwrap();
    assert!(contents.torn > 0 && contents.end + contents.torn == middle as u64 && contents.evaluations.is_empty());
    let ids = |lines: &[Line]| lines.iter().map(|line| line.id).collect::<Vec<_>>();
    assert_eq!(ids(&seen), ids(&read(&path).unwrap().evaluations[..seen.len()]));
    let why = visit(&path, |_, line| if line.id == seen[2].id { Err("not this one".into()) } else { Ok(()) });
    let why = why.unwrap_err().to_string();
    assert!(why.contains("line 4 is not understood (not this one)"), "{why}");
}

/// Where the lines end, that of the header being the first.
fn ends(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|&k| bytes[k] == b'\n').map(|k| k + 1).collect()
}

fn evaluations(contents: &Contents) -> Vec<(Id, Vec<f64>, u64)> {
    contents.evaluations.iter().map(|line| (line.id, line.x.clone(), line.evaluation.value.to_bits())).collect()
}

fn cut_everywhere(method: &str, header: &Header, budget: u64) {
    let folder = Folder::new(&format!("cut-{method}"));
    let (path, part) = (folder.path("whole.jsonl"), folder.path("part.jsonl"));
    let mut journal = Journal::create(&path, header).unwrap();
    let mut whole = session(method, budget, &mut journal);
    assert_eq!(go_on(&mut whole), budget);
    let expected = essence(whole.outcome());
    drop(journal);
    let (bytes, recorded) = (fs::read(&path).unwrap(), read(&path).unwrap());
    for (known, end) in ends(&bytes).into_iter().enumerate() {
        // Some of the next line too.
        let torn = (known * 37 % 60).min(bytes.len() - end);
        fs::write(&part, &bytes[..end + torn]).unwrap();
        let (mut journal, contents) = Journal::append(&part).unwrap();
        assert_eq!((contents.evaluations.len(), contents.torn), (known, torn as u64));
        let mut session = session(method, budget, &mut journal);
        let replayed = replay(&mut session, &contents).unwrap();
        assert_eq!(replayed.evaluations, known as u64);
        assert!((replayed.seconds - 0.002 * known as f64).abs() < 1e-9);
        assert_eq!(go_on(&mut session), budget - known as u64, "{method}, {known} known");
        assert_eq!(essence(session.outcome()), expected, "{method}, {known} known");
        drop(journal);
        assert_eq!(evaluations(&read(&part).unwrap()), evaluations(&recorded));
    }
}

#[test]
fn a_run_that_was_cut_off_anywhere_ends_the_same() {
    cut_everywhere("cma_es", &header("cma_es"), 90);
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    cut_everywhere("de", &header("de").names(names).maximize(true), 130);
    cut_everywhere("auto", &header("auto"), 150);
}

/// A run of which a quorum is enough, its values told in a shuffled order, some of them rounds later.
fn shuffled(method: &str, seed: u64, noisy: bool, journal: &mut Journal) -> (String, Vec<u8>, bool) {
    let mut session = session(method, 160, journal).noisy(noisy).quorum(0.75).unwrap();
    let rng = Rng::new(seed);
    let mut order = rng.row(0);
    let mut out: Vec<(Id, Vec<f64>)> = Vec::new();
    while session.ended().is_none() {
        out.extend(session.ask(7).points().map(|(id, x)| (id, x.to_vec())));
        let (id, x) = out.swap_remove((order.uniform() * out.len() as f64) as usize);
        session.tell(id, Evaluation::of(value(&x))).unwrap();
    }
    let some_out = !out.is_empty();
    for (id, x) in out.drain(..) {
        session.tell(id, Evaluation::of(value(&x))).unwrap();
    }
    let mut state = Vec::new();
    session.algorithm().save(&mut state).unwrap();
    (essence(session.outcome()), state, some_out)
}

#[test]
fn a_run_with_a_quorum_takes_the_same_course_from_its_journal() {
    let folder = Folder::new("quorum");
    let part = folder.path("part.jsonl");
    let (mut late, mut some_out) = (0, 0);
    for (seed, method) in ["cma_es", "de", "auto", "pso", "de", "cma_es"].into_iter().enumerate() {
        let (path, noisy) = (folder.path(&format!("{seed}.jsonl")), seed >= 4);
        let mut journal = Journal::create(&path, &header(method)).unwrap();
        let (expected, state, out) = shuffled(method, seed as u64, noisy, &mut journal);
        drop(journal);
        let (mut journal, contents) = Journal::append(&path).unwrap();
        late += contents.evaluations.iter().filter(|line| line.late).count();
        some_out += usize::from(out);
        let before = fs::read(&path).unwrap();
        let mut session = session(method, 160, &mut journal).noisy(noisy).quorum(0.75).unwrap();
        replay(&mut session, &contents).unwrap();
        let mut found = Vec::new();
        session.algorithm().save(&mut found).unwrap();
        assert_eq!(found, state, "{method}");
        assert_eq!(essence(session.outcome()), expected, "{method}");
        drop(journal);
        assert_eq!(fs::read(&path).unwrap(), before, "what is told again is not written again");
        for (known, end) in ends(&before).into_iter().enumerate().step_by(3) {
            fs::write(&part, &before[..end]).unwrap();
            let (mut journal, contents) = Journal::append(&part).unwrap();
            let mut session = self::session(method, 160, &mut journal).noisy(noisy).quorum(0.75).unwrap();
            assert_eq!(replay(&mut session, &contents).unwrap().evaluations, known as u64, "{method}");
            assert_eq!(session.evaluations(), known as u64);
            let unanswered: Vec<_> = session.unanswered().collect();
            for batch in unanswered {
                batch.points().for_each(|(id, x)| session.tell(id, Evaluation::of(value(x))).unwrap());
            }
            go_on(&mut session);
            let expected = essence(session.outcome());
            drop(journal);
            // And once more from what was written now.
            let (mut journal, contents) = Journal::append(&part).unwrap();
            let mut session = self::session(method, 160, &mut journal).noisy(noisy).quorum(0.75).unwrap();
            replay(&mut session, &contents).unwrap();
            assert_eq!(essence(session.outcome()), expected, "{method}, {known} known");
        }
    }
    assert!(late > 20 && some_out > 0, "{late} late, {some_out} runs with values after the end");
}

/// A bowl whose n-th evaluation has the n-th draw.
struct Noisy {
    space: Space,
    draws: Vec<f64>,
    count: AtomicU64,
}

impl Noisy {
    fn after(count: u64) -> Self {
        let mut draws = vec![0.0; 1024];
        Rng::new(5).row(0).fill_normal(&mut draws);
        Noisy { space: Space::cube(3, -4.0, 5.0).unwrap(), draws, count: AtomicU64::new(count) }
    }
}

impl Problem for Noisy {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        value(x) + self.draws[self.count.fetch_add(1, Relaxed) as usize]
    }

    fn noisy(&self) -> bool {
        true
    }
}

#[test]
fn a_noisy_run_ends_the_same_and_a_larger_budget_searches_on() {
    let folder = Folder::new("noisy");
    let (path, part) = (folder.path("whole.jsonl"), folder.path("part.jsonl"));
    let mut journal = Journal::create(&path, &header("de")).unwrap();
    let problem = Noisy::after(0);
    let outcome = Run::of(session("de", 200, &mut journal), &problem).minimize();
    assert!(outcome.noise.is_some() && outcome.nfev == 200);
    let expected = essence(outcome);
    drop(journal);
    let bytes = fs::read(&path).unwrap();
    for (known, end) in ends(&bytes).into_iter().enumerate() {
        fs::write(&part, &bytes[..end]).unwrap();
        let (mut journal, contents) = Journal::append(&part).unwrap();
        let mut session = session("de", 200, &mut journal).noisy(true);
        assert_eq!(replay(&mut session, &contents).unwrap().evaluations, known as u64);
        let problem = Noisy::after(known as u64);
        assert_eq!(essence(Run::of(session, &problem).minimize()), expected, "{known} known");
        assert_eq!(problem.count.load(Relaxed), 200);
    }
    let (mut journal, contents) = Journal::append(&path).unwrap();
    let again = contents.evaluations.iter().filter(|line| line.again).count() as u64;
    let mut session = session("de", 500, &mut journal).noisy(true);
    assert_eq!(replay(&mut session, &contents).unwrap().evaluations, 200 - again);
    let problem = Noisy::after(200);
    let outcome = Run::of(session, &problem).minimize();
    assert_eq!((again, outcome.nfev, problem.count.load(Relaxed)), (100, 500, 600));
    drop(journal);
    // Both parts from the file.
    let (mut journal, contents) = Journal::append(&path).unwrap();
    let mut session = self::session("de", 500, &mut journal).noisy(true);
    assert_eq!(replay(&mut session, &contents).unwrap().evaluations, 500);
    assert_eq!(essence(session.outcome()), essence(outcome));
}

/// Four points a round, the last of which is another one for another `last`.
struct Four {
    last: f64,
    told: u64,
}

impl Algorithm for Four {
    fn ask(&mut self, _rng: &Rng, xs: &mut Matrix) {
        *xs = Matrix::from_vec(1, vec![1.0, 2.0, 3.0, self.last]).unwrap();
    }

    fn tell(&mut self, _xs: &mut Matrix, _values: &[f64]) {
        self.told += 1;
    }

    fn answer(&self) -> Vec<f64> {
        Vec::new()
    }

    fn iterations(&self) -> u64 {
        self.told
    }

    fn view(&self) -> View<'_> {
        View::default()
    }

    fn save(&self, _out: &mut Vec<u8>) -> swarmgrad_core::Result<()> {
        Ok(())
    }
}

#[test]
fn a_run_that_asks_for_other_points_says_so() {
    let folder = Folder::new("other");
    let path = folder.path("run.jsonl");
    let mut journal = Journal::create(&path, &header("four")).unwrap();
    let four = |last: f64| Session::<f64>::new(Box::new(Four { last, told: 0 }), 1);
    let mut session = four(4.0).watch_by(&mut journal);
    for n in 0..6 {
        for id in session.ask(1).ids() {
            session.tell(id, Evaluation::of(f64::from(n))).unwrap();
        }
    }
    drop(session);
    drop(journal);
    let contents = read(&path).unwrap();
    let said = |session: &mut Session<'_>| replay(session, &contents).unwrap_err().to_string();
    // The hash of the round shows it before the point itself does.
    let other = said(&mut four(5.0));
    assert!(other.contains("from evaluation 1 on; --x0 ") && other.starts_with(path.to_str().unwrap()), "{other}");
    let narrow = said(&mut four(4.0).limits(Limits::evaluations(4)));
    assert!(narrow.contains("ends after 4 evaluations") && narrow.contains("holds 6"), "{narrow}");
    assert_eq!(replay(&mut four(4.0), &contents).unwrap().evaluations, 6);
    assert_eq!(known_points(&contents)[5], (vec![2.0], 5.0));
}

#[test]
fn one_writer_and_nothing_overwritten() {
    let folder = Folder::new("writers");
    let path = folder.path("run.jsonl");
    let refused = |result: Result<Journal>| result.map(drop).unwrap_err().to_string();
    let journal = Journal::create(&path, &header("de")).unwrap();
    let by = format!("being written by process {}", std::process::id());
    assert!(refused(Journal::create(&path, &header("de"))).contains(&by));
    assert!(refused(Journal::append(&path).map(|(journal, _)| journal)).contains(&by));
    assert!(rotate(&path).unwrap_err().to_string().contains(&by));
    drop(journal);
    assert!(refused(Journal::create(&path, &header("de"))).contains("holds something already"));
    assert_eq!(rotate(&path).unwrap(), folder.path("run.jsonl.1"));
    drop(Journal::create(&path, &header("cma_es")).unwrap());
    assert_eq!(rotate(&path).unwrap(), folder.path("run.jsonl.2"));
    assert_eq!(read(&folder.path("run.jsonl.2")).unwrap().header, header("cma_es"));
    assert!(rotate(&path).is_err() && Journal::append(&path).is_err() && read(&path).is_err());
    // A kill before the first line was whole leaves nothing to continue and nothing to keep.
    for begun in ["", "{\"kind\":\"hea", "{\"kind\":\"header\",\"program\":\"swarmgrad\",\"format\":1"] {
        fs::write(&path, begun).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("no run has been recorded"));
        drop(Journal::create(&path, &header("de")).unwrap());
        assert_eq!(read(&path).unwrap().header, header("de"));
    }
    fs::write(&path, "x,y\n1,2\n").unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("no journal of swarmgrad"));
    assert!(refused(Journal::create(&path, &header("de"))).contains("holds something already"));
    let mut names: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["run.jsonl", "run.jsonl.1", "run.jsonl.2"]);
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_written_is_told_before_the_run() {
    assert!(Journal::create(Path::new("/dev/full"), &header("de")).is_err());
    assert!(Journal::create(Path::new("/proc/no/such/run.jsonl"), &header("de")).is_err());
    let mut journal = Journal::create(Path::new("/dev/null"), &header("de")).unwrap();
    go_on(&mut session("de", 60, &mut journal));
    assert_eq!(journal.trouble(), None);
    assert!(read(Path::new("/dev/null")).is_err() && Journal::append(Path::new("/dev/null")).is_err());
}
