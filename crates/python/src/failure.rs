//! Errors of the library as Python's exceptions, in the words of the Python package.

use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyOSError, PyValueError};
use swarmgrad::Error;

/// What the command line's options are called in Python.
const NAMES: [(&str, &str); 15] = [
    ("--constraint-tolerance", "constraint_tolerance"),
    ("--constraint", "constraints"),
    ("--bounds", "bounds"),
    ("--uncertainty", "uncertainty"),
    ("--set", "options"),
    ("--var", "space"),
    ("--dim", "dim"),
    ("--x0", "x0"),
    ("--exec", "fun"),
    ("--target", "target"),
    ("--quorum", "quorum"),
    ("--outside", "outside"),
    ("--gradient", "jac"),
    ("--overwrite", "overwrite"),
    ("--start", "start"),
];

/// The exception of an error.
pub fn raised(error: Error) -> PyErr {
    let mut text = error.to_string();
    for (option, name) in NAMES {
        text = text.replace(option, name);
    }
    match error {
        Error::File { .. } => PyOSError::new_err(text),
        Error::Memory { .. } => PyMemoryError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}
