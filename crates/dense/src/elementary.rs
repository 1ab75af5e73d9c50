//! Exponentials, sigmoids and hyperbolic tangents of many numbers: in `f32` loops without branches and calls, which the compiler turns
//! into vectors, in `f64` one after the other. The same bits on every processor.

use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::level;
use swarmgrad_core::{ByScalar, Real, math};

/// A function of every number of a slice, for each of the two scalars.
struct OfSlice;

impl ByScalar for OfSlice {
    type Of<F: Real> = fn(&mut [F]);
}

/// 1 / (1 + exp(-x)), relative error below 4e-7 in `f32`; 0 below -87.
pub(crate) fn sigmoid<F: Real>(x: &mut [F]) {
    fn single(x: &mut [f32]) {
        dispatch!(level(), simd => sigmoids(simd, x));
    }
    fn double(x: &mut [f64]) {
        for x in x {
            let e = math::exp(-x.abs());
            *x = if *x < 0.0 { e } else { 1.0 } / (1.0 + e);
        }
    }
    F::choose::<OfSlice>(single, double)(x);
}

/// tanh x, relative error below 4e-7 in `f32`.
pub(crate) fn tanh<F: Real>(x: &mut [F]) {
    fn single(x: &mut [f32]) {
        dispatch!(level(), simd => tanhs(simd, x));
    }
    fn double(x: &mut [f64]) {
        x.iter_mut().for_each(|x| *x = math::tanh(*x));
    }
    F::choose::<OfSlice>(single, double)(x);
}

/// exp(x) of numbers that are not above 0.
pub(crate) fn exp_below<F: Real>(x: &mut [F]) {
    fn single(x: &mut [f32]) {
        dispatch!(level(), simd => exps(simd, x));
    }
    fn double(x: &mut [f64]) {
        x.iter_mut().for_each(|x| *x = math::exp(*x));
    }
    F::choose::<OfSlice>(single, double)(x);
}

/// exp over its sum in each row.
pub(crate) fn softmax<F: Real>(x: &mut [F], columns: usize) {
    for row in x.chunks_exact_mut(columns) {
        let most = row.iter().fold(F::neg_infinity(), |most, &x| most.max(x));
        row.iter_mut().for_each(|x| *x -= most);
    }
    exp_below(x);
    for row in x.chunks_exact_mut(columns) {
        let sum = row.iter().fold(F::zero(), |sum, &x| sum + x);
        row.iter_mut().for_each(|x| *x /= sum);
    }
}

#[simd]
fn sigmoids<S: Simd>(_simd: S, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = sigmoid_of(*x));
}

#[simd]
fn tanhs<S: Simd>(_simd: S, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = tanh_of(*x));
}

#[simd]
fn exps<S: Simd>(_simd: S, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = exp(*x));
}

/// exp(x) for x <= 0 without branches and calls, relative error below 2e-7; 0 below -87, NaN of NaN.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // x = n ln 2 + r with |r| <= ln(2)/2; exp r by its Taylor series to the 7th power, whose rest is below 2e-9.
    let cut = if x < -87.0 { -87.0 } else { x };
    const ROUND: f32 = 12_582_912.0; // 1.5 x 2^23: adding it leaves the nearest whole number in the low bits
    let shifted = cut * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = cut - n * 0.693_359_4 + n * 2.121_944_4e-4; // ln 2 in two parts, so that n ln 2 is exact enough
    let series = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.iter().fold(0.0, |sum, &c| sum * r + c);
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    let value = power * scale;
    if x < -87.0 { 0.0 } else { value }
}

/// What [`sigmoid`] does to one number.
#[inline(always)]
pub(crate) fn sigmoid_of(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// What [`tanh`] does to one number.
#[inline(always)]
pub(crate) fn tanh_of(x: f32) -> f32 {
    let size = x.abs();
    let e = exp(-2.0 * size);
    let far = (1.0 - e) / (1.0 + e);
    // Near 0 that loses digits; the Taylor series to the 11th power, whose rest is below 2e-8 of it.
    let s = size * size;
    let series = [-1382.0 / 155_925.0, 62.0 / 2835.0, -17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0];
    let near = size * series.iter().fold(0.0, |sum, &c| sum * s + c);
    (if size < 0.35 { near } else { far }).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_as_exact_as_it_says() {
        for k in 0..=870_000 {
            let x = -(k as f32) * 1e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "exp({x}) = {} instead of {exact}", exp(x));
        }
        assert_eq!((exp(0.0), exp(-88.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert!(exp(f32::NAN).is_nan());
    }

    /// The largest relative error of a function of slices against one in double precision.
    fn error(ours: fn(&mut [f32]), exact: fn(f64) -> f64) -> f64 {
        let at: Vec<f32> = (-80_000..=80_000).map(|k| k as f32 * 1e-3).chain([1e-20, -1e-30]).collect();
        let mut values = at.clone();
        ours(&mut values);
        let errors = at.iter().zip(&values).filter(|(x, _)| **x != 0.0);
        errors.map(|(&x, &y)| (f64::from(y) / exact(x.into()) - 1.0).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn sigmoid_and_tanh_are_as_exact_as_they_say() {
        assert!(
            error(sigmoid, |x| 1.0 / (1.0 + (-x).exp())) < 4e-7,
            "{}",
            error(sigmoid, |x| 1.0 / (1.0 + (-x).exp()))
        );
        assert!(error(tanh, f64::tanh) < 4e-7, "{}", error(tanh, f64::tanh));
        let mut ends = [0.0f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        tanh(&mut ends);
        assert!(ends[1].is_nan());
        assert_eq!([ends[0], ends[2], ends[3]], [0.0, 1.0, -1.0]);
        let mut ends = [0.0f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        sigmoid(&mut ends);
        assert!(ends[1].is_nan());
        assert_eq!([ends[0], ends[2], ends[3]], [0.5, 1.0, 0.0]);
    }
}
