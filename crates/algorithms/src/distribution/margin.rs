//! A margin, so that no whole variable, choice or flag freezes: its other values keep a probability however small the
//! distribution becomes.
//!
//! Paper: Hamano, Saito, Nomura and Shirakawa, "CMA-ES with margin: lower-bounding marginal probability for mixed-integer
//! black-box optimization" (GECCO 2022); the numbers of the equations are ours. A coordinate of mean m and deviation s means the value whose cell it is in; l are the
//! thresholds between the cells, q(p) is the quantile of N(0, 1), alpha = 1 / (d lambda):
//!
//! ```text
//! m in the first or last cell, l its threshold:   m <- l + sign(m - l) min(|m - l|, q(1 - alpha) s)              (1)
//! else, l1 and l2 the thresholds of m's cell:     p1 = P(v <= l1), p2 = P(v > l2), p = 1 - p1 - p2
//! p1' = max(alpha / 2, p1),  p2' = max(alpha / 2, p2)                                                            (2)
//! pi" = pi' + (1 - p1' - p2' - p) / (p1' + p2' + p - 3 alpha / 2) (pi' - alpha / 2)                              (3)
//! m <- (l1 q(1 - p2") + l2 q(1 - p1")) / (q(1 - p1") + q(1 - p2")),  s <- (l2 - l1) / (q(1 - p1") + q(1 - p2"))  (4)
//! ```
//!
//! The factor of s is the paper's matrix A: it stands in the scale of the chart, and the distribution knows nothing of it. The same
//! holds for every distribution that has a mean and variances.
//!
//! A choice of K words is K coordinates whose largest wins. As in Hamano et al., "CatCMA" (GECCO 2024), every word keeps a
//! probability; here it is that of beating the word in the lead, w:
//!
//! ```text
//! P(v_k > v_w) >= alpha / (K - 1):   m_k <- max(m_k, m_w - q(1 - alpha / (K - 1)) sqrt(Var(v_k - v_w)))          (5)
//! ```
//!
//! Differs from the papers: the rule for choices is our own, since CatCMA has a categorical distribution.

use super::Distribution;
use super::chart::Chart;
use swarmgrad_core::math::{normal_cdf, normal_quantile};
use swarmgrad_core::{Part, Real, Space};

/// Keeps the margin of all variables of a space that are not continuous.
pub(super) fn keep<F: Real, D: Distribution>(space: &Space<F>, chart: &mut Chart, distribution: &mut D) {
    if space.variables().is_empty() {
        return;
    }
    let alpha = 1.0 / (space.dim() as f64 * distribution.population() as f64);
    for part in space.parts() {
        match part {
            Part::Steps { at, count } if count > 1 => {
                let scale = chart.scale()[at];
                let deviation = scale * distribution.covariance(at, at).sqrt();
                let (mean, factor) = of_steps(scale * distribution.mean()[at], deviation, count, alpha);
                chart.stretch(at, factor);
                distribution.mean_mut()[at] = chart.inward(at, mean);
            }
            Part::Choice { from, to } => of_choice(from, to, chart, distribution, alpha),
            Part::Steps { .. } | Part::Continuous(_) => {}
        }
    }
}

/// The mean of a coordinate whose cells are [k - 1/2, k + 1/2] for k from 0 on, and the factor of its deviation.
fn of_steps(mean: f64, deviation: f64, count: u64, alpha: f64) -> (f64, f64) {
    if !(mean.is_finite() && deviation > 0.0 && deviation.is_finite()) {
        return (mean, 1.0);
    }
    let last = count as f64 - 1.0;
    let cell = (mean + 0.5).floor().clamp(0.0, last);
    if cell == 0.0 || cell == last {
        let threshold = if cell == 0.0 { 0.5 } else { last - 0.5 };
        let most = normal_quantile(1.0 - alpha) * deviation;
        let kept = (mean - threshold).clamp(-most, most);
        return (if kept == mean - threshold { mean } else { threshold + kept }, 1.0); // (1)
    }
    let half = 0.5 * alpha;
    let (low, high) = (cell - 0.5, cell + 0.5);
    let (below, above) = (normal_cdf((low - mean) / deviation), normal_cdf((mean - high) / deviation));
    if below >= half && above >= half {
        return (mean, 1.0);
    }
    let within = 1.0 - below - above;
    let (below, above) = (below.max(half), above.max(half)); // (2)
    let excess = (1.0 - below - above - within) / (below + above + within - 3.0 * half);
    let quantile = |p: f64| -normal_quantile(p + excess * (p - half)); // (3)
    let (down, up) = (quantile(below), quantile(above));
    ((low * up + high * down) / (down + up), (high - low) / (deviation * (down + up))) // (4)
}

/// Lifts the means of the words that could not win any more.
fn of_choice<D: Distribution>(from: usize, to: usize, chart: &Chart, distribution: &mut D, alpha: f64) {
    let mean = |distribution: &D, k: usize| chart.scale()[k] * distribution.mean()[k];
    let lead =
        (from + 1..to).fold(from, |lead, k| if mean(distribution, k) > mean(distribution, lead) { k } else { lead });
    let top = mean(distribution, lead);
    let quantile = -normal_quantile(alpha / (to - from - 1) as f64);
    for k in (from..to).filter(|&k| k != lead) {
        let [a, b] = [k, lead].map(|j| chart.scale()[j]);
        let variance = a * a * distribution.covariance(k, k) + b * b * distribution.covariance(lead, lead)
            - 2.0 * a * b * distribution.covariance(k, lead);
        let least = top - quantile * variance.max(0.0).sqrt(); // (5)
        if mean(distribution, k) < least {
            distribution.mean_mut()[k] = chart.inward(k, least);
        }
    }
}
