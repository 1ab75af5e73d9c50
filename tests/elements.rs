//! The swarms at a network's outputs: golden trajectories of an independent NumPy program (`golden/elements.py`), what
//! they find, and what they promise for any loss.

#![allow(unsafe_code)] // a global allocator that counts is the only way to know

use proptest::prelude::*;
use serde_json::Value;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Mutex;
use swarmgrad::algorithms::gradient::elements::{ElementLoss, Found, Kappa, Search, Start, Swarms};
use swarmgrad::{Real, Rng, Tape, Workers, simd};

struct Counting;

thread_local! {
    /// Allocations of this thread, so that the tests beside it are not counted.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn nothing_is_allocated_after_the_first_call() {
    let (outputs, targets) = batch::<f32>(50, 3);
    let squares = |y: &[f32], t: &[f32]| y.iter().zip(t).map(|(&y, &t)| square(y, t)).sum::<f32>();
    for kappa in [Kappa::Expected, Kappa::Paper, Kappa::Calibrated { radius: 0.1 }] {
        let (mut swarms, mut found) = (Swarms::new(Search { kappa, ..Search::default() }).unwrap(), Found::default());
        let (workers, mut gradient) = (one(), vec![0.0; outputs.len()]);
        let mut step = |iteration| {
            let (before, rng) = (ALLOCATIONS.get(), Rng::new(1).at(iteration));
            swarms.elements(&absolute, &outputs, &targets, &workers, &rng, &mut found);
            found.gradient(&outputs, &mut gradient);
            swarms.samples(&squares, 3, &outputs, &targets, &workers, &rng, &mut found);
            swarms.batch(&squares, &outputs, &targets, &workers, &rng, &mut found);
            ALLOCATIONS.get() - before
        };
        assert!(step(0) > 0);
        assert_eq!((1..10).map(step).sum::<u64>(), 0, "{kappa:?}");
    }
}

fn one() -> Workers {
    Workers::new(1).unwrap()
}

fn vector(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn gap(ours: &[f64], golden: &[f64]) -> f64 {
    assert_eq!(ours.len(), golden.len());
    let gaps = ours.iter().zip(golden).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    gaps.fold(0.0, |worst, gap| if gap <= worst { worst } else { gap })
}

#[test]
fn golden_trajectories() {
    let text = include_str!("golden/elements.json");
    for case in serde_json::from_str::<Vec<Value>>(text).unwrap() {
        let name = case["name"].as_str().unwrap();
        let kind = case["kind"].as_str().unwrap();
        let search: Search = serde_json::from_value(case["search"].clone()).unwrap();
        let mut tape = Tape::default();
        for draw in case["draws"].as_array().unwrap() {
            tape.set(kind, 0, draw[0].as_u64().unwrap() as usize, vector(&draw[1]));
        }
        let rng = Rng::scripted(tape);
        let (outputs, targets) = (vector(&case["outputs"]), vector(&case["targets"]));
        let columns = case["columns"].as_u64().unwrap() as usize;
        let absolute = case["loss"] == "absolute";
        // The loss sees every position of every particle: it writes the trajectory down.
        let path = Mutex::new(Vec::new());
        let block = |z: &[f64], t: &[f64]| {
            path.lock().unwrap().extend_from_slice(z);
            let terms = z.iter().zip(t).map(|(z, t)| z - t).enumerate();
            let term = |(k, r): (usize, f64)| if absolute { r.abs() } else { r * r * (k + 1) as f64 };
            terms.map(term).sum::<f64>()
        };
        let (mut swarms, mut found) = (Swarms::new(search.clone()).unwrap(), Found::default());
        match kind {
            "elements" => {
                let element = |z: f64, t: f64| block(&[z], &[t]);
                swarms.elements(&element, &outputs, &targets, &one(), &rng, &mut found);
            }
            "samples" => swarms.samples(&block, columns, &outputs, &targets, &one(), &rng, &mut found),
            _ => swarms.batch(&block, &outputs, &targets, &one(), &rng, &mut found),
        }
        let path = path.into_inner().unwrap();
        let evaluations = search.particles * (search.iterations + 1) * outputs.len() / columns;
        assert_eq!((path.len() / columns, found.evaluations), (evaluations, evaluations as u64), "{name}");
        for (what, ours, golden) in [
            ("path", &path, "path"),
            ("best", &found.best, "best"),
            ("value", &found.value, "value"),
            ("kappa", &found.kappa, "kappa"),
        ] {
            let gap = gap(ours, &vector(&case[golden]));
            assert!(gap <= 1e-12, "{name}: {what} is {gap:e} away");
        }
        let mut gradient = vec![0.0; outputs.len()];
        found.gradient(&outputs, &mut gradient);
        for (k, &d) in gradient.iter().enumerate() {
            let golden = vector(&case["kappa"])[k / columns] * (outputs[k] - vector(&case["best"])[k]);
            assert!((d - golden).abs() <= 1e-11, "{name}: gradient {k}");
        }
    }
}

/// Outputs in (0, 1) and one-hot targets.
fn batch<F: Real>(rows: usize, columns: usize) -> (Vec<F>, Vec<F>) {
    let mut outputs = vec![F::zero(); rows * columns];
    Rng::new(7).row(0).fill_uniform(&mut outputs);
    let targets = (0..rows * columns).map(|k| F::of(f64::from(k % columns == k / columns % columns))).collect();
    (outputs, targets)
}

fn square<F: Real>(y: F, t: F) -> F {
    (y - t) * (y - t)
}

fn absolute<F: Real>(y: F, t: F) -> F {
    (y - t).abs()
}

fn huber<F: Real>(y: F, t: F) -> F {
    let r = (y - t).abs();
    if r < F::one() { F::of(0.5) * r * r } else { r - F::of(0.5) }
}

/// Cross-entropy; NaN outside (0, 1), infinite at its ends, which no swarm minds.
fn entropy<F: Real>(y: F, t: F) -> F {
    let one = F::one();
    let (own, other) = (t * simd::ln(y), (one - t) * simd::ln(one - y));
    if t == F::zero() {
        -simd::ln(one - y)
    } else if t == one {
        -simd::ln(y)
    } else {
        -(own + other)
    }
}

fn rms<F: Real>(a: &[F], b: &[F]) -> f64 {
    (a.iter().zip(b).map(|(a, b)| (a.f64() - b.f64()).powi(2)).sum::<f64>() / a.len() as f64).sqrt()
}

fn check_targets<F: Real>() -> Vec<Vec<F>> {
    let (outputs, targets) = batch::<F>(150, 3);
    let mut all = Vec::new();
    let losses: [(&str, &dyn ElementLoss<F>); 4] =
        [("MSE", &square), ("MAE", &absolute), ("Huber", &huber), ("BCE", &entropy)];
    for (name, loss) in losses {
        for start in [Start::Around { span: 1.0 }, Start::Range { low: 0.0, high: 1.0 }] {
            let search = Search { iterations: 100, start, confine: Some([0.0, 1.0]), ..Search::default() };
            let mut found = Found::default();
            Swarms::new(search).unwrap().elements(loss, &outputs, &targets, &one(), &Rng::new(1), &mut found);
            let rms = rms(&found.best, &targets);
            println!("{name} {start:?}: rms {rms:e}");
            assert!(rms < 1e-3, "{name}: rms {rms}");
            all.push(found.best);
        }
    }
    all
}

#[test]
fn elements_find_the_targets_in_both_precisions() {
    for (double, single) in check_targets::<f64>().iter().zip(check_targets::<f32>()) {
        let single: Vec<f64> = single.iter().map(|g| g.f64()).collect();
        assert!(gap(&single, double) < 1e-3);
    }
}

#[test]
fn samples_find_the_targets() {
    let (outputs, targets) = batch::<f32>(50, 3);
    let squares = |y: &[f32], t: &[f32]| y.iter().zip(t).map(|(&y, &t)| square(y, t)).sum::<f32>();
    let (mut found, search) = (Found::default(), Search { iterations: 100, ..Search::default() });
    Swarms::new(search).unwrap().samples(&squares, 3, &outputs, &targets, &one(), &Rng::new(1), &mut found);
    let rms = rms(&found.best, &targets);
    assert!(rms < 0.03, "rms {rms}");
}

/// A loss with holes: NaN, infinities and a step among ordinary values.
fn holes(y: f64, t: f64) -> f64 {
    match ((y * 7.0 + t) as i64).rem_euclid(6) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => 3.0,
        _ => (y - t).abs() - (5.0 * y).cos(),
    }
}

fn counted(loss: f64) -> f64 {
    if loss.is_nan() { f64::INFINITY } else { loss }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn never_worse_than_the_output(
        pairs in prop::collection::vec((-3.0..3.0f64, -2.0..2.0f64), 1..40),
        particles in 1usize..8,
        iterations in 1usize..12,
        range in any::<bool>(),
        confined in any::<bool>(),
        proximity in prop::option::of(0.1..10.0f64),
        seed in any::<u64>(),
    ) {
        let (outputs, targets): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let start = if range { Start::Range { low: -1.0, high: 2.0 } } else { Start::Around { span: 1.0 } };
        let confine = confined.then_some([-1.0, 1.5]);
        let search = Search { particles, iterations, start, confine, proximity, ..Search::default() };
        let mut swarms = Swarms::new(search).unwrap();
        let (mut found, rng) = (Found::default(), Rng::new(seed));
        swarms.elements(&holes, &outputs, &targets, &one(), &rng, &mut found);
        for k in 0..outputs.len() {
            let (at_g, at_w) = (counted(holes(found.best[k], targets[k])), counted(holes(outputs[k], targets[k])));
            prop_assert!(at_g <= at_w, "loss {at_g} at g, {at_w} at w");
            prop_assert!(found.value[k] == at_g || found.value[k].is_infinite() && at_g.is_infinite());
        }
        let sum = |y: &[f64], t: &[f64]| y.iter().zip(t).map(|(&y, &t)| holes(y, t)).sum::<f64>();
        swarms.samples(&sum, 1, &outputs, &targets, &one(), &rng, &mut found);
        for k in 0..outputs.len() {
            prop_assert!(found.value[k] <= counted(holes(outputs[k], targets[k])));
        }
        swarms.batch(&sum, &outputs, &targets, &one(), &rng, &mut found);
        prop_assert!(found.value[0] <= counted(sum(&outputs, &targets)));
        prop_assert_eq!(counted(sum(&found.best, &targets)), found.value[0]);
    }
}

#[test]
fn nothing_but_failures_leaves_the_output() {
    let (outputs, targets) = batch::<f64>(7, 3);
    let mut found = Found::default();
    let mut swarms = Swarms::new(Search::default()).unwrap();
    let mut gradient = vec![1.0; 21];
    for bad in [f64::NAN, f64::INFINITY] {
        let loss = |_: f64, _: f64| bad;
        swarms.elements(&loss, &outputs, &targets, &one(), &Rng::new(1), &mut found);
        assert_eq!((&found.best, &found.value), (&outputs, &vec![f64::INFINITY; 21]));
        found.gradient(&outputs, &mut gradient);
        assert!(gradient.iter().all(|&d| d == 0.0));
    }
    // A diverged network spoils its own elements only.
    let mut spoiled = outputs.clone();
    spoiled[4] = f64::NAN;
    swarms.elements(&absolute, &spoiled, &targets, &one(), &Rng::new(1), &mut found);
    let (best, value) = (found.best.clone(), found.value.clone());
    swarms.elements(&absolute, &outputs, &targets, &one(), &Rng::new(1), &mut found);
    assert!(best[4].is_nan() && value[4] == f64::INFINITY);
    assert!((0..21).all(|k| k == 4 || best[k] == found.best[k]));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (outputs, targets) = batch::<f32>(4000, 3);
    let squares = |y: &[f32], t: &[f32]| y.iter().zip(t).map(|(&y, &t)| square(y, t)).sum::<f32>();
    let search = Search { kappa: Kappa::Paper, iterations: 15, ..Search::default() };
    let all = [1, 2, 8].map(|threads| {
        let workers = Workers::new(threads).unwrap();
        let mut swarms = Swarms::new(search.clone()).unwrap();
        let mut found = [Found::default(), Found::default(), Found::default()];
        swarms.elements(&absolute, &outputs, &targets, &workers, &Rng::new(5), &mut found[0]);
        swarms.samples(&squares, 3, &outputs, &targets, &workers, &Rng::new(5), &mut found[1]);
        swarms.batch(&squares, &outputs, &targets, &workers, &Rng::new(5), &mut found[2]);
        found
    });
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
}

#[test]
fn other_iterations_draw_other_numbers() {
    let (outputs, targets) = batch::<f64>(9, 2);
    let mut swarms = Swarms::new(Search { iterations: 3, ..Search::default() }).unwrap();
    let (mut a, mut b) = (Found::default(), Found::default());
    swarms.elements(&absolute, &outputs, &targets, &one(), &Rng::new(1).at(1), &mut a);
    swarms.elements(&absolute, &outputs, &targets, &one(), &Rng::new(1).at(2), &mut b);
    assert!(a.best.iter().zip(&b.best).filter(|(a, b)| a == b).count() < 3);
}

#[test]
fn proximity_makes_the_absolute_value_hubers() {
    for tau in [0.1, 1.0, 3.0] {
        let outputs: Vec<f64> = (0..401).map(|k| (k as f64 - 200.0) / 50.0).collect();
        let targets = vec![0.0; outputs.len()];
        let start = Start::Around { span: 2.0 * tau };
        let search = Search { particles: 20, iterations: 60, start, proximity: Some(tau), ..Search::default() };
        let mut found = Found::default();
        Swarms::new(search).unwrap().elements(&absolute, &outputs, &targets, &one(), &Rng::new(1), &mut found);
        let mut gradient = vec![0.0; outputs.len()];
        found.gradient(&outputs, &mut gradient);
        for (w, d) in outputs.iter().zip(gradient) {
            let exact = (w / tau).clamp(-1.0, 1.0);
            assert!((d - exact).abs() < 1e-4, "tau {tau}, w {w}: {d} for {exact}");
        }
    }
}

#[test]
fn kappas_are_the_papers() {
    let paper = Search { c1: 0.8, c2: 0.9, beta: 0.9, eta: Some(0.1), ..Search::default() };
    let (outputs, targets) = (vec![0.5_f64; 100_000], vec![0.0; 100_000]);
    let mut found = Found::default();
    let mut kappas = |kappa| {
        let search = Search { kappa, iterations: 2, ..paper.clone() };
        Swarms::new(search).unwrap().elements(&square, &outputs, &targets, &one(), &Rng::new(1), &mut found);
        found.kappa.clone()
    };
    assert!(kappas(Kappa::Expected).iter().all(|k| (k - 8.5).abs() < 1e-12));
    assert!(kappas(Kappa::Fixed(-2.0)).iter().all(|&k| k == -2.0));
    let random = kappas(Kappa::Paper);
    let mean = random.iter().sum::<f64>() / 1e5;
    let deviation = (random.iter().map(|k| (k - mean).powi(2)).sum::<f64>() / 1e5).sqrt();
    assert!((mean - 8.5).abs() < 0.05 && (deviation - 1.10).abs() < 0.03, "mean {mean}, deviation {deviation}");
    // eta is tied to 1 - beta where nothing is said.
    assert!((Search { eta: None, ..paper }.expected_kappa() - 8.5).abs() < 1e-12);
    assert!((Search::default().expected_kappa() - 1.5).abs() < 1e-12);
}

#[test]
fn a_converged_swarm_measures_the_curvature() {
    let (outputs, targets) = batch::<f64>(30, 3);
    let search = Search { iterations: 80, kappa: Kappa::Calibrated { radius: 0.2 }, ..Search::default() };
    let mut found = Found::default();
    let mut swarms = Swarms::new(search).unwrap();
    let parabola = |y: f64, t: f64| 3.0 * (y - t) * (y - t) + 1.0;
    swarms.elements(&parabola, &outputs, &targets, &one(), &Rng::new(1), &mut found);
    assert!(found.kappa.iter().all(|k| (k - 6.0).abs() < 1e-2), "{:?}", found.kappa);
}

#[test]
fn odd_shapes_and_wide_targets() {
    let mut swarms = Swarms::<f64>::new(Search::default()).unwrap();
    let mut found = Found::default();
    swarms.elements(&absolute, &[], &[], &one(), &Rng::new(1), &mut found);
    assert!(found.best.is_empty() && found.evaluations == 0);
    swarms.batch(&|_: &[f64], _: &[f64]| 0.0, &[], &[], &one(), &Rng::new(1), &mut found);
    assert!(found.best.is_empty() && found.evaluations == 0);
    swarms.elements(&absolute, &[0.3], &[1.0], &one(), &Rng::new(1), &mut found);
    assert!((found.best[0] - 1.0).abs() < 1e-3 && found.evaluations == 410);
    // A class index for each sample of three outputs.
    let class = |y: &[f64], t: &[f64]| {
        let wrong = |(k, y): (usize, &f64)| (y - f64::from(k == t[0] as usize)).powi(2);
        y.iter().enumerate().map(wrong).sum::<f64>()
    };
    let outputs = vec![0.4; 3 * 20];
    let classes: Vec<f64> = (0..20).map(|k| f64::from(k % 3)).collect();
    swarms.samples(&class, 3, &outputs, &classes, &one(), &Rng::new(1), &mut found);
    for (row, class) in found.best.chunks(3).zip(&classes) {
        assert!((0..3).all(|k| (row[k] - f64::from(k == *class as usize)).abs() < 0.1), "{row:?} for {class}");
    }
}

#[test]
fn bad_settings_are_named() {
    let why = |search: Search| Swarms::<f64>::new(search).unwrap_err().to_string();
    let plain = Search::default;
    assert!(why(Search { particles: 0, ..plain() }).starts_with("particles = 0"));
    assert!(why(Search { beta: 1.0, ..plain() }).starts_with("beta = 1"));
    assert!(why(Search { eta: Some(0.0), ..plain() }).starts_with("eta = 0"));
    assert!(why(Search { start: Start::Around { span: f64::NAN }, ..plain() }).starts_with("start.span = NaN"));
    assert!(why(Search { start: Start::Range { low: 1.0, high: 0.0 }, ..plain() }).starts_with("start.range = [1, 0]"));
    assert!(why(Search { confine: Some([0.0, f64::INFINITY]), ..plain() }).starts_with("confine = inf"));
    assert!(why(Search { proximity: Some(-1.0), ..plain() }).starts_with("proximity = -1"));
    assert!(why(Search { kappa: Kappa::Calibrated { radius: 0.0 }, ..plain() }).starts_with("kappa.radius = 0"));
    assert!(serde_json::from_str::<Search>(r#"{"particle": 3}"#).is_err());
}

#[test]
fn the_logarithm_is_accurate() {
    for k in -2000..2000 {
        let x = (f64::from(k) * 0.35).exp();
        let (exact, single) = (x.ln(), x as f32);
        assert!((simd::ln(x) - exact).abs() <= 1e-13 * exact.abs(), "{x:e}");
        let exact = f64::from(single).ln();
        if single > 0.0 && single.is_finite() {
            assert!((f64::from(simd::ln(single)) - exact).abs() <= 3e-7 * exact.abs(), "{single:e}");
        }
        let near = 1.0 + f64::from(k) * 1e-4;
        assert!((simd::ln(near) - near.ln()).abs() <= 1e-13 * near.ln().abs(), "{near}");
        let near = near as f32;
        let exact = f64::from(near).ln();
        assert!((f64::from(simd::ln(near)) - exact).abs() <= 3e-7 * exact.abs(), "{near}");
    }
    assert!(simd::ln(-1.0_f64).is_nan() && simd::ln(f32::NAN).is_nan() && simd::ln(f32::NEG_INFINITY).is_nan());
    assert_eq!((simd::ln(0.0_f64), simd::ln(f64::INFINITY)), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!((simd::ln(-0.0_f32), simd::ln(f32::INFINITY)), (f32::NEG_INFINITY, f32::INFINITY));
    assert!(
        (simd::ln(1e-320_f64) - 1e-320_f64.ln()).abs() < 1e-10 && (simd::ln(1e-40_f32) - 1e-40_f32.ln()).abs() < 1e-4
    );
}
