//! `train`: a network on a data set, by several optimisers and from several seeds.

mod show;

use crate::{DONE, NOT_KEPT, argument, interrupt, kept, output};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use swarmgrad::{Error, Halt, Result};
use swarmgrad_lab::training::TrainingRecords;
use swarmgrad_nn::data::{Preset, Task};
use swarmgrad_nn::loss::Block;
use swarmgrad_nn::model::{Activation, Output};
use swarmgrad_nn::train::{Driving, MOST_SEEDS, Measure, PreparedPlan, RunStore, TrainingPlan, TrainingProgress};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad train iris
  swarmgrad train diabetes --loss mae --plot diabetes.png
  swarmgrad train diabetes --loss quantile:0.95 --validation 0.2
  swarmgrad train diabetes --loss-exec 'python3 loss.py' --particles 6 --iterations 8 --seeds 2
  swarmgrad train heart --loss f1 --optimizer adaswarm,sgd --seeds 10 --epochs 100
  swarmgrad train customers.csv --target churned --balance --save churn.model
  swarmgrad predict churn.model new.csv
  swarmgrad train mnist --method pso_sde --model shallow --set inertia=0.4 --epochs 25 --seeds 1 --record mnist.jsonl
  swarmgrad train mnist --model cnn --limit 5000 --test-limit 1000 --epochs 3 --seeds 1

Losses: mse, mae, bce, cross_entropy, huber:DELTA, quantile:Q (huber is huber:1, quantile the median, quantile90 quantile:0.9), zero_one, \
step, f1, soft_f1, multi_well. Those without a useful gradient \
(zero_one, step, f1) are for optimisers with a swarm: adaswarm, adaswarm_prox, adaswarm_consensus, sgd_swarm. The others are adam, adamw, amsgrad, \
sgd, momentum, adagrad, adadelta, rmsprop, diffgrad, and adam_on_mse, which trains the squared error whatever the loss.

A loss of your own is a program, --loss-exec COMMAND: it reads lines `prediction label` from its standard input until that ends, many at \
a time, and answers each with a line that holds its loss, flushed. Numbers are as the network has them: of a regression standardised, \
unless --raw. The swarms need nothing else; an optimiser that follows a derivative cannot train it. In Python:

  import sys
  for line in sys.stdin:
      prediction, label = map(float, line.split())
      print(max(0.9 * (label - prediction), 0.1 * (prediction - label)), flush=True)

For mae, huber, quantile and a program's loss of a number the lengths of a swarm's signal follow the residuals, so that what is learnt is \
the loss asked for; --tau fixes them instead. Optimisers are compared by the loss, on test rows if there are any. `constant` is the best \
answer that is the same for every row: what a network is worth is what it gains over it.

With --validation SHARE a part of the rows to learn from chooses the epoch: the network that is kept and judged is the one with the \
smallest loss on it, and training ends after --patience epochs without a smaller one.

Where an optimiser with a swarm is asked for, adam and adam_on_mse are run beside it as controls: what a swarm gains over \
them is what it is worth. For one seed all optimisers have the same split, start and order of rows.

With --method networks learn without a gradient: a swarm of networks moves by their losses on batches of data alone; \
`swarmgrad list training` shows the methods and their parameters.

With --record FILE every finished run is kept at once, one JSON object a line; the same command again continues from there, \
and a run of --method from its last epochs. \
Ctrl-C ends the training after the batch it is in, shows what was reached and saves it too; a second one ends the program. \
The numbers do not depend on --threads.

Exit code: 0 done; 1 a file could not be written; 2 wrong usage or bad data; 130 interrupted, with what was reached printed \
all the same.";

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

    /// Columns of a CSV file to leave out, a comma list: identifiers, dates
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',', help_heading = "Data")]
    drop: Vec<String>,

    /// Whether the first line of a CSV file names the columns [default: it does where none of its fields is a number]
    #[arg(long, value_name = "YES|NO", value_parser = argument::yes_or_no, help_heading = "Data")]
    header: Option<bool>,

    /// Share of the rows to be judged on, each class alike; 0 for none [default: 0.25]
    #[arg(long, value_name = "SHARE", value_parser = argument::number, help_heading = "Data")]
    test_share: Option<f64>,

    /// Share of the rows to learn from that choose the epoch instead: kept and judged is the network with the smallest loss on them
    #[arg(long, value_name = "SHARE", value_parser = argument::number, help_heading = "Data")]
    validation: Option<f64>,

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
    /// (that paper's), cnn (the AdaSwarm paper's), resnet18. The last three are trained by optimisers only in builds with the feature
    /// `burn` [default: mlp]
    #[arg(long, value_name = "NET", help_heading = "Network")]
    model: Option<String>,

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

    /// What to make small: a name, some with a parameter, as quantile:0.95 or huber:2 [default: bce for classes, mse for numbers]
    #[arg(short, long, value_name = "LOSS", help_heading = "Training")]
    loss: Option<String>,

    /// What to make small, computed by a program: run by the shell, it reads lines `prediction label` and prints the loss of each
    #[arg(long, value_name = "COMMAND", conflicts_with = "loss", help_heading = "Training")]
    loss_exec: Option<String>,

    /// Figures to show beside the usual ones, a comma list: mcc, auc, accuracy, element_accuracy, rmse, mae, r2, coverage
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', help_heading = "Output")]
    metrics: Vec<String>,

    /// Optimisers, a comma list [default: adaswarm]
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', help_heading = "Training")]
    optimizer: Vec<String>,

    /// Train without gradients, by populations of networks: pso_sde, cbo, open_es, pgpe, snes, cr_fm_nes, a comma list.
    /// Their parameters: --set; the loss is then cross_entropy unless said
    #[arg(short, long, value_name = "A,B,..", value_delimiter = ',', conflicts_with_all = ["optimizer", "rate", "load", "balance"], help_heading = "Training")]
    method: Vec<String>,

    /// A parameter of --method: particles=50, inertia=0.4, kick=0, memory=none, local_best=stale, ..; `swarmgrad list
    /// training` shows all
    #[arg(short, long, value_name = "KEY=VALUE", requires = "method", help_heading = "Training")]
    set: Vec<String>,

    /// Do not run adam and adam_on_mse beside an optimiser with a swarm
    #[arg(long, help_heading = "Training")]
    no_controls: bool,

    /// Passes over the training rows [default: 40; fewer, but at least 5, where that were more than 2000 steps]
    #[arg(long, value_name = "N", value_parser = argument::positive, help_heading = "Training")]
    epochs: Option<u64>,

    /// Epochs without a smaller loss on the validation rows after which training ends [default: 20]
    #[arg(long, value_name = "N", value_parser = argument::positive, requires = "validation", help_heading = "Training")]
    patience: Option<u64>,

    /// Rows of a batch [default: 32; of --method 60]
    #[arg(long, value_name = "N", value_parser = argument::size, help_heading = "Training")]
    batch: Option<usize>,

    /// Learning rate [default: the optimiser's usual one; for an mlp at least 0.01]
    #[arg(long, value_name = "R", value_parser = argument::number, help_heading = "Training")]
    rate: Option<f64>,

    /// Weigh each class by the inverse of its share
    #[arg(long, help_heading = "Training")]
    balance: bool,

    /// How many seeds, for the splits, starts and orders 0, 1, 2, ..; or a comma list of seeds (`7,` is one) [default: 5]
    #[arg(long, value_name = "N|A,B,..", value_parser = seeds, help_heading = "Training")]
    seeds: Option<Seeds>,

    /// What one swarm looks after: element, sample or batch [default: the smallest the loss allows]
    #[arg(long, value_name = "BLOCK", help_heading = "Swarms")]
    block: Option<String>,

    /// Search near the output, by |z - output|^2 / (2 tau): the gradient of the Moreau envelope
    #[arg(long, value_name = "TAU", value_parser = argument::number, help_heading = "Swarms")]
    tau: Option<f64>,

    /// Particles of a swarm [default: 10]. Given, or with --iterations, swarms are run even where what they look for can be computed:
    /// the proximal map of mse, mae, bce, huber, quantile and cross_entropy, with --tau and adaswarm_prox
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
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    plot: Option<PathBuf>,

    /// Keep finished runs in this file, and continue from it
    #[arg(short, long, alias = "records", value_name = "FILE", help_heading = "Output")]
    record: Option<PathBuf>,

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
            many if many > MOST_SEEDS as u64 => Err(format!("must be at most {MOST_SEEDS}")),
            many => Ok(Seeds((0..many).collect())),
        };
    }
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(argument::count).collect::<std::result::Result<_, _>>().map(Seeds)
}

/// A member of a family of names.
fn choose<T: Copy>(option: &str, name: &Option<String>, choices: &[(&str, T)]) -> Result<Option<T>> {
    let Some(name) = name else { return Ok(None) };
    let found = choices.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let unknown = || Error::unknown(option, name, choices.iter().map(|(known, _)| *known));
    found.map(Some).ok_or_else(unknown)
}

/// A text that names fields of the plan in backticks, as one that names their options.
fn in_option_names(text: &str) -> String {
    text.replace("`categorical`", "--categorical").replace("`drop`", "--drop")
}

impl Train {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        if let Some(path) = &self.save {
            swarmgrad::state::check_writable(path)?;
        }
        if let Some(path) = &self.plot {
            output::check_picture(path)?;
        }
        let metrics = self.metrics.iter().map(|name| Measure::named(name.trim())).collect::<Result<Vec<_>>>()?;
        let plan = self.plan()?.prepare().map_err(|error| self.in_options(error))?;
        for notice in plan.notices() {
            note!("swarmgrad: {}", in_option_names(notice));
        }
        let about: Vec<_> = plan.trainings.iter().map(|training| json!(training)).collect();
        let about = json!({"origin": plan.origin, "trainings": about, "seeds": plan.seeds, "version": env!("CARGO_PKG_VERSION")});
        let records = TrainingRecords(kept::open(self.record.as_deref(), "train", &about, self.quiet || self.json)?);
        self.train(&plan, records, &metrics)
    }

    /// What the options say, as the library takes it.
    fn plan(&self) -> Result<TrainingPlan> {
        let trimmed = |names: &[String]| names.iter().map(|name| name.trim().to_owned()).collect();
        let task = match (self.regression, self.classification) {
            (true, _) => Some(Task::Regression),
            (false, true) => Some(Task::Classification),
            (false, false) => None,
        };
        let hidden = self.hidden.as_ref().map(|layers| match layers[..] {
            [0] => Vec::new(),
            _ => layers.iter().map(|&neurons| neurons as usize).collect(),
        });
        Ok(TrainingPlan {
            data: self.data.clone(),
            preset: Preset::named(&self.preset)?,
            target: self.target.clone(),
            task,
            categorical: trimmed(&self.categorical),
            drop: trimmed(&self.drop),
            header: self.header,
            test_share: self.test_share,
            validation: self.validation,
            patience: self.patience,
            limit: self.limit,
            test_limit: self.test_limit,
            raw: self.raw,
            model: self.model.clone(),
            hidden,
            activation: choose("activation", &self.activation, &Activation::ALL)?,
            output: choose("output", &self.output, &Output::ALL)?,
            load: self.load.clone(),
            loss: self.loss_exec.as_ref().map(|command| format!("exec:{command}")).or_else(|| self.loss.clone()),
            optimizers: trimmed(&self.optimizer),
            methods: trimmed(&self.method),
            settings: swarmgrad::settings::pairs(&self.set)?,
            controls: !self.no_controls,
            epochs: self.epochs,
            batch: self.batch,
            rate: self.rate,
            balance: self.balance,
            seeds: self.seeds.as_ref().map(|seeds| seeds.0.clone()),
            block: choose("block", &self.block, &Block::ALL.map(|block| (block.name(), block)))?,
            tau: self.tau,
            particles: self.particles,
            iterations: self.iterations,
        })
    }

    /// An error that names a field of the plan, as one that names the option which fills it.
    fn in_options(&self, error: Error) -> Error {
        const FIELDS: [&str; 17] = [
            "target",
            "drop",
            "validation",
            "patience",
            "categorical",
            "header",
            "test_share",
            "model",
            "hidden",
            "activation",
            "load",
            "rate",
            "seeds",
            "block",
            "tau",
            "particles",
            "iterations",
        ];
        let Error::Parameter { name, value, rule } = error else { return error };
        let name = match name.as_str() {
            "task" if self.regression => "--regression".into(),
            "task" => "--classification".into(),
            "optimizers" => "--optimizer".into(),
            "settings.data_batch" => "--set data_batch".into(),
            "loss" if self.loss_exec.is_some() => "--loss-exec".into(),
            "loss" => "--loss".into(),
            field if FIELDS.contains(&field) => format!("--{}", field.replace('_', "-")),
            _ => name,
        };
        Error::Parameter { name, value, rule: in_option_names(&rule) }
    }

    /// Runs a plan and shows what it came to.
    fn train(&self, plan: &PreparedPlan, records: TrainingRecords, metrics: &[Measure]) -> anyhow::Result<ExitCode> {
        let halt = Halt::new(interrupt::flag());
        let bar = match self.quiet || self.json {
            true => ProgressBar::hidden(),
            false => ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
        };
        bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {percent} %, {eta} left")?);
        let progress = |progress| match progress {
            TrainingProgress::Begun { runs, rows } => {
                bar.set_length(rows);
                bar.set_message(format!("0 of {runs} runs"));
            }
            TrainingProgress::Rows(rows) => bar.inc(rows),
            TrainingProgress::Ended { runs, of } => bar.set_message(format!("{runs} of {of} runs")),
        };
        let model = self.save.is_some();
        let store = Some(&records as &dyn RunStore);
        let driving = Driving { threads: self.threads, model, halt: Some(&halt), store, progress: &progress };
        let outcome = plan.run(&driving).map_err(|error| self.in_options(error))?;
        bar.finish_and_clear();
        let saved = match (&self.save, &outcome.model) {
            (Some(path), Some(model)) => {
                model.write(path)?;
                true
            }
            _ => false,
        };
        if let Some(path) = &self.plot {
            show::plot(plan, &outcome.runs, path)?;
        }
        if self.json {
            output::print_json(&show::json(self, plan, &outcome.runs, outcome.unfinished)?)?;
        } else {
            let mut text = show::text(plan, &outcome.runs, metrics)?;
            if outcome.found > 0 {
                text += &format!("{} runs were there already.\n", outcome.found);
            }
            if let Some(path) = self.save.as_ref().filter(|_| saved) {
                let (optimizer, seed) = (&plan.trainings[0].optimizer, plan.seeds[0]);
                text += &format!("The model of {optimizer} with seed {seed} is in {}.\n", path.display());
            }
            output::print(&text)?;
        }
        let (records, unfinished) = (records.0, outcome.unfinished);
        if unfinished == 0 {
            return Ok(ExitCode::from(if kept::close(records, true) { DONE } else { NOT_KEPT }));
        }
        kept::interrupted(&records, &format!("{unfinished} runs had not ended, the figures are of the epochs done"));
        kept::close(records, false);
        if self.save.is_some() && !saved {
            note!("swarmgrad: nothing was saved: the run of the model had not begun");
        }
        Ok(ExitCode::from(interrupt::EXIT))
    }
}
