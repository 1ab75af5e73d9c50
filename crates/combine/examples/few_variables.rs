//! `auto` beside other methods in one and two variables after 20, 50, 100 and 1000 evaluations: mean ranks (docs/auto.md).
//!
//! ```sh
//! cargo run --release -p swarmgrad-combine --example few_variables
//! ```

use swarmgrad_combine::registry::parse;
use swarmgrad_core::{Evaluations, Function, Run, Space, math};
use swarmgrad_problems::{TestProblem, entry};

const SEEDS: u64 = 15;
const BUDGETS: [u64; 4] = [20, 50, 100, 1000];
const METHODS: [&str; 9] = [
    "auto",
    "direct",
    "multistart",
    "bipop_cma_es",
    "lshade",
    "trust_region",
    "coordinate_search",
    "pso",
    "random_search",
];

/// A function of one variable: its name, from where to where, its values.
type Line = (&'static str, f64, f64, fn(f64) -> f64);

/// Functions of one variable.
const LINES: [Line; 8] = [
    ("gramacy-lee", 0.5, 2.5, |t| math::sin(10.0 * std::f64::consts::PI * t) / (2.0 * t) + (t - 1.0).powi(4)),
    ("forrester", 0.0, 1.0, |t| (6.0 * t - 2.0).powi(2) * math::sin(12.0 * t - 4.0)),
    ("wells", -2.7, 7.5, |t| math::sin(t) + math::sin(10.0 / 3.0 * t)),
    ("waves", 0.0, 1.2, |t| -(1.4 - 3.0 * t) * math::sin(18.0 * t)),
    ("quartic", -1.5, 11.0, |t| (t - 7.0).powi(4) / 50.0 - (t - 4.0).powi(2) + 0.5 * t),
    ("cusp", -5.0, 5.0, |t| (t - 1.2).abs().sqrt() + 0.1 * (t - 1.2).powi(2)),
    ("tail", -10.0, 10.0, |t| -t * math::sin(t)),
    ("gauss", -10.0, 10.0, |t| {
        -math::exp(-(t - 2.0).powi(2)) - math::exp(-(t - 6.0).powi(2) / 10.0) - 1.0 / (t * t + 1.0)
    }),
];

/// Those of two variables, by their names.
const PLANES: [&str; 10] = [
    "branin",
    "himmelblau",
    "easom",
    "rosenbrock",
    "ackley",
    "rastrigin",
    "griewank",
    "levy",
    "styblinski_tang",
    "schwefel",
];

/// The value of the answer after each budget.
fn answers(method: &str, space: &Space, f: &(dyn Fn(&[f64]) -> f64 + Sync), seed: u64) -> [f64; 4] {
    let (entry, settings) = parse(method).expect("a method");
    BUDGETS.map(|budget| {
        let mut algorithm = entry.build(space, Some(budget), &settings).expect("a method for the box");
        let problem = Function::new(space.clone(), f);
        Run::new(&problem, &mut *algorithm, seed).watch(&mut Evaluations(budget)).minimize().fun
    })
}

fn main() {
    let mut sums = [[[0.0; METHODS.len()]; 4]; 2];
    let planes: Vec<Box<dyn TestProblem>> =
        PLANES.iter().map(|name| entry(name).and_then(|entry| entry.build(2, None)).expect("a function")).collect();
    for k in 0..LINES.len() + PLANES.len() {
        let (space, minimum, name) = match LINES.get(k) {
            Some(&(name, lower, upper, f)) => {
                let least = (0..=2_000_000)
                    .map(|i| f(lower + (upper - lower) * f64::from(i) / 2e6))
                    .fold(f64::INFINITY, f64::min);
                (Space::new(vec![lower], vec![upper]).expect("a box"), least, name)
            }
            None => {
                let plane = &planes[k - LINES.len()];
                (plane.space().clone(), plane.minimum().expect("a minimum"), PLANES[k - LINES.len()])
            }
        };
        let f = |x: &[f64]| LINES.get(k).map_or_else(|| planes[k - LINES.len()].value(x), |line| line.3(x[0]));
        let all: Vec<Vec<[f64; 4]>> =
            METHODS.iter().map(|method| (0..SEEDS).map(|seed| answers(method, &space, &f, seed)).collect()).collect();
        for at in 0..4 {
            // Medians of the gaps; equal ones share their ranks.
            let gaps: Vec<f64> = all
                .iter()
                .map(|runs| {
                    let mut gaps: Vec<f64> = runs.iter().map(|run| (run[at] - minimum).max(1e-8)).collect();
                    gaps.sort_unstable_by(f64::total_cmp);
                    gaps[gaps.len() / 2]
                })
                .collect();
            let better = |m: usize| gaps.iter().filter(|&&gap| gap < gaps[m]).count() as f64;
            let equal = |m: usize| gaps.iter().filter(|&&gap| gap == gaps[m]).count() as f64;
            for (m, sum) in sums[usize::from(k >= LINES.len())][at].iter_mut().enumerate() {
                *sum += better(m) + 0.5 * (equal(m) + 1.0);
            }
            if at < 2 {
                eprintln!(
                    "{name} {}: {}",
                    BUDGETS[at],
                    gaps.iter().map(|gap| format!("{gap:.1e} ")).collect::<String>()
                );
            }
        }
    }
    println!("| variables | evaluations | {} |", METHODS.join(" | "));
    println!("|---:|---:|{}", "---:|".repeat(METHODS.len()));
    for (kind, count) in [LINES.len(), PLANES.len()].into_iter().enumerate() {
        for (at, budget) in BUDGETS.iter().enumerate() {
            let ranks: String = sums[kind][at].iter().map(|sum| format!(" {:.2} |", sum / count as f64)).collect();
            println!("| {} | {budget} |{ranks}", kind + 1);
        }
    }
}
