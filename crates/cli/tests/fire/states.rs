//! Files that are damaged: a checkpoint, a journal, records.

use crate::guard::guarded;
use crate::scratch::Folder;
use crate::tally::Tally;
use std::path::Path;
use std::sync::Arc;
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::registry::{Entry, Settings, entries};
use swarmgrad::study::journal::{self, Header, Journal};
use swarmgrad::study::units::{self, Records};
use swarmgrad::{Checkpoint, Draws, Limits, Problem, Rng, Session};

/// No small file may make the program ask for more at once, in MiB.
pub const LARGEST: usize = 100;

/// Numbers that hurt.
const SHARP: [f64; 10] = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308, 5e-324, 1e17, -1.0];

/// The bytes with one to three places changed.
pub fn mutate(bytes: &[u8], draw: &mut Draws<'_>) -> Vec<u8> {
    let mut new = bytes.to_vec();
    for _ in 0..1 + draw.below(3) {
        let at = draw.below(new.len().max(1));
        let room = new.len() - at.min(new.len());
        let mut write = |with: &[u8]| {
            let n = with.len().min(room);
            new[at..at + n].copy_from_slice(&with[..n]);
        };
        match draw.below(12) {
            0 | 1 if room > 0 => new[at] ^= 1 << draw.below(8),
            2 if room > 0 => new[at] = draw.below(256) as u8,
            3 => write(&SHARP[draw.below(SHARP.len())].to_le_bytes()),
            // The largest whole number, as a number of variable length is written.
            4 => write(&[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
            5 => write(&[[0_u8; 8], [255; 8]][draw.below(2)]),
            6 => drop(new.drain(at..at + draw.below(room.min(16) + 1))),
            7 => {
                let piece = new[at..at + draw.below(room.min(16) + 1)].to_vec();
                new.splice(at..at, piece);
            }
            8 if draw.below(4) == 0 => new.truncate(at),
            // A small number: a length, a place, a choice.
            9.. => {
                if let Some(byte) = new[at..].iter_mut().find(|byte| (1..32).contains(*byte)) {
                    *byte = [byte.wrapping_sub(1), *byte + 1, draw.below(16) as u8][draw.below(3)];
                }
            }
            _ => {}
        }
    }
    new
}

/// What the states are taken from, in four variables.
fn problem() -> Arc<dyn TestProblem> {
    Arc::from(problems::entry("rosenbrock").unwrap().build::<f64>(4, None).unwrap())
}

/// Drives a session so many rounds; the values it was told.
fn drive(session: &mut Session<'_>, problem: &dyn Problem, rounds: usize) -> Vec<u64> {
    let mut values = Vec::new();
    for _ in 0..rounds {
        let batch = session.ask(usize::MAX);
        if batch.is_empty() {
            break;
        }
        let found: Vec<f64> = batch.points().map(|(_, x)| problem.value(x)).collect();
        values.extend(found.iter().map(|value| value.to_bits()));
        session.tell_batch(&batch, &found).unwrap();
    }
    values
}

/// A session of a method on the problem, and its checkpoint after so many rounds.
fn checkpoint(entry: &Entry, settings: &Settings, rounds: usize) -> Option<Checkpoint> {
    let problem = problem();
    let method = entry.build(problem.space(), Some(2_000), settings).ok()?;
    let mut session = Session::new(method, 3).limits(Limits::evaluations(2_000));
    drive(&mut session, &*problem, rounds);
    session.checkpoint(entry.name, "").ok()
}

/// What a reader makes of the bytes of a file.
type Reading = fn(&Path) -> Result<Vec<String>, swarmgrad::Error>;

/// A kind of file: its name, bytes of whole ones, and how it is read into parts that can be compared.
struct Kind {
    name: &'static str,
    whole: Vec<Vec<u8>>,
    read: Reading,
}

/// The kinds of files that have a checksum.
fn kinds(folder: &Folder) -> Vec<Kind> {
    let checkpoints = ["pso", "cma_es", "auto", "lshade", "diff_pso"].map(|name| {
        let path = folder.path(name);
        let entry = entries().find(|entry| entry.name == name).unwrap();
        checkpoint(entry, &Settings::new(), 5).unwrap().write(&path).unwrap();
        std::fs::read(path).unwrap()
    });
    let journal = {
        let path = folder.path("journal");
        let problem = problem();
        let mut journal = Journal::create(&path, &Header::new(serde_json::json!({"method": "pso"}))).unwrap();
        let method = entries().find(|entry| entry.name == "pso").unwrap();
        let method = method.build(problem.space(), Some(60), &Settings::new()).unwrap();
        let mut session = Session::new(method, 3).limits(Limits::evaluations(60)).watch_by(&mut journal);
        drive(&mut session, &*problem, 10);
        drop(session);
        journal.result(&serde_json::json!({"fun": 1.5}));
        journal.finish();
        drop(journal);
        std::fs::read(path).unwrap()
    };
    let records = {
        let path = folder.path("records");
        let records = Records::open(&path).unwrap();
        for n in 0..40 {
            records.append(&serde_json::json!({"method": "pso", "seed": n, "fun": 1.0 / (n as f64 + 3.0)})).unwrap();
        }
        drop(records);
        std::fs::read(path).unwrap()
    };
    vec![
        Kind {
            name: "checkpoint",
            whole: checkpoints.to_vec(),
            read: |path| Checkpoint::<f64>::read(path).map(|checkpoint| vec![format!("{checkpoint:?}")]),
        },
        Kind {
            name: "journal",
            whole: vec![journal],
            read: |path| {
                journal::read(path).map(|contents| {
                    let mut parts = vec![format!("{:?}", contents.header)];
                    parts.extend(contents.evaluations.iter().map(|line| format!("{line:?}")));
                    parts.extend(contents.results.iter().map(|result| format!("{result:?}")));
                    parts
                })
            },
        },
        Kind {
            name: "records",
            whole: vec![records],
            read: |path| {
                let records = units::read::<serde_json::Value>(path)?;
                // A member that nobody knows is no part of the result.
                let known =
                    |record: &serde_json::Value| format!("{} {} {}", record["method"], record["seed"], record["fun"]);
                Ok(records.iter().map(known).collect())
            },
        },
    ]
}

/// Files with a few places changed: refused, or the beginning of what was written.
pub fn damaged_files(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("damaged files: checkpoints, journals, records");
    let rng = Rng::new(seed).fork("damaged");
    let folder = Arc::new(Folder::new("damaged"));
    for (row, kind) in kinds(&folder).into_iter().enumerate() {
        let whole: Vec<(Vec<u8>, Vec<String>)> = kind
            .whole
            .into_iter()
            .map(|bytes| {
                let path = folder.path("whole");
                std::fs::write(&path, &bytes).unwrap();
                let parts = (kind.read)(&path).unwrap();
                (bytes, parts)
            })
            .collect();
        let whole = Arc::new(whole);
        for block in 0..scale {
            let (rng, whole, folder) = (rng.at(block), whole.clone(), folder.clone());
            let outcomes = guarded(kind.name, LARGEST, move || {
                let mut draw = rng.row(row);
                let mut outcomes = Vec::new();
                let path = folder.path("mutant");
                for case in 0..200 {
                    let (bytes, parts) = &whole[draw.below(whole.len())];
                    let mutant = mutate(bytes, &mut draw);
                    std::fs::write(&path, &mutant).unwrap();
                    outcomes.push(match (kind.read)(&path) {
                        Ok(read) if read.len() > parts.len() || read.iter().zip(parts).any(|(a, b)| a != b) => {
                            Err(format!("block {block}, case {case}: another result is read"))
                        }
                        _ => Ok(()),
                    });
                }
                outcomes
            });
            match outcomes {
                Ok(outcomes) => {
                    outcomes.into_iter().for_each(|o| tally.case(o.map_err(|why| format!("{}: {why}", kind.name))));
                }
                Err(why) => tally.case(Err(format!("{}, block {block}: {why}", kind.name))),
            }
        }
    }
    tally
}

#[test]
fn damaged_files_are_refused() {
    damaged_files(5, 1).hold();
}
