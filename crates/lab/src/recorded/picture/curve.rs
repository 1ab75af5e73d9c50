//! Curves: the best value against evaluations and time, and fronts.

use super::super::{Point, Recorded};
use super::values::{Values, thinned};
use crate::plot::{Axis, Chart, Legend, Line, Marks, front};
use crate::table::grouped;
use std::borrow::Cow;

/// Points drawn behind a curve at most, and steps of a curve.
const BEHIND: usize = 1500;
const STEPS: usize = 1200;
/// A run of more evaluations has them on a logarithmic axis.
const LONG: u64 = 2000;
/// Evaluations that took less in all, in seconds, are not drawn against time.
const SHORT: f64 = 0.1;
/// What is infeasible, has failed, or is one of many.
pub(super) const INFEASIBLE: &str = "#d55e00";
pub(super) const FAILED: &str = "#882255";
const MANY: &str = "#9aa0a6";

/// What the best value is drawn against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Evaluations.
    Evaluations,
    /// Seconds of evaluating, as [`Timeline`](crate::recorded::Timeline) has them.
    Seconds,
}

impl Against {
    fn of(self, point: &Point) -> f64 {
        match self {
            Against::Evaluations => point.number as f64,
            Against::Seconds => point.at,
        }
    }

    fn end(self, run: &Recorded) -> f64 {
        match self {
            Against::Evaluations => run.evaluations as f64,
            Against::Seconds => run.timeline.end,
        }
    }
}

/// The staircase of the best feasible values.
fn staircase(run: &Recorded, values: &Values, against: Against) -> Vec<(f64, f64)> {
    let feasible: Vec<&Point> = run.improvements.iter().filter(|point| point.is_feasible()).collect();
    let mut line: Vec<(f64, f64)> = Vec::new();
    for point in thinned(&feasible, STEPS).chain(feasible.last()) {
        let (at, value) = (against.of(point), values.shown(point.value));
        if let Some((_, before)) = line.last().copied() {
            line.push((at, before));
        }
        line.push((at, value));
    }
    if let Some((at, value)) = line.last().copied()
        && against.end(run) > at
    {
        line.push((against.end(run), value));
    }
    line.dedup();
    line
}

/// The best value so far of each run; of one run its evaluations too, infeasible and failed ones told apart.
pub fn convergence(runs: &[Recorded], against: Against) -> Chart {
    let values = Values::of(runs);
    let longest = runs.iter().map(|run| run.evaluations).max().unwrap_or(0);
    let x = match against {
        Against::Evaluations if longest > LONG => Axis::log("evaluations"),
        Against::Evaluations => Axis::linear("evaluations"),
        Against::Seconds => Axis::linear("seconds of evaluating"),
    };
    let title = match against {
        Against::Evaluations => "Best value against evaluations",
        Against::Seconds => "Best value against time",
    };
    let mut chart = Chart::new(title, x, values.axis.clone());
    if let [run] = runs {
        chart.subtitle = subtitle(run);
        let kept = |points: &[Point]| !points.is_empty();
        let (failed, valued): (Vec<_>, Vec<_>) = run.points.iter().cloned().partition(|point| point.failure.is_some());
        let (feasible, infeasible): (Vec<_>, Vec<_>) = valued.into_iter().partition(Point::is_feasible);
        let at = |point: &Point| (against.of(point), values.pinned(point.value));
        let top = values.bad_end(run);
        let constrained = kept(&infeasible);
        let name = if constrained { "feasible" } else { "evaluations" };
        for (name, points, color, cross) in [
            (name, &feasible, MANY, false),
            ("infeasible", &infeasible, INFEASIBLE, true),
            ("failed", &failed, FAILED, true),
        ] {
            if kept(points) {
                let place = |point: &Point| if point.failure.is_some() { (against.of(point), top) } else { at(point) };
                let marks = Marks { color: Some(color.into()), size: if cross { 5.0 } else { 3.0 }, cross };
                chart.line(Line::marks(name, thinned(points, BEHIND).map(place).collect(), marks));
            }
        }
        let name = if constrained { "best feasible" } else { "best so far" };
        chart.line(Line { style: Some(0), ..Line::new(name, staircase(run, &values, against)) });
        return chart;
    }
    for (k, run) in runs.iter().enumerate() {
        chart.line(Line { style: Some(k), ..Line::new(short_name(run), staircase(run, &values, against)) });
    }
    chart.legend = Legend::Right;
    chart
}

/// The name of a run in a legend: its file without folders and ending, and the method.
pub fn short_name(run: &Recorded) -> String {
    let file = std::path::Path::new(&run.name).file_stem().map_or(Cow::Borrowed("run"), |stem| stem.to_string_lossy());
    format!("{file}: {}", run.method())
}

fn subtitle(run: &Recorded) -> String {
    let first = run.improvements.iter().find(|point| point.is_feasible());
    match first {
        None if run.best.is_empty() => "no evaluation gave a value".into(),
        None => "no feasible point was found".into(),
        Some(first) if !run.meaning.constraints.is_empty() => {
            format!("the first feasible point is evaluation {}", grouped(first.number))
        }
        Some(_) => String::new(),
    }
}

/// Whether the journal says how long evaluations took, and they took long enough for that to mean something.
pub fn has_times(run: &Recorded) -> bool {
    run.timeline.end > SHORT
}

/// Whether these are runs of the same several objectives.
pub fn have_front(runs: &[Recorded]) -> bool {
    runs.first().is_some_and(|first| {
        first.objectives.len() > 1 && runs.iter().all(|run| run.objectives == first.objectives && !run.front.is_empty())
    })
}

/// The fronts of runs of several objectives.
pub fn fronts(runs: &[Recorded]) -> String {
    let named = |run: &Recorded| if runs.len() > 1 { short_name(run) } else { run.method() };
    let fronts: Vec<_> = runs.iter().map(|run| (named(run), run.front.clone())).collect();
    let title = match runs {
        [run] => format!("Front: {} points after {} evaluations", run.front.len(), grouped(run.evaluations)),
        runs => format!("Fronts of {} runs", runs.len()),
    };
    front(title, &runs[0].objectives, &fronts).svg()
}

/// The curves of runs, as many as there are: against evaluations, and against time where all have times; fronts first where they have them.
pub fn curves(runs: &[Recorded]) -> Vec<String> {
    let mut all = Vec::new();
    if have_front(runs) {
        all.push(fronts(runs));
    }
    all.push(convergence(runs, Against::Evaluations).svg());
    if runs.iter().all(has_times) {
        all.push(convergence(runs, Against::Seconds).svg());
    }
    all
}
