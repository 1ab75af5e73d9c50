//! Methods on BBOB with few evaluations: the tables of docs/auto.md on small budgets and on exact values.
//!
//! `cargo run -p swarmgrad-combine --example few_evaluations -- METHOD ..` prints, for each number of variables, the mean over
//! functions, instances and seeds of log10 max(f - f*, 1e-8) after so many evaluations a variable that the method was told beforehand.
//! With `--share` it prints the share of the precisions 10^2, 10^1.8, .. 10^-8 instead, reached within 10, 30, 100, 300 and 1000
//! evaluations a variable. With `--untold` methods do not know the budget; with `--mirror` points outside are mirrored at the bounds, whatever
//! the method prefers; `--instances 11-20` takes other instances.

use swarmgrad_combine::registry::parse;
use swarmgrad_core::{Evaluations, Outside, Run};

const SEEDS: u64 = 2;

/// What a run knows: its budget; and whether points outside are mirrored.
#[derive(Clone, Copy)]
struct How {
    told: bool,
    mirror: bool,
}

/// f - f* of a run's answer.
fn run(method: &str, (function, instance): (u32, u32), dim: usize, budget: u64, how: How, seed: u64) -> f64 {
    let entry = swarmgrad_problems::entry(&format!("bbob/f{function}/i{instance}")).expect("a problem");
    let problem = entry.build::<f64>(dim, None).expect("its dimension");
    let (method, settings) = parse(method).expect("a method");
    let space = problem.space().clone();
    let space = if how.mirror { space.with_outside(Outside::Reflect) } else { space };
    let mut algorithm = method.build(&space, how.told.then_some(budget), &settings).expect("its settings");
    let outcome = Run::new(&*problem, &mut *algorithm, seed).watch(&mut Evaluations(budget)).minimize();
    outcome.fun - problem.minimum().expect("a known minimum")
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| words.iter().any(|word| word == option);
    let (how, share) = (How { told: !has("--untold"), mirror: has("--mirror") }, has("--share"));
    let chosen = words.iter().skip_while(|word| *word != "--instances").nth(1);
    let chosen =
        chosen.and_then(|text| text.split_once('-')).map(|(a, b)| [a, b].map(|n| n.parse().expect("a number")));
    let budgets: &[f64] =
        if share { &[10.0, 30.0, 100.0, 300.0, 1000.0] } else { &[0.5, 0.8, 1.0, 1.1, 1.2, 1.5, 2.0] };
    let (dims, instances) = if share { (vec![2, 5, 10], 4..=5) } else { (vec![2, 5, 10, 20], 1..=2) };
    let instances = chosen.map_or(instances, |[first, last]| first..=last);
    println!("| d | method |{}", budgets.iter().map(|b| format!(" {b} d |")).collect::<String>());
    for dim in dims {
        for method in words.iter().filter(|word| parse(word).is_ok()) {
            print!("| {dim} | {method} |");
            for per_variable in budgets {
                let budget = (per_variable * dim as f64).ceil() as u64;
                let (mut sum, mut runs) = (0.0, 0.0);
                for problem in (1..=24).flat_map(|f| instances.clone().map(move |i| (f, i))) {
                    for seed in 0..SEEDS {
                        let gap = run(method, problem, dim, budget, how, seed).max(1e-8);
                        let reached = (0..51).filter(|k| gap <= 10f64.powf(2.0 - 0.2 * f64::from(*k))).count();
                        sum += if share { reached as f64 / 51.0 } else { gap.log10() };
                        runs += 1.0;
                    }
                }
                print!(" {:.3} |", sum / runs);
            }
            println!();
        }
    }
}
