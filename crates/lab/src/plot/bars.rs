//! Horizontal bars: a share from 0 to 1 for each of some names.

use super::color::PALETTE;
use super::font::{shorten, width, wrap};
use super::svg::{Anchor, GREY, GRID, INK, Svg, coordinate};

/// Bars with their names.
///
/// ```
/// use swarmgrad_lab::plot::Bars;
/// let mut bars = Bars::new("Importance", "share of the variance");
/// bars.bars.push(("x0".into(), 0.8));
/// assert!(bars.svg().contains("0.80"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// The title; a long one is broken into lines.
    pub title: String,
    /// A smaller line under the title.
    pub subtitle: String,
    /// What the lengths are, under the bars.
    pub label: String,
    /// Names and shares, from the top.
    pub bars: Vec<(String, f64)>,
    /// Width of the picture in pixels, at least 320.
    pub width: f64,
}

const TEXT: f64 = 12.0;
const TITLE: f64 = 16.0;
const ROW: f64 = 24.0;

impl Bars {
    /// A picture of 720 pixels' width without bars.
    pub fn new(title: impl Into<String>, label: impl Into<String>) -> Self {
        Bars { title: title.into(), subtitle: String::new(), label: label.into(), bars: Vec::new(), width: 720.0 }
    }

    /// The picture as an SVG document.
    pub fn svg(&self) -> String {
        let whole = self.width.max(320.0);
        let lines = |text: &str, size: f64| if text.is_empty() { Vec::new() } else { wrap(text, size, whole - 32.0) };
        let (title, subtitle) = (lines(&self.title, TITLE), lines(&self.subtitle, TEXT));
        let top = 22.0 + 21.0 * title.len() as f64 + 17.0 * subtitle.len() as f64;
        let bottom = top + ROW * self.bars.len() as f64;
        let widest = self.bars.iter().map(|(name, _)| width(name, TEXT)).fold(40.0, f64::max).min(whole * 0.3);
        let (left, right) = (16.0 + widest + 10.0, whole - 60.0);
        let mut svg = Svg::new(whole, bottom + 52.0, &self.title);
        for (i, line) in title.iter().enumerate() {
            svg.text((16.0, 30.0 + 21.0 * i as f64), TITLE, Anchor::Start, INK, line);
        }
        for (i, line) in subtitle.iter().enumerate() {
            let y = 28.0 + 21.0 * title.len() as f64 + 17.0 * i as f64;
            svg.text((16.0, y), TEXT, Anchor::Start, GREY, line);
        }
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let x = left + share * (right - left);
            svg.line((x, top), (x, bottom), GRID, 1.0);
            svg.text((x, bottom + 6.0 + TEXT), TEXT, Anchor::Middle, INK, &share.to_string());
        }
        for (k, (name, share)) in self.bars.iter().enumerate() {
            let (y, share) = (top + ROW * k as f64, if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) });
            let [x, at, long, high] = [left, y + 4.0, (share * (right - left)).max(0.5), ROW - 8.0].map(coordinate);
            let color = PALETTE[0];
            svg.raw(&format!("<rect x=\"{x}\" y=\"{at}\" width=\"{long}\" height=\"{high}\" fill=\"{color}\"/>\n"));
            let base = y + ROW / 2.0 + TEXT * 0.36;
            svg.text((left - 10.0, base), TEXT, Anchor::End, INK, &shorten(name, TEXT, widest));
            let end = left + share * (right - left);
            svg.text((end + 8.0, base), TEXT, Anchor::Start, INK, &format!("{share:.2}"));
        }
        svg.line((left, top), (left, bottom), GREY, 1.0);
        let label = shorten(&self.label, 13.0, whole - 32.0);
        let half = width(&label, 13.0) / 2.0;
        let middle = f64::midpoint(left, right).min(whole - 8.0 - half).max(8.0 + half);
        svg.text((middle, bottom + 40.0), 13.0, Anchor::Middle, INK, &label);
        svg.finish()
    }
}
