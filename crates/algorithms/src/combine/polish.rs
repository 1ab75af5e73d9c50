//! Polish: a global method first, then a local search from the best point it has found.
//!
//! The local search begins when the global method has ended by itself, has spent its share of a known budget, or has not
//! improved its best point for `patience` iterations. It ends the whole when it ends.

use super::member::Member;
use crate::parameters::{Parameters, parameters};
use crate::registry::Method;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Rows, Space, Start, View, better};

parameters! {
    /// Parameters of [`Polish`].
    pub struct Params {
        /// The global method.
        method "": String = "pso".to_owned(), Name;
        /// The local search.
        local "": String = "quasi_newton".to_owned(), Name;
        /// Share of a known budget that the global method may spend.
        share "": f64 = 0.8, Within(0.0, 1.0);
        /// Iterations without improvement after which the local search begins.
        patience "": usize = 100, AtLeast(1.0);
    }
}

/// A global method, then a local one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Polish<F: Real> {
    params: Params,
    space: Space<F>,
    /// The global method, replaced by the local one.
    method: Member<F>,
    polishing: bool,
    /// Evaluations that the global method may spend.
    limit: u64,
    evaluations: u64,
    rounds: u64,
    improved: u64,
    best: Vec<F>,
    value: F,
}

impl<F: Real> Method<F> for Polish<F> {
    const NAME: &'static str = "polish";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        Member::new(&params.local, space, Start::Uniform, None)?;
        let limit = budget.map_or(u64::MAX, |budget| (params.share * budget as f64) as u64);
        let method = Member::new(&params.method, space, start, budget.map(|budget| budget.min(limit).max(1)))?;
        Ok(Polish {
            params,
            space: space.clone(),
            method,
            polishing: false,
            limit,
            evaluations: 0,
            rounds: 0,
            improved: 0,
            best: Vec::new(),
            value: F::infinity(),
        })
    }
}

impl<F: Real> Algorithm<F> for Polish<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        let idle = self.rounds - self.improved > self.params.patience as u64;
        let over = self.evaluations >= self.limit || idle || self.method.why().is_some();
        if !self.polishing && over && self.value.is_finite() {
            let from = Start::Points(vec![self.best.iter().map(|t| t.f64()).collect()]);
            // That the method exists and fits the space was seen when this one was built.
            if let Ok(local) = Member::new(&self.params.local, &self.space, from, None) {
                (self.method, self.polishing) = (local, true);
            }
        }
        let rng = if self.polishing { rng.fork("polish") } else { rng.clone() };
        self.method.ask(&rng, xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.rounds += 1;
        self.evaluations += values.len() as u64;
        for (x, &value) in xs.iter().zip(values) {
            if better(value, self.value) || self.best.is_empty() {
                (self.value, self.improved) = (if value.is_nan() { F::infinity() } else { value }, self.rounds);
                self.best.clear();
                self.best.extend_from_slice(x);
            }
        }
        self.method.tell(xs, values);
    }

    fn answer(&self) -> Vec<F> {
        self.best.clone()
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn why(&self) -> Option<Reason> {
        // What ends the global method begins the local one, if there is anything to begin with.
        self.method.why().filter(|_| self.polishing || self.rounds > 0 && !self.value.is_finite())
    }

    fn gradient_rows(&self) -> &[usize] {
        self.method.gradient_rows()
    }

    fn tell_gradients(&mut self, gradients: Rows<'_, F>) {
        self.method.tell_gradients(gradients);
    }

    fn view(&self) -> View<'_, F> {
        let mut view = self.method.view();
        view.numbers.push(("polishing", f64::from(u8::from(self.polishing))));
        view
    }

    fn save(&self, out: &mut Vec<u8>) {
        // Nothing in the state can fail to serialise: plain numbers, vectors and enums.
        out.extend(postcard::to_allocvec(self).unwrap_or_default());
    }
}
