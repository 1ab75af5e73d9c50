//! Draws one of each picture from synthetic runs into a folder: `cargo run -p swarmgrad-lab --example gallery -- folder`.

use std::f64::consts::TAU;
use std::fs::{File, create_dir_all, write};
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::Instant;
use swarmgrad_lab::plot::{
    Animation, Axis, Chart, Convergence, Frame, Grid, Landscape, Legend, Line, Mark, Shade, Trail, png,
};
use swarmgrad_lab::table::{Table, significant};
use swarmgrad_lab::{History, Report, Result, stats};

/// A small generator, so that the pictures are the same every time.
struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}

fn rastrigin(x: f64, y: f64) -> f64 {
    20.0 + x * x + y * y - 10.0 * ((TAU * x).cos() + (TAU * y).cos())
}

fn rosenbrock(x: f64, y: f64) -> f64 {
    (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
}

/// Consensus-based optimisation of Rastrigin's function: a real swarm, so that the animation shows what one does.
fn swarm(particles: usize, iterations: usize) -> Vec<Frame> {
    let draw = &mut Draw(3);
    let mut x: Vec<[f64; 2]> =
        (0..particles).map(|_| [8.0 * draw.uniform() - 3.6, 8.0 * draw.uniform() - 3.6]).collect();
    let mut frames = Vec::new();
    let mut best = f64::INFINITY;
    for iteration in 0..iterations {
        let values: Vec<f64> = x.iter().map(|p| rastrigin(p[0], p[1])).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        best = best.min(low);
        let weights: Vec<f64> = values.iter().map(|v| (-1.5 * (v - low)).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mean = |i: usize| x.iter().zip(&weights).map(|(p, w)| p[i] * w).sum::<f64>() / total;
        let consensus = [mean(0), mean(1)];
        frames.push(Frame {
            points: x.clone(),
            marker: Some(consensus),
            caption: format!("iteration {iteration}, best {}", significant(best, 2)),
        });
        for p in &mut x {
            for i in 0..2 {
                let gap = p[i] - consensus[i];
                p[i] += -0.06 * gap + 0.24 * gap * draw.normal();
            }
        }
    }
    frames
}

/// Runs that go down by fits and starts.
fn runs(draw: &mut Draw, count: usize, rate: f64, stuck: f64) -> Vec<Vec<(u64, f64)>> {
    (0..count)
        .map(|_| {
            let mut history = History::new(150);
            let (mut value, rate) = (300.0 * (0.5 + draw.uniform()), rate * (0.6 + 0.8 * draw.uniform()));
            let floor = if draw.uniform() < stuck { 0.995 * (1.0 + (3.0 * draw.uniform()).floor()) } else { 0.0 };
            for n in (20..=40_000).step_by(20) {
                history.push(n, floor + value);
                if draw.uniform() < 0.3 {
                    value *= 1.0 - rate * draw.uniform();
                }
            }
            history.finish(40_000)
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "gallery".into()));
    create_dir_all(&folder)?;
    let mut page = Report::new("Gallery");
    page.paragraph("One of each picture, drawn from synthetic runs.");
    let save = |name: &str, svg: &str| -> Result<(), Box<dyn std::error::Error>> {
        let start = Instant::now();
        let bytes = png(svg, 2.0)?;
        println!("{name}: SVG {} kB, PNG {} kB in {:.0?}", svg.len() / 1000, bytes.len() / 1000, start.elapsed());
        write(folder.join(name).with_extension("svg"), svg)?;
        Ok(write(folder.join(name).with_extension("png"), bytes)?)
    };

    let draw = &mut Draw(1);
    let mut convergence = Convergence::new("Rastrigin in ten dimensions")
        .subtitle("Best value so far: median of 25 runs and the band between the quartiles")
        .minimum(0.0)
        .target(1e-8);
    let mut table = Table::new(["method", "median", "interquartile range", "solved"]);
    for (name, rate, stuck) in [
        ("pso", 0.03, 0.3),
        ("mpso", 0.045, 0.2),
        ("cbo", 0.02, 0.1),
        ("pso_sde", 0.06, 0.05),
        ("cma_es", 0.1, 0.6),
        ("lshade", 0.16, 0.0),
    ] {
        let runs = runs(draw, 25, rate, stuck);
        let last: Vec<f64> = runs.iter().filter_map(|r| r.last()).map(|p| p.1).collect();
        let solved = last.iter().filter(|v| **v <= 1e-8).count();
        table.row([
            name.to_owned(),
            significant(stats::median(&last), 3),
            significant(stats::interquartile_range(&last), 3),
            format!("{solved}/25"),
        ]);
        convergence.method(name, runs);
    }
    let chart = convergence.clone().chart()?;
    save("convergence", &chart.svg())?;
    page.heading("Convergence").picture(&chart.svg(), "Best value against evaluations.");
    page.table(&table, "The last values of the runs.");
    let mut chart = convergence.legend(Legend::Right).chart()?;
    chart.title =
        "The same with a list of names beside the frame, and with a title that is so long that it needs two lines"
            .into();
    save("convergence_list", &chart.svg())?;

    let mut chart = Chart::new("Accuracy by epoch", Axis::linear("epoch"), Axis::linear("test accuracy"));
    for (name, rate) in [("Adam", 0.06), ("AdaSwarm", 0.11), ("SGD with momentum", 0.03)] {
        let points = (0..=60).step_by(4).map(|e| (f64::from(e), 0.98 - 0.6 * (-rate * f64::from(e)).exp()));
        chart.line(Line::new(name, points.collect()).dots());
    }
    save("linear", &chart.svg())?;

    let frames = swarm(40, 120);
    let grid = Grid::sample((-5.12, 5.12), (-5.12, 5.12), 200, rastrigin)?;
    let trails: Vec<Trail> = (0..40).map(|i| frames[..9].iter().map(|f| f.points[i]).collect()).collect();
    let picture = Landscape::new("Rastrigin, iteration 8 of cbo", grid)
        .swarm(trails)
        .marker(Mark::Optimum, [0.0, 0.0], "minimum")
        .marker(Mark::Consensus, frames[8].marker.unwrap_or_default(), "consensus");
    save("rastrigin", &picture.svg())?;
    page.heading("Landscapes").picture(&picture.svg(), "Forty particles and their last eight moves.");

    let grid = Grid::sample((-2.0, 2.0), (-1.0, 3.0), 200, rosenbrock)?;
    for (name, shade) in
        [("rosenbrock", Shade::Log), ("rosenbrock_rank", Shade::Rank), ("rosenbrock_linear", Shade::Linear)]
    {
        let picture =
            Landscape::new("Rosenbrock", grid.clone()).shade(shade).marker(Mark::Optimum, [1.0, 1.0], "minimum");
        save(name, &picture.svg())?;
        if shade == Shade::Log {
            page.picture(&picture.svg(), "A curved valley.");
        }
    }

    let grid = Grid::sample((-4.5, 4.5), (-4.5, 4.5), 200, rastrigin)?;
    let ground =
        Landscape::new("cbo on Rastrigin", grid).bar(false).width(480.0).marker(Mark::Optimum, [0.0, 0.0], "minimum");
    let animation = Animation::new(ground, frames);
    let start = Instant::now();
    let mut bytes = Vec::new();
    animation.gif(&mut bytes, |_, _| {})?;
    println!("swarm.gif: {} kB in {:.0?}", bytes.len() / 1000, start.elapsed());
    write(folder.join("swarm.gif"), &bytes)?;
    page.heading("Animation").gif(&bytes, "A swarm agrees.");
    let start = Instant::now();
    animation.svg(BufWriter::new(File::create(folder.join("swarm.svg"))?), |_, _| {})?;
    let svg = std::fs::read_to_string(folder.join("swarm.svg"))?;
    println!("swarm.svg: {} kB in {:.0?}", svg.len() / 1000, start.elapsed());
    write(folder.join("swarm_still.png"), png(&svg, 2.0)?)?;
    page.picture(&svg, "The same as an animated SVG.");
    page.write(folder.join("gallery.html"))?;
    Ok(())
}
