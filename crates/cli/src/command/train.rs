//! `train`: a network on a data set, by several optimisers and from several seeds.

mod run;
mod show;

use crate::{argument, output};
use clap::Args;
use run::{Origin, Plan, Source};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swarmgrad::{Error, Result, Workers};
use swarmgrad_nn::data::catalog::{self, ENTRIES, Place};
use swarmgrad_nn::data::csv::{self, Target};
use swarmgrad_nn::data::{self, Preset, Table, Task};
use swarmgrad_nn::loss::{self, Block};
use swarmgrad_nn::model::{Activation, Architecture, Image, Output};
use swarmgrad_nn::optim;
use swarmgrad_nn::signal::Signal;
use swarmgrad_nn::train::{self, Saved, Training};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad train iris
  swarmgrad train diabetes --loss mae --plot diabetes.png
  swarmgrad train heart --loss f1 --optimizer adaswarm,sgd --seeds 10 --epochs 100
  swarmgrad train customers.csv --target churned --balance --save churn.model
  swarmgrad predict churn.model new.csv
  swarmgrad train mnist --method pso_sde --model shallow --set inertia=0.4 --epochs 25 --seeds 1 --records mnist.jsonl
  swarmgrad train mnist --model cnn --limit 5000 --test-limit 1000 --epochs 3 --seeds 1

Losses: mse, mae, bce, cross_entropy, huber, quantile90, zero_one, step, f1, multi_well. Those without a useful gradient \
(zero_one, step, f1) are for optimisers with a swarm: adaswarm, adaswarm_prox, adaswarm_consensus, sgd_swarm. The others are adam, adamw, amsgrad, \
sgd, momentum, adagrad, adadelta, rmsprop, diffgrad, and adam_on_mse, which trains the squared error whatever the loss.

Where an optimiser with a swarm is asked for, adam and adam_on_mse are run beside it as controls: what a swarm gains over \
them is what it is worth. For one seed all optimisers have the same split, start and order of rows.

With --method networks learn without a gradient: a swarm of networks moves by their losses on batches of data alone; \
`swarmgrad list training` shows the methods and their parameters.

With --records FILE every finished run is kept at once, one JSON object a line; the same command again continues from there, \
and a run of --method from its last epochs. \
Ctrl-C ends the training after the batch it is in, shows what was reached and saves it too; a second one ends the program. \
The numbers do not depend on --threads.

Exit code: 0 done; 1 a file could not be written; 2 wrong usage or bad data; 130 interrupted, with what was reached printed \
all the same.";

/// What is run beside an optimiser with a swarm.
const CONTROLS: [&str; 2] = ["adam", "adam_on_mse"];
/// The usual number of epochs, at most and at least; in between, so many as make these steps.
const EPOCHS: [usize; 2] = [40, 5];
const STEPS: usize = 2000;
/// More seeds than this are a slip of the finger.
const MOST_SEEDS: u64 = 100_000;

/// What to train, on what, and how.
#[derive(Args, Debug)]
pub struct Train {
    /// Name of a data set, see `swarmgrad data list`, or a CSV file
    #[arg(value_name = "DATA")]
    data: String,

    /// Rows and preparation: `full`, all rows, standardised, categories one-hot; `paper`, the rows and settings of the
    /// AdaSwarm paper: nothing scaled, batches of 50, 40 epochs, rate 0.1, loss mse
    #[arg(long, value_name = "WHICH", default_value = "full", help_heading = "Data")]
    preset: String,

    /// Target column of a CSV file: its name, or its number from 1 [default: the last]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    target: Option<String>,

    /// The target of a CSV file is a number [default: it is where it has a fraction or more than 20 values]
    #[arg(long, conflicts_with = "classification", help_heading = "Data")]
    regression: bool,

    /// The target of a CSV file is a class, even if it looks like a number
    #[arg(long, help_heading = "Data")]
    classification: bool,

    /// Columns of a CSV file that hold categories, even if these look like numbers, a comma list
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',', help_heading = "Data")]
    categorical: Vec<String>,

    /// Whether the first line of a CSV file names the columns [default: it does where none of its fields is a number]
    #[arg(long, value_name = "YES|NO", value_parser = argument::yes_or_no, help_heading = "Data")]
    header: Option<bool>,

    /// Share of the rows to be judged on, each class alike; 0 for none [default: 0.25]
    #[arg(long, value_name = "SHARE", value_parser = argument::number, help_heading = "Data")]
    test_share: Option<f64>,

    /// Learn from so many training rows only, drawn at random for each seed, each class alike
    #[arg(long, value_name = "ROWS", value_parser = argument::size, help_heading = "Data")]
    limit: Option<usize>,

    /// Be judged on so many test rows only, drawn in the same way
    #[arg(long, value_name = "ROWS", value_parser = argument::size, help_heading = "Data")]
    test_limit: Option<usize>,

    /// Do not standardise features and numeric targets
    #[arg(long, help_heading = "Data")]
    raw: bool,

    /// mlp (dense layers), shallow (one dense layer, ReLU, batch normalisation: the mean-field PSO paper's), or for images lenet1
    /// (that paper's), cnn (the AdaSwarm paper's), resnet18
    #[arg(short, long, value_name = "NET", default_value = "mlp", help_heading = "Network")]
    model: String,

    /// Neurons of the hidden layers of an mlp, a comma list; 0 for none, a linear model [default: 10]
    #[arg(long, value_name = "N,..", value_delimiter = ',', value_parser = argument::count, help_heading = "Network")]
    hidden: Option<Vec<u64>>,

    /// Between the layers of an mlp: relu, tanh or sigmoid [default: relu]
    #[arg(long, value_name = "F", help_heading = "Network")]
    activation: Option<String>,

    /// After the last layer: identity, sigmoid or softmax [default: identity for numbers and for cross_entropy, which
    /// takes logits; else sigmoid]
    #[arg(long, value_name = "F", help_heading = "Network")]
    output: Option<String>,

    /// Continue from a saved model: its network, weights and preparation, and unless told otherwise its loss, optimiser
    /// and seed, and so its split. The memory of its optimiser is not kept
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "hidden", "activation", "output", "raw"], help_heading = "Network")]
    load: Option<PathBuf>,

    /// What to make small [default: bce for classes, mse for numbers]
    #[arg(short, long, value_name = "LOSS", help_heading = "Training")]
    loss: Option<String>,

    /// Optimisers, a comma list [default: adaswarm]
    #[arg(short, long, value_name = "A,B,..", value_delimiter = ',', help_heading = "Training")]
    optimizer: Vec<String>,

    /// Train without gradients, by populations of networks: pso_sde, cbo, open_es, pgpe, snes, cr_fm_nes, a comma list.
    /// Their parameters: --set; the loss is then cross_entropy unless said
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', conflicts_with_all = ["optimizer", "rate", "load", "balance"], help_heading = "Training")]
    method: Vec<String>,

    /// A parameter of --method: particles=50, inertia=0.4, kick=0, memory=none, local_best=stale, ..; `swarmgrad list
    /// training` shows all
    #[arg(long, value_name = "KEY=VALUE", requires = "method", help_heading = "Training")]
    set: Vec<String>,

    /// Do not run adam and adam_on_mse beside an optimiser with a swarm
    #[arg(long, help_heading = "Training")]
    no_controls: bool,

    /// Passes over the training rows [default: 40; fewer, but at least 5, where that were more than 2000 steps]
    #[arg(short, long, value_name = "N", value_parser = argument::positive, help_heading = "Training")]
    epochs: Option<u64>,

    /// Rows of a batch [default: 32; of --method 60]
    #[arg(short, long, value_name = "N", value_parser = argument::size, help_heading = "Training")]
    batch: Option<usize>,

    /// Learning rate [default: the optimiser's usual one; for an mlp at least 0.01]
    #[arg(short, long, value_name = "R", value_parser = above_zero, help_heading = "Training")]
    rate: Option<f64>,

    /// Weigh each class by the inverse of its share
    #[arg(long, help_heading = "Training")]
    balance: bool,

    /// How many seeds, for the splits, starts and orders 0, 1, 2, ..; or a comma list of seeds (`7,` is one) [default: 5]
    #[arg(short, long, value_name = "N|A,B,..", value_parser = seeds, help_heading = "Training")]
    seeds: Option<Seeds>,

    /// What one swarm looks after: element, sample or batch [default: the smallest the loss allows]
    #[arg(long, value_name = "BLOCK", help_heading = "Swarms")]
    block: Option<String>,

    /// Search near the output, by |z - output|^2 / (2 tau): the gradient of the Moreau envelope
    #[arg(long, value_name = "TAU", value_parser = above_zero, help_heading = "Swarms")]
    tau: Option<f64>,

    /// Particles of a swarm [default: 10]
    #[arg(long, value_name = "N", value_parser = argument::size, help_heading = "Swarms")]
    particles: Option<usize>,

    /// Moves of a swarm in one step [default: 40]
    #[arg(long, value_name = "N", value_parser = argument::size, help_heading = "Swarms")]
    iterations: Option<usize>,

    /// Threads, one run on each, those left over for the swarms; 0 for one a core
    #[arg(short, long, value_name = "N", default_value_t = 0, value_parser = argument::threads)]
    threads: usize,

    /// Keep the model of the first optimiser and the first seed, with all that `swarmgrad predict` needs
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,

    /// Draw loss and accuracy by epoch, as .svg or .png
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    plot: Option<PathBuf>,

    /// Keep finished runs in this file, and continue from it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    records: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Show no progress bar
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

/// The seeds of the runs.
#[derive(Debug, Clone)]
struct Seeds(Vec<u64>);

fn seeds(text: &str) -> std::result::Result<Seeds, String> {
    if !text.contains(',') {
        return match argument::positive(text)? {
            many if many > MOST_SEEDS => Err(format!("must be at most {MOST_SEEDS}")),
            many => Ok(Seeds((0..many).collect())),
        };
    }
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let seeds: Vec<u64> = words.map(argument::count).collect::<std::result::Result<_, _>>()?;
    if let Some(k) = (1..seeds.len()).find(|&k| seeds[..k].contains(&seeds[k])) {
        return Err(format!("{} is named twice", seeds[k]));
    }
    if seeds.is_empty() { Err("must name at least one seed".into()) } else { Ok(Seeds(seeds)) }
}

fn above_zero(text: &str) -> std::result::Result<f64, String> {
    let value = text.parse().ok().filter(|t: &f64| t.is_finite() && *t > 0.0);
    value.ok_or_else(|| "must be a number above 0".into())
}

/// The path `name` reads as: a file, not the name of a data set.
fn as_file(name: &str) -> Option<&Path> {
    let path = Path::new(name);
    let known = ENTRIES.iter().any(|entry| entry.name == name);
    (!known && (path.exists() || path.extension().is_some() || name.contains(std::path::MAIN_SEPARATOR)))
        .then_some(path)
}

/// A member of a family of names.
fn choose<T: Copy>(option: &str, name: &str, choices: &[(&str, T)]) -> Result<T> {
    let found = choices.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| Error::unknown(option, name, choices.iter().map(|(known, _)| *known)))
}

impl Train {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let plan = self.plan()?;
        run::run(self, &plan)
    }

    /// Everything is checked before anything runs.
    fn plan(&self) -> Result<Plan> {
        let preset = Preset::named(&self.preset)?;
        if let Some(path) = &self.save {
            swarmgrad::state::check_writable(path)?;
        }
        if let Some(path) = &self.plot {
            output::check_picture(path)?;
        }
        let loaded = self.load.as_deref().map(Saved::read).transpose()?;
        let mut options = preset.options();
        options.standardise &= !self.raw;
        options.standardise_target = options.standardise;
        let (source, digest) = self.source(preset, loaded.as_ref())?;
        let from = self.load.as_deref().map(digest_of).transpose()?;
        let images = matches!(source, Source::Images(_));
        if images && let Some(share) = self.test_share {
            return Err(Error::parameter("--test-share", share, format!("{} has a test part of its own", self.data)));
        }
        let test_share = self.test_share.unwrap_or(0.25);
        let origin = Origin {
            data: self.data.clone(),
            digest,
            preset,
            options,
            test_share,
            limits: [self.limit, self.test_limit],
            from,
        };
        let seeds = match (&self.seeds, &loaded) {
            (Some(seeds), _) => seeds.0.clone(),
            (None, Some(saved)) => vec![saved.training.seed],
            (None, None) => (0..5).collect(),
        };
        let mut plan = Plan { origin, source, loaded, seeds, controls_from: 0, trainings: Vec::new() };
        let first = plan.prepare(plan.seeds[0])?;
        let base = self.training(&plan, &first.train)?;
        train::check_fit(&base, &first.train.targets)?;
        let (names, controls_from) = self.optimizers(plan.loaded.as_ref())?;
        plan.controls_from = controls_from;
        plan.trainings = match self.method.is_empty() {
            true => names.iter().map(|name| self.with_optimizer(&base, name, preset)).collect::<Result<_>>()?,
            false => self.method.iter().map(|name| self.with_swarm(&base, name.trim())).collect::<Result<_>>()?,
        };
        if let Some(option) = self.swarm_option()
            && !plan.trainings.iter().any(|training| has_swarm(&training.optimizer))
        {
            let rule = "needs an optimiser with a swarm: adaswarm, adaswarm_prox or sgd_swarm";
            return Err(Error::parameter(option, "given", rule));
        }
        for training in &plan.trainings {
            plan.learner(training, &first, Workers::default())?;
        }
        Ok(plan)
    }

    /// The rows, and the checksum of what they were read from.
    fn source(&self, preset: Preset, loaded: Option<&Saved>) -> Result<(Source, String)> {
        let Some(path) = as_file(&self.data) else {
            let entry = catalog::entry(&self.data)?;
            for (option, given) in [
                ("--target", self.target.is_some()),
                ("--regression", self.regression),
                ("--classification", self.classification),
                ("--categorical", !self.categorical.is_empty()),
                ("--header", self.header.is_some()),
            ] {
                if given {
                    let rule = format!("is for CSV files; the columns of {} are known", self.data);
                    return Err(Error::parameter(option, "given", rule));
                }
            }
            let source = match entry.place {
                Place::Images => Source::Images(data::mnist()?.into()),
                _ => Source::Table(data::load(&self.data, preset)?),
            };
            return Ok((source, entry.sha256.into()));
        };
        let mut format = loaded.map(|saved| saved.preprocessing.format()).unwrap_or_default();
        format.target = match (&self.target, loaded) {
            (Some(column), _) => Target::Column(column.clone()),
            (None, Some(saved)) => Target::Column(saved.preprocessing.target().into()),
            (None, None) => Target::Last,
        };
        format.categorical.extend(self.categorical.iter().map(|column| column.trim().to_owned()));
        format.header = self.header.or(format.header);
        if self.regression {
            format.task = Some(Task::Regression);
        } else if self.classification {
            format.task = Some(Task::Classification);
        }
        let table: Table = csv::read(path, &format)?;
        let target = table.target()?.name.clone();
        let digest = format!("{} {target} {:?}", digest_of(path)?, table.task);
        Ok((Source::Table(table), digest))
    }

    /// All but the optimiser, its rate and its signal.
    fn training(&self, plan: &Plan, rows: &data::Dataset) -> Result<Training> {
        let paper = plan.origin.preset == Preset::Paper;
        let regression = rows.labels().is_none();
        let saved = plan.loaded.as_ref().map(|saved| &saved.training);
        let usual = match (regression || paper, self.method.is_empty()) {
            (true, _) => "mse",
            (false, true) => "bce",
            (false, false) => "cross_entropy",
        };
        let loss = self.loss.clone().or_else(|| saved.map(|s| s.loss.clone())).unwrap_or_else(|| usual.into());
        loss::entry(&loss)?;
        let architecture = match saved {
            Some(saved) => saved.architecture.clone(),
            None => self.architecture([rows.dim(), rows.outputs()], &loss, regression)?,
        };
        let batch = self.batch.unwrap_or(match (paper, self.method.is_empty()) {
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
            ..Training::default()
        })
    }

    fn architecture(&self, [inputs, outputs]: [usize; 2], loss: &str, regression: bool) -> Result<Architecture> {
        const OUTPUTS: [(&str, Output); 3] =
            [("identity", Output::Identity), ("sigmoid", Output::Sigmoid), ("softmax", Output::Softmax)];
        const ACTIVATIONS: [(&str, Activation); 3] =
            [("relu", Activation::Relu), ("tanh", Activation::Tanh), ("sigmoid", Activation::Sigmoid)];
        let output = match &self.output {
            Some(name) => choose("output", name, &OUTPUTS)?,
            None if regression || loss == "cross_entropy" => Output::Identity,
            None => Output::Sigmoid,
        };
        Ok(match self.model.as_str() {
            "mlp" => {
                let activation = self
                    .activation
                    .as_deref()
                    .map_or(Ok(Activation::Relu), |f| choose("activation", f, &ACTIVATIONS))?;
                let hidden = match self.hidden.as_deref() {
                    None => vec![10],
                    Some([0]) => Vec::new(),
                    Some(layers) => layers.iter().map(|&n| n as usize).collect(),
                };
                Architecture::Mlp { hidden, activation, output }
            }
            "shallow" => {
                self.without_layers()?;
                Architecture::shallow(inputs, outputs, output)
            }
            "cnn" => Architecture::Cnn { image: self.square(inputs)?, output },
            "lenet1" => Architecture::lenet1(self.square(inputs)?, outputs, output),
            "resnet18" => Architecture::Resnet18 { image: self.square(inputs)?, output },
            _ => return Err(Error::unknown("model", &self.model, ["cnn", "lenet1", "resnet18", "shallow", "mlp"])),
        })
    }

    /// The image that a row of `inputs` features is. Errors where it is none, or if layers are asked for.
    fn square(&self, inputs: usize) -> Result<Image> {
        self.without_layers()?;
        let side = |channels: usize| {
            let side = (inputs as f64 / channels as f64).sqrt().round() as usize;
            (side * side * channels == inputs).then_some(Image { channels, height: side, width: side })
        };
        side(1).or_else(|| side(3)).ok_or_else(|| {
            let rule = format!("needs square images, grey or of three colours; these rows have {inputs} features");
            Error::parameter("--model", &self.model, rule)
        })
    }

    /// Errors if layers are asked for where the net has its own.
    fn without_layers(&self) -> Result<()> {
        for (option, given) in [("--hidden", self.hidden.is_some()), ("--activation", self.activation.is_some())] {
            if given {
                let rule = format!("is for --model mlp; {} has its own", self.model);
                return Err(Error::parameter(option, "given", rule));
            }
        }
        Ok(())
    }

    /// The optimisers with the controls behind them, and where these begin. Swarms of networks have none.
    fn optimizers(&self, loaded: Option<&Saved>) -> Result<(Vec<String>, usize)> {
        if !self.method.is_empty() {
            return Ok((Vec::new(), self.method.len()));
        }
        let mut names: Vec<String> = self.optimizer.iter().map(|name| name.trim().to_owned()).collect();
        if names.is_empty() {
            let usual = loaded.map_or("adaswarm", |saved| saved.training.optimizer.as_str());
            if loaded.is_some_and(|saved| saved.training.swarm.is_some()) {
                let rule = "trained the saved model, without gradients; say with --optimizer what is to go on from it";
                return Err(Error::parameter("--load", usual, rule));
            }
            names.push(usual.into());
        }
        for (k, name) in names.iter().enumerate() {
            optim::entry(name)?;
            if names[..k].contains(name) {
                return Err(Error::parameter("--optimizer", name, "is named twice"));
            }
        }
        let asked = names.len();
        if !self.no_controls && loaded.is_none() && names.iter().any(|name| lends_gradient(name)) {
            names.extend(CONTROLS.map(str::to_owned));
            let doubled = |k: usize| k >= asked && names[..asked].contains(&names[k]);
            names = (0..names.len()).filter(|&k| !doubled(k)).map(|k| names[k].clone()).collect();
        }
        Ok((names, asked))
    }

    /// The first option given that only swarms have.
    fn swarm_option(&self) -> Option<&'static str> {
        let given = [
            ("--block", self.block.is_some()),
            ("--tau", self.tau.is_some()),
            ("--particles", self.particles.is_some()),
            ("--iterations", self.iterations.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    fn with_swarm(&self, base: &Training, name: &str) -> Result<Training> {
        let settings = swarmgrad::settings::pairs(&self.set)?;
        if let Some(rows) = settings.get("data_batch") {
            return Err(Error::parameter("--set data_batch", rows, "is said by --batch when networks are trained"));
        }
        let swarm = train::Swarm::named(name, settings)?;
        Ok(Training { optimizer: name.into(), swarm: Some(swarm), ..base.clone() })
    }

    fn with_optimizer(&self, base: &Training, name: &str, preset: Preset) -> Result<Training> {
        let entry = optim::entry(name)?;
        let rate = match (self.rate, preset, &base.architecture) {
            (Some(rate), ..) => rate,
            (None, Preset::Paper, _) => 0.1,
            (None, _, Architecture::Mlp { .. }) => entry.rate.max(0.01),
            (None, ..) => entry.rate,
        };
        let mut training = Training { optimizer: name.into(), rate: Some(rate), ..base.clone() };
        if has_swarm(name) && self.swarm_option().is_some() {
            let mut signal = match self.tau {
                Some(tau) => Signal::proximal(tau),
                None => entry.signal(),
            };
            if let Signal::Swarm(swarm) = &mut signal {
                let blocks = Block::ALL.map(|block| (block.name(), block));
                swarm.block = self.block.as_deref().map(|name| choose("block", name, &blocks)).transpose()?;
                swarm.search.particles = self.particles.unwrap_or(swarm.search.particles);
                swarm.search.iterations = self.iterations.unwrap_or(swarm.search.iterations);
            }
            training.signal = Some(signal.fit(base.architecture.output()));
        }
        Ok(training)
    }
}

/// Whether the optimiser has the particles and moves that the options for swarms are about.
fn has_swarm(optimizer: &str) -> bool {
    optim::entry(optimizer).is_ok_and(|entry| matches!(entry.signal(), Signal::Swarm(_)))
}

/// Whether a swarm or a cloud of points stands in for the loss's derivative: then the controls show what it gains.
fn lends_gradient(optimizer: &str) -> bool {
    optim::entry(optimizer).is_ok_and(|entry| matches!(entry.signal(), Signal::Swarm(_) | Signal::Consensus { .. }))
}

/// The checksum of a file.
fn digest_of(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|why| output::file_error(path, &why))?;
    Ok(catalog::sha256(&bytes))
}
