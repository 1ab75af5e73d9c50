//! How well many copies of a program are kept busy: `cargo run -p swarmgrad-study --example program -- 1 16 1000`.
//! Points of one second of sleep, so that the first answers of all are there one second after the last start; the program is compiled where there is a C compiler, else it is a loop of the shell.

use std::time::{Duration, Instant};
use swarmgrad_core::{Batch, Evaluator, Id, Matrix, Space};
use swarmgrad_study::program::{Input, Options, Pool};

const SOURCE: &str = r#"
#include <stdio.h>
#include <unistd.h>
int main(void) {
    double x;
    while (scanf("%lf", &x) == 1) { sleep(1); printf("%.17g\n", x); fflush(stdout); }
}
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("swarmgrad-program-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let (source, program) = (folder.join("sleep.c"), folder.join("sleep"));
    std::fs::write(&source, SOURCE)?;
    let compiled = std::process::Command::new("cc").arg("-O1").arg("-o").args([&program, &source]).status();
    let command = match compiled.is_ok_and(|status| status.success()) {
        true => program.display().to_string(),
        false => "while read -r x; do sleep 1; echo $x; done".into(),
    };
    println!("program: {command}");
    println!("{:>8} {:>22} {:>22} {:>11}", "workers", "first answers of all", "5 more points each", "efficiency");
    let counts: Vec<usize> = std::env::args().skip(1).map(|count| count.parse()).collect::<Result<_, _>>()?;
    for workers in if counts.is_empty() { vec![1, 16, 1000] } else { counts } {
        let options = Options { command: command.clone(), input: Input::Plain, workers, ..Options::default() };
        let mut pool = Pool::new(&options, Space::cube(1, 0.0, 1.0)?)?;
        let started = evaluate(&mut pool, 0, vec![0.0; workers])?;
        let points = 5 * workers;
        let worked = evaluate(&mut pool, workers as u64, vec![1.0; points])?;
        let efficiency = 5.0 / worked.as_secs_f64();
        println!("{workers:>8} {:>22.2} {:>22.2} {efficiency:>11.3}", started.as_secs_f64(), worked.as_secs_f64());
        pool.notes().iter().for_each(|note| println!("note: {note}"));
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The time until all these points have their values.
fn evaluate(pool: &mut Pool, first: u64, points: Vec<f64>) -> Result<Duration, Box<dyn std::error::Error>> {
    let (begin, mut missing) = (Instant::now(), points.len());
    pool.submit(&Batch::new(Id(first), 0, Matrix::from_vec(1, points)?));
    while missing > 0 {
        for (id, evaluation) in pool.poll(Duration::from_secs(1)) {
            missing -= 1;
            if let Some(failure) = evaluation.failure {
                return Err(format!("point {id}: {failure:?}").into());
            }
        }
    }
    Ok(begin.elapsed())
}
