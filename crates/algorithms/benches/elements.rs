//! Swarms at a network's outputs: updates of particle elements a second and microseconds a batch, on one thread.
//!
//! `cargo bench -p swarmgrad-algorithms --bench elements` prints a table. An update is one particle's element in one iteration,
//! its share of the loss and of the draws included; `draws` is the time over that of `fill_uniform` for the two uniforms an
//! update takes, in the same run. Bar: 300 million updates a second with MSE or MAE in f32, that is 200 microseconds for a batch
//! of 50 x 3 outputs with 10 particles and 40 iterations. Each figure is the fastest of many short repetitions.

mod timing;

use std::hint::black_box;
use swarmgrad_algorithms::gradient::elements::{ElementLoss, Found, Search, Swarms};
use swarmgrad_core::{Real, Rng, Workers, simd};
use timing::fastest;

/// Outputs in (0, 1) and one-hot targets.
fn batch<F: Real>(rows: usize, columns: usize) -> (Vec<F>, Vec<F>) {
    let mut outputs = vec![F::zero(); rows * columns];
    Rng::new(7).row(0).fill_uniform(&mut outputs);
    let targets = (0..rows * columns).map(|k| F::of(f64::from(k % columns == k / columns % columns))).collect();
    (outputs, targets)
}

#[inline(always)]
fn square<F: Real>(y: F, t: F) -> F {
    (y - t) * (y - t)
}

#[inline(always)]
fn absolute<F: Real>(y: F, t: F) -> F {
    (y - t).abs()
}

#[inline(always)]
fn huber<F: Real>(y: F, t: F) -> F {
    let r = (y - t).abs();
    if r < F::one() { F::of(0.5) * r * r } else { r - F::of(0.5) }
}

/// Cross-entropy with the output kept off 0 and 1.
#[inline(always)]
fn entropy<F: Real>(y: F, t: F) -> F {
    let y = y.max(F::of(1e-7)).min(F::of(1.0 - 1e-7));
    -(t * simd::ln(y) + (F::one() - t) * simd::ln(F::one() - y))
}

/// The quantile loss for nine tenths.
#[inline(always)]
fn pinball<F: Real>(y: F, t: F) -> F {
    let r = t - y;
    (F::of(0.9) * r).max(F::of(-0.1) * r)
}

fn line(name: &str, time: f64, updates: f64, draws: f64) {
    println!(
        "{:>34} {:>9.1} us {:>8.0} million updates/s {:>6.2} draws",
        name,
        time * 1e6,
        updates / time / 1e6,
        time / draws
    );
}

fn table<F: Real>(precision: &str) {
    let search = Search::default();
    let (n, iterations) = (search.particles, search.iterations);
    let (workers, mut found) = (Workers::default(), Found::default());
    let wells = |y: F, t: F| {
        let r = y - t;
        F::of(0.1) * r * r + F::one() - (F::of(3.0) * r).cos()
    };
    let dynamic: &dyn ElementLoss<F> = &square;
    for (rows, columns) in [(50, 3), (128, 10), (4096, 10)] {
        let (outputs, targets) = batch::<F>(rows, columns);
        let numbers = rows * columns * n;
        let mut uniforms = vec![F::zero(); 2 * numbers];
        let draws =
            iterations as f64 * fastest(|| Rng::new(1).fill_uniform(0..1, 0..2 * numbers, black_box(&mut uniforms)));
        println!("\n{precision}, batch {rows} x {columns}, {n} particles, {iterations} iterations, one thread");
        let updates = (numbers * iterations) as f64;
        let mut iteration = 0;
        let mut swarms = Swarms::<F>::new(search.clone()).unwrap();
        macro_rules! run {
            ($name:literal, $loss:expr) => {{
                let time = fastest(|| {
                    iteration += 1;
                    let rng = Rng::new(3).at(iteration);
                    swarms.elements($loss, black_box(&outputs), &targets, &workers, &rng, black_box(&mut found));
                });
                line($name, time, updates, draws);
                time
            }};
        }
        let worst = run!("MSE", &square).max(run!("MAE", &absolute));
        run!("Huber", &huber);
        run!("quantile 0.9", &pinball);
        run!("BCE (simd::ln)", &entropy);
        run!("MSE behind a pointer", dynamic);
        if precision == "f32" {
            println!("{:>34} {}", "bar", if updates / worst >= 3e8 { "met" } else { "MISSED" });
        }
        if rows > 128 {
            continue;
        }
        run!("a closure with cos", &wells);
        let mut prox = Swarms::<F>::new(Search { proximity: Some(1.0), ..search.clone() }).unwrap();
        std::mem::swap(&mut swarms, &mut prox);
        run!("MAE, proximity", &absolute);
        let cross = move |y: &[F], t: &[F]| {
            let most = y.iter().copied().fold(F::neg_infinity(), F::max);
            let sum: F = y.iter().map(|&y| (y - most).exp()).sum();
            y.iter().zip(t).map(|(&y, &t)| t * (most - y + sum.ln())).sum::<F>()
        };
        let squares = |y: &[F], t: &[F]| y.iter().zip(t).map(|(&y, &t)| (y - t) * (y - t)).sum::<F>();
        let mut swarms = Swarms::<F>::new(search.clone()).unwrap();
        let rng = Rng::new(3);
        let time = fastest(|| swarms.samples(&squares, columns, &outputs, &targets, &workers, &rng, &mut found));
        line("samples, squares", time, updates, draws);
        let time = fastest(|| swarms.samples(&cross, columns, &outputs, &targets, &workers, &rng, &mut found));
        line("samples, softmax cross-entropy", time, updates, draws);
        let time = fastest(|| swarms.batch(&squares, &outputs, &targets, &workers, &rng, &mut found));
        line("batch, squares", time, updates, draws);
    }
}

fn main() {
    println!("instruction set: {:?}", simd::level());
    table::<f32>("f32");
    table::<f64>("f64");
}
