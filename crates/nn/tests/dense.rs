//! Dense networks on our own kernels against the tensor library, which others wrote: outputs, gradients, steps.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use swarmgrad_core::{Matrix, Rng, Workers};
use swarmgrad_dense::network::DenseNetwork;
use swarmgrad_dense::supervision::{Backend, Supervision};
use swarmgrad_nn::data::{self, Preset};
use swarmgrad_nn::loss;
use swarmgrad_nn::model::{Activation, Architecture, Image, Layer, Output};
use swarmgrad_nn::optim;
use swarmgrad_nn::tensor::weights::{self, Part};
use swarmgrad_nn::tensor::{self, Model, Network, Optimizer, Pass};
use swarmgrad_nn::train::{Trainer, Training};

/// The same network twice.
fn both(layers: &[Layer], output: Output, inputs: usize, rng: &Rng) -> (DenseNetwork, Model) {
    let mut ours = DenseNetwork::new(Image::row(inputs), layers, output).unwrap();
    ours.initialize(rng);
    let architecture = Architecture::Layers { image: Image::row(inputs), layers: layers.to_vec(), output };
    let theirs = architecture.build(inputs, ours.shape()[1], rng, &Device::flex().autodiff()).unwrap();
    (ours, theirs)
}

fn tensor(x: &[f32], columns: usize) -> Tensor<2> {
    Tensor::from_data(TensorData::new(x.to_vec(), [x.len() / columns, columns]), &Device::flex().autodiff())
}

fn normals(rng: &Rng, row: usize, count: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; count];
    rng.row(row).fill_normal(&mut numbers);
    numbers
}

fn double(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

fn single(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&x| x as f32).collect()
}

/// The largest distance, as a share of the largest number.
fn gap(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(1e-3f32, |most, t| most.max(t.abs()));
    ours.iter().zip(theirs).fold(0.0f32, |most, (a, b)| most.max((a - b).abs())) / largest
}

fn layers() -> impl Strategy<Value = Vec<Layer>> {
    let activations = vec![Activation::Relu, Activation::Tanh, Activation::Sigmoid];
    let layer = prop_oneof![
        3 => (1usize..70).prop_map(|outputs| Layer::Dense { outputs }),
        2 => proptest::sample::select(activations).prop_map(Layer::Activation),
        1 => Just(Layer::BatchNorm),
    ];
    // One dense layer at least: others have nothing to learn.
    (proptest::collection::vec(layer, 0..5), 1usize..40, 0usize..5).prop_map(|(mut layers, outputs, place)| {
        layers.insert(place.min(layers.len()), Layer::Dense { outputs });
        layers
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn outputs_and_gradients_equal_the_tensor_librarys(
        layers in layers(),
        output in proptest::sample::select(vec![Output::Identity, Output::Sigmoid, Output::Softmax]),
        inputs in 1usize..50,
        rows in 2usize..70,
        seed in 0u64..1000,
    ) {
        let (rng, workers) = (Rng::new(seed), Workers::default());
        let (mut ours, theirs) = both(&layers, output, inputs, &rng);
        prop_assert_eq!(ours.state(), weights::read(&theirs, Part::All));
        let x = normals(&rng, 50, rows * inputs);
        let outputs = theirs.forward(tensor(&x, inputs), Pass::Train(&rng));
        let values = outputs.clone().inner().into_data().try_into_vec::<f32>().unwrap();
        // Where the rows of a column hardly differ (two rows, a dull column) batch normalisation shows what large numbers leave of each
        // other: there neither is nearer to double precision than rounding allows.
        let mut exact = DenseNetwork::<f64>::new(Image::row(inputs), &layers, output).unwrap();
        exact.set_state(&double(&ours.state())).unwrap();
        let outputs_exact = single(exact.forward(&double(&x), &workers).unwrap());
        let near = |ours: &[f32], theirs: &[f32], exact: &[f32]| gap(ours, exact) < 1e-5_f32.max(8.0 * gap(theirs, exact));
        prop_assert!(near(ours.forward(&x, &workers).unwrap(), &values, &outputs_exact));
        let sent = normals(&rng, 60, values.len());
        let mut gradients = (outputs * tensor(&sent, ours.shape()[1])).sum().backward();
        let mut gradient = Vec::new();
        weights::read_gradients(&theirs, &mut gradients, &mut gradient);
        // A sum over rows of numbers about 1, which may cancel out: behind a single input a normalisation leaves nothing to learn.
        gradient.push((values.len() as f32).sqrt());
        let mut mine = ours.backward(&x, &sent, &workers).unwrap().to_vec();
        mine.push((values.len() as f32).sqrt());
        let mut exact = single(exact.backward(&double(&x), &double(&sent), &workers).unwrap());
        exact.push((values.len() as f32).sqrt());
        prop_assert!(near(&mine, &gradient, &exact), "{}, the library's {}", gap(&mine, &exact), gap(&gradient, &exact));
        // The running statistics too, and what they make of the rows in evaluation. The library's show a batch when the next one comes.
        theirs.forward(tensor(&x, inputs), Pass::Train(&rng));
        prop_assert!(gap(&ours.state(), &weights::read(&theirs, Part::All)) < 1e-5);
        let rows = Matrix::from_vec(inputs, x).unwrap();
        let architecture = Architecture::Layers { image: Image::row(inputs), layers, output };
        let empty = architecture.build(inputs, ours.shape()[1], &rng, &Device::flex()).unwrap();
        let saved = weights::write(empty, &ours.state(), Part::All).unwrap();
        let evaluated = tensor::outputs(&saved, &rows, &Device::flex());
        prop_assert!(gap(ours.evaluate(rows.rows(), &workers).unwrap().data(), evaluated.data()) < 1e-5);
    }
}

/// Ten steps with every optimiser that asks the loss for its derivative.
#[test]
fn steps_equal_the_tensor_librarys() {
    let dense = |outputs| Layer::Dense { outputs };
    let (relu, tanh) = (Layer::Activation(Activation::Relu), Layer::Activation(Activation::Tanh));
    let nets = [
        (vec![dense(10), relu, dense(3)], Output::Sigmoid, "mse"),
        (vec![dense(10), relu, dense(3)], Output::Sigmoid, "bce"),
        (vec![dense(20), tanh, Layer::BatchNorm, dense(3)], Output::Identity, "cross_entropy"),
    ];
    for (layers, output, name) in nets {
        let exact = optim::OPTIMIZERS.iter().filter(|entry| !entry.signal().lends_gradient());
        for entry in exact {
            let rng = Rng::new(4);
            let (mut ours, mut theirs) = both(&layers, output, 4, &rng);
            let start = ours.weights().to_vec();
            let loss = || loss::entry(name).unwrap().build(3);
            let rate = entry.rate / 10.0;
            let mut supervision = Supervision::new(loss(), entry.signal(), entry.rule(rate), 3, 1).unwrap();
            let mut optimizer = Optimizer::new(loss(), entry.signal(), entry.rule(rate), 3, 1).unwrap();
            let y: Vec<f32> = (0..150).map(|i| f32::from(u8::from(i / 3 % 3 == i % 3))).collect();
            for step in 0..10 {
                let x = normals(&rng, 10 + step, 200);
                let here = ours.step(&mut supervision, &x, &y).unwrap();
                let there;
                (theirs, there) = optimizer.step(theirs, tensor(&x, 4), &y).unwrap();
                assert!((here.loss - there.loss).abs() < 1e-5 * there.loss, "{}: {here:?}, {there:?}", entry.name);
            }
            let theirs = weights::read(&theirs, Part::Trainable);
            assert!(gap(ours.weights(), &theirs) < 2e-5, "{} {name}: {}", entry.name, gap(ours.weights(), &theirs));
            assert!(gap(&start, &theirs) > 1e-4, "{} {name} moves nothing", entry.name);
        }
    }
}

/// A trainer of a plan's network against the same steps of the tensor library; and its network in the tensor library answers the same.
#[test]
fn a_trainer_does_what_the_tensor_library_would() {
    let table = data::load("iris", Preset::Full).unwrap();
    let rows = table.dataset(&Preset::Full.options()).unwrap();
    let (x, y) = (&rows.features, rows.target_rows());
    for architecture in [Architecture::paper(), Architecture::shallow(4, 3, Output::Sigmoid)] {
        let training = Training {
            architecture: architecture.clone(),
            optimizer: "adam".into(),
            rate: Some(0.01),
            shuffle: false,
            ..Training::default()
        };
        let mut trainer = Trainer::new(&training, &rows).unwrap();
        let adam = optim::entry("adam").unwrap();
        let loss = loss::entry("mse").unwrap().build(3);
        let mut optimizer = Optimizer::new(loss, adam.signal(), adam.rule(0.01), 3, training.seed).unwrap();
        let rng = Rng::new(training.seed).fork("weights");
        let mut theirs = architecture.build(4, 3, &rng, &Device::flex().autodiff()).unwrap();
        assert_eq!(trainer.weights(), weights::read(&theirs, Part::All));
        for _ in 0..20 {
            trainer.epoch(x, &y).unwrap();
            for (x, y) in x.data().chunks(4 * training.batch).zip(y.data().chunks(3 * training.batch)) {
                (theirs, _) = optimizer.step(theirs, tensor(x, 4), y).unwrap();
            }
        }
        let same = weights::read(&trainer.model().unwrap(), Part::Trainable);
        let gap_of_weights = gap(&same, &weights::read(&theirs, Part::Trainable));
        assert!(gap_of_weights < 1e-4, "{gap_of_weights}");
        let answers = tensor::outputs(&trainer.model().unwrap().valid(), x, &Device::flex());
        assert!(gap(trainer.outputs(x).data(), answers.data()) < 1e-5);
    }
}
