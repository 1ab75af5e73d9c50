//! Descending along gradients from any source: the walk that a [`Rule`] makes.

use super::rule::Rule;
use swarmgrad_core::{Error, GradientSource, Matrix, Problem, Real, Result, Rng};

/// A walk down a gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk<F: Real = f64> {
    /// The points, the start first: steps + 1 rows.
    pub points: Matrix<F>,
    /// The problem's value at each point.
    pub values: Vec<F>,
    /// Evaluations, those of the source and the one of the last point.
    pub evaluations: u64,
    /// Exact gradients.
    pub gradients: u64,
}

impl<F: Real> Walk<F> {
    /// The last point and its value.
    pub fn last(&self) -> (&[F], F) {
        let i = self.values.len() - 1;
        (self.points.row(i), self.values[i])
    }

    /// The best point of the walk and its value.
    pub fn best(&self) -> (&[F], F) {
        let i = swarmgrad_core::best_index(&self.values).unwrap_or(0);
        (self.points.row(i), self.values[i])
    }
}

/// Walks `steps` steps from `start` by `rule` along the gradients of `source`, and stays inside the problem's space. Step k
/// draws from iteration k of `rng`. Errors if the start has the wrong length or the rule a parameter outside its range.
pub fn descend<F: Real>(
    problem: &dyn Problem<F>,
    source: &mut dyn GradientSource<F>,
    rule: &mut dyn Rule<F>,
    start: &[F],
    steps: usize,
    rng: &Rng,
) -> Result<Walk<F>> {
    rule.check()?;
    let space = problem.space();
    if start.len() != space.dim() {
        return Err(Error::shape("start", start.len(), space.dim()));
    }
    let mut w = start.to_vec();
    space.repair(&mut w, 0, &mut rng.fork("outside").row(0));
    let mut gradient = vec![F::zero(); w.len()];
    let mut walk = Walk { points: Matrix::empty(w.len()), values: Vec::new(), evaluations: 1, gradients: 0 };
    for k in 0..steps {
        let rng = rng.at(k as u64);
        let sampled = source.gradient(&w, &mut gradient, &rng);
        walk.points.push(&w);
        walk.values.push(sampled.value);
        walk.evaluations += sampled.evaluations;
        walk.gradients += sampled.gradients;
        rule.step(&mut w, &gradient);
        space.repair(&mut w, 0, &mut rng.fork("outside").row(0));
    }
    walk.values.push(problem.value(&w));
    walk.points.push(&w);
    Ok(walk)
}
