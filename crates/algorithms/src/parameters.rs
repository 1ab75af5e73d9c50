//! Parameters as plain data: one table gives the struct, its defaults, its checks, the command line and the help.

#[doc(hidden)]
pub use {serde_json, swarmgrad_core};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use swarmgrad_core::{Error, Result};

/// One parameter as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Name in code, on the command line and in files.
    pub name: &'static str,
    /// The paper's symbol.
    pub symbol: &'static str,
    /// Value if nothing is said.
    pub default: Value,
    /// What is allowed, in words.
    pub range: String,
    /// Whether it counts something: a whole number.
    pub whole: bool,
    /// What it is, with its unit where it has one.
    pub about: &'static str,
}

/// A structure of parameters: made by the macro `parameters!` below.
pub trait Parameters: Default + Serialize + serde::de::DeserializeOwned + Send {
    /// The table: one entry a field.
    fn table() -> Vec<Parameter>;
    /// Whether every value is in its range; the error names the first that is not.
    fn check(&self) -> Result<()>;
}

/// Parameters by name, as files and the command line give them.
pub type Settings = serde_json::Map<String, Value>;

/// Whether the settings have the types of the parameters.
pub(crate) fn readable<P: Parameters>(settings: Settings) -> std::result::Result<(), String> {
    serde_json::from_value::<P>(Value::Object(settings)).map(drop).map_err(|why| why.to_string())
}

/// Finds the first setting of `owner` that is unknown or of the wrong type; whole numbers may be written in any way. `more` are names
/// that are known besides the table's.
pub(crate) fn check_settings(
    owner: &str,
    table: &[Parameter],
    more: &[&'static str],
    readable: fn(Settings) -> std::result::Result<(), String>,
    settings: &mut Settings,
) -> Result<()> {
    if let Some(name) = settings.keys().find(|name| table.iter().all(|p| p.name != name.as_str())) {
        let known = table.iter().map(|p| p.name).chain(more.iter().copied());
        return Err(Error::unknown(&format!("parameter of {owner}"), name, known));
    }
    // One parameter at a time, so that the error names it.
    for (name, value) in settings {
        if let Some(p) = table.iter().find(|p| p.name == name.as_str()) {
            // 1e3 is a whole number too, however it is written.
            if let Some(number) = value.as_f64().filter(|t| p.whole && t.fract() == 0.0 && (0.0..1e15).contains(t)) {
                *value = Value::from(number as u64);
            }
            let alone = Settings::from_iter([(name.clone(), value.clone())]);
            readable(alone).map_err(|why| Error::parameter(name, &*value, format!("must be {} ({why})", p.range)))?;
        }
    }
    Ok(())
}

/// `base` with some parameters of `owner` set by name, all of them in their ranges.
///
/// ```
/// use swarmgrad_algorithms::parameters::with_settings;
/// use swarmgrad_algorithms::particle::batched::Params;
///
/// let settings = serde_json::json!({ "kick": 0, "inertia": 0.4 }).as_object().unwrap().clone();
/// let params: Params = with_settings("pso_sde", &Params::default(), settings)?;
/// assert_eq!((params.kick, params.inertia, params.particles), (0.0, 0.4, 100));
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// An unknown name (with the nearest right one), a wrong type, a value outside its range.
pub fn with_settings<P: Parameters>(owner: &str, base: &P, mut settings: Settings) -> Result<P> {
    check_settings(owner, &P::table(), &[], readable::<P>, &mut settings)?;
    let wrong = |why: serde_json::Error| Error::parameter(owner, "settings", why.to_string());
    let mut all = serde_json::to_value(base).map_err(wrong)?;
    if let Value::Object(all) = &mut all {
        all.append(&mut settings);
    }
    let params: P = serde_json::from_value(all).map_err(wrong)?;
    params.check()?;
    Ok(params)
}

/// What is allowed for a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Any finite number.
    Finite,
    /// At least this and finite.
    AtLeast(f64),
    /// At least this; infinity is allowed.
    AtLeastOrInfinite(f64),
    /// More than this and finite.
    Above(f64),
    /// Between the two, both included.
    Within(f64, f64),
    /// Between the two, the upper excluded.
    Below(f64, f64),
    /// One of the names.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A method of the registry as [`crate::settings::parse`] reads it, found when the method is built.
    Method,
}

/// A limit as people write it: without rows of zeros.
fn limit(t: f64) -> String {
    if t == 0.0 || (1e-4..1e9).contains(&t.abs()) { t.to_string() } else { format!("{t:e}") }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Range::Finite => write!(f, "a finite number"),
            Range::AtLeast(low) => write!(f, ">= {}", limit(low)),
            Range::AtLeastOrInfinite(low) => write!(f, ">= {}, inf allowed", limit(low)),
            Range::Above(low) => write!(f, "> {}", limit(low)),
            Range::Within(low, high) => write!(f, "from {} to {}", limit(low), limit(high)),
            Range::Below(low, high) => write!(f, "from {} to below {}", limit(low), limit(high)),
            Range::Choice(names) => write!(f, "{}", names.join(" | ")),
            Range::Flag => write!(f, "true | false"),
            Range::Method => write!(f, "a method, NAME or NAME:KEY=VALUE,.."),
        }
    }
}

/// A value that can be held against a [`Range`].
pub trait Ranged {
    /// Whether the type counts something.
    const WHOLE: bool = false;
    /// The error names the parameter, its value and the rule.
    fn within(&self, name: &str, range: Range) -> Result<()>;
}

impl Ranged for f64 {
    fn within(&self, name: &str, range: Range) -> Result<()> {
        let t = *self;
        let fine = match range {
            Range::Finite => t.is_finite(),
            Range::AtLeast(low) => t.is_finite() && t >= low,
            Range::AtLeastOrInfinite(low) => t >= low,
            Range::Above(low) => t.is_finite() && t > low,
            Range::Within(low, high) => low <= t && t <= high,
            Range::Below(low, high) => low <= t && t < high,
            Range::Choice(_) | Range::Flag | Range::Method => true,
        };
        if fine { Ok(()) } else { Err(Error::parameter(name, t, format!("must be {range}"))) }
    }
}

/// The most that a whole number may be, a parameter or a count: up to 2^53 every format has them all, and what is added to them does not
/// overflow.
pub(crate) const MOST: u64 = 1 << 53;

impl Ranged for usize {
    const WHOLE: bool = true;

    fn within(&self, name: &str, range: Range) -> Result<()> {
        let rule = || Error::parameter(name, self, format!("must be {}", in_words::<usize>(range)));
        (*self as f64).within(name, range).map_err(|_| rule())?;
        // So that no sum of a few of them overflows.
        if *self as u64 > MOST {
            return Err(Error::parameter(name, self, format!("must be at most {}", MOST)));
        }
        Ok(())
    }
}

impl<T: Ranged> Ranged for Option<T> {
    const WHOLE: bool = T::WHOLE;

    fn within(&self, name: &str, range: Range) -> Result<()> {
        self.as_ref().map_or(Ok(()), |t| t.within(name, range))
    }
}

/// The range of a parameter of type `T` as people read it.
pub fn in_words<T: Ranged>(range: Range) -> String {
    if T::WHOLE { format!("a whole number {range}") } else { range.to_string() }
}

/// Choices check themselves when they are read.
#[macro_export]
#[doc(hidden)]
macro_rules! unranged {
    ($($t:ty),*) => { $(impl $crate::parameters::Ranged for $t {
        fn within(&self, _: &str, _: $crate::parameters::Range) -> $crate::parameters::swarmgrad_core::Result<()> { Ok(()) }
    })* };
}
pub use unranged;
unranged!(bool, String);

/// An `f64` that may be infinite, written "inf" where the format has no infinity (JSON).
pub mod number {
    use super::*;

    /// Writes the number, or "inf" and "-inf" for people.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if serializer.is_human_readable() && !value.is_finite() {
            serializer.collect_str(value)
        } else {
            serializer.serialize_f64(*value)
        }
    }

    /// Reads a number or its name.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Name(String),
        }
        if !deserializer.is_human_readable() {
            return f64::deserialize(deserializer);
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(value),
            Written::Name(name) => {
                name.parse().map_err(|_| serde::de::Error::custom(format!("'{name}' is not a number")))
            }
        }
    }
}

/// Declares a structure of parameters: each line is `name "symbol": type = default, range;` under its documentation.
#[macro_export]
macro_rules! parameters {
    (
        $(#[$outer:meta])*
        pub struct $Name:ident {
            $( #[doc = $about:literal] $field:ident $symbol:literal : $type:ty = $default:expr, $range:expr $(, with $with:literal)? ; )*
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $Name {
            $( #[doc = $about] $(#[serde(with = $with)])? pub $field: $type, )*
        }

        impl Default for $Name {
            fn default() -> Self {
                $Name { $( $field: $default, )* }
            }
        }

        impl $crate::parameters::Parameters for $Name {
            fn table() -> Vec<$crate::parameters::Parameter> {
                #[allow(unused_imports)]
                use $crate::parameters::Range::*;
                let defaults = $crate::parameters::serde_json::to_value(Self::default()).unwrap_or_default();
                vec![ $( $crate::parameters::Parameter {
                    name: stringify!($field),
                    symbol: $symbol,
                    default: defaults[stringify!($field)].clone(),
                    range: $crate::parameters::in_words::<$type>($range),
                    whole: <$type as $crate::parameters::Ranged>::WHOLE,
                    about: $about.trim(),
                }, )* ]
            }

            fn check(&self) -> $crate::parameters::swarmgrad_core::Result<()> {
                #[allow(unused_imports)]
                use $crate::parameters::Range::*;
                $( $crate::parameters::Ranged::within(&self.$field, stringify!($field), $range)?; )*
                Ok(())
            }
        }
    };
}
pub use parameters;

/// Declares a choice inside a formula as an enum with the paper's words; the first is the default.
#[macro_export]
macro_rules! choice {
    ($(#[$outer:meta])* pub enum $Name:ident { $( #[doc = $about:literal] $Variant:ident = $word:literal, )* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $Name {
            $( #[doc = $about] #[serde(rename = $word)] $Variant, )*
        }

        impl $Name {
            /// The words, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
        }

        $crate::unranged!($Name);
    };
}
pub use choice;
