//! Numbers as JSON values: the three that JSON lacks are the strings "nan", "inf" and "-inf", as [`swarmgrad_core::number`] reads them.

use serde_json::Value;
use swarmgrad_core::{Space, Typed};

/// A number as JSON: shortest digits that read back to the same bits; NaN and the infinities, which JSON lacks, as the
/// strings "nan", "inf" and "-inf".
pub fn number(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "nan".into(),
        None => (if value > 0.0 { "inf" } else { "-inf" }).into(),
    }
}

/// Numbers as JSON, each as by [`number`].
pub fn numbers(values: &[f64]) -> Value {
    values.iter().map(|&value| number(value)).collect()
}

/// A value of a variable as JSON: whole numbers without a point, words as texts.
pub fn typed(value: &Typed) -> Value {
    match value {
        Typed::Number(t) => number(*t),
        Typed::Whole(k) => (*k).into(),
        Typed::Word(word) => word.as_str().into(),
        Typed::Flag(flag) => (*flag).into(),
    }
}

/// What a point of the space means, as JSON.
pub fn point(space: &Space, x: &[f64]) -> Value {
    space.decode(x).iter().map(typed).collect()
}
