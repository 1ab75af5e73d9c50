//! What a test function is: a row of the table, and the trait of those that are ready for use.

use std::fmt;
use swarmgrad_core::{Differentiable, Error, Problem, Real, Result};

/// How many coordinates a test function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dims {
    /// Any number from `min` on.
    Any {
        /// The smallest number.
        min: usize,
    },
    /// That number and no other.
    Exactly(usize),
    /// One of these numbers, in ascending order.
    Among(&'static [usize]),
}

impl Dims {
    /// Whether `dim` coordinates will do.
    pub fn allows(self, dim: usize) -> bool {
        match self {
            Dims::Any { min } => dim >= min,
            Dims::Exactly(only) => dim == only,
            Dims::Among(all) => all.contains(&dim),
        }
    }

    /// The smallest number of coordinates.
    pub fn least(self) -> usize {
        match self {
            Dims::Any { min } => min,
            Dims::Exactly(only) => only,
            Dims::Among(all) => all.first().copied().unwrap_or(1),
        }
    }
}

/// One row of the table: what a test function is, without a choice of dimension, bounds or precision.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The name users write.
    pub name: &'static str,
    /// The name as the literature writes it.
    pub title: &'static str,
    /// The formula in plain text; sums and products run over the coordinates, counted from one.
    pub formula: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What it is good for, in one line.
    pub about: &'static str,
    /// How many coordinates it takes.
    pub dims: Dims,
    /// The default bounds: a pair for each coordinate, the last pair for all that follow.
    pub domain: &'static [(f64, f64)],
    /// Whether the minimum holds on all of R^d, not just on the default domain.
    pub everywhere: bool,
    /// Whether there is an analytic gradient (almost everywhere; at an isolated kink it is a subgradient or zero).
    pub differentiable: bool,
    /// Which instance it is, for a function that has many; written behind the name as `/i3`.
    pub instance: Option<u64>,
}

/// The name, with the instance behind it unless that is the first: [`entry`](crate::entry) reads it back.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instance {
            None | Some(1) => f.write_str(self.name),
            Some(instance) => write!(f, "{}/i{instance}", self.name),
        }
    }
}

/// A row without further marks: name, title, formula, source, what it is, dimensions and bounds.
macro_rules! entry {
    ($name:expr, $title:expr, $formula:expr, $source:expr, $about:expr, $dims:expr, $domain:expr) => {
        $crate::entry::Entry {
            name: $name,
            title: $title,
            formula: $formula,
            source: $source,
            about: $about,
            dims: $dims,
            domain: $domain,
            everywhere: false,
            differentiable: false,
            instance: None,
        }
    };
}
pub(crate) use entry;

impl Entry {
    pub(crate) fn check(&self, dim: usize) -> Result<()> {
        let rule = match self.dims {
            _ if self.dims.allows(dim) => return Ok(()),
            Dims::Any { min } => format!("{self} needs at least {min}"),
            Dims::Exactly(only) => format!("{self} needs exactly {only}"),
            Dims::Among(all) => format!("{self} needs one of {all:?}"),
        };
        Err(Error::parameter("dim", dim, rule))
    }
}

/// A test function ready for use: a [`Problem`] that knows what it is and, where that is known, its answer.
pub trait TestProblem<F: Real = f64>: Problem<F> + Send {
    /// Its row in the table.
    fn entry(&self) -> &Entry;

    /// The smallest value on the space, if it is known.
    fn minimum(&self) -> Option<F>;

    /// The points inside the space that attain it; none if the minimum is not known.
    fn minimizers(&self) -> &[Vec<F>];

    /// A point within all constraints that the suite offers to start from; none where it offers none.
    fn start(&self) -> Option<&[F]> {
        None
    }

    /// The same problem with its analytic gradient, if it has one.
    fn differentiable(&self) -> Option<&dyn Differentiable<F>>;
}
