//! Microseconds of a method per evaluation, objective excluded, on one thread.
//!
//! `cargo bench -p swarmgrad-combine --bench evolution` prints two tables. Evolutionary methods run on the Rastrigin function
//! with a budget of 10^4 evaluations a variable, methods with a distribution and `auto` on BBOB functions with 10^3; only
//! `ask` and `tell` are timed. A run is repeated with the same seed, so that every repetition makes the same rounds; the
//! fastest time of each round counts, so that on a shared machine the disturbed ones do not. Bars: L-SHADE in ten dimensions
//! 0.15 us (pagmo's DE 0.15, scipy's 4.5); CMA-ES 0.5 in ten dimensions and 35 in a hundred with a population of 32 (pycma 7 to
//! 15, fcmaes 0.4 to 0.7 and 10 to 26); `auto` 2 in ten dimensions.

use std::time::Instant;
use swarmgrad_combine::registry::parse;
use swarmgrad_core::{Matrix, Rng};

/// What is run, and how often.
struct Setting {
    method: &'static str,
    problems: &'static [&'static str],
    /// Evaluations a variable.
    budget: u64,
    repetitions: usize,
}

/// Runs once and keeps for each round the lower of its seconds and those in `fastest`; gives the evaluations made.
fn run(setting: &Setting, problem: &str, dim: usize, seed: u64, fastest: &mut Vec<f64>) -> u64 {
    let problem = swarmgrad_problems::entry(problem).unwrap().build::<f64>(dim, None).unwrap();
    let budget = setting.budget * dim as u64;
    let (entry, settings) = parse(setting.method).unwrap();
    let mut method = entry.build(problem.space(), Some(budget), &settings).unwrap();
    let (mut rng, mut xs, mut values) = (Rng::new(seed), Matrix::default(), Vec::new());
    let (mut evaluations, mut round) = (0, 0);
    while evaluations < budget {
        rng.set_iteration(round as u64);
        let begin = Instant::now();
        method.ask(&rng, &mut xs);
        let ask = begin.elapsed();
        if xs.is_empty() {
            break;
        }
        values.resize(xs.len(), 0.0);
        problem.values(xs.rows(), &mut values);
        evaluations += xs.len() as u64;
        let begin = Instant::now();
        method.tell(&mut xs, &values);
        let seconds = (ask + begin.elapsed()).as_secs_f64();
        match fastest.get_mut(round) {
            Some(before) => *before = before.min(seconds),
            None => fastest.push(seconds),
        }
        round += 1;
    }
    evaluations
}

/// Microseconds per evaluation: median over three seeds, each over all problems.
fn figure(setting: &Setting, dim: usize) -> f64 {
    let mut figures = [1, 2, 3].map(|seed| {
        let (mut seconds, mut evaluations) = (0.0, 0);
        for problem in setting.problems {
            let mut fastest = Vec::new();
            let runs = (0..setting.repetitions).map(|_| run(setting, problem, dim, seed, &mut fastest));
            evaluations += runs.max().unwrap_or(1);
            seconds += fastest.iter().sum::<f64>();
        }
        seconds * 1e6 / evaluations as f64
    });
    figures.sort_by(f64::total_cmp);
    figures[1]
}

fn table(settings: &[Setting], dims: [usize; 4], bars: &[(&str, usize, f64)]) {
    println!("{:>22} {}", "method", dims.map(|d| format!("{:>8}", format!("d = {d}"))).concat());
    for setting in settings {
        let figures = dims.map(|dim| figure(setting, dim));
        println!("{:>22} {}", setting.method, figures.map(|figure| format!("{figure:>8.3}")).concat());
        for (_, dim, bar) in bars.iter().filter(|(method, ..)| *method == setting.method) {
            let met = dims.iter().zip(figures).any(|(d, figure)| d == dim && figure <= *bar);
            println!("{:>22} bar at d = {dim}: {bar}, {}", "", if met { "met" } else { "MISSED" });
        }
    }
}

fn main() {
    println!("instruction set: {:?}", swarmgrad_core::simd::level());
    println!("microseconds per evaluation, objective excluded, one thread");
    let evolution = |method| Setting { method, problems: &["rastrigin"], budget: 10_000, repetitions: 15 };
    let methods = ["lshade", "jso", "shade", "jade", "de", "ga", "pso", "random_search"].map(evolution);
    table(&methods, [2, 10, 20, 40], &[("lshade", 10, 0.15)]);
    let several = |method, repetitions| Setting {
        method,
        problems: &["bbob/f3", "bbob/f8", "bbob/f10", "bbob/f15", "bbob/f21"],
        budget: 1_000,
        repetitions,
    };
    table(
        &[
            several("cma_es", 5),
            several("sep_cma_es", 5),
            several("bipop_cma_es", 5),
            several("quasi_newton", 5),
            several("auto", 5),
        ],
        [2, 5, 10, 20],
        &[("cma_es", 10, 0.5), ("auto", 10, 2.0)],
    );
    let wide = |method| Setting { method, problems: &["bbob/f10"], budget: 100, repetitions: 5 };
    table(
        &[wide("cma_es:particles=32"), wide("sep_cma_es"), wide("cr_fm_nes"), wide("xnes")],
        [40, 60, 80, 100],
        &[("cma_es:particles=32", 100, 35.0)],
    );
}
