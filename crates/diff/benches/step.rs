//! Microseconds of an iteration of 50 points in 30 dimensions, objective and gradients excluded, on one thread.
//!
//! `cargo bench -p swarmgrad-diff` prints three tables: mode classical beside the plain method (bar: the same), a generic
//! operator in f64 beside a loop written by hand (bar: 1.15 times), and an iteration of the mode hybrid (bar: 60
//! microseconds). Runs are repeated with the same seed; the fastest time of every iteration counts, so that on a shared
//! machine the disturbed ones do not.

use std::hint::black_box;
use std::time::Instant;
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::registry;
use swarmgrad_core::{Matrix, Rng};
use swarmgrad_diff::operator::Operator;
use swarmgrad_diff::operator::travel::Pso;
use swarmgrad_diff::registry::ENTRIES;

const N: usize = 50;
const DIM: usize = 30;
const ITERATIONS: u64 = 300;
const REPETITIONS: usize = 25;

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).unwrap()
}

/// Microseconds an iteration after the first 50.
fn iteration(entry: &Entry, settings: &Settings, gradients: bool) -> f64 {
    let problem = swarmgrad_problems::entry("rosenbrock").unwrap().build::<f64>(DIM, None).unwrap();
    let slope = problem.differentiable().unwrap();
    let mut fastest = vec![f64::INFINITY; ITERATIONS as usize + 1];
    for _ in 0..REPETITIONS {
        let mut method = entry.build(problem.space(), None, settings).unwrap();
        if gradients {
            method.expect_gradients();
        }
        let (mut rng, mut xs, mut values, mut told) = (Rng::new(1), Matrix::default(), Vec::new(), Matrix::default());
        let mut seconds = vec![0.0; fastest.len()];
        let mut round = 0;
        while method.iterations() < ITERATIONS {
            rng.set_iteration(round);
            round += 1;
            let begin = Instant::now();
            method.ask(&rng, &mut xs);
            let ask = begin.elapsed();
            values.resize(xs.len(), 0.0);
            problem.values(xs.rows(), &mut values);
            let rows = method.gradient_rows();
            told.resize(rows.len(), DIM);
            rows.iter().enumerate().for_each(|(k, &i)| slope.gradient(xs.row(i), told.row_mut(k)));
            let wanted = !rows.is_empty();
            let at = method.iterations() as usize;
            let begin = Instant::now();
            if wanted {
                method.tell_gradients(&told);
            }
            method.tell(&mut xs, &values);
            seconds[at] += (ask + begin.elapsed()).as_secs_f64();
        }
        fastest.iter_mut().zip(seconds).for_each(|(f, s)| *f = f.min(s));
    }
    fastest[50..ITERATIONS as usize].iter().sum::<f64>() * 1e6 / (ITERATIONS - 50) as f64
}

/// The fastest of many repetitions, in microseconds.
fn fastest(mut work: impl FnMut()) -> f64 {
    let once = |work: &mut dyn FnMut()| {
        let begin = Instant::now();
        work();
        begin.elapsed().as_secs_f64() * 1e6
    };
    (0..5_000).map(|_| once(&mut work)).fold(f64::INFINITY, f64::min)
}

/// The move of a PSO particle, written by hand.
fn by_hand(law: [f64; 3], r1: &[f64], r2: &[f64], inputs: &[f64], outputs: &mut [f64]) {
    let (x, rest) = inputs.split_at(DIM);
    let (v, rest) = rest.split_at(DIM);
    let (y, g) = rest.split_at(DIM);
    let (next_x, next_v) = outputs.split_at_mut(DIM);
    let (r1, r2, g, next_v) = (&r1[..DIM], &r2[..DIM], &g[..DIM], &mut next_v[..DIM]);
    for j in 0..DIM {
        let speed = law[0] * v[j] + law[1] * r1[j] * (y[j] - x[j]) + law[2] * r2[j] * (g[j] - x[j]);
        next_v[j] = speed;
        next_x[j] = x[j] + speed;
    }
}

fn main() {
    println!(
        "instruction set: {:?}; {N} points, d = {DIM}, microseconds an iteration, one thread",
        swarmgrad_core::simd::level()
    );
    println!("{:>12} {:>9} {:>10} {:>7} {:>9}", "method", "plain", "classical", "ratio", "hybrid");
    for entry in ENTRIES {
        let plain = match entry.name {
            "diff_es" => "snes",
            name => name.trim_start_matches("diff_"),
        };
        let plain = registry::entry(plain).unwrap();
        let own = iteration(plain, &settings(&format!(r#"{{"particles": {N}}}"#)), false);
        let [classical, hybrid] = ["classical", "hybrid"]
            .map(|mode| iteration(entry, &settings(&format!(r#"{{"particles": {N}, "mode": "{mode}"}}"#)), true));
        let verdict = if hybrid <= 60.0 { "" } else { " MISSED: 60" };
        println!("{:>12} {own:>9.1} {classical:>10.1} {:>7.2} {hybrid:>9.1}{verdict}", entry.name, classical / own);
    }

    let rng = Rng::new(2);
    let draw = |label: &str, n: usize| {
        let mut out = vec![0.0; n];
        rng.fork(label).row(0).fill_uniform(&mut out);
        out
    };
    let (r1, r2, inputs) = (draw("r1", N * DIM), draw("r2", N * DIM), draw("inputs", N * 4 * DIM));
    let (mut outputs, law) = (vec![0.0; N * 2 * DIM], [0.7, 1.4, 1.5]);
    let rows = |i: usize| (i * DIM..(i + 1) * DIM, i * 4 * DIM..(i + 1) * 4 * DIM, i * 2 * DIM..(i + 1) * 2 * DIM);
    let hand = fastest(|| {
        for i in 0..N {
            let (r, a, b) = rows(i);
            by_hand(black_box(law), &r1[r.clone()], &r2[r], &inputs[a], &mut outputs[b]);
        }
        black_box(&mut outputs);
    });
    let generic = fastest(|| {
        for i in 0..N {
            let (r, a, b) = rows(i);
            Pso { r1: &r1[r.clone()], r2: &r2[r] }.forward(&black_box(law), &inputs[a], &mut outputs[b]);
        }
        black_box(&mut outputs);
    });
    let (cotangent, mut d_theta, mut d_inputs) = (draw("c", N * 2 * DIM), [0.0; 3], vec![0.0; N * 4 * DIM]);
    let adjoint = fastest(|| {
        for i in 0..N {
            let (r, a, b) = rows(i);
            let operator = Pso { r1: &r1[r.clone()], r2: &r2[r] };
            operator.vjp(&black_box(law), &inputs[a.clone()], &cotangent[b], &mut d_theta, &mut d_inputs[a]);
        }
        black_box(&mut d_inputs);
    });
    let verdict = if generic <= 1.15 * hand { "met" } else { "MISSED" };
    println!(
        "\nPSO move of {N} particles: by hand {hand:.2}, generic operator {generic:.2} ({:.2} times, bar 1.15 {verdict}), adjoint {adjoint:.2}",
        generic / hand
    );
}
