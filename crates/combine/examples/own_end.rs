//! Where `auto` ends by itself: evaluations until it does on easy functions, and how often it has found the better basin of functions
//! with several (docs/auto.md).
//!
//! ```sh
//! cargo run --release -p swarmgrad-combine --example own_end
//! cargo run --release -p swarmgrad-combine --example own_end -- bbob 6 10     # BBOB, instances 6 to 10: what the end loses
//! ```

use swarmgrad_combine::registry::parse;
use swarmgrad_core::{Evaluations, Function, Limits, Outcome, Run, Space, Watch, math};

type Objective = fn(&[f64]) -> f64;

/// Convex functions on [-5, 5]^d.
const CONVEX: [(&str, Objective); 8] = [
    ("sphere", |x| x.iter().map(|t| (t - 0.3) * (t - 0.3)).sum()),
    ("ellipsoid 1e3", |x| {
        let last = (x.len() - 1).max(1) as f64;
        x.iter().enumerate().map(|(i, t)| math::powf(1e3, i as f64 / last) * (t - 0.5) * (t - 0.5)).sum()
    }),
    ("matyas chain", |x| x.windows(2).map(|p| 0.26 * (p[0] * p[0] + p[1] * p[1]) - 0.48 * p[0] * p[1]).sum()),
    ("zakharov", |x| {
        let sum: f64 = x.iter().enumerate().map(|(i, t)| 0.5 * (i + 1) as f64 * t).sum();
        x.iter().map(|t| t * t).sum::<f64>() + sum * sum + sum.powi(4)
    }),
    ("sum of powers", |x| x.iter().enumerate().map(|(i, t)| t.abs().powi(i as i32 + 2)).sum()),
    ("log cosh", |x| x.iter().map(|t| math::ln(0.5 * (math::exp(t - 1.0) + math::exp(1.0 - t)))).sum()),
    ("sum of exp", |x| x.iter().map(|t| math::exp(0.5 * t) - 0.5 * t).sum()),
    ("linear", |x| x.iter().enumerate().map(|(i, t)| (i + 1) as f64 * t).sum()),
];

/// Functions with a better basin and others; the value that only the better one has.
const BASINS: [(&str, usize, Objective, f64); 9] = [
    ("himmelblau", 2, |x| (x[0] * x[0] + x[1] - 11.0).powi(2) + (x[0] + x[1] * x[1] - 7.0).powi(2), 1e-6),
    ("rastrigin", 3, |x| x.iter().map(|t| t * t + 10.0 - 10.0 * math::cos(std::f64::consts::TAU * t)).sum(), 1e-6),
    ("two wells, tilted", 2, |x| x.iter().map(|t| (t * t - 9.0).powi(2) / 20.0 + 0.3 * t).sum(), -1.79),
    ("two bowls, the better .35 of the box", 2, |x| bowls(x, 0.5), -0.99),
    ("two bowls, the better .22 of the box", 2, |x| bowls(x, 1.3), -0.99),
    ("two bowls, the better .24 of the box, 5 variables", 5, |x| bowls(x, 0.5), -0.99),
    (
        "camel",
        2,
        |x| {
            (4.0 - 2.1 * x[0] * x[0] + x[0].powi(4) / 3.0) * x[0] * x[0]
                + x[0] * x[1]
                + 4.0 * (x[1] * x[1] - 1.0) * x[1] * x[1]
        },
        -1.03,
    ),
    ("two wells in one variable", 1, |x| (x[0] * x[0] - 9.0).powi(2) / 20.0 + 0.3 * x[0], -0.89),
    (
        "rosenbrock, 4 variables",
        4,
        |x| x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum(),
        1e-6,
    ),
];

/// The lower of two bowls: a wide one about -2, and one about 3 that is deeper by 1 and `sharp`.
fn bowls(x: &[f64], sharp: f64) -> f64 {
    let bowl = |at: f64| x.iter().map(|t| (t - at) * (t - at)).sum::<f64>() / x.len() as f64;
    (0.3 * bowl(-2.0)).min(sharp * bowl(3.0) - 1.0)
}

fn run(method: &str, dim: usize, f: Objective, budget: u64, seed: u64) -> Outcome {
    let space = Space::cube(dim, -5.0, 5.0).expect("a box");
    let (entry, settings) = parse(method).expect("a method");
    let mut algorithm = entry.build(&space, Some(budget), &settings).expect("a method for the box");
    Run::new(&Function::new(space, f), &mut *algorithm, seed).watch(&mut Evaluations(budget)).minimize()
}

/// The share of the precisions 10^2, 10^1.8, .. 10^-8 that a run of 10^4 d evaluations reaches, and what it spends.
fn share(method: &str, function: usize, instance: u64, dim: usize) -> (f64, u64) {
    let problem =
        swarmgrad_problems::bbob(function, instance).and_then(|entry| entry.build(dim, None)).expect("a function");
    let budget = 10_000 * dim as u64;
    let (entry, settings) = parse(method).expect("a method");
    let mut algorithm = entry.build(problem.space(), Some(budget), &settings).expect("a method for the box");
    let minimum = problem.minimum().expect("a known minimum");
    let watchers: &mut dyn Watch = &mut Limits { target: Some(minimum + 1e-8), ..Limits::evaluations(budget) };
    let outcome = Run::new(&*problem, &mut *algorithm, instance).watch(watchers).minimize();
    let reached = (0..51).filter(|k| outcome.fun - minimum <= math::powf(10.0, 2.0 - 0.2 * f64::from(*k))).count();
    (reached as f64 / 51.0, outcome.nfev)
}

/// What ending by itself loses on BBOB.
fn bbob(from: u64, to: u64) {
    println!("| function | share with the end | without | evaluations with the end, of those without |");
    println!("|---|---:|---:|---:|");
    let mut sums = [0.0; 2];
    for function in 1..=24 {
        let (mut shares, mut spent, mut runs) = ([0.0; 2], [0; 2], 0.0);
        for (instance, dim) in (from..=to).flat_map(|instance| [2, 5, 10].map(|dim| (instance, dim))) {
            runs += 1.0;
            for (k, method) in ["auto", "auto(explored=1)"].into_iter().enumerate() {
                let (reached, evaluations) = share(method, function, instance, dim);
                shares[k] += reached;
                spent[k] += evaluations;
            }
        }
        println!(
            "| f{function} | {:.3} | {:.3} | {:.2} |",
            shares[0] / runs,
            shares[1] / runs,
            spent[0] as f64 / spent[1] as f64
        );
        (0..2).for_each(|k| sums[k] += shares[k] / runs / 24.0);
    }
    println!("| all | {:.4} | {:.4} | |", sums[0], sums[1]);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [_, from, to] = &arguments[..] {
        return bbob(from.parse().expect("the first instance"), to.parse().expect("the last instance"));
    }
    println!(
        "| function | variables | evaluations until the end, median of 15 seeds | ended by itself | worst value over the minimum |"
    );
    println!("|---|---:|---:|---:|---:|");
    for (name, f) in CONVEX {
        for dim in [2, 5, 10] {
            let runs: Vec<Outcome> = (0..15).map(|seed| run("auto", dim, f, 10_000 * dim as u64, seed)).collect();
            let mut spent: Vec<u64> = runs.iter().map(|run| run.nfev).collect();
            spent.sort_unstable();
            let ended = runs.iter().filter(|run| run.nfev < 10_000 * dim as u64).count();
            let best = runs.iter().map(|run| run.fun).fold(f64::INFINITY, f64::min);
            let worst = runs.iter().map(|run| run.fun - best).fold(0.0, f64::max);
            println!("| {name} | {dim} | {} | {ended} of 15 | {worst:.0e} |", spent[7]);
        }
    }
    println!(
        "\n| function | better basin, of 40 seeds | ended by itself | evaluations, median |\n|---|---:|---:|---:|"
    );
    for (name, dim, f, bound) in BASINS {
        let budget = 10_000 * dim as u64;
        let runs: Vec<Outcome> = (0..40).map(|seed| run("auto", dim, f, budget, seed)).collect();
        for (k, run) in runs.iter().enumerate().filter(|(_, run)| run.fun > bound || run.nfev >= budget) {
            eprintln!("{name} {k}: {} {:?} {:?}", run.fun, run.reason, run.explanation);
        }
        let found = runs.iter().filter(|run| run.fun <= bound).count();
        let ended = runs.iter().filter(|run| run.nfev < budget).count();
        let mut spent: Vec<u64> = runs.iter().map(|run| run.nfev).collect();
        spent.sort_unstable();
        println!("| {name} | {found} | {ended} | {} |", spent[20]);
    }
}
