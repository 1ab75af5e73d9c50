//! Transcendental functions: every logarithm and every sine of this crate and those that build on it comes from here.
//!
//! The standard library's are the system's, and those differ in the last bit from one processor to the next. These are the
//! `libm` crate's: plain arithmetic, compiled once, so that a seed gives the same bits on every machine. (Where that crate can
//! use instructions of a processor, for square roots and one fused multiply-add in its cube root, the result is the correctly
//! rounded one with them and without.) `clippy.toml` forbids the others.
//!
//! Generic code over [`Real`](crate::Real) writes `x.exp()`; where the type is known that would be the standard library's, and
//! it reads
//!
//! ```
//! use swarmgrad_core::math;
//!
//! assert_eq!(math::exp(1.0), std::f64::consts::E);
//! assert_eq!(math::powf(2.0f32, 0.5), std::f32::consts::SQRT_2);
//! ```

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($x:ident $(, $y:ident)?): $double:ident, $single:ident;)*) => {
        /// Numbers with transcendental functions, those of [`math`](crate::math).
        pub trait Transcendental: Copy {
            $($(#[$doc])* fn $name(self $(, $y: Self)?) -> Self;)*
        }

        impl Transcendental for f64 {
            $(#[inline(always)] fn $name(self $(, $y: Self)?) -> Self { libm::$double(self $(, $y)?) })*
        }

        impl Transcendental for f32 {
            $(#[inline(always)] fn $name(self $(, $y: Self)?) -> Self { libm::$single(self $(, $y)?) })*
        }

        $($(#[$doc])* #[inline(always)] pub fn $name<F: Transcendental>($x: F $(, $y: F)?) -> F { $x.$name($($y)?) })*
    };
}

functions! {
    /// e^x.
    exp(x): exp, expf;
    /// 2^x.
    exp2(x): exp2, exp2f;
    /// e^x - 1, exact near zero.
    exp_m1(x): expm1, expm1f;
    /// Natural logarithm.
    ln(x): log, logf;
    /// Logarithm to base 2.
    log2(x): log2, log2f;
    /// Logarithm to base 10.
    log10(x): log10, log10f;
    /// x^p.
    powf(x, p): pow, powf;
    /// Cube root.
    cbrt(x): cbrt, cbrtf;
    /// Sine.
    sin(x): sin, sinf;
    /// Cosine.
    cos(x): cos, cosf;
    /// Tangent.
    tan(x): tan, tanf;
    /// Hyperbolic tangent.
    tanh(x): tanh, tanhf;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of either sign and of many sizes, and those that every function must carry through.
    fn numbers() -> Vec<f64> {
        let spread = |k: u64| (k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 * (-53f64).exp2();
        let sized = |k: u64| (2.0 * spread(k) - 1.0) * 10f64.powi((k % 15) as i32 - 5);
        (1..3000).map(sized).chain([0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]).collect()
    }

    /// A hash over the bits of the results; a NaN counts as one whatever its bits.
    fn digest<F: crate::Real>(f: impl Fn(F) -> F) -> u64 {
        numbers().into_iter().fold(0, |hash: u64, x| {
            let y = f(F::of(x)).f64();
            let bits = if y.is_nan() { 1 } else { y.to_bits() };
            (hash.rotate_left(5) ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    }

    /// Distance in units of the last place.
    fn double_gap(ours: f64, theirs: f64) -> u64 {
        if ours == theirs || ours.is_nan() && theirs.is_nan() { 0 } else { ours.to_bits().abs_diff(theirs.to_bits()) }
    }

    fn single_gap(ours: f32, theirs: f32) -> u64 {
        let same = ours == theirs || ours.is_nan() && theirs.is_nan();
        if same { 0 } else { u64::from(ours.to_bits().abs_diff(theirs.to_bits())) }
    }

    /// `name`, hash of the bits in double and in single precision; and never far from the standard library's.
    macro_rules! same_bits {
        ($($name:ident: $double:literal, $single:literal;)*) => {
            $({
                assert_eq!([digest::<f64>($name), digest::<f32>($name)], [$double, $single], stringify!($name));
                for x in numbers() {
                    let gap = double_gap($name(x), x.$name()).max(single_gap($name(x as f32), (x as f32).$name()));
                    assert!(gap <= 2, "{}({x}) is {gap} units off", stringify!($name));
                }
            })*
        };
    }

    #[test]
    fn the_same_bits_on_every_machine() {
        same_bits! {
            exp: 0xf6d2_af35_b817_99b4, 0x48f3_aa41_4a0e_002e;
            exp2: 0x11f2_d75a_347d_77b7, 0x47b7_0922_606a_3409;
            exp_m1: 0xa43a_ccb6_8ced_8f0d, 0x7ca1_d5d4_26f2_71af;
            ln: 0x7dcb_77e5_4499_83c5, 0x8710_7b0b_b573_4667;
            log2: 0x6998_f9ac_9a25_fc1e, 0x2d18_91fe_a4ac_7b7a;
            log10: 0x7314_d33a_6ad8_90a4, 0x5cf4_5eee_ae27_c71e;
            cbrt: 0x18c8_4523_e5cb_8e49, 0x550d_b489_fd82_a559;
            sin: 0x13d8_b828_42f7_c525, 0x98b3_6b75_c2f4_613d;
            cos: 0xed95_e97e_44ad_dbe8, 0xa432_a439_598d_6c55;
            tan: 0xcb53_509a_d34b_c0a3, 0x1d3f_9eb7_4a11_7826;
            tanh: 0xddec_9472_93e6_42a5, 0xb568_e24f_83cb_64d6;
        }
        let powers = [
            (-2.5, 0xc1c7_3bd1_2384_b47c, 0x5d0e_8156_df03_b263),
            (0.1, 0x61c8_e41c_9bc3_fa5f, 0x5bc3_7788_4afd_1d97),
            (0.9, 0x09a2_1eec_6d2e_a5aa, 0xc9ef_5856_250c_dea3),
            (3.0, 0xdc76_0a9e_b74c_8e37, 0x57cd_efe3_8d44_3bee),
        ];
        for (p, double, single) in powers {
            let found = [digest(|x: f64| powf(x.abs(), p)), digest(|x: f32| powf(x.abs(), p as f32))];
            assert_eq!(found, [double, single], "powf {p}");
            for x in numbers().into_iter().map(f64::abs) {
                let single = single_gap(powf(x as f32, p as f32), (x as f32).powf(p as f32));
                assert!(double_gap(powf(x, p), x.powf(p)).max(single) <= 2, "{x}^{p}");
            }
        }
    }
}
