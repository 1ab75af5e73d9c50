//! The text forms of a space and of first points, as command lines and files hold them. Errors name the thing, its value and the
//! rule.

use crate::journal;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use swarmgrad_core::{Error, Outside, Result, Space, Start, Typed, Variable, VariableKind};

/// `lo:hi` for all variables, or a comma list of them, one a variable, with names or without: `lr=1e-5:1,momentum=0:1`. Either end
/// may be infinite. Or the name of a file that says the same: JSON or TOML with `name = [lower, upper]` or a list of such pairs, or CSV
/// with a line `lower,upper` or `name,lower,upper` for each variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Bounds {
    /// The same for every variable.
    All(f64, f64),
    /// One pair a variable.
    Each {
        /// Lower and upper ends.
        pairs: Vec<(f64, f64)>,
        /// The names of the variables; none, or one each.
        names: Vec<String>,
    },
}

impl Bounds {
    /// Reads the text of `--bounds`.
    pub fn parse(text: &str) -> Result<Self> {
        if file_of(text).is_some() {
            return Bounds::parse(&bounds_text(text)?);
        }
        let wrong = |part: &str, rule: &str| {
            let hint = if Path::new(text).is_file() { "; a file of bounds ends in .csv, .toml or .json" } else { "" };
            Error::parameter("--bounds", format!("'{}'", part.trim()), format!("{rule}{hint}"))
        };
        let pair = |part: &str| {
            let pair = part.rsplit_once('=').map_or(part, |(_, pair)| pair);
            let pair = pair.split_once(':').and_then(|(lo, hi)| Some((real(lo)?, real(hi)?)));
            let rule = "must be LOWER:UPPER, two numbers, inf allowed, for example -5:5 or 0:inf, or NAME=LOWER:UPPER";
            pair.ok_or_else(|| wrong(part, rule))
        };
        if !text.contains([',', '=']) {
            return pair(text).map(|(lo, hi)| Bounds::All(lo, hi));
        }
        let pairs: Vec<_> = text.split(',').map(pair).collect::<Result<_>>()?;
        let mut names: Vec<String> = Vec::new();
        for name in text.split(',').filter_map(|part| part.rsplit_once('=')).map(|(name, _)| name.trim()) {
            if name.is_empty() || name.contains(['{', '}', '"', '=']) || name.contains(char::is_control) {
                return Err(wrong(name, "must be a name without braces, quotes and equality signs"));
            }
            if names.iter().any(|known| known == name) {
                return Err(wrong(name, "must be the name of one variable only"));
            }
            names.push(name.to_owned());
        }
        match names.is_empty() || names.len() == pairs.len() {
            true => Ok(Bounds::Each { pairs, names }),
            false => Err(wrong(text, "must have a name for every variable, or for none")),
        }
    }

    /// The names of the variables; none, or one each.
    pub fn names(&self) -> &[String] {
        match self {
            Bounds::All(..) => &[],
            Bounds::Each { names, .. } => names,
        }
    }

    /// Number of variables, where the text says it.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Bounds::All(..) => None,
            Bounds::Each { pairs, .. } => Some(pairs.len()),
        }
    }

    /// The box in `dim` variables.
    pub fn space(&self, dim: usize) -> Result<Space> {
        match self {
            Bounds::All(lo, hi) => Space::cube(dim, *lo, *hi),
            Bounds::Each { pairs, .. } if pairs.len() != dim => Err(Error::shape("--bounds", pairs.len(), dim)),
            Bounds::Each { pairs, .. } => {
                Space::new(pairs.iter().map(|p| p.0).collect(), pairs.iter().map(|p| p.1).collect())
            }
        }
    }
}

/// The file that a text means, and its ending: the kinds of files that hold bounds have their own.
fn file_of(text: &str) -> Option<(&Path, String)> {
    let path = Path::new(text.trim());
    let end = path.extension()?.to_str()?.to_ascii_lowercase();
    ["json", "toml", "csv"].contains(&end.as_str()).then_some((path, end))
}

/// The text of `--bounds`, read from the file where one is named. Names of JSON and TOML come in the order of the alphabet.
///
/// # Errors
/// A file that cannot be read or holds something else.
pub fn bounds_text(text: &str) -> Result<String> {
    let Some((path, end)) = file_of(text) else { return Ok(text.to_owned()) };
    let written = std::fs::read_to_string(path)
        .map_err(|why| Error::File { path: path.display().to_string(), why: why.to_string() })?;
    let written = written.trim_start_matches('\u{feff}');
    let parts = match end.as_str() {
        "csv" => parts_of_lines(written),
        "toml" => toml::from_str::<toml::Table>(written)
            .map_err(|why| why.message().to_owned())
            .and_then(|table| serde_json::to_value(infinite(table.into())).map_err(|why| why.to_string()))
            .and_then(|value| parts_of(&value)),
        _ => serde_json::from_str(written).map_err(|why| why.to_string()).and_then(|value| parts_of(&value)),
    };
    // The comma makes a list of it, whose number of variables is known.
    let joined = parts.and_then(|parts| match parts.len() {
        0 => Err("nothing".into()),
        1 if !parts[0].contains('=') => {
            Err("one pair without a name; --bounds LOWER:UPPER says that for all variables".to_owned())
        }
        _ => Ok(parts.join(",")),
    });
    let rule = "must hold name = [lower, upper] for each variable, a list of such pairs, or lines of CSV lower,upper or name,lower,upper";
    joined.map_err(|what| Error::parameter("--bounds", path.display(), format!("{what}: {rule}")))
}

/// `name=lower:upper` for each line of CSV; the first one may name the columns. What is no such line comes back.
fn parts_of_lines(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut parts = Vec::new();
    for (k, line) in lines.enumerate() {
        let words: Vec<&str> = line.split(',').map(|word| word.trim().trim_matches('"')).collect();
        let (name, low, high) = match words[..] {
            [low, high] => (String::new(), low, high),
            [name, low, high] => (format!("{name}="), low, high),
            _ => return Err(format!("line '{line}'")),
        };
        match real(low).and(real(high)) {
            Some(_) => parts.push(format!("{name}{low}:{high}")),
            None if k == 0 => {}
            None => return Err(format!("line '{line}'")),
        }
    }
    Ok(parts)
}

/// The same of an object of pairs, or of a list of them without names.
fn parts_of(value: &Value) -> Result<Vec<String>, String> {
    let end = |value: &Value| match value {
        Value::Number(t) => Some(t.to_string()),
        Value::String(word) => real(word).map(|_| word.trim().to_owned()),
        _ => None,
    };
    let pair = |value: &Value| match value.as_array()?.as_slice() {
        [low, high] => Some(format!("{}:{}", end(low)?, end(high)?)),
        _ => None,
    };
    match value {
        Value::Object(named) => named
            .iter()
            .map(|(name, value)| Ok(format!("{name}={}", pair(value).ok_or_else(|| format!("{name} {value}"))?)))
            .collect(),
        Value::Array(list) => list.iter().map(|value| pair(value).ok_or_else(|| value.to_string())).collect(),
        other => Err(other.to_string()),
    }
}

/// Infinities of TOML as words: JSON has none.
fn infinite(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Float(t) if !t.is_finite() => toml::Value::String(t.to_string()),
        toml::Value::Array(list) => list.into_iter().map(infinite).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => {
            toml::Value::Table(table.into_iter().map(|(name, value)| (name, infinite(value))).collect())
        }
        other => other,
    }
}

/// Reads the text of `--outside`.
pub fn outside(text: &str) -> Result<Outside> {
    let known = Outside::ALL.iter().find(|(name, _)| *name == text).map(|(_, outside)| *outside);
    known.ok_or_else(|| choice("--outside", text, &Outside::ALL.map(|(name, _)| name)))
}

/// Reads the text of `--start`.
pub fn start(text: &str) -> Result<Start> {
    let (name, numbers) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
    match (name, numbers) {
        ("uniform", None) => Ok(Start::Uniform),
        ("latin_hypercube", None) => Ok(Start::LatinHypercube),
        ("sobol", None) => Ok(Start::Sobol),
        ("normal", None) => Ok(Start::Normal { mean: 0.0, deviation: 1.0 }),
        ("normal", Some(numbers)) => {
            let pair = numbers.split_once(':').and_then(|(mean, deviation)| Some((real(mean)?, real(deviation)?)));
            let (mean, deviation) = pair.ok_or_else(|| {
                Error::parameter("--start", text, "must be normal:MEAN:DEVIATION, for example normal:0:2.5")
            })?;
            Ok(Start::Normal { mean, deviation })
        }
        _ => Err(choice("--start", text, &["uniform", "normal:MEAN:DEVIATION", "latin_hypercube", "sobol"])),
    }
}

fn choice(name: &str, value: &str, choices: &[&str]) -> Error {
    let nearest = swarmgrad_core::nearest(value, choices.iter().copied());
    let meant = nearest.map(|near| format!(", did you mean '{near}'?")).unwrap_or_default();
    Error::parameter(name, format!("'{value}'"), format!("must be one of {}{meant}", choices.join(", ")))
}

/// Whether a file is the record of a run.
pub fn is_record(path: &Path) -> bool {
    path.as_os_str() != "-"
        && File::open(path).is_ok_and(|file| {
            let mut first = String::new();
            BufReader::new(file.take(4096)).read_line(&mut first).is_ok() && first.starts_with("{\"kind\":\"header\"")
        })
}

/// Reads first points as [`points`] does, or from the record of a run, the best first, with their values.
///
/// # Errors
/// What cannot be read.
pub fn known_points(path: &Path, maximize: bool) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    if !is_record(path) {
        return Ok((points(&path.to_string_lossy())?, Vec::new()));
    }
    let contents = journal::read(path)?;
    let mut known = journal::known_points(&contents);
    // In the file values have the sign of the problem.
    known.iter_mut().filter(|_| contents.header.maximize).for_each(|(_, value)| *value = 0.0 - *value);
    known.sort_by(|a, b| if maximize { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
    Ok(known.into_iter().unzip())
}

/// Reads points of a space of typed variables from a file of JSON, as points of its box: an array of values in the order of the
/// variables, an object of them by name, or an array of either.
///
/// # Errors
/// What cannot be read, and values that a variable does not have.
pub fn typed_points(path: &Path, space: &Space) -> Result<Vec<Vec<f64>>> {
    let failed = |why: String| Error::File { path: path.display().to_string(), why };
    let text = text_of(&path.to_string_lossy())?;
    let value: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|why| failed(why.to_string()))?;
    let many = value.as_array().filter(|all| all.iter().all(|point| point.is_array() || point.is_object()));
    let points: Vec<&Value> = many.map_or_else(|| vec![&value], |all| all.iter().collect());
    if points.is_empty() {
        return Err(failed("holds no point".into()));
    }
    points.into_iter().map(|point| typed_point(point, space).map_err(|why| failed(why.to_string()))).collect()
}

fn typed_point(point: &Value, space: &Space) -> Result<Vec<f64>> {
    let value = |variable: &Variable, value: &Value| match value {
        Value::Number(number) => {
            Ok(number.as_i64().map_or_else(|| Typed::Number(number.as_f64().unwrap_or(f64::NAN)), Typed::Whole))
        }
        Value::String(word) => Ok(Typed::Word(word.clone())),
        Value::Bool(flag) => Ok(Typed::Flag(*flag)),
        other => Err(Error::parameter(variable.name(), other, format!("must be a value of {variable}"))),
    };
    let variables = space.variables();
    let values: Vec<Typed> = match point {
        Value::Array(values) if values.len() == variables.len() => {
            variables.iter().zip(values).map(|(variable, given)| value(variable, given)).collect::<Result<_>>()?
        }
        Value::Array(values) => return Err(Error::shape("point", values.len(), variables.len())),
        Value::Object(members) => {
            if let Some(name) = members.keys().find(|name| variables.iter().all(|variable| variable.name() != *name)) {
                return Err(Error::unknown("variable", name, variables.iter().map(Variable::name)));
            }
            let of = |variable: &Variable| match (members.get(variable.name()), variable.kind()) {
                (Some(given), _) => value(variable, given),
                (None, VariableKind::Fixed(fixed)) => Ok(fixed.clone()),
                (None, _) => Err(Error::missing(variable.name(), "the point has no value of it")),
            };
            variables.iter().map(of).collect::<Result<_>>()?
        }
        other => {
            return Err(Error::parameter("point", other, "must be an array of values or an object of them by name"));
        }
    };
    space.encode(&values)
}

/// Reads start points from a file, or from standard input for `-`: a JSON array of numbers or of such arrays, or text
/// with one point a line, its numbers separated by spaces, commas or semicolons.
pub fn points(path: &str) -> Result<Vec<Vec<f64>>> {
    points_in(&text_of(path)?).map_err(|why| Error::File { path: path.into(), why })
}

/// The text of a file, or of standard input for `-`; numbers that are no file's name are the text themselves.
fn text_of(path: &str) -> Result<String> {
    let inline = path.starts_with(['[', '{']) || path.split(',').all(|word| real(word).is_some());
    if inline && !Path::new(path).exists() {
        return Ok(path.to_owned());
    }
    let text = if path == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    text.map_err(|why| Error::File { path: path.into(), why: why.to_string() })
}

fn points_in(text: &str) -> std::result::Result<Vec<Vec<f64>>, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let points = if text.starts_with('[') {
        let one = serde_json::from_str(text).map(|point: Vec<f64>| vec![point]);
        one.or_else(|_| serde_json::from_str(text)).map_err(|why| {
            format!("must be a JSON array of numbers, or an array of such arrays, one a point ({why})")
        })?
    } else {
        let lines = text.lines().enumerate().map(|(k, line)| (k + 1, line.trim()));
        let mut points = Vec::new();
        for (k, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let words = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|word| !word.is_empty());
            let numbers = words.map(|word| real(word).ok_or_else(|| format!("line {k}: '{word}' is not a number")));
            points.push(numbers.collect::<std::result::Result<Vec<_>, _>>()?);
        }
        points
    };
    if points.is_empty() { Err("holds no point".into()) } else { Ok(points) }
}

/// A number as people write it; infinities are allowed, NaN is not.
pub fn real(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|t: &f64| !t.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_one_pair_or_a_list() {
        assert_eq!(Bounds::parse("-5:5").unwrap(), Bounds::All(-5.0, 5.0));
        let list = Bounds::parse("0:1, -inf:inf,-2:1e3").unwrap();
        assert_eq!(list.dim(), Some(3));
        assert_eq!(list.space(3).unwrap().lower()[1], f64::NEG_INFINITY);
        assert_eq!(list.space(2).unwrap_err().to_string(), "--bounds has 3 entries, expected 2");
        for bad in ["", "5", "a:b", "1:2,", "nan:1", "1;2"] {
            assert!(Bounds::parse(bad).unwrap_err().to_string().contains("LOWER:UPPER"), "{bad}");
        }
        assert!(Bounds::parse("3:1").unwrap().space(1).is_err());
        let named = Bounds::parse("lr=1e-5:1, the width =0:inf").unwrap();
        assert_eq!((named.dim(), named.names()), (Some(2), &["lr".to_owned(), "the width".into()][..]));
        assert_eq!(Bounds::parse("x=0:1").unwrap().dim(), Some(1));
        for (bad, rule) in [
            ("a=0:1,2:3", "a name for every variable"),
            ("a=0:1,a=2:3", "one variable only"),
            ("=0:1", "must be a name"),
            ("{a}=0:1", "must be a name"),
            ("a=b", "LOWER:UPPER"),
        ] {
            assert!(Bounds::parse(bad).unwrap_err().to_string().contains(rule), "{bad}");
        }
    }

    #[test]
    fn bounds_may_stand_in_a_file() {
        let folder = std::env::temp_dir().join(format!("swarmgrad-bounds-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let read = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            bounds_text(&path.to_string_lossy())
        };
        for (name, text, expected) in [
            ("a.json", r#"{"lr": [1e-5, 1], "b": [-2, "inf"]}"#, "b=-2:inf,lr=1e-05:1"),
            ("b.json", "[[0, 1], [-5.5, 5]]", "0:1,-5.5:5"),
            ("c.toml", "lr = [1e-5, 1]\nb = [-inf, inf]\n", "b=-inf:inf,lr=1e-05:1"),
            ("d.csv", "\u{feff}name,lower,upper\n# both ends\nlr, 1e-5, 1\n\nb,-2,inf\n", "lr=1e-5:1,b=-2:inf"),
            ("e.CSV", "0,1\n-5,5\n", "0:1,-5:5"),
            ("f.csv", "x,0,1\n", "x=0:1"),
        ] {
            let text = read(name, text).unwrap();
            assert_eq!(Bounds::parse(&text).unwrap(), Bounds::parse(expected).unwrap(), "{name}: {text}");
            assert_eq!(Bounds::parse(&folder.join(name).to_string_lossy()).unwrap(), Bounds::parse(expected).unwrap());
        }
        for (name, text) in [
            ("a.json", "{\"x\": [1]}"),
            ("b.json", "[[0, 1], [0]]"),
            ("c.json", "3"),
            ("d.json", "[[0, 1]]"),
            ("e.toml", "x = 3"),
            ("f.toml", "x = ["),
            ("g.csv", ""),
            ("h.csv", "a,b\n"),
            ("i.csv", "0,1\nb,c\n"),
            ("j.csv", "0,1,2,3\n"),
        ] {
            let why = read(name, text).unwrap_err().to_string();
            assert!(why.contains(name) && why.contains("lower,upper"), "{why}");
        }
        assert!(read("k.txt", "0,1\n").unwrap().ends_with("k.txt"));
        let why = Bounds::parse(&folder.join("k.txt").to_string_lossy()).unwrap_err().to_string();
        assert!(why.contains(".csv, .toml or .json"), "{why}");
        std::fs::remove_dir_all(&folder).unwrap();
        let missing = bounds_text("missing.toml").unwrap_err().to_string();
        assert!(missing.contains("missing.toml") && !missing.contains("os error"), "{missing}");
    }

    #[test]
    fn points_come_as_json_or_text() {
        for text in ["[1, 2.5]", "[[1,2.5]]", "1 2.5", "1,2.5\n", "# x y\n 1;2.5 \n\n"] {
            assert_eq!(points_in(text).unwrap(), [[1.0, 2.5]], "{text}");
        }
        assert_eq!(points_in("1 2\n3,4").unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        for bad in ["", "[", "{}", "1 a", "[\"1\"]", "[]", "1 nan"] {
            assert!(points_in(bad).is_err() || points_in(bad).unwrap() == [Vec::<f64>::new()], "{bad}");
        }
    }

    #[test]
    fn points_may_stand_on_the_command_line() {
        assert_eq!(points("0.1,-0.2").unwrap(), [[0.1, -0.2]]);
        assert_eq!(points("[[1, 2], [3, 4]]").unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        let missing = points("no such file, 3").unwrap_err().to_string();
        assert_eq!(missing, "no such file, 3: No such file or directory");
    }

    #[test]
    fn starts_and_choices_suggest() {
        assert_eq!(start("normal:1:2").unwrap(), Start::Normal { mean: 1.0, deviation: 2.0 });
        assert!(start("latin_hypercub").unwrap_err().to_string().contains("did you mean 'latin_hypercube'?"));
        assert!(outside("reflekt").unwrap_err().to_string().contains("did you mean 'reflect'?"));
        assert!(start("normal:1").is_err());
    }
}
