//! Scalar: what the formula of a move needs of a number, so that a plain number and one that carries derivatives will do.

use crate::Real;
use crate::math::Transcendental;
use num_traits::float::FloatCore;
use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number in a formula: every [`Real`], and numbers that carry derivatives along.
///
/// The kernels of the methods are written over it once; what decides between branches is the value alone. For `f32` and
/// `f64` every function here is the one of the type itself, bit by bit.
pub trait Scalar:
    Copy
    + Debug
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A constant, the nearest representable one.
    fn of(value: f64) -> Self;
    /// The value alone.
    fn f64(self) -> f64;
    /// e^x.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// x^p for x >= 0.
    fn powf(self, p: Self) -> Self;
    /// 1 / x.
    fn recip(self) -> Self;
    /// |x|, with derivative 1 at 0.
    fn abs(self) -> Self;
    /// The value of `hard` with the derivatives of `soft`, which is not computed where there are none.
    fn straight_through(hard: Self, soft: impl FnOnce() -> Self) -> Self;

    /// 0.
    #[inline(always)]
    fn zero() -> Self {
        Self::of(0.0)
    }

    /// 1.
    #[inline(always)]
    fn one() -> Self {
        Self::of(1.0)
    }

    /// The larger of the two, `self` where they are equal.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self < other { other } else { self }
    }

    /// Whether the value is neither infinite nor NaN.
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.f64().is_finite()
    }
}

impl<F: Real> Scalar for F {
    #[inline(always)]
    fn of(value: f64) -> Self {
        <F as Real>::of(value)
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        <F as Real>::f64(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        Transcendental::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Transcendental::ln(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Real::sqrt(self)
    }
    #[inline(always)]
    fn powf(self, p: Self) -> Self {
        Transcendental::powf(self, p)
    }
    #[inline(always)]
    fn recip(self) -> Self {
        FloatCore::recip(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        FloatCore::abs(self)
    }
    #[inline(always)]
    fn straight_through(hard: Self, _soft: impl FnOnce() -> Self) -> Self {
        hard
    }
    #[inline(always)]
    fn zero() -> Self {
        num_traits::Zero::zero()
    }
    #[inline(always)]
    fn one() -> Self {
        num_traits::One::one()
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        FloatCore::max(self, other)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        FloatCore::is_finite(self)
    }
}
