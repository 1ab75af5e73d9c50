use super::read::read_from;
use super::*;
use std::sync::{Arc, Mutex};
use swarmgrad_core::{Algorithm, Failure, Matrix, Rng, View};

/// Three points a round, of two coordinates.
struct Three(u64);

impl Algorithm for Three {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix) {
        xs.resize(3, 2);
        xs.iter_mut().enumerate().for_each(|(i, x)| rng.row(i).fill_normal(x));
    }

    fn tell(&mut self, _xs: &mut Matrix, _values: &[f64]) {
        self.0 += 1;
    }

    fn answer(&self) -> Vec<f64> {
        Vec::new()
    }

    fn iterations(&self) -> u64 {
        self.0
    }

    fn view(&self) -> View<'_> {
        View::default()
    }

    fn save(&self, _out: &mut Vec<u8>) -> swarmgrad_core::Result<()> {
        Ok(())
    }
}

/// A disk in memory that has room for so many bytes.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

impl Disk {
    fn with(room: usize) -> Self {
        let disk = Disk::default();
        disk.0.lock().unwrap().1 = room;
        disk
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().0.clone()
    }

    fn journal(&self, header: &Header) -> Journal {
        let mut journal = Journal::over(Path::new("run.jsonl"), Box::new(self.clone()), None, 0, header);
        journal.header(header).unwrap();
        journal
    }
}

impl Medium for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.0.lock().unwrap();
        let taken = bytes.len().min(disk.1);
        if taken == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.1 -= taken;
        disk.0.extend(&bytes[..taken]);
        Ok(taken)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn read_bytes(bytes: &[u8]) -> Result<Contents> {
    read_from(Path::new("run.jsonl"), bytes)
}

fn header() -> Header {
    Header::new(serde_json::json!({"method": "three", "seed": 3}))
}

/// What an evaluation can be, by its number.
fn evaluation(n: u64) -> Evaluation {
    let plain = Evaluation::of(n as f64 / 3.0 - 1.0);
    match n % 8 {
        0 => Evaluation { seconds: 0.002, worker: 3, attempt: 2, ..plain },
        1 => Evaluation::failed(Failure::TimedOut("after \"3 s\",\n\u{1} sonst nichts: ü".into())),
        2 => Evaluation { gradient: vec![-0.0, 5e-324], gradients: 1, evaluations: 4, ..plain },
        3 => Evaluation { constraints: vec![f64::NEG_INFINITY, 0.1 + 0.2, f64::MAX], ..plain },
        4 => Evaluation::of(f64::INFINITY),
        5 => Evaluation::of(-0.0),
        6 => Evaluation { gradient: vec![f64::NAN, 1.0], ..Evaluation::failed(Failure::NotFinite) },
        _ => Evaluation { seconds: 12.5, ..plain },
    }
}

/// Journals so many evaluations.
fn write(journal: &mut Journal, evaluations: u64) {
    let mut session = Session::<f64>::new(Box::new(Three(0)), 3).watch_by(journal);
    for _ in 0..evaluations {
        for id in session.ask(1).ids() {
            session.tell(id, evaluation(id.0)).unwrap();
        }
    }
}

fn journal_of(header: &Header, evaluations: u64) -> Vec<u8> {
    let disk = Disk::with(usize::MAX);
    let mut journal = disk.journal(header);
    write(&mut journal, evaluations);
    journal.result(&serde_json::json!({"fun": 1.5, "kind": "no", "crc": 3}));
    journal.note(&serde_json::json!("a note"));
    drop(journal);
    disk.bytes()
}

#[test]
fn what_is_read_is_what_was_told_to_the_bit() {
    let names = vec!["rate".to_owned(), "a \"b\"".to_owned()];
    for header in [header(), header().maximize(true), header().names(names).maximize(true)] {
        let bytes = journal_of(&header, 24);
        let contents = read_bytes(&bytes).unwrap();
        assert_eq!((contents.header, contents.end, contents.torn), (header.clone(), bytes.len() as u64, 0));
        assert_eq!(contents.results, [serde_json::json!({"fun": 1.5})]);
        assert_eq!(contents.notes, [serde_json::json!({"note": "a note"})]);
        for (n, line) in contents.evaluations.iter().enumerate() {
            let (known, found) = (evaluation(n as u64), &line.evaluation);
            assert_eq!(format!("{found:?}"), format!("{known:?}"));
            assert_eq!(found.value.is_sign_negative() && n % 8 == 5, n % 8 == 5, "-0 stays -0");
            assert_eq!((line.id.0, line.round, line.row), (n as u64, n as u64 / 3, n % 3));
        }
    }
}

#[test]
fn every_line_is_json_whose_last_member_is_the_chained_crc() {
    let bytes = journal_of(&header().names(vec!["a".into(), "b".into()]).maximize(true), 6);
    let mut crc = 0;
    for line in std::str::from_utf8(&bytes).unwrap().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let mut hasher = crc32fast::Hasher::new_with_initial(crc);
        hasher.update(&line.as_bytes()[..line.rfind(",\"crc\":").unwrap()]);
        crc = hasher.finalize();
        assert_eq!(value["crc"], format!("{crc:08x}"));
    }
    let text = String::from_utf8(bytes).unwrap();
    // The user maximises: evaluation 3 is 0 to be minimised, evaluation 0 is -1.
    assert!(text.contains(r#""value":1.0,"seconds":0.002,"worker":3,"attempt":2,"asked":""#), "{text}");
    assert!(text.contains(r#""x":{"a":"#) && text.contains(r#""value":"-inf","failure":"not_finite""#), "{text}");
}

#[test]
fn a_changed_journal_is_refused_or_gives_a_prefix() {
    let bytes = journal_of(&header(), 30);
    let whole = read_bytes(&bytes).unwrap();
    let shown = |lines: &[Line]| lines.iter().map(|line| format!("{line:?}")).collect::<Vec<_>>();
    let known = shown(&whole.evaluations);
    let (mut refused, mut shorter) = (0, 0);
    for seed in 0..10_000 {
        let rng = Rng::new(seed);
        let mut draws = rng.row(0);
        let mut below = |n: usize| ((draws.uniform() * n as f64) as usize).min(n.saturating_sub(1));
        let mut changed = bytes.clone();
        for _ in 0..1 + below(3) {
            let (from, length) = (below(changed.len()), 1 + below(200));
            let to = (from + length).min(changed.len());
            let starts: Vec<usize> = (0..changed.len()).filter(|&k| k == 0 || changed[k - 1] == b'\n').collect();
            let line = |k: usize| starts[k]..starts.get(k + 1).copied().unwrap_or(changed.len());
            match below(8) {
                0 => changed[from] ^= 1 << below(8),
                1 => changed[from] = below(256) as u8,
                2 => drop(changed.drain(from..to)),
                3 => changed.truncate(from),
                4 => changed.splice(from..from, (0..length).map(|_| below(256) as u8)).for_each(drop),
                5 => changed[from..to].fill(0),
                6 => drop(changed.drain(line(below(starts.len())))),
                _ => {
                    let copied = changed[line(below(starts.len()))].to_vec();
                    let place = starts[below(starts.len())];
                    changed.splice(place..place, copied).for_each(drop);
                }
            }
            if changed.is_empty() {
                break;
            }
        }
        match read_bytes(&changed) {
            Err(_) => refused += 1,
            Ok(contents) => {
                assert_eq!(contents.header, whole.header, "{seed}");
                assert_eq!(shown(&contents.evaluations), known[..contents.evaluations.len()], "{seed}");
                assert_eq!(contents.end + contents.torn, changed.len() as u64, "{seed}");
                shorter += usize::from(contents.evaluations.len() < known.len());
            }
        }
    }
    assert!(refused > 5_000 && shorter > 500, "{refused} refused, {shorter} shorter");
}

#[test]
fn damage_in_the_middle_is_told_with_its_line() {
    let bytes = journal_of(&header(), 30);
    let starts: Vec<usize> = (0..bytes.len()).filter(|&k| k == 0 || bytes[k - 1] == b'\n').collect();
    for (k, &start) in starts.iter().enumerate().take(starts.len() - 2).skip(1) {
        let end = starts[k + 1];
        for at in [start + 20, end - 5] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let said = read_bytes(&changed).unwrap_err().to_string();
            assert!(said.contains(&format!("line {} is damaged", k + 1)), "{said}");
            assert!(said.contains(&format!("head -n {k} run.jsonl")), "{said}");
        }
    }
}

#[test]
fn a_full_disk_is_tried_again_and_told() {
    let whole = journal_of(&header(), 30);
    for room in (600..whole.len()).step_by(97) {
        let disk = Disk::with(room);
        let mut journal = disk.journal(&header());
        write(&mut journal, 24);
        journal.finish();
        let trouble = journal.trouble();
        assert_eq!(disk.bytes(), whole[..disk.bytes().len()]);
        assert_eq!(trouble.is_some(), disk.bytes().len() == room, "{room}: {trouble:?}");
        // Somebody makes room.
        disk.0.lock().unwrap().1 = usize::MAX;
        journal.result(&serde_json::json!({"fun": 1.5}));
        assert_eq!(journal.trouble(), None);
        drop(journal);
        let contents = read_bytes(&disk.bytes()).unwrap();
        assert_eq!((contents.evaluations.len(), contents.results.len()), (24, 1));
    }
}

/// What a disk is asked for.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<(u64, u64)>>);

impl Medium for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().0 += 1;
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().1 += 1;
        Ok(())
    }
}

#[test]
fn dear_evaluations_are_with_the_system_before_their_value_is_used() {
    for (seconds, writes, syncs) in [(0.001, 30, 0), (0.05, 30, 30)] {
        let counting = Counting::default();
        let mut journal = Journal::over(Path::new("run.jsonl"), Box::new(counting.clone()), None, 0, &header());
        let mut session = Session::<f64>::new(Box::new(Three(0)), 3).watch_by(&mut journal);
        for n in 1..=30 {
            for id in session.ask(1).ids() {
                session.tell(id, Evaluation { seconds, ..Evaluation::of(1.0) }).unwrap();
                assert_eq!(counting.0.lock().unwrap().0, n);
            }
        }
        let (written, synced) = *counting.0.lock().unwrap();
        assert_eq!((written, synced), (writes, syncs));
    }
}

#[test]
fn whoever_loses_the_epoch_writes_no_more() {
    let folder = std::env::temp_dir().join(format!("swarmgrad-epoch-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("run.jsonl");
    let mut journal = Journal::create(&path, &header()).unwrap();
    write(&mut journal, 3);
    journal.finish();
    let before = fs::read(&path).unwrap();
    let other = r#"{"host":"elsewhere","pid":4711,"since":0,"epoch":"another"}"#;
    fs::write(folder.join("run.jsonl.lock"), other).unwrap();
    write(&mut journal, 30);
    journal.finish();
    let trouble = journal.trouble().unwrap();
    assert!(trouble.contains("process 4711 on host elsewhere"), "{trouble}");
    drop(journal);
    // What was handed over before anyone looked is whole; nothing follows.
    assert!(fs::read(&path).unwrap().starts_with(&before));
    assert_eq!(fs::read_to_string(folder.join("run.jsonl.lock")).unwrap(), other, "it is not ours to remove");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_digest_does_not_depend_on_the_order_of_names() {
    let digest_of = |text: &str| digest(&serde_json::from_str(text).unwrap());
    assert_eq!(
        digest_of(r#"{"b": [1, {"d": 2, "c": 0.5}], "a": null}"#),
        digest_of(r#"{"a":null,"b":[1,{"c":0.5,"d":2}]}"#)
    );
    assert_ne!(digest_of(r#"{"b": 1}"#), digest_of(r#"{"b": 2}"#));
    // `printf '{"a":1,"b":[0.5,null]}' | sha256sum`
    assert_eq!(digest_of(r#"{"b": [0.5, null], "a": 1}"#), "f1a92042e7c3ddd4");
}
