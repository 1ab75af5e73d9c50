//! The dullest answer: the same numbers for every row. What a network is worth is what it gains over it.

use crate::data::{Dataset, Targets};
use crate::loss::Loss;
use crate::model::Output;
use swarmgrad_core::Matrix;

/// Constants that are tried for a target of numbers, from the least to the largest.
const TRIED: usize = 65;
/// Steps of the golden section between the neighbours of the best of them.
const REFINED: usize = 40;
/// Training rows on which a constant is judged, spread evenly.
const ROWS: usize = 2000;

/// The constant outputs with the smallest mean loss on these rows. Of numbers: the best of evenly spread quantiles and the mean, and
/// where the loss falls beside it, what a golden section finds there. Of classes: the best of always one class and the classes'
/// shares; of outputs without bounds also the logarithms of the shares.
///
/// ```
/// use swarmgrad_core::Matrix;
/// use swarmgrad_nn::data::{Dataset, Targets};
/// use swarmgrad_nn::loss;
/// use swarmgrad_nn::model::Output;
/// use swarmgrad_nn::train::constant_outputs;
///
/// let targets = Targets::Numbers(vec![1.0, 2.0, 3.0, 4.0, 100.0]);
/// let rows = Dataset { name: "five".into(), features: Matrix::zeros(5, 1), feature_names: vec!["x".into()], targets };
/// let best = |loss: &str| Ok::<_, swarmgrad_core::Error>(constant_outputs(&*loss::entry(loss)?.build(1), &rows, Output::Identity)[0]);
/// assert!((best("mse")? - 22.0).abs() < 1e-2);       // the mean
/// assert!((best("mae")? - 3.0).abs() < 1e-3);        // the median
/// assert!((best("quantile:0.9")? - 100.0).abs() < 0.1);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn constant_outputs(loss: &dyn Loss, rows: &Dataset, output: Output) -> Vec<f32> {
    let sample = rows.select(&rows.spread(ROWS));
    let targets = sample.target_rows();
    let columns = rows.outputs();
    let judge = |constant: &[f32]| {
        let answers = repeated(constant, sample.len());
        let value = loss.value(answers.data(), targets.data(), columns);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let best = |candidates: Vec<Vec<f32>>| {
        let judged = candidates.into_iter().map(|constant| (judge(&constant), constant));
        judged.reduce(|best, next| if next.0 < best.0 { next } else { best }).map(|(_, constant)| constant)
    };
    match &sample.targets {
        Targets::Numbers(numbers) => {
            let mut sorted = numbers.clone();
            sorted.sort_by(f32::total_cmp);
            let last = sorted.len().saturating_sub(1);
            let mut tried: Vec<f32> = (0..TRIED).filter_map(|k| sorted.get(k * last / (TRIED - 1)).copied()).collect();
            tried.push(numbers.iter().map(|&t| f64::from(t)).sum::<f64>() as f32 / numbers.len().max(1) as f32);
            tried.sort_by(f32::total_cmp);
            tried.dedup();
            let Some(coarse) = best(tried.iter().map(|&t| vec![t]).collect()) else { return vec![0.0] };
            let place = tried.iter().position(|&t| t == coarse[0]).unwrap_or(0);
            let ends = [tried[place.saturating_sub(1)], tried[(place + 1).min(tried.len() - 1)]];
            let fine = golden_section(ends, |t| judge(&[t]));
            if judge(&[fine]) < judge(&coarse) { vec![fine] } else { coarse }
        }
        Targets::Classes { names, .. } => {
            let one = |class: usize| (0..names.len()).map(|k| f32::from(u8::from(k == class))).collect::<Vec<f32>>();
            let shares: Vec<f32> = rows.counts().iter().map(|&n| n as f32 / rows.len().max(1) as f32).collect();
            let logits: Vec<f32> = shares.iter().map(|share| share.max(1e-6).ln()).collect();
            let mut candidates: Vec<Vec<f32>> = (0..names.len()).map(one).collect();
            candidates.push(shares);
            candidates.extend((output == Output::Identity).then_some(logits));
            best(candidates).unwrap_or_default()
        }
    }
}

/// Rows of the same outputs.
pub fn repeated(constant: &[f32], rows: usize) -> Matrix<f32> {
    let mut all = Matrix::zeros(rows, constant.len());
    all.iter_mut().for_each(|row| row.copy_from_slice(constant));
    all
}

/// Where `f` is smallest between two numbers, if it falls and then rises there.
fn golden_section([mut low, mut high]: [f32; 2], f: impl Fn(f32) -> f64) -> f32 {
    const RATIO: f32 = 0.618_034;
    let (mut left, mut right) = (high - RATIO * (high - low), low + RATIO * (high - low));
    let (mut at_left, mut at_right) = (f(left), f(right));
    for _ in 0..REFINED {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - RATIO * (high - low);
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + RATIO * (high - low);
            at_right = f(right);
        }
    }
    0.5 * (low + high)
}
