//! How well workers are kept busy: 480 evaluations of 20 ms in 4 variables over 1, 4 and 16 workers. Prints how many times as fast as
//! one worker without any loss the run was, and what its rounds allow: points over ceil(points / workers), summed.
//!
//! ```sh
//! cargo run --release --example workers -p swarmgrad
//! ```

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use swarmgrad::{Error, Function, Progress, Space, minimize_problem};

const POINT: Duration = Duration::from_millis(20);

fn main() -> Result<(), Error> {
    let methods = ["auto", "de", "cma_es", "pso", "bipop_cma_es", "lshade"].map(str::to_owned);
    let whole = ["de", "cma_es", "pso"].map(|method| format!("{method}(particles=48)"));
    println!("{:<24} {:>8} {:>9} {:>9} {:>9}", "method", "workers", "speed-up", "limit", "share");
    for method in methods.iter().chain(&whole) {
        for workers in [1, 4, 16] {
            let bowl = |x: &[f64]| {
                std::thread::sleep(POINT);
                x.iter().map(|t| (t - 0.3) * (t - 0.3) * (1.0 + t * t)).sum::<f64>()
            };
            let (steps, mut before) = (AtomicU64::new(0), 0);
            let count = |progress: &Progress<'_>| {
                steps.fetch_add((progress.evaluations - before).div_ceil(workers as u64), Relaxed);
                before = progress.evaluations;
                ControlFlow::Continue(())
            };
            let problem = Function::new(Space::cube(4, -5.0, 5.0)?, bowl);
            let mut run =
                minimize_problem(problem).method(method).evaluations(480).seed(3).threads(workers).watch(count);
            if method == "auto" {
                run = run.set("workers", workers);
            }
            let begin = Instant::now();
            let evaluations = run.run()?.nfev as f64;
            let speed = evaluations * POINT.as_secs_f64() / begin.elapsed().as_secs_f64();
            let limit = evaluations / steps.load(Relaxed) as f64;
            println!("{method:<24} {workers:>8} {speed:>9.2} {limit:>9.2} {:>9.2}", speed / limit);
        }
    }
    Ok(())
}
