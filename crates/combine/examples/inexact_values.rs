//! Methods on functions whose values have errors: the table of docs/auto.md.
//!
//! `cargo run -p swarmgrad-combine --example inexact_values` prints, for 50, 100, 200 and 500 evaluations, each function, kind of
//! error and method, the median over seeds of the true value of the answer. Five variables in [-5, 5], the minimum is
//! 0 at a point drawn with the seed. `fixed` errors are functions of the bits of x, `random` ones new at every evaluation. Further
//! words choose the methods (`auto:noise=1e-6`).

use std::sync::atomic::{AtomicU64, Ordering};
use swarmgrad_combine::registry::parse;
use swarmgrad_core::{Evaluations, Function, Rng, Run, Space};

const DIM: usize = 5;
const SEEDS: u64 = 15;
const BUDGETS: [u64; 4] = [50, 100, 200, 500];

/// What is added to a value.
#[derive(Clone, Copy)]
enum Flaw {
    Exact,
    Fixed(f64),
    Random(f64),
    Digits,
    Single,
}

impl Flaw {
    fn label(self) -> String {
        match self {
            Flaw::Exact => "exact".into(),
            Flaw::Fixed(size) => format!("fixed {size:e}"),
            Flaw::Random(size) => format!("random {size:e}"),
            Flaw::Digits => "six digits".into(),
            Flaw::Single => "single".into(),
        }
    }

    fn spoil(self, value: f64, x: &[f64], calls: &AtomicU64) -> f64 {
        let relative = |size: f64, row: u64| value * (1.0 + size * Rng::new(row).row(0).normal());
        match self {
            Flaw::Exact => value,
            Flaw::Fixed(size) => {
                let mix = |hash: u64, t: &f64| (hash ^ t.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
                relative(size, x.iter().fold(7, mix))
            }
            Flaw::Random(size) => relative(size, calls.fetch_add(1, Ordering::Relaxed)),
            Flaw::Digits => format!("{value:.5e}").parse().unwrap_or(f64::NAN),
            Flaw::Single => f64::from(value as f32),
        }
    }
}

/// The true value at x, the minimum at `best`.
fn value(function: &str, x: &[f64], best: &[f64]) -> f64 {
    let at = |j: usize| x[j] - best[j];
    match function {
        "sphere" => (0..DIM).map(|j| at(j) * at(j)).sum(),
        "ellipsoid" => (0..DIM).map(|j| 1e3f64.powf(j as f64 / (DIM - 1) as f64) * at(j) * at(j)).sum(),
        _ => (1..DIM).map(|j| 100.0 * (1.0 + at(j) - (1.0 + at(j - 1)).powi(2)).powi(2) + at(j - 1).powi(2)).sum(),
    }
}

/// The true value of the answer of a run.
fn run(method: &str, function: &str, flaw: Flaw, budget: u64, seed: u64) -> f64 {
    let rng = Rng::new(seed).fork("minimum");
    let mut draws = rng.row(0);
    let best: Vec<f64> = (0..DIM).map(|_| 4.0 * draws.uniform() - 2.0).collect();
    let space = Space::cube(DIM, -5.0, 5.0).expect("a box");
    let calls = AtomicU64::new(seed << 32);
    let objective = Function::new(space.clone(), |x: &[f64]| flaw.spoil(value(function, x, &best), x, &calls));
    let (entry, settings) = parse(method).expect("a method");
    let mut algorithm = entry.build(&space, Some(budget), &settings).expect("its settings");
    let outcome = Run::new(&objective, &mut *algorithm, seed).watch(&mut Evaluations(budget)).minimize();
    value(function, &outcome.x, &best)
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let methods: Vec<&str> = match chosen.is_empty() {
        true => vec!["auto", "auto:noise=0", "trust_region", "quasi_newton", "cma_es", "random_search"],
        false => chosen.iter().map(String::as_str).collect(),
    };
    let sizes = [1e-10, 1e-8, 1e-6, 1e-4, 1e-3];
    let flaws = [Flaw::Exact].into_iter().chain(sizes.map(Flaw::Fixed)).chain(sizes.map(Flaw::Random));
    let flaws: Vec<Flaw> = flaws.chain([Flaw::Digits, Flaw::Single]).collect();
    for budget in BUDGETS {
        println!("\n{budget} evaluations:\n\n| function | error | {} |", methods.join(" | "));
        println!("|---|---|{}", "---:|".repeat(methods.len()));
        for (function, &flaw) in
            ["sphere", "ellipsoid", "rosenbrock"].iter().flat_map(|f| flaws.iter().map(move |e| (f, e)))
        {
            print!("| {function} | {} |", flaw.label());
            for method in &methods {
                let mut ends: Vec<f64> = (0..SEEDS).map(|seed| run(method, function, flaw, budget, seed)).collect();
                ends.sort_unstable_by(f64::total_cmp);
                print!(" {:.0e} |", ends[ends.len() / 2]);
            }
            println!();
        }
    }
}
