//! What a training step costs: the paper's small net, a classifier of MNIST's shape, the paper's convolutional net.
//!
//! `cargo bench -p swarmgrad-nn --bench step` prints microseconds a step (median of rounds), AdaSwarm's as a ratio to Adam's in the
//! same run, and samples a second: of networks of dense layers on our own kernels, on one thread and on two, and of all on the tensor
//! library. `benches/pytorch.py` times PyTorch on the same nets on the same machine.

use burn::tensor::{Device, Tensor, TensorData};
use std::time::Instant;
use swarmgrad_core::{Rng, Workers};
use swarmgrad_dense::network::DenseNetwork;
use swarmgrad_dense::supervision::Backend;
use swarmgrad_nn::loss;
use swarmgrad_nn::model::{Activation, Architecture, Image, Output};
use swarmgrad_nn::optim::{self, Supervision};
use swarmgrad_nn::tensor::{Model, Optimizer};

struct Case {
    name: &'static str,
    architecture: Architecture,
    inputs: usize,
    outputs: usize,
    batch: usize,
    steps: usize,
    rounds: usize,
    /// Threads on which our own kernels are timed; none where they do not know the layers.
    threads: &'static [usize],
    runs: &'static [(&'static str, &'static str)],
}

struct Running {
    label: String,
    optimizer: &'static str,
    loss: &'static str,
    side: Side,
    times: Vec<f64>,
}

/// Who computes.
enum Side {
    Dense(Box<DenseNetwork>, Box<Supervision>),
    Library(Option<Box<Model>>, Box<Optimizer>),
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let image = Image { channels: 1, height: 28, width: 28 };
    let mlp = |hidden: usize, output| Architecture::Mlp { hidden: vec![hidden], activation: Activation::Relu, output };
    let cases = [
        Case {
            name: "iris net 4-10-3, batch 50",
            architecture: Architecture::paper(),
            inputs: 4,
            outputs: 3,
            batch: 50,
            steps: 400,
            rounds: 15,
            threads: &[1],
            runs: &[
                ("adam", "mse"),
                ("adaswarm", "mse"),
                ("adaswarm", "mae"),
                ("adaswarm", "bce"),
                ("adaswarm_prox", "mae"),
                ("sgd", "mse"),
            ],
        },
        Case {
            name: "dense net 784-32-10, batch 128",
            architecture: mlp(32, Output::Identity),
            inputs: 784,
            outputs: 10,
            batch: 128,
            steps: 100,
            rounds: 15,
            threads: &[1],
            runs: &[
                ("adam", "cross_entropy"),
                ("adaswarm", "mse"),
                ("adaswarm_prox", "cross_entropy"),
                ("sgd", "cross_entropy"),
            ],
        },
        Case {
            name: "dense net 784-32-10, batch 1024",
            architecture: mlp(32, Output::Identity),
            inputs: 784,
            outputs: 10,
            batch: 1024,
            steps: 15,
            rounds: 9,
            threads: &[1, 2],
            runs: &[("adam", "cross_entropy"), ("adaswarm", "mse"), ("sgd", "cross_entropy")],
        },
        Case {
            name: "convolutional net of the paper, batch 125",
            architecture: Architecture::Cnn { image, output: Output::Softmax },
            inputs: 784,
            outputs: 10,
            batch: 125,
            steps: 1,
            rounds: 5,
            threads: &[],
            runs: &[("adam", "mse"), ("adaswarm", "mse")],
        },
    ];
    for case in cases.iter().filter(|case| wanted.is_empty() || wanted.iter().any(|w| case.name.contains(w.as_str()))) {
        run(case);
    }
}

fn run(case: &Case) {
    let device = Device::flex().autodiff();
    let rng = Rng::new(1);
    let mut x = vec![0.0f32; case.batch * case.inputs];
    rng.row(0).fill_uniform(&mut x);
    let mut y = vec![0.0f32; case.batch * case.outputs];
    y.chunks_mut(case.outputs).enumerate().for_each(|(i, row)| row[i % case.outputs] = 1.0);
    let mut running = Vec::new();
    for threads in case.threads.iter().map(Some).chain([None]) {
        for &(optimizer, name) in case.runs {
            let entry = optim::entry(optimizer).unwrap();
            let signal = entry.signal().fit(case.architecture.output());
            let loss = loss::entry(name).unwrap().build(case.outputs);
            let (rule, columns) = (entry.rule(1e-3), case.outputs);
            let side = match threads {
                Some(&threads) => {
                    let (image, layers) = case.architecture.layers(case.inputs, columns).unwrap();
                    let mut network = DenseNetwork::new(image, &layers, case.architecture.output()).unwrap();
                    network.initialize(&rng);
                    let supervision = Supervision::new(loss, signal, rule, columns, 1).unwrap();
                    let workers = Workers::new(threads).unwrap();
                    Side::Dense(Box::new(network), Box::new(supervision.with_workers(workers)))
                }
                None => {
                    let model = case.architecture.build(case.inputs, columns, &rng, &device).unwrap();
                    let optimizer = Optimizer::new(loss, signal, rule, columns, 1).unwrap();
                    Side::Library(Some(Box::new(model)), Box::new(optimizer))
                }
            };
            let label = threads.map_or("burn".into(), |threads| format!("dense, {threads} thread(s)"));
            running.push(Running { label, optimizer, loss: name, side, times: Vec::new() });
        }
    }
    // Rounds of every optimiser in turn: a busy machine slows all of them alike.
    for round in 0..=case.rounds {
        for run in &mut running {
            let started = Instant::now();
            for _ in 0..case.steps {
                match &mut run.side {
                    Side::Dense(network, supervision) => {
                        network.step(supervision, &x, &y).unwrap();
                    }
                    Side::Library(model, optimizer) => {
                        let batch = TensorData::new(x.clone(), [case.batch, case.inputs]);
                        let batch = Tensor::<2>::from_data(batch, &device);
                        let (next, _) = optimizer.step(*model.take().unwrap(), batch, &y).unwrap();
                        *model = Some(Box::new(next));
                    }
                }
            }
            if round > 0 {
                run.times.push(started.elapsed().as_secs_f64() / case.steps as f64);
            }
        }
    }
    println!("{}", case.name);
    let median = |times: &[f64]| {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    for group in running.chunks(case.runs.len()) {
        let adam = median(&group[0].times);
        for run in group {
            let time = median(&run.times);
            println!(
                "  {:<18} {:<14} {:<14} {:>10.1} us a step  {:>6.2} x adam  {:>9.0} samples/s",
                run.label,
                run.optimizer,
                run.loss,
                1e6 * time,
                time / adam,
                case.batch as f64 / time
            );
        }
    }
}
