//! Gradient methods with several starts, as peers: L-BFGS and Adam, each evaluation a value with its gradient.

use swarmgrad::{Differentiable, Rng};

/// The peers, as [`spend`] knows them.
pub(super) const PEERS: [&str; 4] = ["lbfgs", "adam 0.1", "adam 0.01", "adam 0.001"];

/// Spends the budget by the peer of this name; false where none is called so.
pub(super) fn spend(name: &str, budget: &mut Budget<'_>, rng: &Rng) -> bool {
    match name.split_once(' ') {
        None if name == "lbfgs" => lbfgs(budget, rng),
        Some(("adam", rate)) => adam(budget, rng, rate.parse().unwrap_or(0.01)),
        _ => return false,
    }
    true
}

/// A problem with a budget: what a value with its gradient costs, and what is left.
pub(super) struct Budget<'a> {
    pub(super) problem: &'a dyn Differentiable,
    pub(super) cost: f64,
    pub(super) left: f64,
    pub(super) best: f64,
    /// The point of the best value; empty before the first.
    pub(super) at: Vec<f64>,
    /// Starts are uniform within this share of the box around its centre.
    pub(super) reach: f64,
}

impl<'a> Budget<'a> {
    /// A budget whose starts are anywhere in the box.
    pub(super) fn new(problem: &'a dyn Differentiable, cost: f64, left: f64) -> Self {
        Budget { problem, cost, left, best: f64::INFINITY, at: Vec::new(), reach: 1.0 }
    }

    /// Evaluations so far, each a value with its gradient, where there was `whole` at first.
    pub(super) fn evaluations(&self, whole: f64) -> u64 {
        ((whole - self.left) / self.cost) as u64
    }

    /// The value at `x`, its gradient in `g`; none when the budget is spent.
    fn evaluate(&mut self, x: &[f64], g: &mut [f64]) -> Option<f64> {
        if self.left < self.cost {
            return None;
        }
        self.left -= self.cost;
        self.problem.gradient(x, g);
        let value = self.problem.value(x);
        if value < self.best {
            self.best = value;
            self.at.clear();
            self.at.extend_from_slice(x);
        }
        Some(value)
    }

    fn start(&self, rng: &Rng, row: usize) -> Vec<f64> {
        let space = self.problem.space();
        let mut x = vec![0.0; space.dim()];
        rng.fork("start").row(row).fill_uniform(&mut x);
        x.iter_mut()
            .enumerate()
            .for_each(|(j, t)| *t = space.lower()[j] + (0.5 + self.reach * (*t - 0.5)) * space.width(j));
        x
    }

    fn clamp(&self, x: &mut [f64]) {
        let space = self.problem.space();
        x.iter_mut().enumerate().for_each(|(j, t)| *t = t.clamp(space.lower()[j], space.upper()[j]));
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Multi-start L-BFGS: memory 10, weak Wolfe conditions by bisection (Lewis & Overton 2013), projected onto the box; a new start
/// when ten steps in a row change the value by less than 1e-14 of it, or no step can be found.
fn lbfgs(budget: &mut Budget<'_>, rng: &Rng) {
    for start in 0.. {
        let mut x = budget.start(rng, start);
        let dim = x.len();
        let mut g = vec![0.0; dim];
        let Some(mut value) = budget.evaluate(&x, &mut g) else { return };
        let mut pairs: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        let mut still = 0;
        loop {
            let norm = dot(&g, &g).sqrt();
            if norm == 0.0 || !norm.is_finite() {
                break;
            }
            let mut way = direction(&g, &pairs);
            if pairs.is_empty() {
                // The first step: a hundredth of the box.
                let length = 0.01 * budget.problem.space().width(0) * (dim as f64).sqrt() / norm;
                way.iter_mut().for_each(|t| *t *= length);
            }
            let slope = dot(&way, &g);
            let (mut low, mut high, mut step) = (0.0, f64::INFINITY, 1.0);
            let mut found = None;
            for _ in 0..30 {
                let mut next: Vec<f64> = x.iter().zip(&way).map(|(x, w)| x + step * w).collect();
                budget.clamp(&mut next);
                let mut gradient = vec![0.0; dim];
                let Some(there) = budget.evaluate(&next, &mut gradient) else { return };
                // NaN is too far.
                let descends = there <= value + 1e-4 * step * slope;
                if !descends {
                    high = step;
                } else {
                    let flat = dot(&way, &gradient) >= 0.9 * slope;
                    found = Some((next, there, gradient));
                    if flat {
                        break;
                    }
                    low = step;
                }
                step = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
            }
            let Some((next, there, gradient)) = found else { break };
            let s: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
            let y: Vec<f64> = gradient.iter().zip(&g).map(|(a, b)| a - b).collect();
            if dot(&s, &y) > 1e-10 * (dot(&s, &s) * dot(&y, &y)).sqrt() {
                pairs.push((s, y));
                if pairs.len() > 10 {
                    pairs.remove(0);
                }
            }
            still = if value - there <= 1e-14 * value.abs() { still + 1 } else { 0 };
            (x, value, g) = (next, there, gradient);
            if still == 10 {
                break;
            }
        }
    }
}

/// -H g by the two loops; -g without pairs.
fn direction(g: &[f64], pairs: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut q: Vec<f64> = g.iter().map(|g| -g).collect();
    let mut rates = Vec::new();
    for (s, y) in pairs.iter().rev() {
        let rate = dot(s, &q) / dot(s, y);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= rate * y);
        rates.push(rate);
    }
    if let Some((s, y)) = pairs.last() {
        let scale = dot(s, y) / dot(y, y);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((s, y), rate) in pairs.iter().zip(rates.iter().rev()) {
        let back = dot(y, &q) / dot(s, y);
        q.iter_mut().zip(s).for_each(|(q, s)| *q += (rate - back) * s);
    }
    if dot(&q, g) < 0.0 { q } else { g.iter().map(|g| -g).collect() }
}

/// Adam from five starts with equal shares of the budget; the rate is a share of the half-width and falls to 0 as a cosine.
fn adam(budget: &mut Budget<'_>, rng: &Rng, rate: f64) {
    const STARTS: usize = 5;
    let steps = (budget.left / budget.cost / STARTS as f64) as usize;
    let rate = rate * 0.5 * budget.problem.space().width(0);
    for start in 0..STARTS {
        let mut x = budget.start(rng, start);
        let dim = x.len();
        let (mut g, mut first, mut second) = (vec![0.0; dim], vec![0.0; dim], vec![0.0; dim]);
        for step in 0..steps {
            let Some(value) = budget.evaluate(&x, &mut g) else { return };
            if !value.is_finite() {
                break;
            }
            let share = step as f64 / steps as f64;
            let rate = rate * 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
            let t = (step + 1) as i32;
            for j in 0..dim {
                first[j] = 0.9 * first[j] + 0.1 * g[j];
                second[j] = 0.999 * second[j] + 0.001 * g[j] * g[j];
                let (m, v) = (first[j] / (1.0 - 0.9f64.powi(t)), second[j] / (1.0 - 0.999f64.powi(t)));
                x[j] -= rate * m / (v.sqrt() + 1e-8);
            }
            budget.clamp(&mut x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::terrain::Terrain;
    use super::*;
    use swarmgrad::Problem;

    #[test]
    fn peers_solve_what_they_are_made_for() {
        for name in ["sphere", "rosenbrock", "ellipsoid"] {
            let terrain = Terrain::new(name, 10, true, 1).unwrap();
            let budget = || Budget::new(&terrain, 3.0, 10_000.0);
            let mut quasi_newton = budget();
            lbfgs(&mut quasi_newton, &Rng::new(2));
            assert!(quasi_newton.best < 1e-10, "{name}: {}", quasi_newton.best);
            assert!(quasi_newton.left < 3.0);
            let mut first_order = budget();
            adam(&mut first_order, &Rng::new(2), 0.1);
            assert!(first_order.best < 1e-3 * terrain.value(&[0.0; 10]), "{name}: {}", first_order.best);
        }
    }
}
