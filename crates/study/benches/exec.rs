//! Microseconds of a round trip to a program that answers at once, beside a bare pipe to the same program.
//!
//! `cargo bench -p swarmgrad-study --bench exec` prints both, measured in turns: the medians of many short runs, of 2 and of 30
//! variables. The program is compiled where there is a C compiler; else nothing is measured.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use swarmgrad_core::{Batch, Evaluator, Id, Matrix, Space};
use swarmgrad_study::program::{Input, Options, Pool};

const SOURCE: &str = r#"
#include <stdio.h>
int main(void) {
    static char line[1 << 16];
    while (fgets(line, sizeof line, stdin)) { puts("0.125"); fflush(stdout); }
}
"#;

const TRIPS: u64 = 2000;
const TURNS: usize = 15;

/// Microseconds a trip.
fn each(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64() * 1e6 / TRIPS as f64
}

/// Writes a line and waits for the answer.
fn bare(child: &mut Child, line: &[u8]) -> f64 {
    let (Some(input), Some(output)) = (&mut child.stdin, &mut child.stdout) else { return f64::NAN };
    let (mut output, mut answer) = (BufReader::new(output), String::new());
    each(|| {
        for _ in 0..TRIPS {
            answer.clear();
            if input.write_all(line).is_err() || output.read_line(&mut answer).is_err() {
                return;
            }
            black_box(answer.trim().parse::<f64>().ok());
        }
    })
}

/// The same by a pool.
fn pooled(pool: &mut Pool, first: &mut u64, x: &[f64]) -> f64 {
    each(|| {
        for _ in 0..TRIPS {
            pool.submit(&Batch::new(Id(*first), 0, Matrix::from_vec(x.len(), x.to_vec()).unwrap_or_default()));
            *first += 1;
            while black_box(pool.poll(Duration::from_secs(10))).is_empty() {}
        }
    })
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("swarmgrad-exec-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let (source, program) = (folder.join("echo.c"), folder.join("echo"));
    std::fs::write(&source, SOURCE)?;
    if !Command::new("cc").arg("-O1").arg("-o").args([&program, &source]).status().is_ok_and(|status| status.success())
    {
        println!("no C compiler");
        return Ok(());
    }
    println!("{:>4} {:>6} {:>10} {:>10} {:>6}", "d", "", "pipe us", "pool us", "ratio");
    for dim in [2, 30] {
        let x: Vec<f64> = (0..dim).map(|j| 0.1 + j as f64 / 7.0).collect();
        for (name, input) in [("plain", Input::Plain), ("json", Input::Json)] {
            let mut child = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let line = x.iter().map(f64::to_string).collect::<Vec<_>>().join(" ") + "\n";
            let options = Options { command: program.display().to_string(), input, workers: 1, ..Options::default() };
            let (mut pool, mut first) = (Pool::new(&options, Space::cube(dim, 0.0, 9.0)?)?, 0);
            pooled(&mut pool, &mut first, &x);
            let (mut pipe, mut pools) = (Vec::new(), Vec::new());
            for _ in 0..TURNS {
                pipe.push(bare(&mut child, line.as_bytes()));
                pools.push(pooled(&mut pool, &mut first, &x));
            }
            drop(child.stdin.take());
            child.wait()?;
            let (pipe, pools) = (median(pipe), median(pools));
            println!("{dim:>4} {name:>6} {pipe:>10.1} {pools:>10.1} {:>6.2}", pools / pipe);
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
