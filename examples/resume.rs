//! A run is its values: one that is recorded goes on after a kill, with the same bits and nothing evaluated twice.
//!
//! ```sh
//! cargo run --release --example resume -p swarmgrad
//! ```

use std::ops::ControlFlow;
use swarmgrad::study::{Execution, Study};
use swarmgrad::{Error, Progress, Reason};

fn main() -> Result<(), Error> {
    let study = Study {
        problem: Some("rosenbrock".into()),
        dim: Some(5),
        method: "cma_es".into(),
        evaluations: Some(3_000),
        ..Study::default()
    };
    let path = std::env::temp_dir().join(format!("swarmgrad-resume-{}.jsonl", std::process::id()));
    let recorded = || Execution { record: Some(path.clone()), ..Execution::default() };

    // Somebody ends the run in the middle.
    let early = |progress: &Progress<'_>| match progress.evaluations < 1_000 {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(Reason::Interrupted),
    };
    let first = study.run(Execution { watchers: vec![Box::new(early)], ..recorded() })?;
    println!("interrupted   {:.6e} after {} evaluations", first.outcome.fun, first.outcome.nfev);

    // The same command again takes up what is there.
    let second = study.run(recorded())?;
    println!("continued     {:.6e} after {} evaluations", second.outcome.fun, second.outcome.nfev);
    println!("              {} of them taken from the record", second.repeated);

    let whole = study.run(Execution::default())?;
    println!("in one go     {:.6e} after {} evaluations", whole.outcome.fun, whole.outcome.nfev);
    assert_eq!((second.outcome.x, second.repeated), (whole.outcome.x, first.outcome.nfev));
    std::fs::remove_file(&path).map_err(|why| Error::Saved(format!("{}: {why}", path.display())))
}
