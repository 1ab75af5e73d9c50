//! A small writer of SVG.

use super::font::FAMILY;
use std::fmt::Write;

/// Text colour.
pub const INK: &str = "#222222";
/// Colour of axes and secondary text.
pub const GREY: &str = "#666666";
/// Colour of grid lines.
pub const GRID: &str = "#e4e4e4";

/// Escapes a text for XML, in elements and in attributes; characters that XML forbids become blanks.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// What [`escape`] has escaped.
pub fn unescape(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A coordinate with at most one decimal (`0.1` of a pixel), as short as possible.
pub fn coordinate(v: f64) -> String {
    let tenths = (v.clamp(-1e5, 1e5) * 10.0).round() as i64;
    match tenths % 10 {
        0 => format!("{}", tenths / 10),
        _ => format!("{}", tenths as f64 / 10.0),
    }
}

/// Where a text is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// At its left end.
    Start,
    /// At its middle.
    Middle,
    /// At its right end.
    End,
}

/// A picture being written.
#[derive(Debug, Clone)]
pub struct Svg {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    body: String,
}

impl Svg {
    /// An empty picture on white. `title` is read aloud by screen readers.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Svg { width, height, body: String::new() };
        svg.raw(&format!("<title>{}</title>\n", escape(title)));
        svg.raw(&format!(
            "<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>\n",
            coordinate(width),
            coordinate(height)
        ));
        svg
    }

    /// Adds markup as it is.
    pub fn raw(&mut self, markup: &str) -> &mut Self {
        self.body += markup;
        self
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, width: f64) -> &mut Self {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(coordinate);
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{color}\" stroke-width=\"{width}\"/>"
        );
        self
    }

    /// A text on one line.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, color: &str, text: &str) -> &mut Self {
        self.placed_text(&format!("x=\"{}\" y=\"{}\"", coordinate(at.0), coordinate(at.1)), size, anchor, color, text)
    }

    /// A text that runs upwards.
    pub fn text_up(&mut self, at: (f64, f64), size: f64, anchor: Anchor, color: &str, text: &str) -> &mut Self {
        let place = format!("transform=\"translate({} {}) rotate(-90)\"", coordinate(at.0), coordinate(at.1));
        self.placed_text(&place, size, anchor, color, text)
    }

    fn placed_text(&mut self, place: &str, size: f64, anchor: Anchor, color: &str, text: &str) -> &mut Self {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = writeln!(
            self.body,
            "<text {place} font-size=\"{}\" fill=\"{color}\"{anchor}>{}</text>",
            coordinate(size),
            escape(text)
        );
        self
    }

    /// The finished document; its only element, so it can be inlined in a page as it is.
    pub fn finish(self) -> String {
        let (w, h) = (coordinate(self.width), coordinate(self.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
             font-family=\"'{FAMILY}', sans-serif\">\n{}</svg>\n",
            self.body
        )
    }
}

/// An SVG path through points in pixels; a point that is not finite interrupts it.
pub fn path_data(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut out = String::new();
    let mut down = false;
    for (x, y) in points {
        if !(x.is_finite() && y.is_finite()) {
            down = false;
            continue;
        }
        let _ = write!(out, "{}{} {}", if down { "L" } else { "M" }, coordinate(x), coordinate(y));
        down = true;
    }
    out
}
