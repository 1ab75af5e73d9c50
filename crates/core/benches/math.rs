//! Nanoseconds per call of the functions of `swarmgrad_core::math`, and their ratio to the standard library's.
//!
//! `cargo bench -p swarmgrad-core` prints a table. Each figure is the fastest of many repetitions over 10,000 random arguments.

use std::hint::black_box;
use std::time::Instant;
use swarmgrad_core::{Real, Rng, math};

const CALLS: usize = 10_000;

/// Nanoseconds per call.
fn fastest<F: Real>(xs: &[F], f: impl Fn(F) -> F) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..50 {
        let start = Instant::now();
        black_box(xs.iter().map(|&x| f(black_box(x))).sum::<F>());
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    best / CALLS as f64
}

fn arguments<F: Real>(low: f64, high: f64) -> Vec<F> {
    let rng = Rng::new(1);
    let mut draws = rng.row(0);
    (0..CALLS).map(|_| F::of(low + (high - low) * draws.uniform())).collect()
}

macro_rules! table {
    ($($label:literal $low:literal $high:literal: $x:ident $ours:expr, $theirs:expr;)*) => {
        println!("{:>8} {:>8} {:>8} {:>6}   {:>8} {:>8} {:>6}", "", "f64", "std", "ratio", "f32", "std", "ratio");
        $({
            let double = arguments::<f64>($low, $high);
            let single = arguments::<f32>($low, $high);
            let [a, b] = [fastest(&double, |$x: f64| $ours), fastest(&double, |$x: f64| $theirs)];
            let [c, d] = [fastest(&single, |$x: f32| $ours), fastest(&single, |$x: f32| $theirs)];
            println!("{:>8} {a:8.2} {b:8.2} {:6.2}   {c:8.2} {d:8.2} {:6.2}", $label, a / b, c / d);
        })*
    };
}

fn main() {
    table! {
        "exp" -20.0 20.0: x math::exp(x), x.exp();
        "exp2" -20.0 20.0: x math::exp2(x), x.exp2();
        "exp_m1" -5.0 5.0: x math::exp_m1(x), x.exp_m1();
        "ln" 0.0 20.0: x math::ln(x), x.ln();
        "log2" 0.0 20.0: x math::log2(x), x.log2();
        "log10" 0.0 20.0: x math::log10(x), x.log10();
        "x^0.1" 0.0 20.0: x math::powf(x, black_box(0.1)), x.powf(black_box(0.1));
        "x^2.7" 0.0 20.0: x math::powf(x, black_box(2.7)), x.powf(black_box(2.7));
        "cbrt" -20.0 20.0: x math::cbrt(x), x.cbrt();
        "sin" -6.0 6.0: x math::sin(x), x.sin();
        "cos" -6.0 6.0: x math::cos(x), x.cos();
        "tan" -6.0 6.0: x math::tan(x), x.tan();
        "tanh" -3.0 3.0: x math::tanh(x), x.tanh();
    }
}
