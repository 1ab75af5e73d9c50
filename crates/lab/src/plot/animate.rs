//! A swarm that moves over a landscape: animated GIF and animated SVG.

use super::landscape::{DOT, Landscape, Layout, Mark, dot};
use super::raster::pixmap;
use super::svg::{Anchor, INK, Svg, coordinate, escape};
use crate::error::{Error, Result};
use resvg::tiny_skia::{FillRule, Mask, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

/// One moment: where the particles are, what is marked, what is said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// The particles. One that is not finite is not shown; the number may change from frame to frame.
    pub points: Vec<[f64; 2]>,
    /// The marked point, if there is one.
    pub marker: Option<[f64; 2]>,
    /// The caption, such as `iteration 12, best 1.2e-3`.
    pub caption: String,
}

/// An animation of frames over a landscape. The swarm of the landscape itself is not drawn; its markers are.
#[derive(Debug, Clone, PartialEq)]
pub struct Animation {
    /// The ground.
    pub landscape: Landscape,
    /// The moments, in order.
    pub frames: Vec<Frame>,
    /// What the marker of the frames is, and its name in the legend.
    pub marker: (Mark, String),
    /// How long a frame is shown.
    pub delay: Duration,
    /// How long the last frame is held before the animation starts anew.
    pub hold: Duration,
    /// How many earlier positions a particle's trail joins (in the GIF; the SVG moves smoothly instead).
    pub trail: usize,
}

const CAPTION: f64 = 12.5;
/// Colours that are taken over exactly; the others are found by median cut.
const EXACT: usize = 96;
const COLORS: usize = 255;
/// The palette's entry for "as in the last frame".
const SAME: u8 = 255;

impl Animation {
    /// An animation of 80 ms a frame that holds its last frame for a second and a half; the marker is a consensus.
    pub fn new(landscape: Landscape, frames: Vec<Frame>) -> Self {
        Animation {
            landscape,
            frames,
            marker: (Mark::Consensus, "consensus".into()),
            delay: Duration::from_millis(80),
            hold: Duration::from_millis(1500),
            trail: 5,
        }
    }

    /// With this kind of marker and its name in the legend.
    #[must_use]
    pub fn marker(mut self, mark: Mark, name: impl Into<String>) -> Self {
        self.marker = (mark, name.into());
        self
    }

    /// The legend's entry for the marker of the frames, if any frame has one.
    fn others(&self) -> Vec<(Mark, String)> {
        if self.frames.iter().any(|f| f.marker.is_some()) { vec![self.marker.clone()] } else { Vec::new() }
    }

    fn check(&self) -> Result<()> {
        if self.frames.is_empty() {
            return Err(Error::value("frames", "none", "at least one"));
        }
        if self.delay.is_zero() {
            return Err(Error::value("delay", "0 s", "above 0"));
        }
        Ok(())
    }

    /// Writes an animated GIF that loops for ever. `progress` is called after each frame with the number of frames done and
    /// the number of all.
    pub fn gif(&self, out: impl Write, mut progress: impl FnMut(usize, usize)) -> Result<()> {
        self.check()?;
        let others = self.others();
        let layout = self.landscape.layout(true, &others);
        let mut svg = self.landscape.background(&layout, &others);
        for marker in &self.landscape.markers {
            marker.mark.draw(&mut svg, layout.pixel(marker.at));
        }
        let ground = pixmap(&svg.finish(), 1.0)?;
        let (width, height) = (ground.width(), ground.height());
        let side = |name: &str, v: u32| u16::try_from(v).map_err(|_| Error::value(name, v, "at most 65535 pixels"));
        let (gif_width, gif_height) = (side("width", width)?, side("height", height)?);
        let painter = Painter::new(self, &layout, ground)?;

        // The palette: from the ground and some frames, once.
        let mut counts: HashMap<u32, u32> = HashMap::new();
        let step = self.frames.len().div_ceil(8);
        for i in (0..self.frames.len()).step_by(step) {
            for pixel in colors(&painter.paint(i)?) {
                *counts.entry(pixel).or_default() += 1;
            }
        }
        let mut palette = Palette::new(counts);
        let flat: Vec<u8> = palette.colors.iter().flatten().copied().chain([255; 3 * 256]).take(3 * 256).collect();

        let fail = |e: gif::EncodingError| match e {
            gif::EncodingError::Io(source) => Error::Write { what: "a GIF", source },
            e => Error::picture("a GIF", e),
        };
        let mut encoder = gif::Encoder::new(out, gif_width, gif_height, &flat).map_err(fail)?;
        encoder.set_repeat(gif::Repeat::Infinite).map_err(fail)?;
        let ground: Vec<u32> = colors(&painter.ground).collect();
        let ground_index: Vec<u8> = ground.iter().map(|&c| palette.nearest(c)).collect();
        let mut shown: Option<Vec<u8>> = None;
        let count = self.frames.len();
        for i in 0..count {
            let painted = painter.paint(i)?;
            let now: Vec<u8> = colors(&painted)
                .zip(ground.iter().zip(&ground_index))
                .map(|(c, (&g, &index))| if c == g { index } else { palette.nearest(c) })
                .collect();
            let delay = if i + 1 == count { self.hold.max(self.delay) } else { self.delay };
            let mut frame = changed(shown.as_deref(), &now, width as usize);
            frame.delay = (delay.as_millis() / 10).clamp(2, 65535) as u16;
            encoder.write_frame(&frame).map_err(fail)?;
            shown = Some(now);
            progress(i + 1, count);
        }
        let mut out = encoder.into_inner().map_err(|e| Error::picture("a GIF", e))?;
        out.flush().map_err(|source| Error::Write { what: "a GIF", source })
    }

    /// Writes an animated SVG that loops for ever: self-contained, smooth between frames. Where nothing moves (in print, in a
    /// rasteriser) it shows the last frame.
    pub fn svg(&self, mut out: impl Write, mut progress: impl FnMut(usize, usize)) -> Result<()> {
        self.check()?;
        let others = self.others();
        let layout = self.landscape.layout(true, &others);
        let mut svg = self.landscape.background(&layout, &others);
        let count = self.frames.len();
        // The hold is the last frame, repeated.
        let held = (self.hold.as_secs_f64() / self.delay.as_secs_f64()).round() as usize;
        let steps = count + held.min(10 * count + 100);
        let length = coordinate3(self.delay.as_secs_f64() * steps.max(1) as f64);
        let timing = format!("dur=\"{length}s\" repeatCount=\"indefinite\"");
        let most = self.frames.iter().map(|f| f.points.len()).max().unwrap_or(0);

        svg.raw("<g clip-path=\"url(#box)\">\n");
        for marker in &self.landscape.markers {
            marker.mark.draw(&mut svg, layout.pixel(marker.at));
        }
        for particle in 0..most {
            let track: Vec<(f64, f64)> =
                self.frames.iter().map(|f| f.points.get(particle)).map(|p| seen(&layout, p)).collect();
            let markup = moving(&track, steps, &timing);
            let (x, y) = track[count - 1];
            svg.raw(&format!(
                "<circle {} transform=\"translate({} {})\">{markup}</circle>\n",
                dot(),
                coordinate(x),
                coordinate(y)
            ));
        }
        if !others.is_empty() {
            let track: Vec<(f64, f64)> = self.frames.iter().map(|f| seen(&layout, f.marker.as_ref())).collect();
            let (x, y) = track[count - 1];
            svg.raw(&format!(
                "<g transform=\"translate({} {})\">{}{}</g>\n",
                coordinate(x),
                coordinate(y),
                self.marker.0.markup(),
                moving(&track, steps, &timing)
            ));
        }
        svg.raw("</g>\n");
        // Captions, shown in turn.
        let y = layout.caption.unwrap_or_default();
        for (i, frame) in self.frames.iter().enumerate() {
            if frame.caption.is_empty() {
                progress(i + 1, count);
                continue;
            }
            let from = i as f64 / steps as f64;
            let to = if i + 1 == count { 1.0 } else { (i + 1) as f64 / steps as f64 };
            let (mut values, mut times) = (String::new(), String::new());
            let mut add = |value: &str, time: f64| {
                let parted = if values.is_empty() { "" } else { ";" };
                let _ = write!(values, "{parted}{value}");
                let _ = write!(times, "{parted}{}", if time == 0.0 { "0".to_owned() } else { format!("{time:.5}") });
            };
            if i > 0 {
                add("hidden", 0.0);
            }
            add("visible", from);
            if i + 1 < count {
                add("hidden", to);
            }
            let rest = if i + 1 == count { "visible" } else { "hidden" };
            let animate = format!(
                "<animate attributeName=\"visibility\" calcMode=\"discrete\" values=\"{values}\" keyTimes=\"{times}\" {timing}/>"
            );
            svg.raw(&format!(
                "<text x=\"16\" y=\"{}\" font-size=\"{CAPTION}\" fill=\"{INK}\" visibility=\"{rest}\">{}{}</text>\n",
                coordinate(y),
                escape(&frame.caption),
                if count > 1 { &animate } else { "" }
            ));
            progress(i + 1, count);
        }
        let text = svg.finish();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|source| Error::Write { what: "an animated SVG", source })
    }
}

fn coordinate3(v: f64) -> String {
    format!("{v:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The pixel of a point; one that is missing or not finite is put far outside the frame.
fn seen(layout: &Layout, point: Option<&[f64; 2]>) -> (f64, f64) {
    let (x, y) = point.map_or((f64::NAN, f64::NAN), |&p| layout.pixel(p));
    if x.is_finite() && y.is_finite() { (x, y) } else { (-99.0, -99.0) }
}

/// The animation of a position along a track, the last position held until `steps`.
fn moving(track: &[(f64, f64)], steps: usize, timing: &str) -> String {
    if track.windows(2).all(|w| w[0] == w[1]) {
        return String::new();
    }
    let mut values = String::new();
    for (i, &(x, y)) in track.iter().enumerate() {
        let _ = write!(values, "{}{},{}", if i > 0 { ";" } else { "" }, coordinate(x), coordinate(y));
    }
    let mut times = String::new();
    if steps > track.len() {
        // The hold: the last position twice, the second time at the end.
        let last = values.rsplit(';').next().unwrap_or_default().to_owned();
        values = format!("{values};{last}");
        let at = (0..track.len()).map(|i| coordinate5(i as f64 / steps as f64)).chain(["1".to_owned()]);
        times = format!(" keyTimes=\"{}\"", at.collect::<Vec<_>>().join(";"));
    }
    format!("<animateTransform attributeName=\"transform\" type=\"translate\" values=\"{values}\"{times} {timing}/>")
}

fn coordinate5(v: f64) -> String {
    let text = format!("{v:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.strip_prefix('0').filter(|t| !t.is_empty()).unwrap_or(text).to_owned()
}

/// Draws frames on pixels of the ground.
struct Painter<'a> {
    animation: &'a Animation,
    layout: &'a Layout,
    ground: Pixmap,
    inside: Mask,
    shape: Path,
}

impl<'a> Painter<'a> {
    fn new(animation: &'a Animation, layout: &'a Layout, ground: Pixmap) -> Result<Self> {
        let fail = || Error::picture("a GIF", "the picture has no area");
        let mut inside = Mask::new(ground.width(), ground.height()).ok_or_else(fail)?;
        let [x, y, w, h] = [layout.x0, layout.y0, layout.width, layout.height].map(|v| v as f32);
        let frame = Rect::from_xywh(x, y, w, h).ok_or_else(fail)?;
        inside.fill_path(&PathBuilder::from_rect(frame), FillRule::Winding, true, Transform::identity());
        let mut shape = PathBuilder::new();
        for (i, (x, y)) in animation.marker.0.outline().into_iter().enumerate() {
            if i == 0 { shape.move_to(x as f32, y as f32) } else { shape.line_to(x as f32, y as f32) }
        }
        shape.close();
        let shape = shape.finish().ok_or_else(fail)?;
        Ok(Painter { animation, layout, ground, inside, shape })
    }

    fn paint(&self, frame: usize) -> Result<Pixmap> {
        let mut canvas = self.ground.clone();
        let frames = &self.animation.frames;
        let pixel = |p: &[f64; 2]| Some(self.layout.pixel(*p)).filter(|p| p.0.is_finite() && p.1.is_finite());
        // Trails, under all dots.
        let first = frame.saturating_sub(self.animation.trail);
        let mut trails = PathBuilder::new();
        for particle in 0..frames[frame].points.len() {
            let mut down = false;
            for moment in &frames[first..=frame] {
                match moment.points.get(particle).and_then(pixel) {
                    Some((x, y)) if down => trails.line_to(x as f32, y as f32),
                    Some((x, y)) => trails.move_to(x as f32, y as f32),
                    None => {}
                }
                down = moment.points.get(particle).and_then(pixel).is_some();
            }
        }
        let identity = Transform::identity();
        let stroke = |width: f32| Stroke { width, ..Stroke::default() };
        if first < frame
            && let Some(path) = trails.finish()
        {
            canvas.stroke_path(&path, &paint([255, 255, 255, 140]), &stroke(1.3), identity, Some(&self.inside));
        }
        let mut dots = PathBuilder::new();
        for (x, y) in frames[frame].points.iter().filter_map(pixel) {
            dots.push_circle(x as f32, y as f32, DOT as f32);
        }
        if let Some(path) = dots.finish() {
            canvas.fill_path(&path, &paint([255, 255, 255, 255]), FillRule::Winding, identity, Some(&self.inside));
            canvas.stroke_path(&path, &paint([17, 17, 17, 255]), &stroke(1.1), identity, Some(&self.inside));
        }
        if let Some((x, y)) = frames[frame].marker.as_ref().and_then(pixel) {
            let (fill, outline) = self.animation.marker.0.colors();
            let place = Transform::from_translate(x as f32, y as f32);
            canvas.fill_path(&self.shape, &paint(parse(fill)), FillRule::Winding, place, Some(&self.inside));
            canvas.stroke_path(&self.shape, &paint(parse(outline)), &stroke(1.3), place, Some(&self.inside));
        }
        self.write_caption(&mut canvas, &frames[frame].caption)?;
        Ok(canvas)
    }

    fn write_caption(&self, canvas: &mut Pixmap, caption: &str) -> Result<()> {
        let Some(baseline) = self.layout.caption.filter(|_| !caption.is_empty()) else { return Ok(()) };
        let mut strip = Svg::new(self.layout.total.0, 18.0, "");
        let caption = super::font::shorten(caption, CAPTION, self.layout.total.0 - 32.0);
        strip.text((16.0, 13.0), CAPTION, Anchor::Start, INK, &caption);
        let strip = pixmap(&strip.finish(), 1.0)?;
        let top = (baseline - 13.0).round().max(0.0) as usize;
        let width = 4 * canvas.width() as usize;
        let rows = strip.data().chunks_exact(4 * strip.width() as usize);
        for (row, target) in rows.zip(canvas.data_mut().chunks_exact_mut(width).skip(top)) {
            let n = row.len().min(width);
            target[..n].copy_from_slice(&row[..n]);
        }
        Ok(())
    }
}

fn paint([r, g, b, a]: [u8; 4]) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, a);
    paint
}

fn parse(color: &str) -> [u8; 4] {
    let part = |i: usize| u8::from_str_radix(&color[i..i + 2], 16).expect("a colour #rrggbb");
    [part(1), part(3), part(5), 255]
}

/// The colours of an opaque picture as `0xrrggbb`.
fn colors(picture: &Pixmap) -> impl Iterator<Item = u32> {
    picture.data().chunks_exact(4).map(|p| u32::from(p[0]) << 16 | u32::from(p[1]) << 8 | u32::from(p[2]))
}

/// The rectangle that changed, with what stayed the same in it left transparent.
fn changed(before: Option<&[u8]>, now: &[u8], width: usize) -> gif::Frame<'static> {
    let height = now.len() / width;
    let Some(before) = before else {
        return gif::Frame {
            width: width as u16,
            height: height as u16,
            buffer: now.to_vec().into(),
            ..gif::Frame::default()
        };
    };
    let row = |y: usize| y * width..(y + 1) * width;
    let differs = |y: &usize| before[row(*y)] != now[row(*y)];
    // An unchanged frame still has to be there for its time: one pixel of it.
    let top = (0..height).find(differs).unwrap_or(0);
    let bottom = (0..height).rev().find(differs).unwrap_or(0);
    let (mut left, mut right) = (width, 0);
    for y in top..=bottom {
        let here = before[row(y)].iter().zip(&now[row(y)]);
        let mut different = here.enumerate().filter(|(_, (a, b))| a != b).map(|(x, _)| x);
        if let Some(first) = different.next() {
            left = left.min(first);
            right = right.max(different.next_back().unwrap_or(first));
        }
    }
    let (left, right) = if left > right { (0, 0) } else { (left, right) };
    let mut buffer = Vec::with_capacity((bottom - top + 1) * (right - left + 1));
    for y in top..=bottom {
        let (a, b) = (&before[row(y)][left..=right], &now[row(y)][left..=right]);
        buffer.extend(a.iter().zip(b).map(|(a, b)| if a == b { SAME } else { *b }));
    }
    gif::Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left + 1) as u16,
        height: (bottom - top + 1) as u16,
        transparent: Some(SAME),
        dispose: gif::DisposalMethod::Keep,
        buffer: buffer.into(),
        ..gif::Frame::default()
    }
}

/// At most 255 colours, and which of them is nearest.
struct Palette {
    colors: Vec<[u8; 3]>,
    known: HashMap<u32, u8>,
}

impl Palette {
    /// The most frequent colours exactly, the rest by median cut.
    fn new(counts: HashMap<u32, u32>) -> Self {
        let mut all: Vec<(u32, u32)> = counts.into_iter().collect();
        all.sort_unstable_by_key(|&(color, count)| (std::cmp::Reverse(count), color));
        let exact = if all.len() <= COLORS { all.len() } else { EXACT };
        let mut colors: Vec<[u8; 3]> = all[..exact].iter().map(|c| split(c.0)).collect();
        let mut boxes: Vec<Vec<([u8; 3], u32)>> = vec![all[exact..].iter().map(|c| (split(c.0), c.1)).collect()];
        let widest = |colors: &[([u8; 3], u32)]| {
            let span = |i: usize| {
                let values = colors.iter().map(|c| c.0[i]);
                values.clone().max().unwrap_or(0) - values.min().unwrap_or(0)
            };
            (0..3).map(|i| (span(i), i)).max().unwrap_or((0, 0))
        };
        while colors.len() + boxes.len() < COLORS {
            // Cut the box whose colours are furthest apart, weighed by how many there are.
            let cost = |b: &Vec<([u8; 3], u32)>| u64::from(widest(b).0).pow(2) * (b.len() as u64);
            let Some(at) = (0..boxes.len()).max_by_key(|&i| cost(&boxes[i])).filter(|&i| widest(&boxes[i]).0 > 0)
            else {
                break;
            };
            let mut cut = boxes.swap_remove(at);
            let channel = widest(&cut).1;
            cut.sort_unstable_by_key(|c| (c.0[channel], c.0));
            let high = cut.split_off(cut.len() / 2);
            boxes.extend([cut, high]);
        }
        for part in boxes.iter().filter(|b| !b.is_empty()) {
            let total: u64 = part.iter().map(|c| u64::from(c.1)).sum();
            let mean = |i: usize| part.iter().map(|c| u64::from(c.0[i]) * u64::from(c.1)).sum::<u64>() / total;
            colors.push([mean(0) as u8, mean(1) as u8, mean(2) as u8]);
        }
        let known = all[..exact].iter().enumerate().map(|(i, c)| (c.0, i as u8)).collect();
        Palette { colors, known }
    }

    fn nearest(&mut self, color: u32) -> u8 {
        *self.known.entry(color).or_insert_with(|| {
            let wanted = split(color);
            let distance = |c: &[u8; 3]| (0..3).map(|i| (i32::from(c[i]) - i32::from(wanted[i])).pow(2)).sum::<i32>();
            (0..self.colors.len()).min_by_key(|&i| distance(&self.colors[i])).unwrap_or(0) as u8
        })
    }
}

fn split(color: u32) -> [u8; 3] {
    [(color >> 16) as u8, (color >> 8) as u8, color as u8]
}
