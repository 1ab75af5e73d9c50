//! Variables as people have them: real, logarithmic, whole, a choice, a flag, fixed; with names, and a text form of each.

use crate::{Error, Result, nearest};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A variable of a problem.
///
/// ```
/// use swarmgrad_core::{Variable, VariableKind};
/// let rate = Variable::parse("lr=log:1e-5:1")?;
/// assert_eq!(rate.kind(), &VariableKind::Log { lower: 1e-5, upper: 1.0 });
/// assert_eq!(Variable::parse("act=choice:relu,tanh")?.to_string(), "act=choice:relu,tanh");
/// assert!(Variable::parse("layers=int:8:1").is_err());
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Variable {
    name: String,
    kind: VariableKind,
}

/// What a variable may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum VariableKind {
    /// Any number between the bounds, either of which may be infinite.
    Real {
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
    },
    /// A positive number whose logarithm is what matters.
    Log {
        /// Lower bound, above 0.
        lower: f64,
        /// Upper bound, finite.
        upper: f64,
    },
    /// `lower`, `lower + step`, .. up to `upper`.
    Whole {
        /// The least number.
        lower: i64,
        /// The greatest, which is a number of steps above the least.
        upper: i64,
        /// From one to the next.
        step: u64,
    },
    /// One of several words.
    Choice {
        /// The words.
        of: Vec<String>,
        /// Whether neighbours in the list are alike, as in small, medium, large.
        ordered: bool,
    },
    /// Yes or no.
    Flag,
    /// Always the same.
    Fixed(Typed),
    /// One of `of` numbers, none below 0, whose sum is 1.
    Simplex {
        /// How many there are.
        of: usize,
        /// Which of them, from 0.
        index: usize,
    },
    /// One of `of` numbers between the bounds, none of which is less than the one before.
    Sorted {
        /// Lower bound, finite.
        lower: f64,
        /// Upper bound, finite.
        upper: f64,
        /// How many there are.
        of: usize,
        /// Which of them, from 0.
        index: usize,
    },
}

/// A value of a variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Typed {
    /// Of a real or logarithmic variable.
    Number(f64),
    /// Of a whole one.
    Whole(i64),
    /// Of a choice.
    Word(String),
    /// Of a flag.
    Flag(bool),
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The shortest digits that read back to the same number.
            Typed::Number(t) => write!(f, "{t:?}"),
            Typed::Whole(k) => write!(f, "{k}"),
            Typed::Word(word) => f.write_str(word),
            Typed::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// A variable before it is known to be one.
#[derive(Serialize, Deserialize)]
struct Unchecked {
    name: String,
    kind: VariableKind,
}

impl TryFrom<Unchecked> for Variable {
    type Error = Error;

    fn try_from(Unchecked { name, kind }: Unchecked) -> Result<Self> {
        Variable::new(name, kind)
    }
}

impl From<Variable> for Unchecked {
    fn from(Variable { name, kind }: Variable) -> Self {
        Unchecked { name, kind }
    }
}

/// Whole numbers beyond this are no doubles any more.
const LARGEST: i64 = 1 << 53;
/// More numbers are no shares of one whole.
const MOST: usize = 1000;
/// The kinds as the text form names them.
const WORDS: [&str; 9] = ["real", "log", "int", "choice", "ordered", "flag", "fixed", "simplex", "sorted"];
const GRAMMAR: &str = "must be NAME=LOWER:UPPER, NAME=log:LOWER:UPPER, NAME=int:LOWER:UPPER[:STEP], NAME=choice:A,B,.., \
                       NAME=ordered:A,B,.., NAME=flag, NAME=simplex:COUNT, NAME=sorted:LOWER:UPPER:COUNT or NAME=VALUE for one \
                       that is fixed";

impl Variable {
    /// A variable.
    ///
    /// # Errors
    /// A name that is empty or has braces, quotes, equality signs or control characters; bounds that are none; fewer than two words,
    /// or one of them twice.
    pub fn new(name: impl Into<String>, kind: VariableKind) -> Result<Self> {
        let name = name.into();
        if name.trim() != name
            || name.is_empty()
            || name.contains(['{', '}', '"', '='])
            || name.contains(char::is_control)
        {
            let rule = "must be a name without braces, quotes and equality signs";
            return Err(Error::parameter("variable", format!("'{name}'"), rule));
        }
        let wrong = |value: String, rule: &str| Err(Error::parameter(format!("variable {name}"), value, rule));
        match &kind {
            VariableKind::Real { lower, upper } => {
                if !(lower <= upper && *lower < f64::INFINITY && *upper > f64::NEG_INFINITY) {
                    let rule = "the lower bound must be a number not above the upper bound";
                    return wrong(format!("{lower}:{upper}"), rule);
                }
            }
            VariableKind::Log { lower, upper } => {
                if !(*lower > 0.0 && lower <= upper && *upper < f64::INFINITY) {
                    let rule = "a logarithmic variable needs bounds above 0, finite, the lower not above the upper";
                    return wrong(format!("log:{lower}:{upper}"), rule);
                }
            }
            VariableKind::Whole { lower, upper, step } => {
                let value = || format!("int:{lower}:{upper}:{step}");
                if lower > upper || *lower < -LARGEST || *upper > LARGEST {
                    let rule = "the least number must not be above the greatest, and both within 2^53 of 0";
                    return wrong(value(), rule);
                }
                if *step == 0 || upper.abs_diff(*lower) % step != 0 {
                    return wrong(value(), "the greatest number must be a whole number of steps above the least");
                }
            }
            VariableKind::Choice { of, .. } => {
                let twice = of.iter().enumerate().find(|(i, word)| of[..*i].contains(word)).map(|(_, word)| word);
                if of.len() < 2 || of.iter().any(|word| word.is_empty()) {
                    return wrong(of.join(","), "a choice needs two words or more, none of them empty");
                }
                if let Some(word) = twice {
                    return wrong(format!("'{word}'"), "stands among the words of the choice twice");
                }
            }
            VariableKind::Simplex { of, index } if !(2..=MOST).contains(of) || index >= of => {
                return wrong(format!("simplex:{of}"), "must be 2 to 1000 numbers");
            }
            VariableKind::Sorted { lower, upper, of, index } => {
                let finite = lower.is_finite() && upper.is_finite() && (upper - lower).is_finite();
                if !(2..=MOST).contains(of) || index >= of || !(finite && lower < upper) {
                    let rule = "must be 2 to 1000 numbers between finite bounds, the lower below the upper";
                    return wrong(format!("sorted:{lower}:{upper}:{of}"), rule);
                }
            }
            VariableKind::Fixed(Typed::Number(t)) if t.is_nan() => return wrong("NaN".into(), "must be a number"),
            VariableKind::Flag | VariableKind::Fixed(_) | VariableKind::Simplex { .. } => {}
        }
        Ok(Variable { name, kind })
    }

    /// Reads a text as people write it. One that means several variables, `mix=simplex:3` or `t=sorted:0:24:2`, gives `mix0`, `mix1`,
    /// `mix2` or `t0`, `t1`; every other one what [`Variable::parse`] does.
    ///
    /// ```
    /// use swarmgrad_core::Variable;
    /// let names: Vec<String> = Variable::read("mix=simplex:3")?.iter().map(|v| v.name().to_owned()).collect();
    /// assert_eq!(names, ["mix0", "mix1", "mix2"]);
    /// assert_eq!(Variable::read("x=-5:5")?.len(), 1);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Variable::parse`].
    pub fn read(text: &str) -> Result<Vec<Self>> {
        let Some((name, rest)) = text.split_once('=') else { return Ok(vec![Variable::parse(text)?]) };
        let parts: Vec<&str> = rest.trim().split(':').map(str::trim).collect();
        let count = match parts[..] {
            ["simplex", count] | ["sorted", _, _, count] => count.parse::<usize>().ok(),
            _ => None,
        };
        // Of a count that is none the first member says what is wrong.
        let Some(count) = count else { return Ok(vec![Variable::parse(text)?]) };
        let member = |index: usize| Variable::parse(&format!("{}{index}={}:{index}", name.trim(), rest.trim()));
        (0..count.clamp(1, MOST + 1)).map(member).collect()
    }

    /// Reads the text form of one variable: `x=-5:5`, `lr=log:1e-5:1`, `layers=int:1:8`, `width=int:16:256:16`, `act=choice:relu,tanh`,
    /// `size=ordered:small,medium,large`, `bias=flag`, `seed=3`; of several numbers the one at a place, `mix1=simplex:3:1`,
    /// `t0=sorted:0:24:2:0`.
    ///
    /// # Errors
    /// A text that is none of these.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |rule: &str| Error::parameter("variable", format!("'{}'", text.trim()), rule);
        let (name, rest) = text.split_once('=').ok_or_else(|| wrong(GRAMMAR))?;
        let rest = rest.trim();
        let (word, tail) = rest.split_once(':').map_or((rest, None), |(word, tail)| (word.trim(), Some(tail)));
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|t| !t.is_nan());
        let pair = |text: &str| text.split_once(':').and_then(|(lo, hi)| Some((number(lo)?, number(hi)?)));
        let words = |text: &str| text.split(',').map(|word| word.trim().to_owned()).collect();
        let kind = match (word, tail) {
            ("real", Some(tail)) => pair(tail).map(|(lower, upper)| VariableKind::Real { lower, upper }),
            ("log", Some(tail)) => pair(tail).map(|(lower, upper)| VariableKind::Log { lower, upper }),
            ("int" | "integer" | "whole", Some(tail)) => {
                let parts: Option<Vec<i64>> = tail.split(':').map(whole).collect();
                match parts.as_deref() {
                    Some(&[lower, upper]) => Some(VariableKind::Whole { lower, upper, step: 1 }),
                    Some(&[lower, upper, step]) if step > 0 => {
                        Some(VariableKind::Whole { lower, upper, step: step.unsigned_abs() })
                    }
                    _ => None,
                }
            }
            ("choice", Some(tail)) => Some(VariableKind::Choice { of: words(tail), ordered: false }),
            ("ordered", Some(tail)) => Some(VariableKind::Choice { of: words(tail), ordered: true }),
            ("flag" | "bool", None) => Some(VariableKind::Flag),
            ("simplex", Some(tail)) => match counts(tail).as_deref() {
                Some(&[of, index]) => Some(VariableKind::Simplex { of, index }),
                _ => None,
            },
            ("sorted", Some(tail)) => {
                let mut parts = tail.splitn(3, ':');
                let ends = (parts.next().and_then(number), parts.next().and_then(number));
                match (ends, parts.next().and_then(counts).as_deref()) {
                    ((Some(lower), Some(upper)), Some(&[of, index])) => {
                        Some(VariableKind::Sorted { lower, upper, of, index })
                    }
                    _ => None,
                }
            }
            ("fixed", Some(tail)) => Some(VariableKind::Fixed(fixed(tail))),
            (_, Some(_)) if pair(rest).is_some() => {
                pair(rest).map(|(lower, upper)| VariableKind::Real { lower, upper })
            }
            (word, Some(_)) => {
                let meant = nearest(word, WORDS).filter(|_| number(word).is_none());
                let rule = meant.map_or(GRAMMAR.to_owned(), |near| format!("{GRAMMAR}; did you mean '{near}'?"));
                return Err(wrong(&rule));
            }
            ("", None) => None,
            (_, None) => Some(VariableKind::Fixed(fixed(rest))),
        };
        Variable::new(name.trim(), kind.ok_or_else(|| wrong(GRAMMAR))?)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it may be.
    pub fn kind(&self) -> &VariableKind {
        &self.kind
    }

    /// The name of the numbers that it is one of, its place among them and how many there are; none of a variable that stands alone.
    pub fn group(&self) -> Option<(&str, usize, usize)> {
        let (VariableKind::Simplex { of, index } | VariableKind::Sorted { of, index, .. }) = self.kind else {
            return None;
        };
        let digits = index.checked_ilog10().unwrap_or(0) as usize + 1;
        let name = self.name.len().checked_sub(digits).and_then(|at| self.name.get(..at));
        Some((name.unwrap_or(&self.name), index, of))
    }

    /// How many values it has; none where there are more than can be counted.
    pub fn values(&self) -> Option<u64> {
        match &self.kind {
            VariableKind::Real { lower, upper } | VariableKind::Log { lower, upper } => (lower == upper).then_some(1),
            VariableKind::Simplex { .. } | VariableKind::Sorted { .. } => None,
            VariableKind::Whole { lower, upper, step } => Some(upper.abs_diff(*lower) / step + 1),
            VariableKind::Choice { of, .. } => Some(of.len() as u64),
            VariableKind::Flag => Some(2),
            VariableKind::Fixed(_) => Some(1),
        }
    }
}

/// Counts between colons.
fn counts(text: &str) -> Option<Vec<usize>> {
    text.split(':').map(|count| count.trim().parse().ok()).collect()
}

/// A whole number, also as 1e3.
fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let exact = |t: f64| t.fract() == 0.0 && t.abs() <= LARGEST as f64;
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|&t| exact(t)).map(|t| t as i64))
}

/// The value of a text: a whole number, a number, true or false, else a word.
fn fixed(text: &str) -> Typed {
    let text = text.trim();
    match text {
        "true" => Typed::Flag(true),
        "false" => Typed::Flag(false),
        _ => match (text.parse(), text.parse::<f64>()) {
            (Ok(k), _) => Typed::Whole(k),
            (_, Ok(t)) if !t.is_nan() => Typed::Number(t),
            _ => Typed::Word(text.to_owned()),
        },
    }
}

/// The text form.
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.name)?;
        match &self.kind {
            VariableKind::Real { lower, upper } => write!(f, "{lower:?}:{upper:?}"),
            VariableKind::Log { lower, upper } => write!(f, "log:{lower:?}:{upper:?}"),
            VariableKind::Whole { lower, upper, step: 1 } => write!(f, "int:{lower}:{upper}"),
            VariableKind::Whole { lower, upper, step } => write!(f, "int:{lower}:{upper}:{step}"),
            VariableKind::Choice { of, ordered: false } => write!(f, "choice:{}", of.join(",")),
            VariableKind::Choice { of, ordered: true } => write!(f, "ordered:{}", of.join(",")),
            VariableKind::Simplex { of, index } => write!(f, "simplex:{of}:{index}"),
            VariableKind::Sorted { lower, upper, of, index } => write!(f, "sorted:{lower:?}:{upper:?}:{of}:{index}"),
            VariableKind::Flag => write!(f, "flag"),
            VariableKind::Fixed(value) => write!(f, "fixed:{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_read() {
        let kind = |text: &str| Variable::parse(text).unwrap().kind;
        let real = |lower, upper| VariableKind::Real { lower, upper };
        assert_eq!(kind("x=-5:5"), real(-5.0, 5.0));
        assert_eq!(kind(" x = real: 0 : inf "), real(0.0, f64::INFINITY));
        assert_eq!(kind("n=int:1:1e3"), VariableKind::Whole { lower: 1, upper: 1000, step: 1 });
        assert_eq!(kind("n=int:16:256:16"), VariableKind::Whole { lower: 16, upper: 256, step: 16 });
        assert_eq!(kind("b=flag"), VariableKind::Flag);
        assert_eq!(kind("seed=3"), VariableKind::Fixed(Typed::Whole(3)));
        assert_eq!(kind("rate=.5"), VariableKind::Fixed(Typed::Number(0.5)));
        assert_eq!(kind("mode=fast"), VariableKind::Fixed(Typed::Word("fast".into())));
        let texts = |text: &str| Variable::read(text).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(" w = simplex: 2"), ["w0=simplex:2:0", "w1=simplex:2:1"]);
        assert_eq!(texts("t=sorted:0:24:2"), ["t0=sorted:0.0:24.0:2:0", "t1=sorted:0.0:24.0:2:1"]);
        let twelfth = &Variable::read("w=simplex:12").unwrap()[11];
        assert_eq!((twelfth.name(), twelfth.group()), ("w11", Some(("w", 11, 12))));
        let of = vec!["small".to_owned(), "large".to_owned()];
        assert_eq!(kind("s=ordered:small, large"), VariableKind::Choice { of, ordered: true });
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| Variable::parse(text).unwrap_err().to_string();
        assert!(error("lr").starts_with("variable = 'lr': must be NAME=LOWER:UPPER"), "{}", error("lr"));
        assert!(error("lr=logs:1:2").ends_with("did you mean 'log'?"), "{}", error("lr=logs:1:2"));
        assert!(error("lr=log:0:1").starts_with("variable lr = log:0:1: a logarithmic variable needs bounds above 0"));
        assert!(error("n=int:1:8:3").contains("a whole number of steps above the least"));
        assert!(error("n=int:8:1").contains("must not be above"));
        assert!(error("n=int:1:8.5").contains("must be NAME="));
        assert!(error("a=choice:x").contains("two words or more"));
        assert!(error("a=choice:x,y,x").contains("'x': stands among the words of the choice twice"));
        assert!(error("a b{=1:2").contains("without braces"));
        assert!(error("=1:2").contains("must be a name"));
        assert!(error("x=2:1").contains("not above the upper bound"));
        let error = |text: &str| Variable::read(text).unwrap_err().to_string();
        assert_eq!(error("w=simplex:1"), "variable w0 = simplex:1: must be 2 to 1000 numbers");
        assert!(error("w=simplex:1001").contains("must be 2 to 1000 numbers"));
        assert!(error("w=simplex:x").contains("NAME=simplex:COUNT"));
        assert!(error("w=simples:3").ends_with("did you mean 'simplex'?"), "{}", error("w=simples:3"));
        assert!(error("t=sorted:0:inf:3").contains("between finite bounds"));
        assert!(error("t=sorted:1:0:3").contains("the lower below the upper"));
        assert!(error("t=sorted:0:1").contains("NAME=sorted:LOWER:UPPER:COUNT"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// No text brings it down, and what it reads it writes again.
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z=:,0-9e.+ \\-]{0,24}|[a-z]{1,3}=(log|int|choice|ordered|real|fixed|flag|simplex|sorted)(:[a-z0-9.,e-]{0,6}){0,4}|\\PC{0,16}") {
            if let Ok(variable) = Variable::parse(&text) {
                prop_assert_eq!(Variable::parse(&variable.to_string()).unwrap(), variable, "{}", text);
            }
            if let Ok(variables) = Variable::read(&text) {
                prop_assert!(crate::Space::<f64>::of(variables).is_ok_and(|space| space.dim() > 0) || text.contains('='));
            }
        }
    }
}
