//! An ensemble: M independent runs of a method whose points are evaluated in one batch.
//!
//! Run `k` draws from the stream `run{k}`, so it walks as it would walk alone with that stream. Where a batch is cheaper than its
//! points (a network, a simulator that takes many points, threads with points that are dear) an ensemble costs less than its runs
//! one after the other. The answer is that of the run with the best value so far; [`Ensemble::answers`] gives all.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{
    Algorithm, Error, Found, Kind, Knowledge, Matrix, Real, Reason, Result, Rng, Solutions, Space, View, save_state,
};

/// M runs of a method in one.
pub struct Ensemble<F: Real = f64> {
    method: String,
    runs: Vec<Box<dyn Algorithm<F>>>,
    /// Points of each run in the round that is out: rows of the batch.
    asked: Vec<usize>,
    /// Those rows whose gradient is wanted.
    gradient_rows: Vec<usize>,
    part: Matrix<F>,
    /// Smallest value of each run so far, and where it was found.
    best: Vec<F>,
    points: Vec<Vec<F>>,
}

/// Its state in a file.
#[derive(Serialize, Deserialize)]
struct Saved {
    method: String,
    best: Vec<f64>,
    points: Vec<Vec<f64>>,
    states: Vec<Vec<u8>>,
}

/// More runs than this are a slip of the finger.
const MOST: usize = 10_000;

impl Ensemble<f64> {
    /// `runs` runs of a method, `budget` evaluations for all of them together. Errors as [`Entry::build`]; at least one run,
    /// at most 10,000.
    pub fn new(entry: &Entry, runs: usize, space: &Space, budget: Option<u64>, settings: &Settings) -> Result<Self> {
        if runs == 0 || runs > MOST {
            return Err(Error::parameter("runs", runs, format!("must be from 1 to {MOST}")));
        }
        let each = budget.map(|b| b / runs as u64);
        let built = (0..runs).map(|_| entry.build(space, each, settings)).collect::<Result<_>>()?;
        Ok(Ensemble::of(entry.name, built))
    }

    /// Reads back what [`Algorithm::save`] wrote for runs of this method.
    pub fn load(entry: &Entry, bytes: &[u8]) -> Result<Self> {
        let wrong = |why: postcard::Error| Error::Saved(format!("ensemble: {why}"));
        let Saved { method, best, points, states } = postcard::from_bytes(bytes).map_err(wrong)?;
        if method != entry.name {
            return Err(Error::Saved(format!("ensemble: of {method}, not of {}", entry.name)));
        }
        let runs = states.iter().map(|state| entry.load(state)).collect::<Result<Vec<_>>>()?;
        saved::holds("runs", !runs.is_empty(), "must be there")?;
        saved::length("best", &best, runs.len())?;
        saved::length("points", &points, runs.len())?;
        if let Some(dim) = runs[0].dim() {
            runs.iter().try_for_each(|run| saved::fits("run", &**run, dim))?;
            points.iter().try_for_each(|x| saved::point("point", x, dim))?;
        }
        Ok(Ensemble { best, points, ..Ensemble::of(&method, runs) })
    }
}

impl<F: Real> Ensemble<F> {
    fn of(method: &str, runs: Vec<Box<dyn Algorithm<F>>>) -> Self {
        let (best, points) = (vec![F::infinity(); runs.len()], vec![Vec::new(); runs.len()]);
        let (asked, gradient_rows) = (Vec::new(), Vec::new());
        Ensemble { method: method.into(), runs, asked, gradient_rows, part: Matrix::default(), best, points }
    }

    /// The answer of each run, after the first `tell`.
    pub fn answers(&self) -> Vec<Vec<F>> {
        self.runs.iter().map(|run| run.answer()).collect()
    }

    /// The smallest value that each run has seen.
    pub fn best(&self) -> &[F] {
        &self.best
    }

    /// The runs.
    pub fn runs(&self) -> &[Box<dyn Algorithm<F>>] {
        &self.runs
    }

    fn leader(&self) -> usize {
        swarmgrad_core::best_index(&self.best).unwrap_or(0)
    }
}

impl<F: Real> Algorithm<F> for Ensemble<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.clear();
        self.asked.clear();
        self.gradient_rows.clear();
        for (k, run) in self.runs.iter_mut().enumerate() {
            run.ask(&rng.fork(&format!("run{k}")), &mut self.part);
            if xs.is_empty() {
                xs.resize(0, self.part.dim());
            }
            if !self.part.is_empty() {
                self.gradient_rows.extend(run.gradient_rows().iter().map(|row| xs.len() + row));
            }
            self.asked.push(self.part.len());
            self.part.iter().for_each(|x| xs.push(x));
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        let mut from = 0;
        let bests = self.best.iter_mut().zip(&mut self.points);
        for ((run, &asked), (best, point)) in self.runs.iter_mut().zip(&self.asked).zip(bests) {
            if asked > 0 {
                self.part.copy_from(xs.rows().slice(from, from + asked));
                let values = &values[from..from + asked];
                if let Some(i) = swarmgrad_core::best_index(values).filter(|&i| values[i] < *best) {
                    *best = values[i];
                    point.clear();
                    point.extend_from_slice(self.part.row(i));
                }
                run.tell(&mut self.part, values);
                from += asked;
            }
        }
    }

    fn expect_gradients(&mut self) -> bool {
        // All of them are of one method: they agree.
        let mut uses = false;
        for run in &mut self.runs {
            uses |= run.expect_gradients();
        }
        uses
    }

    fn gradient_rows(&self) -> &[usize] {
        &self.gradient_rows
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        let mut from = 0;
        for (run, &asked) in self.runs.iter_mut().zip(&self.asked) {
            let wanted = run.gradient_rows().len();
            if asked > 0 && wanted > 0 {
                self.part.copy_from(gradients.rows().slice(from, from + wanted));
                run.tell_gradients(&self.part);
                from += wanted;
            }
        }
    }

    /// An equal share for each.
    fn set_spent(&mut self, cost: u64) {
        let each = cost / self.runs.len().max(1) as u64;
        self.runs.iter_mut().for_each(|run| run.set_spent(each));
    }

    fn answer(&self) -> Vec<F> {
        self.runs[self.leader()].answer()
    }

    /// That of the leading run.
    fn explanation(&self) -> Option<String> {
        self.runs[self.leader()].explanation()
    }

    /// That of the leading run.
    fn knowledge(&self) -> Option<Knowledge> {
        self.runs[self.leader()].knowledge()
    }

    /// The best point of each run that has found one.
    fn solutions(&self) -> Option<Solutions<F>> {
        let found = |(x, &value): (&Vec<F>, &F)| Found { x: x.clone(), value, parts: Vec::new(), particles: 1 };
        let points = self.points.iter().zip(&self.best).filter(|(x, _)| !x.is_empty()).map(found).collect();
        Some(Solutions { kind: Kind::Runs, points })
    }

    fn dim(&self) -> Option<usize> {
        self.runs[0].dim()
    }

    fn memory(&self) -> f64 {
        self.runs.iter().map(|run| run.memory()).sum()
    }

    /// Those of the run that has made the most.
    fn iterations(&self) -> u64 {
        self.runs.iter().map(|run| run.iterations()).max().unwrap_or(0)
    }

    /// When all runs have ended.
    fn stop_reason(&self) -> Option<Reason> {
        let reasons: Option<Vec<Reason>> = self.runs.iter().map(|run| run.stop_reason()).collect();
        reasons.and_then(|reasons| reasons.into_iter().next())
    }

    /// That of the leading run.
    fn view(&self) -> View<'_, F> {
        self.runs[self.leader()].view()
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        let state = |run: &dyn Algorithm<F>| {
            let mut bytes = Vec::new();
            run.save(&mut bytes).map(|()| bytes)
        };
        let states = self.runs.iter().map(|run| state(&**run)).collect::<Result<_>>()?;
        let numbers = |x: &[F]| -> Vec<f64> { x.iter().map(|t| t.f64()).collect() };
        let points = self.points.iter().map(|x| numbers(x)).collect();
        let saved = Saved { method: self.method.clone(), best: numbers(&self.best), points, states };
        save_state("ensemble", &saved, out)
    }
}
