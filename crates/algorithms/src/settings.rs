//! The one grammar of methods with settings: `NAME`, `NAME(KEY=VALUE, KEY=VALUE)`, and `NAME:KEY=VALUE,KEY=VALUE` for short.
//!
//! A value is JSON (a number, `true`, a list, an object, a text in quotation marks), a number in another usual form (`.5`, `1.`, `+2`),
//! or a text. A method may stand as a value and is read by the parameter that takes one: `islands(method=lshade(particles=50))`.
//! Hyphens in a key mean underscores. It stands here, below the methods that are made of methods, because these read it too.

use crate::parameters::Settings;
use serde_json::{Number, Value};
use std::fmt::Write;
use swarmgrad_core::{Error, Result};

const FORM: &str = "must be NAME, NAME(KEY=VALUE, KEY=VALUE) or NAME:KEY=VALUE,KEY=VALUE, \
                    for example pso(particles=40, topology=ring)";

fn wrong(text: &str, why: impl AsRef<str>) -> Error {
    Error::parameter("method", format!("'{}'", text.trim()), format!("{}; it {FORM}", why.as_ref()))
}

/// Reads a method: its name and its settings.
///
/// ```
/// use swarmgrad_algorithms::settings;
/// let (name, all) = settings::parse("islands(method=lshade(particles=50), number=4)")?;
/// assert_eq!((name.as_str(), &all["method"], &all["number"]), ("islands", &"lshade(particles=50)".into(), &4.into()));
/// assert_eq!(settings::parse("de:particles=20,f=.5")?, settings::parse("de(f=0.5, particles=20)")?);
/// assert!(settings::parse("pso(particles=20").is_err());
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// Shows the text, what is wrong with it, and an example.
pub fn parse(text: &str) -> Result<(String, Settings)> {
    let trimmed = text.trim();
    let end = trimmed.find(['(', ':']).unwrap_or(trimmed.len());
    let (name, rest) = trimmed.split_at(end);
    let name = name.trim();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)) {
        return Err(wrong(text, "has no name of a method"));
    }
    let inside = match rest.chars().next() {
        None => "",
        Some(':') => &rest[1..],
        _ => rest[1..].strip_suffix(')').ok_or_else(|| wrong(text, "has no closing parenthesis at its end"))?,
    };
    let mut settings = Settings::new();
    let parts = parts(inside, |c| c == ',').map_err(|why| wrong(text, why))?;
    let only_blank = parts.len() == 1 && parts[0].trim().is_empty();
    for part in parts.into_iter().filter(|_| !only_blank) {
        set(&mut settings, part).map_err(|why| wrong(text, why))?;
    }
    Ok((name.into(), settings))
}

/// Reads settings that are given one by one, `KEY=VALUE` each.
///
/// # Errors
/// One that is not of that form or sets what is set already.
pub fn pairs(all: &[String]) -> Result<Settings> {
    let mut settings = Settings::new();
    for pair in all {
        set(&mut settings, pair).map_err(|why| {
            let form = "must be KEY=VALUE, for example particles=40";
            let rule = if pair.contains('=') { format!("{why}; it {form}") } else { form.into() };
            Error::parameter("--set", format!("'{pair}'"), rule)
        })?;
    }
    Ok(settings)
}

/// Reads a method and adds further settings, none of which its text may have already.
///
/// # Errors
/// Those of [`parse`], and a setting given twice.
pub fn parse_with(text: &str, more: &Settings) -> Result<(String, Settings)> {
    let (name, mut settings) = parse(text)?;
    for (key, value) in more {
        if settings.insert(key.clone(), value.clone()).is_some() {
            return Err(Error::parameter("--set", key, format!("is set in '{}' already", text.trim())));
        }
    }
    Ok((name, settings))
}

/// Splits a list of methods at its commas and blanks; those within parentheses, brackets and quotation marks are no ends, and a part
/// that is no name but `KEY=VALUE` belongs to the short form before it.
///
/// ```
/// use swarmgrad_algorithms::settings;
/// let list = settings::list("de(particles=20, f=0.5),clpso,pso:particles=30,c1=2 auto")?;
/// assert_eq!(list, ["de(particles=20, f=0.5)", "clpso", "pso:particles=30,c1=2", "auto"]);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
///
/// # Errors
/// A parenthesis or quotation mark without its partner.
pub fn list(text: &str) -> Result<Vec<String>> {
    let mut methods: Vec<String> = Vec::new();
    for part in parts(text, |c| c == ',' || c.is_whitespace()).map_err(|why| wrong(text, why))? {
        let part = part.trim();
        let continues = part.find(['=', '(']).is_some_and(|at| part[at..].starts_with('='));
        match methods.last_mut() {
            _ if part.is_empty() => {}
            Some(last) if continues && last.find(['(', ':']).is_some_and(|at| last[at..].starts_with(':')) => {
                last.push(',');
                last.push_str(part);
            }
            _ => methods.push(part.into()),
        }
    }
    Ok(methods)
}

/// Writes a method as [`parse`] reads it.
pub fn show(name: &str, settings: &Settings) -> String {
    let mut text = name.to_owned();
    for (k, (key, value)) in settings.iter().enumerate() {
        let begin = if k == 0 { "(" } else { ", " };
        // A text that reads back as itself needs no quotation marks.
        let plain = value.as_str().filter(|plain| {
            let mut again = Settings::new();
            set(&mut again, &format!("k={plain}")).is_ok()
                && again["k"] == *value
                && parts(plain, |c| c == ',').is_ok_and(|parts| parts.len() == 1)
        });
        let _ = match plain {
            Some(plain) => write!(text, "{begin}{key}={plain}"),
            None => write!(text, "{begin}{key}={value}"),
        };
    }
    if !settings.is_empty() {
        text.push(')');
    }
    text
}

/// Reads one `KEY=VALUE` into the settings.
fn set(settings: &mut Settings, pair: &str) -> std::result::Result<(), String> {
    let (key, text) = pair.split_once('=').ok_or_else(|| format!("'{}' is not KEY=VALUE", pair.trim()))?;
    let (key, text) = (key.trim().replace('-', "_"), text.trim());
    if key.is_empty() {
        return Err(format!("'{}' has no key", pair.trim()));
    }
    if settings.contains_key(&key) {
        return Err(format!("{key} is set twice"));
    }
    settings.insert(key, value(text));
    Ok(())
}

/// What a text means: JSON, a number in another usual form, or itself.
fn value(text: &str) -> Value {
    let number = || text.parse().ok().and_then(Number::from_f64).map(Value::Number);
    serde_json::from_str(text).ok().or_else(number).unwrap_or_else(|| text.into())
}

/// The parts of a text between separators that stand in no parentheses, brackets, braces or quotation marks.
fn parts(text: &str, separates: impl Fn(char) -> bool) -> std::result::Result<Vec<&str>, String> {
    let (mut parts, mut open, mut from) = (Vec::new(), Vec::new(), 0);
    // Where the quotation that is open begins.
    let (mut quoted, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        if quoted.is_some() {
            if c == '"' && !escaped {
                quoted = None;
            }
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => quoted = Some(at),
            '(' => open.push((')', at)),
            '[' => open.push((']', at)),
            '{' => open.push(('}', at)),
            ')' | ']' | '}' if open.pop().map(|(closes, _)| closes) != Some(c) => {
                return Err(format!("has a '{c}' too many in '{}'", &text[..at + 1]));
            }
            c if open.is_empty() && separates(c) => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    match open.pop() {
        _ if quoted.is_some() => Err(format!("lacks a quotation mark in '{}'", &text[quoted.unwrap_or(0)..])),
        Some((missing, at)) => Err(format!("lacks a '{missing}' in '{}'", &text[at..])),
        None => {
            parts.push(&text[from..]);
            Ok(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn values_are_json_numbers_or_text() {
        let all =
            ["a=1", "b=inf", "c=[1,2]", "d = true", "e=x=y", "f=.5", "g-h=\"a, b\"", "i=pso(c1=2)"].map(String::from);
        let expected =
            json!({"a": 1, "b": "inf", "c": [1, 2], "d": true, "e": "x=y", "f": 0.5, "g_h": "a, b", "i": "pso(c1=2)"});
        assert_eq!(Value::Object(pairs(&all).unwrap()), expected);
        assert!(pairs(&["a".into()]).is_err() && pairs(&["=3".into()]).is_err());
        let error = pairs(&["a=1".into(), "a=2".into()]).unwrap_err().to_string();
        assert!(error.starts_with("--set = 'a=2': a is set twice"), "{error}");
    }

    #[test]
    fn wrong_texts_are_shown_with_an_example() {
        for (text, why) in [
            ("", "no name"),
            ("(a=1)", "no name"),
            ("pso(a=1", "no closing parenthesis"),
            ("pso(a=1))", "a ')' too many in 'a=1)'"),
            ("pso(a=[1)", "lacks a ']' in '[1'"),
            ("pso(a=(1])", "a ']' too many in 'a=(1]'"),
            ("pso(a)", "'a' is not KEY=VALUE"),
            ("pso(a=1, a=2)", "a is set twice"),
            ("pso:a=1,a=2", "a is set twice"),
            ("pso(a=1,)", "not KEY=VALUE"),
            ("pso(=1)", "has no key"),
            ("pso(a=\"x)", "lacks a quotation mark in '\"x'"),
            ("pso(a=1) b", "no closing parenthesis"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("for example pso("), "{text}: {error}");
        }
        assert_eq!(parse(" pso ( ) ").unwrap(), ("pso".into(), Settings::new()));
        assert!(list("a(b").is_err());
        // Only the short form goes on behind a comma.
        assert_eq!(list("de(f=a:b), c1=2").unwrap(), ["de(f=a:b)", "c1=2"]);
        let more = Settings::from_iter([("a".to_owned(), 2.into())]);
        assert_eq!(parse_with("pso(b=1)", &more).unwrap().1.len(), 2);
        let error = parse_with(" pso(a=1) ", &more).unwrap_err().to_string();
        assert_eq!(error, "--set = a: is set in 'pso(a=1)' already");
    }

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[a-z]{1,5}\\([a-z]{1,3}=[0-9]{1,3}, x=\\[1,2\\]\\)".prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(keys in prop::collection::vec("[a-z_]{1,6}", 0..5), values in prop::collection::vec(leaf(), 5)) {
            let settings: Settings = keys.into_iter().zip(values).collect();
            let text = show("islands", &settings);
            let (name, again) = parse(&text).unwrap();
            prop_assert_eq!((name.as_str(), again), ("islands", settings), "{}", text);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = (parse(&text), list(&text), pairs(&[text]));
        }
    }
}
