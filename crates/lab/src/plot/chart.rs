//! A chart: lines with bands over two axes, and a legend that never covers data.

use super::axis::{Axis, minor};
use super::color::{DASHES, PALETTE};
use super::font::{shorten, width, wrap};
use super::svg::{Anchor, GREY, GRID, INK, Svg, coordinate, escape, path_data};
use std::fmt::Write;

/// A line, with a band if it has one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Its name in the legend; a line without a name is not listed.
    pub name: String,
    /// Its points in order. Infinities lie beyond the frame; NaN interrupts the line.
    pub points: Vec<(f64, f64)>,
    /// A band around it: `(x, low, high)`.
    pub band: Vec<(f64, f64, f64)>,
    /// Which colour and dash pattern; the line's place in the chart where `None`.
    pub style: Option<usize>,
    /// Whether to draw a dot at each point.
    pub dots: bool,
    /// Marks at the points in place of a line through them, for thousands of points.
    pub marks: Option<Marks>,
}

/// Marks at points, and what they look like.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    /// Their colour, `#rrggbb`; that of the line's style where `None`.
    pub color: Option<String>,
    /// Their width in pixels.
    pub size: f64,
    /// Whether they are crosses, not dots.
    pub cross: bool,
}

impl Line {
    /// A line through points.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Line { name: name.into(), points, ..Line::default() }
    }

    /// With a band `(x, low, high)` around it.
    #[must_use]
    pub fn band(mut self, band: Vec<(f64, f64, f64)>) -> Self {
        self.band = band;
        self
    }

    /// With a dot at each point.
    #[must_use]
    pub fn dots(mut self) -> Self {
        self.dots = true;
        self
    }

    /// Points without a line through them.
    pub fn marks(name: impl Into<String>, points: Vec<(f64, f64)>, marks: Marks) -> Self {
        Line { name: name.into(), points, marks: Some(marks), ..Line::default() }
    }
}

/// Where the names of the lines stand. Always right of the data, never over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Legend {
    /// A list beside the frame, in the order of the lines.
    #[default]
    Right,
    /// Each name at the end of its line.
    Direct,
    /// No names.
    None,
}

/// A horizontal reference line with a name, such as a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Where.
    pub y: f64,
    /// Its name, written on it.
    pub name: String,
}

/// A chart.
///
/// ```
/// use swarmgrad_lab::plot::{Axis, Chart, Line};
/// let mut chart = Chart::new("Squares", Axis::linear("x"), Axis::linear("y"));
/// chart.line(Line::new("x²", (0..10).map(|i| (f64::from(i), f64::from(i * i))).collect()));
/// assert!(chart.svg().starts_with("<svg"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The title; a long one is broken into lines.
    pub title: String,
    /// A smaller line under the title.
    pub subtitle: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines, drawn in this order.
    pub lines: Vec<Line>,
    /// Horizontal reference lines.
    pub rules: Vec<Rule>,
    /// Where the names stand.
    pub legend: Legend,
    /// Width of the picture in pixels, at least 320.
    pub width: f64,
    /// Height of the picture in pixels, at least 220; it grows if the legend needs more.
    pub height: f64,
}

const TICK: f64 = 12.0;
const LABEL: f64 = 13.0;
const TITLE: f64 = 16.0;
const ROW: f64 = 20.0;
const SAMPLE: f64 = 30.0;

/// What a line looks like.
struct Look<'a> {
    color: &'a str,
    dash: &'static str,
}

/// Marks as one path: a dot is a stroke of no length with round ends.
fn draw_marks(points: impl IntoIterator<Item = (f64, f64)>, color: &str, marks: &Marks) -> String {
    let mut path = String::new();
    let whole = coordinate(marks.size);
    for (x, y) in points.into_iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
        let [left, top] = [x, y].map(|v| coordinate(v - marks.size / 2.0));
        let _ = match marks.cross {
            true => write!(path, "M{left} {top}l{whole} {whole}m-{whole} 0l{whole} -{whole}"),
            false => write!(path, "M{} {}h.01", coordinate(x), coordinate(y)),
        };
    }
    let width = if marks.cross { "1.3" } else { &whole };
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linecap=\"round\" \
         stroke-opacity=\"0.8\"/>\n"
    )
}

impl Chart {
    /// A chart of 720 x 440 pixels without lines.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Chart {
            title: title.into(),
            subtitle: String::new(),
            x,
            y,
            lines: Vec::new(),
            rules: Vec::new(),
            legend: Legend::default(),
            width: 720.0,
            height: 440.0,
        }
    }

    /// Adds a line.
    pub fn line(&mut self, line: Line) -> &mut Self {
        self.lines.push(line);
        self
    }

    /// Adds a horizontal reference line.
    pub fn rule(&mut self, y: f64, name: impl Into<String>) -> &mut Self {
        self.rules.push(Rule { y, name: name.into() });
        self
    }

    fn look(&self, line: usize) -> Look<'_> {
        let i = self.lines[line].style.unwrap_or(line);
        let own = self.lines[line].marks.as_ref().and_then(|marks| marks.color.as_deref());
        Look { color: own.unwrap_or(PALETTE[i % PALETTE.len()]), dash: DASHES[i % DASHES.len()] }
    }

    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        let named: Vec<usize> = (0..self.lines.len()).filter(|&i| !self.lines[i].name.is_empty()).collect();
        let named = if self.legend == Legend::None { Vec::new() } else { named };
        let total_width = self.width.max(320.0);

        // Ends of the axes.
        let xs = self.lines.iter().flat_map(|l| l.points.iter().map(|p| p.0).chain(l.band.iter().map(|b| b.0)));
        let ys =
            self.lines.iter().flat_map(|l| l.points.iter().map(|p| p.1).chain(l.band.iter().flat_map(|b| [b.1, b.2])));
        let x_ends = self.x.ends(xs, if self.lines.iter().any(|l| l.dots) { 0.03 } else { 0.0 });
        let y_ends = self.y.ends(ys.chain(self.rules.iter().map(|r| r.y)), 0.04);

        // Margins, from the texts that must fit into them.
        let name_width = |i: usize| width(&self.lines[i].name, TICK);
        let widest = named.iter().map(|&i| name_width(i)).fold(0.0, f64::max).min(total_width * 0.36);
        let legend_width = if named.is_empty() { 0.0 } else { SAMPLE + 8.0 + widest + 18.0 };
        let title = wrap(&self.title, TITLE, total_width - 32.0);
        let title = if self.title.is_empty() { Vec::new() } else { title };
        let subtitle =
            if self.subtitle.is_empty() { Vec::new() } else { wrap(&self.subtitle, TICK, total_width - 32.0) };
        let top = 16.0 + 21.0 * title.len() as f64 + 17.0 * subtitle.len() as f64 + 10.0;
        let bottom = if self.x.label.is_empty() { 34.0 } else { 56.0 };
        let total_height = self.height.max(220.0).max(top + bottom + ROW * named.len() as f64);
        let plot_height = total_height - top - bottom;
        let y_ticks = self.y.ticks(y_ends, ((plot_height / 42.0) as usize).clamp(2, 10));
        let y_tick_width = y_ticks.iter().map(|t| width(&t.label, TICK)).fold(0.0, f64::max);
        let left = 16.0 + if self.y.label.is_empty() { 0.0 } else { 22.0 } + y_tick_width + 10.0;
        let plot_width = |right: f64| total_width - left - right;
        // As many horizontal ticks as their labels have room for; the last label may reach beyond the frame.
        let (mut right, mut x_ticks) = (18.0_f64.max(legend_width + 14.0), Vec::new());
        for most in (2..=10).rev() {
            x_ticks = self.x.ticks(x_ends, most);
            let reach = x_ticks.last().map_or(0.0, |t| {
                width(&t.label, TICK) / 2.0 - (1.0 - self.x.scale.place(t.value, x_ends)) * plot_width(right)
            });
            right = right.max(reach + 8.0);
            let place = |t: &super::Tick| self.x.scale.place(t.value, x_ends) * plot_width(right);
            let room = |a: &super::Tick, b: &super::Tick| {
                place(b) - place(a) >= (width(&a.label, TICK) + width(&b.label, TICK)) / 2.0 + 14.0
            };
            if x_ticks.windows(2).all(|w| room(&w[0], &w[1])) {
                break;
            }
        }
        let plot_width = plot_width(right).max(40.0);
        if !self.x.words.is_empty() {
            // Words cannot be left out as numbers can: each is cut to its room.
            let room =
                plot_width / (x_ends.1 - x_ends.0).max(1.0) * self.x.words.len().div_ceil(x_ticks.len().max(1)) as f64;
            x_ticks.iter_mut().for_each(|tick| tick.label = shorten(&tick.label, TICK, room - 6.0));
        }
        let (x0, y0, x1, y1) = (left, top, left + plot_width, top + plot_height);
        // Infinity lies a little beyond the frame; the clip cuts it.
        let px = |v: f64| if v.is_nan() { v } else { x0 + self.x.scale.place(v, x_ends).clamp(-0.5, 1.5) * plot_width };
        let py =
            |v: f64| if v.is_nan() { v } else { y1 - self.y.scale.place(v, y_ends).clamp(-0.5, 1.5) * plot_height };

        let mut svg = Svg::new(total_width, total_height, &self.title);
        for (i, line) in title.iter().enumerate() {
            svg.text((16.0, 30.0 + 21.0 * i as f64), TITLE, Anchor::Start, INK, line);
        }
        for (i, line) in subtitle.iter().enumerate() {
            let y = 30.0 + 21.0 * title.len() as f64 + 17.0 * i as f64 - 2.0;
            svg.text((16.0, y), TICK, Anchor::Start, GREY, line);
        }
        // Grid, ticks, labels.
        for v in minor(self.y.scale, y_ends) {
            svg.line((x0 - 3.0, py(v)), (x0, py(v)), GREY, 0.7);
        }
        for v in minor(self.x.scale, x_ends) {
            svg.line((px(v), y1), (px(v), y1 + 3.0), GREY, 0.7);
        }
        for t in &y_ticks {
            let y = py(t.value);
            svg.line((x0, y), (x1, y), GRID, 1.0).line((x0 - 5.0, y), (x0, y), GREY, 1.0);
            svg.text((x0 - 9.0, y + TICK * 0.36), TICK, Anchor::End, INK, &t.label);
        }
        for t in &x_ticks {
            let x = px(t.value);
            svg.line((x, y0), (x, y1), GRID, 1.0).line((x, y1), (x, y1 + 5.0), GREY, 1.0);
            svg.text((x, y1 + 9.0 + TICK), TICK, Anchor::Middle, INK, &t.label);
        }
        let x_label = shorten(&self.x.label, LABEL, total_width - 16.0);
        let half = width(&x_label, LABEL) / 2.0;
        let middle = f64::midpoint(x0, x1).min(total_width - 8.0 - half).max(8.0 + half);
        svg.text((middle, total_height - 14.0), LABEL, Anchor::Middle, INK, &x_label);
        let y_label = shorten(&self.y.label, LABEL, total_height - 16.0);
        let half = width(&y_label, LABEL) / 2.0;
        let middle = f64::midpoint(y0, y1).min(total_height - 8.0 - half).max(8.0 + half);
        svg.text_up((16.0 + LABEL * 0.8, middle), LABEL, Anchor::Middle, INK, &y_label);

        // Bands under all lines, lines under the frame.
        let [cx, cy, cw, ch] = [x0, y0, plot_width, plot_height].map(coordinate);
        svg.raw(&format!(
            "<clipPath id=\"frame\"><rect x=\"{cx}\" y=\"{cy}\" width=\"{cw}\" height=\"{ch}\"/></clipPath>\n"
        ));
        svg.raw("<g clip-path=\"url(#frame)\">\n");
        for (i, line) in self.lines.iter().enumerate().filter(|(_, l)| l.band.len() > 1) {
            let upper = line.band.iter().map(|&(x, _, high)| (px(x), py(high)));
            let lower = line.band.iter().rev().map(|&(x, low, _)| (px(x), py(low)));
            let path = path_data(upper.chain(lower).filter(|p| p.0.is_finite() && p.1.is_finite()));
            svg.raw(&format!("<path d=\"{path}Z\" fill=\"{}\" fill-opacity=\"0.16\"/>\n", self.look(i).color));
        }
        for rule in &self.rules {
            let y = coordinate(py(rule.y));
            svg.raw(&format!(
                "<path d=\"M{} {y}H{}\" stroke=\"{GREY}\" stroke-width=\"1.2\" stroke-dasharray=\"3 3\"/>\n",
                coordinate(x0),
                coordinate(x1)
            ));
        }
        for (i, line) in self.lines.iter().enumerate() {
            let Look { color, dash } = self.look(i);
            let points: Vec<(f64, f64)> = line.points.iter().map(|&(x, y)| (px(x), py(y))).collect();
            if let Some(marks) = &line.marks {
                svg.raw(&draw_marks(points, color, marks));
                continue;
            }
            let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
            svg.raw(&format!(
                "<path d=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" stroke-linejoin=\"round\"{dash}/>\n",
                path_data(points.iter().copied())
            ));
            for (x, y) in points.iter().filter(|p| line.dots && p.0.is_finite() && p.1.is_finite()) {
                let (x, y) = (coordinate(*x), coordinate(*y));
                svg.raw(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"3.2\" fill=\"{color}\" stroke=\"#ffffff\"/>\n"));
            }
        }
        svg.raw("</g>\n");
        for rule in self.rules.iter().filter(|r| !r.name.is_empty()) {
            // The name of a rule sits at its left, on a white ground so that it can be read over lines.
            let (y, name) = (py(rule.y), escape(&rule.name));
            if y >= y0 - 0.5 && y <= y1 + 0.5 {
                let y = if y - y0 < 18.0 { y + 14.0 } else { y - 5.0 };
                svg.raw(&format!(
                    "<text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"{GREY}\" stroke=\"#ffffff\" stroke-width=\"3\" \
                     paint-order=\"stroke\">{name}</text>\n",
                    coordinate(x0 + 6.0),
                    coordinate(y)
                ));
            }
        }
        svg.raw(&format!(
            "<rect x=\"{cx}\" y=\"{cy}\" width=\"{cw}\" height=\"{ch}\" fill=\"none\" stroke=\"{GREY}\"/>\n"
        ));

        self.names(&mut svg, &named, (x1, y0, y1), &px, &py, widest);
        svg.finish()
    }

    /// The legend, beside the frame.
    fn names(
        &self,
        svg: &mut Svg,
        named: &[usize],
        (x1, y0, y1): (f64, f64, f64),
        px: &dyn Fn(f64) -> f64,
        py: &dyn Fn(f64) -> f64,
        widest: f64,
    ) {
        let mut entries: Vec<(usize, f64, Option<f64>)> = match self.legend {
            Legend::None => return,
            Legend::Right => {
                named.iter().enumerate().map(|(row, &i)| (i, y0 + 10.0 + ROW * row as f64, None)).collect()
            }
            Legend::Direct => {
                // Each name wants to stand where its line ends; names that would touch are pushed apart.
                let end = |i: usize| {
                    let shown = self.lines[i].points.iter().rev().find(|p| !p.1.is_nan() && !px(p.0).is_nan());
                    shown.map_or(y1, |p| py(p.1)).clamp(y0, y1)
                };
                let mut wanted: Vec<(usize, f64)> = named.iter().map(|&i| (i, end(i))).collect();
                wanted.sort_by(|a, b| a.1.total_cmp(&b.1));
                let places = spread(&wanted.iter().map(|w| w.1).collect::<Vec<_>>(), ROW, y0 + 6.0, y1 - 6.0);
                wanted.iter().zip(places).map(|(&(i, at), place)| (i, place, Some(at))).collect()
            }
        };
        entries.sort_by(|a, b| a.1.total_cmp(&b.1));
        for (i, y, end) in entries {
            let Look { color, dash } = self.look(i);
            let line = &self.lines[i];
            let start = x1 + 14.0;
            let mut markup = String::new();
            if let Some(end) = end {
                let [a, b, c, d] = [x1 + 1.0, end, start, y].map(coordinate);
                let _ = writeln!(
                    markup,
                    "<path d=\"M{a} {b}L{c} {d}\" stroke=\"{color}\" stroke-width=\"1\" fill=\"none\"/>"
                );
            }
            if !line.band.is_empty() {
                let [x, top] = [start, y - 6.0].map(coordinate);
                let _ = writeln!(
                    markup,
                    "<rect x=\"{x}\" y=\"{top}\" width=\"{SAMPLE}\" height=\"12\" fill=\"{color}\" fill-opacity=\"0.16\"/>"
                );
            }
            let [x, to, at] = [start, start + SAMPLE, y].map(coordinate);
            if let Some(marks) = &line.marks {
                markup += &draw_marks([(start + SAMPLE / 2.0, y)], color, marks);
                svg.raw(&markup);
                let name = shorten(&line.name, TICK, widest + 0.5);
                svg.text((start + SAMPLE + 8.0, y + TICK * 0.36), TICK, Anchor::Start, INK, &name);
                continue;
            }
            let dashes = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
            let _ = writeln!(markup, "<path d=\"M{x} {at}H{to}\" stroke=\"{color}\" stroke-width=\"2\"{dashes}/>");
            if line.dots {
                let middle = coordinate(start + SAMPLE / 2.0);
                let _ = writeln!(
                    markup,
                    "<circle cx=\"{middle}\" cy=\"{at}\" r=\"3.2\" fill=\"{color}\" stroke=\"#ffffff\"/>"
                );
            }
            svg.raw(&markup);
            let name = shorten(&line.name, TICK, widest + 0.5);
            svg.text((start + SAMPLE + 8.0, y + TICK * 0.36), TICK, Anchor::Start, INK, &name);
        }
    }
}

/// Places at least `gap` apart, in order, near those wanted (which are sorted), within `[low, high]` as far as there is room.
fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    // Clusters of touching names share their displacement: merge while neighbours overlap.
    let mut clusters: Vec<(f64, usize)> = Vec::new(); // middle, members
    let room = |middle: f64, members: usize| {
        let half = gap * (members as f64 - 1.0) / 2.0;
        middle.min(high - half).max(low + half)
    };
    for &w in wanted {
        clusters.push((room(w, 1), 1));
        while let [.., (a, n), (b, m)] = clusters[..] {
            if b - a >= gap * (n + m) as f64 / 2.0 - 1e-9 {
                break;
            }
            let middle = (a * n as f64 + b * m as f64) / (n + m) as f64;
            clusters.truncate(clusters.len() - 2);
            clusters.push((room(middle, n + m), n + m));
        }
    }
    clusters
        .into_iter()
        .flat_map(|(middle, n)| (0..n).map(move |i| middle + gap * (i as f64 - (n as f64 - 1.0) / 2.0)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn names_do_not_touch() {
        for wanted in [vec![10.0, 10.0, 11.0, 50.0], vec![0.0; 5], vec![100.0; 5], vec![1.0, 2.0, 98.0, 99.0]] {
            let places = spread(&wanted, 20.0, 0.0, 100.0);
            assert!(places.windows(2).all(|w| w[1] - w[0] >= 20.0 - 1e-6), "{places:?}");
            assert!(places.iter().all(|p| (-1e-6..=100.0 + 1e-6).contains(p)), "{places:?}");
        }
        assert_eq!(spread(&[10.0, 60.0], 20.0, 0.0, 100.0), [10.0, 60.0]);
    }
}
