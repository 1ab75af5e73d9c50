//! A function of two coordinates seen from above: filled contours, with a swarm, its trails and markers on it.

use super::axis::{Scale, Tick, ticks};
use super::color::{hex, viridis};
use super::font::{shorten, width, wrap};
use super::svg::{Anchor, GREY, INK, Svg, coordinate};
use crate::error::{Error, Result};
use crate::stats::{quantile_sorted, sorted};
use crate::table::significant;
use std::fmt::Write;

/// Values of a function on a grid of a box.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    x: (f64, f64),
    y: (f64, f64),
    columns: usize,
    values: Vec<f64>,
}

impl Grid {
    /// Values row by row, from low `y` to high `y`, each row from low `x` to high `x`; the first and last of a row lie on the
    /// ends of the box. NaN counts as infinity.
    pub fn new(x: (f64, f64), y: (f64, f64), columns: usize, values: Vec<f64>) -> Result<Self> {
        for (name, (low, high)) in [("x", x), ("y", y)] {
            if !(low < high && (high - low).is_finite()) {
                return Err(Error::value(name, format!("({low}, {high})"), "finite, low below high"));
            }
        }
        if columns < 2 || values.len() < 2 * columns || !values.len().is_multiple_of(columns) {
            let rule = format!("whole rows of columns = {columns} values, at least two of each");
            return Err(Error::value("values", format!("{} values", values.len()), rule));
        }
        // Infinities take the place of the largest and smallest finite value.
        let (low, high) = values
            .iter()
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        if low > high {
            return Err(Error::value("values", "none of them finite", "at least one finite value"));
        }
        let values = values.into_iter().map(|v| if v.is_nan() { high } else { v.clamp(low, high) }).collect();
        Ok(Grid { x, y, columns, values })
    }

    /// Samples a function on `n` times `n` points (at least two a side; 160 looks smooth).
    pub fn sample(x: (f64, f64), y: (f64, f64), n: usize, mut f: impl FnMut(f64, f64) -> f64) -> Result<Self> {
        let n = n.max(2);
        let at = |(low, high): (f64, f64), i: usize| low + (high - low) * i as f64 / (n - 1) as f64;
        let values = (0..n * n).map(|i| f(at(x, i % n), at(y, i / n))).collect();
        Grid::new(x, y, n, values)
    }

    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }
}

/// How values become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shade {
    /// Every colour covers the same area: shows valleys and bumps of any function.
    #[default]
    Rank,
    /// Evenly in the logarithm of the height above the lowest value.
    Log,
    /// Evenly in the value.
    Linear,
}

/// What a marker marks; each has its own shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A known minimum: a yellow star.
    Optimum,
    /// A consensus or mean: an orange diamond.
    Consensus,
    /// The best point so far: a pink triangle.
    Best,
}

/// A marked point with its name in the legend (none if empty).
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// What it marks.
    pub mark: Mark,
    /// Where it is.
    pub at: [f64; 2],
    /// Its name.
    pub name: String,
}

/// The path of a particle, oldest point first; the particle is at the last one.
pub type Trail = Vec<[f64; 2]>;

/// A landscape.
///
/// ```
/// use swarmgrad_lab::plot::{Grid, Landscape, Mark};
/// let grid = Grid::sample((-2.0, 2.0), (-2.0, 2.0), 40, |x, y| x * x + y * y)?;
/// let picture = Landscape::new("Sphere", grid).marker(Mark::Optimum, [0.0, 0.0], "minimum").svg();
/// assert!(picture.starts_with("<svg"));
/// # Ok::<(), swarmgrad_lab::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    /// The title; a long one is broken into lines.
    pub title: String,
    /// The function.
    pub grid: Grid,
    /// How values become colours.
    pub shade: Shade,
    /// How many colours, from 2 to 64 (default 16).
    pub colors: usize,
    /// Names of the two axes (default `x₁` and `x₂`).
    pub labels: [String; 2],
    /// Whether a bar explains the colours.
    pub bar: bool,
    /// Width of the picture in pixels, at least 240; the height follows from the box.
    pub width: f64,
    /// Particles with their trails.
    pub swarm: Vec<Trail>,
    /// Marked points.
    pub markers: Vec<Marker>,
    /// Where the constraints are missed: the largest of c(x) of those that ask for c(x) <= 0, as a grid of its own; hatched above 0.
    pub infeasible: Option<Grid>,
    /// c(x) of each that asks for c(x) = 0, a line where it is 0.
    pub equations: Vec<Grid>,
}

const TICK: f64 = 12.0;
const TITLE: f64 = 16.0;
const BAR: f64 = 14.0;
/// Radius of a particle's dot.
pub(crate) const DOT: f64 = 3.6;

/// Where things are in the picture.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub x0: f64,
    pub y0: f64,
    pub width: f64,
    pub height: f64,
    pub total: (f64, f64),
    /// Baseline of the caption, if there is room for one.
    pub caption: Option<f64>,
    title: Vec<String>,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    thresholds: Vec<f64>,
    x: (f64, f64),
    y: (f64, f64),
    legend: f64,
}

impl Layout {
    /// The pixel of a point; not finite for a point that is not.
    pub fn pixel(&self, [x, y]: [f64; 2]) -> (f64, f64) {
        let place = |v, ends| if f64::is_finite(v) { Scale::Linear.place(v, ends).clamp(-0.5, 1.5) } else { f64::NAN };
        (self.x0 + place(x, self.x) * self.width, self.y0 + (1.0 - place(y, self.y)) * self.height)
    }
}

impl Mark {
    /// The outline about the origin, in pixels.
    pub(crate) fn outline(self) -> Vec<(f64, f64)> {
        let around = |n: usize, radius: &dyn Fn(usize) -> f64| {
            let turn = |i: usize| std::f64::consts::TAU * i as f64 / n as f64;
            (0..n).map(|i| (radius(i) * turn(i).sin(), -radius(i) * turn(i).cos())).collect()
        };
        match self {
            Mark::Optimum => around(10, &|i| if i.is_multiple_of(2) { 10.0 } else { 4.2 }),
            Mark::Consensus => around(4, &|_| 6.5),
            Mark::Best => around(3, &|_| 7.0),
        }
    }

    /// Fill and outline.
    pub(crate) fn colors(self) -> (&'static str, &'static str) {
        match self {
            Mark::Optimum => ("#ffe14d", "#222222"),
            Mark::Consensus => ("#d55e00", "#ffffff"),
            Mark::Best => ("#e377c2", "#ffffff"),
        }
    }

    pub(crate) fn draw(self, svg: &mut Svg, at: (f64, f64)) {
        let (x, y) = at;
        if x.is_finite() && y.is_finite() {
            svg.raw(&format!(
                "<g transform=\"translate({} {})\">{}</g>\n",
                coordinate(x),
                coordinate(y),
                self.markup()
            ));
        }
    }

    /// The shape about the origin.
    pub(crate) fn markup(self) -> String {
        let (fill, stroke) = self.colors();
        let data = super::svg::path_data(self.outline());
        format!(
            "<path d=\"{data}Z\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.3\" stroke-linejoin=\"round\"/>"
        )
    }
}

impl Landscape {
    /// A landscape of 560 pixels' width with a bar of colours.
    pub fn new(title: impl Into<String>, grid: Grid) -> Self {
        Landscape {
            title: title.into(),
            grid,
            shade: Shade::default(),
            colors: 16,
            labels: ["x₁".into(), "x₂".into()],
            bar: true,
            width: 560.0,
            swarm: Vec::new(),
            markers: Vec::new(),
            infeasible: None,
            equations: Vec::new(),
        }
    }

    /// With this way from values to colours.
    #[must_use]
    pub fn shade(mut self, shade: Shade) -> Self {
        self.shade = shade;
        self
    }

    /// With or without the bar that explains the colours.
    #[must_use]
    pub fn bar(mut self, bar: bool) -> Self {
        self.bar = bar;
        self
    }

    /// With this width in pixels.
    #[must_use]
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// With a marked point.
    #[must_use]
    pub fn marker(mut self, mark: Mark, at: [f64; 2], name: impl Into<String>) -> Self {
        self.markers.push(Marker { mark, at, name: name.into() });
        self
    }

    /// With particles that leave trails.
    #[must_use]
    pub fn swarm(mut self, swarm: Vec<Trail>) -> Self {
        self.swarm = swarm;
        self
    }

    /// The picture as an SVG document.
    pub fn svg(&self) -> String {
        let layout = self.layout(false, &[]);
        let mut svg = self.background(&layout, &[]);
        svg.raw("<g clip-path=\"url(#box)\">\n");
        for trail in &self.swarm {
            let data = super::svg::path_data(trail.iter().map(|&p| layout.pixel(p)));
            if trail.len() > 1 {
                svg.raw(&format!("<path d=\"{data}\" {TRAIL}/>\n"));
            }
        }
        for (x, y) in self.swarm.iter().filter_map(|t| t.last()).map(|&p| layout.pixel(p)) {
            if x.is_finite() && y.is_finite() {
                svg.raw(&format!("<circle cx=\"{}\" cy=\"{}\" {}/>\n", coordinate(x), coordinate(y), dot()));
            }
        }
        for marker in &self.markers {
            marker.mark.draw(&mut svg, layout.pixel(marker.at));
        }
        svg.raw("</g>\n");
        svg.finish()
    }

    fn is_constrained(&self) -> bool {
        self.infeasible.is_some() || !self.equations.is_empty()
    }

    /// Entries of the legend: those of the markers, then others.
    fn legend<'a>(&'a self, others: &'a [(Mark, String)]) -> impl Iterator<Item = (Mark, &'a str)> {
        let own = self.markers.iter().map(|m| (m.mark, m.name.as_str()));
        own.chain(others.iter().map(|(m, n)| (*m, n.as_str()))).filter(|e| !e.1.is_empty())
    }

    pub(crate) fn layout(&self, caption: bool, others: &[(Mark, String)]) -> Layout {
        let total_width = self.width.max(240.0);
        let (x, y) = (self.grid.x, self.grid.y);
        let thresholds = self.thresholds();
        let title = if self.title.is_empty() { Vec::new() } else { wrap(&self.title, TITLE, total_width - 32.0) };
        let caption_at = caption.then_some(16.0 + 21.0 * title.len() as f64 + 11.0);
        let top = 16.0 + 21.0 * title.len() as f64 + if caption { 18.0 } else { 0.0 } + 8.0;
        let bar_width = if self.bar {
            12.0 + BAR + 8.0 + thresholds.iter().map(|&t| width(&bar_label(t), 11.0)).fold(0.0, f64::max) + 12.0
        } else {
            16.0
        };
        let y_ticks = ticks(Scale::Linear, y, 7);
        let left = 12.0 + 20.0 + y_ticks.iter().map(|t| width(&t.label, TICK)).fold(0.0, f64::max) + 9.0;
        // The last label of the horizontal axis may reach beyond the frame.
        let mut most = 7;
        let (x_ticks, right) = loop {
            let x_ticks = ticks(Scale::Linear, x, most);
            let widest = x_ticks.iter().map(|t| width(&t.label, TICK)).fold(0.0, f64::max);
            let right = bar_width.max(widest / 2.0 + 4.0);
            if most <= 2 || (widest + 14.0) * (x_ticks.len() as f64) < total_width - left - right {
                break (x_ticks, right);
            }
            most -= 1;
        };
        let plot_width = (total_width - left - right).max(80.0);
        let aspect = ((y.1 - y.0) / (x.1 - x.0)).clamp(0.4, 1.8);
        let height = (plot_width * aspect).round();
        let legend = if self.legend(others).next().is_some() || self.is_constrained() { 26.0 } else { 0.0 };
        Layout {
            x0: left,
            y0: top,
            width: plot_width,
            height,
            total: (total_width, (top + height + 50.0 + legend).ceil()),
            caption: caption_at,
            title,
            x_ticks,
            y_ticks,
            thresholds,
            x,
            y,
            legend,
        }
    }

    /// Everything but the swarm and the markers.
    pub(crate) fn background(&self, l: &Layout, others: &[(Mark, String)]) -> Svg {
        let mut svg = Svg::new(l.total.0, l.total.1, &self.title);
        for (i, line) in l.title.iter().enumerate() {
            svg.text((16.0, 30.0 + 21.0 * i as f64), TITLE, Anchor::Start, INK, line);
        }
        let [x, y, w, h] = [l.x0, l.y0, l.width, l.height].map(coordinate);
        svg.raw(&format!("<clipPath id=\"box\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/></clipPath>\n"));
        let n = l.thresholds.len();
        let color = |i: usize| hex(viridis(i as f64 / n.max(1) as f64));
        svg.raw(&format!(
            "<g clip-path=\"url(#box)\">\n<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n",
            color(0)
        ));
        // Tenths of a pixel, so that relative coordinates are short whole numbers.
        svg.raw(&format!(
            "<g transform=\"translate({x} {y}) scale(0.1)\" fill-rule=\"evenodd\" stroke=\"#000000\" stroke-opacity=\"0.22\" \
             stroke-width=\"6\" stroke-linejoin=\"round\">\n"
        ));
        for (i, &threshold) in l.thresholds.iter().enumerate() {
            let data = region(&self.grid, threshold, l.width * 10.0, l.height * 10.0);
            if !data.is_empty() {
                svg.raw(&format!("<path d=\"{data}\" fill=\"{}\"/>\n", color(i + 1)));
            }
        }
        self.draw_constraints(&mut svg, l.width * 10.0, l.height * 10.0);
        svg.raw("</g>\n</g>\n");
        svg.raw(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"none\" stroke=\"{GREY}\"/>\n"));
        let (x1, y1) = (l.x0 + l.width, l.y0 + l.height);
        for t in &l.x_ticks {
            let x = l.pixel([t.value, 0.0]).0;
            svg.line((x, y1), (x, y1 + 5.0), GREY, 1.0);
            svg.text((x, y1 + 8.0 + TICK), TICK, Anchor::Middle, INK, &t.label);
        }
        for t in &l.y_ticks {
            let y = l.pixel([0.0, t.value]).1;
            svg.line((l.x0 - 5.0, y), (l.x0, y), GREY, 1.0);
            svg.text((l.x0 - 8.0, y + TICK * 0.36), TICK, Anchor::End, INK, &t.label);
        }
        let label = shorten(&self.labels[0], 13.0, l.width);
        svg.text((l.x0 + l.width / 2.0, y1 + 38.0), 13.0, Anchor::Middle, INK, &label);
        let label = shorten(&self.labels[1], 13.0, l.height);
        svg.text_up((22.0, l.y0 + l.height / 2.0), 13.0, Anchor::Middle, INK, &label);
        if self.bar {
            let (left, step) = (x1 + 12.0, l.height / (n + 1) as f64);
            for i in 0..=n {
                // Each piece reaches from the top down under the next, so that no seam shows.
                let [x, y, w, h] = [left, l.y0, BAR, l.height - step * i as f64].map(coordinate);
                svg.raw(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n", color(i)));
            }
            let [x, y, w, h] = [left, l.y0, BAR, l.height].map(coordinate);
            svg.raw(&format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"none\" stroke=\"{GREY}\"/>\n"
            ));
            let every = (1..).find(|k| step * f64::from(*k) >= 20.0).unwrap_or(1) as usize;
            let mut last = String::new();
            for (i, &t) in l.thresholds.iter().enumerate().filter(|(i, _)| (i + 1).is_multiple_of(every)) {
                let y = y1 - step * (i + 1) as f64;
                let label = bar_label(t);
                if label != last {
                    svg.line((left + BAR, y), (left + BAR + 4.0, y), GREY, 1.0);
                    svg.text((left + BAR + 7.0, y + 4.0), 11.0, Anchor::Start, INK, &label);
                }
                last = label;
            }
        }
        if l.legend > 0.0 {
            let entries: Vec<(Mark, &str)> = self.legend(others).collect();
            let border = match (&self.infeasible, self.equations.is_empty()) {
                (Some(_), true) => "not feasible",
                (Some(_), false) => "not feasible; line: feasible",
                (None, false) => "feasible",
                (None, true) => "",
            };
            let more = if border.is_empty() { 0.0 } else { 18.0 + width(border, TICK) + 22.0 };
            let total: f64 = entries.iter().map(|e| 18.0 + width(e.1, TICK) + 22.0).sum::<f64>() - 22.0 + more;
            let y = l.total.1 - 17.0;
            let mut x = (l.x0 + l.width / 2.0 - total / 2.0).max(16.0);
            for (mark, name) in entries {
                let name = shorten(name, TICK, (l.total.0 - x - 30.0).max(20.0));
                mark.draw(&mut svg, (x + 7.0, y));
                svg.text((x + 20.0, y + TICK * 0.36), TICK, Anchor::Start, INK, &name);
                x += 18.0 + width(&name, TICK) + 22.0;
            }
            if !border.is_empty() {
                let fill = if self.infeasible.is_some() { "#ffffff" } else { "none" };
                let [left, top] = [x, y - 6.0].map(coordinate);
                svg.raw(&format!(
                    "<rect x=\"{left}\" y=\"{top}\" width=\"13\" height=\"12\" fill=\"{fill}\" stroke=\"#d62728\" stroke-width=\"1.6\"/>\n"
                ));
                svg.text((x + 20.0, y + TICK * 0.36), TICK, Anchor::Start, INK, border);
            }
        }
        svg
    }

    /// What the constraints forbid, and the lines that equations leave, in tenths of a pixel.
    fn draw_constraints(&self, svg: &mut Svg, width: f64, height: f64) {
        // The first value above 0: the border itself is feasible.
        let forbidden = self.infeasible.as_ref().map(|grid| region(grid, f64::MIN_POSITIVE, width, height));
        if let Some(data) = forbidden.filter(|data| !data.is_empty()) {
            svg.raw(&format!(
                "<path d=\"{data}\" fill=\"#ffffff\" fill-opacity=\"0.72\" stroke=\"#d62728\" stroke-opacity=\"1\" stroke-width=\"16\"/>\n"
            ));
        }
        for data in self.equations.iter().map(|grid| region(grid, 0.0, width, height)).filter(|data| !data.is_empty()) {
            svg.raw(&format!(
                "<path d=\"{data}\" fill=\"none\" stroke=\"#d62728\" stroke-opacity=\"1\" stroke-width=\"16\"/>\n"
            ));
        }
    }

    /// The values between neighbouring colours, ascending.
    fn thresholds(&self) -> Vec<f64> {
        let colors = self.colors.clamp(2, 64);
        let s = sorted(&self.grid.values);
        let (low, high) = (s[0], s[s.len() - 1]);
        let part = |i: usize| i as f64 / colors as f64;
        let mut out: Vec<f64> = match self.shade {
            Shade::Rank => (1..colors).map(|i| quantile_sorted(&s, part(i))).collect(),
            Shade::Linear => (1..colors).map(|i| low + (high - low) * part(i)).collect(),
            Shade::Log => {
                // ln(1 + height / unit), the unit being the height that two points in a hundred stay under.
                let unit = (quantile_sorted(&s, 0.02) - low).max((high - low) * 1e-12);
                let top = ((high - low) / unit).ln_1p();
                (1..colors).map(|i| low + unit * (top * part(i)).exp_m1()).collect()
            }
        };
        out.retain(|&t| t > low && t <= high);
        out.dedup();
        out
    }
}

pub(crate) const TRAIL: &str =
    "fill=\"none\" stroke=\"#ffffff\" stroke-opacity=\"0.55\" stroke-width=\"1.3\" stroke-linejoin=\"round\"";

pub(crate) fn dot() -> String {
    format!("r=\"{DOT}\" fill=\"#ffffff\" stroke=\"#111111\" stroke-width=\"1.1\"")
}

fn bar_label(v: f64) -> String {
    significant(v, 2).replace('-', "−")
}

/// The region where the grid is at least `threshold`, as closed loops of an SVG path in a box of `width` by `height` whole units.
fn region(grid: &Grid, threshold: f64, width: f64, height: f64) -> String {
    let mut out = String::new();
    for points in loops(grid, threshold) {
        let (columns, rows) = (grid.columns as f64 - 1.0, grid.rows() as f64 - 1.0);
        let pixels: Vec<(f64, f64)> =
            points.iter().map(|p| (p.0 / columns * width, (1.0 - p.1 / rows) * height)).collect();
        let kept = simplify(&pixels, 1.5);
        if kept.len() < 3 {
            continue;
        }
        let whole = |p: (f64, f64)| (p.0.round() as i64, p.1.round() as i64);
        let (mut x, mut y) = whole(kept[0]);
        let _ = write!(out, "M{x} {y}l");
        let mut first = true;
        for &p in &kept[1..] {
            let (nx, ny) = whole(p);
            if (nx, ny) == (x, y) {
                continue;
            }
            let (dx, dy) = (nx - x, ny - y);
            let _ = write!(out, "{}{dx}{}{dy}", if first || dx < 0 { "" } else { " " }, if dy < 0 { "" } else { " " });
            (x, y, first) = (nx, ny, false);
        }
        if first {
            out += "0 0";
        }
        out.push('z');
    }
    out
}

/// Marching squares on the grid inside a rim of low values, so that every contour closes. Points in units of the grid.
fn loops(grid: &Grid, threshold: f64) -> Vec<Vec<(f64, f64)>> {
    let (columns, rows) = (grid.columns + 2, grid.rows() + 2);
    let value = |i: usize, j: usize| {
        let rim = i == 0 || j == 0 || i == columns - 1 || j == rows - 1;
        if rim { f64::NEG_INFINITY } else { grid.values[(j - 1) * grid.columns + i - 1] }
    };
    // The rim has no width: its nodes lie on the border of the box.
    let place = |i: usize, count: usize| (i.max(1) - 1).min(count - 3) as f64;
    let upright = columns * rows;
    // Where the contour leaves a cell through an edge it enters the next cell: `next[edge]` is the edge it goes on to.
    const NONE: u32 = u32::MAX;
    let mut next = vec![NONE; 2 * columns * rows];
    for j in 0..rows - 1 {
        for i in 0..columns - 1 {
            let corners = [value(i, j), value(i + 1, j), value(i + 1, j + 1), value(i, j + 1)];
            let inside = corners.map(|v| v >= threshold);
            if inside == [true; 4] || inside == [false; 4] {
                continue;
            }
            let edges =
                [j * columns + i, upright + j * columns + i + 1, (j + 1) * columns + i, upright + j * columns + i];
            let leaves = |k: usize| inside[k] && !inside[(k + 1) % 4];
            let enters = |k: usize| !inside[k] && inside[(k + 1) % 4];
            let saddle = inside[0] == inside[2] && inside[1] == inside[3];
            let joined = corners.iter().sum::<f64>() / 4.0 >= threshold;
            for k in (0..4).filter(|&k| leaves(k)) {
                let to = match (saddle, joined) {
                    (false, _) => (0..4).find(|&m| enters(m)).expect("what leaves comes back"),
                    (true, true) => (k + 1) % 4,
                    (true, false) => (k + 3) % 4,
                };
                next[edges[k]] = edges[to] as u32;
            }
        }
    }
    let crossing = |edge: usize| {
        let (i, j, across) = (edge % upright % columns, edge % upright / columns, edge < upright);
        let (i2, j2) = if across { (i + 1, j) } else { (i, j + 1) };
        let (a, b) = (value(i, j), value(i2, j2));
        let t = if a.is_finite() && b.is_finite() { (threshold - a) / (b - a) } else { 0.5 };
        let between = |from: f64, to: f64| from + (to - from) * t;
        (between(place(i, columns), place(i2, columns)), between(place(j, rows), place(j2, rows)))
    };
    let mut out = Vec::new();
    for start in 0..next.len() {
        let mut edge = start;
        let mut points = Vec::new();
        while next[edge] != NONE {
            points.push(crossing(edge));
            edge = std::mem::replace(&mut next[edge], NONE) as usize;
        }
        if !points.is_empty() {
            out.push(points);
        }
    }
    out
}

/// Ramer, Douglas and Peucker: leaves out what is nearer than `tolerance` to what is left in. For closed loops.
fn simplify(points: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let n = points.len();
    if n < 4 {
        return points.to_vec();
    }
    let distance = |p: (f64, f64), a: (f64, f64), b: (f64, f64)| {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy);
        if length == 0.0 { (p.0 - a.0).hypot(p.1 - a.1) } else { ((p.0 - a.0) * dy - (p.1 - a.1) * dx).abs() / length }
    };
    let far = |i: usize| (points[i].0 - points[0].0).hypot(points[i].1 - points[0].1);
    let opposite = (1..n).max_by(|&i, &j| far(i).total_cmp(&far(j))).expect("more than one point");
    let mut kept = vec![false; n + 1];
    kept[0] = true;
    kept[opposite] = true;
    let mut open = vec![(0, opposite), (opposite, n)];
    while let Some((from, to)) = open.pop() {
        let off = |i: usize| distance(points[i], points[from], points[to % n]);
        if let Some(worst) = (from + 1..to).max_by(|&i, &j| off(i).total_cmp(&off(j)))
            && off(worst) > tolerance
        {
            kept[worst] = true;
            open.extend([(from, worst), (worst, to)]);
        }
    }
    (0..n).filter(|&i| kept[i]).map(|i| points[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(points: &[(f64, f64)]) -> f64 {
        let twice: f64 = (0..points.len())
            .map(|i| (points[i], points[(i + 1) % points.len()]))
            .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
            .sum();
        twice / 2.0
    }

    #[test]
    fn contours_close_and_enclose_the_right_area() {
        // Outside a circle of radius 1 in the box [-2, 2]^2: area 16 - pi, in units of the grid.
        let grid = Grid::sample((-2.0, 2.0), (-2.0, 2.0), 201, |x, y| x.hypot(y)).unwrap();
        let found = loops(&grid, 1.0);
        assert_eq!(found.len(), 2, "the rim and the circle");
        let unit = 4.0 / 200.0;
        let total: f64 = found.iter().map(|l| area(l)).sum::<f64>() * unit * unit;
        assert!((total - (16.0 - std::f64::consts::PI)).abs() < 2e-3, "{total}");
        // Inside: the region of a dome.
        let grid = Grid::sample((-2.0, 2.0), (-2.0, 2.0), 201, |x, y| -x.hypot(y)).unwrap();
        let found = loops(&grid, -1.0);
        assert_eq!(found.len(), 1);
        assert!((area(&found[0]) * unit * unit - std::f64::consts::PI).abs() < 2e-3);
    }

    #[test]
    fn saddles_follow_the_middle_of_the_cell() {
        // Two high corners: joined when the middle is high, apart when it is low.
        let joined = Grid::new((0.0, 1.0), (0.0, 1.0), 2, vec![1.0, -0.5, -0.5, 1.0]).unwrap();
        assert_eq!(loops(&joined, 0.0).len(), 1);
        let apart = Grid::new((0.0, 1.0), (0.0, 1.0), 2, vec![1.0, -2.0, -2.0, 1.0]).unwrap();
        assert_eq!(loops(&apart, 0.0).len(), 2);
    }

    #[test]
    fn a_simplified_loop_stays_near() {
        let circle: Vec<(f64, f64)> =
            (0..400).map(|i| f64::from(i) * 0.0157).map(|t| (100.0 * t.cos(), 100.0 * t.sin())).collect();
        let kept = simplify(&circle, 0.5);
        assert!(kept.len() < 60 && kept.len() > 8, "{}", kept.len());
        assert!((area(&kept) - std::f64::consts::PI * 1e4).abs() < 300.0);
    }

    #[test]
    fn a_bad_grid_says_what_is_wrong() {
        let text = |r: Result<Grid>| r.unwrap_err().to_string();
        assert!(text(Grid::new((1.0, 0.0), (0.0, 1.0), 2, vec![0.0; 4])).starts_with("x = (1, 0)"));
        assert!(text(Grid::new((0.0, 1.0), (0.0, 1.0), 3, vec![0.0; 4])).starts_with("values = 4 values"));
        assert!(text(Grid::new((0.0, 1.0), (0.0, 1.0), 2, vec![f64::NAN; 4])).contains("finite"));
    }
}
