//! The embedded font, how wide a text is in it, and how it looks.

use std::fmt::Write;
use std::sync::OnceLock;
use ttf_parser::{Face, OutlineBuilder};

/// DejaVu Sans, reduced to Latin, Greek, arrows and mathematical signs.
pub const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-subset.ttf");
/// The name under which SVG text asks for it.
pub const FAMILY: &str = "DejaVu Sans";

fn face() -> &'static Face<'static> {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(FONT, 0).expect("the embedded font"))
}

/// The width of a text at a font size. A character that the font lacks counts as wide as an `m`.
pub fn width(text: &str, size: f64) -> f64 {
    let face = face();
    let glyph = |c: char| face.glyph_index(c).or_else(|| face.glyph_index('m')).unwrap_or_default();
    let units: f64 = text.chars().map(|c| f64::from(face.glyph_hor_advance(glyph(c)).unwrap_or_default())).sum();
    units / f64::from(face.units_per_em()) * size
}

/// The outline of a text that begins at `at`, as the data of an SVG path; characters that the font lacks are boxes.
pub fn outline(text: &str, size: f64, mut at: (f64, f64)) -> String {
    let scale = size / f64::from(face().units_per_em());
    let mut data = String::new();
    for c in text.chars() {
        let glyph = face().glyph_index(c).unwrap_or_default();
        face().outline_glyph(glyph, &mut Pen { data: &mut data, at, scale });
        at.0 += width(c.encode_utf8(&mut [0; 4]), size);
    }
    data
}

/// Writes a glyph as the data of a path. Upwards is up in fonts and down in pictures.
struct Pen<'a> {
    data: &'a mut String,
    at: (f64, f64),
    scale: f64,
}

impl Pen<'_> {
    fn write<const N: usize>(&mut self, letter: char, points: [(f32, f32); N]) {
        self.data.push(letter);
        for (x, y) in points {
            let (x, y) = (self.at.0 + f64::from(x) * self.scale, self.at.1 - f64::from(y) * self.scale);
            let _ = write!(self.data, "{x:.3} {y:.3} ");
        }
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.write('M', [(x, y)]);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.write('L', [(x, y)]);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.write('Q', [(x1, y1), (x, y)]);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.write('C', [(x1, y1), (x2, y2), (x, y)]);
    }
    fn close(&mut self) {
        self.write('Z', []);
    }
}

/// Breaks a text at blanks into lines no wider than `limit`; a word that is wider stands alone.
pub fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.lines() {
        let mut line = String::new();
        for word in part.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if !line.is_empty() && width(&longer, size) > limit {
                lines.push(std::mem::replace(&mut line, word.to_owned()));
            } else {
                line = longer;
            }
        }
        lines.push(line);
    }
    lines
}

/// Cuts a text with an ellipsis so that it is no wider than `limit`.
pub fn shorten(text: &str, size: f64, limit: f64) -> String {
    if width(text, size) <= limit {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() && width(&kept, size) + width("…", size) > limit {}
    kept.trim_end().to_owned() + "…"
}
