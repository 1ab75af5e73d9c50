//! Selection that is differentiated: who becomes a parent and who stays, hard, straight through or soft.
//!
//! ```text
//! tournament  a, b drawn;  p = w y_a + (1 - w) y_b,  w = s((r_b - r_a) / ((n - 1) tau)),  r the number of better individuals;
//!             of equals the first drawn counts as one better
//! ranks       rho = n (1 - u^(1/k)) - 1/2, u uniform: the rank of the best of k entrants, for any k >= 1;
//!             p = sum_i w_i y_i,  w = softmax(-|r_i - rho| / ((n - 1) tau)), r the place in the order
//! sorted      row r of the survivors = sum_s softmax_s(-|r - s| / ((m - 1) tau)) z_(s), z the m candidates in their order
//! greedy      y + s((f_y - f_x) / (tau D)) (x - y), D the deviation of the values; a child that is as good stays
//! weights     of the sample of rank i: sum_k (w_k - w_(k+1)) M_ik, M_.k the soft top k of the ranks (`relax::top_k`)
//! ```
//!
//! `hard` is the plain method. `straight_through` makes the plain method's decisions, bit by bit, and differentiates them as if
//! they were soft. `soft` makes mixtures; as tau goes to 0 they become the decisions, ties included. Ranks do not change under
//! any increasing map of the values, the greedy gate not under an affine one. A failure, +inf, is the worst, and as good as
//! any other failure.
//!
//! A mixture is a point whose value nobody knows: it is evaluated, and counted, before it stays. One that the temperature has
//! made a candidate again, to the bit, keeps that candidate's value.

use crate::learn::{Learnable, Link};
use crate::relax::{Form, Relaxation, sigmoid, top_k};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::evolution::select::entrants;
use swarmgrad_algorithms::parameters::{Parameter, Parameters};
use swarmgrad_algorithms::saved;
use swarmgrad_algorithms::{choice, parameters};
use swarmgrad_core::{Draws, Real, Result, math, sort_indices};

choice! {
    /// How parents are chosen.
    pub enum Parents {
        /// The better of two.
        Tournament = "tournament",
        /// By rank, as the best of so many entrants as the pressure says.
        Ranks = "ranks",
    }
}

/// What a method's differentiable version has beside the plain one's parameters and those of all.
pub trait Added: Parameters + Clone {
    /// How it selects.
    fn selecting(&self) -> Selecting {
        Selecting::HARD
    }

    /// Whether it learns all of its numbers.
    fn all(&self) -> bool {
        false
    }
}

/// Nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl Parameters for Nothing {
    fn table() -> Vec<Parameter> {
        Vec::new()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

impl Added for Nothing {}

parameters! {
    /// Selection.
    pub struct Selection {
        /// Whether selection is the plain method's, differentiated as if it were soft, or soft (mixtures are evaluated).
        selection "": Form = Form::Hard, Choice(Form::WORDS);
        /// Temperature of selection: a share of all ranks, of survival in differential evolution a share of the values' deviation.
        selection_temperature "tau_s": f64 = 0.1, Above(0.0);
    }
}

impl Added for Selection {
    fn selecting(&self) -> Selecting {
        Selecting { form: self.selection, temperature: self.selection_temperature, ..Selecting::HARD }
    }
}

parameters! {
    /// Selection of parents and survivors.
    pub struct Mating {
        /// Whether selection is the plain method's, differentiated as if it were soft, or soft (mixtures are evaluated).
        selection "": Form = Form::Hard, Choice(Form::WORDS);
        /// Temperature of selection, as a share of all ranks.
        selection_temperature "tau_s": f64 = 0.1, Above(0.0);
        /// How parents are chosen.
        parents "": Parents = Parents::Tournament, Choice(Parents::WORDS);
        /// Entrants of whom a parent is the best, any number (parents = ranks).
        pressure "k": f64 = 2.0, Within(1.0, 100.0);
    }
}

impl Added for Mating {
    fn selecting(&self) -> Selecting {
        let Mating { selection, selection_temperature, parents, pressure } = *self;
        Selecting { form: selection, temperature: selection_temperature, parents, pressure }
    }
}

/// The temperature of selection.
pub(super) const TEMPERATURE: Learnable =
    Learnable { name: "selection_temperature", link: Link::Exp, bounds: [1e-3, 10.0] };

/// The entrants of whom a parent is the best.
pub(super) const PRESSURE: Learnable = Learnable { name: "pressure", link: Link::Exp, bounds: [1.0, 100.0] };

/// How a method selects; temperature and pressure change over a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Selecting {
    /// How decisions are made.
    pub form: Form,
    /// tau.
    pub temperature: f64,
    /// How parents are chosen.
    pub parents: Parents,
    /// k.
    pub pressure: f64,
}

impl Selecting {
    /// The plain methods' selection.
    pub const HARD: Selecting =
        Selecting { form: Form::Hard, temperature: 0.1, parents: Parents::Tournament, pressure: 2.0 };

    /// Whether one that was read back can select.
    pub(super) fn verify(&self) -> Result<()> {
        let is = |t: f64| t > 0.0 && t.is_finite();
        saved::holds("selection", is(self.temperature) && is(self.pressure), "must be by numbers above 0")
    }

    /// Its form and temperature.
    pub fn relax(&self) -> Relaxation {
        Relaxation { form: self.form, temperature: self.temperature }
    }

    /// Whether its parents are those of the plain method.
    pub fn has_plain_parents(&self) -> bool {
        self.parents == Parents::Tournament && self.form != Form::Soft
    }

    /// How many of temperature and pressure say something.
    pub fn numbers(&self) -> usize {
        match (self.parents, self.form) {
            (Parents::Ranks, _) => 2,
            (Parents::Tournament, Form::Hard) => 0,
            (Parents::Tournament, _) => 1,
        }
    }

    /// Puts those that say something behind the others.
    pub fn write(&self, out: &mut Vec<f64>) {
        out.extend_from_slice(&[self.temperature, self.pressure][..self.numbers()]);
    }

    /// Takes them.
    pub fn read(&mut self, numbers: &[f64]) {
        if let [temperature, rest @ ..] = numbers {
            self.temperature = *temperature;
            self.pressure = rest.first().copied().unwrap_or(self.pressure);
        }
    }
}

/// The order of a population.
#[derive(Debug)]
pub struct Ranking {
    /// How many are better.
    better: Vec<usize>,
    /// The place in the order, of equals by index.
    place: Vec<usize>,
}

impl Ranking {
    /// That of these values.
    pub fn of<F: Real>(values: &[F]) -> Self {
        let mut order = Vec::new();
        sort_indices(values, &mut order);
        let (mut better, mut place) = (vec![0; values.len()], vec![0; values.len()]);
        for (rank, &i) in order.iter().enumerate() {
            place[i] = rank;
            let equal = rank > 0 && values[order[rank - 1]] == values[i];
            better[i] = if equal { better[order[rank - 1]] } else { rank };
        }
        Ranking { better, place }
    }
}

/// Who may become a parent.
#[derive(Debug)]
pub struct Candidates {
    /// The individuals.
    pub who: Vec<usize>,
    /// Their logits; the largest is the plain choice.
    pub logits: Vec<f64>,
    /// The derivatives of the logits by the pressure.
    pub by_pressure: Vec<f64>,
}

impl Candidates {
    /// Draws those of a parent.
    pub fn draw(selecting: &Selecting, ranking: &Ranking, draws: &mut Draws<'_>) -> Self {
        let n = ranking.place.len();
        let unit = (n.max(2) - 1) as f64;
        match selecting.parents {
            Parents::Tournament => {
                let who = entrants(n, |len| draws.below(len));
                let [a, b] = who.map(|i| ranking.better[i] as f64);
                let second = if a == b { b + 1.0 } else { b };
                Candidates { who: who.to_vec(), logits: vec![-a / unit, -second / unit], by_pressure: vec![0.0; 2] }
            }
            Parents::Ranks => {
                let (numbers, u) = (n as f64, draws.uniform().max(f64::MIN_POSITIVE));
                let root = math::powf(u, selecting.pressure.recip());
                let position = (numbers * (1.0 - root) - 0.5).min(numbers - 1.0);
                let by_pressure = numbers * root * math::ln(u) / selecting.pressure.powi(2);
                let gap = |i: usize| ranking.place[i] as f64 - position;
                Candidates {
                    who: (0..n).collect(),
                    logits: (0..n).map(|i| -gap(i).abs() / unit).collect(),
                    by_pressure: (0..n).map(|i| by_pressure * gap(i).signum() / unit).collect(),
                }
            }
        }
    }
}

/// A share of a survivor: a candidate, offspring before parents, its weight, and the derivative of that by the temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The candidate.
    pub who: usize,
    /// Its weight.
    pub weight: f64,
    /// The derivative of the weight by the temperature.
    pub slope: f64,
}

/// Offspring and parents before they are told who stays.
#[derive(Debug)]
pub struct Rivals<'a, F> {
    /// Values of the offspring.
    pub new: &'a [F],
    /// Values of the parents.
    pub old: &'a [F],
    /// All of them from best to worst, offspring before parents that are as good.
    order: Vec<usize>,
    /// Their deviation, in halves of the values, so that no difference overflows.
    deviation: f64,
}

impl<'a, F: Real> Rivals<'a, F> {
    /// Those with these values.
    pub fn new(new: &'a [F], old: &'a [F]) -> Self {
        let all: Vec<F> = new.iter().chain(old).copied().collect();
        let mut order = Vec::new();
        sort_indices(&all, &mut order);
        let halves = || all.iter().map(|f| 0.5 * f.f64()).filter(|f| f.is_finite());
        let (low, high) = halves().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), f| (l.min(f), h.max(f)));
        let (range, count) = ((high - low).max(f64::MIN_POSITIVE), halves().count().max(1) as f64);
        let mean = halves().map(|f| (f - low) / range).sum::<f64>() / count;
        let square = halves().map(|f| ((f - low) / range - mean).powi(2)).sum::<f64>() / count;
        Rivals { new, old, order, deviation: square.sqrt() * range }
    }

    /// Row `r` of the best, in order.
    pub fn sorted(&self, r: usize, temperature: f64, parts: &mut Vec<Part>) {
        let unit = (self.order.len().max(2) - 1) as f64;
        let gap = |s: usize| r.abs_diff(s) as f64 / unit;
        parts.clear();
        let mut sum = 0.0;
        for (s, &who) in self.order.iter().enumerate() {
            let weight = math::exp(-gap(s) / temperature);
            sum += weight;
            // The gap stands where the derivative will.
            if weight > 0.0 {
                parts.push(Part { who, weight, slope: gap(s) });
            }
        }
        parts.iter_mut().for_each(|part| part.weight /= sum);
        let mean: f64 = parts.iter().map(|part| part.weight * part.slope).sum();
        parts.iter_mut().for_each(|part| part.slope = part.weight * (part.slope - mean) / temperature.powi(2));
        if let Some(kept) = parts.iter().position(|part| part.weight == 1.0) {
            parts.swap(0, kept);
            parts.truncate(1);
        }
    }

    /// Child `i` against its parent.
    pub fn greedy(&self, i: usize, temperature: f64, parts: &mut Vec<Part>) {
        let (n, new, old) = (self.new.len(), self.new[i].f64(), self.old[i].f64());
        parts.clear();
        let z = if new == old { f64::INFINITY } else { (0.5 * old - 0.5 * new) / self.deviation };
        let share = sigmoid(z / temperature);
        if share == 1.0 || share == 0.0 {
            parts.push(Part { who: if share == 1.0 { i } else { n + i }, weight: 1.0, slope: 0.0 });
            return;
        }
        let slope = -share * (1.0 - share) * z / temperature.powi(2);
        parts.push(Part { who: i, weight: share, slope });
        parts.push(Part { who: n + i, weight: 1.0 - share, slope: -slope });
    }
}

/// Weights of ranks, from the best on, by the soft top k: their sum stays, and they fall as the hard ones do. Writes the
/// derivatives by the temperature too.
pub fn soften(weights: &[f64], temperature: f64, out: &mut Vec<f64>, slopes: &mut Vec<f64>) {
    let n = weights.len();
    let unit = (n.max(2) - 1) as f64;
    let logits: Vec<f64> = (0..n).map(|rank| -(rank as f64) / unit).collect();
    let mut members = vec![0.0; n];
    out.clear();
    out.resize(n, weights[n - 1]);
    slopes.clear();
    slopes.resize(n, 0.0);
    for k in (1..n).filter(|&k| weights[k - 1] != weights[k]) {
        let fall = weights[k - 1] - weights[k];
        top_k(&logits, k, temperature, &mut members);
        let curve = |p: f64| p * (1.0 - p);
        let total: f64 = members.iter().map(|&p| curve(p)).sum();
        let mean = members.iter().zip(&logits).map(|(&p, l)| curve(p) * l).sum::<f64>() / total.max(f64::MIN_POSITIVE);
        for (i, &member) in members.iter().enumerate() {
            out[i] += fall * member;
            slopes[i] += fall * curve(member) * (mean - logits[i]) / temperature.powi(2);
        }
    }
}
