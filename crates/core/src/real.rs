//! The two scalars: `f32` and `f64`.

use crate::math::Transcendental;
use crate::simd::Normals;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::{Debug, Display};
use std::iter::Sum;

/// A point's coordinate and a problem's value: `f32` or `f64`. Sealed: the random kernels exist for these two.
///
/// Parameters of methods are always `f64`; [`Real::of`] brings them down to the working precision.
pub trait Real:
    num_traits::float::FloatCore
    + num_traits::NumAssign
    + Transcendental
    + Normals
    + Sum
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + Serialize
    + DeserializeOwned
    + 'static
{
    /// The nearest representable value.
    fn of(value: f64) -> Self;
    /// The value as `f64`, exactly.
    fn f64(self) -> f64;
    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The one of the two that belongs to this scalar: how a table that holds a thing for both serves generic code.
    ///
    /// ```
    /// use swarmgrad_core::{ByScalar, Real};
    ///
    /// struct Digits;
    /// impl ByScalar for Digits {
    ///     type Of<F: Real> = fn(F) -> String;
    /// }
    ///
    /// fn show<F: Real>(value: F) -> String {
    ///     F::choose::<Digits>(|t| format!("{t:.6}"), |t| format!("{t:.15}"))(value)
    /// }
    /// assert_eq!((show(0.5f32), show(0.5f64)), ("0.500000".into(), "0.500000000000000".into()));
    /// ```
    fn choose<T: ByScalar>(single: T::Of<f32>, double: T::Of<f64>) -> T::Of<Self>;
}

/// A kind of thing there is for each of the two scalars.
pub trait ByScalar {
    /// The type that belongs to a scalar.
    type Of<F: Real>;
}

impl Real for f32 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn choose<T: ByScalar>(single: T::Of<f32>, _double: T::Of<f64>) -> T::Of<Self> {
        single
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn choose<T: ByScalar>(_single: T::Of<f32>, double: T::Of<f64>) -> T::Of<Self> {
        double
    }
}
