//! Crossover. Kernels of the evolutionary methods.
//!
//! Papers: Storn and Price 1997 (binomial, exponential); Deb and Agrawal, "Simulated binary crossover for continuous search
//! space" (Complex Systems 1995), with the law cut at the bounds as in Deb's later programs.

use swarmgrad_core::{Real, Scalar};

/// Exponential crossover: how many coordinates in a row come from the mutant, the first always, each further one while
/// its uniform number stays below the rate. `draws` has one number a coordinate.
pub fn exponential<F: Real>(draws: &[F], rate: F) -> usize {
    let end = draws.len() - 1;
    1 + draws[..end].iter().position(|&u| u >= rate).unwrap_or(end)
}

/// Simulated binary crossover of two numbers by the uniform number `u`: two children around the same middle but for the
/// bounds, the smaller first. `eta`: the larger, the closer they stay to their parents.
pub fn sbx<S: Scalar>(p1: S, p2: S, u: S, eta: S, lower: S, upper: S) -> (S, S) {
    let (one, two, half) = (S::one(), S::of(2.0), S::of(0.5));
    let (y1, y2) = if p1 < p2 { (p1, p2) } else { (p2, p1) };
    let distance = y2 - y1;
    if distance <= S::zero() || !distance.is_finite() {
        return (y1, y2);
    }
    let power = eta + one;
    // The spread beta whose law gives no child beyond `room` outside its parent, who may lie a rounding outside himself.
    let spread = |room: S| {
        let room = if room < S::zero() { S::zero() } else { room };
        let alpha = two - (one + two * room / distance).powf(-power);
        let t = u * alpha;
        (if t <= one { t } else { (two - t).recip() }).powf(power.recip())
    };
    let (middle, reach) = (half * y1 + half * y2, half * distance);
    (middle - spread(y1 - lower) * reach, middle + spread(upper - y2) * reach)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exponential_crossover_takes_a_run() {
        assert_eq!(exponential(&[0.9, 0.1, 0.1], 0.5), 1);
        assert_eq!(exponential(&[0.1, 0.9, 0.1], 0.5), 2);
        assert_eq!(exponential(&[0.1, 0.1, 0.9], 0.5), 3);
        assert_eq!(exponential(&[0.9], 0.5), 1);
        assert_eq!(exponential(&[0.0, 0.0], 0.0), 1);
    }

    proptest! {
        #[test]
        fn children_are_inside_and_ordered(a in 0.0..=1.0f64, b in 0.0..=1.0f64, u in 0.0..1.0f64, eta in 0.0..40.0f64) {
            let (lower, upper) = (-3.0, 5.0);
            let [p1, p2] = [a, b].map(|t| lower + t * (upper - lower));
            let (c1, c2) = sbx(p1, p2, u, eta, lower, upper);
            prop_assert!(lower - 1e-9 <= c1 && c1 <= c2 && c2 <= upper + 1e-9, "{c1} {c2}");
        }

        /// Without bounds the children keep the middle of their parents, and the spread has the paper's law:
        /// P(beta <= b) = b^(eta + 1) / 2 for b <= 1, else 1 - b^-(eta + 1) / 2.
        #[test]
        fn the_spread_has_the_papers_law(p1 in -5.0..5.0f64, p2 in -5.0..5.0f64, u in 0.001..0.999f64, eta in 0.0..20.0f64) {
            prop_assume!((p1 - p2).abs() > 1e-3);
            let (c1, c2) = sbx(p1, p2, u, eta, f64::NEG_INFINITY, f64::INFINITY);
            prop_assert!((c1 + c2 - p1 - p2).abs() < 1e-9 * (1.0 + c2.abs()));
            let beta = (c2 - c1) / (p1 - p2).abs();
            let power = beta.powf(eta + 1.0);
            let distribution = if beta <= 1.0 { power / 2.0 } else { 1.0 - 0.5 / power };
            prop_assert!((distribution - u).abs() < 1e-7, "{distribution} {u}");
        }
    }
}
