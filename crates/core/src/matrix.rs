//! A flat, row-major matrix: one point a row, numpy's C order.

use crate::{Error, Real, Result};
use serde::{Deserialize, Serialize};

/// Points, one a row, in one flat allocation: coordinate `j` of point `i` is `data[i * dim + j]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Written<F>")]
pub struct Matrix<F: Real = f64> {
    dim: usize,
    data: Vec<F>,
}

/// A matrix as it is read back, before its numbers are known to fill its rows.
#[derive(Deserialize)]
#[serde(bound = "")]
struct Written<F: Real> {
    dim: usize,
    data: Vec<F>,
}

impl<F: Real> TryFrom<Written<F>> for Matrix<F> {
    type Error = Error;

    fn try_from(Written { dim, data }: Written<F>) -> Result<Self> {
        if data.is_empty() { Ok(Matrix::empty(dim)) } else { Matrix::from_vec(dim, data) }
    }
}

/// A borrowed, read-only [`Matrix`]: what `Problem::values` and `Algorithm::tell` see.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, F: Real = f64> {
    dim: usize,
    data: &'a [F],
}

impl<F: Real> Matrix<F> {
    /// No rows yet, each to have `dim` columns.
    pub fn empty(dim: usize) -> Self {
        Matrix { dim, data: Vec::new() }
    }

    /// `rows` rows of `dim` zeros.
    pub fn zeros(rows: usize, dim: usize) -> Self {
        Matrix { dim, data: vec![F::zero(); rows * dim] }
    }

    /// Takes a flat row-major vector. Errors if its length is not a multiple of `dim`.
    pub fn from_vec(dim: usize, data: Vec<F>) -> Result<Self> {
        if dim == 0 || !data.len().is_multiple_of(dim) {
            return Err(Error::parameter(
                "dim",
                dim,
                format!("must divide the {} numbers given into rows", data.len()),
            ));
        }
        Ok(Matrix { dim, data })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Number of coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Makes it `rows` by `dim`; keeps the allocation where it can. New entries are zero, old ones keep their flat place.
    pub fn resize(&mut self, rows: usize, dim: usize) {
        self.dim = dim;
        self.data.resize(rows * dim, F::zero());
    }

    /// Removes all rows and keeps the allocation.
    pub fn clear(&mut self) {
        self.data.clear();
    }

    /// Appends a point.
    pub fn push(&mut self, row: &[F]) {
        assert_eq!(row.len(), self.dim, "a row must have dim entries");
        self.data.extend_from_slice(row);
    }

    /// Keeps the rows named by `keep`, in that order.
    pub fn select(&mut self, keep: &[usize]) {
        self.data = keep.iter().flat_map(|&i| self.row(i).iter().copied()).collect();
    }

    /// Makes it a copy of `rows` without allocating when it was as large before.
    pub fn copy_from(&mut self, rows: Rows<'_, F>) {
        self.dim = rows.dim;
        self.data.clear();
        self.data.extend_from_slice(rows.data);
    }

    /// Point `i`.
    #[inline]
    pub fn row(&self, i: usize) -> &[F] {
        &self.data[i * self.dim..(i + 1) * self.dim]
    }

    /// Point `i`, to write.
    #[inline]
    pub fn row_mut(&mut self, i: usize) -> &mut [F] {
        &mut self.data[i * self.dim..(i + 1) * self.dim]
    }

    /// All points in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, F> {
        self.data.chunks_exact(self.dim.max(1))
    }

    /// All points in order, to write.
    pub fn iter_mut(&mut self) -> std::slice::ChunksExactMut<'_, F> {
        self.data.chunks_exact_mut(self.dim.max(1))
    }

    /// The flat numbers, row-major.
    #[inline]
    pub fn data(&self) -> &[F] {
        &self.data
    }

    /// The flat numbers, to write.
    #[inline]
    pub fn data_mut(&mut self) -> &mut [F] {
        &mut self.data
    }

    /// A borrowed view of all rows.
    pub fn rows(&self) -> Rows<'_, F> {
        Rows { dim: self.dim, data: &self.data }
    }
}

impl<'a, F: Real> Rows<'a, F> {
    /// A view of flat row-major numbers. Panics if their count is not a multiple of `dim`.
    pub fn new(dim: usize, data: &'a [F]) -> Self {
        assert!(dim > 0 && data.len().is_multiple_of(dim), "{} numbers do not fill rows of {dim}", data.len());
        Rows { dim, data }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.data.len() / self.dim.max(1)
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Number of coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Point `i`.
    #[inline]
    pub fn row(&self, i: usize) -> &'a [F] {
        &self.data[i * self.dim..(i + 1) * self.dim]
    }

    /// All points in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, F> {
        self.data.chunks_exact(self.dim.max(1))
    }

    /// The flat numbers, row-major.
    #[inline]
    pub fn data(&self) -> &'a [F] {
        self.data
    }

    /// Points `from..to`.
    pub fn slice(&self, from: usize, to: usize) -> Rows<'a, F> {
        Rows { dim: self.dim, data: &self.data[from * self.dim..to * self.dim] }
    }
}
