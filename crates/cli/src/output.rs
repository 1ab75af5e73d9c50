//! Numbers and tables for people, JSON for programs.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use swarmgrad::Error;
use swarmgrad_lab::plot::png;
use swarmgrad_lab::recorded::{Recorded, page::page, picture::sheet};
use swarmgrad_lab::table::significant;

/// Writes a text for people to standard output, in ASCII where the locale is C.
pub fn print(text: &str) -> anyhow::Result<()> {
    if is_ascii_locale(|name| std::env::var(name).ok()) { print_exact(&ascii(text)) } else { print_exact(text) }
}

/// Whether the environment asks for the locale C. Where it says nothing a terminal is believed to show everything.
fn is_ascii_locale(variable: impl Fn(&str) -> Option<String>) -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|text| !text.is_empty());
    said.is_some_and(|locale| locale == "C" || locale == "POSIX")
}

/// The text with signs of ASCII in place of those that tables and reports use beyond it.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '─' | '–' | '−' => plain.push('-'),
            '…' => plain.push_str("..."),
            '±' => plain.push_str("+-"),
            '·' => plain.push('*'),
            '×' => plain.push('x'),
            'ε' => plain.push_str("eps"),
            '²' => plain.push_str("^2"),
            '₁' => plain.push('1'),
            '₂' => plain.push('2'),
            other => plain.push(other),
        }
    }
    plain
}

/// Writes to standard output as it is. A reader that has gone away (`| head`) is no error.
pub fn print_exact(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => Err(why.into()),
        _ => Ok(()),
    }
}

/// Writes one JSON value and a newline.
pub fn print_json(value: &Value) -> anyhow::Result<()> {
    print_exact(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Columns that text is broken to.
pub const WIDTH: usize = 80;

/// What a picture's file holds, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A drawing.
    Svg,
    /// Pixels.
    Png,
    /// A page.
    Html,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 3] = [Form::Html, Form::Svg, Form::Png];
    /// Those that are pictures and nothing else.
    pub const PICTURES: [Form; 2] = [Form::Svg, Form::Png];

    fn ending(self) -> &'static str {
        match self {
            Form::Svg => "svg",
            Form::Png => "png",
            Form::Html => "html",
        }
    }

    /// The form of a file that an option names, one of these.
    pub fn of(option: &str, path: &Path, forms: &[Form]) -> swarmgrad::Result<Form> {
        let ending = path.extension().and_then(|end| end.to_str()).map(str::to_lowercase);
        let known = forms.iter().find(|form| Some(form.ending()) == ending.as_deref()).copied();
        known.ok_or_else(|| {
            let (last, others) = forms.split_last().map_or(("", &[][..]), |(last, others)| (last.ending(), others));
            let others = others.iter().map(|form| format!(".{}", form.ending())).collect::<Vec<_>>().join(", ");
            Error::parameter(option, path.display(), format!("must end in {others} or .{last}"))
        })
    }
}

/// [`swarmgrad::state::check_writable`] for a picture.
pub fn check_picture(path: &Path) -> swarmgrad::Result<()> {
    Form::of("--plot", path, &Form::PICTURES)?;
    swarmgrad::state::check_writable(path)
}

/// Writes a picture as its name says.
pub fn write_picture(path: &Path, svg: String) -> anyhow::Result<()> {
    let form = Form::of("--plot", path, &Form::PICTURES)?;
    write_svg(path, form, svg)
}

fn write_svg(path: &Path, form: Form, svg: String) -> anyhow::Result<()> {
    let bytes = if form == Form::Png { png(&svg, 2.0)? } else { svg.into_bytes() };
    Ok(swarmgrad::write_whole(path, &bytes)?)
}

/// Writes runs in this form: as a page, or their pictures on one sheet.
pub fn write_runs(path: &Path, form: Form, runs: &[Recorded]) -> anyhow::Result<()> {
    match form {
        Form::Html => Ok(page(runs).write(path)?),
        form => write_svg(path, form, sheet(runs)),
    }
}

/// What the system said of a file.
pub fn file_error(path: &Path, why: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), why: why.to_string() }
}

pub use swarmgrad::study::number::{number, numbers};
pub use swarmgrad_lab::table::{grouped, span};

/// A number for people: six significant digits.
pub fn short(value: f64) -> String {
    significant(value, 6)
}

/// A point for people; the middle of a long one is left out.
pub fn point(x: &[f64]) -> String {
    let shown = |part: &[f64]| part.iter().map(|&t| short(t)).collect::<Vec<_>>().join("  ");
    match x.len() {
        0..=8 => shown(x),
        n => format!("{}  …  {}   ({n} numbers; --json shows all)", shown(&x[..5]), shown(&x[n - 1..])),
    }
}

/// Text with every line indented by four spaces.
pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Lines of a name and what it is, the names padded to one width and the texts wrapped under themselves.
pub fn aligned(lines: &[(String, String)], indent: usize) -> String {
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, what) in lines {
        let pad = width - name.chars().count();
        let mut rows = what.lines();
        let first = rows.next().unwrap_or_default();
        text += format!("{:indent$}{name}{:pad$}   {first}", "", "").trim_end();
        text.push('\n');
        for row in rows {
            text += format!("{:skip$}{row}\n", "", skip = indent + width + 3).as_str();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn json_has_every_number() {
        assert_eq!(
            numbers(&[0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).to_string(),
            r#"[0.1,"nan","inf","-inf"]"#
        );
    }

    #[test]
    fn the_locale_c_gets_ascii() {
        let of = |all: [&'static str; 3]| {
            let names = ["LC_ALL", "LC_CTYPE", "LANG"];
            is_ascii_locale(move |name| names.iter().position(|n| *n == name).map(|k| all[k].to_owned()))
        };
        assert!(of(["", "", "C"]) && of(["POSIX", "", "en_GB.UTF-8"]));
        assert!(
            !of(["", "", "C.UTF-8"])
                && !of(["en_GB.UTF-8", "", "C"])
                && !of(["", "", ""])
                && !is_ascii_locale(|_| None)
        );
        assert_eq!(ascii("a …  ── 3 ±1, –"), "a ...  -- 3 +-1, -");
    }

    #[test]
    fn spans_read_well() {
        assert_eq!([0.25, 12.34, 61.0, 7300.0].map(span), ["250 ms", "12.3 s", "1 min 01 s", "2 h 01 min"]);
    }
}
