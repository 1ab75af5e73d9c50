//! The embedded font, and how wide a text is in it.

use std::sync::OnceLock;

/// DejaVu Sans, reduced to Latin, Greek, arrows and mathematical signs.
pub const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-subset.ttf");
/// The name under which SVG text asks for it.
pub const FAMILY: &str = "DejaVu Sans";

/// Advance widths read from the font's tables `head`, `hhea`, `hmtx` and `cmap` (format 4).
struct Widths {
    units: f64,
    /// Sorted by character.
    of: Vec<(u16, u16)>,
}

fn u16_at(at: usize) -> usize {
    usize::from(FONT[at]) << 8 | usize::from(FONT[at + 1])
}

fn u32_at(at: usize) -> usize {
    u16_at(at) << 16 | u16_at(at + 2)
}

fn read() -> Widths {
    let table = |tag: &[u8]| {
        let entry = (0..u16_at(4)).map(|i| 12 + 16 * i).find(|&e| &FONT[e..e + 4] == tag).expect("a table of the font");
        u32_at(entry + 8)
    };
    let (hmtx, cmap) = (table(b"hmtx"), table(b"cmap"));
    let metrics = u16_at(table(b"hhea") + 34);
    let width = |glyph: usize| u16_at(hmtx + 4 * glyph.min(metrics - 1)) as u16;
    let subtable = (0..u16_at(cmap + 2))
        .map(|i| cmap + u32_at(cmap + 4 + 8 * i + 4))
        .find(|&s| u16_at(s) == 4)
        .expect("a character map of format 4");
    let twice = u16_at(subtable + 6);
    let mut of = Vec::new();
    for segment in (0..twice).step_by(2) {
        let end = u16_at(subtable + 14 + segment);
        let start = u16_at(subtable + 16 + twice + segment);
        let delta = u16_at(subtable + 16 + 2 * twice + segment);
        let offset_at = subtable + 16 + 3 * twice + segment;
        let offset = u16_at(offset_at);
        for c in start..=end.min(0xfffe) {
            let glyph = match offset {
                0 => (c + delta) & 0xffff,
                _ => match u16_at(offset_at + offset + 2 * (c - start)) {
                    0 => 0,
                    g => (g + delta) & 0xffff,
                },
            };
            of.push((c as u16, width(glyph)));
        }
    }
    of.sort_unstable();
    Widths { units: u16_at(table(b"head") + 18) as f64, of }
}

/// The width of a text at a font size, kerning aside. A character that the font lacks counts as wide as an `m`.
pub fn width(text: &str, size: f64) -> f64 {
    static WIDTHS: OnceLock<Widths> = OnceLock::new();
    let widths = WIDTHS.get_or_init(read);
    let of = |c: char| {
        let c = u16::try_from(c as u32).ok()?;
        widths.of.binary_search_by_key(&c, |w| w.0).ok().map(|i| f64::from(widths.of[i].1))
    };
    text.chars().map(|c| of(c).or_else(|| of('m')).unwrap_or(widths.units)).sum::<f64>() / widths.units * size
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
