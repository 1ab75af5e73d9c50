//! Statistics against NumPy, SciPy and statsmodels. The numbers were made by:
//!
//! ```python
//! import numpy as np
//! from scipy import stats
//! from statsmodels.stats.proportion import proportion_confint
//! from statsmodels.stats.multitest import multipletests
//! s = [3.1, -2.0, 7.25, 0.5, 11.0, 4.0, 4.0, 1e-3]
//! print([np.quantile(s, p) for p in (0, .1, .25, .5, .75, .9, 1)], stats.iqr(s), np.mean(s), np.std(s, ddof=1))
//! print([proportion_confint(k, n, 1 - c, "wilson") for k, n, c in ((0, 10, .95), (7, 20, .95), (50, 51, .99), (25, 25, .9))])
//! print([stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue for k1, n1, k2, n2 in
//!        ((8, 10, 1, 6), (3, 20, 11, 20), (0, 25, 25, 25), (5, 10, 5, 10), (490, 500, 470, 500), (0, 5, 0, 7), (1, 24, 5, 36))])
//! print(multipletests([.01, .04, .03, .005, .5, .0125], .05, "holm"))
//! print([stats.norm.ppf(p) for p in (1e-300, 1e-10, .025, .3, .5, .975, .9999)])
//! for n, c in ((10, .95), (25, .95), (51, .99), (5, .95), (6, .95), (100, .9)):
//!     k = max([1] + [k for k in range(1, n // 2 + 1) if 1 - 2 * stats.binom.cdf(k - 1, n, .5) >= c])
//!     print(n, c, k, n - k + 1, 1 - 2 * stats.binom.cdf(k - 1, n, .5))
//! ```

use swarmgrad_lab::stats::*;

const S: [f64; 8] = [3.1, -2.0, 7.25, 0.5, 11.0, 4.0, 4.0, 1e-3];
const INF: f64 = f64::INFINITY;

#[track_caller]
fn close(a: f64, b: f64) {
    // Written so that NaN is not close.
    assert!((a - b).abs() <= 1e-11 * b.abs().max(1e-15), "{a} is not {b}");
}

#[test]
fn order_statistics() {
    let expected = [
        (0.0, -2.0),
        (0.1, -0.5992999999999998),
        (0.25, 0.37525),
        (0.5, 3.55),
        (0.75, 4.8125),
        (0.9, 8.375),
        (1.0, 11.0),
    ];
    for (p, q) in expected {
        close(quantile(&S, p), q);
    }
    close(interquartile_range(&S), 4.43725);
    close(mean(&S), 3.481375);
    close(standard_deviation(&S), 4.182663639954808);
    assert_eq!(quartiles(&S), [quantile(&S, 0.25), median(&S), quantile(&S, 0.75)]);
    assert_eq!(median(&[5.0]), 5.0);
}

#[test]
fn failed_runs_are_infinite() {
    assert_eq!(median(&[1.0, f64::NAN, 2.0]), 2.0);
    assert_eq!(median(&[INF, INF, 2.0]), INF);
    assert_eq!(median(&[1.0, 2.0, INF, INF]), INF);
    assert_eq!(quantile(&[1.0, 2.0, 3.0, INF, INF], 0.5), 3.0, "an exact position needs no neighbour");
    assert_eq!(quartiles(&[INF; 3]), [INF; 3]);
    assert_eq!(quantile(&[-INF, 1.0, 2.0], 0.25), -INF);
    assert_eq!(interquartile_range(&[INF; 4]), 0.0);
    assert_eq!(interquartile_range(&[1.0, 1.0, INF, INF]), INF);
    assert_eq!(mean(&[1.0, f64::NAN]), INF);
    assert_eq!(standard_deviation(&[1.0, INF]), INF);
    assert!(median(&[]).is_nan() && mean(&[]).is_nan());
}

#[test]
fn wilson_intervals() {
    let expected = [
        (0, 10, 0.95, 0.0, 0.2775327998628892),
        (7, 20, 0.95, 0.18119182410108206, 0.5671457233147638),
        (50, 51, 0.99, 0.8524856377752864, 0.9976937307972563),
        (25, 25, 0.9, 0.902346493993949, 1.0),
    ];
    for (k, n, confidence, low, high) in expected {
        let i = wilson(k, n, confidence).unwrap();
        close(i.low, low);
        close(i.high, high);
    }
    assert_eq!(wilson(0, 0, 0.95).unwrap(), Interval { low: 0.0, high: 1.0, confidence: 0.95 });
    assert_eq!(wilson(3, 2, 0.95).unwrap_err().to_string(), "k = 3: at most n = 2");
    assert!(wilson(1, 2, 1.0).is_err() && wilson(1, 2, f64::NAN).is_err());
}

#[test]
fn fisher() {
    let expected = [
        ((8, 10, 1, 6), 0.034965034965034975),
        ((3, 20, 11, 20), 0.018701126042616586),
        ((0, 25, 25, 25), 1.5821457204897235e-14),
        ((5, 10, 5, 10), 1.0),
        ((490, 500, 470, 500), 0.0018083493190978333),
        ((0, 5, 0, 7), 1.0),
        ((1, 24, 5, 36), 0.38660063367067576),
    ];
    for ((k1, n1, k2, n2), p) in expected {
        close(fisher_exact(k1, n1, k2, n2).unwrap(), p);
        close(fisher_exact(k2, n2, k1, n1).unwrap(), p);
    }
    assert_eq!(fisher_exact(1, 2, 5, 4).unwrap_err().to_string(), "k2 = 5: at most n2 = 4");
    assert_eq!(fisher_exact(0, 0, 0, 0).unwrap(), 1.0);
}

/// statsmodels' `multipletests(.., .05, "fdr_bh")` gives the same.
#[test]
fn benjamini_and_hochberg_step_up() {
    let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.0125], 0.046).unwrap();
    for (found, (p, rejected)) in
        adjusted.iter().zip([(0.025, true), (0.048, false), (0.045, true), (0.025, true), (0.5, false), (0.025, true)])
    {
        assert!((found.p - p).abs() < 1e-15 && found.rejected == rejected, "{found:?} {p}");
    }
    assert_eq!(benjamini_hochberg(&[f64::NAN], 0.05).unwrap(), [Adjusted { p: 1.0, rejected: false }]);
    assert!(benjamini_hochberg(&[0.1], 1.0).is_err() && benjamini_hochberg(&[-0.5], 0.05).is_err());
}

#[test]
fn holm_steps_down() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.0125], 0.05).unwrap();
    for (a, (p, rejected)) in
        adjusted.iter().zip([(0.05, true), (0.09, false), (0.09, false), (0.03, true), (0.5, false), (0.05, true)])
    {
        close(a.p, p);
        assert_eq!(a.rejected, rejected);
    }
    assert_eq!(holm(&[f64::NAN], 0.05).unwrap(), [Adjusted { p: 1.0, rejected: false }]);
    assert!(holm(&[0.1], 0.0).is_err() && holm(&[1.5], 0.05).is_err());
    assert!(holm(&[], 0.05).unwrap().is_empty());
}

#[test]
fn normal_quantiles() {
    let expected = [
        (1e-300, -37.0470962993612),
        (1e-10, -6.361340902404056),
        (0.025, -1.9599639845400545),
        (0.3, -0.5244005127080409),
        (0.5, 0.0),
        (0.975, 1.959963984540054),
        (0.9999, 3.719016485455709),
    ];
    for (p, z) in expected {
        close(normal_quantile(p), z);
    }
    assert_eq!(normal_quantile(0.0), -INF);
    assert_eq!(normal_quantile(1.0), INF);
    assert!(normal_quantile(1.1).is_nan());
}

#[test]
fn median_intervals() {
    let expected = [
        (10, 0.95, 2, 9, 0.978515625),
        (25, 0.95, 8, 18, 0.9567147493362427),
        (51, 0.99, 16, 36, 0.9953986902882335),
        (5, 0.95, 1, 5, 0.9375),
        (6, 0.95, 1, 6, 0.96875),
        (100, 0.9, 42, 59, 0.9113739198859324),
    ];
    for (n, confidence, low, high, reached) in expected {
        let sample: Vec<f64> = (1..=n).rev().map(f64::from).collect();
        let i = median_interval(&sample, confidence).unwrap();
        assert_eq!((i.low, i.high), (f64::from(low), f64::from(high)));
        close(i.confidence, reached);
    }
    assert_eq!(median_interval(&[2.0], 0.95).unwrap(), Interval { low: 2.0, high: 2.0, confidence: 0.0 });
    assert_eq!(median_interval(&[1.0, 2.0, INF, f64::NAN, 0.0, 3.0], 0.9).unwrap().high, INF);
    assert!(median_interval(&[], 0.95).is_err());
}

/// Two one-sided tests at 5 % are the interval of 90 %: n = 4, mean 1, deviation 1, so 1 +- 2.353363 / 2; the level is not 95 %.
#[test]
fn equivalence_is_two_one_sided_tests() {
    use swarmgrad_lab::stats::{Equivalence, equivalence};
    let half = 1.5f64.sqrt() / 2.0f64.sqrt();
    let a = [1.0 - half, 1.0 - half, 1.0 + half, 1.0 + half];
    let zero = [0.0; 4];
    let high = 1.0 + 2.353_363_434_801_8 / 2.0;
    assert_eq!(equivalence(&a, &zero, high + 1e-6).unwrap(), Equivalence::Equivalent);
    assert_eq!(equivalence(&a, &zero, high - 1e-6).unwrap(), Equivalence::Open);
    let far = a.map(|t| t + 1.0);
    assert_eq!(equivalence(&far, &zero, 1.0).unwrap(), Equivalence::Better);
    assert_eq!(equivalence(&zero, &far, 1.0).unwrap(), Equivalence::Worse);
    assert_eq!(equivalence(&[], &[], 1.0).unwrap(), Equivalence::Open);
    assert_eq!(equivalence(&[f64::NAN, 1.0], &[0.0, 1.0], 1.0).unwrap(), Equivalence::Open);
    assert!(equivalence(&a, &zero[1..], 1.0).is_err() && equivalence(&a, &zero, 0.0).is_err());
}
