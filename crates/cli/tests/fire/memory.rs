//! Sizes that no machine has, under a limit on the addresses of the process: a sentence, never an abort.

use crate::tally::Tally;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use swarmgrad::Rng;
use swarmgrad::registry::{Entry, entries};

/// KiB of addresses that a process may take.
const ADDRESSES: u64 = 2 << 20;
/// After that a run is ended: it computes, which is no fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// One run of the program under the limit, told this on its standard input.
fn run(command: &str, input: &str) -> Result<(), String> {
    let program = crate::door::file();
    let program = program.display();
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {ADDRESSES}; exec {program} {command}")])
        .env("RAYON_NUM_THREADS", "2")
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| why.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        // Where nobody listens the exit code says why.
        drop(stdin.write_all(input.as_bytes()));
    }
    let begin = Instant::now();
    while child.try_wait().map_err(|why| why.to_string())?.is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill().map_err(|why| why.to_string())?;
            child.wait().map_err(|why| why.to_string())?;
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let short = said.lines().next().unwrap_or_default();
    match output.status.code() {
        None => Err(format!("ended by {}: {short}", output.status)),
        Some(_) if said.contains("panicked") || said.contains("memory allocation") => Err(short.into()),
        Some(0 | 1) => Ok(()),
        Some(2) if said.contains("swarmgrad: ") || said.contains("error: ") => Ok(()),
        Some(code) => Err(format!("exit code {code}: {short}")),
    }
}

/// A size from 1 to 10^most, its logarithm uniform.
fn size(uniform: f64, most: f64) -> u64 {
    10_f64.powf(uniform * most) as u64
}

/// Runs with random dimensions and sizes, `scale` times forty.
pub fn memory(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("sizes beyond the memory, under `ulimit -v` of 2 GiB");
    let rng = Rng::new(seed).fork("memory");
    let all: Vec<&'static Entry> = entries().collect();
    for case in 0..40 * scale {
        let rng = rng.at(case);
        let mut draw = rng.row(0);
        let entry = all[draw.below(all.len())];
        let dim = size(draw.uniform(), 6.3);
        let agent = draw.below(4) == 0;
        let (mut command, input) = match agent {
            true => (format!("agent -m {}", entry.name), format!("init {dim} -5 5 20 1\ndone\n")),
            false => {
                let command = format!("minimize rosenbrock --dim {dim} -m {} -n 20 --time 5 --json", entry.name);
                (command, String::new())
            }
        };
        let counts: Vec<_> = entry.parameters().into_iter().filter(|p| p.whole).collect();
        if !counts.is_empty() && draw.below(3) > 0 {
            let count = &counts[draw.below(counts.len())];
            command += &format!(" --set {}={}", count.name, size(draw.uniform(), 19.0));
        }
        tally.case(run(&command, &input).map_err(|why| format!("{input}swarmgrad {command}: {why}")));
    }
    tally
}

#[test]
#[cfg(target_os = "linux")]
fn what_does_not_fit_is_refused_in_a_sentence() {
    memory(1, 1).hold();
}
