//! How far each source of gradients reaches: errors against what it estimates and against the true gradient, from 1 to 50 variables.
//!
//! Envelopes are computed without samples. f is a sum of terms u(x_j) and v(x_j, x_(j+1)), so that the mean of the tilted Gaussian,
//! which makes the consensus, follows from sums over a grid passed along the coordinates; the proximal point is found by a scan of
//! each coordinate where f is separable, and by descent with the formula of the gradient where it is not (there 1 / tau exceeds every
//! negative curvature).

use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::stats::{mean, median, standard_deviation};
use crate::table::{Table, significant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarmgrad::algorithms::gradient::cloud::{Consensus, ConsensusParams};
use swarmgrad::algorithms::gradient::source;
use swarmgrad::{Function, GradientSource, Problem, Rng, Sampled, Space};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/gradient-range",
    summary: "errors of all sources of gradients, 1 to 50 variables, with their cost and their warnings",
    preset: Preset::Sound,
    run,
};

const DIMS: [usize; 6] = [1, 2, 5, 10, 20, 50];
/// Points at which gradients are compared, uniform in \[-2, 2\].
const POINTS: usize = 10;
/// The deviation of the consensus' cloud, its default.
const SIGMA: f64 = 0.1;

/// A function as a sum over coordinates and over neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
enum Shape {
    Quadratic,
    Absolute,
    Rosenbrock,
    Rastrigin,
}

const SHAPES: [(Shape, &str); 4] = [
    (Shape::Quadratic, "quadratic, sum a_j x_j^2 / 2 with a_j from 1 to 10"),
    (Shape::Absolute, "absolute values, sum |x_j|"),
    (Shape::Rosenbrock, "Rosenbrock"),
    (Shape::Rastrigin, "Rastrigin"),
];

impl Shape {
    /// u(x_j).
    fn alone(self, j: usize, dim: usize, x: f64) -> f64 {
        match self {
            Shape::Quadratic => 0.5 * (1.0 + 9.0 * j as f64 / (dim.max(2) - 1) as f64) * x * x,
            Shape::Absolute => x.abs(),
            Shape::Rosenbrock => 0.0,
            Shape::Rastrigin => x * x + 10.0 - 10.0 * (std::f64::consts::TAU * x).cos(),
        }
    }

    /// v(x_j, x_(j+1)).
    fn together(self, x: f64, next: f64) -> f64 {
        match self {
            Shape::Rosenbrock => 100.0 * (next - x * x).powi(2) + (1.0 - x).powi(2),
            _ => 0.0,
        }
    }

    fn value(self, x: &[f64]) -> f64 {
        let alone: f64 = x.iter().enumerate().map(|(j, t)| self.alone(j, x.len(), *t)).sum();
        alone + x.windows(2).map(|pair| self.together(pair[0], pair[1])).sum::<f64>()
    }

    fn gradient(self, x: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = x
            .iter()
            .enumerate()
            .map(|(j, t)| match self {
                Shape::Quadratic => (1.0 + 9.0 * j as f64 / (x.len().max(2) - 1) as f64) * t,
                Shape::Absolute => t.signum(),
                Shape::Rosenbrock => 0.0,
                Shape::Rastrigin => 2.0 * t + 10.0 * std::f64::consts::TAU * (std::f64::consts::TAU * t).sin(),
            })
            .collect();
        if self == Shape::Rosenbrock {
            for j in 1..x.len() {
                let rise = x[j] - x[j - 1] * x[j - 1];
                out[j - 1] -= 400.0 * x[j - 1] * rise + 2.0 * (1.0 - x[j - 1]);
                out[j] += 200.0 * rise;
            }
        }
        out
    }

    /// The width of the proximity: that of the default where f is convex, and so small that the minimiser is unique where it is not.
    fn tau(self) -> f64 {
        if matches!(self, Shape::Quadratic | Shape::Absolute) { 1.0 } else { 1e-3 }
    }

    /// The gradient of min_z f(z) + |z - w|^2 / (2 tau).
    fn moreau(self, w: &[f64]) -> Vec<f64> {
        let tau = self.tau();
        let mut z: Vec<f64> = w.to_vec();
        if self == Shape::Rosenbrock {
            // The inverse of the steepest curvature: 1 / tau, and 1200 x^2 + 400 |x| + 202 for |x| <= 2.2.
            let step = 1.0 / (1.0 / tau + 7000.0);
            for _ in 0..20_000 {
                let slope = self.gradient(&z);
                z.iter_mut().zip(w).zip(slope).for_each(|((z, w), s)| *z -= step * (s + (*z - w) / tau));
            }
        } else {
            z.iter_mut().enumerate().for_each(|(j, z)| *z = self.nearest(j, w.len(), *z, tau));
        }
        w.iter().zip(z).map(|(w, z)| (w - z) / tau).collect()
    }

    /// The proximal point of one coordinate: the best of a grid, then of ever finer ones about it.
    fn nearest(self, j: usize, dim: usize, w: f64, tau: f64) -> f64 {
        let cost = |z: f64| self.alone(j, dim, z) + (z - w) * (z - w) / (2.0 * tau);
        let (mut centre, mut reach) = (w, 3.0_f64.min(100.0 * tau));
        for _ in 0..14 {
            let grid = (-200..=200).map(|k| centre + reach * f64::from(k) / 200.0);
            centre = grid.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(centre);
            reach *= 0.05;
        }
        centre
    }

    /// The gradient of -(1 / alpha) log E e^{-alpha f(w + sigma xi)}: (w - E x) / (alpha sigma^2) with the mean of x under the density
    /// e^{-alpha f(x)} N(x; w, sigma^2). Messages pass along the coordinates, forward and backward, on a grid for each.
    fn envelope(self, w: &[f64], alpha: f64) -> Vec<f64> {
        let dim = w.len();
        let slope = self.gradient(w);
        let grid = |j: usize| -> Vec<f64> {
            let tilted = w[j] - alpha * SIGMA * SIGMA * slope[j];
            let (low, high) = (w[j].min(tilted) - 6.0 * SIGMA, w[j].max(tilted) + 6.0 * SIGMA);
            let steps = ((high - low) / (SIGMA / 16.0)).ceil() as usize;
            (0..=steps).map(|k| low + (high - low) * k as f64 / steps as f64).collect()
        };
        let grids: Vec<Vec<f64>> = (0..dim).map(grid).collect();
        // Logarithms of the densities of single coordinates, and of what is known of the coordinates before or behind.
        let own = |j: usize, x: f64| -0.5 * ((x - w[j]) / SIGMA).powi(2) - alpha * self.alone(j, dim, x);
        let pass = |order: &[usize], pair: &dyn Fn(f64, f64) -> f64| -> Vec<Vec<f64>> {
            let mut messages: Vec<Vec<f64>> = grids.iter().map(|grid| vec![0.0; grid.len()]).collect();
            if self != Shape::Rosenbrock {
                return messages;
            }
            for step in order.windows(2) {
                let (from, to) = (step[0], step[1]);
                let weights: Vec<f64> =
                    grids[from].iter().zip(&messages[from]).map(|(&x, m)| own(from, x) + m).collect();
                let told = grids[to].iter().map(|&y| {
                    let each = grids[from].iter().zip(&weights).map(|(&x, weight)| weight - alpha * pair(x, y));
                    log_of_sum(&each.collect::<Vec<_>>())
                });
                messages[to] = told.collect();
            }
            messages
        };
        let forward: Vec<usize> = (0..dim).collect();
        let backward: Vec<usize> = (0..dim).rev().collect();
        let before = pass(&forward, &|x, y| self.together(x, y));
        let behind = pass(&backward, &|x, y| self.together(y, x));
        let mean_of = |j: usize| {
            let logs: Vec<f64> =
                (0..grids[j].len()).map(|k| own(j, grids[j][k]) + before[j][k] + behind[j][k]).collect();
            let total = log_of_sum(&logs);
            logs.iter().zip(&grids[j]).map(|(log, x)| (log - total).exp() * x).sum::<f64>()
        };
        (0..dim).map(|j| (w[j] - mean_of(j)) / (alpha * SIGMA * SIGMA)).collect()
    }
}

fn log_of_sum(logs: &[f64]) -> f64 {
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    highest + logs.iter().map(|log| (log - highest).exp()).sum::<f64>().ln()
}

/// What a source estimates.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    /// The function's own gradient.
    Gradient,
    Moreau,
    Smoothed,
}

/// A row of the tables: what it is called, the source, its settings, what it estimates.
struct Row {
    title: &'static str,
    source: &'static str,
    settings: &'static str,
    target: Target,
}

const fn row(title: &'static str, source: &'static str, settings: &'static str, target: Target) -> Row {
    Row { title, source, settings, target }
}

/// The zero vector, which costs nothing, and every source; where it says more than a name, at settings that spend as much as a swarm.
const ROWS: [Row; 11] = [
    row("zero vector", "", "{}", Target::Gradient),
    row("differences, forward", "differences", r#"{"sides": "forward"}"#, Target::Gradient),
    row("differences, central", "differences", "{}", Target::Gradient),
    row("least_squares", "least_squares", "{}", Target::Gradient),
    row(CONSENSUS, CONSENSUS, "{}", Target::Smoothed),
    row("proximal", "proximal", "{}", Target::Moreau),
    row("equivalence", "equivalence", "{}", Target::Gradient),
    row("evolution_strategies", "evolution_strategies", "{}", Target::Gradient),
    row("evolution_strategies, 100 pairs", "evolution_strategies", r#"{"pairs": 100}"#, Target::Gradient),
    row("spsa", "spsa", "{}", Target::Gradient),
    row("spsa, 100 pairs", "spsa", r#"{"pairs": 100}"#, Target::Gradient),
];
const CONSENSUS: &str = "consensus";

#[derive(Serialize)]
struct Unit {
    shape: Shape,
    title: &'static str,
    dim: usize,
    seed: u64,
}

/// One gradient.
#[derive(Serialize, Deserialize)]
struct Compared {
    /// |gradient - target| / |target|.
    own: f64,
    /// |gradient - true| / |true|.
    true_gradient: f64,
    /// The standard error that the source tells, over |target|.
    told: f64,
    effective: f64,
    warned: bool,
    evaluations: u64,
}

fn compare(unit: &Unit) -> Result<Vec<Compared>> {
    let (shape, dim) = (unit.shape, unit.dim);
    let row = ROWS.iter().find(|row| row.title == unit.title).unwrap_or(&ROWS[0]);
    let f = Function::new(Space::cube(dim, -5.0, 5.0)?, move |x: &[f64]| shape.value(x));
    let points = Rng::new(41).fork("points");
    (0..POINTS)
        .map(|i| {
            let mut w = vec![0.0; dim];
            points.row(i).fill_uniform(&mut w);
            w.iter_mut().for_each(|t| *t = 4.0 * *t - 2.0);
            let mut ours = vec![0.0; dim];
            let (sampled, alpha) = estimate(row, shape, &f, &w, &mut ours, &Rng::new(unit.seed).at(i as u64))?;
            let gradient = shape.gradient(&w);
            let target = match row.target {
                Target::Gradient => gradient.clone(),
                Target::Moreau => shape.moreau(&w),
                Target::Smoothed => shape.envelope(&w, alpha),
            };
            let length = |v: &[f64]| v.iter().map(|t| t * t).sum::<f64>().sqrt();
            let gap = |to: &[f64]| length(&ours.iter().zip(to).map(|(a, b)| a - b).collect::<Vec<_>>()) / length(to);
            let told = sampled.and_then(|sampled| sampled.reliability);
            Ok(Compared {
                own: gap(&target),
                true_gradient: gap(&gradient),
                told: told.map_or(0.0, |told| told.standard_error.min(1e99) / length(&target)),
                effective: told.map_or(0.0, |told| told.effective_samples),
                warned: told.is_some_and(|told| told.collapse.is_some()),
                evaluations: sampled.map_or(0, |sampled| sampled.evaluations),
            })
        })
        .collect()
}

/// The gradient of a row's source, and the alpha of a consensus.
fn estimate(
    row: &Row,
    shape: Shape,
    f: &dyn Problem,
    w: &[f64],
    out: &mut [f64],
    rng: &Rng,
) -> Result<(Option<Sampled>, f64)> {
    match row.source {
        "" => Ok((None, f64::NAN)),
        CONSENSUS => {
            let mut consensus = Consensus::new(f, ConsensusParams::default())?;
            let sampled = consensus.gradient(w, out, rng);
            Ok((Some(sampled), consensus.alpha()))
        }
        name => {
            let mut settings = serde_json::from_str::<Value>(row.settings).unwrap_or_default();
            if row.target == Target::Moreau {
                settings["tau"] = json!(shape.tau());
            }
            let settings = settings.as_object().cloned().unwrap_or_default();
            Ok((Some(source(name)?.build(f, &settings)?.gradient(w, out, rng)), f64::NAN))
        }
    }
}

/// Mean and standard error of a figure: the seeds of a point are one observation, for they share its difficulty.
fn summary(runs: &[&Compared], seeds: usize, figure: impl Fn(&Compared) -> f64) -> (f64, f64) {
    let points: Vec<f64> = (0..POINTS)
        .map(|i| mean(&(0..seeds).map(|seed| figure(runs[seed * POINTS + i])).collect::<Vec<_>>()))
        .collect();
    (mean(&points), standard_deviation(&points) / (POINTS as f64).sqrt())
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let seeds = session.seeds(3, 1) as usize;
    let dims = if session.quick() { &DIMS[..4] } else { &DIMS[..] };
    let mut units = Vec::new();
    for (shape, _) in SHAPES {
        for row in &ROWS {
            for &dim in dims.iter().filter(|&&dim| shape != Shape::Rosenbrock || dim > 1) {
                units.extend((0..seeds as u64).map(|seed| Unit { shape, title: row.title, dim, seed }));
            }
        }
    }
    let found = session.units("gradients", &units, compare)?;
    let of = |shape: Shape, title: &str, dim: usize| -> Vec<&Compared> {
        let wanted = |unit: &Unit| (unit.shape, unit.title, unit.dim) == (shape, title, dim);
        units.iter().zip(&found).filter(|(unit, _)| wanted(unit)).flat_map(|(_, found)| found).collect()
    };

    let mut findings = Findings::new("How far each source of gradients reaches");
    findings.protocol(format!(
        "{POINTS} points uniform in [-2, 2]^d, {seeds} seed{}, each source at its defaults (or what its name says) on [-5, 5]^d. The error is          |gradient - target| / |target|, the target being what the source estimates: the Moreau envelope with tau = 1 (.001 on Rosenbrock and          Rastrigin) for proximal, the smoothed envelope with sigma = {SIGMA} and the alpha that was used for consensus, both computed          without samples, and the function's gradient for all others. Means and standard errors; the seeds of a point are one          observation.",
        if seeds == 1 { "" } else { "s" }
    ));
    let header = || Table::new(["source".to_owned()].into_iter().chain(dims.iter().map(|dim| format!("d = {dim}"))));
    let cell = |(mean, error): (f64, f64)| format!("{} ± {}", significant(mean, 2), significant(error, 1));
    for (own, what) in [(true, "what the source estimates"), (false, "the function's own gradient")] {
        for (shape, title) in SHAPES {
            let mut table = header();
            for row in ROWS.iter().filter(|row| own || row.target != Target::Gradient) {
                let mut cells = vec![row.title.to_owned()];
                for &dim in dims {
                    let runs = of(shape, row.title, dim);
                    let figure = |c: &Compared| if own { c.own } else { c.true_gradient };
                    cells.push(if runs.is_empty() { "-".into() } else { cell(summary(&runs, seeds, figure)) });
                }
                table.row(cells);
            }
            findings.table(table, format!("Relative error against {what}: {title}."));
        }
    }
    let mut costs = header();
    for row in &ROWS {
        let cost = |dim: &usize| of(Shape::Quadratic, row.title, *dim)[0].evaluations.to_string();
        costs.row([row.title.to_owned()].into_iter().chain(dims.iter().map(cost)));
    }
    findings.table(costs, "Evaluations a gradient.");

    // What the sources say of themselves.
    let mut told = Table::new([
        "source",
        "gradients",
        "told / true error",
        "off by over .5",
        "of those warned",
        "off by at most .1",
        "of those warned",
    ]);
    let (mut missed, mut bad) = (0, 0);
    for row in &ROWS[1..] {
        let all: Vec<&Compared> =
            SHAPES.iter().flat_map(|(shape, _)| dims.iter().flat_map(|&dim| of(*shape, row.title, dim))).collect();
        let ratios: Vec<f64> = all.iter().filter(|c| c.own > 1e-9).map(|c| c.told / c.own).collect();
        let count = |among: &dyn Fn(&Compared) -> bool| {
            let chosen: Vec<_> = all.iter().filter(|c| among(c)).collect();
            (chosen.len(), chosen.iter().filter(|c| c.warned).count())
        };
        let (off, off_warned) = count(&|c| c.own > 0.5);
        let (near, near_warned) = count(&|c| c.own <= 0.1);
        (bad, missed) = (bad + off, missed + off - off_warned);
        told.row([
            row.title.to_owned(),
            all.len().to_string(),
            if ratios.is_empty() { "-".into() } else { significant(median(&ratios), 2) },
            off.to_string(),
            off_warned.to_string(),
            near.to_string(),
            near_warned.to_string(),
        ]);
    }
    findings.table(
        told,
        "What the sources tell of themselves, over all functions and dimensions: the median of the standard error told over the true          error, and how many gradients carry a warning. Differences and least squares of 2 d points tell their rounding only: what the step \
         leaves out no value shows.",
    );

    let worst = |title: &str, shapes: &[Shape], least: usize| -> f64 {
        let cells = shapes.iter().flat_map(|shape| {
            dims.iter().filter(|dim| (least..=20).contains(dim)).map(|&dim| of(*shape, title, dim)).collect::<Vec<_>>()
        });
        cells.filter(|runs| !runs.is_empty()).map(|runs| summary(&runs, seeds, |c| c.own).0).fold(0.0, f64::max)
    };
    let all = SHAPES.map(|(shape, _)| shape);
    for (title, name) in [(CONSENSUS, "smoothed"), ("proximal", "Moreau")] {
        let (several, one) = (worst(title, &all, 2), SHAPES.map(|(shape, _)| of(shape, title, 1)));
        let one = one.iter().filter(|runs| !runs.is_empty()).map(|runs| summary(runs, seeds, |c| c.own).0);
        let (low, high) = one.fold((f64::INFINITY, 0.0), |(low, high), error| (error.min(low), error.max(high)));
        let convex = worst(title, &[Shape::Quadratic, Shape::Absolute], 2);
        findings.claim(
            format!("`{title}` is the gradient of the {name} envelope, in 2 to 20 variables"),
            "exact for infinitely many samples; no finite figure",
            format!(
                "largest mean error in 2 to 20 variables: {} on convex functions, {} on all four",
                significant(convex, 2),
                significant(several, 2)
            ),
            if several <= 0.1 {
                Verdict::Holds
            } else if convex <= 0.1 {
                Verdict::Partly
            } else {
                Verdict::Fails
            },
            format!(
                "Asked for is a mean error of at most .1. In one variable, where nothing is scaled, it is {} to {}.",
                significant(low, 2),
                significant(high, 2)
            ),
        );
    }
    let smooth = [Shape::Quadratic, Shape::Rosenbrock, Shape::Rastrigin];
    let (fitted, central) = (worst("least_squares", &smooth, 1), worst("differences, central", &smooth, 1));
    findings.claim(
        "Where the function has a gradient, a swarm is the way to it",
        "implied by the paper's title",
        format!(
            "least squares errs by {} and central differences by {} at most up to 20 variables, for 2 d + 1 evaluations",
            significant(fitted, 2),
            significant(central, 2)
        ),
        Verdict::of(worst(CONSENSUS, &smooth, 1) < central),
        "Take differences there. An envelope is for functions whose own gradient misleads.",
    );
    findings.claim(
        "A gradient that has collapsed says so",
        "no statement",
        format!("{} of {bad} gradients off by more than .5 carry a warning", bad - missed),
        Verdict::share(bad - missed, bad),
        "The equivalence theorem's kappa has nothing to do with the function: its length is wrong although its swarm agrees.",
    );
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formulas against closed forms and against differences.
    #[test]
    fn targets_are_right() {
        let w = [0.7, -1.2, 0.3];
        for (shape, title) in SHAPES {
            let exact = shape.gradient(&w);
            for j in 0..3 {
                let at = |t: f64| {
                    let mut x = w;
                    x[j] += t;
                    shape.value(&x)
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((exact[j] - difference).abs() < 1e-5 * (1.0 + difference.abs()), "{title}");
            }
        }
        for j in 0..3 {
            let a = [1.0, 5.5, 10.0][j];
            let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-7, "{found} {wanted}");
            close(Shape::Quadratic.moreau(&w)[j], a * w[j] / (1.0 + a));
            close(Shape::Quadratic.envelope(&w, 4.0)[j], a * w[j] / (1.0 + 4.0 * SIGMA * SIGMA * a));
            close(Shape::Absolute.moreau(&w)[j], w[j].clamp(-1.0, 1.0));
        }
        // The proximal point is stationary: its gradient is that of f there.
        let slope = Shape::Rosenbrock.moreau(&w);
        let z: Vec<f64> = w.iter().zip(&slope).map(|(w, s)| w - 1e-3 * s).collect();
        for (a, b) in slope.iter().zip(Shape::Rosenbrock.gradient(&z)) {
            assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{a} {b}");
        }
        // Of two variables the envelope by brute force.
        let (alpha, w) = (0.05, [0.7, -1.2]);
        let (mut total, mut means) = (0.0, [0.0; 2]);
        for i in -240..=240 {
            for k in -240..=240 {
                let xi = [0.05 * f64::from(i), 0.05 * f64::from(k)];
                let x = [w[0] + SIGMA * xi[0], w[1] + SIGMA * xi[1]];
                let p = (-0.5 * (xi[0] * xi[0] + xi[1] * xi[1]) - alpha * Shape::Rosenbrock.value(&x)).exp();
                total += p;
                (means[0], means[1]) = (means[0] + p * x[0], means[1] + p * x[1]);
            }
        }
        let envelope = Shape::Rosenbrock.envelope(&w, alpha);
        for j in 0..2 {
            let wanted = (w[j] - means[j] / total) / (alpha * SIGMA * SIGMA);
            assert!((envelope[j] / wanted - 1.0).abs() < 1e-6, "{} {wanted}", envelope[j]);
        }
    }
}
