//! The text forms of a space and of first points, as command lines and files hold them. Errors name the thing, its value and the
//! rule.

use crate::journal;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use swarmgrad_core::{Error, Outside, Result, Space, Start};

/// `lo:hi` for all variables, or a comma list of them, one a variable. Either end may be infinite.
#[derive(Debug, Clone, PartialEq)]
pub enum Bounds {
    /// The same for every variable.
    All(f64, f64),
    /// One pair a variable.
    Each(Vec<(f64, f64)>),
}

impl Bounds {
    /// Reads the text of `--bounds`.
    pub fn parse(text: &str) -> Result<Self> {
        let pair = |part: &str| {
            let pair = part.split_once(':').and_then(|(lo, hi)| Some((real(lo)?, real(hi)?)));
            pair.ok_or_else(|| {
                let rule = "must be LOWER:UPPER, two numbers, inf allowed, for example -5:5 or 0:inf";
                Error::parameter("--bounds", format!("'{}'", part.trim()), rule)
            })
        };
        match text.split_once(',') {
            None => pair(text).map(|(lo, hi)| Bounds::All(lo, hi)),
            Some(_) => text.split(',').map(pair).collect::<Result<_>>().map(Bounds::Each),
        }
    }

    /// Number of variables, where the text says it.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Bounds::All(..) => None,
            Bounds::Each(pairs) => Some(pairs.len()),
        }
    }

    /// The box in `dim` variables.
    pub fn space(&self, dim: usize) -> Result<Space> {
        match self {
            Bounds::All(lo, hi) => Space::cube(dim, *lo, *hi),
            Bounds::Each(pairs) if pairs.len() != dim => Err(Error::shape("--bounds", pairs.len(), dim)),
            Bounds::Each(pairs) => Space::new(pairs.iter().map(|p| p.0).collect(), pairs.iter().map(|p| p.1).collect()),
        }
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

/// Reads first points as [`points`] does, or from the record of a run, the best first, with their values.
///
/// # Errors
/// What cannot be read.
pub fn known_points(path: &Path, maximize: bool) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    let is_record = path.as_os_str() != "-"
        && File::open(path).is_ok_and(|file| {
            let mut first = String::new();
            BufReader::new(file.take(4096)).read_line(&mut first).is_ok() && first.starts_with("{\"kind\":\"header\"")
        });
    if !is_record {
        return Ok((points(&path.to_string_lossy())?, Vec::new()));
    }
    let contents = journal::read(path)?;
    let mut known = journal::known_points(&contents);
    // In the file values have the sign of the problem.
    known.iter_mut().filter(|_| contents.header.maximize).for_each(|(_, value)| *value = 0.0 - *value);
    known.sort_by(|a, b| if maximize { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
    Ok(known.into_iter().unzip())
}

/// Reads start points from a file, or from standard input for `-`: a JSON array of numbers or of such arrays, or text
/// with one point a line, its numbers separated by spaces, commas or semicolons.
pub fn points(path: &str) -> Result<Vec<Vec<f64>>> {
    let failed = |why: std::io::Error| Error::File { path: path.into(), why: why.to_string() };
    let mut text = String::new();
    match path {
        "-" => std::io::stdin().read_to_string(&mut text).map_err(failed)?,
        _ => std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(failed)?,
    };
    points_in(&text).map_err(|why| Error::File { path: path.into(), why })
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
    fn starts_and_choices_suggest() {
        assert_eq!(start("normal:1:2").unwrap(), Start::Normal { mean: 1.0, deviation: 2.0 });
        assert!(start("latin_hypercub").unwrap_err().to_string().contains("did you mean 'latin_hypercube'?"));
        assert!(outside("reflekt").unwrap_err().to_string().contains("did you mean 'reflect'?"));
        assert!(start("normal:1").is_err());
    }
}
