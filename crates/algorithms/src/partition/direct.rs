//! DIRECT: the box is divided into rectangles, and those that may hold the minimum for some Lipschitz constant are divided further.
//!
//! Papers: Jones, Perttunen and Stuckman, "Lipschitzian optimization without the Lipschitz constant" (JOTA 79, 1993); Gablonsky and
//! Kelley, "A locally-biased form of the DIRECT algorithm" (Journal of Global Optimization 21, 2001). Rectangle i has the value f_i in
//! its middle c_i and the size d_i. It is divided in an iteration where there is a K > 0 with
//!
//! ```text
//! f_i - K d_i <= f_k - K d_k  for all k                                                                          (1)
//! f_i - K d_i <= f_min - e |f_min|                                                                               (2)
//! w_j = min(f(c_i + h e_j), f(c_i - h e_j))  for its longest sides j, 3 h long                                   (3)
//! ```
//!
//! along its longest sides, the one with the smallest w_j first, each time into thirds. d_i is half the diagonal and all rectangles
//! of (1) and (2) are divided (1993); or it is half the longest side, and of rectangles of the same size one is divided (2001), which
//! is faster where there are few minima.
//!
//! Differs from the papers: the unit cube is laid over the box so that its middle is the first point of the start, with straight lines
//! from there to the bounds (a given point nearer to a bound than a tenth of the width moves in that far; without given points the
//! start is in the middle fifth). Towards a side without a bound a coordinate is c + s v / (1 - |v|), s the deviation of the start's
//! law. Rectangles end at the precision of numbers, along whole variables at single values; where they have no finite value they wait
//! until no others are left.

use crate::method::Method;
use crate::parameters::{Parameters, parameters};
use crate::restart::BestPoint;
use crate::saved;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Space, Start, View, math, memory, save_state};

parameters! {
    /// Parameters of [`Direct`].
    pub struct Params {
        /// Least gain that a rectangle must promise, as a share of the best value.
        epsilon "e": f64 = 1e-4, Within(0.0, 1.0);
        /// Whether sizes are the longest sides, and of rectangles of one size one is divided.
        locally_biased "": bool = true, Flag;
    }
}

/// DIRECT as an algorithm.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Direct<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    /// Bytes that it takes; 0 where it has been read back and has taken them.
    #[serde(skip)]
    memory: f64,
    budget: Option<u64>,
    /// The middle of the cube, and the lengths of variables towards sides without a bound.
    centre: Vec<F>,
    length: f64,
    /// How often a side can be divided.
    deepest: Vec<u8>,
    /// Middles in the unit cube, and how often each side is divided: one row a rectangle.
    middles: Vec<f64>,
    cuts: Vec<u8>,
    /// By the bits of their size, which are ordered as the sizes are.
    sizes: BTreeMap<u64, BinaryHeap<Rectangle>>,
    /// Those whose parts were asked for.
    divided: Vec<Rectangle>,
    x: Matrix<F>,
    fx: Vec<F>,
    best: BestPoint<F>,
    rounds: u64,
    #[serde(skip)]
    lent: bool,
    over: Option<Reason>,
}

/// A rectangle that may be divided.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Rectangle {
    value: f64,
    row: usize,
}

/// The best one is the greatest; of equal ones the oldest.
impl Ord for Rectangle {
    fn cmp(&self, other: &Self) -> Ordering {
        other.value.total_cmp(&self.value).then(other.row.cmp(&self.row))
    }
}

impl PartialOrd for Rectangle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rectangle {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rectangle {}

/// Share of the width that stays on both sides of the middle.
const ROOM: f64 = 0.1;
/// Rectangles that are reckoned with where the budget is not known, and bytes of them that are taken at once.
const USUAL: u64 = 10_000;
const AT_ONCE: usize = 1 << 25;

/// 3^-k.
fn third(k: u8) -> f64 {
    (0..k).fold(1.0, |side, _| side / 3.0)
}

/// How often the side of each variable can be divided.
fn deepest<F: Real>(space: &Space<F>) -> Vec<u8> {
    let finest = math::ln(1.0 / F::epsilon().f64());
    let deepest = |j: usize| {
        let width = space.width(j).f64();
        let ratio = if space.is_continuous(j) { finest } else { math::ln(width.max(1.0)) + 1.0 };
        if width > 0.0 { (ratio / math::ln(3.0)) as u8 } else { 0 }
    };
    (0..space.dim()).map(deepest).collect()
}

impl<F: Real> Direct<F> {
    /// Evaluates the starts first; the first of them is the middle.
    fn begin(&mut self, rng: &Rng) {
        let given = match &self.start {
            Start::Points(points) => points.len().max(1),
            _ => 1,
        };
        self.start.fill(&self.space, rng, given, &mut self.x);
        let (low, high) = (self.space.lower(), self.space.upper());
        let is_uniform = self.start == Start::Uniform;
        self.centre.clear();
        for (j, t) in self.x.row_mut(0).iter_mut().enumerate() {
            let (lo, hi) = (low[j].f64(), high[j].f64());
            let width = (hi - lo).min(f64::MAX);
            let is_bounded = lo.is_finite() && hi.is_finite();
            if is_uniform && self.space.is_continuous(j) {
                *t = self.space.middle_fifth(j, *t).max(low[j]).min(high[j]);
            }
            let room = if is_bounded { ROOM * width } else { 0.0 };
            let inner = if is_bounded { t.f64().max(lo + room).min(hi - room) } else { t.f64() };
            self.centre.push(F::of(inner).max(low[j]).min(high[j]));
        }
        if !self.space.variables().is_empty() {
            self.space.centre(self.x.row_mut(0));
        }
    }

    /// Writes the point of a place in the unit cube.
    fn point(&self, place: &[f64], x: &mut [F]) {
        let bounds = self.space.lower().iter().zip(self.space.upper());
        for (((x, &u), &c), (&low, &high)) in x.iter_mut().zip(place).zip(&self.centre).zip(bounds) {
            let (c, v) = (c.f64(), 2.0 * u - 1.0);
            let bound = if v < 0.0 { low.f64() } else { high.f64() };
            let t = if bound.is_finite() {
                c * (1.0 - v.abs()) + bound * v.abs()
            } else {
                c + self.length * c.abs().max(1.0) * v / (1.0 - v.abs())
            };
            *x = F::of(t.max(-F::max_value().f64()).min(F::max_value().f64())).max(low).min(high);
        }
        if !self.space.variables().is_empty() {
            self.space.centre(x);
        }
    }

    fn cuts(&self, row: usize) -> &[u8] {
        let dim = self.deepest.len();
        &self.cuts[row * dim..(row + 1) * dim]
    }

    /// How often the longest of the sides that can be divided has been; none where no side can.
    fn level(&self, row: usize) -> Option<u8> {
        self.cuts(row).iter().zip(&self.deepest).filter(|(cut, deepest)| cut < deepest).map(|(cut, _)| *cut).min()
    }

    /// The sides along which it is divided.
    fn sides(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        let level = self.level(row);
        let cuts = self.cuts(row).iter().zip(&self.deepest);
        cuts.enumerate().filter(move |(_, (cut, deepest))| Some(**cut) == level && cut < deepest).map(|(j, _)| j)
    }

    /// d of a rectangle; none where it cannot be divided.
    fn size(&self, row: usize) -> Option<f64> {
        let level = self.level(row)?;
        if self.params.locally_biased {
            return Some(0.5 * third(level));
        }
        // Equal shapes have equal bits.
        let mut counts = [0_u32; 256];
        self.cuts(row).iter().for_each(|&cut| counts[usize::from(cut)] += 1);
        let squares = (0..=255_u8).zip(counts).map(|(cut, count)| f64::from(count) * third(cut) * third(cut));
        Some(0.5 * squares.sum::<f64>().sqrt())
    }

    /// Puts a rectangle among those that may be divided.
    fn keep(&mut self, rectangle: Rectangle) {
        if let Some(size) = self.size(rectangle.row) {
            self.sizes.entry(size.to_bits()).or_default().push(rectangle);
        }
    }

    /// Takes out the rectangles that are divided next.
    fn choose(&mut self) {
        // Those of a round that was broken off are asked again.
        while let Some(rectangle) = self.divided.pop() {
            self.keep(rectangle);
        }
        let tops = self.sizes.iter().filter_map(|(&bits, heap)| Some((bits, heap.peek()?.value)));
        let tops: Vec<(u64, f64)> = tops.filter(|(_, value)| value.is_finite()).collect();
        let least = self.best.value.f64();
        let slope = |(d, f): (u64, f64), (e, g): (u64, f64)| (g - f) / (f64::from_bits(e) - f64::from_bits(d));
        for (i, &top) in tops.iter().enumerate() {
            let below = tops[..i].iter().map(|&other| slope(other, top)).fold(0.0, f64::max);
            let above = tops[i + 1..].iter().map(|&other| slope(top, other)).fold(f64::INFINITY, f64::min);
            // (1), then (2) for the largest K.
            let promises = above == f64::INFINITY
                || top.1 - above * f64::from_bits(top.0) <= least - self.params.epsilon * least.abs();
            if above > 0.0 && below <= above && promises {
                self.take(top.0, top.1);
            }
        }
        // No finite value anywhere: the best of the largest.
        let largest = self.sizes.last_key_value().and_then(|(&bits, heap)| Some((bits, heap.peek()?.value)));
        if let (true, Some((bits, value))) = (self.divided.is_empty(), largest) {
            self.take(bits, value);
        }
    }

    /// Takes out the best rectangle of a size; all that have its value where they count.
    fn take(&mut self, bits: u64, value: f64) {
        let Some(heap) = self.sizes.get_mut(&bits) else { return };
        while let Some(rectangle) = heap.peek().filter(|rectangle| rectangle.value == value).copied() {
            heap.pop();
            self.divided.push(rectangle);
            if self.params.locally_biased || value == f64::INFINITY {
                break;
            }
        }
        if heap.is_empty() {
            self.sizes.remove(&bits);
        }
    }

    /// Writes the points of (3).
    fn ask_parts(&mut self) {
        let dim = self.deepest.len();
        self.x.resize(0, dim);
        let (mut place, mut point) = (vec![0.0; dim], vec![F::zero(); dim]);
        for k in 0..self.divided.len() {
            let row = self.divided[k].row;
            place.copy_from_slice(&self.middles[row * dim..(row + 1) * dim]);
            let sides: Vec<usize> = self.sides(row).collect();
            for j in sides {
                let (middle, h) = (place[j], third(self.cuts(row)[j] + 1));
                for t in [middle + h, middle - h] {
                    place[j] = t;
                    self.point(&place, &mut point);
                    self.x.push(&point);
                }
                place[j] = middle;
            }
        }
    }

    /// Divides the rectangles whose parts have been evaluated.
    fn divide(&mut self) {
        let (dim, mut first) = (self.deepest.len(), 0);
        for k in 0..self.divided.len() {
            let parent = self.divided[k];
            let value = |fx: &[F], i: usize| if fx[i].is_nan() { f64::INFINITY } else { fx[i].f64() };
            let sides = self.sides(parent.row).enumerate();
            let mut sides: Vec<(f64, usize, usize)> = sides
                .map(|(n, j)| {
                    (value(&self.fx, first + 2 * n).min(value(&self.fx, first + 2 * n + 1)), j, first + 2 * n)
                })
                .collect();
            first += 2 * sides.len();
            sides.sort_by(|a, b| a.0.total_cmp(&b.0)); // (3)
            for (_, j, at) in sides {
                let own = parent.row * dim..(parent.row + 1) * dim;
                self.cuts[own.start + j] += 1;
                let (middle, h) = (self.middles[own.start + j], third(self.cuts[own.start + j]));
                for (t, i) in [(middle + h, at), (middle - h, at + 1)] {
                    let part = Rectangle { value: value(&self.fx, i), row: self.middles.len() / dim };
                    self.middles.extend_from_within(own.clone());
                    self.middles[part.row * dim + j] = t;
                    self.cuts.extend_from_within(own.clone());
                    self.keep(part);
                }
            }
            self.keep(parent);
        }
        self.divided.clear();
    }

    /// The whole box, whose middle has this value.
    fn set_out(&mut self, value: F) {
        let dim = self.deepest.len();
        let most = AT_ONCE / (9 * dim);
        let rows = self.budget.map_or(0, |budget| most.min(usize::try_from(budget).unwrap_or(most)));
        self.middles.reserve(rows * dim);
        self.cuts.reserve(rows * dim);
        let value = if value.is_nan() { f64::INFINITY } else { value.f64() };
        self.middles.resize(dim, 0.5);
        self.cuts.resize(dim, 0);
        self.keep(Rectangle { value, row: 0 });
    }
}

impl<F: Real> Method<F> for Direct<F> {
    const NAME: &'static str = "direct";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let dim = space.dim() as f64;
        // Middles and cuts, and the points of a few rectangles here, with the caller and on their way.
        let memory = dim * (9.0 * (budget.unwrap_or(USUAL) as f64 + 4.0 * dim) + 8.0 * 16.0 * dim);
        memory::check(Self::NAME, space.dim(), memory)?;
        Ok(Direct {
            deepest: deepest(space),
            params,
            space: space.clone(),
            length: match &start {
                Start::Normal { deviation, .. } if *deviation > 0.0 => *deviation,
                _ => 1.0,
            },
            start,
            memory,
            budget,
            centre: Vec::new(),
            middles: Vec::new(),
            cuts: Vec::new(),
            sizes: BTreeMap::new(),
            divided: Vec::new(),
            x: Matrix::default(),
            fx: Vec::new(),
            best: BestPoint::default(),
            rounds: 0,
            lent: false,
            over: None,
        })
    }

    fn verify(&self) -> Result<()> {
        let dim = self.space.dim();
        saved::parameters(&self.params)?;
        self.start.check(&self.space)?;
        saved::count("rounds", self.rounds)?;
        saved::holds("deepest", self.deepest == deepest(&self.space), "must be that of the space")?;
        saved::shape("x", &self.x, self.x.len(), dim)?;
        saved::length("cuts", &self.cuts, self.middles.len())?;
        saved::holds("middles", self.middles.len().is_multiple_of(dim), "must be one a variable")?;
        saved::holds("middles", self.rounds > 0 || self.middles.is_empty(), "must be none before the first round")?;
        if self.rounds > 0 {
            saved::length("centre", &self.centre, dim)?;
            self.best.verify(dim)?;
        }
        let rectangles = self.sizes.values().flatten().chain(&self.divided);
        let rows: BTreeSet<usize> = rectangles.clone().map(|rectangle| rectangle.row).collect();
        saved::holds("rectangles", rows.len() == rectangles.count(), "must be there once each")?;
        saved::below("rectangles", &rows, self.middles.len() / dim)
    }
}

impl<F: Real> Algorithm<F> for Direct<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        xs.clear();
        if self.over.is_some() {
            return;
        }
        if self.rounds == 0 {
            self.begin(rng);
        } else if self.middles.is_empty() {
            let mut middle = self.centre.clone();
            self.point(&vec![0.5; self.deepest.len()], &mut middle);
            self.x.resize(0, middle.len());
            self.x.push(&middle);
        } else {
            self.choose();
            if self.divided.is_empty() {
                self.over = Some(Reason::Method("no rectangle can be divided any further".into()));
                return;
            }
            self.ask_parts();
        }
        xs.copy_from(self.x.rows());
        self.lent = true;
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        assert_eq!(values.len(), self.x.len(), "tell needs one value for each point asked");
        self.lent = false;
        let is_middle = self.rounds > 0 || self.x.row(0) == &self.centre[..];
        std::mem::swap(&mut self.x, xs);
        self.fx.clear();
        self.fx.extend_from_slice(values);
        self.best.keep(self.x.rows(), values);
        if !self.middles.is_empty() {
            self.divide();
        } else if is_middle {
            self.set_out(values[0]);
        }
        self.rounds += 1;
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn memory(&self) -> f64 {
        self.memory
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        self.over.clone()
    }

    fn view(&self) -> View<'_, F> {
        let mut view = View { matrices: vec![("x", self.x.rows())], ..View::default() };
        view.vectors.extend([("fx", &self.fx[..]), ("g", &self.best.x[..])]);
        view.numbers.push(("f", self.best.value.f64()));
        view.numbers.push(("rectangles", (self.middles.len() / self.deepest.len()) as f64));
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(<Self as Method<F>>::NAME, self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::{Evaluations, Function, Run};

    #[test]
    fn a_round_broken_off_is_asked_again_after_loading() {
        let space = Space::cube(3, -5.0, 5.0).unwrap();
        let problem = Function::new(space.clone(), |x: &[f64]| x.iter().map(|t| (t - 1.3) * (t - 1.3)).sum());
        let mut method = Direct::<f64>::new(&space, Start::Uniform, None, Params::default()).unwrap();
        Run::new(&problem, &mut method, 1).watch(&mut Evaluations(100)).minimize();
        let (mut first, mut again, mut state) = (Matrix::default(), Matrix::default(), Vec::new());
        assert!(method.lent, "the budget was to end within a round");
        first.copy_from(method.x.rows());
        method.save(&mut state).unwrap();
        let mut method: Direct<f64> = postcard::from_bytes(&state).unwrap();
        method.verify().unwrap();
        method.ask(&Rng::new(1), &mut again);
        assert_eq!(first.data(), again.data());
    }

    #[test]
    fn the_whole_box_is_searched_and_ends() {
        // The best basin is narrow and far from the middle.
        let space = Space::cube(2, -10.0, 10.0).unwrap();
        let narrow = |x: &[f64]| {
            let [broad, deep] = [[1.0, 2.0, 0.01], [7.0, -6.0, 2.0]]
                .map(|[a, b, s]| s * ((x[0] - a) * (x[0] - a) + (x[1] - b) * (x[1] - b)));
            broad.min(deep - 1.0)
        };
        for locally_biased in [true, false] {
            let params = Params { locally_biased, ..Params::default() };
            let mut method = Direct::<f64>::new(&space, Start::Uniform, None, params).unwrap();
            let problem = Function::new(space.clone(), narrow);
            let outcome = Run::new(&problem, &mut method, 3).watch(&mut Evaluations(2_000)).minimize();
            assert!(outcome.fun < -0.999, "{locally_biased}: {}", outcome.fun);
        }
        let grid = Space::cube(1, 0.0, 0.0).unwrap();
        let mut method = Direct::<f64>::new(&grid, Start::Uniform, None, Params::default()).unwrap();
        let problem = Function::new(grid, |x: &[f64]| x[0]);
        let outcome = Run::new(&problem, &mut method, 3).watch(&mut Evaluations(50)).minimize();
        assert_eq!((outcome.nfev, outcome.fun), (1, 0.0));
        assert!(matches!(outcome.reason, Reason::Method(_)));
    }
}
