//! Every method by name, whichever crate it comes from: what the command line, the benchmarks and the tests read.

pub use swarmgrad_algorithms::registry::{Entry, Method, Settings};

use crate::{Error, Result};

const PLAIN: &[Entry] = swarmgrad_algorithms::registry::ENTRIES;
const DIFF: &[Entry] = swarmgrad_diff::method::ENTRIES;

/// All methods: the derivative-free ones, then those that use gradients where there are any.
pub static ENTRIES: &[Entry] = &{
    let mut all = [PLAIN[0]; PLAIN.len() + DIFF.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = if i < PLAIN.len() { PLAIN[i] } else { DIFF[i - PLAIN.len()] };
        i += 1;
    }
    all
};

/// The method called `name`; an unknown name gets the nearest right one.
///
/// ```
/// use swarmgrad::registry;
/// assert_eq!(registry::entry("diff_de")?.name, "diff_de");
/// let error = registry::entry("dif_de").unwrap_err();
/// assert_eq!(error.to_string(), "unknown method 'dif_de', did you mean 'diff_de'?");
/// # Ok::<(), swarmgrad::Error>(())
/// ```
pub fn entry(name: &str) -> Result<&'static Entry> {
    let found = ENTRIES.iter().find(|e| e.name == name);
    found.ok_or_else(|| Error::unknown("method", name, ENTRIES.iter().map(|e| e.name)))
}
