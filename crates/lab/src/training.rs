//! Records of training in files: finished runs as JSON lines, the state of an unfinished one in a file beside them.

use crate::error::Error;
use crate::record::{self, Checkpoint, RecordWriter};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use swarmgrad::Result;
use swarmgrad_nn::train::{CurvePoint, RunRecord, RunState, RunStore};

/// A file of finished runs.
pub struct TrainingRecords {
    path: PathBuf,
    writer: Mutex<RecordWriter>,
}

impl TrainingRecords {
    /// Opens the file, creating it if needed, and repairs a line that a kill has torn.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn append(path: &Path) -> crate::Result<Self> {
        Ok(TrainingRecords { path: path.to_owned(), writer: Mutex::new(RecordWriter::append(path)?) })
    }
}

/// What went wrong with a file, in the words of the library below.
fn failed(path: &Path, error: Error) -> swarmgrad::Error {
    match error {
        Error::Library(error) => error,
        Error::File { path, why } => swarmgrad::Error::File { path, why },
        Error::Line { path, line, why } => swarmgrad::Error::File { path: format!("{path}:{line}"), why },
        other => swarmgrad::Error::File { path: path.display().to_string(), why: other.to_string() },
    }
}

impl RunStore for TrainingRecords {
    fn finished(&self) -> Result<Vec<RunRecord>> {
        record::read(&self.path).map(|read| read.records).map_err(|error| failed(&self.path, error))
    }

    fn store(&self, run: &RunRecord) -> Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write(run).map_err(|error| failed(&self.path, error))
    }

    fn state(&self, about: &Value) -> Box<dyn RunState> {
        Box::new(Checkpoint::new(&self.path, about))
    }
}

impl RunState for Checkpoint {
    fn read(&self) -> Option<(Vec<CurvePoint>, Vec<u8>)> {
        Checkpoint::read(self)
    }

    fn store(&mut self, curve: &[CurvePoint], state: &dyn Fn() -> Vec<u8>) -> Result<()> {
        self.keep(&curve, state).map_err(|error| failed(Path::new("a state of training"), error))
    }

    fn remove(&self) {
        Checkpoint::remove(self);
    }
}
