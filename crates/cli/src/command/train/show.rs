//! What the runs came to: the table, the JSON, the picture.

use super::Train;
use crate::output::{self, grouped, number, span};
use serde_json::{Map, Value, json};
use std::path::Path;
use swarmgrad::{Result, Workers};
use swarmgrad_lab::plot::{Axis, Chart, Legend, Line, sheet};
use swarmgrad_lab::stats::{Interval, mean, mean_interval, standard_deviation};
use swarmgrad_lab::table::{Rules, Table, significant};
use swarmgrad_nn::model::Architecture;
use swarmgrad_nn::signal::Signal;
use swarmgrad_nn::train::{CONTROLS, CurvePoint, Figures, Measure, PreparedPlan, TrainedRun, lends_gradient};
use swarmgrad_nn::{loss, optim};

/// Of the intervals of means.
const CONFIDENCE: f64 = 0.95;

/// A value of a measure; shares are shown as percentages.
fn shown(measure: Measure, value: f64) -> String {
    match measure {
        _ if !value.is_finite() => significant(value, 3),
        _ if measure.is_share() => format!("{:.2}", 100.0 * value),
        Measure::R2 | Measure::Mcc | Measure::Auc => format!("{value:.3}"),
        _ => significant(value, 4),
    }
}

/// Mean and standard deviation.
fn cell(measure: Measure, values: &[f64]) -> String {
    let spread = |value: f64| match measure {
        Measure::Loss | Measure::Rmse | Measure::Mae => significant(value, 2),
        _ => shown(measure, value),
    };
    match values {
        [] => "–".into(),
        [only] => shown(measure, *only),
        _ => format!("{} ± {}", shown(measure, mean(values)), spread(standard_deviation(values))),
    }
}

/// The interval of the mean; none for a single value.
fn interval(measure: Measure, values: &[f64]) -> Result<Option<Interval>, swarmgrad_lab::Error> {
    if values.len() < 2 {
        return Ok(None);
    }
    let (interval, [least, most]) = (mean_interval(values, CONFIDENCE)?, measure.range());
    Ok(Some(Interval { low: interval.low.max(least), high: interval.high.min(most), ..interval }))
}

/// Which rows a figure is of.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Train,
    Test,
}

fn figures(ran: &TrainedRun, part: Side) -> Option<&Figures> {
    match part {
        Side::Train => Some(&ran.train),
        Side::Test => ran.test.as_ref(),
    }
}

fn values(runs: &[Option<TrainedRun>], part: Side, measure: Measure) -> Vec<f64> {
    runs.iter().flatten().filter_map(|ran| measure.of(figures(ran, part)?)).collect()
}

fn count(many: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(many), if many == 1 { one } else { more })
}

/// What was trained on what, in two lines.
fn head(plan: &PreparedPlan, runs: &[Vec<Option<TrainedRun>>]) -> Result<String> {
    let rows = plan.rows(plan.seeds[0])?;
    let first = &plan.trainings[0];
    let learner = plan.learner(first, &rows, Workers::default())?;
    let weights = learner.count() as u64;
    let target = rows.preprocessing.target();
    let what = match rows.train.classes() {
        [] => format!("a number, {target}"),
        classes if classes.len() <= 6 => format!("{} classes ({})", classes.len(), classes.join(", ")),
        classes => format!("{} classes", classes.len()),
    };
    let (inputs, outputs) = (rows.train.dim(), rows.train.outputs());
    let net = match &first.architecture {
        Architecture::Mlp { hidden, activation, output } => {
            let layers = [&[inputs][..], hidden, &[outputs]].concat();
            let layers = layers.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
            let activation = if hidden.is_empty() { String::new() } else { format!("{activation:?}, ").to_lowercase() };
            format!("net {layers} ({activation}{})", format!("{output:?}").to_lowercase())
        }
        Architecture::Cnn { .. } => "the AdaSwarm paper's convolutional net".into(),
        Architecture::Layers { layers, .. } => format!("net of {} layers", layers.len()),
        Architecture::Resnet18 { .. } => "ResNet-18".into(),
    };
    let seeds = runs.iter().map(|runs| runs.iter().flatten().count()).max().unwrap_or(0) as u64;
    let chosen = match rows.validation.len() as u64 {
        0 => String::new(),
        many => format!("{} to choose the epoch by, ", grouped(many)),
    };
    let from = if plan.loaded.is_some() { ", continued from a saved model" } else { "" };
    Ok(format!(
        "{}: {what}; {} to learn from, {chosen}{} to be judged on\n{net}, {}, loss {}, {} of batches of {}, {}{from}\n\n",
        plan.origin.data,
        count(rows.train.len() as u64, "row", "rows"),
        grouped(rows.test.len() as u64),
        count(weights, "weight", "weights"),
        first.loss,
        count(first.epochs, "epoch", "epochs"),
        first.batch,
        count(seeds, "seed", "seeds"),
    ))
}

/// Which rows optimisers are compared on, by the loss that was asked for, and the usual figure beside it: by class or by number.
fn verdict(runs: &[Vec<Option<TrainedRun>>]) -> Option<(Side, Measure)> {
    let ran = runs.iter().flatten().flatten().next()?;
    let part = if ran.test.is_some() { Side::Test } else { Side::Train };
    Some((part, if ran.train.accuracy.is_some() { Measure::Accuracy } else { Measure::R2 }))
}

/// A column of the table: its heading, and which figure it shows.
struct Shown(String, Side, Measure);

/// The figures of the table. `more` are those that were asked for.
fn columns(plan: &PreparedPlan, part: Side, usual: Measure, more: &[Measure]) -> Result<Vec<Shown>> {
    let side = |part: Side| if part == Side::Test { "test" } else { "train" };
    let percent = |measure: Measure| if measure.is_share() { " %" } else { "" };
    let of = |part: Side, measure: Measure| {
        Shown(format!("{} {}{}", side(part), measure.label(), percent(measure)), part, measure)
    };
    let both = |measure: Measure| match part {
        Side::Test => vec![of(Side::Train, measure), of(Side::Test, measure)],
        Side::Train => vec![of(Side::Train, measure)],
    };
    let mut columns = both(Measure::Loss);
    if usual == Measure::Accuracy {
        columns.extend(both(usual));
    } else {
        columns.extend([Measure::Rmse, Measure::Mae, Measure::R2].map(|measure| of(part, measure)));
        if loss::entry(&plan.trainings[0].loss)?.quantile().is_some() {
            columns.push(of(part, Measure::Coverage));
        }
    }
    for &measure in more {
        if !columns.iter().any(|Shown(_, side, shown)| *side == part && *shown == measure) {
            columns.push(of(part, measure));
        }
    }
    Ok(columns)
}

/// The result for people.
pub fn text(plan: &PreparedPlan, runs: &[Vec<Option<TrainedRun>>], more: &[Measure]) -> anyhow::Result<String> {
    let mut text = head(plan, runs)?;
    let Some((part, usual)) = verdict(runs) else {
        return Ok(text + "No run had begun.\n");
    };
    let side = if part == Side::Test { "test" } else { "train" };
    let has = |measure: Measure| runs.iter().any(|runs| !values(runs, part, measure).is_empty());
    let columns = columns(plan, part, usual, more)?;
    let repeated = runs.iter().any(|runs| runs.iter().flatten().count() > 1);
    let validated = plan.origin.validation.is_some();
    let element = has(Measure::ElementAccuracy) && !columns.iter().any(|Shown(.., m)| *m == Measure::ElementAccuracy);
    let mut headers: Vec<String> = vec!["optimizer".into()];
    headers.extend(columns.iter().map(|Shown(heading, ..)| heading.clone()));
    if repeated {
        headers.push("95 % interval".into());
    }
    if element {
        headers.push("element-wise %".into());
    }
    if validated {
        headers.push("best epoch".into());
    }
    headers.extend(["evaluations".into(), "time".into()]);
    let mut table = Table::new(headers);
    let constants: Vec<Option<TrainedRun>> = plan.constants()?.into_iter().map(Some).collect();
    let named = plan.trainings.iter().map(|training| training.optimizer.as_str()).zip(runs);
    for (name, runs) in named.chain([(CONSTANT, &constants)]) {
        let mut row = vec![name.to_owned()];
        row.extend(columns.iter().map(|&Shown(_, part, measure)| cell(measure, &values(runs, part, measure))));
        if repeated {
            let loss = Measure::Loss;
            let interval = interval(loss, &values(runs, part, loss))?;
            row.push(interval.map_or("–".into(), |i| format!("{} .. {}", shown(loss, i.low), shown(loss, i.high))));
        }
        if element {
            row.push(cell(Measure::ElementAccuracy, &values(runs, part, Measure::ElementAccuracy)));
        }
        if validated {
            let best: Vec<f64> = runs.iter().flatten().filter_map(|ran| Some(ran.best_epoch? as f64)).collect();
            row.push(if best.is_empty() { "–".into() } else { significant(mean(&best), 3) });
        }
        let each = |of: fn(&TrainedRun) -> f64| mean(&runs.iter().flatten().map(of).collect::<Vec<_>>());
        row.push(grouped(each(|ran| ran.evaluations as f64).max(0.0) as u64));
        let trained = name != CONSTANT && runs.iter().flatten().next().is_some();
        row.push(if trained { span(each(|ran| ran.seconds)) } else { "–".into() });
        table.row(row);
    }
    text += &table.text(Rules::Unicode);
    if repeated {
        text += &format!(
            "Mean ± standard deviation over the seeds; the interval is of the mean {side} loss, what was asked for.\n"
        );
    }
    text += "constant: the best answer that is the same for every row.\n";
    if element {
        text +=
            "Element-wise: the share of single outputs that round to their target, the AdaSwarm paper's accuracy.\n";
    }
    if usual == Measure::R2 {
        text += &format!(
            "{}RMSE and MAE are in units of the target.\n",
            if plan.origin.options.standardise_target { "The loss is of the standardised target; " } else { "" }
        );
    }
    for line in remarks(plan, runs)?.into_iter().chain(comparisons(plan, runs, &constants, part, usual)?) {
        text += &line;
    }
    Ok(text)
}

/// The name of the dullest answer.
const CONSTANT: &str = "constant";

/// What must be known of a row before it is read: that nothing was trained, or another loss than was asked for.
fn remarks(plan: &PreparedPlan, runs: &[Vec<Option<TrainedRun>>]) -> Result<Vec<String>> {
    let (mut lines, columns) = (Vec::new(), plan.rows(plan.seeds[0])?.train.outputs());
    for (training, runs) in plan.trainings.iter().zip(runs) {
        let (name, loss) = (&training.optimizer, loss::entry(&training.loss)?);
        let derivative = optim::entry(name).is_ok_and(|entry| entry.signal() == Signal::Exact);
        if derivative && training.swarm.is_none() && !loss.differentiable {
            lines.push(format!(
                "{name}: the derivative of {} is zero wherever it exists, so this is an untrained network.\n",
                training.loss
            ));
        }
        let output = training.architecture.output();
        let usual = || optim::entry(name).map(|entry| entry.signal().fit(output));
        let signal = training.signal.clone().map_or_else(usual, Ok);
        if signal.is_ok_and(|signal| signal.is_computed(&*loss.build(columns), columns)) {
            lines.push(format!(
                "{name}: no swarm was run: what it looks for, the proximal map of {}, is computed. --particles runs swarms.\n",
                training.loss
            ));
        }
        let epochs: u64 = runs.iter().flatten().map(|ran| ran.epochs).sum();
        let squared: u64 = runs.iter().flatten().map(|ran| ran.squared_error).sum();
        if squared > 0 {
            lines.push(format!(
                "{name}: in {} of {} epochs the swarm's gradient was output minus label up to a factor (cosine above 0.999): the loss \
                 has become the squared error.\n",
                grouped(squared),
                grouped(epochs)
            ));
        }
    }
    Ok(lines)
}

/// What each swarm gains over each control, and every optimiser that was asked for over the best constant, seed by seed: in the loss,
/// and beside it in the usual figure.
fn comparisons(
    plan: &PreparedPlan,
    runs: &[Vec<Option<TrainedRun>>],
    constants: &[Option<TrainedRun>],
    part: Side,
    usual: Measure,
) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    let side = if part == Side::Test { "test" } else { "train" };
    let names: Vec<&str> = plan.trainings.iter().map(|training| &*training.optimizer).collect();
    let controls = |a: usize| {
        let swarm = lends_gradient(names[a]);
        let others = names.iter().zip(runs).filter(move |(name, _)| swarm && CONTROLS.contains(*name));
        let others = others.map(|(name, runs)| (*name, runs.as_slice()));
        others.chain((a < plan.controls_from).then_some(("the constant", constants)))
    };
    for (a, mine) in runs.iter().enumerate() {
        for (other, theirs) in controls(a) {
            let gains = |measure: Measure| -> Vec<f64> {
                let value = |ran: &Option<TrainedRun>| measure.of(figures(ran.as_ref()?, part)?);
                let pairs = mine.iter().zip(theirs);
                pairs.filter_map(|(a, b)| Some(value(a)? - value(b)?)).filter(|gain| gain.is_finite()).collect()
            };
            let (losses, beside) = (gains(Measure::Loss), gains(usual));
            if losses.len() < 2 {
                continue;
            }
            let interval = mean_interval(&losses, CONFIDENCE)?;
            let signed = |value: f64| format!("{}{}", if value > 0.0 { "+" } else { "" }, significant(value, 3));
            let word = match (interval.low, interval.high) {
                (_, high) if high < 0.0 => "better",
                (low, _) if low > 0.0 => "worse",
                _ => "no difference shown",
            };
            let beside = match (beside.is_empty(), usual.is_share()) {
                (true, _) => String::new(),
                (false, true) => format!("; {} {:+.2} points", usual.label(), 100.0 * mean(&beside)),
                (false, false) => format!("; {} {:+.3}", usual.label(), mean(&beside)),
            };
            lines.push(format!(
                "{} against {other}: {side} loss {}, 95 % interval {} .. {} over {} pairs: {word}{beside}\n",
                names[a],
                signed(mean(&losses)),
                signed(interval.low),
                signed(interval.high),
                losses.len()
            ));
        }
    }
    Ok(lines)
}

/// The result for programs.
pub fn json(
    settings: &Train,
    plan: &PreparedPlan,
    runs: &[Vec<Option<TrainedRun>>],
    unfinished: usize,
) -> anyhow::Result<Value> {
    let rows = plan.rows(plan.seeds[0])?;
    let first = &plan.trainings[0];
    let learner = plan.learner(first, &rows, Workers::default())?;
    let summary = |runs: &[Option<TrainedRun>], part: Side| -> anyhow::Result<Value> {
        let mut fields = Map::new();
        for measure in Measure::ALL {
            let values = values(runs, part, measure);
            if values.is_empty() {
                continue;
            }
            let interval = interval(measure, &values)?;
            let end = |of: fn(Interval) -> f64| interval.map(|i| number(of(i)));
            let spread = (values.len() > 1).then(|| number(standard_deviation(&values)));
            fields.insert(
                measure.name().into(),
                json!({"mean": number(mean(&values)), "deviation": spread, "low": end(|i| i.low), "high": end(|i| i.high)}),
            );
        }
        Ok(Value::Object(fields))
    };
    let optimizers =
        plan.trainings.iter().zip(runs).enumerate().map(|(k, (training, runs))| -> anyhow::Result<Value> {
            let each: Vec<Value> = plan
                .seeds
                .iter()
                .zip(runs)
                .filter_map(|(seed, ran)| Some((seed, ran.as_ref()?)))
                .map(|(seed, ran)| {
                    json!({"seed": seed, "epochs": ran.epochs, "steps": ran.steps, "evaluations": ran.evaluations,
                       "seconds": ran.seconds, "squared_error_epochs": ran.squared_error, "best_epoch": ran.best_epoch,
                       "train": ran.train, "validation": ran.validation, "test": ran.test})
                })
                .collect();
            Ok(json!({
                "optimizer": training.optimizer, "control": k >= plan.controls_from, "rate": training.rate,
                "signal": training.signal, "train": summary(runs, Side::Train)?, "test": summary(runs, Side::Test)?,
                "runs": each,
            }))
        });
    let optimizers: Vec<Value> = optimizers.collect::<anyhow::Result<_>>()?;
    let constants: Vec<Option<TrainedRun>> = plan.constants()?.into_iter().map(Some).collect();
    let constant = json!({"train": summary(&constants, Side::Train)?, "test": summary(&constants, Side::Test)?});
    let show = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    Ok(json!({
        "data": plan.origin.data, "preset": plan.origin.preset, "rows": {"train": rows.train.len(), "validation": rows.validation.len(), "test": rows.test.len()},
        "features": rows.train.dim(), "target": rows.preprocessing.target(), "classes": rows.train.classes(),
        "architecture": first.architecture, "weights": learner.count(),
        "loss": first.loss, "epochs": first.epochs, "batch": first.batch, "seeds": plan.seeds, "optimizers": optimizers,
        "constant": constant, "notices": plan.notices(), "unfinished": unfinished, "saved": show(&settings.save), "plot": show(&settings.plot),
        "record": show(&settings.record), "version": env!("CARGO_PKG_VERSION"),
    }))
}

/// Draws loss and accuracy (or R²) by epoch, training on the left and test on the right.
pub fn plot(plan: &PreparedPlan, runs: &[Vec<Option<TrainedRun>>], path: &Path) -> anyhow::Result<()> {
    let Some((part, main)) = verdict(runs) else { return Ok(()) };
    let seeds = runs.iter().map(|runs| runs.iter().flatten().count()).max().unwrap_or(0);
    let measures = [Measure::Loss, main];
    let parts = if part == Side::Test { vec![Side::Train, Side::Test] } else { vec![Side::Train] };
    let mut panels: Vec<Vec<Chart>> = Vec::new();
    for measure in measures {
        let mut row = Vec::new();
        for &part in &parts {
            let lines: Vec<Line> = plan
                .trainings
                .iter()
                .zip(runs)
                .filter_map(|(t, runs)| line(&t.optimizer, runs, part, measure))
                .collect();
            if lines.iter().all(|line| line.points.is_empty()) {
                continue;
            }
            let side = if part == Side::Test { "Test" } else { "Training" };
            let axis = match measure {
                Measure::Accuracy => Axis::linear("accuracy, %"),
                other => Axis::linear(other.label()),
            };
            let mut chart = Chart::new(format!("{side} {}", measure.label()), Axis::linear("epoch"), axis);
            chart.lines = lines;
            (chart.width, chart.height) = (600.0, 360.0);
            row.push(chart);
        }
        if !row.is_empty() {
            panels.push(row);
        }
    }
    if let Some(chart) = panels.first_mut().and_then(|row| row.first_mut()) {
        chart.title = format!("{}: {}", plan.origin.data, chart.title.to_lowercase());
        if seeds > 1 {
            chart.subtitle = format!("mean of {seeds} seeds, band: standard deviation");
        }
    }
    for (i, row) in panels.iter_mut().enumerate() {
        let last = row.len() - 1;
        for (j, chart) in row.iter_mut().enumerate() {
            if j < last {
                chart.legend = Legend::None;
                chart.width -= 110.0;
            }
            if i == 0 && j > 0 && seeds > 1 {
                // As high as its neighbour's.
                chart.subtitle = " ".into();
            }
        }
    }
    output::write_picture(path, sheet(&panels))
}

/// An optimiser's curve: the mean over its runs, and a band of one standard deviation.
fn line(name: &str, runs: &[Option<TrainedRun>], part: Side, measure: Measure) -> Option<Line> {
    let scale = if measure.is_share() { 100.0 } else { 1.0 };
    let longest = runs.iter().flatten().max_by_key(|ran| ran.curve.len())?;
    let value = |point: &CurvePoint| {
        let figures = match part {
            Side::Train => Some(&point.train),
            Side::Test => point.test.as_ref(),
        };
        figures.and_then(|figures| measure.of(figures)).map(|value| scale * value)
    };
    let (mut points, mut band) = (Vec::new(), Vec::new());
    for (k, point) in longest.curve.iter().enumerate() {
        let at: Vec<f64> = runs.iter().flatten().filter_map(|ran| value(ran.curve.get(k)?)).collect();
        if at.is_empty() {
            continue;
        }
        let (epoch, centre) = (point.epoch as f64, mean(&at));
        points.push((epoch, centre));
        if at.len() > 1 {
            let spread = standard_deviation(&at);
            band.push((epoch, centre - spread, centre + spread));
        }
    }
    Some(Line::new(name, points).band(band))
}
