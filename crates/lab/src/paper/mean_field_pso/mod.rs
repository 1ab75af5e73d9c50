//! "On the Global Convergence of Particle Swarm Optimization Methods" (Huang, Qiu, Riedl, AMOP 2023): its figures, and its
//! theorems checked in numbers. `figure_2.csv` holds success counts of two independent programs.

pub mod figure_1;
pub mod figure_2;
#[cfg(feature = "networks")]
pub mod figure_4;
pub mod limit;
pub mod moments;
pub mod swarm_size;
pub mod theorem_2_5;
pub mod theorem_4_1;
pub mod zero_inertia;

use crate::error::Result;
use serde_json::{Map, Value, json};
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::registry;
use swarmgrad::{Algorithm, Matrix, Rng, Space};

/// The Rastrigin function of the paper's experiments, on all of R^d.
fn rastrigin(dim: usize) -> Result<Box<dyn TestProblem<f64>>> {
    Ok(problems::entry("rastrigin25")?.build::<f64>(dim, Some(Space::unbounded(dim)?))?)
}

/// An object of settings.
fn settings(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The law N(mean, deviation^2) of every coordinate as the setting `start`.
fn normal(mean: f64, deviation: f64) -> Value {
    json!({ "normal": { "mean": mean, "deviation": deviation } })
}

/// A method on all of R^d.
fn swarm(method: &str, dim: usize, value: Value) -> Result<Box<dyn Algorithm>> {
    Ok(registry::entry(method)?.build(&Space::unbounded(dim)?, None, &settings(value))?)
}

/// One round of ask, evaluation and tell: `k` = 0 is the start, `k` the iteration after that.
fn round(swarm: &mut dyn Algorithm, rng: &Rng, k: u64, xs: &mut Matrix, f: impl Fn(&[f64]) -> f64) {
    swarm.ask(&rng.at(k), xs);
    let values: Vec<f64> = xs.iter().map(f).collect();
    swarm.tell(xs, &values);
}

/// Slope of a straight line through points by least squares, with its 95 % half-width (normal quantile; NaN for two points).
fn slope(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let (mx, my) = points.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (sxx, sxy) =
        points.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + (x - mx) * (x - mx), b + (x - mx) * (y - my)));
    let slope = sxy / sxx;
    let rest: f64 = points.iter().map(|(x, y)| (y - my - slope * (x - mx)).powi(2)).sum();
    (slope, 1.96 * (rest / (n - 2.0) / sxx).sqrt())
}

/// Slope of the logarithms, the order of a power law.
fn order(points: &[(f64, f64)]) -> (f64, f64) {
    slope(&points.iter().map(|(x, y)| (x.ln(), y.ln())).collect::<Vec<_>>())
}
