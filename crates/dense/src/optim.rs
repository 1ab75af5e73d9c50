//! Optimisers of networks by name: a rule for the weights ([`Rule`], one fused pass over flat slices) and the gradient that feeds it.

pub use swarmgrad_algorithms::gradient::rule::{AdaDelta, AdaGrad, Adam, DiffGrad, RmsProp, Rule, Sgd, Text};

use crate::signal::Signal;
use swarmgrad_core::{Error, Result};

/// An optimiser that has a name: a rule and the gradient that feeds it.
pub struct Entry {
    /// The name on the command line.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// Its usual learning rate.
    pub rate: f64,
    rule: fn(f64) -> Box<dyn Rule<f32>>,
    signal: fn() -> Signal,
}

impl Entry {
    /// The rule at a learning rate.
    pub fn rule(&self, rate: f64) -> Box<dyn Rule<f32>> {
        (self.rule)(rate)
    }

    /// The gradient at the outputs.
    pub fn signal(&self) -> Signal {
        (self.signal)()
    }
}

/// Every optimiser by name.
pub const OPTIMIZERS: &[Entry] = &[
    Entry {
        name: "adaswarm",
        about: "a swarm's gradient at the outputs, then Adam",
        rate: 1e-3,
        rule: |rate| Box::new(Adam::new(rate)),
        signal: Signal::swarm,
    },
    Entry {
        name: "adaswarm_prox",
        about: "the same with the gradient of the Moreau envelope, tau = 1",
        rate: 1e-3,
        rule: |rate| Box::new(Adam::new(rate)),
        signal: || Signal::proximal(1.0),
    },
    Entry {
        name: "adaswarm_consensus",
        about: "the same with the gradient of the smoothed envelope: a Gaussian cloud's consensus, alpha = 5, sigma = 0.3",
        rate: 1e-3,
        rule: |rate| Box::new(Adam::new(rate)),
        signal: || Signal::Consensus { alpha: 5.0, sigma: 0.3, pairs: 100 },
    },
    Entry {
        name: "sgd_swarm",
        about: "a swarm's gradient at the outputs, then SGD (the paper's emulation of SGD with PSO parameters)",
        rate: 1e-2,
        rule: |rate| Box::new(Sgd::new(rate)),
        signal: Signal::swarm,
    },
    Entry {
        name: "adam",
        about: "Adam on the loss (Kingma and Ba 2015)",
        rate: 1e-3,
        rule: |rate| Box::new(Adam::new(rate)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "adam_on_mse",
        about: "the control: Adam on the squared error, whatever the loss",
        rate: 1e-3,
        rule: |rate| Box::new(Adam::new(rate)),
        signal: || Signal::Surrogate("mse".into()),
    },
    Entry {
        name: "sgd",
        about: "stochastic gradient descent",
        rate: 1e-2,
        rule: |rate| Box::new(Sgd::new(rate)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "momentum",
        about: "stochastic gradient descent with momentum 0.9",
        rate: 1e-2,
        rule: |rate| Box::new(Sgd::with_momentum(rate, 0.9)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "adagrad",
        about: "AdaGrad (Duchi, Hazan, Singer 2011)",
        rate: 1e-2,
        rule: |rate| Box::new(AdaGrad::new(rate)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "adadelta",
        about: "AdaDelta (Zeiler 2012)",
        rate: 1.0,
        rule: |rate| Box::new(AdaDelta::new(rate)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "rmsprop",
        about: "RMSProp (Tieleman and Hinton 2012)",
        rate: 1e-3,
        rule: |rate| Box::new(RmsProp::new(rate)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "amsgrad",
        about: "AMSGrad (Reddi, Kale, Kumar 2018)",
        rate: 1e-3,
        rule: |rate| Box::new(Adam::amsgrad(rate)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "adamw",
        about: "Adam with decoupled weight decay 0.01 (Loshchilov and Hutter 2019)",
        rate: 1e-3,
        rule: |rate| Box::new(Adam::with_decay(rate, 0.01)),
        signal: || Signal::Exact,
    },
    Entry {
        name: "diffgrad",
        about: "diffGrad (Dubey et al. 2020)",
        rate: 1e-3,
        rule: |rate| Box::new(DiffGrad::new(rate)),
        signal: || Signal::Exact,
    },
];

/// The optimiser called `name`.
///
/// # Errors
/// An unknown name, with the nearest that exists.
pub fn entry(name: &str) -> Result<&'static Entry> {
    OPTIMIZERS
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| Error::unknown("optimizer", name, OPTIMIZERS.iter().map(|entry| entry.name)))
}
