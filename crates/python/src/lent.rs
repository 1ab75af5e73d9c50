//! A Python function as a problem of the library, for what asks for values itself: gradients from values alone, certificates.

use crate::answer;
use crate::failure::raised;
use crate::native::TestFunction;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use swarmgrad::algorithms::gradient;
use swarmgrad::algorithms::gradient::elements::{Search, Start};
use swarmgrad::algorithms::particle::certify::{Objective, Question, certify as judge};
use swarmgrad::algorithms::particle::pso_sde;
use swarmgrad::registry::{self, Settings};
use swarmgrad::study::space as texts;
use swarmgrad::{Error, Problem, Rng, Rows, Space, Workers};
use swarmgrad_dense::loss::{self, Batch, Block, Lane, Loss};
use swarmgrad_dense::signal::{Sender, Signal, SwarmSignal};

/// A function of Python on a space. What it raises first is kept, and its points have no value from then on.
pub struct Called {
    fun: Py<PyAny>,
    vectorized: bool,
    space: Space,
    fault: Mutex<Option<PyErr>>,
}

impl Called {
    pub fn new(fun: Py<PyAny>, vectorized: bool, space: Space) -> Self {
        Called { fun, vectorized, space, fault: Mutex::default() }
    }

    /// What it has raised.
    pub fn fault(&self) -> std::sync::MutexGuard<'_, Option<PyErr>> {
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

/// Settings from JSON.
pub fn settings(text: &str) -> PyResult<Settings> {
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
    let called = Called::new(fun, vectorized, space);
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

/// A loss by its name, with the gradients that swarms of the library lend to it.
#[pyclass(frozen, module = "swarmgrad._native")]
pub struct NamedLoss {
    loss: Box<dyn Loss>,
    block: Block,
    columns: usize,
    sender: Mutex<Sender>,
    workers: Workers,
}

/// Values of the blocks, and the gradient of each with respect to its outputs.
type Lent<'py> = (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray2<f32>>);

#[pymethods]
impl NamedLoss {
    /// For rows of `columns` outputs. `block` is `element`, `sample` or `batch`, None for the loss's own; `settings` are those of the
    /// kind, as JSON.
    #[new]
    fn new(name: &str, columns: usize, kind: &str, block: Option<&str>, settings: &str) -> PyResult<Self> {
        let named = loss::entry(name).map_err(raised)?;
        let loss = named.build(columns);
        let block = match block {
            None => loss.block(),
            Some(text) => Block::ALL
                .into_iter()
                .find(|block| block.name() == text)
                .ok_or_else(|| raised(Error::parameter("per", text, "must be element, sample or batch")))?,
        };
        let signal = signal(kind, block, settings)?;
        let swarm = matches!(signal, Signal::Swarm(_));
        if block < loss.block() || block != loss.block() && !swarm {
            let rule = format!("{name} is a loss of a {}", loss.block().name());
            return Err(raised(Error::parameter("per", block.name(), rule)));
        }
        let sender = Sender::new(signal, &*loss, columns).map_err(raised)?;
        Ok(NamedLoss { loss, block, columns, sender: Mutex::new(sender), workers: Workers::default() })
    }

    /// What one swarm looks after.
    #[getter]
    fn per(&self) -> &'static str {
        self.block.name()
    }

    /// Values and gradients of a batch; call `n` of a seed has draws of its own.
    fn lend<'py>(
        &self,
        py: Python<'py>,
        outputs: PyReadonlyArray2<'py, f32>,
        targets: PyReadonlyArray2<'py, f32>,
        seed: u64,
        call: u64,
    ) -> PyResult<Lent<'py>> {
        let (rows, columns) = (outputs.as_array().nrows(), self.columns);
        let (outputs, targets) = (outputs.as_slice()?, targets.as_slice()?);
        for (name, numbers) in [("outputs", outputs), ("targets", targets)] {
            if numbers.len() != rows * columns {
                let (found, expected) = (numbers.len(), rows * columns);
                return Err(raised(Error::Shape { name: name.into(), found, expected }));
            }
        }
        let (mut values, mut gradient) = (Vec::new(), vec![0.0; outputs.len()]);
        if rows > 0 {
            py.detach(|| {
                let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
                self.loss.blocks(self.block, columns, outputs, targets, &mut values);
                let batch = Batch { columns, outputs, targets };
                let rng = Rng::new(seed).at(call);
                let lane = Lane { workers: &self.workers, rng: &rng };
                sender.send(&*self.loss, batch, lane, &mut gradient).and_then(|_| self.loss.check())
            })
            .map_err(raised)?;
        }
        // That of the mean, times how many there are.
        let blocks = values.len() as f32;
        gradient.iter_mut().for_each(|g| *g *= blocks);
        let gradient = PyArray1::from_vec(py, gradient).reshape([rows, columns])?;
        Ok((PyArray1::from_vec(py, values), gradient))
    }
}

/// The names of losses, as JSON: name, summary, whether it has a derivative that says something, its parameter.
#[pyfunction]
pub fn losses() -> String {
    let row = |entry: &loss::Entry| {
        let parameter =
            entry.parameter.as_ref().map(|p| json!({ "name": p.symbol, "default": p.usual, "range": p.rule }));
        json!({ "name": entry.name, "summary": entry.about, "differentiable": entry.differentiable, "parameter": parameter })
    };
    Value::from_iter(loss::LOSSES.iter().map(row)).to_string()
}

/// What is sent back: the kinds of the package's own arithmetic, with its names of settings.
fn signal(kind: &str, block: Block, settings: &str) -> PyResult<Signal> {
    let given: serde_json::Map<String, Value> =
        serde_json::from_str(settings).map_err(|why| PyValueError::new_err(why.to_string()))?;
    let number = |name: &str| given.get(name).and_then(Value::as_f64);
    let count = |name: &str| number(name).map(|n| n as usize);
    let pairs = count("particles").unwrap_or(1).div_ceil(2);
    let sigma = number("sigma").unwrap_or(f64::NAN);
    let swarm = |mut search: Search| {
        search.particles = count("particles").unwrap_or(search.particles);
        search.iterations = count("iterations").unwrap_or(search.iterations);
        search.beta = number("beta").unwrap_or(search.beta);
        (search.c1, search.c2) = (number("c1").unwrap_or(search.c1), number("c2").unwrap_or(search.c2));
        if let Some(span) = number("span") {
            search.start = Start::Around { span };
        }
        Signal::Swarm(SwarmSignal { search, block: Some(block), ..SwarmSignal::default() })
    };
    match kind {
        "prox" => {
            let tau = number("tau").unwrap_or(1.0);
            Ok(swarm(Search { proximity: Some(tau), start: Start::Around { span: 2.0 * tau }, ..Search::default() }))
        }
        "swarm" => Ok(swarm(Search { start: Start::Around { span: 1.0 }, ..Search::default() })),
        "es" => Ok(Signal::EvolutionStrategy { sigma, pairs }),
        "consensus" => Ok(Signal::Consensus { alpha: number("alpha").unwrap_or(f64::NAN), sigma, pairs }),
        other => {
            let rule = "a loss given by its name takes prox, consensus, es or swarm";
            Err(raised(Error::parameter("kind", format!("'{other}'"), rule)))
        }
    }
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
    let space = Space::unbounded(dim).map_err(raised)?;
    let called = Called::new(fun.clone_ref(py), vectorized || test.is_some(), space);
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
