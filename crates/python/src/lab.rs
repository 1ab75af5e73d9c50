//! Learning the numbers of a method, and the tables and figures of the papers computed again.

use crate::failure::raised;
use crate::lent::{Called, settings};
use crate::native::attended;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyRuntimeWarning, PyValueError};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use swarmgrad::diff::meta::{Drawn, Family, Lesson};
use swarmgrad::study::units::{Records, Work};
use swarmgrad::{Halt, Problem, Rng, Space};
use swarmgrad_lab::learn::{EVALUATIONS_A_VARIABLE, LearningPlan, text};
use swarmgrad_lab::paper::{self, EXPERIMENTS, Preset, Session, Settings};

/// The exception of an error of an experiment; `interrupted` is what ctrl-C raised.
fn failed(error: swarmgrad_lab::Error, interrupted: Option<PyErr>) -> PyErr {
    match error {
        swarmgrad_lab::Error::Library(error) => raised(error),
        swarmgrad_lab::Error::Interrupted => interrupted.unwrap_or_else(|| PyRuntimeError::new_err("interrupted")),
        swarmgrad_lab::Error::File { .. } => PyOSError::new_err(error.to_string()),
        other => PyValueError::new_err(other.to_string()),
    }
}

fn records(path: Option<&Path>) -> PyResult<Records> {
    path.map_or(Ok(Records::none()), Records::open).map_err(raised)
}

/// Warns of what a record could not take, which ends nothing.
fn warn(py: Python<'_>, lost: Option<String>) -> PyResult<()> {
    let Some(lost) = lost else { return Ok(()) };
    PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &CString::new(lost)?, 2)
}

/// An objective of Python's as a family of one, which is not moved.
struct Own {
    called: Arc<Called>,
    name: String,
    minimum: f64,
    budget: u64,
}

impl Family for Own {
    fn names(&self) -> Vec<String> {
        vec![format!("{}, d = {}, {} evaluations", self.name, self.called.space().dim(), self.budget)]
    }

    fn draw(&self, _member: usize, _rng: &Rng) -> swarmgrad::Result<Drawn> {
        Ok(Drawn { problem: Box::new(self.called.clone()), minimum: self.minimum, budget: self.budget })
    }
}

/// What an objective of one's own is: the function, its name, the bounds, whether it takes points one a row.
type Fun = (Py<PyAny>, String, Vec<f64>, Vec<f64>, bool);

/// Learns a schedule; `plan` is JSON. Returns the schedule as JSON, the gain, and the table of it.
#[pyfunction]
#[pyo3(signature = (plan, fun, record, workers))]
pub fn learn(
    py: Python<'_>,
    plan: &str,
    fun: Option<Fun>,
    record: Option<PathBuf>,
    workers: usize,
) -> PyResult<(String, f64, String)> {
    let wrong = |why: serde_json::Error| PyValueError::new_err(why.to_string());
    let mut plan: LearningPlan = serde_json::from_str(plan).map_err(wrong)?;
    let own = match fun {
        None => None,
        Some((fun, name, lower, upper, vectorized)) => {
            let space = Space::new(lower, upper).map_err(raised)?;
            let budget = plan.evaluations.unwrap_or(EVALUATIONS_A_VARIABLE * space.dim() as u64);
            let minimum = plan.minimum.unwrap_or(f64::NAN);
            // What tells the record of one function from that of another.
            plan.problems = vec![name.clone()];
            Some(Own { called: Arc::new(Called::new(fun, vectorized, space)), name, minimum, budget })
        }
    };
    let called = own.as_ref().map(|own| own.called.clone());
    let (flag, records) = (Arc::new(AtomicBool::new(false)), records(record.as_deref())?);
    let halt = Halt::new(flag.clone());
    let ((lesson, lost), interrupted) = attended(py, &flag, move || {
        // Python's functions are called one after the other.
        let work = Work { threads: if own.is_some() { 1 } else { workers }, halt, records: &records };
        let broken = || {
            let called = &own.as_ref()?.called;
            called.fault().as_ref().map(|_| "the objective failed".to_owned())
        };
        let lesson = match &own {
            Some(own) => plan.run_on(own, &broken, &work, &|_| {}),
            None => plan.run(&work, None, &|_| {}),
        };
        let lost = records.finish(lesson.is_ok());
        (lesson, lost)
    })?;
    if let Some(why) = called.and_then(|called| called.fault().take()) {
        return Err(why);
    }
    if let Some(interrupted) = interrupted {
        return Err(interrupted);
    }
    let lesson: Lesson = lesson.map_err(|why| failed(why, None))?;
    warn(py, lost)?;
    Ok((serde_json::to_string(&lesson.schedule).map_err(wrong)?, lesson.gain, text(&lesson)))
}

/// The tables and figures of the papers, as JSON: name, summary, paper, preset.
#[pyfunction]
pub fn experiments() -> String {
    let row = |e: &paper::Experiment| json!({ "name": e.name, "summary": e.summary, "paper": e.paper().title, "preset": e.preset });
    Value::from_iter(EXPERIMENTS.iter().map(row)).to_string()
}

/// What was found: JSON, text, Markdown, a page, and the pictures with their names, as SVG.
type Reproduced = (String, String, String, String, Vec<(String, String)>);

/// Computes a table or a figure of a paper again; `settings` are JSON.
#[pyfunction]
pub fn reproduce(py: Python<'_>, name: &str, options: &str, record: Option<PathBuf>) -> PyResult<Reproduced> {
    let options = settings(options)?;
    let flag_of = |name: &str| options.get(name).and_then(Value::as_bool).unwrap_or(false);
    let preset = options.get("preset").and_then(Value::as_str).map(str::parse::<Preset>).transpose().map_err(raised)?;
    let grid = options.get("grid").filter(|grid| !grid.is_null()).cloned();
    let settings = Settings {
        preset,
        quick: flag_of("quick"),
        full: flag_of("full"),
        seeds: options.get("seeds").and_then(Value::as_u64),
        threads: options.get("workers").and_then(Value::as_u64).unwrap_or(0) as usize,
        records: record,
        data: options.get("data").and_then(Value::as_str).map(PathBuf::from),
        grid: grid.map(serde_json::from_value).transpose().map_err(|why| PyValueError::new_err(why.to_string()))?,
    };
    let experiment = paper::entry(name).map_err(raised)?;
    let flag = Arc::new(AtomicBool::new(false));
    let halt = Halt::new(flag.clone());
    let ((findings, lost), interrupted) = attended(py, &flag, move || {
        let mut session = match Session::new(settings) {
            Ok(session) => session.interrupt(halt),
            Err(why) => return (Err(why), None),
        };
        let found = session.run(experiment);
        let lost = session.into_records().finish(found.is_ok());
        (found, lost)
    })?;
    let findings = findings.map_err(|why| failed(why, interrupted))?;
    warn(py, lost)?;
    let pictures = findings.pictures.iter().map(|p| (p.name.clone(), p.svg.clone())).collect();
    let page = paper::page(std::slice::from_ref(&findings)).html();
    Ok((findings.json().to_string(), findings.text(100), findings.markdown(None), page, pictures))
}
