//! Relaxation: smooth stand-ins of decisions, and their exact limits.
//!
//! ```text
//! softmax     w_i = exp(l_i / tau) / sum_j exp(l_j / tau)                 -> the largest logit           (tau -> 0)
//! Gumbel      softmax of l + G, G_i = -ln(-ln u_i)                        -> a sample of softmax(l)      (Jang et al. 2017)
//! gate        s(z / tau) = 1 / (1 + exp(-z / tau))                        -> 1 where z > 0, else 0
//! concrete    gate of logit(p) - logit(u)                                 -> 1 where u < p               (Maddison et al. 2017)
//! top k       p_i = s(l_i / tau + nu), nu so that sum p = k               -> the k largest logits        (Amos et al. 2019)
//! SoftSort    row i: softmax over j of -|s_(i) - s_j| / tau               -> the permutation that sorts  (Prillo & Eisenschlos 2020)
//! NeuralSort  row i: softmax over j of ((n + 1 - 2 i) s_j - sum_k |s_j - s_k|) / tau, descending          (Grover et al. 2019)
//! ```
//!
//! Logits are ranks, 0 for the best and -1 for the worst, so that a temperature means the same for every objective: with n
//! different values a softmax is within (n - 1) exp(-1 / ((n - 1) tau)) of the choice it stands for.

use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::choice;
use swarmgrad_core::{Real, Scalar, math, sort_indices};

choice! {
    /// How a decision is made and differentiated.
    pub enum Form {
        /// The decision itself; its derivative is that of the branch taken.
        Hard = "hard",
        /// The decision itself, differentiated as if it were soft.
        StraightThrough = "straight_through",
        /// A mixture of the branches.
        Soft = "soft",
    }
}

/// A form and its temperature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Relaxation {
    /// How decisions are made.
    pub form: Form,
    /// tau > 0, in units of the logits.
    pub temperature: f64,
}

impl Relaxation {
    /// Decisions as the plain methods make them.
    pub const HARD: Relaxation = Relaxation { form: Form::Hard, temperature: 1.0 };

    /// The plain decision, differentiated as if it were soft.
    pub fn straight_through(temperature: f64) -> Self {
        Relaxation { form: Form::StraightThrough, temperature }
    }

    /// A mixture.
    pub fn soft(temperature: f64) -> Self {
        Relaxation { form: Form::Soft, temperature }
    }

    /// What the decision gives: `hard`, `soft`, or the first with the derivatives of the second.
    #[inline(always)]
    pub(crate) fn decide<S: Scalar>(&self, hard: impl FnOnce() -> S, soft: impl FnOnce() -> S) -> S {
        match self.form {
            Form::Hard => hard(),
            Form::StraightThrough => S::straight_through(hard(), soft),
            Form::Soft => soft(),
        }
    }

    /// 1 or 0 by `hard`, or the gate of `z`, whose sign is the decision.
    #[inline(always)]
    pub(crate) fn gate<S: Scalar>(&self, hard: bool, z: impl FnOnce() -> S) -> S {
        let decided = || if hard { S::one() } else { S::zero() };
        self.decide(decided, || sigmoid(z() / S::of(self.temperature)))
    }

    /// Derivative of [`Relaxation::gate`] by z.
    #[inline(always)]
    pub(crate) fn gate_slope(&self, z: f64) -> f64 {
        if self.form == Form::Hard {
            return 0.0;
        }
        let s = sigmoid(z / self.temperature);
        s * (1.0 - s) / self.temperature
    }
}

/// 1 / (1 + e^-x), without overflow.
#[inline(always)]
pub fn sigmoid<S: Scalar>(x: S) -> S {
    if x.f64() >= 0.0 {
        (S::one() + (-x).exp()).recip()
    } else {
        let e = x.exp();
        e / (S::one() + e)
    }
}

/// logit(rate) - logit(draw): positive where the draw is below the rate. Both are kept inside (0, 1).
#[inline(always)]
pub(crate) fn mask_logit<S: Scalar>(rate: S, draw: f64) -> S {
    let rate = if (EDGE..=1.0 - EDGE).contains(&rate.f64()) { rate } else { S::of(rate.f64().clamp(EDGE, 1.0 - EDGE)) };
    logit(rate) - S::of(logit(draw.clamp(EDGE, 1.0 - EDGE)))
}

/// Derivative of [`mask_logit`] by the rate.
#[inline(always)]
pub(crate) fn mask_logit_slope(rate: f64) -> f64 {
    if (EDGE..=1.0 - EDGE).contains(&rate) { (rate * (1.0 - rate)).recip() } else { 0.0 }
}

/// Rates and draws are kept this far from 0 and 1 where their logits are taken.
const EDGE: f64 = 1e-12;

/// ln(p / (1 - p)).
#[inline(always)]
pub fn logit<S: Scalar>(p: S) -> S {
    (p / (S::one() - p)).ln()
}

/// Gumbel numbers -ln(-ln u) of uniform ones, in place.
pub fn gumbel(draws: &mut [f64]) {
    draws.iter_mut().for_each(|u| *u = -math::ln(-math::ln(u.max(f64::MIN_POSITIVE))));
}

/// Rank logits of values: 0 for the best, -1 for the worst, in equal steps; `order` is room for the sorting. A single
/// value has 0.
pub fn rank_logits<F: Real>(values: &[F], order: &mut Vec<usize>, out: &mut [f64]) {
    sort_indices(values, order);
    let worst = (values.len().max(2) - 1) as f64;
    for (rank, &i) in order.iter().enumerate() {
        out[i] = -(rank as f64) / worst;
    }
}

/// The index of the largest logit, the first of equals; 0 where there is none.
pub fn largest<S: Scalar>(logits: &[S]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

/// Softmax at a temperature. Logits of -inf have weight 0; at least one must be finite.
pub fn softmax<S: Scalar>(logits: &[S], temperature: f64, out: &mut [S]) {
    let top = logits[largest(logits)];
    let scale = S::of(temperature.recip());
    let mut sum = S::zero();
    for (o, &l) in out.iter_mut().zip(logits) {
        *o = if l.f64() == f64::NEG_INFINITY { S::zero() } else { ((l - top) * scale).exp() };
        sum = sum + *o;
    }
    let share = sum.recip();
    out.iter_mut().for_each(|o| *o = *o * share);
}

/// Adjoint of [`softmax`]: adds the derivative by the logits, given its weights and the derivative by them.
pub fn softmax_vjp(weights: &[f64], d_weights: &[f64], temperature: f64, d_logits: &mut [f64]) {
    let mean: f64 = weights.iter().zip(d_weights).map(|(w, d)| w * d).sum();
    for ((o, w), d) in d_logits.iter_mut().zip(weights).zip(d_weights) {
        *o += w * (d - mean) / temperature;
    }
}

/// Soft membership of the `k` largest logits: in (0, 1), their sum k.
pub fn top_k<S: Scalar>(logits: &[S], k: usize, temperature: f64, out: &mut [S]) {
    let n = logits.len();
    if k == 0 || k >= n {
        out.fill(if k == 0 { S::zero() } else { S::one() });
        return;
    }
    let number = |i: usize| logits[i].f64() / temperature;
    let count = |nu: f64| (0..n).map(|i| sigmoid(number(i) + nu)).sum::<f64>();
    let (low, high) = (0..n).map(number).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), t| (l.min(t), h.max(t)));
    let (mut below, mut above) = (-high - 40.0, -low + 40.0);
    for _ in 0..100 {
        let middle = 0.5 * (below + above);
        if count(middle) < k as f64 { below = middle } else { above = middle }
    }
    let nu = S::of(0.5 * (below + above));
    // One step of Newton's method: it makes the sum exact, and by the implicit function theorem the derivatives of nu.
    let scaled = |i: usize| logits[i] / S::of(temperature);
    let mut excess = S::of(-(k as f64));
    let mut slope = 0.0;
    for i in 0..n {
        let s = sigmoid(scaled(i) + nu);
        excess = excess + s;
        slope += s.f64() * (1.0 - s.f64());
    }
    let nu = if slope > 0.0 { nu - excess / S::of(slope) } else { nu };
    out.iter_mut().enumerate().for_each(|(i, o)| *o = sigmoid(scaled(i) + nu));
}

/// Adjoint of [`top_k`]: adds (D d - (D 1) (1' D d) / (1' D 1)) / tau, D = diag p (1 - p).
pub fn top_k_vjp(members: &[f64], d_members: &[f64], temperature: f64, d_logits: &mut [f64]) {
    let curve = |p: f64| p * (1.0 - p);
    let total: f64 = members.iter().map(|&p| curve(p)).sum();
    if total == 0.0 {
        return;
    }
    let mean = members.iter().zip(d_members).map(|(&p, d)| curve(p) * d).sum::<f64>() / total;
    for ((o, &p), d) in d_logits.iter_mut().zip(members).zip(d_members) {
        *o += curve(p) * (d - mean) / temperature;
    }
}

/// A row of SoftSort: how much each score is `pivot`, the score of that rank.
pub fn soft_sort_row<S: Scalar>(pivot: S, scores: &[S], temperature: f64, out: &mut [S]) {
    let logits: Vec<S> = scores.iter().map(|&s| -(pivot - s).abs()).collect();
    softmax(&logits, temperature, out);
}

/// Row `i`, from 0, of NeuralSort: how much each score is the i-th smallest.
pub fn neural_sort_row<S: Scalar>(scores: &[S], i: usize, temperature: f64, out: &mut [S]) {
    let n = scores.len();
    // The definition sorts in descending order, so it is applied to the negated scores.
    let factor = S::of(n as f64 + 1.0 - 2.0 * (i as f64 + 1.0));
    let logit = |s: S| scores.iter().fold(-factor * s, |sum, &other| sum - (s - other).abs());
    let logits: Vec<S> = scores.iter().map(|&s| logit(s)).collect();
    softmax(&logits, temperature, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    const N: usize = 50;

    /// Different values over many decades, and their rank logits.
    fn case(seed: u64) -> (Vec<f64>, Vec<f64>, Vec<usize>) {
        let (mut values, mut order, mut logits) = (vec![0.0; N], Vec::new(), vec![0.0; N]);
        Rng::new(seed).row(0).fill_normal(&mut values);
        values.iter_mut().for_each(|z| *z = (5.0 * *z).exp());
        rank_logits(&values, &mut order, &mut logits);
        (values, logits, order)
    }

    /// The distance of a softmax over rank logits from the best.
    fn gap(logits: &[f64], best: usize, temperature: f64) -> f64 {
        let mut w = vec![0.0; N];
        softmax(logits, temperature, &mut w);
        w[best] -= 1.0;
        w.iter().fold(0.0, |gap: f64, t| gap.max(t.abs()))
    }

    #[test]
    fn softmax_over_ranks_keeps_its_bound_and_falls_with_the_temperature() {
        for seed in 0..20 {
            let (_, logits, order) = case(seed);
            let gaps = [1.0, 0.1, 0.01, 0.001].map(|tau| gap(&logits, order[0], tau));
            assert!(gaps.windows(2).all(|g| g[1] < g[0]), "{gaps:?}");
            for tau in [0.01, 0.003, 0.001] {
                let bound = 49.0 * (-1.0 / (49.0 * tau)).exp();
                assert!(gap(&logits, order[0], tau) <= bound, "{tau}: {}", gap(&logits, order[0], tau));
            }
            assert!(gaps[3] < 6.8e-8);
        }
    }

    #[test]
    fn soft_sorts_become_the_permutation() {
        let (_, logits, order) = case(3);
        let ranks: Vec<f64> = logits.iter().map(|l| -l).collect();
        let mut sorted = ranks.clone();
        sorted.sort_by(f64::total_cmp);
        let mut row = vec![0.0; N];
        let mut last = [f64::INFINITY; 2];
        for tau in [1.0, 0.1, 0.01, 0.001] {
            let mut gaps = [0.0f64; 2];
            for i in 0..N {
                for (which, gap) in gaps.iter_mut().enumerate() {
                    match which {
                        0 => soft_sort_row(sorted[i], &ranks, tau, &mut row),
                        _ => neural_sort_row(&ranks, i, tau, &mut row),
                    }
                    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                    row[order[i]] -= 1.0;
                    *gap = row.iter().fold(*gap, |gap, t| gap.max(t.abs()));
                }
            }
            assert!(gaps[0] < last[0] && gaps[1] < last[1], "{tau}: {gaps:?}");
            last = gaps;
        }
        assert!(last[0] < 1e-8 && last[1] < 1e-8, "{last:?}");
    }

    #[test]
    fn soft_top_k_sums_to_k_and_becomes_the_k_best() {
        let (_, logits, order) = case(7);
        let mut p = vec![0.0; N];
        for k in [1, 7, 49] {
            for tau in [1.0, 0.1, 0.01] {
                top_k(&logits, k, tau, &mut p);
                assert!((p.iter().sum::<f64>() - k as f64).abs() < 1e-9, "{k} {tau}");
            }
            top_k(&logits, k, 1e-4, &mut p);
            for (rank, &i) in order.iter().enumerate() {
                assert!((p[i] - f64::from(u8::from(rank < k))).abs() < 1e-9, "{k}: {}", p[i]);
            }
        }
        top_k(&logits, N, 0.1, &mut p);
        assert!(p.iter().all(|&t| t == 1.0));
    }

    #[test]
    fn gumbel_numbers_sample_the_softmax() {
        let logits = [0.0, -0.5, -1.0, -2.0];
        let (mut law, mut counts) = ([0.0; 4], [0.0; 4]);
        softmax(&logits, 1.0, &mut law);
        let rng = Rng::new(5);
        let samples = 100_000;
        for i in 0..samples {
            let mut g = [0.0; 4];
            rng.row(i).fill_uniform(&mut g);
            gumbel(&mut g);
            let perturbed: Vec<f64> = logits.iter().zip(g).map(|(l, g)| l + g).collect();
            counts[largest(&perturbed)] += 1.0;
        }
        let chi2: f64 =
            counts.iter().zip(law).map(|(c, p)| (c - samples as f64 * p).powi(2) / (samples as f64 * p)).sum();
        assert!(chi2 < 16.27, "chi2 {chi2} with 3 degrees of freedom: p < 1e-3");
    }

    #[test]
    fn the_gate_opens_where_the_draw_is_below_the_rate() {
        let (rng, relax) = (Rng::new(6), Relaxation::straight_through(0.3));
        for p in [0.02, 0.4, 0.9] {
            let mut draws = vec![0.0; 100_000];
            rng.fork(&p.to_string()).row(0).fill_uniform(&mut draws);
            let open: f64 = draws.iter().map(|&u| relax.gate(u < p, || logit(p) - logit(u))).sum();
            let deviation = (1e5 * p * (1.0 - p)).sqrt();
            assert!((open - 1e5 * p).abs() < 4.0 * deviation, "{p}: {open}");
            // The sign of z is the decision.
            assert!(draws.iter().all(|&u| (u < p) == (logit(p) - logit(u) > 0.0)));
        }
    }

    #[test]
    fn soft_parents_contract_and_straight_through_parents_do_not() {
        // Variance of the parents over that of the population, softmax of Gumbel-perturbed equal logits.
        let rng = Rng::new(9);
        let mut points = vec![0.0; N];
        rng.row(0).fill_normal(&mut points);
        let ratio = |tau: f64, hard: bool| {
            let mut parents = Vec::new();
            for i in 0..20_000 {
                let (mut g, mut w) = (vec![0.0; N], vec![0.0; N]);
                rng.fork("g").row(i).fill_uniform(&mut g);
                gumbel(&mut g);
                softmax(&g, tau, &mut w);
                let soft = w.iter().zip(&points).map(|(w, x)| w * x).sum::<f64>();
                parents.push(if hard { points[largest(&g)] } else { soft });
            }
            let variance = |x: &[f64]| {
                let mean = x.iter().sum::<f64>() / x.len() as f64;
                x.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / x.len() as f64
            };
            variance(&parents) / variance(&points)
        };
        let (soft, straight) = (ratio(1.0, false), ratio(1.0, true));
        assert!((0.15..0.25).contains(&soft), "soft {soft}");
        assert!((0.9..1.1).contains(&straight), "straight through {straight}");
    }
}
