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
}
