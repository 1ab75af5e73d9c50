//! Gradients against differences in double precision, the same bits on any number of threads, states.

use proptest::prelude::*;
use swarmgrad_core::{Matrix, Rng, Workers};
use swarmgrad_dense::layer::{Activation, Image, Layer, Output};
use swarmgrad_dense::network::DenseNetwork;
use swarmgrad_dense::supervision::{Backend, Supervision};
use swarmgrad_dense::{loss, optim};

/// Lists of layers, smooth ones only where `smooth`.
fn layers(smooth: bool) -> impl Strategy<Value = Vec<Layer>> {
    let activations = if smooth { vec![Activation::Tanh, Activation::Sigmoid] } else { vec![Activation::Relu] };
    let layer = prop_oneof![
        3 => (1usize..40).prop_map(|outputs| Layer::Dense { outputs }),
        2 => proptest::sample::select(activations).prop_map(Layer::Activation),
        1 => Just(Layer::BatchNorm),
    ];
    // One dense layer at least: others have nothing to learn.
    (proptest::collection::vec(layer, 0..5), 1usize..40, 0usize..5).prop_map(|(mut layers, outputs, place)| {
        layers.insert(place.min(layers.len()), Layer::Dense { outputs });
        layers
    })
}

fn outputs() -> impl Strategy<Value = Output> {
    proptest::sample::select(vec![Output::Identity, Output::Sigmoid, Output::Softmax])
}

fn normals(rng: &Rng, row: usize, count: usize) -> Vec<f64> {
    let mut numbers = vec![0.0; count];
    rng.row(row).fill_normal(&mut numbers);
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// d sum(y g) / d w by two-sided differences.
    #[test]
    fn gradients_are_differences(layers in layers(true), output in outputs(), inputs in 1usize..20, rows in 3usize..30, seed in 0u64..1000) {
        let (rng, workers) = (Rng::new(seed), Workers::default());
        let mut network = DenseNetwork::<f64>::new(Image::row(inputs), &layers, output).unwrap();
        network.initialize(&rng);
        let x = normals(&rng, 50, rows * inputs);
        let count = network.forward(&x, &workers).unwrap().len();
        let sent = normals(&rng, 60, count);
        let gradient = network.backward(&x, &sent, &workers).unwrap().to_vec();
        let value = |network: &mut DenseNetwork<f64>| -> f64 {
            network.forward(&x, &workers).unwrap().iter().zip(&sent).map(|(y, g)| y * g).sum()
        };
        let largest = gradient.iter().fold(1.0f64, |most, g| most.max(g.abs()));
        for k in (0..gradient.len()).step_by(gradient.len() / 20 + 1) {
            let (step, w) = (1e-5, network.weights()[k]);
            let ends = [w + step, w - step].map(|w| {
                network.weights_mut()[k] = w;
                value(&mut network)
            });
            network.weights_mut()[k] = w;
            let difference = (ends[0] - ends[1]) / (2.0 * step);
            prop_assert!((gradient[k] - difference).abs() < 2e-6 * largest, "{k}: {} and {difference}", gradient[k]);
        }
    }

    /// What comes out in evaluation is what a state says, whoever holds it; and pieces do not matter.
    #[test]
    fn a_state_is_all_there_is(layers in layers(false), output in outputs(), inputs in 1usize..20, seed in 0u64..1000) {
        let (rng, workers) = (Rng::new(seed), Workers::default());
        let new = || DenseNetwork::<f64>::new(Image::row(inputs), &layers, output).unwrap();
        let (mut a, mut b) = (new(), new());
        a.initialize(&rng);
        let x = Matrix::from_vec(inputs, normals(&rng, 50, 300 * inputs)).unwrap();
        a.forward(x.data(), &workers).unwrap();
        b.set_state(&a.state()).unwrap();
        prop_assert_eq!(b.state(), a.state());
        let all = b.evaluate(x.rows(), &workers).unwrap();
        prop_assert_eq!(&all, &a.evaluate(x.rows(), &workers).unwrap());
        let last = Matrix::from_vec(inputs, x.row(299).to_vec()).unwrap();
        let alone = a.evaluate(last.rows(), &workers).unwrap();
        prop_assert_eq!(alone.row(0), all.row(299));
        prop_assert!(b.set_state(&a.state()[1..]).is_err());
    }
}

#[test]
fn threads_change_no_bit() {
    let dense = |outputs| Layer::Dense { outputs };
    let relu = Layer::Activation(Activation::Relu);
    let layers = [dense(70), relu, Layer::BatchNorm, dense(45), relu, dense(10)];
    let mut x = vec![0.0; 784 * 515];
    Rng::new(2).row(0).fill_uniform(&mut x);
    let y: Vec<f32> = (0..5150).map(|i| f32::from(u8::from(i / 10 % 10 == i % 10))).collect();
    let after = |threads: usize| {
        let mut network = DenseNetwork::new(Image::row(784), &layers, Output::Identity).unwrap();
        network.initialize(&Rng::new(1));
        let adam = optim::entry("adam").unwrap();
        let loss = loss::entry("cross_entropy").unwrap().build(10);
        let supervision = Supervision::new(loss, adam.signal(), adam.rule(1e-3), 10, 1).unwrap();
        let mut supervision = supervision.with_workers(Workers::new(threads).unwrap());
        let losses: Vec<u64> = (0..5).map(|_| network.step(&mut supervision, &x, &y).unwrap().loss.to_bits()).collect();
        (losses, network.state().iter().map(|w| w.to_bits()).collect::<Vec<u32>>())
    };
    let one = after(1);
    assert!(one == after(2) && one == after(3));
}

#[test]
fn what_does_not_fit_is_refused() {
    let image = Image { channels: 1, height: 4, width: 4 };
    let of = |layers: &[Layer]| DenseNetwork::<f32>::new(image, layers, Output::Identity);
    assert!(of(&[Layer::Dense { outputs: 2 }]).is_ok());
    assert!(of(&[Layer::Dense { outputs: 0 }]).is_err());
    assert!(of(&[Layer::BatchNorm]).is_err());
    assert!(of(&[Layer::Conv { maps: 2, size: 3 }]).is_err());
    let mut network = of(&[Layer::Dense { outputs: 2 }, Layer::BatchNorm]).unwrap();
    let workers = Workers::default();
    assert!(network.forward(&[], &workers).is_err());
    assert!(network.forward(&[0.0; 17], &workers).is_err());
    network.forward(&[0.0; 32], &workers).unwrap();
    assert!(network.backward(&[0.0; 32], &[0.0; 3], &workers).is_err());
    assert!(network.backward(&[0.0; 16], &[0.0; 4], &workers).is_err());
    let mut state = network.state();
    let gamma = 34;
    assert_eq!(state[gamma], 1.0);
    state[gamma] = 2.0;
    assert!(network.set_state(&state).is_err());
}
