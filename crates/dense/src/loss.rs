//! Losses of a network's outputs against its targets, with a derivative or without.
//!
//! A loss is the mean of its value over blocks: elements (one output of one sample), samples (a row of outputs), or the whole
//! batch. That is all a swarm needs; where the loss has a derivative too, it is written beside it, for the methods that use one.

mod program;
mod registry;

pub use program::Program;
pub use registry::{Entry, LOSSES, Named, Parameter, Takes, entry};

use crate::elementary::exp_below;
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::gradient::elements::{BlockLoss, ElementLoss, Found, Swarms};
use swarmgrad_core::simd::{level, ln};
use swarmgrad_core::{Real, Result, Rng, Workers};

/// The part of a batch that one swarm looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// One output of one sample.
    Element,
    /// The outputs of one sample.
    Sample,
    /// Everything at once.
    Batch,
}

impl Block {
    /// Every block, smallest first.
    pub const ALL: [Block; 3] = [Block::Element, Block::Sample, Block::Batch];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Block::Element => "element",
            Block::Sample => "sample",
            Block::Batch => "batch",
        }
    }
}

/// A batch as a loss sees it: flat rows of `columns` outputs, and their targets.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, F> {
    /// Outputs of a sample.
    pub columns: usize,
    /// Rows of `columns` numbers.
    pub outputs: &'a [F],
    /// As many rows.
    pub targets: &'a [F],
}

/// What swarms run on: threads, and the draws of this step.
#[derive(Debug, Clone, Copy)]
pub struct Lane<'a> {
    /// Threads.
    pub workers: &'a Workers,
    /// Draws; another iteration or fork for each step.
    pub rng: &'a Rng,
}

/// A loss as training sees it; any [`Elementwise`], [`Samplewise`] or [`Batchwise`] function is one.
///
/// `outputs` and `targets` are flat rows of `columns` numbers each.
pub trait Loss<F: Real = f32>: Send + Sync {
    /// The smallest block whose value does not depend on the rest of the batch.
    fn block(&self) -> Block;

    /// The mean over its blocks.
    fn value(&self, outputs: &[F], targets: &[F], columns: usize) -> f64;

    /// Writes d value / d outputs (the mean's, so with its 1/N) where there is a derivative, and says whether there is one.
    /// A derivative that is zero almost everywhere (a step) is one.
    fn derivative(&self, outputs: &[F], targets: &[F], columns: usize, out: &mut [F]) -> bool;

    /// Lets swarms look for better outputs, a swarm a block. `block` is at least [`Self::block`].
    fn search(&self, swarms: &mut Swarms<F>, block: Block, batch: Batch<'_, F>, lane: Lane<'_>, found: &mut Found<F>);

    /// Writes the proximal map of every block into `out` and says whether it can be computed without a search: the z of the least
    /// loss(z) + |z - w|^2 / (2 tau), w the outputs; in a range if there is one, which w may be outside of.
    fn proximal(&self, block: Block, batch: Batch<'_, F>, tau: f64, range: Option<[f64; 2]>, out: &mut [F]) -> bool {
        let _ = (block, batch, tau, range, out);
        false
    }

    /// The value of every block of size `block` (at least [`Self::block`]), in order.
    fn blocks(&self, block: Block, columns: usize, outputs: &[F], targets: &[F], out: &mut Vec<F>);

    /// Whether its values can be trusted so far.
    ///
    /// # Errors
    /// A loss that is computed elsewhere and has failed there: its values are NaN from then on.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Numbers of one block.
pub(crate) fn width(block: Block, columns: usize, len: usize) -> usize {
    match block {
        Block::Element => 1,
        Block::Sample => columns,
        Block::Batch => len,
    }
}

/// Numbers in a sample's row of targets: it may be wider or narrower than its outputs, as for swarms.
fn width_of_targets<F>(outputs: &[F], targets: &[F], columns: usize) -> usize {
    (targets.len() / (outputs.len() / columns).max(1)).max(1)
}

/// A loss of single elements and its derivative with respect to the output.
pub trait Derivative<F: Real> {
    /// d value / d output; `None` where the loss has no derivative of its own.
    fn derivative(&self, output: F, target: F) -> Option<F>;

    /// The z of the least value(z) + (z - output)^2 / (2 tau) in a range; `None` where there is no formula for it. What is outside of
    /// the range stands for its nearest end, which is what a convex loss needs.
    fn proximal(&self, output: F, target: F, tau: F, range: [F; 2]) -> Option<F> {
        let _ = (output, target, tau, range);
        None
    }
}

/// A loss that is a mean over elements.
#[derive(Debug, Clone, Copy)]
pub struct Elementwise<L>(pub L);

/// The element loss, many at a time in this processor's vectors.
struct Each<'a, L>(&'a L);

impl<F: Real, L: ElementLoss<F>> ElementLoss<F> for Each<'_, L> {
    fn value(&self, output: F, target: F) -> F {
        self.0.value(output, target)
    }

    fn values(&self, outputs: &[F], targets: &[F], out: &mut [F]) {
        dispatch!(level(), simd => values(simd, self.0, outputs, targets, out));
    }
}

#[simd]
fn values<S: Simd, F: Real, L: ElementLoss<F>>(_simd: S, loss: &L, outputs: &[F], targets: &[F], out: &mut [F]) {
    loss.values(outputs, targets, out);
}

/// The element loss as the mean over a longer block.
struct MeanOf<'a, L>(&'a L);

impl<F: Real, L: ElementLoss<F>> BlockLoss<F> for MeanOf<'_, L> {
    fn value(&self, outputs: &[F], targets: &[F]) -> F {
        let sum = outputs.iter().zip(targets).fold(F::zero(), |sum, (&o, &t)| sum + self.0.value(o, t));
        sum / real::<F>(outputs.len())
    }
}

impl<F: Real, L: ElementLoss<F> + Derivative<F>> Loss<F> for Elementwise<L> {
    fn block(&self) -> Block {
        Block::Element
    }

    fn value(&self, outputs: &[F], targets: &[F], _columns: usize) -> f64 {
        let sum: f64 = outputs.iter().zip(targets).map(|(&o, &t)| wide(self.0.value(o, t))).sum();
        sum / outputs.len() as f64
    }

    fn derivative(&self, outputs: &[F], targets: &[F], _columns: usize, out: &mut [F]) -> bool {
        let scale = F::one() / real::<F>(outputs.len());
        for ((out, &o), &t) in out.iter_mut().zip(outputs).zip(targets) {
            match self.0.derivative(o, t) {
                Some(slope) => *out = scale * slope,
                None => return false,
            }
        }
        true
    }

    fn search(&self, swarms: &mut Swarms<F>, block: Block, batch: Batch<'_, F>, lane: Lane<'_>, found: &mut Found<F>) {
        let (Batch { columns, outputs, targets }, Lane { workers, rng }) = (batch, lane);
        // Behind pointers, so that the search is compiled once and not for every loss.
        let (each, mean) = (&Each(&self.0) as &dyn ElementLoss<F>, &MeanOf(&self.0) as &dyn BlockLoss<F>);
        match block {
            Block::Element => swarms.elements(each, outputs, targets, workers, rng, found),
            Block::Sample => swarms.samples(mean, columns, outputs, targets, workers, rng, found),
            Block::Batch => swarms.batch(mean, outputs, targets, workers, rng, found),
        }
    }

    fn proximal(&self, block: Block, batch: Batch<'_, F>, tau: f64, range: Option<[f64; 2]>, out: &mut [F]) -> bool {
        let Batch { columns, outputs, targets } = batch;
        // A block's loss is a mean: each of its elements has its share.
        let tau = F::of(tau / width(block, columns, outputs.len()) as f64);
        let range = range.map_or([F::neg_infinity(), F::infinity()], |range| range.map(F::of));
        for ((out, &o), &t) in out.iter_mut().zip(outputs).zip(targets) {
            match self.0.proximal(o, t, tau, range) {
                Some(z) => *out = z.max(range[0]).min(range[1]),
                None => return false,
            }
        }
        true
    }

    fn blocks(&self, block: Block, columns: usize, outputs: &[F], targets: &[F], out: &mut Vec<F>) {
        let width = width(block, columns, outputs.len());
        let mean = MeanOf(&self.0);
        out.clear();
        out.extend(outputs.chunks(width).zip(targets.chunks(width)).map(|(o, t)| mean.value(o, t)));
    }
}

/// A loss of blocks and its derivative.
pub trait BlockDerivative<F: Real> {
    /// Writes d value / d outputs of one block and says whether there is a derivative.
    fn derivative(&self, outputs: &[F], targets: &[F], out: &mut [F]) -> bool;

    /// Writes the z of the least value(z) + |z - outputs|^2 / (2 tau) and says whether it can be computed without a search.
    fn proximal(&self, outputs: &[F], targets: &[F], tau: F, out: &mut [F]) -> bool {
        let _ = (outputs, targets, tau, out);
        false
    }
}

/// A loss that is a mean over samples.
#[derive(Debug, Clone, Copy)]
pub struct Samplewise<L>(pub L);

/// The sample loss as the mean over a batch.
struct MeanOfRows<'a, L>(&'a L, usize);

impl<F: Real, L: BlockLoss<F>> BlockLoss<F> for MeanOfRows<'_, L> {
    fn value(&self, outputs: &[F], targets: &[F]) -> F {
        let rows = outputs.chunks(self.1).zip(targets.chunks(self.1));
        let sum = rows.fold(F::zero(), |sum, (o, t)| sum + self.0.value(o, t));
        sum / real::<F>(outputs.len() / self.1)
    }
}

impl<F: Real, L: BlockLoss<F> + BlockDerivative<F>> Loss<F> for Samplewise<L> {
    fn block(&self) -> Block {
        Block::Sample
    }

    fn value(&self, outputs: &[F], targets: &[F], columns: usize) -> f64 {
        let rows = outputs.chunks(columns).zip(targets.chunks(columns));
        let sum: f64 = rows.map(|(o, t)| wide(self.0.value(o, t))).sum();
        sum / (outputs.len() / columns) as f64
    }

    fn derivative(&self, outputs: &[F], targets: &[F], columns: usize, out: &mut [F]) -> bool {
        let scale = F::one() / real::<F>(outputs.len() / columns);
        let rows = outputs.chunks(columns).zip(targets.chunks(width_of_targets(outputs, targets, columns)));
        let rows = rows.zip(out.chunks_mut(columns));
        for ((o, t), out) in rows {
            if !self.0.derivative(o, t, out) {
                return false;
            }
            out.iter_mut().for_each(|d| *d *= scale);
        }
        true
    }

    fn search(&self, swarms: &mut Swarms<F>, block: Block, batch: Batch<'_, F>, lane: Lane<'_>, found: &mut Found<F>) {
        let (Batch { columns, outputs, targets }, Lane { workers, rng }) = (batch, lane);
        match block {
            Block::Batch => {
                let mean = &MeanOfRows(&self.0, columns) as &dyn BlockLoss<F>;
                swarms.batch(mean, outputs, targets, workers, rng, found);
            }
            _ => swarms.samples(&self.0 as &dyn BlockLoss<F>, columns, outputs, targets, workers, rng, found),
        }
    }

    fn proximal(&self, block: Block, batch: Batch<'_, F>, tau: f64, range: Option<[f64; 2]>, out: &mut [F]) -> bool {
        let Batch { columns, outputs, targets } = batch;
        let rows = outputs.chunks(columns).zip(targets.chunks(width_of_targets(outputs, targets, columns)));
        let mut rows = rows.zip(out.chunks_mut(columns));
        block == Block::Sample && range.is_none() && rows.all(|((o, t), out)| self.0.proximal(o, t, F::of(tau), out))
    }

    fn blocks(&self, block: Block, columns: usize, outputs: &[F], targets: &[F], out: &mut Vec<F>) {
        let wide = width_of_targets(outputs, targets, columns);
        out.clear();
        match block {
            Block::Batch => out.push(MeanOfRows(&self.0, columns).value(outputs, targets)),
            _ => out.extend(outputs.chunks(columns).zip(targets.chunks(wide)).map(|(o, t)| self.0.value(o, t))),
        }
    }
}

/// A loss of a whole batch, such as F1.
#[derive(Debug, Clone, Copy)]
pub struct Batchwise<L>(pub L);

impl<F: Real, L: BlockLoss<F> + BlockDerivative<F>> Loss<F> for Batchwise<L> {
    fn block(&self) -> Block {
        Block::Batch
    }

    fn value(&self, outputs: &[F], targets: &[F], _columns: usize) -> f64 {
        wide(self.0.value(outputs, targets))
    }

    fn derivative(&self, outputs: &[F], targets: &[F], _columns: usize, out: &mut [F]) -> bool {
        self.0.derivative(outputs, targets, out)
    }

    fn search(&self, swarms: &mut Swarms<F>, _block: Block, batch: Batch<'_, F>, lane: Lane<'_>, found: &mut Found<F>) {
        let loss = &self.0 as &dyn BlockLoss<F>;
        swarms.batch(loss, batch.outputs, batch.targets, lane.workers, lane.rng, found);
    }

    fn blocks(&self, _block: Block, _columns: usize, outputs: &[F], targets: &[F], out: &mut Vec<F>) {
        out.clear();
        out.push(self.0.value(outputs, targets));
    }
}

fn real<F: Real>(n: usize) -> F {
    F::of(n as f64)
}

fn wide<F: Real>(x: F) -> f64 {
    x.to_f64().expect("a float")
}

// ---- elements ---------------------------------------------------------------------------------------------------------------

/// (output - target)^2
#[derive(Debug, Clone, Copy)]
pub struct Mse;

impl<F: Real> ElementLoss<F> for Mse {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        (output - target) * (output - target)
    }
}

impl<F: Real> Derivative<F> for Mse {
    fn derivative(&self, output: F, target: F) -> Option<F> {
        Some((output - target) + (output - target))
    }

    fn proximal(&self, output: F, target: F, tau: F, _range: [F; 2]) -> Option<F> {
        let twice = tau + tau;
        Some((output + twice * target) / (F::one() + twice))
    }
}

/// |output - target|
#[derive(Debug, Clone, Copy)]
pub struct Mae;

impl<F: Real> ElementLoss<F> for Mae {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        (output - target).abs()
    }
}

impl<F: Real> Derivative<F> for Mae {
    fn derivative(&self, output: F, target: F) -> Option<F> {
        Some(sign(output - target))
    }

    fn proximal(&self, output: F, target: F, tau: F, _range: [F; 2]) -> Option<F> {
        Some(toward(output, target, tau, tau))
    }
}

/// A step from output to target, but not past it: `down` where the target is below, `up` where it is above.
fn toward<F: Real>(output: F, target: F, down: F, up: F) -> F {
    if output > target { (output - down).max(target) } else { (output + up).min(target) }
}

fn sign<F: Real>(x: F) -> F {
    if x > F::zero() {
        F::one()
    } else if x < F::zero() {
        -F::one()
    } else {
        F::zero()
    }
}

/// -target ln(output) - (1 - target) ln(1 - output), outputs kept `1e-7` away from 0 and 1.
#[derive(Debug, Clone, Copy)]
pub struct Bce;

const EDGE: f64 = 1e-7;

impl<F: Real> ElementLoss<F> for Bce {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        let (low, one) = (F::of(EDGE), F::one());
        let output = output.max(low).min(one - low);
        -(target * ln(output) + (one - target) * ln(one - output))
    }
}

impl<F: Real> Derivative<F> for Bce {
    fn derivative(&self, output: F, target: F) -> Option<F> {
        let (low, one) = (F::of(EDGE), F::one());
        let output = output.max(low).min(one - low);
        Some((output - target) / (output * (one - output)))
    }

    /// Of targets 0 and 1, by the quadratic equation that their logarithm leaves.
    fn proximal(&self, output: F, target: F, tau: F, range: [F; 2]) -> Option<F> {
        let one = F::one();
        if target == one {
            Some(toward_one(output, tau, range))
        } else if target == F::zero() {
            Some(one - toward_one(one - output, tau, [one - range[1], one - range[0]]))
        } else {
            None
        }
    }
}

/// The z of the least -ln z + (z - w)^2 / (2 tau) in a range, the logarithm's argument kept `EDGE` away from 0 and 1.
fn toward_one<F: Real>(w: F, tau: F, [from, to]: [F; 2]) -> F {
    let (low, one, half) = (F::of(EDGE), F::one(), F::of(0.5));
    let root = (w * w + F::of(4.0) * tau).sqrt();
    let inner = if w > F::zero() { half * (w + root) } else { F::of(2.0) * tau / (root - w) };
    // Above its edge the loss is flat: there the nearest point is the least, and below the other edge too.
    let inner = inner.max(low).min((one - low).max(w)).max(from).min(to);
    let near = w.max(from).min(to);
    let total = |z: F| (z - w) * (z - w) / (tau + tau) - ln(z.max(low).min(one - low));
    if near < low && total(near) <= total(inner) { near } else { inner }
}

/// r^2 / 2 for |r| <= delta, delta (|r| - delta / 2) beyond, r = output - target.
#[derive(Debug, Clone, Copy)]
pub struct Huber(pub f64);

impl<F: Real> ElementLoss<F> for Huber {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        let (r, delta, half) = ((output - target).abs(), F::of(self.0), F::of(0.5));
        let near = r.min(delta);
        half * near * near + delta * (r - near)
    }
}

impl<F: Real> Derivative<F> for Huber {
    fn derivative(&self, output: F, target: F) -> Option<F> {
        let delta = F::of(self.0);
        Some((output - target).max(-delta).min(delta))
    }

    fn proximal(&self, output: F, target: F, tau: F, _range: [F; 2]) -> Option<F> {
        let (r, delta) = (output - target, F::of(self.0));
        let near = r / (F::one() + tau);
        Some(if near.abs() <= delta { target + near } else { output - tau * delta * sign(r) })
    }
}

/// q r for r >= 0, (q - 1) r below, r = target - output: its minimiser is the q-quantile.
#[derive(Debug, Clone, Copy)]
pub struct Quantile(pub f64);

impl<F: Real> ElementLoss<F> for Quantile {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        let (r, q) = (target - output, F::of(self.0));
        (q * r).max((q - F::one()) * r)
    }
}

impl<F: Real> Derivative<F> for Quantile {
    fn derivative(&self, output: F, target: F) -> Option<F> {
        let q = F::of(self.0);
        let r = target - output;
        Some(if r > F::zero() {
            -q
        } else if r < F::zero() {
            F::one() - q
        } else {
            F::zero()
        })
    }

    fn proximal(&self, output: F, target: F, tau: F, _range: [F; 2]) -> Option<F> {
        let q = F::of(self.0);
        Some(toward(output, target, tau * (F::one() - q), tau * q))
    }
}

/// |round(output) - round(target)|: flat almost everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Step;

impl<F: Real> ElementLoss<F> for Step {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        (output.round() - target.round()).abs()
    }
}

impl<F: Real> Derivative<F> for Step {
    fn derivative(&self, _output: F, _target: F) -> Option<F> {
        Some(F::zero())
    }
}

/// r^2 / 10 + 1 - cos(3 r), r = output - target: a well every 2 pi / 3, the deepest at the target.
#[derive(Debug, Clone, Copy)]
pub struct MultiWell;

impl<F: Real> ElementLoss<F> for MultiWell {
    #[inline(always)]
    fn value(&self, output: F, target: F) -> F {
        let r = output - target;
        F::of(0.1) * r * r + F::one() - (F::of(3.0) * r).cos()
    }
}

impl<F: Real> Derivative<F> for MultiWell {
    fn derivative(&self, output: F, target: F) -> Option<F> {
        let r = output - target;
        Some(F::of(0.2) * r + F::of(3.0) * (F::of(3.0) * r).sin())
    }
}

/// A user's loss of single elements, as a closure of output and target; a derivative can be given beside it.
pub struct Closure<V, D> {
    value: V,
    derivative: Option<D>,
}

/// A derivative that no closure gives.
pub type NoDerivative = fn(f32, f32) -> f32;

/// A closure `(output, target) -> loss` without a derivative, as a [`Loss`].
///
/// ```
/// use swarmgrad_dense::loss::{self, Loss};
/// let dead_zone = loss::closure(|output: f32, target: f32| ((output - target).abs() - 0.1).max(0.0));
/// assert!((dead_zone.value(&[1.0, 0.05], &[0.0, 0.0], 1) - 0.45).abs() < 1e-6);
/// ```
pub fn closure<V: Fn(f32, f32) -> f32 + Send + Sync>(value: V) -> Elementwise<Closure<V, NoDerivative>> {
    Elementwise(Closure { value, derivative: None })
}

/// A closure with its derivative with respect to the output.
pub fn differentiable_closure<V, D>(value: V, derivative: D) -> Elementwise<Closure<V, D>>
where
    V: Fn(f32, f32) -> f32 + Send + Sync,
    D: Fn(f32, f32) -> f32 + Send + Sync,
{
    Elementwise(Closure { value, derivative: Some(derivative) })
}

impl<V: Fn(f32, f32) -> f32 + Send + Sync, D: Send + Sync> ElementLoss<f32> for Closure<V, D> {
    #[inline(always)]
    fn value(&self, output: f32, target: f32) -> f32 {
        (self.value)(output, target)
    }
}

impl<V, D: Fn(f32, f32) -> f32> Derivative<f32> for Closure<V, D> {
    fn derivative(&self, output: f32, target: f32) -> Option<f32> {
        self.derivative.as_ref().map(|slope| slope(output, target))
    }
}

// ---- samples ----------------------------------------------------------------------------------------------------------------

/// Softmax cross-entropy of logits: ln sum exp(o) - sum t o, targets one-hot (or any distribution).
#[derive(Debug, Clone, Copy)]
pub struct CrossEntropy;

impl CrossEntropy {
    /// The largest output, and the sum of exp(o - largest), each of which `see` is told with its place.
    #[inline(always)]
    fn exponentials<F: Real>(outputs: &[F], mut see: impl FnMut(usize, F)) -> (F, F) {
        let top = outputs.iter().fold(F::neg_infinity(), |top, &o| top.max(o));
        let mut sum = F::zero();
        for (piece, outputs) in outputs.chunks(PIECE).enumerate() {
            let mut exps = [F::zero(); PIECE];
            exps.iter_mut().zip(outputs).for_each(|(e, &o)| *e = o - top);
            // Whole vectors, whatever stands behind the outputs.
            exp_below(&mut exps[..outputs.len().next_multiple_of(16)]);
            for (k, &e) in exps[..outputs.len()].iter().enumerate() {
                see(piece * PIECE + k, e);
                sum += e;
            }
        }
        (top, sum)
    }
}

/// Outputs whose exponentials are computed at a time.
const PIECE: usize = 64;

impl<F: Real> BlockLoss<F> for CrossEntropy {
    fn value(&self, outputs: &[F], targets: &[F]) -> F {
        let (top, sum) = CrossEntropy::exponentials(outputs, |_, _| {});
        let chosen = outputs.iter().zip(targets).fold(F::zero(), |sum, (&o, &t)| sum + t * o);
        top + ln(sum) - chosen
    }
}

impl<F: Real> BlockDerivative<F> for CrossEntropy {
    fn derivative(&self, outputs: &[F], targets: &[F], out: &mut [F]) -> bool {
        let (_, sum) = CrossEntropy::exponentials(outputs, |k, e| out[k] = e);
        out.iter_mut().zip(targets).for_each(|(out, &t)| *out = *out / sum - t);
        true
    }

    /// By Newton's method: the Hessian diag(p) - p p' + 1 / tau, p the softmax, is a diagonal and a matrix of rank one. The function
    /// is strongly convex, so a step that is halved until the gradient is shorter leads to its minimum. Not of very many outputs.
    fn proximal(&self, outputs: &[F], targets: &[F], tau: F, out: &mut [F]) -> bool {
        let (mut p, mut slope, mut step) = ([F::zero(); WIDEST], [F::zero(); WIDEST], [F::zero(); WIDEST]);
        let (n, rate) = (outputs.len(), F::one() / tau);
        if n > WIDEST || targets.len() != n {
            return false;
        }
        let (p, slope, step) = (&mut p[..n], &mut slope[..n], &mut step[..n]);
        // The softmax at z, the gradient there and its squared length.
        let gradient = |z: &[F], p: &mut [F], slope: &mut [F]| {
            let (_, sum) = CrossEntropy::exponentials(z, |k, e| p[k] = e);
            let mut square = F::zero();
            for k in 0..n {
                p[k] /= sum;
                slope[k] = p[k] - targets[k] + (z[k] - outputs[k]) * rate;
                square += slope[k] * slope[k];
            }
            square
        };
        out.copy_from_slice(outputs);
        let mut square = gradient(out, p, slope);
        for _ in 0..NEWTON_STEPS {
            // H step = slope by Sherman and Morrison; 1 - p' D^-1 p is the sum of p / (tau p + 1), for the p sum to one.
            let (mut along, mut rest) = (F::zero(), F::zero());
            for k in 0..n {
                step[k] = slope[k] / (p[k] + rate);
                along += p[k] * step[k];
                rest += p[k] / (tau * p[k] + F::one());
            }
            let mut moved = F::zero();
            for k in 0..n {
                step[k] += p[k] / (p[k] + rate) * (along / rest);
                moved = moved.max(step[k].abs() / (F::one() + out[k].abs()));
            }
            // The next error is about the square of this step: it is the last one, and so short that the function is a parabola.
            if moved <= F::epsilon().sqrt() {
                out.iter_mut().zip(&*step).for_each(|(z, d)| *z -= *d);
                return true;
            }
            let mut share = F::one();
            loop {
                out.iter_mut().zip(&*step).for_each(|(z, d)| *z -= share * *d);
                let here = gradient(out, p, slope);
                if here < square {
                    square = here;
                    break;
                }
                out.iter_mut().zip(&*step).for_each(|(z, d)| *z += share * *d);
                share *= F::of(0.5);
                if share < F::of(1e-3) {
                    return false;
                }
            }
        }
        false
    }
}

/// Outputs of a sample whose proximal map is computed, and the most steps for it.
const WIDEST: usize = 128;
const NEWTON_STEPS: usize = 50;

/// 1 where the largest output is not at the largest target, 0 where it is. For a single column: where output and target are on
/// different sides of 1/2.
#[derive(Debug, Clone, Copy)]
pub struct ZeroOne;

pub(crate) fn largest<F: Real>(row: &[F]) -> usize {
    row.iter().enumerate().fold(0, |best, (i, v)| if *v > row[best] { i } else { best })
}

impl<F: Real> BlockLoss<F> for ZeroOne {
    fn value(&self, outputs: &[F], targets: &[F]) -> F {
        let half = F::of(0.5);
        let right = match (outputs, targets) {
            ([o], [t]) => (*o > half) == (*t > half),
            _ => largest(outputs) == largest(targets),
        };
        if right { F::zero() } else { F::one() }
    }
}

impl<F: Real> BlockDerivative<F> for ZeroOne {
    fn derivative(&self, _outputs: &[F], _targets: &[F], out: &mut [F]) -> bool {
        out.fill(F::zero());
        true
    }
}

// ---- batches ----------------------------------------------------------------------------------------------------------------

/// 1 - the mean over classes of F1 = 2 TP / (2 TP + FP + FN), predictions by the largest output of a row (by 1/2 for a single
/// column, whose class 1 alone then counts). Needs the number of columns, since a batch is flat.
#[derive(Debug, Clone, Copy)]
pub struct F1 {
    /// Outputs of a sample.
    pub columns: usize,
}

impl<F: Real> BlockLoss<F> for F1 {
    fn value(&self, outputs: &[F], targets: &[F]) -> F {
        let (columns, half) = (self.columns, F::of(0.5));
        let class = |row: &[F]| if columns == 1 { usize::from(row[0] > half) } else { largest(row) };
        let score = |wanted: usize| {
            let (mut hits, mut misses) = (0usize, 0usize);
            for (o, t) in outputs.chunks(columns).zip(targets.chunks(columns)) {
                let (predicted, actual) = (class(o) == wanted, class(t) == wanted);
                hits += usize::from(predicted && actual);
                misses += usize::from(predicted != actual);
            }
            if hits + misses == 0 { F::one() } else { real::<F>(2 * hits) / real::<F>(2 * hits + misses) }
        };
        if columns == 1 {
            return F::one() - score(1);
        }
        F::one() - (0..columns).fold(F::zero(), |sum, class| sum + score(class)) / real::<F>(columns)
    }
}

impl<F: Real> BlockDerivative<F> for F1 {
    fn derivative(&self, _outputs: &[F], _targets: &[F], out: &mut [F]) -> bool {
        out.fill(F::zero());
        true
    }
}

/// F1 with the outputs themselves in the counts' place: 1 - the mean over classes of 2 sum p t / (sum p + sum t). The usual smooth
/// stand-in for [`F1`], for outputs between 0 and 1.
#[derive(Debug, Clone, Copy)]
pub struct SoftF1 {
    /// Outputs of a sample.
    pub columns: usize,
}

impl SoftF1 {
    /// Twice the overlap and the sum of a class.
    fn counts<F: Real>(&self, outputs: &[F], targets: &[F], class: usize) -> (F, F) {
        let rows = outputs.chunks(self.columns).zip(targets.chunks(self.columns));
        rows.fold((F::zero(), F::of(1e-7)), |(overlap, sum), (o, t)| {
            (overlap + F::of(2.0) * o[class] * t[class], sum + o[class] + t[class])
        })
    }
}

impl<F: Real> BlockLoss<F> for SoftF1 {
    fn value(&self, outputs: &[F], targets: &[F]) -> F {
        let scores = (0..self.columns).map(|class| self.counts(outputs, targets, class));
        F::one() - scores.fold(F::zero(), |total, (overlap, sum)| total + overlap / sum) / real::<F>(self.columns)
    }
}

impl<F: Real> BlockDerivative<F> for SoftF1 {
    fn derivative(&self, outputs: &[F], targets: &[F], out: &mut [F]) -> bool {
        let counts: Vec<(F, F)> = (0..self.columns).map(|class| self.counts(outputs, targets, class)).collect();
        let rows = out.chunks_mut(self.columns).zip(targets.chunks(self.columns));
        for (out, target) in rows {
            for ((out, &t), &(overlap, sum)) in out.iter_mut().zip(target).zip(&counts) {
                *out = (overlap / sum - F::of(2.0) * t) / (sum * real::<F>(self.columns));
            }
        }
        true
    }
}
