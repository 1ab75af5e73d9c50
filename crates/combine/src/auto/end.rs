//! Whether anything more is to be expected.
//!
//! Two answers. After a smooth descent to x* a survey takes points x of the start's law and looks along the lines to them, eq. (1); the
//! first line that no convex function has ends it. Where all lines are those of a quadratic, eq. (2) with k = 2, or of a linear
//! function, k = 1, x* is the minimum; where they are those of another convex function, a second descent has to end at the value of the
//! first, or the first at that of the coordinate search. Where some lines are exact and others are not, the function is put together
//! from pieces. There are as many lines as take half the evaluations before, within limits.
//!
//! ```text
//! (1)  f(x*) <= f(m) <= (1 - t) f(x*) + t f(x),   m = x* + t (x - x*)
//! (2)  f(m) - f(x*) = t^k (f(x) - f(x*))
//! ```
//!
//! Elsewhere the ends of descents and of runs of CMA-ES from new points are counted by their values. After n searches with w different
//! ends, a uniform prior of the number of basins and of their shares expects the basins that no search has come to to take the share
//!
//! ```text
//! (3)  w (w + 1) / (n (n - 1))
//! ```
//!
//! of the box (Boender and Rinnooy Kan, "Bayesian stopping rules for multistart global optimization methods", Mathematical Programming
//! 37, 1987, section 3). When it is small enough, the best end has been come to more than once, and a run of CMA-ES has ended without
//! anything better, the portfolio ends.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Matrix, Real, Result};

/// Different ends that are remembered; with more of them eq. (3) is far from small.
const MOST: usize = 256;
/// Ends are one where their values differ by no more, in units of their size, and of the fall of values since the first.
const SAME: (f64, f64) = (1e-12, 1e-13);
/// Roundings in eq. (1), and deviations from eq. (2), in units of the values.
const STRAIGHT: f64 = 1e-9;
const QUADRATIC: f64 = 1e-6;
/// Fewest and most lines, and lines an evaluation before.
const LINES: (u64, u64) = (12, 30);
const RATE: f64 = 0.25;
/// Descents that may say where the minimum of a convex function is, at most.
const DESCENTS: u32 = 3;
/// The shortest and the longest t of eq. (1).
const WHERE: (f64, f64) = (0.3, 0.7);

/// Where searches have ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Basins {
    /// Values of the ends, and how many searches came to each.
    ends: Vec<(f64, u64)>,
    searches: u64,
}

/// Whether two ends are one; values have fallen by `fall` since the first.
fn is_same(a: f64, b: f64, fall: f64) -> bool {
    (a - b).abs() <= (SAME.0 * a.abs().max(b.abs())).max(SAME.1 * fall)
}

impl Basins {
    /// Whether what was read back can be gone on with.
    pub(crate) fn verify(&self) -> Result<()> {
        saved::holds("ends", self.ends.len() <= MOST, "must not be more than are remembered")?;
        saved::count("searches", self.searches)?;
        self.ends.iter().try_for_each(|(_, count)| saved::count("searches", *count))
    }

    /// A search that has ended at this value.
    pub(crate) fn count(&mut self, value: f64, fall: f64) {
        self.searches += 1;
        match self.ends.iter().position(|end| is_same(end.0, value, fall)) {
            Some(k) => self.ends[k] = (self.ends[k].0.min(value), self.ends[k].1 + 1),
            None if self.ends.len() < MOST => self.ends.push((value, 1)),
            None => {}
        }
    }

    /// A search that was given up on its way to a value no better than `bound`: it counts as one to the nearest end above.
    pub(crate) fn count_given_up(&mut self, bound: f64) {
        self.searches += 1;
        let above = |k: &usize| self.ends[*k].0 >= bound;
        match (0..self.ends.len()).filter(above).min_by(|&a, &b| self.ends[a].0.total_cmp(&self.ends[b].0)) {
            Some(k) => self.ends[k].1 += 1,
            None if self.ends.len() < MOST => self.ends.push((bound, 1)),
            None => {}
        }
    }

    /// The share of the box that is expected to lead elsewhere, eq. (3).
    pub(crate) fn unknown(&self) -> f64 {
        let (n, w) = (self.searches as f64, self.ends.len() as f64);
        if self.ends.len() >= MOST || n < w + 2.0 { 1.0 } else { w * (w + 1.0) / (n * (n - 1.0)) }
    }

    /// Whether searches came to the best end more than once.
    pub(crate) fn is_best_confirmed(&self) -> bool {
        self.ends.iter().min_by(|a, b| a.0.total_cmp(&b.0)).is_some_and(|best| best.1 > 1)
    }

    pub(crate) fn searches(&self) -> u64 {
        self.searches
    }

    pub(crate) fn ends(&self) -> usize {
        self.ends.len()
    }
}

/// What lines from the minimum look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Shape {
    /// Not enough of them are known.
    #[default]
    Unknown,
    /// All are lines of a linear function.
    Linear,
    /// All are lines of a quadratic.
    Quadratic,
    /// All are lines of a convex function; descents are on their way.
    Convex,
    /// Two searches have ended at the same value.
    Confirmed,
    /// One of them is not, or descents have ended elsewhere.
    Other,
}

/// Lines from the end of the first descent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Survey {
    pub(super) shape: Shape,
    /// Lines that a convex function could have.
    lines: u64,
    /// As many as are to be looked at.
    wanted: u64,
    /// How many of them are as eq. (2) says with k = 1 and with k = 2.
    powers: [u64; 2],
    /// Places of the middle points asked.
    places: Vec<f64>,
    /// The least value that a descent or the coordinate search has ended at, and descents that have.
    least: Option<f64>,
    descents: u32,
}

impl Survey {
    /// Whether what was read back can be gone on with.
    pub(super) fn verify(&self) -> Result<()> {
        let counts = [self.lines, self.powers[0], self.powers[1], self.descents.into()];
        saved::holds("survey", counts.into_iter().all(|count| count < 1 << 30), "must have counts")
    }

    /// After so many evaluations.
    pub(super) fn begin(&mut self, evaluations: u64) {
        self.wanted = ((RATE * evaluations as f64) as u64).clamp(LINES.0, LINES.1);
    }

    /// Whether it has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.wanted > 0
    }

    /// The far ends of lines become those and points on the way to them; `draw` gives numbers in [0, 1).
    pub(super) fn ask<F: Real>(&mut self, x: &[F], xs: &mut Matrix<F>, mut draw: impl FnMut() -> f64) {
        let lines = xs.len();
        self.places.clear();
        for k in 0..lines {
            let place = WHERE.0 + (WHERE.1 - WHERE.0) * draw();
            self.places.push(place);
            xs.push(x);
            let row = lines + k;
            for (j, &from) in x.iter().enumerate() {
                let far = xs.row(k)[j];
                xs.row_mut(row)[j] = from + F::of(place) * (far - from);
            }
        }
    }

    /// The values of the far ends and of the points on the way; `least` is the value of the minimum before.
    pub(super) fn tell<F: Real>(&mut self, least: f64, xs: &Matrix<F>, values: &[F]) {
        let lines = xs.len() / 2;
        for (k, &t) in self.places.iter().take(lines).enumerate() {
            let (far, middle) = (values[k].f64(), values[lines + k].f64());
            let rounding = STRAIGHT * (least.abs() + far.abs());
            let convex = least - rounding <= middle && middle <= (1.0 - t) * least + t * far + rounding;
            if !(convex && far > least + rounding && far.is_finite()) {
                self.shape = Shape::Other; // eq. (1); a plain says nothing
                return;
            }
            self.lines += 1;
            for (power, share) in self.powers.iter_mut().zip([t, t * t]) {
                let off = (middle - least - share * (far - least)).abs();
                *power += u64::from(off <= QUADRATIC * (far - least) + rounding); // eq. (2)
            }
        }
        if self.lines >= self.wanted {
            self.shape = match self.powers {
                [all, _] if all == self.lines => Shape::Linear,
                [_, all] if all == self.lines => Shape::Quadratic,
                [0, 0] => Shape::Convex,
                // Pieces of several functions.
                _ => Shape::Other,
            };
        }
    }

    /// What descents have to end at, where another search has ended already.
    pub(super) fn expect(&mut self, least: Option<f64>) {
        self.least = least;
    }

    /// A descent has ended at `value`: at the end of another one, or as the first; lower, which says that that one had not come to
    /// the end; or elsewhere.
    pub(super) fn confirm(&mut self, value: f64, fall: f64) {
        self.descents += 1;
        self.shape = match self.least {
            Some(least) if is_same(least, value, fall) => Shape::Confirmed,
            Some(least) if value > least => Shape::Other,
            _ if self.descents < DESCENTS => Shape::Convex,
            _ => Shape::Other,
        };
        self.least = Some(self.least.map_or(value, |least| least.min(value)));
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basin_is_known_after_many_searches_and_few_ends() {
        let mut basins = Basins::default();
        (0..9).for_each(|_| basins.count(1.0, 0.0));
        assert!(basins.is_best_confirmed() && basins.unknown() == 2.0 / 72.0);
        basins.count(1.0 + 1e-13, 0.0);
        assert_eq!((basins.searches(), basins.ends(), basins.unknown()), (10, 1, 2.0 / 90.0));
        basins.count(0.5, 0.0);
        assert!(!basins.is_best_confirmed() && basins.unknown() == 6.0 / 110.0);
        basins.count_given_up(0.7);
        assert_eq!(basins.ends(), 2);
        basins.count_given_up(1.5);
        assert_eq!((basins.ends(), basins.searches()), (3, 13));
        assert!(is_same(0.0, 1e-8, 1e6) && !is_same(0.0, 1e-8, 1e4) && !is_same(f64::NAN, 0.0, 1.0));
    }

    #[test]
    fn lines_of_a_quadratic_a_convex_and_another_function_are_told_apart() {
        let shape = |f: fn(f64) -> f64| {
            let mut survey = Survey::default();
            survey.begin(0);
            assert_eq!(survey.wanted, LINES.0);
            for far in [2.0, -3.0, 1.5, -0.7, 0.4, 2.1, -2.2, 0.9, -1.1, 0.3, -0.6, 1.0] {
                let mut xs = Matrix::from_vec(1, vec![far]).unwrap();
                survey.ask(&[0.0], &mut xs, || 0.5);
                let values: Vec<f64> = xs.iter().map(|x| f(x[0])).collect();
                survey.tell(f(0.0), &xs, &values);
            }
            survey.shape
        };
        assert_eq!(shape(|t| 7.0 + 3.0 * t * t), Shape::Quadratic);
        assert_eq!(shape(|t| t * t + t.powi(4)), Shape::Convex);
        assert_eq!(shape(|t| t * t - 10.0 * (6.0 * t).cos()), Shape::Other);
        assert_eq!(shape(|t| if t < -1.0 { f64::NAN } else { t * t }), Shape::Other);
        assert_eq!(shape(|t| t), Shape::Other);
        assert_eq!(shape(|t| 2.0 + t.abs()), Shape::Linear);
        assert_eq!(shape(|_| 3.0), Shape::Other);
        assert_eq!(shape(|t| if t < -2.5 { 2.0 * t * t } else { t * t }), Shape::Other);
    }
}
