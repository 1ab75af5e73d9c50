//! What the swarm of a block is told: the loss, how it searches, and where it puts what it has found.

use crate::parameters::{Parameters, parameters, unranged};
use crate::particle::Pulls;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Real, Result};

/// A loss that is a mean over elements. Closures `Fn(output, target) -> loss` are such losses.
pub trait ElementLoss<F: Real>: Send + Sync {
    /// The loss of one output element; NaN counts as +inf.
    fn value(&self, output: F, target: F) -> F;

    /// The losses of many elements at once. One call serves all particles of a group of swarms, so a loss behind a
    /// pointer costs one call for many elements.
    #[inline(always)]
    fn values(&self, outputs: &[F], targets: &[F], out: &mut [F]) {
        for ((o, &output), &target) in out.iter_mut().zip(outputs).zip(targets) {
            *o = self.value(output, target);
        }
    }
}

impl<F: Real, C: Fn(F, F) -> F + Send + Sync> ElementLoss<F> for C {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        self(output, target)
    }
}

/// A loss of a whole block, a sample's row or the flattened batch: cross-entropy, F1. Closures
/// `Fn(outputs, targets) -> loss` are such losses.
pub trait BlockLoss<F: Real>: Send + Sync {
    /// The loss of one block; NaN counts as +inf.
    fn value(&self, outputs: &[F], targets: &[F]) -> F;
}

impl<F: Real, C: Fn(&[F], &[F]) -> F + Send + Sync> BlockLoss<F> for C {
    #[inline(always)]
    fn value(&self, outputs: &[F], targets: &[F]) -> F {
        self(outputs, targets)
    }
}

/// Where a swarm starts. Its first particle is the network's own output, except with [`Start::Blind`] and [`Start::Target`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Start {
    /// Around the output: w + span U(-1, 1).
    Around {
        /// Half the width of the start.
        span: f64,
    },
    /// Uniform in a range: for outputs that are bounded.
    Range {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Uniform in a range, all particles: the output does not enter the swarm, as in the first prototype of AdaSwarm's code. Only
    /// for reproducing it: loss(g) <= loss(w) is not promised.
    Blind {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// target + spread U(0, 1), all particles: the leak of AdaSwarm's published code, only for reproducing it. The output
    /// does not enter the swarm, so that loss(g) <= loss(w) is not promised.
    Target {
        /// Width of the start above the target.
        spread: f64,
    },
}

impl Start {
    /// Whether the first particle is the network's own output.
    pub fn holds_output(self) -> bool {
        !matches!(self, Start::Blind { .. } | Start::Target { .. })
    }
}

/// The factor kappa of the gradient kappa (w - g).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kappa {
    /// The mean of the paper's factor: (c1 + c2) / (2 eta).
    Expected,
    /// The paper's random factor: (c1 mean r1 + c2 mean r2) / eta, the means over the particles' draws of the last
    /// iteration.
    Paper,
    /// Curvature measured by the swarm: 2 sum d^2 (f - f_g) / sum d^4 over the points it evaluated within `radius` of g, d
    /// their distances; `Expected` where there is none.
    Calibrated {
        /// Radius around g.
        radius: f64,
    },
    /// A given factor.
    Fixed(f64),
}

unranged!(Start, Kappa, Option<[f64; 2]>);

parameters! {
    /// How the swarms search.
    pub struct Search {
        /// Particles of each swarm, the network's own output among them.
        particles "n": usize = 10, AtLeast(1.0);
        /// Moves of each swarm.
        iterations "T": usize = 40, AtLeast(1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the swarm's best position.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// Share of the old momentum in the new one.
        beta "beta": f64 = 0.2, Below(0.0, 1.0);
        /// What kappa is divided by; null for 1 - beta, as the theorem ties it.
        eta "eta": Option<f64> = None, Above(0.0);
        /// Where the particles start.
        start "": Start = Start::Around { span: 1.0 }, Choice(&["around", "range", "blind", "target"]);
        /// Range into which starts and moves are clamped; null for none. The output itself is not moved.
        confine "": Option<[f64; 2]> = None, Choice(&["[low, high]"]);
        /// How many random numbers a pull of a particle of several elements draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// Whether M is updated; false is the published code's rotated particle, which leaves it at 0.
        momentum "M": bool = true, Flag;
        /// Adds |z - w|^2 / (2 tau) to the loss and makes kappa 1 / tau; null for neither.
        proximity "tau": Option<f64> = None, Above(0.0);
        /// The factor of the gradient where there is no proximity.
        kappa "kappa": Kappa = Kappa::Expected, Choice(&["expected", "paper", "calibrated", "fixed"]);
    }
}

impl Search {
    /// Whether every value is in its range; the error names the first that is not.
    pub fn check(&self) -> Result<()> {
        Parameters::check(self)?;
        let finite = |name: &str, t: f64| {
            if t.is_finite() { Ok(()) } else { Err(Error::parameter(name, t, "must be a finite number")) }
        };
        let above = |name: &str, t: f64| {
            if t.is_finite() && t > 0.0 { Ok(()) } else { Err(Error::parameter(name, t, "must be > 0")) }
        };
        let ordered = |name: &str, low: f64, high: f64| {
            finite(name, low).and(finite(name, high))?;
            let rule = "must be two numbers, the lower one first";
            if low < high { Ok(()) } else { Err(Error::parameter(name, format!("[{low}, {high}]"), rule)) }
        };
        match self.start {
            Start::Around { span } => above("start.span", span)?,
            Start::Range { low, high } | Start::Blind { low, high } => ordered("start.range", low, high)?,
            Start::Target { spread } => above("start.spread", spread)?,
        }
        if let Some([low, high]) = self.confine {
            ordered("confine", low, high)?;
        }
        match self.kappa {
            Kappa::Calibrated { radius } => above("kappa.radius", radius),
            Kappa::Fixed(kappa) => finite("kappa.fixed", kappa),
            Kappa::Expected | Kappa::Paper => Ok(()),
        }
    }

    /// What kappa is divided by.
    pub fn eta(&self) -> f64 {
        self.eta.unwrap_or(1.0 - self.beta)
    }

    /// The mean of the paper's factor, (c1 + c2) / (2 eta).
    pub fn expected_kappa(&self) -> f64 {
        (self.c1 + self.c2) / (2.0 * self.eta())
    }
}

/// What the swarms of a batch found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found<F> {
    /// g, one for each output element.
    pub best: Vec<F>,
    /// The loss of each block at g, without the proximity; +inf where no particle had a loss.
    pub value: Vec<F>,
    /// The factor of each block's gradient.
    pub kappa: Vec<F>,
    /// Losses of blocks that were evaluated: particles (iterations + 1) for each block.
    pub evaluations: u64,
}

impl<F: Real> Found<F> {
    /// kappa (w - g) for the outputs w the swarms were given, neither divided by the size of the batch nor multiplied by
    /// anything from above.
    ///
    /// # Panics
    /// If `outputs` or `out` has another length than the outputs the swarms were given.
    pub fn gradient(&self, outputs: &[F], out: &mut [F]) {
        assert_eq!(outputs.len(), self.best.len(), "outputs");
        assert_eq!(out.len(), self.best.len(), "gradient");
        let columns = self.best.len() / self.kappa.len().max(1);
        let blocks = outputs.chunks(columns.max(1)).zip(self.best.chunks(columns.max(1)));
        for ((out, (w, g)), &kappa) in out.chunks_mut(columns.max(1)).zip(blocks).zip(&self.kappa) {
            for ((o, &w), &g) in out.iter_mut().zip(w).zip(g) {
                *o = kappa * (w - g);
            }
        }
    }

    pub(super) fn resize(&mut self, numbers: usize, blocks: usize, search: &Search) {
        self.best.resize(numbers, F::zero());
        self.value.resize(blocks, F::zero());
        self.kappa.resize(blocks, F::zero());
        self.evaluations = blocks as u64 * search.particles as u64 * (search.iterations as u64 + 1);
    }
}

/// The settings of a search in the working precision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law<F> {
    pub(super) particles: usize,
    pub(super) iterations: usize,
    pub(super) beta: F,
    /// 1 - beta, or what M is worth without momentum.
    pub(super) gamma: F,
    pub(super) c1: F,
    pub(super) c2: F,
    pub(super) start: Start,
    pub(super) confine: Option<[F; 2]>,
    pub(super) per_particle: bool,
    /// 1 / (2 tau)
    pub(super) proximity: Option<F>,
    pub(super) kappa: Kappa,
    pub(super) eta: F,
    /// Kappa where it is the same for all blocks.
    pub(super) constant: F,
}

impl<F: Real> Law<F> {
    pub(super) fn new(s: &Search) -> Self {
        let constant = match s.kappa {
            Kappa::Fixed(kappa) => kappa,
            _ => s.expected_kappa(),
        };
        Law {
            particles: s.particles,
            iterations: s.iterations,
            beta: F::of(if s.momentum { s.beta } else { 0.0 }),
            gamma: F::of(1.0 - s.beta),
            c1: F::of(s.c1),
            c2: F::of(s.c2),
            start: s.start,
            confine: s.confine.map(|range| range.map(F::of)),
            per_particle: s.draws == Pulls::PerParticle,
            proximity: s.proximity.map(|tau| F::of(0.5 / tau)),
            kappa: if s.proximity.is_some() { Kappa::Expected } else { s.kappa },
            eta: F::of(s.eta()),
            constant: F::of(s.proximity.map_or(constant, |tau| 1.0 / tau)),
        }
    }

    /// (c1 mean r1 + c2 mean r2) / eta from the sums of `count` draws.
    pub(super) fn paper_kappa(&self, r1: F, r2: F, count: usize) -> F {
        let count = F::of(count as f64);
        (self.c1 * (r1 / count) + self.c2 * (r2 / count)) / self.eta
    }
}
