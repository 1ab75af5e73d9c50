//! What a person says of a training, as plain data, its checks, and how each optimiser is trained by it. No tensor library here.

use super::{RowSource, Saved, Swarm, Training};
use crate::data::catalog::{self, ENTRIES};
use crate::data::csv::{self, Target};
use crate::data::{Dataset, Preset, Task, fetch, images};
use crate::loss::{self, Block, Entry, Takes};
use crate::model::{Activation, Architecture, Image, Output};
use crate::optim;
use crate::signal::Signal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use swarmgrad_core::{Error, Result};

/// What is run beside an optimiser whose gradient comes from a swarm: what the swarm gains over these is what it is worth.
pub const CONTROLS: [&str; 2] = ["adam", "adam_on_mse"];
/// More seeds than this are a slip of the finger.
pub const MOST_SEEDS: usize = 100_000;
/// The usual number of epochs, at most and at least; in between, so many as make these steps.
const EPOCHS: [usize; 2] = [40, 5];
const STEPS: usize = 2000;
/// How many epochs without a smaller loss on the validation rows are waited for.
const PATIENCE: u64 = 20;
/// How many seeds are usual.
pub(super) const SEEDS: u64 = 5;
/// The usual share of test rows.
pub(super) const TEST_SHARE: f64 = 0.25;

/// Networks on a data set, by several optimisers and from several seeds: plain data, which a file may hold. What is left out has
/// the default that its field names.
///
/// ```
/// use swarmgrad_nn::train::TrainingPlan;
///
/// let plan: TrainingPlan = serde_json::from_str(r#"{"data": "diabetes", "loss": "mae", "seeds": [7]}"#).unwrap();
/// let prepared = plan.prepare()?;
/// let optimizers: Vec<&str> = prepared.trainings.iter().map(|training| &*training.optimizer).collect();
/// assert_eq!(optimizers, ["adaswarm", "adam", "adam_on_mse"]); // the last two are controls
/// assert_eq!(prepared.rows(7)?.train.len(), 331);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingPlan {
    /// Name of a data set of the catalogue, or a CSV file.
    pub data: String,
    /// Which rows, and how they are prepared. Full where it is not said.
    pub preset: Preset,
    /// Target column of a CSV file: its name, or its number from 1. The last where it is not said.
    pub target: Option<String>,
    /// What the target of a CSV file is. A number where it has a fraction or more than 20 values.
    pub task: Option<Task>,
    /// Columns of a CSV file that hold categories, even if these look like numbers.
    pub categorical: Vec<String>,
    /// Columns of a CSV file that are left out.
    pub drop: Vec<String>,
    /// Whether the first line of a CSV file names the columns. It does where none of its fields is a number.
    pub header: Option<bool>,
    /// Share of the rows to be judged on, each class alike, from 0 to below 1. 0.25 where it is not said.
    pub test_share: Option<f64>,
    /// Share of the rows to learn from, above 0 and below 1, that is set apart to choose the epoch: the network that is kept and judged
    /// is the one with the smallest loss on them. All rows are learnt from, and the last epoch's network is kept, where it is not said.
    pub validation: Option<f64>,
    /// Epochs without a smaller loss on the validation rows, at least 1, after which training ends. 20 where it is not said.
    pub patience: Option<u64>,
    /// Most training rows, at least 1, drawn at random for each seed, each class alike.
    pub limit: Option<usize>,
    /// Most test rows, at least 1, drawn in the same way.
    pub test_limit: Option<usize>,
    /// Whether features and numeric targets are left as they are, not standardised.
    pub raw: bool,
    /// The network: a name from [`MODELS`]. `mlp` where it is not said.
    pub model: Option<String>,
    /// Neurons of the hidden layers of an mlp, each at least 1; none for a linear model. One layer of 10 where it is not said.
    pub hidden: Option<Vec<usize>>,
    /// Between the layers of an mlp. ReLU where it is not said.
    pub activation: Option<Activation>,
    /// After the last layer. Identity for numbers and for cross_entropy, which takes logits; else sigmoid.
    pub output: Option<Output>,
    /// A saved model to continue from: its network, weights and preparation, and unless said its loss, optimiser and seed.
    pub load: Option<PathBuf>,
    /// What [`loss::entry`] takes: a name from [`loss::LOSSES`], some with a parameter, or a program. mse for numbers; bce for classes, cross_entropy for those of `methods`.
    pub loss: Option<String>,
    /// Names from [`optim::OPTIMIZERS`]. adaswarm where none is said.
    pub optimizers: Vec<String>,
    /// Swarms of networks that train without a gradient, instead of optimisers: names from [`SWARMS`](super::SWARMS).
    pub methods: Vec<String>,
    /// Parameters of the methods.
    pub settings: Map<String, Value>,
    /// Whether [`CONTROLS`] are run beside an optimiser whose gradient comes from a swarm.
    pub controls: bool,
    /// Passes over the training rows, at least 1. 40; fewer, but at least 5, where that were more than 2000 steps.
    pub epochs: Option<u64>,
    /// Rows of a batch, at least 1. 32, of methods 60.
    pub batch: Option<usize>,
    /// Learning rate, above 0. The optimiser's usual one; for an mlp at least 0.01.
    pub rate: Option<f64>,
    /// Whether each class is weighed by the inverse of its share.
    pub balance: bool,
    /// The seeds, for splits, starts and orders. 0 to 4, or that of the loaded model.
    pub seeds: Option<Vec<u64>>,
    /// What one swarm looks after. The smallest block the loss allows.
    pub block: Option<Block>,
    /// tau, above 0: the swarms search near the output, by |z - output|^2 / (2 tau).
    pub tau: Option<f64>,
    /// Particles of a swarm, at least 1. 10 where it is not said. Where the swarms have a tau and the loss's proximal map can be computed,
    /// no swarm is run unless this or `iterations` is said.
    pub particles: Option<usize>,
    /// Moves of a swarm in one step, at least 1. 40 where it is not said.
    pub iterations: Option<usize>,
}

impl Default for TrainingPlan {
    fn default() -> Self {
        TrainingPlan {
            data: String::new(),
            preset: Preset::Full,
            target: None,
            task: None,
            categorical: Vec::new(),
            drop: Vec::new(),
            header: None,
            test_share: None,
            validation: None,
            patience: None,
            limit: None,
            test_limit: None,
            raw: false,
            model: None,
            hidden: None,
            activation: None,
            output: None,
            load: None,
            loss: None,
            optimizers: Vec::new(),
            methods: Vec::new(),
            settings: Map::new(),
            controls: true,
            epochs: None,
            batch: None,
            rate: None,
            balance: false,
            seeds: None,
            block: None,
            tau: None,
            particles: None,
            iterations: None,
        }
    }
}

/// The networks that a plan may name.
pub const MODELS: [&str; 5] = ["cnn", "lenet1", "resnet18", "shallow", "mlp"];

impl TrainingPlan {
    /// The plan of this data set or file, all else as usual.
    pub fn of(data: impl Into<String>) -> Self {
        TrainingPlan { data: data.into(), ..TrainingPlan::default() }
    }

    /// What can be told without the rows.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(share) = self.validation.filter(|share| !(*share > 0.0 && *share < 1.0)) {
            return Err(Error::parameter("validation", share, "must be a number above 0 and below 1"));
        }
        if let (Some(patience), None) = (self.patience, self.validation) {
            let rule = "needs a validation part: validation says its share";
            return Err(Error::parameter("patience", patience, rule));
        }
        let counts = [
            ("epochs", self.epochs),
            ("patience", self.patience),
            ("batch", self.batch.map(|n| n as u64)),
            ("limit", self.limit.map(|n| n as u64)),
            ("test_limit", self.test_limit.map(|n| n as u64)),
            ("particles", self.particles.map(|n| n as u64)),
            ("iterations", self.iterations.map(|n| n as u64)),
        ];
        if let Some((field, _)) = counts.into_iter().find(|(_, count)| *count == Some(0)) {
            return Err(Error::parameter(field, 0, "must be at least 1"));
        }
        for (field, value) in [("rate", self.rate), ("tau", self.tau)] {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
                return Err(Error::parameter(field, value, "must be a number above 0"));
            }
        }
        if let Some(seeds) = &self.seeds {
            distinct("seeds", seeds)?;
            if !(1..=MOST_SEEDS).contains(&seeds.len()) {
                let rule = format!("must be from 1 to {MOST_SEEDS}");
                return Err(Error::parameter("seeds", format!("{} seeds", seeds.len()), rule));
            }
        }
        let given = [
            ("model", self.model.is_some()),
            ("hidden", self.hidden.is_some()),
            ("activation", self.activation.is_some()),
            ("output", self.output.is_some()),
            ("raw", self.raw),
        ];
        if self.load.is_some() {
            refuse(&given, "is that of the loaded model, where load is given")?;
        }
        if self.methods.is_empty() {
            return refuse(&[("settings", !self.settings.is_empty())], "are parameters of methods, and none is named");
        }
        let given = [
            ("optimizers", !self.optimizers.is_empty()),
            ("rate", self.rate.is_some()),
            ("load", self.load.is_some()),
            ("balance", self.balance),
        ];
        refuse(&given, "is for training by gradients, and methods are named")
    }

    /// The rows, and the checksum of what they were read from.
    pub(super) fn source(&self, loaded: Option<&Saved>) -> Result<(RowSource, String)> {
        let Some(path) = as_file(&self.data) else {
            let entry = catalog::entry(&self.data)?;
            let given = [
                ("target", self.target.is_some()),
                ("task", self.task.is_some()),
                ("categorical", !self.categorical.is_empty()),
                ("drop", !self.drop.is_empty()),
                ("header", self.header.is_some()),
            ];
            refuse(&given, &format!("is for CSV files; the columns of {} are known", self.data))?;
            let digest = match entry.place {
                catalog::Place::Images(files) => images::digest(entry, files, &fetch::folder()?)?,
                _ => entry.sha256.into(),
            };
            return Ok((RowSource::catalogued(entry, &self.data, self.preset)?, digest));
        };
        let mut format = loaded.map(|saved| saved.preprocessing.format()).unwrap_or_default();
        format.target = match (&self.target, loaded) {
            (Some(column), _) => Target::Column(column.clone()),
            (None, Some(saved)) => Target::Column(saved.preprocessing.target().into()),
            (None, None) => Target::Last,
        };
        format.categorical.extend(self.categorical.iter().cloned());
        format.drop.extend(self.drop.iter().cloned());
        format.header = self.header.or(format.header);
        format.task = self.task.or(format.task);
        let table = csv::read(path, &format)?;
        let target = &table.target()?.name;
        let dropped = if self.drop.is_empty() { String::new() } else { format!(" without {}", self.drop.join(", ")) };
        let digest = format!("{} {target} {:?}{dropped}", digest_of(path)?, table.task);
        Ok((RowSource::Table(table), digest))
    }

    /// All but the optimiser, its rate and its signal.
    pub(super) fn training(&self, loaded: Option<&Saved>, rows: &Dataset) -> Result<Training> {
        let paper = self.preset == Preset::Paper;
        let regression = rows.labels().is_none();
        let saved = loaded.map(|saved| &saved.training);
        let usual = match (regression || paper, self.methods.is_empty()) {
            (true, _) => "mse",
            (false, true) => "bce",
            (false, false) => "cross_entropy",
        };
        let loss = match (&self.loss, saved.map(|saved| saved.loss.as_str())) {
            (Some(loss), _) => loss,
            // A file must not say which program is run.
            (None, Some(loss)) if loss::entry(loss)?.is_program() => {
                let rule = "trained the saved model; to run it again, give it again as the loss";
                return Err(Error::parameter("loss", loss, rule));
            }
            (None, Some(loss)) => loss,
            (None, None) => usual,
        };
        let (chosen, loss) = (loss::entry(loss)?, loss.to_owned());
        let architecture = match saved {
            Some(saved) => saved.architecture.clone(),
            None => self.architecture([rows.dim(), rows.outputs()], &chosen, regression)?,
        };
        let batch = self.batch.unwrap_or(match (paper, self.methods.is_empty()) {
            (true, _) => 50,
            (false, true) => 32,
            (false, false) => 60,
        });
        let steps = rows.len().div_ceil(batch).max(1);
        let [most, least] = EPOCHS;
        let usual = if paper { most } else { STEPS.div_ceil(steps).clamp(least, most) };
        Ok(Training {
            architecture,
            loss,
            epochs: self.epochs.unwrap_or(usual as u64),
            batch,
            balance: self.balance,
            patience: self.validation.map(|_| self.patience.unwrap_or(PATIENCE)),
            ..Training::default()
        })
    }

    fn architecture(&self, [inputs, outputs]: [usize; 2], loss: &Entry, regression: bool) -> Result<Architecture> {
        let output = match self.output {
            Some(output) => output,
            None if regression || loss.takes == Takes::Logits => Output::Identity,
            None => Output::Sigmoid,
        };
        let model = self.model.as_deref().unwrap_or("mlp");
        if !MODELS.contains(&model) {
            return Err(Error::unknown("model", model, MODELS));
        }
        if model != "mlp" {
            let given = [("hidden", self.hidden.is_some()), ("activation", self.activation.is_some())];
            refuse(&given, &format!("is for an mlp; {model} has its own"))?;
        }
        Ok(match model {
            "shallow" => Architecture::shallow(inputs, outputs, output),
            "cnn" => Architecture::Cnn { image: square(model, inputs)?, output },
            "lenet1" => Architecture::lenet1(square(model, inputs)?, outputs, output),
            "resnet18" => Architecture::Resnet18 { image: square(model, inputs)?, output },
            _ => {
                let hidden = self.hidden.clone().unwrap_or_else(|| vec![10]);
                Architecture::Mlp { hidden, activation: self.activation.unwrap_or(Activation::Relu), output }
            }
        })
    }

    /// The optimisers with the controls behind them, and where these begin. A loss without a derivative has no control that needs one.
    pub(super) fn optimizers(&self, loaded: Option<&Saved>, loss: &str) -> Result<(Vec<String>, usize)> {
        let program = loss::entry(loss)?.is_program();
        let needs_derivative = |name: &str| optim::entry(name).is_ok_and(|entry| entry.signal() == Signal::Exact);
        let mut names = self.optimizers.clone();
        if names.is_empty() {
            let usual = loaded.map_or("adaswarm", |saved| saved.training.optimizer.as_str());
            if loaded.is_some_and(|saved| saved.training.swarm.is_some()) {
                let rule = "trained the saved model, without gradients; optimizers must say what is to go on from it";
                return Err(Error::parameter("load", usual, rule));
            }
            names.push(usual.into());
        }
        names.iter().try_for_each(|name| optim::entry(name).map(|_| ()))?;
        distinct("optimizers", &names)?;
        if let Some(name) = names.iter().find(|name| program && needs_derivative(name)) {
            let rule = "needs the loss's derivative, and a program has none: use adaswarm, adaswarm_prox, adaswarm_consensus, \
                        sgd_swarm or adam_on_mse";
            return Err(Error::parameter("optimizers", name, rule));
        }
        let asked = names.len();
        if self.controls && loaded.is_none() && names.iter().any(|name| lends_gradient(name)) {
            let controls = CONTROLS.iter().filter(|control| !names.iter().any(|name| name == *control));
            let controls = controls.filter(|control| !(program && needs_derivative(control)));
            let controls: Vec<String> = controls.map(|control| (*control).to_owned()).collect();
            names.extend(controls);
        }
        Ok((names, asked))
    }

    /// The first field given that only swarms have.
    pub(super) fn swarm_field(&self) -> Option<&'static str> {
        let given = [
            ("block", self.block.is_some()),
            ("tau", self.tau.is_some()),
            ("particles", self.particles.is_some()),
            ("iterations", self.iterations.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(field, _)| field)
    }

    pub(super) fn with_method(&self, base: &Training, name: &str) -> Result<Training> {
        if let Some(rows) = self.settings.get("data_batch") {
            let rule = "is said by batch when networks are trained";
            return Err(Error::parameter("settings.data_batch", rows, rule));
        }
        let swarm = Swarm::named(name, self.settings.clone())?;
        Ok(Training { optimizer: name.into(), swarm: Some(swarm), ..base.clone() })
    }

    pub(super) fn with_optimizer(&self, base: &Training, name: &str, regression: bool) -> Result<Training> {
        let entry = optim::entry(name)?;
        let rate = match (self.rate, self.preset, &base.architecture) {
            (Some(rate), ..) => rate,
            (None, Preset::Paper, _) => 0.1,
            (None, _, Architecture::Mlp { .. }) => entry.rate.max(0.01),
            (None, ..) => entry.rate,
        };
        let usual = entry.signal();
        let mut signal = if has_swarm(name) { self.tau.map_or_else(|| usual.clone(), Signal::proximal) } else { usual };
        if let Signal::Swarm(swarm) = &mut signal {
            swarm.block = self.block;
            swarm.search.particles = self.particles.unwrap_or(swarm.search.particles);
            swarm.search.iterations = self.iterations.unwrap_or(swarm.search.iterations);
            swarm.run = self.particles.or(self.iterations).is_some();
        }
        let signal = signal.fit(base.architecture.output());
        // A tau that was said is meant as it was said.
        let scaled = match self.tau {
            Some(_) => signal,
            None => signal.scaled_for(&base.loss, regression),
        };
        let said = has_swarm(name) && self.swarm_field().is_some() || matches!(scaled, Signal::Scaled(_));
        let signal = said.then_some(scaled);
        Ok(Training { optimizer: name.into(), rate: Some(rate), signal, ..base.clone() })
    }
}

/// Whether the optimiser has the particles and moves that the fields for swarms are about.
pub(super) fn has_swarm(optimizer: &str) -> bool {
    optim::entry(optimizer).is_ok_and(|entry| matches!(entry.signal(), Signal::Swarm(_)))
}

/// Whether a swarm or a cloud of points stands in for the loss's derivative: then [`CONTROLS`] show what it gains.
pub fn lends_gradient(optimizer: &str) -> bool {
    optim::entry(optimizer).is_ok_and(|entry| matches!(entry.signal(), Signal::Swarm(_) | Signal::Consensus { .. }))
}

/// Errors on the first of these fields that is given.
fn refuse(fields: &[(&str, bool)], rule: &str) -> Result<()> {
    match fields.iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(Error::parameter(*field, "given", rule)),
        None => Ok(()),
    }
}

/// Errors on the first entry of a list that stands in it twice.
fn distinct<T: Ord + Display>(field: &str, list: &[T]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match list.iter().find(|entry| !seen.insert(*entry)) {
        Some(entry) => Err(Error::parameter(field, entry, "is named twice")),
        None => Ok(()),
    }
}

/// The path that `name` reads as: a file, not the name of a data set.
pub(super) fn as_file(name: &str) -> Option<&Path> {
    let path = Path::new(name);
    let known = ENTRIES.iter().any(|entry| entry.name == name);
    (!known && (path.exists() || path.extension().is_some() || name.contains(std::path::MAIN_SEPARATOR)))
        .then_some(path)
}

/// The image that a row of `inputs` features is.
fn square(model: &str, inputs: usize) -> Result<Image> {
    let side = |channels: usize| {
        let side = (inputs as f64 / channels as f64).sqrt().round() as usize;
        (side * side * channels == inputs).then_some(Image { channels, height: side, width: side })
    };
    side(1).or_else(|| side(3)).ok_or_else(|| {
        let rule = format!("needs square images, grey or of three colours; these rows have {inputs} features");
        Error::parameter("model", model, rule)
    })
}

/// The checksum of a file.
pub(super) fn digest_of(path: &Path) -> Result<String> {
    let failed = |why: std::io::Error| Error::File { path: path.display().to_string(), why: why.to_string() };
    Ok(catalog::sha256(&std::fs::read(path).map_err(failed)?))
}
