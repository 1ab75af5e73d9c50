//! Statistics over runs: order statistics, intervals for proportions and medians, exact tests, and Holm's correction.
//!
//! A failed run has the value infinity, which is legal everywhere: order statistics treat it as the largest value. **NaN
//! counts as infinity.** An empty sample gives NaN. An interpolation between a finite number and infinity is infinite.

use crate::error::{Error, Result};
pub use swarmgrad::math::normal_quantile;

/// The sample sorted, NaN as infinity.
pub fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut s: Vec<f64> = sample.iter().map(|&v| if v.is_nan() { f64::INFINITY } else { v }).collect();
    s.sort_by(f64::total_cmp);
    s
}

/// The `p`-quantile with linear interpolation (type 7, the default of NumPy and R). `p` is clamped to `[0, 1]`.
pub fn quantile(sample: &[f64], p: f64) -> f64 {
    quantile_sorted(&sorted(sample), p)
}

/// [`quantile`] of a sample that is sorted already.
pub fn quantile_sorted(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = p.clamp(0.0, 1.0) * last as f64;
    let low = at.floor() as usize;
    let (a, b, t) = (sorted[low.min(last)], sorted[(low + 1).min(last)], at - at.floor());
    // The guards keep inf - inf and 0 * inf away.
    if t == 0.0 || a == b {
        a
    } else if a.is_infinite() || b.is_infinite() {
        if a == f64::NEG_INFINITY && b == f64::INFINITY && t < 0.5 {
            a
        } else if b.is_infinite() {
            b
        } else {
            a
        }
    } else {
        a + (b - a) * t
    }
}

/// The middle value.
pub fn median(sample: &[f64]) -> f64 {
    quantile(sample, 0.5)
}

/// The quartiles: 25 %, 50 % and 75 %.
pub fn quartiles(sample: &[f64]) -> [f64; 3] {
    let s = sorted(sample);
    [0.25, 0.5, 0.75].map(|p| quantile_sorted(&s, p))
}

/// Third quartile minus first; infinite when the third is, and NaN only for an empty sample.
pub fn interquartile_range(sample: &[f64]) -> f64 {
    let [q1, _, q3] = quartiles(sample);
    if q1 == q3 { 0.0 } else { q3 - q1 }
}

/// The mean; infinite as soon as one value is infinite or NaN. Negative infinity together with infinity gives infinity.
pub fn mean(sample: &[f64]) -> f64 {
    if sample.iter().any(|v| v.is_nan() || *v == f64::INFINITY) {
        return f64::INFINITY;
    }
    sample.iter().sum::<f64>() / sample.len() as f64
}

/// The sample standard deviation (divisor `n - 1`): zero for one value, infinity when a value is not finite.
pub fn standard_deviation(sample: &[f64]) -> f64 {
    if sample.iter().any(|v| !v.is_finite()) {
        return f64::INFINITY;
    }
    let m = mean(sample);
    match sample.len() {
        0 => f64::NAN,
        1 => 0.0,
        n => (sample.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt(),
    }
}

/// An interval and, where it can be told, the probability with which it covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The confidence reached.
    pub confidence: f64,
}

/// Wilson's score interval for a proportion of `k` successes among `n`, without continuity correction.
/// With `n = 0` nothing is known: `[0, 1]`.
pub fn wilson(k: u64, n: u64, confidence: f64) -> Result<Interval> {
    check_confidence(confidence)?;
    if k > n {
        return Err(Error::value("k", k, format!("at most n = {n}")));
    }
    if n == 0 {
        return Ok(Interval { low: 0.0, high: 1.0, confidence });
    }
    let z = normal_quantile(0.5 + confidence / 2.0);
    let (n, p, z2) = (n as f64, k as f64 / n as f64, z * z);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let low = if k == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if k as f64 == n { 1.0 } else { (centre + half).min(1.0) };
    Ok(Interval { low, high, confidence })
}

/// Fisher's exact two-sided test that two proportions, `k1` of `n1` and `k2` of `n2`, are the same: the sum of the
/// hypergeometric probabilities not above the observed one (relative tolerance 1e-7, as R and SciPy do).
pub fn fisher_exact(k1: u64, n1: u64, k2: u64, n2: u64) -> Result<f64> {
    for (name, k, rule, n) in [("k1", k1, "n1", n1), ("k2", k2, "n2", n2)] {
        if k > n {
            return Err(Error::value(name, k, format!("at most {rule} = {n}")));
        }
    }
    let (total, successes) = (n1 + n2, k1 + k2);
    let factorial = log_factorials(total);
    let choose = |n: u64, k: u64| factorial[n as usize] - factorial[k as usize] - factorial[(n - k) as usize];
    let all = choose(total, successes);
    let log_probability = |k: u64| choose(n1, k) + choose(n2, successes - k) - all;
    let observed = log_probability(k1);
    let p: f64 = (successes.saturating_sub(n2)..=successes.min(n1))
        .map(log_probability)
        .filter(|&l| l <= observed + 1e-7)
        .map(f64::exp)
        .sum();
    Ok(p.min(1.0))
}

/// What [`holm`] or [`benjamini_hochberg`] decides about one hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// The adjusted p-value.
    pub p: f64,
    /// Whether the hypothesis is rejected at the level asked for.
    pub rejected: bool,
}

/// The places of p-values by size, and the p-values with 1 for NaN.
fn ascending(p_values: &[f64], alpha: f64) -> Result<(Vec<usize>, Vec<f64>)> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Error::value("alpha", alpha, "between 0 and 1"));
    }
    if let Some(p) = p_values.iter().find(|p| **p < 0.0 || **p > 1.0) {
        return Err(Error::value("p", p, "from 0 to 1"));
    }
    let p: Vec<f64> = p_values.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    Ok((order, p))
}

/// Holm's step-down correction of several p-values at family-wise level `alpha`, in the order given. NaN counts as 1.
pub fn holm(p_values: &[f64], alpha: f64) -> Result<Vec<Adjusted>> {
    let (order, p) = ascending(p_values, alpha)?;
    let m = p_values.len();
    let mut out = vec![Adjusted { p: 1.0, rejected: false }; m];
    let mut largest: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max((p[i] * (m - rank) as f64).min(1.0));
        out[i] = Adjusted { p: largest, rejected: largest <= alpha };
    }
    Ok(out)
}

/// Benjamini and Hochberg's (1995) step-up correction at false discovery rate `alpha`, in the order given. NaN counts as 1.
///
/// # Errors
/// `alpha` not between 0 and 1, a p-value outside 0 to 1.
pub fn benjamini_hochberg(p_values: &[f64], alpha: f64) -> Result<Vec<Adjusted>> {
    let (mut order, p) = ascending(p_values, alpha)?;
    order.reverse();
    let m = p_values.len();
    let mut out = vec![Adjusted { p: 1.0, rejected: false }; m];
    let mut least: f64 = 1.0;
    for (after, &i) in order.iter().enumerate() {
        least = least.min(p[i] * m as f64 / (m - after) as f64);
        out[i] = Adjusted { p: least, rejected: least <= alpha };
    }
    Ok(out)
}

/// A distribution-free confidence interval for the median by order statistics `x(k)` and `x(n-k+1)`: the narrowest symmetric
/// pair whose coverage is at least `confidence`. A sample too small for that gives its whole range; the interval says which
/// confidence it has.
pub fn median_interval(sample: &[f64], confidence: f64) -> Result<Interval> {
    check_confidence(confidence)?;
    let s = sorted(sample);
    let n = s.len();
    if n == 0 {
        return Err(Error::value("sample", "empty", "at least one value"));
    }
    let factorial = log_factorials(n as u64);
    let below = |i: usize| (factorial[n] - factorial[i] - factorial[n - i] - n as f64 * std::f64::consts::LN_2).exp();
    // Coverage of (x(k), x(n-k+1)) is 1 - 2 P(B <= k - 1) with B binomial(n, 1/2).
    let (mut k, mut tail) = (1, below(0));
    while 2 * (k + 1) <= n {
        let next = tail + below(k);
        if 1.0 - 2.0 * next < confidence {
            break;
        }
        (k, tail) = (k + 1, next);
    }
    Ok(Interval { low: s[k - 1], high: s[n - k], confidence: (1.0 - 2.0 * tail).max(0.0) })
}

/// Student's two-sided confidence interval for the mean. One value, or a value that is not finite, tells nothing:
/// `[-inf, inf]`.
///
/// ```
/// use swarmgrad_lab::stats::mean_interval;
/// let i = mean_interval(&[97.2, 96.0, 98.7, 97.3, 96.7], 0.95)?;
/// assert!((i.low - 95.946433).abs() < 1e-6 && (i.high - 98.413567).abs() < 1e-6);
/// # Ok::<(), swarmgrad_lab::Error>(())
/// ```
pub fn mean_interval(sample: &[f64], confidence: f64) -> Result<Interval> {
    check_confidence(confidence)?;
    if sample.is_empty() {
        return Err(Error::value("sample", "empty", "at least one value"));
    }
    if sample.len() < 2 || sample.iter().any(|v| !v.is_finite()) {
        return Ok(Interval { low: f64::NEG_INFINITY, high: f64::INFINITY, confidence });
    }
    let n = sample.len() as f64;
    let half = student_quantile(0.5 + confidence / 2.0, n - 1.0) * standard_deviation(sample) / n.sqrt();
    let centre = mean(sample);
    Ok(Interval { low: centre - half, high: centre + half, confidence })
}

/// Student's two-sided test that the paired differences `a - b` have mean 0, as a p-value. Pairs that do not differ at all
/// give 1; fewer than two pairs, or a difference that is not finite, NaN.
pub fn paired_t(a: &[f64], b: &[f64]) -> Result<f64> {
    if a.len() != b.len() {
        return Err(Error::value("b", format!("{} values", b.len()), format!("as many as a, {}", a.len())));
    }
    let d: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if d.len() < 2 || d.iter().any(|v| !v.is_finite()) {
        return Ok(f64::NAN);
    }
    let (centre, spread, n) = (mean(&d), standard_deviation(&d), d.len() as f64);
    if spread == 0.0 {
        return Ok(if centre == 0.0 { 1.0 } else { 0.0 });
    }
    Ok((2.0 * student_tail((centre / (spread / n.sqrt())).abs(), n - 1.0)).min(1.0))
}

/// How two paired samples compare, where a difference below a margin does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equivalence {
    /// The means differ by less than the margin, by two one-sided tests.
    Equivalent,
    /// The first is significantly better.
    Better,
    /// The first is significantly worse.
    Worse,
    /// Neither can be told.
    Open,
}

impl Equivalence {
    /// All, in the order in which they are told.
    pub const ALL: [Equivalence; 4] =
        [Equivalence::Equivalent, Equivalence::Better, Equivalence::Worse, Equivalence::Open];

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Equivalence::Equivalent => "equivalent",
            Equivalence::Better => "better",
            Equivalence::Worse => "worse",
            Equivalence::Open => "open",
        }
    }

    /// How many there are of each.
    pub fn counts(judged: &[Equivalence]) -> String {
        let count = |kind: &Equivalence| judged.iter().filter(|j| *j == kind).count();
        Equivalence::ALL.iter().map(|kind| format!("{} {}", kind.word(), count(kind))).collect::<Vec<_>>().join(", ")
    }
}

/// Whether the mean of `a` is as large as that of `b`, pair by pair: equivalent where two one-sided t tests at 5 % reject a difference
/// `a - b` of `margin` or more either way (Schuirmann 1987), else better or worse where Student's two-sided test at 5 % rejects none,
/// else open. Fewer than two pairs, or one that is not finite, leave it open.
///
/// ```
/// use swarmgrad_lab::stats::{Equivalence, equivalence};
/// let zero = [0.0; 5];
/// assert_eq!(equivalence(&[0.1, -0.2, 0.0, 0.2, -0.1], &zero, 0.5)?, Equivalence::Equivalent);
/// assert_eq!(equivalence(&[1.1, 0.8, 1.0, 1.2, 0.9], &zero, 0.5)?, Equivalence::Better);
/// assert_eq!(equivalence(&[3.0, -3.0, 1.0, -2.0, 2.0], &zero, 0.5)?, Equivalence::Open);
/// # Ok::<(), swarmgrad_lab::Error>(())
/// ```
pub fn equivalence(a: &[f64], b: &[f64], margin: f64) -> Result<Equivalence> {
    if a.len() != b.len() {
        return Err(Error::value("b", format!("{} values", b.len()), format!("as many as a, {}", a.len())));
    }
    if !(margin > 0.0 && margin.is_finite()) {
        return Err(Error::value("margin", margin, "a number above 0"));
    }
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if difference.is_empty() {
        return Ok(Equivalence::Open);
    }
    // Both one-sided tests at 5 % reject where the two-sided interval of 90 % lies within the margin.
    let (inner, outer) = (mean_interval(&difference, 0.9)?, mean_interval(&difference, 0.95)?);
    Ok(if inner.low > -margin && inner.high < margin {
        Equivalence::Equivalent
    } else if outer.low > 0.0 {
        Equivalence::Better
    } else if outer.high < 0.0 {
        Equivalence::Worse
    } else {
        Equivalence::Open
    })
}

/// What [`signed_rank`] says of two paired samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// The two-sided p-value.
    pub p: f64,
    /// The sum of the ranks of positive differences less that of negative ones: negative where `a` tends to be smaller.
    pub balance: f64,
}

/// Wilcoxon's signed-rank test that paired differences `a - b` are symmetric about 0, by the normal approximation with
/// correction for ties; the ranks of pairs that do not differ count half for either side, as SciPy's
/// `wilcoxon(zero_method="zsplit", method="approx")`. Both infinite is no difference. An empty sample gives NaN.
///
/// ```
/// use swarmgrad_lab::stats::signed_rank;
/// let test = signed_rank(&[1.0, 2.0, 3.0, 4.0, 6.0], &[1.0, 3.0, 5.0, 7.0, 2.0])?;
/// assert!((test.p - 0.589_638_551_626_567_1).abs() < 1e-9 && test.balance == -4.0);
/// # Ok::<(), swarmgrad_lab::Error>(())
/// ```
pub fn signed_rank(a: &[f64], b: &[f64]) -> Result<SignedRank> {
    if a.len() != b.len() {
        return Err(Error::value("b", format!("{} values", b.len()), format!("as many as a, {}", a.len())));
    }
    let number = |v: f64| if v.is_nan() { f64::INFINITY } else { v };
    let difference = |(a, b): (&f64, &f64)| if number(*a) == number(*b) { 0.0 } else { number(*a) - number(*b) };
    let mut d: Vec<f64> = a.iter().zip(b).map(difference).collect();
    d.sort_by(|x, y| x.abs().total_cmp(&y.abs()));
    let n = d.len() as f64;
    let (mut balance, mut ties, mut i) = (0.0, 0.0, 0);
    while i < d.len() {
        let group = d[i..].iter().take_while(|x| x.abs() == d[i].abs()).count();
        let rank = i as f64 + 0.5 * (group as f64 + 1.0);
        balance += rank * d[i..i + group].iter().map(|x| if *x == 0.0 { 0.0 } else { x.signum() }).sum::<f64>();
        ties += (group as f64).powi(3) - group as f64;
        i += group;
    }
    if d.is_empty() {
        return Ok(SignedRank { p: f64::NAN, balance });
    }
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    // The sum of positive ranks is off its mean by half the balance.
    let z = 0.5 * balance.abs() / variance.sqrt();
    let p = if balance == 0.0 { 1.0 } else { (2.0 * student_tail(z, 1e12)).min(1.0) };
    Ok(SignedRank { p, balance })
}

/// The rank-sum test (Mann, Whitney, Wilcoxon) that two samples come from one distribution, as a two-sided p-value by the
/// normal approximation with correction for ties and continuity, as SciPy's `mannwhitneyu(method="asymptotic")`. NaN counts
/// as infinity; an empty sample gives NaN.
///
/// ```
/// use swarmgrad_lab::stats::rank_sum;
/// let p = rank_sum(&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]);
/// assert!((p - 0.012186).abs() < 1e-6);
/// ```
pub fn rank_sum(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.len() as f64, b.len() as f64);
    if a.is_empty() || b.is_empty() {
        return f64::NAN;
    }
    let tagged = |s: &[f64], first: bool| sorted(s).into_iter().map(move |v| (v, first)).collect::<Vec<_>>();
    let mut all = [tagged(a, true), tagged(b, false)].concat();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut rank_a, mut ties, mut i) = (0.0, 0.0, 0);
    while i < all.len() {
        let group = all[i..].iter().take_while(|x| x.0 == all[i].0).count();
        let rank = i as f64 + 0.5 * (group as f64 + 1.0);
        rank_a += rank * all[i..i + group].iter().filter(|x| x.1).count() as f64;
        ties += (group as f64).powi(3) - group as f64;
        i += group;
    }
    let u = rank_a - n * (n + 1.0) / 2.0;
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    // The normal tail is Student's with infinitely many degrees of freedom.
    (2.0 * student_tail(z, 1e12)).min(1.0)
}

/// The probability that Student's t with `freedom` degrees of freedom exceeds `t >= 0`.
fn student_tail(t: f64, freedom: f64) -> f64 {
    if freedom >= 1e9 {
        return 0.5 * complementary_error(t / std::f64::consts::SQRT_2);
    }
    0.5 * incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

/// The quantile of Student's t at `p >= 1/2`.
fn student_quantile(p: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_tail(high, freedom) > 1.0 - p {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if student_tail(middle, freedom) > 1.0 - p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// erfc(x) for x >= 0: the series of erf below 2, a continued fraction beyond.
fn complementary_error(x: f64) -> f64 {
    let scale = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let (mut term, mut sum) = (2.0 * x * scale, 2.0 * x * scale);
        for k in 1..200 {
            term *= 2.0 * x * x / f64::from(2 * k + 1);
            sum += term;
        }
        1.0 - sum
    } else {
        scale / (1..=60).rev().fold(x, |tail, k| x + f64::from(k) / 2.0 / tail)
    }
}

/// The regularised incomplete beta function, by Lentz's continued fraction.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = (log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    let away = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut product = d;
    for m in 1..500 {
        let m = f64::from(m);
        for step in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away(1.0 + step * d);
            c = away(1.0 + step / c);
            product *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * product
}

/// ln Gamma(x) for x > 0: Stirling's series after moving x beyond 10.
fn log_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    let tail = series.iter().rev().fold(0.0, |sum, c| sum / (x * x) + c) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail - shift
}

fn check_confidence(confidence: f64) -> Result<()> {
    if confidence > 0.0 && confidence < 1.0 {
        Ok(())
    } else {
        Err(Error::value("confidence", confidence, "between 0 and 1"))
    }
}

fn log_factorials(n: u64) -> Vec<f64> {
    // Kahan's sum: the table stays exact to a few units in the last place up to millions.
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    let mut table = Vec::with_capacity(n as usize + 1);
    table.push(0.0);
    for i in 1..=n {
        let term = (i as f64).ln() - lost;
        let next = sum + term;
        lost = (next - sum) - term;
        sum = next;
        table.push(sum);
    }
    table
}
