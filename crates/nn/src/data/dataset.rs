//! Prepared data: a matrix of features and a class or a number a row.

use swarmgrad_core::Matrix;

/// What is to be learnt, one entry a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Class indices.
    Classes {
        /// Index into `names`, one a row.
        labels: Vec<usize>,
        /// The classes' names.
        names: Vec<String>,
    },
    /// Numbers, for regression.
    Numbers(Vec<f32>),
}

/// Prepared data, ready for a network.
///
/// ```
/// use swarmgrad_nn::data::{self, Preset};
///
/// let iris = data::load("iris", Preset::Paper)?.dataset(&Preset::Paper.options())?;
/// assert_eq!((iris.len(), iris.dim(), iris.outputs()), (150, 4, 3));
/// assert_eq!(iris.features.row(0), [5.1, 3.5, 1.4, 0.2]);
/// assert_eq!(iris.target_rows().row(0), [1.0, 0.0, 0.0]);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Rows by features; every entry is finite.
    pub features: Matrix<f32>,
    /// One name a column of `features`.
    pub feature_names: Vec<String>,
    /// What is to be learnt.
    pub targets: Targets,
}

impl Dataset {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.targets {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of features.
    pub fn dim(&self) -> usize {
        self.features.dim()
    }

    /// Number of outputs a network needs: one a class, or one for regression.
    pub fn outputs(&self) -> usize {
        match &self.targets {
            Targets::Classes { names, .. } => names.len(),
            Targets::Numbers(_) => 1,
        }
    }

    /// Class index of each row; `None` for regression.
    pub fn labels(&self) -> Option<&[usize]> {
        match &self.targets {
            Targets::Classes { labels, .. } => Some(labels),
            Targets::Numbers(_) => None,
        }
    }

    /// Names of the classes; empty for regression.
    pub fn classes(&self) -> &[String] {
        match &self.targets {
            Targets::Classes { names, .. } => names,
            Targets::Numbers(_) => &[],
        }
    }

    /// Number of rows of each class; empty for regression.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes().len()];
        self.labels().unwrap_or_default().iter().for_each(|&label| counts[label] += 1);
        counts
    }

    /// Rows by outputs: one-hot classes, or the numbers in one column.
    pub fn target_rows(&self) -> Matrix<f32> {
        let mut rows = Matrix::zeros(self.len(), self.outputs());
        match &self.targets {
            Targets::Classes { labels, .. } => {
                rows.iter_mut().zip(labels).for_each(|(row, &label)| row[label] = 1.0);
            }
            Targets::Numbers(numbers) => rows.data_mut().copy_from_slice(numbers),
        }
        rows
    }

    /// `count` rows spread evenly, all where there are no more than these: what a sample takes that must not depend on chance.
    pub fn spread(&self, count: usize) -> Vec<usize> {
        let take = count.min(self.len());
        (0..take).map(|k| k * self.len() / take).collect()
    }

    /// The data set with the rows named by `rows`, in that order.
    pub fn select(&self, rows: &[usize]) -> Dataset {
        let mut features = Matrix::empty(self.dim());
        rows.iter().for_each(|&i| features.push(self.features.row(i)));
        let targets = match &self.targets {
            Targets::Classes { labels, names } => {
                Targets::Classes { labels: rows.iter().map(|&i| labels[i]).collect(), names: names.clone() }
            }
            Targets::Numbers(numbers) => Targets::Numbers(rows.iter().map(|&i| numbers[i]).collect()),
        };
        Dataset { name: self.name.clone(), features, feature_names: self.feature_names.clone(), targets }
    }
}
