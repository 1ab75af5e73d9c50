//! Expressions over names, alone as a formula, and constraints that are written with them: `x0 + x1 <= 1`.
//!
//! ```text
//! constraint = [label ':'] sum relation sum [relation sum]      relation: <= >= < > = ==
//! sum        = ['-'] term { ('+' | '-') term }
//! term       = factor { ('*' | '/') factor }
//! factor     = '-' factor | atom [('^' | '**') factor]
//! atom       = number | name | function '(' sum {',' sum} ')' | '(' sum ')'
//! ```
//!
//! A name is of letters, digits, `_` and `.`, or anything in braces: `{learning rate}`. The functions are those of
//! `swarmgrad_core::math`, with the same bits on every machine, which is why no crate for expressions stands here.

use swarmgrad_core::{Error, Result, math, nearest};

/// Depth of parentheses, signs and powers at most.
const DEEPEST: usize = 64;
/// Length of a text in bytes at most.
const LONGEST: usize = 4096;

/// The functions with their numbers of arguments.
const FUNCTIONS: [(&str, usize); 14] = [
    ("abs", 1),
    ("sqrt", 1),
    ("exp", 1),
    ("ln", 1),
    ("log", 1),
    ("log10", 1),
    ("sin", 1),
    ("cos", 1),
    ("tan", 1),
    ("floor", 1),
    ("ceil", 1),
    ("min", 2),
    ("max", 2),
    ("pow", 2),
];

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Term {
    Number(f64),
    /// The number of a name.
    Name(usize),
    Sum(Box<Term>, Box<Term>),
    Difference(Box<Term>, Box<Term>),
    Product(Box<Term>, Box<Term>),
    Quotient(Box<Term>, Box<Term>),
    Negative(Box<Term>),
    Call(&'static str, Vec<Term>),
}

impl Term {
    fn value(&self, values: &[f64]) -> f64 {
        match self {
            Term::Number(t) => *t,
            Term::Name(k) => values.get(*k).copied().unwrap_or(f64::NAN),
            Term::Sum(a, b) => a.value(values) + b.value(values),
            Term::Difference(a, b) => a.value(values) - b.value(values),
            Term::Product(a, b) => a.value(values) * b.value(values),
            Term::Quotient(a, b) => a.value(values) / b.value(values),
            Term::Negative(a) => -a.value(values),
            Term::Call(name, arguments) => {
                let x = arguments.first().map_or(f64::NAN, |a| a.value(values));
                let y = arguments.get(1).map_or(f64::NAN, |a| a.value(values));
                match *name {
                    "abs" => x.abs(),
                    "sqrt" => x.sqrt(),
                    "exp" => math::exp(x),
                    "ln" | "log" => math::ln(x),
                    "log10" => math::log10(x),
                    "sin" => math::sin(x),
                    "cos" => math::cos(x),
                    "tan" => math::sin(x) / math::cos(x),
                    "floor" => x.floor(),
                    "ceil" => x.ceil(),
                    "min" => x.min(y),
                    "max" => x.max(y),
                    "pow" => power(x, y),
                    _ => f64::NAN,
                }
            }
        }
    }
}

/// x^y, by multiplication where y is a small whole number.
fn power(x: f64, y: f64) -> f64 {
    if y.fract() == 0.0 && y.abs() <= 16.0 { x.powi(y as i32) } else { math::powf(x, y) }
}

/// An objective that is written as an expression over the names of its variables: `x0^2 + (x1 - 1)^2`. The grammar is that of one side of
/// a constraint.
///
/// ```
/// use swarmgrad_study::Formula;
///
/// let names = ["x0".to_owned(), "x1".to_owned()];
/// let formula = Formula::parse("(1 - x0)^2 + 100 * (x1 - x0^2)^2", &names)?;
/// assert_eq!(formula.value(&[1.0, 1.0]), 0.0);
/// assert!((formula.value(&[-1.2, 1.0]) - 24.2).abs() < 1e-12);
/// let wrong = Formula::parse("x0 + sqr(x1)", &names).unwrap_err().to_string();
/// assert_eq!(wrong, "formula = 'x0 + sqr(x1)': has no function 'sqr', did you mean 'sqrt'?");
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    term: Term,
}

impl Formula {
    /// Reads a formula over these names.
    ///
    /// # Errors
    /// What cannot be read, and where; a name that is not among `names`.
    pub fn parse(text: &str, names: &[String]) -> Result<Self> {
        let wrong = |rule: String| Error::parameter("formula", format!("'{}'", shortened(text)), rule);
        if text.len() > LONGEST {
            return Err(wrong(format!("is longer than {LONGEST} bytes")));
        }
        let mut known = names.to_vec();
        let mut reader = Reader { text, at: 0, names: &mut known, depth: 0 };
        let term = reader.sum().map_err(wrong)?;
        reader.space();
        if reader.at < text.len() {
            return Err(wrong(format!("'{}' cannot be read", shortened(&text[reader.at..]))));
        }
        match known.get(names.len()) {
            Some(name) => Err(Error::unknown("name in the formula", name, names.iter().map(String::as_str))),
            None => Ok(Formula { term }),
        }
    }

    /// The value for these values of the names, in their order; NaN where it has none, as the logarithm of -1.
    pub fn value(&self, values: &[f64]) -> f64 {
        self.term.value(values)
    }
}

/// How two sides compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    AtMost,
    AtLeast,
    Equal,
}

/// An expression c whose value is to be at most 0, or 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// What it is called: its label, or its text.
    pub(crate) name: String,
    pub(crate) equal: bool,
    term: Term,
}

impl Condition {
    /// c for these values of the names.
    pub(crate) fn value(&self, values: &[f64]) -> f64 {
        self.term.value(values)
    }
}

/// Reads a constraint; two where it has bounds on both sides. A name that is not among `names` is added to them.
///
/// # Errors
/// What cannot be read, and where.
pub(crate) fn conditions(text: &str, names: &mut Vec<String>) -> Result<Vec<Condition>> {
    let wrong = |rule: String| Error::parameter("constraint", format!("'{}'", shortened(text)), rule);
    if text.len() > LONGEST {
        return Err(wrong(format!("is longer than {LONGEST} bytes")));
    }
    let (label, body) = match text.split_once(':') {
        Some((label, body)) if !label.contains('{') => (Some(label.trim().to_owned()), body),
        _ => (None, text),
    };
    let mut reader = Reader { text: body, at: 0, names, depth: 0 };
    let mut read = || -> std::result::Result<Vec<Condition>, String> {
        let mut sides = vec![reader.sum()?];
        let mut comparisons = Vec::new();
        while let Some(comparison) = reader.comparison() {
            comparisons.push(comparison);
            sides.push(reader.sum()?);
        }
        reader.space();
        if reader.at < reader.text.len() {
            return Err(format!("'{}' cannot be read", shortened(&reader.text[reader.at..])));
        }
        match comparisons.len() {
            0 => return Err("needs <=, >= or =, as in 'x0 + x1 <= 1'".into()),
            1 | 2 => {}
            _ => return Err("has more than two comparisons".into()),
        }
        let several = comparisons.len() > 1;
        let name = |k: usize| {
            let whole = label.clone().unwrap_or_else(|| body.trim().to_owned());
            if several { format!("{whole} ({})", k + 1) } else { whole }
        };
        let pairs = comparisons.iter().zip(sides.windows(2)).enumerate();
        Ok(pairs
            .map(|(k, (comparison, pair))| {
                let (a, b) = (Box::new(pair[0].clone()), Box::new(pair[1].clone()));
                let term = match comparison {
                    Comparison::AtLeast => Term::Difference(b, a),
                    _ => Term::Difference(a, b),
                };
                Condition { name: name(k), equal: *comparison == Comparison::Equal, term }
            })
            .collect())
    };
    read().map_err(wrong)
}

fn shortened(text: &str) -> String {
    let short: String = text.trim().chars().take(60).collect();
    if text.trim().chars().count() > 60 { format!("{short}…") } else { short }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    names: &'a mut Vec<String>,
    depth: usize,
}

type Read<T> = std::result::Result<T, String>;

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Whether this comes next; it is passed over then.
    fn take(&mut self, word: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let words = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("==", Comparison::Equal),
            ("<", Comparison::AtMost),
            (">", Comparison::AtLeast),
            ("=", Comparison::Equal),
        ];
        words.into_iter().find(|(word, _)| self.take(word)).map(|(_, comparison)| comparison)
    }

    /// One level deeper, unless that is too deep.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= DEEPEST {
            return Err(format!("is nested more than {DEEPEST} deep"));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn sum(&mut self) -> Read<Term> {
        let mut left = self.term()?;
        let mut parts = 0;
        loop {
            let plus = self.take("+");
            if !plus && !self.take("-") {
                return Ok(left);
            }
            parts += 1;
            if parts > 8 * DEEPEST {
                return Err(format!("has a sum of more than {} parts", 8 * DEEPEST));
            }
            let right = Box::new(self.term()?);
            left = if plus { Term::Sum(Box::new(left), right) } else { Term::Difference(Box::new(left), right) };
        }
    }

    fn term(&mut self) -> Read<Term> {
        let mut left = self.factor()?;
        let mut parts = 0;
        loop {
            self.space();
            let times = !self.rest().starts_with("**") && self.take("*");
            if !times && !self.take("/") {
                return Ok(left);
            }
            parts += 1;
            if parts > 8 * DEEPEST {
                return Err(format!("has a product of more than {} parts", 8 * DEEPEST));
            }
            let right = Box::new(self.factor()?);
            left = if times { Term::Product(Box::new(left), right) } else { Term::Quotient(Box::new(left), right) };
        }
    }

    fn factor(&mut self) -> Read<Term> {
        if self.take("-") {
            return Ok(Term::Negative(Box::new(self.deeper(Self::factor)?)));
        }
        let base = self.atom()?;
        if self.take("**") || self.take("^") {
            let exponent = self.deeper(Self::factor)?;
            return Ok(Term::Call("pow", vec![base, exponent]));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Read<Term> {
        if self.take("(") {
            let inner = self.deeper(Self::sum)?;
            return if self.take(")") { Ok(inner) } else { Err("lacks a ')'".into()) };
        }
        if self.take("{") {
            let Some(end) = self.rest().find('}') else { return Err("lacks a '}'".into()) };
            let name = self.rest()[..end].trim().to_owned();
            self.at += end + 1;
            return if name.is_empty() { Err("has a name of nothing, {}".into()) } else { Ok(self.named(name)) };
        }
        self.space();
        let first = self.rest().chars().next();
        match first {
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => {
                let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
                let end = self.rest().find(|c| !word(c)).unwrap_or(self.rest().len());
                let name = self.rest()[..end].to_owned();
                self.at += end;
                if self.take("(") {
                    return self.call(&name);
                }
                Ok(if name == "pi" && !self.names.contains(&name) {
                    Term::Number(std::f64::consts::PI)
                } else {
                    self.named(name)
                })
            }
            Some(_) => Err(format!("'{}' cannot be read", shortened(self.rest()))),
            None => Err("ends where a number or a name is expected".into()),
        }
    }

    fn number(&mut self) -> Read<Term> {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') {
            end += 1 + digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits((end + 1 + sign).min(bytes.len()));
            end += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        let text = self.rest()[..end].to_owned();
        self.at += end;
        text.parse().map(Term::Number).map_err(|_| format!("'{text}' is no number"))
    }

    fn call(&mut self, name: &str) -> Read<Term> {
        let Some((known, count)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let near = nearest(name, FUNCTIONS.iter().map(|(known, _)| *known));
            let near = near.map_or(String::new(), |near| format!(", did you mean '{near}'?"));
            return Err(format!("has no function '{name}'{near}"));
        };
        let mut arguments = vec![self.deeper(Self::sum)?];
        while self.take(",") {
            arguments.push(self.deeper(Self::sum)?);
            if arguments.len() > *count {
                break;
            }
        }
        if !self.take(")") {
            return Err("lacks a ')'".into());
        }
        if arguments.len() != *count {
            return Err(format!("{known} takes {count} arguments, found {}", arguments.len()));
        }
        Ok(Term::Call(known, arguments))
    }

    fn named(&mut self, name: String) -> Term {
        let found = self.names.iter().position(|known| *known == name);
        Term::Name(found.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> Vec<String> {
        ["x0", "x1", "lr"].map(str::to_owned).to_vec()
    }

    fn value(text: &str, x: &[f64]) -> f64 {
        conditions(&format!("{text} <= 0"), &mut names()).unwrap()[0].value(x)
    }

    #[test]
    fn sums_products_powers_and_functions_are_what_they_should_be() {
        let x = [2.0, 3.0, 0.5];
        for (text, wanted) in [
            ("1 + 2 * 3 - 4 / 2", 5.0),
            ("-x0^2", -4.0),
            ("2^-1", 0.5),
            ("2**3**2", 512.0),
            ("(x0 + x1) * lr", 2.5),
            ("x0 - x1 - lr", -1.5),
            ("8/2/2", 2.0),
            ("max(x0, x1) - min(x0, x1)", 1.0),
            ("sqrt(x0 * 8) + abs(-1)", 5.0),
            ("1e1 + .5 + 1.5e-1 + 2.", 12.65),
            ("ln(exp(x1))", 3.0),
            ("--x0", 2.0),
            ("2e", f64::NAN),
        ] {
            if text == "2e" {
                assert!(conditions("2e <= 1", &mut names()).is_err());
            } else {
                assert!((value(text, &x) - wanted).abs() < 1e-12, "{text}: {}", value(text, &x));
            }
        }
        assert!((value("cos(pi)", &x) + 1.0).abs() < 1e-15);
        assert!(value("ln(-1)", &x).is_nan());
    }

    #[test]
    fn constraints_are_at_most_at_least_or_equal_and_may_have_labels() {
        let mut all = names();
        let both = conditions("sum: 1 <= x0 + x1 <= 4", &mut all).unwrap();
        let of = |k: usize| (both[k].name.as_str(), both[k].equal, both[k].value(&[2.0, 3.0]));
        assert_eq!((of(0), of(1)), (("sum (1)", false, -4.0), ("sum (2)", false, 1.0)));
        let equal = conditions("{learning rate} = x0", &mut all).unwrap();
        assert_eq!((equal[0].name.as_str(), equal[0].equal), ("{learning rate} = x0", true));
        assert_eq!(all[3], "learning rate");
        assert_eq!(equal[0].value(&[2.0, 0.0, 0.0, 5.0]), 3.0);
        assert_eq!(conditions("x0 >= 1", &mut all).unwrap()[0].value(&[3.0]), -2.0);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| conditions(text, &mut names()).unwrap_err().to_string();
        assert_eq!(error("x0 + x1"), "constraint = 'x0 + x1': needs <=, >= or =, as in 'x0 + x1 <= 1'");
        assert!(
            error("sqr(x0) <= 1").ends_with("has no function 'sqr', did you mean 'sqrt'?"),
            "{}",
            error("sqr(x0) <= 1")
        );
        assert!(error("x0 + <= 1").contains("'<= 1' cannot be read"));
        assert!(error("(x0 <= 1").contains("lacks a ')'"));
        assert!(error("min(x0) <= 1").contains("min takes 2 arguments, found 1"));
        assert!(error("x0 <= 1 <= 2 <= 3").contains("more than two"));
        assert!(error(&format!("{}x0 <= 1", "(".repeat(1000))).contains("nested more than 64"));
        assert!(error(&format!("{}x0 <= 1", "-".repeat(1000))).contains("nested more than 64"));
        assert!(error(&"1+".repeat(4000)).contains("longer than"));
        assert!(error("x0 <= 1 x1").contains("'x1' cannot be read"));
        assert!(error("").contains("ends where"));
    }

    #[test]
    fn a_formula_is_one_expression_over_known_names() {
        let formula = |text: &str| Formula::parse(text, &names()[..2]);
        assert_eq!(formula(" x0 * x1 + pi - pi ").unwrap().value(&[2.0, 3.0]), 6.0);
        assert!(formula("1 / x0 - 1 / x0").unwrap().value(&[0.0, 0.0]).is_nan());
        let error = |text: &str| formula(text).unwrap_err().to_string();
        assert_eq!(error("x0 + x2"), "unknown name in the formula 'x2': there are x0, x1");
        assert_eq!(error("x0 <= 1"), "formula = 'x0 <= 1': '<= 1' cannot be read");
        assert_eq!(error("x0 +"), "formula = 'x0 +': ends where a number or a name is expected");
        assert!(error(&"1+".repeat(4000)).contains("longer than"));
        assert!(error(&format!("{}x0", "(".repeat(1000))).contains("nested more than 64"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        /// No text brings it down, and what is read has a value.
        #[test]
        fn any_text_is_read_or_refused(
            text in "[x0-9a-z+*/^()<>=., {}:\\-]{0,40}|(x0|x1|lr|2|1e-3|-|\\+|\\*|/|\\^|\\*\\*|\\(|\\)|,|sqrt\\(|max\\(| <= | = ){0,20}|\\PC{0,20}"
        ) {
            if let Ok(read) = conditions(&text, &mut names()) {
                prop_assert!(read.len() == 1 || read.len() == 2);
                read.iter().for_each(|condition| _ = condition.value(&[0.5, -1.0, 3.0]));
            }
            if let Ok(formula) = Formula::parse(&text, &names()) {
                formula.value(&[0.5, -1.0, 3.0]);
            }
        }
    }
}
