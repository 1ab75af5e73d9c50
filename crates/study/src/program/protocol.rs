//! What is written to a program and how its answers are read.

use crate::number::typed;
use serde_json::Value;
use swarmgrad_core::{Aim, Evaluation, Failure, Typed};

/// An answer longer than this, in bytes, is rubbish.
pub(super) const LONGEST_LINE: usize = 1 << 16;

/// How a point is written on the standard input of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Input {
    /// `{"x": [0.5, -1.25]}`, or `{"x": {"lr": 0.5, "layers": 3, "act": "relu"}}` where the variables have names.
    #[default]
    Json,
    /// `0.5 -1.25`.
    Plain,
}

impl Input {
    /// Every form with its name.
    pub const ALL: [(&'static str, Input); 2] = [("json", Input::Json), ("plain", Input::Plain)];

    /// The line of a point, its end included.
    pub(super) fn line(self, x: &[Typed], names: &[String]) -> Vec<u8> {
        let (mut line, mut digits) = (String::with_capacity(24 * x.len() + 16), zmij::Buffer::new());
        match self {
            Input::Plain => {
                for (k, value) in x.iter().enumerate() {
                    line.push_str(if k > 0 { " " } else { "" });
                    match value {
                        Typed::Number(t) if t.is_finite() => line.push_str(digits.format_finite(*t)),
                        other => line.push_str(&other.to_string()),
                    }
                }
            }
            // In the order of the variables.
            Input::Json => {
                line.push_str(if names.is_empty() { "{\"x\":[" } else { "{\"x\":{" });
                for (k, value) in x.iter().enumerate() {
                    line.push_str(if k > 0 { "," } else { "" });
                    if let Some(name) = names.get(k) {
                        line.push_str(&Value::from(name.as_str()).to_string());
                        line.push(':');
                    }
                    match value {
                        Typed::Number(t) if t.is_finite() => line.push_str(digits.format_finite(*t)),
                        other => line.push_str(&typed(other).to_string()),
                    }
                }
                line.push_str(if names.is_empty() { "]}" } else { "}}" });
            }
        }
        line.push('\n');
        line.into_bytes()
    }
}

/// Numbers in a list, or by their names.
#[derive(Debug, Clone, PartialEq, Default)]
struct Numbers {
    values: Vec<f64>,
    names: Vec<String>,
}

impl Numbers {
    /// Those of an answer.
    fn read(value: &Value) -> Option<Self> {
        let (names, values): (Vec<String>, Option<Vec<f64>>) = match value {
            Value::Array(values) => (Vec::new(), values.iter().map(number).collect()),
            Value::Object(values) => (values.keys().cloned().collect(), values.values().map(number).collect()),
            _ => return None,
        };
        Some(Numbers { values: values?, names })
    }

    /// Them in the order of these names, as they were answered where there are none; or the first name that is missing.
    fn in_order(self, names: &[String]) -> Result<Vec<f64>, String> {
        if names.is_empty() || self.names.is_empty() {
            return Ok(self.values);
        }
        let place = |name: &String| self.names.iter().position(|known| known == name);
        let missing = |name: &String| format!("no '{name}': it answered with {}", self.names.join(", "));
        names.iter().map(|name| place(name).map(|k| self.values[k]).ok_or_else(|| missing(name))).collect()
    }
}

/// What a list beside the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    Residuals,
    Objectives,
}

/// What a program said of a point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    value: f64,
    /// What the value is made of, where that was answered: residuals or objectives.
    parts: Option<(Parts, Numbers)>,
    constraints: Numbers,
    /// Why the point has no value, in the program's own words.
    error: Option<String>,
}

impl Answer {
    pub(super) fn value(&self) -> Option<f64> {
        self.error.is_none().then_some(self.value)
    }

    /// The evaluation, the values of the constraints in the order of these names, and with the parts that the values have.
    pub(super) fn evaluation(self, names: &[String], aim: &Aim) -> Evaluation {
        let unreadable = |why: String| Evaluation::failed(Failure::Unreadable(why));
        let constraints = match self.constraints.in_order(names) {
            Ok(constraints) => constraints,
            Err(why) if self.error.is_none() => return unreadable(format!("its constraints have {why}")),
            Err(_) => Vec::new(),
        };
        let evaluation = match (self.error, aim, self.parts) {
            (Some(text), ..) => Evaluation::failed(Failure::Rejected(text)),
            (None, Aim::Value, None) => Evaluation::of(self.value),
            (None, Aim::Residuals, Some((Parts::Residuals, residuals))) => aim.evaluation(residuals.values),
            (None, Aim::Objectives(names), Some((Parts::Objectives, objectives))) => match objectives.in_order(names) {
                Ok(parts) => aim.evaluation(parts),
                Err(why) => unreadable(format!("its objectives have {why}")),
            },
            (None, Aim::Residuals, _) => unreadable("expected {\"r\": [residuals]}, as --residuals says".into()),
            (None, Aim::Objectives(_), _) => unreadable("expected {\"f\": [objectives]}, as --objectives says".into()),
            (None, Aim::Value, Some((Parts::Residuals, _))) => {
                unreadable("it answered with residuals: say --residuals".into())
            }
            (None, Aim::Value, Some((Parts::Objectives, _))) => {
                unreadable("it answered with several objectives: say --objectives with their names".into())
            }
        };
        Evaluation { constraints, ..evaluation }
    }
}

/// What a program is expected to print.
const EXPECTED: &str = "not a number or {\"value\": number}";

/// Where everything else belongs.
const ELSEWHERE: &str = "what is no answer belongs on its standard error";

/// A complaint about a line.
pub(super) fn unreadable(line: &str) -> String {
    let comma = line.split_once(',').is_some_and(|(whole, part)| format!("{whole}.{part}").parse::<f64>().is_ok());
    let advice = if comma { "the decimal sign is a point" } else { ELSEWHERE };
    format!("it printed '{}', {EXPECTED}; {advice}", shortened(line))
}

/// What has arrived in answer to a point.
#[derive(Debug, Default)]
pub(super) struct Received {
    bytes: Vec<u8>,
    /// The first line that was passed over, the length of all of them, and how many they are.
    skipped: Option<(String, usize, usize)>,
    /// Whether anything was passed over, empty lines included.
    begun: bool,
}

impl Received {
    /// Where new bytes are appended.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The first line that was passed over.
    pub(super) fn skipped(&self) -> Option<&str> {
        self.skipped.as_ref().map(|(line, ..)| line.as_str())
    }

    /// How many lines were passed over.
    pub(super) fn skipped_lines(&self) -> usize {
        self.skipped.as_ref().map_or(0, |(_, _, lines)| *lines)
    }

    /// Whether anything has arrived.
    pub(super) fn has_begun(&self) -> bool {
        self.begun || self.skipped.is_some() || !self.bytes.is_empty()
    }

    /// Whether nothing but white space has arrived.
    pub(super) fn is_blank(&self) -> bool {
        self.skipped.is_none() && is_blank(&self.bytes)
    }

    /// The answer, or why it cannot be read; none where its line is not complete. Before it so many lines that are neither a number
    /// nor an object are passed over: a `banner`.
    pub(super) fn answer(&mut self, banner: usize) -> Option<Result<Answer, String>> {
        loop {
            let begin = self.bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(self.bytes.len());
            // Empty lines mean nothing, however many they are.
            self.begun |= begin > 0;
            self.bytes.drain(..begin);
            let received = &self.bytes;
            let Some(end) = received.iter().position(|&b| b == b'\n') else {
                let long = received.len() > LONGEST_LINE;
                return long.then(|| Err(format!("it printed more than {LONGEST_LINE} bytes without a newline")));
            };
            let line = String::from_utf8_lossy(&received[..end]);
            let line = without_mark(line.trim());
            let answer = answer(line);
            if self.skipped_lines() < banner && answer.is_none() && !line.starts_with('{') {
                let (_, length, lines) = self.skipped.get_or_insert_with(|| (line.to_owned(), 0, 0));
                *length += end;
                *lines += 1;
                if *length > LONGEST_LINE {
                    return Some(Err(format!("it printed more than {LONGEST_LINE} bytes and no number")));
                }
                self.bytes.drain(..end);
                continue;
            }
            if !is_blank(&received[end..]) {
                let next = String::from_utf8_lossy(&received[end..]);
                let next = shortened(next.trim().lines().next().unwrap_or_default());
                let line = shortened(line);
                return Some(Err(format!("it printed more than one line: '{line}' and then '{next}'; {ELSEWHERE}")));
            }
            return Some(answer.ok_or_else(|| unreadable(line)));
        }
    }

    /// The answer of a program that has ended well: its last line may lack its end.
    pub(super) fn last_answer(&mut self, banner: usize) -> Option<Result<Answer, String>> {
        self.bytes.push(b'\n');
        self.answer(banner)
    }

    /// Drops the beginning of what only the end matters of.
    pub(super) fn keep_end(&mut self) {
        if self.bytes.len() > 4 * LONGEST_LINE {
            self.bytes.drain(..self.bytes.len() - LONGEST_LINE);
        }
    }

    /// The answer in the output of a program that was run for one point: its last line with a number or an object.
    pub(super) fn last_line(&self) -> Result<Answer, String> {
        last_line(&self.bytes)
    }
}

/// The last line with a number or an object, or an object over several lines.
pub(super) fn last_line(bytes: &[u8]) -> Result<Answer, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = without_mark(&text);
    let lines = || text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let Some(last) = lines().next() else { return Err("it left no answer".into()) };
    let whole = || text.trim().starts_with('{').then(|| answer(&text.trim().replace(['\n', '\r'], " "))).flatten();
    lines().find_map(answer).or_else(whole).ok_or_else(|| unreadable(last))
}

/// A number, or a JSON object with one under `value`, residuals under `residuals` or `r`, objectives under `objectives` or `f`,
/// constraint values under `constraints` or `c`, each a list or by name, and a failure's text under `error`.
/// Python's NaN and Infinity and JavaScript's null are taken as well.
fn answer(line: &str) -> Option<Answer> {
    if let Some(value) = printed(line) {
        return Some(Answer { value, parts: None, constraints: Numbers::default(), error: None });
    }
    if !line.starts_with('{') {
        return None;
    }
    let parsed = serde_json::from_str(line).or_else(|_| serde_json::from_str(&quoted(line)));
    let Ok(Value::Object(fields)) = parsed else { return None };
    let error = match fields.get("error") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let list = |long: &str, short: &str| match fields.get(long).or(fields.get(short)) {
        None | Some(Value::Null) => Some(None),
        Some(value) => Numbers::read(value).map(Some),
    };
    let residuals = list("residuals", "r")?.map(|numbers| (Parts::Residuals, numbers));
    let parts = residuals.or(list("objectives", "f")?.map(|numbers| (Parts::Objectives, numbers)));
    let value = match (fields.get("value"), &error, &parts) {
        (Some(value), ..) => number(value)?,
        (None, None, None) => return None,
        (None, ..) => f64::NAN,
    };
    Some(Answer { value, parts, constraints: list("constraints", "c")?.unwrap_or_default(), error })
}

/// A text without the mark of its encoding that some put before the first line.
fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim_start()
}

/// The number that a line is, as the languages of programs print it: 1.5, 1.5D+02 (Fortran), [1.5], (1.5,), np.float64(1.5),
/// tensor(1.5), [1] 1.5 (R), ans = 1.5 (Octave).
fn printed(line: &str) -> Option<f64> {
    let line = line.trim();
    if let Ok(value) = line.parse() {
        return Some(value);
    }
    if let Some(rest) = line.strip_prefix("[1] ").or(line.strip_prefix("ans = ")) {
        return rest.trim().parse().ok();
    }
    if let Some((name, rest)) = line.split_once('(')
        && let Some(inner) = rest.strip_suffix(')')
        && ["", "array", "tensor", "np.float64", "np.float32", "numpy.float64", "Array"].contains(&name)
    {
        // What stands behind the number says its type.
        let (inner, more) = inner.split_once(',').unwrap_or((inner, ""));
        let said = more.split(',').all(|part| part.trim().is_empty() || part.contains('='));
        return if said { printed(inner) } else { None };
    }
    if let Some(inner) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return printed(inner);
    }
    double(line)
}

/// A number with the exponent that Fortran prints.
fn double(word: &str) -> Option<f64> {
    let (mantissa, exponent) = word.split_once(['D', 'd'])?;
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "+-.".contains(c));
    (digits(mantissa) && digits(exponent)).then(|| format!("{mantissa}e{exponent}").parse().ok()).flatten()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Null => Some(f64::NAN),
        // The numbers that JSON lacks, as our own files and `quoted` write them.
        Value::String(word) => word.parse().ok().filter(|t: &f64| !t.is_finite()),
        // What is one value in an array.
        Value::Array(values) if values.len() == 1 => number(&values[0]),
        _ => None,
    }
}

/// JSON with the words for numbers that it lacks put in quotes, and Fortran's exponents as others write them.
fn quoted(line: &str) -> String {
    let (mut text, mut word, mut inside, mut escaped) = (String::new(), String::new(), false, false);
    for c in line.chars() {
        if !inside && (c.is_ascii_alphanumeric() || "+-.".contains(c)) {
            word.push(c);
            continue;
        }
        end_word(&mut text, &mut word);
        if c == '"' && !escaped {
            inside = !inside;
        }
        escaped = inside && c == '\\' && !escaped;
        text.push(c);
    }
    end_word(&mut text, &mut word);
    text
}

fn end_word(text: &mut String, word: &mut String) {
    match word.parse::<f64>() {
        Ok(t) if !t.is_finite() => text.extend(["\"", word, "\""]),
        Err(_) if double(word).is_some() => text.push_str(&word.replace(['D', 'd'], "e")),
        _ => text.push_str(word),
    }
    word.clear();
}

pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

/// The beginning of a text, on one line.
pub(super) fn shortened(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(60).map(shown).collect();
    if text.chars().count() > 60 {
        short.push('…');
    }
    short
}

/// A text as one word of the shell.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Option<f64> {
        answer(line).map(|answer| answer.value)
    }

    #[test]
    fn points_are_written_so_that_they_read_back() {
        let line = |input: Input, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            String::from_utf8(input.line(&[0.1 + 0.2, -1e-300, 3.0].map(Typed::Number), &names)).unwrap()
        };
        assert_eq!(line(Input::Json, &[]), "{\"x\":[0.30000000000000004,-1e-300,3.0]}\n");
        assert_eq!(line(Input::Plain, &[]), "0.30000000000000004 -1e-300 3.0\n");
        let named = line(Input::Json, &["lr", "a \"b\"", "n"]);
        assert_eq!(named, "{\"x\":{\"lr\":0.30000000000000004,\"a \\\"b\\\"\":-1e-300,\"n\":3.0}}\n");
        assert_eq!(Typed::Number(f64::MAX).to_string().parse(), Ok(f64::MAX));
        let typed = [Typed::Whole(3), Typed::Word("a \"b".into()), Typed::Flag(true)];
        let names = ["n", "w", "f"].map(str::to_owned);
        let line = String::from_utf8(Input::Json.line(&typed, &names)).unwrap();
        assert_eq!(line, "{\"x\":{\"n\":3,\"w\":\"a \\\"b\",\"f\":true}}\n");
    }

    #[test]
    fn answers_are_numbers_or_objects() {
        for (line, found) in [("3", 3.0), ("1e-3", 1e-3), ("{\"value\": -2.5}", -2.5), ("-inf", f64::NEG_INFINITY)] {
            assert_eq!(value(line), Some(found), "{line}");
        }
        for line in ["nan", "{\"value\": NaN}", "{\"value\": null}", "{\"value\":-nan}", "{\"value\": \"nan\"}"] {
            assert!(value(line).is_some_and(f64::is_nan), "{line}");
        }
        assert_eq!(value("{\"value\": -Infinity}"), Some(f64::NEG_INFINITY));
        for (line, found) in [
            ("[1] 14.01", 14.01),
            ("ans =  14.01", 14.01),
            ("{\"value\": [14.01]}", 14.01),
            ("{\"value\": 1.5D+02}", 150.0),
            ("np.float64(14.01)", 14.01),
            ("[14.01]", 14.01),
            ("[[ 14.01 ]]", 14.01),
            ("(14.01,)", 14.01),
            ("tensor(14.01, dtype=torch.float64)", 14.01),
            ("array([14.01])", 14.01),
            ("Array(14.01, dtype=float32)", 14.01),
            ("1.5D+02", 150.0),
            ("-1.5d-1", -0.15),
        ] {
            assert_eq!(value(line), Some(found), "{line}");
        }
        for line in [
            "[1, 2]",
            "(1, 2)",
            "array([1, 2])",
            "np.float64()",
            "1D",
            "D2",
            "[]",
            "abs(3)",
            "2d3d4",
            "[1] a",
            "[1] 2 3",
        ] {
            assert_eq!(value(line), None, "{line}");
        }
        for line in ["", "abc", "3,5", "1 2", "{\"value\": \"3\"}", "{\"x\": 3}", "{\"x\": NaN}", "true", "\"3\"", "{"]
        {
            assert_eq!(value(line), None, "{line}");
        }
    }

    #[test]
    fn objects_hold_constraints_and_failures() {
        let full = answer(r#"{"value": 1.5, "constraints": [0, -2, NaN], "note": "a \" NaN"}"#).unwrap();
        assert_eq!((full.value, &full.constraints.values[..2]), (1.5, &[0.0, -2.0][..]));
        assert!(full.constraints.values[2].is_nan());
        let evaluation = full.evaluation(&[], &Aim::Value);
        assert_eq!((evaluation.failure, evaluation.constraints.len()), (None, 3));
        for line in [r#"{"error": "did not converge"}"#, r#"{"value": NaN, "error": "did not converge"}"#] {
            let failure = answer(line).unwrap().evaluation(&[], &Aim::Value).failure;
            assert_eq!(failure, Some(Failure::Rejected("did not converge".into())));
        }
        let names = ["b".to_owned(), "a".to_owned()];
        let named = |line: &str| answer(line).unwrap().evaluation(&names, &Aim::Value);
        assert_eq!(named(r#"{"value": 1, "c": {"a": 3, "extra": 9, "b": -4}}"#).constraints, [-4.0, 3.0]);
        assert_eq!(named(r#"{"value": 1, "c": [5, 6]}"#).constraints, [5.0, 6.0]);
        let missing = named(r#"{"value": 1, "c": {"a": 3}}"#).failure.unwrap();
        assert_eq!(missing.text(), "its constraints have no 'b': it answered with a");
        assert_eq!(value(r#"{"value": 2, "error": null}"#), Some(2.0));
        assert_eq!(value(r#"{"value": 2, "constraints": 3}"#), None);
        assert_eq!(value(r#"{"value": 2, "constraints": ["a"]}"#), None);
    }

    #[test]
    fn objects_hold_residuals_and_objectives() {
        let fit = |line: &str, aim: &Aim| answer(line).unwrap().evaluation(&[], aim);
        let found = fit(r#"{"r": [3, -4]}"#, &Aim::Residuals);
        assert_eq!((found.value, found.parts), (25.0, vec![3.0, -4.0]));
        let two = Aim::Objectives(vec!["cost".into(), "mass".into()]);
        assert_eq!(fit(r#"{"f": [1, 2]}"#, &two).parts, [1.0, 2.0]);
        assert_eq!(fit(r#"{"objectives": {"mass": 2, "cost": 1}}"#, &two).parts, [1.0, 2.0]);
        for (line, aim, why) in [
            (r#"{"r": [3]}"#, &Aim::Value, "say --residuals"),
            (r#"{"f": [3]}"#, &Aim::Value, "say --objectives"),
            (r#"{"value": 3}"#, &Aim::Residuals, "expected {\"r\": [residuals]}"),
            (r#"{"f": [3]}"#, &two, "1 objectives, expected 2"),
            (r#"{"f": {"cost": 3}}"#, &two, "its objectives have no 'mass'"),
        ] {
            let failure = fit(line, aim).failure.unwrap();
            assert!(failure.text().contains(why), "{line}: {}", failure.text());
        }
        assert!(fit(r#"{"r": [3, NaN]}"#, &Aim::Residuals).failure.is_some());
        assert!(fit(r#"{"error": "broken"}"#, &Aim::Residuals).failure.unwrap().text() == "broken");
        assert_eq!(value(r#"{"r": 3}"#), None);
    }

    fn read(bytes: &[u8], banner: usize) -> (Option<Result<f64, String>>, Option<String>) {
        let mut received = Received { bytes: bytes.to_vec(), ..Received::default() };
        let answer = received.answer(banner).map(|answer| answer.map(|answer| answer.value));
        (answer, received.skipped.map(|(line, ..)| line))
    }

    #[test]
    fn lines_come_in_pieces_and_alone() {
        for nothing in [&b""[..], b"3.", b"\n\n  "] {
            assert_eq!(read(nothing, 0), (None, None));
        }
        assert_eq!(read(b"\n\r\n3.5\r\n\n", 0), (Some(Ok(3.5)), None));
        let two = read(b"3.5\n4", 0).0.unwrap().unwrap_err();
        assert_eq!(
            two,
            "it printed more than one line: '3.5' and then '4'; what is no answer belongs on its standard error"
        );
        assert!(read(&[b'1'; LONGEST_LINE + 1], usize::MAX).0.unwrap().is_err());
        let rubbish = read(b"abc\n", 0).0.unwrap().unwrap_err();
        assert!(rubbish.starts_with("it printed 'abc', not a number or {\"value\": number}; what is no"), "{rubbish}");
        let comma = read(b"3,5\n", 0).0.unwrap().unwrap_err();
        assert!(comma.ends_with("the decimal sign is a point"), "{comma}");
        for marked in ["\u{feff}3.5\n", "\u{feff}{\"value\": 3.5}\n"] {
            assert_eq!(read(marked.as_bytes(), 0), (Some(Ok(3.5)), None));
        }
    }

    #[test]
    fn a_banner_is_passed_over_before_the_first_answer_only() {
        let banner = "Welcome to sim 3\n[loading]\n\n";
        assert_eq!(
            read(format!("{banner}2.5\n").as_bytes(), usize::MAX),
            (Some(Ok(2.5)), Some("Welcome to sim 3".into()))
        );
        assert_eq!(read(banner.as_bytes(), usize::MAX), (None, Some("Welcome to sim 3".into())));
        assert!(read(format!("{banner}2.5\n").as_bytes(), 0).0.unwrap().is_err());
        assert_eq!(read(b"hello\n2.5\n", 1).0, Some(Ok(2.5)));
        assert!(read(format!("{banner}2.5\n").as_bytes(), 1).0.unwrap().is_err());
        assert!(read(b"hello\n2.5\nbye\n", usize::MAX).0.unwrap().is_err());
        assert!(read(b"{\"vaule\": 3}\n", usize::MAX).0.unwrap().is_err());
        assert!(read("hello\n".repeat(LONGEST_LINE).as_bytes(), usize::MAX).0.unwrap().is_err());
        let mut cut = Received { bytes: b"hello\n2.5".to_vec(), ..Received::default() };
        assert!(cut.answer(9).is_none() && !cut.is_blank());
        assert_eq!(cut.last_answer(9).unwrap().unwrap().value, 2.5);
    }

    #[test]
    fn output_for_one_point_ends_with_its_answer() {
        for text in ["step 1\nstep 2\n2.5\n", "2.5", "1\n2.5\ndone\n", "{\"value\":\n  2.5\n}\n"] {
            assert_eq!(last_line(text.as_bytes()).unwrap().value, 2.5, "{text}");
        }
        assert_eq!(last_line(b" \n").unwrap_err(), "it left no answer");
        assert!(last_line(b"a\nb\n").unwrap_err().starts_with("it printed 'b'"));
    }

    #[test]
    fn words_survive_the_shell() {
        for text in ["plain/path-1.txt", "it's \"two\" $words `x`\nand lines", ""] {
            let printf = format!("printf %s {}", shell_word(text));
            let output = std::process::Command::new("sh").arg("-c").arg(printf).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
        assert_eq!(shell_word("a.b"), "a.b");
    }
}
