//! What went wrong and who worked: failures over the run and over the variables, workers over time.

use super::super::importance::importance;
use super::super::{Point, Recorded};
use super::curve::has_times;
use super::values::thinned;
use super::variable::ASKED;
use crate::plot::{Axis, Chart, Heatmap, Line};
use crate::table::{grouped, significant};

/// Workers that are drawn at most.
const ROWS: usize = 64;

/// The share of failed evaluations over the run, a line a kind; none where none failed.
pub fn failures(run: &Recorded) -> Option<String> {
    if run.failures.is_empty() {
        return None;
    }
    let (x, y) = (Axis::linear("evaluation"), Axis::linear("share that failed").range(0.0, 1.0));
    let mut chart = Chart::new(format!("Failures: {} of {}", grouped(run.failed()), grouped(run.count())), x, y);
    chart.height = 300.0;
    let middles = run.failed.middles();
    for (k, failures) in run.failures.iter().enumerate() {
        let points = middles.iter().copied().zip(run.failed.shares(k)).collect();
        chart.line(Line::new(failures.kind.replace('_', " "), points));
    }
    Some(chart.svg())
}

/// Where points fail, in words: the variable that tells failed points best, and its values there; none where none does.
pub fn where_failed(run: &Recorded) -> Option<String> {
    let asked: Vec<&Point> = thinned(&run.points, ASKED).collect();
    let failed: Vec<f64> = asked.iter().map(|point| f64::from(u8::from(point.failure.is_some()))).collect();
    let column = |j: usize| asked.iter().map(|point| point.x[j]).collect();
    let columns: Vec<Vec<f64>> = (0..run.meaning.variables.len()).map(column).collect();
    let shares = importance(&columns, &failed)?;
    let (j, share) =
        shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, s)| *s > 0.05)?;
    let variable = &run.meaning.variables[j];
    let mut order: Vec<(f64, f64)> = columns[j].iter().copied().zip(failed).filter(|(x, _)| !x.is_nan()).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rate = |part: &[(f64, f64)]| part.iter().map(|(_, failed)| failed).sum::<f64>() / part.len().max(1) as f64;
    // The part of the range, in tenths of the points, that fails most, as far as its neighbours do so half as often.
    let tenth = order.len().div_ceil(10);
    let rates: Vec<f64> = order.chunks(tenth).map(rate).collect();
    let top = (0..rates.len()).max_by(|&a, &b| rates[a].total_cmp(&rates[b]))?;
    let from = (0..top).rev().take_while(|&k| rates[k] > 0.5 * rates[top]).last().unwrap_or(top);
    let to = (top..rates.len()).take_while(|&k| rates[k] > 0.5 * rates[top]).last().unwrap_or(top);
    let (from, to) = (from * tenth, ((to + 1) * tenth).min(order.len()));
    let (inside, others) = (&order[from..to], [&order[..from], &order[to..]].concat());
    let (low, high) = (variable.text(inside[0].0), variable.text(inside[inside.len() - 1].0));
    let values = if low == high { low } else { format!("{low} .. {high}") };
    let percent = |share: f64| format!("{} %", significant(100.0 * share, 2));
    Some(format!(
        "Failures depend most on {} (ε² {}): of the points with {} = {values}, {} failed; of the others {}.",
        variable.name,
        significant(share, 2),
        variable.name,
        percent(rate(inside)),
        percent(rate(&others)),
    ))
}

/// Who was busy when; none where one worker did everything or no times are known.
pub fn workers(run: &Recorded) -> Option<String> {
    if run.timeline.workers.len() < 2 || !has_times(run) {
        return None;
    }
    let mut order: Vec<usize> = (0..run.timeline.workers.len()).collect();
    order.sort_by_key(|&row| run.timeline.workers[row].number);
    let shown = order.len().min(ROWS);
    let x = run.timeline.busy.middles();
    let shares: Vec<f64> = order[..shown].iter().flat_map(|&row| run.timeline.busy.shares(row)).collect();
    let names = order[..shown].iter().map(|&row| run.timeline.workers[row].number.to_string()).collect();
    let hidden = order.len() - shown;
    let more = if hidden > 0 { format!(" ({hidden} more are not shown)") } else { String::new() };
    let title = format!("Workers: busy for {:.0} % of the time{more}", 100.0 * run.timeline.utilisation());
    let places = (0..shown).map(|k| k as f64).collect();
    let mut map = Heatmap::new(
        title,
        (Axis::linear("seconds of evaluating"), x),
        (Axis::of_words("worker", names), places),
        shares,
    );
    map.meaning = "busy".into();
    Some(map.svg())
}
