//! Dual numbers: a value and its derivatives along `K` directions, carried forward through any formula.
//!
//! ```text
//! (a + a' e) (b + b' e) = a b + (a b' + a' b) e,   e e = 0
//! ```

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};
use swarmgrad_core::{Scalar, math};

/// A value and `K` derivatives. Comparisons look at the value alone.
///
/// ```
/// use swarmgrad_core::Scalar;
/// use swarmgrad_diff::Dual;
/// let x = Dual::<1>::variable(3.0, 0);
/// let y = x * x + Dual::of(1.0);
/// assert_eq!((y.value, y.slopes), (10.0, [6.0]));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Dual<const K: usize> {
    /// The value.
    pub value: f64,
    /// The derivatives.
    pub slopes: [f64; K],
}

impl<const K: usize> Dual<K> {
    /// The variable of direction `k`.
    pub fn variable(value: f64, k: usize) -> Self {
        let mut slopes = [0.0; K];
        slopes[k] = 1.0;
        Dual { value, slopes }
    }

    /// The value `value`, whose derivative is `slope` times that of self.
    #[inline(always)]
    fn chain(self, value: f64, slope: f64) -> Self {
        Dual { value, slopes: self.slopes.map(|t| slope * t) }
    }

    /// The same for x^p, where an infinite x has no influence at all if its factor is 0.
    #[inline(always)]
    fn join_flat(self, other: Self, value: f64, [a, b]: [f64; 2]) -> Self {
        let term = |factor: f64, slope: f64| if factor == 0.0 { 0.0 } else { factor * slope };
        Dual { value, slopes: std::array::from_fn(|k| term(a, self.slopes[k]) + term(b, other.slopes[k])) }
    }

    #[inline(always)]
    fn join(self, other: Self, value: f64, [a, b]: [f64; 2]) -> Self {
        Dual { value, slopes: std::array::from_fn(|k| a * self.slopes[k] + b * other.slopes[k]) }
    }
}

impl<const K: usize> PartialEq for Dual<K> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<const K: usize> PartialOrd for Dual<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<const K: usize> Add for Dual<K> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.join(other, self.value + other.value, [1.0, 1.0])
    }
}

impl<const K: usize> Sub for Dual<K> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.join(other, self.value - other.value, [1.0, -1.0])
    }
}

impl<const K: usize> Mul for Dual<K> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.join(other, self.value * other.value, [other.value, self.value])
    }
}

impl<const K: usize> Div for Dual<K> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        self.join(other, quotient, [other.value.recip(), -quotient / other.value])
    }
}

impl<const K: usize> Neg for Dual<K> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

impl<const K: usize> Scalar for Dual<K> {
    fn of(value: f64) -> Self {
        Dual { value, slopes: [0.0; K] }
    }
    fn f64(self) -> f64 {
        self.value
    }
    fn exp(self) -> Self {
        let value = math::exp(self.value);
        self.chain(value, value)
    }
    fn ln(self) -> Self {
        self.chain(math::ln(self.value), self.value.recip())
    }
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.chain(value, 0.5 / value)
    }
    fn powf(self, p: Self) -> Self {
        let (x, value) = (self.value, math::powf(self.value, p.value));
        // At x = 0 and at infinity the exponent does not matter, as long as the power is 0.
        let by_exponent = if value == 0.0 { 0.0 } else { value * math::ln(x) };
        self.join_flat(p, value, [p.value * math::powf(x, p.value - 1.0), by_exponent])
    }
    fn recip(self) -> Self {
        let value = self.value.recip();
        self.chain(value, -value * value)
    }
    fn abs(self) -> Self {
        self.chain(self.value.abs(), if self.value < 0.0 { -1.0 } else { 1.0 })
    }
    fn straight_through(hard: Self, soft: impl FnOnce() -> Self) -> Self {
        Dual { value: hard.value, slopes: soft().slopes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_its_derivative() {
        type Case = (&'static str, fn(f64) -> f64, fn(Dual<1>) -> Dual<1>);
        let cases: [Case; 8] = [
            ("exp", f64::exp, Dual::exp),
            ("ln", f64::ln, Dual::ln),
            ("sqrt", f64::sqrt, Dual::sqrt),
            ("recip", f64::recip, Dual::recip),
            ("abs", |x| (x - 2.0).abs(), |x| (x - Dual::of(2.0)).abs()),
            ("base", |x| x.powf(1.7), |x| x.powf(Dual::of(1.7))),
            ("exponent", |x| 1.7f64.powf(x), |x| Dual::of(1.7).powf(x)),
            ("quotient", |x| (x * x - 3.0) / (x + 1.0), |x| (x * x - Dual::of(3.0)) / (x + Dual::of(1.0))),
        ];
        for (name, plain, dual) in cases {
            for x in [0.3, 1.1, 3.7] {
                let h = 1e-6;
                let quotient = (plain(x + h) - plain(x - h)) / (2.0 * h);
                let y = dual(Dual::variable(x, 0));
                assert!((y.value - plain(x)).abs() < 1e-15 * (1.0 + y.value.abs()), "{name} at {x}");
                assert!(
                    (y.slopes[0] - quotient).abs() < 1e-8 * (1.0 + quotient.abs()),
                    "{name} at {x}: {y:?} {quotient}"
                );
            }
        }
    }
}
