//! How a method that knows values only is told of constraints: as one number a point, by a strategy.
//!
//! ```text
//! feasibility  feasible points by their values, after them infeasible ones by their violation       whatever compares points
//! epsilon      the same with a violation up to a level that falls to 0 counted as none                populations that forget
//! lagrangian   f + lambda c + mu c^2 / 2 with multipliers that follow the best point                  evolution strategies
//! penalty      f + weight times violation, the weight growing until the best point is feasible        weighted means
//! ```
//!
//! Where the values of all constraints can be had without an evaluation ([`Algorithm::screen`]), a method that is told by feasibility alone
//! needs no value of an infeasible point: such points are not evaluated, and the method is told of them at once. A round without any
//! feasible point is followed by another one, and after a hundred of them in a row one is evaluated as it is.
//!
//! A method that remembers values it was told long ago, as differential evolution does, must not be told of one point twice
//! with different numbers: of the four only the first never does.

mod epsilon;
mod feasibility;
mod lagrangian;
mod penalty;

pub use epsilon::EpsilonLevel;
pub use feasibility::FeasibilityOrder;
pub use lagrangian::AugmentedLagrangian;
pub use penalty::GrowingPenalty;

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::method::Handling;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{
    Aim, Algorithm, Constraint, Error, Matrix, Real, Reason, Result, Rng, Screen, Solutions, View, math, save_state,
    violation,
};

/// What is known of the points of a round.
#[derive(Debug, Clone, Copy)]
pub struct ToldRound<'a, F: Real> {
    /// The constraints of the problem.
    pub constraints: &'a [Constraint],
    /// Number of variables.
    pub dim: usize,
    /// Values of the points, +inf for failures.
    pub values: &'a [F],
    /// Values of the constraints, a row a point; NaN where they are not known.
    pub rows: &'a Matrix<F>,
}

impl<F: Real> ToldRound<'_, F> {
    /// The violation of point i beyond the tolerances, each constraint's over its scale.
    pub fn violation(&self, i: usize, scales: &[f64]) -> f64 {
        let each = self.constraints.iter().zip(self.rows.row(i)).zip(scales);
        each.map(|((constraint, &c), scale)| constraint.violation(c).f64() / scale).sum()
    }

    /// The mean violation of each constraint over the points where that is finite; 1 where it is nothing.
    pub fn scales(&self) -> Vec<f64> {
        let scale = |k: usize| {
            let known =
                self.rows.iter().map(|row| self.constraints[k].violation(row[k]).f64()).filter(|v| v.is_finite());
            let (sum, count) = known.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
            if sum > 0.0 { sum / count } else { 1.0 }
        };
        (0..self.constraints.len()).map(scale).collect()
    }
}

/// A way to make one number of a value and its constraints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Strategy {
    /// By feasibility, then by value.
    Feasibility(FeasibilityOrder),
    /// The same within a level.
    Epsilon(EpsilonLevel),
    /// By the augmented Lagrangian.
    Lagrangian(AugmentedLagrangian),
    /// By a penalty that grows.
    Penalty(GrowingPenalty),
}

impl Strategy {
    /// A strategy that knows nothing yet; `budget` is the number of evaluations planned.
    pub fn new(handling: Handling, budget: Option<u64>) -> Self {
        match handling {
            Handling::Feasibility => Strategy::Feasibility(FeasibilityOrder::default()),
            Handling::Epsilon => Strategy::Epsilon(EpsilonLevel::new(budget)),
            Handling::Lagrangian => Strategy::Lagrangian(AugmentedLagrangian::default()),
            Handling::Penalty => Strategy::Penalty(GrowingPenalty::default()),
        }
    }

    /// Whether a strategy that was read back can be gone on with.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    pub fn verify(&self) -> Result<()> {
        match self {
            Strategy::Feasibility(_) => Ok(()),
            Strategy::Epsilon(strategy) => strategy.verify(),
            Strategy::Lagrangian(strategy) => strategy.verify(),
            Strategy::Penalty(strategy) => strategy.verify(),
        }
    }

    /// What the method is told of the points of a round, one number a point, into `out`.
    pub fn scalars<F: Real>(&mut self, told: ToldRound<'_, F>, out: &mut Vec<F>) {
        out.clear();
        match self {
            Strategy::Feasibility(strategy) => strategy.scalars(told, out),
            Strategy::Epsilon(strategy) => strategy.scalars(told, out),
            Strategy::Lagrangian(strategy) => strategy.scalars(told, out),
            Strategy::Penalty(strategy) => strategy.scalars(told, out),
        }
    }
}

/// A method with a strategy.
pub struct Handled<F: Real = f64> {
    method: Box<dyn Algorithm<F>>,
    strategy: Strategy,
    constraints: Vec<Constraint>,
    rows: Matrix<F>,
    scalars: Vec<F>,
    screen: Option<Screen<F>>,
    /// All points that the method has asked for, and of each the row that was handed out.
    asked: Matrix<F>,
    handed: Vec<Option<usize>>,
    /// Points that were not evaluated, of all that were asked for.
    screened: [u64; 2],
}

/// Rounds in a row without a feasible point after which one is evaluated.
const ROUNDS: u64 = 100;

/// Its state in a file.
#[derive(Serialize, Deserialize)]
struct Saved {
    strategy: Strategy,
    constraints: Vec<Constraint>,
    screened: [u64; 2],
    state: Vec<u8>,
}

impl<F: Real> Handled<F> {
    /// The method, told by a strategy.
    pub fn new(method: Box<dyn Algorithm<F>>, strategy: Strategy) -> Self {
        Handled {
            method,
            strategy,
            constraints: Vec::new(),
            rows: Matrix::default(),
            scalars: Vec::new(),
            screen: None,
            asked: Matrix::default(),
            handed: Vec::new(),
            screened: [0; 2],
        }
    }

    /// Leaves those of the points asked for that keep to the constraints.
    fn sift(&mut self, screen: &Screen<F>, xs: &mut Matrix<F>) {
        self.asked.copy_from(xs.rows());
        self.handed.clear();
        self.rows.resize(0, self.constraints.len());
        xs.resize(0, self.asked.dim());
        for x in self.asked.iter() {
            let values = screen(x);
            let keeps = violation(&self.constraints, &values) == F::zero();
            self.handed.push(keeps.then_some(xs.len()));
            self.rows.push(&values);
            if keeps {
                xs.push(x);
            }
        }
    }

    /// Tells the method of all points that it has asked for, with the values of those that were evaluated.
    fn tell_all(&mut self, values: &[F]) {
        let value = |row: &Option<usize>| row.and_then(|row| values.get(row).copied()).unwrap_or(F::infinity());
        let values: Vec<F> = self.handed.iter().map(value).collect();
        let told =
            ToldRound { constraints: &self.constraints, dim: self.asked.dim(), values: &values, rows: &self.rows };
        self.strategy.scalars(told, &mut self.scalars);
        self.method.tell(&mut self.asked, &self.scalars);
    }

    /// The constraints' values without an evaluation, where nothing else is needed of an infeasible point.
    fn screens(&self) -> Option<Screen<F>> {
        let alone = matches!(self.strategy, Strategy::Feasibility(_)) && !self.constraints.is_empty();
        self.screen.clone().filter(|_| alone)
    }
}

impl Handled<f64> {
    /// Reads back what [`Algorithm::save`] wrote; `load` reads the method.
    ///
    /// # Errors
    /// Bytes that are no such state.
    pub fn load(bytes: &[u8], load: impl FnOnce(&[u8]) -> Result<Box<dyn Algorithm>>) -> Result<Self> {
        let wrong = |why: postcard::Error| Error::Saved(format!("a method with constraints: {why}"));
        let Saved { strategy, constraints, screened, state } = postcard::from_bytes(bytes).map_err(wrong)?;
        strategy.verify()?;
        screened.into_iter().try_for_each(|count| saved::count("screened", count))?;
        Ok(Handled { constraints, screened, ..Handled::new(load(&state)?, strategy) })
    }
}

impl<F: Real> Algorithm<F> for Handled<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        self.method.ask(rng, xs);
        let Some(screen) = self.screens() else { return };
        for round in 0.. {
            self.sift(&screen, xs);
            let (all, kept) = (self.asked.len() as u64, xs.len() as u64);
            if all > 0 && kept == 0 && round == ROUNDS {
                xs.copy_from(self.asked.rows());
                self.handed = (0..xs.len()).map(Some).collect();
                self.screened[1] += all;
                return;
            }
            self.screened = [self.screened[0] + all - kept, self.screened[1] + all];
            if all == 0 || kept > 0 {
                return;
            }
            self.tell_all(&[]);
            if self.method.stop_reason().is_some() {
                return;
            }
            // Draws of their own: the run still is in the same round.
            self.method.ask(&rng.fork(&format!("screened{round}")), xs);
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        if self.screens().is_some() {
            return self.tell_all(values);
        }
        if self.constraints.is_empty() || self.rows.len() != values.len() {
            return self.method.tell(xs, values);
        }
        let told = ToldRound { constraints: &self.constraints, dim: xs.dim(), values, rows: &self.rows };
        self.strategy.scalars(told, &mut self.scalars);
        self.method.tell(xs, &self.scalars);
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        self.constraints = constraints.to_vec();
        true
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        // Those of all points asked for are known already.
        if self.screens().is_none() {
            self.rows.clone_from(values);
        }
    }

    fn screen(&mut self, screen: &Screen<F>) {
        self.screen = Some(screen.clone());
    }

    /// What the values are made of is not what the method is told.
    fn expect_aim(&mut self, _aim: &Aim) -> bool {
        false
    }

    /// Values by differences know nothing of constraints.
    fn expect_gradients(&mut self) -> bool {
        false
    }

    fn answer(&self) -> Vec<F> {
        self.method.answer()
    }

    fn iterations(&self) -> u64 {
        self.method.iterations()
    }

    fn view(&self) -> View<'_, F> {
        self.method.view()
    }

    fn inner(&self) -> Option<&dyn Algorithm<F>> {
        Some(&*self.method)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Algorithm<F>> {
        Some(&mut *self.method)
    }

    /// Its values are no values of the problem.
    fn solutions(&self) -> Option<Solutions<F>> {
        None
    }

    fn explanation(&self) -> Option<String> {
        let [screened, all] = self.screened;
        let own = format!("{screened} of {all} points broke constraints over the variables and were not evaluated");
        let own = (screened > 0).then_some(own);
        match (self.method.explanation(), own) {
            (Some(theirs), Some(own)) => Some(format!("{theirs}; {own}")),
            (theirs, own) => theirs.or(own),
        }
    }

    fn multipliers(&self) -> Option<Vec<f64>> {
        match &self.strategy {
            Strategy::Lagrangian(strategy) => strategy.multipliers(),
            Strategy::Feasibility(_) | Strategy::Epsilon(_) | Strategy::Penalty(_) => None,
        }
    }

    fn stop_reason(&self) -> Option<Reason> {
        self.method.stop_reason()
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut state = Vec::new();
        self.method.save(&mut state)?;
        let (strategy, constraints) = (self.strategy.clone(), self.constraints.clone());
        let saved = Saved { strategy, constraints, screened: self.screened, state };
        save_state("a method with constraints", &saved, out)
    }
}

/// The distance between the quartiles of finite numbers; 0 where there are none.
fn quartiles(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.filter(|t| t.is_finite()).collect();
    numbers.sort_by(f64::total_cmp);
    let at = |share: f64| numbers[(share * (numbers.len() - 1) as f64).round() as usize];
    if numbers.is_empty() { 0.0 } else { at(0.75) - at(0.25) }
}

/// Whether a point keeps to all constraints.
fn is_feasible<F: Real>(told: &ToldRound<'_, F>, i: usize) -> bool {
    violation(told.constraints, told.rows.row(i)) == F::zero()
}

/// 2^(1 / k) for the growth of weights.
fn root_of_two(k: f64) -> f64 {
    math::exp2(1.0 / k)
}
