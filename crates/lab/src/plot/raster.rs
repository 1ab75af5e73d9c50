//! From SVG to pixels, with the embedded font and no other.

use super::font::{outline, width};
use super::svg::unescape;
use crate::error::{Error, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use std::fmt::Write;

/// The document with its texts as paths: what turns it into pixels knows no fonts, and need not. A text is as [`Svg`](super::svg::Svg)
/// writes it: on one line, placed by `x` and `y` or by a `transform`.
fn without_texts(svg: &str) -> String {
    let mut out = String::with_capacity(2 * svg.len());
    let mut rest = svg;
    while let Some((before, (attributes, content, after))) = rest.split_once("<text ").and_then(|(before, rest)| {
        let (attributes, rest) = rest.split_once('>')?;
        let (content, after) = rest.split_once("</text>")?;
        Some((before, (attributes, content, after)))
    }) {
        let spaced = format!(" {attributes}");
        let of = |name: &str| {
            let (_, rest) = spaced.split_once(&format!(" {name}=\""))?;
            rest.split_once('"').map(|(value, _)| value)
        };
        let number = |name: &str| of(name).and_then(|value| value.parse().ok());
        let size = number("font-size").unwrap_or(16.0);
        let text = unescape(content.split('<').next().unwrap_or_default());
        let share = match of("text-anchor") {
            Some("middle") => 0.5,
            Some("end") => 1.0,
            _ => 0.0,
        };
        let at = (number("x").unwrap_or(0.0) - share * width(&text, size), number("y").unwrap_or(0.0));
        let _ = write!(out, "{before}<path d=\"{}\" {}/>", outline(&text, size, at), attributes);
        rest = after;
    }
    out + rest
}

/// Rasterises an SVG document at `scale` pixels a unit.
pub(crate) fn pixmap(svg: &str, scale: f32) -> Result<Pixmap> {
    if !(scale > 0.0 && scale <= 64.0) {
        return Err(Error::value("scale", scale, "above 0, at most 64"));
    }
    let tree = Tree::from_str(&without_texts(svg), &Options::default()).map_err(|e| Error::picture("an SVG", e))?;
    let size = tree.size();
    let (w, h) = ((size.width() * scale).round().max(1.0), (size.height() * scale).round().max(1.0));
    let mut pixmap =
        Pixmap::new(w as u32, h as u32).ok_or_else(|| Error::picture("a PNG", format!("{w} x {h} pixels")))?;
    resvg::render(&tree, Transform::from_scale(w / size.width(), h / size.height()), &mut pixmap.as_mut());
    Ok(pixmap)
}

/// An SVG document as a PNG, at `scale` pixels a unit (2 suits screens and papers).
///
/// ```
/// let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>"#;
/// assert_eq!(swarmgrad_lab::plot::png(svg, 2.0)?[..4], *b"\x89PNG");
/// # Ok::<(), swarmgrad_lab::Error>(())
/// ```
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    pixmap(svg, scale)?.encode_png().map_err(|e| Error::picture("a PNG", e))
}
