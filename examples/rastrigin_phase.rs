//! Figure 2 of the mean-field PSO paper: how often the swarm finds the minimum of the 2.5-amplitude Rastrigin function, cell by
//! cell, against the reference of two independent programs.
//!
//! `cargo run --release --example rastrigin_phase -p swarmgrad -- 1000` runs every cell 1,000 times (tens of minutes) and
//! prints the counts, the exact two-sample p-values and how many cells Holm's procedure rejects at 1 %.

use std::sync::atomic::{AtomicU64, Ordering};
use swarmgrad::registry;
use swarmgrad::{Iterations, Run, Space, problems};
use swarmgrad_lab::stats::{fisher_exact, holm};

/// A cell of the reference: successes of `runs` at this inertia and diffusion, with memory or without.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Whether particles remember their best position.
    pub memory: bool,
    /// Inertia.
    pub m: f64,
    /// Diffusion towards the consensus.
    pub sigma2: f64,
    /// Successful runs,
    pub successes: u64,
    /// of so many.
    pub runs: u64,
}

/// The reference table.
pub fn reference() -> Vec<Cell> {
    let lines = include_str!("../crates/lab/src/paper/mean_field_pso/figure_2.csv").lines();
    lines
        .filter(|line| line.starts_with(['0', '1']))
        .map(|line| {
            let numbers: Vec<f64> = line.split(',').map(|t| t.parse().expect("a number")).collect();
            let (memory, m, sigma2) = (numbers[0] != 0.0, numbers[1], numbers[2]);
            Cell { memory, m, sigma2, successes: numbers[3] as u64, runs: numbers[4] as u64 }
        })
        .collect()
}

/// Successes among the runs with these seeds: E(consensus) < 0.8 at T = 20, that is, every coordinate in the right basin.
pub fn successes(cell: &Cell, seeds: std::ops::Range<u64>) -> u64 {
    let space = Space::unbounded(20).expect("20 dimensions");
    let problem =
        problems::entry("rastrigin25").and_then(|e| e.build::<f64>(20, Some(space))).expect("a built-in problem");
    let settings = serde_json::json!({
        "particles": 100, "inertia": cell.m, "dt": 0.01, "sigma2": cell.sigma2, "alpha": 100.0,
        "memory": if cell.memory { "sharp" } else { "none" }, "start": { "normal": { "mean": 2.0, "deviation": 4.0 } },
    });
    let settings = settings.as_object().expect("an object");
    let success = |seed: &u64| {
        let mut swarm =
            registry::entry("pso_sde").and_then(|e| e.build(problem.space(), None, settings)).expect("valid settings");
        let outcome = Run::new(&*problem, &mut *swarm, *seed).watch(&mut Iterations(2000)).minimize();
        problem.value(&outcome.answer) < 0.8
    };
    seeds.filter(success).count() as u64
}

fn main() {
    let runs: u64 = std::env::args().nth(1).map_or(100, |n| n.parse().expect("the number of runs a cell"));
    let cells = reference();
    let counts: Vec<AtomicU64> = cells.iter().map(|_| AtomicU64::new(0)).collect();
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let at = cells.iter().position(|c| std::ptr::eq(c, cell)).expect("one of them");
                    counts[at].store(successes(cell, 0..runs), Ordering::Relaxed);
                }
            });
        }
    });
    println!("memory       m  sigma2    ours        reference   p-value");
    let mut p_values = Vec::new();
    for (cell, count) in cells.iter().zip(&counts) {
        let ours = count.load(Ordering::Relaxed);
        let p = fisher_exact(ours, runs, cell.successes, cell.runs).expect("counts below totals");
        println!(
            "{:6}  {:6.0e}  {:6}  {ours:5}/{runs}  {:5}/{}  {p:.4}",
            cell.memory, cell.m, cell.sigma2, cell.successes, cell.runs
        );
        p_values.push(p);
    }
    let rejected = holm(&p_values, 0.01).expect("p-values").iter().filter(|a| a.rejected).count();
    println!("{} cells, {rejected} rejected by Holm's procedure at 1 %", cells.len());
}
