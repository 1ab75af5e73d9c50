//! Noise: what a run does at its end where two evaluations of a point differ.
//!
//! The lowest value seen is then that of the luckiest point. So the ten best points are evaluated anew, ten times each; the
//! one of the lowest mean is the answer. Its mean is again a lucky one, so it is evaluated ten times more for the report.

use crate::{Real, Reason, best_index, better};
use serde::{Deserialize, Serialize};

/// Points that are evaluated anew.
const POINTS: u64 = 10;
/// Evaluations of each.
const REPEATS: u64 = 10;
/// Student's t at 97.5 % with `REPEATS - 1` degrees of freedom.
const STUDENT: f64 = 2.262_157_162_740_992;

/// What the value of a noisy problem's best point is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Repeated {
    /// Mean of evaluations that had no part in the choice of the point.
    pub mean: f64,
    /// Lower end of the 95 % interval of the expected value, by Student's t.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many they are.
    pub evaluations: u64,
    /// Points among which it was chosen, by ten new evaluations of each.
    pub points: u64,
}

impl Repeated {
    /// Mean and interval of new values of one point; a failed one among them makes them infinite.
    pub(crate) fn of<F: Real>(values: &[F], points: u64) -> Self {
        let (n, mean) = (values.len() as f64, mean(values));
        let squares: f64 = values.iter().map(|v| (v.f64() - mean).powi(2)).sum();
        let half = STUDENT * (squares / (n - 1.0) / n).sqrt();
        let (low, high) = if mean.is_finite() { (mean - half, mean + half) } else { (mean, mean) };
        Repeated { mean, low, high, evaluations: values.len() as u64, points }
    }
}

fn mean<F: Real>(values: &[F]) -> f64 {
    values.iter().map(|v| v.f64()).sum::<f64>() / values.len() as f64
}

/// The best points of a run, best first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Shortlist<F: Real>(Vec<(F, Vec<F>)>);

impl<F: Real> Shortlist<F> {
    /// How many points a run of `budget` evaluations can afford to evaluate anew: at most half of the budget goes there.
    pub(crate) fn affordable(budget: u64) -> u64 {
        POINTS.min((budget / (2 * REPEATS)).saturating_sub(1))
    }

    /// Evaluations to be kept back for that, those of the report included.
    pub(crate) fn reserve(budget: u64) -> u64 {
        match Self::affordable(budget) {
            0 => 0,
            points => (points + 1) * REPEATS,
        }
    }

    /// Its points.
    pub(crate) fn points(&self) -> impl Iterator<Item = &[F]> {
        self.0.iter().map(|(_, x)| &**x)
    }

    /// Takes a point in if it is among the best; the same point is taken once.
    pub(crate) fn consider(&mut self, value: F, x: &[F]) {
        let list = &mut self.0;
        let full = list.len() as u64 >= POINTS;
        if !value.is_finite() || full && list.last().is_some_and(|last| !better(value, last.0)) {
            return;
        }
        if list.iter().any(|(_, known)| known == x) {
            return;
        }
        let place = list.partition_point(|(known, _)| !better(value, *known));
        let mut row = if full { list.pop().map(|(_, row)| row).unwrap_or_default() } else { Vec::new() };
        row.clear();
        row.extend_from_slice(x);
        list.insert(place, (value, row));
    }

    /// The best `points` points, as many as there are.
    pub(crate) fn best(&self, points: u64) -> impl Iterator<Item = &[F]> {
        self.0.iter().take(usize::try_from(points).unwrap_or(usize::MAX)).map(|(_, x)| &**x)
    }
}

/// The end of a noisy run: the best points are evaluated anew, one of them is chosen by its mean and evaluated once more.
#[derive(Debug)]
pub(crate) struct Settling<F: Real> {
    /// Why the search ended.
    pub(crate) reason: Reason,
    points: Vec<Vec<F>>,
    chosen: Option<usize>,
}

impl<F: Real> Settling<F> {
    /// None where there is no point to evaluate.
    pub(crate) fn new(points: Vec<Vec<F>>, reason: Reason) -> Option<Self> {
        (!points.is_empty()).then_some(Settling { reason, points, chosen: None })
    }

    /// The points to be evaluated next, each as often as needed.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[F]> {
        let points = match self.chosen {
            None => &self.points[..],
            Some(chosen) => &self.points[chosen..=chosen],
        };
        points.iter().flat_map(|x| std::iter::repeat_n(&**x, REPEATS as usize))
    }

    /// Takes their values; in the end the point and what it is worth.
    pub(crate) fn tell(&mut self, values: &[F]) -> Option<(Repeated, Vec<F>)> {
        let Some(chosen) = self.chosen else {
            let means: Vec<f64> = values.chunks_exact(REPEATS as usize).map(mean).collect();
            self.chosen = best_index(&means);
            return None;
        };
        Some((Repeated::of(values, self.points.len() as u64), self.points[chosen].clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, Evaluations, Matrix, Outcome, Problem, Rng, Rows, Run, Space, Target, View};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// x^2 with noise of standard deviation 1: the n-th evaluation has the n-th draw.
    struct Noisy {
        space: Space,
        draws: Vec<f64>,
        count: AtomicU64,
    }

    impl Noisy {
        fn new(seed: u64) -> Self {
            let mut draws = vec![0.0; 4096];
            Rng::new(seed).row(0).fill_normal(&mut draws);
            Noisy { space: Space::cube(1, -3.0, 3.0).unwrap(), draws, count: AtomicU64::new(0) }
        }
    }

    impl Problem for Noisy {
        fn space(&self) -> &Space {
            &self.space
        }

        fn value(&self, x: &[f64]) -> f64 {
            x[0] * x[0] + self.draws[self.count.fetch_add(1, Relaxed) as usize % self.draws.len()]
        }

        fn noisy(&self) -> bool {
            true
        }
    }

    /// Seven uniform points a round.
    struct Uniform(u64);

    impl Algorithm for Uniform {
        fn ask(&mut self, rng: &Rng, xs: &mut Matrix) {
            xs.resize(7, 1);
            xs.iter_mut().enumerate().for_each(|(i, x)| x[0] = 6.0 * rng.row(i).uniform() - 3.0);
        }

        fn tell(&mut self, _xs: &mut Matrix, _values: &[f64]) {
            self.0 += 1;
        }

        fn answer(&self) -> Vec<f64> {
            vec![0.0]
        }

        fn iterations(&self) -> u64 {
            self.0
        }

        fn view(&self) -> View<'_> {
            View::default()
        }

        fn save(&self, _out: &mut Vec<u8>) -> crate::Result<()> {
            Ok(())
        }
    }

    fn run(problem: &Noisy, budget: u64, seed: u64) -> Outcome {
        Run::new(problem, &mut Uniform(0), seed).watch(&mut Evaluations(budget)).minimize()
    }

    #[test]
    fn the_answer_is_a_mean_and_the_budget_holds() {
        for (budget, points) in [(1000, 10), (220, 10), (219, 9), (40, 1), (39, 0), (1, 0)] {
            let problem = Noisy::new(5);
            let outcome = run(&problem, budget, 5);
            assert_eq!((outcome.nfev, problem.count.load(Relaxed)), (budget, budget));
            assert_eq!(outcome.noise.map_or(0, |noise| noise.points), points, "{budget}");
            if let Some(noise) = outcome.noise {
                // The last ten draws are those of the report.
                let last = budget as usize - 10..budget as usize;
                let mean = outcome.x[0].powi(2) + problem.draws[last].iter().sum::<f64>() / 10.0;
                assert!((noise.mean - mean).abs() < 1e-12 && outcome.fun == noise.mean && noise.evaluations == 10);
            }
        }
    }

    #[test]
    fn the_interval_covers_and_the_lucky_value_does_not_count() {
        let (mut covered, mut lucky, mut error) = (0, 0.0, 0.0);
        for seed in 0..200 {
            let outcome = run(&Noisy::new(seed), 1000, seed + 1000);
            let (noise, truth) = (outcome.noise.unwrap(), outcome.x[0] * outcome.x[0]);
            covered += u32::from(noise.low <= truth && truth <= noise.high);
            error += (noise.mean - truth) / 200.0;
            let best = Run::new(&Quiet(Noisy::new(seed)), &mut Uniform(0), seed + 1000)
                .watch(&mut Evaluations(1000))
                .minimize();
            lucky += (best.fun - best.x[0] * best.x[0]) / 200.0;
        }
        // 95 % of 200, within three standard deviations; no bias, where the lowest value is some two deviations too low.
        assert!((181..=199).contains(&covered), "{covered}");
        assert!(error.abs() < 0.07 && lucky < -1.5, "{error} {lucky}");
    }

    /// The same noise, not declared.
    struct Quiet(Noisy);

    impl Problem for Quiet {
        fn space(&self) -> &Space {
            &self.0.space
        }

        fn value(&self, x: &[f64]) -> f64 {
            self.0.value(x)
        }

        fn values(&self, xs: Rows<'_>, out: &mut [f64]) {
            self.0.values(xs, out);
        }
    }

    #[test]
    fn runs_that_reach_a_target_settle_too_and_failed_points_are_out() {
        let problem = Noisy::new(3);
        let outcome = Run::new(&problem, &mut Uniform(0), 3).watch(&mut Target(0.0)).minimize();
        assert!(outcome.noise.is_some() && outcome.nfev == problem.count.load(Relaxed));
        let mut list = Shortlist::default();
        for (value, x) in [(2.0, 1.0), (f64::NAN, 2.0), (1.0, 3.0), (f64::INFINITY, 4.0), (1.0, 3.0), (0.5, 1.0)] {
            list.consider(value, &[x]);
        }
        assert_eq!(list.best(10).map(|x| x[0]).collect::<Vec<_>>(), [3.0, 1.0]);
        for k in 0..20 {
            list.consider(f64::from(k) - 100.0, &[10.0 + f64::from(k)]);
        }
        assert_eq!(list.best(3).map(|x| x[0]).collect::<Vec<_>>(), [10.0, 11.0, 12.0]);
        assert_eq!(list.best(99).count(), 10);
    }
}
