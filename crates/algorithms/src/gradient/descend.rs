//! Descending along gradients from any source: update rules, and the walk they make.
//!
//! ```text
//! descent     w <- w - lr g
//! heavy ball  V <- beta V - lr g;               w <- w + V            (SGD with momentum of the tensor libraries)
//! averaged    V <- beta V + (1 - beta) g;       w <- w - lr V         (AdaSwarm eq. 16)
//! Adam        m <- beta1 m + (1 - beta1) g;     v <- beta2 v + (1 - beta2) g^2
//!             w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//! ```
//!
//! AdaSwarm (the paper's Algorithm 2) is Adam on a swarm's gradient. Differs from the paper: the bias corrections, which
//! its section VII says it uses, are not printed in Algorithm 2, and its m lacks a "+" (m <- beta1 m (1 - beta1) g, which
//! stays 0 for ever); both are available by name ([`Text`]).

use crate::parameters::{Parameters, choice, parameters};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, GradientSource, Matrix, Problem, Real, Result, Rng};

/// How a point changes when a gradient comes in. A rule keeps its own averages; when the length of the point changes they
/// start anew.
pub trait Rule<F: Real = f64> {
    /// One step down the gradient (same length).
    fn update(&mut self, w: &mut [F], gradient: &[F]);
}

parameters! {
    /// Parameters of [`Plain`].
    pub struct PlainParams {
        /// Learning rate.
        learning_rate "eta": f64 = 0.1, Above(0.0);
    }
}

/// Gradient descent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plain {
    params: PlainParams,
}

impl Plain {
    /// The rule. Errors name the parameter, its value and the rule.
    pub fn new(params: PlainParams) -> Result<Self> {
        params.check()?;
        Ok(Plain { params })
    }
}

impl<F: Real> Rule<F> for Plain {
    fn update(&mut self, w: &mut [F], gradient: &[F]) {
        let rate = F::of(self.params.learning_rate);
        w.iter_mut().zip(gradient).for_each(|(w, &g)| *w -= rate * g);
    }
}

choice! {
    /// How momentum gathers.
    pub enum Gathering {
        /// V <- beta V - lr g.
        HeavyBall = "heavy_ball",
        /// V <- beta V + (1 - beta) g.
        Averaged = "averaged",
    }
}

parameters! {
    /// Parameters of [`Momentum`].
    pub struct MomentumParams {
        /// Learning rate.
        learning_rate "eta": f64 = 0.1, Above(0.0);
        /// Share of the velocity that is kept.
        beta "beta": f64 = 0.9, Below(0.0, 1.0);
        /// How momentum gathers.
        gathering "": Gathering = Gathering::HeavyBall, Choice(Gathering::WORDS);
    }
}

/// Gradient descent with momentum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Momentum<F: Real = f64> {
    params: MomentumParams,
    velocity: Vec<F>,
}

impl<F: Real> Momentum<F> {
    /// The rule, at rest. Errors name the parameter, its value and the rule.
    pub fn new(params: MomentumParams) -> Result<Self> {
        params.check()?;
        Ok(Momentum { params, velocity: Vec::new() })
    }
}

impl<F: Real> Rule<F> for Momentum<F> {
    fn update(&mut self, w: &mut [F], gradient: &[F]) {
        fit(&mut self.velocity, w.len());
        let (rate, beta) = (F::of(self.params.learning_rate), F::of(self.params.beta));
        // heavy ball: V += -lr g, w += V; averaged: V += (1 - beta) g, w += -lr V
        let (gather, step) = match self.params.gathering {
            Gathering::HeavyBall => (-rate, F::one()),
            Gathering::Averaged => (F::one() - beta, -rate),
        };
        for ((w, &g), v) in w.iter_mut().zip(gradient).zip(&mut self.velocity) {
            *v = beta * *v + gather * g; // eq. (16)
            *w += step * *v;
        }
    }
}

choice! {
    /// Which text of Adam.
    pub enum Text {
        /// With bias correction.
        Corrected = "corrected",
        /// Algorithm 2 as printed but for the sign it lacks: no bias correction.
        Uncorrected = "uncorrected",
        /// Algorithm 2 to the letter: m <- beta1 m (1 - beta1) g, so that nothing ever moves.
        MissingPlus = "missing_plus",
    }
}

parameters! {
    /// Parameters of [`Adam`]; AdaSwarm's are the same.
    pub struct AdamParams {
        /// Learning rate.
        learning_rate "eta": f64 = 0.1, Above(0.0);
        /// Share of the old mean gradient in the new one.
        beta1 "beta1": f64 = 0.9, Below(0.0, 1.0);
        /// Share of the old mean square in the new one.
        beta2 "beta2": f64 = 0.999, Below(0.0, 1.0);
        /// Keeps the step finite where gradients vanish.
        epsilon "epsilon": f64 = 1e-8, Above(0.0);
        /// Which text of Adam.
        text "": Text = Text::Corrected, Choice(Text::WORDS);
    }
}

/// Adam (Kingma and Ba 2015), AdaSwarm's rule.
///
/// ```
/// use swarmgrad_algorithms::gradient::descend::{Adam, AdamParams, Rule};
/// let mut adam = Adam::new(AdamParams::default())?;
/// let mut w = [1.0f64, -1.0];
/// adam.update(&mut w, &[123.0, -0.01]);           // the first step has the length of the learning rate
/// assert!((w[0] - 0.9).abs() < 1e-6 && (w[1] + 0.9).abs() < 1e-6);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Adam<F: Real = f64> {
    params: AdamParams,
    steps: u64,
    mean: Vec<F>,
    square: Vec<F>,
}

impl<F: Real> Adam<F> {
    /// The rule before its first step. Errors name the parameter, its value and the rule.
    pub fn new(params: AdamParams) -> Result<Self> {
        params.check()?;
        Ok(Adam { params, steps: 0, mean: Vec::new(), square: Vec::new() })
    }

    /// The mean gradient m and the mean square v, before bias correction; empty before the first step.
    pub fn moments(&self) -> (&[F], &[F]) {
        (&self.mean, &self.square)
    }
}

impl<F: Real> Rule<F> for Adam<F> {
    fn update(&mut self, w: &mut [F], gradient: &[F]) {
        if self.mean.len() != w.len() {
            self.steps = 0;
        }
        fit(&mut self.mean, w.len());
        fit(&mut self.square, w.len());
        self.steps += 1;
        let p = &self.params;
        let (beta1, beta2) = (F::of(p.beta1), F::of(p.beta2));
        let (new1, new2) = (F::of(1.0 - p.beta1), F::of(1.0 - p.beta2));
        let (correct1, correct2) = match p.text {
            Text::Corrected => (1.0 - power(p.beta1, self.steps), 1.0 - power(p.beta2, self.steps)),
            Text::Uncorrected | Text::MissingPlus => (1.0, 1.0),
        };
        let (rate, shrink, epsilon) =
            (F::of(p.learning_rate / correct1), F::of(1.0 / correct2.sqrt()), F::of(p.epsilon));
        if p.text == Text::MissingPlus {
            self.mean.iter_mut().zip(gradient).for_each(|(m, &g)| *m = beta1 * *m * (new1 * g));
        } else {
            self.mean.iter_mut().zip(gradient).for_each(|(m, &g)| *m = beta1 * *m + new1 * g);
        }
        let n = w.len();
        let (mean, square, gradient) = (&self.mean[..n], &mut self.square[..n], &gradient[..n]);
        for j in 0..n {
            square[j] = beta2 * square[j] + new2 * gradient[j] * gradient[j];
            w[j] -= rate * mean[j] / (square[j].sqrt() * shrink + epsilon);
        }
    }
}

/// beta^t, also where t does not fit into 32 bits.
fn power(beta: f64, t: u64) -> f64 {
    beta.powf(t as f64)
}

/// Averages of the right length; anew where the length has changed.
fn fit<F: Real>(averages: &mut Vec<F>, n: usize) {
    if averages.len() != n {
        averages.clear();
        averages.resize(n, F::zero());
    }
}

/// A walk down a gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk<F: Real = f64> {
    /// The points, the start first: steps + 1 rows.
    pub points: Matrix<F>,
    /// The problem's value at each point.
    pub values: Vec<F>,
    /// Evaluations, those of the source and the one of the last point.
    pub evaluations: u64,
    /// Exact gradients.
    pub gradients: u64,
}

impl<F: Real> Walk<F> {
    /// The last point and its value.
    pub fn last(&self) -> (&[F], F) {
        let i = self.values.len() - 1;
        (self.points.row(i), self.values[i])
    }

    /// The best point of the walk and its value.
    pub fn best(&self) -> (&[F], F) {
        let i = swarmgrad_core::best_index(&self.values).unwrap_or(0);
        (self.points.row(i), self.values[i])
    }
}

/// Walks `steps` steps from `start` by `rule` along the gradients of `source`, and stays inside the problem's space. Step k
/// draws from iteration k of `rng`. Errors if the start has the wrong length.
pub fn descend<F: Real>(
    problem: &dyn Problem<F>,
    source: &mut dyn GradientSource<F>,
    rule: &mut dyn Rule<F>,
    start: &[F],
    steps: usize,
    rng: &Rng,
) -> Result<Walk<F>> {
    let space = problem.space();
    if start.len() != space.dim() {
        return Err(Error::shape("start", start.len(), space.dim()));
    }
    let mut w = start.to_vec();
    space.repair(&mut w, 0, &mut rng.fork("outside").row(0));
    let mut gradient = vec![F::zero(); w.len()];
    let mut walk = Walk { points: Matrix::empty(w.len()), values: Vec::new(), evaluations: 1, gradients: 0 };
    for k in 0..steps {
        let rng = rng.at(k as u64);
        let sampled = source.gradient(&w, &mut gradient, &rng);
        walk.points.push(&w);
        walk.values.push(sampled.value);
        walk.evaluations += sampled.evaluations;
        walk.gradients += sampled.gradients;
        rule.update(&mut w, &gradient);
        space.repair(&mut w, 0, &mut rng.fork("outside").row(0));
    }
    walk.values.push(problem.value(&w));
    walk.points.push(&w);
    Ok(walk)
}
