//! Accuracy, in the two ways it is counted, and other figures of answers.
//!
//! The AdaSwarm paper prints [`element_accuracy`], under which a network that always answers the majority class looks good:
//! 85.01 % on the car data, where 70.02 % of the rows are of that class. [`argmax_accuracy`] is what is usually meant.

use swarmgrad_core::Rows;

/// Share of rows whose largest output is that of their class; among equal outputs the first counts, and a row with a NaN
/// is wrong. `outputs`: rows by classes; `labels`: class index of each row. 0 for no rows.
///
/// ```
/// use swarmgrad_core::Rows;
/// use swarmgrad_dense::metric::argmax_accuracy;
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
/// use swarmgrad_dense::metric::element_accuracy;
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
/// use swarmgrad_dense::metric::r_squared;
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

/// Share of values at or below their answer. NaN for no numbers.
///
/// # Panics
/// If there are more or fewer answers than values.
pub fn coverage(answers: &[f64], values: &[f64]) -> f64 {
    assert_eq!(answers.len(), values.len(), "a value for each answer");
    answers.iter().zip(values).filter(|(answer, value)| value <= answer).count() as f64 / values.len() as f64
}

/// Matthews' correlation of the classes answered, those of the largest outputs, and the classes (Gorodkin 2004 for more than two): 1
/// for right answers, 0 for what a constant achieves. 0 where the answers or the classes do not vary.
///
/// ```
/// use swarmgrad_core::Rows;
/// use swarmgrad_dense::metric::matthews;
///
/// let outputs = [0.9, 0.1, 0.2, 0.8, 0.7, 0.3, 0.1, 0.9]; // 0, 1, 0, 1
/// assert!((matthews(Rows::new(2, &outputs), &[0, 1, 1, 1]) - 1.0 / 3.0f64.sqrt()).abs() < 1e-12);
/// ```
///
/// # Panics
/// If there are more or fewer rows than labels.
pub fn matthews(outputs: Rows<'_, f32>, labels: &[usize]) -> f64 {
    assert_eq!(outputs.len(), labels.len(), "a label for each row");
    let classes = outputs.dim().max(labels.iter().max().map_or(0, |most| most + 1)) + 1;
    let (mut answered, mut actual, mut right) = (vec![0.0f64; classes], vec![0.0f64; classes], 0.0);
    for (row, &label) in outputs.iter().zip(labels) {
        // An answer that is none counts as one of a class of its own.
        let answer = argmax(row).unwrap_or(classes - 1);
        answered[answer] += 1.0;
        actual[label] += 1.0;
        right += f64::from(u8::from(answer == label));
    }
    let (rows, sum) = (labels.len() as f64, |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>());
    let spread = ((rows * rows - sum(&answered, &answered)) * (rows * rows - sum(&actual, &actual))).sqrt();
    if spread > 0.0 { (right * rows - sum(&answered, &actual)) / spread } else { 0.0 }
}

/// The area under the curve of true against false positives: the chance that a row of a class has a larger output for it than a row of
/// another class, ties counting half; the mean over the classes that some rows are of and some are not. NaN if there is none, and
/// where an output is NaN.
///
/// ```
/// use swarmgrad_core::Rows;
/// use swarmgrad_dense::metric::area_under_curve;
///
/// let outputs = [0.9, 0.1, 0.6, 0.4, 0.7, 0.3, 0.2, 0.8];
/// assert_eq!(area_under_curve(Rows::new(2, &outputs), &[0, 0, 1, 1]), 0.75);
/// ```
///
/// # Panics
/// If there are more or fewer rows than labels.
pub fn area_under_curve(outputs: Rows<'_, f32>, labels: &[usize]) -> f64 {
    assert_eq!(outputs.len(), labels.len(), "a label for each row");
    if outputs.data().iter().any(|t| t.is_nan()) {
        return f64::NAN;
    }
    let areas: Vec<f64> = (0..outputs.dim()).filter_map(|class| area_of(outputs, labels, class)).collect();
    areas.iter().sum::<f64>() / areas.len() as f64
}

/// That of one class against the rest; none where all rows are of it, or none.
fn area_of(outputs: Rows<'_, f32>, labels: &[usize], class: usize) -> Option<f64> {
    let mut scored: Vec<(f32, bool)> =
        outputs.iter().zip(labels).map(|(row, &label)| (row[class], label == class)).collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let inside = scored.iter().filter(|(_, inside)| *inside).count() as f64;
    let outside = scored.len() as f64 - inside;
    // Twice the sum of the ranks of its rows, ties sharing theirs.
    let (mut ranks, mut before) = (0.0, 0usize);
    for tied in scored.chunk_by(|a, b| a.0 == b.0) {
        let mine = tied.iter().filter(|(_, inside)| *inside).count() as f64;
        ranks += mine * (2 * before + tied.len() + 1) as f64;
        before += tied.len();
    }
    (inside > 0.0 && outside > 0.0).then(|| (0.5 * ranks - 0.5 * inside * (inside + 1.0)) / (inside * outside))
}

fn squares(answers: &[f64], values: &[f64]) -> f64 {
    answers.iter().zip(values).map(|(a, v)| (a - v).powi(2)).sum()
}
