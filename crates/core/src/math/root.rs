//! Cube root: that of single precision and one step of Halley's, whose residual is exact. Results are within 0.51 units in the
//! last place.

use super::digits::upper;

/// The power of two with this exponent.
#[inline(always)]
fn two(exponent: i64) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

#[inline]
pub(super) fn cbrt(x: f64) -> f64 {
    let size = x.abs();
    if (f64::MIN_POSITIVE..f64::INFINITY).contains(&size) {
        normal(size).copysign(x)
    } else if size > 0.0 && size < f64::INFINITY {
        (normal(size * two(54)) * two(-18)).copysign(x)
    } else {
        x
    }
}

/// The root of a positive normal number.
#[inline(always)]
fn normal(x: f64) -> f64 {
    let third = ((x.to_bits() >> 52) as i64 - 1023).div_euclid(3);
    // Between 1 and 8; 2^(-3 third) is a normal number.
    let part = x * two(-third) * two(-2 * third);
    let root = f64::from(libm::cbrtf(part as f32));
    let square = root * root;
    let high = upper(square);
    let over = (high * root - part) + (square - high) * root;
    (root - root * over / (2.0 * square * root + part)) * two(third)
}
