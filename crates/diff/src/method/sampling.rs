//! The base of the methods that sample from a distribution: evolution strategies and CMA-ES.
//!
//! ```text
//! move      x_i = m + sigma y_i,  y_i = C^(1/2) z_i;   m' = m + c_m D,  D the plain method's own movement of the mean
//! adaptive  dL/dm = sum_i c_i,  dL/dsigma = sum_i c_i . y_i,  dL/dc_m = dL/dm . D of the iteration before    c_i = omega_i g_i
//! diff      m' tries m' - Delta sqrt(d) h / sqrt(g'h),  h = C g,  g = dL/dm;  both are evaluated, the better one is the mean
//! hybrid    the max(1, floor(q lambda)) best points so far make gradient steps (`crate::inject`) with C of the distribution,
//!           in rows of their own after the samples; after 20 steps in a row that are no better a point makes room for the best
//!           sample of the next population
//! ```
//!
//! The best points of the hybrid mode stand beside the distribution, which is told of its own samples alone: it goes the way
//! of the plain method, and a sample that beats one of them takes its place. Told of the steps too (clipped as in Hansen,
//! "Injecting external solutions into CMA-ES", arXiv 1110.4181, 2011), the distribution follows the first local minimum that
//! they find: on Ackley's and Levy's functions it then ends there, where the plain method finds the global one.
//!
//! A sample that the bounds have corrected is differentiated as the step that it has become: so the plain method learns of it.

use super::frame::{Adjoint, Base, Trials};
use super::selection::{Added, Selecting};
use crate::inject::{Injection, Shape};
use crate::learn::{Learnable, Link};
use crate::operator::Operator;
use crate::operator::sample::{Sample, Step};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::distribution::{Samples, Steered};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Algorithm, Matrix, Outside, Real, Reason, Result, Rng, Space, Start, View};

/// A distribution that has a differentiable version.
pub trait Named: Steered {
    /// The differentiable version's name.
    const LABEL: &'static str;
    /// Its learnable numbers: sigma, c_m, and its own.
    const THETA: &'static [Learnable];
    /// What the differentiable version adds to its parameters.
    type Added: Added;
    /// What the last update saw, and what it did by its own numbers.
    type Trace: std::fmt::Debug + Default + Send + Sync + Serialize + DeserializeOwned;

    /// Its own numbers as they are now, as far as they say something.
    fn numbers(&self, how: &Learns, out: &mut Vec<f64>);

    /// Sets them for the next update.
    fn set_numbers(&mut self, how: &mut Learns, numbers: &[f64]);

    /// How many coordinates of its own state it learns.
    fn local(&self, _how: &Learns) -> usize {
        0
    }

    /// Moves its state by so much along them.
    fn displace(&mut self, _local: &[f64]) {}

    /// Whether what was read back of the last update is of so many coordinates, or nothing yet.
    ///
    /// # Errors
    /// It is not so.
    fn verify_trace(trace: &Self::Trace, dim: usize) -> Result<()>;

    /// Sees the state before an update.
    fn before(&mut self, how: &Learns, trace: &mut Self::Trace);

    /// Sees the state after it: the steps from which it learned, and their rows from best to worst; `rate` is c_m.
    fn after(&self, how: &Learns, told: (&Matrix<f64>, &[usize]), rate: f64, trace: &mut Self::Trace);

    /// Adds the derivatives by its own numbers and by the local ones: those by the samples are `cotangent`, their sum `d_mean`.
    fn pull_back(
        &self,
        how: &Learns,
        trace: &Self::Trace,
        steps: &Matrix<f64>,
        cotangent: &[f64],
        d_mean: &[f64],
        d_numbers: &mut [f64],
    );
}

/// What a distribution's differentiable version learns beside sigma and c_m.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Learns {
    /// How ranks become weights.
    pub selecting: Selecting,
    /// Whether it learns all of its numbers.
    pub all: bool,
}

pub(super) const SIGMA: Learnable = Learnable { name: "sigma", link: Link::Exp, bounds: [f64::MIN_POSITIVE, f64::MAX] };
pub(super) const C_M: Learnable = Learnable { name: "c_m", link: Link::Exp, bounds: [0.1, 2.0] };

/// A distribution, its samples and the best of them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Sampling<F: Real, D: Named> {
    space: Space<F>,
    plain: Samples<F, D>,
    x: Matrix<F>,
    fx: Vec<F>,
    /// The best points so far (hybrid).
    y: Matrix<F>,
    fy: Vec<F>,
    /// c_m, 1 unless it is learned.
    rate: f64,
    /// D, how far the plain method moved the mean in the last iteration.
    moved: Vec<f64>,
    how: Learns,
    trace: D::Trace,
    #[serde(skip)]
    room: Room<F>,
}

/// Buffers of a move.
#[derive(Debug)]
struct Room<F: Real> {
    /// Rows of the population that are trials.
    trials: Vec<usize>,
    row: Vec<F>,
    mean: Vec<f64>,
    wide: [Vec<f64>; 2],
    reflecting: Option<Space<F>>,
}

impl<F: Real> Default for Room<F> {
    fn default() -> Self {
        Room { trials: Vec::new(), row: Vec::new(), mean: Vec::new(), wide: Default::default(), reflecting: None }
    }
}

/// Steps in a row that are no better, after which a point has reached its minimum and makes room for another one.
const PATIENCE: u32 = 20;

/// The covariance of a distribution in the coordinates of the space: S C S, S its scale.
struct Ellipsoid<'a, D> {
    distribution: &'a D,
    scale: &'a [f64],
    variance: f64,
    room: &'a mut [Vec<f64>; 2],
}

impl<'a, D: Steered> Ellipsoid<'a, D> {
    fn new(distribution: &'a D, scale: &'a [f64], room: &'a mut [Vec<f64>; 2]) -> Self {
        room.iter_mut().for_each(|r| r.resize(scale.len(), 0.0));
        distribution.variances(&mut room[0]);
        let variance = room[0].iter().zip(scale).map(|(v, s)| s * s * v).sum();
        Ellipsoid { distribution, scale, variance, room }
    }
}

impl<D: Steered> Shape for Ellipsoid<'_, D> {
    fn variance(&self) -> f64 {
        self.variance
    }

    fn add_product(&mut self, factor: f64, g: &[f64], u: &mut [f64]) {
        let [scaled, product] = &mut *self.room;
        scaled.iter_mut().zip(g).zip(self.scale).for_each(|((o, g), s)| *o = s * g);
        self.distribution.multiply(scaled, product);
        u.iter_mut().zip(&*product).zip(self.scale).for_each(|((u, p), s)| *u += factor * (s * p));
    }
}

impl<F: Real, D: Named> Sampling<F, D> {
    /// Takes the better of the samples among the best so far.
    fn enlist(&mut self) {
        let worst = |fy: &[F]| (0..fy.len()).reduce(|w, s| if fy[w] >= fy[s] { w } else { s });
        let Some(mut place) = worst(&self.fy) else { return };
        // Trials stand behind the samples.
        for i in 0..self.fx.len() - self.room.trials.len() {
            if self.fx[i] < self.fy[place] {
                self.y.row_mut(place).copy_from_slice(self.x.row(i));
                self.fy[place] = self.fx[i];
                place = worst(&self.fy).unwrap_or(place);
            }
        }
    }

    fn mean(&self) -> &[f64] {
        self.plain.distribution().mean()
    }
}

impl<F: Real, D: Named> Base<F> for Sampling<F, D> {
    const LABEL: &'static str = D::LABEL;
    const POPULATION: bool = false;
    const POINTS: usize = 2;
    const THETA: &'static [Learnable] = D::THETA;
    type Params = D::Params;
    type Added = D::Added;

    fn memory(&self, _share: f64, remembered: f64) -> f64 {
        3.0 * self.plain.memory() + 8.0 * remembered * self.space.dim() as f64
    }

    fn learnables(&self) -> &'static [Learnable] {
        let mut numbers = Vec::new();
        self.plain.distribution().numbers(&self.how, &mut numbers);
        &D::THETA[..2 + numbers.len()]
    }

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: D::Params, added: &D::Added) -> Result<Self> {
        let usual = if D::BENT { Outside::Reflect } else { Outside::Clamp };
        Ok(Sampling {
            space: space.clone(),
            // Mirrored, not bent: derivatives by points are those by steps.
            plain: Samples::new(&space.clone().or_outside(usual), start, budget, params)?,
            x: Matrix::default(),
            fx: Vec::new(),
            y: Matrix::default(),
            fy: Vec::new(),
            rate: 1.0,
            moved: vec![0.0; space.dim()],
            how: Learns { selecting: added.selecting(), all: added.all() },
            trace: D::Trace::default(),
            room: Room::default(),
        })
    }

    fn points(&mut self) -> &mut Matrix<F> {
        &mut self.x
    }

    fn values(&mut self) -> &mut Vec<F> {
        &mut self.fx
    }

    fn start(&mut self, rng: &Rng) {
        self.plain.ask(rng, &mut self.x);
    }

    fn begin(&mut self, share: f64) {
        let elites = if share > 0.0 { ((share * self.fx.len() as f64) as usize).max(1) } else { 0 };
        self.y = Matrix::zeros(elites, self.space.dim());
        self.fy = vec![F::infinity(); elites];
        self.remember(&mut Matrix::default());
    }

    fn kept(&self) -> (&Matrix<F>, &[F]) {
        (&self.y, &self.fy)
    }

    fn elites(&self, _share: f64) -> usize {
        self.fy.len()
    }

    fn advance(&mut self, rng: &Rng, _remember: bool) {
        self.room.trials.clear();
        self.plain.ask(rng, &mut self.x);
    }

    fn advance_hybrid(&mut self, injection: &mut Injection, rng: &Rng) {
        self.advance(rng, false);
        if self.x.is_empty() {
            return;
        }
        let Room { reflecting, row, wide, .. } = &mut self.room;
        let space = reflecting.get_or_insert_with(|| self.space.clone().with_outside(Outside::Reflect));
        let mut shape = Ellipsoid::new(self.plain.distribution(), self.plain.scale(), wide);
        let x = &mut self.x;
        let write = |_: usize, trial: &[F]| {
            x.push(trial);
            x.len() - 1
        };
        injection.propose(&self.y, &mut shape, space, rng, write, row);
        self.room.trials.extend_from_slice(injection.rows());
    }

    fn settle(&mut self, injection: &mut Injection, gradients: &Matrix<F>) {
        for k in 0..self.room.trials.len() {
            let (row, slot) = (self.room.trials[k], injection.stepping_at(k));
            let gradient = (k < gradients.len()).then(|| gradients.row(k));
            if injection.settle(k, self.fx[row], self.fy[slot], gradient) {
                self.y.row_mut(slot).copy_from_slice(self.x.row(row));
                self.fy[slot] = self.fx[row];
            } else if injection.failures(k) >= PATIENCE {
                self.fy[slot] = F::infinity();
                injection.forget(slot);
            }
        }
    }

    fn remember(&mut self, _asked: &mut Matrix<F>) {
        self.enlist();
        let samples = self.x.len() - self.room.trials.len();
        self.x.resize(samples, self.space.dim());
        self.fx.truncate(samples);
        let mut mean = std::mem::take(&mut self.room.mean);
        mean.clear();
        mean.extend(self.mean());
        self.plain.distribution_mut().before(&self.how, &mut self.trace);
        self.plain.tell(&mut self.x, &self.fx);
        for (d, (new, old)) in self.moved.iter_mut().zip(self.plain.distribution().mean().iter().zip(&mean)) {
            *d = new - old;
        }
        if self.rate != 1.0 {
            mean.iter_mut().zip(&self.moved).for_each(|(m, d)| *m += self.rate * d);
            self.plain.distribution_mut().steer(&mean, 1.0);
        }
        self.room.mean = mean;
        let told = (self.plain.steps(), self.plain.order());
        self.plain.distribution().after(&self.how, told, self.rate, &mut self.trace);
    }

    fn local(&self) -> usize {
        self.plain.distribution().local(&self.how)
    }

    fn theta(&self, out: &mut Vec<f64>) {
        out.extend([self.plain.distribution().unit(), self.rate]);
        self.plain.distribution().numbers(&self.how, out);
        out.resize(out.len() + self.local(), 0.0);
    }

    fn set_theta(&mut self, theta: &[f64]) {
        let growth = theta[0] / self.plain.distribution().unit();
        self.rate = theta[1];
        if growth != 1.0 {
            let mut mean = std::mem::take(&mut self.room.mean);
            mean.clear();
            mean.extend(self.mean());
            self.plain.distribution_mut().steer(&mean, growth);
            self.room.mean = mean;
        }
        let (numbers, local) = theta[2..].split_at(theta.len() - 2 - self.local());
        self.plain.distribution_mut().set_numbers(&mut self.how, numbers);
        if local.iter().any(|t| *t != 0.0) {
            self.plain.distribution_mut().displace(local);
        }
    }

    fn movable(&self) -> usize {
        1
    }

    fn vjp(&mut self, _temperature: f64, cotangent: &Matrix<f64>, adjoint: Adjoint<'_>) {
        let (dim, scale) = (self.space.dim(), self.plain.scale());
        let cotangent: Vec<f64> = cotangent.iter().flat_map(|c| c.iter().zip(scale).map(|(c, s)| s * c)).collect();
        let unit = self.plain.distribution().unit();
        // The steps are A z: sigma is the only number in front of them. The mean came by a step D / sigma of c_m sigma.
        let sample = Sample { noise: self.plain.steps().data(), dim, shaped: false, each: false };
        let (d_mean, mut d_sigma) = (adjoint.points.row_mut(0), [0.0]);
        sample.vjp(&[unit], self.mean(), &cotangent, &mut d_sigma, d_mean);
        let (mut d_step, mut d_inputs) = ([0.0; 2], vec![0.0; 2 * dim]);
        Step { dim }.vjp(&[self.rate, 1.0], &[self.mean(), &self.moved].concat(), d_mean, &mut d_step, &mut d_inputs);
        adjoint.theta[0] += d_sigma[0];
        adjoint.theta[1] += d_step[0];
        let (distribution, steps) = (self.plain.distribution(), self.plain.steps());
        distribution.pull_back(&self.how, &self.trace, steps, &cotangent, d_mean, &mut adjoint.theta[2..]);
    }

    fn step(&mut self, trials: &mut Trials<F>, rng: &Rng, _cotangent: &Matrix<f64>, d_points: &Matrix<f64>) {
        if self.plain.stop_reason().is_some() {
            return;
        }
        let dim = self.space.dim();
        let (mean, scale) = (self.plain.distribution().mean(), self.plain.scale());
        let Room { row, reflecting, wide: [unit, natural], .. } = &mut self.room;
        let largest = d_points.row(0).iter().fold(0.0f64, |m, g| m.max(g.abs()));
        unit.clear();
        unit.extend(d_points.row(0).iter().map(|g| g / largest));
        natural.resize(dim, 0.0);
        self.plain.distribution().multiply(unit, natural);
        let norm = unit.iter().zip(&*natural).map(|(g, h)| g * h).sum::<f64>().sqrt();
        let length = trials.lengths[0] * (dim as f64).sqrt() / norm;
        row.clear();
        row.extend(mean.iter().zip(&*natural).zip(scale).map(|((m, h), s)| F::of(s * (m - length * h))));
        if largest == 0.0 || row.iter().any(|t| !t.is_finite()) {
            return;
        }
        let space = reflecting.get_or_insert_with(|| self.space.clone().with_outside(Outside::Reflect));
        space.repair(row, 0, &mut rng.fork("inject").row(0));
        trials.points.push(&self.plain.answer());
        trials.points.push(row);
        trials.owners.push(0);
    }

    fn keep(&mut self, trials: &mut Trials<F>, values: &[F]) {
        if values[1] < values[0] {
            let (trial, scale) = (trials.points.row(1), self.plain.scale());
            let mean: Vec<f64> = trial.iter().zip(scale).map(|(x, s)| x.f64() / s).collect();
            self.plain.distribution_mut().steer(&mean, 1.0);
            trials.lengths[0] *= 1.6;
        } else {
            trials.lengths[0] *= 0.5;
        }
    }

    fn answer(&self) -> Vec<F> {
        self.plain.answer()
    }

    fn dim(&self) -> usize {
        self.space.dim()
    }

    fn verify(&self, begun: bool, _probed: bool, mixtures: Option<usize>) -> Result<()> {
        let dim = self.space.dim();
        saved::holds("mixtures", mixtures.is_none_or(|mixtures| mixtures == 0), "must be none")?;
        saved::fits("plain method", &self.plain, dim)?;
        Method::verify(&self.plain)?;
        saved::holds("rounds", (self.plain.rounds() > 0) == begun, "must be those of the plain method")?;
        self.how.selecting.verify()?;
        saved::shape("y", &self.y, self.fy.len(), dim)?;
        if begun {
            saved::width("x", &self.x, dim)?;
            saved::width("y", &self.y, dim)?;
        }
        saved::numbers("fy", &self.fy)?;
        saved::length("moved", &self.moved, dim)?;
        D::verify_trace(&self.trace, dim)
    }

    fn stop_reason(&self) -> Option<Reason> {
        self.plain.stop_reason()
    }

    fn view(&self) -> View<'_, F> {
        let mut view = self.plain.view();
        if !self.y.is_empty() {
            view.matrices.push(("y", self.y.rows()));
            view.vectors.push(("fy", &self.fy));
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use super::super::selection::Selection;
    use super::super::strategy::{Learned, Numbers};
    use super::*;
    use crate::relax::Form;
    use swarmgrad_algorithms::distribution::{cma_es, snes};

    /// The derivatives of sum c . x by m, by every number and by every local coordinate against central differences of whole
    /// generations, in a box whose sides have different lengths.
    fn check<D: Named>(added: &D::Added) {
        let dim = 4;
        let space = Space::new(vec![-100.0; dim], vec![100.0, 20.0, 30.0, 200.0]).unwrap();
        let value = |x: &[f64]| x.iter().enumerate().map(|(j, t)| (j + 1) as f64 * t * t).sum::<f64>();
        let (rng, start) = (Rng::new(5).at(6), Start::Points(vec![vec![0.0, -30.0, -40.0, 50.0]]));
        let new = || Sampling::<f64, D>::new(&space, start.clone(), None, D::Params::default(), added).unwrap();
        let count = new().learnables().len();
        // Five iterations, the last with other numbers; then another m, sigma and local coordinates, and a sixth.
        let ready = |change: &dyn Fn(&mut [f64]), growth: f64, local: Option<(usize, f64)>, by: &[f64]| {
            let mut base = new();
            let mut theta = Vec::new();
            for g in 0..6 {
                let rng = Rng::new(5).at(g);
                if g == 0 {
                    base.start(&rng)
                } else {
                    base.advance(&rng, true)
                }
                let values: Vec<f64> = base.points().iter().map(value).collect();
                *base.values() = values;
                if g == 5 {
                    base.theta(&mut theta);
                    theta[1] = 0.9;
                    change(&mut theta);
                    base.set_theta(&theta);
                }
                if g == 0 { base.begin(0.0) } else { base.remember(&mut Matrix::default()) }
            }
            let mean: Vec<f64> = base.mean().iter().zip(by).map(|(m, h)| m + h).collect();
            base.plain.distribution_mut().steer(&mean, 0.2 * growth); // no sample leaves the box
            if let Some((k, h)) = local {
                theta.clear();
                base.theta(&mut theta);
                theta[count + k] = h;
                base.set_theta(&theta);
            }
            base.advance(&rng, true);
            base
        };
        let still = vec![0.0; dim];
        let mut base = ready(&|_| (), 1.0, None, &still);
        let n = base.x.len();
        let mut cotangent = Matrix::zeros(n, dim);
        rng.fork("cotangent").fill_uniform(0..n, 0..dim, cotangent.data_mut());
        let along =
            |base: Sampling<f64, D>| base.x.data().iter().zip(cotangent.data()).map(|(x, c)| x * c).sum::<f64>();
        let (mut d_theta, mut d_points) = (vec![0.0; D::THETA.len() + base.local()], Matrix::zeros(1, dim));
        base.vjp(0.5, &cotangent, Adjoint { theta: &mut d_theta, points: &mut d_points });
        let unit = base.plain.distribution().unit();
        let quotient = |at: &dyn Fn(f64) -> Sampling<f64, D>| (along(at(1e-6)) - along(at(-1e-6))) / 2e-6;
        let near = |name: &str, a: f64, b: f64| {
            assert!(
                (a - b).abs() <= 1e-6 * (1.0 + b.abs()) && b != 0.0,
                "{} {name}: {a}, by differences {b}",
                D::LABEL
            );
        };
        near("sigma", d_theta[0], quotient(&|h| ready(&|_| (), (unit + h) / unit, None, &still)));
        for k in 1..count {
            near(D::THETA[k].name, d_theta[k], quotient(&|h| ready(&|theta| theta[k] += h, 1.0, None, &still)));
        }
        for k in 0..base.local() {
            near(&format!("local {k}"), d_theta[count + k], quotient(&|h| ready(&|_| (), 1.0, Some((k, h)), &still)));
        }
        for j in 0..dim {
            let by = |h: f64| (0..dim).map(|l| if l == j { h } else { 0.0 }).collect::<Vec<f64>>();
            near("m", d_points.row(0)[j], quotient(&|h| ready(&|_| (), 1.0, None, &by(h))));
        }
    }

    /// A gradient that points uphill never helps: after so many steps the point makes room for a sample of the next population.
    #[test]
    fn a_point_that_gets_no_further_makes_room() {
        let space = Space::cube(3, -5.0, 5.0).unwrap();
        let mut base = Sampling::<f64, snes::Snes>::new(
            &space,
            Start::Uniform,
            None,
            snes::Params::default(),
            &Selection::default(),
        )
        .unwrap();
        let mut injection = Injection::new(3, 0.5, 0.5, 0.5, false);
        let value = |x: &[f64]| x.iter().map(|t| t * t).sum::<f64>();
        let told = |base: &mut Sampling<f64, snes::Snes>, best: f64| {
            // Samples are worse than what is kept, the steps too.
            let values: Vec<f64> = base.points().iter().map(|x| best + value(x)).collect();
            *base.values() = values;
        };
        base.start(&Rng::new(7));
        told(&mut base, 0.0);
        base.begin(0.1);
        let (first, mut missing) = (base.y.row(0).to_vec(), Matrix::default());
        for g in 1..=u64::from(PATIENCE) {
            injection.choose(&base.y, &base.fy, 1, &mut missing);
            assert_eq!(missing.len(), usize::from(g == 1), "at {g}");
            if g == 1 {
                let uphill: Vec<f64> = missing.row(0).iter().map(|t| -2.0 * t).collect();
                injection.learn(&base.y, &Matrix::from_vec(3, uphill).unwrap());
            }
            base.advance_hybrid(&mut injection, &Rng::new(7).at(g));
            told(&mut base, 1e3);
            base.settle(&mut injection, &Matrix::default());
            assert_eq!(base.fy[0].is_infinite(), g == u64::from(PATIENCE), "at {g}");
            base.remember(&mut Matrix::default());
            if g < u64::from(PATIENCE) {
                assert_eq!(base.y.row(0), first);
            } else {
                assert!(base.fy[0] >= 1e3 && base.y.row(0) != first);
                break;
            }
        }
    }

    #[test]
    fn the_adjoint_of_a_move_is_that_of_the_plain_kernel() {
        check::<snes::Snes>(&Selection::default());
        for selection_temperature in [0.03, 0.2, 1.0] {
            check::<snes::Snes>(&Selection { selection: Form::Soft, selection_temperature });
        }
        check::<cma_es::CmaEs>(&Learned::default());
        check::<cma_es::CmaEs>(&Learned { numbers: Numbers::All });
    }
}
