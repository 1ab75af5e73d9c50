//! Parameters that satisfy the theorems, for the same objective.

use super::super::diagnostics::Moments;
use super::super::pso_sde::{Memory, Noise, Scheme};
use super::super::theory::{
    Begin, Bounded, Dynamics, discrete, mean_square_exponent, memory_loss, memoryless, weight, with_memory,
};
use super::{Objective, Question, Sample, of_particles};
use serde::Serialize;
use swarmgrad_core::math;

/// Parameters for which the conditions of Theorem 2.5 or 3.3 hold, in the limit and for the swarm that is run.
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
    /// The promise E(x~) - inf E <= log(2/W(0))/alpha.
    pub promise: f64,
    /// Whether that is proven. Where all is proven the promise is empty (see [`super::super::theory`]); what is not is
    /// that W(t) stays above W(0)/2, and a run shows it.
    pub proven: bool,
}

/// Shares of X that the memory always takes in, where none is given: the smaller, the more it is one of good positions.
const SHARES: [f64; 4] = [0.1, 0.2, 0.5, 1.0];

/// Sample points at which the objective is evaluated again for a suggestion.
const RETRIED: usize = 20_000;

/// Parameters for which the conditions hold, with lambda and the objective as they are: of Theorem 3.3 where the swarm
/// has a memory, and of Theorem 2.5; for each first with the start drawn together about its mean, then with a smaller alpha. Last,
/// for the start as it is, parameters of Theorem 2.5 at the alpha that is `useful`, so that its promise says something, with P1 and
/// P1d but without P2.
pub(super) fn suggest(question: &Question<'_>, s: &Dynamics, sample: &Sample, useful: Option<f64>) -> Vec<Suggestion> {
    let search = Search { question, s, sample };
    let mut found = if s.memory == Memory::None { Vec::new() } else { search.by(Search::with_memory) };
    found.extend(search.by(Search::memoryless));
    found.extend(useful.and_then(|alpha| search.useful(alpha)));
    found
}

/// Inertias that are tried, down to 5e-7.
fn inertias() -> impl Iterator<Item = f64> {
    (0..=120).map(|k| 0.5 * math::powf(10.0, -f64::from(k) / 20.0))
}

/// Of dynamics with their rates, in order of falling inertia, the first whose rate is within a tenth of the highest: the rate grows on
/// as the inertia vanishes.
fn gentlest(found: Vec<(Dynamics, f64)>) -> Option<(Dynamics, f64)> {
    let best = found.iter().map(|f| f.1).fold(0.0, f64::max);
    found.into_iter().find(|f| f.1 >= 0.9 * best)
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

    /// W(0), where its lower end is positive.
    fn weight(&self, values: &[f64], alpha: f64) -> Option<Bounded> {
        Some(weight(values, alpha, self.sample.minimum.value)).filter(|w| !values.is_empty() && w.low > 0.0)
    }

    /// P1d and P2d for the swarm's number of particles.
    fn runs(&self, d: &Dynamics, w: &Bounded, shrink: f64) -> bool {
        let count = self.question.params.particles as f64;
        let begin = Begin {
            weight: of_particles(w, count),
            variance: shrink * shrink * self.sample.variance,
            velocity: self.question.velocity(),
            hessian: self.sample.hessian.value,
        };
        discrete(d, self.sample.mean.len(), count, &begin).both()
    }

    /// The start's moments, drawn together.
    fn moments(&self, shrink: f64) -> Moments {
        let (variance, velocity) = (shrink * shrink * self.sample.variance, self.question.velocity());
        Moments { variance, velocity, ..Moments::default() }
    }

    /// Without memory, with this inertia and half of the largest sigma^2 that P1 allows; and that largest one.
    fn plain(&self, m: f64, w: &Bounded, alpha: f64) -> (Dynamics, f64) {
        let Search { question, s, .. } = *self;
        let (g, l) = (question.params.friction.unwrap_or(1.0 - m), s.lambda[1]);
        let largest = l * g * w.low / 8.0 - 2.0 * l * l * m / g; // of sigma^2 by P1; half of it is taken
        let sigma = [0.0, s.sigma[1].min((0.5 * largest).max(0.0).sqrt())];
        let (noise, scheme, memory) = (Noise::Anisotropic, Scheme::SemiImplicit, Memory::None);
        (
            Dynamics { inertia: m, friction: g, alpha, sigma, lambda: [0.0, l], noise, scheme, memory, ..s.clone() },
            largest,
        )
    }

    /// A suggestion of Theorem 2.5.
    fn without(d: &Dynamics, w: &Bounded, shrink: f64, rate: f64, proven: bool) -> Suggestion {
        Suggestion {
            memory: Memory::None,
            inertia: d.inertia,
            sigma1: 0.0,
            sigma2: d.sigma[1],
            lambda1: 0.0,
            kappa: None,
            theta: None,
            alpha: d.alpha,
            shrink,
            rate,
            promise: math::ln(2.0 / w.low) / d.alpha,
            proven,
        }
    }

    /// Of Theorem 2.5: the inertia and diffusion of the highest guaranteed rate among those for which both conditions hold.
    fn memoryless(&self, values: &[f64], alpha: f64, shrink: f64) -> Option<Suggestion> {
        let w = self.weight(values, alpha)?;
        let fits = |m: f64| {
            let (d, largest) = self.plain(m, &w, alpha);
            let h = self.moments(shrink).functional(m, d.friction);
            let t = memoryless(&d, w.low, h, self.sample.hessian.value);
            (largest > 0.0 && t.both()).then_some((d, t.rate))
        };
        let (d, rate) = inertias().filter_map(fits).max_by(|a, b| a.1.total_cmp(&b.1))?;
        self.runs(&d, &w, shrink).then(|| Self::without(&d, &w, shrink, rate, true))
    }

    /// Of Theorem 2.5 without P2, at this alpha: about the highest rate that P1 guarantees as long as W(t) stays above W(0)/2.
    fn useful(&self, alpha: f64) -> Option<Suggestion> {
        let w = self.weight(&self.sample.values, alpha)?;
        let fits = |m: f64| {
            let (d, largest) = self.plain(m, &w, alpha);
            let t = memoryless(&d, w.low, f64::INFINITY, self.sample.hessian.value);
            (largest > 0.0 && t.first()).then_some((d, t.rate))
        };
        let (d, rate) = gentlest(inertias().filter_map(fits).collect())?;
        // P1d at W(0)/2.
        let doubled = Dynamics { sigma: [0.0, d.sigma[1] * (2.0 / w.low).sqrt()], ..d.clone() };
        let stable = mean_square_exponent(&doubled, self.sample.mean.len()) < 0.0;
        stable.then(|| Self::without(&d, &w, 1.0, rate, false))
    }

    /// Of Theorem 3.3: parameters for which mu1 and mu2 are positive and P3 holds, with a memory that the time step can follow.
    fn with_memory(&self, values: &[f64], alpha: f64, shrink: f64) -> Option<Suggestion> {
        let Search { question, s, sample } = *self;
        let w = self.weight(values, alpha)?;
        let half = 0.5 * w.low; // W(t) stays above W(0)/2
        let ratio = if s.sigma[1] > 0.0 { s.sigma[0] / s.sigma[1] } else { 0.0 };
        let fits = |theta: f64, m: f64, kappa: f64| {
            let (g, l) = (question.params.friction.unwrap_or(1.0 - m), s.lambda[1]);
            let largest = l * g * half / 36.0 - 6.0 * l * l * m / g; // of sigma2^2 by mu2; half of it is taken
            let sigma2 = s.sigma[1].min((0.5 * largest).max(0.0).sqrt());
            let sigma = [ratio * sigma2, sigma2];
            let (noise, scheme, memory) = (Noise::Anisotropic, Scheme::SemiImplicit, Memory::Smooth);
            let d =
                Dynamics { inertia: m, friction: g, alpha, sigma, kappa, theta, noise, scheme, memory, ..s.clone() };
            let rate = with_memory(&d, half).rate;
            let h = self.moments(shrink).functional_with_memory(m, g, s.lambda[0]);
            let lost = memory_loss(&d, rate, h, sample.hessian.value);
            (largest > 0.0 && rate.is_finite() && lost < half).then_some((d, rate))
        };
        let kappas = || (0..=40).map(|k| math::powf(10.0, -f64::from(k) / 20.0) / s.dt); // down to a hundredth of 1/dt
        let with_share = |theta: f64| {
            let found = inertias().flat_map(|m| kappas().filter_map(move |kappa| fits(theta, m, kappa)));
            let (d, rate) = gentlest(found.collect())?;
            self.runs(&d, &w, shrink).then(|| Suggestion {
                memory: Memory::Smooth,
                sigma1: d.sigma[0],
                lambda1: s.lambda[0],
                kappa: Some(d.kappa),
                theta: Some(theta),
                ..Self::without(&d, &w, shrink, rate, true)
            })
        };
        let given = [s.theta];
        let shares = if s.theta > 0.0 { &given[..] } else { &SHARES };
        shares.iter().find_map(|&theta| with_share(theta))
    }
}
