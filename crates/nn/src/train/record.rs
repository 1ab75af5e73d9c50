//! Records of training: what is stored of a finished run, and of one that is not. A [`RunStore`] says where; a run that finds
//! itself there is not trained again.

use super::{CurvePoint, Figures, Origin, Training};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarmgrad_core::Result;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedRun {
    /// Epochs done.
    pub epochs: u64,
    /// Steps done.
    pub steps: u64,
    /// Losses of blocks that swarms evaluated.
    pub evaluations: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Epochs in which the loss had become the squared error, see [`Epoch::squared_error`](super::Epoch::squared_error).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub squared_error: u64,
    /// Training and test rows.
    pub rows: [usize; 2],
    /// The epoch whose network is kept and judged, the best on the validation rows, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<u64>,
    /// On the validation rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Figures>,
    /// On the training rows.
    pub train: Figures,
    /// On the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Figures>,
    /// Epoch by epoch.
    pub curve: Vec<CurvePoint>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's form
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A finished run with all that tells it from others: a line of a file of records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the library.
    pub version: String,
    /// Which rows.
    pub origin: Origin,
    /// How it was trained, the seed included.
    pub training: Training,
    /// What it came to.
    pub run: TrainedRun,
}

impl RunRecord {
    /// The record of a run of this version.
    pub fn new(origin: &Origin, training: Training, run: TrainedRun) -> Self {
        RunRecord { version: env!("CARGO_PKG_VERSION").into(), origin: origin.clone(), training, run }
    }

    /// Whether it is the record of this run.
    pub fn is_of(&self, origin: &Origin, training: &Training) -> bool {
        self.version == env!("CARGO_PKG_VERSION") && self.origin == *origin && self.training == *training
    }
}

/// What tells an unfinished run from others.
pub(super) fn unfinished(origin: &Origin, training: &Training) -> Value {
    json!({"version": env!("CARGO_PKG_VERSION"), "origin": origin, "training": training})
}

/// Where runs are stored.
pub trait RunStore: Sync {
    /// The finished runs that are stored, those of other plans included.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn finished(&self) -> Result<Vec<RunRecord>>;

    /// Stores a finished run, at once.
    ///
    /// # Errors
    /// A file that cannot be written.
    fn store(&self, record: &RunRecord) -> Result<()>;

    /// The place for the state of the unfinished run that `about` describes. Nothing is read or written yet.
    fn state(&self, about: &Value) -> Box<dyn RunState>;
}

/// The state of an unfinished run: its curve so far, and the bytes that continue it.
pub trait RunState: Send {
    /// What was stored last, if there is any that can be read.
    fn read(&self) -> Option<(Vec<CurvePoint>, Vec<u8>)>;

    /// Stores a state in place of the last one, if that is old enough; `state` makes it.
    ///
    /// # Errors
    /// A file that cannot be written.
    fn store(&mut self, curve: &[CurvePoint], state: &dyn Fn() -> Result<Vec<u8>>) -> Result<()>;

    /// Removes it: the run is finished and recorded.
    fn remove(&self);
}
