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
//! a = 1e-6. Steps are scale-free: they do not change when the objective or the space is scaled. C g costs O(N d) from the points,
//! and C itself O(N d^2), after which C g costs O(d^2): C is written down where a quarter of the variables are fewer than the best, so
//! that an evaluation costs the same for any N. Applying gradients to everybody destroys exploration: local minima then beat children
//! that nobody improved.
//!
//! What is known of a point is kept in a pool of at most 4 ceil(q N) records; the one that has not been used for longest makes
//! room for a newcomer.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::linear::{add_squares, lanes_dot};
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

/// Points whose squares are added in one pass.
const BLOCK: usize = 64;

/// Room for a [`Cloud`].
#[derive(Debug, Default)]
pub(crate) struct CloudRoom {
    mean: Vec<f64>,
    /// Points less their mean.
    centred: Vec<f64>,
    /// The lower triangle of their squares' sum, and the whole covariance after that.
    covariance: Vec<f64>,
}

/// The covariance of points.
pub(crate) struct Cloud<'a, F: Real> {
    points: &'a Matrix<F>,
    room: &'a mut CloudRoom,
    variance: f64,
    /// Whether it is written down, and whether that has been done.
    dense: bool,
    written: bool,
}

impl<'a, F: Real> Cloud<'a, F> {
    /// That of these points, for `products` products at most.
    pub(crate) fn new(points: &'a Matrix<F>, products: usize, room: &'a mut CloudRoom) -> Self {
        let n = points.len() as f64;
        let mean = &mut room.mean;
        mean.clear();
        mean.resize(points.dim(), 0.0);
        points.iter().for_each(|x| mean.iter_mut().zip(x).for_each(|(m, x)| *m += x.f64()));
        mean.iter_mut().for_each(|m| *m /= n);
        room.centred.resize(BLOCK * points.dim(), 0.0);
        let mut variance = 0.0;
        for x in points.iter() {
            let z = &mut room.centred[..points.dim()];
            z.iter_mut().zip(x).zip(&room.mean).for_each(|((z, x), m)| *z = x.f64() - m);
            variance += lanes_dot(z, z);
        }
        // A product from the points is 2 N d operations, the covariance N d^2 / 2.
        let dense = 4 * products >= points.dim();
        Cloud { points, room, variance: variance / n, dense, written: false }
    }

    /// C = Z' Z / N, Z the points less their mean.
    fn write(&mut self) {
        let dim = self.points.dim();
        let CloudRoom { mean, centred, covariance } = &mut *self.room;
        covariance.clear();
        covariance.resize(dim * dim, 0.0);
        for first in (0..self.points.len()).step_by(BLOCK) {
            let count = BLOCK.min(self.points.len() - first);
            for (k, z) in centred.chunks_exact_mut(dim).take(count).enumerate() {
                let x = self.points.row(first + k);
                z.iter_mut().zip(x).zip(&*mean).for_each(|((z, x), m)| *z = x.f64() - m);
            }
            add_squares(covariance, &centred[..count * dim], dim);
        }
        let n = self.points.len() as f64;
        for j in 0..dim {
            for k in 0..=j {
                let share = covariance[j * dim + k] / n;
                (covariance[j * dim + k], covariance[k * dim + j]) = (share, share);
            }
        }
        self.written = true;
    }
}

impl<F: Real> Shape for Cloud<'_, F> {
    fn variance(&self) -> f64 {
        self.variance
    }

    /// From C, or factor / N Z'(Z g) where that is less work.
    fn add_product(&mut self, factor: f64, g: &[f64], u: &mut [f64]) {
        if self.dense {
            if !self.written {
                self.write();
            }
            let rows = self.room.covariance.chunks_exact(g.len());
            u.iter_mut().zip(rows).for_each(|(u, row)| *u += factor * lanes_dot(row, g));
            return;
        }
        let share = factor / self.points.len() as f64;
        let z = &mut self.room.centred[..g.len()];
        for x in self.points.iter() {
            z.iter_mut().zip(x).zip(&self.room.mean).for_each(|((z, x), m)| *z = x.f64() - m);
            let along = share * lanes_dot(z, g);
            u.iter_mut().zip(&*z).for_each(|(u, z)| *u += along * z);
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
    /// The record of each individual, `usize::MAX` where it has none.
    #[serde(skip)]
    places: Vec<usize>,
    /// Records from the one that has not been used for longest.
    #[serde(skip)]
    oldest: Vec<usize>,
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
            places: Vec::new(),
            oldest: Vec::new(),
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
        self.look_up(points.len());
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

    /// Writes the table of `n` individuals' records, and the order in which records were used, the last used first: they are taken
    /// from the end.
    fn look_up(&mut self, n: usize) {
        let Injection { pool, places, oldest, .. } = self;
        places.clear();
        places.resize(n, usize::MAX);
        for (k, record) in pool.iter().enumerate().rev().filter(|(_, record)| record.slot < n) {
            places[record.slot] = k;
        }
        oldest.clear();
        oldest.extend(0..pool.len());
        oldest.sort_unstable_by_key(|&k| std::cmp::Reverse((pool[k].used, k)));
    }

    /// The record of an individual; the one that has not been used for longest becomes a newcomer's.
    fn record_of(&mut self, i: usize) -> usize {
        if self.places[i] != usize::MAX {
            return self.places[i];
        }
        // Those that were used in this round are not what they were when they were sorted.
        while self.oldest.last().is_some_and(|&k| self.pool[k].used == self.time) {
            self.oldest.pop();
        }
        let oldest = self.oldest.pop().unwrap_or(0);
        let record = &mut self.pool[oldest];
        if let Some(place) = self.places.get_mut(record.slot).filter(|place| **place == oldest) {
            *place = usize::MAX;
        }
        self.places[i] = oldest;
        (record.slot, record.known, record.stored, record.failures) = (i, false, 0, 0);
        record.deltas = [self.first, self.first, 1.0];
        oldest
    }

    /// How many points are among the best.
    pub(crate) fn count(&self) -> usize {
        self.elites.len()
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

    /// The `k`-th of them.
    pub(crate) fn stepping_at(&self, k: usize) -> usize {
        self.elites[self.stepping[k]]
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
        let places = &mut self.places;
        places.clear();
        places.resize(from.iter().map(|&i| i + 1).max().unwrap_or(0).saturating_sub(n), usize::MAX);
        for (place, &i) in from.iter().enumerate().rev().filter(|(_, i)| **i >= n) {
            places[i - n] = place;
        }
        for record in self.pool.iter_mut().filter(|r| r.slot != usize::MAX) {
            match places.get(record.slot) {
                Some(&place) if place != usize::MAX => record.slot = place,
                _ => (record.slot, record.used) = (usize::MAX, 0),
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

    #[test]
    fn the_covariance_gives_the_products_of_the_points() {
        for (n, dim) in [(3, 2), (64, 5), (65, 9), (200, 17)] {
            let mut points = Matrix::<f64>::zeros(n, dim);
            Rng::new(2).fill_uniform(0..n, 0..dim, points.data_mut());
            let mut g = vec![0.0; dim];
            Rng::new(3).row(0).fill_normal(&mut g);
            let (mut room, mut other) = (CloudRoom::default(), CloudRoom::default());
            // So few products that points are less work, and so many that the covariance is.
            let (mut few, mut many) = (Cloud::new(&points, 0, &mut room), Cloud::new(&points, dim, &mut other));
            assert!(!few.dense && many.dense && few.variance == many.variance);
            let (mut a, mut b) = (vec![1.0; dim], vec![1.0; dim]);
            for factor in [0.7, -0.2] {
                few.add_product(factor, &g, &mut a);
                many.add_product(factor, &g, &mut b);
            }
            let mean = |j: usize| points.iter().map(|x| x[j]).sum::<f64>() / n as f64;
            let covariance =
                |j: usize, k: usize| points.iter().map(|x| (x[j] - mean(j)) * (x[k] - mean(k))).sum::<f64>() / n as f64;
            for j in 0..dim {
                let wanted = 1.0 + 0.5 * (0..dim).map(|k| covariance(j, k) * g[k]).sum::<f64>();
                assert!(
                    (a[j] - wanted).abs() < 1e-13 && (b[j] - wanted).abs() < 1e-13,
                    "{n}, {dim}: {} {}",
                    a[j],
                    b[j]
                );
            }
            let trace: f64 = (0..dim).map(|j| covariance(j, j)).sum();
            assert!((few.variance() - trace).abs() < 1e-12);
        }
    }

    /// The record of every individual, found by looking at all of them.
    fn plain_record(injection: &Injection, pool: &[(usize, u64)], i: usize) -> usize {
        let found = pool.iter().position(|(slot, _)| *slot == i);
        let oldest = || (0..injection.pool.len()).min_by_key(|&r| pool[r].1).unwrap();
        found.unwrap_or_else(oldest)
    }

    #[test]
    fn tables_find_the_records_that_a_search_finds() {
        let (n, count) = (40, 5);
        let mut injection = Injection::new(2, 0.5, 0.5, 0.5, false);
        let mut points = Matrix::<f64>::zeros(n, 2);
        let (mut missing, mut values) = (Matrix::default(), vec![0.0; n]);
        for round in 0..60 {
            Rng::new(4).row(round).fill_uniform(&mut values);
            // Some stay among the best.
            values[..3].iter_mut().for_each(|f| *f *= 0.1);
            Rng::new(5).row(round).fill_uniform(points.row_mut(round % n));
            let mut pool: Vec<(usize, u64)> = injection.pool.iter().map(|r| (r.slot, r.used)).collect();
            injection.choose(&points, &values, count, &mut missing);
            pool.resize(injection.pool.len(), (usize::MAX, 0));
            for (&i, &record) in injection.elites.iter().zip(&injection.records) {
                assert_eq!(record, plain_record(&injection, &pool, i), "round {round}");
                pool[record] = (i, injection.time);
            }
            let known: Vec<(usize, u64)> = injection.pool.iter().map(|r| (r.slot, r.used)).collect();
            assert_eq!(pool, known);
            if round % 7 == 3 {
                injection.forget(injection.elites[1]);
            }
            if round % 5 == 2 {
                // Half of them move, the others are gone.
                let from: Vec<usize> = (0..n).map(|r| if r % 2 == 0 { n + (7 * r + 3) % n } else { r }).collect();
                let slots: Vec<usize> = injection.pool.iter().map(|r| r.slot).collect();
                injection.follow(&from, n);
                for (record, slot) in injection.pool.iter().zip(slots).filter(|(_, slot)| *slot != usize::MAX) {
                    let place = from.iter().position(|&i| i == n + slot).unwrap_or(usize::MAX);
                    assert_eq!(record.slot, place);
                }
            }
        }
    }
}
