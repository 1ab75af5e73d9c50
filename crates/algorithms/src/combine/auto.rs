//! auto: a portfolio that spends a budget, known or unknown, by what it sees. The default of `minimize`.
//!
//! Lanes, each a method of its own, and what opens them:
//!
//! ```text
//! start        the given points, else the middle of the box
//! descent      quasi-Newton from the start; later from new points        smooth functions, many separate basins
//! probe        f(x + u) + f(x) = f(x + u_S) + f(x + u_S')  for log2 d    2 log2 d + 1 points, after STEPS steps of the first
//!              ways to split u into halves S, S'                         descent
//! coordinates  coordinate search from the best point                     where every split of the probe adds up
//! sample       CMA-ES from the best point, then with doubled populations what is rugged, or has basins within a basin
//! dive         quasi-Newton from the best point of the CMA-ES run        finishes what CMA-ES would converge to slowly
//! ```
//!
//! Until the first descent has ended it alone is at work (but for the probe). From then on descents from new points and CMA-ES
//! share the evaluations: each lane has a clock that an evaluation advances by 1 / share, and the lane whose clock is behind
//! goes on. The shares follow the credit: half and half while the best point is a descent's and that of the first descent was
//! smooth, else nearly all for CMA-ES. Where the first descent ended on smooth ground, what is left is a matter of basins and
//! the first population is three times the usual one. A descent from a new point is given up when ten times its model's
//! predicted gain would not reach the best value. With more than one worker, all lanes that are open ask in the same round.
//!
//! Papers: Hansen, "Benchmarking a bi-population CMA-ES on the BBOB-2009 function testbed" (GECCO 2009), for restarts;
//! Baudis and Posik, "Online black-box algorithm portfolios for continuous optimization" (PPSN 2014), for portfolios; Loshchilov,
//! Schoenauer and Sebag, "Bi-population CMA-ES algorithms with surrogate models and line searches" (GECCO 2013), for a portfolio
//! of CMA-ES with line searches on separable functions. The combination and its numbers are our own, found by experiment on
//! BBOB, instances 1 to 3, 5 to 20 variables.

use crate::distribution::Distribution;
use crate::distribution::cma_es::{self, Cma};
use crate::local::coordinate_search::{self, CoordinateSearch};
use crate::local::quasi_newton::{self, QuasiNewton};
use crate::local::{Local, Walk};
use crate::parameters::{Parameters, parameters};
use crate::registry::Method;
use crate::tune;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Algorithm, Matrix, Real, Result, Rng, Rows, Space, Start, View, better};

parameters! {
    /// Parameters of [`Auto`].
    pub struct Params {
        /// Points that can be evaluated at the same time. With more than one, several lanes ask in one round.
        workers "": usize = 1, AtLeast(1.0);
        /// Initial deviation of CMA-ES as a share of the width of the box.
        sigma "sigma(0)": f64 = 0.2, Above(0.0);
    }
}

/// Steps of the first descent before the probe for separability.
const STEPS: u64 = 3;
/// The first population of CMA-ES over the usual one, after a smooth and after a rugged end of the first descent.
const POPULATION: [f64; 2] = [3.0, 1.5];
/// Share of descents while one of them holds the best point, on smooth and on rugged ground, and while none does.
const SHARE: [f64; 3] = [0.5, 0.15, 0.1];
/// A descent is given up when so many times its predicted gain would not be enough, after this many steps.
const HOPE: f64 = 10.0;
const PATIENCE: u64 = 6;
/// A dive follows when the step-size of CMA-ES has fallen by this factor.
const DEPTH: f64 = 0.1;

/// A part of the portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Lane {
    Start,
    Descent,
    Probe,
    Coordinates,
    Sample,
    Dive,
}

const NAMES: [&str; 6] = ["start", "descent", "probe", "coordinates", "sample", "dive"];

/// What a lane has spent and brought.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Account {
    runs: u64,
    evaluations: u64,
    /// Evaluations weighted by the share at the time.
    clock: f64,
}

/// What kind of function it is, as far as is known.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Findings {
    separable: Option<bool>,
    /// Whether the first descent ended where values are smooth; none while it goes on.
    smooth: Option<bool>,
}

/// The portfolio.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Auto<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    descent: Local<F, QuasiNewton>,
    dive: Local<F, QuasiNewton>,
    coordinates: Local<F, CoordinateSearch>,
    sample: Option<Cma<F>>,
    /// The streams of the present descent and CMA-ES run.
    labels: [String; 2],
    /// The present CMA-ES run: its population, its best point and value, whether that is new since the last dive.
    population: usize,
    run_best: Vec<F>,
    run_value: F,
    fresh: bool,
    /// Step-size of the run at the last dive, else at its beginning.
    unit: f64,
    /// Who asked in this round, for how many rows each.
    asked: Vec<(Lane, usize)>,
    findings: Findings,
    accounts: [Account; 6],
    rounds: u64,
    best: Vec<F>,
    value: F,
    finder: Lane,
    found: u64,
    evaluations: u64,
    x: Matrix<F>,
    part: Matrix<F>,
}

impl<F: Real> Method<F> for Auto<F> {
    const NAME: &'static str = "auto";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let descent = || Local::new(space, Start::Uniform, budget, quasi_newton::Params::default());
        Ok(Auto {
            descent: descent()?,
            dive: descent()?,
            coordinates: Local::new(space, Start::Uniform, budget, coordinate_search::Params::default())?,
            sample: None,
            labels: [String::new(), String::new()],
            population: 0,
            run_best: Vec::new(),
            run_value: F::infinity(),
            fresh: false,
            unit: 0.0,
            asked: Vec::with_capacity(NAMES.len()),
            params,
            space: space.clone(),
            start,
            findings: Findings { separable: (space.dim() == 1).then_some(true), smooth: None },
            accounts: [Account::default(); 6],
            rounds: 0,
            best: Vec::new(),
            value: F::infinity(),
            finder: Lane::Start,
            found: 0,
            evaluations: 0,
            x: Matrix::default(),
            part: Matrix::default(),
        })
    }
}

impl<F: Real> Auto<F> {
    fn account(&self, lane: Lane) -> &Account {
        &self.accounts[lane as usize]
    }

    /// The share of descents from new points.
    fn share(&self) -> f64 {
        match self.finder {
            Lane::Sample | Lane::Dive => tune("SH2", SHARE[2]),
            _ if self.findings.smooth == Some(true) => tune("SH0", SHARE[0]),
            _ => tune("SH1", SHARE[1]),
        }
    }

    /// The lane of the next round, opened if need be.
    fn choose(&mut self) -> Lane {
        if !self.value.is_finite() {
            return Lane::Start;
        }
        if self.account(Lane::Descent).runs == 0 {
            self.descent.launch(&self.best, self.value);
            self.accounts[Lane::Descent as usize].runs = 1;
        }
        if self.findings.smooth.is_none() {
            let over = self.descent.why().is_some();
            if self.findings.separable.is_none() && (over || self.descent.iterations() >= STEPS) {
                return Lane::Probe;
            }
            if self.findings.separable == Some(true) {
                if let Some(lane) = self.coordinate_lane() {
                    return lane;
                }
            }
            if !over {
                return Lane::Descent;
            }
            self.findings.smooth = Some(self.descent.walk().is_settled());
        }
        if self.account(Lane::Dive).runs > 0 && self.dive.why().is_none() && !self.is_hopeless(&self.dive) {
            return Lane::Dive;
        }
        if self.account(Lane::Descent).clock < self.account(Lane::Sample).clock {
            self.open_descent();
            return Lane::Descent;
        }
        if !self.open_sample() && self.may_dive() {
            self.dive.launch(&self.run_best, self.run_value);
            self.accounts[Lane::Dive as usize].runs += 1;
            self.unit = self.sample.as_ref().map_or(0.0, |run| run.distribution().unit());
            self.fresh = false;
            return Lane::Dive;
        }
        Lane::Sample
    }

    /// The coordinate search while it lasts; none when it is over.
    fn coordinate_lane(&mut self) -> Option<Lane> {
        if self.account(Lane::Coordinates).runs == 0 {
            self.coordinates.launch(&self.best, self.value);
            self.accounts[Lane::Coordinates as usize].runs = 1;
        }
        let goes_on = self.coordinates.why().is_none() && self.coordinates.walk().is_separable();
        goes_on.then_some(Lane::Coordinates)
    }

    /// Whether the CMA-ES run has drawn in far enough since the last dive, and has found something better.
    fn may_dive(&self) -> bool {
        let unit = self.sample.as_ref().map_or(f64::INFINITY, |run| run.distribution().unit());
        self.fresh && self.run_value.is_finite() && unit < tune("DSIG", 0.1) * self.unit
    }

    /// Whether the descent is not going to reach the best value.
    fn is_hopeless(&self, descent: &Local<F, QuasiNewton>) -> bool {
        let (_, f) = descent.walk().place();
        descent.iterations() >= tune("HSTEPS", PATIENCE as f64) as u64 && f - tune("HOPE", HOPE) * (f - descent.walk().expected()) > self.value.f64()
    }

    /// The law of later starts.
    fn anywhere(&self) -> Start {
        match &self.start {
            Start::Points(_) => Start::Uniform,
            law => law.clone(),
        }
    }

    /// A descent that goes on: from a new point where the last one has ended or is hopeless.
    fn open_descent(&mut self) {
        let over = self.descent.why().is_some() || self.account(Lane::Descent).runs > 1 && self.is_hopeless(&self.descent);
        if !over {
            return;
        }
        let runs = &mut self.accounts[Lane::Descent as usize].runs;
        self.labels[0] = format!("descent{runs}");
        *runs += 1;
        let start = self.anywhere();
        if let Ok(descent) = Local::new(&self.space, start, None, quasi_newton::Params::default()) {
            self.descent = descent;
        }
    }

    /// A run of CMA-ES that goes on; whether it is a new one.
    fn open_sample(&mut self) -> bool {
        if self.sample.as_ref().is_some_and(|run| run.why().is_none()) {
            return false;
        }
        let runs = self.account(Lane::Sample).runs;
        let dim = self.space.dim();
        let usual = 4.0 + (3.0 * (dim as f64).ln()).floor();
        let p = [tune("P0", POPULATION[0]), tune("P1", POPULATION[1])];
        let first = p[usize::from(self.findings.smooth != Some(true))] * usual;
        let fits = |population: usize| population.saturating_mul(dim) <= 1 << 24;
        let doubled = 2 * self.population;
        self.population = if runs == 0 || !fits(doubled) { first as usize } else { doubled };
        let start = if runs == 0 || tune("FB", 0.0) > 0.0 {
            Start::Points(vec![self.best.iter().map(|t| t.f64()).collect()])
        } else {
            self.anywhere()
        };
        let params = cma_es::Params {
            particles: Some(self.population),
            sigma: tune("SIG", self.params.sigma),
            ..cma_es::Params::default()
        };
        self.sample = Cma::new(&self.space, start, None, params).ok();
        self.labels[1] = format!("sample{runs}");
        self.accounts[Lane::Sample as usize].runs += 1;
        (self.run_value, self.fresh, self.unit) = (F::infinity(), false, 0.0);
        true
    }

    /// The first points: those given, else the middle of the box; where none of them has a finite value, others.
    fn ask_start(&self, rng: &Rng, xs: &mut Matrix<F>) {
        let given = match &self.start {
            Start::Points(points) if self.rounds == 0 => points.len().max(1),
            _ => 1,
        };
        let law = if self.rounds == 0 { self.start.clone() } else { self.anywhere() };
        law.fill(&self.space, rng, given, xs);
        if self.rounds == 0 && self.start == Start::Uniform {
            for (j, t) in xs.row_mut(0).iter_mut().enumerate() {
                let middle = F::of(0.5) * self.space.lower()[j] + F::of(0.5) * self.space.upper()[j];
                *t = if middle.is_finite() { middle } else { *t };
            }
        }
    }

    /// A move u of all variables, and for each split of them the two moves of its halves.
    fn ask_probe(&self, rng: &Rng, xs: &mut Matrix<F>) {
        let dim = self.space.dim();
        let rng = rng.fork("probe");
        let mut draws = rng.row(0);
        let mut moved = self.best.clone();
        for (j, t) in moved.iter_mut().enumerate() {
            let (lo, hi) = (self.space.lower()[j], self.space.upper()[j]);
            let width = if (hi - lo).is_finite() { hi - lo } else { F::one().max(t.abs()) };
            let length = F::of(0.1 + 0.2 * draws.uniform()) * width;
            let up = draws.uniform() < 0.5;
            let up = if *t + length > hi { false } else { up || *t - length < lo };
            *t = if up { *t + length } else { *t - length }.max(lo).min(hi);
        }
        let mut order: Vec<usize> = (0..dim).collect();
        draws.shuffle(&mut order);
        xs.resize(0, dim);
        xs.push(&moved);
        for split in 0..usize::BITS - (dim - 1).leading_zeros() {
            for half in 0..2 {
                xs.push(&self.best);
                let last = xs.len() - 1;
                for (k, &j) in order.iter().enumerate().filter(|(k, _)| (k >> split) & 1 == half) {
                    let _ = k;
                    xs.row_mut(last)[j] = moved[j];
                }
            }
        }
    }

    /// Whether every split adds up.
    fn tell_probe(&mut self, before: f64, values: &[F]) {
        let whole = values[0].f64();
        let adds_up = values[1..].chunks_exact(2).all(|pair| {
            let (a, b) = (pair[0].f64(), pair[1].f64());
            let gap = ((whole + before) - (a + b)).abs();
            gap <= 1e4 * F::epsilon().f64() * (before.abs() + whole.abs() + a.abs() + b.abs())
        });
        self.findings.separable = Some(adds_up);
    }

    fn ask_lane(&mut self, lane: Lane, rng: &Rng, xs: &mut Matrix<F>) {
        match lane {
            Lane::Start => self.ask_start(&rng.fork("auto"), xs),
            Lane::Descent => self.descent.ask(&rng.fork(&self.labels[0]), xs),
            Lane::Probe => self.ask_probe(rng, xs),
            Lane::Coordinates => self.coordinates.ask(rng, xs),
            Lane::Sample => {
                if let Some(run) = &mut self.sample {
                    run.ask(&rng.fork(&self.labels[1]), xs);
                }
            }
            Lane::Dive => self.dive.ask(rng, xs),
        }
    }

    /// Takes over the best of the rows told, which begin at row `from`.
    fn keep_best(&mut self, lane: Lane, from: usize, values: &[F]) {
        let found = self.evaluations;
        for (k, &value) in values.iter().enumerate() {
            self.evaluations += 1;
            if better(value, self.value) || self.best.is_empty() {
                self.value = if value.is_nan() { F::infinity() } else { value };
                self.best.clear();
                self.best.extend_from_slice(self.x.row(from + k));
                (self.finder, self.found) = (lane, found + k as u64 + 1);
            }
        }
    }

    fn tell_lane(&mut self, lane: Lane, before: F, xs: &mut Matrix<F>, values: &[F]) {
        let (asked, share) = (values.len() as u64, self.share());
        let account = &mut self.accounts[lane as usize];
        account.evaluations += asked;
        match lane {
            Lane::Start => {}
            Lane::Probe => self.tell_probe(before.f64(), values),
            Lane::Coordinates => self.coordinates.tell(xs, values),
            Lane::Descent => {
                account.clock += if self.findings.smooth.is_some() { asked as f64 / share } else { 0.0 };
                self.descent.tell(xs, values);
            }
            Lane::Dive => {
                self.accounts[Lane::Sample as usize].clock += asked as f64 / (1.0 - share);
                self.dive.tell(xs, values);
            }
            Lane::Sample => {
                account.clock += asked as f64 / (1.0 - share);
                if let (0.0, Some(run)) = (self.unit, &self.sample) {
                    self.unit = run.distribution().unit();
                }
                for (x, &value) in xs.iter().zip(values) {
                    if value < self.run_value {
                        (self.run_value, self.fresh) = (value, true);
                        self.run_best.clear();
                        self.run_best.extend_from_slice(x);
                    }
                }
                if let Some(run) = &mut self.sample {
                    run.tell(xs, values);
                }
            }
        }
    }
}

impl<F: Real> Algorithm<F> for Auto<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.resize(0, self.space.dim());
        self.asked.clear();
        // A lane may notice only when asked that it is over; then another one is chosen.
        for _ in 0..8 {
            let lane = self.choose();
            self.ask_lane(lane, rng, xs);
            if !xs.is_empty() {
                self.asked.push((lane, xs.len()));
                break;
            }
        }
        // Workers that would be idle: the other lane goes on as well.
        if self.findings.smooth.is_some() && xs.len() < self.params.workers {
            let other = if self.asked.iter().any(|(lane, _)| *lane == Lane::Descent) { Lane::Sample } else { Lane::Descent };
            let mut part = std::mem::take(&mut self.part);
            part.resize(0, self.space.dim());
            if other == Lane::Descent { self.open_descent() } else { self.open_sample() }
            self.ask_lane(other, rng, &mut part);
            if !part.is_empty() {
                self.asked.push((other, part.len()));
                part.iter().for_each(|x| xs.push(x));
            }
            self.part = part;
        }
        self.x.copy_from(xs.rows());
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.rounds += 1;
        self.x.copy_from(xs.rows());
        let mut from = 0;
        for k in 0..self.asked.len() {
            let (lane, rows) = self.asked[k];
            let to = from + rows;
            let before = self.value;
            self.keep_best(lane, from, &values[from..to]);
            if self.asked.len() == 1 {
                self.tell_lane(lane, before, xs, values);
            } else {
                let mut part = std::mem::take(&mut self.part);
                part.copy_from(xs.rows().slice(from, to));
                self.tell_lane(lane, before, &mut part, &values[from..to]);
                self.part = part;
            }
            from = to;
        }
    }

    fn answer(&self) -> Vec<F> {
        self.best.clone()
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn account(&self) -> Option<String> {
        let kind = match (self.findings.separable, self.findings.smooth) {
            (Some(true), _) => "separable",
            (_, Some(true)) => "smooth around the first local minimum",
            (_, Some(false)) => "rugged around the end of the first descent",
            _ => "not yet known",
        };
        let mut account = format!(
            "found by the lane '{}' at evaluation {} of {}; the function is {kind}; evaluations (runs)",
            NAMES[self.finder as usize], self.found, self.evaluations
        );
        for (name, lane) in NAMES.iter().zip(&self.accounts).filter(|(_, lane)| lane.evaluations > 0) {
            account += &format!(" {name} {} ({})", lane.evaluations, lane.runs.max(1));
        }
        Some(account)
    }

    fn gradient_rows(&self) -> &[usize] {
        match self.asked.first() {
            Some((Lane::Descent, _)) => self.descent.gradient_rows(),
            Some((Lane::Dive, _)) => self.dive.gradient_rows(),
            _ => &[],
        }
    }

    fn tell_gradients(&mut self, gradients: Rows<'_, F>) {
        match self.asked.first() {
            Some((Lane::Descent, _)) => self.descent.tell_gradients(gradients),
            Some((Lane::Dive, _)) => self.dive.tell_gradients(gradients),
            _ => {}
        }
    }

    fn view(&self) -> View<'_, F> {
        let mut view = View { matrices: vec![("x", self.x.rows())], ..View::default() };
        view.vectors.push(("g", &self.best));
        view.numbers.push(("lane", self.asked.first().map_or(0.0, |(lane, _)| f64::from(*lane as u8))));
        view.numbers.extend(NAMES.iter().zip(&self.accounts).map(|(name, lane)| (*name, lane.evaluations as f64)));
        view
    }

    fn save(&self, out: &mut Vec<u8>) {
        // Nothing in the state can fail to serialise: plain numbers, vectors and enums.
        out.extend(postcard::to_allocvec(self).unwrap_or_default());
    }
}
