//! Losses by name, some with a parameter: `mse`, `quantile:0.95`, `huber:2`, `exec:COMMAND`.

use super::program::Program;
use super::{
    Batchwise, Bce, CrossEntropy, Elementwise, F1, Huber, Loss, Mae, Mse, MultiWell, Quantile, Samplewise, SoftF1,
    Step, ZeroOne,
};
use crate::layer::Output;
use swarmgrad_core::{Error, Result};

/// Makes a loss for so many outputs a sample.
type Build = fn(usize, &Named) -> Box<dyn Loss>;

/// A loss that has a name.
#[derive(Debug)]
pub struct Entry {
    /// The name on the command line.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// Whether a derivative with respect to the outputs exists and says something.
    pub differentiable: bool,
    /// Which targets and outputs it is for.
    pub takes: Takes,
    /// Whether it grows with the distance between output and target and has no other scale: then the sizes of a swarm's signal
    /// are taken from the residuals.
    pub residual: bool,
    /// What may stand after the name and a colon.
    pub parameter: Option<Parameter>,
    build: Build,
}

/// Which targets and which outputs a loss is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Numbers, and classes as rows of 0 and 1.
    Anything,
    /// Classes; of each row the largest output counts.
    Classes,
    /// Classes, and outputs between 0 and 1.
    Shares,
    /// Classes, and outputs without bounds.
    Logits,
}

/// A loss's parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its symbol.
    pub symbol: &'static str,
    /// Where it is not said.
    pub usual: f64,
    /// It must lie between these, the ends excluded.
    pub between: [f64; 2],
    /// The same in words.
    pub rule: &'static str,
}

const QUANTILE: Parameter =
    Parameter { symbol: "q", usual: 0.5, between: [0.0, 1.0], rule: "must be a number between 0 and 1, both excluded" };
const DELTA: Parameter =
    Parameter { symbol: "delta", usual: 1.0, between: [0.0, f64::INFINITY], rule: "must be a finite number above 0" };

const fn named(name: &'static str, about: &'static str, takes: Takes, build: Build) -> Entry {
    Entry { name, about, differentiable: true, takes, residual: false, parameter: None, build }
}

const fn flat(name: &'static str, about: &'static str, takes: Takes, build: Build) -> Entry {
    Entry { differentiable: false, ..named(name, about, takes, build) }
}

const fn residual(name: &'static str, about: &'static str, build: Build) -> Entry {
    Entry { residual: true, ..named(name, about, Takes::Anything, build) }
}

/// Every loss by name; a program's, `exec:COMMAND`, stands beside them.
pub const LOSSES: &[Entry] = &[
    named("mse", "mean squared error", Takes::Anything, |_, _| Box::new(Elementwise(Mse))),
    residual("mae", "mean absolute error", |_, _| Box::new(Elementwise(Mae))),
    named("bce", "binary cross-entropy of sigmoid outputs", Takes::Shares, |_, _| Box::new(Elementwise(Bce))),
    named("cross_entropy", "softmax cross-entropy of logits", Takes::Logits, |_, _| Box::new(Samplewise(CrossEntropy))),
    Entry {
        parameter: Some(DELTA),
        ..residual("huber", "Huber loss, squared up to delta and straight beyond", |_, delta| {
            Box::new(Elementwise(Huber(delta.value)))
        })
    },
    Entry {
        parameter: Some(QUANTILE),
        ..residual("quantile", "pinball loss: its minimiser is the q-quantile", |_, q| {
            Box::new(Elementwise(Quantile(q.value)))
        })
    },
    residual("quantile90", "quantile:0.9", |_, _| Box::new(Elementwise(Quantile(0.9)))),
    flat("zero_one", "share of samples put into a wrong class", Takes::Classes, |_, _| Box::new(Samplewise(ZeroOne))),
    flat("step", "|round(output) - round(target)|", Takes::Anything, |_, _| Box::new(Elementwise(Step))),
    flat("f1", "1 - macro F1 of a batch", Takes::Classes, |columns, _| Box::new(Batchwise(F1 { columns }))),
    named("soft_f1", "F1 with the outputs as counts, the smooth stand-in", Takes::Shares, |columns, _| {
        Box::new(Batchwise(SoftF1 { columns }))
    }),
    named("multi_well", "r^2 / 10 + 1 - cos 3r: many wells, one deepest", Takes::Anything, |_, _| {
        Box::new(Elementwise(MultiWell))
    }),
];

/// What a program computes.
const EXEC: Entry = Entry {
    differentiable: false,
    ..residual("exec", "what a program of yours prints for a prediction and its label", |_, named| {
        Box::new(Program::new(named.command.clone()))
    })
};

impl Entry {
    /// The loss for outputs of `columns` numbers a sample, its parameter the usual one.
    pub fn build(&'static self, columns: usize) -> Box<dyn Loss> {
        let value = self.parameter.as_ref().map_or(0.0, |parameter| parameter.usual);
        Named { entry: self, value, command: String::new() }.build(columns)
    }
}

/// A loss as it was asked for.
#[derive(Debug, Clone)]
pub struct Named {
    entry: &'static Entry,
    value: f64,
    command: String,
}

impl Named {
    /// The loss for outputs of `columns` numbers a sample. A program is started when it is first asked.
    pub fn build(&self, columns: usize) -> Box<dyn Loss> {
        (self.entry.build)(columns, self)
    }

    /// Whether a program of the user's computes it.
    pub fn is_program(&self) -> bool {
        !self.command.is_empty()
    }

    /// The quantile that minimises it, of the losses of one.
    pub fn quantile(&self) -> Option<f64> {
        match self.entry.name {
            "quantile90" => Some(0.9),
            "quantile" => Some(self.value),
            "mae" => Some(0.5),
            _ => None,
        }
    }

    /// Whether it fits numbers, or classes, and what follows a network's last layer.
    ///
    /// # Errors
    /// A loss of classes for numbers, of logits for bounded outputs, of shares for outputs without bounds.
    pub fn check_fit(&self, regression: bool, output: Output) -> Result<()> {
        let (name, takes) = (self.entry.name, self.entry.takes);
        if regression && takes != Takes::Anything {
            let rule = "needs classes; for a numeric target use mse, mae, huber:delta or quantile:q";
            return Err(Error::parameter("loss", name, rule));
        }
        let output_name = || format!("{output:?}").to_lowercase();
        match takes {
            Takes::Logits if output != Output::Identity => {
                Err(Error::parameter("output", output_name(), format!("{name} takes logits: identity")))
            }
            Takes::Shares if output == Output::Identity => {
                let rule = format!("{name} takes outputs between 0 and 1: sigmoid");
                Err(Error::parameter("output", output_name(), rule))
            }
            _ => Ok(()),
        }
    }
}

impl std::ops::Deref for Named {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        self.entry
    }
}

/// What begins the text of a program's loss.
const BEFORE_COMMAND: &str = "exec:";

/// The loss that `text` names: a name from [`LOSSES`], with `:` and a number behind those that have a parameter, or
/// `exec:COMMAND`, see [`Program`].
///
/// ```
/// use swarmgrad_dense::loss;
///
/// let loss = loss::entry("quantile:0.95")?.build(1);
/// assert!((loss.value(&[0.0], &[2.0], 1) - 1.9).abs() < 1e-6);
/// let wrong = loss::entry("quantile:1.5").unwrap_err();
/// assert_eq!(wrong.to_string(), "loss quantile:q = 1.5: must be a number between 0 and 1, both excluded");
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// An unknown name, with the nearest that exists; a parameter that is no number, outside its range, or of a loss that has none.
pub fn entry(text: &str) -> Result<Named> {
    if let Some(command) = text.strip_prefix(BEFORE_COMMAND) {
        if command.trim().is_empty() {
            return Err(Error::parameter("loss exec", "''", "must name a command"));
        }
        return Ok(Named { entry: &EXEC, value: 0.0, command: command.into() });
    }
    let (name, given) = text.split_once(':').map_or((text, None), |(name, given)| (name, Some(given)));
    let found = LOSSES.iter().find(|entry| entry.name == name);
    let entry = found.ok_or_else(|| Error::unknown("loss", name, LOSSES.iter().map(|entry| entry.name)))?;
    let value = match (&entry.parameter, given) {
        (Some(parameter), Some(given)) => {
            let [low, high] = parameter.between;
            let value = given.trim().parse::<f64>().ok().filter(|t| t.is_finite() && *t > low && *t < high);
            let name = format!("loss {name}:{}", parameter.symbol);
            value.ok_or_else(|| Error::parameter(name, given, parameter.rule))?
        }
        (Some(parameter), None) => parameter.usual,
        (None, Some(_)) => {
            let with: Vec<String> = LOSSES
                .iter()
                .filter_map(|entry| Some(format!("{}:{}", entry.name, entry.parameter.as_ref()?.symbol)))
                .collect();
            let rule = format!("{name} has no parameter; {} have one", with.join(" and "));
            return Err(Error::parameter("loss", text, rule));
        }
        (None, None) => 0.0,
    };
    Ok(Named { entry, value, command: String::new() })
}
