//! One step of training: outputs, the gradient sent back from them, the rule on the weights.

use super::weights::{self, Part, floats};
use super::{Network, Pass};
use crate::loss::Loss;
use crate::optim::{Adam, Rule, Stepped, Supervision};
use crate::signal::Signal;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use swarmgrad_core::{Error, Result, Workers};

/// Trains any network: a loss, a gradient at its outputs and a rule for its weights.
pub struct Optimizer {
    supervision: Supervision,
    outputs: Vec<f32>,
}

impl Optimizer {
    /// For networks of `columns` outputs.
    ///
    /// # Errors
    /// Parameters of the signal or the rule outside their ranges, or a signal that does not fit the loss.
    pub fn new(
        loss: Box<dyn Loss>,
        signal: Signal,
        rule: Box<dyn Rule<f32>>,
        columns: usize,
        seed: u64,
    ) -> Result<Self> {
        Ok(Optimizer { supervision: Supervision::new(loss, signal, rule, columns, seed)?, outputs: Vec::new() })
    }

    /// Multiplies the gradient of each sample by its class's weight (one-hot targets pick it; one weight an output column).
    pub fn class_weights(self, weights: Vec<f32>) -> Self {
        Optimizer { supervision: self.supervision.class_weights(weights), ..self }
    }

    /// Threads of the swarms; one unless said.
    pub fn workers(self, workers: Workers) -> Self {
        Optimizer { supervision: self.supervision.with_workers(workers), ..self }
    }

    /// The loss it trains.
    pub fn loss(&self) -> &dyn Loss {
        self.supervision.loss()
    }

    /// The rule, for learning-rate schedules.
    pub fn rule(&mut self) -> &mut dyn Rule<f32> {
        self.supervision.rule()
    }

    /// Says how much of the training is done, from 0 to 1: lengths of [`Signal::Scaled`] follow it.
    pub fn progress(&mut self, share: f64) {
        self.supervision.progress(share);
    }

    /// Whether the gradient sent since this was last asked was output - label up to a factor, that of the squared error, although the
    /// loss's own derivative was not: the loss has become the squared error. Only of signals in a derivative's place.
    pub fn became_squared_error(&mut self) -> bool {
        self.supervision.became_squared_error()
    }

    /// The last batch's outputs, rows of the network's outputs.
    pub fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    /// One step on a batch: features `[batch, inputs]` on the network's device and the batch's targets, rows of as many numbers
    /// as the network has outputs. A batch whose gradient is not finite leaves the weights as they are.
    ///
    /// # Errors
    /// Targets of another size than the outputs; a loss without the derivative that was asked for.
    pub fn step<M: Network>(&mut self, model: M, x: Tensor<2>, targets: &[f32]) -> Result<(M, Stepped)> {
        let (model, stepped) = tensor_step(model, x, targets, &mut self.supervision, &mut self.outputs);
        Ok((model, stepped?))
    }
}

/// A step of a network of the tensor library, whose outputs before it are left in `outputs`. The network comes back whatever happens.
pub(super) fn tensor_step<M: Network>(
    model: M,
    x: Tensor<2>,
    targets: &[f32],
    supervision: &mut Supervision,
    outputs: &mut Vec<f32>,
) -> (M, Result<Stepped>) {
    let rng = supervision.begin();
    let seen = model.forward(x, Pass::Train(&rng));
    let dims = seen.dims();
    *outputs = floats(seen.clone().inner().into_data());
    if dims[1] != supervision.columns() {
        return (model, Err(Error::shape("targets of a batch", targets.len(), outputs.len())));
    }
    let (stepped, sent) = match supervision.respond(&rng, outputs, targets) {
        Ok((stepped, Some(sent))) => (stepped, sent.to_vec()),
        Ok((stepped, None)) => return (model, Ok(stepped)),
        Err(why) => return (model, Err(why)),
    };
    // d/dw sum(y g) with g held fixed is the chain rule with g in dE/dy's place.
    let sent = Tensor::<2>::from_data(TensorData::new(sent, dims), &seen.device());
    let mut gradients = (seen * sent).sum().backward();
    (apply(model, &mut gradients, supervision.rule()), Ok(stepped))
}

/// Moves every trainable weight by its gradient, in place where the tensor is nobody else's.
pub(super) fn apply<M: Module>(model: M, gradients: &mut Gradients, rule: &mut dyn Rule<f32>) -> M {
    struct Apply<'a>(&'a mut Gradients, &'a mut dyn Rule<f32>, usize);
    impl ModuleMapper for Apply<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !param.is_require_grad() {
                return param;
            }
            let (id, tensor, mapper) = param.consume();
            let gradient = tensor.grad_remove(self.0);
            let device = tensor.device();
            let mut data = tensor.inner().into_data();
            let weights = data.as_mut_slice::<f32>().expect("a tensor of f32");
            if let Some(gradient) = gradient {
                self.1.update(self.2, weights, gradient.into_data().as_slice::<f32>().expect("a tensor of f32"));
            }
            self.2 += weights.len();
            Param::from_mapped_value(id, Tensor::from_data(data, &device).require_grad(), mapper)
        }
    }
    rule.begin(weights::count(&model, Part::Trainable));
    model.map(&mut Apply(gradients, rule, 0))
}

/// AdaSwarm: a swarm's gradient at the outputs, carried back by the tensor library, and Adam on the weights.
///
/// A rule for weights alone cannot be AdaSwarm: it never sees the outputs. This type sees both.
///
/// ```
/// use burn::tensor::{Device, Tensor, TensorData};
/// use swarmgrad_core::Rng;
/// use swarmgrad_nn::{loss, model::{Activation, Architecture, Output}, tensor::AdaSwarm};
///
/// // y = 2 x, learned through |round(output) - round(target)|, whose gradient is zero wherever it exists.
/// let device = Device::flex().autodiff();
/// let line = Architecture::Mlp { hidden: vec![], activation: Activation::Relu, output: Output::Identity };
/// let mut model = line.build(1, 1, &Rng::new(1), &device)?;
/// let mut adaswarm = AdaSwarm::new(loss::entry("step")?.build(1), 0.1, 1, 7)?;
/// let (x, y): (Vec<f32>, Vec<f32>) = (0..32).map(|i| (i as f32 / 4.0, i as f32 / 2.0)).unzip();
/// let mut last = f64::NAN;
/// for _ in 0..300 {
///     let batch = Tensor::<2>::from_data(TensorData::new(x.clone(), [32, 1]), &device);
///     let stepped;
///     (model, stepped) = adaswarm.step(model, batch, &y)?;
///     last = stepped.loss;
/// }
/// assert!(last < 0.3, "{last}");
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct AdaSwarm(Optimizer);

impl AdaSwarm {
    /// With default swarms and Adam's constants; `rate` is Adam's learning rate, `columns` the network's outputs.
    ///
    /// # Errors
    /// Those of [`Optimizer::new`].
    pub fn new(loss: Box<dyn Loss>, rate: f64, columns: usize, seed: u64) -> Result<Self> {
        AdaSwarm::with_signal(loss, Signal::swarm(), rate, columns, seed)
    }

    /// With a signal of the caller's: other parameters, [`Signal::proximal`], [`Signal::fit`] to bounded outputs.
    ///
    /// # Errors
    /// Those of [`Optimizer::new`].
    pub fn with_signal(loss: Box<dyn Loss>, signal: Signal, rate: f64, columns: usize, seed: u64) -> Result<Self> {
        Ok(AdaSwarm(Optimizer::new(loss, signal, Box::new(Adam::new(rate)), columns, seed)?))
    }

    /// One step on a batch; see [`Optimizer::step`].
    ///
    /// # Errors
    /// Those of [`Optimizer::step`].
    pub fn step<M: Network>(&mut self, model: M, x: Tensor<2>, targets: &[f32]) -> Result<(M, Stepped)> {
        self.0.step(model, x, targets)
    }
}
