//! Passes of many networks: `cargo bench -p swarmgrad-nn --bench population`. One thread, the fastest of some repetitions.
//! Epochs are those of MNIST where `SWARMGRAD_DATA` says where it lies; many of its pixels are 0 in a whole batch and need no
//! multiplication, so on random numbers, which stand in for it elsewhere, an epoch of the shallow net is slower.
//!
//! NumPy with one shared matrix product needs 19.7 ms for the first line, JAX's vmap 27.2, torch's vmap 30.9 on one Zen 5 core.

#[path = "../../algorithms/benches/timing/mod.rs"]
mod timing;

use std::hint::black_box;
use std::sync::Arc;
use swarmgrad_algorithms::particle::batched::{Batched, LocalBest, Params};
use swarmgrad_combine::registry;
use swarmgrad_core::{BatchProblem, Matrix, Problem, Rng, Run, Start};
use swarmgrad_nn::data::{Dataset, Targets};
use swarmgrad_nn::model::{Activation, Architecture, Image, Output};
use swarmgrad_nn::population::Population;

fn main() {
    let data = |rows: usize| {
        // Classes that a linear net can learn: a swarm that learns nothing is kicked in most steps.
        let (mut numbers, mut teacher) = (vec![0.0f32; rows * 784], Matrix::<f32>::zeros(10, 784));
        Rng::new(1).row(0).fill_normal(&mut numbers);
        Rng::new(4).row(0).fill_normal(teacher.data_mut());
        let score = |x: &[f32], class: usize| teacher.row(class).iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
        let class = |x: &[f32]| (0..10).max_by(|&a, &b| score(x, a).total_cmp(&score(x, b))).unwrap_or(0);
        Arc::new(Dataset {
            name: "random".into(),
            feature_names: Vec::new(),
            targets: Targets::Classes {
                labels: numbers.chunks(784).map(class).collect(),
                names: (0..10).map(|k| k.to_string()).collect(),
            },
            features: Matrix::from_vec(784, numbers).expect("whole rows"),
        })
    };
    let mlp = Architecture::Mlp { hidden: vec![32], activation: Activation::Relu, output: Output::Identity };
    let population = Population::new(&mlp, data(128), "cross_entropy").expect("fits");
    let dim = population.space().dim();
    let mut xs = Matrix::<f32>::zeros(256, dim);
    Rng::new(2).row(0).fill_normal(xs.data_mut());
    let mut values = vec![0.0; 256];
    let seconds = timing::fastest(|| population.values(xs.rows(), black_box(&mut values)));
    println!("256 nets 784-32-10 x 128 samples     {:8.2} ms", 1e3 * seconds);

    // A generation in a run that is under way: the first one also makes the swarm and the memory it lies in.
    let settings = serde_json::json!({ "particles": 256, "start": { "normal": { "mean": 0.0, "deviation": 0.1 } } });
    let settings = settings.as_object().cloned().unwrap_or_default();
    let entry = registry::entry("pso").expect("known");
    let mut method = entry.build(population.space(), None, &settings).expect("fits");
    let mut run = Run::new(&population, &mut *method, 1);
    (0..3).for_each(|_| drop(run.step()));
    let seconds = timing::fastest(|| drop(black_box(run.step())));
    println!("a generation of PSO on it            {:8.2} ms", 1e3 * seconds);

    let (rows, of) = match swarmgrad_nn::data::mnist() {
        Ok(parts) => (Arc::new(parts.train.select(&(0..6000).collect::<Vec<_>>())), "MNIST"),
        Err(_) => (data(6000), "random numbers"),
    };
    let image = Image { channels: 1, height: 28, width: 28 };
    let nets = [
        ("shallow", Architecture::shallow(784, 10, Output::Identity)),
        ("lenet1", Architecture::lenet1(image, 10, Output::Identity)),
    ];
    for (name, net) in nets {
        let population = Population::new(&net, rows.clone(), "cross_entropy").expect("fits").scaled(0.1);
        let rng = Rng::new(3);
        for (kind, local_best) in [("exact", LocalBest::Exact), ("stale", LocalBest::Stale)] {
            let start = Start::Normal { mean: 0.0, deviation: 1.0 };
            let params = Params { inertia: 0.4, local_best, ..Params::default() };
            let mut swarm = Batched::<f32>::new(population.space(), start, params).expect("fits");
            let ten = |swarm: &mut Batched<f32>| (0..10).for_each(|_| swarm.step(&population, &rng).expect("fits"));
            let seconds = timing::fastest(|| ten(&mut swarm));
            println!("{name}, N = 100, {kind} memory, {of}: an epoch of 1,000 batches of 60 {:6.2} s", 100.0 * seconds);
        }
        let batch: Vec<usize> = (0..60).collect();
        let mut xs = Matrix::<f32>::zeros(100, population.space().dim());
        Rng::new(2).row(0).fill_normal(xs.data_mut());
        let mut values = vec![0.0; 100];
        let seconds = timing::fastest(|| population.values_on(&batch, xs.rows(), black_box(&mut values)));
        println!("{name}, 100 nets x 60 samples {:6.2} ms", 1e3 * seconds);
    }
}
