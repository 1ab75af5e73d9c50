//! Records of training in files: finished runs as JSON lines, the state of an unfinished one in a file beside them.

use serde_json::Value;
use swarmgrad::Result;
use swarmgrad::study::units::{Records, UnitState};
use swarmgrad_nn::train::{CurvePoint, RunRecord, RunState, RunStore};

/// Records as a plan of training needs them.
pub struct TrainingRecords(pub Records);

impl RunStore for TrainingRecords {
    fn finished(&self) -> Result<Vec<RunRecord>> {
        Ok(self.0.all())
    }

    fn store(&self, run: &RunRecord) -> Result<()> {
        self.0.append(run)
    }

    fn state(&self, about: &Value) -> Box<dyn RunState> {
        Box::new(TrainingState(self.0.state(about)))
    }
}

/// The state of an unfinished run.
struct TrainingState(UnitState);

impl RunState for TrainingState {
    fn read(&self) -> Option<(Vec<CurvePoint>, Vec<u8>)> {
        self.0.read()
    }

    fn store(&mut self, curve: &[CurvePoint], state: &dyn Fn() -> Result<Vec<u8>>) -> Result<()> {
        self.0.store(&curve, state)
    }

    fn remove(&self) {
        self.0.remove();
    }
}
