//! A module without a gradient in the middle of a network: a quantiser, a simulator, a program.
//!
//! ```text
//! h = before(x)        q = module(h)        y = after(q)        E = loss(y, targets)
//! ```
//!
//! Backpropagation gives delta = dE/dq and stops there. For each sample, [`Through`] asks for a better input of the module,
//!
//! ```text
//! phi(h') = |module(h') - (q - s delta)|^2 / (2 s)
//! ```
//!
//! whose gradient at h is J^T delta, the chain rule, wherever the module has a Jacobian J: phi is what stands in for E. A [`Signal`]
//! turns it into dE/dh: a swarm that looks for the input whose output lies nearest to the one wanted, or differences of phi. The
//! step s makes the mean length of s delta the module's `reach`: of the size of the module's steps, so that the wanted output lies
//! on another one.

use super::step::apply;
use super::weights::floats;
use super::{Network, Pass};
use crate::loss::{Batch, BlockDerivative, Lane, Loss, Samplewise};
use crate::optim::{Adam, Rule, Stepped};
use crate::signal::{Sender, Signal};
use burn::tensor::{Device, Tensor, TensorData};
use swarmgrad_algorithms::gradient::elements::BlockLoss;
use swarmgrad_core::{Error, Matrix, Result, Rng, Workers};

/// Two networks and a module without a gradient between them, and how they learn.
///
/// ```
/// use swarmgrad_core::{Matrix, Rng};
/// use swarmgrad_nn::model::{Activation, Architecture, Output};
/// use swarmgrad_nn::optim::Adam;
/// use swarmgrad_nn::tensor::{Device, Through};
/// use swarmgrad_nn::{loss, signal::Signal};
///
/// // y = 3 round(2 x): both slopes must be learned, and the stair in the middle has derivative zero.
/// let stair = |h: &[f32], q: &mut [f32]| q[0] = h[0].round();
/// let line = Architecture::Mlp { hidden: vec![], activation: Activation::Relu, output: Output::Identity };
/// let (rng, device) = (Rng::new(1), Device::flex().autodiff());
/// let nets = (line.build(1, 1, &rng, &device)?, line.build(1, 1, &rng.fork("after"), &device)?);
/// let mse = loss::entry("mse")?.build(1);
/// let mut through = Through::new(nets, stair, [1, 1], Signal::proximal(0.5), 1.0, mse, 1)?
///     .rules(Box::new(Adam::new(0.05)), Box::new(Adam::new(0.05)))?;
/// let x = Matrix::from_vec(1, (-16..16).map(|i| i as f32 / 8.0).collect())?;
/// let y = Matrix::from_vec(1, x.data().iter().map(|x| 3.0 * (2.0 * x).round()).collect())?;
/// let mut last = f64::NAN;
/// for _ in 0..400 {
///     last = through.step(&x, &y)?.loss;
/// }
/// assert!(last < 2.0, "{last}");                       // 48 for the best network that ignores x
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Through<A, B, M> {
    nets: Option<(A, B)>,
    device: Device,
    /// phi; the module inside.
    toward: Samplewise<Toward<M>>,
    inputs: usize,
    outputs: usize,
    reach: f64,
    sender: Sender,
    loss: Box<dyn Loss>,
    rules: [Box<dyn Rule<f32>>; 2],
    rng: Rng,
    workers: Workers,
    step: u64,
}

/// |module(h) - wanted|^2 / (2 s); a row of targets is the wanted output.
struct Toward<M> {
    module: M,
    step: f32,
}

impl<M: Fn(&[f32], &mut [f32])> Toward<M> {
    /// Gives the module's outputs to `then`, from the stack where they are few: swarms ask a thousand times a sample.
    fn run<T>(&self, inputs: &[f32], outputs: usize, then: impl FnOnce(&[f32]) -> T) -> T {
        let (mut few, mut many) = ([0.0; 32], Vec::new());
        let room = if outputs <= few.len() {
            &mut few[..outputs]
        } else {
            many.resize(outputs, 0.0);
            &mut many[..]
        };
        (self.module)(inputs, room);
        then(room)
    }
}

impl<M: Fn(&[f32], &mut [f32]) + Send + Sync> BlockLoss<f32> for Toward<M> {
    fn value(&self, inputs: &[f32], wanted: &[f32]) -> f32 {
        let square = |q: &[f32]| q.iter().zip(wanted).map(|(q, w)| (q - w) * (q - w)).sum::<f32>();
        self.run(inputs, wanted.len(), square) / (2.0 * self.step)
    }
}

/// The straight-through estimator: the module taken for the identity.
impl<M: Fn(&[f32], &mut [f32]) + Send + Sync> BlockDerivative<f32> for Toward<M> {
    fn derivative(&self, inputs: &[f32], wanted: &[f32], out: &mut [f32]) -> bool {
        self.run(inputs, wanted.len(), |q| {
            out.iter_mut().zip(q).zip(wanted).for_each(|((o, q), w)| *o = (q - w) / self.step);
        });
        inputs.len() == wanted.len()
    }
}

impl<A: Network, B: Network, M: Fn(&[f32], &mut [f32]) + Send + Sync> Through<A, B, M> {
    /// The networks before and behind a module from `columns[0]` numbers to `columns[1]` a sample, which it writes into its second
    /// argument. `reach` is how far away, in the module's outputs, a better output is looked for, above 0. Both networks learn by
    /// Adam at .001 unless [`Self::rules`] says otherwise.
    ///
    /// # Errors
    /// A size of zero, a reach that is not above 0, parameters of the signal outside their ranges, [`Signal::Surrogate`] (a module
    /// has no stand-in), [`Signal::Scaled`] (nor residuals), or [`Signal::Exact`], the straight-through estimator, where the module has more outputs than inputs or fewer.
    pub fn new(
        nets: (A, B),
        module: M,
        columns: [usize; 2],
        signal: Signal,
        reach: f64,
        loss: Box<dyn Loss>,
        seed: u64,
    ) -> Result<Self> {
        let [inputs, outputs] = columns;
        if inputs == 0 || outputs == 0 {
            return Err(Error::parameter("module", format!("{inputs} to {outputs}"), "both must be at least 1"));
        }
        if !(reach > 0.0 && reach.is_finite()) {
            return Err(Error::parameter("reach", reach, "must be above 0 and finite"));
        }
        if let Signal::Scaled(_) = signal {
            let rule = "follows the residuals of a network's outputs, and a module has none";
            return Err(Error::parameter("signal", format!("{signal:?}"), rule));
        }
        if matches!(signal, Signal::Surrogate(_)) || (signal == Signal::Exact && inputs != outputs) {
            let rule = "needs a derivative: a module has none, and straight-through needs as many outputs as inputs";
            return Err(Error::parameter("signal", format!("{signal:?}"), rule));
        }
        let toward = Samplewise(Toward { module, step: 1.0 });
        let sender = Sender::new(signal, &toward, inputs)?;
        let rule = || Box::new(Adam::new(1e-3)) as Box<dyn Rule<f32>>;
        Ok(Through {
            device: nets.0.devices().first().cloned().unwrap_or_default(),
            nets: Some(nets),
            toward,
            inputs,
            outputs,
            reach,
            sender,
            loss,
            rules: [rule(), rule()],
            rng: Rng::new(seed),
            workers: Workers::default(),
            step: 0,
        })
    }

    /// How the weights before and behind the module move.
    ///
    /// # Errors
    /// A rule's parameter outside its range.
    pub fn rules(self, before: Box<dyn Rule<f32>>, behind: Box<dyn Rule<f32>>) -> Result<Self> {
        before.check().and(behind.check())?;
        Ok(Through { rules: [before, behind], ..self })
    }

    /// Threads of the swarms; one unless said.
    pub fn workers(self, workers: Workers) -> Self {
        Through { workers, ..self }
    }

    /// The networks before and behind the module.
    pub fn nets(&self) -> (&A, &B) {
        let (before, behind) = self.nets.as_ref().expect("there between steps");
        (before, behind)
    }

    /// What comes out at the end, a row for each row of features.
    ///
    /// # Panics
    /// If the features are not those of the network before the module.
    pub fn outputs(&self, x: &Matrix<f32>) -> Matrix<f32> {
        let (before, behind) = self.nets();
        let h = floats(before.forward(self.tensor(x.data(), x.dim()), Pass::Evaluate).into_data());
        let y = behind.forward(self.between(&h), Pass::Evaluate);
        let columns = y.dims()[1];
        Matrix::from_vec(columns, floats(y.into_data())).expect("whole rows")
    }

    /// One step on a batch of rows of features and targets, as many numbers as the last network's outputs. A batch whose gradients
    /// are not finite leaves the weights as they are.
    ///
    /// # Errors
    /// Networks or targets of other sizes; a loss without a derivative.
    pub fn step(&mut self, x: &Matrix<f32>, targets: &Matrix<f32>) -> Result<Stepped> {
        self.step += 1;
        let rng = self.rng.at(self.step);
        let (before, behind) = self.nets();
        let h = before.forward(self.tensor(x.data(), x.dim()), Pass::Train(&rng.fork("before")));
        if h.dims() != [targets.len(), self.inputs] {
            return Err(Error::shape("inputs of the module", h.dims()[1], self.inputs));
        }
        let inputs = floats(h.clone().inner().into_data());
        let q = self.between(&inputs).require_grad();
        let y = behind.forward(q.clone(), Pass::Train(&rng.fork("behind")));
        let (columns, outputs) = (y.dims()[1], floats(y.clone().inner().into_data()));
        if outputs.len() != targets.data().len() {
            return Err(Error::shape("targets of a batch", targets.data().len(), outputs.len()));
        }
        let mut stepped = Stepped { loss: self.loss.value(&outputs, targets.data(), columns), evaluations: 0 };
        let mut slope = vec![0.0; outputs.len()];
        if !self.loss.derivative(&outputs, targets.data(), columns, &mut slope) {
            return Err(Error::parameter("loss", "a closure without a derivative", "needs one behind a module"));
        }
        let mut gradients = (y * self.tensor(&slope, columns)).sum().backward();
        // delta of each sample's own loss; the mean's has a 1/N.
        let rows = targets.len() as f32;
        let delta = q
            .grad_remove(&mut gradients)
            .map_or_else(|| vec![0.0; q.shape().num_elements()], |d| floats(d.into_data()));
        let length: f32 = delta.chunks(self.outputs).map(|d| rows * d.iter().map(|d| d * d).sum::<f32>().sqrt()).sum();
        let mut sent = vec![0.0; inputs.len()];
        if length > 0.0 && length.is_finite() {
            let step = self.reach as f32 * rows / length;
            self.toward.0.step = step;
            let wanted: Vec<f32> =
                floats(q.inner().into_data()).iter().zip(&delta).map(|(q, d)| q - step * rows * d).collect();
            let batch = Batch { columns: self.inputs, outputs: &inputs, targets: &wanted };
            let lane = Lane { workers: &self.workers, rng: &rng.fork("swarm") };
            stepped.evaluations = self.sender.send(&self.toward, batch, lane, &mut sent)?;
        }
        if !length.is_finite() || sent.iter().any(|g| !g.is_finite()) {
            return Ok(stepped);
        }
        let mut ahead = (h * self.tensor(&sent, self.inputs)).sum().backward();
        let (before, behind) = self.nets.take().expect("there between steps");
        let [first, last] = &mut self.rules;
        self.nets = Some((apply(before, &mut ahead, &mut **first), apply(behind, &mut gradients, &mut **last)));
        Ok(stepped)
    }

    /// The module's outputs, a row a sample.
    fn between(&self, inputs: &[f32]) -> Tensor<2> {
        let mut outputs = vec![0.0; inputs.len() / self.inputs * self.outputs];
        let samples = inputs.chunks(self.inputs).zip(outputs.chunks_mut(self.outputs));
        samples.for_each(|(input, output)| (self.toward.0.module)(input, output));
        self.tensor(&outputs, self.outputs)
    }

    fn tensor(&self, numbers: &[f32], columns: usize) -> Tensor<2> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len() / columns, columns]), &self.device)
    }
}
