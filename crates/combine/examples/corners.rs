//! Evaluations until a minimum on the bounds is found to 1e-8, of methods that sample from a distribution (docs/auto.md).
//!
//! ```sh
//! cargo run -p swarmgrad-combine --example corners
//! ```

use swarmgrad_combine::registry::parse;
use swarmgrad_core::{Evaluations, Function, Run, Space, Target, math};

const SEEDS: u64 = 11;
const METHODS: [&str; 5] = ["cma_es", "sep_cma_es", "xnes", "cr_fm_nes", "random_search"];

/// A function on [-5, 5]^d whose least value is 0.
type Value = fn(&[f64]) -> f64;

const FUNCTIONS: [(&str, Value); 6] = [
    ("linear", |x| x.iter().map(|t| t + 5.0).sum()),
    ("linear, slopes 1 to 10", |x| {
        let last = (x.len() - 1) as f64;
        x.iter().enumerate().map(|(j, t)| math::powf(10.0, j as f64 / last) * (t + 5.0)).sum()
    }),
    ("sphere in the corner", |x| x.iter().map(|t| (t + 5.0).powi(2)).sum()),
    ("sphere beyond a face", |x| {
        x.iter().enumerate().map(|(j, t)| (t + if j == 0 { 7.0 } else { 0.5 }).powi(2)).sum::<f64>() - 4.0
    }),
    ("ackley in the corner", |x| {
        let mean = |of: fn(f64) -> f64| x.iter().map(|t| of(t + 5.0)).sum::<f64>() / x.len() as f64;
        let wave = mean(|t| math::cos(2.0 * std::f64::consts::PI * t));
        20.0 - 20.0 * math::exp(-0.2 * mean(|t| t * t).sqrt()) + std::f64::consts::E - math::exp(wave)
    }),
    ("sphere inside", |x| x.iter().map(|t| (t - 1.3).powi(2)).sum()),
];

fn main() {
    println!("| function | variables | {} |", METHODS.join(" | "));
    println!("|---|---:|{}", "---:|".repeat(METHODS.len()));
    for (name, f) in FUNCTIONS {
        for dim in [2, 5, 10] {
            let space = Space::cube(dim, -5.0, 5.0).expect("a box");
            let problem = Function::new(space.clone(), f);
            let row: String = METHODS
                .iter()
                .map(|method| {
                    let (entry, settings) = parse(method).expect("a method");
                    let budget = 1000 * dim as u64;
                    // A run that misses counts as one that takes for ever.
                    let mut needed: Vec<u64> = (0..SEEDS)
                        .map(|seed| {
                            let mut algorithm =
                                entry.build(&space, Some(budget), &settings).expect("a method for the box");
                            let outcome = Run::new(&problem, &mut *algorithm, seed)
                                .watch(&mut Evaluations(budget))
                                .watch(&mut Target(1e-8))
                                .minimize();
                            if outcome.fun <= 1e-8 { outcome.nfev } else { u64::MAX }
                        })
                        .collect();
                    needed.sort_unstable();
                    let found = needed.iter().filter(|&&n| n < u64::MAX).count();
                    match needed[needed.len() / 2] {
                        u64::MAX => format!(" - ({found} of {SEEDS}) |"),
                        median => format!(" {median} ({found} of {SEEDS}) |"),
                    }
                })
                .collect();
            println!("| {name} | {dim} |{row}");
        }
    }
}
