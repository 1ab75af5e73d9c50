//! What users write on the command line, read into what the library takes. Errors name the thing, its value and the rule.

use swarmgrad::study::space::real;
use swarmgrad::{Error, Result};

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

/// A count: 20000, 20_000, 20k or 2e4.
pub fn count(text: &str) -> std::result::Result<u64, String> {
    let plain = text.replace('_', "");
    let (plain, unit) = match plain.strip_suffix(['k', 'K']) {
        Some(thousands) => (thousands, 1e3),
        None => plain.strip_suffix('M').map_or((&*plain, 1.0), |millions| (millions, 1e6)),
    };
    let whole = plain.parse().ok().filter(|_| unit == 1.0).or_else(|| {
        let value = (plain.parse::<f64>().ok()? * unit * 1e3).round() / 1e3;
        (value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value)).then_some(value as u64)
    });
    whole.ok_or_else(|| "must be a whole number, for example 20000, 20_000, 20k or 2e4".into())
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

/// A share of a value: from 0, below 1.
pub fn share(text: &str) -> std::result::Result<f64, String> {
    let share = text.trim().parse().ok().filter(|s| (0.0..1.0).contains(s));
    share.ok_or_else(|| "must be a number from 0 and below 1".into())
}

/// A time span in seconds: 90, 90s, 1.5m, 2h.
pub fn seconds(text: &str) -> std::result::Result<f64, String> {
    let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0)];
    let unit = units.iter().find_map(|(end, unit)| Some((text.trim().strip_suffix(*end)?, *unit)));
    let (number, unit) = unit.unwrap_or((text.trim(), 1.0));
    let seconds = number.parse().ok().map(|s: f64| s * unit).filter(|s| s.is_finite() && *s > 0.0);
    seconds.ok_or_else(|| "must be a number of seconds above 0, or a time such as 90s, 10m, 2h".into())
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
