//! Directions along which the function is a sum, found from second derivatives, then searched one by one.
//!
//! Where f(x) = sum_k p_k(z_k) with z = Z x, the second derivatives are Z^T D(x) Z everywhere, with a diagonal D: those at two points give
//! Z. Variables are shares of the width of the box.
//!
//! ```text
//! (1)  H_ij = (f(x + s_i e_i + s_j e_j) - f(x + s_i e_i) - f(x + s_j e_j) + f(x)) / (s_i s_j)
//!      H_ii = (f(x + s_i e_i) - 2 f(x) + f(x - s_i e_i)) / s_i^2
//! (2)  H_0 = L L^T where a descent has ended,  L^-1 H_1 L^-T = U diag(lambda) U^T at a random point
//!      V = L^-T U  is  Z^-1,  up to lengths and order of its columns;  V^-1 = V^T H_0
//! (3)  f(x + u) + f(x) = f(x + u_S) + f(x + u_S')       u = V t to a random point of the box, S and S' random halves of t
//! (4)  f(x + V t) - f(x) = sum_k (f(x + t_k v_k) - f(x))
//! ```
//!
//! (1) costs about d^2 evaluations for both points, and is not begun before that is a small share of what has been spent. (3) is the
//! test: it fails at once for nearly every function that is no such sum. Then every direction has a global line search (`profile`), all
//! with a point a round, each line as far as the box goes; by (4) their best points together are the best point. Where it lies outside, or
//! a line's best point is on the border, the lines begin anew from the best point inside.
//!
//! Two symmetric matrices at once: Golub and Van Loan, "Matrix Computations", section 8.7. The lane is our own.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::linear::eigen::Eigen;
use swarmgrad_algorithms::linear::{backward_solve, cholesky, forward_solve};
use swarmgrad_algorithms::local::Terrain;
use swarmgrad_algorithms::local::profile::Profile;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Draws, Matrix, Real, Result, Rng, Space};

/// Most variables.
const MOST: usize = 100;
/// Eq. (1) costs at most one evaluation of so many.
const SPARE: u64 = 5;
/// Evaluations a direction from which lines are of use.
const USEFUL: u64 = 60;
/// Steps of eq. (1).
const STEP: f64 = 1e-5;
/// How often eq. (1) is done where the matrix is not positive definite.
const TRIES: u32 = 3;
/// Directions whose lambda differ by no more than this share of them are not told apart.
const NEAR: f64 = 0.1;
/// Eq. (3) is seen to hold so often, to this share of the differences.
const TESTS: usize = 6;
const TOLERANCE: f64 = 0.02;
/// A combined point that gains less than half of what eq. (4) says is a miss; so many end the lane.
const MISSES: u32 = 3;
/// Times that the lines are searched.
const SWEEPS: u32 = 3;
/// Most points of a line.
const POINTS: usize = 200;
/// A basin that is sharper than the best one of its line by this factor may be missed.
const SHARPNESS: f64 = 10.0;
/// A place so near an end of its line, as a share of it, is on the border.
const END: f64 = 1e-6;
/// Places are put together, as long as lines are searched, where they promise this share of all that was gained.
const COARSE: f64 = 0.01;
/// A gain that a line is not searched for, in units of that of all lines; a descent finds it.
const FINE: f64 = 1e-9;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Waiting,
    /// Eq. (1) where a descent has ended, and at a random point.
    Here,
    There,
    /// Along directions that eq. (2) cannot tell apart, at another random point.
    Apart,
    /// Eq. (3).
    Test,
    Lines,
    Over,
}

/// The search for such directions, and along them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Components {
    stage: Stage,
    /// Evaluations after which it is not worth while to begin, if the budget is known.
    latest: Option<u64>,
    tries: u32,
    /// Where lines begin, and the value there.
    base: Vec<f64>,
    value: f64,
    /// L of eq. (2).
    root: Vec<f64>,
    /// Columns of V as rows, and which of them eq. (2) does not tell apart.
    directions: Vec<f64>,
    groups: Vec<Vec<usize>>,
    apart: u32,
    /// Rows of V^-1; then the largest number of each direction is 1.
    inverse: Vec<f64>,
    tests: usize,
    /// The lines, and from where to where they go.
    lines: Vec<Profile>,
    terrain: Terrain,
    /// The lines and places asked; before them the best places together, where that is so, and what eq. (4) says of their value.
    asked: Vec<(usize, f64)>,
    together: Option<(Vec<f64>, f64)>,
    /// The places that were last put together, and whether their point was outside.
    places: Vec<f64>,
    is_outside: bool,
    /// The best of such points, and the value there.
    best: (Vec<f64>, f64),
    misses: u32,
    sweeps: u32,
}

impl Components {
    /// For continuous variables with bounds, and values precise enough for second differences.
    pub(super) fn over<F: Real>(space: &Space<F>, budget: Option<u64>) -> Option<Self> {
        let dim = space.dim();
        let is_wide = |j: usize| space.is_continuous(j) && space.width(j).is_finite() && space.width(j) > F::zero();
        let suits = (2..=MOST).contains(&dim) && F::epsilon().f64() < 1e-12 && (0..dim).all(is_wide);
        suits.then(|| Components {
            stage: Stage::Waiting,
            latest: budget.map(|budget| budget.saturating_sub(2 * Self::cost(dim) as u64 + USEFUL * dim as u64)),
            tries: 0,
            base: Vec::new(),
            value: f64::INFINITY,
            root: Vec::new(),
            directions: Vec::new(),
            groups: Vec::new(),
            apart: 0,
            inverse: Vec::new(),
            tests: 0,
            lines: Vec::new(),
            terrain: Terrain { lower: Vec::new(), upper: Vec::new(), epsilon: f64::EPSILON },
            asked: Vec::new(),
            together: None,
            places: Vec::new(),
            is_outside: false,
            best: (Vec::new(), f64::INFINITY),
            misses: 0,
            sweeps: 0,
        })
    }

    /// Whether what was read back can be gone on with.
    pub(super) fn verify(&self, dim: usize) -> Result<()> {
        let holds = |is: bool, rule: &str| saved::holds("components", is, rule);
        holds((2..=MOST).contains(&dim), "must be of as many variables as it is for")?;
        for (name, x) in [("base", &self.base), ("places", &self.places), ("best", &self.best.0)] {
            saved::point(name, x, dim)?;
            saved::numbers(name, x)?;
        }
        for (name, matrix) in [("root", &self.root), ("directions", &self.directions), ("inverse", &self.inverse)] {
            holds(matrix.is_empty() || matrix.len() == dim * dim, "must have square matrices")?;
            saved::numbers(name, matrix)?;
        }
        holds(
            self.tries <= TRIES && self.apart <= TRIES && self.sweeps <= SWEEPS && self.tests <= TESTS,
            "must have counts",
        )?;
        saved::below("asked", self.asked.iter().map(|(k, _)| k), dim)?;
        let lines = [self.lines.len(), self.terrain.lower.len(), self.terrain.upper.len()];
        let begun = self.stage == Stage::Lines;
        holds(lines.iter().all(|&n| n == lines[0]) && (lines[0] == 0 || lines[0] == dim), "must have lines")?;
        self.lines.iter().try_for_each(|line| line.verify(true))?;
        holds(!begun || lines[0] == dim && !self.best.0.is_empty() && !self.places.is_empty(), "must have begun")?;
        let turned = matches!(self.stage, Stage::Test | Stage::Lines);
        holds(!turned || !self.directions.is_empty() && !self.inverse.is_empty(), "must have directions")?;
        holds(self.stage != Stage::Apart || !self.directions.is_empty(), "must have directions")?;
        holds(self.groups.iter().all(|group| (2..=dim).contains(&group.len())), "must have groups")?;
        self.groups.iter().try_for_each(|group| saved::below("groups", group, dim))?;
        let rooted = matches!(self.stage, Stage::There | Stage::Apart);
        holds(!rooted || !self.root.is_empty(), "must have a matrix")?;
        holds(self.stage != Stage::Test || self.tests < TESTS, "must have tests left")?;
        holds(matches!(self.stage, Stage::Waiting | Stage::Over) || !self.base.is_empty(), "must have a base")
    }

    /// Numbers that it takes.
    pub(super) fn numbers(dim: usize) -> f64 {
        let d = if dim <= MOST { dim as f64 } else { 0.0 };
        (5.0 * d + 2.0 * POINTS as f64) * d
    }

    /// Evaluations of eq. (1) at one point.
    fn cost(dim: usize) -> usize {
        1 + 2 * dim + dim * (dim - 1) / 2
    }

    /// A descent has ended here.
    pub(super) fn know<F: Real>(&mut self, space: &Space<F>, x: &[F]) {
        if self.stage == Stage::Waiting {
            self.base.clear();
            // Not on the border: steps go both ways.
            let share = |j: usize| (x[j].f64() - space.lower()[j].f64()) / space.width(j).f64();
            self.base.extend((0..x.len()).map(|j| share(j).clamp(2.0 * STEP, 1.0 - 2.0 * STEP)));
        }
    }

    /// Whether it is its turn after so many evaluations.
    pub(super) fn is_due(&self, evaluations: u64) -> bool {
        match self.stage {
            Stage::Waiting if self.base.is_empty() => false,
            Stage::Waiting => {
                let spent = SPARE * 2 * Self::cost(self.base.len()) as u64 * u64::from(1 + self.tries);
                evaluations >= spent && self.latest.is_none_or(|latest| evaluations <= latest)
            }
            Stage::Over => false,
            _ => true,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Whether eq. (3) has been seen to hold.
    pub(super) fn is_found(&self) -> bool {
        self.tests >= TESTS
    }

    /// The next points; none when it is over.
    pub(super) fn ask<F: Real>(&mut self, space: &Space<F>, rng: &Rng, xs: &mut Matrix<F>) {
        xs.resize(0, space.dim());
        if self.stage == Stage::Waiting {
            self.stage = Stage::Here;
        }
        let mut push = |u: &[f64]| {
            let inside = u.iter().enumerate().map(|(j, u)| {
                let (low, high) = (space.lower()[j], space.upper()[j]);
                F::of(low.f64() * (1.0 - u) + high.f64() * u).max(low).min(high)
            });
            xs.push(&inside.collect::<Vec<F>>());
        };
        match self.stage {
            Stage::Waiting | Stage::Over => {}
            Stage::Here | Stage::There => {
                let axes: Vec<usize> = (0..self.base.len()).collect();
                let is_here = self.stage == Stage::Here;
                let place = if is_here { self.base.clone() } else { self.place(rng.fork("there").row(0)) };
                push_differences(&place, &axes, |i, x, step| x[i] += step, &mut push);
            }
            Stage::Apart => {
                let place = self.place(rng.fork("apart").row(0));
                for group in &self.groups {
                    let along = |k: usize, x: &mut [f64], step: f64| self.go(k, step / largest(self.direction(k)), x);
                    push_differences(&place, group, along, &mut push);
                }
            }
            Stage::Test => {
                let rng = rng.fork("test");
                let tests = if self.tests == 0 { 1 } else { TESTS - self.tests };
                (0..tests).for_each(|k| self.push_test(rng.row(k), &mut push));
            }
            Stage::Lines => self.push_lines(&mut push),
        }
    }

    /// The values of the points asked.
    pub(super) fn tell<F: Real>(&mut self, values: &[F]) {
        let values: Vec<f64> = values.iter().map(|value| value.f64()).collect();
        let dim = self.base.len();
        let wanted = match self.stage {
            Stage::Here | Stage::There => Self::cost(dim),
            Stage::Apart => self.groups.iter().map(|group| Self::cost(group.len())).sum(),
            _ => values.len(),
        };
        if values.len() != wanted {
            self.stage = Stage::Over; // a state that was read back and asked for something else
        }
        match self.stage {
            Stage::Waiting | Stage::Over => {}
            Stage::Here => {
                self.value = values[0];
                self.root = second_derivatives(dim, &values);
                if cholesky(&mut self.root, dim) {
                    self.stage = Stage::There;
                } else {
                    self.tries += 1;
                    (self.value, self.root) = (f64::INFINITY, Vec::new());
                    self.base.clear();
                    self.stage = if self.tries < TRIES { Stage::Waiting } else { Stage::Over };
                }
            }
            Stage::There => {
                let turned = self.turn(&second_derivatives(dim, &values));
                self.stage = if turned { self.tell_apart() } else { Stage::Over };
            }
            Stage::Apart => {
                let mut from = 0;
                let mut done = true;
                for group in std::mem::take(&mut self.groups) {
                    let to = from + Self::cost(group.len());
                    done &= self.turn_group(&group, &second_derivatives(group.len(), &values[from..to]));
                    from = to;
                }
                self.apart += 1;
                self.stage = if done { self.tell_apart() } else { Stage::Over };
            }
            Stage::Test => {
                let holds = values.chunks_exact(3).all(|test| {
                    let [all, a, b] = [test[0], test[1], test[2]].map(|value| value - self.value);
                    (all - (a + b)).abs() <= TOLERANCE * (all.abs() + a.abs() + b.abs()) // eq. (3)
                });
                self.tests += values.len() / 3;
                if !holds {
                    (self.tests, self.stage) = (0, Stage::Over);
                } else if self.tests >= TESTS {
                    self.begin_lines();
                }
            }
            Stage::Lines => self.tell_lines(&values),
        }
    }

    /// A random point about half as far as the box goes.
    fn place(&self, mut draws: Draws<'_>) -> Vec<f64> {
        self.base.iter().map(|x| x + 0.5 * (0.02 + 0.96 * draws.uniform() - x)).collect()
    }

    /// Eq. (2); whether there are such directions.
    fn turn(&mut self, second: &[f64]) -> bool {
        let n = self.base.len();
        let root = &self.root;
        // L^-1 H_1 L^-T: rows of a symmetric matrix are its columns.
        let mut middle = symmetric(n, second);
        for _ in 0..2 {
            middle.chunks_exact_mut(n).for_each(|row| forward_solve(root, n, row));
            transpose(n, &mut middle);
        }
        let mut eigen = Eigen::identity(n);
        if !eigen.decompose(&middle) {
            return false;
        }
        self.directions = eigen.vectors;
        self.directions.chunks_exact_mut(n).for_each(|v| backward_solve(root, n, v));
        let all: Vec<usize> = (0..n).collect();
        self.push_groups(&all, &eigen.values);
        self.directions.iter().all(|t| t.is_finite())
    }

    /// Eq. (2) within directions that it did not tell apart, with second derivatives along these at another point.
    fn turn_group(&mut self, group: &[usize], second: &[f64]) -> bool {
        let (n, g) = (self.base.len(), group.len());
        let lengths: Vec<f64> = group.iter().map(|&k| largest(self.direction(k))).collect();
        let mut middle = second.to_vec();
        for i in 0..g {
            for j in 0..=i {
                middle[i * g + j] *= lengths[i] * lengths[j];
            }
        }
        let mut eigen = Eigen::identity(g);
        if !eigen.decompose(&middle) {
            return false;
        }
        let before: Vec<Vec<f64>> = group.iter().map(|&k| self.direction(k).to_vec()).collect();
        for (u, &k) in eigen.vectors.chunks_exact(g).zip(group) {
            for (i, t) in self.directions[k * n..(k + 1) * n].iter_mut().enumerate() {
                *t = u.iter().zip(&before).map(|(u, v)| u * v[i]).sum();
            }
        }
        self.push_groups(group, &eigen.values);
        true
    }

    /// Notes which of some directions have nearly the same lambda.
    fn push_groups(&mut self, directions: &[usize], lambda: &[f64]) {
        let mut order: Vec<usize> = (0..directions.len()).collect();
        order.sort_unstable_by(|&a, &b| lambda[a].total_cmp(&lambda[b]));
        let near =
            |&a: &usize, &b: &usize| (lambda[b] - lambda[a]).abs() <= NEAR * lambda[a].abs().max(lambda[b].abs());
        let groups = order.chunk_by(near).filter(|group| group.len() > 1);
        self.groups.extend(groups.map(|group| group.iter().map(|&i| directions[i]).collect()));
    }

    /// What follows eq. (2): other points for directions that it has not told apart, or the test.
    fn tell_apart(&mut self) -> Stage {
        if !self.groups.is_empty() && self.apart < TRIES {
            return Stage::Apart;
        }
        let (n, root) = (self.base.len(), &self.root);
        self.inverse = vec![0.0; n * n];
        for (v, row) in self.directions.chunks_exact_mut(n).zip(self.inverse.chunks_exact_mut(n)) {
            // V^-1 = V^T H_0: row k is L L^T v_k.
            let turned: Vec<f64> = (0..n).map(|j| (j..n).map(|i| root[i * n + j] * v[i]).sum()).collect();
            for (j, t) in row.iter_mut().enumerate() {
                *t = (0..=j).map(|i| root[j * n + i] * turned[i]).sum();
            }
            let length = largest(v);
            v.iter_mut().for_each(|t| *t /= length);
            row.iter_mut().for_each(|t| *t *= length);
        }
        let is_finite = self.directions.iter().chain(&self.inverse).all(|t| t.is_finite());
        if is_finite { Stage::Test } else { Stage::Over }
    }

    /// x + u, x + u_S and x + u_S' of eq. (3), u as long as all are inside.
    fn push_test(&self, mut draws: Draws<'_>, push: &mut impl FnMut(&[f64])) {
        let n = self.base.len();
        let whole: Vec<f64> = self.base.iter().map(|x| 0.02 + 0.96 * draws.uniform() - x).collect();
        let mut part = vec![0.0; n];
        for (row, v) in self.inverse.chunks_exact(n).zip(self.directions.chunks_exact(n)) {
            if draws.uniform() < 0.5 {
                let t: f64 = row.iter().zip(&whole).map(|(w, u)| w * u).sum();
                part.iter_mut().zip(v).for_each(|(p, v)| *p += t * v);
            }
        }
        let rest: Vec<f64> = whole.iter().zip(&part).map(|(u, p)| u - p).collect();
        let moves = [whole, part, rest];
        let room = |u: &Vec<f64>| interval(&self.base, u).1;
        let scale = moves.iter().map(room).fold(1.0, f64::min);
        for u in &moves {
            let x: Vec<f64> = self.base.iter().zip(u).map(|(x, u)| x + scale * u).collect();
            push(&x);
        }
    }

    /// The lines through the base.
    fn begin_lines(&mut self) {
        let n = self.base.len();
        let ends: Vec<(f64, f64)> = self.directions.chunks_exact(n).map(|v| interval(&self.base, v)).collect();
        self.terrain.lower = ends.iter().map(|end| end.0).collect();
        self.terrain.upper = ends.iter().map(|end| end.1).collect();
        self.lines.resize_with(n, || Profile::with_room(POINTS + 1).flat());
        self.lines.iter_mut().for_each(|line| line.begin(0.0));
        self.places = vec![0.0; n];
        self.best = (self.base.clone(), self.value);
        (self.stage, self.misses, self.is_outside) = (Stage::Lines, 0, false);
        self.sweeps += 1;
    }

    /// The best places together, where they promise more, and a point of every line.
    fn push_lines(&mut self, push: &mut impl FnMut(&[f64])) {
        let n = self.base.len();
        for _ in 0..2 {
            let bests: Vec<(f64, f64)> = self.lines.iter().map(Profile::best).collect();
            let expected = self.value + bests.iter().map(|best| best.1).sum::<f64>(); // eq. (4)
            let noise = (FINE * (self.value - expected)).max(4.0 * f64::EPSILON * self.value.abs());
            let places: Vec<f64> = bests.iter().map(|best| best.0).collect();
            self.asked.clear();
            for (k, line) in self.lines.iter_mut().enumerate() {
                self.asked.extend(line.choose((POINTS, SHARPNESS), &self.terrain, k, noise).map(|t| (k, t)));
            }
            let coarse = if self.asked.is_empty() { 0.0 } else { COARSE * (self.value - expected) };
            self.together = None;
            if self.best.1 - expected > noise.max(coarse) && places != self.places {
                let mut x = self.base.clone();
                (0..n).for_each(|k| self.go(k, places[k], &mut x));
                self.is_outside = x.iter().any(|x| !(0.0..=1.0).contains(x));
                x.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
                push(&x);
                self.together = Some((x, expected));
                self.places.clone_from(&places);
            }
            for &(k, t) in &self.asked {
                let mut x = self.base.clone();
                self.go(k, t, &mut x);
                push(&x);
            }
            if self.together.is_some() || !self.asked.is_empty() {
                return;
            }
            let ends = self.terrain.lower.iter().zip(&self.terrain.upper);
            let is_cut = |(t, (low, high)): (&f64, (&f64, &f64))| (t - low).min(high - t) <= END * (high - low);
            let cut = self.is_outside || places.iter().zip(ends).any(is_cut);
            if !(cut && self.sweeps < SWEEPS && self.value - self.best.1 > noise) {
                self.stage = Stage::Over;
                return;
            }
            (self.base, self.value) = self.best.clone();
            self.begin_lines();
        }
    }

    fn direction(&self, k: usize) -> &[f64] {
        let n = self.base.len();
        &self.directions[k * n..(k + 1) * n]
    }

    /// Moves a point along direction k.
    fn go(&self, k: usize, t: f64, x: &mut [f64]) {
        x.iter_mut().zip(self.direction(k)).for_each(|(x, v)| *x += t * v);
    }

    fn tell_lines(&mut self, values: &[f64]) {
        let mut values = values.iter();
        if let Some((x, expected)) = self.together.take()
            && let Some(&value) = values.next()
        {
            let is_short = self.best.1 - value < 0.5 * (self.best.1 - expected);
            self.misses += u32::from(is_short && !self.is_outside);
            if value < self.best.1 {
                self.best = (x, value);
            }
            if self.misses >= MISSES {
                self.stage = Stage::Over;
            }
        }
        for (&(k, t), value) in self.asked.iter().zip(values) {
            self.lines[k].insert(t, value - self.value);
        }
    }
}

/// Points of eq. (1): x, then x + s_i e_i, then x - s_i e_i, then both of each pair, for some directions e_i, along which `along` goes.
fn push_differences(
    x: &[f64],
    directions: &[usize],
    along: impl Fn(usize, &mut [f64], f64),
    push: &mut impl FnMut(&[f64]),
) {
    let mut at = |moves: &[(usize, f64)]| {
        let mut y = x.to_vec();
        moves.iter().for_each(|&(k, step)| along(k, &mut y, step));
        push(&y);
    };
    at(&[]);
    for step in [STEP, -STEP] {
        directions.iter().for_each(|&k| at(&[(k, step)]));
    }
    for (i, &k) in directions.iter().enumerate() {
        directions[..i].iter().for_each(|&l| at(&[(k, STEP), (l, STEP)]));
    }
}

/// From where to where x + t v is inside.
fn interval(x: &[f64], v: &[f64]) -> (f64, f64) {
    let mut ends = (f64::NEG_INFINITY, f64::INFINITY);
    for (&x, &v) in x.iter().zip(v).filter(|(_, v)| **v != 0.0) {
        let (a, b) = (-x / v, (1.0 - x) / v);
        ends = (ends.0.max(a.min(b)), ends.1.min(a.max(b)));
    }
    ends
}

/// The largest number of a direction.
fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, t| m.max(t.abs()))
}

/// Eq. (1) from the values there: the lower triangle, in rows of n.
fn second_derivatives(n: usize, values: &[f64]) -> Vec<f64> {
    let (f, up, down) = (values[0], &values[1..=n], &values[n + 1..=2 * n]);
    let mut pairs = values[2 * n + 1..].iter();
    let mut second = vec![0.0; n * n];
    for i in 0..n {
        for (j, pair) in (0..i).zip(&mut pairs) {
            second[i * n + j] = ((pair - up[i]) - (up[j] - f)) / (STEP * STEP);
        }
        second[i * n + i] = ((up[i] - f) + (down[i] - f)) / (STEP * STEP);
    }
    second
}

/// The full matrix of a lower triangle.
fn symmetric(n: usize, lower: &[f64]) -> Vec<f64> {
    (0..n * n).map(|at| (at / n, at % n)).map(|(i, j)| lower[i.max(j) * n + i.min(j)]).collect()
}

fn transpose(n: usize, matrix: &mut [f64]) {
    for i in 0..n {
        for j in 0..i {
            matrix.swap(i * n + j, j * n + i);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 6;

    /// z = Z x: sheared and turned.
    fn shear(x: &[f64]) -> Vec<f64> {
        (0..N).map(|i| x[i] + 0.4 * x[(i + 1) % N] - if i > 2 { 0.3 * x[i - 3] } else { 0.0 }).collect()
    }

    fn sum(x: &[f64]) -> f64 {
        shear(x).iter().enumerate().map(|(k, z)| (1.0 + k as f64) * (z * z - 3.0 * (2.0 * z + k as f64).cos())).sum()
    }

    /// A sum but for one product.
    fn coupled(x: &[f64]) -> f64 {
        let z = shear(x);
        sum(x) + 4.0 * (z[0] * z[4]).sin()
    }

    fn space() -> Space {
        Space::cube(N, -5.0, 5.0).unwrap()
    }

    /// Goes on from a point until the stage or the end; how many evaluations it took.
    fn run(f: fn(&[f64]) -> f64, at: &[f64], until: Stage) -> (Components, u64) {
        let (space, mut evaluations, mut xs) = (space(), 0, Matrix::default());
        let mut components = Components::over(&space, None).unwrap();
        components.know(&space, at);
        for round in 0..2000 {
            components.ask(&space, &Rng::new(7).at(round), &mut xs);
            components.verify(N).unwrap();
            let values: Vec<f64> = xs.iter().map(f).collect();
            evaluations += values.len() as u64;
            components.tell(&values);
            if components.stage == until || components.is_over() {
                break;
            }
        }
        (components, evaluations)
    }

    /// A minimum of both functions' bowls: gradient descent by differences.
    fn bottom(f: fn(&[f64]) -> f64) -> Vec<f64> {
        let mut x = vec![0.9; N];
        for _ in 0..4000 {
            let slope = |j: usize| {
                let at = |step: f64| {
                    f(&x.iter().enumerate().map(|(i, t)| if i == j { t + step } else { *t }).collect::<Vec<_>>())
                };
                (at(1e-6) - at(-1e-6)) / 2e-6
            };
            let g: Vec<f64> = (0..N).map(slope).collect();
            x.iter_mut().zip(g).for_each(|(x, g)| *x -= 2e-3 * g);
        }
        x
    }

    #[test]
    fn directions_of_a_sum_are_found_and_searched() {
        let at = bottom(sum);
        let (components, evaluations) = run(sum, &at, Stage::Lines);
        assert!(components.is_found() && evaluations < 150, "{evaluations}");
        for v in components.directions.chunks_exact(N) {
            let mut z: Vec<f64> = shear(v).iter().map(|z| z.abs()).collect();
            z.sort_unstable_by(f64::total_cmp);
            assert!(z[N - 2] < 2e-3 * z[N - 1], "{z:?} should have one number");
        }
        // Rows of V^-1 times columns of V.
        for (k, row) in components.inverse.chunks_exact(N).enumerate() {
            for (l, v) in components.directions.chunks_exact(N).enumerate() {
                let product: f64 = row.iter().zip(v).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(u8::from(k == l))).abs() < 1e-6, "{k} {l}: {product}");
            }
        }
        let (components, _) = run(sum, &at, Stage::Over);
        // Every part has its minimum on a line of its own.
        let least: f64 = (0..N)
            .map(|k| {
                let part = |z: f64| (1.0 + k as f64) * (z * z - 3.0 * (2.0 * z + k as f64).cos());
                (-400_000..400_000).map(|i| part(f64::from(i) * 1e-5)).fold(f64::INFINITY, f64::min)
            })
            .sum();
        assert!(sum(&at) > least + 1.0 && components.best.1 < least + 1e-3, "{} {least}", components.best.1);
    }

    #[test]
    fn a_product_is_seen_at_the_first_test() {
        let at = bottom(coupled);
        let (components, evaluations) = run(coupled, &at, Stage::Lines);
        assert!(components.is_over() && !components.is_found());
        assert!(evaluations <= 2 * Components::cost(N) as u64 + 20, "{evaluations}");
    }

    #[test]
    fn it_waits_for_a_descent_and_enough_evaluations_and_ends_before_the_budget_does() {
        let space = space();
        let mut components = Components::over(&space, Some(1000)).unwrap();
        assert!(!components.is_due(100_000));
        components.know(&space, &[1.0; N]);
        let due = SPARE * 2 * Components::cost(N) as u64;
        assert!(!components.is_due(due - 1) && components.is_due(due) && !components.is_due(800));
        let mut xs = Matrix::default();
        components.ask(&space, &Rng::new(1), &mut xs);
        components.tell(&vec![f64::INFINITY; xs.len()]);
        assert!(!components.is_due(due) && components.tries == 1, "another descent has to end first");
        components.verify(N).unwrap();
        assert!(Components::over(&Space::<f64>::unbounded(3).unwrap(), None).is_none());
        assert!(Components::over(&Space::<f32>::cube(3, 0.0, 1.0).unwrap(), None).is_none());
    }
}
