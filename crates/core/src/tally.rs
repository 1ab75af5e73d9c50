//! Tally: what a run has counted and found so far.

use crate::noise::{Repeated, Shortlist};
use crate::{FailureCounts, Real, Reason, better_constrained};
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
    /// How far it violates the constraints of the problem beyond their tolerances, all together; 0 where there are none.
    pub violation: F,
    /// The values of its constraints.
    pub constraints: Vec<F>,
    /// What its value is made of, where it is more than a number.
    pub parts: Vec<F>,
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
    /// Violation and value of the best point when it last improved by more than the tolerance, and evaluations up to then.
    pub(crate) gained: (F, F, u64),
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
    /// The end of a noisy problem, once its best points were evaluated anew.
    pub(crate) settled: Option<Settled<F>>,
}

/// What the best points of a noisy problem were found to be worth at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Settled<F: Real> {
    /// Evaluations up to then.
    pub(crate) evaluations: u64,
    pub(crate) repeated: Repeated,
    /// The best of them.
    pub(crate) x: Vec<F>,
    /// Why the search had ended.
    pub(crate) reason: Reason,
}

impl<F: Real> Default for Tally<F> {
    fn default() -> Self {
        Tally {
            best: Best {
                x: Vec::new(),
                value: F::infinity(),
                violation: F::zero(),
                constraints: Vec::new(),
                parts: Vec::new(),
                iteration: 0,
                evaluation: 0,
            },
            gained: (F::infinity(), F::infinity(), 0),
            shortlist: Shortlist::default(),
            evaluations: 0,
            gradients: 0,
            failures: FailureCounts::default(),
            rounds: 0,
            handed: 0,
            late: Vec::new(),
            elapsed: Duration::ZERO,
            settled: None,
        }
    }
}

impl<F: Real> Tally<F> {
    /// What it has counted, with its names.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let late = self.late.iter().flat_map(|late| {
            [
                ("late id", late.id),
                ("late round", late.round),
                ("late evaluation", late.evaluation),
                ("late iteration", late.iteration),
            ]
        });
        let counts = [
            ("evaluations", self.evaluations),
            ("gradients", self.gradients),
            ("rounds", self.rounds),
            ("points asked for", self.handed),
            ("evaluation of the best point", self.best.evaluation),
            ("iteration of the best point", self.best.iteration),
            ("evaluation of the last gain", self.gained.2),
            ("seconds", self.elapsed.as_secs()),
            ("evaluations when it had settled", self.settled.as_ref().map_or(0, |settled| settled.evaluations)),
        ];
        counts.into_iter().chain(self.failures.list()).chain(late)
    }

    /// The points that it holds.
    pub(crate) fn points(&self) -> impl Iterator<Item = &[F]> {
        let best = Some(&*self.best.x).filter(|x| !x.is_empty());
        let best = best.into_iter().chain(self.settled.iter().map(|settled| &*settled.x));
        best.chain(self.shortlist.points()).chain(self.late.iter().map(|late| &*late.x))
    }

    /// Notes an improvement by more than this share of the violation, or of the value where that has not changed.
    pub(crate) fn note_gain(&mut self, tolerance: F) {
        let (violation, value, _) = self.gained;
        let best = &self.best;
        let counts =
            |before: F, now: F| now < before && (before.is_infinite() || before - now > tolerance * before.abs());
        if counts(violation, best.violation) || best.violation == violation && counts(value, best.value) {
            self.gained = (best.violation, best.value, best.evaluation);
        }
    }

    /// Keeps a point if it is the best, of equals the one asked for first, whatever the order of the answers. The very first
    /// point is kept even if it failed, so that a run always has a point to show.
    pub(crate) fn consider(&mut self, value: F, x: &[F], number: u64, iteration: u64, noisy: bool) {
        let behind = Behind { violation: F::zero(), constraints: &[], parts: &[] };
        self.consider_with(value, behind, x, number, iteration, noisy);
    }

    /// The same of a point of which more is known. A point without a value is no answer, unless it is known to be infeasible.
    pub(crate) fn consider_with(
        &mut self,
        value: F,
        Behind { violation, constraints, parts }: Behind<'_, F>,
        x: &[F],
        number: u64,
        iteration: u64,
        noisy: bool,
    ) {
        let failed = value == F::infinity() && violation == F::zero() && !constraints.is_empty();
        let violation = if failed { F::infinity() } else { violation };
        if noisy && violation == F::zero() {
            self.shortlist.consider(value, x);
        }
        let best = &mut self.best;
        let (new, old) = ((violation, value), (best.violation, best.value));
        if better_constrained(new, old) || best.x.is_empty() || new == old && number < best.evaluation {
            (best.value, best.violation, best.evaluation, best.iteration) = (value, violation, number, iteration);
            best.x.clear();
            best.x.extend_from_slice(x);
            best.constraints.clear();
            best.constraints.extend_from_slice(constraints);
            best.parts.clear();
            best.parts.extend_from_slice(parts);
        }
    }
}

/// What stands behind the value of a point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behind<'a, F: Real> {
    pub(crate) violation: F,
    pub(crate) constraints: &'a [F],
    pub(crate) parts: &'a [F],
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
