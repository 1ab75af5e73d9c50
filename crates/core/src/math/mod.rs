//! Transcendental functions: every logarithm and every sine of this crate and those that build on it comes from here.
//!
//! The standard library's are the system's, and those differ in the last bit from one processor to the next. These are plain
//! arithmetic without fused multiply-add, so that a seed gives the same bits on every machine: what runs call often is our own,
//! the rest the `libm` crate's. `clippy.toml` forbids the others.
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

mod digits;
mod double_double;
mod exponential;
mod logarithm;
mod normal;
mod root;
mod trigonometric;

pub use normal::{normal_cdf, normal_quantile};

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($x:ident $(, $y:ident)?): $double:expr, $single:expr;)*) => {
        /// Numbers with transcendental functions, those of [`math`](crate::math).
        pub trait Transcendental: Copy {
            $($(#[$doc])* fn $name(self $(, $y: Self)?) -> Self;)*
        }

        impl Transcendental for f64 {
            $(#[inline(always)] fn $name(self $(, $y: Self)?) -> Self { ($double)(self $(, $y)?) })*
        }

        impl Transcendental for f32 {
            $(#[inline(always)] fn $name(self $(, $y: Self)?) -> Self { ($single)(self $(, $y)?) })*
        }

        $($(#[$doc])* #[inline(always)] pub fn $name<F: Transcendental>($x: F $(, $y: F)?) -> F { $x.$name($($y)?) })*
    };
}

functions! {
    /// e^x.
    exp(x): exponential::exp, |x: f32| exponential::exp(x.into()) as f32;
    /// 2^x.
    exp2(x): exponential::exp2, |x: f32| exponential::exp2(x.into()) as f32;
    /// e^x - 1, exact near zero.
    exp_m1(x): libm::expm1, libm::expm1f;
    /// Natural logarithm.
    ln(x): logarithm::ln, libm::logf;
    /// Logarithm to base 2.
    log2(x): logarithm::log2, libm::log2f;
    /// Logarithm to base 10.
    log10(x): logarithm::log10, libm::log10f;
    /// x^p.
    powf(x, p): logarithm::pow, logarithm::powf;
    /// Cube root.
    cbrt(x): root::cbrt, libm::cbrtf;
    /// Sine.
    sin(x): trigonometric::sin, |x: f32| trigonometric::sin(x.into()) as f32;
    /// Cosine.
    cos(x): trigonometric::cos, |x: f32| trigonometric::cos(x.into()) as f32;
    /// Tangent.
    tan(x): libm::tan, libm::tanf;
    /// Arc tangent.
    atan(x): libm::atan, libm::atanf;
    /// Hyperbolic tangent.
    tanh(x): libm::tanh, libm::tanhf;
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
            exp: 0x61a2_a691_ae9c_0685, 0x3e35_72d9_c2e1_78a8;
            exp2: 0x6ae9_95db_3c02_4e7f, 0x47b7_0922_606a_3409;
            exp_m1: 0xa43a_ccb6_8ced_8f0d, 0x7ca1_d5d4_26f2_71af;
            ln: 0xe74e_e13d_182c_a88f, 0x8710_7b0b_b573_4667;
            log2: 0xcb2c_8c42_621c_d5e6, 0x2d18_91fe_a4ac_7b7a;
            log10: 0x7538_aa97_2e1b_e85d, 0x5cf4_5eee_ae27_c71e;
            cbrt: 0x18c8_4523_e5cb_8e49, 0x550d_b489_fd82_a559;
            sin: 0x56bd_ea29_9b0b_cc96, 0x1673_8e4b_9e41_8277;
            cos: 0x9a87_0d03_25b6_d10a, 0xa432_a439_598d_6c55;
            tan: 0xcb53_509a_d34b_c0a3, 0x1d3f_9eb7_4a11_7826;
            tanh: 0xddec_9472_93e6_42a5, 0xb568_e24f_83cb_64d6;
        }
        let powers = [
            (-2.5, 0x012f_507c_a695_0d62, 0xd864_ff1d_6632_7559),
            (0.1, 0x7928_ebad_c402_267f, 0x5a55_1df4_e5ac_a4c8),
            (0.9, 0xdd57_9f3a_bde1_ba48, 0xa25a_51a0_51d2_12e8),
            (3.0, 0xc3c0_d5bc_104a_3e33, 0x2b92_c1a1_e0a8_d6e5),
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

    /// What powers have rules for, and the ends of the range.
    const SPECIAL: [f64; 22] = [
        0.0,
        1.0,
        0.5,
        2.0,
        2.5,
        3.0,
        4.0,
        0.999_999_999_999_999_9,
        1.000_000_000_000_000_2,
        1_023.5,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        1e22,
        1e-22,
        1e300,
        1e-300,
        1e-310,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
    ];

    /// Signs of zeros count.
    fn agree(ours: f64, theirs: f64) -> bool {
        double_gap(ours, theirs) <= 1 && (ours.is_nan() || ours.is_sign_negative() == theirs.is_sign_negative())
    }

    #[test]
    fn powers_follow_the_rules_of_c_in_every_special_case() {
        let signed: Vec<f64> = SPECIAL.iter().flat_map(|&x| [x, -x]).collect();
        for &x in &signed {
            for &p in &signed {
                assert!(agree(powf(x, p), x.powf(p)), "{x}^{p} is {}, not {}", powf(x, p), x.powf(p));
                let (x, p) = (x as f32, p as f32);
                let (ours, theirs) = (powf(x, p), x.powf(p));
                let signs = ours.is_nan() || ours.is_sign_negative() == theirs.is_sign_negative();
                assert!(single_gap(ours, theirs) <= 1 && signs, "{x}^{p} is {ours}, not {theirs}");
            }
        }
    }

    #[test]
    fn exponentials_and_logarithms_hold_over_the_whole_range() {
        for x in SPECIAL.iter().flat_map(|&x| [x, -x]) {
            assert!(agree(exp(x), x.exp()) && agree(exp2(x), x.exp2()), "{x}");
            assert!(agree(ln(x), x.ln()) && agree(log2(x), x.log2()) && double_gap(log10(x), x.log10()) <= 2, "{x}");
        }
        for k in -1074..1024 {
            let power = (k as f64).exp2();
            assert_eq!((exp2(k as f64), log2(exp2(k as f64))), (power, k as f64));
            for x in [1.0, 1.1, 4.0 / 3.0, 1.497, 1.499, 1.501, 1.99, 1.999].map(|m| m * power) {
                assert!(agree(ln(x), x.ln()), "ln {x}");
                let exponent = k as f64 + x / power / 3.0;
                let (ours, theirs) = (exp2(exponent), exponent.exp2());
                assert!(agree(ours, theirs), "2^{exponent}");
                let exponent = exponent * std::f64::consts::LN_2;
                assert!(agree(exp(exponent), exponent.exp()), "e^{exponent}");
                for p in [0.9, -0.37, 0.01] {
                    assert!(agree(powf(x, p), x.powf(p)), "{x}^{p}");
                }
            }
        }
        for k in 0..23 {
            assert_eq!(log10(powf(10.0, k as f64)), k as f64);
        }
    }

    #[test]
    fn sine_cosine_and_cube_root_hold_near_zeros_and_far_out() {
        for x in SPECIAL.iter().flat_map(|&x| [x, -x]) {
            assert!(agree(sin(x), x.sin()) && agree(cos(x), x.cos()) && agree(cbrt(x), x.cbrt()), "{x}");
        }
        for k in 1..40_000 {
            let zero = k as f64 * std::f64::consts::FRAC_PI_2;
            for x in [zero, zero.next_up(), -zero.next_down(), zero * (1.0 + 1e-12), 0.015 * zero, 6_000.7 * zero] {
                assert!(agree(sin(x), x.sin()) && agree(cos(x), x.cos()), "{x}: {} {}", sin(x), cos(x));
                assert!(agree(cbrt(x), x.cbrt()) && agree(cbrt(x * 1e-312), (x * 1e-312).cbrt()), "{x}");
                let x = x as f32;
                assert!(single_gap(sin(x), x.sin()).max(single_gap(cos(x), x.cos())) <= 1, "{x}");
            }
        }
    }
}
