//! How much a quorum saves where workers are uneven: 32 workers whose evaluations take log-normal times (sigma 1), by a clock of their
//! own; 8 variables, populations of 32, seven seeds. Prints the time to the target at a barrier and at a quorum, and how many of the
//! runs reached it.
//!
//! ```sh
//! cargo run --release --example quorum -p swarmgrad
//! ```

#[path = "../tests/simulated/mod.rs"]
mod simulated;

use simulated::Simulated;
use swarmgrad::registry::Settings;
use swarmgrad::{Error, Limits, Problem, Reason, Run, problems, session};

const SEEDS: u64 = 7;

/// Median time to the target, infinite where most runs do not reach it, and how many do.
fn trial(method: &str, problem: &dyn Problem, target: f64, quorum: f64) -> Result<(f64, usize), Error> {
    let mut times = Vec::new();
    for seed in 0..SEEDS {
        let limits = Limits { evaluations: Some(200_000), target: Some(target), ..Limits::default() };
        let session = session(method, &Settings::new(), problem.space(), limits, seed)?.quorum(quorum)?;
        let mut workers = Simulated::new(problem, 32, seed);
        let outcome = Run::over(session, &mut workers).minimize();
        times.push(if outcome.reason == Reason::Target { workers.now } else { f64::INFINITY });
    }
    times.sort_by(f64::total_cmp);
    Ok((times[SEEDS as usize / 2], times.iter().filter(|time| time.is_finite()).count()))
}

fn main() -> Result<(), Error> {
    println!("{:<28} {:<12} {:>16} {:>16} {:>7}", "method", "problem", "barrier", "quorum .75", "ratio");
    let cases = [
        ("bipop_cma_es(particles=32)", "rosenbrock"),
        ("bipop_cma_es(particles=32)", "ellipsoid"),
        ("lshade(particles=32)", "rosenbrock"),
        ("lshade(particles=32)", "ellipsoid"),
        ("de(particles=32)", "ellipsoid"),
    ];
    for (method, name) in cases {
        let problem = problems::entry(name)?.build(8, None)?;
        let [barrier, quorum] = [1.0, 0.75].map(|share| trial(method, &*problem, 1e-8, share));
        let ((all, reached_all), (some, reached)) = (barrier?, quorum?);
        println!(
            "{method:<28} {name:<12} {all:>9.0} ({reached_all}/{SEEDS}) {some:>9.0} ({reached}/{SEEDS}) {:>7.2}",
            some / all
        );
    }
    Ok(())
}
