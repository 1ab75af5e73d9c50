//! Progress, and an end of your own: a watcher sees the run after each round, prints how it stands, and ends it when it likes.
//!
//! ```sh
//! cargo run --release --example progress -p swarmgrad
//! ```

use std::ops::ControlFlow;
use std::time::Duration;
use swarmgrad::{Error, Progress, Reason, Space, minimize};

fn main() -> Result<(), Error> {
    let valley =
        |x: &[f64]| x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum::<f64>();
    let mut next = 1;
    let watch = |progress: &Progress<'_>| {
        if progress.evaluations >= next {
            println!("{:>7} evaluations   best {:.3e}", progress.evaluations, progress.best.value);
            next = progress.evaluations * 2;
        }
        match progress.best.value < 1e-6 {
            true => ControlFlow::Break(Reason::Method("good enough for today".into())),
            false => ControlFlow::Continue(()),
        }
    };
    // Whatever comes first: evaluations, seconds, no gain for a while, or the watcher.
    let outcome = minimize(valley, Space::cube(8, -5.0, 10.0)?)
        .method("cma_es")
        .evaluations(50_000)
        .time(Duration::from_secs(60))
        .patience(20_000)
        .watch(watch)
        .run()?;
    println!("ended: {}", outcome.reason);
    assert!(outcome.fun < 1e-6 && outcome.reason.to_string() == "good enough for today");
    Ok(())
}
