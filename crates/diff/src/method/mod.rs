//! Methods that use gradients: each a plain method and five modes of it.
//!
//! ```text
//! classical  the plain method's kernel and nothing else
//! adaptive   (X', aux') = T_theta(X; xi);  g_i = grad f(x'_i);  theta moves against vjp_T(omega_i g_i)      one gradient a child
//! diff       the same derivative by the points: every survivor tries x - Delta R u, u = -dL/dx / |dL/dx|, and keeps it if better
//! full       both
//! hybrid     elite injection ([`crate::inject`]): the best tenth takes gradient steps, the rest is classical; the default
//! ```
//!
//! omega are the derivatives of a [`Loss`] of the new values; only adjoints of operators and gradients of f are needed, and f is
//! never differentiated twice. Without a source of gradients a method whose mode the user has not chosen is classical.
//!
//! Laws, each a test: classical walks the plain method's trajectory to the bit, and so do the others at learning rate and step 0;
//! the stored value of a point is the value of that point after every iteration; what a run counts is what was evaluated.
//! Gradient steps are trials: evaluated, counted, kept only if better.

mod evolution;
mod swarm;

use crate::inject::Injection;
use crate::learn::{Learnable, Learner, Loss};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use swarmgrad_algorithms::parameters::{Parameter, Parameters};
use swarmgrad_algorithms::particle::{Motion, Remembered, Swarm};
use swarmgrad_algorithms::registry::{Entry, Method};
use swarmgrad_algorithms::{choice, parameters};
use swarmgrad_core::{Algorithm, Error, Matrix, Outside, Real, Reason, Result, Rng, Space, Start, View};

choice! {
    /// What gradients are used for.
    pub enum Mode {
        /// Nothing: the plain method.
        Classical = "classical",
        /// Learning the method's numbers.
        Adaptive = "adaptive",
        /// Moving the points.
        Diff = "diff",
        /// Both.
        Full = "full",
        /// Steps of the best few.
        Hybrid = "hybrid",
    }
}

parameters! {
    /// What a differentiable method has beside the plain one's parameters.
    pub struct Params {
        /// What gradients are used for; null for hybrid where there are gradients, else classical.
        mode "": Option<Mode> = None, Choice(Mode::WORDS);
        /// Share of the population that takes gradient steps (hybrid).
        elite "q": f64 = 0.1, Within(0.0, 1.0);
        /// Pairs that a point remembers for secant steps (hybrid); 0 for none.
        pairs "m": usize = 8, AtLeast(0.0);
        /// Probability of a secant step where there are pairs (hybrid).
        secant "p_s": f64 = 0.6, Within(0.0, 1.0);
        /// First length of gradient steps, in radii of the population; 0 for none (diff, full).
        step "Delta(0)": f64 = 0.5, AtLeast(0.0);
        /// Learning rate of the method's numbers; 0 for none (adaptive, full).
        learning_rate "": f64 = 0.01, AtLeast(0.0);
        /// The number that is differentiated (adaptive, diff, full).
        loss "Phi": Loss = Loss::Softmin, Choice(Loss::WORDS);
        /// Temperature of softmin, in standard deviations of the values.
        loss_temperature "tau_L": f64 = 0.2, Above(0.0);
        /// Temperature of straight-through decisions in derivatives.
        temperature "tau": f64 = 0.5, Above(0.0);
    }
}

/// The parameters of a plain method and those of its differentiable version, as one table.
#[derive(Debug, Clone, Default)]
pub struct Both<P> {
    /// The plain method's.
    pub plain: P,
    /// What gradients are used for.
    pub own: Params,
}

impl<P: Parameters> Parameters for Both<P> {
    fn table() -> Vec<Parameter> {
        P::table().into_iter().chain(Params::table()).collect()
    }

    fn check(&self) -> Result<()> {
        self.plain.check()?;
        self.own.check()
    }
}

impl<P: Serialize> Serialize for Both<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let [plain, own] = [serde_json::to_value(&self.plain), serde_json::to_value(&self.own)];
        let mut all = Map::new();
        for part in [plain, own] {
            if let Value::Object(map) = part.map_err(serde::ser::Error::custom)? {
                all.extend(map);
            }
        }
        all.serialize(serializer)
    }
}

impl<'de, P: DeserializeOwned> Deserialize<'de> for Both<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let names: Vec<&str> = Params::table().iter().map(|p| p.name).collect();
        let all: Map<String, Value> = Map::deserialize(deserializer)?;
        let (own, plain): (Map<_, _>, Map<_, _>) =
            all.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
        let plain = serde_json::from_value(Value::Object(plain)).map_err(D::Error::custom)?;
        let own = serde_json::from_value(Value::Object(own)).map_err(D::Error::custom)?;
        Ok(Both { plain, own })
    }
}

/// What a move saw: the swarm before it, and its draws.
pub struct Before<F: Real> {
    /// The swarm before the move; `fx` is not kept.
    pub swarm: Swarm<F>,
    /// A second matrix of a method that has one (momenta).
    pub momentum: Matrix<F>,
    /// The draws of the move.
    pub rng: Rng,
}

/// Derivatives that an adjoint adds to.
pub struct Adjoint<'a> {
    /// By the learnable numbers.
    pub theta: &'a mut [f64],
    /// By the points that the method keeps, a row each.
    pub points: &'a mut Matrix<f64>,
}

/// A plain method whose moves can be differentiated.
pub trait Plain<F: Real>: Motion<F> {
    /// The differentiable version's name.
    const LABEL: &'static str;
    /// Whether the method keeps memories y; else its points are x.
    const MEMORIES: bool;
    /// Whether particles travel, so that x and v are state; else x are trials.
    const TRAVELS: bool;
    /// Its learnable numbers; none where only classical and hybrid make sense.
    const THETA: &'static [Learnable];

    /// Whether moves with these parameters have a derivative; else the parameter, its value and the rule.
    fn is_smooth(&self, _swarm_dim: usize) -> Result<()> {
        Ok(())
    }

    /// The learnable numbers as they are now.
    fn theta(&self, _dim: usize, _out: &mut Vec<f64>) {}

    /// Sets them for the next move.
    fn set_theta(&mut self, _theta: &[f64]) {}

    /// Finds the attractors anew after points have been changed from outside.
    fn lead(&mut self, _swarm: &Swarm<F>) {}

    /// Where the survivors of the last iteration came from, if individuals change places: offspring 0..n, parents n..2n.
    fn survivors(&self) -> Option<&[usize]> {
        None
    }

    /// A second matrix of state (momenta).
    fn momentum(&mut self) -> Option<&mut Matrix<F>> {
        None
    }

    /// The adjoint of the last move: `cotangent` are derivatives by the new positions.
    fn vjp(
        &mut self,
        _before: &Before<F>,
        _space: &Space<f64>,
        _temperature: f64,
        _cotangent: &Matrix<f64>,
        _adjoint: Adjoint<'_>,
    ) {
    }
}

/// Where a round of ask and tell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Nothing evaluated yet.
    Start,
    /// The next round moves the population, or takes gradients of the best first.
    Move,
    /// The next round evaluates the best with their gradients.
    Gradients,
    /// They are known: the next round moves the population.
    Known,
    /// The next round evaluates gradient steps of the survivors.
    Trials,
}

/// A plain method with its modes as an [`Algorithm`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Differentiable<F: Real, P: Plain<F>> {
    space: Space<F>,
    start: Start,
    swarm: Swarm<F>,
    plain: P,
    own: Own,
    expected: bool,
    phase: Phase,
    iterations: u64,
    lent: bool,
    injection: Injection,
    learner: Learner,
    /// Step lengths of the individuals (diff, full).
    deltas: Vec<f64>,
    /// Points asked for beside a move: the best without gradients, or gradient steps, and who they belong to.
    probes: Matrix<F>,
    owners: Vec<usize>,
    #[serde(skip)]
    room: Room<F>,
}

/// The numbers of [`Params`] that a state keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Own {
    mode: Option<Mode>,
    step: f64,
    learning_rate: f64,
    loss: Loss,
    loss_temperature: f64,
    temperature: f64,
}

/// Buffers of a round.
#[derive(Debug)]
struct Room<F: Real> {
    before: Swarm<F>,
    momentum: Matrix<F>,
    rng: Rng,
    gradients: Matrix<F>,
    rows: Vec<usize>,
    row: Vec<F>,
    omega: Vec<f64>,
    cotangent: Matrix<f64>,
    theta: Vec<f64>,
    d_theta: Vec<f64>,
    d_points: Matrix<f64>,
    wide: Option<Space<f64>>,
    reflecting: Option<Space<F>>,
}

impl<F: Real> Default for Room<F> {
    fn default() -> Self {
        Room {
            before: Swarm::default(),
            momentum: Matrix::default(),
            rng: Rng::new(0),
            gradients: Matrix::default(),
            rows: Vec::new(),
            row: Vec::new(),
            omega: Vec::new(),
            cotangent: Matrix::default(),
            theta: Vec::new(),
            d_theta: Vec::new(),
            d_points: Matrix::default(),
            wide: None,
            reflecting: None,
        }
    }
}

impl<F: Real, P: Plain<F> + 'static> Method<F> for Differentiable<F, P> {
    const NAME: &'static str = P::LABEL;
    type Params = Both<P::Params>;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Self::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let own = params.own;
        let plain = P::new(params.plain, space, budget)?;
        let numbers = plain.particles().saturating_mul(space.dim());
        if numbers > 1 << 32 {
            let rule = format!("times {} variables must be at most 2^32 numbers a matrix", space.dim());
            return Err(Error::parameter("particles", plain.particles(), rule));
        }
        if let Some(mode @ (Mode::Adaptive | Mode::Diff | Mode::Full)) = own.mode {
            if P::THETA.is_empty() {
                let word = serde_json::to_value(mode).unwrap_or_default();
                return Err(Error::parameter("mode", word, format!("must be classical | hybrid for {}", P::LABEL)));
            }
            plain.is_smooth(space.dim())?;
        }
        Ok(Differentiable {
            space: space.clone(),
            start,
            swarm: Swarm::default(),
            plain,
            expected: false,
            phase: Phase::Start,
            iterations: 0,
            lent: false,
            injection: Injection::new(own.elite, own.pairs, own.secant, 0.5),
            learner: Learner::new(own.learning_rate),
            own: Own {
                mode: own.mode,
                step: own.step,
                learning_rate: own.learning_rate,
                loss: own.loss,
                loss_temperature: own.loss_temperature,
                temperature: own.temperature,
            },
            deltas: Vec::new(),
            probes: Matrix::default(),
            owners: Vec::new(),
            room: Room::default(),
        })
    }
}

/// The points that the method keeps, and their values.
fn kept<F: Real, P: Plain<F>>(swarm: &Swarm<F>) -> (&Matrix<F>, &[F]) {
    if P::MEMORIES { (&swarm.y, &swarm.fy) } else { (&swarm.x, &swarm.fx) }
}

impl<F: Real, P: Plain<F>> Differentiable<F, P> {
    /// The swarm; its positions are with the caller between `ask` and `tell`.
    pub fn swarm(&self) -> &Swarm<F> {
        &self.swarm
    }

    /// The mode in force.
    pub fn mode(&self) -> Mode {
        self.own.mode.unwrap_or(if self.expected { Mode::Hybrid } else { Mode::Classical })
    }

    fn lend(&mut self, xs: &mut Matrix<F>) {
        let points = match self.phase {
            Phase::Gradients | Phase::Trials => &mut self.probes,
            _ => &mut self.swarm.x,
        };
        std::mem::swap(points, xs);
        self.lent = true;
    }

    /// Keeps what the move changes.
    fn remember_before(&mut self, rng: &Rng) {
        let (before, swarm) = (&mut self.room.before, &self.swarm);
        before.x.copy_from(swarm.x.rows());
        before.v.copy_from(swarm.v.rows());
        before.y.copy_from(swarm.y.rows());
        before.fy.clone_from(&swarm.fy);
        before.fx.clone_from(&swarm.fx);
        if let Some(momentum) = self.plain.momentum() {
            self.room.momentum.copy_from(momentum.rows());
        }
        self.room.rng = rng.clone();
    }

    /// A move of all, gradient steps in place of those of the best.
    fn move_hybrid(&mut self, rng: &Rng) {
        if P::TRAVELS {
            self.remember_before(rng);
        }
        self.plain.advance(&mut self.swarm, &self.space, rng);
        let space = self.room.reflecting.get_or_insert_with(|| self.space.clone().with_outside(Outside::Reflect));
        let Swarm { x, y, .. } = &mut self.swarm;
        let points = if P::MEMORIES { &*y } else { &self.room.before.x };
        self.injection.propose(points, space, rng, |i, trial| x.row_mut(i).copy_from_slice(trial), &mut self.room.row);
    }

    /// Keeps the gradient steps that are better, before the rest survives as ever.
    fn settle(&mut self) {
        let (swarm, before) = (&mut self.swarm, &self.room.before);
        let stepping = self.injection.stepping().count();
        for k in 0..stepping {
            let i = self.injection.rows()[k];
            let old = if P::MEMORIES { swarm.fy[i] } else { before.fx[i] };
            let gradient = (k < self.room.gradients.len()).then(|| self.room.gradients.row(k));
            let better = self.injection.settle(k, swarm.fx[i], old, gradient);
            if better && P::MEMORIES {
                swarm.fy[i] = swarm.fx[i];
                swarm.y.row_mut(i).copy_from_slice(swarm.x.row(i));
            }
            if !P::TRAVELS {
                swarm.fx[i] = F::infinity(); // the slot has no child of its own
                continue;
            }
            if !better {
                swarm.x.row_mut(i).copy_from_slice(before.x.row(i));
                swarm.fx[i] = before.fx[i];
            }
            if !before.v.is_empty() {
                swarm.v.row_mut(i).copy_from_slice(before.v.row(i));
            }
            if let Some(momentum) = self.plain.momentum() {
                momentum.row_mut(i).copy_from_slice(self.room.momentum.row(i));
            }
        }
    }

    /// Derivatives of the loss by theta and by the points, of a move whose children have values and gradients.
    fn differentiate(&mut self) {
        let (n, dim) = (self.swarm.len(), self.swarm.dim());
        let room = &mut self.room;
        room.omega.resize(n, 0.0);
        self.own.loss.weights(&self.swarm.fx, self.own.loss_temperature, &mut room.omega);
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
        room.d_theta.resize(P::THETA.len(), 0.0);
        room.d_points.resize(n, dim);
        room.d_points.data_mut().fill(0.0);
        let wide = |space: &Space<F>| {
            let [lower, upper] = [space.lower(), space.upper()].map(|b| b.iter().map(|t| t.f64()).collect());
            Space::new(lower, upper).map(|wide| wide.with_outside(space.outside()))
        };
        if room.wide.is_none() {
            room.wide = wide(&self.space).ok();
        }
        let before = Before {
            swarm: std::mem::take(&mut room.before),
            momentum: std::mem::take(&mut room.momentum),
            rng: room.rng.clone(),
        };
        if let Some(space) = &room.wide {
            let adjoint = Adjoint { theta: &mut room.d_theta, points: &mut room.d_points };
            self.plain.vjp(&before, space, self.own.temperature, &room.cotangent, adjoint);
        }
        room.before = before.swarm;
        room.momentum = before.momentum;
    }

    /// A step of the learnable numbers.
    fn learn(&mut self) {
        if self.own.learning_rate == 0.0 {
            return;
        }
        let room = &mut self.room;
        room.theta.clear();
        self.plain.theta(self.space.dim(), &mut room.theta);
        self.learner.step(P::THETA, &mut room.theta, &room.d_theta);
        self.plain.set_theta(&room.theta);
    }

    /// Writes the gradient steps of the survivors, after the plain method's survival.
    fn write_trials(&mut self, rng: &Rng) {
        let (n, dim) = (self.swarm.len(), self.swarm.dim());
        let (points, _) = kept::<F, P>(&self.swarm);
        let room = &mut self.room;
        self.deltas.resize(n, self.own.step);
        let numbers = n as f64;
        let mean = |j: usize| points.iter().map(|x| x[j].f64()).sum::<f64>() / numbers;
        let spread = |j: usize, m: f64| points.iter().map(|x| (x[j].f64() - m).powi(2)).sum::<f64>() / numbers;
        let radius = (0..dim).map(|j| spread(j, mean(j))).sum::<f64>().sqrt();
        let space = room.reflecting.get_or_insert_with(|| self.space.clone().with_outside(Outside::Reflect));
        let outside = rng.fork("inject");
        self.probes.resize(0, dim);
        self.owners.clear();
        for r in 0..n {
            // A survivor that is a child has the loss's own derivative, a parent that of the move.
            let child = match self.plain.survivors() {
                Some(from) if from[r] < n => Some(from[r]),
                Some(_) => None,
                None => (!P::MEMORIES || points.row(r) == self.swarm.x.row(r)).then_some(r),
            };
            let direction = match child {
                Some(i) => room.cotangent.row(i),
                None => room.d_points.row(self.plain.survivors().map_or(r, |from| from[r] - n)),
            };
            let largest = direction.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            let norm = direction.iter().map(|g| (g / largest).powi(2)).sum::<f64>().sqrt();
            if largest == 0.0 || !norm.is_finite() || !radius.is_finite() || radius == 0.0 {
                continue;
            }
            let length = self.deltas[r] * radius / norm;
            room.row.clear();
            let step = points.row(r).iter().zip(direction).map(|(x, g)| F::of(x.f64() - length * (g / largest)));
            room.row.extend(step);
            if room.row.iter().all(|t| t.is_finite()) {
                space.repair(&mut room.row, 0, &mut outside.row(r));
                self.probes.push(&room.row);
                self.owners.push(r);
            }
        }
    }

    /// Keeps the gradient steps that are better.
    fn keep_trials(&mut self, values: &[F]) {
        for (k, &value) in values.iter().enumerate() {
            let r = self.owners[k];
            let swarm = &mut self.swarm;
            let (points, stored) =
                if P::MEMORIES { (&mut swarm.y, &mut swarm.fy) } else { (&mut swarm.x, &mut swarm.fx) };
            if value < stored[r] {
                points.row_mut(r).copy_from_slice(self.probes.row(k));
                stored[r] = value;
                self.deltas[r] *= 1.6;
            } else {
                self.deltas[r] *= 0.5;
            }
        }
        self.plain.lead(&self.swarm);
    }

    fn wants_gradients(&self) -> bool {
        self.mode() != Mode::Classical
    }
}

impl<F: Real, P: Plain<F> + 'static> Algorithm<F> for Differentiable<F, P> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        self.room.rows.clear();
        self.room.gradients.clear();
        if self.why().is_some() {
            xs.clear();
            return;
        }
        match self.phase {
            Phase::Start => {
                self.start.fill(&self.space, rng, self.plain.particles(), &mut self.swarm.x);
                self.plain.launch(&mut self.swarm, &self.space, rng);
            }
            Phase::Move => match self.mode() {
                Mode::Classical => self.plain.advance(&mut self.swarm, &self.space, rng),
                Mode::Hybrid => {
                    let (points, values) = kept::<F, P>(&self.swarm);
                    self.injection.choose(points, values, &mut self.probes);
                    if self.probes.is_empty() {
                        self.move_hybrid(rng);
                    } else {
                        self.phase = Phase::Gradients;
                    }
                    self.room.rows.extend_from_slice(self.injection.rows());
                }
                Mode::Adaptive | Mode::Diff | Mode::Full => {
                    self.remember_before(rng);
                    self.plain.advance(&mut self.swarm, &self.space, rng);
                    self.room.rows.extend(0..self.swarm.x.len());
                }
            },
            Phase::Known => {
                self.move_hybrid(rng);
                self.room.rows.extend_from_slice(self.injection.rows());
            }
            Phase::Gradients => self.room.rows.extend(0..self.probes.len()),
            Phase::Trials => {}
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

    fn expect_gradients(&mut self) -> bool {
        self.expected = true;
        self.wants_gradients()
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        self.lend(xs);
        self.lent = false;
        let told = values.iter().map(|&value| if value.is_nan() { F::infinity() } else { value });
        match self.phase {
            Phase::Start => {
                let swarm = &mut self.swarm;
                swarm.fx = told.collect();
                swarm.fy = swarm.fx.clone();
                swarm.y = swarm.x.clone();
                self.plain.begin(swarm);
                self.phase = Phase::Move;
            }
            Phase::Gradients => {
                let (points, _) = kept::<F, P>(&self.swarm);
                if self.room.gradients.len() == self.probes.len() {
                    self.injection.learn(points, &self.room.gradients);
                }
                self.phase = Phase::Known;
            }
            Phase::Trials => {
                self.row_values(told);
                let values = std::mem::take(&mut self.room.row);
                self.keep_trials(&values);
                self.room.row = values;
                self.finish();
            }
            Phase::Move | Phase::Known => {
                assert_eq!(values.len(), self.swarm.x.len(), "tell needs one value for each point asked");
                self.swarm.fx.clear();
                self.swarm.fx.extend(told);
                let mode = self.mode();
                match mode {
                    Mode::Classical => {}
                    Mode::Hybrid => self.settle(),
                    Mode::Adaptive | Mode::Diff | Mode::Full => self.differentiate(),
                }
                let done = self.plain.remember(&mut self.swarm);
                debug_assert_eq!(done, Remembered::Done);
                if mode == Mode::Hybrid
                    && let Some(from) = self.plain.survivors()
                {
                    self.injection.follow(from);
                }
                if matches!(mode, Mode::Adaptive | Mode::Full) {
                    self.learn();
                }
                self.phase = Phase::Move;
                if matches!(mode, Mode::Diff | Mode::Full) && self.own.step > 0.0 {
                    let rng = self.room.rng.clone();
                    self.write_trials(&rng);
                    if !self.probes.is_empty() {
                        self.phase = Phase::Trials;
                        return;
                    }
                }
                self.finish();
            }
        }
    }

    fn answer(&self) -> Vec<F> {
        self.plain.answer(&self.swarm)
    }

    fn iterations(&self) -> u64 {
        self.iterations
    }

    fn why(&self) -> Option<Reason> {
        let lacking = !self.expected && self.wants_gradients();
        lacking.then(|| Reason::Method("the mode needs gradients, and the run has no source of them".into()))
    }

    fn view(&self) -> View<'_, F> {
        let swarm = &self.swarm;
        let matrices = [("x", &swarm.x), ("v", &swarm.v), ("y", &swarm.y)];
        let mut view = View {
            matrices: matrices.into_iter().filter(|(_, m)| !m.is_empty()).map(|(name, m)| (name, m.rows())).collect(),
            vectors: vec![("fx", &swarm.fx[..]), ("fy", &swarm.fy[..])],
            numbers: Vec::new(),
        };
        self.plain.show(&mut view);
        view
    }

    fn save(&self, out: &mut Vec<u8>) {
        // Nothing in the state can fail to serialise: plain numbers, vectors and enums.
        out.extend(postcard::to_allocvec(self).unwrap_or_default());
    }
}

impl<F: Real, P: Plain<F>> Differentiable<F, P> {
    fn row_values(&mut self, values: impl Iterator<Item = F>) {
        self.room.row.clear();
        self.room.row.extend(values);
    }

    fn finish(&mut self) {
        self.iterations += 1;
        self.phase = Phase::Move;
    }
}

/// One line of the table.
macro_rules! method {
    ($M32:ty, $M64:ty, $summary:literal, $paper:literal) => {
        Entry::of::<Differentiable<f32, $M32>, Differentiable<f64, $M64>>($summary, $paper, &[])
    };
}

use swarmgrad_algorithms::evolution::{de, ga, jde, shade};
use swarmgrad_algorithms::particle::{cbo, empso, pso};

/// All methods of this crate.
pub static ENTRIES: &[Entry] = &[
    method!(
        ga::Ga<f32>,
        ga::Ga<f64>,
        "genetic algorithm that uses gradients",
        "Citterio & Tangherloni 2025; Deb & Agrawal 1995"
    ),
    method!(
        de::De,
        de::De,
        "differential evolution that uses gradients",
        "Citterio & Tangherloni 2025; Storn & Price 1997"
    ),
    method!(jde::Jde, jde::Jde, "jDE whose best take gradient steps", "Citterio & Tangherloni 2025; Brest et al. 2006"),
    method!(
        shade::Shade<f32>,
        shade::Shade<f64>,
        "SHADE whose best take gradient steps",
        "Citterio & Tangherloni 2025; Tanabe & Fukunaga 2013"
    ),
    method!(pso::Pso, pso::Pso, "PSO that uses gradients", "Citterio & Tangherloni 2025; Shi & Eberhart 1998"),
    method!(empso::Empso<f32>, empso::Empso<f64>, "EMPSO that uses gradients", "Citterio & Tangherloni 2025; AdaSwarm"),
    method!(
        cbo::Cbo<f32>,
        cbo::Cbo<f64>,
        "CBO that uses gradients",
        "Citterio & Tangherloni 2025; Carrillo et al. 2021"
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The adjoint of a whole move, draws read again and bounds included, against central differences of the plain kernel. Of
    /// `theta` only the numbers at `smooth` are looked at: rates are differentiated as if their decisions were soft.
    fn check<P: Plain<f64>>(params: P::Params, smooth: &[usize], wide: f64) {
        let (n, dim) = (9, 4);
        let space = Space::cube(dim, -wide, wide).unwrap();
        let rng = Rng::new(8).at(3);
        let mut start = Matrix::zeros(n, dim);
        rng.fork("start").fill_uniform(0..n, 0..dim, start.data_mut());
        let values: Vec<f64> = start.iter().map(|x| x.iter().map(|t| t * t).sum()).collect();
        let mut swarm = Swarm { x: start.clone(), v: start.clone(), y: start, fx: values.clone(), fy: values };
        swarm.y.data_mut().iter_mut().for_each(|y| *y = 0.9 * *y - 0.1);
        let mut plain = P::new(params, &space, None).unwrap();
        plain.begin(&mut swarm);
        let mut theta = Vec::new();
        plain.theta(dim, &mut theta);
        plain.set_theta(&theta);
        let mut cotangent = Matrix::zeros(n, dim);
        rng.fork("cotangent").fill_uniform(0..n, 0..dim, cotangent.data_mut());

        if let Some(m) = plain.momentum() {
            m.data_mut().iter_mut().for_each(|m| *m = 0.3 - 0.5 * *m);
        }
        let momentum = plain.momentum().map(|m| m.clone()).unwrap_or_default();
        let before = Before { swarm: swarm.clone(), momentum: momentum.clone(), rng: rng.clone() };
        let mut moved = |swarm: &Swarm<f64>, theta: &[f64]| {
            plain.set_theta(theta);
            if let Some(m) = plain.momentum() {
                m.copy_from(momentum.rows());
            }
            let mut swarm = swarm.clone();
            plain.advance(&mut swarm, &space, &rng);
            swarm.x.data().iter().zip(cotangent.data()).map(|(x, c)| x * c).sum::<f64>()
        };
        let h = 1e-6;
        let by_theta: Vec<f64> = (0..theta.len())
            .map(|k| {
                let [mut up, mut down] = [theta.clone(), theta.clone()];
                (up[k], down[k]) = (up[k] + h, down[k] - h);
                (moved(&swarm, &up) - moved(&swarm, &down)) / (2.0 * h)
            })
            .collect();
        let by_points: Vec<f64> = (0..n * dim)
            .map(|k| {
                let mut at = |h: f64| {
                    let mut swarm = swarm.clone();
                    if P::MEMORIES {
                        swarm.y.data_mut()[k] += h
                    } else {
                        swarm.x.data_mut()[k] += h
                    }
                    moved(&swarm, &theta)
                };
                (at(h) - at(-h)) / (2.0 * h)
            })
            .collect();
        moved(&swarm, &theta);
        let (mut d_theta, mut d_points) = (vec![0.0; theta.len()], Matrix::zeros(n, dim));
        let adjoint = Adjoint { theta: &mut d_theta, points: &mut d_points };
        plain.vjp(&before, &space, 0.5, &cotangent, adjoint);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + b.abs());
        assert!(by_points.iter().any(|d| *d != 0.0));
        for (k, (a, b)) in d_points.data().iter().zip(&by_points).enumerate() {
            assert!(near(*a, *b), "{} number {k}: {a}, by differences {b}", P::LABEL);
        }
        for &k in smooth {
            let (a, b) = (d_theta[k], by_theta[k]);
            assert!(near(a, b) && b != 0.0, "{} {}: {a}, by differences {b}", P::LABEL, P::THETA[k].name);
        }
        assert!(d_theta.iter().all(|d| d.is_finite() && *d != 0.0), "{} {d_theta:?}", P::LABEL);
    }

    #[test]
    fn the_adjoint_of_a_move_is_that_of_the_plain_kernel() {
        for wide in [1.02, 50.0] {
            let de = || de::Params { particles: 9, ..de::Params::default() };
            check::<de::De>(de(), &[0], wide);
            check::<de::De>(de::Params { recombination: de::Recombination::Exponential, ..de() }, &[0], wide);
            check::<de::De>(de::Params { mutation: de::Mutation::CurrentToPbest, crossover: 0.6, ..de() }, &[0], wide);
            let ga = ga::Params { particles: 9, mutation: Some(0.4), eta_c: 3.0, eta_m: 5.0, ..ga::Params::default() };
            check::<ga::Ga<f64>>(ga, &[1, 3], wide);
            check::<pso::Pso>(pso::Params { particles: 9, ..pso::Params::default() }, &[0, 1, 2], wide);
            check::<empso::Empso<f64>>(empso::Params { particles: 9, ..empso::Params::default() }, &[0, 1, 2], wide);
            // Sharper, the consensus would be the best particle, where |c - x| has a kink.
            let cbo = cbo::Params { particles: 9, dt: 0.1, sigma: 2.0, alpha: 0.5, ..cbo::Params::default() };
            check::<cbo::Cbo<f64>>(cbo, &[0, 1], wide);
        }
    }
}
