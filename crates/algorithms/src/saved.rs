//! What is asked of a state that was read back.

use crate::parameters::Parameters;
use swarmgrad_core::{Error, Matrix, Real, Result};

/// More rounds than any run makes; counts up to here can be counted on.
pub const MOST: u64 = 1 << 62;

/// A vector has this many entries.
///
/// # Errors
/// It is not so.
pub fn length<T>(name: &str, values: &[T], expected: usize) -> Result<()> {
    if values.len() == expected { Ok(()) } else { Err(Error::shape(name, values.len(), expected)) }
}

/// A matrix has this many rows and columns.
///
/// # Errors
/// It is not so.
pub fn shape<F: Real>(name: &str, matrix: &Matrix<F>, rows: usize, dim: usize) -> Result<()> {
    if matrix.data().len() == rows * dim && (matrix.dim() == dim || rows == 0) {
        Ok(())
    } else {
        let found = format!("{} by {}", matrix.len(), matrix.dim());
        Err(Error::parameter(name, found, format!("must be {rows} by {dim}")))
    }
}

/// Indices lie below a number.
///
/// # Errors
/// It is not so.
pub fn below<'a>(name: &str, indices: impl IntoIterator<Item = &'a usize>, end: usize) -> Result<()> {
    match indices.into_iter().find(|i| **i >= end) {
        Some(i) => Err(Error::parameter(name, i, format!("must be below {end}"))),
        None => Ok(()),
    }
}

/// Something that must be so.
///
/// # Errors
/// It is not so.
pub fn holds(name: &str, is: bool, rule: &str) -> Result<()> {
    if is { Ok(()) } else { Err(Error::parameter(name, "as saved", rule)) }
}

/// Parameters are in their ranges.
///
/// # Errors
/// It is not so.
pub fn parameters<P: Parameters>(params: &P) -> Result<()> {
    params.check()
}
