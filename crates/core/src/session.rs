//! Session: an algorithm being driven, step by step, from anywhere.
//!
//! A session owns the method, the generator, the counts and the rules that end the run. [`Session::ask`] hands out points,
//! [`Session::tell`] takes their values back, one by one and in any order; a whole round is told to the method when its last value
//! is there. What a method asks next depends on its settings, the seed and the values alone, so a session that is told the same
//! values again takes the same course, to the bit.
//!
//! ```
//! # use swarmgrad_core::*;
//! # fn example(method: Box<dyn Algorithm>) -> Result<()> {
//! let mut session = Session::new(method, 42).limits(Limits::evaluations(1000));
//! while session.ended().is_none() {
//!     let batch = session.ask(usize::MAX);
//!     for (id, x) in batch.points() {
//!         session.tell(id, Evaluation::of(x.iter().map(|t| t * t).sum()))?;
//!     }
//! }
//! println!("{}", session.outcome().fun);
//! # Ok(())
//! # }
//! ```

use crate::evaluate::{check_len, misuse};
use crate::noise::{Repeated, Settling, Shortlist};
use crate::tally::{Behind, Late, Settled, Tally};
use crate::watch::Lent;
use crate::{
    Aim, Algorithm, Asked, Batch, Best, Checkpoint, Constraint, Evaluation, Failure, FailureCounts, Id, Instant,
    Limits, Matrix, Outcome, Problem, Progress, Real, Reason, Result, Rng, Told, Watch, best_index, violation,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

/// A method being driven.
pub struct Session<'a, F: Real = f64> {
    pub(crate) algorithm: Box<dyn Algorithm<F> + 'a>,
    pub(crate) rng: Rng,
    pub(crate) tally: Tally<F>,
    watchers: Vec<Box<dyn Watch<F> + 'a>>,
    pub(crate) round: Round<F>,
    /// Share of a round that must be there before the rest may be given up.
    quorum: f64,
    noisy: bool,
    /// Whether it goes on from a checkpoint and has not been asked since.
    resumed: bool,
    /// Share of the best value that an improvement must exceed to count as one for [`Limits::patience`].
    tolerance: F,
    settling: Option<Settling<F>>,
    repeated: Option<(Repeated, Vec<F>)>,
    /// Whether gradients are there for the method.
    gradients: bool,
    /// Price of a gradient beside its value, in evaluations.
    pub(crate) price: f64,
    /// What the last value with a gradient cost altogether.
    pub(crate) last_price: f64,
    /// Whether a watcher wants to see single evaluations.
    pub(crate) observed: bool,
    /// The constraints of the problem, and whether the method takes their values.
    constraints: Vec<Constraint>,
    handles_constraints: bool,
    /// What values are made of, and whether the method takes the parts.
    aim: Aim,
    handles_parts: bool,
    /// Values that are known without an evaluation, by the bits of their points.
    known: BTreeMap<Vec<u64>, F>,
    pub(crate) begin: Instant,
    ended: Option<Reason>,
}

/// The points of a round and what is known of them.
#[derive(Debug)]
pub(crate) struct Round<F: Real> {
    pub(crate) xs: Matrix<F>,
    /// Values of the affordable points, +inf where none is known.
    pub(crate) values: Vec<F>,
    pub(crate) done: Vec<bool>,
    pub(crate) gradients: Matrix<F>,
    /// Values of the constraints of the affordable points, NaN where none is known.
    pub(crate) constraints: Matrix<F>,
    /// What the values of the affordable points are made of, NaN where it is not known; of no columns before the first is told.
    pub(crate) parts: Matrix<F>,
    /// Number of the first point.
    pub(crate) first: u64,
    /// How many points the budget pays, in their order.
    pub(crate) affordable: usize,
    asked: usize,
    /// Rows before this one were handed out or are known.
    handed: usize,
    /// Points handed out and not answered.
    out: usize,
    told: usize,
    open: bool,
    /// Whether the method has been asked and not told.
    asked_for: bool,
    /// Evaluations before it.
    pub(crate) base: u64,
    /// What each point cost in evaluations, where that was told one by one.
    pub(crate) costs: Vec<u64>,
}

impl<F: Real> Default for Round<F> {
    fn default() -> Self {
        Round {
            xs: Matrix::default(),
            values: Vec::new(),
            done: Vec::new(),
            gradients: Matrix::default(),
            constraints: Matrix::default(),
            parts: Matrix::default(),
            first: 0,
            affordable: 0,
            asked: 0,
            handed: 0,
            out: 0,
            told: 0,
            open: false,
            asked_for: false,
            base: 0,
            costs: Vec::new(),
        }
    }
}

impl<F: Real> Round<F> {
    fn asked(&self, round: u64) -> Asked<'_, F> {
        Asked { round, first: Id(self.first), xs: self.xs.rows(), affordable: self.affordable }
    }
}

/// Keeps the parts of a row of a round of so many; the first ones say how many there are.
pub(crate) fn take_parts<F: Real>(all: &mut Matrix<F>, row: usize, rows: usize, parts: &[F]) {
    if all.dim() == 0 && !parts.is_empty() {
        all.resize(rows, parts.len());
        all.data_mut().fill(F::nan());
    }
    if all.dim() == parts.len() && row < all.len() {
        all.row_mut(row).copy_from_slice(parts);
    }
}

/// The bits of a point.
fn bits<F: Real>(x: &[F]) -> Vec<u64> {
    x.iter().map(|t| t.f64().to_bits()).collect()
}

impl<'a, F: Real> Session<'a, F> {
    /// A session of a method that has not been asked yet. Equal seeds and values give equal points.
    pub fn new(algorithm: Box<dyn Algorithm<F> + 'a>, seed: u64) -> Self {
        Session {
            algorithm,
            rng: Rng::new(seed),
            tally: Tally::default(),
            watchers: Vec::new(),
            round: Round::default(),
            quorum: 1.0,
            noisy: false,
            resumed: false,
            tolerance: F::zero(),
            settling: None,
            repeated: None,
            gradients: false,
            price: 0.0,
            last_price: 1.0,
            observed: false,
            constraints: Vec::new(),
            handles_constraints: false,
            aim: Aim::Value,
            handles_parts: false,
            known: BTreeMap::new(),
            begin: Instant::now(),
            ended: None,
        }
    }

    /// Ends the session by these limits; at once, if a session that has been resumed had reached one of them.
    pub fn limits(mut self, mut limits: Limits<F>) -> Self {
        if limits == Limits::default() {
            return self;
        }
        self.tolerance = limits.tolerance.unwrap_or(self.tolerance);
        if self.tally.rounds > 0
            && let ControlFlow::Break(reason) = limits.see(&self.progress())
        {
            self.ended.get_or_insert(reason);
        }
        self.watch(limits)
    }

    /// Adds a watcher, which sees every evaluation and every round and may end the session.
    pub fn watch(self, watcher: impl Watch<F> + 'a) -> Self {
        self.watch_boxed(Box::new(watcher))
    }

    /// [`Session::watch`] of a watcher whose type is not known.
    pub fn watch_boxed(mut self, watcher: Box<dyn Watch<F> + 'a>) -> Self {
        self.observed |= watcher.sees_evaluations();
        self.watchers.push(watcher);
        self
    }

    /// Adds a watcher that stays the caller's.
    pub fn watch_by(self, watcher: &'a mut dyn Watch<F>) -> Self {
        self.watch(Lent(watcher))
    }

    /// Draws from this generator (scripted, recording, or a fork) instead of one made from the seed.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// Tells a round when this share of its points (above 0, at most 1) is there and more points are asked for. The points that
    /// are still out count as failed for the method; their values may be told later, and may become the best.
    ///
    /// # Errors
    /// Outside (0, 1].
    pub fn quorum(mut self, share: f64) -> Result<Self> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(crate::Error::parameter("quorum", share, "must be a share of a round, above 0 and at most 1"));
        }
        self.quorum = share;
        Ok(self)
    }

    /// Points whose values are known: where the method asks for one of them it is told the value, and nothing is evaluated or counted.
    pub fn known(mut self, points: Vec<(Vec<F>, F)>) -> Self {
        self.known.extend(points.into_iter().map(|(x, value)| (bits(&x), value)));
        self
    }

    /// The constraints of the problem: every [`Evaluation`] without a failure then has as many values of constraints. The best point,
    /// the target and the result order by (violation, value). A method that does not take the values is told +inf for a point that
    /// violates one. Before the first [`Session::ask`].
    pub fn constraints(mut self, constraints: &[Constraint]) -> Self {
        if !constraints.is_empty() {
            self.handles_constraints = self.algorithm.expect_constraints(constraints);
            self.constraints = constraints.to_vec();
        }
        self
    }

    /// What the values of the problem are made of: every [`Evaluation`] without a failure then has as many parts. Before the first
    /// [`Session::ask`].
    pub fn aim(mut self, aim: &Aim) -> Self {
        if *aim != Aim::Value {
            self.handles_parts = self.algorithm.expect_aim(aim);
            self.aim = aim.clone();
        }
        self
    }

    /// What a problem says of itself: whether it is noisy, its constraints, its aim.
    pub(crate) fn of_problem(self, problem: &dyn Problem<F>) -> Self {
        self.noisy(problem.noisy()).constraints(problem.constraints()).aim(problem.aim())
    }

    /// Whether values are made of parts.
    pub(crate) fn has_parts(&self) -> bool {
        self.aim != Aim::Value
    }

    /// Whether the problem has constraints.
    pub fn is_constrained(&self) -> bool {
        !self.constraints.is_empty()
    }

    /// Says that two evaluations of a point differ: in the end the best points are evaluated anew; see [`Outcome::noise`].
    pub fn noisy(mut self, noisy: bool) -> Self {
        self.noisy = noisy;
        self
    }

    /// Hands out points that were not handed out yet, at most `most`, all of one round. Empty while values of the round are
    /// missing, and when the session has ended.
    pub fn ask(&mut self, most: usize) -> Batch<F> {
        let mut batch = Batch { first: Id(0), round: 0, row: 0, xs: Matrix::default(), gradient_rows: Vec::new() };
        self.ask_into(most, &mut batch);
        batch
    }

    /// [`Session::ask`] into a batch whose allocation is kept.
    pub fn ask_into(&mut self, most: usize, batch: &mut Batch<F>) {
        batch.xs.clear();
        batch.gradient_rows.clear();
        if most == 0 {
            return;
        }
        if self.round.open && self.waiting() == 0 && self.has_quorum() {
            self.close();
        }
        if !self.open() {
            return;
        }
        let round = &mut self.round;
        let unknown = |from: usize| (from..round.affordable).take_while(|&row| !round.done[row]).take(most).count();
        // What a record has told already is not handed out.
        let from = (round.handed..round.affordable).find(|&row| !round.done[row]).unwrap_or(round.affordable);
        let to = from + unknown(from);
        (batch.first, batch.round, batch.row) = (Id(round.first + from as u64), self.tally.rounds, from);
        batch.xs.copy_from(round.xs.rows().slice(from, to));
        round.handed = to;
        round.out += to - from;
        let wanted = self.gradient_rows().iter().filter(|row| (from..to).contains(row));
        batch.gradient_rows.extend(wanted.map(|row| row - from));
    }

    /// Takes what is known of a point. A value that is not finite counts as a failure.
    ///
    /// # Errors
    /// A number that was not handed out, or whose value is there already; nothing changes then.
    pub fn tell(&mut self, id: Id, evaluation: Evaluation<F>) -> Result<()> {
        let row = id.0.checked_sub(self.round.first).filter(|row| *row < self.round.handed as u64);
        let Some(row) = row.filter(|_| self.round.open) else { return self.tell_late(id, &evaluation, false) };
        let row = row as usize;
        if self.round.done[row] {
            return Err(misuse(id, "its value has been told already"));
        }
        let (found, expected) = (evaluation.constraints.len(), self.constraints.len());
        if found != expected && expected > 0 && evaluation.failure.is_none() {
            return Err(misuse(
                id,
                format!("it has {found} constraint values, and the problem {expected} constraints"),
            ));
        }
        if self.has_parts() && evaluation.failure.is_none() {
            let (found, known) = (evaluation.parts.len(), self.round.parts.dim());
            let expected = self.aim.parts().unwrap_or(if known > 0 { known } else { found });
            if found != expected || found == 0 {
                let parts = if self.aim == Aim::Residuals { "residuals" } else { "objectives" };
                return Err(misuse(id, format!("it has {found} {parts}, expected {}", expected.max(1))));
            }
        }
        self.round.out -= 1;
        self.note(row, &evaluation, false);
        self.close_if_complete();
        Ok(())
    }

    /// Tells again what an earlier part of the run had been told, in the same order, without asking for it: the session takes the
    /// same course, and hands out only what is missing. `late` says that the point's round had given it up. Watchers see it as
    /// [`Told::repeated`]. Evaluations made anew at the end of a noisy run go to [`Session::repeat_settling`].
    ///
    /// # Errors
    /// Where this session would not have asked for the point: it is another run.
    pub fn repeat(&mut self, id: Id, late: bool, x: &[F], evaluation: &Evaluation<F>) -> Result<()> {
        let inside =
            |round: &Round<F>| round.open && (round.first..round.first + round.affordable as u64).contains(&id.0);
        // Another round was asked for, or this point given up, once the round had its quorum.
        if inside(&self.round) == late && self.round.open && self.has_quorum() {
            self.close();
        }
        let same = |(a, b): (&F, &F)| a.f64().to_bits() == b.f64().to_bits() || a.is_nan() && b.is_nan();
        let same = |ours: &[F]| x.len() == ours.len() && x.iter().zip(ours).all(same);
        if late {
            if self.tally.late.iter().any(|late| late.id == id.0 && !same(&late.x)) {
                return Err(misuse(id, "this run asks for another point; it belongs to another run"));
            }
            return self.tell_late(id, evaluation, true);
        }
        self.open();
        if !inside(&self.round) {
            return Err(misuse(id, "this run does not ask for it; it belongs to another run"));
        }
        let row = (id.0 - self.round.first) as usize;
        if self.round.done[row] {
            return Err(misuse(id, "its value has been told already"));
        }
        if !same(self.round.xs.row(row)) {
            return Err(misuse(id, "this run asks for another point; it belongs to another run"));
        }
        self.note(row, evaluation, true);
        self.close_if_complete();
        Ok(())
    }

    /// [`Session::repeat`] of an evaluation that was made anew at the end of a noisy run. Returns whether this run is at its end
    /// too: with a larger budget it searches on, and the evaluation is not told.
    ///
    /// # Errors
    /// As [`Session::repeat`].
    pub fn repeat_settling(&mut self, id: Id, x: &[F], evaluation: &Evaluation<F>) -> Result<bool> {
        if self.round.open && self.settling.is_none() && self.has_quorum() {
            self.close();
        }
        self.open();
        if self.settling.is_none() {
            return Ok(false);
        }
        self.repeat(id, false, x, evaluation).map(|()| true)
    }

    /// The round whose values are being waited for, if there is one.
    pub fn asked(&self) -> Option<Asked<'_, F>> {
        self.round.open.then(|| self.round.asked(self.tally.rounds))
    }

    /// Whether the best points of a noisy problem are being evaluated anew, which a deadline does not cut off.
    pub fn is_settling(&self) -> bool {
        self.settling.is_some()
    }

    /// Takes the values of a batch, in the order of its rows.
    ///
    /// # Errors
    /// A number of values other than that of the points, or points whose values are there already; nothing changes then.
    pub fn tell_batch(&mut self, batch: &Batch<F>, values: &[F]) -> Result<()> {
        check_len("values", values.len(), batch.len())?;
        let round = &self.round;
        let inside = round.open && batch.round == self.tally.rounds && batch.row + batch.len() <= round.handed;
        if inside && let Some(i) = (0..batch.len()).find(|i| round.done[batch.row + i]) {
            return Err(misuse(Id(batch.first.0 + i as u64), "its value has been told already"));
        }
        for (id, &value) in batch.ids().zip(values) {
            self.tell(id, Evaluation::of(value))?;
        }
        Ok(())
    }

    /// The best point so far, with single evaluations of a round that is not complete; none before the first evaluation.
    pub fn best(&self) -> Option<&Best<F>> {
        Some(&self.tally.best).filter(|best| !best.x.is_empty())
    }

    /// Why the session has ended, if it has.
    pub fn ended(&self) -> Option<&Reason> {
        self.ended.as_ref()
    }

    /// Ends the session. Values that are still out may be told and may become the best.
    pub fn stop(&mut self, reason: Reason) {
        let reason = self.settling.take().map_or(reason, |settling| settling.reason);
        self.ended.get_or_insert(reason);
    }

    /// The method.
    pub fn algorithm(&self) -> &dyn Algorithm<F> {
        &*self.algorithm
    }

    /// Evaluations so far, those of the present round included.
    pub fn evaluations(&self) -> u64 {
        self.tally.evaluations
    }

    /// Rounds of ask and tell that are complete.
    pub fn rounds(&self) -> u64 {
        self.tally.rounds
    }

    /// Failures so far, by kind.
    pub fn failures(&self) -> &FailureCounts {
        &self.tally.failures
    }

    /// Whether the session stands between two rounds, so that [`Session::checkpoint`] holds all of it.
    pub fn is_whole(&self) -> bool {
        self.tally.rounds > 0 && !self.round.asked_for
    }

    /// Points of the rounds so far: the number of the next one.
    pub fn handed(&self) -> u64 {
        self.tally.handed
    }

    /// Whether the value of a point has been told, as far as complete rounds go.
    pub fn is_known(&self, id: Id) -> bool {
        id.0 < self.tally.handed && !self.tally.late.iter().any(|late| late.id == id.0)
    }

    /// Points that were handed out and have not been answered.
    pub fn outstanding(&self) -> usize {
        self.round.out + self.tally.late.len()
    }

    /// Points of the present round that are to be handed out.
    pub fn waiting(&self) -> usize {
        if self.round.open { self.round.affordable - self.round.told - self.round.out } else { 0 }
    }

    /// Points that their rounds gave up and that were never answered, each as a batch of its own, so that they can be evaluated
    /// after all.
    pub fn unanswered(&self) -> impl Iterator<Item = Batch<F>> {
        self.tally.late.iter().map(|late| {
            let mut xs = Matrix::empty(late.x.len());
            xs.push(&late.x);
            Batch { first: Id(late.id), round: late.round, row: late.row, xs, gradient_rows: Vec::new() }
        })
    }

    /// Seconds of the run so far, those of earlier parts included.
    pub fn elapsed(&self) -> Duration {
        self.tally.elapsed + self.begin.elapsed()
    }

    /// Counts the time of earlier parts of the run.
    pub fn after(mut self, earlier: Duration) -> Self {
        self.tally.elapsed = earlier;
        self
    }

    /// When the run must end even within a round.
    pub fn deadline(&self) -> Option<Instant> {
        self.watchers.iter().filter_map(|watcher| watcher.deadline()).min()
    }

    /// The result so far.
    pub fn outcome(self) -> Outcome<F> {
        let told = self.tally.rounds > 0;
        let algorithm = &self.algorithm;
        let answer = if told { algorithm.answer() } else { Vec::new() };
        // An answer that left the numbers says nothing.
        let says = told && answer.iter().all(|t| !t.is_nan());
        let answer = if says { answer } else { self.tally.best.x.clone() };
        let solutions = if told { algorithm.solutions() } else { None };
        let (cost, seconds) = (self.cost(), self.elapsed().as_secs_f64());
        let Best { x, value, violation, constraints, parts, .. } = self.tally.best;
        let covariance = if told { algorithm.covariance() } else { None };
        let multipliers = if told { algorithm.multipliers() } else { None };
        let (noise, fun, x, violation, constraints, parts) = match self.repeated {
            // Only feasible points are evaluated anew; what their constraints are is known of the best single evaluation only.
            Some((noise, settled)) => {
                let constraints = if settled == x { constraints } else { Vec::new() };
                (Some(noise), F::of(noise.mean), settled, F::zero(), constraints, Vec::new())
            }
            None => (None, value, x, violation, constraints, parts),
        };
        Outcome {
            violation,
            constraints,
            parts,
            covariance,
            multipliers,
            answer,
            fun,
            x,
            solutions,
            noise,
            nfev: self.tally.evaluations,
            ngev: self.tally.gradients,
            cost,
            nit: algorithm.iterations(),
            explanation: algorithm.explanation(),
            knowledge: algorithm.knowledge(),
            failures: self.tally.failures.total(),
            failure_counts: self.tally.failures,
            reason: self.ended.unwrap_or(Reason::Interrupted),
            seconds,
        }
    }

    /// Offers gradients, a value with its gradient costing `cost` evaluations; returns whether the method makes use of them. Before
    /// the first [`Session::ask`].
    pub fn expect_gradients(&mut self, cost: f64) -> bool {
        let used = self.algorithm.expect_gradients();
        if used {
            self.gradients = true;
            self.price = if cost.is_finite() { (cost - 1.0).max(0.0) } else { 0.0 };
            self.last_price = 1.0 + self.price;
        }
        used
    }

    /// Rows of the open round whose gradient the method wants and is told.
    pub(crate) fn gradient_rows(&self) -> &[usize] {
        if self.gradients && self.settling.is_none() { self.algorithm.gradient_rows() } else { &[] }
    }

    /// Takes an evaluation of the open round that was made within the process.
    pub(crate) fn learn(&mut self, row: usize, evaluation: Evaluation<F>) {
        self.note(row, &evaluation, false);
    }

    /// What the watchers allow to spend after so much.
    fn allowance(&self, cost: u64) -> u64 {
        self.watchers.iter().map(|watcher| watcher.allowance(cost)).min().unwrap_or(u64::MAX)
    }

    /// Evaluations, and gradients at their price.
    pub(crate) fn cost(&self) -> u64 {
        self.tally.evaluations + (self.price * self.tally.gradients as f64).ceil() as u64
    }

    /// How much the rest of the run may spend now.
    pub(crate) fn left(&self) -> u64 {
        let spent = self.cost() + self.tally.late.len() as u64;
        // Of a noisy problem, evaluations are kept back for the end.
        let reserve = if self.noisy { Shortlist::<F>::reserve(self.allowance(0)) } else { 0 };
        self.allowance(spent).saturating_sub(reserve)
    }

    /// Makes sure that a round is open; false if the session has ended. A round that is open may have no points left.
    pub(crate) fn open(&mut self) -> bool {
        while self.ended.is_none() && !self.round.open {
            match self.settling {
                Some(_) => self.open_settling(),
                None => self.open_search(),
            }
        }
        self.ended.is_none()
    }

    fn open_search(&mut self) {
        // A method that had ended when the end was settled has ended, whatever that has left of the budget.
        if self.resumed
            && self.repeated.is_some()
            && let Some(Settled { reason: reason @ Reason::Method(_), .. }) = &self.tally.settled
        {
            return self.finish(reason.clone());
        }
        let left = self.left();
        if left == 0 {
            return self.finish(Reason::Evaluations);
        }
        // A checkpoint may have been taken between the last round and the end.
        if std::mem::take(&mut self.resumed)
            && let Some(reason) = self.algorithm.stop_reason()
        {
            return self.finish(reason);
        }
        self.algorithm.set_spent(self.cost() + self.tally.late.len() as u64);
        self.round.asked_for = true;
        self.rng.set_iteration(self.tally.rounds);
        self.algorithm.ask(&self.rng, &mut self.round.xs);
        if self.round.xs.is_empty() {
            let why = self.algorithm.stop_reason();
            return self.finish(why.unwrap_or_else(|| Reason::Method("the method has ended".into())));
        }
        let affordable = self.affordable(left);
        self.begin_round(affordable);
        if !self.known.is_empty() {
            self.recall();
        }
    }

    /// Tells the values of the open round that are known.
    fn recall(&mut self) {
        for row in 0..self.round.affordable {
            if let Some(&value) = self.known.get(&bits(self.round.xs.row(row))) {
                let evaluation = Evaluation { evaluations: 0, ..Evaluation::of(value) };
                self.note(row, &evaluation, true);
            }
        }
        self.close_if_complete();
    }

    fn begin_round(&mut self, affordable: usize) {
        let round = &mut self.round;
        (round.asked, round.affordable, round.handed, round.out, round.told) = (round.xs.len(), affordable, 0, 0, 0);
        round.base = self.tally.evaluations + self.tally.late.len() as u64;
        round.first = self.tally.handed;
        self.tally.handed += affordable as u64;
        round.values.clear();
        round.values.resize(affordable, F::infinity());
        round.done.clear();
        round.done.resize(affordable, false);
        round.costs.clear();
        round.open = true;
        let (wanted, dim) = (self.gradient_rows().len(), self.round.xs.dim());
        let round = &mut self.round;
        round.gradients.resize(wanted, dim);
        if !self.constraints.is_empty() {
            round.constraints.resize(affordable, self.constraints.len());
            round.constraints.data_mut().fill(F::nan());
        }
        if self.aim != Aim::Value {
            round.parts.resize(affordable, self.aim.parts().unwrap_or(round.parts.dim()));
            round.parts.data_mut().fill(F::nan());
        }
        if self.observed {
            let asked = round.asked(self.tally.rounds);
            self.watchers.iter_mut().for_each(|watcher| watcher.asked(&asked));
        }
        if affordable == 0 {
            // A gradient that the budget does not pay.
            self.close();
        }
    }

    /// How many of the points asked for the allowance pays, in their order. Known values cost nothing.
    fn affordable(&self, allowance: u64) -> usize {
        let asked = self.round.xs.len();
        let rows = self.gradient_rows();
        let plain = rows.is_empty() || self.price == 0.0 && self.last_price <= 1.0;
        if plain && self.known.is_empty() {
            return asked.min(usize::try_from(allowance).unwrap_or(usize::MAX));
        }
        // What was spent is a whole number, rounded up once for all gradients; so is the sum of what comes now.
        let (mut spent, mut next) = (0.0, 0);
        for i in 0..asked {
            let with_gradient = rows.get(next) == Some(&i);
            next += usize::from(with_gradient);
            spent += match with_gradient && !plain {
                true => self.last_price,
                false if self.known.contains_key(&bits(self.round.xs.row(i))) => 0.0,
                false => 1.0,
            };
            if f64::ceil(spent) > allowance as f64 {
                return i;
            }
        }
        asked
    }

    /// Cuts the round: the points from `row` on are not paid for.
    pub(crate) fn cut(&mut self, row: usize) {
        self.tally.handed -= (self.round.affordable - row) as u64;
        self.round.affordable = row;
        self.round.values.truncate(row);
        self.round.done.truncate(row);
    }

    fn has_quorum(&self) -> bool {
        let need = (self.quorum * self.round.affordable as f64).ceil() as usize;
        self.quorum < 1.0 && self.settling.is_none() && self.round.told >= need.max(1)
    }

    /// Takes an evaluation of the present round into account.
    fn note(&mut self, row: usize, evaluation: &Evaluation<F>, repeated: bool) {
        let round = &mut self.round;
        if self.observed {
            let (id, x) = (Id(round.first + row as u64), round.xs.row(row));
            let told = Told {
                id,
                round: self.tally.rounds,
                row,
                late: false,
                settling: self.settling.is_some(),
                repeated,
                x,
                evaluation,
            };
            self.watchers.iter_mut().for_each(|watcher| watcher.evaluated(&told));
        }
        let value = evaluation.cost();
        round.values[row] = value;
        round.done[row] = true;
        round.told += 1;
        if !self.constraints.is_empty() && evaluation.constraints.len() == self.constraints.len() {
            round.constraints.row_mut(row).copy_from_slice(&evaluation.constraints);
        }
        if self.aim != Aim::Value {
            take_parts(&mut round.parts, row, round.affordable, &evaluation.parts);
        }
        self.tally.evaluations += evaluation.evaluations;
        self.tally.gradients += evaluation.gradients;
        if value == F::infinity() {
            self.tally.failures.add(evaluation.failure.as_ref().unwrap_or(&Failure::NotFinite));
        }
        if self.settling.is_none() {
            self.keep(row, value, evaluation);
        }
    }

    fn close_if_complete(&mut self) {
        if self.round.open && self.round.told == self.round.affordable {
            self.close();
        }
    }

    /// Keeps the gradient of a row, and the point if it is the best.
    fn keep(&mut self, row: usize, value: F, evaluation: &Evaluation<F>) {
        let place = self.gradient_rows().binary_search(&row);
        let round = &mut self.round;
        if let Ok(k) = place {
            self.last_price = evaluation.evaluations as f64 + self.price * evaluation.gradients as f64;
            round.costs.resize(round.done.len(), 1);
            round.costs[row] = evaluation.evaluations;
            let gradient = round.gradients.row_mut(k);
            match evaluation.gradient.len() == gradient.len() {
                true => gradient.copy_from_slice(&evaluation.gradient),
                false => gradient.fill(F::nan()),
            }
        }
        let number = round.base + row as u64 + 1;
        let iteration = self.algorithm.iterations() + u64::from(self.tally.rounds > 0);
        self.consider(row, value, number, iteration);
    }

    /// Keeps a point of the open round if it is the best.
    fn consider(&mut self, row: usize, value: F, number: u64, iteration: u64) {
        let x = self.round.xs.row(row);
        if self.constraints.is_empty() && !self.has_parts() {
            return self.tally.consider(value, x, number, iteration, self.noisy);
        }
        let constraints = if self.constraints.is_empty() { &[][..] } else { self.round.constraints.row(row) };
        let parts = if self.round.parts.dim() == 0 { &[][..] } else { self.round.parts.row(row) };
        let behind = Behind { violation: violation(&self.constraints, constraints), constraints, parts };
        self.tally.consider_with(value, behind, x, number, iteration, self.noisy);
    }

    /// Takes the values that `round.values` holds where `round.done` says so: the path of a run within the process. `counts` says
    /// what they cost and what failed.
    pub(crate) fn told_in_place(&mut self, evaluations: u64, gradients: u64, failures: FailureCounts) {
        self.round.handed = self.round.affordable;
        self.round.told = self.round.done.iter().filter(|done| **done).count();
        let iteration = self.algorithm.iterations() + u64::from(self.tally.rounds > 0);
        if self.settling.is_none()
            && !self.noisy
            && self.constraints.is_empty()
            && !self.has_parts()
            && self.round.told == self.round.affordable
        {
            // The best of a whole round, of equals the first, is all that can be kept of it.
            if let Some(row) = best_index(&self.round.values) {
                let (value, place) = (self.round.values[row], self.round.base + row as u64 + 1);
                self.tally.consider(value, self.round.xs.row(row), place, iteration, false);
            }
        } else if self.settling.is_none() {
            let mut place = self.round.base;
            for row in 0..self.round.affordable {
                if self.round.done[row] {
                    place += 1;
                    self.consider(row, self.round.values[row], place, iteration);
                }
            }
        }
        self.tally.evaluations += evaluations;
        self.tally.gradients += gradients;
        self.tally.failures.join(failures);
    }

    /// The watchers, and the round that they are shown.
    pub(crate) fn watchers_and_round(&mut self) -> (&mut [Box<dyn Watch<F> + 'a>], &mut Round<F>) {
        (&mut self.watchers, &mut self.round)
    }

    /// A point that its round gave up.
    fn tell_late(&mut self, id: Id, evaluation: &Evaluation<F>, repeated: bool) -> Result<()> {
        let Some(k) = self.tally.late.iter().position(|late| late.id == id.0) else {
            let rule = match id.0 < self.round.first + self.round.handed as u64 {
                true => "its value has been told already",
                false => "no such point was handed out",
            };
            return Err(misuse(id, rule));
        };
        // What is asked for next must not depend on whether it was asked for before or after a late value.
        self.open();
        let late = self.tally.late.remove(k);
        if self.observed {
            let (round, row) = (late.round, late.row);
            let told = Told { id, round, row, late: true, settling: false, repeated, x: &late.x, evaluation };
            self.watchers.iter_mut().for_each(|watcher| watcher.evaluated(&told));
        }
        self.tally.evaluations += evaluation.evaluations;
        self.tally.gradients += evaluation.gradients;
        let value = evaluation.cost();
        if value == F::infinity() {
            self.tally.failures.add(evaluation.failure.as_ref().unwrap_or(&Failure::NotFinite));
        }
        let (number, iteration) = (late.evaluation, late.iteration);
        let Evaluation { constraints, parts, .. } = evaluation;
        let constraints = if self.constraints.is_empty() { &[][..] } else { constraints };
        let behind = Behind { violation: violation(&self.constraints, constraints), constraints, parts };
        self.tally.consider_with(value, behind, &late.x, number, iteration, self.noisy);
        Ok(())
    }

    /// The round is over: the method is told, and the watchers see it.
    pub(crate) fn close(&mut self) {
        (self.round.open, self.round.out) = (false, 0);
        if self.settling.is_some() {
            return self.settle();
        }
        if self.round.told < self.round.affordable {
            let iteration = self.algorithm.iterations() + u64::from(self.tally.rounds > 0);
            for row in (0..self.round.affordable).filter(|&row| !self.round.done[row]) {
                self.tally.late.push(Late {
                    id: self.round.first + row as u64,
                    round: self.tally.rounds,
                    row,
                    evaluation: self.round.base + row as u64 + 1,
                    iteration,
                    x: self.round.xs.row(row).to_vec(),
                });
            }
        }
        if self.round.affordable < self.round.asked {
            return self.finish(Reason::Evaluations);
        }
        if !self.gradient_rows().is_empty() {
            self.algorithm.tell_gradients(&self.round.gradients);
        }
        if !self.constraints.is_empty() {
            if self.handles_constraints {
                self.algorithm.tell_constraints(&self.round.constraints);
            } else {
                for (value, row) in self.round.values.iter_mut().zip(self.round.constraints.iter()) {
                    if violation(&self.constraints, row) > F::zero() {
                        *value = F::infinity();
                    }
                }
            }
        }
        if self.handles_parts {
            self.algorithm.tell_parts(&self.round.parts);
        }
        self.algorithm.tell(&mut self.round.xs, &self.round.values);
        self.repeated = None;
        self.round.asked_for = false;
        self.tally.rounds += 1;
        self.tally.note_gain(self.tolerance);
        let mut watchers = std::mem::take(&mut self.watchers);
        let progress = self.progress();
        // Every watcher sees every round, also the one that ends the run; the first reason counts.
        let mut verdict = ControlFlow::Continue(());
        for watcher in &mut watchers {
            let said = watcher.see(&progress);
            verdict = if verdict.is_continue() { said } else { verdict };
        }
        self.watchers = watchers;
        match (verdict, self.algorithm.stop_reason()) {
            (ControlFlow::Break(reason), _) | (ControlFlow::Continue(()), Some(reason)) => self.finish(reason),
            (ControlFlow::Continue(()), None) => {}
        }
    }

    /// What watchers see of the last round.
    fn progress(&self) -> Progress<'_, F> {
        Progress {
            iteration: self.algorithm.iterations(),
            evaluations: self.tally.evaluations,
            gradients: self.tally.gradients,
            cost: self.cost(),
            failures: self.tally.failures.total(),
            best: &self.tally.best,
            gained: self.tally.gained.2,
            values: &self.round.values,
            algorithm: &*self.algorithm,
            elapsed: self.tally.elapsed + self.begin.elapsed(),
            tally: &self.tally,
            rng: &self.rng,
            begin: self.begin,
        }
    }

    /// The search has ended: where the problem is noisy and nobody cut it off, the best points are evaluated anew.
    fn finish(&mut self, reason: Reason) {
        if self.ended.is_some() {
            return;
        }
        let broken_off = matches!(reason, Reason::Interrupted | Reason::Time);
        // A resumed run may have a smaller budget than it had.
        let budget = self.allowance(0);
        let spent = self.cost() + self.tally.late.len() as u64;
        let settles = self.noisy && !broken_off && self.repeated.is_none();
        if settles && self.allowance(spent) >= Shortlist::<F>::reserve(budget) {
            let points = self.tally.shortlist.best(Shortlist::<F>::affordable(budget)).map(<[F]>::to_vec).collect();
            self.settling = Settling::new(points, reason.clone());
        }
        if self.settling.is_none() {
            self.ended = Some(reason);
        }
    }

    fn open_settling(&mut self) {
        let Some(settling) = &self.settling else { return };
        let dim = self.tally.best.x.len();
        self.round.xs.resize(0, dim);
        settling.rows().for_each(|x| self.round.xs.push(x));
        let affordable = self.round.xs.len();
        self.begin_round(affordable);
    }

    fn settle(&mut self) {
        let Some(settling) = &mut self.settling else { return };
        self.tally.rounds += 1;
        if let Some(repeated) = settling.tell(&self.round.values) {
            let (evaluations, reason) = (self.tally.evaluations, settling.reason.clone());
            let (report, x) = repeated.clone();
            self.tally.settled = Some(Settled { evaluations, repeated: report, x, reason: reason.clone() });
            self.repeated = Some(repeated);
            self.ended = Some(reason);
            self.settling = None;
        }
    }
}

impl<F: Real> Session<'_, F> {
    /// The session as it stands between two rounds.
    ///
    /// # Errors
    /// A state of the method that cannot be encoded.
    pub fn checkpoint(&self, method: &str, about: &str) -> Result<Checkpoint<F>> {
        Checkpoint::take(method, about, &*self.algorithm, &self.rng, &self.tally, self.begin)
    }

    /// Takes up the counts, the best point and the generator of a checkpoint. The algorithm of this session must be the one
    /// loaded from it; whether they fit together says [`Checkpoint::verify`].
    pub fn resume(mut self, checkpoint: Checkpoint<F>) -> Self {
        self.rng = checkpoint.rng;
        self.tally = checkpoint.tally;
        // At an end that was settled; a session that searches on forgets it.
        let settled = self.tally.settled.iter().find(|settled| settled.evaluations == self.tally.evaluations);
        self.repeated = settled.map(|settled| (settled.repeated, settled.x.clone()));
        self.resumed = true;
        self
    }
}
