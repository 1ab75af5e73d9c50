//! The base of the methods that move a swarm: GA, DE, jDE, SHADE, PSO, EMPSO, CBO.
//!
//! Every individual keeps a point; its gradient step stands in its own row of the move.

use super::frame::{Adjoint, Base, Trials};
use super::selection::{Added, Part, Rivals, Selecting};
use crate::inject::{Cloud, CloudRoom, Injection};
use crate::learn::Learnable;
use crate::relax::Form;
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::particle::{Motion, Remembered, Swarm};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Matrix, Outside, Real, Result, Rng, Space, Start, View};

/// What a move saw: the swarm before it, and its draws.
pub struct Before<F: Real> {
    /// The swarm before the move; `fx` is not kept.
    pub swarm: Swarm<F>,
    /// A second matrix of a method that has one (momenta).
    pub momentum: Matrix<F>,
    /// The draws of the move.
    pub rng: Rng,
}

/// A plain method whose moves can be differentiated.
pub trait Plain<F: Real>: Motion<F> {
    /// The differentiable version's name.
    const LABEL: &'static str;
    /// Whether the method keeps memories y; else its points are x.
    const MEMORIES: bool;
    /// Whether particles travel, so that x and v are state; else x are trials.
    const TRAVELS: bool;
    /// Its learnable numbers, those of selection last; none where only classical and hybrid make sense.
    const THETA: &'static [Learnable];
    /// How many of them are those of selection.
    const SELECTION: usize = 0;
    /// What the differentiable version adds to its parameters.
    type Added: Added;

    /// Whether moves with these parameters have a derivative; else the parameter, its value and the rule.
    fn is_smooth(&self, _swarm_dim: usize) -> Result<()> {
        Ok(())
    }

    /// The learnable numbers as they are now, without those of selection.
    fn theta(&self, _dim: usize, _out: &mut Vec<f64>) {}

    /// Sets them, and no others, for the next move.
    fn set_theta(&mut self, _theta: &[f64]) {}

    /// Finds the attractors anew after points have been changed from outside.
    fn lead(&mut self, _swarm: &Swarm<F>) {}

    /// Where the survivors of the last iteration came from, if individuals change places: offspring 0..n, parents n..2n.
    fn survivors(&self) -> Option<&[usize]> {
        None
    }

    /// The move with parents that are selected so.
    fn advance_selecting(&mut self, _selecting: &Selecting, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        self.advance(swarm, space, rng);
    }

    /// What row `r` of the survivors is made of.
    fn mix(_rivals: &Rivals<'_, F>, _r: usize, _temperature: f64, _parts: &mut Vec<Part>) {}

    /// The old places of those who stayed in the last iteration, if the population has become smaller; they keep their order.
    fn places(&self) -> Option<&[usize]> {
        None
    }

    /// Takes what the differentiable version adds to the parameters.
    fn adopt(&mut self, _added: &Self::Added) {}

    /// Hears what the run has spent, the points of this iteration included: evaluations, and gradients at their price.
    fn spend(&mut self, _spent: u64, _points: usize) {}

    /// A second matrix of state (momenta).
    fn momentum(&mut self) -> Option<&mut Matrix<F>> {
        None
    }

    /// The adjoint of the last move: `cotangent` are derivatives by the new positions.
    fn vjp(
        &mut self,
        _before: &Before<F>,
        _space: &Space<f64>,
        _selecting: &Selecting,
        _temperature: f64,
        _cotangent: &Matrix<f64>,
        _adjoint: Adjoint<'_>,
    ) {
    }
}

/// A swarm and its plain method.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Swarming<F: Real, P: Plain<F>> {
    space: Space<F>,
    start: Start,
    swarm: Swarm<F>,
    plain: P,
    selecting: Selecting,
    survivors: Survivors<F>,
    #[serde(skip)]
    room: Room<F>,
}

/// What soft or straight-through selection has made of offspring and parents.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Survivors<F: Real> {
    /// Who will stay, mixtures whose values are being asked among them; empty where nothing is asked.
    points: Matrix<F>,
    /// Their values; none for those that are asked.
    values: Vec<Option<F>>,
    /// The derivatives of the kept points by the temperature.
    slopes: Matrix<f64>,
}

/// Buffers of a move.
#[derive(Debug)]
struct Room<F: Real> {
    before: Swarm<F>,
    momentum: Matrix<F>,
    rng: Rng,
    row: Vec<F>,
    parts: Vec<Part>,
    mixed: Vec<f64>,
    cloud: CloudRoom,
    wide: Option<Space<f64>>,
    reflecting: Option<Space<F>>,
}

impl<F: Real> Default for Room<F> {
    fn default() -> Self {
        Room {
            before: Swarm::default(),
            momentum: Matrix::default(),
            rng: Rng::new(0),
            row: Vec::new(),
            parts: Vec::new(),
            mixed: Vec::new(),
            cloud: CloudRoom::default(),
            wide: None,
            reflecting: None,
        }
    }
}

impl<F: Real, P: Plain<F>> Swarming<F, P> {
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

    /// Mixes the survivors and writes those that nobody has evaluated into `asked`; straight through only their derivatives.
    fn mix(&mut self, asked: &mut Matrix<F>) {
        let (n, dim, swarm) = (self.swarm.len(), self.swarm.dim(), &self.swarm);
        let Selecting { form, temperature, .. } = self.selecting;
        let Survivors { points, values, slopes } = &mut self.survivors;
        let Room { parts, mixed, row, .. } = &mut self.room;
        let rivals = Rivals::new(&swarm.fx, &swarm.fy);
        let point = |who: usize| if who < n { swarm.x.row(who) } else { swarm.y.row(who - n) };
        slopes.resize(n, dim);
        slopes.data_mut().fill(0.0);
        points.resize(0, dim);
        values.clear();
        for r in 0..n {
            P::mix(&rivals, r, temperature, parts);
            for part in parts.iter() {
                slopes.row_mut(r).iter_mut().zip(point(part.who)).for_each(|(s, x)| *s += part.slope * x.f64());
            }
            if form != Form::Soft {
                continue;
            }
            if let [Part { who, .. }] = parts[..] {
                points.push(point(who));
                values.push(Some(if who < n { swarm.fx[who] } else { swarm.fy[who - n] }));
                continue;
            }
            mixed.clear();
            mixed.resize(dim, 0.0);
            for part in parts.iter() {
                mixed.iter_mut().zip(point(part.who)).for_each(|(m, x)| *m += part.weight * x.f64());
            }
            let inside = |j: usize| F::of(mixed[j]).max(self.space.lower()[j]).min(self.space.upper()[j]);
            row.clear();
            row.extend((0..dim).map(inside));
            points.push(row);
            asked.push(row);
            values.push(None);
        }
    }
}

/// The same space in double precision.
pub(super) fn wide<F: Real>(space: &Space<F>) -> Option<Space<f64>> {
    let [lower, upper] = [space.lower(), space.upper()].map(|b| b.iter().map(|t| t.f64()).collect());
    Space::new(lower, upper).map(|wide| wide.with_outside(space.outside())).ok()
}

impl<F: Real, P: Plain<F> + 'static> Base<F> for Swarming<F, P> {
    const LABEL: &'static str = P::LABEL;
    const POPULATION: bool = true;
    const POINTS: usize = 1;
    const THETA: &'static [Learnable] = P::THETA;
    type Params = P::Params;
    type Added = P::Added;

    fn memory(&self, share: f64, remembered: f64) -> f64 {
        let points = self.plain.particles() as f64 * self.space.dim() as f64;
        let mixing = if self.selecting.form == Form::Hard { 0.0 } else { 6.0 * 8.0 * points };
        let pool = 8.0 * points * (4.0 * share).min(1.0) * remembered;
        // The covariance, where it is written down, and a block of points.
        let (dim, best) = (self.space.dim() as f64, (share * self.plain.particles() as f64).ceil());
        let cloud = 8.0 * dim * (66.0 + if share > 0.0 && 4.0 * best >= dim { dim } else { 0.0 });
        3.0 * 8.0 * self.plain.numbers(self.space.dim()) + mixing + pool + cloud
    }

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: P::Params, added: &P::Added) -> Result<Self> {
        let mut plain = P::new(params, space, budget)?;
        plain.adopt(added);
        let survivors = Survivors { points: Matrix::default(), values: Vec::new(), slopes: Matrix::default() };
        let (swarm, room) = (Swarm::default(), Room::default());
        Ok(Swarming { space: space.clone(), start, swarm, plain, selecting: added.selecting(), survivors, room })
    }

    fn learnables(&self) -> &'static [Learnable] {
        &P::THETA[..P::THETA.len() - P::SELECTION + self.selecting.numbers().min(P::SELECTION)]
    }

    fn is_smooth(&self) -> Result<()> {
        self.plain.is_smooth(self.space.dim())
    }

    fn points(&mut self) -> &mut Matrix<F> {
        &mut self.swarm.x
    }

    fn values(&mut self) -> &mut Vec<F> {
        &mut self.swarm.fx
    }

    fn start(&mut self, rng: &Rng) {
        self.start.fill(&self.space, rng, self.plain.particles(), &mut self.swarm.x);
        self.plain.launch(&mut self.swarm, &self.space, rng);
    }

    fn begin(&mut self, _share: f64) {
        let swarm = &mut self.swarm;
        swarm.fy = swarm.fx.clone();
        swarm.y = swarm.x.clone();
        self.plain.begin(swarm);
    }

    fn kept(&self) -> (&Matrix<F>, &[F]) {
        let swarm = &self.swarm;
        if P::MEMORIES { (&swarm.y, &swarm.fy) } else { (&swarm.x, &swarm.fx) }
    }

    fn elites(&self, share: f64) -> usize {
        (share * self.kept().1.len() as f64).ceil() as usize
    }

    fn probe(&mut self, points: &mut Matrix<F>) {
        self.plain.probe(&self.swarm, &self.space, points);
    }

    fn probed(&mut self, values: &[F]) {
        self.plain.probed(values);
    }

    fn advance(&mut self, rng: &Rng, remember: bool) {
        if remember {
            self.remember_before(rng);
        }
        self.plain.advance_selecting(&self.selecting, &mut self.swarm, &self.space, rng);
    }

    fn advance_hybrid(&mut self, injection: &mut Injection, rng: &Rng) {
        self.advance(rng, P::TRAVELS);
        let Room { before, cloud, reflecting, row, .. } = &mut self.room;
        let space = reflecting.get_or_insert_with(|| self.space.clone().with_outside(Outside::Reflect));
        let Swarm { x, y, .. } = &mut self.swarm;
        let points = if P::MEMORIES { &*y } else { &before.x };
        let write = |i: usize, trial: &[F]| {
            x.row_mut(i).copy_from_slice(trial);
            i
        };
        let mut cloud = Cloud::new(points, injection.count(), cloud);
        injection.propose(points, &mut cloud, space, rng, write, row);
    }

    fn settle(&mut self, injection: &mut Injection, gradients: &Matrix<F>) {
        let (swarm, before) = (&mut self.swarm, &self.room.before);
        let stepping = injection.stepping().count();
        for k in 0..stepping {
            let i = injection.rows()[k];
            let old = if P::MEMORIES { swarm.fy[i] } else { before.fx[i] };
            let gradient = (k < gradients.len()).then(|| gradients.row(k));
            let better = injection.settle(k, swarm.fx[i], old, gradient);
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

    fn remember(&mut self, asked: &mut Matrix<F>) {
        if P::SELECTION > 0 && self.selecting.form != Form::Hard {
            self.mix(asked);
        }
        if P::SELECTION == 0 || self.selecting.form != Form::Soft {
            let done = self.plain.remember(&mut self.swarm);
            debug_assert_eq!(done, Remembered::Done);
        }
    }

    fn survive(&mut self, values: &[F]) {
        let Survivors { points, values: known, .. } = &mut self.survivors;
        if known.is_empty() {
            return;
        }
        let mut told = values.iter().copied();
        std::mem::swap(&mut self.swarm.y, points);
        self.swarm.fy.clear();
        self.swarm.fy.extend(known.drain(..).map(|value| value.or_else(|| told.next()).unwrap_or(F::infinity())));
        points.resize(0, self.space.dim());
    }

    fn follow(&self, injection: &mut Injection) {
        // Mixtures are others than those that were known; they are looked at where they stand.
        if let Some(from) = self.plain.survivors().filter(|_| self.selecting.form != Form::Soft) {
            injection.follow(from, from.len());
        }
        if let Some(places) = self.plain.places() {
            injection.follow(places, 0);
        }
    }

    fn spend(&mut self, spent: u64) {
        self.plain.spend(spent, self.swarm.len());
    }

    fn theta(&self, out: &mut Vec<f64>) {
        self.plain.theta(self.space.dim(), out);
        if P::SELECTION > 0 {
            self.selecting.write(out);
        }
    }

    fn set_theta(&mut self, theta: &[f64]) {
        let (own, selection) = theta.split_at(P::THETA.len() - P::SELECTION);
        self.plain.set_theta(own);
        self.selecting.read(selection);
    }

    fn movable(&self) -> usize {
        self.swarm.len()
    }

    fn vjp(&mut self, temperature: f64, cotangent: &Matrix<f64>, adjoint: Adjoint<'_>) {
        let room = &mut self.room;
        if room.wide.is_none() {
            room.wide = wide(&self.space);
        }
        let before = Before {
            swarm: std::mem::take(&mut room.before),
            momentum: std::mem::take(&mut room.momentum),
            rng: room.rng.clone(),
        };
        if let Some(space) = &room.wide {
            let Adjoint { theta, points } = adjoint;
            let adjoint = Adjoint { theta: &mut *theta, points: &mut *points };
            self.plain.vjp(&before, space, &self.selecting, temperature, cotangent, adjoint);
            // What was kept before this move depends on the temperature too.
            let slopes = &self.survivors.slopes;
            if P::SELECTION > 0 && slopes.len() == points.len() {
                let along = points.data().iter().zip(slopes.data()).map(|(d, s)| d * s);
                theta[P::THETA.len() - P::SELECTION] += along.sum::<f64>();
            }
        }
        room.before = before.swarm;
        room.momentum = before.momentum;
    }

    fn step(&mut self, trials: &mut Trials<F>, rng: &Rng, cotangent: &Matrix<f64>, d_points: &Matrix<f64>) {
        let (n, dim) = (self.swarm.len(), self.swarm.dim());
        let soft = !self.survivors.values.is_empty();
        let points = match P::MEMORIES {
            _ if soft => &self.survivors.points,
            true => &self.swarm.y,
            false => &self.swarm.x,
        };
        let rivals = soft.then(|| Rivals::new(&self.swarm.fx, &self.swarm.fy));
        let Room { row, parts, mixed, reflecting, .. } = &mut self.room;
        let numbers = n as f64;
        let mean = |j: usize| points.iter().map(|x| x[j].f64()).sum::<f64>() / numbers;
        let spread = |j: usize, m: f64| points.iter().map(|x| (x[j].f64() - m).powi(2)).sum::<f64>() / numbers;
        let radius = (0..dim).map(|j| spread(j, mean(j))).sum::<f64>().sqrt();
        let space = reflecting.get_or_insert_with(|| self.space.clone().with_outside(Outside::Reflect));
        let outside = rng.fork("inject");
        let places = self.plain.places();
        for r in 0..points.len() {
            let place = places.map_or(r, |places| places[r]);
            // A survivor that is a child has the loss's own derivative, a parent that of the move, a mixture of both both.
            if let Some(rivals) = &rivals {
                P::mix(rivals, r, self.selecting.temperature, parts);
                mixed.clear();
                mixed.resize(dim, 0.0);
                for Part { who, weight, .. } in &*parts {
                    let row = if *who < n { cotangent.row(*who) } else { d_points.row(who - n) };
                    mixed.iter_mut().zip(row).for_each(|(m, d)| *m += weight * d);
                }
            }
            let child = match self.plain.survivors() {
                _ if soft => None,
                Some(from) if from[r] < n => Some(from[r]),
                Some(_) => None,
                None => (!P::MEMORIES || points.row(r) == self.swarm.x.row(place)).then_some(place),
            };
            let direction = match child {
                _ if soft => &mixed[..],
                Some(i) => cotangent.row(i),
                None => d_points.row(self.plain.survivors().map_or(place, |from| from[r] - n)),
            };
            let largest = direction.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            let norm = direction.iter().map(|g| (g / largest).powi(2)).sum::<f64>().sqrt();
            if largest == 0.0 || !norm.is_finite() || !radius.is_finite() || radius == 0.0 {
                continue;
            }
            let length = trials.lengths[r] * radius / norm;
            row.clear();
            row.extend(points.row(r).iter().zip(direction).map(|(x, g)| F::of(x.f64() - length * (g / largest))));
            if row.iter().all(|t| t.is_finite()) {
                space.repair(row, 0, &mut outside.row(r));
                trials.points.push(row);
                trials.owners.push(r);
            }
        }
    }

    fn keep(&mut self, trials: &mut Trials<F>, values: &[F]) {
        for (k, &value) in values.iter().enumerate() {
            let r = trials.owners[k];
            let swarm = &mut self.swarm;
            let (points, stored) =
                if P::MEMORIES { (&mut swarm.y, &mut swarm.fy) } else { (&mut swarm.x, &mut swarm.fx) };
            if value < stored[r] {
                points.row_mut(r).copy_from_slice(trials.points.row(trials.mixtures + k));
                stored[r] = value;
                trials.lengths[r] *= 1.6;
            } else {
                trials.lengths[r] *= 0.5;
            }
        }
        self.plain.lead(&self.swarm);
    }

    fn answer(&self) -> Vec<F> {
        let mut answer = self.plain.answer(&self.swarm);
        self.space.clamp(&mut answer);
        answer
    }

    fn dim(&self) -> usize {
        self.space.dim()
    }

    fn verify(&self, begun: bool, probed: bool, mixtures: Option<usize>) -> Result<()> {
        let (swarm, dim) = (&self.swarm, self.space.dim());
        self.start.check(&self.space)?;
        self.selecting.verify()?;
        self.plain.verify_settings(&self.space)?;
        saved::holds("particles", self.plain.particles() > 0, "must be at least 1")?;
        let Survivors { points, values, .. } = &self.survivors;
        let open = values.iter().filter(|value| value.is_none()).count();
        let asked = mixtures.map_or(values.is_empty(), |mixtures| open == mixtures);
        saved::holds("survivors", asked, "must be those that are asked")?;
        if !begun {
            return saved::holds("swarm", *swarm == Swarm::default(), "must be empty before the first round");
        }
        if !values.is_empty() {
            saved::shape("survivors", points, values.len(), dim)?;
            saved::length("survivors", values, swarm.fy.len())?;
        }
        swarm.verify(dim)?;
        self.plain.verify(swarm, &self.space, probed)
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_algorithms::evolution::{de, ga};
    use swarmgrad_algorithms::particle::{cbo, empso, pso};

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
        plain.vjp(&before, &space, &Selecting::HARD, 0.5, &cotangent, adjoint);
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

    /// Whole generations of soft selection: children get their values, the numbers are set, the survivors are mixed and evaluated,
    /// and move. The derivatives of sum c . x by the numbers at `smooth` and by what survived against central differences.
    /// `sharp` is the temperature of what is decided inside a move; where nothing is mixed, `mixes` is false.
    fn generations<P: Plain<f64> + 'static>(
        params: &P::Params,
        added: &P::Added,
        smooth: &[usize],
        (sharp, mixes): (f64, bool),
    ) where
        P::Params: Clone,
    {
        let dim = 4;
        let space = Space::cube(dim, -3.0, 2.0).unwrap();
        let value = |x: &[f64]| x.iter().enumerate().map(|(j, t)| (j + 1) as f64 * (t - 0.3).powi(2)).sum::<f64>();
        // Two generations before, so that there are survivors; then those of the third with other numbers, and its move.
        let told = |base: &mut Swarming<f64, P>| {
            let values: Vec<f64> = base.points().iter().map(value).collect();
            *base.values() = values;
        };
        let survive = |base: &mut Swarming<f64, P>| {
            let mut asked = Matrix::empty(dim);
            base.remember(&mut asked);
            let values: Vec<f64> = asked.iter().map(value).collect();
            base.survive(&values);
            asked.len()
        };
        let ready = |change: &dyn Fn(&mut [f64]), shift: Option<(usize, f64)>| {
            let mut base = Swarming::<f64, P>::new(&space, Start::Uniform, None, params.clone(), added).unwrap();
            base.start(&Rng::new(6).at(0));
            told(&mut base);
            base.begin(0.0);
            for g in 1..=2 {
                base.advance(&Rng::new(6).at(g), true);
                told(&mut base);
                if g == 2 {
                    let mut theta = Vec::new();
                    base.theta(&mut theta);
                    change(&mut theta);
                    base.set_theta(&theta);
                }
                let mixed = survive(&mut base);
                assert!(!mixes || mixed > base.swarm.len() / 2, "{mixed} mixtures");
            }
            if let Some((k, h)) = shift {
                base.swarm.y.data_mut()[k] += h;
            }
            base.advance(&Rng::new(6).at(3), true);
            base
        };
        let mut base = ready(&|_| (), None);
        let n = base.swarm.len();
        let mut cotangent = Matrix::zeros(n, dim);
        Rng::new(7).fork("cotangent").fill_uniform(0..n, 0..dim, cotangent.data_mut());
        cotangent.data_mut().iter_mut().for_each(|c| *c -= 0.4);
        let (mut d_theta, mut d_points) = (vec![0.0; P::THETA.len()], Matrix::zeros(n, dim));
        base.vjp(sharp, &cotangent, Adjoint { theta: &mut d_theta, points: &mut d_points });
        let along =
            |base: &Swarming<f64, P>| base.swarm.x.data().iter().zip(cotangent.data()).map(|(x, c)| x * c).sum::<f64>();
        let h = 1e-6;
        let near = |name: &str, a: f64, b: f64| {
            assert!((a - b).abs() <= 1e-6 * b.abs() + 1e-8, "{} {name}: {a}, by differences {b}", P::LABEL);
        };
        for &k in smooth {
            let at = |h: f64| along(&ready(&|theta| theta[k] += h, None));
            let quotient = (at(h) - at(-h)) / (2.0 * h);
            near(P::THETA[k].name, d_theta[k], quotient);
            assert!(quotient.abs() > 1e-6, "{} {}: {quotient}", P::LABEL, P::THETA[k].name);
        }
        for k in 0..n * dim {
            let at = |h: f64| along(&ready(&|_| (), Some((k, h))));
            near("a survivor", d_points.data()[k], (at(h) - at(-h)) / (2.0 * h));
        }
    }

    #[test]
    fn derivatives_pass_through_the_memory_of_lshade() {
        use super::super::lshade::{Adaptation, Shrinking};
        use swarmgrad_algorithms::evolution::adaptive::Adaptive;
        use swarmgrad_algorithms::evolution::lshade;
        for memory_rate in [0.3, 0.9] {
            for memory in [1, 3] {
                let params = lshade::Params { particles: Some(9), memory, ..lshade::Params::default() };
                let adaptation = Adaptation { memory_rate, ..Adaptation::default() };
                // Hot gates have no slope: what is left is the way by F, which the difference sees too.
                generations::<Adaptive<f64, Shrinking>>(&params, &adaptation, &[0, 2], (1e15, false));
            }
        }
    }

    #[test]
    fn derivatives_pass_through_soft_generations() {
        use super::super::selection::{Mating, Parents, Selection};
        for temperature in [0.05, 0.4, 2.0] {
            let de = de::Params { particles: 9, ..de::Params::default() };
            let selection = Selection { selection: Form::Soft, selection_temperature: temperature };
            generations::<de::De>(&de, &selection, &[0, 2], (0.5, true));
            let ga = ga::Params { particles: 9, mutation: Some(0.4), eta_c: 3.0, eta_m: 5.0, ..ga::Params::default() };
            let mating = Mating { selection: Form::Soft, selection_temperature: temperature, ..Mating::default() };
            generations::<ga::Ga<f64>>(&ga, &mating, &[1, 3, 4], (0.5, true));
            let ranks = Mating { parents: Parents::Ranks, pressure: 2.7, ..mating };
            generations::<ga::Ga<f64>>(&ga, &ranks, &[1, 3, 4, 5], (0.5, true));
        }
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
