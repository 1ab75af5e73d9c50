//! `predict`: what a saved model answers for the rows of a file.

use crate::DONE;
use crate::output::{self, number, short};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use swarmgrad::{Error, Matrix, write_whole};
use swarmgrad_lab::table::{Rules, Table};
use swarmgrad_nn::data::Preprocessing;
use swarmgrad_nn::train::{Answers, Measure, Saved};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad train iris --save iris.model
  swarmgrad predict iris.model flowers.csv
  swarmgrad predict iris.model flowers.csv --output answers.csv
  swarmgrad predict iris.model flowers.csv --json

Columns are found by their names, in any order; others are ignored. A missing value is filled in as in training. Where the \
file has the target column too, the answers are held against it.

Probabilities: softmax outputs, or the softmax of logits, as they are; sigmoid outputs divided by their sum. Outputs without \
bounds are no probabilities, and the largest alone decides.

Exit code: 0 done; 1 a file could not be written; 2 wrong usage, a model that cannot be read, or bad data.";

/// Which model, on what.
#[derive(Args, Debug)]
pub struct Predict {
    /// The file of `swarmgrad train --save`
    model: PathBuf,

    /// A CSV file with the columns of the model's data
    file: PathBuf,

    /// Take a category that was not there in training as none of those that were, instead of refusing it
    #[arg(long)]
    allow_unknown: bool,

    /// Write the answers to a CSV file, one line a row
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Predict {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let saved = Saved::read(&self.model)?;
        let fitted = &saved.preprocessing;
        let answers = saved.answer_file(&self.file, self.allow_unknown).map_err(in_options)?;
        if let Some(path) = &self.output {
            write_whole(path, table(&answers, fitted, &|value| value.to_string()).csv().as_bytes())?;
        }
        if self.json {
            output::print_json(&as_json(&answers, &saved))?;
        } else {
            let mut text = String::new();
            match &self.output {
                Some(path) => text += &format!("{} answers are in {}\n", answers.len(), path.display()),
                None => text += &table(&answers, fitted, &|value| short(value)).text(Rules::Unicode),
            }
            text += &verdict(&answers, fitted);
            output::print(&text)?;
        }
        Ok(ExitCode::from(DONE))
    }
}

/// An error whose rule names the library's argument, as one that names the option.
fn in_options(error: Error) -> Error {
    match error {
        Error::Parameter { name, value, rule } => {
            Error::Parameter { name, value, rule: rule.replace("allow_unknown", "--allow-unknown") }
        }
        other => other,
    }
}

/// One row an answer; `shown` writes numbers.
fn table(answers: &Answers, fitted: &Preprocessing, shown: &dyn Fn(f64) -> String) -> Table {
    let classes = fitted.classes();
    let mut headers = vec!["row".to_owned(), format!("predicted {}", fitted.target())];
    headers.extend(answers.has_truth().then(|| fitted.target().to_owned()));
    let what = if answers.probabilities.is_some() { "p" } else { "output" };
    headers.extend(classes.iter().map(|class| format!("{what}({class})")));
    let mut table = Table::new(headers);
    for i in 0..answers.len() {
        let answer = if classes.is_empty() { shown(answers.number(i)) } else { answers.prediction(i) };
        let mut row = vec![(i + 1).to_string(), answer];
        if answers.has_truth() {
            row.push(answers.truth[i].clone().unwrap_or_default());
        }
        match &answers.probabilities {
            Some(shares) => row.extend(shares.row(i).iter().map(|p| format!("{p:.4}"))),
            None if !classes.is_empty() => row.extend(answers.outputs.row(i).iter().map(|&o| shown(f64::from(o)))),
            None => {}
        }
        table.row(row);
    }
    table
}

/// How good the answers are, for people.
fn verdict(answers: &Answers, fitted: &Preprocessing) -> String {
    let (scores, rows) = answers.scores();
    let shown = |(measure, value): &(Measure, f64)| match measure.is_share() {
        true => format!("{} {:.2} %", measure.label(), 100.0 * value),
        false => format!("{} {}", measure.label(), short(*value)),
    };
    match scores.as_slice() {
        [] => String::new(),
        _ => format!(
            "{} over the {rows} rows whose {} is known\n",
            scores.iter().map(shown).collect::<Vec<_>>().join(", "),
            fitted.target()
        ),
    }
}

fn as_json(answers: &Answers, saved: &Saved) -> Value {
    let fitted = &saved.preprocessing;
    let classes = fitted.classes();
    let numbers = |row: &[f32]| -> Value { row.iter().map(|&t| number(f64::from(t))).collect() };
    let rows: Vec<Value> = (0..answers.len())
        .map(|i| {
            let truth = &answers.truth[i];
            let mut row = json!({"outputs": numbers(answers.outputs.row(i)), "target": truth});
            if classes.is_empty() {
                row["prediction"] = number(answers.number(i));
                row["target"] = truth.as_ref().and_then(|t| t.parse().ok()).map_or(Value::Null, number);
            } else {
                row["prediction"] = json!(answers.prediction(i));
                let named = |shares: &Matrix<f32>| -> Value {
                    let pairs = classes.iter().zip(shares.row(i)).map(|(c, p)| (c.clone(), number(f64::from(*p))));
                    Value::Object(pairs.collect())
                };
                row["probabilities"] = answers.probabilities.as_ref().map_or(Value::Null, named);
            }
            row
        })
        .collect();
    let (scores, known) = answers.scores();
    let scores: serde_json::Map<_, _> =
        scores.into_iter().map(|(measure, value)| (measure.name().to_owned(), number(value))).collect();
    json!({
        "data": saved.data, "target": fitted.target(), "classes": classes, "rows": rows, "scores": scores, "known": known,
        "version": saved.version,
    })
}
