//! What a saved model answers for the rows of a table, and how good the answers are where the target is known.

use super::{Measure, Saved};
use crate::data::csv::{self, Format, Target};
use crate::data::prepare::Coding;
use crate::data::{Column, Preprocessing, Table};
use crate::metric;
use crate::model::Output;
use std::path::Path;
use swarmgrad_core::{Error, Matrix, Result};

/// The answers of a model, one a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Outputs of the network, a row each.
    pub outputs: Matrix<f32>,
    /// Probabilities of the classes, a row each, where the outputs are any.
    pub probabilities: Option<Matrix<f32>>,
    /// The target of each row as text, where it is known.
    pub truth: Vec<Option<String>>,
    preprocessing: Preprocessing,
}

impl Saved {
    /// How to read a file of rows to answer. The target is read as any other column, so that it may be absent, have gaps, or hold
    /// one class only.
    pub fn format(&self) -> Format {
        let mut format = self.preprocessing.format();
        let target = self.preprocessing.target().to_owned();
        let as_read =
            if self.preprocessing.classes().is_empty() { &mut format.numeric } else { &mut format.categorical };
        as_read.push(target);
        // No column has an empty name.
        format.target = Target::IfPresent(String::new());
        format
    }

    /// Answers for the rows of a CSV file.
    ///
    /// # Errors
    /// A file that cannot be read, and those of [`Saved::answer`].
    pub fn answer_file(&self, path: &Path, allow_unknown: bool) -> Result<Answers> {
        self.answer(&csv::read(path, &self.format())?, allow_unknown)
    }

    /// Answers for the rows of a table. Columns are found by their names, in any order; others are ignored. A category that was not
    /// there in training is refused, or with `allow_unknown` taken as none of those that were.
    ///
    /// # Errors
    /// A column that is missing, an unknown category, a target that is no class or no number.
    ///
    /// ```
    /// use swarmgrad_nn::data::csv;
    /// use swarmgrad_nn::train::{Driving, TrainingPlan};
    ///
    /// let plan = TrainingPlan { seeds: Some(vec![0]), optimizers: vec!["adam".into()], ..TrainingPlan::of("iris") };
    /// let model = plan.prepare()?.run(&Driving { model: true, ..Driving::default() })?.model.expect("a model was asked for");
    /// let text = "petal_width,petal_length,sepal_width,sepal_length\n0.2,1.4,3.5,5.1\n";
    /// let answers = model.answer(&csv::parse(text, "flowers.csv", &model.format())?, false)?;
    /// assert_eq!(answers.prediction(0), "setosa");
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn answer(&self, table: &Table, allow_unknown: bool) -> Result<Answers> {
        let fitted = &self.preprocessing;
        check_columns(table, fitted)?;
        if !allow_unknown {
            check_categories(table, fitted)?;
        }
        let outputs = self.predict(&fitted.features(table)?)?;
        let truth = match table.column(fitted.target()) {
            Ok(column) => truth(table, column, fitted)?,
            Err(_) => vec![None; table.len()],
        };
        Ok(Answers { probabilities: self.probabilities(&outputs), outputs, truth, preprocessing: fitted.clone() })
    }

    /// Probabilities of the classes: softmax outputs, or the softmax of logits, as they are; sigmoid outputs divided by their sum.
    /// None of numbers, and of outputs without bounds that are no logits.
    pub fn probabilities(&self, outputs: &Matrix<f32>) -> Option<Matrix<f32>> {
        let softmax = |row: &mut [f32]| {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|o| *o = (*o - top).exp());
        };
        let keep = |_: &mut [f32]| {};
        let positive: &dyn Fn(&mut [f32]) = match self.training.architecture.output() {
            _ if self.preprocessing.classes().is_empty() => return None,
            Output::Sigmoid | Output::Softmax => &keep,
            Output::Identity if self.training.loss == "cross_entropy" => &softmax,
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
}

impl Answers {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.outputs.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The answer for a row: the class of the largest output, `nan` if one of them is NaN; of a regression the number.
    pub fn prediction(&self, row: usize) -> String {
        match self.preprocessing.classes() {
            [] => self.number(row).to_string(),
            classes => metric::argmax(self.outputs.row(row)).map_or("nan".into(), |k| classes[k].clone()),
        }
    }

    /// The answer of a regression for a row, in the units of the target.
    pub fn number(&self, row: usize) -> f64 {
        self.preprocessing.in_units(self.outputs.row(row)[0])
    }

    /// Whether the target of any row is known.
    pub fn has_truth(&self) -> bool {
        self.truth.iter().any(Option::is_some)
    }

    /// Figures over the rows whose target is known, and how many these are: the accuracy of classes, the errors of numbers.
    pub fn scores(&self) -> (Vec<(Measure, f64)>, usize) {
        let known: Vec<(usize, &str)> =
            self.truth.iter().enumerate().filter_map(|(i, truth)| Some((i, truth.as_deref()?))).collect();
        if known.is_empty() {
            return (Vec::new(), 0);
        }
        if !self.preprocessing.classes().is_empty() {
            let right = known.iter().filter(|&&(i, truth)| self.prediction(i) == truth).count();
            return (vec![(Measure::Accuracy, right as f64 / known.len() as f64)], known.len());
        }
        let answers: Vec<f64> = known.iter().map(|&(i, _)| self.number(i)).collect();
        let values: Vec<f64> = known.iter().map(|(_, truth)| truth.parse().unwrap_or(f64::NAN)).collect();
        let scores = vec![
            (Measure::Rmse, metric::root_mean_square(&answers, &values)),
            (Measure::Mae, metric::mean_absolute(&answers, &values)),
            (Measure::R2, metric::r_squared(&answers, &values)),
        ];
        (scores, known.len())
    }
}

fn check_columns(table: &Table, fitted: &Preprocessing) -> Result<()> {
    let there = |name: &str| table.columns.iter().any(|column| column.name == name);
    let lacking: Vec<&str> = fitted.inputs.iter().map(|input| &*input.name).filter(|name| !there(name)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let unnamed = there("column_1") && lacking.len() == fitted.inputs.len();
    let rule = match unnamed {
        true => "must be there, as in training; the first line of the file names no columns",
        false => "must be there, as in training",
    };
    let what = if lacking.len() == 1 { "missing column" } else { "missing columns" };
    Err(Error::parameter(format!("{}: {what}", table.name), abridged(&lacking), rule))
}

/// Names as a list that fits a line.
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
            let rule = format!("must be one of {}; allow_unknown takes it as none of them", abridged(&names));
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
