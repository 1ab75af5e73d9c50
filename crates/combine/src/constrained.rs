//! What `auto` is on a problem with constraints: descents by sequential quadratic programming, then populations.
//!
//! ```text
//! start        the given points, else one from the middle fifth of the box
//! descent      SQP from the start; later from new points, several at a time where there are workers
//! sample       CMA-ES told of constraints by the augmented Lagrangian, from the best point, then with doubled populations
//! dive         SQP from the best point of the CMA-ES run
//! ```
//!
//! Until a number of descents have ended they alone are at work, every other one from where feasible points are known. From then on
//! descents from new points and CMA-ES share the evaluations by two clocks, as in `auto`: half of them go to descents while the best
//! point is one's, else most to CMA-ES. A descent is given up where its model promises far less than it would need to reach the best value, or where it has met what no step mends. On
//! a problem without constraints all of this works too.
//!
//! Papers: Kraft 1988 for SQP; Atamna, Auger and Hansen 2017 for CMA-ES with constraints; the combination and its numbers are our own
//! (docs/constraints.md).

use crate::handling::{Strategy, ToldRound};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::distribution::cma_es::{self, Cma, CmaEs};
use swarmgrad_algorithms::distribution::{Distribution, usual_population};
use swarmgrad_algorithms::local::sqp::{self, Sqp};
use swarmgrad_algorithms::local::{LocalMethod, LocalSearch};
use swarmgrad_algorithms::method::{Handling, Method};
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{
    Algorithm, Constraint, Matrix, Outside, Real, Reason, Relation, Result, Rng, Space, Start, View,
    better_constrained, memory, save_state, violation,
};

parameters! {
    /// Parameters of [`ConstrainedAuto`].
    pub struct Params {
        /// Points that can be evaluated at the same time: so many descents walk side by side that a round has about as many.
        workers "": usize = 1, Within(1.0, 65_536.0);
        /// Initial deviation of CMA-ES as a share of the width of the box.
        sigma "sigma(0)": f64 = 0.2, Above(0.0);
        /// Relative error of the values, where it is larger than that of the arithmetic; null to see for itself.
        noise "e / |f|": Option<f64> = None, Within(0.0, 0.1);
    }
}

/// Descents that end before CMA-ES begins, and the evaluations a variable before which it does not.
const DESCENTS: u64 = 10;
const EVALUATIONS: u64 = 120;
/// Share of descents while one of them holds the best point, and while none does.
const SHARE: [f64; 2] = [0.5, 0.2];
/// A descent is given up when so many times its promised gain would not be enough, after so many steps.
const HOPE: f64 = 100.0;
const PATIENCE: u64 = 3;
/// Of so many new points a descent begins at the one farthest from where earlier ones began and ended, of so many at most.
const CANDIDATES: usize = 4;
const REMEMBERED: usize = 256;
/// Every so many descents begin in the box of the feasible points, which is that much larger: shares of its width and of that of the space.
const EVERY: u64 = 2;
const MARGIN: (f64, f64) = (0.1, 0.01);
/// The first population of CMA-ES over the usual one.
const POPULATION: f64 = 2.0;
/// Most numbers in a population; after it the populations begin anew.
const LARGEST: usize = 1 << 24;
/// A dive follows when the step-size of CMA-ES has fallen by this factor.
const DEPTH: f64 = 0.1;

/// A part of the portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Lane {
    Start,
    Descent(usize),
    Sample,
    Dive,
}

const NAMES: [&str; 4] = ["start", "descent", "sample", "dive"];

impl Lane {
    fn kind(self) -> usize {
        match self {
            Lane::Start => 0,
            Lane::Descent(_) => 1,
            Lane::Sample => 2,
            Lane::Dive => 3,
        }
    }
}

/// What a kind of lanes has spent.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Spent {
    runs: u64,
    evaluations: u64,
}

/// A descent, and the stream of its draws.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Descent<F: Real> {
    search: LocalMethod<F, Sqp>,
    label: String,
    begun: bool,
}

/// A point with its value and how far it violates the constraints.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
struct Place<F: Real> {
    x: Vec<F>,
    value: F,
    violation: F,
    constraints: Vec<F>,
}

impl<F: Real> Default for Place<F> {
    fn default() -> Self {
        Place { x: Vec::new(), value: F::infinity(), violation: F::infinity(), constraints: Vec::new() }
    }
}

impl<F: Real> Place<F> {
    /// Takes a point over if it is better.
    fn keep(&mut self, x: &[F], value: F, constraints: &[F], violation: F) -> bool {
        let value = if value.is_nan() { F::infinity() } else { value };
        // A feasible point without a value is none.
        let violation = if value == F::infinity() && violation == F::zero() { F::infinity() } else { violation };
        let better = better_constrained((violation, value), (self.violation, self.value)) || self.x.is_empty();
        if better {
            *self = Place { x: x.to_vec(), value, violation, constraints: constraints.to_vec() };
        }
        better
    }

    /// Whether what was read back is a point of so many coordinates, or none without a value.
    fn verify(&self, dim: usize) -> Result<()> {
        saved::point("best", &self.x, dim)?;
        saved::holds("best", !self.x.is_empty() || self.value == F::infinity(), "must have no value without a point")
    }

    fn is_feasible(&self) -> bool {
        self.violation == F::zero()
    }
}

/// The least box that holds all feasible points, and how many there were.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Feasible<F: Real> {
    low: Vec<F>,
    high: Vec<F>,
    count: u64,
}

impl<F: Real> Feasible<F> {
    /// Whether what was read back has as many coordinates, if it has points.
    fn verify(&self, dim: usize) -> Result<()> {
        saved::count("feasible", self.count)?;
        let corner = if self.count > 0 { dim } else { 0 };
        saved::lengths([("feasible", &self.low), ("feasible", &self.high)], corner)
    }

    fn enclose(&mut self, x: &[F]) {
        self.count += 1;
        if self.count == 1 {
            (self.low, self.high) = (x.to_vec(), x.to_vec());
        }
        self.low.iter_mut().zip(x).for_each(|(low, &t)| *low = low.min(t));
        self.high.iter_mut().zip(x).for_each(|(high, &t)| *high = high.max(t));
    }
}

/// A run of CMA-ES.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Sample<F: Real> {
    search: Cma<F>,
    strategy: Strategy,
    label: String,
    best: Place<F>,
    /// Whether it has found something better since the last dive.
    fresh: bool,
    /// Its step-size at the last dive, else at its beginning.
    unit: f64,
}

/// The portfolio.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ConstrainedAuto<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    constraints: Vec<Constraint>,
    descents: Vec<Descent<F>>,
    dive: LocalMethod<F, Sqp>,
    diving: bool,
    sample: Option<Sample<F>>,
    population: usize,
    /// Where descents began and ended.
    visited: Vec<Vec<F>>,
    feasible: Feasible<F>,
    /// Evaluations of descents, and of CMA-ES with its dives, over their shares at the time.
    clocks: [f64; 2],
    /// Who asked in this round, for how many rows each.
    asked: Vec<(Lane, usize)>,
    spent: [Spent; 4],
    rounds: u64,
    evaluations: u64,
    best: Place<F>,
    finder: Lane,
    found: u64,
    /// What the descent that found the best point says of the constraints there.
    multipliers: Option<Vec<f64>>,
    x: Matrix<F>,
    told: Matrix<F>,
    part: Matrix<F>,
    rows: Matrix<F>,
    scalars: Vec<F>,
}

fn walk<F: Real>(space: &Space<F>, start: Start, noise: Option<f64>) -> Result<LocalMethod<F, Sqp>> {
    LocalMethod::new(space, start, None, sqp::Params { noise, ..sqp::Params::default() })
}

/// Bytes that all lanes take.
fn memory_of(walks: usize, dim: usize) -> f64 {
    8.0 * ((walks as f64 + 1.0) * Sqp::numbers(&sqp::Params::default(), dim)
        + CmaEs::numbers(&cma_es::Params::default(), dim))
}

impl<F: Real> Method<F> for ConstrainedAuto<F> {
    const NAME: &'static str = "constrained";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, _budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let walks = params.workers.div_ceil(space.dim() + 1);
        memory::check(Self::NAME, space.dim(), memory_of(walks, space.dim()))?;
        let descent = |k: usize| -> Result<Descent<F>> {
            let search = walk(space, Start::Uniform, params.noise)?;
            Ok(Descent { search, label: format!("descent{k}"), begun: false })
        };
        Ok(ConstrainedAuto {
            descents: (0..walks).map(descent).collect::<Result<_>>()?,
            dive: walk(space, Start::Uniform, params.noise)?,
            diving: false,
            params,
            space: space.clone(),
            start,
            constraints: Vec::new(),
            sample: None,
            population: 0,
            visited: Vec::new(),
            feasible: Feasible { low: Vec::new(), high: Vec::new(), count: 0 },
            clocks: [0.0; 2],
            asked: Vec::new(),
            spent: [Spent::default(); 4],
            rounds: 0,
            evaluations: 0,
            best: Place::default(),
            finder: Lane::Start,
            found: 0,
            multipliers: None,
            x: Matrix::default(),
            told: Matrix::default(),
            part: Matrix::default(),
            rows: Matrix::default(),
            scalars: Vec::new(),
        })
    }

    fn verify(&self) -> Result<()> {
        let dim = self.space.dim();
        saved::parameters(&self.params)?;
        self.start.check(&self.space)?;
        saved::length("descents", &self.descents, self.params.workers.div_ceil(dim + 1))?;
        for search in self.descents.iter().map(|descent| &descent.search).chain([&self.dive]) {
            saved::fits("descent", search, dim)?;
            search.verify()?;
        }
        saved::holds("population", self.sample.is_some() || self.population == 0, "must be of a run")?;
        if let Some(run) = &self.sample {
            saved::fits("sample", &run.search, dim)?;
            let own = run.search.distribution().population();
            saved::holds("population", own == self.population, "must be that of the run")?;
            run.search.verify()?;
            run.strategy.verify()?;
            run.best.verify(dim)?;
        }
        self.feasible.verify(dim)?;
        self.visited.iter().try_for_each(|x| saved::length("visited", x, dim))?;
        let spent = self.spent.iter().flat_map(|spent| [spent.runs, spent.evaluations]);
        let counts = [self.rounds, self.evaluations, self.found];
        spent.chain(counts).try_for_each(|count| saved::count("spent", count))?;
        self.best.verify(dim)
    }
}

impl<F: Real> ConstrainedAuto<F> {
    fn runs(&self, lane: Lane) -> u64 {
        self.spent[lane.kind()].runs
    }

    /// The share of descents.
    fn share(&self) -> f64 {
        match self.finder {
            Lane::Sample | Lane::Dive => SHARE[1],
            _ => SHARE[0],
        }
    }

    /// Whether a descent is not going to reach the best value.
    fn is_hopeless(&self, descent: &LocalMethod<F, Sqp>) -> bool {
        let search = descent.search();
        let (_, f) = search.place();
        let near = search.steps() >= PATIENCE && self.best.is_feasible();
        near && f - HOPE * search.promised() > self.best.value.f64()
    }

    /// Descents that go on: from a new point where one has ended or is hopeless.
    fn open_descents(&mut self, rng: &Rng) {
        for k in 0..self.descents.len() {
            let descent = &self.descents[k];
            if descent.begun && !descent.search.is_over() && !self.is_hopeless(&descent.search) {
                continue;
            }
            let runs = self.runs(Lane::Descent(k));
            self.spent[Lane::Descent(k).kind()].runs += 1;
            if descent.begun {
                let end = descent.search.answer();
                self.remember(&end);
            }
            let start =
                if runs > 0 { self.far_away(&rng.fork(&format!("start{runs}")), runs) } else { self.best.x.clone() };
            self.remember(&start);
            let descent = &mut self.descents[k];
            match runs {
                0 => descent.search.launch_constrained(&self.best.x, self.best.value, &self.best.constraints),
                _ => descent.search.begin(Start::at(&start)),
            }
            descent.begun = true;
            descent.label = format!("descent{runs}");
        }
    }

    fn remember(&mut self, x: &[F]) {
        if self.visited.len() >= REMEMBERED {
            self.visited.remove(0);
        }
        self.visited.push(x.to_vec());
    }

    /// The one of a few new points that is farthest from all where descents began and ended, in units of the box. Every other time
    /// they are drawn from where feasible points are known.
    fn far_away(&self, rng: &Rng, runs: u64) -> Vec<F> {
        let mut xs = Matrix::default();
        self.start.later().fill(&self.space, rng, CANDIDATES, &mut xs);
        if runs.is_multiple_of(EVERY) && self.feasible.count > 1 && self.has_inside() {
            self.draw_near(rng, &mut xs);
        }
        let distance = |x: &[F], y: &[F]| -> f64 {
            let part = |j: usize| ((x[j] - y[j]).f64() / self.unit(j)).powi(2);
            (0..x.len()).map(part).sum()
        };
        let nearest = |x: &[F]| self.visited.iter().map(|y| distance(x, y)).fold(f64::INFINITY, f64::min);
        let far = xs.iter().map(|x| (nearest(x), x)).reduce(|best, new| if new.0 > best.0 { new } else { best });
        far.map_or_else(|| self.best.x.clone(), |(_, x)| x.to_vec())
    }

    /// The width of the box along a variable, 1 where it has none.
    fn unit(&self, j: usize) -> f64 {
        let width = self.space.width(j).f64();
        if width.is_finite() && width > 0.0 { width } else { 1.0 }
    }

    /// Whether feasible points may fill a part of the space: there are no equalities.
    fn has_inside(&self) -> bool {
        self.constraints.iter().all(|constraint| constraint.relation() == Relation::AtMost)
    }

    /// Points of the least box that holds all feasible ones, a little larger.
    fn draw_near(&self, rng: &Rng, xs: &mut Matrix<F>) {
        let rng = rng.fork("near");
        let Feasible { low, high, .. } = &self.feasible;
        for i in 0..xs.len() {
            let mut draws = rng.row(i);
            for (j, t) in xs.row_mut(i).iter_mut().enumerate() {
                let more = MARGIN.0 * (high[j] - low[j]).f64() + MARGIN.1 * self.unit(j);
                let (from, to) = (low[j].f64() - more, high[j].f64() + more);
                let drawn = F::of(from + (to - from) * draws.uniform());
                *t = drawn.max(self.space.lower()[j]).min(self.space.upper()[j]);
            }
        }
    }

    /// A run of CMA-ES that goes on, or a new one.
    fn open_sample(&mut self) {
        if self.sample.as_ref().is_some_and(|run| run.search.stop_reason().is_none()) {
            return;
        }
        let (runs, dim) = (self.runs(Lane::Sample), self.space.dim());
        let usual = usual_population(dim) as f64;
        let first = ((POPULATION * usual) as usize).next_multiple_of(self.params.workers.min(64));
        let doubled = 2 * self.population;
        self.population = if self.population == 0 || doubled.saturating_mul(dim) > LARGEST { first } else { doubled };
        let start = if runs == 0 { Start::at(&self.best.x) } else { self.start.later() };
        let (particles, sigma) = (Some(self.population), self.params.sigma);
        let params = cma_es::Params { particles, sigma, ..cma_es::Params::default() };
        // Bounds that are bent lead past the borders of constraints.
        let mirrored = self.space.clone().or_outside(Outside::Reflect);
        self.sample = Cma::new(&mirrored, start, None, params).ok().map(|search| Sample {
            search,
            strategy: Strategy::new(Handling::Lagrangian, None),
            label: format!("sample{runs}"),
            best: Place::default(),
            fresh: false,
            unit: f64::NAN,
        });
        // A population that does not fit is not doubled.
        self.population = if self.sample.is_some() { self.population } else { 0 };
        self.spent[Lane::Sample.kind()].runs += 1;
    }

    /// A dive from where the CMA-ES run has drawn in far enough since the last one, and has found something better.
    fn open_dive(&mut self) -> bool {
        let Some(run) = &mut self.sample else { return false };
        let unit = run.search.distribution().unit();
        let due = run.fresh && run.best.value.is_finite() && unit < DEPTH * run.unit;
        if due {
            self.dive.launch_constrained(&run.best.x, run.best.value, &run.best.constraints);
            (run.unit, run.fresh) = (unit, false);
            self.diving = true;
            self.spent[Lane::Dive.kind()].runs += 1;
        }
        due
    }

    /// The lanes of the next round, opened if need be.
    fn choose(&mut self, rng: &Rng) -> Vec<Lane> {
        if self.best.x.is_empty() || !self.best.value.is_finite() {
            return vec![Lane::Start];
        }
        let descents = |auto: &mut Self| {
            auto.open_descents(rng);
            (0..auto.descents.len()).map(Lane::Descent).collect()
        };
        let early = self.evaluations < EVALUATIONS * self.space.dim() as u64;
        if self.runs(Lane::Sample) == 0 && (early || self.runs(Lane::Descent(0)) <= DESCENTS) {
            return descents(self);
        }
        if self.diving && !self.dive.is_over() && !self.is_hopeless(&self.dive) {
            return vec![Lane::Dive];
        }
        self.diving = false;
        if self.clocks[0] < self.clocks[1] {
            return descents(self);
        }
        if self.open_dive() {
            return vec![Lane::Dive];
        }
        self.open_sample();
        vec![Lane::Sample]
    }

    /// The first points: those given, else one near the middle of the box; where none of them has a value, others.
    fn ask_start(&self, rng: &Rng, xs: &mut Matrix<F>) {
        if self.rounds > 0 {
            return self.start.later().fill(&self.space, rng, self.params.workers, xs);
        }
        self.start.fill_first(&self.space, rng, xs);
    }

    fn ask_lane(&mut self, lane: Lane, rng: &Rng, xs: &mut Matrix<F>) {
        xs.resize(0, self.space.dim());
        match lane {
            Lane::Start => self.ask_start(&rng.fork("constrained"), xs),
            Lane::Descent(k) => {
                let descent = &mut self.descents[k];
                descent.search.ask(&rng.fork(&descent.label), xs);
            }
            Lane::Sample => {
                if let Some(run) = &mut self.sample {
                    run.search.ask(&rng.fork(&run.label), xs);
                    run.unit = if run.unit.is_nan() { run.search.distribution().unit() } else { run.unit };
                }
            }
            Lane::Dive => self.dive.ask(rng, xs),
        }
    }

    fn tell_lane(&mut self, lane: Lane, xs: &mut Matrix<F>, values: &[F], rows: &Matrix<F>) {
        let (asked, share) = (values.len() as u64, self.share());
        self.spent[lane.kind()].evaluations += asked;
        let sampling = self.runs(Lane::Sample) > 0;
        match lane {
            Lane::Start => {}
            Lane::Descent(k) => {
                self.clocks[0] += if sampling { asked as f64 / share } else { 0.0 };
                tell_walk(&mut self.descents[k].search, &self.best, xs, values, rows);
            }
            Lane::Dive => {
                self.clocks[1] += asked as f64 / (1.0 - share);
                tell_walk(&mut self.dive, &self.best, xs, values, rows);
            }
            Lane::Sample => {
                self.clocks[1] += asked as f64 / (1.0 - share);
                let Some(run) = &mut self.sample else { return };
                for (i, (x, &value)) in xs.iter().zip(values).enumerate() {
                    let row = constraints_of(rows, i);
                    run.fresh |= run.best.keep(x, value, row, violation(&self.constraints, row));
                }
                if self.constraints.is_empty() || rows.len() != values.len() {
                    return run.search.tell(xs, values);
                }
                let told = ToldRound { constraints: &self.constraints, dim: xs.dim(), values, rows };
                run.strategy.scalars(told, &mut self.scalars);
                run.search.tell(xs, &self.scalars);
            }
        }
    }
}

/// Tells a walk of SQP, which is followed to the end where its next step may lead to a better point than the best one.
fn tell_walk<F: Real>(
    walk: &mut LocalMethod<F, Sqp>,
    best: &Place<F>,
    xs: &mut Matrix<F>,
    values: &[F],
    rows: &Matrix<F>,
) {
    let (_, f) = walk.search().place();
    let leads = !best.is_feasible() || f - walk.search().promised() <= best.value.f64();
    walk.search_mut().lead(leads);
    walk.tell_constraints(rows);
    walk.tell(xs, values);
}

/// Row i of the values of constraints; nothing where there are none.
fn constraints_of<F: Real>(rows: &Matrix<F>, i: usize) -> &[F] {
    if i < rows.len() { rows.row(i) } else { &[] }
}

impl<F: Real> Algorithm<F> for ConstrainedAuto<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.resize(0, self.space.dim());
        self.asked.clear();
        let mut part = std::mem::take(&mut self.part);
        // A lane may notice only when asked that it is over; then another one is chosen.
        for _ in 0..8 {
            for lane in self.choose(rng) {
                self.ask_lane(lane, rng, &mut part);
                if !part.is_empty() {
                    self.asked.push((lane, part.len()));
                    part.iter().for_each(|x| xs.push(x));
                }
            }
            if !xs.is_empty() {
                break;
            }
        }
        self.part = part;
        self.x.copy_from(xs.rows());
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.rounds += 1;
        self.x.copy_from(xs.rows());
        let mut from = 0;
        for k in 0..self.asked.len() {
            let (lane, count) = self.asked[k];
            let to = from + count;
            for (i, &value) in values.iter().enumerate().take(to).skip(from) {
                let row = constraints_of(&self.told, i);
                let violated = violation(&self.constraints, row);
                if violated == F::zero() && value.is_finite() {
                    self.feasible.enclose(self.x.row(i));
                }
                if self.best.keep(self.x.row(i), value, row, violated) {
                    (self.finder, self.found) = (lane, self.evaluations + (i - from + 1) as u64);
                    self.multipliers = None;
                }
            }
            self.evaluations += count as u64;
            let (mut part, mut rows) = (std::mem::take(&mut self.part), std::mem::take(&mut self.rows));
            part.copy_from(self.x.rows().slice(from, to));
            if !self.constraints.is_empty() && to <= self.told.len() {
                rows.copy_from(self.told.rows().slice(from, to));
            } else {
                rows.clear();
            }
            self.tell_lane(lane, &mut part, &values[from..to], &rows);
            let descent = match lane {
                Lane::Descent(k) => Some(&self.descents[k].search),
                Lane::Dive => Some(&self.dive),
                Lane::Start | Lane::Sample => None,
            };
            if let Some(known) = descent.and_then(|descent| descent.multipliers_at(&self.best.x)) {
                self.multipliers = Some(known);
            }
            (self.part, self.rows) = (part, rows);
            from = to;
        }
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        if self.constraints != constraints {
            self.constraints = constraints.to_vec();
            self.descents.iter_mut().for_each(|descent| _ = descent.search.expect_constraints(constraints));
            self.dive.expect_constraints(constraints);
        }
        true
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        self.told.clone_from(values);
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn memory(&self) -> f64 {
        memory_of(self.descents.len(), self.space.dim())
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        let stuck = self.rounds > 0 && self.space.lower() == self.space.upper();
        stuck.then(|| Reason::Method("no variable can move".into()))
    }

    fn multipliers(&self) -> Option<Vec<f64>> {
        self.multipliers.clone()
    }

    fn explanation(&self) -> Option<String> {
        let (finder, found) = (NAMES[self.finder.kind()], self.found);
        let spent = NAMES.iter().zip(&self.spent).filter(|(_, spent)| spent.evaluations > 0);
        let spent: Vec<String> =
            spent.map(|(name, spent)| format!("{name} {} ({})", spent.evaluations, spent.runs.max(1))).collect();
        let all = self.evaluations;
        Some(format!("found by '{finder}' at evaluation {found} of {all}; evaluations (runs): {}", spent.join(" ")))
    }

    fn view(&self) -> View<'_, F> {
        let mut view = View { matrices: vec![("x", self.x.rows())], ..View::default() };
        view.vectors.push(("g", &self.best.x));
        view.numbers.push(("lane", self.asked.first().map_or(0.0, |(lane, _)| lane.kind() as f64)));
        view.numbers.extend(NAMES.iter().zip(&self.spent).map(|(name, spent)| (*name, spent.evaluations as f64)));
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(<Self as Method<F>>::NAME, self, out)
    }
}
