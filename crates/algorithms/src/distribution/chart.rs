//! The chart between a method's coordinates w in R^d and the points x of the space.
//!
//! ```text
//! x = b(s w),  s: ratio of this variable's initial deviation to the largest;  for bounds lo, hi with margin a:
//! b(t) = t                              lo + a <= t <= hi - a
//!      = lo + (t - lo + a)^2 / (4 a)    lo - a <= t <  lo + a       (slope 0 at lo - a, where b = lo; slope 1 at lo + a)
//!      = hi - (t - hi - a)^2 / (4 a)    hi - a <  t <= hi + a
//!      mirrored at lo - a and hi + a beyond
//! ```
//!
//! The idea of a quadratic bend is that of the boundary transformation of N. Hansen's pycma. a is 1/20 of the width of the
//! box, so that the chart has no preferred unit; beside a single bound it is (1 + |bound|) / 20.

use serde::{Deserialize, Serialize};
use swarmgrad_core::{Outside, Real, Space, Start};

/// The share of the box's width that is the usual initial deviation.
pub(super) const SPREAD: f64 = 0.3;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Chart {
    variables: Vec<Variable>,
    repairs: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Variable {
    scale: f64,
    lower: f64,
    upper: f64,
    /// The margins; infinite beside an infinite bound.
    below: f64,
    above: f64,
    /// Between the two the chart is straight.
    low: f64,
    high: f64,
}

impl Chart {
    /// The chart of a space, and the largest initial deviation, for `spread` as a share of the width.
    pub(super) fn new<F: Real>(space: &Space<F>, start: &Start, spread: f64) -> (Self, f64) {
        let law = match start {
            Start::Normal { deviation, .. } if *deviation > 0.0 => Some(*deviation),
            _ => None,
        };
        let deviation = |j: usize| {
            let width = space.upper()[j].f64() - space.lower()[j].f64();
            let bounded = space.lower()[j].is_finite() && space.upper()[j].is_finite();
            match law {
                None if bounded => spread * width.min(f64::MAX),
                law => spread / SPREAD * law.unwrap_or(1.0),
            }
        };
        let largest = (0..space.dim()).map(deviation).fold(0.0, f64::max);
        let largest = if largest > 0.0 { largest } else { 1.0 };
        // What the space does with points outside is only asked for where it is not the default.
        let repairs = space.outside() != Outside::Clamp;
        let variables = (0..space.dim()).map(|j| {
            let scale = deviation(j) / largest;
            let scale = if scale > 0.0 { scale } else { 1.0 };
            let (lower, upper) = if repairs {
                (f64::NEG_INFINITY, f64::INFINITY)
            } else {
                (space.lower()[j].f64(), space.upper()[j].f64())
            };
            let margin = |bound: f64| {
                let width = (upper - lower).min(f64::MAX);
                if lower.is_finite() && upper.is_finite() { width / 20.0 } else { (1.0 + bound.abs()) / 20.0 }
            };
            let (below, above) = (margin(lower), margin(upper));
            let low = if lower.is_finite() { lower + below } else { f64::NEG_INFINITY };
            let high = if upper.is_finite() { upper - above } else { f64::INFINITY };
            Variable { scale, lower, upper, below, above, low, high }
        });
        (Chart { variables: variables.collect(), repairs }, largest)
    }

    /// Whether points must be repaired by the space.
    pub(super) fn repairs(&self) -> bool {
        self.repairs
    }

    /// x = b(s (mean + unit step)); whether all of it is finite.
    #[inline]
    pub(super) fn place<F: Real>(&self, mean: &[f64], unit: f64, step: &[f64], x: &mut [F]) -> bool {
        let mut finite = true;
        for (((x, variable), mean), step) in x.iter_mut().zip(&self.variables).zip(mean).zip(step) {
            let t = variable.scale * (mean + unit * step);
            let t = if variable.low <= t && t <= variable.high { t } else { variable.bend(t) };
            *x = F::of(t);
            finite &= x.is_finite();
        }
        finite
    }

    /// The coordinate w of variable `j` at the point's coordinate `x`: the inverse of the chart where it is not mirrored.
    pub(super) fn inward(&self, j: usize, x: f64) -> f64 {
        let v = &self.variables[j];
        let t = if x < v.low {
            v.lower - v.below + (4.0 * v.below * (x - v.lower).max(0.0)).sqrt()
        } else if x > v.high {
            v.upper + v.above - (4.0 * v.above * (v.upper - x).max(0.0)).sqrt()
        } else {
            x
        };
        t / v.scale
    }
}

impl Variable {
    /// b(t) outside the straight part.
    #[cold]
    fn bend(&self, t: f64) -> f64 {
        let (lo, hi, a, b) = (self.lower, self.upper, self.below, self.above);
        let x = match (lo.is_finite(), hi.is_finite()) {
            (true, true) => {
                // Distance from lo - a, folded into one period of the mirrors.
                let length = (hi - lo) + (a + b);
                let from = (t - (lo - a)).rem_euclid(2.0 * length);
                let from = if from > length { 2.0 * length - from } else { from };
                if from < 2.0 * a {
                    lo + from * from / (4.0 * a)
                } else if length - from < 2.0 * b {
                    hi - (length - from) * (length - from) / (4.0 * b)
                } else {
                    lo + (from - a)
                }
            }
            (true, false) => {
                let from = (t - (lo - a)).abs();
                if from < 2.0 * a { lo + from * from / (4.0 * a) } else { lo + (from - a) }
            }
            (false, true) => {
                let from = (t - (hi + b)).abs();
                if from < 2.0 * b { hi - from * from / (4.0 * b) } else { hi - (from - b) }
            }
            (false, false) => t,
        };
        if x.is_nan() && lo.is_finite() { lo } else { x.max(lo).min(hi) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chart(lower: f64, upper: f64) -> Chart {
        Chart::new(&Space::new(vec![lower], vec![upper]).unwrap(), &Start::Uniform, 0.3).0
    }

    fn at(chart: &Chart, t: f64) -> f64 {
        let mut x = [0.0];
        chart.place(&[t], 0.0, &[0.0], &mut x);
        x[0]
    }

    #[test]
    fn the_chart_is_smooth_and_mirrored_and_reaches_its_bounds() {
        let chart = chart(-5.0, 5.0); // margins 0.5
        assert_eq!((at(&chart, -5.5), at(&chart, 5.5)), (-5.0, 5.0));
        assert_eq!((at(&chart, -4.5), at(&chart, 1.25), at(&chart, 4.5)), (-4.5, 1.25, 4.5));
        for t in [-5.4, -4.6, 4.7, 5.2, 5.9, 13.0, -27.3] {
            let h = 1e-6;
            let slope = (at(&chart, t + h) - at(&chart, t - h)) / (2.0 * h);
            assert!(slope.abs() <= 1.0 + 1e-9, "slope {slope} at {t}");
        }
        assert!((at(&chart, 5.5 + 0.3) - at(&chart, 5.5 - 0.3)).abs() < 1e-12);
        assert!((at(&chart, -5.5 - 2.0) - at(&chart, -5.5 + 2.0)).abs() < 1e-12);
        assert!((at(&chart, 1.0 + 22.0) - 1.0).abs() < 1e-12, "the period is twice the width with its margins");
    }

    #[test]
    fn deviations_follow_the_width_or_the_law_of_the_start() {
        let space = Space::new(vec![-5.0, 0.0, 3.0, 2.0], vec![5.0, 1.0, f64::INFINITY, 2.0]).unwrap();
        let (chart, sigma) = Chart::new(&space, &Start::Uniform, 0.3);
        let deviations: Vec<f64> = chart.variables.iter().map(|v| v.scale * sigma).collect();
        assert!(deviations.iter().zip([3.0, 0.3, 1.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-15), "{deviations:?}");
        let (chart, sigma) = Chart::new(&space, &Start::Normal { mean: 0.0, deviation: 0.25 }, 0.3);
        assert_eq!((sigma, chart.variables[1].scale), (0.25, 1.0));
    }

    proptest! {
        #[test]
        fn points_are_inside_and_inward_leads_back(t in -1e3..1e3f64, lo in -9.0..9.0f64, width in 0.0..9.0f64, kind in 0..4) {
            let (lower, upper) = match kind {
                0 => (lo, lo + width),
                1 => (lo, f64::INFINITY),
                2 => (f64::NEG_INFINITY, lo),
                _ => (f64::NEG_INFINITY, f64::INFINITY),
            };
            let chart = chart(lower, upper);
            let x = at(&chart, t);
            prop_assert!(lower <= x && x <= upper, "{x} from {t}");
            let back = at(&chart, chart.inward(0, x));
            prop_assert!((back - x).abs() <= 1e-12 * x.abs().max(1.0), "{back} is not {x}");
        }
    }
}
