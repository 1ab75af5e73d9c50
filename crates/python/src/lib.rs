//! The extension module of the Python package `swarmgrad`: the driver of a run, the test problems, the registry of methods, and the
//! experiments.
//! Whatever can be said in Python is said there, in `swarmgrad/`.

mod answer;
mod driver;
mod failure;
mod lab;
mod lent;
mod native;

use failure::raised;
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;
use swarmgrad::study::{journal, number, space};
use swarmgrad::{Matrix, Space, Typed, Variable, problems, registry};

/// All methods, as JSON: name, summary and source.
#[pyfunction]
fn methods() -> String {
    let row = |entry: &registry::Entry| json!({ "name": entry.name, "summary": entry.summary, "source": entry.paper });
    Value::from_iter(registry::entries().map(row)).to_string()
}

/// A method with its parameters and presets, as JSON.
#[pyfunction]
fn method(name: &str) -> PyResult<String> {
    let entry = registry::entry(name).map_err(raised)?;
    let preset = |(name, about, values): &(&str, &str, &str)| {
        let values: Value = serde_json::from_str(values).unwrap_or_default();
        json!({ "name": name, "about": about, "values": values })
    };
    let parameters = entry.parameters();
    let presets: Vec<Value> = entry.presets.iter().map(preset).collect();
    let row = json!({ "name": entry.name, "summary": entry.summary, "source": entry.paper, "parameters": parameters,
                      "presets": presets });
    Ok(row.to_string())
}

/// The names of all test problems.
#[pyfunction]
fn problem_names() -> Vec<String> {
    problems::all().map(ToString::to_string).collect()
}

/// Writes a file whole or not at all.
#[pyfunction]
fn write_whole(path: PathBuf, text: &str) -> PyResult<()> {
    swarmgrad::write_whole(&path, text.as_bytes()).map_err(raised)
}

/// The texts of variables as they are read: the error of one that is none.
#[pyfunction]
fn check_variables(variables: Vec<String>) -> PyResult<usize> {
    space_of(&variables).map(|space| space.dim())
}

fn space_of(variables: &[String]) -> PyResult<Space> {
    let read: Vec<Vec<Variable>> =
        variables.iter().map(|text| Variable::read(text)).collect::<Result<_, _>>().map_err(raised)?;
    Space::of(read.concat()).map_err(raised)
}

/// The points of the box of typed points, which are JSON lists.
#[pyfunction]
fn encode(variables: Vec<String>, points: &str) -> PyResult<Vec<Vec<f64>>> {
    let space = space_of(&variables)?;
    let wrong = |why: serde_json::Error| pyo3::exceptions::PyValueError::new_err(why.to_string());
    let points: Vec<Vec<Value>> = serde_json::from_str(points).map_err(wrong)?;
    let value = |value: &Value| match value {
        Value::Bool(flag) => Typed::Flag(*flag),
        Value::Number(n) => n.as_i64().map_or_else(|| Typed::Number(n.as_f64().unwrap_or(f64::NAN)), Typed::Whole),
        Value::String(word) => Typed::Word(word.clone()),
        other => Typed::Word(other.to_string()),
    };
    let encoded = |point: &Vec<Value>| space.encode(&point.iter().map(value).collect::<Vec<_>>()).map_err(raised);
    points.iter().map(encoded).collect()
}

/// The values of a point of the box, as a JSON list.
#[pyfunction]
fn decode(variables: Vec<String>, point: Vec<f64>) -> PyResult<String> {
    let space = space_of(&variables)?;
    if point.len() != space.dim() {
        return Err(raised(swarmgrad::Error::Shape {
            name: "point".into(),
            found: point.len(),
            expected: space.dim(),
        }));
    }
    Ok(number::point(&space, &point).to_string())
}

/// Points and values of a file: a journal, a JSON array or text with a point a line; points that have no value come alone.
#[pyfunction]
fn known_points(path: std::path::PathBuf, maximize: bool) -> PyResult<(Vec<Vec<f64>>, Vec<f64>)> {
    space::known_points(&path, maximize).map_err(raised)
}

/// The study of a journal, as JSON; every line is read and its checksum compared.
#[pyfunction]
fn journal_study(py: Python<'_>, path: std::path::PathBuf) -> PyResult<String> {
    let contents = py.detach(|| journal::read(&path)).map_err(raised)?;
    Ok(contents.header.study.to_string())
}

/// The number that an objective's answer is.
#[pyfunction]
fn number_of(answer: &Bound<'_, PyAny>) -> PyResult<f64> {
    answer::number(answer)
}

/// The numbers that the answer of an objective with residuals or several objectives is.
#[pyfunction]
fn parts_of(answer: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    answer::parts(answer)
}

/// The hypervolume of points, one a row, up to a reference point.
#[pyfunction]
fn hypervolume(points: Vec<Vec<f64>>, reference: Vec<f64>) -> PyResult<f64> {
    let mut rows = Matrix::empty(reference.len());
    for point in &points {
        if point.len() != reference.len() {
            let name = "points".into();
            return Err(raised(swarmgrad::Error::Shape { name, found: point.len(), expected: reference.len() }));
        }
        rows.push(point);
    }
    Ok(swarmgrad::algorithms::front::hypervolume(rows.rows(), &reference))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<driver::Driver>()?;
    module.add_class::<native::TestFunction>()?;
    module.add_class::<lent::NamedLoss>()?;
    module.add_function(wrap_pyfunction!(methods, module)?)?;
    module.add_function(wrap_pyfunction!(method, module)?)?;
    module.add_function(wrap_pyfunction!(problem_names, module)?)?;
    module.add_function(wrap_pyfunction!(write_whole, module)?)?;
    module.add_function(wrap_pyfunction!(check_variables, module)?)?;
    module.add_function(wrap_pyfunction!(encode, module)?)?;
    module.add_function(wrap_pyfunction!(decode, module)?)?;
    module.add_function(wrap_pyfunction!(known_points, module)?)?;
    module.add_function(wrap_pyfunction!(journal_study, module)?)?;
    module.add_function(wrap_pyfunction!(number_of, module)?)?;
    module.add_function(wrap_pyfunction!(parts_of, module)?)?;
    module.add_function(wrap_pyfunction!(hypervolume, module)?)?;
    module.add_function(wrap_pyfunction!(lent::sources, module)?)?;
    module.add_function(wrap_pyfunction!(lent::gradient_of, module)?)?;
    module.add_function(wrap_pyfunction!(lent::certify, module)?)?;
    module.add_function(wrap_pyfunction!(lent::losses, module)?)?;
    module.add_function(wrap_pyfunction!(lab::learn, module)?)?;
    module.add_function(wrap_pyfunction!(lab::experiments, module)?)?;
    module.add_function(wrap_pyfunction!(lab::reproduce, module)?)?;
    module.add_function(wrap_pyfunction!(native::run, module)?)
}
