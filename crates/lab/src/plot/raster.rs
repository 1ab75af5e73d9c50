//! From SVG to pixels, with the embedded font and no other.

use super::font::{FAMILY, FONT};
use crate::error::{Error, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::{Arc, OnceLock};

fn options() -> Options<'static> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family(FAMILY);
        Arc::new(fonts)
    });
    Options { font_family: FAMILY.to_owned(), fontdb: fonts.clone(), ..Options::default() }
}

/// Rasterises an SVG document at `scale` pixels a unit.
pub(crate) fn pixmap(svg: &str, scale: f32) -> Result<Pixmap> {
    if !(scale > 0.0 && scale <= 64.0) {
        return Err(Error::value("scale", scale, "above 0, at most 64"));
    }
    let tree = Tree::from_str(svg, &options()).map_err(|e| Error::picture("an SVG", e))?;
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
