//! What commands of many runs keep: records that the user named, or those that only serve to continue after a kill.

use serde_json::Value;
use std::path::Path;
use swarmgrad::study::units::Records;

/// Opens the records at `path`, or where there is none those of the command itself.
pub fn open(path: Option<&Path>, command: &str, plan: &Value, quiet: bool) -> swarmgrad::Result<Records> {
    let records = match path {
        Some(path) => Records::open(path)?,
        None => Records::temporary(command, plan),
    };
    if let Some(path) = records.path().filter(|_| records.is_temporary() && !quiet) {
        note!("swarmgrad: until the end, finished runs are kept in {}", path.display());
    }
    tell(&records);
    Ok(records)
}

/// Says what the records have to say.
pub fn tell(records: &Records) {
    for note in records.notes() {
        note!("swarmgrad: {note}");
    }
}

/// Says where the same command continues from.
pub fn interrupted(records: &Records, what: &str) {
    broken_off(records, "interrupted", what);
}

/// The same, and why.
pub fn broken_off(records: &Records, why: &str, what: &str) {
    tell(records);
    match records.path() {
        Some(path) => {
            let path = path.display();
            note!("swarmgrad: {why}; {what}; what was finished is in {path}, the same command continues from there");
        }
        None => note!("swarmgrad: {why}; {what}"),
    }
}

/// The end of a command, `done` when its result has been printed; says whether everything could be kept.
pub fn close(records: Records, done: bool) -> bool {
    tell(&records);
    let lost = records.finish(done);
    lost.iter().for_each(|why| note!("swarmgrad: {why}"));
    lost.is_none()
}
