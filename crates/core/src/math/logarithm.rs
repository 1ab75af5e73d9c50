//! Logarithms and powers. A number is 2^k z; near z the table holds a short reciprocal and its logarithm, so that only
//! ln(1 + r) with |r| < 2^-7 is left. The logarithm comes as a sum of two doubles, good to 67 bits: powers need that.
//! Results are within 0.51 units in
//! the last place.

use super::digits::upper;
use super::double_double::DoubleDouble;
use super::exponential::{exp, exp_sum};
use std::ops::Range;

const SLICES: usize = 128;
/// The middle of the first slice; z lies from half a slice below it to half a slice below twice it.
const FIRST: u64 = 0.75f64.to_bits();
/// From the number of a slice to the bits of its middle.
const SLICE: u32 = 52 - SLICES.trailing_zeros();
/// Half a slice.
const HALF: u64 = 1 << (SLICE - 1);

/// The bits of the positive normal numbers.
const NORMAL: Range<u64> = f64::MIN_POSITIVE.to_bits()..f64::INFINITY.to_bits();

/// ln(2) in two parts; the first has so few digits that its products with an exponent are exact, and so are their sums with
/// the first parts of the table.
const LN_2: [f64; 2] = split(DoubleDouble::LN_2);

/// For each slice: its reciprocal, in 12 bits, and minus the logarithm of that in two parts.
static TABLE: [[f64; 3]; SLICES] = {
    let mut table = [[0.0; 3]; SLICES];
    let mut i = 0;
    while i < SLICES {
        let middle = f64::from_bits(FIRST + ((i as u64) << SLICE));
        let inverse = (2048.0 / middle + 0.5) as u64 as f64 / 2048.0;
        let [high, low] = split(minus_ln(inverse));
        table[i] = [inverse, high, low];
        i += 1;
    }
    table
};

/// -ln(v) = 2 artanh((1 - v) / (1 + v)); for 2/3 <= v <= 4/3 the 25th term of the series is below 2^-118.
const fn minus_ln(v: f64) -> DoubleDouble {
    let s = DoubleDouble::of(1.0 - v).over(DoubleDouble::of(1.0 + v));
    let square = s.times(s);
    let mut power = s;
    let mut sum = s;
    let mut n = 1;
    while n <= 25 {
        power = power.times(square);
        sum = sum.plus(power.over(DoubleDouble::of((2 * n + 1) as f64)));
        n += 1;
    }
    sum.plus(sum)
}

/// The multiple of 2^-42 nearest to a number, and the rest.
const fn split(x: DoubleDouble) -> [f64; 2] {
    let round = 1.5 * 1024.0;
    let high = (x.hi + round) - round;
    [high, x.plus(DoubleDouble::of(-high)).hi]
}

/// A number without its exponent and its slice: its logarithm is `base + small + ln(1 + r)`.
struct Reduced {
    /// A multiple of 2^-42, and zero or far above `r`.
    base: f64,
    /// What `base` lacks, and what `r` does.
    small: f64,
    r: f64,
    r_rest: f64,
}

/// The positive normal number with these bits, less `low` exponents.
#[inline(always)]
fn reduced(bits: u64, low: f64) -> Reduced {
    let above = bits.wrapping_sub(FIRST - HALF);
    let [inverse, high, rest] = TABLE[(above >> SLICE) as usize % SLICES];
    let k = (above as i64 >> 52) as f64 - low;
    let z = f64::from_bits(bits.wrapping_sub(above & !0 << 52));

    // r + r_rest = z inverse - 1, exactly: the products have few enough digits.
    let z_high = f64::from_bits(z.to_bits() & !0 << 21);
    let (a, b) = (z_high * inverse - 1.0, (z - z_high) * inverse);
    let r = a + b;
    let r_rest = b - (r - a);
    Reduced { base: k * LN_2[0] + high, small: k * LN_2[1] + rest + r_rest, r, r_rest }
}

/// The bits of a number that has a finite logarithm, and the exponents to be taken off; else its logarithm.
#[inline(always)]
fn finite(x: f64) -> Result<(u64, f64), f64> {
    if NORMAL.contains(&x.to_bits()) { Ok((x.to_bits(), 0.0)) } else { rare(x) }
}

#[cold]
fn rare(x: f64) -> Result<(u64, f64), f64> {
    match x {
        0.0 => Err(f64::NEG_INFINITY),
        _ if x > 0.0 && x < f64::INFINITY => Ok(((x * (1u64 << 52) as f64).to_bits(), 52.0)),
        _ if x < 0.0 => Err(f64::NAN),
        _ => Err(x),
    }
}

#[inline]
pub(super) fn ln(x: f64) -> f64 {
    let (bits, low) = match finite(x) {
        Ok(found) => found,
        Err(value) => return value,
    };
    let Reduced { base, small, r, .. } = reduced(bits, low);
    let sum = base + r;
    let lost = (base - sum) + r;
    let r2 = r * r;
    let series = (r * (1.0 / 3.0) - 0.5) + r2 * ((r * 0.2 - 0.25) + r2 * ((r * (1.0 / 7.0) - 1.0 / 6.0) - r2 * 0.125));
    sum + (lost + small + r2 * series)
}

/// The natural logarithm as a sum whose second part is 2^-16 of the first at most.
#[inline(always)]
fn ln_sum(bits: u64, low: f64) -> (f64, f64) {
    let Reduced { base, small, r, r_rest } = reduced(bits, low);
    let first = base + r;
    let lost = (base - first) + r;
    // r^2 / 2: exactly for the upper half of the digits of r.
    let r_high = upper(r);
    let square = 0.5 * r_high * r_high;
    let sum = first - square;
    let lost = lost + ((first - sum) - square) - (0.5 * (r - r_high) * (r + r_high) + r * r_rest);
    let r2 = r * r;
    let series =
        (1.0 / 3.0 - r * 0.25) + r2 * ((0.2 - r * (1.0 / 6.0)) + r2 * ((1.0 / 7.0 - r * 0.125) + r2 * (1.0 / 9.0)));
    (sum, lost + small + r * r2 * series)
}

/// The logarithm to another base, given the reciprocal of that base's as a sum.
#[inline(always)]
fn ln_times(x: f64, scale: f64, scale_rest: f64) -> f64 {
    let (bits, low) = match finite(x) {
        Ok(found) => found,
        Err(value) => return value,
    };
    let (sum, rest) = ln_sum(bits, low);
    let (first, second) = product(sum, rest, scale);
    first + (second + sum * scale_rest)
}

#[inline]
pub(super) fn log2(x: f64) -> f64 {
    ln_times(x, std::f64::consts::LOG2_E, 2.035_527_374_093_103_3e-17)
}

#[inline]
pub(super) fn log10(x: f64) -> f64 {
    ln_times(x, std::f64::consts::LOG10_E, 1.098_319_650_216_765e-17)
}

/// `(sum + rest) y` as a sum whose second part is 2^-25 of the first at most.
#[inline(always)]
fn product(sum: f64, rest: f64, y: f64) -> (f64, f64) {
    let a = sum + rest;
    let rest = (sum - a) + rest;
    let (a_high, y_high) = (upper(a), upper(y));
    (a_high * y_high, a_high * (y - y_high) + ((a - a_high) + rest) * y)
}

#[inline]
pub(super) fn pow(x: f64, y: f64) -> f64 {
    if NORMAL.contains(&x.to_bits()) && y.abs() < f64::INFINITY {
        ordinary_pow(x.to_bits(), 0.0, y)
    } else {
        rare_pow(x, y)
    }
}

/// In single precision one double is enough for the logarithm.
#[inline]
pub(super) fn powf(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    let value = if NORMAL.contains(&x.to_bits()) && y.abs() < f64::INFINITY { exp(y * ln(x)) } else { rare_pow(x, y) };
    value as f32
}

/// The power of the positive number with these bits, less `low` exponents.
#[inline(always)]
fn ordinary_pow(bits: u64, low: f64, y: f64) -> f64 {
    let (sum, rest) = ln_sum(bits, low);
    let (exponent, rest) = product(sum, rest, y);
    exp_sum(exponent, rest)
}

/// Zeros, infinities, NaN, negative and subnormal bases: C's rules.
#[cold]
fn rare_pow(x: f64, y: f64) -> f64 {
    let (whole, odd) = (y.trunc() == y, y.abs() < (1u64 << 53) as f64 && y % 2.0 != 0.0);
    let size = x.abs();
    if y == 0.0 || x == 1.0 {
        1.0
    } else if x.is_nan() || y.is_nan() {
        x + y
    } else if y.is_infinite() {
        match size {
            1.0 => 1.0,
            _ if (size > 1.0) == (y > 0.0) => f64::INFINITY,
            _ => 0.0,
        }
    } else if x < 0.0 && size < f64::INFINITY && !whole {
        f64::NAN
    } else {
        let value = if size == 0.0 || size == f64::INFINITY {
            if y > 0.0 { size } else { 1.0 / size }
        } else if size < f64::MIN_POSITIVE {
            ordinary_pow((size * (1u64 << 52) as f64).to_bits(), 52.0, y)
        } else {
            ordinary_pow(size.to_bits(), 0.0, y)
        };
        if x.is_sign_negative() && whole && odd { -value } else { value }
    }
}
