//! What a training step costs on our own kernels: the paper's small net, and a classifier of MNIST's shape.
//!
//! `cargo bench -p swarmgrad-dense --bench step` prints microseconds a step (median of rounds), each optimiser's as a ratio to Adam's on
//! as many threads in the same run, and samples a second. `cargo bench -p swarmgrad-nn --bench step` has the tensor library's.

use std::time::Instant;
use swarmgrad_core::{Rng, Workers};
use swarmgrad_dense::layer::{Activation, Image, Layer, Output};
use swarmgrad_dense::loss;
use swarmgrad_dense::network::DenseNetwork;
use swarmgrad_dense::optim;
use swarmgrad_dense::signal::Signal;
use swarmgrad_dense::supervision::{Backend, Supervision};

struct Case {
    layers: [usize; 3],
    output: Output,
    batch: usize,
    steps: usize,
    threads: &'static [usize],
    /// Optimiser, loss, and whether swarms are run whatever can be computed. The first is what the others are compared with.
    runs: &'static [(&'static str, &'static str, bool)],
}

const SMALL: Case = Case {
    layers: [4, 10, 3],
    output: Output::Sigmoid,
    batch: 50,
    steps: 400,
    threads: &[1],
    runs: &[
        ("adam", "mse", false),
        ("adam", "bce", false),
        ("sgd", "mse", false),
        ("adaswarm", "mse", false),
        ("adaswarm", "mae", false),
        ("adaswarm", "bce", false),
        ("adaswarm_prox", "mse", false),
        ("adaswarm_prox", "mae", false),
        ("adaswarm_prox", "mae", true),
        ("adaswarm_prox", "bce", false),
        ("adaswarm_prox", "bce", true),
    ],
};
const LARGE: Case = Case {
    layers: [784, 32, 10],
    output: Output::Identity,
    batch: 128,
    steps: 60,
    threads: &[1, 2],
    runs: &[
        ("adam", "cross_entropy", false),
        ("adam", "mse", false),
        ("sgd", "cross_entropy", false),
        ("adaswarm", "mse", false),
        ("adaswarm_prox", "mse", false),
        ("adaswarm_prox", "cross_entropy", false),
        ("adaswarm_prox", "cross_entropy", true),
    ],
};
const FEW: &[(&str, &str, bool)] = &[("adam", "cross_entropy", false), ("adaswarm", "mse", false)];

struct Running {
    threads: usize,
    label: String,
    network: DenseNetwork,
    supervision: Supervision,
    times: Vec<f64>,
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let cases = [
        SMALL,
        LARGE,
        Case { batch: 512, steps: 15, runs: FEW, ..LARGE },
        Case { batch: 1024, steps: 10, runs: FEW, ..LARGE },
    ];
    for case in cases {
        let name = format!("{}-{}-{}, batch {}", case.layers[0], case.layers[1], case.layers[2], case.batch);
        if wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str())) {
            println!("{name}");
            run(&case);
        }
    }
}

fn run(case: &Case) {
    let ([inputs, hidden, columns], rng) = (case.layers, Rng::new(1));
    let mut x = vec![0.0f32; case.batch * inputs];
    rng.row(0).fill_uniform(&mut x);
    let mut y = vec![0.0f32; case.batch * columns];
    y.chunks_mut(columns).enumerate().for_each(|(i, row)| row[i % columns] = 1.0);
    let layers =
        [Layer::Dense { outputs: hidden }, Layer::Activation(Activation::Relu), Layer::Dense { outputs: columns }];
    let mut running = Vec::new();
    for &threads in case.threads {
        for &(optimizer, name, swarms) in case.runs {
            let entry = optim::entry(optimizer).unwrap();
            let mut signal = entry.signal().fit(case.output);
            if let Signal::Swarm(swarm) = &mut signal {
                swarm.run = swarms;
            }
            let mut network = DenseNetwork::new(Image::row(inputs), &layers, case.output).unwrap();
            network.initialize(&rng);
            let loss = loss::entry(name).unwrap().build(columns);
            let supervision = Supervision::new(loss, signal, entry.rule(1e-3), columns, 1).unwrap();
            let supervision = supervision.with_workers(Workers::new(threads).unwrap());
            let label = format!("{optimizer} {name}{}", if swarms { ", swarms run" } else { "" });
            running.push(Running { threads, label, network, supervision, times: Vec::new() });
        }
    }
    // Rounds of every optimiser in turn: a busy machine slows all of them alike.
    for round in 0..16 {
        for run in &mut running {
            let started = Instant::now();
            for _ in 0..case.steps {
                run.network.step(&mut run.supervision, &x, &y).unwrap();
            }
            if round > 0 {
                run.times.push(started.elapsed().as_secs_f64() / case.steps as f64);
            }
        }
    }
    let median = |run: &Running| {
        let mut times = run.times.clone();
        times.sort_by(f64::total_cmp);
        [times[times.len() / 2], times[0]]
    };
    for group in running.chunks(case.runs.len()) {
        let [adam, _] = median(&group[0]);
        for run in group {
            let [time, least] = median(run);
            println!(
                "  {} thread(s)  {:<40} {:>8.1} us a step (least {:>8.1})  {:>6.2} x adam  {:>9.0} samples/s",
                run.threads,
                run.label,
                1e6 * time,
                1e6 * least,
                time / adam,
                case.batch as f64 / time
            );
        }
    }
}
