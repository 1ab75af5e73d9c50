//! dE/d(output): what is sent back into a network in place of the loss's own derivative, or that derivative.

use crate::layer::Output;
use crate::loss::{self, Batch, Block, Lane, Loss};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::gradient::elements::{Found, Search, Start, Swarms};
use swarmgrad_core::{Error, Result, Rng, math};

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(clippy::large_enum_variant)] // one an optimiser
pub enum Signal {
    /// The loss's own derivative.
    Exact,
    /// The derivative of another loss, by name: the control "Adam on MSE", a straight-through or smooth stand-in.
    Surrogate(String),
    /// kappa (w - g), g the best outputs that swarms find.
    Swarm(SwarmSignal),
    /// Differences of the loss along random signs (Spall 1992): `(f(w + c s) - f(w - c s)) / (2 c) s`, a mean over `pairs`.
    Spsa {
        /// c, above 0.
        width: f64,
        /// Pairs of evaluations.
        pairs: usize,
    },
    /// Differences along normal directions, the gradient of the loss smoothed by N(0, sigma^2) (antithetic evolution
    /// strategies): `(f(w + sigma z) - f(w - sigma z)) / (2 sigma) z`, a mean over `pairs`.
    EvolutionStrategy {
        /// sigma, above 0.
        sigma: f64,
        /// Pairs of evaluations.
        pairs: usize,
    },
    /// (w - x_alpha) / (alpha sigma^2), x_alpha the consensus of a Gaussian cloud around w: the gradient of the smoothed envelope
    /// -log(E exp(-alpha f(w + sigma z))) / alpha. Of a 0-1 loss with large alpha that is the likelihood of a classifier with noise,
    /// with small alpha an evolution strategy's gradient.
    Consensus {
        /// alpha, above 0: how much better points outweigh worse ones.
        alpha: f64,
        /// sigma, above 0.
        sigma: f64,
        /// Pairs of points, w + sigma z and w - sigma z.
        pairs: usize,
    },
    /// A swarm's or a consensus's gradient whose lengths follow the residuals, for losses that have no scale of their own.
    Scaled(Scaled),
}

/// A signal in units of the residuals. At a share of training p its length is h = s `from`^(1 - p) `to`^p, with s the robust scale of
/// the residuals: of output - label their median absolute deviation, 1.4826 of it, averaged over the batches. So the signal becomes
/// the (sub)gradient of the loss, whatever the units of the numbers, and whatever the loss.
///
/// - A swarm searches within h of the output, and kappa is what it found there: (f(w) - f(g)) / |w - g|^2, the slope of the secant
///   from w to g. The paper's kappa says nothing of f, and makes every loss the squared error.
/// - With a proximity tau is h / c, so that a step is no longer than h; c is the largest slope of a block's loss over the distance s.
/// - The cloud of a consensus has sigma h, and alpha what makes alpha h c the alpha sigma of `of`: far above 1 few points decide, and
///   what they say of the steep side of a loss is too little.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaled {
    /// What is scaled.
    pub of: Box<Signal>,
    /// Length at the beginning, in units of s.
    pub from: f64,
    /// Length at the end.
    pub to: f64,
}

/// A swarm's gradient.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SwarmSignal {
    /// Parameters of the swarms; [`Signal::fit`] fits their start to a bounded output.
    pub search: Search,
    /// What one swarm looks after; the loss's own block where it is not said.
    pub block: Option<Block>,
    /// The published program's scale: the gradient is not divided by the number of blocks.
    pub sum: bool,
    /// Whether swarms with a proximity are run even where the loss's proximal map can be computed, see [`Loss::proximal`].
    pub run: bool,
}

impl Signal {
    /// A swarm with the default parameters.
    pub fn swarm() -> Self {
        Signal::Swarm(SwarmSignal::default())
    }

    /// A swarm whose gradient is that of the Moreau envelope with parameter tau: the same g whatever kappa.
    pub fn proximal(tau: f64) -> Self {
        let start = Start::Around { span: 2.0 * tau };
        Signal::Swarm(SwarmSignal {
            search: Search { proximity: Some(tau), start, ..Search::default() },
            ..SwarmSignal::default()
        })
    }

    /// The same with the start and the range of its swarms fitted to what follows a network's last layer: outputs in an
    /// interval are searched all over it, others around themselves.
    pub fn fit(self, output: Output) -> Self {
        match (self, output.range()) {
            (Signal::Swarm(swarm), Some([low, high])) if swarm.search.start.holds_output() => {
                let search = Search { start: Start::Range { low, high }, confine: Some([low, high]), ..swarm.search };
                Signal::Swarm(SwarmSignal { search, ..swarm })
            }
            (signal, _) => signal,
        }
    }

    /// The same with lengths that follow the residuals, where a loss with this name is one of them alone and the outputs are numbers
    /// without bounds: swarms and consensus; other signals, and other losses, as they are.
    pub fn scaled_for(self, loss: &str, regression: bool) -> Self {
        let follows = regression && loss::entry(loss).is_ok_and(|entry| entry.residual);
        let of = match self {
            Signal::Swarm(swarm) if follows => Signal::Swarm(swarm),
            Signal::Consensus { sigma, pairs, .. } if follows => {
                Signal::Consensus { alpha: REACH / sigma, sigma, pairs }
            }
            other => return other,
        };
        Signal::Scaled(Scaled { of: Box::new(of), from: SHARES[0], to: SHARES[1] })
    }

    /// Whether a swarm or a cloud of points stands in for the loss's derivative.
    pub fn lends_gradient(&self) -> bool {
        matches!(self, Signal::Swarm(_) | Signal::Consensus { .. } | Signal::Scaled(_))
    }

    /// Whether no swarm is run for this loss of `columns` outputs a sample: what it would look for is a proximal map that can be computed, of
    /// bce for targets 0 and 1.
    pub fn is_computed(&self, loss: &dyn Loss, columns: usize) -> bool {
        let swarm = match self {
            Signal::Swarm(swarm) => swarm,
            Signal::Scaled(Scaled { of, .. }) => return of.is_computed(loss, columns),
            _ => return false,
        };
        let row = vec![0.0; columns];
        let batch = Batch { columns, outputs: &row, targets: &row };
        let block = swarm.block.unwrap_or(loss.block());
        !swarm.run && compute(loss, block, batch, &swarm.search, &mut Found::default())
    }

    /// Checks the parameters against the loss they are for.
    ///
    /// # Errors
    /// A parameter outside its range, a block smaller than the loss's own, an unknown surrogate.
    pub fn check(&self, loss: &dyn Loss) -> Result<()> {
        let positive = |name: &str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::parameter(name, value, "must be above 0 and finite")),
        };
        match self {
            Signal::Exact => Ok(()),
            Signal::Surrogate(name) => loss::entry(name).map(|_| ()),
            Signal::Swarm(SwarmSignal { search, block, .. }) => {
                search.check()?;
                match block {
                    Some(block) if *block < loss.block() => Err(Error::parameter(
                        "block",
                        block.name(),
                        format!(
                            "this loss joins the outputs of a {}; use a block at least as large",
                            loss.block().name()
                        ),
                    )),
                    _ => Ok(()),
                }
            }
            Signal::Spsa { width, pairs }
            | Signal::EvolutionStrategy { sigma: width, pairs }
            | Signal::Consensus { sigma: width, pairs, .. } => {
                positive("width", *width)?;
                if let Signal::Consensus { alpha, .. } = self {
                    positive("alpha", *alpha)?;
                }
                if *pairs == 0 { Err(Error::parameter("pairs", 0, "at least 1")) } else { Ok(()) }
            }
            Signal::Scaled(Scaled { of, from, to }) => {
                positive("from", *from)?;
                positive("to", *to)?;
                if !matches!(**of, Signal::Swarm(_) | Signal::Consensus { .. }) {
                    let rule = "only a swarm's or a consensus's lengths can follow the residuals";
                    return Err(Error::parameter("of", format!("{of:?}"), rule));
                }
                of.check(loss)
            }
        }
    }
}

/// Lengths of a scaled signal at the beginning and at the end of training, unless said.
const SHARES: [f64; 2] = [0.3, 0.02];
/// alpha sigma c of a scaled consensus, unless said.
const REACH: f64 = 1.0;
/// Weight of a batch in the running scale of the residuals.
const FRESH: f64 = 0.1;

/// Computes a [`Signal`], with memory that it keeps from step to step.
pub struct Sender {
    signal: Signal,
    /// How its lengths follow the residuals, from and to.
    shares: Option<[f64; 2]>,
    /// The running scale of the residuals.
    scale: Option<f64>,
    /// How much of the training is done.
    progress: f64,
    surrogate: Option<Box<dyn Loss>>,
    swarms: Option<Swarms<f32>>,
    found: Found<f32>,
    block: Block,
    ends: [Vec<f32>; 2],
    values: [Vec<f32>; 2],
    direction: Vec<f32>,
    /// Of every block the least loss of a consensus so far, and the sum of the weights.
    gathered: Vec<(f32, f32)>,
}

impl Sender {
    /// For a loss on `columns` outputs a sample.
    ///
    /// # Errors
    /// Those of [`Signal::check`].
    pub fn new(signal: Signal, loss: &dyn Loss, columns: usize) -> Result<Self> {
        signal.check(loss)?;
        let (signal, shares) = match signal {
            Signal::Scaled(Scaled { of, from, to }) => (*of, Some([from, to])),
            signal => (signal, None),
        };
        let surrogate = match &signal {
            Signal::Surrogate(name) => Some(loss::entry(name)?.build(columns)),
            _ => None,
        };
        let (swarms, block) = match &signal {
            Signal::Swarm(swarm) => (Some(Swarms::new(swarm.search.clone())?), swarm.block.unwrap_or(loss.block())),
            _ => (None, loss.block()),
        };
        Ok(Sender {
            signal,
            shares,
            scale: None,
            progress: 0.0,
            surrogate,
            swarms,
            found: Found::default(),
            block,
            ends: Default::default(),
            values: Default::default(),
            direction: Vec::new(),
            gathered: Vec::new(),
        })
    }

    /// Says how much of the training is done, from 0 to 1, for the lengths of [`Signal::Scaled`].
    pub fn progress(&mut self, share: f64) {
        self.progress = share.clamp(0.0, 1.0);
    }

    /// Writes dE/d(output) of the mean loss into `out`; returns how many losses of blocks were evaluated for it.
    ///
    /// # Errors
    /// A loss without a derivative asked for one.
    pub fn send(&mut self, loss: &dyn Loss, batch: Batch<'_, f32>, lane: Lane<'_>, out: &mut [f32]) -> Result<u64> {
        if let Some(shares) = self.shares {
            return self.send_scaled(loss, batch, lane, shares, out);
        }
        let Batch { columns, outputs, targets } = batch;
        let exact = |loss: &dyn Loss, out: &mut [f32]| match loss.derivative(outputs, targets, columns, out) {
            true => Ok(0),
            false => Err(Error::parameter(
                "loss",
                "a closure without a derivative",
                "has no gradient to send back: use a swarm (optimizer adaswarm)",
            )),
        };
        match (&self.signal, &mut self.swarms) {
            (Signal::Exact, _) => exact(loss, out),
            (Signal::Surrogate(_), _) => exact(self.surrogate.as_deref().expect("built with the sender"), out),
            (Signal::Swarm(swarm), Some(swarms)) => {
                if swarm.run || !compute(loss, self.block, batch, &swarm.search, &mut self.found) {
                    loss.search(swarms, self.block, batch, lane, &mut self.found);
                }
                self.found.gradient(outputs, out);
                if !swarm.sum {
                    let scale = 1.0 / self.found.kappa.len() as f32;
                    out.iter_mut().for_each(|g| *g *= scale);
                }
                Ok(self.found.evaluations)
            }
            (Signal::Swarm(_), None) | (Signal::Scaled(_), _) => unreachable!("taken apart when the sender was built"),
            (&Signal::Spsa { width, pairs }, _) => {
                let draw = |u: &mut [f32], rng: &Rng, pair: usize| {
                    rng.row(pair).fill_uniform(u);
                    u.iter_mut().for_each(|u| *u = if *u < 0.5 { -1.0 } else { 1.0 });
                };
                Ok(self.differences(loss, batch, lane.rng, (width, pairs), draw, out))
            }
            (&Signal::EvolutionStrategy { sigma, pairs }, _) => {
                Ok(self.differences(loss, batch, lane.rng, (sigma, pairs), normals, out))
            }
            (&Signal::Consensus { alpha, sigma, pairs }, _) => {
                Ok(self.consensus(loss, batch, lane.rng, [alpha as f32, sigma as f32], pairs, out))
            }
        }
    }

    /// [`Signal::Scaled`]: see there.
    fn send_scaled(
        &mut self,
        loss: &dyn Loss,
        batch: Batch<'_, f32>,
        lane: Lane<'_>,
        [from, to]: [f64; 2],
        out: &mut [f32],
    ) -> Result<u64> {
        let Batch { columns, outputs, targets } = batch;
        let fresh = residual_scale(outputs, targets);
        let scale = self.scale.map_or(fresh, |scale| (1.0 - FRESH) * scale + FRESH * fresh);
        self.scale = Some(scale);
        let length = scale * math::exp((1.0 - self.progress) * math::ln(from) + self.progress * math::ln(to));
        match self.signal.clone() {
            Signal::Consensus { alpha, sigma, pairs } => {
                let (slope, more) = self.slope(loss, batch, scale);
                let alpha = alpha * sigma / (length * slope);
                let evaluations = self.consensus(loss, batch, lane.rng, [alpha as f32, length as f32], pairs, out);
                Ok(evaluations + more)
            }
            Signal::Swarm(swarm) => {
                let (proximity, more) = match swarm.search.proximity {
                    Some(_) => {
                        let (slope, more) = self.slope(loss, batch, scale);
                        (Some(length / slope), more)
                    }
                    None => (None, 0),
                };
                let start = Start::Around { span: if proximity.is_some() { 2.0 * length } else { length } };
                let search = Search { proximity, start, ..swarm.search };
                if swarm.run || !compute(loss, self.block, batch, &search, &mut self.found) {
                    loss.search(&mut Swarms::new(search)?, self.block, batch, lane, &mut self.found);
                }
                let found = &mut self.found;
                let more = more + if proximity.is_some() { 0 } else { 2 * found.kappa.len() as u64 };
                if proximity.is_none() {
                    let within = length as f32;
                    let near = |(g, w): (&mut f32, &f32)| *g = g.clamp(w - within, w + within);
                    found.best.iter_mut().zip(outputs).for_each(near);
                    loss.blocks(self.block, columns, outputs, targets, &mut self.values[0]);
                    loss.blocks(self.block, columns, &found.best, targets, &mut self.values[1]);
                    let span = loss::width(self.block, columns, outputs.len());
                    let blocks = outputs.chunks(span).zip(found.best.chunks(span));
                    let values = self.values[0].iter().zip(&self.values[1]);
                    for ((kappa, (w, g)), (before, after)) in found.kappa.iter_mut().zip(blocks).zip(values) {
                        let square: f32 = w.iter().zip(g).map(|(w, g)| (w - g) * (w - g)).sum();
                        let secant = (before - after) / square;
                        *kappa = if secant.is_finite() { secant } else { 0.0 };
                    }
                }
                found.gradient(outputs, out);
                if !swarm.sum {
                    let share = 1.0 / found.kappa.len() as f32;
                    out.iter_mut().for_each(|g| *g *= share);
                }
                Ok(found.evaluations + more)
            }
            _ => unreachable!("checked when the sender was built"),
        }
    }

    /// The largest slope of a block's loss from one end to the other of `scale` on both sides of its outputs, and the losses evaluated
    /// for it; 1 where all are flat.
    fn slope(&mut self, loss: &dyn Loss, batch: Batch<'_, f32>, scale: f64) -> (f64, u64) {
        self.direction.clear();
        self.direction.resize(batch.outputs.len(), 1.0);
        self.probe(loss, batch, scale as f32);
        let pairs = self.values[0].iter().zip(&self.values[1]);
        let rises = pairs.map(|(plus, minus)| f64::from((plus - minus).abs())).filter(|rise| rise.is_finite());
        let slope = rises.fold(0.0, f64::max) / (2.0 * scale);
        (if slope > 0.0 { slope } else { 1.0 }, 2 * self.values[0].len() as u64)
    }

    /// The losses of every block at both ends of a step along the direction.
    fn probe(&mut self, loss: &dyn Loss, Batch { columns, outputs, targets }: Batch<'_, f32>, step: f32) {
        for ((sign, end), values) in [1.0, -1.0].into_iter().zip(&mut self.ends).zip(&mut self.values) {
            end.clear();
            end.extend(outputs.iter().zip(&self.direction).map(|(w, d)| w + sign * step * d));
            loss.blocks(self.block, columns, end, targets, values);
        }
    }

    /// Two-sided differences of every block's loss along a random direction of that block.
    fn differences(
        &mut self,
        loss: &dyn Loss,
        batch: Batch<'_, f32>,
        rng: &Rng,
        (width, pairs): (f64, usize),
        draw: impl Fn(&mut [f32], &Rng, usize),
        out: &mut [f32],
    ) -> u64 {
        out.fill(0.0);
        self.direction.resize(out.len(), 0.0);
        let step = width as f32;
        let span = loss::width(self.block, batch.columns, out.len());
        for pair in 0..pairs {
            draw(&mut self.direction, rng, pair);
            self.probe(loss, batch, step);
            let blocks = out.chunks_mut(span).zip(self.direction.chunks(span));
            for ((out, direction), (plus, minus)) in blocks.zip(self.values[0].iter().zip(&self.values[1])) {
                let slope = (plus - minus) / (2.0 * step * pairs as f32);
                out.iter_mut().zip(direction).for_each(|(g, d)| *g += slope * d);
            }
        }
        let blocks = self.values[0].len();
        out.iter_mut().for_each(|g| *g /= blocks as f32);
        (2 * pairs * blocks) as u64
    }

    /// (w - x_alpha) / (alpha sigma^2) of every block. Weights are exp(-alpha (f - least)), with the least loss of the block so far: what
    /// was gathered shrinks when a smaller one comes.
    fn consensus(
        &mut self,
        loss: &dyn Loss,
        batch: Batch<'_, f32>,
        rng: &Rng,
        [alpha, sigma]: [f32; 2],
        pairs: usize,
        out: &mut [f32],
    ) -> u64 {
        out.fill(0.0);
        self.direction.resize(out.len(), 0.0);
        let span = loss::width(self.block, batch.columns, out.len());
        let blocks = out.len().div_ceil(span.max(1));
        self.gathered.clear();
        self.gathered.resize(blocks, (f32::INFINITY, 0.0));
        for pair in 0..pairs {
            normals(&mut self.direction, rng, pair);
            self.probe(loss, batch, sigma);
            for (sign, values) in [1.0, -1.0].into_iter().zip(&self.values) {
                let parts = out.chunks_mut(span).zip(self.direction.chunks(span));
                for ((out, direction), (&value, (least, total))) in parts.zip(values.iter().zip(&mut self.gathered)) {
                    if value.is_nan() || value == f32::INFINITY {
                        continue;
                    }
                    if value < *least {
                        let shrink = math::exp(alpha * (value - *least));
                        out.iter_mut().for_each(|g| *g *= shrink);
                        (*least, *total) = (value, *total * shrink);
                    }
                    let weight = math::exp(alpha * (*least - value));
                    *total += weight;
                    out.iter_mut().zip(direction).for_each(|(g, d)| *g -= sign * weight * d);
                }
            }
        }
        for (out, (_, total)) in out.chunks_mut(span).zip(&self.gathered) {
            let scale = if *total > 0.0 { 1.0 / (total * alpha * sigma * blocks as f32) } else { 0.0 };
            out.iter_mut().for_each(|g| *g *= scale);
        }
        (2 * pairs * blocks) as u64
    }
}

/// What swarms with a proximity would find, where the loss's proximal map can be computed.
fn compute(loss: &dyn Loss, block: Block, batch: Batch<'_, f32>, search: &Search, found: &mut Found<f32>) -> bool {
    let Some(tau) = search.proximity else { return false };
    let blocks = batch.outputs.len() / loss::width(block, batch.columns, batch.outputs.len()).max(1);
    found.best.resize(batch.outputs.len(), 0.0);
    found.kappa.clear();
    found.kappa.resize(blocks, (1.0 / tau) as f32);
    found.evaluations = 0;
    loss.proximal(block, batch, tau, search.confine, &mut found.best)
}

/// A robust scale of output - target, above 0: 1.4826 times the median absolute deviation from the median, which is the standard
/// deviation of normal residuals; the mean absolute residual where half of them are equal, and 1 where all are 0.
fn residual_scale(outputs: &[f32], targets: &[f32]) -> f64 {
    let mut residuals: Vec<f64> = outputs.iter().zip(targets).map(|(&o, &t)| f64::from(o) - f64::from(t)).collect();
    let size = residuals.iter().map(|r| r.abs()).sum::<f64>() / residuals.len().max(1) as f64;
    let middle = median(&mut residuals);
    residuals.iter_mut().for_each(|r| *r = (*r - middle).abs());
    let deviation = 1.4826 * median(&mut residuals);
    [deviation, size].into_iter().find(|t| t.is_finite() && *t > 0.0).unwrap_or(1.0)
}

/// The upper median.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f64::total_cmp).1 }
}

fn normals(z: &mut [f32], rng: &Rng, row: usize) {
    rng.row(row).fill_normal(z);
}
