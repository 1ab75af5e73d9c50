//! Numbers as unevaluated sums of two doubles, 106 bits: what the tables are computed with when the crate is compiled.

use super::digits::upper;

/// `hi + lo`, where `lo` is less than half a unit in the last place of `hi`.
#[derive(Clone, Copy)]
pub(super) struct DoubleDouble {
    pub(super) hi: f64,
    pub(super) lo: f64,
}

impl DoubleDouble {
    /// The natural logarithm of 2.
    pub(super) const LN_2: Self = Self { hi: std::f64::consts::LN_2, lo: 2.319_046_813_846_299_6e-17 };

    pub(super) const fn of(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }

    /// The sum, exactly.
    const fn sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        let rest = hi - a;
        Self { hi, lo: (a - (hi - rest)) + (b - rest) }
    }

    /// The product, exactly (Dekker).
    const fn product(a: f64, b: f64) -> Self {
        let (a1, b1) = (upper(a), upper(b));
        let (a2, b2) = (a - a1, b - b1);
        let hi = a * b;
        Self { hi, lo: ((a1 * b1 - hi) + a1 * b2 + a2 * b1) + a2 * b2 }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        let (hi, lo) = (Self::sum(self.hi, other.hi), Self::sum(self.lo, other.lo));
        let first = Self::sum(hi.hi, hi.lo + lo.hi);
        Self::sum(first.hi, first.lo + lo.lo)
    }

    pub(super) const fn times(self, other: Self) -> Self {
        let hi = Self::product(self.hi, other.hi);
        Self::sum(hi.hi, hi.lo + (self.hi * other.lo + self.lo * other.hi))
    }

    pub(super) const fn over(self, other: Self) -> Self {
        let first = self.hi / other.hi;
        let rest = self.plus(other.times(Self::of(-first)));
        let second = rest.hi / other.hi;
        let rest = rest.plus(other.times(Self::of(-second)));
        Self::sum(first, second).plus(Self::of(rest.hi / other.hi))
    }
}
