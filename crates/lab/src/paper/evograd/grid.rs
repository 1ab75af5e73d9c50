//! Methods by tasks by seeds, and how two methods compare on them.

use crate::error::Result;
use crate::stats::{holm, median, signed_rank};
use crate::table::{Table, fixed, significant};

/// Values below this count as this.
const FLOOR: f64 = 1e-12;

/// What every method reached on every task with every seed; positive, smaller is better.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) methods: Vec<String>,
    pub(super) tasks: Vec<&'static str>,
    pub(super) seeds: usize,
    /// By method, then task, then seed.
    pub(super) values: Vec<f64>,
}

/// Tasks that one method won, tied and lost against another.
#[derive(Debug)]
pub(super) struct Score {
    pub(super) won: Vec<&'static str>,
    pub(super) ties: usize,
    pub(super) lost: Vec<&'static str>,
    /// One-sided Wilcoxon over the tasks' medians that the first is better.
    pub(super) across: f64,
}

impl Score {
    /// Cells of a table: wins, ties, losses, what was lost on, p across.
    pub(super) fn cells(&self) -> [String; 5] {
        [
            self.won.len().to_string(),
            self.ties.to_string(),
            self.lost.len().to_string(),
            self.lost.join(", "),
            significant(self.across, 2),
        ]
    }
}

impl Grid {
    /// From what was reached, by method, then task, then seed.
    pub(super) fn new(methods: &[String], tasks: &[&'static str], reached: impl Iterator<Item = f64>) -> Grid {
        let values: Vec<f64> = reached.map(|value| if value < FLOOR { FLOOR } else { value }).collect();
        let seeds = values.len() / (methods.len() * tasks.len()).max(1);
        Grid { methods: methods.to_vec(), tasks: tasks.to_vec(), seeds, values }
    }

    /// The values of a method on a task, by seed.
    pub(super) fn values(&self, method: &str, task: &str) -> Option<&[f64]> {
        let m = self.methods.iter().position(|m| m == method)?;
        let t = self.tasks.iter().position(|t| *t == task)?;
        let from = (m * self.tasks.len() + t) * self.seeds;
        Some(&self.values[from..from + self.seeds])
    }

    /// The median of a method on a task.
    pub(super) fn median(&self, method: &str, task: &str) -> f64 {
        self.values(method, task).map_or(f64::INFINITY, median)
    }

    /// The tasks that `keep` wants.
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> Grid {
        let kept = |(k, _): &(usize, &[f64])| keep(self.tasks[k % self.tasks.len()]);
        Grid {
            methods: self.methods.clone(),
            tasks: self.tasks.iter().copied().filter(|task| keep(task)).collect(),
            seeds: self.seeds,
            values: self.values.chunks(self.seeds).enumerate().filter(kept).flat_map(|(_, b)| b).copied().collect(),
        }
    }

    /// `a` against `b`: two-sided Wilcoxon a task on logarithms, Holm over the tasks, 5 %. None where one is not here.
    pub(super) fn score(&self, a: &str, b: &str) -> Result<Option<Score>> {
        let mut tests = Vec::new();
        let mut medians = [Vec::new(), Vec::new()];
        for task in &self.tasks {
            let [Some(of_a), Some(of_b)] = [a, b].map(|m| self.values(m, task)) else { return Ok(None) };
            let [of_a, of_b] = [of_a, of_b].map(|values| values.iter().map(|v| v.log10()).collect::<Vec<f64>>());
            medians[0].push(median(&of_a));
            medians[1].push(median(&of_b));
            tests.push(signed_rank(&of_a, &of_b)?);
        }
        let adjusted = holm(&tests.iter().map(|t| t.p).collect::<Vec<_>>(), 0.05)?;
        let across = signed_rank(&medians[0], &medians[1])?;
        let across = if across.balance < 0.0 { 0.5 * across.p } else { 1.0 - 0.5 * across.p };
        let mut score = Score { won: Vec::new(), ties: 0, lost: Vec::new(), across };
        for ((test, adjusted), task) in tests.iter().zip(&adjusted).zip(&self.tasks) {
            match (adjusted.rejected, test.balance < 0.0) {
                (true, true) => score.won.push(*task),
                (true, false) => score.lost.push(*task),
                _ => score.ties += 1,
            }
        }
        Ok(Some(score))
    }

    /// The mean rank of every method over the tasks, by its median.
    pub(super) fn mean_ranks(&self) -> Vec<f64> {
        let mut ranks = vec![0.0; self.methods.len()];
        for task in &self.tasks {
            let medians: Vec<f64> = self.methods.iter().map(|m| self.median(m, task)).collect();
            for (rank, mine) in ranks.iter_mut().zip(&medians) {
                let better = medians.iter().filter(|other| *other < mine).count() as f64;
                let equal = medians.iter().filter(|other| *other == mine).count() as f64;
                *rank += better + 0.5 * (equal + 1.0);
            }
        }
        ranks.iter_mut().for_each(|r| *r /= self.tasks.len() as f64);
        ranks
    }

    /// Medians, a row a method.
    pub(super) fn table(&self) -> Table {
        let headers = ["method", "mean rank"].into_iter().map(String::from);
        let mut table = Table::new(headers.chain(self.tasks.iter().map(|t| (*t).to_owned())));
        for (method, rank) in self.methods.iter().zip(self.mean_ranks()) {
            let value = |task: &&str| match self.median(method, task) {
                middle if middle <= FLOOR => "0".to_owned(),
                middle => significant(middle, 2),
            };
            table.row([method.clone(), fixed(rank, 2)].into_iter().chain(self.tasks.iter().map(value)));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_difference_is_a_win_and_none_is_a_tie() {
        let mut values = Vec::new();
        for scale in [1e-3, 1.0, 1.0, 1.0] {
            values.extend((0..12).map(|k| scale * (1.0 + 0.1 * f64::from(k))));
        }
        let methods = vec!["de hybrid".into(), "de classical".into()];
        let grid = Grid { methods, tasks: vec!["sphere", "levy"], seeds: 12, values };
        let score = grid.score("de hybrid", "de classical").unwrap().unwrap();
        assert_eq!((score.won, score.ties, score.lost.len()), (vec!["sphere"], 1, 0));
        assert_eq!(grid.mean_ranks(), [1.25, 1.75]);
        let levy = grid.only(|task| task == "levy");
        assert_eq!((levy.values.len(), levy.median("de hybrid", "levy")), (24, 1.55));
    }
}
