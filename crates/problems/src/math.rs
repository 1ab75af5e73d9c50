//! Elementary functions without branches and without fused multiply-add.
//!
//! A loop over any of them becomes vector instructions, and every instruction set gives the same bits. The
//! polynomials are minimax fits of the relative error; each table gives its own. Round-off included the results are
//! within 1e-15 of the true value (five times the machine epsilon), relative to the value or, for sines and cosines,
//! to one. NaN gives NaN.

use swarmgrad_core::Real;

/// Whether `F` is `f64`; a constant once compiled.
#[inline(always)]
const fn double<F: Real>() -> bool {
    size_of::<F>() == 8
}

/// The polynomial with the double coefficients, or with the shorter table that is enough for single precision;
/// highest power first.
#[inline(always)]
fn polynomial<F: Real, const N: usize, const M: usize>(x: F, double_table: &[f64; N], single_table: &[f64; M]) -> F {
    let table = if double::<F>() { double_table.as_slice() } else { single_table.as_slice() };
    let mut sum = F::of(table[0]);
    for &coefficient in &table[1..] {
        sum = sum * x + F::of(coefficient);
    }
    sum
}

/// A number whose unit in the last place is one: adding it rounds to an integer, the lowest bits then count.
#[inline(always)]
fn magic<F: Real>() -> F {
    F::of(if double::<F>() { 6_755_399_441_055_744.0 } else { 12_582_912.0 })
}

/// The nearest integer, ties to even.
#[inline(always)]
pub(crate) fn round<F: Real>(x: F) -> F {
    (x + magic::<F>()) - magic::<F>()
}

/// The distance from the nearest integer, with its sign.
#[inline(always)]
pub(crate) fn fraction<F: Real>(x: F) -> F {
    x - round(x)
}

/// sin(pi x)^2. Exactly zero at integers, without cancellation near them.
#[inline(always)]
pub(crate) fn sin_pi_squared<F: Real>(x: F) -> F {
    let r = fraction(x);
    // sin(pi r) / r in r^2 on [0, 1/4]; errors 2.6e-19 and 5.3e-9
    let s = r * polynomial(
        r * r,
        &[
            7.694727275265469e-07,
            -2.190318541451047e-05,
            0.00046629968877124413,
            -0.007370430478762554,
            0.08214588656989275,
            -0.5992645293187382,
            2.550164039877294,
            -5.167712780049969,
            std::f64::consts::PI,
        ],
        &[0.077560395, -0.5982421, 2.5500698, -5.16771, std::f64::consts::PI],
    );
    s * s
}

/// sin(2 pi x), for gradients.
#[inline(always)]
pub(crate) fn sin_2pi<F: Real>(x: F) -> F {
    sin(F::of(std::f64::consts::TAU) * fraction(x))
}

/// `x - k pi` with pi in three parts, of which the first two times `k` are exact for every `k` that matters.
#[inline(always)]
fn less_pi<F: Real>(x: F, k: F) -> F {
    let parts = if double::<F>() {
        [3.1415926534682512, 1.2154201012607932e-10, 4.044532497591901e-21]
    } else {
        [3.140625, 9.675_025_939_941_406e-4, 1.509_957_990_978_376_5e-7]
    };
    ((x - k * F::of(parts[0])) - k * F::of(parts[1])) - k * F::of(parts[2])
}

/// sin(r) on [-pi / 2, pi / 2].
#[inline(always)]
fn sin_half_turn<F: Real>(r: F) -> F {
    let square = r * r;
    // (sin(r) / r - 1) / r^2 in r^2; errors of the sine 2.8e-19 and 6.1e-9
    let tail = polynomial(
        square,
        &[
            2.721166102653527e-15,
            -7.642990668602298e-13,
            1.6058939675196247e-10,
            -2.505210687220891e-08,
            2.755731921113099e-06,
            -0.00019841269841209183,
            0.008333333333333194,
            -0.16666666666666666,
        ],
        &[2.6057642e-06, -0.00019809596, 0.0083330665, -0.1666666],
    );
    r + r * (square * tail)
}

/// The argument as it is while its phase means something, and zero beyond (2^30, and 2^17 in single precision), so
/// that no sine ever leaves [-1, 1]. Infinity becomes NaN.
#[inline(always)]
fn with_phase<F: Real>(x: F) -> F {
    let limit = F::of(if double::<F>() { 1_073_741_824.0 } else { 131_072.0 });
    if x.abs() <= limit { x } else { x * F::zero() }
}

/// sin(x).
#[inline(always)]
pub(crate) fn sin<F: Real>(x: F) -> F {
    let x = with_phase(x);
    let k = round(x * F::of(std::f64::consts::FRAC_1_PI));
    let s = sin_half_turn(less_pi(x, k));
    // Zero for even k and a half for odd k: the sign is 1 - 8 odd^2.
    let odd = fraction(k * F::of(0.5));
    s * (F::one() - F::of(8.0) * (odd * odd))
}

/// sin(x)^2.
#[inline(always)]
pub(crate) fn sin_squared<F: Real>(x: F) -> F {
    let x = with_phase(x);
    let s = sin_half_turn(less_pi(x, round(x * F::of(std::f64::consts::FRAC_1_PI))));
    s * s
}

/// cos(x) = 1 - 2 sin(x/2)^2: exactly one at zero.
#[inline(always)]
pub(crate) fn cos<F: Real>(x: F) -> F {
    let s = sin_squared(x * F::of(0.5));
    F::one() - (s + s)
}

/// 2^k of an integer within the exponents of normal numbers.
#[inline(always)]
fn power_of_two<F: Real>(k: F) -> F {
    let counted = (k + magic::<F>()).f64();
    F::of(if double::<F>() {
        f64::from_bits(counted.to_bits().wrapping_add(1023) << 52)
    } else {
        f64::from(f32::from_bits((counted as f32).to_bits().wrapping_add(127) << 23))
    })
}

/// exp(x); infinity where it overflows, zero where it underflows.
#[inline(always)]
pub(crate) fn exp<F: Real>(x: F) -> F {
    let [lowest, highest] = (if double::<F>() { [-760.0, 720.0] } else { [-110.0, 95.0] }).map(F::of);
    let x = if x < lowest { lowest } else { x };
    let x = if x > highest { highest } else { x };
    let k = round(x * F::of(std::f64::consts::LOG2_E));
    let parts = if double::<F>() {
        [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10]
    } else {
        [0.693359375, -2.121_944_4e-4]
    };
    let r = (x - k * F::of(parts[0])) - k * F::of(parts[1]);
    // (exp(r) - 1 - r) / r^2 on |r| < ln(2) / 2; errors of the exponential 3.6e-18 and 3.1e-9
    let tail = polynomial(
        r,
        &[
            2.500005733179777e-08,
            2.7630247660095636e-07,
            2.7557586385028475e-06,
            2.4801493101082978e-05,
            0.0001984126950657166,
            0.0013888888943627859,
            0.00833333333349446,
            0.04166666666653017,
            0.16666666666666413,
            0.5000000000000011,
        ],
        &[0.0013814605, 0.008368717, 0.04166839, 0.16666521, 0.49999994],
    );
    let e = F::one() + (r + (r * r) * tail);
    // In two steps, so that the power itself never overflows.
    let half = round(k * F::of(0.5));
    (e * power_of_two(half)) * power_of_two(k - half)
}

/// `x = m 2^e` with m in [sqrt(1/2), sqrt(2)), for positive normal numbers.
#[inline(always)]
fn mantissa_and_exponent<F: Real>(x: F) -> (F, F) {
    if double::<F>() {
        let shifted = x.f64().to_bits().wrapping_add(0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcd);
        let e = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
        let m = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff).wrapping_add(0x3fe6_a09e_667f_3bcd));
        (F::of(m), F::of(e))
    } else {
        let shifted = (x.f64() as f32).to_bits().wrapping_add(0x3f80_0000 - 0x3f35_04f3);
        let e = f32::from_bits((shifted >> 23) | 0x4b00_0000) - (8_388_608.0 + 127.0);
        let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3));
        (F::of(f64::from(m)), F::of(f64::from(e)))
    }
}

/// ln(x) of a positive normal number; infinity and NaN stay what they are.
#[inline(always)]
pub(crate) fn ln<F: Real>(x: F) -> F {
    let (m, e) = mantissa_and_exponent(x);
    let q = (m - F::one()) / (m + F::one());
    let square = q * q;
    // (2 atanh(q) / q - 2) / q^2 in q^2; errors of the logarithm 1.2e-18 and 8e-10
    let tail = polynomial(
        square,
        &[
            0.14795550985124614,
            0.15314092650719643,
            0.18183562585701674,
            0.22222198608672666,
            0.2857142874201996,
            0.39999999999416447,
            0.6666666666666734,
        ],
        &[0.29871032, 0.3997757, 0.66666776],
    );
    let ln = (q + q) + q * (square * tail) + e * F::of(std::f64::consts::LN_2);
    if x < F::infinity() { ln } else { x }
}

/// The cube root of a positive normal number, by one Newton step from exp(ln(x) / 3).
#[inline(always)]
pub(crate) fn cube_root<F: Real>(x: F) -> F {
    let y = exp(ln(x) / F::of(3.0));
    y - (y - x / (y * y)) / F::of(3.0)
}

/// The tenth root of a positive normal number.
#[inline(always)]
pub(crate) fn tenth_root<F: Real>(x: F) -> F {
    exp(ln(x) * F::of(0.1))
}

/// x^20, by squaring.
#[inline(always)]
pub(crate) fn twentieth_power<F: Real>(x: F) -> F {
    let fourth = (x * x) * (x * x);
    let eighth = fourth * fourth;
    (eighth * eighth) * fourth
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::PI;

    /// Within `tolerance` of the scale; NaN is never near.
    #[track_caller]
    fn near(found: f64, wanted: f64, tolerance: f64, scale: f64) {
        let gap = (found - wanted).abs();
        assert!(gap <= tolerance * scale, "{found:e} is not {wanted:e}: gap {gap:e} at scale {scale:e}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn sines_and_cosines_agree_with_the_standard_library(x in -2e4..2e4f64, small in -4.0..4.0f64) {
            for x in [x, small] {
                near(sin(x), x.sin(), 5e-16, 1.0);
                near(cos(x), x.cos(), 1.2e-15, 1.0);
                near(sin_squared(x), x.sin().powi(2), 1.2e-15, 1.0);
            }
            near(sin(small), small.sin(), 6e-16, small.sin().abs());
            near(sin_squared(small), small.sin().powi(2), 1.2e-15, small.sin().powi(2));
            // The standard library needs the reduced argument to be right near the integers.
            let r = small - small.round();
            near(sin_pi_squared(small), (PI * r).sin().powi(2), 1.2e-15, (PI * r).sin().powi(2));
            near(sin_2pi(small), (2.0 * PI * r).sin(), 6e-16, 1.0);
        }

        #[test]
        fn exponentials_and_roots_agree_with_the_standard_library(x in -700.0..700.0f64, small in -2.0..2.0f64) {
            for x in [x, small] {
                near(exp(x), x.exp(), 5e-16, x.exp());
            }
            let (large, modest) = (x.exp(), small.exp());
            near(ln(large), large.ln(), 6e-16, large.ln().abs());
            near(ln(modest), modest.ln(), 6e-16, modest.ln().abs());
            near(cube_root(large), large.cbrt(), 5e-16, large.cbrt());
            near(cube_root(modest), modest.cbrt(), 5e-16, modest.cbrt());
            // The exponent's round-off grows with it: 70 units in the last place of one at most.
            near(tenth_root(large), large.powf(0.1), 2e-14, large.powf(0.1));
            near(twentieth_power(small), small.powi(20), 3e-15, small.powi(20));
        }

        #[test]
        fn single_precision_agrees_with_double(x in -1000.0..1000.0f32, small in -4.0..4.0f32) {
            let eps = f64::from(f32::EPSILON);
            for x in [x, small] {
                let exact = f64::from(x);
                near(f64::from(sin(x)), exact.sin(), 1.5 * eps, 1.0);
                near(f64::from(cos(x)), exact.cos(), 5.0 * eps, 1.0);
                near(f64::from(sin_pi_squared(x)), sin_pi_squared(exact), 5.0 * eps, 1.0);
            }
            let power = f64::from(20.0 * small);
            near(f64::from(exp(20.0 * small)), power.exp(), 2.0 * eps, power.exp());
            let positive = small.abs() + 1e-3;
            near(f64::from(ln(positive)), f64::from(positive).ln(), 2.0 * eps, f64::from(positive).ln().abs());
            near(f64::from(cube_root(positive)), f64::from(positive).cbrt(), 2.0 * eps, f64::from(positive).cbrt());
        }
    }

    #[test]
    fn special_arguments() {
        fn check<F: Real>() {
            let functions: [fn(F) -> F; 8] = [sin, cos, sin_squared, sin_pi_squared, sin_2pi, exp, ln, twentieth_power];
            for f in functions {
                assert!(f(F::nan()).is_nan());
                // Whatever the result, no panic.
                for huge in [1e9, 1e17, 1e30, f64::MAX, f64::INFINITY] {
                    let _ = (f(F::of(huge)), f(F::of(-huge)));
                }
            }
            for huge in [1e5, 2e5, 1e9, 1e10, 1e17, 1e30] {
                for x in [F::of(huge), F::of(-huge)] {
                    assert!(sin(x).abs() <= F::of(1.000001) && cos(x).abs() <= F::of(1.000001), "{x}");
                    assert!(sin_squared(x) <= F::of(1.000001), "{x}");
                }
            }
            assert!(sin(F::infinity()).is_nan() && cos(F::neg_infinity()).is_nan());
            assert_eq!((cos(F::zero()), exp(F::zero()), ln(F::one())), (F::one(), F::one(), F::zero()));
            assert_eq!((exp(F::infinity()), exp(F::neg_infinity())), (F::infinity(), F::zero()));
            assert_eq!(sin_pi_squared(F::of(-17.0)), F::zero());
            assert_eq!(ln(F::infinity()), F::infinity());
        }
        check::<f64>();
        check::<f32>();
        near(exp(-740.0f64), (-740.0f64).exp(), 0.5, (-740.0f64).exp());
        assert_eq!(exp(710.0f64), f64::INFINITY);
        assert_eq!(exp(89.0f32), f32::INFINITY);
    }
}
