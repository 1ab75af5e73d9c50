//! What a line of the journal costs: nanoseconds an evaluation over those of the same session without a journal.
//!
//! `cargo bench -p swarmgrad-study --bench journal` prints a table. Bar: 3 microseconds a line in 10 dimensions, without fsync;
//! the lines of cheap evaluations are handed over together. `each` hands over every line, as after an evaluation of a
//! millisecond. The fastest of 15 repetitions of 20,000 evaluations, in a file of the folder for temporary files.

use std::ops::ControlFlow;
use std::time::Instant;
use swarmgrad_core::{Algorithm, Evaluation, Limits, Matrix, Progress, Reason, Rng, Session, Told, View, Watch};
use swarmgrad_study::journal::{Header, Journal, read};

const EVALUATIONS: u64 = 20_000;

/// Forty normal points a round.
struct Forty(usize, u64);

impl Algorithm for Forty {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix) {
        xs.resize(40, self.0);
        xs.iter_mut().enumerate().for_each(|(i, x)| rng.row(i).fill_normal(x));
    }

    fn tell(&mut self, _xs: &mut Matrix, _values: &[f64]) {
        self.1 += 1;
    }

    fn answer(&self) -> Vec<f64> {
        Vec::new()
    }

    fn iterations(&self) -> u64 {
        self.1
    }

    fn view(&self) -> View<'_> {
        View::default()
    }

    fn save(&self, _out: &mut Vec<u8>) -> swarmgrad_core::Result<()> {
        Ok(())
    }
}

/// Sees evaluations and does nothing.
struct Idle;

impl Watch for Idle {
    fn see(&mut self, _progress: &Progress<'_>) -> ControlFlow<Reason> {
        ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        true
    }

    fn evaluated(&mut self, _told: &Told<'_>) {}
}

/// Nanoseconds an evaluation.
fn run(dim: usize, watcher: &mut dyn Watch, seconds: f64) -> f64 {
    let limits = Limits::evaluations(EVALUATIONS);
    let mut session = Session::new(Box::new(Forty(dim, 0)), 1).limits(limits).watch_by(watcher);
    let begin = Instant::now();
    while session.ended().is_none() {
        for (id, x) in session.ask(usize::MAX).points() {
            let evaluation = Evaluation { seconds, ..Evaluation::of(x.iter().map(|t| t * t).sum()) };
            session.tell(id, evaluation).expect("it was asked for");
        }
    }
    begin.elapsed().as_secs_f64() * 1e9 / EVALUATIONS as f64
}

fn main() {
    let path = std::env::temp_dir().join(format!("swarmgrad-bench-{}.jsonl", std::process::id()));
    let fastest = |time: &mut dyn FnMut() -> f64| (0..15).map(|_| time()).fold(f64::INFINITY, f64::min);
    println!("{:>4} {:>8} {:>9} {:>9} {:>9}", "d", "without", "together", "each", "read");
    for dim in [2, 10, 40] {
        let without = fastest(&mut || run(dim, &mut Idle, 1e-6));
        let line = |seconds: f64| {
            let with = fastest(&mut || {
                drop(std::fs::remove_file(&path));
                let header = Header::new(serde_json::json!({ "dim": dim }));
                run(dim, &mut Journal::create(&path, &header).expect("a file"), seconds)
            });
            with - without
        };
        let (together, each) = (line(1.234_567e-6), line(1.234_567e-3));
        let reading = fastest(&mut || {
            let begin = Instant::now();
            assert_eq!(read(&path).expect("a journal").evaluations.len() as u64, EVALUATIONS);
            begin.elapsed().as_secs_f64() * 1e9 / EVALUATIONS as f64
        });
        println!("{dim:>4} {without:>5.0} ns {together:>6.0} ns {each:>6.0} ns {reading:>6.0} ns");
    }
    drop(std::fs::remove_file(&path));
}
