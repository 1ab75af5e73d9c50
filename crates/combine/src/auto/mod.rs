//! auto: a portfolio that spends a budget, known or unknown, by what it sees. The default of `minimize`.
//!
//! Lanes, each a method of its own, what opens them, and what they are for:
//!
//! ```text
//! start        the given points, else one from the middle fifth of the box
//! descent      quasi-Newton from the start; later from new points        smooth functions, many separate basins
//! probe        f(x + u) + f(x) = f(x + u_S) + f(x + u_S')  for log2 d    2 log2 d + 1 points, after STEPS steps of the first
//!              ways to split u into halves S, S'                         descent
//! model        Gaussian process with expected improvement (model.rs)      few evaluations of two variables, whole variables, choices
//! line         parabolas, and a Gaussian process of the whole line        one variable with two bounds
//! coordinates  coordinate search from the best point                     where every split of the probe adds up
//! components   second derivatives, then line searches along the            sums along other directions than the axes, with many
//!              directions in which the function is a sum (components.rs)  basins
//! sample       CMA-ES from the best point, then with doubled populations what is rugged, or has basins within a basin; lq-CMA-ES up
//!              to 20 variables where the first descent ended on rugged
//!              ground, CR-FM-NES above 1,000
//! dive         quasi-Newton from the best point of the CMA-ES run,       finishes what CMA-ES would converge to slowly
//!              where it has no model
//! steps        along the variables, then down the slope                   budgets known to be no gradient's worth
//! survey       lines from where a smooth first descent has ended          functions with one basin: they are told by it
//! scatter      points of the start's law                                 starts of descents, where workers would be idle
//! ```
//!
//! Until the first descent has ended it alone is at work (but for the probe). From then on descents from new points and CMA-ES
//! share the evaluations: each of the two has a clock that an evaluation advances by 1 / share, and the one whose clock is
//! behind goes on. The shares follow the credit: two thirds for descents while the best point is one's and that of the first
//! descent was smooth, else nearly all for CMA-ES. Where the first descent ended on smooth ground, what is left is a matter of
//! basins and the first population is three times the usual one. A descent from a new point is given up when a thousand times
//! its model's predicted gain would not reach the best value; a run of CMA-ES, when it draws in on what a dive from it has found
//! already.
//!
//! It ends when nothing more is to be expected: `end.rs` has the rules.
//!
//! Where values turn out to have errors that differences do not bear, or `noise` says so, trust regions with models take the
//! place of quasi-Newton in descents and dives, the probe and the coordinates are left out, and the ground counts as rugged.
//!
//! With more workers than one a round is filled up to a multiple of their number: with the other lane and further descents from
//! new points while these have room, then with points of the start's law, the best of which later descents begin from. The
//! populations of CMA-ES are such multiples too.
//!
//! Papers: Hansen, "Benchmarking a bi-population CMA-ES on the BBOB-2009 function testbed" (GECCO 2009), for restarts;
//! Baudis and Posik, "Online black-box algorithm portfolios for continuous optimization" (PPSN 2014), for portfolios; Loshchilov,
//! Schoenauer and Sebag, "Bi-population CMA-ES algorithms with surrogate models and line searches" (GECCO 2013), for a portfolio
//! of CMA-ES with line searches on separable functions. The combination and its numbers are our own, found by experiment on
//! BBOB, instances 1 to 3, 5 to 20 variables (docs/bbob.md).

mod components;
mod end;
mod line;
mod model;
mod sample;
mod steps;
#[cfg(test)]
mod tests;
mod walk;

use components::Components;
pub(crate) use end::Basins;
use end::{Shape, Survey};
use line::Line;
use model::Model;
use sample::Sample;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use steps::Steps;
use swarmgrad_algorithms::distribution::usual_population;
use swarmgrad_algorithms::local::coordinate_search::{self, CoordinateSearch};
use swarmgrad_algorithms::local::{LocalMethod, LocalSearch};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_algorithms::restart::BestPoint;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Algorithm, Knowledge, Matrix, Real, Reason, Result, Rng, Space, Start, View, memory, save_state};
use walk::Walk;

parameters! {
    /// Parameters of [`Auto`].
    pub struct Params {
        /// Points that can be evaluated at the same time: a round asks for about as many, from several lanes.
        workers "": usize = 1, Within(1.0, 65_536.0);
        /// Initial deviation of CMA-ES as a share of the width of the box.
        sigma "sigma(0)": f64 = 0.2, Above(0.0);
        /// Relative error of the values, where it is larger than that of the arithmetic; null to see for itself.
        noise "e / |f|": Option<f64> = None, Within(0.0, 0.1);
        /// Share of the box whose basins must be known before the method ends by itself; 1 to never end.
        explored "1 - e": f64 = 0.9975, Within(0.5, 1.0);
        /// Whether an evaluation is worth milliseconds of thought, for up to 20 variables and a known budget.
        dear "": bool = false, Flag;
        /// Whether CMA-ES may rank its points by a quadratic model, up to 20 variables.
        surrogate "": bool = true, Flag;
    }
}

/// Steps of the first descent before the probe for separability.
const STEPS: u64 = 3;
/// Most numbers in a population; after it the populations begin anew.
const LARGEST: usize = 1 << 24;
/// Share of descents while one of them holds the best point, on smooth and on rugged ground, and while none does.
const SHARE: [f64; 3] = [0.65, 0.15, 0.1];
/// A descent is given up when so many times its predicted gain would not be enough, after this many steps.
const HOPE: f64 = 1000.0;
const PATIENCE: u64 = 6;
/// A dive follows when the step-size of CMA-ES has fallen by this factor.
const DEPTH: f64 = 0.02;
/// Where it has fallen by this factor since a dive that converged, and nothing better was sampled, the run is over.
const AGAIN: f64 = 0.1;
/// Evaluations beyond the number of variables up to which a known budget is spent on steps that count at once.
const FEW: u64 = 2;
/// A relative error of values from which models of a trust region are better than differences.
const INEXACT: f64 = 1e-11;
/// A gain that does not matter, in units of the fall of values since the first.
const NOTHING: f64 = 1e-14;
/// And one that arithmetic hardly tells.
const UNSEEN: f64 = 1e-3 * NOTHING;
/// Cycles over the variables that gain nothing that matters before lines are looked at.
const CYCLES: u64 = 2;
/// A relative gain that is not worth the name.
const GAIN: f64 = 1e-11;
/// What the roundings of four values may add up to in the probe, in units of their sizes and the machine epsilon.
const ROUNDING: f64 = 1e4;
/// And what it may be for values whose errors are no more than a nuisance, in units of their sizes.
const NUISANCE: f64 = 1e-9;

/// A part of the portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Lane {
    Start,
    /// The descent with this number; those after the first run only where there are idle workers.
    Descent(usize),
    Probe,
    Coordinates,
    Sample,
    Dive,
    Scatter,
    Steps,
    Survey,
    Line,
    Model,
    Components,
}

const NAMES: [&str; 12] = [
    "start",
    "descent",
    "probe",
    "coordinates",
    "sample",
    "dive",
    "scatter",
    "steps",
    "survey",
    "line",
    "model",
    "components",
];

impl Lane {
    /// Its place among the names.
    fn kind(self) -> usize {
        match self {
            Lane::Start => 0,
            Lane::Descent(_) => 1,
            Lane::Probe => 2,
            Lane::Coordinates => 3,
            Lane::Sample => 4,
            Lane::Dive => 5,
            Lane::Scatter => 6,
            Lane::Steps => 7,
            Lane::Survey => 8,
            Lane::Line => 9,
            Lane::Model => 10,
            Lane::Components => 11,
        }
    }
}

/// What a kind of lanes has spent.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Spent {
    runs: u64,
    evaluations: u64,
}

/// What kind of function it is, as far as is known.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Findings {
    separable: Option<bool>,
    /// Whether it is a sum along other directions.
    turned: bool,
    /// Whether the first descent ended where values are smooth; none while it goes on.
    smooth: Option<bool>,
    /// Whether values have an error that differences do not bear, and which, relative to them.
    inexact: bool,
    error: f64,
}

/// A descent from a new point, and the stream of its draws.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Descent<F: Real> {
    search: Walk<F>,
    label: String,
}

/// Who found the best point.
#[derive(Debug, Serialize, Deserialize)]
struct Finder {
    lane: Lane,
    run: u64,
    evaluation: u64,
    /// Why its run has ended, if it has.
    ended: Option<String>,
}

/// The portfolio.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Auto<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    descents: Vec<Descent<F>>,
    dive: Walk<F>,
    coordinates: LocalMethod<F, CoordinateSearch>,
    sample: Option<Sample<F>>,
    /// Where the budget is known and short.
    steps: Option<Steps<F>>,
    /// Where there is one variable.
    line: Option<Line>,
    /// Where the budget is known and dear.
    model: Option<Model<F>>,
    /// Until it is over.
    components: Option<Components>,
    population: usize,
    /// Evaluations of descents from new points, and of CMA-ES with its dives, over their shares at the time.
    clocks: [f64; 2],
    /// Who asked in this round, for how many rows each.
    asked: Vec<(Lane, usize)>,
    findings: Findings,
    spent: [Spent; 12],
    /// Points of [`Lane::Scatter`] that no descent has begun from, the best last; as many as there are workers at most.
    scattered: Vec<(F, Vec<F>)>,
    rounds: u64,
    evaluations: u64,
    best: BestPoint<F>,
    finder: Finder,
    survey: Survey,
    basins: Basins,
    /// The first finite value, and evaluations up to the last gain worth the name and to the last end of a run of CMA-ES.
    first: f64,
    gained: u64,
    sampled: u64,
    /// Evaluations of the coordinate search since it last gained something that matters.
    steady: u64,
    /// Evaluations of dives before the one at work.
    spent_before: u64,
    /// Why nothing more is expected.
    known: Option<String>,
    x: Matrix<F>,
    part: Matrix<F>,
}

impl<F: Real> Method<F> for Auto<F> {
    const NAME: &'static str = "auto";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        memory::check(Self::NAME, space.dim(), memory_of(params.workers, space.dim()))?;
        let error = params.noise.unwrap_or(0.0);
        let inexact = error >= INEXACT;
        let descent = || Walk::new(space, inexact, params.noise);
        Ok(Auto {
            descents: vec![Descent { search: descent()?, label: String::new() }],
            dive: descent()?,
            coordinates: LocalMethod::new(space, Start::Uniform, None, coordinate_search::Params::default())?,
            sample: None,
            steps: budget.filter(|&b| b <= FEW + space.dim() as u64).map(|b| Steps::new(space, b)),
            line: Line::suits(space).then(Line::default),
            model: Model::over(space, &start, budget, params.workers, params.dear)?,
            components: Components::over(space, budget),
            population: 0,
            clocks: [0.0; 2],
            asked: Vec::with_capacity(NAMES.len()),
            params,
            space: space.clone(),
            start,
            findings: Findings {
                separable: (space.dim() == 1).then_some(true),
                turned: false,
                smooth: None,
                inexact,
                error,
            },
            spent: [Spent::default(); 12],
            scattered: Vec::new(),
            rounds: 0,
            evaluations: 0,
            best: BestPoint::default(),
            finder: Finder { lane: Lane::Start, run: 1, evaluation: 0, ended: None },
            survey: Survey::default(),
            basins: Basins::default(),
            first: f64::NAN,
            gained: 0,
            sampled: 0,
            steady: 0,
            spent_before: 0,
            known: None,
            x: Matrix::default(),
            part: Matrix::default(),
        })
    }

    fn verify(&self) -> Result<()> {
        let (space, dim) = (&self.space, self.space.dim());
        saved::parameters(&self.params)?;
        self.start.check(space)?;
        let lanes = (1..=self.params.workers + 1).contains(&self.descents.len());
        saved::holds("descents", lanes, "must be there, no more than there are workers")?;
        self.descents.iter().try_for_each(|descent| descent.search.verify(dim))?;
        self.dive.verify(dim)?;
        saved::fits("coordinates", &self.coordinates, dim)?;
        self.coordinates.verify()?;
        self.sample.as_ref().map_or(Ok(()), |run| run.verify(self.population, dim))?;
        saved::holds("population", self.sample.is_some() || self.population == 0, "must be of a run")?;
        self.steps.as_ref().map_or(Ok(()), |steps| steps.verify(space))?;
        self.line.as_ref().map_or(Ok(()), |line| line.verify(space))?;
        self.model.as_ref().map_or(Ok(()), |model| model.verify(dim))?;
        self.components.as_ref().map_or(Ok(()), |components| components.verify(dim))?;
        let asked = self.asked.iter().filter_map(|(lane, _)| if let Lane::Descent(k) = lane { Some(k) } else { None });
        saved::below("asked", asked, self.descents.len())?;
        let spent = self.spent.iter().flat_map(|spent| [spent.runs, spent.evaluations]);
        let counts = [self.rounds, self.evaluations, self.gained, self.sampled, self.steady, self.spent_before];
        spent.chain(counts).try_for_each(|count| saved::count("spent", count))?;
        self.scattered.iter().try_for_each(|(_, x)| saved::length("scattered", x, dim))?;
        self.survey.verify()?;
        self.basins.verify()?;
        self.best.verify(dim)
    }
}

/// Bytes that all lanes take.
fn memory_of(workers: usize, dim: usize) -> f64 {
    let coordinates = CoordinateSearch::numbers(&coordinate_search::Params::default(), dim);
    (workers as f64 + 1.0) * Walk::<f64>::bytes(dim)
        + 8.0 * (coordinates + Sample::<f64>::numbers(dim) + Components::numbers(dim))
}

// Which lane goes on.
impl<F: Real> Auto<F> {
    fn runs(&self, lane: Lane) -> u64 {
        self.spent[lane.kind()].runs
    }

    /// The share of descents from new points.
    fn share(&self) -> f64 {
        match self.finder.lane {
            Lane::Sample | Lane::Dive => SHARE[2],
            _ if self.findings.smooth == Some(true) => SHARE[0],
            _ => SHARE[1],
        }
    }

    /// The lane of the next round, opened if need be.
    fn choose(&mut self) -> Lane {
        if self.model.as_ref().is_some_and(|model| model.is_due(self.evaluations)) {
            return Lane::Model;
        }
        if !self.best.value.is_finite() {
            return Lane::Start;
        }
        if self.steps.as_ref().is_some_and(|steps| steps.is_due(self.evaluations)) {
            return Lane::Steps;
        }
        if !self.findings.inexact && self.line.as_ref().is_some_and(|line| !line.is_over()) {
            return Lane::Line;
        }
        if self.runs(Lane::Descent(0)) == 0 {
            self.spent[Lane::Descent(0).kind()].runs = 1;
            self.descents[0].search.launch(&self.best.x, self.best.value);
        }
        // Where a first descent has come to its end by differences, they mean something.
        if !self.findings.inexact && self.findings.smooth != Some(true) && self.is_misled() {
            self.hand_over();
        }
        let first = &self.descents[0].search;
        if self.findings.smooth.is_none() && self.is_done(first, NOTHING) {
            self.findings.smooth = Some(!first.is_over() || first.is_settled());
            if let Some(components) = &mut self.components {
                components.know(&self.space, &first.place());
            }
        }
        if self.is_surveying() {
            match self.survey.shape {
                Shape::Convex if self.descents[0].search.is_over() => {}
                Shape::Convex => return Lane::Descent(0),
                _ => return Lane::Survey,
            }
        }
        if self.runs(Lane::Sample) == 0 {
            let first = &self.descents[0].search;
            let early = first.is_over() || first.steps() >= STEPS || self.findings.smooth.is_some();
            if self.findings.separable.is_none() && !self.findings.inexact && early {
                return Lane::Probe;
            }
            if self.findings.separable == Some(true) && self.open_coordinates() {
                return Lane::Coordinates;
            }
        }
        if self.findings.smooth.is_none() {
            return Lane::Descent(0);
        }
        if self.is_summing() {
            self.spent[Lane::Components.kind()].runs = 1;
            return Lane::Components;
        }
        let overdue = self.findings.inexact && self.dived() > self.spent[Lane::Sample.kind()].evaluations;
        if self.runs(Lane::Dive) > 0 && !self.dive.is_over() && !self.is_hopeless(&self.dive) && !overdue {
            return Lane::Dive;
        }
        if self.clocks[0] < self.clocks[1] {
            self.open_descent(0);
            return Lane::Descent(0);
        }
        if !self.open_sample() && self.open_dive() {
            return Lane::Dive;
        }
        Lane::Sample
    }

    /// Whether it is being looked at if the first descent has ended in the only basin.
    fn is_surveying(&self) -> bool {
        let ended = self.findings.smooth.is_some() || self.is_steady() && self.is_found_along();
        let wanted =
            ended && !self.findings.inexact && self.params.explored < 1.0 && !self.descents[0].search.is_mixed();
        let first = self.runs(Lane::Descent(0)) == 1 && self.runs(Lane::Sample) == 0;
        wanted && (self.survey.shape == Shape::Unknown && first || self.survey.shape == Shape::Convex)
    }

    /// Whether directions are looked for, or searched, along which a function that is no sum along the axes may be one.
    fn is_summing(&self) -> bool {
        let Findings { separable, smooth, inexact, .. } = self.findings;
        let wanted = separable == Some(false) && smooth == Some(true) && !inexact;
        wanted && self.components.as_ref().is_some_and(|components| components.is_due(self.evaluations))
    }

    /// Once the search along directions is over, a descent goes on from the best point.
    fn close_components(&mut self) {
        let Some(components) = self.components.take_if(|components| components.is_over()) else { return };
        if components.is_found() {
            self.findings.turned = true;
            self.dive.launch(&self.best.x, self.best.value);
            self.count_dive();
        }
    }

    /// Another dive has begun.
    fn count_dive(&mut self) {
        let spent = &mut self.spent[Lane::Dive.kind()];
        self.spent_before = spent.evaluations;
        spent.runs += 1;
    }

    /// Whether the best point comes from searches along variables.
    fn is_found_along(&self) -> bool {
        matches!(self.finder.lane, Lane::Coordinates | Lane::Line)
    }

    /// Whether the descent has ended, or is about to gain no more than this share of the fall of values.
    fn is_done(&self, descent: &Walk<F>, share: f64) -> bool {
        descent.is_over() || descent.remaining() <= share * self.fall()
    }

    /// Whether the coordinate search has gained nothing that matters for long.
    fn is_steady(&self) -> bool {
        self.steady >= CYCLES * (self.space.dim() as u64 + 2)
    }

    /// By how much values have fallen.
    fn fall(&self) -> f64 {
        self.first - self.best.value.f64()
    }

    /// A descent that another one takes the place of has ended somewhere.
    fn close_descent(&mut self, k: usize) {
        let fall = self.fall();
        let search = &self.descents[k].search;
        let value = search.value();
        if !value.is_finite() {
            return;
        }
        if search.is_over() {
            if let Some(components) = &mut self.components {
                components.know(&self.space, &search.place());
            }
            self.basins.count(value, fall);
        } else {
            self.basins.count_given_up(value - HOPE * (value - search.expected()));
        }
    }

    /// Sees whether nothing more is to be expected.
    fn conclude(&mut self) {
        let descent = &self.descents[0].search;
        if self.survey.shape == Shape::Convex && self.is_done(descent, UNSEEN) {
            let (value, fall) = (descent.value(), self.fall());
            self.survey.confirm(value, fall);
            if self.survey.shape == Shape::Convex {
                self.close_descent(0);
                self.begin_descent(0);
            }
        }
        let lines = self.survey.lines();
        let unknown = self.basins.unknown();
        let sampled = self.sampled > self.gained && self.basins.is_best_confirmed();
        let kind = match self.survey.shape {
            Shape::Linear => Some("a linear function"),
            Shape::Quadratic => Some("a quadratic"),
            Shape::Confirmed => Some("a convex function"),
            _ => None,
        };
        if let Some(kind) = kind {
            self.known = Some(format!("nothing more is expected: {lines} lines from the minimum are those of {kind}"));
        } else if sampled && unknown <= 1.0 - self.params.explored {
            let (searches, ends) = (self.basins.searches(), self.basins.ends());
            self.known = Some(format!(
                "nothing more is expected: {searches} searches from new points came to {ends} different values, and {:.1} % of the \
                 box is expected to lead elsewhere",
                100.0 * unknown
            ));
        }
    }

    /// Evaluations of the dive at work. Models cannot tell when they are hopeless: they get as many as CMA-ES had.
    fn dived(&self) -> u64 {
        self.spent[Lane::Dive.kind()].evaluations.saturating_sub(self.spent_before)
    }

    /// Whether a descent or a dive goes by differences that mean nothing.
    fn is_misled(&self) -> bool {
        let dim = self.space.dim();
        // Near a minimum of 0 the roundings of a sum are no share of its value.
        let matters = |walk: &Walk<F>| walk.value().abs() > NOTHING * self.fall();
        let is_misled = |walk: &Walk<F>| walk.is_misled(dim, INEXACT) && matters(walk);
        is_misled(&self.dive) || self.descents.iter().any(|descent| is_misled(&descent.search))
    }

    /// From differences to models: the first descent goes on from the best point, later ones begin anew.
    fn hand_over(&mut self) {
        let walks = self.descents.iter().map(|descent| &descent.search).chain([&self.dive]);
        self.findings.error = walks.filter_map(Walk::error).fold(0.0, f64::max);
        self.findings.inexact = true;
        let fresh = || Walk::new(&self.space, true, None);
        // That one fits the space was seen when this was built.
        let (Ok(mut first), Ok(dive)) = (fresh(), fresh()) else { return };
        first.launch(&self.best.x, self.best.value);
        self.descents.truncate(1);
        self.descents[0].search = first;
        self.dive = dive;
    }

    /// Whether the descent is not going to reach the best value.
    fn is_hopeless(&self, descent: &Walk<F>) -> bool {
        let f = descent.value();
        descent.steps() >= PATIENCE && f - HOPE * (f - descent.expected()) > self.best.value.f64()
    }

    /// A coordinate search that goes on; false when it is over.
    fn open_coordinates(&mut self) -> bool {
        if self.runs(Lane::Coordinates) == 0 {
            self.coordinates.launch(&self.best.x, self.best.value);
            self.spent[Lane::Coordinates.kind()].runs = 1;
        }
        !self.coordinates.is_over() && self.coordinates.search().is_separable()
    }

    /// A descent that goes on: from a new point where the last one has ended or is hopeless.
    fn open_descent(&mut self, k: usize) {
        if let Some(descent) = self.descents.get(k) {
            if !descent.search.is_over() && !self.is_hopeless(&descent.search) {
                return;
            }
            self.close_descent(k);
        } else {
            let Ok(search) = Walk::new(&self.space, self.findings.inexact, self.params.noise) else { return };
            self.descents.push(Descent { search, label: String::new() });
        }
        self.begin_descent(k);
    }

    /// A descent from a new point.
    fn begin_descent(&mut self, k: usize) {
        let runs = self.runs(Lane::Descent(k));
        let start = self.start.later();
        let descent = &mut self.descents[k];
        match self.scattered.pop() {
            Some((value, x)) => descent.search.launch(&x, value),
            None => descent.search.begin(start),
        }
        descent.label.clear();
        // Writing into a String cannot fail.
        let _ = write!(descent.label, "descent{runs}");
        self.spent[Lane::Descent(k).kind()].runs += 1;
    }

    /// A run of CMA-ES that goes on; whether it is a new one.
    fn open_sample(&mut self) -> bool {
        if self.sample.as_ref().is_some_and(|run| run.stop_reason().is_none() && !self.is_exhausted(run)) {
            return false;
        }
        let (runs, dim) = (self.runs(Lane::Sample), self.space.dim());
        if let Some(run) = &self.sample {
            self.sampled = self.evaluations;
            // The first begins at the best point: it finds nothing that is new.
            if runs > 1 {
                let fall = self.fall();
                self.basins.count(run.best.value.f64(), fall);
            }
        }
        let usual = usual_population(dim) as f64;
        let first = (sample::factor(dim, self.findings.smooth) * usual) as usize;
        let workers = self.params.workers;
        let first = if workers <= first { first.next_multiple_of(workers) } else { first };
        let doubled = 2 * self.population;
        let begins = self.population == 0 || doubled.saturating_mul(dim) > LARGEST;
        self.population = if begins { first } else { doubled };
        let start = if runs == 0 { self.best.as_start() } else { self.start.later() };
        let batch = self.is_ranked_by_model().then_some(workers);
        self.sample = Sample::new(&self.space, start, runs, self.population, self.params.sigma, batch).ok();
        // A population that does not fit is not doubled.
        self.population = if self.sample.is_some() { self.population } else { 0 };
        self.spent[Lane::Sample.kind()].runs += 1;
        true
    }

    /// Whether a new run of CMA-ES has a model.
    fn is_ranked_by_model(&self) -> bool {
        let exact = !self.findings.inexact && !self.descents[0].search.is_mixed();
        let rugged = self.findings.smooth != Some(true);
        self.params.surrogate && exact && rugged && sample::suits_model(self.space.dim())
    }

    /// Whether the run only draws in on what a dive from it has found already.
    fn is_exhausted(&self, run: &Sample<F>) -> bool {
        let found = self.dive.value();
        let again = run.dived && run.deviation() < AGAIN * run.unit;
        again && self.dive.is_settled() && run.best.value.f64() >= found
    }

    /// A dive from where the CMA-ES run has drawn in far enough since the last one, and has found something better. A run with a model
    /// has the model's steps instead.
    fn open_dive(&mut self) -> bool {
        let Some(run) = self.sample.as_mut().filter(|run| !run.has_model()) else { return false };
        let unit = run.deviation();
        let due = run.fresh && run.best.value.is_finite() && unit < DEPTH * run.unit;
        if due {
            self.dive.launch(&run.best.x, run.best.value);
            (run.unit, run.fresh, run.dived) = (unit, false, true);
            self.count_dive();
        }
        due
    }

    /// Lanes for workers that would be idle, in order: the other one of descent and sample, then descents from new points.
    fn further(&self, k: usize) -> Option<Lane> {
        let known = self.findings.smooth.is_some();
        match k {
            _ if self.is_surveying() => None,
            0 => Some(Lane::Descent(0)).filter(|_| known),
            1 => Some(Lane::Sample).filter(|_| known),
            k => Some(Lane::Descent(k - 1)).filter(|_| k <= self.params.workers),
        }
    }

    /// Rows missing to a multiple of the workers.
    fn room(&self, rows: usize) -> usize {
        rows.next_multiple_of(self.params.workers) - rows
    }

    /// Keeps the best scattered points as starts.
    fn keep_scattered(&mut self, xs: &Matrix<F>, values: &[F]) {
        for (x, &value) in xs.iter().zip(values).filter(|(_, value)| value.is_finite()) {
            let at = self.scattered.partition_point(|(other, _)| *other >= value);
            self.scattered.insert(at, (value, x.to_vec()));
        }
        let surplus = self.scattered.len().saturating_sub(self.params.workers);
        self.scattered.drain(..surplus);
    }
}

// What lanes ask and are told.
impl<F: Real> Auto<F> {
    /// The first points: those given, else one near the middle of the box; where none of them has a finite value, others.
    fn ask_start(&self, rng: &Rng, xs: &mut Matrix<F>) {
        if self.rounds > 0 {
            return self.start.later().fill(&self.space, rng, self.params.workers, xs);
        }
        self.start.fill_first(&self.space, rng, xs);
    }

    /// A move u of all variables, and for each split of them the two moves of its halves.
    fn ask_probe(&self, rng: &Rng, xs: &mut Matrix<F>) {
        let dim = self.space.dim();
        let rng = rng.fork("probe");
        let mut draws = rng.row(0);
        let mut moved = self.best.x.clone();
        for (t, (&lo, &hi)) in moved.iter_mut().zip(self.space.lower().iter().zip(self.space.upper())) {
            let width = if (hi - lo).is_finite() { hi - lo } else { F::one().max(t.abs()) };
            let length = F::of(0.1 + 0.2 * draws.uniform()) * width;
            let wish = draws.uniform() < 0.5;
            let up = *t + length <= hi && (wish || *t - length < lo);
            *t = if up { *t + length } else { *t - length }.max(lo).min(hi);
        }
        let mut order: Vec<usize> = (0..dim).collect();
        draws.shuffle(&mut order);
        xs.resize(0, dim);
        xs.push(&moved);
        for split in 0..usize::BITS - (dim - 1).leading_zeros() {
            for half in 0..2 {
                xs.push(&self.best.x);
                let last = xs.len() - 1;
                for (k, &j) in order.iter().enumerate() {
                    if (k >> split) & 1 == half {
                        xs.row_mut(last)[j] = moved[j];
                    }
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
            gap <= NUISANCE.max(ROUNDING * F::epsilon().f64()) * (before.abs() + whole.abs() + a.abs() + b.abs())
        });
        self.findings.separable = Some(adds_up);
    }

    fn ask_lane(&mut self, lane: Lane, rng: &Rng, xs: &mut Matrix<F>) {
        xs.resize(0, self.space.dim());
        match lane {
            Lane::Start => self.ask_start(&rng.fork("auto"), xs),
            Lane::Descent(k) => {
                if let Some(descent) = self.descents.get_mut(k) {
                    descent.search.ask(&rng.fork(&descent.label), xs);
                }
            }
            Lane::Probe => self.ask_probe(rng, xs),
            Lane::Coordinates => self.coordinates.ask(rng, xs),
            Lane::Sample => {
                if let Some(run) = &mut self.sample {
                    run.ask(rng, xs);
                }
            }
            Lane::Dive => self.dive.ask(rng, xs),
            Lane::Steps => {
                if let Some(steps) = &mut self.steps {
                    steps.ask(&self.space, &self.best, rng, xs);
                }
            }
            Lane::Line => {
                if let Some(line) = &mut self.line {
                    if line.is_empty() {
                        line.know(&self.space, self.best.x[0], self.best.value);
                    }
                    line.ask(&self.space, self.params.workers, xs);
                }
            }
            Lane::Model => {
                if let Some(model) = &mut self.model {
                    model.gp.ask(&rng.fork("model"), xs);
                }
            }
            Lane::Components => {
                if let Some(components) = &mut self.components {
                    components.ask(&self.space, &rng.fork("components"), xs);
                }
                self.close_components();
            }
            Lane::Survey => {
                // As many lines as fill the workers, one at least.
                let lines = (self.params.workers / 2).max(1);
                let rng = rng.fork("survey");
                self.start.later().fill(&self.space, &rng, lines, xs);
                if !self.survey.has_begun() {
                    self.survey.begin(self.evaluations);
                }
                let rng = rng.fork("places");
                let mut draws = rng.row(0);
                self.survey.ask(&self.best.x, xs, || draws.uniform());
            }
            Lane::Scatter => {}
        }
    }

    /// The values of a lane's rows; `before` was the best value.
    fn tell_lane(&mut self, lane: Lane, before: F, xs: &mut Matrix<F>, values: &[F]) {
        let (asked, share) = (values.len() as u64, self.share());
        self.spent[lane.kind()].evaluations += asked;
        match lane {
            Lane::Start => {}
            Lane::Scatter => self.keep_scattered(xs, values),
            Lane::Probe => self.tell_probe(before.f64(), values),
            Lane::Coordinates => {
                self.coordinates.tell(xs, values);
                let gained = before.f64() - self.best.value.f64() > NOTHING * self.fall();
                self.steady = if gained { 0 } else { self.steady + asked };
            }
            Lane::Steps => {
                if let Some(steps) = &mut self.steps {
                    steps.tell(before.f64(), values[0].f64());
                }
            }
            Lane::Line => {
                if let Some(line) = &mut self.line {
                    line.tell(&self.space, xs, values);
                }
            }
            Lane::Model => {
                if let Some(model) = &mut self.model {
                    model.gp.tell(xs, values);
                }
            }
            Lane::Components => {
                if let Some(components) = &mut self.components {
                    components.tell(values);
                }
                self.close_components();
            }
            Lane::Survey => {
                let mut survey = std::mem::take(&mut self.survey);
                survey.tell(before.f64(), xs, values);
                self.spent[lane.kind()].runs = 1;
                if survey.shape == Shape::Convex && self.findings.smooth == Some(false) {
                    survey.shape = Shape::Other; // descents end here before they are at the end
                }
                if survey.shape == Shape::Convex {
                    self.findings.smooth = Some(true);
                    survey.expect(self.is_found_along().then_some(before.f64()));
                }
                self.survey = survey;
            }
            Lane::Descent(k) => {
                self.clocks[0] += if self.findings.smooth.is_some() { asked as f64 / share } else { 0.0 };
                self.descents[k].search.tell(xs, values);
            }
            Lane::Dive => {
                self.clocks[1] += asked as f64 / (1.0 - share);
                self.dive.tell(xs, values);
            }
            Lane::Sample => {
                self.clocks[1] += asked as f64 / (1.0 - share);
                if let Some(run) = &mut self.sample {
                    run.tell(xs, values);
                }
            }
        }
    }

    /// Why the lane's run has ended, if it has.
    fn ended(&self, lane: Lane) -> Option<String> {
        let why = match lane {
            Lane::Start | Lane::Probe | Lane::Scatter | Lane::Steps | Lane::Survey | Lane::Line | Lane::Model => None,
            Lane::Components => None,
            Lane::Descent(k) => self.descents.get(k).and_then(|descent| descent.search.stop_reason()),
            Lane::Coordinates => self.coordinates.stop_reason(),
            Lane::Sample => self.sample.as_ref().and_then(Sample::stop_reason),
            Lane::Dive => self.dive.stop_reason(),
        };
        why.map(|why| why.to_string())
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
        let mut further = 0;
        while self.room(xs.len()) > 0 && self.best.value.is_finite() && further <= self.params.workers {
            let lane = self.further(further);
            further += 1;
            // A round of a descent has at most about as many points as there are variables.
            let most = if lane == Some(Lane::Sample) { self.population.max(1) } else { self.space.dim() + 1 };
            if self.room(xs.len()) < most {
                continue;
            }
            let Some(lane) = lane.filter(|lane| self.asked.iter().all(|(asked, _)| asked != lane)) else { continue };
            match lane {
                Lane::Descent(k) => self.open_descent(k),
                _ => drop(self.open_sample()),
            }
            let mut part = std::mem::take(&mut self.part);
            self.ask_lane(lane, rng, &mut part);
            if !part.is_empty() {
                self.asked.push((lane, part.len()));
                part.iter().for_each(|x| xs.push(x));
            }
            self.part = part;
        }
        let room = self.room(xs.len());
        if room > 0 && !xs.is_empty() {
            let mut part = std::mem::take(&mut self.part);
            self.start.later().fill(&self.space, &rng.fork("scatter"), room, &mut part);
            part.iter().for_each(|x| xs.push(x));
            self.asked.push((Lane::Scatter, room));
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
            let before = self.best.value;
            self.first = if self.first.is_finite() { self.first } else { values[from].f64() };
            if let Some(i) = self.best.keep(self.x.rows().slice(from, to), &values[from..to]) {
                let (run, evaluation) = (self.runs(lane).max(1), self.evaluations + (i + 1) as u64);
                self.finder = Finder { lane, run, evaluation, ended: None };
            }
            self.evaluations += rows as u64;
            let gain = before.f64() - self.best.value.f64();
            if gain > GAIN * self.best.value.f64().abs() {
                self.gained = self.evaluations;
            }
            let mut part = std::mem::take(&mut self.part);
            part.copy_from(self.x.rows().slice(from, to));
            self.tell_lane(lane, before, &mut part, &values[from..to]);
            self.part = part;
            if lane == self.finder.lane && self.runs(lane).max(1) == self.finder.run && self.finder.ended.is_none() {
                self.finder.ended = self.ended(lane);
            }
            from = to;
        }
        if self.params.explored < 1.0 && !self.descents[0].search.is_mixed() {
            self.conclude();
        }
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn memory(&self) -> f64 {
        memory_of(self.params.workers, self.space.dim()) + self.model.as_ref().map_or(0.0, Model::memory)
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        let stuck = self.rounds > 0 && self.space.lower() == self.space.upper();
        let stuck = stuck.then(|| Reason::Method("no variable can move".into()));
        stuck.or_else(|| self.known.clone().map(Reason::Method))
    }

    fn explanation(&self) -> Option<String> {
        let kind = match (self.findings.separable, self.findings.smooth) {
            _ if self.findings.inexact => "known with errors",
            (Some(true), _) => "separable",
            _ if self.findings.turned => "separable along other directions than the axes",
            (_, Some(true)) => "smooth around the end of the first descent",
            (_, Some(false)) => "rugged around the end of the first descent",
            _ => "not yet known",
        };
        let Finder { lane, run, evaluation, ended } = &self.finder;
        let ended = ended.as_deref().unwrap_or("going on when all ended");
        let mut account = format!(
            "found by '{}' (run {run}: {ended}) at evaluation {evaluation} of {}; the function is {kind}; evaluations (runs):",
            NAMES[lane.kind()],
            self.evaluations
        );
        for (name, spent) in NAMES.iter().zip(&self.spent).filter(|(_, spent)| spent.evaluations > 0) {
            let _ = write!(account, " {name} {} ({})", spent.evaluations, spent.runs.max(1));
        }
        Some(account)
    }

    fn knowledge(&self) -> Option<Knowledge> {
        let Findings { separable, turned, smooth, inexact, error } = self.findings;
        let convex = match self.survey.shape {
            Shape::Linear | Shape::Quadratic | Shape::Confirmed => Some(true),
            Shape::Other => Some(false),
            Shape::Unknown | Shape::Convex => None,
        };
        let searches = self.basins.searches();
        Some(Knowledge {
            smooth: smooth.filter(|_| !inexact),
            separable: separable.filter(|_| !inexact),
            turned,
            error: (inexact && error > 0.0).then_some(error),
            convex,
            searches,
            basins: self.basins.ends() as u64,
            confirmed: searches > 0 && self.basins.is_best_confirmed(),
            unexplored: (searches > 0).then(|| self.basins.unknown().min(1.0)),
        })
    }

    fn expect_gradients(&mut self) -> bool {
        true // of its descents
    }

    fn gradient_rows(&self) -> &[usize] {
        match self.asked.first() {
            Some((Lane::Descent(k), _)) => self.descents[*k].search.gradient_rows(),
            Some((Lane::Dive, _)) => self.dive.gradient_rows(),
            _ => &[],
        }
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        match self.asked.first() {
            Some((Lane::Descent(k), _)) => self.descents[*k].search.tell_gradients(gradients),
            Some((Lane::Dive, _)) => self.dive.tell_gradients(gradients),
            _ => {}
        }
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
