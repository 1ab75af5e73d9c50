//! Sine and cosine: those of the nearest multiple of pi/128, from a table, turned by what is left. Results are within 0.51 units
//! in the last place; beyond 4e8 they are the `libm` crate's, within 0.8.

use super::digits::{nearest, upper};
use super::double_double::DoubleDouble;

/// Steps around the circle.
const STEPS: usize = 256;
const QUARTER: usize = STEPS / 4;

/// pi/128 in parts that add up to 152 bits; products of the first three with a number of steps are exact.
const STEP: [f64; 4] = [
    f64::from_bits(0x3f99_21fb_5440_0000),
    f64::from_bits(0x3d70_b461_1a60_0000),
    f64::from_bits(0x3b43_198a_2e00_0000),
    f64::from_bits(0x391b_839a_2520_49c1),
];
/// Up to here there are fewer than 2^20 steps.
const FAR: f64 = 25_000.0;
/// A number of steps that is a number of whole turns; up to `FARTHER` there are fewer than 2^20 times as many.
const TURNS: f64 = 16_384.0;
const FARTHER: f64 = 4e8;

/// The sine of each step as a sum.
static SINES: [[f64; 2]; STEPS] = {
    let mut sines = [[0.0; 2]; STEPS];
    let mut i = 0;
    while i <= QUARTER {
        let pi = DoubleDouble { hi: std::f64::consts::PI, lo: 1.224_646_799_147_353_2e-16 };
        let x = pi.times(DoubleDouble::of(2.0 * i as f64 / STEPS as f64));
        let square = x.times(x);
        // The series of the sine; its term of degree 37 is below 2^-115.
        let mut term = x;
        let mut sum = x;
        let mut n = 2;
        while n <= 36 {
            term = term.times(square).over(DoubleDouble::of(-((n * (n + 1)) as f64)));
            sum = sum.plus(term);
            n += 2;
        }
        let sine = [sum.hi, sum.lo];
        sines[i] = sine;
        sines[2 * QUARTER - i] = sine;
        sines[(2 * QUARTER + i) % STEPS] = [-sine[0], -sine[1]];
        sines[(4 * QUARTER - i) % STEPS] = [-sine[0], -sine[1]];
        i += 1;
    }
    sines[0] = [0.0; 2];
    sines[2 * QUARTER] = [0.0; 2];
    sines
};

/// The sum of two numbers and what it drops.
#[inline(always)]
fn sum(a: f64, b: f64) -> (f64, f64) {
    let value = a + b;
    let rest = value - a;
    (value, (a - (value - rest)) + (b - rest))
}

/// Steps in a unit.
const PER_UNIT: f64 = STEPS as f64 / 2.0 * std::f64::consts::FRAC_1_PI;

/// The sine of x and `more` steps.
#[inline(always)]
fn turned(x: f64, more: usize) -> f64 {
    if x.abs() <= FAR {
        let (k, index) = nearest(x * PER_UNIT);
        // r + r_rest = x - k pi/128.
        let (first, lost) = sum(x - k * STEP[0], -k * STEP[1]);
        let (r, lost_too) = sum(first, -k * STEP[2]);
        sine(r, lost + lost_too - k * STEP[3], (index as usize).wrapping_add(more))
    } else {
        far(x, more)
    }
}

/// The same for `x` up to `FARTHER`.
fn far(x: f64, more: usize) -> f64 {
    let (turns, _) = nearest(x * (PER_UNIT / TURNS));
    let turns = turns * TURNS;
    let (near, second) = (x - turns * STEP[0], -turns * STEP[1]);
    let (k, index) = nearest((near + second) * PER_UNIT);
    // r + r_rest = x - (turns + k) pi/128; where they nearly cancel, every digit counts.
    let (r, mut r_rest) = sum(near - k * STEP[0], second);
    let (mut r, lost) = sum(r, -k * STEP[1]);
    r_rest += lost;
    for part in [turns * STEP[2], k * STEP[2], turns * STEP[3], k * STEP[3]] {
        let (less, lost) = sum(r, -part);
        r = less;
        r_rest += lost;
    }
    let (r, r_rest) = sum(r, r_rest);
    sine(r, r_rest, (index as usize).wrapping_add(more))
}

/// The sine of `at` steps and `r + r_rest`.
#[inline(always)]
fn sine(r: f64, r_rest: f64, at: usize) -> f64 {
    // sine + cosine r exactly, and the smaller terms of sin(a + r).
    let [sine, sine_rest] = SINES[at % STEPS];
    let [cosine, cosine_rest] = SINES[at.wrapping_add(QUARTER) % STEPS];
    let (cosine_high, r_high) = (upper(cosine), upper(r));
    let product = cosine_high * r_high;
    let product_rest = cosine_high * (r - r_high) + (cosine - cosine_high) * r + (cosine_rest * r + cosine * r_rest);
    let value = sine + product;
    let lost = (sine - value) + product;
    let r2 = r * r;
    let fall = r2 * (-0.5 + r2 * (1.0 / 24.0 - r2 * (1.0 / 720.0)));
    let bend = r * r2 * (-1.0 / 6.0 + r2 * (1.0 / 120.0 - r2 * (1.0 / 5040.0)));
    value + ((lost + sine_rest + product_rest) + (sine * fall + cosine * bend))
}

#[inline]
pub(super) fn sin(x: f64) -> f64 {
    let size = x.abs();
    if size < 1e-8 {
        x
    } else if size <= FARTHER {
        turned(x, 0)
    } else {
        libm::sin(x)
    }
}

#[inline]
pub(super) fn cos(x: f64) -> f64 {
    if x.abs() <= FARTHER { turned(x, QUARTER) } else { libm::cos(x) }
}
