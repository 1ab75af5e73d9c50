//! A heat map: a colour for each pair of two lists of numbers, as in a phase diagram.

use super::axis::Axis;
use super::color::{hex, viridis};
use super::font::{shorten, wrap};
use super::svg::{Anchor, GREY, INK, Svg, coordinate};

/// A heat map; shares in [0, 1] become colours, NaN is grey.
///
/// ```
/// use swarmgrad_lab::plot::{Axis, Heatmap};
/// let map = Heatmap::new("Success", (Axis::log("m"), vec![1e-3, 1e-2]), (Axis::linear("sigma"), vec![1.0, 2.0, 3.0]), vec![0.5; 6]);
/// assert!(map.svg().starts_with("<svg"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// The title; a long one is broken into lines.
    pub title: String,
    /// The horizontal axis and its numbers, in ascending order.
    pub x: (Axis, Vec<f64>),
    /// The vertical axis and its numbers, in ascending order.
    pub y: (Axis, Vec<f64>),
    /// A share for each cell, row by row of y: cell (i, j) of x and y is `shares[j * x.len() + i]`.
    pub shares: Vec<f64>,
    /// Lines over the cells with their names, such as a threshold.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
    /// What the colours mean, under the bar.
    pub meaning: String,
}

const TICK: f64 = 12.0;
const TITLE: f64 = 16.0;
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;

impl Heatmap {
    /// A heat map without lines. Panics if the shares do not fill the grid.
    pub fn new(title: impl Into<String>, x: (Axis, Vec<f64>), y: (Axis, Vec<f64>), shares: Vec<f64>) -> Self {
        assert_eq!(shares.len(), x.1.len() * y.1.len(), "a share for each cell");
        Heatmap { title: title.into(), x, y, shares, lines: Vec::new(), meaning: String::new() }
    }

    /// With a line over the cells.
    pub fn line(&mut self, name: impl Into<String>, points: Vec<(f64, f64)>) -> &mut Self {
        self.lines.push((name.into(), points));
        self
    }

    /// The picture as an SVG document.
    pub fn svg(&self) -> String {
        let title = wrap(&self.title, TITLE, WIDTH - 32.0);
        let (left, right, top) = (66.0, 84.0, 24.0 + 21.0 * title.len() as f64);
        let bottom = 58.0 + 18.0 * self.lines.len() as f64;
        let (width, height) = (WIDTH - left - right, HEIGHT);
        let (xs, ys) = (edges(&self.x.0, &self.x.1), edges(&self.y.0, &self.y.1));
        let ends = |e: &[f64]| (e[0], e[e.len() - 1]);
        let (x_ends, y_ends) = (ends(&xs), ends(&ys));
        let px = |v: f64| left + self.x.0.scale.place(v, x_ends).clamp(-0.2, 1.2) * width;
        let py = |v: f64| top + (1.0 - self.y.0.scale.place(v, y_ends).clamp(-0.2, 1.2)) * height;
        let mut svg = Svg::new(WIDTH, top + height + bottom, &self.title);
        for (i, line) in title.iter().enumerate() {
            svg.text((16.0, 28.0 + 21.0 * i as f64), TITLE, Anchor::Start, INK, line);
        }
        for (k, &share) in self.shares.iter().enumerate() {
            let (i, j) = (k % self.x.1.len(), k / self.x.1.len());
            let (x0, x1, y0, y1) = (px(xs[i]), px(xs[i + 1]), py(ys[j + 1]), py(ys[j]));
            let color = if share.is_nan() { GREY.to_owned() } else { hex(viridis(share)) };
            // A little wider than the cell, so that no seams show.
            rectangle(&mut svg, [x0, y0, x1 - x0 + 0.4, y1 - y0 + 0.4], &color);
        }
        let clip = [left, top, width, height].map(coordinate);
        svg.raw(&format!(
            "<clipPath id=\"map\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n<g clip-path=\"url(#map)\">\n",
            clip[0], clip[1], clip[2], clip[3]
        ));
        const STROKES: [(&str, &str); 3] = [("#ffffff", ""), ("#ff5a36", "7 3"), ("#ff9df2", "2 2.5")];
        for (k, (_, points)) in self.lines.iter().enumerate() {
            let (color, dash) = STROKES[k % STROKES.len()];
            let data = super::svg::path_data(points.iter().map(|&(x, y)| (px(x), py(y))));
            svg.raw(&format!(
                "<path d=\"{data}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2.2\" stroke-dasharray=\"{dash}\"/>\n"
            ));
        }
        svg.raw("</g>\n");
        for t in self.x.0.ticks(x_ends, 8) {
            let x = px(t.value);
            svg.line((x, top + height), (x, top + height + 5.0), GREY, 1.0);
            svg.text((x, top + height + 9.0 + TICK), TICK, Anchor::Middle, INK, &t.label);
        }
        for t in self.y.0.ticks(y_ends, 8) {
            let y = py(t.value);
            svg.line((left - 5.0, y), (left, y), GREY, 1.0);
            svg.text((left - 9.0, y + TICK * 0.36), TICK, Anchor::End, INK, &t.label);
        }
        svg.text(
            (left + width / 2.0, top + height + 44.0),
            TICK + 1.0,
            Anchor::Middle,
            INK,
            &shorten(&self.x.0.label, 13.0, width),
        );
        svg.text_up(
            (22.0, top + height / 2.0),
            TICK + 1.0,
            Anchor::Middle,
            INK,
            &shorten(&self.y.0.label, 13.0, height),
        );
        // The bar of colours, and the names of the lines.
        let bar = left + width + 16.0;
        for k in 0..64 {
            let at = top + height * (1.0 - (f64::from(k) + 1.0) / 64.0);
            rectangle(&mut svg, [bar, at, 14.0, height / 64.0 + 0.4], &hex(viridis(f64::from(k) / 63.0)));
        }
        for (share, label) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
            svg.text((bar + 20.0, top + height * (1.0 - share) + TICK * 0.36), TICK, Anchor::Start, INK, label);
        }
        svg.text((WIDTH - 8.0, top - 8.0), 11.0, Anchor::End, INK, &self.meaning);
        for (k, (name, _)) in self.lines.iter().enumerate() {
            let (color, dash) = STROKES[k % STROKES.len()];
            let y = top + height + 62.0 + 18.0 * k as f64;
            rectangle(&mut svg, [left - 3.0, y - 11.0, 36.0, 14.0], "#333344");
            svg.raw(&format!(
                "<path d=\"M{} {}h30\" stroke=\"{color}\" stroke-width=\"2.2\" stroke-dasharray=\"{dash}\"/>\n",
                coordinate(left),
                coordinate(y - 4.0)
            ));
            svg.text((left + 40.0, y), TICK, Anchor::Start, INK, &shorten(name, TICK, WIDTH - left - 50.0));
        }
        svg.finish()
    }
}

fn rectangle(svg: &mut Svg, numbers: [f64; 4], color: &str) {
    let [x, y, w, h] = numbers.map(coordinate);
    svg.raw(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{color}\"/>\n"));
}

/// The borders of cells about these numbers: midway between them, on the axis's scale.
fn edges(axis: &Axis, at: &[f64]) -> Vec<f64> {
    let log = axis.scale == super::axis::Scale::Log;
    let to = |v: f64| if log { v.ln() } else { v };
    let back = |v: f64| if log { v.exp() } else { v };
    let at: Vec<f64> = at.iter().map(|&v| to(v)).collect();
    let step = |i: usize| if at.len() > 1 { at[i + 1] - at[i] } else { 1.0 };
    let last = at.len() - 1;
    let mut edges = vec![back(at[0] - 0.5 * step(0))];
    edges.extend((0..last).map(|i| back(at[i] + 0.5 * step(i))));
    edges.push(back(at[last] + 0.5 * step(last.saturating_sub(1))));
    edges
}
