//! How much of the spread of the values each variable accounts for alone.
//!
//! The estimate is the correlation ratio of ranks. The values are replaced by their ranks, so that a few huge ones do not decide; the
//! range of a variable is cut into bins of about as many points each (a word, or one of few numbers, is a bin of its own); and the share
//! of the ranks' variance that lies between the bins is Pearson's eta². Any k bins of n points get about (k - 1) / (n - 1) of it by
//! chance, which is taken off as T. L. Kelley does (An unbiased correlation ratio measure, PNAS 21, 1935):
//!
//! ```text
//! epsilon² = 1 - (1 - eta²) (n - 1) / (n - k),   at least 0
//! ```
//!
//! It sees one variable at a time: of two that matter only together it shows nothing. And it knows only the points that the method chose,
//! which lie ever closer together, so that it says what mattered in this run.

/// Fewer points say nothing.
const LEAST: usize = 20;
/// Bins of a variable at most.
const MOST_BINS: usize = 20;

/// The share of the variance of the values' ranks that each variable accounts for, a column of places each; none for too few points.
/// Points of which a place or the value is NaN do not count.
pub fn importance(columns: &[Vec<f64>], values: &[f64]) -> Option<Vec<f64>> {
    let known: Vec<usize> = (0..values.len()).filter(|&i| !values[i].is_nan()).collect();
    if known.len() < LEAST {
        return None;
    }
    Some(columns.iter().map(|column| ratio(column, values, &known)).collect())
}

/// Epsilon² of one variable.
fn ratio(column: &[f64], values: &[f64], known: &[usize]) -> f64 {
    let known: Vec<usize> = known.iter().copied().filter(|&i| !column[i].is_nan()).collect();
    let n = known.len();
    let bins = bins(&known.iter().map(|&i| column[i]).collect::<Vec<_>>());
    let count = bins.iter().max().map_or(0, |last| last + 1);
    if n < LEAST || count < 2 || count >= n {
        return 0.0;
    }
    let ranks = ranks(&known.iter().map(|&i| values[i]).collect::<Vec<_>>());
    let mean = ranks.iter().sum::<f64>() / n as f64;
    let total: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    let mut sums = vec![(0.0, 0.0); count];
    for (&bin, rank) in bins.iter().zip(&ranks) {
        sums[bin].0 += 1.0;
        sums[bin].1 += rank;
    }
    let between: f64 = sums.iter().filter(|(m, _)| *m > 0.0).map(|(m, sum)| m * (sum / m - mean).powi(2)).sum();
    if total <= 0.0 {
        return 0.0;
    }
    (1.0 - (1.0 - between / total) * (n - 1) as f64 / (n - count) as f64).max(0.0)
}

/// The bin of each value: equal values are in one bin, and bins have about as many points each.
fn bins(values: &[f64]) -> Vec<usize> {
    let order = sorted(values);
    let distinct = order.windows(2).filter(|pair| values[pair[0]] != values[pair[1]]).count() + 1;
    let wanted = ((values.len() as f64).sqrt() / 2.0).clamp(2.0, MOST_BINS as f64) as usize;
    let (mut bins, mut bin, mut first) = (vec![0; values.len()], 0, 0);
    for (k, &i) in order.iter().enumerate() {
        let new = k > 0 && values[i] != values[order[k - 1]];
        // A bin ends where it is full, and where each value has its own.
        if new && (distinct <= MOST_BINS || (k - first) * wanted >= values.len()) {
            (bin, first) = (bin + 1, k);
        }
        bins[i] = bin;
    }
    bins
}

/// Ranks from 1; equal values share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let order = sorted(values);
    let (mut ranks, mut from) = (vec![0.0; values.len()], 0);
    while from < order.len() {
        let same = order[from..].iter().take_while(|&&i| values[i] == values[order[from]]).count().max(1);
        let rank = from as f64 + (same as f64 + 1.0) / 2.0;
        order[from..from + same].iter().for_each(|&i| ranks[i] = rank);
        from += same;
    }
    ranks
}

fn sorted(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}
