//! The limit of many particles itself, in one dimension: the Vlasov-Fokker-Planck equation (2.4) by finite volumes, beside swarms
//! of 10^2 to 10^6 particles.
//!
//! ```text
//! (2.4)  d_t f + v d_x f = d_v( (gamma v + lambda (x - c))/m f ) + (sigma^2/2m^2) (x - c)^2 d_vv f,   c = int x e^(-alpha E) f / int e^(-alpha E) f
//! ```
//!
//! Strang splitting: transport in x over half a step, in v over half a step, diffusion in v over a whole step (Crank-Nicolson), and
//! back. Transport is by limited slopes (van Leer's monotonised central ones), of second order where the density is smooth; all three keep
//! the mass.

use super::{normal, order, round, swarm};
use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::table::{Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarmgrad::{Matrix, Rng};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "mean-field-pso/limit",
    summary: "the Vlasov-Fokker-Planck equation by finite volumes in one dimension, beside swarms of 10^2 to 10^6 particles",
    preset: Preset::PaperText,
    run,
};

/// The dynamics: m, gamma, lambda, sigma, alpha.
const INERTIA: f64 = 0.5;
const FRICTION: f64 = 0.5;
const LAMBDA: f64 = 1.0;
const SIGMA: f64 = 0.5;
const ALPHA: f64 = 2.0;
/// The start: X ~ N(1, 0.5^2), V ~ N(0, 0.5^2).
const MEAN: f64 = 1.0;
const DEVIATION: f64 = 0.5;
const HORIZON: f64 = 1.0;
/// The box in x and in v, and the bins of the histograms in each.
const BOX: [[f64; 2]; 2] = [[-2.5, 4.5], [-7.0, 7.0]];
const BINS: usize = 35;

fn objective(x: f64) -> f64 {
    x * x + 2.5 * (1.0 - (std::f64::consts::TAU * x).cos())
}

/// A density over x and v on cells, row by row in x.
struct Density {
    f: Vec<f64>,
    cells: [usize; 2],
    flux: Vec<f64>,
    rows: [Vec<f64>; 3],
}

impl Density {
    /// The start on so many cells a side.
    fn new(side: usize) -> Self {
        let cells = [side; 2];
        let mut new = Density {
            f: vec![0.0; side * side],
            cells,
            flux: vec![0.0; (side + 1) * side],
            rows: std::array::from_fn(|_| vec![0.0; side + 1]),
        };
        let bell = |t: f64| (-0.5 * t * t).exp();
        for i in 0..side {
            for j in 0..side {
                new.f[i * side + j] = bell((new.center(0, i) - MEAN) / DEVIATION) * bell(new.center(1, j) / DEVIATION);
            }
        }
        let mass = new.mass();
        new.f.iter_mut().for_each(|t| *t /= mass);
        new
    }

    fn width(&self, axis: usize) -> f64 {
        (BOX[axis][1] - BOX[axis][0]) / self.cells[axis] as f64
    }

    fn center(&self, axis: usize, k: usize) -> f64 {
        BOX[axis][0] + (k as f64 + 0.5) * self.width(axis)
    }

    fn mass(&self) -> f64 {
        self.f.iter().sum::<f64>() * self.width(0) * self.width(1)
    }

    /// The shares of the mass in the bins of an axis.
    fn shares(&self, axis: usize) -> Vec<f64> {
        let mut shares = vec![0.0; BINS];
        let cell = self.width(0) * self.width(1);
        for (k, f) in self.f.iter().enumerate() {
            let along = [k / self.cells[1], k % self.cells[1]][axis];
            shares[along * BINS / self.cells[axis]] += f * cell;
        }
        shares
    }

    /// (1.4): the consensus.
    fn consensus(&self) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (i, row) in self.f.chunks(self.cells[1]).enumerate() {
            let x = self.center(0, i);
            let w = (-ALPHA * objective(x)).exp() * row.iter().sum::<f64>();
            sum += w * x;
            weights += w;
        }
        sum / weights
    }

    fn step(&mut self, dt: f64) {
        self.along_x(0.5 * dt);
        let c = self.consensus();
        self.along_v(0.5 * dt, c);
        self.diffuse(dt, c);
        self.along_v(0.5 * dt, c);
        self.along_x(0.5 * dt);
    }

    /// d_t f + v d_x f = 0.
    fn along_x(&mut self, dt: f64) {
        let ([nx, nv], dx) = (self.cells, self.width(0));
        self.flux.fill(0.0);
        for i in 1..nx {
            for j in 0..nv {
                let v = self.center(1, j);
                let at = |k: usize| self.f[k.min(nx - 1) * nv + j];
                let (up, behind, ahead) = if v > 0.0 { (i - 1, i.saturating_sub(2), i) } else { (i, i + 1, i - 1) };
                self.flux[i * nv + j] = v * face(at(behind), at(up), at(ahead), v.abs() * dt / dx);
            }
        }
        for (f, (left, right)) in self.f.iter_mut().zip(self.flux.iter().zip(&self.flux[nv..])) {
            *f -= dt / dx * (right - left);
        }
    }

    /// d_t f = d_v((gamma v + lambda (x - c))/m f).
    fn along_v(&mut self, dt: f64, c: f64) {
        let ([_, nv], dv) = (self.cells, self.width(1));
        for i in 0..self.cells[0] {
            let pull = LAMBDA * (self.center(0, i) - c);
            let flux = &mut self.rows[0];
            let row = &mut self.f[i * nv..(i + 1) * nv];
            for (j, flux) in flux.iter_mut().enumerate().take(nv).skip(1) {
                let a = -(FRICTION * (BOX[1][0] + j as f64 * dv) + pull) / INERTIA;
                let (up, behind, ahead) =
                    if a > 0.0 { (j - 1, j.saturating_sub(2), j) } else { (j, (j + 1).min(nv - 1), j - 1) };
                *flux = a * face(row[behind], row[up], row[ahead], a.abs() * dt / dv);
            }
            (flux[0], flux[nv]) = (0.0, 0.0);
            for (j, f) in row.iter_mut().enumerate() {
                *f -= dt / dv * (flux[j + 1] - flux[j]);
            }
        }
    }

    /// d_t f = sigma^2 (x - c)^2/(2 m^2) d_vv f, without flux through the ends.
    fn diffuse(&mut self, dt: f64, c: f64) {
        let ([_, nv], dv) = (self.cells, self.width(1));
        for i in 0..self.cells[0] {
            let r = 0.25 * dt * (SIGMA * (self.center(0, i) - c) / INERTIA / dv).powi(2);
            let row = &mut self.f[i * nv..(i + 1) * nv];
            let [right, upper, _] = &mut self.rows;
            for j in 0..nv {
                let (low, high) = (row[j.saturating_sub(1)], row[(j + 1).min(nv - 1)]);
                right[j] = row[j] + r * (low - 2.0 * row[j] + high);
            }
            // Thomas' algorithm: diagonal 1 + 2 r (1 + r at the ends), -r beside it.
            for j in 0..nv {
                let diagonal = 1.0 + r * if j == 0 || j == nv - 1 { 1.0 } else { 2.0 };
                let (before, value) = if j == 0 { (0.0, 0.0) } else { (upper[j - 1], right[j - 1]) };
                let pivot = diagonal + r * before;
                upper[j] = -r / pivot;
                right[j] = (right[j] + if j == 0 { 0.0 } else { r * value }) / pivot;
            }
            for j in (0..nv).rev() {
                row[j] = right[j] - if j + 1 < nv { upper[j] * row[j + 1] } else { 0.0 };
            }
        }
    }
}

/// The value at a face of the cell `up`, whose flow goes to `ahead`, for this share of a cell a step: a limited slope.
fn face(behind: f64, up: f64, ahead: f64, share: f64) -> f64 {
    let (a, b) = (up - behind, ahead - up);
    let slope = if a * b <= 0.0 { 0.0 } else { (2.0 * a.abs().min(b.abs())).min(0.5 * (a + b).abs()) * a.signum() };
    up + 0.5 * (1.0 - share) * slope
}

/// A grid of the solver.
#[derive(Debug, Clone, Copy, Serialize)]
struct Grid {
    side: usize,
    steps: usize,
}

/// The shares of the limit in the bins of x and v, its mass, and its second moments about the mean.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Limit {
    shares: [Vec<f64>; 2],
    mass: f64,
    consensus: f64,
}

fn solve(grid: &Grid, session: &Session<'_>) -> Result<Limit> {
    let mut density = Density::new(grid.side);
    for _ in 0..grid.steps {
        if session.halt().requested() {
            return Err(Error::Interrupted);
        }
        density.step(HORIZON / grid.steps as f64);
    }
    Ok(Limit { shares: [density.shares(0), density.shares(1)], mass: density.mass(), consensus: density.consensus() })
}

/// A swarm.
#[derive(Debug, Clone, Copy, Serialize)]
struct Unit {
    particles: usize,
    dt: f64,
    seed: u64,
}

/// The shares of its particles in the bins of x and v at the end.
fn walk(unit: &Unit) -> Result<[Vec<f64>; 2]> {
    let json = json!({ "particles": unit.particles, "inertia": INERTIA, "friction": FRICTION, "lambda2": LAMBDA, "sigma2": SIGMA,
        "alpha": ALPHA, "dt": unit.dt, "memory": "none", "velocity": DEVIATION, "start": normal(MEAN, DEVIATION) });
    let (mut method, rng, mut xs) = (swarm("pso_sde", 1, json)?, Rng::new(unit.seed), Matrix::default());
    for k in 0..=(HORIZON / unit.dt).round() as u64 {
        round(&mut *method, &rng, k, &mut xs, |x| objective(x[0]));
    }
    let view = method.view();
    let shares = |axis: usize, name: &str| {
        let mut shares = vec![0.0; BINS];
        let [low, high] = BOX[axis];
        for t in view.matrix(name).map(|m| m.data()).unwrap_or_default() {
            let bin = (t - low) / (high - low) * BINS as f64;
            // What lies outside the box is in no bin, there as here.
            if (0.0..BINS as f64).contains(&bin) {
                shares[bin as usize] += 1.0 / unit.particles as f64;
            }
        }
        shares
    };
    Ok([shares(0, "x"), shares(1, "v")])
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

/// The mean distance of the histogram of so many independent samples of a law: every bin is nearly normal.
fn of_samples(shares: &[f64], n: usize) -> f64 {
    shares.iter().map(|p| (2.0 * p * (1.0 - p).max(0.0) / (std::f64::consts::PI * n as f64)).sqrt()).sum()
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let quick = session.quick();
    let grids: &[Grid] = match quick {
        true => &[Grid { side: 70, steps: 150 }, Grid { side: 140, steps: 300 }],
        false => &[Grid { side: 140, steps: 400 }, Grid { side: 280, steps: 800 }, Grid { side: 560, steps: 1_600 }],
    };
    let limits = session.units("limit", grids, |grid| solve(grid, session))?;
    let sizes: &[(usize, u64)] = match quick {
        true => &[(100, 10), (1_000, 4), (10_000, 2)],
        false => &[(100, 40), (1_000, 40), (10_000, 20), (100_000, 10), (1_000_000, 3)],
    };
    let dt = if quick { 0.005 } else { 0.001 };
    let units: Vec<Unit> =
        sizes.iter().flat_map(|&(particles, seeds)| (0..seeds).map(move |seed| Unit { particles, dt, seed })).collect();
    let walks = session.units("swarm", &units, walk)?;

    let mut findings = Findings::new("The mean-field limit in one dimension");
    findings.protocol(format!(
        "E = x^2 + 2.5 (1 - cos 2 pi x), m = {INERTIA}, gamma = {FRICTION}, lambda = {LAMBDA}, sigma = {SIGMA}, alpha = {ALPHA}, X0 ~ N({MEAN}, \
         {DEVIATION}^2), V0 ~ N(0, {DEVIATION}^2), T = {HORIZON}. The Vlasov-Fokker-Planck equation (2.4) by finite volumes on up to {} x {} cells; \
         swarms by (4.15) at dt = {dt}. Distance: the sum over {BINS} bins of |share of particles - mass|, in x and in v; beside it that of \
         as many independent samples of the limit.",
        grids[grids.len() - 1].side,
        grids[grids.len() - 1].side
    ));
    let finest = &limits[limits.len() - 1];
    let mut table = Table::new(["cells a side", "steps", "mass - 1", "distance in x", "distance in v", "consensus"]);
    let mut coarse = Vec::new();
    for (grid, limit) in grids.iter().zip(&limits) {
        let far = [0, 1].map(|axis| distance(&limit.shares[axis], &finest.shares[axis]));
        coarse.push(far[0].max(far[1]));
        table.row([
            grid.side.to_string(),
            grid.steps.to_string(),
            significant(limit.mass - 1.0, 2),
            significant(far[0], 3),
            significant(far[1], 3),
            fixed(limit.consensus, 6),
        ]);
    }
    findings.table(table, "The solver against its finest grid.");

    let mut table = Table::new([
        "N",
        "seeds",
        "distance in x",
        "independent samples",
        "ratio",
        "distance in v",
        "independent samples",
        "ratio",
    ]);
    let mut chart = Chart::new("Distance of a swarm's histogram to the limit", Axis::log("N"), Axis::log("distance"));
    let (mut points, mut ratios) = ([Vec::new(), Vec::new()], Vec::new());
    let mut at = 0;
    for &(n, seeds) in sizes {
        let shown = &walks[at..at + seeds as usize];
        at += seeds as usize;
        let mut row = vec![n.to_string(), seeds.to_string()];
        for axis in [0, 1] {
            let mean = shown.iter().map(|w| distance(&w[axis], &finest.shares[axis])).sum::<f64>() / seeds as f64;
            let samples = of_samples(&finest.shares[axis], n);
            row.extend([significant(mean, 3), significant(samples, 3), fixed(mean / samples, 2)]);
            points[axis].push((n as f64, mean));
            ratios.push(mean / samples);
        }
        table.row(row);
    }
    let slopes = points.each_ref().map(|p| order(p));
    chart.line(Line::new("swarm, x", points[0].clone()).dots()).line(Line::new("swarm, v", points[1].clone()).dots());
    let samples = |axis: usize| sizes.iter().map(|&(n, _)| (n as f64, of_samples(&finest.shares[axis], n))).collect();
    chart.line(Line::new("independent samples, x", samples(0))).line(Line::new("independent samples, v", samples(1)));
    findings.table(table, "Swarms against the limit on the finest grid.");
    findings.picture(
        "limit",
        chart.svg(),
        "The distance falls as N^-1/2, as that of independent samples of the limit.",
    );
    let bin = |axis: usize, k: usize| BOX[axis][0] + (k as f64 + 0.5) * (BOX[axis][1] - BOX[axis][0]) / BINS as f64;
    let mut chart = Chart::new("The law of x at T", Axis::linear("x"), Axis::linear("share of a bin"));
    let largest = &walks[walks.len() - 1][0];
    chart.line(Line::new("limit", finest.shares[0].iter().enumerate().map(|(k, p)| (bin(0, k), *p)).collect()));
    chart.line(Line::new("largest swarm", largest.iter().enumerate().map(|(k, p)| (bin(0, k), *p)).collect()).dots());
    findings.picture("law", chart.svg(), "Finite volumes and particles.");
    let tolerance = if quick { 0.15 } else { 0.05 };
    findings.claim(
        "The swarm tends to the solution of the Vlasov-Fokker-Planck equation",
        "",
        format!(
            "slopes of the distance over N: {} in x, {} in v; {} times that of independent samples at most",
            fixed(slopes[0].0, 3),
            fixed(slopes[1].0, 3),
            fixed(ratios.iter().copied().fold(0.0, f64::max), 2)
        ),
        Verdict::of(slopes.iter().all(|s| (s.0 + 0.5).abs() < tolerance)),
        format!("A slope within {tolerance} of -1/2 holds; the equation is solved by a program that shares nothing with the swarm."),
    );
    findings.data(
        "grids",
        grids.iter().zip(&coarse).map(|(g, c)| json!({"side": g.side, "distance": c})).collect::<Vec<_>>(),
    );
    findings.data("slopes", slopes.map(|s| s.0).to_vec()).data("ratios", ratios);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mass is kept, nothing is negative, and with a frozen consensus the second moments are those of the linear equation.
    #[test]
    fn the_solver_keeps_mass_and_moments() {
        let mut density = Density::new(140);
        let steps = 300;
        for _ in 0..steps {
            density.step(HORIZON / f64::from(steps));
        }
        assert!((density.mass() - 1.0).abs() < 1e-12, "{}", density.mass());
        assert!(density.f.iter().all(|f| *f >= -1e-12));
        // E x, E v, E x^2, E x v, E v^2 about a fixed c by the equation's own differential equations, in small steps.
        let c = 0.3;
        let mut density = Density::new(140);
        let mut m = [MEAN - c, 0.0, (MEAN - c).powi(2) + DEVIATION.powi(2), 0.0, DEVIATION.powi(2)];
        let h = 1e-5;
        for _ in 0..(0.5 / h) as usize {
            let [x, v, xx, xv, vv] = m;
            let (g, l, s) = (FRICTION / INERTIA, LAMBDA / INERTIA, (SIGMA / INERTIA).powi(2));
            m = [
                x + h * v,
                v + h * (-g * v - l * x),
                xx + 2.0 * h * xv,
                xv + h * (vv - g * xv - l * xx),
                vv + h * (-2.0 * g * vv - 2.0 * l * xv + s * xx),
            ];
        }
        for _ in 0..150 {
            let dt = 0.5 / 150.0;
            density.along_x(0.5 * dt);
            density.along_v(0.5 * dt, c);
            density.diffuse(dt, c);
            density.along_v(0.5 * dt, c);
            density.along_x(0.5 * dt);
        }
        let (mut seen, cell) = ([0.0; 5], density.width(0) * density.width(1));
        for (k, f) in density.f.iter().enumerate() {
            let (x, v) = (density.center(0, k / 140) - c, density.center(1, k % 140));
            for (s, t) in seen.iter_mut().zip([x, v, x * x, x * v, v * v]) {
                *s += t * f * cell;
            }
        }
        for (k, (seen, m)) in seen.iter().zip(&m).enumerate() {
            assert!((seen - m).abs() < 0.01, "moment {k}: {seen} against {m}");
        }
    }
}
