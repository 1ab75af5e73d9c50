//! From a raw table to what a network takes: coding, imputation and standardisation, fitted on the training rows only.

use super::csv::{Format, Target};
use super::table::{Column, Table, Values};
use super::{Dataset, Targets, Task};
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Matrix, Result};

/// Which rows of a catalogued set are taken, and how they are prepared if nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// The rows the AdaSwarm paper used, categories as codes, nothing scaled.
    #[default]
    Paper,
    /// All rows; what is missing is imputed, categories are one-hot, numbers standardised.
    Full,
}

impl Preset {
    /// Every preset with its name, as users write it.
    pub const ALL: [(&'static str, Preset); 2] = [("paper", Preset::Paper), ("full", Preset::Full)];

    /// The preset called `name`.
    pub fn named(name: &str) -> Result<Preset> {
        let found = Preset::ALL.iter().find(|(known, _)| *known == name);
        let unknown = || Error::unknown("preset", name, Preset::ALL.map(|(known, _)| known));
        found.map(|(_, preset)| *preset).ok_or_else(unknown)
    }

    /// The preparation that belongs to it.
    pub fn options(self) -> Options {
        match self {
            Preset::Paper => Options { standardise: false, categories: Categories::Codes, ..Options::default() },
            Preset::Full => Options::default(),
        }
    }
}

/// What becomes of a column of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Categories {
    /// One number: the place of the category among the sorted ones, counted from 0; -1 where it is missing or was not
    /// among the training rows (pandas' category codes).
    Codes,
    /// A column of 0 and 1 for each category; one more if a training row misses the value. A category that was not among
    /// the training rows has 0 in all of them.
    #[default]
    OneHot,
}

/// What stands in for a missing number: a statistic of the column's training rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The arithmetic mean.
    Mean,
    /// The median (mean of the middle two for an even count).
    #[default]
    Median,
}

/// How a table is prepared. The default is that of [`Preset::Full`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Whether numbers and codes are shifted and scaled to mean 0 and standard deviation 1 (over n, as scikit-learn does)
    /// of the training rows, after imputation. A constant column is only shifted; one-hot columns stay 0 and 1.
    pub standardise: bool,
    /// Whether the target of a regression is standardised too; [`Preprocessing::in_units`] takes it back.
    pub standardise_target: bool,
    /// What becomes of columns of categories.
    pub categories: Categories,
    /// What stands in for a missing number.
    pub fill: Fill,
}

impl Default for Options {
    fn default() -> Self {
        let (categories, fill) = (Categories::default(), Fill::default());
        Options { standardise: true, standardise_target: false, categories, fill }
    }
}

/// A training and a test part with what was fitted on the former.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// Rows to learn from.
    pub train: Dataset,
    /// Rows to be judged on.
    pub test: Dataset,
    /// How both were prepared; a saved model carries it.
    pub preprocessing: Preprocessing,
}

/// How a column enters the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// (value - shift) / scale, with `fill` for a missing value.
    Number {
        /// Value where it is missing.
        fill: f64,
        /// Mean of the training rows, or 0.
        shift: f64,
        /// Standard deviation of the training rows, or 1.
        scale: f64,
    },
    /// (place among the categories - shift) / scale, place -1 for a missing or unknown one.
    Codes {
        /// The categories in order.
        categories: Vec<String>,
        /// Mean of the training rows, or 0.
        shift: f64,
        /// Standard deviation of the training rows, or 1.
        scale: f64,
    },
    /// One feature a category, 0 or 1.
    OneHot {
        /// The categories in order.
        categories: Vec<String>,
        /// Whether a missing value has a feature of its own, the last.
        missing: bool,
    },
}

/// A column the network reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The column's name.
    pub name: String,
    /// How it enters the network.
    pub coding: Coding,
}

/// What the network answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// One of the classes.
    Classes {
        /// The target column's name.
        name: String,
        /// The classes' names, in the order of their indices.
        classes: Vec<String>,
    },
    /// A number: (value - shift) / scale.
    Number {
        /// The target column's name.
        name: String,
        /// Mean of the training rows, or 0.
        shift: f64,
        /// Standard deviation of the training rows, or 1.
        scale: f64,
    },
}

/// How raw columns become features and targets, fitted on training rows: a saved model carries it, so that it can read new
/// rows by the names of their columns.
///
/// ```
/// use swarmgrad_nn::data::csv::{self, Format};
/// use swarmgrad_nn::data::{Options, Preprocessing};
///
/// let table = csv::parse("age,city,sick\n30,Rome,no\n50,Paris,yes\n?,Rome,no\n", "people.csv", &Format::default())?;
/// let fitted = Preprocessing::fit(&table, &[0, 1, 2], &Options { standardise: false, ..Options::default() })?;
/// assert_eq!(fitted.feature_names(), ["age", "city=Paris", "city=Rome"]);
/// assert_eq!(fitted.apply(&table)?.features.row(2), [40.0, 0.0, 1.0]);      // 40 is the median
///
/// let new = csv::parse("city,age\nParis,20\n", "new.csv", &fitted.format())?;
/// assert_eq!(fitted.features(&new)?.row(0), [20.0, 1.0, 0.0]);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The columns read, in order.
    pub inputs: Vec<Input>,
    /// What is answered.
    pub output: Output,
}

impl Preprocessing {
    /// Learns fills, categories, means and deviations from the rows `train` of the table; the names of the classes come
    /// from all rows. Errors if the table has no target, `train` is empty, or a numeric column has no value in it.
    pub fn fit(table: &Table, train: &[usize], options: &Options) -> Result<Self> {
        let target = table.target()?;
        if train.is_empty() {
            return Err(Error::parameter("training rows", 0, "must be at least 1"));
        }
        let input =
            |column: &Column| Ok(Input { name: column.name.clone(), coding: code(table, column, train, options)? });
        let inputs = table.features().map(input).collect::<Result<_>>()?;
        let name = target.name.clone();
        let output = match &target.values {
            Values::Numbers(numbers) if table.task == Task::Regression => {
                let numbers: Vec<_> = train.iter().filter_map(|&i| numbers[i]).collect();
                let (shift, scale) = moments(&numbers, options.standardise_target);
                Output::Number { name, shift, scale }
            }
            _ => Output::Classes { name, classes: table.classes() },
        };
        Ok(Preprocessing { inputs, output })
    }

    /// That of images: `dim` pixels called `p000`, `p001`, ..., divided by 255.
    pub fn of_images(dim: usize, classes: Vec<String>) -> Self {
        let coding = Coding::Number { fill: 0.0, shift: 0.0, scale: 255.0 };
        let inputs = (0..dim).map(|j| Input { name: format!("p{j:03}"), coding: coding.clone() }).collect();
        Preprocessing { inputs, output: Output::Classes { name: "class".into(), classes } }
    }

    /// Names of the features, in order: a column's own, or `column=category`.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for Input { name, coding } in &self.inputs {
            match coding {
                Coding::Number { .. } | Coding::Codes { .. } => names.push(name.clone()),
                Coding::OneHot { categories, missing } => {
                    names.extend(categories.iter().map(|category| format!("{name}={category}")));
                    names.extend(missing.then(|| format!("{name} missing")));
                }
            }
        }
        names
    }

    /// Number of features.
    pub fn dim(&self) -> usize {
        let width = |coding: &Coding| match coding {
            Coding::Number { .. } | Coding::Codes { .. } => 1,
            Coding::OneHot { categories, missing } => categories.len() + usize::from(*missing),
        };
        self.inputs.iter().map(|input| width(&input.coding)).sum()
    }

    /// Number of outputs a network needs: one a class, or one for regression.
    pub fn outputs(&self) -> usize {
        match &self.output {
            Output::Classes { classes, .. } => classes.len(),
            Output::Number { .. } => 1,
        }
    }

    /// Names of the classes; empty for regression.
    pub fn classes(&self) -> &[String] {
        match &self.output {
            Output::Classes { classes, .. } => classes,
            Output::Number { .. } => &[],
        }
    }

    /// Name of the target column.
    pub fn target(&self) -> &str {
        match &self.output {
            Output::Classes { name, .. } | Output::Number { name, .. } => name,
        }
    }

    /// An output of a regression in the units of the target column; of a class, the output itself.
    pub fn in_units(&self, output: f32) -> f64 {
        match self.output {
            Output::Classes { .. } => f64::from(output),
            Output::Number { shift, scale, .. } => f64::from(output) * scale + shift,
        }
    }

    /// How to read a file of new rows: the types of the columns are those it was fitted to, and the target may be absent.
    pub fn format(&self) -> Format {
        let named = |numeric: bool| {
            let wanted = self.inputs.iter().filter(move |i| matches!(i.coding, Coding::Number { .. }) == numeric);
            wanted.map(|input| input.name.clone()).collect()
        };
        let (task, header) = match self.output {
            Output::Classes { .. } => (Task::Classification, None),
            Output::Number { .. } => (Task::Regression, None),
        };
        Format {
            header,
            target: Target::IfPresent(self.target().into()),
            task: Some(task),
            categorical: named(false),
            numeric: named(true),
            ..Format::default()
        }
    }

    /// The features of all rows, columns found by name: rows by [`Preprocessing::dim`]. Errors if a column is missing, if
    /// words stand where numbers did, or if a feature is too large for single precision.
    pub fn features(&self, table: &Table) -> Result<Matrix<f32>> {
        let dim = self.dim();
        let mut features = Matrix::zeros(table.len(), dim);
        let mut from = 0;
        for Input { name, coding } in &self.inputs {
            let column = table.column(name)?;
            let place = |i: usize| format!("{}, column '{name}'", table.place(i));
            match coding {
                Coding::Number { fill, shift, scale } => {
                    let Values::Numbers(numbers) = &column.values else {
                        let first = (0..table.len()).find(|&i| !column.is_missing(i)).unwrap_or(0);
                        let rule = "must be a number, as in the rows learnt from";
                        return Err(Error::parameter(place(first), format!("'{}'", column.text(first)), rule));
                    };
                    for (i, number) in numbers.iter().enumerate() {
                        let value = ((number.unwrap_or(*fill) - shift) / scale) as f32;
                        if !value.is_finite() {
                            let rule = "must fit single precision, about 3e38";
                            return Err(Error::parameter(place(i), number.unwrap_or(*fill), rule));
                        }
                        features.row_mut(i)[from] = value;
                    }
                    from += 1;
                }
                Coding::Codes { categories, shift, scale } => {
                    for i in 0..table.len() {
                        let code = category(column, i, categories).map_or(-1.0, |place| place as f64);
                        features.row_mut(i)[from] = ((code - shift) / scale) as f32;
                    }
                    from += 1;
                }
                Coding::OneHot { categories, missing } => {
                    for i in 0..table.len() {
                        let place = match category(column, i, categories) {
                            None if *missing && column.is_missing(i) => Some(categories.len()),
                            place => place,
                        };
                        place.into_iter().for_each(|place| features.row_mut(i)[from + place] = 1.0);
                    }
                    from += categories.len() + usize::from(*missing);
                }
            }
        }
        Ok(features)
    }

    /// Features and targets of all rows. Errors as [`Preprocessing::features`], if the table lacks the target, and on a
    /// class that was not there when it was fitted.
    pub fn apply(&self, table: &Table) -> Result<Dataset> {
        let column = table.column(self.target())?;
        let place = |i: usize| format!("{}, column '{}'", table.place(i), column.name);
        let targets = match &self.output {
            Output::Classes { classes, .. } => {
                let label = |i: usize| {
                    let rule = || format!("must be one of the classes {}", classes.join(", "));
                    let unknown = || Error::parameter(place(i), format!("'{}'", column.text(i)), rule());
                    category(column, i, classes).ok_or_else(unknown)
                };
                Targets::Classes { labels: (0..table.len()).map(label).collect::<Result<_>>()?, names: classes.clone() }
            }
            Output::Number { shift, scale, .. } => {
                let number = |i: usize| match &column.values {
                    Values::Numbers(numbers) => {
                        let value = numbers[i].map(|value| ((value - shift) / scale) as f32).filter(|v| v.is_finite());
                        value.ok_or_else(|| Error::parameter(place(i), column.text(i), "must be a finite number"))
                    }
                    Values::Words(_) => Err(Error::parameter(place(i), column.text(i), "must be a number")),
                };
                Targets::Numbers((0..table.len()).map(number).collect::<Result<_>>()?)
            }
        };
        let (features, feature_names) = (self.features(table)?, self.feature_names());
        Ok(Dataset { name: table.name.clone(), features, feature_names, targets })
    }
}

/// Place of the value of row `i` among the categories.
fn category(column: &Column, i: usize, categories: &[String]) -> Option<usize> {
    match &column.values {
        Values::Words(words) => words[i].as_ref().and_then(|word| categories.iter().position(|known| known == word)),
        Values::Numbers(_) => categories.iter().position(|known| *known == column.text(i)),
    }
}

fn code(table: &Table, column: &Column, train: &[usize], options: &Options) -> Result<Coding> {
    match (&column.values, options.categories) {
        (Values::Numbers(numbers), _) => {
            let present: Vec<_> = train.iter().filter_map(|&i| numbers[i]).collect();
            if present.is_empty() {
                let name = format!("{}, column '{}'", table.name, column.name);
                return Err(Error::parameter(name, "no value", "must have a value in at least one training row"));
            }
            let fill = match options.fill {
                Fill::Mean => moments(&present, true).0,
                Fill::Median => median(present),
            };
            let filled: Vec<_> = train.iter().map(|&i| numbers[i].unwrap_or(fill)).collect();
            let (shift, scale) = moments(&filled, options.standardise);
            Ok(Coding::Number { fill, shift, scale })
        }
        (Values::Words(_), Categories::Codes) => {
            let categories = column.categories(train);
            let code = |&i: &usize| category(column, i, &categories).map_or(-1.0, |place| place as f64);
            let (shift, scale) = moments(&train.iter().map(code).collect::<Vec<_>>(), options.standardise);
            Ok(Coding::Codes { categories, shift, scale })
        }
        (Values::Words(_), Categories::OneHot) => {
            let missing = train.iter().any(|&i| column.is_missing(i));
            Ok(Coding::OneHot { categories: column.categories(train), missing })
        }
    }
}

/// Mean and standard deviation (over n), 1 for the deviation of a constant; 0 and 1 if they are not wanted.
fn moments(numbers: &[f64], wanted: bool) -> (f64, f64) {
    if !wanted || numbers.is_empty() {
        return (0.0, 1.0);
    }
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let deviation = (numbers.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / n).sqrt();
    // A constant column has a deviation of rounding errors at most.
    let constant = deviation <= 1e-12 * mean.abs().max(f64::MIN_POSITIVE);
    (mean, if constant || !deviation.is_finite() { 1.0 } else { deviation })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len().is_multiple_of(2) { (numbers[middle - 1] + numbers[middle]) / 2.0 } else { numbers[middle] }
}
