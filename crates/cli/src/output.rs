//! Numbers and tables for people, JSON for programs.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use swarmgrad::Error;
use swarmgrad_lab::plot::png;
use swarmgrad_lab::table::significant;

/// Writes to standard output. A reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => Err(why.into()),
        _ => Ok(()),
    }
}

/// Writes one JSON value and a newline.
pub fn print_json(value: &Value) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Whether a picture is to be a PNG, by the ending of its name; else it is an SVG.
fn is_png(path: &Path) -> swarmgrad::Result<bool> {
    match path.extension().and_then(|end| end.to_str()).map(str::to_lowercase).as_deref() {
        Some("svg") => Ok(false),
        Some("png") => Ok(true),
        _ => Err(Error::parameter("--plot", path.display(), "must end in .svg or .png")),
    }
}

/// [`swarmgrad::state::check_writable`] for a picture.
pub fn check_picture(path: &Path) -> swarmgrad::Result<()> {
    is_png(path)?;
    swarmgrad::state::check_writable(path)
}

/// Writes a picture as its name says.
pub fn write_picture(path: &Path, svg: String) -> anyhow::Result<()> {
    let bytes = if is_png(path)? { png(&svg, 2.0)? } else { svg.into_bytes() };
    Ok(swarmgrad::write_whole(path, &bytes)?)
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
    fn spans_read_well() {
        assert_eq!([0.25, 12.34, 61.0, 7300.0].map(span), ["250 ms", "12.3 s", "1 min 01 s", "2 h 01 min"]);
    }
}
