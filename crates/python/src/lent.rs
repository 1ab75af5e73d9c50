//! A Python function as a problem of the library, for what asks for values itself: gradients from values alone, certificates.

use crate::answer;
use crate::failure::raised;
use crate::native::TestFunction;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use swarmgrad::algorithms::gradient;
use swarmgrad::algorithms::particle::certify::{Objective, Question, certify as judge};
use swarmgrad::algorithms::particle::pso_sde;
use swarmgrad::registry::{self, Settings};
use swarmgrad::study::space as texts;
use swarmgrad::{Error, Problem, Rng, Rows, Space};

/// A function of Python on a space. What it raises first is kept, and its points have no value from then on.
struct Called {
    fun: Py<PyAny>,
    vectorized: bool,
    space: Space,
    fault: Mutex<Option<PyErr>>,
}

impl Called {
    fn fault(&self) -> std::sync::MutexGuard<'_, Option<PyErr>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, py: Python<'_>, xs: Rows<'_>, out: &mut [f64]) -> PyResult<()> {
        let fun = self.fun.bind(py);
        if self.vectorized {
            let rows = PyArray1::from_slice(py, xs.data()).reshape([xs.len(), xs.dim()])?;
            out.copy_from_slice(&answer::numbers(&fun.call1((rows,))?, xs.len())?);
            return Ok(());
        }
        for (x, value) in xs.iter().zip(out) {
            *value = answer::number(&fun.call1((PyArray1::from_slice(py, x),))?)?;
        }
        Ok(())
    }
}

impl Problem for Called {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        let mut value = [f64::NAN];
        self.values(Rows::new(x.len(), x), &mut value);
        value[0]
    }

    fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
        if self.fault().is_some() {
            return out.fill(f64::NAN);
        }
        if let Err(why) = Python::attach(|py| self.ask(py, xs, out)) {
            out.fill(f64::NAN);
            *self.fault() = Some(why);
        }
    }

    fn whole(&self) -> bool {
        self.vectorized
    }
}

fn settings(text: &str) -> PyResult<Settings> {
    serde_json::from_str(text).map_err(|why| PyValueError::new_err(why.to_string()))
}

/// The sources of gradients, as JSON: name, summary, parameters.
#[pyfunction]
pub fn sources() -> String {
    let row = |s: &gradient::Source| json!({ "name": s.name, "summary": s.summary, "parameters": s.parameters() });
    Value::from_iter(gradient::SOURCES.iter().map(row)).to_string()
}

/// A gradient: the numbers, the value at the point, evaluations, and what its samples say of it.
type Found<'py> = (Bound<'py, PyArray1<f64>>, f64, u64, Option<(f64, f64, Option<String>)>);

/// The gradient of a function at a point from its values alone, by a source of the library.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn gradient_of<'py>(
    py: Python<'py>,
    fun: Py<PyAny>,
    x: Vec<f64>,
    source: &str,
    options: &str,
    seed: u64,
    bounds: Option<(Vec<f64>, Vec<f64>)>,
    vectorized: bool,
) -> PyResult<Found<'py>> {
    let space = match bounds {
        Some((lower, upper)) => Space::new(lower, upper),
        None => Space::unbounded(x.len()),
    };
    let space = space.map_err(raised)?;
    if space.dim() != x.len() {
        return Err(raised(Error::Shape { name: "x".into(), found: x.len(), expected: space.dim() }));
    }
    let called = Called { fun, vectorized, space, fault: Mutex::default() };
    let (options, mut out) = (settings(options)?, vec![f64::NAN; x.len()]);
    let sampled = {
        let mut source = gradient::source(source).and_then(|source| source.build(&called, &options));
        source.as_mut().map_err(|why| raised(why.clone()))?.gradient(&x, &mut out, &Rng::new(seed))
    };
    if let Some(why) = called.fault().take() {
        return Err(why);
    }
    let reliable =
        sampled.reliability.map(|r| (r.effective_samples, r.standard_error, r.collapse.map(|c| c.to_string())));
    Ok((PyArray1::from_vec(py, out), sampled.value, sampled.evaluations, reliable))
}

/// The certificate of `pso_sde` on an objective, as JSON.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn certify(
    py: Python<'_>,
    fun: Py<PyAny>,
    dim: usize,
    start: &str,
    options: &str,
    hessian: Option<f64>,
    minimum: Option<f64>,
    points: usize,
    horizon: f64,
    swarm: usize,
    seed: u64,
    vectorized: bool,
) -> PyResult<String> {
    let entry = registry::entry("pso_sde").map_err(raised)?;
    let (_, all) = entry.resolve(&settings(options)?).map_err(raised)?;
    let params: pso_sde::Params =
        serde_json::from_value(all.into()).map_err(|why| PyValueError::new_err(why.to_string()))?;
    if !(horizon.is_finite() && horizon >= 0.0 && horizon / params.dt <= 1e7) {
        let rule = format!("horizon = {horizon}: must be at least 0 and at most ten million time steps");
        return Err(PyValueError::new_err(rule));
    }
    let start = texts::start(start).map_err(raised)?;
    let test = fun.bind(py).cast::<TestFunction>().ok().map(|test| test.get());
    let known = test.and_then(TestFunction::least);
    let minimizers = test.map(TestFunction::least_points).unwrap_or_default();
    let called = Called {
        fun: fun.clone_ref(py),
        vectorized: vectorized || test.is_some(),
        space: Space::unbounded(dim).map_err(raised)?,
        fault: Mutex::default(),
    };
    let minimum = minimum.or(known);
    let certificate = py.detach(|| {
        judge(&Question {
            objective: Objective::Function(&called),
            params: params.clone(),
            start: start.clone(),
            hessian,
            minimum,
            minimizers: &minimizers,
            samples: points,
            horizon,
            swarm,
            path: 1_000_000,
            seed,
        })
    });
    if let Some(why) = called.fault().take() {
        return Err(why);
    }
    let certificate = certificate.map_err(raised)?;
    let mut value = serde_json::to_value(&certificate).map_err(|why| PyValueError::new_err(why.to_string()))?;
    value["rate"] = certificate.rate().map_or(Value::Null, swarmgrad::study::number::number);
    Ok(value.to_string())
}
