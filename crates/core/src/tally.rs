//! Tally: what a run has counted and found so far.

use crate::noise::Shortlist;
use crate::{FailureCounts, Real};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The best point of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Best<F: Real = f64> {
    /// The point; empty before the first evaluation.
    pub x: Vec<F>,
    /// Its value; +inf while no point has succeeded.
    pub value: F,
    /// The iteration in which it was found.
    pub iteration: u64,
    /// Evaluations up to and including it.
    pub evaluation: u64,
}

/// What a run has counted: with the algorithm's state and the generator, all that a continuation needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Tally<F: Real> {
    pub(crate) best: Best<F>,
    /// The best value when it last improved by more than the tolerance, and evaluations up to then.
    pub(crate) gained: (F, u64),
    pub(crate) shortlist: Shortlist<F>,
    pub(crate) evaluations: u64,
    pub(crate) gradients: u64,
    pub(crate) failures: FailureCounts,
    pub(crate) rounds: u64,
    /// Points of the rounds so far: the number of the next one.
    pub(crate) handed: u64,
    /// Points that were given up by their rounds and are not answered yet.
    pub(crate) late: Vec<Late<F>>,
    pub(crate) elapsed: Duration,
}

impl<F: Real> Default for Tally<F> {
    fn default() -> Self {
        Tally {
            best: Best { x: Vec::new(), value: F::infinity(), iteration: 0, evaluation: 0 },
            gained: (F::infinity(), 0),
            shortlist: Shortlist::default(),
            evaluations: 0,
            gradients: 0,
            failures: FailureCounts::default(),
            rounds: 0,
            handed: 0,
            late: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }
}

impl<F: Real> Tally<F> {
    /// Notes an improvement by more than this share of the best value.
    pub(crate) fn note_gain(&mut self, tolerance: F) {
        let (value, best) = (self.gained.0, self.best.value);
        if best < value && !(value - best <= tolerance * value.abs()) {
            self.gained = (best, self.best.evaluation);
        }
    }

    /// Keeps a point if it is the best, of equals the one asked for first, whatever the order of the answers. The very first
    /// point is kept even if it failed, so that a run always has a point to show.
    pub(crate) fn consider(&mut self, value: F, x: &[F], number: u64, iteration: u64, noisy: bool) {
        if noisy {
            self.shortlist.consider(value, x);
        }
        let best = &mut self.best;
        if value < best.value || best.x.is_empty() || value == best.value && number < best.evaluation {
            (best.value, best.evaluation, best.iteration) = (value, number, iteration);
            best.x.clear();
            best.x.extend_from_slice(x);
        }
    }
}

/// A point that was given up by its round and may still be answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Late<F: Real> {
    pub(crate) id: u64,
    pub(crate) round: u64,
    pub(crate) row: usize,
    /// Its number among the evaluations.
    pub(crate) evaluation: u64,
    pub(crate) iteration: u64,
    pub(crate) x: Vec<F>,
}
