//! What users write on the command line, read into what the library takes. Errors name the thing, its value and the rule.

use serde_json::{Map, Value};
use std::io::Read;
use swarmgrad::{Error, Outside, Result, Space, Start};

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
    let nearest = swarmgrad::nearest(value, choices.iter().copied());
    let meant = nearest.map(|near| format!(", did you mean '{near}'?")).unwrap_or_default();
    Error::parameter(name, format!("'{value}'"), format!("must be one of {}{meant}", choices.join(", ")))
}

/// Reads the `key=value` of `--set`: a value that is JSON is taken as such, anything else as text.
pub fn settings(pairs: &[String]) -> Result<Map<String, Value>> {
    let mut settings = Map::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').filter(|(key, _)| !key.trim().is_empty()).ok_or_else(|| {
            Error::parameter("--set", format!("'{pair}'"), "must be KEY=VALUE, for example particles=40")
        })?;
        let (key, value) = (key.trim().replace('-', "_"), value.trim());
        // JSON, or a number in another usual form (.5, 1., +2), or text.
        let number = || value.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number);
        let value = serde_json::from_str(value).ok().or_else(number).unwrap_or_else(|| Value::String(value.into()));
        if settings.insert(key.clone(), value).is_some() {
            return Err(Error::parameter("--set", format!("'{pair}'"), format!("{key} is set twice")));
        }
    }
    Ok(settings)
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

/// Reads the text of `--grid`: two lists, of numbers or LOW:HIGH:COUNT, the first one spread by its logarithm.
pub fn grid(text: &str) -> Result<[Vec<f64>; 2]> {
    let wrong = || {
        let rule = "must be two lists of positive numbers in ascending order, or LOW:HIGH:COUNT, separated by a slash, \
                    for example 1e-4:0.3:22/1:12:23";
        Error::parameter("--grid", format!("'{text}'"), rule)
    };
    let list = |part: &str, log: bool| -> Option<Vec<f64>> {
        let list: Vec<f64> = match part.split(':').collect::<Vec<_>>()[..] {
            [low, high, count] => {
                let (low, high, count) = (real(low)?, real(high)?, count.trim().parse::<usize>().ok()?);
                let share = |k: usize| if count > 1 { k as f64 / (count - 1) as f64 } else { 0.0 };
                let between = |t: f64| if log { low * (high / low).powf(t) } else { low + (high - low) * t };
                (count <= 1000).then(|| (0..count).map(|k| between(share(k))).collect())?
            }
            _ => part.split(',').map(real).collect::<Option<_>>()?,
        };
        let good = !list.is_empty() && list.iter().all(|t| *t > 0.0 && t.is_finite());
        (good && list.windows(2).all(|w| w[0] < w[1])).then_some(list)
    };
    let (first, second) = text.split_once('/').ok_or_else(wrong)?;
    Ok([list(first, true).ok_or_else(wrong)?, list(second, false).ok_or_else(wrong)?])
}

/// A number as people write it; infinities are allowed, NaN is not.
pub fn real(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|t: &f64| !t.is_nan())
}

/// A count: 20000, 20_000 or 2e4.
pub fn count(text: &str) -> std::result::Result<u64, String> {
    let plain = text.replace('_', "");
    let whole = plain.parse().ok().or_else(|| {
        let value = plain.parse::<f64>().ok()?;
        (value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value)).then_some(value as u64)
    });
    whole.ok_or_else(|| "must be a whole number, for example 20000, 20_000 or 2e4".into())
}

/// A comma list of whole numbers and ranges, `1-5,8`, in the order given and without what comes twice.
pub fn numbers(name: &str, text: &str) -> Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let ends = count(from.trim()).ok().zip(count(to.trim()).ok());
        let rule = "must be numbers and ranges, for example 1-5,8";
        let (from, to) = ends.ok_or_else(|| Error::parameter(name, format!("'{part}'"), rule))?;
        if from > to || to - from >= 1_000_000 {
            return Err(Error::parameter(name, part, "a range goes up, by less than a million"));
        }
        numbers.extend((from..=to).filter(|n| !numbers.contains(n)).collect::<Vec<_>>());
    }
    Ok(numbers)
}

/// A count of at least 1.
pub fn positive(text: &str) -> std::result::Result<u64, String> {
    count(text)?.checked_sub(1).map(|less| less + 1).ok_or_else(|| "must be at least 1".into())
}

/// Yes or no.
#[cfg(feature = "nn")]
pub fn yes_or_no(text: &str) -> std::result::Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("must be yes or no".into()),
    }
}

/// A size of at least 1 that fits the machine.
pub fn size(text: &str) -> std::result::Result<usize, String> {
    usize::try_from(positive(text)?).map_err(|why| why.to_string())
}

/// More variables than this are a slip of the finger.
pub const MOST_VARIABLES: usize = 10_000_000;

/// A number of variables.
pub fn dim(text: &str) -> std::result::Result<usize, String> {
    let dim = size(text)?;
    if dim <= MOST_VARIABLES { Ok(dim) } else { Err(format!("must be at most {MOST_VARIABLES}")) }
}

/// A number of threads, 0 for one a core.
pub fn threads(text: &str) -> std::result::Result<usize, String> {
    match count(text)? {
        threads @ 0..=4096 => Ok(threads as usize),
        _ => Err("must be at most 4096".into()),
    }
}

/// A number of copies of a program.
pub fn copies(text: &str) -> std::result::Result<usize, String> {
    positive(text).and_then(|_| threads(text))
}

/// What a value with its gradient costs, in evaluations: at least 1.
pub fn price(text: &str) -> std::result::Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(price) if price.is_finite() && price >= 1.0 => Ok(price),
        _ => Err("must be a number of at least 1, the value itself included".into()),
    }
}

/// A time span in seconds.
pub fn seconds(text: &str) -> std::result::Result<f64, String> {
    let seconds = text.parse().ok().filter(|s: &f64| s.is_finite() && *s > 0.0);
    seconds.ok_or_else(|| "must be a number of seconds above 0".into())
}

/// A number that may be infinite but not NaN.
pub fn number(text: &str) -> std::result::Result<f64, String> {
    real(text).ok_or_else(|| "must be a number".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_read() {
        let [m, sigma] = grid("1e-4:1e-1:4/2,5.5").unwrap();
        assert!(m.iter().zip([1e-4, 1e-3, 1e-2, 1e-1]).all(|(a, b)| (a / b - 1.0).abs() < 1e-12) && m.len() == 4);
        assert_eq!(sigma, [2.0, 5.5]);
        assert_eq!(grid("0.1/1:3:3").unwrap()[1], [1.0, 2.0, 3.0]);
        for bad in ["", "1", "1/", "2,1/1", "0:1:3/1", "1/1:2", "1/a", "1/inf", "1e-4:1:2000/1"] {
            assert!(grid(bad).unwrap_err().to_string().starts_with("--grid = "), "{bad}");
        }
    }

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
    fn settings_are_json_or_text() {
        let set = settings(&["a=1", "b=inf", "c=[1,2]", "d = true", "e=x=y", "f=.5"].map(String::from)).unwrap();
        let json = serde_json::json!({"a": 1, "b": "inf", "c": [1, 2], "d": true, "e": "x=y", "f": 0.5});
        assert_eq!(Value::Object(set), json);
        assert!(settings(&["a".into()]).is_err() && settings(&["=3".into()]).is_err());
        assert!(settings(&["a=1".into(), "a=2".into()]).unwrap_err().to_string().contains("set twice"));
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

    #[test]
    fn lists_have_ranges() {
        assert_eq!(numbers("--dims", "5,10, 2-4,3").unwrap(), [5, 10, 2, 3, 4]);
        for bad in ["", "5,", "a", "5-", "5-3", "1-1e9"] {
            assert!(numbers("--dims", bad).unwrap_err().to_string().starts_with("--dims = "), "{bad}");
        }
    }

    #[test]
    fn counts_may_be_written_short() {
        assert_eq!([count("2e4"), count("20_000"), count("20000")], [Ok(20_000), Ok(20_000), Ok(20_000)]);
        assert!(count("-1").is_err() && count("1.5").is_err() && count("many").is_err() && positive("0").is_err());
        assert!(seconds("0").is_err() && seconds("inf").is_err() && seconds("0.5").is_ok());
    }
}
