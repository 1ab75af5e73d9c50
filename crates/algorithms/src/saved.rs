//! What is asked of a state that was read back.

use crate::parameters::{MOST, Parameters};
use swarmgrad_core::{Algorithm, Error, Matrix, Real, Result, Solutions};

/// A count can be counted on.
///
/// # Errors
/// It is not so.
pub fn count(name: &str, count: u64) -> Result<()> {
    if count <= MOST { Ok(()) } else { Err(Error::parameter(name, count, "must be a count")) }
}

/// A vector has this many entries.
///
/// # Errors
/// It is not so.
pub fn length<T>(name: &str, values: &[T], expected: usize) -> Result<()> {
    if values.len() == expected { Ok(()) } else { Err(Error::shape(name, values.len(), expected)) }
}

/// Several vectors have this many entries each.
///
/// # Errors
/// It is not so.
pub fn lengths<'a, T: 'a>(vectors: impl IntoIterator<Item = (&'a str, &'a Vec<T>)>, expected: usize) -> Result<()> {
    vectors.into_iter().try_for_each(|(name, values)| length(name, values, expected))
}

/// Rows of a matrix have this many entries, also those that are still to come.
///
/// # Errors
/// It is not so.
pub fn width<F: Real>(name: &str, matrix: &Matrix<F>, dim: usize) -> Result<()> {
    if matrix.dim() == dim { Ok(()) } else { Err(Error::shape(name, matrix.dim(), dim)) }
}

/// None of the numbers is NaN.
///
/// # Errors
/// It is not so.
pub fn numbers<F: Real>(name: &str, values: &[F]) -> Result<()> {
    holds(name, !values.iter().any(|t| t.is_nan()), "must be numbers")
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

/// A part has as many variables as the whole, as far as it says how many it has.
///
/// # Errors
/// It is not so.
pub fn fits<F: Real>(name: &str, part: &dyn Algorithm<F>, dim: usize) -> Result<()> {
    match part.dim() {
        Some(own) if own != dim => Err(Error::shape(name, own, dim)),
        _ => Ok(()),
    }
}

/// A point, where there is one, has this many coordinates.
///
/// # Errors
/// It is not so.
pub fn point<T>(name: &str, x: &[T], dim: usize) -> Result<()> {
    if x.is_empty() { Ok(()) } else { length(name, x, dim) }
}

/// The same of what a method has found.
///
/// # Errors
/// It is not so.
pub fn found<F: Real>(solutions: Option<&Solutions<F>>, dim: usize) -> Result<()> {
    solutions.map_or(Ok(()), |found| found.points.iter().try_for_each(|found| length("found", &found.x, dim)))
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
