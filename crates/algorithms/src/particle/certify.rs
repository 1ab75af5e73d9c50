//! Certificates: whether the convergence theorems of the mean-field PSO paper hold for given parameters, hypothesis by
//! hypothesis, what they guarantee, what a run shows, and what to change.
//!
//! The formulas are those of [`super::theory`]. Two constants of the objective enter: its infimum and a bound on its Hessian. Where
//! they are not given they are estimated from samples; an estimate proves nothing, so the verdict is then at best
//! [`Verdict::NotProven`]. The initial law enters through W(0), which is estimated with a 99 % interval, and the variance
//! of the start.

mod assumptions;
mod curvature;
mod suggest;

pub use assumptions::Continuity;
pub use suggest::Suggestion;

use super::Particles;
use super::diagnostics::{Diagnostics, Moment, Moments, exponential_rate};
use super::pso_sde::{Memory, Noise, Params, PsoSde, Scheme};
use super::theory::{Begin, Bounded, Discrete, Dynamics, Memoryless, Thresholds, WithMemory};
use super::theory::{discrete, memory_loss, memoryless, moments_after_step, thresholds, weight, with_memory};
use serde::Serialize;
use swarmgrad_core::{Error, Iterations, Matrix, Problem, Result, Rng, Run, Space, Start, math};

/// What is known of the objective.
#[derive(Clone, Copy)]
pub enum Objective<'a> {
    /// It can be evaluated.
    Function(&'a dyn Problem),
    /// Its values at points drawn from the initial law; nothing is measured.
    Samples(&'a Matrix, &'a [f64]),
}

/// What is certified.
pub struct Question<'a> {
    /// The objective.
    pub objective: Objective<'a>,
    /// Parameters of `pso_sde`.
    pub params: Params,
    /// The initial law of the positions.
    pub start: Start,
    /// A bound on the norm of the Hessian, if one is known.
    pub hessian: Option<f64>,
    /// The infimum, if it is known.
    pub minimum: Option<f64>,
    /// The global minimisers, where they are known; empty otherwise. Assumption A5 is about them.
    pub minimizers: &'a [Vec<f64>],
    /// Points drawn from the initial law.
    pub samples: usize,
    /// Time over which a swarm is run to measure; 0 for none.
    pub horizon: f64,
    /// Particles of that swarm.
    pub swarm: usize,
    /// Steps of the paths from which the almost sure explosion threshold is measured (a million gives it to 3 %); 0: it stays unknown.
    pub path: usize,
    /// Seed of all draws.
    pub seed: u64,
}

impl Question<'_> {
    /// The second moment of the initial velocities, summed over coordinates.
    fn velocity(&self) -> f64 {
        let dim = match self.objective {
            Objective::Function(problem) => problem.space().dim(),
            Objective::Samples(points, _) => points.dim(),
        };
        self.params.velocity.powi(2) * dim as f64
    }
}

/// Whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is.
    Holds,
    /// It is if the estimates are right.
    NotProven,
    /// It is not.
    Fails,
}

impl Verdict {
    /// Of what holds or does not, by numbers that are estimates or not.
    fn of(holds: bool, estimated: bool) -> Self {
        match (holds, estimated) {
            (false, _) => Verdict::Fails,
            (true, true) => Verdict::NotProven,
            (true, false) => Verdict::Holds,
        }
    }
}

/// A hypothesis of a theorem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hypothesis {
    /// What it says.
    pub name: &'static str,
    /// Whether it holds.
    pub verdict: Verdict,
    /// The numbers behind it.
    pub because: String,
    /// What to change where it fails; empty otherwise.
    pub change: String,
}

/// A number of the objective and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Constant {
    /// The number.
    pub value: f64,
    /// Whether it was estimated from samples rather than given.
    pub estimated: bool,
}

/// What the theorems promise of the point x~ in which the swarm gathers: W(t) stays above W(0)/2, so
/// E(x~) - inf E <= log(2/W(0))/alpha.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Promise {
    /// That bound, at the lower end of W(0)'s interval.
    pub bound: f64,
    /// The bound by the level above which W(t) stays in the scheme that is run: log(1/level)/alpha; the theorem's where there is none.
    pub scheme: f64,
    /// The median of E - inf E under the initial law: what a point drawn from it is worth.
    pub start: f64,
    /// Whether both promise no more than a point of the start.
    pub empty: bool,
    /// The smallest alpha found for which the theorem's bound is at most half of `start` (the alpha_0 of its last statement for that epsilon).
    pub alpha: Option<f64>,
}

impl Promise {
    fn new(s: &Dynamics, w: f64, discrete: Option<&Discrete>, start: f64, alpha: Option<f64>) -> Self {
        let bound = math::ln(2.0 / w) / s.alpha;
        let level = discrete.filter(|d| d.both()).map_or(w / 2.0, |d| d.level);
        let scheme = math::ln(1.0 / level) / s.alpha;
        let empty = |bound: f64| bound.is_nan() || bound >= start;
        Promise { bound, scheme, start, empty: empty(bound) && empty(scheme), alpha }
    }
}

/// What a run showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The fitted rate of H, by least squares on its logarithm.
    pub rate: f64,
    /// The rate of H on a constant objective without memory, from the exact recursion of its second moments, over the same time.
    pub flat: f64,
    /// The smallest W(t)/W(0): the theorem's a-posteriori condition is that it stays above 1/2.
    pub weight: f64,
    /// How many of the recorded moments violate H(t) <= H(0) exp(-chi t) (1 + 3/sqrt N); 0 where nothing is guaranteed.
    pub violations: usize,
    /// Number of moments recorded.
    pub moments: usize,
    /// What was recorded, in order of time.
    pub record: Vec<Moment>,
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    /// The theorem that is about this swarm.
    pub theorem: &'static str,
    /// The infimum of the objective.
    pub minimum: Constant,
    /// The bound on its Hessian.
    pub hessian: Constant,
    /// W(0) with its 99 % interval.
    pub weight: Bounded,
    /// Variance of the initial positions and second moment of the velocities, summed over coordinates.
    pub spread: [f64; 2],
    /// EH(0).
    pub h: f64,
    /// The hypotheses one by one.
    pub hypotheses: Vec<Hypothesis>,
    /// All of them together; at best not proven where a run violated the bound.
    pub verdict: Verdict,
    /// Theorem 2.5 at the lower end of W(0)'s interval; for a swarm without memory.
    pub memoryless: Option<Memoryless>,
    /// The scheme that is run, for the limit of many particles; none for the sharp memory, about which nothing is known.
    pub discrete: Option<Discrete>,
    /// The scheme that is run, for the swarm's number of particles.
    pub finite: Option<Discrete>,
    /// A lower bound on the chance that a swarm of that many particles keeps W(t) above its level and gathers in a point that keeps the promise.
    pub probability: Option<f64>,
    /// What the theorem promises of the limit; none where W(0) is not known to be positive.
    pub promise: Option<Promise>,
    /// Assumption A5, where the minimisers are known.
    pub continuity: Option<Continuity>,
    /// Theorem 3.3 at half of that; for a swarm with memory.
    pub with_memory: Option<WithMemory>,
    /// The largest factor by which the initial deviations of the positions may grow (below 1: must shrink) for P2 to hold with the
    /// same W(0); 0 where the initial velocities alone are too large.
    pub locality: Option<f64>,
    /// Explosion about frozen attractors.
    pub thresholds: Thresholds,
    /// What a run showed.
    pub measured: Option<Measured>,
    /// Parameters that satisfy the theorems' conditions, for the same objective: with a narrower start, and with a smaller alpha.
    pub suggestions: Vec<Suggestion>,
}

impl Certificate {
    /// The guaranteed rate, where every hypothesis holds or hangs on estimates only.
    pub fn rate(&self) -> Option<f64> {
        let rate = self.memoryless.map(|t| t.rate).or(self.with_memory.map(|t| t.rate))?;
        (self.verdict != Verdict::Fails && rate.is_finite()).then_some(rate)
    }
}

/// Checks the hypotheses, measures, and suggests.
pub fn certify(question: &Question<'_>) -> Result<Certificate> {
    let s = Dynamics::new(&question.params)?;
    let unbounded;
    let space = match question.objective {
        Objective::Function(problem) => problem.space(),
        Objective::Samples(points, values) => {
            if values.len() != points.len() {
                return Err(Error::shape("the values of the samples", values.len(), points.len()));
            }
            if let Some(k) = (0..points.len()).find(|&k| !points.row(k).iter().all(|t| t.is_finite())) {
                return Err(Error::parameter(format!("sample {k}"), "a point", "must hold finite numbers"));
            }
            if let Some(k) = values.iter().position(|e| *e == f64::NEG_INFINITY) {
                let rule = "must not be the objective's value: the theorems need one that is bounded below";
                return Err(Error::parameter(format!("sample {k}"), "-inf", rule));
            }
            unbounded = Space::unbounded(points.dim())?;
            &unbounded
        }
    };
    question.start.check(space)?;
    if s.inertia == 0.0 {
        return Err(Error::parameter("inertia", 0.0, "must be above 0: the theorems are about swarms with inertia"));
    }
    let samples = match question.objective {
        Objective::Function(_) => question.samples,
        Objective::Samples(points, _) => points.len(),
    };
    if samples < 100 {
        return Err(Error::parameter("samples", samples, "must be at least 100"));
    }
    for (name, given) in [("hessian", question.hessian), ("minimum", question.minimum)] {
        if let Some(given) = given.filter(|t| !t.is_finite() || (name == "hessian" && *t < 0.0)) {
            return Err(Error::parameter(name, given, "must be a finite number, a bound on the Hessian at least 0"));
        }
    }
    let rng = Rng::new(question.seed);
    let sample = Sample::new(question, &rng)?;
    let (minimum, hessian) = (sample.minimum, sample.hessian);
    let w = weight(&sample.values, s.alpha, minimum.value);
    let velocity = question.velocity();
    let moments = Moments { variance: sample.variance, velocity, ..Moments::default() };
    let remembers = s.memory != Memory::None;
    let h = if remembers {
        moments.functional_with_memory(s.inertia, s.friction, s.lambda[0])
    } else {
        moments.functional(s.inertia, s.friction)
    };
    let (plain, memory) = if remembers {
        (None, Some(with_memory(&s, 0.5 * w.low)))
    } else {
        (Some(memoryless(&s, w.low, h, hessian.value)), None)
    };
    let begin = Begin { weight: w.low, variance: sample.variance, velocity, hessian: hessian.value };
    let known = (s.memory != Memory::Sharp).then_some(&begin);
    let limit = known.map(|begin| discrete(&s, space.dim(), f64::INFINITY, begin));
    let count = question.params.particles as f64;
    let finite =
        known.map(|begin| discrete(&s, space.dim(), count, &Begin { weight: of_particles(&w, count), ..*begin }));
    // H(0) is a sum of squares of the positions' deviations and of the velocities'; only the first may change.
    let factor = plain.filter(Memoryless::first).map(|t| {
        let moving = Moments { velocity, ..Moments::default() }.functional(s.inertia, s.friction);
        ((t.right / t.left * h - moving) / (h - moving)).max(0.0).sqrt()
    });
    let mut hypotheses = assumptions::hypotheses(question, &sample, &rng);
    hypotheses.extend([law(&s, space), constant(&question.params), sharpness(&s, &w)]);
    let estimated = hessian.estimated || minimum.estimated;
    if let Some(t) = &plain {
        hypotheses.extend(theorem_2_5(t, &s, &w, factor, hessian, minimum));
    }
    if let Some(t) = &memory {
        let lost = memory_loss(&s, t.rate, h, hessian.value);
        hypotheses.extend(theorem_3_3(t, &s, lost, &w, hessian, minimum));
    }
    hypotheses.extend(scheme(limit.as_ref(), &s, estimated));
    hypotheses.push(particles(
        question.params.particles,
        &s,
        space.dim(),
        &w,
        &begin,
        [limit.as_ref(), finite.as_ref()],
        estimated,
    ));
    let rate = plain.map(|t| t.rate).or(memory.map(|t| t.rate)).filter(|r| r.is_finite());
    let measured = match question.objective {
        Objective::Function(problem) if question.horizon > 0.0 => measure(question, problem, &s, &sample, rate)?,
        _ => None,
    };
    let worst = |verdict| hypotheses.iter().any(|h| h.verdict == verdict);
    let violated = measured.as_ref().is_some_and(|m| m.violations > 0);
    let verdict = if worst(Verdict::Fails) {
        Verdict::Fails
    } else if worst(Verdict::NotProven) || violated {
        Verdict::NotProven
    } else {
        Verdict::Holds
    };
    let start = sample.median();
    let useful = sample.sharp(0.5 * start);
    let promise = (w.low > 0.0).then(|| Promise::new(&s, w.low, limit.as_ref(), start, useful));
    let kept = promise.filter(|_| verdict != Verdict::Fails).map(|p| p.bound.min(p.scheme));
    let continuity = assumptions::continuity(question, &sample, &rng, kept);
    let suggestions =
        if verdict == Verdict::Fails { suggest::suggest(question, &s, &sample, useful) } else { Vec::new() };
    Ok(Certificate {
        theorem: if remembers { "3.3" } else { "2.5" },
        minimum,
        hessian,
        weight: w,
        spread: [sample.variance, velocity],
        h,
        verdict,
        locality: factor,
        hypotheses,
        memoryless: plain,
        discrete: limit,
        finite,
        probability: finite.map(|d| (d.chance() - CERTAIN).max(0.0)),
        promise,
        continuity,
        with_memory: memory,
        thresholds: thresholds(&s, space.dim(), question.path, &rng),
        measured,
        suggestions,
    })
}

/// The initial law by its samples.
struct Sample {
    points: Matrix,
    values: Vec<f64>,
    mean: Vec<f64>,
    variance: f64,
    minimum: Constant,
    hessian: Constant,
}

impl Sample {
    /// The median of E - inf E; what is not finite counts as infinite.
    fn median(&self) -> f64 {
        let finite = |e: &f64| if e.is_nan() { f64::INFINITY } else { e - self.minimum.value };
        let mut above: Vec<f64> = self.values.iter().map(finite).collect();
        let middle = above.len() / 2;
        *above.select_nth_unstable_by(middle, f64::total_cmp).1
    }

    /// The smallest alpha, to one per cent, at which log(2/W(0))/alpha is at most `bound`.
    fn sharp(&self, bound: f64) -> Option<f64> {
        let reaches = |alpha: f64| {
            let w = weight(&self.values, alpha, self.minimum.value).low;
            w > 0.0 && math::ln(2.0 / w) <= bound * alpha
        };
        let mut alpha = (1..=80).map(|k| math::powf(2.0, f64::from(k)) * 1e-9).find(|alpha| reaches(*alpha))?;
        let mut low = 0.5 * alpha;
        while alpha > 1.01 * low {
            let middle = (low * alpha).sqrt();
            if reaches(middle) { alpha = middle } else { low = middle }
        }
        Some(alpha)
    }

    /// Errors where a constant that was given is not one of this objective, as its own samples show.
    fn new(question: &Question<'_>, rng: &Rng) -> Result<Self> {
        let (mut points, mut values) = (Matrix::default(), Vec::new());
        match question.objective {
            Objective::Function(problem) => {
                question.start.fill(problem.space(), &rng.fork("certify"), question.samples, &mut points);
                values.resize(points.len(), 0.0);
                problem.values(points.rows(), &mut values);
            }
            Objective::Samples(given, at) => (points, values) = (given.clone(), at.to_vec()),
        }
        let n = points.len() as f64;
        let mut mean = vec![0.0; points.dim()];
        points.iter().for_each(|x| mean.iter_mut().zip(x).for_each(|(m, t)| *m += t / n));
        let square = |x: &[f64]| x.iter().zip(&mean).map(|(t, m)| (t - m).powi(2)).sum::<f64>();
        let variance = points.iter().map(square).sum::<f64>() / n;
        let finite = || values.iter().copied().filter(|e| e.is_finite());
        let lowest = finite().fold(f64::INFINITY, f64::min);
        if let Some(given) = question.minimum.filter(|e| *e > lowest + 1e-9 * lowest.abs().max(1.0)) {
            let rule = format!("must not be above the objective's values, and one of the samples has {lowest:e}");
            return Err(Error::parameter("minimum", given, rule));
        }
        let minimum = Constant { value: question.minimum.unwrap_or(lowest), estimated: question.minimum.is_none() };
        // Second differences are estimates from below: they may speak against a bound that was given. Fits may not.
        let seen = match (question.objective, question.hessian) {
            (Objective::Function(problem), _) => curvature::of_function(problem, points.rows(), &values, rng),
            (Objective::Samples(..), None) => curvature::of_samples(points.rows(), &values)?,
            (Objective::Samples(..), Some(_)) => 0.0,
        };
        let largest = finite().fold(0.0f64, |most, e| most.max(e.abs()));
        // A thousandth and their rounding are forgiven.
        if let Some(given) = question.hessian.filter(|c| seen > c * 1.001 + 1e-7 * largest) {
            let rule = format!("must be a bound on the Hessian, and second differences reach {seen:.6}");
            return Err(Error::parameter("hessian", given, rule));
        }
        let hessian = Constant { value: question.hessian.unwrap_or(seen), estimated: question.hessian.is_none() };
        Ok(Sample { points, values, mean, variance, minimum, hessian })
    }
}

fn law(s: &Dynamics, space: &Space) -> Hypothesis {
    let (isotropic, bounded) = (s.noise == Noise::Isotropic, !space.is_unbounded());
    let (verdict, because, change) = match (isotropic, bounded) {
        (true, _) => (Verdict::Fails, "the diffusion is isotropic", "take noise = anisotropic"),
        (_, true) => {
            (Verdict::NotProven, "points are kept inside bounds, which the theorem does not know", "lift the bounds")
        }
        _ => (Verdict::Holds, "anisotropic diffusion on all of R^d, velocities independent of positions", ""),
    };
    let name = "dynamics: D(z) = diag(z) on R^d";
    Hypothesis { name, verdict, because: because.into(), change: change.into() }
}

/// The theorems are about numbers that do not change and about the consensus of all particles.
fn constant(p: &Params) -> Hypothesis {
    let foreign = [
        ("cooling", p.cooling),
        ("sigma_factor", p.sigma_factor != 1.0),
        ("alpha_factor", p.alpha_factor != 1.0),
        ("sample_size", p.sample_size.is_some()),
        ("batch", p.batch.is_some_and(|batch| batch < p.particles)),
        ("reduction", p.reduction > 0.0),
        ("kick", p.kick > 0.0),
    ];
    let on: Vec<&str> = foreign.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
    Hypothesis {
        name: "constant alpha and sigma, one consensus of all particles, no kicks",
        verdict: Verdict::of(on.is_empty(), false),
        because: if on.is_empty() { "nothing else is set".into() } else { format!("set: {}", on.join(", ")) },
        change: if on.is_empty() { String::new() } else { format!("leave out {}", on.join(", ")) },
    }
}

fn sharpness(s: &Dynamics, w: &Bounded) -> Hypothesis {
    let known = w.low > 0.0;
    Hypothesis {
        name: "W(0) is known to be positive",
        verdict: if s.alpha.is_infinite() || w.value == 0.0 {
            Verdict::Fails
        } else if known {
            Verdict::Holds
        } else {
            Verdict::NotProven
        },
        because: format!("W(0) = {:.4e}, 99 % interval {:.4e} to {:.4e}", w.value, w.low, w.high),
        change: match (s.alpha.is_infinite(), known) {
            (true, _) => "take a finite alpha".into(),
            (_, false) => "take more samples, a smaller alpha, or a start nearer to the minimiser".into(),
            _ => String::new(),
        },
    }
}

fn theorem_2_5(
    t: &Memoryless,
    s: &Dynamics,
    w: &Bounded,
    factor: Option<f64>,
    hessian: Constant,
    minimum: Constant,
) -> Vec<Hypothesis> {
    let (m, g, l) = (s.inertia, s.friction, s.lambda[1]);
    let largest = l * g * w.low / 8.0 - 2.0 * l * l * m / g; // of sigma^2
    let first = Hypothesis {
        name: "P1: mu > 0",
        verdict: Verdict::of(t.first(), minimum.estimated),
        because: format!("mu = {:.4e} at the lower end of W(0)", t.mu),
        change: match (t.first(), largest > 0.0) {
            (true, _) => String::new(),
            _ if l == 0.0 => "lambda2 above 0".into(),
            (_, true) => format!("sigma2 below {:.4}", largest.sqrt()),
            (_, false) => format!(
                "inertia below {:.3e}, and then sigma2^2 below lambda gamma W(0)/8 - 2 lambda^2 m/gamma",
                g * g * w.low / (16.0 * l)
            ),
        },
    };
    let second = Hypothesis {
        name: "P2: the swarm begins so narrow that W(t) stays above W(0)/2",
        verdict: Verdict::of(t.both(), hessian.estimated || minimum.estimated),
        because: format!("{:.4e} must be below {:.4e}", t.left, t.right),
        change: match (t.both(), factor) {
            (true, _) => String::new(),
            (_, Some(0.0)) => "smaller initial velocities, or a smaller alpha".into(),
            (_, Some(factor)) => format!("initial deviations at most {factor:.3e} times as large, or a smaller alpha"),
            (_, None) => "P1 first".into(),
        },
    };
    vec![first, second]
}

fn theorem_3_3(
    t: &WithMemory,
    s: &Dynamics,
    lost: f64,
    w: &Bounded,
    hessian: Constant,
    minimum: Constant,
) -> Vec<Hypothesis> {
    let sharp = s.memory == Memory::Sharp;
    let memory = Hypothesis {
        name: "memory: theta > 0, finite beta and kappa (eq. 1.2)",
        verdict: if sharp || s.theta == 0.0 { Verdict::Fails } else { Verdict::Holds },
        because: if sharp {
            "the sharp local best (beta = infinity, theta = 0, kappa = 1/dt) lies outside the theorem, here as in the paper's experiments".into()
        } else {
            format!("theta = {}, kappa = {}", s.theta, s.kappa)
        },
        change: if sharp || s.theta == 0.0 {
            "memory = smooth with theta > 0, or memory = none for Theorem 2.5".into()
        } else {
            String::new()
        },
    };
    let positive = |name, mu: f64, change: &str| Hypothesis {
        name,
        verdict: Verdict::of(mu > 0.0, minimum.estimated),
        because: format!("{mu:.4e}"),
        change: if mu > 0.0 { String::new() } else { change.into() },
    };
    vec![
        memory,
        positive("mu1 > 0", t.mu1, "an inertia far below theta/kappa, a smaller lambda1 and sigma1"),
        positive("mu2 > 0", t.mu2, "a smaller sigma2 and inertia, or a smaller alpha"),
        Hypothesis {
            name: "P3: the swarm begins so narrow that W(t) stays above W(0)/2",
            verdict: Verdict::of(lost < 0.5 * w.low, hessian.estimated || minimum.estimated),
            because: match lost.is_finite() {
                true => format!("W loses at most {lost:.4e} of {:.4e}", w.low),
                false => "no rate is guaranteed".into(),
            },
            change: match (lost < 0.5 * w.low, lost.is_finite()) {
                (true, _) => String::new(),
                (_, true) => {
                    format!("initial deviations at most {:.3e} times as large, or a smaller alpha", 0.5 * w.low / lost)
                }
                _ => "mu1 and mu2 above 0 first".into(),
            },
        },
    ]
}

/// The discrete form of the theorems.
fn scheme(d: Option<&Discrete>, s: &Dynamics, estimated: bool) -> Vec<Hypothesis> {
    let (first, second) = (
        "P1d: the scheme that is run contracts in mean square at this dt",
        "P2d: in all steps of the scheme W(t) stays above its level",
    );
    let Some(d) = d else {
        let because = "nothing is known of the sharp local best";
        let change = "memory = smooth with theta > 0, or memory = none";
        let one = |name| Hypothesis { name, verdict: Verdict::Fails, because: because.into(), change: change.into() };
        return vec![one(first), one(second)];
    };
    let name = if s.scheme == Scheme::SemiImplicit { "semi-implicit" } else { "explicit" };
    let what = if s.memory == Memory::None { "second moments about the mean change" } else { "EH changes" };
    vec![
        Hypothesis {
            name: first,
            verdict: Verdict::of(d.contracts(), estimated),
            because: format!("{name} at dt = {}: {what} at most like exp({:.4e} t)", s.dt, d.exponent),
            change: match (d.contracts(), s.memory) {
                (true, _) => String::new(),
                (_, Memory::None) => "a smaller dt; a smaller sigma2".into(),
                _ => "a smaller dt, sigma1, sigma2 or alpha; a larger theta".into(),
            },
        },
        Hypothesis {
            name: second,
            verdict: Verdict::of(d.both(), estimated),
            because: format!("W loses at most {:.4e}, down to its level {:.4e} are {:.4e}", d.loss, d.level, d.allowed),
            change: match (d.contracts(), d.both()) {
                (_, true) => String::new(),
                (true, _) => "a narrower start, or a smaller alpha".into(),
                _ => "P1d first".into(),
            },
        },
    ]
}

/// How rarely the W(0) of a swarm may lie below [`of_particles`].
const CERTAIN: f64 = 0.01;

/// A lower bound of the W(0) of a swarm of so many particles, with probability 99 %: Bernstein's inequality, weights lie in [0, 1] and
/// their variance is at most W (1 - W).
fn of_particles(w: &Bounded, count: f64) -> f64 {
    let most = |w: f64| w * (1.0 - w);
    let variance = if w.low <= 0.5 && 0.5 <= w.high { 0.25 } else { most(w.low).max(most(w.high)) };
    let log = -math::ln(CERTAIN);
    w.low - (2.0 * variance * log / count).sqrt() - log / (3.0 * count)
}

/// The theorems are about the limit of many particles; P1d and P2d hold for a swarm of N if its own W(0) is not too low.
fn particles(
    count: usize,
    s: &Dynamics,
    dim: usize,
    w: &Bounded,
    begin: &Begin,
    [limit, finite]: [Option<&Discrete>; 2],
    estimated: bool,
) -> Hypothesis {
    let name = "P1d and P2d hold for this number of particles, not only in the limit";
    let Some(d) = finite else {
        let because = "nothing is known of the sharp local best".to_owned();
        return Hypothesis { name, verdict: Verdict::Fails, because, change: String::new() };
    };
    let weight = of_particles(w, count as f64);
    let enough = |count: f64| discrete(s, dim, count, &Begin { weight: of_particles(w, count), ..*begin }).both();
    let more = || (1..=40).map(|k| count as f64 * 2f64.powi(k)).find(|count| enough(*count));
    let change = || match limit.filter(|d| d.both()).and_then(|_| more()) {
        Some(count) => format!("{count:.0} particles are enough"),
        None => "P1d and P2d first".into(),
    };
    Hypothesis {
        name,
        verdict: Verdict::of(d.both(), estimated),
        because: match weight > 0.0 {
            true => format!("W(0) of {count} particles is at least {weight:.4e} with probability 99 %"),
            false => format!("the W(0) of {count} particles may be anything"),
        },
        change: if d.both() { String::new() } else { change() },
    }
}

/// Runs a swarm and compares it with the guarantee.
fn measure(
    question: &Question<'_>,
    problem: &dyn Problem,
    s: &Dynamics,
    sample: &Sample,
    rate: Option<f64>,
) -> Result<Option<Measured>> {
    let params = Params { particles: question.swarm, ..question.params.clone() };
    let mut swarm = Particles::<f64, PsoSde<f64>>::new(problem.space(), question.start.clone(), None, params)?;
    let steps = (question.horizon / s.dt).round().max(1.0) as u64;
    let minimum = if sample.minimum.estimated { f64::NEG_INFINITY } else { sample.minimum.value };
    let mut watched = Diagnostics::new(s.inertia, s.friction, s.lambda[0], s.dt, minimum).every(steps.div_ceil(200));
    Run::new(problem, &mut swarm, question.seed).watch(&mut Iterations(steps)).watch(&mut watched).minimize();
    let seen = watched.seen;
    let Some(first) = seen.first() else { return Ok(None) };
    let remembers = s.memory != Memory::None;
    let size = |k: usize| if remembers { seen[k].h_memory } else { seen[k].h };
    let slack = 1.0 + 3.0 / (question.swarm as f64).sqrt();
    let broken = |k: &usize| rate.is_some_and(|chi| size(*k) > size(0) * math::exp(-chi * seen[*k].time) * slack);
    let fitted = exponential_rate((0..seen.len()).map(|k| (seen[k].time, size(k))));
    let times: Vec<f64> = seen.iter().map(|m| m.time).collect();
    let violations = (0..seen.len()).filter(broken).count();
    let flat = flat_rate(s, [first.moments.variance, first.moments.cross, first.moments.velocity], &times);
    let weight = seen.iter().map(|m| m.weight).fold(f64::INFINITY, f64::min) / first.weight;
    Ok(fitted.map(|fitted| Measured { rate: fitted, flat, weight, violations, moments: seen.len(), record: seen }))
}

/// The fitted rate of H on a constant objective, from the exact recursion of the second moments, at these times.
pub fn flat_rate(s: &Dynamics, mut moments: [f64; 3], times: &[f64]) -> f64 {
    let (mut step, mut record) = (0, Vec::with_capacity(times.len()));
    for &time in times {
        while (step as f64 + 0.5) * s.dt < time {
            moments = moments_after_step(
                &Dynamics { lambda: [0.0, s.lambda[1]], sigma: [0.0, s.sigma[1]], ..s.clone() },
                1,
                moments,
            );
            step += 1;
        }
        let [variance, cross, velocity] = moments;
        record.push((
            time,
            Moments { variance, cross, velocity, ..Moments::default() }.functional(s.inertia, s.friction),
        ));
    }
    exponential_rate(record.into_iter()).unwrap_or(f64::NAN)
}
