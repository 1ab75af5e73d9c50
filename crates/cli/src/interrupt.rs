//! Ctrl-C: the first asks the run to end, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// The exit code of an interrupted program, 128 + SIGINT.
pub const EXIT: u8 = 130;

/// A flag that the first ctrl-C (or SIGTERM, SIGHUP) sets.
pub fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let (seen, asked) = (flag.clone(), AtomicBool::new(false));
    let handler = move || {
        seen.store(true, SeqCst);
        if asked.swap(true, SeqCst) {
            swarmgrad::study::program::kill_all();
            std::process::exit(EXIT.into());
        }
    };
    if let Err(why) = ctrlc::set_handler(handler) {
        eprintln!("swarmgrad: ctrl-C will end the program at once: {why}");
    }
    flag
}
