//! Ctrl-C: the first asks the run to end, another one at least a second later ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// The exit code of an interrupted program, 128 + SIGINT.
pub const EXIT: u8 = 130;

/// Signals that come closer together are one: `timeout` sends its own to the program and to its group.
const SAME: Duration = Duration::from_secs(1);

/// A flag that the first ctrl-C (or SIGTERM, SIGHUP) sets.
pub fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    let mut first: Option<Instant> = None;
    let asked = move || {
        seen.store(true, SeqCst);
        if first.get_or_insert_with(Instant::now).elapsed() >= SAME {
            swarmgrad::study::program::kill_all();
            std::process::exit(EXIT.into());
        }
    };
    if let Err(why) = on_signal(asked) {
        note!("swarmgrad: ctrl-C will end the program at once: {why}");
    }
    flag
}

/// Sets the flag after so many seconds; whether that has happened is in the flag that is given back.
pub fn set_after(flag: &Arc<AtomicBool>, seconds: f64) -> Arc<AtomicBool> {
    let late = Arc::new(AtomicBool::new(false));
    let (flag, seen) = (flag.clone(), late.clone());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        if !flag.swap(true, SeqCst) {
            seen.store(true, SeqCst);
        }
    });
    late
}

#[cfg(unix)]
fn on_signal(mut asked: impl FnMut() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // What the caller has us ignore, as nohup does with SIGHUP, stays ignored.
    let signals = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| signal == SIGINT || !is_ignored(signal));
    let mut signals = signal_hook::iterator::Signals::new(signals)?;
    std::thread::spawn(move || signals.forever().for_each(|_| asked()));
    Ok(())
}

/// Whether the process began with this signal ignored; not known where there is no /proc.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(not(unix))]
fn on_signal(asked: impl FnMut() + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(asked)
}
