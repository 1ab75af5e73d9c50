//! Parameters that satisfy the theorems, for the same objective.

use super::super::diagnostics::Moments;
use super::super::pso_sde::Memory;
use super::super::theory::{Dynamics, memoryless, weight, with_memory};
use super::{Objective, Question, Sample};
use serde::Serialize;
use swarmgrad_core::math;

/// Parameters for which P1 and P2 of Theorem 2.5 hold, or mu1 and mu2 of Theorem 3.3 are positive.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// None for Theorem 2.5, smooth for Theorem 3.3.
    pub memory: Memory,
    /// Inertia. The friction, the time step and the initial velocities are as before; the diffusion is anisotropic, the scheme
    /// semi-implicit.
    pub inertia: f64,
    /// Diffusion by the distance to the memory: the same multiple of `sigma2` as before, 0 without memory.
    pub sigma1: f64,
    /// Diffusion by the distance to the consensus.
    pub sigma2: f64,
    /// Drift towards the memory: as before, 0 without memory.
    pub lambda1: f64,
    /// Rate of the memory and share that it always takes in; of Theorem 3.3.
    pub kappa: Option<f64>,
    /// See `kappa`.
    pub theta: Option<f64>,
    /// Sharpness.
    pub alpha: f64,
    /// Factor by which the initial deviations shrink.
    pub shrink: f64,
    /// The rate that is then guaranteed.
    pub rate: f64,
}

/// Shares of X that the memory always takes in, where none is given: the smaller, the more it is one of good positions.
const SHARES: [f64; 4] = [0.1, 0.2, 0.5, 1.0];

/// Sample points at which the objective is evaluated again for a suggestion.
const RETRIED: usize = 20_000;

/// Parameters for which the conditions hold, with lambda and the objective as they are: of Theorem 3.3 where the swarm
/// has a memory, and of Theorem 2.5; for each first with the start drawn together about its mean, then with a smaller alpha.
pub(super) fn suggest(question: &Question<'_>, s: &Dynamics, sample: &Sample) -> Vec<Suggestion> {
    let search = Search { question, s, sample };
    let mut found = if s.memory == Memory::None { Vec::new() } else { search.by(Search::with_memory) };
    found.extend(search.by(Search::memoryless));
    found
}

/// Inertias that are tried, down to 5e-7.
fn inertias() -> impl Iterator<Item = f64> {
    (0..=120).map(|k| 0.5 * math::powf(10.0, -f64::from(k) / 20.0))
}

/// What a suggestion is looked for in.
struct Search<'a> {
    question: &'a Question<'a>,
    s: &'a Dynamics,
    sample: &'a Sample,
}

/// A theorem's best parameters for values at points of the initial law, alpha, and the factor by which that law was shrunk.
type Theorem<'a> = fn(&Search<'a>, &[f64], f64, f64) -> Option<Suggestion>;

impl<'a> Search<'a> {
    /// The start and alpha as they are, if that is possible; else a narrower start, and a smaller alpha.
    fn by(&self, theorem: Theorem<'a>) -> Vec<Suggestion> {
        let (alpha, values) = (self.s.alpha, &self.sample.values);
        if let Some(as_it_is) = theorem(self, values, alpha, 1.0) {
            return vec![as_it_is];
        }
        let halves = |count: i32| (1..count).map(|k| 0.5f64.powi(k));
        let by_start = halves(40).find_map(|shrink| theorem(self, &self.narrower(shrink), alpha, shrink));
        let by_alpha = halves(80).find_map(|half| theorem(self, values, alpha.min(1e6) * half, 1.0));
        by_start.into_iter().chain(by_alpha).collect()
    }

    /// Values at points of the initial law drawn together about its mean; none where there are only samples.
    fn narrower(&self, shrink: f64) -> Vec<f64> {
        let (Objective::Function(problem), sample) = (self.question.objective, self.sample) else { return Vec::new() };
        let mut at = vec![0.0; sample.mean.len()];
        let value = |x: &[f64]| {
            at.iter_mut().zip(x).zip(&sample.mean).for_each(|((a, x), m)| *a = m + shrink * (x - m));
            problem.value(&at)
        };
        sample.points.iter().take(RETRIED).map(value).collect()
    }

    /// The lower end of W(0), where it is positive.
    fn weight(&self, values: &[f64], alpha: f64) -> Option<f64> {
        Some(weight(values, alpha, self.sample.minimum.value).low).filter(|w| !values.is_empty() && *w > 0.0)
    }

    /// Of Theorem 2.5: the inertia and diffusion of the highest guaranteed rate among those for which both conditions hold.
    fn memoryless(&self, values: &[f64], alpha: f64, shrink: f64) -> Option<Suggestion> {
        let Search { question, s, sample } = *self;
        let w = self.weight(values, alpha)?;
        let velocity = question.velocity();
        let fits = |m: f64| {
            let (g, l) = (question.params.friction.unwrap_or(1.0 - m), s.lambda[1]);
            let largest = l * g * w / 8.0 - 2.0 * l * l * m / g; // of sigma^2 by P1; half of it is taken
            let sigma2 = s.sigma[1].min((0.5 * largest).max(0.0).sqrt());
            let d = Dynamics { inertia: m, friction: g, alpha, sigma: [0.0, sigma2], lambda: [0.0, l], ..s.clone() };
            let variance = shrink * shrink * sample.variance;
            let h = Moments { variance, velocity, ..Moments::default() }.functional(m, g);
            let t = memoryless(&d, w, h, sample.hessian.value);
            (largest > 0.0 && t.both()).then_some(Suggestion {
                memory: Memory::None,
                inertia: m,
                sigma1: 0.0,
                sigma2,
                lambda1: 0.0,
                kappa: None,
                theta: None,
                alpha,
                shrink,
                rate: t.rate,
            })
        };
        inertias().filter_map(fits).max_by(|a, b| a.rate.total_cmp(&b.rate))
    }

    /// Of Theorem 3.3: parameters for which mu1 and mu2 are positive, with a memory that the time step can follow. Of those whose
    /// rate is within a tenth of the highest the largest inertia is taken: the rate grows on as it vanishes.
    fn with_memory(&self, values: &[f64], alpha: f64, shrink: f64) -> Option<Suggestion> {
        let Search { question, s, .. } = *self;
        let w = 0.5 * self.weight(values, alpha)?; // W(t) stays above W(0)/2
        let ratio = if s.sigma[1] > 0.0 { s.sigma[0] / s.sigma[1] } else { 0.0 };
        let fits = |theta: f64, m: f64, kappa: f64| {
            let (g, l) = (question.params.friction.unwrap_or(1.0 - m), s.lambda[1]);
            let largest = l * g * w / 36.0 - 6.0 * l * l * m / g; // of sigma2^2 by mu2; half of it is taken
            let sigma2 = s.sigma[1].min((0.5 * largest).max(0.0).sqrt());
            let sigma = [ratio * sigma2, sigma2];
            let d = Dynamics { inertia: m, friction: g, alpha, sigma, kappa, theta, ..s.clone() };
            let rate = with_memory(&d, w).rate;
            (largest > 0.0 && rate.is_finite()).then_some(Suggestion {
                memory: Memory::Smooth,
                inertia: m,
                sigma1: sigma[0],
                sigma2,
                lambda1: s.lambda[0],
                kappa: Some(kappa),
                theta: Some(theta),
                alpha,
                shrink,
                rate,
            })
        };
        let kappas = || (0..=40).map(|k| math::powf(10.0, -f64::from(k) / 20.0) / s.dt); // down to a hundredth of 1/dt
        let with_share = |theta: f64| {
            let found: Vec<_> =
                inertias().flat_map(|m| kappas().filter_map(move |kappa| fits(theta, m, kappa))).collect();
            let best = found.iter().map(|s| s.rate).fold(0.0, f64::max);
            found.into_iter().find(|s| s.rate >= 0.9 * best) // inertias fall
        };
        let given = [s.theta];
        let shares = if s.theta > 0.0 { &given[..] } else { &SHARES };
        shares.iter().find_map(|&theta| with_share(theta))
    }
}
