//! The chart between a method's coordinates w in R^d and the points x of the space.
//!
//! ```text
//! x_j = r(s_j w_j),   s_j: ratio of this variable's initial deviation to the largest,   r: what the space does outside
//! ```
//!
//! A point that leaves its bounds is brought back as the space says. Where that unfolds into a landscape
//! on all of R^d (mirrored, wrapped) the step stands: the method walks in the unfolded landscape. Else (clamped, drawn anew)
//! the step becomes the one that leads to where it was evaluated: the method learns from pairs of step and value that belong
//! together.
//!
//! **Bends.** Where nothing was chosen, the landscape of CMA-ES and of the natural evolution strategies with a matrix goes on beyond a
//! bound l and turns back, with a slope of 0 at l - a and the slope of before from l + a on, as in Hansen's pycma
//! (`BoxConstraintsLinQuadTransformation`); an upper bound is its mirror image:
//!
//! ```text
//! x = l + (t - l + a)^2 / (4 a)  for  l - a <= t < l + a,   t mirrored at l - a before,   a = 1/100 of the width       (1)
//! ```
//!
//! A minimum on the bound is then one of a smooth function, and costs half as many evaluations.
//!
//! A variable that is not continuous has no outside: what a coordinate means beyond its bounds is what it means at the bound, and
//! its step stands.

use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Outside, Real, Space, Start};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Chart {
    scale: Vec<f64>,
    /// One a variable; none where points outside are treated as the space says.
    bends: Vec<Bend>,
}

/// The bounds of a variable and a of (1), 0 where the variable is not bent.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Bend {
    lower: f64,
    upper: f64,
    a: f64,
}

/// a over the width of the bounds, and over the initial deviation of a variable that has one bound.
const STRIP: f64 = 0.01;
const STRIP_OF_ONE: f64 = 0.05;

impl Bend {
    /// The bounds with the strips beyond them.
    fn ends(&self) -> [f64; 2] {
        [self.lower - self.a, self.upper + self.a]
    }

    /// Eq. (1).
    fn fold(&self, t: f64) -> f64 {
        let Bend { lower, upper, a } = *self;
        if t >= lower + a && t <= upper - a || a == 0.0 {
            return t;
        }
        let [first, last] = self.ends();
        let t = if t >= first && t <= last {
            t
        } else if (last - first).is_finite() {
            let offset = (t - first) - ((t - first) / (2.0 * (last - first))).floor() * (2.0 * (last - first));
            if offset > last - first { last - (offset - (last - first)) } else { first + offset }
        } else if t < first {
            first + (first - t)
        } else {
            last - (t - last)
        };
        if t < lower + a {
            lower + (t - first) * (t - first) / (4.0 * a)
        } else if t > upper - a {
            upper - (last - t) * (last - t) / (4.0 * a)
        } else {
            t
        }
    }

    /// The t nearest to the middle that (1) brings to `x`.
    fn unfold(&self, x: f64) -> f64 {
        let Bend { lower, upper, a } = *self;
        let [first, last] = self.ends();
        if a == 0.0 {
            x
        } else if x < lower + a {
            first + 2.0 * (a * (x - lower)).sqrt()
        } else if x > upper - a {
            last - 2.0 * (a * (upper - x)).sqrt()
        } else {
            x
        }
    }
}

/// What became of a step on its way into the space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Placed {
    /// It stands.
    Inside,
    /// It was corrected.
    Repaired,
    /// A coordinate is not a finite number.
    Lost,
}

impl Chart {
    /// The chart of a space, and the largest initial deviation, for `spread` as a share of the width and over the `usual` one.
    pub(super) fn new<F: Real>(space: &Space<F>, start: &Start, spread: f64, usual: f64, bent: bool) -> (Self, f64) {
        let law = match start {
            Start::Normal { deviation, .. } if *deviation > 0.0 => Some(*deviation),
            _ => None,
        };
        let deviation = |j: usize| {
            let (lower, upper) = (space.lower()[j].f64(), space.upper()[j].f64());
            match law {
                None if lower.is_finite() && upper.is_finite() => spread * (upper - lower).min(f64::MAX),
                law => spread / usual * law.unwrap_or(1.0),
            }
        };
        let largest = (0..space.dim()).map(deviation).fold(0.0, f64::max);
        let largest = if largest > 0.0 { largest } else { 1.0 };
        // A box without width has no scale of its own.
        let scale = (0..space.dim()).map(|j| if deviation(j) > 0.0 { deviation(j) / largest } else { 1.0 });
        let bend = |j: usize| {
            let (lower, upper) = (space.lower()[j].f64(), space.upper()[j].f64());
            let a = match (lower.is_finite(), upper.is_finite()) {
                _ if !space.is_continuous(j) || lower == upper => 0.0,
                (true, true) => STRIP * (upper - lower).min(f64::MAX),
                (false, false) => 0.0,
                _ => STRIP_OF_ONE * deviation(j),
            };
            Bend { lower, upper, a }
        };
        let bends = if bent && !space.is_unbounded() { (0..space.dim()).map(bend).collect() } else { Vec::new() };
        (Chart { scale: scale.collect(), bends }, largest)
    }

    /// Whether it fits a space of so many variables.
    pub(super) fn fits(&self, dim: usize) -> bool {
        self.scale.len() == dim && (self.bends.is_empty() || self.bends.len() == dim)
    }

    /// s.
    pub(super) fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// Multiplies s of variable `j`.
    pub(super) fn stretch(&mut self, j: usize, factor: f64) {
        self.scale[j] *= factor;
    }

    /// Whether the point of `step` lies inside the space, or means what a point inside does.
    pub(super) fn holds<F: Real>(&self, space: &Space<F>, mean: &[f64], unit: f64, step: &[f64]) -> bool {
        let bounds = space.lower().iter().zip(space.upper());
        let point = self.scale.iter().zip(mean).zip(step).map(|((scale, mean), step)| scale * (mean + unit * step));
        point.zip(bounds).enumerate().all(|(j, (t, (lower, upper)))| {
            let [first, last] = self.bends.get(j).map_or([lower.f64(), upper.f64()], Bend::ends);
            first <= t && t <= last || !space.is_continuous(j)
        })
    }

    /// Writes the point of `step` to `x`, inside the space, and corrects the step where the point lies elsewhere now.
    #[inline]
    pub(super) fn place<'a, F: Real>(
        &self,
        space: &Space<F>,
        mean: &[f64],
        unit: f64,
        step: &mut [f64],
        x: &mut [F],
        draws: impl FnOnce() -> Draws<'a>,
    ) -> Placed {
        let (mut finite, mut inside) = (true, true);
        let bounds = space.lower().iter().zip(space.upper());
        for ((((x, scale), mean), step), (lower, upper)) in
            x.iter_mut().zip(&self.scale).zip(mean).zip(&*step).zip(bounds)
        {
            let t = F::of(scale * (mean + unit * step));
            finite &= t.is_finite();
            inside &= *lower <= t && t <= *upper;
            *x = t;
        }
        if finite && !self.bends.is_empty() {
            for (j, (x, bend)) in x.iter_mut().zip(&self.bends).enumerate().filter(|(_, (_, bend))| bend.a > 0.0) {
                // What rounding to the scalar may leave outside is set on the bound.
                *x = F::of(bend.fold(self.scale[j] * (mean[j] + unit * step[j])).max(bend.lower).min(bend.upper));
            }
            inside = space.contains(x);
        }
        if finite && !space.variables().is_empty() {
            space.centre(x);
            inside = space.contains(x);
        }
        if inside && finite {
            return Placed::Inside;
        }
        space.repair(x, 0, &mut draws());
        if x.iter().any(|t| !t.is_finite()) {
            return Placed::Lost;
        }
        if matches!(space.outside(), Outside::Reflect | Outside::Wrap) {
            return Placed::Inside;
        }
        for (j, (step, x)) in step.iter_mut().zip(&*x).enumerate() {
            let t = F::of(self.scale[j] * (mean[j] + unit * *step));
            if t != *x && space.is_continuous(j) {
                *step = (self.inward(j, x.f64()) - mean[j]) / unit;
            }
        }
        Placed::Repaired
    }

    /// The coordinate w of variable `j` at the point's coordinate `x`.
    #[inline]
    pub(super) fn inward(&self, j: usize, x: f64) -> f64 {
        self.bends.get(j).map_or(x, |bend| bend.unfold(x)) / self.scale[j]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    #[test]
    fn deviations_follow_the_width_or_the_law_of_the_start() {
        let space = Space::new(vec![-5.0, 0.0, 3.0, 2.0], vec![5.0, 1.0, f64::INFINITY, 2.0]).unwrap();
        let (chart, sigma) = Chart::new(&space, &Start::Uniform, 0.3, 0.3, false);
        let deviations: Vec<f64> = chart.scale.iter().map(|s| s * sigma).collect();
        assert!(deviations.iter().zip([3.0, 0.3, 1.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-15), "{deviations:?}");
        let (chart, sigma) = Chart::new(&space, &Start::Normal { mean: 0.0, deviation: 0.25 }, 0.2, 0.2, false);
        assert_eq!((sigma, chart.scale[1]), (0.25, 1.0));
    }

    #[test]
    fn a_step_stands_or_leads_to_where_its_point_was_evaluated() {
        for (_, outside) in Outside::ALL {
            let space = Space::new(vec![-5.0, 0.0], vec![5.0, 1.0]).unwrap().with_outside(outside);
            let (chart, _) = Chart::new(&space, &Start::Uniform, 0.3, 0.3, false);
            let (mean, unit, rng) = ([4.0, 2.0], 0.5, Rng::new(1));
            let place = |step: &mut [f64; 2]| {
                let mut x = [0.0; 2];
                let placed = chart.place(&space, &mean, unit, step, &mut x, || rng.row(0));
                assert!(space.contains(&x) || placed == Placed::Lost);
                (placed, x)
            };
            let mut step = [1.0, 3.0];
            let (placed, x) = place(&mut step);
            assert_eq!((placed, x, step), (Placed::Inside, [4.5, 0.35], [1.0, 3.0]));
            let mut step = [4.0, 3.0];
            let (placed, x) = place(&mut step);
            if let Outside::Reflect | Outside::Wrap = outside {
                let back = if outside == Outside::Wrap { -4.0 } else { 4.0 };
                assert_eq!((placed, x, step), (Placed::Inside, [back, 0.35], [4.0, 3.0]));
            } else {
                assert_eq!((placed, step[1]), (Placed::Repaired, 3.0));
                assert!((mean[0] + unit * step[0] - x[0]).abs() < 1e-15 && x[0] < 6.0);
            }
            assert_eq!(place(&mut [f64::NAN, 0.0]).0, Placed::Lost);
        }
    }

    #[test]
    fn a_bent_bound_is_met_with_a_slope_of_zero_and_every_point_has_its_coordinate() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        let space = Space::new(vec![-5.0, 2.0, low, low], vec![5.0, high, 3.0, high]).unwrap();
        let (chart, sigma) = Chart::new(&space, &Start::Uniform, 0.3, 0.3, true);
        assert_eq!(sigma, 3.0);
        assert_eq!(chart.bends.iter().map(|bend| bend.a).collect::<Vec<_>>(), [0.1, 0.05, 0.05, 0.0]);
        let bend = &chart.bends[0];
        for (t, x) in [(-5.1, -5.0), (-5.0, -4.975), (-4.9, -4.9), (0.3, 0.3), (5.0, 4.975), (5.1, 5.0)] {
            assert!((bend.fold(t) - x).abs() < 1e-14 && (bend.unfold(x) - t).abs() < 1e-7, "{x}");
            assert!((bend.fold(10.2 - t) - x).abs() < 1e-13 && (bend.fold(t - 40.8) - x).abs() < 1e-13, "{x}");
        }
        assert_eq!((chart.bends[1].fold(1.95), chart.bends[1].fold(-100.0)), (2.0, 103.9));
        assert_eq!((chart.bends[2].fold(3.05), chart.bends[2].fold(103.05)), (3.0, -96.95));
        // The steps stand, and lead back where they came from.
        let (rng, mean, mut x) = (Rng::new(1), [0.0; 4], [0.0; 4]);
        let mut step: [f64; 4] = std::array::from_fn(|j| [-5.05, 1.98, 3.03, 7.0][j] / chart.scale[j]);
        let before = step;
        let space = space.with_outside(Outside::Reflect);
        assert_eq!(chart.place(&space, &mean, 1.0, &mut step, &mut x, || rng.row(0)), Placed::Inside);
        assert!(space.contains(&x) && step == before);
        assert!((0..4).all(|j| (chart.inward(j, x[j]) - step[j]).abs() < 1e-14), "{x:?}");
        assert!(!chart.holds(&space, &mean, 1.0, &[-5.6 / chart.scale[0], 2.0 / chart.scale[1], 0.0, 0.0]));
        assert!(chart.holds(&space, &mean, 1.0, &before));
    }
}
