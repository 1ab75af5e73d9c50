//! Restarts: one run of a method after another, until somebody ends it all.
//!
//! A [`Schedule`] says which method runs next, knowing what the runs before have spent. Each run draws from a fork of its
//! own of the generator, so that it walks as it would alone. The answer is the best point that any run has evaluated.

use crate::method::Method;
use crate::parameters::Parameters;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Rows, Space, Start, View, better};

/// The order of the runs.
pub trait Schedule<F: Real>: Send + Sized + Serialize + DeserializeOwned + 'static {
    /// The method's name: file, registry entry, command line, Python.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Parameters;
    /// What is run again and again.
    type Inner: Algorithm<F> + Serialize + DeserializeOwned + 'static;

    /// The schedule with checked parameters. `budget` is the number of evaluations planned.
    fn new(params: Self::Params, space: &Space<F>, budget: Option<u64>) -> Result<Self>;

    /// The run after `past` (none yet: the first one), on `space` from `start`; draws come from `rng`. None when it is enough.
    fn next(
        &mut self,
        past: Option<&Past>,
        space: &Space<F>,
        start: Start,
        rng: &Rng,
    ) -> Result<Option<Next<Self::Inner>>>;
}

/// A run to come.
#[derive(Debug)]
pub struct Next<A> {
    /// The method, fresh.
    pub method: A,
    /// Evaluations after which the run is cut off, if it has not ended before.
    pub limit: u64,
    /// Evaluations without a gain after which it is cut off.
    pub patience: u64,
}

/// A gain is larger than this share of the value.
const GAIN: f64 = 1e-12;

/// The run that has just ended.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Past {
    /// Its evaluations.
    pub evaluations: u64,
    /// Its best value.
    pub best: f64,
}

/// The best point told so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Record<F: Real> {
    /// The point; empty before the first.
    pub x: Vec<F>,
    /// Its value; +inf while no point has succeeded.
    pub value: F,
}

impl<F: Real> Default for Record<F> {
    fn default() -> Self {
        Record { x: Vec::new(), value: F::infinity() }
    }
}

impl<F: Real> Record<F> {
    /// Takes over the best of these points if it is better; its row if so. The very first point is taken in any case.
    pub fn keep(&mut self, xs: Rows<'_, F>, values: &[F]) -> Option<usize> {
        let mut found = None;
        for (i, &value) in values.iter().enumerate() {
            if better(value, self.value) || self.x.is_empty() && found.is_none() {
                self.value = if value.is_nan() { F::infinity() } else { value };
                found = Some(i);
            }
        }
        if let Some(i) = found {
            self.x.clear();
            self.x.extend_from_slice(xs.row(i));
        }
        found
    }

    /// The point as the start of another run.
    pub fn as_start(&self) -> Start {
        Start::Points(vec![self.x.iter().map(|t| t.f64()).collect()])
    }
}

/// A method that is run again and again, as an [`Algorithm`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Restarts<F: Real, S: Schedule<F>> {
    space: Space<F>,
    start: Start,
    schedule: S,
    run: Option<S::Inner>,
    /// What the present run is called in the streams of draws.
    label: String,
    runs: u64,
    limit: u64,
    patience: u64,
    past: Past,
    /// Value and evaluation of its last gain.
    gain: (f64, u64),
    rounds: u64,
    best: Record<F>,
    /// The run that found it.
    finder: u64,
    enough: Option<Reason>,
    /// Whether the caller has gradients to tell.
    gradients: bool,
}

impl<F: Real, S: Schedule<F>> Restarts<F, S> {
    /// Runs begun so far.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The present run.
    pub fn run(&self) -> Option<&S::Inner> {
        self.run.as_ref()
    }

    fn is_over(&self) -> bool {
        let waited = self.past.evaluations - self.gain.1;
        self.past.evaluations >= self.limit
            || waited >= self.patience
            || self.run.as_ref().is_none_or(|run| run.why().is_some())
    }

    /// Begins the next run. Points given for the start serve one run each, then the start is uniform.
    fn restart(&mut self, rng: &Rng) {
        let past = self.run.as_ref().map(|_| &self.past);
        let start = match &self.start {
            Start::Points(points) if self.runs > 0 => {
                Start::Points(points.iter().skip(self.runs as usize).take(1).cloned().collect())
            }
            start => start.clone(),
        };
        self.label = format!("run{}", self.runs);
        match self.schedule.next(past, &self.space, start, &rng.fork(&self.label)) {
            Ok(Some(next)) => {
                let mut run = next.method;
                if self.gradients {
                    run.expect_gradients();
                }
                (self.run, self.limit, self.patience) = (Some(run), next.limit, next.patience);
                self.runs += 1;
                self.past = Past { evaluations: 0, best: f64::INFINITY };
                self.gain = (f64::INFINITY, 0);
            }
            Ok(None) => self.enough = Some(Reason::Method("all restarts are done".into())),
            Err(why) => self.enough = Some(Reason::Method(why.to_string())),
        }
    }
}

impl<F: Real, S: Schedule<F>> Method<F> for Restarts<F, S> {
    const NAME: &'static str = S::NAME;
    type Params = S::Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: S::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        Ok(Restarts {
            space: space.clone(),
            start,
            schedule: S::new(params, space, budget)?,
            run: None,
            label: String::new(),
            runs: 0,
            limit: 0,
            patience: 0,
            past: Past::default(),
            gain: (f64::INFINITY, 0),
            rounds: 0,
            best: Record::default(),
            finder: 0,
            enough: None,
            gradients: false,
        })
    }
}

impl<F: Real, S: Schedule<F>> Algorithm<F> for Restarts<F, S> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.clear();
        if self.is_over() && self.enough.is_none() {
            self.restart(rng);
        }
        if let (Some(run), None) = (&mut self.run, &self.enough) {
            run.ask(&rng.fork(&self.label), xs);
            // It may notice only now that it is over; a run that asks for nothing at all would go on for ever.
            if xs.is_empty() && self.past.evaluations > 0 {
                self.limit = 0;
                self.ask(rng, xs);
            } else if xs.is_empty() {
                self.enough = Some(run.why().unwrap_or(Reason::Method("the method has ended".into())));
            }
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        let Some(run) = &mut self.run else { return };
        if self.best.keep(xs.rows(), values).is_some() {
            self.finder = self.runs;
        }
        self.past.best = values.iter().fold(self.past.best, |best, value| best.min(value.f64()));
        self.past.evaluations += values.len() as u64;
        let (before, _) = self.gain;
        let gain = before - self.past.best;
        if gain > GAIN * before.abs() || before.is_infinite() && gain > 0.0 {
            self.gain = (self.past.best, self.past.evaluations);
        }
        self.rounds += 1;
        run.tell(xs, values);
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    /// Rounds of asking less the first one: the initial points of a later run are an iteration like any other.
    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn why(&self) -> Option<Reason> {
        self.enough.clone()
    }

    fn account(&self) -> Option<String> {
        Some(format!("found in run {} of {}", self.finder, self.runs))
    }

    fn expect_gradients(&mut self) -> bool {
        self.gradients = true;
        self.run.as_mut().is_none_or(|run| run.expect_gradients())
    }

    fn gradient_rows(&self) -> &[usize] {
        self.run.as_ref().map_or(&[], |run| run.gradient_rows())
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        if let Some(run) = &mut self.run {
            run.tell_gradients(gradients);
        }
    }

    fn view(&self) -> View<'_, F> {
        let mut view = self.run.as_ref().map(|run| run.view()).unwrap_or_default();
        view.numbers.push(("run", self.runs as f64));
        view
    }

    fn save(&self, out: &mut Vec<u8>) {
        // Nothing in the state can fail to serialise: plain numbers, vectors and enums.
        out.extend(postcard::to_allocvec(self).unwrap_or_default());
    }
}
