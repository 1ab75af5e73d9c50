//! The paper's assumptions on the objective, A1 to A5, on samples of the initial law, on pairs of them, and on rings far outside.

use super::{Constant, Hypothesis, Objective, Question, Sample, Verdict};
use serde::Serialize;
use swarmgrad_core::Rng;

/// Pairs of samples whose values are compared.
const PAIRS: usize = 20_000;
/// Rings about the samples' mean, their radii as multiples of the samples' scale, and directions on each.
const RINGS: [f64; 4] = [1e1, 1e2, 1e3, 1e4];
const DIRECTIONS: usize = 64;

/// Inverse continuity, assumption A5: |x - x*| <= (E(x) - E_)^nu/eta for the nearest global minimiser x*.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Continuity {
    /// The exponent nu: 1/2, that of a minimum with curvature.
    pub nu: f64,
    /// The largest eta that the samples, a cloud about each minimiser and the rings allow: an estimate from above.
    pub eta: f64,
    /// How far the limit may lie from a minimiser by the promise and these constants; none without a promise.
    pub distance: Option<f64>,
}

/// Values on rings about the samples' mean: (radius, least, largest), not finite ones as they are.
fn rings(question: &Question<'_>, sample: &Sample, rng: &Rng) -> Vec<(f64, f64, f64)> {
    let Objective::Function(problem) = question.objective else { return Vec::new() };
    let rng = rng.fork("rings");
    let size = sample.mean.iter().map(|t| t * t).sum::<f64>() + sample.variance;
    let (mut u, mut at) = (vec![0.0; sample.mean.len()], vec![0.0; sample.mean.len()]);
    let ring = |(k, factor): (usize, &f64)| {
        let (radius, mut draws) = (factor * size.sqrt().max(1.0), rng.row(k));
        let (mut least, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
        for _ in 0..DIRECTIONS {
            draws.fill_normal(&mut u);
            let norm = u.iter().map(|t| t * t).sum::<f64>().sqrt();
            at.iter_mut().zip(&u).zip(&sample.mean).for_each(|((a, u), m)| *a = m + radius * u / norm);
            let e = problem.value(&at);
            let e = if e.is_nan() { f64::INFINITY } else { e };
            (least, largest) = (least.min(e), largest.max(e));
        }
        (radius, least, largest)
    };
    RINGS.iter().enumerate().map(ring).collect()
}

fn number(t: f64) -> String {
    match t == 0.0 || (1e-3..1e6).contains(&t.abs()) {
        true => format!("{t:.6}"),
        false => format!("{t:.6e}"),
    }
}

fn word(c: Constant) -> &'static str {
    if c.estimated { "estimated from samples" } else { "given" }
}

/// A1 to A4 one by one.
pub(super) fn hypotheses(question: &Question<'_>, sample: &Sample, rng: &Rng) -> Vec<Hypothesis> {
    let (minimum, hessian) = (sample.minimum, sample.hessian);
    let one = |name, verdict, because: String, change: &str| Hypothesis {
        name,
        verdict,
        because,
        change: if verdict == Verdict::Holds { String::new() } else { change.into() },
    };
    let attained = one(
        "A1: the objective has a minimiser",
        Verdict::of(true, minimum.estimated),
        format!("infimum {} ({})", number(minimum.value), word(minimum)),
        "give the infimum where it is known",
    );
    let curved = one(
        "A4: its Hessian is bounded",
        Verdict::of(true, hessian.estimated),
        format!("bound on the Hessian {} ({})", number(hessian.value), word(hessian)),
        "give the bound where it is known",
    );
    vec![attained, lipschitz(sample, rng), far(question, sample, rng), curved]
}

/// A2: |E(x) - E(y)| <= L (1 + |x| + |y|) |x - y|.
fn lipschitz(sample: &Sample, rng: &Rng) -> Hypothesis {
    let norm = |x: &[f64]| x.iter().map(|t| t * t).sum::<f64>().sqrt();
    let (n, rng) = (sample.points.len(), rng.fork("pairs"));
    let mut draws = rng.row(0);
    let (mut worst, mut torn) = (0.0f64, sample.values.iter().filter(|e| !e.is_finite()).count());
    for _ in 0..PAIRS {
        let (i, j) = (draws.below(n), draws.below(n));
        let (x, y) = (sample.points.row(i), sample.points.row(j));
        let distance = x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let gap = (sample.values[i] - sample.values[j]).abs();
        if gap.is_finite() && distance > 0.0 {
            worst = worst.max(gap / (distance * (1.0 + norm(x) + norm(y))));
        } else if distance == 0.0 && gap > 0.0 {
            torn += 1;
        }
    }
    Hypothesis {
        name: "A2: it is locally Lipschitz with at most quadratic growth",
        verdict: Verdict::of(torn == 0, false),
        because: match torn {
            0 => format!("L = {} on {PAIRS} pairs of samples", number(worst)),
            _ => format!("{torn} samples have no finite value, or another one at the same point"),
        },
        change: if torn == 0 { String::new() } else { "a start on which the objective is finite".into() },
    }
}

/// A3: bounded above, or at least quadratic growth.
fn far(question: &Question<'_>, sample: &Sample, rng: &Rng) -> Hypothesis {
    let name = "A3: far away it is bounded or grows at least quadratically";
    let seen = rings(question, sample, rng);
    let [.., before, last] = &seen[..] else {
        return Hypothesis {
            name,
            verdict: Verdict::of(true, sample.minimum.estimated || sample.hessian.estimated),
            because: "taken as given: samples of the start say nothing of it".into(),
            change: String::new(),
        };
    };
    let growth = |ring: &(f64, f64, f64)| (ring.1 - sample.minimum.value) / (ring.0 * ring.0);
    let bounded = last.2.is_finite() && last.2 - sample.minimum.value <= 1.1 * (before.2 - sample.minimum.value);
    // A ratio that stays within a factor ten over a factor ten of the radius falls by less than a power of the radius.
    let grows = growth(last) > 0.0 && growth(last) >= 0.1 * growth(before) * (1.0 + 1e-9);
    let wild = !last.2.is_finite();
    let (verdict, because) = match (wild, bounded, grows) {
        (true, ..) => (Verdict::NotProven, format!("values that are not finite at a distance of {:.3e}", last.0)),
        (_, true, _) => (Verdict::Holds, format!("bounded by {} up to a distance of {:.3e}", number(last.2), last.0)),
        (_, _, true) => {
            (Verdict::Holds, format!("at least {} |x|^2 up to a distance of {:.3e}", number(growth(last)), last.0))
        }
        _ => {
            let ratios = format!(
                "{:.3e} |x|^2 at {:.3e}, {:.3e} |x|^2 at {:.3e}",
                growth(before),
                before.0,
                growth(last),
                last.0
            );
            (Verdict::NotProven, format!("neither on rings: {ratios}"))
        }
    };
    let change = if verdict == Verdict::Holds {
        String::new()
    } else {
        "an objective that is bounded, or a quadratic penalty far away".into()
    };
    Hypothesis { name, verdict, because, change }
}

/// A5 where the minimisers are known.
pub(super) fn continuity(
    question: &Question<'_>,
    sample: &Sample,
    rng: &Rng,
    bound: Option<f64>,
) -> Option<Continuity> {
    let Objective::Function(problem) = question.objective else { return None };
    if question.minimizers.is_empty() || sample.minimum.estimated {
        return None;
    }
    let (nu, mut eta) = (0.5, f64::INFINITY);
    let mut look = |x: &[f64], e: f64| {
        let square = |m: &Vec<f64>| m.iter().zip(x).map(|(m, t)| (m - t).powi(2)).sum::<f64>();
        let distance = question.minimizers.iter().map(square).fold(f64::INFINITY, f64::min).sqrt();
        let above = (e - sample.minimum.value).max(0.0);
        // Nearer than rounding allows nothing is seen.
        if distance > 1e-6 && above.is_finite() {
            eta = eta.min(above.sqrt() / distance);
        }
    };
    sample.points.iter().zip(&sample.values).for_each(|(x, e)| look(x, *e));
    let mut at = vec![0.0; sample.mean.len()];
    let rng = rng.fork("continuity");
    for (k, center) in question.minimizers.iter().enumerate() {
        let mut draws = rng.row(k);
        for step in 0..PAIRS {
            // Radii over four decades about the minimiser.
            let radius = [1e-3, 1e-2, 1e-1, 1.0, 10.0][step % 5];
            draws.fill_normal(&mut at);
            at.iter_mut().zip(center).for_each(|(a, c)| *a = c + radius * *a);
            let e = problem.value(&at);
            look(&at, e);
        }
    }
    let distance = bound.filter(|b| b.is_finite()).map(|b| b.sqrt() / eta);
    Some(Continuity { nu, eta, distance })
}
