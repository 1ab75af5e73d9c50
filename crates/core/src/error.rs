//! One error type: every message names the thing, its value and the rule.

use thiserror::Error as ThisError;

/// What can go wrong before a run starts. Hot loops never fail: a bad value of the objective is counted, not raised.
#[derive(Debug, Clone, PartialEq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A parameter outside its range.
    #[error("{name} = {value}: {rule}")]
    Parameter {
        /// The parameter as the user writes it.
        name: String,
        /// What was given.
        value: String,
        /// What is allowed.
        rule: String,
    },
    /// Something that was not given.
    #[error("{name} is missing: {rule}")]
    Missing {
        /// What it is, as the user writes it.
        name: String,
        /// Why it is needed, or how it is given.
        rule: String,
    },
    /// Two sizes that must agree do not.
    #[error("{name} has {found} entries, expected {expected}")]
    Shape {
        /// What has the wrong size.
        name: String,
        /// The size found.
        found: usize,
        /// The size needed.
        expected: usize,
    },
    /// A name that nothing answers to.
    #[error("unknown {kind} '{name}'{}", suggestion(nearest, known))]
    Unknown {
        /// Kind of the name: method, problem, parameter.
        kind: String,
        /// The name given.
        name: String,
        /// The nearest name that exists, if one is near.
        nearest: Option<String>,
        /// All names that exist, if they are few.
        known: Vec<String>,
    },
    /// Saved state that cannot be read back.
    #[error("cannot read the saved state: {0}")]
    Saved(String),
    /// State that cannot be saved.
    #[error("cannot save the state of {method}: {why}")]
    Unsaved {
        /// Whose state.
        method: String,
        /// What stands against it.
        why: String,
    },
    /// A method that needs more memory than it may take.
    #[error(
        "{method} needs {needs:.1} GiB of memory for {dim} variables, and {limit:.1} may be taken: {}SWARMGRAD_MEMORY=64G (for the \
         program also --memory 64G) allows more",
        fits.as_ref().map_or_else(String::new, |fits| format!("{fits}; "))
    )]
    Memory {
        /// The method.
        method: String,
        /// Its variables.
        dim: usize,
        /// What it needs, in GiB.
        needs: f64,
        /// What it may take, in GiB.
        limit: f64,
        /// What would fit, in words, where that is known.
        fits: Option<String>,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {}", without_code(why))]
    File {
        /// The path as the user gave it.
        path: String,
        /// What the system said.
        why: String,
    },
}

/// A result whose error is [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A parameter outside its range: name, value and the rule it breaks.
    pub fn parameter(name: impl Into<String>, value: impl ToString, rule: impl Into<String>) -> Self {
        Error::Parameter { name: name.into(), value: value.to_string(), rule: rule.into() }
    }

    /// Something that was not given, and why it is needed or how it is given.
    pub fn missing(name: impl Into<String>, rule: impl Into<String>) -> Self {
        Error::Missing { name: name.into(), rule: rule.into() }
    }

    /// A size that does not agree.
    pub fn shape(name: impl Into<String>, found: usize, expected: usize) -> Self {
        Error::Shape { name: name.into(), found, expected }
    }

    /// A name nothing answers to, with the nearest of `known`.
    pub fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        if known.len() > FEW {
            known.clear();
        }
        Error::Unknown { kind: kind.into(), name: name.into(), nearest, known }
    }
}

/// The name among `known` that is nearest to `name` (Jaro-Winkler), if any is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let key = name.to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&key, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Most names that a message lists.
const FEW: usize = 20;

fn suggestion(nearest: &Option<String>, known: &[String]) -> String {
    match nearest {
        Some(name) => format!(", did you mean '{name}'?"),
        None if known.is_empty() => String::new(),
        None => format!(": there are {}", known.join(", ")),
    }
}

/// What the system said, without the number that only programmers of systems read.
fn without_code(why: &str) -> String {
    match (why.find(" (os error "), why.rfind(')')) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &why[..from], &why[to + 1..]),
        _ => why.to_owned(),
    }
}
