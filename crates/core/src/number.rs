//! Numbers that survive JSON, which has no infinity and no NaN: `#[serde(with = "swarmgrad_core::number")]` writes them as the
//! strings `"inf"`, `"-inf"` and `"nan"`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Copy)]
struct Any(f64);

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, s)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        deserialize(d).map(Any)
    }
}

/// Writes a number, or one of the strings `"inf"`, `"-inf"`, `"nan"`.
pub fn serialize<S: Serializer>(value: &f64, s: S) -> Result<S::Ok, S::Error> {
    match *value {
        v if v.is_finite() => s.serialize_f64(v),
        v if v.is_nan() => s.serialize_str("nan"),
        v if v > 0.0 => s.serialize_str("inf"),
        _ => s.serialize_str("-inf"),
    }
}

/// Reads what [`serialize`] wrote.
pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form<'a> {
        Number(f64),
        Word(#[serde(borrow)] std::borrow::Cow<'a, str>),
    }
    match Form::deserialize(d)? {
        Form::Number(v) => Ok(v),
        Form::Word(w) => match w.as_ref() {
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            "nan" => Ok(f64::NAN),
            other => Err(D::Error::custom(format!("'{other}' is no number: a number, \"inf\", \"-inf\" or \"nan\""))),
        },
    }
}

/// The same for `Option<f64>`.
pub mod option {
    use super::*;

    /// Writes the number or null.
    pub fn serialize<S: Serializer>(value: &Option<f64>, s: S) -> Result<S::Ok, S::Error> {
        value.map(Any).serialize(s)
    }

    /// Reads a number or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Any>::deserialize(d)?.map(|a| a.0))
    }
}

/// The same for `Option<Vec<f64>>`.
pub mod list {
    use super::*;

    /// Writes the numbers or null.
    pub fn serialize<S: Serializer>(value: &Option<Vec<f64>>, s: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(|v| v.iter().copied().map(Any).collect::<Vec<_>>()).serialize(s)
    }

    /// Reads numbers or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<f64>>, D::Error> {
        Ok(Option::<Vec<Any>>::deserialize(d)?.map(|v| v.into_iter().map(|a| a.0).collect()))
    }
}

/// The same for a curve of `(evaluations, value)`.
pub mod curve {
    use super::*;

    /// Writes pairs.
    pub fn serialize<S: Serializer>(value: &[(u64, f64)], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(value.iter().map(|&(n, v)| (n, Any(v))))
    }

    /// Reads pairs.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<(u64, f64)>, D::Error> {
        Ok(Vec::<(u64, Any)>::deserialize(d)?.into_iter().map(|(n, a)| (n, a.0)).collect())
    }
}
