//! Elite gradient injection: the best few of a population take a greedy step down their gradient, the rest moves as ever.
//!
//! ```text
//! E    = the ceil(q N) best points; those whose gradient is not known are evaluated once more, with it
//! way  = secant with probability p_s where there are pairs, else raw with probability p_r, else population
//! raw         u = R g / |g|,  R^2 = sum_j var_j(X)                                     the radius of the population
//! population  u = h / sqrt(g'h),  h = (1 - a) C g + a tr(C) / d g,  C = cov(X)         a step of Mahalanobis length 1
//! secant      u = H g by the two loops of L-BFGS (Nocedal & Wright 2006, alg. 7.4) over the point's own pairs (s, y)
//! trial       x - Delta_way u, reflected into the box, evaluated with its gradient
//! better      x <- trial,  Delta_way <- 1.6 Delta_way (secant: at most 1),  pair (s, y) kept if s'y > 1e-10 |s||y|
//! else        Delta_way <- Delta_way / 2; a secant below 0.1 forgets its pairs and starts at 1 again
//! ```
//!
//! Where slopes are read off the population ([`crate::fit`]) they are read anew in every iteration, there are no pairs, and a
//! Delta below 0.001 becomes 0.5 again.
//!
//! a = 1e-6. Steps are scale-free: they do not change when the objective or the space is scaled. C g costs O(N d): C is never
//! written down. Applying gradients to everybody destroys exploration: local minima then beat children that nobody improved.
//!
//! What is known of a point is kept in a pool of at most 4 ceil(q N) records; the one that has not been used for longest makes
//! room for a newcomer.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Matrix, Real, Result, Rng, Space, sort_indices};

/// Share of the identity in the population's covariance.
const RIDGE: f64 = 1e-6;

/// Below this a step by a slope that was read off the population begins anew.
const SHORTEST: f64 = 1e-3;

/// Where a step comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    Raw,
    Population,
    Secant,
}

/// What is known of a point: its gradient, its step lengths, its pairs.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    /// The individual; none for `usize::MAX`.
    slot: usize,
    /// The iteration in which it was among the best.
    used: u64,
    /// Where the gradient was taken.
    x: Vec<f64>,
    gradient: Vec<f64>,
    known: bool,
    /// Step lengths by [`Way`].
    deltas: [f64; 3],
    /// Steps and changes of the gradient, two rows a pair, the oldest overwritten.
    pairs: Matrix<f64>,
    stored: usize,
    next: usize,
    trial: Vec<f64>,
    way: Way,
    /// Steps in a row that were no better.
    failures: u32,
}

impl Record {
    /// Whether a record that was read back fits together, with so many pairs of so many coordinates.
    fn verify(&self, dim: usize, memory: usize) -> Result<()> {
        saved::lengths([("x", &self.x), ("gradient", &self.gradient), ("trial", &self.trial)], dim)?;
        saved::holds("pairs", self.pairs.data().len() == (2 * memory).saturating_mul(dim), "must have room for all")?;
        saved::width("pairs", &self.pairs, dim)?;
        let fits = self.stored <= memory && self.next < memory.max(1);
        saved::holds("pairs", fits, "must be among those there is room for")?;
        let counts = self.failures < 1 << 30 && (self.slot < 1 << 30 || self.slot == usize::MAX);
        saved::holds("record", counts, "must be of an individual")
    }

    fn new(dim: usize, memory: usize, deltas: [f64; 3]) -> Self {
        Record {
            slot: usize::MAX,
            used: 0,
            x: vec![0.0; dim],
            gradient: vec![0.0; dim],
            known: false,
            deltas,
            pairs: Matrix::zeros(2 * memory, dim),
            stored: 0,
            next: 0,
            trial: vec![0.0; dim],
            way: Way::Raw,
            failures: 0,
        }
    }

    fn is_at<F: Real>(&self, point: &[F]) -> bool {
        self.known && self.x.iter().zip(point).all(|(a, b)| *a == b.f64())
    }

    /// Takes in a pair of the step and the change of the gradient that led to (`x`, `gradient`), if its curvature is positive.
    fn push_pair<F: Real>(&mut self, gradient: &[F]) {
        let memory = self.pairs.len() / 2;
        if memory == 0 {
            return;
        }
        let row = 2 * self.next;
        let (mut sy, mut ss, mut yy) = (0.0, 0.0, 0.0);
        for (j, g) in gradient.iter().enumerate() {
            let s = self.trial[j] - self.x[j];
            let y = g.f64() - self.gradient[j];
            self.pairs.row_mut(row)[j] = s;
            self.pairs.row_mut(row + 1)[j] = y;
            (sy, ss, yy) = (sy + s * y, ss + s * s, yy + y * y);
        }
        if sy.is_finite() && sy > 1e-10 * (ss * yy).sqrt() {
            self.next = (self.next + 1) % memory;
            self.stored = (self.stored + 1).min(memory);
        } else if self.stored == memory {
            // The room of the refused pair was that of the oldest one.
            self.stored -= 1;
        }
    }

    /// u = H g by the two loops; false where it is not a number or no descent.
    fn two_loops(&self, rates: &mut Vec<f64>, u: &mut [f64]) -> bool {
        let memory = self.pairs.len() / 2;
        let pair = |age: usize| {
            let at = (self.next + memory - 1 - age) % memory;
            (self.pairs.row(2 * at), self.pairs.row(2 * at + 1))
        };
        u.copy_from_slice(&self.gradient);
        rates.clear();
        for age in 0..self.stored {
            let (s, y) = pair(age);
            let rate = dot(s, u) / dot(s, y);
            rates.push(rate);
            u.iter_mut().zip(y).for_each(|(u, y)| *u -= rate * y);
        }
        let (s, y) = pair(0);
        let scale = dot(s, y) / dot(y, y);
        u.iter_mut().for_each(|u| *u *= scale);
        for age in (0..self.stored).rev() {
            let (s, y) = pair(age);
            let back = dot(y, u) / dot(s, y);
            u.iter_mut().zip(s).for_each(|(u, s)| *u += (rates[age] - back) * s);
        }
        let descent = dot(u, &self.gradient);
        descent > 0.0 && descent.is_finite() && u.iter().all(|u| u.is_finite())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// The covariance C of what a population looks like.
pub(crate) trait Shape {
    /// tr C.
    fn variance(&self) -> f64;

    /// u += factor C g.
    fn add_product(&mut self, factor: f64, g: &[f64], u: &mut [f64]);
}

/// The covariance of points, never written down.
pub(crate) struct Cloud<'a, F: Real> {
    points: &'a Matrix<F>,
    mean: &'a [f64],
    variance: f64,
}

impl<'a, F: Real> Cloud<'a, F> {
    /// That of these points; `mean` is a buffer.
    pub(crate) fn new(points: &'a Matrix<F>, mean: &'a mut Vec<f64>) -> Self {
        let n = points.len() as f64;
        mean.clear();
        mean.resize(points.dim(), 0.0);
        points.iter().for_each(|x| mean.iter_mut().zip(x).for_each(|(m, x)| *m += x.f64()));
        mean.iter_mut().for_each(|m| *m /= n);
        let squares = |x: &[F]| x.iter().zip(&*mean).fold(0.0, |sum, (x, m)| sum + (x.f64() - m).powi(2));
        let variance = points.iter().map(squares).sum::<f64>() / n;
        Cloud { points, mean, variance }
    }
}

impl<F: Real> Shape for Cloud<'_, F> {
    fn variance(&self) -> f64 {
        self.variance
    }

    /// factor / N Z'(Z g), Z the points less their mean.
    fn add_product(&mut self, factor: f64, g: &[f64], u: &mut [f64]) {
        let share = factor / self.points.len() as f64;
        for x in self.points.iter() {
            let numbers = x.iter().zip(self.mean).zip(g);
            let along = numbers.fold(0.0, |sum, ((x, m), g)| sum + (x.f64() - m) * g);
            let along = share * along;
            u.iter_mut().zip(x).zip(self.mean).for_each(|((u, x), m)| *u += along * (x.f64() - m));
        }
    }
}

/// The gradient part of a hybrid method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Injection {
    memory: usize,
    secant: f64,
    raw: f64,
    first: f64,
    /// Whether slopes are read off the population: they change with it, and steps that became too short begin anew.
    fitted: bool,
    pool: Vec<Record>,
    time: u64,
    /// The best individuals in ascending order, and the record of each.
    elites: Vec<usize>,
    records: Vec<usize>,
    /// Those of them that make a gradient step now; places in `elites`.
    stepping: Vec<usize>,
    #[serde(skip)]
    rows: Vec<usize>,
    #[serde(skip)]
    order: Vec<usize>,
    #[serde(skip)]
    unit: Vec<f64>,
    #[serde(skip)]
    direction: Vec<f64>,
    #[serde(skip)]
    rates: Vec<f64>,
}

impl Injection {
    pub(crate) fn new(memory: usize, secant: f64, raw: f64, first: f64, fitted: bool) -> Self {
        Injection {
            memory,
            secant,
            raw,
            first,
            fitted,
            pool: Vec::new(),
            time: 0,
            elites: Vec::new(),
            records: Vec::new(),
            stepping: Vec::new(),
            rows: Vec::new(),
            order: Vec::new(),
            unit: Vec::new(),
            direction: Vec::new(),
            rates: Vec::new(),
        }
    }

    /// Numbers a variable that a point's record takes.
    pub(crate) fn remembered(&self) -> f64 {
        2.0 * self.memory as f64 + 3.0
    }

    /// Whether a state that was read back fits together, of so many points of so many coordinates; `known` if the next move
    /// uses what is known of the best.
    pub(crate) fn verify(&self, dim: usize, points: usize, known: bool) -> Result<()> {
        saved::count("time", self.time)?;
        saved::holds("pairs", self.memory <= 1000, "must be a number of them")?;
        self.pool.iter().try_for_each(|record| record.verify(dim, self.memory))?;
        if !known {
            return Ok(());
        }
        saved::length("records", &self.records, self.elites.len())?;
        saved::below("records", &self.records, self.pool.len())?;
        saved::below("elites", &self.elites, points)?;
        let ascending = self.elites.windows(2).all(|pair| pair[0] < pair[1]);
        saved::holds("elites", ascending, "must be there once each, in their order")
    }

    /// Finds the `count` best points and their records; writes those whose gradient is not known into `missing`.
    pub(crate) fn choose<F: Real>(&mut self, points: &Matrix<F>, values: &[F], count: usize, missing: &mut Matrix<F>) {
        self.time += 1;
        sort_indices(values, &mut self.order);
        self.elites.clear();
        self.elites.extend(self.order.iter().take(count).copied().filter(|&i| values[i].is_finite()));
        self.elites.sort_unstable();
        if self.pool.is_empty() {
            let deltas = [self.first, self.first, 1.0];
            self.pool = vec![Record::new(points.dim(), self.memory, deltas); (4 * count).min(values.len())];
        }
        self.records.clear();
        missing.resize(0, points.dim());
        for e in 0..self.elites.len() {
            let i = self.elites[e];
            let record = self.record_of(i);
            self.pool[record].used = self.time;
            self.pool[record].known &= !self.fitted;
            self.records.push(record);
            if !self.pool[record].is_at(points.row(i)) {
                missing.push(points.row(i));
            }
        }
        self.rows.clear();
        self.rows.extend(0..missing.len());
    }

    /// The best individuals whose gradients are missing, in their order.
    pub(crate) fn missing<'a, F: Real>(&'a self, points: &'a Matrix<F>) -> impl Iterator<Item = usize> + 'a {
        let places = self.elites.iter().zip(&self.records);
        places.filter(|&(&i, &record)| !self.pool[record].is_at(points.row(i))).map(|(&i, _)| i)
    }

    /// The record of an individual; the one that has not been used for longest becomes a newcomer's.
    fn record_of(&mut self, i: usize) -> usize {
        if let Some(record) = self.pool.iter().position(|r| r.slot == i) {
            return record;
        }
        let oldest = (0..self.pool.len()).min_by_key(|&r| self.pool[r].used).unwrap_or(0);
        let record = &mut self.pool[oldest];
        (record.slot, record.known, record.stored, record.failures) = (i, false, 0, 0);
        record.deltas = [self.first, self.first, 1.0];
        oldest
    }

    /// Rows of the last ask whose gradient is wanted.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Takes the gradients of the points that [`Injection::choose`] missed.
    pub(crate) fn learn<F: Real>(&mut self, points: &Matrix<F>, gradients: &Matrix<F>) {
        let mut k = 0;
        for (&i, &record) in self.elites.iter().zip(&self.records) {
            let record = &mut self.pool[record];
            if record.is_at(points.row(i)) {
                continue;
            }
            let numbers = points.row(i).iter().zip(gradients.row(k)).enumerate();
            numbers.for_each(|(j, (x, g))| (record.x[j], record.gradient[j]) = (x.f64(), g.f64()));
            record.known = record.gradient.iter().all(|g| g.is_finite());
            record.failures = 0;
            k += 1;
        }
    }

    /// Hands the trials of the best to `write`, which says in which row each stands; those without a usable gradient have none.
    pub(crate) fn propose<F: Real>(
        &mut self,
        points: &Matrix<F>,
        shape: &mut impl Shape,
        space: &Space<F>,
        rng: &Rng,
        mut write: impl FnMut(usize, &[F]) -> usize,
        row: &mut Vec<F>,
    ) {
        let (ways, outside) = (rng.fork("way"), rng.fork("inject"));
        let variance = shape.variance();
        self.stepping.clear();
        self.rows.clear();
        self.direction.resize(points.dim(), 0.0);
        for (e, (&i, &record)) in self.elites.iter().zip(&self.records).enumerate() {
            let record = &mut self.pool[record];
            let largest = record.gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            if !record.is_at(points.row(i)) || largest == 0.0 {
                continue;
            }
            let mut draws = ways.row(i);
            let (first, second) = (draws.uniform(), draws.uniform());
            let simple = if second < self.raw { Way::Raw } else { Way::Population };
            record.way = if record.stored > 0 && first < self.secant { Way::Secant } else { simple };
            let u = &mut self.direction[..];
            if record.way == Way::Secant && !record.two_loops(&mut self.rates, u) {
                (record.way, record.stored) = (simple, 0);
            }
            self.unit.clear();
            self.unit.extend(record.gradient.iter().map(|g| g / largest));
            let unit = &self.unit;
            match record.way {
                Way::Secant => {}
                Way::Raw => {
                    let norm = unit.iter().map(|g| g.powi(2)).sum::<f64>().sqrt();
                    u.iter_mut().zip(unit).for_each(|(u, g)| *u = variance.sqrt() * g / norm);
                }
                Way::Population => {
                    let ridge = RIDGE * variance / points.dim() as f64;
                    u.iter_mut().zip(unit).for_each(|(u, g)| *u = ridge * g);
                    shape.add_product(1.0 - RIDGE, unit, u);
                    let length = u.iter().zip(unit).fold(0.0, |sum, (u, g)| sum + u * g).sqrt();
                    u.iter_mut().for_each(|u| *u /= length);
                }
            }
            let delta = record.deltas[record.way as usize];
            row.clear();
            row.extend(record.x.iter().zip(u.iter()).map(|(x, u)| F::of(x - delta * u)));
            // A population without extent, or numbers out of range, give no step.
            if row.iter().any(|t| !t.is_finite()) || variance == 0.0 && record.way != Way::Secant {
                continue;
            }
            space.repair(row, 0, &mut outside.row(i));
            record.trial.iter_mut().zip(row.iter()).for_each(|(t, x)| *t = x.f64());
            self.stepping.push(e);
            self.rows.push(write(i, row));
        }
    }

    /// The individuals that make a gradient step, in ascending order.
    pub(crate) fn stepping(&self) -> impl Iterator<Item = usize> + '_ {
        self.stepping.iter().map(|&e| self.elites[e])
    }

    /// Takes in the value of the `k`-th trial and its gradient; returns whether it is better than `old`.
    pub(crate) fn settle<F: Real>(&mut self, k: usize, new: F, old: F, gradient: Option<&[F]>) -> bool {
        let record = &mut self.pool[self.records[self.stepping[k]]];
        let delta = &mut record.deltas[record.way as usize];
        if new < old {
            record.failures = 0;
            *delta *= 1.6;
            if record.way == Way::Secant {
                *delta = delta.min(1.0);
            }
            match gradient {
                Some(gradient) if gradient.iter().all(|g| g.is_finite()) => {
                    record.push_pair(gradient);
                    record.gradient.iter_mut().zip(gradient).for_each(|(a, b)| *a = b.f64());
                    record.x.copy_from_slice(&record.trial);
                }
                _ => record.known = false,
            }
            return true;
        }
        record.failures += 1;
        *delta *= 0.5;
        if record.way == Way::Secant && *delta < 0.1 {
            (*delta, record.stored) = (1.0, 0);
        }
        if self.fitted && *delta < SHORTEST {
            *delta = self.first;
        }
        false
    }

    /// How many steps in a row of the one that made the `k`-th trial were no better.
    pub(crate) fn failures(&self, k: usize) -> u32 {
        self.pool[self.records[self.stepping[k]]].failures
    }

    /// Forgets an individual.
    pub(crate) fn forget(&mut self, slot: usize) {
        for record in self.pool.iter_mut().filter(|r| r.slot == slot) {
            (record.slot, record.used) = (usize::MAX, 0);
        }
    }

    /// Follows individuals that have changed places: `from[r]` is where the one at `r` was among the old ones, which begin at `n`.
    pub(crate) fn follow(&mut self, from: &[usize], n: usize) {
        for record in self.pool.iter_mut().filter(|r| r.slot != usize::MAX) {
            match from.iter().position(|&i| i == n + record.slot) {
                Some(place) => record.slot = place,
                None => (record.slot, record.used) = (usize::MAX, 0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secant_of_a_quadratic_becomes_newtons_step() {
        let curvature = [1.0, 10.0, 100.0];
        let gradient = |x: &[f64]| x.iter().zip(curvature).map(|(x, c)| c * x).collect::<Vec<f64>>();
        let mut record = Record::new(3, 8, [0.5, 0.5, 1.0]);
        record.x = vec![1.0, 1.0, 1.0];
        record.gradient = gradient(&record.x);
        // Conjugate pairs along the axes.
        for j in 0..3 {
            record.trial = record.x.clone();
            record.trial[j] -= 0.5;
            let next = gradient(&record.trial);
            record.push_pair(&next);
            (record.x, record.gradient) = (record.trial.clone(), next);
        }
        assert_eq!(record.stored, 3);
        let (mut u, mut rates) = (vec![0.0; 3], Vec::new());
        assert!(record.two_loops(&mut rates, &mut u));
        assert!(u.iter().zip(&record.x).all(|(u, x)| (u - x).abs() < 1e-12), "{u:?}");
        // A pair without positive curvature is refused.
        record.trial = record.x.clone();
        record.trial[0] += 1.0;
        let falling: Vec<f64> = record.gradient.iter().map(|g| g - 1.0).collect();
        record.push_pair(&falling);
        assert_eq!(record.stored, 3);
    }
}
