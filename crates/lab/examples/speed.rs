//! Prints docs/speed.md: our kernels, the same work by other people's programs, and by bare arithmetic, in one run.
//!
//! `cargo run --release -p swarmgrad-lab --example speed > docs/speed.md`; with `--features burn` the convolutional net too. The peers are
//! driven by `peers/speed.py`, by the Python that `PYTHON` names (else `python3`), as far as it can import them; the bare arithmetic is
//! `peers/speed.c`, compiled by `cc`. What is not there is left out, and said on standard error.

#[path = "../../algorithms/benches/timing/mod.rs"]
mod timing;

use serde_json::Value;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use swarmgrad::algorithms::registry;
use swarmgrad::{Matrix, Problem, Rng, Space};
use swarmgrad_nn::data::{Dataset, Targets};
use swarmgrad_nn::loss;
use swarmgrad_nn::model::{Activation, Architecture, Output};
use swarmgrad_nn::optim::{self, Supervision};
use swarmgrad_nn::population::Population;
use swarmgrad_nn::signal::Signal;
use timing::fastest;

/// Seconds of one kernel.
struct Measured {
    kernel: String,
    ours: f64,
}

/// Networks with one hidden layer.
fn net(hidden: usize, output: Output) -> Architecture {
    Architecture::Mlp { hidden: vec![hidden], activation: Activation::Relu, output }
}

/// A training step on random rows.
fn step(
    architecture: &Architecture,
    shape: [usize; 2],
    batch: usize,
    (optimizer, loss, run): (&str, &str, bool),
) -> f64 {
    let ([inputs, outputs], rng) = (shape, Rng::new(1));
    let (mut x, mut y) = (vec![0.0f32; batch * inputs], vec![0.0f32; batch * outputs]);
    rng.row(0).fill_uniform(&mut x);
    y.chunks_mut(outputs).enumerate().for_each(|(i, row)| row[i % outputs] = 1.0);
    let entry = optim::entry(optimizer).expect("an optimiser");
    let mut signal = entry.signal().fit(architecture.output());
    if let Signal::Swarm(swarm) = &mut signal {
        swarm.run = run;
    }
    let loss = loss::entry(loss).expect("a loss").build(outputs);
    let mut supervision = Supervision::new(loss, signal, entry.rule(1e-3), outputs, 1).expect("a signal for the loss");
    let mut network = architecture.network(inputs, outputs, &rng).expect("a network of this build");
    fastest(|| {
        black_box(network.step(&mut supervision, &x, &y).expect("rows that fit"));
    })
}

/// The values of 256 networks on 128 rows.
fn population() -> f64 {
    let mut numbers = vec![0.0f32; 128 * 784];
    Rng::new(1).row(0).fill_normal(&mut numbers);
    let data = Dataset {
        name: "random".into(),
        feature_names: Vec::new(),
        targets: Targets::Classes {
            labels: (0..128).map(|k| k % 10).collect(),
            names: (0..10).map(|k| k.to_string()).collect(),
        },
        features: Matrix::from_vec(784, numbers).expect("whole rows"),
    };
    let population = Population::new(&net(32, Output::Identity), Arc::new(data), "cross_entropy").expect("it fits");
    let mut xs = Matrix::<f32>::zeros(256, population.space().dim());
    Rng::new(2).row(0).fill_normal(xs.data_mut());
    let mut values = vec![0.0; 256];
    fastest(|| population.values(xs.rows(), black_box(&mut values)))
}

/// An iteration of a method, objective excluded, with values that are random.
fn iteration(method: &str, dim: usize, particles: usize) -> f64 {
    let space = Space::unbounded(dim).expect("a space");
    let settings = [("particles".to_owned(), particles.into())].into_iter().collect();
    let entry = registry::entry(method).expect("a method");
    let build = || entry.build::<f64>(&space, None, &settings).expect("it fits");
    let mut method = build();
    let (mut rng, mut xs, mut values, mut round) = (Rng::new(1), Matrix::default(), Vec::new(), 0);
    fastest(|| {
        rng.set_iteration(round);
        round += 1;
        // Values that mean nothing lead a distribution to where it ends.
        if method.stop_reason().is_some() {
            method = build();
        }
        method.ask(&rng, &mut xs);
        values.resize(xs.len(), 0.0);
        rng.fork("values").row(0).fill_uniform(&mut values);
        method.tell(&mut xs, &values);
    })
}

fn ours() -> Vec<Measured> {
    let mut rows = Vec::new();
    let mut row = |kernel: &str, ours: f64| {
        eprintln!("{kernel}: {:.1} us", 1e6 * ours);
        rows.push(Measured { kernel: kernel.into(), ours });
    };
    let (small, large) = (net(10, Output::Sigmoid), net(32, Output::Identity));
    let iris = |what| step(&small, [4, 3], 50, what);
    let digits = |batch, what| step(&large, [784, 10], batch, what);
    row("Adam, 4-10-3, batch 50, mse", iris(("adam", "mse", false)));
    for loss in ["mse", "mae", "bce"] {
        row(&format!("AdaSwarm, 4-10-3, batch 50, {loss}"), iris(("adaswarm", loss, true)));
    }
    row("adaswarm_prox, 4-10-3, batch 50, mae: computed", iris(("adaswarm_prox", "mae", false)));
    row("adaswarm_prox, 4-10-3, batch 50, mae: swarms", iris(("adaswarm_prox", "mae", true)));
    for batch in [128, 1024] {
        row(&format!("Adam, 784-32-10, batch {batch}, cross_entropy"), digits(batch, ("adam", "cross_entropy", false)));
    }
    row("AdaSwarm, 784-32-10, batch 128, mse", digits(128, ("adaswarm", "mse", true)));
    let prox = |run| digits(128, ("adaswarm_prox", "cross_entropy", run));
    row("adaswarm_prox, 784-32-10, batch 128, cross_entropy: computed", prox(false));
    row("adaswarm_prox, 784-32-10, batch 128, cross_entropy: swarms", prox(true));
    row("256 nets 784-32-10, 128 rows, forward", population());
    row("PSO, N = 1000, d = 1000, an iteration", iteration("pso", 1000, 1000));
    for dim in [10, 40, 100] {
        row(&format!("CMA-ES, d = {dim}, 20 points, an iteration"), iteration("cma_es", dim, 20));
    }
    #[cfg(feature = "burn")]
    {
        let image = swarmgrad_nn::model::Image { channels: 1, height: 28, width: 28 };
        let cnn = Architecture::Cnn { image, output: Output::Softmax };
        row("Adam, the paper's convolutional net, batch 125, mse", step(&cnn, [784, 10], 125, ("adam", "mse", false)));
    }
    rows
}

/// The lines of a program that prints a JSON object each: kernel, who, seconds.
fn lines(command: &mut Command) -> Vec<(String, String, f64)> {
    let output = match command.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => {
            eprintln!("left out: {command:?} ended with {}", output.status);
            return Vec::new();
        }
        Err(why) => {
            eprintln!("left out: {command:?}: {why}");
            return Vec::new();
        }
    };
    let text = String::from_utf8_lossy(&output).into_owned();
    let parse = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        Some((text("kernel")?, text("who")?, line["seconds"].as_f64()?))
    };
    text.lines().filter_map(parse).collect()
}

/// The bare arithmetic: compiled, run and forgotten.
fn probe(peers: &Path) -> Vec<(String, String, f64)> {
    let program: PathBuf = std::env::temp_dir().join(format!("swarmgrad-speed-{}", std::process::id()));
    let mut compile = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    compile
        .args(["-O3", "-march=native", "-ffp-contract=fast", "-o"])
        .arg(&program)
        .arg(peers.join("speed.c"))
        .arg("-lm");
    if !compile.status().is_ok_and(|status| status.success()) {
        eprintln!("left out: the limits, for there is no C compiler");
        return Vec::new();
    }
    let found = lines(&mut Command::new(&program));
    // A file in the folder for temporary ones.
    let _ = std::fs::remove_file(&program);
    found
}

/// A time with three digits.
fn time(seconds: f64) -> String {
    let (value, unit) = if seconds < 1e-3 { (1e6 * seconds, "us") } else { (1e3 * seconds, "ms") };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

fn main() {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let others = lines(Command::new(python).arg(peers.join("speed.py")));
    let limits = probe(&peers);
    let rows = ours();
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": a processor without a name");
    println!(
        "# Speed\n\nWhat `cargo run --release -p swarmgrad-lab --example speed` has measured, version {}, on one thread of {}: the fastest of \
         many short repetitions, ours and the others' in the same run, random data from seed 1. Best peer: the fastest of those that could be \
         imported, JAX stepping or a hundred steps in one call. Limit: the multiplications of the kernel, or its inner loop, in C \
         (`peers/speed.c`). Ratio: ours to the best peer.\n",
        env!("CARGO_PKG_VERSION"),
        cpu.trim_start_matches([' ', '\t', ':']),
    );
    println!("| kernel | ours | best peer | limit | ratio |\n|---|---|---|---|---|");
    for Measured { kernel, ours } in &rows {
        let of = |lines: &[(String, String, f64)]| {
            let mine = lines.iter().filter(|(name, ..)| name == kernel);
            mine.min_by(|a, b| a.2.total_cmp(&b.2)).map(|(_, who, seconds)| (who.clone(), *seconds))
        };
        let none = || "–".to_owned();
        let peer = of(&others);
        println!(
            "| {kernel} | {} | {} | {} | {} |",
            time(*ours),
            peer.as_ref().map_or_else(none, |(who, seconds)| format!("{} ({who})", time(*seconds))),
            of(&limits).map_or_else(none, |(_, seconds)| time(seconds)),
            peer.as_ref().map_or_else(none, |(_, seconds)| format!("{:.2}", ours / seconds)),
        );
    }
}
