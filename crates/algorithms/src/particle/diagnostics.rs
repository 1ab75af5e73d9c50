//! What the theory of mean-field swarms looks at, measured on a running swarm.
//!
//! Paper: Huang, Qiu, Riedl, "On the global convergence of particle swarm optimization methods" (AMOP 2023). With
//! means over the swarm, g = gamma and c the consensus:
//!
//! ```text
//! Thm 2.5  H = (g/2m)^2 |X - EX|^2 + |V|^2 + (g/2m) <X - EX, V>
//! Thm 3.3  H = (g/2m)^2 |X - EX|^2 + 3/2 |V|^2 + 1/2 (3 lambda1/m + g^2/m^2) |X - Y|^2
//!              + (g/2m) <X - EX, V> + (g/m) <X - Y, V>
//! W        = mean exp(-alpha (E - E_)),  E_ the smallest value known
//! ESS      = (sum w)^2 / sum w^2,  w = exp(-alpha E)
//! ```
//!
//! [`Moments`] are those of one moment, [`Diagnostics`] is the watcher that records them over a run.

use super::attractor::gibbs;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use swarmgrad_core::{Progress, Real, Reason, View, Watch, math, number};

/// Means over a swarm; what the method does not keep is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// |X - EX|^2, the variance of the positions (the sum over coordinates).
    pub variance: f64,
    /// |V|^2.
    pub velocity: f64,
    /// <X - EX, V>.
    pub cross: f64,
    /// |X - Y|^2, the distance to the local bests.
    pub memory: f64,
    /// <X - Y, V>.
    pub memory_cross: f64,
}

impl Moments {
    /// Those of a swarm that shows `x`, and `v` and `y` where it has them.
    pub fn of<F: Real>(view: &View<'_, F>) -> Option<Moments> {
        let (x, v, y) = (view.matrix("x")?, view.matrix("v"), view.matrix("y"));
        let n = x.len() as f64;
        let mut mean = vec![0.0; x.dim()];
        for p in x.iter() {
            mean.iter_mut().zip(p).for_each(|(s, t)| *s += t.f64() / n);
        }
        let mut sums = Moments::default();
        let nothing = vec![F::zero(); x.dim()];
        for (i, p) in x.iter().enumerate() {
            let v = v.map_or(&nothing[..], |v| v.row(i));
            let y = y.map_or(p, |y| y.row(i));
            for j in 0..x.dim() {
                let (d, v, r) = (p[j].f64() - mean[j], v[j].f64(), p[j].f64() - y[j].f64());
                sums.variance += d * d;
                sums.velocity += v * v;
                sums.cross += d * v;
                sums.memory += r * r;
                sums.memory_cross += r * v;
            }
        }
        let Moments { variance, velocity, cross, memory, memory_cross } = sums;
        let [variance, velocity, cross, memory, memory_cross] =
            [variance, velocity, cross, memory, memory_cross].map(|sum| sum / n);
        Some(Moments { variance, velocity, cross, memory, memory_cross })
    }

    /// H of Theorem 2.5, for the swarm without memory.
    pub fn functional(&self, m: f64, gamma: f64) -> f64 {
        let h = gamma / (2.0 * m);
        h * h * self.variance + self.velocity + h * self.cross
    }

    /// H of Theorem 3.3, for the swarm with memory.
    pub fn functional_with_memory(&self, m: f64, gamma: f64, lambda1: f64) -> f64 {
        let h = gamma / (2.0 * m);
        h * h * self.variance
            + 1.5 * self.velocity
            + 0.5 * (3.0 * lambda1 / m + gamma * gamma / (m * m)) * self.memory
            + h * self.cross
            + 2.0 * h * self.memory_cross
    }
}

/// What is watched at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// t = iterations times dt.
    pub time: f64,
    /// Means over the swarm.
    pub moments: Moments,
    /// H of Theorem 2.5; NaN without inertia.
    #[serde(with = "number")]
    pub h: f64,
    /// H of Theorem 3.3; NaN without inertia or memory.
    #[serde(with = "number")]
    pub h_memory: f64,
    /// Mean of exp(-alpha (E - E_)).
    pub weight: f64,
    /// Effective sample size of the Gibbs weights, from 1 to N.
    pub effective: f64,
    /// The consensus.
    pub consensus: Vec<f64>,
}

/// Records [`Moment`]s: a watcher of `pso_sde` and `cbo`, every so many iterations.
///
/// ```
/// use swarmgrad_algorithms::{particle::diagnostics::Diagnostics, registry};
/// use swarmgrad_core::{Function, Iterations, Run, Space};
/// let space = Space::cube(2, -1.0, 1.0)?;
/// let settings = serde_json::json!({ "memory": "none", "sigma2": 0.1, "inertia": 0.1, "alpha": 1.0 });
/// let mut swarm = registry::entry("pso_sde")?.build(&space, None, settings.as_object().unwrap())?;
/// let flat = Function::new(space, |_: &[f64]| 0.0);
/// let mut watched = Diagnostics::new(0.1, 0.9, 0.0, 0.01, 0.0).every(10);
/// Run::new(&flat, &mut *swarm, 1).watch(&mut Iterations(300)).watch(&mut watched).minimize();
/// assert_eq!(watched.seen.len(), 31);
/// assert!(watched.rate().unwrap() > 0.5);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostics {
    /// What was recorded, in order of time.
    pub seen: Vec<Moment>,
    inertia: f64,
    friction: f64,
    lambda1: f64,
    dt: f64,
    minimum: f64,
    sharpness: Option<f64>,
    every: u64,
}

impl Diagnostics {
    /// For a swarm with this inertia, friction, lambda1 and time step, on an objective whose infimum is `minimum` (-inf: the
    /// smallest value seen stands in).
    pub fn new(inertia: f64, friction: f64, lambda1: f64, dt: f64, minimum: f64) -> Self {
        Diagnostics { seen: Vec::new(), inertia, friction, lambda1, dt, minimum, sharpness: None, every: 1 }
    }

    /// Records every `n` iterations (at least 1) only.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.every = n.max(1);
        self
    }

    /// With this sharpness for methods that do not show their `alpha`.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.sharpness = Some(alpha);
        self
    }

    /// What a swarm shows at a moment.
    pub fn look<F: Real>(&self, view: &View<'_, F>, time: f64, best: f64) -> Option<Moment> {
        let moments = Moments::of(view)?;
        let remembers = view.matrix("y").is_some();
        let values = if remembers { view.vector("fy") } else { view.vector("fx") }.unwrap_or_default();
        let alpha = view.number("alpha").or(self.sharpness).unwrap_or(0.0);
        let minimum = if self.minimum.is_finite() { self.minimum } else { best };
        let weights = gibbs(values, alpha, minimum);
        let inert = self.inertia > 0.0;
        Some(Moment {
            time,
            moments,
            h: if inert { moments.functional(self.inertia, self.friction) } else { f64::NAN },
            h_memory: if inert && remembers {
                moments.functional_with_memory(self.inertia, self.friction, self.lambda1)
            } else {
                f64::NAN
            },
            weight: weights.mean,
            effective: weights.effective,
            consensus: view.vector("g").unwrap_or_default().iter().map(|t| t.f64()).collect(),
        })
    }

    /// The fitted exponential rate of H (of the variance where there is no inertia): minus the slope of its logarithm over
    /// time, by least squares, over the record up to where it falls below 1e-24 of its start.
    pub fn rate(&self) -> Option<f64> {
        let size = |s: &Moment| if self.inertia > 0.0 { s.h } else { s.moments.variance };
        exponential_rate(self.seen.iter().map(|s| (s.time, size(s))))
    }
}

impl<F: Real> Watch<F> for Diagnostics {
    fn see(&mut self, p: &Progress<'_, F>) -> ControlFlow<Reason> {
        let time = p.iteration as f64 * self.dt;
        let new = self.seen.last().is_none_or(|last| last.time < time);
        if p.iteration.is_multiple_of(self.every)
            && new
            && let Some(moment) = self.look(&p.algorithm.view(), time, p.best.value.f64())
        {
            self.seen.push(moment);
        }
        ControlFlow::Continue(())
    }
}

/// The rate r of A exp(-r t) through positive numbers, by least squares on their logarithms; the record ends where they
/// fall below 1e-24 of the first one (there rounding takes over). `None` for fewer than two.
pub fn exponential_rate(record: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let mut first = None;
    let points: Vec<(f64, f64)> = record
        .take_while(|(_, h)| h.is_finite() && *h > 1e-24 * *first.get_or_insert(*h) && *h > 0.0)
        .map(|(t, h)| (t, math::ln(h)))
        .collect();
    let n = points.len() as f64;
    let (mt, mh) = points.iter().fold((0.0, 0.0), |(a, b), (t, h)| (a + t / n, b + h / n));
    let (tt, th) = points.iter().fold((0.0, 0.0), |(a, b), (t, h)| (a + (t - mt) * (t - mt), b + (t - mt) * (h - mh)));
    (points.len() >= 2 && tt > 0.0).then(|| -th / tt)
}
