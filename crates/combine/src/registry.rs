//! Every method by name, whichever crate it comes from: what the command line, the benchmarks and the tests read.

pub use swarmgrad_algorithms::method::{Entry, Method};
pub use swarmgrad_algorithms::parameters::Settings;

use crate::auto::Auto;
use crate::islands::Islands;
use crate::multistart::MultiStart;
use crate::named::Lookup;
use crate::polish::Polish;
use swarmgrad_algorithms::method::find;
use swarmgrad_algorithms::parameters::split;
use swarmgrad_core::Result;

/// The method that is taken where the user names none.
pub const DEFAULT: &str = "auto";

/// All methods of this crate: that which is taken where the user names none, then those whose parts the user chooses.
static ENTRIES: &[Entry] = &[
    Entry::of::<Auto<f32>, Auto<f64>>(
        "the default: local searches, CMA-ES and what else pays, by what the values show",
        "Baudis & Posik 2014; Loshchilov et al. 2013",
        &[],
    ),
    Entry::of::<MultiStart<f32, AllMethods>, MultiStart<f64, AllMethods>>(
        "a method that ends by itself, from one new point after another",
        "Rinnooy Kan & Timmer 1987",
        &[],
    ),
    Entry::of::<Polish<f32, AllMethods>, Polish<f64, AllMethods>>(
        "a global method, then a local search from its best point",
        "folklore",
        &[],
    ),
    Entry::of::<Islands<f32, AllMethods>, Islands<f64, AllMethods>>(
        "copies of a method on a ring that exchange their best points",
        "Tanese 1989; Whitley et al. 1999",
        &[],
    ),
];

/// All methods as parts of methods.
#[derive(Debug)]
pub struct AllMethods;

impl Lookup for AllMethods {
    fn entry(name: &str) -> Result<&'static Entry> {
        entry(name)
    }
}

/// All methods: the default, the derivative-free ones, those made of methods, those that use gradients where there are any.
pub fn entries() -> impl Iterator<Item = &'static Entry> + Clone {
    let (default, combined) = ENTRIES.split_at(1);
    let plain = default.iter().chain(swarmgrad_algorithms::registry::ENTRIES).chain(combined);
    plain.chain(swarmgrad_diff::registry::ENTRIES)
}

/// The method called `name`; an unknown name gets the nearest right one.
///
/// ```
/// use swarmgrad_combine::registry;
/// assert_eq!(registry::entry("diff_de")?.name, "diff_de");
/// let error = registry::entry("dif_de").unwrap_err();
/// assert_eq!(error.to_string(), "unknown method 'dif_de', did you mean 'diff_de'?");
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// There is no such method.
pub fn entry(name: &str) -> Result<&'static Entry> {
    find(entries(), name)
}

/// Reads a method as it is written on a command line: `NAME` or `NAME:KEY=VALUE,KEY=VALUE`. A value that is JSON is taken
/// as such, anything else as text.
///
/// # Errors
/// A part that is not `KEY=VALUE`; a name that is not known.
pub fn parse(text: &str) -> Result<(&'static Entry, Settings)> {
    let (name, settings) = split(text)?;
    Ok((entry(name)?, settings))
}
