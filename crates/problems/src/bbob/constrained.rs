//! COCO's constrained suite `bbob-constrained`: nine functions of BBOB, each under six numbers of constraints.
//!
//! Dufossé, Hansen, Brockhoff, Sampaio, Atamna, Auger (2022), "Building scalable test problems for benchmarking constrained optimizers",
//! instances as COCO's own program draws them. With y = T(x - x_opt), T the function's distortion (T_osz, T_asy^0.2, both or none):
//!
//! ```text
//! f(x) = c (core(M y - z) + f_opt)                 z the function's own minimum, M a rotation or nothing
//! g_k(x) = a_k . y - s_k |a_k| <= 0                s_k = 0 for the active ones, in (0.01, 2.01) for the others
//! ```
//!
//! so that x_opt is the minimum of the constrained problem: the first gradient a_1 is opposite to that of the function at y = 0, all
//! others are drawn such that one direction p is feasible for all of them, and a_1 is then turned away from a sum of the others,
//! which leaves the minimum where it is. There are m active constraints, m = 1, 2, 6, 6 + d/2, 6 + d and 6 + 3d (d/2 rounded down), and
//! half as many others (rounded down) at random places between them. The gradients have lengths from 10^2 to 10^5.
//!
//! The factors c put the value of the start between 10^2 and 10^4 above the minimum. The start is x_opt + T^(-1)(p), halved until
//! it is inside the box. As in COCO's program a term of the sum a_k . y within [0, 1e-11] counts as nothing, and g <= 0 has no
//! tolerance.
//!
//! Differs from the program where the start is concerned: it inverts T to about 1e-10, here it is done to the last digit.

use super::core::Core;
use super::function::{Finish, Function, Move};
use super::instance::{SECOND, Square, offset, optimum, place, powers, rotation, seed, uniform};
use super::transform::Columns;
use crate::entry::{Dims, Entry, TestProblem};
use crate::posed;
use std::cell::RefCell;
use std::f64::consts::PI;
use swarmgrad_core::{Constraint, Real, Space, math};

/// The highest number of an instance: beyond it the suite's seeds leave the range of its generator.
pub(super) const INSTANCES: u64 = 100_000;

/// Constraints of a function: how many functions there are of each kind.
const VARIANTS: usize = 6;

/// What g <= 0 may be missed by: nothing, as in the suite.
const TOLERANCE: f64 = 0.0;

macro_rules! row {
    ($number:literal, $title:literal, $formula:literal, $about:literal, $active:literal) => {
        Entry {
            name: concat!("bbob_constrained/f", $number),
            title: concat!("Constrained BBOB ", $title, ", ", $active, " active"),
            formula: concat!(
                $formula,
                ", y = x - x_opt distorted; m = ",
                $active,
                " active constraints a . y <= 0 and m/2 others"
            ),
            source: "Dufossé, Hansen, Brockhoff, Sampaio, Atamna, Auger (2022), Building scalable test problems for benchmarking constrained optimizers; COCO",
            about: $about,
            dims: Dims::Any { min: 2 },
            domain: &[(-5.0, 5.0)],
            everywhere: true,
            differentiable: false,
            instance: Some(1),
        }
    };
}

/// The six rows of a function.
macro_rules! rows {
    ($($title:literal, $formula:literal, $about:literal, $a:literal $b:literal $c:literal $d:literal $e:literal $f:literal;)*) => {
        [$(
            row!($a, $title, $formula, $about, "1"),
            row!($b, $title, $formula, $about, "2"),
            row!($c, $title, $formula, $about, "6"),
            row!($d, $title, $formula, $about, "6 + d/2"),
            row!($e, $title, $formula, $about, "6 + d"),
            row!($f, $title, $formula, $about, "6 + 3d"),
        )*]
    };
}

/// The rows of f1 to f54, instance 1.
pub(crate) const ROWS: [Entry; 54] = rows!(
    "sphere", "10 (|y - z|^2 + f_opt)", "a sphere under linear constraints", 1 2 3 4 5 6;
    "separable ellipsoid", "10^-4 (sum 10^(6 (i - 1) / (d - 1)) (y_i - z_i)^2 + f_opt)",
    "separable and ill-conditioned, under constraints with the same irregularities", 7 8 9 10 11 12;
    "linear slope", "10 (sum 5 |s_i| - s_i x_i + f_opt)", "a plane under linear constraints: a linear program", 13 14 15 16 17 18;
    "ellipsoid", "10^-4 (sum 10^(6 (i - 1) / (d - 1)) z_i'^2 + f_opt), z' = R (y - z)",
    "rotated and ill-conditioned, under constraints with irregularities", 19 20 21 22 23 24;
    "discus", "10^-4 (10^6 z_1'^2 + sum_(i > 1) z_i'^2 + f_opt), z' = R (y - z)",
    "one sensitive direction, under constraints with irregularities", 25 26 27 28 29 30;
    "bent cigar", "10^-4 (z_1'^2 + 10^6 sum_(i > 1) z_i'^2 + f_opt), z' = R (y - z)",
    "one insensitive direction, under bent constraints", 31 32 33 34 35 36;
    "different powers", "100 (sqrt(sum |z_i'|^(2 + 4 (i - 1) / (d - 1))) + f_opt), z' = R (y - z)",
    "scales that drift apart, under linear constraints through a point close to its own minimum", 37 38 39 40 41 42;
    "Rastrigin", "10 (10 (d - sum cos(2 pi z_i')) + |z'|^2 + f_opt), z' = y - z, z whole",
    "many local minima; the constraints leave one of them the best", 43 44 45 46 47 48;
    "rotated Rastrigin", "10 (10 (d - sum cos(2 pi z_i')) + |z'|^2 + f_opt), z' = R y - z, z whole",
    "many local minima in any direction; the constraints leave one of them the best", 49 50 51 52 53 54;
);

/// The number of a function of the suite.
pub(crate) fn number(entry: &Entry) -> Option<usize> {
    ROWS.iter().position(|row| row.name == entry.name).map(|at| at + 1)
}

/// Function `number` on a space.
pub(crate) fn pose<F: Real>(entry: Entry, number: usize, space: Space<F>) -> Box<dyn TestProblem<F>> {
    let function = Constrained::new(number, entry.instance.unwrap_or(1), space.dim());
    let optimum = function.optimum.clone();
    let minimum = posed::Function::value(&function, &optimum, &mut Default::default());
    posed::pose(entry, function, space, Some(&optimum), minimum)
}

/// The suite's second generator, an additive lagged Fibonacci generator of 607 numbers.
struct Lagged {
    state: Vec<f64>,
    at: usize,
}

const SHORT: usize = 273;
const LONG: usize = 607;

impl Lagged {
    fn new(mut seed: u32) -> Self {
        let draw = |i: u32| {
            let number = f64::from(seed) / f64::from(u32::MAX);
            seed = 1_812_433_253_u32.wrapping_mul(seed ^ (seed >> 30)).wrapping_add(i + 1);
            number
        };
        Lagged { state: (0..LONG as u32).map(draw).collect(), at: 12 }
    }

    fn uniform(&mut self) -> f64 {
        if self.at == LONG {
            for i in 0..LONG {
                let other = if i < SHORT { i + (LONG - SHORT) } else { i - SHORT };
                let sum = self.state[i] + self.state[other];
                self.state[i] = if sum >= 1.0 { sum - 1.0 } else { sum };
            }
            self.at = 0;
        }
        self.at += 1;
        self.state[self.at - 1]
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * math::ln(u)).sqrt() * math::cos(2.0 * PI * v)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// A constraint a . y - s |a| <= 0.
struct Plane {
    /// a.
    slope: Vec<f64>,
    /// s / |a|.
    shift: f64,
}

impl Plane {
    fn value(&self, y: &[f64]) -> f64 {
        y.iter().zip(&self.slope).fold(0.0, |sum, (y, a)| {
            let term = a * (y - self.shift * a);
            if (0.0..=1e-11).contains(&term) { sum } else { sum + term }
        })
    }
}

/// What all draws of an instance's constraints depend on.
struct Draws<'a> {
    seed: u64,
    /// The common factor of all gradients.
    scale: f64,
    /// The feasible direction.
    inside: &'a [f64],
}

impl Draws<'_> {
    /// Constraint `number`, of a given direction or of one that is drawn, and its turn: `inside` is feasible.
    fn plane(&self, number: u64, given: Option<&[f64]>, distance: f64) -> Plane {
        let dim = self.inside.len();
        let mut rng = Lagged::new((self.seed + 50_000 * number) as u32);
        let own = math::powf(100.0, rng.uniform());
        let slope: Vec<f64> = match given {
            Some(direction) => {
                let factor = self.scale * own / dot(direction, direction).sqrt();
                direction.iter().map(|t| t * factor).collect()
            }
            None => (0..dim).map(|_| self.scale * rng.normal() * own / (dim as f64).sqrt()).collect(),
        };
        let shift = distance / dot(&slope, &slope).sqrt();
        let mut plane = Plane { slope, shift };
        if plane.value(self.inside) > 0.0 {
            plane.slope.iter_mut().for_each(|t| *t = -*t);
        }
        plane
    }
}

/// `active` constraints through the origin and half as many others; `inside` is feasible for all of them.
fn planes(number: usize, instance: u64, active: usize, inside: &[f64]) -> Vec<Plane> {
    let dim = inside.len() as f64;
    let mut passive = active / 2;
    let count = active + passive;
    let seed = number as u64 + 10_000 * instance;
    let (mut rng, mut weights) = (Lagged::new(seed as u32), Lagged::new(seed as u32));
    let draws = Draws { seed, scale: 100.0 * math::powf(10.0, rng.uniform()), inside };
    let against: Vec<f64> = inside.iter().map(|t| -t).collect();
    let mut sum = vec![0.0; inside.len()];
    let (mut planes, mut first, mut drawn) = (Vec::with_capacity(count), 0, 0);
    while planes.len() < count {
        // The first one is active.
        let share = passive as f64 / count as f64;
        let is_active = drawn == 0 || drawn < active && rng.uniform() + 1e-23 > share;
        if !is_active {
            passive = passive.saturating_sub(1);
            let distance = 0.01 + 2.0 * rng.uniform();
            // Its number is that of the last active one, and so is what is drawn for it.
            planes.push(draws.plane(drawn as u64, None, distance));
            continue;
        }
        drawn += 1;
        // Which of the active ones is against the gradient depends on the instance.
        let is_first = (drawn as u64 - 1 + instance).is_multiple_of(active as u64);
        let plane = draws.plane(drawn as u64, is_first.then_some(&against), 0.0);
        if is_first {
            first = planes.len();
        } else {
            let weight = weights.uniform();
            sum.iter_mut().zip(&plane.slope).for_each(|(s, a)| *s += weight * a);
        }
        planes.push(plane);
    }
    if active > 1 {
        let slope = &mut planes[first].slope;
        let (length, along) = (dot(slope, slope).sqrt(), dot(&sum, slope));
        let most = if along <= 0.0 { dim } else { dim.min(length * length / along) };
        let factor = most * (1.0 + weights.uniform()) / (2.0 + 1.0 / dim);
        slope.iter_mut().zip(&sum).for_each(|(a, s)| *a -= factor * s);
        let now = dot(slope, slope).sqrt();
        slope.iter_mut().for_each(|a| *a *= length / now);
    }
    planes
}

/// A function with its constraints.
struct Constrained {
    optimum: Vec<f64>,
    /// T.
    distortion: Vec<Move>,
    /// The function of y, or of x.
    inner: Function,
    of_x: bool,
    factor: f64,
    planes: Vec<Plane>,
    start: Vec<f64>,
}

impl Constrained {
    fn new(number: usize, instance: u64, dim: usize) -> Self {
        let (kind, variant) = ((number - 1) / VARIANTS, (number - 1) % VARIANTS);
        let active = [1, 2, 6, 6 + dim / 2, 6 + dim, 6 + 3 * dim][variant];
        let constrained = optimum(dim, number as u64 + 10_000 * instance);
        let own = number as u64 + 20_000 * instance;

        let rotation = || rotation(dim, own + SECOND);
        let weights = |ends: [f64; 2]| (0..dim).map(|i| ends[usize::from(i > 0)]).collect::<Vec<_>>();
        let asymmetric = || Move::Asymmetric((0..dim).map(|i| 0.2 * place(i, dim)).collect());
        let exponents = || (0..dim).map(|i| 2.0 + 4.0 * i as f64 / (dim as f64 - 1.0)).collect::<Vec<_>>();
        // c, T, M, z and the core.
        let (factor, distortion, rotation, minimum, core) = match kind {
            0 => (10.0, vec![], None, optimum(dim, own), Core::Quadratic(vec![1.0; dim])),
            1 => (1e-4, vec![Move::Oscillate], None, optimum(dim, own), Core::Quadratic(powers(1e6, dim))),
            2 => {
                let corner: Vec<f64> =
                    optimum(dim, own).into_iter().map(|t| if t < 0.0 { -5.0 } else { 5.0 }).collect();
                let slopes = corner.iter().zip(powers(10.0, dim)).map(|(t, s)| s * t.signum()).collect();
                (10.0, vec![], None, vec![0.0; dim], Core::Slope { corner, slopes })
            }
            3 => {
                let core = Core::Quadratic(powers(1e6, dim));
                (1e-4, vec![Move::Oscillate], Some(rotation()), optimum(dim, own), core)
            }
            4 => {
                let core = Core::Quadratic(weights([1e6, 1.0]));
                (1e-4, vec![Move::Oscillate], Some(rotation()), optimum(dim, own), core)
            }
            5 => {
                let core = Core::Quadratic(weights([1.0, 1e6]));
                (1e-4, vec![asymmetric()], Some(rotation()), optimum(dim, own + SECOND), core)
            }
            6 => {
                let far = optimum(dim, own);
                let length = dot(&far, &far).sqrt();
                let near = far.into_iter().map(|t| t * (1e-2 / length)).collect();
                (100.0, vec![], Some(rotation()), near, Core::Powers(exponents()))
            }
            _ => {
                let mut whole: Vec<f64> = uniform(dim, own).into_iter().map(|u| (10.0 * u - 5.0).trunc()).collect();
                if whole.iter().all(|t| *t == 0.0) {
                    whole = (0..dim).map(|i| (i % 9) as f64 - 4.0).collect();
                }
                let rotation = (kind == 8).then(rotation);
                (10.0, vec![Move::Oscillate, asymmetric()], rotation, whole, Core::Rastrigin)
            }
        };

        // R (y - z), but R y - z for Rastrigin's function.
        let behind = matches!(core, Core::Rastrigin);
        let before = |point: &[f64]| match &rotation {
            Some(rotation) if !behind => (0..dim).map(|i| dot(rotation.row(i), point)).collect(),
            _ => point.to_vec(),
        };
        let origin: Vec<f64> = before(&minimum.iter().map(|t| -t).collect::<Vec<_>>());
        let mut inside = slope_of(&core, &origin, &exponents);
        if let Some(rotation) = &rotation {
            inside = (0..dim).map(|j| (0..dim).fold(0.0, |sum, i| sum + inside[i] * rotation.row(i)[j])).collect();
        }
        lengthen(&mut inside, &constrained, own);
        let planes = planes(number, instance, active, &inside);
        let start = start(&inside, &distortion, &constrained);

        let of_x = matches!(core, Core::Slope { .. });
        let mut moves: Vec<Move> =
            rotation.iter().map(|square: &Square| Move::Linear(Columns::of(square), 0.0)).collect();
        if !of_x {
            moves.insert(if behind { moves.len() } else { 0 }, Move::Shift(minimum.clone()));
        }
        let offset = offset(seed(number, instance));
        let inner = Function { moves, core, finish: Finish::Nothing, penalty: 0.0, offset, optimum: minimum };
        Constrained { optimum: constrained, distortion, inner, of_x, factor, planes, start }
    }

    /// Writes T(x - x_opt) to `y`.
    fn move_to(&self, x: &[f64], y: &mut Vec<f64>) {
        y.clear();
        y.extend(x.iter().zip(&self.optimum).map(|(x, o)| x - o));
        distort(&self.distortion, y);
    }

    /// The function's value at x, moved to y.
    fn value_at(&self, x: &[f64], y: &[f64], scratch: &mut Vec<f64>) -> f64 {
        self.factor * self.inner.value(if self.of_x { x } else { y }, scratch)
    }
}

/// T, which has no use for memory beside the point.
fn distort(distortion: &[Move], y: &mut [f64]) {
    for step in distortion {
        step.in_place(y);
    }
}

/// The gradient of a core, up to its length.
fn slope_of(core: &Core, z: &[f64], exponents: &dyn Fn() -> Vec<f64>) -> Vec<f64> {
    match core {
        Core::Quadratic(weights) => weights.iter().zip(z).map(|(w, t)| 2.0 * w * t).collect(),
        Core::Slope { slopes, .. } => slopes.iter().map(|s| -s).collect(),
        Core::Powers(_) => {
            exponents().iter().zip(z).map(|(p, t)| p * math::powf(t.abs(), p - 1.0) * t.signum()).collect()
        }
        // At whole numbers the waves are level.
        _ => z.iter().map(|t| 2.0 * t).collect(),
    }
}

/// Gives a direction a random length with which it ends between three quarters of the way to the box and the box.
fn lengthen(direction: &mut [f64], from: &[f64], seed: u64) {
    let reach = |(t, x): (&f64, &f64)| (t / (5.0 - x)).max(t / (-5.0 - x));
    let most = direction.iter().zip(from).map(reach).fold(0.0, f64::max);
    let share = 0.75 + 0.25 * uniform(1, seed + 412)[0];
    direction.iter_mut().for_each(|t| *t *= share / most);
}

/// x_opt + T^(-1)(2^(-k) p) with the least k for which it is inside the box.
fn start(inside: &[f64], distortion: &[Move], from: &[f64]) -> Vec<f64> {
    let plus = |way: &[f64]| -> Vec<f64> { from.iter().zip(way).map(|(x, t)| x + t).collect() };
    if distortion.is_empty() {
        return plus(inside);
    }
    let mut aim = inside.to_vec();
    loop {
        let point = plus(&inverse(distortion, &aim));
        if point.iter().all(|t| t.abs() < 5.0) {
            return point;
        }
        aim.iter_mut().for_each(|t| *t *= 0.5);
    }
}

/// T^(-1), by halving intervals to their last digit: T works on each coordinate alone, increases and leaves 0 where it is.
fn inverse(distortion: &[Move], aim: &[f64]) -> Vec<f64> {
    let (mut near, mut far) = (vec![0.0; aim.len()], aim.to_vec());
    let mut moved = Vec::new();
    let mut falls_short = |y: &[f64]| -> Vec<bool> {
        moved.clear();
        moved.extend_from_slice(y);
        distort(distortion, &mut moved);
        moved.iter().zip(aim).map(|(y, aim)| y.abs() < aim.abs()).collect()
    };
    loop {
        let short = falls_short(&far);
        if !short.contains(&true) {
            break;
        }
        for j in (0..aim.len()).filter(|&j| short[j]) {
            (near[j], far[j]) = (far[j], 2.0 * far[j]);
        }
    }
    loop {
        let middle: Vec<f64> = near.iter().zip(&far).map(|(a, b)| a + 0.5 * (b - a)).collect();
        if (0..aim.len()).all(|j| middle[j] == near[j] || middle[j] == far[j]) {
            return far;
        }
        for (j, short) in falls_short(&middle).into_iter().enumerate() {
            if short { near[j] = middle[j] } else { far[j] = middle[j] }
        }
    }
}

thread_local! {
    /// The moved point, and the function's memory.
    static SCRATCH: RefCell<[Vec<f64>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

impl posed::Function for Constrained {
    type Scratch = [Vec<f64>; 2];

    fn with_scratch(then: impl FnOnce(&mut Self::Scratch)) {
        SCRATCH.with_borrow_mut(then);
    }

    fn value(&self, x: &[f64], [y, scratch]: &mut Self::Scratch) -> f64 {
        self.move_to(x, y);
        self.value_at(x, y, scratch)
    }

    fn constraints(&self) -> Vec<Constraint> {
        (1..=self.planes.len())
            .filter_map(|k| Constraint::at_most(format!("g{k}")).with_tolerance(TOLERANCE).ok())
            .collect()
    }

    fn explain(&self, x: &[f64], parts: &mut Vec<f64>, constraints: &mut Vec<f64>, [y, scratch]: &mut Self::Scratch) {
        self.move_to(x, y);
        parts.push(self.value_at(x, y, scratch));
        // NaN would pass unseen through the comparisons of a term.
        let known = y.iter().all(|t| !t.is_nan());
        constraints.extend(self.planes.iter().map(|plane| if known { plane.value(y) } else { f64::NAN }));
    }

    fn start(&self) -> Option<Vec<f64>> {
        Some(self.start.clone())
    }
}
