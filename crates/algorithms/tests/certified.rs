//! Certificates against swarms: on random parameters about the boundary of what the theorems allow, nothing that does not gather is
//! certified, and nearly all of what gathers inside the theorems' region is.

use swarmgrad_algorithms::particle::Particles;
use swarmgrad_algorithms::particle::certify::{Certificate, Objective, Question, Verdict, certify};
use swarmgrad_algorithms::particle::diagnostics::Diagnostics;
use swarmgrad_algorithms::particle::pso_sde::{Memory, Params, PsoSde, Scheme};
use swarmgrad_algorithms::particle::theory::Dynamics;
use swarmgrad_core::{Function, Iterations, Problem, Rng, Run, Space, Start};

/// A random case.
#[derive(Debug)]
struct Case {
    rastrigin: bool,
    dim: usize,
    mean: f64,
    deviation: f64,
    params: Params,
}

impl Case {
    fn new(k: usize) -> Case {
        let rng = Rng::new(20_261).fork("certified");
        let mut draws = rng.row(k);
        let mut between = |low: f64, high: f64| low + (high - low) * draws.uniform();
        let explicit = between(0.0, 1.0) < 0.25;
        let inertia = 10f64.powf(between(if explicit { -2.2 } else { -3.5 }, -1.3));
        let friction = 1.0 - inertia;
        // The time step: about the edge of stability, which is near 2 for the semi-implicit scheme and 2 m/gamma for the explicit one.
        let dt =
            if explicit { inertia / friction * 10f64.powf(between(-0.7, 0.3)) } else { 10f64.powf(between(-2.0, 0.7)) };
        let most = (friction / 8.0 - 2.0 * inertia / friction).max(1e-3); // of sigma2^2 by P1 at W = 1
        let sigma2 = (most * 10f64.powf(between(-1.5, 0.5))).sqrt();
        let alpha = 10f64.powf(between(-1.0, 1.0));
        let rastrigin = between(0.0, 1.0) < 0.5;
        let dim = 1 + (3.0 * between(0.0, 1.0)) as usize;
        let curvature = hessian(rastrigin);
        // The start: about the edge of P2, and at a distance at which alpha E is up to one half.
        let mut deviation = (0.02 * 10f64.powf(between(-2.0, 1.0)) / (alpha * curvature * dim as f64)).sqrt();
        let mean = between(0.0, 1.0) / (alpha * curvature * dim as f64).sqrt();
        let particles = (50.0 * 10f64.powf(between(0.0, 1.0))) as usize;
        let mut params = Params { inertia, dt, sigma2, alpha, particles, memory: Memory::None, ..Params::default() };
        params.scheme = if explicit { Scheme::Explicit } else { Scheme::SemiImplicit };
        if between(0.0, 1.0) < 0.25 {
            // About the edges of mu1 and mu2 > 0, of P3, and of 2 for kappa dt.
            let (theta, kappa) = (between(0.3, 1.0), 10f64.powf(between(1.3, 2.3)));
            let spread = 3e-6 * 10f64.powf(between(-2.0, 1.0));
            (params.memory, params.theta, params.kappa) = (Memory::Smooth, theta, Some(kappa));
            params.dt = 10f64.powf(between(-1.3, 0.4)) / kappa;
            params.inertia = theta / kappa * 10f64.powf(between(-3.0, -0.8));
            params.sigma2 = (0.03 * 10f64.powf(between(-1.5, 0.5))).sqrt();
            params.scheme = Scheme::SemiImplicit;
            deviation = (spread / (alpha * curvature * dim as f64)).sqrt();
            if between(0.0, 1.0) < 0.5 {
                (params.lambda1, params.sigma1) = (0.4, 0.4 * params.sigma2);
            }
        }
        Case { rastrigin, dim, mean, deviation, params }
    }

    fn function(&self) -> impl Problem {
        let ripple = if self.rastrigin { 2.5 } else { 0.0 };
        let one = move |t: &f64| t * t + ripple * (1.0 - (std::f64::consts::TAU * t).cos());
        Function::new(Space::unbounded(self.dim).unwrap(), move |x: &[f64]| x.iter().map(one).sum())
    }

    fn start(&self) -> Start {
        Start::Normal { mean: self.mean, deviation: self.deviation }
    }

    fn certificate(&self) -> Certificate {
        let question = Question {
            objective: Objective::Function(&self.function()),
            params: self.params.clone(),
            start: self.start(),
            hessian: Some(hessian(self.rastrigin)),
            minimum: Some(0.0),
            minimizers: &[],
            samples: 2_000,
            horizon: 0.0,
            swarm: 0,
            path: 0,
            seed: 1,
        };
        certify(&question).unwrap()
    }

    /// The variance of the positions of a swarm in the end, as a share of that at the start; infinite where it is none.
    fn gathers(&self, seed: u64) -> f64 {
        let d = Dynamics::new(&self.params).unwrap();
        let problem = self.function();
        let space = Space::unbounded(self.dim).unwrap();
        let mut swarm = Particles::<f64, PsoSde<f64>>::new(&space, self.start(), None, self.params.clone()).unwrap();
        let steps = (6.0 / d.dt).clamp(200.0, 3_000.0) as u64;
        let mut watched = Diagnostics::new(d.inertia, d.friction, d.lambda[0], d.dt, 0.0).every(steps);
        Run::new(&problem, &mut swarm, seed).watch(&mut Iterations(steps)).watch(&mut watched).minimize();
        let variance = |k: usize| watched.seen.get(k).map_or(f64::INFINITY, |m| m.moments.variance);
        let share = variance(1) / variance(0);
        if share.is_finite() { share } else { f64::INFINITY }
    }
}

fn hessian(rastrigin: bool) -> f64 {
    2.0 + if rastrigin { 10.0 * std::f64::consts::PI * std::f64::consts::PI } else { 0.0 }
}

/// Whether P1 and P2, or mu1, mu2 > 0 and P3, hold: the theorems' own region, without what is asked of the scheme.
fn inside(c: &Certificate) -> bool {
    let own = ["P1:", "P2:", "P3:", "mu1", "mu2", "W(0)"];
    let theorems = c.hypotheses.iter().filter(|h| own.iter().any(|name| h.name.starts_with(name)));
    theorems.map(|h| h.verdict).all(|v| v == Verdict::Holds)
}

#[test]
fn nothing_that_does_not_gather_is_certified() {
    let (mut certified, mut wrong, mut contracting, mut told) = (0, Vec::new(), [0, 0], [0, 0]);
    let mut explode = 0;
    for k in 0..500 {
        let case = Case::new(k);
        let c = case.certificate();
        let shares = [case.gathers(2 * k as u64), case.gathers(2 * k as u64 + 1)];
        let worst = shares.into_iter().fold(0.0, f64::max);
        let holds = c.verdict == Verdict::Holds;
        explode += usize::from(worst > 1.0);
        certified += usize::from(holds);
        if holds && worst >= 1.0 {
            wrong.push((k, worst));
        }
        if worst < 0.1 && inside(&c) {
            let which = usize::from(case.params.memory != Memory::None);
            contracting[which] += 1;
            told[which] += usize::from(holds);
            if !holds {
                let why: Vec<_> =
                    c.hypotheses.iter().filter(|h| h.verdict != Verdict::Holds).map(|h| &h.name[..4]).collect();
                println!("not certified: case {k}, dt {:.3}, {:?}, {worst:.1e}", case.params.dt, why);
            }
        }
    }
    println!("certified {certified} of 500, {explode} do not gather, {} of those certified", wrong.len());
    println!("gathering inside the theorems' regions: {contracting:?} without and with memory, certified {told:?}");
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(explode >= 40 && contracting[0] >= 50 && contracting[1] >= 10, "{explode}, {contracting:?}");
    assert!(10 * (told[0] + told[1]) >= 9 * (contracting[0] + contracting[1]), "{told:?} of {contracting:?}");
}

/// The second moments of a time step of 3 grow, though Theorem 2.5 is content.
#[test]
fn a_time_step_that_is_too_large() {
    let params =
        |dt: f64| Params { inertia: 0.005, sigma2: 0.1, alpha: 1.0, memory: Memory::None, dt, ..Params::default() };
    let case = |dt: f64| Case { rastrigin: true, dim: 1, mean: 0.02, deviation: 0.002, params: params(dt) };
    let c = case(3.0).certificate();
    assert!(inside(&c) && c.verdict == Verdict::Fails && case(3.0).gathers(0) > 1.0, "{:?}", c.hypotheses);
    let failed: Vec<_> = c.hypotheses.iter().filter(|h| h.verdict == Verdict::Fails).map(|h| h.name).collect();
    assert!(failed[0].starts_with("P1d") && failed.iter().all(|name| name.starts_with('P')), "{failed:?}");
    let c = case(0.01).certificate();
    assert!(c.verdict == Verdict::Holds && c.probability.unwrap() > 0.5, "{:?} {:?}", c.probability, c.hypotheses);
    // Two particles say nothing of a law.
    let few = Case { params: Params { particles: 2, ..params(0.01) }, ..case(0.01) }.certificate();
    let particles = few.hypotheses.iter().find(|h| h.verdict == Verdict::Fails).unwrap();
    assert!(particles.change.ends_with("particles are enough"), "{particles:?}");
}

/// Where all is proven the promise is empty, whatever the objective; the bounds behind the claim hold on random starts.
#[test]
fn a_proven_promise_is_empty() {
    let mut proven = 0;
    for k in 0..200 {
        let c = Case::new(1_000 + k).certificate();
        let p = c.promise.unwrap();
        if inside(&c) && c.memoryless.is_some() {
            assert!(p.bound >= p.start, "{p:?}");
            let spread = Case::new(1_000 + k).params.alpha * c.hessian.value * c.spread[0];
            assert!(spread < c.weight.high.powi(3) / 16.0, "{spread} {:?}", c.weight);
        }
        if c.discrete.is_some_and(|d| d.both()) {
            proven += 1;
            assert!(p.scheme >= p.start && p.empty, "{p:?}");
        }
    }
    assert!(proven > 30, "{proven}");
}
