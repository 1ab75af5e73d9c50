//! What an objective answered, as numbers. An answer that is none is an error that shows it.

use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

fn shape_text(shape: &[usize]) -> String {
    let inner = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    if shape.len() == 1 { format!("({inner},)") } else { format!("({inner})") }
}

fn no_number(answer: &Bound<'_, PyAny>) -> PyErr {
    let kind = answer.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
    let hint = if answer.is_none() { "; is a return missing?" } else { "" };
    PyTypeError::new_err(format!("the objective returned {kind}, expected a number{hint}"))
}

/// The value that an objective returned for one point: a float, an int, anything with one entry.
pub fn number(answer: &Bound<'_, PyAny>) -> PyResult<f64> {
    if let Ok(value) = answer.cast::<PyFloat>() {
        return Ok(value.value());
    }
    if answer.is_instance_of::<PyInt>() {
        return answer.extract();
    }
    let none = answer.is_none()
        || answer.is_instance_of::<PyString>()
        || answer.is_instance_of::<PyBytes>()
        || answer.is_instance_of::<PyByteArray>()
        || answer.is_instance_of::<PyList>()
        || answer.is_instance_of::<PyTuple>()
        || answer.is_instance_of::<PyDict>()
        || answer.is_instance_of::<PyComplex>();
    if none {
        return Err(no_number(answer));
    }
    // Arrays of NumPy, PyTorch and JAX.
    if let Ok(shape) = answer.getattr("shape").and_then(|shape| shape.extract::<Vec<usize>>()) {
        if shape.iter().product::<usize>() != 1 {
            let shape = shape_text(&shape);
            return Err(PyValueError::new_err(format!(
                "the objective returned shape {shape}, expected () or one entry"
            )));
        }
        let entry = answer.call_method0("item")?;
        return entry.extract().map_err(|_| no_number(&entry));
    }
    answer.extract().map_err(|_| no_number(answer))
}

/// An answer as an array of numbers.
fn array<'py>(answer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    // A tensor that has a gradient is no array before it is detached.
    let answer = if answer.hasattr("detach")? { answer.call_method0("detach")? } else { answer.clone() };
    let array = answer.py().import("numpy")?.call_method1("asarray", (answer, "float64"))?;
    Ok(array.cast_into::<PyArrayDyn<f64>>()?)
}

/// What a value is made of, residuals or objectives: anything with one axis.
pub fn parts(answer: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    if answer.is_none() || answer.is_instance_of::<PyString>() || answer.is_instance_of::<PyDict>() {
        return Err(no_number(answer));
    }
    let array = array(answer)?;
    match array.shape() {
        [number] if *number > 0 => Ok(array.to_vec()?),
        shape => {
            Err(PyValueError::new_err(format!("the objective returned shape {}, expected (n,)", shape_text(shape))))
        }
    }
}

/// The same of `count` points, a row a point.
pub fn rows_of_parts(answer: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<Vec<f64>>> {
    if answer.is_none() || answer.is_instance_of::<PyString>() {
        return Err(no_number(answer));
    }
    let array = array(answer)?;
    match array.shape() {
        [rows, width] if *rows == count && *width > 0 => {
            Ok(array.to_vec()?.chunks_exact(*width).map(<[f64]>::to_vec).collect())
        }
        shape => {
            let found = shape_text(shape);
            Err(PyValueError::new_err(format!("the objective returned shape {found}, expected ({count}, n)")))
        }
    }
}

/// The values that a vectorised objective returned for `count` points.
pub fn numbers(answer: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<f64>> {
    let direct = answer.extract::<PyReadonlyArray1<'_, f64>>().ok().filter(|array| array.len() == count);
    if let Some(values) = direct.and_then(|array| array.as_slice().map(<[f64]>::to_vec).ok()) {
        return Ok(values);
    }
    if answer.is_none() || answer.is_instance_of::<PyString>() {
        return Err(no_number(answer));
    }
    let array = array(answer)?;
    let shape = array.shape();
    if shape != [count] && shape != [count, 1] {
        let (found, wanted) = (shape_text(shape), shape_text(&[count]));
        return Err(PyValueError::new_err(format!("the objective returned shape {found}, expected {wanted}")));
    }
    Ok(array.to_vec()?)
}

/// The gradient that `jac` returned.
pub fn gradient(answer: &Bound<'_, PyAny>, dim: usize) -> PyResult<Vec<f64>> {
    let array = answer.py().import("numpy")?.call_method1("asarray", (answer, "float64"))?;
    let array = array.cast::<PyArrayDyn<f64>>()?;
    if array.shape() != [dim] {
        let (found, wanted) = (shape_text(array.shape()), shape_text(&[dim]));
        return Err(PyValueError::new_err(format!("the gradient has shape {found}, expected {wanted}")));
    }
    Ok(array.to_vec()?)
}
