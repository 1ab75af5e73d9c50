//! Mutation, one number at a time. Kernels of the evolutionary methods.
//!
//! Papers: Storn and Price 1997 (rand/1); Zhang and Sanderson, "JADE: adaptive differential evolution with optional
//! external archive" (IEEE TEC 2009; current-to-pbest/1, eqs 6 and 7); Deb and Goyal, "A combined genetic adaptive search
//! (GeneAS) for engineering design" (Computer Science and Informatics 1996; polynomial mutation).

use swarmgrad_core::{Real, Scalar};

/// rand/1: r1 + F (r2 - r3).
#[inline(always)]
pub fn rand_1<S: Scalar>(weight: S, [r1, r2, r3]: [S; 3]) -> S {
    r1 + weight * (r2 - r3)
}

/// current-to-pbest/1: x + Fw (pbest - x) + F (r1 - r2); Fw = F but in jSO.
#[inline(always)]
pub fn current_to_pbest_1<S: Scalar>(x: S, [pull, weight]: [S; 2], [pbest, r1, r2]: [S; 3]) -> S {
    x + pull * (pbest - x) + weight * (r1 - r2)
}

/// JADE's repair: what left the bounds goes to the middle between the bound and the parent. What is no finite number (an
/// overflow) becomes the parent.
#[inline(always)]
pub fn midpoint<F: Real>(v: F, parent: F, lower: F, upper: F) -> F {
    let half = F::of(0.5);
    let finite = if v.abs() < F::infinity() { v } else { parent };
    let bounded = if v < lower && lower > F::neg_infinity() { half * lower + half * parent } else { finite };
    if v > upper && upper < F::infinity() { half * upper + half * parent } else { bounded }
}

/// Polynomial mutation of `y` by the uniform number `u`, its law cut at the bounds: the perturbation has density
/// (eta + 1) (1 - |q|)^eta / 2 in units of the width; where a bound is infinite the unit is max(1, |y|).
pub fn polynomial<S: Scalar>(y: S, u: S, eta: S, lower: S, upper: S) -> S {
    let (one, half) = (S::one(), S::of(0.5));
    let power = eta + one;
    let width = upper - lower;
    if width == S::zero() {
        return y;
    }
    // The room below and above in units of the width, or a whole unit. A child may lie a rounding outside.
    let share = |t: S| {
        if t < S::zero() {
            S::zero()
        } else if t > one {
            one
        } else {
            t
        }
    };
    let (width, below, above) = if width.is_finite() {
        (width, share((y - lower) / width), share((upper - y) / width))
    } else {
        (y.abs().max(one), one, one)
    };
    let q = if u < half {
        (u + u + (one - u - u) * (one - below).powf(power)).powf(power.recip()) - one
    } else {
        one - ((one - u) + (one - u) + (u + u - one) * (one - above).powf(power)).powf(power.recip())
    };
    y + q * width
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_left_the_bounds_comes_half_way_back() {
        assert_eq!(midpoint(5.0, 1.0, -2.0, 3.0), 2.0);
        assert_eq!(midpoint(-5.0, 1.0, -2.0, 3.0), -0.5);
        assert_eq!(midpoint(2.5, 1.0, -2.0, 3.0), 2.5);
        let infinity = f64::INFINITY;
        for v in [f64::NAN, infinity, -infinity] {
            assert_eq!(midpoint(v, 1.0, -infinity, infinity), 1.0);
        }
        assert_eq!(midpoint(infinity, 1.0, -2.0, 3.0), 2.0);
        assert_eq!(midpoint(f64::NAN, 1.0, -2.0, 3.0), 1.0);
        assert_eq!(midpoint(infinity, 1.5e308, -1.7e308, 1.7e308), 1.6e308);
    }

    proptest! {
        #[test]
        fn polynomial_mutation_stays_inside_and_grows_with_its_draw(
            place in 0.0..=1.0f64, u in 0.0..1.0f64, v in 0.0..1.0f64, eta in 0.0..100.0f64,
        ) {
            let (lower, upper) = (-3.0, 5.0);
            let y = lower + place * (upper - lower);
            let [a, b] = [u.min(v), u.max(v)].map(|u| polynomial(y, u, eta, lower, upper));
            prop_assert!(a <= b + 1e-9);
            prop_assert!(lower - 1e-9 <= a && b <= upper + 1e-9, "{a} {b}");
            prop_assert!((polynomial(y, 0.5, eta, lower, upper) - y).abs() < 1e-9);
        }

        /// The distribution function of the density in the documentation, far from the bounds.
        #[test]
        fn polynomial_mutation_has_its_density(u in 0.001..0.999f64, eta in 0.0..30.0f64) {
            let q = polynomial(0.0, u, eta, f64::NEG_INFINITY, f64::INFINITY);
            let tail = 0.5 * (1.0 - q.abs()).powf(eta + 1.0);
            let distribution = if q < 0.0 { tail } else { 1.0 - tail };
            prop_assert!((distribution - u).abs() < 1e-9, "{distribution} {u}");
        }
    }
}
