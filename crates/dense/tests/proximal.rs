//! Proximal maps that are computed, against their definition and against swarms that look for them.

use proptest::prelude::*;
use swarmgrad_core::{Rng, Workers};
use swarmgrad_dense::loss::{
    self, Batch, Bce, Block, CrossEntropy, Elementwise, Huber, Lane, Loss, Mae, Mse, Quantile, Samplewise,
};
use swarmgrad_dense::signal::{Sender, Signal, SwarmSignal};

/// loss(z) + (z - w)^2 / (2 tau) at z, and the least of it on a grid of the range that holds all candidates.
fn least(loss: &dyn Loss<f64>, w: f64, t: f64, tau: f64, [low, high]: [f64; 2]) -> (f64, impl Fn(f64) -> f64) {
    let total = move |z: f64| loss.value(&[z], &[t], 1) + (z - w) * (z - w) / (2.0 * tau);
    let grid = (0..=4000).map(|k| low + (high - low) * f64::from(k) / 4000.0);
    (grid.map(&total).fold(f64::INFINITY, f64::min), total)
}

fn elementwise() -> Vec<Box<dyn Loss<f64>>> {
    vec![
        Box::new(Elementwise(Mse)),
        Box::new(Elementwise(Mae)),
        Box::new(Elementwise(Bce)),
        Box::new(Elementwise(Huber(0.7))),
        Box::new(Elementwise(Quantile(0.2))),
        Box::new(Elementwise(Quantile(0.9))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// No point of a fine grid has less, with a range and without; a block of several elements gives each its share of the loss.
    #[test]
    fn of_elements_is_the_least(
        w in -2.0f64..3.0, label in 0..2, power in -3.0f64..2.0, bounded in any::<bool>(), copies in 1usize..4,
    ) {
        let (t, tau) = (f64::from(label), 10f64.powf(power));
        let range = bounded.then_some([0.0, 1.0]);
        for (k, loss) in elementwise().into_iter().enumerate() {
            let (least, total) = least(&*loss, w, t, tau, range.unwrap_or([w.min(t) - 0.5, w.max(t) + 0.5]));
            let (outputs, targets, mut found) = (vec![w; copies], vec![t; copies], vec![f64::NAN; copies]);
            let batch = Batch { columns: copies, outputs: &outputs, targets: &targets };
            // The mean over the copies with tau n is one of them with tau.
            for (block, tau) in [(Block::Element, tau), (Block::Sample, tau * copies as f64), (Block::Batch, tau * copies as f64)] {
                prop_assert!(loss.proximal(block, batch, tau, range, &mut found), "loss {k}");
                for &z in &found {
                    prop_assert!(total(z) <= least + 1e-9 * (1.0 + least.abs()), "loss {k}: {z} has {}, {least} is less", total(z));
                    prop_assert!(range.is_none_or(|[low, high]| (low..=high).contains(&z)), "loss {k}: {z}");
                }
            }
        }
    }

    /// The gradient vanishes: p - t + (z - w) / tau, on the scale of its parts.
    #[test]
    fn of_cross_entropy_has_no_gradient(columns in 1usize..128, size in -1.0f64..2.0, power in -3.0f64..3.0, seed in any::<u64>()) {
        let (tau, size) = (10f64.powf(power), 10f64.powf(size));
        let mut w = vec![0.0; columns];
        Rng::new(seed).row(0).fill_normal(&mut w);
        w.iter_mut().for_each(|w| *w *= size);
        let t: Vec<f64> = (0..columns).map(|k| f64::from(u8::from(k == seed as usize % columns))).collect();
        let loss = Samplewise(CrossEntropy);
        let slope = |z: &[f64]| {
            let (top, mut slope) = (z.iter().fold(f64::MIN, |a, b| a.max(*b)), vec![0.0; columns]);
            let sum: f64 = z.iter().map(|z| (z - top).exp()).sum();
            for k in 0..columns {
                slope[k] = (z[k] - top).exp() / sum - t[k] + (z[k] - w[k]) / tau;
            }
            slope.iter().fold(0.0f64, |most, s| most.max(s.abs()))
        };
        let mut z = vec![0.0; columns];
        let batch = Batch { columns, outputs: &w, targets: &t };
        prop_assert!(loss.proximal(Block::Sample, batch, tau, None, &mut z));
        prop_assert!(slope(&z) < 1e-7 * (1.0 + size / tau), "{} of {:?}", slope(&z), w);
        let (narrow, mut found) = (w.iter().map(|&w| w as f32).collect::<Vec<_>>(), vec![0.0f32; columns]);
        let labels: Vec<f32> = t.iter().map(|&t| t as f32).collect();
        let batch = Batch { columns, outputs: &narrow, targets: &labels };
        prop_assert!(loss.proximal(Block::Sample, batch, tau, None, &mut found));
        let gap = found.iter().zip(&z).fold(0.0f64, |most, (f, z)| most.max((f64::from(*f) - z).abs()));
        prop_assert!(gap < 1e-4 * (1.0 + size), "{gap} of {w:?}");
    }
}

/// The gradient and the losses evaluated for it.
fn sent(name: &str, swarm: SwarmSignal, outputs: &[f32], targets: &[f32], columns: usize) -> (Vec<f32>, u64) {
    let loss = loss::entry(name).unwrap().build(columns);
    let mut sender = Sender::new(Signal::Swarm(swarm), &*loss, columns).unwrap();
    let (mut out, workers) = (vec![0.0; outputs.len()], Workers::default());
    let lane = Lane { workers: &workers, rng: &Rng::new(3) };
    let evaluations = sender.send(&*loss, Batch { columns, outputs, targets }, lane, &mut out).unwrap();
    (out, evaluations)
}

/// The signal of a proximity tau, whose swarms are run or not.
fn proximal(tau: f64, run: bool) -> SwarmSignal {
    let Signal::Swarm(mut swarm) = Signal::proximal(tau) else { unreachable!("a swarm's signal") };
    (swarm.run, swarm.search.particles, swarm.search.iterations) = (run, 30, 150);
    swarm
}

#[test]
fn swarms_find_what_is_computed() {
    let outputs = [0.9f32, 0.2, 0.4, 0.05, 0.6, 0.7, 0.3, 0.35, 0.99];
    let targets = [1.0f32, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    for name in ["mse", "mae", "bce", "huber:0.5", "quantile:0.9", "cross_entropy"] {
        for tau in [0.05, 1.0] {
            let (computed, none) = sent(name, proximal(tau, false), &outputs, &targets, 3);
            let (found, some) = sent(name, proximal(tau, true), &outputs, &targets, 3);
            assert!(none == 0 && some > 0, "{name}: {none} and {some} evaluations");
            let length = computed.iter().fold(0.0f32, |most, g| most.max(g.abs()));
            let gap = computed.iter().zip(&found).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(gap < 0.01 * length, "{name}, tau = {tau}: {computed:?} and {found:?}");
        }
    }
}

/// Where there is no formula, and without a proximity, swarms are run.
#[test]
fn swarms_are_run_for_the_rest() {
    let (outputs, targets, soft) = ([0.9f32, 0.2, 0.4], [1.0f32, 0.0, 0.0], [0.5f32, 0.0, 0.0]);
    for (name, targets) in [("step", targets), ("zero_one", targets), ("bce", soft), ("multi_well", targets)] {
        assert!(sent(name, proximal(1.0, false), &outputs, &targets, 3).1 > 0, "{name}");
    }
    for name in ["mse", "mae", "cross_entropy"] {
        assert!(sent(name, SwarmSignal::default(), &outputs, &targets, 3).1 > 0, "{name}");
    }
    // Of a whole batch at once: the means of formulas are formulas, cross-entropy's is not.
    let of_batch =
        |name| sent(name, SwarmSignal { block: Some(Block::Batch), ..proximal(1.0, false) }, &outputs, &targets, 3).1;
    assert!(of_batch("mae") == 0 && of_batch("cross_entropy") > 0);
}
