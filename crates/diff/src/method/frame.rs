//! The frame of all differentiable methods: rounds of ask and tell in every mode.
//!
//! ```text
//! start      the first population                                             no gradients
//! probe      points whose values the plain move needs; then probed: as move
//! move       classical: the plain move; adaptive, diff, full: with a gradient of every new point
//! gradients  hybrid: the best whose gradient is not known are evaluated with it; then known: a move with their steps in it
//! trials     soft selection: the mixtures that stay; diff, full: gradient steps of what the method keeps, after its own survival
//! ```

use super::params::{Both, Mode, Slopes};
use super::selection::Added;
use crate::fit::Fit;
use crate::inject::Injection;
use crate::learn::{Learnable, Learner, Loss};
use crate::schedule::Plan;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Algorithm, Error, Matrix, Real, Reason, Result, Rng, Space, Start, View, save_state};

/// Derivatives that an adjoint adds to.
pub struct Adjoint<'a> {
    /// By the learnable numbers.
    pub theta: &'a mut [f64],
    /// By the points that the method keeps, a row each.
    pub points: &'a mut Matrix<f64>,
}

/// A plain method as the frame sees it: what moves, what is kept, and what gradients may change.
pub trait Base<F: Real>: Send + Sync + Sized + Serialize + DeserializeOwned + 'static {
    /// The differentiable version's name.
    const LABEL: &'static str;
    /// Whether what is kept is a whole population, so that slopes can be read off it.
    const POPULATION: bool;
    /// Points that a gradient step of what is kept asks for.
    const POINTS: usize;
    /// Its learnable numbers; none where only classical and hybrid make sense.
    const THETA: &'static [Learnable];
    /// The plain method's parameters.
    type Params: Parameters;
    /// What the differentiable version adds to them.
    type Added: Added;

    /// The plain method on a space.
    fn new(
        space: &Space<F>,
        start: Start,
        budget: Option<u64>,
        params: Self::Params,
        added: &Self::Added,
    ) -> Result<Self>;

    /// Those of its learnable numbers that say something with its parameters: the first ones of [`Base::THETA`].
    fn learnables(&self) -> &'static [Learnable] {
        Self::THETA
    }

    /// Bytes that it takes at most, about, with the points it lends, and with so many numbers a variable for each point that is
    /// remembered because of gradient steps of the best `share`.
    fn memory(&self, share: f64, remembered: f64) -> f64;

    /// Whether moves with these parameters have a derivative; else the parameter, its value and the rule.
    fn is_smooth(&self) -> Result<()> {
        Ok(())
    }

    /// The points of the last start or move: they are evaluated, then told.
    fn points(&mut self) -> &mut Matrix<F>;

    /// Their values.
    fn values(&mut self) -> &mut Vec<F>;

    /// Writes the first points.
    fn start(&mut self, rng: &Rng);

    /// The first points have values; the best `share` of a population will make gradient steps.
    fn begin(&mut self, share: f64);

    /// The points that are kept, and their values: those that gradient steps of the best start from.
    fn kept(&self) -> (&Matrix<F>, &[F]);

    /// How many of the kept points are that share of the population.
    fn elites(&self, share: f64) -> usize;

    /// Writes points whose values the next move needs into `points`, which is empty. None by default.
    fn probe(&mut self, _points: &mut Matrix<F>) {}

    /// Takes the values of the points of [`Base::probe`].
    fn probed(&mut self, _values: &[F]) {}

    /// The plain move; with `remember`, the state before it is kept for a derivative.
    fn advance(&mut self, rng: &Rng, remember: bool);

    /// The plain move, with gradient steps of the best in place of some of its points.
    fn advance_hybrid(&mut self, injection: &mut Injection, rng: &Rng);

    /// Keeps the gradient steps that are better, before the rest survives as ever.
    fn settle(&mut self, injection: &mut Injection, gradients: &Matrix<F>);

    /// Hears what the run has spent, this iteration included: evaluations, and gradients at their price.
    fn spend(&mut self, _spent: u64) {}

    /// The plain method's own survival and learning; where selection is soft, writes the mixtures that nobody has evaluated
    /// into `asked`, which is empty.
    fn remember(&mut self, asked: &mut Matrix<F>);

    /// Takes their values: the survivors are complete.
    fn survive(&mut self, _values: &[F]) {}

    /// Tells the injection who has changed places.
    fn follow(&self, _injection: &mut Injection) {}

    /// How many raw numbers, 0 before every step, stand behind the learnable ones: coordinates of the state itself.
    fn local(&self) -> usize {
        0
    }

    /// The learnable numbers as they are now, those that say something, and the local ones.
    fn theta(&self, out: &mut Vec<f64>);

    /// Sets them for the next move.
    fn set_theta(&mut self, theta: &[f64]);

    /// How many rows of derivatives there are by what is kept.
    fn movable(&self) -> usize;

    /// The adjoint of the last move: `cotangent` are derivatives by the new positions.
    fn vjp(&mut self, temperature: f64, cotangent: &Matrix<f64>, adjoint: Adjoint<'_>);

    /// Writes gradient steps of what is kept, from the derivatives by the new points and by what was kept.
    fn step(&mut self, trials: &mut Trials<F>, rng: &Rng, cotangent: &Matrix<f64>, d_points: &Matrix<f64>);

    /// Keeps the gradient steps that are better.
    fn keep(&mut self, trials: &mut Trials<F>, values: &[F]);

    /// The point the method would answer now.
    fn answer(&self) -> Vec<F>;

    /// Why the plain method has ended, if it has.
    fn stop_reason(&self) -> Option<Reason> {
        None
    }

    /// Number of coordinates.
    fn dim(&self) -> usize;

    /// Whether a state that was read back fits together, between two rounds: `begun` after the first points were told, `probed` if
    /// the next move uses the values of [`Base::probe`], `mixtures` how many are asked for in the next round if that is of trials.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify(&self, begun: bool, probed: bool, mixtures: Option<usize>) -> Result<()>;

    /// The state under the symbols of the papers.
    fn view(&self) -> View<'_, F>;
}

/// Gradient steps of what is kept (diff, full).
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Trials<F: Real> {
    /// First length of a step.
    pub first: f64,
    /// Lengths of the steps of every movable row.
    pub lengths: Vec<f64>,
    /// The points to evaluate, first the mixtures of soft selection; also those of the best whose gradient is not known, and
    /// those of [`Base::probe`].
    pub points: Matrix<F>,
    /// How many of them are mixtures.
    pub mixtures: usize,
    /// Whose step each is.
    pub owners: Vec<usize>,
}

/// Where a round of ask and tell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Nothing evaluated yet.
    Start,
    /// The next round moves the population, or evaluates what the move needs first, or takes gradients of the best.
    Move,
    /// The next round evaluates points of [`Base::probe`].
    Probe,
    /// They have been evaluated: the next round moves the population, or takes gradients of the best first.
    Probed,
    /// The next round evaluates the best with their gradients.
    Gradients,
    /// They are known: the next round moves the population.
    Known,
    /// The next round evaluates survivors that are mixtures, and gradient steps of the survivors.
    Trials,
}

/// A plain method with its modes as an [`Algorithm`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Differentiable<F: Real, B: Base<F>> {
    base: B,
    own: Own,
    expected: bool,
    phase: Phase,
    iterations: u64,
    lent: bool,
    injection: Injection,
    learner: Learner,
    plan: Option<Plan>,
    /// Evaluations, and gradients at their price.
    spent: u64,
    trials: Trials<F>,
    #[serde(skip)]
    room: Room<F>,
}

/// The numbers of [`super::Params`] that a state keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Own {
    mode: Option<Mode>,
    slopes: Slopes,
    elite: f64,
    step: f64,
    learning_rate: f64,
    loss: Loss,
    loss_temperature: f64,
    temperature: f64,
}

/// Buffers of a round.
#[derive(Debug)]
struct Room<F: Real> {
    rng: Rng,
    gradients: Matrix<F>,
    rows: Vec<usize>,
    told: Vec<F>,
    omega: Vec<f64>,
    cotangent: Matrix<f64>,
    theta: Vec<f64>,
    d_theta: Vec<f64>,
    d_points: Matrix<f64>,
    fit: Fit,
}

impl<F: Real> Default for Room<F> {
    fn default() -> Self {
        Room {
            rng: Rng::new(0),
            gradients: Matrix::default(),
            rows: Vec::new(),
            told: Vec::new(),
            omega: Vec::new(),
            cotangent: Matrix::default(),
            theta: Vec::new(),
            d_theta: Vec::new(),
            d_points: Matrix::default(),
            fit: Fit::default(),
        }
    }
}

impl<F: Real, B: Base<F>> Method<F> for Differentiable<F, B> {
    const NAME: &'static str = B::LABEL;
    type Params = Both<B::Params, B::Added>;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Self::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let own = params.own;
        let base = B::new(space, start, budget, params.plain, &params.added)?;
        if let Some(mode @ (Mode::Adaptive | Mode::Diff | Mode::Full)) = own.mode {
            if B::THETA.is_empty() {
                let word = serde_json::to_value(mode).unwrap_or_default();
                return Err(Error::parameter("mode", word, format!("must be classical | hybrid for {}", B::LABEL)));
            }
            base.is_smooth()?;
        }
        if own.slopes == Slopes::Population {
            let rule = match own.mode {
                _ if !B::POPULATION => Some(format!("must be source for {}, which keeps no population", B::LABEL)),
                None | Some(Mode::Hybrid) => None,
                Some(_) => Some("must be source in every mode but hybrid".into()),
            };
            if let Some(rule) = rule {
                return Err(Error::parameter("slopes", "population", rule));
            }
        }
        let plan = match &params.schedule {
            Some(_) if matches!(own.mode, Some(Mode::Adaptive | Mode::Full)) => {
                let rule = "must be null where the numbers learn during the run (mode adaptive, full)";
                return Err(Error::parameter("schedule", "given", rule));
            }
            Some(schedule) => Some(Plan::new(schedule, B::LABEL, base.learnables(), budget)?),
            None => None,
        };
        Ok(Differentiable {
            base,
            expected: false,
            phase: Phase::Start,
            iterations: 0,
            lent: false,
            injection: Injection::new(own.pairs, own.secant, own.raw, 0.5, own.slopes == Slopes::Population),
            learner: Learner::new(own.learning_rate),
            plan,
            spent: 0,
            trials: Trials {
                first: own.step,
                lengths: Vec::new(),
                points: Matrix::zeros(0, space.dim()),
                mixtures: 0,
                owners: Vec::new(),
            },
            own: Own {
                mode: own.mode,
                slopes: own.slopes,
                elite: own.elite,
                step: own.step,
                learning_rate: own.learning_rate,
                loss: own.loss,
                loss_temperature: own.loss_temperature,
                temperature: own.temperature,
            },
            room: Room::default(),
        })
    }

    fn verify(&self) -> Result<()> {
        let (dim, phase, trials) = (self.base.dim(), self.phase, &self.trials);
        let between = !self.lent && !matches!(phase, Phase::Probe | Phase::Gradients);
        saved::holds("phase", between, "must be that between two rounds")?;
        saved::count("iterations", self.iterations)?;
        saved::count("spent", self.spent)?;
        self.own.verify()?;
        if let Some(Mode::Adaptive | Mode::Diff | Mode::Full) = self.own.mode {
            saved::holds("mode", !B::THETA.is_empty(), "must be one that the method has")?;
            self.base.is_smooth()?;
        }
        saved::holds("slopes", B::POPULATION || !self.fits(), "must be from the source")?;
        let asks = phase == Phase::Trials;
        let begun = phase != Phase::Start;
        self.base.verify(begun, phase == Phase::Probed, asks.then_some(trials.mixtures))?;
        self.injection.verify(dim, if begun { self.base.kept().0.len() } else { 0 }, phase == Phase::Known)?;
        self.plan.as_ref().map_or(Ok(()), |plan| plan.verify(self.base.learnables().len()))?;
        if !asks {
            return Ok(());
        }
        let rows = trials.mixtures.saturating_add(B::POINTS * trials.owners.len());
        saved::shape("trials", &trials.points, rows, dim)?;
        saved::holds("trials", !trials.points.is_empty(), "must be there")?;
        saved::below("owners", &trials.owners, self.base.movable().min(trials.lengths.len()))
    }
}

impl Own {
    /// Whether numbers that were read back are in their ranges.
    fn verify(&self) -> Result<()> {
        let is_length = |t: f64| t >= 0.0 && t.is_finite();
        let lengths =
            is_length(self.elite) && self.elite <= 1.0 && is_length(self.step) && is_length(self.learning_rate);
        let temperatures = [self.loss_temperature, self.temperature].iter().all(|&t| is_length(t) && t > 0.0);
        saved::holds("parameters", lengths && temperatures, "must be in their ranges")
    }
}

impl<F: Real, B: Base<F>> Differentiable<F, B> {
    /// The plain method; its points are with the caller between `ask` and `tell`.
    pub fn base(&self) -> &B {
        &self.base
    }

    /// The mode in force.
    pub fn mode(&self) -> Mode {
        let slopes = self.expected || self.fits();
        self.own.mode.unwrap_or(if slopes { Mode::Hybrid } else { Mode::Classical })
    }

    fn fits(&self) -> bool {
        self.own.slopes == Slopes::Population
    }

    fn wants_gradients(&self) -> bool {
        self.mode() != Mode::Classical && !self.fits()
    }

    fn lend(&mut self, xs: &mut Matrix<F>) {
        let points = match self.phase {
            Phase::Probe | Phase::Gradients | Phase::Trials => &mut self.trials.points,
            _ => self.base.points(),
        };
        std::mem::swap(points, xs);
        self.lent = true;
    }

    /// Derivatives of the loss by theta and by what is kept, of a move whose points have values and gradients.
    fn differentiate(&mut self) {
        let [n, dim] = [self.base.points().len(), self.base.points().dim()];
        let room = &mut self.room;
        room.omega.resize(n, 0.0);
        self.own.loss.weights(self.base.values(), self.own.loss_temperature, &mut room.omega);
        room.cotangent.resize(n, dim);
        let usable = |i: usize, gradients: &Matrix<F>| {
            i < gradients.len() && room.omega[i] > 0.0 && gradients.row(i).iter().all(|g| g.is_finite())
        };
        // In units of the largest gradient: only directions matter.
        let scale = (0..n)
            .filter(|&i| usable(i, &room.gradients))
            .flat_map(|i| room.gradients.row(i))
            .fold(0.0f64, |m, g| m.max(g.f64().abs()));
        for i in 0..n {
            let row = room.cotangent.row_mut(i);
            if scale > 0.0 && usable(i, &room.gradients) {
                let omega = room.omega[i];
                row.iter_mut().zip(room.gradients.row(i)).for_each(|(c, g)| *c = omega * (g.f64() / scale));
            } else {
                row.fill(0.0);
            }
        }
        room.d_theta.clear();
        room.d_theta.resize(B::THETA.len() + self.base.local(), 0.0);
        room.d_points.resize(self.base.movable(), dim);
        room.d_points.data_mut().fill(0.0);
        let adjoint = Adjoint { theta: &mut room.d_theta, points: &mut room.d_points };
        self.base.vjp(self.own.temperature, &room.cotangent, adjoint);
    }

    /// A step of the learnable numbers.
    fn learn(&mut self) {
        if self.own.learning_rate == 0.0 {
            return;
        }
        let room = &mut self.room;
        room.theta.clear();
        self.base.theta(&mut room.theta);
        self.learner.step(B::THETA, &mut room.theta, &room.d_theta);
        self.base.set_theta(&room.theta);
    }

    /// Sets the numbers that the schedule has for what is spent.
    fn follow_schedule(&mut self) {
        if let Some(plan) = &self.plan {
            let theta = &mut self.room.theta;
            theta.clear();
            self.base.theta(theta);
            plan.write(B::THETA, self.spent, theta);
            self.base.set_theta(theta);
        }
    }

    /// A move of all, gradient steps of the best in it.
    fn move_hybrid(&mut self, rng: &Rng) {
        self.follow_schedule();
        self.base.advance_hybrid(&mut self.injection, rng);
        if !self.fits() {
            self.room.rows.extend_from_slice(self.injection.rows());
        }
    }

    /// Takes the values of a move; returns whether the iteration is complete.
    fn complete_move(&mut self) -> bool {
        let mode = self.mode();
        match mode {
            Mode::Classical => {}
            Mode::Hybrid => self.base.settle(&mut self.injection, &self.room.gradients),
            Mode::Adaptive | Mode::Diff | Mode::Full => self.differentiate(),
        }
        self.trials.points.resize(0, self.base.points().dim());
        self.trials.owners.clear();
        self.base.spend(self.spent);
        self.base.remember(&mut self.trials.points);
        self.trials.mixtures = self.trials.points.len();
        if mode == Mode::Hybrid {
            self.base.follow(&mut self.injection);
        }
        if matches!(mode, Mode::Adaptive | Mode::Full) {
            self.learn();
        }
        if matches!(mode, Mode::Diff | Mode::Full) && self.own.step > 0.0 {
            let room = &self.room;
            self.trials.lengths.resize(self.base.movable(), self.trials.first);
            self.base.step(&mut self.trials, &room.rng, &room.cotangent, &room.d_points);
        }
        let complete = self.trials.points.is_empty();
        if complete {
            self.base.survive(&[]);
        }
        complete
    }

    fn finish(&mut self) {
        self.iterations += 1;
        self.phase = Phase::Move;
    }
}

/// A method whose schedule is learned.
pub(crate) trait Steered: Algorithm<f64> {
    /// The learnable numbers as they are now.
    fn numbers(&self) -> Vec<f64>;

    /// Puts other raw numbers into its schedule.
    fn steer(&mut self, raw: &[f64]);
}

impl<B: Base<f64>> Steered for Differentiable<f64, B> {
    fn numbers(&self) -> Vec<f64> {
        let mut numbers = Vec::new();
        self.base.theta(&mut numbers);
        numbers.truncate(self.base.learnables().len());
        numbers
    }

    fn steer(&mut self, raw: &[f64]) {
        if let Some(plan) = &mut self.plan {
            plan.steer(B::THETA, raw);
        }
    }
}

impl<F: Real, B: Base<F>> Algorithm<F> for Differentiable<F, B> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        self.room.rows.clear();
        self.room.gradients.clear();
        if self.stop_reason().is_some() {
            xs.clear();
            return;
        }
        if self.phase == Phase::Move {
            let dim = self.base.points().dim();
            self.trials.points.resize(0, dim);
            self.base.probe(&mut self.trials.points);
            if !self.trials.points.is_empty() {
                self.phase = Phase::Probe;
            }
        }
        match self.phase {
            Phase::Start => self.base.start(rng),
            Phase::Probe => {}
            Phase::Move | Phase::Probed => match self.mode() {
                Mode::Classical => {
                    self.follow_schedule();
                    self.base.advance(rng, false);
                }
                Mode::Hybrid => {
                    let (points, values) = self.base.kept();
                    let elites = self.base.elites(self.own.elite);
                    self.injection.choose(points, values, elites, &mut self.trials.points);
                    if self.own.slopes == Slopes::Population {
                        let Room { fit, gradients, .. } = &mut self.room;
                        fit.look(points, values);
                        gradients.resize(self.trials.points.len(), points.dim());
                        let missing = self.injection.missing(points).enumerate();
                        missing.for_each(|(k, i)| fit.write(i, gradients.row_mut(k)));
                        self.injection.learn(points, gradients);
                        gradients.clear();
                        self.move_hybrid(rng);
                    } else if self.trials.points.is_empty() {
                        self.move_hybrid(rng);
                    } else {
                        self.phase = Phase::Gradients;
                        self.room.rows.extend_from_slice(self.injection.rows());
                    }
                }
                Mode::Adaptive | Mode::Diff | Mode::Full => {
                    self.follow_schedule();
                    self.base.advance(rng, true);
                    self.room.rows.extend(0..self.base.points().len());
                }
            },
            Phase::Known => self.move_hybrid(rng),
            Phase::Gradients => self.room.rows.extend(0..self.trials.points.len()),
            Phase::Trials => {}
        }
        if self.base.stop_reason().is_some() {
            xs.clear(); // the plain method has found its end while it moved
            return;
        }
        self.room.rng = rng.clone();
        self.lend(xs);
    }

    fn gradient_rows(&self) -> &[usize] {
        &self.room.rows
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        self.room.gradients.copy_from(gradients.rows());
    }

    fn set_spent(&mut self, cost: u64) {
        self.spent = cost;
    }

    fn expect_gradients(&mut self) -> bool {
        self.expected = true;
        self.wants_gradients()
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        self.lend(xs);
        self.lent = false;
        self.spent += values.len() as u64;
        let told = values.iter().map(|&value| if value.is_nan() { F::infinity() } else { value });
        match self.phase {
            Phase::Probe => {
                self.room.told.clear();
                self.room.told.extend(told);
                self.base.probed(&self.room.told);
                self.phase = Phase::Probed;
            }
            Phase::Start | Phase::Move | Phase::Probed | Phase::Known => {
                assert_eq!(values.len(), self.base.points().len(), "tell needs one value for each point asked");
                let room = self.base.values();
                room.clear();
                room.extend(told);
                if self.phase == Phase::Start {
                    let share = if self.mode() == Mode::Hybrid { self.own.elite } else { 0.0 };
                    self.base.begin(share);
                    self.phase = Phase::Move;
                } else if self.complete_move() {
                    self.finish();
                } else {
                    self.phase = Phase::Trials;
                }
            }
            Phase::Gradients => {
                let (points, _) = self.base.kept();
                if self.room.gradients.len() == self.trials.points.len() {
                    self.injection.learn(points, &self.room.gradients);
                }
                self.phase = Phase::Known;
            }
            Phase::Trials => {
                self.room.told.clear();
                self.room.told.extend(told);
                let (mixtures, steps) = self.room.told.split_at(self.trials.mixtures);
                self.base.survive(mixtures);
                if !steps.is_empty() {
                    self.base.keep(&mut self.trials, steps);
                }
                self.finish();
            }
        }
    }

    fn answer(&self) -> Vec<F> {
        self.base.answer()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.base.dim())
    }

    fn memory(&self) -> f64 {
        self.base.memory(self.own.elite, self.injection.remembered())
    }

    fn iterations(&self) -> u64 {
        self.iterations
    }

    fn stop_reason(&self) -> Option<Reason> {
        let lacking = !self.expected && self.wants_gradients();
        let reason = || Reason::Method("the mode needs gradients, and the run has no source of them".into());
        if lacking { Some(reason()) } else { self.base.stop_reason() }
    }

    fn view(&self) -> View<'_, F> {
        self.base.view()
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(B::LABEL, self, out)
    }
}
