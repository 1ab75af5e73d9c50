//! lq-CMA-ES: CMA-ES that ranks its population by a linear or quadratic model of the objective while the model ranks well.
//!
//! Paper: Hansen, "A global surrogate assisted CMA-ES" (GECCO 2019), algorithm 1. The model is that of `surrogate.rs`. In an
//! iteration of CMA-ES with a population of lambda points:
//!
//! ```text
//! k <- floor(1 + max(0.02 lambda, 4 - points of the model))                                              (1)
//! repeat  evaluate the points that the model ranks best until k are evaluated, give them to the model
//!         tau <- Kendall's rank correlation of values and model over the newest
//!                max(15, min(1.2 k, 0.75 lambda)) points                                                 (2)
//!         k <- k + ceil(k / 2)                                                                           (3)
//! until   tau >= 0.85 or all are evaluated
//! CMA-ES learns from the values if all are there, else from the model's, shifted to the least value      (4)
//! the model's best point becomes one of the next population                                              (5)
//! ```
//!
//! A round asks for the points of one pass of the loop. When CMA-ES ends, it begins anew with a doubled population and no points
//! (IPOP, as in pycma's `fmin_lq_surr2`).
//!
//! The best point of (5) is that of the model in the region |C^(-1/2) (x - m)| <= sigma r, r = sqrt(n) + 2 n / (n + 2), up to which
//! steps of points from outside the distribution are not shortened (Hansen 2011, see `cma_es`):
//!
//! ```text
//! min g z + z H z / 2  over |z| <= r,   x = m + sigma C^(1/2) z                                          (6)
//! ```
//!
//! Differs from the paper: (6), where the paper takes the model's stationary point, whatever it is, and shortens the step to it; with
//! `batch` points a round k grows by that many at least; points that failed keep +inf.

use super::cma_es::{self, Cma, CmaEs};
use super::ipop_cma_es::Runs;
use super::surrogate::Surrogate;
use super::{Distribution, usual_population};
use crate::linear::eigen::Eigen;
use crate::linear::rows::dot;
use crate::method::Method;
use crate::parameters::{Parameters, parameters};
use crate::restart::{BestPoint, LastRun, NextRun, RestartPolicy, Restarts};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{
    Algorithm, Matrix, Real, Reason, Result, Rng, Space, Start, View, memory, save_state, sort_indices,
};

parameters! {
    /// Parameters of lq-CMA-ES.
    pub struct Params {
        /// The first population; null for 4 + floor(3 ln d).
        population "lambda": Option<usize> = None, AtLeast(2.0);
        /// Initial standard deviation as a share of the width of the box; without bounds 0.2 is the deviation of the start's law.
        sigma "sigma(0)": f64 = 0.2, Above(0.0);
        /// Points that a round asks for, at least.
        batch "q": usize = 1, Within(1.0, 65_536.0);
        /// The rank correlation from which on the model is believed; above 1 never.
        believe "tau": f64 = 0.85, Within(-1.0, 2.0);
    }
}

impl Params {
    fn of_cma_es(&self) -> cma_es::Params {
        cma_es::Params { particles: self.population, sigma: self.sigma, ..cma_es::Params::default() }
    }

    fn lambda(&self, dim: usize) -> usize {
        self.population.unwrap_or(usual_population(dim))
    }
}

/// (1): the share of the population, and points without which there is no model.
const SHARE: f64 = 0.02;
const FIRST: usize = 4;
/// (2): points at least, over those evaluated, over the population.
const NEWEST: (usize, f64, f64) = (15, 1.2, 0.75);
/// After which the shift of (6) has all its digits.
const HALVINGS: usize = 60;

/// lq-CMA-ES with restarts, as an algorithm.
pub type LqCmaEs<F> = Restarts<F, LqIpop>;

/// One run of lq-CMA-ES.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct LqCma<F: Real> {
    params: Params,
    space: Space<F>,
    cma: Cma<F>,
    model: Surrogate,
    /// The population of this iteration and the values that are there; `evaluated` in the order of evaluation.
    population: Matrix<F>,
    values: Vec<F>,
    evaluated: Vec<usize>,
    /// Whether the iteration goes on, and k.
    open: bool,
    wanted: usize,
    /// Rank correlation after the last round.
    tau: f64,
    rounds: u64,
    best: BestPoint<F>,
    /// The points of the last round.
    x: Matrix<F>,
    fx: Vec<F>,
    #[serde(skip)]
    asked: Vec<usize>,
    #[serde(skip)]
    lent: bool,
    #[serde(skip)]
    ranked: (Vec<f64>, Vec<usize>),
    #[serde(skip)]
    ball: Ball,
}

/// The model around the mean, in coordinates in which the distribution is round.
#[derive(Debug, Default)]
struct Ball {
    mean: Vec<f64>,
    /// From these coordinates to the space, row by row.
    to: Vec<f64>,
    g: Vec<f64>,
    h: Vec<f64>,
    eigen: Eigen,
    /// The slope along the axes of the Hessian.
    along: Vec<f64>,
    z: Vec<f64>,
}

impl<F: Real> LqCma<F> {
    /// The search distribution.
    pub fn distribution(&self) -> &CmaEs {
        self.cma.distribution()
    }

    /// Bytes that a run takes in so many dimensions.
    pub fn bytes(params: &Params, dim: usize) -> f64 {
        memory_of(params, dim)
    }

    /// Points that the model has.
    pub fn known(&self) -> usize {
        self.model.len()
    }

    /// A point that was evaluated elsewhere, for the model.
    pub fn know(&mut self, x: &[F], value: F) {
        self.model.add(x.iter().map(|t| t.f64()), value.f64());
    }

    /// Begins an iteration; whether there are points.
    fn begin(&mut self, rng: &Rng) -> bool {
        self.cma.ask(rng, &mut self.population);
        if self.population.is_empty() {
            return false;
        }
        if self.find_best_of_model() {
            let row = self.population.row_mut(0); // (5)
            row.iter_mut().zip(&self.ball.mean).for_each(|(x, t)| *x = F::of(*t));
            for (x, (&low, &high)) in row.iter_mut().zip(self.space.lower().iter().zip(self.space.upper())) {
                *x = x.max(low).min(high);
            }
            self.space.centre(row);
        }
        let lambda = self.population.len();
        self.wanted = (1.0 + (SHARE * lambda as f64).max(FIRST as f64 - self.model.len() as f64)) as usize; // (1)
        self.values.clear();
        self.values.resize(lambda, F::nan());
        self.evaluated.clear();
        [&mut self.evaluated, &mut self.asked].into_iter().for_each(|rows| rows.reserve(lambda));
        self.open = true;
        true
    }

    /// (6), into `ball.mean`; false where there is no model or it has no least value that is a point.
    fn find_best_of_model(&mut self) -> bool {
        if self.cma.rounds() == 0 || !self.model.fit() {
            return false;
        }
        let dim = self.space.dim();
        let (distribution, scale, ball) = (self.cma.distribution(), self.cma.scale(), &mut self.ball);
        let (unit, root) = (distribution.unit(), distribution.root());
        ball.mean.clear();
        ball.mean.extend(distribution.mean().iter().zip(scale).map(|(m, s)| m * s));
        ball.to.clear();
        ball.to.extend(root.iter().enumerate().map(|(at, r)| scale[at / dim] * unit * r));
        ball.g.resize(dim, 0.0);
        ball.h.resize(dim * dim, 0.0);
        self.model.derivatives(&ball.mean, &ball.to, &mut ball.g, &mut ball.h);
        let n = dim as f64;
        if !ball.step(n.sqrt() + 2.0 * n / (n + 2.0)) {
            return false;
        }
        let Ball { mean, to, z, .. } = ball;
        mean.iter_mut().zip(to.chunks_exact(dim)).for_each(|(x, row)| *x += dot(row, z));
        mean.iter().all(|t| t.is_finite())
    }

    /// Rows from best to worst by the model, as they stand where there is none.
    fn rank(&mut self) {
        let (models, order) = &mut self.ranked;
        models.clear();
        if self.model.fit() {
            models.extend(self.population.iter().map(|x| self.model.value(x.iter().map(|t| t.f64()))));
        } else {
            models.resize(self.population.len(), 0.0);
        }
        sort_indices(models, order);
    }

    /// Learns from a population that has been ranked.
    fn close(&mut self) {
        let lambda = self.population.len();
        if self.evaluated.len() < lambda {
            self.rank();
            let models = &self.ranked.0;
            let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
            let offset = least(&mut self.evaluated.iter().map(|&i| self.values[i].f64()));
            let offset = if offset.is_finite() { offset } else { 0.0 };
            let lowest = least(&mut models.iter().copied());
            for (value, model) in self.values.iter_mut().zip(models) {
                if *value < F::infinity() || value.is_nan() {
                    *value = F::of((model - lowest) + offset); // (4)
                }
            }
        }
        self.cma.tell(&mut self.population, &self.values);
        self.open = false;
    }
}

impl Ball {
    /// (6): z becomes the least point of g z + z H z / 2 in a ball, H by its lower triangle; false where there is none.
    fn step(&mut self, radius: f64) -> bool {
        let Ball { g, h, eigen, along, z, .. } = self;
        let dim = g.len();
        eigen.values.resize(dim, 0.0);
        eigen.vectors.resize(dim * dim, 0.0);
        if !eigen.decompose(h) {
            return false;
        }
        along.clear();
        along.extend(eigen.vectors.chunks_exact(dim).map(|v| dot(v, g)));
        let component = |a: f64, e: f64, shift: f64| if a == 0.0 { 0.0 } else { -a / (e + shift) };
        let length = |shift: f64| {
            let square = |(a, e): (&f64, &f64)| component(*a, *e, shift) * component(*a, *e, shift);
            along.iter().zip(&eigen.values).map(square).sum::<f64>().sqrt()
        };
        let (low, high) = eigen.range();
        // The shift at which the step is as long as it may be, by halving; 0 where H is positive definite and the step short.
        let tiny = 1e-14 * high.abs().max(low.abs());
        let mut shift = 0.0;
        if low <= tiny || length(0.0) > radius {
            let least = (tiny - low).max(0.0);
            let mut ends = [least, least + dot(along, along).sqrt() / radius];
            for _ in 0..HALVINGS {
                let middle = 0.5 * (ends[0] + ends[1]);
                ends[usize::from(length(middle) <= radius)] = middle;
            }
            shift = ends[1];
        }
        z.clear();
        z.resize(dim, 0.0);
        for ((v, a), e) in eigen.vectors.chunks_exact(dim).zip(&*along).zip(&eigen.values) {
            let t = component(*a, *e, shift);
            z.iter_mut().zip(v).for_each(|(z, v)| *z += t * v);
        }
        z.iter().all(|t| t.is_finite())
    }
}

impl<F: Real> Method<F> for LqCma<F> {
    const NAME: &'static str = "lq_cma_es";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        let dim = space.dim();
        memory::check(Self::NAME, dim, memory_of(&params, dim))?;
        Ok(LqCma {
            cma: Cma::new(space, start, budget, params.of_cma_es())?,
            model: Surrogate::new(dim, params.lambda(dim)),
            params,
            space: space.clone(),
            population: Matrix::default(),
            values: Vec::new(),
            evaluated: Vec::new(),
            open: false,
            wanted: 0,
            tau: 0.0,
            rounds: 0,
            best: BestPoint::default(),
            x: Matrix::default(),
            fx: Vec::new(),
            asked: Vec::new(),
            lent: false,
            ranked: (Vec::new(), Vec::new()),
            ball: Ball::default(),
        })
    }

    fn verify(&self) -> Result<()> {
        let dim = self.space.dim();
        saved::parameters(&self.params)?;
        saved::fits("run", &self.cma, dim)?;
        self.cma.verify_within(self.open)?;
        let lambda = self.cma.distribution().population();
        saved::holds("population", lambda == self.params.lambda(dim), "must be that of the parameters")?;
        self.model.verify(dim, lambda)?;
        saved::count("rounds", self.rounds)?;
        self.best.verify(dim)?;
        saved::shape("x", &self.x, self.fx.len(), dim)?;
        if !self.open {
            return Ok(());
        }
        saved::shape("population", &self.population, lambda, dim)?;
        saved::length("values", &self.values, lambda)?;
        saved::below("evaluated", &self.evaluated, lambda)?;
        let mut seen = vec![false; lambda];
        self.evaluated.iter().for_each(|&i| seen[i] = true);
        let count = seen.iter().filter(|seen| **seen).count();
        saved::holds("evaluated", count == self.evaluated.len() && count < lambda, "must be some of the population")?;
        saved::holds("wanted", self.wanted > count && (self.wanted as u64) < 1 << 48, "must be more than are evaluated")
    }
}

/// Bytes that it takes.
fn memory_of(params: &Params, dim: usize) -> f64 {
    let lambda = params.lambda(dim);
    8.0 * (CmaEs::numbers(&params.of_cma_es(), dim)
        + Surrogate::numbers(dim, lambda)
        + 3.0 * lambda as f64 * dim as f64
        + 5.0 * (dim as f64).powi(2))
}

impl<F: Real> Algorithm<F> for LqCma<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.resize(0, self.space.dim());
        if self.stop_reason().is_some() {
            return;
        }
        assert!(!self.lent, "ask was called twice without tell");
        if !self.open && !self.begin(rng) {
            return;
        }
        let count = self.wanted.max(self.evaluated.len() + self.params.batch).min(self.population.len());
        self.rank();
        self.asked.clear();
        let fresh = self.ranked.1.iter().copied().filter(|i| !self.evaluated.contains(i));
        self.asked.extend(fresh.take(count - self.evaluated.len()));
        self.asked.iter().for_each(|&i| xs.push(self.population.row(i)));
        self.lent = true;
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        assert_eq!(values.len(), self.asked.len(), "tell needs one value for each point asked");
        self.lent = false;
        self.best.keep(xs.rows(), values);
        for ((&i, x), &value) in self.asked.iter().zip(xs.iter()).zip(values) {
            self.population.row_mut(i).copy_from_slice(x);
            self.values[i] = if value.is_nan() { F::infinity() } else { value };
            self.evaluated.push(i);
            self.model.add(x.iter().map(|t| t.f64()), value.f64());
        }
        self.x.copy_from(xs.rows());
        self.fx.clear();
        self.fx.extend_from_slice(values);
        self.rounds += 1;
        let (count, lambda) = (self.evaluated.len(), self.population.len());
        self.model.sort_newest(count);
        let newest = (NEWEST.1 * count as f64).min(NEWEST.2 * lambda as f64) as usize;
        self.model.fit();
        self.tau = self.model.tau(newest.max(NEWEST.0)); // (2)
        if self.tau >= self.params.believe || count == lambda {
            self.close();
        } else {
            self.wanted = count + count.div_ceil(2); // (3)
        }
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn memory(&self) -> f64 {
        memory_of(&self.params, self.space.dim())
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        self.cma.stop_reason()
    }

    fn view(&self) -> View<'_, F> {
        let mut view = View { matrices: vec![("x", self.x.rows())], ..View::default() };
        view.vectors.push(("fx", &self.fx));
        self.cma.distribution().show(&mut view);
        view.numbers.extend([("tau", self.tau), ("known", self.model.len() as f64)]);
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(<Self as Method<F>>::NAME, self, out)
    }
}

/// The doubling populations.
#[derive(Debug, Serialize, Deserialize)]
pub struct LqIpop {
    params: Params,
    dim: usize,
    runs: Runs,
    /// Populations doubled so far.
    k: u32,
}

impl<F: Real> RestartPolicy<F> for LqIpop {
    const NAME: &'static str = "lq_cma_es";
    type Params = Params;
    type Inner = LqCma<F>;

    fn new(params: Params, space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let (name, dim) = (<Self as RestartPolicy<F>>::NAME, space.dim());
        memory::check(name, dim, memory_of(&params, dim))?;
        Ok(LqIpop { dim, runs: Runs::new(name, params.of_cma_es(), dim)?, params, k: 0 })
    }

    fn memory(&self) -> f64 {
        memory_of(&self.params, self.dim)
    }

    fn verify(&self, run: Option<&LqCma<F>>, dim: usize) -> Result<()> {
        saved::parameters(&self.params)?;
        saved::holds("dim", self.dim == dim, "must be that of the space")?;
        self.runs.verify::<F>(None, self.k, dim)?;
        run.map_or(Ok(()), Method::verify)
    }

    fn next(
        &mut self,
        past: Option<&LastRun>,
        space: &Space<F>,
        start: Start,
        _rng: &Rng,
    ) -> Result<Option<NextRun<LqCma<F>>>> {
        self.k = if past.is_some() { self.runs.doubled(self.k) } else { 0 };
        let params = Params { population: Some(self.runs.lambda << self.k), ..self.params.clone() };
        let method = LqCma::new(space, start, None, params)?;
        Ok(Some(NextRun { method, limit: u64::MAX, patience: u64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use swarmgrad_core::{Evaluations, Function, Rng, Run};

    fn ellipsoid(x: &[f64]) -> f64 {
        let turned = |j: usize| 0.8 * (x[j] - 0.7) + 0.6 * (x[(j + 1) % x.len()] - 0.7);
        (0..x.len()).map(|j| 10f64.powf(1.5 * j as f64) * turned(j) * turned(j)).sum()
    }

    fn rough(x: &[f64]) -> f64 {
        x.iter().map(|t| t * t + 10.0 * (1.0 - (6.0 * t).cos())).sum()
    }

    proptest! {
        #[test]
        fn no_point_of_the_ball_is_better(g in prop::collection::vec(-3.0..3.0, 3), h in prop::collection::vec(-3.0..3.0, 9), r in 0.1..4.0) {
            let mut ball = Ball { g: g.clone(), h: h.clone(), ..Ball::default() };
            prop_assert!(ball.step(r));
            let entry = |i: usize, k: usize| h[3 * i.max(k) + i.min(k)];
            let value = |z: &[f64]| {
                (0..3).map(|i| g[i] * z[i] + 0.5 * (0..3).map(|k| z[i] * entry(i, k) * z[k]).sum::<f64>()).sum::<f64>()
            };
            let length = dot(&ball.z, &ball.z).sqrt();
            prop_assert!(length <= r * (1.0 + 1e-9), "{length}");
            let rng = Rng::new(3);
            for i in 0..200 {
                let mut draws = rng.row(i);
                let z: Vec<f64> = (0..3).map(|_| draws.normal()).collect();
                let long = r * draws.uniform().cbrt() / dot(&z, &z).sqrt();
                let z: Vec<f64> = z.iter().map(|t| long * t).collect();
                prop_assert!(value(&ball.z) <= value(&z) + 1e-9, "{} {}", value(&ball.z), value(&z));
            }
        }
    }

    fn run(params: Params, f: impl Fn(&[f64]) -> f64 + Sync, dim: usize, budget: u64, seed: u64) -> (f64, u64) {
        let space = Space::cube(dim, -5.0, 5.0).unwrap();
        let mut method = LqCmaEs::<f64>::new(&space, Start::Uniform, None, params).unwrap();
        let outcome = Run::new(&Function::new(space, f), &mut method, seed).watch(&mut Evaluations(budget)).minimize();
        (outcome.fun, outcome.nfev)
    }

    #[test]
    fn a_quadratic_is_solved_when_the_model_is_whole() {
        // 31 points for the full model of five variables.
        let solved = (0..11).filter(|&seed| run(Params::default(), ellipsoid, 5, 40, seed).0 < 1e-8).count();
        assert!(solved >= 10, "{solved} of 11");
        // Where the model is never believed, and in rounds of eight points, it takes longer.
        let never = Params { believe: 2.0, ..Params::default() };
        assert!((0..5).all(|seed| run(never.clone(), ellipsoid, 5, 31, seed).0 > 1e-8));
        let batched = Params { batch: 8, ..Params::default() };
        assert!((0..5).all(|seed| run(batched.clone(), ellipsoid, 5, 80, seed).0 < 1e-8));
    }

    #[test]
    fn the_budget_is_used_and_failures_are_borne() {
        let odd = |x: &[f64]| match x {
            [a, ..] if *a > 3.0 => f64::NAN,
            [_, b, ..] if *b > 3.0 => f64::INFINITY,
            [_, _, c] if *c > 3.0 => -f64::INFINITY,
            _ => rough(x),
        };
        for f in [|_: &[f64]| 3.0, |_: &[f64]| f64::NAN, rough, odd, |x: &[f64]| x[0], |x: &[f64]| x[0].floor()] {
            assert_eq!(run(Params::default(), f, 3, 3_000, 2).1, 3_000);
        }
    }

    #[test]
    fn a_state_within_an_iteration_is_gone_on_with() {
        let space = Space::cube(4, -5.0, 5.0).unwrap();
        let mut method = LqCmaEs::<f64>::new(&space, Start::Uniform, None, Params::default()).unwrap();
        let (rng, mut xs, mut open) = (Rng::new(5), Matrix::default(), 0);
        for round in 0..150 {
            if round > 0 {
                let mut state = Vec::new();
                let mut other = Matrix::default();
                method.save(&mut state).unwrap();
                let mut again: LqCmaEs<f64> = postcard::from_bytes(&state).unwrap();
                again.verify().unwrap();
                again.ask(&rng.at(round), &mut xs);
                method.ask(&rng.at(round), &mut other);
                assert_eq!(xs.data(), other.data(), "round {round}");
                open += usize::from(again.run().is_some_and(|run| !run.evaluated.is_empty()));
                method = again;
            } else {
                method.ask(&rng.at(round), &mut xs);
            }
            let values: Vec<f64> = xs.iter().map(rough).collect();
            method.tell(&mut xs, &values);
        }
        assert!(open > 20, "{open} of 150 rounds begin within an iteration");
    }
}
