//! Sums over a span that grows: of failures over evaluations, of busy seconds over time.

/// Rows of sums in bins of equal width from 0 on. Where the span does not fit any more, bins are joined in pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    most: usize,
    width: f64,
    rows: Vec<Vec<f64>>,
    end: f64,
}

impl Bins {
    /// No rows yet; bins of this width to begin with, and so many at most.
    pub fn new(width: f64, most: usize) -> Self {
        Bins { most: most.max(2), width, rows: Vec::new(), end: 0.0 }
    }

    /// Spreads 1 a unit of the span over `from` to `to` in a row.
    pub fn add(&mut self, row: usize, from: f64, to: f64) {
        if !(from >= 0.0 && from < to && to < 1e300) {
            return;
        }
        while to > self.width * self.most as f64 {
            self.rows.iter_mut().for_each(|sums| *sums = sums.chunks(2).map(|pair| pair.iter().sum()).collect());
            self.width *= 2.0;
        }
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Vec::new);
        }
        let (first, last) = ((from / self.width) as usize, ((to / self.width).ceil() as usize).min(self.most));
        let sums = &mut self.rows[row];
        if sums.len() < last {
            sums.resize(last, 0.0);
        }
        for (k, sum) in sums.iter_mut().enumerate().take(last).skip(first) {
            let (begin, end) = (k as f64 * self.width, (k + 1) as f64 * self.width);
            *sum += (to.min(end) - from.max(begin)).max(0.0);
        }
        self.end = self.end.max(to);
    }

    /// The middles of the bins up to the end of what was added.
    pub fn middles(&self) -> Vec<f64> {
        let count = (self.end / self.width).ceil() as usize;
        (0..count.min(self.most)).map(|k| (k as f64 + 0.5) * self.width).collect()
    }

    /// The share of each bin that a row fills; of the last one up to the end of what was added.
    pub fn shares(&self, row: usize) -> Vec<f64> {
        let sums = self.rows.get(row).map_or(&[][..], Vec::as_slice);
        let share = |k: usize| {
            let width = (self.end - k as f64 * self.width).min(self.width);
            (sums.get(k).copied().unwrap_or(0.0) / width).clamp(0.0, 1.0)
        };
        (0..self.middles().len()).map(share).collect()
    }
}
