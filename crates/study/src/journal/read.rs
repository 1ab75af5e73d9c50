//! Reading a journal: whole lines in their order, or a prefix of them where the end is torn.

use super::{BEGINNING, CRC, EVALUATION, FORMAT, Header, failed};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use swarmgrad_core::{Error, Evaluation, Failure, Id, Result};

/// What a journal holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Contents {
    /// The file.
    pub path: PathBuf,
    /// Its first line.
    pub header: Header,
    /// The evaluations, in the order in which they became known; none after [`visit`].
    pub evaluations: Vec<Line>,
    /// The results; more than one where the run was continued after it.
    pub results: Vec<Value>,
    /// The notes.
    pub notes: Vec<Value>,
    /// Length of the part that is whole, in bytes.
    pub end: u64,
    /// Bytes after it, a torn line.
    pub torn: u64,
    /// The CRC of the last whole line.
    pub(super) crc: u32,
}

/// An evaluation of a journal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Line {
    /// Number of the point.
    pub id: Id,
    /// Its round, from 0.
    pub round: u64,
    /// Its place in the round.
    pub row: usize,
    /// Whether its round had given it up.
    pub late: bool,
    /// Whether it is one of the new evaluations at the end of a noisy run.
    pub again: bool,
    /// The point.
    pub x: Vec<f64>,
    /// What became known; its value is to be minimised.
    pub evaluation: Evaluation,
    /// What tells the points of its round from others.
    pub asked: Option<u32>,
}

/// Reads a journal.
///
/// # Errors
/// A file that cannot be read, is no journal or one of another form, or is damaged before its end; only a torn end is not an error.
pub fn read(path: &Path) -> Result<Contents> {
    gathered(|see| visit(path, see))
}

/// What is visited, with the evaluations.
fn gathered(visit: impl FnOnce(See<'_>) -> Result<Contents>) -> Result<Contents> {
    let mut evaluations = Vec::new();
    let contents = visit(&mut |_, line| {
        evaluations.push(line);
        Ok(())
    })?;
    Ok(Contents { evaluations, ..contents })
}

/// Reads a journal of any length: each evaluation is handed over as it is read, with the header, and is not in what comes back. What is
/// written behind the end that the file has now is not read, so that a journal that is still being written is no damaged one.
///
/// # Errors
/// As [`read`]; what `see` does not understand is an error of that line.
pub fn visit(path: &Path, mut see: impl FnMut(&Header, Line) -> Result<(), String>) -> Result<Contents> {
    let unread = |why: io::Error| failed(path, why.to_string());
    let file = File::open(path).map_err(unread)?;
    let data = file.metadata().map_err(unread)?;
    if !data.is_file() {
        return Err(failed(path, "no file".into()));
    }
    visit_from(path, BufReader::with_capacity(1 << 16, file.take(data.len())), &mut see)
}

/// [`read`] of what `path` holds.
#[cfg(test)]
pub(super) fn read_from(path: &Path, reader: impl BufRead) -> Result<Contents> {
    gathered(|see| visit_from(path, reader, see))
}

/// Takes an evaluation; what is wrong with it comes back.
type See<'a> = &'a mut dyn FnMut(&Header, Line) -> Result<(), String>;

fn visit_from(path: &Path, mut reader: impl BufRead, see: See<'_>) -> Result<Contents> {
    let unread = |why: io::Error| failed(path, why.to_string());
    let mut line = Vec::new();
    let mut contents: Option<Contents> = None;
    let (mut crc, mut end, mut number) = (0, 0, 0);
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line).map_err(unread)? as u64;
        if bytes == 0 {
            break;
        }
        number += 1;
        let Some(next) = body(&line).map(|body| (crc_of(body, crc), body)).filter(|(crc, _)| ends_with(&line, *crc))
        else {
            let torn = bytes + torn(&mut reader, &line, crc).map_err(unread)?.ok_or_else(|| damaged(path, number))?;
            let first = || unbegun(path, &line);
            return contents.map(|contents| Contents { end, torn, crc, ..contents }).ok_or_else(first);
        };
        (crc, end) = (next.0, end + bytes);
        match &mut contents {
            None => contents = Some(Contents::begin(path, &line)?),
            Some(contents) => contents.take(&line, see).map_err(|why| {
                failed(
                    path,
                    format!(
                        "line {number} is not understood ({why}); a newer version of swarmgrad may have written it"
                    ),
                )
            })?,
        }
    }
    contents.map(|contents| Contents { end, torn: 0, crc, ..contents }).ok_or_else(|| unbegun(path, &[]))
}

/// Whether there is no file, or one in which no run has begun: a kill came before the first line was whole.
pub(super) fn is_blank(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(true),
        file => file?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut line = Vec::new();
    BufReader::new(file).read_until(b'\n', &mut line)?;
    Ok(line.last() != Some(&b'\n') && is_beginning(&line))
}

fn is_beginning(line: &[u8]) -> bool {
    line.starts_with(BEGINNING) || BEGINNING.starts_with(line)
}

/// What a line says before its last member.
fn body(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (body, last) = line.split_at_checked(line.len().checked_sub(CRC)?)?;
    (last.starts_with(br#","crc":""#) && last.ends_with(b"\"}")).then_some(body)
}

/// The CRC that a line with a body names.
fn named(line: &[u8]) -> Option<[u8; 8]> {
    body(line)?;
    line[line.len() - 11..line.len() - 3].try_into().ok()
}

fn ends_with(line: &[u8], crc: u32) -> bool {
    named(line).is_some_and(|named| named == *format!("{crc:08x}").as_bytes())
}

fn crc_of(body: &[u8], before: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(before);
    hasher.update(body);
    hasher.finalize()
}

/// The bytes after a bad line; none where a good line is among them, so that the bad one is no torn end.
fn torn(reader: &mut impl BufRead, bad: &[u8], crc: u32) -> io::Result<Option<u64>> {
    // A good line goes on from the line before as that should be or as it says itself, or from the last good one.
    let number =
        |line: &[u8]| named(line).and_then(|text| u32::from_str_radix(std::str::from_utf8(&text).ok()?, 16).ok());
    let fixed = [Some(crc), body(bad).map(|body| crc_of(body, crc))];
    let (mut before, mut bytes, mut line) = (number(bad), 0, Vec::new());
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line)? {
            0 => return Ok(Some(bytes)),
            more => bytes += more as u64,
        }
        if let Some(body) = body(&line) {
            let starts = fixed.into_iter().chain([before]).flatten();
            if starts.into_iter().any(|start| ends_with(&line, crc_of(body, start))) {
                return Ok(None);
            }
        }
        before = number(&line);
    }
}

fn damaged(path: &Path, number: u64) -> Error {
    let shown = path.display();
    let advice = match number {
        1 => "take a copy of it that is whole".into(),
        _ => format!("`head -n {} {shown} > other.jsonl` keeps what comes before it, to be continued", number - 1),
    };
    failed(
        path,
        format!("line {number} is damaged, or lines before it are missing, and good lines follow it: {advice}"),
    )
}

fn unbegun(path: &Path, line: &[u8]) -> Error {
    failed(
        path,
        match line {
            [] => "it is empty: no run has been recorded in it".into(),
            begun if is_beginning(begun) => "its first line is not whole: no run has been recorded in it".into(),
            _ => "no journal of swarmgrad, or its first line is damaged".into(),
        },
    )
}

impl Contents {
    fn begin(path: &Path, line: &[u8]) -> Result<Self> {
        let unknown = |why: String| failed(path, format!("its first line is not understood ({why})"));
        let mut members: Map<String, Value> = serde_json::from_slice(line).map_err(|why| unknown(why.to_string()))?;
        let mut member = |name: &str| members.remove(name).unwrap_or_default();
        let (kind, program, format) = (member("kind"), member("program"), member("format"));
        member("crc");
        if kind != "header" || program != "swarmgrad" {
            return Err(failed(path, "no journal of swarmgrad".into()));
        }
        if format != FORMAT {
            let why =
                format!("a journal of another version of swarmgrad (form {format}; this one reads form {FORMAT})");
            return Err(failed(path, format!("{why}: use that version")));
        }
        let header = serde_json::from_value(Value::Object(members)).map_err(|why| unknown(why.to_string()))?;
        Ok(Contents {
            path: path.to_owned(),
            header,
            evaluations: Vec::new(),
            results: Vec::new(),
            notes: Vec::new(),
            end: 0,
            torn: 0,
            crc: 0,
        })
    }

    fn take(&mut self, line: &[u8], see: See<'_>) -> Result<(), String> {
        if line.starts_with(EVALUATION) {
            let written: Written = serde_json::from_slice(line).map_err(|why| why.to_string())?;
            let line = written.line(&self.header)?;
            return see(&self.header, line);
        }
        let mut members: Map<String, Value> = serde_json::from_slice(line).map_err(|why| why.to_string())?;
        members.remove("crc");
        match members.remove("kind") {
            Some(Value::String(kind)) if kind == "result" => self.results.push(Value::Object(members)),
            Some(Value::String(kind)) if kind == "note" => self.notes.push(Value::Object(members)),
            kind => return Err(format!("a line of the kind {}", kind.unwrap_or_default())),
        }
        Ok(())
    }
}

/// The members of the line of an evaluation.
#[derive(Deserialize)]
struct Written {
    id: u64,
    round: u64,
    row: usize,
    x: Point,
    /// The point of the box, where x is made of typed values.
    #[serde(default)]
    u: Option<Vec<Number>>,
    value: Number,
    #[serde(default)]
    parts: Vec<Number>,
    #[serde(default)]
    constraints: Vec<Number>,
    #[serde(default)]
    gradient: Vec<Number>,
    failure: Option<String>,
    #[serde(default)]
    text: String,
    seconds: f64,
    worker: u32,
    attempt: u32,
    #[serde(default)]
    late: bool,
    #[serde(default)]
    again: bool,
    #[serde(default = "one")]
    evaluations: u64,
    #[serde(default)]
    gradients: u64,
    asked: Option<String>,
}

fn one() -> u64 {
    1
}

impl Written {
    fn line(self, header: &Header) -> Result<Line, String> {
        if !self.x.names.is_empty() && self.x.names != header.names {
            return Err("a point with other names than the header has".into());
        }
        let x = match self.u {
            Some(u) => u.into_iter().map(|number| number.0).collect(),
            None if self.x.words => return Err("a point with words and without its place in the box".into()),
            None => self.x.values,
        };
        let sign = |value: Number| if header.maximize { -value.0 } else { value.0 };
        let failure = self.failure.map(|kind| Failure::of(&kind, self.text).ok_or(format!("the failure {kind}")));
        let asked = self.asked.map(|text| u32::from_str_radix(&text, 16).map_err(|_| format!("the hash {text}")));
        Ok(Line {
            id: Id(self.id),
            round: self.round,
            row: self.row,
            late: self.late,
            again: self.again,
            x,
            evaluation: Evaluation {
                value: sign(self.value),
                parts: self.parts.into_iter().map(sign).collect(),
                constraints: self.constraints.into_iter().map(|number| number.0).collect(),
                gradient: self.gradient.into_iter().map(sign).collect(),
                failure: failure.transpose()?,
                seconds: self.seconds,
                worker: self.worker,
                attempt: self.attempt,
                evaluations: self.evaluations,
                gradients: self.gradients,
            },
            asked: asked.transpose()?,
        })
    }
}

/// A number, or the text of one that JSON does not have.
#[derive(Clone, Copy)]
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl Visitor<'_> for Numbers {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"nan\", \"inf\" or \"-inf\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                match text {
                    "nan" => Ok(Number(f64::NAN)),
                    "inf" => Ok(Number(f64::INFINITY)),
                    "-inf" => Ok(Number(f64::NEG_INFINITY)),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
        }
        from.deserialize_any(Numbers)
    }
}

/// A point, with names or without.
#[derive(Default)]
struct Point {
    names: Vec<String>,
    values: Vec<f64>,
    /// Whether some of its values are no numbers.
    words: bool,
}

/// A value of a variable: a number, or none.
struct Cell(Option<f64>);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Cell(match Value::deserialize(from)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text == "nan" => Some(f64::NAN),
            Value::String(text) if text == "inf" => Some(f64::INFINITY),
            Value::String(text) if text == "-inf" => Some(f64::NEG_INFINITY),
            Value::String(_) | Value::Bool(_) => None,
            _ => return Err(de::Error::custom("a value of a variable must be a number, a text, true or false")),
        }))
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Points;
        impl<'de> Visitor<'de> for Points {
            type Value = Point;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a point")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Point, A::Error> {
                let mut point = Point::default();
                while let Some(Number(value)) = sequence.next_element()? {
                    point.values.push(value);
                }
                Ok(point)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Point, A::Error> {
                let mut point = Point::default();
                while let Some((name, Cell(value))) = map.next_entry()? {
                    point.names.push(name);
                    point.words |= value.is_none();
                    point.values.push(value.unwrap_or(f64::NAN));
                }
                Ok(point)
            }
        }
        from.deserialize_any(Points)
    }
}
