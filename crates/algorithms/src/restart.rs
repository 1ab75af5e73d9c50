//! Restarts: one run of a method after another, until somebody ends it all.
//!
//! A [`RestartPolicy`] says which method runs next, knowing what the runs before have spent. Each run draws from a fork of its
//! own of the generator, so that it walks as it would alone. The answer is the best point that any run has evaluated.

use crate::method::Method;
use crate::parameters::Parameters;
use crate::saved;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{
    Aim, Algorithm, Constraint, Matrix, Real, Reason, Result, Rng, Rows, Solutions, Space, Start, View, better,
    save_state, violation,
};

/// The order of the runs.
pub trait RestartPolicy<F: Real>: Send + Sized + Serialize + DeserializeOwned + 'static {
    /// The method's name: file, registry entry, command line, Python.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Parameters;
    /// What is run again and again.
    type Inner: Algorithm<F> + Serialize + DeserializeOwned + 'static;

    /// The policy with checked parameters. `budget` is the number of evaluations planned.
    fn new(params: Self::Params, space: &Space<F>, budget: Option<u64>) -> Result<Self>;

    /// Whether the runs take the values of constraints themselves.
    fn takes_constraints(&self) -> bool {
        false
    }

    /// Whether the runs take residuals themselves.
    fn takes_residuals(&self) -> bool {
        false
    }

    /// Bytes that a run takes at most, about.
    fn memory(&self) -> f64;

    /// Whether a policy that was read back, and the run at work, fit together in so many dimensions.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify(&self, run: Option<&Self::Inner>, dim: usize) -> Result<()>;

    /// The run after `last` (none yet: the first one), on `space` from `start`; draws come from `rng`. None when it is enough.
    fn next(
        &mut self,
        last: Option<&LastRun>,
        space: &Space<F>,
        start: Start,
        rng: &Rng,
    ) -> Result<Option<NextRun<Self::Inner>>>;
}

/// A run to come.
#[derive(Debug)]
pub struct NextRun<A> {
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
pub struct LastRun {
    /// Its evaluations.
    pub evaluations: u64,
    /// Its best value.
    pub best: f64,
}

/// The best point told so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct BestPoint<F: Real> {
    /// The point; empty before the first.
    pub x: Vec<F>,
    /// Its value; +inf while no point has succeeded.
    pub value: F,
}

impl<F: Real> Default for BestPoint<F> {
    fn default() -> Self {
        BestPoint { x: Vec::new(), value: F::infinity() }
    }
}

impl<F: Real> BestPoint<F> {
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

    /// Whether what was read back is a point of so many coordinates, or none without a value.
    ///
    /// # Errors
    /// It is not so.
    pub fn verify(&self, dim: usize) -> Result<()> {
        saved::point("best", &self.x, dim)?;
        let is_none = self.x.is_empty() && self.value == F::infinity();
        saved::holds("best", is_none || !self.x.is_empty() && !self.value.is_nan(), "must have a value")
    }

    /// The point as the start of another run.
    pub fn as_start(&self) -> Start {
        Start::at(&self.x)
    }
}

/// A method that is run again and again, as an [`Algorithm`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Restarts<F: Real, P: RestartPolicy<F>> {
    space: Space<F>,
    start: Start,
    policy: P,
    run: Option<P::Inner>,
    /// What the present run is called in the streams of draws.
    label: String,
    runs: u64,
    limit: u64,
    patience: u64,
    last: LastRun,
    /// Value and evaluation of its last gain.
    gain: (f64, u64),
    rounds: u64,
    best: BestPoint<F>,
    /// The run that found it.
    finder: u64,
    /// Solutions, explanation and covariance of that run, once another one has begun.
    found: (Option<Solutions<F>>, Option<String>, Option<Matrix<f64>>),
    /// What the caller has spent, now and when the present run began.
    spent: u64,
    spent_before: u64,
    enough: Option<Reason>,
    /// Whether the caller has gradients to tell.
    gradients: bool,
    /// The constraints of the problem, where the runs take their values, and whether each point of this round keeps to them.
    constraints: Vec<Constraint>,
    feasible: Vec<bool>,
    /// What values are made of, where the runs take the parts.
    aim: Aim,
}

impl<F: Real, P: RestartPolicy<F>> Restarts<F, P> {
    /// Runs begun so far.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The present run.
    pub fn run(&self) -> Option<&P::Inner> {
        self.run.as_ref()
    }

    fn is_over(&self) -> bool {
        let waited = self.last.evaluations - self.gain.1;
        self.last.evaluations >= self.limit
            || waited >= self.patience
            || self.run.as_ref().is_none_or(|run| run.stop_reason().is_some())
    }

    /// Begins the next run. Points given for the start serve one run each, then the start is uniform.
    fn restart(&mut self, rng: &Rng) {
        let last = self.run.as_ref().map(|_| &self.last);
        let start = self.start.after(self.runs as usize);
        self.label = format!("run{}", self.runs);
        match self.policy.next(last, &self.space, start, &rng.fork(&self.label)) {
            Ok(Some(next)) => {
                if let Some(run) = self.run.as_ref().filter(|_| self.finder == self.runs) {
                    self.found = (run.solutions(), run.explanation(), run.covariance());
                }
                self.spent_before = self.spent;
                let mut run = next.method;
                if self.gradients {
                    run.expect_gradients();
                }
                if !self.constraints.is_empty() {
                    run.expect_constraints(&self.constraints);
                }
                if self.aim != Aim::Value {
                    run.expect_aim(&self.aim);
                }
                (self.run, self.limit, self.patience) = (Some(run), next.limit, next.patience);
                self.runs += 1;
                self.last = LastRun { evaluations: 0, best: f64::INFINITY };
                self.gain = (f64::INFINITY, 0);
            }
            Ok(None) => self.enough = Some(Reason::Method("all restarts are done".into())),
            Err(why) => self.enough = Some(Reason::Method(why.to_string())),
        }
    }
}

impl<F: Real, P: RestartPolicy<F>> Method<F> for Restarts<F, P> {
    const NAME: &'static str = P::NAME;
    type Params = P::Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: P::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        Ok(Restarts {
            space: space.clone(),
            start,
            policy: P::new(params, space, budget)?,
            run: None,
            label: String::new(),
            runs: 0,
            limit: 0,
            patience: 0,
            last: LastRun::default(),
            gain: (f64::INFINITY, 0),
            rounds: 0,
            best: BestPoint::default(),
            finder: 0,
            found: (None, None, None),
            spent: 0,
            spent_before: 0,
            enough: None,
            gradients: false,
            constraints: Vec::new(),
            feasible: Vec::new(),
            aim: Aim::Value,
        })
    }

    fn verify(&self) -> Result<()> {
        let dim = self.space.dim();
        self.start.check(&self.space)?;
        let counts = [
            ("runs", self.runs),
            ("rounds", self.rounds),
            ("evaluations", self.last.evaluations),
            ("spent", self.spent),
            ("spent before", self.spent_before),
        ];
        counts.into_iter().try_for_each(|(name, count)| saved::count(name, count))?;
        saved::holds("gain", self.gain.1 <= self.last.evaluations, "must not be later than now")?;
        self.best.verify(dim)?;
        saved::found(self.found.0.as_ref(), dim)?;
        if let Some(run) = &self.run {
            saved::fits("run", run, dim)?;
        }
        self.policy.verify(self.run.as_ref(), dim)
    }
}

impl<F: Real, P: RestartPolicy<F>> Algorithm<F> for Restarts<F, P> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.clear();
        if self.is_over() && self.enough.is_none() {
            self.restart(rng);
        }
        if let (Some(run), None) = (&mut self.run, &self.enough) {
            run.ask(&rng.fork(&self.label), xs);
            // It may notice only now that it is over; a run that asks for nothing at all would go on for ever.
            if xs.is_empty() && self.last.evaluations > 0 {
                self.limit = 0;
                self.ask(rng, xs);
            } else if xs.is_empty() {
                self.enough = Some(run.stop_reason().unwrap_or(Reason::Method("the method has ended".into())));
            }
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        let Some(run) = &mut self.run else { return };
        // A point that violates a constraint is no gain.
        let feasible: Option<Vec<F>> =
            (self.feasible.len() == values.len() && !self.constraints.is_empty()).then(|| {
                values
                    .iter()
                    .zip(&self.feasible)
                    .map(|(&f, &feasible)| if feasible { f } else { F::infinity() })
                    .collect()
            });
        let counted = feasible.as_deref().unwrap_or(values);
        if self.best.keep(xs.rows(), counted).is_some() {
            self.finder = self.runs;
        }
        self.last.best = counted.iter().fold(self.last.best, |best, value| best.min(value.f64()));
        self.last.evaluations += values.len() as u64;
        self.spent += values.len() as u64;
        let (before, _) = self.gain;
        let gain = before - self.last.best;
        if gain > GAIN * before.abs() || before.is_infinite() && gain > 0.0 {
            self.gain = (self.last.best, self.last.evaluations);
        }
        self.rounds += 1;
        run.tell(xs, values);
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        let taken = self.policy.takes_constraints();
        if taken {
            self.constraints = constraints.to_vec();
            self.run.iter_mut().for_each(|run| _ = run.expect_constraints(constraints));
        }
        taken
    }

    fn expect_aim(&mut self, aim: &Aim) -> bool {
        let taken = self.policy.takes_residuals() && *aim == Aim::Residuals;
        if taken {
            self.aim = aim.clone();
            self.run.iter_mut().for_each(|run| _ = run.expect_aim(aim));
        }
        taken
    }

    fn tell_parts(&mut self, parts: &Matrix<F>) {
        if let Some(run) = &mut self.run {
            run.tell_parts(parts);
        }
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        self.feasible.clear();
        self.feasible.extend(values.iter().map(|row| violation(&self.constraints, row) == F::zero()));
        if let Some(run) = &mut self.run {
            run.tell_constraints(values);
        }
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn memory(&self) -> f64 {
        // The next run is begun beside the last one.
        2.0 * self.policy.memory()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    /// Rounds of asking less the first one: the initial points of a later run are an iteration like any other.
    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        self.enough.clone()
    }

    fn inner(&self) -> Option<&dyn Algorithm<F>> {
        self.run.as_ref().map(|run| run as &dyn Algorithm<F>)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Algorithm<F>> {
        self.run.as_mut().map(|run| run as &mut dyn Algorithm<F>)
    }

    /// Those of the run that found the best point.
    fn solutions(&self) -> Option<Solutions<F>> {
        match &self.run {
            Some(run) if self.finder == self.runs => run.solutions(),
            _ => self.found.0.clone(),
        }
    }

    fn covariance(&self) -> Option<Matrix<f64>> {
        match &self.run {
            Some(run) if self.finder == self.runs => run.covariance(),
            _ => self.found.2.clone(),
        }
    }

    fn explanation(&self) -> Option<String> {
        let of_the_run = match &self.run {
            Some(run) if self.finder == self.runs => run.explanation(),
            _ => self.found.1.clone(),
        };
        let found = format!("found in run {} of {}", self.finder, self.runs);
        Some(of_the_run.map_or(found.clone(), |more| format!("{found}: {more}")))
    }

    fn expect_gradients(&mut self) -> bool {
        self.gradients = true;
        self.run.as_mut().is_none_or(|run| run.expect_gradients())
    }

    /// A run hears what was spent since it began.
    fn set_spent(&mut self, cost: u64) {
        self.spent = cost;
        if let Some(run) = &mut self.run {
            run.set_spent(cost.saturating_sub(self.spent_before));
        }
    }

    fn view(&self) -> View<'_, F> {
        let mut view = self.run.as_ref().map(|run| run.view()).unwrap_or_default();
        view.numbers.push(("run", self.runs as f64));
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(P::NAME, self, out)
    }
}
