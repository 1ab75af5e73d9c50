//! Pictures: ticks, well-formed SVG, PNGs of the right size, animations that loop.

use proptest::prelude::*;
use resvg::tiny_skia::Pixmap;
use resvg::usvg::roxmltree::Document;
use std::collections::HashSet;
use std::time::Duration;
use swarmgrad_lab::Record;
use swarmgrad_lab::plot::axis::{minor, ticks};
use swarmgrad_lab::plot::color::{DASHES, PALETTE, viridis};
use swarmgrad_lab::plot::font::{shorten, width, wrap};
use swarmgrad_lab::plot::*;

const INF: f64 = f64::INFINITY;

#[track_caller]
fn check_ticks(scale: Scale, ends: (f64, f64), most: usize) {
    let found = ticks(scale, ends, most);
    assert!(found.len() >= 2, "{ends:?}: {found:?}");
    assert!(found.len() <= most.max(2) + 1, "{ends:?} most {most}: {found:?}");
    assert!(found.iter().all(|t| t.value >= ends.0 && t.value <= ends.1), "{ends:?}: {found:?}");
    assert!(found.windows(2).all(|w| w[0].value < w[1].value), "{ends:?}: {found:?}");
    let labels: HashSet<&str> = found.iter().map(|t| t.label.as_str()).collect();
    assert_eq!(labels.len(), found.len(), "{ends:?}: {found:?}");
    assert!(minor(scale, ends).iter().all(|v| *v >= ends.0 && *v <= ends.1));
}

/// The number that a label shows.
fn shown(label: &str) -> f64 {
    let plain: String = label
        .chars()
        .map(|c| match "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|s| s == c) {
            Some(d) => char::from_digit(d as u32, 10).unwrap(),
            None if c == '⁻' || c == '−' => '-',
            None => c,
        })
        .collect();
    match plain
        .split_once("×10")
        .or_else(|| label.contains(['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹']).then(|| ("1", &plain[2..])))
    {
        Some((m, e)) => format!("{m}e{e}").parse().unwrap(),
        None => plain.parse().unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn linear_ticks(a in -1e6..1e6_f64, exponent in -9..9_i32, b in 0.1..10.0_f64, most in 2_usize..12) {
        let ends = (a, a + b * 10_f64.powi(exponent));
        check_ticks(Scale::Linear, ends, most);
        for t in ticks(Scale::Linear, ends, most) {
            if !t.label.contains('e') {
                prop_assert!((shown(&t.label) - t.value).abs() <= 1e-6 * (ends.1 - ends.0) + 1e-15 * t.value.abs(), "{t:?}");
            }
        }
    }

    #[test]
    fn logarithmic_ticks(a in -280.0..200.0_f64, decades in 0.001..80.0_f64, most in 2_usize..12) {
        let ends = (10_f64.powf(a), 10_f64.powf(a + decades));
        check_ticks(Scale::Log, ends, most);
        for t in ticks(Scale::Log, ends, most) {
            if !t.label.contains('e') {
                prop_assert!((shown(&t.label) / t.value - 1.0).abs() < 1e-9, "{t:?}");
            }
        }
    }

    #[test]
    fn ends_are_always_usable(data in prop::collection::vec(any::<f64>(), 0..9), margin in 0.0..0.2_f64) {
        for axis in [Axis::linear(""), Axis::log("")] {
            let ends = axis.ends(data.iter().copied(), margin);
            prop_assert!(ends.0 < ends.1 && ends.0.is_finite() && ends.1.is_finite(), "{ends:?}");
            prop_assert!(axis.scale == Scale::Linear || ends.0 > 0.0);
            prop_assert!(ticks(axis.scale, ends, 6).len() >= 2);
        }
    }

    #[test]
    fn any_chart_is_well_formed(
        points in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20),
        name in ".{0,40}",
        log in any::<bool>(),
        direct in any::<bool>(),
    ) {
        let axis = || if log { Axis::log(name.clone()) } else { Axis::linear(name.clone()) };
        let mut chart = Chart::new(name.clone(), axis(), axis());
        chart.legend = if direct { Legend::Direct } else { Legend::Right };
        let band = points.iter().map(|p| (p.0, p.1, p.1 * 2.0)).collect();
        chart.line(Line::new(name.clone(), points.clone()).band(band).dots()).line(Line::new("b", points)).rule(1.0, name);
        well_formed(&chart.svg());
    }
}

#[test]
fn familiar_ticks() {
    let labels = |scale, ends, most| ticks(scale, ends, most).into_iter().map(|t| t.label).collect::<Vec<_>>();
    assert_eq!(labels(Scale::Linear, (0.0, 1.0), 6), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    assert_eq!(labels(Scale::Linear, (-4.5, 4.5), 7), ["−4", "−2", "0", "2", "4"]);
    assert_eq!(labels(Scale::Linear, (0.0, 2e6), 5), ["0", "5×10⁵", "1×10⁶", "1.5×10⁶", "2×10⁶"]);
    assert_eq!(labels(Scale::Log, (1.0, 1e4), 8), ["1", "10", "100", "1000", "10000"]);
    assert_eq!(
        labels(Scale::Log, (1e-16, 1e2), 10),
        ["10⁻¹⁶", "10⁻¹⁴", "10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "10⁰", "10²"]
    );
    assert_eq!(labels(Scale::Log, (1.5, 60.0), 8), ["2", "5", "10", "20", "50"]);
    // A range at the limit of f64.
    check_ticks(Scale::Linear, (1.0, 1.0 + f64::EPSILON), 5);
}

/// Parses, is finite throughout, and has an id for whatever refers to one.
#[track_caller]
fn well_formed(svg: &str) {
    let document = Document::parse(svg).unwrap();
    let ids: HashSet<&str> = document.descendants().filter_map(|n| n.attribute("id")).collect();
    for node in document.descendants() {
        for a in node.attributes() {
            assert!(!a.value().contains("NaN") && !a.value().contains("inf"), "{}=\"{}\"", a.name(), a.value());
            if let Some(id) = a.value().strip_prefix("url(#").and_then(|v| v.strip_suffix(')')) {
                assert!(ids.contains(id), "{id}");
            }
        }
    }
    assert!(png(svg, 1.0).is_ok());
}

fn size(bytes: &[u8]) -> (u32, u32) {
    let picture = Pixmap::decode_png(bytes).unwrap();
    (picture.width(), picture.height())
}

/// The columns and rows of the dark pixels of a text on white: first and last of each.
fn extent(text: &str) -> [u32; 4] {
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"200\"><rect width=\"200\" height=\"200\" fill=\"#fff\"/>{text}</svg>"
    );
    let picture = Pixmap::decode_png(&png(&svg, 1.0).unwrap()).unwrap();
    let dark = |x: u32, y: u32| picture.pixel(x, y).unwrap().red() < 128;
    let columns: Vec<u32> = (0..200).filter(|&x| (0..200).any(|y| dark(x, y))).collect();
    let rows: Vec<u32> = (0..200).filter(|&y| (0..200).any(|x| dark(x, y))).collect();
    [columns[0], columns[columns.len() - 1], rows[0], rows[rows.len() - 1]]
}

#[test]
fn texts_stand_where_their_anchors_say() {
    let text = |attributes: &str| extent(&format!("<text {attributes} font-size=\"20\">H&lt;mH</text>"));
    // An H is 0.73 of the font size high, the four characters are 3.3 sizes wide.
    let [left, right, top, bottom] = text("x=\"100\" y=\"50\"");
    assert!((100..104).contains(&left) && (160..167).contains(&right), "{left} {right}");
    assert!((34..37).contains(&top) && (48..51).contains(&bottom), "{top} {bottom}");
    let [left, right, ..] = text("x=\"100\" y=\"50\" text-anchor=\"end\"");
    assert!((34..41).contains(&left) && (96..100).contains(&right), "{left} {right}");
    let [left, right, ..] = text("x=\"100\" y=\"50\" text-anchor=\"middle\"");
    assert!((198..202).contains(&(left + right)), "{left} {right}");
    let [left, right, top, bottom] = text("transform=\"translate(50 100) rotate(-90)\" text-anchor=\"middle\"");
    assert!((34..37).contains(&left) && (48..51).contains(&right), "{left} {right}");
    assert!((198..202).contains(&(top + bottom)), "{top} {bottom}");
}

#[test]
fn a_png_has_the_right_size_and_shows_text() {
    let chart = Chart::new("Title", Axis::linear("x"), Axis::linear("y"));
    let bytes = png(&chart.svg(), 1.5).unwrap();
    assert_eq!(size(&bytes), (1080, 660));
    let picture = Pixmap::decode_png(&bytes).unwrap();
    let ink = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
        y.flat_map(|y| x.clone().map(move |x| (x, y)))
            .filter(|&(x, y)| picture.pixel(x, y).unwrap().red() < 128)
            .count()
    };
    assert!(ink(20..120, 25..50) > 100, "the title is there");
    assert_eq!(ink(300..900, 25..50), 0, "and nothing beside it");
    assert!(png("<svg", 1.0).is_err() && png(&chart.svg(), 0.0).is_err() && png(&chart.svg(), f32::NAN).is_err());
}

#[test]
fn the_font_has_what_is_written_with_it() {
    assert!((width("iiii", 10.0) - 11.11).abs() < 0.1, "{}", width("iiii", 10.0));
    assert!((width("WWWW", 10.0) - 39.55).abs() < 0.1, "{}", width("WWWW", 10.0));
    let fallback = width("\u{10ffff}", 10.0);
    assert_eq!(fallback, width("m", 10.0));
    for c in "×⁻⁰¹²³⁴⁵⁶⁷⁸⁹−₁₂…±≤≥αβγσΣ∂∇∞→←".chars() {
        assert_ne!(width(&c.to_string(), 10.0), fallback, "'{c}' is missing");
    }
    assert_eq!(wrap("one two three", 10.0, width("one two", 10.0) + 0.1), ["one two", "three"]);
    let short = shorten("a long name indeed", 10.0, 50.0);
    assert!(short.ends_with('…') && width(&short, 10.0) <= 50.0);
}

#[test]
fn texts_stay_inside_and_the_legend_beside_the_data() {
    let mut chart = Chart::new(
        "A title that goes on and on and needs more than a single line to say what little it has to say to anybody",
        Axis::linear("x").range(0.0, 1e6),
        Axis::log("y").range(1e-12, 1e3),
    );
    for i in 0..9 {
        chart.line(Line::new(
            format!("method number {i} with a very long name that nobody can read at all"),
            vec![(0.0, 1.0), (1e6, 1.0)],
        ));
    }
    for legend in [Legend::Right, Legend::Direct] {
        chart.legend = legend;
        let svg = chart.svg();
        let document = Document::parse(&svg).unwrap();
        let number = |n: &resvg::usvg::roxmltree::Node, a: &str| n.attribute(a).and_then(|v| v.parse::<f64>().ok());
        let root = document.root_element();
        let (w, h) = (number(&root, "width").unwrap(), number(&root, "height").unwrap());
        let frame = document.descendants().find(|n| n.has_tag_name("clipPath")).unwrap().first_element_child().unwrap();
        let right = number(&frame, "x").unwrap() + number(&frame, "width").unwrap();
        let mut boxes: Vec<(f64, f64, f64)> = Vec::new();
        for text in document.descendants().filter(|n| n.has_tag_name("text")) {
            let (Some(x), Some(y)) = (number(&text, "x"), number(&text, "y")) else { continue };
            let said = text.text().unwrap_or_default();
            let wide = width(said, number(&text, "font-size").unwrap());
            let left = match text.attribute("text-anchor") {
                Some("middle") => x - wide / 2.0,
                Some("end") => x - wide,
                _ => x,
            };
            assert!(left >= 0.0 && left + wide <= w && y > 8.0 && y < h, "'{said}' is cut: {left} + {wide} in {w}");
            if said.starts_with("method") {
                assert!(left > right, "the legend covers data");
            }
            assert!(
                boxes.iter().all(|b| (b.2 - y).abs() > 9.0 || b.1 < left || b.0 > left + wide),
                "'{said}' covers another text"
            );
            boxes.push((left, left + wide, y));
        }
        assert_eq!(
            document
                .descendants()
                .filter(|n| n.text().is_some_and(|t| t.starts_with("method")))
                .filter(|n| n.is_element())
                .count(),
            9
        );
    }
}

#[test]
fn lines_differ_in_colour_or_dash() {
    let looks: HashSet<(&str, &str)> =
        (0..40).map(|i| (PALETTE[i % PALETTE.len()], DASHES[i % DASHES.len()])).collect();
    assert_eq!(looks.len(), 40);
    assert_eq!(viridis(0.0), [68, 1, 84]);
    assert_eq!(viridis(1.0), [253, 231, 37]);
    assert_eq!(viridis(f64::NAN), viridis(0.0));
    let light = |t: f64| viridis(t).iter().zip([0.2126, 0.7152, 0.0722]).map(|(c, w)| f64::from(*c) * w).sum::<f64>();
    assert!((1..=100).all(|i| light(f64::from(i) / 100.0) >= light(f64::from(i - 1) / 100.0)));
}

#[test]
fn convergence_is_the_median_between_the_quartiles() {
    let mut c = Convergence::new("c").minimum(1.0);
    c.method(
        "a",
        (1..=5).map(|i| vec![(1, 1.0 + 100.0 * f64::from(i)), (50, 1.0 + f64::from(i)), (100, 1.0)]).collect(),
    );
    let line = &c.chart().unwrap().lines[0];
    let at = |n: f64| {
        let i = line.points.iter().position(|p| p.0 >= n).unwrap();
        (line.points[i].1, line.band[i].1, line.band[i].2)
    };
    assert_eq!(at(1.0), (300.0, 200.0, 400.0));
    assert_eq!(at(49.0), (300.0, 200.0, 400.0));
    assert_eq!(at(50.0), (3.0, 2.0, 4.0));
    assert_eq!(at(100.0), (1e-16, 1e-16, 1e-16), "the floor");
    assert!(c.chart().unwrap().y.label.contains("1e-16"));
}

#[test]
fn convergence_survives_failures_and_odd_curves() {
    let mut c = Convergence::new("c").minimum(0.0);
    c.method("half fail", vec![vec![(1, INF), (10, 3.0)], vec![(5, f64::NAN)], vec![(2, 1.0), (20, 1e-300)]]);
    c.method("all fail", vec![vec![(1, INF), (100, INF)]; 3]).method("none", vec![]).method("empty", vec![vec![]]);
    for scale in [Scale::Linear, Scale::Log] {
        well_formed(&c.clone().evaluations(scale).target(0.1).chart().unwrap().svg());
    }
    let negative = {
        let mut c = Convergence::new("c");
        c.method("a", vec![vec![(1, 5.0), (9, -5.0)]]);
        c.chart().unwrap()
    };
    assert_eq!(negative.y.scale, Scale::Linear, "without a known minimum negative values need a linear axis");
    well_formed(&negative.svg());
    assert!(c.clone().floor(0.0).chart().is_err() && c.minimum(INF).chart().is_err());
}

#[test]
fn a_target_that_nobody_reached_does_not_stretch_the_axis() {
    let chart = |target: f64| {
        let mut c = Convergence::new("c").subtitle("two runs").minimum(0.0).target(target);
        c.method("a", vec![vec![(1, 100.0), (50, 2.0)], vec![(1, 90.0), (60, 3.0)]]);
        c.chart().unwrap()
    };
    let (missed, reached) = (chart(1e-8), chart(2.5));
    assert!(missed.rules.is_empty() && !missed.svg().contains("10⁻⁸"));
    assert_eq!(missed.subtitle, "two runs; target: minimum + 1e-8, which no run reached");
    assert_eq!((reached.rules.len(), reached.rules[0].y, &*reached.subtitle), (1, 2.5, "two runs"));
}

#[test]
fn convergence_groups_records() {
    let record = |method: &str, fun: f64| Record {
        method: method.into(),
        fun,
        nfev: 100,
        curve: vec![(1, 8.0), (10, fun)],
        ..Record::default()
    };
    let records = [record("b", 1.0), record("a", 4.0), record("b", 3.0)];
    let mut c = Convergence::new("c");
    c.records(&records);
    let chart = c.chart().unwrap();
    assert_eq!(chart.lines.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(chart.lines[0].points.last(), Some(&(100.0, 2.0)));
    assert!(chart.lines[1].band.is_empty(), "one run has no quartiles");
}

fn bowl() -> Landscape {
    let grid = Grid::sample((-2.0, 2.0), (-1.0, 1.0), 60, |x, y| x * x + y * y).unwrap();
    Landscape::new("A bowl & more", grid).marker(Mark::Optimum, [0.0, 0.0], "minimum")
}

#[test]
fn landscapes_are_well_formed() {
    for shade in [Shade::Rank, Shade::Log, Shade::Linear] {
        let swarm = vec![vec![[0.0, 0.5], [1.0, f64::NAN], [1.0, 0.2]], vec![[9e99, 0.0]], vec![]];
        let picture = bowl().shade(shade).swarm(swarm).marker(Mark::Best, [INF, 0.0], "nowhere");
        well_formed(&picture.svg());
    }
    // Constant, huge and infinite values.
    for f in
        [|_: f64, _: f64| 1.0, |x: f64, _| 1e300 * x, |x: f64, _| 1.0 / (x - x.floor()), |x: f64, _| (x * 300.0).exp()]
    {
        for shade in [Shade::Rank, Shade::Log, Shade::Linear] {
            let grid = Grid::sample((0.0, 3.0), (0.0, 1.0), 20, f).unwrap();
            well_formed(&Landscape::new("", grid).shade(shade).width(10.0).svg());
        }
    }
}

#[test]
fn a_landscape_is_dark_where_it_is_low() {
    let mut picture = bowl();
    picture.markers.clear();
    let map = Pixmap::decode_png(&png(&picture.svg(), 1.0).unwrap()).unwrap();
    let svg = picture.svg();
    let document = Document::parse(&svg).unwrap();
    let frame = document.descendants().find(|n| n.has_tag_name("clipPath")).unwrap().first_element_child().unwrap();
    let [x, y, w, h] = ["x", "y", "width", "height"].map(|a| frame.attribute(a).unwrap().parse::<f64>().unwrap());
    let at = |u: f64, v: f64| {
        let p = map.pixel((x + u * w) as u32, (y + v * h) as u32).unwrap();
        [p.red(), p.green(), p.blue()]
    };
    assert_eq!(at(0.5, 0.5), viridis(0.0));
    for (u, v) in [(0.02, 0.02), (0.98, 0.02), (0.02, 0.98), (0.98, 0.98)] {
        assert_eq!(at(u, v), viridis(1.0));
    }
    assert!(h / w > 0.49 && h / w < 0.51, "both axes have the same unit");
}

#[test]
fn up_is_up_for_the_ground_and_for_what_stands_on_it() {
    let grid = Grid::sample((0.0, 1.0), (0.0, 1.0), 50, |x, y| x + 2.0 * y).unwrap();
    let picture = Landscape::new("", grid).bar(false).marker(Mark::Consensus, [0.25, 0.75], "");
    let svg = picture.svg();
    let map = Pixmap::decode_png(&png(&svg, 1.0).unwrap()).unwrap();
    let document = Document::parse(&svg).unwrap();
    let frame = document.descendants().find(|n| n.has_tag_name("clipPath")).unwrap().first_element_child().unwrap();
    let [x, y, w, h] = ["x", "y", "width", "height"].map(|a| frame.attribute(a).unwrap().parse::<f64>().unwrap());
    let at = |u: f64, v: f64| {
        let p = map.pixel((x + u * w) as u32, (y + (1.0 - v) * h) as u32).unwrap();
        [p.red(), p.green(), p.blue()]
    };
    assert_eq!(at(0.01, 0.01), viridis(0.0));
    assert_eq!(at(0.99, 0.99), viridis(1.0));
    assert!(at(0.01, 0.99)[1] > at(0.99, 0.01)[1], "y weighs more than x");
    assert_eq!(at(0.25, 0.75), [0xd5, 0x5e, 0x00]);
}

fn frames(n: usize) -> Vec<Frame> {
    let at = |i: usize, k: usize| {
        let (radius, turn) = (1.0 - i as f64 / n as f64, k as f64 + 0.2 * i as f64);
        [1.8 * radius * turn.cos(), 0.9 * radius * turn.sin()]
    };
    (0..n)
        .map(|i| Frame {
            points: (0..30 - i % 3).map(|k| at(i, k)).chain([[f64::NAN, 0.0], [77.0, 0.0]]).collect(),
            marker: (i != 3).then(|| at(i, 0)),
            caption: format!("iteration {i}, best < {}", n - i),
        })
        .collect()
}

/// Every frame of a GIF as a whole picture.
fn decode(bytes: &[u8]) -> (gif::Repeat, Vec<Vec<u8>>, Vec<u16>) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).unwrap();
    let (w, h) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let (mut canvas, mut pictures, mut delays) = (vec![0; w * h * 4], Vec::new(), Vec::new());
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        for y in 0..usize::from(frame.height) {
            for x in 0..usize::from(frame.width) {
                let from = &frame.buffer[4 * (y * usize::from(frame.width) + x)..][..4];
                let to = 4 * ((y + usize::from(frame.top)) * w + x + usize::from(frame.left));
                if from[3] > 0 {
                    canvas[to..to + 4].copy_from_slice(from);
                }
            }
        }
        pictures.push(canvas.clone());
        delays.push(frame.delay);
    }
    (decoder.repeat(), pictures, delays)
}

#[test]
fn a_gif_has_its_frames_loops_and_looks_like_the_svg() {
    let n = 12;
    let animation = Animation { trail: 0, ..Animation::new(bowl().bar(false).width(300.0), frames(n)) };
    let (mut bytes, mut done) = (Vec::new(), Vec::new());
    animation.gif(&mut bytes, |i, all| done.push((i, all))).unwrap();
    assert_eq!(done, (1..=n).map(|i| (i, n)).collect::<Vec<_>>());
    let (repeat, pictures, delays) = decode(&bytes);
    assert_eq!(repeat, gif::Repeat::Infinite);
    assert_eq!(pictures.len(), n);
    assert_eq!((delays[0], delays[n - 1]), (8, 150));
    assert!(pictures.windows(2).all(|w| w[0] != w[1]));
    // The still of the animated SVG is the last frame: the same picture by another way. The far particle is clipped.
    let mut svg = Vec::new();
    animation.svg(&mut svg, |_, _| {}).unwrap();
    let still = Pixmap::decode_png(&png(std::str::from_utf8(&svg).unwrap(), 1.0).unwrap()).unwrap();
    assert_eq!(still.data().len(), pictures[n - 1].len());
    let off = |picture: &[u8]| {
        let far = picture.iter().zip(still.data()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
        far / picture.len() as f64
    };
    assert!(off(&pictures[n - 1]) < 1.0, "{}", off(&pictures[n - 1]));
    assert!(off(&pictures[0]) > 2.0 * off(&pictures[n - 1]), "another frame is further off");
}

#[test]
fn a_gif_of_frames_that_stand_still_keeps_them() {
    let frame = frames(1).remove(0);
    let animation = Animation::new(bowl().width(240.0), vec![frame; 5]);
    let mut bytes = Vec::new();
    animation.gif(&mut bytes, |_, _| {}).unwrap();
    let (_, pictures, _) = decode(&bytes);
    assert_eq!(pictures.len(), 5);
    assert!(pictures.iter().all(|p| *p == pictures[0]));
}

#[test]
fn an_animated_svg_moves_and_loops() {
    let n = 10;
    let animation = Animation::new(bowl(), frames(n));
    let mut bytes = Vec::new();
    animation.svg(&mut bytes, |_, _| {}).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    well_formed(&text);
    let document = Document::parse(&text).unwrap();
    let moves: Vec<_> = document.descendants().filter(|n| n.has_tag_name("animateTransform")).collect();
    // Thirty particles, the marker; the one that is NaN and the one far away take the places of those that come and go.
    assert!(moves.len() > 30, "{}", moves.len());
    for node in document.descendants().filter(|n| n.tag_name().name().starts_with("animate")) {
        assert_eq!(node.attribute("repeatCount"), Some("indefinite"));
        assert_eq!(node.attribute("dur"), Some("2.32s"), "10 frames of 80 ms and 19 more of the last");
        let values = node.attribute("values").unwrap().split(';').count();
        let times: Vec<f64> = node.attribute("keyTimes").unwrap().split(';').map(|t| t.parse().unwrap()).collect();
        assert_eq!(values, times.len());
        assert_eq!(times[0], 0.0);
        assert!(times.windows(2).all(|w| w[0] <= w[1]) && times.iter().all(|t| *t <= 1.0));
        if node.has_tag_name("animateTransform") {
            assert_eq!(times.last(), Some(&1.0), "linear times end at one");
        }
    }
    assert_eq!(document.descendants().filter(|n| n.attribute("visibility") == Some("visible")).count(), 1);
    // One frame does not move.
    let mut bytes = Vec::new();
    Animation::new(bowl(), frames(1)).svg(&mut bytes, |_, _| {}).unwrap();
    assert!(!String::from_utf8(bytes).unwrap().contains("<animate"));
}

#[test]
fn animations_need_frames_and_time_and_report_writing_errors() {
    let none = Animation::new(bowl(), vec![]);
    assert_eq!(none.gif(Vec::new(), |_, _| {}).unwrap_err().to_string(), "frames = none: at least one");
    let still = Animation { delay: Duration::ZERO, ..Animation::new(bowl(), frames(2)) };
    assert!(still.svg(Vec::new(), |_, _| {}).unwrap_err().to_string().starts_with("delay = 0 s"));
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let two = Animation::new(bowl(), frames(2));
    assert_eq!(two.gif(Full, |_, _| {}).unwrap_err().to_string(), "cannot write a GIF: disk full");
    assert_eq!(two.svg(Full, |_, _| {}).unwrap_err().to_string(), "cannot write an animated SVG: disk full");
}
