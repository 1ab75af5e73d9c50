//! `auto` off the suite it was tuned on: mean ranks of medians on CEC 2017, on machine designs judged by a penalty, and on BBOB with values that
//! are rounded to steps, at 30, 100, 300 and 1000 evaluations a variable, each budget told (docs/auto.md).
//!
//! ```sh
//! cargo run --release -p swarmgrad-combine --example suites                       # or: .. -- auto lshade
//! ```

use swarmgrad_combine::registry::parse;
use swarmgrad_core::{Evaluations, Function, Run, Space};
use swarmgrad_problems::{bbob, cec2017, entry};

const SEEDS: u64 = 7;
const BUDGETS: [u64; 4] = [30, 100, 300, 1000];
const METHODS: [&str; 6] = ["auto", "bipop_cma_es", "lshade", "jso", "multistart", "random_search"];

type Objective = Box<dyn Fn(&[f64]) -> f64 + Sync>;

/// The problems of a suite.
fn suite(name: &str) -> Vec<(Space, Objective)> {
    match name {
        "cec2017" => (1..=30)
            .filter_map(|function| cec2017(function, 1).ok()?.build::<f64>(10, None).ok())
            .map(|problem| (problem.space().clone(), Box::new(move |x: &[f64]| problem.value(x)) as Objective))
            .collect(),
        "designs" => ["welded_beam", "pressure_vessel", "speed_reducer", "spring"]
            .iter()
            .map(|name| {
                let entry = entry(name).expect("a design");
                let dim = (1..=20).find(|&dim| entry.dims.allows(dim)).expect("a number of variables");
                let problem = entry.build::<f64>(dim, None).expect("a design");
                (problem.space().clone(), Box::new(move |x: &[f64]| problem.value(x)) as Objective)
            })
            .collect(),
        _ => (1..=24)
            .map(|function| {
                let problem = bbob(function, 7).and_then(|entry| entry.build::<f64>(5, None)).expect("a function");
                let minimum = problem.minimum().expect("a minimum");
                let stepped = move |x: &[f64]| ((problem.value(x) - minimum) * 10.0).floor() / 10.0;
                (Space::cube(5, -5.0, 5.0).expect("a box"), Box::new(stepped) as Objective)
            })
            .collect(),
    }
}

/// The median of the values that runs with this budget end at.
fn median(method: &str, space: &Space, f: &Objective, budget: u64) -> f64 {
    let (entry, settings) = parse(method).expect("a method");
    let mut ends: Vec<f64> = (0..SEEDS)
        .map(|seed| {
            let mut algorithm = entry.build(space, Some(budget), &settings).expect("a method for the box");
            let problem = Function::new(space.clone(), f);
            Run::new(&problem, &mut *algorithm, seed).watch(&mut Evaluations(budget)).minimize().fun
        })
        .collect();
    ends.sort_unstable_by(f64::total_cmp);
    ends[ends.len() / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let methods: Vec<&str> = match arguments.is_empty() {
        true => METHODS.to_vec(),
        false => arguments.iter().map(String::as_str).collect(),
    };
    println!("| suite | evaluations / d | {} |", methods.join(" | "));
    println!("|---|---:|{}", "---:|".repeat(methods.len()));
    for name in ["cec2017", "designs", "bbob in steps"] {
        let problems = suite(name);
        for budget in BUDGETS {
            let mut sums = vec![0.0; methods.len()];
            for (space, f) in &problems {
                let ends: Vec<f64> =
                    methods.iter().map(|method| median(method, space, f, budget * space.dim() as u64)).collect();
                for (sum, end) in sums.iter_mut().zip(&ends) {
                    let better = ends.iter().filter(|other| *other < end).count() as f64;
                    let equal = ends.iter().filter(|other| *other == end).count() as f64;
                    *sum += better + 0.5 * (equal + 1.0);
                }
            }
            let ranks: String = sums.iter().map(|sum| format!(" {:.2} |", sum / problems.len() as f64)).collect();
            println!("| {name} | {budget} |{ranks}");
        }
    }
}
