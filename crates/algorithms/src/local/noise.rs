//! How exact values are: their grain, and their error from a table of differences.
//!
//! Paper: More and Wild, "Estimating computational noise" (SIAM J. Sci. Comput. 2011). Of values at equal distances on a short
//! line, differences of order k of a smooth function vanish as h^k, those of errors do not:
//!
//! ```text
//! (1)  T_(i,0) = f(x + i h),  T_(i,k) = T_(i+1,k-1) - T_(i,k-1)
//! (2)  s_k^2 = (k!)^2 / (2 k)!  mean_i T_(i,k)^2
//! ```
//!
//! The error is the s_k of the first three orders that agree within a factor of four and whose column changes its sign.

/// Values in a table.
pub(super) const POINTS: usize = 7;
/// Orders that must agree, and how well.
const ORDERS: usize = 3;
const AGREE: f64 = 4.0;
/// Values of at most so many digits have been rounded by somebody.
const DIGITS: usize = 9;

/// The standard deviation of the error of values at equal distances; none where no order of differences shows one.
pub(super) fn error(mut table: [f64; POINTS]) -> Option<f64> {
    if table.iter().any(|f| !f.is_finite()) {
        return None;
    }
    let (mut sizes, mut signs) = ([0.0; POINTS], [false; POINTS]);
    let mut factor = 1.0;
    for k in 1..POINTS {
        (0..POINTS - k).for_each(|i| table[i] = table[i + 1] - table[i]); // eq. (1)
        let column = &table[..POINTS - k];
        // (k!)^2 / (2 k)! from that of k - 1.
        factor *= k as f64 / (2.0 * (2.0 * k as f64 - 1.0));
        sizes[k] = (factor * column.iter().map(|t| t * t).sum::<f64>() / column.len() as f64).sqrt(); // eq. (2)
        signs[k] = column.iter().any(|&t| t > 0.0) && column.iter().any(|&t| t < 0.0);
    }
    (1..=POINTS - ORDERS)
        .find(|&k| {
            let part = &sizes[k..k + ORDERS];
            let (low, high) = part.iter().fold((f64::INFINITY, 0.0f64), |(l, h), &s| (l.min(s), h.max(s)));
            low > 0.0 && high <= AGREE * low && signs[k]
        })
        .map(|k| sizes[k])
}

/// The unit in which values are given, where it is coarser than `epsilon`, the relative precision of their arithmetic, explains:
/// decimals of few digits, or single precision.
pub(super) fn grain(values: impl Iterator<Item = f64>, epsilon: f64) -> Option<f64> {
    let single = f64::from(f32::EPSILON);
    let (mut decimals, mut is_single, mut largest) = (Some(i32::MIN), epsilon < single, 0.0f64);
    for value in values.filter(|value| value.is_finite() && *value != 0.0) {
        is_single &= f64::from(value as f32) == value;
        decimals = decimals.zip(last_place(value)).map(|(a, b)| a.max(b));
        largest = largest.max(value.abs());
        if !is_single && decimals.is_none() {
            return None;
        }
    }
    let printed = decimals.filter(|&places| places > i32::MIN).map(|places| 10f64.powi(-places));
    let coarse = printed.or(is_single.then_some(single * largest));
    coarse.filter(|&grain| grain > 2.0 * epsilon * largest)
}

/// Decimal places of a value with at most [`DIGITS`] digits.
fn last_place(value: f64) -> Option<i32> {
    // The shortest decimal that is read back as this number.
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e')?;
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let exponent: i32 = exponent.parse().ok()?;
    (count <= DIGITS).then_some(count as i32 - 1 - exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(f: impl Fn(f64) -> f64) -> [f64; POINTS] {
        std::array::from_fn(|i| f(1.0 + 1e-6 * i as f64))
    }

    #[test]
    fn a_table_tells_noise_from_curvature() {
        let smooth = |t: f64| t.exp() * t.sin();
        // Exact values: nothing beyond rounding.
        assert!(error(table(smooth)).is_none_or(|e| e < 1e-15));
        // Fixed signs stand for errors of one size.
        let signs = [1.0, -0.4, 0.9, 1.1, -1.2, 0.3, -0.8];
        let mut rough = table(smooth);
        rough.iter_mut().zip(signs).for_each(|(f, sign)| *f += 1e-5 * sign);
        let found = error(rough).unwrap();
        assert!((3e-6..3e-5).contains(&found), "{found:e}");
        rough[3] = f64::INFINITY;
        assert_eq!(error(rough), None);
    }

    #[test]
    fn the_grain_of_values() {
        let epsilon = f64::EPSILON;
        let of = |values: &[f64]| grain(values.iter().copied(), epsilon);
        assert_eq!(of(&[20.3456, 20.34, 1.0]), Some(1e-4));
        assert_eq!(of(&[1234.0, 5678.0]), Some(1.0));
        assert_eq!(of(&[0.1, 1.0 / 3.0]), None);
        let single = [0.1f32, 1.0 / 3.0, 7.7 / 3.0].map(f64::from);
        let found = of(&single).unwrap();
        assert!((1e-7..1e-6).contains(&found), "{found:e}");
        // Values of a run in single precision are as exact as can be.
        assert_eq!(grain(single.into_iter(), f64::from(f32::EPSILON)), None);
        assert_eq!(of(&[0.0, f64::INFINITY]), None);
    }
}
