//! Training and test rows: stratified, and the same for the same seed.

use swarmgrad_core::{Error, Result, Rng};

/// Rows to learn from and rows to be judged on; indices into the table, each ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows of the training part.
    pub train: Vec<usize>,
    /// Rows of the test part.
    pub test: Vec<usize>,
}

/// The rows of each stratum in random order.
fn shuffled(strata: &[usize], rng: &Rng) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); strata.iter().max().map_or(0, |most| most + 1)];
    strata.iter().enumerate().for_each(|(i, &stratum)| groups[stratum].push(i));
    let rng = rng.fork("split");
    groups.iter_mut().enumerate().for_each(|(stratum, group)| rng.row(stratum).shuffle(group));
    groups
}

/// Splits rows at random so that every stratum (class) gives the same share of its rows to the test part, up to
/// rounding: `test_share * rows` in all, rounded, the strata with the largest remainders giving one more. Each stratum
/// keeps at least one row for training. Equal seeds give equal splits.
///
/// Errors unless 0 <= `test_share` < 1. A share of 0 leaves the test part empty.
///
/// ```
/// use swarmgrad_core::Rng;
/// use swarmgrad_nn::data::split;
///
/// let split = split::stratified(&[0, 0, 0, 0, 1, 1, 1, 1], 0.25, &Rng::new(1))?;
/// assert_eq!(split.test.len(), 2);
/// assert!(split.test[0] < 4 && split.test[1] >= 4);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn stratified(strata: &[usize], test_share: f64, rng: &Rng) -> Result<Split> {
    if !(0.0..1.0).contains(&test_share) {
        return Err(Error::parameter("test share", test_share, "must be from 0 to below 1"));
    }
    let groups = shuffled(strata, rng);
    let wanted = |group: &Vec<usize>| group.len() as f64 * test_share;
    let mut counts: Vec<_> = groups.iter().map(|group| wanted(group).floor() as usize).collect();
    let mut order: Vec<_> = (0..groups.len()).collect();
    order.sort_by(|&a, &b| wanted(&groups[b]).fract().total_cmp(&wanted(&groups[a]).fract()));
    let total = (strata.len() as f64 * test_share).round() as usize;
    let lacking = total.saturating_sub(counts.iter().sum());
    let able = order.into_iter().filter(|&g| counts[g] + 1 < groups[g].len()).take(lacking).collect::<Vec<_>>();
    able.into_iter().for_each(|g| counts[g] += 1);
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (group, count) in groups.iter().zip(counts) {
        test.extend(&group[..count]);
        train.extend(&group[count..]);
    }
    train.sort_unstable();
    test.sort_unstable();
    Ok(Split { train, test })
}

/// `k` splits whose test parts are disjoint and together hold every row; the strata are dealt out evenly, and the sizes
/// of the test parts differ by at most one. Equal seeds give equal folds.
///
/// Errors unless 2 <= `k` <= rows.
pub fn folds(strata: &[usize], k: usize, rng: &Rng) -> Result<Vec<Split>> {
    if k < 2 || k > strata.len() {
        return Err(Error::parameter("folds", k, format!("must be from 2 to the number of rows, {}", strata.len())));
    }
    let mut fold = vec![0; strata.len()];
    shuffled(strata, rng).concat().into_iter().enumerate().for_each(|(place, i)| fold[i] = place % k);
    let part = |f: usize, test: bool| (0..strata.len()).filter(|&i| (fold[i] == f) == test).collect();
    Ok((0..k).map(|f| Split { train: part(f, false), test: part(f, true) }).collect())
}
