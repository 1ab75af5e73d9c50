//! Methods that sample from a distribution and move it towards the better points: evolution strategies.
//!
//! [`Samples`] does ask and tell, bounds, the start and points improved in between once; a method is a [`Distribution`]:
//! how it samples and how it learns from the order of the values.
//!
//! **Coordinates.** Methods work on all of R^d, in coordinates in which the initial distribution is round; the rest is
//! the business of a chart. A variable that has two finite bounds starts with the deviation `sigma` times its
//! width, any other with the deviation of the start's law ([`Start::Normal`]; else 1) times `sigma` over its default; with
//! [`Start::Normal`] the law holds for every variable. The widest of these deviations is the initial step-size, the
//! others are ratios to it, so that in a cube a method's coordinates are those of the problem.
//!
//! **Bounds.** CMA-ES, full and separable, xNES and CR-FM-NES walk in a landscape that goes on smoothly beyond a bound, for a hundredth
//! of the width, and turns back (`chart`). They draw a step that leads beyond that anew, up to three times; steps stand. The others, whose
//! samples come in pairs or together make one estimate, clamp a point, and its step becomes the one that leads there. The space may say
//! otherwise ([`Space::with_outside`]).
//!
//! **Whole variables, choices, flags** keep a margin (`margin`): none of their values ever becomes improbable.
//!
//! **Start.** The first point asked is the initial mean, the first point of the start's law; further points given by
//! [`Start::Points`] follow it. The answer is the mean.

pub mod bipop_cma_es;
mod chart;
pub mod cma_es;
pub mod cr_fm_nes;
pub mod ipop_cma_es;
pub mod lq_cma_es;
mod margin;
pub mod open_es;
pub mod pgpe;
pub mod sep_cma_es;
pub mod snes;
mod stop;
mod surrogate;
pub mod xnes;

use crate::method::Method;
use crate::parameters::Parameters;
use crate::saved;
use chart::{Chart, Placed};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{
    Algorithm, ByScalar, Draws, Matrix, Outside, Part, Real, Reason, Result, Rng, Space, Start, View, math, memory,
    save_state, sort_indices,
};

/// A search distribution on R^d: x = mean + unit * step, steps drawn around 0.
pub trait Distribution: Send + Sync + Sized + Serialize + DeserializeOwned + 'static {
    /// The method's name: file, registry entry, command line, Python.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Parameters;
    /// The spread that stands for the deviation of the start's law.
    const USUAL: f64 = 0.3;
    /// How often a step that leads outside is drawn anew before its point is mirrored.
    const REDRAWS: usize = 0;
    /// Whether the landscape goes on smoothly beyond the bounds, where the space does not say otherwise; else points are clamped.
    const BENT: bool = false;

    /// Numbers that it takes in `dim` dimensions, with points and steps.
    fn numbers(params: &Self::Params, dim: usize) -> f64;

    /// The method with checked parameters, in `dim` dimensions; allocates nothing large.
    fn new(params: Self::Params, dim: usize) -> Result<Self>;

    /// Points an iteration.
    fn population(&self) -> usize;

    /// Initial deviation as a share of the width of the box.
    fn spread(&self) -> f64;

    /// Sets the initial mean and the initial deviation, the same in every coordinate.
    fn begin(&mut self, mean: Vec<f64>, deviation: f64);

    /// The mean.
    fn mean(&self) -> &[f64];

    /// The mean, to be moved between `update` and `sample`.
    fn mean_mut(&mut self) -> &mut [f64];

    /// The covariance of two coordinates of a point.
    fn covariance(&self, j: usize, k: usize) -> f64;

    /// The length of a step of 1.
    fn unit(&self) -> f64 {
        1.0
    }

    /// Draws the steps of an iteration, one a row.
    fn sample(&mut self, rng: &Rng, steps: &mut Matrix<f64>);

    /// Draws the step of one row of the last sample anew.
    fn redraw(&mut self, _draws: &mut Draws<'_>, _row: usize, _step: &mut [f64]) {}

    /// Learns from what was told.
    fn update(&mut self, told: Told<'_>);

    /// Why the method has ended, if it has.
    fn stop_reason(&self) -> Option<Reason> {
        None
    }

    /// Whether a state that was read back fits together in `dim` dimensions; `begun` after at least a round.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify(&self, dim: usize, begun: bool) -> Result<()>;

    /// Shows state under the symbols of the paper.
    fn show<'a, F: Real>(&'a self, _view: &mut View<'a, F>) {}
}

/// A distribution that gradients can steer: the normal distribution of mean m and covariance C.
pub trait Steered: Distribution {
    /// Moves the mean there and multiplies the deviations: what a gradient adds to the method's own learning.
    fn steer(&mut self, mean: &[f64], growth: f64);

    /// Writes C g.
    fn multiply(&self, g: &[f64], out: &mut [f64]);

    /// Writes the variances of the coordinates, the diagonal of C.
    fn variances(&self, out: &mut [f64]);
}

/// An evaluated population.
#[derive(Debug)]
pub struct Told<'a> {
    /// The steps, one a row, as [`Distribution::sample`] drew them but for the rows `changed`.
    pub steps: &'a mut Matrix<f64>,
    /// Their values; a failure is +inf.
    pub values: &'a [f64],
    /// Rows from best to worst.
    pub order: &'a [usize],
    /// Rows whose step did not come from the distribution: given points, points brought back inside the space, and points
    /// improved by the caller.
    pub changed: &'a [usize],
}

/// Numbers that a population takes: points here and with the caller, steps, draws.
fn points(particles: usize, dim: usize) -> f64 {
    7.0 * particles as f64 * dim as f64
}

/// The numbers of a matrix of variables by variables.
fn square(dim: usize) -> f64 {
    (dim as f64).powi(2)
}

/// A distribution as an [`Algorithm`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Samples<F: Real, D: Distribution> {
    space: Space<F>,
    start: Start,
    /// Bytes that it takes; 0 where it has been read back and has taken them.
    #[serde(skip)]
    memory: f64,
    distribution: D,
    chart: Chart,
    /// Whether nobody chose what becomes of points outside, and the method prefers bounds that are bent.
    bent: bool,
    /// The points of the last ask, after `tell` as they came back.
    x: Matrix<F>,
    fx: Vec<f64>,
    steps: Matrix<f64>,
    rounds: u64,
    lent: bool,
    /// The distribution has left the numbers or has shrunk to a point.
    broken: Option<Reason>,
    placed: Vec<Placed>,
    #[serde(skip)]
    order: Vec<usize>,
    #[serde(skip)]
    changed: Vec<usize>,
}

impl<F: Real, D: Distribution> Samples<F, D> {
    /// The search distribution.
    pub fn distribution(&self) -> &D {
        &self.distribution
    }

    /// The search distribution, to be steered between `tell` and `ask`.
    pub fn distribution_mut(&mut self) -> &mut D {
        &mut self.distribution
    }

    /// Factors from the method's coordinates to those of the space.
    pub fn scale(&self) -> &[f64] {
        self.chart.scale()
    }

    /// The steps of the last ask, one a row; after it alone, those that the bounds corrected lead to the corrected points.
    pub fn steps(&self) -> &Matrix<f64> {
        &self.steps
    }

    /// Rounds that were told.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// The rows of the last population from best to worst.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Sets up the distribution around the start's first point; returns the points that are evaluated first.
    fn begin(&mut self, rng: &Rng) -> Matrix<F> {
        let given = match &self.start {
            Start::Points(points) => points.len().clamp(1, self.distribution.population()),
            _ => 1,
        };
        let mut first = Matrix::default();
        self.start.fill(&self.space, rng, given, &mut first);
        let (chart, deviation) = Chart::new(&self.space, &self.start, self.distribution.spread(), D::USUAL, self.bent);
        self.chart = chart;
        let mean = first.row(0).iter().enumerate().map(|(j, x)| self.chart.inward(j, x.f64())).collect();
        self.distribution.begin(mean, deviation);
        first
    }

    /// Point `i` did not come from the distribution: its step is the one that leads there.
    fn take_over(&mut self, i: usize) {
        let (mean, unit) = (self.distribution.mean(), self.distribution.unit());
        for (j, (step, x)) in self.steps.row_mut(i).iter_mut().zip(self.x.row(i)).enumerate() {
            *step = (self.chart.inward(j, x.f64()) - mean[j]) / unit;
        }
        self.placed[i] = Placed::Repaired;
    }

    /// Draws steps that lead outside anew, a few times; the first `given` rows are not needed.
    fn redraw(&mut self, rng: &Rng, given: usize) {
        if D::REDRAWS == 0 || self.space.is_unbounded() || self.space.outside() != Outside::Reflect {
            return;
        }
        let again = rng.fork("again");
        for (i, step) in self.steps.iter_mut().enumerate().skip(given) {
            let mut draws = again.row(i);
            for _ in 0..D::REDRAWS {
                let (mean, unit) = (self.distribution.mean(), self.distribution.unit());
                if self.chart.holds(&self.space, mean, unit, step) {
                    break;
                }
                self.distribution.redraw(&mut draws, i, step);
            }
        }
    }

    /// Writes the points of the steps.
    fn place(&mut self, rng: &Rng) {
        let (chart, space) = (&self.chart, &self.space);
        let (mean, unit) = (self.distribution.mean(), self.distribution.unit());
        let (n, dim) = (self.steps.len(), self.steps.dim());
        self.x.resize(n, dim);
        self.placed.resize(n, Placed::Inside);
        let outside = rng.fork("outside");
        type Row<'a, F> = ((&'a mut [F], &'a mut [f64]), &'a mut Placed);
        let point = |(i, ((x, step), placed)): (usize, Row<'_, F>)| {
            *placed = chart.place(space, mean, unit, step, x, || outside.row(i));
        };
        if n * dim >= crate::linear::rows::MANY && rayon::current_thread_index().is_some() {
            let rows = self.x.data_mut().par_chunks_exact_mut(dim).zip(self.steps.data_mut().par_chunks_exact_mut(dim));
            rows.zip(&mut self.placed).enumerate().for_each(point);
        } else {
            self.x.iter_mut().zip(self.steps.iter_mut()).zip(&mut self.placed).enumerate().for_each(point);
        }
    }

    /// Whether a state that was read back fits together, between two rounds or, `lent`, within one.
    pub(crate) fn verify_within(&self, lent: bool) -> Result<()> {
        let (n, dim) = (self.fx.len(), self.space.dim());
        self.start.check(&self.space)?;
        saved::holds("phase", self.lent == lent, "must be that between two rounds")?;
        saved::count("rounds", self.rounds)?;
        let (population, begun) = (self.distribution.population(), self.rounds > 0);
        let asked = lent && self.broken.is_none();
        let rows = if asked { population } else { n };
        saved::shape("x", &self.x, rows, dim)?;
        saved::shape("steps", &self.steps, rows, dim)?;
        saved::holds("placed", !asked || self.placed.len() == rows, "must be one a point")?;
        saved::holds("population", population > 1, "must be at least 2")?;
        self.distribution.verify(dim, begun || asked)?;
        if begun || asked {
            saved::holds("scale", self.chart.fits(dim), "must be one a variable")?;
            saved::length("mean", self.distribution.mean(), dim)?;
        }
        if !begun {
            memory::check(D::NAME, dim, 8.0 * points(population, dim))?;
            return saved::holds("values", n == 0, "must be none before the first round");
        }
        saved::holds("values", n == population, "must be one a point")
    }

    /// Whether all variables are; else points that mean the same are no sign of an end.
    fn is_continuous(&self) -> bool {
        self.space.parts().all(|part| matches!(part, Part::Continuous(_)))
    }

    /// Why the points cannot be used: not all are finite, or all are the same.
    fn trouble(&self) -> Option<Reason> {
        let first = self.x.row(0);
        let why = if self.placed.contains(&Placed::Lost) {
            "the distribution has left the range of numbers"
        } else if self.x.len() > 1 && self.x.iter().all(|x| x == first) && self.is_continuous() {
            "the distribution has shrunk to a point"
        } else {
            return None;
        };
        Some(Reason::Method(why.into()))
    }
}

impl<F: Real, D: Distribution> Method<F> for Samples<F, D> {
    const NAME: &'static str = D::NAME;
    type Params = D::Params;

    fn new(space: &Space<F>, start: Start, _budget: Option<u64>, params: D::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let memory = 8.0 * D::numbers(&params, space.dim());
        memory::check(D::NAME, space.dim(), memory)?;
        let distribution = D::new(params, space.dim())?;
        Ok(Samples {
            bent: D::BENT && space.chosen_outside().is_none(),
            space: space.clone().or_outside(if D::BENT { Outside::Reflect } else { Outside::Clamp }),
            start,
            memory,
            distribution,
            chart: Chart::default(),
            x: Matrix::default(),
            fx: Vec::new(),
            steps: Matrix::default(),
            rounds: 0,
            lent: false,
            broken: None,
            placed: Vec::new(),
            order: Vec::new(),
            changed: Vec::new(),
        })
    }

    fn verify(&self) -> Result<()> {
        // What has ended while it moved is not asked again.
        self.verify_within(self.lent && self.stop_reason().is_some())
    }
}

impl<F: Real, D: Distribution> Algorithm<F> for Samples<F, D> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        if self.stop_reason().is_some() {
            xs.clear();
            return;
        }
        assert!(!self.lent, "ask was called twice without tell");
        let first = (self.rounds == 0).then(|| self.begin(rng));
        self.steps.resize(self.distribution.population(), self.space.dim());
        self.distribution.sample(rng, &mut self.steps);
        self.redraw(rng, first.as_ref().map_or(0, Matrix::len));
        // What `xs` holds means nothing; the last points are needed where the new ones are lost.
        std::mem::swap(&mut self.x, xs);
        self.place(rng);
        if let Some(first) = first {
            for (i, point) in first.iter().enumerate() {
                self.x.row_mut(i).copy_from_slice(point);
                self.take_over(i);
            }
        } else {
            self.broken = self.trouble();
        }
        if self.broken.is_none() {
            xs.copy_from(self.x.rows());
            self.lent = true;
        } else {
            std::mem::swap(&mut self.x, xs);
            xs.clear();
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        assert_eq!(values.len(), self.x.len(), "tell needs one value for each point asked");
        self.lent = false;
        std::mem::swap(&mut self.x, xs);
        for i in 0..self.x.len() {
            if self.x.row(i) != xs.row(i) {
                self.take_over(i);
            }
        }
        self.changed.clear();
        self.changed.extend((0..self.x.len()).filter(|&i| self.placed[i] != Placed::Inside));
        self.fx.clear();
        self.fx.extend(values.iter().map(|f| if f.is_nan() { f64::INFINITY } else { f.f64() }));
        sort_indices(&self.fx, &mut self.order);
        let (steps, values, order, changed) = (&mut self.steps, &self.fx[..], &self.order[..], &self.changed[..]);
        self.distribution.update(Told { steps, values, order, changed });
        margin::keep(&self.space, &mut self.chart, &mut self.distribution);
        self.rounds += 1;
    }

    fn answer(&self) -> Vec<F> {
        let (rng, mut answer) = (Rng::new(0), vec![F::zero(); self.space.dim()]);
        let mut still = vec![0.0; answer.len()];
        let placed =
            self.chart.place(&self.space, self.distribution.mean(), 0.0, &mut still, &mut answer, || rng.row(0));
        // The mean of a distribution that left the numbers says nothing: the best of the last points stands in, or any of them.
        let best = || swarmgrad_core::best_index(&self.fx).into_iter().chain(0..self.x.len());
        let told = || best().map(|i| self.x.row(i)).find(|x| self.space.contains(x));
        match placed {
            Placed::Lost => told().map_or(answer, <[F]>::to_vec),
            _ => answer,
        }
    }

    fn memory(&self) -> f64 {
        self.memory
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        self.broken.clone().or_else(|| self.distribution.stop_reason())
    }

    fn view(&self) -> View<'_, F> {
        let mut view = View { matrices: vec![("x", self.x.rows())], ..View::default() };
        view.vectors.extend(seen("fx", &self.fx));
        self.distribution.show(&mut view);
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(D::NAME, self, out)
    }
}

/// Numbers of the state, which is in double precision, as numbers of a scalar.
struct Seen;

impl ByScalar for Seen {
    type Of<F: Real> = for<'a> fn(&'a [f64]) -> Option<&'a [F]>;
}

/// A vector for a view; a view in single precision does not have it.
fn seen<'a, F: Real>(name: &'static str, values: &'a [f64]) -> Option<(&'static str, &'a [F])> {
    F::choose::<Seen>(|_| None, |values| Some(values))(values).map(|values| (name, values))
}

/// The factor that shortens a step from outside the distribution, of this Mahalanobis length, to sqrt(n) + 2 n / (n + 2).
fn shortening(length: f64, dim: usize) -> f64 {
    let n = dim as f64;
    let longest = n.sqrt() + 2.0 * n / (n + 2.0);
    if length > longest { longest / length } else { 1.0 }
}

/// 4 + floor(3 ln d): the population of CMA-ES and of the natural evolution strategies.
pub fn usual_population(dim: usize) -> usize {
    4 + (3.0 * math::ln(dim as f64)) as usize
}

/// u_k of the natural evolution strategies: max(0, ln(lambda / 2 + 1) - ln k), their sum 1, less 1 / lambda.
fn natural_weights(lambda: usize) -> Vec<f64> {
    let raw = raw_natural_weights(lambda);
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|u| u / sum - 1.0 / lambda as f64).collect()
}

/// max(0, ln(lambda / 2 + 1) - ln k) for k = 1, .., lambda.
fn raw_natural_weights(lambda: usize) -> Vec<f64> {
    (1..=lambda).map(|k| (math::ln(0.5 * lambda as f64 + 1.0) - math::ln(k as f64)).max(0.0)).collect()
}

/// Centred ranks: 1/2 for the best of n, -1/2 for the worst.
fn centred_ranks(n: usize) -> Vec<f64> {
    (0..n).map(|k| 0.5 - k as f64 / (n as f64 - 1.0)).collect()
}

/// Fills the matrix with standard normals, pairs of rows in parallel where that is worth it.
fn draw_normals(rng: &Rng, out: &mut Matrix<f64>) {
    let (n, dim) = (out.len(), out.dim());
    crate::linear::rows::each_chunk_of_two(out.data_mut(), dim, |i, rows| {
        rng.fill_normal(i..(i + 2).min(n), 0..dim, rows)
    });
}

/// Mirrored sampling: rows 2 k and 2 k + 1 become plus and minus row k of the draws; of an odd number the last has no mirror.
fn draw_mirrored(rng: &Rng, draws: &mut Matrix<f64>, out: &mut Matrix<f64>) {
    draws.resize(out.len().div_ceil(2), out.dim());
    draw_normals(rng, draws);
    for (i, row) in out.iter_mut().enumerate() {
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        row.iter_mut().zip(draws.row(i / 2)).for_each(|(t, z)| *t = sign * z);
    }
}

/// E |N(0, I)| in d dimensions, to 1e-4.
fn expected_norm(dim: usize) -> f64 {
    let n = dim as f64;
    n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n))
}
