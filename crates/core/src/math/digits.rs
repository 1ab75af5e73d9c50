//! The digits of a double.

/// The upper half of the digits: products of two such numbers are exact.
#[inline(always)]
pub(super) const fn upper(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !0x07ff_ffff)
}

/// Adding this rounds to the nearest integer, which then stands in the last bits.
const ROUND: f64 = 1.5 * (1u64 << 52) as f64;

/// The nearest integer, as a number and as an index; below 2^31 in size.
#[inline(always)]
pub(super) fn nearest(x: f64) -> (f64, i32) {
    let shifted = x + ROUND;
    (shifted - ROUND, shifted.to_bits() as i32)
}
