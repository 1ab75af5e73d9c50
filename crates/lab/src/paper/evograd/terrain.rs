//! The fifteen functions of the comparison, shifted or shifted and rotated, with their gradients.
//!
//! A function f with its minimum at m becomes x -> f(R (x - o) + m): o is uniform within 0.6 of the half-width of the box, R is
//! the identity or uniform among the rotations. Nothing may prefer the centre: mixtures of parents are drawn there.

use swarmgrad::algorithms::gradient::yardstick::Exact;
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::registry::{self, Settings};
use swarmgrad::{Differentiable, Error, Evaluations, Outcome, Problem, Result, Rng, Run, Space};

/// What a function is: its name, the half-width of its box, and whether it is among the eight of the main comparison.
pub(super) const FUNCTIONS: [(&str, f64, bool); 15] = [
    ("sphere", 100.0, true),
    ("rosenbrock", 30.0, true),
    ("rastrigin", 5.12, true),
    ("ackley", 32.0, true),
    ("griewank", 600.0, true),
    ("schwefel_1_2", 100.0, true),
    ("ellipsoid", 100.0, true),
    ("levy", 10.0, true),
    ("zakharov", 10.0, false),
    ("bent_cigar", 100.0, false),
    ("discus", 100.0, false),
    ("happy_cat", 5.0, false),
    ("hgbat", 5.0, false),
    ("katsuura", 5.0, false),
    ("multi_basin", 5.12, false),
];

/// Basins of the multi-basin Rastrigin function.
const BASINS: usize = 5;

/// A function on its box.
pub(super) struct Terrain {
    name: &'static str,
    space: Space,
    listed: Option<Box<dyn TestProblem>>,
    minimizer: f64,
    shift: Vec<f64>,
    /// Row by row.
    rotation: Option<Vec<f64>>,
    /// Centres and depths of the basins.
    basins: Vec<(Vec<f64>, f64)>,
}

impl Terrain {
    /// One of the [`FUNCTIONS`]; of an unknown name the error suggests the nearest.
    pub(super) fn new(name: &str, dim: usize, rotated: bool, seed: u64) -> Result<Self> {
        let known = FUNCTIONS.iter().find(|function| function.0 == name);
        let &(name, half_width, _) = known.ok_or_else(|| Error::unknown("function", name, FUNCTIONS.map(|f| f.0)))?;
        let rng = Rng::new(seed).fork("terrain").fork(name);
        let uniform = |label: &str, row: usize| {
            let mut out = vec![0.0; dim];
            rng.fork(label).row(row).fill_uniform(&mut out);
            out
        };
        let shift = uniform("shift", 0).iter().map(|u| 0.6 * half_width * (2.0 * u - 1.0)).collect();
        let listed = problems::entry(name).ok().map(|entry| entry.build::<f64>(dim, Some(Space::unbounded(dim)?)));
        // The same basins for every seed.
        let centre = |k: usize| {
            let mut out = vec![0.0; dim];
            Rng::new(0).fork("basin").row(k).fill_uniform(&mut out);
            out.iter().map(|u| 8.0 * (u - 0.5)).collect()
        };
        let basins = (0..BASINS).map(|k| match k {
            0 => (vec![0.0; dim], 0.0),
            k => (centre(k), 2.0 * k as f64),
        });
        Ok(Terrain {
            name,
            space: Space::cube(dim, -half_width, half_width)?,
            listed: listed.transpose()?,
            minimizer: match name {
                "rosenbrock" | "levy" => 1.0,
                "happy_cat" | "hgbat" => -1.0,
                _ => 0.0,
            },
            shift,
            rotation: rotated.then(|| rotation(&rng.fork("rotation"), dim)),
            basins: basins.collect(),
        })
    }

    /// o, where the value is 0.
    pub(super) fn optimum(&self) -> &[f64] {
        &self.shift
    }

    /// R (x - o) + m.
    fn place(&self, x: &[f64]) -> Vec<f64> {
        let away: Vec<f64> = x.iter().zip(&self.shift).map(|(x, o)| x - o).collect();
        let turned = match &self.rotation {
            Some(rows) => rows.chunks_exact(x.len()).map(|row| dot(row, &away)).collect(),
            None => away,
        };
        turned.iter().map(|z| z + self.minimizer).collect()
    }

    fn height(&self, z: &[f64]) -> f64 {
        let dim = z.len() as f64;
        let square = || dot(z, z);
        let sum = || z.iter().sum::<f64>();
        match self.name {
            "schwefel_1_2" => prefix(z).iter().map(|s| s * s).sum(),
            "bent_cigar" => z[0] * z[0] + 1e6 * (square() - z[0] * z[0]),
            "discus" => 1e6 * z[0] * z[0] + (square() - z[0] * z[0]),
            "happy_cat" => (square() - dim).abs().powf(0.25) + (0.5 * square() + sum()) / dim + 0.5,
            "hgbat" => (square().powi(2) - sum().powi(2)).abs().sqrt() + (0.5 * square() + sum()) / dim + 0.5,
            "katsuura" => {
                let factor = |(i, t): (usize, &f64)| (1.0 + (i + 1) as f64 * saw(*t).0).powf(10.0 / dim.powf(1.2));
                10.0 / (dim * dim) * (z.iter().enumerate().map(factor).product::<f64>() - 1.0)
            }
            "multi_basin" => {
                let heights: Vec<f64> = self.basins.iter().map(|(c, depth)| depth + rastrigin(z, c)).collect();
                let least = heights.iter().copied().fold(f64::INFINITY, f64::min);
                least - heights.iter().map(|h| (least - h).exp()).sum::<f64>().ln()
            }
            _ => self.listed.as_ref().map_or(f64::NAN, |listed| listed.value(z)),
        }
    }

    fn slope(&self, z: &[f64], out: &mut [f64]) {
        let dim = z.len() as f64;
        let (square, sum) = (dot(z, z), z.iter().sum::<f64>());
        match self.name {
            "schwefel_1_2" => {
                let mut after = 0.0;
                for (o, s) in out.iter_mut().zip(prefix(z)).rev() {
                    after += 2.0 * s;
                    *o = after;
                }
            }
            "bent_cigar" | "discus" => {
                let [first, rest] = if self.name == "discus" { [1e6, 1.0] } else { [1.0, 1e6] };
                out.iter_mut().zip(z).for_each(|(o, t)| *o = 2.0 * rest * t);
                out[0] = 2.0 * first * z[0];
            }
            "happy_cat" => {
                // At the crease |z|^2 = d there is no gradient; 0 stands in for that part.
                let away = square - dim;
                let root = if away == 0.0 { 0.0 } else { 0.25 * away.abs().powf(-0.75) * away.signum() };
                out.iter_mut().zip(z).for_each(|(o, t)| *o = root * 2.0 * t + (t + 1.0) / dim);
            }
            "hgbat" => {
                let away = square * square - sum * sum;
                let root = if away == 0.0 { 0.0 } else { 0.5 / away.abs().sqrt() * away.signum() };
                for (o, t) in out.iter_mut().zip(z) {
                    *o = root * (4.0 * square * t - 2.0 * sum) + (t + 1.0) / dim;
                }
            }
            "katsuura" => {
                let power = 10.0 / dim.powf(1.2);
                let whole = self.height(z) + 10.0 / (dim * dim);
                for (i, (o, t)) in out.iter_mut().zip(z).enumerate() {
                    let (value, slope) = saw(*t);
                    let weight = (i + 1) as f64;
                    *o = whole * power * weight * slope / (1.0 + weight * value);
                }
            }
            "multi_basin" => {
                let heights: Vec<f64> = self.basins.iter().map(|(c, depth)| depth + rastrigin(z, c)).collect();
                let least = heights.iter().copied().fold(f64::INFINITY, f64::min);
                let total: f64 = heights.iter().map(|h| (least - h).exp()).sum();
                out.fill(0.0);
                for ((c, _), h) in self.basins.iter().zip(&heights) {
                    let share = (least - h).exp() / total;
                    for ((o, t), c) in out.iter_mut().zip(z).zip(c) {
                        *o += share * (2.0 * (t - c) + 20.0 * std::f64::consts::PI * wave(t - c).sin());
                    }
                }
            }
            _ => {
                if let Some(listed) = self.listed.as_ref().and_then(|listed| listed.differentiable()) {
                    listed.gradient(z, out);
                }
            }
        }
    }
}

/// A run of a method of the registry; with a price it has the gradient, a value with it for so many evaluations.
pub(super) fn priced(
    problem: &dyn Differentiable,
    method: &str,
    settings: &Settings,
    price: Option<f64>,
    budget: u64,
    seed: u64,
) -> Result<Outcome> {
    let mut method = registry::entry(method)?.build(problem.space(), Some(budget), settings)?;
    let (mut source, mut limit) = (Exact::<f64, _>::new(problem), Evaluations(budget));
    let run = Run::new(problem, &mut *method, seed).watch(&mut limit);
    Ok(match price {
        Some(price) => run.gradients(&mut source, price).minimize(),
        None => run.minimize(),
    })
}

impl Problem for Terrain {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.height(&self.place(x))
    }
}

impl Differentiable for Terrain {
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let z = self.place(x);
        match &self.rotation {
            None => self.slope(&z, out),
            Some(rows) => {
                let mut turned = vec![0.0; x.len()];
                self.slope(&z, &mut turned);
                out.fill(0.0);
                for (row, t) in rows.chunks_exact(x.len()).zip(&turned) {
                    out.iter_mut().zip(row).for_each(|(o, r)| *o += r * t);
                }
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Sums of the first coordinates.
fn prefix(z: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    z.iter()
        .map(|t| {
            sum += t;
            sum
        })
        .collect()
}

fn wave(t: f64) -> f64 {
    2.0 * std::f64::consts::PI * t
}

fn rastrigin(z: &[f64], centre: &[f64]) -> f64 {
    let term = |(t, c): (&f64, &f64)| (t - c) * (t - c) + 10.0 * (1.0 - wave(t - c).cos());
    z.iter().zip(centre).map(term).sum()
}

/// Katsuura's saw sum_j |2^j t - round(2^j t)| / 2^j and its slope.
fn saw(t: f64) -> (f64, f64) {
    let (mut value, mut slope, mut scale) = (0.0, 0.0, 1.0);
    for _ in 0..32 {
        scale *= 2.0;
        let rest = scale * t - (scale * t).round();
        value += rest.abs() / scale;
        slope += if rest == 0.0 { 0.0 } else { rest.signum() };
    }
    (value, slope)
}

/// A rotation (or a reflection) uniform among all: Gram and Schmidt on normal rows.
fn rotation(rng: &Rng, dim: usize) -> Vec<f64> {
    let mut rows: Vec<f64> = vec![0.0; dim * dim];
    for i in 0..dim {
        let (before, row) = rows.split_at_mut(i * dim);
        let row = &mut row[..dim];
        rng.row(i).fill_normal(row);
        // Twice, so that rounding leaves nothing of the earlier rows.
        for _ in 0..2 {
            for other in before.chunks_exact(dim) {
                let along = dot(row, other);
                row.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
            }
        }
        let length = dot(row, row).sqrt();
        row.iter_mut().for_each(|r| *r /= length);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minima_are_where_they_should_be_and_gradients_are_derivatives() {
        for (name, half_width, _) in FUNCTIONS {
            for rotated in [false, true] {
                let terrain = Terrain::new(name, 6, rotated, 3).unwrap();
                let at_best = terrain.value(&terrain.shift);
                assert!(at_best.abs() < 1e-9, "{name}: {at_best}");
                assert!(terrain.space.contains(&terrain.shift));
                for seed in 0..20 {
                    let (mut x, mut g) = (vec![0.0; 6], vec![0.0; 6]);
                    Rng::new(seed).row(0).fill_uniform(&mut x);
                    x.iter_mut().for_each(|t| *t = half_width * (2.0 * *t - 1.0));
                    assert!(terrain.value(&x) > at_best);
                    if name == "katsuura" {
                        continue; // 32 kinks in every stretch of 1e-9
                    }
                    terrain.gradient(&x, &mut g);
                    let largest = g.iter().fold(0.0f64, |m, g| m.max(g.abs()));
                    for j in 0..6 {
                        let h = 1e-6 * half_width;
                        let at = |h: f64| {
                            let mut y = x.clone();
                            y[j] += h;
                            terrain.value(&y)
                        };
                        let quotient = (at(h) - at(-h)) / (2.0 * h);
                        assert!((quotient - g[j]).abs() < 1e-4 * (1.0 + largest), "{name} {j}: {quotient} {}", g[j]);
                    }
                }
            }
        }
    }

    #[test]
    fn the_saw_has_its_slope() {
        // Far from the kinks of the first teeth, at a number with few binary digits the later ones are flat.
        for (t, step) in [(0.3, 1e-12), (1.7, 1e-12)] {
            let (value, _) = saw(t);
            let (next, _) = saw(t + step);
            assert!((next - value).abs() < 64.0 * step);
        }
        assert_eq!(saw(0.0), (0.0, 0.0));
        assert_eq!(saw(0.25).0, 0.25);
    }

    #[test]
    fn rotations_keep_lengths() {
        let (rows, dim) = (rotation(&Rng::new(1), 8), 8);
        for i in 0..dim {
            for j in 0..dim {
                let product = dot(&rows[i * dim..][..dim], &rows[j * dim..][..dim]);
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }
}
