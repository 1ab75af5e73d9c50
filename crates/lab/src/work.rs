//! Units of work on several threads.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use swarmgrad::Halt;

/// Computes every unit, one on each thread (0: one a core), and returns the results in the order of the units. The first
/// error ends the others soon, and so does `halt`, as [`Error::Interrupted`].
pub fn each<U: Sync, R: Send>(
    units: &[U],
    threads: usize,
    halt: &Halt,
    compute: impl Fn(&U) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let threads = if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads };
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, R)>> {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Relaxed);
            let Some(unit) = units.get(i) else { break };
            if halt.requested() {
                return Err(Error::Interrupted);
            }
            done.push((i, compute(unit).inspect_err(|_| next.store(units.len(), Relaxed))?));
        }
        Ok(done)
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.min(units.len())).map(|_| scope.spawn(work)).collect();
        // Every thread is waited for before the first error counts.
        let parts: Vec<_> = handles.into_iter().map(|handle| handle.join()).collect();
        let mut results = Vec::with_capacity(units.len());
        for part in parts {
            results.extend(part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok::<_, Error>(results)
    })?;
    results.sort_unstable_by_key(|(i, _)| *i);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
