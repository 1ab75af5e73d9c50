//! Parallel coordinates: an upright axis for each variable, and a line through all of them for each point.

use super::axis::{Axis, Tick};
use super::color::{PALETTE, hex, viridis};
use super::font::{shorten, width, wrap};
use super::svg::{Anchor, GREY, INK, Svg, coordinate, path_data};
use std::fmt::Write;

/// A point: its place on each axis, and its colour from 0 (dark, in front) to 1 (light).
pub type Strand = (Vec<f64>, f64);

/// Parallel coordinates. The axes have their names above them; the last line of the darkest colour stands out.
///
/// ```
/// use swarmgrad_lab::plot::{Axis, Parallel};
/// let axes = vec![Axis::linear("x0").range(0.0, 1.0), Axis::linear("value").range(0.0, 2.0)];
/// let picture = Parallel { strands: vec![(vec![0.5, 0.25], 0.0)], ..Parallel::new("A run", axes) };
/// assert!(picture.svg().contains("x0"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Parallel {
    /// The title; a long one is broken into lines.
    pub title: String,
    /// A smaller line under the title.
    pub subtitle: String,
    /// The axes from left to right. What has no range reaches over its points.
    pub axes: Vec<Axis>,
    /// The points; a place that is not finite interrupts a line.
    pub strands: Vec<Strand>,
    /// Width of the picture in pixels, at least 320.
    pub width: f64,
    /// Height of the picture in pixels, at least 220.
    pub height: f64,
}

const TICK: f64 = 11.0;
const NAME: f64 = 12.5;
const TITLE: f64 = 16.0;
/// The lightest colour that still shows on white.
const LIGHTEST: f64 = 0.9;

impl Parallel {
    /// A picture of 960 x 420 pixels without points.
    pub fn new(title: impl Into<String>, axes: Vec<Axis>) -> Self {
        Parallel {
            title: title.into(),
            subtitle: String::new(),
            axes,
            strands: Vec::new(),
            width: 960.0,
            height: 420.0,
        }
    }

    /// The picture as an SVG document.
    pub fn svg(&self) -> String {
        let (whole, height) = (self.width.max(320.0), self.height.max(220.0));
        let lines = |text: &str, size: f64| if text.is_empty() { Vec::new() } else { wrap(text, size, whole - 32.0) };
        let (title, subtitle) = (lines(&self.title, TITLE), lines(&self.subtitle, 12.0));
        let top = 58.0 + 21.0 * title.len() as f64 + 17.0 * subtitle.len() as f64;
        let bottom = height - 24.0;
        let ends: Vec<(f64, f64)> = (0..self.axes.len()).map(|k| self.ends(k)).collect();
        let marks: Vec<Vec<Tick>> = self.axes.iter().zip(&ends).map(|(axis, &ends)| axis.ticks(ends, 6)).collect();
        let widest = |k: usize| marks[k].iter().map(|tick| width(&tick.label, TICK)).fold(0.0, f64::max);
        let last = self.axes.len().saturating_sub(1);
        // Numbers stand left of their axis.
        let left = if self.axes.is_empty() { 16.0 } else { 24.0 + widest(0).min(whole * 0.15) };
        let step = (whole - left - 28.0) / last.max(1) as f64;
        let px = |k: usize| left + step * k as f64;
        let py = |k: usize, v: f64| bottom - self.axes[k].scale.place(v, ends[k]).clamp(-0.02, 1.02) * (bottom - top);

        let mut svg = Svg::new(whole, height, &self.title);
        for (i, line) in title.iter().enumerate() {
            svg.text((16.0, 30.0 + 21.0 * i as f64), TITLE, Anchor::Start, INK, line);
        }
        for (i, line) in subtitle.iter().enumerate() {
            let y = 28.0 + 21.0 * title.len() as f64 + 17.0 * i as f64;
            svg.text((16.0, y), 12.0, Anchor::Start, GREY, line);
        }
        let mut order: Vec<&Strand> = self.strands.iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (n, (places, color)) in order.iter().enumerate() {
            let points = places.iter().take(self.axes.len()).enumerate();
            let path = path_data(points.map(|(k, &v)| if v.is_nan() { (v, v) } else { (px(k), py(k, v)) }));
            let (color, stroke, opacity) = match n + 1 == order.len() {
                true => (PALETTE[1].to_owned(), 2.6, 1.0),
                false => (hex(viridis(color * LIGHTEST)), 1.1, 0.55),
            };
            svg.raw(&format!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{stroke}\" stroke-opacity=\"{opacity}\"/>\n"
            ));
        }
        for (k, axis) in self.axes.iter().enumerate() {
            let x = px(k);
            svg.line((x, top), (x, bottom), GREY, 1.2);
            let room = if k == 0 { left - 12.0 } else { step - 12.0 };
            for tick in &marks[k] {
                let y = py(k, tick.value);
                svg.line((x - 4.0, y), (x, y), GREY, 1.0);
                halo(&mut svg, (x - 7.0, y + TICK * 0.36), &shorten(&tick.label, TICK, room));
            }
            // A name is as wide as what is between two axes; the outer ones stay on the sheet.
            let name = shorten(&axis.label, NAME, (step - 8.0).min(whole * 0.4).max(30.0));
            let half = width(&name, NAME) / 2.0;
            let middle = x.min(whole - 6.0 - half).max(6.0 + half);
            svg.text((middle, top - 14.0), NAME, Anchor::Middle, INK, &name);
        }
        svg.finish()
    }

    fn ends(&self, k: usize) -> (f64, f64) {
        self.axes[k].ends(self.strands.iter().filter_map(|(places, _)| places.get(k).copied()), 0.02)
    }
}

/// A small text that ends here, on a white ground so that it can be read over lines.
fn halo(svg: &mut Svg, at: (f64, f64), text: &str) {
    let mut markup = String::new();
    let [x, y] = [at.0, at.1].map(coordinate);
    let _ = writeln!(
        markup,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{TICK}\" fill=\"{INK}\" stroke=\"#ffffff\" stroke-width=\"3\" \
         paint-order=\"stroke\" text-anchor=\"end\">{}</text>",
        super::svg::escape(text)
    );
    svg.raw(&markup);
}
