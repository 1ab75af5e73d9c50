//! Our rules against the tensor library's, which were written by others: the same weights after twenty steps.

use burn::module::{Module, Param};
use burn::optim::{
    AdaGradConfig, AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, RmsPropConfig, SgdConfig,
    momentum::MomentumConfig,
};
use burn::tensor::{Device, Tensor, TensorData};
use swarmgrad_core::Rng;
use swarmgrad_nn::optim::{AdaDelta, AdaGrad, Adam, DiffGrad, RmsProp, Rule, Sgd, Text};

#[derive(Module, Debug)]
struct Weights {
    w: Param<Tensor<1>>,
}

const SIZE: usize = 7;
const STEPS: usize = 20;

/// The gradient of step t: normal numbers, with a zero among them.
fn gradient(t: usize) -> Vec<f32> {
    let mut g = vec![0.0f32; SIZE];
    Rng::new(9).row(t).fill_normal(&mut g);
    g[t % SIZE] = 0.0;
    g
}

fn start() -> Vec<f32> {
    (0..SIZE).map(|i| i as f32 - 3.0).collect()
}

fn theirs(mut optimizer: ModuleOptimizer, rate: f64) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let tensor = Tensor::<1>::from_data(TensorData::new(start(), [SIZE]), &device);
    let mut module = Weights { w: Param::from_tensor(tensor) };
    for t in 0..STEPS {
        let g = Tensor::<1>::from_data(TensorData::new(gradient(t), [SIZE]), &device);
        let gradients = (module.w.val() * g).sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &module);
        module = optimizer.step(rate, module, gradients);
    }
    module.w.val().inner().into_data().try_into_vec::<f32>().unwrap()
}

fn ours(mut rule: impl Rule<f32>) -> Vec<f32> {
    let mut w = start();
    (0..STEPS).for_each(|t| rule.step(&mut w, &gradient(t)));
    w
}

fn same(name: &str, ours: &[f32], theirs: &[f32]) {
    let moved = ours.iter().zip(start()).any(|(w, s)| (w - s).abs() > 1e-2);
    assert!(moved, "{name} moves nothing: {ours:?}");
    for (a, b) in ours.iter().zip(theirs) {
        let gap = (a - b).abs();
        assert!(gap <= 2e-5, "{name}: ours {ours:?}, theirs {theirs:?}");
    }
}

#[test]
fn rules_equal_the_tensor_librarys() {
    same("sgd", &ours(Sgd::new(0.05)), &theirs(SgdConfig::new().init(), 0.05));
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    same(
        "momentum",
        &ours(Sgd::with_momentum(0.05, 0.9)),
        &theirs(SgdConfig::new().with_momentum(Some(momentum)).init(), 0.05),
    );
    same("adagrad", &ours(AdaGrad::new(0.1)), &theirs(AdaGradConfig::new().with_epsilon(1e-10).init(), 0.1));
    same(
        "rmsprop",
        &ours(RmsProp::new(0.01)),
        &theirs(RmsPropConfig::new().with_alpha(0.99).with_momentum(0.0).with_epsilon(1e-8).init(), 0.01),
    );
    same("adam", &ours(Adam::new(0.05)), &theirs(AdamConfig::new().with_epsilon(1e-8).init(), 0.05));
    let amsgrad = AdamConfig::new().with_epsilon(1e-8).with_amsgrad(true);
    same("amsgrad", &ours(Adam::amsgrad(0.05)), &theirs(amsgrad.init(), 0.05));
    let adamw = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.01);
    same("adamw", &ours(Adam::with_decay(0.05, 0.01)), &theirs(adamw.init(), 0.05));
}

/// The papers' formulas, one coordinate, in f64, written from the papers.
#[test]
fn rules_without_a_peer_follow_their_papers() {
    let g = |t: usize| f64::from(gradient(t)[2]);
    let (mut w, mut s, mut u) = (-1.0f64, 0.0, 0.0);
    for t in 0..STEPS {
        s = 0.9 * s + 0.1 * g(t).powi(2);
        let d = (u + 1e-6f64).sqrt() / (s + 1e-6f64).sqrt() * g(t);
        u = 0.9 * u + 0.1 * d * d;
        w -= d;
    }
    let mut rule = AdaDelta::<f64>::new(1.0);
    let mut x = [-1.0];
    (0..STEPS).for_each(|t| rule.step(&mut x, &[g(t)]));
    assert!((x[0] - w).abs() < 1e-14 && (w + 1.0).abs() > 1e-3, "AdaDelta: {} against {w}", x[0]);

    let (mut w, mut m, mut v, mut before) = (-1.0f64, 0.0, 0.0, 0.0);
    for t in 0..STEPS {
        m = 0.9 * m + 0.1 * g(t);
        v = 0.999 * v + 0.001 * g(t).powi(2);
        let xi = 1.0 / (1.0 + (-(before - g(t)).abs()).exp());
        before = g(t);
        let k = t as i32 + 1;
        w -= 0.05 * xi * (m / (1.0 - 0.9f64.powi(k))) / ((v / (1.0 - 0.999f64.powi(k))).sqrt() + 1e-8);
    }
    let mut rule = DiffGrad::<f64>::new(0.05);
    let mut x = [-1.0];
    (0..STEPS).for_each(|t| rule.step(&mut x, &[g(t)]));
    assert!((x[0] - w).abs() < 1e-13, "diffGrad: {} against {w}", x[0]);
}

/// Algorithm 2 of the AdaSwarm paper at its letter: without the plus sign nothing ever moves.
#[test]
fn the_missing_plus_leaves_every_bit() {
    assert_eq!(ours(Adam::new(0.1).with_text(Text::MissingPlus)), start());
    assert_ne!(ours(Adam::new(0.1).with_text(Text::Uncorrected)), ours(Adam::new(0.1)));
}
