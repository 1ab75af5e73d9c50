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
//! A variable that is not continuous has no outside: what a coordinate means beyond its bounds is what it means at the bound, and
//! its step stands.

use serde::{Deserialize, Serialize};
use swarmgrad_core::{Draws, Outside, Real, Space, Start};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Chart {
    scale: Vec<f64>,
}

/// What became of a step on its way into the space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    pub(super) fn new<F: Real>(space: &Space<F>, start: &Start, spread: f64, usual: f64) -> (Self, f64) {
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
        (Chart { scale: scale.collect() }, largest)
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
        let inside = |t: f64, (lower, upper): (&F, &F)| lower.f64() <= t && t <= upper.f64();
        point.zip(bounds).enumerate().all(|(j, (t, bounds))| inside(t, bounds) || !space.is_continuous(j))
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
        x / self.scale[j]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    #[test]
    fn deviations_follow_the_width_or_the_law_of_the_start() {
        let space = Space::new(vec![-5.0, 0.0, 3.0, 2.0], vec![5.0, 1.0, f64::INFINITY, 2.0]).unwrap();
        let (chart, sigma) = Chart::new(&space, &Start::Uniform, 0.3, 0.3);
        let deviations: Vec<f64> = chart.scale.iter().map(|s| s * sigma).collect();
        assert!(deviations.iter().zip([3.0, 0.3, 1.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-15), "{deviations:?}");
        let (chart, sigma) = Chart::new(&space, &Start::Normal { mean: 0.0, deviation: 0.25 }, 0.2, 0.2);
        assert_eq!((sigma, chart.scale[1]), (0.25, 1.0));
    }

    #[test]
    fn a_step_stands_or_leads_to_where_its_point_was_evaluated() {
        for (_, outside) in Outside::ALL {
            let space = Space::new(vec![-5.0, 0.0], vec![5.0, 1.0]).unwrap().with_outside(outside);
            let (chart, _) = Chart::new(&space, &Start::Uniform, 0.3, 0.3);
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
}
