//! Run: joins a problem, an algorithm and watchers; owns counting, best-so-far and stopping.

use crate::noise::{self, Repeated, Shortlist};
use crate::{
    Algorithm, Evaluator, GradientSource, Halt, Matrix, Problem, Progress, Real, Reason, Rng, Sampled, Solutions,
    Watch, Workers,
};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

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
    pub(crate) shortlist: Shortlist<F>,
    pub(crate) evaluations: u64,
    pub(crate) gradients: u64,
    pub(crate) failures: u64,
    pub(crate) rounds: u64,
    pub(crate) elapsed: Duration,
}

/// What came out of a run, under SciPy's names.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome<F: Real = f64> {
    /// Best point evaluated.
    pub x: Vec<F>,
    /// Its value.
    pub fun: F,
    /// The method's own answer: best point, mean or consensus.
    pub answer: Vec<F>,
    /// What the method found, where its aim is more than one point ([`Algorithm::solutions`]).
    pub solutions: Option<Solutions<F>>,
    /// Points evaluated.
    pub nfev: u64,
    /// Gradients taken.
    pub ngev: u64,
    /// Both, gradients at their price: what a budget counts, in evaluations.
    pub cost: u64,
    /// Iterations completed, the initial points not counted.
    pub nit: u64,
    /// Evaluations that gave NaN, an infinity, a panic or a time-out.
    pub failures: u64,
    /// Why it ended.
    pub reason: Reason,
    /// How the method came to its answer, in its own words ([`Algorithm::explanation`]).
    pub explanation: Option<String>,
    /// Time spent, in seconds.
    pub seconds: f64,
    /// Of a noisy problem: what new evaluations say of `x`, which is the best of ten points by their means; `fun` is the
    /// mean. The evaluations, 110 or at most half of a small budget, are among `nfev`. None for a run that was
    /// interrupted, whose time was over, or whose budget is below 40.
    pub noise: Option<Repeated>,
}

impl<F: Real> Outcome<F> {
    /// Whether a finite value was found and nobody cut the run short.
    pub fn success(&self) -> bool {
        self.fun.is_finite() && self.reason.is_success()
    }
}

/// One minimisation, step by step or to its end.
///
/// ```no_run
/// # use swarmgrad_core::*;
/// # fn example(problem: &dyn Problem, algorithm: &mut dyn Algorithm) {
/// let mut budget = Evaluations(10_000);
/// let outcome = Run::new(problem, algorithm, 42).watch(&mut budget).minimize();
/// println!("{} after {} evaluations", outcome.fun, outcome.nfev);
/// # }
/// ```
pub struct Run<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    pub(crate) algorithm: &'a mut dyn Algorithm<F>,
    watchers: Vec<&'a mut dyn Watch<F>>,
    workers: Option<&'a Workers>,
    halt: Halt,
    pub(crate) rng: Rng,
    pub(crate) tally: Tally<F>,
    begin: Instant,
    evaluator: Evaluator,
    xs: Matrix<F>,
    values: Vec<F>,
    /// Which points of the round were evaluated.
    done: Vec<bool>,
    source: Option<Source<'a, F>>,
}

/// Where gradients come from, what they cost, and room for those of a round.
struct Source<'a, F: Real> {
    source: &'a mut dyn GradientSource<F>,
    /// A gradient beside its value, in evaluations.
    price: f64,
    /// What the last one cost altogether.
    last: f64,
    gradients: Matrix<F>,
    /// The points of a round that need values only, and their values.
    rest: Matrix<F>,
    values: Vec<F>,
}

/// Minimises `problem` with `algorithm` until a watcher ends the run or the method ends by itself, on one thread.
pub fn minimize<F: Real>(
    problem: &dyn Problem<F>,
    algorithm: &mut dyn Algorithm<F>,
    seed: u64,
    watchers: &mut [&mut dyn Watch<F>],
) -> Outcome<F> {
    let run = Run::new(problem, algorithm, seed);
    watchers.iter_mut().fold(run, |run, watcher| run.watch(&mut **watcher)).minimize()
}

impl<'a, F: Real> Run<'a, F> {
    /// A run on one thread that nobody watches.
    pub fn new(problem: &'a dyn Problem<F>, algorithm: &'a mut dyn Algorithm<F>, seed: u64) -> Self {
        let best = Best { x: Vec::new(), value: F::infinity(), iteration: 0, evaluation: 0 };
        Run {
            problem,
            algorithm,
            watchers: Vec::new(),
            workers: None,
            halt: Halt::default(),
            rng: Rng::new(seed),
            tally: Tally {
                best,
                shortlist: Shortlist::default(),
                evaluations: 0,
                gradients: 0,
                failures: 0,
                rounds: 0,
                elapsed: Duration::ZERO,
            },
            begin: Instant::now(),
            evaluator: Evaluator::default(),
            xs: Matrix::default(),
            values: Vec::new(),
            done: Vec::new(),
            source: None,
        }
    }

    /// Offers gradients to the method. `cost` is that of a value with its gradient, in evaluations, at least 1: budgets
    /// count it. Gradients are computed on one thread. A source whose cost is not known before its first gradient may
    /// exceed the budget by that one.
    pub fn gradients(mut self, source: &'a mut dyn GradientSource<F>, cost: f64) -> Self {
        if self.algorithm.expect_gradients() {
            let price = if cost.is_finite() { (cost - 1.0).max(0.0) } else { 0.0 };
            let last = 1.0 + price;
            let (gradients, rest) = (Matrix::default(), Matrix::default());
            self.source = Some(Source { source, price, last, gradients, rest, values: Vec::new() });
        }
        self
    }

    /// Adds a watcher; any of several may end the run.
    pub fn watch(mut self, watcher: &'a mut dyn Watch<F>) -> Self {
        self.watchers.push(watcher);
        self
    }

    /// Uses these threads. The result does not depend on their number.
    pub fn workers(mut self, workers: &'a Workers) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Ends soon after `halt` asks for it, with the result so far.
    pub fn halt(mut self, halt: Halt) -> Self {
        self.halt = halt;
        self
    }

    /// Draws from this generator (scripted, recording, or a fork) instead of one made from the seed.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// Runs to the end.
    pub fn minimize(self) -> Outcome<F> {
        let workers = self.workers;
        let go = |mut run: Run<'a, F>| {
            loop {
                if let ControlFlow::Break(reason) = run.step() {
                    return run.outcome(reason);
                }
            }
        };
        match workers {
            Some(workers) => workers.install(|| go(self)),
            None => go(self),
        }
    }

    /// One round: ask, evaluate, tell, watch. On the calling thread's pool, if it is in one.
    pub fn step(&mut self) -> ControlFlow<Reason> {
        let cost = self.cost();
        let allowance = self.allowance(cost).saturating_sub(self.reserve());
        if allowance == 0 {
            return ControlFlow::Break(Reason::Evaluations);
        }
        self.algorithm.set_spent(cost);
        let deadline = self.watchers.iter().filter_map(|w| w.deadline()).min();
        let halt = deadline.map_or_else(|| self.halt.clone(), |deadline| self.halt.by(deadline));

        self.rng.set_iteration(self.tally.rounds);
        self.algorithm.ask(&self.rng, &mut self.xs);
        if self.xs.is_empty() {
            let why = self.algorithm.stop_reason();
            return ControlFlow::Break(why.unwrap_or_else(|| Reason::Method("the method has ended".into())));
        }
        let asked = self.xs.len();
        let mut affordable = self.affordable(allowance);
        self.values.clear();
        self.values.resize(affordable, F::infinity());
        let evaluations = match &self.source {
            Some(_) if !self.algorithm.gradient_rows().is_empty() => {
                self.evaluate_with_gradients(&mut affordable, allowance, &halt)
            }
            _ => {
                let xs = self.xs.rows().slice(0, affordable);
                let cost = self.evaluator.evaluate(self.problem, xs, &mut self.values, &halt);
                self.done.clear();
                self.done.extend_from_slice(self.evaluator.done());
                self.tally.failures += cost.failures;
                cost.evaluations
            }
        };
        self.keep_best(affordable);
        self.tally.evaluations += evaluations;
        if halt.requested() {
            return ControlFlow::Break(Reason::Interrupted);
        }
        if halt.late() {
            return ControlFlow::Break(Reason::Time);
        }
        if affordable < asked {
            return ControlFlow::Break(Reason::Evaluations);
        }

        if let Some(source) = &self.source
            && !self.algorithm.gradient_rows().is_empty()
        {
            self.algorithm.tell_gradients(&source.gradients);
        }
        self.algorithm.tell(&mut self.xs, &self.values);
        self.tally.rounds += 1;
        let progress = Progress {
            iteration: self.algorithm.iterations(),
            evaluations: self.tally.evaluations,
            gradients: self.tally.gradients,
            cost: self.cost(),
            failures: self.tally.failures,
            best: &self.tally.best,
            values: &self.values,
            algorithm: &*self.algorithm,
            elapsed: self.tally.elapsed + self.begin.elapsed(),
        };
        // Every watcher sees every round, also the one that ends the run; the first reason counts.
        let mut verdict = ControlFlow::Continue(());
        for watcher in &mut self.watchers {
            let said = watcher.see(&progress);
            verdict = if verdict.is_continue() { said } else { verdict };
        }
        match self.algorithm.stop_reason() {
            Some(why) if verdict.is_continue() => ControlFlow::Break(why),
            _ => verdict,
        }
    }

    /// The result so far. Where the problem is noisy, the best points are evaluated anew before, on the calling thread's
    /// pool, if it is in one.
    pub fn outcome(mut self, reason: Reason) -> Outcome<F> {
        let told = self.tally.rounds > 0;
        let answer = if told { self.algorithm.answer() } else { self.tally.best.x.clone() };
        let solutions = if told { self.algorithm.solutions() } else { None };
        let broken_off = matches!(reason, Reason::Interrupted | Reason::Time);
        let repeated = if self.problem.noisy() && !broken_off { self.settle() } else { None };
        let cost = self.cost();
        let (noise, fun, x) = match repeated {
            Some((noise, x)) => (Some(noise), F::of(noise.mean), x),
            None => (None, self.tally.best.value, self.tally.best.x),
        };
        Outcome {
            answer,
            fun,
            x,
            solutions,
            noise,
            nfev: self.tally.evaluations,
            ngev: self.tally.gradients,
            cost,
            nit: self.algorithm.iterations(),
            explanation: self.algorithm.explanation(),
            failures: self.tally.failures,
            reason,
            seconds: (self.tally.elapsed + self.begin.elapsed()).as_secs_f64(),
        }
    }

    /// What the watchers allow to spend after so much.
    fn allowance(&self, cost: u64) -> u64 {
        self.watchers.iter().map(|w| w.allowance(cost)).min().unwrap_or(u64::MAX)
    }

    /// Evaluations, and gradients at their price.
    fn cost(&self) -> u64 {
        let price = self.source.as_ref().map_or(0.0, |source| source.price);
        self.tally.evaluations + (price * self.tally.gradients as f64).ceil() as u64
    }

    /// How many of the points asked for the allowance pays, in their order.
    fn affordable(&self, allowance: u64) -> usize {
        let asked = self.xs.len();
        let rows = self.algorithm.gradient_rows();
        let dear = self.source.as_ref().map_or(1.0, |source| source.last);
        // What was spent is a whole number, rounded up once for all gradients; so is the sum of what comes now.
        let (mut spent, mut next) = (0.0, 0);
        for i in 0..asked {
            let with_gradient = rows.get(next) == Some(&i);
            next += usize::from(with_gradient);
            spent += if with_gradient { dear } else { 1.0 };
            if f64::ceil(spent) > allowance as f64 {
                return i;
            }
        }
        asked
    }

    /// Evaluates the first points, some of them with their gradients, fewer where these turn out dearer than the last one;
    /// returns the number of evaluations.
    fn evaluate_with_gradients(&mut self, affordable: &mut usize, allowance: u64, halt: &Halt) -> u64 {
        let Some(source) = &mut self.source else { return 0 };
        let rows = self.algorithm.gradient_rows();
        let dim = self.xs.dim();
        source.rest.resize(0, dim);
        let mut next = 0;
        for i in 0..*affordable {
            if rows.get(next) == Some(&i) {
                next += 1;
            } else {
                source.rest.push(self.xs.row(i));
            }
        }
        source.values.clear();
        source.values.resize(source.rest.len(), F::infinity());
        let mut counted = self.evaluator.evaluate(self.problem, source.rest.rows(), &mut source.values, halt);
        source.gradients.resize(rows.len(), dim);
        self.done.clear();
        let (mut next, mut plain, mut spent) = (0, 0, counted.evaluations as f64);
        for i in 0..*affordable {
            if rows.get(next) != Some(&i) {
                self.values[i] = source.values[plain];
                self.done.push(self.evaluator.done()[plain]);
                plain += 1;
                continue;
            }
            if (spent + source.last).ceil() > allowance as f64 {
                *affordable = i;
                break;
            }
            let stopped = halt.requested() || halt.late();
            self.done.push(!stopped);
            if !stopped {
                // The count of evaluations is another one for every gradient of a run.
                let rng = self.rng.fork("gradient").at(self.tally.evaluations + counted.evaluations);
                let (x, out) = (self.xs.row(i), source.gradients.row_mut(next));
                let nothing = Sampled { value: F::nan(), evaluations: 1, gradients: 1 };
                let gradient = &mut source.source;
                let sampled = catch_unwind(AssertUnwindSafe(|| gradient.gradient(x, out, &rng))).unwrap_or(nothing);
                source.last = sampled.evaluations as f64 + source.price * sampled.gradients as f64;
                spent += source.last;
                counted.evaluations += sampled.evaluations;
                self.tally.gradients += sampled.gradients;
                if sampled.value.is_finite() {
                    self.values[i] = sampled.value;
                } else {
                    counted.failures += 1;
                    source.gradients.row_mut(next).fill(F::nan());
                }
            }
            next += 1;
        }
        self.tally.failures += counted.failures;
        counted.evaluations
    }

    /// Evaluations kept back for the end, where the problem is noisy.
    fn reserve(&self) -> u64 {
        if self.problem.noisy() { Shortlist::<F>::reserve(self.allowance(0)) } else { 0 }
    }

    /// Evaluates the best points anew and chooses among them; none if that was broken off or cannot be afforded.
    fn settle(&mut self) -> Option<(Repeated, Vec<F>)> {
        // A resumed run may have a smaller budget than it had.
        let budget = self.allowance(0);
        if self.allowance(self.cost()) < Shortlist::<F>::reserve(budget) {
            return None;
        }
        let points: Vec<_> = self.tally.shortlist.best(Shortlist::<F>::affordable(budget)).map(<[F]>::to_vec).collect();
        noise::settle(&points, |rows| {
            self.xs.resize(0, self.problem.space().dim());
            rows.for_each(|x| self.xs.push(x));
            let mut values = vec![F::infinity(); self.xs.len()];
            let cost = self.evaluator.evaluate(self.problem, self.xs.rows(), &mut values, &self.halt);
            self.tally.evaluations += cost.evaluations;
            self.tally.failures += cost.failures;
            (!self.halt.requested()).then_some(values)
        })
    }

    pub(crate) fn since(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Updates the best point with the points evaluated in this round.
    fn keep_best(&mut self, affordable: usize) {
        let noisy = self.problem.noisy();
        let (mut found, mut place) = (None, 0);
        for i in (0..affordable).filter(|&i| self.done[i]) {
            place += 1;
            if noisy {
                self.tally.shortlist.consider(self.values[i], self.xs.row(i));
            }
            let best = &mut self.tally.best;
            // The very first point is kept even if it failed, so that a run always has a point to show.
            if self.values[i] < best.value || best.x.is_empty() {
                best.value = self.values[i];
                best.evaluation = self.tally.evaluations + place;
                best.x.resize(self.xs.dim(), F::zero());
                found = Some(i);
            }
        }
        if let Some(i) = found {
            let best = &mut self.tally.best;
            best.x.copy_from_slice(self.xs.row(i));
            best.iteration = self.algorithm.iterations() + u64::from(self.tally.rounds > 0);
        }
    }
}
