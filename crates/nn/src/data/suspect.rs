//! Columns that look like something else than what they would be read as: numbers with a comma, dates, identifiers.

use std::collections::BTreeSet;

/// Fewer rows than this tell too little.
const FEW: usize = 20;

/// What is wrong with a column of words, as the rule of an error with the first word that shows it.
pub(super) fn words(words: &[Option<String>]) -> Option<(String, String)> {
    let present: Vec<&String> = words.iter().flatten().collect();
    let most = |looks: fn(&str) -> bool| 2 * present.iter().filter(|word| looks(word)).count() > present.len();
    let first = |looks: fn(&str) -> bool| present.iter().find(|word| looks(word)).map_or("", |word| word.as_str());
    let said = |looks: fn(&str) -> bool, rule: &str| Some((format!("'{}'", first(looks)), rule.to_owned()));
    if most(|word| has_comma(word) || word.parse::<f64>().is_ok()) && present.iter().any(|word| has_comma(word)) {
        let rule = "looks like a number with a comma, and each different one would be a category: write a decimal point and \
                    nothing between thousands, or declare the column `categorical`";
        return said(has_comma, rule);
    }
    if most(is_date) {
        let rule = "looks like a date, and each different one would be a category: write what matters of it as numbers (the \
                    year, the month, days since), `drop` the column, or declare it `categorical`";
        return said(is_date, rule);
    }
    many(&present).map(|different| {
        let rule =
            "each would be a category that hardly another row has: `drop` the column, or declare it `categorical`";
        (format!("{different} different words in {} rows", present.len()), rule.to_owned())
    })
}

/// What is wrong with classes: that hardly two rows share one.
pub(super) fn classes(words: &[Option<String>]) -> Option<(String, String)> {
    let present: Vec<&String> = words.iter().flatten().collect();
    many(&present).map(|different| {
        let rule =
            "hardly two rows share a class: choose another target, or say the task if these are classes all the same";
        (format!("{different} classes in {} rows", present.len()), rule.to_owned())
    })
}

/// What is odd about a column of numbers, if anything: that it numbers the rows, or is called a key and never repeats.
pub(super) fn numbers(name: &str, numbers: &[Option<f64>]) -> Option<&'static str> {
    let present: Vec<f64> = numbers.iter().flatten().copied().collect();
    if present.len() < FEW || present.iter().any(|t| t.fract() != 0.0) {
        return None;
    }
    if present.windows(2).all(|pair| pair[1] - pair[0] == 1.0) {
        return Some("numbers the rows: a network would learn the order of the file from it");
    }
    let name = name.to_lowercase();
    let key = ["id", "key", "index", "uuid", "number"].contains(&name.as_str())
        || ["_id", "-id", " id", "_key"].iter().any(|end| name.ends_with(end));
    let mut different = present.clone();
    different.sort_by(f64::total_cmp);
    different.dedup();
    (key && different.len() == present.len())
        .then_some("is called a key and never repeats: nothing can be learnt from it")
}

/// How many different words there are, where it is more than half as many as rows.
fn many(present: &[&String]) -> Option<usize> {
    let different = present.iter().collect::<BTreeSet<_>>().len();
    (different > FEW && 2 * different > present.len()).then_some(different)
}

/// `3,14`, `1.234,5`, `20,137`, `1,234.5`: digits with at least one comma, and at most one sign before them.
fn has_comma(word: &str) -> bool {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    let inner = digits.trim_end_matches('%').trim_end();
    inner.contains(',')
        && inner.starts_with(|c: char| c.is_ascii_digit())
        && inner.ends_with(|c: char| c.is_ascii_digit())
        && inner.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
}

/// `2021-03-04`, `4/3/2021`, `04.03.21`, with or without a time behind it.
fn is_date(word: &str) -> bool {
    let day = word.split(['T', ' ']).next().unwrap_or_default();
    ['-', '/', '.'].into_iter().any(|between| {
        let parts: Vec<&str> = day.split(between).collect();
        let digits = |part: &&str| (1..=4).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
        let [first, middle, last] = parts[..] else { return false };
        let ends = [first.len(), last.len()];
        parts.iter().all(digits) && middle.len() <= 2 && (ends.contains(&4) || ends == [2, 2] || ends == [1, 2])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_dates_are_seen() {
        assert!(["3,14", "-0,5", "20,137", "1.234,5", "1,234.5", "12,5 %"].into_iter().all(has_comma));
        assert!(!["3.14", "a,b", ",5", "5,", "1, 2", "Paris, 5e"].into_iter().any(has_comma));
        assert!(
            ["2021-03-04", "4/3/2021", "04.03.21", "2021-03-04T10:00", "2021/3/4 10:00:00"].into_iter().all(is_date)
        );
        assert!(!["2021", "1.5", "1.2.3.4", "ab-cd-ef", "192.168.1"].into_iter().any(is_date));
    }
}
