//! Trust region with quadratic models that interpolate values: one evaluation a step, no differences.
//!
//! Papers: Powell, "Least Frobenius norm updating of quadratic models that satisfy interpolation conditions" (Mathematical
//! Programming 2004), "The NEWUOA software for unconstrained optimization without derivatives" (2006) and "The BOBYQA algorithm
//! for bound constrained optimization without derivatives" (2009). In coordinates y = (x - b) / r, where every variable is in
//! units of its own length, the model is Q(y) = c + g y + y G y / 2 and interpolates f at m = 2 n + 1 points y_i, W K = I:
//!
//! ```text
//! (1)  W = [[A, X'], [X, 0]],  A_ij = (y_i y_j)^2 / 2,  X = [1; y_i]
//! (2)  l_t(y) = K_(m+1,t) + sum_j K_(m+1+j,t) y_j + sum_i K_it (y_i y)^2 / 2          Lagrange function of point t
//! (3)  Q <- Q + (f(y) - Q(y)) l_t     when y replaces y_t: the change of G has the least Frobenius norm
//! (4)  s = argmin Q(y_best + s) with |s_j| <= Delta / r in the box                      by conjugate gradients
//! (5)  w_i = (y_i y)^2 / 2, then 1 and y;  beta = |y|^4 / 2 - w K w,  tau = (K w)_t,  sigma = K_tt beta + tau^2
//! (6)  K <- K + (K_tt u u' - beta k k' + tau (k u' + u k')) / sigma,  u = e_t - K w,  k = K e_t
//! (7)  t maximises |sigma_t| max(1, (|y_t - y_best| / Delta)^4)                          who is replaced
//! ```
//!
//! Delta halves at least where the ratio of actual to predicted decrease is at most 0.1, and grows to twice the step above 0.7;
//! it never falls below rho. Where a step is shorter than rho / 2, or has failed, a point further than 2 Delta from the best one
//! moves to where its Lagrange function is large; with none so far away, rho is drawn in tenfold, down to `accuracy`.
//!
//! Differs from the papers: the trust region is a box in units of the natural lengths of the variables; (4) stops at the first
//! face on which conjugate gradients end; K is dense and is inverted anew after m updates, whenever rho changes, and where sigma is too small to
//! divide by; a point of bad geometry moves to the better of the two corners that the gradient of its Lagrange function points to;
//! after a step to a value that is not finite a shorter one follows, and one no longer than rho counts as the worst of the set plus its
//! range; where such a value was to better the geometry, the model's own stands for it.

use super::{LocalSearch, Terrain};
use crate::linear::{
    InverseRoom, add_rows, add_two_products, add_weighted_squares, invert, lanes_dot as dot, largest_gap, multiply,
    multiply_symmetric,
};
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Real, Reason, Result, View};

parameters! {
    /// Parameters of [`TrustRegion`].
    pub struct Params {
        /// First radius, as a share of the width of the box.
        radius "rho_beg": f64 = 0.1, Within(1e-12, 1.0);
        /// Last radius, as a share of the width of the box.
        accuracy "rho_end": f64 = 1e-9, Within(1e-15, 1.0);
    }
}

/// What the next points are for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// The points of the first model, or of one begun anew.
    Points,
    /// A step of eq. (4).
    Step,
    /// A better place for point t.
    Geometry(usize),
    Ended,
}

/// Trust-region search.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustRegion {
    params: Params,
    terrain: Terrain,
    /// Variables that can move, and the unit of each.
    open: Vec<usize>,
    unit: Vec<f64>,
    stage: Stage,
    /// The origin of y and its scale in units.
    base: Vec<f64>,
    scale: f64,
    /// The points in x, full length, with y as far as open; values.
    points: Matrix<f64>,
    y: Matrix<f64>,
    f: Vec<f64>,
    best: usize,
    delta: f64,
    rho: f64,
    model: Quadratic,
    /// K, row-major, of which the lower triangle is kept, and its updates since it was inverted.
    k: Vec<f64>,
    updates: usize,
    /// The candidate in y, the step's length in units and the decrease predicted.
    candidate: Vec<f64>,
    length: f64,
    predicted: f64,
    steps: u64,
    why: Option<Reason>,
    work: Work,
}

/// c + g y + y G y / 2 with G = H + sum_i gamma_i y_i y_i' over the points: so eq. (3) costs O(m) and not O(m n^2).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Quadratic {
    c: f64,
    g: Vec<f64>,
    /// H, row-major.
    h: Vec<f64>,
    gamma: Vec<f64>,
    /// Whether any of gamma is not 0.
    spread: bool,
    along: Vec<f64>,
}

/// Memory that nothing reads across rounds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Work {
    w: Vec<f64>,
    kw: Vec<f64>,
    u: Vec<f64>,
    column: Vec<f64>,
    direction: Vec<f64>,
    residual: Vec<f64>,
    product: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    free: Vec<bool>,
    #[serde(skip)]
    inverse: InverseRoom,
}

impl LocalSearch for TrustRegion {
    const NAME: &'static str = "trust_region";
    type Params = Params;

    fn numbers(_params: &Params, dim: usize) -> f64 {
        // K of 3 d + 2 rows, H, and the points twice.
        let d = dim as f64;
        (3.0 * d + 2.0).powi(2) + d * d + 2.0 * d * (2.0 * d + 1.0) + 80.0 * d
    }

    fn new(params: Params, terrain: Terrain) -> Result<Self> {
        let dim = terrain.dim();
        if params.accuracy > params.radius {
            let rule = format!("must be at most radius = {}", params.radius);
            return Err(swarmgrad_core::Error::parameter("accuracy", params.accuracy, rule));
        }
        let open: Vec<usize> = (0..dim).filter(|&j| terrain.lower[j] < terrain.upper[j]).collect();
        let (n, m) = (open.len(), 2 * open.len() + 1);
        let size = m + n + 1;
        let zeros = |n: usize| vec![0.0; n];
        Ok(TrustRegion {
            unit: zeros(dim),
            stage: Stage::Ended,
            base: zeros(dim),
            scale: 1.0,
            points: Matrix::zeros(m, dim),
            y: Matrix::zeros(m, n),
            f: vec![f64::INFINITY; m],
            best: 0,
            delta: 0.0,
            rho: 0.0,
            model: Quadratic { c: 0.0, g: zeros(n), h: zeros(n * n), gamma: zeros(m), spread: false, along: zeros(m) },
            k: zeros(size * size),
            updates: 0,
            candidate: zeros(n),
            length: 0.0,
            predicted: 0.0,
            steps: 0,
            why: None,
            work: Work {
                w: zeros(size),
                kw: zeros(size),
                u: zeros(size),
                column: zeros(size),
                direction: zeros(n),
                residual: zeros(n),
                product: zeros(n),
                lower: zeros(n),
                upper: zeros(n),
                free: vec![false; n],
                inverse: InverseRoom::default(),
            },
            open,
            params,
            terrain,
        })
    }

    fn launch(&mut self, x: &[f64], value: f64, _gradient: Option<&[f64]>) {
        let Self { unit, terrain, .. } = self;
        unit.iter_mut().zip(x).enumerate().for_each(|(j, (unit, &x))| *unit = terrain.length(j, x));
        self.points.row_mut(0).copy_from_slice(x);
        (self.best, self.f[0]) = (0, value);
        (self.rho, self.delta) = (self.params.radius, self.params.radius);
        (self.steps, self.why) = (0, None);
        self.begin();
    }

    fn ask(&mut self, xs: &mut Matrix<f64>) {
        xs.clear();
        match self.stage {
            Stage::Points => {
                (0..self.points.len()).filter(|&i| i != self.best).for_each(|i| xs.push(self.points.row(i)))
            }
            Stage::Step | Stage::Geometry(_) => {
                xs.push(self.points.row(self.best));
                let x = xs.row_mut(0);
                for (i, &j) in self.open.iter().enumerate() {
                    x[j] = self.terrain.clamp(j, self.base[j] + self.scale * self.unit[j] * self.candidate[i]);
                }
            }
            Stage::Ended => {}
        }
    }

    fn tell(&mut self, xs: &Matrix<f64>, values: &[f64]) {
        match self.stage {
            Stage::Points => {
                for (k, i) in (0..self.points.len()).filter(|&i| i != self.best).enumerate() {
                    self.points.row_mut(i).copy_from_slice(xs.row(k));
                    self.f[i] = values[k];
                }
                // Of a hole beside the start nothing is known: the ground there counts as flat.
                let flat = self.f[self.best];
                self.f.iter_mut().filter(|f| !f.is_finite()).for_each(|f| *f = flat);
                self.best = swarmgrad_core::best_index(&self.f).unwrap_or(0);
                self.model.g.fill(0.0);
                self.model.h.fill(0.0);
                self.model.gamma.fill(0.0);
                self.model.spread = false;
                self.model.c = self.f[self.best];
                if !self.rebuild() {
                    return self.end("the points have no room for a model");
                }
                // From the flat model at the best value to one that interpolates, by eq. (3) for all points together.
                let Work { w, column, .. } = &mut self.work;
                w.fill(0.0);
                w.iter_mut().zip(&self.f).for_each(|(w, f)| *w = f - self.model.c);
                multiply_symmetric(&self.k, w, column);
                self.add_column();
                self.advance();
            }
            Stage::Step => self.take_step(xs.row(0), values[0]),
            Stage::Geometry(t) => {
                let value = match values[0] {
                    value if value.is_finite() => value,
                    _ => self.model.at(&self.candidate, &self.y, &mut self.work.product).max(self.f[self.best]),
                };
                let beta = self.reach_told(xs.row(0));
                if self.replace(t, xs.row(0), value, beta) {
                    self.advance();
                }
            }
            Stage::Ended => {}
        }
    }

    fn place(&self) -> (&[f64], f64) {
        (self.points.row(self.best), self.f[self.best])
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn stop_reason(&self) -> Option<&Reason> {
        self.why.as_ref()
    }

    fn verify(&self, terrain: &Terrain, _launched: bool) -> Result<()> {
        let fresh = TrustRegion::new(self.params.clone(), terrain.clone())?;
        saved::parameters(&self.params)?;
        saved::holds("terrain", self.terrain == *terrain, "must be that of the space")?;
        saved::holds("open", self.open == fresh.open, "must be the variables that can move")?;
        let (dim, n, m) = (terrain.dim(), fresh.open.len(), fresh.f.len());
        let (size, work) = (m + n + 1, &self.work);
        saved::lengths([("unit", &self.unit), ("base", &self.base)], dim)?;
        saved::shape("points", &self.points, m, dim)?;
        saved::shape("y", &self.y, m, n)?;
        saved::length("f", &self.f, m)?;
        let place = if let Stage::Geometry(t) = self.stage { t } else { 0 };
        saved::below("points", [&self.best, &place], m)?;
        saved::length("k", &self.k, size * size)?;
        saved::lengths([("gamma", &self.model.gamma), ("along", &self.model.along)], m)?;
        saved::lengths([("w", &work.w), ("kw", &work.kw), ("u", &work.u), ("column", &work.column)], size)?;
        let short = [
            ("g", &self.model.g),
            ("candidate", &self.candidate),
            ("direction", &work.direction),
            ("residual", &work.residual),
            ("product", &work.product),
            ("lower", &work.lower),
            ("upper", &work.upper),
        ];
        saved::lengths(short, n)?;
        saved::length("h", &self.model.h, n * n)?;
        saved::length("free", &work.free, n)?;
        saved::holds("stage", n > 0 || self.stage == Stage::Ended, "must be the end where no variable can move")?;
        saved::count("steps", self.steps)
    }

    fn show<'a, F: Real>(&'a self, view: &mut View<'a, F>) {
        view.numbers.extend([("f", self.f[self.best]), ("delta", self.delta), ("rho", self.rho)]);
    }
}

impl TrustRegion {
    fn end(&mut self, why: &str) {
        (self.stage, self.why) = (Stage::Ended, Some(Reason::Method(why.into())));
    }

    /// A value for the model: a failure counts as the worst of the set plus its range.
    fn tamed(&self, value: f64) -> f64 {
        if value.is_finite() {
            return value;
        }
        let finite = || self.f.iter().copied().filter(|f| f.is_finite());
        let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), f| (l.min(f), h.max(f)));
        (high + (high - low).max(high.abs()).max(1.0)).min(f64::MAX)
    }

    /// Points along the axes around the best one, at the distance rho.
    fn begin(&mut self) {
        if self.open.is_empty() {
            return self.end("no variable can move");
        }
        self.points.data_mut().swap_rows(0, self.best, self.base.len());
        self.f.swap(0, self.best);
        self.best = 0;
        let (n, rho) = (self.open.len(), self.rho);
        for i in 0..n {
            let j = self.open[i];
            let x = self.points.row(0)[j];
            let (up, down) = ((self.terrain.upper[j] - x) / self.unit[j], (x - self.terrain.lower[j]) / self.unit[j]);
            let a = if up >= rho {
                rho
            } else if down >= rho {
                -rho
            } else if up >= down {
                up
            } else {
                -down
            };
            let (same, other) = if a > 0.0 { (up, down) } else { (down, up) };
            let b = if other >= rho {
                -a
            } else if same >= 2.0 * a.abs() {
                2.0 * a
            } else {
                0.5 * a
            };
            for (row, offset) in [(1 + i, a), (1 + n + i, b)] {
                let (first, rest) = self.points.data_mut().split_at_mut(self.base.len());
                let point = &mut rest[(row - 1) * first.len()..row * first.len()];
                point.copy_from_slice(first);
                point[j] = self.terrain.clamp(j, x + offset * self.unit[j]);
                self.f[row] = f64::INFINITY;
            }
        }
        self.stage = Stage::Points;
    }

    /// Moves the origin to the best point, the scale to Delta, and inverts W anew; false if the points do not allow it.
    fn rebuild(&mut self) -> bool {
        let (n, m) = (self.open.len(), self.f.len());
        // The model in the new coordinates: y_old = shift + factor y.
        let (old_scale, factor) = (self.scale, self.delta / self.scale);
        self.model.gather(&self.y);
        let shift = &mut self.work.direction;
        for (s, &j) in shift.iter_mut().zip(&self.open) {
            *s = (self.points.row(self.best)[j] - self.base[j]) / (old_scale * self.unit[j]);
        }
        if self.model.h.iter().chain(&self.model.g).any(|&t| t != 0.0) {
            self.model.c = self.model.at(shift, &self.y, &mut self.work.product);
            self.model.gradient(shift, &self.y, &mut self.work.residual);
            for (g, new) in self.model.g.iter_mut().zip(&self.work.residual) {
                *g = factor * new;
            }
            self.model.h.iter_mut().for_each(|h| *h *= factor * factor);
        }
        self.updates = 0;
        self.base.copy_from_slice(self.points.row(self.best));
        self.scale = self.delta;
        for t in 0..m {
            for (i, &j) in self.open.iter().enumerate() {
                self.y.row_mut(t)[i] = (self.points.row(t)[j] - self.base[j]) / (self.scale * self.unit[j]);
            }
        }
        // Eq. (1).
        let size = m + n + 1;
        let w = &mut self.k;
        w.fill(0.0);
        for t in 0..m {
            multiply(&self.y.data()[..(t + 1) * n], self.y.row(t), &mut w[t * size..t * size + t + 1]);
            for s in 0..=t {
                let a = 0.5 * w[t * size + s] * w[t * size + s];
                (w[t * size + s], w[s * size + t]) = (a, a);
            }
            (w[t * size + m], w[m * size + t]) = (1.0, 1.0);
            for (i, &y) in self.y.row(t).iter().enumerate() {
                (w[t * size + m + 1 + i], w[(m + 1 + i) * size + t]) = (y, y);
            }
        }
        invert(w, size, &mut self.work.inverse)
    }

    /// Column t of K into `work.column`.
    fn pick(&mut self, t: usize) {
        let size = self.work.column.len();
        let (left, below) = self.work.column.split_at_mut(t);
        left.copy_from_slice(&self.k[t * size..t * size + t]);
        below.iter_mut().zip(self.k[t * size + t..].iter().step_by(size)).for_each(|(c, k)| *c = *k);
    }

    /// Q <- Q + factor l_t, eqs (2) and (3).
    fn add_lagrange(&mut self, t: usize, factor: f64) {
        self.pick(t);
        self.work.column.iter_mut().for_each(|k| *k *= factor);
        self.add_column();
    }

    /// Adds the quadratic whose coefficients, as in eq. (2), are in `work.column`.
    fn add_column(&mut self) {
        let m = self.f.len();
        let (column, model) = (&self.work.column, &mut self.model);
        model.c += column[m];
        model.g.iter_mut().zip(&column[m + 1..]).for_each(|(g, k)| *g += k);
        model.gamma.iter_mut().zip(&column[..m]).for_each(|(gamma, k)| *gamma += k);
        model.spread = true;
    }

    /// Writes the point in the coordinates of the model into `candidate`; K w and beta of it.
    fn reach_told(&mut self, x: &[f64]) -> f64 {
        let mut y = std::mem::take(&mut self.candidate);
        for (y, &j) in y.iter_mut().zip(&self.open) {
            *y = (x[j] - self.base[j]) / (self.scale * self.unit[j]);
        }
        let beta = self.reach(&y);
        self.candidate = y;
        beta
    }

    /// K w of eq. (5) for the point y, and beta.
    fn reach(&mut self, y: &[f64]) -> f64 {
        let m = self.f.len();
        let Work { w, kw, .. } = &mut self.work;
        multiply(self.y.data(), y, &mut w[..m]);
        w[..m].iter_mut().for_each(|w| *w = 0.5 * *w * *w);
        w[m] = 1.0;
        w[m + 1..].copy_from_slice(y);
        multiply_symmetric(&self.k, w, kw);
        0.5 * dot(y, y).powi(2) - dot(w, kw)
    }

    /// The told point, whose coordinates are in `candidate` and whose K w has been computed, takes the place of point t; false if the
    /// model had to be begun anew.
    fn replace(&mut self, t: usize, x: &[f64], value: f64, beta: f64) -> bool {
        let size = self.work.w.len();
        let gap = value - self.model.at(&self.candidate, &self.y, &mut self.work.product);
        let (alpha, tau) = (self.k[t * size + t], self.work.kw[t]);
        let sigma = alpha * beta + tau * tau;
        // What the old point has in G stays there.
        self.model.keep(t, self.y.row(t));
        self.points.row_mut(t).copy_from_slice(x);
        self.f[t] = value;
        self.y.row_mut(t).copy_from_slice(&self.candidate);
        if value < self.f[self.best] {
            self.best = t;
        }
        let sound = sigma.abs() > 1e-10 * tau * tau && sigma.is_finite() && sigma != 0.0;
        if sound && self.updates < self.f.len() {
            self.updates += 1;
            // Eq. (6); w has no more use.
            self.pick(t);
            let Work { w, kw, u, column, .. } = &mut self.work;
            for i in 0..size {
                u[i] = if i == t { 1.0 } else { 0.0 } - kw[i];
                w[i] = (alpha * u[i] + tau * column[i]) / sigma;
                kw[i] = (tau * u[i] - beta * column[i]) / sigma;
            }
            add_two_products(&mut self.k, [w, u, kw, column]);
        } else if !self.rebuild() {
            self.begin();
            return false;
        }
        self.add_lagrange(t, gap);
        true
    }

    /// The next step, eq. (4), or what must come before it.
    fn advance(&mut self) {
        self.steps += 1;
        // Rounding in K grows with the distance from the base.
        let far = self.y.row(self.best).iter().fold(0.0f64, |m, t| m.max(t.abs()));
        if far > 10.0 && !self.rebuild() {
            return self.begin();
        }
        loop {
            self.solve();
            if self.length >= 0.5 * self.rho {
                self.stage = Stage::Step;
                return;
            }
            if self.improve() || !self.draw_in() {
                return;
            }
        }
    }

    /// Sets the candidate for the farthest point if that is too far away.
    fn improve(&mut self) -> bool {
        let best = self.y.row(self.best);
        let mut farthest = (-1.0, 0);
        for (t, y) in self.y.iter().enumerate() {
            let distance = self.scale * largest_gap(y, best);
            if distance > farthest.0 {
                farthest = (distance, t);
            }
        }
        let (away, t) = farthest;
        if away <= 2.0 * self.delta {
            return false;
        }
        let radius = (0.1 * away).min(0.5 * self.delta).max(self.rho) / self.scale;
        let m = self.f.len();
        self.pick(t);
        // The gradient of l_t at the best point, and l_t itself anywhere: eq. (2).
        let best = self.y.row(self.best);
        let Work { column, w, direction: gradient, residual: corner, .. } = &mut self.work;
        gradient.copy_from_slice(&column[m + 1..]);
        let along = &mut w[..m];
        multiply(self.y.data(), best, along);
        along.iter_mut().zip(&*column).for_each(|(a, k)| *a *= k);
        add_rows(gradient, along, self.y.data());
        let mut lagrange = |y: &[f64]| {
            multiply(self.y.data(), y, along);
            let square: f64 = along.iter().zip(&*column).map(|(a, k)| 0.5 * k * a * a).sum();
            column[m] + dot(&column[m + 1..], y) + square
        };
        let mut largest = -1.0;
        for sign in [1.0, -1.0] {
            for (i, &j) in self.open.iter().enumerate() {
                let per = 1.0 / (self.scale * self.unit[j]);
                let (lo, hi) =
                    ((self.terrain.lower[j] - self.base[j]) * per, (self.terrain.upper[j] - self.base[j]) * per);
                let step = if gradient[i] >= 0.0 { sign * radius } else { -sign * radius };
                // Where the box ends before, the other way has the room.
                let to = best[i] + step;
                let to = if to < lo || to > hi { best[i] - step } else { to };
                corner[i] = to.max(lo).min(hi);
            }
            let size = lagrange(corner).abs();
            if size > largest {
                largest = size;
                self.candidate.copy_from_slice(corner);
            }
        }
        self.stage = Stage::Geometry(t);
        true
    }

    /// A smaller rho; false if it was the last.
    fn draw_in(&mut self) -> bool {
        if self.rho <= self.params.accuracy {
            self.end("the last radius is reached");
            return false;
        }
        let ratio = self.rho / self.params.accuracy;
        let next = if ratio <= 16.0 {
            self.params.accuracy
        } else if ratio <= 250.0 {
            ratio.sqrt() * self.params.accuracy
        } else {
            0.1 * self.rho
        };
        self.delta = (0.5 * self.rho).max(next);
        self.rho = next;
        let low = self.f.iter().fold(f64::INFINITY, |m, &f| m.min(f));
        let high = self.f.iter().fold(f64::NEG_INFINITY, |m, &f| m.max(f));
        if high - low <= 4.0 * self.terrain.epsilon * low.abs() {
            self.end("the values of all points are the same");
            return false;
        }
        if !self.rebuild() {
            self.begin();
            return false;
        }
        true
    }

    /// Eq. (4): conjugate gradients from the best point; a variable that meets its bound stays there.
    fn solve(&mut self) {
        let n = self.open.len();
        let best = self.y.row(self.best);
        let reach = self.delta / self.scale;
        let Work { direction, residual, product, lower, upper, free, .. } = &mut self.work;
        for (i, &j) in self.open.iter().enumerate() {
            let per = 1.0 / (self.scale * self.unit[j]);
            let (lo, hi) = ((self.terrain.lower[j] - self.base[j]) * per, (self.terrain.upper[j] - self.base[j]) * per);
            (lower[i], upper[i]) = (lo.max(best[i] - reach), hi.min(best[i] + reach));
        }
        let (y, model) = (&mut self.candidate, &mut self.model);
        y.copy_from_slice(best);
        model.gradient(y, &self.y, residual);
        let mut start = 0.0;
        for i in 0..n {
            free[i] = !(residual[i] > 0.0 && y[i] <= lower[i] || residual[i] < 0.0 && y[i] >= upper[i]);
            start += if free[i] { residual[i] * residual[i] } else { 0.0 };
        }
        // The residual is minus the gradient on the free variables.
        (0..n).for_each(|i| residual[i] = if free[i] { -residual[i] } else { 0.0 });
        let mut products = 0;
        'faces: for _ in 0..=n {
            direction.copy_from_slice(residual);
            for _ in 0..n {
                let square = dot(residual, residual);
                if square.is_nan() || square <= 1e-20 * start {
                    break 'faces;
                }
                products += 1;
                if 8 * products > n {
                    model.gather(&self.y); // from here on products with G alone cost less
                }
                model.multiply(direction, &self.y, product);
                let bend = dot(direction, product);
                let full = if bend > 0.0 { square / bend } else { f64::INFINITY };
                let mut limit = (f64::INFINITY, 0);
                for i in (0..n).filter(|&i| direction[i] != 0.0) {
                    let step = (if direction[i] > 0.0 { upper[i] - y[i] } else { lower[i] - y[i] }) / direction[i];
                    if step < limit.0 {
                        limit = (step.max(0.0), i);
                    }
                }
                let step = full.min(limit.0);
                for i in 0..n {
                    y[i] = (y[i] + step * direction[i]).max(lower[i]).min(upper[i]);
                }
                if full >= limit.0 {
                    y[limit.1] = if direction[limit.1] > 0.0 { upper[limit.1] } else { lower[limit.1] };
                    free[limit.1] = false;
                }
                for i in 0..n {
                    residual[i] = if free[i] { residual[i] - step * product[i] } else { 0.0 };
                }
                if full >= limit.0 {
                    continue 'faces;
                }
                let beta = dot(residual, residual) / square;
                (0..n).for_each(|i| direction[i] = residual[i] + beta * direction[i]);
            }
            break;
        }
        self.length = self.scale * largest_gap(y, best);
        self.predicted = model.at(best, &self.y, product) - model.at(y, &self.y, product);
    }

    /// The value of a step.
    fn take_step(&mut self, x: &[f64], value: f64) {
        if !value.is_finite() && self.delta > self.rho && self.length > self.rho {
            // Of a hole the model learns nothing; the next step is a shorter one.
            self.delta = (0.5 * self.delta.min(self.length)).max(self.rho);
            return self.advance();
        }
        let (old, value) = (self.f[self.best], self.tamed(value));
        let ratio = if self.predicted > 0.0 { (old - value) / self.predicted } else { -1.0 };
        self.delta = if ratio <= 0.1 {
            0.5 * self.delta.min(self.length)
        } else if ratio <= 0.7 {
            self.length.max(0.5 * self.delta)
        } else {
            (2.0 * self.length).max(0.5 * self.delta)
        };
        self.delta = if self.delta <= 1.5 * self.rho { self.rho } else { self.delta };
        // Eq. (7), with distances from the better of the two.
        let beta = self.reach_told(x);
        let size = self.work.w.len();
        let centre: &[f64] = if value < old { &self.candidate } else { self.y.row(self.best) };
        let mut chosen = (-1.0, 0);
        for t in (0..self.f.len()).filter(|&t| value < old || t != self.best) {
            let sigma = self.k[t * size + t] * beta + self.work.kw[t].powi(2);
            let gap = largest_gap(self.y.row(t), centre);
            let weight = sigma.abs() * (self.scale * gap / self.delta).powi(4).max(1.0);
            if weight > chosen.0 {
                chosen = (weight, t);
            }
        }
        if !self.replace(chosen.1, x, value, beta) {
            return;
        }
        let failed = ratio < 0.1;
        if failed && self.improve() {
            self.steps += 1;
            return;
        }
        if failed && ratio <= 0.0 && self.delta.max(self.length) <= self.rho && !self.draw_in() {
            return;
        }
        self.advance();
    }
}

impl Quadratic {
    /// out = G d.
    fn multiply(&mut self, d: &[f64], points: &Matrix<f64>, out: &mut [f64]) {
        multiply(&self.h, d, out);
        if self.spread {
            multiply(points.data(), d, &mut self.along);
            self.along.iter_mut().zip(&self.gamma).for_each(|(a, gamma)| *a *= gamma);
            add_rows(out, &self.along, points.data());
        }
    }

    /// The value at y; `room` is as long.
    fn at(&mut self, y: &[f64], points: &Matrix<f64>, room: &mut [f64]) -> f64 {
        self.multiply(y, points, room);
        self.c + dot(&self.g, y) + 0.5 * dot(y, room)
    }

    fn gradient(&mut self, y: &[f64], points: &Matrix<f64>, out: &mut [f64]) {
        self.multiply(y, points, out);
        out.iter_mut().zip(&self.g).for_each(|(out, g)| *out += g);
    }

    /// Takes gamma of all points into H.
    fn gather(&mut self, points: &Matrix<f64>) {
        if self.spread {
            let n = points.dim();
            add_weighted_squares(&mut self.h, &self.gamma, points.data(), n);
            (1..n).for_each(|i| (0..i).for_each(|j| self.h[j * n + i] = self.h[i * n + j]));
            self.gamma.fill(0.0);
            self.spread = false;
        }
    }

    /// Takes gamma of point t, which is `y`, into H.
    fn keep(&mut self, t: usize, y: &[f64]) {
        if self.spread {
            let gamma = std::mem::take(&mut self.gamma[t]);
            for (row, y_i) in self.h.chunks_exact_mut(y.len()).zip(y) {
                row.iter_mut().zip(y).for_each(|(h, y_j)| *h += gamma * (y_i * y_j));
            }
        }
    }
}

/// Exchanges two rows of a flat matrix.
trait SwapRows {
    fn swap_rows(&mut self, a: usize, b: usize, dim: usize);
}

impl SwapRows for [f64] {
    fn swap_rows(&mut self, a: usize, b: usize, dim: usize) {
        (0..dim).for_each(|j| self.swap(a * dim + j, b * dim + j));
    }
}
