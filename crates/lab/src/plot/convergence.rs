//! Convergence: best value against evaluations, the median of many runs and the band between their quartiles.

use super::axis::{Axis, Scale};
use super::chart::{Chart, Legend, Line};
use crate::error::{Error, Result};
use crate::record::{Curve, Record, value_at};
use crate::stats::quartiles;

/// How many values of evaluations a curve is read at.
const GRID: usize = 320;

/// A convergence chart in the making: per method the staircases of its runs.
///
/// A run counts with its last value after its end. Before its first point, and where it is NaN, its value is infinity.
///
/// ```
/// use swarmgrad_lab::plot::Convergence;
/// let run = |scale: f64| (1..=100).map(|n| (n * 10, scale / n as f64)).collect();
/// let mut c = Convergence::new("Sphere, 2 runs").minimum(0.0);
/// c.method("pso", vec![run(1.0), run(2.0)]);
/// assert!(c.chart()?.svg().contains("pso"));
/// # Ok::<(), swarmgrad_lab::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Convergence {
    title: String,
    subtitle: String,
    minimum: Option<f64>,
    floor: f64,
    target: Option<f64>,
    evaluations: Scale,
    legend: Legend,
    methods: Vec<(String, Vec<Curve>)>,
}

impl Convergence {
    /// A chart without methods: logarithmic evaluations, names at the ends of the lines.
    pub fn new(title: impl Into<String>) -> Self {
        Convergence {
            title: title.into(),
            subtitle: String::new(),
            minimum: None,
            floor: 1e-16,
            target: None,
            evaluations: Scale::Log,
            legend: Legend::Direct,
            methods: Vec::new(),
        }
    }

    /// A smaller line under the title.
    #[must_use]
    pub fn subtitle(mut self, subtitle: impl Into<String>) -> Self {
        self.subtitle = subtitle.into();
        self
    }

    /// The known minimum: the chart shows the distance to it on a logarithmic axis, never below the floor.
    #[must_use]
    pub fn minimum(mut self, minimum: f64) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// The smallest distance shown (default 1e-16).
    #[must_use]
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }

    /// Marks the value that counts as success; where no run reached it, it stands under the title instead.
    #[must_use]
    pub fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    /// The scale of the evaluations (default logarithmic).
    #[must_use]
    pub fn evaluations(mut self, scale: Scale) -> Self {
        self.evaluations = scale;
        self
    }

    /// Where the names stand (default at the ends of the lines).
    #[must_use]
    pub fn legend(mut self, legend: Legend) -> Self {
        self.legend = legend;
        self
    }

    /// Adds a method and the staircases of its runs. The last point of a curve tells how far its run went.
    pub fn method(&mut self, name: impl Into<String>, runs: Vec<Curve>) -> &mut Self {
        self.methods.push((name.into(), runs));
        self
    }

    /// Adds records, grouped by method in the order in which they first occur.
    pub fn records<'a>(&mut self, records: impl IntoIterator<Item = &'a Record>) -> &mut Self {
        for record in records {
            let mut curve = record.curve.clone();
            if curve.last().is_none_or(|last| last.0 < record.nfev) {
                curve.push((record.nfev, record.fun));
            }
            match self.methods.iter_mut().find(|m| m.0 == record.method) {
                Some((_, runs)) => runs.push(curve),
                None => self.methods.push((record.method.clone(), vec![curve])),
            }
        }
        self
    }

    /// The chart.
    pub fn chart(&self) -> Result<Chart> {
        if self.floor.is_nan() || self.floor <= 0.0 {
            return Err(Error::value("floor", self.floor, "above 0"));
        }
        if self.minimum.is_some_and(|m| !m.is_finite()) {
            return Err(Error::value("minimum", self.minimum.unwrap_or_default(), "finite"));
        }
        let values = || self.methods.iter().flat_map(|m| m.1.iter().flatten().map(|p| p.1)).filter(|v| v.is_finite());
        let scale = match self.minimum {
            None if values().any(|v| v <= 0.0) => Scale::Linear,
            _ => Scale::Log,
        };
        let floored = std::cell::Cell::new(false);
        let shown = |v: f64| match self.minimum {
            Some(m) if v - m < self.floor => {
                floored.set(true);
                self.floor
            }
            Some(m) => v - m,
            None => v,
        };
        let mut lines = Vec::new();
        for (name, runs) in &self.methods {
            let first = runs.iter().filter_map(|r| r.first()).map(|p| p.0).min();
            let last = runs.iter().filter_map(|r| r.last()).map(|p| p.0).max();
            let (Some(first), Some(last)) = (first, last) else {
                lines.push(Line::new(name.clone(), Vec::new()));
                continue;
            };
            let mut line = Line::new(name.clone(), Vec::new());
            for n in grid(first, last, self.evaluations) {
                let sample: Vec<f64> = runs.iter().map(|r| value_at(r, n)).collect();
                let [low, middle, high] = quartiles(&sample).map(shown);
                let x = if self.evaluations == Scale::Log { n.max(1) } else { n } as f64;
                line.points.push((x, if middle.is_finite() { middle } else { f64::NAN }));
                if low.is_finite() {
                    line.band.push((x, low, high));
                }
            }
            if runs.len() < 2 {
                line.band.clear();
            }
            lines.push(line);
        }
        let label = match self.minimum {
            None => "best value".to_owned(),
            Some(_) if floored.get() => {
                format!("best value − minimum (at least {})", crate::table::significant(self.floor, 2))
            }
            Some(_) => "best value − minimum".to_owned(),
        };
        let x = Axis { label: "evaluations".into(), scale: self.evaluations, ..Axis::default() };
        let mut chart = Chart::new(self.title.clone(), x, Axis { label, scale, ..Axis::default() });
        chart.subtitle.clone_from(&self.subtitle);
        chart.legend = self.legend;
        chart.lines = lines;
        if let Some(target) = self.target {
            let y = shown(target);
            let offset = if self.minimum.is_some() { "minimum + " } else { "" };
            let name = format!("target: {offset}{}", crate::table::significant(y, 3));
            match values().any(|v| v <= target) {
                true => drop(chart.rule(y, name)),
                // A line at a target that nobody reached would press all curves together above it.
                false if chart.subtitle.is_empty() => chart.subtitle = format!("{name}, which no run reached"),
                false => chart.subtitle += &format!("; {name}, which no run reached"),
            }
        }
        Ok(chart)
    }
}

/// Distinct whole numbers from `first` to `last`, both included.
fn grid(first: u64, last: u64, scale: Scale) -> Vec<u64> {
    let (a, b) = (first.max(1) as f64, last.max(1) as f64);
    let at = |t: f64| match scale {
        Scale::Linear => first as f64 + (last - first) as f64 * t,
        Scale::Log => (a.ln() + (b.ln() - a.ln()) * t).exp(),
    };
    let mut out: Vec<u64> = (0..GRID).map(|i| at(i as f64 / (GRID - 1) as f64).round() as u64).collect();
    out[0] = first;
    out.push(last);
    out.retain(|n| (first..=last).contains(n));
    out.sort_unstable();
    out.dedup();
    out
}
