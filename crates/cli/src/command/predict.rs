//! `predict`: what a saved model answers for the rows of a file.

use crate::DONE;
use crate::output::{self, number, short};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use swarmgrad::{Error, Matrix, Result, write_whole};
use swarmgrad_lab::table::{Rules, Table as Shown};
use swarmgrad_nn::data::csv::{self, Target};
use swarmgrad_nn::data::prepare::Coding;
use swarmgrad_nn::data::{Column, Preprocessing, Table};
use swarmgrad_nn::metric;
use swarmgrad_nn::model::Output;
use swarmgrad_nn::train::Saved;

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

/// The answers of a model.
struct Answers {
    /// Outputs, a row each.
    outputs: Matrix<f32>,
    /// Probabilities of the classes, a row each, where the outputs are any.
    probabilities: Option<Matrix<f32>>,
    /// The target of each row, where the file has it.
    truth: Vec<Option<String>>,
}

impl Predict {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let saved = Saved::read(&self.model)?;
        let fitted = &saved.preprocessing;
        let table = read(&self.file, fitted)?;
        check_columns(&table, fitted, &self.file)?;
        if !self.allow_unknown {
            check_categories(&table, fitted)?;
        }
        let outputs = saved.predict(&fitted.features(&table)?)?;
        let probabilities = probabilities(&saved, &outputs);
        let truth = match table.column(fitted.target()) {
            Ok(column) => truth(&table, column, fitted)?,
            Err(_) => vec![None; table.len()],
        };
        let answers = Answers { outputs, probabilities, truth };
        if let Some(path) = &self.output {
            write_whole(path, answers.table(fitted, &|value| value.to_string()).csv().as_bytes())?;
        }
        if self.json {
            output::print_json(&answers.json(&saved))?;
        } else {
            let mut text = String::new();
            match &self.output {
                Some(path) => text += &format!("{} answers are in {}\n", answers.truth.len(), path.display()),
                None => text += &answers.table(fitted, &|value| short(value)).text(Rules::Unicode),
            }
            text += &answers.verdict(fitted);
            output::print(&text)?;
        }
        Ok(ExitCode::from(DONE))
    }
}

/// The rows of a file. The target is read as any other column, so that it may be absent, have gaps, or hold one class only.
fn read(path: &Path, fitted: &Preprocessing) -> Result<Table> {
    let mut format = fitted.format();
    let target = fitted.target().to_owned();
    if fitted.classes().is_empty() {
        format.numeric.push(target)
    } else {
        format.categorical.push(target)
    }
    // No column has an empty name.
    format.target = Target::IfPresent(String::new());
    csv::read(path, &format)
}

fn check_columns(table: &Table, fitted: &Preprocessing, path: &Path) -> Result<()> {
    let there = |name: &str| table.columns.iter().any(|column| column.name == name);
    let lacking: Vec<&str> = fitted.inputs.iter().map(|input| &*input.name).filter(|name| !there(name)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let names = abridged(&lacking);
    let unnamed = there("column_1") && lacking.len() == fitted.inputs.len();
    let rule = match unnamed {
        true => "must be there, as in training; the first line of the file names no columns",
        false => "must be there, as in training",
    };
    let what = if lacking.len() == 1 { "missing column" } else { "missing columns" };
    Err(Error::parameter(format!("{}: {what}", path.display()), names, rule))
}

fn abridged(names: &[&str]) -> String {
    match names.len() {
        0..=8 => names.join(", "),
        many => format!("{}, … ({many} in all)", names[..6].join(", ")),
    }
}

/// Errors on the first category that was not there in training.
fn check_categories(table: &Table, fitted: &Preprocessing) -> Result<()> {
    for input in &fitted.inputs {
        let (Coding::OneHot { categories, .. } | Coding::Codes { categories, .. }) = &input.coding else { continue };
        let column = table.column(&input.name)?;
        let known = |i: usize| categories.contains(&column.text(i));
        if let Some(i) = (0..table.len()).find(|&i| !column.is_missing(i) && !known(i)) {
            let names: Vec<&str> = categories.iter().map(String::as_str).collect();
            let rule = format!("must be one of {}; --allow-unknown takes it as none of them", abridged(&names));
            let place = format!("{}, column '{}'", table.place(i), input.name);
            return Err(Error::parameter(place, format!("'{}'", column.text(i)), rule));
        }
    }
    Ok(())
}

/// The targets of the rows, checked.
fn truth(table: &Table, column: &Column, fitted: &Preprocessing) -> Result<Vec<Option<String>>> {
    let classes = fitted.classes();
    (0..table.len())
        .map(|i| {
            let text = column.text(i);
            if column.is_missing(i) {
                return Ok(None);
            }
            let known = if classes.is_empty() { text.parse::<f64>().is_ok() } else { classes.contains(&text) };
            if known {
                return Ok(Some(text));
            }
            let names: Vec<&str> = classes.iter().map(String::as_str).collect();
            let rule = match classes {
                [] => "must be a number".into(),
                _ => format!("must be one of the classes {}", abridged(&names)),
            };
            Err(Error::parameter(format!("{}, column '{}'", table.place(i), column.name), format!("'{text}'"), rule))
        })
        .collect()
}

fn probabilities(saved: &Saved, outputs: &Matrix<f32>) -> Option<Matrix<f32>> {
    let softmax = |row: &mut [f32]| {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|o| *o = (*o - top).exp());
    };
    let keep = |_: &mut [f32]| {};
    let positive: &dyn Fn(&mut [f32]) = match saved.training.architecture.output() {
        _ if saved.preprocessing.classes().is_empty() => return None,
        Output::Sigmoid | Output::Softmax => &keep,
        Output::Identity if saved.training.loss == "cross_entropy" => &softmax,
        Output::Identity => return None,
    };
    let mut shares = outputs.clone();
    for row in shares.iter_mut() {
        positive(row);
        let (sum, even) = (row.iter().sum::<f32>(), 1.0 / row.len() as f32);
        row.iter_mut().for_each(|p| *p = if sum > 0.0 { *p / sum } else { even });
    }
    Some(shares)
}

impl Answers {
    fn answer(&self, i: usize, fitted: &Preprocessing) -> String {
        match fitted.classes() {
            [] => fitted.in_units(self.outputs.row(i)[0]).to_string(),
            classes => metric::argmax(self.outputs.row(i)).map_or("nan".into(), |k| classes[k].clone()),
        }
    }

    fn has_truth(&self) -> bool {
        self.truth.iter().any(Option::is_some)
    }

    /// One row an answer; `shown` writes numbers.
    fn table(&self, fitted: &Preprocessing, shown: &dyn Fn(f64) -> String) -> Shown {
        let classes = fitted.classes();
        let mut headers = vec!["row".to_owned(), format!("predicted {}", fitted.target())];
        headers.extend(self.has_truth().then(|| fitted.target().to_owned()));
        let what = if self.probabilities.is_some() { "p" } else { "output" };
        headers.extend(classes.iter().map(|class| format!("{what}({class})")));
        let mut table = Shown::new(headers);
        for i in 0..self.outputs.len() {
            let answer = match classes {
                [] => shown(fitted.in_units(self.outputs.row(i)[0])),
                _ => self.answer(i, fitted),
            };
            let mut row = vec![(i + 1).to_string(), answer];
            if self.has_truth() {
                row.push(self.truth[i].clone().unwrap_or_default());
            }
            match &self.probabilities {
                Some(shares) => row.extend(shares.row(i).iter().map(|p| format!("{p:.4}"))),
                None if !classes.is_empty() => row.extend(self.outputs.row(i).iter().map(|&o| shown(f64::from(o)))),
                None => {}
            }
            table.row(row);
        }
        table
    }

    /// Named figures over the rows whose target is known, and how many these are.
    fn scores(&self, fitted: &Preprocessing) -> (Vec<(&'static str, f64)>, usize) {
        let known: Vec<usize> = (0..self.truth.len()).filter(|&i| self.truth[i].is_some()).collect();
        let truth = |i: usize| self.truth[i].as_deref().unwrap_or_default();
        if known.is_empty() {
            return (Vec::new(), 0);
        }
        if !fitted.classes().is_empty() {
            let right = known.iter().filter(|&&i| self.answer(i, fitted) == truth(i)).count();
            return (vec![("accuracy", right as f64 / known.len() as f64)], known.len());
        }
        let answers: Vec<f64> = known.iter().map(|&i| fitted.in_units(self.outputs.row(i)[0])).collect();
        let values: Vec<f64> = known.iter().map(|&i| truth(i).parse().unwrap_or(f64::NAN)).collect();
        let scores = vec![
            ("rmse", metric::root_mean_square(&answers, &values)),
            ("mae", metric::mean_absolute(&answers, &values)),
            ("r2", metric::r_squared(&answers, &values)),
        ];
        (scores, known.len())
    }

    fn verdict(&self, fitted: &Preprocessing) -> String {
        let (scores, rows) = self.scores(fitted);
        let shown = |(name, value): &(&str, f64)| match *name {
            "accuracy" => format!("accuracy {:.2} %", 100.0 * value),
            "rmse" => format!("RMSE {}", short(*value)),
            "mae" => format!("MAE {}", short(*value)),
            _ => format!("R² {}", short(*value)),
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

    fn json(&self, saved: &Saved) -> Value {
        let fitted = &saved.preprocessing;
        let classes = fitted.classes();
        let numbers = |row: &[f32]| -> Value { row.iter().map(|&t| number(f64::from(t))).collect() };
        let rows: Vec<Value> = (0..self.outputs.len())
            .map(|i| {
                let mut row = json!({"outputs": numbers(self.outputs.row(i)), "target": self.truth[i]});
                if classes.is_empty() {
                    row["prediction"] = number(fitted.in_units(self.outputs.row(i)[0]));
                    row["target"] = self.truth[i].as_ref().and_then(|t| t.parse().ok()).map_or(Value::Null, number);
                } else {
                    row["prediction"] = json!(self.answer(i, fitted));
                    let named = |shares: &Matrix<f32>| -> Value {
                        let pairs = classes.iter().zip(shares.row(i)).map(|(c, p)| (c.clone(), number(f64::from(*p))));
                        Value::Object(pairs.collect())
                    };
                    row["probabilities"] = self.probabilities.as_ref().map_or(Value::Null, named);
                }
                row
            })
            .collect();
        let (scores, known) = self.scores(fitted);
        let scores: serde_json::Map<_, _> =
            scores.into_iter().map(|(name, value)| (name.to_owned(), number(value))).collect();
        json!({
            "data": saved.data, "target": fitted.target(), "classes": classes, "rows": rows, "scores": scores,
            "known": known, "version": saved.version,
        })
    }
}
