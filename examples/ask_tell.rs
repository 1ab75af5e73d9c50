//! Ask and tell: your own code has the loop. Here points go to four threads, whose answers come in any order; a round is over when three
//! quarters of it are known, and an answer that comes later still counts.
//!
//! ```sh
//! cargo run --release --example ask_tell -p swarmgrad
//! ```

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;
use swarmgrad::registry::Settings;
use swarmgrad::{Error, Evaluation, Limits, Space, session};

fn main() -> Result<(), Error> {
    let space = Space::cube(3, -5.0, 5.0)?;
    let mut session = session("lshade", &Settings::new(), &space, Limits::evaluations(3_000), 7)?.quorum(0.75)?;

    let (give, take) = mpsc::channel::<(_, Vec<f64>)>();
    let (answer, answers) = mpsc::channel();
    let take = Arc::new(Mutex::new(take));
    for _ in 0..4 {
        let (take, answer) = (take.clone(), answer.clone());
        thread::spawn(move || {
            loop {
                let next = take.lock().expect("no thread panics with it").recv();
                let Ok((id, x)) = next else { return };
                thread::sleep(Duration::from_micros((100.0 * x[0].abs()) as u64)); // some take longer than others
                let value = x.iter().map(|t| (t - 1.0).powi(2)).sum::<f64>();
                if answer.send((id, value)).is_err() {
                    return;
                }
            }
        });
    }
    while session.ended().is_none() {
        for (id, x) in session.ask(usize::MAX).points() {
            give.send((id, x.to_vec())).expect("the threads live as long as this does");
        }
        let (id, value) = answers.recv().expect("values are awaited");
        session.tell(id, Evaluation::of(value))?;
    }
    let best = session.outcome();
    println!("{:.3e} at {:.4?} after {} evaluations", best.fun, best.x, best.nfev);
    assert!(best.fun < 1e-6);
    Ok(())
}
