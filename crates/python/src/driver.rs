//! The driver of a run whose objective is Python's: a session, its record, and the loop that calls the objective.

use crate::answer;
use crate::failure::raised;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};
use swarmgrad::study::journal::{self, Header, Journal};
use swarmgrad::study::{Collector, Meaning, Plan, Report, Study};
use swarmgrad::{
    Aim, Asked, Batch, Error, Evaluation, Failure, Id, Limits, Progress, Reason, Session, Time, Told, Typed, Variable,
    VariableKind, Watch,
};

/// The best value after so many evaluations, an entry an improvement.
#[derive(Clone, Default)]
pub struct Curve(Arc<Mutex<Vec<(u64, f64)>>>);

impl Curve {
    /// The course so far, with the sign of the problem.
    pub fn points(&self, maximize: bool) -> Vec<(u64, f64)> {
        let points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        points.iter().map(|&(n, value)| (n, if maximize { 0.0 - value } else { value })).collect()
    }
}

impl Watch for Curve {
    fn see(&mut self, progress: &Progress<'_>) -> ControlFlow<Reason> {
        let mut points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let best = progress.best;
        let news = points.last().is_none_or(|&(_, last)| best.value < last);
        if best.value.is_finite() && best.violation == 0.0 && news {
            points.push((best.evaluation, best.value));
        }
        ControlFlow::Continue(())
    }
}

/// A journal that the driver keeps a hand on.
struct Shared(Arc<Mutex<Journal>>);

impl Shared {
    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Shared {
    fn see(&mut self, progress: &Progress<'_>) -> ControlFlow<Reason> {
        self.journal().see(progress)
    }

    fn sees_evaluations(&self) -> bool {
        true
    }

    fn asked(&mut self, asked: &Asked<'_>) {
        self.journal().asked(asked);
    }

    fn evaluated(&mut self, told: &Told<'_>) {
        self.journal().evaluated(told);
    }
}

/// Calls `callback(x, fun, nfev, nit)`: true ends the run, and so does what it raises, which is kept.
fn call_back(
    py: Python<'_>,
    callback: &Py<PyAny>,
    (x, fun, nfev, nit): (&[f64], f64, u64, u64),
) -> PyResult<ControlFlow<Reason>> {
    let ends = callback.call1(py, (PyArray1::from_slice(py, x), fun, nfev, nit))?.is_truthy(py)?;
    Ok(if ends {
        ControlFlow::Break(Reason::Method("the callback ended the run".into()))
    } else {
        ControlFlow::Continue(())
    })
}

/// A watcher that calls back into Python from a run without an interpreter.
pub fn callback_of(callback: Py<PyAny>, fault: Arc<Mutex<Option<PyErr>>>, maximize: bool) -> impl Watch {
    move |p: &Progress<'_>| {
        let fun = if maximize { 0.0 - p.best.value } else { p.best.value };
        let said = Python::attach(|py| call_back(py, &callback, (&p.best.x, fun, p.evaluations, p.iteration)));
        said.unwrap_or_else(|why| {
            *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            ControlFlow::Break(Reason::Interrupted)
        })
    }
}

/// A session and what belongs to it; no session once its report has been made.
struct Inner {
    session: Option<Session<'static>>,
    batch: Batch,
    repeated: u64,
    record: Option<PathBuf>,
    last_failure: Option<Failure>,
    /// Points that are out, where their constraints depend on them.
    out: BTreeMap<u64, Vec<f64>>,
    /// Whether single evaluations are written down, so that each is told at once.
    observed: bool,
}

/// The best point, its value, evaluations and iterations.
type Standing<'py> = (Bound<'py, PyArray1<f64>>, f64, u64, u64);

/// One run.
#[pyclass(frozen, module = "swarmgrad._native")]
pub struct Driver {
    plan: Plan,
    inner: Mutex<Inner>,
    journal: Option<Shared>,
    curve: Curve,
    /// Names of typed variables, a name a number where several belong together.
    names: Vec<Py<PyString>>,
    /// The objects that the words of each choice stand for.
    objects: Vec<Option<Vec<Py<PyAny>>>>,
    /// Whether the method takes gradients, where there are any.
    takes_gradients: bool,
    /// What the values mean, where the uncertainty of the variables is asked for, and the points.
    uncertainty: Option<(Meaning, Collector)>,
}

#[pymethods]
impl Driver {
    /// The run of a study that is JSON. `objects` has the objects of each choice, None for other variables; none for a space
    /// without types.
    #[new]
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (study, objects, record, overwrite, gradients, uncertainty=None))]
    fn new(
        py: Python<'_>,
        study: &str,
        objects: Vec<Option<Vec<Py<PyAny>>>>,
        record: Option<PathBuf>,
        overwrite: bool,
        gradients: bool,
        uncertainty: Option<&str>,
    ) -> PyResult<Self> {
        let study: Study = serde_json::from_str(study).map_err(|why| PyValueError::new_err(why.to_string()))?;
        let plan = study.plan().map_err(raised)?;
        let curve = Curve::default();
        let mut session = plan.session().map_err(raised)?.limits(plan.limits()).watch(curve.clone());
        let meaning = uncertainty.map(|text| plan.meaning(text)).transpose().map_err(raised)?;
        let uncertainty = meaning.map(|meaning| (meaning, Collector::default()));
        if let Some((_, collector)) = &uncertainty {
            session = session.watch(collector.clone());
        }
        let takes_gradients = gradients && session.expect_gradients(plan.study.gradient_cost);
        let mut kept = None;
        let mut repeated = 0;
        if let Some(path) = &record {
            let (journal, contents) = open(&plan, path, overwrite).map_err(raised)?;
            let journal = Arc::new(Mutex::new(journal));
            kept = Some(Shared(journal.clone()));
            session = session.watch(Shared(journal));
            if let Some(contents) = contents {
                let known = py.detach(|| journal::replay(&mut session, &contents)).map_err(raised)?;
                session = session.after(Duration::from_secs_f64(known.seconds));
                repeated = known.evaluations;
            }
        }
        if let Some(seconds) = plan.study.time {
            let seconds = Duration::try_from_secs_f64(seconds)
                .map_err(|_| PyValueError::new_err(format!("time_limit = {seconds}: must be seconds, at least 0")))?;
            let left = seconds.saturating_sub(session.elapsed());
            session = session.limits(Limits { time: Some(Time::from_now(left)), ..Limits::default() });
        }
        // Numbers that belong together have one name.
        let name =
            |variable: &Variable| PyString::new(py, variable.group().map_or(variable.name(), |group| group.0)).unbind();
        let names = plan.space.variables().iter().map(name).collect();
        let batch = session.ask(0);
        let observed = kept.is_some();
        let inner = Inner {
            session: Some(session),
            batch,
            repeated,
            record,
            last_failure: None,
            out: BTreeMap::new(),
            observed,
        };
        Ok(Driver {
            plan,
            inner: Mutex::new(inner),
            journal: kept,
            curve,
            names,
            objects,
            takes_gradients,
            uncertainty,
        })
    }

    /// Number of coordinates.
    #[getter]
    fn dim(&self) -> usize {
        self.plan.space.dim()
    }

    /// The evaluations that the run may spend.
    #[getter]
    fn budget(&self) -> Option<u64> {
        self.plan.budget
    }

    /// Whether the method takes gradients.
    #[getter]
    fn takes_gradients(&self) -> bool {
        self.takes_gradients
    }

    /// Lower and upper bounds of the coordinates.
    #[getter]
    fn bounds(&self) -> (Vec<f64>, Vec<f64>) {
        (self.plan.space.lower().to_vec(), self.plan.space.upper().to_vec())
    }

    /// Whether an objective answers with residuals or several objectives.
    #[getter]
    fn has_parts(&self) -> bool {
        self.plan.aim != Aim::Value
    }

    /// Names of the values of constraints that an evaluation has to say.
    #[getter]
    fn answered(&self) -> Vec<String> {
        self.plan.constraints.answered().to_vec()
    }

    /// Why the run has ended, None while it has not.
    #[getter]
    fn ended(&self) -> PyResult<Option<String>> {
        let inner = self.inner()?;
        Ok(inner.session.as_ref().map_or_else(|| Some("ended".into()), |s| s.ended().map(ToString::to_string)))
    }

    /// Points that were handed out and have no value yet.
    #[getter]
    fn outstanding(&self) -> PyResult<usize> {
        Ok(self.inner()?.session.as_ref().map_or(0, Session::outstanding))
    }

    /// Seconds until the run must end, None where it need not.
    #[getter]
    fn seconds_left(&self) -> PyResult<Option<f64>> {
        let inner = self.inner()?;
        let session = inner.session.as_ref().filter(|session| !session.is_settling());
        let deadline = session.and_then(Session::deadline);
        Ok(deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).as_secs_f64()))
    }

    /// The state of the run in numbers: best point and value, evaluations, iterations.
    fn best<'py>(&self, py: Python<'py>) -> PyResult<Option<Standing<'py>>> {
        let inner = self.inner()?;
        let Some(session) = &inner.session else { return Ok(None) };
        let nit = session.algorithm().iterations();
        let best = session.best().map(|best| (best.x.clone(), self.plan.signed(best.value)));
        Ok(best.map(|(x, fun)| (PyArray1::from_vec(py, x), fun, session.evaluations(), nit)))
    }

    /// Hands out up to `most` points: number of the first, points one a row, rows whose gradient is wanted.
    fn ask<'py>(&self, py: Python<'py>, most: usize) -> PyResult<(u64, Bound<'py, PyArray2<f64>>, Vec<usize>)> {
        let mut inner = self.inner()?;
        let inner = &mut *inner;
        let Some(session) = &mut inner.session else { return Err(over()) };
        py.detach(|| session.ask_into(most, &mut inner.batch));
        let batch = &inner.batch;
        if !self.plan.constraints.list().is_empty() {
            inner.out.extend(batch.points().map(|(id, x)| (id.0, x.to_vec())));
        }
        let first = batch.ids().next().map_or(0, |id| id.0);
        let rows = PyArray1::from_slice(py, batch.rows().data()).reshape([batch.len(), self.plan.space.dim()])?;
        Ok((first, rows, batch.gradient_rows().to_vec()))
    }

    /// What points of the box mean: dicts where the variables have types, arrays elsewhere.
    fn points<'py>(&self, py: Python<'py>, rows: PyReadonlyArray1<'py, f64>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let dim = self.plan.space.dim();
        rows.as_slice()?.chunks_exact(dim).map(|x| self.point(py, x)).collect()
    }

    /// Takes the value of a point, or why it has none.
    #[pyo3(signature = (id, value, kind=None, text=None, seconds=0.0, worker=0, attempt=1, gradient=None, constraints=None))]
    #[allow(clippy::too_many_arguments)]
    fn tell(
        &self,
        py: Python<'_>,
        id: u64,
        value: Said,
        kind: Option<&str>,
        text: Option<String>,
        seconds: f64,
        worker: u32,
        attempt: u32,
        gradient: Option<Vec<f64>>,
        constraints: Option<Vec<f64>>,
    ) -> PyResult<()> {
        let mut evaluation = match kind {
            None => match value {
                Said::Value(value) if self.plan.aim == Aim::Value => Evaluation::of(self.plan.signed(value)),
                Said::Parts(parts) if self.plan.aim != Aim::Value => self.plan.evaluation(parts),
                Said::Value(_) => return Err(PyValueError::new_err(format!("value: {}, expected a list", PARTS))),
                Said::Parts(_) => return Err(PyValueError::new_err("value: a list, expected a number")),
            },
            Some(kind) => Evaluation::failed(
                Failure::of(kind, text.unwrap_or_default())
                    .ok_or_else(|| PyValueError::new_err(format!("'{kind}' is no kind of failure")))?,
            ),
        };
        (evaluation.seconds, evaluation.worker, evaluation.attempt) = (seconds, worker, attempt);
        if let Some(gradient) = gradient {
            self.add_gradient(&mut evaluation, gradient);
        }
        let mut inner = self.inner()?;
        let inner = &mut *inner;
        if let Some(x) = inner.out.get(&id) {
            self.constrain(x, constraints.unwrap_or_default(), &mut evaluation);
        }
        inner.last_failure = evaluation.failure.clone().or(inner.last_failure.take());
        let Some(session) = &mut inner.session else { return Err(over()) };
        py.detach(|| session.tell(Id(id), evaluation)).map_err(raised)?;
        inner.out.remove(&id);
        Ok(())
    }

    /// Ends the run: by a name of a reason, or for a reason in words.
    fn stop(&self, reason: &str) -> PyResult<()> {
        let reason = match reason {
            "interrupted" => Reason::Interrupted,
            "time" => Reason::Time,
            "failures" => Reason::Failures("the objective failed".into()),
            words => Reason::Method(words.into()),
        };
        if let Some(session) = &mut self.inner()?.session {
            session.stop(reason);
        }
        Ok(())
    }

    /// Runs to the end over an objective in this thread. `jac` is a function, or true where the objective returns both; `skip`
    /// counts what it raises as a failed point; `constraints` returns the values that [`Driver::answered`] names.
    #[pyo3(signature = (fun, args, vectorized, jac, constraints, skip, callback))]
    #[allow(clippy::too_many_arguments)]
    fn drive(
        &self,
        py: Python<'_>,
        fun: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        vectorized: bool,
        jac: Option<Bound<'_, PyAny>>,
        constraints: Option<Bound<'_, PyAny>>,
        skip: bool,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let jac = jac.filter(|_| self.takes_gradients);
        let objective = Objective { driver: self, fun, args, jac, constraints, skip };
        let mut guard = self.inner()?;
        let Inner { session, batch, last_failure, observed, .. } = &mut *guard;
        let Some(session) = session else { return Err(over()) };
        let mut values: Vec<Evaluation> = Vec::new();
        while session.ended().is_none() {
            let round = session.rounds();
            py.detach(|| session.ask_into(usize::MAX, batch));
            let deadline = session.deadline().filter(|_| !session.is_settling());
            let mut late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let mut fault = None;
            if vectorized && !late && !batch.is_empty() {
                match objective.values(py, batch) {
                    Ok(found) => values.extend(found),
                    Err(why) => fault = Some(why),
                }
            } else if !late {
                let wanted = if objective.jac.is_some() { batch.gradient_rows() } else { &[] };
                for (i, (id, x)) in batch.points().enumerate() {
                    match objective.value(py, x, wanted.binary_search(&i).is_ok(), *observed) {
                        Ok(evaluation) if *observed => py.detach(|| session.tell(id, evaluation)).map_err(raised)?,
                        Ok(evaluation) => values.push(evaluation),
                        Err(why) => fault = Some(why),
                    }
                    late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
                    if fault.is_some() || late {
                        break;
                    }
                }
            }
            py.detach(|| {
                batch.ids().zip(values.drain(..)).try_for_each(|(id, evaluation)| {
                    if evaluation.failure.is_some() {
                        last_failure.clone_from(&evaluation.failure);
                    }
                    session.tell(id, evaluation)
                })
            })
            .map_err(raised)?;
            if let Some(why) = fault {
                session.stop(if why.is_instance_of::<PyException>(py) {
                    Reason::Failures("the objective raised an exception".into())
                } else {
                    Reason::Interrupted
                });
                return Err(why);
            }
            if late {
                session.stop(Reason::Time);
            }
            if let Err(signal) = py.check_signals() {
                session.stop(Reason::Interrupted);
                return Err(signal);
            }
            if let Some(callback) = callback.as_ref().filter(|_| session.rounds() > round)
                && let Some(best) = session.best()
            {
                let nit = session.algorithm().iterations();
                let state = (&best.x[..], self.plan.signed(best.value), session.evaluations(), nit);
                match call_back(py, callback, state) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(reason)) => session.stop(reason),
                    Err(why) => {
                        session.stop(Reason::Interrupted);
                        return Err(why);
                    }
                }
            }
        }
        Ok(())
    }

    /// The course of the best value: evaluations and values.
    fn curve(&self) -> Vec<(u64, f64)> {
        self.curve.points(self.plan.study.maximize)
    }

    /// What the run has come to while it goes on, as JSON.
    fn state(&self) -> PyResult<String> {
        let inner = self.inner()?;
        let Some(session) = &inner.session else { return Err(over()) };
        let mut failures = serde_json::Map::new();
        failures.extend(session.failures().list().map(|(kind, count)| (kind.to_owned(), Value::from(count))));
        let state = json!({ "nfev": session.evaluations(), "nit": session.algorithm().iterations(),
            "failures": session.failures().total(), "failure_kinds": failures, "seconds": session.elapsed().as_secs_f64(),
            "message": session.ended().map_or("the run goes on".into(), ToString::to_string) });
        Ok(state.to_string())
    }

    /// Ends the run and makes its report, JSON; once.
    fn report(&self, py: Python<'_>) -> PyResult<String> {
        let mut inner = self.inner()?;
        let Some(session) = inner.session.take() else { return Err(over()) };
        let mut outcome = py.detach(|| session.outcome());
        if self.plan.study.maximize {
            outcome.fun = 0.0 - outcome.fun;
            if let Some(noise) = &mut outcome.noise {
                (noise.mean, noise.low, noise.high) = (0.0 - noise.mean, 0.0 - noise.high, 0.0 - noise.low);
            }
            let found = outcome.solutions.iter_mut().flat_map(|solutions| &mut solutions.points);
            found.for_each(|found| {
                found.value = 0.0 - found.value;
                found.parts.iter_mut().for_each(|part| *part = 0.0 - *part);
            });
        }
        let asked = self.uncertainty.as_ref().filter(|_| outcome.covariance.is_none());
        let uncertainty = asked.map(|(meaning, seen)| self.plan.uncertainty(&seen.seen(), &outcome, *meaning));
        let last_failure = inner.last_failure.as_ref().map(swarmgrad::study::LastFailure::of);
        let mut report = Report {
            plan: self.plan.clone(),
            outcome,
            minimum: None,
            last_failure,
            restarts: 0,
            repeated: inner.repeated,
            earlier: 0,
            kept: inner.record.clone(),
            gained: None,
            uncertainty,
            trouble: Vec::new(),
        };
        if let Some(journal) = &self.journal {
            let mut journal = journal.journal();
            let result = serde_json::to_value(&report).unwrap_or_default();
            match report.outcome.reason {
                // A run that was broken off has no result yet.
                Reason::Failures(_) | Reason::Interrupted => journal.finish(),
                _ => journal.result(&result),
            }
            report.trouble.extend(journal.trouble());
        }
        serde_json::to_string(&report).map_err(|why| PyValueError::new_err(why.to_string()))
    }
}

fn over() -> PyErr {
    PyRuntimeError::new_err("the run is over and its result has been taken")
}

/// The journal of a plan, and what it holds already.
fn open(
    plan: &Plan,
    path: &std::path::Path,
    overwrite: bool,
) -> swarmgrad::Result<(Journal, Option<journal::Contents>)> {
    let there = std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() > 0);
    if there && overwrite {
        journal::rotate(path)?;
    }
    if !there || overwrite {
        let study = serde_json::to_value(&plan.study).map_err(|why| Error::Saved(why.to_string()))?;
        let header = Header::new(study).names(plan.names.clone()).maximize(plan.study.maximize);
        return Ok((Journal::create(path, &header)?.of(&plan.space), None));
    }
    let (journal, contents) = Journal::append(path)?;
    let study = serde_json::from_value(contents.header.study.clone())
        .map_err(|why| Error::Saved(format!("{}: {why}", path.display())))?;
    plan.same_run(&study, path)?;
    Ok((journal.of(&plan.space), Some(contents)))
}

impl Driver {
    fn inner(&self) -> PyResult<MutexGuard<'_, Inner>> {
        match self.inner.try_lock() {
            Ok(inner) => Ok(inner),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(PyRuntimeError::new_err("the run is in use: an objective cannot drive the run that calls it"))
            }
        }
    }

    /// Adds the values of all constraints at a point.
    fn constrain(&self, x: &[f64], said: Vec<f64>, evaluation: &mut Evaluation) {
        if self.plan.constraints.list().is_empty() || evaluation.failure.is_some() {
            return;
        }
        match self.plan.constraints.complete(&self.plan.space, x, said) {
            Ok(constraints) => evaluation.constraints = constraints,
            Err(failure) => (evaluation.failure, evaluation.value) = (Some(failure), f64::NAN),
        }
    }

    fn add_gradient(&self, evaluation: &mut Evaluation, mut gradient: Vec<f64>) {
        if self.plan.study.maximize {
            gradient.iter_mut().for_each(|g| *g = 0.0 - *g);
        }
        (evaluation.gradient, evaluation.gradients) = (gradient, 1);
    }

    /// A point as an objective gets it.
    fn point<'py>(&self, py: Python<'py>, x: &[f64]) -> PyResult<Bound<'py, PyAny>> {
        if self.names.is_empty() {
            return Ok(PyArray1::from_slice(py, x).into_any());
        }
        let space = &self.plan.space;
        let point = PyDict::new(py);
        let mut together = Vec::new();
        for (k, (value, variable)) in space.decode(x).into_iter().zip(space.variables()).enumerate() {
            let objects = self.objects.get(k).and_then(Option::as_ref);
            if let (Some((_, index, of)), Typed::Number(t)) = (variable.group(), &value) {
                together.push(*t);
                if index + 1 == of {
                    point.set_item(&self.names[k], PyArray1::from_slice(py, &together))?;
                    together.clear();
                }
                continue;
            }
            let object = match (value, variable.kind(), objects) {
                (Typed::Word(word), VariableKind::Choice { of, .. }, Some(objects)) => {
                    let place = of.iter().position(|known| *known == word).unwrap_or_default();
                    objects[place].bind(py).clone()
                }
                (Typed::Number(t), ..) => t.into_pyobject(py)?.into_any(),
                (Typed::Whole(k), ..) => k.into_pyobject(py)?.into_any(),
                (Typed::Word(word), ..) => word.into_pyobject(py)?.into_any(),
                (Typed::Flag(flag), ..) => flag.into_pyobject(py)?.to_owned().into_any(),
            };
            point.set_item(&self.names[k], object)?;
        }
        Ok(point.into_any())
    }
}

/// What was said of a point: its value, or what that is made of.
#[derive(FromPyObject)]
enum Said {
    Value(f64),
    Parts(Vec<f64>),
}

/// That a number was said where more is expected.
const PARTS: &str = "a number of a problem with residuals or several objectives";

/// A Python function of a point.
struct Objective<'a, 'py> {
    driver: &'a Driver,
    fun: Bound<'py, PyAny>,
    args: Bound<'py, PyTuple>,
    jac: Option<Bound<'py, PyAny>>,
    constraints: Option<Bound<'py, PyAny>>,
    skip: bool,
}

impl<'py> Objective<'_, 'py> {
    fn call(&self, fun: &Bound<'py, PyAny>, x: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if self.args.is_empty() {
            return fun.call1((x,));
        }
        let all = std::iter::once(x).chain(self.args.iter());
        fun.call1(PyTuple::new(fun.py(), all.collect::<Vec<_>>())?)
    }

    /// The evaluation of one point, with the gradient where that is wanted.
    fn value(&self, py: Python<'py>, x: &[f64], gradient: bool, timed: bool) -> PyResult<Evaluation> {
        let begin = timed.then(Instant::now);
        let mut evaluation = match self.called(py, x, gradient) {
            Ok(evaluation) => evaluation,
            Err(why) if self.skip && why.is_instance_of::<PyException>(py) => {
                Evaluation::failed(Failure::Rejected(why.to_string()))
            }
            Err(why) => return Err(why),
        };
        evaluation.seconds = begin.map_or(0.0, |begin| begin.elapsed().as_secs_f64());
        Ok(evaluation)
    }

    fn called(&self, py: Python<'py>, x: &[f64], gradient: bool) -> PyResult<Evaluation> {
        let answer = self.call(&self.fun, self.driver.point(py, x)?)?;
        let both = self.jac.as_ref().is_some_and(|jac| !jac.is_callable());
        let (value, by_fun) = match both {
            true => {
                let (value, gradient): (Bound<'py, PyAny>, Bound<'py, PyAny>) = answer.extract()?;
                (value, Some(gradient))
            }
            false => (answer, None),
        };
        let plan = &self.driver.plan;
        let mut evaluation = match plan.aim {
            Aim::Value => Evaluation::of(plan.signed(answer::number(&value)?)),
            _ => plan.evaluation(answer::parts(&value)?),
        };
        self.constrain(py, x, &mut evaluation)?;
        if let Some(jac) = self.jac.as_ref().filter(|_| gradient && evaluation.failure.is_none()) {
            let found = match by_fun {
                Some(gradient) => gradient,
                None => self.call(jac, self.driver.point(py, x)?)?,
            };
            self.driver.add_gradient(&mut evaluation, answer::gradient(&found, x.len())?);
        } else if gradient {
            evaluation.gradients = 1;
        }
        Ok(evaluation)
    }

    /// Adds the values of the constraints at a point.
    fn constrain(&self, py: Python<'py>, x: &[f64], evaluation: &mut Evaluation) -> PyResult<()> {
        let said = match self.constraints.as_ref().filter(|_| evaluation.failure.is_none()) {
            Some(constraints) => constraints.call1((self.driver.point(py, x)?,))?.extract()?,
            None => Vec::new(),
        };
        self.driver.constrain(x, said, evaluation);
        Ok(())
    }

    /// The evaluations of all points of a batch in one call, and the gradients that are wanted.
    fn values(&self, py: Python<'py>, batch: &Batch) -> PyResult<Vec<Evaluation>> {
        let rows = batch.rows();
        let xs = match self.driver.names.is_empty() {
            true => PyArray1::from_slice(py, rows.data()).reshape([batch.len(), rows.dim()])?.into_any(),
            false => {
                let points: Vec<_> = rows.iter().map(|x| self.driver.point(py, x)).collect::<PyResult<_>>()?;
                points.into_pyobject(py)?
            }
        };
        let plan = &self.driver.plan;
        let answer = self.call(&self.fun, xs).and_then(|answer| match plan.aim {
            Aim::Value => {
                let values = answer::numbers(&answer, batch.len())?;
                Ok(values.into_iter().map(|value| Evaluation::of(plan.signed(value))).collect())
            }
            _ => {
                let rows = answer::rows_of_parts(&answer, batch.len())?;
                Ok(rows.into_iter().map(|parts| plan.evaluation(parts)).collect())
            }
        });
        let mut evaluations: Vec<Evaluation> = match answer {
            Ok(evaluations) => evaluations,
            Err(why) if self.skip && why.is_instance_of::<PyException>(py) => {
                let failed = Evaluation::failed(Failure::Rejected(why.to_string()));
                return Ok(vec![failed; batch.len()]);
            }
            Err(why) => return Err(why),
        };
        for (evaluation, x) in evaluations.iter_mut().zip(rows.iter()) {
            self.constrain(py, x, evaluation)?;
        }
        if let Some(jac) = &self.jac {
            for &row in batch.gradient_rows() {
                let x = rows.row(row);
                let found = self.call(jac, self.driver.point(py, x)?)?;
                self.driver.add_gradient(&mut evaluations[row], answer::gradient(&found, x.len())?);
            }
        }
        Ok(evaluations)
    }
}
