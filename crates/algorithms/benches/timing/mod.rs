//! How the benchmarks time.

use std::time::Instant;

/// Seconds of the fastest of many short repetitions of `work`: about a millisecond each, so that on a shared machine some
/// of them are undisturbed.
pub fn fastest(mut work: impl FnMut()) -> f64 {
    let mut once = || {
        let begin = Instant::now();
        work();
        begin.elapsed().as_secs_f64()
    };
    let typical = once().min(once()).min(once());
    let times = ((1e-3 / typical.max(1e-9)) as usize).max(1);
    let repetitions = ((0.4 / (typical * times as f64)) as usize).clamp(5, 400);
    let repetition = |_| {
        let begin = Instant::now();
        (0..times).for_each(|_| work());
        begin.elapsed().as_secs_f64() / times as f64
    };
    (0..repetitions).map(repetition).fold(f64::INFINITY, f64::min)
}
