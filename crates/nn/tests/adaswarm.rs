//! AdaSwarm in networks: the checks of the specification that need one, on real data.
//!
//! `cargo test -p swarmgrad-nn --test adaswarm -- --nocapture` prints the figures.

use burn::tensor::{Device, Tensor, TensorData};
use swarmgrad_algorithms::gradient::elements::{Found, Kappa, Search, Start, Swarms};
use swarmgrad_algorithms::particle::Pulls;
use swarmgrad_core::{Matrix, Rng, Workers};
use swarmgrad_nn::data::{self, Dataset, Preset, Targets};
use swarmgrad_nn::loss::{self, Batch, Bce, Block, Elementwise, Lane, Loss, Mae, Mse};
use swarmgrad_nn::model::{Activation, Architecture, Image, Output};
use swarmgrad_nn::optim::{Adam, Rule, Text};
use swarmgrad_nn::signal::{Signal, SwarmSignal};
use swarmgrad_nn::tensor::weights::{self, Part};
use swarmgrad_nn::tensor::{Network, Pass};
use swarmgrad_nn::train::{Saved, Trainer, Training};

fn iris() -> Dataset {
    data::load("iris", Preset::Paper).unwrap().dataset(&Preset::Paper.options()).unwrap()
}

/// The paper's net in f64, written out as on paper, index by index: 4 inputs, ten ReLUs, three sigmoids.
struct Net {
    weights: Vec<f64>,
}

const HIDDEN: usize = 10;

impl Net {
    fn new(seed: u64) -> Self {
        let mut weights = vec![0.0; 4 * HIDDEN + HIDDEN + HIDDEN * 3 + 3];
        Rng::new(seed).row(0).fill_uniform(&mut weights);
        let hidden = 5 * HIDDEN;
        for (i, w) in weights.iter_mut().enumerate() {
            let bound = 1.0 / (if i < hidden { 4.0f64 } else { HIDDEN as f64 }).sqrt();
            *w = bound * (2.0 * *w - 1.0);
        }
        Net { weights }
    }

    #[allow(clippy::needless_range_loop)]
    /// Outputs of every row, and the gradient of the weights for a given gradient of the outputs.
    fn pass(&self, x: &[[f64; 4]], sent: Option<&[f64]>) -> (Vec<f64>, Vec<f64>) {
        let (w1, rest) = self.weights.split_at(4 * HIDDEN);
        let (b1, rest) = rest.split_at(HIDDEN);
        let (w2, b2) = rest.split_at(HIDDEN * 3);
        let (mut outputs, mut gradient) = (Vec::new(), vec![0.0; self.weights.len()]);
        for (r, row) in x.iter().enumerate() {
            let h: Vec<f64> = (0..HIDDEN)
                .map(|j| (b1[j] + (0..4).map(|i| row[i] * w1[i * HIDDEN + j]).sum::<f64>()).max(0.0))
                .collect();
            let y: Vec<f64> = (0..3)
                .map(|k| 1.0 / (1.0 + (-(b2[k] + (0..HIDDEN).map(|j| h[j] * w2[j * 3 + k]).sum::<f64>())).exp()))
                .collect();
            outputs.extend(&y);
            let Some(sent) = sent else { continue };
            for k in 0..3 {
                let d = sent[r * 3 + k] * y[k] * (1.0 - y[k]);
                gradient[5 * HIDDEN + HIDDEN * 3 + k] += d;
                for j in 0..HIDDEN {
                    gradient[5 * HIDDEN + j * 3 + k] += d * h[j];
                    if h[j] > 0.0 {
                        gradient[4 * HIDDEN + j] += d * w2[j * 3 + k];
                        (0..4).for_each(|i| gradient[i * HIDDEN + j] += d * w2[j * 3 + k] * row[i]);
                    }
                }
            }
        }
        (outputs, gradient)
    }
}

/// What stands in for dE/d(output) in the hand-written net.
enum Sent<'a> {
    Derivative,
    Exact(f64),
    Swarm(&'a dyn Loss<f64>),
}

fn run_f64(sent: &Sent<'_>, steps: usize) -> Vec<f64> {
    let rows = iris();
    let y = rows.target_rows();
    let mut net = Net::new(3);
    let mut adam = Adam::<f64>::new(0.1);
    let search = Search { start: Start::Range { low: 0.0, high: 1.0 }, confine: Some([0.0, 1.0]), ..Search::default() };
    let search = Search { particles: 20, iterations: 120, ..search };
    let (mut swarms, mut found) = (Swarms::new(search).unwrap(), Found::default());
    for step in 0..steps {
        let at = (step % 3) * 50;
        // Rows 0, 3, 6, ... so that each batch holds all classes.
        let pick: Vec<usize> = (0..50).map(|i| (at + i) * 3 % 149).collect();
        let x: Vec<[f64; 4]> =
            pick.iter().map(|&i| std::array::from_fn(|k| f64::from(rows.features.row(i)[k]))).collect();
        let t: Vec<f64> = pick.iter().flat_map(|&i| y.row(i).iter().map(|&v| f64::from(v))).collect();
        let (o, _) = net.pass(&x, None);
        let n = o.len() as f64;
        let g: Vec<f64> = match sent {
            Sent::Derivative => o.iter().zip(&t).map(|(o, t)| 2.0 * (o - t) / n).collect(),
            Sent::Exact(kappa) => o.iter().zip(&t).map(|(o, t)| kappa * (o - t) / n).collect(),
            Sent::Swarm(loss) => {
                let mut g = vec![0.0; o.len()];
                let rng = Rng::new(5).at(step as u64);
                let batch = Batch { columns: 3, outputs: &o, targets: &t };
                let lane = Lane { workers: &Workers::default(), rng: &rng };
                loss.search(&mut swarms, Block::Element, batch, lane, &mut found);
                found.gradient(&o, &mut g);
                g.iter_mut().for_each(|g| *g /= n);
                g
            }
        };
        let (_, gradient) = net.pass(&x, Some(&g));
        adam.step(&mut net.weights, &gradient);
    }
    net.weights
}

fn gap(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Check 12: with the best outputs found, AdaSwarm is Adam on the squared error, whatever the loss and whatever kappa.
#[test]
fn adaswarm_is_adam_on_the_squared_error() {
    let control = run_f64(&Sent::Derivative, 150);
    let exact = gap(&control, &run_f64(&Sent::Exact(8.5), 150));
    println!("check 12, f64: exact g, kappa 8.5 against 2: {exact:.1e}");
    assert!(exact < 5e-5, "{exact}");
    for (name, loss) in
        [("mse", &Elementwise(Mse) as &dyn Loss<f64>), ("mae", &Elementwise(Mae)), ("bce", &Elementwise(Bce))]
    {
        let swarm = gap(&control, &run_f64(&Sent::Swarm(loss), 150));
        println!("check 12, f64: converged swarms on {name}: {swarm:.1e}");
        assert!(swarm < 1e-3, "{name}: {swarm}");
    }
    let moved = gap(&control, &Net::new(3).weights);
    assert!(moved > 0.5, "the control has hardly moved: {moved}");

    // The same through the tensor library in f32.
    let rows = iris();
    let theta = |optimizer: &str, loss: &str, search: Option<Search>| {
        let signal =
            search.map(|search| Signal::Swarm(SwarmSignal { search, ..SwarmSignal::default() }).fit(Output::Sigmoid));
        let training = Training {
            optimizer: optimizer.into(),
            loss: loss.into(),
            rate: Some(0.01),
            signal,
            shuffle: false,
            seed: 2,
            ..Training::default()
        };
        let mut trainer = Trainer::new(&training, &rows).unwrap();
        (0..50).for_each(|_| {
            trainer.epoch(&rows.features, &rows.target_rows()).unwrap();
        });
        weights::read(&trainer.model().unwrap(), Part::Trainable).into_iter().map(f64::from).collect::<Vec<_>>()
    };
    let control = theta("adam_on_mse", "mae", None);
    let sharp = Search { particles: 20, iterations: 120, ..Search::default() };
    for loss in ["mse", "mae"] {
        let swarm = gap(&control, &theta("adaswarm", loss, Some(sharp.clone())));
        println!("check 12, f32: swarms on {loss}: {swarm:.1e}");
        assert!(swarm < 1e-2, "{loss}: {swarm}");
    }
}

/// Mean element-wise accuracy (running, last epoch) over seeds, iris, the published protocol.
fn published(loss: &str, optimizer: &str, signal: Option<Signal>, text: Text, seeds: u64) -> f64 {
    let rows = iris();
    let epochs = match loss {
        "mse" => 50,
        "mae" => 100,
        _ => 40,
    };
    let one = |seed| {
        let training = Training { epochs, seed, ..Training::default() };
        let entry = swarmgrad_nn::optim::entry(optimizer).unwrap();
        let signal = signal.clone().unwrap_or_else(|| entry.signal()).fit(Output::Sigmoid);
        let rule: Box<dyn Rule<f32>> = Box::new(Adam::new(0.1).with_text(text));
        let loss = loss::entry(loss).unwrap().build(3);
        let mut trainer = Trainer::with_rule(&training, loss, signal, rule, &rows).unwrap();
        let y = rows.target_rows();
        (0..epochs).fold(f64::NAN, |_, _| trainer.epoch(&rows.features, &y).unwrap().running.element)
    };
    let accuracies: Vec<f64> = std::thread::scope(|scope| {
        let half = |from: u64| scope.spawn(move || (from..seeds).step_by(2).map(one).collect::<Vec<_>>());
        [half(0), half(1)].into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    100.0 * accuracies.iter().sum::<f64>() / seeds as f64
}

/// Checks 13 and 14.
#[test]
fn iris_by_the_published_protocol() {
    let swarm = |search: Search, block| Some(Signal::Swarm(SwarmSignal { search, block, ..SwarmSignal::default() }));
    for (loss, ours) in [("mse", 97.2), ("mae", 97.5), ("bce", 97.1)] {
        let element = published(loss, "adaswarm", None, Text::Corrected, 20);
        let control = published(loss, "adam_on_mse", None, Text::Corrected, 20);
        println!("check 13, {loss}: AdaSwarm {element:.2} (wanted {ours} +- 1.5), Adam on MSE {control:.2}");
        assert!((element - ours).abs() <= 1.5, "{loss}: {element}");
    }
    let adam = published("mae", "adam", None, Text::Corrected, 20);
    println!("check 13, mae: Adam on the loss {adam:.2} (wanted 75 +- 6)");
    assert!((adam - 75.0).abs() <= 6.0, "{adam}");
    let wrong = Search { kappa: Kappa::Fixed(-8.5), ..Search::default() };
    let wrong = published("mse", "adaswarm", swarm(wrong, None), Text::Corrected, 20);
    println!("check 13, mse: wrong sign {wrong:.2} (wanted < 50)");
    assert!(wrong < 50.0, "{wrong}");
    // The published numbers, whole-batch particles that see neither the output nor the target; then the same with the output in.
    let batch = Search { c1: 0.9, c2: 0.8, beta: 0.1, eta: Some(0.1), confine: Some([0.0, 1.0]), ..Search::default() };
    let batch = Search { draws: Pulls::PerParticle, momentum: false, ..batch };
    let blind = Search { start: Start::Blind { low: 0.0, high: 1.0 }, ..batch.clone() };
    let blind = published("mse", "adaswarm", swarm(blind, Some(Block::Batch)), Text::Corrected, 20);
    let sighted = published("mse", "adaswarm", swarm(batch, Some(Block::Batch)), Text::Corrected, 20);
    println!(
        "check 13, mse: whole-batch particles, uniform start {blind:.2} (wanted < 66), with the output among them {sighted:.2}"
    );
    assert!(blind < 66.0 && sighted > blind, "{blind}, {sighted}");
    let uncorrected = published("mse", "adam", None, Text::Uncorrected, 20);
    println!("check 14: no bias correction {uncorrected:.2} (wanted < 80)");
    assert!(uncorrected < 80.0, "{uncorrected}");
}

/// 200 points of y = 2 x + 7, x in \[-3, 3\].
fn line() -> Dataset {
    let x: Vec<f32> = (0..200).map(|i| -3.0 + 6.0 * i as f32 / 199.0).collect();
    let y = x.iter().map(|x| 2.0 * x + 7.0).collect();
    Dataset {
        name: "line".into(),
        features: Matrix::from_vec(1, x).unwrap(),
        feature_names: vec!["x".into()],
        targets: Targets::Numbers(y),
    }
}

/// Check 15: many wells and steps.
#[test]
fn losses_that_adam_cannot_follow() {
    let rows = line();
    let y = rows.target_rows();
    let error = |loss: &str, signal: Signal| {
        let errors: Vec<f64> = (0..3)
            .map(|seed| {
                let training = Training {
                    architecture: Architecture::Mlp {
                        hidden: vec![32],
                        activation: Activation::Tanh,
                        output: Output::Identity,
                    },
                    loss: loss.into(),
                    optimizer: "adam".into(),
                    rate: Some(0.05),
                    signal: Some(signal.clone()),
                    seed,
                    ..Training::default()
                };
                let mut trainer = Trainer::new(&training, &rows).unwrap();
                (0..250).for_each(|_| {
                    trainer.epoch(&rows.features, &y).unwrap();
                });
                let outputs = swarmgrad_nn::tensor::outputs(
                    &trainer.model().unwrap(),
                    &rows.features,
                    &Device::flex().autodiff(),
                );
                Loss::<f32>::value(&Elementwise(Mse), outputs.data(), y.data(), 1)
            })
            .collect();
        let mut sorted = errors;
        sorted.sort_by(f64::total_cmp);
        sorted[1]
    };
    let swarm = Search { start: Start::Range { low: -2.0, high: 16.0 }, ..Search::default() };
    let swarm = Signal::Swarm(SwarmSignal { search: swarm, ..SwarmSignal::default() });
    for loss in ["multi_well", "step"] {
        let (adam, element, prox) =
            (error(loss, Signal::Exact), error(loss, swarm.clone()), error(loss, Signal::proximal(5.0)));
        println!("check 15, {loss}: squared error of Adam {adam:.3}, AdaSwarm {element:.4}, prox {prox:.4}");
        assert!(adam > 1.0 && element < 0.05, "{loss}: Adam {adam}, AdaSwarm {element}, prox {prox}");
    }
}

/// Check 20, and the other nets.
#[test]
fn parameter_counts() {
    let device = Device::flex().autodiff();
    let image = Image { channels: 1, height: 28, width: 28 };
    let count = |architecture: Architecture, inputs| {
        let model = architecture.build(inputs, 10, &Rng::new(1), &device).unwrap();
        let zeros = TensorData::new(vec![0.5f32; 2 * inputs], [2, inputs]);
        let out = model.forward(Tensor::<2>::from_data(zeros, &device), Pass::Evaluate);
        assert_eq!(out.dims(), [2, 10]);
        weights::count(&model, Part::Trainable)
    };
    let output = Output::Softmax;
    assert_eq!(count(Architecture::Cnn { image, output }, 784), 1_199_882);
    assert_eq!(count(Architecture::lenet1(image, 10, output), 784), 2_112);
    assert_eq!(count(Architecture::Resnet18 { image, output }, 784), 11_172_810);
    assert_eq!(count(Architecture::Mlp { hidden: vec![32], activation: Activation::Relu, output }, 784), 25_450);
}

/// Every derivative equals a difference quotient of its loss.
#[test]
fn derivatives_are_derivatives() {
    let (columns, rows) = (3, 4);
    let mut outputs = vec![0.0f32; columns * rows];
    Rng::new(4).row(0).fill_uniform(&mut outputs);
    outputs.iter_mut().for_each(|o| *o = 0.1 + 0.8 * *o);
    let mut targets = vec![0.0f32; columns * rows];
    targets.chunks_mut(columns).enumerate().for_each(|(i, row)| row[i % columns] = 1.0);
    for entry in loss::LOSSES.iter().filter(|entry| entry.differentiable) {
        let loss = entry.build(columns);
        let mut slopes = vec![0.0f32; outputs.len()];
        assert!(loss.derivative(&outputs, &targets, columns, &mut slopes));
        for i in 0..outputs.len() {
            let at = |step: f32| {
                let mut moved = outputs.clone();
                moved[i] += step;
                loss.value(&moved, &targets, columns)
            };
            let quotient = (at(1e-2) - at(-1e-2)) / 2e-2;
            let gap = (f64::from(slopes[i]) - quotient).abs();
            assert!(gap < 2e-3 + 2e-3 * quotient.abs(), "{} [{i}]: {} against {quotient}", entry.name, slopes[i]);
        }
    }
}

/// A trained model survives a file, and a broken file says so.
#[test]
fn a_model_is_saved_and_read_back() {
    let table = data::load("wine", Preset::Full).unwrap();
    let split = table.split(0.25, &Rng::new(1)).unwrap();
    let parts = table.parts(&split, &Preset::Full.options()).unwrap();
    let training = Training { rate: Some(0.01), ..Training::default() };
    let mut trainer = Trainer::new(&training, &parts.train).unwrap();
    let y = parts.train.target_rows();
    (0..30).for_each(|_| {
        trainer.epoch(&parts.train.features, &y).unwrap();
    });
    let score = trainer.score(&parts.test.features, &parts.test.target_rows());
    assert!(score.argmax > 0.9, "{score:?}");
    let saved = Saved::new(trainer.weights(), &training, &parts.preprocessing, "wine");
    let folder = std::env::temp_dir().join(format!("swarmgrad-model-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("wine.model");
    saved.write(&path).unwrap();
    let back = Saved::read(&path).unwrap();
    assert_eq!(back, saved);
    let outputs = back.predict(&parts.test.features).unwrap();
    let again = swarmgrad_nn::train::score(&*loss::entry("mse").unwrap().build(3), &outputs, &parts.test.target_rows());
    assert_eq!(again, score);
    let bytes = std::fs::read(&path).unwrap();
    for (name, broken) in
        [("cut", &bytes[..bytes.len() - 5]), ("empty", &bytes[..0]), ("alien", b"PK\x03\x04 something else")]
    {
        std::fs::write(&path, broken).unwrap();
        let why = Saved::read(&path).unwrap_err().to_string();
        assert!(why.contains("wine.model"), "{name}: {why}");
    }
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&path, changed).unwrap();
    assert!(Saved::read(&path).unwrap_err().to_string().contains("checksum"));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Check 18 in networks: the weights do not depend on the threads of the swarms, and a seed means a run.
#[test]
fn one_seed_one_network() {
    let rows = iris();
    let weights = |threads: usize, seed: u64| {
        let training = Training { loss: "mae".into(), rate: Some(0.1), seed, ..Training::default() };
        let mut trainer = Trainer::new(&training, &rows).unwrap().workers(Workers::new(threads).unwrap());
        let epochs: Vec<_> = (0..5).map(|_| trainer.epoch(&rows.features, &rows.target_rows()).unwrap()).collect();
        // 10 particles, 40 moves, 150 rows of 3 outputs, 5 epochs.
        assert_eq!(epochs[4].evaluations, 10 * 41 * 450 * 5);
        weights::read(&trainer.model().unwrap(), Part::Trainable)
    };
    let one = weights(1, 1);
    assert_eq!(one, weights(2, 1));
    assert_eq!(one, weights(8, 1));
    assert_ne!(one, weights(1, 2));
}

/// The same signal with its swarms run whatever can be computed.
fn run(mut signal: Signal) -> Signal {
    if let Signal::Swarm(swarm) = &mut signal {
        swarm.run = true;
    }
    signal
}

/// Convex losses: what is sent back never points uphill (the sound core of the method), element by element.
#[test]
fn what_is_sent_back_points_downhill() {
    use swarmgrad_nn::signal::Sender;
    let mut outputs = vec![0.0f32; 60];
    Rng::new(8).row(0).fill_uniform(&mut outputs);
    let targets: Vec<f32> = (0..60).map(|i| (i % 3 == i / 3 % 3) as u8 as f32).collect();
    for name in ["mse", "mae", "bce", "huber"] {
        let loss = loss::entry(name).unwrap().build(3);
        for signal in [Signal::swarm().fit(Output::Sigmoid), Signal::proximal(1.0), run(Signal::proximal(1.0))] {
            let computed = signal == Signal::proximal(1.0);
            assert_eq!(signal.is_computed(&*loss, 3), computed, "{name}");
            let mut sender = Sender::new(signal, &*loss, 3).unwrap();
            let (mut sent, mut exact) = (vec![0.0f32; 60], vec![0.0f32; 60]);
            let evaluations = {
                let batch = Batch { columns: 3, outputs: &outputs, targets: &targets };
                let lane = Lane { workers: &Workers::default(), rng: &Rng::new(1) };
                sender.send(&*loss, batch, lane, &mut sent).unwrap()
            };
            assert_eq!(evaluations, if computed { 0 } else { 10 * 41 * 60 });
            assert!(loss.derivative(&outputs, &targets, 3, &mut exact));
            let uphill = sent.iter().zip(&exact).filter(|(s, e)| *s * *e < -1e-12).count();
            assert_eq!(uphill, 0, "{name}: {sent:?} against {exact:?}");
        }
    }
}

/// Of a squared error the smoothed envelope has the gradient 2 (w - t) / (1 + 2 alpha sigma^2); of a 0-1 loss it points away from
/// wrong classes, and a block without any loss sends nothing.
#[test]
fn a_clouds_consensus_sends_the_gradient_of_the_smoothed_envelope() {
    use swarmgrad_nn::signal::Sender;
    let send = |loss: &dyn Loss, signal: Signal, outputs: &[f32], targets: &[f32], columns| {
        let mut sent = vec![0.0f32; outputs.len()];
        let batch = Batch { columns, outputs, targets };
        let lane = Lane { workers: &Workers::default(), rng: &Rng::new(3) };
        let evaluations = Sender::new(signal, loss, columns).unwrap().send(loss, batch, lane, &mut sent).unwrap();
        (sent, evaluations)
    };
    let (alpha, sigma, pairs) = (2.0, 0.5, 20_000);
    let signal = Signal::Consensus { alpha, sigma, pairs };
    let (outputs, targets) = ([0.9f32, -0.4, 2.0], [0.2f32, 0.6, 2.0]);
    let (sent, evaluations) = send(&Elementwise(Mse), signal.clone(), &outputs, &targets, 3);
    assert_eq!(evaluations, 2 * 20_000 * 3);
    for ((w, t), sent) in outputs.iter().zip(&targets).zip(&sent) {
        let exact = 2.0 * (w - t) / (1.0 + 2.0 * 2.0 * 0.25) / 3.0;
        assert!((sent - exact).abs() < 0.01, "{sent} against {exact}");
    }
    let zero_one = loss::entry("zero_one").unwrap().build(2);
    let (sent, _) = send(&*zero_one, signal.clone(), &[0.6, 0.4], &[0.0, 1.0], 2);
    assert!(sent[0] > 0.1 && sent[1] < -0.1, "{sent:?}");
    let nothing = loss::closure(|_: f32, _: f32| f32::NAN);
    assert_eq!(send(&nothing, signal, &[0.6], &[0.0], 1).0, [0.0]);
    let refused = |alpha| Signal::Consensus { alpha, sigma: 1.0, pairs: 1 }.check(&Elementwise(Mse)).is_err();
    assert!(refused(0.0) && refused(f64::NAN) && !refused(1.0));
}

/// A line with normal noise, 400 rows, in units of `unit`.
fn noisy_line(rng: &Rng, unit: f32, outliers: bool) -> Dataset {
    let mut draws = rng.row(0);
    let (mut features, mut y) = (Matrix::empty(1), Vec::new());
    for _ in 0..400 {
        let x = 2.0 * draws.uniform() - 1.0;
        features.push(&[x as f32]);
        let (noise, hit) = (draws.normal(), draws.uniform() < 0.1);
        y.push(unit * if outliers && hit { 20.0 } else { (x + 0.5 * noise) as f32 });
    }
    Dataset { name: "noisy line".into(), features, feature_names: vec!["x".into()], targets: Targets::Numbers(y) }
}

/// The loss on fresh rows, the share of them at or below the answer, and the epochs in which the loss had become the squared error.
fn asked(loss: &str, optimizer: &str, signal: Option<Signal>, outliers: bool) -> (f64, f64, u64) {
    let (mut value, mut below, mut squared) = (0.0, 0.0, 0);
    for seed in 0..3 {
        let rng = Rng::new(seed);
        let (rows, test) = (noisy_line(&rng, 1.0, outliers), noisy_line(&rng.fork("test"), 1.0, false));
        let training = Training {
            architecture: Architecture::Mlp {
                hidden: vec![10],
                activation: Activation::Relu,
                output: Output::Identity,
            },
            loss: loss.into(),
            optimizer: optimizer.into(),
            rate: Some(0.01),
            signal: signal.clone(),
            epochs: 40,
            batch: 32,
            seed,
            ..Training::default()
        };
        let mut trainer = Trainer::new(&training, &rows).unwrap();
        for _ in 0..training.epochs {
            squared = trainer.epoch(&rows.features, &rows.target_rows()).unwrap().squared_error;
        }
        let (outputs, wanted) = (trainer.outputs(&test.features), test.target_rows());
        value += trainer.score(&test.features, &wanted).loss / 3.0;
        let hits = outputs.data().iter().zip(wanted.data()).filter(|(o, t)| t <= o).count();
        below += hits as f64 / 1200.0;
    }
    (value, below, squared)
}

/// What is trained is the loss that was asked for: a swarm's signals reach the quantile, and the loss of the derivative.
/// `reproduce adaswarm/asked-loss` does so for eight sets.
#[test]
fn the_loss_that_was_asked_for_is_trained() {
    const WAYS: [&str; 3] = ["adaswarm", "adaswarm_prox", "adaswarm_consensus"];
    for (loss, outliers, quantile) in
        [("quantile:0.9", false, 0.9), ("quantile:0.1", false, 0.1), ("mae", true, 0.5), ("huber:0.5", true, 0.5)]
    {
        let (best, covered, _) = asked(loss, "adam", None, outliers);
        println!("{loss}: derivative {best:.4}, below {covered:.3}");
        for way in WAYS {
            let (value, below, squared) = asked(loss, way, None, outliers);
            println!("{loss}: {way} {value:.4}, below {below:.3}");
            assert!(value < 1.03 * best, "{loss}, {way}: {value} against {best}");
            let aim = if outliers { covered } else { quantile };
            assert!((below - aim).abs() < 0.05, "{loss}, {way}: {below} of the rows below, not {aim}");
            assert_eq!(squared, 0, "{loss}, {way}");
        }
    }
}

/// A swarm without the residuals' lengths learns the mean, and says so.
#[test]
fn a_loss_that_has_become_the_squared_error_is_told() {
    // Swarms that find the label.
    let search = Search { start: Start::Around { span: 3.0 }, particles: 20, iterations: 60, ..Search::default() };
    let paper = Signal::Swarm(SwarmSignal { search, ..SwarmSignal::default() });
    let (_, below, squared) = asked("quantile:0.9", "adaswarm", Some(paper.clone()), false);
    assert!(below < 0.7 && squared == 40, "{below} {squared}");
    // Of the squared error itself there is nothing to tell, and a derivative is what it is.
    assert_eq!(asked("mse", "adaswarm", Some(paper), false).2, 0);
    assert_eq!(asked("quantile:0.9", "adam_on_mse", None, false).2, 0);
}

/// The lengths of a scaled signal follow the residuals: in other units the same direction is sent, and the same slope.
#[test]
fn scaled_signals_do_not_depend_on_the_units() {
    use swarmgrad_nn::signal::Sender;
    let targets: Vec<f32> = (0..64).map(|i| (i as f32 * 0.7).sin()).collect();
    let outputs = vec![0.1f32; 64];
    let loss = loss::entry("quantile:0.9").unwrap().build(1);
    let send = |signal: &Signal, unit: f32, progress: f64| {
        let signal = signal.clone().scaled_for("quantile:0.9", true);
        assert!(matches!(signal, Signal::Scaled(_)));
        let computed = signal.is_computed(&*loss, 1);
        let mut sender = Sender::new(signal, &*loss, 1).unwrap();
        sender.progress(progress);
        let (mut sent, times) = (vec![0.0f32; 64], |all: &[f32]| all.iter().map(|t| unit * t).collect::<Vec<f32>>());
        let (outputs, targets) = (times(&outputs), times(&targets));
        let batch = Batch { columns: 1, outputs: &outputs, targets: &targets };
        let lane = Lane { workers: &Workers::default(), rng: &Rng::new(2) };
        let evaluations = sender.send(&*loss, batch, lane, &mut sent).unwrap();
        // Two for the slope that a proximity follows.
        assert!(if computed { evaluations == 2 * 64 } else { evaluations > 64 * 200 }, "{evaluations}");
        sent
    };
    let gap = |a: &[f32], b: &[f32]| {
        let norm = |all: &mut dyn Iterator<Item = f32>| all.map(|t| t * t).sum::<f32>().sqrt();
        norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
    };
    let consensus = Signal::Consensus { alpha: 5.0, sigma: 0.3, pairs: 100 };
    for signal in [Signal::swarm(), Signal::proximal(1.0), run(Signal::proximal(1.0)), consensus] {
        let (one, million) = (send(&signal, 1.0, 1.0), send(&signal, 1e6, 1.0));
        assert!(gap(&one, &million) < 0.02, "{signal:?}: {}", gap(&one, &million));
    }
    let bounded = Signal::swarm().scaled_for("quantile:0.9", false);
    assert_eq!(bounded, Signal::swarm());
    assert_eq!(Signal::swarm().scaled_for("multi_well", true), Signal::swarm());
}

/// At the end of training a signal is the gradient of its envelope, whose length h is .02 s: the secant's is the derivative itself but
/// within h of a kink, prox's is (w - y) / tau cut off at the slopes, the cloud's an integral. Over twenty seeds the mean of what is sent
/// is off by its standard error alone: the mean square of 64 errors in units of it is 1.12 +- .25 (Student's square, 19 degrees), and
/// 2 is four deviations above.
#[test]
fn scaled_signals_send_the_gradients_of_their_envelopes() {
    use swarmgrad_nn::signal::Sender;
    let (n, q) = (64, 0.9);
    let targets: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
    let outputs = vec![0.1f32; n];
    let loss = loss::entry("quantile:0.9").unwrap().build(1);
    let batch = Batch { columns: 1, outputs: &outputs, targets: &targets };
    let pinball = |o: f64, y: f64| if o < y { q * (y - o) } else { (1.0 - q) * (o - y) };
    // s, h and the largest slope over a distance s, by hand.
    let upper = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let y: Vec<f64> = targets.iter().map(|&t| f64::from(t)).collect();
    let w = f64::from(0.1f32);
    let middle = upper(y.iter().map(|y| w - y).collect());
    let s = 1.4826 * upper(y.iter().map(|y| (w - y - middle).abs()).collect());
    let (h, c) =
        (0.02 * s, y.iter().map(|&y| (pinball(w + s, y) - pinball(w - s, y)).abs() / (2.0 * s)).fold(0.0, f64::max));
    let (tau, alpha) = (h / c, 1.0 / (h * c));
    let cloud = |y: f64| {
        let (mut above, mut below) = (0.0, 0.0);
        for k in -8000..=8000 {
            let z = f64::from(k) * 1e-3;
            let weight = (-0.5 * z * z - alpha * (pinball(w + h * z, y) - pinball(w, y))).exp();
            (above, below) = (above - z * weight, below + weight);
        }
        above / below / (alpha * h)
    };
    let envelopes: [(Signal, Vec<f64>); 2] = [
        (run(Signal::proximal(1.0)), y.iter().map(|y| ((w - y) / tau).clamp(-q, 1.0 - q)).collect()),
        (Signal::Consensus { alpha: 5.0, sigma: 0.3, pairs: 100 }, y.iter().map(|&y| cloud(y)).collect()),
    ];
    let sent = |signal: &Signal, seed: u64| {
        let mut sender = Sender::new(signal.clone().scaled_for("quantile:0.9", true), &*loss, 1).unwrap();
        sender.progress(1.0);
        let mut sent = vec![0.0f32; n];
        sender.send(&*loss, batch, Lane { workers: &Workers::default(), rng: &Rng::new(seed) }, &mut sent).unwrap();
        sent.into_iter().map(|g| n as f64 * f64::from(g)).collect::<Vec<_>>()
    };
    for (signal, wanted) in &envelopes {
        let runs: Vec<Vec<f64>> = (0..20).map(|seed| sent(signal, seed)).collect();
        let mut square = 0.0;
        for (i, wanted) in wanted.iter().enumerate() {
            let mean = runs.iter().map(|run| run[i]).sum::<f64>() / 20.0;
            let variance = runs.iter().map(|run| (run[i] - mean).powi(2)).sum::<f64>() / 19.0 / 20.0;
            square += (mean - wanted).powi(2) / variance / n as f64;
        }
        println!("mean square error of 64 gradients {square:.2} in standard errors");
        assert!(square < 2.0, "{signal:?}: {square}");
    }
    // What is computed is prox's as it is defined.
    for (sent, wanted) in sent(&Signal::proximal(1.0), 2).into_iter().zip(&envelopes[0].1) {
        assert!((sent - wanted).abs() < 1e-4, "{sent} against {wanted}");
    }
    // The secant, farther than h from the kink.
    for (sent, y) in sent(&Signal::swarm(), 2).into_iter().zip(&y).filter(|(_, y)| (w - **y).abs() > h) {
        let slope = if w < *y { -q } else { 1.0 - q };
        assert!((sent - slope).abs() < 1e-3, "{sent} against {slope} at {y}");
    }
}

/// A loss's parameter is heard, and a bad one is an error with its name, value and rule.
#[test]
fn losses_have_parameters() {
    let value = |loss: &str| loss::entry(loss).unwrap().build(1).value(&[0.0], &[3.0], 1);
    assert!((value("quantile:0.25") - 0.75).abs() < 1e-6 && (value("quantile") - 1.5).abs() < 1e-6);
    assert!((value("huber:2") - 4.0).abs() < 1e-6 && (value("huber") - 2.5).abs() < 1e-6);
    assert_eq!(value("quantile90"), value("quantile:.9"));
    let quantile = "must be a number between 0 and 1, both excluded";
    for (text, message) in [
        ("quantile:1", format!("loss quantile:q = 1: {quantile}")),
        ("quantile:-0.1", format!("loss quantile:q = -0.1: {quantile}")),
        ("quantile:most", format!("loss quantile:q = most: {quantile}")),
        ("quantile:nan", format!("loss quantile:q = nan: {quantile}")),
        ("huber:0", "loss huber:delta = 0: must be a finite number above 0".into()),
        ("huber:inf", "loss huber:delta = inf: must be a finite number above 0".into()),
        ("mae:2", "loss = mae:2: mae has no parameter; huber:delta and quantile:q have one".into()),
        ("quantle:0.5", "unknown loss 'quantle', did you mean 'quantile'?".into()),
        ("exec: ", "loss exec = '': must name a command".into()),
    ] {
        assert_eq!(loss::entry(text).unwrap_err().to_string(), message);
    }
}

/// A program's loss: what it prints is the value, and whatever goes wrong is an error that says what.
#[cfg(unix)]
#[test]
fn a_program_computes_a_loss() {
    use std::time::Duration;
    use swarmgrad_nn::loss::Program;
    // Another slope on either side: the prediction comes first.
    let tilted = "while read p y; do echo \"$p $y\" | awk '{ d = $1 - $2; print (d < 0) ? -d : 3 * d }'; done";
    let program = loss::entry(&format!("exec:{tilted}")).unwrap().build(1);
    assert_eq!(program.value(&[1.5, -2.0], &[1.0, 2.0], 1), 2.75);
    let mut blocks = Vec::new();
    program.blocks(Block::Element, 1, &[1.5, -2.0], &[1.0, 2.0], &mut blocks);
    assert_eq!(blocks, [1.5, 4.0]);
    assert!(program.check().is_ok() && !program.derivative(&[1.0], &[1.0], 1, &mut [0.0]));
    for (command, message) in [
        ("read line; echo much", "answered 'much' to '1 2', which is no number"),
        ("read line; echo oh dear >&2; exit 3", "ended without an answer to '1 2'; it said: oh dear"),
        ("cat > /dev/null", "gave no answer to '1 2' within 0.3 s; does it flush what it prints?"),
        ("/no/such/program", "ended without an answer to '1 2'"),
    ] {
        let program = Program::new(command.into()).patience(Duration::from_millis(300));
        assert!(Loss::value(&program, &[1.0], &[2.0], 1).is_nan());
        let why = program.check().unwrap_err().to_string();
        assert!(why.contains(message) && why.contains(command), "{why}");
    }
}
