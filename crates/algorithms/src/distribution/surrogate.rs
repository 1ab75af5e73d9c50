//! A global model of the objective: linear, then with squares, then a full quadratic, by weighted least squares.
//!
//! Paper: Hansen, "A global surrogate assisted CMA-ES" (GECCO 2019), section 3. For points x_1, .., x_n that are kept, n_v of them
//! with a value, and features phi of `dof` entries:
//!
//! ```text
//! (1)  phi = (1, x_j),  (1, x_j, x_j^2),  (1, x_j, x_j x_k for j <= k):   the largest with 3/4 n_v >= 1.1 dof there ever was
//! (2)  n <= max(lambda, 2 dof of the largest phi): the oldest go
//! (3)  min sum over k of (w_k (phi(x_(k)) beta - f_(k)))^2   over the max(dof + 2, 3/4 (n_v + 1)) best, from best to worst,
//!      w from 20 down to 1 in equal steps
//! (4)  tau: Kendall's rank correlation of values and model over the newest points
//! ```
//!
//! The system (3) is solved in coordinates around the best point in which the points used are round (for squares alone: have the same
//! deviation along each axis), where it is well conditioned. Its triangle R, of the weights and points of some rounds ago, is the
//! preconditioner of conjugate gradients on the normal equations, which begin at the last solution: few steps of n dof operations where a
//! decomposition takes n dof^2. R is made anew when they become many. With fewer points than dof, (3) has the solution of least norm in
//! these coordinates.
//!
//! Differs from the paper: only where the solution is not unique or the matrix is nearly singular, for the paper's pseudo-inverse works in the
//! problem's coordinates; points whose values are no numbers, or beyond 1e100, count in (4) alone.

use crate::linear::rows::{add_rows, dot};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Result, sort_indices};

/// The share of the points that is used, and points for a coefficient before it is added.
const BEST: f64 = 0.75;
const POINTS: f64 = 1.1;
/// The weight of the best point; that of the worst one is 1.
const WEIGHT: f64 = 20.0;
/// Most coefficients.
const MOST: usize = 1000;
/// Values beyond it are no values.
const LARGE: f64 = 1e100;
/// Steps of conjugate gradients at most, with a new R and before R is made anew; the precision of the solution, and that from which on
/// roundings are what is left where a step gains nothing.
const STEPS: usize = 40;
const MANY: usize = 8;
const EXACT: f64 = 1e-14;
const ROUNDING: f64 = 1e-10;
/// Added to the diagonal, relative to it.
const RIDGE: f64 = 1e-13;

/// What the features are, eq. (1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Shape {
    /// 1 and the coordinates.
    Linear,
    /// And their squares.
    Squares,
    /// And their products.
    Full,
}

impl Shape {
    const ALL: [Shape; 3] = [Shape::Linear, Shape::Squares, Shape::Full];

    /// The number of coefficients.
    pub(super) fn size(self, dim: usize) -> usize {
        match self {
            Shape::Linear => dim + 1,
            Shape::Squares => 2 * dim + 1,
            Shape::Full => dim.saturating_mul(dim + 3) / 2 + 1,
        }
    }

    /// The largest one that is used in so many dimensions.
    fn largest(dim: usize) -> Option<Self> {
        Shape::ALL.into_iter().rfind(|shape| shape.size(dim) <= MOST)
    }

    /// Writes the features of a point, times a weight.
    fn expand(self, u: &[f64], weight: f64, out: &mut [f64]) {
        let n = u.len();
        out[0] = weight;
        out[1..=n].iter_mut().zip(u).for_each(|(o, t)| *o = weight * t);
        match self {
            Shape::Linear => {}
            Shape::Squares => out[n + 1..].iter_mut().zip(u).for_each(|(o, t)| *o = weight * t * t),
            Shape::Full => {
                let mut at = n + 1;
                for j in 0..n {
                    let own = weight * u[j];
                    out[at..=at + j].iter_mut().zip(u).for_each(|(o, t)| *o = own * t);
                    at += j + 1;
                }
            }
        }
    }
}

/// The points and the model.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Surrogate {
    dim: usize,
    /// Eq. (2); 0 where there is no model.
    most: usize,
    shape: Shape,
    /// Points, one a row, and their values, in the order in which slots became free.
    x: Vec<f64>,
    f: Vec<f64>,
    /// Slots, the newest points first.
    order: Vec<usize>,
    /// The coefficients, the value that they are added to, and whether they are of these points.
    beta: Vec<f64>,
    base: f64,
    fitted: bool,
    /// The centre of the coordinates and the lower triangle L of x = centre + L u, its diagonal alone but for a full quadratic.
    centre: Vec<f64>,
    axes: Vec<f64>,
    /// The triangle R of some rounds ago, of which shape.
    triangle: Vec<f64>,
    decomposed: Option<Shape>,
    #[serde(skip)]
    work: Work,
}

/// Room that the solution needs.
#[derive(Debug, Default)]
struct Work {
    /// Weighted features, one row a point used, and the residuals.
    a: Vec<f64>,
    r: Vec<f64>,
    q: Vec<f64>,
    s: Vec<f64>,
    p: Vec<f64>,
    u: Vec<f64>,
    phi: Vec<f64>,
    values: Vec<f64>,
    models: Vec<f64>,
    sorted: Vec<usize>,
    used: Vec<usize>,
    /// A slope, a Hessian and what maps onto the coordinates, all in these.
    g: Vec<f64>,
    h: Vec<f64>,
    k: Vec<f64>,
}

impl Surrogate {
    /// Without points yet, for populations of so many.
    pub(super) fn new(dim: usize, population: usize) -> Self {
        Surrogate {
            dim,
            most: Shape::largest(dim).map_or(0, |shape| population.max(2 * shape.size(dim))), // eq. (2)
            shape: Shape::Linear,
            x: Vec::new(),
            f: Vec::new(),
            order: Vec::new(),
            beta: Vec::new(),
            base: 0.0,
            fitted: false,
            centre: Vec::new(),
            axes: Vec::new(),
            triangle: Vec::new(),
            decomposed: None,
            work: Work::default(),
        }
    }

    /// Numbers that it takes.
    pub(super) fn numbers(dim: usize, population: usize) -> f64 {
        let Some(shape) = Shape::largest(dim) else { return 0.0 };
        let (size, most) = (shape.size(dim) as f64, population.max(2 * shape.size(dim)) as f64);
        most * (dim as f64 + 8.0) + BEST * most * size + size * size + 8.0 * size + 3.0 * (dim as f64 + 1.0).powi(2)
    }

    /// Whether what was read back fits together.
    pub(super) fn verify(&self, dim: usize, population: usize) -> Result<()> {
        let fresh = Surrogate::new(dim, population);
        saved::holds("model", self.dim == dim && self.most == fresh.most, "must be of the space and the population")?;
        saved::holds("shape", Shape::largest(dim).is_none_or(|most| self.shape <= most), "must be one that is used")?;
        let n = self.f.len();
        saved::holds("points", n <= self.most, "must not be more than are kept")?;
        saved::holds("points", self.x.len() == n * dim, "must have all variables")?;
        saved::holds("values", self.f.iter().all(|f| !f.is_nan()), "must be numbers")?;
        saved::length("order", &self.order, n)?;
        let mut seen = vec![false; n];
        self.order.iter().for_each(|&k| _ = seen.get_mut(k).map(|seen| *seen = true));
        saved::holds("order", seen.iter().all(|seen| *seen), "must be one of all points")?;
        if self.beta.is_empty() {
            let none = !self.fitted && self.decomposed.is_none();
            return saved::holds("model", none, "must have coefficients");
        }
        saved::length("coefficients", &self.beta, self.shape.size(dim))?;
        saved::length("centre", &self.centre, dim)?;
        let square = dim * dim;
        saved::length("axes", &self.axes, square)?;
        let axes = (0..dim).all(|j| self.axes[j * dim + j] > 0.0);
        saved::holds("axes", axes, "must have lengths")?;
        if let Some(shape) = self.decomposed {
            saved::holds("triangle", shape == self.shape, "must be of the model")?;
            let size = shape.size(dim);
            saved::length("triangle", &self.triangle, size * size)?;
        }
        Ok(())
    }

    /// Points that are kept.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// What the features are.
    #[cfg(test)]
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    fn point(&self, slot: usize) -> &[f64] {
        &self.x[slot * self.dim..(slot + 1) * self.dim]
    }

    /// Adds a point, unless it is there already.
    pub(super) fn add(&mut self, x: impl Iterator<Item = f64> + Clone, f: f64) {
        let f = if f.is_nan() { f64::INFINITY } else { f };
        let known = self.order.iter().any(|&k| x.clone().zip(self.point(k)).all(|(a, b)| a == *b));
        if known || self.most == 0 {
            return;
        }
        if self.order.is_empty() {
            self.reserve();
        }
        let slot = if self.order.len() < self.most {
            self.x.extend(x);
            self.f.push(f);
            self.f.len() - 1
        } else {
            let oldest = self.order.pop().unwrap_or_default();
            self.x[oldest * self.dim..(oldest + 1) * self.dim].iter_mut().zip(x).for_each(|(o, t)| *o = t);
            self.f[oldest] = f;
            oldest
        };
        self.order.insert(0, slot);
        self.fitted = false;
        let valued = self.f.iter().filter(|f| is_value(**f)).count() as f64;
        let may = |shape: &Shape| {
            let size = shape.size(self.dim);
            size <= MOST && *shape > self.shape && BEST * valued >= POINTS * size as f64 // eq. (1)
        };
        if let Some(shape) = Shape::ALL.into_iter().rfind(may) {
            (self.shape, self.decomposed) = (shape, None);
            self.beta.clear();
        }
    }

    /// Takes what it may ever need: the system takes pages only as they are used.
    fn reserve(&mut self) {
        let Some(shape) = Shape::largest(self.dim) else { return };
        let (size, dim, most) = (shape.size(self.dim), self.dim, self.most);
        let used = ((BEST * (most + 1) as f64) as usize).max(size + 2).min(most);
        self.x.reserve_exact(most * dim);
        [&mut self.f, &mut self.work.values, &mut self.work.models].into_iter().for_each(|v| v.reserve_exact(most));
        [&mut self.order, &mut self.work.sorted, &mut self.work.used].into_iter().for_each(|v| v.reserve_exact(most));
        self.beta.reserve_exact(size);
        self.triangle.reserve_exact(size * size);
        self.work.a.reserve_exact(used * size);
        let few = [&mut self.work.r, &mut self.work.q, &mut self.work.s, &mut self.work.p, &mut self.work.phi];
        few.into_iter().for_each(|v| v.reserve_exact(used.max(size)));
        let squares = [&mut self.work.h, &mut self.work.k];
        squares.into_iter().for_each(|v| v.reserve_exact((dim + 1) * (dim + 1)));
    }

    /// Brings the newest points into the order of their values.
    pub(super) fn sort_newest(&mut self, count: usize) {
        let count = count.min(self.order.len());
        let Work { values, sorted, used, .. } = &mut self.work;
        values.clear();
        values.extend(self.order[..count].iter().map(|&k| self.f[k]));
        sort_indices(values, sorted);
        used.clear();
        used.extend(sorted.iter().map(|&i| self.order[i]));
        self.order[..count].copy_from_slice(used);
    }

    /// Eq. (4): tau-b over the newest points; 0 where it does not exist, or of fewer than three.
    pub(super) fn tau(&mut self, count: usize) -> f64 {
        let count = count.min(self.order.len());
        if count < 3 || !self.fit() {
            return 0.0;
        }
        let mut models = std::mem::take(&mut self.work.models);
        let mut values = std::mem::take(&mut self.work.values);
        models.clear();
        values.clear();
        for i in 0..count {
            let slot = self.order[i];
            values.push(self.f[slot]);
            let (x, dim) = (std::mem::take(&mut self.x), self.dim);
            models.push(self.value(x[slot * dim..(slot + 1) * dim].iter().copied()));
            self.x = x;
        }
        let tau = kendall(&values, &models);
        (self.work.models, self.work.values) = (models, values);
        tau
    }

    /// The model at a point; [`Surrogate::fit`] first.
    pub(super) fn value(&mut self, x: impl Iterator<Item = f64>) -> f64 {
        let Work { u, phi, .. } = &mut self.work;
        u.clear();
        u.extend(x.zip(&self.centre).map(|(x, c)| x - c));
        inward(&self.axes, self.shape, self.dim, u);
        phi.resize(self.beta.len(), 0.0);
        self.shape.expand(u, 1.0, phi);
        self.base + dot(phi, &self.beta)
    }

    /// The slots of the points that eq. (3) is over, from best to worst.
    fn choose(&mut self) {
        let Work { values, sorted, used, .. } = &mut self.work;
        used.clear();
        used.extend(self.order.iter().copied().filter(|&k| is_value(self.f[k])));
        values.clear();
        values.extend(used.iter().map(|&k| self.f[k]));
        sort_indices(values, sorted);
        sorted.iter_mut().for_each(|i| *i = used[*i]);
        let wanted = ((BEST * (used.len() + 1) as f64) as usize).max(self.shape.size(self.dim) + 2);
        sorted.truncate(wanted);
        std::mem::swap(used, sorted);
    }

    /// Solves eq. (3) where points are new; whether there is a model.
    pub(super) fn fit(&mut self) -> bool {
        if self.fitted {
            return true;
        }
        if self.order.len() < 2 {
            return false;
        }
        self.choose();
        let n = self.work.used.len();
        if n < 2 {
            return false;
        }
        let base = self.f[self.work.used[0]];
        let size = self.shape.size(self.dim);
        if n < size {
            self.aim();
            self.fill(base);
            self.solve_few(n, size);
            (self.base, self.decomposed) = (base, None);
        } else {
            let mut anew = self.decomposed != Some(self.shape);
            if !anew {
                self.beta[0] += self.base - base;
                self.fill(base);
                anew = !self.descend(n, size, MANY);
            }
            if anew {
                self.aim();
                self.fill(base);
                self.decompose(n, size);
                self.beta.clear();
                self.beta.resize(size, 0.0);
                self.descend(n, size, STEPS);
            }
            self.base = base;
        }
        self.fitted = self.beta.iter().all(|t| t.is_finite());
        if !self.fitted {
            self.beta.clear();
            self.decomposed = None;
        }
        self.fitted
    }

    /// Coordinates in which the points used are round.
    fn aim(&mut self) {
        let (n, dim) = (self.work.used.len(), self.dim);
        self.centre.clear();
        self.centre.extend_from_slice(&self.x[self.work.used[0] * dim..(self.work.used[0] + 1) * dim]);
        self.axes.clear();
        self.axes.resize(dim * dim, 0.0);
        let u = &mut self.work.u;
        for &k in &self.work.used {
            u.clear();
            u.extend(self.x[k * dim..(k + 1) * dim].iter().zip(&self.centre).map(|(x, c)| x - c));
            for j in 0..dim {
                let own = u[j] / n as f64;
                let from = if self.shape == Shape::Full { 0 } else { j };
                self.axes[j * dim + from..=j * dim + j].iter_mut().zip(&u[from..]).for_each(|(m, t)| *m += own * t);
            }
        }
        // A variable that does not move has no length of its own.
        u.clear();
        u.extend((0..dim).map(|j| self.axes[j * dim + j]).map(|m| if m > 0.0 && m.is_finite() { m } else { 1.0 }));
        u.iter().enumerate().for_each(|(j, m)| self.axes[j * dim + j] = m * (1.0 + 1e-12));
        if !cholesky(&mut self.axes, dim) {
            self.axes.fill(0.0);
            u.iter().enumerate().for_each(|(j, m)| self.axes[j * dim + j] = m.sqrt());
        }
    }

    /// Weighted features and values of the points used.
    fn fill(&mut self, base: f64) {
        let (dim, size) = (self.dim, self.shape.size(self.dim));
        let Work { a, r, u, used, .. } = &mut self.work;
        let n = used.len();
        a.resize(n * size, 0.0);
        r.clear();
        for (i, (&k, row)) in used.iter().zip(a.chunks_exact_mut(size)).enumerate() {
            u.clear();
            u.extend(self.x[k * dim..(k + 1) * dim].iter().zip(&self.centre).map(|(x, c)| x - c));
            inward(&self.axes, self.shape, dim, u);
            let weight = WEIGHT - (WEIGHT - 1.0) * i as f64 / (n - 1) as f64;
            self.shape.expand(u, weight, row);
            r.push(weight * (self.f[k] - base));
        }
    }

    /// The solution of least norm of fewer equations than coefficients: beta = A' (A A')^-1 r.
    fn solve_few(&mut self, n: usize, size: usize) {
        let Work { a, r, k: q, .. } = &mut self.work;
        let row = |i: usize| &a[i * size..(i + 1) * size];
        q.clear();
        q.resize(n * n, 0.0);
        for i in 0..n {
            for k in 0..=i {
                q[i * n + k] = dot(row(i), row(k));
            }
            q[i * n + i] *= 1.0 + RIDGE;
        }
        self.beta.clear();
        self.beta.resize(size, 0.0);
        if !cholesky(q, n) {
            self.beta.fill(f64::NAN);
            return;
        }
        solve_lower(q, n, r);
        solve_upper(q, n, r);
        add_rows(&mut self.beta, n, |i| (r[i], row(i)));
    }

    /// R of A' A = R' R; a ridge keeps it regular.
    fn decompose(&mut self, n: usize, size: usize) {
        let a = &self.work.a;
        let mut ridge = RIDGE;
        loop {
            self.triangle.clear();
            self.triangle.resize(size * size, 0.0);
            for j in 0..size {
                add_rows(&mut self.triangle[j * size..=j * size + j], n, |i| {
                    let row = &a[i * size..(i + 1) * size];
                    (row[j], &row[..=j])
                });
            }
            let largest = (0..size).fold(0.0, |most: f64, j| most.max(self.triangle[j * size + j]));
            for j in 0..size {
                self.triangle[j * size + j] += ridge * (self.triangle[j * size + j] + 1e-3 * largest);
            }
            if cholesky(&mut self.triangle, size) || !largest.is_finite() || ridge > 1.0 {
                break;
            }
            ridge *= 100.0;
        }
        self.decomposed = Some(self.shape);
    }

    /// Conjugate gradients on the normal equations from the coefficients there are; whether they have come to the end.
    fn descend(&mut self, n: usize, size: usize, most: usize) -> bool {
        let Work { a, r, q, s, p, .. } = &mut self.work;
        let (r_matrix, beta) = (&self.triangle, &mut self.beta);
        let row = |i: usize| &a[i * size..(i + 1) * size];
        let [goal, floor] = [EXACT, ROUNDING].map(|t| t * t * dot(r, r));
        (0..n).for_each(|i| r[i] -= dot(row(i), beta));
        let slope = |r: &[f64], s: &mut Vec<f64>| {
            s.clear();
            s.resize(size, 0.0);
            add_rows(s, n, |i| (r[i], row(i)));
            solve_lower(r_matrix, size, s);
            dot(s, s)
        };
        let mut gamma = slope(r, s);
        solve_upper(r_matrix, size, s);
        p.clear();
        p.extend_from_slice(s);
        q.resize(n, 0.0);
        for _ in 0..most {
            if gamma <= goal {
                return true;
            }
            q.truncate(n);
            (0..n).for_each(|i| q[i] = dot(row(i), p));
            let alpha = gamma / dot(q, q);
            if !alpha.is_finite() {
                return false;
            }
            beta.iter_mut().zip(&*p).for_each(|(b, p)| *b += alpha * p);
            r.iter_mut().zip(&*q).for_each(|(r, q)| *r -= alpha * q);
            let before = gamma;
            gamma = slope(r, s);
            solve_upper(r_matrix, size, s);
            if gamma >= before && gamma <= floor {
                return true;
            }
            let keep = gamma / before;
            p.iter_mut().zip(&*s).for_each(|(p, s)| *p = s + keep * *p);
        }
        gamma <= goal
    }

    /// Slope and Hessian of the model in coordinates z of x = middle + J z: J row by row, the Hessian's lower triangle.
    pub(super) fn derivatives(&mut self, middle: &[f64], j: &[f64], slope: &mut [f64], hessian: &mut [f64]) {
        let dim = self.dim;
        let Work { u, g, h, k, s: hk, .. } = &mut self.work;
        u.clear();
        u.extend(middle.iter().zip(&self.centre).map(|(x, c)| x - c));
        inward(&self.axes, self.shape, dim, u);
        let beta = &self.beta;
        // In u: the slope at the middle and the Hessian.
        g.clear();
        g.extend_from_slice(&beta[1..=dim]);
        h.clear();
        h.resize(dim * dim, 0.0);
        match self.shape {
            Shape::Linear => {}
            Shape::Squares => (0..dim).for_each(|i| h[i * dim + i] = 2.0 * beta[dim + 1 + i]),
            Shape::Full => {
                let mut at = dim + 1;
                for i in 0..dim {
                    for k in 0..=i {
                        let b = if k == i { 2.0 * beta[at] } else { beta[at] };
                        (h[i * dim + k], h[k * dim + i]) = (b, b);
                        at += 1;
                    }
                }
            }
        }
        (0..dim).for_each(|i| g[i] += dot(&h[i * dim..(i + 1) * dim], u));
        // K = L^-1 J, one column of J at a time: row i of `k` is column i of K.
        k.clear();
        k.resize(dim * dim, 0.0);
        for i in 0..dim {
            let column = &mut k[i * dim..(i + 1) * dim];
            column.iter_mut().enumerate().for_each(|(row, t)| *t = j[row * dim + i]);
            inward(&self.axes, self.shape, dim, column);
        }
        hk.clear();
        hk.resize(dim, 0.0);
        for i in 0..dim {
            let column = &k[i * dim..(i + 1) * dim];
            slope[i] = dot(column, g);
            hk.iter_mut().enumerate().for_each(|(row, t)| *t = dot(&h[row * dim..(row + 1) * dim], column));
            for l in 0..=i {
                hessian[i * dim + l] = dot(hk, &k[l * dim..(l + 1) * dim]);
            }
        }
    }
}

fn is_value(f: f64) -> bool {
    f.abs() <= LARGE
}

/// u <- L^-1 u.
fn inward(axes: &[f64], shape: Shape, dim: usize, u: &mut [f64]) {
    if shape == Shape::Full {
        solve_lower(axes, dim, u);
    } else {
        u.iter_mut().enumerate().for_each(|(j, t)| *t /= axes[j * dim + j]);
    }
}

/// Kendall's tau-b; 0 where all of one side are equal.
fn kendall(a: &[f64], b: &[f64]) -> f64 {
    let (mut sum, mut pairs) = (0i64, [0i64; 2]);
    let sign = |x: f64, y: f64| i64::from(x > y) - i64::from(x < y);
    for i in 0..a.len() {
        for k in 0..i {
            let (s, t) = (sign(a[i], a[k]), sign(b[i], b[k]));
            sum += s * t;
            pairs[0] += s * s;
            pairs[1] += t * t;
        }
    }
    let all = (pairs[0] as f64 * pairs[1] as f64).sqrt();
    if all > 0.0 { sum as f64 / all } else { 0.0 }
}

/// The lower Cholesky factor in place, row by row; false where the matrix is not positive definite.
fn cholesky(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        let (above, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &above[j * n..j * n + j + 1];
            row[j] = (row[j] - dot(&other[..j], &row[..j])) / other[j];
        }
        let left = row[i] - dot(&row[..i], &row[..i]);
        if left <= 0.0 || !left.is_finite() {
            return false;
        }
        row[i] = left.sqrt();
        row[i + 1..].fill(0.0);
    }
    true
}

/// b <- L^-1 b.
fn solve_lower(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        b[i] = (b[i] - dot(&l[i * n..i * n + i], &b[..i])) / l[i * n + i];
    }
}

/// b <- L'^-1 b.
fn solve_upper(l: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        b[i] /= l[i * n + i];
        let t = b[i];
        b[..i].iter_mut().zip(&l[i * n..i * n + i]).for_each(|(b, l)| *b -= l * t);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use swarmgrad_core::Rng;

    /// A quadratic of this shape whose coefficients are drawn, at a point.
    fn quadratic(shape: Shape, seed: u64, x: &[f64]) -> f64 {
        let mut phi = vec![0.0; shape.size(x.len())];
        shape.expand(x, 1.0, &mut phi);
        let rng = Rng::new(seed);
        let mut draws = rng.row(1);
        phi.iter().map(|t| 3.0 * draws.normal() * t).sum::<f64>() + 5.0
    }

    fn points(seed: u64, count: usize, dim: usize, at: f64, wide: f64) -> Vec<Vec<f64>> {
        let rng = Rng::new(seed);
        let point = |i| {
            let mut draws = rng.row(i + 7);
            (0..dim).map(|j| at + wide * 3f64.powi(j as i32) * draws.normal()).collect()
        };
        (0..count).map(point).collect()
    }

    /// The model's value at a point, after a fit.
    fn at(model: &mut Surrogate, x: &[f64]) -> f64 {
        assert!(model.fit());
        model.value(x.iter().copied())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_quadratic_is_known_exactly(seed in 0u64..1000, dim in 1usize..7, kind in 0usize..3, at_ in -100.0..100.0, wide in 0.01..10.0) {
            let shape = Shape::ALL[kind];
            let mut model = Surrogate::new(dim, 8);
            let mut all = points(seed, 2 * shape.size(dim) + 3, dim, at_, wide);
            let probe = all.pop().unwrap();
            // Models are asked in between: the solution is carried on.
            for x in &all {
                model.add(x.iter().copied(), quadratic(shape, seed, x));
                model.fit();
            }
            let span = all.iter().map(|x| quadratic(shape, seed, x).abs()).fold(1.0, f64::max);
            let gap = at(&mut model, &probe) - quadratic(shape, seed, &probe);
            prop_assert!(gap.abs() < 1e-8 * span, "{gap:e} of {span:e}");
        }

        #[test]
        fn values_may_be_shifted_and_stretched(seed in 0u64..1000, count in 3usize..60, shift in -1e3..1e3f64, factor in 0.01..100.0f64) {
            let dim = 3;
            let rough = |x: &[f64]| x.iter().map(|t| t * t + 2.0 * t.sin()).sum::<f64>();
            let mut models = [Surrogate::new(dim, 8), Surrogate::new(dim, 8)];
            let all = points(seed, count, dim, 0.5, 1.0);
            for x in &all {
                models[0].add(x.iter().copied(), rough(x));
                models[1].add(x.iter().copied(), shift + factor * rough(x));
            }
            let [one, other] = &mut models;
            let span = all.iter().map(|x| rough(x).abs()).fold(1.0, f64::max);
            for x in points(seed + 1, 5, dim, 0.5, 1.0) {
                let (a, b) = (at(one, &x), at(other, &x));
                prop_assert!((shift + factor * a - b).abs() < 1e-7 * (factor * span + shift.abs()), "{a} {b}");
            }
            prop_assert_eq!(one.tau(15), other.tau(15));
        }

        /// The solution carried from round to round is that of a decomposition.
        #[test]
        fn a_carried_solution_is_the_solution(seed in 0u64..1000, dim in 2usize..6) {
            let rough = |x: &[f64]| x.iter().map(|t| t * t + (3.0 * t).sin()).sum::<f64>();
            let [mut carried, mut fresh] = [Surrogate::new(dim, 8), Surrogate::new(dim, 8)];
            let count = 5 * Shape::Full.size(dim);
            for (k, x) in points(seed, count, dim, 0.0, 1.0).iter().enumerate() {
                // The cloud draws in.
                let x: Vec<f64> = x.iter().map(|t| t * 0.98f64.powi(k as i32)).collect();
                carried.add(x.iter().copied(), rough(&x));
                fresh.add(x.iter().copied(), rough(&x));
                carried.fit();
            }
            prop_assert!(carried.shape == Shape::Full);
            for x in points(seed + 1, 4, dim, 0.0, 0.3) {
                let (a, b) = (at(&mut carried, &x), at(&mut fresh, &x));
                prop_assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{a} {b}");
            }
        }
    }

    #[test]
    fn the_shape_grows_with_the_points() {
        let mut model = Surrogate::new(4, 8);
        let mut grown = Vec::new();
        for (k, x) in points(3, 60, 4, 0.0, 1.0).iter().enumerate() {
            let before = model.shape();
            model.add(x.iter().copied(), x[0]);
            if model.shape() != before {
                grown.push((k + 1, model.shape()));
            }
        }
        // 1.1 of 9 and of 15 coefficients are three quarters of the points; 2 of 15 are kept.
        assert_eq!(grown, [(14, Shape::Squares), (22, Shape::Full)]);
        assert_eq!(model.len(), 30);
        model.verify(4, 8).unwrap();
        let again = points(3, 60, 4, 0.0, 1.0);
        model.add(again[59].iter().copied(), 1.0);
        assert_eq!((model.len(), model.f[model.order[0]]), (30, again[59][0]));
    }

    #[test]
    fn what_is_no_value_counts_in_the_ranks_alone() {
        let mut model = Surrogate::new(2, 40);
        for (k, x) in points(5, 40, 2, 0.0, 1.0).iter().enumerate() {
            let f = x[0] * x[0] + x[1];
            model.add(x.iter().copied(), [f, f, f64::NAN, 1e300, f][k % 5]);
        }
        assert!((at(&mut model, &[0.5, 2.0]) - 2.25).abs() < 1e-9);
        assert!(model.tau(40) < 0.8);
    }

    #[test]
    fn tau_counts_pairs() {
        assert_eq!(kendall(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 4.0, 3.0]), 4.0 / 6.0);
        assert_eq!(kendall(&[1.0, 1.0, 2.0], &[0.0, 1.0, 2.0]), 2.0 / 6f64.sqrt());
        assert_eq!(kendall(&[1.0, 1.0, 1.0], &[0.0, 1.0, 2.0]), 0.0);
        assert_eq!(kendall(&[1.0, f64::INFINITY, 2.0], &[-1.0, 5.0, 0.0]), 1.0);
    }

    #[test]
    fn derivatives_are_those_of_the_quadratic() {
        let f = |x: &[f64]| 3.0 * (x[0] - 1.0) * (x[0] - 1.0) + x[0] * x[1] - 2.0 * x[1] * x[1] + 4.0 * x[1];
        let mut model = Surrogate::new(2, 8);
        points(5, 15, 2, 2.0, 0.5).iter().for_each(|x| model.add(x.iter().copied(), f(x)));
        assert!(model.fit());
        let (mut g, mut h) = ([0.0; 2], [0.0; 4]);
        // x = (2 z_0, z_0 + z_1) around (2, 3): slope and Hessian by the chain rule.
        model.derivatives(&[2.0, 3.0], &[2.0, 0.0, 1.0, 1.0], &mut g, &mut h);
        let expected = ([2.0 * 9.0 - 6.0, -6.0], [4.0 * 6.0 + 4.0 - 4.0, 0.0, 2.0 - 4.0, -4.0]);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-8;
        assert!(close(g[0], expected.0[0]) && close(g[1], expected.0[1]), "{g:?}");
        assert!([0, 2, 3].iter().all(|&k| close(h[k], expected.1[k])), "{h:?}");
    }
}
