use super::*;
use std::sync::atomic::AtomicBool;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swarmgrad-units-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Square {
    n: u64,
    // Numbers of single precision have other digits as text.
    step: f32,
    square: u64,
}

fn key(n: &u64) -> impl Serialize + use<> {
    #[derive(Serialize)]
    struct Key {
        n: u64,
        step: f32,
    }
    Key { n: *n, step: 0.1 }
}

fn square(n: &u64) -> Square {
    Square { n: *n, step: 0.1, square: n * n }
}

fn run(records: &Records, units: &[u64], threads: usize) -> (Vec<Option<Square>>, usize) {
    let work = Work { records, threads, halt: Halt::default() };
    let computed = AtomicUsize::new(0);
    let results = work.run(units, key, |n, _| Ok::<_, Error>(Some(square(n))), &|step| {
        computed.fetch_add(usize::from(matches!(step, Progress::Ended { .. })), Relaxed);
    });
    (results.unwrap(), computed.into_inner())
}

fn all(units: &[u64]) -> Vec<Option<Square>> {
    units.iter().map(|n| Some(square(n))).collect()
}

#[test]
fn what_is_recorded_is_not_computed_again_and_the_order_is_that_of_the_units() {
    let folder = Folder::new("again");
    let path = folder.path("r.jsonl");
    let units: Vec<u64> = (0..40).rev().collect();
    let open = || Records::open(&path).unwrap();
    assert_eq!(run(&open(), &units[..15], 3), (all(&units[..15]), 15));
    assert_eq!(run(&open(), &units, 4), (all(&units), 25));
    assert_eq!(run(&open(), &units, 1), (all(&units), 0));
    assert_eq!(run(&Records::none(), &units, 2), (all(&units), 40));
    assert_eq!(folder.names(), ["r.jsonl"]);
    // Files of two processes may be joined.
    let text = fs::read(&path).unwrap();
    fs::write(&path, [&text[..], b"\n", &text].concat()).unwrap();
    assert_eq!(run(&open(), &units, 2), (all(&units), 0));
    assert_eq!(read::<Value>(&path).unwrap().len(), 80);
    // A line of another program among them may be one of ours that is damaged.
    fs::write(&path, [&text[..], b"{\"n\": 99, \"other\": 1}\n"].concat()).unwrap();
    let why = Records::open(&path).unwrap_err().to_string();
    assert!(why.contains("r.jsonl:41: damaged, or of another program: it has no checksum"), "{why}");
    // Where it is the only line, what is left of its checksum tells.
    let line = text.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let text = std::str::from_utf8(line).unwrap();
    let at = text.find(",\"crc\":\"").unwrap();
    let damages = [
        (at + 2, "d"),
        (at + 2, ""),
        (at + 3, ""),
        (at + 4, ""),
        (at + 4, "d"),
        (at + 4, "cc"),
        (at + 3, "xy"),
        (at + 8, "-"),
        (at + 9, ""),
        (at + 9, "00"),
        (at + 17, " "),
    ];
    for (at, with) in damages {
        let mut damaged = text.to_owned();
        damaged.replace_range(at..at + 1, with);
        for damaged in [damaged.clone(), damaged.replace("\"n\":39", "\"n\":38")] {
            fs::write(&path, &damaged).unwrap();
            assert!(Records::open(&path).is_err(), "{damaged}");
            assert!(read::<Value>(&path).is_err(), "{damaged}");
        }
    }
    // Other programs' last members are no such thing.
    let theirs = [r#"{"n": 1,"date":"20260101"}"#, r#"{"n": 2,"status":"complete"}"#, r#"{"n": 3,"id":"0badcafe"}"#];
    fs::write(&path, theirs.join("\n")).unwrap();
    assert_eq!(read::<Value>(&path).unwrap().len(), 3);
    // A file of another program gets checksums when it is continued.
    fs::write(&path, "{\"n\": 39, \"step\": 0.1, \"square\": 1521}\n{\"other\": 1}").unwrap();
    let records = open();
    let notes = records.notes();
    assert!(notes.len() == 1 && notes[0].contains("r.jsonl: 2 lines have no checksum"), "{notes:?}");
    assert_eq!(run(&records, &units, 2), (all(&units), 39));
    drop(records);
    let records = open();
    assert!(records.notes().is_empty());
    assert_eq!(run(&records, &units, 2), (all(&units), 0));
    assert_eq!(read::<Value>(&path).unwrap().len(), 41);
}

#[test]
fn a_record_torn_anywhere_is_computed_again_and_a_changed_one_is_named() {
    let folder = Folder::new("torn");
    let path = folder.path("r.jsonl");
    run(&Records::open(&path).unwrap(), &[1, 2, 3], 1);
    let whole = fs::read(&path).unwrap();
    let line = whole.len() / 3;
    for cut in 2 * line + 1..whole.len() - 1 {
        fs::write(&path, &whole[..cut]).unwrap();
        let records = Records::open(&path).unwrap();
        assert!(records.notes()[0].contains("bytes of a line that a kill has torn"), "cut at {cut}");
        assert_eq!(run(&records, &[1, 2, 3], 1), (all(&[1, 2, 3]), 1));
        drop(records);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    // Only the newline is missing: nothing is lost.
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(run(&Records::open(&path).unwrap(), &[1, 2, 3, 4], 1).1, 1);
    // A bit flipped anywhere else is seen: it never gives another result.
    for at in 0..whole.len() - 1 {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let why = Records::open(&path).unwrap_err().to_string();
        assert!(why.contains(&format!("r.jsonl:{}: damaged", 1 + at / line)), "{at}: {why}");
    }
}

#[test]
fn a_second_writer_is_refused_and_told_who_writes() {
    let folder = Folder::new("two");
    let path = folder.path("r.jsonl");
    let first = Records::open(&path).unwrap();
    let error = Records::open(&path).unwrap_err().to_string();
    assert!(error.contains(&format!("r.jsonl: being written by process {} on host ", std::process::id())), "{error}");
    drop(first);
    Records::open(&path).unwrap();
}

#[test]
fn errors_and_halts_keep_what_is_finished() {
    let folder = Folder::new("error");
    let path = folder.path("r.jsonl");
    let units: Vec<u64> = (0..20).collect();
    let records = Records::open(&path).unwrap();
    let work = Work { records: &records, threads: 3, halt: Halt::default() };
    let bad = |n: &u64, _: &UnitState| match n {
        7.. => Err(Error::Saved(format!("{n}"))),
        _ => Ok(Some(square(n))),
    };
    let error = work.run(&units, key, bad, &|_| {}).unwrap_err().to_string();
    assert!(error.ends_with(": 7"), "{error}");
    drop(records);
    let records = Records::open(&path).unwrap();
    assert_eq!(records.all::<Square>().len(), 7);
    let flag = Arc::new(AtomicBool::new(false));
    let work = Work { records: &records, threads: 1, halt: Halt::new(flag.clone()) };
    let results = work.run(&units, key, |n, _| Ok::<_, Error>(Some(square(n))), &|step| {
        flag.store(matches!(step, Progress::Ended { unit: 11, .. }), Relaxed);
    });
    assert_eq!(results.unwrap().iter().flatten().count(), 12);
    drop(records);
    assert_eq!(run(&Records::open(&path).unwrap(), &units, 2), (all(&units), 8));
    // A record that would not be found again is no record.
    let records = Records::open(&folder.path("other.jsonl")).unwrap();
    let work = Work { records: &records, threads: 1, halt: Halt::default() };
    let error = work.run(&units, key, |n, _| Ok::<_, Error>(Some(square(&(n + 1)))), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("its n is not that of the unit"), "{error}");
}

/// A unit of 1,000 steps is broken off at its 300th and goes on from there.
#[test]
fn a_long_unit_continues_from_its_state() {
    let folder = Folder::new("state");
    let path = folder.path("r.jsonl");
    let steps = AtomicUsize::new(0);
    let long = |n: &u64, state: &UnitState, until: u64| {
        let (mut at, mut bytes) = state.read::<u64>().unwrap_or((0, vec![0]));
        while at < 1000 {
            if at == until {
                return Ok::<_, Error>(None);
            }
            (at, bytes[0]) = (at + 1, bytes[0].wrapping_add(3));
            steps.fetch_add(1, Relaxed);
            state.store_now(&at, || Ok(bytes.clone()))?;
        }
        Ok(Some(Square { square: u64::from(bytes[0]), ..square(n) }))
    };
    let go = |until: u64| {
        let records = Records::open(&path).unwrap();
        let work = Work { records: &records, threads: 1, halt: Halt::default() };
        let mut results = work.run(&[5], key, |n, state| long(n, state, until), &|_| {}).unwrap();
        (results.remove(0).map(|done: Square| done.square), records.notes())
    };
    assert_eq!(go(300).0, None);
    let state = folder.names().into_iter().find(|name| name.starts_with("r.jsonl.unit-")).unwrap();
    // Damaged, it is told and not taken.
    let whole = fs::read(folder.path(&state)).unwrap();
    fs::write(folder.path(&state), &whole[..whole.len() - 1]).unwrap();
    let (result, notes) = go(0);
    assert!(result.is_none() && notes[0].contains("begins anew"), "{notes:?}");
    fs::write(folder.path(&state), &whole).unwrap();
    steps.store(0, Relaxed);
    assert_eq!((go(2000).0, steps.load(Relaxed)), (Some(3000 % 256), 700));
    assert_eq!(folder.names(), ["r.jsonl"]);
    // As after a kill between the record and the removal of its state.
    fs::write(folder.path(&state), &whole).unwrap();
    assert_eq!(go(0).0, Some(3000 % 256));
    assert_eq!(folder.names(), ["r.jsonl"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_no_result_and_is_told() {
    let records = Records::open(Path::new("/dev/full")).unwrap();
    let units: Vec<u64> = (0..9).collect();
    assert_eq!(run(&records, &units, 2), (all(&units), 9));
    let told = records.finish(true).unwrap();
    assert!(told.starts_with("/dev/full: 9 finished runs could not be kept: "), "{told}");
}

#[test]
fn temporary_records_go_when_the_work_is_done() {
    let folder = Folder::new("temporary");
    let path = folder.path("r.jsonl");
    let open = || {
        let mut records = Records::open(&path).unwrap();
        records.temporary = true;
        records
    };
    let records = open();
    run(&records, &[1, 2], 1);
    assert_eq!(records.finish(false), None);
    let records = open();
    assert_eq!(run(&records, &[1, 2, 3], 1).1, 1);
    fs::write(folder.path("r.jsonl.unit-0.state"), "left").unwrap();
    assert!(records.notes()[0].contains("2 finished runs of a command that was broken off"));
    assert_eq!(records.finish(true), None);
    assert!(folder.names().is_empty());
    // An error came before anything was finished.
    drop(open());
    assert!(folder.names().is_empty());
}
