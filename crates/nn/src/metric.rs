//! Accuracy, in the two ways it is counted.
//!
//! The AdaSwarm paper prints [`element_accuracy`], under which a network that always answers the majority class looks good:
//! 85.01 % on the car data, where 70.02 % of the rows are of that class. [`argmax_accuracy`] is what is usually meant.

use swarmgrad_core::Rows;

/// Share of rows whose largest output is that of their class; among equal outputs the first counts, and a row with a NaN
/// is wrong. `outputs`: rows by classes; `labels`: class index of each row. 0 for no rows.
///
/// ```
/// use swarmgrad_core::Rows;
/// use swarmgrad_nn::metric::argmax_accuracy;
///
/// let outputs = [0.9, 0.1, 0.4, 0.6, 0.8, 0.3];
/// assert_eq!(argmax_accuracy(Rows::new(2, &outputs), &[0, 1, 1]), 2.0 / 3.0);
/// ```
///
/// # Panics
/// If there are more or fewer rows than labels.
pub fn argmax_accuracy(outputs: Rows<'_, f32>, labels: &[usize]) -> f64 {
    assert_eq!(outputs.len(), labels.len(), "a label for each row");
    let right = outputs.iter().zip(labels).filter(|(row, label)| argmax(row) == Some(**label)).count();
    right as f64 / labels.len().max(1) as f64
}

/// Place of the largest of the numbers, the first of equals; none if one of them is NaN or there is none.
pub fn argmax(row: &[f32]) -> Option<usize> {
    let larger = |best: usize, j: usize| if row[j] > row[best] { j } else { best };
    if row.iter().any(|t| t.is_nan()) { None } else { (0..row.len()).reduce(larger) }
}

/// Share of single outputs that, rounded (halves to the even number), equal their target: mean(round(output) == one-hot).
/// `outputs` and `targets`: rows by outputs. 0 for no rows.
///
/// ```
/// use swarmgrad_core::Rows;
/// use swarmgrad_nn::metric::element_accuracy;
///
/// // Nothing is answered for three classes, and two thirds of the zeros are right.
/// let targets = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
/// assert_eq!(element_accuracy(Rows::new(3, &[0.0; 6]), Rows::new(3, &targets)), 4.0 / 6.0);
/// ```
///
/// # Panics
/// If the shapes differ.
pub fn element_accuracy(outputs: Rows<'_, f32>, targets: Rows<'_, f32>) -> f64 {
    assert_eq!((outputs.len(), outputs.dim()), (targets.len(), targets.dim()), "a target for each output");
    let right = outputs.data().iter().zip(targets.data()).filter(|(y, t)| y.round_ties_even() == **t).count();
    right as f64 / targets.data().len().max(1) as f64
}

/// The square root of the mean squared error. NaN for no numbers.
///
/// # Panics
/// If there are more or fewer answers than values.
pub fn root_mean_square(answers: &[f64], values: &[f64]) -> f64 {
    assert_eq!(answers.len(), values.len(), "a value for each answer");
    (squares(answers, values) / values.len() as f64).sqrt()
}

/// The mean absolute error. NaN for no numbers.
///
/// # Panics
/// If there are more or fewer answers than values.
pub fn mean_absolute(answers: &[f64], values: &[f64]) -> f64 {
    assert_eq!(answers.len(), values.len(), "a value for each answer");
    answers.iter().zip(values).map(|(a, v)| (a - v).abs()).sum::<f64>() / values.len() as f64
}

/// R^2, the share of the values' variance that the answers explain: 1 for right answers, 0 for the values' mean, below it for
/// worse. NaN where the values do not vary.
///
/// ```
/// use swarmgrad_nn::metric::r_squared;
///
/// assert_eq!(r_squared(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.5]), 1.0 - 2.25 / 6.5);
/// ```
///
/// # Panics
/// If there are more or fewer answers than values.
pub fn r_squared(answers: &[f64], values: &[f64]) -> f64 {
    assert_eq!(answers.len(), values.len(), "a value for each answer");
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let spread: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    if spread > 0.0 { 1.0 - squares(answers, values) / spread } else { f64::NAN }
}

fn squares(answers: &[f64], values: &[f64]) -> f64 {
    answers.iter().zip(values).map(|(a, v)| (a - v).powi(2)).sum()
}
