//! Every method by name, whichever crate it comes from: what the command line, the benchmarks and the tests read.

pub use swarmgrad_algorithms::registry::{DEFAULT, Entry, Method, Settings};

use crate::{Error, Result};

/// All methods: the derivative-free ones, then those that use gradients where there are any.
pub fn entries() -> impl Iterator<Item = &'static Entry> + Clone {
    swarmgrad_algorithms::registry::ENTRIES.iter().chain(swarmgrad_diff::method::ENTRIES)
}

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
    entries().find(|e| e.name == name).ok_or_else(|| Error::unknown("method", name, entries().map(|e| e.name)))
}

/// Reads a method as it is written on a command line: `NAME` or `NAME:KEY=VALUE,KEY=VALUE`. A value that is JSON is taken
/// as such, anything else as text.
pub fn parse(text: &str) -> Result<(&'static Entry, Settings)> {
    let (name, settings) = swarmgrad_algorithms::registry::split(text)?;
    Ok((entry(name)?, settings))
}
