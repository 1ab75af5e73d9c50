//! Tables from CSV: header or not, quoted fields, CRLF, missing values, columns of words.
//!
//! Every error names the file, the line, the column, the value and the rule.
//!
//! ```
//! use swarmgrad_nn::data::csv::{self, Format};
//!
//! let text = "age,city,sick\n31,Rome,no\n?,\"Paris, 5e\",yes\n44,Rome,no\n";
//! let table = csv::parse(text, "people.csv", &Format::default())?;
//! assert_eq!((table.len(), table.missing()), (3, 1));
//! assert_eq!(table.classes(), ["no", "yes"]);
//!
//! let wrong = csv::parse("age,sick\n31,no\n4x,yes\n44,no\n", "people.csv", &Format::default());
//! assert!(wrong.unwrap_err().to_string().starts_with("people.csv line 3, column 'age' = '4x': must be a number"));
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

use super::table::{Column, Table, Values};
use super::{Task, read_text, suspect};
use std::path::Path;
use swarmgrad_core::{Error, Result};

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Separator {
    /// Comma, semicolon or tab: whichever the first line has most of.
    #[default]
    Guess,
    /// This character.
    Char(char),
    /// Any run of spaces and tabs; no quoting.
    Whitespace,
}

/// Which column is the target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Target {
    /// The last one.
    #[default]
    Last,
    /// The one of this name, or of this number counted from 1 if no column has the name.
    Column(String),
    /// The one of this name, or none if there is no such column: data to predict.
    IfPresent(String),
    /// None.
    Absent,
}

/// How to read a file. The default guesses what can be guessed and takes the last column as the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Format {
    /// Whether the first line names the columns; `None`: it does if none of its fields is a number, and no two are equal
    /// and none is missing unless numbers stand below. A column without a name is then called by its number.
    pub header: Option<bool>,
    /// What stands between two fields.
    pub separator: Separator,
    /// Which column is the target.
    pub target: Target,
    /// Classes or numbers; `None`: a target of numbers that has a fraction or more than 20 values is regression.
    pub task: Option<Task>,
    /// Columns that hold categories, even if these look like numbers.
    pub categorical: Vec<String>,
    /// Columns that hold numbers. A column in neither list does if more than half of its values are numbers.
    pub numeric: Vec<String>,
    /// Columns that are left out.
    pub drop: Vec<String>,
    /// What stands for a missing value.
    pub missing: Vec<String>,
}

impl Default for Format {
    fn default() -> Self {
        Format {
            header: None,
            separator: Separator::default(),
            target: Target::default(),
            task: None,
            categorical: Vec::new(),
            numeric: Vec::new(),
            drop: Vec::new(),
            missing: ["", "?", "NA"].map(str::to_owned).to_vec(),
        }
    }
}

/// Most different values of a target of whole numbers that are taken for classes.
const MOST_CLASSES: usize = 20;

/// Reads the table in a file. Errors as [`parse`], and if the file cannot be read or is not UTF-8.
pub fn read(path: &Path, format: &Format) -> Result<Table> {
    parse(&read_text(path)?, &path.display().to_string(), format)
}

/// Reads the table in `text`; `name` stands for it in errors.
///
/// Errors on an empty text, a row with more or fewer fields than the first, an open quote, two columns of one name, an
/// unknown column in the format, text or a number that is not finite in a numeric column, a missing target, and on a
/// single class. Errors on a column of words in none of the lists that looks like numbers with a comma, like dates, or has another word
/// in more than half of its rows, and on such classes where the task is not said. [`Table::notices`] says what is only odd.
pub fn parse(text: &str, name: &str, format: &Format) -> Result<Table> {
    let mut records = records(text, name, format.separator)?;
    let Some((first, fields)) = records.first() else {
        return Err(Error::parameter(name, "an empty file", "must hold a table"));
    };
    let width = fields.len();
    if let Some((line, fields)) = records.iter().find(|(_, fields)| fields.len() != width) {
        let found = format!("{} field{}", fields.len(), if fields.len() == 1 { "" } else { "s" });
        let rule = format!("must have {width}, as line {first} has");
        return Err(Error::parameter(format!("{name} line {line}"), found, rule));
    }
    let second = records.get(1).map(|(_, fields)| fields.as_slice());
    let header = format.header.unwrap_or_else(|| looks_like_header(fields, second, &format.missing));
    let mut names = if header { records.remove(0).1 } else { vec![String::new(); width] };
    // Programs that write row numbers leave their column without a name.
    names
        .iter_mut()
        .enumerate()
        .filter(|(_, name)| name.is_empty())
        .for_each(|(j, name)| *name = format!("column_{}", j + 1));
    if let Some(j) = (1..width).find(|&j| names[..j].contains(&names[j])) {
        let rule = "every column must have a name of its own";
        return Err(Error::parameter(format!("{name} line 1, column {}", j + 1), format!("'{}'", names[j]), rule));
    }
    if records.is_empty() {
        return Err(Error::parameter(name, "only a header", "must hold at least one row of data"));
    }
    let target = place_of_target(&names, name, &format.target)?;
    let to_predict = matches!(format.target, Target::IfPresent(_));
    if let Some(dropped) = target.map(|j| &names[j]).filter(|name| format.drop.contains(name)) {
        return Err(Error::parameter(format!("{name}, column '{dropped}'"), "dropped", "is the target"));
    }
    for listed in format.categorical.iter().chain(&format.numeric).chain(&format.drop) {
        if !names.contains(listed) && !to_predict {
            return Err(Error::unknown(&format!("column of {name}"), listed, names.iter().map(String::as_str)));
        }
    }
    let lines: Vec<_> = records.iter().map(|(line, _)| *line).collect();
    let mut fields = records.into_iter().map(|(_, fields)| fields.into_iter()).collect::<Vec<_>>();
    let (mut task, mut notices, mut place_of_the_target) = (format.task, Vec::new(), None);
    let mut columns = Vec::with_capacity(width);
    for (j, column) in names.into_iter().enumerate() {
        let words = fields.iter_mut().filter_map(Iterator::next);
        if format.drop.contains(&column) {
            words.for_each(drop);
            continue;
        }
        if Some(j) == target {
            place_of_the_target = Some(columns.len());
        }
        let words: Vec<_> = words.map(|word| (!format.missing.contains(&word)).then_some(word)).collect();
        let numeric = if Some(j) == target {
            *task.get_or_insert_with(|| guess_task(&words)) == Task::Regression
        } else {
            let listed = format.numeric.contains(&column);
            listed || !format.categorical.contains(&column) && mostly_numbers(&words)
        };
        let place = |i: usize| format!("{name} line {}, column '{column}'", lines[i]);
        let values = if numeric {
            let listed = Some(j) == target || format.numeric.contains(&column);
            let values = numbers(&words, place, listed)?;
            if let Some(odd) = suspect::numbers(&column, &values).filter(|_| Some(j) != target && !listed) {
                notices.push(format!("{name}, column '{column}' {odd}; `drop` leaves it out"));
            }
            Values::Numbers(values)
        } else {
            let suspect = match Some(j) == target {
                true if format.task.is_some() => None,
                true => suspect::words(&words)
                    .filter(|(value, _)| value.starts_with('\''))
                    .or_else(|| suspect::classes(&words)),
                false if to_predict || format.categorical.contains(&column) => None,
                false => suspect::words(&words),
            };
            if let Some((value, rule)) = suspect {
                return Err(Error::parameter(format!("{name}, column '{column}'"), value, rule));
            }
            if let Some(i) = words.iter().position(|word| Some(j) == target && is_nan(word)) {
                let rule = "the target must be a class, not NaN";
                return Err(Error::parameter(place(i), format!("'{}'", words[i].as_deref().unwrap_or_default()), rule));
            }
            Values::Words(words)
        };
        columns.push(Column { name: column, values });
    }
    let task = task.unwrap_or(Task::Classification);
    Table { name: name.into(), columns, target: place_of_the_target, task, notices, lines }.check()
}

/// The records of a text, each with the line it starts on; blank lines are skipped, fields trimmed.
pub(super) fn records(text: &str, name: &str, separator: Separator) -> Result<Vec<(usize, Vec<String>)>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = match separator {
        Separator::Guess => guess_separator(text),
        Separator::Char(char) => char,
        Separator::Whitespace => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            return Ok(lines.map(|(k, line)| (k + 1, line.split_whitespace().map(str::to_owned).collect())).collect());
        }
    };
    let mut found = Vec::new();
    let (mut line, mut start) = (1, 1);
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    // The end of a field: quoted text is kept as it is, everything else is trimmed.
    let end = |field: &mut String, quoted: &mut bool| {
        let whole = std::mem::take(field);
        if std::mem::take(quoted) { whole } else { whole.trim().to_owned() }
    };
    while let Some(c) = rest.next() {
        match c {
            '"' if field.trim().is_empty() && !quoted => {
                field.clear();
                quoted = true;
                loop {
                    match rest.next() {
                        Some('"') if rest.peek() == Some(&'"') => field.extend(rest.next()),
                        Some('"') => break,
                        Some(c) => {
                            line += usize::from(c == '\n');
                            field.push(c);
                        }
                        None => {
                            let value = format!("'\"{}'", field.chars().take(20).collect::<String>());
                            let rule = "the quote must be closed";
                            return Err(Error::parameter(format!("{name} line {start}"), value, rule));
                        }
                    }
                }
            }
            c if c == separator => fields.push(end(&mut field, &mut quoted)),
            '\n' => {
                fields.push(end(&mut field, &mut quoted));
                if fields.len() > 1 || !fields[0].is_empty() {
                    found.push((start, std::mem::take(&mut fields)));
                }
                fields.clear();
                line += 1;
                start = line;
            }
            // Blanks after a closing quote, and the first half of a CRLF.
            c if quoted && c.is_whitespace() => {}
            c if quoted => {
                let rule = "after a closing quote must come a separator or the end of the line";
                return Err(Error::parameter(format!("{name} line {line}"), format!("'{c}'"), rule));
            }
            c => field.push(c),
        }
    }
    fields.push(end(&mut field, &mut quoted));
    if fields.len() > 1 || !fields[0].is_empty() {
        found.push((start, fields));
    }
    Ok(found)
}

fn guess_separator(text: &str) -> char {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let unquoted: String = first.split('"').step_by(2).collect();
    let count = |c: char| unquoted.matches(c).count();
    [';', '\t'].into_iter().filter(|&c| count(c) > count(',')).max_by_key(|&c| count(c)).unwrap_or(',')
}

fn looks_like_header(fields: &[String], second: Option<&[String]>, missing: &[String]) -> bool {
    let number = |field: &String| field.parse::<f64>().is_ok();
    let mark = |field: &String| !field.is_empty() && missing.contains(field);
    if fields.iter().any(number) || fields.iter().any(mark) || fields.iter().all(String::is_empty) {
        return false;
    }
    let all_named = !fields.iter().any(String::is_empty);
    let all_differ = (1..fields.len()).all(|j| !fields[..j].contains(&fields[j]));
    (all_named && all_differ) || second.is_some_and(|below| below.iter().any(number))
}

fn place_of_target(names: &[String], table: &str, target: &Target) -> Result<Option<usize>> {
    let named = |wanted: &String| names.iter().position(|name| name == wanted);
    match target {
        Target::Last => Ok(Some(names.len() - 1)),
        Target::Absent => Ok(None),
        Target::IfPresent(wanted) => Ok(named(wanted)),
        Target::Column(wanted) => {
            let numbered = || wanted.parse::<usize>().ok().filter(|j| (1..=names.len()).contains(j)).map(|j| j - 1);
            let found = named(wanted).or_else(numbered);
            let known = || names.iter().map(String::as_str);
            found.map(Some).ok_or_else(|| match wanted.parse::<i64>() {
                Ok(number) => {
                    let rule = format!("must be a column's name or a number from 1 to {}", names.len());
                    Error::parameter(format!("target column of {table}"), number, rule)
                }
                Err(_) => Error::unknown(&format!("target column of {table}"), wanted, known()),
            })
        }
    }
}

fn mostly_numbers(words: &[Option<String>]) -> bool {
    let present = words.iter().flatten();
    let numbers = present.clone().filter(|word| word.parse::<f64>().is_ok()).count();
    numbers * 2 > present.count() || words.iter().all(Option::is_none)
}

fn guess_task(words: &[Option<String>]) -> Task {
    let Ok(mut numbers) = words.iter().flatten().map(|word| word.parse()).collect::<Result<Vec<f64>, _>>() else {
        return if words.len() > MOST_CLASSES && mostly_numbers(words) && many(words) {
            Task::Regression
        } else {
            Task::Classification
        };
    };
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    if numbers.len() > MOST_CLASSES || numbers.iter().any(|t| t.fract() != 0.0) {
        Task::Regression
    } else {
        Task::Classification
    }
}

/// Whether there are more different words than there could be classes.
fn many(words: &[Option<String>]) -> bool {
    words.iter().flatten().collect::<std::collections::BTreeSet<_>>().len() > MOST_CLASSES
}

fn is_nan(word: &Option<String>) -> bool {
    word.as_ref().is_some_and(|word| word.eq_ignore_ascii_case("nan"))
}

fn numbers(words: &[Option<String>], place: impl Fn(usize) -> String, listed: bool) -> Result<Vec<Option<f64>>> {
    let number = |(i, word): (usize, &Option<String>)| {
        let Some(word) = word else { return Ok(None) };
        match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            Ok(_) => {
                let rule = "must be a finite number; a missing value is an empty field, ? or NA";
                Err(Error::parameter(place(i), format!("'{word}'"), rule))
            }
            Err(_) => {
                let why = if listed { "" } else { ", as most of the column are, unless it is declared categorical" };
                Err(Error::parameter(place(i), format!("'{word}'"), format!("must be a number{why}")))
            }
        }
    };
    words.iter().enumerate().map(number).collect()
}
