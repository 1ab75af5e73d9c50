//! The result of a run for people.

use crate::output::{self, aligned, grouped, indented, point, short, span};
use swarmgrad::study::Report;
use swarmgrad::{Aim, Constraint, Found, Kind, Space, Typed};

/// Points of several that are printed.
const SHOWN: usize = 10;

/// One of several points as people read it.
fn place(found: &Found, kind: Kind, space: &Space) -> String {
    let gathered = match found.particles {
        _ if kind != Kind::Minima => String::new(),
        1 => "   1 particle".into(),
        many => format!("   {} particles", grouped(many as u64)),
    };
    let value = if kind == Kind::Front { point(&found.parts) } else { short(found.value) };
    format!("{value} at {}{gathered}", values(space, &found.x))
}

/// The values of a point as people read them.
fn values(space: &Space, x: &[f64]) -> String {
    match space.variables() {
        [] => point(x),
        _ => space.decode(x).iter().map(value).collect::<Vec<_>>().join("  "),
    }
}

fn value(value: &Typed) -> String {
    match value {
        Typed::Number(t) => short(*t),
        other => other.to_string(),
    }
}

/// The report as people read it.
pub(super) fn text(report: &Report) -> String {
    let (study, outcome) = (&report.plan.study, &report.outcome);
    let (dim, finite, maximize) = (report.plan.variables(), outcome.fun.is_finite(), study.maximize);
    let what = match (&study.problem, &study.program) {
        (Some(name), _) => name.clone(),
        (None, program) => format!("'{}'", program.as_ref().map_or("", |program| &program.command)),
    };
    let method = report.plan.entry.name;
    let variables = if dim == 1 { "1 variable".into() } else { format!("{dim} variables") };
    let does = if maximize { "maximises" } else { "minimises" };
    let mut lines: Vec<(&str, String)> = Vec::new();
    let gap = report.minimum.zip(report.gap());
    lines.push((
        if matches!(report.plan.aim, Aim::Objectives(_)) { "best in the first" } else { "best value" },
        match gap {
            _ if !finite => "none: no evaluation gave a finite number".into(),
            None => short(outcome.fun),
            Some((0.0, _)) => format!("{}   (the known minimum is 0)", short(outcome.fun)),
            Some((least, gap)) => {
                format!("{}   (the known minimum is {}, {} below)", short(outcome.fun), short(least), short(gap))
            }
        },
    ));
    if !report.plan.constraints.list().is_empty() {
        let violated = |(constraint, c): &(&Constraint, f64)| constraint.violation(*c) > 0.0;
        let worst =
            report.constraints().into_iter().filter(violated).map(|(constraint, _)| constraint.name().to_owned());
        lines.push((
            "feasible",
            match (outcome.is_feasible(), outcome.constraints.is_empty()) {
                (true, _) => "yes".into(),
                (false, true) => "no: nothing is known of the constraints".into(),
                (false, false) => {
                    let names = worst.collect::<Vec<_>>().join(", ");
                    format!("no: violated by up to {}   ({names})", short(report.largest_violation()))
                }
            },
        ));
        let active = report.active();
        if outcome.is_feasible() && !active.is_empty() {
            lines.push(("active", active.join(", ")));
            let known = report.multipliers().unwrap_or_default();
            let known = known.iter().filter(|(name, lambda)| active.contains(name) && *lambda != 0.0);
            let each: Vec<String> = known.map(|(name, lambda)| format!("{name}: {}", short(*lambda))).collect();
            if !each.is_empty() {
                let what = "what the best value gains for each unit that the constraint is loosened by, an estimate";
                lines.push(("multipliers", format!("{}\n({what})", each.join(", "))));
            }
        }
    }
    if let Some(noise) = &outcome.noise {
        let (low, high, n, points) = (short(noise.low), short(noise.high), noise.evaluations, noise.points);
        let how = format!("{low} .. {high}   (mean of {n} evaluations, the best of {points} points)");
        lines.push(("95 % interval", how));
    }
    if report.plan.aim == Aim::Residuals && finite {
        lines.push(("residuals", fitted(outcome.parts.len(), outcome.x.len(), outcome.fun)));
    }
    let errors = report.standard_errors().filter(|errors| errors.len() == report.plan.variables());
    if let Some(errors) = errors.filter(|_| finite) {
        let name = |j: usize| report.plan.names.get(j).cloned().unwrap_or_else(|| format!("x{j}"));
        let line = |(j, (x, error)): (usize, (&f64, &f64))| format!("{} = {} +- {}", name(j), short(*x), short(*error));
        let each: Vec<_> = outcome.x.iter().zip(&errors).enumerate().map(line).collect();
        lines.push(("at x", format!("{}\n(+- one standard error)", each.join("\n"))));
    } else if let Some(Ok(found)) = report.uncertainty.as_ref().filter(|_| finite) {
        let values = report.plan.space.decode(&outcome.x);
        let value_at = |j: usize| values.get(j).map_or_else(String::new, value);
        let line = |(j, error): (usize, &Option<f64>)| match error {
            Some(error) => format!("{} = {} +- {}", report.name(j), value_at(j), short(*error)),
            None => format!("{} = {}", report.name(j), value_at(j)),
        };
        let each: Vec<_> = found.errors.iter().enumerate().map(line).collect();
        let (points, misses) = (grouped(found.points as u64), short(100.0 * (1e3 * found.misses).ceil() / 1e3));
        let how = format!(
            "+- an estimate of one standard error, if {}; from a quadratic that misses {points} evaluated points by at most {misses} % of their spread",
            found.meaning.text(maximize)
        );
        lines.push(("at x", format!("{}\n({how})", each.join("\n"))));
    } else if finite {
        let named = |(name, t): (&String, &Typed)| format!("{name} = {}", value(t));
        let named: Vec<_> = report.plan.names.iter().zip(&report.plan.space.decode(&outcome.x)).map(named).collect();
        lines.push(("at x", if named.is_empty() { point(&outcome.x) } else { named.join("\n") }));
    }
    if let Some(Err(why)) = &report.uncertainty {
        lines.push(("uncertainty", format!("none: {why}")));
    }
    let space = &report.plan.space;
    if finite && space.decode(&outcome.answer) != space.decode(&outcome.x) {
        lines.push(("answer", values(space, &outcome.answer)));
    }
    if let Some(several) = &outcome.solutions {
        let points = &several.points;
        let how = match several.kind {
            Kind::Minima => "the best points that particles have gathered about",
            Kind::Samples => "--json shows all",
            Kind::Runs => "the best point of each up to its last whole round",
            Kind::Front => "none is better than another in all objectives",
        };
        let single = if outcome.noise.is_some() { "; values of single evaluations" } else { "" };
        let shown = if several.kind == Kind::Samples { 0 } else { points.len().min(SHOWN) };
        let mut text = format!("{}   ({how}{single})", points.len());
        // Of a front that is long some from end to end.
        let all = if several.kind == Kind::Front { points.len().saturating_sub(1) } else { shown.saturating_sub(1) };
        let at = |i: usize| i * all / shown.saturating_sub(1).max(1);
        (0..shown).for_each(|i| text += &format!("\n{}", place(&points[at(i)], several.kind, &report.plan.space)));
        if (1..points.len()).contains(&shown) {
            text += &format!("\nand {} more, see --json", points.len() - shown);
        }
        lines.push((report.kind(several.kind), text));
    }
    if let Some(front) = report.front() {
        let from = point(&front.reference_point);
        lines.push(("objectives", front.objectives.join(", ")));
        lines.push(("hypervolume", format!("{}   (from {from})", short(front.hypervolume))));
    }
    let rate = outcome.nfev as f64 / outcome.seconds.max(1e-9);
    let pace = if rate >= 10.0 { grouped(rate as u64) } else { short(rate) };
    lines.push(("evaluations", grouped(outcome.nfev)));
    if outcome.ngev > 0 {
        let what = format!("{}   (cost with evaluations: {})", grouped(outcome.ngev), grouped(outcome.cost));
        lines.push(("gradients", what));
    }
    lines.push(("iterations", grouped(outcome.nit)));
    if outcome.failures > 0 {
        let kinds = outcome.failure_counts.list().into_iter().filter(|(_, count)| *count > 0);
        let kinds: Vec<_> = kinds.map(|(kind, n)| format!("{} {}", grouped(n), kind.replace('_', " "))).collect();
        lines.push(("failures", format!("{}   ({})", grouped(outcome.failures), kinds.join(", "))));
    }
    if report.repeated > 0 {
        lines.push(("known already", format!("{}   (taken from the record)", grouped(report.repeated))));
    }
    let summary = report.summary();
    let ended = match report.had_ended() {
        true => format!("{}; it had ended before, and nothing more was evaluated", summary.ended),
        false => summary.ended,
    };
    lines.push(("ended", ended));
    lines.extend(summary.learned.map(|learned| ("learned", learned)));
    lines.extend(summary.sure.map(|sure| ("how sure", sure)));
    lines.push(("time", format!("{}   ({} evaluations a second)", span(outcome.seconds), pace)));
    lines.push(("seed", study.seed.to_string()));
    let lines = folded(lines.into_iter().map(|(name, text)| (name.to_owned(), text)).collect());
    let of = study.runs.map_or(String::new(), |runs| format!(" in {runs} runs"));
    let mut text = format!("{} {does} {what}, {variables}{of}\n\n{}", method, aligned(&lines, 2));
    if let Some(last) = &report.last_failure {
        text += &format!("\n  The last failure ({}): {}\n", last.kind.replace('_', " "), last.detail);
        if !last.stderr.is_empty() {
            text += &format!("  The program's last words on standard error:\n{}\n", indented(&last.stderr));
        }
    }
    let elsewhere = report.had_ended() && report.status() == 0;
    let elsewhere = elsewhere.then(|| ("elsewhere", "another --seed or --method looks there".to_owned()));
    let hints: Vec<_> =
        elsewhere.into_iter().chain(summary.next).map(|(word, what)| (format!("{word}:"), what)).collect();
    if !hints.is_empty() {
        text += &format!("\n{}", aligned(&folded(hints), 2));
    }
    text
}

/// Texts broken into lines so that, behind their names, they fit a terminal; what is to be copied, a command, stays whole.
fn folded(lines: Vec<(String, String)>) -> Vec<(String, String)> {
    let name = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let room = output::WIDTH.saturating_sub(name + 5).max(30);
    let fold = |(name, text): (String, String)| {
        // What a program said stays as it is.
        if name == "ended" && text.contains('\n') {
            return (name, text);
        }
        let text: Vec<String> = text.lines().map(|line| fold(line, room)).collect();
        (name, text.join("\n"))
    };
    lines.into_iter().map(fold).collect()
}

/// A line broken between words where it is longer than that.
fn fold(line: &str, room: usize) -> String {
    if line.chars().count() <= room || line.contains("swarmgrad ") {
        return line.to_owned();
    }
    let (mut lines, mut last) = (Vec::new(), String::new());
    for word in line.split(' ') {
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > room {
            lines.push(std::mem::take(&mut last));
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last += word;
    }
    lines.push(last);
    lines.join("\n")
}

/// How many residuals there are, and how large they are.
fn fitted(residuals: usize, variables: usize, sum: f64) -> String {
    let deviation = (residuals > variables).then(|| (sum / (residuals - variables) as f64).sqrt());
    let deviation = deviation.map_or_else(String::new, |d| format!("   (standard deviation {})", short(d)));
    format!("{residuals}{deviation}")
}
