//! e^x and 2^x: a power of 2^(1/128) from a table times a polynomial of what is left. Results are within 0.51 units in the last
//! place; below the smallest normal number, where they are rounded twice, within 0.75.

use super::digits::nearest;
use super::double_double::DoubleDouble;

/// Steps from one power of two to the next.
const STEPS: usize = 128;

/// ln(2) / 128 in two parts; the first has so few digits that its products with a number of steps are exact.
const STEP: [f64; 2] = {
    let high = f64::from_bits((std::f64::consts::LN_2 / STEPS as f64).to_bits() & !0x3ffff);
    [high, DoubleDouble::LN_2.over(DoubleDouble::of(STEPS as f64)).plus(DoubleDouble::of(-high)).hi]
};

/// 2^(i/128) and what its double lacks, as a share of it.
static POWERS: [[f64; 2]; STEPS] = {
    let mut powers = [[0.0; 2]; STEPS];
    let mut i = 0;
    while i < STEPS {
        let x = DoubleDouble::LN_2.times(DoubleDouble::of(i as f64 / STEPS as f64));
        // The exponential series; its 30th term is below 2^-120.
        let mut term = DoubleDouble::of(1.0);
        let mut sum = term;
        let mut n = 1;
        while n <= 30 {
            term = term.times(x).over(DoubleDouble::of(n as f64));
            sum = sum.plus(term);
            n += 1;
        }
        powers[i] = [sum.hi, sum.lo / sum.hi];
        i += 1;
    }
    powers
};

/// 2^(k/128) e^r for |r| <= ln(2)/256 and a result that is within twice the range of the exponents.
#[inline(always)]
fn scaled(k: i32, r: f64) -> f64 {
    let [power, lack] = POWERS[k as usize % STEPS];
    let r2 = r * r;
    let grown = lack + r + r2 * (0.5 + r * (1.0 / 6.0) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0)));
    let value = power + power * grown;
    let exponent = k >> STEPS.trailing_zeros();
    let two = |e: i32| f64::from_bits(((1023 + e) as u64) << 52);
    if (-1021..1023).contains(&exponent) {
        value * two(exponent)
    } else {
        value * two(exponent / 2) * two(exponent - exponent / 2)
    }
}

/// Where the result is zero, infinite or not a number.
#[cold]
fn beyond(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x + f64::INFINITY }
}

/// e^(x + rest) for a small `rest`.
#[inline(always)]
pub(super) fn exp_sum(x: f64, rest: f64) -> f64 {
    if x.abs() <= 746.0 {
        let (k, index) = nearest(x * (STEPS as f64 * std::f64::consts::LOG2_E));
        scaled(index, (x - k * STEP[0]) - k * STEP[1] + rest)
    } else {
        beyond(x)
    }
}

#[inline]
pub(super) fn exp(x: f64) -> f64 {
    exp_sum(x, 0.0)
}

#[inline]
pub(super) fn exp2(x: f64) -> f64 {
    if x.abs() <= 1076.0 {
        let (k, index) = nearest(x * STEPS as f64);
        scaled(index, (x - k / STEPS as f64) * std::f64::consts::LN_2)
    } else {
        beyond(x)
    }
}
