//! The suite BBOB against COCO's own C code, in one process.

use coco_rs::{LogLevel, Suite, suite};
use swarmgrad_core::Rng;

#[test]
fn every_function_has_cocos_values() {
    LogLevel::Warning.set();
    let mut theirs = Suite::new(suite::Name::Bbob, "instances: 1-15", "dimensions: 2,3,5,10,20,40").unwrap();
    let mut worst = [0.0f64; 25];
    let mut compared = 0;
    for f in 1..=24 {
        for dim in [2, 3, 5, 10, 20, 40] {
            for instance in 1..=15 {
                let ours = swarmgrad_problems::bbob(f, instance).unwrap().build::<f64>(dim, None).unwrap();
                let mut problem =
                    theirs.problem_by_function_dimension_instance(f, dim, instance as usize).expect("COCO has it");
                let optimum = &ours.minimizers()[0];
                let rng = Rng::new(f as u64).fork(&format!("{dim} {instance}"));
                let (mut x, mut y) = (vec![0.0; dim], [0.0]);
                for k in 0..30 {
                    rng.row(k).fill_uniform(&mut x);
                    // In the box, in a wider one, ever nearer to the optimum, and the optimum itself.
                    for (t, best) in x.iter_mut().zip(optimum) {
                        *t = match k {
                            0..12 => -5.0 + 10.0 * *t,
                            12..18 => -8.0 + 16.0 * *t,
                            29 => *best,
                            _ => best + 10f64.powi(17 - k as i32) * (2.0 * *t - 1.0),
                        };
                    }
                    problem.evaluate_function(&x, &mut y);
                    let gap = (ours.value(&x) - y[0]).abs() / y[0].abs().max(1e-300);
                    // The ripples of f19 magnify a unit in the last place of their argument.
                    let allowed = if f == 19 { 1e-8 } else { 1e-12 };
                    assert!(gap <= allowed, "f{f} d={dim} i={instance} k={k}: {} here, {} there", ours.value(&x), y[0]);
                    worst[f] = worst[f].max(gap);
                    compared += 1;
                }
                let least = ours.minimum().unwrap();
                assert!((problem.best_value() - least).abs() <= 1e-9 * least.abs().max(1.0), "f{f} i={instance}");
            }
        }
    }
    let report: Vec<_> = worst.iter().enumerate().skip(1).map(|(f, gap)| format!("f{f} {gap:.0e}")).collect();
    println!("{compared} values, largest relative difference: {}", report.join(", "));
}
