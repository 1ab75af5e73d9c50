//! Polish: a global method first, then a local search from the best point it has found.
//!
//! The local search begins when the global method has ended by itself, has spent its share of a known budget, or has not
//! improved its best point for `patience` rounds. It ends the whole when it ends. Draws of the global method are those it
//! would make alone.

use crate::named::{Lookup, NamedMethod};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_algorithms::restart::BestPoint;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Solutions, Space, Start, View, save_state};

parameters! {
    /// Parameters of [`Polish`].
    pub struct Params {
        /// The global method.
        method "": String = "pso".to_owned(), Method;
        /// The local search.
        local "": String = "quasi_newton".to_owned(), Method;
        /// Share of a known budget that the global method may spend.
        share "": f64 = 0.8, Within(0.0, 1.0);
        /// Rounds without improvement after which the local search begins.
        patience "": usize = 100, AtLeast(1.0);
    }
}

/// A global method, then a local one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Polish<F: Real, L: Lookup> {
    params: Params,
    space: Space<F>,
    /// The global method, replaced by the local one.
    method: NamedMethod<F, L>,
    /// Bytes that the local one takes; 0 where the whole has been read back.
    #[serde(skip)]
    local: f64,
    polishing: bool,
    /// Whether the caller has gradients to tell.
    gradients: bool,
    /// What the global method may spend.
    limit: u64,
    /// What the caller has spent, now and when the local search began.
    spent: u64,
    spent_before: u64,
    rounds: u64,
    /// The round of the last improvement.
    improved: u64,
    best: BestPoint<F>,
    /// What the global method had reached, all it had found, and how.
    before: F,
    found: (Option<Solutions<F>>, Option<String>),
}

impl<F: Real, L: Lookup> Method<F> for Polish<F, L> {
    const NAME: &'static str = "polish";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let local = NamedMethod::<F, L>::new("local", &params.local, space, &Start::Uniform, None)?.memory();
        let limit = budget.map(|budget| (params.share * budget as f64) as u64);
        Ok(Polish {
            method: NamedMethod::new("method", &params.method, space, &start, limit.map(|limit| limit.max(1)))?,
            params,
            local,
            space: space.clone(),
            polishing: false,
            gradients: false,
            limit: limit.unwrap_or(u64::MAX),
            spent: 0,
            spent_before: 0,
            rounds: 0,
            improved: 0,
            best: BestPoint::default(),
            before: F::infinity(),
            found: (None, None),
        })
    }

    fn verify(&self) -> Result<()> {
        let dim = self.space.dim();
        saved::parameters(&self.params)?;
        saved::fits("method", &self.method, dim)?;
        let counts = [("rounds", self.rounds), ("spent", self.spent), ("spent before", self.spent_before)];
        counts.into_iter().try_for_each(|(name, count)| saved::count(name, count))?;
        saved::holds("improved", self.improved <= self.rounds, "must not be later than now")?;
        saved::found(self.found.0.as_ref(), dim)?;
        self.best.verify(dim)
    }
}

impl<F: Real, L: Lookup> Polish<F, L> {
    /// Whether it is the local search's turn, and there is a point to begin with.
    fn is_due(&self) -> bool {
        let idle = self.rounds - self.improved > self.params.patience as u64;
        let over = self.spent >= self.limit || idle || self.method.stop_reason().is_some();
        !self.polishing && over && self.best.value.is_finite()
    }

    fn begin_to_polish(&mut self) {
        // That the method exists and fits the space was seen when this one was built.
        if let Ok(mut local) = NamedMethod::new("local", &self.params.local, &self.space, &self.best.as_start(), None) {
            if self.gradients {
                local.expect_gradients();
            }
            self.found = (self.method.solutions(), self.method.explanation());
            (self.method, self.polishing) = (local, true);
            (self.before, self.spent_before) = (self.best.value, self.spent);
        }
    }
}

impl<F: Real, L: Lookup> Algorithm<F> for Polish<F, L> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        if self.is_due() {
            self.begin_to_polish();
        }
        if !self.polishing {
            self.method.ask(rng, xs);
            // It may notice only now that it has ended.
            if !xs.is_empty() || !self.is_due() {
                return;
            }
            self.begin_to_polish();
        }
        self.method.ask(&rng.fork("polish"), xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.rounds += 1;
        self.spent += values.len() as u64;
        if self.best.keep(xs.rows(), values).is_some() {
            self.improved = self.rounds;
        }
        self.method.tell(xs, values);
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn memory(&self) -> f64 {
        self.method.memory().max(self.local)
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        // What ends the global method begins the local one, if there is anything to begin with.
        let last = self.polishing || self.rounds > 0 && !self.best.value.is_finite();
        self.method.stop_reason().filter(|_| last)
    }

    fn inner(&self) -> Option<&dyn Algorithm<F>> {
        Some(&self.method)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Algorithm<F>> {
        Some(&mut self.method)
    }

    /// Those of the global method, as they were before the best point was polished.
    fn solutions(&self) -> Option<Solutions<F>> {
        if self.polishing { self.found.0.clone() } else { self.method.solutions() }
    }

    fn explanation(&self) -> Option<String> {
        let Params { method, local, .. } = &self.params;
        let who = match self.polishing {
            false => format!("found by {method}; {local} has not begun"),
            true if self.best.value < self.before => format!("{local} improved what {method} had found"),
            true => format!("found by {method}; {local} found nothing better"),
        };
        let how = if self.polishing { self.found.1.clone() } else { self.method.explanation() };
        Some(how.map_or(who.clone(), |how| format!("{who}; {method}: {how}")))
    }

    fn expect_gradients(&mut self) -> bool {
        self.gradients = true;
        self.method.expect_gradients();
        true // the local search may
    }

    /// The local search hears what was spent since it began.
    fn set_spent(&mut self, cost: u64) {
        self.spent = cost;
        self.method.set_spent(cost.saturating_sub(self.spent_before));
    }

    fn view(&self) -> View<'_, F> {
        let mut view = self.method.view();
        view.numbers.push(("polishing", f64::from(u8::from(self.polishing))));
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(<Self as Method<F>>::NAME, self, out)
    }
}
