//! What the adaptive methods of differential evolution share: JADE, SHADE, L-SHADE and jSO.
//!
//! Papers: Zhang and Sanderson, "JADE: adaptive differential evolution with optional external archive" (IEEE TEC 2009);
//! Tanabe and Fukunaga, "Success-history based parameter adaptation for differential evolution" (CEC 2013):
//!
//! ```text
//! CR_i = N(mu_CR, 0.1) cut to [0, 1]                 F_i = C(mu_F, 0.1), again while <= 0, cut to 1
//! mutant   v_i = y_i + Fw (y_pbest - y_i) + F_i (y_r1 - y~_r2)
//! repair   v_ij <- (bound_j + y_ij) / 2 where it left the bounds
//! trial    x_ij = v_ij where rand_j < CR_i or j = jrand, else y_ij
//! survival y_i <- x_i if E(x_i) <= E(y_i); where E(x_i) < E(y_i) the parent goes to the archive and F_i, CR_i, and the gain
//!          E(y_i) - E(x_i) to the successes from which mu_F and mu_CR learn
//! ```
//!
//! C is the Cauchy law, made as a quotient of two normals; y_pbest one of the best, y_r1 from the population, y~_r2 from the
//! population and the archive, all different. Random members leave an archive that has grown too large. What a method adds
//! is its [`Law`]: where mu_F and mu_CR come from, how many are the best, how the population shrinks.
//!
//! Differs from the papers: the archive is cut at the beginning of the next iteration, after all parents of the last one
//! entered, so that any of them may leave; a gain from +inf counts for 1 and all finite ones beside it for 0.

use super::mutate::{current_to_pbest_1, midpoint};
use super::select::{best_share, one_of, rank, two_others};
use crate::parameters::Parameters;
use crate::particle::{Motion, Remembered, Swarm};
use crate::saved;
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_core::simd::level;
use swarmgrad_core::{Matrix, Real, Result, Rng, Space, View};

/// What one of the adaptive methods says about its trials. Everything else is [`Adaptive`]'s business.
pub trait Law: Send + Sync + Sized + Serialize + DeserializeOwned {
    /// The method's name.
    const NAME: &'static str;
    /// Uniform numbers that [`Law::control`] takes for a trial.
    const UNIFORMS: usize;
    /// Its parameters.
    type Params: Parameters;

    /// The law with checked parameters, for points of `dim` coordinates. `budget`: evaluations planned.
    fn new(params: Self::Params, dim: usize, budget: Option<u64>) -> Result<Self>;

    /// Individuals in the population after so many evaluations; the first population for 0.
    fn population(&self, evaluations: u64) -> usize;

    /// Members that the archive may have beside a population.
    fn archive(&self, population: usize) -> usize;

    /// The numbers of one trial.
    fn control(&self, stage: Stage, uniforms: &[f64], dice: &Dice<'_>) -> Control;

    /// Takes in what succeeded in an iteration; never empty.
    fn learn(&mut self, successes: &Successes);

    /// Whether a law that was read back fits together.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify(&self) -> Result<()>;

    /// The means of what is remembered, (mu_F, mu_CR), for watchers.
    fn means(&self) -> (f64, f64);
}

/// Where a run stands.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// Individuals.
    pub population: usize,
    /// Evaluations made.
    pub evaluations: u64,
}

/// The numbers with which a trial is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Weight of the difference, F.
    pub weight: f64,
    /// Weight of the way to the pbest, Fw.
    pub pull: f64,
    /// Probability that a coordinate comes from the mutant, CR.
    pub rate: f64,
    /// How many are the best.
    pub best: usize,
    /// Whether the pbest must not be the parent itself.
    pub another: bool,
}

/// The deviation of CR and the scale of F around their means.
pub const SPREAD: f64 = 0.1;

/// Draws of a weight around a mean that a damaged state may have made negative.
const MOST_DRAWS: usize = 1000;

/// The normal numbers of a trial.
#[derive(Debug)]
pub struct Dice<'a> {
    normals: [f64; 3],
    again: &'a Rng,
    row: usize,
}

impl Dice<'_> {
    /// CR: normal around `mean`, cut to [0, 1]; 0 for the terminal value.
    #[inline]
    pub fn rate(&self, mean: Option<f64>) -> f64 {
        self.rate_within(mean, SPREAD)
    }

    /// F: Cauchy around `mean`, again until it is positive, cut to 1.
    #[inline]
    pub fn weight(&self, mean: f64) -> f64 {
        self.weight_within(mean, SPREAD)
    }

    /// CR with another deviation.
    #[inline]
    pub fn rate_within(&self, mean: Option<f64>, spread: f64) -> f64 {
        mean.map_or(0.0, |mean| (mean + spread * self.normals[0]).clamp(0.0, 1.0))
    }

    /// F with another scale.
    #[inline]
    pub fn weight_within(&self, mean: f64, spread: f64) -> f64 {
        let cauchy = |a: f64, b: f64| mean + spread * (a / b);
        let first = cauchy(self.normals[1], self.normals[2]);
        if first > 0.0 {
            return first.min(1.0);
        }
        let mut draws = self.again.row(self.row);
        // Around a mean that is not negative every other draw is positive.
        for _ in 0..MOST_DRAWS {
            let weight = cauchy(draws.normal(), draws.normal());
            if weight > 0.0 {
                return weight.min(1.0);
            }
        }
        1.0
    }
}

/// What succeeded in an iteration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Successes {
    /// S_F.
    pub weights: Vec<f64>,
    /// S_CR.
    pub rates: Vec<f64>,
    gains: Vec<f64>,
    largest: f64,
}

impl Successes {
    fn clear(&mut self) {
        self.weights.clear();
        self.rates.clear();
        self.gains.clear();
        self.largest = 0.0;
    }

    fn push(&mut self, control: &Control, gain: f64) {
        self.weights.push(control.weight);
        self.rates.push(control.rate);
        self.gains.push(gain);
        self.largest = self.largest.max(gain);
    }

    /// sum w_k t(k), where w_k is the share of gain k in the largest one.
    fn weighted(&self, t: impl Fn(usize) -> f64) -> f64 {
        let share = |gain: f64| {
            if self.largest.is_finite() { gain / self.largest } else { f64::from(u8::from(gain.is_infinite())) }
        };
        self.gains.iter().enumerate().fold(0.0, |sum, (k, &gain)| sum + share(gain) * t(k))
    }

    /// mean_WL(S_F) = sum w F^2 / sum w F.
    pub fn lehmer_weight(&self) -> f64 {
        self.weighted(|k| self.weights[k] * self.weights[k]) / self.weighted(|k| self.weights[k])
    }

    /// mean_WL(S_CR), none where every rate that counts is 0.
    pub fn lehmer_rate(&self) -> Option<f64> {
        let sum = self.weighted(|k| self.rates[k]);
        (sum > 0.0).then(|| self.weighted(|k| self.rates[k] * self.rates[k]) / sum)
    }

    /// mean_WA(S_CR) = sum w CR / sum w.
    pub fn mean_rate(&self) -> f64 {
        self.weighted(|k| self.rates[k]) / self.weighted(|_| 1.0)
    }
}

/// The success history of SHADE and its successors: H pairs of means, written in turn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct History {
    weights: Vec<f64>,
    rates: Vec<Option<f64>>,
    next: usize,
}

impl History {
    /// H entries, all alike.
    pub fn new(entries: usize, weight: f64, rate: f64) -> Self {
        History { weights: vec![weight; entries], rates: vec![Some(rate); entries], next: 0 }
    }

    /// Whether a history that was read back fits together.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    pub fn verify(&self) -> Result<()> {
        saved::holds("history", !self.weights.is_empty(), "must have an entry")?;
        saved::length("rates", &self.rates, self.weights.len())?;
        saved::below("next", [&self.next], self.weights.len())
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Never: there is at least one entry.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// (M_F, M_CR) of an entry; no M_CR is the terminal value.
    pub fn entry(&self, r: usize) -> (f64, Option<f64>) {
        (self.weights[r], self.rates[r])
    }

    /// What `renew` makes of the entry whose turn it is.
    pub fn write(&mut self, renew: impl FnOnce(f64, Option<f64>) -> (f64, Option<f64>)) {
        let k = self.next;
        (self.weights[k], self.rates[k]) = renew(self.weights[k], self.rates[k]);
        self.next = (k + 1) % self.len();
    }

    /// The means over all entries, the terminal value as 0.
    pub fn means(&self) -> (f64, f64) {
        let h = self.len() as f64;
        (self.weights.iter().sum::<f64>() / h, self.rates.iter().flatten().sum::<f64>() / h)
    }
}

/// Linear population size reduction (Tanabe and Fukunaga 2014, eq. 10):
/// N = round((N_min - N_init) / budget * evaluations + N_init), N_min = 4.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    first: usize,
    budget: f64,
}

impl Plan {
    /// The fewest that current-to-pbest/1 works with.
    pub const LEAST: usize = 4;

    /// From `first` individuals to four at the end of the budget; without one at 10^4 evaluations a variable, the papers'
    /// budget. Without `first` from the papers' `usual` number there, from its share sqrt(budget / (10^4 d)), but ten at
    /// least, where the budget is smaller.
    pub fn new(first: Option<usize>, usual: f64, dim: usize, budget: Option<u64>) -> Self {
        let full = 1e4 * dim as f64;
        let budget = budget.map_or(full, |budget| budget.max(1) as f64);
        let scaled = usual * (budget / full).min(1.0).sqrt();
        Plan { first: first.unwrap_or(scaled.round().max(10.0) as usize), budget }
    }

    /// The share of the budget that is spent, from 0 to 1.
    #[inline]
    pub fn spent(&self, evaluations: u64) -> f64 {
        (evaluations as f64 / self.budget).min(1.0)
    }

    /// Eq. (10).
    pub fn population(&self, evaluations: u64) -> usize {
        let (least, first) = (Self::LEAST as f64, self.first as f64);
        ((least - first) * self.spent(evaluations) + first).round().max(least) as usize
    }
}

/// Adaptive differential evolution: y is the population, x the trials.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Adaptive<F: Real, L: Law> {
    law: L,
    evaluations: u64,
    archive: Matrix<F>,
    controls: Vec<Control>,
    successes: Successes,
    #[serde(skip)]
    order: Vec<usize>,
    #[serde(skip)]
    shrunk: bool,
    #[serde(skip)]
    uniforms: Vec<f64>,
    #[serde(skip)]
    normals: Vec<f64>,
}

impl<F: Real, L: Law> Motion<F> for Adaptive<F, L> {
    const NAME: &'static str = L::NAME;
    type Params = L::Params;

    fn new(params: L::Params, space: &Space<F>, budget: Option<u64>) -> Result<Self> {
        Ok(Adaptive {
            law: L::new(params, space.dim(), budget)?,
            evaluations: 0,
            archive: Matrix::empty(space.dim()),
            controls: Vec::new(),
            successes: Successes::default(),
            order: Vec::new(),
            shrunk: false,
            uniforms: Vec::new(),
            normals: Vec::new(),
        })
    }

    fn verify_settings(&self, _space: &Space<F>) -> Result<()> {
        saved::holds("population", self.law.population(0) >= Plan::LEAST, "must be at least 4")?;
        saved::count("evaluations", self.evaluations)?;
        self.law.verify()
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::holds("population", swarm.y.len() >= Plan::LEAST, "must be at least 4")?;
        saved::width("archive", &self.archive, swarm.dim())
    }

    fn particles(&self) -> usize {
        self.law.population(0)
    }

    fn numbers(&self, dim: usize) -> f64 {
        let n = self.law.population(0);
        (4.5 * n as f64 + self.law.archive(n) as f64) * dim as f64
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        let n = swarm.len();
        self.evaluations = n as u64;
        // Room for the largest archive and for the parents of one iteration.
        self.archive.resize(self.law.archive(n) + n, swarm.dim());
        self.archive.clear();
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.y.len(), swarm.y.dim());
        self.trim(self.law.archive(n), rng);
        self.decide(n, rng);
        let most = self.controls.iter().map(|control| control.best).max().unwrap_or(0);
        rank(&swarm.fy, most, &mut self.order);

        let (x, y, archive) = (&mut swarm.x, &swarm.y, &self.archive);
        x.resize(n, dim);
        rng.fork("cross").fill_uniform(0..n, 0..dim, x.data_mut()); // the draws stand where the trials will
        let again = rng.fork("pbest");
        let width = L::UNIFORMS + 4;
        for (i, control) in self.controls.iter().enumerate() {
            let own = &self.uniforms[i * width..(i + 1) * width][L::UNIFORMS..];
            let mut pbest = self.order[one_of(control.best, own[0])];
            if control.another && pbest == i {
                let mut draws = again.row(i);
                while pbest == i {
                    pbest = self.order[draws.below(control.best)];
                }
            }
            let [r1, r2] = two_others(i, n, n + archive.len(), [own[1], own[2]]);
            let r2 = if r2 < n { y.row(r2) } else { archive.row(r2 - n) };
            let trial = Trial {
                parent: y.row(i),
                points: [y.row(pbest), y.row(r1), r2],
                bounds: [space.lower(), space.upper()],
                factors: [control.pull, control.weight, control.rate].map(F::of),
            };
            let x = x.row_mut(i);
            x[one_of(dim, own[3])] = -F::one(); // jrand: below every rate
            dispatch!(level(), simd => write(simd, &trial, x));
        }
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        self.evaluations += swarm.x.len() as u64;
        self.successes.clear();
        for (i, control) in self.controls.iter().enumerate() {
            let (new, old) = (swarm.fx[i], swarm.fy[i]);
            if new < old {
                self.archive.push(swarm.y.row(i));
                self.successes.push(control, (old - new).f64());
            }
        }
        swarm.keep_no_worse();
        if !self.successes.gains.is_empty() {
            self.law.learn(&self.successes);
        }
        self.shrink(swarm, self.law.population(self.evaluations));
        Remembered::Done
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        let (weight, rate) = self.law.means();
        view.matrices.push(("archive", self.archive.rows()));
        view.numbers.extend([("mu_F", weight), ("mu_CR", rate)]);
    }
}

impl<F: Real, L: Law> Adaptive<F, L> {
    /// Where the numbers of the trials come from.
    pub fn law(&self) -> &L {
        &self.law
    }

    /// Where the numbers of the trials come from, to be changed between two iterations.
    pub fn law_mut(&mut self) -> &mut L {
        &mut self.law
    }

    /// The numbers of the last trials.
    pub fn controls(&self) -> &[Control] {
        &self.controls
    }

    /// The archive; between move and survival as the move saw it.
    pub fn archive(&self) -> &Matrix<F> {
        &self.archive
    }

    /// Between move and survival: individuals, those that counted as the best first and in order.
    pub fn best(&self) -> &[usize] {
        &self.order
    }

    /// Sets how many evaluations have been made.
    pub fn set_evaluations(&mut self, evaluations: u64) {
        self.evaluations = evaluations;
    }

    /// The old places of those who stayed, if the population has just become smaller.
    pub fn places(&self) -> Option<&[usize]> {
        self.shrunk.then_some(&self.order[..])
    }

    /// Random members leave the archive until it has at most `most`; the last takes the place of the one who left.
    fn trim(&mut self, most: usize, rng: &Rng) {
        let (rng, dim) = (rng.fork("archive"), self.archive.dim());
        let mut draws = rng.row(0);
        for len in (most + 1..=self.archive.len()).rev() {
            let (leaves, last) = (draws.below(len), len - 1);
            self.archive.data_mut().copy_within(last * dim..len * dim, leaves * dim);
            self.archive.resize(last, dim);
        }
    }

    /// Draws the picks and the controls of `n` trials.
    fn decide(&mut self, n: usize, rng: &Rng) {
        let width = L::UNIFORMS + 4;
        self.uniforms.resize(n * width, 0.0);
        self.normals.resize(n * 3, 0.0);
        rng.fork("pick").fill_uniform(0..n, 0..width, &mut self.uniforms);
        rng.fork("control").fill_normal(0..n, 0..3, &mut self.normals);
        let again = rng.fork("again");
        let (law, stage) = (&self.law, Stage { population: n, evaluations: self.evaluations });
        let rows = self.uniforms.chunks_exact(width).zip(self.normals.chunks_exact(3)).enumerate();
        self.controls.clear();
        self.controls.extend(rows.map(|(row, (own, z))| {
            let dice = Dice { normals: [z[0], z[1], z[2]], again: &again, row };
            law.control(stage, &own[..L::UNIFORMS], &dice)
        }));
    }

    /// The best `size` stay, in their old order.
    fn shrink(&mut self, swarm: &mut Swarm<F>, size: usize) {
        let dim = swarm.y.dim();
        self.shrunk = size < swarm.y.len();
        if !self.shrunk {
            return;
        }
        rank(&swarm.fy, size, &mut self.order);
        self.order.truncate(size);
        self.order.sort_unstable();
        for (to, &from) in self.order.iter().enumerate().filter(|(to, from)| to != *from) {
            swarm.y.data_mut().copy_within(from * dim..(from + 1) * dim, to * dim);
            swarm.fy[to] = swarm.fy[from];
        }
        swarm.y.resize(size, dim);
        swarm.fy.truncate(size);
    }
}

/// How many are the best share `p` of the population at this stage.
pub(crate) fn best(p: f64, stage: Stage) -> usize {
    best_share(p, stage.population)
}

/// What one trial is made of.
struct Trial<'a, F> {
    parent: &'a [F],
    /// pbest, r1, r2.
    points: [&'a [F]; 3],
    bounds: [&'a [F]; 2],
    /// Fw, F, CR.
    factors: [F; 3],
}

/// Writes a trial over its draws: mutation, repair and binomial crossover in one pass.
#[simd]
fn write<S: Simd, F: Real>(_simd: S, trial: &Trial<'_, F>, x: &mut [F]) {
    let n = x.len();
    let y = &trial.parent[..n];
    let [pbest, r1, r2] = trial.points.map(|point| &point[..n]);
    let [lower, upper] = trial.bounds.map(|bound| &bound[..n]);
    let [pull, weight, rate] = trial.factors;
    for j in 0..n {
        let mutant = current_to_pbest_1(y[j], [pull, weight], [pbest[j], r1[j], r2[j]]);
        let mutant = midpoint(mutant, y[j], lower[j], upper[j]);
        x[j] = if x[j] < rate { mutant } else { y[j] };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn successes(rows: &[(f64, f64, f64)]) -> Successes {
        let mut successes = Successes::default();
        for &(weight, rate, gain) in rows {
            successes.push(&Control { weight, rate, ..Control::default() }, gain);
        }
        successes
    }

    #[test]
    fn means_are_weighted_by_gain_whatever_its_size() {
        for scale in [1e-300, 1.0, 1e300] {
            let s = successes(&[(0.2, 0.4, 3.0 * scale), (0.6, 0.8, scale)]);
            // (3 * 0.04 + 0.36) / (0.6 + 0.6), (3 * 0.16 + 0.64) / 2, (1.2 + 0.8) / 4
            assert!((s.lehmer_weight() - 0.4).abs() < 1e-14);
            assert!((s.lehmer_rate().unwrap() - 0.56).abs() < 1e-14);
            assert!((s.mean_rate() - 0.5).abs() < 1e-14);
        }
    }

    #[test]
    fn a_gain_from_infinity_counts_alone() {
        let s = successes(&[(0.2, 0.4, f64::INFINITY), (0.6, 0.8, 1e300)]);
        // 0.2 * 0.2 / 0.2 is 0.2 but for a rounding.
        let means = [s.lehmer_weight() - 0.2, s.lehmer_rate().unwrap() - 0.4, s.mean_rate() - 0.4];
        assert!(means.iter().all(|gap| gap.abs() < 1e-15), "{means:?}");
        assert_eq!(successes(&[(0.2, 0.0, 1.0)]).lehmer_rate(), None);
    }

    #[test]
    fn the_population_falls_in_a_line_to_four() {
        let plan = Plan::new(Some(90), 0.0, 5, Some(1_000));
        let sizes = [0, 250, 500, 1_000, 5_000].map(|evaluations| plan.population(evaluations));
        assert_eq!(sizes, [90, 69, 47, 4, 4]);
        assert_eq!(Plan::new(Some(90), 0.0, 5, None).population(25_000), 47);
        assert_eq!(Plan::new(Some(90), 0.0, 5, Some(0)).population(0), 90);
    }

    #[test]
    fn a_smaller_budget_begins_with_fewer() {
        let first = |budget| Plan::new(None, 180.0, 10, budget).population(0);
        assert_eq!([None, Some(1_000_000), Some(100_000), Some(25_000), Some(3)].map(first), [180, 180, 180, 90, 10]);
    }
}
