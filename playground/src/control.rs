//! What a parameter looks like on a page: a slider with its ends, a choice, a flag, or a text.

use serde_json::{Value, json};
use swarmgrad::algorithms::parameters::Parameter;

/// The control of a parameter. Whatever it shows, a value is checked by the library when a run begins.
pub(crate) fn of(parameter: &Parameter) -> Value {
    let Parameter { name, symbol, default, range, whole, about } = parameter;
    let mut control = json!({
        "name": name,
        "symbol": symbol,
        "default": default,
        "range": range,
        "whole": whole,
        "about": about,
    });
    control["control"] = match ends(parameter) {
        Some((low, high)) => {
            json!({ "kind": "slider", "low": low, "high": high, "log": low > 0.0 && high >= 50.0 * low })
        }
        None if range == "true | false" => json!({ "kind": "choice", "of": ["true", "false"] }),
        None if range.contains(" | ") => json!({ "kind": "choice", "of": range.split(" | ").collect::<Vec<_>>() }),
        None => json!({ "kind": "text" }),
    };
    control
}

/// The ends of a slider: of the range where it has two that are not far, else ends around the default.
fn ends(parameter: &Parameter) -> Option<(f64, f64)> {
    let whole = parameter.whole;
    let range = parameter.range.strip_prefix("a whole number ").unwrap_or(&parameter.range);
    let default = match &parameter.default {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    // Infinity stands at no place of a slider; it can be typed.
    let default = default.filter(|t: &f64| t.is_finite());
    let number = |text: &str| text.trim().parse::<f64>().ok();
    if range == "a finite number" {
        let reach = default.map_or(10.0, |t| (10.0 * t.abs()).max(1.0));
        return Some((-reach, reach));
    }
    if let Some((low, high)) = range.strip_prefix("from ").and_then(|rest| rest.split_once(" to ")) {
        let (low, high) = (number(low)?, number(high.strip_prefix("below ").unwrap_or(high))?);
        // Where the upper end only keeps nonsense out, a slider up to it would be of no use.
        let far = match default {
            Some(t) if t > low => high - low > 1e3 * (t - low),
            _ => high - low > 1e3,
        };
        return Some(if far { around(low, default, whole, true, high) } else { (low, high) });
    }
    let (excluded, low) = match range.strip_prefix("> ") {
        Some(low) => (true, low),
        None => (false, range.strip_prefix(">= ")?.trim_end_matches(", inf allowed")),
    };
    Some(around(number(low)?, default, whole, excluded, f64::INFINITY))
}

/// Ends around a default from `low` on and below `most`; zero is no end where it is `excluded`, or where the default is of another size.
fn around(low: f64, default: Option<f64>, whole: bool, excluded: bool, most: f64) -> (f64, f64) {
    let (from, to) = match default {
        Some(t) if whole && t > low => (low, (10.0 * t).max(low + 9.0)),
        _ if whole => (low, low + 100.0),
        Some(t) if t > 0.0 && low <= 0.0 && !(1e-3..1e3).contains(&t) => (1e-3 * t, 1e3 * t),
        Some(t) if t > 0.0 && low.abs() < 1e-9 && (excluded || low > 0.0) => (0.01 * t, 100.0 * t),
        Some(t) if t > low => (low, low + 5.0 * (t - low)),
        _ if excluded && low == 0.0 => (0.01, 10.0),
        _ => (low, low + 10.0),
    };
    (from, to.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad::registry;

    #[test]
    fn every_parameter_of_every_method_has_a_control_that_holds_its_default() {
        let mut sliders = 0;
        for entry in registry::entries() {
            for parameter in entry.parameters() {
                let control = of(&parameter);
                let (name, kind) = (format!("{}({})", entry.name, parameter.name), control["control"]["kind"].as_str());
                match kind {
                    Some("slider") => {
                        sliders += 1;
                        let end = |end: &str| control["control"][end].as_f64().unwrap();
                        assert!(end("low") < end("high"), "{name}: {control}");
                        if let Some(t) = parameter.default.as_f64() {
                            assert!((end("low")..=end("high")).contains(&t), "{name}: {control}");
                        }
                    }
                    Some("choice") => {
                        let all = control["control"]["of"].as_array().unwrap();
                        let default = &parameter.default;
                        let shown = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                        assert!(default.is_null() || all.contains(&shown.into()), "{name}: {control}");
                    }
                    _ => {
                        let free =
                            ["a method", "null, or a schedule"].iter().any(|text| parameter.range.starts_with(text));
                        assert!(free, "{name} has the range '{}'", parameter.range);
                    }
                }
            }
        }
        assert!(sliders > 100, "{sliders}");
    }
}
