//! Test problems in Python, and runs over them, which need no Python at all.

use crate::driver::{Curve, callback_of};
use crate::failure::raised;
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::study::{Execution, Report, Study};
use swarmgrad::{Constraint, Error, Halt, Relation, Rows};

/// How often a run looks for ctrl-C.
const LOOK: Duration = Duration::from_millis(20);

/// A test problem: called with a point it gives its value, with one point a row their values.
#[pyclass(frozen, module = "swarmgrad._native")]
pub struct TestFunction {
    problem: Box<dyn TestProblem + Sync>,
}

#[pymethods]
impl TestFunction {
    #[new]
    fn new(name: &str, dim: usize) -> PyResult<Self> {
        Ok(TestFunction { problem: problems::entry(name).and_then(|entry| entry.build(dim, None)).map_err(raised)? })
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> (Py<PyAny>, (String, usize)) {
        (slf.get_type().into_any().unbind(), (slf.get().name(), slf.get().dim()))
    }

    fn __repr__(&self) -> String {
        format!("problems.get({:?}, {})", self.name(), self.dim())
    }

    /// Its name in the table of problems.
    #[getter]
    fn name(&self) -> String {
        self.problem.entry().to_string()
    }

    /// Number of variables.
    #[getter]
    fn dim(&self) -> usize {
        self.problem.space().dim()
    }

    /// Lower and upper bound of each variable.
    #[getter]
    fn bounds(&self) -> Vec<(f64, f64)> {
        let space = self.problem.space();
        space.lower().iter().copied().zip(space.upper().iter().copied()).collect()
    }

    /// The least value, None where it is not known.
    #[getter]
    fn minimum(&self) -> Option<f64> {
        self.least()
    }

    /// The points with that value.
    #[getter]
    fn minimizers(&self) -> Vec<Vec<f64>> {
        self.least_points()
    }

    /// Whether there is a gradient by formula.
    #[getter]
    fn differentiable(&self) -> bool {
        self.problem.differentiable().is_some()
    }

    /// Its constraints beside the bounds: name, and whether it is an equation. Values of the others are at most 0.
    #[getter]
    fn constraints(&self) -> Vec<(String, bool)> {
        let row = |c: &Constraint| (c.name().to_owned(), c.relation() == Relation::Equal);
        self.problem.constraints().iter().map(row).collect()
    }

    /// The values of its constraints at a point.
    fn constraint_values(&self, x: Vec<f64>) -> PyResult<Vec<f64>> {
        if x.len() != self.dim() {
            return Err(raised(Error::Shape { name: "x".into(), found: x.len(), expected: self.dim() }));
        }
        Ok(self.problem.evaluate(&x).constraints)
    }

    /// The gradient at a point.
    fn gradient<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let x = points(x)?;
        let (x, dim) = (x.readonly(), self.dim());
        if x.shape() != [dim] {
            return Err(PyValueError::new_err(format!("a point has shape {:?}, expected ({dim},)", x.shape())));
        }
        let Some(differentiable) = self.problem.differentiable() else {
            return Err(PyTypeError::new_err(format!("{} has no gradient by formula", self.name())));
        };
        let mut out = vec![0.0; dim];
        differentiable.gradient(x.as_slice()?, &mut out);
        Ok(PyArray1::from_vec(py, out))
    }

    fn __call__<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let x = points(x)?;
        let (x, dim) = (x.readonly(), self.dim());
        let data = x.as_slice()?;
        match *x.shape() {
            [n] if n == dim => Ok(self.problem.value(data).into_pyobject(py)?.into_any()),
            [n, d] if d == dim => {
                let mut out = vec![0.0; n];
                py.detach(|| self.problem.values(Rows::new(dim, data), &mut out));
                Ok(PyArray1::from_vec(py, out).into_any())
            }
            ref shape => {
                let rule = format!("points have shape {shape:?}, expected ({dim},) or (n, {dim})");
                Err(PyValueError::new_err(rule))
            }
        }
    }
}

impl TestFunction {
    /// The least value, where it is known.
    pub fn least(&self) -> Option<f64> {
        self.problem.minimum()
    }

    /// The points with that value.
    pub fn least_points(&self) -> Vec<Vec<f64>> {
        self.problem.minimizers().to_vec()
    }
}

/// Numbers in the order of C.
fn points<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let array = x.py().import("numpy")?.call_method1("ascontiguousarray", (x, "float64"))?;
    Ok(array.cast_into::<PyArrayDyn<f64>>()?)
}

/// Does long work with the interpreter free. Ctrl-C sets the flag, which the work is to heed, and is returned beside what it gave.
pub fn attended<T: Send + 'static>(
    py: Python<'_>,
    flag: &AtomicBool,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<(T, Option<PyErr>)> {
    // Signals reach the thread that called: it waits for them while another one works.
    let (done, caller) = (Arc::new(AtomicBool::new(false)), std::thread::current());
    let thread = std::thread::spawn({
        let done = done.clone();
        move || {
            let found = work();
            done.store(true, Ordering::Release);
            caller.unpark();
            found
        }
    });
    let mut interrupted = None;
    while !done.load(Ordering::Acquire) && !thread.is_finished() {
        py.detach(|| std::thread::park_timeout(LOOK));
        if let Err(signal) = py.check_signals() {
            flag.store(true, Ordering::Relaxed);
            interrupted.get_or_insert(signal);
        }
    }
    match py.detach(|| thread.join()) {
        Ok(found) => Ok((found, interrupted)),
        Err(_) => Err(pyo3::exceptions::PyRuntimeError::new_err("the run panicked")),
    }
}

/// A report, the course of the best value, and what was raised.
type Ran = (String, Vec<(u64, f64)>, Option<Py<PyAny>>);

/// Carries out a study of a test problem, with the interpreter free. Returns the report as JSON and the course of the best value.
#[pyfunction]
#[pyo3(signature = (study, record, overwrite, workers, callback, uncertainty=None))]
pub fn run(
    py: Python<'_>,
    study: &str,
    record: Option<PathBuf>,
    overwrite: bool,
    workers: usize,
    callback: Option<Py<PyAny>>,
    uncertainty: Option<&str>,
) -> PyResult<Ran> {
    let study: Study = serde_json::from_str(study).map_err(|why| PyValueError::new_err(why.to_string()))?;
    let (flag, curve) = (Arc::new(AtomicBool::new(false)), Curve::default());
    let fault: Arc<Mutex<Option<PyErr>>> = Arc::default();
    let mut execution = Execution { workers, record, overwrite, halt: Halt::new(flag.clone()), ..Execution::default() };
    if let Some(text) = uncertainty {
        execution.uncertainty = Some(study.plan().and_then(|plan| plan.meaning(text)).map_err(raised)?);
    }
    execution.watchers.push(Box::new(curve.clone()));
    if let Some(callback) = callback {
        execution.watchers.push(Box::new(callback_of(callback, fault.clone(), study.maximize)));
    }
    let maximize = study.maximize;
    let (report, interrupted) = attended(py, &flag, move || study.run(execution))?;
    let report: Report = report.map_err(raised)?;
    let fault = fault.lock().ok().and_then(|mut fault| fault.take());
    let error = interrupted.or(fault).map(|why| why.into_value(py).into_any());
    Ok((serde_json::to_string(&report).unwrap_or_default(), curve.points(maximize), error))
}
