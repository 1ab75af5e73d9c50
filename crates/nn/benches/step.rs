//! What a training step costs on the tensor library: the paper's small net, a classifier of MNIST's shape, the paper's convolutional net.
//!
//! `cargo bench -p swarmgrad-nn --bench step` prints microseconds a step (median of rounds), AdaSwarm's as a ratio to Adam's in the
//! same run, and samples a second. `benches/pytorch.py` times PyTorch on the same nets on the same machine, and
//! `cargo bench -p swarmgrad-dense --bench step` our own kernels.

use burn::tensor::{Device, Tensor, TensorData};
use std::time::Instant;
use swarmgrad_core::Rng;
use swarmgrad_nn::loss;
use swarmgrad_nn::model::{Activation, Architecture, Image, Output};
use swarmgrad_nn::optim;
use swarmgrad_nn::tensor::{Model, Optimizer};

struct Case {
    name: &'static str,
    architecture: Architecture,
    inputs: usize,
    outputs: usize,
    batch: usize,
    steps: usize,
    rounds: usize,
    runs: &'static [(&'static str, &'static str)],
}

struct Running {
    optimizer: &'static str,
    loss: &'static str,
    model: Option<Model>,
    step: Optimizer,
    times: Vec<f64>,
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
    for &(optimizer, name) in case.runs {
        let entry = optim::entry(optimizer).unwrap();
        let signal = entry.signal().fit(case.architecture.output());
        let (loss, columns) = (loss::entry(name).unwrap().build(case.outputs), case.outputs);
        let model = case.architecture.build(case.inputs, columns, &rng, &device).unwrap();
        let step = Optimizer::new(loss, signal, entry.rule(1e-3), columns, 1).unwrap();
        running.push(Running { optimizer, loss: name, model: Some(model), step, times: Vec::new() });
    }
    // Rounds of every optimiser in turn: a busy machine slows all of them alike.
    for round in 0..=case.rounds {
        for run in &mut running {
            let started = Instant::now();
            for _ in 0..case.steps {
                let batch = TensorData::new(x.clone(), [case.batch, case.inputs]);
                let batch = Tensor::<2>::from_data(batch, &device);
                let (next, _) = run.step.step(run.model.take().unwrap(), batch, &y).unwrap();
                run.model = Some(next);
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
    let adam = median(&running[0].times);
    for run in &running {
        let time = median(&run.times);
        println!(
            "  {:<14} {:<14} {:>10.1} us a step  {:>6.2} x adam  {:>9.0} samples/s",
            run.optimizer,
            run.loss,
            1e6 * time,
            time / adam,
            case.batch as f64 / time
        );
    }
}
