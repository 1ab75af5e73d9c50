//! Populations of networks against the tensor library and against arithmetic written out.

use std::sync::Arc;
use swarmgrad_core::{BatchProblem, Matrix, Problem, Rng, Rows, Workers};
use swarmgrad_nn::data::{Dataset, Targets};
use swarmgrad_nn::loss::{self, Loss};
use swarmgrad_nn::model::{Activation, Architecture, Image, Layer, Output};
use swarmgrad_nn::population::{Frozen, Population};
use swarmgrad_nn::tensor::weights::{self, Part};
use swarmgrad_nn::tensor::{Device, outputs};

/// Rows of uniform numbers with random classes.
fn dataset(rows: usize, dim: usize, classes: usize) -> Arc<Dataset> {
    let mut numbers = vec![0.0f32; rows * dim];
    Rng::new(5).row(0).fill_uniform(&mut numbers);
    let mut draws = vec![0.0f64; rows];
    Rng::new(6).row(0).fill_uniform(&mut draws);
    Arc::new(Dataset {
        name: "random".into(),
        features: Matrix::from_vec(dim, numbers).unwrap(),
        feature_names: (0..dim).map(|k| format!("x{k}")).collect(),
        targets: Targets::Classes {
            labels: draws.iter().map(|u| (u * classes as f64) as usize).collect(),
            names: (0..classes).map(|k| format!("c{k}")).collect(),
        },
    })
}

fn points(count: usize, dim: usize, deviation: f32) -> Matrix<f32> {
    let mut numbers = vec![0.0f32; count * dim];
    Rng::new(7).row(0).fill_normal(&mut numbers);
    numbers.iter_mut().for_each(|x| *x *= deviation);
    Matrix::from_vec(dim, numbers).unwrap()
}

fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "number {i}: {a} and {b}");
    }
}

/// Nets of every kind of layer, odd sizes among them.
fn nets() -> Vec<(Architecture, usize)> {
    let image = |channels, height, width| Image { channels, height, width };
    let tanh = Layer::Activation(Activation::Tanh);
    vec![
        (Architecture::Mlp { hidden: vec![], activation: Activation::Relu, output: Output::Identity }, 7),
        (Architecture::Mlp { hidden: vec![13, 9], activation: Activation::Relu, output: Output::Softmax }, 5),
        (Architecture::Mlp { hidden: vec![6], activation: Activation::Sigmoid, output: Output::Sigmoid }, 3),
        (Architecture::shallow(11, 3, Output::Identity), 11),
        (Architecture::lenet1(image(1, 28, 28), 3, Output::Identity), 784),
        (Architecture::lenet1(image(3, 17, 19), 3, Output::Softmax), 3 * 17 * 19),
        (
            Architecture::Layers {
                image: image(2, 9, 7),
                layers: vec![
                    Layer::BatchNorm,
                    Layer::Conv { maps: 5, size: 3 },
                    tanh,
                    Layer::MaxPool { size: 3 },
                    Layer::ConvEach { kernels: 2, size: 1 },
                    Layer::Activation(Activation::Relu),
                    Layer::Dense { outputs: 3 },
                ],
                output: Output::Identity,
            },
            126,
        ),
    ]
}

/// With frozen statistics a population's network is the tensor library's, from one weight vector, for odd numbers of samples.
#[test]
fn agrees_with_the_tensor_library() {
    for (architecture, dim) in nets() {
        let data = dataset(77, dim, 3);
        let population = Population::new(&architecture, data.clone(), "mse").unwrap();
        let device = Device::flex();
        let trained = architecture.build(dim, 3, &Rng::new(1), &Device::flex().autodiff()).unwrap();
        assert_eq!(weights::count(&trained, Part::Trainable), population.space().dim(), "{architecture:?}");
        let point = points(1, population.space().dim(), 0.4);
        let frozen = population.freeze(point.row(0), 50).unwrap();
        let ours = frozen.outputs(&data.features).unwrap();
        let theirs = outputs(&frozen.model().unwrap(), &data.features, &device);
        close(ours.data(), theirs.data(), 2e-5);
        // What is saved of it answers with the same bits.
        let state = frozen.weights();
        let read = Frozen::of(&architecture, [dim, 3], &state).unwrap();
        assert_eq!(read.outputs(&data.features).unwrap().data(), ours.data(), "{architecture:?}");
        let short = Frozen::of(&architecture, [dim, 3], &state[1..]).unwrap_err().to_string();
        assert!(short.contains(&format!("{}", state.len() - 1)), "{short}");
    }
}

/// The kernels know no scales and shifts of a normalisation: a model that has some is refused.
#[test]
fn a_normalisation_that_scales_is_refused() {
    let net = Architecture::shallow(11, 3, Output::Identity);
    let (weights, why) = (12 * 3, "its batch normalisation has an affine part");
    let state = |scale: f32, shift: f32| {
        let statistics = [[scale; 3], [shift; 3], [0.5; 3], [2.0; 3]].concat();
        [&vec![0.1; weights][..], &statistics].concat()
    };
    assert!(Frozen::of(&net, [11, 3], &state(1.0, 0.0)).is_ok());
    for (scale, shift) in [(2.0, 0.0), (1.0, 0.5)] {
        let refused = Frozen::of(&net, [11, 3], &state(scale, shift)).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

/// Inputs that are 0 in a whole batch are left out of the first layer: outputs do not change, runs across the kernel's stretches
/// included, and a weight that is not finite is still found.
#[test]
fn inputs_that_are_zero_throughout_change_nothing() {
    let dim = 230;
    let mut data = Arc::unwrap_or_clone(dataset(150, dim, 3));
    for (k, row) in data.features.iter_mut().enumerate() {
        for (i, x) in row.iter_mut().enumerate() {
            // Some inputs are never there, some only in rows beyond the first panel.
            let there = i % 7 < 4 && !(40..60).contains(&i) && !(95..97).contains(&i) && i < 225 || i == 50 && k > 70;
            *x = if there { *x } else { 0.0 };
        }
    }
    let data = Arc::new(data);
    let mlp = Architecture::Mlp { hidden: vec![13], activation: Activation::Relu, output: Output::Identity };
    let population = Population::new(&mlp, data.clone(), "mse").unwrap();
    let point = points(1, population.space().dim(), 0.4);
    let frozen = population.freeze(point.row(0), 50).unwrap();
    let theirs = outputs(&frozen.model().unwrap(), &data.features, &Device::flex());
    for rows in [150, 70, 3, 1] {
        let some = Matrix::from_vec(dim, data.features.data()[..rows * dim].to_vec()).unwrap();
        close(frozen.outputs(&some).unwrap().data(), &theirs.data()[..rows * 3], 2e-5);
    }
    let value = |at: Option<usize>, weight: f32| {
        let mut xs = point.clone();
        at.into_iter().for_each(|i| xs.row_mut(0)[13 * i + 4] = weight);
        let mut out = [0.0];
        population.values_on(&(0..60).collect::<Vec<_>>(), xs.rows(), &mut out);
        out[0]
    };
    for dead in [4, 45, 50, 95, 96, 229] {
        assert_eq!(value(Some(dead), 1e30), value(None, 0.0), "input {dead}");
        for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!value(Some(dead), broken).is_finite(), "input {dead}, weight {broken}");
        }
    }
}

/// With the batch's own statistics: the shallow net's loss, written out.
#[test]
fn losses_written_out() {
    for samples in [2, 60, 64, 130] {
        let data = dataset(200, 11, 3);
        let population =
            Population::new(&Architecture::shallow(11, 3, Output::Identity), data.clone(), "cross_entropy").unwrap();
        let xs = points(5, population.space().dim(), 1.0);
        let batch: Vec<usize> = (0..samples).map(|k| (7 * k + 3) % 200).collect();
        let mut values = vec![0.0; 5];
        population.values_on(&batch, xs.rows(), &mut values);
        for (x, value) in xs.iter().zip(values) {
            let mut z = vec![[0.0f64; 3]; samples];
            for (z, &row) in z.iter_mut().zip(&batch) {
                for (o, z) in z.iter_mut().enumerate() {
                    let sum: f64 =
                        (0..11).map(|i| f64::from(data.features.row(row)[i]) * f64::from(x[3 * i + o])).sum();
                    *z = (sum + f64::from(x[33 + o])).max(0.0);
                }
            }
            for o in 0..3 {
                let mean = z.iter().map(|z| z[o]).sum::<f64>() / samples as f64;
                let variance = z.iter().map(|z| (z[o] - mean).powi(2)).sum::<f64>() / (samples as f64 - 1.0);
                z.iter_mut().for_each(|z| z[o] = (z[o] - mean) / (variance + 1e-4).sqrt());
            }
            let label = |row: usize| data.labels().unwrap()[row];
            let loss =
                z.iter().zip(&batch).map(|(z, &row)| z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[label(row)]);
            let expected = loss.sum::<f64>() / samples as f64;
            assert!((f64::from(value) - expected).abs() < 2e-5 * expected, "{samples}: {value} and {expected}");
        }
    }
}

/// Any loss on rows of outputs, a step function among them, equals the same loss of the tensor library's outputs.
#[test]
fn any_loss() {
    let architecture = Architecture::Mlp { hidden: vec![8], activation: Activation::Relu, output: Output::Sigmoid };
    let data = dataset(90, 6, 3);
    for name in ["mse", "mae", "bce", "zero_one", "f1"] {
        let population = Population::new(&architecture, data.clone(), name).unwrap().scaled(0.5);
        let xs = points(3, population.space().dim(), 1.0);
        let mut values = vec![0.0; 3];
        population.values(xs.rows(), &mut values);
        let loss: Box<dyn Loss> = loss::entry(name).unwrap().build(3);
        for (x, value) in xs.iter().zip(values) {
            let device = Device::flex();
            let empty = architecture.build(6, 3, &Rng::new(0), &device).unwrap();
            let model = weights::write(empty, x, Part::All).unwrap();
            let expected =
                0.5 * loss.value(outputs(&model, &data.features, &device).data(), data.target_rows().data(), 3);
            assert!((f64::from(value) - expected).abs() < 1e-4 * (1.0 + expected), "{name}: {value} and {expected}");
        }
    }
}

/// Values do not depend on threads, on the other points, or on what was evaluated before.
#[test]
fn values_stand_alone() {
    let data = dataset(300, 784, 10);
    let architecture = Architecture::lenet1(Image { channels: 1, height: 28, width: 28 }, 10, Output::Identity);
    let one = Population::new(&architecture, data.clone(), "cross_entropy").unwrap();
    let two = Population::new(&architecture, data, "cross_entropy").unwrap().workers(Workers::new(2).unwrap());
    let xs = points(7, one.space().dim(), 0.3);
    let (batch, other) = ((0..60).collect::<Vec<_>>(), (100..170).collect::<Vec<_>>());
    let values = |population: &Population, batch: &[usize], xs: Rows<'_, f32>| {
        let mut values = vec![0.0; xs.len()];
        population.values_on(batch, xs, &mut values);
        values
    };
    let expected = values(&one, &batch, xs.rows());
    assert_eq!(expected, values(&two, &batch, xs.rows()));
    assert_ne!(expected, values(&two, &other, xs.rows()));
    assert_eq!(expected, values(&two, &batch, xs.rows()));
    assert_eq!(expected[3..4], values(&one, &batch, xs.rows().slice(3, 4)));
}

/// A network that cannot be a population, sizes that do not fit, weights that overflow.
#[test]
fn errors_and_overflow() {
    let data = dataset(20, 784, 10);
    let image = Image { channels: 1, height: 28, width: 28 };
    let cnn = Architecture::Cnn { image, output: Output::Softmax };
    let why =
        |architecture: &Architecture| Population::new(architecture, data.clone(), "mse").err().unwrap().to_string();
    assert!(why(&cnn).contains("lists of layers"));
    let wide = Architecture::shallow(784, 9, Output::Identity);
    assert!(why(&wide).contains("9"), "{}", why(&wide));
    let small = Image { channels: 784, height: 1, width: 1 };
    assert!(why(&Architecture::lenet1(small, 10, Output::Identity)).contains("image = 1 x 1: too small"));
    let population = Population::new(&Architecture::shallow(784, 10, Output::Identity), data, "cross_entropy").unwrap();
    let mut point = vec![3e38f32; population.space().dim()];
    assert!(!population.value(&point).is_finite());
    point.fill(0.0);
    assert!((population.value(&point) - 10f32.ln()).abs() < 1e-6);
    assert!(population.freeze(&point[1..], 10).is_err());
}

/// A trainer continues from its saved state to the same bits, and refuses that of another training.
#[test]
fn a_swarm_continues_from_its_state() {
    use std::ops::ControlFlow;
    use swarmgrad_nn::train::{Swarm, SwarmTrainer, Training};
    let data = dataset(150, 6, 3);
    let training = Training {
        architecture: Architecture::shallow(6, 3, Output::Identity),
        loss: "cross_entropy".into(),
        optimizer: "pso_sde".into(),
        swarm: Some(Swarm::named("pso_sde", Default::default()).unwrap()),
        batch: 40,
        ..Training::default()
    };
    let mut whole = SwarmTrainer::new(&training, data.clone()).unwrap();
    let epochs = |trainer: &mut SwarmTrainer, epochs: usize| {
        for _ in 0..epochs {
            trainer.watched_epoch(&mut |_| ControlFlow::Continue(())).unwrap();
        }
    };
    epochs(&mut whole, 3);
    let state = whole.save(&training).unwrap();
    epochs(&mut whole, 4);
    let mut second = SwarmTrainer::new(&training, data.clone()).unwrap();
    second.restore(&state, &training).unwrap();
    epochs(&mut second, 4);
    assert_eq!(whole.weights(), second.weights());
    let [a, b] =
        [whole.last(), second.last()].map(|last| (last.epoch, last.steps, last.evaluations, last.running.loss));
    assert_eq!(a, b);
    // The first batch evaluates the start instead of the memories: two evaluations of 100 networks on every row.
    assert_eq!((a.0, a.1, a.2), (7, 28, 7 * 200 * 150));
    let other = Training { seed: 9, ..training.clone() };
    let why = SwarmTrainer::new(&other, data).unwrap().restore(&state, &other).unwrap_err().to_string();
    assert!(why.contains("another"), "{why}");
}

/// An evolution strategy trains without a gradient too, continues from its state to the same bits, and counts its passes.
#[test]
fn an_evolution_strategy_trains_and_continues() {
    use std::ops::ControlFlow;
    use swarmgrad_nn::train::{Swarm, SwarmTrainer, Training};
    let data = dataset(150, 6, 3);
    let settings = serde_json::json!({ "particles": 20, "learning_rate": 0.3, "deviation": 0.5 });
    let training = Training {
        architecture: Architecture::shallow(6, 3, Output::Identity),
        loss: "cross_entropy".into(),
        optimizer: "open_es".into(),
        swarm: Some(Swarm::named("open_es", settings.as_object().unwrap().clone()).unwrap()),
        batch: 40,
        ..Training::default()
    };
    let mut whole = SwarmTrainer::new(&training, data.clone()).unwrap();
    let rows = data.target_rows();
    let mut losses = Vec::new();
    let mut epochs = |trainer: &mut SwarmTrainer, epochs: usize| {
        for _ in 0..epochs {
            trainer.watched_epoch(&mut |_| ControlFlow::Continue(())).unwrap();
            losses.push(trainer.score(&data.features, &rows).unwrap().loss);
        }
    };
    epochs(&mut whole, 10);
    let state = whole.save(&training).unwrap();
    epochs(&mut whole, 20);
    let mut second = SwarmTrainer::new(&training, data.clone()).unwrap();
    second.restore(&state, &training).unwrap();
    epochs(&mut second, 20);
    assert_eq!(whole.weights(), second.weights());
    let counts = [whole.last(), second.last()].map(|last| (last.epoch, last.steps, last.evaluations));
    assert_eq!(counts, [(30, 120, 30 * 20 * 150); 2]);
    assert!(losses[29] < 0.8 * losses[0], "{losses:?}");
    for (name, settings, why) in [
        ("openes", serde_json::json!({}), "did you mean 'open_es'?"),
        ("open_es", serde_json::json!({ "deviation": -1 }), "deviation = -1: must be a finite number >= 0"),
    ] {
        let error = Swarm::named(name, settings.as_object().unwrap().clone()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let settings = serde_json::json!({ "particle": 20 });
    let wrong = Swarm::named("open_es", settings.as_object().unwrap().clone()).unwrap();
    let error = SwarmTrainer::new(&Training { swarm: Some(wrong), ..training }, data).err().unwrap().to_string();
    assert!(error.contains("did you mean 'particles'?"), "{error}");
}
