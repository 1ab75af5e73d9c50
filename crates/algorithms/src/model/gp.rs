//! Bayesian optimisation: the next point is where a Gaussian process through all values expects to gain most, in a trust region.
//!
//! Papers: Jones, Schonlau and Welch, "Efficient global optimization of expensive black-box functions" (Journal of Global Optimization
//! 13, 1998), for the expected improvement; Eriksson, Pearce, Gardner, Turner and Poloczek, "Scalable global optimization via local
//! Bayesian optimization" (NeurIPS 2019), for the trust region; Ginsbourger, Le Riche and Carraro, "Kriging is well-suited to
//! parallelize optimization" (2010), for several points at once. For dear objectives: a point costs milliseconds.
//!
//! ```text
//! first   the start, then Sobol points (draws of the start's law where there are no bounds), n_0 in all
//! (1)     the scale of the values (likeliest.rs, eq. (2)) and the kernel that are likeliest; lengths l and error e by ascent
//! (2)     x = argmax log E max(f_best - f(x), 0), in every third round in the whole box, else for
//!         |x_j - x_best,j| <= L / 2 l_j / (l_1 .. l_d)^(1/d); from the best of many draws
//! (3)     L <- 2 L after three rounds that gained, L / 2 after max(d / 2, 2) that did not; below SMALLEST the whole box again
//! (4)     for q points at once: after each the process believes its own mean there
//! ```
//!
//! Differs from the papers: the kernel is chosen by its likelihood; the region is widened again instead of begun anew, with all values
//! kept; of more than `most` values those nearest to the best point are kept in the process. Choices are one-hot with one length, so that
//! their distance is whether they differ; whole variables and choices are drawn, real ones climb the slope of (2) as well. Without bounds
//! the unit of a variable is eight deviations of the start's law.

use super::likeliest::{Likeliest, Scale};
use super::process::{Kernel, Prediction, Process};
use crate::method::Method;
use crate::parameters::{Parameters, parameters};
use crate::restart::BestPoint;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Algorithm, Draws, Matrix, Part, Real, Result, Rng, Space, Start, View, math, memory, save_state};

parameters! {
    /// Parameters of [`Gp`].
    pub struct Params {
        /// Points before the first model; null for d + 2, and a third of the budget at most.
        first "n_0": Option<usize> = None, Within(2.0, 1_000.0);
        /// Points that a round asks for.
        batch "q": usize = 1, Within(1.0, 100.0);
        /// Most values in the process: a round costs about the third power of it.
        most "n": usize = 200, Within(10.0, 1_000.0);
        /// First side of the trust region, in widths of the box; 1.6 is all of it.
        region "L": f64 = 0.8, Within(0.01, 1.6);
        /// One round in so many looks at the whole box; 0 for none.
        explore "": usize = 3, Within(0.0, 1_000.0);
    }
}

/// Sides of the trust region below which the whole box is looked at again, and the largest.
const SMALLEST: f64 = 0.0078125;
const WHOLE: f64 = 1.6;
/// Draws of which the best climb, how many climb, and by how many steps.
const DRAWS: usize = 1000;
const CLIMBERS: usize = 4;
const CLIMB: usize = 25;
/// Multiplications that the draws and the ascent of eq. (1) may take in a round, about.
const WORK: f64 = 3e6;
/// Most steps of that ascent; and growth of the number of values after which scale and kernel are chosen anew.
const STEPS: usize = 20;
const GROWTH: f64 = 1.15;

/// Bayesian optimisation as an algorithm.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Gp<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    first: usize,
    /// Zero and unit of each coordinate.
    origin: Vec<f64>,
    unit: Vec<f64>,
    /// What was evaluated, one row a point, in units; and the values.
    u: Vec<f64>,
    f: Vec<f64>,
    /// One for each scale and kernel, the one at work, and how many values there were when it was chosen.
    likeliest: Vec<Likeliest>,
    at_work: usize,
    chosen: usize,
    side: f64,
    gains: u32,
    failures: u32,
    rounds: u64,
    best: BestPoint<F>,
    x: Matrix<F>,
    #[serde(skip)]
    lent: bool,
}

/// What a round works with.
struct Round<'a, F: Real> {
    space: &'a Space<F>,
    process: &'a Process,
    best: f64,
    /// The ends of the trust region, and its middle.
    low: Vec<f64>,
    high: Vec<f64>,
    middle: &'a [f64],
}

impl<F: Real> Gp<F> {
    /// Adds points and values.
    fn know(&mut self, values: &[F]) {
        for (x, &value) in self.x.iter().zip(values) {
            self.u.extend(x.iter().zip(self.origin.iter().zip(&self.unit)).map(|(x, (o, w))| (x.f64() - o) / w));
            let value = value.f64();
            self.f.push(if value.is_nan() { f64::INFINITY } else { value.max(-f64::MAX) });
        }
    }

    /// The point of a place in units.
    fn point(&self, u: &[f64], x: &mut [F]) {
        let bounds = self.space.lower().iter().zip(self.space.upper());
        for ((x, (&u, (o, w))), (&low, &high)) in
            x.iter_mut().zip(u.iter().zip(self.origin.iter().zip(&self.unit))).zip(bounds)
        {
            *x = F::of(o + w * u).max(low).min(high);
        }
        self.space.centre(x);
    }

    /// The first points.
    fn begin(&mut self, rng: &Rng) {
        let mut first = Matrix::default();
        self.start.fill_first(&self.space, rng, &mut first);
        let rest = self.first.saturating_sub(first.len());
        let law = if self.space.is_bounded() { Start::Sobol } else { self.start.later() };
        law.fill(&self.space, &rng.fork("first"), rest, &mut self.x);
        self.x.iter().for_each(|x| first.push(x));
        for i in 0..first.len() {
            self.space.centre(first.row_mut(i));
        }
        std::mem::swap(&mut self.x, &mut first);
        // Units, where there are no bounds: around the first point.
        let spread = match &self.start {
            Start::Normal { deviation, .. } if *deviation > 0.0 => *deviation,
            _ => 1.0,
        };
        for j in 0..self.space.dim() {
            let (low, high) = (self.space.lower()[j].f64(), self.space.upper()[j].f64());
            let middle = self.x.row(0)[j].f64();
            let reach = 4.0 * spread * middle.abs().max(1.0);
            let low = if low.is_finite() { low } else { (middle.min(high) - reach).max(-f64::MAX) };
            let high = if high.is_finite() { high } else { (middle.max(low) + reach).min(f64::MAX) };
            self.origin[j] = low;
            self.unit[j] = if high > low { (high - low).min(f64::MAX) } else { 1.0 };
        }
    }

    /// Rows of the values that the process is made of.
    fn kept(&self, best: usize) -> Vec<usize> {
        let (n, dim) = (self.f.len(), self.space.dim());
        let mut rows: Vec<usize> = (0..n).collect();
        if n > self.params.most {
            let lengths = self.likeliest[self.at_work].lengths();
            let centre = &self.u[best * dim..(best + 1) * dim];
            let away = |i: usize| -> f64 {
                let x = &self.u[i * dim..(i + 1) * dim];
                x.iter().zip(centre).zip(&lengths).map(|((a, b), l)| ((a - b) / l) * ((a - b) / l)).sum()
            };
            rows.sort_by(|&a, &b| away(a).total_cmp(&away(b)).then(a.cmp(&b)));
            rows.truncate(self.params.most);
            rows.sort_unstable();
        }
        rows
    }

    /// The best point, and places and values that the process is made of.
    fn known(&self) -> (usize, Vec<f64>, Vec<f64>) {
        let dim = self.space.dim();
        let best = (0..self.f.len()).fold(0, |best, i| if self.f[i] < self.f[best] { i } else { best });
        let kept = self.kept(best);
        let x = kept.iter().flat_map(|&i| self.u[i * dim..(i + 1) * dim].iter().copied()).collect();
        (best, x, kept.iter().map(|&i| self.f[i]).collect())
    }

    /// Eq. (1).
    fn fit(&mut self) {
        let (_, x, f) = self.known();
        let n = f.len() as f64;
        let steps = ((WORK / (0.5 * n * n * n + 20.0 * n * n)) as usize).clamp(1, STEPS);
        let anew = self.chosen == 0 || self.f.len() as f64 >= GROWTH * self.chosen as f64;
        let (mut found, mut z) = ((f64::NEG_INFINITY, self.at_work), Vec::new());
        for k in 0..self.likeliest.len() {
            if !anew && k != self.at_work {
                continue;
            }
            let Some(known) = self.scale(k).write(&f, &mut z) else { continue };
            let Some((reached, _)) = self.likeliest[k].climb(&x, &z, steps) else { continue };
            if reached + known > found.0 {
                found = (reached + known, k);
            }
        }
        self.at_work = found.1;
        self.chosen = if anew { self.f.len() } else { self.chosen };
    }

    fn scale(&self, k: usize) -> Scale {
        Scale::ALL[k / Kernel::ALL.len()]
    }

    /// Whether this round looks at the whole box.
    fn is_global(&self) -> bool {
        self.params.explore > 0 && self.rounds.is_multiple_of(self.params.explore as u64)
    }

    /// The ends of the trust region.
    fn region(&self, middle: &[f64]) -> [Vec<f64>; 2] {
        let lengths = self.likeliest[self.at_work].lengths();
        let mean = lengths.iter().map(|l| math::ln(*l)).sum::<f64>() / lengths.len() as f64;
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for (j, (&m, l)) in middle.iter().zip(&lengths).enumerate() {
            let half = if self.side >= WHOLE || self.is_global() {
                f64::INFINITY
            } else {
                0.5 * self.side * l / math::exp(mean)
            };
            let end = |bound: F| (bound.f64() - self.origin[j]) / self.unit[j];
            let ends = [(m - half).max(end(self.space.lower()[j])), (m + half).min(end(self.space.upper()[j]))];
            // All of a line without an end is a unit to either side.
            low.push(if ends[0] == f64::NEG_INFINITY { m - 1.0 } else { ends[0] });
            high.push(if ends[1] == f64::INFINITY { m + 1.0 } else { ends[1] });
        }
        [low, high]
    }

    /// Asks for the points of eq. (2).
    fn ask_best(&mut self, rng: &Rng) {
        let dim = self.space.dim();
        let (best, mut x, f) = self.known();
        let rng = rng.fork("improvement");
        self.x.resize(0, dim);
        let (mut point, mut z) = (vec![F::zero(); dim], Vec::new());
        let is_known = self.f[best].is_finite() && self.scale(self.at_work).write(&f, &mut z).is_some();
        let fitted = if is_known { self.likeliest[self.at_work].process(&x, &z) } else { None };
        let Some(mut process) = fitted else {
            // Nothing is known yet.
            return self.start.later().fill(&self.space, &rng, self.params.batch, &mut self.x);
        };
        let middle = self.u[best * dim..(best + 1) * dim].to_vec();
        let [low, high] = self.region(&middle);
        let least = z.iter().copied().fold(f64::INFINITY, f64::min);
        for q in 0..self.params.batch {
            let (low, high) = (low.clone(), high.clone());
            let round = Round { space: &self.space, process: &process, best: least, low, high, middle: &middle };
            let u = self.most_improving(&round, &mut rng.row(q));
            self.point(&u, &mut point);
            self.x.push(&point);
            if q + 1 < self.params.batch {
                let mut believed = Prediction::default();
                process.predict(&u, &mut believed);
                x.extend_from_slice(&u);
                z.push(believed.mean.max(least));
                match self.likeliest[self.at_work].process(&x, &z) {
                    Some(next) => process = next,
                    None => break,
                }
            }
        }
    }

    /// Eq. (2): the best of many draws, of which the best few climb.
    fn most_improving(&self, round: &Round<'_, F>, draws: &mut Draws<'_>) -> Vec<f64> {
        let (dim, n) = (self.space.dim(), self.f.len().min(self.params.most) as f64);
        let count = ((WORK / (n * n + 30.0 * n)) as usize).clamp(60, DRAWS.min(100 + 100 * dim));
        let mut out = Prediction::default();
        let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
        let mut point = vec![F::zero(); dim];
        let share = (20.0 / dim as f64).min(1.0);
        for k in 0..count {
            // The second half keeps near the best point.
            let near = if k % 2 == 1 { 0.1 } else { 1.0 };
            let mut u = round.draw(share, near, draws);
            self.point(&u, &mut point);
            u.iter_mut().zip(&point).enumerate().for_each(|(j, (u, x))| *u = (x.f64() - self.origin[j]) / self.unit[j]);
            if self.u.chunks_exact(dim).any(|known| known == &u[..]) {
                continue;
            }
            let gain = round.process.log_improvement(&u, round.best, &mut out);
            let at = found.partition_point(|(other, _)| *other >= gain);
            if at < CLIMBERS {
                found.insert(at, (gain, u));
                found.truncate(CLIMBERS);
            }
        }
        for (gain, u) in &mut found {
            round.climb(gain, u, &self.likeliest[self.at_work].lengths(), &mut out);
        }
        let best = found.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map_or_else(|| round.draw(1.0, 1.0, draws), |(_, u)| u)
    }

    fn verify(&self) -> Result<()> {
        let dim = self.space.dim();
        saved::parameters(&self.params)?;
        self.start.check(&self.space)?;
        saved::count("rounds", self.rounds)?;
        saved::shape("x", &self.x, self.x.len(), dim)?;
        saved::length("origin", &self.origin, dim)?;
        saved::length("unit", &self.unit, dim)?;
        saved::holds("unit", self.unit.iter().all(|u| *u > 0.0), "must be above 0")?;
        saved::length("u", &self.u, self.f.len() * dim)?;
        saved::length("likeliest", &self.likeliest, Scale::ALL.len() * Kernel::ALL.len())?;
        saved::below("at_work", [&self.at_work], self.likeliest.len())?;
        saved::holds("lengths", self.likeliest.iter().all(|l| l.is_sound(dim)), "must be one a group of variables")?;
        saved::holds("side", self.side > 0.0 && self.side <= WHOLE, "must be a side")?;
        let first = 1..=self.params.first.unwrap_or(dim + 2);
        saved::holds("first", first.contains(&self.first), "must be at least 1, and what is asked for")?;
        saved::holds("counts", self.gains.max(self.failures) < 1 << 20, "must be counts")?;
        saved::numbers("f", &self.f)?;
        self.best.verify(dim)?;
        let begun = self.rounds == 0 || !self.f.is_empty() && !self.best.x.is_empty();
        saved::holds("values", begun, "must be there after the first round")
    }
}

impl<F: Real> Round<'_, F> {
    /// A place in the trust region that differs from the middle in some of its parts.
    fn draw(&self, share: f64, near: f64, draws: &mut Draws<'_>) -> Vec<f64> {
        let mut u = self.middle.to_vec();
        let count = self.space.parts().count().max(1);
        let always = (draws.uniform() * count as f64) as usize;
        for (k, part) in self.space.parts().enumerate() {
            // A whole variable or a choice moves by a step or not at all: most of them have to stay where they are good.
            let share = match part {
                Part::Continuous(_) => share,
                _ if near < 1.0 => 1.0 / count as f64,
                _ => 0.5 * share,
            };
            let moves = k == always || draws.uniform() < share;
            let t = draws.uniform();
            if !moves {
                continue;
            }
            match part {
                Part::Continuous(j) => {
                    let end = if t < 0.5 { self.low[j] } else { self.high[j] };
                    u[j] += near * (2.0 * t - 1.0).abs() * (end - u[j]);
                }
                Part::Steps { at: j, count } => {
                    // By one step at least.
                    let step = 1.0 / (count.max(2) - 1) as f64;
                    let end = if t < 0.5 { self.low[j].min(u[j] - step) } else { self.high[j].max(u[j] + step) };
                    let way = (near * (2.0 * t - 1.0).abs() * (end - u[j]).abs()).max(step);
                    u[j] += way.copysign(t - 0.5);
                }
                Part::Choice { from, to } => {
                    let k = (t * (to - from) as f64) as usize;
                    u[from..to].fill(0.0);
                    u[from + k.min(to - from - 1)] = 1.0;
                }
            }
        }
        u
    }

    /// Climbs along the real variables.
    fn climb(&self, gain: &mut f64, u: &mut [f64], lengths: &[f64], out: &mut Prediction) {
        let real: Vec<bool> = (0..u.len()).map(|j| self.space.is_continuous(j) && self.low[j] < self.high[j]).collect();
        let (mut slope, mut next, mut step) = (Vec::new(), u.to_vec(), 1.0);
        for _ in 0..CLIMB {
            *gain = self.process.log_improvement(u, self.best, out);
            self.process.log_improvement_slope(u, self.best, out, &mut slope);
            // Against a bound there is no way.
            let way = |j: usize| {
                let blocked = (slope[j] > 0.0 && u[j] >= self.high[j]) || (slope[j] < 0.0 && u[j] <= self.low[j]);
                if real[j] && !blocked && slope[j].is_finite() { lengths[j] * slope[j] } else { 0.0 }
            };
            let norm = (0..u.len()).map(|j| way(j) * way(j)).sum::<f64>().sqrt();
            if norm <= 1e-9 {
                return;
            }
            let mut better = None;
            for _ in 0..8 {
                let length = step * (0.3 / norm).min(1.0);
                for j in 0..u.len() {
                    let moved = u[j] + length * lengths[j] * way(j);
                    next[j] = if real[j] { moved.max(self.low[j]).min(self.high[j]) } else { u[j] };
                }
                let reached = self.process.log_improvement(&next, self.best, out);
                if reached > *gain {
                    better = Some(reached);
                    break;
                }
                step *= 0.3;
            }
            let Some(reached) = better else { return };
            let little = reached - *gain < 1e-4;
            *gain = reached;
            u.copy_from_slice(&next);
            step = (2.0 * step).min(4.0);
            if little {
                return;
            }
        }
    }
}

/// Bytes that it takes at most: values and points of the run, and a few square matrices.
fn memory_of(params: &Params, dim: usize, budget: Option<u64>) -> f64 {
    let points = budget.unwrap_or(10_000) as f64;
    let most = params.most as f64 + params.batch as f64;
    8.0 * (points * (dim as f64 + 1.0) + 4.0 * most.min(points) * most.min(points) + 30.0 * dim as f64)
}

impl<F: Real> Method<F> for Gp<F> {
    const NAME: &'static str = "gp";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let dim = space.dim();
        memory::check(Self::NAME, dim, memory_of(&params, dim, budget))?;
        let few = budget.map_or(usize::MAX, |b| usize::try_from(b / 3).unwrap_or(usize::MAX).max(2));
        let mut groups = vec![0; dim];
        for (group, part) in space.parts().enumerate() {
            match part {
                Part::Continuous(j) | Part::Steps { at: j, .. } => groups[j] = group,
                Part::Choice { from, to } => groups[from..to].fill(group),
            }
        }
        let kernels = Scale::ALL.iter().flat_map(|_| Kernel::ALL);
        Ok(Gp {
            first: params.first.unwrap_or((dim + 2).min(few)),
            side: params.region,
            likeliest: kernels.map(|kernel| Likeliest::new(kernel, groups.clone())).collect(),
            params,
            space: space.clone(),
            start,
            origin: vec![0.0; dim],
            unit: vec![1.0; dim],
            u: Vec::new(),
            f: Vec::new(),
            at_work: 0,
            chosen: 0,
            gains: 0,
            failures: 0,
            rounds: 0,
            best: BestPoint::default(),
            x: Matrix::default(),
            lent: false,
        })
    }

    fn verify(&self) -> Result<()> {
        self.verify()
    }
}

impl<F: Real> Algorithm<F> for Gp<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        if self.rounds == 0 {
            self.begin(rng);
        } else {
            self.ask_best(rng);
        }
        xs.copy_from(self.x.rows());
        self.lent = true;
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        assert_eq!(values.len(), self.x.len(), "tell needs one value for each point asked");
        self.lent = false;
        std::mem::swap(&mut self.x, xs);
        self.know(values);
        let gained = self.best.keep(self.x.rows(), values).is_some();
        if self.rounds > 0 {
            // Eq. (3).
            let patience = (self.space.dim() / 2).max(2).div_ceil(self.params.batch) as u32;
            match (gained, self.is_global()) {
                (true, true) => self.failures = 0,
                (false, true) => {}
                (true, false) => (self.gains, self.failures) = (self.gains + 1, 0),
                (false, false) => (self.gains, self.failures) = (0, self.failures + 1),
            }
            if self.gains >= 3 {
                (self.side, self.gains) = ((2.0 * self.side).min(WHOLE), 0);
            } else if self.failures >= patience {
                (self.side, self.failures) = (0.5 * self.side, 0);
                self.side = if self.side < SMALLEST { WHOLE } else { self.side };
            }
        }
        self.rounds += 1;
        self.fit();
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn memory(&self) -> f64 {
        memory_of(&self.params, self.space.dim(), None)
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn view(&self) -> View<'_, F> {
        let mut view = View { matrices: vec![("x", self.x.rows())], ..View::default() };
        view.vectors.push(("g", &self.best.x));
        view.numbers.extend([("f", self.best.value.f64()), ("region", self.side)]);
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(<Self as Method<F>>::NAME, self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::{Evaluations, Function, Run, Variable};

    fn best(space: &Space, params: Params, budget: u64, seed: u64, f: impl Fn(&[f64]) -> f64 + Sync) -> f64 {
        let mut method = Gp::<f64>::new(space, Start::Uniform, Some(budget), params).unwrap();
        let problem = Function::new(space.clone(), f);
        let outcome = Run::new(&problem, &mut method, seed).watch(&mut Evaluations(budget)).minimize();
        assert!(outcome.nfev == budget && space.contains(&outcome.x) && outcome.x.iter().all(|t| t.is_finite()));
        outcome.fun
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_unstable_by(f64::total_cmp);
        values[values.len() / 2]
    }

    #[test]
    fn thirty_evaluations_find_a_minimum_of_two_variables() {
        let pi = std::f64::consts::PI;
        let branin = |x: &[f64]| {
            let bow = x[1] - 5.1 / (4.0 * pi * pi) * x[0] * x[0] + 5.0 / pi * x[0] - 6.0;
            bow * bow + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * math::cos(x[0]) + 10.0 - 0.397_887_357_729_739
        };
        let space = Space::new(vec![-5.0, 0.0], vec![10.0, 15.0]).unwrap();
        let gaps = (0..7).map(|seed| best(&space, Params::default(), 30, seed, branin)).collect();
        assert!(median(gaps) < 1e-3, "random search has about 1 here");
        // Four at a time.
        let gaps =
            (0..7).map(|seed| best(&space, Params { batch: 4, ..Params::default() }, 40, seed, branin)).collect();
        assert!(median(gaps) < 0.05);
    }

    #[test]
    fn where_there_are_no_bounds_it_goes_to_where_the_minimum_is() {
        let far = |x: &[f64]| x.iter().map(|t| (t - 30.0) * (t - 30.0)).sum::<f64>();
        for explore in [0, 1, 3] {
            let space = Space::unbounded(2).unwrap();
            let found = best(&space, Params { explore, ..Params::default() }, 60, 1, far);
            assert!(found < 1.0, "{explore}: {found}");
        }
        let half = Space::new(vec![0.0, f64::NEG_INFINITY], vec![f64::INFINITY, 40.0]).unwrap();
        assert!(best(&half, Params::default(), 60, 1, far) < 1.0);
    }

    #[test]
    fn whole_variables_and_choices_are_searched_without_paying_twice() {
        let texts = ["lr=log:1e-5:1", "layers=int:1:8", "act=choice:relu,tanh,gelu", "skip=flag"];
        let variables = texts.iter().map(|text| Variable::parse(text)).collect::<Result<_>>().unwrap();
        let space = Space::<f64>::of(variables).unwrap();
        let mut method = Gp::<f64>::new(&space, Start::Uniform, Some(60), Params::default()).unwrap();
        let (mut xs, mut seen, mut found) = (Matrix::default(), std::collections::BTreeSet::new(), f64::INFINITY);
        let mut asked = 0;
        for round in 0..50_u64 {
            method.ask(&Rng::new(round), &mut xs);
            let values: Vec<f64> = xs
                .iter()
                .map(|x| {
                    asked += 1;
                    seen.insert(x.iter().map(|t| t.to_bits()).collect::<Vec<_>>());
                    let rate = (x[0] - space.lower()[0]) / space.width(0) - 0.4;
                    20.0 * rate * rate + (x[1] - 5.0).abs() + 2.0 * (1.0 - x[3]) + x[5]
                })
                .collect();
            found = values.iter().copied().fold(found, f64::min);
            method.tell(&mut xs, &values);
        }
        assert_eq!(seen.len(), asked, "a point twice");
        assert!(found < 1e-3, "{found}");
    }

    #[test]
    fn a_round_broken_off_is_asked_again_after_loading() {
        let space = Space::cube(3, -5.0, 5.0).unwrap();
        let problem = Function::new(space.clone(), |x: &[f64]| x.iter().map(|t| (t - 1.3) * (t - 1.3)).sum());
        let mut method = Gp::<f64>::new(&space, Start::Uniform, None, Params::default()).unwrap();
        Run::new(&problem, &mut method, 1).watch(&mut Evaluations(20)).minimize();
        let (mut first, mut again, mut state) = (Matrix::default(), Matrix::default(), Vec::new());
        method.ask(&Rng::new(1), &mut first);
        method.save(&mut state).unwrap();
        let mut method: Gp<f64> = postcard::from_bytes(&state).unwrap();
        method.verify().unwrap();
        method.ask(&Rng::new(1), &mut again);
        assert_eq!(first.data(), again.data());
    }

    #[test]
    fn failures_and_values_without_an_end_are_borne() {
        let space = Space::cube(2, -1.0, 1.0).unwrap();
        let odd = |x: &[f64]| match x {
            [a, _] if *a > 0.5 => f64::NAN,
            [_, b] if *b > 0.5 => f64::INFINITY,
            _ => x[0] * x[0] + x[1] * x[1],
        };
        assert!(best(&space, Params::default(), 30, 1, odd) < 0.01);
        assert_eq!(best(&space, Params::default(), 20, 1, |_| 3.0), 3.0);
        assert_eq!(best(&space, Params::default(), 20, 1, |_| f64::NAN), f64::INFINITY);
    }
}
