//! A raw table: named columns of numbers or words, values may be missing.

use super::prepare::{Options, Parts, Preprocessing};
use super::split::{self, Split};
use super::{Dataset, Task};
use swarmgrad_core::{Error, Result, Rng};

/// A column's values, one a row; `None` is a missing one.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Finite numbers.
    Numbers(Vec<Option<f64>>),
    /// Categories, by name.
    Words(Vec<Option<String>>),
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name; `column_3` for the third column of a file without a header.
    pub name: String,
    /// Its values, one a row.
    pub values: Values,
}

/// A table as it was read: nothing coded, imputed or scaled yet. See [`Preprocessing::fit`] for the next step.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Where it comes from: a data set's name or a file.
    pub name: String,
    /// The columns, all of the same length.
    pub columns: Vec<Column>,
    /// The place of the target among the columns, if there is one.
    pub target: Option<usize>,
    /// What the target is: a class or a number.
    pub task: Task,
    /// What is odd about its columns, for people: a column that numbers the rows, say.
    pub notices: Vec<String>,
    /// For each row the line of the file it comes from, counted from 1.
    pub(super) lines: Vec<usize>,
}

impl Column {
    /// Number of missing values.
    pub fn missing(&self) -> usize {
        match &self.values {
            Values::Numbers(values) => values.iter().filter(|v| v.is_none()).count(),
            Values::Words(values) => values.iter().filter(|v| v.is_none()).count(),
        }
    }

    /// Whether the value of row `i` is missing.
    pub fn is_missing(&self, i: usize) -> bool {
        match &self.values {
            Values::Numbers(values) => values[i].is_none(),
            Values::Words(values) => values[i].is_none(),
        }
    }

    /// The value of row `i` as text; empty where it is missing.
    pub fn text(&self, i: usize) -> String {
        match &self.values {
            Values::Numbers(values) => values[i].map(|v| v.to_string()).unwrap_or_default(),
            Values::Words(values) => values[i].clone().unwrap_or_default(),
        }
    }

    /// The smallest and the largest number; none of words, or if all are missing.
    pub fn range(&self) -> Option<[f64; 2]> {
        let Values::Numbers(numbers) = &self.values else { return None };
        let present = || numbers.iter().flatten().copied();
        Some([present().reduce(f64::min)?, present().reduce(f64::max)?])
    }

    /// The different values among `rows`, as text: by value if all are numbers, else in the order of their bytes, as
    /// pandas orders its categories. Missing values are left out.
    pub fn categories(&self, rows: &[usize]) -> Vec<String> {
        let mut names: Vec<_> = rows.iter().filter(|&&i| !self.is_missing(i)).map(|&i| self.text(i)).collect();
        names.sort_unstable();
        names.dedup();
        if names.iter().all(|name| name.parse::<f64>().is_ok()) {
            names.sort_by(|a, b| f64::total_cmp(&a.parse().unwrap_or(0.0), &b.parse().unwrap_or(0.0)));
        }
        names
    }

    fn select(&self, rows: &[usize]) -> Column {
        let values = match &self.values {
            Values::Numbers(values) => Values::Numbers(rows.iter().map(|&i| values[i]).collect()),
            Values::Words(values) => Values::Words(rows.iter().map(|&i| values[i].clone()).collect()),
        };
        Column { name: self.name.clone(), values }
    }
}

impl Table {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The column called `name`; an unknown name gets the nearest right one.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let known = || self.columns.iter().map(|c| c.name.as_str());
        let found = self.columns.iter().find(|c| c.name == name);
        found.ok_or_else(|| Error::unknown(&format!("column of {}", self.name), name, known()))
    }

    /// The columns that are not the target.
    pub fn features(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().enumerate().filter(|(j, _)| Some(*j) != self.target).map(|(_, column)| column)
    }

    /// The target column. Errors if the table has none.
    pub fn target(&self) -> Result<&Column> {
        let none = || Error::parameter("target", &self.name, "the table must have a target column");
        self.target.map(|j| &self.columns[j]).ok_or_else(none)
    }

    /// Number of missing values, the target's included.
    pub fn missing(&self) -> usize {
        self.columns.iter().map(Column::missing).sum()
    }

    /// The rows without a missing value, in order.
    pub fn complete(&self) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.columns.iter().all(|c| !c.is_missing(i))).collect()
    }

    /// Names of the classes, in the order of their indices; empty for regression.
    pub fn classes(&self) -> Vec<String> {
        match (self.task, self.target()) {
            (Task::Classification, Ok(target)) => target.categories(&(0..self.len()).collect::<Vec<_>>()),
            _ => Vec::new(),
        }
    }

    /// The classes and how many rows each has; empty for regression.
    pub fn counts(&self) -> Vec<(String, usize)> {
        let Ok(target) = self.target() else { return Vec::new() };
        let mut counts: Vec<_> = self.classes().into_iter().map(|name| (name, 0)).collect();
        for i in 0..self.len() {
            let text = target.text(i);
            if let Some((_, count)) = counts.iter_mut().find(|(name, _)| *name == text) {
                *count += 1;
            }
        }
        counts
    }

    /// The table with the rows named by `rows`, in that order.
    pub fn select(&self, rows: &[usize]) -> Table {
        Table {
            name: self.name.clone(),
            columns: self.columns.iter().map(|column| column.select(rows)).collect(),
            target: self.target,
            task: self.task,
            notices: self.notices.clone(),
            lines: rows.iter().map(|&i| self.lines[i]).collect(),
        }
    }

    /// Where row `i` is to be found: file and line.
    pub fn place(&self, i: usize) -> String {
        format!("{} line {}", self.name, self.lines[i])
    }

    /// Class index of each row, or 0 everywhere for regression: what a stratified split balances.
    pub fn strata(&self) -> Vec<usize> {
        let classes = self.classes();
        match self.target() {
            Ok(target) if !classes.is_empty() => {
                let class = |text: String| classes.iter().position(|name| *name == text).unwrap_or(0);
                (0..self.len()).map(|i| class(target.text(i))).collect()
            }
            _ => vec![0; self.len()],
        }
    }

    /// Splits the rows at random into a training and a test part, each class alike; see [`split::stratified`].
    pub fn split(&self, test_share: f64, rng: &Rng) -> Result<Split> {
        split::stratified(&self.strata(), test_share, rng)
    }

    /// `k` splits whose test parts are disjoint and together hold every row; see [`split::folds`].
    pub fn folds(&self, k: usize, rng: &Rng) -> Result<Vec<Split>> {
        split::folds(&self.strata(), k, rng)
    }

    /// Fits the preprocessing to the training part and applies it to both parts.
    pub fn parts(&self, split: &Split, options: &Options) -> Result<Parts> {
        let preprocessing = Preprocessing::fit(self, &split.train, options)?;
        let train = preprocessing.apply(&self.select(&split.train))?;
        let test = preprocessing.apply(&self.select(&split.test))?;
        Ok(Parts { train, test, preprocessing })
    }

    /// All rows as one data set, the preprocessing fitted to all of them: for training without a test part.
    pub fn dataset(&self, options: &Options) -> Result<Dataset> {
        Preprocessing::fit(self, &(0..self.len()).collect::<Vec<_>>(), options)?.apply(self)
    }

    /// Errors unless the target is one: no missing value, at least two classes or only numbers, at least one feature.
    pub(super) fn check(self) -> Result<Self> {
        if self.is_empty() {
            return Err(Error::parameter(&self.name, "no row", "must hold at least one row of data"));
        }
        let Ok(target) = self.target() else { return Ok(self) };
        if let Some(i) = (0..self.len()).find(|&i| target.is_missing(i)) {
            let name = format!("{}, column '{}'", self.place(i), target.name);
            return Err(Error::parameter(name, "missing", "the target of every row must be given"));
        }
        if self.columns.len() < 2 {
            let rule = "must have a column beside the target";
            return Err(Error::parameter(&self.name, format!("only '{}'", target.name), rule));
        }
        if let (Task::Classification, [only]) = (self.task, self.classes().as_slice()) {
            let name = format!("{}, target '{}'", self.name, target.name);
            return Err(Error::parameter(name, format!("only class '{only}'"), "must have at least two classes"));
        }
        Ok(self)
    }
}
