//! GradientSource: where a gradient comes from.

use crate::Real;
use std::fmt;

/// What a gradient cost, the value seen on the way, and how far the gradient can be relied on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampled<F: Real = f64> {
    /// The problem's value at the point.
    pub value: F,
    /// Evaluations of the problem that it took, the value at the point included.
    pub evaluations: u64,
    /// Exact gradients of the problem that it took.
    pub gradients: u64,
    /// What the samples say of their own gradient; none where it is a formula's.
    pub reliability: Option<Reliability>,
}

/// How far a gradient from samples can be relied on: about what it estimates, which is the gradient of the function itself, of an
/// envelope or of a smoothing, as its source says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// The number of equally good samples that would say as much; what counts as a sample is the source's to say.
    pub effective_samples: f64,
    /// The standard error, as a length: the root of the summed variances of the gradient's entries. Infinite where the samples
    /// cannot tell.
    pub standard_error: f64,
    /// Why not to rely on it.
    pub collapse: Option<Collapse>,
}

/// Why a gradient from samples is not to be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Collapse {
    /// No sample had a finite value.
    NoValue,
    /// The samples that count are fewer than the gradient needs.
    FewSamples,
    /// The standard error exceeds half of the gradient.
    Noise,
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Collapse::NoValue => "no sample had a finite value",
            Collapse::FewSamples => "too few samples count: more of them, a smaller alpha or a larger tau",
            Collapse::Noise => "the standard error exceeds half of the gradient: more samples",
        })
    }
}

impl Reliability {
    /// Of a gradient that is `length` long and takes `needed` samples at least.
    ///
    /// ```
    /// use swarmgrad_core::{Collapse, Reliability};
    /// assert_eq!(Reliability::of(50.0, 3.0, 0.1, 2.0).collapse, None);
    /// assert_eq!(Reliability::of(1.2, 3.0, 0.1, 2.0).collapse, Some(Collapse::FewSamples));
    /// assert_eq!(Reliability::of(50.0, 3.0, 1.1, 2.0).collapse, Some(Collapse::Noise));
    /// ```
    pub fn of(effective_samples: f64, needed: f64, standard_error: f64, length: f64) -> Self {
        let collapse = if effective_samples <= 0.0 {
            Some(Collapse::NoValue)
        } else if effective_samples < needed {
            Some(Collapse::FewSamples)
        } else {
            (standard_error > 0.5 * length).then_some(Collapse::Noise)
        };
        Reliability { effective_samples, standard_error, collapse }
    }
}

/// Where a gradient comes from: a formula, differences, a tensor library, or a swarm.
///
/// A source owns or borrows its problem. What it writes is a gradient to *descend*: `x - step * gradient` leads to smaller
/// values, whatever sign a paper prints.
pub trait GradientSource<F: Real = f64>: Send {
    /// Writes the gradient at `x` into `out` (same length). Random sources draw from `rng`, whose iteration the caller moves on.
    fn gradient(&mut self, x: &[F], out: &mut [F], rng: &crate::Rng) -> Sampled<F>;
}
