//! Space: bounds for each variable, and what to do outside them.

use crate::{Draws, Error, Real, Result, Variable};
use serde::{Deserialize, Serialize};

/// What becomes of a coordinate that left its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// Set to the nearest bound.
    #[default]
    Clamp,
    /// Mirrored at the bound, as often as needed.
    Reflect,
    /// Re-entered at the opposite bound (a torus).
    Wrap,
    /// Drawn anew, uniformly between the bounds.
    Resample,
}

impl Outside {
    /// Every choice with its name, as users write it.
    pub const ALL: [(&'static str, Outside); 4] = [
        ("clamp", Outside::Clamp),
        ("reflect", Outside::Reflect),
        ("wrap", Outside::Wrap),
        ("resample", Outside::Resample),
    ];
}

/// A box: lower and upper bound of each variable, either of which may be infinite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Written<F>")]
pub struct Space<F: Real = f64> {
    lower: Vec<F>,
    upper: Vec<F>,
    outside: Option<Outside>,
    /// What the coordinates mean; empty where they are themselves.
    variables: Vec<Variable>,
}

/// A space as it is read back, before its bounds are known to be bounds.
#[derive(Deserialize)]
#[serde(bound = "")]
struct Written<F: Real> {
    lower: Vec<F>,
    upper: Vec<F>,
    outside: Option<Outside>,
    variables: Vec<Variable>,
}

impl<F: Real> TryFrom<Written<F>> for Space<F> {
    type Error = Error;

    fn try_from(Written { lower, upper, outside, variables }: Written<F>) -> Result<Self> {
        let space = if variables.is_empty() { Space::new(lower, upper)? } else { Space::of(variables)? };
        Ok(Space { outside, ..space })
    }
}

impl<F: Real> Space<F> {
    /// Bounds of each variable. Errors if the lengths differ, the space is empty, a bound is NaN, or lower > upper.
    pub fn new(lower: Vec<F>, upper: Vec<F>) -> Result<Self> {
        if lower.is_empty() {
            return Err(Error::parameter("dim", 0, "must be at least 1"));
        }
        if upper.len() != lower.len() {
            return Err(Error::shape("upper bounds", upper.len(), lower.len()));
        }
        for (j, (&lo, &hi)) in lower.iter().zip(&upper).enumerate() {
            if lo.is_nan() || hi.is_nan() || lo > hi || lo == F::infinity() || hi == F::neg_infinity() {
                let rule = "the lower bound must be a number not above the upper bound";
                return Err(Error::parameter(format!("bounds[{j}]"), format!("{lo}:{hi}"), rule));
            }
        }
        Ok(Space { lower, upper, outside: None, variables: Vec::new() })
    }

    /// The same bounds for all `dim` variables.
    pub fn cube(dim: usize, lower: F, upper: F) -> Result<Self> {
        Space::new(vec![lower; dim], vec![upper; dim])
    }

    /// All of R^dim.
    pub fn unbounded(dim: usize) -> Result<Self> {
        Space::cube(dim, F::neg_infinity(), F::infinity())
    }

    /// The same box, whose coordinates are those of these variables.
    pub(crate) fn with_variables(self, variables: Vec<Variable>) -> Self {
        Space { variables, ..self }
    }

    /// The typed variables; none where every coordinate is a number between its bounds.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The same space with a chosen treatment of points outside it.
    pub fn with_outside(mut self, outside: Outside) -> Self {
        self.outside = Some(outside);
        self
    }

    /// The same space with the treatment that a method prefers, where none was chosen.
    pub fn or_outside(mut self, usual: Outside) -> Self {
        self.outside = self.outside.or(Some(usual));
        self
    }

    /// A number between the bounds of variable `j`, brought into the middle fifth in the same proportion; itself where a bound is
    /// missing.
    pub fn middle_fifth(&self, j: usize, t: F) -> F {
        let middle = F::of(0.5) * self.lower[j] + F::of(0.5) * self.upper[j];
        if middle.is_finite() { middle + F::of(0.2) * (t - middle) } else { t }
    }

    /// What was chosen to become of points outside, if anything was.
    pub fn chosen_outside(&self) -> Option<Outside> {
        self.outside
    }

    /// Number of coordinates: that of the variables, unless some are choices or fixed.
    pub fn dim(&self) -> usize {
        self.lower.len()
    }

    /// Lower bounds, one a variable.
    pub fn lower(&self) -> &[F] {
        &self.lower
    }

    /// Upper bounds, one a variable.
    pub fn upper(&self) -> &[F] {
        &self.upper
    }

    /// What becomes of points outside; clamped where nothing was chosen.
    pub fn outside(&self) -> Outside {
        self.outside.unwrap_or_default()
    }

    /// Width of variable `j`; infinite where a bound is.
    pub fn width(&self, j: usize) -> F {
        self.upper[j] - self.lower[j]
    }

    /// Whether every bound is finite.
    pub fn is_bounded(&self) -> bool {
        self.lower.iter().chain(&self.upper).all(|b| b.is_finite())
    }

    /// Whether no variable has a finite bound, so that [`Space::repair`] has nothing to do.
    pub fn is_unbounded(&self) -> bool {
        self.lower.iter().chain(&self.upper).all(|b| b.is_infinite())
    }

    /// Whether `x` is inside (the bounds belong to the space; NaN is outside).
    pub fn contains(&self, x: &[F]) -> bool {
        x.len() == self.dim() && x.iter().zip(&self.lower).zip(&self.upper).all(|((&t, &lo), &hi)| lo <= t && t <= hi)
    }

    /// Moves every coordinate of a point to the nearest one inside; NaN is left alone. A weighted mean of points inside may lie a rounding
    /// outside.
    ///
    /// ```
    /// let space = swarmgrad_core::Space::cube(2, -1.0, 1.0)?;
    /// let mut x = [0.5, 1.0000000000000002];
    /// space.clamp(&mut x);
    /// assert_eq!(x, [0.5, 1.0]);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn clamp(&self, x: &mut [F]) {
        let bounds = self.lower.iter().zip(&self.upper);
        x.iter_mut().zip(bounds).for_each(|(t, (&lo, &hi))| *t = nearest(*t, lo, hi));
    }

    /// Brings the coordinates `x`, which are the variables `from..from + x.len()` of a point, back inside. A NaN
    /// coordinate is left alone. `draws` serves [`Outside::Resample`]; half-infinite variables are clamped where
    /// wrapping or resampling has no meaning.
    pub fn repair(&self, x: &mut [F], from: usize, draws: &mut Draws<'_>) {
        let bounds = self.lower[from..from + x.len()].iter().zip(&self.upper[from..]);
        match self.outside() {
            Outside::Clamp => x.iter_mut().zip(bounds).for_each(|(t, (&lo, &hi))| *t = nearest(*t, lo, hi)),
            Outside::Reflect => x.iter_mut().zip(bounds).for_each(|(t, (&lo, &hi))| *t = reflect(*t, lo, hi)),
            Outside::Wrap => x.iter_mut().zip(bounds).for_each(|(t, (&lo, &hi))| *t = wrap(*t, lo, hi)),
            Outside::Resample => x.iter_mut().zip(bounds).for_each(|(t, (&lo, &hi))| {
                if *t < lo || *t > hi {
                    let u = F::of(draws.uniform());
                    *t = if (hi - lo).is_finite() { (lo + u * (hi - lo)).min(hi) } else { t.max(lo).min(hi) };
                }
            }),
        }
    }
}

/// The nearest number from `lo` to `hi`. Branch-free, and NaN stays NaN: both comparisons are false.
#[inline(always)]
fn nearest<F: Real>(t: F, lo: F, hi: F) -> F {
    let t = if t < lo { lo } else { t };
    if t > hi { hi } else { t }
}

/// `t` mirrored at `lo` and `hi` until it lies between them.
fn reflect<F: Real>(t: F, lo: F, hi: F) -> F {
    if t >= lo && t <= hi || t.is_nan() {
        return t;
    }
    let width = hi - lo;
    if width == F::zero() || t.is_infinite() {
        return t.max(lo).min(hi);
    }
    if width.is_infinite() {
        return if t < lo { lo + (lo - t) } else { hi - (t - hi) };
    }
    let two = width + width;
    let offset = (t - lo) - ((t - lo) / two).floor() * two;
    let mirrored = if offset > width { hi - (offset - width) } else { lo + offset };
    mirrored.max(lo).min(hi)
}

/// `t` moved by a whole number of widths until it lies between `lo` and `hi`.
fn wrap<F: Real>(t: F, lo: F, hi: F) -> F {
    if t >= lo && t <= hi || t.is_nan() {
        return t;
    }
    let width = hi - lo;
    if width == F::zero() || width.is_infinite() || t.is_infinite() {
        return t.max(lo).min(hi);
    }
    (t - ((t - lo) / width).floor() * width).max(lo).min(hi)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use proptest::prelude::*;

    fn repaired(t: f64, lo: f64, hi: f64, outside: Outside) -> f64 {
        let space = Space::cube(1, lo, hi).unwrap().with_outside(outside);
        let (mut x, rng) = ([t], Rng::new(1));
        space.repair(&mut x, 0, &mut rng.row(0));
        x[0]
    }

    #[test]
    fn each_choice_does_what_it_says() {
        assert_eq!(repaired(7.0, -1.0, 2.0, Outside::Clamp), 2.0);
        assert_eq!(repaired(2.5, -1.0, 2.0, Outside::Reflect), 1.5);
        assert_eq!(repaired(7.0, -1.0, 2.0, Outside::Reflect), 1.0);
        assert_eq!(repaired(-1.5, -1.0, 2.0, Outside::Reflect), -0.5);
        assert_eq!(repaired(2.5, -1.0, 2.0, Outside::Wrap), -0.5);
        assert_eq!(repaired(-3.0, 0.0, f64::INFINITY, Outside::Reflect), 3.0);
        assert_eq!(repaired(-3.0, 0.0, f64::INFINITY, Outside::Resample), 0.0);
        for (_, outside) in Outside::ALL {
            assert!(repaired(f64::NAN, 0.0, 1.0, outside).is_nan());
            assert_eq!(repaired(0.25, 0.0, 1.0, outside), 0.25);
            assert_eq!(repaired(9.0, 3.0, 3.0, outside), 3.0);
        }
    }

    #[test]
    fn what_was_chosen_stays() {
        let space = Space::cube(1, -1.0, 2.0).unwrap();
        assert_eq!(space.outside(), Outside::Clamp);
        let space = space.or_outside(Outside::Reflect);
        assert_eq!(space.outside(), Outside::Reflect);
        assert_eq!(space.with_outside(Outside::Clamp).or_outside(Outside::Wrap).outside(), Outside::Clamp);
    }

    #[test]
    fn bad_bounds_are_named() {
        let error = Space::new(vec![0.0, 2.0], vec![1.0, 1.0]).unwrap_err().to_string();
        assert_eq!(error, "bounds[1] = 2:1: the lower bound must be a number not above the upper bound");
        assert!(Space::cube(2, f64::NAN, 1.0).is_err());
        assert!(Space::cube(0, 0.0, 1.0).is_err());
        assert!(Space::new(vec![0.0], vec![1.0, 2.0]).is_err());
        assert!(Space::cube(1, f64::INFINITY, f64::INFINITY).is_err());
    }

    proptest! {
        #[test]
        fn repaired_points_are_inside(t in -1e6..1e6f64, lo in -10.0..10.0f64, width in 0.0..10.0f64) {
            for (_, outside) in Outside::ALL {
                let x = repaired(t, lo, lo + width, outside);
                prop_assert!(lo <= x && x <= lo + width, "{outside:?} left {x}");
            }
        }
    }
}
