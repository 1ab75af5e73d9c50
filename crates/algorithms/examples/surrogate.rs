//! Evaluations that `lq_cma_es` and CMA-ES with restarts take to a value of 1e-8: medians over seeds.
//!
//! ```sh
//! cargo run --release -p swarmgrad-algorithms --example surrogate
//! ```
//!
//! Functions of [-5, 5]^d whose minimum is 0 at (0.7, .., 0.7) (Rosenbrock's: at (1, .., 1)): the sphere, an ellipsoid with axes of 1 to 1e6,
//! along the variables and turned, Rosenbrock's and Rastrigin's; 3,000 d evaluations at most. The last column is the time of the method
//! alone. Arguments: the methods, then `dims=5,10,20`, `seeds=11`.

use std::time::{Duration, Instant};
use swarmgrad_algorithms::registry;
use swarmgrad_algorithms::settings::parse;
use swarmgrad_core::{Algorithm, Matrix, Rng, Space};

const FUNCTIONS: [&str; 5] = ["sphere", "ellipsoid", "turned", "rosenbrock", "rastrigin"];

fn rotation(dim: usize) -> Vec<Vec<f64>> {
    let (rng, mut rows) = (Rng::new(7), Vec::<Vec<f64>>::new());
    for i in 0..dim {
        let mut draws = rng.row(i);
        let mut row: Vec<f64> = (0..dim).map(|_| draws.normal()).collect();
        for other in &rows {
            let along: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
        let length = row.iter().map(|t| t * t).sum::<f64>().sqrt();
        row.iter_mut().for_each(|t| *t /= length);
        rows.push(row);
    }
    rows
}

fn value(name: &str, rotation: &[Vec<f64>], x: &[f64]) -> f64 {
    let y: Vec<f64> = x.iter().map(|t| t - 0.7).collect();
    let factor = |j: usize| 10f64.powf(6.0 * j as f64 / (x.len() as f64 - 1.0));
    let ellipsoid = |y: &[f64]| y.iter().enumerate().map(|(j, t)| factor(j) * t * t).sum();
    match name {
        "sphere" => y.iter().map(|t| t * t).sum(),
        "ellipsoid" => ellipsoid(&y),
        "turned" => {
            let turned: Vec<f64> = rotation.iter().map(|row| row.iter().zip(&y).map(|(a, b)| a * b).sum()).collect();
            ellipsoid(&turned)
        }
        "rosenbrock" => x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum(),
        _ => y.iter().map(|t| 10.0 * (1.0 - (2.0 * std::f64::consts::PI * t).cos()) + t * t).sum(),
    }
}

/// Evaluations to 1e-8 and those made at all, and the time that the method took.
fn run(method: &str, name: &str, dim: usize, seed: u64, budget: u64) -> (Option<u64>, u64, Duration) {
    let space = Space::<f64>::cube(dim, -5.0, 5.0).unwrap();
    let (entry, settings) = parse(method).unwrap();
    let mut method: Box<dyn Algorithm> =
        registry::entry(&entry).unwrap().build(&space, Some(budget), &settings).unwrap();
    let rotation = rotation(dim);
    let (mut xs, mut spent, mut time, mut round) = (Matrix::default(), 0, Duration::ZERO, 0);
    let rng = Rng::new(seed);
    while spent < budget {
        let begun = Instant::now();
        method.ask(&rng.at(round), &mut xs);
        time += begun.elapsed();
        if xs.is_empty() {
            break;
        }
        let values: Vec<f64> = xs.iter().map(|x| value(name, &rotation, x)).collect();
        if let Some(at) = values.iter().position(|f| *f < 1e-8) {
            return (Some(spent + at as u64 + 1), spent + values.len() as u64, time);
        }
        spent += values.len() as u64;
        let begun = Instant::now();
        method.tell(&mut xs, &values);
        time += begun.elapsed();
        round += 1;
    }
    (None, spent, time)
}

fn main() {
    let (options, mut methods): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|a| ["dims=", "seeds=", "functions="].iter().any(|option| a.starts_with(option)));
    if methods.is_empty() {
        methods = ["lq_cma_es", "ipop_cma_es"].map(String::from).to_vec();
    }
    let option = |name: &str, usual: &str| {
        let found = options.iter().find_map(|option| option.strip_prefix(name));
        found.unwrap_or(usual).split(',').map(String::from).collect::<Vec<_>>()
    };
    let seeds: u64 = option("seeds=", "11")[0].parse().unwrap();
    for name in option("functions=", &FUNCTIONS.join(",")) {
        for dim in option("dims=", "5,10,20") {
            let dim: usize = dim.parse().unwrap();
            for method in &methods {
                let mut found: Vec<f64> = Vec::new();
                let (mut spent, mut time) = (0, Duration::ZERO);
                for seed in 0..seeds {
                    let (hit, all, took) = run(method, &name, dim, seed, 3000 * dim as u64);
                    found.push(hit.map_or(f64::INFINITY, |n| n as f64));
                    (spent, time) = (spent + all, time + took);
                }
                found.sort_by(f64::total_cmp);
                let solved = found.iter().filter(|n| n.is_finite()).count();
                let each = 1e6 * time.as_secs_f64() / spent as f64;
                let median = found[found.len() / 2];
                println!("| {name} | {dim} | {method} | {median} | {solved} of {seeds} | {each:.1} us |");
            }
        }
    }
}
