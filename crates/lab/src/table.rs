//! Tables from headers and rows: text, Markdown, CSV and HTML; and numbers with significant digits.

/// How [`Table::text`] draws its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rules {
    /// Box-drawing characters.
    #[default]
    Unicode,
    /// Only ASCII rules.
    Ascii,
}

/// A table. A column whose cells are all numbers is aligned to the right.
///
/// ```
/// use swarmgrad_lab::table::{Rules, Table, significant};
/// let mut table = Table::new(["method", "median"]);
/// table.row(["pso", &significant(1.234e-5, 3)]);
/// assert_eq!(table.text(Rules::Ascii), "method   median\n------  -------\npso     1.23e-5\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headers and no rows.
    pub fn new<S: Into<String>>(headers: impl IntoIterator<Item = S>) -> Self {
        Table { headers: headers.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row. Missing cells are empty; cells beyond the headers are given an empty header.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        if row.len() > self.headers.len() {
            self.headers.resize(row.len(), String::new());
            for earlier in &mut self.rows {
                earlier.resize(row.len(), String::new());
            }
        }
        row.resize(self.headers.len(), String::new());
        self.rows.push(row);
        self
    }

    /// The headers.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The rows, each as long as the headers.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Whether a column holds numbers only (empty cells and dashes aside) and so is aligned to the right.
    pub fn numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().map(|r| r[column].trim()).filter(|c| !matches!(*c, "" | "-" | "–")).peekable();
        cells.peek().is_some() && cells.all(is_number)
    }

    /// Aligned text for a terminal; every line ends in a newline, none in blanks.
    pub fn text(&self, rules: Rules) -> String {
        let one_line = |c: &String| c.replace(['\n', '\r'], " ");
        let columns: Vec<(usize, bool)> = (0..self.headers.len())
            .map(|i| {
                let cells = self.rows.iter().map(|r| &r[i]);
                (cells.chain([&self.headers[i]]).map(|c| c.chars().count()).max().unwrap_or(0), self.numeric(i))
            })
            .collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&columns).map(|(c, &(width, right))| {
                let c = one_line(c);
                if right { format!("{c:>width$}") } else { format!("{c:<width$}") }
            });
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        let dash = if rules == Rules::Unicode { "─" } else { "-" };
        let rule = columns.iter().map(|&(width, _)| dash.repeat(width)).collect::<Vec<_>>().join("  ");
        let mut out = line(&self.headers) + &rule + "\n";
        out.extend(self.rows.iter().map(|r| line(r)));
        out
    }

    /// A table in GitHub's Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let cell = |c: &String| c.replace('|', "\\|").replace("\r\n", "<br>").replace('\n', "<br>");
        let mut out = line(&mut self.headers.iter().map(cell));
        out += &line(&mut (0..self.headers.len()).map(|i| if self.numeric(i) { "---:" } else { "---" }.to_owned()));
        for row in &self.rows {
            out += &line(&mut row.iter().map(cell));
        }
        out
    }

    /// Comma-separated values (RFC 4180, with plain newlines).
    pub fn csv(&self) -> String {
        let cell = |c: &String| {
            if c.contains([',', '"', '\n', '\r']) { format!("\"{}\"", c.replace('"', "\"\"")) } else { c.clone() }
        };
        std::iter::once(&self.headers)
            .chain(&self.rows)
            .map(|r| r.iter().map(cell).collect::<Vec<_>>().join(",") + "\n")
            .collect()
    }

    /// A `<table>` element.
    pub fn html(&self) -> String {
        let row = |cells: &[String], tag: &str| {
            let cells = cells.iter().enumerate().map(|(i, c)| {
                let class = if self.numeric(i) { " class=\"number\"" } else { "" };
                format!("<{tag}{class}>{}</{tag}>", crate::plot::svg::escape(c))
            });
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let body: String = self.rows.iter().map(|r| row(r, "td")).collect();
        format!("<table>\n<thead>\n{}</thead>\n<tbody>\n{body}</tbody>\n</table>\n", row(&self.headers, "th"))
    }
}

fn is_number(cell: &str) -> bool {
    let cell = cell.trim_end_matches(['%', '*']).trim_end();
    !cell.is_empty()
        && cell
            .split(['±', '/', '[', ']', ',', ' '])
            .filter(|p| !p.is_empty())
            .all(|p| p.replace('−', "-").parse::<f64>().is_ok())
}

/// A number with so many significant digits and no trailing zeros: `1.23e-5`, `0.012`, `12345` (digits before the point are
/// never rounded away below a million), `inf`, `nan`.
pub fn significant(value: f64, digits: usize) -> String {
    let digits = digits.clamp(1, 17);
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let trim = |s: &str| match s.contains('.') {
        true => s.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => s.to_owned(),
    };
    let exponent_of = |s: &str| s.split_once('e').and_then(|(_, e)| e.parse::<i32>().ok()).expect("an exponent");
    let scientific = format!("{value:.*e}", digits - 1);
    let (exact, rounded) = (exponent_of(&format!("{value:e}")), exponent_of(&scientific));
    if exact < 6 && rounded >= -3 {
        let decimals = (digits as i32 - 1 - rounded).max(0) as usize;
        let fixed = trim(&format!("{value:.decimals$}"));
        if fixed.trim_start_matches('-').split('.').next().is_some_and(|whole| whole.len() < 7) {
            return fixed;
        }
    }
    let (mantissa, exponent) = scientific.split_once('e').expect("an exponent");
    format!("{}e{exponent}", trim(mantissa))
}

/// A number with a fixed number of decimals; `inf` and `nan` as words.
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{value:.decimals$}") } else { significant(value, 1) }
}

/// A count with a comma every three digits.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span of time for people.
pub fn span(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), (s % 60.0).floor()),
        s if s < 86_400.0 => format!("{:.0} h {:02.0} min", (s / 3600.0).floor(), (s % 3600.0 / 60.0).floor()),
        s if s < 1e10 => format!("{:.0} days", s / 86_400.0),
        _ => "ages".into(),
    }
}
