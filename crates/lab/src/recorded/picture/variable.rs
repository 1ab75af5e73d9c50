//! The variables: slices, parallel coordinates, importance.

use super::super::importance::{importance, ranks};
use super::super::meaning::Shown;
use super::super::{Point, Recorded};
use super::curve::{FAILED, INFEASIBLE};
use super::values::{Values, thinned};
use crate::plot::color::{hex, viridis};
use crate::plot::{Axis, Bars, Chart, Legend, Line, Marks, Parallel};

/// Points drawn in a slice at most, and as lines through parallel coordinates.
const IN_SLICE: usize = 900;
const STRANDS: usize = 300;
/// Variables that are drawn at most.
const SLICES: usize = 12;
const AXES: usize = 14;
/// Bars at most.
const BARS: usize = 20;
/// Points that an estimate of importance is made from at most.
pub(super) const ASKED: usize = 1 << 13;

/// The variables to be drawn, at most so many: those that matter most, in their own order.
fn chosen(run: &Recorded, most: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..run.meaning.variables.len()).filter(|&j| !run.meaning.variables[j].fixed).collect();
    if all.len() > most {
        if let Some(shares) = shares(run) {
            all.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        }
        all.truncate(most);
        all.sort_unstable();
    }
    all
}

/// What each variable accounts for alone, as [`importance`] estimates it.
pub fn shares(run: &Recorded) -> Option<Vec<f64>> {
    let valued: Vec<&Point> = run.points.iter().filter(|point| point.failure.is_none()).collect();
    let asked: Vec<&Point> = thinned(&valued, ASKED).copied().collect();
    let column = |j: usize| asked.iter().map(|point| point.x[j]).collect();
    let columns: Vec<Vec<f64>> = (0..run.meaning.variables.len()).map(column).collect();
    importance(&columns, &asked.iter().map(|point| point.cost).collect::<Vec<_>>())
}

/// The estimated importance of the variables, the largest first; none for too few points.
pub fn important(run: &Recorded) -> Option<String> {
    let shares = shares(run)?;
    let variables = run.meaning.variables.iter().zip(&shares).filter(|(variable, _)| !variable.fixed);
    let mut all: Vec<(String, f64)> = variables.map(|(variable, share)| (variable.name.clone(), *share)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let more = all.len().saturating_sub(BARS);
    all.truncate(BARS);
    let mut bars = Bars::new("Importance of the variables", "share of the variance of the values' ranks (ε²)");
    bars.subtitle = "an estimate from the evaluated points, each variable alone".into();
    if more > 0 {
        bars.subtitle += &format!("; {more} further variables account for less");
    }
    bars.bars = all;
    Some(bars.svg())
}

/// A place beside that of its word, so that many points on one word are seen apart.
fn beside(variable: &Shown, place: f64, number: u64) -> f64 {
    let share = (number as f64 * 0.618_033_988_749_895).fract() - 0.5;
    if variable.words.is_empty() { place } else { place + 0.5 * share }
}

/// The values against each variable: of many variables those that matter most. Dark points came first.
pub fn slices(run: &Recorded, width: f64) -> Vec<String> {
    let values = Values::of(std::slice::from_ref(run));
    let top = values.bad_end(run);
    let slice = |j: usize| {
        let variable = &run.meaning.variables[j];
        let x = Axis { label: String::new(), ..variable.axis() };
        let mut chart = Chart::new(variable.name.clone(), x, Axis { label: String::new(), ..values.axis.clone() });
        (chart.width, chart.height, chart.legend) = (width, 240.0, Legend::None);
        let place = |point: &Point| beside(variable, point.x[j], point.number);
        let shown: Vec<&Point> = thinned(&run.points, IN_SLICE).collect();
        let marks = |color: String, cross: bool| Marks { color: Some(color), size: 4.0, cross };
        let ages = 6_u64;
        let age = |point: &Point| (point.number.saturating_sub(1) * ages / run.evaluations.max(1)).min(ages - 1);
        for k in 0..ages {
            let color = hex(viridis(0.88 * k as f64 / (ages - 1) as f64));
            let now = shown.iter().filter(|point| point.is_feasible() && age(point) == k);
            let points = now.map(|point| (place(point), values.pinned(point.value))).collect();
            chart.line(Line::marks("", points, marks(color, false)));
        }
        let infeasible = shown.iter().filter(|point| point.failure.is_none() && !point.is_feasible());
        let infeasible = infeasible.map(|point| (place(point), values.pinned(point.value))).collect();
        chart.line(Line::marks("", infeasible, marks(INFEASIBLE.into(), true)));
        let failed = shown.iter().filter(|point| point.failure.is_some()).map(|point| (place(point), top)).collect();
        chart.line(Line::marks("", failed, marks(FAILED.into(), true)));
        if let Some(best) = run.best.first() {
            let point = vec![(best.x[j], values.pinned(best.value))];
            chart.line(Line { style: Some(1), ..Line::new("", point).dots() });
        }
        chart.svg()
    };
    chosen(run, SLICES).into_iter().map(slice).collect()
}

/// A line through the values of each point and its value, dark for the best; none where no point has a value.
pub fn parallel(run: &Recorded, width: f64) -> Option<String> {
    let values = Values::of(std::slice::from_ref(run));
    let chosen = chosen(run, AXES);
    let valued: Vec<&Point> = run.points.iter().filter(|point| point.failure.is_none()).collect();
    let best = run.best.first()?;
    let mut drawn: Vec<&Point> = thinned(&valued, STRANDS).copied().collect();
    drawn.extend(run.best.iter());
    // Infeasible points are worse than all feasible ones.
    let worst = drawn.iter().map(|point| point.cost).fold(0.0_f64, |a, b| a.max(b.abs()));
    let order = |point: &&Point| if point.violation > 0.0 { worst + point.violation.min(1e300) } else { point.cost };
    let ranks = ranks(&drawn.iter().map(order).collect::<Vec<_>>());
    let last = (drawn.len() as f64 - 1.0).max(1.0);
    let mut axes: Vec<Axis> = chosen.iter().map(|&j| run.meaning.variables[j].axis()).collect();
    axes.push(values.axis.clone());
    let strand = |point: &Point| {
        let mut places: Vec<f64> =
            chosen.iter().map(|&j| beside(&run.meaning.variables[j], point.x[j], point.number)).collect();
        places.push(values.pinned(point.value));
        places
    };
    let mut picture = Parallel::new("The evaluated points", axes);
    picture.strands = drawn.iter().zip(&ranks).map(|(point, rank)| (strand(point), (rank - 1.0) / last)).collect();
    picture.strands.push((strand(best), -1.0));
    picture.width = width;
    picture.subtitle = "a line for each point: dark for good values, light for bad ones, orange for the best".into();
    let hidden = run.meaning.variables.iter().filter(|variable| !variable.fixed).count() - chosen.len();
    if hidden > 0 {
        picture.subtitle += &format!("; without {hidden} variables that matter less");
    }
    Some(picture.svg())
}
