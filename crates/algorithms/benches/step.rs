//! Nanoseconds per particle and dimension of one step, objective excluded, on one thread; and what a second thread adds.
//!
//! `cargo bench -p swarmgrad-algorithms` prints a table. Each figure is the fastest of many short repetitions; `ratio` is the
//! figure over that of filling a matrix with normals in the same precision and shape, which is what a step is held against on
//! machines of different speed. Bars (ns): see the columns `bar` at d >= 1000 and d = 20, for an idle AVX-512 core at 3.6 GHz
//! whose `fill_normal` takes 1.25 ns in f64 and 0.67 in f32; elsewhere bar / 1.25 (0.67) times the measured `fill_normal`.

mod timing;

use rayon::prelude::*;
use std::hint::black_box;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::particle::{Motion, Particles, cbo, pso, pso_sde};
use swarmgrad_algorithms::registry;
use swarmgrad_core::{Algorithm, Iterations, Matrix, Real, Rng, Run, Space, Start, Workers};
use timing::fastest;

const SHAPES: [(usize, usize); 6] = [(100, 20), (100, 1000), (100, 7850), (1000, 20), (1000, 1000), (1000, 7850)];

/// One step of a method: ask and tell with values that change no memory and give one particle all the weight.
fn step<F: Real, M: Motion<F>>(n: usize, dim: usize, params: M::Params) -> impl FnMut() {
    let space = Space::unbounded(dim).unwrap();
    let start = Start::Normal { mean: 0.0, deviation: 1.0 };
    let mut method = Particles::<F, M>::new(&space, start, None, params).unwrap();
    let (mut rng, mut xs, mut round) = (Rng::new(1), Matrix::default(), 0);
    let mut values: Vec<F> = (0..n).map(|i| F::of(i as f64)).collect();
    move || {
        rng.set_iteration(round);
        method.ask(&rng, &mut xs);
        method.tell(&mut xs, &values);
        if round == 0 {
            values.iter_mut().for_each(|value| *value += F::of(1e3));
        }
        round += 1;
    }
}

fn pso_sde(n: usize) -> pso_sde::Params {
    pso_sde::Params { particles: n, lambda1: 0.4, sigma1: 0.4, sigma2: 1.0, ..Default::default() }
}

fn pso(n: usize) -> pso::Params {
    pso::Params { particles: n, ..Default::default() }
}

/// CBO has no memory, so its values may stay: the first particle is always the best.
fn cbo(n: usize) -> cbo::Params {
    cbo::Params { particles: n, sigma: 1.0, ..Default::default() }
}

/// Bars of the methods in this precision: (name, d >= 1000, d = 20).
fn table<F: Real>(precision: &str, bars: [Option<(f64, f64)>; 4]) {
    println!("\n{precision}, one thread: ns per particle and dimension (ratio to fill_normal)");
    println!(
        "{:>12} {:>7} {:>7} {:>17} {:>17} {:>17} {:>17}",
        "N x d", "uniform", "normal", "pso_sde memory", "pso_sde 1 normal", "pso", "cbo"
    );
    let mut passed = [true; 4];
    for (n, dim) in SHAPES {
        let numbers = (n * dim) as f64;
        let mut draws = vec![F::zero(); n * dim];
        let mut k = 0;
        let uniform = fastest(|| {
            k += 1;
            Rng::new(k).fill_uniform(0..n, 0..dim, black_box(&mut draws));
        });
        let normal = fastest(|| {
            k += 1;
            Rng::new(k).fill_normal(0..n, 0..dim, black_box(&mut draws));
        });
        let memoryless = pso_sde::Params { lambda1: 0.0, sigma1: 0.0, ..pso_sde(n) };
        let steps = [
            fastest(step::<F, pso_sde::PsoSde<F>>(n, dim, pso_sde(n))),
            fastest(step::<F, pso_sde::PsoSde<F>>(n, dim, memoryless)),
            fastest(step::<F, pso::Pso>(n, dim, pso(n))),
            fastest(step::<F, cbo::Cbo<F>>(n, dim, cbo(n))),
        ];
        let cell = |seconds: f64| format!("{:.2} ({:.2})", seconds * 1e9 / numbers, seconds / normal);
        let [a, b, c, d] = steps.map(cell);
        let scale = 1e9 / numbers;
        println!(
            "{:>12} {:>7.2} {:>7.2} {a:>17} {b:>17} {c:>17} {d:>17}",
            format!("{n} x {dim}"),
            uniform * scale,
            normal * scale
        );
        let reference = if precision == "f64" { 1.25 } else { 0.67 };
        for (k, bar) in bars.iter().enumerate() {
            if let Some((large, small)) = bar {
                let bar = if dim >= 1000 { *large } else { *small };
                passed[k] &= steps[k] * scale <= bar || steps[k] / normal <= bar / reference;
            }
        }
    }
    for ((name, bar), passed) in ["pso_sde memory", "", "pso", "cbo"].into_iter().zip(bars).zip(passed) {
        if let Some((large, small)) = bar {
            println!(
                "  {name}: bar {large} ns at d >= 1000, {small} ns at d = 20, or that over fill_normal: {}",
                if passed { "met" } else { "MISSED" }
            );
        }
    }
}

/// A whole iteration of the mean-field swarm on the 2.5-amplitude Rastrigin function, evaluations included.
fn iteration() {
    let problem = swarmgrad_problems::entry("rastrigin25")
        .unwrap()
        .build::<f64>(20, Some(Space::unbounded(20).unwrap()))
        .unwrap();
    let params = pso_sde::Params { inertia: 1e-4, sigma2: 8.0, ..Default::default() };
    let seconds = fastest(|| {
        let start = Start::Normal { mean: 2.0, deviation: 4.0 };
        let mut method =
            Particles::<f64, pso_sde::PsoSde<f64>>::new(problem.space(), start, None, params.clone()).unwrap();
        black_box(Run::new(&*problem, &mut method, 1).watch(&mut Iterations(2000)).minimize());
    });
    println!(
        "\npso_sde on rastrigin25, N = 100, d = 20, evaluations included: {:.2} us an iteration (bar 10)",
        seconds / 2000.0 * 1e6
    );
}

/// What two threads make of one, for the step and for a bare copy of as much memory.
fn threads() {
    let (n, dim) = (1000, 1000);
    let time = |threads: usize| {
        Workers::new(threads).unwrap().install(|| {
            let step = fastest(step::<f64, pso_sde::PsoSde<f64>>(n, dim, pso_sde(n)));
            let (from, mut to) = (vec![1.0; 5 * n * dim], vec![0.0; 5 * n * dim]);
            let copy = fastest(|| {
                let pieces = to.par_chunks_mut(1 << 16).zip(from.par_chunks(1 << 16));
                if rayon::current_thread_index().is_some() {
                    pieces.for_each(|(to, from)| to.copy_from_slice(from));
                } else {
                    to.copy_from_slice(black_box(&from));
                }
            });
            (step, copy)
        })
    };
    let ((one, one_copy), (two, two_copy)) = (time(1), time(2));
    println!(
        "two threads, pso_sde f64, N = d = 1000: {:.2} times one thread; copy: {:.2} times (bar 1.7, or 0.95 of copy)",
        one / two,
        one_copy / two_copy
    );
}

/// Methods that sample from a distribution: microseconds an evaluation, ask and tell, under random selection (so that the
/// distribution stays as wide as it is); in brackets over the time of drawing a point's normals.
fn distributions() {
    let cases: [(&str, usize, Option<usize>, Option<f64>); 10] = [
        ("cma_es", 10, None, Some(0.5)),
        ("cma_es", 40, None, None),
        ("cma_es", 100, Some(32), Some(35.0)),
        ("bipop_cma_es", 10, None, None),
        ("xnes", 10, None, None),
        ("sep_cma_es", 1000, None, None),
        ("cr_fm_nes", 1000, None, None),
        ("snes", 1000, None, None),
        ("open_es", 1000, None, None),
        ("pgpe", 1000, None, None),
    ];
    println!(
        "\nmethods that sample from a distribution, one thread: microseconds an evaluation (ratio to its normals)"
    );
    for (name, dim, particles, bar) in cases {
        let space = Space::unbounded(dim).unwrap();
        let mut settings = Settings::new();
        particles.map(|n| settings.insert("particles".into(), n.into()));
        let fresh = || registry::entry(name).unwrap().build(&space, None, &settings).unwrap();
        let (mut method, mut rng, mut xs, mut values, mut round) =
            (fresh(), Rng::new(1), Matrix::default(), Vec::new(), 0);
        let mut points = 0;
        let mut iteration = || {
            rng.set_iteration(round);
            round += 1;
            method.ask(&rng, &mut xs);
            if xs.is_empty() {
                method = fresh();
                method.ask(&rng, &mut xs);
            }
            points = xs.len();
            values.resize(points, 0.0);
            rng.fork("values").row(0).fill_uniform(&mut values);
            method.tell(&mut xs, &values);
        };
        // As many iterations as there are between two decompositions, and more.
        let seconds = fastest(|| (0..50).for_each(|_| iteration())) / 50.0 / points as f64;
        let mut draws = vec![0.0; 64 * dim];
        let normals = fastest(|| Rng::new(2).fill_normal(0..64, 0..dim, black_box(&mut draws))) / 64.0;
        let bar = bar.map_or(String::new(), |bar| {
            format!(", bar {bar} us: {}", if seconds * 1e6 <= bar { "met" } else { "MISSED" })
        });
        println!("{name:>14} d = {dim:<5} {:8.3} ({:.1}){bar}", seconds * 1e6, seconds / normals);
    }
}

fn main() {
    println!("instruction set: {:?}", swarmgrad_core::simd::level());
    table::<f64>("f64", [Some((3.0, 3.8)), None, Some((1.2, 1.8)), Some((1.6, 2.2))]);
    table::<f32>("f32", [Some((1.5, 2.2)), None, Some((0.8, 1.2)), None]);
    iteration();
    distributions();
    threads();
}
